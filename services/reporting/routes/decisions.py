"""The budget office's feed of decisions, and where their record has gaps."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field, create_model
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.datasets import decisions
from services.reporting.queries.access import Scope
from services.reporting.queries.decision_changes import ChangedDecision, changes_as_of
from services.reporting.queries.decision_items import DecisionItem, Reader
from services.reporting.queries.decisions import ACKNOWLEDGED, OUTCOMES, DecisionFilters, decisions_as_of
from services.reporting.queries.gaps import DecisionWithGaps, Gap, Gaps, GapTotals, gaps_as_of
from services.reporting.queries.moments import AsOf
from services.reporting.reading import Reading
from services.reporting.routes.asking import (
    SHOWN,
    Answer,
    NextPage,
    Paged,
    Position,
    Reporting,
    RuleName,
    ToldUpTo,
    filter_parameters,
    filters_in,
    going_on,
    heading,
    listed,
    next_page,
    tagged,
    values_in,
)
from shared.events.types import CivilDay, Kind, Names
from shared.http.pagination import KeyPosition, decode_cursor, next_url
from shared.http.routing import Router
from shared.rules.budget_gaps import RULE


class _DecidedQuery(Paged):
    organization: Annotated[
        str | None, listed("The code of an organisation they concern"), Names(Kind.ORGANIZATION)
    ] = None
    agreed_since: Annotated[CivilDay | None, Field(description="Only those agreed on this day or later.")] = (
        None
    )
    has_budget_impact: Annotated[
        bool | None, Field(description="Only those that cost something, or only the others.")
    ] = None
    fiscal_year: Annotated[
        int | None,
        Field(ge=1900, le=2200, description="Only those with a budget impact in this fiscal year."),
    ] = None


class _ChangesQuery(_DecidedQuery):
    after: Annotated[Position, Field(description="Only what became visible beyond this position.")] = 0


class _DecisionsQuery(_DecidedQuery):
    acknowledged: Annotated[
        str | None,
        listed("`true` where the budget office agreed, `false` where it said nothing", ACKNOWLEDGED),
    ] = None
    commitment: Annotated[
        str | None, listed("The code of a commitment they name"), Names(Kind.COMMITMENT)
    ] = None
    outcome: Annotated[
        str | None, listed("What became of them, `none` where that is not known yet", OUTCOMES)
    ] = None


class _FeedQuery(_DecisionsQuery):
    after: Annotated[Position, Field(description="Only those whose `position` is beyond this one.")] = 0


class _GapsQuery(_DecisionsQuery):
    gap: Annotated[str | None, listed("A gap", Gap)] = None
    days: Annotated[
        int, Field(ge=0, le=36_500, description="How many days the budget office has to say something.")
    ] = 30


_TOLD: Final = (Kind.DECISION, Kind.BODY, Kind.ORGANIZATION)
_FILTERS: Final[dict[str, Any]] = filter_parameters(decisions.filters)
DecisionsQuery: Final = create_model("DecisionsQuery", __base__=_FeedQuery, **_FILTERS)
ChangesQuery: Final = create_model("DecisionChangesQuery", __base__=_ChangesQuery, **_FILTERS)
GapsQuery: Final = create_model("GapsQuery", __base__=_GapsQuery, **_FILTERS)


class DecisionsAnswer(Answer, kw_only=True):
    """A page of the feed."""

    items: list[DecisionItem]
    next: NextPage


class DecisionChangesAnswer(Answer, kw_only=True):
    """A page of the feed of changes."""

    items: list[ChangedDecision]
    next: NextPage


class GapsAnswer(Answer, kw_only=True):
    """A page of the decisions with gaps."""

    rule: RuleName
    days: int
    totals: GapTotals
    items: list[DecisionWithGaps]
    next: NextPage


def decision_routes(reporting: Reporting) -> Router:
    """The routes of decisions."""
    router = Router("decisions", "Decisions as the budget office pulls them, with what is missing.")

    @router.get(
        "/v1/decisions", access=SHOWN, answers=DecisionsAnswer, query=DecisionsQuery, name="list_decisions"
    )
    async def feed(request: Request, query: _FeedQuery) -> Response:
        """The decisions agreed, in the order in which the log learned of them, each with all that stands beside it.

        A page goes on after the last decision of the page before, by its `position` in the log. Positions never change
        and new decisions have higher ones: so however many are agreed while the pages are read, none comes twice and
        none is passed over, and those agreed meanwhile come at the end. A reader who comes back later goes on with
        `after`, the highest `position` seen. Each page tells what is known when it is read; with `known_at` or
        `position` all pages tell what was known then.

        On the day `on` counts what was agreed by then, and what had been said of it by then: acknowledgements and
        budget lines by their `effective_on`, errata by the day they were recorded. What a decision does is dated on the
        day it was agreed, and so is its `outcome`, unless somebody waived it later.

        `commitment` finds the decisions that name a commitment, among those they concern or in what they do, as far as
        the asker is told so: who may not know of the commitment finds only decisions that concern them.
        """
        chosen = _filters(query)
        after, read, page = _going_on(request, query)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[list[DecisionItem], bool]:
            reader = _reader(scope, at, query)
            return decisions_as_of(reading, at, reader, chosen, after=after, limit=query.limit)

        at, scope, (items, more) = await reporting.ask(
            request, query, answer, tells=_TOLD, page=page, after=read
        )
        following = _next(request, items[-1].position, at) if more else None
        return tagged(request, DecisionsAnswer(**heading(at, scope), items=items, next=following), at)

    @router.get("/v1/decisions/changes", access=SHOWN, answers=DecisionChangesAnswer, query=ChangesQuery)
    async def list_decision_changes(request: Request, query: _ChangesQuery) -> Response:
        """The decisions of which the asker learns something new, by the position at which that became visible to them.

        New is that a decision was agreed, published, acknowledged, tied to a budget line, amended by an erratum, or
        carried out or not (`outcome`), and that one of these was `retracted`, which then is new no longer. What was
        recorded while the decision was hidden from the asker comes at the position of the publication that shows it,
        with all that is known of it by then, however far the asker had read before. Each item has the whole decision as
        it is now, and no decision comes twice at one position.

        A reader goes on with `after`: the `Log-Position` of the last page, or the `position` of the last item. A
        position that the log has not reached is refused: who waits there has read another log.
        """
        chosen = DecisionFilters(**_decided(query))
        after, read, page = _going_on(request, query)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[list[ChangedDecision], bool]:
            reader = _reader(scope, at, query)
            return changes_as_of(reading, at, reader, chosen, after=after, limit=query.limit)

        at, scope, (items, more) = await reporting.ask(
            request, query, answer, tells=_TOLD, page=page, after=read
        )
        following = _next(request, items[-1].position, at) if more else None
        return tagged(request, DecisionChangesAnswer(**heading(at, scope), items=items, next=following), at)

    @router.get("/v1/decisions/gaps", access=SHOWN, answers=GapsAnswer, query=GapsQuery)
    async def list_decision_gaps(request: Request, query: _GapsQuery) -> Response:
        """The decisions whose record lacks something on a day: which gaps, and since when.

        `not_acknowledged`: it costs something, and the budget office said nothing in the `days` after it was agreed.
        `disputed`: it last said that this is not what was agreed. `amended_after_acknowledgement`: an erratum came
        after what the budget office last said. `no_line_in_first_request`: the lines of the first request of the fiscal
        year, in the currency of the budget impact, come to less than that (`short_by`), moved or added money alike; it
        is `only_later`, `short` or in an `other_currency`, which are filters, too. `over`: they come to more.
        `source_not_named`: the money is moved, and neither the minutes nor a line say where from. Acknowledgements and
        budget lines count from their `effective_on`, errata from the day they were recorded; `rule` names the version
        by which amounts are compared.
        """
        chosen = _filters(query)
        wanted = [Gap(word) for word in values_in(query, "gap", Gap)] or list(Gap)
        after, pinned = going_on(request, query.cursor, KeyPosition)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> Gaps:
            reader = _reader(scope, at, query, pinned=pinned is not None)
            begin = 0 if after is None else after[0]
            return gaps_as_of(reading, at, reader, chosen, wanted, query.days, after=begin, limit=query.limit)

        at, scope, found = await reporting.ask(request, query, answer, tells=_TOLD, pinned=pinned)
        body = GapsAnswer(
            **heading(at, scope),
            rule=RULE,
            days=query.days,
            totals=found.totals,
            items=found.items,
            next=next_page(request, at, [found.items[-1].position] if found.more else None),
        )
        return tagged(request, body, at)

    return router


def _going_on(request: Request, query: _ChangesQuery | _FeedQuery) -> tuple[int, int, ToldUpTo | None]:
    """After which position a page of a feed begins, and up to which position its reader says to have read.

    With a cursor, up to where the page before was told.
    """
    key = decode_cursor(request, query.cursor, KeyPosition, KeyPosition, str)
    return (query.after, query.after, None) if key is None else (key[0], 0, ToldUpTo(*key[1:]))


def _next(request: Request, last: int, at: AsOf) -> str | None:
    return next_url(request, [last, at.position_told, at.mark])


def _decided(query: _DecidedQuery) -> dict[str, Any]:
    """What a query admits decisions by that stays as it is, whatever is said of them."""
    return filters_in(query, decisions.filters) | {
        "organization": values_in(query, "organization"),
        "agreed_since": query.agreed_since,
        "has_budget_impact": query.has_budget_impact,
        "fiscal_year": query.fiscal_year,
    }


def _filters(query: _DecisionsQuery) -> DecisionFilters:
    return DecisionFilters(
        **_decided(query),
        acknowledged=values_in(query, "acknowledged", ACKNOWLEDGED),
        commitment=values_in(query, "commitment"),
        outcome=values_in(query, "outcome", OUTCOMES),
    )


def _reader(scope: Scope, at: AsOf, query: _DecidedQuery, *, pinned: bool = False) -> Reader:
    until = at.on
    if query.on is None and not pinned and at.known_on is not None:
        # Whoever names no day is told all that is known, even if another machine's clock is a day ahead of ours.
        until = max(until, at.known_on)
    return Reader(scope, until)
