"""The published language of indicators: what is measured, what was promised, and what was found.

Values are decimal numbers in the indicator's own unit; `on` is the civil day a value is meant for.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from shared.events.facts import Event, Part
from shared.events.vocabulary import Direction, Frequency, Visibility


class Baseline(Part, frozen=True, kw_only=True):
    """The value from which progress is counted."""

    value: Decimal
    on: date
    source: str | None = None


class DataSource(Part, frozen=True, kw_only=True):
    """Who supplies the values; `independent` of the organisation that delivers, or not."""

    organization: str
    independent: bool = False
    name: str | None = None


class PlannedValue(Part, frozen=True, kw_only=True):
    """One point of a trajectory."""

    on: date
    value: Decimal


class IndicatorDefined(Event, frozen=True, kw_only=True):
    """An indicator was defined before it was measured."""

    TYPE: ClassVar[str] = "commitments.indicator_defined"

    code: str
    name: str
    unit: str
    direction: Direction
    effective_on: date
    commitment: str | None = None
    proxy: bool = False
    baseline: Baseline | None = None
    source: DataSource | None = None
    method: str | None = None
    frequency: Frequency = Frequency.YEARLY
    visibility: Visibility = Visibility.INTERNAL


class TargetSet(Event, frozen=True, kw_only=True):
    """A value was promised for a day; a target after the first is a revision and says why.

    `tolerance` is how far a value that is to be maintained may stray from the target, either way.
    """

    TYPE: ClassVar[str] = "commitments.target_set"

    number: int
    value: Decimal
    on: date
    effective_on: date
    tolerance: Decimal | None = None
    reason: str | None = None
    decision: str | None = None


class TrajectorySet(Event, frozen=True, kw_only=True):
    """The values planned on the way to the target were laid down."""

    TYPE: ClassVar[str] = "commitments.trajectory_set"

    points: tuple[PlannedValue, ...]
    effective_on: date
    reason: str | None = None


class MeasurementRecorded(Event, frozen=True, kw_only=True):
    """A value was found for a period (`2011`, `2011-Q3`, `2011-05`), which ended on `period_end_on`."""

    TYPE: ClassVar[str] = "commitments.measurement_recorded"

    period: str
    period_end_on: date
    value: Decimal
    published_on: date
    source: str | None = None
    supplied_by: str | None = None


class MeasurementCorrected(Event, frozen=True, kw_only=True):
    """A value found earlier was wrong; the earlier one stays on record as `previous`."""

    TYPE: ClassVar[str] = "commitments.measurement_corrected"

    period: str
    value: Decimal
    previous: Decimal
    reason: str
    published_on: date


class IndicatorDefinitionChanged(Event, frozen=True, kw_only=True):
    """The definition itself was changed; `changes` maps each field to its new value, `previous` to its old one."""

    TYPE: ClassVar[str] = "commitments.indicator_definition_changed"

    changes: dict[str, Any]
    previous: dict[str, Any]
    reason: str
    effective_on: date


class IndicatorPublished(Event, frozen=True, kw_only=True):
    """Others may know of the indicator from now on, or no longer so."""

    TYPE: ClassVar[str] = "commitments.indicator_published"

    visibility: Visibility
    previous: Visibility
    reason: str


EVENTS: tuple[type[Event], ...] = (
    IndicatorDefined,
    TargetSet,
    TrajectorySet,
    MeasurementRecorded,
    MeasurementCorrected,
    IndicatorDefinitionChanged,
    IndicatorPublished,
)
