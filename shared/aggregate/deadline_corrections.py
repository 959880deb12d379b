"""How often the public deadline of a commitment was set right, and by what: for its warning signs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from shared.aggregate.aggregate import DayOf, Entry, believed, entry_of
from shared.eventlog.envelope import Recorded
from shared.events.commitments import Corrected, DeadlineRevised, Registered
from shared.events.facts import Event
from shared.events.retractions import Retraction
from shared.events.vocabulary import DeadlineKind
from shared.rules.commitment_warnings import DeadlineCorrection
from shared.rules.dated_facts import DatedFacts

_PUBLIC = "public_deadline"

Taken = tuple[Entry[Any], Event, int]
"""A retraction, the event that it takes back, and the position of that."""


def deadline_corrections(
    dated: DatedFacts,
    began: int,
    corrections: Iterable[Entry[Corrected]],
    taken: Iterable[Taken],
    day_of: DayOf,
) -> Iterator[DeadlineCorrection]:
    """Every time the public deadline was set right: by a correction, or by retracting what had been said of it."""
    for entry in corrections:
        if entry.event.field == _PUBLIC:
            previous, corrected = _day_in(entry.event.previous), _day_in(entry.event.value)
            yield DeadlineCorrection(day_of(entry.recorded_at), began, entry.position, previous, corrected)
    for retraction, mistaken, position in taken:
        match mistaken:
            case DeadlineRevised(deadline=DeadlineKind.PUBLIC, on=previous, effective_on=since):
                pass
            case Corrected(field=name, value=value) if name == _PUBLIC:
                previous, since = _day_in(value), dated.first_day
            case _:
                continue
        corrected = dated.public_deadlines.on(since)[0]
        yield DeadlineCorrection(
            day_of(retraction.recorded_at), position, retraction.position, previous, corrected
        )


def deadline_corrections_in(history: Sequence[Recorded], day_of: DayOf) -> list[DeadlineCorrection]:
    """The same, from all that was recorded of a commitment."""
    first, *others = believed(history)
    corrections = [entry_of(one) for one in others if isinstance(one.data, Corrected)]
    by_version = {one.version: one for one in history}
    taken = [
        (entry_of(one), by_version[one.data.version].data, by_version[one.data.version].position)
        for one in history
        if isinstance(one.data, Retraction)
    ]
    return list(deadline_corrections(dated_facts_in(history), first.position, corrections, taken, day_of))


def dated_facts_in(history: Sequence[Recorded]) -> DatedFacts:
    """What held of a commitment on which days, from all that was recorded of it."""
    first, *others = believed(history)
    assert isinstance(first.data, Registered)
    dated = DatedFacts(first.data, first.position)
    for recorded in others:
        dated.apply(recorded.data, recorded.position)
    return dated


def _day_in(deadline: Any) -> date | None:
    return None if deadline is None else date.fromisoformat(deadline["on"])
