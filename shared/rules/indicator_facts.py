"""From events to what is known of one indicator: its definition, its targets and plans, and the values found.

Feeding the events of a stream up to a position gives what was known at that position. Definitions, targets
and trajectories hold from their own day on, and of two of the same day the one recorded later speaks, as
for commitments. The *original* promise is the first target with the definition and the trajectory as they
were first laid down; the *current* one is made of those now in force.

Every number is in the unit that was in force on its own day: a value on the day it was published, a target on the day
it was promised, a baseline on the day it became the baseline. A *unit number* counts the changes of the unit before it.
Numbers of two units are compared in the later one, where every change between them said how it restates the earlier.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from shared.events.facts import Event
from shared.events.indicators import (
    Baseline,
    DataSource,
    DefinitionFields,
    IndicatorDefined,
    IndicatorDefinitionChanged,
    MeasurementCorrected,
    MeasurementRecorded,
    PlannedValue,
    TargetSet,
    TrajectorySet,
)
from shared.events.vocabulary import Accumulation, Direction, Frequency, RelativeTo
from shared.rules.dated_facts import History
from shared.rules.decimals import exactly
from shared.rules.indicator_verdict import (
    CURRENT_INDICATOR_RULE,
    INDICATOR_VERDICT_1,
    IndicatorStatus,
    IndicatorVerdict,
    Obstacle,
    Point,
    Promise,
    indicator_verdict,
)
from shared.rules.periods import DAYS_OF, Period, stored_period


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
    changes: DefinitionFields
    reason: str
    restated_by: Decimal | None

    @property
    def values(self) -> dict[str, Any]:
        """The new values, by field."""
        return fields_in(self.changes)


class UnitChange(NamedTuple):
    """Another unit from a day on, and what earlier numbers are to be multiplied by, if anybody said so."""

    effective_on: date
    position: int
    unit: str
    factor: Decimal | None


class Target(NamedTuple):
    """A promised value, in force from `effective_on`; `on` is the day it is promised for.

    `value` is as it was promised, `level` what it comes to in the indicator's unit. The window of what is accumulated
    begins on `from_on`.
    """

    number: int
    value: Decimal
    level: Decimal
    on: date
    tolerance: Decimal
    accumulation: Accumulation
    from_on: date | None
    relative_to: RelativeTo
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


class Terms(NamedTuple):
    """What a promise is made of: the definition and the day from which its baseline is one, the target, the plan."""

    definition: Definition
    baseline_since: date
    target: Target
    trajectory: Trajectory | None


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
        "defined_at",
        "defined_on",
        "first_definition",
        "measurements",
        "targets",
        "targets_in_force",
        "trajectories",
        "trajectories_in_force",
        "unit_changes",
    )

    def __init__(self, event: IndicatorDefined, position: int) -> None:
        self.first_definition = msgspec.convert(event, Definition, from_attributes=True)
        self.defined_on, self.defined_at = event.effective_on, position
        self.changes: list[DefinitionChange] = []
        self.targets: list[Target] = []
        self.targets_in_force: History[Target | None] = History(None, position)
        self.trajectories: list[Trajectory] = []
        self.trajectories_in_force: History[Trajectory | None] = History(None, position)
        self.measurements: dict[str, Measurement] = {}
        self.unit_changes: list[UnitChange] = []
        """The changes of the unit, in order of days."""

    def apply(self, event: Event, position: int) -> None:
        """What the event at `position` adds; events that say nothing of the figures add nothing."""
        match event:
            case TargetSet():
                target = Target(
                    event.number,
                    event.value,
                    event.value if event.level is None else event.level,
                    event.on,
                    event.tolerance or Decimal(0),
                    event.accumulation,
                    event.from_on,
                    event.relative_to,
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
                change = DefinitionChange(
                    event.effective_on, position, event.changes, event.reason, event.restated_by
                )
                insort(self.changes, change, key=lambda one: one[:2])
                self.unit_changes = self._unit_changes()
            case _:
                pass

    @property
    def definition(self) -> Definition:
        """The definition now in force."""
        return self.definition_on(date.max)

    def definition_on(self, day: date, known: int | None = None) -> Definition:
        """The definition in force on a day: the first one, with each field as it was last changed by then.

        With `known`, by what had been told up to that position.
        """
        changes = [fields_in(one.changes) for one in self._changes_by(day, known)]
        if not changes:
            return self.first_definition
        return msgspec.structs.replace(
            self.first_definition, **{name: new for one in changes for name, new in one.items()}
        )

    def baseline_since(self, day: date, known: int | None = None) -> date:
        """The day from which the baseline in force on a day has been it; with `known`, as told up to that position."""
        changes = reversed(self._changes_by(day, known))
        return next((one.effective_on for one in changes if one.changes.baseline is not UNSET), date.min)

    def _changes_by(self, day: date, known: int | None) -> list[DefinitionChange]:
        return [
            one
            for one in self.changes
            if one.effective_on <= day and (known is None or one.position <= known)
        ]

    # --- units -----------------------------------------------------------------------------------------------------

    def _unit_changes(self) -> list[UnitChange]:
        found, unit = [], self.first_definition.unit
        for change in self.changes:
            changed = change.changes.unit
            if changed is not UNSET and changed != unit:
                unit = changed
                found.append(UnitChange(change.effective_on, change.position, unit, change.restated_by))
        return found

    def unit_on(self, day: date) -> int:
        """The number of the unit in force on a day, an index into `units`: the first one is 0."""
        return sum(change.effective_on <= day for change in self.unit_changes)

    @property
    def units(self) -> list[str]:
        """The units by their numbers."""
        return [self.first_definition.unit, *(change.unit for change in self.unit_changes)]

    def restated(self, number: Decimal, unit: int, to: int) -> Decimal | None:
        """A number of one unit in another; None where nobody said how, and for a unit before its own."""
        if unit > to:
            return None
        with exactly():
            for change in self.unit_changes[unit:to]:
                if change.factor is None:
                    return None
                number *= change.factor
        return number

    # --- what was promised -----------------------------------------------------------------------------------------

    @property
    def target(self) -> Target | None:
        """The target now in force."""
        return self.targets_in_force.on(date.max)[0]

    @property
    def trajectory(self) -> Trajectory | None:
        """The trajectory now in force."""
        return self.trajectories_in_force.on(date.max)[0]

    @property
    def original(self) -> Terms | None:
        """The promise as it was first made, by the days the promises are of; None while there is no target."""
        if not self.targets:
            return None
        target = min(self.targets, key=_order)
        # As it was defined by then: what was told since, a baseline above all, moves nothing that was promised.
        day, known = target.effective_on, target.position
        definition, since = self.definition_on(day, known), self.baseline_since(day, known)
        return Terms(definition, since, target, min(self.trajectories, key=_order, default=None))

    @property
    def current(self) -> Terms | None:
        """The promise as it stands; None while there is no target."""
        return self.in_force_on(date.max)

    def in_force_on(self, day: date) -> Terms | None:
        """The promise that was in force on a day."""
        target = self.targets_in_force.on(day)[0]
        if target is None:
            return None
        trajectory = self.trajectories_in_force.on(day)[0]
        return Terms(self.definition_on(day), self.baseline_since(day), target, trajectory)

    def promise(self, terms: Terms, unit: int) -> Promise | None:
        """The promise in a unit; None where its target cannot be had in that one."""
        target, since = terms.target, self.unit_on(terms.target.effective_on)
        level = self.restated(target.level, since, unit)
        tolerance = self.restated(target.tolerance, since, unit)
        if level is None or tolerance is None:
            return None
        baseline, plan = terms.definition.baseline, terms.trajectory
        started = self.unit_on(terms.baseline_since)
        start = None if baseline is None else self.restated(baseline.value, started, unit)
        planned = plan and [
            (point.on, self.restated(point.value, self.unit_on(plan.effective_on), unit))
            for point in plan.points
        ]
        return Promise(
            direction=terms.definition.direction,
            target=Point(target.on, level),
            baseline=None if baseline is None or start is None else Point(baseline.on, start),
            trajectory=tuple(Point(day, value) for day, value in planned or () if value is not None),
            tolerance=abs(tolerance),
            accumulation=target.accumulation,
            from_on=target.from_on or date.min,
        )

    # --- what was found --------------------------------------------------------------------------------------------

    def latest(self, published_by: date = date.max) -> Measurement | None:
        """The measurement of the latest period, among those published by a day.

        Of two periods that ended together, the one recorded later.
        """
        known = (m for m in self.measurements.values() if m.findings[0].published_on <= published_by)
        return max(known, key=lambda m: (m.period_end_on, m.findings[0].position), default=None)

    def before(self, measurement: Measurement) -> Measurement | None:
        """The measurement of the last period before another that is about as long; None where there is none."""
        length = measurement.period.days
        earlier = (
            m
            for m in self.measurements.values()
            if m.period_end_on < measurement.period.begins_on and abs(m.period.days - length) * 5 <= length
        )
        return max(earlier, key=lambda m: (m.period_end_on, m.findings[0].position), default=None)

    def verdict(
        self,
        terms: Terms,
        measurement: Measurement,
        published_by: date = date.max,
        rule: str = CURRENT_INDICATOR_RULE,
    ) -> IndicatorVerdict | None:
        """What is concluded of a period from all that was published by a day, the value of the period included.

        None where the period is none of the window that the promise is about.
        """
        target, period = terms.target, measurement.period
        if rule == INDICATOR_VERDICT_1.name:
            alone = measurement.known_on(published_by)
            return alone and indicator_verdict(_as_written(terms), alone.value, period.ends_on, rule)
        window = [measurement]
        if target.accumulation is not Accumulation.LAST:
            opens = target.from_on or date.min
            if period.begins_on < opens:
                return None
            window = sorted(
                (
                    m
                    for m in self.measurements.values()
                    if opens <= m.period.begins_on and m.period_end_on <= period.ends_on
                ),
                key=lambda m: m.period,
            )
        found = [(m.period, f) for m in window if (f := m.known_on(published_by)) is not None]
        own = measurement.known_on(published_by)
        if own is None:
            return None
        units = [self.unit_on(finding.published_on) for _, finding in found]
        unit = max(*units, self.unit_on(target.effective_on))
        values = [self.restated(one.value, of, unit) for (_, one), of in zip(found, units, strict=True)]
        comparable = [value for value in values if value is not None]
        promise = self.promise(terms, unit)
        if promise is None or len(comparable) < len(values):
            return IndicatorVerdict(IndicatorStatus.NOT_COMPARABLE, own.value, None, None)
        whole = _is_whole([one for one, _ in found], target, self.definition_on(period.ends_on).frequency)
        value = accumulated(target.accumulation, comparable)
        return indicator_verdict(promise, value, period.ends_on, rule, None if whole else Obstacle.GAPS)


class IndicatorByDay:
    """The facts of an indicator as they were there on any day: by what had taken effect, or was published, by then."""

    __slots__ = ("_published", "_told", "defined_at", "defined_on")

    def __init__(self, event: IndicatorDefined, position: int) -> None:
        self.defined_on, self.defined_at = event.effective_on, position
        self._told: list[tuple[date, int, Event]] = [(date.min, position, event)]
        """What was told, in the order of the log, and the day from which it speaks."""
        self._published: dict[str, date] = {}
        """By period, the day on which it first had a value."""

    def apply(self, event: Event, position: int) -> date | None:
        """Take in one more event; returns the first day of which something else may hold now, or None if none."""
        day = self.day_of(event)
        if day is not None:
            if isinstance(event, MeasurementRecorded):
                self._published[stored_period(event.period).name] = day
            self._told.append((day, position, event))
        return day

    def day_of(self, event: Event) -> date | None:
        """The day from which an event speaks; None for one that says nothing of the figures."""
        match event:
            case TargetSet() | TrajectorySet() | IndicatorDefinitionChanged():
                return event.effective_on
            case MeasurementRecorded():
                return event.published_on
            case MeasurementCorrected():
                return max(event.published_on, self._published[stored_period(event.period).name])
            case _:
                return None

    def on(self, day: date) -> IndicatorFacts:
        """The facts as they were there on a day."""
        return facts_of((position, event) for since, position, event in self._told if since <= day)

    def days_from(self, since: date) -> list[date]:
        """The days from one on, this one among them, on which something takes effect."""
        return sorted({since, *(day for day, _, _ in self._told if day > since)})


def facts_of(told: Iterable[tuple[int, Event]]) -> IndicatorFacts:
    """The facts of the events at some positions, in the order of the log, of which the first defines the indicator."""
    (position, first), *others = told
    assert isinstance(first, IndicatorDefined)
    facts = IndicatorFacts(first, position)
    for position, event in others:
        facts.apply(event, position)
    return facts


def _as_written(terms: Terms) -> Promise:
    """A promise to whoever knows of no windows and no units: its numbers as they were written down."""
    baseline, target, plan = terms.definition.baseline, terms.target, terms.trajectory
    return Promise(
        direction=terms.definition.direction,
        target=Point(target.on, target.level),
        baseline=None if baseline is None else Point(baseline.on, baseline.value),
        trajectory=tuple(Point(point.on, point.value) for point in (plan.points if plan else ())),
        tolerance=abs(target.tolerance),
    )


def fields_in(changes: DefinitionFields) -> dict[str, Any]:
    """The fields that are there, with their values."""
    values = {name: getattr(changes, name) for name in changes.__struct_fields__}
    return {name: value for name, value in values.items() if value is not UNSET}


def accumulated(accumulation: Accumulation, values: Sequence[Decimal]) -> Decimal:
    """What the values of a window, the last of them last, make together."""
    with exactly():
        match accumulation:
            case Accumulation.LAST:
                return values[-1]
            case Accumulation.SUM:
                return sum(values, Decimal(0))
            case Accumulation.MEAN:
                return sum(values, Decimal(0)) / len(values)
            case Accumulation.MAX:
                return max(values)
            case Accumulation.MIN:
                return min(values)


def _is_whole(periods: Sequence[Period], target: Target, frequency: Frequency) -> bool:
    """Whether no period is missing between the first day of the window and the last of the periods.

    School years have holidays between them: missing is what would be as long as a period.
    """
    if target.accumulation is Accumulation.LAST or frequency not in DAYS_OF:
        return True
    least, _ = DAYS_OF[frequency]
    begins = target.from_on or periods[0].begins_on
    for period in periods:
        if (period.begins_on - begins).days >= least:
            return False
        begins = max(begins, period.ends_on + timedelta(days=1))
    return True


def _order(told: Target | Trajectory) -> tuple[date, int]:
    return told.effective_on, told.position
