"""Fixtures for every test: the two engines of the log, and the one PostgreSQL server a run may need."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import HealthCheck, settings

from tests.support.postgres import PostgresServer, SharedServer, fresh_database, new_home

# A machine that has other work to do is no fault of the code.
SLOW = (HealthCheck.too_slow,)
settings.register_profile("quick", deadline=None, max_examples=50, suppress_health_check=SLOW)
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True, suppress_health_check=SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "quick"))

SERVER = pytest.StashKey[SharedServer]()


class _Worker(Protocol):
    """What we use of a parallel worker as the run that controls it sees it (pytest-xdist)."""

    config: pytest.Config
    workerinput: dict[str, object]


def pytest_configure(config: pytest.Config) -> None:
    """Agrees on one place for the run's PostgreSQL; the first test that asks starts the server."""
    given = getattr(config, "workerinput", None)
    if given is None:
        config.stash[SERVER] = SharedServer(new_home(), owner=os.getpid())
    else:
        config.stash[SERVER] = SharedServer(Path(given["postgres_home"]), owner=given["postgres_owner"])


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Two tests at a time for each logical core, since most of them wait more than they compute; eight at most."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return min(8, 2 * (os.cpu_count() or 1))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: _Worker) -> None:
    """Tells each parallel worker where the run's PostgreSQL is."""
    server = node.config.stash[SERVER]
    node.workerinput["postgres_home"] = str(server.home)
    node.workerinput["postgres_owner"] = server.owner


def pytest_unconfigure(config: pytest.Config) -> None:
    """The run that started its workers, and no worker, stops the server."""
    if not hasattr(config, "workerinput") and SERVER in config.stash:
        config.stash[SERVER].remove()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, as the services do."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> str:
    """The URL of the run's PostgreSQL server (its maintenance database)."""
    return request.config.stash[SERVER].url()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """A fresh, empty PostgreSQL database for this test alone."""
    with fresh_database(postgres_server) as url:
        yield url


@pytest.fixture(scope="module")
def module_postgres_url(postgres_server: str) -> Iterator[str]:
    """A fresh PostgreSQL database shared by the tests of one module."""
    with fresh_database(postgres_server) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite file that does not exist yet, for this test alone."""
    return f"sqlite:///{tmp_path / 'bitacora.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def log_url(request: pytest.FixtureRequest) -> str:
    """An empty place for a log, on each engine in turn."""
    fixture = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return str(request.getfixturevalue(fixture))


@pytest.fixture
def private_postgres() -> Iterator[PostgresServer]:
    """A running, durable PostgreSQL server for this test alone: to stop, kill and start again."""
    server = PostgresServer(new_home(), owner=os.getpid())
    try:
        server.start()
        yield server
    finally:
        server.remove()
