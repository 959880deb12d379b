"""What version 1 wrote is opened, brought up to date and found sound; services of version 1 go on beside it."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from shared.eventlog import codec, migrations
from shared.eventlog.open import open_store
from shared.eventlog.store import LIMITS, REVISION, DuplicateKey, FollowerOvertaken, LogNotReady
from shared.eventlog.verification import verify
from tests.support.ledger import NOON, changes, event, run_sql, wrote
from tests.support.log_process import Child
from tests.support.version_one import EVENTS, FOLLOWER, KEYS, lay_out

NEVER = NOON.replace(year=9000)


def test_a_log_of_version_one_is_migrated_and_sound_and_goes_on(log_url: str) -> None:
    lay_out(log_url)
    with closing(open_store(log_url)) as store:
        before = store.read(0, 1_000)
        with pytest.raises(LogNotReady):
            store.check_ready()
        store.migrate()
        store.check_ready()
        report = verify(store)
        assert (report.events, report.faults, report.unknown_types) == (EVENTS, [], {})
        assert store.read(0, 1_000) == before
        assert store.followers() == dict([FOLLOWER])
        assert store.append([changes(key=b"new")], NOON)[0].first == EVENTS + 1
        assert verify(store).sound


def test_the_keys_of_version_one_are_remembered(log_url: str) -> None:
    lay_out(log_url)
    with closing(open_store(log_url)) as store:
        store.migrate()
        hashes = [row[0] for row in run_sql(log_url, "SELECT key_hash FROM idempotency_keys")]
        assert len(hashes) == KEYS
        found = store.find_key(hashes[0])
        assert found is not None
        assert store.position_of(found.stream_id, found.version) is not None
        with pytest.raises(DuplicateKey):
            store.append([changes(key=hashes[0])], NOON)
        assert store.prune_keys(NOON, 1_000) == 0


class SQLiteOfVersionOne:
    """The statements with which version 1 writes into a file."""

    def __init__(self, url: str) -> None:
        self.connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        self.conflict = sqlite3.IntegrityError

    def append(self, key: bytes, follower: int) -> None:
        new = event(wrote("by version 1"))
        with self.connection:
            self.connection.execute("BEGIN IMMEDIATE")
            (head,) = self.connection.execute("SELECT max(rowid) FROM stored_events").fetchone()
            self.connection.execute(
                "INSERT INTO stored_events (rowid, originator_id, originator_version, topic, state, recorded_at) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (
                    head + 1,
                    new.stream_id.hex,
                    1,
                    new.data.TYPE,
                    codec.stamp(codec.encode(new), head + 1, NEVER),
                    codec.instant_text(NEVER),
                ),
            )
            self.connection.execute(
                "INSERT INTO idempotency_keys VALUES (?, ?, ?, ?)", (key, b"same", new.stream_id.hex, 1)
            )
            moved = self.connection.execute(
                "INSERT INTO followers VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET position = excluded.position "
                "WHERE followers.position < excluded.position RETURNING position",
                (FOLLOWER[0], follower),
            ).fetchone()
            assert moved is not None

    def close(self) -> None:
        self.connection.close()


class PostgresOfVersionOne:
    """The call with which version 1 writes into a database."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)
        self.conflict = psycopg.errors.UniqueViolation

    def append(self, key: bytes, follower: int) -> None:
        new = event(wrote("by version 1"))
        self.connection.execute(
            "SELECT head, moment FROM public.bitacora_append(%b::uuid[], %b::bigint[], %b::text[], %b::bytea[], "
            "%s::timestamptz, %b::bytea[], %b::bytea[], %b::uuid[], %b::bigint[], %b::text[], %b::bigint[], "
            "%b::text[], %b::bigint[], %b::bigint[], %s::boolean)",
            (
                *([new.stream_id], [1], [new.data.TYPE], [codec.encode(new)], NOON),
                *([key], [b"same"], [new.stream_id], [1], [FOLLOWER[0]], [follower], [], [], [], True),
            ),
        )

    def close(self) -> None:
        self.connection.close()


def test_services_of_version_one_go_on_writing_into_a_migrated_log(log_url: str) -> None:
    lay_out(log_url)
    old = (SQLiteOfVersionOne if log_url.startswith("sqlite") else PostgresOfVersionOne)(log_url)
    limits = LIMITS._replace(clock=(NEVER - NOON).total_seconds())
    with closing(open_store(log_url, limits)) as store, closing(old):
        store.migrate()
        old.append(b"old key", FOLLOWER[1] + 1)
        with pytest.raises(old.conflict, match="idempotency_keys"):
            old.append(b"old key", FOLLOWER[1] + 2)
        store.append([changes(key=b"new key", follower=(FOLLOWER[0], FOLLOWER[1] + 3))], NOON)
        with pytest.raises(old.conflict, match="idempotency_keys"):
            old.append(b"new key", FOLLOWER[1] + 4)
        with pytest.raises(DuplicateKey):
            store.append([changes(key=b"old key")], NOON)
        with pytest.raises(FollowerOvertaken):
            store.append([changes(follower=(FOLLOWER[0], FOLLOWER[1] + 3))], NOON)
        assert verify(store).sound
        assert store.head() == EVENTS + 2


def test_many_processes_may_migrate_a_log_of_version_one_at_once(log_url: str) -> None:
    lay_out(log_url)
    with ExitStack() as stack:
        children = [stack.enter_context(Child("make tables", log_url)) for _ in range(8)]
        for child in children:
            child.say(log_url)
        for child in children:
            child.ready()
        for child in children:
            child.say()
        assert [child.hear() for child in children] == ["made"] * 8
    with closing(open_store(log_url)) as store:
        assert verify(store).events == EVENTS


def test_a_log_at_an_older_revision_is_not_ready_and_at_a_newer_one_it_is(log_url: str) -> None:
    with closing(open_store(log_url)) as store:
        store.migrate()
        run_sql(log_url, "UPDATE log_version SET version_num = '0001'")
        with pytest.raises(LogNotReady):
            store.check_ready()
        run_sql(log_url, "UPDATE log_version SET version_num = '9999'")
        store.check_ready()
        store.migrate()


def test_the_revision_that_is_asked_for_is_the_newest_there_is() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == REVISION
