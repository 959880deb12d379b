"""What the days of a commitment were told otherwise before: by which correction or retraction, in what, from what.

A day is told otherwise when what answers say of it is another after the event than before. Only days up to that of the
recording are: of a later one nobody has been told yet.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import cache
from typing import Any, Final, NamedTuple

import msgspec

from services.reporting.datasets import END_OF_DAYS, STATE_FACTS, Correction, Dataset, Type
from services.reporting.projections.differ import ByDay, Now, Values
from services.reporting.projections.projection import json_text
from shared.eventlog.codec import instant_text
from shared.eventlog.envelope import Recorded
from shared.events.retractions import Retraction

FIRST_DAY: Final = "effective_on"
"""What is told otherwise of a day on which the commitment was not there before."""

_LAST: Final = ("late_days", "without_deadline")
"""What follows from something else."""

_NOT_TOLD: Final = frozenset({"visibility", "registered_at", "corrected_after_due"})

Column = tuple[int, int, bool]
"""Which row has it, in which place, and whether it is JSON."""


class Said(NamedTuple):
    """What answers say of a thing on a day: rows as they lie, of which a value is put as JSON when it is asked for."""

    first_day: str
    columns: Mapping[str, Column]
    rows: tuple[Values, ...]

    def get(self, name: str) -> Any:
        """What is said under a name, as JSON has it; None where nothing is."""
        if name == FIRST_DAY:
            return self.first_day
        column = self.columns.get(name)
        if column is None:
            return None
        row, place, is_json = column
        value = self.rows[row][place]
        return msgspec.json.decode(value) if is_json and value is not None else msgspec.to_builtins(value)


Answers = list[tuple[date, Said]]
"""What is said from which days on; before the first of them there is no such thing."""


@cache
def _columns(datasets: tuple[Dataset, ...]) -> dict[str, Column]:
    """Where rows of these datasets say what: of a name in two of them, the first; first what states follow from."""
    found: dict[str, Column] = {}
    for number, dataset in enumerate(datasets):
        of_one = {
            field.name: (number, place, field.value is Type.JSON)
            for place, field in enumerate(dataset.fields)
            if not field.name.endswith("_at") and field.name not in _NOT_TOLD
        }
        found = of_one | found
    return {name: found[name] for name in dict.fromkeys((*STATE_FACTS, *found)) if name in found}


class Corrections:
    """All of one commitment that are believed."""

    __slots__ = ("after_due", "known")

    def __init__(self, known: Iterable[Correction] = ()) -> None:
        self.known = list(known)
        self.after_due = self._after_due()
        """How often a public deadline was corrected when it had passed."""

    def note(self, before: Answers, after: Answers, recorded: Recorded, recorded_on: date) -> None:
        """Compare what was told before an event with what is told after it."""
        event: Any = recorded.data
        for since, until, what, was, now in _differences(before, after, recorded_on):
            last = self.known[-1] if self.known else None
            if last is not None and (last.until, last.what, last.before, last.after, last.position) == (
                since, what, was, now, recorded.position,
            ):  # fmt: skip
                self.known[-1] = msgspec.structs.replace(last, until=until)
                continue
            self.known.append(
                Correction(
                    since=since,
                    until=until,
                    what=what,
                    before=was,
                    after=now,
                    position=recorded.position,
                    recorded_at=instant_text(recorded.recorded_at),
                    recorded_on=recorded_on,
                    recorded_by=recorded.recorded_by,
                    reason=event.reason,
                    retraction=isinstance(event, Retraction),
                )
            )
        self.after_due = self._after_due()

    def without(self, position: int) -> Corrections:
        """Those that are left when the event at a position is not believed."""
        return Corrections(one for one in self.known if one.position != position)

    @property
    def until(self) -> date:
        """The first day of which none of them speaks any more."""
        return max((one.until for one in self.known), default=date.min)

    def _after_due(self) -> int:
        return len(
            {
                one.position
                for one in self.known
                if one.what == "public_deadline"
                and one.before is not None
                and date.fromisoformat(one.before) < one.recorded_on
            }
        )

    def by_day(self, answers: Answers) -> ByDay:
        """For each day, as JSON, those by which it is told as it is now: what was told anew since speaks for itself."""
        if not answers:
            return []
        days = {day for day, _ in answers}
        for one in self.known:
            days |= {one.since, one.until}
        found: ByDay = []
        for day in sorted(day for day in days if answers[0][0] <= day < END_OF_DAYS):
            told = _on(answers, day)
            of_day = [
                one
                for one in self.known
                if one.since <= day < one.until and told is not None and told.get(one.what) == one.after
            ]
            row = (json_text(sorted(of_day, key=_weight)),)
            if not found or found[-1][1] != row:
                found.append((day, row))
        return found


def answers_of(told: Iterable[Now], first_day: date) -> Answers:
    """What rows of one commitment say, put together by day."""
    parts = [(now.dataset, rows) for now in told for rows in now.rows.values()]
    days = sorted({day for _, rows in parts for day, _ in rows if day is not None})
    first, reached, found = first_day.isoformat(), [0] * len(parts), Answers()
    for day in days:
        datasets, said = [], []
        for number, (dataset, rows) in enumerate(parts):
            at = reached[number]
            while at < len(rows) and (rows[at][0] or date.min) <= day:
                at += 1
            reached[number] = at
            if at:
                datasets.append(dataset)
                said.append(rows[at - 1][1])
        found.append((day, Said(first, _columns(tuple(datasets)), tuple(said))))
    return found


def _on(answers: Answers, day: date) -> Said | None:
    at = bisect_right(answers, day, key=lambda one: one[0])
    return answers[at - 1][1] if at else None


def _differences(before: Answers, after: Answers, upto: date) -> Iterator[tuple[date, date, str, Any, Any]]:
    """On which days up to one what is told otherwise, and from what to what."""
    days = sorted({day for day, _ in (*before, *after) if day <= upto})
    for since, until in zip(days, (*days[1:], upto + timedelta(days=1)), strict=False):
        was, now = _on(before, since), _on(after, since)
        if now is None:
            continue
        if was is None:
            yield since, until, FIRST_DAY, before[0][1].first_day if before else None, now.first_day
        elif (what := _what(was, now)) is not None:
            yield since, until, what, was.get(what), now.get(what)


def _what(was: Said, now: Said) -> str | None:
    """The first of what is said otherwise, and of that rather what follows from nothing else."""
    other: Iterable[str]
    if was.columns is now.columns:
        other = [
            name
            for name, (row, place, _) in now.columns.items()
            if was.rows[row][place] != now.rows[row][place]
        ]
    else:
        other = dict.fromkeys((*STATE_FACTS, *now.columns, *was.columns))
    differing = (name for name in other if (was.get(name) or None) != (now.get(name) or None))
    return min(differing, key=lambda name: name in _LAST, default=None)


def _weight(one: Correction) -> tuple[bool, int]:
    """The order in which the corrections of a day are told: first what states follow from, then the latest."""
    return one.what not in STATE_FACTS, -one.position
