"""From the events of bodies and meetings to the rows of `bodies` and `meetings`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from services.reporting.projections.beliefs import Beliefs, microseconds, row_of
from services.reporting.projections.changes import Belief, RowChanges
from services.reporting.projections.circles import disclose, encircle
from services.reporting.projections.sayings import DayOf, day_told
from services.reporting.tables import bodies, meetings
from shared.eventlog.envelope import Recorded
from shared.events.facts import Event
from shared.events.meetings import (
    AgendaAgreed,
    AgendaRevised,
    AttendanceCorrected,
    BodyChanged,
    BodyRegistered,
    MeetingCancelled,
    MeetingConvened,
    MeetingHeld,
    MeetingPublished,
    MeetingRescheduled,
    MinutesCirculated,
)

CHANGING: tuple[type[Event], ...] = (
    BodyChanged,
    MeetingRescheduled,
    MeetingCancelled,
    AgendaAgreed,
    AgendaRevised,
    MeetingHeld,
    AttendanceCorrected,
    MinutesCirculated,
    MeetingPublished,
)


def json_text(value: Any) -> str:
    """A part of an event as the tables keep it."""
    return msgspec.json.encode(value).decode()


class BodyView:
    """What a body is and holds itself to now."""

    __slots__ = ("_beliefs", "_code", "touched")

    def __init__(self, recorded: Recorded, changes: RowChanges) -> None:
        event = recorded.data
        assert isinstance(event, BodyRegistered)
        self.touched = False
        self._code = event.code
        self._beliefs = Beliefs()
        self._describe(event, recorded, changes)

    def apply(self, recorded: Recorded, changes: RowChanges) -> None:
        """See `View.apply`."""
        if isinstance(recorded.data, BodyChanged):
            self._describe(recorded.data, recorded, changes)

    def beliefs(self) -> Iterator[Belief[Any]]:
        """See `View.beliefs`."""
        return iter(self._beliefs)

    def _describe(self, event: BodyRegistered | BodyChanged, recorded: Recorded, changes: RowChanges) -> None:
        protocol = event.protocol
        expected = None if protocol is None else protocol.expected_meetings
        row = row_of(
            bodies,
            body_id=recorded.stream_id.hex,
            code=self._code,
            name=event.name,
            kind=event.kind.value,
            presiding_organization=event.presiding_organization,
            expected_meetings=None if expected is None else expected.count,
            expected_period=None if expected is None else expected.period.value,
            days_to_minutes=None if protocol is None else protocol.days_to_minutes,
            agenda_size=None if protocol is None else protocol.agenda_size,
            told_time=microseconds(recorded.recorded_at),
        )
        self._beliefs.say(row, recorded.position, changes)
        disclose(self._beliefs, recorded.stream_id, event.visibility, recorded.position, changes)
        encircle(self._beliefs, recorded.stream_id, recorded.position, changes, concerned=event.organizations)


class MeetingView:
    """What the register needs to know of a meeting now."""

    __slots__ = ("_beliefs", "_day_of", "_now", "_organizations", "_recipients", "touched")

    def __init__(self, recorded: Recorded, changes: RowChanges, *, day_of: DayOf) -> None:
        event = recorded.data
        assert isinstance(event, MeetingConvened)
        self.touched = False
        self._day_of = day_of
        self._beliefs = Beliefs()
        self._organizations = event.organizations
        self._recipients: tuple[str, ...] = ()
        self._now: dict[str, Any] = {
            "meeting_id": recorded.stream_id.hex,
            "body": event.body,
            "title": event.title,
            "convened_at": recorded.position,
            "scheduled_time": microseconds(event.scheduled_at),
            "held_time": None,
            "cancelled_time": None,
            "cancellation": None,
            "circulated_on": None,
            "agenda_items": len(event.agenda),
            "attendance_told": False,
            "absences": "[]",
        }
        disclose(self._beliefs, recorded.stream_id, event.visibility, recorded.position, changes)
        self._restate(recorded, changes)

    def apply(self, recorded: Recorded, changes: RowChanges) -> None:
        """See `View.apply`."""
        now = self._now
        match recorded.data:
            case MeetingRescheduled() as event:
                now["scheduled_time"] = microseconds(event.scheduled_at)
            case MeetingCancelled() as event:
                now["cancelled_time"] = microseconds(recorded.recorded_at)
                now["cancellation"] = event.reason
            case AgendaAgreed() | AgendaRevised() as event:
                now["agenda_items"] = len(event.agenda)
            case MeetingHeld() | AttendanceCorrected() as event:
                now["held_time"] = microseconds(event.held_at)
                now["attendance_told"] = bool(event.attendance)
                now["absences"] = json_text(event.mandatory_absences)
            case MinutesCirculated() as event:
                # Minutes are out on the day they are first sent to somebody; what is sent again later mends them.
                day = day_told(recorded, self._day_of)
                now["circulated_on"] = min(day, now["circulated_on"] or day)
                self._recipients += tuple(recipient.organization for recipient in event.recipients)
            case MeetingPublished() as event:
                disclose(self._beliefs, recorded.stream_id, event.visibility, recorded.position, changes)
        self._restate(recorded, changes)

    def beliefs(self) -> Iterator[Belief[Any]]:
        """See `View.beliefs`."""
        return iter(self._beliefs)

    def _restate(self, recorded: Recorded, changes: RowChanges) -> None:
        self._beliefs.say(row_of(meetings, **self._now), recorded.position, changes)
        encircle(
            self._beliefs,
            recorded.stream_id,
            recorded.position,
            changes,
            concerned=self._organizations,
            knowing=self._recipients,
        )
