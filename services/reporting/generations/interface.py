"""The read model as a whole: generations of it, how one is read, written and replaced by another.

A generation belongs to the fingerprint of its datasets and is complete in itself: its own tables, its own position. On
PostgreSQL it is a schema, on SQLite a file. Its tables are never altered: other datasets begin another generation
beside it, and a pointer of its own fingerprint leads to that once it is complete. So services of two versions answer at
the same time, each from its own generation, and whoever is still reading one that was replaced finishes undisturbed. Of
the generations of other fingerprints the newest live one is kept, for the services of that version.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from services.reporting.datasets import Schema
from services.reporting.projections.differ import RowChanges
from services.reporting.reading import Reading
from shared.errors import Unavailable
from shared.eventlog.envelope import Bookmark


class OvertakenError(Exception):
    """Another worker moved this generation on, or it is gone; nothing was written."""


class RebuildUnderWayError(Exception):
    """Another process is building a generation of the same fingerprint."""


class Progress(NamedTuple):
    """How far a generation is: the event it has followed the log to, and the position at which it was last analysed."""

    bookmark: Bookmark
    analyzed_at: int


class GenerationWriter(Protocol):
    """The one way to change a generation: rows and position together.

    A commit is not waited for until it is on disk: after a crash of the machine rows and position are back where they
    were together, and the worker writes them again. Every method raises Unavailable when the engine does not answer.
    """

    def progress(self) -> Progress:
        """How far the generation is."""

    def write(self, changes: RowChanges, *, before: int, after: Bookmark) -> None:
        """Apply row changes and move from position `before` to `after`, all or nothing.

        Raises OvertakenError when the generation is not at `before`.
        """

    def stop(self, reason: str) -> None:
        """Leave word of what keeps the generation from going on, for readiness; the next `write` takes it back."""

    def beat(self) -> None:
        """Show that a worker is there though there is nothing to write, and use the rest for what is to be tidied."""

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
    """The generations of one fingerprint, in one place. Every method blocks."""

    @property
    def schema(self) -> Schema:
        """Of what it is made."""

    def reading(self) -> AbstractContextManager[Reading]:
        """One snapshot of the live generation; Unavailable when there is none or the engine does not answer."""

    def live(self) -> str | None:
        """The name of the live generation: complete, and followed; None while there is none."""

    def watch(self) -> Watch:
        """A new watch over the live generation."""

    def prepare(self) -> None:
        """Make what all generations have in common; several processes may call this at once."""

    def writer(self, generation: str) -> GenerationWriter:
        """A writer to one generation; OvertakenError when it is gone."""

    def building(self, *, wait: bool = False) -> AbstractContextManager[None]:
        """The right to build, held by one process at a time; RebuildUnderWayError when another has it."""

    def begin(self) -> str:
        """Make a new, empty generation; to be called while `building`."""

    def before_loading(self, generation: str) -> None:
        """Prepare an empty generation for many rows."""

    def after_loading(self, generation: str) -> None:
        """Make the generation fit for reading: indexes, and statistics for the engine's planner."""

    def analyze(self, generation: str) -> None:
        """Renew the statistics by which the engine plans; the generation may be written meanwhile."""

    def promote(self, generation: str, catch_up: Callable[[], None]) -> None:
        """Make a generation the live one of its fingerprint.

        `catch_up` is called when the one before it can no longer move, so that the new one is never behind it.
        """

    def discard_others(self) -> list[str]:
        """Remove the generations that nobody is served from any more; to be called while `building`.

        Those that somebody is still reading stay, to go another time: each in words, with who that is.
        """

    def close(self) -> None:
        """Give back every connection."""


def not_built(*, others: bool = False) -> Unavailable:
    """The error of a read model of which there is no generation yet that this version knows how to read."""
    if others:
        return Unavailable(
            "read-model-out-of-date",
            "The read model was made by another version, and that of this one is still being built: by the worker, or "
            "by `bitacora migrate`.",
            retry_after=5,
        )
    return Unavailable(
        "read-model-not-migrated", "There is no read model yet: run `bitacora migrate`.", retry_after=5
    )


def not_answering() -> Unavailable:
    """The error of an engine that does not answer."""
    return Unavailable("read-model-unavailable", "The read model does not answer just now.")


def of_another_log() -> Unavailable:
    """The error of a read model that was made of a log which went back, or was replaced, since."""
    return Unavailable(
        "read-model-of-another-log",
        "The read model tells of events that the log does not hold; the worker is building it anew.",
        retry_after=5,
    )
