"""Indicators as requests and as answers; `indicator_rendering.py` makes the bytes."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from services.commitments.api.commitment_answers import Answer
from services.commitments.api.commitment_bodies import Code, DecisionNumber, Explanation
from services.commitments.domain import guards
from shared.events.indicators import Baseline, DataSource, PlannedValue
from shared.events.vocabulary import Direction, Frequency, Visibility
from shared.http.schemas import CivilDay, Instant, Line, Prose, RequestModel
from shared.rules.indicator_facts import Definition
from shared.rules.indicator_verdict import IndicatorStatus
from shared.rules.indicator_warnings import WarningCode

LARGEST = 10**15
"""Values lie between minus and plus this."""


def _number(value: object) -> object:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return value
    raise ValueError("a value is a number")


def _within_bounds(value: Decimal) -> Decimal:
    if abs(value) > LARGEST:
        raise ValueError(f"a value lies between -{LARGEST} and {LARGEST}")
    return value


Value = Annotated[
    Decimal,
    BeforeValidator(_number),
    AfterValidator(_within_bounds),
    WithJsonSchema({"type": "number", "minimum": -LARGEST, "maximum": LARGEST, "examples": [28.2]}),
]
"""A value in the indicator's own unit."""

PeriodName = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^[12][0-9]{3}(-(H[12]|T[1-3]|Q[1-4]|0[1-9]|1[0-2]))?$",
            "examples": ["2011", "2011-H1", "2011-T2", "2011-Q3", "2011-05"],
        }
    ),
]
"""2011, 2011-H1 (half-year), 2011-T2 (four months), 2011-Q3 (quarter), 2011-05 (month)."""


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


class BaselineBody(RequestModel):
    """The value from which progress is counted."""

    value: Value
    on: CivilDay = Field(examples=["2009-12-31"])
    source: Line | None = None

    def as_domain(self) -> Baseline:
        """The baseline as events hold it."""
        return Baseline(value=self.value, on=self.on, source=self.source)


class SourceBody(RequestModel):
    """Who supplies the values."""

    organization: Code = Field(examples=["INE"])
    independent: bool = Field(default=False, description="Whether it is another than who delivers.")
    name: Line | None = Field(default=None, examples=["National urban survey of citizen security"])

    def as_domain(self) -> DataSource:
        """The source as events hold it."""
        return DataSource(organization=self.organization, independent=self.independent, name=self.name)


class IndicatorBody(RequestModel):
    """What is measured and how, laid down before it is measured."""

    code: Code = Field(
        examples=["VICTIMISATION"], json_schema_extra={"pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"}
    )
    name: Line = Field(examples=["Households that were victims of crime"])
    unit: Line = Field(examples=["%"])
    direction: Direction
    commitment: Code | None = Field(
        default=None, description="The commitment it measures: its code or its id."
    )
    proxy: bool = Field(default=False, description="It stands for what cannot be measured directly.")
    baseline: BaselineBody | None = None
    source: SourceBody | None = None
    method: Prose | None = None
    frequency: Frequency = Frequency.YEARLY
    visibility: Visibility = Visibility.INTERNAL
    effective_on: CivilDay | None = None

    def definition(self) -> Definition:
        """The definition as the domain takes it."""
        return Definition(
            name=self.name,
            unit=self.unit,
            direction=self.direction,
            proxy=self.proxy,
            baseline=self.baseline.as_domain() if self.baseline else None,
            source=self.source.as_domain() if self.source else None,
            method=self.method,
            frequency=self.frequency,
        )


class TargetBody(RequestModel):
    """A value promised for a day, which may lie in the future."""

    value: Value
    on: CivilDay = Field(examples=["2014-12-31"])
    tolerance: Value | None = Field(
        default=None, description="How far a value that is to be maintained may stray, either way."
    )
    effective_on: CivilDay | None = None
    reason: Explanation | None = Field(default=None, description="Required for every target after the first.")
    decision: DecisionNumber | None = None


class PlannedValueBody(RequestModel):
    """One point of a trajectory."""

    on: CivilDay
    value: Value


class TrajectoryBody(RequestModel):
    """The values planned on the way, in order of days; they replace those planned before."""

    points: tuple[PlannedValueBody, ...] = Field(
        max_length=guards.MOST_ITEMS,
        json_schema_extra={"minItems": 1},
        examples=[[{"on": "2011-12-31", "value": 31.5}, {"on": "2012-12-31", "value": 30}]],
    )
    effective_on: CivilDay | None = None
    reason: Explanation | None = None

    def as_domain(self) -> tuple[PlannedValue, ...]:
        """The points as events hold them."""
        return tuple(PlannedValue(on=point.on, value=point.value) for point in self.points)


class MeasurementBody(RequestModel):
    """The value found for a period."""

    period: PeriodName
    value: Value
    published_on: CivilDay | None = Field(
        default=None, description="The day it was published; today by default."
    )
    source: Line | None = Field(default=None, description="The publication it was taken from.")
    supplied_by: Code | None = Field(
        default=None,
        description="The organisation it came from, where that is not the indicator's own source.",
    )


class MeasurementCorrectionBody(RequestModel):
    """The right value in the place of a wrong one."""

    value: Value
    reason: Explanation
    published_on: CivilDay | None = None


class DefinitionFields(RequestModel):
    """The fields to change, with their new values; those left out stay as they are."""

    name: Line = Field(default="", json_schema_extra=_without_default)
    unit: Line = Field(default="", json_schema_extra=_without_default)
    direction: Direction = Field(default=Direction.INCREASE, json_schema_extra=_without_default)
    proxy: bool = Field(default=False, json_schema_extra=_without_default)
    baseline: BaselineBody | None = Field(default=None, json_schema_extra=_without_default)
    source: SourceBody | None = Field(default=None, json_schema_extra=_without_default)
    method: Prose | None = Field(default=None, json_schema_extra=_without_default)
    frequency: Frequency = Field(default=Frequency.YEARLY, json_schema_extra=_without_default)

    def as_domain(self) -> dict[str, Any]:
        """The fields that the request names, as the domain takes them."""
        named = {name: getattr(self, name) for name in self.model_fields_set}
        return {
            name: value.as_domain() if isinstance(value, BaselineBody | SourceBody) else value
            for name, value in named.items()
        }


class DefinitionChangeBody(RequestModel):
    """What is measured, or how, changes from a day on."""

    changes: DefinitionFields = Field(examples=[{"method": "Interviews by telephone"}])
    reason: Explanation
    effective_on: CivilDay | None = None


# --- answers ---------------------------------------------------------------------------------------------------------


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
