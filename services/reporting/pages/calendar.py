"""The days promised to the public as a calendar (RFC 5545) that a program can subscribe to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event
from icalendar.prop import vDuration

from shared.languages import N_, Language

PRODUCT: Final = "-//Bitacora//Reporting//EN"
MEDIA_TYPE: Final = "text/calendar"
REFRESH: Final = timedelta(hours=12)
"""How often a program should ask again."""
MOST: Final = 300
"""Days in a calendar, the nearest first."""
_ONE_DAY: Final = timedelta(days=1)


def calendar_of(
    deadlines: Iterable[Any],
    known_on: date,
    zone: ZoneInfo,
    spoken: Language,
    page_of: Callable[[str], str],
) -> bytes:
    """A calendar with a whole day for each deadline, as it was known on a day."""
    stamp = datetime.combine(known_on, time.min, zone).astimezone(ZoneInfo("UTC"))
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    name = spoken.text(N_("public deadlines"))
    calendar.add("x-wr-calname", f"Bitácora: {name}")
    calendar.add("refresh-interval", REFRESH, {"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH), encode=False)
    for one in deadlines:
        event = Event()
        event.add("uid", f"{one.commitment_id}@bitacora")
        event.add("dtstamp", stamp)
        event.add("sequence", one.public_revisions)
        event.add("dtstart", one.public_deadline)
        if one.public_deadline < date.max:
            event.add("dtend", one.public_deadline + _ONE_DAY)
        event.add("summary", _line(f"{spoken.text('Public deadline')}: {one.title} ({one.code})"))
        event.add("url", page_of(one.code))
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _line(text: str) -> str:
    """A text in one line; old titles may hold a line break, which would begin a property of its own."""
    return "".join(one if one.isprintable() else " " for one in text)
