"""Reads the whole log and says whether it is what it must be; changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import msgspec

from shared.errors import CorruptEvent
from shared.eventlog import codec
from shared.eventlog.envelope import StoredLine
from shared.eventlog.store import Store
from shared.events.facts import Unknown

BATCH = 2_000
MOST_FAULTS = 100
"""Faults listed one by one at most; the rest is only counted."""


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong, and the position at which it shows."""

    position: int
    reason: str


class Report(msgspec.Struct):
    """What was found: `sound` when nothing is wrong. Types that this version does not know are no fault."""

    events: int = 0
    streams: int = 0
    head: int = 0
    unknown_types: dict[str, int] = msgspec.field(default_factory=dict)
    faults: list[Fault] = msgspec.field(default_factory=list)
    more_faults: int = 0

    @property
    def sound(self) -> bool:
        """Whether the log is what it must be."""
        return not self.faults

    def add(self, position: int, reason: str) -> None:
        """Note a fault."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(position, reason))
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

    def run(self) -> Report:
        report = self._report
        while found := self._store.read_stored(self._position, BATCH, upto=report.head):
            for stored in found:
                self._check(stored)
            self._progress(self._position)
        if self._position < report.head:
            report.add(report.head, f"nothing can be read beyond position {self._position}")
        report.streams = len(self._versions)
        return report

    def _check(self, stored: StoredLine) -> None:
        report = self._report
        position = stored.position
        report.events += 1
        if position != self._position + 1:
            report.add(position, f"the position before it is {self._position}")
        self._position = position
        try:
            recorded = codec.decode(stored.line, position)
        except CorruptEvent as error:
            report.add(position, error.reason)
            return
        for name, ours, theirs in (
            ("stream", recorded.stream_id, stored.stream_id),
            ("version", recorded.version, stored.version),
            ("type", recorded.type, stored.type),
            ("instant", recorded.recorded_at, stored.recorded_at),
        ):
            if ours != theirs:
                report.add(position, f"it is filed under another {name} than its bytes say")
        if isinstance(recorded.data, Unknown):
            report.unknown_types[recorded.type] = report.unknown_types.get(recorded.type, 0) + 1
        version = self._versions.get(recorded.stream_id, 0) + 1
        if recorded.version != version:
            report.add(
                position, f"version {recorded.version} of stream {recorded.stream_id} should be {version}"
            )
        self._versions[recorded.stream_id] = recorded.version
        if self._recorded_at is not None and recorded.recorded_at < self._recorded_at:
            report.add(position, "it was recorded before the event that precedes it")
        self._recorded_at = recorded.recorded_at
