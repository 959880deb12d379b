"""Our own processes: two of each, each as the role of PostgreSQL that an installation gives it."""

from __future__ import annotations

import http.client
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.ops.programs import OpsFailed, Program, plain_environment, run, until
from tests.support.deployment import ROOT

SERVICES = ("commitments", "meetings", "reporting")
EACH = 2
AFTER = 2.0
"""Seconds after which what was killed is started again, as the units of `deploy/systemd` say."""


class Member:
    """A process of ours, at one port in all its lives."""

    def __init__(self, name: str, kind: str, program: Program, port: int) -> None:
        self.name = name
        self.kind = kind
        self.program = program
        self.port = port

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def readiness(self) -> int | None:
        """The status of its readiness; None where nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", "/health/ready" if self.kind != "worker" else "/metrics")
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()


class Fleet:
    """All processes of an installation; `url` is where the record is for a role of PostgreSQL."""

    def __init__(self, url: Callable[[str], str], ports: Iterator[int], folder: Path, logs: Path) -> None:
        self.folder = folder
        self._settings = plain_environment() | {
            "PYTHONPATH": str(ROOT),
            "BITACORA_DATA_DIR": str(folder),
            "BITACORA_ACCESS_LOG": "false",
            "BITACORA_LOG_LEVEL": "warning",
        }
        writer, reader = url("bitacora_writer"), url("bitacora_reporting")
        self.members: list[Member] = []
        for kind in (*SERVICES, "worker"):
            module = f"services.{kind}" if kind in SERVICES else "services.reporting.follow"
            for number in range(EACH):
                port = next(ports)
                settings = self._settings | {
                    "BITACORA_LOG_URL": reader if kind == "worker" else writer,
                    "BITACORA_READ_MODEL_URL": reader,
                    "BITACORA_METRICS_PORT" if kind == "worker" else "BITACORA_PORT": str(port),
                }
                name = f"{kind}-{number + 1}"
                program = Program([sys.executable, "-m", module], settings, logs / f"{name}.log")
                self.members.append(Member(name, kind, program, port))
        self._owner = self._settings | {
            "BITACORA_LOG_URL": url("bitacora_owner"),
            "BITACORA_READ_MODEL_URL": reader,
        }
        self._seen_by_reader = self._settings | {"BITACORA_LOG_URL": reader}

    def of(self, kind: str) -> list[Member]:
        """The processes of a kind."""
        return [member for member in self.members if member.kind == kind]

    def migrate(self) -> None:
        """The tables, the rights on them, and the read model."""
        grants = ("--writers=bitacora_writer", "--readers=bitacora_reporting")
        run([sys.executable, "-m", "services.cli", "migrate", *grants], self._owner)

    def verify(self) -> None:
        """What an operator does every night: the log is sound, and the read model says what it says."""
        run([sys.executable, "-m", "services.cli", "verify", "--read-model"], self._seen_by_reader)

    def start(self) -> None:
        """Start all, and return when all are ready."""
        for member in self.members:
            member.program.start()
        self.wait_ready()

    def wait_ready(self, seconds: float = 120) -> float:
        """Wait until all are ready; the seconds it took."""
        began = time.monotonic()
        for member in self.members:
            until(f"{member.name} is ready", lambda member=member: member.readiness() == 200, seconds)  # type: ignore[misc]
        return time.monotonic() - began

    def kill_one(self, rng: random.Random) -> Member:
        """SIGKILL to one of them, which is started again after a moment."""
        member = rng.choice(self.members)
        self.must_run()
        member.program.kill()
        time.sleep(AFTER)
        member.program.start()
        until(f"{member.name} is back", lambda: member.readiness() == 200)
        return member

    def must_run(self) -> None:
        """OpsFailed when one of them has ended by itself."""
        for member in self.members:
            if not member.program.runs:
                raise OpsFailed(f"{member.name} ended by itself: {member.program.last_words()}")

    def stop(self) -> None:
        """Ask all of them to end, together."""
        for member in self.members:
            member.program.ask_to_end()
        for member in self.members:
            member.program.stop()
