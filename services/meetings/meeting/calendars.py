"""Meetings as calendars: iCalendar (RFC 5545), the same bytes whenever the log is the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from copy import copy
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone, TimezoneDaylight, TimezoneStandard
from icalendar.prop import vDDDLists, vDuration
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from services.meetings.body.repository import Directory
from services.meetings.meeting.listing import ListedMeeting
from shared.eventlog.live import LiveLog
from shared.events.meeting_vocabulary import MeetingState
from shared.events.vocabulary import Visibility
from shared.http.preconditions import not_modified
from shared.identity.actor import Actor
from shared.rules.visibility import reads_everything

PRODUCT = "-//Bitacora//Meetings//EN"
REFRESH = timedelta(hours=1)
"""How often a program should ask again."""
USUAL_MINUTES = 120
"""How long a meeting is shown to last when neither it nor its body says."""

_CLASS = {
    Visibility.PUBLIC: "PUBLIC",
    Visibility.INTERNAL: "PRIVATE",
    Visibility.RESERVED: "CONFIDENTIAL",
}


class CalendarEntry(NamedTuple):
    """A meeting in a calendar, what its body is called, and how many minutes the meetings of that usually last."""

    meeting: ListedMeeting
    body: str
    minutes: int | None


class Calendars:
    """Meetings as answers that calendar programs read."""

    def __init__(self, live: LiveLog, directory: Directory) -> None:
        self._live = live
        self._directory = directory

    async def answer(
        self, request: Request, meetings: Sequence[ListedMeeting], *, title: str, reader: Actor
    ) -> Response:
        """These meetings as iCalendar for the eyes of a reader, or 304 to a caller who holds just that."""
        position, by_day = self._live.position, not reads_everything(reader)
        if by_day:
            position = max((meeting.position for meeting in meetings), default=0)
        # Copies: what follows the log changes meetings while they are written.
        entries = [self._entry(copy(meeting)) for meeting in meetings]
        content = await run_in_threadpool(calendar_of, entries, self._live.clock.zone, title, by_day=by_day)
        etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        held = not_modified(request, etag, position=position)
        if held is not None:
            return held
        headers = {"ETag": etag, "Log-Position": str(position)}
        return Response(content, headers=headers, media_type="text/calendar")

    def _entry(self, meeting: ListedMeeting) -> CalendarEntry:
        body = self._directory.bodies.get(meeting.body)
        assert body is not None, "a meeting is convened by a body"
        day_of = self._live.clock.day_of
        protocol = body.protocol_on(day_of(meeting.scheduled_at), day_of)
        return CalendarEntry(meeting, body.description.name, protocol.duration_minutes)


def calendar_of(
    entries: Sequence[CalendarEntry], zone: ZoneInfo, title: str, *, by_day: bool = False
) -> bytes:
    """A calendar with these meetings, each at its local time, and the rules of that time.

    With `by_day` it says on which days they were changed, not when: as of the beginning of the day.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("x-wr-calname", _line(title))
    calendar.add("refresh-interval", REFRESH, {"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH), encode=False)
    if entries:
        years = [one.meeting.begins_at.astimezone(zone).year for one in entries]
        calendar.add_component(timezone_of(zone, min(years) - 1, max(years) + 1))
    for one in entries:
        calendar.add_component(_event(one, zone, by_day=by_day))
    return bytes(calendar.to_ical())


def _event(entry: CalendarEntry, zone: ZoneInfo, *, by_day: bool) -> Event:
    meeting, body, minutes = entry
    changed_at = meeting.changed_at.astimezone(UTC).replace(microsecond=0)
    if by_day:
        changed_at = datetime.combine(meeting.changed_at.astimezone(zone), time.min, zone).astimezone(UTC)
    # Added to the instant and not to the local time, which may jump in between.
    begins_at = meeting.begins_at
    usual_end = begins_at + timedelta(minutes=minutes or USUAL_MINUTES)
    event = Event()
    event.add("uid", f"{meeting.id}@bitacora")
    event.add("dtstamp", changed_at)
    event.add("last-modified", changed_at)
    event.add("sequence", meeting.sequence)
    event.add("dtstart", _local(begins_at, zone))
    event.add("dtend", _local(meeting.until or usual_end, zone))
    event.add("summary", _line(f"{body}: {meeting.title}" if meeting.title else body))
    event.add("status", _status(meeting.state))
    event.add("class", _CLASS[meeting.visibility])
    if meeting.place:
        event.add("location", _line(meeting.place))
    if meeting.agenda:
        event.add("description", "\n".join(f"{item.number}. {_line(item.title)}" for item in meeting.agenda))
    return event


def _line(text: str) -> str:
    """A text in one line; old names may hold a line break, which would begin a property of its own."""
    return "".join(one if one.isprintable() else " " for one in text)


def _local(instant: datetime, zone: ZoneInfo) -> datetime:
    """The local time; UTC in the hour that the clocks show for a second time, because a local time means the first."""
    local = instant.astimezone(zone)
    return instant.astimezone(UTC) if local.fold else local


def _status(state: MeetingState) -> str:
    if state is MeetingState.CANCELLED:
        return "CANCELLED"
    return "TENTATIVE" if state is MeetingState.CONVENED else "CONFIRMED"


@lru_cache(maxsize=256)
def timezone_of(zone: ZoneInfo, first_year: int, last_year: int) -> Timezone:
    """The clock changes of these years, each at the local time shown before it, as the standard asks.

    They are listed one by one, because summer time began and ended on another day almost every year.
    """
    begin = datetime(first_year, 1, 1, tzinfo=zone)
    component = Timezone()
    component.add("tzid", zone.key)
    component.add_component(_observance(begin, begin, [begin.replace(tzinfo=None)]))
    kinds: dict[tuple[object, ...], list[tuple[datetime, datetime]]] = {}
    for before, after in _changes(zone, first_year, last_year):
        kind = (before.utcoffset(), after.utcoffset(), after.tzname(), bool(after.dst()))
        kinds.setdefault(kind, []).append((before, after))
    for changes in kinds.values():
        offset = changes[0][0].utcoffset() or timedelta()
        onsets = [(after.astimezone(UTC) + offset).replace(tzinfo=None) for _, after in changes]
        component.add_component(_observance(*changes[0], onsets))
    return component


def _observance(
    before: datetime, after: datetime, onsets: Sequence[datetime]
) -> TimezoneStandard | TimezoneDaylight:
    part = TimezoneDaylight() if after.dst() else TimezoneStandard()
    part.add("dtstart", onsets[0])
    # A property for each, and the first again: some programs read one value of a list only, and others take the days of
    # `RDATE` to be all there are.
    for onset in onsets if len(onsets) > 1 else ():
        part.add("rdate", vDDDLists([onset]), encode=False)
    part.add("tzoffsetfrom", before.utcoffset())
    part.add("tzoffsetto", after.utcoffset())
    part.add("tzname", after.tzname())
    return part


def _changes(zone: ZoneInfo, first_year: int, last_year: int) -> Iterable[tuple[datetime, datetime]]:
    """The last second before each change of the clocks, and the first one after it."""
    day = datetime(first_year, 1, 1, tzinfo=zone).astimezone(UTC)
    end = datetime(last_year + 1, 1, 1, tzinfo=zone).astimezone(UTC)
    while day < end:
        low, high = day, min(day + timedelta(days=1), end)
        if _clock(low, zone) != _clock(high, zone):
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                middle = middle.replace(microsecond=0)
                low, high = (middle, high) if _clock(middle, zone) == _clock(low, zone) else (low, middle)
            yield low.astimezone(zone), high.astimezone(zone)
        day += timedelta(days=1)


def _clock(instant: datetime, zone: ZoneInfo) -> tuple[object, ...]:
    local = instant.astimezone(zone)
    return local.utcoffset(), local.tzname(), bool(local.dst())
