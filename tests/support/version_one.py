"""Installations that version 1 left behind, laid out anew for a test to bring up to date."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import psycopg

FIXTURE: Final = Path(__file__).parents[1] / "fixtures" / "v1"
EVENTS: Final = 183
KEYS: Final = 137
FOLLOWER: Final = ("commitments.decisions", 153)


def lay_out(url: str) -> None:
    """Put the log and the read model of version 1 where a URL says; nothing may be there yet."""
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///"))
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(FIXTURE / "bitacora.db", path)
        shutil.copytree(FIXTURE / "reporting", path.parent / "reporting")
    else:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute((FIXTURE / "postgres.sql").read_bytes())
