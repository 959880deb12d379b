"""The budget office's feed of decisions, and where their record has gaps."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.api.access import ACCESS
from services.reporting.api.board import tagged_answer
from services.reporting.api.filters import listed, values_in
from services.reporting.api.meeting_answers import DecisionsAnswer, GapsAnswer
from services.reporting.api.questions import (
    LARGEST_POSITION,
    Question,
    Reporting,
    asker_of,
    heading_without_rule,
    question,
    reporting_of,
)
from services.reporting.queries.decision_items import DecisionItem, Reader
from services.reporting.queries.decisions import ACKNOWLEDGED, OUTCOMES, DecisionFilters, decisions_as_of
from services.reporting.queries.gaps import Gap, Gaps, gaps_as_of
from services.reporting.queries.moments import AsOf
from services.reporting.queries.access import Scope
from services.reporting.reading import Reading
from shared.events.meeting_vocabulary import DecisionKind
from shared.http.pagination import DEFAULT_LIMIT, Cursor, Limit, decode_cursor, next_url
from shared.http.routing import service_router
from shared.http.schemas import CivilDay

router = service_router(ACCESS)

AskedQuestion = Annotated[Question, Depends(question)]
OrganizationFilter = Annotated[str | None, listed("The code of an organisation they concern")]
BodyFilter = Annotated[str | None, listed("The code of a body")]
KindFilter = Annotated[str | None, listed("A kind of decision", list(DecisionKind))]
AgreedSince = Annotated[CivilDay | None, Query(description="Only those agreed on this day or later.")]
FiscalYear = Annotated[
    int | None, Query(ge=1900, le=2200, description="Only those with a budget impact in this fiscal year.")
]
AcknowledgedFilter = Annotated[
    str | None,
    listed("`true` where the budget office agreed, `false` where it said nothing", list(ACKNOWLEDGED)),
]
CommitmentFilter = Annotated[str | None, listed("The code of a commitment they name")]
OutcomeFilter = Annotated[
    str | None, listed("What became of them, `none` where that is not known yet", list(OUTCOMES))
]
BudgetImpact = Annotated[
    bool | None, Query(description="Only those that cost something, or only the others.")
]
After = Annotated[
    int,
    Query(ge=0, le=LARGEST_POSITION, description="Only those whose `position` is beyond this one."),
]
GapFilter = Annotated[str | None, listed("A gap", list(Gap))]
Days = Annotated[
    int, Query(ge=0, le=36_500, description="How many days the budget office has to say something.")
]


def decision_filters(
    organization: OrganizationFilter = None,
    body: BodyFilter = None,
    kind: KindFilter = None,
    agreed_since: AgreedSince = None,
    acknowledged: AcknowledgedFilter = None,
    commitment: CommitmentFilter = None,
    outcome: OutcomeFilter = None,
    has_budget_impact: BudgetImpact = None,
    fiscal_year: FiscalYear = None,
) -> DecisionFilters:
    """The dependency that reads the filters of decisions; InvalidInput for a value that cannot be one."""
    return DecisionFilters(
        organization=values_in("organization", organization),
        body=values_in("body", body),
        kind=values_in("kind", kind, list(DecisionKind)),
        acknowledged=values_in("acknowledged", acknowledged, ACKNOWLEDGED),
        commitment=values_in("commitment", commitment),
        outcome=values_in("outcome", outcome, OUTCOMES),
        agreed_since=agreed_since,
        has_budget_impact=has_budget_impact,
        fiscal_year=fiscal_year,
    )


AskedFilters = Annotated[DecisionFilters, Depends(decision_filters)]


@router.get("/v1/decisions", tags=["decisions"], response_model=DecisionsAnswer)
async def decisions(
    request: Request,
    asked: AskedQuestion,
    chosen: AskedFilters,
    after: After = 0,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """The decisions agreed, in the order in which the log learned of them, each with all that stands beside it.

    A page goes on after the last decision of the page before, by its `position` in the log. Positions never change and
    new decisions have higher ones: so however many are agreed while the pages are read, none comes twice and none is
    passed over, and those agreed meanwhile come at the end. A reader who comes back later goes on with `after`, the
    highest `position` seen. Each page tells what is known when it is read; with `known_at` or `position` all pages tell
    what was known then.

    On the day `on` counts what was agreed by then, and what had been said of it by then: acknowledgements and budget
    lines by their `effective_on`, errata by the day they were recorded. What a decision does is dated on the day it was
    agreed, and so is its `outcome`, unless somebody waived it later.

    `commitment` finds the decisions that name a commitment, among those they concern or in what they do, as far as the
    asker is told so: who may not know of the commitment finds only decisions that concern them.
    """
    reporting, scope = reporting_of(request), asker_of(request)
    key = decode_cursor(request, cursor)
    if key is not None:
        (after,) = key

    def answer(reading: Reading, at: AsOf) -> tuple[list[DecisionItem], bool]:
        reader = _reader(reporting, scope, at, asked)
        return decisions_as_of(reading, at, reader, chosen, after=after, limit=limit)

    at, (items, more) = await reporting.ask(asked, answer)
    body = heading_without_rule(at, scope)
    body["items"] = items
    body["next"] = next_url(request, [items[-1].position]) if more else None
    return tagged_answer(request, body, at.position)


@router.get("/v1/decisions/gaps", tags=["decisions"], response_model=GapsAnswer)
async def decision_gaps(
    request: Request,
    asked: AskedQuestion,
    chosen: AskedFilters,
    gap: GapFilter = None,
    days: Days = 30,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response:
    """The decisions whose record lacks something on a day: which gaps, and since when.

    `not_acknowledged`: the budget office said nothing in the `days` after it was agreed. `disputed`: it last said that
    this is not what was agreed. `no_line_in_first_request`: it costs something, and no line of the first request of the
    fiscal year is tied to it. `amended_after_acknowledgement`: an erratum came after what the budget office last said.
    Acknowledgements and budget lines count from their `effective_on`, errata from the day they were recorded.
    """
    reporting, scope = reporting_of(request), asker_of(request)
    wanted = [Gap(word) for word in values_in("gap", gap, list(Gap))] or list(Gap)
    key = decode_cursor(request, cursor)
    after = 0
    if key is not None:
        after, on, position = key
        asked = asked._replace(on=date.fromisoformat(on), known_at=None, position=position)

    def answer(reading: Reading, at: AsOf) -> Gaps:
        reader = _reader(reporting, scope, at, asked)
        return gaps_as_of(reading, at, reader, chosen, wanted, days, after=after, limit=limit)

    at, found = await reporting.ask(asked, answer)
    body: dict[str, Any] = heading_without_rule(at, scope) | {"days": days, "totals": found.totals}
    body["items"] = [msgspec.structs.asdict(item) | {"gaps": gaps} for item, gaps in found.items]
    body["next"] = None
    if found.more:
        last, _ = found.items[-1]
        body["next"] = next_url(request, [last.position, at.on.isoformat(), at.position])
    return tagged_answer(request, body, at.position)


def _reader(reporting: Reporting, scope: Scope, at: AsOf, asked: Question) -> Reader:
    day_of, until = reporting.clock.day_of, at.on
    if asked.on is None and at.known_at is not None:
        # Whoever names no day is told all that is known, even if another machine's clock is a day ahead of ours.
        until = max(until, day_of(at.known_at))
    return Reader(scope, until)
