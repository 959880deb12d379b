"""Who owed what on a day, as it was known at a position.

Whoever owes a task knows of it, though perhaps of nothing else: from them its meeting, its body and the decision it
serves are kept, in the list and in what the list can be filtered by.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, and_, func, or_, select

from services.reporting.datasets import ORGANIZATION, action_items, commitments, decisions, meetings
from services.reporting.queries.access import (
    Scope,
    read_by,
    read_by_among,
    readable,
    readable_among,
    readable_rows,
    readable_things,
    shown_on,
)
from services.reporting.queries.board import readable_codes
from services.reporting.queries.corrected import Corrected
from services.reporting.queries.corrections import corrections_on
from services.reporting.queries.moments import AsOf
from services.reporting.queries.names import Names, names_at
from services.reporting.queries.rules import verdict
from services.reporting.reading import Reading
from shared.events.vocabulary import Visibility
from shared.rules.action_item_state import ACTION_ITEM_STATE_1, ActionItemState
from shared.rules.registry import Rule

_row: Final = action_items.c


class ActionItemFilters(NamedTuple):
    """Which action items a list is of; an empty sequence admits all, and the days are not included."""

    owner_organization: Sequence[str] = ()
    state: Sequence[str] = ()
    body: Sequence[str] = ()
    commitment: Sequence[str] = ()
    decision: Sequence[str] = ()
    due_before: date | None = None
    due_after: date | None = None


_HIDDEN: Final = Meta(description="Null for somebody who may not know of it.")


class ActionItem(msgspec.Struct, frozen=True):
    """An action item as it stood on a day."""

    id: UUID
    number: Annotated[
        int | None,
        Meta(description="Among those of its meeting. Null for somebody who may not know of that."),
    ]
    text: str
    owner_organization: str
    owner_organization_name: str | None
    due_on: date
    first_due_on: Annotated[
        date, Meta(description="When it was due at first: late and extended are two things.")
    ]
    state: ActionItemState
    state_because: Annotated[int, Meta(description="The position of the event the state follows from.")]
    ended_on: date | None
    assigned_on: date
    body: Annotated[str | None, _HIDDEN]
    meeting: Annotated[UUID | None, _HIDDEN]
    agenda_item: Annotated[int | None, _HIDDEN]
    decision: Annotated[str | None, _HIDDEN]
    commitment: Annotated[str | None, _HIDDEN]
    visibility: Visibility
    corrected: Annotated[
        Corrected | None, Meta(description="How it is told otherwise of this day than before.")
    ]


class Key(NamedTuple):
    """Where an action item stands in the list: by the day it is due, and then as they were assigned."""

    due_on: date
    assigned_at: int


class ActionItems(NamedTuple):
    """A page of action items, and where the next one begins; the counts, where they were asked for."""

    items: list[ActionItem]
    next: Key | None
    by_state: dict[str, int] | None


def action_items_as_of(
    reading: Reading,
    at: AsOf,
    scope: Scope,
    filters: ActionItemFilters,
    *,
    after: Key | None = None,
    limit: int = 50,
    count: bool = False,
    rule: Rule = ACTION_ITEM_STATE_1,
) -> ActionItems:
    """The action items that existed on the day of `at`, and how they stood then."""
    chosen = _chosen(reading, at, scope, filters, rule)
    beyond = [] if after is None else [_beyond(after)]
    rows = reading.connection.execute(
        select(action_items.table)
        .where(chosen, *beyond)
        .order_by(_row.due_on, _row.assigned_at)
        .limit(limit + 1)
    ).all()
    by_state = None
    if count:
        state = verdict(rule, _row, at.on).label("state")
        counts = reading.connection.execute(select(state, func.count()).where(chosen).group_by("state"))
        by_state = dict.fromkeys(ActionItemState, 0) | {row[0]: row[1] for row in counts}
    page = rows[:limit]
    last = Key(page[-1].due_on, page[-1].assigned_at) if len(rows) > limit else None
    return ActionItems(_items(reading, at, scope, page, rule), last, by_state)


def _chosen(
    reading: Reading, at: AsOf, scope: Scope, filters: ActionItemFilters, rule: Rule
) -> ColumnElement[bool]:
    position = at.position
    found = [
        action_items.valid_at(at.on, position, reading.position),
        readable(reading, scope, position, action_items),
        shown_on(scope, at.on, position, _row.item_id),
        *action_items.admits(filters._asdict()),
    ]
    if filters.state:
        found.append(verdict(rule, _row, at.on).in_(filters.state))
    if filters.body:
        found.append(_row.body.in_(filters.body))
    if filters.decision:
        seen = readable_things(reading, scope, position, decisions, decisions.c.number)
        found += [_row.decision.in_(filters.decision), _row.decision.in_(seen)]
    if (filters.body or filters.decision) and not scope.everything:
        found.append(_row.meeting_id.in_(readable_things(reading, scope, position, meetings)))
    if filters.commitment:
        found.append(_row.commitment.in_(filters.commitment))
        if not scope.everything:
            seen = readable_things(reading, scope, position, commitments, commitments.c.code)
            found.append(or_(read_by(reading, scope, position, _row.item_id), _row.commitment.in_(seen)))
    if filters.due_before is not None:
        found.append(_row.due_on < filters.due_before)
    if filters.due_after is not None:
        found.append(_row.due_on > filters.due_after)
    return and_(*found)


def _beyond(key: Key) -> ColumnElement[bool]:
    return or_(_row.due_on > key.due_on, and_(_row.due_on == key.due_on, _row.assigned_at > key.assigned_at))


def _items(reading: Reading, at: AsOf, scope: Scope, page: Sequence[Any], rule: Rule) -> list[ActionItem]:
    if not page:
        return []
    position = at.position
    seen_meetings = readable_among(reading, scope, position, meetings, {row.meeting_id for row in page})
    # Whose task it is, is told which commitment it serves.
    own = read_by_among(reading, scope, position, {row.item_id for row in page})
    codes = readable_codes(reading, position, scope, {row.commitment for row in page} - {None})
    known = {row.decision for row in page} - {None}
    numbers = {row.number for row in readable_rows(reading, scope, position, decisions, "number", known)}
    names = names_at(reading, position, at.on)
    corrections = corrections_on(reading, at, scope, {row.item_id for row in page})
    return [
        _item(
            row,
            at.on,
            names,
            rule,
            meeting_known=row.meeting_id in seen_meetings,
            decision=row.decision if row.decision in numbers else None,
            commitment=row.commitment if row.item_id in own or row.commitment in codes else None,
            corrected=corrections.told(row.item_id),
        )
        for row in page
    ]


def _item(
    row: Any,
    on: date,
    names: Names,
    rule: Rule,
    *,
    meeting_known: bool,
    decision: str | None,
    commitment: str | None,
    corrected: Corrected | None,
) -> ActionItem:
    line = rule.line_for(row, on)
    return ActionItem(
        id=row.item_id,
        number=row.number if meeting_known else None,
        text=row.text,
        owner_organization=row.owner_organization,
        owner_organization_name=names.of(ORGANIZATION, row.owner_organization),
        due_on=row.due_on,
        first_due_on=row.first_due_on,
        state=ActionItemState(line.verdict or ""),
        state_because=rule.position_of(line, row),
        ended_on=row.ended_on,
        assigned_on=row.assigned_on,
        body=row.body if meeting_known else None,
        meeting=row.meeting_id if meeting_known else None,
        agenda_item=row.agenda_item if meeting_known else None,
        decision=decision if meeting_known else None,
        commitment=commitment,
        visibility=row.visibility,
        corrected=corrected,
    )
