"""What the days of a thing were told otherwise before: by which correction or retraction, in what, from what.

A day is told otherwise when what answers say of it is another after an event than before. Only days up to that of the
recording are: of a later one nobody has been told yet. What holds on all days whatever day it is of (how a body is
described, what is on an agenda) tells no day otherwise but those before it was recorded.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, ClassVar, Final, NamedTuple

import msgspec

from services.reporting.datasets import END_OF_DAYS, STATE_FACTS, Dataset, Type, corrections
from services.reporting.projections.differ import NOTHING, ByDay, Key, Now, Values
from services.reporting.projections.projection import DayOf, json_text
from shared.eventlog.codec import instant_text
from shared.eventlog.envelope import Recorded
from shared.events.commitments import Corrected
from shared.events.facts import Event
from shared.events.indicators import MeasurementCorrected
from shared.events.meetings import AttendanceCorrected
from shared.events.retractions import Retraction
from shared.events.types import Kind
from shared.events.vocabulary import Visibility

FIRST_DAY: Final = "effective_on"
"""What is told otherwise of a day on which a thing was not there before, or is not there any more."""

_LAST: Final = (
    "late_days",
    "without_deadline",
    "budget_gap",
    "unrecorded",
    "indicator_verdict",
    "warning_sign",
)
"""What follows from something else."""

_EXPLAINING: Final = frozenset(f"{name}_at" for name in (*STATE_FACTS, "due_on", "ending"))
"""By which event something is explained."""

_NOT_TOLD: Final = frozenset(
    {
        "visibility",
        "corrected_after_due",
        "assigned_at",
        "registered_at",
        "lead_at",
        "owner_at",
        "bill_stage",
        "bill_stage_at",
    }
)

_BY_ITSELF: Final = (Retraction, Corrected, AttendanceCorrected, MeasurementCorrected)
"""What corrects the day on which it is recorded as well."""

_DAY: Final = timedelta(days=1)

Said = Mapping[str, Any]
"""What answers say of a thing on a day, by name, as JSON has it.

What stands there with a position, such as an acknowledgement, is one value. Under `…_at` are the positions by which
what is said is explained.
"""

Answers = list[tuple[date, Said]]
"""What is said from which days on; before the first of them there is no such thing."""


class About(NamedTuple):
    """Which thing, of which kind."""

    kind: Kind
    thing: str
    code: str


class Telling(ABC):
    """A projection of a thing of which it is remembered how its days were told before."""

    __slots__ = ()

    CORRECTING: ClassVar[frozenset[type[Event]]]
    """The events that may tell days otherwise that were told already, besides retractions."""

    @property
    @abstractmethod
    def about(self) -> About:
        """Which thing it is."""

    @abstractmethod
    def answers(self) -> Answers:
        """What answers say of it by day."""

    def shown_on(self, _day: date) -> Visibility:
        """Who may read what is told of it for a day: everybody, unless it says otherwise."""
        return Visibility.PUBLIC

    def days_shown(self) -> Iterable[date]:
        """The days from which others may."""
        return ()

    def may_change(self, _event: Event, _what: str) -> bool:
        """Whether an event may change what answers say by this name: any, unless it says otherwise."""
        return True

    def corrected(self, _known: Corrections) -> Iterable[Now]:
        """What else it has to say since something more, or less, of it is corrected."""
        return ()


class _Correction(msgspec.Struct, frozen=True):
    """Days that are told otherwise since an event."""

    since: date
    until: date
    what: str
    before: Any
    after: Any
    removed: bool
    position: int
    recorded_on: date
    recorded: Values
    """All else that is recorded of the event, in the order of the dataset."""


class Corrections:
    """All of one thing that are believed."""

    __slots__ = ("known",)

    def __init__(self, known: Iterable[_Correction] = ()) -> None:
        self.known = list(known)

    def note(self, before: Answers, after: Answers, recorded: Recorded, day_of: DayOf) -> None:
        """Compare what was told before an event with what is told after it."""
        recorded_on = day_of(recorded.recorded_at)
        upto = recorded_on if isinstance(recorded.data, _BY_ITSELF) else recorded_on - _DAY
        rest = (
            isinstance(recorded.data, Retraction),
            getattr(recorded.data, "reason", None),
            recorded_on,
            instant_text(recorded.recorded_at),
            json_text(recorded.recorded_by),
        )
        self.known += [
            _Correction(since, until, what, was, now, removed, recorded.position, recorded_on, rest)
            for since, until, what, was, now, removed in _differences(before, after, upto)
        ]

    def without(self, position: int) -> Corrections:
        """Those that are left when the event at a position is not believed."""
        return Corrections(one for one in self.known if one.position != position)

    @property
    def until(self) -> date:
        """The first day of which none of them speaks any more."""
        return max((one.until for one in self.known), default=date.min)

    @property
    def names(self) -> set[str]:
        """In what the thing was told otherwise."""
        return {one.what for one in self.known}

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

    def by_day(self, telling: Telling, *, gone: bool = False) -> Now:
        """Those by which days are told as they are now: what was told anew since speaks for itself.

        What is `gone` altogether was there before an event said that it never was.
        """
        about, answers = telling.about, [] if gone else telling.answers()
        cuts = sorted({*(day for day, _ in answers), *telling.days_shown()})
        found: dict[Key, ByDay] = {}
        for one in self.known:
            rows = found.setdefault((about.thing, one.position), [])
            for day in (one.since, *(cut for cut in cuts if one.since < cut < one.until)):
                said = _on(answers, day)
                told = said is None if one.removed else said is not None and said.get(one.what) == one.after
                if not told:
                    _add(rows, day, NOTHING)
                    continue
                values = (
                    about.kind.value,
                    about.code,
                    one.what,
                    *(None if value is None else json_text(value) for value in (one.before, one.after)),
                    one.removed,
                    *one.recorded,
                    telling.shown_on(day).value,
                )
                _add(rows, day, values)
            if one.until < END_OF_DAYS:
                _add(rows, one.until, NOTHING)
        return Now(corrections, found)


def _add(rows: ByDay, day: date, values: Values) -> None:
    if rows and rows[-1][0] == day:
        rows.pop()
    if values != (rows[-1][1] if rows else NOTHING):
        rows.append((day, values))


def answers_of(told: Iterable[Now], first_day: date) -> Answers:
    """What rows of one thing say, put together by day; of a name in two datasets, what the first says."""
    parts = [
        [(day or date.min, _said(now.dataset, key, day, values)) for day, values in rows]
        for now in told
        for key, rows in now.rows.items()
    ]
    days = {first_day, *(day for part in parts for day, _ in part if day > first_day)}
    found = Answers()
    for day in sorted(days):
        said: dict[str, Any] = {FIRST_DAY: first_day.isoformat()}
        for part in parts:
            at = bisect_right(part, day, key=lambda one: one[0])
            said = {**(part[at - 1][1] if at else {}), **said}
        found.append((day, said))
    return found


def _said(dataset: Dataset, key: Key, day: date | None, values: Values) -> Said:
    named = dict(zip((field.name for field in dataset.fields), values, strict=True))
    told = {
        name: _as_json(dataset, name, value)
        for name, value in named.items()
        if name not in _NOT_TOLD and not name.startswith("recorded_")
    }
    position = named.get("recorded_position")
    if position is None and len(key) == 1:
        return told
    which = {field.name: value for field, value in zip(dataset.key[1:], key[1:], strict=True)}
    name = " ".join(map(str, (dataset.name.removesuffix("s"), *which.values())))
    if position is not None:
        told |= {"effective_on": msgspec.to_builtins(day), "position": position}
    return {name: {**which, **told} if any(told.values()) else None}


def _as_json(dataset: Dataset, name: str, value: Any) -> Any:
    if dataset.by_name[name].value is Type.JSON and value is not None:
        return msgspec.json.decode(value)
    return msgspec.to_builtins(value)


def _on(answers: Answers, day: date) -> Said | None:
    at = bisect_right(answers, day, key=lambda one: one[0])
    return answers[at - 1][1] if at else None


def _differences(
    before: Answers, after: Answers, upto: date
) -> Iterator[tuple[date, date, str, Any, Any, bool]]:
    """On which days up to one what is told otherwise, from what to what; and whether it is there no more."""
    days = sorted({day for day, _ in (*before, *after) if day <= upto})
    for since, until in zip(days, (*days[1:], upto + _DAY), strict=False):
        was, now = _on(before, since), _on(after, since)
        if was is None and now is None:
            continue
        if was is None or now is None:
            first, then = (said[0][1].get(FIRST_DAY) if said else None for said in (before, after))
            yield since, until, FIRST_DAY, first, then, now is None
        elif (what := _what(was, now)) is not None:
            yield since, until, what, was.get(what), now.get(what), False


def _what(was: Said, now: Said) -> str | None:
    """The first of what is said otherwise, and of that rather what follows from nothing else."""
    names = (name for name in dict.fromkeys((*STATE_FACTS, "ending", *was, *now)) if name != FIRST_DAY)
    differing = (name for name in names if (was.get(name) or None) != (now.get(name) or None))
    first = min(differing, key=_rank, default=None)
    return first.removesuffix("_at") if first in _EXPLAINING else first


def _rank(name: str) -> int:
    """What is said comes first, then what follows from it, and last by which event it is explained."""
    return 2 if name in _EXPLAINING else int(name.partition(" ")[0] in _LAST)
