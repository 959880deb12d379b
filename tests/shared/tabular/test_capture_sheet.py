"""The capture sheet as a spreadsheet: what it looks like, and how it is read however it was filled in."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import InvalidInput
from shared.events.commitments import BudgetLine, Document, RisksAssessed, TeamMember
from shared.tabular.capture_sheet import BLANK, FORM, RISKS, CaptureSheet, Choices, Step, read_capture_sheets
from tests.support.capture_sheets import CODES, in_order, read_back, row_of, saved, sheets, workbook

LAW = CaptureSheet(
    code="EDU-2",
    on=date(2010, 8, 1),
    pillar="EDUCATION",
    title="Preferential subsidy",
    lead_organization="MINEDUC",
    working_team=(TeamMember(subject="u-1", position="Adviser", institution="DCI"),),
    specific_objectives=("One", "Two"),
    milestones=(Step("Bill", 2010, date(2010, 9, 30)), Step("Law", 2011)),
    budget=(BudgetLine(amount="1250500000", currency="CLP", year=2011, price_base="2010"),),
    risks={"passage_through_congress": 4},
    documents=(Document(title="Plan", dated_on=date(2009, 1, 2), superseded=True),),
)


@given(said=st.lists(sheets(CODES), min_size=1, max_size=3))
@settings(max_examples=15)
def test_what_is_written_is_read_again_in_either_language(
    tmp_path_factory: pytest.TempPathFactory, said: list[CaptureSheet]
) -> None:
    folder = tmp_path_factory.mktemp("sheets")
    for lang in ("es", "en"):
        found = list(read_capture_sheets(saved(folder, *said, lang=lang)))
        assert [one and one.errors for one in found] == [[]] * len(said)
        assert [one and in_order(one.says) for one in found] == [in_order(one) for one in said]


def test_the_form_asks_for_the_risks_and_fields_that_the_record_has() -> None:
    assert {*RISKS} == {*RisksAssessed.__struct_fields__} - {"effective_on", "description"}
    asked = {key for block in FORM for key in block.keys} - {"years"} - {*RISKS} | {"risks"}
    assert asked == {*CaptureSheet.__struct_fields__}


def test_a_blank_form_says_nothing(tmp_path: Path) -> None:
    assert list(read_capture_sheets(saved(tmp_path, BLANK, BLANK))) == [None, None]


def test_labels_are_protected_and_what_is_filled_in_is_not_and_it_prints_on_a4() -> None:
    sheet = workbook(BLANK)["Iniciativa 1"]
    assert sheet.protection.sheet
    assert sheet.column_dimensions["A"].hidden
    assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "portrait")
    assert (sheet.page_setup.fitToHeight, sheet.sheet_properties.pageSetUpPr.fitToPage) == (0, True)
    for key, column in (("title", "C"), ("working_team", "D"), ("change_management", "F"), ("budget", "H")):
        row = row_of(sheet, key)
        assert sheet[f"B{row}"].protection.locked is (key not in {"working_team", "budget"})
        assert not sheet[f"{column}{row}"].protection.locked, key
    assert [cell.value for cell in sheet[row_of(sheet, "years")]][2:] == [*range(2010, 2016)]


def test_cells_take_days_numbers_marks_and_what_the_lists_offer() -> None:
    choices = Choices([("EDUCATION", "Education")], [("MINEDUC", "Education"), ("MINSAL", "Health")])
    sheet = workbook(BLANK, choices=choices)["Iniciativa 1"]

    def rule(cell: str) -> Any:
        return next(one for one in sheet.data_validations.dataValidation if cell in one.sqref)

    assert rule(f"C{row_of(sheet, 'on')}").type == "date"
    assert rule(f"C{row_of(sheet, 'budget')}").type == "decimal"
    for rating in "CDEF":
        mark = rule(f"{rating}{row_of(sheet, 'stakeholder_conflict')}")
        assert (mark.type, mark.formula1) == ("list", '"x"')
    assert rule(f"C{row_of(sheet, 'lead_organization')}").formula1 == "Listas!$C$2:$C$3"
    assert rule(f"C{row_of(sheet, 'pillar')}").formula1 == "Listas!$A$2:$A$2"


def test_a_form_has_the_years_that_somebody_asks_for_and_those_it_tells_of() -> None:
    def years(book: openpyxl.Workbook) -> list[Any]:
        sheet = book.worksheets[0]
        return [cell.value for cell in sheet[row_of(sheet, "years")]][2:]

    assert years(workbook(BLANK, first_year=2022)) == [*range(2022, 2028)]
    told = CaptureSheet(milestones=(Step("Bill", 2012), Step("Law", 2019)))
    assert years(workbook(told)) == [*range(2010, 2016), 2019]


def test_rows_that_were_inserted_into_a_block_are_rows_of_it(tmp_path: Path) -> None:
    book = workbook(LAW)
    sheet = book["EDU-2"]
    row = row_of(sheet, "specific_objectives", 1) + 1
    sheet.insert_rows(row)
    sheet[f"C{row}"] = "Between"
    (found,) = read_back(tmp_path, book)
    assert found is not None
    assert found.says.specific_objectives == ("One", "Two", "Between")
    assert found.errors == []


@pytest.mark.parametrize(
    ("key", "column", "value", "code"),
    [
        ("on", "C", "the first of May", "date-unreadable"),
        ("on", "C", True, "date-unreadable"),
        ("title", "C", "two\nlines", "unseen-character"),
        ("title", "C", None, "title-missing"),
        ("title", "C", "a" * 501, "text-too-long"),
        ("code", "C", None, "code-missing"),
        ("lead_organization", "C", None, "lead-missing"),
        ("working_team", "C", None, "value-missing"),
        ("milestones", "C", "2011-09-30 Bill", "milestone-unreadable"),
        ("milestones", "C", "2010-02-30 Bill", "milestone-unreadable"),
        ("milestones", "C", "2010-02-28", "milestone-unreadable"),
        ("budget", "D", "1.250", "number-unreadable"),
        ("budget", "D", 0.0000000000001, "number-too-fine"),
        ("budget", "B", "pesos", "currency-malformed"),
        ("passage_through_congress", "C", "x", "risk-rated-twice"),
        ("stakeholder_conflict", "C", 3, "value-unknown"),
        ("documents", "C", "example.org", "url-malformed"),
        ("description", "C", "#REF!", "cell-error"),
    ],
)
def test_an_error_names_the_sheet_and_the_cell(
    tmp_path: Path, key: str, column: str, value: Any, code: str
) -> None:
    book = workbook(LAW)
    sheet = book["EDU-2"]
    row = row_of(sheet, key)
    sheet[f"{column}{row}"] = value
    (found,) = read_back(tmp_path, book)
    assert found is not None
    errors = [(error.cell, error.line, error.code) for error in found.errors]
    # Of a risk that is marked twice, the second mark is the one too many.
    column = {"risk-rated-twice": "F"}.get(code, column)
    assert errors == [(f"'EDU-2'!{column}{row}", row, code)]


def test_everything_that_is_wrong_with_a_sheet_is_said_at_once(tmp_path: Path) -> None:
    book = workbook(LAW)
    sheet = book["EDU-2"]
    sheet.title = "It's 2"
    for key, value in (("on", "?"), ("title", None), ("code", None)):
        sheet[f"C{row_of(sheet, key)}"] = value
    below = row_of(sheet, "documents", 3) + 1
    sheet[f"C{below}"] = "One more"
    sheet[f"C{below + 4}"] = "A note"
    sheet[f"A{below + 3}"] = "#"
    (found,) = read_back(tmp_path, book)
    assert found is not None
    assert {(error.cell, error.code) for error in found.errors} == {
        ("'It''s 2'!C2", "code-missing"),
        ("'It''s 2'!C3", "date-unreadable"),
        ("'It''s 2'!C5", "title-missing"),
        (f"'It''s 2'!C{below}", "url-malformed"),
        (f"'It''s 2'!C{below + 4}", "cell-unexpected"),
    }


def test_a_day_may_be_written_and_a_number_beyond_what_a_cell_holds_is_a_text(tmp_path: Path) -> None:
    book = workbook(LAW)
    sheet = book["EDU-2"]
    sheet[f"C{row_of(sheet, 'on')}"] = "31/08/2010"
    sheet[f"F{row_of(sheet, 'documents')}"] = datetime(2010, 8, 2, 14, 30)  # noqa: DTZ001 - as a spreadsheet has it
    sheet[f"D{row_of(sheet, 'budget')}"] = "123456789012.345678"
    (found,) = read_back(tmp_path, book)
    assert found is not None
    assert found.errors == []
    assert found.says.on == date(2010, 8, 31)
    assert found.says.documents[0].dated_on == date(2010, 8, 2)
    assert found.says.budget[0].amount == "123456789012345678"


def test_what_the_record_has_in_millions_stays_as_it_stands_there(tmp_path: Path) -> None:
    line = BudgetLine(amount="1250.5", currency="CLP", year=2013, price_base="millions of CLP of 2010")
    told = CaptureSheet(code="A", budget=(line,))
    sheet = workbook(told).worksheets[0]
    assert sheet[f"F{row_of(sheet, 'budget')}"].value == 1250.5
    (found,) = read_capture_sheets(saved(tmp_path, told))
    assert found is not None
    assert found.says.budget == (line,)


def test_a_workbook_without_such_a_sheet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.xlsx"
    openpyxl.Workbook().save(path)
    (tmp_path / "text.xlsx").write_text("no workbook")
    for other in (path, tmp_path / "text.xlsx"):
        with pytest.raises(InvalidInput) as refused:
            list(read_capture_sheets(other))
        assert refused.value.code == "file-unreadable"


def test_sheets_are_named_by_their_codes_as_far_as_a_name_can_be(tmp_path: Path) -> None:
    names = [f"{'a' * 31}{number}" for number in range(3)] + ["History", "b"]
    book = workbook(*(CaptureSheet(code=name) for name in names))
    assert book.sheetnames == ["a" * 31, f"{'a' * 29}~2", f"{'a' * 29}~3", "History~2", "b"]
