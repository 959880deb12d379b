"""A log that went back, or is another, is found out by the append itself; so is a clock that runs ahead."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from shared.eventlog import codec
from shared.eventlog.envelope import BEGINNING, Bookmark, FollowerPosition
from shared.eventlog.open import open_store
from shared.eventlog.store import (
    LIMITS,
    Appended,
    Changes,
    ClockAhead,
    LogAhead,
    LogWentBack,
    Store,
    position_at,
)
from shared.eventlog.verification import verify
from tests.support.ledger import NOON, changes, event, run_sql, wrote

Append = Callable[[Changes, Bookmark], Appended]


@pytest.fixture
def log_url(store: tuple[Store, str]) -> str:
    """The log of this module's tests, empty."""
    for table in ("stored_events", "codes", "followers", "follower_bookmarks", "dead_letters"):
        run_sql(store[1], f"DELETE FROM {table}")  # noqa: S608 - the names are our own
    return store[1]


@pytest.fixture
def log(log_url: str) -> Iterator[Store]:
    with closing(open_store(log_url)) as opened:
        yield opened


@pytest.fixture(params=["blocking", "event loop"])
def append(log: Store, request: pytest.FixtureRequest) -> Append:
    """An append by somebody who has read the log up to a bookmark, in one of the two ways there are."""

    def blocking(written: Changes, known: Bookmark) -> Appended:
        return log.append([written], NOON, known)[0]

    async def writing(written: Changes, known: Bookmark) -> Appended:
        writer = log.writer()
        try:
            return (await writer.write([written], NOON, known))[0]
        finally:
            await writer.close()

    def on_a_loop(written: Changes, known: Bookmark) -> Appended:
        return asyncio.run(writing(written, known))

    return blocking if request.param == "blocking" else on_a_loop


def test_a_new_event_has_a_nonce_and_an_old_one_goes_by_the_hash_of_its_line(log: Store) -> None:
    log.append([changes(), changes()], NOON)
    first, second = (line for _, line in log.read(0, 2))
    nonce = codec.decode(first, 1).nonce
    assert nonce is not None
    assert len(bytes.fromhex(nonce)) == 16
    assert (codec.identity_of(first), codec.identity_of(second)) == (nonce, codec.decode(second, 2).nonce)
    assert codec.identity_of(first) != codec.identity_of(second)
    old = first.replace(f'"nonce":"{nonce}",'.encode(), b"")
    assert codec.decode(old, 1).nonce is None
    assert codec.identity_of(old) == hashlib.sha256(old).hexdigest()
    assert codec.identity_of(b"no event") == hashlib.sha256(b"no event").hexdigest()


def test_what_was_read_is_there_so_the_append_is_written(log: Store, append: Append, log_url: str) -> None:
    stream = uuid4()
    assert append(changes(event(wrote("one"), 1, stream)), BEGINNING).first == 1
    run_sql(log_url, "UPDATE stored_events SET state = %s", _without_nonce(log.read(0, 1)[0][1]))
    old = log.bookmark()
    assert len(old.identity) == 64
    assert append(changes(event(wrote("two"), 2, stream)), old).first == 2
    log.append([changes()], NOON)
    # Whoever is behind is none the worse for it.
    assert append(changes(event(wrote("three"), 3, stream), event(wrote("four"), 4, stream)), old)[:2] == (
        4,
        5,
    )
    assert verify(log).sound


@pytest.mark.parametrize("several", [False, True], ids=["one event", "several"])
@pytest.mark.parametrize(
    "damage", ["the newest event is gone", "another history of equal length", "a longer one", "empty"]
)
def test_an_append_to_a_log_that_went_back_writes_nothing(
    log: Store, log_url: str, append: Append, damage: str, several: bool
) -> None:
    for _ in range(3):
        log.append([changes()], NOON)
    known = log.bookmark()
    left = 0 if damage == "empty" else 2
    run_sql(log_url, "DELETE FROM stored_events WHERE notification_id > %s", left)
    again = {"another history of equal length": 1, "a longer one": 5}.get(damage, 0)
    for _ in range(again):
        log.append([changes()], NOON)
    held = log.read(0, 10)
    written = changes(event(wrote("on what is gone")), *([event(wrote("and more"))] if several else []))
    with pytest.raises(LogWentBack) as raised:
        append(written, known)
    assert (raised.value.code, raised.value.bookmark) == ("log-went-back", known)
    assert log.read(0, 10) == held
    assert append(written, log.bookmark()).first == len(held) + 1


def test_no_version_is_written_where_the_one_before_is_missing(log: Store, append: Append) -> None:
    log.append([changes()], NOON)
    for written in (
        changes(event(wrote("two"), 2)),
        changes(event(wrote("one")), event(wrote("three"), 3)),
    ):
        with pytest.raises(LogWentBack):
            append(written, log.bookmark())
    assert log.head() == 1


REPLACING = (
    "INSERT OR REPLACE INTO stored_events SELECT rowid, 'another', 1, topic, state, NULL FROM stored_events",
    "REPLACE INTO stored_events SELECT 9, originator_id, originator_version, topic, state, NULL FROM stored_events",
    "REPLACE INTO stored_events SELECT NULL, originator_id, originator_version, 'x', state, NULL FROM stored_events",
    "REPLACE INTO codes VALUES ('commitment', 'a', 'B')",
    "INSERT INTO codes VALUES ('commitment', 'a', 'B') ON CONFLICT (kind, folded) DO UPDATE SET code = excluded.code",
)
"""What SQLite makes a removal and an addition of without asking the triggers of a removal."""


@pytest.mark.parametrize(
    "statements",
    [
        ("UPDATE stored_events SET topic = 'x'", "DELETE FROM stored_events", "TRUNCATE stored_events"),
        ("UPDATE codes SET kind = 'x'", "DELETE FROM codes", "TRUNCATE codes"),
    ],
    ids=["events", "codes"],
)
def test_what_is_on_record_cannot_be_changed_or_removed(
    log: Store, log_url: str, statements: tuple[str, ...]
) -> None:
    log.append([changes()], NOON)
    held = log.read(0, 10)
    if log_url.startswith("sqlite"):
        run_sql(log_url, "INSERT INTO codes VALUES ('commitment', 'a', 'A')")
        with closing(sqlite3.connect(log_url.removeprefix("sqlite:///"), isolation_level=None)) as file:
            for statement in statements[:2]:  # there is no TRUNCATE
                with pytest.raises(sqlite3.IntegrityError, match="never changed or removed"):
                    file.execute(statement)
            for statement in REPLACING:
                with pytest.raises(sqlite3.IntegrityError, match="never changed or removed"):
                    file.execute(statement)
            assert file.execute("SELECT code FROM codes").fetchall() == [("A",)]
    else:
        with psycopg.connect(log_url, autocommit=True) as connection:
            for statement in statements:
                with pytest.raises(psycopg.errors.RestrictViolation, match="never changed or removed"):
                    connection.execute(statement.encode())
    assert log.read(0, 10) == held


def test_a_follower_that_was_moved_in_another_log_begins_anew(log: Store, log_url: str) -> None:
    for _ in range(3):
        log.append([changes()], NOON)
    identity = log.identity_at(3)
    log.append([Changes([event(wrote("done"))], follower=FollowerPosition("policy", 2, identity=None))], NOON)
    log.append([Changes((), follower=FollowerPosition("policy", 3, identity=identity))], NOON)
    log.set_aside(FollowerPosition("policy", 4, identity=log.identity_at(4)), "no reason", NOON)
    assert log.resume("policy") == 4
    run_sql(log_url, "DELETE FROM stored_events WHERE notification_id > 2")
    log.append([changes(), changes()], NOON)
    assert log.follower_position("policy") == 4
    assert log.resume("policy") == 0
    assert (log.followers(), log.dead_letters()) == ({}, [])
    log.append([Changes((), follower=FollowerPosition("policy", 4, identity=log.identity_at(4)))], NOON)
    assert log.resume("policy") == 4
    run_sql(log_url, "DELETE FROM stored_events WHERE notification_id > 3")
    assert log.resume("policy") == 0


def test_a_clock_that_is_ahead_of_the_engine_records_nothing(log: Store) -> None:
    present = datetime.now(UTC)
    log.append([changes()], present + timedelta(seconds=30))
    for written in ([changes()], [changes(key=b"k")], [changes(event(wrote("a")), event(wrote("b")))]):
        with pytest.raises(ClockAhead):
            log.append(written, present + timedelta(days=3))
    with pytest.raises(ClockAhead):
        log.check_clock(present + timedelta(days=3))
    log.check_clock(present)
    (appended,) = log.append([changes()], present + timedelta(seconds=31))
    assert (appended.first, appended.recorded_at) == (2, present + timedelta(seconds=31))


def test_a_log_from_the_future_takes_nothing_until_somebody_bears_it(log: Store, log_url: str) -> None:
    present = datetime.now(UTC)
    with closing(open_store(log_url, LIMITS._replace(clock=4 * 86_400))) as patient:
        patient.append([changes()], present + timedelta(days=3))
        with pytest.raises(LogAhead):
            log.append([changes()], present)
        with pytest.raises(LogAhead):
            log.check_clock(present)
        patient.check_clock(present)
        (appended,) = patient.append([changes()], present)
        assert (appended.first, appended.recorded_at) == (2, present + timedelta(days=3))
        assert position_at(log, present + timedelta(days=2)) == 0
    assert verify(log).sound


def _without_nonce(line: bytes) -> bytes:
    nonce = codec.identity_of(line)
    return line.replace(f'"nonce":"{nonce}",'.encode(), b"")
