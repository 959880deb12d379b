"""Putting an event aside that cannot be read: a fact on a stream of the log itself; its own line is never touched."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Final

from shared.errors import InvalidInput, NotFound, RuleBroken
from shared.eventlog.envelope import NewEvent, StoredLine
from shared.eventlog.store import Changes, Quarantined, Store, VersionConflict
from shared.eventlog.verification import fault_of
from shared.events.record import EventQuarantined
from shared.events.streams import stream_of
from shared.events.types import LONGEST_LINE
from shared.identity.actor import Actor

STREAM: Final = stream_of("log", "quarantine")
"""The stream of what was put aside in this log."""

READABLE: Final = "It can be read, and was put aside because somebody said that it is not what was recorded."


def quarantine(
    store: Store,
    position: int,
    *,
    reason: str,
    actor: Actor,
    now: Callable[[], datetime],
    although_readable: bool = False,
) -> Quarantined:
    """Record that the event at a position is put aside, and why; readers go on without it from now on.

    RuleBroken for an event that can be read and is where it belongs, unless it is to be put aside all the same: what
    was recorded by mistake is retracted. So, too, for one that was put aside before.
    """
    if not reason.strip():
        raise InvalidInput(
            "reason-missing", "Say why: whoever finds the gap in ten years will ask.", pointer="/reason"
        )
    while True:
        before = store.quarantined()
        found = store.read_as_it_lies(position - 1, 1, upto=position) if position > 0 else []
        if not found:
            raise NotFound("position-unknown", f"The log has no event at position {position}.")
        event = _put_aside(store, found[0], reason.strip(), now(), although_readable=although_readable)
        known = before.get(position)
        if known is not None and known.event.sha256 == event.sha256:
            raise RuleBroken(
                "event-already-quarantined",
                f"The event at position {position} was put aside before, as position {known.at} says.",
            )
        version = 1 + len(store.read_stream(STREAM))
        try:
            appended = store.append(
                [
                    Changes(
                        [
                            NewEvent(
                                stream_id=STREAM,
                                version=version,
                                recorded_by=actor,
                                correlation_id="bitacora-quarantine",
                                data=event,
                            )
                        ]
                    )
                ],
                now(),
            )[0]
        except VersionConflict:
            continue  # somebody else put another aside at this moment
        put_aside = Quarantined(event, appended.last)
        store.note_quarantined(put_aside)
        return put_aside


def _put_aside(
    store: Store, stored: StoredLine, reason: str, now: datetime, *, although_readable: bool
) -> EventQuarantined:
    cause = fault_of(stored)
    if cause is None and not although_readable:
        raise RuleBroken(
            "event-readable",
            f"The event at position {stored.position} can be read and is where it belongs. What was recorded by "
            "mistake is retracted; if its bytes are not what was recorded, say --although-readable.",
        )
    return EventQuarantined(
        position=stored.position,
        stream_id=stored.stream_id,
        version=stored.version,
        recorded_at=stored.recorded_at or _instant_before(store, stored.position) or now,
        sha256=hashlib.sha256(stored.line).hexdigest(),
        cause=_one_line(cause or READABLE),
        reason=reason,
    )


def _instant_before(store: Store, position: int) -> datetime | None:
    """When the event before was recorded: instants never fall, so that this one was not recorded earlier."""
    before = store.read_as_it_lies(position - 2, 1, upto=position - 1) if position > 1 else []
    return before[0].recorded_at if before else None


def _one_line(text: str) -> str:
    seen = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )
    return seen[:LONGEST_LINE]
