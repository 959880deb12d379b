"""The verdict on a value, and the household victimisation series of the source (%, 2009 to 2012) as worked example."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events.vocabulary import Accumulation, Direction
from shared.rules.indicator_verdict import (
    CURRENT_INDICATOR_RULE,
    FAVOURABLE,
    INDICATOR_VERDICT_1,
    IndicatorStatus,
    Obstacle,
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
    assert rule_named(CURRENT_INDICATOR_RULE).version == 2
    with pytest.raises(KeyError):
        indicator_verdict(BY_2013, Decimal(1), date(2011, 12, 31), rule="indicator_verdict_0")


# --- windows ---------------------------------------------------------------------------------------------------------

SIX_PER_CENT = Promise(
    Direction.INCREASE,
    Point(date(2013, 12, 31), Decimal(6)),
    accumulation=Accumulation.MEAN,
    from_on=date(2010, 1, 1),
)
A_MILLION_JOBS = SIX_PER_CENT._replace(
    target=Point(date(2013, 12, 31), Decimal(1_000_000)), accumulation=Accumulation.SUM
)


def test_an_average_that_is_ahead_is_on_the_way_until_the_window_ends() -> None:
    averages = {2010: "5.8", 2011: "6.35", 2012: "6.1", 2013: "6"}
    told = [
        indicator_verdict(SIX_PER_CENT, Decimal(value), date(year, 12, 31)).status
        for year, value in averages.items()
    ]
    assert told == ["behind", "on_the_way", "on_the_way", "met"]
    assert indicator_verdict(SIX_PER_CENT, Decimal("5.9"), date(2013, 12, 31)).status == "not_met"
    assert indicator_verdict(SIX_PER_CENT, Decimal("6.1"), date(2014, 12, 31)).status == "met_late"


def test_a_sum_is_planned_to_grow_evenly_from_the_eve_of_its_window() -> None:
    after_two_years = date(2011, 12, 31)
    planned = planned_on(A_MILLION_JOBS, after_two_years)
    assert planned == pytest.approx(Decimal(1_000_000) * 730 / 1461)
    assert indicator_verdict(A_MILLION_JOBS, Decimal(499_658), after_two_years).status == "on_the_way"
    assert indicator_verdict(A_MILLION_JOBS, Decimal(499_657), after_two_years).status == "behind"
    assert indicator_verdict(A_MILLION_JOBS, Decimal(1_000_000), after_two_years).status == "met"


@pytest.mark.parametrize(
    ("accumulation", "direction", "status"),
    [
        (Accumulation.SUM, Direction.INCREASE, "met"),
        (Accumulation.MAX, Direction.INCREASE, "met"),
        (Accumulation.MIN, Direction.DECREASE, "met"),
        (Accumulation.LAST, Direction.DECREASE, "met"),
        (Accumulation.SUM, Direction.DECREASE, "behind"),
        (Accumulation.MEAN, Direction.INCREASE, "on_the_way"),
        (Accumulation.MAX, Direction.DECREASE, "on_the_way"),
        (Accumulation.MIN, Direction.INCREASE, "on_the_way"),
        (Accumulation.MEAN, Direction.MAINTAIN, "on_the_way"),
    ],
)
def test_what_can_still_be_outdone_is_not_met_before_the_window_ends(
    accumulation: Accumulation, direction: Direction, status: str
) -> None:
    promise = SIX_PER_CENT._replace(accumulation=accumulation, direction=direction)
    assert indicator_verdict(promise, Decimal(6), date(2011, 12, 31)).status == status


def test_nothing_is_concluded_across_units_or_gaps() -> None:
    day = date(2013, 12, 31)
    apart = indicator_verdict(SIX_PER_CENT, Decimal(7), day, obstacle=Obstacle.UNITS)
    assert (apart.status, apart.gap, apart.planned) == ("not_comparable", None, None)
    gaps = indicator_verdict(SIX_PER_CENT, Decimal(7), day, obstacle=Obstacle.GAPS)
    assert (gaps.status, gaps.value, gaps.gap) == ("incomplete", Decimal(7), None)


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
    accumulation=st.sampled_from(Accumulation),
    from_on=days,
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
    values = [point.value for point in (promise.target, promise.start, *promise.trajectory) if point]
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
        from_on=promise.from_on + by,
    )
    assert indicator_verdict(later, value, day + by) == indicator_verdict(promise, value, day)


@given(
    st.builds(
        Promise,
        direction=st.sampled_from(Direction),
        target=st.builds(Point, days, numbers),
        baseline=st.none() | st.builds(Point, days, numbers),
        trajectory=st.just(()),
        tolerance=st.integers(0, 500).map(Decimal),
        accumulation=st.just(Accumulation.LAST),
        from_on=st.just(date.min),
    ),
    numbers,
    days,
)
def test_of_single_values_in_one_unit_both_versions_of_the_rule_say_the_same(
    promise: Promise, value: Decimal, day: date
) -> None:
    assert indicator_verdict(promise, value, day) == indicator_verdict(
        promise, value, day, rule=INDICATOR_VERDICT_1.name
    )
