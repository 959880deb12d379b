"""The editions that were published, and the calendar of the reports that are owed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, select

from services.reporting.datasets import editions, reports
from services.reporting.queries.access import Scope, readable
from services.reporting.queries.moments import AsOf
from services.reporting.reading import Reading
from shared.errors import InvalidInput, NotFound
from shared.events.editions import Audience, ReportKind
from shared.events.vocabulary import Visibility
from shared.rules.report_calendar import Publication, Schedule, publication

MOST_YEARS: Final = 10
"""Years that one calendar may be of."""


class EditionItem(msgspec.Struct, frozen=True):
    """An edition; `sha256` is that of its content, which is the same for ever."""

    id: UUID
    code: str
    report: Annotated[str, Meta(description="The code of the report it is an edition of.")]
    audience: Audience
    on: Annotated[date, Meta(description="The day it tells of.")]
    due_on: Annotated[date | None, Meta(description="The day on which it was due.")]
    published_on: Annotated[date, Meta(description="The day it was published, as whoever recorded it says.")]
    recorded_on: Annotated[date, Meta(description="The day on which the log learned of it.")]
    status_rule: Annotated[str, Meta(description="The version of the rule its states follow.")]
    template: Annotated[str, Meta(description="The version of what it says and how it is set.")]
    sha256: Annotated[str, Meta(description="Of its JSON, to the letter.")]
    position: Annotated[int, Meta(description="Where in the log it was published.")]
    withdrawn_on: Annotated[
        date | None, Meta(description="The day since which it no longer stands for what it says.")
    ]
    withdrawn_reason: Annotated[str | None, Meta(description="Why.")]
    version: int


class CalendarItem(msgspec.Struct, frozen=True):
    """A day on which a report was due, and what became of it by the day asked about."""

    due_on: date
    report: Annotated[str, Meta(description="The code of the report.")]
    name: str
    kind: ReportKind
    audience: Audience
    addressed_to: Annotated[str | None, Meta(description="Who is given account.")]
    publication: Annotated[
        Publication, Meta(description="In time, late, missing, or due on a day yet to come.")
    ]
    edition: Annotated[
        str | None, Meta(description="The code of the first edition for that day that still stands.")
    ]
    published_on: date | None
    withdrawn: Annotated[list[str], Meta(description="The codes of editions for it that were withdrawn.")]


class EditionFound(NamedTuple):
    """An edition, where it was published, and from how much of the log."""

    item: EditionItem
    recorded_position: int
    position: int


_row: Final = editions.c
_LATEST: Final = (_row.published_on.desc(), _row.recorded_position.desc())
_AUDIENCES: Final = {Visibility.PUBLIC: Audience.PUBLIC, Visibility.INTERNAL: Audience.GOVERNMENT}


def editions_as_of(
    reading: Reading, at: AsOf, scope: Scope, wanted: Sequence[str], *, after: int, limit: int
) -> tuple[list[EditionItem], bool]:
    """The editions published by a day, of some reports or of all, in the order of the log; whether there are more."""
    conditions = [_row.report.in_(wanted)] if wanted else []
    found = _found(reading, at, scope, _row.recorded_position > after, *conditions, limit=limit + 1)
    return [one.item for one in found[:limit]], len(found) > limit


def latest_editions(reading: Reading, at: AsOf, scope: Scope, limit: int) -> list[EditionItem]:
    """The editions that were published last, by a day, of all reports: the latest first."""
    return [one.item for one in _found(reading, at, scope, limit=limit, latest=True)]


def edition_as_of(reading: Reading, at: AsOf, scope: Scope, edition_id: UUID) -> EditionFound:
    """One edition; NotFound when by that day none was published that the asker may read."""
    found = _found(reading, at, scope, _row.edition_id == edition_id, limit=1)
    if not found:
        raise NotFound("edition-not-found", "There is no such edition, or there was none by that day.")
    return found[0]


def all_editions(reading: Reading) -> list[EditionFound]:
    """Every edition on record, in the order of the log."""
    now = AsOf(date.max, reading.position, None)
    return _found(reading, now, Scope("everything", tuple(Visibility)))


def reports_named(reading: Reading, at: AsOf, scope: Scope, codes: Sequence[str]) -> list[str]:
    """The codes of reports as they are on record, whatever the capitals; InvalidInput for one that no report has.

    Whoever may read an edition knows of its report, though that be for others by now.
    """
    if not codes:
        return []
    published = select(_row.report).where(
        editions.known_at(at.position), readable(reading, scope, at.position, editions)
    )
    named = [row.code for row in _reports(reading, at, scope)]
    known = {code.casefold(): code for code in (*reading.connection.execute(published).scalars(), *named)}
    for code in codes:
        if code.casefold() not in known:
            raise InvalidInput(
                "filter-value-unknown", f"There is no report by '{code}'.", pointer="/query/report"
            )
    return [known[code.casefold()] for code in codes]


def calendar_as_of(
    reading: Reading, at: AsOf, scope: Scope, first: date, last: date, wanted: Sequence[str]
) -> list[CalendarItem]:
    """Each day between two on which a report was due, or will be, in order of days and codes of reports."""
    if last.year - first.year >= MOST_YEARS:
        raise InvalidInput("calendar-too-long", f"Ask for {MOST_YEARS} years at most.", pointer="/query/from")
    published: dict[tuple[str, date | None], list[EditionItem]] = {}
    for one in _found(reading, at, scope, _row.due_on.between(first, last)):
        published.setdefault((one.item.report, one.item.due_on), []).append(one.item)
    found = [
        _due(row, day, published.get((row.code, day), []), at.on)
        for row in _reports(reading, at, scope)
        if not wanted or row.code in wanted
        for day in _schedule(row).between(first, last)
    ]
    return sorted(found, key=lambda one: (one.due_on, one.report))


def _due(row: Any, day: date, published: Sequence[EditionItem], on: date) -> CalendarItem:
    standing = [one for one in published if one.withdrawn_on is None]
    first = min(standing, key=lambda one: (one.published_on, one.position), default=None)
    published_on = None if first is None else first.published_on
    return CalendarItem(
        due_on=day,
        report=row.code,
        name=row.name,
        kind=ReportKind(row.kind),
        audience=_AUDIENCES[Visibility(row.visibility)],
        addressed_to=row.addressed_to,
        publication=publication(published_on, day, on),
        edition=None if first is None else first.code,
        published_on=published_on,
        withdrawn=[one.code for one in published if one.withdrawn_on is not None],
    )


def _schedule(row: Any) -> Schedule:
    return Schedule(
        reports.value(row, "days_of_year"), row.every_months, row.days_after, row.in_force_from, row.ended_on
    )


def _reports(reading: Reading, at: AsOf, scope: Scope) -> Sequence[Any]:
    query = select(reports.table).where(
        reports.known_at(at.position), readable(reading, scope, at.position, reports)
    )
    return reading.connection.execute(query).all()


def _found(
    reading: Reading,
    at: AsOf,
    scope: Scope,
    *conditions: ColumnElement[bool],
    limit: int | None = None,
    latest: bool = False,
) -> list[EditionFound]:
    query = (
        select(editions.table)
        .where(
            editions.known_at(at.position),
            readable(reading, scope, at.position, editions),
            _row.published_on <= at.on,
            *conditions,
        )
        .order_by(*_LATEST if latest else (_row.recorded_position,))
        .limit(limit)
    )
    return [_as_found(row, at.on) for row in reading.connection.execute(query)]


def _as_found(row: Any, on: date) -> EditionFound:
    withdrawn = row.withdrawn_on is not None and row.withdrawn_on <= on
    item = EditionItem(
        id=row.edition_id,
        code=row.code,
        report=row.report,
        audience=_AUDIENCES[Visibility(row.visibility)],
        on=row.tells_of,
        due_on=row.due_on,
        published_on=row.published_on,
        recorded_on=row.recorded_on,
        status_rule=row.status_rule,
        template=row.template,
        sha256=row.sha256,
        position=row.recorded_position,
        withdrawn_on=row.withdrawn_on if withdrawn else None,
        withdrawn_reason=row.withdrawn_reason if withdrawn else None,
        version=1 if row.withdrawn_on is None else 2,
    )
    return EditionFound(item, row.recorded_position, row.position)
