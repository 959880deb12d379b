"""What a target promises, over a window, from a baseline and across units: judged as of each value."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.commitments.indicator.model import Indicator
from services.commitments.indicator.routes import indicator_document
from shared.errors import InvalidInput, RuleBroken
from shared.events.indicators import Baseline, TargetSet
from shared.events.vocabulary import Accumulation, Direction, Frequency, RelativeTo
from shared.rules.indicator_facts import Terms
from shared.rules.indicator_verdict import IndicatorVerdict
from shared.rules.indicator_warnings import WarningWindows
from tests.services.commitments.stories import Story
from tests.services.commitments.test_indicator_decisions import (
    BY_2013,
    BY_2014,
    DEFINED_ON,
    correction,
    indicator,
    measurement,
    redefinition,
    refusal,
    target,
    with_target,
)
from tests.support.scenario import on

LATER = on(date(2015, 6, 30))
SERIES = {"2010": "5.8", "2011": "6.9", "2012": "5.6", "2013": "5.7"}


def promised(story: Story[Indicator], value: object, **more: object) -> TargetSet:
    fields = {"on": BY_2013, "effective_on": DEFINED_ON, "reason": "r"} | more
    return story.record(story.thing.set_target(target(value=Decimal(str(value)), **fields), LATER))


def measured(story: Story[Indicator], period: str, value: object, published_on: date | None = None) -> None:
    day = published_on or date(int(period[:4]) + 1, 4, 15)
    story.record(story.thing.record_measurement(measurement(period, str(value), day), LATER))


def changed_unit(story: Story[Indicator], factor: str | None = None, **more: object) -> None:
    proposed = redefinition(
        {"unit": "‰", **more},
        effective_on=date(2012, 1, 1),
        restated_by=None if factor is None else Decimal(factor),
    )
    story.record(story.thing.change_definition(proposed, LATER))


def verdict(story: Story[Indicator], period: str, terms: Terms | None = None) -> IndicatorVerdict:
    facts = story.replayed().facts
    terms = terms or facts.current
    assert terms is not None
    found = facts.verdict(terms, facts.measurements[period])
    assert found is not None
    return found


def shown_change(story: Story[Indicator]) -> tuple[Decimal, Decimal | None]:
    """The change that is shown beside the original target, as it is and in percent."""
    document = indicator_document(story.replayed(), WarningWindows(), LATER.today, LATER.clock.day_of)
    change = document.original_target.change  # type: ignore[attr-defined]
    return change.absolute, change.percent


def statuses(story: Story[Indicator]) -> list[str]:
    return [verdict(story, period).status for period in story.thing.facts.measurements]


def growth() -> Story[Indicator]:
    story = indicator(direction=Direction.INCREASE, baseline=None, unit="% a year")
    for period, value in SERIES.items():
        measured(story, period, value)
    return story


# --- windows ---------------------------------------------------------------------------------------------------------


def test_six_per_cent_on_average_is_met_in_2013_and_on_the_way_in_2011() -> None:
    story = growth()
    promised(story, 6, accumulation=Accumulation.MEAN, from_on=date(2010, 1, 1))
    assert statuses(story) == ["behind", "on_the_way", "on_the_way", "met"]
    assert (verdict(story, "2013").value, verdict(story, "2013").gap) == (Decimal(6), Decimal(0))
    # The last value alone would have missed it.
    promised(story, 6, effective_on=date(2010, 6, 1))
    assert verdict(story, "2013").status == "not_met"


def test_a_million_jobs_in_four_years_are_judged_by_their_sum() -> None:
    story = indicator(direction=Direction.INCREASE, baseline=None, unit="jobs")
    promised(story, 1_000_000, accumulation=Accumulation.SUM, from_on=date(2010, 1, 1))
    for period, value in {"2010": 200_000, "2011": 320_000, "2012": 280_000, "2013": 200_000}.items():
        measured(story, period, value)
    assert statuses(story) == ["behind", "on_the_way", "on_the_way", "met"]
    assert [verdict(story, period).value for period in ("2010", "2013")] == [200_000, 1_000_000]


def test_a_missing_period_of_the_window_leaves_nothing_to_conclude() -> None:
    story = indicator(direction=Direction.INCREASE, baseline=None)
    promised(story, 6, accumulation=Accumulation.MEAN, from_on=date(2010, 1, 1))
    measured(story, "2010", 6)
    measured(story, "2012", 6)
    assert statuses(story) == ["on_the_way", "incomplete"]
    measured(story, "2011", 6)
    assert verdict(story, "2012").status == "on_the_way"


def test_values_outside_the_window_are_not_of_the_promise() -> None:
    story = growth()
    promised(story, 6, accumulation=Accumulation.MEAN, from_on=date(2012, 1, 1))
    facts = story.thing.facts
    assert facts.current is not None
    assert facts.verdict(facts.current, facts.measurements["2011"]) is None
    assert verdict(story, "2012").value == Decimal("5.6")


def test_holidays_between_school_years_are_no_gap() -> None:
    story = indicator(direction=Direction.INCREASE, baseline=None, frequency=Frequency.SCHOOL_YEARLY)
    promised(story, 90, accumulation=Accumulation.MIN, from_on=date(2010, 1, 1))
    measured(story, "2010-03-08--2010-12-17", 91)
    measured(story, "2011-03-07--2011-12-16", 92)
    assert statuses(story) == ["on_the_way", "on_the_way"]


def test_a_window_begins_after_the_baseline_unless_it_says_otherwise_and_only_where_there_is_one() -> None:
    event = promised(indicator(), 20, accumulation=Accumulation.MEAN)
    assert event.from_on == date(2010, 1, 1)

    def refused(**more: object) -> tuple[str, str]:
        fields: dict[str, object] = {"on": BY_2013, "effective_on": DEFINED_ON} | more
        return refusal(
            InvalidInput, lambda: indicator(baseline=None).thing.set_target(target(**fields), LATER)
        )

    assert refused(accumulation=Accumulation.SUM) == ("window-missing", "/from_on")
    assert refused(accumulation=Accumulation.SUM, from_on=BY_2014) == ("window-missing", "/from_on")
    assert refused(from_on=date(2010, 1, 1)) == ("window-not-applicable", "/from_on")


@given(
    values=st.lists(st.decimals(-1000, 1000, places=3), min_size=1, max_size=4),
    accumulation=st.sampled_from(Accumulation),
)
def test_what_the_values_of_a_window_make_together_is_exact(
    values: list[Decimal], accumulation: Accumulation
) -> None:
    story = indicator(baseline=None)
    window = {} if accumulation is Accumulation.LAST else {"from_on": date(2010, 1, 1)}
    promised(story, 0, accumulation=accumulation, **window)
    for year, value in enumerate(values, 2010):
        measured(story, str(year), value, date(2015, 1, 1))
    exact = [Fraction(value) for value in values]
    expected = {
        "last": exact[-1],
        "sum": sum(exact, Fraction(0)),
        "mean": sum(exact, Fraction(0)) / len(exact),
        "max": sorted(exact)[-1],
        "min": sorted(exact)[0],
    }[accumulation.value]
    found = verdict(story, str(2009 + len(values))).value
    assert found is not None
    assert abs(Fraction(found) - expected) < Fraction(1, 10**70)


# --- relative to the baseline ----------------------------------------------------------------------------------------


def test_fifteen_per_cent_less_than_the_baseline_is_28_56_for_good() -> None:
    story = indicator()
    event = promised(story, -15, relative_to=RelativeTo.BASELINE)
    assert (str(event.value), str(event.level)) == ("-15", "28.56")
    lower = redefinition(
        {"baseline": Baseline(value=Decimal("30"), on=date(2009, 12, 31))}, effective_on=date(2011, 1, 1)
    )
    story.record(story.thing.change_definition(lower, LATER))
    for terms in (story.thing.facts.original, story.thing.facts.current):
        assert terms is not None
        assert terms.target.level == Decimal("28.56")
    # Who promises it again means the new one.
    again = promised(story, -15, relative_to=RelativeTo.BASELINE, effective_on=date(2012, 1, 1))
    assert str(again.level) == "25.5"


@pytest.mark.parametrize(
    ("baseline", "percent", "level"), [("-10", 50, "-5"), ("-10", -50, "-15"), ("10", 50, "15")]
)
def test_a_change_in_percent_goes_the_way_it_says_below_zero_too(
    baseline: str, percent: int, level: str
) -> None:
    story = indicator(baseline=Baseline(value=Decimal(baseline), on=date(2009, 12, 31)))
    assert str(promised(story, percent, relative_to=RelativeTo.BASELINE).level) == level
    assert shown_change(story)[1] == percent


def test_what_is_promised_in_percent_stays_that_when_a_baseline_of_an_earlier_day_is_told_later() -> None:
    story = indicator()
    promised(story, -15, relative_to=RelativeTo.BASELINE)
    revised = redefinition(
        {"baseline": Baseline(value=Decimal("30"), on=date(2009, 12, 31))}, effective_on=DEFINED_ON
    )
    story.record(story.thing.change_definition(revised, LATER))
    assert shown_change(story) == (Decimal("-5.04"), Decimal(-15))


def test_the_original_promise_is_that_of_the_earliest_day_whenever_it_is_told() -> None:
    story = indicator()
    promised(story, 28, effective_on=date(2011, 5, 21))
    told_late = promised(story, "28.56", effective_on=DEFINED_ON)
    facts = story.replayed().facts
    assert facts.original is not None
    assert facts.current is not None
    assert (facts.original.target.number, facts.original.target.value) == (2, told_late.value)
    assert facts.current.target.number == 1
    document = indicator_document(story.thing, WarningWindows(), LATER.today, LATER.clock.day_of)
    assert document.original_target.number == 2  # type: ignore[attr-defined]


def test_a_relative_target_needs_a_baseline_that_is_not_zero() -> None:
    for baseline in (None, Baseline(value=Decimal(0), on=date(2009, 12, 31))):
        thing = indicator(baseline=baseline).thing
        proposed = target(value=Decimal(-15), relative_to=RelativeTo.BASELINE)
        assert refusal(InvalidInput, lambda it=thing, said=proposed: it.set_target(said, LATER)) == (  # type: ignore[misc]
            "baseline-missing",
            "/relative_to",
        )


def test_the_same_level_said_in_the_other_way_changes_nothing() -> None:
    story = with_target()
    same = target(value=Decimal(-15), relative_to=RelativeTo.BASELINE, reason="r", effective_on=DEFINED_ON)
    assert refusal(RuleBroken, lambda: story.thing.set_target(same, LATER))[0] == "target-unchanged"


@given(st.decimals(1, 1000, places=3), st.decimals(-100, 100, places=2))
def test_the_level_is_the_baseline_changed_by_so_many_per_cent(start: Decimal, percent: Decimal) -> None:
    story = indicator(baseline=Baseline(value=start, on=date(2009, 12, 31)))
    event = promised(story, percent, relative_to=RelativeTo.BASELINE)
    assert event.level is not None
    assert Fraction(event.level) == Fraction(start) * (1 + Fraction(percent) / 100)


# --- units -----------------------------------------------------------------------------------------------------------


def test_a_value_in_another_unit_than_its_target_is_not_comparable_and_earlier_ones_stay_judged() -> None:
    story = with_target()
    measured(story, "2010", "28.2")
    changed_unit(story)
    measured(story, "2012", "263")
    found = verdict(story, "2012")
    assert (found.status, found.gap, found.planned) == ("not_comparable", None, None)
    assert verdict(story, "2010").status == "met"
    # A target in the new unit makes the new values comparable with it, and the old ones not.
    promised(story, "285.6", effective_on=date(2012, 6, 1))
    assert (verdict(story, "2010").status, verdict(story, "2012").status) == ("not_comparable", "met")
    assert verdict(story, "2012", story.thing.facts.original).status == "not_comparable"


def test_a_baseline_in_another_unit_draws_no_plan() -> None:
    story = indicator()
    changed_unit(story)
    promised(story, "285.6", effective_on=date(2012, 6, 1))
    measured(story, "2012", "300")
    assert verdict(story, "2012").status == "no_plan"


def test_a_change_that_restates_earlier_numbers_keeps_them_comparable() -> None:
    story = with_target()
    measured(story, "2010", "28.2")
    changed_unit(story, factor="10")
    measured(story, "2012", "263")
    found = verdict(story, "2012")
    assert (found.status, found.gap) == ("met", Decimal("-22.6"))
    assert verdict(story, "2012", story.thing.facts.original).gap == Decimal("-22.6")
    assert verdict(story, "2010").gap == Decimal("-0.36")


def test_a_value_corrected_after_the_change_is_one_in_the_new_unit() -> None:
    story = with_target()
    measured(story, "2011", "29", date(2011, 12, 31))
    changed_unit(story)
    assert verdict(story, "2011").status == "on_the_way"
    restated = correction("2011", "29", "In the new unit", date(2012, 6, 1))
    story.record(story.thing.correct_measurement(restated, LATER))
    assert verdict(story, "2011").status == "not_comparable"


def test_a_sum_over_two_units_is_none() -> None:
    story = indicator(direction=Direction.INCREASE, baseline=None)
    promised(story, 100, accumulation=Accumulation.SUM, from_on=date(2010, 1, 1))
    measured(story, "2010", 10)
    changed_unit(story)
    promised(
        story, 100, accumulation=Accumulation.SUM, from_on=date(2010, 1, 1), effective_on=date(2012, 2, 1)
    )
    measured(story, "2011", 10)
    assert verdict(story, "2011").status == "not_comparable"


def test_earlier_numbers_are_restated_only_where_the_unit_changes_and_by_more_than_nothing() -> None:
    thing = with_target().thing
    for changes, factor, code in [
        ({"method": "Phone"}, 10, "restated-without-unit"),
        ({"unit": "‰"}, 0, "restated-by-nothing"),
        ({"unit": "‰"}, -1, "restated-by-nothing"),
    ]:
        proposed = redefinition(changes, restated_by=Decimal(factor))
        assert refusal(InvalidInput, lambda said=proposed: thing.change_definition(said, LATER)) == (  # type: ignore[misc]
            code,
            "/restated_by",
        )


@pytest.mark.parametrize("factor", [None, "10"])
def test_the_same_number_in_another_unit_is_another_promise(factor: str | None) -> None:
    story = with_target()
    changed_unit(story, factor)
    again = target(reason="r", effective_on=date(2012, 6, 1))
    assert story.thing.set_target(again, LATER).number == 2


@pytest.mark.parametrize(("told_on", "expected"), [(date(2011, 6, 1), "33.6"), (date(2012, 2, 1), None)])
def test_the_original_promise_has_the_baseline_that_was_told_before_its_first_target(
    told_on: date, expected: str | None
) -> None:
    story = indicator(baseline=None)
    for day, value in ((told_on, "33.6"), (date(2013, 1, 1), "30")):
        if day > date(2012, 1, 1) and not story.thing.facts.targets:
            promised(story, "28.56", effective_on=date(2012, 1, 1))
        told = redefinition(
            {"baseline": Baseline(value=Decimal(value), on=date(2009, 12, 31))}, effective_on=day
        )
        story.record(story.thing.change_definition(told, LATER))
    original = story.replayed().facts.original
    assert original is not None
    baseline = original.definition.baseline
    assert (baseline and str(baseline.value)) == expected
