"""The warning signs: each raised by what gives rise to it, and silent without it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from services.commitments.indicator.model import Indicator
from shared.events.indicators import DataSource
from shared.events.vocabulary import Direction, Frequency
from shared.rules.indicator_warnings import WarningWindows, warning_signs
from tests.services.commitments.stories import Story
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


def signs(story: Story[Indicator], windows: WarningWindows | None = None) -> list[tuple[str, int]]:
    found = warning_signs(story.thing.facts, windows or WarningWindows())
    return [(sign.code, sign.because) for sign in found]


def measured(story: Story[Indicator], period: str, value: str, published_on: date, **more: str) -> None:
    story.record(story.thing.record_measurement(measurement(period, value, published_on, **more), LATER))


def revised(story: Story[Indicator], value: Decimal, effective_on: date, reason: str) -> None:
    proposed = target(value=value, on=BY_2014, effective_on=effective_on, reason=reason)
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


def test_a_target_revised_to_the_last_actual_is_a_ratchet() -> None:
    story = with_target()
    measured(story, "2010", "28.2", date(2011, 4, 15))
    revised(story, Decimal("28.2"), date(2012, 1, 2), "Hold it")
    assert signs(story) == [("target_from_last_actual", 4)]


def test_a_target_within_one_per_cent_of_the_last_actual_counts_and_one_further_off_does_not() -> None:
    for value, raised in [("27.92", True), ("27.91", False)]:
        story = with_target()
        measured(story, "2010", "28.2", date(2011, 4, 15))
        revised(story, Decimal(value), date(2012, 1, 2), "r")
        assert bool(signs(story)) is raised


def test_a_value_published_after_the_target_was_set_cannot_have_been_its_model() -> None:
    story = with_target()
    measured(story, "2010", str(TARGET), date(2011, 4, 15))
    assert signs(story) == []


def test_values_from_whoever_delivers_are_one_sign_at_the_latest_of_them() -> None:
    own = DataSource(organization="INTERIOR")
    story = indicator(name="n", unit="u", direction=Direction.INCREASE, baseline=None, source=own)
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
    assert date(2011, 1, 1) > DEFINED_ON
    assert signs(story) == []
