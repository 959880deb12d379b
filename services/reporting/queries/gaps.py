"""Where the record of a decision is not complete in the eyes of the budget office, and since when.

not_acknowledged              it is longer ago than the days given, and the budget office has not said anything
disputed                      the budget office last said that this is not what was agreed
no_line_in_first_request      it has a budget impact, and no line in the first request of its fiscal year
amended_after_acknowledgement an erratum came after what the budget office last said
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select

from services.reporting.queries.beside_decisions import DecisionItem, Reader, items_of
from services.reporting.queries.decisions import DecisionFilters, admitted, with_acknowledgement
from services.reporting.queries.moments import AsOf, believed, instant
from services.reporting.reading import Reading
from services.reporting.tables import acknowledgements, budget_lines, decisions, errata
from shared.events.meeting_vocabulary import Acknowledgement, BudgetRequest

_DAY = timedelta(days=1)


class Gap(StrEnum):
    """What the record of a decision lacks."""

    NOT_ACKNOWLEDGED = "not_acknowledged"
    DISPUTED = "disputed"
    NO_LINE_IN_FIRST_REQUEST = "no_line_in_first_request"
    AMENDED_AFTER_ACKNOWLEDGEMENT = "amended_after_acknowledgement"


class GapFound(msgspec.Struct, frozen=True):
    """A gap, the first day on which it was one, and the position of the event that made it one.

    `days` are those that have passed since, that first day among them.
    """

    gap: Gap
    since_on: date
    days: int
    because: int


class GapTotals(msgspec.Struct, frozen=True):
    """How many decisions have any gap, and how many each; one decision may have several."""

    decisions: int
    by_gap: dict[str, int]


class Gaps(msgspec.Struct, frozen=True):
    """A page of decisions with gaps, each with all of its own, and the totals of all; `more` when the list goes on."""

    totals: GapTotals
    items: list[tuple[DecisionItem, list[GapFound]]]
    more: bool


def gaps_as_of(
    reading: Reading,
    at: AsOf,
    reader: Reader,
    filters: DecisionFilters,
    wanted: Sequence[Gap],
    days: int,
    *,
    after: int = 0,
    limit: int = 50,
) -> Gaps:
    """The decisions with at least one of the gaps wanted, in the order of their agreement.

    The totals count all gaps of the decisions that the filters admit, whichever are wanted.
    """
    conditions = _conditions(at, reader, days)
    source = with_acknowledgement(reader.told_by)
    chosen = admitted(at, reader.scope, filters)
    counted = reading.connection.execute(
        select(
            *(func.coalesce(func.sum(case((holds, 1), else_=0)), 0) for holds in conditions.values()),
            func.coalesce(func.sum(case((or_(*conditions.values()), 1), else_=0)), 0),
        )
        .select_from(source)
        .where(chosen)
    ).one()
    by_gap = {gap.value: int(count) for gap, count in zip(conditions, counted, strict=False)}
    rows = reading.connection.execute(
        select(decisions, *(case((holds, 1), else_=0).label(gap.value) for gap, holds in conditions.items()))
        .select_from(source)
        .where(chosen, or_(*(conditions[gap] for gap in wanted)), decisions.c.agreed_at > after)
        .order_by(decisions.c.agreed_at)
        .limit(limit + 1)
    ).all()
    page = rows[:limit]
    lost = _first_lines_lost(reading, reader, page)
    items = [
        (item, [_found(gap, item, at, days, lost) for gap in Gap if getattr(row, gap)])
        for item, row in zip(items_of(reading, at, reader, page), page, strict=True)
    ]
    return Gaps(GapTotals(int(counted[-1]), by_gap), items, len(rows) > limit)


def _conditions(at: AsOf, reader: Reader, days: int) -> dict[Gap, ColumnElement[bool]]:
    try:
        due = at.on - timedelta(days=days)
    except OverflowError:
        due = date.min
    said, line = acknowledgements.c, budget_lines.c
    in_first_request = exists().where(
        line.decision_id == decisions.c.decision_id,
        line.fiscal_year == decisions.c.fiscal_year,
        line.request == BudgetRequest.FIRST.value,
        believed(budget_lines, reader.told_by),
    )
    amended = exists().where(
        errata.c.decision_id == decisions.c.decision_id,
        errata.c.believed_from > said.believed_from,
        errata.c.believed_from <= reader.told_by,
    )
    return {
        Gap.NOT_ACKNOWLEDGED: and_(said.outcome.is_(None), decisions.c.agreed_on < due),
        Gap.DISPUTED: and_(said.outcome.is_not(None), said.outcome == Acknowledgement.DISPUTED.value),
        Gap.NO_LINE_IN_FIRST_REQUEST: and_(decisions.c.fiscal_year.is_not(None), ~in_first_request),
        Gap.AMENDED_AFTER_ACKNOWLEDGEMENT: and_(said.outcome.is_not(None), amended),
    }


def _found(
    gap: Gap,
    item: DecisionItem,
    at: AsOf,
    days: int,
    lost: dict[UUID, tuple[date, int]],
) -> GapFound:
    said = item.acknowledgement
    match gap:
        case Gap.NOT_ACKNOWLEDGED:
            since, because = item.agreed_on + timedelta(days=days) + _DAY, item.position
        case Gap.DISPUTED:
            assert said is not None
            since, because = said.told_on, said.position
        case Gap.NO_LINE_IN_FIRST_REQUEST:
            since, because = lost.get(item.id, (item.agreed_on, item.position))
        case Gap.AMENDED_AFTER_ACKNOWLEDGEMENT:
            assert said is not None
            first = next(erratum for erratum in item.errata if erratum.position > said.position)
            since, because = first.told_on, first.position
    return GapFound(gap, since, max(0, (at.on - since).days) + 1, because)


def _first_lines_lost(reading: Reading, reader: Reader, rows: Sequence[Any]) -> dict[UUID, tuple[date, int]]:
    """For decisions that had a line in the first request and have none now: since when, and since which position."""
    years = {row.decision_id: row.fiscal_year for row in rows if row.no_line_in_first_request}
    line = budget_lines.c
    told: dict[UUID, list[Any]] = defaultdict(list)
    for row in reading.connection.execute(
        select(budget_lines).where(line.decision_id.in_(list(years)), line.believed_from <= reader.told_by)
    ):
        told[row.decision_id].append(row)
    found: dict[UUID, tuple[date, int]] = {}
    for decision, lines in told.items():
        ends = [
            one.believed_to
            for one in lines
            if one.fiscal_year == years[decision] and one.request == BudgetRequest.FIRST
        ]
        if ends:
            instead = next(one for one in lines if one.believed_from == max(ends))
            found[decision] = reader.day_of(instant(instead.told_time)), instead.believed_from
    return found
