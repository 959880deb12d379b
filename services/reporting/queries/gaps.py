"""Where the record of a decision is not complete in the eyes of the budget office, and since when.

not_acknowledged              it is longer ago than the days given, and the budget office has not said anything
disputed                      the budget office last said that this is not what was agreed
no_line_in_first_request      it has a budget impact, and no line in the first request of its fiscal year
amended_after_acknowledgement an erratum came after what the budget office last said

All of it as of a day: by what had taken effect by then. Of two things the one of the later day comes after the other,
and of two of one day the one that the log learned later.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select

from services.reporting.datasets import acknowledgements, budget_lines, decisions, errata
from services.reporting.queries.decision_items import DecisionItem, Reader, items_of
from services.reporting.queries.decisions import DecisionFilters, admitted, with_acknowledgement
from services.reporting.queries.moments import AsOf
from services.reporting.reading import Reading
from shared.events.meeting_vocabulary import Acknowledgement, BudgetRequest

_DAY = timedelta(days=1)


class Gap(StrEnum):
    """What the record of a decision lacks."""

    NOT_ACKNOWLEDGED = "not_acknowledged"
    DISPUTED = "disputed"
    NO_LINE_IN_FIRST_REQUEST = "no_line_in_first_request"
    AMENDED_AFTER_ACKNOWLEDGEMENT = "amended_after_acknowledgement"


class GapFound(msgspec.Struct, frozen=True):
    """Something that the record of a decision lacks."""

    gap: Gap
    since_on: Annotated[date, Meta(description="The first day on which it was a gap.")]
    days: Annotated[
        int, Meta(description="For how many days it is one, that day and the day asked about among them.")
    ]
    because: Annotated[int, Meta(description="The position of the event that made it one.")]


class GapTotals(msgspec.Struct, frozen=True):
    """How many decisions have any gap, and how many each; `gap` does not narrow these counts."""

    decisions: int
    by_gap: dict[str, int]


class DecisionWithGaps(DecisionItem, frozen=True):
    """A decision with what its record lacks."""

    gaps: list[GapFound]


class Gaps(msgspec.Struct, frozen=True):
    """A page of decisions with gaps, each with all of its own, and the totals of all; `more` when the list goes on."""

    totals: GapTotals
    items: list[DecisionWithGaps]
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
    source = with_acknowledgement(at, reader)
    chosen = admitted(reading, at, reader, filters)
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
        select(
            decisions.table,
            *(case((holds, 1), else_=0).label(gap.value) for gap, holds in conditions.items()),
        )
        .select_from(source)
        .where(chosen, or_(*(conditions[gap] for gap in wanted)), decisions.c.agreed_at > after)
        .order_by(decisions.c.agreed_at)
        .limit(limit + 1)
    ).all()
    page = rows[:limit]
    lost = _first_lines_lost(reading, at, reader, page)
    items = [
        DecisionWithGaps(
            **msgspec.structs.asdict(item),
            gaps=[_found(gap, item, at, days, lost) for gap in Gap if getattr(row, gap)],
        )
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
        budget_lines.holds(reader.until, at.position),
    )
    amended = exists().where(
        errata.c.decision_id == decisions.c.decision_id,
        errata.holds(reader.until, at.position),
        or_(
            errata.c.valid_from > said.valid_from,
            and_(errata.c.valid_from == said.valid_from, errata.c.recorded_position > said.recorded_position),
        ),
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
            since, because = said.effective_on, said.position
        case Gap.NO_LINE_IN_FIRST_REQUEST:
            since, because = lost.get(item.id, (item.agreed_on, item.position))
        case Gap.AMENDED_AFTER_ACKNOWLEDGEMENT:
            assert said is not None
            spoken = said.effective_on, said.position
            first = next(one for one in item.errata if (one.told_on, one.position) > spoken)
            since, because = first.told_on, first.position
    return GapFound(gap, since, max(0, (at.on - since).days) + 1, because)


def _first_lines_lost(
    reading: Reading, at: AsOf, reader: Reader, rows: Sequence[Any]
) -> dict[UUID, tuple[date, int]]:
    """For decisions that had a line in the first request and have none now: since when, and since which position."""
    lacking = [row.decision_id for row in rows if row.no_line_in_first_request]
    instead = budget_lines.table.alias()
    line = budget_lines.c
    found: dict[UUID, tuple[date, int]] = {}
    for lost in reading.connection.execute(
        select(line.decision_id, instead.c.valid_from, instead.c.recorded_position)
        .join(
            decisions.table,
            and_(decisions.c.decision_id == line.decision_id, decisions.known_at(at.position)),
        )
        .join(
            instead,
            and_(
                instead.c.decision_id == line.decision_id,
                instead.c.fiscal_year == line.fiscal_year,
                instead.c.code == line.code,
                instead.c.valid_from == line.valid_to,
            ),
        )
        .where(
            line.decision_id.in_(lacking),
            line.fiscal_year == decisions.c.fiscal_year,
            line.request == BudgetRequest.FIRST.value,
            budget_lines.known_at(at.position),
            budget_lines.known_at(at.position, instead),
            instead.c.valid_from <= reader.until,
        )
    ):
        found[lost.decision_id] = max(
            found.get(lost.decision_id, (date.min, 0)), (lost.valid_from, lost.recorded_position)
        )
    return found
