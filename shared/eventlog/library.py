"""The event log for applications and projection runners of the `eventsourcing` library: PERSISTENCE_MODULE names this.

What such an application records becomes a line of the log like any other: JSON in our envelope, of a type that our own
services do not know and pass over, served by `/v1/events` as it is. What others recorded it reads as `LogEvent`.
`docs/eventlog.md` says more, and `docs/examples/tally.py` is a projection of this kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

import msgspec
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    InfrastructureFactoryError,
    Mapper,
    ProcessRecorder,
    StoredEvent,
    TrackingRecorder,
    Transcoder,
)
from eventsourcing.utils import Environment, EnvType, TopicError, resolve_topic

from shared.eventlog import codec
from shared.eventlog.envelope import new_nonce
from shared.eventlog.open import open_store
from shared.eventlog.store import Store
from shared.identity.actor import Actor, Role

LOG_URL: Final = "BITACORA_LOG_URL"
ORGANIZATION: Final = "BITACORA"
"""On whose behalf an application of the library records."""


@dataclass(frozen=True)
class LogEvent:
    """An event of the log as a projection of another team sees it: the envelope, and the data as plain JSON."""

    originator_id: UUID
    originator_version: int
    position: int
    recorded_at: datetime
    type: str
    recorded_by: dict[str, Any]
    data: dict[str, Any]


class LogMapper(Mapper[UUID]):
    """Between an application's own events and lines of the log; what is not its own comes out as a `LogEvent`."""

    def __init__(self, transcoder: Transcoder, name: str) -> None:
        super().__init__(transcoder)
        self._actor = Actor(subject=f"application:{name}", organization=ORGANIZATION, role=Role.SYSTEM)

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        """The event as a line that lacks only its position and time, which the log gives it."""
        own = super().to_stored_event(domain_event)
        line = codec.encode_line(
            type_=own.topic,
            stream_id=cast("UUID", own.originator_id),
            version=own.originator_version,
            recorded_by=self._actor,
            correlation_id="",
            nonce=new_nonce(),
            data=own.state,
        )
        return StoredEvent(own.originator_id, own.originator_version, own.topic, line)

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[UUID]:
        """The application's own event, or a `LogEvent`."""
        if _is_topic(stored_event.topic):
            data = bytes(msgspec.json.decode(stored_event.state, type=_Data).data)
            return super().to_domain_event(
                StoredEvent(
                    stored_event.originator_id, stored_event.originator_version, stored_event.topic, data
                )
            )
        line = msgspec.json.decode(stored_event.state)
        return LogEvent(
            originator_id=cast("UUID", stored_event.originator_id),
            originator_version=stored_event.originator_version,
            position=line["position"],
            recorded_at=datetime.fromisoformat(line["recorded_at"]),
            type=line["type"],
            recorded_by=line["recorded_by"],
            data=line["data"],
        )


class _Data(msgspec.Struct):
    data: msgspec.Raw


def _is_topic(type_: str) -> bool:
    """Whether a type names a class of this process, as the library names classes; ours are words and a dot."""
    if ":" not in type_:
        return False
    try:
        resolve_topic(type_)
    except TopicError:
        return False
    return True


class Factory(InfrastructureFactory[TrackingRecorder]):
    """Recorders over the log that BITACORA_LOG_URL names; `bitacora migrate` has made its tables."""

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        self.stores: list[Store] = []

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """The log, for events; it keeps no snapshots."""
        if purpose != "events":
            raise InfrastructureFactoryError(f"The log keeps events, not {purpose}.")
        return self._open()

    def application_recorder(self) -> ApplicationRecorder:
        """The log."""
        return self._open()

    def process_recorder(self) -> ProcessRecorder:
        """The log, with the positions of those who follow another one."""
        return self._open()

    def tracking_recorder(
        self, tracking_recorder_class: type[TrackingRecorder] | None = None
    ) -> TrackingRecorder:
        """A view of one's own, made with the environment; without one the log's own list of positions."""
        topic = self.env.get(self.TRACKING_RECORDER_TOPIC)
        if tracking_recorder_class is None and topic:
            tracking_recorder_class = resolve_topic(topic)
        if tracking_recorder_class is None:
            return self._open()
        view: TrackingRecorder = cast("Any", tracking_recorder_class)(self.env)
        return view

    def mapper(
        self, transcoder: Transcoder | None = None, mapper_class: type[Mapper[Any]] | None = None
    ) -> Mapper[Any]:
        """A mapper to lines of the log, which are plain JSON: neither packed nor encrypted."""
        if mapper_class is not None or self.env.get(self.MAPPER_TOPIC):
            return super().mapper(transcoder, mapper_class)
        if self.cipher() is not None or self.compressor() is not None:
            raise InfrastructureFactoryError("The log's bytes are plain JSON: no cipher, no compressor.")
        return LogMapper(transcoder or self.transcoder(), self.env.name)

    def close(self) -> None:
        """Give back every connection."""
        while self.stores:
            self.stores.pop().close()

    def _open(self) -> Store:
        url = self.env.get(LOG_URL)
        if not url:
            raise InfrastructureFactoryError(f"{LOG_URL} does not say where the log is.")
        store = open_store(url)
        self.stores.append(store)
        store.check_ready()
        return store
