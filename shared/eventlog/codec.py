"""The one place where events become bytes and bytes become events.

A stored event is one line of JSON. Python writes it from `type` on; the store puts `position` and `recorded_at` in
front at the moment of writing, under the lock that gives out positions, so that the stored bytes are complete and are
served as they lie.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec

from shared.errors import CorruptEvent
from shared.eventlog.envelope import NewEvent, Recorded
from shared.events.facts import Event, Unknown
from shared.events.record import EventQuarantined, EventUnreadable
from shared.events.registry import EVENT_TYPES
from shared.identity.actor import Actor, Role

NOBODY: Final = Actor(subject="unknown", organization="", role=Role.SYSTEM)
"""By whom an event was recorded that cannot be read."""

_encoder = msgspec.json.Encoder(decimal_format="number", order=None)
_data_decoders: dict[str, msgspec.json.Decoder[Any]] = {
    name: msgspec.json.Decoder(cls, float_hook=Decimal) for name, cls in EVENT_TYPES.items()
}
_any_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)


class _Outgoing(msgspec.Struct, frozen=True, omit_defaults=True):
    type: str
    stream_id: UUID
    version: int
    recorded_by: Actor
    correlation_id: str
    causation_id: int | None = None
    nonce: str | None = None
    traceparent: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"{}")


class _Stored(msgspec.Struct, frozen=True):
    position: int
    recorded_at: datetime
    type: str
    stream_id: UUID
    version: int
    recorded_by: Actor
    correlation_id: str
    data: msgspec.Raw
    causation_id: int | None = None
    nonce: str | None = None


class Heading(msgspec.Struct, frozen=True):
    """As much of a stored event as tells whether anybody here wants the rest."""

    position: int
    type: str
    stream_id: UUID


class _Identified(msgspec.Struct, frozen=True):
    nonce: str | None = None


_stored_decoder = msgspec.json.Decoder(_Stored)
_heading_decoder = msgspec.json.Decoder(Heading)
_NONCE = re.compile(rb'"nonce":"([0-9a-f]{32})"')
_identified_decoder = msgspec.json.Decoder(_Identified)


def encode(event: NewEvent) -> bytes:
    """The bytes of an event before the store stamps them: a JSON object that begins with its type.

    ValueError when it could not be read back (a value that JSON has no number for, say): the log is never rewritten,
    so an event that nobody can read would stop every reader for good.
    """
    data = _encoder.encode(event.data)
    try:
        _data_decoders.get(event.data.TYPE, _any_decoder).decode(data)
    except msgspec.DecodeError as error:
        raise ValueError(f"a {event.data.TYPE} that could not be read back: {error}") from error
    return encode_line(
        type_=event.data.TYPE,
        stream_id=event.stream_id,
        version=event.version,
        recorded_by=event.recorded_by,
        correlation_id=event.correlation_id,
        causation_id=event.causation_id,
        nonce=event.nonce,
        traceparent=event.traceparent,
        data=data,
    )


def encode_line(
    *,
    type_: str,
    stream_id: UUID,
    version: int,
    recorded_by: Actor,
    correlation_id: str,
    data: bytes,
    causation_id: int | None = None,
    nonce: str | None = None,
    traceparent: str | None = None,
) -> bytes:
    """The same for data that is JSON already, of whatever type."""
    return _encoder.encode(
        _Outgoing(
            type=type_,
            stream_id=stream_id,
            version=version,
            recorded_by=recorded_by,
            correlation_id=correlation_id,
            causation_id=causation_id,
            nonce=nonce,
            traceparent=traceparent,
            data=msgspec.Raw(data),
        )
    )


def is_unstamped(line: bytes) -> bool:
    """Whether bytes are what `encode` makes, so that the store is to stamp them."""
    return line.startswith(b'{"type":')


def encode_data(event: Event) -> bytes:
    """The JSON of the event itself, without its envelope."""
    return _encoder.encode(event)


def stamp(body: bytes, position: int, recorded_at: datetime) -> bytes:
    """The complete stored bytes; PostgreSQL does the same inside `bitacora_append`, and a test compares the two."""
    return b'{"position":%d,"recorded_at":"%s",%s' % (position, instant_text(recorded_at).encode(), body[1:])


def instant_text(instant: datetime) -> str:
    """An instant in RFC 3339, UTC, always with six decimals, so that text order is time order."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def stand_in(stored: bytes, position: int, quarantined: EventQuarantined, quarantined_at: int) -> bytes:
    """What is read in place of stored bytes that were put aside: an event that changes nothing, with their identity."""
    body = encode_line(
        type_=EventUnreadable.TYPE,
        stream_id=quarantined.stream_id,
        version=quarantined.version,
        recorded_by=NOBODY,
        correlation_id="",
        nonce=identity_of(stored),
        data=_encoder.encode(EventUnreadable(quarantined_at=quarantined_at)),
    )
    return stamp(body, position, quarantined.recorded_at)


def identity_of(stored: bytes) -> str:
    """Which event stored bytes are: their nonce; where they have none, the SHA-256 of the bytes, in hexadecimal.

    Bytes that are no event have an identity too: whoever saw them knows them again.
    """
    try:
        nonce = _identified_decoder.decode(stored).nonce
    except (msgspec.DecodeError, UnicodeDecodeError):
        # It is the same event still, though a byte of it is damaged.
        found = _NONCE.search(stored)
        nonce = None if found is None else found[1].decode()
    return nonce or hashlib.sha256(stored).hexdigest()


def decode_heading(stored: bytes, position: int) -> Heading:
    """Where an event belongs, at a tenth of the cost of decoding it; CorruptEvent for bytes that are no event."""
    try:
        heading = _heading_decoder.decode(stored)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptEvent(position, str(error)) from error
    if heading.position != position:
        raise CorruptEvent(position, f"the bytes claim position {heading.position}")
    return heading


def decode(stored: bytes, position: int) -> Recorded:
    """The event in the stored bytes at `position`.

    A type this version does not know comes back as `Unknown`, its data untouched. Bytes that are no event, or an
    event whose data does not fit its type, raise `CorruptEvent` with the position.
    """
    try:
        outer = _stored_decoder.decode(stored)
        decoder = _data_decoders.get(outer.type)
        data = (
            Unknown(type_name=outer.type, raw=bytes(outer.data))
            if decoder is None
            else decoder.decode(outer.data)
        )
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptEvent(position, str(error)) from error
    if outer.position != position:
        raise CorruptEvent(position, f"the bytes claim position {outer.position}")
    return Recorded(
        position=outer.position,
        recorded_at=outer.recorded_at,
        type=outer.type,
        stream_id=outer.stream_id,
        version=outer.version,
        recorded_by=outer.recorded_by,
        correlation_id=outer.correlation_id,
        causation_id=outer.causation_id,
        nonce=outer.nonce,
        data=data,
    )
