"""The routes of indicators: defined, promised, planned, measured, set right, redefined and read."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from services.commitments.indicator.model import Indicator
from services.commitments.indicator.repository import Indicators
from shared.aggregate.aggregate import DayOf
from shared.aggregate.documents import document_of, extended, members_of
from shared.aggregate.redaction import ReadersOf
from shared.events.indicators import (
    Baseline,
    DataSource,
    DefinitionFields,
    IndicatorDefined,
    IndicatorDefinitionChanged,
    IndicatorPublished,
    MeasurementCorrected,
    MeasurementRecorded,
    PlannedValue,
    TargetSet,
    TrajectorySet,
)
from shared.events.retractions import IndicatorFactRetracted
from shared.events.types import MOST_PLACES, DecisionNumber, PeriodName
from shared.events.vocabulary import Accumulation, RelativeTo
from shared.http.catalogue import Catalogue, Explained
from shared.http.moments import RecordedAt, RecordedOn, recorded
from shared.http.requests import request_of
from shared.http.resource import Resource, command_of
from shared.http.responses import written_answer
from shared.http.routing import Router
from shared.identity.access import EVERYONE, Access
from shared.identity.actor import Role
from shared.rules.decimals import exactly, plain
from shared.rules.indicator_facts import IndicatorFacts, Measurement, Target, Terms
from shared.rules.indicator_verdict import CURRENT_INDICATOR_RULE, IndicatorStatus
from shared.rules.indicator_warnings import WarningCode, WarningWindows, warning_signs

UNIT: Final = frozenset({Role.DCI})
_READS: Final = Access(
    EVERYONE,
    note="reserved ones, and those of reserved commitments: ministries only where they are concerned",
    etag=True,
    log_position=True,
)
_PROMISES: Final = Access(UNIT, if_match="required", note="keeps the record")
_MEASURES: Final = Access(
    UNIT | {Role.MINISTRY},
    own_organization=frozenset({Role.MINISTRY}),
    if_match="required",
    note="ministries: only where the indicator names them as its source",
)

_PLACES: Final = 6
"""Digits after the point of what was divided."""

# --- documents -----------------------------------------------------------------------------------------------------


class Change(msgspec.Struct, kw_only=True):
    """How far a value is from another: in its unit, and in percent of the other."""

    absolute: Decimal
    percent: Annotated[
        Decimal | None, Field(description="To six decimals; null where the other is zero.", examples=[-15])
    ]


class ChangeOnPrevious(Change, kw_only=True):
    """How far a value is from that of the last period before it that is as long."""

    period: Annotated[str, Field(description="The period before.", examples=["2010"])]


class VerdictDocument(msgspec.Struct, kw_only=True):
    """What a value says of a promise."""

    status: IndicatorStatus
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
        Change | None, Field(description="From the baseline of its day; a later baseline does not touch it.")
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
    change: Annotated[Change | None, Field(description="From the baseline now in force.")]
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

    code: WarningCode
    detail: Annotated[str, Field(description="What was seen, in words.")]
    because: Annotated[int, Field(description="The position of the last of the events it follows from.")]
    events: Annotated[list[int], Field(description="The positions of all the events it follows from.")]


INDICATOR: Final = extended(
    "Indicator",
    IndicatorDefined,
    "An indicator with its targets, its values, the verdict on each, and the warning signs.",
    id=UUID,
    baseline=Annotated[
        document_of(Baseline) | None, Field(description="The one in force; null where there is none.")
    ],
    baseline_unit=Annotated[
        str | None, Field(description="The unit it is in: that of the day it became the baseline.")
    ],
    source=Annotated[document_of(DataSource) | None, Field(description="Who supplies the values.")],
    original_target=Annotated[TargetDocument | None, Field(description="The first one, as it was promised.")],
    current_target=Annotated[TargetDocument | None, Field(description="The one in force.")],
    targets=Annotated[
        list[TargetDocument], Field(description="All of them, in the order in which they were recorded.")
    ],
    trajectory=Annotated[TrajectoryDocument | None, Field(description="The plan in force.")],
    latest=Annotated[MeasurementDocument | None, Field(description="The value of the latest period.")],
    measurements=Annotated[list[MeasurementDocument], Field(description="In the order of their periods.")],
    definition_changes=Annotated[
        list[DefinitionChangeDocument], Field(description="In the order of the days they took effect.")
    ],
    verdict_rule=Annotated[
        str, Field(description="The rule that judged the values.", examples=[CURRENT_INDICATOR_RULE])
    ],
    warnings=Annotated[
        list[WarningDocument], Field(description="The warning signs, in the order in which they arose.")
    ],
    defined_on=RecordedOn,
    defined_at=RecordedAt,
    updated_on=RecordedOn,
    updated_at=RecordedAt,
    version=int,
    position=Annotated[int, Field(description="Of its last event.")],
)


def indicator_document(
    indicator: Indicator, windows: WarningWindows, today: date, day_of: DayOf
) -> msgspec.Struct:
    """Everything that was recorded of an indicator, and what follows from it on a day."""
    facts = indicator.facts
    definition, units = facts.definition, facts.units
    baseline, trajectory, latest = definition.baseline, facts.trajectory, facts.latest()
    measured = sorted(
        facts.measurements.values(), key=lambda one: (one.period_end_on, one.findings[0].position)
    )
    measurements = {one.period.name: _measurement(one, facts) for one in measured}
    targets = {target.position: _target(target, facts) for target in facts.targets}
    original, current = facts.original and facts.original.target, facts.target
    return INDICATOR(
        **members_of(definition),
        id=indicator.id,
        code=indicator.code,
        commitment=indicator.commitment,
        visibility=indicator.visibility,
        effective_on=indicator.effective_on,
        baseline_unit=None if baseline is None else units[facts.unit_on(facts.baseline_since(date.max))],
        original_target=original and targets[original.position],
        current_target=current and targets[current.position],
        targets=list(targets.values()),
        trajectory=trajectory
        and TrajectoryDocument(
            points=[document_of(PlannedValue)(**members_of(point)) for point in trajectory.points],
            effective_on=trajectory.effective_on,
            position=trajectory.position,
        ),
        latest=latest and measurements[latest.period.name],
        measurements=list(measurements.values()),
        definition_changes=[
            DefinitionChangeDocument(
                changes=document_of(DefinitionFields)(**members_of(change.changes)),
                reason=change.reason,
                effective_on=change.effective_on,
                restated_by=change.restated_by,
                position=change.position,
            )
            for change in facts.changes
        ],
        verdict_rule=CURRENT_INDICATOR_RULE,
        warnings=[
            WarningDocument(
                code=sign.code, detail=sign.detail, because=sign.because, events=list(sign.events)
            )
            for sign in warning_signs(facts, today, windows)
        ],
        **recorded("defined", indicator.began_at, day_of),
        **recorded("updated", indicator.recorded_at, day_of),
        version=indicator.version,
        position=indicator.position,
    )


def _target(target: Target, facts: IndicatorFacts) -> TargetDocument:
    unit = facts.unit_on(target.effective_on)
    # What is promised in percent of a baseline is in percent of the one it was computed from, whatever is told later of
    # that day.
    known = None if target.relative_to is RelativeTo.ABSOLUTE else target.position
    return TargetDocument(
        **target._asdict() | {"tolerance": target.tolerance or None},
        unit=facts.units[unit],
        change=_change(facts, target.level, unit, *_baseline_on(facts, target.effective_on, known)),
    )


def _measurement(measurement: Measurement, facts: IndicatorFacts) -> MeasurementDocument:
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
        against_original=_verdict(measurement, facts, facts.original),
        against_current=_verdict(measurement, facts, facts.current),
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


def _verdict(measurement: Measurement, facts: IndicatorFacts, terms: Terms | None) -> VerdictDocument | None:
    verdict = terms and facts.verdict(terms, measurement)
    if verdict is None:
        return None
    return VerdictDocument(
        status=verdict.status,
        value=_shown(verdict.value),
        gap=_shown(verdict.gap),
        planned=_shown(verdict.planned, _PLACES),
    )


def _baseline_on(facts: IndicatorFacts, day: date, known: int | None = None) -> tuple[Decimal | None, int]:
    """The value of the baseline in force on a day, and the number of its unit; `known`: as told by that position."""
    baseline = facts.definition_on(day, known).baseline
    return None if baseline is None else baseline.value, facts.unit_on(facts.baseline_since(day, known))


def _change(
    facts: IndicatorFacts, value: Decimal, unit: int, other: Decimal | None, other_unit: int
) -> Change | None:
    """How far a value is from another; None where there is no other, or where they are not comparable."""
    later = max(unit, other_unit)
    here = facts.restated(value, unit, later)
    there = None if other is None else facts.restated(other, other_unit, later)
    if here is None or there is None:
        return None
    with exactly():
        percent = None if there == 0 else 100 * (here - there) / abs(there)
        return Change(absolute=plain(here - there), percent=_shown(percent, _PLACES))


def _shown(number: Decimal | None, places: int = MOST_PLACES) -> Decimal | None:
    return None if number is None else plain(number, places)


# --- requests ------------------------------------------------------------------------------------------------------

_DEFINING = request_of(
    IndicatorDefined,
    name="DefinitionRequest",
    doc="What is measured and how, laid down before it is measured.",
)

# --- routes --------------------------------------------------------------------------------------------------------


def indicator_routes(indicators: Indicators, readers_of: ReadersOf, windows: WarningWindows) -> Router:
    """Every route of indicators."""
    router = Router(
        "indicators",
        id=Annotated[str, Field(description="The UUID or the code.", examples=["VICTIMISATION"])],
        period=Annotated[PeriodName, Field(description="A period that has a value.")],
    )
    one = Resource(
        router,
        "/v1/indicators/{id}",
        indicators,
        readers_of=readers_of,
        read=_READS,
        identity=lambda it: {"code": it.code},
        identity_types={"code": Annotated[str, Field(examples=["VICTIMISATION"])]},
    )

    @router.post("/v1/indicators", access=Access(UNIT, note="defines"), body=_DEFINING, answers=one.written())
    async def define_indicator(request: Request, body: Any) -> Response:
        """Defines an indicator, with its baseline and its source, before it is measured."""
        proposed = body.struct(indicators.clock.today())
        outcome = await indicators.define(proposed, await command_of(request))
        defined: Any = await indicators.last_event(outcome)
        return written_answer(request, outcome, f"/v1/indicators/{outcome.stream_id}", code=defined.code)

    one.document(
        INDICATOR,
        lambda it, today: indicator_document(it, windows, today, indicators.clock.day_of),
        doc="An indicator with its targets, its values, the verdict on each, and the warning signs.\n\n"
        "Each value is judged against the promise as it was first made and against the promise as it stands. The "
        "version is its ETag.",
        same_on=lambda it, day, other: (
            warning_signs(it.facts, day, windows) == warning_signs(it.facts, other, windows)
        ),
    )
    one.history(
        doc="Everything that was recorded of an indicator, in order: what, when, by whom, and on which decision."
    )
    one.fact("targets", TargetSet, Indicator.set_target, access=_PROMISES)
    one.fact("trajectory", TrajectorySet, Indicator.set_trajectory, access=_PROMISES)
    one.fact("measurements", MeasurementRecorded, indicators.record_measurement, access=_MEASURES)
    one.fact(
        "measurements/{period}/corrections",
        MeasurementCorrected,
        indicators.correct_measurement,
        access=_MEASURES,
        again=Indicator.correct_measurement,
        path_fields={"period": "period"},
    )
    one.fact(
        "definition-changes",
        IndicatorDefinitionChanged,
        indicators.change_definition,
        access=_PROMISES,
        again=Indicator.change_definition,
    )
    one.fact("publications", IndicatorPublished, Indicator.publish, access=_PROMISES)
    one.retractions(
        IndicatorFactRetracted,
        access=Access(
            UNIT | {Role.MINISTRY},
            own_organization=frozenset({Role.MINISTRY}),
            if_match="required",
            note="ministries what they recorded themselves",
        ),
    )
    return router


# --- refusals ------------------------------------------------------------------------------------------------------

ERRORS: Catalogue = {
    "not-your-indicator": Explained(
        403,
        "Not your indicator",
        "A ministry records values only where the indicator names it as the source.",
    ),
    "not-your-measurement": Explained(
        403,
        "Not your measurement",
        "A ministry records only values that it supplies itself: leave `supplied_by` out.",
    ),
    "unknown-indicator": Explained(
        404, "Unknown indicator", "There is no indicator by this id or code, or none you may know of."
    ),
    "unknown-measurement": Explained(
        404, "No value for the period", "Only a value on record can be corrected."
    ),
    "measurement-exists": Explained(
        409,
        "Period already measured",
        "A period has one value: correct it under `measurements/{period}/corrections`.",
    ),
    "measurement-unchanged": Explained(
        409, "Value unchanged", "A correction gives the period another value."
    ),
    "target-unchanged": Explained(
        409, "Target unchanged", "A revision changes the value, the day or the tolerance."
    ),
    "target-before-baseline": Explained(
        409, "Target before baseline", "A target is promised for a day after that of the baseline."
    ),
    "trajectory-unchanged": Explained(
        409, "Trajectory unchanged", "A new trajectory plans other values or days."
    ),
    "definition-unchanged": Explained(
        409, "Definition unchanged", "A change gives at least one field another value."
    ),
    "indicator-commitment-unknown": Explained(
        422, "Unknown commitment", "`commitment` is the code or id of a commitment on record."
    ),
    "before-definition": Explained(
        422,
        "Before the definition",
        "Nothing takes effect before the day on which the indicator was defined.",
    ),
    "period-malformed": Explained(
        422,
        "Malformed period",
        "Write 2011, 2011-H1, 2011-C2 (four months), 2011-Q3, 2011-05, 2011-W07 or 2011-03-01--2012-02-29.",
    ),
    "period-ambiguous": Explained(
        422, "Ambiguous period", "Write `Q` for three months and `C` for four, in the place of `T`."
    ),
    "period-not-of-frequency": Explained(
        422,
        "Not a period of its frequency",
        "A value is of a period as long as the indicator's frequency says: change the definition where that changed.",
    ),
    "period-overlaps": Explained(
        409, "Overlapping period", "No two values of an indicator are of the same day."
    ),
    "period-not-begun": Explained(
        422,
        "Period not begun",
        "A value is published after its period began; what is planned is a trajectory.",
    ),
    "correction-before-value": Explained(
        422, "Correction before the value", "A correction is published no earlier than the value it corrects."
    ),
    "trajectory-empty": Explained(422, "Empty trajectory", "A trajectory has at least one planned value."),
    "trajectory-not-ascending": Explained(
        422, "Days out of order", "Planned days follow the day of the baseline and each other."
    ),
    "baseline-missing": Explained(
        422,
        "No baseline to go by",
        "A target in percent of the baseline needs one, not zero and in the unit now in force: lay it down first, or "
        "give the target as an absolute value.",
    ),
    "window-missing": Explained(
        422,
        "No window",
        "What is summed, averaged, … needs `from_on`, no later than the target's day, or a baseline to begin after.",
    ),
    "window-not-applicable": Explained(
        422,
        "Window not applicable",
        "The last value has no window: leave `from_on` out, or say what is taken of it.",
    ),
    "restated-without-unit": Explained(
        422, "Nothing to restate", "`restated_by` goes with another `unit` in the same change."
    ),
    "restated-by-nothing": Explained(
        422,
        "Impossible factor",
        "`restated_by` is above zero: 10 from % to ‰, 1 where the unit only gets another name.",
    ),
    "tolerance-not-applicable": Explained(
        422, "Tolerance not applicable", "Only a value that is to be maintained has a tolerance."
    ),
    "tolerance-negative": Explained(422, "Negative tolerance", "A tolerance is a distance: zero or more."),
}
