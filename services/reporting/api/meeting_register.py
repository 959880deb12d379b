"""The register of meetings held, against those expected."""

from __future__ import annotations

from datetime import date
from typing import Annotated, NamedTuple

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.api.access import ACCESS
from services.reporting.api.board import tagged_answer
from services.reporting.api.filters import listed, values_in
from services.reporting.api.meeting_answers import RegisterAnswer
from services.reporting.api.questions import (
    Question,
    asker_of,
    heading_without_rule,
    question,
    reporting_of,
)
from services.reporting.queries.moments import AsOf
from services.reporting.queries.register import (
    BodyLine,
    RegisterFilters,
    RegisterPeriod,
    periods_between,
    register_as_of,
)
from services.reporting.reading import Reading
from shared.errors import InvalidInput
from shared.events.meeting_vocabulary import BodyKind
from shared.http.pagination import DEFAULT_LIMIT, Cursor, Limit, decode_cursor, next_url
from shared.http.routing import service_router
from shared.http.schemas import CivilDay

router = service_router(ACCESS)

MOST_PERIODS = 120

AskedQuestion = Annotated[Question, Depends(question)]
FirstDay = Annotated[
    CivilDay | None,
    Query(alias="from", description="The first day; by default the first of the year of the last."),
]
LastDay = Annotated[
    CivilDay | None,
    Query(alias="to", description="The last day; by default the last of the year of the day asked about."),
]
PeriodOf = Annotated[RegisterPeriod, Query(description="By what the register is divided.")]
BodyFilter = Annotated[str | None, listed("The code of a body")]
KindFilter = Annotated[str | None, listed("A kind of body", list(BodyKind))]
OrganizationFilter = Annotated[str | None, listed("The code of an organisation that presides or takes part")]


class Found(NamedTuple):
    """What the register says, and of which days."""

    first: date
    last: date
    items: list[BodyLine]
    more: bool


def register_filters(
    body: BodyFilter = None, kind: KindFilter = None, organization: OrganizationFilter = None
) -> RegisterFilters:
    """The dependency that reads the filters of the register; InvalidInput for a value that cannot be one."""
    return RegisterFilters(
        body=values_in("body", body),
        kind=values_in("kind", kind, list(BodyKind)),
        organization=values_in("organization", organization),
    )


@router.get("/v1/meeting-register", tags=["meetings"], response_model=RegisterAnswer)
async def meeting_register(
    request: Request,
    asked: AskedQuestion,
    chosen: Annotated[RegisterFilters, Depends(register_filters)],
    first: FirstDay = None,
    last: LastDay = None,
    period: PeriodOf = RegisterPeriod.MONTH,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """What each body held in each period, against the protocol in force then, as it stood on the day `on`.

    Of the meetings that a protocol expects in a week, a month, a quarter or a year, the n-th is due on the day by which
    that part of its days has passed; so `expected` can be counted for any days, and adds up. A body is expected to meet
    from the day on which it was registered, or held its first meeting. Minutes are out on the first `effective_on` of
    their circulations. A meeting that was called off was so on the day it was to be at the latest, whenever that was
    told; one whose day has passed without any record of what became of it is `unrecorded`.
    """
    reporting, scope = reporting_of(request), asker_of(request)
    key = decode_cursor(request, cursor)
    after: str | None = None
    if key is not None:
        after, on, position = key
        asked = asked._replace(on=date.fromisoformat(on), known_at=None, position=position)

    def answer(reading: Reading, at: AsOf) -> Found:
        since, until = _first_and_last(first, last, at.on)
        if since > until:
            raise InvalidInput(
                "days-reversed", "The first day is later than the last.", pointer="/query/from"
            )
        found = periods_between(since, until, period, MOST_PERIODS)
        if found is None:
            raise InvalidInput(
                "register-too-long",
                f"These days have more than {MOST_PERIODS} periods: ask for fewer, or for longer ones.",
                pointer="/query/period",
            )
        items, more = register_as_of(reading, at, scope, found, chosen, after=after, limit=limit)
        return Found(since, until, items, more)

    at, register = await reporting.ask(asked, answer)
    body = heading_without_rule(at, scope)
    body |= {"from": register.first, "to": register.last, "period": period.value, "items": register.items}
    body["next"] = None
    if register.more:
        body["next"] = next_url(request, [register.items[-1].body, at.on.isoformat(), at.position])
    return tagged_answer(request, body, at.position)


def _first_and_last(first: date | None, last: date | None, on: date) -> tuple[date, date]:
    if last is None:
        last = date(on.year if first is None else max(on, first).year, 12, 31)
    return first or date(last.year, 1, 1), last
