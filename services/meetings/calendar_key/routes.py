"""The routes of calendar keys: addresses that open one calendar for a program that cannot show who asks."""

from __future__ import annotations

from typing import Annotated, Any, Final, cast
from urllib.parse import quote
from uuid import UUID

import msgspec
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from services.meetings.body.repository import Bodies, Directory
from services.meetings.calendar_key.model import CalendarKey
from services.meetings.calendar_key.repository import CalendarKeys
from services.meetings.meeting.calendars import Calendars
from services.meetings.meeting.listing import MeetingList
from shared.aggregate.index import Index
from shared.errors import NotFound
from shared.eventlog.codec import instant_text
from shared.eventlog.live import LiveLog
from shared.events.identity import CalendarKeyIssued, CalendarKeyRevoked
from shared.events.streams import stream_of
from shared.http.catalogue import Catalogue, Explained
from shared.http.context import actor_of, address_within, path_within
from shared.http.description import Listed
from shared.http.pagination import page_after
from shared.http.problems import RequestProblemError
from shared.http.rate_limits import Buckets
from shared.http.requests import request_of
from shared.http.resource import Now, caught_up, command_of
from shared.http.responses import InstantText, page_of, read_answer, written_answer
from shared.http.routing import Router
from shared.identity.access import EVERYONE, Access
from shared.identity.actor import Actor
from shared.identity.keys import CALENDAR_PREFIX, generate_key, is_secret, must_expire, parts_of

MOST_A_MINUTE: Final = 30
"""How often one address is answered in a minute; a calendar program asks every hour."""
_OWN: Final = "only the keys that one asked for; administrators, all"


class CalendarKeyWritten(msgspec.Struct, kw_only=True):
    """A calendar key was taken back."""

    id: Annotated[
        UUID, Field(description="The id of its stream in the log; it names the key in a path, too.")
    ]
    key_id: str
    version: int
    position: int


class CalendarKeyMade(CalendarKeyWritten, kw_only=True):
    """A calendar key was made. Keep `address` now: it is not stored, and the answer to a repeated request has none."""

    address: Annotated[
        str | msgspec.UnsetType,
        Field(description="Where a calendar program subscribes; whoever knows it reads the calendar."),
    ] = msgspec.UNSET


class CalendarKeyRevocation(msgspec.Struct, kw_only=True):
    """Who took a calendar key back, when and why."""

    reason: str
    recorded_by: Actor
    recorded_at: InstantText


class CalendarKeyDocument(msgspec.Struct, kw_only=True):
    """A calendar key on record, without its secret."""

    id: UUID
    key_id: str
    body: str
    description: str | None
    recorded_by: Annotated[Actor, Field(description="Who asked for it; it shows what they may know of.")]
    issued_at: InstantText
    expires_at: InstantText
    revocation: CalendarKeyRevocation | None
    version: int
    position: int


def _document(key: CalendarKey) -> CalendarKeyDocument:
    revoked = key.revocation
    return CalendarKeyDocument(
        id=key.id,
        key_id=key.issued.key_id,
        body=key.issued.body,
        description=key.issued.description,
        recorded_by=key.reader,
        issued_at=instant_text(key.began_at),
        expires_at=instant_text(key.issued.expires_at),
        revocation=revoked
        and CalendarKeyRevocation(
            reason=revoked.event.reason,
            recorded_by=revoked.recorded_by,
            recorded_at=instant_text(revoked.recorded_at),
        ),
        version=key.version,
        position=key.position,
    )


def calendar_key_routes(
    live: LiveLog, directory: Directory, bodies: Bodies, listing: MeetingList, calendars: Calendars
) -> Router:
    """Every route of calendar keys."""
    router = Router(
        "calendars",
        key_id=Annotated[str, Field(description="The `key_id`, or the `id`.")],
        secret=Annotated[str, Field(description="What was told once, when the key was made.")],
    )
    keys = CalendarKeys(live)
    index: Index[CalendarKey] = Index(live, CalendarKey, key=lambda key: key.issued.key_id)
    asked_by_key = Buckets(MOST_A_MINUTE)

    @router.post(
        "/v1/bodies/{code}/calendar-keys",
        access=Access(EVERYONE, note="of a body that one may know of"),
        body=request_of(
            CalendarKeyIssued,
            without=("key_id", "secret_sha256", "body"),
            name="CalendarKeyRequest",
            doc="Until when an address opens the calendar of a body.",
        ),
        answers=CalendarKeyMade,
    )
    async def issue_calendar_key(request: Request, code: str, body: Any) -> Response:
        """Makes an address under which a calendar program reads the calendar of a body, and tells it this once.

        It shows the meetings that whoever asked for it may know of when it is read, and nothing else. Only a hash of
        its secret is stored. A request repeated with its `Idempotency-Key` is answered with the same key and without
        the address: if the first answer was lost, revoke that key and make another.
        """
        actor = actor_of(request)
        found = await bodies.find(code, actor)
        new = generate_key(CALENDAR_PREFIX)
        proposed = body.struct(key_id=new.key_id, secret_sha256=new.secret_sha256, body=found.code)
        command = await command_of(request)

        def decide() -> CalendarKeyIssued:
            must_expire(proposed.expires_at, live.clock.now())
            return cast(CalendarKeyIssued, proposed)

        outcome = await keys.create(stream_of("calendar-key", new.key_id), decide, command)
        first = await keys.last_event(outcome)
        assert isinstance(first, CalendarKeyIssued)
        told: dict[str, Any] = {"key_id": first.key_id}
        if not outcome.replayed:
            here = address_within(request)
            within = here.path.removesuffix(path_within(request.scope))
            told["address"] = str(here.replace(path=f"{within}/v1/calendars/{new.presented}.ics", query=""))
        answer = written_answer(request, outcome, f"/v1/calendar-keys/{first.key_id}", **told)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @router.get(
        "/v1/calendar-keys",
        access=Access(EVERYONE, note=_OWN, log_position=True),
        query=Listed,
        answers=page_of(CalendarKeyDocument),
    )
    async def list_calendar_keys(request: Request, asked: Listed) -> Response:
        """The calendar keys that one asked for, those expired and taken back among them."""
        await caught_up(request, live, asked.wait_for)
        actor = actor_of(request)
        body = page_after(
            request,
            [key for key in index.all() if key.is_of(actor)],
            lambda key: [key.began_position],
            _document,
            cursor=asked.cursor,
            limit=asked.limit,
            total=bool(asked.include),
        )
        return read_answer(request, body, position=live.position)

    @router.get(
        "/v1/calendar-keys/{key_id}",
        access=Access(EVERYONE, note=_OWN, etag=True, log_position=True),
        query=Now,
        answers=CalendarKeyDocument,
    )
    async def get_calendar_key(request: Request, key_id: str, asked: Now) -> Response:
        """One calendar key, with who took it back."""
        await caught_up(request, live, asked.wait_for)
        key = await keys.find(key_id, actor_of(request))
        return read_answer(request, _document(key), version=key.version, position=keys.reflected(key))

    @router.post(
        "/v1/calendar-keys/{key_id}/revocations",
        access=Access(EVERYONE, if_match="optional", note=_OWN),
        body=request_of(
            CalendarKeyRevoked,
            without=("key_id",),
            name="CalendarKeyRevocationRequest",
            doc="Why an address is to open its calendar no more.",
        ),
        answers=CalendarKeyWritten,
    )
    async def revoke_calendar_key(request: Request, key_id: str, body: Any) -> Response:
        """Takes a calendar key back: within moments its address is that of nothing."""
        key_id = (await keys.find(key_id, actor_of(request))).issued.key_id
        command = await command_of(request)
        revoked = body.struct(key_id=key_id)
        outcome = await keys.change(
            stream_of("calendar-key", key_id),
            lambda key: key.revoke(revoked, keys.context(command)),
            command,
        )
        return written_answer(request, outcome, f"/v1/calendar-keys/{quote(key_id)}", key_id=key_id)

    @router.get(
        "/v1/calendars/{secret}.ics",
        access=Access(
            EVERYONE, anonymous=True, note="whoever knows the address", etag=True, log_position=True
        ),
        query=Now,
        answers=None,
        media_type="text/calendar",
        descriptions={200: "The meetings that whoever asked for the address may know of, as iCalendar."},
    )
    async def get_shared_calendar(request: Request, secret: str, asked: Now) -> Response:
        """The calendar that an address opens. One that never was, has expired or was taken back is that of nothing."""
        key_id, presented = parts_of(secret, CALENDAR_PREFIX)
        key = index.get(key_id)
        matches = is_secret(presented, None if key is None else key.issued.secret_sha256)
        if key is None or not matches or key.revocation or live.clock.now() >= key.issued.expires_at:
            raise _no_calendar()
        _must_not_ask_too_often(asked_by_key, key_id)
        await caught_up(request, live, asked.wait_for)
        reader = directory.organizations_by_day.with_heritage(key.reader)
        try:
            body = await bodies.find(key.issued.body, reader)
        except NotFound as error:  # hidden since from whoever asked for the address
            raise _no_calendar() from error
        meetings = list(listing.seen_by(reader, body=body.code))
        return await calendars.answer(request, meetings, title=body.description.name, reader=reader)

    return router


def _no_calendar() -> NotFound:
    return NotFound("unknown-calendar", "There is no calendar here, or none any more.")


def _must_not_ask_too_often(asked: Buckets, key_id: str) -> None:
    taken = asked.take(key_id)
    if not taken.granted:
        raise RequestProblemError(
            "too-many-requests",
            f"More than {MOST_A_MINUTE} requests a minute for one calendar.",
            headers={"Retry-After": str(int(taken.next_after) + 1)},
        )


ERRORS: Catalogue = {
    "unknown-calendar-key": Explained(
        404, "Unknown calendar key", "You asked for no calendar key of this id."
    ),
    "key-already-revoked": Explained(409, "Key already revoked", "The key was taken back before."),
    "unknown-calendar": Explained(
        404,
        "No calendar",
        "The address opens no calendar: it never did, has expired, or was taken back. Make another one.",
    ),
}
