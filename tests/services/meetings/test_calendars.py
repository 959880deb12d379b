"""Meetings in a calendar program: the right hour, moved when they are moved, off when they are called off."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta, tzinfo
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.tz import tzical
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar, Timezone

from services.meetings.meeting.calendars import calendar_of, timezone_of
from tests.services.meetings.installation import Installation

pytestmark = pytest.mark.anyio

SANTIAGO = ZoneInfo("America/Santiago")


@pytest.fixture
async def service(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Installation]:
    async with Installation(tmp_path, sqlite_url).running() as running:
        yield running


async def fetched(service: Installation, path: str) -> tuple[str, list[Any]]:
    """A calendar as it came, and its events as a program reads them."""
    answer = await service.ask("GET", path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    text = answer.content.decode()
    well_formed(text)
    return text, list(Calendar.from_ical(answer.content).walk("VEVENT"))


def well_formed(text: str) -> None:
    """RFC 5545: lines end in CRLF and have at most 75 octets; times in a zone have that zone's rules beside them."""
    assert text.endswith("END:VCALENDAR\r\n")
    lines = text.split("\r\n")
    assert "\n" not in "".join(lines)
    assert "\r" not in "".join(lines)
    assert max(len(line.encode()) for line in lines) <= 75
    assert lines[0] == "BEGIN:VCALENDAR"
    assert "VERSION:2.0" in lines
    assert any(line.startswith("PRODID:") for line in lines)
    assert "TZID=America/Santiago" not in text or "TZID:America/Santiago" in lines


async def test_a_meeting_is_at_its_local_hour_in_winter_and_in_summer(service: Installation) -> None:
    body = await service.committee()
    winter = await service.convened(body, scheduled_at="2012-08-14T14:00:00Z")
    summer = await service.convened(body, scheduled_at="2012-11-14T14:00:00Z", ends_at="2012-11-14T15:30:00Z")
    text, (event,) = await fetched(service, f"{winter}.ics")
    assert "DTSTART;TZID=America/Santiago:20120814T100000" in text
    assert (event.start.astimezone(UTC), event.end - event.start) == (
        datetime(2012, 8, 14, 14, tzinfo=UTC),
        timedelta(hours=2),
    )
    text, (event,) = await fetched(service, f"{summer}.ics")
    assert "DTSTART;TZID=America/Santiago:20121114T110000" in text
    assert event.end.astimezone(UTC) == datetime(2012, 11, 14, 15, 30, tzinfo=UTC)


async def test_a_meeting_keeps_its_uid_and_raises_its_sequence_when_it_is_moved_or_called_off(
    service: Installation,
) -> None:
    meeting = await service.convened(await service.committee())
    _, (first,) = await fetched(service, f"{meeting}.ics")
    assert (first["sequence"], first["status"]) == (0, "TENTATIVE")
    service.now += timedelta(hours=1)
    await service.post(
        f"{meeting}/reschedulings",
        {"scheduled_at": "2012-08-21T14:00:00Z", "place": "Valparaíso", "reason": "x"},
    )
    _, (second,) = await fetched(service, f"{meeting}.ics")
    assert (second["sequence"], second["location"]) == (1, "Valparaíso")
    assert second.start.astimezone(UTC) == datetime(2012, 8, 21, 14, tzinfo=UTC)
    assert second["dtstamp"].dt - first["dtstamp"].dt == timedelta(hours=1)
    await service.post(f"{meeting}/cancellations", {"reason": "x"})
    _, (third,) = await fetched(service, f"{meeting}.ics")
    assert (third["sequence"], third["status"]) == (2, "CANCELLED")
    assert first["uid"] == second["uid"] == third["uid"] == f"{meeting.rpartition('/')[2]}@bitacora"


async def test_an_agreed_agenda_confirms_a_meeting_without_moving_it(service: Installation) -> None:
    meeting = await service.convened(await service.committee())
    agenda = {"agenda": [{"title": "Hospitals; nurses, doctors, beds"}], "agreed_with": ["MINSAL"]}
    await service.post(f"{meeting}/agenda-revisions", agenda)
    _, (event,) = await fetched(service, f"{meeting}.ics")
    assert (event["sequence"], event["status"]) == (0, "CONFIRMED")
    assert event["description"] == "1. Hospitals; nurses, doctors, beds"


async def test_a_calendar_is_the_same_until_the_record_changes(service: Installation) -> None:
    """Whoever fetches it every hour is told that nothing happened, whatever the time is now."""
    body = await service.committee()
    await service.convened(body)
    path = f"/v1/bodies/{body}/calendar.ics"
    first = await service.ask("GET", path)
    service.now += timedelta(days=30)
    held = await service.ask("GET", path, If_None_Match=first.headers["etag"])
    assert held.status_code == 304
    assert (await service.ask("GET", path)).content == first.content
    await service.convened(body, title="Extraordinary")
    changed = await service.ask("GET", path, If_None_Match=first.headers["etag"])
    assert changed.status_code == 200
    assert "SUMMARY:Social Development Committee: Extraordinary" in changed.text


async def test_a_body_has_all_its_meetings_and_cancelled_ones_as_such(service: Installation) -> None:
    body = await service.committee()
    paths = [
        await service.convened(body, scheduled_at=f"2012-{month}-14T14:00:00Z")
        for month in ("08", "09", "10")
    ]
    await service.post(f"{paths[1]}/cancellations", {"reason": "x"})
    await service.convened(await service.bilateral())
    text, events = await fetched(service, f"/v1/bodies/{body}/calendar.ics")
    assert [event["status"] for event in events] == ["TENTATIVE", "CANCELLED", "TENTATIVE"]
    assert text.count("BEGIN:VTIMEZONE") == 1
    assert "X-WR-CALNAME:Social Development Committee" in text


async def test_a_body_that_never_met_has_an_empty_calendar(service: Installation) -> None:
    _, events = await fetched(service, f"/v1/bodies/{await service.committee()}/calendar.ics")
    assert events == []


async def test_long_and_foreign_words_are_folded_without_breaking_a_letter(service: Installation) -> None:
    title = "Reducción de la victimización en los hogares: " + "ñandú " * 40
    meeting = await service.convened(await service.committee(), agenda=[{"title": title.strip()}])
    _, (event,) = await fetched(service, f"{meeting}.ics")
    assert event["description"] == f"1. {title.strip()}"


async def test_in_the_hour_that_comes_twice_the_second_one_is_told_in_utc(service: Installation) -> None:
    """By its local time alone it would be an hour earlier."""
    body = await service.committee()
    for scheduled_at in ("2012-04-29T02:30:00Z", "2012-04-29T03:30:00Z"):
        meeting = await service.convened(body, scheduled_at=scheduled_at)
        _, (event,) = await fetched(service, f"{meeting}.ics")
        begins = event.start.astimezone(UTC)
        assert begins == datetime.fromisoformat(scheduled_at)
        assert event.end.astimezone(UTC) - begins == timedelta(hours=2)


async def test_a_meeting_held_at_another_time_than_planned_moves_to_that(service: Installation) -> None:
    meeting = await service.convened(await service.committee())
    _, (planned,) = await fetched(service, f"{meeting}.ics")
    service.now = planned.start.astimezone(UTC) + timedelta(days=2)
    held_at, ended_at = (planned.start.astimezone(UTC) + timedelta(hours=hours) for hours in (3, 4))
    attended = [{"organization": "MINSAL", "position": "Minister", "presence": "present"}]
    await service.post(
        f"{meeting}/attendance",
        {"held_at": held_at.isoformat(), "ended_at": ended_at.isoformat(), "attendance": attended},
    )
    _, (event,) = await fetched(service, f"{meeting}.ics")
    assert [one.astimezone(UTC) for one in (event.start, event.end)] == [held_at, ended_at]
    assert event["sequence"] == planned["sequence"] + 1
    assert event["uid"] == planned["uid"]


async def test_a_calendar_says_how_often_to_ask_again(service: Installation) -> None:
    text, _ = await fetched(service, f"/v1/bodies/{await service.committee()}/calendar.ics")
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n" in text
    assert "X-PUBLISHED-TTL:PT1H\r\n" in text


# --- the rules of local time ---------------------------------------------------------------------------------------


def offset_by_the_rules(component: Any, instant: datetime) -> timedelta:
    """The offset that a program computes which knows nothing but the VTIMEZONE (RFC 5545, 3.6.5)."""
    latest, offset = datetime.min.replace(tzinfo=UTC), timedelta()
    for part in component.subcomponents:
        rdates = part.get("rdate", [])
        dates = [part["dtstart"].dt]
        for lists in rdates if isinstance(rdates, list) else [rdates]:
            dates += [one.dt for one in lists.dts]
        for onset in dates:
            in_utc = onset.replace(tzinfo=UTC) - part["tzoffsetfrom"].td
            if latest < in_utc <= instant:
                latest, offset = in_utc, part["tzoffsetto"].td
    return offset


@settings(max_examples=300)
@given(
    st.integers(0, 17 * 365 * 24 * 3600),
    st.sampled_from(["America/Santiago", "Europe/Berlin", "America/Punta_Arenas", "UTC"]),
)
def test_the_rules_sent_along_say_of_every_hour_what_the_clocks_said(seconds: int, name: str) -> None:
    zone = ZoneInfo(name)
    instant = datetime(2010, 1, 2, tzinfo=UTC) + timedelta(seconds=seconds)
    component = timezone_of(zone, 2010, 2026)
    assert offset_by_the_rules(component, instant) == instant.astimezone(zone).utcoffset()


def _by_dateutil(rules: bytes) -> tzinfo:
    found: tzinfo = tzical(StringIO(rules.decode())).get()
    return found


def _by_icalendar(rules: bytes) -> tzinfo:
    component = Timezone.from_ical(rules)
    assert isinstance(component, Timezone)
    found: tzinfo = component.to_tz(lookup_tzid=False)
    return found


@pytest.mark.parametrize("reads", [_by_dateutil, _by_icalendar])
def test_every_weekly_meeting_of_four_years_is_at_its_hour_for_programs_that_know_nothing_but_the_rules_sent_along(
    reads: Callable[[bytes], tzinfo],
) -> None:
    zone = reads(timezone_of(SANTIAGO, 2009, 2015).to_ical())
    begins = datetime(2010, 3, 15, 9, tzinfo=SANTIAGO)
    weekly = [(begins + timedelta(weeks=week)) for week in range(208)]
    wrong = [one for one in weekly if one.replace(tzinfo=zone).utcoffset() != one.utcoffset()]
    assert wrong == []


def test_each_change_of_the_clock_is_a_property_of_its_own_and_the_first_is_told_twice() -> None:
    rules = timezone_of(SANTIAGO, 2009, 2013).to_ical().decode()
    assert rules.count("RDATE") > 6
    assert not [line for line in rules.splitlines() if line.startswith("RDATE") and "," in line]
    for part in rules.split("BEGIN:")[2:]:
        onsets = re.findall(r"^RDATE:(\S+)", part, re.MULTILINE)
        assert not onsets or re.findall(r"^DTSTART:(\S+)", part, re.MULTILINE) == onsets[:1]


def test_the_clocks_change_in_chile_at_the_second_the_rules_say() -> None:
    """Read back from the bytes, on both sides of every change: the day was moved by decree in most of these years."""
    component = Calendar.from_ical(
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n"
        + timezone_of(SANTIAGO, 2009, 2027).to_ical()
        + b"END:VCALENDAR\r\n"
    ).walk("VTIMEZONE")[0]
    instant = datetime(2010, 1, 1, tzinfo=UTC)
    changes = 0
    while instant.year < 2027:
        before = instant - timedelta(seconds=1)
        offsets = [one.astimezone(SANTIAGO).utcoffset() for one in (before, instant)]
        if offsets[0] != offsets[1]:
            changes += 1
            assert [offset_by_the_rules(component, one) for one in (before, instant)] == offsets, instant
        instant += timedelta(hours=1)
    # Two a year, but for 2015, when summer time did not end.
    assert changes == 2 * 17 - 2


@given(st.text(st.characters(codec="utf-8"), max_size=90))
def test_a_name_of_whatever_characters_is_one_property_of_a_calendar(name: str) -> None:
    text = calendar_of([], SANTIAGO, f"a\n{name}\r\x00b").decode()
    well_formed(text)
    read = Calendar.from_ical(text)["x-wr-calname"]
    shown = [one if one.isprintable() else " " for one in f"a\n{name}\r\x00b"]
    assert read == "".join(shown)
