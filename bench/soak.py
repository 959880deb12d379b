"""Hours of mixed load with faults: does what a process holds, or what the disk holds, grow with time?

    .venv/bin/python -m bench.soak [--minutes 60] [--every 20]

Two processes of each service and of the worker, each as its own role, on a durable PostgreSQL that is started for the
run. Clients write and read without a break and keep a ledger of what they were told (`tests/ops/clients.py`). Meanwhile
the second process of a kind is killed and started again, or the server is stopped, or killed. The first process of each
kind lives through it all: its memory is what is measured. In the end the ledger is held against the log, and the read
model too.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import linear_regression
from types import FrameType
from typing import Annotated, NamedTuple

import psutil
import psycopg
import typer
from rich.console import Console
from rich.table import Table

from tests.ops.clients import Clients
from tests.ops.fleet import AFTER, Fleet, Member
from tests.ops.programs import OpsFailed, ports_from, until
from tests.support.deployment import ROOT
from tests.support.postgres import PostgresServer, new_home

SAMPLE = 5.0
"""Seconds between two looks at memory and disk."""
WARM = 0.4
"""The part of the run after which growth is looked at: caches fill first."""
TRUE_WITHIN = 2.5
MEGA = 1_000_000


class Sample(NamedTuple):
    """What was held at a moment: seconds since the beginning, events, megabytes of each process and on the disk."""

    at: float
    events: int
    memory: dict[str, float]
    disk: dict[str, float]


class Soak:
    """One run."""

    def __init__(self, folder: Path, server: PostgresServer, first_port: int) -> None:
        self.server = server
        (folder / "data").mkdir()
        (folder / "logs").mkdir()
        self.fleet = Fleet(self.url, ports_from(first_port), folder / "data", folder / "logs")
        self.clients = Clients(self.fleet)
        self.rng = random.Random(9)
        self.samples: list[Sample] = []
        self.faults: dict[str, int] = {}
        self._began = time.monotonic()

    def url(self, role: str) -> str:
        """Where the record is, for a role."""
        return f"postgresql://{role}@127.0.0.1:{self.server.port}/bitacora"

    def begin(self) -> None:
        """The database with its roles, all processes, and clients at work."""
        with psycopg.connect(self.server.url, autocommit=True) as session:
            session.execute("CREATE DATABASE bitacora")
        passwords = {f"{role}_PASSWORD": "x" for role in ("OWNER", "WRITER", "REPORTING")}
        made = self.server.psql("bitacora", ROOT / "deploy/postgres/roles.sql", passwords)
        if made.returncode:
            raise OpsFailed(made.stdout)
        self.fleet.migrate()
        self.fleet.start()
        self.clients.start()
        self._began = time.monotonic()

    def run(self, minutes: float, every: float, say: Callable[[str], None]) -> None:
        """Keep on until the time is up: a fault now and then, and a look at what is held."""
        faults = (self._kill_one, self._stop_server, self._kill_one, self._kill_server)
        fault_at, told_at = every, 0.0
        while (now := time.monotonic() - self._began) < minutes * 60:
            self.samples.append(self._sample(now))
            self.clients.must_be_content()
            if now >= fault_at:
                faults[sum(self.faults.values()) % len(faults)]()
                fault_at = time.monotonic() - self._began + every
            if now >= told_at:
                held = sum(self.samples[-1].memory.values())
                say(
                    f"{now / 60:5.1f} min: {self.samples[-1].events} events, {held:.0f} MB in processes; {self.faults}"
                )
                told_at = now + 60
            time.sleep(SAMPLE)

    def finish(self) -> dict[str, object]:
        """End the load, and hold everything against the ledger; the figures."""
        self.fleet.wait_ready()
        self.clients.wait_writes(time.monotonic())
        self.clients.stop()
        self.samples.append(self._sample(time.monotonic() - self._began))
        self.fleet.must_run()
        self.clients.check(self.url("bitacora_writer"))
        self.fleet.verify()
        first, last = self.samples[0], self.samples[-1]
        grown = (last.disk["database"] - first.disk["database"]) * MEGA / (last.events - first.events)
        return {
            "minutes": round(last.at / 60, 1),
            "events": last.events,
            "requests": sum(map(len, self.clients.requests.values())),
            "faults": self.faults,
            "bytes of the database per event, read model included": round(grown),
            "readiness not true": len(self.clients.untrue(TRUE_WITHIN)),
            "seconds until a write was on the board, at most": round(self.clients.latest_on_board, 1),
        }

    def growth(self) -> dict[str, tuple[float, float, float, float]]:
        """Of each thing that is held: megabytes at first, when warm and at last; and its growth an hour since warm."""
        warm = next(i for i, one in enumerate(self.samples) if one.at >= WARM * self.samples[-1].at)
        found = {}
        for name in (*self.samples[0].memory, *self.samples[0].disk):
            line = [(one.at / 3600, (one.memory | one.disk)[name]) for one in self.samples]
            since = line[warm:]
            slope = linear_regression([at for at, _ in since], [held for _, held in since]).slope
            found[name] = (line[0][1], line[warm][1], line[-1][1], slope)
        return found

    # --- faults ----------------------------------------------------------------------------------------------------

    def _kill_one(self) -> None:
        kind = self.rng.choice(sorted({member.kind for member in self.fleet.members}))
        member = self.fleet.of(kind)[1]
        member.program.kill()
        time.sleep(AFTER)
        member.program.start()
        until(f"{member.name} is back", lambda: member.readiness() == 200)
        self._count(f"{kind} killed")

    def _stop_server(self) -> None:
        self.server.stop()
        time.sleep(self.rng.uniform(0.5, 3))
        self.server.start()
        self._count("server stopped")

    def _kill_server(self) -> None:
        self.server.kill()
        time.sleep(self.rng.uniform(0.5, 3))
        self.server.start()
        self._count("server killed")

    def _count(self, fault: str) -> None:
        self.faults[fault] = self.faults.get(fault, 0) + 1

    # --- what is held ----------------------------------------------------------------------------------------------

    def _sample(self, at: float) -> Sample:
        with psycopg.connect(self.url("bitacora_writer"), autocommit=True) as session:
            row = session.execute(
                "SELECT coalesce(max(notification_id), 0), pg_database_size(current_database()),"
                " pg_total_relation_size('stored_events') FROM stored_events"
            ).fetchone()
        assert row is not None
        events, database, log = row
        wal = sum(one.stat().st_size for one in (self.server.data / "pg_wal").glob("0*"))
        disk = {"database": database / MEGA, "log in it": log / MEGA, "WAL": wal / MEGA}
        return Sample(
            at, events, {one.name: _megabytes(one) for one in self.fleet.members if _lives(one)}, disk
        )


def _lives(member: Member) -> bool:
    """Whether it is never killed."""
    return member.name.endswith("-1")


def _megabytes(member: Member) -> float:
    pid = member.program.pid
    assert pid is not None
    return float(psutil.Process(pid).memory_info().rss) / MEGA


def out_of_time(_signal: int, _frame: FrameType | None) -> None:
    """Somebody wants it to end, or it lasts too long."""
    raise OpsFailed("stopped")


def main(
    minutes: Annotated[float, typer.Option(min=0.5, max=600, help="How long the load lasts.")] = 60,
    every: Annotated[float, typer.Option(min=5, help="Seconds between two faults.")] = 20,
    first_port: Annotated[
        int, typer.Option(help="The first of eight ports; those in use are passed over.")
    ] = 8200,
) -> None:
    """Load with faults; report what grew. Status 1 when something acknowledged is missing or doubled."""
    for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, out_of_time)
    signal.alarm(round(minutes * 60 + 600))
    console = Console(width=120)
    folder = Path(tempfile.mkdtemp(prefix="bitacora-soak-"))
    server = PostgresServer(new_home(), owner=os.getpid())
    server.start()
    soak = Soak(folder, server, first_port)
    try:
        soak.begin()
        soak.run(minutes, every, console.print)
        figures = soak.finish()
    except OpsFailed as failure:
        console.print(f"FAILED: {failure}", markup=False, highlight=False)
        raise typer.Exit(1) from failure
    finally:
        signal.alarm(0)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        soak.clients.give_up()
        for member in soak.fleet.members:
            member.program.kill()
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)
    table = Table("MB of", "at first", "warm", "at last", "MB an hour since warm")
    for name, values in soak.growth().items():
        table.add_row(name, *(f"{value:.1f}" for value in values))
    console.print(table)
    console.print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    typer.run(main)
