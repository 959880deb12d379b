"""What everything here refers to, in memory: the organisations, the bodies, their meetings, and what is still open."""

from __future__ import annotations

import asyncio
from bisect import bisect_right, insort
from collections.abc import Awaitable, Callable, Container, Iterator
from datetime import date, datetime
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

from services.meetings.application.listing import ListedDecision, ListedMeeting
from services.meetings.domain.action_item import ActionItem
from services.meetings.domain.body import Body
from shared.errors import InvalidInput
from shared.eventlog.envelope import Recorded
from shared.eventlog.live import LiveLog
from shared.events import meetings
from shared.events.commitments import OrganizationChanged, OrganizationRegistered
from shared.events.facts import Event
from shared.events.vocabulary import OrganizationKind
from shared.identity.actor import Actor

FOLLOWED: Final[tuple[type[Event], ...]] = (OrganizationRegistered, OrganizationChanged, *meetings.EVENTS)
PATIENCE: Final = 5.0
"""Seconds to wait for what other processes have written, before something is said not to exist."""

T = TypeVar("T")
Thing = Body | ListedMeeting | ListedDecision | ActionItem


class Organization(NamedTuple):
    """What the meetings need to know of an organisation."""

    kind: OrganizationKind
    dissolved_on: date | None = None


class Proposals(NamedTuple):
    """What a body left open: for its next agenda."""

    action_items: list[ActionItem]
    decisions: list[ListedDecision]


class Directory:
    """Follows the log; what a write recorded is here by the time its answer is given."""

    def __init__(self, live: LiveLog | None = None) -> None:
        self._live = live
        self.organizations: dict[str, Organization] = {}
        self._organization_codes: dict[UUID, str] = {}
        self._things: dict[UUID, Thing] = {}
        self._bodies: dict[str, Body] = {}
        self._by_time: list[tuple[datetime, UUID]] = []
        self._open: dict[str, dict[UUID, ActionItem]] = {}
        self._pending: dict[str, dict[UUID, ListedDecision]] = {}

    @classmethod
    def following(cls, live: LiveLog) -> Directory:
        """A directory that is complete once `live` has started."""
        directory = cls(live)
        live.subscribe(FOLLOWED, directory.apply)
        return directory

    # --- following -------------------------------------------------------------------------------------------------

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event."""
        event = recorded.data
        if isinstance(event, OrganizationRegistered):
            self._organization_codes[recorded.stream_id] = event.code
            self.organizations[event.code] = Organization(event.kind)
            return
        if isinstance(event, OrganizationChanged):
            code = self._organization_codes[recorded.stream_id]
            self.organizations[code] = Organization(event.kind, event.dissolved_on)
            return
        known = self._things.get(recorded.stream_id)
        if known is None:
            self._begin(recorded)
            return
        was_at = known.scheduled_at if isinstance(known, ListedMeeting) else None
        known.apply(recorded)
        match known:
            case ListedMeeting() if was_at is not None and was_at != known.scheduled_at:
                self._by_time.remove((was_at, known.id))
                insort(self._by_time, (known.scheduled_at, known.id))
            case ActionItem() if known.ending is not None:
                self._open[known.assigned.said.body].pop(known.id, None)
                # Nothing more can happen to it that a list would show.
                del self._things[known.id]
            case ListedDecision():
                pending = self._pending.setdefault(known.agreed.body, {})
                assert self._live is not None
                if known.pending(self._live.clock.day_of):
                    pending[known.id] = known
                else:
                    pending.pop(known.id, None)

    def _begin(self, recorded: Recorded) -> None:
        kinds: tuple[type[Thing], ...] = (Body, ListedMeeting, ListedDecision, ActionItem)
        found: list[Thing] = [begun for kind in kinds if (begun := kind.begin(recorded)) is not None]
        if not found:
            return
        (thing,) = found
        self._things[thing.id] = thing
        match thing:
            case Body():
                self._bodies[thing.code] = thing
            case ListedMeeting():
                insort(self._by_time, (thing.scheduled_at, thing.id))
            case ListedDecision():
                self._pending.setdefault(thing.agreed.body, {})[thing.id] = thing
            case ActionItem():
                self._open.setdefault(thing.assigned.said.body, {})[thing.id] = thing

    # --- asking ----------------------------------------------------------------------------------------------------

    @property
    def organization_codes(self) -> Container[str]:
        """The codes of all organisations."""
        return self.organizations.keys()

    def body(self, code: str) -> Body | None:
        """The body with that code."""
        return self._bodies.get(code)

    def bodies(self) -> list[Body]:
        """All bodies, by code."""
        return sorted(self._bodies.values(), key=lambda one: one.code)

    def meeting(self, stream_id: UUID) -> ListedMeeting | None:
        """The meeting with that id, as lists show it."""
        found = self._things.get(stream_id)
        return found if isinstance(found, ListedMeeting) else None

    def meetings(self, after: tuple[datetime, UUID] | None = None) -> Iterator[ListedMeeting]:
        """The meetings in order of time, from beyond that one on."""
        begin = 0 if after is None else bisect_right(self._by_time, after)
        for _, stream_id in self._by_time[begin:]:
            found = self._things[stream_id]
            assert isinstance(found, ListedMeeting)
            yield found

    def proposals(self, body: str, actor: Actor) -> Proposals:
        """What a body left open, as far as the actor may know: tasks by the day they are due, decisions by number."""
        items = [item for item in self._open.get(body, {}).values() if item.may_be_known_to(actor)]
        decisions = [one for one in self._pending.get(body, {}).values() if one.may_be_known_to(actor)]
        return Proposals(
            sorted(items, key=lambda item: (item.due_on, item.assigned.position)),
            sorted(decisions, key=lambda one: (one.agreed.agreed_on, one.agreed.number)),
        )

    async def surely(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Tries again before an organisation is said not to exist: another process may just have told of it."""
        assert self._live is not None
        seen = self._live.position
        try:
            return await attempt()
        except InvalidInput as error:
            if error.code != "unknown-organization":
                raise
            head = await asyncio.to_thread(self._live.store.head)
            if head <= seen:
                raise
            await self._live.wait_for(head, PATIENCE)
        return await attempt()
