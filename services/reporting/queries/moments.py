"""The two times of a question: a day in the world, and a position of the log."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, NamedTuple

from msgspec import Meta

from shared.clock import Clock
from shared.errors import InvalidInput, Unavailable
from shared.eventlog.store import Store, position_at

InstantText = Annotated[
    str, Meta(extra_json_schema={"format": "date-time", "examples": ["2012-11-21T18:00:00.000000Z"]})
]
"""An instant as the datasets keep it and answers write it: RFC 3339 in UTC with six decimals."""


class AsOf(NamedTuple):
    """What a question is about: day `on`, as the log told it at `position`, which it reached at `known_at`."""

    on: date
    position: int
    known_at: datetime | None


def position_asked_for(
    store: Store, clock: Clock, known_at: datetime | None, position: int | None
) -> int | None:
    """The position a question names, by itself or by a moment; None when it names none: the newest one.

    Raises InvalidInput when it names both, or a moment or a position still to come.
    """
    if known_at is not None and position is not None:
        raise InvalidInput("two-positions", "Give known_at or position, not both.", pointer="/query/position")
    if known_at is not None:
        if known_at > clock.now():
            raise InvalidInput(
                "known-at-to-come", "What will be known then nobody knows yet.", pointer="/query/known_at"
            )
        return position_at(store, known_at)
    if position is not None:
        must_be_reached(position, store.head(), "/query/position")
    return position


def must_be_reached(position: int, head: int, pointer: str) -> None:
    """InvalidInput for a position beyond the end of the log: whoever waits there would wait for the wrong events."""
    if position > head:
        raise InvalidInput(
            "position-to-come",
            f"The log has not reached that position yet: it ends at {head}.",
            pointer=pointer,
        )


def as_of(
    store: Store, clock: Clock, reached: int, on: date | None, known_at: datetime | None, position: int | None
) -> AsOf:
    """The day and the position meant by a question to a read model that has `reached` a position.

    `position` is what `position_asked_for` found. Without a day it is the day it was when the position was current, or
    today when no position is asked for, so that asking again by position gives the same answer for ever. Unavailable
    when the read model is not there yet.
    """
    chosen = reached if position is None else position
    if chosen > reached:
        raise not_reached(chosen)
    recorded_at = store.recorded_at(chosen)
    if on is None:
        moment = known_at or (recorded_at if position is not None else None)
        on = clock.today() if moment is None else clock.day_of(moment)
    return AsOf(on, chosen, recorded_at)


def not_reached(position: int) -> Unavailable:
    """The error of a read model that is behind."""
    return Unavailable("position-not-reached", f"The read model has not reached position {position} yet.")
