"""Tables as they are published: encodings, delimiters, lines, workbooks, and the ways in which rows are broken."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
import xlsxwriter

from shared.errors import InvalidInput
from shared.tabular.mapping import FileLayout
from shared.tabular.reading import Table, read_table

DATA = Path(__file__).parents[5] / "shared/data/uk-gmpp"


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


def test_the_cells_of_a_workbook_read_as_in_a_csv_file(tmp_path: Path) -> None:
    file = tmp_path / "table.xlsx"
    with xlsxwriter.Workbook(str(file)) as workbook:
        workbook.add_worksheet("Notes").write(0, 0, "not here")
        sheet = workbook.add_worksheet("Data")
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        hour = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        sheet.write_row(1, 0, ["day", "moment", "whole", "part", "said", "text", "empty"])
        sheet.write_datetime(3, 0, date(2013, 9, 30), day)
        sheet.write_datetime(3, 1, datetime.fromisoformat("2013-09-30T18:30"), hour)
        sheet.write_row(3, 2, [2014, 0.1, True, "two\nlines"])
    table = read_table(file, FileLayout(sheet="Data", header_row=2))
    assert [(row.line, list(row.cells)) for row in table.rows] == [
        (4, ["2013-09-30", "2013-09-30T18:30:00", "2014", "0.1", "true", "two\nlines", ""])
    ]


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
