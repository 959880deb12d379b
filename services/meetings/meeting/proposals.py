"""What is to be dealt with on the next agendas of bodies: what they left open, and what was referred to them.

Tasks still owed, and decisions waiting for the budget office, are there until that is over. What was referred to a
body, or was postponed by it, is there until sealed minutes of that body say that an item of its agenda took it up and
ended it otherwise than *postponed*. A postponed item that had taken up what was referred comes back as that.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from pydantic import Field

from services.meetings.action_item.model import ActionItem
from services.meetings.decision.model import Decision
from services.meetings.meeting.listing import MeetingList
from shared.aggregate.documents import document_of
from shared.aggregate.index import Index
from shared.eventlog.envelope import Recorded
from shared.eventlog.live import LiveLog
from shared.events.meeting_vocabulary import Acknowledgement, ItemOutcome
from shared.events.meetings import ActionItemAssigned, Ending, MinutesApproved, PostponedItem
from shared.events.retractions import ActionItemFactRetracted, DecisionFactRetracted
from shared.events.types import BodyCode, DecisionNumber
from shared.identity.actor import Actor
from shared.rules.action_item_state import ActionItemState

_OF_TASKS_AND_DECISIONS: Final = (
    "action_item",
    "decision",
    "owner_organization",
    "due_on",
    "state",
    "acknowledgement",
)

Key = tuple[str, str, Any]
"""Its place among the proposals of a body."""


class Proposal(msgspec.Struct, kw_only=True):
    """Something left open: an action item still owed, a decision that waits for the budget office, an item that was
    postponed, or what another body referred to this one.
    """

    kind: Literal["action_item", "decision", "postponed_item", "referral"]
    action_item: UUID | None
    decision: DecisionNumber | None
    text: str
    agreed_on: date
    owner_organization: str | None
    due_on: date | None
    state: ActionItemState | None
    acknowledgement: Acknowledgement | None
    referred_by: Annotated[BodyCode | None, Field(description="The body that referred it.")] = None
    postponed: Annotated[
        document_of(PostponedItem) | None,  # type: ignore[valid-type]
        Field(
            description="The item that was postponed, as an item of an agenda names it to take it up again."
        ),
    ] = None
    times_postponed: Annotated[
        int | None, Field(description="How often a referral or an item was postponed.")
    ] = None
    days_waiting: Annotated[
        int | None, Field(description="Days since it was referred, or last postponed.")
    ] = None


class Proposals:
    """Follows the log; the list of meetings says which an actor may know of."""

    def __init__(self, live: LiveLog, listing: MeetingList) -> None:
        self._clock = live.clock
        self._listing = listing
        self._knows = listing.shows
        self._referred: dict[str, dict[UUID, Decision]] = {}
        self._taken_up: dict[str, list[tuple[UUID, Ending]]] = {}
        """By decision: the meetings that took it up again, and how that ended."""
        self._postponed: dict[str, dict[PostponedItem, Ending]] = {}
        """By body."""
        self._resumed: dict[PostponedItem, list[UUID]] = {}
        """The meetings that took it up again."""
        live.subscribe((MinutesApproved,), self._approved, forget=self._forget)
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
        """What an actor may know of, by key: tasks by the day they are due, then the others by their day."""
        items = (one for one in self._owed.get(body, {}).values() if one.readers().include(actor))
        decisions = (one for one in self._pending.get(body, {}).values() if one.readers().include(actor))
        found: list[tuple[Key, Proposal]] = [
            (("action_item", str(one.due_on), one.assigned.position), self._item(one, actor)) for one in items
        ]
        found += [
            (("decision", str(one.agreed.event.agreed_on), one.number), self._decision(one))
            for one in decisions
        ]
        found += [
            (("referral", str(one.agreed_on), one.decision), one) for one in self._referrals(body, actor)
        ]
        referred = {one.number for one in self._referred.get(body, {}).values()}
        for item, ending in self._postponed.get(body, {}).items():
            known = self._knows(item.meeting, actor)
            resumed = any(self._knows(meeting, actor) for meeting in self._resumed.get(item, ()))
            if known and not resumed and referred.isdisjoint(ending.decisions):
                one = self._postponed_item(item, ending)
                key = "postponed_item", str(one.agreed_on), f"{item.meeting}/{item.item:06}"
                found.append((key, one))
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

    def _referrals(self, body: str, actor: Actor) -> Iterator[Proposal]:
        """What was referred to a body and has not been ended there, as far as an actor may know."""
        for decision in self._referred.get(body, {}).values():
            if not decision.readers().include(actor):
                continue
            agreed = decision.agreed.event
            outcomes = [
                ending.outcome
                for meeting, ending in self._taken_up.get(agreed.number, ())
                if self._body_of(meeting) == body and self._knows(meeting, actor)
            ]
            postponed = outcomes.count(ItemOutcome.POSTPONED)
            if postponed == len(outcomes):
                yield self._open(
                    "referral",
                    agreed.text,
                    agreed.agreed_on,
                    decision=agreed.number,
                    referred_by=agreed.body,
                    times_postponed=postponed,
                )

    def _postponed_item(self, item: PostponedItem, ending: Ending) -> Proposal:
        meeting = self._listing.get(item.meeting)
        assert meeting is not None
        assert meeting.held_at is not None, "minutes are of a meeting that was held"
        return self._open(
            "postponed_item",
            ending.title,
            self._clock.day_of(meeting.held_at),
            postponed=document_of(PostponedItem)(meeting=item.meeting, item=item.item),
            times_postponed=ending.times_postponed,
        )

    def _open(self, kind: Any, text: str, since: date, **more: Any) -> Proposal:
        """Something that waits since a day for the body to deal with it."""
        fields: dict[str, Any] = dict.fromkeys(_OF_TASKS_AND_DECISIONS)
        waiting = (self._clock.today() - since).days
        return Proposal(kind=kind, text=text, agreed_on=since, days_waiting=waiting, **fields | more)

    def _body_of(self, meeting: UUID) -> str:
        found = self._listing.get(meeting)
        assert found is not None, "minutes are of a meeting that was convened"
        return found.body

    def _forget(self) -> None:
        for held in (
            *(self._referred, self._taken_up, self._postponed),
            *(self._resumed, self._owed, self._pending),
        ):
            held.clear()

    def _approved(self, recorded: Recorded) -> None:
        assert isinstance(recorded.data, MinutesApproved)
        meeting = recorded.stream_id
        for ending in recorded.data.endings:
            for number in ending.decisions:
                self._taken_up.setdefault(number, []).append((meeting, ending))
            if ending.postponed is not None:
                self._resumed.setdefault(ending.postponed, []).append(meeting)
            if ending.outcome is ItemOutcome.POSTPONED:
                item = PostponedItem(meeting=meeting, item=ending.item)
                self._postponed.setdefault(self._body_of(meeting), {})[item] = ending

    def _item_changed(self, item: ActionItem) -> None:
        owed = self._owed.setdefault(item.assigned.event.body, {})
        if item.ending is None:
            owed[item.id] = item
        else:
            # Nothing more can happen to it that a list would show; an ending retracted brings it back from the log.
            owed.pop(item.id, None)
            self._items.drop(item)

    def _decision_changed(self, decision: Decision) -> None:
        effect = decision.agreed.event.effect
        if effect is not None and effect.referral is not None and effect.referral.body is not None:
            self._referred.setdefault(effect.referral.body, {})[decision.id] = decision
        pending = self._pending.setdefault(decision.agreed.event.body, {})
        if decision.is_pending(self._clock.day_of):
            pending[decision.id] = decision
        else:
            pending.pop(decision.id, None)
