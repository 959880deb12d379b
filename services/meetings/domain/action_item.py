"""One action item: who owes what by when, and what became of it.

Facts carry the day they took effect. Whether it is overdue on a day follows from them by a rule (`shared/rules`), and
nobody has to say so.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import date
from typing import Any, Self

from services.meetings.domain import guards
from services.meetings.domain.folding import Entry, Folded, changed_by, entry_of
from shared.errors import Forbidden, InvalidInput, RuleBroken
from shared.eventlog.envelope import Recorded
from shared.events.commitments import Evidence
from shared.events.meetings import (
    ActionItemAssigned,
    ActionItemCancelled,
    ActionItemCompleted,
    ActionItemExtended,
    ActionItemProgressed,
    ActionItemPublished,
    ActionItemReassigned,
)
from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor, Role
from shared.rules.action_item_state import ActionItemFacts, ActionItemVerdict, action_item_verdict
from shared.rules.visibility import may_see


class ActionItem(Folded):
    """One action item, folded from its events."""

    __slots__ = (
        "assigned",
        "ending",
        "extensions",
        "facts",
        "once_reserved",
        "owner_subject",
        "progress",
        "reassignments",
        "visibility",
    )

    def __init__(self, event: ActionItemAssigned, recorded: Recorded) -> None:
        super().__init__(recorded)
        self.assigned: Entry[ActionItemAssigned] = entry_of(recorded)
        self.facts = ActionItemFacts(event, recorded.position)
        self.owner_subject = event.owner_subject
        self.visibility = event.visibility
        self.once_reserved = event.visibility is Visibility.RESERVED
        """Whether it is reserved, or ever was."""
        self.progress: tuple[Entry[ActionItemProgressed], ...] = ()
        self.extensions: tuple[Entry[ActionItemExtended], ...] = ()
        self.reassignments: tuple[Entry[ActionItemReassigned], ...] = ()
        self.ending: Entry[ActionItemCompleted] | Entry[ActionItemCancelled] | None = None

    @classmethod
    def begin(cls, recorded: Recorded) -> Self | None:
        """The action item that the first event of a stream tells of, if it tells of one."""
        return cls(recorded.data, recorded) if isinstance(recorded.data, ActionItemAssigned) else None

    def apply(self, recorded: Recorded) -> None:
        """Takes in one more event of its stream."""
        self.facts.apply(recorded.data, recorded.position)
        super().apply(recorded)

    @property
    def owner(self) -> str:
        """The organisation that owes it."""
        return self.facts.owners.on(date.max)[0]

    @property
    def due_on(self) -> date:
        """The day by which it is to be done."""
        return self.facts.dues.on(date.max)[0]

    def verdict_on(self, day: date) -> ActionItemVerdict | None:
        """Its state on a day under the current rule; None before it was assigned."""
        standing = self.facts.on_day(day)
        return None if standing is None else action_item_verdict(standing, day)

    def circle(self) -> tuple[str, ...]:
        """The organisations that know of it while it is reserved: its owner, and those that know of its meeting."""
        return (self.owner, *self.assigned.said.circle)

    def may_be_known_to(self, actor: Actor) -> bool:
        """Whether an actor may know of it."""
        return may_see(actor, self.visibility, self.circle())

    # --- what its owner tells --------------------------------------------------------------------------------------

    def report_progress(
        self, *, today: date, actor: Actor, text: str, effective_on: date | None = None
    ) -> ActionItemProgressed:
        """The owner tells how far it is."""
        self._must_be_own_of(actor)
        day = self._day(effective_on, today)
        guards.text_given(text, "Progress", "/text")
        self._must_be_owed_on(day)
        return ActionItemProgressed(text=text, effective_on=day)

    @changed_by(ActionItemProgressed)
    def _progressed(self, entry: Entry[ActionItemProgressed]) -> None:
        self.progress = (*self.progress, entry)

    def complete(
        self,
        *,
        today: date,
        actor: Actor,
        evidence: Sequence[Evidence],
        completed_on: date | None = None,
        remarks: str | None = None,
    ) -> ActionItemCompleted:
        """It is done, on the evidence given."""
        self._must_be_own_of(actor)
        day = self._day(completed_on, today, "/completed_on")
        shown = guards.evidence_given(evidence)
        self._must_be_owed_from(day)
        return ActionItemCompleted(completed_on=day, evidence=shown, remarks=remarks)

    # --- what the unit decides -------------------------------------------------------------------------------------

    def extend(
        self, *, today: date, due_on: date, reason: str, effective_on: date | None = None
    ) -> ActionItemExtended:
        """Its owner is given more time, which those who asked for it must grant."""
        day = self._day(effective_on, today)
        guards.reason_given(reason, "An extension")
        self._must_follow(self.extensions, day)
        previous = self.facts.dues.on(day)[0]
        if due_on <= max(previous, self.due_on):
            raise RuleBroken(
                "extension-not-later", f"It is due on {self.due_on}: an extension gives more time."
            )
        self._must_be_owed_from(day)
        return ActionItemExtended(due_on=due_on, previous=previous, effective_on=day, reason=reason)

    @changed_by(ActionItemExtended)
    def _extended(self, entry: Entry[ActionItemExtended]) -> None:
        self.extensions = (*self.extensions, entry)

    def reassign(
        self,
        *,
        today: date,
        owner_organization: str,
        reason: str,
        organizations: Container[str],
        owner_subject: str | None = None,
        effective_on: date | None = None,
    ) -> ActionItemReassigned:
        """Another organisation, or another person in it, takes it over."""
        day = self._day(effective_on, today)
        guards.reason_given(reason, "A reassignment")
        self._must_follow(self.reassignments, day)
        guards.known_organization(owner_organization, organizations, "/owner_organization")
        previous = self.facts.owners.on(day)[0]
        if (owner_organization, owner_subject) == (previous, self.owner_subject):
            raise RuleBroken("owner-unchanged", "It is theirs already.")
        self._must_be_owed_from(day)
        return ActionItemReassigned(
            owner_organization=owner_organization,
            previous=previous,
            effective_on=day,
            reason=reason,
            owner_subject=owner_subject,
        )

    @changed_by(ActionItemReassigned)
    def _reassigned(self, entry: Entry[ActionItemReassigned]) -> None:
        self.owner_subject = entry.said.owner_subject
        self.reassignments = (*self.reassignments, entry)

    def cancel(self, *, today: date, reason: str, effective_on: date | None = None) -> ActionItemCancelled:
        """It is no longer owed."""
        day = self._day(effective_on, today)
        guards.reason_given(reason, "Cancelling an action item")
        self._must_be_owed_from(day)
        return ActionItemCancelled(effective_on=day, reason=reason)

    @changed_by(ActionItemCompleted, ActionItemCancelled)
    def _ended(self, entry: Entry[Any]) -> None:
        self.ending = entry

    def publish_with_meeting(self, *, visibility: Visibility, reason: str) -> ActionItemPublished:
        """Whoever may know of its meeting from now on may know of it, too."""
        return ActionItemPublished(visibility=visibility, previous=self.visibility, reason=reason)

    @changed_by(ActionItemPublished)
    def _published(self, entry: Entry[ActionItemPublished]) -> None:
        self.visibility = entry.said.visibility
        self.once_reserved = self.once_reserved or self.visibility is Visibility.RESERVED

    # --- guards ----------------------------------------------------------------------------------------------------

    def _day(self, day: date | None, today: date, pointer: str = "/effective_on") -> date:
        day = guards.not_after_today(day, today, pointer)
        if day < self.facts.first_day:
            raise InvalidInput(
                "date-before-assignment",
                f"It was assigned on {self.facts.first_day}: nothing happened to it before.",
                pointer=pointer,
            )
        return day

    @staticmethod
    def _must_follow(changes: Sequence[Entry[Any]], day: date) -> None:
        """What changes it once more is dated no earlier than the last such change, or that would take it back."""
        if changes and day < changes[-1].said.effective_on:
            raise InvalidInput(
                "date-before-last-change",
                f"It was changed so as of {changes[-1].said.effective_on}: date this on or after that day.",
                pointer="/effective_on",
            )

    def _must_be_own_of(self, actor: Actor) -> None:
        if actor.role is not Role.DCI and actor.organization != self.owner:
            raise Forbidden("not-your-action-item", f"It is {self.owner} that owes this, and tells of it.")

    def _must_be_owed_on(self, day: date) -> None:
        ended = self.facts.endings.on(day)[0]
        if ended is not None:
            raise RuleBroken("action-item-closed", f"It was {ended[0]} on {ended[1]} and is no longer owed.")

    def _must_be_owed_from(self, day: date) -> None:
        """Only what was still owed on that day, and has not ended since, can end or be changed from that day on."""
        self._must_be_owed_on(day)
        self._must_be_owed_on(date.max)
