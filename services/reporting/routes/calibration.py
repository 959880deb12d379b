"""How well judgements foretold what came."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final

from msgspec import Meta
from pydantic import Field, create_model
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.queries.access import Scope
from services.reporting.queries.board import FILTERS
from services.reporting.queries.calibration import (
    MONTHS,
    About,
    Against,
    Asked,
    Calibration,
    Case,
    Figures,
    Fulfilment,
    GroupFigures,
    JudgedBy,
    calibration_as_of,
)
from services.reporting.queries.moments import AsOf
from services.reporting.queries.unknown_words import refuse_unknown_words
from services.reporting.reading import Reading
from services.reporting.routes.asking import (
    SHOWN,
    TOLD,
    Answer,
    NextPage,
    Paged,
    Reporting,
    filter_parameters,
    filters_in,
    going_on,
    heading,
    listed,
    next_page,
    tagged,
    values_in,
)
from shared.errors import InvalidInput
from shared.http.routing import Router


class _CalibrationQuery(Paged):
    by: Annotated[JudgedBy | None, Field(description="Also of each adviser, or of each pillar.")] = None
    days: Annotated[
        int,
        Field(ge=1, le=3_660, description="After how many days without a report a judgement is unfollowed."),
    ] = 90
    about: Annotated[str | None, listed("List only the cases behind these figures", About)] = None
    months: Annotated[
        str | None,
        listed("List only judgements so many months before a deadline", [str(one) for one in MONTHS]),
    ] = None
    against: Annotated[str | None, listed("List only judgements against this deadline", Against)] = None
    outcome: Annotated[str | None, listed("List only judgements of what became this", Fulfilment)] = None


CalibrationQuery: Final = create_model(
    "CalibrationQuery", __base__=_CalibrationQuery, **filter_parameters(FILTERS)
)


class CalibrationAnswer(Answer, kw_only=True):
    """How judgements compare with what came, and a page of the cases behind the figures."""

    days: Annotated[int, Meta(description="After how many days without a report a judgement is unfollowed.")]
    totals: Annotated[Figures, Meta(description="Of all that the filters admit.")]
    groups: Annotated[
        list[GroupFigures], Meta(description="Of each group, on every page; empty without `by`.")
    ]
    items: list[Case]
    next: NextPage


def calibration_routes(reporting: Reporting) -> Router:
    """The route of calibration."""
    router = Router("calibration", "How well judgements foretold what came.")

    @router.get("/v1/calibration", access=SHOWN, answers=CalibrationAnswer, query=CalibrationQuery)
    async def get_calibration(request: Request, query: _CalibrationQuery) -> Response:
        """Of what was on track some months before its deadline, how much was achieved; whether delays were foreseen.

        The judgement is the one that stood 1, 3, 6, 12 or 24 months before the public deadline that was then in force,
        and before the first one of all. What came is what is known of the day `on`. Filters admit by that day, and so
        does the pillar count; an adviser is who looked after the commitment when it was judged, or delayed. The figures
        are counts, however small; each has the cases behind it among the `items`.
        """
        after, pinned = going_on(request, query.cursor, str, str, int, str, date)
        asked = Asked(
            filters_in(query, FILTERS),
            query.by,
            query.days,
            values_in(query, "about", About),
            [int(one) for one in values_in(query, "months", [str(one) for one in MONTHS])],
            values_in(query, "against", Against),
            values_in(query, "outcome", Fulfilment),
        )

        def answer(reading: Reading, at: AsOf, scope: Scope) -> Calibration:
            refuse_unknown_words(reading, at, scope, asked.filters)
            if query.by is JudgedBy.ADVISER and scope.name == "public":
                raise InvalidInput(
                    "people-not-public",
                    "Only somebody with a token may ask by 'adviser': it names people.",
                    pointer="/query/by",
                )
            beyond = None if after is None else (after[0], after[1], after[2], after[3], after[4])
            return calibration_as_of(reading, at, scope, asked, beyond=beyond, limit=query.limit)

        at, scope, found = await reporting.ask(
            request, query, answer, tells=TOLD, every_day=True, pinned=pinned
        )
        last: list[str | int] | None = None
        if found.more:
            code, about, months, against, day = found.items[-1].key
            last = [code, about, months, against, day.isoformat()]
        body = CalibrationAnswer(
            **heading(at, scope),
            days=query.days,
            totals=found.totals,
            groups=found.groups,
            items=found.items,
            next=next_page(request, at, last),
        )
        return tagged(request, body, at)

    return router
