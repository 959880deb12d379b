"""What the log adds to an event: where it stands, when the log learned it, who said it, and what caused it."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from shared.events.facts import Event
from shared.identity.actor import Actor
from shared.telemetry import traceparent


def new_nonce() -> str:
    """128 random bits, in hexadecimal digits."""
    return secrets.token_hex(16)


class NewEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event on its way into the log: the next `version` of its stream, not yet given a position.

    `nonce` tells it from every other event there ever was; only those recorded before there were nonces have none.
    `traceparent` is the trace in which it was recorded, where one is kept.
    """

    stream_id: UUID
    version: int
    recorded_by: Actor
    correlation_id: str
    data: Event
    causation_id: int | None = None
    nonce: str | None = msgspec.field(default_factory=new_nonce)
    traceparent: str | None = msgspec.field(default_factory=traceparent)


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the log holds it; `causation_id` is the position of the event that triggered it."""

    position: int
    recorded_at: datetime
    type: str
    stream_id: UUID
    version: int
    recorded_by: Actor
    correlation_id: str
    data: Event
    causation_id: int | None = None
    nonce: str | None = None


class Bookmark(NamedTuple):
    """An event that somebody has seen: where it stands in the log, and which one it is (`codec.identity_of`)."""

    position: int
    identity: str


BEGINNING: Final = Bookmark(0, "")
"""Before the first event of any log."""


class FollowerPosition(msgspec.Struct, frozen=True):
    """That a named follower has acted on the event at a position; commits with the events it caused.

    With `retry` the event was set aside before, and leaves the list of those instead of moving the follower. `identity`
    is that of the event.
    """

    name: str
    position: int
    retry: bool = False
    identity: str | None = None


class StoredLine(NamedTuple):
    """An event as the engine holds it: under what it is filed, and its bytes, which must say the same."""

    position: int
    stream_id: UUID
    version: int
    type: str
    recorded_at: datetime | None
    line: bytes
