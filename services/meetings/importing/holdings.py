"""What the record holds already, as far as an import of meetings needs to know, kept up as rows go in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec

from services.meetings.domain.body import Body
from services.meetings.domain.meeting import Meeting
from shared.eventlog import codec
from shared.eventlog.envelope import NewEvent, Recorded
from shared.eventlog.store import Store
from shared.events.facts import Event
from shared.events.meetings import MeetingConvened

PAGE: Final = 5_000
"""Events read from the log at a time."""

IMPORTS: Final = "import-"
"""How the correlation id of an import begins: it tells what a source said from what people did since."""

T = TypeVar("T", Body, Meeting)


class Holding:
    """One meeting, and the events it is made of."""

    __slots__ = ("events", "meeting")

    def __init__(self, events: Iterable[Recorded]) -> None:
        self.events: list[Recorded] = []
        self.meeting: Meeting | None = None
        for recorded in events:
            self.take_in(recorded)

    def take_in(self, recorded: Recorded) -> None:
        """The next event of its stream."""
        self.events.append(recorded)
        self.meeting = _grown(Meeting, self.meeting, recorded)

    def told(self) -> Iterator[Event]:
        """What imports said of it, the last first."""
        for recorded in reversed(self.events):
            if recorded.correlation_id.startswith(IMPORTS):
                yield recorded.data


class Holdings:
    """The bodies and meetings that a file speaks of. Positions of what is not yet written are provisional."""

    def __init__(self, store: Store, moment: datetime) -> None:
        self._store = store
        self._moment = moment
        self._head = store.head()
        self._holdings: dict[UUID, Holding] = {}
        self._bodies: dict[UUID, Body | None] = {}
        self._on_record = set(self._convened())

    def of(self, stream: UUID) -> Holding:
        """What there is of one meeting, which may be nothing yet."""
        holding = self._holdings.get(stream)
        if holding is None:
            holding = Holding(self._read(stream) if stream in self._on_record else ())
            self._holdings[stream] = holding
        return holding

    def body(self, stream: UUID) -> Body | None:
        """The body on record under an id, if there is one."""
        if stream not in self._bodies:
            self._bodies[stream] = _folded(Body, self._read(stream))
        return self._bodies[stream]

    def forget(self, streams: Iterable[UUID]) -> None:
        """Read these meetings, and all bodies, again: somebody else wrote meanwhile, and we did not."""
        self._bodies.clear()
        for stream in streams:
            self._holdings[stream] = Holding(self._read(stream))

    def undo(self, stream: UUID, kept: int) -> None:
        """Go back to the first `kept` events of a meeting."""
        self._holdings[stream] = Holding(self._holdings[stream].events[:kept])

    def register(self, event: NewEvent) -> Body:
        """Take in a body that is new."""
        body = Body.begin(self.provisional(event))
        assert body is not None
        self._bodies[event.stream_id] = body
        return body

    def unregister(self, stream: UUID) -> None:
        """Go back to before a body was registered."""
        self._bodies[stream] = None

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

    def _convened(self) -> Iterator[UUID]:
        after = 0
        while lines := self._store.read(after, PAGE, upto=self._head, types=[MeetingConvened.TYPE]):
            after = lines[-1][0]
            for _, line in lines:
                yield _glance.decode(line).stream_id

    def _read(self, stream: UUID) -> Iterator[Recorded]:
        return (codec.decode(line, position) for position, line in self._store.read_stream(stream))


def _folded(kind: type[T], events: Iterable[Recorded]) -> T | None:
    found: T | None = None
    for recorded in events:
        found = _grown(kind, found, recorded)
    return found


def _grown(kind: type[T], present: T | None, recorded: Recorded) -> T | None:
    if present is None:
        return kind.begin(recorded)
    present.apply(recorded)
    return present


class _Glance(msgspec.Struct):
    """The one member of a stored line that tells whether it concerns us."""

    stream_id: UUID


_glance: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(_Glance)
