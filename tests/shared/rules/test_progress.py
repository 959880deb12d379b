"""How far a commitment is: what accepted reports say, and beside it what nobody has looked at yet."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from shared.events.commitments import ProgressReported, ProgressReviewed
from shared.events.vocabulary import ReviewOutcome
from shared.rules.progress import ReportsByDay

LATER = date(2012, 12, 31)


def reports(*told: tuple[str, date, str | None], **reviews: ReviewOutcome) -> ReportsByDay:
    """Reports numbered from 1, each with its period, day and percentage; reviews by `r1`, `r2`, …"""
    found = ReportsByDay()
    for number, (period, day, percent) in enumerate(told, 1):
        figure = None if percent is None else Decimal(percent)
        report = ProgressReported(number=number, period=period, effective_on=day, percent=figure)
        assert found.apply(report, number) == day
    for name, outcome in reviews.items():
        found.apply(ProgressReviewed(report=int(name[1:]), outcome=outcome), 100)
    return found


def test_only_what_was_accepted_is_done_and_the_rest_is_told_beside_it() -> None:
    told = reports(
        ("2012-Q1", date(2012, 3, 31), "20"),
        ("2012-Q2", date(2012, 6, 30), "45"),
        ("2012-Q3", date(2012, 9, 30), "90"),
        r1=ReviewOutcome.ACCEPTED,
        r3=ReviewOutcome.RETURNED,
    )
    assert (told.percent_on(LATER), told.percent_unreviewed_on(LATER)) == (Decimal(20), Decimal(45))
    assert told.percent_unreviewed_on(date(2012, 6, 29)) == 20
    assert told.percent_on(date(2012, 3, 30)) is None


def test_a_late_report_of_an_earlier_period_does_not_overtake_that_of_a_later_one() -> None:
    day = date(2012, 10, 2)
    told = reports(
        ("2012-Q3", day, "60"),
        ("2012-Q1", day, "10"),
        ("2012-Q4", date(2012, 10, 1), "70"),
        r1=ReviewOutcome.ACCEPTED,
        r2=ReviewOutcome.ACCEPTED,
        r3=ReviewOutcome.ACCEPTED,
    )
    assert (told.percent_on(LATER), told.percent_unreviewed_on(LATER)) == (Decimal(60), Decimal(60))
    last = told.accepted_on(LATER)
    assert last is not None
    assert last.number == 1


def test_a_report_without_a_percentage_leaves_that_of_the_one_before_but_is_the_result() -> None:
    told = reports(
        ("2012-Q1", date(2012, 3, 31), "20"),
        ("2012-Q2", date(2012, 6, 30), None),
        r1=ReviewOutcome.ACCEPTED,
        r2=ReviewOutcome.ACCEPTED,
    )
    assert told.percent_on(LATER) == 20
    last = told.accepted_on(LATER)
    assert last is not None
    assert last.number == 2


def test_a_review_of_a_report_that_is_not_there_changes_no_day() -> None:
    assert ReportsByDay().apply(ProgressReviewed(report=3, outcome=ReviewOutcome.ACCEPTED), 1) is None
