"""An indicator folded from stored bytes is the indicator that lived through the commands."""

from __future__ import annotations

import contextlib
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.commitments.domain.indicator import Indicator
from services.meetings.application.disclosures import IndicatorCircle
from shared.errors import BitacoraError
from shared.events.indicators import Baseline, DataSource, PlannedValue
from shared.events.vocabulary import Direction, Visibility
from shared.rules.indicator_facts import IndicatorFacts
from shared.rules.indicator_verdict import indicator_verdict
from shared.rules.indicator_warnings import warning_signs
from tests.services.commitments.stories import DCI, TODAY
from tests.services.commitments.test_indicator_decisions import DEFINED_ON, indicator

days = st.dates(DEFINED_ON, TODAY)
promised = st.dates(date(2010, 1, 1), date(2016, 12, 31))
numbers = st.decimals(Decimal("-99999.9999"), Decimal("99999.9999"), places=4)
periods = st.sampled_from(["2010", "2011", "2012", "2011-Q1", "2011-Q2", "2012-05", "2012-T1"])
changes = st.fixed_dictionaries(
    {},
    optional={
        "unit": st.sampled_from(["%", "‰"]),
        "direction": st.sampled_from(list(Direction)),
        "proxy": st.booleans(),
        "method": st.none() | st.just("Phone"),
        "baseline": st.none() | st.builds(Baseline, value=numbers, on=st.dates(date(2005, 1, 1), TODAY)),
        "source": st.none()
        | st.builds(DataSource, organization=st.sampled_from(["INE", "INTERIOR"]), independent=st.booleans()),
    },
)


def told(facts: IndicatorFacts) -> list[Any]:
    """All that the facts say, in a form that can be compared."""
    return [
        facts.first_definition,
        facts.definition,
        facts.original_promise,
        facts.current_promise,
        facts.targets,
        facts.trajectories,
        facts.trajectory,
        [
            (m.period, m.period_end_on, m.source, m.supplied_by, m.findings)
            for m in facts.measurements.values()
        ],
        warning_signs(facts),
    ]


class AnIndicatorsLife(RuleBasedStateMachine):
    """Any commands in any order; those that are refused leave no trace."""

    def __init__(self) -> None:
        super().__init__()
        self.story = indicator()

    @property
    def thing(self) -> Indicator:
        return self.story.thing

    @rule(value=numbers, on=promised, effective_on=days, reason=st.none() | st.just("r"))
    def promise(self, **said: Any) -> None:
        with contextlib.suppress(BitacoraError):
            self.story.tell(self.thing.set_target(**said, today=TODAY))

    @rule(points=st.lists(st.builds(PlannedValue, on=promised, value=numbers), max_size=3), effective_on=days)
    def plan(self, points: list[PlannedValue], effective_on: date) -> None:
        points.sort(key=lambda point: point.on)
        with contextlib.suppress(BitacoraError):
            self.story.tell(self.thing.set_trajectory(points, effective_on=effective_on, today=TODAY))

    @rule(
        period=periods,
        value=numbers,
        published_on=days,
        supplied_by=st.sampled_from([None, "INE", "INTERIOR"]),
    )
    def measure(self, **said: Any) -> None:
        with contextlib.suppress(BitacoraError):
            self.story.tell(self.thing.record_measurement(**said, actor=DCI, today=TODAY))

    @rule(period=periods, value=numbers, published_on=days)
    def correct(self, period: str, **said: Any) -> None:
        with contextlib.suppress(BitacoraError):
            self.story.tell(
                self.thing.correct_measurement(period, **said, reason="r", actor=DCI, today=TODAY)
            )

    @rule(changes=changes, effective_on=days)
    def redefine(self, changes: dict[str, Any], effective_on: date) -> None:
        with contextlib.suppress(BitacoraError):
            self.story.tell(
                self.thing.change_definition(changes, reason="r", effective_on=effective_on, today=TODAY)
            )

    @rule(visibility=st.sampled_from(Visibility))
    def publish(self, visibility: Visibility) -> None:
        with contextlib.suppress(BitacoraError):
            self.story.tell(self.thing.publish(visibility=visibility, reason="r"))

    @invariant()
    def where_meetings_are_kept_it_is_as_open_and_supplied_by_the_same(self) -> None:
        first, *others = self.story.events
        circle = IndicatorCircle.begin(first)
        assert circle is not None
        for recorded in others:
            circle.apply(recorded)
        assert circle.visibility is self.thing.visibility
        suppliers = {name for name in ("INE", "INTERIOR") if self.thing._supplied_by(name)}
        assert set(circle.suppliers()) == suppliers

    @invariant()
    def replaying_the_stored_bytes_gives_the_same_indicator(self) -> None:
        replayed = self.story.replayed()
        assert replayed.version == self.thing.version == len(self.story.events)
        assert told(replayed.facts) == told(self.thing.facts)
        assert replayed.visibility is self.thing.visibility

    @invariant()
    def every_value_can_be_judged_against_both_promises(self) -> None:
        for promise in (self.thing.facts.original_promise, self.thing.facts.current_promise):
            for measurement in self.thing.facts.measurements.values():
                if promise is not None:
                    indicator_verdict(promise, measurement.value, measurement.period_end_on)


TestAnIndicatorsLife = AnIndicatorsLife.TestCase
TestAnIndicatorsLife.settings = settings(max_examples=60, stateful_step_count=20)
