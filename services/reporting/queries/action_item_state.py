"""The state of an action item as SQL: the same lines in the same order as `shared.rules.action_item_state`.

That is the authority, and a property test keeps the two together. What the rule says depends on the day asked about and
on one row of `action_items`.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Text, and_, case, func, literal

from services.reporting.tables import action_items
from shared.rules.action_item_state import CURRENT_ACTION_ITEM_RULE, ActionItemState, Ending

RULE: Final = "action_item_state_1"
"""The version of the rule written here; `CURRENT_ACTION_ITEM_RULE` must be it."""
assert RULE == CURRENT_ACTION_ITEM_RULE

_row = action_items.c


def state_on(day: date) -> ColumnElement[Any]:
    """The state of a row on a day."""
    return case(
        (_row.ending == Ending.CANCELLED.value, _is(ActionItemState.CANCELLED)),
        (and_(_row.ended_on.is_not(None), _row.ended_on > _row.due_on), _is(ActionItemState.DONE_LATE)),
        (_row.ended_on.is_not(None), _is(ActionItemState.DONE)),
        (_row.due_on < day, _is(ActionItemState.OVERDUE)),
        else_=_is(ActionItemState.OPEN),
    )


def because() -> ColumnElement[Any]:
    """The position of the event a row's state follows from, on any day."""
    return case(
        (_row.ending.is_not(None), func.coalesce(_row.ending_at, _row.assigned_at)),
        else_=_row.due_at,
    )


def _is(state: ActionItemState) -> ColumnElement[Any]:
    return literal(state.value, Text)
