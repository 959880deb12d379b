"""What the routes of this service take in the path and the query, and where they find the use cases."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, Protocol, TypeVar

from fastapi import Path, Query
from starlette.requests import Request

from services.meetings.application.action_items import ActionItems
from services.meetings.application.bodies import Bodies
from services.meetings.application.decisions import Decisions
from services.meetings.application.disclosures import Disclosures
from services.meetings.application.meetings import Meetings
from shared.http.pagination import page
from shared.http.records import LONGEST_WAIT
from shared.http.schemas import Instant

MeetingId = Annotated[str, Path(alias="id", description="The UUID of the meeting.")]
ActionItemId = Annotated[str, Path(alias="id", description="The UUID of the action item.")]
Number = Annotated[
    str, Path(alias="number", description="The number, or the UUID.", examples=["SOCIAL-2012-014"])
]
CodeOrId = Annotated[str, Path(alias="code", description="The code, or the UUID.", examples=["SOCIAL"])]
NewCode = Annotated[str, Path(description="The code it is known by, for ever.", examples=["SOCIAL"])]
Include = Annotated[
    list[Literal["total"]] | None, Query(description="`total`: say how many there are in all.")
]
WaitFor = Annotated[
    int | None,
    Query(
        ge=0,
        le=2**53,
        description=f"A `Log-Position`: the answer reflects it, or is 503 after {LONGEST_WAIT:g} seconds.",
    ),
]
Version = Annotated[int | None, Query(ge=1, le=2**31, description="As it was at this version.")]
KnownAt = Annotated[Instant | None, Query(description="As the log knew it at this moment.")]
T = TypeVar("T")


class Waits(Protocol):
    """Something kept true by the log."""

    async def wait_for(self, position: int, timeout: float) -> None:
        """Returns once everything up to a position is reflected."""


U = TypeVar("U", bound=Waits)


def bodies_of(request: Request) -> Bodies:
    """The use cases of the app that serves this request."""
    bodies: Bodies = request.scope["app"].state.bodies
    return bodies


def meetings_of(request: Request) -> Meetings:
    """The use cases of the app that serves this request."""
    meetings: Meetings = request.scope["app"].state.meetings
    return meetings


def decisions_of(request: Request) -> Decisions:
    """The use cases of the app that serves this request."""
    decisions: Decisions = request.scope["app"].state.decisions
    return decisions


def action_items_of(request: Request) -> ActionItems:
    """The use cases of the app that serves this request."""
    action_items: ActionItems = request.scope["app"].state.action_items
    return action_items


def disclosures_of(request: Request) -> Disclosures:
    """What the app that serves this request knows of who may know what."""
    disclosures: Disclosures = request.scope["app"].state.disclosures
    return disclosures


async def caught_up(cases: U, wait_for: int | None) -> U:
    """The same use cases, once they reflect the position that the caller asked for."""
    if wait_for is not None:
        await cases.wait_for(wait_for, LONGEST_WAIT)
    return cases


def listed(
    request: Request,
    things: Sequence[T],
    key_of: Callable[[T], list[Any]],
    members: Callable[[T], dict[str, Any]],
    *,
    after: list[Any] | None,
    limit: int,
    total: bool = False,
) -> dict[str, Any]:
    """One page of a list that is all in memory, sorted by `key_of`."""
    begin = 0 if after is None else bisect_right(things, after, key=key_of)
    shown_now = things[begin : begin + limit]
    more = begin + limit < len(things)
    body = page(map(members, shown_now), key_of(shown_now[-1]) if more else None, request)
    return {**body, "total": len(things)} if total else body
