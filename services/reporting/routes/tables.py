"""The lists of this service as tables: whole, in files, for people with spreadsheets and for scripts.

A table is made of what its list answers, page after page, all from one snapshot of the read model: so its filters, its
two times and what its asker may see are those of the list. It is written to a file first and sent when it is whole:
what goes wrong is then a problem and never a table that ends too early, and a table costs no memory however long it is.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from enum import StrEnum
from hashlib import blake2b
from tempfile import TemporaryFile
from typing import Annotated, Any, BinaryIO, Final, NamedTuple, Protocol, get_args, get_origin
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import msgspec
from msgspec import Raw
from pydantic import ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from services.reporting.datasets import Type
from services.reporting.queries.board import DIMENSIONS, STATUS, Totals
from services.reporting.routes.asking import HELD, SHOWN, HeldSnapshot
from services.reporting.tables import xlsx
from services.reporting.tables.columns import (
    Cell,
    Column,
    Kind,
    Lang,
    Output,
    Shape,
    cells_of,
    columns_of,
    plain,
    rows_of,
    word,
)
from services.reporting.tables.csv import MEDIA_TYPE as CSV
from services.reporting.tables.csv import CsvTable
from services.reporting.tables.jsonl import MEDIA_TYPE as JSON_LINES
from services.reporting.tables.jsonl import JsonLines
from services.reporting.tables.xlsx import MEDIA_TYPE as XLSX
from services.reporting.tables.xlsx import MOST_ROWS, Sheet, SheetColumn
from shared.apart import NotMadeError, made_apart
from shared.errors import InvalidInput, NotFound, Unavailable
from shared.http.context import KEY, address_within, context_of
from shared.http.names import split_words
from shared.http.preconditions import not_modified
from shared.http.resource import LONGEST_WAIT
from shared.http.responses import JSON, QUARANTINED
from shared.http.routing import Declaration, DeclaredRoute, Endpoint, Query, Router


class Form(StrEnum):
    """In which form a table is."""

    CSV = "csv"
    XLSX = "xlsx"
    JSONL = "jsonl"


MEDIA_TYPES: Final = {Form.CSV: CSV, Form.XLSX: XLSX, Form.JSONL: JSON_LINES}
_ACCEPTED: Final = {
    JSON: None,
    **{name: form for form, name in MEDIA_TYPES.items()},
    "application/x-ndjson": Form.JSONL,
}
"""What a list can be asked for as; where several are as welcome, the first."""
PAGE: Final = 1_000
"""Items of a list that are taken at once."""
PIECE: Final = 256 * 1024
"""Bytes of a file that are sent at once."""
MEMORY: Final = 1024**3
"""Bytes that the process may have that writes a spreadsheet."""
SHAPES: Final = {
    "board-changes": Shape(spread="changes"),
    "decisions-gaps": Shape(spread="gaps"),
    "indicator-targets": Shape(spread="targets"),
    "indicator-values": Shape(spread="values"),
    "meeting-register": Shape(spread="periods"),
    "tree": Shape(nested="items"),
}
"""What is a row, where it is not an item of the list."""
_ASKED: Final = "bitacora.table"
_PAGING: Final = frozenset({"limit", "cursor"})


class AskedTable(NamedTuple):
    """Which table is asked for."""

    form: Form
    lang: Lang | None = None
    bom: bool = False


class Limits(NamedTuple):
    """How many tables are made at once, and for how many seconds one may take."""

    at_once: int
    seconds: float


class ExportQuery(Query):
    """What is asked of a table besides what its list is asked."""

    model_config = ConfigDict(extra="ignore")

    lang: Annotated[
        Lang | None,
        Field(
            description="The language of what stands above the columns; by default the names of the fields."
        ),
    ] = None
    bom: Annotated[
        bool, Field(description="Whether a CSV begins with a byte order mark, by which Excel knows UTF-8.")
    ] = False


class Listing(NamedTuple):
    """A list that can be had as a table."""

    dataset: str
    item: type[msgspec.Struct]
    route: DeclaredRoute

    def columns(self, query: Any) -> list[Column]:
        """The columns of the table that a query asks for."""
        groups = getattr(query, "group_by", None)
        if self.dataset == "board" and groups:
            return list(columns_of_groups(split_words(groups)))
        return columns_of(self.item, self.shape)

    @property
    def shape(self) -> Shape:
        """What its rows are."""
        return SHAPES.get(self.dataset, Shape())


def columns_of_groups(names: Sequence[str]) -> Iterator[Column]:
    """The columns of a board that is counted by groups."""
    for name in names:
        flag = name != STATUS and DIMENSIONS[name].value is Type.FLAG
        yield Column(name, (name,), Kind.FLAG if flag else Kind.TEXT)
        if name != STATUS and DIMENSIONS[name].names:
            yield Column(f"{name}_name", (f"{name}_name",), Kind.TEXT)
    yield Column("count", ("count",), Kind.INTEGER)
    left_out = {"registered", "without_deadline", "withdrawn"}
    if STATUS in names:
        left_out |= {"by_status", "merged", "split"}
    yield from (column for column in columns_of(Totals) if column.path[0] not in left_out)


def listings_in(routes: Iterable[BaseRoute]) -> dict[str, Listing]:
    """The lists among some routes, by the name of what they list: their path, with `-` for `/`."""
    found = {}
    for route in routes:
        if isinstance(route, DeclaredRoute) and (item := _item_of(route.declaration)) is not None:
            dataset = route.declaration.path.removeprefix("/v1/").replace("/", "-")
            found[dataset] = Listing(dataset, item, route)
    return found


def _item_of(declaration: Declaration) -> type[msgspec.Struct] | None:
    """What a route lists, if it lists anything."""
    answer = declaration.answers.get(200)
    if isinstance(answer, tuple):
        answer, *_ = answer
    if declaration.method != "GET" or answer is None or not issubclass(answer, msgspec.Struct):
        return None
    members = {field.name: plain(field.type) for field in msgspec.structs.fields(answer)}
    if "next" not in members or get_origin(members.get("items")) is not list:
        return None
    item = plain(get_args(members["items"])[0])
    return item if isinstance(item, type) and issubclass(item, msgspec.Struct) else None


class Tables:
    """Makes tables of the lists of a service."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._turns = asyncio.Semaphore(limits.at_once)
        self._listings: dict[str, Listing] = {}

    def offer(self, routers: Sequence[Router]) -> Router:
        """Let the lists among some routes be had as tables, too; the routes of the tables themselves."""
        for router in routers:
            for dataset, listing in listings_in(router.routes).items():
                declaration = replace(listing.route.declaration, also=(CSV, XLSX, JSON_LINES))
                route = DeclaredRoute(declaration, self._also_as_table(listing))
                router.routes[router.routes.index(listing.route)] = route
                self._listings[dataset] = listing._replace(route=route)
        return self._routes()

    def _also_as_table(self, listing: Listing) -> Endpoint:
        endpoint = listing.route.answer

        async def answer(request: Request, *arguments: Any) -> Response:
            asked: AskedTable | None = request.scope.get(_ASKED) or _accepted(request)
            if asked is None:
                return await endpoint(request, *arguments)
            return await self._table(request, listing, arguments, asked)

        return answer

    def _routes(self) -> Router:
        router = Router("exports", "Lists as tables: CSV, spreadsheets and JSON Lines.")
        whole = sorted(name for name in self._listings if "{" not in name)

        @router.get(
            "/v1/exports/{dataset}.{format}",
            access=SHOWN,
            answers=None,
            query=ExportQuery,
            any_query=True,
            media_type=CSV,
            also=(XLSX, JSON_LINES),
            path_types={
                "dataset": Annotated[
                    str,
                    Field(
                        description="A list: its path, with `-` for `/`.",
                        json_schema_extra={"enum": [*whole]},
                    ),
                ],
                "format": Annotated[
                    str, Field(description="In which form.", json_schema_extra={"enum": [*Form]})
                ],
            },
            descriptions={200: "The whole table, as a file."},
        )
        async def get_table(request: Request, dataset: str, form: str, query: ExportQuery) -> Response:
            """A list as a table, whole: CSV, a spreadsheet, or JSON Lines with each item as the list answers it.

            It takes what its list takes, but for `limit` and `cursor`, and is answered to whom its list is answered.
            The columns are the fields of an item, those within others under both names (`budget_impact_amount`);
            several words stand in one cell, `; ` between them, and documents in a list are JSON. Texts that a
            spreadsheet would take for a formula begin with an apostrophe in CSV.
            """
            listing = self._listings.get(dataset)
            if listing is None or dataset not in whole or form not in list(Form):
                raise NotFound("not-found", "There is no such table.")
            asked = AskedTable(Form(form), query.lang, query.bom)
            passed_on = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
            scope = {
                **request.scope,
                "path": request.scope.get("root_path", "") + listing.route.path,
                "path_params": {},
                "query_string": urlencode(
                    [pair for pair in passed_on if pair[0] not in ExportQuery.model_fields]
                ).encode(),
                _ASKED: asked,
            }
            answer: Response = await listing.route.endpoint(Request(scope, request.receive))
            return answer

        return router

    # --- making one ------------------------------------------------------------------------------------------------

    async def _table(
        self,
        request: Request,
        listing: Listing,
        arguments: Sequence[Any],
        asked: AskedTable,
    ) -> Response:
        """The answer: a table, or that the asker holds it already."""
        for name in _PAGING & request.query_params.keys():
            raise InvalidInput("table-has-no-pages", "A table is given whole.", pointer=f"/query/{name}")
        async with self.turn():
            made = await self._written(request, listing, arguments, asked)
            if asked.form is Form.XLSX and not_modified(request, made.tag) is None:
                made = made._replace(file=await self._spreadsheet(made.file))
        return sent(request, made, asked.form, MEDIA_TYPES[asked.form])

    def columns(self, dataset: str) -> list[Column]:
        """The columns of a table."""
        return self._listings[dataset].columns(None)

    async def made(self, request: Request, dataset: str, asked: Mapping[str, str], table: AskedTable) -> Made:
        """A table, of what its list is asked; whoever asks for it has the right to make one (`turn`)."""
        listing = self._listings[dataset]
        assert listing.route.declaration.query is not None
        return await self._written(
            request, listing, [listing.route.declaration.query.model_validate(asked)], table
        )

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """The right to make a table, for as long as one may take: Unavailable when others have it, or after that."""
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                await self._turns.acquire()
        except TimeoutError as error:
            raise Unavailable("tables-busy", "Other tables are being made: ask again.") from error
        try:
            async with asyncio.timeout(self._limits.seconds):
                yield
        except TimeoutError as error:
            raise Unavailable(
                "table-too-slow", "The table took too long: ask again, or for less of it."
            ) from error
        finally:
            self._turns.release()

    async def _written(
        self,
        request: Request,
        listing: Listing,
        arguments: Sequence[Any],
        asked: AskedTable,
    ) -> Made:
        """A list as a file; for a spreadsheet, the file of which one is made."""
        file = TaggedFile(TemporaryFile(), asked.form)  # noqa: SIM115 - closed when it has been sent
        try:
            writer: _Writer | None = None
            async with aclosing(_pages(request, listing.route.answer, arguments)) as pages:
                async for page in pages:
                    if writer is None:
                        first, writer = page, _writer(file, request, listing, arguments[-1], page, asked)
                    await run_in_threadpool(writer.write, page.items)
            assert writer is not None
        except BaseException:
            file.file.close()
            raise
        days = [first.about[name] for name in ("from", "to", "on") if name in first.about]
        told = f"at-{first.headers['Log-Position']}"
        name = "-".join(("bitacora", listing.dataset, *days[:2], told))
        return Made(file.file, file.tag(), name, first.headers)

    async def sheet_of(self, sheet: Sheet, rows: Iterable[Sequence[Cell]]) -> BinaryIO:
        """A spreadsheet of some rows, to be closed when it has been sent."""
        async with self.turn():
            file = TemporaryFile()  # noqa: SIM115 - closed when the spreadsheet is made of it
            await run_in_threadpool(lambda: _LinesForSheet(file, sheet).write(iter(rows)))
            return await self._spreadsheet(file)

    async def _spreadsheet(self, rows: BinaryIO) -> BinaryIO:
        """What a process apart makes of rows, which are then closed."""
        await run_in_threadpool(rows.seek, 0)
        try:
            return await made_apart(xlsx.__name__, rows, seconds=self._limits.seconds, memory=MEMORY)
        except NotMadeError as error:
            raise Unavailable(
                "spreadsheet-not-made", "The spreadsheet could not be made: ask for CSV."
            ) from error


class Made(NamedTuple):
    """A file that was made: its tag, what it is called, and the headers that it goes with."""

    file: BinaryIO
    tag: str
    name: str
    headers: Mapping[str, str]


def sent(request: Request, made: Made, ending: str, media_type: str) -> Response:
    """The answer with a file, or that the asker holds it already."""
    held = not_modified(request, made.tag)
    if held is not None:
        made.file.close()
        held.headers.update(made.headers)
        return held
    disposition = f'attachment; filename="{made.name}.{ending}"'
    headers = {**made.headers, "ETag": made.tag, "Content-Disposition": disposition}
    return FileAnswer(made.file, headers, media_type)


class TaggedFile:
    """A file that is written from beginning to end, and a tag made of all that was."""

    def __init__(self, file: Any, kind: str) -> None:
        self.file = file
        self._hash = blake2b(kind.encode(), digest_size=12)

    def write(self, content: bytes) -> int:
        """Write on."""
        self._hash.update(content)
        return int(self.file.write(content))

    def tag(self) -> str:
        """The tag."""
        self.file.flush()
        return f'"{self._hash.hexdigest()}"'


class FileAnswer(StreamingResponse):
    """A file, sent a piece at a time and closed after that."""

    def __init__(self, file: BinaryIO, headers: Mapping[str, str], media_type: str) -> None:
        length = file.seek(0, os.SEEK_END)
        super().__init__(
            self._pieces(), headers={**headers, "Content-Length": str(length)}, media_type=media_type
        )
        self._file = file

    async def _pieces(self) -> AsyncIterator[bytes]:
        self._file.seek(0)
        while piece := await run_in_threadpool(self._file.read, PIECE):
            yield piece

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        with self._file:
            await super().__call__(scope, receive, send)


# --- pages, rows -----------------------------------------------------------------------------------------------------


class _Page(NamedTuple):
    """Part of a list: its items, what the list says of itself, and the headers it came with."""

    items: list[Raw]
    about: dict[str, Any]
    headers: dict[str, str]


class _Writer(Protocol):
    def write(self, items: list[Raw]) -> None: ...


_members = msgspec.json.Decoder(dict[str, Raw]).decode
_item = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode
_items = msgspec.json.Decoder(list[Raw]).decode
_value = msgspec.json.Decoder(float_hook=Decimal).decode
_line = msgspec.json.Encoder(decimal_format="number").encode


_OF_THE_WHOLE: Final = frozenset({b"if-none-match", b"accept"})
"""Headers that are about the whole table and not about the pages that it is made of."""


async def _pages(
    request: Request, endpoint: Endpoint, arguments: Sequence[Any]
) -> AsyncGenerator[_Page, None]:
    """A list, from one snapshot, as it would be answered page by page."""
    *of_path, query = arguments
    paged = {"limit", "cursor"} <= type(query).model_fields.keys()
    context = context_of(request)
    headers = {name: value for name, value in context.headers.items() if name not in _OF_THE_WHOLE}
    context = msgspec.structs.replace(context, headers=headers)
    held = request.scope.get(HELD) or HeldSnapshot()
    asking = Request({**request.scope, KEY: context, HELD: held, _ASKED: None}, request.receive)
    cursor = None
    try:
        while True:
            asked = query.model_copy(update={"limit": PAGE, "cursor": cursor}) if paged else query
            answer = await endpoint(asking, *of_path, asked)
            members = _members(bytes(answer.body))
            items = _items(members.pop("items"))
            following = _value(members.pop("next"))
            about = {name: _value(value) for name, value in members.items()}
            kept = ("Log-Position", "Cache-Control", QUARANTINED)
            yield _Page(items, about, {name: answer.headers[name] for name in kept if name in answer.headers})
            if following is None:
                return
            (cursor,) = parse_qs(urlsplit(following).query)["cursor"]
    finally:
        if HELD not in request.scope:
            await run_in_threadpool(held.close)


class _Rows:
    """Items as rows, written as they are by what writes rows."""

    def __init__(self, table: Any, columns: Sequence[Column], shape: Shape) -> None:
        self._table, self._columns, self._shape = table, columns, shape

    def write(self, items: list[Raw]) -> None:
        """Write the rows of some items."""
        self._table.write(
            cells_of(self._columns, row) for item in items for row in rows_of(_item(item), self._shape)
        )


class _LinesForSheet:
    """The rows of a sheet, for the process that writes it."""

    def __init__(self, file: Output, sheet: Sheet) -> None:
        self._file, self._rows = file, 0
        file.write(_line(sheet) + b"\n")

    def write(self, rows: Iterator[Any]) -> None:
        """Write rows; InvalidInput for more than a sheet can have."""
        for row in rows:
            self._rows += 1
            if self._rows > MOST_ROWS:
                raise InvalidInput(
                    "table-too-long",
                    f"A spreadsheet has {MOST_ROWS} rows at most: ask for CSV, or for fewer.",
                )
            self._file.write(_line(row) + b"\n")


def _writer(
    file: Any, request: Request, listing: Listing, query: Any, page: _Page, asked: AskedTable
) -> _Writer:
    if asked.form is Form.JSONL:
        return JsonLines(file)
    columns = listing.columns(query)
    table = (
        CsvTable(file, columns, lang=asked.lang, bom=asked.bom)
        if asked.form is Form.CSV
        else _LinesForSheet(file, _sheet(request, listing.dataset, columns, page.about, asked.lang))
    )
    return _Rows(table, columns, listing.shape)


def _sheet(
    request: Request, dataset: str, columns: Sequence[Column], about: Mapping[str, Any], lang: Lang | None
) -> Sheet:
    address = str(address_within(request).replace(query=request.scope["query_string"].decode("latin-1")))
    told = {"asked": address} | {
        name: value["things"] if name.endswith("corrected") else value
        for name, value in about.items()
        if name.endswith("corrected") or not isinstance(value, dict | list)
    }
    return Sheet(
        name=dataset,
        columns=[SheetColumn(one.label(lang), one.kind, one.name, one.about) for one in columns],
        about=[(word(name, lang), "" if value is None else str(value)) for name, value in told.items()],
        about_name=word("about", lang),
        fields_header=[word(name, lang) for name in ("field", "label", "meaning")],
        cut=word("cut", lang),
    )


def _accepted(request: Request) -> AskedTable | None:
    """The table that is more welcome to the asker than the list is; None for the list."""
    form = _ACCEPTED[most_welcome(request, _ACCEPTED)]
    return None if form is None else AskedTable(form)


def most_welcome(request: Request, media_types: Iterable[str]) -> str:
    """The media type that is most welcome to the asker; of those as welcome, or where none is, the first."""
    accept = context_of(request).headers.get(b"accept", b"").decode("latin-1").lower()
    ranges = []
    for part in accept.split(","):
        name, *parameters = (one.strip() for one in part.split(";"))
        weight = next((one[2:] for one in parameters if one.startswith("q=")), "1")
        ranges.append((name, float(weight) if weight.replace(".", "", 1).isdecimal() else 0.0))

    def welcome(name: str) -> float:
        for admitted in (name, f"{name.partition('/')[0]}/*", "*/*"):
            for one, weight in ranges:
                if one == admitted:
                    return weight
        return 0.0

    return max(media_types, key=welcome)
