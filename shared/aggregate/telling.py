"""A history as it is told to somebody to whom some of its events are nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from shared.eventlog.envelope import Recorded
from shared.events.facts import Event
from shared.events.record import EventUnreadable
from shared.events.retractions import Retraction

AsTold = Callable[[Event], Event | None]
"""What an event is to a reader: itself, less of it, or nothing."""


def as_told(history: Sequence[Recorded], told: AsTold) -> list[Recorded]:
    """A history of one thing from its first event on, as if what is nothing to the reader had not happened.

    Versions are counted so, in retractions too; and to retract what is nothing is nothing. An event that was put aside
    is nothing: what it said may have been for others.
    """
    found: list[Recorded] = []
    versions: dict[int, int] = {}
    for one in history:
        said = None if isinstance(one.data, EventUnreadable) else told(one.data)
        if isinstance(said, Retraction):
            version = versions.get(said.version)
            said = None if version is None else msgspec.structs.replace(said, version=version)
        if said is not None:
            versions[one.version] = version = len(found) + 1
            found.append(msgspec.structs.replace(one, version=version, data=said))
    return found
