"""What the protocol of a body asks for on which days."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events.meeting_vocabulary import ProtocolPeriod
from shared.rules.protocols import InForce, Terms, Told, counts_on, expected_between

WEEKLY = Terms(1, ProtocolPeriod.WEEK)
MONTHLY = Terms(1, ProtocolPeriod.MONTH)
LONG_AGO = date(1990, 1, 1)
days = st.dates(date(2009, 1, 1), date(2014, 12, 31))
months = st.tuples(st.integers(2009, 2014), st.integers(1, 12))


def asked(terms: Terms, since: date | None = None, told_on: date = LONG_AGO) -> InForce[Terms]:
    return InForce([Told(since, told_on, terms)])


def month(year: int, number: int) -> tuple[date, date]:
    following = date(year + number // 12, number % 12 + 1, 1)
    return date(year, number, 1), following - timedelta(days=1)


@pytest.mark.parametrize(
    ("count", "period", "due"),
    [
        (1, ProtocolPeriod.MONTH, ["02-29", "03-31"]),
        (2, ProtocolPeriod.MONTH, ["02-15", "02-29", "03-16", "03-31"]),
        (1, ProtocolPeriod.QUARTER, ["03-31"]),
        (3, ProtocolPeriod.QUARTER, ["03-01", "03-31"]),
        (4, ProtocolPeriod.YEAR, ["04-01"]),
    ],
)
def test_meetings_are_due_by_their_part_of_the_period(
    count: int, period: ProtocolPeriod, due: list[str]
) -> None:
    found = expected_between(asked(Terms(count, period)), date(2012, 2, 2), date(2012, 4, 1))
    assert [f"{one.due_on:%m-%d}" for one in found] == due
    assert all(one.counts_on == one.due_on for one in found)


def test_a_week_counts_on_its_thursday_and_is_due_by_its_sunday() -> None:
    found = expected_between(asked(WEEKLY), date(2012, 2, 27), date(2012, 3, 4))
    assert found == [(date(2012, 3, 1), date(2012, 3, 4))]
    assert expected_between(asked(Terms(2, ProtocolPeriod.WEEK)), date(2012, 3, 1), date(2012, 3, 1)) == [
        (date(2012, 3, 1), date(2012, 3, 1)),
        (date(2012, 3, 1), date(2012, 3, 4)),
    ]


@given(since=days, weekday=st.integers(0, 6), asked_of=months, count=st.integers(1, 3))
def test_a_body_that_met_in_every_week_is_never_short(
    since: date, weekday: int, asked_of: tuple[int, int], count: int
) -> None:
    protocols = asked(Terms(count, ProtocolPeriod.WEEK), since)
    first, last = month(*asked_of)
    met = [day for day in _each(since, date(2015, 12, 31)) if day.weekday() == weekday]
    held = sum(first <= counts_on(protocols, day) <= last for day in met) * count
    assert held >= len(expected_between(protocols, first, last))


@given(terms=st.sampled_from(ProtocolPeriod).map(lambda period: Terms(3, period)), split=days)
def test_what_is_expected_of_neighbouring_days_adds_up(terms: Terms, split: date) -> None:
    protocols = asked(terms)
    first, last = date(2009, 1, 1), date(2014, 12, 31)
    whole = Counter(expected_between(protocols, first, last))
    before = Counter(expected_between(protocols, first, split))
    after = Counter(expected_between(protocols, split + timedelta(days=1), last))
    assert before + after == whole


def test_in_a_month_a_meeting_counts_on_its_own_day() -> None:
    assert counts_on(asked(MONTHLY), date(2012, 2, 27)) == date(2012, 2, 27)
    assert counts_on(asked(WEEKLY), date(2012, 2, 27)) == date(2012, 3, 1)


def test_what_is_in_force_from_a_day_is_expected_from_it_whenever_that_was_told() -> None:
    told_late = asked(WEEKLY, date(2010, 3, 11), told_on=date(2026, 11, 26))
    found = expected_between(told_late, date(2010, 1, 1), date(2010, 4, 30))
    # The week of that Thursday had begun without it.
    assert [one.counts_on for one in found[:3]] == [date(2010, 3, 18), date(2010, 3, 25), date(2010, 4, 1)]
    assert told_late.on(date(2010, 3, 10)) is None


def test_a_change_on_a_day_leaves_what_was_asked_before_and_replaces_what_was_told_for_later() -> None:
    told_on = date(2012, 5, 1)
    protocols = InForce(
        [
            Told(date(2010, 3, 11), told_on, WEEKLY),
            Told(date(2011, 1, 1), told_on, MONTHLY),
            Told(date(2012, 1, 1), told_on, Terms()),
            Told(date(2011, 7, 1), told_on, WEEKLY),
        ]
    )
    asked_for = [protocols.on(date(year, month, 1)) for year, month in ((2010, 6), (2011, 6), (2012, 6))]
    assert asked_for == [WEEKLY, MONTHLY, WEEKLY]
    before = InForce([Told(date(2010, 3, 11), told_on, WEEKLY)])
    stretch = date(2010, 1, 1), date(2010, 12, 26)
    assert expected_between(protocols, *stretch) == expected_between(before, *stretch)


def test_what_is_told_for_an_earlier_day_is_the_first_from_then_on() -> None:
    told_on = date(2026, 11, 26)
    late = InForce([Told(None, told_on, MONTHLY), Told(date(2010, 3, 11), told_on, WEEKLY)])
    assert [late.on(date(2010, 3, day)) for day in (10, 11)] == [None, WEEKLY]
    stretch = date(2010, 1, 1), date(2026, 12, 31)
    assert expected_between(late, *stretch) == expected_between(asked(WEEKLY, date(2010, 3, 11)), *stretch)


def test_what_names_no_day_holds_from_when_it_was_told_and_the_first_of_it_for_meetings_entered_late() -> (
    None
):
    protocols = InForce(
        [Told(None, date(2012, 5, 1), MONTHLY), Told(None, date(2012, 8, 1), Terms(2, ProtocolPeriod.MONTH))]
    )
    span = date(2012, 1, 1), date(2012, 8, 31)
    assert protocols.on(date(2011, 1, 1)) == MONTHLY
    assert len(expected_between(protocols, *span)) == 3 + 2
    assert len(expected_between(protocols, *span, met_on=date(2012, 3, 10))) == 5 + 2


def test_the_last_weeks_and_years_of_the_calendar_have_meetings_too() -> None:
    for period in ProtocolPeriod:
        protocols = asked(Terms(1, period), date.min)
        assert expected_between(protocols, date(9999, 1, 1), date.max)[-1].due_on >= date(9999, 12, 26)
        assert expected_between(protocols, date.min, date(1, 12, 31))
        assert counts_on(protocols, date.max) <= date.max
        assert counts_on(protocols, date.min) >= date.min


def _each(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
