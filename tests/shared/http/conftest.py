"""The small service, fresh for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.web import Installation


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """A running installation of the small service."""
    return Installation(tmp_path)
