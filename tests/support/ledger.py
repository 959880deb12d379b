"""A small kind of thing to record: a ledger that keeps every text written into it, in order."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg

from shared.aggregate.aggregate import Aggregate, Entry, evolves
from shared.aggregate.command import Command, KeyUse
from shared.aggregate.repository import CACHE, Repository
from shared.clock import Clock, utc_now
from shared.eventlog.envelope import FollowerPosition, NewEvent, Recorded
from shared.eventlog.live import LiveLog
from shared.eventlog.open import open_store
from shared.eventlog.postgres import APPEND_LOCK
from shared.eventlog.store import LIMITS, Changes, IdempotencyRecord, Limits, Store
from shared.events.commitments import Commented, Registered
from shared.events.facts import Event
from shared.identity.actor import Actor, Role

ACTOR = Actor(subject="u-17", organization="DCI", role=Role.DCI)
DAY = date(2011, 5, 21)
NOON = datetime(2011, 5, 21, 12, tzinfo=UTC)


class Ledger(Aggregate):
    """All that was ever written into it."""

    __slots__ = ("texts",)

    BEGINS_WITH = (Registered,)

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded)
        self.texts: list[str] = []

    def apply(self, recorded: Recorded) -> None:
        """Take in one event, exactly the next one."""
        assert recorded.version == self.version + 1, "the fold skipped or repeated an event"
        super().apply(recorded)

    @evolves(Commented)
    def _wrote(self, entry: Entry[Commented]) -> None:
        self.texts.append(entry.event.text)


def opened(code: str | None = None) -> Registered:
    """The event that begins a ledger, under a code of its own unless one is given."""
    return Registered(code=code or f"L-{uuid4()}", title="Ledger", lead_organization="DCI", effective_on=DAY)


def wrote(text: str) -> Commented:
    """The event that writes one text."""
    return Commented(text=text, effective_on=DAY)


def event(data: Event, version: int = 1, stream_id: UUID | None = None) -> NewEvent:
    """An event on its way into the log, in a stream of its own unless one is named."""
    return NewEvent(
        stream_id=stream_id or uuid4(),
        version=version,
        recorded_by=ACTOR,
        correlation_id="test",
        data=data,
    )


def changes(*events: NewEvent, key: bytes | None = None, follower: tuple[str, int] | None = None) -> Changes:
    """What one request writes; without events named, one text in a stream of its own."""
    written = events or (event(wrote("something")),)
    record = IdempotencyRecord(key, b"same", written[0].stream_id, written[-1].version) if key else None
    return Changes(written, record, FollowerPosition(*follower) if follower else None)


def command(
    *expected: int, key: str | None = None, follower: tuple[str, int] | None = None, fingerprint: str = "same"
) -> Command:
    """A command of the test's actor, decided on one of the `expected` versions (on any when none is given)."""
    return Command(
        actor=ACTOR,
        correlation_id="test",
        expected=frozenset(expected) or None,
        key=KeyUse(key.encode(), fingerprint.encode()) if key else None,
        follower=FollowerPosition(*follower) if follower else None,
    )


def writing(*texts: str) -> Callable[[Ledger], Sequence[Event]]:
    """The decision to write these texts, whatever the ledger holds."""
    return lambda ledger: [wrote(text) for text in texts]


class SettableClock:
    """A clock that goes only where it is put."""

    def __init__(self, now: datetime = NOON) -> None:
        self.instant = now

    def __call__(self) -> datetime:
        """The instant it was put to."""
        return self.instant

    def move(self, seconds: float) -> None:
        """Forwards, or backwards when negative."""
        self.instant += timedelta(seconds=seconds)


class Process:
    """What one process holds of the log."""

    def __init__(self, store: Store, live: LiveLog, ledgers: Repository[Ledger]) -> None:
        self.store = store
        self.live = live
        self.ledgers = ledgers

    async def write(self, stream_id: UUID, *texts: str) -> None:
        """Write texts into a ledger whatever its version."""
        await self.ledgers.change(stream_id, writing(*texts), command())

    async def open(self, code: str | None = None) -> UUID:
        """Begin a new ledger."""
        stream_id = uuid4()
        await self.ledgers.create(stream_id, lambda: [opened(code)], command())
        return stream_id

    def in_memory(self, stream_ids: Iterable[UUID]) -> int:
        """How many of these ledgers are in memory, or on their way there."""
        return sum(map(self.ledgers.wants, stream_ids))

    async def texts(self, stream_id: UUID) -> list[str]:
        """What the cache says is in a ledger."""
        ledger = await self.ledgers.get(stream_id)
        assert ledger is not None
        return list(ledger.texts)


@asynccontextmanager
async def process(
    url: str,
    *,
    cache: int = CACHE,
    now: Callable[[], datetime] = utc_now,
    start: bool = True,
    limits: Limits = LIMITS,
) -> AsyncIterator[Process]:
    """A store, a live log over it and its ledgers, as a service process would have them."""
    store = open_store(url, limits)
    store.migrate()
    live = LiveLog(store, Clock(now=now))
    ledgers = Repository(live, Ledger, "ledger", cache=cache)
    try:
        if start:
            await live.start()
        yield Process(store, live, ledgers)
    finally:
        if start:
            await live.stop()
        store.close()


async def until(condition: Callable[[], object], seconds: float = 15) -> None:
    """Give the loop its turns until something is so; fails the test when it never is."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        await asyncio.sleep(0.005)


@contextmanager
def append_lock_held(url: str) -> Iterator[None]:
    """A session that took the lock of an append and does not go on."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as file:
            file.execute("BEGIN IMMEDIATE")
            yield
        return
    with psycopg.connect(url) as session:
        session.execute(APPEND_LOCK)
        yield


def run_sql(url: str, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """A statement past the store, as only somebody who tampers with the log would run it; `%s` marks a value.

    What keeps rows from being changed or removed is out of force for as long as it takes.
    """
    tampers = statement.startswith(("UPDATE", "DELETE", "TRUNCATE"))
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as file:
            triggers = []
            if tampers:
                file.execute("BEGIN IMMEDIATE")
                triggers = file.execute(
                    "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%never%'"
                ).fetchall()
            for name, _ in triggers:
                file.execute(f"DROP TRIGGER {name}")
            rows = file.execute(
                statement.replace("%s", "?").replace("notification_id", "rowid"),
                [value.hex if isinstance(value, UUID) else value for value in values],
            ).fetchall()
            for _, trigger in triggers:
                file.execute(trigger)
            if tampers:
                file.execute("COMMIT")
            return rows
    with psycopg.connect(url, autocommit=True) as connection:
        if tampers:
            connection.execute("SET session_replication_role = replica")
        cursor = connection.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []
