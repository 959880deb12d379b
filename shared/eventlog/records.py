"""The one way in which a command changes the things the log tells of.

A command is carried out in memory: the current state is at hand, the domain decides, the events are appended durably,
and the state follows. The unique (stream, version) key makes sure that nobody decided on the same version elsewhere;
who loses reads the newer state and decides again, or is told so if the caller had stated a version.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from shared.errors import BitacoraError, KeyReused, RuleBroken, StaleVersion, Unavailable
from shared.eventlog.commands import Beside, Command, Decided, KeyUse, Outcome
from shared.eventlog.envelope import NewEvent
from shared.eventlog.states import A, States
from shared.eventlog.store import (
    Changes,
    DuplicateKey,
    IdempotencyRecord,
    Outdated,
    Seen,
    VersionConflict,
)
from shared.events.facts import Event

ATTEMPTS = 50
"""Decisions at most on one command before it gives up as unavailable; each lost one means that another was won."""

Prepare = Callable[[], Awaitable[object]]


class Records(States[A]):
    """The aggregates of one kind, and the one way in which they change."""

    async def create(self, stream_id: UUID, decide: Callable[[], Decided], command: Command) -> Outcome:
        """Begin a stream. RuleBroken("code-taken") when there is one already."""

        def decide_on(present: A | None) -> Decided:
            if present is not None:
                raise RuleBroken("code-taken", f"There is already a {self._name} with this code.")
            return decide()

        return await self.write(stream_id, decide_on, command)

    async def change(
        self,
        stream_id: UUID,
        decide: Callable[[A], Decided],
        command: Command,
        *,
        prepare: Prepare | None = None,
        considering: Sequence[type[Event]] = (),
    ) -> Outcome:
        """Continue a stream. NotFound when there is none; StaleVersion when it is not at an expected version."""

        def decide_on(present: A | None) -> Decided:
            if present is None:
                raise self.unknown()
            return decide(present)

        return await self.write(stream_id, decide_on, command, prepare=prepare, considering=considering)

    async def write(
        self,
        stream_id: UUID,
        decide: Callable[[A | None], Decided],
        command: Command,
        *,
        prepare: Prepare | None = None,
        considering: Sequence[type[Event]] = (),
    ) -> Outcome:
        """Carry out a command on a stream that may or may not exist yet.

        A decision that also looks at other streams loads them in `prepare`, which runs again before every new attempt:
        when it lost a race, whatever it had looked at is read anew. Where it must not be written beside a fact of
        another stream that would have forbidden it, `considering` names the types of such facts: it is decided again
        if any process has recorded one that this one had not taken in before it looked.
        """
        if (earlier := await self._earlier(command.key)) is not None:
            return earlier
        try:
            outcome = await self._carry_out(stream_id, decide, command, prepare, considering)
        except (BitacoraError, DuplicateKey):
            # Perhaps it was this same request, sent twice, that got there first: then its answer is ours too.
            if (earlier := await self._earlier(command.key)) is not None:
                return earlier
            raise
        if not outcome.changed and (earlier := await self._earlier(command.key)) is not None:
            return earlier
        return outcome

    async def _carry_out(
        self,
        stream_id: UUID,
        decide: Callable[[A | None], Decided],
        command: Command,
        prepare: Prepare | None,
        considering: Sequence[type[Event]],
    ) -> Outcome:
        mine = {stream_id}
        attempts = 0
        while attempts < ATTEMPTS:
            async with self._live.turns.on(mine):
                while attempts < ATTEMPTS:
                    attempts += 1
                    tried = await self._attempt(stream_id, decide, command, prepare, considering)
                    if isinstance(tried, Outcome):
                        return tried
                    if not tried <= mine:
                        # Among many who write there, one who only writes beside would lose for ever: queue up too.
                        mine |= tried
                        break
        raise Unavailable("too-many-conflicts", f"This {self._name} is being changed too often; try again.")

    async def _attempt(
        self,
        stream_id: UUID,
        decide: Callable[[A | None], Decided],
        command: Command,
        prepare: Prepare | None,
        considering: Sequence[type[Event]],
    ) -> Outcome | set[UUID]:
        """Decide on the newest state we know and append; the streams that are to be queued for when it lost a race."""
        # Before it looks at anything: what is taken in while it looks, it may have looked past.
        seen = Seen(tuple(cls.TYPE for cls in considering), self._live.position) if considering else None
        if prepare is not None:
            await prepare()
        present = await self.get(stream_id)
        version = 0 if present is None else present.version
        if command.expected is not None and present is not None and version not in command.expected:
            raise self._stale(version)
        decided = decide(present)
        if not decided and command.follower is None:
            return Outcome(stream_id, version, self._live.position, changed=False)
        changes, reached = self._changes(stream_id, version, decided, command, seen)
        try:
            appended = await self._live.append(changes)
        except VersionConflict:
            streams = {event.stream_id for event in changes.events}
            self._live.forget(streams)
            return streams
        except Outdated:
            await self._live.catch_up()
            return set()
        return Outcome(stream_id, reached, appended.last, changed=bool(decided))

    def _stale(self, version: int) -> StaleVersion:
        return StaleVersion(
            "stale-version",
            f"The {self._name} is now at version {version}; read it and decide again.",
            current=version,
        )

    @staticmethod
    def _changes(
        stream_id: UUID, version: int, decided: Decided, command: Command, seen: Seen | None
    ) -> tuple[Changes, int]:
        new = []
        for item in decided:
            if isinstance(item, Beside):
                place, event = (item.stream_id, item.version), item.event
            else:
                version += 1
                place, event = (stream_id, version), item
            new.append(
                NewEvent(
                    stream_id=place[0],
                    version=place[1],
                    recorded_by=command.actor,
                    correlation_id=command.correlation_id,
                    causation_id=command.causation_id,
                    data=event,
                )
            )
        key = None
        if command.key is not None:
            key = IdempotencyRecord(command.key.hash, command.key.fingerprint, stream_id, version)
        return Changes(new, key, command.follower, seen), version

    async def _earlier(self, key: KeyUse | None) -> Outcome | None:
        """What an earlier request with this key led to. KeyReused when that was another request."""
        if key is None:
            return None
        found = await asyncio.to_thread(self._live.store.find_key, key.hash)
        if found is None:
            return None
        if found.fingerprint != key.fingerprint:
            raise KeyReused(
                "idempotency-key-reused", "This Idempotency-Key was used before for a different request."
            )
        position = await asyncio.to_thread(self._live.store.position_of, found.stream_id, found.version)
        return Outcome(found.stream_id, found.version, position or 0, replayed=True)
