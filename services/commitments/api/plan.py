"""Organisations and pillars: put, listed and read."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from fastapi import Path, Query
from starlette.requests import Request
from starlette.responses import Response

from services.commitments.api.commitment_answers import Written
from services.commitments.api.commitments import WaitFor
from services.commitments.api.plan_schemas import (
    OrganizationAnswer,
    OrganizationBody,
    OrganizationPage,
    PillarAnswer,
    PillarBody,
    PillarPage,
)
from services.commitments.application.plan import Plan
from services.commitments.domain.organization import Organization
from services.commitments.domain.pillar import Pillar
from shared.http.answers import read_answer
from shared.http.context import context_of
from shared.http.pagination import DEFAULT_LIMIT, Cursor, Limit, decode_cursor, page
from shared.http.records import LONGEST_WAIT, command_of, shown, written
from shared.http.routing import service_router
from shared.identity.access import EVERYONE, Access, AccessTable
from shared.identity.actor import Role

_KEEPS = Access(
    frozenset({Role.DCI, Role.ADMIN}),
    if_match="optional",
    note="`If-None-Match: *` only registers what is new",
)
_LISTED = Access(EVERYONE, log_position=True)
_READ = Access(EVERYONE, etag=True, log_position=True)

ACCESS: AccessTable = {
    ("PUT", "/v1/organizations/{code}"): _KEEPS,
    ("GET", "/v1/organizations"): _LISTED,
    ("GET", "/v1/organizations/{code}"): _READ,
    ("PUT", "/v1/pillars/{code}"): _KEEPS,
    ("GET", "/v1/pillars"): _LISTED,
    ("GET", "/v1/pillars/{code}"): _READ,
}
router = service_router(ACCESS)

NewCode = Annotated[str, Path(description="The code it is known by, for ever.", examples=["MOP"])]
Include = Annotated[
    list[Literal["total"]] | None, Query(description="`total`: say how many there are in all.")
]
CodeOrId = Annotated[str, Path(alias="code", description="The code, or the UUID.", examples=["MOP"])]
T = TypeVar("T")


def plan_of(request: Request) -> Plan:
    """The use cases of the app that serves this request."""
    plan: Plan = request.scope["app"].state.plan
    return plan


@router.put(
    "/v1/organizations/{code}",
    status_code=201,
    tags=["plan"],
    responses={
        200: {"model": Written, "description": "Already described like this."},
        201: {"model": Written},
    },
)
async def put_organization(request: Request, code: NewCode, body: OrganizationBody) -> Response:
    """Registers an organisation, or describes it anew: the whole description replaces the one before."""
    outcome = await plan_of(request).describe_organization(
        code, body.as_domain(), await command_of(request), only_new=_only_new(request)
    )
    return written(outcome, f"/v1/organizations/{code}", code=code)


@router.get("/v1/organizations", tags=["plan"], response_model=OrganizationPage)
async def organizations(
    request: Request,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    include: Include = None,
    wait_for: WaitFor = None,
) -> Response:
    """The organisations on record, by code; those dissolved stay."""
    plan = await _caught_up(request, wait_for)
    body = listed(
        request,
        plan.directory.organizations(),
        lambda one: [one.code],
        _members,
        after=decode_cursor(request, cursor),
        limit=limit,
        total=bool(include),
    )
    return read_answer(request, body, position=plan.position)


@router.get("/v1/organizations/{code}", tags=["plan"], response_model=OrganizationAnswer)
async def organization(request: Request, identifier: CodeOrId, wait_for: WaitFor = None) -> Response:
    """An organisation as it is described now."""
    plan = await _caught_up(request, wait_for)
    found = await plan.organization(identifier)
    body = msgspec.json.encode(_members(found))
    return shown(request, body, version=found.version, position=found.position)


@router.put(
    "/v1/pillars/{code}",
    status_code=201,
    tags=["plan"],
    responses={
        200: {"model": Written, "description": "Already described like this."},
        201: {"model": Written},
    },
)
async def put_pillar(request: Request, code: NewCode, body: PillarBody) -> Response:
    """Declares a pillar, or describes it anew: the whole description replaces the one before."""
    outcome = await plan_of(request).describe_pillar(
        code, body.as_domain(), await command_of(request), only_new=_only_new(request)
    )
    return written(outcome, f"/v1/pillars/{code}", code=code)


@router.get("/v1/pillars", tags=["plan"], response_model=PillarPage)
async def pillars(
    request: Request,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    include: Include = None,
    wait_for: WaitFor = None,
) -> Response:
    """The pillars of the plan, by rank and code."""
    plan = await _caught_up(request, wait_for)
    body = listed(
        request,
        plan.directory.pillars(),
        lambda one: [one.description.rank, one.code],
        _members,
        after=decode_cursor(request, cursor),
        limit=limit,
        total=bool(include),
    )
    return read_answer(request, body, position=plan.position)


@router.get("/v1/pillars/{code}", tags=["plan"], response_model=PillarAnswer)
async def pillar(request: Request, identifier: CodeOrId, wait_for: WaitFor = None) -> Response:
    """A pillar as it is described now."""
    plan = await _caught_up(request, wait_for)
    found = await plan.pillar(identifier)
    body = msgspec.json.encode(_members(found))
    return shown(request, body, version=found.version, position=found.position)


def listed(
    request: Request,
    things: Sequence[T],
    key_of: Callable[[T], list[Any]],
    members: Callable[[T], dict[str, Any]],
    *,
    after: list[Any] | None,
    limit: int,
    total: bool,
) -> dict[str, Any]:
    """One page of a list that is all in memory, sorted by `key_of`."""
    begin = 0 if after is None else bisect_right(things, after, key=key_of)
    shown_now = things[begin : begin + limit]
    more = begin + limit < len(things)
    body = page(map(members, shown_now), key_of(shown_now[-1]) if more else None, request)
    return {**body, "total": len(things)} if total else body


async def _caught_up(request: Request, wait_for: int | None) -> Plan:
    plan = plan_of(request)
    if wait_for is not None:
        await plan.wait_for(wait_for, LONGEST_WAIT)
    return plan


def _only_new(request: Request) -> bool:
    return context_of(request).headers.get(b"if-none-match", b"").strip() == b"*"


def _members(one: Organization | Pillar) -> dict[str, Any]:
    described = one.description._asdict()
    return {"id": one.id, "code": one.code, **described, "version": one.version, "position": one.position}
