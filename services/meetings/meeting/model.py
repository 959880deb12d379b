"""One meeting: convened, prepared, held, and its minutes drafted, circulated, observed upon, approved and sealed.

    convened ──▶ agenda_agreed ──▶ held ──▶ minutes_drafted ──▶ circulated ──▶ approved
        ╰──────────────┴─▶ cancelled             ▲───────────────────╯

A meeting may be held on an agenda that was never agreed; a revision of an agreed agenda takes it back to `convened`.
Minutes are redrafted, or their attendance is corrected, after they were circulated too, until they are approved. Where
the protocol of the body asks for four eyes, whoever wrote the draft or told who came does not approve it. What
recipients had to say is answered before, and what was accepted is in the text. What is approved stands for ever; a
mistake is put right by an erratum beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid5

import msgspec

from services.meetings.action_item.model import ActionItem
from services.meetings.body.model import Body, decision_number, fits, office
from services.meetings.decision.model import Decision, fiscal_year, positive_amount, taken_from
from shared.aggregate.aggregate import Aggregate, DayOf, Entry, entry_of, evolves, place_of
from shared.aggregate.command import Context, OnStream
from shared.aggregate.redaction import Readers
from shared.errors import Forbidden, InvalidInput, NotFound, RuleBroken
from shared.eventlog.envelope import Recorded
from shared.events.facts import COMPUTED, Event
from shared.events.meeting_vocabulary import DecisionKind, ItemOutcome, MeetingState, Presence, Rights
from shared.events.meetings import (
    EFFECT_OF,
    ActionItemAssigned,
    AgendaAgreed,
    AgendaItem,
    AgendaRevised,
    AgreedCommitment,
    AgreedPart,
    AgreedReassignment,
    AgreedSplit,
    Appointment,
    AttendanceCorrected,
    Attendee,
    DecisionAgreed,
    DecisionAmended,
    DecisionsNumbered,
    DraftActionItem,
    DraftDecision,
    Effect,
    Ending,
    ErratumAdded,
    MeetingCancelled,
    MeetingConvened,
    MeetingHeld,
    MeetingPublished,
    MeetingRescheduled,
    MinutesApproved,
    MinutesCirculated,
    MinutesDrafted,
    MinutesItem,
    ObservationAnswered,
    ObservationRaised,
    PostponedItem,
    Recipient,
    Seat,
)
from shared.events.streams import stream_of
from shared.events.vocabulary import DeadlineKind, Visibility
from shared.identity.actor import Actor, Role
from shared.rules import guards
from shared.rules.dated_facts import VisibilityByDay
from shared.rules.visibility import narrower

replace = msgspec.structs.replace

AHEAD: Final = frozenset({MeetingState.CONVENED, MeetingState.AGENDA_AGREED})
"""The states of a meeting that is still to be held."""

SEALED: Final = ("agenda", "held", "meeting", "minutes")
"""What the seal is put on."""

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


class Known(NamedTuple):
    """What the record holds of the body of a meeting, and of what is named there."""

    body: Body
    organizations: Container[str] = ()
    decisions: Container[str] = ()
    action_items: Container[UUID] = ()
    bodies: Container[str] = ()
    postponed: Mapping[PostponedItem, Ending] = {}
    """How what an agenda takes up again ended the last time, in minutes of the same body."""
    heirs_on: guards.HeirsOn = guards.itself
    """The organisations that stand for one on a day."""


class Observation(NamedTuple):
    """What a recipient had to say of a draft and, once it was looked into, the answer."""

    entry: Entry[ObservationRaised]
    answer: Entry[ObservationAnswered] | None = None

    @property
    def number(self) -> int:
        """Observations of one meeting are counted from 1."""
        return self.entry.event.number


Held = MeetingHeld | AttendanceCorrected
"""What tells of when a meeting was held and who came."""


class Meeting(Aggregate):
    """A meeting, from its convocation to its sealed minutes."""

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
        "visibilities",
    )

    BEGINS_WITH = (MeetingConvened,)

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded)
        self.convocation: Entry[MeetingConvened] = entry_of(recorded)
        convened = self.convocation.event
        self.body = convened.body
        self.scheduled_at = convened.scheduled_at
        self.ends_at = convened.ends_at
        self.place = convened.place
        self.agenda: tuple[AgendaItem, ...] = convened.agenda
        self.agreed_with: tuple[str, ...] = ()
        self.organizations = convened.organizations
        self.visibilities = VisibilityByDay(convened.visibility, recorded.position)
        self.state = MeetingState.CONVENED
        self.reschedulings: tuple[Entry[MeetingRescheduled], ...] = ()
        self.cancellation: Entry[MeetingCancelled] | None = None
        self.held: Entry[Held] | None = None
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

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event."""
        super().apply(recorded)
        self.state = state_after(recorded.data, self.state)

    # --- what holds ------------------------------------------------------------------------------------------------

    @property
    def agenda_numbers(self) -> frozenset[int]:
        """The numbers of the items on its agenda."""
        return frozenset(item.number for item in self.agenda)

    @property
    def latest_draft(self) -> Entry[MinutesDrafted] | None:
        """The minutes as last written; once approved, as sealed."""
        return self.drafts[-1] if self.drafts else None

    @property
    def visibility(self) -> Visibility:
        """Who may know of it."""
        return self.visibilities.now

    def readers(self) -> Readers:
        """Who may know of it: while it is reserved, those it is with and those who were sent its minutes."""
        return Readers(self.visibility, tuple(dict.fromkeys((*self.organizations, *self._recipients()))))

    def drafts_open_to(self, actor: Actor) -> bool:
        """Whether an actor may read drafts and observations: the centre of government, and those they were sent to.

        Everybody else who may know of the meeting reads the minutes once they are approved.
        """
        return actor.role is not Role.MINISTRY or actor.is_of(tuple(self._recipients()))

    def _recipients(self) -> Iterator[str]:
        """The organisations that a draft of its minutes was sent to."""
        return (
            recipient.organization
            for circulation in self.circulations
            for recipient in circulation.event.recipients
        )

    # --- before it is held -----------------------------------------------------------------------------------------

    def revise_agenda(
        self, proposed: AgendaAgreed | AgendaRevised, context: Context, known: Known
    ) -> AgendaAgreed | AgendaRevised:
        """Rewrites the agenda; with `agreed_with`, settles it with the organisations named.

        Leaving what was agreed needs a reason.
        """
        known.body.must_be_convenable_by(context.actor)
        self._must_be_ahead()
        agenda = numbered_agenda(proposed.agenda, known)
        agreed_with = proposed.agreed_with if isinstance(proposed, AgendaAgreed) else ()
        guards.known_organizations(agreed_with, known.organizations, "/agreed_with")
        if agreed_with and not agenda:
            raise InvalidInput(
                "agenda-empty", "An agenda that is agreed has something on it.", pointer="/agenda"
            )
        if agenda == self.agenda and set(agreed_with) == set(self.agreed_with):
            raise RuleBroken(
                "agenda-unchanged", "The agenda reads like this, and was agreed with them, already."
            )
        if self.state is MeetingState.AGENDA_AGREED:
            guards.reason_given(proposed.reason, "Revising an agreed agenda")
        if isinstance(proposed, AgendaAgreed) and agreed_with:
            return replace(proposed, agenda=agenda)
        return AgendaRevised(agenda=agenda, reason=proposed.reason)

    @evolves(AgendaAgreed)
    def _agenda_agreed(self, entry: Entry[AgendaAgreed]) -> None:
        self.agenda, self.agreed_with = entry.event.agenda, entry.event.agreed_with

    @evolves(AgendaRevised)
    def _agenda_revised(self, entry: Entry[AgendaRevised]) -> None:
        self.agenda, self.agreed_with = entry.event.agenda, ()

    def reschedule(self, proposed: MeetingRescheduled, context: Context, known: Known) -> MeetingRescheduled:
        """Moves the meeting to another time or place; without a place named, it stays where it was to be."""
        known.body.must_be_convenable_by(context.actor)
        self._must_be_ahead()
        guards.reason_given(proposed.reason, "Moving a meeting")
        guards.in_order(proposed.scheduled_at, proposed.ends_at, "/ends_at")
        place = self.place if proposed.place is None else proposed.place
        present = Appointment(scheduled_at=self.scheduled_at, ends_at=self.ends_at, place=self.place)
        if present == Appointment(scheduled_at=proposed.scheduled_at, ends_at=proposed.ends_at, place=place):
            raise RuleBroken("appointment-unchanged", "The meeting is to be there and then already.")
        return replace(proposed, place=place, previous=present)

    @evolves(MeetingRescheduled)
    def _rescheduled(self, entry: Entry[MeetingRescheduled]) -> None:
        moved = entry.event
        self.scheduled_at, self.ends_at, self.place = moved.scheduled_at, moved.ends_at, moved.place
        self.reschedulings = (*self.reschedulings, entry)

    def cancel(self, proposed: MeetingCancelled, context: Context, known: Known) -> MeetingCancelled:
        """Calls the meeting off before it is held."""
        known.body.must_be_convenable_by(context.actor)
        self._must_be_ahead()
        guards.reason_given(proposed.reason, "Cancelling a meeting")
        return proposed

    @evolves(MeetingCancelled)
    def _cancelled(self, entry: Entry[MeetingCancelled]) -> None:
        self.cancellation = entry

    # --- its course ------------------------------------------------------------------------------------------------

    def hold(self, proposed: Held, context: Context, known: Known) -> Held:
        """Records that the meeting was held, and who came; the seats that nobody took follow from the list.

        Told again with a reason, before the minutes are approved, it corrects what was noted.
        """
        known.body.must_be_convenable_by(context.actor)
        self._must_be_holdable(proposed, context)
        held_on = context.clock.day_of(proposed.held_at)
        sent_on = min((one.day(context.clock.day_of) for one in self.circulations), default=None)
        if sent_on is not None and held_on > sent_on:
            raise InvalidInput(
                "held-after-circulation", f"Its minutes were sent out on {sent_on}.", pointer="/held_at"
            )
        due_on = self._first_day_due()
        if due_on is not None and held_on > due_on:
            raise InvalidInput(
                "held-after-due-day", f"Its minutes ask for something by {due_on}.", pointer="/held_at"
            )
        _check_attendance(proposed.attendance, self.agenda_numbers, known.organizations)
        described = known.body.description_on(held_on, context.clock.day_of)
        seats = () if described is None else described.mandatory_attendance
        missed = mandatory_absences(seats, proposed.attendance)
        if self.held is None:
            return _first_told(proposed, missed)
        before = self.held.event
        if (before.held_at, before.attendance, before.ended_at) == (
            proposed.held_at,
            proposed.attendance,
            proposed.ended_at,
        ):
            raise RuleBroken("attendance-unchanged", "It was noted like this already.")
        return replace(proposed, mandatory_absences=missed)

    def hold_as_told(self, proposed: Held, context: Context) -> Held:
        """It took place according to a source that does not tell who came; whoever was noted before stays noted.

        An attendance list without a line means that none is known, and no absence follows from it: who holds a
        meeting by `hold` has to name somebody.
        """
        self._must_be_holdable(proposed, context)
        if self.held is None:
            return _first_told(proposed, ())
        before = self.held.event
        return replace(proposed, attendance=before.attendance, mandatory_absences=before.mandatory_absences)

    def _first_day_due(self) -> date | None:
        """The first day by which something is owed according to the minutes as last written."""
        items = () if self.latest_draft is None else self.latest_draft.event.items
        return min((task.due_on for item in items for task in item.action_items), default=None)

    def _must_be_holdable(self, proposed: Held, context: Context) -> None:
        self.must_not_be_cancelled()
        self._must_not_be_sealed()
        if self.held is not None and not isinstance(proposed, AttendanceCorrected):
            raise RuleBroken(
                "meeting-already-held",
                "The meeting was held already: correcting its attendance needs a reason.",
            )
        if not self.agenda:
            raise RuleBroken(
                "meeting-without-agenda", "Nothing was on the agenda: put on it what was dealt with, first."
            )
        guards.not_in_future(proposed.held_at, context.now, "/held_at")
        guards.in_order(proposed.held_at, proposed.ended_at, "/ended_at")
        if proposed.ended_at is not None:
            guards.not_in_future(proposed.ended_at, context.now, "/ended_at")
        if self.held is not None and isinstance(proposed, AttendanceCorrected):
            guards.reason_given(proposed.reason, "Correcting an attendance list")

    @evolves(MeetingHeld)
    def _held(self, entry: Entry[MeetingHeld]) -> None:
        self.held = entry
        self.attendance_told_by |= entry.recorded_by.people

    @evolves(AttendanceCorrected)
    def _attendance_corrected(self, entry: Entry[AttendanceCorrected]) -> None:
        self.held = entry
        self.attendance_told_by |= entry.recorded_by.people
        self.attendance_corrections = (*self.attendance_corrections, entry)

    # --- minutes ---------------------------------------------------------------------------------------------------

    def draft_minutes(self, proposed: MinutesDrafted, context: Context, known: Known) -> MinutesDrafted:
        """Writes the minutes, or writes them anew; the draft is numbered."""
        known.body.must_be_convenable_by(context.actor)
        held = self._must_be_held()
        self._must_not_be_sealed()
        readers = self.readers()
        ground = Ground(
            agenda=self.agenda_numbers,
            held_on=context.clock.day_of(held.event.held_at),
            decides=known.body.description.decides,
            organizations=known.organizations,
            bodies=known.bodies,
            readers=readers.organizations if self.visibility is Visibility.RESERVED else None,
            heirs_on=known.heirs_on,
        )
        proposed = replace(proposed, items=_addressed(proposed.items, known.bodies))
        check_minutes(proposed.items, ground)
        guards.nothing_dated_later(proposed.items, context.today, "/items")
        latest = self.latest_draft
        if latest is not None and latest.event.items == proposed.items:
            raise RuleBroken("draft-unchanged", "The minutes already read like this.")
        last = 0 if latest is None else latest.event.draft
        return replace(proposed, draft=self.next_number(MinutesDrafted, last, "draft"))

    @evolves(MinutesDrafted)
    def _minutes_drafted(self, entry: Entry[MinutesDrafted]) -> None:
        self.drafts = (*self.drafts, entry)

    def circulate(self, proposed: MinutesCirculated, context: Context, known: Known) -> MinutesCirculated:
        """Sends the draft to those named, who may now observe upon it; or says on which earlier day it was sent.

        Circulating it again adds to them.
        """
        known.body.must_be_convenable_by(context.actor)
        draft, recipients = self._must_be_drafted(), proposed.recipients
        self._must_not_be_sealed()
        if not recipients:
            raise InvalidInput("recipients-missing", "Say whom it is sent to.", pointer="/recipients")
        for index, recipient in enumerate(recipients):
            at = f"/recipients/{index}"
            guards.known_organization(recipient.organization, known.organizations, f"{at}/organization")
            if recipient in recipients[:index]:
                raise InvalidInput("named-twice", "This recipient is named twice.", pointer=at)
        day_of = context.clock.day_of
        day = guards.not_after_today(proposed.effective_on or context.today, context.today)
        held_on = day_of(self._must_be_held().event.held_at)
        if day < held_on:
            raise InvalidInput(
                "date-before-meeting", f"The meeting was held on {held_on}.", pointer="/effective_on"
            )
        sent = self._sent_to(draft.event.draft, day, day_of)
        if self.state is MeetingState.CIRCULATED and set(recipients) <= sent:
            raise RuleBroken("already-circulated", "All of these had been sent this draft by then.")
        return replace(proposed, draft=draft.event.draft, effective_on=day)

    def _sent_the_text(self) -> list[Recipient]:
        """Who was sent what is to be sealed: the last draft, with the attendance as it was last told."""
        told = [*self.drafts[-1:], *self.attendance_corrections[-1:]]
        since = max(entry.position for entry in told)
        sent = (one.event.recipients for one in self.circulations if one.position > since)
        return [recipient for recipients in sent for recipient in recipients]

    def _sent_to(self, draft: int, day: date, day_of: DayOf) -> set[Recipient]:
        """Who had been sent a draft by a day."""
        sent = (one.event for one in self.circulations if one.day(day_of) <= day)
        return {recipient for event in sent if event.draft == draft for recipient in event.recipients}

    @evolves(MinutesCirculated)
    def _minutes_circulated(self, entry: Entry[MinutesCirculated]) -> None:
        self.circulations = (*self.circulations, entry)

    def observe(self, proposed: ObservationRaised, context: Context) -> ObservationRaised:
        """Raises an observation upon the circulated draft."""
        if context.actor.role is not Role.DCI and not context.actor.is_of(tuple(self._recipients())):
            raise Forbidden("not-a-recipient", "Only those the minutes were sent to have a say in them.")
        self._must_be_held()
        self._must_not_be_sealed()
        draft = self._must_be_circulated()
        guards.text_given(proposed.text, "An observation", "/text")
        self._must_be_told_of(proposed.agenda_item, draft.event)
        last = self.observations[-1].number if self.observations else 0
        number = self.next_number(ObservationRaised, last)
        return replace(proposed, number=number, draft=draft.event.draft)

    @evolves(ObservationRaised)
    def _observation_raised(self, entry: Entry[ObservationRaised]) -> None:
        self.observations = (*self.observations, Observation(entry))

    def answer_observation(
        self, proposed: ObservationAnswered, context: Context, known: Known
    ) -> ObservationAnswered:
        """Answers an observation, once; what is accepted shows in the next draft."""
        known.body.must_be_convenable_by(context.actor)
        number = proposed.number
        place = place_of(number, self.observations)
        if place is None:
            raise NotFound("observation-not-found", f"There is no observation {number}.")
        self._must_not_be_sealed()
        if self.observations[place].answer is not None:
            raise RuleBroken("observation-already-answered", f"Observation {number} was answered already.")
        guards.text_given(proposed.answer, "The answer", "/answer")
        return proposed

    @evolves(ObservationAnswered)
    def _observation_answered(self, entry: Entry[ObservationAnswered]) -> None:
        at = place_of(entry.event.number, self.observations)
        if at is None:
            return  # an old log may answer an observation that is not there
        answered = self.observations[at]._replace(answer=entry)
        self.observations = (*self.observations[:at], answered, *self.observations[at + 1 :])

    # --- the seal --------------------------------------------------------------------------------------------------

    def approve(self, context: Context, known: Known) -> Sequence[Event | OnStream]:
        """Approves and seals the minutes: their decisions are numbered, and their action items assigned, all at once.

        An import brings in minutes that were sealed elsewhere, and speaks as `system`: its text has no author here. The
        seal comes last.
        """
        body, actor = known.body, context.actor
        body.must_be_convenable_by(actor)
        held = self._must_be_held()
        self._must_not_be_sealed()
        draft = self._must_be_circulated()
        authors = draft.recorded_by.people | self.attendance_told_by
        # Asked of whoever approves, so by the protocol of the day on which somebody does.
        four_eyes = body.protocol_on(context.today, context.clock.day_of).four_eyes
        if four_eyes and actor.may_be(authors) and actor.role is not Role.SYSTEM:
            raise RuleBroken(
                "approver-is-author", "Nobody approves what they wrote or the attendance they told."
            )
        self._must_be_settled(draft.event)
        agreed_on = context.clock.day_of(held.event.held_at)
        protocol = body.protocol_on(agreed_on, context.clock.day_of)
        missing = recipients_missing(protocol.recipients, self._sent_the_text())
        unsent = [seat for seat in missing if seat.condition is None]
        if unsent and protocol.recipients_required:
            raise RuleBroken(
                "recipients-not-sent",
                f"The protocol of this body asks for its minutes to be sent to {_named(unsent)}: circulate them first.",
            )
        numbered = body.number_decisions(
            meeting=self.id,
            year=agreed_on.year,
            count=sum(len(item.decisions) for item in draft.event.items),
            convened=self.convocation.event,
        )
        decisions: list[DecisionAgreed] = []
        action_items: list[ActionItemAssigned] = []
        for item in draft.event.items:
            before = len(decisions)
            decisions += self._decisions(item, numbered, before, body, agreed_on)
            action_items += self._action_items(item, decisions[before:], len(action_items), agreed_on)
        agreed = [OnStream(stream_of("decision", one.number), 1, one) for one in decisions]
        assigned = [OnStream(uuid5(self.id, f"action-item:{one.number}"), 1, one) for one in action_items]
        approved = MinutesApproved(
            draft=draft.event.draft,
            digest=seal(self.id, self.agenda, held.event, draft.event),
            covers=SEALED,
            recipients_missing=missing,
            endings=tuple(self._endings(draft.event.items, known)),
            decisions=tuple(one.number for one in decisions),
            action_items=tuple(one.stream_id for one in assigned),
        )
        numbering = [OnStream(body.id, body.version + 1, numbered)] if decisions else []
        return [*numbering, *agreed, *assigned, approved]

    @evolves(MinutesApproved)
    def _minutes_approved(self, entry: Entry[MinutesApproved]) -> None:
        self.approval = entry

    def _decisions(
        self, item: MinutesItem, numbered: DecisionsNumbered, before: int, body: Body, agreed_on: date
    ) -> Iterator[DecisionAgreed]:
        for place, drafted in enumerate(item.decisions):
            _must_be_allowed(drafted.kind, decides=body.description.decides)
            yield DecisionAgreed(
                number=decision_number(body.code, numbered.year, numbered.first + before + place),
                body=self.body,
                meeting=self.id,
                agreed_on=agreed_on,
                text=drafted.text,
                kind=drafted.kind,
                visibility=self.visibility,
                position_in_item=place + 1,
                agenda_item=item.agenda_item,
                commitments=drafted.commitments,
                effect=drafted.effect,
                budget_impact=drafted.budget_impact,
                organizations=drafted.organizations or self.organizations,
                circle=tuple(self.readers().organizations),
            )

    def _action_items(
        self, item: MinutesItem, own: Sequence[DecisionAgreed], before: int, agreed_on: date
    ) -> Iterator[ActionItemAssigned]:
        for place, task in enumerate(item.action_items):
            yield ActionItemAssigned(
                number=before + place + 1,
                text=task.text,
                owner_organization=task.owner_organization,
                assigned_on=agreed_on,
                due_on=task.due_on,
                body=self.body,
                meeting=self.id,
                visibility=self.visibility,
                owner_subject=task.owner_subject,
                agenda_item=item.agenda_item,
                decision=None if task.decision is None else own[task.decision - 1].number,
                commitment=task.commitment,
                circle=tuple(self.readers().organizations),
            )

    def _endings(self, items: Sequence[MinutesItem], known: Known) -> Iterator[Ending]:
        """How each item ended that took up something earlier, or was postponed."""
        agenda = {item.number: item for item in self.agenda}
        for place, told in enumerate(items, 1):
            planned = agenda.get(told.agenda_item or 0)
            postponed = told.outcome is ItemOutcome.POSTPONED
            if planned is None:
                planned = AgendaItem(title=told.title or "")
            if not (postponed or planned.decisions or planned.postponed):
                continue
            before = planned.postponed and known.postponed.get(planned.postponed)
            yield Ending(
                item=place,
                title=planned.title,
                outcome=told.outcome,
                decisions=planned.decisions,
                postponed=planned.postponed,
                times_postponed=(before.times_postponed if before else 0) + postponed,
            )

    def ending(self, item: int) -> Ending | None:
        """How an item of its sealed minutes ended, where it took up something earlier or was postponed."""
        endings = () if self.approval is None else self.approval.event.endings
        return next((one for one in endings if one.item == item), None)

    def add_erratum(
        self,
        proposed: ErratumAdded,
        decision: Decision | None,
    ) -> Sequence[Event | OnStream]:
        """Puts a mistake in sealed minutes right, beside the text; both are shown from now on.

        One in a decision is noted there, too.
        """
        draft = self._must_be_drafted()
        if self.approval is None:
            raise RuleBroken(
                "minutes-not-approved", "The minutes are not sealed yet: draft them anew instead."
            )
        reads, should_read = proposed.reads, proposed.should_read
        guards.text_given(reads, "What it reads", "/reads")
        guards.text_given(should_read, "What it should read", "/should_read")
        guards.reason_given(proposed.reason, "An erratum")
        if reads == should_read:
            raise InvalidInput(
                "erratum-changes-nothing", "It already reads like this.", pointer="/should_read"
            )
        if proposed.decision is not None and (decision is None or decision.agreed.event.meeting != self.id):
            raise InvalidInput(
                "decision-of-another-meeting", "This meeting took no such decision.", pointer="/decision"
            )
        self._must_be_told_of(proposed.agenda_item, draft.event)
        texts = [erratum.event.should_read for erratum in self.errata]
        if decision is not None:
            texts.append(decision.agreed.event.text)
        else:
            texts += _texts_of(draft.event, proposed.agenda_item)
        if not any(reads in text for text in texts):
            raise InvalidInput(
                "erratum-misquotes",
                "The minutes read like this nowhere in the place named.",
                pointer="/reads",
            )
        erratum = replace(proposed, number=len(self.errata) + 1)
        last = next((one.event for one in reversed(self.errata) if _same_text(one.event, erratum)), None)
        if last is not None and (last.reads, last.should_read) == (reads, should_read):
            raise RuleBroken("erratum-already-added", f"Erratum {last.number} says so already.")
        if decision is None:
            return [erratum]
        amended = DecisionAmended(
            erratum=erratum.number, reads=reads, should_read=should_read, reason=proposed.reason
        )
        return [OnStream(decision.id, decision.version + 1, amended), erratum]

    @evolves(ErratumAdded)
    def _erratum_added(self, entry: Entry[ErratumAdded]) -> None:
        self.errata = (*self.errata, entry)

    # --- who may know of it ----------------------------------------------------------------------------------------

    def publish(
        self,
        proposed: MeetingPublished,
        context: Context,
        settled: Sequence[Decision | ActionItem] = (),
    ) -> Sequence[Event | OnStream]:
        """Changes who may know of the meeting, and with it of its decisions and action items, which it `settled`.

        It is never known to fewer than when it was convened. A decision that is published shows its number, and so how
        many its body took before it that year. What had been shown to more before stays so. With a day, all of it was
        so from that day on: what was entered late was open on its own days.
        """
        visibility, day = proposed.visibility, proposed.effective_on
        guards.reason_given(proposed.reason, "A publication")
        if day is not None:
            guards.not_after_today(day, context.today)
        previous = self.visibilities.before(proposed)
        if narrower(visibility, self.convocation.event.visibility):
            raise RuleBroken(
                "narrower-than-convened",
                "Its body's meetings are known to more: the gap in the numbers would tell that it is there.",
            )
        along = []
        for one in settled:
            before = one.visibilities.on(day or date.max)
            changes = before is not visibility or (day is None and one.visibilities.dated)
            if changes and (before is previous or narrower(before, visibility)):
                event = one.publish_with_meeting(proposed, before)
                along.append(OnStream(one.id, one.version + 1, event))
        return [*along, replace(proposed, previous=previous)]

    @evolves(MeetingPublished)
    def _published(self, entry: Entry[MeetingPublished]) -> None:
        self.visibilities.take_in(entry.event, entry.position)
        self.publications = (*self.publications, entry)

    # --- guards that depend on it ----------------------------------------------------------------------------------

    def must_not_be_cancelled(self) -> None:
        """Nothing more happens to a meeting that was called off."""
        if self.state is MeetingState.CANCELLED:
            raise RuleBroken("meeting-cancelled", "The meeting was cancelled: convene another.")

    def must_take_retractions(self) -> None:
        """What was sealed stands, and what led to it."""
        self._must_not_be_sealed()

    def _must_be_ahead(self) -> None:
        self.must_not_be_cancelled()
        if self.state not in AHEAD:
            raise RuleBroken("meeting-already-held", "The meeting was held already.")

    def _must_be_held(self) -> Entry[Held]:
        self.must_not_be_cancelled()
        if self.held is None:
            raise RuleBroken(
                "meeting-not-held", "The meeting has not been held: record its attendance first."
            )
        return self.held

    def _must_not_be_sealed(self) -> None:
        if self.approval is not None:
            raise RuleBroken(
                "minutes-approved", "The minutes were approved and are sealed: add an erratum beside them."
            )

    def _must_be_drafted(self) -> Entry[MinutesDrafted]:
        self._must_be_held()
        draft = self.latest_draft
        if draft is None:
            raise RuleBroken("minutes-not-drafted", "There are no minutes yet: draft them first.")
        return draft

    def _must_be_circulated(self) -> Entry[MinutesDrafted]:
        """The present draft is before its recipients."""
        draft = self._must_be_drafted()
        if self.state is not MeetingState.CIRCULATED:
            raise RuleBroken(
                "minutes-not-circulated",
                f"Draft {draft.event.draft} was not circulated: circulate it first.",
            )
        return draft

    def _must_be_settled(self, draft: MinutesDrafted) -> None:
        """Every observation was answered, and what was accepted came after into the text."""
        for observation in self.observations:
            number = observation.entry.event.number
            if observation.answer is None:
                raise RuleBroken("observation-open", f"Observation {number} is not answered yet.")
            if observation.answer.event.accepted and not self._changed_since(observation, draft):
                raise RuleBroken(
                    "accepted-observation-pending",
                    f"Observation {number} was accepted and is not in the text: draft the minutes anew, or correct the "
                    "attendance.",
                )

    def _changed_since(self, observation: Observation, draft: MinutesDrafted) -> bool:
        """Whether what is to be sealed, text or attendance, is another than what was observed upon."""
        raised = observation.entry
        return draft.draft > raised.event.draft or any(
            correction.position > raised.position for correction in self.attendance_corrections
        )

    @staticmethod
    def _must_be_told_of(agenda_item: int | None, draft: MinutesDrafted) -> None:
        if agenda_item is not None and all(item.agenda_item != agenda_item for item in draft.items):
            raise InvalidInput(
                "unknown-agenda-item",
                f"The minutes tell of no item {agenda_item} of the agenda.",
                pointer="/agenda_item",
            )


def convene(proposed: MeetingConvened, context: Context, known: Known) -> MeetingConvened:
    """A meeting of a body is called; who knows of it is who knows of the body."""
    body = known.body
    body.must_be_convenable_by(context.actor)
    guards.in_order(proposed.scheduled_at, proposed.ends_at, "/ends_at")
    return replace(
        proposed,
        visibility=body.description.visibility,
        organizations=body.description.organizations,
        agenda=numbered_agenda(proposed.agenda, known),
    )


def numbered_agenda(agenda: Sequence[AgendaItem], known: Known) -> tuple[AgendaItem, ...]:
    """An agenda whose items are numbered from 1 in the order given, each with something to deal with.

    The commitments it names may be yet to be registered; the decisions and action items it takes up again may not.
    """
    for index, item in enumerate(agenda):
        at = f"/agenda/{index}"
        guards.text_given(item.title, "The title of an item", f"{at}/title")
        if item.number not in (COMPUTED, index + 1):
            raise InvalidInput(
                "agenda-misnumbered", "The items of an agenda are numbered in order from 1.", pointer=at
            )
        if item.sponsor is not None:
            guards.known_organization(item.sponsor, known.organizations, f"{at}/sponsor")
        for place, decision in enumerate(item.decisions):
            if decision not in known.decisions:
                raise InvalidInput(
                    "unknown-decision-taken-up",
                    f"There is no decision '{decision}' to take up again.",
                    pointer=f"{at}/decisions/{place}",
                )
        for place, owed in enumerate(item.action_items):
            if owed not in known.action_items:
                raise InvalidInput(
                    "unknown-action-item-taken-up",
                    f"There is no action item '{owed}' to take up again.",
                    pointer=f"{at}/action_items/{place}",
                )
        if item.postponed is not None and item.postponed not in known.postponed:
            raise InvalidInput(
                "unknown-postponed-item",
                f"No item {item.postponed.item} was postponed in sealed minutes of this body's meeting "
                f"'{item.postponed.meeting}'.",
                pointer=f"{at}/postponed",
            )
        if item.minutes is not None and not 1 <= item.minutes <= 1440:
            raise InvalidInput(
                "duration-impossible", "An item takes from one minute to a day.", pointer=f"{at}/minutes"
            )
    return tuple(replace(item, number=number) for number, item in enumerate(agenda, 1))


# --- who came ------------------------------------------------------------------------------------------------------


def held_or_corrected(*, reason: str | None = None, **members: Any) -> Held:
    """What tells of when a meeting was held and who came: with a reason it corrects what was noted before."""
    return MeetingHeld(**members) if reason is None else AttendanceCorrected(reason=reason, **members)


def _first_told(held: Held, missed: tuple[Seat, ...]) -> MeetingHeld:
    return MeetingHeld(
        held_at=held.held_at,
        ended_at=held.ended_at,
        attendance=held.attendance,
        mandatory_absences=missed,
    )


def mandatory_absences(seats: Sequence[Seat], attendance: Sequence[Attendee]) -> tuple[Seat, ...]:
    """The seats that were missed.

    A seat is taken by whoever is present for it, with full rights or invited, or has sent somebody: who is
    represented is not absent. A seat with a condition is missed only when the list says that it stayed empty,
    because only those who were there know whether its condition held.
    """
    return tuple(seat for seat in seats if _missed(seat, attendance))


def _missed(seat: Seat, attendance: Sequence[Attendee]) -> bool:
    lines = [line for line in attendance if fits(seat, line.organization, line.position)]
    if any(line.presence is not Presence.ABSENT for line in lines):
        return False
    return bool(lines) or seat.condition is None


def recipients_missing(seats: Sequence[Seat], sent: Sequence[Recipient]) -> tuple[Seat, ...]:
    """Those that minutes were to be sent to and were not.

    Whoever was sent them for an office that is named is not counted again for the organisation at large: the budget
    office is one recipient, and its coordinator another.
    """
    offices = [seat for seat in seats if seat.position is not None]
    found: list[Seat] = []
    for seat in seats:
        reached = [one for one in sent if fits(seat, one.organization, one.position)]
        if seat.position is None:
            reached = [
                one for one in reached if not any(fits(of, one.organization, one.position) for of in offices)
            ]
        if not reached:
            found.append(seat)
    return tuple(found)


def _named(seats: Sequence[Seat]) -> str:
    return ", ".join(" ".join(filter(None, (seat.organization, seat.position))) for seat in seats)


def _check_attendance(
    attendance: Sequence[Attendee], agenda: Container[int], organizations: Container[str]
) -> None:
    """Holds an attendance list to its rules: somebody came, and each line says what its presence asks for."""
    if not any(line.presence is not Presence.ABSENT for line in attendance):
        raise InvalidInput(
            "nobody-attended", "A meeting was held by those who came: name somebody.", pointer="/attendance"
        )
    seen: set[tuple[str, str, str | None]] = set()
    for index, line in enumerate(attendance):
        at = f"/attendance/{index}"
        guards.known_organization(line.organization, organizations, f"{at}/organization")
        guards.text_given(line.position, "The position", f"{at}/position")
        who = (line.organization, office(line.position), line.subject)
        if who in seen:
            raise InvalidInput("named-twice", "This attendee is named twice.", pointer=at)
        seen.add(who)
        if (line.presence is Presence.REPRESENTED) != (line.represented_by is not None):
            raise InvalidInput(
                "representative-misplaced",
                "Say who stood in for somebody who was represented, and only then.",
                pointer=f"{at}/represented_by",
            )
        if line.agenda_items and line.rights is Rights.FULL:
            raise InvalidInput(
                "full-rights-for-issues",
                "With full rights one attends the whole meeting; name issues only for somebody invited.",
                pointer=f"{at}/agenda_items",
            )
        for place, number in enumerate(line.agenda_items):
            if number not in agenda:
                raise InvalidInput(
                    "unknown-agenda-item",
                    f"There is no item {number} on the agenda.",
                    pointer=f"{at}/agenda_items/{place}",
                )


# --- what minutes may hold: items, decisions of the kinds the body may take, and tasks somebody owes ---------------

_NEEDS_EFFECT = frozenset(EFFECT_OF) - {DecisionKind.ESCALATE, DecisionKind.REFER}
_NEEDS_COMMITMENTS = frozenset(EFFECT_OF) - {
    DecisionKind.AGREE_COMMITMENT,
    DecisionKind.REVISE_TARGET,
    DecisionKind.REFER,
}


class Ground(NamedTuple):
    """What a draft is held against: its meeting's agenda, day and readers, what its body may do, and who exists."""

    agenda: Container[int]
    held_on: date
    decides: bool
    organizations: Container[str]
    bodies: Container[str]
    readers: Container[str] | None
    """The only organisations a decision may concern; None where the meeting is known to all of government."""
    heirs_on: guards.HeirsOn = guards.itself


def _addressed(items: Sequence[MinutesItem], bodies: Container[str]) -> tuple[MinutesItem, ...]:
    """The items with each referral to the code of a body as one to that body."""

    def addressed(decision: DraftDecision) -> DraftDecision:
        effect = decision.effect
        referral = None if effect is None else effect.referral
        if effect is None or referral is None or referral.body or referral.to not in bodies:
            return decision
        return replace(decision, effect=replace(effect, referral=replace(referral, body=referral.to)))

    return tuple(replace(item, decisions=tuple(map(addressed, item.decisions))) for item in items)


def check_minutes(items: Sequence[MinutesItem], ground: Ground) -> None:
    """Holds minutes to the rules; raises the first that is broken."""
    if not items:
        raise InvalidInput("minutes-empty", "Minutes tell of at least one item.", pointer="/items")
    seen: set[int] = set()
    for index, item in enumerate(items):
        at = f"/items/{index}"
        _check_item(item, at, ground)
        if item.agenda_item is not None:
            if item.agenda_item in seen:
                raise InvalidInput(
                    "agenda-item-twice",
                    f"Item {item.agenda_item} of the agenda is told of twice.",
                    pointer=f"{at}/agenda_item",
                )
            seen.add(item.agenda_item)
        for place, decision in enumerate(item.decisions):
            check_decision(decision, f"{at}/decisions/{place}", ground)
        for place, task in enumerate(item.action_items):
            _check_task(task, len(item.decisions), f"{at}/action_items/{place}", ground)


def _check_item(item: MinutesItem, at: str, ground: Ground) -> None:
    if item.agenda_item is None:
        guards.text_given(item.title, "The title of an item that was not on the agenda", f"{at}/title")
    elif item.agenda_item not in ground.agenda:
        raise InvalidInput(
            "unknown-agenda-item",
            f"There is no item {item.agenda_item} on the agenda.",
            pointer=f"{at}/agenda_item",
        )
    if not ((item.summary and item.summary.strip()) or item.outcome or item.outcome_verbatim):
        raise InvalidInput(
            "item-says-nothing", "Say what was said or what came of it.", pointer=f"{at}/summary"
        )


def check_decision(decision: DraftDecision, at: str, ground: Ground) -> None:
    """Holds one decision to the rules."""
    guards.text_given(decision.text, "The text of a decision", f"{at}/text")
    _must_be_allowed(decision.kind, decides=ground.decides)
    if decision.kind in _NEEDS_COMMITMENTS and not decision.commitments:
        raise InvalidInput(
            "decision-without-commitment",
            f"A decision of the kind {decision.kind} names the commitments it concerns.",
            pointer=f"{at}/commitments",
        )
    if len(set(decision.commitments)) < len(decision.commitments):
        raise InvalidInput("named-twice", "A commitment is named twice.", pointer=f"{at}/commitments")
    if decision.kind is DecisionKind.BUDGET and decision.budget_impact is None:
        raise InvalidInput(
            "budget-impact-required",
            "A budget decision says how much, in which fiscal year, and how it is financed.",
            pointer=f"{at}/budget_impact",
        )
    if (impact := decision.budget_impact) is not None:
        positive_amount(impact.amount, f"{at}/budget_impact/amount")
        guards.currency(impact.currency, f"{at}/budget_impact/currency")
        fiscal_year(impact.fiscal_year, f"{at}/budget_impact/fiscal_year")
        taken_from(impact.reallocated_from, impact.financing, f"{at}/budget_impact/reallocated_from")
    _check_effect(decision, f"{at}/effect", ground)
    guards.known_organizations(decision.organizations, ground.organizations, f"{at}/organizations")
    for index, organization in enumerate(decision.organizations):
        if ground.readers is not None and organization not in ground.readers:
            raise InvalidInput(
                "organization-outside-circle",
                f"'{organization}' may not know of this meeting: the decisions of a reserved meeting concern those it "
                "is with.",
                pointer=f"{at}/organizations/{index}",
            )


def _must_be_allowed(kind: DecisionKind, *, decides: bool) -> None:
    """A body that does not decide can only refer."""
    if not decides and kind is not DecisionKind.REFER:
        raise RuleBroken(
            "body-only-refers", f"This body takes no binding decisions: it refers, and cannot {kind}."
        )


def _check_effect(decision: DraftDecision, at: str, ground: Ground) -> None:
    wanted = EFFECT_OF.get(decision.kind)
    effect = decision.effect
    given = (
        set()
        if effect is None
        else {name for name in Effect.__struct_fields__ if getattr(effect, name) is not None}
    )
    if given - {wanted}:
        raise InvalidInput(
            "effect-of-another-kind",
            f"A decision of the kind {decision.kind} has "
            + (f"the effect '{wanted}' and no other." if wanted else "no effect of its own."),
            pointer=at,
        )
    if decision.kind in _NEEDS_EFFECT and not given:
        raise InvalidInput(
            "effect-required",
            f"A decision of the kind {decision.kind} says what it does: give '{wanted}'.",
            pointer=f"{at}/{wanted}",
        )
    if effect is None:
        return
    if (agreed := effect.commitment) is not None:
        place, known = f"{at}/commitment", ground.organizations
        guards.text_given(agreed.title, "The title", f"{place}/title")
        guards.known_organizations(
            agreed.collaborating_organizations, known, f"{place}/collaborating_organizations"
        )
        _check_carriers(agreed, place, ground)
        for code in agreed.collaborating_organizations:
            guards.still_there(code, ground.held_on, ground.heirs_on)
    if (revised := effect.deadline) is not None and revised.internal_on is not None:
        if revised.deadline is DeadlineKind.INTERNAL:
            raise InvalidInput(
                "internal-on-misplaced",
                "`internal_on` moves the internal deadline together with the public one: here `on` says it.",
                pointer=f"{at}/deadline/internal_on",
            )
        if revised.internal_on > revised.on:
            raise RuleBroken(
                "internal-after-public",
                f"The internal deadline would fall on {revised.internal_on}, after the public one.",
            )
    if effect.target is not None:
        guards.value_text(effect.target.value, f"{at}/target/value")
    if effect.discard is not None:
        guards.reason_given(effect.discard.reason, "Giving a commitment up", f"{at}/discard/reason")
    if effect.merger is not None and effect.merger.into in decision.commitments:
        raise InvalidInput(
            "merged-into-itself",
            "The commitment in which the others go on is not among those that are merged.",
            pointer=f"{at}/merger/into",
        )
    if effect.split is not None:
        _check_split(effect.split, decision, f"{at}/split", ground)
    if effect.reassignment is not None:
        _check_carriers(effect.reassignment, f"{at}/reassignment", ground)
    if effect.reopening is not None:
        guards.reason_given(effect.reopening.reason, "A reopening", f"{at}/reopening/reason")
    if effect.completion is not None:
        completed_on = effect.completion.completed_on
        guards.evidence_given(effect.completion.evidence, "A completion", f"{at}/completion/evidence")
        if completed_on is not None and completed_on > ground.held_on:
            raise InvalidInput(
                "completed-after-meeting",
                f"On {ground.held_on} nobody could know that it would be done by then.",
                pointer=f"{at}/completion/completed_on",
            )
    if effect.referral is not None:
        guards.text_given(effect.referral.to, "Whom it goes to", f"{at}/referral/to")
        if effect.referral.body is not None and effect.referral.body not in ground.bodies:
            raise InvalidInput(
                "unknown-body-referred-to",
                f"There is no body with the code '{effect.referral.body}' to refer to.",
                pointer=f"{at}/referral/body",
            )


def _check_split(split: AgreedSplit, decision: DraftDecision, at: str, ground: Ground) -> None:
    if len(decision.commitments) != 1:
        raise InvalidInput(
            "split-of-one",
            "One commitment is split at a time: name it, and no other.",
            pointer=at.removesuffix("/effect/split") + "/commitments",
        )
    if len(split.parts) < 2:
        raise InvalidInput("split-too-few", "A split makes at least two parts.", pointer=f"{at}/parts")
    for index, part in enumerate(split.parts):
        place = f"{at}/parts/{index}"
        guards.text_given(part.title, "The title", f"{place}/title")
        _check_carriers(part, place, ground)


def _check_carriers(
    agreed: AgreedCommitment | AgreedPart | AgreedReassignment, at: str, ground: Ground
) -> None:
    for name in ("lead_organization", "responsible_service"):
        if (code := getattr(agreed, name, None)) is not None:
            guards.known_organization(code, ground.organizations, f"{at}/{name}")
            guards.still_there(code, ground.held_on, ground.heirs_on)


def _check_task(task: DraftActionItem, decisions: int, at: str, ground: Ground) -> None:
    guards.text_given(task.text, "The text of an action item", f"{at}/text")
    guards.known_organization(task.owner_organization, ground.organizations, f"{at}/owner_organization")
    guards.still_there(task.owner_organization, ground.held_on, ground.heirs_on)
    if task.due_on < ground.held_on:
        raise InvalidInput(
            "due-before-meeting",
            f"It would be due before the meeting, on {ground.held_on}, that asks for it.",
            pointer=f"{at}/due_on",
        )
    if task.decision is not None and not 1 <= task.decision <= decisions:
        raise InvalidInput(
            "unknown-decision-of-item",
            "Count the decisions of the same item from 1.",
            pointer=f"{at}/decision",
        )


# --- what sealed minutes are held to: the seal anybody can compute again, and the texts that errata quote ----------


def seal(meeting: UUID, agenda: Sequence[AgendaItem], held: Held, minutes: MinutesDrafted) -> str:
    """The digest of what was approved: anyone who reads the meeting's events can compute it again."""
    sealed = {"agenda": agenda, "held": held, "meeting": meeting, "minutes": minutes}
    return hashlib.sha256(msgspec.json.encode(sealed, order="sorted")).hexdigest()


def _same_text(one: ErratumAdded, other: ErratumAdded) -> bool:
    """Whether an earlier erratum says something of what another is about; one without a place is about all of it."""
    apart = one.agenda_item not in (None, other.agenda_item) and other.agenda_item is not None
    elsewhere = one.decision not in (None, other.decision) and other.decision is not None
    touched = not {one.reads, one.should_read}.isdisjoint({other.reads, other.should_read})
    return touched and not apart and not elsewhere


def _texts_of(minutes: MinutesDrafted, agenda_item: int | None) -> Iterator[str]:
    for item in minutes.items:
        if agenda_item is not None and item.agenda_item != agenda_item:
            continue
        yield from (text for text in (item.title, item.summary, item.outcome_verbatim) if text)
        yield from (decision.text for decision in item.decisions)
        yield from (task.text for task in item.action_items)
