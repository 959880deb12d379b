"""The state of an action item on a day: owed, late, done, done late, or no longer owed.

The same kind of rule as the status of a commitment. The due day itself is not late.

    cancelled   it was called off on or before that day
    done_late   it was done by then, after the day on which it was due when it was done
    done        it was done by then, no later than the day on which it was due when it was done
    overdue     it was due before that day
    open        otherwise
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any, Final, NamedTuple, cast

from shared.events.facts import Event
from shared.events.meetings import (
    ActionItemAssigned,
    ActionItemCancelled,
    ActionItemCompleted,
    ActionItemExtended,
    ActionItemReassigned,
)
from shared.events.types import Kind
from shared.rules.dated_facts import FactsByDay, History
from shared.rules.registry import Compared, Is, Known, Line, Rule, passed, registered, rule_named


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


class ActionItemOnDay(NamedTuple):
    """What held of an action item on one day; each `…_at` is the position of the event that said so."""

    assigned_at: int
    owner_organization: str
    owner_at: int
    due_on: date
    due_on_at: int
    ending: Ending | None = None
    ended_on: date | None = None
    ending_at: int | None = None


class ActionItemVerdict(NamedTuple):
    """The state on a day, and the position of the event it follows from."""

    state: ActionItemState
    because: int


class ActionItemFacts(FactsByDay[ActionItemOnDay]):
    """Everything the rule needs to know of one action item, with the day and the position of each fact."""

    __slots__ = ("assigned_at", "dues", "endings", "owners")

    def __init__(self, event: ActionItemAssigned, position: int) -> None:
        super().__init__(event.assigned_on)
        self.assigned_at = position
        self.owners: History[str] = History(event.owner_organization, position)
        self.dues: History[date] = History(event.due_on, position)
        self.endings: History[tuple[Ending, date] | None] = History(None, position)

    def histories(self) -> tuple[History[Any], ...]:
        """See `FactsByDay.histories`."""
        return (self.owners, self.dues, self.endings)

    def take_in(self, event: Event, position: int) -> date | None:
        """See `FactsByDay.take_in`."""
        match event:
            case ActionItemExtended():
                return self.dues.add(event.effective_on, position, event.due_on)
            case ActionItemReassigned():
                return self.owners.add(event.effective_on, position, event.owner_organization)
            case ActionItemCompleted():
                return self.endings.add(event.completed_on, position, (Ending.COMPLETED, event.completed_on))
            case ActionItemCancelled():
                return self.endings.add(event.effective_on, position, (Ending.CANCELLED, event.effective_on))
            case _:
                return None

    def facts_on(self, day: date) -> ActionItemOnDay:
        """See `FactsByDay.facts_on`."""
        owner, owner_at = self.owners.on(day)
        ended, ending_at = self.endings.on(day)
        ending, ended_on = ended or (None, None)
        # What is over is judged by the day that was due when it ended, whatever was granted later.
        due_on, due_on_at = self.dues.on(day if ended_on is None else min(day, ended_on))
        return ActionItemOnDay(
            assigned_at=self.assigned_at,
            owner_organization=owner,
            owner_at=owner_at,
            due_on=due_on,
            due_on_at=due_on_at,
            ending=ending,
            ended_on=ended_on,
            ending_at=None if ended is None else ending_at,
        )


ACTION_ITEM_STATE_1: Final = registered(
    Rule(
        "action_item_state",
        1,
        Kind.ACTION_ITEM,
        "The delivery unit's own practice: what is done late stays late.",
        (
            Line(ActionItemState.CANCELLED, "ending", Is("ending", Ending.CANCELLED)),
            Line(ActionItemState.DONE_LATE, "ending", Compared("ended_on", ">", "due_on")),
            Line(ActionItemState.DONE, "ending", Known("ended_on")),
            Line(ActionItemState.OVERDUE, "due_on", passed("due_on")),
            Line(ActionItemState.OPEN, "due_on"),
        ),
        origin="assigned_at",
    )
)

CURRENT_ACTION_ITEM_RULE: Final = ACTION_ITEM_STATE_1.name


def action_item_verdict(
    facts: ActionItemOnDay, day: date, rule: str = CURRENT_ACTION_ITEM_RULE
) -> ActionItemVerdict:
    """The verdict on a day under a named rule; an unknown name is a `KeyError`."""
    named = rule_named(rule)
    line = named.line_for(facts, day)
    return ActionItemVerdict(cast(ActionItemState, line.verdict), named.position_of(line, facts))
