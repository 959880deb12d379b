"""Decisions and action items of which something was told already."""

from __future__ import annotations

from datetime import date
from typing import Any

from services.meetings.action_item.model import ActionItem
from services.meetings.decision.model import Decision
from shared.events.commitments import Evidence
from shared.events.meeting_vocabulary import DecisionKind
from shared.events.meetings import (
    ActionItemAssigned,
    ActionItemCancelled,
    ActionItemCompleted,
    ActionItemExtended,
    ActionItemReassigned,
    DecisionAgreed,
)
from shared.events.vocabulary import Visibility
from tests.support.scenario import STREAM, Scenario, Told, told

ASSIGNED_ON = date(2012, 8, 14)
DUE_ON = date(2012, 9, 30)
LIST = Evidence(description="The list, signed")


def agreed(**more: Any) -> DecisionAgreed:
    """The first decision of the bilateral with Health in 2012."""
    fields: dict[str, Any] = {
        "number": "BIL-MINSAL-2012-001",
        "body": "BIL-MINSAL",
        "meeting": STREAM,
        "agreed_on": ASSIGNED_ON,
        "text": "Ten hospitals by 2013",
        "kind": DecisionKind.OTHER,
        "visibility": Visibility.RESERVED,
        "position_in_item": 1,
        "organizations": ("MINSAL",),
        "circle": ("MINSAL", "SEGPRES"),
    }
    return DecisionAgreed(**fields | more)


def given_decision(*history: Told) -> Scenario[Decision]:
    """A decision of which this was told."""
    return Scenario(Decision.begin, (agreed(), *history))


def decision(*history: Told) -> Decision:
    """The decision of which this was told."""
    return told(Decision.begin, (agreed(), *history))


def assigned(**more: Any) -> ActionItemAssigned:
    """Health owes a list by the end of September."""
    fields: dict[str, Any] = {
        "number": 1,
        "text": "List the hospitals",
        "owner_organization": "MINSAL",
        "assigned_on": ASSIGNED_ON,
        "due_on": DUE_ON,
        "body": "BIL-MINSAL",
        "meeting": STREAM,
        "visibility": Visibility.RESERVED,
        "circle": ("SEGPRES",),
    }
    return ActionItemAssigned(**fields | more)


def completed(day: date = DUE_ON) -> ActionItemCompleted:
    """It was done."""
    return ActionItemCompleted(completed_on=day, evidence=(LIST,))


def cancelled(day: date = DUE_ON) -> ActionItemCancelled:
    """It was called off."""
    return ActionItemCancelled(effective_on=day, reason="Overtaken")


def extended(due_on: date, effective_on: date, previous: date = DUE_ON) -> ActionItemExtended:
    """It was given more time."""
    return ActionItemExtended(
        due_on=due_on, previous=previous, effective_on=effective_on, reason="The strike"
    )


def handed_over(to: str, effective_on: date) -> ActionItemReassigned:
    """Somebody else took it over."""
    return ActionItemReassigned(
        owner_organization=to, previous="MINSAL", effective_on=effective_on, reason="Theirs"
    )


def given_item(*history: Told) -> Scenario[ActionItem]:
    """An action item of which this was told."""
    return Scenario(ActionItem.begin, (assigned(), *history))


def action_item(*history: Told) -> ActionItem:
    """The action item of which this was told."""
    return told(ActionItem.begin, (assigned(), *history))
