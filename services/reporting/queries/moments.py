"""The two times of a question: a day in the world, and a position of the log."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, NamedTuple

from msgspec import Meta

from services.reporting.queries.access import Scope
from services.reporting.queries.corrected import NOTHING, CorrectedSince
from services.reporting.queries.told import Told, mark_of
from services.reporting.reading import Reading
from shared.clock import Clock
from shared.errors import InvalidInput, Unavailable
from shared.eventlog.store import Store, position_at

InstantText = Annotated[
    str, Meta(extra_json_schema={"format": "date-time", "examples": ["2012-11-21T18:00:00.000000Z"]})
]
"""An instant of the world as the datasets keep it and answers write it: RFC 3339 in UTC with six decimals."""


class AsOf(NamedTuple):
    """What a question is about: day `on`, as the log told it at `position`, which it reached at `known_at`.

    `told` is the position that the asker is told, where that is not `position`: what lies between the two is hidden
    from them. `known_at` is for those who see everything; the others are told its day, `known_on`. `corrected` is what
    of the day is told otherwise than before.
    """

    on: date
    position: int
    known_at: datetime | None
    known_on: date | None = None
    told: int | None = None
    mark: str = ""
    """Tells the event at the position told from any other at that position, and nothing of it."""
    corrected: CorrectedSince = NOTHING
    unreadable: int = 0
    """How many events the answer is without, because they cannot be read and were put aside."""

    @property
    def position_told(self) -> int:
        """The position to write into an answer."""
        return self.position if self.told is None else self.told


def position_asked_for(
    store: Store, scope: Scope, known_at: datetime | None, position: int | None
) -> int | None:
    """The position a question names, by itself or by a moment; None when it names none: the newest one.

    Raises InvalidInput when it names both, or a position still to come. Where the log has got to is not
    told to those who do not see everything: to them, any later position is the newest.
    """
    if known_at is not None and position is not None:
        raise InvalidInput("two-positions", "Give known_at or position, not both.", pointer="/query/position")
    if known_at is not None:
        return position_at(store, known_at)
    if position is not None and position > (head := store.head()):
        if not scope.everything:
            return head
        raise to_come("/query/position")
    return position


def to_come(pointer: str) -> InvalidInput:
    """The error of a position beyond the end of the log."""
    return InvalidInput("position-to-come", "The log has not reached that position yet.", pointer=pointer)


def as_of(
    told: Told,
    clock: Clock,
    reading: Reading,
    scope: Scope,
    on: date | None,
    moment: datetime | None,
    position: int | None,
) -> AsOf:
    """The day and the position meant by a question to a read model.

    `position` is what `position_asked_for` found. Without a day it is the day it was when the position was current, or
    today when no position is asked for, so that asking again by position gives the same answer for ever. Unavailable
    when the read model is not there yet.
    """
    reached = reading.position
    chosen = reached if position is None else position
    if chosen > reached:
        raise not_reached(chosen)
    shown = told.position(reading, scope, chosen)
    recorded_at, mark = told.stamp(shown)
    known_on = None if recorded_at is None else clock.day_of(recorded_at)
    if on is None:
        if moment is not None:
            on = clock.day_of(moment)
        else:
            on = clock.today() if position is None or known_on is None else known_on
    if scope.everything:
        return AsOf(on, chosen, recorded_at, known_on, mark=mark)
    # Whatever came since is nothing that the asker may read, so the newest answers as well, and sooner.
    newest = told.position(reading, scope, reached) == shown
    return AsOf(on, reached if newest else shown, None, known_on, shown, mark)


def mark_at(store: Store, position: int) -> str | None:
    """The mark of the event at a position (see `AsOf`); None when there is none."""
    identity = store.identity_at(position)
    return None if identity is None else mark_of(identity)


def not_reached(position: int) -> Unavailable:
    """The error of a read model that is behind."""
    return Unavailable("position-not-reached", f"The read model has not reached position {position} yet.")
