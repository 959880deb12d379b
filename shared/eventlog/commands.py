"""What is asked of the things that the log tells of, what is decided, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from shared.eventlog.store import FollowerPosition
from shared.events.facts import Event
from shared.identity.actor import Actor


class KeyUse(msgspec.Struct, frozen=True):
    """An idempotency key as a request used it: the key's hash, and the fingerprint of the request."""

    hash: bytes
    fingerprint: bytes


class Command(msgspec.Struct, frozen=True):
    """Who wants the change, as part of which request, and on which versions it may be decided (None: on any)."""

    actor: Actor
    correlation_id: str
    expected: frozenset[int] | None = None
    key: KeyUse | None = None
    causation_id: int | None = None
    follower: FollowerPosition | None = None


class Outcome(NamedTuple):
    """What a command led to: the version it brought the stream to, and the position of its last event."""

    stream_id: UUID
    version: int
    position: int
    replayed: bool = False
    """The answer to an earlier request with the same idempotency key; nothing was done now."""
    changed: bool = True
    """Whether anything was recorded."""


class Beside(NamedTuple):
    """An event that the same command writes, all or nothing, on another stream as its given next version."""

    stream_id: UUID
    version: int
    event: Event


Decided = Sequence[Event | Beside]
