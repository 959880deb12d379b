"""What the days of a commitment were told otherwise before: by which correction or retraction, in what, from what.

A day is told otherwise when what answers say of it is another after the event than before. Only days up to that of the
recording are: of a later one nobody has been told yet.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

import msgspec

from services.reporting.datasets import END_OF_DAYS, STATE_FACTS, Correction, Dataset, Type
from services.reporting.projections.differ import ByDay, Now
from services.reporting.projections.projection import json_text
from shared.eventlog.codec import instant_text
from shared.eventlog.envelope import Recorded
from shared.events.retractions import Retraction

Answers = list[tuple[date, dict[str, Any]]]
"""What answers say of a thing, by name, from which days on; before the first of them there is no such thing."""

FIRST_DAY: Final = "effective_on"
"""What is told otherwise of a day on which the commitment was not there before."""

_FIRST: Final = (
    "closure",
    "public_deadline",
    "judgement",
    "internal_deadline",
    "merged_into",
    "lead_organization",
)
"""Of all that an event changes on a day this is told first: the states follow from it."""

_LAST: Final = ("late_days", "without_deadline")
"""What follows from something else."""

_NOT_TOLD: Final = frozenset({"visibility", "registered_at", "corrected_after_due"})


class Corrections:
    """All of one commitment that are believed."""

    __slots__ = ("known",)

    def __init__(self, known: Iterable[Correction] = ()) -> None:
        self.known = list(known)

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

    def without(self, position: int) -> Corrections:
        """Those that are left when the event at a position is not believed."""
        return Corrections(one for one in self.known if one.position != position)

    @property
    def until(self) -> date:
        """The first day of which none of them speaks any more."""
        return max((one.until for one in self.known), default=date.min)

    @property
    def after_due(self) -> int:
        """How often a public deadline was corrected when it had passed."""
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
            told = _on(answers, day) or {}
            of_day = [
                one for one in self.known if one.since <= day < one.until and told.get(one.what) == one.after
            ]
            row = (json_text(sorted(of_day, key=_weight)),)
            if not found or found[-1][1] != row:
                found.append((day, row))
        return found


def answers_of(told: Iterable[Now], first_day: date) -> Answers:
    """What rows of one commitment say, put together by day."""
    parts = [(now.dataset, rows) for now in told for rows in now.rows.values()]
    days = sorted({day for _, rows in parts for day, _ in rows if day is not None})
    found: Answers = []
    for day in days:
        said: dict[str, Any] = {FIRST_DAY: first_day.isoformat()}
        for dataset, rows in parts:
            values = _row_on(rows, day)
            if values is not None:
                said = dict(_named(dataset, values)) | said
        found.append((day, said))
    return found


def _named(dataset: Dataset, values: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    for field, value in zip(dataset.fields, values, strict=True):
        if not field.name.endswith("_at") and field.name not in _NOT_TOLD:
            if field.value is Type.JSON and value is not None:
                yield field.name, msgspec.json.decode(value)
            else:
                yield field.name, msgspec.to_builtins(value)


def _row_on(rows: ByDay, day: date) -> Sequence[Any] | None:
    at = bisect_right(rows, day, key=lambda row: row[0] or date.min)
    return rows[at - 1][1] if at else None


def _on(answers: Answers, day: date) -> dict[str, Any] | None:
    at = bisect_right(answers, day, key=lambda one: one[0])
    return answers[at - 1][1] if at else None


def _differences(before: Answers, after: Answers, upto: date) -> Iterator[tuple[date, date, str, Any, Any]]:
    """On which days up to one what is told otherwise, and from what to what."""
    days = sorted({day for day, _ in (*before, *after) if day <= upto})
    for since, until in zip(days, (*days[1:], upto + timedelta(days=1)), strict=False):
        was, now = _on(before, since), _on(after, since)
        if now is None or was == now:
            continue
        if was is None:
            yield since, until, FIRST_DAY, before[0][1][FIRST_DAY] if before else None, now[FIRST_DAY]
            continue
        if (what := _what(was, now)) is not None:
            yield since, until, what, was.get(what), now.get(what)


def _what(was: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    other = [
        name
        for name in dict.fromkeys((*STATE_FACTS, *now, *was))
        if name != FIRST_DAY and (was.get(name) or None) != (now.get(name) or None)
    ]
    return min(other, key=lambda name: name in _LAST, default=None)


def _weight(one: Correction) -> tuple[bool, int]:
    """The order in which the corrections of a day are told: first what states follow from, then the latest."""
    return one.what not in STATE_FACTS, -one.position
