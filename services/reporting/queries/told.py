"""Up to where the record tells an asker: the position of the last event that they may read.

Whoever does not see everything is told this instead of the position that was asked for: what lies between the two is
hidden from them, and so is that there is something. May they read it, goes by what they may read now.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Collection, Iterable
from datetime import datetime
from hashlib import blake2b
from threading import Lock
from typing import Final
from uuid import UUID

from services.reporting.datasets import (
    Dataset,
    action_items,
    bodies,
    commitments,
    decisions,
    indicators,
    meetings,
)
from services.reporting.queries.access import KINDS, Scope, open_now, read_by_now
from services.reporting.reading import Reading
from shared.eventlog import codec
from shared.eventlog.codec import identity_of
from shared.eventlog.envelope import Recorded
from shared.eventlog.store import Store
from shared.events.commitments import (
    DecisionCarriedOut,
    DecisionUnresolved,
    DecisionWaived,
    OrganizationChanged,
    OrganizationRegistered,
    PillarChanged,
    PillarRegistered,
)
from shared.events.indicators import IndicatorDefined
from shared.events.meetings import BodyRegistered
from shared.events.retractions import CommitmentFactRetracted
from shared.events.streams import stream_of
from shared.rules.visibility import of_the_unit

_EVERYBODYS: Final = (OrganizationRegistered, OrganizationChanged, PillarRegistered, PillarChanged)
_OUTCOMES: Final = (DecisionCarriedOut, DecisionUnresolved, DecisionWaived)

_KINDS: Final[dict[str, Collection[Dataset]]] = {
    OrganizationRegistered.__module__: (commitments,),
    IndicatorDefined.__module__: (indicators,),
    BodyRegistered.__module__: (bodies, meetings, decisions, action_items),
}
"""By the module of an event: most are of commitments, and to look for these among all things takes far longer."""

FIRST: Final = 16
MOST: Final = 4_096
"""Events looked at in one step down the log: at first, and at most."""

MOST_RUNS: Final = 10_000

MOST_STAMPS: Final = 1_000

Runs = list[tuple[int, int]]
"""Where an asker may read the event at the first position and none beyond it up to the last; the first is (0, 0)."""


class Told:
    """Finds what askers are told, and remembers it for as long as the read model stands where it stands."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._known: dict[Scope, tuple[int, Runs]] = {}
        self._stamps: dict[int, tuple[datetime | None, str]] = {}
        self._lock = Lock()

    def clear(self) -> None:
        """Forget what was found: the log is another one."""
        with self._lock:
            self._known.clear()
            self._stamps = {}

    def stamp(self, position: int) -> tuple[datetime | None, str]:
        """When the log learned the event at a position, and its mark (see `AsOf`)."""
        # Whoever still reads from a log that went back writes into what was forgotten with it.
        stamps = self._stamps
        known = stamps.get(position)
        if known is not None:
            return known
        for found in self.store.read_stored(position - 1, 1, upto=position):
            stamp = found.recorded_at, mark_of(identity_of(found.line))
            if len(stamps) >= MOST_STAMPS:
                stamps.clear()
            stamps[position] = stamp
            return stamp
        return None, mark_of("")

    def position(self, reading: Reading, scope: Scope, upto: int) -> int:
        """The position of the last event up to `upto` that an asker may read now; 0 when there is none."""
        if scope.everything:
            return upto
        runs = self._runs(reading, scope)
        with self._lock:
            first, last = runs[bisect_right(runs, upto, key=lambda run: run[0]) - 1]
        if upto <= last:
            return first
        found = self._last_readable(reading, scope, last, upto) or first
        with self._lock:
            number = bisect_right(runs, found, key=lambda run: run[0]) - 1
            if runs[number][0] == found:
                runs[number] = found, max(upto, runs[number][1])
            elif len(runs) < MOST_RUNS:
                insort(runs, (found, upto))
        return found

    def _runs(self, reading: Reading, scope: Scope) -> Runs:
        """What is known of an asker, the newest run included."""
        reached = reading.position
        before, runs = self._known.get(scope, (0, [(0, 0)]))
        if before == reached:
            return runs
        if before > reached:
            before, runs = 0, [(0, 0)]
        # What an asker may read changes with an event of the same thing: if there is none, the last run goes on. Its
        # own event may have been hidden meanwhile.
        newest = self._last_readable(reading, scope, before, reached) or self._last_readable(
            reading, scope, 0, runs[-1][0]
        )
        runs = [(0, 0), (newest, reached)] if newest else [(0, reached)]
        with self._lock:
            self._known[scope] = reached, runs
        return runs

    def _last_readable(self, reading: Reading, scope: Scope, after: int, upto: int) -> int:
        """The last event of some that an asker may read now; 0 when there is none."""
        size = FIRST
        while upto > after:
            begin = max(after, upto - size)
            lines = self.store.read(begin, upto - begin, upto=upto)
            found = self._readable(reading, scope, [codec.decode(line, position) for position, line in lines])
            if found:
                return found
            upto, size = begin, min(MOST, 4 * size)
        return 0

    def _readable(self, reading: Reading, scope: Scope, events: list[Recorded]) -> int:
        """The last of some events that an asker may read now; 0 when there is none."""
        things = {one.position: _thing_of(one) for one in events}
        units = {one.position: things[one.position] for one in events if self._of_the_unit(one)}
        kinds = {dataset for one in events for dataset in _kinds_of(one)}
        seen = open_now(reading, scope, things.values(), kinds)
        seen_units = read_by_now(reading, scope, units.values())
        for one in reversed(events):
            thing = things[one.position]
            if isinstance(one.data, _EVERYBODYS):
                return one.position
            if thing in seen and (thing in seen_units or one.position not in units):
                return one.position
        return 0

    def _of_the_unit(self, recorded: Recorded) -> bool:
        data = recorded.data
        if isinstance(data, CommitmentFactRetracted):
            lines = self.store.read_stream(recorded.stream_id, data.version - 1, upto_version=data.version)
            return any(of_the_unit(codec.decode(line, position).data) for position, line in lines)
        return of_the_unit(data)


def _kinds_of(recorded: Recorded) -> Iterable[Dataset]:
    """The datasets of the kinds of which the thing may be that an event is told of."""
    data = recorded.data
    every = KINDS.values()
    return every if isinstance(data, _OUTCOMES) else _KINDS.get(type(data).__module__, every)


def mark_of(identity: str) -> str:
    """What tells an event from any other at its position, and nothing of it."""
    # Not the identity itself: it is nobody's who may not read the event as it is stored.
    return blake2b(identity.encode(), digest_size=8, person=b"bitacora mark").hexdigest()


def _thing_of(recorded: Recorded) -> UUID:
    """What an event is told of; the outcome of a decision is told with the decision."""
    data = recorded.data
    return stream_of("decision", data.decision) if isinstance(data, _OUTCOMES) else recorded.stream_id
