"""What is done with decisions: the budget office acknowledges them, and ties them to the lines they end in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from services.meetings.domain.decision import Decision
from shared.clock import Clock
from shared.eventlog.commands import Command, Outcome
from shared.eventlog.live import LiveLog
from shared.eventlog.records import Records
from shared.eventlog.states import View
from shared.events.facts import Event
from shared.events.streams import resolve
from shared.identity.actor import Actor
from shared.references import Disclosure

KIND = "decision"


class Decisions:
    """The decisions on record, for whoever asks and within what they may know."""

    def __init__(self, live: LiveLog, *, capacity: int = 20_000) -> None:
        self.records: Records[Decision] = Records(live, Decision.begin, name=KIND, capacity=capacity)
        self._live = live

    @property
    def clock(self) -> Clock:
        """The clock by which its days are counted."""
        return self._live.clock

    async def wait_for(self, position: int, timeout: float) -> None:
        """Returns once everything up to a position of the log is reflected; Unavailable after `timeout` seconds."""
        await self._live.wait_for(position, timeout)

    async def visible(self, number_or_id: str, actor: Actor) -> Decision:
        """The decision as it is now. NotFound when it does not exist or the actor may not know of it."""
        found = await self.records.get(resolve(KIND, number_or_id))
        if found is None:
            raise self.records.unknown()
        if not found.may_be_known_to(actor):
            raise await self.records.hidden()
        return found

    async def as_it_was(
        self, number_or_id: str, actor: Actor, *, version: int | None = None, known_at: datetime | None = None
    ) -> View[Decision]:
        """The decision at a version, or as it was known at a moment. Who may know of it today decides."""
        found = await self.visible(number_or_id, actor)
        return await self.records.as_it_was(found.id, version=version, known_at=known_at)

    async def disclosure_of(self, number_or_id: str) -> Disclosure | None:
        """Who may know of a decision; None when there is none of that name."""
        found = await self.records.get(resolve(KIND, number_or_id))
        return None if found is None else Disclosure(found.visibility, found.circle(), found.once_reserved)

    async def history(
        self, decision: Decision, *, after_version: int = 0, limit: int
    ) -> tuple[list[bytes], bool]:
        """Some of its events beyond a version, in order and as stored, and whether there are more."""
        lines = await asyncio.to_thread(self._live.store.read_stream, decision.id, after_version)
        return [line for _, line in lines[:limit]], len(lines) > limit

    async def change(
        self, decision: Decision, decide: Callable[[Decision], Event], command: Command
    ) -> Outcome:
        """Something happens to one decision that depends on that decision alone."""
        return await self.records.change(decision.id, lambda current: [decide(current)], command)
