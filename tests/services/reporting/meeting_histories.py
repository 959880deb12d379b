"""Random histories of bodies, their meetings and action items, and a plain replay of them.

The replay shares nothing with the read model but the rules of shared/rules: it goes through the events known at a
position one by one, and through the calendar day by day.
"""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from hypothesis import strategies as st

from shared.clock import Clock
from shared.events.facts import Event
from shared.events.meeting_vocabulary import BodyKind, Presence, ProtocolPeriod
from shared.events.meetings import (
    AgendaAgreed,
    AgendaRevised,
    Appointment,
    AttendanceCorrected,
    Attendee,
    BodyChanged,
    BodyRegistered,
    DecisionsNumbered,
    ExpectedMeetings,
    MeetingCancelled,
    MeetingConvened,
    MeetingHeld,
    MeetingPublished,
    MeetingRescheduled,
    MinutesCirculated,
    Protocol,
    Recipient,
    Seat,
)
from shared.events.retractions import MeetingFactRetracted, Retraction
from shared.events.vocabulary import Visibility
from tests.services.reporting.gatherings import Told, agenda, meeting_id, noon, tell
from tests.services.reporting.stage import Stage

SPAN = 120
"""Days over which a history happens."""
MINISTRIES = ("a", "b", "c")
day_of = Clock().day_of
_seats = st.lists(
    st.sampled_from([Seat(organization="DIPRES"), Seat(position="Chief", condition="if there is a bill")]),
    max_size=2,
    unique=True,
).map(tuple)
_organizations = st.lists(st.sampled_from(MINISTRIES), max_size=2, unique=True).map(tuple)
_visibilities = st.sampled_from(Visibility)


def _protocols(epoch: date) -> st.SearchStrategy[Protocol | None]:
    days = st.integers(-50, SPAN + 50).map(lambda n: epoch + timedelta(days=n))
    return st.none() | st.builds(
        Protocol,
        in_force_from=st.none() | days,
        expected_meetings=st.none()
        | st.builds(ExpectedMeetings, count=st.integers(1, 4), period=st.sampled_from(ProtocolPeriod)),
        days_to_minutes=st.none() | st.integers(1, 12),
        agenda_size=st.none() | st.integers(1, 3),
    )


_agendas = st.integers(0, 4).map(agenda)
_someone = Attendee(organization="DCI", position="Chief", presence=Presence.PRESENT)


_NUMBERED = DecisionsNumbered(meeting=meeting_id("x"), year=2012, first=1, last=2)


def _instants(epoch: date) -> st.SearchStrategy[datetime]:
    start = datetime(epoch.year, epoch.month, epoch.day, tzinfo=UTC)
    return st.integers(0, SPAN * 24).map(lambda hours: start + timedelta(hours=hours))


def _described(code: str | None, epoch: date) -> st.SearchStrategy[Event]:
    return st.builds(
        BodyChanged if code is None else BodyRegistered,
        **({} if code is None else {"code": st.just(code)}),
        name=st.sampled_from(["One name", "Another name"]),
        kind=st.sampled_from(BodyKind),
        decides=st.booleans(),
        visibility=_visibilities,
        organizations=_organizations,
        protocol=_protocols(epoch),
    )


def _happenings(epoch: date) -> st.SearchStrategy[Event]:
    """Anything that can happen to a meeting; the register asks of the log what it says, not whether it may."""
    moments = _instants(epoch)
    recipients = _organizations.map(lambda names: tuple(Recipient(organization=name) for name in names))
    sent_on = st.none() | moments.map(day_of)
    sent = st.builds(MinutesCirculated, draft=st.just(1), recipients=recipients, effective_on=sent_on)
    attendance = st.sampled_from([(), (_someone,)])
    return st.one_of(
        st.builds(AgendaAgreed, agenda=_agendas, agreed_with=st.just(("a",))),
        st.builds(AgendaRevised, agenda=_agendas),
        moments.map(
            lambda at: MeetingRescheduled(
                scheduled_at=at, previous=Appointment(scheduled_at=at), reason="Ill"
            )
        ),
        st.just(MeetingCancelled(reason="Ill")),
        st.builds(MeetingHeld, held_at=moments, attendance=attendance, mandatory_absences=_seats),
        st.builds(
            AttendanceCorrected,
            held_at=moments,
            attendance=attendance,
            mandatory_absences=_seats,
            reason=st.just("Wrong"),
        ),
        sent,
        sent,
        st.builds(
            MeetingPublished,
            visibility=_visibilities,
            previous=st.just(Visibility.RESERVED),
            reason=st.just("r"),
        ),
    )


class Entry(NamedTuple):
    """An event and on which day of the history the log learns it, counted from its first."""

    told: Told
    day: int


def mistakes(story: Sequence[Entry], kind: str, code: str, *types: type[Event]) -> list[int]:
    """The versions of a thing that can be called a mistake: of these types, and not called so yet."""
    of_it = [one.told.event for one in story if (one.told.kind, one.told.code) == (kind, code)]
    called = {event.version for event in of_it if isinstance(event, Retraction)}
    return [n for n, event in enumerate(of_it, 1) if isinstance(event, types) and n not in called]


_MISTAKEN = (
    AgendaAgreed,
    AgendaRevised,
    MeetingRescheduled,
    MeetingCancelled,
    MeetingHeld,
    AttendanceCorrected,
    MinutesCirculated,
)


@st.composite
def histories(draw: st.DrawFn, tag: str, epoch: date) -> list[Entry]:
    """A history of two bodies and a few meetings of each, in the order in which the log learns it."""
    story: list[Entry] = []
    begun: set[str] = set()
    day = 0
    for _ in range(draw(st.integers(1, 40))):
        day = min(SPAN, day + draw(st.sampled_from([0, 0, 0, 1, 5])))
        body = f"{tag}-{draw(st.integers(0, 1))}"
        if body not in begun:
            begun.add(body)
            story.append(Entry(Told("body", body, draw(_described(body, epoch))), day))
        elif draw(st.integers(0, 5)) == 0:
            event = draw(_described(None, epoch) | st.just(_NUMBERED))
            story.append(Entry(Told("body", body, event), day))
        else:
            meeting = f"{body}-m{draw(st.integers(0, 1))}"
            mistaken = mistakes(story, "meeting", meeting, *_MISTAKEN)
            if mistaken and draw(st.integers(0, 3)) == 0:
                version = draw(st.sampled_from(mistaken))
                event = MeetingFactRetracted(version=version, reason="typo", retracted="meetings.held")
            elif meeting in begun:
                event = draw(_happenings(epoch))
            else:
                begun.add(meeting)
                event = draw(
                    st.builds(
                        MeetingConvened,
                        body=st.just(body),
                        scheduled_at=_instants(epoch),
                        visibility=_visibilities,
                        agenda=_agendas,
                        organizations=_organizations,
                    )
                )
            story.append(Entry(Told("meeting", meeting, event), day))
    return story


# --- the replay ----------------------------------------------------------------------------------------------------


class Known(NamedTuple):
    """An event of the log with its place and time."""

    position: int
    recorded_at: datetime
    told: Told


def written(stage: Stage, story: list[Entry], epoch: date) -> list[Known]:
    """Writes a history day by day, and gives it back as the log holds it."""
    log: list[Known] = []
    for day, entries in groupby(story, key=lambda entry: entry.day):
        told = [entry.told for entry in entries]
        appended = tell(stage, *told, now=noon(epoch + timedelta(days=day)))
        log += [Known(appended.first + n, appended.recorded_at, one) for n, one in enumerate(told)]
    stage.wait(log[-1].position)
    return log


def without_mistakes(log: Sequence[Known]) -> list[Known]:
    """What is left when everything that was called a mistake is struck out, and the calling so as well."""
    versions = Counter[tuple[str, str]]()
    numbered = []
    for known in log:
        stream = known.told.kind, known.told.code
        versions[stream] += 1
        numbered.append((stream, versions[stream], known))
    mistaken = {
        (stream, known.told.event.version)
        for stream, _, known in numbered
        if isinstance(known.told.event, Retraction)
    }
    return [
        known
        for stream, version, known in numbered
        if (stream, version) not in mistaken and not isinstance(known.told.event, Retraction)
    ]


class Asked(NamedTuple):
    """A question to the register: up to which position, on which day, of which days, and who asks."""

    position: int
    on: date
    first: date
    last: date
    months: int
    asker: str | None
    """An organisation, `PUBLIC` for anybody, or None for somebody who sees everything."""


PUBLIC = ""


def visible(events: Sequence[Event], asker: str | None) -> bool:
    """Whether somebody may know of a body or a meeting of which these events are known."""
    if not events or asker is None:
        return bool(events)
    openness, circle = Visibility.RESERVED, set[str]()
    for event in events:
        match event:
            case BodyRegistered() | BodyChanged():
                openness, circle = event.visibility, set(event.organizations)
            case MeetingConvened():
                openness, circle = event.visibility, circle | set(event.organizations)
            case MinutesCirculated():
                circle |= {recipient.organization for recipient in event.recipients}
            case MeetingPublished():
                openness = event.visibility
    if openness is Visibility.PUBLIC:
        return True
    return asker != PUBLIC and (openness is Visibility.INTERNAL or asker in circle)


def replayed_register(log: Sequence[Known], asked: Asked) -> dict[str, dict[str, Any]]:
    """By body: what the register should say."""
    streams: dict[tuple[str, str], list[Known]] = {}
    for known in log:
        streams.setdefault((known.told.kind, known.told.code), []).append(known)

    def seen(key: tuple[str, str]) -> list[Known]:
        then = without_mistakes([known for known in streams[key] if known.position <= asked.position])
        both = ([one.told.event for one in then], [one.told.event for one in without_mistakes(streams[key])])
        return then if all(visible(events, asked.asker) for events in both) else []

    meetings = {code: seen((kind, code)) for kind, code in streams if kind == "meeting"}
    bodies = {code: seen((kind, code)) for kind, code in streams if kind == "body"}
    said: dict[str, dict[str, Any]] = {}
    for code, told in bodies.items():
        own = {name: events for name, events in meetings.items() if events and name.startswith(f"{code}-m")}
        lines = [_line(name, events, told, asked.on) for name, events in own.items()]
        lines = [line for line in lines if asked.first <= line["counts_on"] <= asked.last]
        if not told and not lines:
            continue
        due = _expected(told, list(own.values()), asked) if told else None
        said[code] = {
            "known": bool(told),
            "periods": [_period(first, last, due, lines, asked.on) for first, last in _periods(asked)],
        }
    return said


def replayed_totals(log: Sequence[Known], asked: Asked) -> dict[tuple[str, str, date], dict[str, int]]:
    """By kind and by organisation: how many meetings had their own day in each period, by their state."""
    found: dict[tuple[str, str, date], dict[str, int]] = {}

    def seen(kind: str, code: str) -> list[Known]:
        all_of_it = [known for known in log if (known.told.kind, known.told.code) == (kind, code)]
        then = without_mistakes([known for known in all_of_it if known.position <= asked.position])
        both = ([one.told.event for one in then], [one.told.event for one in without_mistakes(all_of_it)])
        return then if all(visible(events, asked.asker) for events in both) else []

    for code in {known.told.code for known in log if known.told.kind == "meeting"}:
        events, body = seen("meeting", code), seen("body", code.rpartition("-m")[0])
        if not events:
            continue
        line = _line(code, events, body, asked.on)
        kind, with_whom = "undisclosed", {"undisclosed"}
        if body:
            described = [
                one.told.event for one in body if isinstance(one.told.event, BodyRegistered | BodyChanged)
            ]
            (convened,) = [one.told.event for one in events if isinstance(one.told.event, MeetingConvened)]
            kind, with_whom = described[-1].kind.value, set(convened.organizations) or {"none"}
        for first, last in _periods(asked):
            if first <= line["on"] <= last:
                for group in [("all", "all"), ("kind", kind), *(("organization", one) for one in with_whom)]:
                    counts = found.setdefault((*group, first), {})
                    counts[line["state"]] = counts.get(line["state"], 0) + 1
    return found


def _periods(asked: Asked) -> list[tuple[date, date]]:
    def number(day: date) -> int:
        return (day.year * 12 + day.month - 1) // asked.months

    days = [asked.first + timedelta(days=n) for n in range((asked.last - asked.first).days + 1)]
    numbers = sorted({number(day) for day in days})
    return [
        (min(day for day in days if number(day) == one), max(day for day in days if number(day) == one))
        for one in numbers
    ]


def _period(
    first: date, last: date, due: list[tuple[date, date]] | None, lines: list[dict[str, Any]], on: date
) -> dict[str, Any]:
    within = [line for line in lines if first <= line["counts_on"] <= last]
    asked = None if due is None else [by for day, by in due if first <= day <= last]
    return {
        "first": first,
        "last": last,
        "expected": None if asked is None else len(asked),
        "due": None if asked is None else len([day for day in asked if day <= on]),
        "held": len([line for line in within if line["state"] == "held"]),
        "cancelled": len([line for line in within if line["state"] == "cancelled"]),
        "ahead": len([line for line in within if line["state"] == "convened"]),
        "unrecorded": len([line for line in within if line["state"] == "unrecorded"]),
        "late": None if asked is None else len([line for line in within if line["late"]]),
        "absences": sum(len(line["absences"] or ()) for line in within),
        "meetings": sorted(within, key=lambda line: str(line["id"])),
    }


def _protocol_on(day: date, told: Sequence[Known]) -> Protocol:
    """What was told last of those protocols that hold from that day or an earlier one.

    On the days before all of them, that of the first day holds, unless it says from when on it does.
    """
    descriptions = [
        (known.told.event.protocol or Protocol(), day_of(known.recorded_at))
        for known in told
        if isinstance(known.told.event, BodyRegistered | BodyChanged)
    ]
    told_from = [(one.in_force_from or recorded_on, one) for one, recorded_on in descriptions]
    begun = [one for since, one in told_from if since <= day]
    if begun:
        return begun[-1]
    first = [one for since, one in told_from if since == min(since for since, _ in told_from)][-1]
    return Protocol() if first.in_force_from else first


def _expected(told: Sequence[Known], meetings: list[list[Known]], asked: Asked) -> list[tuple[date, date]]:
    """The day on which each expected meeting counts, and the day by which it is due."""
    begun = [day_of(told[0].recorded_at)]
    for events in meetings:
        held, scheduled = None, None
        for known in events:
            match known.told.event:
                case MeetingHeld() | AttendanceCorrected() as event:
                    held = event.held_at
                case MeetingConvened() | MeetingRescheduled() as event:
                    scheduled = event.scheduled_at
        moment = held or scheduled
        assert moment is not None
        begun.append(day_of(moment))
    # Nobody expects a body to meet before it was told of or met, unless its first protocol says from when on it was to.
    named = [
        event.protocol.in_force_from
        for event in (known.told.event for known in told)
        if isinstance(event, BodyRegistered | BodyChanged) and event.protocol is not None
    ]
    since = min([*begun, *(day for day in named if day is not None)])
    found = []
    day = asked.first
    while day <= asked.last:
        monday = day - timedelta(days=3)
        weekly = _protocol_on(monday, told).expected_meetings
        if day.weekday() == 3 and monday >= since and weekly and weekly.period is ProtocolPeriod.WEEK:
            for number in range(7):
                due = weekly.count * (number + 1) // 7 - weekly.count * number // 7
                found += [(day, monday + timedelta(days=number))] * due
        expected = _protocol_on(day, told).expected_meetings
        if day >= since and expected and expected.period is not ProtocolPeriod.WEEK:
            place, length = _place(day, expected.period)
            before, after = expected.count * place // length, expected.count * (place + 1) // length
            found += [(day, day)] * (after - before)
        day += timedelta(days=1)
    return found


def _place(day: date, period: ProtocolPeriod) -> tuple[int, int]:
    """Which day of its period it is, from 0, and how many days that has."""
    match period:
        case ProtocolPeriod.MONTH:
            return day.day - 1, monthrange(day.year, day.month)[1]
        case ProtocolPeriod.QUARTER:
            first = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
            return (day - first).days, sum(monthrange(day.year, first.month + n)[1] for n in range(3))
        case _:
            return (day - date(day.year, 1, 1)).days, 366 if monthrange(day.year, 2)[1] == 29 else 365


def _line(name: str, events: Sequence[Known], body: Sequence[Known], on: date) -> dict[str, Any]:
    scheduled: datetime | None = None
    held: MeetingHeld | AttendanceCorrected | None = None
    cancelled: date | None = None
    circulated: date | None = None
    items = 0
    for known in events:
        match known.told.event:
            case MeetingConvened() as event:
                scheduled, items = event.scheduled_at, len(event.agenda)
            case MeetingRescheduled() as event:
                scheduled = event.scheduled_at
            case AgendaAgreed() | AgendaRevised() as event:
                items = len(event.agenda)
            case MeetingCancelled():
                cancelled = day_of(known.recorded_at)
            case MeetingHeld() | AttendanceCorrected() as event:
                held = event
            case MinutesCirculated() as event:
                sent = event.effective_on or day_of(known.recorded_at)
                circulated = sent if circulated is None or sent < circulated else circulated
    assert scheduled is not None
    held_on = day_of(held.held_at) if held is not None and day_of(held.held_at) <= on else None
    if circulated is not None and circulated > on:
        circulated = None
    day = held_on or day_of(scheduled)
    protocol = _protocol_on(day, body) if body else Protocol()
    # A meeting of a week in which so many are expected counts on the Thursday of that week.
    monday = day - timedelta(days=day.weekday())
    weekly = _protocol_on(monday, body).expected_meetings if body else None
    counts_on = monday + timedelta(days=3) if weekly and weekly.period is ProtocolPeriod.WEEK else day
    limit = protocol.days_to_minutes
    late = held_on is not None and limit is not None and ((circulated or on) - held_on).days > limit
    state = _state_before_held(day_of(scheduled), held is not None, cancelled, on)
    absences = held.mandatory_absences if held is not None and held_on and held.attendance else None
    return {
        "id": meeting_id(name),
        "on": day,
        "counts_on": counts_on,
        "state": "held" if held_on else state,
        "items": items,
        "size": protocol.agenda_size,
        "circulated": circulated,
        "days": (circulated - held_on).days if circulated and held_on else None,
        "late": late,
        "absences": None if absences is None else [seat.organization or seat.position for seat in absences],
    }


def _state_before_held(scheduled: date, held_later: bool, cancelled: date | None, on: date) -> str:
    """What a meeting is on a day by which it has not been held."""
    if cancelled is not None:
        return "cancelled" if on >= cancelled or on >= scheduled else "convened"
    return "convened" if held_later or on <= scheduled else "unrecorded"
