"""The warning signs over everything."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.queries.access import Scope
from services.reporting.queries.decision_items import Reader
from services.reporting.queries.moments import AsOf
from services.reporting.queries.signs import SIGNS, Key, Sign, SignFilters, Subject, signs_as_of
from services.reporting.reading import Reading
from services.reporting.routes.asking import (
    SHOWN,
    Answer,
    NextPage,
    Paged,
    Reporting,
    going_on,
    heading,
    listed,
    next_page,
    tagged,
    values_in,
)
from shared.events.types import CivilDay, Kind, Names
from shared.http.pagination import KeyPosition
from shared.http.routing import Router


class SignsQuery(Paged):
    """A question about the warning signs of a day."""

    subject: Annotated[str | None, listed("What they are of", Subject)] = None
    sign: Annotated[str | None, listed("A kind of sign", SIGNS)] = None
    organization: Annotated[
        str | None,
        listed("The code of an organisation that leads the commitment, or that the decision concerns"),
        Names(Kind.ORGANIZATION),
    ] = None
    commitment: Annotated[
        str | None,
        listed("The code of a commitment that they are of, that is measured, or that the decision names"),
        Names(Kind.COMMITMENT),
    ] = None
    reporting_on: Annotated[
        CivilDay | None,
        Field(description="The day of a report: what was achieved in the ten days before it is then a sign."),
    ] = None


class SignsAnswer(Answer, kw_only=True):
    """A page of the warning signs of a day."""

    items: list[Sign]
    next: NextPage


_TOLD: Final = (Kind.COMMITMENT, Kind.INDICATOR, Kind.DECISION, Kind.ORGANIZATION)


def sign_routes(reporting: Reporting) -> Router:
    """The route of the warning signs."""
    router = Router("warning-signs", "What the figures suggest somebody should look at.")

    @router.get("/v1/warning-signs", access=SHOWN, answers=SignsAnswer, query=SignsQuery)
    async def list_warning_signs(request: Request, query: SignsQuery) -> Response:
        """What makes a reader look twice at commitments, indicators and decisions on a day: it proves nothing.

        Each sign names the events it follows from. Those of indicators are judged by what was published by the day; a
        corrected deadline is a sign from the day of its correction on; those of decisions are the gaps between what
        they cost and their budget lines. Those of one thing stand together, in order of its code.
        """
        after, pinned = going_on(request, query.cursor, str, str, str, KeyPosition, KeyPosition)
        filters = SignFilters(
            subject=values_in(query, "subject", Subject),
            sign=values_in(query, "sign", SIGNS),
            organization=values_in(query, "organization"),
            commitment=values_in(query, "commitment"),
            reporting_on=query.reporting_on,
        )

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[list[Sign], Key | None]:
            return signs_as_of(
                reading,
                reporting.store,
                at,
                Reader(scope, at.on),
                filters,
                day_of=reporting.clock.day_of,
                after=None if after is None else Key(*after),
                limit=query.limit,
            )

        at, scope, (items, last) = await reporting.ask(request, query, answer, tells=_TOLD, pinned=pinned)
        body = SignsAnswer(**heading(at, scope), items=items, next=next_page(request, at, last))
        return tagged(request, body, at)

    return router
