"""The names of periods, and the days they stand for."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidInput
from shared.events.vocabulary import Frequency
from shared.rules.periods import first_day, last_day, period_named, stored_period


@pytest.mark.parametrize(
    ("name", "begins_on", "ends_on"),
    [
        ("2011", date(2011, 1, 1), date(2011, 12, 31)),
        ("2011-H1", date(2011, 1, 1), date(2011, 6, 30)),
        ("2011-H2", date(2011, 7, 1), date(2011, 12, 31)),
        ("2011-C2", date(2011, 5, 1), date(2011, 8, 31)),
        ("2011-Q3", date(2011, 7, 1), date(2011, 9, 30)),
        ("2012-02", date(2012, 2, 1), date(2012, 2, 29)),
        ("2009-W53", date(2009, 12, 28), date(2010, 1, 3)),
        ("2011-03-01--2012-02-29", date(2011, 3, 1), date(2012, 2, 29)),
    ],
)
def test_a_period_has_a_first_and_a_last_day(name: str, begins_on: date, ends_on: date) -> None:
    assert period_named(name) == (name, begins_on, ends_on)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "11",
        "2011-13",
        "2011-00",
        "2011-H3",
        "2011-T4",
        "2011-Q5",
        "2011-q1",
        "2011-5",
        "2011 ",
        "2011-05-01",
        "2011-W00",
        "2011-W53",
        "2011-W7",
        "2011-03-01--2011-02-29",
        "2011-03-01--2011-02-28",
        "2011/2012",
    ],
)
def test_what_names_no_period_is_refused_where_it_stands(name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        period_named(name)
    assert (refused.value.code, refused.value.pointer) == ("period-malformed", "/period")


@given(st.integers(1000, 2999), st.sampled_from(["H", "C", "Q", ""]))
def test_the_parts_of_a_year_fill_it_without_gap_or_overlap(year: int, letter: str) -> None:
    names = {
        "H": [f"{year}-H{n}" for n in (1, 2)],
        "C": [f"{year}-C{n}" for n in (1, 2, 3)],
        "Q": [f"{year}-Q{n}" for n in (1, 2, 3, 4)],
        "": [f"{year}-{n:02}" for n in range(1, 13)],
    }[letter]
    periods = [period_named(name) for name in names]
    assert (periods[0].begins_on, periods[-1].ends_on) == period_named(f"{year}")[1:]
    for earlier, later in pairwise(periods):
        assert later.begins_on == earlier.ends_on + timedelta(days=1)


@given(st.dates(date(1001, 1, 1), date(2998, 12, 31)))
def test_every_day_is_of_the_week_that_iso_gives_it(day: date) -> None:
    year, week, _ = day.isocalendar()
    period = period_named(f"{year}-W{week:02}")
    assert period.begins_on <= day <= period.ends_on
    assert period.is_of(Frequency.WEEKLY)


@pytest.mark.parametrize(
    ("name", "choices"),
    [("2011-T2", ("2011-Q2", "2011-C2")), ("2012-T1", ("2012-Q1", "2012-C1"))],
)
def test_the_letter_that_means_two_things_is_refused_with_both_ways_to_write_it(
    name: str, choices: tuple[str, str]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        period_named(name, "/period")
    assert (refused.value.code, refused.value.pointer) == ("period-ambiguous", "/period")
    assert all(choice in str(refused.value) for choice in choices)


def test_what_was_stored_with_that_letter_is_four_months() -> None:
    assert stored_period("2011-T2") == period_named("2011-C2")
    assert (first_day("2011-T2"), last_day("2011-T2")) == (date(2011, 5, 1), date(2011, 8, 31))


@pytest.mark.parametrize(
    ("name", "frequencies"),
    [
        ("2011", {Frequency.YEARLY, Frequency.SCHOOL_YEARLY}),
        ("2011-03-01--2012-02-29", {Frequency.YEARLY, Frequency.SCHOOL_YEARLY}),
        ("2011-03-07--2011-12-16", {Frequency.SCHOOL_YEARLY}),
        ("2012-H1", {Frequency.HALF_YEARLY}),
        ("2011-H2", {Frequency.HALF_YEARLY}),
        ("2011-Q3", {Frequency.QUARTERLY}),
        ("2012-Q1", {Frequency.QUARTERLY}),
        ("2011-C1", {Frequency.FOUR_MONTHLY}),
        ("2011-02", {Frequency.MONTHLY}),
        ("2011-W07", {Frequency.WEEKLY}),
        ("2011-03-01--2011-03-10", set()),
    ],
)
def test_a_period_is_of_the_frequency_that_is_as_long(name: str, frequencies: set[Frequency]) -> None:
    of = {frequency for frequency in Frequency if period_named(name).is_of(frequency)}
    assert of == frequencies | {Frequency.OTHER}


def test_periods_overlap_where_they_share_a_day() -> None:
    year, third = period_named("2011"), period_named("2011-C3")
    assert year.overlaps(third)
    assert third.overlaps(year)
    assert not year.overlaps(period_named("2012-Q1"))
    assert period_named("2009-W53").overlaps(period_named("2010-01"))
