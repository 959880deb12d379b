"""The budget office's feed: decisions in the order in which they were agreed, with all that stands beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, FromClause, and_, or_, select

from services.reporting.queries.beside_decisions import DecisionItem, Reader, items_of
from services.reporting.queries.moments import AsOf, believed
from services.reporting.queries.scope import Scope, knows_of
from services.reporting.reading import Reading
from services.reporting.tables import acknowledgements, circles, decisions
from shared.events.meeting_vocabulary import Acknowledgement

_row = decisions.c

ACKNOWLEDGED: Final = ("true", "false", "disputed")
"""Whether the budget office agreed, has said nothing, or disputes."""


class DecisionFilters(NamedTuple):
    """Which decisions a list is of; an empty sequence admits all."""

    organization: Sequence[str] = ()
    body: Sequence[str] = ()
    kind: Sequence[str] = ()
    acknowledged: Sequence[str] = ()
    agreed_since: date | None = None
    has_budget_impact: bool | None = None
    fiscal_year: int | None = None


def decisions_as_of(
    reading: Reading,
    at: AsOf,
    reader: Reader,
    filters: DecisionFilters,
    *,
    after: int = 0,
    limit: int = 50,
) -> tuple[list[DecisionItem], bool]:
    """The decisions agreed beyond a position of the log, in order; and whether more follow."""
    rows = reading.connection.execute(
        select(decisions)
        .select_from(with_acknowledgement(reader.told_by))
        .where(admitted(at, reader.scope, filters), _row.agreed_at > after)
        .order_by(_row.agreed_at)
        .limit(limit + 1)
    ).all()
    return items_of(reading, at, reader, rows[:limit]), len(rows) > limit


def with_acknowledgement(told_by: int) -> FromClause:
    """Decisions, with what the budget office had last said of each by a position."""
    said = acknowledgements.c
    return decisions.outerjoin(
        acknowledgements,
        and_(said.decision_id == _row.decision_id, said.believed_from <= told_by, said.believed_to > told_by),
    )


def admitted(at: AsOf, scope: Scope, filters: DecisionFilters) -> ColumnElement[bool]:
    """The rows of `with_acknowledgement` that the filters admit and the asker may know of."""
    return and_(
        believed(decisions, at.position),
        _row.agreed_on <= at.on,
        knows_of(scope, at.position, _row.decision_id),
        *_conditions(at, filters),
    )


def _conditions(at: AsOf, filters: DecisionFilters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.organization:
        concerned = select(circles.c.thing_id).where(
            circles.c.organization.in_(filters.organization),
            circles.c.concerned,
            believed(circles, at.position),
        )
        found.append(_row.decision_id.in_(concerned))
    if filters.body:
        found.append(_row.body.in_(filters.body))
    if filters.kind:
        found.append(_row.kind.in_(filters.kind))
    if filters.acknowledged:
        found.append(or_(*(_ACKNOWLEDGED[word] for word in filters.acknowledged)))
    if filters.agreed_since is not None:
        found.append(_row.agreed_on >= filters.agreed_since)
    if filters.has_budget_impact is not None:
        found.append(_row.amount.is_not(None) if filters.has_budget_impact else _row.amount.is_(None))
    if filters.fiscal_year is not None:
        found.append(_row.fiscal_year == filters.fiscal_year)
    return found


_said: Final[ColumnElement[Any]] = acknowledgements.c.outcome
_ACKNOWLEDGED: Final[dict[str, ColumnElement[bool]]] = {
    "true": _said == Acknowledgement.AGREED.value,
    "false": _said.is_(None),
    "disputed": _said == Acknowledgement.DISPUTED.value,
}
