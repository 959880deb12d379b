"""What one row adds to one meeting.

An import says again only what the source says differently by now: what people recorded since stands, and where the two
cannot both stand the row is refused, or a part of it left out, for people to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Final

from services.meetings.domain.body import Body
from services.meetings.domain.meeting import Meeting, convene
from services.meetings.importing.holdings import Holding
from services.meetings.importing.mapping import Mapping
from services.meetings.importing.telling import MeetingTold
from shared.errors import RuleBroken
from shared.events.facts import Event
from shared.events.meetings import (
    AgendaAgreed,
    AgendaRevised,
    AttendanceCorrected,
    MeetingCancelled,
    MeetingConvened,
    MeetingHeld,
    MeetingRescheduled,
    MinutesDrafted,
)
from shared.identity.actor import Actor
from shared.importing.report import Problem

NOBODY: Final[frozenset[str]] = frozenset()
"""A source names no organisations of ours, so none has to be on record."""


class Statements:
    """The events of one row; `member` is the one whose turn it is, `left_out` what found no place."""

    def __init__(
        self,
        mapping: Mapping,
        told: MeetingTold,
        holding: Holding,
        body: Body,
        *,
        actor: Actor,
        now: datetime,
        day_of: Callable[[datetime], date],
    ) -> None:
        self._mapping = mapping
        self._told = told
        self._holding = holding
        self._body = body
        self._actor = actor
        self._now = now
        self._day_of = day_of
        self._reason = f"According to {mapping.source}."
        planned = mapping.meetings.end_is == "planned"
        self._ends_at = told.end_at if planned else None
        self._ended_at = None if planned else told.end_at
        self._results = f"{mapping.agenda.member}[].{mapping.results.member}"
        self.member: str | None = mapping.meetings.reference
        self.left_out: list[Problem] = []

    def new(self) -> Iterator[Event]:
        """The events, each to be taken in before the next is asked for."""
        if self._holding.meeting is None:
            self.member = self._mapping.meetings.start
            yield self._convened()
        else:
            yield from self._changes()
        if self._told.cancelled:
            yield from self._cancelled()
        elif self._was_held:
            yield from self._held()
            yield from self._minutes()
        elif self._told.results:
            self._leave_out(
                self._results,
                "results-before-meeting",
                "The meeting is yet to be held: nothing can have come of it.",
            )

    @property
    def _meeting(self) -> Meeting:
        meeting = self._holding.meeting
        assert meeting is not None
        return meeting

    @property
    def _was_held(self) -> bool:
        told = self._told
        if told.start_at > self._now or (self._ended_at is not None and self._ended_at > self._now):
            return False
        return self._mapping.meetings.held == "past" or bool(told.results)

    def _convened(self) -> MeetingConvened:
        told = self._told
        return convene(
            self._body,
            actor=self._actor,
            scheduled_at=told.start_at,
            organizations=NOBODY,
            ends_at=self._ends_at,
            place=told.place,
            title=told.title,
            agenda=told.agenda,
            reference=told.reference,
        )

    # --- what the source says differently by now -------------------------------------------------------------------

    def _changes(self) -> Iterator[Event]:
        meeting, told = self._meeting, self._told
        convocation = meeting.convocation.said
        if meeting.body != told.body.code:
            self.member = self._mapping.bodies.member
            raise RuleBroken("meeting-of-another-body", f"On record it is a meeting of '{meeting.body}'.")
        if self._cancelled_before is not None and not told.cancelled:
            self.member = self._mapping.meetings.cancelled
            meeting.must_not_be_cancelled()
        if convocation.title != told.title:
            reason = f"On record it was convened as “{convocation.title}”, which stays."
            self._leave_out(self._mapping.meetings.title, "title-settled", reason, told.title)
        yield from self._appointment()
        agenda = next(
            (
                said.agenda
                for said in self._holding.told()
                if isinstance(said, MeetingConvened | AgendaAgreed | AgendaRevised)
            ),
            None,
        )
        if agenda is not None and agenda != told.agenda:
            self.member = self._mapping.agenda.member
            yield meeting.revise_agenda(told.agenda, organizations=NOBODY, reason=self._reason)

    def _appointment(self) -> Iterator[Event]:
        """Another time or place; once the meeting was held, its beginning is part of how it was held."""
        told, meetings = self._told, self._mapping.meetings
        before = next(
            (said for said in self._holding.told() if isinstance(said, MeetingConvened | MeetingRescheduled)),
            None,
        )
        if before is None:
            return
        place = told.place or before.place
        differs = {
            meetings.start: before.scheduled_at != told.start_at and self._meeting.held is None,
            meetings.end: before.ends_at != self._ends_at,
            next(iter(meetings.place), None): before.place != place,
        }
        self.member = next((member for member, found in differs.items() if found), None)
        if self.member is None:
            return
        if self._meeting.held is not None:
            self._leave_out(self.member, "meeting-already-held", "The meeting was held as it was convened.")
            return
        yield self._meeting.reschedule(
            scheduled_at=told.start_at, ends_at=self._ends_at, place=place, reason=self._reason
        )

    @property
    def _cancelled_before(self) -> MeetingCancelled | None:
        return next((said for said in self._holding.told() if isinstance(said, MeetingCancelled)), None)

    def _cancelled(self) -> Iterator[Event]:
        if self._cancelled_before is None:
            self.member = self._mapping.meetings.cancelled
            yield self._meeting.cancel(reason=self._reason)
        if self._told.results:
            reason = "The meeting was cancelled: nothing can have come of it."
            self._leave_out(self._results, "results-of-cancelled-meeting", reason)

    # --- how it went -----------------------------------------------------------------------------------------------

    def _held(self) -> Iterator[Event]:
        told, meeting = self._told, self._meeting
        before = next(
            (said for said in self._holding.told() if isinstance(said, MeetingHeld | AttendanceCorrected)),
            None,
        )
        if before is None and meeting.held is not None:
            return
        if before is not None and (before.held_at, before.ended_at) == (told.start_at, self._ended_at):
            return
        # A time that cannot be is found before this; what stands against it otherwise is that nothing was dealt with.
        self.member = self._mapping.meetings.start if meeting.agenda else self._mapping.agenda.member
        yield meeting.hold_as_told(
            held_at=told.start_at,
            ended_at=self._ended_at,
            now=self._now,
            reason=None if before is None else self._reason,
        )

    def _minutes(self) -> Iterator[Event]:
        """A draft of the items that something came of; nobody is said to have approved it."""
        results = self._told.results
        before = next((said for said in self._holding.told() if isinstance(said, MinutesDrafted)), None)
        if results == (() if before is None else before.items):
            return
        self.member = self._results
        latest = self._meeting.latest_draft
        if latest is not None and latest.said is not before:
            reason = f"Somebody wrote draft {latest.said.draft} of the minutes since, which stays."
            raise RuleBroken("minutes-rewritten", reason)
        yield self._meeting.draft_minutes(results, body=self._body, day_of=self._day_of, organizations=NOBODY)

    def _leave_out(self, member: str | None, code: str, reason: str, value: str | None = None) -> None:
        self.left_out.append(Problem(member, value, code, reason))
