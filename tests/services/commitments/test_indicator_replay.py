"""An indicator folded from stored bytes is the indicator that lived through the commands."""

from __future__ import annotations

import contextlib
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from services.commitments.indicator.model import Indicator
from shared.errors import BitacoraError
from shared.events.indicators import (
    EVENTS,
    Baseline,
    CommitmentMeasured,
    DataSource,
    DefinitionFields,
    IndicatorDefinitionChanged,
    IndicatorPublished,
    MeasurementCorrected,
    MeasurementRecorded,
    PlannedValue,
    TargetSet,
    TrajectorySet,
)
from shared.events.vocabulary import Accumulation, Direction, Frequency, RelativeTo, Visibility
from shared.rules.indicator_facts import IndicatorFacts
from shared.rules.indicator_warnings import warning_signs
from tests.services.commitments.stories import TODAY
from tests.services.commitments.test_indicator_decisions import DEFINED_ON, NOW, indicator

days = st.dates(DEFINED_ON, TODAY)
promised = st.dates(date(2010, 1, 1), date(2016, 12, 31))
numbers = st.decimals(Decimal("-99999.9999"), Decimal("99999.9999"), places=4)
periods = st.sampled_from(
    ["2010", "2011", "2012", "2011-Q1", "2011-Q2", "2012-05", "2012-C1", "2013-W02", "2009-03-01--2010-02-28"]
)
changes: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "frequency": st.sampled_from(list(Frequency)),
        "unit": st.sampled_from(["%", "‰"]),
        "direction": st.sampled_from(list(Direction)),
        "proxy": st.booleans(),
        "method": st.none() | st.just("Phone"),
        "baseline": st.none() | st.builds(Baseline, value=numbers, on=st.dates(date(2005, 1, 1), TODAY)),
        "source": st.none()
        | st.builds(DataSource, organization=st.sampled_from(["INE", "INTERIOR"]), independent=st.booleans()),
    },
)


def known_of(facts: IndicatorFacts) -> list[Any]:
    """All that the facts say, in a form that can be compared."""
    return [
        facts.first_definition,
        facts.definition,
        facts.original,
        facts.current,
        facts.unit_changes,
        facts.targets,
        facts.trajectories,
        facts.trajectory,
        [
            (m.period, m.period_end_on, m.source, m.supplied_by, m.findings)
            for m in facts.measurements.values()
        ],
        warning_signs(facts, TODAY),
    ]


class AnIndicatorsLife(RuleBasedStateMachine):
    """Any commands in any order; those that are refused leave no trace."""

    def __init__(self) -> None:
        super().__init__()
        self.story = indicator()

    @property
    def thing(self) -> Indicator:
        return self.story.thing

    @rule(
        proposed=st.builds(
            TargetSet,
            value=numbers,
            on=promised,
            effective_on=days,
            reason=st.none() | st.just("r"),
            accumulation=st.sampled_from(list(Accumulation)),
            from_on=st.none() | promised,
            relative_to=st.sampled_from(list(RelativeTo)),
        )
    )
    def promise(self, proposed: TargetSet) -> None:
        with contextlib.suppress(BitacoraError):
            self.story.record(self.thing.set_target(proposed, NOW))

    @rule(points=st.lists(st.builds(PlannedValue, on=promised, value=numbers), max_size=3), effective_on=days)
    def plan(self, points: list[PlannedValue], effective_on: date) -> None:
        points.sort(key=lambda point: point.on)
        proposed = TrajectorySet(points=tuple(points), effective_on=effective_on)
        with contextlib.suppress(BitacoraError):
            self.story.record(self.thing.set_trajectory(proposed, NOW))

    @rule(
        proposed=st.builds(
            MeasurementRecorded,
            period=periods,
            value=numbers,
            published_on=days,
            supplied_by=st.sampled_from([None, "INE", "INTERIOR"]),
        )
    )
    def measure(self, proposed: MeasurementRecorded) -> None:
        with contextlib.suppress(BitacoraError):
            self.story.record(self.thing.record_measurement(proposed, NOW))

    @precondition(lambda self: self.thing.facts.measurements)
    @rule(which=st.integers(0, 6), value=numbers, later=st.integers(-1, 400))
    def correct(self, which: int, value: Decimal, later: int) -> None:
        measured = list(self.thing.facts.measurements.values())
        corrected = measured[which % len(measured)]
        published_on = corrected.findings[-1].published_on + timedelta(days=later)
        proposed = MeasurementCorrected(
            period=corrected.period.name, value=value, published_on=min(published_on, TODAY), reason="r"
        )
        with contextlib.suppress(BitacoraError):
            self.story.record(self.thing.correct_measurement(proposed, NOW))

    @rule(
        proposed=st.builds(
            IndicatorDefinitionChanged,
            changes=changes.map(lambda fields: DefinitionFields(**fields)),
            effective_on=days,
            reason=st.just("r"),
            restated_by=st.none() | st.just(Decimal(10)),
        )
    )
    def redefine(self, proposed: IndicatorDefinitionChanged) -> None:
        with contextlib.suppress(BitacoraError):
            self.story.record(self.thing.change_definition(proposed, NOW))

    @rule(
        proposed=st.builds(
            CommitmentMeasured,
            commitment=st.sampled_from(["SEG-1", "SEG-2"]),
            measured=st.booleans(),
            reason=st.just("r"),
            effective_on=days,
        )
    )
    def measure_another(self, proposed: CommitmentMeasured) -> None:
        with contextlib.suppress(BitacoraError):
            self.story.record(self.thing.measure(proposed, NOW))

    @rule(proposed=st.builds(IndicatorPublished, visibility=st.sampled_from(Visibility), reason=st.just("r")))
    def publish(self, proposed: IndicatorPublished) -> None:
        with contextlib.suppress(BitacoraError):
            self.story.record(self.thing.publish(proposed, NOW))

    @invariant()
    def replaying_the_stored_bytes_gives_the_same_indicator(self) -> None:
        replayed = self.story.replayed()
        assert replayed.version == self.thing.version == len(self.story.events)
        assert known_of(replayed.facts) == known_of(self.thing.facts)
        assert replayed.commitments == self.thing.commitments
        assert replayed.visibility is self.thing.visibility

    @invariant()
    def every_value_can_be_judged_against_both_promises(self) -> None:
        facts = self.thing.facts
        for terms in (facts.original, facts.current):
            for measurement in facts.measurements.values():
                if terms is not None:
                    facts.verdict(terms, measurement)


TestAnIndicatorsLife = AnIndicatorsLife.TestCase
TestAnIndicatorsLife.settings = settings(max_examples=60, stateful_step_count=20)


def test_the_property_reaches_every_kind_of_event() -> None:
    """Were a command always refused, the properties above would say nothing of its event."""
    seen: set[str] = set()

    class Watched(AnIndicatorsLife):
        def teardown(self) -> None:
            seen.update(recorded.type for recorded in self.story.events)

    run_state_machine_as_test(
        Watched,
        settings=settings(
            derandomize=True, max_examples=60, stateful_step_count=20, suppress_health_check=list(HealthCheck)
        ),
    )
    assert seen == {event.TYPE for event in EVENTS}
