"""What the reporting cycles expected, what came in time, and what is waited for.

Expected is a report of each commitment that the asker may read, to which a cycle applies, and that was open on the last
day of a period; it is counted with who led it and who advised on it on that day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Subquery, and_, case, func, literal, null, or_, select, tuple_
from sqlalchemy import Text as SqlText

from services.reporting.datasets import (
    ORGANIZATION,
    action_items,
    commitment_states,
    commitments,
    cycles,
    meetings,
    observations,
    progress_reports,
)
from services.reporting.queries.access import Scope, readable
from services.reporting.queries.action_items import ActionItemFilters, Key, action_items_as_of
from services.reporting.queries.decision_items import Reader
from services.reporting.queries.decisions import DecisionFilters, decisions_as_of
from services.reporting.queries.moments import AsOf
from services.reporting.queries.names import names_at
from services.reporting.queries.pillars import described, parents_giving_pillars
from services.reporting.queries.states import rows_there
from services.reporting.reading import Reading
from shared.events.cycles import CycleFrequency
from shared.events.vocabulary import ReviewOutcome
from shared.rules.action_item_state import ActionItemState
from shared.rules.periods import Period
from shared.rules.timeliness import Cycle

_state: Final = commitment_states.c
_report: Final = progress_reports.c

GROUPS: Final = ("cycle", "period", "organization", "adviser")
REVIEWS: Final = ("pending", *ReviewOutcome)
"""What became of a report: nobody has looked at it yet, or what the review said."""


class TimelinessFilters(NamedTuple):
    """Of what the reports are counted; an empty sequence admits all."""

    cycle: Sequence[str] = ()
    organization: Sequence[str] = ()
    adviser: Sequence[str] = ()
    first: date = date.min
    last: date = date.max
    """Periods that end between these days."""


class Timely(msgspec.Struct, frozen=True):
    """How many reports were expected, and what came of them: expected = on time + late + missing + awaited."""

    expected: int
    received: Annotated[int, Meta(description="On time or late; a report of no change is one.")]
    on_time: int
    late: Annotated[int, Meta(description="Received after the due day.")]
    missing: Annotated[int, Meta(description="Not received, and the due day has passed.")]
    awaited: Annotated[int, Meta(description="Not received, and the due day has not passed.")]
    returned: Annotated[
        int, Meta(description="Of the missing and the awaited: those of which a report was sent back.")
    ]
    cycle: str | msgspec.UnsetType = msgspec.UNSET
    period: str | msgspec.UnsetType = msgspec.UNSET
    organization: str | msgspec.UnsetType = msgspec.UNSET
    organization_name: str | msgspec.UnsetType | None = msgspec.UNSET
    adviser: Annotated[
        str | msgspec.UnsetType | None,
        Meta(description="Where it is counted by adviser: null where nobody is named."),
    ] = msgspec.UNSET


class _Cycle(NamedTuple):
    code: str
    name: str
    rule: Cycle
    organizations: list[str]
    pillars: list[str]
    kinds: list[str]


class _Expected(NamedTuple):
    """One period of one cycle, and its rows: commitments, and when their first report came."""

    cycle: _Cycle
    period: Period
    at: AsOf
    there: ColumnElement[bool]


def timeliness_as_of(
    reading: Reading, at: AsOf, scope: Scope, filters: TimelinessFilters, group_by: Sequence[str]
) -> tuple[Timely, list[Timely]]:
    """The counts of everything, and of each group."""
    counts: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0] * 5)
    for one in _expected(reading, at, scope, filters):
        received = _first_received(at, one.period)
        due = one.cycle.rule.due_on(one.period)
        keys = {
            "cycle": literal(one.cycle.code, SqlText),
            "period": literal(one.period.name, SqlText),
            "organization": _state.lead_organization,
            "adviser": null() if scope.name == "public" else commitments.c.adviser,
        }
        chosen = [keys[name].label(f"by_{name}") for name in group_by]
        none, first = received.c.received_on.is_(None), received.c.received_on
        query = (
            select(
                func.count().label("expected"),
                _sum(first <= due),
                _sum(first > due),
                _sum(and_(none, received.c.returned == 1)),
                *chosen,
            )
            .select_from(_with_reports(received))
            .where(one.there)
        )
        if chosen:
            query = query.group_by(*(column.name for column in chosen))
        for expected, on_time, late, returned, *key in reading.connection.execute(query):
            missing = expected - (on_time or 0) - (late or 0) if at.on > due else 0
            found = counts[tuple(key)]
            for place, many in enumerate((expected, on_time or 0, late or 0, missing, returned or 0)):
                found[place] += many
    names = names_at(reading, at.position, at.on)
    groups = []
    for values, found in sorted(counts.items(), key=lambda item: tuple(one or "" for one in item[0])):
        told = dict(zip(group_by, values, strict=True))
        if "organization" in told:
            told["organization_name"] = names.of(ORGANIZATION, told["organization"])
        groups.append(_timely(found, **told))
    total = _timely([sum(column) for column in zip([0] * 5, *counts.values(), strict=True)])
    return total, groups


def _timely(counts: Sequence[int], **key: Any) -> Timely:
    expected, on_time, late, missing, returned = counts
    received = on_time + late
    return Timely(
        expected=expected,
        received=received,
        on_time=on_time,
        late=late,
        missing=missing,
        awaited=expected - received - missing,
        returned=returned,
        **key,
    )


def _sum(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.sum(case((condition, 1), else_=0))


def _cycles(reading: Reading, at: AsOf, codes: Sequence[str] = ()) -> list[_Cycle]:
    query = select(cycles.table).where(cycles.known_at(at.position))
    if codes:
        query = query.where(cycles.c.code.in_(codes))
    found = [
        _Cycle(
            row.code,
            row.name,
            Cycle(CycleFrequency(row.frequency), row.days_to_report, row.in_force_from, row.ended_on),
            *(msgspec.json.decode(text) for text in (row.organizations, row.pillars, row.kinds)),
        )
        for row in reading.connection.execute(query)
    ]
    return sorted(found, key=lambda one: one.code)  # as Python has it, by which pages go on


def _expected(reading: Reading, at: AsOf, scope: Scope, filters: TimelinessFilters) -> Iterator[_Expected]:
    """The periods that have ended by the day, and the condition of the commitments they were expected of."""
    for cycle in _cycles(reading, at, filters.cycle):
        for period in cycle.rule.expected(filters.first, min(filters.last, at.on)):
            yield _Expected(cycle, period, at, _open_on_last_day(reading, at, scope, cycle, period, filters))


def _open_on_last_day(
    reading: Reading, at: AsOf, scope: Scope, cycle: _Cycle, period: Period, filters: TimelinessFilters
) -> ColumnElement[bool]:
    then = at._replace(on=period.ends_on)
    admits: list[ColumnElement[bool]] = [
        _state.lead_organization.in_(wanted)
        for wanted in (cycle.organizations, filters.organization)
        if wanted
    ]
    if filters.adviser:
        admits.append(commitments.c.adviser.in_(filters.adviser))
    if cycle.kinds:
        admits.append(_state.kind.in_(cycle.kinds))
    if cycle.pillars:
        above = parents_giving_pillars(reading, then, scope)
        parents = [code for code, pillar in above.items() if pillar in cycle.pillars]
        inherited = and_(_state.pillar.is_(None), commitments.c.parent.in_(parents))
        admits.append(or_(_state.pillar.in_(cycle.pillars), inherited))
    return and_(rows_there(reading, then, scope), described(then), _state.closure.is_(None), *admits)


def _first_received(at: AsOf, period: Period) -> Subquery:
    """For each commitment: when its first report of a period came that was not sent back, and whether one was."""
    returned = _report.outcome == ReviewOutcome.RETURNED.value
    heard = or_(_report.outcome.is_(None), _report.outcome != ReviewOutcome.RETURNED.value)
    return (
        select(
            _report.commitment_id,
            func.min(case((heard, _report.received_on))).label("received_on"),
            func.max(case((returned, 1), else_=0)).label("returned"),
        )
        .where(_report.period == period.name, progress_reports.holds(at.on, at.position))
        .group_by(_report.commitment_id)
        .subquery()
    )


def _with_reports(received: Subquery) -> Any:
    same = commitments.c.commitment_id == _state.commitment_id
    of_it = received.c.commitment_id == _state.commitment_id
    return commitment_states.table.join(commitments.table, same).outerjoin(received, of_it)


# --- reports one by one ----------------------------------------------------------------------------------------------


class ReportFilters(NamedTuple):
    """Which reports a list is of; an empty sequence admits all."""

    review: Sequence[str] = ()
    organization: Sequence[str] = ()
    commitment: Sequence[str] = ()
    period: Sequence[str] = ()


class Review(msgspec.Struct, frozen=True):
    """What somebody other than its author said of a report."""

    outcome: ReviewOutcome
    on: date
    reason: str | None


class ReportItem(msgspec.Struct, frozen=True):
    """A progress report and what was said of it by the day."""

    commitment: str
    commitment_id: UUID
    lead_organization: str
    number: int
    period: Annotated[str, Meta(examples=["2012-Q3"])]
    period_ends_on: date
    effective_on: date
    received_on: date
    organization: Annotated[str, Meta(description="The organisation that reported.")]
    no_change: bool
    observed_progress: str | None
    stage: str | None
    percent: str | None
    review: Annotated[Review | None, Meta(description="Null while nobody has looked at it.")]
    days: Annotated[
        int, Meta(description="From the day it was received to that of the review, or to this day.")
    ]
    position: Annotated[int, Meta(description="Of its event.")]


def reports_as_of(
    reading: Reading, at: AsOf, scope: Scope, filters: ReportFilters, *, after: int = 0, limit: int = 50
) -> tuple[list[ReportItem], bool]:
    """The reports received by a day, in the order in which they were recorded; and whether more follow."""
    # Of few commitments the day is walked through; else each report looks for its own, as far as the page goes.
    there, order = rows_there(reading, at, scope), _report.reported_at + 0  # not by the index of all reports
    if not (filters.organization or filters.commitment):
        can_read = readable(reading, scope, at.position, commitment_states, things=commitments)
        there, order = and_(commitment_states.holds(at.on, at.position), can_read), _report.reported_at
    found: list[ColumnElement[bool]] = [
        there,
        _report.commitment_id == _state.commitment_id,
        progress_reports.holds(at.on, at.position),
        order > after,
    ]
    if filters.review:
        outcomes = [one for one in filters.review if one != REVIEWS[0]]
        waits = [_report.outcome.is_(None)] if REVIEWS[0] in filters.review else []
        found.append(or_(_report.outcome.in_(outcomes), *waits))
    if filters.organization:
        found.append(_state.lead_organization.in_(filters.organization))
    if filters.commitment:
        found.append(_state.code.in_(filters.commitment))
    if filters.period:
        found.append(_report.period.in_(filters.period))
    rows = reading.connection.execute(
        select(progress_reports.table, _state.code, _state.lead_organization)
        .where(*found)
        .order_by(order)
        .limit(limit + 1)
    ).all()
    return [_item(row, at.on) for row in rows[:limit]], len(rows) > limit


def _item(row: Any, on: date) -> ReportItem:
    outcome = None if row.outcome is None else ReviewOutcome(row.outcome)
    return ReportItem(
        commitment=row.code,
        commitment_id=row.commitment_id,
        lead_organization=row.lead_organization,
        number=row.number,
        period=row.period,
        period_ends_on=row.period_ends_on,
        effective_on=row.effective_on,
        received_on=row.received_on,
        organization=row.organization,
        no_change=row.no_change,
        observed_progress=row.observed_progress,
        stage=row.stage,
        percent=row.percent,
        review=None if outcome is None else Review(outcome, row.reviewed_on, row.review_reason),
        days=((on if outcome is None else max(row.reviewed_on, row.received_on)) - row.received_on).days,
        position=row.reported_at,
    )


# --- how old it is what is known -------------------------------------------------------------------------------------

_NEVER: Final = date.min


class StaleItem(msgspec.Struct, frozen=True):
    """An open commitment, and how long ago anything was reported of it."""

    commitment: str
    commitment_id: UUID
    lead_organization: str
    reported_on: Annotated[
        date | None,
        Meta(description="When the last report came that was not sent back; null where there was none."),
    ]
    days: Annotated[int | None, Meta(description="Since that day.")]


def staleness_as_of(
    reading: Reading,
    at: AsOf,
    scope: Scope,
    organization: Sequence[str],
    *,
    after: tuple[date, str] | None = None,
    limit: int = 50,
) -> tuple[list[StaleItem], bool]:
    """The open commitments, those first of which nothing was reported for longest; and whether more follow."""
    heard = or_(_report.outcome.is_(None), _report.outcome != ReviewOutcome.RETURNED.value)
    # Of each the latest, by an index: all that was ever reported is many times as much.
    last = (
        select(_report.received_on)
        .where(
            _report.commitment_id == _state.commitment_id, heard, progress_reports.holds(at.on, at.position)
        )
        .order_by(_report.received_on.desc())
        .limit(1)
        .scalar_subquery()
    )
    order = func.coalesce(last, literal(_NEVER)), _state.code
    found: list[ColumnElement[bool]] = [rows_there(reading, at, scope), _state.closure.is_(None)]
    if organization:
        found.append(_state.lead_organization.in_(organization))
    if after is not None:
        found.append(tuple_(*order) > tuple_(literal(after[0]), literal(after[1])))
    rows = reading.connection.execute(
        select(_state.commitment_id, _state.code, _state.lead_organization, last.label("reported_on"))
        .where(*found)
        .order_by(*order)
        .limit(limit + 1)
    ).all()
    items = [
        StaleItem(
            row.code,
            row.commitment_id,
            row.lead_organization,
            row.reported_on,
            None if row.reported_on is None else (at.on - row.reported_on).days,
        )
        for row in rows[:limit]
    ]
    return items, len(rows) > limit


def key_of(item: StaleItem) -> tuple[date, str]:
    """Where an item stands in the list."""
    return item.reported_on or _NEVER, item.commitment


# --- what is waited for ----------------------------------------------------------------------------------------------


class Awaited(StrEnum):
    """What an organisation has to do."""

    REPORT = "report"
    REVIEW = "review"
    ANSWER = "answer"
    ACKNOWLEDGEMENT = "acknowledgement"
    ACTION_ITEM = "action_item"


class DueKey(NamedTuple):
    """Where something stands in the list: by kind, and within each in an order of its own."""

    kind: Awaited
    first: str
    second: str
    number: int


class Due(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that an organisation is waited for with."""

    kind: Awaited
    due_on: Annotated[date | None, Meta(description="Null where no day was set.")]
    overdue_days: Annotated[int, Meta(description="Since the due day; 0 where that has not passed.")]
    what: Annotated[
        str,
        Meta(
            description="The code of the commitment, the number of the decision, the id of the action item or meeting."
        ),
    ]
    text: str | None = None
    cycle: str | None = None
    period: str | None = None
    report: Annotated[int | None, Meta(description="The number of the report to be reviewed.")] = None
    observation: Annotated[
        int | None,
        Meta(description="The number of the observation to be answered, on minutes of the meeting."),
    ] = None


class Asker(NamedTuple):
    """For whom it is asked what they are waited for with."""

    scope: Scope
    organization: str
    reviews: bool
    acknowledges: bool


YEAR: Final = timedelta(days=365)
"""Reports are waited for that long after their period."""


def due_as_of(
    reading: Reading, at: AsOf, asker: Asker, kinds: Sequence[str], *, after: DueKey | None, limit: int
) -> tuple[list[Due], DueKey | None]:
    """What an organisation is waited for with on a day, kind by kind; and where the next page begins."""
    found: list[tuple[DueKey, Due]] = []
    for kind in (one for one in Awaited if not kinds or one in kinds):
        if after is not None and list(Awaited).index(kind) < list(Awaited).index(after.kind):
            continue
        beyond = after if after is not None and after.kind == kind else None
        found += _WAITING[kind](reading, at, asker, beyond, limit + 1 - len(found))
        if len(found) > limit:
            break
    page = found[:limit]
    return [one for _, one in page], page[-1][0] if len(found) > limit else None


def _late(due_on: date | None, on: date) -> int:
    return 0 if due_on is None else max(0, (on - due_on).days)


def _reports_due(
    reading: Reading, at: AsOf, asker: Asker, after: DueKey | None, limit: int
) -> list[tuple[DueKey, Due]]:
    first = at.on - min(YEAR, at.on - date.min)
    filters = TimelinessFilters(organization=[asker.organization], first=first)
    found: list[tuple[DueKey, Due]] = []
    for one in _expected(reading, at, asker.scope, filters):
        place = one.cycle.code, one.period.name
        if len(found) >= limit or (after is not None and place < (after.first, after.second)):
            continue
        due_on = one.cycle.rule.due_on(one.period)
        received = _first_received(at, one.period)
        where = [one.there, received.c.received_on.is_(None)]
        if after is not None and place == (after.first, after.second):
            where.append(_state.registered_at > after.number)
        rows = reading.connection.execute(
            select(_state.code, commitments.c.title, _state.registered_at)
            .select_from(_with_reports(received))
            .where(*where)
            .order_by(_state.registered_at)
            .limit(limit - len(found))
        )
        found += [
            (
                DueKey(Awaited.REPORT, *place, row.registered_at),
                Due(
                    Awaited.REPORT,
                    due_on,
                    _late(due_on, at.on),
                    row.code,
                    text=row.title,
                    cycle=place[0],
                    period=place[1],
                ),
            )
            for row in rows
        ]
    return found


def _reviews_due(
    reading: Reading, at: AsOf, asker: Asker, after: DueKey | None, limit: int
) -> list[tuple[DueKey, Due]]:
    if not asker.reviews:
        return []
    begin = 0 if after is None else after.number
    filters = ReportFilters(review=[REVIEWS[0]])
    items, _ = reports_as_of(reading, at, asker.scope, filters, after=begin, limit=limit)
    return [
        (
            DueKey(Awaited.REVIEW, "", "", one.position),
            Due(Awaited.REVIEW, None, 0, one.commitment, period=one.period, report=one.number),
        )
        for one in items
    ]


def _answers_due(
    reading: Reading, at: AsOf, asker: Asker, after: DueKey | None, limit: int
) -> list[tuple[DueKey, Due]]:
    if not asker.reviews:
        return []
    raised = observations.c
    rows = reading.connection.execute(
        select(observations.table, meetings.c.title)
        .where(
            observations.known_at(at.position),
            raised.raised_on <= at.on,
            or_(raised.answered_on.is_(None), raised.answered_on > at.on),
            raised.raised_at > (0 if after is None else after.number),
            meetings.c.meeting_id == raised.meeting_id,
            meetings.known_at(at.position),
            readable(reading, asker.scope, at.position, meetings),
        )
        .order_by(raised.raised_at)
        .limit(limit)
    )
    return [
        (
            DueKey(Awaited.ANSWER, "", "", row.raised_at),
            Due(Awaited.ANSWER, None, 0, str(row.meeting_id), text=row.title, observation=row.number),
        )
        for row in rows
    ]


def _acknowledgements_due(
    reading: Reading, at: AsOf, asker: Asker, after: DueKey | None, limit: int
) -> list[tuple[DueKey, Due]]:
    if not asker.acknowledges:
        return []
    begin = 0 if after is None else after.number
    filters = DecisionFilters(acknowledged=["false"], has_budget_impact=True)
    reader = Reader(asker.scope, at.on)
    items, _ = decisions_as_of(reading, at, reader, filters, after=begin, limit=limit)
    return [
        (
            DueKey(Awaited.ACKNOWLEDGEMENT, "", "", one.position),
            Due(Awaited.ACKNOWLEDGEMENT, None, 0, one.number, text=one.text),
        )
        for one in items
    ]


def _action_items_due(
    reading: Reading, at: AsOf, asker: Asker, after: DueKey | None, limit: int
) -> list[tuple[DueKey, Due]]:
    begin = None if after is None else Key(date.fromisoformat(after.first), after.number)
    filters = ActionItemFilters(
        owner_organization=[asker.organization], state=[ActionItemState.OPEN, ActionItemState.OVERDUE]
    )
    page = action_items_as_of(reading, at, asker.scope, filters, after=begin, limit=limit)
    assigned = _assigned_at(reading, at, [one.id for one in page.items])
    return [
        (
            DueKey(Awaited.ACTION_ITEM, one.due_on.isoformat(), "", assigned[one.id]),
            Due(Awaited.ACTION_ITEM, one.due_on, _late(one.due_on, at.on), str(one.id), text=one.text),
        )
        for one in page.items
    ]


def _assigned_at(reading: Reading, at: AsOf, ids: Iterable[UUID]) -> dict[UUID, int]:
    query = select(action_items.c.item_id, action_items.c.assigned_at).where(
        action_items.c.item_id.in_(list(ids)), action_items.holds(at.on, at.position)
    )
    return {row.item_id: row.assigned_at for row in reading.connection.execute(query)}


_WAITING: Final = {
    Awaited.REPORT: _reports_due,
    Awaited.REVIEW: _reviews_due,
    Awaited.ANSWER: _answers_due,
    Awaited.ACKNOWLEDGEMENT: _acknowledgements_due,
    Awaited.ACTION_ITEM: _action_items_due,
}
