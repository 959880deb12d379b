"""What answers are without: events that cannot be read, and were put aside."""

from __future__ import annotations

from uuid import UUID

from services.reporting.queries.access import Scope, read_by_among
from services.reporting.reading import Reading
from shared.eventlog import codec
from shared.eventlog.store import Store
from shared.events.record import EventUnreadable


def unreadable_up_to(
    reading: Reading, store: Store, position: int, scope: Scope, thing: UUID | None = None
) -> int:
    """How many events up to a position are put aside: of one thing, or of all that an answer might rest on.

    Only those of things of which the asker is told everything count: it may have been one that is not for them, and
    that something hidden happened is not for them either.
    """
    known = [
        one.event
        for one in store.known_quarantined.values()
        if one.event.position <= position and thing in (None, one.event.stream_id)
    ]
    if not known:
        return 0
    told = read_by_among(reading, scope, position, {event.stream_id for event in known})
    return sum(
        codec.decode_heading(line, at).type == EventUnreadable.TYPE
        for event in known
        if event.stream_id in told
        for at, line in store.read(event.position - 1, 1, upto=event.position)
    )
