"""What is on record about the record itself: events whose bytes no longer say what was recorded, put aside."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.events.facts import Event
from shared.events.types import Instant, Line, Number, Plain, Reason, Word

Position = Annotated[int, Field(ge=1, strict=True, examples=[41])]


class EventQuarantined(Event, frozen=True, kw_only=True):
    """The event at that `position` cannot be read as what was recorded, and was put aside: readers go on without it.

    Its line stays in the log as it is, known by the SHA-256 of its bytes; `stream_id`, `version` and `recorded_at` are
    what the engine has it filed under. Were the line mended, from a backup say, the event would count again.
    """

    TYPE: ClassVar[str] = "log.event_quarantined"
    LASTING: ClassVar[str] = "An event that was put aside counts again once its line is what was recorded."

    position: Position
    stream_id: Annotated[UUID, Plain()]
    version: Number
    recorded_at: Instant
    sha256: Annotated[Word, Field(description="Of the line as it was found, in hexadecimal.")]
    cause: Annotated[Line, Field(description="What is wrong with the line.")]
    reason: Reason


class EventUnreadable(Event, frozen=True, kw_only=True):
    """Handed to readers in place of an event that was put aside; it is stored nowhere and changes nothing.

    It keeps the place of that event in the log and in its stream; nothing is known of what it said.
    """

    TYPE: ClassVar[str] = "log.event_unreadable"
    LASTING: ClassVar[str] = "It is not on record: it stands for an event that cannot be read."

    quarantined_at: Annotated[
        Position, Field(description="Where the log says that it was put aside, and why.", examples=[97])
    ]


EVENTS: tuple[type[Event], ...] = (EventQuarantined, EventUnreadable)
"""The types of events about the record itself."""
