"""The projection of the log: gives each event to the view of its stream, and gathers what it does to the rows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, Protocol
from uuid import UUID

from services.reporting.projections import action_items, commitments, decisions, meetings, names
from services.reporting.projections.action_items import ActionItemView
from services.reporting.projections.changes import Belief, RowChanges
from services.reporting.projections.commitments import CommitmentView
from services.reporting.projections.decisions import DecisionView, OutcomeView
from services.reporting.projections.meetings import BodyView, MeetingView
from services.reporting.projections.names import NameView
from services.reporting.projections.sayings import DayOf
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
from shared.events.facts import Event
from shared.events.meetings import ActionItemAssigned, BodyRegistered, DecisionAgreed, MeetingConvened

CHANGING: Final = frozenset[type[Event]](
    (
        *commitments.CHANGING,
        *names.CHANGING,
        *meetings.CHANGING,
        *decisions.CHANGING,
        *action_items.CHANGING,
    )
)
CAPACITY: Final = 50_000
"""Views kept in memory; beyond that, the one not used for longest is folded again when it is needed."""

ReadStream = Callable[[UUID, int], list[tuple[int, bytes]]]
"""The events of a stream up to and including a position, as the log holds them."""


class View(Protocol):
    """What is believed of one stream now; `touched` while it may hold beliefs that are not written down."""

    touched: bool

    def apply(self, recorded: Recorded, changes: RowChanges) -> None:
        """Take in one more event."""

    def beliefs(self) -> Iterator[Belief[Any]]:
        """Everything believed now."""


def beginnings(day_of: DayOf) -> dict[type[Event], Callable[[Recorded, RowChanges], View]]:
    """The views, by the events with which a stream begins, at version 1 and never again."""
    return {
        Registered: CommitmentView,
        OrganizationRegistered: NameView,
        PillarRegistered: NameView,
        BodyRegistered: BodyView,
        MeetingConvened: partial(MeetingView, day_of=day_of),
        DecisionAgreed: partial(DecisionView, day_of=day_of),
        ActionItemAssigned: ActionItemView,
        DecisionCarriedOut: partial(OutcomeView, day_of=day_of),
        DecisionUnresolved: partial(OutcomeView, day_of=day_of),
    }


class Projector:
    """Projects events in the order of the log, from any position on.

    `day_of` gives the day of events that name none. After a failure to commit what it gathered, a projector is ahead of
    the rows and must be thrown away.
    """

    def __init__(self, read_stream: ReadStream, day_of: DayOf, capacity: int = CAPACITY) -> None:
        self._read_stream = read_stream
        self._beginnings = beginnings(day_of)
        self._capacity = capacity
        self._views: OrderedDict[UUID, View] = OrderedDict()
        self._touched: dict[int, View] = {}
        self._changes = RowChanges()

    def project(self, position: int, line: bytes) -> Recorded:
        """Take in the event at a position; `CorruptEvent` when it cannot be understood, whatever its type."""
        recorded = codec.decode(line, position)
        try:
            self._apply(recorded)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise CorruptEvent(position, f"{recorded.type} does not make sense: {error}") from error
        return recorded

    def pending(self) -> int:
        """How many row changes have been gathered."""
        return self._changes.size

    def changes_so_far(self) -> RowChanges:
        """What was gathered, without the rows of what is believed now: for a rebuild that goes on."""
        gathered, self._changes = self._changes, RowChanges()
        return gathered

    def unwritten(self) -> list[Belief[Any]]:
        """What is believed now and not yet written down, for a caller that writes it down in an order of its own."""
        return [belief for view in self._touched.values() for belief in view.beliefs() if not belief.written]

    def changes(self) -> RowChanges:
        """What was gathered, complete: with it, the rows say what the log says up to here."""
        for view in self._touched.values():
            self._write_down(view)
        self._touched.clear()
        return self.changes_so_far()

    def _apply(self, recorded: Recorded) -> None:
        if recorded.version == 1:
            view = self._begun(recorded, self._changes)
            if view is not None:
                self._keep(recorded.stream_id, view)
                self._touch(view)
        elif type(recorded.data) in CHANGING:
            view = self._view(recorded)
            if view is not None:
                view.apply(recorded, self._changes)
                self._touch(view)

    def _view(self, recorded: Recorded) -> View | None:
        view = self._views.get(recorded.stream_id)
        if view is not None:
            if len(self._views) == self._capacity:
                self._views.move_to_end(recorded.stream_id)  # the order matters only when one has to go
            return view
        view = self._fold(recorded.stream_id, recorded.position - 1)
        if view is not None:
            self._keep(recorded.stream_id, view)
        return view

    def _fold(self, stream_id: UUID, upto: int) -> View | None:
        """The view of a stream as it was at a position, all of whose rows are written already."""
        view: View | None = None
        forgotten = RowChanges()
        for position, line in self._read_stream(stream_id, upto):
            recorded = codec.decode(line, position)
            if recorded.version == 1:
                view = self._begun(recorded, forgotten)
            elif view is not None and type(recorded.data) in CHANGING:
                view.apply(recorded, forgotten)
        if view is not None:
            for belief in view.beliefs():
                belief.written = True
        return view

    def _begun(self, recorded: Recorded, changes: RowChanges) -> View | None:
        begin = self._beginnings.get(type(recorded.data))
        return None if begin is None else begin(recorded, changes)

    def _keep(self, stream_id: UUID, view: View) -> None:
        self._views[stream_id] = view
        if len(self._views) > self._capacity:
            _stream_id, gone = self._views.popitem(last=False)
            if gone.touched:
                del self._touched[id(gone)]
                self._write_down(gone)

    def _touch(self, view: View) -> None:
        if not view.touched:
            view.touched = True
            self._touched[id(view)] = view

    def _write_down(self, view: View) -> None:
        view.touched = False
        for belief in view.beliefs():
            self._changes.write_down(belief)
