"""The projection of the log: gives each event to the projection of its stream, and gathers what it does to the rows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import Final
from uuid import UUID

from services.reporting.datasets import Dataset
from services.reporting.projections.commitments import CommitmentProjection, NameProjection
from services.reporting.projections.corrections import Corrections, Telling
from services.reporting.projections.decisions import DecisionProjection, OutcomeProjection
from services.reporting.projections.differ import Key, Now, Row, RowChanges, StreamRows, write_down
from services.reporting.projections.editions import EditionProjection, ReportProjection
from services.reporting.projections.indicators import IndicatorProjection
from services.reporting.projections.meetings import ActionItemProjection, BodyProjection, MeetingProjection
from services.reporting.projections.projection import DayOf, Projection
from services.reporting.projections.reports import CycleProjection
from shared.aggregate.aggregate import believed, retractions_in
from shared.errors import CorruptEvent
from shared.eventlog import codec
from shared.eventlog.envelope import Recorded
from shared.events.commitments import (
    DecisionCarriedOut,
    DecisionUnresolved,
    OrganizationRegistered,
    PillarRegistered,
    Registered,
)
from shared.events.cycles import CycleRegistered
from shared.events.editions import EditionPublished, ReportRegistered
from shared.events.facts import Event
from shared.events.indicators import IndicatorDefined
from shared.events.meetings import ActionItemAssigned, BodyRegistered, DecisionAgreed, MeetingConvened
from shared.events.record import EventQuarantined, EventUnreadable
from shared.events.retractions import EVENTS as RETRACTIONS
from shared.events.retractions import Retraction
from shared.rules.indicator_warnings import WINDOWS, WarningWindows

_PROJECTIONS: Final[tuple[type[Projection], ...]] = (
    CommitmentProjection,
    NameProjection,
    BodyProjection,
    MeetingProjection,
    DecisionProjection,
    ActionItemProjection,
    OutcomeProjection,
    IndicatorProjection,
    CycleProjection,
    ReportProjection,
    EditionProjection,
)
CORRECTING: Final = frozenset(
    event_type
    for projection in _PROJECTIONS
    if issubclass(projection, Telling)
    for event_type in projection.CORRECTING
)
CHANGING: Final = frozenset(
    (*(event_type for projection in _PROJECTIONS for event_type in projection.TYPES), *RETRACTIONS)
)

BEGINNINGS: Final[dict[type[Event], Callable[[Recorded, DayOf], Projection]]] = {
    Registered: CommitmentProjection,
    OrganizationRegistered: NameProjection,
    PillarRegistered: NameProjection,
    BodyRegistered: BodyProjection,
    MeetingConvened: MeetingProjection,
    DecisionAgreed: DecisionProjection,
    ActionItemAssigned: ActionItemProjection,
    DecisionCarriedOut: OutcomeProjection,
    DecisionUnresolved: OutcomeProjection,
    IndicatorDefined: IndicatorProjection,
    CycleRegistered: CycleProjection,
    ReportRegistered: ReportProjection,
    EditionPublished: EditionProjection,
}
"""The projections, by the events with which a stream begins, at version 1 and never again."""

CAPACITY: Final = 50_000
"""Streams kept in memory; beyond that, the one not used for longest is folded again when it is needed."""

ReadStream = Callable[[UUID, int], list[tuple[int, bytes]]]
"""The events of a stream up to and including a position, as the log holds them."""


def _concerns(stream: _Stream, event_type: type[Event]) -> bool:
    return event_type in stream.projection.TYPES or event_type in RETRACTIONS


class _Stream:
    """A projection and the rows it has now; `touched` while there may be some that are not written down."""

    __slots__ = ("_corrections", "_day_of", "projection", "rows", "touched")

    def __init__(self, projection: Projection, day_of: DayOf) -> None:
        self.projection = projection
        self.rows = StreamRows()
        self.touched = False
        self._day_of = day_of
        self._corrections: Corrections | None = None
        """How its days were told before; None while none was told otherwise."""

    def apply(self, recorded: Recorded, changes: RowChanges) -> None:
        projection, event = self.projection, recorded.data
        if type(event) in CORRECTING and recorded.version > 1:
            self._correct(recorded, changes)
            return
        for now in projection.apply(recorded):
            self.rows.apply(now, recorded.position, changes)
        known = self._corrections
        if known is not None and isinstance(projection, Telling) and _may_tell_anew(projection, event, known):
            self.rows.apply(known.by_day(projection), recorded.position, changes)

    def _correct(self, recorded: Recorded, changes: RowChanges) -> None:
        """Take in an event that may tell days otherwise that were told already."""
        projection = self.projection
        assert isinstance(projection, Telling)
        before = projection.answers()
        told = {now.dataset: now for now in projection.apply(recorded)}
        known = self._corrections or Corrections()
        known.note(before, projection.answers(), recorded, self._day_of)
        # What is said anew of a dataset takes the place of what was said: a row is known from a position on but once.
        told |= {now.dataset: now for now in self._told_otherwise(projection, known)}
        for now in told.values():
            self.rows.apply(now, recorded.position, changes)

    def _told_otherwise(self, projection: Telling, known: Corrections, *, gone: bool = False) -> list[Now]:
        self._corrections = known if known.known else None
        return [*(() if gone else projection.corrected(known)), known.by_day(projection, gone=gone)]

    def believe(self, projection: Projection, history: Sequence[Recorded], changes: RowChanges) -> None:
        """Have what a projection makes of a history without what it retracts, from its last event on."""
        rows, forgotten, retraction = StreamRows(), RowChanges(), history[-1]
        gone = 1 in retractions_in(history)  # it is as if it had never been there
        for recorded in () if gone else believed(history):
            if recorded.version == 1 or type(recorded.data) in projection.TYPES:
                for now in projection.apply(recorded):
                    rows.apply(now, recorded.position, forgotten)
        earlier = self.projection
        if isinstance(projection, Telling) and isinstance(earlier, Telling):
            assert isinstance(retraction.data, Retraction)
            mistake = history[retraction.data.version - 1].position
            known = (self._corrections or Corrections()).without(mistake)
            known.note(earlier.answers(), [] if gone else projection.answers(), retraction, self._day_of)
            for now in self._told_otherwise(earlier if gone else projection, known, gone=gone):
                rows.apply(now, retraction.position, forgotten)
        self.rows.become(rows, retraction.position, changes)
        if not gone:
            self.projection = projection


def _may_tell_anew(projection: Telling, event: Event, known: Corrections) -> bool:
    """Whether what was corrected may be another thing after an event, or for others to know, on some day."""
    if hasattr(event, "visibility"):
        return True
    day = getattr(event, "effective_on", getattr(event, "completed_on", None))
    if (day or date.min) >= known.until:
        return False
    # To put together all that is told of a thing takes far longer than to take in an event.
    return any(projection.may_change(event, what) for what in known.names)


class MustBeginAnewError(Exception):
    """The event at a position was put aside after it was projected: only all anew are the rows without it."""

    def __init__(self, position: int) -> None:
        super().__init__(f"the event at position {position} was put aside")
        self.position = position


class Projector:
    """Projects events in the order of the log, from any position on.

    `day_of` gives the civil day of a moment. After a failure to commit what it gathered, a projector is ahead of the
    rows and must be thrown away.
    """

    def __init__(
        self,
        read_stream: ReadStream,
        day_of: DayOf,
        capacity: int = CAPACITY,
        windows: WarningWindows = WINDOWS,
    ) -> None:
        self._read_stream = read_stream
        self._day_of = day_of
        self._beginnings = BEGINNINGS | {IndicatorDefined: partial(IndicatorProjection, windows=windows)}
        self._capacity = capacity
        self._streams: OrderedDict[int, _Stream] = OrderedDict()
        """By the numbers of their ids, which are compared much faster than the ids."""
        self._touched: dict[int, _Stream] = {}
        self._changes = RowChanges()
        self._passed_over: set[int] = set()
        """The positions of events that were put aside."""

    def project(self, position: int, line: bytes) -> None:
        """Take in the event at a position; `CorruptEvent` when it cannot be understood, whatever its type.

        MustBeginAnewError when it puts an event aside that the rows may still be made of.
        """
        recorded = codec.decode(line, position)
        if isinstance(recorded.data, EventUnreadable):
            self._passed_over.add(position)
        elif isinstance(recorded.data, EventQuarantined) and recorded.data.position not in self._passed_over:
            raise MustBeginAnewError(recorded.data.position)
        try:
            stream = self._stream_of(recorded)
            if stream is not None:
                if isinstance(recorded.data, Retraction):
                    self._believe(stream, self._history(recorded.stream_id, position), self._changes)
                else:
                    stream.apply(recorded, self._changes)
                if not stream.touched:
                    stream.touched = True
                    self._touched[id(stream)] = stream
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise CorruptEvent(position, f"{recorded.type} does not make sense: {error}") from error

    def pending(self) -> int:
        """How many row changes have been gathered."""
        return self._changes.size

    def changes_so_far(self) -> RowChanges:
        """What was gathered, without the rows that are known now: for a rebuild that goes on."""
        gathered, self._changes = self._changes, RowChanges()
        return gathered

    def unwritten(self) -> list[tuple[Dataset, Key, Row]]:
        """The rows known now and not yet written down, for a caller that writes them down in an order of its own."""
        return [found for stream in self._touched.values() for found in stream.rows.unwritten()]

    def changes(self) -> RowChanges:
        """What was gathered, complete: with it, the rows say what the log says up to here."""
        for stream in self._touched.values():
            stream.touched = False
            write_down(stream.rows.unwritten(), self._changes)
        self._touched.clear()
        return self.changes_so_far()

    def _stream_of(self, recorded: Recorded) -> _Stream | None:
        """The stream an event is to be applied to; None when it changes no row."""
        event_type = type(recorded.data)
        if recorded.version == 1:
            stream = self._begun(recorded)
        elif event_type not in CHANGING:
            return None
        else:
            number = recorded.stream_id.int
            stream = self._streams.get(number)
            if stream is not None:
                if len(self._streams) == self._capacity:
                    self._streams.move_to_end(number)  # the order matters only when one has to go
                return stream if _concerns(stream, event_type) else None
            stream = self._fold(recorded.stream_id, recorded.position - 1)
            if stream is not None and not _concerns(stream, event_type):
                return None
        if stream is not None:
            self._keep(recorded.stream_id, stream)
        return stream

    def _fold(self, stream_id: UUID, upto: int) -> _Stream | None:
        """A stream as it was at a position, all of whose rows are written already."""
        stream: _Stream | None = None
        forgotten = RowChanges()
        history = self._history(stream_id, upto)
        for number, recorded in enumerate(history, 1):
            if recorded.version == 1:
                stream = self._begun(recorded)
            if stream is None:
                continue
            if isinstance(recorded.data, Retraction):
                # As it came about, and not as it is: the rows say since when they are known.
                self._believe(stream, history[:number], forgotten)
            elif recorded.version == 1 or type(recorded.data) in stream.projection.TYPES:
                stream.apply(recorded, forgotten)
        if stream is not None:
            stream.rows.count_as_written()
        return stream

    def _history(self, stream_id: UUID, upto: int) -> list[Recorded]:
        return [codec.decode(line, position) for position, line in self._read_stream(stream_id, upto)]

    def _believe(self, stream: _Stream, history: Sequence[Recorded], changes: RowChanges) -> None:
        """Project a stream anew, because its last event retracts another."""
        first = history[0]
        stream.believe(self._beginnings[type(first.data)](first, self._day_of), history, changes)

    def _begun(self, recorded: Recorded) -> _Stream | None:
        begin = self._beginnings.get(type(recorded.data))
        return None if begin is None else _Stream(begin(recorded, self._day_of), self._day_of)

    def _keep(self, stream_id: UUID, stream: _Stream) -> None:
        self._streams[stream_id.int] = stream
        if len(self._streams) > self._capacity:
            _number, gone = self._streams.popitem(last=False)
            if gone.touched:
                del self._touched[id(gone)]
                write_down(gone.rows.unwritten(), self._changes)
