"""The register of meetings: what each body held, against what its protocol asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select

from services.reporting.queries.moments import AsOf, believed, instant, midnight
from services.reporting.queries.protocols import Protocols, Terms, whole_months
from services.reporting.queries.register_lines import BodyLine, Days, Stretch, body_line, day_of_meeting
from services.reporting.queries.scope import Scope, knows_of
from services.reporting.reading import Reading
from services.reporting.tables import bodies, circles, meetings
from shared.events.meeting_vocabulary import ProtocolPeriod

_WIDE: Final = timedelta(days=2) // timedelta(microseconds=1)
"""No civil day begins or ends as far as this from the beginning of that day in UTC."""


class RegisterPeriod(StrEnum):
    """By what the register is divided."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


_MONTHS: Final = {RegisterPeriod.MONTH: 1, RegisterPeriod.QUARTER: 3, RegisterPeriod.YEAR: 12}


class RegisterFilters(NamedTuple):
    """Which bodies the register is of; an empty sequence admits all."""

    body: Sequence[str] = ()
    kind: Sequence[str] = ()
    organization: Sequence[str] = ()


def stretches(first: date, last: date, period: RegisterPeriod, most: int) -> list[Stretch] | None:
    """The periods from one day to another, both included; None when there are more than `most`."""
    months = _MONTHS[period]
    begins, ends = ((day.year * 12 + day.month - 1) // months for day in (first, last))
    if ends - begins >= most:
        return None
    found: list[Stretch] = []
    for number in range(begins, ends + 1):
        start, end = whole_months(number * months, months)
        found.append(Stretch(_name(start, period), max(first, start), min(last, end)))
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
    days: Days,
    filters: RegisterFilters,
    *,
    after: str | None = None,
    limit: int = 50,
) -> tuple[list[BodyLine], bool]:
    """The bodies in order of their code, from beyond `after`; and whether more follow."""
    known = {row.code: row for row in _bodies(reading, at, scope, filters)}
    told = _meetings(reading, at, scope, days, filters, known)
    codes = sorted(code for code in known.keys() | told.keys() if after is None or code > after)
    page = codes[:limit]
    histories = _histories(reading, at, days, [known[code].body_id for code in page if code in known])
    begun = _first_days(reading, at, scope, days, [code for code in page if code in known])
    items = []
    for code in page:
        row = known.get(code)
        protocols = None
        if row is not None:
            protocols = Protocols(histories[row.body_id])
        since = begun.get(code)
        if protocols is not None:
            since = min(since or date.max, protocols.terms[0][0])
        items.append(body_line(code, row, protocols, since, told.get(code, []), days, at.on))
    return items, len(codes) > limit


def _bodies(reading: Reading, at: AsOf, scope: Scope, filters: RegisterFilters) -> list[Any]:
    """The bodies that the asker may know of."""
    conditions = [believed(bodies, at.position), knows_of(scope, at.position, bodies.c.body_id)]
    if filters.body:
        conditions.append(bodies.c.code.in_(filters.body))
    if filters.kind:
        conditions.append(bodies.c.kind.in_(filters.kind))
    if filters.organization:
        concerned = select(circles.c.thing_id).where(
            circles.c.organization.in_(filters.organization), believed(circles, at.position)
        )
        conditions.append(
            or_(
                bodies.c.presiding_organization.in_(filters.organization),
                bodies.c.body_id.in_(concerned),
            )
        )
    return list(reading.connection.execute(select(bodies).where(*conditions)).all())


def _meetings(
    reading: Reading,
    at: AsOf,
    scope: Scope,
    days: Days,
    filters: RegisterFilters,
    known: dict[str, Any],
) -> dict[str, list[Any]]:
    """By body: the meetings that the asker may know of, and which may fall on the days asked about."""
    earliest, latest = midnight(days.first) - _WIDE, midnight(days.last) + _WIDE
    row = meetings.c
    conditions = [
        _visible(at, scope),
        or_(row.scheduled_time.between(earliest, latest), row.held_time.between(earliest, latest)),
    ]
    if filters.body:
        conditions.append(row.body.in_(filters.body))
    if filters.kind or filters.organization:
        # Of a body that the asker does not know, they do not know what kind it is or whom it is with, either.
        conditions.append(row.body.in_(sorted(known)))
    found: dict[str, list[Any]] = defaultdict(list)
    for meeting in reading.connection.execute(select(meetings).where(*conditions).order_by(row.convened_at)):
        day = day_of_meeting(meeting, at.on, days.day_of)
        if days.first <= day <= days.last:
            found[meeting.body].append(meeting)
    return found


def _histories(
    reading: Reading, at: AsOf, days: Days, ids: list[UUID]
) -> dict[UUID, list[tuple[date, Terms]]]:
    """By body: what was asked of it, from which days on."""
    found: dict[UUID, list[tuple[date, Terms]]] = defaultdict(list)
    for row in reading.connection.execute(
        select(bodies)
        .where(bodies.c.body_id.in_(ids), bodies.c.believed_from <= at.position)
        .order_by(bodies.c.believed_from)
    ):
        period = None if row.expected_period is None else ProtocolPeriod(row.expected_period)
        terms = Terms(row.expected_meetings, period, row.days_to_minutes, row.agenda_size)
        found[row.body_id].append((days.day_of(instant(row.told_time)), terms))
    return found


def _first_days(reading: Reading, at: AsOf, scope: Scope, days: Days, codes: list[str]) -> dict[str, date]:
    """By body: the day of its first meeting."""
    time = func.min(func.coalesce(meetings.c.held_time, meetings.c.scheduled_time))
    rows = reading.connection.execute(
        select(meetings.c.body, time)
        .where(_visible(at, scope), meetings.c.body.in_(codes))
        .group_by(meetings.c.body)
    )
    return {body: days.day_of(instant(first)) for body, first in rows}


def _visible(at: AsOf, scope: Scope) -> ColumnElement[bool]:
    return and_(believed(meetings, at.position), knows_of(scope, at.position, meetings.c.meeting_id))
