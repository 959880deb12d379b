"""A meeting is convened, prepared, moved, called off or held; it is read as it is, and shows its history."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from services.meetings.api.answers import HistoryItem, ListedMeetingAnswer, MeetingAnswer, Written
from services.meetings.api.calendar_answers import calendar_answer
from services.meetings.api.calendars import CalendarResponse
from services.meetings.api.parameters import (
    KnownAt,
    MeetingId,
    Version,
    WaitFor,
    bodies_of,
    caught_up,
    disclosures_of,
    meetings_of,
)
from services.meetings.api.rendering import history_item, listed_meeting, meeting_document, proposals_of
from services.meetings.api.request_parts import AgendaItemBody, part_from
from services.meetings.api.requests import (
    AgendaRevisionBody,
    AttendanceBody,
    MeetingBody,
    PublicationBody,
    ReasonBody,
    ReschedulingBody,
)
from services.meetings.application.reading import Filters
from services.meetings.domain.meeting import Course
from services.meetings.domain.state import AHEAD
from shared.errors import InvalidInput
from shared.eventlog.codec import instant_text
from shared.eventlog.commands import Outcome
from shared.events.meeting_vocabulary import MeetingState
from shared.events.meetings import AgendaItem, Attendee
from shared.http.answers import read_answer
from shared.http.context import actor_of
from shared.http.pagination import DEFAULT_LIMIT, Cursor, Limit, decode_cursor, page
from shared.http.records import command_of, disclosed, disclosed_history, written
from shared.http.routing import service_router
from shared.http.schemas import CivilDay, Page
from shared.identity.access import EVERYONE, Access, AccessTable
from shared.identity.actor import Role
from shared.references import Told

_OWN = "reserved ones: ministries only their own"
CONVENERS = frozenset({Role.DCI, Role.ADVISORY})
_CONVENES = Access(CONVENERS, if_match="required", note="advisory: bilaterals")

ACCESS: AccessTable = {
    ("POST", "/v1/meetings"): Access(CONVENERS, note="advisory: bilaterals"),
    ("GET", "/v1/meetings"): Access(EVERYONE, note=_OWN, log_position=True),
    ("GET", "/v1/meetings/{id}"): Access(EVERYONE, note=_OWN, etag=True, log_position=True),
    ("GET", "/v1/meetings/{id}.ics"): Access(EVERYONE, note=_OWN, etag=True, log_position=True),
    ("GET", "/v1/meetings/{id}/history"): Access(EVERYONE, note=_OWN, etag=True, log_position=True),
    ("POST", "/v1/meetings/{id}/agenda-revisions"): _CONVENES,
    ("POST", "/v1/meetings/{id}/reschedulings"): _CONVENES,
    ("POST", "/v1/meetings/{id}/cancellations"): _CONVENES,
    ("POST", "/v1/meetings/{id}/attendance"): Access(frozenset({Role.DCI}), if_match="required"),
    ("POST", "/v1/meetings/{id}/publications"): Access(
        frozenset({Role.DCI}), if_match="required", note="with its decisions and action items"
    ),
}
router = service_router(ACCESS)
WRITTEN: dict[str, Any] = {"status_code": 201, "tags": ["meetings"], "responses": {201: {"model": Written}}}

Since = Annotated[CivilDay | None, Query(alias="from", description="Meetings from this day on.")]
Until = Annotated[CivilDay | None, Query(alias="to", description="Meetings up to this day, included.")]
OfBody = Annotated[str | None, Query(description="The code of a body.", max_length=64)]
InState = Annotated[MeetingState | None, Query(description="How far the meeting has come.")]


def answer(outcome: Outcome, **more: Any) -> Response:
    """The answer to a write on a meeting."""
    return written(outcome, f"/v1/meetings/{outcome.stream_id}", **more)


def agenda_from(items: tuple[AgendaItemBody, ...]) -> tuple[AgendaItem, ...]:
    """The items of an agenda, numbered in the order given."""
    return tuple(
        AgendaItem(number=number, **{name: getattr(item, name) for name in AgendaItemBody.model_fields})
        for number, item in enumerate(items, 1)
    )


@router.post("/v1/meetings", **WRITTEN)
async def convene(request: Request, body: MeetingBody) -> Response:
    """Convenes a meeting of a body. The meetings of bilaterals are `reserved` until they are published."""
    outcome = await meetings_of(request).convene(
        await command_of(request),
        body=body.body,
        scheduled_at=body.scheduled_at,
        ends_at=body.ends_at,
        place=body.place,
        title=body.title,
        agenda=agenda_from(body.agenda),
    )
    return answer(outcome)


@router.get("/v1/meetings", tags=["meetings"], response_model=Page[ListedMeetingAnswer])
async def meetings(
    request: Request,
    body: OfBody = None,
    since: Since = None,
    until: Until = None,
    state: InState = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    wait_for: WaitFor = None,
) -> Response:
    """The meetings you may know of, in order of the time they are scheduled for."""
    if since is not None and until is not None and since > until:
        raise InvalidInput("days-reversed", "The first day is later than the last.", pointer="/query/from")
    cases = await caught_up(meetings_of(request), wait_for)
    key = decode_cursor(request, cursor)
    after = None if key is None else (datetime.fromisoformat(key[0]), UUID(key[1]))
    found = list(
        islice(cases.listed(actor_of(request), Filters(body, since, until, state), after), limit + 1)
    )
    shown_now = found[:limit]
    last = [instant_text(shown_now[-1].scheduled_at), str(shown_now[-1].id)] if len(found) > limit else None
    return read_answer(request, page(map(listed_meeting, shown_now), last, request), position=cases.position)


@router.get(
    "/v1/meetings/{id}.ics",
    tags=["calendars"],
    response_class=CalendarResponse,
    responses={200: {"description": "The meeting, as iCalendar."}},
)
async def meeting_calendar(request: Request, identifier: MeetingId, wait_for: WaitFor = None) -> Response:
    """A meeting for a calendar program; asked for again, it says that it was moved or cancelled."""
    cases = await caught_up(meetings_of(request), wait_for)
    found = await cases.visible(identifier, actor_of(request))
    return calendar_answer(request, [await cases.entry(found)], title="Bitácora")


@router.get("/v1/meetings/{id}", tags=["meetings"], response_model=MeetingAnswer)
async def meeting(
    request: Request,
    identifier: MeetingId,
    version: Version = None,
    known_at: KnownAt = None,
    wait_for: WaitFor = None,
) -> Response:
    """A meeting as it is now, at a version, or as the log knew it at a moment.

    While it is still to be held, `proposals` are what its body left open, and are not part of a past view. Draft
    minutes and observations are for the centre of government and for those the minutes were sent to; sealed minutes
    for all who may know of the meeting.
    """
    cases = await caught_up(meetings_of(request), wait_for)
    actor = actor_of(request)
    found = await cases.visible(identifier, actor)
    drafts_open, whole = found.drafts_open_to(actor), actor.organization in found.circle()
    proposals, position = None, found.position
    in_the_past = version is not None or known_at is not None
    if in_the_past:
        past = await cases.as_it_was(identifier, actor, version=version, known_at=known_at)
        found, position = past.state, past.position
    elif found.state in AHEAD:
        proposals = proposals_of(
            bodies_of(request).directory.proposals(found.body, actor),
            cases.clock,
            lambda one: cases.listed_to(one, actor),
        )
    return await disclosed(
        request,
        Told(meeting_document(found, cases.clock.day_of, drafts_open=drafts_open, proposals=proposals)),
        disclosures_of(request).of,
        version=found.version,
        position=position,
        whole=whole,
        # What is left open changes without the meeting, and who may read a draft without that version.
        same_for_version=lambda: proposals is None and not in_the_past,
    )


@router.get("/v1/meetings/{id}/history", tags=["meetings"], response_model=Page[HistoryItem])
async def meeting_history(
    request: Request,
    identifier: MeetingId,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    wait_for: WaitFor = None,
) -> Response:
    """Everything that was recorded of a meeting, in order; what drafts said only for those who may read drafts."""
    cases = await caught_up(meetings_of(request), wait_for)
    actor = actor_of(request)
    found = await cases.visible(identifier, actor)
    after = decode_cursor(request, cursor)
    version, position = found.version, found.position
    lines, more = await cases.history(found, actor, after_version=after[0] if after else 0, limit=limit)
    # Whoever lacks but one name could try which one makes up the seal.
    sealed = Told(meeting_document(found, cases.clock.day_of, drafts_open=False, proposals=None))
    whole = actor.organization in found.circle()
    hidden = () if whole or (await sealed.to(actor, disclosures_of(request).of)).whole else ("digest",)
    items = [history_item(line.stored, withheld=line.withheld, hidden=hidden) for line in lines]
    return await disclosed_history(
        request,
        items,
        disclosures_of(request).of,
        more=more,
        version=version,
        position=position,
        whole=whole,
    )


# --- what happens to it --------------------------------------------------------------------------------------------


@router.post("/v1/meetings/{id}/agenda-revisions", **WRITTEN)
async def revise_agenda(request: Request, identifier: MeetingId, body: AgendaRevisionBody) -> Response:
    """Rewrites the agenda; with `agreed_with`, settles it with the organisations named."""
    cases = meetings_of(request)
    found = await cases.visible(identifier, actor_of(request))
    outcome = await cases.revise_agenda(
        found,
        await command_of(request),
        agenda=agenda_from(body.agenda),
        agreed_with=body.agreed_with,
        reason=body.reason,
    )
    return answer(outcome)


@router.post("/v1/meetings/{id}/reschedulings", **WRITTEN)
async def reschedule(request: Request, identifier: MeetingId, body: ReschedulingBody) -> Response:
    """Moves the meeting to another time or place."""
    cases = meetings_of(request)
    found = await cases.visible(identifier, actor_of(request))
    outcome = await cases.change(found, await command_of(request), lambda it: it.reschedule(**vars(body)))
    return answer(outcome)


@router.post("/v1/meetings/{id}/cancellations", **WRITTEN)
async def cancel(request: Request, identifier: MeetingId, body: ReasonBody) -> Response:
    """Calls the meeting off."""
    cases = meetings_of(request)
    found = await cases.visible(identifier, actor_of(request))
    outcome = await cases.change(found, await command_of(request), lambda it: it.cancel(reason=body.reason))
    return answer(outcome)


@router.post("/v1/meetings/{id}/attendance", **WRITTEN)
async def hold(request: Request, identifier: MeetingId, body: AttendanceBody) -> Response:
    """Records that the meeting was held, and who came; the seats that nobody took follow from the list."""
    cases = meetings_of(request)
    found = await cases.visible(identifier, actor_of(request))
    course = Course(
        held_at=body.held_at,
        attendance=tuple(part_from(line, Attendee) for line in body.attendance),
        ended_at=body.ended_at,
    )
    outcome = await cases.hold(found, await command_of(request), course=course, reason=body.reason)
    return answer(outcome)


@router.post("/v1/meetings/{id}/publications", **WRITTEN)
async def publish(request: Request, identifier: MeetingId, body: PublicationBody) -> Response:
    """Changes who may know of the meeting, and with it of its decisions and action items.

    A decision that is published shows its number, and so how many its body took before it that year.
    """
    cases = meetings_of(request)
    found = await cases.visible(identifier, actor_of(request))
    outcome = await cases.publish(
        found, await command_of(request), visibility=body.visibility, reason=body.reason
    )
    return answer(outcome)
