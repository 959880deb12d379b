"""All meetings in memory as lists and calendars show them, in order of time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from services.meetings.meeting.model import state_after
from shared.aggregate.aggregate import Aggregate, Entry, evolves
from shared.aggregate.index import Index
from shared.aggregate.redaction import Readers
from shared.eventlog.envelope import Recorded
from shared.eventlog.live import LiveLog
from shared.events.facts import Event
from shared.events.meeting_vocabulary import MeetingState
from shared.events.meetings import EVENTS as MEETING_EVENTS
from shared.events.meetings import (
    AgendaAgreed,
    AgendaRevised,
    AttendanceCorrected,
    MeetingCancelled,
    MeetingConvened,
    MeetingHeld,
    MeetingPublished,
    MeetingRescheduled,
    MinutesCirculated,
)
from shared.events.retractions import MeetingFactRetracted
from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor
from shared.rules.dated_facts import VisibilityByDay

Place = tuple[datetime, UUID]
"""Where a meeting stands in the lists: they go by the time for which it is scheduled."""

Placed = tuple[datetime, UUID, "ListedMeeting"]


_MOVING: Final = frozenset(
    one.TYPE for one in (MeetingRescheduled, MeetingCancelled, MeetingHeld, AttendanceCorrected)
)
"""After which a meeting may stand elsewhere in a calendar."""


class ListedMeeting(Aggregate):
    """One meeting as lists and calendars show it: a few members, and no minutes."""

    __slots__ = (
        "agenda",
        "body",
        "changed_at",
        "ended_at",
        "ends_at",
        "held_at",
        "organizations",
        "place",
        "scheduled_at",
        "sequence",
        "state",
        "title",
        "visibilities",
    )

    BEGINS_WITH = (MeetingConvened,)

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded)
        event = recorded.data
        assert isinstance(event, MeetingConvened)
        self.body = event.body
        self.title = event.title
        self.scheduled_at = event.scheduled_at
        self.ends_at = event.ends_at
        self.place = event.place
        self.agenda = event.agenda
        self.visibilities = VisibilityByDay(event.visibility, recorded.position)
        self.organizations = event.organizations
        """Those who may know of it while it is reserved."""
        self.held_at: datetime | None = None
        self.ended_at: datetime | None = None
        self.state = MeetingState.CONVENED
        self.sequence = 0
        """How often a calendar must take in another time or place, or that it is off."""
        self.changed_at = recorded.recorded_at
        """When something last changed that a calendar shows."""

    @classmethod
    def event_types(cls) -> tuple[type[Event], ...]:
        """Every type of this service: it shows the version of the meeting."""
        return MEETING_EVENTS

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event."""
        super().apply(recorded)
        state = state_after(recorded.data, self.state)
        if state is not self.state:
            self.changed_at = recorded.recorded_at
            self.state = state

    @property
    def begins_at(self) -> datetime:
        """When it began, or is to begin."""
        return self.held_at or self.scheduled_at

    @property
    def until(self) -> datetime | None:
        """When it ended or is to end, where that is known."""
        as_planned = self.held_at in (None, self.scheduled_at)
        return self.ended_at or (self.ends_at if as_planned else None)

    @property
    def agenda_size(self) -> int:
        """How many items are on its agenda."""
        return len(self.agenda)

    @property
    def visibility(self) -> Visibility:
        """Who may know of it."""
        return self.visibilities.now

    def readers(self) -> Readers:
        """See `Aggregate.readers`."""
        return Readers(self.visibility, self.organizations)

    @evolves(MeetingRescheduled)
    def _rescheduled(self, entry: Entry[MeetingRescheduled]) -> None:
        moved = entry.event
        self.scheduled_at, self.ends_at, self.place = moved.scheduled_at, moved.ends_at, moved.place
        self.sequence += 1
        self.changed_at = entry.recorded_at

    @evolves(MeetingCancelled)
    def _cancelled(self, _: Entry[MeetingCancelled]) -> None:
        self.sequence += 1

    @evolves(MeetingFactRetracted)
    def _taken_back(self, entry: Entry[MeetingFactRetracted]) -> None:
        if entry.event.retracted in _MOVING:
            self.sequence += 2  # calendars have taken in the one, and have to take in that it is not so
        self.changed_at = entry.recorded_at

    @evolves(AgendaAgreed, AgendaRevised)
    def _agenda_revised(self, entry: Entry[Any]) -> None:
        self.agenda = entry.event.agenda
        self.changed_at = entry.recorded_at

    @evolves(MeetingHeld, AttendanceCorrected)
    def _held(self, entry: Entry[Any]) -> None:
        before = self.begins_at, self.until
        self.held_at, self.ended_at = entry.event.held_at, entry.event.ended_at
        if before != (self.begins_at, self.until):
            self.sequence += 1
            self.changed_at = entry.recorded_at

    @evolves(MinutesCirculated)
    def _circulated(self, entry: Entry[MinutesCirculated]) -> None:
        sent_to = (recipient.organization for recipient in entry.event.recipients)
        self.organizations = (*self.organizations, *sent_to)

    @evolves(MeetingPublished)
    def _published(self, entry: Entry[MeetingPublished]) -> None:
        self.visibilities.take_in(entry.event, entry.position)
        self.changed_at = entry.recorded_at


class MeetingList:
    """Follows the log; complete once `live` has started, and up to date with every write that was acknowledged."""

    def __init__(self, live: LiveLog) -> None:
        self._day_of = live.clock.day_of
        self._by_time: list[Placed] = []
        self._by_body: dict[str, list[Placed]] = {}
        self._places: dict[UUID, Placed] = {}
        for held in (self._by_time, self._by_body, self._places):
            live.on_restart(held.clear)
        self._meetings: Index[ListedMeeting] = Index(
            live,
            ListedMeeting,
            key=lambda one: str(one.id),
            changed=self._put_in_order,
            retracting=MeetingFactRetracted,
            store=live.store,
        )

    def get(self, stream_id: UUID) -> ListedMeeting | None:
        """The meeting with that id."""
        return self._meetings.get(str(stream_id))

    def shows(self, stream_id: UUID, actor: Actor) -> bool:
        """Whether the meeting with that id is in the lists that an actor sees."""
        found = self.get(stream_id)
        return found is not None and found.readers().include(actor)

    def seen_by(
        self,
        actor: Actor,
        *,
        body: str | None = None,
        since: date | None = None,
        until: date | None = None,
        after: Place | None = None,
    ) -> Iterator[ListedMeeting]:
        """The meetings that an actor may know of, in order of time: from one civil day to another, beyond a place."""
        places = self._by_time if body is None else self._by_body.get(body, [])
        begin = 0 if since is None else bisect_left(places, since, key=lambda placed: self._day_of(placed[0]))
        if after is not None:
            begin = max(begin, bisect_right(places, after, key=lambda placed: placed[:2]))
        for index in range(begin, len(places)):
            found = places[index][2]
            if until is not None and self._day_of(found.scheduled_at) > until:
                return
            if found.readers().include(actor):
                yield found

    def _put_in_order(self, meeting: ListedMeeting) -> None:
        placed, before = (meeting.scheduled_at, meeting.id, meeting), self._places.get(meeting.id)
        if placed == before:
            return
        self._places[meeting.id] = placed
        for places in (self._by_time, self._by_body.setdefault(meeting.body, [])):
            if before is not None:
                del places[bisect_left(places, before[:2], key=lambda one: one[:2])]
            insort(places, placed, key=lambda one: one[:2])
