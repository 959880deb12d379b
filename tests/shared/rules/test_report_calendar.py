"""When reports are due: the days of the year that the note names, and every 3, 4 or 6 months."""

from __future__ import annotations

from datetime import date

import pytest

from shared.rules.report_calendar import Publication, Schedule, publication

YEAR = date(2012, 1, 1), date(2012, 12, 31)


@pytest.mark.parametrize(
    ("schedule", "days"),
    [
        (Schedule(["05-21"]), ["05-21"]),
        (Schedule(["08-27", "02-27"]), ["02-27", "08-27"]),
        (Schedule(["12-31"]), ["12-31"]),
        (Schedule([], 3), ["03-31", "06-30", "09-30", "12-31"]),
        (Schedule([], 4), ["04-30", "08-31", "12-31"]),
        (Schedule([], 6), ["06-30", "12-31"]),
        (Schedule([], 6, 40), ["02-09", "08-09"]),
        (Schedule([], 3, in_force_from=date(2012, 6, 30)), ["06-30", "09-30", "12-31"]),
        (Schedule([], 3, ended_on=date(2012, 6, 29)), ["03-31"]),
    ],
)
def test_a_report_is_due_on_its_days(schedule: Schedule, days: list[str]) -> None:
    assert [f"{day:%m-%d}" for day in schedule.between(*YEAR)] == days


def test_a_day_that_a_year_does_not_have_is_the_last_of_its_month() -> None:
    schedule = Schedule(["02-29"])
    assert list(schedule.between(date(2011, 1, 1), date(2012, 12, 31))) == [
        date(2011, 2, 28),
        date(2012, 2, 29),
    ]


def test_an_edition_answers_the_due_day_nearest_to_the_day_it_tells_of() -> None:
    schedule = Schedule([], 3, 20)
    assert schedule.nearest(date(2012, 3, 31)) == date(2012, 4, 20)
    assert schedule.nearest(date(2012, 4, 25)) == date(2012, 4, 20)
    assert Schedule(["05-21"], ended_on=date(2000, 1, 1)).nearest(date(2012, 5, 21)) is None
    assert Schedule(["05-21"]).nearest(date.max) == date(9999, 5, 21)


@pytest.mark.parametrize(
    ("published_on", "on", "became"),
    [
        (date(2012, 5, 21), date(2012, 6, 1), Publication.PUBLISHED),
        (date(2012, 5, 22), date(2012, 6, 1), Publication.LATE),
        (None, date(2012, 5, 21), Publication.DUE),
        (None, date(2012, 5, 22), Publication.MISSING),
    ],
)
def test_a_due_day_is_kept_missed_or_still_to_come(
    published_on: date | None, on: date, became: Publication
) -> None:
    assert publication(published_on, date(2012, 5, 21), on) is became
