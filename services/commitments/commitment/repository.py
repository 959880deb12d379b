"""The commitments on record, and what the record holds of them that a decision on another one depends on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import date
from functools import partial, wraps
from typing import Any, Final, Protocol, TypeVar

from services.commitments.commitment.model import Commitment, Known, Place, Successor, register
from services.commitments.commitment.splitting import Splitting, events_of, parts_of
from services.commitments.plan.repository import Directory
from shared.aggregate.command import Command, Context, Decided, Outcome
from shared.aggregate.redaction import Readers
from shared.aggregate.repository import CACHE, Repository
from shared.errors import RuleBroken
from shared.eventlog.live import LiveLog
from shared.events.commitments import (
    Completed,
    Discarded,
    LeadReassigned,
    Merged,
    Registered,
    Reopened,
    Split,
)
from shared.events.streams import resolve, stream_of
from shared.identity.actor import Actor
from shared.rules.visibility import can_read

KIND: Final = "commitment"

ENDING: Final = (Completed, Discarded, Merged, Split, Reopened)
"""What tells whether a commitment is open, and in which ones it goes on."""


class Restating(Protocol):
    """What gives a field of a registration another value."""

    @property
    def field(self) -> str:
        """The field."""

    @property
    def value(self) -> Any:
        """Its value, as JSON."""


F = TypeVar("F", bound=Restating)


class Commitments(Repository[Commitment]):
    """The commitments on record, for whoever asks and within what they may read."""

    def __init__(self, live: LiveLog, directory: Directory) -> None:
        super().__init__(live, Commitment, KIND, cache=2 * CACHE)
        self._directory = directory

    async def may_read(self, actor: Actor, aggregate: Commitment) -> bool:
        """See `Repository.may_read`: while it is reserved, those whose own it is."""
        return can_read(actor, aggregate.visibility, aggregate.organizations())

    async def readers_of(self, code: str) -> Readers | None:
        """Who may read the commitment with that code; None when there is none."""
        found = await self.by_code(code)
        if found is None:
            return None
        return Readers(found.visibility, found.organizations(), found.once_reserved)

    # --- decisions that depend on more than the commitment ---------------------------------------------------------

    async def register(self, proposed: Registered, command: Command) -> Outcome:
        """A commitment enters the record."""

        async def decide() -> Registered:
            return register(proposed, self.context(command), await self.known_to(proposed))

        return await self.create(stream_of(KIND, proposed.code), decide, command)

    async def reassign_lead(
        self, current: Commitment, proposed: LeadReassigned, context: Context
    ) -> LeadReassigned:
        """Hands the commitment to another organisation."""
        return current.reassign_lead(
            proposed, context, Known(organizations=self._directory.organizations.keys)
        )

    async def merge(self, current: Commitment, proposed: Merged, context: Context) -> Merged:
        """Merges the commitment into another one, in which it goes on."""
        return current.merge(proposed, context, await self._successor(proposed.into))

    async def split(self, current: Commitment, proposed: Splitting, context: Context) -> Decided:
        """Splits the commitment into parts, which are registered in the same transaction and inherit what it promises.

        A part says its code and its title; all else that it leaves out is as it is with the original on that day.
        """
        parts = parts_of(current, proposed)
        split = current.split(proposed.split, context, parts)
        for index, part in enumerate(parts):
            if await self.by_code(part.code) is not None:
                raise RuleBroken(
                    "code-taken",
                    f"There is already a commitment with the code '{part.code}' (/parts/{index}).",
                )
        known = [await self.known_to(part) for part in parts]
        return events_of(current, split, parts, known, context)

    def knowing(
        self, decide: Callable[[Commitment, F, Context, Known], F]
    ) -> Callable[[Commitment, F, Context], Awaitable[F]]:
        """A decision that gives a field of the registration another value, told what the record holds."""

        @wraps(decide)
        async def decide_knowing(current: Commitment, proposed: F, context: Context) -> F:
            value = proposed.value
            named = {value} if proposed.field == "parent" and isinstance(value, str) else set()
            # What was wrong was so from the first day on; a change has a day of its own.
            day = getattr(proposed, "effective_on", current.registration.effective_on)
            if proposed.field == "kind":
                named = current.parents_since(day)
            known = await self.known_to(current.registration, named, since=day)
            return decide(current, proposed, context, known)

        return decide_knowing

    # --- what the record holds -------------------------------------------------------------------------------------

    async def known_to(
        self, registered: Registered, also: Iterable[str] = (), since: date | None = None
    ) -> Known:
        """What the record holds of the things that a registration names; by default since the day it counts from."""
        places: dict[str, Place] = {}
        for code in {registered.parent, *also} - {None}:
            assert code is not None
            if (found := await self.by_code(code)) is not None:
                day = since or registered.effective_on
                above = await self._reached(found, partial(Commitment.parents_since, day=day))
                places[code] = Place(found.registration.kind, above)
        return Known(self._directory.organizations.keys, self._directory.pillars.keys, places)

    async def _successor(self, identifier: str) -> Successor | None:
        found = await self.get(resolve(KIND, identifier))
        if found is None:
            return None
        still_open = found.closing_on(date.max) is None
        return Successor(found.code, still_open, await self._reached(found, Commitment.goes_on_in))

    async def _reached(
        self, start: Commitment, following: Callable[[Commitment], set[str]]
    ) -> tuple[str, ...]:
        """The codes of all that is reached from a commitment by a relation, the nearest first.

        What it is part of on any day from one on is seen at once: a circle on one of these days is one too many, and a
        history that takes it apart again but is told out of the order of its days may be refused.
        """
        found: list[str] = []
        looked_at = [start]
        for one in looked_at:
            for code in sorted(following(one) - set(found)):
                found.append(code)
                if (further := await self.by_code(code)) is not None:
                    looked_at.append(further)
        return tuple(found)
