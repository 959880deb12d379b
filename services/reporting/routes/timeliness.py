"""What was expected of those who report, what came in time, what is waited for, and how much each has to look after."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import Meta
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.queries.access import Scope
from services.reporting.queries.board import grouped_board_as_of
from services.reporting.queries.moments import AsOf
from services.reporting.queries.timeliness import (
    GROUPS,
    REVIEWS,
    Asker,
    Awaited,
    Due,
    DueKey,
    ReportFilters,
    ReportItem,
    StaleItem,
    TimelinessFilters,
    Timely,
    due_as_of,
    key_of,
    reports_as_of,
    staleness_as_of,
    timeliness_as_of,
)
from services.reporting.queries.unknown_words import cycles_named, refuse_unknown_words
from services.reporting.reading import Reading
from services.reporting.routes.asking import (
    SHOWN,
    TOLD,
    Answer,
    Judged,
    NextPage,
    Paged,
    Question,
    Reporting,
    RuleName,
    going_on,
    heading,
    listed,
    next_page,
    tagged,
    values_in,
)
from shared.errors import InvalidInput
from shared.events.types import CivilDay, Kind, Names
from shared.http.context import actor_of
from shared.http.names import split_words
from shared.http.pagination import KeyPosition
from shared.http.routing import Router
from shared.identity.access import EVERYONE, Access
from shared.identity.actor import Role
from shared.rules.periods import period_named
from shared.rules.registry import Rule
from shared.rules.timeliness import RULE
from shared.rules.traffic_light import Status

_INSIDE: Final = Access(
    EVERYONE,
    note="of what is internal, and of what is reserved where one may read it",
    etag=True,
    log_position=True,
)
_DUE: Final = (*TOLD, Kind.DECISION, Kind.MEETING, Kind.ACTION_ITEM)
_Led = Annotated[
    str | None, listed("The code of an organisation that leads the commitment"), Names(Kind.ORGANIZATION)
]


class Limits(NamedTuple):
    """How many open commitments an adviser, and an organisation, can look after."""

    adviser: int
    organization: int


class TimelinessQuery(Question):
    """A question about the reports expected for the periods that ended between two days."""

    cycle: Annotated[str | None, listed("The code of a cycle")] = None
    organization: _Led = None
    adviser: Annotated[
        str | None, listed("The adviser who looks after the commitment, for those inside government")
    ] = None
    first: Annotated[
        CivilDay | None,
        Field(
            alias="from",
            description="Periods that end on this day or later; the first of its year by default.",
        ),
    ] = None
    last: Annotated[
        CivilDay | None,
        Field(alias="to", description="Periods that end on this day or earlier; by default `on`."),
    ] = None
    group_by: Annotated[str | None, listed("Count by one of these", GROUPS)] = None


class TimelinessAnswer(Answer, kw_only=True):
    """How many reports were expected, and what came of them."""

    rule: RuleName
    first: date = msgspec.field(name="from")
    last: date = msgspec.field(name="to")
    totals: Timely
    items: list[Timely]
    next: NextPage


class ReportsQuery(Paged):
    """A question for progress reports."""

    review: Annotated[str | None, listed("What became of them", REVIEWS)] = None
    organization: _Led = None
    commitment: Annotated[str | None, listed("The code of the commitment"), Names(Kind.COMMITMENT)] = None
    period: Annotated[str | None, listed("The name of a period")] = None


class ReportsAnswer(Answer, kw_only=True):
    """A page of progress reports."""

    items: list[ReportItem]
    next: NextPage


class StalenessQuery(Paged):
    """A question for how old it is what is known."""

    organization: _Led = None


class StalenessAnswer(Answer, kw_only=True):
    """A page of open commitments, those first of which nothing was reported for longest."""

    items: list[StaleItem]
    next: NextPage


class DueQuery(Paged):
    """A question for what an organisation is waited for with."""

    organization: Annotated[
        str | None,
        Field(max_length=100, description="The code of the organisation; the asker's own by default."),
        Names(Kind.ORGANIZATION),
    ] = None
    kind: Annotated[str | None, listed("What is to be done", Awaited)] = None


class DueAnswer(Answer, kw_only=True):
    """A page of what an organisation is waited for with."""

    organization: str
    items: list[Due]
    next: NextPage


class Load(msgspec.Struct, frozen=True):
    """How much somebody has to look after on a day."""

    open: Annotated[int, Meta(description="Commitments that are neither closed nor go on in others.")]
    delayed: int
    needs_attention: int
    limit: Annotated[int, Meta(description="How many are thought to be manageable: a setting.")]
    over: Annotated[int, Meta(description="How many are open beyond that.")]
    adviser: Annotated[
        str | msgspec.UnsetType | None,
        Meta(description="Null where nobody is named; absent where the load is that of an organisation."),
    ] = msgspec.UNSET
    organization: str | msgspec.UnsetType = msgspec.UNSET
    organization_name: str | msgspec.UnsetType | None = msgspec.UNSET


class LoadAnswer(Answer, kw_only=True):
    """Commitments by adviser, and by the organisation that leads."""

    status_rule: RuleName
    advisers: list[Load]
    organizations: list[Load]


def timeliness_routes(reporting: Reporting, limits: Limits) -> Router:
    """The routes of reports and of what is due."""
    router = Router("timeliness", "Who reported when, who owes what, and how old is what we know.")

    @router.get("/v1/timeliness", access=SHOWN, answers=TimelinessAnswer, query=TimelinessQuery)
    async def get_timeliness(request: Request, query: TimelinessQuery) -> Response:
        """How many reports the cycles expected of the periods that ended between two days, and what came of them.

        Expected is one of each commitment to which a cycle applies and that is open on the last day of a period; it
        counts with who led the commitment, and who advised on it, on that day. The first report of the period that was
        not sent back counts, by the day on which it was received: by the due day it is on time. A report of no change
        is a report.
        """
        groups = [] if query.group_by is None else split_words(query.group_by)
        if not set(groups) <= set(GROUPS) or len(set(groups)) != len(groups):
            raise InvalidInput(
                "group-by-unknown",
                f"Group by one or several of {', '.join(GROUPS)}, each once, separated by commas.",
                pointer="/query/group_by",
            )
        cycle, adviser = values_in(query, "cycle"), values_in(query, "adviser")
        organization = values_in(query, "organization")

        def answer(
            reading: Reading, at: AsOf, scope: Scope
        ) -> tuple[TimelinessFilters, Timely, list[Timely]]:
            if scope.name == "public" and (adviser or "adviser" in groups):
                raise InvalidInput(
                    "people-not-public",
                    "Only somebody with a token may ask by 'adviser': it names people.",
                    pointer="/query/adviser" if adviser else "/query/group_by",
                )
            last = query.last or at.on
            first = query.first or date(min(last, at.on).year, 1, 1)
            if first > last:
                raise InvalidInput(
                    "days-reversed", "The first day is later than the last.", pointer="/query/from"
                )
            refuse_unknown_words(reading, at, scope, {"adviser": adviser})
            known = cycles_named(reading, at, cycle)
            filters = TimelinessFilters(known, organization, adviser, first, last)
            return filters, *timeliness_as_of(reading, at, scope, filters, groups)

        at, scope, (filters, totals, items) = await reporting.ask(
            request, query, answer, tells=TOLD, every_day=True
        )
        body = TimelinessAnswer(
            **heading(at, scope),
            rule=RULE,
            first=filters.first,
            last=filters.last,
            totals=totals,
            items=items if groups else [],
            next=None,
        )
        return tagged(request, body, at)

    @router.get("/v1/progress-reports", access=_INSIDE, answers=ReportsAnswer, query=ReportsQuery)
    async def list_progress_reports(request: Request, query: ReportsQuery) -> Response:
        """The progress reports received by a day, in the order of the log, with what the review of each had said."""
        after, pinned = going_on(request, query.cursor, KeyPosition)
        filters = ReportFilters(
            review=values_in(query, "review", REVIEWS),
            organization=values_in(query, "organization"),
            commitment=values_in(query, "commitment"),
            period=[period_named(one, "/query/period").name for one in values_in(query, "period")],
        )

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[list[ReportItem], bool]:
            begin = 0 if after is None else after[0]
            return reports_as_of(reading, at, scope, filters, after=begin, limit=query.limit)

        at, scope, (items, more) = await reporting.ask(request, query, answer, tells=TOLD, pinned=pinned)
        following = next_page(request, at, [items[-1].position] if more else None)
        return tagged(request, ReportsAnswer(**heading(at, scope), items=items, next=following), at)

    @router.get("/v1/staleness", access=SHOWN, answers=StalenessAnswer, query=StalenessQuery)
    async def list_staleness(request: Request, query: StalenessQuery) -> Response:
        """How long ago anything was reported of each open commitment: those never reported on first."""
        after, pinned = going_on(request, query.cursor, date, str)
        organization = values_in(query, "organization")

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[list[StaleItem], bool]:
            begin: Any = None if after is None else tuple(after)
            return staleness_as_of(reading, at, scope, organization, after=begin, limit=query.limit)

        at, scope, (items, more) = await reporting.ask(request, query, answer, tells=TOLD, pinned=pinned)
        last = None
        if more:
            day, code = key_of(items[-1])
            last = [day.isoformat(), code]
        body = StalenessAnswer(**heading(at, scope), items=items, next=next_page(request, at, last))
        return tagged(request, body, at)

    @router.get("/v1/due", access=_INSIDE, answers=DueAnswer, query=DueQuery)
    async def list_due(request: Request, query: DueQuery) -> Response:
        """What an organisation is waited for with on a day, kind by kind.

        Reports of the periods of the last year that nobody received or that were sent back, and action items. Of their
        own organisation, the unit is told the reports that wait for its review and the observations on minutes that
        wait for its answer, and the budget office the decisions with a budget impact that it has said nothing of.
        """
        after, pinned = going_on(request, query.cursor, Awaited, str, str, KeyPosition)
        actor = actor_of(request)
        organization, *others = values_in(query, "organization") or [actor.organization]
        if others:
            raise InvalidInput(
                "filter-value-unknown",
                "Ask for what one organisation is waited for with.",
                pointer="/query/organization",
            )
        own = organization == actor.organization
        kinds = values_in(query, "kind", Awaited)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[list[Due], DueKey | None]:
            asker = Asker(
                scope, organization, own and actor.role is Role.DCI, own and actor.role is Role.DIPRES
            )
            begin = None if after is None else DueKey(*after)
            return due_as_of(reading, at, asker, kinds, after=begin, limit=query.limit)

        at, scope, (items, last) = await reporting.ask(request, query, answer, tells=_DUE, pinned=pinned)
        body = DueAnswer(
            **heading(at, scope),
            organization=organization,
            items=items,
            next=next_page(request, at, last),
        )
        return tagged(request, body, at)

    @router.get("/v1/load", access=_INSIDE, answers=LoadAnswer, query=Judged)
    async def get_load(request: Request, query: Judged) -> Response:
        """How many commitments each adviser and each leading organisation has open on a day, against the settings."""

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[list[Load], list[Load]]:
            return (
                _load(reading, at, scope, "adviser", limits.adviser, query.rule),
                _load(reading, at, scope, "organization", limits.organization, query.rule),
            )

        at, scope, (advisers, organizations) = await reporting.ask(request, query, answer, tells=TOLD)
        body = LoadAnswer(
            **heading(at, scope), status_rule=query.rule.name, advisers=advisers, organizations=organizations
        )
        return tagged(request, body, at)

    return router


def _load(reading: Reading, at: AsOf, scope: Scope, group: str, limit: int, rule: Rule) -> list[Load]:
    """The open commitments of each, those with most first."""
    found = []
    for one in grouped_board_as_of(reading, at, scope, {}, [group], rule).items:
        by_status = one["by_status"]
        many = sum(by_status[status] for status in _OPEN)
        if many:
            named = {name: one[name] for name in _NAMED[group]}
            found.append(
                Load(
                    open=many,
                    delayed=by_status[Status.DELAYED],
                    needs_attention=by_status[Status.NEEDS_ATTENTION],
                    limit=limit,
                    over=max(0, many - limit),
                    **named,
                )
            )
    return sorted(found, key=lambda one: (-one.open, str(getattr(one, group) or "")))


_OPEN: Final = tuple(status for status in Status if status not in (Status.ACHIEVED, Status.DISCARDED))
_NAMED: Final = {"adviser": ("adviser",), "organization": ("organization", "organization_name")}
