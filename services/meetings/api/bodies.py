"""Bodies: put, listed, read, and asked what they left open; and their calendar."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from services.meetings.api.answers import BodyAnswer, BodyPage, BodyWritten, ProposalAnswer
from services.meetings.api.calendar_answers import calendar_answer
from services.meetings.api.calendars import CalendarResponse
from services.meetings.api.parameters import (
    CodeOrId,
    Include,
    NewCode,
    WaitFor,
    bodies_of,
    caught_up,
    listed,
    meetings_of,
)
from services.meetings.api.rendering import body_document, body_members, proposals_of
from services.meetings.api.requests import BodyBody
from services.meetings.application.reading import Filters
from shared.http.answers import read_answer
from shared.http.context import actor_of, context_of
from shared.http.pagination import DEFAULT_LIMIT, Cursor, Limit, decode_cursor
from shared.http.records import command_of, shown, written
from shared.http.routing import service_router
from shared.http.schemas import Page
from shared.identity.access import EVERYONE, Access, AccessTable
from shared.identity.actor import Role

_OWN = "reserved ones: ministries only their own"

ACCESS: AccessTable = {
    ("PUT", "/v1/bodies/{code}"): Access(
        frozenset({Role.DCI, Role.ADMIN}),
        if_match="optional",
        note="`If-None-Match: *` only registers what is new",
    ),
    ("GET", "/v1/bodies"): Access(EVERYONE, note=_OWN, log_position=True),
    ("GET", "/v1/bodies/{code}"): Access(EVERYONE, note=_OWN, etag=True, log_position=True),
    ("GET", "/v1/bodies/{code}/agenda-proposals"): Access(EVERYONE, note=_OWN, log_position=True),
    ("GET", "/v1/bodies/{code}/calendar.ics"): Access(EVERYONE, note=_OWN, etag=True, log_position=True),
}
router = service_router(ACCESS)


@router.put(
    "/v1/bodies/{code}",
    status_code=201,
    tags=["bodies"],
    responses={
        200: {"model": BodyWritten, "description": "Already described like this."},
        201: {"model": BodyWritten},
    },
)
async def put_body(request: Request, code: NewCode, body: BodyBody) -> Response:
    """Registers a body, or describes it anew: the whole description replaces the one before.

    A bilateral is `reserved`, and with whom it is stays as it is once it has numbered decisions.
    """
    only_new = context_of(request).headers.get(b"if-none-match", b"").strip() == b"*"
    outcome = await bodies_of(request).describe(
        code, body.as_domain(), await command_of(request), only_new=only_new
    )
    return written(outcome, f"/v1/bodies/{code}", code=code)


@router.get("/v1/bodies", tags=["bodies"], response_model=BodyPage)
async def bodies(
    request: Request,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    include: Include = None,
    wait_for: WaitFor = None,
) -> Response:
    """The bodies you may know of, by code."""
    cases = await caught_up(bodies_of(request), wait_for)
    body = listed(
        request,
        cases.listed(actor_of(request)),
        lambda one: [one.code],
        body_members,
        after=decode_cursor(request, cursor),
        limit=limit,
        total=bool(include),
    )
    return read_answer(request, body, position=cases.position)


@router.get("/v1/bodies/{code}", tags=["bodies"], response_model=BodyAnswer)
async def body(request: Request, identifier: CodeOrId, wait_for: WaitFor = None) -> Response:
    """A body as it is described now."""
    cases = await caught_up(bodies_of(request), wait_for)
    found = await cases.visible(identifier, actor_of(request))
    return shown(request, body_document(found), version=found.version, position=found.position)


@router.get("/v1/bodies/{code}/agenda-proposals", tags=["bodies"], response_model=Page[ProposalAnswer])
async def agenda_proposals(
    request: Request,
    identifier: CodeOrId,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    wait_for: WaitFor = None,
) -> Response:
    """What the body left open, for its next agenda: first the action items still owed, by the day they are due.

    Then come the decisions that the budget office has not acknowledged, or disputes, by the day they were taken.
    """
    cases = await caught_up(bodies_of(request), wait_for)
    actor = actor_of(request)
    found = await cases.visible(identifier, actor)
    meetings = meetings_of(request)
    proposals = proposals_of(
        cases.proposals(found, actor), meetings.clock, lambda one: meetings.listed_to(one, actor)
    )
    after = decode_cursor(request, cursor)
    answer = listed(
        request,
        proposals,
        lambda one: [
            one["kind"],
            str(one["due_on"] or one["agreed_on"]),
            str(one["action_item"] or one["decision"]),
        ],
        dict,
        after=after,
        limit=limit,
    )
    return read_answer(request, answer, position=cases.position)


@router.get(
    "/v1/bodies/{code}/calendar.ics",
    tags=["calendars"],
    response_class=CalendarResponse,
    responses={200: {"description": "The meetings you may know of, as iCalendar."}},
)
async def body_calendar(request: Request, identifier: CodeOrId, wait_for: WaitFor = None) -> Response:
    """The meetings of a body for a calendar program: past, to come, and cancelled ones as such."""
    cases = await caught_up(bodies_of(request), wait_for)
    actor = actor_of(request)
    found = await cases.visible(identifier, actor)
    meetings = list(meetings_of(request).listed(actor, Filters(body=found.code)))
    return calendar_answer(request, meetings, title=found.description.name)
