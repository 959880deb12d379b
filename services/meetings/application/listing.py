"""What lists, calendars and proposals need of meetings and decisions: a few members of each, and no minutes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from services.meetings.domain.folding import Entry, Folded, changed_by
from services.meetings.domain.state import state_after
from shared.eventlog.envelope import Recorded
from shared.events.meeting_vocabulary import Acknowledgement, MeetingState
from shared.events.meetings import (
    AgendaAgreed,
    AgendaRevised,
    AttendanceCorrected,
    DecisionAcknowledged,
    DecisionAgreed,
    DecisionPublished,
    MeetingCancelled,
    MeetingConvened,
    MeetingHeld,
    MeetingPublished,
    MeetingRescheduled,
    MinutesCirculated,
)
from shared.identity.actor import Actor
from shared.rules.visibility import may_see


class ListedMeeting(Folded):
    """One meeting as lists and calendars show it."""

    __slots__ = (
        "agenda",
        "body",
        "changed_at",
        "circle",
        "ends_at",
        "held_at",
        "place",
        "scheduled_at",
        "sequence",
        "state",
        "title",
        "visibility",
    )

    def __init__(self, event: MeetingConvened, recorded: Recorded) -> None:
        super().__init__(recorded)
        self.body = event.body
        self.title = event.title
        self.scheduled_at = event.scheduled_at
        self.ends_at = event.ends_at
        self.place = event.place
        self.agenda = event.agenda
        self.visibility = event.visibility
        self.circle = event.organizations
        self.held_at: datetime | None = None
        self.state = MeetingState.CONVENED
        self.sequence = 0
        """How often a calendar must take in another time or place, or that it is off."""
        self.changed_at = recorded.recorded_at
        """When something last changed that a calendar shows."""

    @classmethod
    def begin(cls, recorded: Recorded) -> Self | None:
        """The meeting as it was convened; None when the stream tells of something else."""
        return cls(recorded.data, recorded) if isinstance(recorded.data, MeetingConvened) else None

    def apply(self, recorded: Recorded) -> None:
        """Takes in one more event of its stream."""
        super().apply(recorded)
        state = state_after(recorded.data, self.state)
        if state is not self.state:
            self.changed_at = recorded.recorded_at
            self.state = state

    def may_be_known_to(self, actor: Actor) -> bool:
        """Whether an actor may know of it."""
        return may_see(actor, self.visibility, self.circle)

    @changed_by(MeetingRescheduled)
    def _rescheduled(self, entry: Entry[MeetingRescheduled]) -> None:
        said = entry.said
        self.scheduled_at, self.ends_at, self.place = said.scheduled_at, said.ends_at, said.place
        self.sequence += 1
        self.changed_at = self.recorded_at

    @changed_by(MeetingCancelled)
    def _cancelled(self, _: Entry[MeetingCancelled]) -> None:
        self.sequence += 1

    @changed_by(AgendaAgreed, AgendaRevised)
    def _agenda_revised(self, entry: Entry[Any]) -> None:
        self.agenda = entry.said.agenda
        self.changed_at = self.recorded_at

    @changed_by(MeetingHeld, AttendanceCorrected)
    def _held(self, entry: Entry[Any]) -> None:
        self.held_at = entry.said.held_at

    @changed_by(MinutesCirculated)
    def _circulated(self, entry: Entry[MinutesCirculated]) -> None:
        self.circle = (*self.circle, *(recipient.organization for recipient in entry.said.recipients))

    @changed_by(MeetingPublished)
    def _published(self, entry: Entry[MeetingPublished]) -> None:
        self.visibility = entry.said.visibility
        self.changed_at = self.recorded_at


class ListedDecision(Folded):
    """One decision, as far as proposals for an agenda need to know it."""

    __slots__ = ("agreed", "outcome", "visibility")

    def __init__(self, event: DecisionAgreed, recorded: Recorded) -> None:
        super().__init__(recorded)
        self.agreed = event
        self.visibility = event.visibility
        self.outcome: Acknowledgement | None = None

    @classmethod
    def begin(cls, recorded: Recorded) -> Self | None:
        """The decision that the first event of a stream tells of, if it tells of one."""
        return cls(recorded.data, recorded) if isinstance(recorded.data, DecisionAgreed) else None

    @property
    def pending(self) -> bool:
        """Whether the budget office has yet to agree: it has said nothing, or disputes it."""
        return self.outcome is not Acknowledgement.AGREED

    def may_be_known_to(self, actor: Actor) -> bool:
        """Whether an actor may know of it."""
        return may_see(actor, self.visibility, (*self.agreed.circle, *self.agreed.organizations))

    @changed_by(DecisionAcknowledged)
    def _acknowledged(self, entry: Entry[DecisionAcknowledged]) -> None:
        self.outcome = entry.said.outcome

    @changed_by(DecisionPublished)
    def _published(self, entry: Entry[DecisionPublished]) -> None:
        self.visibility = entry.said.visibility
