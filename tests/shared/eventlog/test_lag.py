"""Readiness says by name what is wrong: who fell behind, by how much and since when, and where there is no room."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from shared.clock import Clock
from shared.errors import FellBehind, Unavailable
from shared.eventlog import sqlite as sqlite_module
from shared.eventlog.lag import Lag, lag_of
from shared.eventlog.live import LiveLog
from shared.eventlog.open import open_store
from shared.eventlog.sqlite import Connection, SQLiteStore
from shared.events.commitments import Commented, Registered
from tests.services.commitments.installation import Installation
from tests.shared.eventlog.test_limits import Deaf
from tests.support.ledger import NOON, SettableClock, changes, event, opened, wrote


def test_the_lag_counts_what_is_beyond_a_position_since_the_first_of_it_be_it_of_some_types(
    log_url: str,
) -> None:
    with closing(open_store(log_url)) as store:
        store.migrate()
        assert lag_of(store, 0) == Lag(0, None)
        for minutes, data in enumerate([opened(), wrote("a"), opened(), wrote("b"), wrote("c")]):
            store.append([changes(event(data))], NOON + timedelta(minutes=minutes))

        def lag(position: int, *types: str) -> tuple[int, int | None]:
            found = lag_of(store, position, types)
            return found.behind, None if found.since is None else (found.since - NOON).seconds // 60

        assert [lag(position) for position in (0, 3, 5)] == [(5, 0), (2, 3), (0, None)]
        assert [lag(position, Registered.TYPE) for position in (0, 1, 3)] == [(2, 0), (1, 2), (0, None)]
        assert lag(2, Registered.TYPE, Commented.TYPE) == (3, 2)


async def test_a_process_that_hears_nothing_of_the_log_is_not_ready_once_the_bound_has_passed(
    sqlite_url: str,
) -> None:
    clock = SettableClock()
    with closing(Deaf(sqlite_url.removeprefix("sqlite:///"))) as store:
        store.migrate()
        live = LiveLog(store, Clock(now=clock), bound=timedelta(seconds=30))
        await live.start()
        try:
            with closing(open_store(sqlite_url)) as other:
                other.append([changes(), changes()], NOON)
            clock.move(30)
            assert "2 behind the log since 2011-05-21 12:00:00 UTC" in await live.readiness()
            clock.move(1)
            with pytest.raises(FellBehind) as raised:
                await live.readiness()
        finally:
            await live.stop()
    assert (raised.value.code, raised.value.behind, raised.value.since) == ("log-behind", 2, NOON)


async def test_readiness_is_red_by_name_where_there_is_no_room_on_the_disk(
    sqlite_url: str, tmp_path: Path
) -> None:
    service = Installation(tmp_path, sqlite_url, disk_free_megabytes=1_000_000)
    async with service.running() as installed:
        answer = await installed.http.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["log"]["reason"] == "disk-nearly-full"


class Full(SQLiteStore):
    """A log on a disk on which nothing more fits."""

    full = False

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with super()._write() as connection:
            if self.full:
                connection.execute("PRAGMA max_page_count = 1")
            yield connection


async def test_a_write_that_a_full_disk_refuses_says_so_and_so_does_readiness_until_one_succeeds(
    sqlite_url: str,
) -> None:
    with closing(Full(sqlite_url.removeprefix("sqlite:///"))) as store:
        store.migrate()
        live = LiveLog(store, Clock())
        await live.start()
        try:
            store.full = True
            for ask in (lambda: live.append(changes(event(wrote("x" * 9_000)))), live.readiness):
                with pytest.raises(Unavailable) as raised:
                    await ask()
                assert raised.value.code == "log-disk-full"
            store.full = False
            await live.append(changes())
            await live.readiness()
        finally:
            await live.stop()


def test_a_write_ahead_log_that_grew_under_a_reader_is_cut_when_the_reader_is_gone(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_module, "LARGEST_WAL", 200_000)
    path = sqlite_url.removeprefix("sqlite:///")
    wal = Path(f"{path}-wal")
    with closing(open_store(sqlite_url)) as store:
        store.migrate()
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM stored_events").fetchone()
            for _ in range(30):
                store.append([changes(event(wrote("x" * 9_000)))], NOON)
            grown = wal.stat().st_size
            store.tidy()
            assert wal.stat().st_size == grown > 200_000
        store.append([changes()], NOON)
        store.tidy()
        assert wal.stat().st_size == 0
        assert store.head() == 31
