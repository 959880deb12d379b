"""The documents of an indicator's figures: its targets and plans, its values, and what each of them says of a promise.

The service that writes and the one that is asked make them of the same facts, and so tell the same.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from pydantic import Field

from shared.aggregate.documents import document_of, members_of
from shared.events.indicators import DefinitionFields, PlannedValue
from shared.events.types import MOST_PLACES, DecisionNumber
from shared.events.vocabulary import Accumulation, RelativeTo
from shared.rules.decimals import exactly, plain
from shared.rules.indicator_facts import IndicatorFacts, Measurement, Target, Terms
from shared.rules.indicator_verdict import CURRENT_INDICATOR_RULE, IndicatorStatus
from shared.rules.indicator_warnings import WarningCode, WarningSign
from shared.rules.sign_texts import PARAMETERS_ABOUT

PLACES: Final = 6
"""Digits after the point of what was divided."""


class ValueChange(msgspec.Struct, kw_only=True):
    """How far a value is from another: in its unit, and in percent of the other."""

    absolute: Decimal
    percent: Annotated[
        Decimal | None, Field(description="To six decimals; null where the other is zero.", examples=[-15])
    ]


class ChangeOnPrevious(ValueChange, kw_only=True):
    """How far a value is from that of the last period before it that is as long."""

    period: Annotated[str, Field(description="The period before.", examples=["2010"])]


class VerdictDocument(msgspec.Struct, kw_only=True):
    """What a value says of a promise."""

    status: Annotated[IndicatorStatus, Field(description="What the value says of the promise.")]
    value: Annotated[
        Decimal | None,
        Field(description="What was judged: the value, or the sum, mean, … of the window up to its period."),
    ]
    gap: Annotated[
        Decimal | None,
        Field(
            description="What was judged minus the target; null where that cannot be said.", examples=[2.54]
        ),
    ]
    planned: Annotated[
        Decimal | None,
        Field(description="What was planned for the last day of the period.", examples=[31.081725]),
    ]


class TargetDocument(msgspec.Struct, kw_only=True):
    """A value promised for a day, from the day `effective_on` on."""

    number: Annotated[int, Field(description="The first target is 1; those after it are revisions.")]
    value: Annotated[Decimal, Field(description="As it was promised.", examples=[-15])]
    relative_to: Annotated[RelativeTo, Field(description="Whether `value` is in percent of the baseline.")]
    level: Annotated[Decimal, Field(description="What it comes to in the unit of its day.", examples=[28.56])]
    unit: Annotated[str, Field(description="The unit in force on its day.", examples=["%"])]
    on: Annotated[date, Field(description="The day it is promised for.", examples=["2014-12-31"])]
    tolerance: Annotated[
        Decimal | None, Field(description="How far a value that is to be maintained may stray.")
    ]
    accumulation: Annotated[Accumulation, Field(description="What is held against it.")]
    from_on: Annotated[date | None, Field(description="The first day of the window of what is accumulated.")]
    effective_on: Annotated[date, Field(description="The day from which it was the target.")]
    reason: Annotated[str | None, Field(description="Why it replaced the one before.")]
    decision: DecisionNumber | None
    position: Annotated[int, Field(description="Of the event that set it.")]
    change: Annotated[
        ValueChange | None,
        Field(description="From the baseline of its day; a later baseline does not touch it."),
    ]


class TrajectoryDocument(msgspec.Struct, kw_only=True):
    """The values planned on the way."""

    points: list[document_of(PlannedValue)]  # type: ignore[valid-type]
    effective_on: Annotated[date, Field(description="The day from which it was the plan.")]
    position: Annotated[int, Field(description="Of the event that laid it down.")]


class CorrectionDocument(msgspec.Struct, kw_only=True):
    """A value that replaced an earlier one."""

    value: Decimal
    published_on: date
    reason: str | None
    position: Annotated[int, Field(description="Of the event that corrected it.")]
    previous: Annotated[Decimal, Field(description="The value it replaced.")]


class MeasurementDocument(msgspec.Struct, kw_only=True):
    """The value found for a period, judged against the promise as it was first made and as it stands."""

    period: Annotated[str, Field(examples=["2011"])]
    period_end_on: Annotated[date, Field(description="The last day of the period.")]
    value: Annotated[Decimal, Field(description="As last corrected.", examples=[31.1])]
    unit: Annotated[str, Field(description="The unit in force on the day it was published.", examples=["%"])]
    published_on: date
    source: Annotated[str | None, Field(description="The publication it was taken from.")]
    supplied_by: Annotated[
        str | None, Field(description="The organisation it came from, where that is not the source.")
    ]
    change: Annotated[ValueChange | None, Field(description="From the baseline now in force.")]
    change_on_previous: Annotated[
        ChangeOnPrevious | None, Field(description="From the last period before it that is about as long.")
    ]
    against_original: Annotated[
        VerdictDocument | None, Field(description="Against the first target, as it was first promised.")
    ]
    against_current: Annotated[VerdictDocument | None, Field(description="Against the target in force.")]
    corrections: Annotated[
        list[CorrectionDocument], Field(description="In the order in which they were recorded.")
    ]
    position: Annotated[int, Field(description="Of the event that recorded it first.")]


class DefinitionChangeDocument(msgspec.Struct, kw_only=True):
    """Fields of the definition with their new values, and why."""

    changes: Annotated[
        document_of(DefinitionFields),  # type: ignore[valid-type]
        Field(description="The fields that changed, with their new values; null where one was taken away."),
    ]
    reason: str
    effective_on: Annotated[date, Field(description="The day from which it reads so.")]
    restated_by: Annotated[
        Decimal | None, Field(description="What makes numbers in the unit before it comparable, if anything.")
    ]
    position: Annotated[int, Field(description="Of the event that changed it.")]


class WarningDocument(msgspec.Struct, kw_only=True):
    """What makes a reader look twice, which proves nothing."""

    code: Annotated[WarningCode, Field(description="The same as `sign`, as it was called first.")]
    sign: Annotated[WarningCode, Field(description="The kind of sign.")]
    detail: Annotated[str, Field(description="What was seen, in words.")]
    parameters: Annotated[
        dict[str, Any],
        Field(description=PARAMETERS_ABOUT),
    ]
    because: Annotated[int, Field(description="The position of the last of the events it follows from.")]
    events: Annotated[list[int], Field(description="The positions of all the events it follows from.")]


def figures_of(facts: IndicatorFacts, rule: str = CURRENT_INDICATOR_RULE) -> dict[str, Any]:
    """What was promised, planned and found, and how it was judged, as members of the document of an indicator."""
    baseline, trajectory, latest = facts.definition.baseline, facts.trajectory, facts.latest()
    measured = sorted(
        facts.measurements.values(), key=lambda one: (one.period_end_on, one.findings[0].position)
    )
    measurements = {one.period.name: measurement_document(one, facts, rule) for one in measured}
    targets = {target.position: target_document(target, facts) for target in facts.targets}
    original, current = facts.original and facts.original.target, facts.target
    return {
        "baseline_unit": None
        if baseline is None
        else facts.units[facts.unit_on(facts.baseline_since(date.max))],
        "original_target": original and targets[original.position],
        "current_target": current and targets[current.position],
        "targets": list(targets.values()),
        "trajectory": trajectory
        and TrajectoryDocument(
            points=[document_of(PlannedValue)(**members_of(point)) for point in trajectory.points],
            effective_on=trajectory.effective_on,
            position=trajectory.position,
        ),
        "latest": latest and measurements[latest.period.name],
        "measurements": list(measurements.values()),
        "definition_changes": [
            DefinitionChangeDocument(
                changes=document_of(DefinitionFields)(**members_of(change.changes)),
                reason=change.reason,
                effective_on=change.effective_on,
                restated_by=change.restated_by,
                position=change.position,
            )
            for change in facts.changes
        ],
        "verdict_rule": rule,
    }


def sign_document(sign: WarningSign) -> WarningDocument:
    """A warning sign as it is sent."""
    return WarningDocument(
        code=sign.code,
        sign=sign.code,
        detail=sign.detail,
        parameters=dict(sign.parameters),
        because=sign.because,
        events=list(sign.events),
    )


def target_document(target: Target, facts: IndicatorFacts) -> TargetDocument:
    """A target as it is sent."""
    unit = facts.unit_on(target.effective_on)
    # What is promised in percent of a baseline is in percent of the one it was computed from, whatever is told later of
    # that day.
    known = None if target.relative_to is RelativeTo.ABSOLUTE else target.position
    return TargetDocument(
        **target._asdict() | {"tolerance": target.tolerance or None},
        unit=facts.units[unit],
        change=_change(facts, target.level, unit, *_baseline_on(facts, target.effective_on, known)),
    )


def measurement_document(
    measurement: Measurement, facts: IndicatorFacts, rule: str = CURRENT_INDICATOR_RULE
) -> MeasurementDocument:
    """The value of a period as it is sent."""
    first, last = measurement.findings[0], measurement.findings[-1]
    unit = facts.unit_on(last.published_on)
    return MeasurementDocument(
        period=measurement.period.name,
        period_end_on=measurement.period_end_on,
        value=last.value,
        unit=facts.units[unit],
        published_on=last.published_on,
        source=measurement.source,
        supplied_by=measurement.supplied_by,
        change=_change(facts, last.value, unit, *_baseline_on(facts, date.max)),
        change_on_previous=_change_on_previous(measurement, facts),
        against_original=verdict_document(measurement, facts, facts.original, rule),
        against_current=verdict_document(measurement, facts, facts.current, rule),
        corrections=[
            CorrectionDocument(**found._asdict(), previous=before.value)
            for before, found in zip(measurement.findings, measurement.findings[1:], strict=False)
        ],
        position=first.position,
    )


def _change_on_previous(measurement: Measurement, facts: IndicatorFacts) -> ChangeOnPrevious | None:
    before = facts.before(measurement)
    if before is None:
        return None
    last, earlier = measurement.findings[-1], before.findings[-1]
    units = facts.unit_on(last.published_on), facts.unit_on(earlier.published_on)
    change = _change(facts, last.value, units[0], earlier.value, units[1])
    if change is None:
        return None
    return ChangeOnPrevious(period=before.period.name, absolute=change.absolute, percent=change.percent)


def verdict_document(
    measurement: Measurement, facts: IndicatorFacts, terms: Terms | None, rule: str
) -> VerdictDocument | None:
    """What a value says of a promise, by a version of the rule; None where it says nothing of it."""
    verdict = terms and facts.verdict(terms, measurement, rule=rule)
    if verdict is None:
        return None
    return VerdictDocument(
        status=verdict.status,
        value=shown(verdict.value),
        gap=shown(verdict.gap),
        planned=shown(verdict.planned, PLACES),
    )


def _baseline_on(facts: IndicatorFacts, day: date, known: int | None = None) -> tuple[Decimal | None, int]:
    """The value of the baseline in force on a day, and the number of its unit; `known`: as told by that position."""
    baseline = facts.definition_on(day, known).baseline
    return None if baseline is None else baseline.value, facts.unit_on(facts.baseline_since(day, known))


def _change(
    facts: IndicatorFacts, value: Decimal, unit: int, other: Decimal | None, other_unit: int
) -> ValueChange | None:
    """How far a value is from another; None where there is no other, or where they are not comparable."""
    later = max(unit, other_unit)
    here = facts.restated(value, unit, later)
    there = None if other is None else facts.restated(other, other_unit, later)
    if here is None or there is None:
        return None
    with exactly():
        percent = None if there == 0 else 100 * (here - there) / abs(there)
        return ValueChange(absolute=plain(here - there), percent=shown(percent, PLACES))


def shown(number: Decimal | None, places: int = MOST_PLACES) -> Decimal | None:
    """A number as it is sent."""
    return None if number is None else plain(number, places)
