"""The status rule as SQL: the same lines in the same order as `shared.rules.traffic_light`, which is the authority.

A property test keeps the two together. What the rule says depends on the day asked about and on one row of `standings`.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Text, and_, case, func, literal

from services.reporting.tables import standings
from shared.events.vocabulary import Judgement
from shared.rules.traffic_light import CURRENT_RULE, Closure, Status

RULE: Final = "traffic_light_1"
"""The version of the rule written here; `CURRENT_RULE` must be it."""
assert RULE == CURRENT_RULE

_row = standings.c


def status_on(day: date) -> ColumnElement[Any]:
    """The status of a row on a day; NULL for a merged commitment."""
    return _first_line_that_holds(
        day,
        merged=literal(None, Text),
        discarded=literal(Status.DISCARDED.value, Text),
        achieved=literal(Status.ACHIEVED.value, Text),
        delayed=literal(Status.DELAYED.value, Text),
        at_risk=literal(Status.NEEDS_ATTENTION.value, Text),
        behind=literal(Status.NEEDS_ATTENTION_INTERNAL_DEADLINE.value, Text),
        otherwise=literal(Status.ON_TIME.value, Text),
    )


def because_on(day: date) -> ColumnElement[Any]:
    """The position of the event the status on a day follows from."""
    closed = func.coalesce(_row.closure_at, _row.registered_at, type_=BigInteger)
    return _first_line_that_holds(
        day,
        merged=closed,
        discarded=closed,
        achieved=closed,
        delayed=func.coalesce(_row.public_deadline_at, _row.registered_at),
        at_risk=func.coalesce(_row.judgement_at, _row.registered_at),
        behind=func.coalesce(_row.internal_deadline_at, _row.registered_at),
        otherwise=func.coalesce(_row.judgement_at, _row.registered_at),
    )


def _first_line_that_holds(
    day: date,
    *,
    merged: ColumnElement[Any],
    discarded: ColumnElement[Any],
    achieved: ColumnElement[Any],
    delayed: ColumnElement[Any],
    at_risk: ColumnElement[Any],
    behind: ColumnElement[Any],
    otherwise: ColumnElement[Any],
) -> ColumnElement[Any]:
    return case(
        (_row.closure == Closure.MERGED.value, merged),
        (_row.closure == Closure.DISCARDED.value, discarded),
        (_row.closure == Closure.ACHIEVED.value, achieved),
        (and_(_row.public_deadline.is_not(None), _row.public_deadline < day), delayed),
        (_row.judgement == Judgement.AT_RISK.value, at_risk),
        (and_(_row.internal_deadline.is_not(None), _row.internal_deadline < day), behind),
        else_=otherwise,
    )
