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
    ProcessRecorderTestCase,
    TrackingRecorderTestCase,
)

from shared.eventlog.open import open_store
from shared.eventlog.store import Store


class OurRecorder:
    """Makes a migrated store for each test case, closed at its end."""

    make_store: Callable[[], Store]

    def new_originator_id(self) -> UUID:
        return uuid4()

    def create_recorder(self) -> Store:
        return self.make_store()


def stores(request: pytest.FixtureRequest, urls: Iterator[str]) -> Iterator[None]:
    opened: list[Store] = []

    def make() -> Store:
        store = open_store(next(urls))
        store.migrate()
        opened.append(store)
        return store

    request.cls.make_store = staticmethod(make)
    yield
    for store in opened:
        store.close()


@pytest.fixture
def sqlite_stores(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[None]:
    yield from stores(request, (f"sqlite:///{tmp_path / f'log{n}.db'}" for n in itertools.count()))


@pytest.fixture
def postgres_stores(postgres_url: str, request: pytest.FixtureRequest) -> Iterator[None]:
    yield from stores(request, itertools.repeat(postgres_url))


class Subscribing:
    """The subscription test, which the library leaves to each recorder to opt into."""

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()  # type: ignore[attr-defined]


@pytest.mark.usefixtures("sqlite_stores")
class TestSQLiteApplicationRecorder(OurRecorder, Subscribing, ApplicationRecorderTestCase):
    """The library's expectations of an application recorder and its subscriptions, on SQLite."""


@pytest.mark.usefixtures("sqlite_stores")
class TestSQLiteTrackingRecorder(OurRecorder, TrackingRecorderTestCase):
    """The library's expectations of a tracking recorder, on SQLite."""


@pytest.mark.usefixtures("sqlite_stores")
class TestSQLiteProcessRecorder(OurRecorder, ProcessRecorderTestCase):
    """The library's expectations of a process recorder, on SQLite."""


@pytest.mark.usefixtures("sqlite_stores")
class TestSQLiteNotificationIDsDoNotInterleave(OurRecorder, NonInterleavingNotificationIDsBaseCase):
    """Two large writes at once never mix their positions, on SQLite."""


@pytest.mark.usefixtures("postgres_stores")
class TestPostgresApplicationRecorder(OurRecorder, Subscribing, ApplicationRecorderTestCase):
    """The library's expectations of an application recorder and its subscriptions, on PostgreSQL."""


@pytest.mark.usefixtures("postgres_stores")
class TestPostgresTrackingRecorder(OurRecorder, TrackingRecorderTestCase):
    """The library's expectations of a tracking recorder, on PostgreSQL."""


@pytest.mark.usefixtures("postgres_stores")
class TestPostgresProcessRecorder(OurRecorder, ProcessRecorderTestCase):
    """The library's expectations of a process recorder, on PostgreSQL."""


@pytest.mark.usefixtures("postgres_stores")
class TestPostgresNotificationIDsDoNotInterleave(OurRecorder, NonInterleavingNotificationIDsBaseCase):
    """Two large writes at once never mix their positions, on PostgreSQL."""
