"""The budget office's feed: decisions in the order in which they were agreed, with all that stands beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, FromClause, and_, exists, or_, select

from services.reporting.queries.beside_decisions import DecisionItem, Reader, items_of
from services.reporting.queries.board import visible_code_query, visible_codes
from services.reporting.queries.moments import AsOf, believed, said_by
from services.reporting.queries.scope import Scope, circled, knows_of
from services.reporting.reading import Reading
from services.reporting.tables import acknowledgements, circles, decisions, mentions, outcomes
from shared.events.meeting_vocabulary import Acknowledgement

_row = decisions.c

ACKNOWLEDGED: Final = ("true", "false", "disputed")
"""Whether the budget office agreed, has said nothing, or disputes."""

NO_OUTCOME: Final = "none"
OUTCOMES: Final = ("carried_out", "unresolved", "resolved", "waived", NO_OUTCOME)
"""What became of a decision where commitments are kept, or that nothing is known of it yet."""


class DecisionFilters(NamedTuple):
    """Which decisions a list is of; an empty sequence admits all."""

    organization: Sequence[str] = ()
    body: Sequence[str] = ()
    kind: Sequence[str] = ()
    acknowledged: Sequence[str] = ()
    commitment: Sequence[str] = ()
    outcome: Sequence[str] = ()
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
        .select_from(with_acknowledgement(at, reader))
        .where(admitted(reading, at, reader, filters), _row.agreed_at > after)
        .order_by(_row.agreed_at)
        .limit(limit + 1)
    ).all()
    return items_of(reading, at, reader, rows[:limit]), len(rows) > limit


def with_acknowledgement(at: AsOf, reader: Reader) -> FromClause:
    """Decisions, with what the budget office had last said of each."""
    same = acknowledgements.c.decision_id == _row.decision_id
    return decisions.outerjoin(
        acknowledgements, and_(same, said_by(acknowledgements, reader.until, at.position))
    )


def admitted(reading: Reading, at: AsOf, reader: Reader, filters: DecisionFilters) -> ColumnElement[bool]:
    """The rows of `with_acknowledgement` that the filters admit and the asker may know of."""
    return and_(
        believed(decisions, at.position),
        _row.agreed_on <= at.on,
        knows_of(reader.scope, at.position, _row.decision_id),
        *_conditions(reading, at, reader, filters),
    )


def _conditions(
    reading: Reading, at: AsOf, reader: Reader, filters: DecisionFilters
) -> list[ColumnElement[bool]]:
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
    if filters.commitment:
        found.append(_naming(reading, at, reader.scope, filters.commitment))
    if filters.outcome:
        found.append(or_(*_outcomes(at, reader, filters.outcome)))
    if filters.agreed_since is not None:
        found.append(_row.agreed_on >= filters.agreed_since)
    if filters.has_budget_impact is not None:
        found.append(_row.amount.is_not(None) if filters.has_budget_impact else _row.amount.is_(None))
    if filters.fiscal_year is not None:
        found.append(_row.fiscal_year == filters.fiscal_year)
    return found


def _naming(reading: Reading, at: AsOf, scope: Scope, codes: Sequence[str]) -> ColumnElement[bool]:
    """Whether a decision names one of the codes, as far as the asker is told so.

    Those concerned are told all that it names. Others are told of the commitments they may know of; and of what it does
    only if they may know of every commitment it names, so that a hidden code finds what one that does not exist finds.
    """
    named, beside = mentions.c, mentions.alias()
    naming = select(named.decision_id).where(believed(mentions, at.position))
    wanted = _row.decision_id.in_(naming.where(named.commitment.in_(codes)))
    if scope.name == "everything":
        return wanted
    known = sorted(visible_codes(reading, at.position, scope, set(codes)))
    hidden = exists().where(
        beside.c.decision_id == named.decision_id,
        believed(beside, at.position),
        beside.c.commitment.not_in(visible_code_query(scope, at.position)),
    )
    told = naming.where(named.commitment.in_(known), or_(named.in_effect_only.is_(False), ~hidden))
    return or_(_row.decision_id.in_(told), and_(wanted, circled(scope, at.position, _row.decision_id)))


def _outcomes(at: AsOf, reader: Reader, words: Sequence[str]) -> Iterator[ColumnElement[bool]]:
    became = outcomes.c.decision_id == _row.decision_id, said_by(outcomes, reader.until, at.position)
    states = [word for word in words if word != NO_OUTCOME]
    if states:
        yield exists().where(*became, outcomes.c.state.in_(states))
    if NO_OUTCOME in words:
        yield ~exists().where(*became)


_said: Final[ColumnElement[Any]] = acknowledgements.c.outcome
_ACKNOWLEDGED: Final[dict[str, ColumnElement[bool]]] = {
    "true": _said == Acknowledgement.AGREED.value,
    "false": _said.is_(None),
    "disputed": _said == Acknowledgement.DISPUTED.value,
}
