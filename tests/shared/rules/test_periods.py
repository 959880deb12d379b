"""The names of periods, and the days they stand for."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidInput
from shared.rules.periods import period_named


@pytest.mark.parametrize(
    ("name", "begins_on", "ends_on"),
    [
        ("2011", date(2011, 1, 1), date(2011, 12, 31)),
        ("2011-H1", date(2011, 1, 1), date(2011, 6, 30)),
        ("2011-H2", date(2011, 7, 1), date(2011, 12, 31)),
        ("2011-T2", date(2011, 5, 1), date(2011, 8, 31)),
        ("2011-Q3", date(2011, 7, 1), date(2011, 9, 30)),
        ("2012-02", date(2012, 2, 1), date(2012, 2, 29)),
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
    ],
)
def test_what_names_no_period_is_refused_where_it_stands(name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        period_named(name)
    assert (refused.value.code, refused.value.pointer) == ("period-malformed", "/period")


@given(st.integers(1000, 2999), st.sampled_from(["H", "T", "Q", ""]))
def test_the_parts_of_a_year_fill_it_without_gap_or_overlap(year: int, letter: str) -> None:
    names = {
        "H": [f"{year}-H{n}" for n in (1, 2)],
        "T": [f"{year}-T{n}" for n in (1, 2, 3)],
        "Q": [f"{year}-Q{n}" for n in (1, 2, 3, 4)],
        "": [f"{year}-{n:02}" for n in range(1, 13)],
    }[letter]
    periods = [period_named(name) for name in names]
    assert (periods[0].begins_on, periods[-1].ends_on) == period_named(f"{year}")[1:]
    for earlier, later in pairwise(periods):
        assert later.begins_on == earlier.ends_on + timedelta(days=1)
