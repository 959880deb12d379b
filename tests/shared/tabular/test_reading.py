"""Tables as they are published: encodings, delimiters, lines, workbooks, and the ways in which rows are broken."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pytest
import xlsxwriter

from shared.errors import InvalidInput
from shared.tabular.mapping import FileLayout
from shared.tabular.reading import Table, read_table
from shared.tabular.workbook import TypedCell, text_of

SHOWN_NUMBERS = {
    "000": (7, "7", "007"),
    "0.0%": (0.062, "6.2", "6,2%"),
    "0%": (1, "100", "100%"),
    "#,##0.0,": (3_125_400, "3125.4", "3125,4"),
    '#,##0,,"m"': (3_125_400, "3.1254", "3,1254"),
    '0.00" %"': (6.2, "6.2", "6,2"),
}
"""By number format: what is stored, what that is in the unit in which it is shown, and the text of it."""
SHOWN = ["yyyy-mm-dd", "yyyy-mm-dd hh:mm", *SHOWN_NUMBERS]

DATA = Path(__file__).parents[4] / "shared/data/uk-gmpp"


def read(folder: Path, content: bytes, layout: FileLayout | None = None) -> Table:
    file = folder / "table.csv"
    file.write_bytes(content)
    return read_table(file, layout or FileLayout())


def test_a_row_is_known_by_the_line_on_which_it_starts(tmp_path: Path) -> None:
    table = read(tmp_path, b'a,b\n1,"two\nlines"\n\n3,"a stray\rreturn"\n5,6\n')
    assert [(row.line, list(row.cells)) for row in table.rows] == [
        (2, ["1", "two\nlines"]),
        (5, ["3", "a stray\rreturn"]),
        (6, ["5", "6"]),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_encoding_is_found_out_when_the_mapping_does_not_say(tmp_path: Path, encoding: str) -> None:
    table = read(tmp_path, "año,cost\n2014,£5 – 7\n".encode(encoding))
    assert table.columns == ("año", "cost")
    assert table.rows[0].cells[1] == "£5 – 7"


def test_a_declared_encoding_is_believed(tmp_path: Path) -> None:
    assert read(tmp_path, "a\n£\n".encode("mac-roman"), FileLayout(encoding="mac-roman")).rows[0].cells == [
        "£"
    ]
    with pytest.raises(InvalidInput, match=r"table\.csv cannot be read") as refused:
        read(tmp_path, "a\n£\n".encode("cp1252"), FileLayout(encoding="utf-8"))
    assert refused.value.code == "file-unreadable"


def test_delimiters_and_quotes_are_those_of_the_mapping(tmp_path: Path) -> None:
    table = read(tmp_path, b"a;b\n'x;y';z\n", FileLayout(delimiter=";", quote="'"))
    assert table.rows[0].cells == ["x;y", "z"]


def test_lines_that_end_in_a_carriage_return_alone_are_lines(tmp_path: Path) -> None:
    assert [row.line for row in read(tmp_path, b"a,b\r1,2\r3,4\r").rows] == [2, 3]


def test_columns_of_one_name_are_told_apart_and_nameless_ones_are_numbered(tmp_path: Path) -> None:
    table = read(tmp_path, b'rating,,rating,"two\n words",rating\n1,2,3,4,5\n')
    assert table.columns == ("rating", "#2", "rating#2", "two words", "rating#3")


def test_the_header_may_stand_further_down(tmp_path: Path) -> None:
    table = read(tmp_path, b"A title\n\na,b\n1,2\n", FileLayout(header_row=3))
    assert table.columns == ("a", "b")
    assert table.rows[0].line == 4


def test_a_row_with_cells_missing_or_to_spare_is_a_problem_of_that_row_alone(tmp_path: Path) -> None:
    table = read(tmp_path, b"a,b\n1\n1,2,3\n1,2,,\n5,6\n")
    assert [row.problem for row in table.rows] == [
        "it has 1 cells and the header has 2",
        "it has 3 cells and the header has 2",
        None,
        None,
    ]


def test_a_quote_that_is_never_closed_is_a_problem_of_the_row_where_it_opens(tmp_path: Path) -> None:
    table = read(tmp_path, b'a,b\n1,2\n3,"four\n5,6\n')
    assert [(row.line, row.problem is None) for row in table.rows] == [(2, True), (3, False)]


def test_a_transposed_file_has_one_item_in_each_column(tmp_path: Path) -> None:
    table = read(tmp_path, b"name,A,B\nrating,Red,Green\n,,\n", FileLayout(transposed=True))
    assert table.columns == ("name", "rating", "#3")
    assert [(row.line, list(row.cells)) for row in table.rows] == [
        (2, ["A", "Red", ""]),
        (3, ["B", "Green", ""]),
    ]


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_a_file_without_a_header_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InvalidInput, match="no header in row 1"):
        read(tmp_path, content)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_table(tmp_path / "nowhere.csv", FileLayout())


def test_the_cells_of_a_workbook_are_what_they_are_and_have_the_text_of_a_csv_file(tmp_path: Path) -> None:
    file = tmp_path / "table.xlsx"
    with xlsxwriter.Workbook(str(file)) as workbook:
        workbook.add_worksheet("Notes").write(0, 0, "not here")
        sheet = workbook.add_worksheet("Data")
        shown = {name: workbook.add_format({"num_format": name}) for name in SHOWN}
        sheet.write_row(1, 0, [*SHOWN, "whole", "part", "said", "text", "empty", "added"])
        sheet.write_datetime(3, 0, date(2013, 9, 30), shown["yyyy-mm-dd"])
        sheet.write_datetime(3, 1, datetime.fromisoformat("2013-09-30T18:30"), shown["yyyy-mm-dd hh:mm"])
        for place, (name, (stored, _, _)) in enumerate(SHOWN_NUMBERS.items(), 2):
            sheet.write_number(3, place, stored, shown[name])
        sheet.write_row(3, len(SHOWN), [2014, 0.1, True, "two\nlines", None, 0.1 + 0.2])
    table = read_table(file, FileLayout(sheet="Data", header_row=2), decimal=",")
    (row,) = table.rows
    assert row.line == 4
    assert [*map(text_of, row.cells)] == [
        "2013-09-30",
        "2013-09-30T18:30:00",
        *(text for _, _, text in SHOWN_NUMBERS.values()),
        *("2014", "0,1", "TRUE", "two\nlines", "", "0,3"),
    ]
    values = [None if isinstance(cell, str) else cell.value for cell in row.cells]
    assert values[:2] == [datetime.fromisoformat(text_of(cell)) for cell in row.cells[:2]]
    assert values[2 : len(SHOWN)] == [Decimal(value) for _, value, _ in SHOWN_NUMBERS.values()]
    assert values[len(SHOWN) :] == [Decimal(2014), Decimal("0.1"), True, None, None, Decimal("0.3")]


def test_a_formula_without_a_result_is_no_blank_and_a_coloured_blank_is_one(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["a", "b", "c"])
    sheet.append([1, "=1+1", None])
    sheet["C2"].fill = openpyxl.styles.PatternFill("solid", fgColor="FFFF00")
    file = tmp_path / "table.xlsx"
    book.save(file)
    (row,) = read_table(file, FileLayout()).rows
    formula, blank = row.cells[1:]
    assert isinstance(formula, TypedCell)
    assert "never stored" in (formula.problem or "")
    assert blank == ""


def test_what_a_workbook_says_of_its_own_size_is_not_believed(tmp_path: Path) -> None:
    file, wrong = tmp_path / "table.xlsx", tmp_path / "wrong.xlsx"
    with xlsxwriter.Workbook(str(file)) as workbook:
        sheet = workbook.add_worksheet()
        for number in range(4):
            sheet.write_row(number, 0, ["a", "b"])
    with ZipFile(file) as there, ZipFile(wrong, "w") as copy:
        for name in there.namelist():
            content = there.read(name)
            copy.writestr(name, content.replace(b'<dimension ref="A1:B4"/>', b'<dimension ref="A1:A2"/>'))
    assert len(read_table(wrong, FileLayout()).rows) == 3


def test_sheets_stand_below_each_other_and_hidden_ones_are_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "table.xlsx"
    with xlsxwriter.Workbook(str(file)) as workbook:
        for name, columns in {"draft": "ab", "2012": "abx", "2013": "ba", "old": "ab"}.items():
            sheet = workbook.add_worksheet(name)
            sheet.write_row(0, 0, columns)
            sheet.write_row(1, 0, [f"{column} of {name}" for column in columns])
            if name in {"draft", "old"}:
                sheet.hide()
        workbook.get_worksheet_by_name("2012").activate()
    assert read_table(file, FileLayout()).columns == ("a", "b", "x")
    table = read_table(file, FileLayout(sheets="all"))
    assert table.columns == ("a", "b", "#sheet")
    assert [(row.sheet, row.line, [*row.cells]) for row in table.rows] == [
        ("2012", 2, ["a of 2012", "b of 2012", "2012"]),
        ("2013", 2, ["a of 2013", "b of 2013", "2013"]),
    ]
    named = read_table(file, FileLayout(sheets=("old", "2013")))
    assert [row.sheet for row in named.rows] == ["old", "2013"]
    with pytest.raises(InvalidInput, match="no sheet '2014'; it has draft, 2012, 2013, old"):
        read_table(file, FileLayout(sheets=("2012", "2014")))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("table.json", b'[{"a": 1.5, "of": {"b": "x"}}, {"a": null, "tags": ["p", "q"], "on": true}]'),
        ("table.json", b'{"data": [{"a": 1.5, "of": {"b": "x"}}, {"tags": ["p", "q"], "on": true}]}'),
        ("table.jsonl", b'{"a": 1.5, "of": {"b": "x"}}\n{"tags": ["p", "q"], "on": true}\n'),
    ],
)
def test_objects_of_json_are_rows_and_their_members_columns(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    table = read_table(tmp_path / name, FileLayout())
    assert table.columns == ("a", "of.b", "tags", "on")
    assert [[*map(text_of, row.cells)] for row in table.rows] == [
        ["1.5", "x", "", ""],
        ["", "", "p, q", "TRUE"],
    ]
    number = table.rows[0].cells[0]
    assert isinstance(number, TypedCell)
    assert number.value == Decimal("1.5")


def test_a_line_that_is_no_object_is_a_problem_of_that_row_alone(tmp_path: Path) -> None:
    (tmp_path / "table.jsonl").write_bytes(b'{"a": 1}\n[1]\n')
    assert [row.problem for row in read_table(tmp_path / "table.jsonl", FileLayout()).rows] == [
        None,
        "it is no object",
    ]


@pytest.mark.parametrize("name", ["table.xls", "table.xlsb", "table.ods"])
def test_other_workbooks_are_refused_with_what_can_be_done(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"whatever")
    with pytest.raises(InvalidInput, match=r"\.xlsx and \.xlsm can"):
        read_table(tmp_path / name, FileLayout())


def test_a_sheet_that_is_not_there_is_refused_with_the_names_of_those_that_are(tmp_path: Path) -> None:
    file = tmp_path / "table.xlsx"
    with xlsxwriter.Workbook(str(file)) as workbook:
        workbook.add_worksheet("Projects")
    with pytest.raises(InvalidInput, match="no sheet 'Other'; it has Projects"):
        read_table(file, FileLayout(sheet="Other"))


def test_a_workbook_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "table.xlsx"
    file.write_bytes(b"not a workbook")
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_table(file, FileLayout())


@pytest.mark.skipif(not DATA.exists(), reason="the data folder is not beside this checkout")
def test_the_published_file_of_2014_reads_transposed_and_not_in_utf_8() -> None:
    table = read_table(DATA / "uk_2014.csv", FileLayout(transposed=True))
    assert len(table.rows) == 199
    assert table.columns[:2] == ("Project name", "Department")
    assert table.rows[0].cells[0] == "FE Capital Investment Programme"
    assert any("£550m" in cell for cell in table.rows[0].cells)


@pytest.mark.skipif(not DATA.exists(), reason="the data folder is not beside this checkout")
@pytest.mark.parametrize(("name", "rows"), [("uk_2022.csv", 235), ("uk_2023.csv", 244)])
def test_the_published_files_with_semicolons_have_two_columns_of_one_name(name: str, rows: int) -> None:
    table = read_table(DATA / name, FileLayout(delimiter=";"))
    assert len([row for row in table.rows if row.problem is None]) == rows
    assert {"colour_rating", "colour_rating#2"} <= set(table.columns)


def test_json_that_is_nested_without_end_cannot_be_read(tmp_path: Path) -> None:
    deep = b"[" * 5_000 + b"]" * 5_000
    (tmp_path / "table.jsonl").write_bytes(b'{"a": 1}\n{"a": ' + deep + b"}\n")
    assert [row.problem for row in read_table(tmp_path / "table.jsonl", FileLayout()).rows] == [
        None,
        "it is nested too deeply",
    ]
    (tmp_path / "table.json").write_bytes(deep)
    with pytest.raises(InvalidInput, match="nested too deeply") as refused:
        read_table(tmp_path / "table.json", FileLayout())
    assert refused.value.code == "file-unreadable"
