"""What is done with action items: their owners tell of them, and those who asked for them decide about them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, datetime
from uuid import UUID

from services.meetings.application.directory import Directory
from services.meetings.domain.action_item import ActionItem
from shared.clock import Clock
from shared.eventlog.commands import Command, Outcome
from shared.eventlog.live import LiveLog
from shared.eventlog.records import Records
from shared.eventlog.states import View
from shared.events.facts import Event
from shared.events.streams import looks_like_uuid
from shared.identity.actor import Actor
from shared.references import Disclosure

KIND = "action-item"


class ActionItems:
    """The action items on record, for whoever asks and within what they may know."""

    def __init__(self, live: LiveLog, directory: Directory, *, capacity: int = 20_000) -> None:
        self.records: Records[ActionItem] = Records(live, ActionItem.begin, name=KIND, capacity=capacity)
        self._live = live
        self._directory = directory

    @property
    def clock(self) -> Clock:
        """The clock by which its days are counted."""
        return self._live.clock

    async def wait_for(self, position: int, timeout: float) -> None:
        """Returns once everything up to a position of the log is reflected; Unavailable after `timeout` seconds."""
        await self._live.wait_for(position, timeout)

    async def visible(self, identifier: str, actor: Actor) -> ActionItem:
        """The action item as it is now. NotFound when it does not exist or the actor may not know of it."""
        found = await self.records.get(UUID(identifier)) if looks_like_uuid(identifier) else None
        if found is None:
            raise self.records.unknown()
        if not found.may_be_known_to(actor):
            raise await self.records.hidden()
        return found

    async def as_it_was(
        self, identifier: str, actor: Actor, *, version: int | None = None, known_at: datetime | None = None
    ) -> View[ActionItem]:
        """The action item at a version, or as it was known at a moment. Who may know of it today decides."""
        found = await self.visible(identifier, actor)
        return await self.records.as_it_was(found.id, version=version, known_at=known_at)

    async def disclosure_of(self, identifier: str) -> Disclosure | None:
        """Who may know of an action item; None when there is none of that id."""
        found = await self.records.get(UUID(identifier)) if looks_like_uuid(identifier) else None
        return None if found is None else Disclosure(found.visibility, found.circle(), found.once_reserved)

    async def history(
        self, item: ActionItem, *, after_version: int = 0, limit: int
    ) -> tuple[list[bytes], bool]:
        """Some of its events beyond a version, in order and as stored, and whether there are more."""
        lines = await asyncio.to_thread(self._live.store.read_stream, item.id, after_version)
        return [line for _, line in lines[:limit]], len(lines) > limit

    async def change(
        self, item: ActionItem, decide: Callable[[ActionItem, date], Event], command: Command
    ) -> Outcome:
        """Something happens to one action item that depends on that action item alone."""
        today = self.clock.today()
        return await self.records.change(item.id, lambda current: [decide(current, today)], command)

    async def reassign(
        self,
        item: ActionItem,
        command: Command,
        *,
        owner_organization: str,
        owner_subject: str | None,
        reason: str,
        effective_on: date | None,
    ) -> Outcome:
        """Another organisation, or another person in it, takes it over."""
        return await self._directory.surely(
            lambda: self.change(
                item,
                lambda current, today: current.reassign(
                    today=today,
                    owner_organization=owner_organization,
                    owner_subject=owner_subject,
                    reason=reason,
                    effective_on=effective_on,
                    organizations=self._directory.organization_codes,
                ),
                command,
            )
        )
