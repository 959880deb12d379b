"""The register of meetings held, against those expected, and what is owed from them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta
from pydantic import Field, create_model
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.datasets import action_items, bodies
from services.reporting.queries.access import Scope
from services.reporting.queries.action_items import (
    ActionItem,
    ActionItemFilters,
    ActionItems,
    action_items_as_of,
)
from services.reporting.queries.action_items import Key as ActionItemKey
from services.reporting.queries.moments import AsOf
from services.reporting.queries.register import (
    BodyLine,
    MeetingTotals,
    RegisterFilters,
    RegisterPeriod,
    periods_between,
    register_as_of,
    totals_as_of,
)
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
from shared.errors import InvalidInput
from shared.events.types import CivilDay, Kind, Names
from shared.http.pagination import Key, KeyPosition
from shared.http.routing import Router
from shared.rules.action_item_state import CURRENT_ACTION_ITEM_RULE, ActionItemState
from shared.rules.protocols import CURRENT_EXPECTATION_RULE

MOST_PERIODS: Final = 120


class _RegisterQuery(Paged):
    first: Annotated[
        CivilDay | None,
        Field(alias="from", description="The first day; by default the first of the year of the last."),
    ] = None
    last: Annotated[
        CivilDay | None,
        Field(
            alias="to", description="The last day; by default the last of the year of the day asked about."
        ),
    ] = None
    period: Annotated[RegisterPeriod, Field(description="By what the register is divided.")] = (
        RegisterPeriod.MONTH
    )
    organization: Annotated[
        str | None,
        listed("The code of an organisation that presides or takes part"),
        Names(Kind.ORGANIZATION),
    ] = None
    include: Annotated[
        Literal["total"] | None,
        Field(description="Adds the totals over all bodies, by kind, organisation and period."),
    ] = None


RegisterQuery: Final = create_model(
    "RegisterQuery", __base__=_RegisterQuery, **filter_parameters(bodies.filters)
)


class _ActionItemsQuery(Paged):
    state: Annotated[str | None, listed("A state on that day", ActionItemState)] = None
    body: Annotated[str | None, listed("The code of a body"), Names(Kind.BODY)] = None
    commitment: Annotated[
        str | None, listed("The code of a commitment they serve"), Names(Kind.COMMITMENT)
    ] = None
    decision: Annotated[str | None, listed("The number of a decision they serve"), Names(Kind.DECISION)] = (
        None
    )
    due_before: Annotated[CivilDay | None, Field(description="Only those due before this day.")] = None
    due_after: Annotated[CivilDay | None, Field(description="Only those due after this day.")] = None
    include: Annotated[
        Literal["total"] | None, Field(description="Adds how many there are in each state.")
    ] = None


ActionItemsQuery: Final = create_model(
    "ActionItemsQuery", __base__=_ActionItemsQuery, **filter_parameters(action_items.filters)
)


class RegisterAnswer(Answer, kw_only=True):
    """A page of the register."""

    expectation_rule: RuleName

    first: date = msgspec.field(name="from")
    last: date = msgspec.field(name="to")
    period: str
    totals: Annotated[MeetingTotals | msgspec.UnsetType, Meta(description="Only with `include=total`.")] = (
        msgspec.UNSET
    )
    items: list[BodyLine]
    next: NextPage


class ActionItemTotals(msgspec.Struct):
    """How many there are of those that the filters admit."""

    action_items: int
    by_state: dict[str, int]


class ActionItemsAnswer(Answer, kw_only=True):
    """A page of action items, by the day they are due."""

    state_rule: RuleName
    totals: Annotated[
        ActionItemTotals | msgspec.UnsetType, Meta(description="Only with `include=total`.")
    ] = msgspec.UNSET
    items: list[ActionItem]
    next: NextPage


class _Register(NamedTuple):
    first: date
    last: date
    items: list[BodyLine]
    more: bool
    totals: MeetingTotals | None


def meeting_routes(reporting: Reporting) -> Router:
    """The routes of meetings and of what is owed from them."""
    router = Router("meetings", "The register of meetings, and the action items that are owed.")

    @router.get("/v1/meeting-register", access=SHOWN, answers=RegisterAnswer, query=RegisterQuery)
    async def get_meeting_register(request: Request, query: _RegisterQuery) -> Response:
        """What each body held in each period, against the protocol in force then, as it stood on the day `on`.

        Of the meetings that a protocol expects in a month, a quarter or a year, the n-th is due on the day by which
        that part of its days has passed; so `expected` can be counted for any days, and adds up. A week is asked for by
        the protocol in force on its Monday, and counts, with the meetings held in it, on its Thursday. A body is
        expected to meet from the day from which its first protocol says it is in force, or else from that on which it
        was registered, or held its first meeting. Minutes are out on the
        first `effective_on` of their circulations. A meeting that was called off was so on the day it was to be at the
        latest, whenever that was told; one whose day has passed without any record of what became of it is
        `unrecorded`.

        In the totals over bodies every meeting counts on its own day.
        """
        chosen = RegisterFilters(
            **filters_in(query, bodies.filters), organization=values_in(query, "organization")
        )
        after, pinned = going_on(request, query.cursor, str)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> _Register:
            first, last = _first_and_last(query.first, query.last, at.on)
            if first > last:
                raise InvalidInput(
                    "days-reversed", "The first day is later than the last.", pointer="/query/from"
                )
            periods = periods_between(first, last, query.period, MOST_PERIODS)
            if periods is None:
                raise InvalidInput(
                    "register-too-long",
                    f"These days have more than {MOST_PERIODS} periods: ask for fewer, or for longer ones.",
                    pointer="/query/period",
                )
            code = None if after is None else after[0]
            items, more = register_as_of(reading, at, scope, periods, chosen, after=code, limit=query.limit)
            totals = None
            if query.include == "total":
                totals = totals_as_of(reading, at, scope, periods, chosen)
            return _Register(first, last, items, more, totals)

        at, scope, found = await reporting.ask(
            request, query, answer, tells=(Kind.MEETING, Kind.BODY, Kind.ORGANIZATION), pinned=pinned
        )
        body = RegisterAnswer(
            **heading(at, scope),
            expectation_rule=CURRENT_EXPECTATION_RULE,
            first=found.first,
            last=found.last,
            period=query.period.value,
            items=found.items,
            next=next_page(request, at, [found.items[-1].body] if found.more else None),
        )
        if found.totals is not None:
            body.totals = found.totals
        return tagged(request, body, at)

    @router.get(
        "/v1/action-items",
        access=SHOWN,
        answers=ActionItemsAnswer,
        query=ActionItemsQuery,
        name="list_action_items",
    )
    async def owed(request: Request, query: _ActionItemsQuery) -> Response:
        """Who owed what on a day, in the order in which it was due then, and what had become of it.

        All pages of one list are about the same day and position as its first.
        """
        chosen = ActionItemFilters(
            **filters_in(query, action_items.filters),
            state=values_in(query, "state", ActionItemState),
            body=values_in(query, "body"),
            commitment=values_in(query, "commitment"),
            decision=values_in(query, "decision"),
            due_before=query.due_before,
            due_after=query.due_after,
        )
        after, pinned = going_on(request, query.cursor, date, KeyPosition)
        begin = None if after is None else ActionItemKey(*after)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> ActionItems:
            count = query.include == "total"
            return action_items_as_of(reading, at, scope, chosen, after=begin, limit=query.limit, count=count)

        at, scope, found = await reporting.ask(
            request, query, answer, tells=(Kind.ACTION_ITEM, Kind.ORGANIZATION), pinned=pinned
        )
        last: Key | None = (
            None if found.next is None else [found.next.due_on.isoformat(), found.next.assigned_at]
        )
        body = ActionItemsAnswer(
            **heading(at, scope),
            state_rule=CURRENT_ACTION_ITEM_RULE,
            items=found.items,
            next=next_page(request, at, last),
        )
        if found.by_state is not None:
            body.totals = ActionItemTotals(sum(found.by_state.values()), found.by_state)
        return tagged(request, body, at)

    return router


def _first_and_last(first: date | None, last: date | None, on: date) -> tuple[date, date]:
    if last is None:
        last = date(on.year if first is None else max(on, first).year, 12, 31)
    return first or date(last.year, 1, 1), last
