"""Fixtures for the import of meetings: a clerk on SQLite, and one on each engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.meetings.importing.clerk import Clerk, clerk_at


@pytest.fixture
def clerk(tmp_path: Path, sqlite_url: str) -> Iterator[Clerk]:
    """A clerk with an empty log."""
    with clerk_at(tmp_path, sqlite_url) as found:
        yield found


@pytest.fixture
def clerk_on_each_engine(tmp_path: Path, log_url: str) -> Iterator[Clerk]:
    """A clerk with an empty log, on each engine in turn."""
    with clerk_at(tmp_path, log_url) as found:
        yield found
