"""What may be told of an indicator, as requests: the shape only; whether it may be told is for the domain."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from services.commitments.api.commitment_bodies import Code, DecisionNumber, Explanation
from services.commitments.domain import guards
from shared.events.indicators import Baseline, DataSource, PlannedValue
from shared.events.vocabulary import Direction, Frequency, Visibility
from shared.http.schemas import CivilDay, Line, Prose, RequestModel
from shared.rules.indicator_facts import Definition

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
