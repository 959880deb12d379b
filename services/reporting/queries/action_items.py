"""Who owed what on a day, as it was known at a position.

Whoever owes a task knows of it, though perhaps of nothing else: from them its meeting, its body and the decision it
serves are kept, in the list and in what the list can be filtered by.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, FromClause, and_, func, or_, select

from services.reporting.queries.action_item_state import because, state_on
from services.reporting.queries.moments import AsOf, believed, holding
from services.reporting.queries.names import names_at
from services.reporting.queries.scope import Scope, circled, knows_of, visible_descriptions
from services.reporting.reading import Reading
from services.reporting.tables import ORGANIZATION, action_items, decisions, descriptions, disclosures, tasks
from shared.rules.action_item_state import ActionItemState

_row = action_items.c
_task = tasks.c
_STATES: Final = [state.value for state in ActionItemState]


class ActionItemFilters(NamedTuple):
    """Which action items a list is of; an empty sequence admits all, and the days are not included."""

    owner_organization: Sequence[str] = ()
    state: Sequence[str] = ()
    body: Sequence[str] = ()
    commitment: Sequence[str] = ()
    decision: Sequence[str] = ()
    due_before: date | None = None
    due_after: date | None = None


class ActionItem(msgspec.Struct, frozen=True):
    """One action item; what the asker may not know of is null."""

    id: UUID
    number: int | None
    text: str
    owner_organization: str
    owner_organization_name: str | None
    due_on: date
    first_due_on: date
    state: str
    state_because: int
    ended_on: date | None
    assigned_on: date
    body: str | None
    meeting: UUID | None
    agenda_item: int | None
    decision: str | None
    commitment: str | None
    visibility: str


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
) -> ActionItems:
    """The action items that existed on the day of `at`, and how they stood then."""
    state = state_on(at.on)
    source, chosen = _source(at), _chosen(reading, at, scope, filters)
    query = select(
        action_items,
        tasks,
        disclosures.c.visibility,
        state.label("state"),
        because().label("because"),
        knows_of(scope, at.position, _task.meeting_id).label("meeting_known"),
        _decision_known(at, scope).label("decision_known"),
        _commitment_known(at, scope).label("commitment_known"),
    )
    rows = reading.connection.execute(
        query.select_from(source)
        .where(chosen, *([] if after is None else [_beyond(after)]))
        .order_by(_row.due_on, _row.assigned_at)
        .limit(limit + 1)
    ).all()
    by_state = None
    if count:
        counts = reading.connection.execute(
            select(state.label("state"), func.count()).select_from(source).where(chosen).group_by("state")
        )
        by_state = dict.fromkeys(_STATES, 0) | {row[0]: row[1] for row in counts}
    page = rows[:limit]
    last = Key(page[-1].due_on, page[-1].assigned_at) if len(rows) > limit else None
    names = names_at(reading, at.position) if page else None
    items = [_item(row, names.of(ORGANIZATION, row.owner_organization)) for row in page] if names else []
    return ActionItems(items, last, by_state)


def _source(at: AsOf) -> FromClause:
    return action_items.join(tasks, and_(_task.item_id == _row.item_id, believed(tasks, at.position))).join(
        disclosures, and_(disclosures.c.thing_id == _row.item_id, believed(disclosures, at.position))
    )


def _chosen(reading: Reading, at: AsOf, scope: Scope, filters: ActionItemFilters) -> ColumnElement[bool]:
    found = [
        holding(at.on, at.position, reading.position, action_items),
        knows_of(scope, at.position, _row.item_id),
    ]
    meeting_known = knows_of(scope, at.position, _task.meeting_id)
    if filters.owner_organization:
        found.append(_row.owner_organization.in_(filters.owner_organization))
    if filters.state:
        found.append(state_on(at.on).in_(filters.state))
    if filters.body:
        found += [_task.body.in_(filters.body), meeting_known]
    if filters.decision:
        found += [_task.decision.in_(filters.decision), meeting_known, _decision_known(at, scope)]
    if filters.commitment:
        found += [_task.commitment.in_(filters.commitment), _commitment_known(at, scope)]
    if filters.due_before is not None:
        found.append(_row.due_on < filters.due_before)
    if filters.due_after is not None:
        found.append(_row.due_on > filters.due_after)
    return and_(*found)


def _decision_known(at: AsOf, scope: Scope) -> ColumnElement[bool]:
    """Whether the asker may know of the decision that a task serves, which may be known to fewer than its meeting."""
    seen = select(decisions.c.number).where(
        believed(decisions, at.position), knows_of(scope, at.position, decisions.c.decision_id)
    )
    return _task.decision.in_(seen)


def _commitment_known(at: AsOf, scope: Scope) -> ColumnElement[bool]:
    """Whether the asker may know which commitment a task serves: it is theirs, or they see the commitment."""
    if scope.name == "everything":
        return knows_of(scope, at.position, _row.item_id)
    seen = select(descriptions.c.code).where(
        believed(descriptions, at.position), visible_descriptions(scope, at.position)
    )
    return or_(circled(scope, at.position, _row.item_id), _task.commitment.in_(seen))


def _beyond(key: Key) -> ColumnElement[bool]:
    return or_(_row.due_on > key.due_on, and_(_row.due_on == key.due_on, _row.assigned_at > key.assigned_at))


def _item(row: Any, owner_name: str | None) -> ActionItem:
    known = row.meeting_known
    return ActionItem(
        id=row.item_id,
        number=row.number if known else None,
        text=row.text,
        owner_organization=row.owner_organization,
        owner_organization_name=owner_name,
        due_on=row.due_on,
        first_due_on=row.first_due_on,
        state=row.state,
        state_because=row.because,
        ended_on=row.ended_on,
        assigned_on=row.assigned_on,
        body=row.body if known else None,
        meeting=row.meeting_id if known else None,
        agenda_item=row.agenda_item if known else None,
        decision=row.decision if known and row.decision_known else None,
        commitment=row.commitment if row.commitment_known else None,
        visibility=row.visibility,
    )
