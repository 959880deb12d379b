"""Indicators: defined, promised, planned, measured, set right, redefined, and read as they are or were."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query
from starlette.requests import Request
from starlette.responses import Response

from services.commitments.api.commitment_answers import HistoryItem, Written
from services.commitments.api.commitment_bodies import PublicationBody
from services.commitments.api.commitments import WaitFor, disclosures_of
from services.commitments.api.indicator_answers import IndicatorAnswer
from services.commitments.api.indicator_bodies import (
    DefinitionChangeBody,
    IndicatorBody,
    MeasurementBody,
    MeasurementCorrectionBody,
    TargetBody,
    TrajectoryBody,
)
from services.commitments.api.indicator_rendering import rendered
from services.commitments.api.rendering import history_item
from services.commitments.application.indicators import Indicators
from services.commitments.domain.indicator import Indicator
from shared.eventlog.commands import Outcome
from shared.http.context import actor_of
from shared.http.pagination import DEFAULT_LIMIT, Cursor, Limit, decode_cursor
from shared.http.records import LONGEST_WAIT, command_of, disclosed, disclosed_history, written
from shared.http.routing import service_router
from shared.http.schemas import Instant, Page
from shared.identity.access import EVERYONE, Access, AccessTable
from shared.identity.actor import Role
from shared.references import Told

UNIT = frozenset({Role.DCI})
_READ = Access(
    EVERYONE,
    note="reserved ones, and those of reserved commitments: ministries only where they are concerned",
    etag=True,
    log_position=True,
)
_PROMISES = Access(UNIT, if_match="required", note="keeps the record")
_MEASURES = Access(
    UNIT | {Role.MINISTRY},
    own_organization=frozenset({Role.MINISTRY}),
    if_match="required",
    note="ministries: only where the indicator names them as its source",
)

ACCESS: AccessTable = {
    ("POST", "/v1/indicators"): Access(UNIT, note="defines"),
    ("GET", "/v1/indicators/{id}"): _READ,
    ("GET", "/v1/indicators/{id}/history"): _READ,
    ("POST", "/v1/indicators/{id}/targets"): _PROMISES,
    ("POST", "/v1/indicators/{id}/trajectory"): _PROMISES,
    ("POST", "/v1/indicators/{id}/measurements"): _MEASURES,
    ("POST", "/v1/indicators/{id}/measurements/{period}/corrections"): _MEASURES,
    ("POST", "/v1/indicators/{id}/definition-changes"): _PROMISES,
    ("POST", "/v1/indicators/{id}/publications"): _PROMISES,
}
router = service_router(ACCESS)

Identifier = Annotated[str, Path(alias="id", description="The UUID or the code.", examples=["VICTIMISATION"])]
MeasuredPeriod = Annotated[
    str, Path(alias="period", description="A period that has a value.", examples=["2011"])
]
Version = Annotated[int | None, Query(ge=1, le=2**31, description="The indicator as it was at this version.")]
KnownAt = Annotated[Instant | None, Query(description="The indicator as the log knew it at this moment.")]

_WRITTEN: dict[str, Any] = {
    "status_code": 201,
    "tags": ["indicators"],
    "responses": {201: {"model": Written}},
}


def indicators_of(request: Request) -> Indicators:
    """The use cases of the app that serves this request."""
    indicators: Indicators = request.scope["app"].state.indicators
    return indicators


@router.post("/v1/indicators", **_WRITTEN)
async def define_indicator(request: Request, body: IndicatorBody) -> Response:
    """Defines an indicator, with its baseline and its source, before it is measured."""
    outcome = await indicators_of(request).define(
        body.code,
        body.definition(),
        await command_of(request),
        commitment=body.commitment,
        visibility=body.visibility,
        effective_on=body.effective_on,
    )
    return written(outcome, f"/v1/indicators/{outcome.stream_id}", code=body.code)


@router.get("/v1/indicators/{id}", tags=["indicators"], response_model=IndicatorAnswer)
async def indicator(
    request: Request,
    identifier: Identifier,
    version: Version = None,
    known_at: KnownAt = None,
    wait_for: WaitFor = None,
) -> Response:
    """An indicator with its targets, its values, the verdict on each, and the warning signs.

    Each value is judged against the promise as it was first made and against the promise as it stands. The version
    is its ETag.
    """
    indicators = indicators_of(request)
    actor = actor_of(request)
    if wait_for is not None:
        await indicators.wait_for(wait_for, LONGEST_WAIT)
    if version is not None or known_at is not None:
        found = await indicators.as_it_was(identifier, actor, version=version, known_at=known_at)
    else:
        found = await indicators.visible(identifier, actor)
    told = Told(rendered(found, request.scope["app"].state.warning_windows))
    return await disclosed(
        request, told, disclosures_of(request).of, version=found.version, position=found.position
    )


@router.get("/v1/indicators/{id}/history", tags=["indicators"], response_model=Page[HistoryItem])
async def indicator_history(
    request: Request,
    identifier: Identifier,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    wait_for: WaitFor = None,
) -> Response:
    """Everything that was recorded of an indicator, in order: what, when, by whom, and on which decision."""
    indicators = indicators_of(request)
    actor = actor_of(request)
    if wait_for is not None:
        await indicators.wait_for(wait_for, LONGEST_WAIT)
    after: list[Any] | None = decode_cursor(request, cursor)
    found, lines, more = await indicators.history(
        identifier, actor, after_version=after[0] if after else 0, limit=limit
    )
    items = [history_item(line) for line in lines]
    return await disclosed_history(
        request,
        items,
        disclosures_of(request).of,
        more=more,
        version=found.version,
        position=found.position,
    )


@router.post("/v1/indicators/{id}/targets", **_WRITTEN)
async def set_target(request: Request, identifier: Identifier, body: TargetBody) -> Response:
    """Promises a value for a day; after the first one this is a revision and says why."""
    indicators = indicators_of(request)
    found = await indicators.visible(identifier, actor_of(request))
    outcome = await indicators.set_target(found, await command_of(request), **vars(body))
    return _answer(outcome, found)


@router.post("/v1/indicators/{id}/trajectory", **_WRITTEN)
async def set_trajectory(request: Request, identifier: Identifier, body: TrajectoryBody) -> Response:
    """Lays down the values planned on the way to the target."""
    indicators = indicators_of(request)
    found = await indicators.visible(identifier, actor_of(request))
    told = {**vars(body), "points": body.as_domain()}
    outcome = await indicators.set_trajectory(found, await command_of(request), **told)
    return _answer(outcome, found)


@router.post("/v1/indicators/{id}/measurements", **_WRITTEN)
async def record_measurement(request: Request, identifier: Identifier, body: MeasurementBody) -> Response:
    """Records the value found for a period; each period has one, and another value is a correction."""
    indicators = indicators_of(request)
    found = await indicators.visible(identifier, actor_of(request))
    outcome = await indicators.record_measurement(found, await command_of(request), **vars(body))
    return _answer(outcome, found)


@router.post("/v1/indicators/{id}/measurements/{period}/corrections", **_WRITTEN)
async def correct_measurement(
    request: Request, identifier: Identifier, period: MeasuredPeriod, body: MeasurementCorrectionBody
) -> Response:
    """Puts the right value in the place of a wrong one, which stays on record."""
    indicators = indicators_of(request)
    found = await indicators.visible(identifier, actor_of(request))
    outcome = await indicators.correct_measurement(found, period, await command_of(request), **vars(body))
    return _answer(outcome, found)


@router.post("/v1/indicators/{id}/definition-changes", **_WRITTEN)
async def change_definition(request: Request, identifier: Identifier, body: DefinitionChangeBody) -> Response:
    """Changes what is measured, or how, from a day on; verdicts on the original promise keep the first definition."""
    indicators = indicators_of(request)
    found = await indicators.visible(identifier, actor_of(request))
    told = {**vars(body), "changes": body.changes.as_domain()}
    outcome = await indicators.change_definition(found, await command_of(request), **told)
    return _answer(outcome, found)


@router.post("/v1/indicators/{id}/publications", **_WRITTEN)
async def publish_indicator(request: Request, identifier: Identifier, body: PublicationBody) -> Response:
    """Changes who may know of it; nobody comes to know of it who may not know of the commitment it belongs to."""
    indicators = indicators_of(request)
    found = await indicators.visible(identifier, actor_of(request))
    outcome = await indicators.publish(found, await command_of(request), **vars(body))
    return _answer(outcome, found)


def _answer(outcome: Outcome, found: Indicator) -> Response:
    location = f"/v1/indicators/{outcome.stream_id}?version={outcome.version}"
    return written(outcome, location, code=found.code)
