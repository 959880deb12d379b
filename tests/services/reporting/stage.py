"""A log and a read model to try reporting on: events are written straight into the log, the real worker follows it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from services.reporting.datasets import DATASETS, Schema
from services.reporting.follow import Worker
from services.reporting.generations import open_read_model
from services.reporting.generations.interface import ReadModel
from services.reporting.queries.access import Scope, scope_of
from services.reporting.reading import Reading
from services.reporting.rebuild import build_missing, rebuild
from shared.clock import Clock
from shared.eventlog.envelope import NewEvent
from shared.eventlog.open import open_store
from shared.eventlog.store import Appended, Changes, Store
from shared.events.facts import Event
from shared.events.streams import stream_of
from shared.events.texts import folded_code
from shared.identity.actor import Actor, Role
from tests.support.ledger import run_sql

IDLE = 0.05
"""Seconds between two looks of a worker at whether it should stop: tests stop many of them."""
SCHEMA = Schema(Clock().zone.key)
ACTOR = Actor(subject="u-9", organization="DCI", role=Role.DCI)
EVERYTHING = scope_of(ACTOR)
PUBLIC = scope_of(None)


def ministry(code: str) -> Scope:
    """What somebody of a ministry may read."""
    return scope_of(Actor(subject="u-8", organization=code, role=Role.MINISTRY))


def read_model_url(log_url: str) -> str:
    """Where the read model of a log is by default."""
    if log_url.startswith("sqlite:///"):
        return f"sqlite:///{Path(log_url.removeprefix('sqlite:///')).parent / 'reporting'}"
    return log_url


class Stage:
    """An empty log and its read model, with a worker that can be started and stopped."""

    def __init__(self, log_url: str) -> None:
        self.log_url = log_url
        self.store: Store = open_store(log_url)
        self.store.migrate()
        self.read_model: ReadModel = open_read_model(read_model_url(log_url), SCHEMA)
        build_missing(self.store, self.read_model, Clock())
        self._versions: dict[UUID, int] = {}
        self.failure: Exception | None = None
        self._running: list[tuple[Worker, threading.Thread]] = []

    def on_record(self, kind: str, *codes: str) -> None:
        """Let there be things by these codes, of which the log tells nothing else."""
        for code in codes:
            run_sql(
                self.log_url,
                f"INSERT INTO codes (kind, folded, code) VALUES ('{kind}', '{folded_code(code)}', '{code}')",  # noqa: S608
            )

    def append(
        self, *events: tuple[str, Event], kind: str = "commitment", now: datetime | None = None
    ) -> Appended:
        """Write events, each given with the code of its stream, in one batch."""
        return self.append_new([self.next(code, event, kind=kind) for code, event in events], now=now)

    def next(self, code: str, event: Event, *, kind: str = "commitment") -> NewEvent:
        """The next event of a stream.

        By its nonce it is the event of another log that tells of the same thing there, perhaps without some words.
        """
        stream = stream_of(kind, code)
        version = self._versions[stream] = self._versions.get(stream, 0) + 1
        which = f"{sum(self._versions.values())} {stream} {type(event).__name__}"
        return NewEvent(
            stream_id=stream,
            version=version,
            recorded_by=ACTOR,
            correlation_id="c-1",
            data=event,
            nonce=blake2b(which.encode(), digest_size=16).hexdigest(),
        )

    def append_new(self, events: Sequence[NewEvent], now: datetime | None = None) -> Appended:
        """Write events in one batch."""
        return self.store.append([Changes(events=events)], now or datetime.now(UTC))[0]

    def start_worker(self, capacity: int = 1000) -> Worker:
        """Let a worker follow in a thread."""
        worker = Worker(self.store, self.read_model, Clock(), capacity=capacity, idle=IDLE)
        thread = threading.Thread(target=self._run, args=(worker,))
        thread.start()
        self._running.append((worker, thread))
        return worker

    def _run(self, worker: Worker) -> None:
        try:
            worker.run()
        except Exception as error:
            self.failure = error
            raise

    def stop_workers(self) -> None:
        """Stop every worker."""
        for worker, _ in self._running:
            worker.stop()
        for _, thread in self._running:
            thread.join(20)
            assert not thread.is_alive()
        self._running.clear()

    def wait(self, position: int | None = None, timeout: float = 60) -> int:
        """Wait until the read model has reached a position, by default the end of the log, as long as it moves."""
        wanted = self.store.head() if position is None else position
        before, deadline = -1, 0.0
        while (reached := self.reached()) < wanted:
            if self.failure is not None:
                raise AssertionError("the worker has failed") from self.failure
            if reached > before:
                before, deadline = reached, time.monotonic() + timeout
            assert time.monotonic() < deadline, f"the read model is at {reached} and not at {wanted}"
            time.sleep(0.003)
        return reached

    def reading(self) -> Reading:
        """How the read model is: where it is, and what keeps it from going on."""
        with self.read_model.reading() as reading:
            return reading

    def reached(self) -> int:
        """How far the read model has followed the log."""
        return self.reading().position

    def follow(self) -> None:
        """Let a worker of its own bring the read model to the end of the log."""
        self.start_worker()
        try:
            self.wait()
        finally:
            self.stop_workers()

    def rebuild(self) -> int:
        """Build the read model anew."""
        return rebuild(self.store, self.read_model, Clock(), grace=0)

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything in the live generation, in a fixed order."""
        return rows_of(self.read_model)

    def close(self) -> None:
        """Stop everything."""
        self.stop_workers()
        self.read_model.close()
        self.store.close()


def rows_of(read_model: ReadModel) -> dict[str, list[tuple[Any, ...]]]:
    """Everything in the live generation of a read model, in a fixed order."""
    with read_model.reading() as reading:
        return {
            one.name: sorted((tuple(row) for row in reading.connection.execute(select(one.table))), key=repr)
            for one in DATASETS
        }


@contextmanager
def staged(log_url: str) -> Iterator[Stage]:
    """A stage over an empty log."""
    stage = Stage(log_url)
    try:
        yield stage
    finally:
        stage.close()
