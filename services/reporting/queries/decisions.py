"""The budget office's feed: decisions in the order in which they were agreed, with all that stands beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, FromClause, and_, exists, or_, select

from services.reporting.datasets import (
    acknowledgements,
    commitments,
    decision_commitments,
    decisions,
    outcomes,
    readers,
)
from services.reporting.queries.access import Scope, read_by, readable, readable_things, shown_on
from services.reporting.queries.board import readable_codes
from services.reporting.queries.decision_items import DecisionItem, Reader, items_of
from services.reporting.queries.moments import AsOf
from services.reporting.queries.referrals import OVERRULED, PENDING, pending
from services.reporting.reading import Reading
from shared.events.meeting_vocabulary import Acknowledgement

_row = decisions.c

ACKNOWLEDGED: Final = ("true", "false", "disputed")
"""Whether the budget office agreed, has said nothing, or disputes."""

NO_OUTCOME: Final = "none"
OUTCOMES: Final = ("carried_out", "unresolved", "resolved", "waived", PENDING, NO_OUTCOME)
"""What became of a decision, or that nothing is known of that yet."""


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
    reading: Reading, at: AsOf, reader: Reader, filters: DecisionFilters, *, after: int = 0, limit: int = 50
) -> tuple[list[DecisionItem], bool]:
    """The decisions agreed beyond a position of the log, in order; and whether more follow."""
    rows = reading.connection.execute(
        select(decisions.table)
        .select_from(with_acknowledgement(at, reader))
        .where(admitted(reading, at, reader, filters), _row.agreed_at > after)
        .order_by(_row.agreed_at)
        .limit(limit + 1)
    ).all()
    return items_of(reading, at, reader, rows[:limit]), len(rows) > limit


def with_acknowledgement(at: AsOf, reader: Reader) -> FromClause:
    """Decisions, with what the budget office had last said of each."""
    same = acknowledgements.c.decision_id == _row.decision_id
    return decisions.table.outerjoin(
        acknowledgements.table, and_(same, acknowledgements.holds(reader.until, at.position))
    )


def admitted(reading: Reading, at: AsOf, reader: Reader, filters: DecisionFilters) -> ColumnElement[bool]:
    """The rows of `with_acknowledgement` that the filters admit and the asker may know of."""
    return and_(
        decisions.known_at(at.position),
        _row.agreed_on <= at.on,
        readable(reading, reader.scope, at.position, decisions),
        shown_on(reader.scope, at.on, at.position, _row.decision_id),
        *_conditions(reading, at, reader, filters),
    )


def _conditions(
    reading: Reading, at: AsOf, reader: Reader, filters: DecisionFilters
) -> list[ColumnElement[bool]]:
    found = decisions.admits(filters._asdict())
    if filters.organization:
        concerned = select(readers.c.thing_id).where(
            readers.c.organization.in_(filters.organization),
            readers.c.concerned,
            readers.known_at(at.position),
        )
        found.append(_row.decision_id.in_(concerned))
    if filters.acknowledged:
        found.append(or_(*(_ACKNOWLEDGED[word] for word in filters.acknowledged)))
    if filters.commitment:
        found.append(_naming(reading, at, reader.scope, filters.commitment))
    if filters.outcome:
        found.append(or_(*_outcomes(reading, at, reader, filters.outcome)))
    if filters.agreed_since is not None:
        found.append(_row.agreed_on >= filters.agreed_since)
    if filters.has_budget_impact is not None:
        found.append(_row.amount.is_not(None) if filters.has_budget_impact else _row.amount.is_(None))
    if filters.fiscal_year is not None:
        found.append(_row.fiscal_year == filters.fiscal_year)
    return found


def _naming(reading: Reading, at: AsOf, scope: Scope, codes: Sequence[str]) -> ColumnElement[bool]:
    """Whether a decision names one of the codes, as far as the asker may know.

    Its readers know all that it names. Others know of the commitments they may read; and of what it does only if they
    may read every commitment it names, so that a hidden code finds what one that does not exist finds.
    """
    position = at.position
    named, beside = decision_commitments.c, decision_commitments.table.alias()
    naming = select(named.decision_id).where(decision_commitments.known_at(position))
    wanted: ColumnElement[bool] = _row.decision_id.in_(naming.where(named.commitment.in_(codes)))
    if scope.everything:
        return wanted
    known = sorted(readable_codes(reading, position, scope, set(codes)))
    seen = readable_things(reading, scope, position, commitments, commitments.c.code)
    hidden = exists().where(
        beside.c.decision_id == named.decision_id,
        decision_commitments.known_at(position, beside),
        beside.c.commitment.not_in(seen),
    )
    told = naming.where(named.commitment.in_(known), or_(named.in_effect_only.is_(False), ~hidden))
    return or_(_row.decision_id.in_(told), and_(wanted, read_by(reading, scope, position, _row.decision_id)))


def _outcomes(
    reading: Reading, at: AsOf, reader: Reader, words: Sequence[str]
) -> Iterator[ColumnElement[bool]]:
    became = outcomes.c.decision_id == _row.decision_id, outcomes.holds(reader.until, at.position)
    waits = pending(reading, at, reader.scope, reader.until)
    for word in words:
        known = exists().where(*became, outcomes.c.state == word)
        if word == PENDING:
            yield and_(waits, ~exists().where(*became, outcomes.c.state.not_in(OVERRULED)))
        elif word == NO_OUTCOME:
            yield and_(~exists().where(*became), ~waits)
        else:
            yield and_(known, ~waits) if word in OVERRULED else known


_outcome: Final[ColumnElement[Any]] = acknowledgements.c.outcome
_ACKNOWLEDGED: Final[dict[str, ColumnElement[bool]]] = {
    "true": _outcome == Acknowledgement.AGREED.value,
    "false": _outcome.is_(None),
    "disputed": _outcome == Acknowledgement.DISPUTED.value,
}
