"""Capture sheets of all kinds, as somebody might fill them in."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
from hypothesis import strategies as st

from shared.events.commitments import BudgetLine, Document, TeamMember
from shared.events.texts import composed, unseen_in
from shared.tabular.capture_sheet import RISKS, CaptureSheet, FilledSheet, Lang, Step, step_due
from shared.tabular.capture_sheet import read_capture_sheets as read
from shared.tabular.capture_sheet import write_capture_sheets as write

_LETTERS = st.one_of(
    st.characters(codec="utf-8", exclude_categories=("C", "Z", "M")),
    st.sampled_from(" =+-@'\"_#:;.,0x5\u00f1\u00c1"),
)
LINES = (
    st.text(_LETTERS, min_size=1, max_size=20)
    .map(lambda text: composed(text.strip()))
    .filter(lambda text: text and unseen_in(text) is None)
)
PROSE = st.lists(LINES, min_size=1, max_size=3).map("\n".join)
CODES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,40}", fullmatch=True)
DAYS = st.dates(date(2000, 1, 1), date(2012, 5, 20))
YEARS = st.integers(2008, 2017)
AMOUNTS = (
    st.decimals("-999999999999999999", "999999999999999999", places=6)
    .map(lambda value: f"{value.normalize():f}")
    .filter(lambda text: text != "-0")
)
STEPS = st.one_of(
    st.builds(Step, LINES, YEARS), st.builds(step_due, LINES, st.dates(date(2009, 1, 1), date(2016, 12, 30)))
)
LINES_OF_BUDGET = st.builds(
    BudgetLine,
    amount=AMOUNTS,
    currency=st.sampled_from(["CLP", "USD"]),
    year=YEARS,
    price_base=st.none() | st.sampled_from(["2010", "millions of CLP of 2010"]) | LINES,
)


def _blank(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


def sheets(code: st.SearchStrategy[str], **fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[CaptureSheet]:
    """Sheets that are filled in as they may be, of whichever things `fixed` has."""
    fields: dict[str, st.SearchStrategy[Any]] = {
        "code": code,
        "on": DAYS,
        "title": LINES,
        "lead_organization": LINES,
        "pillar": _blank(LINES),
        "initiative_type": _blank(LINES),
        "programmatic_alignment": _blank(PROSE),
        "working_team": st.lists(
            st.builds(
                TeamMember, subject=_blank(LINES), position=LINES, institution=LINES, area=_blank(LINES)
            ),
            max_size=7,
        ).map(tuple),
        "background": _blank(PROSE),
        "general_objective": _blank(PROSE),
        "specific_objectives": st.lists(PROSE, max_size=5).map(tuple),
        "description": _blank(PROSE),
        "legislative_strategy": _blank(PROSE),
        "communications_strategy": _blank(PROSE),
        "milestones": st.lists(STEPS, max_size=6, unique_by=lambda step: (step.name, step.year)).map(tuple),
        "budget": st.lists(LINES_OF_BUDGET, max_size=5, unique_by=lambda line: line.year).map(tuple),
        "risks": st.dictionaries(st.sampled_from(RISKS), st.integers(1, 4)),
        "documents": st.lists(
            st.builds(
                Document,
                title=LINES,
                url=_blank(st.just("https://example.org/a?b=1#c")),
                dated_on=_blank(st.dates(date(1890, 1, 1), date(2012, 5, 20))),
                superseded=st.booleans(),
            ),
            max_size=5,
        ).map(tuple),
    }

    @st.composite
    def filled(draw: st.DrawFn) -> CaptureSheet:
        members = {name: draw(strategy) for name, strategy in (fields | fixed).items()}
        # Risks are described where one is rated.
        members["risk_description"] = draw(_blank(PROSE)) if members["risks"] else None
        return CaptureSheet(**members)

    return filled()


def in_order(says: CaptureSheet) -> dict[str, Any]:
    """What a sheet says, without the order in which cells below each other or in several rows are read."""
    members = {name: getattr(says, name) for name in says.__struct_fields__}
    members["milestones"] = sorted(says.milestones, key=lambda step: (step.year, step.due_on, step.name))
    members["budget"] = sorted(says.budget, key=lambda line: line.year or 0)
    return members


def workbook(*filled: CaptureSheet, lang: Lang = "es", **more: Any) -> openpyxl.Workbook:
    """A workbook of sheets, for somebody to change it by hand."""
    target = io.BytesIO()
    write(target, filled, lang, **more)
    return openpyxl.load_workbook(target)


def saved(folder: Path, *filled: CaptureSheet, lang: Lang = "es", **more: Any) -> Path:
    """The file of a workbook of sheets."""
    path = folder / "sheets.xlsx"
    with path.open("wb") as target:
        write(target, filled, lang, **more)
    return path


def read_back(folder: Path, book: openpyxl.Workbook) -> list[FilledSheet | None]:
    """The sheets of a workbook that somebody changed."""
    path = folder / "changed.xlsx"
    book.save(path)
    return [*read(path)]


def row_of(sheet: Any, key: str, number: int = 0) -> int:
    """The row of a sheet that asks for something, or one of several that do."""
    found = [cells[0].row for cells in sheet.iter_rows(max_col=1) if cells[0].value == key]
    return int(found[number])
