"""One meeting: what may happen to it, and what each thing that happened changes.

A command guards and returns the event; the handler right under it only assigns, so that replaying history never judges
it again.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from services.meetings.domain import attendance as attendance_list
from services.meetings.domain import guards
from services.meetings.domain.body import Body
from services.meetings.domain.folding import DayOf, Entry, changed_by
from services.meetings.domain.minutes import Minutes
from shared.errors import InvalidInput, RuleBroken
from shared.events.meeting_vocabulary import MeetingState
from shared.events.meetings import (
    AgendaAgreed,
    AgendaItem,
    AgendaRevised,
    Appointment,
    AttendanceCorrected,
    Attendee,
    MeetingCancelled,
    MeetingConvened,
    MeetingHeld,
    MeetingPublished,
    MeetingRescheduled,
)
from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor


class TakenUp(NamedTuple):
    """Which of the earlier decisions and action items that an agenda names are on record."""

    decisions: Container[str] = ()
    action_items: Container[UUID] = ()


NOTHING: Final = TakenUp()


class Course(NamedTuple):
    """When a meeting was held, and who came."""

    held_at: datetime
    attendance: tuple[Attendee, ...]
    ended_at: datetime | None = None


class Meeting(Minutes):
    """A meeting, from its convocation to its sealed minutes."""

    __slots__ = ()

    def revise_agenda(
        self,
        agenda: Sequence[AgendaItem],
        *,
        organizations: Container[str],
        taken_up: TakenUp = NOTHING,
        agreed_with: Sequence[str] = (),
        reason: str | None = None,
    ) -> AgendaAgreed | AgendaRevised:
        """The agenda is rewritten, or settled with the organisations named; leaving what was agreed needs a reason."""
        self.must_be_ahead()
        items = numbered_agenda(agenda, organizations, taken_up)
        guards.known_organizations(agreed_with, organizations, "/agreed_with")
        if agreed_with and not items:
            raise InvalidInput(
                "agenda-empty", "An agenda that is agreed has something on it.", pointer="/agenda"
            )
        if items == self.agenda and set(agreed_with) == set(self.agreed_with):
            raise RuleBroken(
                "agenda-unchanged", "The agenda reads like this, and was agreed with them, already."
            )
        if self.state is MeetingState.AGENDA_AGREED:
            guards.reason_given(reason, "Revising an agreed agenda")
        if agreed_with:
            return AgendaAgreed(agenda=items, agreed_with=tuple(agreed_with), reason=reason)
        return AgendaRevised(agenda=items, reason=reason)

    @changed_by(AgendaAgreed)
    def _agenda_agreed(self, entry: Entry[AgendaAgreed]) -> None:
        self.agenda, self.agreed_with = entry.said.agenda, entry.said.agreed_with

    @changed_by(AgendaRevised)
    def _agenda_revised(self, entry: Entry[AgendaRevised]) -> None:
        self.agenda, self.agreed_with = entry.said.agenda, ()

    def reschedule(
        self, *, scheduled_at: datetime, ends_at: datetime | None, place: str | None, reason: str
    ) -> MeetingRescheduled:
        """It is moved to another time or place; without a place named, it stays where it was to be."""
        self.must_be_ahead()
        guards.reason_given(reason, "Moving a meeting")
        guards.in_order(scheduled_at, ends_at, "/ends_at")
        place = self.place if place is None else place
        present = Appointment(scheduled_at=self.scheduled_at, ends_at=self.ends_at, place=self.place)
        if Appointment(scheduled_at=scheduled_at, ends_at=ends_at, place=place) == present:
            raise RuleBroken("appointment-unchanged", "The meeting is to be there and then already.")
        return MeetingRescheduled(
            scheduled_at=scheduled_at, ends_at=ends_at, place=place, previous=present, reason=reason
        )

    @changed_by(MeetingRescheduled)
    def _rescheduled(self, entry: Entry[MeetingRescheduled]) -> None:
        said = entry.said
        self.scheduled_at, self.ends_at, self.place = said.scheduled_at, said.ends_at, said.place
        self.reschedulings = (*self.reschedulings, entry)

    def cancel(self, *, reason: str) -> MeetingCancelled:
        """It is called off before it is held."""
        self.must_be_ahead()
        guards.reason_given(reason, "Cancelling a meeting")
        return MeetingCancelled(reason=reason)

    @changed_by(MeetingCancelled)
    def _cancelled(self, entry: Entry[MeetingCancelled]) -> None:
        self.cancellation = entry

    def hold(
        self,
        course: Course,
        *,
        now: datetime,
        day_of: DayOf,
        body: Body,
        organizations: Container[str],
        reason: str | None = None,
    ) -> MeetingHeld | AttendanceCorrected:
        """It took place; told again with a reason, before the minutes are approved, it corrects what was noted."""
        self._must_be_holdable(course.held_at, course.ended_at, now, reason)
        sent_on = min((one.day(day_of) for one in self.circulations), default=None)
        if sent_on is not None and day_of(course.held_at) > sent_on:
            raise InvalidInput(
                "held-after-circulation", f"Its minutes were sent out on {sent_on}.", pointer="/held_at"
            )
        due_on = self._first_day_due()
        if due_on is not None and day_of(course.held_at) > due_on:
            raise InvalidInput(
                "held-after-due-day", f"Its minutes ask for something by {due_on}.", pointer="/held_at"
            )
        attendance_list.check(course.attendance, self.agenda_numbers, organizations)
        missed = attendance_list.mandatory_absences(body.description.mandatory_attendance, course.attendance)
        if self.held is None:
            return MeetingHeld(**course._asdict(), mandatory_absences=missed)
        assert reason is not None
        said = self.held.said
        if course == Course(said.held_at, said.attendance, said.ended_at):
            raise RuleBroken("attendance-unchanged", "It was noted like this already.")
        return AttendanceCorrected(**course._asdict(), mandatory_absences=missed, reason=reason)

    def hold_as_told(
        self, *, held_at: datetime, ended_at: datetime | None, now: datetime, reason: str | None = None
    ) -> MeetingHeld | AttendanceCorrected:
        """It took place according to a source that does not tell who came; whoever was noted before stays noted.

        An attendance list without a line means that none is known, and no absence follows from it: who holds a
        meeting by `hold` has to name somebody.
        """
        self._must_be_holdable(held_at, ended_at, now, reason)
        if self.held is None:
            return MeetingHeld(held_at=held_at, ended_at=ended_at, attendance=())
        assert reason is not None
        said = self.held.said
        return AttendanceCorrected(
            held_at=held_at,
            ended_at=ended_at,
            attendance=said.attendance,
            mandatory_absences=said.mandatory_absences,
            reason=reason,
        )

    def _first_day_due(self) -> date | None:
        """The first day by which something is owed according to the minutes as last written."""
        items = () if self.latest_draft is None else self.latest_draft.said.items
        return min((task.due_on for item in items for task in item.action_items), default=None)

    def _must_be_holdable(
        self, held_at: datetime, ended_at: datetime | None, now: datetime, reason: str | None
    ) -> None:
        self.must_not_be_cancelled()
        self.must_not_be_sealed()
        if self.held is not None and reason is None:
            raise RuleBroken(
                "meeting-already-held",
                "The meeting was held already: correcting its attendance needs a reason.",
            )
        if not self.agenda:
            raise RuleBroken(
                "meeting-without-agenda", "Nothing was on the agenda: put on it what was dealt with, first."
            )
        guards.not_in_future(held_at, now, "/held_at")
        guards.in_order(held_at, ended_at, "/ended_at")
        if ended_at is not None:
            guards.not_in_future(ended_at, now, "/ended_at")
        if self.held is not None:
            guards.reason_given(reason, "Correcting an attendance list")

    @changed_by(MeetingHeld)
    def _held(self, entry: Entry[MeetingHeld]) -> None:
        self.held = entry
        self.attendance_told_by |= {entry.by.subject}

    @changed_by(AttendanceCorrected)
    def _attendance_corrected(self, entry: Entry[AttendanceCorrected]) -> None:
        self.held = entry
        self.attendance_told_by |= {entry.by.subject}
        self.attendance_corrections = (*self.attendance_corrections, entry)

    def publish(self, *, visibility: Visibility, reason: str) -> MeetingPublished:
        """Others may know of it and of what it decided, or no longer so: never fewer than when it was convened."""
        guards.reason_given(reason, "A publication")
        if visibility is self.visibility:
            raise RuleBroken("visibility-unchanged", f"It is {visibility} already.")
        if guards.narrower(visibility, self.convocation.said.visibility):
            raise RuleBroken(
                "narrower-than-convened",
                "Its body's meetings are known to more: the gap in the numbers would tell that it is there.",
            )
        return MeetingPublished(visibility=visibility, previous=self.visibility, reason=reason)

    @changed_by(MeetingPublished)
    def _published(self, entry: Entry[MeetingPublished]) -> None:
        self.visibility = entry.said.visibility
        self.publications = (*self.publications, entry)


def convene(
    body: Body,
    *,
    actor: Actor,
    scheduled_at: datetime,
    organizations: Container[str],
    ends_at: datetime | None = None,
    place: str | None = None,
    title: str | None = None,
    agenda: Sequence[AgendaItem] = (),
    taken_up: TakenUp = NOTHING,
    reference: str | None = None,
) -> MeetingConvened:
    """A meeting of a body is called; who knows of it is who knows of the body."""
    body.must_be_convenable_by(actor)
    guards.in_order(scheduled_at, ends_at, "/ends_at")
    return MeetingConvened(
        body=body.code,
        scheduled_at=scheduled_at,
        visibility=body.description.visibility,
        ends_at=ends_at,
        place=place,
        title=title,
        agenda=numbered_agenda(agenda, organizations, taken_up),
        organizations=body.description.organizations,
        reference=reference,
    )


def numbered_agenda(
    agenda: Sequence[AgendaItem], organizations: Container[str], taken_up: TakenUp
) -> tuple[AgendaItem, ...]:
    """An agenda whose items are numbered from 1 in the order given, each with something to deal with.

    The commitments it names may be yet to be registered; the decisions and action items it takes up again may not.
    """
    for index, item in enumerate(agenda):
        at = f"/agenda/{index}"
        guards.text_given(item.title, "The title of an item", f"{at}/title")
        if item.number != index + 1:
            raise InvalidInput(
                "agenda-misnumbered", "The items of an agenda are numbered in order from 1.", pointer=at
            )
        if item.sponsor is not None:
            guards.known_organization(item.sponsor, organizations, f"{at}/sponsor")
        for place, decision in enumerate(item.decisions):
            if decision not in taken_up.decisions:
                raise InvalidInput(
                    "unknown-decision-taken-up",
                    f"There is no decision '{decision}' to take up again.",
                    pointer=f"{at}/decisions/{place}",
                )
        for place, owed in enumerate(item.action_items):
            if owed not in taken_up.action_items:
                raise InvalidInput(
                    "unknown-action-item-taken-up",
                    f"There is no action item '{owed}' to take up again.",
                    pointer=f"{at}/action_items/{place}",
                )
        if item.minutes is not None and not 1 <= item.minutes <= 1440:
            raise InvalidInput(
                "duration-impossible", "An item takes from one minute to a day.", pointer=f"{at}/minutes"
            )
    return tuple(agenda)
