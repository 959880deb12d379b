"""What can be done with commitments: each use case loads, decides in the domain, and appends.

What an actor may not know of is not there for that actor, before any version or rule is looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any

from services.commitments.application.directory import Directory
from services.commitments.domain import registration
from services.commitments.domain.commitment import Commitment
from services.commitments.domain.entries import Successor
from services.commitments.domain.registration import Known, Place
from shared.clock import Clock
from shared.eventlog import codec
from shared.eventlog.commands import Command, Outcome
from shared.eventlog.live import LiveLog
from shared.eventlog.records import Records
from shared.eventlog.states import View
from shared.events.commitments import Completed, Corrected, Discarded, Merged, Registered, Reopened
from shared.events.facts import Event
from shared.events.streams import resolve, stream_of
from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor
from shared.references import Disclosure
from shared.rules.visibility import may_see

KIND = "commitment"

ENDING = (Completed, Discarded, Merged, Reopened)
"""What tells whether a commitment is open, and in which one it goes on."""

MOVING = (Corrected,)
"""What may tell that a commitment is part of another one than before. A registration is not among them: no other
commitment can be part of one that was not there yet, so a new one closes no circle."""


class Commitments:
    """The commitments on record, for whoever asks and within what they may know."""

    def __init__(self, live: LiveLog, directory: Directory, *, capacity: int = 50_000) -> None:
        self.records: Records[Commitment] = Records(live, Commitment.begin, name=KIND, capacity=capacity)
        self._live = live
        self._directory = directory
        # Whether a merger or a new parent would close a circle depends on several commitments at once. The log sees to
        # it that nothing comes in between; those of this process go one after the other all the same, so that they do
        # not overtake each other again and again.
        self._tree = asyncio.Lock()

    @property
    def clock(self) -> Clock:
        """The clock by which its days are counted."""
        return self._live.clock

    async def wait_for(self, position: int, timeout: float) -> None:
        """Returns once everything up to a position of the log is reflected; Unavailable after `timeout` seconds."""
        await self._live.wait_for(position, timeout)

    def reflected(self, commitment: Commitment) -> int:
        """The position up to which the state of a commitment tells everything there is."""
        return max(self._live.position, commitment.position)

    # --- reading ---------------------------------------------------------------------------------------------------

    async def visible(self, identifier: str, actor: Actor) -> Commitment:
        """The commitment as it is now. NotFound when it does not exist or the actor may not know of it."""
        commitment = await self.records.get(resolve(KIND, identifier))
        if commitment is None:
            raise self.records.unknown()
        if not self._may_see(actor, commitment):
            raise await self.records.hidden()
        return commitment

    async def as_it_was(
        self, identifier: str, actor: Actor, *, version: int | None = None, known_at: datetime | None = None
    ) -> View[Commitment]:
        """The commitment at a version, or as it was known at a moment.

        Who may know of it today decides. NotFound when there was no such version, or nothing at that moment.
        """
        found = await self.visible(identifier, actor)
        return await self.records.as_it_was(found.id, version=version, known_at=known_at)

    async def history(
        self, identifier: str, actor: Actor, *, after_version: int = 0, limit: int
    ) -> tuple[Commitment, list[bytes], bool]:
        """Some of its events beyond a version, in order and as stored, and whether there are more."""
        commitment = await self.visible(identifier, actor)
        lines = await asyncio.to_thread(self._live.store.read_stream, commitment.id, after_version)
        return commitment, [line for _, line in lines[:limit]], len(lines) > limit

    # --- writing ---------------------------------------------------------------------------------------------------

    async def register(self, proposed: Registered, command: Command) -> Outcome:
        """A commitment enters the record."""
        known = await self.known_to(proposed)
        today = self.clock.today()
        return await self.records.create(
            stream_of(KIND, proposed.code),
            lambda: [registration.register(proposed, today=today, known=known)],
            command,
        )

    async def change(
        self, commitment: Commitment, decide: Callable[[Commitment, date], Event], command: Command
    ) -> Outcome:
        """Something happens to one commitment that depends on that commitment alone."""
        today = self.clock.today()
        return await self.records.change(commitment.id, lambda current: [decide(current, today)], command)

    async def reassign_lead(
        self,
        commitment: Commitment,
        command: Command,
        *,
        lead_organization: str,
        reason: str,
        effective_on: date | None,
        decision: str | None,
    ) -> Outcome:
        """Another organisation takes a commitment over."""
        known = Known(organizations=self._directory.organization_codes)
        return await self.change(
            commitment,
            lambda current, today: current.reassign_lead(
                today=today,
                known=known,
                lead_organization=lead_organization,
                reason=reason,
                effective_on=effective_on,
                decision=decision,
            ),
            command,
        )

    async def merge(
        self,
        commitment: Commitment,
        command: Command,
        *,
        into: str,
        reason: str,
        effective_on: date | None,
        decision: str | None,
    ) -> Outcome:
        """A commitment goes on inside another one, `into` (its code or its id)."""
        today = self.clock.today()
        successor: Successor | None = None

        async def look() -> None:
            nonlocal successor
            successor = await self._successor(into)

        async with self._tree:
            return await self.records.change(
                commitment.id,
                lambda current: [
                    current.merge(
                        today=today,
                        into=successor,
                        reason=reason,
                        effective_on=effective_on,
                        decision=decision,
                    )
                ],
                command,
                prepare=look,
                considering=ENDING,
            )

    async def correct(
        self, commitment: Commitment, command: Command, *, field: str, value: Any, reason: str
    ) -> Outcome:
        """A field of a registration is set right."""
        today = self.clock.today()
        named = (value,) if field in {"parent", "split_from"} and isinstance(value, str) else ()
        known = Known()

        async def look() -> None:
            nonlocal known
            current = await self.records.get(commitment.id) or commitment
            known = await self.known_to(current.registration, named)

        async with self._tree:
            return await self.records.change(
                commitment.id,
                lambda current: [
                    current.correct(today=today, known=known, field=field, value=value, reason=reason)
                ],
                command,
                prepare=look,
                considering=MOVING if field == "parent" else (),
            )

    async def told(self, outcome: Outcome) -> Event:
        """The event with which a command ended, read back from the log."""
        lines = await asyncio.to_thread(
            self._live.store.read_stream, outcome.stream_id, outcome.version - 1, outcome.position
        )
        position, line = lines[0]
        return codec.decode(line, position).data

    # --- what else the record holds --------------------------------------------------------------------------------

    async def disclosure_of(self, code: str) -> Disclosure | None:
        """Who may know of the commitment with that code; None when there is none."""
        found = await self._called(code)
        if found is None:
            return None
        return Disclosure(found.visibility, found.concerned(), found.once_reserved)

    @staticmethod
    def _may_see(actor: Actor, commitment: Commitment) -> bool:
        return commitment.visibility is not Visibility.RESERVED or may_see(
            actor, commitment.visibility, commitment.concerned()
        )

    async def known_to(self, registered: Registered, also: Iterable[str] = ()) -> Known:
        """What the record holds of the things that a registration names."""
        places: dict[str, Place] = {}
        for code in {registered.parent, registered.split_from, *also} - {None}:
            assert code is not None
            if (found := await self._called(code)) is not None:
                places[code] = Place(found.registration.kind, tuple(await self._chain(found, _parent_of)))
        return Known(self._directory.organization_codes, self._directory.pillar_codes, places)

    async def _successor(self, identifier: str) -> Successor | None:
        found = await self.records.get(resolve(KIND, identifier))
        if found is None:
            return None
        still_open = found.closing_on(date.max) is None
        return Successor(found.code, still_open, tuple(await self._chain(found, _successor_of)))

    async def _chain(self, start: Commitment, following: Callable[[Commitment], str | None]) -> list[str]:
        """The codes met by following a relation; the domain sees to it that it never runs in a circle."""
        chain: list[str] = []
        code = following(start)
        while code is not None and code not in chain:
            chain.append(code)
            found = await self._called(code)
            code = None if found is None else following(found)
        return chain

    async def _called(self, code: str) -> Commitment | None:
        return await self.records.get(stream_of(KIND, code))


def _parent_of(commitment: Commitment) -> str | None:
    return commitment.registration.parent


def _successor_of(commitment: Commitment) -> str | None:
    return commitment.merged_into
