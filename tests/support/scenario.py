"""Given what was told, when something is asked, then this is recorded: decisions tested without a log or a server.

    given(registered(), Assessed(...)).when(lambda it: it.assess(Assessed(...), on(TODAY))).then(Assessed(...))
    given(registered()).when(lambda it: it.reopen(...)).refused("not-closed")

What is given goes through the bytes the log would keep, so that a scenario also tests what a replay would see.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Generic, Protocol, Self, TypeVar
from uuid import UUID

from shared.aggregate.command import Context
from shared.clock import Clock
from shared.errors import BitacoraError, InvalidInput
from shared.eventlog import codec
from shared.eventlog.envelope import NewEvent, Recorded
from shared.events.facts import Event
from shared.identity.actor import Actor, Role

STREAM = UUID("0b5c39a4-6f0e-5a57-9df7-2f3a4d0f6a11")
ANA = Actor(subject="ana", organization="DCI", role=Role.DCI)
BEGINNING = datetime(2012, 1, 1, 12, tzinfo=UTC)


class Folded(Protocol):
    """Something folded from events."""

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event."""


T = TypeVar("T", bound=Folded)
Told = Event | tuple[Actor, Event]
"""An event, told by the unit unless it is said by whom."""


def on(day: date, actor: Actor = ANA) -> Context:
    """The circumstances of a decision that an actor asks for on a day, at noon."""
    noon = datetime.combine(day, time(12), UTC)
    return Context(actor, Clock("UTC", now=lambda: noon))


def recorded(
    event: Event, number: int, by: Actor = ANA, stream_id: UUID = STREAM, position: int = 0
) -> Recorded:
    """The event as the log gives it back: encoded, stamped and decoded."""
    new = NewEvent(stream_id=stream_id, version=number, recorded_by=by, correlation_id="test", data=event)
    place = position or number
    return codec.decode(codec.stamp(codec.encode(new), place, BEGINNING + timedelta(seconds=place)), place)


def told(begin: Callable[[Recorded], T | None], history: Sequence[Told]) -> T:
    """The thing of which all this was told, in this order."""
    thing: T | None = None
    for number, item in enumerate(history, 1):
        by, event = item if isinstance(item, tuple) else (ANA, item)
        if thing is None:
            thing = begin(recorded(event, number, by))
            assert thing is not None, f"nothing begins with a {event.TYPE}"
        else:
            thing.apply(recorded(event, number, by))
    assert thing is not None
    return thing


class Scenario(Generic[T]):
    """A thing with a past, of which something is now asked."""

    def __init__(self, begin: Callable[[Recorded], T | None], history: Sequence[Told]) -> None:
        self.thing = told(begin, history)
        self._decided: Event | None = None
        self._refusal: BitacoraError | None = None

    def when(self, decide: Callable[[T], Event]) -> Self:
        """Asks for a decision; `then` or `refused` says what must come of it."""
        try:
            self._decided = decide(self.thing)
        except BitacoraError as error:
            self._refusal = error
        return self

    def then(self, expected: Event) -> None:
        """The decision is this event, and nothing stood against it."""
        assert self._refusal is None, f"refused: {self._refusal!r}"
        assert self._decided == expected

    def refused(self, code: str, kind: type[BitacoraError], pointer: str | None = None) -> None:
        """The decision was refused under this code, as this kind of error, at this place of the request."""
        assert self._refusal is not None, f"not refused, but decided: {self._decided}"
        assert (self._refusal.code, type(self._refusal)) == (code, kind)
        assert self._refusal.message.endswith(".")
        if pointer is not None:
            assert isinstance(self._refusal, InvalidInput)
            assert self._refusal.pointer == pointer
