"""The feed: the log as it is stored, in order, to be read from any position on."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Annotated, Final

import msgspec
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from services.reporting.queries.moments import to_come
from services.reporting.routes.asking import LARGEST_POSITION, Position, Reporting
from shared.errors import CorruptEvent, InvalidInput, Unavailable
from shared.eventlog.codec import decode, identity_of
from shared.eventlog.envelope import Bookmark
from shared.eventlog.live import LiveLog
from shared.eventlog.store import LogWentBack, Store
from shared.events.registry import EVENT_TYPES
from shared.http.routing import Query, Router, still_admitted
from shared.identity.access import Access
from shared.identity.actor import Role

CHUNK: Final = 2_000
"""Events read at once, at most; the next ones are read when the client has taken these."""
PIECE: Final = 500_000
"""Bytes to aim at in what is read at once: so much, a few times over, is all that a client who takes nothing costs."""
FIRST: Final = 200
"""Events read at first, when nothing is known yet of how long they are."""
JSON_LINES: Final = "application/jsonl"
EVENT_STREAM: Final = "text/event-stream"

FEED_READERS: Final = frozenset({Role.AUDITOR, Role.ADVISORY, Role.DCI, Role.ADMIN})
_WHOLE_LOG: Final = Access(FEED_READERS, note="the whole log, as it is stored", log_position=True)


class EventsQuery(Query):
    """Which part of the log."""

    after: Annotated[Position, Field(description="Events beyond this position.")] = 0
    after_identity: Annotated[
        str | None,
        Field(
            max_length=64,
            description="Which event you have read at `after`: its `nonce`, or, if it has none, the SHA-256 of its "
            "line in hexadecimal. Refused where the log holds another there.",
        ),
    ] = None
    limit: Annotated[int | None, Field(ge=1, le=LARGEST_POSITION, description="At most so many events.")] = (
        None
    )
    types: Annotated[
        str | None, Field(max_length=4_000, description="Only these types of events, separated by commas.")
    ] = None


class _Typed(msgspec.Struct):
    type: str


_type_of = msgspec.json.Decoder(_Typed).decode


def event_routes(reporting: Reporting) -> Router:
    """The route of the feed."""
    router = Router("events", "The event log itself.")
    live, keep_alive = reporting.live, reporting.keep_alive

    @router.get(
        "/v1/events",
        access=_WHOLE_LOG,
        answers=None,
        query=EventsQuery,
        media_type=JSON_LINES,
        descriptions={
            200: "One stored event a line; or, with `Accept: text/event-stream`, one a message, without end."
        },
    )
    async def list_events(request: Request, query: EventsQuery) -> Response:
        """Every event beyond a position, in order, byte for byte as it is stored.

        As JSON Lines the answer ends at `limit`, or at the position the log has reached by now, which is
        `Log-Position`. As server-sent events it goes on: `id` is the position and `event` the type, and `Last-Event-ID`
        takes it up again. It ends when the key is revoked or the token expires, and when the service stops. A position
        that the log has not reached is refused: who waits there has read another log. So is one where the log holds
        another event than the asker has read, if that says which (`after_identity`, or `Last-Event-ID:
        <position>-<identity>`). When the log goes back while it is read, the answer breaks off. Before an event that
        cannot be read it ends, a stream with a comment that names the position; who asks on from there is told
        `event-unreadable`, until it is mended or put aside.
        """
        wanted, follows = _types(query.types), EVENT_STREAM in request.headers.get("accept", "")
        after, identity, named = query.after, query.after_identity, "/query/after"
        last_event_id = request.headers.get("last-event-id")
        if follows and last_event_id is not None:
            named = "/header/Last-Event-ID"
            after, identity = _last_event(last_event_id)
        head = await run_in_threadpool(live.store.head)
        present = await run_in_threadpool(live.store.identity_at, after)
        if after > head or present is None:
            raise to_come(named)
        if identity is not None and identity != present:
            raise InvalidInput(
                "feed-of-another-log", "The log holds another event there than you have read.", pointer=named
            )
        known = Bookmark(after, present)
        # Once the answer has begun it cannot be a problem any more.
        _found, unreadable = await run_in_threadpool(_beyond, live.store, known, after, 1, head, wanted)
        if unreadable is not None:
            live.met_unreadable(unreadable)
            raise unreadable
        headers = {"Log-Position": str(head), "Cache-Control": "no-store"}
        if follows:
            headers["X-Accel-Buffering"] = "no"
            messages = _messages(
                live, known, query.limit, wanted, keep_alive, partial(still_admitted, request)
            )
            return StreamingResponse(reporting.counted(messages), headers=headers, media_type=EVENT_STREAM)
        lines = _lines(live, known, head, query.limit, wanted)
        return StreamingResponse(lines, headers=headers, media_type=JSON_LINES)

    return router


async def _lines(
    live: LiveLog, known: Bookmark, head: int, limit: int | None, types: list[str]
) -> AsyncIterator[bytes]:
    left, size = head if limit is None else limit, FIRST
    while left > 0:
        size = min(size, left)
        found, unreadable = await run_in_threadpool(
            _beyond, live.store, known, known.position, size, head, types
        )
        if found:
            yield (chunk := b"\n".join([*(line for _, line in found), b""]))
            known = _last_of(found)
        if unreadable is not None:
            live.met_unreadable(unreadable)
        if len(found) < size:
            return
        left -= size
        size = _fitting(len(found), len(chunk))


def _fitting(count: int, length: int) -> int:
    """How many events to read next, when so many came to that length."""
    return max(1, min(CHUNK, count * PIECE // length))


def _beyond(
    store: Store, known: Bookmark, after: int, size: int, head: int, types: list[str]
) -> tuple[list[tuple[int, bytes]], CorruptEvent | None]:
    """The next events beyond a position, up to one that cannot be read, and that one.

    They are of the log in which an earlier one is known: LogWentBack if it is another.
    """
    found = store.read(after, size, upto=head, types=types)
    store.must_hold(known)
    for index, (position, line) in enumerate(found):
        try:
            decode(line, position)
        except CorruptEvent as error:
            return found[:index], error
    return found, None


def _last_of(found: list[tuple[int, bytes]]) -> Bookmark:
    position, line = found[-1]
    return Bookmark(position, identity_of(line))


async def _messages(
    live: LiveLog,
    known: Bookmark,
    limit: int | None,
    types: list[str],
    keep_alive: float,
    admitted: Callable[[], Awaitable[bool]],
) -> AsyncIterator[bytes]:
    left, size = LARGEST_POSITION if limit is None else limit, FIRST
    after = known.position
    asked_at = time.monotonic()
    yield b": the log follows\n\n"
    silent = False
    while True:
        # A stream outlives a key or a token by as much as a silence may last, be it silent or not.
        if time.monotonic() - asked_at >= keep_alive:
            if not await admitted():
                yield b": your credentials are not valid any more\n\n"
                return
            asked_at = time.monotonic()
        if silent:
            yield b": still here\n\n"
            silent = False
        size = min(size, left)
        try:
            head = await run_in_threadpool(live.store.head)
            found, unreadable = await run_in_threadpool(_beyond, live.store, known, after, size, head, types)
        except LogWentBack:
            return  # whoever takes it up again is told
        if found:
            yield (piece := b"".join([_message(position, line) for position, line in found]))
            known = _last_of(found)
        if unreadable is not None:
            live.met_unreadable(unreadable)
            yield b": event-unreadable: the event at position %d cannot be read\n\n" % unreadable.position
            return
        left -= len(found)
        if left <= 0:
            return
        if len(found) == size:
            after, size = known.position, _fitting(size, len(piece))
            continue
        after = max(after, head)
        try:
            await live.wait_for(after + 1, keep_alive)
        except Unavailable as error:
            if error.code in {"shutting-down", "log-went-back"}:
                return
            silent = True


def _message(position: int, line: bytes) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (position, _type_of(line).type.encode(), line)


def _types(text: str | None) -> list[str]:
    if text is None:
        return []
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in EVENT_TYPES]
    if unknown:
        raise InvalidInput(
            "event-type-unknown",
            "There is no such type of event in the published language.",
            pointer="/query/types",
        )
    return names


def _last_event(text: str) -> tuple[int, str | None]:
    """The position in a Last-Event-ID, and the identity of the event where it names that too."""
    position, hyphen, identity = text.partition("-")
    if not position.isascii() or not position.isdigit() or len(position) > 16:
        raise InvalidInput(
            "last-event-id-invalid",
            "Last-Event-ID is a position of the log.",
            pointer="/header/Last-Event-ID",
        )
    return int(position), identity if hyphen else None
