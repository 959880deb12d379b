"""Where the record of a decision is not complete in the eyes of the budget office, and since when.

not_acknowledged              it costs something, and in the days given the budget office has not said anything
disputed                      the budget office last said that this is not what was agreed
amended_after_acknowledgement an erratum came after what the budget office last said
and those of `shared.rules.budget_gaps`, by amount

All of it as of a day: by what had taken effect by then. Of two things the one of the later day comes after the other,
and of two of one day the one that the log learned later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Subquery, and_, case, exists, func, or_, select

from services.reporting.datasets import acknowledgements, budget_gaps, decisions, errata, readers
from services.reporting.queries.decision_items import DecisionItem, Reader, items_of
from services.reporting.queries.decisions import DecisionFilters, admitted, with_acknowledgement
from services.reporting.queries.moments import AsOf
from services.reporting.queries.register import NO_ORGANIZATION
from services.reporting.reading import Reading
from shared.events.meeting_vocabulary import Acknowledgement
from shared.rules.budget_gaps import SHORTFALLS, BudgetGap, amount_text

_DAY = timedelta(days=1)


class Gap(StrEnum):
    """What the record of a decision lacks, or what its budget lines have too much."""

    NOT_ACKNOWLEDGED = "not_acknowledged"
    DISPUTED = "disputed"
    NO_LINE_IN_FIRST_REQUEST = BudgetGap.NO_LINE_IN_FIRST_REQUEST.value
    AMENDED_AFTER_ACKNOWLEDGEMENT = "amended_after_acknowledgement"
    ONLY_LATER = BudgetGap.ONLY_LATER.value
    SHORT = BudgetGap.SHORT.value
    OTHER_CURRENCY = BudgetGap.OTHER_CURRENCY.value
    OVER = BudgetGap.OVER.value
    SOURCE_NOT_NAMED = BudgetGap.SOURCE_NOT_NAMED.value


_OF_BUDGET: Final = tuple(Gap(one.value) for one in BudgetGap)
_REFINING: Final = tuple(Gap(word) for word in SHORTFALLS)


class Money(msgspec.Struct, frozen=True):
    """An amount."""

    amount: Annotated[str, Meta(examples=["1200000000"])]
    currency: Annotated[str, Meta(examples=["CLP"])]


class GapFound(msgspec.Struct, frozen=True):
    """Something that the record of a decision lacks."""

    gap: Gap
    since_on: Annotated[date, Meta(description="The first day on which it was a gap.")]
    days: Annotated[int, Meta(description="For how many days it has been one; 0 on the first of them.")]
    because: Annotated[int, Meta(description="The position of the event that made it one.")]
    refined_by: Annotated[
        list[Gap],
        Meta(
            description="Of `no_line_in_first_request`: `only_later`, `short`, `other_currency`, or what of them holds."
        ),
    ] = []
    short_by: Annotated[
        Money | None, Meta(description="What the lines of the first request lack of the impact.")
    ] = None
    over_by: Annotated[Money | None, Meta(description="What they have beyond it.")] = None


class OrganizationTotals(msgspec.Struct, frozen=True):
    """The same counts for the decisions that concern an organisation; one that concerns two counts with both."""

    organization: Annotated[
        str, Meta(description="Its code; `none` for decisions that concern no organisation.")
    ]
    decisions: int
    by_gap: dict[str, int]
    short_by: Annotated[
        dict[str, list[Money]],
        Meta(description="What its first requests lack, by fiscal year and currency."),
    ]


class GapTotals(msgspec.Struct, frozen=True):
    """How many decisions have any gap, and how many each; `gap` does not narrow these counts."""

    decisions: int
    by_gap: dict[str, int]
    by_organization: list[OrganizationTotals]


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
    rows = _with_gaps(reading, at, reader, filters, days)
    places = sorted({row.agreed_at for row in rows if any(getattr(row, gap) for gap in wanted)})
    page = [place for place in places if place > after][: limit + 1]
    gaps_at = {row.agreed_at: row for row in rows}
    chosen = select(decisions.table).where(
        decisions.c.agreed_at.in_(page[:limit]), decisions.known_at(at.position)
    )
    found = reading.connection.execute(chosen.order_by(decisions.c.agreed_at)).all()
    of_budget = _budget_gaps_of(reading, at, reader, found)
    items = [
        DecisionWithGaps(
            **msgspec.structs.asdict(item),
            gaps=[
                _found(gap, item, at, days, of_budget.get(item.id, {}))
                for gap in Gap
                if gap not in _REFINING and getattr(gaps_at[item.position], gap)
            ],
        )
        for item in items_of(reading, at, reader, found)
    ]
    return Gaps(_totals(rows), items, len(page) > limit)


def _with_gaps(
    reading: Reading, at: AsOf, reader: Reader, filters: DecisionFilters, days: int
) -> Sequence[Any]:
    """The decisions that have any gap: where each was agreed, which gaps, and what its first request lacks.

    A row for each organisation that one concerns, so that a single walk over the decisions serves page and totals.
    """
    budget = _budget_gaps_by_decision(at, reader)
    conditions = _conditions(at, reader, days, budget)
    concerned = and_(
        readers.c.thing_id == decisions.c.decision_id, readers.c.concerned, readers.known_at(at.position)
    )
    source = with_acknowledgement(at, reader).outerjoin(
        budget, budget.c.decision_id == decisions.c.decision_id
    )
    query = (
        select(
            decisions.c.agreed_at,
            decisions.c.fiscal_year,
            decisions.c.currency,
            budget.c.short_by,
            readers.c.organization,
            *(case((conditions[gap], 1), else_=0).label(gap.value) for gap in Gap),
        )
        .select_from(source.outerjoin(readers.table, concerned))
        .where(admitted(reading, at, reader, filters), or_(*conditions.values()))
    )
    return reading.connection.execute(query).all()


def _totals(rows: Sequence[Any]) -> GapTotals:
    by_organization = defaultdict[str, list[Any]](list)
    for row in rows:
        # A decision that concerns nobody by name costs what it costs: its group is `none`.
        by_organization[row.organization or NO_ORGANIZATION].append(row)
    once = list({row.agreed_at: row for row in rows}.values())
    of_each = [
        OrganizationTotals(organization, len(of_it), _by_gap(of_it), _short_by(of_it))
        for organization, of_it in sorted(by_organization.items())
    ]
    return GapTotals(len(once), _by_gap(once), of_each)


def _by_gap(rows: Sequence[Any]) -> dict[str, int]:
    columns = zip(*(row[-len(Gap) :] for row in rows), strict=True)
    return {gap.value: 0 for gap in Gap} | {
        gap.value: sum(column) for gap, column in zip(Gap, columns, strict=False)
    }


def _short_by(rows: Iterable[Any]) -> dict[str, list[Money]]:
    sums = defaultdict[tuple[int, str], Decimal](Decimal)
    for row in rows:
        if row.short_by is not None:
            sums[row.fiscal_year, row.currency] += Decimal(row.short_by)
    return _by_year(sums)


def _by_year(sums: Mapping[tuple[int, str], Decimal]) -> dict[str, list[Money]]:
    found = defaultdict[str, list[Money]](list)
    for (year, currency), amount in sorted(sums.items()):
        found[str(year)].append(Money(amount_text(amount), currency))
    return found


def _budget_gaps_by_decision(at: AsOf, reader: Reader) -> Subquery:
    """Which of the gaps between impact and lines stand, a row for each decision that has one."""
    row = budget_gaps.c
    stands = row.since_on.is_not(None), budget_gaps.holds(reader.until, at.position)
    flags = (func.max(case((row.gap == gap.value, 1), else_=0)).label(gap.value) for gap in _OF_BUDGET)
    short_by = func.max(case((row.gap == Gap.NO_LINE_IN_FIRST_REQUEST.value, row.amount))).label("short_by")
    return select(row.decision_id, short_by, *flags).where(*stands).group_by(row.decision_id).subquery()


def _conditions(at: AsOf, reader: Reader, days: int, budget: Subquery) -> dict[Gap, ColumnElement[bool]]:
    try:
        due = at.on - timedelta(days=days)
    except OverflowError:
        due = date.min
    said = acknowledgements.c
    amended = exists().where(
        errata.c.decision_id == decisions.c.decision_id,
        errata.holds(reader.until, at.position),
        or_(
            errata.c.valid_from > said.valid_from,
            and_(errata.c.valid_from == said.valid_from, errata.c.recorded_position > said.recorded_position),
        ),
    )
    return {
        Gap.NOT_ACKNOWLEDGED: and_(
            said.outcome.is_(None), decisions.c.amount.is_not(None), decisions.c.agreed_on < due
        ),
        Gap.DISPUTED: and_(said.outcome.is_not(None), said.outcome == Acknowledgement.DISPUTED.value),
        Gap.AMENDED_AFTER_ACKNOWLEDGEMENT: and_(said.outcome.is_not(None), amended),
        **{gap: func.coalesce(budget.c[gap.value], 0) == 1 for gap in _OF_BUDGET},
    }


def _found(gap: Gap, item: DecisionItem, at: AsOf, days: int, of_budget: Mapping[str, Any]) -> GapFound:
    said = item.acknowledgement
    more: dict[str, Any] = {}
    match gap:
        case Gap.NOT_ACKNOWLEDGED:
            since, because = item.agreed_on + timedelta(days=days) + _DAY, item.position
        case Gap.DISPUTED:
            assert said is not None
            since, because = said.effective_on, said.position
        case Gap.AMENDED_AFTER_ACKNOWLEDGEMENT:
            assert said is not None
            spoken = said.effective_on, said.position
            first = next(one for one in item.errata if (one.told_on, one.position) > spoken)
            since, because = first.told_on, first.position
        case _:
            assert item.budget_impact is not None
            row = of_budget[gap]
            since, because = row.since_on, row.because
            money = Money(row.amount, item.budget_impact.currency)
            if gap is Gap.OVER:
                more = {"over_by": money}
            elif gap is Gap.NO_LINE_IN_FIRST_REQUEST:
                refined_by = [word for word in _REFINING if word in of_budget]
                more = {"short_by": money, "refined_by": refined_by}
    return GapFound(gap, since, max(0, (at.on - since).days), because, **more)


def _budget_gaps_of(
    reading: Reading, at: AsOf, reader: Reader, rows: Sequence[Any]
) -> dict[UUID, dict[str, Any]]:
    """The gaps between impact and lines that stand of some decisions, by their names."""
    found = defaultdict[UUID, dict[str, Any]](dict)
    for row in reading.connection.execute(
        select(budget_gaps.table).where(
            budget_gaps.c.decision_id.in_([row.decision_id for row in rows]),
            budget_gaps.c.since_on.is_not(None),
            budget_gaps.holds(reader.until, at.position),
        )
    ):
        found[row.decision_id][row.gap] = row
    return found
