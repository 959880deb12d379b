"""Commitments one by one: the list of them, with every filter there is, and what is told of each."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta
from pydantic import Field, create_model
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.queries.access import Scope
from services.reporting.queries.board import COUNTED, FILTERS, STATUS, Item, Listed, list_as_of
from services.reporting.queries.moments import AsOf
from services.reporting.reading import Reading
from services.reporting.routes.asking import (
    SHOWN,
    Answer,
    NextPage,
    Paged,
    Reporting,
    RuleName,
    filter_parameters,
    filters_in,
    going_on,
    heading,
    listed,
    next_page,
    tagged,
    values_in,
)
from shared.http.routing import Router
from shared.rules.traffic_light import CURRENT_RULE


class _CommitmentsQuery(Paged):
    status: Annotated[str | None, listed("A state, or how it goes on in others", COUNTED)] = None
    include: Annotated[
        Literal["total"] | None, Field(description="Adds how many items the whole list has.")
    ] = None


CommitmentsQuery: Final = create_model(
    "CommitmentsQuery", __base__=_CommitmentsQuery, **filter_parameters(FILTERS)
)


class CommitmentsAnswer(Answer, kw_only=True):
    """A page of the list."""

    status_rule: RuleName
    total: Annotated[int | msgspec.UnsetType, Meta(description="Only with `include=total`.")] = msgspec.UNSET
    items: list[Item]
    next: NextPage


def commitment_routes(reporting: Reporting) -> Router:
    """The routes of commitments."""
    router = Router("commitments")

    @router.get(
        "/v1/commitments",
        access=SHOWN,
        answers=CommitmentsAnswer,
        query=CommitmentsQuery,
        name="list_commitments",
    )
    async def commitments(request: Request, query: _CommitmentsQuery) -> Response:
        """The commitments there were on a day, in order of code, each as it is on the board of that day.

        Every filter of the board is one here; several of them admit what all of them admit.
        """
        filters = filters_in(query, FILTERS)
        if states := values_in(query, STATUS, COUNTED):
            filters[STATUS] = states
        after, pinned = going_on(request, query.cursor, str)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> Listed:
            code = None if after is None else after[0]
            counted = query.include == "total"
            return list_as_of(reading, at, scope, filters, after=code, limit=query.limit, count=counted)

        at, scope, found = await reporting.ask(request, query, answer, pinned=pinned)
        body = CommitmentsAnswer(
            **heading(at, scope),
            status_rule=CURRENT_RULE,
            items=found.items,
            next=next_page(request, at, [found.items[-1].code] if found.more else None),
        )
        if found.total is not None:
            body.total = found.total
        return tagged(request, body, at)

    return router
