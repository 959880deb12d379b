"""What is read of meetings: one of them, lists of them, and their history, within what the reader may know."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from services.meetings.application.directory import PATIENCE, Directory
from services.meetings.application.listing import ListedMeeting
from services.meetings.domain.meeting import Meeting
from shared.clock import Clock
from shared.eventlog import codec
from shared.eventlog.commands import Outcome
from shared.eventlog.live import LiveLog
from shared.eventlog.records import Records
from shared.eventlog.states import View
from shared.events.facts import Event
from shared.events.meeting_vocabulary import MeetingState
from shared.events.meetings import (
    MinutesApproved,
    MinutesDrafted,
    ObservationAnswered,
    ObservationRaised,
)
from shared.events.streams import looks_like_uuid
from shared.identity.actor import Actor
from shared.references import Disclosure

KIND = "meeting"


class Line(NamedTuple):
    """One event of a history as stored, and whether what it says is kept from the reader."""

    stored: bytes
    withheld: bool


class Filters(NamedTuple):
    """Which meetings a list is of: days are civil, the last one included."""

    body: str | None = None
    since: date | None = None
    until: date | None = None
    state: MeetingState | None = None


class MeetingReading:
    """The meetings on record, for whoever asks and within what they may know."""

    def __init__(self, live: LiveLog, directory: Directory, *, capacity: int = 5_000) -> None:
        self.records: Records[Meeting] = Records(live, Meeting.begin, name=KIND, capacity=capacity)
        self._live = live
        self._directory = directory

    @property
    def clock(self) -> Clock:
        """The clock by which its days are counted."""
        return self._live.clock

    @property
    def position(self) -> int:
        """The position of the log that lists reflect."""
        return self._live.position

    async def wait_for(self, position: int, timeout: float) -> None:
        """Returns once everything up to a position of the log is reflected; Unavailable after `timeout` seconds."""
        await self._live.wait_for(position, timeout)

    async def visible(self, identifier: str, actor: Actor) -> Meeting:
        """The meeting as it is now. NotFound when it does not exist or the actor may not know of it."""
        found = await self.records.get(UUID(identifier)) if looks_like_uuid(identifier) else None
        if found is None:
            raise self.records.unknown()
        if not found.may_be_known_to(actor):
            raise await self.records.hidden()
        return found

    async def as_it_was(
        self, identifier: str, actor: Actor, *, version: int | None = None, known_at: datetime | None = None
    ) -> View[Meeting]:
        """The meeting at a version, or as it was known at a moment. Who may know of it today decides."""
        found = await self.visible(identifier, actor)
        return await self.records.as_it_was(found.id, version=version, known_at=known_at)

    async def disclosure_of(self, meeting: UUID) -> Disclosure:
        """Who may know of the meeting in which something was settled."""
        found = await self.records.get(meeting)
        assert found is not None, "what was settled was settled in a meeting"
        return Disclosure(found.visibility, found.circle(), found.once_reserved)

    async def entry(self, meeting: Meeting) -> ListedMeeting:
        """A meeting as calendars show it, at least as new as the meeting given."""
        if self._live.position < meeting.position:
            await self._live.wait_for(meeting.position, PATIENCE)
        found = self._directory.meeting(meeting.id)
        assert found is not None, "the directory follows the log"
        return found

    def listed_to(self, meeting: UUID, actor: Actor) -> bool:
        """Whether the meeting with that id is in the lists that an actor sees."""
        found = self._directory.meeting(meeting)
        return found is not None and found.may_be_known_to(actor)

    def listed(
        self, actor: Actor, filters: Filters, after: tuple[datetime, UUID] | None = None
    ) -> Iterator[ListedMeeting]:
        """The meetings that the actor may know of, in order of time."""
        for meeting in self._directory.meetings(after):
            day = self.clock.day_of(meeting.scheduled_at)
            if (
                (filters.body is None or meeting.body == filters.body)
                and (filters.since is None or day >= filters.since)
                and (filters.until is None or day <= filters.until)
                and (filters.state is None or meeting.state is filters.state)
                and meeting.may_be_known_to(actor)
            ):
                yield meeting

    async def history(
        self, meeting: Meeting, actor: Actor, *, after_version: int = 0, limit: int
    ) -> tuple[list[Line], bool]:
        """Some of its events beyond a version, in order, and whether there are more.

        What drafts and observations say is kept from those they were not sent to.
        """
        lines = await asyncio.to_thread(self._live.store.read_stream, meeting.id, after_version)
        open_to = meeting.drafts_open_to(actor)
        told = [
            Line(line, not open_to and _is_draft(codec.decode(line, position).data, meeting))
            for position, line in lines[:limit]
        ]
        return told, len(lines) > limit

    async def told(self, outcome: Outcome) -> Event:
        """The event with which a command ended, read back from the log."""
        lines = await asyncio.to_thread(
            self._live.store.read_stream, outcome.stream_id, outcome.version - 1, outcome.position
        )
        position, line = lines[0]
        return codec.decode(line, position).data

    async def approved(self, outcome: Outcome) -> MinutesApproved:
        """What an approval brought into being."""
        event = await self.told(outcome)
        assert isinstance(event, MinutesApproved)
        return event


def _is_draft(event: Event, meeting: Meeting) -> bool:
    if isinstance(event, MinutesDrafted):
        return meeting.approval is None or meeting.approval.said.draft != event.draft
    return isinstance(event, ObservationRaised | ObservationAnswered)
