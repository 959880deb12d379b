"""Settings: what an installation may say, and which combinations do not start."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.clock import Clock
from shared.http.service import build_authenticator
from shared.identity.keys import KeyDirectory
from shared.settings import Settings, load_settings, refuse_unordered_log

PROVIDER = {"oidc_issuer": "https://id.test", "oidc_jwks_url": "https://id.test/jwks"}


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "BITACORA_ENVIRONMENT",
        "BITACORA_LOG_URL",
        "BITACORA_CORS_ORIGINS",
        "POSTGRES_ENABLE_DB_FUNCTIONS",
    ):
        monkeypatch.delenv(name, raising=False)


def test_without_settings_everything_is_in_one_folder() -> None:
    settings = Settings()
    assert settings.effective_log_url == "sqlite:///var/bitacora.db"
    assert settings.effective_read_model_url == "sqlite:///var/reporting"
    assert settings.effective_development_key_file == Path("var/development.key")
    assert settings.host == "127.0.0.1"
    assert settings.keep_alive_seconds == 15


def test_the_read_model_is_beside_the_log() -> None:
    url = "postgresql://u:p@db/bitacora"
    assert Settings(log_url=url).effective_read_model_url == url
    assert Settings(log_url="sqlite:////data/log.db").effective_read_model_url == "sqlite:////data/reporting"


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITACORA_CORS_ORIGINS", "https://a.test, https://b.test,")
    assert load_settings().cors_origins == ("https://a.test", "https://b.test")


@pytest.mark.parametrize("value", ["y", "Yes", "T", "true", "on", "1", " 1 "])
def test_appending_without_a_lock_does_not_start_and_says_why(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", value)
    with pytest.raises(ValueError, match="out of order"):
        load_settings()


def test_appending_with_a_lock_may_be_said_in_as_many_words() -> None:
    for value in ("", "n", "no", "0"):
        refuse_unordered_log({"POSTGRES_ENABLE_DB_FUNCTIONS": value})


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "identity provider"),
        ({**PROVIDER, "development_key_file": Path("k")}, "refused in production"),
        ({**PROVIDER, "cors_origins": ("*",)}, "name each origin"),
        ({**PROVIDER, "oidc_jwks_url": "http://id.test/jwks"}, "https"),
        ({"oidc_issuer": "https://id.test"}, "together"),
    ],
)
def test_an_unsafe_production_does_not_start(given: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Settings.model_validate({"environment": "production", **given})


def test_a_production_with_an_identity_provider_starts_and_makes_no_key_of_its_own(tmp_path: Path) -> None:
    settings = Settings.model_validate({"environment": "production", "data_dir": tmp_path, **PROVIDER})
    build_authenticator(settings, KeyDirectory(), Clock())
    assert list(tmp_path.iterdir()) == []


def test_an_error_never_shows_a_password() -> None:
    with pytest.raises(ValidationError) as error:
        Settings(log_url="mysql://user:password@db/x")
    assert "password" not in str(error.value)
    assert "password" not in repr(Settings(log_url="postgresql://user:password@db/x"))


def test_an_unknown_time_zone_does_not_start() -> None:
    with pytest.raises(ValidationError, match="time zone"):
        Settings(timezone="America/Atlantis")
