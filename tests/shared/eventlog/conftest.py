"""One store for all the tests of a module, on either engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from shared.eventlog.open import open_store
from shared.eventlog.store import LIMITS, Store

ANY_CLOCK = LIMITS._replace(clock=100 * 366 * 86_400)
"""For tests that put their clocks where they like."""


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Store, str]]:
    """A migrated store and its URL, shared by the tests of this module; each empties it first."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('log') / 'bitacora.db'}"
    else:
        url = request.getfixturevalue("module_postgres_url")
    with closing(open_store(url, ANY_CLOCK)) as made:
        made.migrate()
        yield made, url
