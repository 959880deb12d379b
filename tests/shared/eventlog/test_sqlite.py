"""What only the SQLite engine can suffer."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.errors import Unavailable
from shared.eventlog.sqlite import SQLiteStore, connect
from shared.eventlog.store import Limits
from shared.eventlog.subscription import Subscription
from tests.support.ledger import changes


def test_a_file_that_could_not_be_opened_for_a_while_can_be_written_again(tmp_path: Path) -> None:
    place, away = tmp_path / "log", tmp_path / "away"
    with closing(SQLiteStore(str(place / "bitacora.db"))) as store:
        place.rename(away)
        for _ in range(2):
            with pytest.raises(Unavailable):
                store.append([changes()], datetime.now(UTC))
            with pytest.raises(Unavailable):
                store.head()
        away.rename(place)
        store.migrate()
        assert store.append([changes()], datetime.now(UTC))[0].first == 1


def test_a_reader_of_a_file_that_cannot_be_opened_for_a_while_is_told_and_goes_on_later(
    tmp_path: Path,
) -> None:
    place, away = tmp_path / "log", tmp_path / "away"
    with (
        closing(SQLiteStore(str(place / "bitacora.db"))) as store,
        closing(Subscription(store)) as subscription,
    ):
        place.rename(away)
        with pytest.raises(Unavailable):
            subscription.wait(0.01)
        away.rename(place)
        store.migrate()
        store.append([changes()], datetime.now(UTC))
        assert [position for position, _ in subscription.wait(5)] == [1]


def test_every_connection_syncs_at_each_commit_and_uses_the_write_ahead_log(tmp_path: Path) -> None:
    with closing(connect(str(tmp_path / "bitacora.db"), 1)) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_a_write_that_cannot_have_the_lock_is_told_so_within_its_limit_and_succeeds_later(
    tmp_path: Path,
) -> None:
    path = tmp_path / "bitacora.db"
    with (
        closing(SQLiteStore(str(path), Limits(lock=0.1))) as store,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        store.migrate()
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable):
            store.append([changes()], datetime.now(UTC))
        with pytest.raises(Unavailable):
            store.check_writable()
        other.execute("ROLLBACK")
        store.check_writable()
        assert store.append([changes()], datetime.now(UTC))[0].first == 1
