"""The routes of meetings: one is convened, prepared, held, and its minutes are written, approved and mended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from hashlib import blake2b
from itertools import islice
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from services.meetings.body.repository import Bodies
from services.meetings.body.routes import OWN
from services.meetings.meeting.calendars import Calendars
from services.meetings.meeting.listing import MeetingList
from services.meetings.meeting.minutes_page import MinutesPages
from services.meetings.meeting.model import AHEAD, Meeting, held_or_corrected
from services.meetings.meeting.proposals import Proposal, Proposals
from services.meetings.meeting.repository import Meetings
from shared.aggregate.aggregate import DayOf
from shared.aggregate.documents import (
    Moment,
    as_dated_entry,
    as_entries,
    as_entry,
    as_optional_entry,
    document_of,
    entry_document,
    extended,
    members_of,
)
from shared.aggregate.redaction import Document, ReadersOf
from shared.clock import Clock
from shared.errors import InvalidInput, NotFound
from shared.eventlog.codec import instant_text
from shared.events.facts import Event
from shared.events.meeting_vocabulary import MeetingState
from shared.events.meetings import (
    AgendaAgreed,
    AgendaRevised,
    AttendanceCorrected,
    DraftActionItem,
    DraftDecision,
    ErratumAdded,
    MeetingCancelled,
    MeetingConvened,
    MeetingHeld,
    MeetingPublished,
    MeetingRescheduled,
    MinutesCirculated,
    MinutesDrafted,
    MinutesItem,
    ObservationAnswered,
    ObservationRaised,
    Seat,
)
from shared.events.retractions import MeetingFactRetracted
from shared.events.types import (
    ActionItemId,
    BodyCode,
    CivilDay,
    DecisionNumber,
    Items,
    OrganizationCode,
    Prose,
    Seal,
)
from shared.events.vocabulary import Visibility
from shared.http.body import ROOMY
from shared.http.catalogue import Catalogue, Explained
from shared.http.context import actor_of
from shared.http.moments import RecordedAt, RecordedOn, recorded
from shared.http.pagination import decode_cursor, page_after
from shared.http.pdf import MEDIA_TYPE as PDF
from shared.http.pdf import PdfPress
from shared.http.preconditions import not_modified
from shared.http.requests import RequestModel, request_of
from shared.http.resource import (
    LONGEST_WAIT,
    Now,
    Paged,
    PastView,
    Private,
    Resource,
    as_shown,
    caught_up,
    command_of,
    show,
)
from shared.http.responses import QUARANTINED, encoded, page, page_of, read_answer, written_answer
from shared.http.routing import Router
from shared.http.templates import SELF_CONTAINED, spoken_in
from shared.identity.access import EVERYONE, Access
from shared.identity.actor import Actor, Role
from shared.rules.visibility import reads_everything

CONVENERS: Final = frozenset({Role.DCI, Role.ADVISORY})
_CONVENES: Final = Access(CONVENERS, if_match="required", note="advisory: bilaterals")
_WRITES: Final = Access(frozenset({Role.DCI}), if_match="required", note="writes the minutes")
_READS: Final = Access(EVERYONE, note=OWN, etag=True, log_position=True)

# --- documents -------------------------------------------------------------------------------------------------------

_CIRCULATION: Final = entry_document(MinutesCirculated, effective_on=date)
_HELD: Final = entry_document(MeetingHeld, corrections=list[str])
_SEAT: Final = document_of(Seat)
_ERRATUM: Final = entry_document(ErratumAdded)
_OBSERVATION: Final = entry_document(ObservationRaised, answer=entry_document(ObservationAnswered) | None)
_DECISION: Final = extended(
    "DraftDecision",
    DraftDecision,
    "A decision as the minutes word it, with its number once they are approved.",
    number=str | None,
)
_TASK: Final = extended(
    "DraftActionItem",
    DraftActionItem,
    "A task as the minutes word it, with its id once they are approved.",
    id=UUID | None,
)
_MINUTES_ITEM: Final = extended(
    "MinutesItem",
    MinutesItem,
    "What was said and settled on one item.",
    decisions=list[_DECISION],  # type: ignore[valid-type]
    action_items=list[_TASK],  # type: ignore[valid-type]
)


class Minutes(msgspec.Struct, kw_only=True):
    """The minutes as last written, or as sealed, with the errata beside them."""

    draft: int
    sealed: bool
    digest: Annotated[str | None, Seal()]
    items: list[_MINUTES_ITEM]  # type: ignore[valid-type]
    errata: list[_ERRATUM]  # type: ignore[valid-type]
    drafted_by: Actor
    approved_by: Actor | None
    approved_position: int | None
    recipients_missing: Annotated[
        list[_SEAT] | None,  # type: ignore[valid-type]
        Field(description="Those of the protocol that what was approved had not been sent to."),
    ]


MEETING: Final = extended(
    "Meeting",
    MeetingConvened,
    "A meeting; `minutes` are null until they are sealed, except for those who may read drafts.",
    id=UUID,
    state=MeetingState,
    agreed_with=list[OrganizationCode],
    reschedulings=list[entry_document(MeetingRescheduled)],  # type: ignore[misc]
    cancellation=entry_document(MeetingCancelled) | None,
    held=_HELD | None,
    minutes=Minutes | None,
    circulations=list[_CIRCULATION],  # type: ignore[valid-type]
    observations=list[_OBSERVATION],  # type: ignore[valid-type]
    publications=list[entry_document(MeetingPublished)],  # type: ignore[misc]
    proposals=Annotated[
        list[Proposal] | None, Field(description="For a meeting still to be held: what its body left open.")
    ],
    convened_by=Actor,
    updated_on=RecordedOn,
    updated_at=RecordedAt,
    version=int,
    position=int,
)


class MeetingListed(msgspec.Struct, kw_only=True):
    """A meeting as lists show it."""

    id: UUID
    body: BodyCode
    title: str | None
    state: MeetingState
    scheduled_at: Moment
    ends_at: Moment | None
    place: str | None
    held_at: Moment | None
    agenda_size: Annotated[int, Field(description="How many items the agenda has.")]
    visibility: Visibility
    version: int
    position: int


_LISTED: Final = MeetingListed.__struct_fields__


_MINUTES_AS: Final = {
    "html": "The minutes of a meeting as a page, without the names in them that its reader may not know.\n\n"
    "Drafts say that they are drafts, and are for those who may read them.",
    "pdf": "The minutes of a meeting as PDF (PDF/UA), made of the page; `501` where an installation makes none.",
}


def meeting_document(
    meeting: Meeting, day_of: DayOf, *, drafts_open: bool, proposals: list[Proposal] | None = None
) -> msgspec.Struct:
    """A meeting with everything recorded of it, its minutes as far as the reader may read them."""
    convened = meeting.convocation
    return MEETING(
        **members_of(convened.event)
        | {
            "id": meeting.id,
            "state": meeting.state,
            "scheduled_at": meeting.scheduled_at,
            "ends_at": meeting.ends_at,
            "place": meeting.place,
            "agenda": [document_of(type(item))(**members_of(item)) for item in meeting.agenda],
            "agreed_with": list(meeting.agreed_with),
            "visibility": meeting.visibility,
            "reschedulings": as_entries(entry_document(MeetingRescheduled), meeting.reschedulings),
            "cancellation": as_optional_entry(entry_document(MeetingCancelled), meeting.cancellation),
            "held": _held(meeting),
            "minutes": _minutes(meeting) if drafts_open or meeting.approval is not None else None,
            "circulations": [as_dated_entry(_CIRCULATION, entry, day_of) for entry in meeting.circulations],
            "observations": [
                as_entry(
                    _OBSERVATION,
                    observation.entry,
                    answer=as_optional_entry(entry_document(ObservationAnswered), observation.answer),
                )
                for observation in meeting.observations
                if drafts_open
            ],
            "publications": as_entries(entry_document(MeetingPublished), meeting.publications),
            "proposals": proposals,
            "convened_by": convened.recorded_by,
            **recorded("updated", meeting.recorded_at, day_of),
            "version": meeting.version,
            "position": meeting.position,
        }
    )


def _held(meeting: Meeting) -> msgspec.Struct | None:
    held = meeting.held
    if held is None:
        return None
    members = members_of(held.event)
    members.pop("reason", None)
    return _HELD(
        **members,
        corrections=[entry.event.reason for entry in meeting.attendance_corrections],
        recorded_by=held.recorded_by,
        position=held.position,
    )


def _minutes(meeting: Meeting) -> Minutes | None:
    draft, approval = meeting.latest_draft, meeting.approval
    if draft is None:
        return None
    numbers = iter(approval.event.decisions if approval else ())
    ids = iter(approval.event.action_items if approval else ())
    return Minutes(
        draft=draft.event.draft,
        sealed=approval is not None,
        digest=approval and approval.event.digest,
        items=[_minutes_item(item, numbers, ids) for item in draft.event.items],
        errata=as_entries(_ERRATUM, meeting.errata),
        drafted_by=draft.recorded_by,
        approved_by=approval and approval.recorded_by,
        approved_position=approval and approval.position,
        recipients_missing=approval and members_of(approval.event)["recipients_missing"],
    )


def _minutes_item(item: MinutesItem, numbers: Iterator[str], ids: Iterator[UUID]) -> msgspec.Struct:
    """One item; what was approved goes by the number or id it got then."""
    return _MINUTES_ITEM(
        **members_of(item)
        | {
            "decisions": [_DECISION(**members_of(one), number=next(numbers, None)) for one in item.decisions],
            "action_items": [_TASK(**members_of(one), id=next(ids, None)) for one in item.action_items],
        }
    )


def _file_name(meeting: Any, clock: Clock) -> str:
    began = (meeting["held"] or {}).get("held_at") or meeting["scheduled_at"]
    return "-".join(filter(None, (meeting["body"], clock.day_of(datetime.fromisoformat(began)).isoformat())))


# --- requests --------------------------------------------------------------------------------------------------------


class MeetingsAsked(Paged):
    """A question for the list of meetings."""

    body: Annotated[BodyCode | None, Field(description="The code of a body.")] = None
    since: Annotated[CivilDay | None, Field(alias="from", description="Meetings from this day on.")] = None
    until: Annotated[CivilDay | None, Field(alias="to", description="Meetings up to this day, included.")] = (
        None
    )
    state: Annotated[MeetingState | None, Field(description="How far the meeting has come.")] = None


class MinutesAsked(Now):
    """A question for the minutes of a meeting as a page."""

    lang: Annotated[
        Literal["es", "en"] | None,
        Field(
            description="The language of the headings; by default what `Accept-Language` asks for, or Spanish."
        ),
    ] = None


class ApprovalRequest(RequestModel):
    """Nothing more: `If-Match` says which draft is approved."""


_AGENDA: Final = request_of(
    AgendaAgreed,
    name="AgendaRevisionRequest",
    doc="The whole agenda as it is to be; named with whom it was agreed, it is settled.",
    agreed_with=(Items[OrganizationCode], ()),
    reason=(
        Annotated[Prose | None, Field(description="Required once an agenda was agreed and is left again.")],
        None,
    ),
)
_ATTENDANCE: Final = request_of(
    MeetingHeld,
    name="AttendanceRequest",
    doc="When the meeting was held and who came; with a reason, it corrects what was noted before.",
    made_by=held_or_corrected,
    reason=(Prose | None, None),
)

# --- routes ----------------------------------------------------------------------------------------------------------


def meeting_routes(
    meetings: Meetings,
    bodies: Bodies,
    listing: MeetingList,
    proposals: Proposals,
    calendars: Calendars,
    readers_of: ReadersOf,
    press: PdfPress,
) -> Router:
    """Every route of meetings and their minutes, and what bodies are asked of their meetings."""
    live, day_of = meetings.live, meetings.clock.day_of
    router = Router(
        "meetings",
        "Meetings from convening to sealed minutes.",
        id=Annotated[str, Field(description="The UUID of the meeting.")],
        code=Annotated[str, Field(description="The code, or the UUID.", examples=["SOCIAL"])],
        n=Annotated[int, Field(ge=1, le=100_000, description="Its number, from 1.")],
    )
    router.tags |= {
        "minutes": "Minutes from the first draft to the sealed text, and what was objected to in them.",
        "calendars": "Meetings for calendar programs.",
    }

    def whole(meeting: Meeting, actor: Actor) -> bool:
        return actor.is_of(meeting.readers().organizations)

    async def private(meeting: Meeting, actor: Actor) -> Private:
        """What drafts and observations say, and the seal where anything that was sealed is hidden."""
        hidden: tuple[str, ...] = ()
        if meeting.approval is not None and not reads_everything(actor) and not whole(meeting, actor):
            # Whoever lacks but one name could try which one makes up the seal.
            sealed = Document(MEETING, encoded(meeting_document(meeting, day_of, drafts_open=False)))
            redacted = await sealed.for_reader(actor, readers_of)
            hidden = () if redacted.whole else ("digest",)
        if meeting.drafts_open_to(actor):
            return Private(hidden)
        approved = None if meeting.approval is None else meeting.approval.event.draft
        return Private(hidden, lambda event, data: _is_draft(event, data, approved))

    one = Resource(
        router,
        "/v1/meetings/{id}",
        meetings,
        readers_of=readers_of,
        read=_READS,
        identity=lambda _: {},
        identity_types={},
        versioned=False,
        private=private,
        whole=whole,
    )

    @router.post(
        "/v1/meetings",
        access=Access(CONVENERS, note="advisory: bilaterals"),
        body=request_of(
            MeetingConvened,
            name="MeetingRequest",
            doc="A meeting to come, or one that is entered after it was held.",
        ),
        largest_body=ROOMY,
        answers=one.written(),
    )
    async def convene_meeting(request: Request, body: Any) -> Response:
        """Convenes a meeting of a body. The meetings of bilaterals are `reserved` until they are published."""
        outcome = await meetings.convene(body.struct(), await command_of(request))
        return written_answer(request, outcome, f"/v1/meetings/{outcome.stream_id}")

    @router.get(
        "/v1/meetings",
        access=Access(EVERYONE, note=OWN, log_position=True),
        query=MeetingsAsked,
        answers=page_of(MeetingListed, "MeetingPage"),
        name="list_meetings",
    )
    async def listed(request: Request, asked: MeetingsAsked) -> Response:
        """The meetings you may know of, in order of the time they are scheduled for."""
        if asked.since is not None and asked.until is not None and asked.since > asked.until:
            raise InvalidInput(
                "days-reversed", "The first day is later than the last.", pointer="/query/from"
            )
        await caught_up(request, live, asked.wait_for)
        key = decode_cursor(request, asked.cursor, Annotated[datetime, msgspec.Meta(tz=True)], UUID)
        found = listing.seen_by(
            actor_of(request),
            body=asked.body,
            since=asked.since,
            until=asked.until,
            after=None if key is None else (key[0], key[1]),
        )
        wanted = (one for one in found if asked.state is None or one.state is asked.state)
        shown = list(islice(wanted, asked.limit + 1))
        more, shown = len(shown) > asked.limit, shown[: asked.limit]
        items = [MeetingListed(**{name: getattr(one, name) for name in _LISTED}) for one in shown]
        following = [instant_text(shown[-1].scheduled_at), str(shown[-1].id)] if more else None
        last = max((one.position for one in shown), default=0)
        return read_answer(request, page(items, following, request), position=live.position, told=last)

    @router.get(
        "/v1/meetings/{id}.ics",
        access=_READS,
        query=Now,
        answers=None,
        media_type="text/calendar",
        descriptions={200: "The meeting, as iCalendar."},
        tag="calendars",
    )
    async def get_meeting_calendar(request: Request, identifier: str, asked: Now) -> Response:
        """A meeting for a calendar program; asked for again, it says that it was moved or cancelled."""
        await caught_up(request, live, asked.wait_for)
        found = await meetings.find(identifier, actor_of(request))
        # The list may be a moment behind: it follows the log in order.
        await live.wait_for(found.position, LONGEST_WAIT)
        entry = listing.get(found.id)
        assert entry is not None
        return await calendars.answer(request, [entry], title="Bitácora", reader=actor_of(request))

    @router.get("/v1/meetings/{id}", access=_READS, query=PastView, answers=MEETING)
    async def get_meeting(request: Request, identifier: str, asked: PastView) -> Response:
        """A meeting as it is now, at a version, or as the log knew it at a moment.

        While it is still to be held, `proposals` are what its body left open, and are not part of a past view. Draft
        minutes and observations are for the centre of government and for those the minutes were sent to; sealed minutes
        for all who may know of the meeting.
        """
        await caught_up(request, live, asked.wait_for)
        actor = actor_of(request)
        known_at = asked.moment(meetings.clock, actor)
        found = await meetings.find(identifier, actor)
        state, position, left_open = found, meetings.reflected(found), None
        in_the_past = asked.version is not None or known_at is not None
        if in_the_past:
            view = await meetings.as_it_was(found.id, version=asked.version, known_at=known_at)
            state, position = view.state, view.position
        elif found.state in AHEAD:
            left_open = [one for _, one in proposals.of(found.body, actor)]
        document = meeting_document(
            state, day_of, drafts_open=found.drafts_open_to(actor), proposals=left_open
        )
        return await show(
            request,
            Document(MEETING, encoded(document)),
            readers_of,
            version=state.version,
            position=position,
            told=state.position,
            quarantined=state.quarantined,
            whole=whole(found, actor),
            # What is left open changes without the meeting, and who may read a draft without that version.
            unchanged=lambda: left_open is None and not in_the_past,
        )

    one.history(
        doc="Everything that was recorded of a meeting, in order; what drafts said only for those who may read drafts."
    )

    # --- before it is held, and its course ---------------------------------------------------------------------------

    one.fact(
        "agenda-revisions",
        AgendaAgreed,
        meetings.informed(Meeting.revise_agenda),
        access=_CONVENES,
        request=_AGENDA,
        largest_body=ROOMY,
        recorded_as=(AgendaRevised,),
    )
    one.fact("reschedulings", MeetingRescheduled, meetings.informed(Meeting.reschedule), access=_CONVENES)
    one.fact("cancellations", MeetingCancelled, meetings.informed(Meeting.cancel), access=_CONVENES)
    one.fact(
        "attendance",
        MeetingHeld,
        meetings.informed(Meeting.hold),
        access=Access(frozenset({Role.DCI}), if_match="required"),
        request=_ATTENDANCE,
        recorded_as=(AttendanceCorrected,),
    )
    one.fact(
        "publications",
        MeetingPublished,
        meetings.publish,
        access=Access(frozenset({Role.DCI}), if_match="required", note="with its decisions and action items"),
    )

    # --- minutes -----------------------------------------------------------------------------------------------------

    one.fact(
        "minutes",
        MinutesDrafted,
        meetings.informed(Meeting.draft_minutes),
        access=_WRITES,
        largest_body=ROOMY,
        tells={"number": "draft"},
        tag="minutes",
    )
    pages = MinutesPages(meetings.clock.zone)

    def minutes_as(form: str, media_type: str) -> None:
        async def endpoint(request: Request, identifier: str, asked: MinutesAsked) -> Response:
            await caught_up(request, live, asked.wait_for)
            actor = actor_of(request)
            found = await meetings.find(identifier, actor)
            document = meeting_document(found, day_of, drafts_open=found.drafts_open_to(actor))
            if document.minutes is None:  # type: ignore[attr-defined]
                raise NotFound("no-minutes", "There are no minutes of this meeting, or none yet for you.")
            shown = await as_shown(
                Document(MEETING, encoded(document)), actor, readers_of, whole(found, actor)
            )
            meeting, lang = msgspec.json.decode(shown), spoken_in(request)
            body = None if meeting["body"] is None else await bodies.by_code(meeting["body"])
            name = None if body is None else body.description.name
            page = await run_in_threadpool(pages.page, meeting, name, lang)
            headers = {
                "ETag": f'"{blake2b(page, digest_size=12).hexdigest()}-{form}"',
                "Log-Position": str(meetings.reflected(found) if reads_everything(actor) else found.position),
                "Vary": "Accept-Language",
                "Content-Language": lang,
                "Content-Security-Policy": SELF_CONTAINED,
                "Content-Disposition": f'inline; filename="{_file_name(meeting, meetings.clock)}.{form}"',
            }
            if found.quarantined:
                headers[QUARANTINED] = str(found.quarantined)
            held = not_modified(request, headers["ETag"], position=int(headers["Log-Position"]))
            if held is not None:
                return held
            return Response(page if form == "html" else await press.pdf_of(page), 200, headers, media_type)

        router.get(
            f"/v1/meetings/{{id}}/minutes.{form}",
            access=_READS,
            query=MinutesAsked,
            answers=None,
            media_type=media_type,
            name=f"get_minutes_{form}",
            doc=_MINUTES_AS[form],
            descriptions={200: "The minutes, sealed or as last drafted."},
            tag="minutes",
        )(endpoint)

    minutes_as("html", "text/html")
    minutes_as("pdf", PDF)

    one.fact(
        "circulations",
        MinutesCirculated,
        meetings.informed(Meeting.circulate),
        access=_WRITES,
        tag="minutes",
    )
    one.fact(
        "observations",
        ObservationRaised,
        Meeting.observe,
        access=Access(
            frozenset({Role.DCI, Role.MINISTRY, Role.DIPRES, Role.ADVISORY}),
            own_organization=frozenset({Role.MINISTRY, Role.DIPRES, Role.ADVISORY}),
            if_match="required",
            note="those the minutes were sent to",
        ),
        tells={"number": "number"},
        tag="minutes",
    )
    one.fact(
        "observations/{n}/answers",
        ObservationAnswered,
        meetings.informed(Meeting.answer_observation),
        access=_WRITES,
        path_fields={"n": "number"},
        tag="minutes",
    )

    @router.post(
        "/v1/meetings/{id}/approvals",
        access=Access(
            CONVENERS, if_match="required", note="never the author of the draft; advisory: bilaterals"
        ),
        body=ApprovalRequest,
        body_required=False,
        answers=one.written(
            digest=str,
            decisions=list[DecisionNumber],
            action_items=list[ActionItemId],
            recipients_missing=list[_SEAT],  # type: ignore[valid-type]
        ),
        tag="minutes",
    )
    async def approve_minutes(request: Request, identifier: str, _: ApprovalRequest | None) -> Response:
        """Approves and seals the minutes: decisions are numbered, and action items assigned, all at once.

        `recipients_missing` are those that the protocol in force on the day of the meeting names and that were not sent
        this text. Where it requires them, all but those with a `condition` have to have been sent it.
        """
        found = await meetings.find(identifier, actor_of(request))
        command = await command_of(request, found.id)
        context = meetings.context(command)
        outcome = await meetings.change(found.id, lambda current: meetings.approve(current, context), command)
        told = {name: name for name in ("digest", "decisions", "action_items", "recipients_missing")}
        return await one.answer(request, outcome, found, told)

    one.fact(
        "errata",
        ErratumAdded,
        meetings.add_erratum,
        access=_WRITES,
        tells={"number": "number"},
        tag="minutes",
    )

    one.retractions(
        MeetingFactRetracted,
        access=Access(
            frozenset({Role.DCI, Role.MINISTRY, Role.DIPRES}),
            own_organization=frozenset({Role.MINISTRY, Role.DIPRES}),
            if_match="required",
            note="until the minutes are approved; others than the unit what they recorded themselves",
        ),
    )

    # --- what bodies left open, and their calendars ------------------------------------------------------------------

    @router.get(
        "/v1/bodies/{code}/agenda-proposals",
        access=Access(EVERYONE, note=OWN, log_position=True),
        query=Paged,
        answers=page_of(Proposal),
        tag="bodies",
    )
    async def list_agenda_proposals(request: Request, code: str, asked: Paged) -> Response:
        """What is to be dealt with on the next agenda: first the action items still owed, by the day they are due.

        Then come the decisions that the budget office disputes, or of whose cost it has said nothing, by the day they
        were taken; what the body postponed; and what others referred to it. Both stay until sealed minutes of the body
        say that an item of its agenda took them up and ended them otherwise than `postponed`.
        """
        await caught_up(request, live, asked.wait_for)
        actor = actor_of(request)
        found = await bodies.find(code, actor)
        body = page_after(
            request,
            proposals.of(found.code, actor),
            lambda pair: pair[0],
            lambda pair: pair[1],
            cursor=asked.cursor,
            limit=asked.limit,
        )
        return read_answer(request, body, position=live.position, told=found.position)

    @router.get(
        "/v1/bodies/{code}/calendar.ics",
        access=Access(EVERYONE, note=OWN, etag=True, log_position=True),
        query=Now,
        answers=None,
        media_type="text/calendar",
        descriptions={200: "The meetings you may know of, as iCalendar."},
        tag="calendars",
    )
    async def get_body_calendar(request: Request, code: str, asked: Now) -> Response:
        """The meetings of a body for a calendar program: past, to come, and cancelled ones as such."""
        await caught_up(request, live, asked.wait_for)
        actor = actor_of(request)
        found = await bodies.find(code, actor)
        meetings = list(listing.seen_by(actor, body=found.code))
        return await calendars.answer(request, meetings, title=found.description.name, reader=actor)

    return router


def _is_draft(event: type[Event], data: Any, approved: int | None) -> bool:
    """Whether an event tells what a draft says that was not approved, or what somebody had to say of one."""
    if event is MinutesDrafted:
        return bool(data.get("draft") != approved)
    return event in (ObservationRaised, ObservationAnswered)


# --- refusals --------------------------------------------------------------------------------------------------------

ERRORS: Catalogue = {
    "no-minutes": Explained(
        404,
        "No minutes",
        "There are none yet; drafts are for the centre of government and those they were sent to.",
    ),
    # meetings
    "not-a-bilateral": Explained(
        403,
        "Not a bilateral",
        "The advisory unit convenes bilaterals and approves their minutes; other meetings are the unit's.",
    ),
    "unknown-meeting": Explained(
        404, "Unknown meeting", "There is no meeting by this id, or none you may know of."
    ),
    "meeting-cancelled": Explained(
        409,
        "Meeting cancelled",
        "Nothing more happens to it, but that others may come to know of it: convene another.",
    ),
    "unknown-decision-taken-up": Explained(
        422,
        "Unknown decision taken up",
        "An item of an agenda takes up decisions that were agreed: give numbers.",
    ),
    "unknown-postponed-item": Explained(
        422,
        "Unknown postponed item",
        "`postponed` names an item of sealed minutes of the same body that ended `postponed`, by the meeting and its "
        "place in the minutes: the proposals for the next agenda have it as it is to be given.",
    ),
    "internal-on-misplaced": Explained(
        422,
        "Internal day beside the internal deadline",
        "`internal_on` goes with a revision of the public deadline; one of the internal deadline says its day as `on`.",
    ),
    "internal-after-public": Explained(
        409,
        "Internal deadline after the public one",
        "The internal deadline warns ahead of the public one: it falls on the same day at the latest. A revision of "
        "the public one takes an `internal_on`, which moves both.",
    ),
    "unknown-body-referred-to": Explained(
        422,
        "Unknown body referred to",
        "`body` is the code of a body on record. To whom else a matter goes, `to` says in other words.",
    ),
    "unknown-action-item-taken-up": Explained(
        422,
        "Unknown action item taken up",
        "An item of an agenda takes up action items on record: give their ids.",
    ),
    "meeting-of-another-circle": Explained(
        409,
        "Meeting of another circle",
        "The body was opened to others, or closed to some, since the meeting was convened. Its minutes can be approved "
        "without decisions; or describe the body as it was, as long as it has no numbered decisions.",
    ),
    "held-after-due-day": Explained(
        422,
        "Held after something was due",
        "The minutes ask for something by an earlier day than the meeting would have been held: draft them anew first.",
    ),
    "held-after-circulation": Explained(
        422,
        "Held after its minutes were sent",
        "A meeting was held no later than its minutes were first sent out.",
    ),
    "attendance-unchanged": Explained(409, "Attendance unchanged", "It was noted just like this already."),
    "meeting-already-held": Explained(
        409,
        "Meeting already held",
        "Agenda, time and place are settled before a meeting is held, and it is called off before. Its attendance "
        "may be told anew with a `reason` until the minutes are approved.",
    ),
    "meeting-not-held": Explained(409, "Meeting not held", "Record its attendance first."),
    "meeting-without-agenda": Explained(
        409, "Meeting without an agenda", "Put on the agenda what was dealt with; then record the attendance."
    ),
    "agenda-unchanged": Explained(
        409, "Agenda unchanged", "The agenda already reads like this, or was agreed with them already."
    ),
    "appointment-unchanged": Explained(
        409, "Appointment unchanged", "A rescheduling names another time or another place."
    ),
    "visibility-unchanged": Explained(409, "Visibility unchanged", "It has this visibility already."),
    "narrower-than-convened": Explained(
        409,
        "Narrower than at first",
        "What was open from the start is never hidden: the gap in the numbers would tell that it is there.",
    ),
    "narrower-than-meeting": Explained(
        409,
        "Narrower than its meeting",
        "The minutes of its meeting hold the decision: whoever may read them may know of it.",
    ),
    "no-such-body": Explained(422, "No such body", "`body` is the code of a body on record."),
    "agenda-empty": Explained(422, "Empty agenda", "An agenda that is agreed has at least one item."),
    "agenda-misnumbered": Explained(
        422, "Agenda misnumbered", "The items of an agenda are numbered in order from 1."
    ),
    "duration-impossible": Explained(422, "Impossible duration", "An item takes from 1 to 1440 minutes."),
    "ends-before-start": Explained(422, "Ends before it begins", "Give an end after the beginning, or none."),
    "instant-in-future": Explained(422, "Moment in the future", "What was held was held before now."),
    "nobody-attended": Explained(
        422, "Nobody attended", "Name at least one attendee who is present or represented."
    ),
    "representative-misplaced": Explained(
        422,
        "Representative misplaced",
        "`represented_by` says who stood in for somebody whose presence is `represented`, and only then.",
    ),
    "full-rights-for-issues": Explained(
        422, "Full rights for single issues", "`agenda_items` is for those whose rights are `invited`."
    ),
    "unknown-agenda-item": Explained(
        422, "Unknown agenda item", "Items are named by their number on the meeting's agenda."
    ),
    "days-reversed": Explained(422, "Days reversed", "`from` must not be later than `to`."),
    # minutes
    "not-a-recipient": Explained(
        403,
        "Not a recipient",
        "Observations are for the organisations the minutes were sent to, and for the unit.",
    ),
    "observation-not-found": Explained(
        404, "No such observation", "Observations are numbered from 1 within their meeting."
    ),
    "minutes-not-drafted": Explained(
        409, "Minutes not drafted", "There are no minutes yet: draft them first."
    ),
    "recipients-not-sent": Explained(
        409,
        "Recipients not sent the minutes",
        "The protocol of this body requires the minutes to be sent to the recipients it names: circulate the present "
        "draft to those that are missing, then approve it.",
    ),
    "minutes-not-circulated": Explained(
        409, "Minutes not circulated", "The present draft is not before anybody: circulate it first."
    ),
    "minutes-approved": Explained(
        409, "Minutes approved", "Approved minutes are sealed: add an erratum beside the text."
    ),
    "minutes-not-approved": Explained(
        409, "Minutes not approved", "Errata are for sealed minutes: draft these anew instead."
    ),
    "already-circulated": Explained(
        409, "Already circulated", "These recipients had all been sent this draft by that day."
    ),
    "erratum-already-added": Explained(
        409, "Erratum already added", "An erratum says so already, of the same place."
    ),
    "draft-unchanged": Explained(409, "Draft unchanged", "The minutes already read like this."),
    "approver-is-author": Explained(
        409,
        "Approver is the author",
        "The protocol of this body asks for four eyes: whoever wrote the draft or told who came leaves the approval to "
        "somebody else.",
    ),
    "observation-open": Explained(
        409, "Observation open", "Answer every observation before the minutes are approved."
    ),
    "observation-already-answered": Explained(
        409, "Observation already answered", "An observation is answered once."
    ),
    "accepted-observation-pending": Explained(
        409,
        "Accepted observation pending",
        "What was accepted must be in the minutes: draft them anew or correct the attendance, and circulate them.",
    ),
    "body-only-refers": Explained(
        409,
        "Body only refers",
        "This body takes no binding decisions: its decisions are of the kind `refer`. Whether it decides is a setting "
        "of the body.",
    ),
    "date-before-meeting": Explained(
        422,
        "Before the meeting",
        "Minutes are sent out on the day of the meeting or after it, and up to today.",
    ),
    "recipients-missing": Explained(422, "Recipients missing", "Say whom the minutes are sent to."),
    "minutes-empty": Explained(422, "Empty minutes", "Minutes tell of at least one item."),
    "agenda-item-twice": Explained(
        422, "Agenda item twice", "Each item of the agenda is told of once in the minutes."
    ),
    "item-says-nothing": Explained(
        422,
        "Item says nothing",
        "Give an item a `summary`, an `outcome`, or the outcome in its source's words.",
    ),
    "decision-without-commitment": Explained(
        422, "Decision without a commitment", "This kind of decision names in `commitments` what it is about."
    ),
    "budget-impact-required": Explained(
        422, "Budget impact required", "A decision of the kind `budget` has a `budget_impact`."
    ),
    "effect-required": Explained(
        422,
        "Effect required",
        "This kind of decision says in `effect` what it does, in the member of its kind.",
    ),
    "effect-of-another-kind": Explained(
        422,
        "Effect of another kind",
        "`effect` holds the member that the kind of decision asks for, and no other.",
    ),
    "merged-into-itself": Explained(
        422,
        "Merged into itself",
        "`commitments` are those that are merged; the one in which they go on is named in the effect alone.",
    ),
    "split-of-one": Explained(
        422,
        "Split of one",
        "A decision splits one commitment: name it alone, and the others in decisions of their own.",
    ),
    "split-too-few": Explained(422, "Too few parts", "A split makes at least two parts."),
    "completed-after-meeting": Explained(
        422,
        "Completed after the meeting",
        "A meeting cannot find that something was kept by a day still to come.",
    ),
    "organization-outside-circle": Explained(
        422,
        "Organisation outside the circle",
        "The decisions of a reserved meeting concern organisations that may know of it. For others, register a body "
        "that includes them.",
    ),
    "due-before-meeting": Explained(
        422, "Due before the meeting", "An action item is due on the day of the meeting or after it."
    ),
    "unknown-decision-of-item": Explained(
        422, "Unknown decision of the item", "`decision` counts the decisions of the same item from 1."
    ),
    "erratum-misquotes": Explained(
        422, "Erratum misquotes", "`reads` is found word for word in the place the erratum is about."
    ),
    "erratum-changes-nothing": Explained(
        422, "Erratum changes nothing", "`should_read` differs from `reads`."
    ),
    "decision-of-another-meeting": Explained(
        422, "Decision of another meeting", "`decision` is the number of a decision of this meeting."
    ),
    # any of them
    "date-in-future": Explained(422, "Day in the future", "Facts take effect on a day up to today."),
    "reason-required": Explained(422, "Reason required", "Say why, in words somebody can read years later."),
    "text-required": Explained(422, "Text required", "A blank text says nothing."),
    "named-twice": Explained(422, "Named twice", "A list names each thing once."),
    "unknown-organization": Explained(
        422,
        "Unknown organisation",
        "Register the organisation first, with the commitments service: `PUT /v1/organizations/{code}`.",
    ),
}
