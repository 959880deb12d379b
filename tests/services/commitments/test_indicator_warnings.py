"""The warning signs: each raised by what gives rise to it, and silent without it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from services.commitments.indicator.model import Indicator
from shared.events.indicators import DataSource
from shared.events.vocabulary import Direction, Frequency
from shared.rules.indicator_warnings import WarningWindows, warning_signs
from tests.services.commitments.stories import TODAY, Story
from tests.services.commitments.test_indicator_decisions import (
    BASELINE,
    BY_2013,
    BY_2014,
    DEFINED_ON,
    TARGET,
    correction,
    indicator,
    measurement,
    redefinition,
    target,
    with_target,
)
from tests.support.scenario import on

LATER = on(date(2015, 6, 30))


def signs(
    story: Story[Indicator], windows: WarningWindows | None = None, today: date = DEFINED_ON
) -> list[tuple[str, int]]:
    """What is a sign, and at which position it arose; asked on the first day, unless the calendar is to play a part."""
    found = warning_signs(story.thing.facts, today, windows or WarningWindows())
    return [(sign.code, sign.because) for sign in found]


def events(story: Story[Indicator], code: str) -> tuple[int, ...]:
    """The positions of the events that a sign rests on."""
    (found,) = (sign for sign in warning_signs(story.thing.facts, DEFINED_ON) if sign.code == code)
    return found.events


def measured(story: Story[Indicator], period: str, value: str, published_on: date, **more: str) -> None:
    story.record(story.thing.record_measurement(measurement(period, value, published_on, **more), LATER))


def revised(
    story: Story[Indicator], value: Decimal, effective_on: date, reason: str = "r", day: date = BY_2014
) -> None:
    proposed = target(value=value, on=day, effective_on=effective_on, reason=reason)
    story.record(story.thing.set_target(proposed, LATER))


@pytest.mark.parametrize(("days", "raised"), [(-91, False), (-90, True), (0, True), (90, True), (91, False)])
def test_a_definition_changed_within_ninety_days_of_the_targets_day_is_a_sign(
    days: int, raised: bool
) -> None:
    story = with_target()
    effective_on = BY_2013 + timedelta(days=days)
    changed = redefinition({"method": "Phone"}, effective_on=effective_on)
    story.record(story.thing.change_definition(changed, LATER))
    assert signs(story) == ([("definition_changed_near_deadline", 3)] if raised else [])
    assert not signs(story, WarningWindows(definition_days=-1))


def test_a_source_changed_near_the_targets_day_is_a_sign_and_a_new_name_is_none() -> None:
    story = with_target()
    for changes in ({"name": "Victims"}, {"source": DataSource(organization="INTERIOR")}):
        changed = redefinition(changes, effective_on=BY_2013)
        story.record(story.thing.change_definition(changed, LATER))
    assert signs(story) == [("definition_changed_near_deadline", 4)]


def test_two_targets_in_a_row_that_are_the_last_actual_are_a_ratchet_and_one_is_none() -> None:
    story = with_target()
    measured(story, "2010", "28.2", date(2011, 4, 15))
    revised(story, Decimal("28.2"), date(2012, 1, 2))
    assert signs(story) == []
    measured(story, "2011", "26", date(2012, 4, 15))
    revised(story, Decimal(25), date(2013, 1, 2))
    assert signs(story) == [("target_from_last_actual", 6)]
    assert events(story, "target_from_last_actual") == (3, 4, 5, 6)


def test_a_target_between_that_asks_for_more_ends_the_run() -> None:
    story = with_target()
    for year, found, asked in [("2010", "30", "29"), ("2011", "29", "20"), ("2012", "28", "27")]:
        measured(story, year, found, date(int(year) + 1, 4, 15))
        revised(story, Decimal(asked), date(int(year) + 1, 4, 20))
    assert "target_from_last_actual" not in dict(signs(story))


@pytest.mark.parametrize(("value", "raised"), [("26.79", True), ("26.78", False)])
def test_within_five_per_cent_a_target_is_the_last_actual(value: str, raised: bool) -> None:
    story = with_target()
    measured(story, "2010", "28.2", date(2011, 4, 15))
    revised(story, Decimal("28"), date(2012, 1, 2))
    revised(story, Decimal(value), date(2012, 1, 3))
    assert signs(story) == ([("target_from_last_actual", 5)] if raised else [])
    assert signs(story, WarningWindows(ratchet_share=Decimal("0.1")))


def test_a_value_published_after_the_target_was_set_cannot_have_been_its_model() -> None:
    story = with_target()
    revised(story, TARGET - 1, DEFINED_ON)
    measured(story, "2010", str(TARGET), date(2011, 4, 15))
    assert signs(story) == []


# --- targets that moved ----------------------------------------------------------------------------------------------


def test_a_target_moved_soon_after_a_bad_figure_is_a_sign() -> None:
    for days, raised in [(25, True), (90, True), (91, False)]:
        story = with_target()
        measured(story, "2010", "28.2", date(2011, 4, 28))
        measured(story, "2011", "31.1", date(2012, 4, 26))
        revised(story, TARGET, date(2012, 4, 26) + timedelta(days=days))
        assert signs(story) == ([("target_moved_after_bad_figure", 5)] if raised else [])
        assert signs(story, WarningWindows(bad_figure_days=100))
    story = with_target()
    measured(story, "2011", "31.1", date(2012, 4, 26))
    revised(story, TARGET, date(2012, 5, 21))
    assert events(story, "target_moved_after_bad_figure") == (2, 3, 4)


def test_after_a_good_figure_or_to_a_harder_target_there_is_no_sign() -> None:
    story = with_target()
    measured(story, "2011", "29", date(2012, 4, 26))
    revised(story, TARGET, date(2012, 5, 21))
    assert signs(story) == []
    story = with_target()
    measured(story, "2011", "31.1", date(2012, 4, 26))
    revised(story, TARGET - 5, date(2012, 5, 21), day=BY_2013)
    assert signs(story) == []


def test_a_figure_worse_than_the_one_before_is_bad_though_it_meets_the_plan() -> None:
    story = with_target()
    measured(story, "2010", "25", date(2011, 4, 28))
    measured(story, "2011", "28", date(2012, 4, 26))
    revised(story, TARGET, date(2012, 5, 21))
    assert signs(story) == [("target_moved_after_bad_figure", 5)]


def test_a_target_loosened_to_what_had_been_reached_is_a_sign() -> None:
    story = with_target()
    measured(story, "2010", "28.2", date(2011, 4, 28))
    measured(story, "2011", "27", date(2012, 4, 26))
    revised(story, Decimal(30), date(2013, 1, 2), day=BY_2013)
    assert signs(story) == [("target_loosened_below_reached", 5)]
    assert events(story, "target_loosened_below_reached") == (2, 4, 5)
    story = with_target()
    measured(story, "2010", "33", date(2011, 4, 28))
    revised(story, Decimal(30), date(2013, 1, 2), day=BY_2013)
    assert signs(story) == []


@pytest.mark.parametrize(
    ("value", "moved_on", "raised"),
    [
        ("30", BY_2013 + timedelta(days=1), True),
        ("30", BY_2013, False),
        ("28", BY_2013 + timedelta(days=1), False),
    ],
)
def test_a_targets_day_moved_after_it_was_missed_is_a_sign(value: str, moved_on: date, raised: bool) -> None:
    story = with_target()
    measured(story, "2012", value, date(2013, 4, 28))
    revised(story, TARGET, moved_on)
    assert ("target_day_moved_after_missed" in dict(signs(story))) is raised


# --- what there is to go by ------------------------------------------------------------------------------------------


def test_without_a_source_or_a_baseline_there_is_a_sign_at_what_left_them_out() -> None:
    story = indicator(source=None, baseline=None)
    assert signs(story) == [("no_baseline", 1), ("no_source", 1)]
    named = redefinition({"source": DataSource(organization="INE", independent=True)}, effective_on=TODAY)
    story.record(story.thing.change_definition(named, LATER))
    assert signs(story) == [("no_baseline", 1)]
    taken_away = redefinition({"source": None}, effective_on=TODAY)
    story.record(story.thing.change_definition(taken_away, LATER))
    assert signs(story) == [("no_baseline", 1), ("no_source", 3)]


def test_what_was_never_measured_is_a_sign_when_a_period_and_half_a_year_have_passed() -> None:
    story = with_target()
    due = DEFINED_ON + timedelta(days=371 + 180)
    assert signs(story, today=due) == []
    assert signs(story, today=due + timedelta(days=1)) == [("never_measured", 1)]
    assert signs(story, WarningWindows(stale_days=400), today=due + timedelta(days=1)) == []


def test_a_last_value_that_has_grown_old_is_a_sign_until_the_targets_day_is_judged() -> None:
    story = with_target()
    measured(story, "2010", "30", date(2011, 4, 28))
    due = date(2010, 12, 31) + timedelta(days=371 + 180)
    assert (signs(story, today=due), signs(story, today=due + timedelta(days=1))) == ([], [("stale", 3)])
    measured(story, "2013", "28", date(2014, 4, 28))
    assert signs(story, today=date(2026, 1, 1)) == []


def test_a_value_published_before_its_period_was_over_is_a_sign_until_it_is_corrected() -> None:
    story = with_target()
    measured(story, "2012", "28", date(2012, 12, 30))
    assert signs(story) == [("measured_before_period_ended", 3)]
    mended = correction("2012", "28.1", "Whole year", date(2013, 4, 1))
    story.record(story.thing.correct_measurement(mended, LATER))
    assert signs(story) == []


def test_a_changed_unit_is_a_sign_unless_it_says_how_earlier_numbers_compare() -> None:
    for restated_by, raised in [(None, [("unit_changed", 3)]), (Decimal(10), [])]:
        story = with_target()
        changed = redefinition({"unit": "‰"}, effective_on=date(2011, 1, 1), restated_by=restated_by)
        story.record(story.thing.change_definition(changed, LATER))
        assert signs(story) == raised


def test_a_source_changed_near_the_first_targets_day_is_a_sign_though_the_target_moved_away() -> None:
    story = with_target()
    measured(story, "2010", "28", date(2011, 4, 28))
    revised(story, TARGET - 1, date(2012, 1, 2), day=BY_2014 + timedelta(days=700))
    changed = redefinition({"source": DataSource(organization="INTERIOR")}, effective_on=BY_2013)
    story.record(story.thing.change_definition(changed, LATER))
    assert ("definition_changed_near_deadline", 5) in signs(story)


# --- values ----------------------------------------------------------------------------------------------------------


def test_values_from_whoever_delivers_are_one_sign_at_the_latest_of_them() -> None:
    own = DataSource(organization="INTERIOR")
    story = indicator(name="n", unit="u", direction=Direction.INCREASE, source=own)
    measured(story, "2010", "1", date(2011, 1, 5))
    measured(story, "2011", "2", date(2012, 1, 5))
    assert signs(story) == [("value_from_deliverer", 3)]


def test_a_value_supplied_by_another_than_the_independent_source_is_a_sign() -> None:
    story = with_target()
    measured(story, "2010", "30", date(2011, 4, 15), supplied_by="INE")
    assert signs(story) == []
    measured(story, "2011", "30", date(2012, 4, 15), supplied_by="INTERIOR")
    assert signs(story) == [("value_from_deliverer", 4)]


def test_a_verdict_that_turns_good_in_the_last_days_is_a_sign_and_a_month_earlier_is_none() -> None:
    for days, raised in [(30, True), (31, False), (0, True)]:
        story = with_target(indicator(frequency=Frequency.OTHER))
        measured(story, "2012", "33", date(2013, 4, 1))
        measured(story, "2013-Q3", "28", BY_2013 - timedelta(days=days))
        assert signs(story) == ([("turned_green_late", 4)] if raised else [])


def test_a_target_moved_away_in_the_last_days_turns_the_verdict_too() -> None:
    story = with_target()
    measured(story, "2011", "31.1", date(2012, 4, 15))
    revised(story, TARGET, BY_2013 - timedelta(days=5), "More time")
    assert signs(story) == [("turned_green_late", 4)]


def test_a_correction_in_the_last_days_turns_the_verdict_too() -> None:
    story = with_target()
    measured(story, "2012", "31.1", date(2013, 4, 15))
    published_on = BY_2013 - timedelta(days=2)
    mended = correction("2012", "26", "r", published_on)
    story.record(story.thing.correct_measurement(mended, LATER))
    assert signs(story) == [("turned_green_late", 4)]


def test_the_victimisation_series_as_it_was_published_raises_no_sign() -> None:
    story = with_target()
    for period, value, published_on in [
        ("2010", "28.2", date(2011, 4, 15)),
        ("2011", "31.1", date(2012, 4, 15)),
        ("2012", "26.3", date(2013, 3, 20)),
    ]:
        measured(story, period, value, published_on)
    assert story.thing.facts.definition.baseline == BASELINE
    assert signs(story) == []
