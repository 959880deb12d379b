"""The board, and what changed on it."""

from __future__ import annotations

from datetime import date
from hashlib import blake2b
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.api.access import ACCESS
from services.reporting.api.answers import BoardAnswer, ChangesAnswer
from services.reporting.api.filters import GroupBy, filters, group_names
from services.reporting.api.questions import (
    KnownAt,
    Position,
    Question,
    WaitFor,
    asker_of,
    heading,
    question,
    reporting_of,
)
from services.reporting.queries.board import (
    Board,
    Change,
    Filters,
    board_as_of,
    changes_between,
    grouped_board_as_of,
)
from services.reporting.queries.moments import AsOf
from services.reporting.reading import Reading
from shared.errors import InvalidInput
from shared.http.answers import read_answer
from shared.http.pagination import DEFAULT_LIMIT, Cursor, Limit, decode_cursor, next_url
from shared.http.routing import service_router
from shared.http.schemas import CivilDay

router = service_router(ACCESS)

AskedQuestion = Annotated[Question, Depends(question)]
AskedFilters = Annotated[Filters, Depends(filters)]
Include = Annotated[Literal["total"] | None, Query(description="Adds how many items the whole list has.")]
FirstDay = Annotated[CivilDay, Query(alias="from", description="The earlier day.")]
LastDay = Annotated[CivilDay, Query(alias="to", description="The later day.")]

_encode = msgspec.json.Encoder().encode


@router.get("/v1/board", tags=["board"], response_model=BoardAnswer)
async def board(
    request: Request,
    asked: AskedQuestion,
    chosen: AskedFilters,
    group_by: GroupBy = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    include: Include = None,
) -> Response:
    """Where every commitment stood on a day, as the log knew it at a moment or a position.

    Without `group_by` the items are commitments in order of code; with it they are groups with their counts, all of
    them. `totals` counts everything the filters admit and the asker may see: `registered` is the sum of the six states
    and of what was merged into others. The same question by `on` and `position` has the same answer for ever.
    """
    reporting, scope = reporting_of(request), asker_of(request)
    groups = group_names(group_by)
    key = decode_cursor(request, cursor)
    if key is not None and groups:
        raise InvalidInput("cursor-with-groups", "A grouped board has no pages.", pointer="/query/cursor")
    after, asked = _going_on(key, asked)

    def answer(reading: Reading, at: AsOf) -> Board:
        if groups:
            return grouped_board_as_of(reading, at, scope, chosen, groups)
        return board_as_of(reading, at, scope, chosen, after=after, limit=limit)

    at, found = await reporting.ask(asked, answer)
    body = heading(at, scope) | {"totals": found.totals}
    if groups:
        body["group_by"] = groups
    if include == "total":
        body["total"] = len(found.items) if groups else found.totals.registered
    body["items"] = found.items
    body["next"] = next_url(request, [found.items[-1].code, *_pinned(at)]) if found.more else None
    return tagged_answer(request, body, at.position)


@router.get("/v1/board/changes", tags=["board"], response_model=ChangesAnswer)
async def board_changes(
    request: Request,
    first: FirstDay,
    last: LastDay,
    known_at: KnownAt = None,
    position: Position = None,
    wait_for: WaitFor = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """The commitments whose state on one day is not the one they had on an earlier day, both as known at one moment."""
    if first > last:
        raise InvalidInput("days-reversed", "The first day is later than the last.", pointer="/query/from")
    reporting, scope = reporting_of(request), asker_of(request)
    after, asked = _going_on(decode_cursor(request, cursor), Question(last, known_at, position, wait_for))

    def answer(reading: Reading, at: AsOf) -> tuple[list[Change], bool]:
        return changes_between(reading, at, first, scope, after=after, limit=limit)

    at, (items, more) = await reporting.ask(asked, answer)
    said = heading(at, scope)
    del said["on"]
    body = {"from": first, "to": last} | said
    body["items"] = items
    body["next"] = next_url(request, [items[-1].code, *_pinned(at)]) if more else None
    return tagged_answer(request, body, at.position)


def tagged_answer(request: Request, body: dict[str, Any], position: int) -> Response:
    """An answer under a tag made from its own bytes: the same answer has the same tag, wherever it comes from."""
    encoded = _encode(body)
    tag = blake2b(encoded, digest_size=12).hexdigest()
    return read_answer(request, encoded, etag=f'"{tag}"', position=position)


def _pinned(at: AsOf) -> list[str | int]:
    """What keeps the pages of one list together while the log grows and midnight passes."""
    return [at.on.isoformat(), at.position]


def _going_on(key: list[Any] | None, asked: Question) -> tuple[str | None, Question]:
    if key is None:
        return None, asked
    code, on, position = key
    return code, asked._replace(on=date.fromisoformat(on), known_at=None, position=position)
