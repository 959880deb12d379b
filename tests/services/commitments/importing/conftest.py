"""Fixtures for the import: a desk on SQLite, and one on each engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.commitments.importing.desk import Desk, desk_at


@pytest.fixture
def desk(tmp_path: Path, sqlite_url: str) -> Iterator[Desk]:
    """A desk with an empty log."""
    with desk_at(tmp_path, sqlite_url) as found:
        yield found


@pytest.fixture
def desk_on_each_engine(tmp_path: Path, log_url: str) -> Iterator[Desk]:
    """A desk with an empty log, on each engine in turn."""
    with desk_at(tmp_path, log_url) as found:
        yield found
