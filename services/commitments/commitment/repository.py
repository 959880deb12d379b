"""The commitments on record, and what the record holds of them that a decision on another one depends on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from datetime import date
from functools import wraps
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

import msgspec

from services.commitments.commitment.model import (
    Commitment,
    Joined,
    Known,
    Place,
    Stretch,
    Successor,
    open_until,
    register,
)
from services.commitments.commitment.splitting import Splitting, events_of, parts_of
from services.commitments.plan.repository import Directory
from shared.aggregate.aggregate import believed
from shared.aggregate.command import Command, Context, Decided, OnStream, Outcome
from shared.aggregate.redaction import Reference, references_in
from shared.aggregate.repository import CACHE, Repository
from shared.errors import RuleBroken
from shared.eventlog import codec
from shared.eventlog.envelope import Recorded
from shared.eventlog.live import LiveLog
from shared.eventlog.subscription import BATCH
from shared.events.commitments import (
    Completed,
    Discarded,
    LeadReassigned,
    Merged,
    Registered,
    Reopened,
    Split,
)
from shared.events.facts import Event
from shared.events.indicators import IndicatorDefined
from shared.events.retractions import CommitmentFactRetracted, Retraction
from shared.events.streams import resolve, stream_of
from shared.events.types import Kind
from shared.events.vocabulary import CommitmentKind
from shared.rules.dated_facts import RESTATING

KIND: Final = "commitment"

REPARENTING: Final = (*RESTATING, CommitmentFactRetracted)
"""What can make one that is there part of another."""

PLACING: Final = (Registered, *REPARENTING)
"""What tells of which other one a commitment is part."""

NAMING: Final = (*PLACING, Merged, IndicatorDefined)
"""What names a commitment as that to which something else belongs, or in which it goes on."""

ENDING: Final = (Completed, Discarded, Merged, Split, Reopened, CommitmentFactRetracted)
"""What tells whether a commitment is open, and in which ones it goes on."""


class Restating(Protocol):
    """What gives a field of a registration another value."""

    @property
    def field(self) -> str:
        """The field."""

    @property
    def value(self) -> Any:
        """Its value, as JSON."""


E = TypeVar("E", bound=Event)
F = TypeVar("F", bound=Restating)


class Commitments(Repository[Commitment]):
    """The commitments on record, for whoever asks and within what they may read."""

    def __init__(self, live: LiveLog, directory: Directory) -> None:
        super().__init__(live, Commitment, KIND, cache=2 * CACHE)
        self._directory = directory
        self._joining: dict[tuple[type[Event], str], dict[UUID, None]] = {}
        """What was ever merged or split into a commitment: the streams, by the type of the fact and its code."""
        live.subscribe((Merged, Split), self._note, forget=self._joining.clear)

    def _note(self, recorded: Recorded) -> None:
        event = recorded.data
        codes = (
            (event.into,) if isinstance(event, Merged) else event.parts if isinstance(event, Split) else ()
        )
        for code in codes:
            self._joining.setdefault((type(event), code), {})[recorded.stream_id] = None

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
        return current.reassign_lead(proposed, context, self.around())

    async def merge(self, current: Commitment, proposed: Merged, context: Context) -> Merged:
        """Merges the commitment into another one, in which it goes on."""
        successor = await self.successor(proposed.into, proposed.effective_on)
        merged = current.merge(proposed, context, successor)
        current.must_carry_on(await self.merged_into(current), open_until(merged))
        return merged

    def ending(
        self, decide: Callable[[Commitment, E, Context], E]
    ) -> Callable[[Commitment, E, Context], Any]:
        """A decision that closes the commitment, on a day until which nothing had been merged into it later."""

        @wraps(decide)
        async def decide_ending(current: Commitment, proposed: E, context: Context) -> E:
            decided: Any = decide(current, proposed, context)
            current.must_carry_on(await self.merged_into(current), open_until(decided))
            return decided  # type: ignore[no-any-return]

        return decide_ending

    async def split(self, current: Commitment, proposed: Splitting, context: Context) -> Decided:
        """Splits the commitment into parts, which are registered in the same transaction and inherit what it promises.

        A part says its code and its title; all else that it leaves out is as it is with the original on that day.
        """
        parts = parts_of(current, proposed)
        split = current.split(proposed.split, context, [part.code for part in parts])
        current.must_carry_on(await self.merged_into(current), open_until(split))
        for index, part in enumerate(parts):
            if await self.is_taken(stream_of(KIND, part.code)):
                raise RuleBroken(
                    "code-taken",
                    f"There is already a commitment with the code '{part.code}' (/parts/{index}).",
                )
        known = [await self.known_to(part) for part in parts]
        return events_of(current, split, parts, known, context)

    async def settle_retraction(
        self, current: Commitment, without: Commitment, retraction: Retraction
    ) -> Decided:
        """See `Repository.settle_retraction`: it is then no part of its own parts, nor goes on in what came from it."""
        code = without.code
        if retraction.retracted == Split.TYPE:
            return [*await self._parts_taken_back(current, retraction), retraction]
        for follow, refused, why in (
            (Commitment.parents, "parent-is-descendant", "be part of something that is part of it"),
            (Commitment.successors, "merger-in-a-circle", "go on in something that was merged into it"),
        ):
            if follow(without) != follow(current) and code in await self._reached(without, follow, date.min):
                raise RuleBroken(refused, f"Then '{code}' would {why}.")
        if retraction.retracted == Reopened.TYPE:
            merged = await self.merged_into(current)
            current.must_carry_on(merged, lambda day: without.closing_on(day) is None)
        if without.dated.first_day > current.dated.first_day:
            await self._must_be_there(current, without.dated.first_day)
        if without.dated.first_day < current.dated.first_day:
            current.must_begin_with_its_split(without.dated.first_day, await self._joined(current, Split))
            without.must_begin_under_its_parent(await self.known_to(without.registration), "/version")
        if current.deadlines_in_order() and not without.deadlines_in_order():
            raise RuleBroken(
                "internal-after-public",
                "The internal deadline would fall after the public one: move that first.",
            )
        if without.registration.kind != current.registration.kind:
            named = {stretch.code for stretch in without.parents()}
            known = await self.known_to(without.registration, named, date.min)
            without.must_fit(known._replace(parts=_kinds(await self._parts_of(current))))
        return retraction

    async def _parts_taken_back(self, current: Commitment, retraction: Retraction) -> list[OnStream]:
        """The parts of a split go with it, where nothing said of them since stands and nothing names them."""
        gone = []
        for code in current.split_into:
            part = await self.by_code(code)
            assert part is not None, "a split registers its parts"
            taken_back = {*part.retracted, *(one.by for one in part.retracted.values())}
            if since := {*range(2, part.version + 1)} - taken_back:
                raise RuleBroken(
                    "retraction-in-the-way",
                    f"More was recorded of '{code}' since: version {min(since)}, and perhaps others.",
                )
            # Nothing names it that was recorded before it was there.
            naming = await asyncio.to_thread(self._naming, code, NAMING, part.began_position)
            if named := [
                name for one in naming.items() if (name := await self._if_believed(*one)) is not None
            ]:
                raise RuleBroken("retraction-in-the-way", f"'{code}' is named by {', '.join(sorted(named))}.")
            mistaken = CommitmentFactRetracted(version=1, reason=retraction.reason, retracted=Registered.TYPE)
            gone.append(OnStream(part.id, part.version + 1, mistaken))
        return gone

    async def _if_believed(self, stream_id: UUID, versions: Collection[int]) -> str | None:
        """The code of a thing of which one of these versions is still believed; None where none is."""
        history = await self.history(stream_id)
        still = any(one.version in versions for one in believed(history))
        return str(getattr(history[0].data, "code", stream_id)) if still else None

    def knowing(
        self, decide: Callable[[Commitment, F, Context, Known], F]
    ) -> Callable[[Commitment, F, Context], Awaitable[F]]:
        """A decision that gives a field of the registration another value, told what the record holds."""

        @wraps(decide)
        async def decide_knowing(current: Commitment, proposed: F, context: Context) -> F:
            value = proposed.value
            named = {value} if proposed.field == "parent" and isinstance(value, str) else set()
            # What was wrong was so from the first day on; a change has a day of its own.
            since = getattr(proposed, "effective_on", current.dated.first_day)
            parents = [stretch.since for stretch in current.parents()]
            until = min((day for day in parents if day > since), default=date.max)
            parts = {}
            if proposed.field == "kind":
                since, until, named = date.min, date.max, {stretch.code for stretch in current.parents()}
                parts = _kinds(await self._parts_of(current))
            known = await self.known_to(current.registration, named, since, until)
            known = known._replace(parts=parts)
            decided = decide(current, proposed, context, known)
            if proposed.field == "effective_on":
                first_day = date.fromisoformat(decided.value)
                await self._must_be_there(current, first_day)
                current.must_begin_with_its_split(first_day, await self._joined(current, Split))
            return decided

        return decide_knowing

    async def _must_be_there(self, current: Commitment, first_day: date) -> None:
        """What is part of it, or goes on in it, merged or split, is part of something that is there on that day."""
        for code, day in [*await self.merged_into(current), *await self._joined(current, Split)]:
            if current.dated.first_day <= day < first_day:
                raise RuleBroken(
                    "successor-not-there-yet",
                    f"'{code}' goes on in it from {day} on: until {first_day} nobody would carry that promise.",
                )
        for part in await self._parts_of(current) if first_day > current.dated.first_day else ():
            for stretch in part.parents():
                if stretch.code == current.code and current.dated.first_day <= stretch.since < first_day:
                    raise RuleBroken(
                        "part-there-before",
                        f"'{part.code}' is part of it from {stretch.since} on: it cannot count from {first_day} on "
                        "only.",
                    )

    async def merged_into(self, successor: Commitment) -> list[Joined]:
        """What was merged into a commitment, and from which day on."""
        return await self._joined(successor, Merged)

    async def _joined(self, successor: Commitment, by: type[Event]) -> list[Joined]:
        """What goes on in a commitment by facts of a type, and from which days on."""
        ids = list(self._joining.get((by, successor.code), ()))
        return sorted(
            Joined(one.code, stretch.since)
            for one in [await self.get(stream_id) for stream_id in ids]
            if one is not None
            for stretch in one.successors()
            if stretch.code == successor.code
        )

    # --- what the record holds -------------------------------------------------------------------------------------

    async def known_to(
        self,
        registered: Registered,
        also: Iterable[str] = (),
        since: date | None = None,
        until: date = date.max,
    ) -> Known:
        """What the record holds of the things that a registration names, from a day on (its first) until another."""
        places: dict[str, Place] = {}
        for code in {registered.parent, *also} - {None}:
            assert code is not None
            if (found := await self.by_code(code)) is not None:
                above = await self._reached(
                    found, Commitment.parents, since or registered.effective_on, until
                )
                places[code] = Place(found.registration.kind, above, found.dated.first_day)
        return self.around()._replace(commitments=places)

    def around(self) -> Known:
        """What the record holds of organisations and pillars."""
        directory = self._directory
        organizations = directory.organizations
        return Known(organizations.keys, directory.pillars.keys, heirs_on=organizations.heirs_on)

    async def successor(self, identifier: str, day: date) -> Successor | None:
        """A commitment in which others are to go on from a day on; None when there is none."""
        found = await self.get(resolve(KIND, identifier))
        if found is None:
            return None
        chain = await self._reached(found, Commitment.successors, day)
        return Successor(found.code, found.closing_on(day) is None, chain, found.dated.first_day)

    async def _reached(
        self,
        start: Commitment,
        following: Callable[[Commitment], list[Stretch]],
        since: date,
        until: date = date.max,
    ) -> tuple[str, ...]:
        """The codes that following a relation leads to on any one day from one on until another, the nearest first."""
        found = [(start.code, since, until)]
        for code, earliest, latest in found:
            one = start if code == start.code else await self.by_code(code)
            for named in () if one is None else following(one):
                step = (named.code, max(earliest, named.since), min(latest, named.until))
                # Some day it is all true at once; seen already, a circle of long ago ends.
                if step[1] < step[2] and step not in found:
                    found.append(step)
        return tuple(dict.fromkeys(code for code, _, _ in found[1:]))

    async def _parts_of(self, whole: Commitment) -> list[Commitment]:
        """What is, or ever was, part of a commitment: the log is read for it, for it is seldom asked."""
        ids = await asyncio.to_thread(self._naming, whole.code, PLACING)
        found = [await self.get(stream_id) for stream_id in ids]
        return [
            one
            for one in found
            if one is not None and any(stretch.code == whole.code for stretch in one.parents())
        ]

    def _naming(self, code: str, facts: Iterable[type[Event]], after: int = 0) -> dict[UUID, set[int]]:
        """The streams in which facts of these types name this commitment, and the versions of those. Blocks.

        `after`: only what was recorded after that position.
        """
        found: dict[UUID, set[int]] = {}
        types, text, at = [one.TYPE for one in facts], f'"{code}"'.encode(), after
        while lines := self.live.store.read(at, BATCH, types=types):
            at = lines[-1][0]
            # Of most lines the text says that they do not name it.
            for recorded in (codec.decode(line, position) for position, line in lines if text in line):
                if _names(recorded.data, code):
                    found.setdefault(recorded.stream_id, set()).add(recorded.version)
        return found


def _kinds(parts: Iterable[Commitment]) -> dict[str, CommitmentKind]:
    return {part.code: part.registration.kind for part in parts}


def _names(fact: Event, code: str) -> bool:
    """Whether a field of a fact that is declared to name a commitment names this one."""
    references = references_in(type(fact), msgspec.to_builtins(fact))
    return Reference(Kind.COMMITMENT, code) in references
