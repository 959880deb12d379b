"""What is done with decisions: the budget office acknowledges them, and ties them to the lines they end in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from services.meetings.domain.decision import Decision
from shared.eventlog.commands import Command, Outcome
from shared.eventlog.live import LiveLog
from shared.eventlog.records import Records
from shared.events.facts import Event
from shared.events.streams import resolve
from shared.identity.actor import Actor

KIND = "decision"


class Decisions:
    """The decisions on record, for whoever asks and within what they may know."""

    def __init__(self, live: LiveLog, *, capacity: int = 20_000) -> None:
        self.records: Records[Decision] = Records(live, Decision.begin, name=KIND, capacity=capacity)
        self._live = live

    async def wait_for(self, position: int, timeout: float) -> None:
        """Returns once everything up to a position of the log is reflected; Unavailable after `timeout` seconds."""
        await self._live.wait_for(position, timeout)

    async def visible(self, number_or_id: str, actor: Actor) -> Decision:
        """The decision as it is now. NotFound when it does not exist or the actor may not know of it."""
        found = await self.records.get(resolve(KIND, number_or_id))
        if found is None or not found.may_be_known_to(actor):
            raise self.records.unknown()
        return found

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
