"""The lists of reporting as tables: each says what its list says, whole, to whom it says it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date, datetime
from functools import cache
from typing import Any

import openpyxl
import pytest

from services.reporting.routes import tables
from services.reporting.routes.board import GROUPS
from services.reporting.tables.columns import labels
from tests.api.conformance import openapi
from tests.api.house import House, refused
from tests.api.story import Story, register

SPREAD = {
    "board-changes": "changes",
    "decisions-gaps": "gaps",
    "indicator-targets": "targets",
    "indicator-values": "values",
    "meeting-register": "periods",
}
"""Tables that have a row for each member of a list of an item."""
ANY_FORM = ("effect", "difficulty", "from", "to", "parameters")
"""Members that may be documents of any form: these stand in one cell."""
DAYS = "from=2012-01-01&to=2013-04-30"
CSV, XLSX, JSONL = (tables.MEDIA_TYPES[form] for form in tables.Form)


@cache
def datasets() -> list[str]:
    """The lists that the document says there are tables of."""
    parameters = openapi("reporting")["paths"]["/v1/exports/{dataset}.{format}"]["get"]["parameters"]
    found: list[str] = next(one["schema"]["enum"] for one in parameters if one["name"] == "dataset")
    return found


def path_of(dataset: str) -> Any:
    """The path of a list."""
    paths = openapi("reporting")["paths"]
    return next(path for path in paths if path.removeprefix("/v1/").replace("/", "-") == dataset)


def asking(dataset: str) -> str:
    """What must be asked of a list, and so of its table."""
    parameters = openapi("reporting")["paths"][path_of(dataset)]["get"]["parameters"]
    required = {one["name"] for one in parameters if one["in"] == "query" and one["required"]}
    assert required <= {"from", "to"}, f"{dataset} must be asked something else"
    return f"?{DAYS}" if required or dataset == "meeting-register" else "?"


@pytest.fixture(scope="module", autouse=True)
async def dated(house: House, story: Story) -> None:
    """A commitment with a deadline, and a title that a spreadsheet would take for a formula."""
    await register(
        house,
        "DATED-1",
        visibility="public",
        public_deadline={"on": "2013-12-31"},
        title='=HYPERLINK("https://example.org","-")',
    )
    await house.settled()


async def table(house: House, path: str, **more: Any) -> list[dict[str, str]]:
    """The rows of a CSV."""
    answer = await house.ask("reporting", "GET", path, **more)
    assert answer.status_code == 200, (path, answer.text)
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


def flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The members of a document and of those within it, by their names put together."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, f"{name}_{key}" if name else key)
    elif value is not None and value != []:
        yield name, value


def written(value: Any) -> str:
    """How a value of JSON stands in a CSV, where no spreadsheet could take it for a formula."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        if any(isinstance(one, dict) for one in value):
            return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        return "; ".join(map(str, value))
    text = str(value)
    return f"'{text}" if text.startswith("=") else text


async def test_every_list_is_a_table_that_says_what_it_says(house: House, story: Story) -> None:
    await house.settled()
    assert {"board", "commitments", "decisions", "indicators", "tree", "due"} <= {*datasets()}
    compared = 0
    for dataset in datasets():
        rows = await table(house, f"/v1/exports/{dataset}.csv{asking(dataset)}")
        items = (await house.read("reporting", f"{path_of(dataset)}{asking(dataset)}"))["items"]
        if dataset == "tree":
            continue
        if dataset in SPREAD:
            items = [item | {SPREAD[dataset]: one} for item in items for one in item[SPREAD[dataset]]]
        assert len(rows) == len(items), dataset
        for row, item in zip(rows, items, strict=True):
            for name, value in flat(item):
                if name not in row:
                    assert any(f"_{word}_" in f"_{name}" for word in ANY_FORM), (dataset, name)
                    continue
                assert row[name] == written(value), (dataset, name)
                compared += 1
    assert compared > 300


async def test_what_is_nested_has_a_row_for_each(house: House, story: Story) -> None:
    periods = await table(house, f"/v1/exports/meeting-register.csv?{DAYS}")
    items = (await house.read("reporting", f"/v1/meeting-register?{DAYS}"))["items"]
    assert [(row["body"], row["periods_period"], row["periods_counts_held"]) for row in periods] == [
        (item["body"], one["period"], str(one["counts"]["held"])) for item in items for one in item["periods"]
    ]
    tree = await table(house, "/v1/exports/tree.csv")
    branches = (await house.read("reporting", "/v1/tree"))["items"]

    def walked(nodes: list[Any], level: int, parent: str) -> Iterator[tuple[str, str, str]]:
        for node in nodes:
            yield str(level), parent, node.get("code") or ""
            yield from walked(node["items"], level + 1, node.get("code") or "")

    assert [(row["level"], row["parent"], row["code"]) for row in tree] == list(walked(branches, 0, ""))


async def test_a_table_takes_what_its_list_takes_and_nothing_else(house: House, story: Story) -> None:
    codes = [
        row["code"] for row in await table(house, "/v1/exports/commitments.csv?pillar=SECURITY&q=OPEN-1")
    ]
    found = await house.read("reporting", "/v1/commitments?pillar=SECURITY&q=OPEN-1")
    assert codes == [item["code"] for item in found["items"]]
    assert codes
    for query, code in (
        ("limit=5", "table-has-no-pages"),
        ("cursor=x", "table-has-no-pages"),
        ("colour=red", "query-unknown"),
        ("pillar=NONE", "filter-value-unknown"),
        ("lang=fr", "request-invalid"),
        ("bom=perhaps", "request-invalid"),
        ("on=2013-13-01", "request-invalid"),
    ):
        answer = await house.ask("reporting", "GET", f"/v1/exports/commitments.csv?{query}")
        assert refused(answer) == (422, code), query
    for path in ("nothing.csv", "board.pdf", "commitments-{id}-timeline.csv"):
        assert refused(await house.ask("reporting", "GET", f"/v1/exports/{path}")) == (404, "not-found")
    anybody = await house.ask("reporting", "GET", "/v1/exports/due.csv", credentials={})
    assert refused(anybody) == (401, "credentials-required")


async def test_all_pages_are_in_it(house: House, story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {
        name: await house.ask("reporting", "GET", f"/v1/exports/{name}.csv")
        for name in ("board", "decisions")
    }
    monkeypatch.setattr(tables, "PAGE", 1)
    for name, answer in whole.items():
        paged = await house.ask("reporting", "GET", f"/v1/exports/{name}.csv")
        assert paged.content == answer.content
        assert paged.headers["etag"] == answer.headers["etag"]
        assert paged.content.count(b"\r\n") > 2


async def test_a_list_is_a_table_for_who_accepts_one(house: House, story: Story) -> None:
    for accept, given in (
        ("text/csv", CSV),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("application/json;q=0.1, text/*", CSV),
        ("application/jsonl", JSONL),
        ("application/x-ndjson", JSONL),
        (XLSX, XLSX),
        ("text/html, */*;q=0.8", "application/json"),
        ("image/png", "application/json"),
    ):
        answer = await house.ask("reporting", "GET", "/v1/board?status=on_time", Accept=accept)
        assert answer.headers["content-type"].partition(";")[0] == given, accept
        assert "Accept" in answer.headers["vary"].split(", ")
    line = await house.ask("reporting", "GET", "/v1/commitments/OPEN-1/timeline", Accept="text/csv")
    assert line.text.startswith("from_on,until_on,status,")


async def test_json_lines_are_the_items_as_they_are_answered(house: House, story: Story) -> None:
    lines = await house.ask("reporting", "GET", "/v1/exports/decisions.jsonl")
    assert [json.loads(line) for line in lines.text.splitlines()] == (
        await house.read("reporting", "/v1/decisions")
    )["items"]


async def test_a_spreadsheet_has_typed_cells_and_says_what_it_is(house: House, story: Story) -> None:
    await house.settled()
    answer = await house.ask("reporting", "GET", "/v1/exports/commitments.xlsx?on=2013-04-30&lang=es")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    sheet, about = book.worksheets
    items = (await house.read("reporting", "/v1/commitments?on=2013-04-30"))["items"]
    assert (sheet.title, about.title, sheet.freeze_panes) == ("commitments", "Acerca de", "A2")
    assert sheet.auto_filter.ref.startswith("A1:")
    header, *rows = sheet.iter_rows(values_only=True)
    assert header[2:5] == ("Título", "Estado", "Estado a causa de: Posición en el registro")
    assert [row[1] for row in rows] == [item["code"] for item in items]
    place = header.index("Plazo público")
    days = [row[place].date() if row[place] else None for row in rows]
    assert days == [
        None if item["public_deadline_on"] is None else date.fromisoformat(item["public_deadline_on"])
        for item in items
    ]
    assert any(days)
    assert all(isinstance(row[4], int) for row in rows)
    (title,) = [cell for cell in sheet["C"] if str(cell.value).startswith("=")]
    assert (title.data_type, title.hyperlink) == ("s", None)
    told = {row[0]: row[1] for row in about.iter_rows(max_col=2, values_only=True)}
    assert told["Día"] == "2013-04-30"
    assert told["Posición en el registro"] == answer.headers["log-position"]
    assert told["Regla de los estados"] == "traffic_light_1"
    assert told["Se preguntó"].endswith("/v1/commitments?on=2013-04-30")
    assert told["public_deadline_on"] == "Plazo público"
    assert not any(isinstance(cell, datetime) for row in rows for cell in row[:2])


async def test_a_table_is_a_file_with_a_name_and_a_tag(house: House, story: Story) -> None:
    for form in tables.Form:
        path = f"/v1/exports/board.{form}?on=2013-04-30"
        answer = await house.ask("reporting", "GET", path)
        at = answer.headers["log-position"]
        name = f'attachment; filename="bitacora-board-2013-04-30-at-{at}.{form}"'
        assert answer.headers["content-disposition"] == name
        again = await house.ask("reporting", "GET", path, If_None_Match=answer.headers["etag"])
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])
    everybody = await house.ask("reporting", "GET", "/v1/exports/board.csv", credentials={})
    assert everybody.headers["cache-control"] == "public, max-age=5"


async def test_who_reads_a_csv_in_excel_asks_for_a_mark_and_for_words(house: House, story: Story) -> None:
    plain = await house.ask("reporting", "GET", "/v1/exports/board.csv")
    for lang, label in (("es", "Plazo público"), ("en", "Public deadline")):
        answer = await house.ask("reporting", "GET", f"/v1/exports/board.csv?bom=true&lang={lang}")
        assert answer.content.startswith(b"\xef\xbb\xbf")
        header, _, rest = answer.content.decode("utf-8-sig").partition("\r\n")
        assert label in header.split(",")
        assert rest == plain.content.decode().partition("\r\n")[2]


async def test_a_board_by_groups_has_their_columns(house: House, story: Story) -> None:
    for groups in ("status", "pillar,status", ",".join(GROUPS)):
        rows = await table(house, f"/v1/exports/board.csv?group_by={groups}")
        items = (await house.read("reporting", f"/v1/board?group_by={groups}"))["items"]
        assert len(rows) == len(items) > 0
        for row, item in zip(rows, items, strict=True):
            assert {name: cell for name, cell in row.items() if cell} == {
                name: written(value) for name, value in flat(item)
            }


async def test_every_column_has_a_label_in_both_languages(house: House) -> None:
    listings = tables.listings_in(house.apps["reporting"].router.routes)
    names = {
        part
        for listing in listings.values()
        for column in (
            *listing.columns(None),
            *tables.columns_of_groups(GROUPS),
            *tables.columns_of_groups(["pillar"]),
        )
        for part in column.path
    }
    assert names - labels().keys() == set()
    for name, texts in labels().items():
        assert texts.keys() == {"es", "en"}, name
        assert all(texts.values()), name


async def test_a_spreadsheet_that_cannot_be_made_is_a_problem(
    house: House, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MEMORY", 1024)
    answer = await house.ask("reporting", "GET", "/v1/exports/board.xlsx")
    assert refused(answer) == (503, "spreadsheet-not-made")
