"""Tables in files: what stands in a cell is what was to be told, whatever reads the file."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import msgspec
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta
from python_calamine import load_workbook

from services.reporting.tables.columns import Cell, Column, Kind, Shape, cells_of, columns_of, rows_of
from services.reporting.tables.csv import CsvTable
from services.reporting.tables.xlsx import LONGEST, Sheet, SheetColumn, write_xlsx

FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Money(msgspec.Struct):
    """An amount."""

    amount: str
    currency: str


class Part(msgspec.Struct):
    """What a thing has several of."""

    name: str
    cost: Money | None = None


class Thing(msgspec.Struct):
    """What a table tells of."""

    code: str
    due_on: date | None
    impact: Money | None
    share: Annotated[Decimal | None, Meta(description="How much of it.")]
    words: list[str]
    parts: list[Part]
    open: bool = True


def column(kind: Kind, name: str = "c") -> Column:
    """A column of a kind."""
    return Column(name, (name,), kind)


def in_csv(columns: list[Column], *rows: list[Cell]) -> list[list[str]]:
    """The fields that the csv module reads in a file of some rows."""
    file = io.BytesIO()
    CsvTable(file, columns).write(rows)
    return list(csv.reader(io.StringIO(file.getvalue().decode(), newline="")))[1:]


def in_xlsx(kinds: list[Kind], *rows: list[Cell], scratch: Path) -> Any:
    """The two sheets of a file of some rows, by another library than the one that wrote it."""
    file = io.BytesIO()
    columns = [SheetColumn(f"C{number}", kind, f"c{number}", "") for number, kind in enumerate(kinds)]
    sheet = Sheet("things", columns, [("asked", "=1+1")], "about", ["field", "label", "meaning"], "cut")
    write_xlsx(file, sheet, rows, scratch=scratch)
    return openpyxl.load_workbook(file).worksheets


def test_columns_are_the_members_of_a_document_and_of_those_within_it() -> None:
    columns = columns_of(Thing)
    assert [(one.name, one.kind) for one in columns] == [
        ("code", Kind.TEXT),
        ("due_on", Kind.DAY),
        ("impact_amount", Kind.NUMBER),
        ("impact_currency", Kind.TEXT),
        ("share", Kind.NUMBER),
        ("words", Kind.TEXT),
        ("parts", Kind.TEXT),
        ("open", Kind.FLAG),
    ]
    assert columns[4].about == "How much of it."
    item = {
        "code": "A",
        "due_on": None,
        "impact": {"amount": "650000000.10", "currency": "CLP"},
        "share": Decimal("0.12345678901234567"),
        "words": ["a", "b"],
        "parts": [{"name": "x"}],
    }
    told = [
        "A",
        None,
        Decimal("650000000.10"),
        "CLP",
        Decimal("0.12345678901234567"),
        "a; b",
        '[{"name":"x"}]',
        None,
    ]
    assert cells_of(columns, item) == told
    assert cells_of(columns, {"code": "A", "impact": None, "words": []})[1:] == [None] * 7


def test_a_table_can_have_a_row_for_each_part_of_an_item() -> None:
    shape = Shape(spread="parts")
    columns = columns_of(Thing, shape)
    assert [one.name for one in columns][6:9] == ["parts_name", "parts_cost_amount", "parts_cost_currency"]
    cost = {"amount": "5", "currency": "UF"}
    item = {"code": "A", "parts": [{"name": "x", "cost": cost}, {"name": "y"}]}
    rows = [cells_of(columns, row) for row in rows_of(item, shape)]
    assert [[row[0], *row[6:9]] for row in rows] == [["A", "x", Decimal(5), "UF"], ["A", "y", None, None]]
    assert list(rows_of({"code": "A", "parts": []}, shape)) == []


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20))
@settings(max_examples=60, deadline=None)
def test_no_text_of_a_csv_is_a_formula_and_every_text_can_be_had_back(text: str) -> None:
    ((read, neighbour),) = in_csv([column(Kind.TEXT), column(Kind.TEXT, "d")], [text, "next"])
    assert not read.startswith(FORMULA)
    assert read.removeprefix("'") == text.removeprefix("'") or read == text
    assert neighbour == "next"


def test_numbers_days_and_flags_stand_in_a_csv_as_they_are() -> None:
    kinds = [Kind.NUMBER, Kind.INTEGER, Kind.DAY, Kind.FLAG, Kind.TEXT, Kind.NUMBER]
    columns = [column(kind, f"c{number}") for number, kind in enumerate(kinds)]
    row: list[Cell] = [Decimal("-15.50"), -3, "2013-12-31", True, None, Decimal("1E+3")]
    assert in_csv(columns, row) == [["-15.50", "-3", "2013-12-31", "true", "", "1000"]]


def test_lines_of_a_csv_end_as_the_standard_has_it_and_quotes_are_doubled() -> None:
    file = io.BytesIO()
    CsvTable(file, [column(Kind.TEXT)], bom=True).write([['say "no",\nplease']])
    assert file.getvalue() == b'\xef\xbb\xbfc\r\n"say ""no"",\nplease"\r\n'


def test_cells_of_a_spreadsheet_have_types(tmp_path: Path) -> None:
    kinds = [Kind.TEXT, Kind.INTEGER, Kind.NUMBER, Kind.DAY, Kind.INSTANT, Kind.FLAG]
    row: list[Cell] = ["007", 7, Decimal("0.5"), "2013-12-31", "2012-11-21T18:00:00.5Z", False]
    sheet, about = in_xlsx(kinds, row, [None] * 6, scratch=tmp_path)
    written = next(sheet.iter_rows(min_row=2, max_row=2))
    text, integer, number, day, instant, flag = (cell.value for cell in written)
    assert (text, integer, number, flag) == ("007", 7, 0.5, False)
    assert (day.isoformat(), instant.isoformat()) == ("2013-12-31T00:00:00", "2012-11-21T18:00:00.500000")
    assert written[3].number_format == "yyyy-mm-dd"
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:F3")
    assert 8 <= sheet.column_dimensions["D"].width <= 14
    assert (about["B1"].value, about["B1"].data_type) == ("=1+1", "s")


@pytest.mark.parametrize("text", ["=1+1", "+56 2", "@SUM(A1)", "https://example.org", "-", "{=1}", "1.5"])
def test_no_text_becomes_a_formula_a_link_or_a_number_in_a_spreadsheet(text: str, tmp_path: Path) -> None:
    sheet, _ = in_xlsx([Kind.TEXT], [text], scratch=tmp_path)
    assert (sheet["A2"].value, sheet["A2"].data_type, sheet["A2"].hyperlink) == (text, "s", None)


def test_what_a_spreadsheet_cannot_hold_is_a_text_and_never_another_value(tmp_path: Path) -> None:
    exact = "0.12345678901234567"
    kinds = [Kind.NUMBER, Kind.INTEGER, Kind.DAY, Kind.TEXT]
    row: list[Cell] = [Decimal(exact), 2**60 + 1, "1810-09-18", "x" * (LONGEST + 5)]
    sheet, about = in_xlsx(kinds, row, scratch=tmp_path)
    number, integer, day, text = (cell.value for cell in sheet[2])
    assert (number, integer, day) == (exact, str(2**60 + 1), "1810-09-18")
    assert len(text) == LONGEST
    assert text.endswith("[…]")
    assert ("cut", "1") in [(row[0].value, row[1].value) for row in about.iter_rows(max_col=2)]


def test_the_process_that_writes_spreadsheets_reads_lines_and_writes_the_file(tmp_path: Path) -> None:
    columns = [SheetColumn("Código", Kind.TEXT, "code", ""), SheetColumn("Días", Kind.INTEGER, "days", "")]
    sheet = Sheet("things", columns, [], "about", [], "cut")
    lines = msgspec.json.encode(sheet) + b"\n" + b"".join(b'["C-%d",%d]\n' % (n, n) for n in range(5))
    made = subprocess.run(
        [sys.executable, "-m", "services.reporting.tables.xlsx", "20", str(1024**3), str(tmp_path)],
        input=lines,
        capture_output=True,
        check=True,
    )
    book = load_workbook(io.BytesIO(made.stdout))
    assert book.get_sheet_by_name("things").to_python() == [
        ["Código", "Días"],
        *([f"C-{n}", float(n)] for n in range(5)),
    ]
    assert list(tmp_path.iterdir()) == []
