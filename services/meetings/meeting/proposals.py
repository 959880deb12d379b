"""What bodies left open, for their next agendas: tasks still owed, and decisions waiting for the budget office."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Literal
from uuid import UUID

import msgspec

from services.meetings.action_item.model import ActionItem
from services.meetings.decision.model import Decision
from shared.aggregate.index import Index
from shared.eventlog.live import LiveLog
from shared.events.meeting_vocabulary import Acknowledgement
from shared.events.meetings import ActionItemAssigned
from shared.events.retractions import ActionItemFactRetracted, DecisionFactRetracted
from shared.events.types import DecisionNumber
from shared.identity.actor import Actor
from shared.rules.action_item_state import ActionItemState

Key = tuple[str, str, Any]
"""Its place among the proposals of a body."""


class Proposal(msgspec.Struct, kw_only=True):
    """Something left open: an action item that is still owed, or a decision that waits for the budget office."""

    kind: Literal["action_item", "decision"]
    action_item: UUID | None
    decision: DecisionNumber | None
    text: str
    agreed_on: date
    owner_organization: str | None
    due_on: date | None
    state: ActionItemState | None
    acknowledgement: Acknowledgement | None


class Proposals:
    """Follows the log; `knows` says whether an actor may know of a meeting."""

    def __init__(self, live: LiveLog, knows: Callable[[UUID, Actor], bool]) -> None:
        self._clock = live.clock
        self._knows = knows
        self._owed: dict[str, dict[UUID, ActionItem]] = {}
        self._pending: dict[str, dict[UUID, Decision]] = {}
        self._items: Index[ActionItem] = Index(
            live,
            ActionItem,
            key=lambda one: str(one.id),
            changed=self._item_changed,
            retracting=ActionItemFactRetracted,
            store=live.store,
        )
        self._decisions: Index[Decision] = Index(
            live,
            Decision,
            key=lambda one: one.number,
            changed=self._decision_changed,
            retracting=DecisionFactRetracted,
            store=live.store,
        )

    def of(self, body: str, actor: Actor) -> list[tuple[Key, Proposal]]:
        """What an actor may know of, by key: tasks by the day they are due, then decisions by their day."""
        items = (one for one in self._owed.get(body, {}).values() if one.readers().include(actor))
        decisions = (one for one in self._pending.get(body, {}).values() if one.readers().include(actor))
        found: list[tuple[Key, Proposal]] = [
            (("action_item", str(one.due_on), one.assigned.position), self._item(one, actor)) for one in items
        ]
        found += [
            (("decision", str(one.agreed.event.agreed_on), one.number), self._decision(one))
            for one in decisions
        ]
        return sorted(found, key=lambda pair: pair[0])

    def _item(self, item: ActionItem, actor: Actor) -> Proposal:
        assigned, verdict = item.assigned.event, item.verdict_on(self._clock.today())
        return Proposal(
            kind="action_item",
            action_item=item.id,
            decision=assigned.decision if self._knows_decision(assigned, actor) else None,
            text=assigned.text,
            agreed_on=assigned.assigned_on,
            owner_organization=item.owner,
            due_on=item.due_on,
            state=verdict and verdict.state,
            acknowledgement=None,
        )

    def _knows_decision(self, assigned: ActionItemAssigned, actor: Actor) -> bool:
        """Whether an actor may know of the meeting that asked for a task, and of the decision that it serves."""
        decision = None if assigned.decision is None else self._decisions.get(assigned.decision)
        return self._knows(assigned.meeting, actor) and (
            decision is None or decision.readers().include(actor)
        )

    def _decision(self, decision: Decision) -> Proposal:
        agreed, last = decision.agreed.event, decision.acknowledgement(self._clock.day_of)
        return Proposal(
            kind="decision",
            action_item=None,
            decision=agreed.number,
            text=agreed.text,
            agreed_on=agreed.agreed_on,
            owner_organization=None,
            due_on=None,
            state=None,
            acknowledgement=last and last.event.outcome,
        )

    def _item_changed(self, item: ActionItem) -> None:
        owed = self._owed.setdefault(item.assigned.event.body, {})
        if item.ending is None:
            owed[item.id] = item
        else:
            # Nothing more can happen to it that a list would show; an ending retracted brings it back from the log.
            owed.pop(item.id, None)
            self._items.drop(item)

    def _decision_changed(self, decision: Decision) -> None:
        pending = self._pending.setdefault(decision.agreed.event.body, {})
        if decision.is_pending(self._clock.day_of):
            pending[decision.id] = decision
        else:
            pending.pop(decision.id, None)
