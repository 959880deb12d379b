"""The lines of the register: meetings, periods and bodies, each with what is counted of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from services.reporting.queries.moments import instant
from services.reporting.queries.protocols import Protocols, Terms
from shared.eventlog.codec import instant_text


class Stretch(NamedTuple):
    """A period by its name, cut to the days asked about."""

    name: str
    first: date
    last: date


class Days(NamedTuple):
    """The days a register is of, by period, and the civil day of an instant."""

    stretches: list[Stretch]
    day_of: Callable[[datetime], date]

    @property
    def first(self) -> date:
        """The first day."""
        return self.stretches[0].first

    @property
    def last(self) -> date:
        """The last day."""
        return self.stretches[-1].last


class Absence(msgspec.Struct, frozen=True):
    """A seat that nobody took."""

    organization: str | None = None
    position: str | None = None
    condition: str | None = None


class MeetingLine(msgspec.Struct, frozen=True):
    """One meeting, against the protocol in force on its day; what that does not ask for is null."""

    id: UUID
    title: str | None
    state: str
    on: date
    scheduled_at: str
    held_at: str | None
    cancellation: str | None
    agenda_items: int
    agenda_size: int | None
    agenda_exceeded: bool | None
    minutes_circulated_on: date | None
    days_to_minutes: int | None
    minutes_due_on: date | None
    minutes_late: bool | None
    mandatory_absences: list[Absence] | None


class Counts(msgspec.Struct, frozen=True):
    """`expected` in all the days told of, and how many of those were `due` by the day of the answer."""

    expected: int | None
    due: int | None
    held: int
    cancelled: int
    ahead: int
    unrecorded: int
    minutes_late: int | None
    mandatory_absences: int


class PeriodLine(msgspec.Struct, frozen=True):
    """One period of one body."""

    period: str
    from_on: date
    to_on: date
    counts: Counts
    meetings: list[MeetingLine]


class BodyLine(msgspec.Struct, frozen=True):
    """One body; of one that the asker knows only by its published meetings, nothing but these."""

    body: str
    name: str | None
    kind: str | None
    presiding_organization: str | None
    totals: Counts
    periods: list[PeriodLine]


def body_line(
    code: str,
    row: Any | None,
    protocols: Protocols | None,
    since: date | None,
    told: list[Any],
    days: Days,
    on: date,
) -> BodyLine:
    """What a body held on the days asked about; `row` and `protocols` are None for one the asker does not know."""
    lines = sorted(
        (_meeting(meeting, protocols, on, days.day_of) for meeting in told),
        key=lambda line: (line.on, line.scheduled_at, line.id),
    )
    due: list[date] = []
    if protocols is not None and since is not None and since <= days.last:
        due = protocols.due_days(max(since, days.first), days.last)
    periods = []
    for stretch in days.stretches:
        within = [line for line in lines if stretch.first <= line.on <= stretch.last]
        asked = [day for day in due if stretch.first <= day <= stretch.last] if protocols else None
        periods.append(
            PeriodLine(stretch.name, stretch.first, stretch.last, _counts(asked, within, on), within)
        )
    return BodyLine(
        body=code,
        name=row and row.name,
        kind=row and row.kind,
        presiding_organization=row and row.presiding_organization,
        totals=_counts(due if protocols else None, lines, on),
        periods=periods,
    )


def _counts(due: list[date] | None, lines: list[MeetingLine], on: date) -> Counts:
    states = [line.state for line in lines]
    return Counts(
        expected=None if due is None else len(due),
        due=None if due is None else sum(day <= on for day in due),
        held=states.count("held"),
        cancelled=states.count("cancelled"),
        ahead=states.count("convened"),
        unrecorded=states.count("unrecorded"),
        minutes_late=None if due is None else sum(line.minutes_late is True for line in lines),
        mandatory_absences=sum(len(line.mandatory_absences or ()) for line in lines),
    )


def day_of_meeting(meeting: Any, on: date, day_of: Callable[[datetime], date]) -> date:
    """The day of a meeting: on which it was held, if that was by `on`, else on which it was to be."""
    held = meeting.held_time is not None and day_of(instant(meeting.held_time)) <= on
    return day_of(instant(meeting.held_time if held else meeting.scheduled_time))


def _meeting(
    meeting: Any, protocols: Protocols | None, on: date, day_of: Callable[[datetime], date]
) -> MeetingLine:
    day, state = day_of_meeting(meeting, on, day_of), _state(meeting, on, day_of)
    held_on = day if state == "held" else None
    circulated_on = meeting.circulated_on
    if circulated_on is not None and circulated_on > on:
        circulated_on = None
    terms = Terms() if protocols is None else protocols.on(day)
    due_on = None
    if held_on is not None and terms.days_to_minutes is not None:
        due_on = held_on + timedelta(days=terms.days_to_minutes)
    told = held_on is not None and meeting.attendance_told
    return MeetingLine(
        id=meeting.meeting_id,
        title=meeting.title,
        state=state,
        on=day,
        scheduled_at=instant_text(instant(meeting.scheduled_time)),
        held_at=None if held_on is None else instant_text(instant(meeting.held_time)),
        cancellation=meeting.cancellation if state == "cancelled" else None,
        agenda_items=meeting.agenda_items,
        agenda_size=terms.agenda_size,
        agenda_exceeded=None if terms.agenda_size is None else meeting.agenda_items > terms.agenda_size,
        minutes_circulated_on=circulated_on,
        days_to_minutes=(circulated_on - held_on).days if circulated_on and held_on else None,
        minutes_due_on=due_on,
        minutes_late=None if due_on is None else (circulated_on or on) > due_on,
        mandatory_absences=msgspec.json.decode(meeting.absences, type=list[Absence]) if told else None,
    )


def _state(meeting: Any, on: date, day_of: Callable[[datetime], date]) -> str:
    """What a meeting was on a day: `unrecorded` when its own had passed and nothing is known of what became of it."""
    scheduled_on = day_of(instant(meeting.scheduled_time))
    if meeting.held_time is not None and day_of(instant(meeting.held_time)) <= on:
        return "held"
    if meeting.cancelled_time is not None:
        # Called off it was on its own day at the latest, whenever that was told.
        return "cancelled" if min(day_of(instant(meeting.cancelled_time)), scheduled_on) <= on else "convened"
    return "unrecorded" if meeting.held_time is None and scheduled_on < on else "convened"
