"""From the events of one action item to the rectangles of `action_items` and the row of `tasks`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from services.reporting.projections.beliefs import Beliefs, Row, row_of
from services.reporting.projections.changes import Belief, RowChanges
from services.reporting.projections.circles import disclose, encircle
from services.reporting.tables import END_OF_DAYS, action_items, tasks
from shared.eventlog.envelope import Recorded
from shared.events.facts import Event
from shared.events.meetings import (
    ActionItemAssigned,
    ActionItemCancelled,
    ActionItemCompleted,
    ActionItemExtended,
    ActionItemPublished,
    ActionItemReassigned,
)
from shared.rules.action_item_state import ActionItemFacts, ActionItemSpan

CHANGING: tuple[type[Event], ...] = (
    ActionItemExtended,
    ActionItemReassigned,
    ActionItemCompleted,
    ActionItemCancelled,
    ActionItemPublished,
)


class ActionItemView:
    """What is believed of one action item now."""

    __slots__ = ("_beliefs", "_circle", "_facts", "_id", "touched")

    def __init__(self, recorded: Recorded, changes: RowChanges) -> None:
        event = recorded.data
        assert isinstance(event, ActionItemAssigned)
        self.touched = False
        self._id = recorded.stream_id
        self._beliefs = Beliefs()
        self._circle = event.circle
        self._facts = ActionItemFacts(event, recorded.position)
        row = row_of(
            tasks,
            item_id=self._id.hex,
            number=event.number,
            text=event.text,
            assigned_on=event.assigned_on,
            first_due_on=event.due_on,
            body=event.body,
            meeting_id=event.meeting.hex,
            agenda_item=event.agenda_item,
            decision=event.decision,
            commitment=event.commitment,
        )
        self._beliefs.say(row, recorded.position, changes)
        disclose(self._beliefs, self._id, event.visibility, recorded.position, changes)
        self._restate(recorded.position, changes)

    def apply(self, recorded: Recorded, changes: RowChanges) -> None:
        """See `View.apply`."""
        event, position = recorded.data, recorded.position
        if isinstance(event, ActionItemPublished):
            disclose(self._beliefs, self._id, event.visibility, position, changes)
        elif self._facts.apply(event, position) is not None:
            self._restate(position, changes)

    def beliefs(self) -> Iterator[Belief[Any]]:
        """See `View.beliefs`."""
        return iter(self._beliefs)

    def _restate(self, position: int, changes: RowChanges) -> None:
        rows = [self._rectangle(span) for span in self._facts.spans() if span.valid_from < END_OF_DAYS]
        self._beliefs.restate(action_items, rows, position, changes)
        owner = self._facts.owners.on(date.max)[0]
        encircle(self._beliefs, self._id, position, changes, concerned=(owner,), knowing=self._circle)

    def _rectangle(self, span: ActionItemSpan) -> Row:
        standing = span.standing._asdict()
        ending = standing.pop("ending")
        return row_of(
            action_items,
            item_id=self._id.hex,
            valid_from=span.valid_from,
            valid_to=span.valid_to or END_OF_DAYS,
            ending=None if ending is None else ending.value,
            **standing,
        )
