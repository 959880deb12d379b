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
    IndicatorDefined,
    IndicatorDefinitionChanged,
    IndicatorPublished,
    MeasurementCorrected,
    MeasurementRecorded,
    PlannedValue,
    TargetSet,
    TrajectorySet,
)
from shared.events.types import DecisionNumber, PeriodName
from shared.http.catalogue import Catalogue, Explained
from shared.http.moments import RecordedAt, RecordedOn, recorded
from shared.http.requests import request_of
from shared.http.resource import Resource, command_of
from shared.http.responses import written_answer
from shared.http.routing import Router
from shared.identity.access import EVERYONE, Access
from shared.identity.actor import Role
from shared.rules.indicator_facts import Measurement, Target
from shared.rules.indicator_verdict import (
    CURRENT_INDICATOR_RULE,
    IndicatorStatus,
    Promise,
    indicator_verdict,
)
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

_SHOWN = Decimal("0.000001")

# --- documents -----------------------------------------------------------------------------------------------------


class Change(msgspec.Struct, kw_only=True):
    """How far a value is from the baseline: in its unit, and in percent of the baseline."""

    absolute: Decimal
    percent: Decimal | None


class VerdictDocument(msgspec.Struct, kw_only=True):
    """What a value says of a promise: the distance from the target, and what was planned for the day."""

    status: IndicatorStatus
    gap: Decimal
    planned: Decimal | None


class TargetDocument(msgspec.Struct, kw_only=True):
    """A value promised for a day, from the day `effective_on` on."""

    number: int
    value: Decimal
    on: date
    tolerance: Decimal | None
    effective_on: date
    reason: str | None
    decision: DecisionNumber | None
    position: int
    change: Annotated[Change | None, Field(description="From the baseline.")]


class TrajectoryDocument(msgspec.Struct, kw_only=True):
    """The values planned on the way."""

    points: list[document_of(PlannedValue)]  # type: ignore[valid-type]
    effective_on: date
    position: int


class CorrectionDocument(msgspec.Struct, kw_only=True):
    """A value that replaced an earlier one."""

    value: Decimal
    published_on: date
    reason: str | None
    position: int
    previous: Decimal


class MeasurementDocument(msgspec.Struct, kw_only=True):
    """The value found for a period, judged against the promise as it was first made and as it stands."""

    period: str
    period_end_on: date
    value: Decimal
    published_on: date
    source: str | None
    supplied_by: str | None
    change: Annotated[Change | None, Field(description="From the baseline.")]
    against_original: VerdictDocument | None
    against_current: VerdictDocument | None
    corrections: list[CorrectionDocument]
    position: int


class DefinitionChangeDocument(msgspec.Struct, kw_only=True):
    """Fields of the definition with their new values, and why."""

    changes: dict[str, Any]
    reason: str
    effective_on: date
    position: int


class WarningDocument(msgspec.Struct, kw_only=True):
    """What makes a reader look twice, and the position of the event it follows from."""

    code: WarningCode
    detail: str
    because: int


INDICATOR: Final = extended(
    "Indicator",
    IndicatorDefined,
    "An indicator with its targets, its values, the verdict on each, and the warning signs.",
    id=UUID,
    baseline=document_of(Baseline) | None,
    source=document_of(DataSource) | None,
    original_target=TargetDocument | None,
    current_target=TargetDocument | None,
    targets=list[TargetDocument],
    trajectory=TrajectoryDocument | None,
    latest=Annotated[MeasurementDocument | None, Field(description="The value of the latest period.")],
    measurements=list[MeasurementDocument],
    definition_changes=list[DefinitionChangeDocument],
    verdict_rule=Annotated[str, Field(examples=[CURRENT_INDICATOR_RULE])],
    warnings=list[WarningDocument],
    defined_on=RecordedOn,
    defined_at=RecordedAt,
    updated_on=RecordedOn,
    updated_at=RecordedAt,
    version=int,
    position=int,
)


def indicator_document(indicator: Indicator, windows: WarningWindows, day_of: DayOf) -> msgspec.Struct:
    """Everything that was recorded of an indicator, and what follows from it."""
    facts = indicator.facts
    definition, baseline = facts.definition, facts.definition.baseline
    measured = sorted(
        facts.measurements.values(), key=lambda one: (one.period_end_on, one.findings[0].position)
    )
    promises = facts.original_promise, facts.current_promise
    measurements = {one.period.name: _measurement(one, baseline, *promises) for one in measured}
    targets = {target.position: _target(target, baseline) for target in facts.targets}
    latest, current, trajectory = facts.latest(), facts.target, facts.trajectory
    return INDICATOR(
        **members_of(definition),
        id=indicator.id,
        code=indicator.code,
        commitment=indicator.commitment,
        visibility=indicator.visibility,
        effective_on=indicator.effective_on,
        original_target=next(iter(targets.values()), None),
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
                changes=change.values,
                reason=change.reason,
                effective_on=change.effective_on,
                position=change.position,
            )
            for change in facts.changes
        ],
        verdict_rule=CURRENT_INDICATOR_RULE,
        warnings=[WarningDocument(**sign._asdict()) for sign in warning_signs(facts, windows)],
        **recorded("defined", indicator.began_at, day_of),
        **recorded("updated", indicator.recorded_at, day_of),
        version=indicator.version,
        position=indicator.position,
    )


def _target(target: Target, baseline: Baseline | None) -> TargetDocument:
    return TargetDocument(
        **target._asdict() | {"tolerance": target.tolerance or None},
        change=_change(target.value, baseline),
    )


def _measurement(
    measurement: Measurement, baseline: Baseline | None, original: Promise | None, current: Promise | None
) -> MeasurementDocument:
    first, last = measurement.findings[0], measurement.findings[-1]
    return MeasurementDocument(
        period=measurement.period.name,
        period_end_on=measurement.period_end_on,
        value=last.value,
        published_on=last.published_on,
        source=measurement.source,
        supplied_by=measurement.supplied_by,
        change=_change(last.value, baseline),
        against_original=_verdict(measurement, original),
        against_current=_verdict(measurement, current),
        corrections=[
            CorrectionDocument(**found._asdict(), previous=before.value)
            for before, found in zip(measurement.findings, measurement.findings[1:], strict=False)
        ],
        position=first.position,
    )


def _verdict(measurement: Measurement, promise: Promise | None) -> VerdictDocument | None:
    if promise is None:
        return None
    verdict = indicator_verdict(promise, measurement.value, measurement.period_end_on)
    planned = None if verdict.planned is None else _rounded(verdict.planned)
    return VerdictDocument(status=verdict.status, gap=verdict.gap, planned=planned)


def _change(value: Decimal, baseline: Baseline | None) -> Change | None:
    if baseline is None:
        return None
    absolute = value - baseline.value
    percent = None if baseline.value == 0 else _rounded(100 * absolute / abs(baseline.value))
    return Change(absolute=absolute, percent=percent)


def _rounded(number: Decimal) -> Decimal:
    """What was divided, to six decimals; a number too large for that stays as it is."""
    return number.quantize(_SHOWN).normalize() if abs(number) < 10**18 else number


# --- requests ------------------------------------------------------------------------------------------------------

_DEFINING = request_of(
    IndicatorDefined,
    name="DefinitionRequest",
    doc="What is measured and how, laid down before it is measured.",
)
_FIELDS = request_of(
    IndicatorDefined,
    without=("code", "commitment", "visibility", "effective_on"),
    partial=True,
    name="DefinitionFields",
    doc="The fields to change, with their new values; those left out stay as they are.",
)
_REDEFINING = request_of(
    IndicatorDefinitionChanged,
    name="DefinitionChangeRequest",
    doc="What is measured, or how, changes from a day on.",
    changes=Annotated[_FIELDS, Field(examples=[{"method": "Interviews by telephone"}])],
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
        return written_answer(request, outcome, f"/v1/indicators/{outcome.stream_id}", code=proposed.code)

    one.document(
        INDICATOR,
        lambda it, _: indicator_document(it, windows, indicators.clock.day_of),
        doc="An indicator with its targets, its values, the verdict on each, and the warning signs.\n\n"
        "Each value is judged against the promise as it was first made and against the promise as it stands. The "
        "version is its ETag.",
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
        Indicator.correct_measurement,
        access=_MEASURES,
        path_fields={"period": "period"},
    )
    one.fact(
        "definition-changes",
        IndicatorDefinitionChanged,
        indicators.change_definition,
        access=_PROMISES,
        request=_REDEFINING,
    )
    one.fact("publications", IndicatorPublished, Indicator.publish, access=_PROMISES)
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
    "tolerance-not-applicable": Explained(
        422, "Tolerance not applicable", "Only a value that is to be maintained has a tolerance."
    ),
    "tolerance-negative": Explained(422, "Negative tolerance", "A tolerance is a distance: zero or more."),
}
