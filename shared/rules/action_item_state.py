"""The state of an action item on a day: owed, late, done, done late, or no longer owed.

The same kind of rule as the status of a commitment: a pure function of what the record says of one day, with a version,
so that nobody presses a button for a day to pass. The due day itself is not late.

    cancelled   it was called off on or before that day
    done        it was done by then, no later than the day on which it was due
    done_late   it was done by then, after the day on which it was due
    overdue     it was due before that day
    open        otherwise
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from shared.events.facts import Event
from shared.events.meetings import (
    ActionItemAssigned,
    ActionItemCancelled,
    ActionItemCompleted,
    ActionItemExtended,
    ActionItemReassigned,
)
from shared.rules.dated_facts import History


class ActionItemState(StrEnum):
    """What an action item is on a day."""

    OPEN = "open"
    OVERDUE = "overdue"
    DONE = "done"
    DONE_LATE = "done_late"
    CANCELLED = "cancelled"


OWED = frozenset({ActionItemState.OPEN, ActionItemState.OVERDUE})
"""The states in which it comes back on the next agenda."""


class Ending(StrEnum):
    """How an action item stopped being owed."""

    COMPLETED = "completed"
    CANCELLED = "cancelled"


class ActionItemStanding(NamedTuple):
    """What the record says of one action item on one day; each `…_at` is the position of the event that said it."""

    assigned_at: int
    owner_organization: str
    owner_at: int
    due_on: date
    due_at: int
    ending: Ending | None = None
    ended_on: date | None = None
    ending_at: int | None = None


class ActionItemVerdict(NamedTuple):
    """The state on a day, and the position of the event it follows from."""

    state: ActionItemState
    because: int


class ActionItemSpan(NamedTuple):
    """The days `valid_from` ≤ day < `valid_to` on which one standing held; None means without end."""

    valid_from: date
    valid_to: date | None
    standing: ActionItemStanding


class ActionItemFacts:
    """Everything the rule needs to know of one action item, with the day and the position of each fact."""

    __slots__ = ("assigned_at", "assigned_on", "dues", "endings", "owners")

    def __init__(self, event: ActionItemAssigned, position: int) -> None:
        self.assigned_at = position
        self.assigned_on = event.assigned_on
        self.owners: History[str] = History(event.owner_organization, position)
        self.dues: History[date] = History(event.due_on, position)
        self.endings: History[tuple[Ending, date] | None] = History(None, position)

    def apply(self, event: Event, position: int) -> date | None:
        """Take in one more event; returns the first day whose standing may have changed, or None if none has."""
        match event:
            case ActionItemExtended():
                self.dues.add(event.effective_on, position, event.due_on)
                return event.effective_on
            case ActionItemReassigned():
                self.owners.add(event.effective_on, position, event.owner_organization)
                return event.effective_on
            case ActionItemCompleted():
                self.endings.add(event.completed_on, position, (Ending.COMPLETED, event.completed_on))
                return event.completed_on
            case ActionItemCancelled():
                self.endings.add(event.effective_on, position, (Ending.CANCELLED, event.effective_on))
                return event.effective_on
            case _:
                return None

    def standing_on(self, day: date) -> ActionItemStanding | None:
        """What held on a day; None before it was assigned."""
        if day < self.assigned_on:
            return None
        owner, owner_at = self.owners.on(day)
        due, due_at = self.dues.on(day)
        ended, ending_at = self.endings.on(day)
        return ActionItemStanding(
            assigned_at=self.assigned_at,
            owner_organization=owner,
            owner_at=owner_at,
            due_on=due,
            due_at=due_at,
            ending=None if ended is None else ended[0],
            ended_on=None if ended is None else ended[1],
            ending_at=None if ended is None else ending_at,
        )

    def spans(self) -> list[ActionItemSpan]:
        """The standings in order of days, from the first day on, without gaps."""
        start = self.assigned_on
        days = {start}
        for days_after in (self.owners.days_after, self.dues.days_after, self.endings.days_after):
            days.update(days_after(start))
        ordered = sorted(days)
        found: list[ActionItemSpan] = []
        for index, day in enumerate(ordered):
            standing = self.standing_on(day)
            assert standing is not None
            end = ordered[index + 1] if index + 1 < len(ordered) else None
            found.append(ActionItemSpan(day, end, standing))
        return found


def action_item_state_1(standing: ActionItemStanding, day: date) -> ActionItemVerdict:
    """Version 1 of the rule."""
    if standing.ending is Ending.CANCELLED:
        return ActionItemVerdict(ActionItemState.CANCELLED, standing.ending_at or standing.assigned_at)
    if standing.ended_on is not None:
        late = standing.ended_on > standing.due_on
        state = ActionItemState.DONE_LATE if late else ActionItemState.DONE
        return ActionItemVerdict(state, standing.ending_at or standing.assigned_at)
    state = ActionItemState.OVERDUE if standing.due_on < day else ActionItemState.OPEN
    return ActionItemVerdict(state, standing.due_at)


ActionItemRule = Callable[[ActionItemStanding, date], ActionItemVerdict]

ACTION_ITEM_RULES: dict[str, ActionItemRule] = {"action_item_state_1": action_item_state_1}
CURRENT_ACTION_ITEM_RULE = "action_item_state_1"


def action_item_verdict(
    standing: ActionItemStanding, day: date, rule: str = CURRENT_ACTION_ITEM_RULE
) -> ActionItemVerdict:
    """The verdict on a day under a named rule; an unknown name is a `KeyError`."""
    return ACTION_ITEM_RULES[rule](standing, day)
