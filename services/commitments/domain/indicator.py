"""An indicator: what is measured, what was promised of it, and what was found, each with its changes and reasons."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from services.commitments.domain import guards
from services.commitments.domain.indicator_definition import as_json, check_definition
from shared.errors import Forbidden, InvalidInput, NotFound, RuleBroken
from shared.eventlog.envelope import Recorded
from shared.events.facts import Event
from shared.events.indicators import (
    IndicatorDefined,
    IndicatorDefinitionChanged,
    IndicatorPublished,
    MeasurementCorrected,
    MeasurementRecorded,
    PlannedValue,
    TargetSet,
    TrajectorySet,
)
from shared.events.vocabulary import Direction, Visibility
from shared.identity.actor import Actor, Role
from shared.rules.indicator_facts import Definition, IndicatorFacts, Measurement
from shared.rules.periods import period_named
from shared.rules.visibility import may_see


class CommitmentCircle(NamedTuple):
    """Who may know of the commitment that an indicator belongs to, and which organisations it concerns."""

    visibility: Visibility
    concerned: Collection[str]


class Indicator:
    """One indicator, folded from its events."""

    __slots__ = (
        "code",
        "commitment",
        "defined_at",
        "effective_on",
        "facts",
        "id",
        "position",
        "recorded_at",
        "version",
        "visibility",
    )

    def __init__(self, event: IndicatorDefined, recorded: Recorded) -> None:
        self.id: UUID = recorded.stream_id
        self.version = recorded.version
        self.position = recorded.position
        self.defined_at = self.recorded_at = recorded.recorded_at
        self.code = event.code
        self.commitment = event.commitment
        self.effective_on = event.effective_on
        self.visibility = event.visibility
        self.facts = IndicatorFacts(event, recorded.position)

    @classmethod
    def begin(cls, recorded: Recorded) -> Indicator | None:
        """The indicator that the first event of a stream tells of, if it tells of one."""
        event = recorded.data
        return cls(event, recorded) if isinstance(event, IndicatorDefined) else None

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event."""
        self.version = recorded.version
        self.position = recorded.position
        self.recorded_at = recorded.recorded_at
        self.facts.apply(recorded.data, recorded.position)
        if isinstance(recorded.data, IndicatorPublished):
            self.visibility = recorded.data.visibility

    def visible_to(self, actor: Actor, commitment: CommitmentCircle | None = None) -> bool:
        """Whether the actor may know of it: whoever supplies its values always; others within its own circle of
        readers, and within that of the commitment it belongs to.
        """
        if self._supplied_by(actor.organization):
            return True
        concerned = commitment.concerned if commitment else ()
        return may_see(actor, self.visibility, concerned) and (
            commitment is None or may_see(actor, commitment.visibility, concerned)
        )

    # --- what was promised -----------------------------------------------------------------------------------------

    def set_target(
        self,
        *,
        value: Decimal,
        on: date,
        today: date,
        effective_on: date | None = None,
        tolerance: Decimal | None = None,
        reason: str | None = None,
        decision: str | None = None,
    ) -> list[Event]:
        """Promise a value for a day, or promise another one, with a reason."""
        effective = self._in_its_life(effective_on, today)
        definition = self.facts.definition_on(effective)
        if tolerance is not None and definition.direction is not Direction.MAINTAIN:
            raise InvalidInput(
                "tolerance-not-applicable",
                "A tolerance belongs to a value that is to be maintained; this one is to move.",
                pointer="/tolerance",
            )
        if tolerance is not None and tolerance < 0:
            raise InvalidInput("tolerance-negative", "A tolerance is a distance.", pointer="/tolerance")
        if definition.baseline is not None and on <= definition.baseline.on:
            raise RuleBroken(
                "target-before-baseline",
                f"A target for {on} would lie no later than its baseline, {definition.baseline.on}.",
            )
        if self.facts.targets:
            guards.reason_given(reason, "A target that replaces an earlier one")
        before = self.facts.targets_in_force.on(effective)[0]
        if before is not None and (value, on, tolerance or 0) == (before.value, before.on, before.tolerance):
            raise RuleBroken("target-unchanged", f"{value} by {on} is the target already in force.")
        return [
            TargetSet(
                number=len(self.facts.targets) + 1,
                value=value,
                on=on,
                tolerance=tolerance or None,
                effective_on=effective,
                reason=reason,
                decision=decision,
            )
        ]

    def set_trajectory(
        self,
        points: Sequence[PlannedValue],
        *,
        today: date,
        effective_on: date | None = None,
        reason: str | None = None,
    ) -> list[Event]:
        """Lay down the values planned on the way; they replace those planned before."""
        effective = self._in_its_life(effective_on, today)
        if not points:
            raise InvalidInput(
                "trajectory-empty", "A trajectory has at least one planned value.", pointer="/points"
            )
        baseline = self.facts.definition_on(effective).baseline
        last = baseline.on if baseline else date.min
        for index, point in enumerate(points):
            if point.on <= last:
                raise InvalidInput(
                    "trajectory-not-ascending",
                    f"{point.on} does not come after {last}: planned days follow the baseline and each other.",
                    pointer=f"/points/{index}/on",
                )
            last = point.on
        before = self.facts.trajectories_in_force.on(effective)[0]
        if before is not None and before.points == tuple(points):
            raise RuleBroken("trajectory-unchanged", "These are the planned values already in force.")
        return [TrajectorySet(points=tuple(points), effective_on=effective, reason=reason)]

    # --- what was found --------------------------------------------------------------------------------------------

    def record_measurement(
        self,
        *,
        period: str,
        value: Decimal,
        actor: Actor,
        today: date,
        published_on: date | None = None,
        source: str | None = None,
        supplied_by: str | None = None,
    ) -> list[Event]:
        """Record the value found for a period; a ministry records only what it supplies itself."""
        self._check_supplier(actor)
        if actor.role is Role.MINISTRY:
            supplied_by = supplied_by or actor.organization
            if supplied_by != actor.organization:
                raise Forbidden("not-your-measurement", "You may only record values that you supply.")
        named = period_named(period)
        published = guards.not_after_today(published_on, today, "/published_on")
        if published < named.begins_on:
            raise InvalidInput(
                "period-not-begun",
                f"A value published on {published} says nothing of {period}, which begins on {named.begins_on}.",
                pointer="/published_on",
            )
        if period in self.facts.measurements:
            raise RuleBroken(
                "measurement-exists",
                f"{period} already has its value; mend it under measurements/{period}/corrections.",
            )
        return [
            MeasurementRecorded(
                period=period,
                period_end_on=named.ends_on,
                value=value,
                published_on=published,
                source=source,
                supplied_by=supplied_by,
            )
        ]

    def correct_measurement(
        self,
        period: str,
        *,
        value: Decimal,
        reason: str,
        actor: Actor,
        today: date,
        published_on: date | None = None,
    ) -> list[Event]:
        """Put another value in the place of one that was wrong; the wrong one stays on record."""
        self._check_supplier(actor)
        measurement = self.measurement(period)
        guards.reason_given(reason, "A correction")
        published = guards.not_after_today(published_on, today, "/published_on")
        before = measurement.findings[-1]
        if published < before.published_on:
            raise InvalidInput(
                "correction-before-value",
                f"The value it corrects was only published on {before.published_on}.",
                pointer="/published_on",
            )
        if value == before.value:
            raise RuleBroken("measurement-unchanged", f"{value} is the value {period} already has.")
        return [
            MeasurementCorrected(
                period=period, value=value, previous=before.value, reason=reason, published_on=published
            )
        ]

    def measurement(self, period: str) -> Measurement:
        """The measurement of a period; NotFound when there is none."""
        found = self.facts.measurements.get(period)
        if found is None:
            raise NotFound("unknown-measurement", "This indicator has no value for that period.")
        return found

    # --- what is measured ------------------------------------------------------------------------------------------

    def change_definition(
        self, changes: Mapping[str, Any], *, reason: str, today: date, effective_on: date | None = None
    ) -> list[Event]:
        """Change what is measured or how: `changes` gives fields of the definition their new values."""
        effective = self._in_its_life(effective_on, today)
        guards.reason_given(reason, "A changed definition")
        before = self.facts.definition_on(effective)
        after = msgspec.structs.replace(before, **changes)
        check_definition(after, today)
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
        return [
            IndicatorDefinitionChanged(
                changes={name: as_json(getattr(after, name)) for name in fields},
                previous={name: as_json(getattr(before, name)) for name in fields},
                reason=reason,
                effective_on=effective,
            )
        ]

    def publish(self, *, visibility: Visibility, reason: str) -> list[Event]:
        """Others may know of it, as far as they may know of the commitment it belongs to, or no longer so."""
        guards.reason_given(reason, "A publication")
        if visibility is self.visibility:
            raise RuleBroken("visibility-unchanged", f"It is {visibility} already.")
        return [IndicatorPublished(visibility=visibility, previous=self.visibility, reason=reason)]

    # --- guards ----------------------------------------------------------------------------------------------------

    def _in_its_life(self, effective_on: date | None, today: date) -> date:
        effective = guards.not_after_today(effective_on, today)
        if effective < self.effective_on:
            raise InvalidInput(
                "before-definition",
                f"The indicator was only defined on {self.effective_on}.",
                pointer="/effective_on",
            )
        return effective

    def _check_supplier(self, actor: Actor) -> None:
        if actor.role is Role.MINISTRY and not self._supplied_by(actor.organization):
            raise Forbidden(
                "not-your-indicator", "Only the organisation named as the source may record these values."
            )

    def _supplied_by(self, organization: str) -> bool:
        source = self.facts.definition.source
        return source is not None and source.organization == organization
