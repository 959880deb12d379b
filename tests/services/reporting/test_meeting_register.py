"""The register of meetings against a plain replay of the log, and what it says of a few plain histories."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from services.reporting.queries.moments import AsOf
from services.reporting.queries.register import (
    BodyLine,
    MeetingTotal,
    MeetingTotals,
    RegisterFilters,
    RegisterPeriod,
    periods_between,
    register_as_of,
    totals_as_of,
)
from shared.events.meeting_vocabulary import Presence, ProtocolPeriod
from shared.events.meetings import (
    Appointment,
    Attendee,
    BodyChanged,
    MeetingCancelled,
    MeetingConvened,
    MeetingHeld,
    MeetingPublished,
    MeetingRescheduled,
    Protocol,
    Seat,
)
from shared.events.vocabulary import Visibility
from tests.services.reporting.gatherings import (
    Told,
    bilateral,
    circulated,
    committee,
    convened,
    held,
    noon,
    protocol,
    tell,
)
from tests.services.reporting.meeting_histories import (
    MINISTRIES,
    PUBLIC,
    SPAN,
    Asked,
    Known,
    histories,
    replayed_register,
    replayed_totals,
    written,
)
from tests.services.reporting.stage import EVERYTHING, Stage, ministry, staged
from tests.services.reporting.stage import PUBLIC as ANYBODY

numbers = count(1)
EVERY_TIME = settings(
    max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
MONTHS = {1: RegisterPeriod.MONTH, 3: RegisterPeriod.QUARTER, 12: RegisterPeriod.YEAR}
BEGINNING = date(1975, 1, 1)


@pytest.fixture
def stage(log_url: str) -> Iterator[Stage]:
    """One log for all the examples of a test, each of bodies of its own; the worker keeps two views in memory."""
    with staged(log_url) as made:
        made.start_worker(capacity=2)
        yield made


def asked_of(data: st.DataObject, log: list[Known], epoch: date) -> Asked:
    """Any question about a history."""
    days = st.integers(-40, SPAN + 40).map(lambda n: epoch + timedelta(days=n))
    first, last = sorted((data.draw(days), data.draw(days)))
    return Asked(
        position=log[0].position - 1 + round(data.draw(st.floats(0, 1)) * len(log)),
        on=data.draw(days),
        first=first,
        last=last,
        months=data.draw(st.sampled_from([1, 3, 12])),
        asker=data.draw(st.sampled_from([None, PUBLIC, *MINISTRIES])),
    )


def everything(log: list[Known], epoch: date) -> Asked:
    """The question after all there is."""
    first, last = (epoch + timedelta(days=n) for n in (-40, SPAN + 40))
    return Asked(position=log[-1].position, on=last, first=first, last=last, months=3, asker=None)


def register(stage: Stage, asked: Asked, bodies: tuple[str, ...], **more: Any) -> list[BodyLine]:
    """The register of some bodies."""
    found = periods_between(asked.first, asked.last, MONTHS[asked.months], 1000)
    assert found is not None
    scope = EVERYTHING if asked.asker is None else ministry(asked.asker)
    scope = ANYBODY if asked.asker == PUBLIC else scope
    with stage.read_model.reading() as reading:
        lines, _ = register_as_of(
            reading,
            AsOf(asked.on, asked.position, None),
            scope,
            found,
            RegisterFilters(body=bodies),
            **more,
        )
    return lines


def totals(stage: Stage, asked: Asked, bodies: tuple[str, ...] = (), **more: Any) -> MeetingTotals:
    """The totals over some bodies."""
    found = periods_between(asked.first, asked.last, MONTHS[asked.months], 1000)
    assert found is not None
    scope = EVERYTHING if asked.asker is None else ministry(asked.asker)
    scope = ANYBODY if asked.asker == PUBLIC else scope
    filters = RegisterFilters(body=bodies, **more)
    with stage.read_model.reading() as reading:
        return totals_as_of(reading, AsOf(asked.on, asked.position, None), scope, found, filters)


def totals_as_replayed(
    stage: Stage, asked: Asked, bodies: tuple[str, ...]
) -> dict[tuple[str, str, date], dict[str, int]]:
    """The totals in the terms of the replay; that the periods make up the whole is seen to here."""
    told, found = totals(stage, asked, bodies), {}
    groups: list[tuple[str, str, MeetingTotal]] = [("all", "all", told)]
    groups += [("kind", one.group, one) for one in told.by_kind]
    groups += [("organization", one.group, one) for one in told.by_organization]
    for by, name, group in groups:
        for period in group.periods:
            counts = {
                STATES[field]: number for field, number in structs.asdict(period.counts).items() if number
            }
            if counts:
                found[by, name, period.from_on] = counts
        for field in STATES:
            assert getattr(group.counts, field) == sum(getattr(one.counts, field) for one in group.periods)
    return found


STATES = {"held": "held", "cancelled": "cancelled", "ahead": "convened", "unrecorded": "unrecorded"}


def as_replayed(line: BodyLine) -> dict[str, Any]:
    """A line of the register in the terms of the replay."""
    return {
        "known": line.name is not None,
        "periods": [
            {
                "first": period.from_on,
                "last": period.to_on,
                "expected": period.counts.expected,
                "due": period.counts.due,
                "held": period.counts.held,
                "cancelled": period.counts.cancelled,
                "ahead": period.counts.ahead,
                "unrecorded": period.counts.unrecorded,
                "late": period.counts.minutes_late,
                "absences": period.counts.mandatory_absences,
                "meetings": [
                    {
                        "id": meeting.id,
                        "on": meeting.on,
                        "counts_on": meeting.counts_on,
                        "state": meeting.state,
                        "items": meeting.agenda_items,
                        "size": meeting.agenda_size,
                        "circulated": meeting.minutes_circulated_on,
                        "days": meeting.days_to_minutes,
                        "late": meeting.minutes_late is True,
                        "absences": None
                        if meeting.mandatory_absences is None
                        else [seat.organization or seat.position for seat in meeting.mandatory_absences],
                    }
                    for meeting in sorted(period.meetings, key=lambda one: str(one.id))
                ],
            }
            for period in line.periods
        ],
    }


@EVERY_TIME
@given(data=st.data())
def test_the_register_says_what_a_replay_of_the_log_says(stage: Stage, data: st.DataObject) -> None:
    number = next(numbers)
    tag, epoch = f"B{number:05d}", BEGINNING + timedelta(days=number * (SPAN + 1))
    log = written(stage, data.draw(histories(tag, epoch)), epoch)
    bodies = tuple(f"{tag}-{n}" for n in range(2))
    for asked in (everything(log, epoch), *(asked_of(data, log, epoch) for _ in range(4))):
        lines = register(stage, asked, bodies)
        assert {line.body: as_replayed(line) for line in lines} == replayed_register(log, asked)
        assert totals_as_replayed(stage, asked, bodies) == replayed_totals(log, asked)
        for line in lines:
            for name in ("expected", "due", "held", "cancelled", "ahead", "unrecorded", "minutes_late"):
                parts = [getattr(period.counts, name) for period in line.periods]
                whole = getattr(line.totals, name)
                assert parts == [None] * len(parts) if whole is None else sum(parts) == whole
        paged = [
            line for n in range(2) for line in register(stage, asked, bodies, after=f"{tag}-{n - 1}", limit=1)
        ]
        assert {line.body for line in paged} == {line.body for line in lines}


def told_of(
    stage: Stage, asker: str | None, on: date = date(2012, 6, 30), **more: Any
) -> dict[str, BodyLine]:
    """The register of the first half of 2012, by month."""
    asked = Asked(stage.store.head(), on, date(2012, 1, 1), date(2012, 6, 30), 1, asker)
    return {line.body: line for line in register(stage, asked, (), **more)}


ABSENT = Seat(organization="DIPRES")
JANUARY = date(2012, 1, 1)


def test_the_register_shows_expected_and_held_late_minutes_and_absences(stage: Stage) -> None:
    tell(stage, committee("SEG"), convened("SEG", "M-1", date(2012, 1, 10), size=5), now=noon(JANUARY))
    tell(stage, held("M-1", date(2012, 1, 10), absent=(ABSENT,)), now=noon(date(2012, 1, 11)))
    tell(stage, circulated("M-1"), convened("SEG", "M-2", date(2012, 3, 6)), now=noon(date(2012, 1, 18)))
    cancelled = Told("meeting", "M-2", MeetingCancelled(reason="Earthquake"))
    # What is sent again, to others, is not late for that.
    tell(
        stage,
        circulated("M-1", "MOP"),
        cancelled,
        convened("SEG", "M-3", date(2012, 5, 8)),
        now=noon(date(2012, 3, 5)),
    )
    changed = committee("SEG", protocol=protocol(2, days_to_minutes=3)).event
    fields = {name: getattr(changed, name) for name in changed.__struct_fields__ if name != "code"}
    tell(stage, Told("body", "SEG", BodyChanged(**fields)), now=noon(date(2012, 4, 1)))
    tell(stage, held("M-3", date(2012, 5, 8)), now=noon(date(2012, 5, 9)))
    stage.wait()
    line = told_of(stage, None)["SEG"]
    assert [period.counts.expected for period in line.periods] == [1, 1, 1, 2, 2, 2]
    assert (line.totals.expected, line.totals.held, line.totals.cancelled) == (9, 2, 1)
    first = line.periods[0].meetings[0]
    assert (first.agenda_items, first.agenda_size, first.agenda_exceeded) == (5, 4, True)
    assert (first.days_to_minutes, first.minutes_due_on, first.minutes_late) == (8, date(2012, 1, 17), True)
    assert first.mandatory_absences is not None
    assert [seat.organization for seat in first.mandatory_absences] == ["DIPRES"]
    last = line.periods[4].meetings[0]
    assert (last.minutes_circulated_on, last.minutes_due_on, last.minutes_late) == (
        None,
        date(2012, 5, 11),
        True,
    )
    assert (line.totals.minutes_late, line.totals.mandatory_absences) == (2, 1)
    # On the day on which minutes are due they are not late yet, and what lies ahead has not happened.
    then = told_of(stage, None, date(2012, 1, 17))["SEG"]
    assert then.periods[0].meetings[0].minutes_late is False
    assert (then.totals.due, then.totals.held, then.totals.cancelled, then.totals.ahead) == (0, 1, 0, 2)


def test_minutes_of_meetings_entered_years_later_are_as_late_as_they_were(stage: Stage) -> None:
    told = [held("M-1", date(2012, 1, 10)), circulated("M-1", on=date(2012, 1, 16))]
    entered = date(2026, 1, 5)
    tell(stage, committee("SEG"), convened("SEG", "M-1", date(2012, 1, 10)), *told, now=noon(entered))
    before = stage.store.head()
    # Sent to somebody else before: that is when they were out. Sent again later mends them.
    mended = [circulated("M-1", "MOP", on=date(2012, 1, 13)), circulated("M-1", on=date(2012, 2, 1))]
    tell(stage, *mended, now=noon(entered + timedelta(days=1)))
    stage.wait()

    def minutes(on: date, position: int) -> tuple[date | None, int | None, bool | None]:
        asked = Asked(position, on, date(2012, 1, 1), date(2012, 1, 31), 1, None)
        (line,) = register(stage, asked, ())
        (meeting,) = line.periods[0].meetings
        return meeting.minutes_circulated_on, meeting.days_to_minutes, meeting.minutes_late

    head = stage.store.head()
    assert minutes(date(2012, 12, 31), before) == (date(2012, 1, 16), 6, False)
    assert minutes(date(2012, 12, 31), head) == (date(2012, 1, 13), 3, False)
    assert minutes(date(2012, 1, 15), before) == (None, None, False)
    assert minutes(date(2012, 1, 15), head) == (date(2012, 1, 13), 3, False)


def test_a_meeting_whose_day_has_passed_without_any_record_is_no_longer_ahead(stage: Stage) -> None:
    day = date(2012, 2, 14)
    tell(
        stage,
        committee("SEG"),
        *(convened("SEG", code, day) for code in ("NOTHING", "CANCELLED", "MOVED", "HELD-LATER")),
        now=noon(JANUARY),
    )
    then = stage.store.head()
    moved = MeetingRescheduled(
        scheduled_at=noon(date(2012, 5, 2)), previous=Appointment(scheduled_at=noon(day)), reason="Ill"
    )
    tell(
        stage,
        Told("meeting", "CANCELLED", MeetingCancelled(reason="Earthquake")),
        Told("meeting", "MOVED", moved),
        held("HELD-LATER", date(2012, 3, 1)),
        now=noon(date(2012, 3, 10)),
    )
    stage.wait()

    def counts(on: date, position: int) -> tuple[int, int, int, int]:
        asked = Asked(position, on, date(2012, 1, 1), date(2012, 6, 30), 12, None)
        (line,) = register(stage, asked, ())
        totals = line.totals
        return totals.held, totals.cancelled, totals.ahead, totals.unrecorded

    head = stage.store.head()
    # On its own day it may still be held.
    assert counts(day, then) == (0, 0, 4, 0)
    assert counts(day + timedelta(days=1), then) == (0, 0, 0, 4)
    # What was told later is known of that day, too: it had been called off, or moved, and another was held later.
    assert counts(day + timedelta(days=1), head) == (0, 1, 2, 1)
    assert counts(date(2012, 6, 30), head) == (1, 1, 0, 2)


def test_the_protocol_of_the_day_of_registration_holds_for_earlier_meetings(stage: Stage) -> None:
    described = committee("SEG", protocol=protocol(2)).event
    fields = {name: getattr(described, name) for name in described.__struct_fields__ if name != "code"}
    mended = Told("body", "SEG", BodyChanged(**fields))
    tell(
        stage, committee("SEG"), mended, convened("SEG", "M-1", date(2012, 3, 1)), now=noon(date(2012, 5, 1))
    )
    stage.wait()
    line = told_of(stage, None)["SEG"]
    assert [period.counts.expected for period in line.periods] == [0, 0, 2, 2, 2, 2]


def test_a_reserved_body_and_its_meetings_are_for_those_who_know_of_them(stage: Stage) -> None:
    reserved: dict[str, Any] = {"visibility": Visibility.RESERVED, "organizations": ("a",)}
    tell(
        stage,
        committee("SEG", organizations=("a", "b")),
        bilateral("BIL", "a"),
        convened("BIL", "M-1", date(2012, 1, 10), **reserved),
        convened("BIL", "M-2", date(2012, 2, 10), **reserved),
        held("M-1", date(2012, 1, 10), absent=(ABSENT,)),
        held("M-2", date(2012, 2, 10)),
        circulated("M-2", "b"),
        now=noon(JANUARY),
    )
    stage.wait()
    assert told_of(stage, PUBLIC) == {}
    assert set(told_of(stage, "c")) == {"SEG"}
    assert told_of(stage, "a")["BIL"] == told_of(stage, None)["BIL"]
    # Somebody who was sent the minutes of one meeting knows of that one, and not of what is asked of the body.
    line = told_of(stage, "b")["BIL"]
    assert (line.name, line.kind, line.totals.expected, line.totals.minutes_late) == (None, None, None, None)
    assert [meeting.on for period in line.periods for meeting in period.meetings] == [date(2012, 2, 10)]
    opened = MeetingPublished(
        visibility=Visibility.PUBLIC, previous=Visibility.RESERVED, reason="The law asks for it"
    )
    tell(stage, Told("meeting", "M-1", opened), now=noon(date(2012, 6, 1)))
    stage.wait()
    (line,) = told_of(stage, PUBLIC).values()
    assert (line.body, line.name, line.totals.held, line.totals.expected) == ("BIL", None, 1, None)


WEEKLY = protocol(1, ProtocolPeriod.WEEK)


def test_a_body_that_met_every_monday_is_never_short_and_one_that_did_not_meet_is_missed(
    stage: Stage,
) -> None:
    mondays = [date(2012, 1, 2) + timedelta(days=7 * n) for n in range(26)]
    tell(stage, committee("POLITICAL", protocol=WEEKLY), now=noon(date(2011, 12, 26)))
    for day in mondays:
        code = f"M-{day}"
        tell(stage, convened("POLITICAL", code, day), held(code, day), now=noon(day))
    tell(
        stage,
        committee("MONTHLY"),
        convened("MONTHLY", "M", mondays[4]),
        held("M", mondays[4]),
        now=noon(JANUARY),
    )
    _political_committee_entered(stage, "BEFORE", date(2011, 12, 1))
    _political_committee_entered(stage, "AFTER", date(2025, 11, 26))
    stage.wait()
    lines = told_of(stage, None)
    line = lines["POLITICAL"]
    # That of January 30 counts in February, that of April 30 in May: their Thursdays do.
    assert [period.counts.expected for period in line.periods] == [4, 4, 5, 4, 5, 4]
    assert [period.counts.held for period in line.periods] == [4, 4, 5, 4, 5, 4]
    assert [one.counts_on for one in line.periods[1].meetings][:1] == [date(2012, 2, 2)]
    # Where months are asked for, a meeting counts on its own day.
    assert lines["MONTHLY"].periods[0].counts.held == 1
    # What was in force is expected, and missing, whenever it was entered; what changed later leaves it as it was.
    for code in ("BEFORE", "AFTER"):
        assert [period.counts.expected for period in lines[code].periods] == [0, 0, 3, 4, 4, 0]
        assert (lines[code].totals.due, lines[code].totals.held) == (11, 0)


def _political_committee_entered(stage: Stage, code: str, entered: date) -> None:
    """In force from a Thursday, and told on another day; from a Monday on, nothing is asked of it any more."""
    since = Protocol(in_force_from=date(2012, 3, 8), expected_meetings=WEEKLY.expected_meetings)
    tell(stage, committee(code, protocol=since), now=noon(entered))
    changed = committee(code, protocol=Protocol(in_force_from=date(2012, 5, 28))).event
    fields = {name: getattr(changed, name) for name in changed.__struct_fields__ if name != "code"}
    tell(stage, Told("body", code, BodyChanged(**fields)), now=noon(entered + timedelta(days=1)))


# The bilaterals of 2012, by month and ministry (section 3.2.2 of the source has the sums of three months).
IN_AUGUST, IN_OCTOBER, IN_NOVEMBER = 18, 13, 21


def test_the_bilaterals_of_2012_come_out_by_month_and_the_register_tells_each_asker_of_their_own(
    stage: Stage,
) -> None:
    codes = [f"M{number:02}" for number in range(22)]
    for code in codes:
        reserved: dict[str, Any] = {"presiding_organization": "PRESIDENCIA", "protocol": WEEKLY}
        tell(stage, bilateral(f"BIL-{code}", code, **reserved), now=noon(JANUARY))
    tell(stage, committee("SOCIAL", organizations=("M00", "M01")), now=noon(JANUARY))
    number = count()

    def met(body: str, at: datetime, *organizations: str, **more: Any) -> None:
        code = f"{body}-{next(number)}"
        called = MeetingConvened(
            body=body,
            scheduled_at=at,
            visibility=Visibility.RESERVED if organizations else Visibility.INTERNAL,
            organizations=organizations,
        )
        someone = Attendee(organization="DCI", position="Chief", presence=Presence.PRESENT)
        took_place = MeetingHeld(held_at=at, attendance=(someone,), **more)
        tell(
            stage,
            Told("meeting", code, called),
            Told("meeting", code, took_place),
            now=noon(date(2013, 5, 2)),
        )

    for month, many in ((8, IN_AUGUST), (10, IN_OCTOBER), (11, IN_NOVEMBER)):
        for one in range(many - 1):
            ministry_code = codes[one % 20]
            met(f"BIL-{ministry_code}", noon(date(2012, month, 1 + one)), ministry_code)
        # Late on the last evening it is the next day, and month, in UTC; and its week has its Thursday there.
        evening = datetime(2012, month + 1, 1, 1, 30, tzinfo=UTC)
        met("BIL-M20", evening, "M20")
        met("SOCIAL", noon(date(2012, month, 15)))
    called_off = convened(
        "BIL-M21", "OFF", date(2012, 8, 3), visibility=Visibility.RESERVED, organizations=("M21",)
    )
    tell(
        stage, called_off, Told("meeting", "OFF", MeetingCancelled(reason="Ill")), now=noon(date(2012, 8, 1))
    )
    stage.wait()
    head = stage.store.head()

    def year(asker: str | None, **filters: Any) -> MeetingTotals:
        span = date(2012, 1, 1), date(2012, 12, 31)
        return totals(stage, Asked(head, date(2013, 6, 1), *span, 1, asker), **filters)

    def held_by_month(total: MeetingTotal) -> list[int]:
        return [period.counts.held for period in total.periods]

    told = year(None)
    kinds = {one.group: one for one in told.by_kind}
    assert held_by_month(kinds["bilateral"]) == [0] * 7 + [18, 0, 13, 21, 0]
    assert held_by_month(kinds["committee"]) == [0] * 7 + [1, 0, 1, 1, 0]
    assert (kinds["bilateral"].counts.cancelled, told.counts.held) == (1, 18 + 13 + 21 + 3)
    organizations = {one.group: one.counts.held for one in told.by_organization}
    assert organizations["PRESIDENCIA"] == 52
    assert (organizations["M00"], organizations["M20"], organizations["M21"]) == (3, 3, 0)
    assert organizations["none"] == 3
    assert year(None, kind=["bilateral"]).counts.held == 52
    # A ministry is told of its own bilaterals and of the committees, and the public of nothing.
    own = year("M00")
    assert [(one.group, one.counts.held) for one in own.by_kind] == [("bilateral", 3), ("committee", 3)]
    assert [one.group for one in own.by_organization] == ["M00", "PRESIDENCIA", "none"]
    assert (year(PUBLIC).counts.held, year(PUBLIC).by_kind, year(PUBLIC).by_organization) == (0, [], [])
