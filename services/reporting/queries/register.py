"""The register of meetings: what each body held, against what its protocol asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import func, or_, select

from services.reporting.datasets import bodies, meetings, readers
from services.reporting.queries.access import Scope, readable_things, shown_on
from services.reporting.queries.corrected import Corrected
from services.reporting.queries.corrections import Corrections, corrections_on
from services.reporting.queries.moments import AsOf, InstantText
from services.reporting.reading import Reading
from shared.events.meeting_vocabulary import BodyKind, ProtocolPeriod
from shared.http.schemas import one_of
from shared.rules.protocols import (
    Expected,
    InForce,
    Terms,
    Told,
    counts_on,
    expected_between,
    whole_months,
)

Protocols = InForce[Terms]


class RegisterPeriod(StrEnum):
    """By what the register is divided."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


UNDISCLOSED: Final = "undisclosed"
NO_ORGANIZATION: Final = "none"

_MONTHS: Final = {RegisterPeriod.MONTH: 1, RegisterPeriod.QUARTER: 3, RegisterPeriod.YEAR: 12}


class RegisterFilters(NamedTuple):
    """Which bodies the register is of; an empty sequence admits all."""

    body: Sequence[str] = ()
    kind: Sequence[str] = ()
    organization: Sequence[str] = ()


class Period(NamedTuple):
    """A period by its name, cut to the days asked about."""

    name: str
    first: date
    last: date


class Absence(msgspec.Struct, frozen=True):
    """A seat that nobody took, or a recipient that was not sent the minutes."""

    organization: str | None = None
    position: str | None = None
    condition: str | None = None


MeetingState = Literal["convened", "held", "cancelled", "unrecorded"]


class MeetingLine(msgspec.Struct, frozen=True):
    """A meeting, against the protocol in force on its day; what that does not ask for is null."""

    id: UUID
    title: str | None
    state: Annotated[
        MeetingState,
        Meta(
            description="On the day asked about: `convened`, `held`, `cancelled`, or `unrecorded` when the day it was "
            "to be had passed and neither its holding nor its cancellation nor another day is on record."
        ),
    ]
    on: Annotated[date, Meta(description="The day it was held, or was to be.")]
    counts_on: Annotated[
        date,
        Meta(
            description="The day on which it counts for its body: its own or, where the protocol expects meetings in a "
            "week, the Thursday of its week."
        ),
    ]
    scheduled_at: InstantText
    held_at: InstantText | None
    cancellation: Annotated[str | None, Meta(description="Why it was cancelled.")]
    agenda_items: int
    agenda_size: Annotated[int | None, Meta(description="How many the protocol asks for.")]
    agenda_exceeded: bool | None
    minutes_circulated_on: date | None
    days_to_minutes: int | None
    minutes_due_on: date | None
    minutes_late: Annotated[
        bool | None, Meta(description="Circulated after that day, or not yet and the day is past.")
    ]
    mandatory_absences: Annotated[list[Absence] | None, Meta(description="Null when nobody told who came.")]
    recipients_missing: Annotated[
        list[Absence] | None,
        Meta(
            description="Those of the protocol that the minutes were not sent to. Null until they are approved."
        ),
    ]
    corrected: Annotated[
        Corrected | None, Meta(description="How it is told otherwise of this day than before.")
    ]


class Counts(msgspec.Struct, frozen=True):
    """Counts of meetings; what follows from a protocol is null for those who may not know of the body."""

    expected: Annotated[int | None, Meta(description="As the protocol in force on each day asked.")]
    due: Annotated[int | None, Meta(description="How many of those were due by the day asked about.")]
    held: int
    cancelled: int
    ahead: Annotated[int, Meta(description="Convened and still to come.")]
    unrecorded: Annotated[
        int,
        Meta(
            description="Their day has passed, and nothing is on record of what became of them: neither held nor "
            "cancelled nor moved to another day."
        ),
    ]
    minutes_late: int | None
    mandatory_absences: int


class MeetingCounts(msgspec.Struct, frozen=True):
    """Counts of meetings, each on its own day."""

    held: int
    cancelled: int
    ahead: int
    unrecorded: int


class MeetingPeriodTotal(msgspec.Struct, frozen=True):
    """The meetings of one period."""

    period: Annotated[str, Meta(examples=["2012-08"])]
    from_on: date
    to_on: date
    counts: MeetingCounts


class MeetingTotal(msgspec.Struct, frozen=True):
    """Meetings, in all and period by period."""

    counts: MeetingCounts
    periods: list[MeetingPeriodTotal]


class MeetingGroupTotal(MeetingTotal, frozen=True):
    """The meetings of one kind of body, or of one organisation."""

    group: Annotated[
        str,
        Meta(
            description="A kind of body, or the code of an organisation that presides or that the meeting is with; "
            "`undisclosed` for those of bodies that the asker knows by published meetings only, `none` for those that "
            "name no organisation."
        ),
    ]


class MeetingTotals(MeetingTotal, frozen=True):
    """Over all bodies that the filters admit: each meeting that the asker may read, on its own day.

    A meeting with several organisations is one of each: what stands there may be more than the whole.
    """

    by_kind: list[MeetingGroupTotal]
    by_organization: list[MeetingGroupTotal]


class PeriodLine(msgspec.Struct, frozen=True):
    """One period of one body."""

    period: Annotated[str, Meta(examples=["2012-08"])]
    from_on: date
    to_on: date
    counts: Counts
    meetings: list[MeetingLine]


class BodyLine(msgspec.Struct, frozen=True):
    """One body; of one that the asker knows by its published meetings only, these and nothing else."""

    body: Annotated[str, Meta(examples=["SEG"])]
    name: str | None
    kind: Annotated[str, one_of(BodyKind)] | None
    presiding_organization: str | None
    corrected: Annotated[
        Corrected | None,
        Meta(
            description="How the body, or what its protocol asks for, is told otherwise of this day than before."
        ),
    ]
    totals: Counts
    periods: list[PeriodLine]


_absences = msgspec.json.Decoder(list[Absence]).decode


def periods_between(first: date, last: date, period: RegisterPeriod, most: int) -> list[Period] | None:
    """The periods from one day to another, both included; None when there are more than `most`."""
    months = _MONTHS[period]
    begins, ends = ((day.year * 12 + day.month - 1) // months for day in (first, last))
    if ends - begins >= most:
        return None
    found: list[Period] = []
    for number in range(begins, ends + 1):
        start, end = whole_months(number * months, months)
        found.append(Period(_name(start, period), max(first, start), min(last, end)))
    return found


def _name(first: date, period: RegisterPeriod) -> str:
    match period:
        case RegisterPeriod.MONTH:
            return f"{first.year:04}-{first.month:02}"
        case RegisterPeriod.QUARTER:
            return f"{first.year:04}-Q{first.month // 3 + 1}"
        case RegisterPeriod.YEAR:
            return f"{first.year:04}"


def register_as_of(
    reading: Reading,
    at: AsOf,
    scope: Scope,
    periods: Sequence[Period],
    filters: RegisterFilters,
    *,
    after: str | None = None,
    limit: int = 50,
) -> tuple[list[BodyLine], bool]:
    """The bodies in order of their code, from beyond `after`; and whether more follow."""
    known = {row.code: row for row in _bodies(reading, at, scope, filters)}
    protocols = _protocols(reading, at, known)
    found: dict[str, list[Any]] = defaultdict(list)
    for meeting in _meetings(reading, at, scope, periods, filters, protocols):
        day = _counts_on(_day_of(meeting, at.on), protocols.get(meeting.body))
        if periods[0].first <= day <= periods[-1].last:
            found[meeting.body].append(meeting)
    codes = sorted(code for code in known.keys() | found.keys() if after is None or code > after)
    page = codes[:limit]
    begun = _first_days(reading, at, scope, [code for code in page if code in known])
    shown = {known[code].body_id for code in page if code in known}
    shown |= {meeting.meeting_id for code in page for meeting in found.get(code, ())}
    corrections = corrections_on(reading, at, scope, shown)
    items = []
    for code in page:
        own = protocols.get(code)
        expected = None
        if own is not None:
            met_on = begun.get(code, date.max)
            expected = expected_between(own, periods[0].first, periods[-1].last, met_on=met_on)
        lines = [_meeting_line(meeting, own, at.on, corrections) for meeting in found.get(code, ())]
        items.append(_body_line(code, known.get(code), expected, lines, periods, at.on, corrections))
    return items, len(codes) > limit


def totals_as_of(
    reading: Reading, at: AsOf, scope: Scope, periods: Sequence[Period], filters: RegisterFilters
) -> MeetingTotals:
    """The meetings of all bodies, in each period: by the kind of their body, and by organisation."""
    known = {row.code: row for row in _bodies(reading, at, scope, filters)}
    found = _meetings(reading, at, scope, periods, filters, known)
    with_whom = _organizations(reading, at, periods)
    all_of_them = _Tally(periods)
    kinds: dict[str, _Tally] = defaultdict(lambda: _Tally(periods))
    organizations: dict[str, _Tally] = defaultdict(lambda: _Tally(periods))
    for meeting in found:
        day = _day_of(meeting, at.on)
        if not periods[0].first <= day <= periods[-1].last:
            continue
        state, body = _state(meeting, at.on), known.get(meeting.body)
        named = {UNDISCLOSED}
        if body is not None:
            named = {*with_whom[meeting.meeting_id], body.presiding_organization} - {None} or {
                NO_ORGANIZATION
            }
        for tally in (
            all_of_them,
            kinds[UNDISCLOSED if body is None else body.kind],
            *(organizations[code] for code in named),
        ):
            tally.add(day, state)
    return MeetingTotals(
        *all_of_them.told(),
        by_kind=[MeetingGroupTotal(*tally.told(), group=kind) for kind, tally in sorted(kinds.items())],
        by_organization=[
            MeetingGroupTotal(*tally.told(), group=code) for code, tally in sorted(organizations.items())
        ],
    )


class _Tally:
    """How many meetings were in each state, by period."""

    def __init__(self, periods: Sequence[Period]) -> None:
        self._periods = periods
        self._states: list[Counter[str]] = [Counter() for _ in periods]

    def add(self, day: date, state: str) -> None:
        self._states[bisect_right(self._periods, day, key=lambda period: period.first) - 1][state] += 1

    def told(self) -> tuple[MeetingCounts, list[MeetingPeriodTotal]]:
        each = [
            MeetingPeriodTotal(*period, _meeting_counts(states))
            for period, states in zip(self._periods, self._states, strict=True)
        ]
        return _meeting_counts(sum(self._states, Counter())), each


def _meeting_counts(states: Counter[str]) -> MeetingCounts:
    return MeetingCounts(states["held"], states["cancelled"], states["convened"], states["unrecorded"])


def _organizations(reading: Reading, at: AsOf, periods: Sequence[Period]) -> dict[UUID, list[str]]:
    """By meeting: the organisations it is with."""
    row, days = meetings.c, (periods[0].first, periods[-1].last)
    there = select(row.meeting_id).where(
        meetings.known_at(at.position), or_(row.scheduled_on.between(*days), row.held_on.between(*days))
    )
    found: dict[UUID, list[str]] = defaultdict(list)
    for code, meeting in reading.connection.execute(
        select(readers.c.organization, readers.c.thing_id).where(
            readers.c.thing_id.in_(there), readers.c.concerned, readers.known_at(at.position)
        )
    ):
        found[meeting].append(code)
    return found


def _bodies(reading: Reading, at: AsOf, scope: Scope, filters: RegisterFilters) -> list[Any]:
    """The bodies that the asker may read."""
    row = bodies.c
    query = readable_things(reading, scope, at.position, bodies, bodies.table)
    query = query.where(*bodies.admits(filters._asdict()))
    if filters.organization:
        concerned = select(readers.c.thing_id).where(
            readers.c.organization.in_(filters.organization), readers.known_at(at.position)
        )
        presides = row.presiding_organization.in_(filters.organization)
        query = query.where(or_(presides, row.body_id.in_(concerned)))
    return list(reading.connection.execute(query).all())


def _meetings(
    reading: Reading,
    at: AsOf,
    scope: Scope,
    periods: Sequence[Period],
    filters: RegisterFilters,
    known: Collection[str],
) -> Iterator[Any]:
    """The meetings that may count on the days asked about and that the asker may read; `known` are the bodies known."""
    row, first, last = meetings.c, periods[0].first, periods[-1].last
    # Some count with their week, and that on its Thursday.
    begin = date.fromordinal(max(first.toordinal() - 3, 1))
    end = date.fromordinal(min(last.toordinal() + 3, date.max.toordinal()))
    query = readable_things(reading, scope, at.position, meetings, meetings.table).where(
        shown_on(scope, at.on, at.position, row.meeting_id),
        or_(row.scheduled_on.between(begin, end), row.held_on.between(begin, end)),
    )
    if filters.body:
        query = query.where(row.body.in_(filters.body))
    if filters.kind or filters.organization:
        # Of a body that the asker does not know, they do not know what kind it is or whom it is with, either.
        query = query.where(row.body.in_(sorted(known)))
    return iter(reading.connection.execute(query.order_by(row.convened_at)))


def _protocols(reading: Reading, at: AsOf, codes: Iterable[str]) -> dict[str, Protocols]:
    """By body: what was asked of it, from which days on."""
    told: dict[str, list[Told[Terms]]] = defaultdict(list)
    row = bodies.c
    for one in reading.connection.execute(
        select(bodies.table)
        .where(row.code.in_(sorted(codes)), row.known_from <= at.position)
        .order_by(row.known_from)
    ):
        period = None if one.expected_period is None else ProtocolPeriod(one.expected_period)
        terms = Terms(one.expected_meetings, period, one.days_to_minutes, one.agenda_size)
        told[one.code].append(Told(one.in_force_from, one.recorded_on, terms))
    return {code: InForce(found) for code, found in told.items()}


def _counts_on(day: date, protocols: Protocols | None) -> date:
    return day if protocols is None else counts_on(protocols, day)


def _first_days(reading: Reading, at: AsOf, scope: Scope, codes: list[str]) -> dict[str, date]:
    """By body: the day of its first meeting."""
    row = meetings.c
    day = func.min(func.coalesce(row.held_on, row.scheduled_on))
    query = readable_things(reading, scope, at.position, meetings, row.body, day)
    shown = shown_on(scope, at.on, at.position, row.meeting_id)
    found = reading.connection.execute(query.where(row.body.in_(codes), shown).group_by(row.body))
    return {row[0]: row[1] for row in found}


def _body_line(
    code: str,
    body: Any | None,
    expected: list[Expected] | None,
    lines: list[MeetingLine],
    periods: Sequence[Period],
    on: date,
    corrections: Corrections,
) -> BodyLine:
    """What a body held on the days asked about; `body` and `expected` are None for one the asker does not know."""
    lines.sort(key=lambda line: (line.counts_on, line.on, line.scheduled_at, line.id))
    return BodyLine(
        body=code,
        name=body and body.name,
        kind=body and body.kind,
        presiding_organization=body and body.presiding_organization,
        corrected=None if body is None else corrections.told(body.body_id),
        totals=_counts(expected, lines, on),
        periods=list(_period_lines(periods, expected, lines, on)),
    )


def _period_lines(
    periods: Sequence[Period], expected: list[Expected] | None, lines: list[MeetingLine], on: date
) -> Iterator[PeriodLine]:
    """The periods one after the other, as what was held and what was expected are in the order in which they count."""
    line, asked = 0, 0
    for period in periods:
        first_line, first_asked = line, asked
        while line < len(lines) and lines[line].counts_on <= period.last:
            line += 1
        while expected is not None and asked < len(expected) and expected[asked].counts_on <= period.last:
            asked += 1
        within = lines[first_line:line]
        counts = _counts(None if expected is None else expected[first_asked:asked], within, on)
        yield PeriodLine(period.name, period.first, period.last, counts, within)


def _counts(expected: list[Expected] | None, lines: list[MeetingLine], on: date) -> Counts:
    states = [line.state for line in lines]
    return Counts(
        expected=None if expected is None else len(expected),
        due=None if expected is None else sum(one.due_on <= on for one in expected),
        held=states.count("held"),
        cancelled=states.count("cancelled"),
        ahead=states.count("convened"),
        unrecorded=states.count("unrecorded"),
        minutes_late=None if expected is None else sum(line.minutes_late is True for line in lines),
        mandatory_absences=sum(len(line.mandatory_absences or ()) for line in lines),
    )


def _day_of(meeting: Any, on: date) -> date:
    """The day of a meeting: on which it was held, if that was by `on`, else on which it was to be."""
    held_on: date | None = meeting.held_on
    scheduled_on: date = meeting.scheduled_on
    return held_on if held_on is not None and held_on <= on else scheduled_on


def _meeting_line(
    meeting: Any, protocols: Protocols | None, on: date, corrections: Corrections
) -> MeetingLine:
    day, state = _day_of(meeting, on), _state(meeting, on)
    held_on = day if state == "held" else None
    circulated_on = meeting.circulated_on
    if circulated_on is not None and circulated_on > on:
        circulated_on = None
    terms = (protocols and protocols.on(day)) or Terms()
    due_on = None
    if held_on is not None and terms.days_to_minutes is not None:
        due_on = held_on + timedelta(days=terms.days_to_minutes)
    return MeetingLine(
        id=meeting.meeting_id,
        title=meeting.title,
        state=state,
        on=day,
        counts_on=_counts_on(day, protocols),
        scheduled_at=meeting.scheduled_at,
        held_at=None if held_on is None else meeting.held_at,
        cancellation=meeting.cancellation if state == "cancelled" else None,
        agenda_items=meeting.agenda_items,
        agenda_size=terms.agenda_size,
        agenda_exceeded=None if terms.agenda_size is None else meeting.agenda_items > terms.agenda_size,
        minutes_circulated_on=circulated_on,
        days_to_minutes=(circulated_on - held_on).days if circulated_on and held_on else None,
        minutes_due_on=due_on,
        minutes_late=None if due_on is None else (circulated_on or on) > due_on,
        mandatory_absences=_absences(meeting.absences) if held_on and meeting.attendance_recorded else None,
        recipients_missing=_absences(meeting.recipients_missing)
        if held_on and meeting.recipients_missing is not None
        else None,
        corrected=corrections.told(meeting.meeting_id),
    )


def _state(meeting: Any, on: date) -> MeetingState:
    """What a meeting was on a day: `unrecorded` when its own had passed and nothing is known of what became of it."""
    if meeting.held_on is not None and meeting.held_on <= on:
        return "held"
    if meeting.cancelled_on is not None:
        # Called off it was on its own day at the latest, whenever that was recorded.
        return "cancelled" if min(meeting.cancelled_on, meeting.scheduled_on) <= on else "convened"
    return "unrecorded" if meeting.held_on is None and meeting.scheduled_on < on else "convened"
