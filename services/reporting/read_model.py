"""The read model as a whole: generations of it, one of which is live, and how to read, write and replace them.

A generation is complete in itself: its own tables, its own position, its own migration head. Everybody finds the live
one through a pointer, so that replacing it is one small atomic step, and whoever is still reading the old one finishes
undisturbed. On PostgreSQL a generation is a schema, on SQLite a file.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from services.reporting.projections.changes import RowChanges
from services.reporting.reading import Reading
from shared.errors import Unavailable


class OvertakenError(Exception):
    """Another worker moved this generation on, or it is gone; nothing was written."""


class RebuildUnderWayError(Exception):
    """Another process is rebuilding the read model."""


class GenerationWriter(Protocol):
    """The one way to change a generation: rows and position together."""

    def position(self) -> int:
        """How far the generation has followed the log."""

    def write(self, changes: RowChanges, *, before: int, after: int) -> None:
        """Apply row changes and move from position `before` to `after`, all or nothing.

        Raises OvertakenError when the generation is not at `before`, Unavailable when the engine does not answer.
        """

    def close(self) -> None:
        """Give back the connection."""


class Watch(Protocol):
    """Sees how far the live generation has come; for one thread at a time."""

    def wait(self, after: int, timeout: float) -> int:
        """Its position, as soon as it is beyond `after`, or after `timeout` seconds whatever it is.

        Unavailable when there is none, or the engine does not answer.
        """

    def close(self) -> None:
        """Give back what it looks through."""


class ReadModel(Protocol):
    """Every generation in one place. Every method blocks."""

    def reading(self) -> AbstractContextManager[Reading]:
        """A connection to the live generation; Unavailable when there is none or the engine does not answer."""

    def live(self) -> str | None:
        """The name of the live generation."""

    def watch(self) -> Watch:
        """A new watch over the live generation."""

    def migrate(self) -> None:
        """Bring the live generation's tables to the newest revision, making a first one where there is none."""

    def check_ready(self) -> None:
        """Raise Unavailable unless there is a live generation, and its tables are those this version knows."""

    def writer(self, generation: str) -> GenerationWriter:
        """A writer to one generation; OvertakenError when it is gone."""

    def rebuilding(self) -> AbstractContextManager[None]:
        """The right to rebuild, held by one process at a time; RebuildUnderWayError when another has it."""

    def begin(self) -> str:
        """Make a new, empty generation beside the live one; to be called while `rebuilding`."""

    def before_loading(self, generation: str) -> None:
        """Prepare an empty generation for many rows."""

    def after_loading(self, generation: str) -> None:
        """Make the generation fit for reading."""

    def promote(self, generation: str, catch_up: Callable[[], None]) -> None:
        """Make a generation the live one.

        `catch_up` is called when the old one can no longer move, so that the new one is never behind it.
        """

    def discard_others(self) -> None:
        """Remove every generation but the live one; to be called while `rebuilding`."""

    def close(self) -> None:
        """Give back every connection."""


def not_built() -> Unavailable:
    """The error of a read model that was never made."""
    return Unavailable(
        "read-model-not-migrated", "There is no read model yet: run `bitacora migrate`.", retry_after=5
    )


def out_of_date() -> Unavailable:
    """The error of a read model made by another version."""
    return Unavailable(
        "read-model-out-of-date",
        "The read model was made by another version: run `bitacora migrate`.",
        retry_after=5,
    )


def not_answering() -> Unavailable:
    """The error of an engine that does not answer."""
    return Unavailable("read-model-unavailable", "The read model does not answer just now.")
