"""The recorder test cases that the `eventsourcing` library publishes, run against our store on both engines."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from eventsourcing.tests.persistence import (
    ApplicationRecorderTestCase,
    NonInterleavingNotificationIDsBaseCase,
)

from shared.eventlog.postgres import PostgresStore
from shared.eventlog.sqlite import SQLiteStore


class OurRecorder:
    """Makes a migrated store for each test case, closed at its end."""

    make_store: Callable[[], SQLiteStore | PostgresStore]

    def new_originator_id(self) -> UUID:
        return uuid4()

    def create_recorder(self) -> SQLiteStore | PostgresStore:
        return self.make_store()


@pytest.fixture
def sqlite_stores(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[None]:
    numbers = itertools.count()
    opened: list[SQLiteStore] = []

    def make() -> SQLiteStore:
        store = SQLiteStore(str(tmp_path / f"log{next(numbers)}.db"))
        store.migrate()
        opened.append(store)
        return store

    request.cls.make_store = staticmethod(make)
    yield
    for store in opened:
        store.close()


@pytest.fixture
def postgres_stores(postgres_url: str, request: pytest.FixtureRequest) -> Iterator[None]:
    opened: list[PostgresStore] = []

    def make() -> PostgresStore:
        store = PostgresStore(postgres_url)
        store.migrate()
        opened.append(store)
        return store

    request.cls.make_store = staticmethod(make)
    yield
    for store in opened:
        store.close()


@pytest.mark.usefixtures("sqlite_stores")
class TestSQLiteApplicationRecorder(OurRecorder, ApplicationRecorderTestCase):
    """The library's expectations of an application recorder, on SQLite."""


@pytest.mark.usefixtures("sqlite_stores")
class TestSQLiteNotificationIDsDoNotInterleave(OurRecorder, NonInterleavingNotificationIDsBaseCase):
    """Two large writes at once never mix their positions, on SQLite."""


@pytest.mark.usefixtures("postgres_stores")
class TestPostgresApplicationRecorder(OurRecorder, ApplicationRecorderTestCase):
    """The library's expectations of an application recorder, on PostgreSQL."""


@pytest.mark.usefixtures("postgres_stores")
class TestPostgresNotificationIDsDoNotInterleave(OurRecorder, NonInterleavingNotificationIDsBaseCase):
    """Two large writes at once never mix their positions, on PostgreSQL."""
