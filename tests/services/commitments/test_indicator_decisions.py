"""What may be said of an indicator: given what was told, when this is asked, then that is recorded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.commitments.domain.indicator import CommitmentCircle, Indicator
from services.commitments.domain.indicator_definition import define_indicator
from shared.errors import BitacoraError, Forbidden, InvalidInput, NotFound, RuleBroken
from shared.events.facts import Event
from shared.events.indicators import (
    Baseline,
    DataSource,
    IndicatorDefined,
    IndicatorDefinitionChanged,
    MeasurementCorrected,
    MeasurementRecorded,
    PlannedValue,
    TargetSet,
)
from shared.events.vocabulary import Direction, Visibility
from shared.identity.actor import Actor, Role
from shared.rules.indicator_facts import Definition
from tests.services.commitments.stories import DCI, TODAY, Story

INE = Actor(subject="statistician", organization="INE", role=Role.MINISTRY)
INTERIOR = Actor(subject="clerk", organization="INTERIOR", role=Role.MINISTRY)
VICTIMISATION = Definition(
    name="Households that were victims of crime",
    unit="%",
    direction=Direction.DECREASE,
    baseline=Baseline(value=Decimal("33.6"), on=date(2009, 12, 31), source="ENUSC 2009"),
    source=DataSource(organization="INE", independent=True, name="ENUSC"),
)
DEFINED_ON = date(2010, 5, 21)
TARGET = Decimal("28.56")
BY_2013 = date(2013, 12, 31)
BY_2014 = date(2014, 12, 31)


def indicator(definition: Definition = VICTIMISATION, **more: Any) -> Story[Indicator]:
    defined = define_indicator("victimisation", definition, today=TODAY, effective_on=DEFINED_ON, **more)
    return Story(Indicator.begin, defined)


def with_target(story: Story[Indicator] | None = None) -> Story[Indicator]:
    story = story or indicator()
    story.tell(story.thing.set_target(value=TARGET, on=BY_2013, effective_on=DEFINED_ON, today=TODAY))
    return story


def with_value(story: Story[Indicator] | None = None) -> Story[Indicator]:
    story = story or indicator()
    story.tell(
        story.thing.record_measurement(
            period="2010", value=Decimal("28.2"), published_on=date(2011, 4, 15), actor=DCI, today=TODAY
        )
    )
    return story


def refusal(kind: type[BitacoraError], decide: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(kind) as refused:
        decide()
    return refused.value.code, getattr(refused.value, "pointer", "")


# --- definition ------------------------------------------------------------------------------------------------------


def test_an_indicator_is_defined_with_everything_that_was_said_of_it() -> None:
    (event,) = define_indicator(
        "victimisation", VICTIMISATION, today=TODAY, commitment="SC-1", visibility=Visibility.PUBLIC
    )
    assert isinstance(event, IndicatorDefined)
    assert (event.baseline, event.source) == (VICTIMISATION.baseline, VICTIMISATION.source)
    assert (event.effective_on, event.commitment, event.visibility) == (TODAY, "SC-1", "public")


def test_an_indicator_is_not_defined_from_tomorrow_on() -> None:
    tomorrow = TODAY + timedelta(days=1)
    assert refusal(
        InvalidInput, lambda: define_indicator("x", VICTIMISATION, today=TODAY, effective_on=tomorrow)
    ) == ("date-in-future", "/effective_on")


def test_a_baseline_is_a_value_of_the_past() -> None:
    later = Baseline(value=Decimal(1), on=TODAY + timedelta(days=1))
    definition = Definition(name="n", unit="u", direction=Direction.INCREASE, baseline=later)
    assert refusal(InvalidInput, lambda: define_indicator("x", definition, today=TODAY)) == (
        "date-in-future",
        "/baseline/on",
    )


# --- targets ---------------------------------------------------------------------------------------------------------


def test_the_first_target_needs_no_reason_and_may_lie_in_the_future() -> None:
    (event,) = indicator().thing.set_target(value=TARGET, on=BY_2014, today=TODAY)
    assert event == TargetSet(number=1, value=TARGET, on=BY_2014, effective_on=TODAY)


def test_a_second_target_is_a_revision_and_says_why() -> None:
    story = with_target()
    assert refusal(InvalidInput, lambda: story.thing.set_target(value=TARGET, on=BY_2014, today=TODAY)) == (
        "reason-required",
        "/reason",
    )
    (event,) = story.tell(
        story.thing.set_target(
            value=TARGET, on=BY_2014, today=TODAY, reason="End of the term", decision="B-2"
        )
    )
    assert isinstance(event, TargetSet)
    assert (event.number, event.reason, event.decision) == (2, "End of the term", "B-2")
    assert [target.on for target in story.thing.facts.targets] == [BY_2013, BY_2014]


def test_a_revision_that_changes_nothing_is_refused() -> None:
    story = with_target()
    assert refusal(
        RuleBroken, lambda: story.thing.set_target(value=TARGET, on=BY_2013, today=TODAY, reason="Again")
    ) == ("target-unchanged", "")


def test_a_target_lies_after_its_baseline() -> None:
    assert refusal(
        RuleBroken, lambda: indicator().thing.set_target(value=TARGET, on=date(2009, 12, 31), today=TODAY)
    ) == ("target-before-baseline", "")


def test_a_tolerance_belongs_to_a_value_that_is_to_be_maintained() -> None:
    assert refusal(
        InvalidInput,
        lambda: indicator().thing.set_target(value=TARGET, on=BY_2013, today=TODAY, tolerance=Decimal(1)),
    ) == ("tolerance-not-applicable", "/tolerance")


def test_nothing_takes_effect_before_the_indicator_was_defined() -> None:
    before = DEFINED_ON - timedelta(days=1)
    assert refusal(
        InvalidInput,
        lambda: indicator().thing.set_target(value=TARGET, on=BY_2013, today=TODAY, effective_on=before),
    ) == ("before-definition", "/effective_on")


def test_a_revision_dated_before_another_does_not_take_its_place() -> None:
    story = with_target()
    for on, effective_on in [(BY_2014, date(2012, 6, 1)), (date(2014, 3, 11), date(2012, 1, 1))]:
        story.tell(
            story.thing.set_target(
                value=TARGET, on=on, effective_on=effective_on, today=TODAY, reason="Moved"
            )
        )
    target = story.thing.facts.target
    assert target is not None
    assert (target.number, target.on) == (2, BY_2014)
    original = story.thing.facts.original_promise
    assert original is not None
    assert original.target.on == BY_2013


# --- trajectory ------------------------------------------------------------------------------------------------------


def test_planned_days_ascend_and_follow_the_baseline() -> None:
    thing = indicator().thing
    twice = [PlannedValue(on=date(2011, 12, 31), value=Decimal(n)) for n in (31, 30)]
    assert refusal(InvalidInput, lambda: thing.set_trajectory(twice, today=TODAY)) == (
        "trajectory-not-ascending",
        "/points/1/on",
    )
    early = [PlannedValue(on=date(2009, 12, 31), value=Decimal(31))]
    assert refusal(InvalidInput, lambda: thing.set_trajectory(early, today=TODAY)) == (
        "trajectory-not-ascending",
        "/points/0/on",
    )
    assert refusal(InvalidInput, lambda: thing.set_trajectory([], today=TODAY)) == (
        "trajectory-empty",
        "/points",
    )


def test_the_same_trajectory_again_is_refused() -> None:
    story = indicator()
    points = [PlannedValue(on=date(2011, 12, 31), value=Decimal(31))]
    story.tell(story.thing.set_trajectory(points, today=TODAY))
    assert refusal(RuleBroken, lambda: story.thing.set_trajectory(points, today=TODAY)) == (
        "trajectory-unchanged",
        "",
    )


# --- measurements ----------------------------------------------------------------------------------------------------


def test_a_measurement_knows_the_last_day_of_its_period() -> None:
    (event,) = indicator().thing.record_measurement(
        period="2011-T2", value=Decimal(30), published_on=date(2011, 10, 1), actor=DCI, today=TODAY
    )
    assert isinstance(event, MeasurementRecorded)
    assert event.period_end_on == date(2011, 8, 31)


def test_a_period_has_one_value_and_another_is_a_correction() -> None:
    thing = with_value().thing
    assert refusal(
        RuleBroken,
        lambda: thing.record_measurement(period="2010", value=Decimal(28), actor=DCI, today=TODAY),
    ) == ("measurement-exists", "")


def test_a_value_is_not_published_tomorrow_nor_before_its_period_begins() -> None:
    def record(period: str, published_on: date) -> Callable[[], object]:
        return lambda: indicator().thing.record_measurement(
            period=period, value=Decimal(1), published_on=published_on, actor=DCI, today=TODAY
        )

    assert refusal(InvalidInput, record("2013-Q1", TODAY + timedelta(days=1))) == (
        "date-in-future",
        "/published_on",
    )
    assert refusal(InvalidInput, record("2013-05", TODAY)) == ("period-not-begun", "/published_on")


def test_the_source_records_its_own_values_and_no_other_ministry_does() -> None:
    thing = indicator().thing
    (event,) = thing.record_measurement(
        period="2012", value=Decimal("26.3"), published_on=date(2013, 3, 20), actor=INE, today=TODAY
    )
    assert isinstance(event, MeasurementRecorded)
    assert event.supplied_by == "INE"
    assert refusal(
        Forbidden,
        lambda: thing.record_measurement(period="2012", value=Decimal(20), actor=INTERIOR, today=TODAY),
    ) == ("not-your-indicator", "")
    assert refusal(
        Forbidden,
        lambda: thing.record_measurement(
            period="2012", value=Decimal(20), supplied_by="INTERIOR", actor=INE, today=TODAY
        ),
    ) == ("not-your-measurement", "")


def test_a_correction_keeps_the_value_it_corrects() -> None:
    story = with_value()
    (event,) = story.tell(
        story.thing.correct_measurement(
            "2010", value=Decimal("28.3"), reason="Weights", actor=DCI, today=TODAY
        )
    )
    assert isinstance(event, MeasurementCorrected)
    assert (event.previous, event.value) == (Decimal("28.2"), Decimal("28.3"))
    assert [found.value for found in story.thing.measurement("2010").findings] == [
        Decimal("28.2"),
        Decimal("28.3"),
    ]


def test_a_correction_changes_the_value_of_a_period_that_has_one_and_says_why() -> None:
    thing = with_value().thing

    def correct(
        period: str, value: str, reason: str, published_on: date | None = None
    ) -> Callable[[], object]:
        return lambda: thing.correct_measurement(
            period, value=Decimal(value), reason=reason, published_on=published_on, actor=DCI, today=TODAY
        )

    assert refusal(NotFound, correct("2011", "30", "Typo"))[0] == "unknown-measurement"
    assert refusal(RuleBroken, correct("2010", "28.20", "Typo"))[0] == "measurement-unchanged"
    assert refusal(InvalidInput, correct("2010", "28.3", " ")) == ("reason-required", "/reason")
    assert refusal(InvalidInput, correct("2010", "28.3", "Typo", date(2011, 4, 14))) == (
        "correction-before-value",
        "/published_on",
    )


# --- changes of the definition ---------------------------------------------------------------------------------------


def test_a_changed_definition_names_what_changed_with_the_old_and_the_new() -> None:
    story = indicator()
    baseline = Baseline(value=Decimal("32.9"), on=date(2009, 12, 31))
    (event,) = story.tell(
        story.thing.change_definition(
            {"baseline": baseline, "unit": "%"}, reason="New sampling frame", today=TODAY
        )
    )
    assert event == IndicatorDefinitionChanged(
        changes={"baseline": {"value": Decimal("32.9"), "on": "2009-12-31"}},
        previous={"baseline": {"value": Decimal("33.6"), "on": "2009-12-31", "source": "ENUSC 2009"}},
        reason="New sampling frame",
        effective_on=TODAY,
    )
    assert story.thing.facts.definition.baseline == baseline
    assert story.replayed().facts.definition == story.thing.facts.definition


def test_a_definition_that_stays_the_same_is_not_changed() -> None:
    assert refusal(
        RuleBroken, lambda: indicator().thing.change_definition({"unit": "%"}, reason="Same", today=TODAY)
    ) == ("definition-unchanged", "")


def test_a_change_dated_before_another_keeps_what_the_other_did_not_touch() -> None:
    story = indicator()
    for changes, effective_on in [({"unit": "‰"}, date(2012, 1, 1)), ({"method": "Phone"}, date(2011, 1, 1))]:
        story.tell(story.thing.change_definition(changes, reason="r", effective_on=effective_on, today=TODAY))
    definition = story.thing.facts.definition
    assert (definition.unit, definition.method) == ("‰", "Phone")
    assert story.thing.facts.definition_on(date(2011, 6, 1)).unit == "%"


def test_the_original_promise_is_read_with_the_definition_of_the_first_day() -> None:
    story = with_target()
    story.tell(
        story.thing.change_definition({"direction": Direction.INCREASE}, reason="Turned round", today=TODAY)
    )
    original, current = story.thing.facts.original_promise, story.thing.facts.current_promise
    assert original is not None
    assert current is not None
    assert (original.direction, current.direction) == (Direction.DECREASE, Direction.INCREASE)


# --- who may know ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("actor", "visible"),
    [
        (DCI, True),
        (INE, True),
        (INTERIOR, False),
        (Actor(subject="a", organization="INTERIOR", role=Role.AUDITOR), True),
    ],
)
def test_a_reserved_indicator_is_for_the_centre_and_for_its_source(actor: Actor, visible: bool) -> None:
    assert indicator(visibility=Visibility.RESERVED).thing.visible_to(actor) is visible
    assert indicator().thing.visible_to(actor)


def test_an_indicator_is_seen_by_no_more_people_than_its_commitment_except_its_source() -> None:
    reserved = CommitmentCircle(Visibility.RESERVED, ("INTERIOR",))
    justice = Actor(subject="j", organization="JUSTICE", role=Role.MINISTRY)
    for own in Visibility:
        thing = indicator(commitment="SC-1", visibility=own).thing
        assert thing.visible_to(INE, reserved)
        assert thing.visible_to(INTERIOR, reserved)
        assert not thing.visible_to(justice, reserved)


def test_events_of_another_kind_begin_no_indicator() -> None:
    story = with_target()
    target: Event = story.events[1].data
    assert isinstance(target, TargetSet)
    assert Indicator.begin(story.events[1]) is None
