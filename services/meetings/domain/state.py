"""What holds of one meeting: everything that was recorded of it, and what follows.

`Meeting` (in `meeting.py`) is this, with what may happen to it.

    convened ──▶ agenda_agreed ──▶ held ──▶ minutes_drafted ──▶ circulated ──▶ approved
        ╰──────────────┴─▶ cancelled             ▲───────────────────╯

A meeting may be held on an agenda that was never agreed; a revision of an agreed agenda takes it back to `convened`.
Minutes are redrafted, or their attendance is corrected, after they were circulated too, until they are approved; then
they are sealed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple, Self

from services.meetings.domain.folding import Entry, Folded, entry_of
from shared.errors import RuleBroken
from shared.eventlog.envelope import Recorded
from shared.events.facts import Event
from shared.events.meeting_vocabulary import MeetingState
from shared.events.meetings import (
    AgendaAgreed,
    AgendaItem,
    AgendaRevised,
    AttendanceCorrected,
    ErratumAdded,
    MeetingCancelled,
    MeetingConvened,
    MeetingHeld,
    MeetingPublished,
    MeetingRescheduled,
    MinutesApproved,
    MinutesCirculated,
    MinutesDrafted,
    ObservationAnswered,
    ObservationRaised,
)
from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor, Role
from shared.rules.visibility import may_see

_STATE_AFTER: Final[dict[type[Event], MeetingState]] = {
    MeetingConvened: MeetingState.CONVENED,
    AgendaRevised: MeetingState.CONVENED,
    AgendaAgreed: MeetingState.AGENDA_AGREED,
    MeetingHeld: MeetingState.HELD,
    MinutesDrafted: MeetingState.MINUTES_DRAFTED,
    MinutesCirculated: MeetingState.CIRCULATED,
    MinutesApproved: MeetingState.APPROVED,
    MeetingCancelled: MeetingState.CANCELLED,
}


def state_after(event: Event, state: MeetingState) -> MeetingState:
    """The state in which an event leaves a meeting that was in another.

    The attendance is part of what is sealed: corrected after the draft was circulated, it is to be circulated again.
    """
    if isinstance(event, AttendanceCorrected) and state is MeetingState.CIRCULATED:
        return MeetingState.MINUTES_DRAFTED
    return _STATE_AFTER.get(type(event), state)


AHEAD = frozenset({MeetingState.CONVENED, MeetingState.AGENDA_AGREED})
"""The states of a meeting that is still to be held."""


class Observation(NamedTuple):
    """What a recipient had to say of a draft and, once it was looked into, the answer."""

    entry: Entry[ObservationRaised]
    answer: Entry[ObservationAnswered] | None = None


class MeetingRecord(Folded):
    """A meeting as the record tells of it."""

    __slots__ = (
        "agenda",
        "agreed_with",
        "approval",
        "attendance_corrections",
        "attendance_told_by",
        "body",
        "cancellation",
        "circulations",
        "convocation",
        "drafts",
        "ends_at",
        "errata",
        "held",
        "observations",
        "organizations",
        "place",
        "publications",
        "reschedulings",
        "scheduled_at",
        "state",
        "visibility",
    )

    def __init__(self, convened: MeetingConvened, recorded: Recorded) -> None:
        super().__init__(recorded)
        self.convocation: Entry[MeetingConvened] = entry_of(recorded)
        self.body = convened.body
        self.scheduled_at = convened.scheduled_at
        self.ends_at = convened.ends_at
        self.place = convened.place
        self.agenda: tuple[AgendaItem, ...] = convened.agenda
        self.agreed_with: tuple[str, ...] = ()
        self.organizations = convened.organizations
        self.visibility = convened.visibility
        self.state = MeetingState.CONVENED
        self.reschedulings: tuple[Entry[MeetingRescheduled], ...] = ()
        self.cancellation: Entry[MeetingCancelled] | None = None
        self.held: Entry[MeetingHeld] | Entry[AttendanceCorrected] | None = None
        """What was last told of when it was held and who came."""
        self.attendance_corrections: tuple[Entry[AttendanceCorrected], ...] = ()
        self.attendance_told_by: frozenset[str] = frozenset()
        """The subjects who told of it, first or correcting it."""
        self.drafts: tuple[Entry[MinutesDrafted], ...] = ()
        self.circulations: tuple[Entry[MinutesCirculated], ...] = ()
        self.observations: tuple[Observation, ...] = ()
        self.approval: Entry[MinutesApproved] | None = None
        self.errata: tuple[Entry[ErratumAdded], ...] = ()
        self.publications: tuple[Entry[MeetingPublished], ...] = ()

    @classmethod
    def begin(cls, recorded: Recorded) -> Self | None:
        """The meeting as it was convened; None when the stream tells of something else."""
        return cls(recorded.data, recorded) if isinstance(recorded.data, MeetingConvened) else None

    def apply(self, recorded: Recorded) -> None:
        """Takes in one more event of its stream."""
        super().apply(recorded)
        self.state = state_after(recorded.data, self.state)

    @property
    def title(self) -> str | None:
        """What it is called beside the name of its body."""
        return self.convocation.said.title

    @property
    def held_at(self) -> datetime | None:
        """When it was held, if it was."""
        return None if self.held is None else self.held.said.held_at

    @property
    def agenda_numbers(self) -> frozenset[int]:
        """The numbers of the items on its agenda."""
        return frozenset(item.number for item in self.agenda)

    @property
    def latest_draft(self) -> Entry[MinutesDrafted] | None:
        """The minutes as last written; once approved, as sealed."""
        return self.drafts[-1] if self.drafts else None

    @property
    def once_reserved(self) -> bool:
        """Whether it is reserved, or ever was."""
        told = (self.convocation.said.visibility, *(one.said.visibility for one in self.publications))
        return Visibility.RESERVED in told

    def circle(self) -> tuple[str, ...]:
        """The organisations that know of it while it is reserved: those it is with, and those sent its minutes."""
        named = dict.fromkeys(self.organizations)
        for circulation in self.circulations:
            named |= dict.fromkeys(recipient.organization for recipient in circulation.said.recipients)
        return tuple(named)

    def is_recipient(self, organization: str) -> bool:
        """Whether a draft of its minutes was sent to that organisation."""
        return any(
            recipient.organization == organization
            for circulation in self.circulations
            for recipient in circulation.said.recipients
        )

    def may_be_known_to(self, actor: Actor) -> bool:
        """Whether an actor may know of it at all."""
        return may_see(actor, self.visibility, self.circle())

    def drafts_open_to(self, actor: Actor) -> bool:
        """Whether an actor may read drafts and observations: the centre of government, and those they were sent to.

        Everybody else who may know of the meeting reads the minutes once they are approved.
        """
        return actor.role is not Role.MINISTRY or self.is_recipient(actor.organization)

    # --- guards that depend on it ----------------------------------------------------------------------------------

    def must_not_be_cancelled(self) -> None:
        """Nothing more happens to a meeting that was called off."""
        if self.state is MeetingState.CANCELLED:
            raise RuleBroken("meeting-cancelled", "The meeting was cancelled: convene another.")

    def must_be_ahead(self) -> None:
        """What is about a meeting to come is decided before it is held."""
        self.must_not_be_cancelled()
        if self.state not in AHEAD:
            raise RuleBroken("meeting-already-held", "The meeting was held already.")

    def must_be_held(self) -> Entry[Any]:
        """What is about a meeting's course presupposes that it took place."""
        self.must_not_be_cancelled()
        if self.held is None:
            raise RuleBroken(
                "meeting-not-held", "The meeting has not been held: record its attendance first."
            )
        return self.held

    def must_not_be_sealed(self) -> None:
        """Approved minutes are changed no more."""
        if self.approval is not None:
            raise RuleBroken(
                "minutes-approved", "The minutes were approved and are sealed: add an erratum beside them."
            )

    def must_be_drafted(self) -> Entry[MinutesDrafted]:
        """There are minutes to speak of."""
        self.must_be_held()
        draft = self.latest_draft
        if draft is None:
            raise RuleBroken("minutes-not-drafted", "There are no minutes yet: draft them first.")
        return draft

    def must_be_circulated(self) -> Entry[MinutesDrafted]:
        """The present draft is before its recipients."""
        draft = self.must_be_drafted()
        if self.state is not MeetingState.CIRCULATED:
            raise RuleBroken(
                "minutes-not-circulated", f"Draft {draft.said.draft} was not circulated: circulate it first."
            )
        return draft
