"""An indicator: what is measured, what was promised of it, and what was found, each with its changes and reasons."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import msgspec

from shared.aggregate.aggregate import Aggregate, Entry, evolves
from shared.aggregate.command import Context
from shared.aggregate.redaction import Readers
from shared.errors import Forbidden, InvalidInput, NotFound, RuleBroken
from shared.eventlog.envelope import Recorded
from shared.events.indicators import (
    Baseline,
    CommitmentMeasured,
    DefinitionFields,
    IndicatorDefined,
    IndicatorDefinitionChanged,
    IndicatorPublished,
    MeasurementCorrected,
    MeasurementRecorded,
    TargetSet,
    TrajectorySet,
)
from shared.events.vocabulary import Accumulation, Direction, RelativeTo, Visibility
from shared.identity.actor import Actor, Role
from shared.rules import guards
from shared.rules.dated_facts import History, VisibilityByDay
from shared.rules.decimals import exactly, plain
from shared.rules.indicator_facts import Definition, IndicatorFacts, Measurement, Target, fields_in
from shared.rules.periods import Period, period_named, stored_period

replace = msgspec.structs.replace


class Indicator(Aggregate):
    """One indicator."""

    __slots__ = ("code", "commitment", "effective_on", "facts", "others", "visibilities")

    BEGINS_WITH = (IndicatorDefined,)

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded)
        event = recorded.data
        assert isinstance(event, IndicatorDefined)
        self.code = event.code
        self.commitment = event.commitment
        self.effective_on = event.effective_on
        self.visibilities = VisibilityByDay(event.visibility, recorded.position)
        self.others: dict[str, History[bool]] = {}
        """The commitments that it measures, or measured, besides that of its definition."""
        self.facts = IndicatorFacts(event, recorded.position)

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event; figures and definitions are kept apart, by the rules that judge them."""
        super().apply(recorded)
        self.facts.apply(recorded.data, recorded.position)

    @property
    def visibility(self) -> Visibility:
        """Who may know of it."""
        return self.visibilities.now

    def readers(self, commitment: Readers | None = None) -> Readers:
        """Who may know of it: whoever supplies its values always; others within its own visibility, and within that of
        the commitment it belongs to.
        """
        source = self.facts.definition.source
        suppliers = () if source is None else (source.organization,)
        return Readers(self.visibility, suppliers).within(commitment)

    # --- what was promised -----------------------------------------------------------------------------------------

    def set_target(self, proposed: TargetSet, context: Context) -> TargetSet:
        """Promises a value for a day; after the first one this is a revision and says why."""
        effective = self._in_its_life(proposed.effective_on, context.today)
        definition = self.facts.definition_on(effective)
        tolerance = proposed.tolerance
        if tolerance is not None and definition.direction is not Direction.MAINTAIN:
            raise InvalidInput(
                "tolerance-not-applicable",
                "A tolerance belongs to a value that is to be maintained; this one is to move.",
                pointer="/tolerance",
            )
        if tolerance is not None and tolerance < 0:
            raise InvalidInput("tolerance-negative", "A tolerance is a distance.", pointer="/tolerance")
        baseline = definition.baseline
        if baseline is not None and proposed.on <= baseline.on:
            raise RuleBroken(
                "target-before-baseline",
                f"A target for {proposed.on} would lie no later than its baseline, {baseline.on}.",
            )
        if self.facts.targets:
            guards.reason_given(proposed.reason, "A target that replaces an earlier one")
        last = self.facts.targets[-1].number if self.facts.targets else 0
        target = replace(
            proposed,
            number=self.next_number(TargetSet, last),
            tolerance=tolerance or None,
            from_on=_first_of_window(proposed, baseline),
            level=self._level(proposed, baseline),
        )
        before = self.facts.targets_in_force.on(effective)[0]
        if before is not None and self._same_promise(before, target):
            raise RuleBroken(
                "target-unchanged", f"{before.value} by {before.on} is the target already in force."
            )
        return target

    def _level(self, proposed: TargetSet, baseline: Baseline | None) -> Decimal | None:
        """What a target that is relative to the baseline comes to, for good; None for others."""
        if proposed.relative_to is RelativeTo.ABSOLUTE:
            return None
        facts, day = self.facts, proposed.effective_on
        begun, now = facts.unit_on(facts.baseline_since(day)), facts.unit_on(day)
        start = None if baseline is None else facts.restated(baseline.value, begun, now)
        if not start:
            raise InvalidInput(
                "baseline-missing",
                "What is relative to the baseline needs one that is not zero, in the unit now in force.",
                pointer="/relative_to",
            )
        with exactly():
            # Of the baseline's size: +50 % of -10 is up to -5, as the change shown beside a value is counted, too.
            return plain(start + abs(start) * proposed.value / 100)

    def _same_promise(self, before: Target, target: TargetSet) -> bool:
        level = target.value if target.level is None else target.level
        promised = (level, target.on, target.tolerance or 0, target.accumulation, target.from_on)
        held = (before.level, before.on, before.tolerance, before.accumulation, before.from_on)
        return promised == held and self._in_one_unit(before.effective_on, target.effective_on)

    def set_trajectory(self, proposed: TrajectorySet, context: Context) -> TrajectorySet:
        """Lays down the values planned on the way to the target; they replace those planned before."""
        effective = self._in_its_life(proposed.effective_on, context.today)
        if not proposed.points:
            raise InvalidInput(
                "trajectory-empty", "A trajectory has at least one planned value.", pointer="/points"
            )
        baseline = self.facts.definition_on(effective).baseline
        last = baseline.on if baseline else date.min
        for index, point in enumerate(proposed.points):
            if point.on <= last:
                raise InvalidInput(
                    "trajectory-not-ascending",
                    f"{point.on} does not come after {last}: planned days follow the baseline and each other.",
                    pointer=f"/points/{index}/on",
                )
            last = point.on
        before = self.facts.trajectories_in_force.on(effective)[0]
        if (
            before is not None
            and before.points == proposed.points
            and self._in_one_unit(before.effective_on, effective)
        ):
            raise RuleBroken("trajectory-unchanged", "These are the planned values already in force.")
        return proposed

    # --- what was found --------------------------------------------------------------------------------------------

    def record_measurement(self, proposed: MeasurementRecorded, context: Context) -> MeasurementRecorded:
        """Records the value found for a period; each period has one, and another value is a correction.

        A ministry records only what it supplies itself.
        """
        actor, supplied_by = context.actor, proposed.supplied_by
        self._check_supplier(actor, proposed.published_on)
        if actor.role is Role.MINISTRY:
            supplied_by = supplied_by or actor.organization
            if not actor.is_of((supplied_by,)):
                raise Forbidden("not-your-measurement", "You may only record values that you supply.")
        period = period_named(proposed.period)
        published = guards.not_after_today(proposed.published_on, context.today, "/published_on")
        if published < period.begins_on:
            raise InvalidInput(
                "period-not-begun",
                f"A value published on {published} says nothing of {period.name}, which begins on {period.begins_on}.",
                pointer="/published_on",
            )
        self._check_period(period, published)
        return replace(proposed, period_end_on=period.ends_on, supplied_by=supplied_by)

    def correct_measurement(self, proposed: MeasurementCorrected, context: Context) -> MeasurementCorrected:
        """Puts the right value in the place of a wrong one, which stays on record."""
        self._check_supplier(context.actor, proposed.published_on)
        before = self.measurement(stored_period(proposed.period).name).findings[-1]
        guards.reason_given(proposed.reason, "A correction")
        guards.not_after_today(proposed.published_on, context.today, "/published_on")
        if proposed.published_on < before.published_on:
            raise InvalidInput(
                "correction-before-value",
                f"The value it corrects was only published on {before.published_on}.",
                pointer="/published_on",
            )
        if proposed.value == before.value and self._in_one_unit(before.published_on, proposed.published_on):
            raise RuleBroken(
                "measurement-unchanged", f"{before.value} is the value {proposed.period} already has."
            )
        return replace(proposed, previous=before.value)

    def measurement(self, period: str) -> Measurement:
        """The measurement of a period; NotFound when there is none."""
        found = self.facts.measurements.get(period)
        if found is None:
            raise NotFound("unknown-measurement", "This indicator has no value for that period.")
        return found

    # --- what is measured ------------------------------------------------------------------------------------------

    def change_definition(
        self, proposed: IndicatorDefinitionChanged, context: Context
    ) -> IndicatorDefinitionChanged:
        """Changes what is measured, or how, from a day on; verdicts on the original promise keep that of then.

        The proposed `changes` give fields of the definition their new values.
        """
        effective = self._in_its_life(proposed.effective_on, context.today)
        guards.reason_given(proposed.reason, "A changed definition")
        before = self.facts.definition_on(effective)
        after = replace(before, **fields_in(proposed.changes))
        _check_definition(after, context.today)
        if proposed.restated_by is not None:
            if after.unit == before.unit:
                raise InvalidInput(
                    "restated-without-unit",
                    "Earlier numbers are restated where the unit changes; here it stays.",
                    pointer="/restated_by",
                )
            if proposed.restated_by <= 0:
                raise InvalidInput(
                    "restated-by-nothing",
                    "Earlier numbers are multiplied by a number above zero.",
                    pointer="/restated_by",
                )
        fields = [
            name for name in Definition.__struct_fields__ if getattr(before, name) != getattr(after, name)
        ]
        if not fields:
            raise RuleBroken("definition-unchanged", "The definition already reads like this.")
        target = self.facts.targets_in_force.on(effective)[0]
        if after.baseline is not None and target is not None and after.baseline.on >= target.on:
            raise RuleBroken(
                "target-before-baseline",
                f"A baseline of {after.baseline.on} would lie no earlier than the target's day, {target.on}.",
            )
        return replace(
            proposed,
            changes=DefinitionFields(**{name: getattr(after, name) for name in fields}),
            previous=DefinitionFields(**{name: getattr(before, name) for name in fields}),
        )

    def measure(self, proposed: CommitmentMeasured, context: Context) -> CommitmentMeasured:
        """Has it measure another commitment as well from a day on, or no longer."""
        effective = self._in_its_life(proposed.effective_on, context.today)
        guards.reason_given(proposed.reason, "What is measured besides")
        if proposed.commitment == self.commitment:
            raise RuleBroken(
                "measured-by-definition", f"It measures {self.commitment} by its definition, on every day."
            )
        if self.measures_on(proposed.commitment, effective) is proposed.measured:
            state = "measures" if proposed.measured else "does not measure"
            raise RuleBroken("measured-already", f"On {effective} it {state} {proposed.commitment} already.")
        return proposed

    @evolves(CommitmentMeasured)
    def _measures(self, entry: Entry[CommitmentMeasured]) -> None:
        event = entry.event
        history = self.others.setdefault(event.commitment, History(False, entry.position))
        history.add(event.effective_on, entry.position, event.measured)

    def measures_on(self, commitment: str, day: date) -> bool:
        """Whether it measures another than the commitment of its definition on a day."""
        history = self.others.get(commitment)
        return history is not None and history.on(day)[0]

    @property
    def commitments(self) -> list[str]:
        """The commitments it measures: first that of its definition, then the others by code."""
        own = [] if self.commitment is None else [self.commitment]
        return own + sorted(code for code in self.others if self.measures_on(code, date.max))

    def publish(self, proposed: IndicatorPublished, context: Context) -> IndicatorPublished:
        """Changes who may know of it; nobody comes to know of it who may not know of the commitment it belongs to."""
        guards.reason_given(proposed.reason, "A publication")
        if proposed.effective_on is not None:
            self._in_its_life(proposed.effective_on, context.today)
        return replace(proposed, previous=self.visibilities.before(proposed))

    @evolves(IndicatorPublished)
    def _published(self, entry: Entry[IndicatorPublished]) -> None:
        self.visibilities.take_in(entry.event, entry.position)

    # --- guards ----------------------------------------------------------------------------------------------------

    def _in_its_life(self, effective_on: date, today: date) -> date:
        guards.not_after_today(effective_on, today)
        if effective_on < self.effective_on:
            raise InvalidInput(
                "before-definition",
                f"The indicator was only defined on {self.effective_on}.",
                pointer="/effective_on",
            )
        return effective_on

    def _in_one_unit(self, day: date, other: date) -> bool:
        return self.facts.unit_on(day) == self.facts.unit_on(other)

    def _check_period(self, period: Period, published_on: date) -> None:
        """A new value is of a period of its frequency, that of its last day or that of its publication, and of days
        that no other value is of.
        """
        often = [self.facts.definition_on(day).frequency for day in (period.ends_on, published_on)]
        if not any(period.is_of(frequency) for frequency in often):
            raise InvalidInput(
                "period-not-of-frequency",
                f"{period.name} is not the period of what is measured {often[0].replace('_', ' ')}.",
                pointer="/period",
            )
        if period.name in self.facts.measurements:
            raise RuleBroken(
                "measurement-exists",
                f"{period.name} already has its value; mend it under measurements/{period.name}/corrections.",
            )
        for other in self.facts.measurements.values():
            if period.overlaps(other.period):
                raise RuleBroken(
                    "period-overlaps", f"{period.name} has days of {other.period.name}, which has its value."
                )

    def _check_supplier(self, actor: Actor, day: date) -> None:
        """Of a day tells who was the source on that day, and who is it now."""
        sources = (self.facts.definition_on(day).source, self.facts.definition.source)
        named = {source.organization for source in sources if source is not None}
        if actor.role is Role.MINISTRY and not actor.is_of(named):
            raise Forbidden(
                "not-your-indicator", "Only the organisation named as the source may record these values."
            )

    def _supplied_by(self, organization: str) -> bool:
        source = self.facts.definition.source
        return source is not None and source.organization == organization


def define(proposed: IndicatorDefined, context: Context) -> IndicatorDefined:
    """Define an indicator, before it is measured."""
    guards.well_formed_code(proposed.code)
    _check_definition(msgspec.convert(proposed, Definition, from_attributes=True), context.today)
    guards.not_after_today(proposed.effective_on, context.today)
    return proposed


def _check_definition(definition: Definition, today: date) -> None:
    """Hold a definition, new or changed, to the rules."""
    guards.text_given(definition.name, "The name", "/name")
    guards.text_given(definition.unit, "The unit", "/unit")
    if definition.baseline is not None:
        guards.not_after_today(definition.baseline.on, today, "/baseline/on")


def _first_of_window(proposed: TargetSet, baseline: Baseline | None) -> date | None:
    """The first day of the window of what is accumulated; None for the last value, which has no window."""
    first = proposed.from_on
    if proposed.accumulation is Accumulation.LAST:
        if first is not None:
            raise InvalidInput(
                "window-not-applicable", "The last value has no window: leave it out.", pointer="/from_on"
            )
        return None
    if first is None and baseline is not None:
        first = baseline.on + timedelta(days=1)
    if first is None or first > proposed.on:
        raise InvalidInput(
            "window-missing",
            f"Say from which day on the {proposed.accumulation} is taken, no later than {proposed.on}: there is no "
            "baseline to begin after.",
            pointer="/from_on",
        )
    return first
