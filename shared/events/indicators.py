"""The published language of indicators: what is measured, what was promised, and what was found.

Values are decimal numbers in the indicator's own unit; `on` is the civil day a value is meant for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from msgspec import UNSET, UnsetType
from pydantic import Field

from shared.events.facts import COMPUTED, Event, Part
from shared.events.types import (
    CivilDay,
    CommitmentCode,
    Computed,
    DecisionNumber,
    FactDay,
    Filled,
    Line,
    Number,
    OrganizationCode,
    OwnIndicatorCode,
    PeriodName,
    Prose,
    PublicationDay,
    Reason,
    Value,
    Word,
)
from shared.events.vocabulary import Accumulation, Direction, Frequency, RelativeTo, Visibility


class Baseline(Part, frozen=True, kw_only=True):
    """The value from which progress is counted."""

    value: Value
    on: Annotated[CivilDay, Field(examples=["2009-12-31"])]
    source: Line | None = None


class DataSource(Part, frozen=True, kw_only=True):
    """Who supplies the values; `independent` of the organisation that delivers, or not."""

    organization: Annotated[OrganizationCode, Field(examples=["INE"])]
    independent: Annotated[bool, Field(description="Whether it is another than who delivers.")] = False
    name: Annotated[Line | None, Field(examples=["National urban survey of citizen security"])] = None


class PlannedValue(Part, frozen=True, kw_only=True):
    """One point of a trajectory."""

    on: CivilDay
    value: Value


class IndicatorDefined(Event, frozen=True, kw_only=True):
    """An indicator was defined before it was measured."""

    TYPE: ClassVar[str] = "commitments.indicator_defined"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "code": "VICTIMISATION",
        "name": "Households that were victims of crime",
        "unit": "%",
        "direction": "decrease",
        "baseline": {"value": 33.6, "on": "2009-12-31"},
        "source": {
            "organization": "INE",
            "independent": True,
            "name": "National urban survey of citizen security",
        },
        "frequency": "yearly",
        "effective_on": "2010-05-21",
    }

    code: Annotated[OwnIndicatorCode, Field(examples=["VICTIMISATION"])]
    name: Annotated[Line, Field(examples=["Households that were victims of crime"])]
    unit: Annotated[Word, Field(examples=["%"])]
    direction: Direction
    effective_on: FactDay
    commitment: Annotated[
        CommitmentCode | None, Field(description="The commitment it measures: its code or its id.")
    ] = None
    proxy: Annotated[bool, Field(description="It stands for what cannot be measured directly.")] = False
    baseline: Baseline | None = None
    source: DataSource | None = None
    method: Prose | None = None
    frequency: Frequency = Frequency.YEARLY
    visibility: Visibility = Visibility.INTERNAL


class DefinitionFields(Part, frozen=True, kw_only=True):
    """Some of the fields of a definition; those that are not among them are absent."""

    name: Line | UnsetType = UNSET
    unit: Word | UnsetType = UNSET
    direction: Direction | UnsetType = UNSET
    proxy: bool | UnsetType = UNSET
    baseline: Baseline | UnsetType | None = UNSET
    source: DataSource | UnsetType | None = UNSET
    method: Prose | UnsetType | None = UNSET
    frequency: Frequency | UnsetType = UNSET


class TargetSet(Event, frozen=True, kw_only=True):
    """A value was promised for a day; a target after the first is a revision and says why.

    `tolerance` is how far a value that is to be maintained may stray from the target, either way. Where the target is
    relative to the baseline, `value` is a change in percent of it, and `level` the value this came to on that day.
    """

    TYPE: ClassVar[str] = "commitments.target_set"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "value": -15,
        "relative_to": "baseline",
        "on": "2013-12-31",
        "effective_on": "2010-05-21",
    }

    number: Number = COMPUTED
    value: Value
    on: Annotated[CivilDay, Field(examples=["2014-12-31"])]
    effective_on: FactDay
    tolerance: Annotated[
        Value | None, Field(description="How far a value that is to be maintained may stray, either way.")
    ] = None
    reason: Annotated[Reason | None, Field(description="Required for every target after the first.")] = None
    decision: DecisionNumber | None = None
    accumulation: Annotated[
        Accumulation,
        Field(
            description="What is held against it: the last value, or what all values of the window make together."
        ),
    ] = Accumulation.LAST
    from_on: Annotated[
        CivilDay | None,
        Field(
            description="The first day of the window, for all but `last`; the day after the baseline by default.",
            examples=["2010-01-01"],
        ),
    ] = None
    relative_to: Annotated[
        RelativeTo, Field(description="`baseline`: the value is a change in percent of it, such as -15.")
    ] = RelativeTo.ABSOLUTE
    level: Annotated[
        Value | None,
        Computed(),
        Field(
            description="Where relative: the value it comes to, from the baseline then in force, for good."
        ),
    ] = None


class TrajectorySet(Event, frozen=True, kw_only=True):
    """The values planned on the way to the target were laid down."""

    TYPE: ClassVar[str] = "commitments.trajectory_set"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "points": [{"on": "2011-12-31", "value": 31.5}, {"on": "2012-12-31", "value": 30}],
        "effective_on": "2010-05-21",
    }

    points: Annotated[
        Filled[PlannedValue],
        Field(examples=[[{"on": "2011-12-31", "value": 31.5}, {"on": "2012-12-31", "value": 30}]]),
    ]
    effective_on: FactDay
    reason: Reason | None = None


class MeasurementRecorded(Event, frozen=True, kw_only=True):
    """A value was found for a period (`2011`, `2011-Q3`, `2011-05`), which ended on `period_end_on`."""

    TYPE: ClassVar[str] = "commitments.measurement_recorded"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "period": "2011",
        "value": 31.1,
        "source": "ENUSC 2011",
        "published_on": "2012-04-26",
    }

    period: PeriodName
    period_end_on: CivilDay = COMPUTED
    value: Value
    published_on: Annotated[FactDay, Field(description="The day it was published; today by default.")]
    source: Annotated[Line | None, Field(description="The publication it was taken from.")] = None
    supplied_by: Annotated[
        OrganizationCode | None,
        Field(description="The organisation it came from, where that is not the indicator's own source."),
    ] = None


class MeasurementCorrected(Event, frozen=True, kw_only=True):
    """A value found earlier was wrong; the earlier one stays on record as `previous`."""

    TYPE: ClassVar[str] = "commitments.measurement_corrected"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "value": 31.2,
        "reason": "One region was missing.",
        "published_on": "2012-06-01",
    }

    period: PeriodName = COMPUTED
    value: Value
    previous: Value = COMPUTED
    reason: Reason
    published_on: FactDay


class IndicatorDefinitionChanged(Event, frozen=True, kw_only=True):
    """The definition itself was changed; `changes` has each field with its new value, `previous` with its old one."""

    TYPE: ClassVar[str] = "commitments.indicator_definition_changed"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "changes": {"method": "Interviews by telephone"},
        "reason": "Visits are no longer made.",
        "effective_on": "2013-01-01",
    }

    changes: Annotated[
        DefinitionFields,
        Field(
            description="The fields to change, with their new values; those left out stay as they are.",
            examples=[{"method": "Interviews by telephone"}],
        ),
    ]
    previous: DefinitionFields = COMPUTED
    reason: Reason
    effective_on: FactDay
    restated_by: Annotated[
        Value | None,
        Field(
            description="Where the unit changes: what makes earlier values, targets and plans comparable when they are "
            "multiplied by it; 1 where the unit only gets another name. Without it they are not comparable.",
            examples=[10],
        ),
    ] = None


class CommitmentMeasured(Event, frozen=True, kw_only=True):
    """From a day on the indicator measures another commitment as well, or, where not `measured`, no longer.

    Who may read it goes by the commitment that its definition names, and by no other.
    """

    TYPE: ClassVar[str] = "commitments.commitment_measured"

    commitment: Annotated[
        CommitmentCode, Field(description="The other commitment: its code or its id.", examples=["SEG-014"])
    ]
    measured: Annotated[bool, Field(description="False where it no longer is.")] = True
    reason: Reason
    effective_on: FactDay


class IndicatorPublished(Event, frozen=True, kw_only=True):
    """Others may know of the indicator from now on, or no longer so."""

    TYPE: ClassVar[str] = "commitments.indicator_published"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"visibility": "public", "reason": "The survey is published."}
    LASTING: ClassVar[str] = (
        "A publication was read by others and cannot be unread: change the visibility again."
    )

    visibility: Visibility
    previous: Visibility = COMPUTED
    reason: Reason
    effective_on: PublicationDay = None


EVENTS: tuple[type[Event], ...] = (
    IndicatorDefined,
    TargetSet,
    TrajectorySet,
    MeasurementRecorded,
    MeasurementCorrected,
    IndicatorDefinitionChanged,
    CommitmentMeasured,
    IndicatorPublished,
)
