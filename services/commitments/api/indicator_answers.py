"""What the service answers about indicators, as its document describes it; `indicator_rendering.py` makes the bytes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field

from services.commitments.api.fact_answers import Answer
from services.commitments.api.indicator_bodies import PeriodName
from shared.events.vocabulary import Direction, Frequency, Visibility
from shared.http.schemas import CivilDay, Instant
from shared.rules.indicator_verdict import IndicatorStatus
from shared.rules.indicator_warnings import WarningCode


class BaselineAnswer(Answer):
    """The value from which progress is counted."""

    value: float
    on: CivilDay
    source: str | None


class SourceAnswer(Answer):
    """Who supplies the values."""

    organization: str
    independent: bool
    name: str | None


class ChangeAnswer(Answer):
    """A value against the baseline; `percent` is null where the baseline is zero."""

    absolute: float
    percent: float | None


class TargetAnswer(Answer):
    """A promised value, in force from `effective_on` on."""

    number: int
    value: float
    on: CivilDay
    tolerance: float | None
    change: ChangeAnswer | None = Field(description="Against the baseline.")
    effective_on: CivilDay
    reason: str | None
    decision: str | None
    position: int


class PlannedValueAnswer(Answer):
    """One point of a trajectory."""

    on: CivilDay
    value: float


class TrajectoryAnswer(Answer):
    """The values planned on the way."""

    points: list[PlannedValueAnswer]
    effective_on: CivilDay
    position: int


class VerdictAnswer(Answer):
    """What a value says of a promise: `gap` is value − target, `planned` what was planned for that day."""

    status: IndicatorStatus
    gap: float
    planned: float | None


class MeasurementCorrectionAnswer(Answer):
    """A value set right."""

    value: float
    previous: float
    reason: str
    published_on: CivilDay
    position: int


class MeasurementAnswer(Answer):
    """The value that stands for a period, and what it says of both promises."""

    period: PeriodName
    period_end_on: CivilDay
    value: float
    published_on: CivilDay
    source: str | None
    supplied_by: str | None
    change: ChangeAnswer | None = Field(description="Against the baseline.")
    against_original: VerdictAnswer | None = Field(description="Against the promise as it was first made.")
    against_current: VerdictAnswer | None = Field(description="Against the promise as it stands.")
    corrections: list[MeasurementCorrectionAnswer]
    position: int


class DefinitionChangeAnswer(Answer):
    """A change of the definition, in the order in which the changes took effect."""

    changes: dict[str, Any]
    reason: str
    effective_on: CivilDay
    position: int


class WarningAnswer(Answer):
    """What makes a reader look twice, and the position of the event it follows from."""

    code: WarningCode
    detail: str
    because: int


class IndicatorAnswer(Answer):
    """An indicator as the record tells of it."""

    id: UUID
    code: str
    name: str
    unit: str
    direction: Direction
    proxy: bool
    baseline: BaselineAnswer | None
    source: SourceAnswer | None
    method: str | None
    frequency: Frequency
    commitment: str | None
    visibility: Visibility
    effective_on: CivilDay
    original_target: TargetAnswer | None = Field(description="The first one promised.")
    current_target: TargetAnswer | None = Field(description="The one in force.")
    targets: list[TargetAnswer] = Field(description="In the order in which they were recorded.")
    trajectory: TrajectoryAnswer | None
    latest: MeasurementAnswer | None = Field(description="The value of the latest period.")
    measurements: list[MeasurementAnswer] = Field(description="By the day on which the period ended.")
    definition_changes: list[DefinitionChangeAnswer]
    verdict_rule: str = Field(examples=["indicator_verdict_1"])
    warnings: list[WarningAnswer]
    defined_at: Instant
    updated_at: Instant
    version: int
    position: int
