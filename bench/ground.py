"""What every phase stands on: a server, a directory that goes away, a key for tokens, and who asks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.dataset import PILLARS
from bench.load import END_OF_HEAD, Outcome, drive, request
from bench.processes import free_port, run, running
from shared.identity.actor import Role
from shared.identity.development import issue_development_token

ROOT = Path(__file__).resolve().parent.parent
ORGANIZATION = "department-a"


@dataclass(frozen=True)
class Ground:
    """One run: where PostgreSQL is, where files go, and whether it is to be short."""

    server_url: str
    directory: Path
    quick: bool

    @property
    def key_file(self) -> Path:
        """The key that signs every token of the run, for ours and for the baseline."""
        return self.directory / "development.key"

    def headers(self, role: Role = Role.DCI, organization: str = "DCI") -> dict[str, str]:
        """What a client of that role sends with every request."""
        token = issue_development_token(
            self.key_file, role=role, organization=organization, now=datetime.now(UTC)
        )
        return {"authorization": f"Bearer {token}", "accept": "application/json"}

    def environ(self, log_url: str, port: int = 0) -> dict[str, str]:
        """The settings of one of our processes: as installed, without a line of log per request."""
        return {
            "PYTHONPATH": str(ROOT),
            "BITACORA_LOG_URL": log_url,
            "BITACORA_READ_MODEL_URL": log_url,
            "BITACORA_DATA_DIR": str(self.directory),
            "BITACORA_DEVELOPMENT_KEY_FILE": str(self.key_file),
            "BITACORA_HOST": "127.0.0.1",
            "BITACORA_PORT": str(port),
            "BITACORA_ACCESS_LOG": "false",
            "BITACORA_LOG_LEVEL": "warning",
        }

    def log(self, name: str) -> Path:
        """Where a process writes what it has to say."""
        return self.directory / f"{name}.log"

    def migrate(self, log_url: str) -> None:
        """Makes the tables of the log and of the read model."""
        run("services.cli", "migrate", environ=self.environ(log_url), log=self.log("migrate"), seconds=60)

    @contextmanager
    def service(self, name: str, log_url: str) -> Iterator[int]:
        """One of our services as a process; yields its port."""
        port = free_port()
        environ = self.environ(log_url, port)
        log = self.log(name)
        with running(f"services.{name}", environ=environ, log=log, port=port, ready="/health/ready"):
            yield port

    @contextmanager
    def worker(self, log_url: str) -> Iterator[int]:
        """The projection worker as a process; yields its process id."""
        with running(
            "services.reporting.follow", environ=self.environ(log_url), log=self.log("worker")
        ) as pid:
            yield pid


async def answer(port: int, raw: bytes, seconds: float = 30) -> tuple[dict[str, str], bytes]:
    """The headers and the body of one successful answer."""
    taken: list[bytes] = []
    outcome = await drive(
        port,
        [raw],
        connections=1,
        count=1,
        seconds=seconds,
        on_answer=lambda _n, _d, _a, whole: taken.append(whole),
    )
    outcome.demand_success()
    return headers_of(taken[0]), taken[0].partition(END_OF_HEAD)[2]


def headers_of(whole: bytes) -> dict[str, str]:
    """The headers of an answer, by lower-case name."""
    head = whole.partition(END_OF_HEAD)[0].decode("latin-1")
    pairs = (line.partition(":") for line in head.split("\r\n")[1:])
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


async def all_once(port: int, requests: Sequence[bytes], seconds: float = 120) -> list[bytes]:
    """Sends each request once and returns the bodies, in the order of the requests."""
    bodies: dict[int, bytes] = {}
    outcome: Outcome = await drive(
        port,
        requests,
        count=len(requests),
        seconds=seconds,
        on_answer=lambda number, _d, _a, whole: bodies.__setitem__(number, whole.partition(END_OF_HEAD)[2]),
    )
    outcome.demand_success()
    if len(bodies) != len(requests):
        raise TimeoutError(f"{len(bodies)} of {len(requests)} requests answered in {seconds:g} s")
    return [bodies[number] for number in range(len(requests))]


async def declare_plan(port: int, ground: Ground) -> None:
    """Puts an organisation and the pillars on record through the API."""
    admin, unit = ground.headers(Role.ADMIN), ground.headers()
    body = {"name": "Department A"}
    await answer(port, request("PUT", f"/v1/organizations/{ORGANIZATION}", headers=admin, body=body))
    for rank, pillar in enumerate(PILLARS):
        await answer(
            port,
            request(
                "PUT", f"/v1/pillars/{pillar}", headers=unit, body={"name": pillar.title(), "rank": rank}
            ),
        )


def ids_of(bodies: Sequence[bytes]) -> list[str]:
    """The ids in the answers to some registrations."""
    return [json.loads(body)["id"] for body in bodies]


def with_headers(headers: Mapping[str, str], **more: str) -> dict[str, str]:
    """Headers and some more, underscores standing for hyphens."""
    return dict(headers) | {name.replace("_", "-"): value for name, value in more.items()}
