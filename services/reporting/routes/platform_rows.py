"""Commitments by the fields of the unit's web platform: a list, and so a table, that comes in as it goes out."""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple

from pydantic import create_model
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.queries.access import Scope
from services.reporting.queries.board import COUNTED, FILTERS, STATUS, list_as_of
from services.reporting.queries.commitment_page import PlatformRow, platform_rows_of
from services.reporting.queries.moments import AsOf
from services.reporting.queries.search import Place
from services.reporting.queries.unknown_words import refuse_unknown_words
from services.reporting.reading import Reading
from services.reporting.routes.asking import (
    SHOWN,
    TOLD,
    Answer,
    Judged,
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
from shared.http.pagination import KeyPosition
from shared.http.routing import Router


class _PlatformRowsQuery(Paged, Judged):
    status: Annotated[str | None, listed("A state, or how it goes on in others", COUNTED)] = None


PlatformRowsQuery: Final = create_model(
    "PlatformRowsQuery", __base__=_PlatformRowsQuery, **filter_parameters(FILTERS)
)


class PlatformRowsAnswer(Answer, kw_only=True):
    """A page of the list."""

    status_rule: RuleName
    items: list[PlatformRow]
    next: NextPage


class _Found(NamedTuple):
    rows: list[PlatformRow]
    last: Place | None


def platform_row_routes(reporting: Reporting) -> Router:
    """The route of the list."""
    router = Router("platform-rows", "Commitments by the fields of the unit's web platform.")

    @router.get(
        "/v1/platform-rows",
        access=SHOWN,
        answers=PlatformRowsAnswer,
        query=PlatformRowsQuery,
        name="list_platform_rows",
    )
    async def platform_rows(request: Request, query: _PlatformRowsQuery) -> Response:
        """The commitments of the board of a day, by code, each with the fields of the unit's web platform.

        As a table (`/v1/exports/platform-rows.csv`) they can be brought in again as an import of the kind
        `platform-rows`, which adds nothing as long as nothing is changed in it.
        """
        filters = filters_in(query, FILTERS)
        if states := values_in(query, STATUS, COUNTED):
            filters[STATUS] = states
        after, pinned = going_on(request, query.cursor, int, KeyPosition, str)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> _Found:
            refuse_unknown_words(reading, at, scope, filters)
            found = list_as_of(
                reading,
                at,
                scope,
                filters,
                after=None if after is None else Place(*after),
                limit=query.limit,
                rule=query.rule,
            )
            day_of, store = reporting.clock.day_of, reporting.store
            return _Found(platform_rows_of(reading, store, at, scope, found.items, day_of=day_of), found.last)

        at, scope, found = await reporting.ask(request, query, answer, tells=TOLD, pinned=pinned)
        body = PlatformRowsAnswer(
            **heading(at, scope),
            status_rule=query.rule.name,
            items=found.rows,
            next=next_page(request, at, found.last),
        )
        return tagged(request, body, at)

    return router
