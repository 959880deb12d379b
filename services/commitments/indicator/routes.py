"""The routes of indicators: defined, promised, planned, measured, set right, redefined and read."""

from __future__ import annotations

from datetime import date
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
from shared.aggregate.indicator_documents import (
    DefinitionChangeDocument,
    MeasurementDocument,
    TargetDocument,
    TrajectoryDocument,
    WarningDocument,
    figures_of,
    sign_document,
)
from shared.aggregate.redaction import ReadersOf
from shared.events.indicators import (
    Baseline,
    CommitmentMeasured,
    DataSource,
    IndicatorDefined,
    IndicatorDefinitionChanged,
    IndicatorPublished,
    MeasurementCorrected,
    MeasurementRecorded,
    TargetSet,
    TrajectorySet,
)
from shared.events.retractions import IndicatorFactRetracted
from shared.events.types import CommitmentCode, PeriodName
from shared.http.catalogue import Catalogue, Explained
from shared.http.moments import RecordedAt, RecordedOn, recorded
from shared.http.requests import request_of
from shared.http.resource import Resource, command_of
from shared.http.responses import written_answer
from shared.http.routing import Router
from shared.identity.access import EVERYONE, Access
from shared.identity.actor import Role
from shared.rules.indicator_verdict import CURRENT_INDICATOR_RULE
from shared.rules.indicator_warnings import WarningWindows, warning_signs

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

# --- documents -----------------------------------------------------------------------------------------------------


INDICATOR: Final = extended(
    "Indicator",
    IndicatorDefined,
    "An indicator with its targets, its values, the verdict on each, and the warning signs.",
    id=UUID,
    commitments=Annotated[
        list[CommitmentCode],
        Field(description="Those it measures: first that of its definition, then the others by code."),
    ],
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
    return INDICATOR(
        **members_of(facts.definition),
        **figures_of(facts),
        id=indicator.id,
        code=indicator.code,
        commitment=indicator.commitment,
        commitments=indicator.commitments,
        visibility=indicator.visibility,
        effective_on=indicator.effective_on,
        warnings=[sign_document(sign) for sign in warning_signs(facts, today, windows)],
        **recorded("defined", indicator.began_at, day_of),
        **recorded("updated", indicator.recorded_at, day_of),
        version=indicator.version,
        position=indicator.position,
    )


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
        "What is measured, its targets and its values.",
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
    one.fact(
        "commitments",
        CommitmentMeasured,
        indicators.measure,
        access=_PROMISES,
        again=Indicator.measure,
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
    "measured-by-definition": Explained(
        409, "Measured by definition", "The commitment that the definition names is measured on every day."
    ),
    "measured-already": Explained(
        409, "Measured already", "On that day it measures the other commitment already, or does not."
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
