"""The settings of an installation, read from the environment (`BITACORA_…`) and checked as a whole."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.identity.actor import Role
from shared.identity.development import AUDIENCE
from shared.identity.tokens import OUR_ROLES, Claims
from shared.rules.indicator_warnings import WarningWindows

PREFIX = "BITACORA_"
DB_FUNCTIONS = "POSTGRES_ENABLE_DB_FUNCTIONS"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Settings(BaseSettings):
    """What may differ between installations; a combination that would be unsafe does not start."""

    # An error names the setting and never shows its value: URLs hold passwords.
    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        hide_input_in_errors=True,
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
    )

    environment: Literal["development", "production"] = "development"
    """In `production` nothing starts that would be unsafe there, and tokens come from an identity provider only."""
    data_dir: Path = Path("var")
    """Where a log in SQLite and the development key are, unless settings of their own say otherwise."""
    log_url: str = Field(default="", repr=False)
    """`sqlite:///path/bitacora.db` or `postgresql://…`; by default a file in the data directory."""
    read_model_url: str = Field(default="", repr=False)
    """Where reporting keeps its read model; by default beside the log."""
    postgres_pooler: Literal["none", "transaction"] = "none"
    """`transaction` where connections lead through a pooler in transaction mode, as PgBouncer's; both URLs, then."""
    log_lock_seconds: float = Field(default=4, ge=0.1, le=60)
    """For how long an append waits for those of other processes, before it is answered 503."""
    log_statement_seconds: float = Field(default=10, ge=1, le=600)
    """For how long one statement on the log may run, its waiting included."""
    log_connect_seconds: float = Field(default=5, ge=1, le=60)
    """For how long a connection to the server of the log or of the read model is waited for."""
    log_network_seconds: float = Field(default=10, ge=1, le=600)
    """After how long without a sign of life on the network such a server is given up."""
    log_clock_seconds: float = Field(default=60, ge=1, le=3e9)
    """By how much a process's clock may be ahead of the engine's, and the last event on record ahead of both."""
    read_model_statement_seconds: float = Field(default=20, ge=1, le=600)
    """For how long one statement on the read model may run."""
    ready_lag_seconds: float = Field(default=60, ge=1, le=86_400)
    """For how long a service, a policy or the read model may lack what is in the log, before readiness is red."""
    disk_free_megabytes: int = Field(default=100, ge=0, le=1_000_000)
    """With less room than that on the disk of an SQLite file, readiness is red."""
    idempotency_days: float = Field(default=7, ge=1, le=3660)
    """For how long an `Idempotency-Key` is remembered at least: scripts may try again for so long."""
    timezone: str = "America/Santiago"
    """The government's own, in which its civil days begin; never changed once there are events."""

    indicator_deadline_days: int = Field(default=90, ge=0, le=3660)
    """A definition that changes this close to the day of a target, before or after it, is a warning sign."""
    indicator_green_days: int = Field(default=30, ge=0, le=3660)
    """A verdict that turns good in so many last days before a target is a warning sign."""
    indicator_bad_figure_days: int = Field(default=90, ge=0, le=3660)
    """A target that is made easier within so many days after a bad figure is a warning sign."""
    indicator_stale_days: int = Field(default=180, ge=0, le=3660)
    """When so many days have passed since a value was due, and there is none, that is a warning sign."""
    indicator_ratchet_share: Decimal = Field(default=Decimal("0.05"), ge=0, le=1)
    """Targets in a row that are within this share of the last actual value are a warning sign."""

    load_per_adviser: int = Field(default=40, ge=1, le=100_000)
    """How many open commitments an adviser is thought to manage."""
    load_per_organization: int = Field(default=60, ge=1, le=100_000)
    """How many open commitments an organisation that leads is thought to manage."""

    tables_at_once: int = Field(default=2, ge=1, le=100)
    """How many tables a process of reporting makes at a time; others wait for seconds, and are then answered 503."""
    table_seconds: float = Field(default=55, ge=1, le=3600)
    """For how long one table, or one PDF, may be made: less than the proxies in front wait for an answer to begin."""

    open_data_publisher: str = "Ministry of the Presidency"
    """Who publishes the open data, for those who use them."""
    open_data_license: str = "CC-BY-4.0"
    """The licence of the open data, by its name in SPDX."""
    open_data_license_url: str = "https://creativecommons.org/licenses/by/4.0/"
    """Where that licence is."""

    follow_decisions: bool = True
    """Whether this process carries agreed decisions out; among several, at least one must."""

    carry_out_imports: bool = True
    """Whether this process carries out imports sent over HTTP; among several of a service, at least one must."""
    import_megabytes: int = Field(default=10, ge=1, le=10)
    """How large a table, with all that is sent beside it, may be; the proxy in front takes as much."""
    import_seconds: float = Field(default=600, ge=1, le=86_400)
    """For how long one import may run, before it is ended; sent again it goes on."""
    import_days: float = Field(default=30, ge=1, le=3660)
    """For how long the report of an import that has ended is kept; never shorter than idempotency keys."""
    imports_of_caller: int = Field(default=10, ge=1, le=100_000)
    """How many imports of one person may wait or run at a time."""

    answers_megabytes: int = Field(default=64, ge=0, le=65_536)
    """How much memory each process of reporting takes, by estimate, to keep answers in; 0 for none."""

    keep_alive_seconds: float = Field(default=15, ge=0.1, le=3600)
    """Silence after which a live stream of events says that it is still there: less than proxies bear."""

    host: str = "127.0.0.1"
    """The address on which a service listens; `0.0.0.0` for all of a container's."""
    port: int = Field(default=0, ge=0, le=65535)
    """0: the service's own default."""
    public_url: str = ""
    """Under which address a proxy serves us, as `https://bitacora.gob.test/reporting`; the proxy strips its path."""
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ("127.0.0.1", "::1")
    """Addresses and networks of the proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed."""
    root_path: str = ""
    """The path under which a proxy serves us, when it strips it; by default that of the public URL."""
    requests_per_minute_of_caller: int | None = Field(default=None, ge=0, le=1_000_000)
    """How often one caller may ask each process; 0 for no limit, and by default 6000 in production, else no limit."""
    requests_per_minute_of_address: int | None = Field(default=None, ge=0, le=1_000_000)
    """How often one address may ask without credentials that hold; by default 600 in production, else no limit."""
    reporting_url: str = "http://127.0.0.1:8003"
    """Where clients reach reporting, which lists what the other two services record: these lead there."""
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Origins whose pages may call us, separated by commas; none by default."""
    errors_base_url: str = "/errors/"
    """What precedes the code in the `type` of a problem document."""

    oidc_issuer: str | None = None
    """The identity provider, exactly as it stands in `iss` of its tokens."""
    oidc_audience: str = AUDIENCE
    """What in `aud` of a token means this installation."""
    oidc_jwks_url: str | None = None
    """Where the provider publishes the keys that sign its tokens; https, but on this machine."""
    oidc_longest_token_hours: float = Field(default=24, gt=0, le=24 * 366)
    """A token of the provider that is valid for longer from now is refused: nobody can take it back."""
    oidc_subject_claim: str = Field(default="sub", min_length=1)
    """The claim that names the bearer, for good and nobody else; dots stand between the names of one inside another."""
    oidc_role_claim: str = Field(default="role", min_length=1)
    """The claim that holds the role, or a list of names of which one means a role (`realm_access.roles`)."""
    oidc_organization_claim: str = Field(default="organization", min_length=1)
    """The claim that holds the code of the bearer's organisation, as a text or the only one of a list."""
    oidc_roles: Annotated[dict[str, Role], NoDecode] = Field(default_factory=dict)
    """Which role is meant by which of the provider's names: `bitacora-dci=dci, bitacora-mop=ministry`. By default the
    roles by their own names; once set, only the names given."""
    development_key_file: Path | None = None
    """The key that signs development tokens; refused in production."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """How grave something has to be to be written to the process's own log, on its standard output."""
    log_format: Literal["json", "console"] = "json"
    """One JSON object a line, or lines for a person's eyes."""
    access_log: bool = True
    """Whether each request that was answered is a line of that log."""
    metrics_port: int = Field(default=0, ge=0, le=65535)
    """The port on which the projection worker shows its metrics, at `/metrics` on `BITACORA_HOST`; 0 for none."""
    telemetry: bool = False
    """Whether requests, and what comes of them, are traced with OpenTelemetry: needs `bitacora[telemetry]`, and goes to
    where the variables `OTEL_…` say (`OTEL_EXPORTER_OTLP_ENDPOINT`)."""

    @field_validator("cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(origin.strip() for origin in value.split(",") if origin.strip())
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            try:
                ip_network(one)
            except ValueError as error:
                raise ValueError("must be addresses or networks, as 10.0.0.7 or 10.0.0.0/24") from error
        return value

    @field_validator("public_url")
    @classmethod
    def _absolute(cls, value: str) -> str:
        url = urlsplit(value)
        if value and (url.scheme not in {"http", "https"} or not url.netloc or url.query or url.fragment):
            raise ValueError("must be an address that begins with https:// and holds no query")
        return value.rstrip("/")

    @field_validator("oidc_roles", mode="before")
    @classmethod
    def _pairs(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [pair.rpartition("=") for pair in value.split(",") if pair.strip()]
        if not all(name.strip() and role.strip() for name, _, role in pairs):
            raise ValueError("is pairs of a name and a role: bitacora-dci=dci, bitacora-mop=ministry")
        return {name.strip(): role.strip() for name, _, role in pairs}

    @field_validator("oidc_roles")
    @classmethod
    def _role_of_people(cls, value: dict[str, Role]) -> dict[str, Role]:
        if Role.SYSTEM in value.values():
            raise ValueError("the role `system` is that of the services' own policies: no token carries it")
        return value

    @field_validator("reporting_url")
    @classmethod
    def _http(cls, value: str) -> str:
        if urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname:
            raise ValueError("must begin with http:// or https:// and name a host")
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("not a time zone of the IANA database") from error
        return value

    @field_validator("log_url", "read_model_url")
    @classmethod
    def _known_engine(cls, value: str) -> str:
        if value and not value.startswith(("sqlite:///", "postgresql://")):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return value

    @model_validator(mode="after")
    def _safe_together(self) -> Self:
        if bool(self.oidc_issuer) != bool(self.oidc_jwks_url):
            raise ValueError("BITACORA_OIDC_ISSUER and BITACORA_OIDC_JWKS_URL go together")
        if self.oidc_jwks_url:
            url = urlsplit(self.oidc_jwks_url)
            if url.scheme != "https" and not (url.scheme == "http" and url.hostname in _LOOPBACK):
                raise ValueError("BITACORA_OIDC_JWKS_URL must be https")
        if self.environment == "production":
            if not self.oidc_issuer:
                raise ValueError(
                    "in production tokens come from an identity provider:"
                    " set BITACORA_OIDC_ISSUER and BITACORA_OIDC_JWKS_URL"
                )
            if self.development_key_file is not None:
                raise ValueError("BITACORA_DEVELOPMENT_KEY_FILE is refused in production")
            if "*" in self.cors_origins:
                raise ValueError("BITACORA_CORS_ORIGINS must name each origin in production")
        return self

    @property
    def claims(self) -> Claims:
        """Where tokens of the identity provider say who somebody is."""
        return Claims(
            self.oidc_subject_claim,
            self.oidc_role_claim,
            self.oidc_organization_claim,
            self.oidc_roles or OUR_ROLES,
        )

    @property
    def effective_log_url(self) -> str:
        """Where the log is."""
        return self.log_url or f"sqlite:///{self.data_dir / 'bitacora.db'}"

    @property
    def effective_requests_per_minute(self) -> tuple[int, int]:
        """How often one caller, and one address without credentials, may ask; 0 for no limit."""
        production = self.environment == "production"
        caller, address = self.requests_per_minute_of_caller, self.requests_per_minute_of_address
        return (
            6000 * production if caller is None else caller,
            600 * production if address is None else address,
        )

    @property
    def effective_root_path(self) -> str:
        """The path under which a proxy serves us."""
        return self.root_path or urlsplit(self.public_url).path

    @property
    def log_named_by(self) -> str:
        """The setting that says where the log is."""
        return "BITACORA_LOG_URL" if self.log_url else "BITACORA_DATA_DIR"

    @property
    def read_model_named_by(self) -> str:
        """The setting that says where the read model is."""
        return "BITACORA_READ_MODEL_URL" if self.read_model_url else self.log_named_by

    @property
    def effective_read_model_url(self) -> str:
        """Where the read model is: a directory beside a SQLite log, else the log's own server."""
        if self.read_model_url:
            return self.read_model_url
        log = self.effective_log_url
        if log.startswith("sqlite:///"):
            return f"sqlite:///{Path(log.removeprefix('sqlite:///')).parent / 'reporting'}"
        return log

    @property
    def effective_development_key_file(self) -> Path:
        """Where the key that signs development tokens is, or will be made."""
        return self.development_key_file or self.data_dir / "development.key"

    @property
    def warning_windows(self) -> WarningWindows:
        """What counts as near, in the warning signs of indicators."""
        return WarningWindows(
            self.indicator_deadline_days,
            self.indicator_green_days,
            self.indicator_bad_figure_days,
            self.indicator_stale_days,
            self.indicator_ratchet_share,
        )


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings in the environment; a ValueError says in a sentence which of them cannot be used, and why."""
    refuse_unordered_log(environ)
    refuse_unknown(environ)
    try:
        return Settings()
    except ValidationError as error:
        raise ValueError("\n".join(_sentence(item) for item in error.errors(include_url=False))) from None


def _sentence(item: Mapping[str, Any]) -> str:
    """What is wrong with a setting, under the name it has in the environment; never with its value."""
    said = str(item["msg"]).removeprefix("Value error, ").rstrip(".")
    if not item["loc"]:
        return f"{said[0].upper()}{said[1:]}."
    name = PREFIX + str(item["loc"][0]).upper()
    return f"{name} has a value that cannot be used: {said[0].lower()}{said[1:]}."


def refuse_unknown(environ: Mapping[str, str]) -> None:
    """Raises when a variable looks like a setting and is none: misspelt, it would change nothing, in silence."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    for name, value in sorted(environ.items()):
        upper = name.upper()
        if not upper.startswith(PREFIX) or upper in known or _is_anothers(upper, value):
            continue
        nearest = get_close_matches(upper, known, n=1, cutoff=0)[0]
        raise ValueError(f"{name} is no setting of Bitácora; {nearest} is the nearest that there is.")


def _is_anothers(name: str, value: str) -> bool:
    """Whether a variable is that of our tests and measurements, or one that Kubernetes makes of a service's name."""
    if name.startswith((f"{PREFIX}TEST_", f"{PREFIX}BENCH_")):
        return True
    return _OF_A_CLUSTER.search(name) is not None or (name.endswith("_PORT") and value.startswith("tcp://"))


_OF_A_CLUSTER = re.compile(r"_SERVICE_(HOST|PORT)|_PORT_[0-9]+_(TCP|UDP)")


def refuse_unordered_log(environ: Mapping[str, str]) -> None:
    """Raises when the log library is told to append without its lock.

    Positions would then become visible out of order, and a reader that has passed a position would never see
    the event committed later below it.
    """
    if environ.get(DB_FUNCTIONS, "").strip().lower() in {"y", "yes", "t", "true", "on", "1"}:
        raise ValueError(
            f"{DB_FUNCTIONS} must not be set: events would become visible out of order,"
            " and the services that follow the log would miss some of them"
        )
