"""What a projection is: it takes in the events of one stream, and says what the stream has in which dataset now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any, ClassVar, Protocol
from uuid import UUID

import msgspec

from services.reporting.datasets import Dataset, publications, readers
from services.reporting.projections.differ import ByDay, Key, Now
from shared.eventlog.codec import instant_text
from shared.eventlog.envelope import Recorded
from shared.events.facts import Event
from shared.rules.dated_facts import History, VisibilityByDay

DayOf = Callable[[datetime], date]
"""The civil day of a moment."""


class Projection(Protocol):
    """One stream: made from its first event, at version 1, which is then applied like any other of `TYPES`."""

    TYPES: ClassVar[frozenset[type[Event]]]
    """The events that can change a row; the others are not even handed over."""

    def apply(self, recorded: Recorded) -> Iterable[Now]:
        """Take in one more event, and say what may be otherwise now."""


def only(dataset: Dataset, key: Key, **values: Any) -> Now:
    """The one row of a dataset without valid time."""
    return Now(dataset, {key: [(None, dataset.row(**values))]})


def readers_of(thing: UUID, *, concerned: Iterable[str], others: Iterable[str] = ()) -> Now:
    """The organisations that may read a thing while it is reserved: those it concerns, and the rest."""
    found = dict.fromkeys(others, False) | dict.fromkeys(concerned, True)
    return Now(readers, {(code, thing.hex): [(None, (whether,))] for code, whether in found.items()})


def shown_by_day(thing: UUID, visibility: VisibilityByDay) -> Now:
    """Who may read what is told of a thing for which day; nothing where that is the same for all of them."""
    days = sorted({date.min, *visibility.days()}) if visibility.dated else []
    found: ByDay = [(day, (visibility.shown_on(day).value,)) for day in days]
    return Now(publications, {(thing.hex,): found} if found else {})


def json_text(value: Any) -> str:
    """A part of an event as the datasets keep it."""
    return msgspec.json.encode(value).decode()


def effective_day(recorded: Recorded, day_of: DayOf) -> date:
    """The day from which an event holds: the one it names, or, where it names none, the day it was recorded."""
    named: date | None = getattr(recorded.data, "effective_on", None)
    return named or day_of(recorded.recorded_at)


class Entries:
    """Dated entries of one stream in one dataset, each until the next of its key.

    Of two of one key the one of the later day counts, then the one recorded later.
    """

    __slots__ = ("_dataset", "_histories")

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._histories: dict[Key, History[tuple[Any, ...]]] = {}

    def add(self, key: Key, day: date, recorded: Recorded, day_of: DayOf, **values: Any) -> Now:
        """From a day on it is so."""
        row = self._dataset.row(
            recorded_on=day_of(recorded.recorded_at),
            recorded_at=instant_text(recorded.recorded_at),
            recorded_position=recorded.position,
            **values,
        )
        self._histories.setdefault(key, History((), 0)).add(day, recorded.position, row)
        return self.now()

    def now(self) -> Now:
        """All of them."""
        return Now(self._dataset, {key: _by_day(history) for key, history in self._histories.items()})


def _by_day(history: History[tuple[Any, ...]]) -> ByDay:
    return [(day, history.on(day)[0]) for day in sorted(set(history.days()))]
