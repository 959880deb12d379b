"""Nobody waits for the log without end: who cannot be served is told so within the limit, and served again later."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent
from psycopg import sql

from shared.clock import Clock
from shared.errors import Unavailable
from shared.eventlog import live as live_module
from shared.eventlog.live import LiveLog
from shared.eventlog.open import open_store
from shared.eventlog.postgres import POOL_SIZE
from shared.eventlog.sqlite import SQLiteStore, SQLiteWaiter
from shared.eventlog.store import DuplicateKey, Limits, Store
from shared.events.commitments import Commented
from shared.identity.actor import Role
from shared.postgres import is_gone
from tests.services.commitments.installation import Installation
from tests.support.ledger import NOON, append_lock_held, changes, event, process, run_sql, until, wrote

SHORT = Limits(lock=0.2, statement=2, connect=2)


async def test_while_a_session_holds_the_append_lock_a_post_is_answered_503_and_readiness_is_red(
    log_url: str, tmp_path: Path
) -> None:
    body = {"name": "Department A"}
    service = Installation(tmp_path, log_url, log_lock_seconds=0.2)
    async with service.running() as installed:
        with append_lock_held(log_url):
            answer = await installed.ask("PUT", "/v1/organizations/A", body, role=Role.ADMIN)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
            ready = await installed.http.get("/health/ready")
            assert ready.status_code == 503
            assert ready.json()["checks"]["log"]["reason"] == "log-unavailable"
            assert (await installed.ask("GET", "/v1/pillars")).status_code == 200
        assert (await installed.http.get("/health/ready")).status_code == 200
        await installed.told("PUT", "/v1/organizations/A", body, role=Role.ADMIN)


async def test_an_append_behind_a_lock_ends_in_time_and_those_who_wait_behind_it_too(
    postgres_url: str,
) -> None:
    async with process(postgres_url, limits=SHORT) as one:
        with append_lock_held(postgres_url):
            answers = await asyncio.gather(
                *(one.live.append(changes()) for _ in range(5)), return_exceptions=True
            )
            assert [type(answer) for answer in answers] == [Unavailable] * 5
            with pytest.raises(Unavailable):
                one.store.append([changes()], NOON)
            with pytest.raises(Unavailable):
                await one.live.readiness()
        assert (await one.live.append(changes())).first == 1
        assert "position 1" in await one.live.readiness()


async def test_a_server_that_has_become_read_only_is_told_of_and_left(
    postgres_url: str, postgres_server: str
) -> None:
    database = str(psycopg.conninfo.conninfo_to_dict(postgres_url)["dbname"])
    name = sql.Identifier(database)
    async with process(postgres_url, limits=SHORT) as one:
        await one.live.append(changes())
        # As after a failover: the sessions go on, and what they are connected to takes no writes.
        with psycopg.connect(postgres_server, autocommit=True) as admin:
            admin.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database]
            )
            for _ in range(2):
                with pytest.raises(Unavailable):
                    await one.live.append(changes())
                with pytest.raises(Unavailable):
                    await one.live.readiness()
            admin.execute(sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(name))
        assert (await one.live.append(changes())).first == 2
        # Connections made in between still take no writes: each look that finds one gives it up.
        for _ in range(POOL_SIZE):
            with contextlib.suppress(Unavailable):
                await one.live.readiness()
        await one.live.readiness()


async def test_a_connection_is_given_up_when_its_server_ended_it_and_not_because_many_files_are_open(
    postgres_url: str, postgres_server: str
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2048)), hard))
    with contextlib.ExitStack() as held:
        held.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        descriptor = 0
        while descriptor < 1023:
            descriptor = os.open(os.devnull, os.O_RDONLY)
            held.callback(os.close, descriptor)
        with (
            psycopg.connect(postgres_url) as connection,
            psycopg.connect(postgres_server, autocommit=True) as admin,
        ):
            assert connection.fileno() > 1023
            assert not is_gone(connection)
            admin.execute("SELECT pg_terminate_backend(%s, 60000)", [connection.info.backend_pid])
            await until(lambda: is_gone(connection))


class Deaf(SQLiteStore):
    """A log from which this process never hears what others write."""

    def waiter(self, poll: float) -> SQLiteWaiter:
        class Waiter(SQLiteWaiter):
            def lines(self, after: int, limit: int, timeout: float) -> list[tuple[int, bytes]]:
                self._woken.wait(timeout)
                return []

        return Waiter(self, poll)


async def test_what_is_written_is_acknowledged_though_an_earlier_event_of_another_process_is_not_read_yet(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "PATIENCE", 0.1)
    heard: list[int] = []
    async with process(sqlite_url) as other:
        store = Deaf(sqlite_url.removeprefix("sqlite:///"))
        live = LiveLog(store, Clock())
        live.subscribe([Commented], lambda recorded: heard.append(recorded.position), forget=lambda: None)
        with closing(store):
            await live.start()
            try:
                await other.live.append(changes())
                appended = await live.append(changes())
            finally:
                await live.stop()
    assert appended.first == 2
    assert heard == []


def made_long_ago(store: Store, url: str) -> None:
    """Let every idempotency key be of the test's noon."""
    run_sql(url, f"UPDATE {store.KEYS} SET created_at = '2011-05-21T12:00:00.000000Z'")  # noqa: S608


def test_an_idempotency_key_is_forgotten_when_its_time_has_passed_and_not_before(log_url: str) -> None:
    with closing(open_store(log_url, Limits(idempotency=timedelta(days=2)))) as store:
        store.migrate()
        for number in range(5):
            store.append([changes(key=b"%d" % number)], NOON)
        made_long_ago(store, log_url)
        assert store.prune_keys(NOON + timedelta(days=2), 10) == 0
        with pytest.raises(DuplicateKey):
            store.append([changes(key=b"0")], NOON)
        later = NOON + timedelta(days=2, seconds=1)
        assert [store.prune_keys(later, 3) for _ in range(3)] == [3, 2, 0]
        assert store.find_key(b"0") is None
        store.append([changes(key=b"0")], NOON)


async def test_a_process_that_writes_forgets_old_keys_as_it_goes(log_url: str) -> None:
    async with process(log_url) as one:
        await one.live.append(changes(key=b"old"))
        made_long_ago(one.store, log_url)
    async with process(log_url) as another:
        await another.live.append(changes(key=b"new"))
        await until(lambda: another.store.find_key(b"old") is None)
        assert another.store.find_key(b"new") is not None


def test_a_page_of_a_stream_reads_only_that_page(log_url: str) -> None:
    stream = uuid4()
    with closing(open_store(log_url)) as store:
        store.migrate()
        for version in range(1, 9):
            store.append([changes(event(wrote(str(version)), version, stream)), changes()], NOON)

        def positions(*asked: object, **more: int) -> list[int]:
            return [position for position, _ in store.read_stream(stream, *asked, **more)]  # type: ignore[arg-type]

        assert positions() == [1, 3, 5, 7, 9, 11, 13, 15]
        assert positions(2, limit=3) == [5, 7, 9]
        assert positions(2, 9, limit=10) == [5, 7, 9]
        assert positions(upto_version=2) == [1, 3]
        assert positions(1, 7, upto_version=6) == [3, 5, 7]
        assert (store.position_of(stream, 4), store.position_of(stream, 9)) == (7, None)


def test_reading_some_types_gives_them_in_order_a_batch_at_a_time(log_url: str) -> None:
    with closing(open_store(log_url)) as store:
        store.migrate()
        names = ["b", "a", "c", "a", "b", "c", "c", "a"]
        store.insert_events([StoredEvent(uuid4(), 1, name, b"{}") for name in names])

        def positions(*types: str, after: int = 0, limit: int = 100, upto: int | None = None) -> list[int]:
            return [position for position, _ in store.read(after, limit, upto=upto, types=types)]

        assert positions("a") == [2, 4, 8]
        assert positions("a", "b") == [1, 2, 4, 5, 8]
        assert positions("a", "b", after=1, limit=3) == [2, 4, 5]
        assert positions("a", "c", after=3, upto=7) == [4, 6, 7]
        assert positions("none") == []
        stored = store.read_stored(0, 100, types=("b", "c"))
        assert [one.type for one in stored] == ["b", "c", "b", "c", "c"]
