"""What the record holds already, as far as an import needs to know: loaded in bulk, then kept up as rows go in.

`Told` is the memory of what this kind of source said before, which is what makes a second run add nothing. A statement
has a place (a rating on a day by a scale, a deadline on a day for a reason …), and what stands there is compared.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from services.commitments.application.directory import FOLLOWED, Directory
from services.commitments.domain.commitment import Commitment
from shared.eventlog import codec
from shared.eventlog.envelope import NewEvent, Recorded
from shared.eventlog.store import Store
from shared.events.commitments import (
    Assessed,
    BudgetEstimated,
    Commented,
    DeadlineRevised,
    LeadReassigned,
    MilestoneSet,
    ProgressReported,
    Registered,
)
from shared.events.facts import Event

PAGE: Final = 5_000
"""Events read from the log at a time."""

SCAN_FACTOR: Final = 40
"""Reading one stream costs about as much as passing over this many events of the whole log."""

Place = tuple[object, ...]


def place_of(event: Event) -> tuple[Place, object] | None:
    """Where a statement stands, and what it says there; None for events an import never makes anew."""
    match event:
        case Assessed():
            return ("rating", event.effective_on, event.scale), (event.judgement, event.rating, event.reason)
        case ProgressReported():
            said = (event.observed_progress, event.stage, event.percent)
            return ("progress", event.effective_on, event.source), said
        case BudgetEstimated():
            return ("budget", event.effective_on, event.source), event.lines
        case DeadlineRevised():
            return ("deadline", event.effective_on, event.deadline, event.reason), event.on
        case LeadReassigned():
            return ("lead", event.effective_on, event.reason), event.lead_organization
        case Commented():
            return ("comment", event.effective_on, event.text), None
        case _:
            return None


def as_told(source: str, day: date) -> str:
    """How a statement names where it is from, and the day it is for."""
    return f"According to {source}, as at {day}."


def _told_on(reason: str | None) -> date | None:
    """The day in a reason that `as_told` made."""
    if reason is None or not reason.startswith("According to "):
        return None
    try:
        return date.fromisoformat(reason[-11:-1])
    except ValueError:
        return None


class Told:
    """What was said before of one commitment, by place; milestones have no day of their own, so theirs is kept."""

    __slots__ = ("_said", "_steps")

    def __init__(self) -> None:
        self._said: dict[Place, object] = {}
        self._steps: dict[str, list[tuple[date, date]]] = {}

    def remember(self, event: Event) -> None:
        """Take in what an event says; later ones at the same place replace earlier ones."""
        found = place_of(event)
        if found is not None:
            self._said[found[0]] = found[1]
        elif isinstance(event, MilestoneSet) and (day := _told_on(event.reason)) is not None:
            insort(self._steps.setdefault(event.name, []), (day, event.due_on))

    def knows(self, event: Event) -> bool:
        """Whether the very same was said at the same place, and nothing else there since."""
        found = place_of(event)
        return found is not None and self._said.get(found[0], self) == found[1]

    def planned(self, name: str, day: date) -> tuple[date | None, bool]:
        """The due day last told of a milestone by `day`, and whether a later day was told of since."""
        steps = self._steps.get(name, [])
        at = bisect_right(steps, (day, date.max))
        return (steps[at - 1][1] if at else None), at < len(steps)


class Holding:
    """One commitment, what was said of it, and the events both are made of."""

    __slots__ = ("commitment", "events", "told")

    def __init__(self, events: Iterable[Recorded]) -> None:
        self.events: list[Recorded] = []
        self.commitment: Commitment | None = None
        self.told = Told()
        for recorded in events:
            self.take_in(recorded)

    def take_in(self, recorded: Recorded) -> None:
        """The next event of its stream."""
        self.events.append(recorded)
        if self.commitment is None:
            self.commitment = Commitment.begin(recorded)
        else:
            self.commitment.apply(recorded)
        self.told.remember(recorded.data)


class Holdings:
    """The directory and the commitments that a file speaks of. Positions of what is not yet written are provisional."""

    def __init__(self, store: Store, moment: datetime) -> None:
        self._store = store
        self._moment = moment
        self._holdings: dict[UUID, Holding] = {}
        self._on_record: set[UUID] = set()
        self.directory = Directory()
        self._head = 0
        self._followed = 0
        self.organizations_upto = 0
        """Every organisation that the log tells of up to this position is in the directory."""

    def load(self, streams: Collection[UUID]) -> None:
        """Read what the log holds of these commitments, and the whole directory."""
        self._head = self._store.head()
        self._refresh_directory()
        self._on_record = {stream for stream in self._registered() if stream in streams}
        if len(self._on_record) * SCAN_FACTOR < self._head:
            return  # few of many: each is read when a row asks for it
        events: dict[UUID, list[Recorded]] = {stream: [] for stream in self._on_record}
        after = 0
        while lines := self._store.read(after, PAGE, upto=self._head):
            after = lines[-1][0]
            for position, line in lines:
                found = events.get(_stream_in(line))
                if found is not None:
                    found.append(codec.decode(line, position))
        self._holdings = {stream: Holding(recorded) for stream, recorded in events.items()}

    def of(self, stream: UUID) -> Holding:
        """What there is of one commitment, which may be nothing yet."""
        holding = self._holdings.get(stream)
        if holding is None:
            holding = self._read(stream) if stream in self._on_record else Holding(())
            self._holdings[stream] = holding
        return holding

    def reread(self, streams: Iterable[UUID]) -> None:
        """Read these commitments and the directory again: somebody else wrote meanwhile, and we did not."""
        self.directory = Directory()
        self._followed = 0
        self._refresh_directory()
        for stream in streams:
            self._holdings[stream] = self._read(stream)

    def undo(self, stream: UUID, kept: int) -> None:
        """Go back to the first `kept` events of a commitment."""
        self._holdings[stream] = Holding(self._holdings[stream].events[:kept])

    def provisional(self, event: NewEvent) -> Recorded:
        """An event as if it were written next."""
        self._head += 1
        return Recorded(
            position=self._head,
            recorded_at=self._moment,
            type=event.data.TYPE,
            stream_id=event.stream_id,
            version=event.version,
            recorded_by=event.recorded_by,
            correlation_id=event.correlation_id,
            data=event.data,
        )

    def written_up_to(self, position: int) -> None:
        """What is written next stands beyond this."""
        self._head = max(self._head, position)

    def _refresh_directory(self) -> None:
        """Take in what the log learned of organisations and pillars."""
        types = [cls.TYPE for cls in FOLLOWED]
        while lines := self._store.read(self._followed, PAGE, types=types):
            for position, line in lines:
                self.directory.apply(codec.decode(line, position))
            self._followed = lines[-1][0]
        self.organizations_upto = self._followed

    def _registered(self) -> Iterable[UUID]:
        after = 0
        while lines := self._store.read(after, PAGE, upto=self._head, types=[Registered.TYPE]):
            after = lines[-1][0]
            for _, line in lines:
                yield _stream_in(line)

    def _read(self, stream: UUID) -> Holding:
        return Holding(codec.decode(line, position) for position, line in self._store.read_stream(stream))


class _Glance(msgspec.Struct):
    """The one member of a stored line that tells whether it concerns us."""

    stream_id: UUID


_glance: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(_Glance)


def _stream_in(line: bytes) -> UUID:
    stream_id: UUID = _glance.decode(line).stream_id
    return stream_id
