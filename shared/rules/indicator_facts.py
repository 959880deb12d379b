"""From events to what is known of one indicator: its definition, its targets and plans, and the values found.

Feeding the events of a stream up to a position gives what was known at that position. Definitions, targets
and trajectories hold from their own day on, and of two of the same day the one recorded later speaks, as
for commitments. The *original* promise is the first target with the definition and the trajectory as they
were first laid down; the *current* one is made of those now in force.
"""

from __future__ import annotations

from bisect import insort
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

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
    TrajectorySet,
)
from shared.events.vocabulary import Direction, Frequency
from shared.rules.dated_facts import History
from shared.rules.indicator_verdict import Point, Promise
from shared.rules.periods import Period, stored_period


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured and how: the part of an indicator that a definition change may touch."""

    name: str
    unit: str
    direction: Direction
    proxy: bool = False
    baseline: Baseline | None = None
    source: DataSource | None = None
    method: str | None = None
    frequency: Frequency = Frequency.YEARLY


class DefinitionChange(NamedTuple):
    """Fields of the definition with their new values, from which day, and by which event."""

    effective_on: date
    position: int
    values: dict[str, Any]
    reason: str


class Target(NamedTuple):
    """A promised value, in force from `effective_on`; `on` is the day it is promised for."""

    number: int
    value: Decimal
    on: date
    tolerance: Decimal
    effective_on: date
    reason: str | None
    decision: str | None
    position: int


class Trajectory(NamedTuple):
    """The planned values on the way, in force from `effective_on`."""

    points: tuple[PlannedValue, ...]
    effective_on: date
    position: int


class Finding(NamedTuple):
    """A value as it was published; `reason` says why it replaced an earlier one."""

    value: Decimal
    published_on: date
    reason: str | None
    position: int


class Measurement:
    """The value of one period, with every correction of it in the order they were recorded."""

    __slots__ = ("findings", "period", "source", "supplied_by")

    def __init__(self, event: MeasurementRecorded, period: Period, position: int) -> None:
        self.period = period
        self.source = event.source
        self.supplied_by = event.supplied_by
        self.findings = [Finding(event.value, event.published_on, None, position)]

    @property
    def period_end_on(self) -> date:
        """The last day of its period."""
        return self.period.ends_on

    @property
    def value(self) -> Decimal:
        """The value that stands now."""
        return self.findings[-1].value

    def known_on(self, day: date) -> Finding | None:
        """The value as it had been published by a day; None before the first publication."""
        return next((found for found in reversed(self.findings) if found.published_on <= day), None)


class IndicatorFacts:
    """Everything the verdicts and the warning signs need to know of one indicator."""

    __slots__ = (
        "changes",
        "first_definition",
        "measurements",
        "targets",
        "targets_in_force",
        "trajectories",
        "trajectories_in_force",
    )

    def __init__(self, event: IndicatorDefined, position: int) -> None:
        self.first_definition = msgspec.convert(event, Definition, from_attributes=True)
        self.changes: list[DefinitionChange] = []
        self.targets: list[Target] = []
        self.targets_in_force: History[Target | None] = History(None, position)
        self.trajectories: list[Trajectory] = []
        self.trajectories_in_force: History[Trajectory | None] = History(None, position)
        self.measurements: dict[str, Measurement] = {}

    def apply(self, event: Event, position: int) -> None:
        """What the event at `position` adds; events that say nothing of the figures add nothing."""
        match event:
            case TargetSet():
                target = Target(
                    event.number,
                    event.value,
                    event.on,
                    event.tolerance or Decimal(0),
                    event.effective_on,
                    event.reason,
                    event.decision,
                    position,
                )
                self.targets.append(target)
                self.targets_in_force.add(event.effective_on, position, target)
            case TrajectorySet():
                trajectory = Trajectory(event.points, event.effective_on, position)
                self.trajectories.append(trajectory)
                self.trajectories_in_force.add(event.effective_on, position, trajectory)
            case MeasurementRecorded():
                period = stored_period(event.period)
                self.measurements[period.name] = Measurement(event, period, position)
            case MeasurementCorrected():
                found = Finding(event.value, event.published_on, event.reason, position)
                self.measurements[stored_period(event.period).name].findings.append(found)
            case IndicatorDefinitionChanged():
                change = DefinitionChange(event.effective_on, position, event.changes, event.reason)
                insort(self.changes, change, key=lambda one: one[:2])
            case _:
                pass

    @property
    def definition(self) -> Definition:
        """The definition now in force."""
        return self.definition_on(date.max)

    def definition_on(self, day: date) -> Definition:
        """The definition in force on a day: the first one, with each field as it was last changed by then."""
        changes = [change.values for change in self.changes if change.effective_on <= day]
        if not changes:
            return self.first_definition
        fields = {name: getattr(self.first_definition, name) for name in Definition.__struct_fields__}
        for values in changes:
            fields |= values
        return msgspec.convert(fields, Definition, from_attributes=True)

    @property
    def target(self) -> Target | None:
        """The target now in force."""
        return self.targets_in_force.on(date.max)[0]

    @property
    def trajectory(self) -> Trajectory | None:
        """The trajectory now in force."""
        return self.trajectories_in_force.on(date.max)[0]

    @property
    def original_promise(self) -> Promise | None:
        """The promise as it was first made; None while there is no target."""
        if not self.targets:
            return None
        return _promise(self.first_definition, self.targets[0], next(iter(self.trajectories), None))

    @property
    def current_promise(self) -> Promise | None:
        """The promise as it stands; None while there is no target."""
        return self.promise_on(date.max)

    def promise_on(self, day: date) -> Promise | None:
        """The promise that was in force on a day."""
        target = self.targets_in_force.on(day)[0]
        if target is None:
            return None
        return _promise(self.definition_on(day), target, self.trajectories_in_force.on(day)[0])

    def latest(self, published_by: date = date.max) -> Measurement | None:
        """The measurement of the latest period, among those published by a day.

        Of two periods that ended together, the one recorded later.
        """
        known = (m for m in self.measurements.values() if m.findings[0].published_on <= published_by)
        return max(known, key=lambda m: (m.period_end_on, m.findings[0].position), default=None)


def _promise(definition: Definition, target: Target, trajectory: Trajectory | None) -> Promise:
    baseline = definition.baseline
    return Promise(
        direction=definition.direction,
        target=Point(target.on, target.value),
        baseline=Point(baseline.on, baseline.value) if baseline else None,
        trajectory=tuple(Point(point.on, point.value) for point in trajectory.points) if trajectory else (),
        tolerance=target.tolerance,
    )
