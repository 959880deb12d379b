"""Commitments one by one: the list of them, with every filter there is, and what is told of each."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta
from pydantic import Field, create_model
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.queries.access import Scope
from services.reporting.queries.board import COUNTED, FILTERS, STATUS, Item, Listed, list_as_of
from services.reporting.queries.commitment_page import Page, page_as_of
from services.reporting.queries.corrected import CorrectedSince
from services.reporting.queries.moments import AsOf
from services.reporting.queries.search import Place
from services.reporting.queries.unknown_words import refuse_unknown_words
from services.reporting.reading import Reading
from services.reporting.routes.asking import (
    SHOWN,
    TOLD,
    Answer,
    Identifier,
    Judged,
    KnownOn,
    NextPage,
    Paged,
    PositionTold,
    Reporting,
    RuleName,
    ScopeName,
    filter_parameters,
    filters_in,
    going_on,
    heading,
    listed,
    next_page,
    tagged,
    values_in,
)
from services.reporting.terms import search_for
from shared.events.streams import resolve
from shared.events.types import Kind
from shared.http.moments import RecordedAt
from shared.http.names import Spelling
from shared.http.pagination import KeyPosition
from shared.http.routing import Router


class _CommitmentsQuery(Paged, Judged):
    status: Annotated[str | None, listed("A state, or how it goes on in others", COUNTED)] = None
    q: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=500,
            description='What to look for: words, `"a phrase"`, `begin*`, `-excluded`.',
            examples=["educación -superior"],
        ),
    ] = None
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


class CommitmentAnswer(Page, kw_only=True):
    """The page of one commitment."""

    on: date
    position: PositionTold
    known_on: KnownOn
    known_at: RecordedAt
    scope: ScopeName
    corrected: CorrectedSince
    status_rule: RuleName


_OF_A_PAGE: Final = (*TOLD, Kind.INDICATOR, Kind.DECISION, Kind.BODY, Kind.MEETING, Kind.ACTION_ITEM)


def commitment_routes(reporting: Reporting) -> Router:
    """The routes of commitments."""
    router = Router("commitments", "Commitments on a day: list, search, and the page of one.")

    @router.get(
        "/v1/commitments",
        access=SHOWN,
        answers=CommitmentsAnswer,
        query=CommitmentsQuery,
        name="list_commitments",
    )
    async def commitments(request: Request, query: _CommitmentsQuery) -> Response:
        """The commitments there were on a day, in order of code, each as it is on the board of that day.

        Every filter of the board is one here; several of them admit what all of them admit. `q` finds those of which
        all is told that it names: in the title, the goal, the words of the promise, the key words, accepted reports and
        sealed minutes, as far as the asker may read them. Capitals, accents and the inflections of Spanish make no
        difference; `"a phrase"`, `begin*` and `-excluded` do what they look like. A code finds its commitment first;
        then comes what is found in titles, then what came on record last, then by code.
        """
        search = None if query.q is None else search_for(query.q)
        filters = filters_in(query, FILTERS)
        if states := values_in(query, STATUS, COUNTED):
            filters[STATUS] = states
        spelling: Spelling = request.app.state.spelling
        code = None if query.q is None else await spelling("commitment", query.q.strip())
        after, pinned = going_on(request, query.cursor, int, KeyPosition, str)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> Listed:
            refuse_unknown_words(reading, at, scope, filters)
            return list_as_of(
                reading,
                at,
                scope,
                filters,
                search,
                code,
                after=None if after is None else Place(*after),
                limit=query.limit,
                rule=query.rule,
                count=query.include == "total",
            )

        at, scope, found = await reporting.ask(request, query, answer, tells=TOLD, pinned=pinned)
        body = CommitmentsAnswer(
            **heading(at, scope),
            status_rule=query.rule.name,
            items=found.items,
            next=next_page(request, at, found.last),
        )
        if found.total is not None:
            body.total = found.total
        return tagged(request, body, at)

    @router.get(
        "/v1/commitments/{id}",
        access=SHOWN,
        answers=CommitmentAnswer,
        query=Judged,
        path_types={"id": Identifier},
        name="get_commitment",
    )
    async def commitment(request: Request, identifier: str, query: Judged) -> Response:
        """Everything that is told of a commitment on a day, as the log knew it at a moment or a position, on one page.

        `item` is what the board of that day says. Beside it stand the words of the promise, both deadlines with every
        revision, what was judged, reported and accepted, milestones, risks and budgets as they had been told by that
        day, and the decisions, minutes, action items and other commitments that it has to do with: as far as the asker
        may know of each. Who holds a seat of its team, and who advises, is told inside government. Of decisions,
        minutes, action items and parts the first 200 are told; their own lists have all.
        """
        spelling: Spelling = request.app.state.spelling
        commitment_id = resolve("commitment", await spelling("commitment", identifier) or identifier)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> Page:
            day_of, store = reporting.clock.day_of, reporting.store
            return page_as_of(reading, store, at, scope, commitment_id, query.rule, day_of=day_of)

        at, scope, found = await reporting.ask(
            request, query, answer, tells=_OF_A_PAGE, every_day=True, rests_on=commitment_id
        )
        members = {name: getattr(found, name) for name in found.__struct_fields__}
        body = CommitmentAnswer(**heading(at, scope), status_rule=query.rule.name, **members)
        return tagged(request, body, at)

    return router
