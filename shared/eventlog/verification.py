"""Reads the whole log and says whether it is what it must be; changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from shared.errors import CorruptEvent
from shared.eventlog import codec
from shared.eventlog.envelope import Recorded, StoredLine
from shared.eventlog.store import Quarantined, Store
from shared.events.facts import Unknown
from shared.events.record import EventQuarantined

BATCH = 2_000
MOST_FAULTS = 100
"""Faults listed one by one at most; the rest is only counted."""


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong, the position at which it shows, and the stream that the engine has it filed under."""

    position: int
    reason: str
    stream_id: UUID | None = None


class Report(msgspec.Struct):
    """What was found: `sound` when nothing is wrong.

    Types that this version does not know are no fault, nor are events that were put aside.
    """

    events: int = 0
    streams: int = 0
    head: int = 0
    unknown_types: dict[str, int] = msgspec.field(default_factory=dict)
    faults: list[Fault] = msgspec.field(default_factory=list)
    more_faults: int = 0
    quarantined: list[EventQuarantined] = msgspec.field(default_factory=list)
    mended: list[int] = msgspec.field(default_factory=list)
    """Positions of events that were put aside and count again: their lines are others now."""

    @property
    def sound(self) -> bool:
        """Whether the log is what it must be."""
        return not self.faults

    def add(self, position: int, reason: str, stream_id: UUID | None = None) -> None:
        """Note a fault."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(position, reason, stream_id))
        else:
            self.more_faults += 1


def verify(store: Store, progress: Callable[[int], None] | None = None) -> Report:
    """Check every event up to the present head.

    Positions must run 1, 2, 3, … and the versions of each stream likewise; `recorded_at` must never fall; every event
    must be readable, and what its bytes claim must be what the engine found it by. `progress` is told each position
    reached. Raises Unavailable when the engine does not answer.
    """
    return _Verification(store, progress or (lambda _: None)).run()


class _Verification:
    """One pass over the log; holds one version number per stream."""

    def __init__(self, store: Store, progress: Callable[[int], None]) -> None:
        self._store = store
        self._progress = progress
        self._report = Report(head=store.head())
        self._position = 0
        self._recorded_at: datetime | None = None
        self._versions: dict[UUID, int] = {}
        self._quarantined: Mapping[int, Quarantined] = {}

    def run(self) -> Report:
        report = self._report
        self._quarantined = self._store.quarantined()
        while found := self._store.read_as_it_lies(self._position, BATCH, upto=report.head):
            for stored in found:
                self._check(stored)
            self._progress(self._position)
        if self._position < report.head:
            report.add(report.head, f"nothing can be read beyond position {self._position}")
        report.streams = len(self._versions)
        return report

    def _check(self, stored: StoredLine) -> None:
        report, position = self._report, stored.position
        report.events += 1
        if position != self._position + 1:
            report.add(position, f"the position before it is {self._position}", stored.stream_id)
        self._position = position
        stream_id, number, recorded_at = stored.stream_id, stored.version, stored.recorded_at
        if not self._is_put_aside(stored):
            try:
                recorded = codec.decode(stored.line, position)
            except CorruptEvent as error:
                report.add(position, error.reason, stream_id)
            else:
                for reason in _misfiled(recorded, stored):
                    report.add(position, reason, stream_id)
                stream_id, number, recorded_at = recorded.stream_id, recorded.version, recorded.recorded_at
                if isinstance(recorded.data, Unknown):
                    report.unknown_types[recorded.type] = report.unknown_types.get(recorded.type, 0) + 1
        version = self._versions.get(stream_id, 0) + 1
        if number != version:
            report.add(position, f"version {number} of stream {stream_id} should be {version}", stream_id)
        self._versions[stream_id] = number
        if recorded_at is not None:
            if self._recorded_at is not None and recorded_at < self._recorded_at:
                report.add(position, "it was recorded before the event that precedes it", stream_id)
            self._recorded_at = recorded_at

    def _is_put_aside(self, stored: StoredLine) -> bool:
        found = self._quarantined.get(stored.position)
        if found is None:
            return False
        if hashlib.sha256(stored.line).hexdigest() != found.event.sha256:
            self._report.mended.append(stored.position)
            return False
        self._report.quarantined.append(found.event)
        return True


def fault_of(stored: StoredLine) -> str | None:
    """What is wrong with an event by itself; None when it can be read and is filed under what it says."""
    try:
        recorded = codec.decode(stored.line, stored.position)
    except CorruptEvent as error:
        return error.reason
    return next(_misfiled(recorded, stored), None)


def _misfiled(recorded: Recorded, stored: StoredLine) -> Iterator[str]:
    for name, ours, theirs in (
        ("stream", recorded.stream_id, stored.stream_id),
        ("version", recorded.version, stored.version),
        ("type", recorded.type, stored.type),
        ("instant", recorded.recorded_at, stored.recorded_at),
    ):
        if ours != theirs:
            yield f"it is filed under another {name} than its bytes say"
