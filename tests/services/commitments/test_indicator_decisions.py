"""What may be recorded of an indicator: given what was, when this is proposed, then that is recorded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from services.commitments.indicator.model import Indicator, define
from shared.aggregate.redaction import Readers
from shared.errors import BitacoraError, Forbidden, InvalidInput, NotFound, RuleBroken
from shared.events.facts import Event
from shared.events.indicators import (
    Baseline,
    DataSource,
    DefinitionFields,
    IndicatorDefined,
    IndicatorDefinitionChanged,
    IndicatorPublished,
    MeasurementCorrected,
    MeasurementRecorded,
    PlannedValue,
    TargetSet,
    TrajectorySet,
)
from shared.events.vocabulary import Direction, Frequency, Visibility
from shared.http.requests import request_of
from shared.identity.actor import Actor, Role
from tests.services.commitments.stories import DCI, TODAY, Story
from tests.support.scenario import on

INE = Actor(subject="statistician", organization="INE", role=Role.MINISTRY)
INTERIOR = Actor(subject="clerk", organization="INTERIOR", role=Role.MINISTRY)
BASELINE = Baseline(value=Decimal("33.6"), on=date(2009, 12, 31), source="ENUSC 2009")
SOURCE = DataSource(organization="INE", independent=True, name="ENUSC")
DEFINED_ON = date(2010, 5, 21)
TARGET = Decimal("28.56")
BY_2013 = date(2013, 12, 31)
BY_2014 = date(2014, 12, 31)
NOW = on(TODAY)
"""The unit decides, today."""


def defined(**more: Any) -> IndicatorDefined:
    """Victimisation, measured by the statisticians from the baseline of 2009."""
    fields: dict[str, Any] = {
        "code": "victimisation",
        "name": "Households that were victims of crime",
        "unit": "%",
        "direction": Direction.DECREASE,
        "effective_on": DEFINED_ON,
        "baseline": BASELINE,
        "source": SOURCE,
    }
    return IndicatorDefined(**fields | more)


def target(**more: Any) -> TargetSet:
    """15 % less by the end of 2013, from today on."""
    fields: dict[str, Any] = {"value": TARGET, "on": BY_2013, "effective_on": TODAY}
    return TargetSet(**fields | more)


def trajectory(*points: tuple[date, int]) -> TrajectorySet:
    """Values planned for days, from today on."""
    planned = tuple(PlannedValue(on=day, value=Decimal(value)) for day, value in points)
    return TrajectorySet(points=planned, effective_on=TODAY)


def measurement(period: str, value: str, published_on: date = TODAY, **more: Any) -> MeasurementRecorded:
    """The value found for a period, published today."""
    return MeasurementRecorded(period=period, value=Decimal(value), published_on=published_on, **more)


def correction(period: str, value: str, reason: str, published_on: date = TODAY) -> MeasurementCorrected:
    """Another value for a period, published today."""
    return MeasurementCorrected(period=period, value=Decimal(value), reason=reason, published_on=published_on)


def redefinition(
    changes: dict[str, Any],
    reason: str = "r",
    effective_on: date = TODAY,
    restated_by: Decimal | None = None,
) -> IndicatorDefinitionChanged:
    """Other values for fields of the definition, from today on."""
    return IndicatorDefinitionChanged(
        changes=DefinitionFields(**changes), reason=reason, effective_on=effective_on, restated_by=restated_by
    )


def indicator(**more: Any) -> Story[Indicator]:
    return Story(Indicator.begin, [define(defined(**more), NOW)])


def with_target(story: Story[Indicator] | None = None) -> Story[Indicator]:
    story = story or indicator()
    story.record(story.thing.set_target(target(effective_on=DEFINED_ON), NOW))
    return story


def with_value(story: Story[Indicator] | None = None) -> Story[Indicator]:
    story = story or indicator()
    story.record(story.thing.record_measurement(measurement("2010", "28.2", date(2011, 4, 15)), NOW))
    return story


def refusal(kind: type[BitacoraError], decide: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(kind) as refused:
        decide()
    return refused.value.code, getattr(refused.value, "pointer", "")


# --- definition ------------------------------------------------------------------------------------------------------


def test_an_indicator_is_defined_with_everything_that_was_said_of_it() -> None:
    proposed = defined(effective_on=TODAY, commitment="SC-1", visibility=Visibility.PUBLIC)
    event = define(proposed, NOW)
    assert isinstance(event, IndicatorDefined)
    assert (event.baseline, event.source) == (BASELINE, SOURCE)
    assert (event.effective_on, event.commitment, event.visibility) == (TODAY, "SC-1", "public")


def test_an_indicator_is_not_defined_from_tomorrow_on() -> None:
    tomorrow = TODAY + timedelta(days=1)
    assert refusal(InvalidInput, lambda: define(defined(effective_on=tomorrow), NOW)) == (
        "date-in-future",
        "/effective_on",
    )


def test_a_baseline_is_a_value_of_the_past() -> None:
    later = Baseline(value=Decimal(1), on=TODAY + timedelta(days=1))
    assert refusal(InvalidInput, lambda: define(defined(baseline=later), NOW)) == (
        "date-in-future",
        "/baseline/on",
    )


# --- targets ---------------------------------------------------------------------------------------------------------


def test_the_first_target_needs_no_reason_and_may_lie_in_the_future() -> None:
    event = indicator().thing.set_target(target(on=BY_2014), NOW)
    assert event == TargetSet(number=1, value=TARGET, on=BY_2014, effective_on=TODAY)


def test_a_second_target_is_a_revision_and_says_why() -> None:
    story = with_target()
    assert refusal(InvalidInput, lambda: story.thing.set_target(target(on=BY_2014), NOW)) == (
        "reason-required",
        "/reason",
    )
    revised = target(on=BY_2014, reason="End of the term", decision="B-2")
    event = story.record(story.thing.set_target(revised, NOW))
    assert isinstance(event, TargetSet)
    assert (event.number, event.reason, event.decision) == (2, "End of the term", "B-2")
    assert [set_.on for set_ in story.thing.facts.targets] == [BY_2013, BY_2014]


def test_a_revision_that_changes_nothing_is_refused() -> None:
    story = with_target()
    assert refusal(RuleBroken, lambda: story.thing.set_target(target(reason="Again"), NOW)) == (
        "target-unchanged",
        "",
    )


def test_a_target_lies_after_its_baseline() -> None:
    assert refusal(RuleBroken, lambda: indicator().thing.set_target(target(on=date(2009, 12, 31)), NOW)) == (
        "target-before-baseline",
        "",
    )


def test_a_tolerance_belongs_to_a_value_that_is_to_be_maintained() -> None:
    assert refusal(InvalidInput, lambda: indicator().thing.set_target(target(tolerance=Decimal(1)), NOW)) == (
        "tolerance-not-applicable",
        "/tolerance",
    )


def test_nothing_takes_effect_before_the_indicator_was_defined() -> None:
    before = DEFINED_ON - timedelta(days=1)
    assert refusal(InvalidInput, lambda: indicator().thing.set_target(target(effective_on=before), NOW)) == (
        "before-definition",
        "/effective_on",
    )


def test_a_revision_dated_before_another_does_not_take_its_place() -> None:
    story = with_target()
    for day, effective_on in [(BY_2014, date(2012, 6, 1)), (date(2014, 3, 11), date(2012, 1, 1))]:
        revised = target(on=day, effective_on=effective_on, reason="Moved")
        story.record(story.thing.set_target(revised, NOW))
    in_force = story.thing.facts.target
    assert in_force is not None
    assert (in_force.number, in_force.on) == (2, BY_2014)
    original = story.thing.facts.original
    assert original is not None
    assert original.target.on == BY_2013


# --- trajectory ------------------------------------------------------------------------------------------------------


def test_planned_days_ascend_and_follow_the_baseline() -> None:
    thing = indicator().thing
    twice = trajectory((date(2011, 12, 31), 31), (date(2011, 12, 31), 30))
    assert refusal(InvalidInput, lambda: thing.set_trajectory(twice, NOW)) == (
        "trajectory-not-ascending",
        "/points/1/on",
    )
    early = trajectory((date(2009, 12, 31), 31))
    assert refusal(InvalidInput, lambda: thing.set_trajectory(early, NOW)) == (
        "trajectory-not-ascending",
        "/points/0/on",
    )
    assert refusal(InvalidInput, lambda: thing.set_trajectory(trajectory(), NOW)) == (
        "trajectory-empty",
        "/points",
    )


def test_the_same_trajectory_again_is_refused() -> None:
    story = indicator()
    planned = trajectory((date(2011, 12, 31), 31))
    story.record(story.thing.set_trajectory(planned, NOW))
    assert refusal(RuleBroken, lambda: story.thing.set_trajectory(planned, NOW)) == (
        "trajectory-unchanged",
        "",
    )


# --- measurements ----------------------------------------------------------------------------------------------------


def test_a_measurement_knows_the_last_day_of_its_period() -> None:
    thing = indicator(frequency=Frequency.FOUR_MONTHLY).thing
    event = thing.record_measurement(measurement("2011-C2", "30", date(2011, 10, 1)), NOW)
    assert isinstance(event, MeasurementRecorded)
    assert event.period_end_on == date(2011, 8, 31)


@pytest.mark.parametrize(
    ("frequency", "period", "refused"),
    [
        (Frequency.YEARLY, "2011-Q3", ("period-not-of-frequency", "/period")),
        (Frequency.QUARTERLY, "2011", ("period-not-of-frequency", "/period")),
        (Frequency.MONTHLY, "2011-W07", ("period-not-of-frequency", "/period")),
        (Frequency.QUARTERLY, "2011-T3", ("period-ambiguous", "/period")),
        (Frequency.YEARLY, "2011-03-01--2012-02-29", None),
        (Frequency.SCHOOL_YEARLY, "2011-03-07--2011-12-16", None),
        (Frequency.WEEKLY, "2011-W07", None),
        (Frequency.OTHER, "2011-Q3", None),
    ],
)
def test_a_value_is_of_a_period_of_the_indicators_frequency(
    frequency: Frequency, period: str, refused: tuple[str, str] | None
) -> None:
    thing = indicator(frequency=frequency).thing
    if refused is None:
        assert thing.record_measurement(measurement(period, "1"), NOW).period == period
    else:
        assert (
            refusal(InvalidInput, lambda: thing.record_measurement(measurement(period, "1"), NOW)) == refused
        )


def test_the_frequency_is_that_of_the_periods_own_days_or_that_of_its_publication() -> None:
    story = indicator()
    quarterly = redefinition({"frequency": Frequency.QUARTERLY}, effective_on=date(2012, 5, 21))
    story.record(story.thing.change_definition(quarterly, NOW))
    for period in ("2011", "2012-Q1", "2012-Q3"):
        story.record(story.thing.record_measurement(measurement(period, "1"), NOW))
    late = measurement("2010-Q4", "1", date(2011, 1, 5))
    assert refusal(InvalidInput, lambda: story.thing.record_measurement(late, NOW))[0] == (
        "period-not-of-frequency"
    )


@pytest.mark.parametrize("period", ["2011", "2011-06", "2011-06-30--2011-07-31", "2011-W26"])
def test_no_two_values_are_of_the_same_day(period: str) -> None:
    story = indicator(frequency=Frequency.OTHER)
    story.record(story.thing.record_measurement(measurement("2011-Q2", "1"), NOW))
    assert refusal(RuleBroken, lambda: story.thing.record_measurement(measurement(period, "1"), NOW)) == (
        "period-overlaps",
        "",
    )
    assert story.thing.record_measurement(measurement("2011-Q3", "1"), NOW).period == "2011-Q3"


def test_a_value_stored_under_the_letter_of_two_meanings_is_one_of_four_months_and_can_be_corrected() -> None:
    story = indicator(frequency=Frequency.FOUR_MONTHLY)
    stored = measurement("2011-T2", "30", date(2011, 10, 1))
    story.record(msgspec.structs.replace(stored, period_end_on=date(2011, 8, 31)))
    event = story.record(story.thing.correct_measurement(correction("2011-C2", "31", "Typo"), NOW))
    assert isinstance(event, MeasurementCorrected)
    assert (event.period, story.replayed().measurement("2011-C2").value) == ("2011-C2", Decimal(31))
    on_record = correction("2011-T2", "32", "Typo")
    assert story.thing.correct_measurement(on_record, NOW).previous == 31
    assert refusal(RuleBroken, lambda: story.thing.record_measurement(measurement("2011-C2", "1"), NOW)) == (
        "measurement-exists",
        "",
    )


def test_a_period_has_one_value_and_another_is_a_correction() -> None:
    thing = with_value().thing
    assert refusal(RuleBroken, lambda: thing.record_measurement(measurement("2010", "28"), NOW)) == (
        "measurement-exists",
        "",
    )


def test_a_value_is_not_published_tomorrow_nor_before_its_period_begins() -> None:
    def record(period: str, published_on: date) -> Callable[[], object]:
        return lambda: indicator().thing.record_measurement(measurement(period, "1", published_on), NOW)

    assert refusal(InvalidInput, record("2013-Q1", TODAY + timedelta(days=1))) == (
        "date-in-future",
        "/published_on",
    )
    assert refusal(InvalidInput, record("2013-05", TODAY)) == ("period-not-begun", "/published_on")


def test_the_source_records_its_own_values_and_no_other_ministry_does() -> None:
    thing = indicator().thing
    event = thing.record_measurement(measurement("2012", "26.3", date(2013, 3, 20)), on(TODAY, INE))
    assert isinstance(event, MeasurementRecorded)
    assert event.supplied_by == "INE"
    assert refusal(
        Forbidden, lambda: thing.record_measurement(measurement("2012", "20"), on(TODAY, INTERIOR))
    ) == ("not-your-indicator", "")
    assert refusal(
        Forbidden,
        lambda: thing.record_measurement(measurement("2012", "20", supplied_by="INTERIOR"), on(TODAY, INE)),
    ) == ("not-your-measurement", "")


def test_whoever_was_the_source_on_a_day_records_what_it_published_that_day() -> None:
    story = indicator()
    moved = redefinition(
        {"source": msgspec.structs.replace(SOURCE, organization="INTERIOR")}, effective_on=date(2013, 1, 1)
    )
    story.record(story.thing.change_definition(moved, NOW))

    def record(who: Actor, published_on: date) -> Callable[[], object]:
        proposed = measurement("2011", "31.1", published_on)
        return lambda: story.thing.record_measurement(proposed, on(TODAY, who))

    assert record(INE, date(2012, 4, 26))()
    assert record(INTERIOR, date(2012, 4, 26))()
    assert record(INTERIOR, date(2013, 1, 1))()
    assert refusal(Forbidden, record(INE, date(2013, 1, 1))) == ("not-your-indicator", "")


def test_a_correction_keeps_the_value_it_corrects() -> None:
    story = with_value()
    event = story.record(story.thing.correct_measurement(correction("2010", "28.3", "Weights"), NOW))
    assert isinstance(event, MeasurementCorrected)
    assert (event.previous, event.value) == (Decimal("28.2"), Decimal("28.3"))
    assert [found.value for found in story.thing.measurement("2010").findings] == [
        Decimal("28.2"),
        Decimal("28.3"),
    ]


def test_a_correction_changes_the_value_of_a_period_that_has_one_and_says_why() -> None:
    thing = with_value().thing

    def correct(period: str, value: str, reason: str, published_on: date = TODAY) -> Callable[[], object]:
        return lambda: thing.correct_measurement(correction(period, value, reason, published_on), NOW)

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
    changed = redefinition({"baseline": baseline, "unit": "%"}, "New sampling frame")
    event = story.record(story.thing.change_definition(changed, NOW))
    assert event == IndicatorDefinitionChanged(
        changes=DefinitionFields(baseline=baseline),
        previous=DefinitionFields(baseline=BASELINE),
        reason="New sampling frame",
        effective_on=TODAY,
    )
    assert story.thing.facts.definition.baseline == baseline
    assert story.replayed().facts.definition == story.thing.facts.definition


def test_a_definition_that_stays_the_same_is_not_changed() -> None:
    assert refusal(
        RuleBroken, lambda: indicator().thing.change_definition(redefinition({"unit": "%"}, "Same"), NOW)
    ) == ("definition-unchanged", "")


def test_a_change_dated_before_another_keeps_what_the_other_did_not_touch() -> None:
    story = indicator()
    for changes, effective_on in [({"unit": "‰"}, date(2012, 1, 1)), ({"method": "Phone"}, date(2011, 1, 1))]:
        changed = redefinition(changes, effective_on=effective_on)
        story.record(story.thing.change_definition(changed, NOW))
    definition = story.thing.facts.definition
    assert (definition.unit, definition.method) == ("‰", "Phone")
    assert story.thing.facts.definition_on(date(2011, 6, 1)).unit == "%"


def test_the_original_promise_is_read_with_the_definition_of_the_first_day() -> None:
    story = with_target()
    turned = redefinition({"direction": Direction.INCREASE}, "Turned round")
    story.record(story.thing.change_definition(turned, NOW))
    original, current = story.thing.facts.original, story.thing.facts.current
    assert original is not None
    assert current is not None
    assert (original.definition.direction, current.definition.direction) == (
        Direction.DECREASE,
        Direction.INCREASE,
    )


# --- who may read it -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("actor", "readable"),
    [
        (DCI, True),
        (INE, True),
        (INTERIOR, False),
        (Actor(subject="a", organization="INTERIOR", role=Role.AUDITOR), True),
    ],
)
def test_a_reserved_indicator_is_for_the_centre_and_for_its_source(actor: Actor, readable: bool) -> None:
    assert indicator(visibility=Visibility.RESERVED).thing.readers().include(actor) is readable
    assert indicator().thing.readers().include(actor)


def test_an_indicator_is_seen_by_no_more_people_than_its_commitment_except_its_source() -> None:
    reserved = Readers(Visibility.RESERVED, ("INTERIOR",))
    justice = Actor(subject="j", organization="JUSTICE", role=Role.MINISTRY)
    for own in Visibility:
        thing = indicator(commitment="SC-1", visibility=own).thing
        assert thing.readers(reserved).include(INE)
        assert thing.readers(reserved).include(INTERIOR)
        assert not thing.readers(reserved).include(justice)


def test_a_publication_changes_who_may_read_it_and_says_why() -> None:
    story = indicator()
    unexplained = IndicatorPublished(visibility=Visibility.PUBLIC, reason=" ")
    assert refusal(InvalidInput, lambda: story.thing.publish(unexplained, NOW)) == (
        "reason-required",
        "/reason",
    )
    the_same = IndicatorPublished(visibility=Visibility.INTERNAL, reason="r")
    assert refusal(RuleBroken, lambda: story.thing.publish(the_same, NOW)) == ("visibility-unchanged", "")
    published = IndicatorPublished(visibility=Visibility.RESERVED, reason="Personal data")
    event = story.record(story.thing.publish(published, NOW))
    assert (event.visibility, event.previous) == (Visibility.RESERVED, Visibility.INTERNAL)
    story.record(story.thing.publish(IndicatorPublished(visibility=Visibility.PUBLIC, reason="r"), NOW))
    assert story.thing.visibility is Visibility.PUBLIC


def test_a_publication_as_of_a_day_leaves_what_was_said_of_later_days() -> None:
    story = indicator()
    first = story.thing.effective_on

    def asked(visibility: Visibility, day: date | None) -> Any:
        event = IndicatorPublished(visibility=visibility, reason="r", effective_on=day)
        return story.thing.publish(event, NOW)

    early = first - timedelta(days=1)
    assert refusal(InvalidInput, lambda: asked(Visibility.PUBLIC, early))[0] == "before-definition"
    story.record(asked(Visibility.RESERVED, first + timedelta(days=2)))
    event = story.record(asked(Visibility.PUBLIC, first + timedelta(days=1)))
    assert (event.previous, story.thing.visibility) == (Visibility.INTERNAL, Visibility.RESERVED)
    story.record(asked(Visibility.RESERVED, None))
    assert story.thing.visibilities.on(first) is Visibility.RESERVED


def test_events_of_another_kind_begin_no_indicator() -> None:
    story = with_target()
    second: Event = story.events[1].data
    assert isinstance(second, TargetSet)
    assert Indicator.begin(story.events[1]) is None


# --- requests --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "body", "day"),
    [
        (IndicatorDefined, {"code": "v", "name": "n", "unit": "%", "direction": "decrease"}, "effective_on"),
        (TargetSet, {"value": 28.56, "on": "2014-12-31"}, "effective_on"),
        (TrajectorySet, {"points": [{"on": "2011-12-31", "value": 31}]}, "effective_on"),
        (MeasurementRecorded, {"period": "2010", "value": 28.2}, "published_on"),
        (MeasurementCorrected, {"value": 28.3, "reason": "Weights"}, "published_on"),
        (IndicatorDefinitionChanged, {"changes": {"unit": "‰"}, "reason": "r"}, "effective_on"),
    ],
)
def test_what_is_recorded_without_a_day_is_of_today(
    event: type[Event], body: dict[str, Any], day: str
) -> None:
    request = request_of(event)
    assert getattr(request.model_validate(body).struct(TODAY), day) == TODAY
    dated = request.model_validate(body | {day: "2012-06-01"})
    assert getattr(dated.struct(TODAY), day) == date(2012, 6, 1)
