"""What is asked of an aggregate, in which circumstances it is decided, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from shared.clock import Clock
from shared.eventlog.envelope import FollowerPosition
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


class Context(NamedTuple):
    """What a decision may depend on besides the aggregate and the proposed event: who asks, and the time."""

    actor: Actor
    clock: Clock

    @property
    def today(self) -> date:
        """The civil day on which it is decided."""
        return self.clock.today()

    @property
    def now(self) -> datetime:
        """The instant at which it is decided."""
        return self.clock.now()


class OnStream(NamedTuple):
    """An event that the same command writes, all or nothing, on another stream as its given next version."""

    stream_id: UUID
    version: int
    event: Event


Decided = Event | Sequence[Event | OnStream]
"""What a decision comes to: one event of the aggregate's own stream, or several, in order, also on other streams."""


class Outcome(NamedTuple):
    """What a command led to: the version it brought the stream to, the position of its last event, and its events."""

    stream_id: UUID
    version: int
    position: int
    events: Sequence[Event] = ()
    """What was recorded on the stream now; empty when the answer is an earlier one."""
    replayed: bool = False
    """The answer to an earlier request with the same idempotency key; nothing was done now."""
    changed: bool = True
    """Whether anything was recorded."""
