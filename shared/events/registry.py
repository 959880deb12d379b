"""Every event type of the published language, by its public name."""

from __future__ import annotations

from shared.events import commitments, cycles, editions, identity, indicators, meetings, record, retractions
from shared.events.facts import Event

EVENT_TYPES: dict[str, type[Event]] = {
    cls.TYPE: cls
    for cls in (
        *commitments.EVENTS,
        *indicators.EVENTS,
        *cycles.EVENTS,
        *editions.EVENTS,
        *meetings.EVENTS,
        *retractions.EVENTS,
        *identity.EVENTS,
        *record.EVENTS,
    )
}
