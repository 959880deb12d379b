"""Editions: published, listed, read in every form, compared, withdrawn; and the calendar of reports."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.edition.comparison import (
    EditionChange,
    EditionSums,
    Opened,
    compared,
    recomputed,
)
from services.reporting.edition.content import (
    EYES,
    TEMPLATE,
    EditionAbout,
    EditionContent,
    compose,
    gather,
    read,
)
from services.reporting.edition.model import Edition, kept
from services.reporting.edition.repository import Editions, content_at
from services.reporting.edition.template import csv_of, html_of, rows, sheet_of
from services.reporting.queries.access import Scope
from services.reporting.queries.editions import (
    CalendarItem,
    EditionFound,
    EditionItem,
    calendar_as_of,
    edition_as_of,
    editions_as_of,
    reports_named,
)
from services.reporting.queries.moments import AsOf
from services.reporting.reading import Reading
from services.reporting.report.model import filters_of
from services.reporting.routes.asking import (
    PUBLIC_SECONDS,
    SHOWN,
    Answer,
    Asked,
    NextPage,
    Paged,
    Question,
    Reporting,
    RuleAsked,
    RuleName,
    going_on,
    heading,
    listed,
    next_page,
    tagged,
    values_in,
)
from services.reporting.routes.tables import Tables, most_welcome
from services.reporting.tables.columns import Lang
from services.reporting.tables.csv import MEDIA_TYPE as CSV
from services.reporting.tables.xlsx import MEDIA_TYPE as XLSX
from shared.aggregate.command import Context
from shared.errors import InvalidInput
from shared.events.editions import EditionPublished, EditionWithdrawn, ReportChanged
from shared.events.streams import resolve
from shared.events.types import CivilDay
from shared.http.catalogue import Catalogue, Explained
from shared.http.context import visitor_of
from shared.http.pagination import KeyPosition
from shared.http.pdf import MEDIA_TYPE as PDF
from shared.http.pdf import PdfPress
from shared.http.preconditions import not_modified
from shared.http.requests import request_of
from shared.http.resource import Resource, command_of
from shared.http.responses import JSON, written_answer
from shared.http.routing import Router
from shared.http.templates import SELF_CONTAINED
from shared.identity.access import Access
from shared.identity.actor import Role
from shared.rules.traffic_light import TRAFFIC_LIGHT_1

_PUBLISHES: Final = Access(frozenset({Role.DCI}))
_WITHDRAWS: Final = Access(frozenset({Role.DCI}), if_match="required")
_CHECKS: Final = Access(frozenset({Role.DCI, Role.AUDITOR}), etag=True, log_position=True)
_RULE: Final = TRAFFIC_LIGHT_1
HTML: Final = "text/html"


class Form(StrEnum):
    """In which form an edition is sent."""

    JSON = "json"
    CSV = "csv"
    HTML = "html"
    XLSX = "xlsx"
    PDF = "pdf"


MEDIA_TYPES: Final = {Form.JSON: JSON, Form.CSV: CSV, Form.HTML: HTML, Form.XLSX: XLSX, Form.PDF: PDF}
Identifier = Annotated[str, Field(description="The UUID or the code.", examples=["MAY-21-2012-05-21"])]


class PageAsked(Asked):
    """A question for an edition as a page."""

    lang: Annotated[
        Lang,
        Field(
            description="The language of the headings; what was recorded stays in its own. CSV, JSON: none."
        ),
    ] = "en"


class EditionsQuery(Paged):
    """A question for the editions that were published."""

    report: Annotated[str | None, listed("The code of a report")] = None


class EditionsAnswer(Answer, kw_only=True):
    """A page of editions."""

    items: list[EditionItem]
    next: NextPage


class CalendarQuery(Question):
    """A question for the days on which reports are due."""

    first: Annotated[
        CivilDay | None,
        Field(alias="from", description="The first day; by default that of the year of the last."),
    ] = None
    last: Annotated[
        CivilDay | None, Field(alias="to", description="The last day; by default that of the year.")
    ] = None
    report: Annotated[str | None, listed("The code of a report")] = None


class CalendarAnswer(Answer, kw_only=True):
    """The days on which reports are due, and what became of each."""

    first: date = msgspec.field(name="from")
    last: date = msgspec.field(name="to")
    items: list[CalendarItem]
    next: NextPage


class EditionChangesAnswer(Answer, kw_only=True):
    """What a later edition says otherwise than an earlier one."""

    earlier: EditionItem
    later: EditionItem
    sums: EditionSums
    items: list[EditionChange]
    next: NextPage


class RecomputationQuery(Question):
    """A question for an edition as it comes out of the log."""

    rule: Annotated[
        RuleAsked | None,
        Field(description="Judge by this rule, as on the board; by default that of the edition."),
    ] = None


class RecomputationAnswer(Answer, kw_only=True):
    """Whether an edition still comes out of the log as it was published; or what it would be under another rule."""

    edition: EditionItem
    status_rule: RuleName
    recomputed_sha256: Annotated[
        str, msgspec.Meta(description="The digest of what comes out of the log today.")
    ]
    same: Annotated[bool, msgspec.Meta(description="Whether that is what was published, to the letter.")]
    differing: Annotated[
        list[str], msgspec.Meta(description="The codes of the commitments that are told otherwise.")
    ]
    recomputed: Annotated[
        EditionContent | msgspec.UnsetType,
        msgspec.Meta(description="What comes out, where a rule was asked for. It is not published."),
    ] = msgspec.UNSET


def edition_routes(reporting: Reporting, editions: Editions, tables: Tables, press: PdfPress) -> Router:
    """Every route of editions, and the calendar of reports."""
    router = Router(
        "editions", "Reports as they were published, for ever, and when each was due.", id=Identifier
    )
    resource = Resource(
        router,
        "/v1/editions/{id}",
        editions,
        readers_of=_nobody_hides,
        read=SHOWN,
        identity=lambda one: {"code": one.code},
        identity_types={"code": str},
        versioned=False,
        called=lambda one: one.code,
    )

    @router.get("/v1/report-calendar", access=SHOWN, answers=CalendarAnswer, query=CalendarQuery)
    async def get_report_calendar(request: Request, query: CalendarQuery) -> Response:
        """The days on which reports are due, by day, and whether an edition was published in time, late, or not.

        An edition counts for the due day that it names, or else for that nearest to the day it tells of; one that was
        withdrawn no longer counts.
        """
        codes = values_in(query, "report")

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[date, date, list[CalendarItem]]:
            last = query.last or (query.first or at.on).replace(month=12, day=31)
            first = query.first or last.replace(month=1, day=1)
            if first > last:
                raise InvalidInput(
                    "days-reversed", "The first day is later than the last.", pointer="/query/from"
                )
            wanted = reports_named(reading, at, scope, codes)
            return first, last, calendar_as_of(reading, at, scope, first, last, wanted)

        at, scope, (first, last, items) = await reporting.ask(request, query, answer, tells=())
        body = CalendarAnswer(**heading(at, scope), first=first, last=last, items=items, next=None)
        return tagged(request, body, at)

    @router.get("/v1/editions", access=SHOWN, answers=EditionsAnswer, query=EditionsQuery)
    async def list_editions(request: Request, query: EditionsQuery) -> Response:
        """The editions published by a day, in the order of the log; those that were withdrawn, with the reason."""
        after, pinned = going_on(request, query.cursor, KeyPosition)
        codes = values_in(query, "report")

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[list[EditionItem], bool]:
            wanted = reports_named(reading, at, scope, codes)
            begin = 0 if after is None else after[0]
            return editions_as_of(reading, at, scope, wanted, after=begin, limit=query.limit)

        at, scope, (items, more) = await reporting.ask(request, query, answer, tells=(), pinned=pinned)
        following = next_page(request, at, [items[-1].position] if more else None)
        return tagged(request, EditionsAnswer(**heading(at, scope), items=items, next=following), at)

    async def freeze(report: ReportChanged, proposed: EditionPublished) -> EditionPublished:
        def frozen(reading: Reading) -> EditionPublished:
            eyes, filters = EYES[proposed.audience], filters_of(report)
            at = AsOf(proposed.on, reading.position, None)
            told = reporting.as_told_to(reading, eyes, at.on)
            about = EditionAbout(
                code=proposed.code,
                report=proposed.report,
                report_name=report.name,
                kind=report.kind,
                addressed_to=report.addressed_to,
                audience=proposed.audience,
                on=at.on,
                due_on=proposed.due_on,
                published_on=proposed.published_on or reporting.clock.today(),
                position=told.position_told,
                known_on=told.known_on,
                status_rule=_RULE.name,
                template=TEMPLATE,
                filters=filters,
            )
            day_of, store = reporting.clock.day_of, reporting.store
            # Gathered at the position itself: what was hidden last lies beyond the one that is told.
            content = compose(about, gather(reading, store, at, eyes, filters, _RULE, day_of))
            packed, digest = kept(content)
            return msgspec.structs.replace(
                proposed,
                position=at.position,
                status_rule=_RULE.name,
                template=TEMPLATE,
                sha256=digest,
                content=packed,
            )

        return await reporting.newest(await run_in_threadpool(reporting.store.head), frozen)

    @router.post(
        "/v1/editions",
        access=_PUBLISHES,
        body=request_of(EditionPublished),
        answers=resource.written(),
    )
    async def publish_edition(request: Request, body: Any) -> Response:
        """Publishes a report as it stands on a day, for its audience: what it says is kept, and never changes.

        It holds what its audience may read of that day now, and all that is in the log by now. Bad news comes first:
        what is delayed, discarded and why, what needs attention, what was achieved late; each beside its promise.
        """
        command = await command_of(request)
        outcome = await editions.publish(body.struct(), freeze, command)
        published = await editions.find(str(outcome.stream_id), command.actor)
        return written_answer(request, outcome, f"/v1/editions/{published.code}", code=published.code)

    resource.fact("withdrawals", EditionWithdrawn, _withdraw, access=_WITHDRAWS)

    def opened(identifier: str) -> Callable[[Reading, AsOf, Scope], EditionFound]:
        edition_id = resolve("edition", editions.spelled(identifier))
        return lambda reading, at, scope: edition_as_of(reading, at, scope, edition_id)

    async def send(request: Request, identifier: str, query: Asked, form: Form, lang: Lang) -> Response:
        at, _, found = await reporting.ask(request, query, opened(identifier), tells=())
        headers = _headers(request, found, at, form, lang)
        if (held := not_modified(request, headers["ETag"], position=at.position_told)) is not None:
            return held
        content = await run_in_threadpool(content_at, reporting.store, found.item.id)
        if form is Form.XLSX:
            said = await run_in_threadpool(read, content)
            with await tables.sheet_of(sheet_of(said), rows(said)) as file:
                file.seek(0)
                sent = file.read()
        elif form in _PAGES:
            page = await run_in_threadpool(lambda: html_of(read(content), lang))
            sent = page if form is Form.HTML else await press.pdf_of(page)
        else:
            sent = content if form is Form.JSON else await run_in_threadpool(lambda: csv_of(read(content)))
        return Response(sent, 200, headers, MEDIA_TYPES[form])

    def one_form(form: Form) -> None:
        async def endpoint(request: Request, identifier: str, query: Asked) -> Response:
            return await send(request, identifier, query, form, getattr(query, "lang", "en"))

        router.get(
            f"/v1/editions/{{id}}.{form}",
            access=SHOWN,
            answers=EditionContent if form is Form.JSON else None,
            media_type=MEDIA_TYPES[form],
            query=PageAsked if form in _PAGES else Asked,
            name=f"get_edition_{form}",
            doc=f"An edition as {_SAYS[form]}; see `GET /v1/editions/{{id}}`.",
        )(endpoint)

    for form in Form:
        one_form(form)

    @router.get(
        "/v1/editions/{id}",
        access=SHOWN,
        answers=EditionContent,
        query=PageAsked,
        also=(CSV, HTML, XLSX, PDF),
    )
    async def get_edition(request: Request, identifier: str, query: PageAsked) -> Response:
        """An edition as it was published: as JSON, CSV, a page, a spreadsheet or PDF, by `Accept`.

        JSON, CSV and HTML (in either language) have the same bytes for ever, whatever is recorded, corrected or hidden
        later; the digest of the JSON is in the log. A spreadsheet has the same cells, and a PDF is the page, on paper;
        `501` where an installation makes none. One that was withdrawn can be read all the same: its answer says so
        (`Edition-Withdrawn-On`), and the list of editions why.
        """
        wanted = most_welcome(request, MEDIA_TYPES.values())
        form = next(form for form, media_type in MEDIA_TYPES.items() if media_type == wanted)
        return await send(request, identifier, query, form, query.lang)

    @router.get(
        "/v1/editions/{id}/changes/{later}",
        access=SHOWN,
        answers=EditionChangesAnswer,
        query=Paged,
        path_types={"later": Identifier},
    )
    async def get_edition_changes(request: Request, identifier: str, other: str, query: Paged) -> Response:
        """What a later edition of the same report says otherwise: what came, moved, left, and the event behind it.

        `sums` reconcile: opening + came - left = closing. What was hidden since one of them was published is told as
        both told it; the events of it are not.
        """
        after, pinned = going_on(request, query.cursor, str)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[Opened, Opened, Any]:
            day_of, store = reporting.clock.day_of, reporting.store
            earlier, later = (
                Opened(found, read(content_at(store, found.item.id)))
                for found in (opened(name)(reading, at, scope) for name in (identifier, other))
            )
            beyond = None if after is None else after[0]
            return (
                earlier,
                later,
                compared(reading, store, day_of, earlier, later, scope, beyond=beyond, limit=query.limit),
            )

        at, scope, (earlier, later, found) = await reporting.ask(
            request, query, answer, tells=(), pinned=pinned
        )
        body = EditionChangesAnswer(
            **heading(at, scope),
            earlier=earlier.found.item,
            later=later.found.item,
            sums=found.sums,
            items=found.items,
            next=next_page(request, at, [found.items[-1].code] if found.more else None),
        )
        return tagged(request, body, at)

    @router.get(
        "/v1/editions/{id}/recomputation",
        access=_CHECKS,
        answers=RecomputationAnswer,
        query=RecomputationQuery,
    )
    async def get_edition_recomputation(
        request: Request, identifier: str, query: RecomputationQuery
    ) -> Response:
        """Whether an edition comes out of the log today as it was published, by its position and its rule.

        It does, unless an event that it rests on can no longer be read. With `rule`, what it would have been under
        another one: what was published stays as it is.
        """

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[EditionFound, Any]:
            found = opened(identifier)(reading, at, scope)
            content = content_at(reporting.store, found.item.id)
            return found, recomputed(
                reading, reporting.store, reporting.clock.day_of, found, content, query.rule
            )

        at, scope, (found, anew) = await reporting.ask(request, query, answer, tells=())
        body = RecomputationAnswer(
            **heading(at, scope),
            edition=found.item,
            status_rule=anew.content.edition.status_rule,
            recomputed_sha256=anew.sha256,
            same=anew.sha256 == found.item.sha256,
            differing=anew.differing,
        )
        if query.rule is not None:
            body.recomputed = anew.content
        return tagged(request, body, at)

    return router


def _withdraw(edition: Edition, proposed: EditionWithdrawn, _: Context) -> EditionWithdrawn:
    """Takes back what an edition stands for: it stays listed with the reason, and can still be read."""
    return edition.withdraw(proposed)


_withdraw.__name__ = "withdraw_edition"


async def _nobody_hides(_: Any) -> None:
    """An edition names nothing that has readers of its own."""


_SAYS: Final = {
    Form.JSON: "JSON",
    Form.CSV: "CSV, a row for each commitment",
    Form.HTML: "a page",
    Form.XLSX: "a spreadsheet, a row for each commitment",
    Form.PDF: "PDF, for printing: PDF/UA, made of the page",
}
_PAGES: Final = (Form.HTML, Form.PDF)


def _headers(request: Request, found: EditionFound, at: AsOf, form: Form, lang: Lang) -> dict[str, str]:
    edition = found.item
    headers = {
        # What it says never changes; whether it stands does, and then it has another version.
        "ETag": f'"{edition.version}-{edition.sha256[:24]}{list(Form).index(form)}{"" if lang == "en" else lang}"',
        "Log-Position": str(at.position_told),
        "Vary": "Accept",
        "Content-Disposition": f'{"inline" if form in _SHOWN else "attachment"}; filename="{edition.code}.{form}"',
    }
    if edition.withdrawn_on is not None:
        headers["Edition-Withdrawn-On"] = edition.withdrawn_on.isoformat()
    if form in _PAGES:
        headers |= {"Content-Language": lang, "Content-Security-Policy": SELF_CONTAINED}
    if visitor_of(request) is None:
        headers["Cache-Control"] = f"public, max-age={PUBLIC_SECONDS}"
    return headers


_SHOWN: Final = (Form.JSON, Form.HTML, Form.PDF)

ERRORS: Catalogue = {
    "unknown-report": Explained(
        422, "Unknown report", "Lay the report down first: `PUT /v1/reports/{code}`."
    ),
    "edition-not-found": Explained(
        404, "No such edition", "There is no edition by this code or id, or none you may know of."
    ),
    "day-to-come": Explained(422, "Day to come", "An edition tells of today or of a day before."),
    "published-on-impossible": Explained(
        422, "Impossible day of publication", "`published_on` lies between `on` and today."
    ),
    "not-a-due-day": Explained(
        422,
        "Not a due day",
        "`due_on` is a day on which the report is due, and no later than the next; see `/v1/report-calendar`.",
    ),
    "edition-withdrawn": Explained(409, "Edition withdrawn", "It was withdrawn before, and stays so."),
    "edition-too-large": Explained(
        409, "Edition too large", "Let the report tell of fewer commitments: by pillar, organisation or kind."
    ),
    "editions-not-comparable": Explained(
        422,
        "Editions not comparable",
        "Two editions of one report for the same audience are compared, the earlier one first.",
    ),
    "calendar-too-long": Explained(422, "Calendar too long", "Ask for ten years at most."),
    "edition-unreadable": Explained(
        503, "Edition unreadable", "For the operator: `bitacora verify` tells which event it is."
    ),
}
