"""The calendar keys on record: found by those whose they are."""

from __future__ import annotations

from services.meetings.calendar_key.model import CalendarKey
from shared.aggregate.repository import Repository
from shared.eventlog.live import LiveLog
from shared.identity.actor import Actor


class CalendarKeys(Repository[CalendarKey]):
    """Those of everybody."""

    def __init__(self, live: LiveLog) -> None:
        super().__init__(live, CalendarKey, "calendar-key")

    async def may_read(self, actor: Actor, aggregate: CalendarKey) -> bool:
        """See `Repository.may_read`: whose a key is goes by people."""
        return aggregate.is_of(actor)
