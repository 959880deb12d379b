"""The pages, one function each: what is asked of the record, and which template shows it.

They ask what the routes of the API ask, of the same day, as known then; without a token they show what is public.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, timedelta
from functools import wraps
from typing import Annotated, Any, Final, NamedTuple
from urllib.parse import quote
from uuid import UUID

from pydantic import Field, ValidationError, create_model, model_validator
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.pages import pictures
from services.reporting.pages.calendar import MEDIA_TYPE as CALENDAR
from services.reporting.pages.calendar import MOST as MOST_DEADLINES
from services.reporting.pages.calendar import calendar_of
from services.reporting.pages.feed import MEDIA_TYPE, Feed, beginning, entry_of, feed_id, newest
from services.reporting.pages.feed import MOST as MOST_NEWS
from services.reporting.pages.rules import rules_told
from services.reporting.pages.site import ORDER, Links, Site, spoken_in
from services.reporting.queries.access import Scope
from services.reporting.queries.board import (
    FILTERS,
    STATUS,
    Board,
    Filters,
    Listed,
    Totals,
    board_as_of,
    grouped_board_as_of,
    list_as_of,
)
from services.reporting.queries.changes import Change, Changes, Wanted, changes_between
from services.reporting.queries.commitment_page import Page, page_as_of
from services.reporting.queries.deadlines import deadlines_as_of
from services.reporting.queries.editions import (
    CalendarItem,
    EditionItem,
    calendar_as_of,
    latest_editions,
)
from services.reporting.queries.indicators import (
    IndicatorFilters,
    IndicatorPage,
    Indicators,
    Trajectory,
    indicator_as_of,
    indicators_as_of,
    trajectory_as_of,
)
from services.reporting.queries.moments import AsOf
from services.reporting.queries.names import names_at
from services.reporting.queries.news import News, news_as_of
from services.reporting.queries.plan import Branch, tree_as_of
from services.reporting.queries.promises import CountBy
from services.reporting.queries.reconciliation import (
    Account,
    By,
    Counted,
    Reconciliation,
    Term,
    reconciliation_between,
)
from services.reporting.queries.register import (
    BodyLine,
    RegisterFilters,
    RegisterPeriod,
    periods_between,
    register_as_of,
)
from services.reporting.queries.search import Place
from services.reporting.queries.timeline import Timeline, timeline_as_of
from services.reporting.reading import Reading
from services.reporting.routes.asking import SHOWN, TOLD, Question, Reporting, filter_parameters, filters_in
from services.reporting.terms import search_for
from shared.errors import InvalidInput, NotFound, Unavailable
from shared.events.streams import resolve, stream_of
from shared.events.types import CivilDay, Kind
from shared.events.vocabulary import CommitmentKind
from shared.http import pdf
from shared.http.context import visitor_of
from shared.http.names import Spelling, has_names, known_codes
from shared.http.routing import Router
from shared.languages import LANGUAGES, N_, Language
from shared.rules.indicator_verdict import CURRENT_INDICATOR_RULE
from shared.rules.traffic_light import TRAFFIC_LIGHT_1, Status

STRETCH: Final = timedelta(days=90)
"""How far back the front page looks for what got worse, where it is not asked otherwise and there is no edition."""
LIMIT: Final = 100
"""Lines of a list on one page."""
MOST_BODIES: Final = 20
"""Bodies on one page of the register, each with all that it held in a year."""
MOST_CHANGED: Final = 40
"""Commitments that changed, of which the front page tells, and that of a pillar."""
MOST_NODES: Final = 300
"""Objectives and actions on the page of the plan; of a larger plan it shows the objectives alone, and of each pillar so
many as fit."""
LISTS: Final = {
    "board": N_("The board"),
    "commitments": N_("Commitments"),
    "indicators": N_("Indicators"),
    "indicator-values": N_("Values of indicators"),
    "decisions": N_("Decisions"),
    "meeting-register": N_("Register of meetings"),
    "editions": N_("Editions"),
}
"""The lists that the page of downloads names; the API has more."""
MOST_DAYS: Final = 12
"""Days on which something changed, to which a page leads."""
_NOT_FOUND: Final = N_("There is no such page, or nothing public by that name on that day.")
_NOT_UNDERSTOOD: Final = N_(
    "The address asks for something that there is not: a day is written as in 2012-05-21."
)
_NOT_NOW: Final = N_("The record cannot answer just now. Please try again in a moment.")


class PageQuestion(Question):
    """What every page may be asked; what a form leaves empty was not asked."""

    lang: Annotated[str | None, Field(pattern=f"^({'|'.join(LANGUAGES)})$")] = None

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, given: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in given.items() if value != ""}


class FrontQuestion(PageQuestion):
    """The front page: what changed since when."""

    since: CivilDay | None = None


class _ListQuestion(PageQuestion):
    """The list of commitments: which, what is searched for, and after which code the page begins."""

    q: Annotated[str | None, Field(max_length=500)] = None
    status: Annotated[str | None, Field(pattern=f"^({'|'.join(ORDER)})$")] = None
    after: Annotated[str | None, Field(max_length=64)] = None


_FILTERS: Final = {name: FILTERS[name] for name in ("pillar", "organization", "kind")}
"""By which the list of commitments can be narrowed on the page; the API has all."""
ListQuestion: Final = create_model("ListQuestion", __base__=_ListQuestion, **filter_parameters(_FILTERS))


_DEADLINES: Final = {name: FILTERS[name] for name in ("pillar", "organization")}
"""By which the calendar of deadlines can be narrowed."""
DeadlinesQuestion: Final = create_model(
    "DeadlinesQuestion", __base__=PageQuestion, **filter_parameters(_DEADLINES)
)


class IndicatorsQuestion(PageQuestion):
    """The list of indicators: after which code the page begins."""

    after: Annotated[str | None, Field(max_length=64)] = None


class MeetingsQuestion(PageQuestion):
    """The public register of meetings: after which body the page begins."""

    after: Annotated[str | None, Field(max_length=64)] = None


class ChangesQuestion(PageQuestion):
    """Two days to compare."""

    since: CivilDay | None = None
    after: Annotated[str | None, Field(max_length=64)] = None


class ReconciliationQuestion(PageQuestion):
    """Two days to compare by what they count, of which reason the commitments are listed, and after which of them."""

    since: CivilDay | None = None
    by: By = By.PILLAR
    term: Term | None = None
    after: Annotated[str | None, Field(pattern=r"^\d{4}-\d{2}-\d{2} .{1,64}$")] = None


class PillarQuestion(PageQuestion):
    """A pillar: what changed in it since when."""

    since: CivilDay | None = None


Maker = Callable[..., Awaitable[Response]]


class _Front(NamedTuple):
    since: date
    whole: Board
    promises: Board
    pillars: Board
    changes: Changes


class _Pillar(NamedTuple):
    since: date
    name: str
    whole: Board
    objectives: Listed
    changes: Changes


WAYS: Final = {
    By.PILLAR: N_("Pillar"),
    By.STATE: N_("State"),
    By.ORIGIN: N_("Where it was promised"),
    By.SPEECH_YEAR: N_("Year of the speech"),
    By.ORGANIZATION: N_("Who leads"),
}
"""By what the count can be told apart."""
TERMS: Final = {
    Term.REGISTERED: N_("Came on record"),
    Term.PART: N_("Part of one that was split"),
    Term.REOPENED: N_("Taken up again"),
    Term.PUBLISHED: N_("Became public"),
    Term.ACHIEVED: N_("Achieved"),
    Term.DISCARDED: N_("Discarded"),
    Term.MERGED: N_("Merged into another"),
    Term.SPLIT: N_("Split into parts"),
    Term.HIDDEN: N_("No longer public"),
    Term.MOVED: N_("Went to another group"),
    Term.CORRECTED: N_("Corrected"),
    Term.RETRACTED: N_("Taken back"),
}
"""Why something is counted, or no longer."""


def _parameters(error: ValidationError) -> str:
    """The parameters at which an address is at fault, as it has them."""
    return ", ".join(dict.fromkeys(str(one["loc"][0]) for one in error.errors() if one["loc"]))


def page_routes(reporting: Reporting) -> Router:
    """The routes of the pages; they are no part of the API, and of no OpenAPI document."""
    router, site = Router("pages"), Site()

    def page(
        path: str, question: type[PageQuestion], media_type: str = "text/html"
    ) -> Callable[[Maker], Maker]:
        """A page at a path: its question parsed, and what goes wrong told as a page, too."""

        narrowed = has_names(question)

        def declare(make: Maker) -> Maker:
            @wraps(make)
            async def endpoint(request: Request, *names: str) -> Response:
                try:
                    asked = question.model_validate(dict(request.query_params))
                    if narrowed:
                        state = request.app.state
                        visitor = visitor_of(request)
                        asked = await known_codes(asked, state.spelling, state.readable, visitor)
                    return await make(request, *names, asked)
                except NotFound:
                    return site.problem(request, 404, N_("Not found"), _NOT_FOUND)
                except (ValidationError, InvalidInput) as error:
                    told = error.message if isinstance(error, InvalidInput) else _parameters(error)
                    return site.problem(request, 422, N_("Not understood"), _NOT_UNDERSTOOD, told)
                except Unavailable as error:
                    answer = site.problem(request, 503, N_("Not now"), _NOT_NOW)
                    answer.headers["Retry-After"] = str(error.retry_after)
                    return answer

            router.get(path, access=SHOWN, answers=None, any_query=True, media_type=media_type)(endpoint)
            return endpoint

        return declare

    async def spelled(request: Request, code: str) -> str:
        spelling: Spelling = request.app.state.spelling
        return await spelling("pillar", code) or code

    async def id_of(request: Request, kind: str, identifier: str) -> Any:
        spelling: Spelling = request.app.state.spelling
        return resolve(kind, await spelling(kind, identifier) or identifier)

    @page("/", FrontQuestion)
    async def front(request: Request, asked: FrontQuestion) -> Response:
        """How the plan stands; what got worse, what was discarded, what was achieved since; each pillar."""

        def answer(reading: Reading, at: AsOf, scope: Scope) -> _Front:
            since = _since(asked.since or _last_edition(reading, at, scope), at)
            return _Front(
                since,
                board_as_of(reading, at, scope, {}, limit=1),
                board_as_of(reading, at, scope, {}, limit=1, count_by=CountBy.PROMISE),
                grouped_board_as_of(reading, at, scope, {}, ["pillar", STATUS]),
                _changed(reporting, reading, at, scope, since, wanted=_is_news),
            )

        at, _scope, found = await reporting.ask(request, asked, answer, tells=TOLD)
        spoken = spoken_in(request)
        return site.page(
            request,
            "front.html",
            at,
            "/v1/board",
            totals=found.whole.totals,
            counted=_counted(found.whole.totals),
            promises=found.promises.totals,
            picture=state_bar(_counted(found.whole.totals), spoken),
            pillars=_by_pillar(found.pillars.items),
            **_since_then(found.since, found.changes, at),
        )

    @page("/commitments", ListQuestion)
    async def commitment_list(request: Request, asked: _ListQuestion) -> Response:
        """The list of commitments, narrowed and searched."""
        filters = filters_in(asked, _FILTERS)
        if asked.status is not None:
            filters[STATUS] = [asked.status]
        search = None if asked.q is None else search_for(asked.q)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[Listed, Any]:
            after = None if asked.after is None else Place(0, 0, asked.after)
            found = list_as_of(reading, at, scope, filters, search, after=after, limit=LIMIT, count=True)
            return found, names_at(reading, at.position, at.on)

        at, _scope, (found, names) = await reporting.ask(request, asked, answer, tells=TOLD)
        spoken = spoken_in(request)
        return site.page(
            request,
            "commitments.html",
            at,
            "/v1/commitments",
            asked=asked,
            items=found.items,
            total=found.total,
            following=found.last.code if found.last is not None and search is None else None,
            states=[(one, spoken.word(one)) for one in ORDER],
            kinds=[(one.value, spoken.word(one.value)) for one in CommitmentKind],
            pillars=names.all_of("pillar"),
            organizations=names.all_of("organization"),
        )

    @page("/commitments/{id}", PageQuestion)
    async def commitment(request: Request, identifier: str, asked: PageQuestion) -> Response:
        """One commitment: what was promised, its states over time, and everything that was told of it."""
        which = await id_of(request, "commitment", identifier)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[Page, Timeline]:
            day_of, store = reporting.clock.day_of, reporting.store
            return (
                page_as_of(reading, store, at, scope, which, day_of=day_of),
                timeline_as_of(reading, store, at, scope, which, day_of=day_of),
            )

        kinds = (*TOLD, Kind.INDICATOR, Kind.DECISION, Kind.BODY, Kind.MEETING, Kind.ACTION_ITEM)
        at, _scope, (found, timeline) = await reporting.ask(
            request, asked, answer, tells=kinds, every_day=True, rests_on=which
        )
        spoken = spoken_in(request)
        return site.page(
            request,
            "commitment.html",
            at,
            f"/v1/commitments/{found.item.code}",
            news=(f"/commitments/{quote(timeline.code)}/news.atom", timeline.title),
            found=found,
            item=found.item,
            timeline=timeline,
            picture=life_band(timeline, found, at.on, spoken),
        )

    @page("/indicators", IndicatorsQuestion)
    async def indicator_list(request: Request, asked: IndicatorsQuestion) -> Response:
        """What is measured, each with its latest value and what that says."""

        def answer(reading: Reading, at: AsOf, scope: Scope) -> Indicators:
            nothing = IndicatorFilters({})
            rule = CURRENT_INDICATOR_RULE
            return indicators_as_of(reading, at, scope, nothing, rule, after=asked.after, limit=LIMIT)

        at, _scope, found = await reporting.ask(request, asked, answer, tells=(*TOLD, Kind.INDICATOR))
        following = found.items[-1].code if found.more else None
        return site.page(
            request, "indicators.html", at, "/v1/indicators", items=found.items, following=following
        )

    @page("/indicators/{id}", PageQuestion)
    async def indicator(request: Request, identifier: str, asked: PageQuestion) -> Response:
        """One indicator: what was planned, what was measured, every target and every move of it."""
        which = await id_of(request, "indicator", identifier)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[IndicatorPage, Trajectory]:
            rule = CURRENT_INDICATOR_RULE
            return (
                indicator_as_of(reading, at, scope, which, rule),
                trajectory_as_of(reading, at, scope, which, rule),
            )

        at, _scope, (found, trajectory) = await reporting.ask(
            request, asked, answer, tells=(Kind.INDICATOR,), thing=which
        )
        return site.page(
            request,
            "indicator.html",
            at,
            f"/v1/indicators/{found.code}",
            found=found,
            trajectory=trajectory,
            picture=way(found, trajectory, spoken_in(request)),
        )

    @page("/plan", PageQuestion)
    async def plan(request: Request, asked: PageQuestion) -> Response:
        """Pillars, the objectives in each and the actions that serve them: objectives apart from actions."""

        def answer(reading: Reading, at: AsOf, scope: Scope) -> list[Branch]:
            return tree_as_of(reading, at, scope)[1]

        at, _scope, branches = await reporting.ask(request, asked, answer, tells=TOLD)
        whole = sum(branch.below.registered for branch in branches) <= MOST_NODES
        most = MOST_NODES // max(len(branches), 1)
        return site.page(request, "plan.html", at, "/v1/tree", branches=branches, whole=whole, most=most)

    @page("/changes", ChangesQuestion)
    async def changes(request: Request, asked: ChangesQuestion) -> Response:
        """What is not as it was on an earlier day, and the event behind each difference."""

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[date, Changes]:
            since = _since(asked.since, at)
            return since, _changed(reporting, reading, at, scope, since, asked.after)

        at, _scope, (since, found) = await reporting.ask(request, asked, answer, tells=TOLD)
        following = found.items[-1].code if found.more else None
        return site.page(
            request,
            "changes.html",
            at,
            f"/v1/board/changes?from={since}&to={at.on}",
            since=since,
            sums=found.sums,
            items=found.items,
            following=following,
            days=_days(found, since, at.on)[:MOST_DAYS],
        )

    @page("/reconciliation", ReconciliationQuestion)
    async def reconciliation(request: Request, asked: ReconciliationQuestion) -> Response:
        """From the count of an earlier day to that of the day: what came, what went, why, and what is behind each."""
        terms = [] if asked.term is None else [asked.term]

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[date, Reconciliation]:
            since = _since(asked.since or _last_edition(reading, at, scope), at)
            beyond = None
            if asked.after is not None:
                day, _, code = asked.after.partition(" ")
                beyond = (date.fromisoformat(day), code)
            counted = Counted(asked.by, {})
            store, day_of = reporting.store, reporting.clock.day_of
            return since, reconciliation_between(
                *(reading, store, day_of, at._replace(on=since), at, scope, counted),
                terms=terms,
                beyond=beyond,
                limit=LIMIT,
            )

        at, _scope, (since, found) = await reporting.ask(request, asked, answer, tells=TOLD)
        spoken, totals = spoken_in(request), found.totals
        names = {term: spoken.text(name) for term, name in TERMS.items()}
        last = found.items[-1] if found.more else None
        return site.page(
            request,
            "reconciliation.html",
            at,
            f"/v1/reconciliation?from={since}&to={at.on}&by={asked.by}",
            since=since,
            by=asked.by,
            ways=[(way, spoken.text(name)) for way, name in WAYS.items()],
            totals=totals,
            groups=found.groups,
            names=names,
            term=None if asked.term is None else names[asked.term],
            terms=[(term, name) for term, name in names.items() if totals.arrived[term] or totals.left[term]],
            items=found.items,
            following=None if last is None else f"{last.on} {last.code}",
            picture=account_picture(totals, since, at.on, names, spoken),
        )

    @page("/pillars/{code}", PillarQuestion)
    async def pillar(request: Request, code: str, asked: PillarQuestion) -> Response:
        """One pillar: how it stands, what changed in it, and the objectives in it."""
        code = await spelled(request, code)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> _Pillar:
            here = {"pillar": [code]}
            whole = board_as_of(reading, at, scope, here, limit=1)
            since = _since(asked.since or _last_edition(reading, at, scope), at)
            objectives = {**here, "kind": [CommitmentKind.STRATEGIC_OBJECTIVE.value]}
            return _Pillar(
                since,
                pillar_name(reading, at, scope, code),
                whole,
                list_as_of(reading, at, scope, objectives, limit=LIMIT),
                _changed(reporting, reading, at, scope, since, filters=here, wanted=_is_news),
            )

        at, _scope, found = await reporting.ask(request, asked, answer, tells=TOLD)
        counted = _counted(found.whole.totals)
        return site.page(
            request,
            "pillar.html",
            at,
            f"/v1/board?pillar={quote(code)}",
            news=(f"/pillars/{quote(code)}/news.atom", found.name),
            code=code,
            name=found.name,
            totals=found.whole.totals,
            counted=counted,
            picture=state_bar(counted, spoken_in(request)),
            objectives=found.objectives.items,
            **_since_then(found.since, found.changes, at),
        )

    @page("/rules", PageQuestion)
    async def rules(request: Request, asked: PageQuestion) -> Response:
        """The rules in words, every version of each."""
        at, _scope, _ = await reporting.ask(request, asked, lambda *_: None, tells=())
        return site.page(request, "rules.html", at, "/v1/rules", judged=rules_told(spoken_in(request)))

    @page("/meetings", MeetingsQuestion)
    async def meetings(request: Request, asked: MeetingsQuestion) -> Response:
        """What each body held, in the year of the day asked about, against its protocol: as far as it is public."""

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[list[BodyLine], bool]:
            periods = periods_between(date(at.on.year, 1, 1), at.on, RegisterPeriod.QUARTER, 4) or []
            return register_as_of(
                reading, at, scope, periods, RegisterFilters(), after=asked.after, limit=MOST_BODIES
            )

        at, _scope, (found, more) = await reporting.ask(
            request, asked, answer, tells=(Kind.MEETING, Kind.BODY)
        )
        return site.page(
            request,
            "meetings.html",
            at,
            "/v1/meeting-register",
            bodies=found,
            following=found[-1].body if more else None,
        )

    @page("/editions", PageQuestion)
    async def editions(request: Request, asked: PageQuestion) -> Response:
        """What was published of the record, and what was due in the year of the day and the one before."""

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[list[EditionItem], list[CalendarItem]]:
            first = date(max(at.on.year - 1, 1), 1, 1)
            found = latest_editions(reading, at, scope, LIMIT)
            return found, calendar_as_of(reading, at, scope, first, date(at.on.year, 12, 31), [])

        at, _scope, (found, calendar) = await reporting.ask(request, asked, answer, tells=())
        return site.page(
            request,
            "editions.html",
            at,
            "/v1/editions",
            editions=found,
            calendar=calendar,
            pdf=pdf.OFFERED,
            most=LIMIT,
        )

    @page("/downloads", PageQuestion)
    async def downloads(request: Request, asked: PageQuestion) -> Response:
        """Where the lists can be had as tables, and everything public in one file."""
        at, _scope, _ = await reporting.ask(request, asked, lambda *_: None, tells=())
        return site.page(request, "downloads.html", at, "/v1/board", lists=LISTS)

    @page("/about", PageQuestion)
    async def about(request: Request, asked: PageQuestion) -> Response:
        """How to read the pages: what the states mean, by which rule, and what the two times are."""
        at, _scope, _ = await reporting.ask(request, asked, lambda *_: None, tells=())
        return site.page(request, "about.html", at, "/v1/board", rule=TRAFFIC_LIGHT_1.name)

    def told(request: Request, at: AsOf, news: list[News], of: UUID | str, title: str, path: str) -> Response:
        links, spoken, zone = Links(request), spoken_in(request), reporting.clock.zone
        entries = [
            entry_of(
                one,
                links.outside(f"/commitments/{quote(one.change.code)}", lang=spoken.code, on=one.on),
                zone,
            )
            for one in news
        ]
        updated = beginning(newest(news, at.known_on or at.on), zone)
        page = links.outside(path, lang=spoken.code)
        return site.feed(
            request, at, Feed(feed_id(of, spoken.code), title, updated, links.itself, page, entries)
        )

    @page("/news.atom", PageQuestion, MEDIA_TYPE)
    async def news(request: Request, asked: PageQuestion) -> Response:
        """The news of everything."""

        def answer(reading: Reading, at: AsOf, scope: Scope) -> list[News]:
            return news_as_of(reading, reporting.store, reporting.clock.day_of, at, scope, limit=MOST_NEWS)

        at, _scope, found = await reporting.ask(request, asked, answer, tells=())
        title = spoken_in(request).text(N_("How the plan stands"))
        return told(request, at, found, "plan", title, "/")

    @page("/pillars/{code}/news.atom", PageQuestion, MEDIA_TYPE)
    async def news_of_pillar(request: Request, code: str, asked: PageQuestion) -> Response:
        """The news of what is in a pillar."""
        code = await spelled(request, code)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[str, list[News]]:
            here = {"pillar": [code]}
            name = pillar_name(reading, at, scope, code)
            store, day_of = reporting.store, reporting.clock.day_of
            return name, news_as_of(reading, store, day_of, at, scope, filters=here, limit=MOST_NEWS)

        at, _scope, (name, found) = await reporting.ask(request, asked, answer, tells=())
        return told(request, at, found, stream_of("pillar", code), name, f"/pillars/{quote(code)}")

    @page("/commitments/{id}/news.atom", PageQuestion, MEDIA_TYPE)
    async def news_of_commitment(request: Request, identifier: str, asked: PageQuestion) -> Response:
        """The news of one commitment, from its first day."""
        which = await id_of(request, "commitment", identifier)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[Timeline, list[News]]:
            store, day_of = reporting.store, reporting.clock.day_of
            timeline = timeline_as_of(reading, store, at, scope, which, day_of=day_of)
            return timeline, news_as_of(reading, store, day_of, at, scope, thing=which, limit=MOST_NEWS)

        at, _scope, (timeline, found) = await reporting.ask(request, asked, answer, tells=())
        return told(request, at, found, which, timeline.title, f"/commitments/{quote(timeline.code)}")

    @page("/deadlines.ics", DeadlinesQuestion, CALENDAR)
    async def deadlines(request: Request, asked: PageQuestion) -> Response:
        """The public deadlines from the month before on, the nearest of them, for a calendar program."""
        filters = filters_in(asked, _DEADLINES)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> Sequence[Any]:
            first = date.fromordinal(max(at.on.toordinal() - 31, 1))
            return deadlines_as_of(reading, at, scope, filters, first, limit=MOST_DEADLINES)

        at, _scope, found = await reporting.ask(request, asked, answer, tells=())
        links, spoken = Links(request), spoken_in(request)
        content = await run_in_threadpool(
            calendar_of,
            found,
            at.known_on or at.on,
            reporting.clock.zone,
            spoken,
            lambda code: links.outside(f"/commitments/{quote(code)}", lang=spoken.code),
        )
        return site.file(request, at, content, CALENDAR)

    async def style(request: Request) -> Response:
        """The style sheet of all pages."""
        return site.style(request)

    router.get("/style.css", access=SHOWN, answers=None, any_query=True, media_type="text/css")(style)
    return router


def pillar_name(reading: Reading, at: AsOf, scope: Scope, code: str) -> str:
    """What a pillar is called; NotFound where there is none, and nothing in one of that code."""
    name = names_at(reading, at.position, at.on).of("pillar", code)
    if name is None and not board_as_of(reading, at, scope, {"pillar": [code]}, limit=1).totals.registered:
        raise NotFound("unknown-pillar", "There is no such pillar.")
    return name or code


# --- what pages ask besides ------------------------------------------------------------------------------------------


def _days(changes: Changes, since: date, on: date) -> list[date]:
    """The days on which what is told of them took effect, the newest first."""
    found = {
        one.because.effective_on
        for change in changes.items
        for one in change.changes
        if one.because is not None
        and one.because.effective_on is not None
        and since <= one.because.effective_on <= on
    }
    return sorted(found, reverse=True)


def _since_then(since: date, changes: Changes, at: AsOf) -> dict[str, Any]:
    """What `since.html` shows: what got worse first."""
    return {
        "since": since,
        "worse": [one for one in changes.items if _is_worse(one.status_before, one.status_after)],
        "discarded": _became(changes, Status.DISCARDED),
        "achieved": _became(changes, Status.ACHIEVED),
        "more": changes.more,
        "most": MOST_CHANGED,
        "days": _days(changes, since, at.on)[:MOST_DAYS],
        "first": len(changes.items) if changes.more else None,
    }


def _since(asked: date | None, at: AsOf) -> date:
    if asked is None:
        return at.on - STRETCH if at.on.toordinal() > STRETCH.days + 1 else at.on
    if asked > at.on:
        raise InvalidInput("days-reversed", "The first day is later than the last.", pointer="/query/since")
    return asked


def _last_edition(reading: Reading, at: AsOf, scope: Scope) -> date | None:
    """The day of which the edition tells that was published last, and still stands."""
    found = latest_editions(reading, at, scope, LIMIT)
    return next((one.on for one in found if one.withdrawn_on is None and one.on < at.on), None)


def _changed(
    reporting: Reporting,
    reading: Reading,
    at: AsOf,
    scope: Scope,
    since: date,
    beyond: str | None = None,
    limit: int = MOST_CHANGED,
    filters: Filters | None = None,
    wanted: Wanted | None = None,
) -> Changes:
    before = at._replace(on=since)
    store, day_of = reporting.store, reporting.clock.day_of
    return changes_between(
        reading, store, day_of, before, at, scope, beyond=beyond, limit=limit, filters=filters, wanted=wanted
    )


_SEVERITY: Final[dict[str | None, int]] = {
    Status.ACHIEVED: 0,
    Status.ON_TIME: 1,
    Status.NEEDS_ATTENTION_INTERNAL_DEADLINE: 2,
    Status.NEEDS_ATTENTION: 3,
    Status.DELAYED: 4,
    Status.DISCARDED: 5,
}
"""How bad a state is."""


def _is_worse(before: str | None, after: str | None) -> bool:
    """Whether a state is worse than the one before it, or than on time; what was discarded is told apart."""
    now = _SEVERITY.get(after)
    if now is None or after == Status.DISCARDED:
        return False
    return now > _SEVERITY.get(before, _SEVERITY[Status.ON_TIME])


def _is_news(before: str | None, after: str | None) -> bool:
    """Whether it is told on the front page, by its states on the two days."""
    became = after != before and after in (Status.DISCARDED, Status.ACHIEVED)
    return became or _is_worse(before, after)


def _became(changes: Changes, status: Status) -> list[Change]:
    return [one for one in changes.items if one.status_after == status != one.status_before]


def _counted(totals: Totals) -> dict[str, int]:
    """How many are counted as what: in each state, or as what goes on in others."""
    return {**totals.by_status, "merged": totals.merged, "split": totals.split}


class PillarLine(NamedTuple):
    """A pillar in the table of the front page."""

    code: str | None
    name: str | None
    by_status: dict[str, int]
    total: int


def _by_pillar(groups: list[dict[str, Any]]) -> list[PillarLine]:
    found: dict[str | None, PillarLine] = {}
    for group in groups:
        code = group["pillar"]
        line = found.get(code) or PillarLine(code, group.get("pillar_name"), {}, 0)
        counted = {**line.by_status, group[STATUS]: group["count"]}
        found[code] = line._replace(by_status=counted, total=line.total + group["count"])
    return list(found.values())


# --- pictures --------------------------------------------------------------------------------------------------------


def state_bar(by_status: dict[str, int], spoken: Language) -> Any:
    """How many are in which state."""
    shares = [pictures.Share(one, spoken.word(one), by_status.get(one, 0)) for one in ORDER]
    told = ", ".join(f"{one.label}: {one.many}" for one in shares if one.many)
    return pictures.bar(shares, told)


def account_picture(
    totals: Account, since: date, on: date, names: Mapping[Term, str], spoken: Language
) -> Any:
    """From the one count to the other, term by term: what came before what went."""
    steps = [pictures.Step(spoken.day(since), 0, totals.opening, total=True)]
    for counts, sign in ((totals.arrived, 1), (totals.left, -1)):
        for term in Term:
            if counts[term]:
                before = steps[-1].after
                steps.append(pictures.Step(names[term], before, before + sign * counts[term], sort=term))
    steps.append(pictures.Step(spoken.day(on), 0, totals.closing, total=True))
    told = "; ".join(f"{one.label}: {one.after if one.total else one.after - one.before}" for one in steps)
    return pictures.waterfall(steps, told)


def life_band(timeline: Timeline, page: Page, today: date, spoken: Language) -> Any:
    """The states of a commitment over time, with every public deadline."""
    counted = [(days, str(days.status or days.continues_as)) for days in timeline.spans]
    runs = [
        pictures.Run(
            state,
            days.from_on,
            days.until_on or date.max,
            f"{spoken.day(days.from_on)}: {spoken.word(state)}",
        )
        for days, state in counted
    ]
    deadlines = [
        (step.on, f"{spoken.text('Public deadline')}: {spoken.day(step.on)}")
        for step in page.deadlines.public
        if step.on is not None
    ]
    told = "; ".join(run.label for run in runs)
    return pictures.band(runs, deadlines, told, today)


def way(page: IndicatorPage, trajectory: Trajectory, spoken: Language) -> Any:
    """What was planned of an indicator, what was measured, and every target."""
    measured = [
        pictures.Value(one.on, one.measured, f"{spoken.day(one.on)}: {spoken.number(one.measured)}")
        for one in trajectory.items
        if one.measured is not None
    ]
    planned = [
        pictures.Value(one.on, one.planned, f"{spoken.day(one.on)}: {spoken.number(one.planned)}")
        for one in trajectory.items
        if one.planned is not None
    ]
    targets = [
        pictures.Value(
            one.on, one.level, f"{spoken.text('Target')}, {spoken.day(one.on)}: {spoken.number(one.level)}"
        )
        for one in page.targets
        if one.unit == page.unit
    ]
    told = "; ".join(one.label for one in [*measured, *targets])
    return pictures.lines(measured, planned, targets, f"{page.name} ({page.unit}): {told}")
