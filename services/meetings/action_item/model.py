"""One action item: who owes what by when, and what became of it.

Facts carry the day they took effect. Whether it is overdue on a day follows from them by a rule (`shared/rules`), and
nobody has to say so.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import date
from typing import Any

import msgspec

from shared.aggregate.aggregate import Aggregate, Entry, entry_of, evolves
from shared.aggregate.command import Context
from shared.aggregate.redaction import Readers
from shared.errors import Forbidden, InvalidInput, RuleBroken
from shared.eventlog.envelope import Recorded
from shared.events.meetings import (
    ActionItemAssigned,
    ActionItemCancelled,
    ActionItemCompleted,
    ActionItemExtended,
    ActionItemProgressed,
    ActionItemPublished,
    ActionItemReassigned,
    MeetingPublished,
)
from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor, Role
from shared.rules import guards
from shared.rules.action_item_state import ActionItemFacts, ActionItemVerdict, action_item_verdict
from shared.rules.dated_facts import VisibilityByDay
from shared.rules.guards import HeirsOn, itself

replace = msgspec.structs.replace


class ActionItem(Aggregate):
    """Something that somebody owes, from the approval of the minutes that ask for it."""

    __slots__ = (
        "assigned",
        "ending",
        "extensions",
        "facts",
        "owner_subject",
        "progress",
        "reassignments",
        "visibilities",
    )

    BEGINS_WITH = (ActionItemAssigned,)

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded)
        self.assigned: Entry[ActionItemAssigned] = entry_of(recorded)
        event = self.assigned.event
        self.facts = ActionItemFacts(event, recorded.position)
        self.owner_subject = event.owner_subject
        self.visibilities = VisibilityByDay(event.visibility, recorded.position)
        self.progress: tuple[Entry[ActionItemProgressed], ...] = ()
        self.extensions: tuple[Entry[ActionItemExtended], ...] = ()
        self.reassignments: tuple[Entry[ActionItemReassigned], ...] = ()
        self.ending: Entry[ActionItemCompleted] | Entry[ActionItemCancelled] | None = None

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event; days and owners are kept apart, by the rule that reporting shares."""
        self.facts.apply(recorded.data, recorded.position)
        super().apply(recorded)

    # --- what holds ------------------------------------------------------------------------------------------------

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
        state = self.facts.on_day(day)
        return None if state is None else action_item_verdict(state, day)

    @property
    def visibility(self) -> Visibility:
        """Who may know of it."""
        return self.visibilities.now

    def readers(self) -> Readers:
        """Who may know of it: while it is reserved its owner, and those who may know of its meeting."""
        return Readers(self.visibility, (self.owner, *self.assigned.event.circle))

    # --- what its owner tells --------------------------------------------------------------------------------------

    def report_progress(self, proposed: ActionItemProgressed, context: Context) -> ActionItemProgressed:
        """Its owner tells how far it is."""
        self._must_be_own_of(context.actor, proposed.effective_on)
        day = self._day(proposed.effective_on, context)
        guards.text_given(proposed.text, "Progress", "/text")
        self._must_be_owed_on(day)
        return proposed

    @evolves(ActionItemProgressed)
    def _progressed(self, entry: Entry[ActionItemProgressed]) -> None:
        self.progress = (*self.progress, entry)

    def complete(self, proposed: ActionItemCompleted, context: Context) -> ActionItemCompleted:
        """It is done, on the evidence given."""
        self._must_be_own_of(context.actor, proposed.completed_on)
        day = self._day(proposed.completed_on, context, "/completed_on")
        guards.nothing_dated_later(proposed, context.today)
        if not proposed.evidence or not all(item.description.strip() for item in proposed.evidence):
            raise InvalidInput(
                "evidence-required",
                "An action item is done only on evidence: give at least one piece, described.",
                pointer="/evidence",
            )
        self._must_be_owed_from(day)
        return proposed

    # --- what the unit decides -------------------------------------------------------------------------------------

    def extend(self, proposed: ActionItemExtended, context: Context) -> ActionItemExtended:
        """Gives its owner more time, which those who asked for it must grant."""
        day = self._day(proposed.effective_on, context)
        guards.reason_given(proposed.reason, "An extension")
        self._must_follow(self.extensions, day)
        previous = self.facts.dues.on(day)[0]
        if proposed.due_on <= max(previous, self.due_on):
            raise RuleBroken(
                "extension-not-later", f"It is due on {self.due_on}: an extension gives more time."
            )
        self._must_be_owed_from(day)
        return replace(proposed, previous=previous)

    @evolves(ActionItemExtended)
    def _extended(self, entry: Entry[ActionItemExtended]) -> None:
        self.extensions = (*self.extensions, entry)

    def reassign(
        self,
        proposed: ActionItemReassigned,
        context: Context,
        organizations: Container[str],
        heirs_on: HeirsOn = itself,
    ) -> ActionItemReassigned:
        """Hands it to another organisation, or to another person in it."""
        day = self._day(proposed.effective_on, context)
        guards.reason_given(proposed.reason, "A reassignment")
        self._must_follow(self.reassignments, day)
        guards.known_organization(proposed.owner_organization, organizations, "/owner_organization")
        guards.still_there(proposed.owner_organization, day, heirs_on)
        previous = self.facts.owners.on(day)[0]
        if (proposed.owner_organization, proposed.owner_subject) == (previous, self.owner_subject):
            raise RuleBroken("owner-unchanged", "It is theirs already.")
        self._must_be_owed_from(day)
        return replace(proposed, previous=previous)

    @evolves(ActionItemReassigned)
    def _reassigned(self, entry: Entry[ActionItemReassigned]) -> None:
        self.owner_subject = entry.event.owner_subject
        self.reassignments = (*self.reassignments, entry)

    def cancel(self, proposed: ActionItemCancelled, context: Context) -> ActionItemCancelled:
        """It is no longer owed."""
        day = self._day(proposed.effective_on, context)
        guards.reason_given(proposed.reason, "Cancelling an action item")
        self._must_be_owed_from(day)
        return proposed

    @evolves(ActionItemCompleted, ActionItemCancelled)
    def _ended(self, entry: Entry[Any]) -> None:
        self.ending = entry

    def publish_with_meeting(self, meeting: MeetingPublished, previous: Visibility) -> ActionItemPublished:
        """Whoever may know of its meeting from now on may know of it, too."""
        return ActionItemPublished(
            visibility=meeting.visibility,
            previous=previous,
            reason=meeting.reason,
            effective_on=meeting.effective_on,
        )

    @evolves(ActionItemPublished)
    def _published(self, entry: Entry[ActionItemPublished]) -> None:
        self.visibilities.take_in(entry.event, entry.position)

    # --- guards that depend on it ----------------------------------------------------------------------------------

    def _day(self, day: date, context: Context, pointer: str = "/effective_on") -> date:
        guards.not_after_today(day, context.today, pointer)
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
        if changes and day < changes[-1].event.effective_on:
            raise InvalidInput(
                "date-before-last-change",
                f"It was changed so as of {changes[-1].event.effective_on}: date this on or after that day.",
                pointer="/effective_on",
            )

    def _must_be_own_of(self, actor: Actor, day: date) -> None:
        """Of a day tells who owed it on that day or owes it now, or who succeeded one of these."""
        owners = {self.owner, self.facts.owners.on(day)[0]}
        if actor.role is not Role.DCI and not actor.is_of(owners):
            raise Forbidden("not-your-action-item", f"It is {self.owner} that owes this, and tells of it.")

    def _must_be_owed_on(self, day: date) -> None:
        ended = self.facts.endings.on(day)[0]
        if ended is not None:
            raise RuleBroken("action-item-closed", f"It was {ended[0]} on {ended[1]} and is no longer owed.")

    def _must_be_owed_from(self, day: date) -> None:
        """Only what was still owed on that day, and has not ended since, can end or be changed from that day on."""
        self._must_be_owed_on(day)
        self._must_be_owed_on(date.max)
