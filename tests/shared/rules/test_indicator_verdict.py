"""The verdict on a value, and the household victimisation series of the source (%, 2009 to 2012) as worked example."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events.vocabulary import Direction
from shared.rules.indicator_verdict import (
    CURRENT_INDICATOR_RULE,
    FAVOURABLE,
    IndicatorStatus,
    Point,
    Promise,
    indicator_verdict,
    planned_on,
)
from shared.rules.registry import rule_named

BASELINE = Point(date(2009, 12, 31), Decimal("33.6"))
FIFTEEN_PER_CENT_LESS = Decimal("33.6") * Decimal("0.85")
BY_2013 = Promise(Direction.DECREASE, Point(date(2013, 12, 31), FIFTEEN_PER_CENT_LESS), BASELINE)
BY_2014 = Promise(Direction.DECREASE, Point(date(2014, 12, 31), FIFTEEN_PER_CENT_LESS), BASELINE)
FOUND = {2010: Decimal("28.2"), 2011: Decimal("31.1"), 2012: Decimal("26.3")}


def statuses(promise: Promise) -> list[str]:
    return [indicator_verdict(promise, value, date(year, 12, 31)).status for year, value in FOUND.items()]


def test_victimisation_had_met_its_target_after_a_year_and_fell_back_the_year_after() -> None:
    assert statuses(BY_2013) == ["met", "behind", "met"]


def test_moving_the_target_from_2013_to_2014_turns_the_rebound_of_2011_into_a_value_on_the_way() -> None:
    assert statuses(BY_2014) == ["met", "on_the_way", "met"]


def test_the_planned_value_lies_on_the_line_from_the_baseline_to_the_target() -> None:
    assert planned_on(BY_2013, BASELINE.on) == BASELINE.value
    assert planned_on(BY_2013, date(2011, 12, 31)) == pytest.approx(Decimal("31.08"), abs=Decimal("0.01"))
    assert planned_on(BY_2013, date(2013, 12, 31)) == FIFTEEN_PER_CENT_LESS
    assert planned_on(BY_2013, date(2009, 12, 30)) is None


def test_a_trajectory_bends_the_line() -> None:
    late = BY_2013._replace(trajectory=(Point(date(2011, 12, 31), Decimal("33")),))
    assert planned_on(late, date(2011, 12, 31)) == 33
    assert indicator_verdict(late, Decimal("31.1"), date(2011, 12, 31)).status == "on_the_way"


def test_a_plan_beyond_the_targets_day_plays_no_part() -> None:
    beyond = BY_2013._replace(trajectory=(Point(date(2015, 12, 31), Decimal(20)),))
    assert planned_on(beyond, date(2012, 12, 31)) == planned_on(BY_2013, date(2012, 12, 31))


def test_the_same_value_is_late_when_its_period_ended_after_the_targets_day() -> None:
    assert indicator_verdict(BY_2013, Decimal(28), date(2014, 12, 31)).status == "met_late"
    assert indicator_verdict(BY_2013, Decimal(28), date(2013, 12, 31)).status == "met"


def test_a_period_that_ends_on_the_targets_day_decides() -> None:
    assert indicator_verdict(BY_2013, Decimal(29), date(2013, 12, 30)).status == "behind"
    assert indicator_verdict(BY_2013, Decimal(29), date(2013, 12, 31)).status == "not_met"


def test_without_a_baseline_or_a_trajectory_nobody_can_say_whether_it_is_on_the_way() -> None:
    verdict = indicator_verdict(BY_2013._replace(baseline=None), Decimal(30), date(2011, 12, 31))
    assert (verdict.status, verdict.planned) == ("no_plan", None)


@pytest.mark.parametrize(
    ("value", "status"), [("98", "met"), ("102", "met"), ("97.9", "off_target"), ("103", "off_target")]
)
def test_a_value_to_be_maintained_may_stray_by_its_tolerance_either_way(value: str, status: str) -> None:
    promise = Promise(Direction.MAINTAIN, Point(date(2013, 12, 31), Decimal(100)), tolerance=Decimal(2))
    assert indicator_verdict(promise, Decimal(value), date(2012, 12, 31)).status == status


def test_an_unknown_rule_is_an_error_and_the_current_one_is_known() -> None:
    assert rule_named(CURRENT_INDICATOR_RULE).version == 1
    with pytest.raises(KeyError):
        indicator_verdict(BY_2013, Decimal(1), date(2011, 12, 31), rule="indicator_verdict_0")


days = st.dates(date(2005, 1, 1), date(2020, 12, 31))
numbers = st.decimals(-1000, 1000, allow_nan=False, places=2)
promises = st.builds(
    Promise,
    direction=st.sampled_from([Direction.INCREASE, Direction.DECREASE]),
    target=st.builds(Point, days, numbers),
    baseline=st.none() | st.builds(Point, days, numbers),
    trajectory=st.lists(st.builds(Point, days, numbers), max_size=4, unique_by=lambda point: point.on).map(
        lambda points: tuple(sorted(points))
    ),
)


@given(promises, numbers, numbers, days)
def test_a_better_value_never_gets_a_worse_verdict(
    promise: Promise, one: Decimal, other: Decimal, day: date
) -> None:
    worse, better = sorted((one, other), reverse=promise.direction is Direction.DECREASE)
    if indicator_verdict(promise, worse, day).status in FAVOURABLE:
        assert indicator_verdict(promise, better, day).status in FAVOURABLE


@given(promises, numbers, days)
def test_before_the_targets_day_a_verdict_can_still_turn_and_on_it_the_target_alone_decides(
    promise: Promise, value: Decimal, day: date
) -> None:
    status = indicator_verdict(promise, value, day).status
    if day < promise.target.on:
        assert status not in {IndicatorStatus.NOT_MET, IndicatorStatus.MET_LATE}
    else:
        assert status in {IndicatorStatus.MET, IndicatorStatus.MET_LATE, IndicatorStatus.NOT_MET}


@given(promises, days)
def test_the_plan_never_leaves_the_values_it_was_drawn_through(promise: Promise, day: date) -> None:
    planned = planned_on(promise, day)
    values = [point.value for point in (promise.target, promise.baseline, *promise.trajectory) if point]
    slack = Decimal("1e-9")
    assert planned is None or min(values) - slack <= planned <= max(values) + slack


@given(promises, numbers, days, st.integers(-4000, 4000))
def test_the_calendar_can_be_moved_as_a_whole_without_changing_a_verdict(
    promise: Promise, value: Decimal, day: date, days_later: int
) -> None:
    by = timedelta(days=days_later)

    def moved(point: Point) -> Point:
        return Point(point.on + by, point.value)

    later = promise._replace(
        target=moved(promise.target),
        baseline=moved(promise.baseline) if promise.baseline else None,
        trajectory=tuple(moved(point) for point in promise.trajectory),
    )
    assert indicator_verdict(later, value, day + by) == indicator_verdict(promise, value, day)
