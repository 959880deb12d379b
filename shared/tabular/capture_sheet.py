"""The capture sheet of an initiative, the printed form of the delivery unit, as a sheet of a workbook: both ways.

`FORM` says once which blocks the form has and what stands where in each; writing and reading go by it. The first
column, which is not shown, says of each row what it asks for: so a sheet is read in whichever language its labels are,
with rows inserted in it, and for whichever years it has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, NamedTuple, Protocol

import msgspec
import xlsxwriter
from xlsxwriter.utility import quote_sheetname, xl_col_to_name

from shared.clock import Clock
from shared.errors import InvalidInput
from shared.events.commitments import BudgetLine, Document, TeamMember
from shared.events.texts import composed, unseen_in
from shared.events.types import LONGEST_CODE, LONGEST_LINE, LONGEST_TEXT
from shared.events.vocabulary import BudgetFigure
from shared.tabular.cells import ERROR_VALUES, DateReader, NumberReader, Unreadable, amount_text
from shared.tabular.mapping import DateFormats, Numbers
from shared.tabular.reading import read_workbook
from shared.tabular.report import RowError
from shared.tabular.workbook import Cell, TypedCell, text_of

Lang = Literal["es", "en"]

FIRST_YEAR: Final = 2010
"""The printed form has six years from this one on."""
YEARS: Final = 6
USUAL_PRICES: Final = "CLP 2010"
"""The currency of the printed form, and the year of whose prices it is."""
MILLION: Final = 1_000_000
MARK: Final = "x"


# --- what a sheet says -----------------------------------------------------------------------------------------------


class Step(msgspec.Struct, frozen=True):
    """A milestone of a year; without a day of its own it is due when the year ends."""

    name: str
    year: int
    on: date | None = None

    @property
    def due_on(self) -> date:
        """The day by which it is to be reached."""
        return self.on or date(self.year, 12, 31)


def step_due(name: str, on: date) -> Step:
    """The milestone that is due on a day."""
    return Step(name, on.year, None if (on.month, on.day) == (12, 31) else on)


class CaptureSheet(msgspec.Struct, frozen=True, kw_only=True):
    """An initiative as the form has it, on the day `on`; None and empty is what was left blank.

    Amounts of `budget` are those of the record, in the currency itself; the form has them in millions.
    """

    code: str | None = None
    on: date | None = None
    pillar: str | None = None
    title: str | None = None
    lead_organization: str | None = None
    initiative_type: str | None = None
    programmatic_alignment: str | None = None
    working_team: tuple[TeamMember, ...] = ()
    background: str | None = None
    general_objective: str | None = None
    specific_objectives: tuple[str, ...] = ()
    description: str | None = None
    legislative_strategy: str | None = None
    communications_strategy: str | None = None
    milestones: tuple[Step, ...] = ()
    budget: tuple[BudgetLine, ...] = ()
    risks: dict[str, int] = msgspec.field(default_factory=dict)
    risk_description: str | None = None
    documents: tuple[Document, ...] = ()


BLANK: Final = CaptureSheet()


def fits_the_form(line: BudgetLine) -> bool:
    """Whether a figure of an estimate has a place in the form: the cost of a year."""
    return line.figure is BudgetFigure.ESTIMATE and line.year is not None


class Place(NamedTuple):
    """A cell: its row, what a spreadsheet calls it (`'EDU-2'!C14`), and what stands in it."""

    row: int
    cell: str
    text: str


class FilledSheet(NamedTuple):
    """A sheet that somebody filled in: what it says, where, and all that is wrong with it.

    `places` are the cells by the field they are for, and by the place within it: `working_team/0/position`.
    """

    name: str
    says: CaptureSheet
    places: Mapping[str, Place]
    errors: list[RowError]

    def error(self, pointer: str, code: str, reason: str) -> RowError:
        """What is wrong with a cell, or with the nearest that there is of what it is in."""
        names = pointer.split("/")
        for length in range(len(names), 0, -1):
            place = self.places.get("/".join(names[:length]))
            if place is not None:
                return RowError(place.row, names[0], place.text, code, reason, self.name, place.cell)
        return RowError(1, names[0] or None, None, code, reason, self.name)


# --- the form --------------------------------------------------------------------------------------------------------

_MARKED: Final = "bitacora capture sheet 1"
"""What the first cell says, by which a sheet is known to be one, and of which form."""
_LABEL: Final = "#"
"""What the first column says of a row that only has words above others."""

_FIRST, _LAST = 1, 7
"""The columns B to H are printed; where there are more years than six there are more."""
_VALUE: Final = 2


class Kind(StrEnum):
    """What a cell takes."""

    CODE = "code"
    LINE = "line"
    PROSE = "prose"
    URL = "url"
    DAY = "day"
    AMOUNT = "amount"
    MARK = "mark"


class Labels(NamedTuple):
    """Words of the form."""

    es: str
    en: str

    def of(self, lang: Lang) -> str:
        """Those in a language."""
        return self.es if lang == "es" else self.en


class Block(Protocol):
    """A part of the form: the keys of its rows, how it is written, and how such a row is read."""

    @property
    def keys(self) -> Sequence[str]:
        """What the first column says of its rows."""

    @property
    def grows(self) -> bool:
        """Whether a row inserted below one of its own is one, too."""

    def write(self, page: _Page, says: CaptureSheet) -> None:
        """Write all of it."""

    def read(self, row: _Row, found: dict[str, Any]) -> None:
        """Take in one of its rows."""


class Heading(NamedTuple):
    """Words above what follows."""

    labels: Labels
    keys: Sequence[str] = ()
    grows: bool = False

    def write(self, page: _Page, says: CaptureSheet) -> None:  # noqa: ARG002
        """See `Block`."""
        page.begin(_LABEL)
        page.label(self.labels, _FIRST, page.last, "heading")

    def read(self, row: _Row, found: dict[str, Any]) -> None:
        """See `Block`: there is nothing in it to be read."""


class Field(NamedTuple):
    """One value beside its label."""

    name: str
    labels: Labels
    kind: Kind = Kind.LINE
    lines: int = 1
    """How many lines high it is printed."""
    grows: bool = False

    @property
    def keys(self) -> Sequence[str]:
        """See `Block`."""
        return (self.name,)

    def write(self, page: _Page, says: CaptureSheet) -> None:
        """See `Block`."""
        page.begin(self.name, self.lines)
        page.label(self.labels, _FIRST)
        page.value(getattr(says, self.name), self.kind, _VALUE, page.last)

    def read(self, row: _Row, found: dict[str, Any]) -> None:
        """See `Block`."""
        if (value := row.value(_VALUE, self.kind, self.name)) is not None:
            found[self.name] = value


class Texts(NamedTuple):
    """Several values of one kind, a row each, beside their label."""

    name: str
    labels: Labels
    rows: int
    lines: int
    grows: bool = True

    @property
    def keys(self) -> Sequence[str]:
        """See `Block`."""
        return (self.name,)

    def write(self, page: _Page, says: CaptureSheet) -> None:
        """See `Block`."""
        for text in _padded(getattr(says, self.name), self.rows):
            page.begin(self.name, self.lines)
            page.label(self.labels, _FIRST)
            page.value(text, Kind.PROSE, _VALUE, page.last)

    def read(self, row: _Row, found: dict[str, Any]) -> None:
        """See `Block`."""
        before = found.get(self.name, ())
        text = row.value(_VALUE, Kind.PROSE, f"{self.name}/{len(before)}", self.name)
        if text is not None:
            found[self.name] = (*before, text)


class Column(NamedTuple):
    """A member of what a row of a table says, from one column of the sheet to another."""

    name: str
    labels: Labels
    first: int
    last: int
    kind: Kind = Kind.LINE
    required: bool = False


class Records(NamedTuple):
    """A table, of which each row is one thing with several members."""

    name: str
    of: type[msgspec.Struct]
    columns: Sequence[Column]
    rows: int
    grows: bool = True

    @property
    def keys(self) -> Sequence[str]:
        """See `Block`."""
        return (self.name,)

    def write(self, page: _Page, says: CaptureSheet) -> None:
        """See `Block`."""
        page.begin(_LABEL)
        for column in self.columns:
            page.label(column.labels, column.first, column.last)
        for one in _padded(getattr(says, self.name), self.rows):
            page.begin(self.name)
            for column in self.columns:
                value = None if one is None else getattr(one, column.name)
                page.value(value or None, column.kind, column.first, column.last)

    def read(self, row: _Row, found: dict[str, Any]) -> None:
        """See `Block`."""
        before = found.get(self.name, ())
        at = f"{self.name}/{len(before)}"
        members = {
            column.name: value
            for column in self.columns
            if (value := row.value(column.first, column.kind, f"{at}/{column.name}", at, self.name))
            is not None
        }
        missing = [column for column in self.columns if column.required and column.name not in members]
        if members and missing:
            if not row.faulty:
                row.fault(missing[0].first, "value-missing", "What else is in the row is without it.")
        elif members:
            found[self.name] = (*before, self.of(**members))


class Steps(NamedTuple):
    """The milestones, each in a cell below its year."""

    name: str
    labels: Labels
    rows: int
    grows: bool = True

    @property
    def keys(self) -> Sequence[str]:
        """See `Block`."""
        return (_YEARS, self.name)

    def write(self, page: _Page, says: CaptureSheet) -> None:
        """See `Block`."""
        page.years(self.labels)
        below = {year: [one for one in says.milestones if one.year == year] for year in page.of_years}
        for number in range(max(self.rows, *map(len, below.values()))):
            page.begin(self.name, 3)
            for place, year in enumerate(page.of_years, _VALUE):
                step = below[year][number] if number < len(below[year]) else None
                page.value(None if step is None else _step_text(step), Kind.LINE, place)

    def read(self, row: _Row, found: dict[str, Any]) -> None:
        """See `Block`."""
        for place, year in row.years:
            before = found.get(self.name, ())
            text = row.value(place, Kind.LINE, f"{self.name}/{len(before)}", self.name, longer_by=_DAY_BEFORE)
            if text is None or year is None:
                if text is not None:
                    row.fault(place, "year-missing", "There is no year above it.")
                continue
            step = _step_in(text, year)
            if isinstance(step, str):
                row.fault(place, "milestone-unreadable", step)
            elif any((one.name, one.year) == (step.name, year) for one in before):
                row.fault(place, "milestone-twice", "The year has it twice.")
            else:
                found[self.name] = (*before, step)


class Amounts(NamedTuple):
    """What it costs in each year, in millions, a row for each currency and the prices of each year."""

    name: str
    labels: Labels
    grows: bool = True

    @property
    def keys(self) -> Sequence[str]:
        """See `Block`."""
        return (_YEARS, self.name)

    def write(self, page: _Page, says: CaptureSheet) -> None:
        """See `Block`."""
        page.years(self.labels)
        rows: dict[str, dict[int, Decimal]] = {}
        for line in says.budget:
            prices = f"{line.currency} {line.price_base}" if line.price_base else line.currency
            if line.year is not None:
                amount = Decimal(line.amount) / _unit(line.price_base)
                rows.setdefault(prices, {})[line.year] = amount
        for prices, amounts in (rows or {page.prices: {}}).items():
            page.begin(self.name)
            page.value(prices, Kind.LINE, _FIRST)
            for place, year in enumerate(page.of_years, _VALUE):
                page.value(amounts.get(year), Kind.AMOUNT, place)

    def read(self, row: _Row, found: dict[str, Any]) -> None:
        """See `Block`."""
        prices = row.value(_FIRST, Kind.LINE, f"{self.name}/prices", self.name)
        for place, year in row.years:
            before: tuple[BudgetLine, ...] = found.get(self.name, ())
            at = f"{self.name}/{len(before)}"
            amount: Decimal | None = row.value(place, Kind.AMOUNT, f"{at}/amount", at, self.name)
            if amount is None:
                continue
            currency, _, base = (prices or "").partition(" ")
            if year is None:
                row.fault(place, "year-missing", "There is no year above it.")
            elif re.fullmatch("[A-Z]{3}", currency) is None:
                reason = (
                    "Say in which currency, by its three letters, and in the prices of which year: CLP 2010."
                )
                row.fault(_FIRST, "currency-malformed", reason)
                return
            elif any(line.year == year for line in before):
                row.fault(place, "budget-line-repeated", "The year has an amount already.")
            else:
                base = base.strip()
                try:
                    text = _amount_text(amount, _unit(base))
                except Unreadable as error:
                    row.fault(place, error.code, error.reason)
                else:
                    line = BudgetLine(amount=text, currency=currency, year=year, price_base=base or None)
                    found[self.name] = (*before, line)


class Grid(NamedTuple):
    """The six risks, each marked once from 1 to 4."""

    name: str
    risks: Mapping[str, Labels]
    grows: bool = False

    @property
    def keys(self) -> Sequence[str]:
        """See `Block`."""
        return tuple(self.risks)

    def write(self, page: _Page, says: CaptureSheet) -> None:
        """See `Block`."""
        page.begin(_LABEL)
        page.label(Labels("", ""), _FIRST)
        for rating in _RATINGS:
            page.label(Labels(str(rating), str(rating)), _VALUE + rating - 1)
        for name, labels in self.risks.items():
            page.begin(name)
            page.label(labels, _FIRST)
            for rating in _RATINGS:
                marked = says.risks.get(name) == rating
                page.value(marked or None, Kind.MARK, _VALUE + rating - 1)

    def read(self, row: _Row, found: dict[str, Any]) -> None:
        """See `Block`."""
        for rating in _RATINGS:
            if row.value(_VALUE + rating - 1, Kind.MARK, row.key, self.name) is None:
                continue
            if row.key in (rated := found.setdefault(self.name, {})):
                row.fault(_VALUE + rating - 1, "risk-rated-twice", "A risk is marked once, from 1 to 4.")
            rated[row.key] = rating


_YEARS: Final = "years"
_RATINGS: Final = (1, 2, 3, 4)

FORM: Final[Sequence[Block]] = (
    Field("code", Labels("Código", "Code"), Kind.CODE),
    Field("on", Labels("Fecha de la ficha", "Day of the sheet"), Kind.DAY),
    Field("pillar", Labels("Eje", "Pillar"), Kind.CODE),
    Field("title", Labels("Nombre de la iniciativa", "Name of initiative"), lines=2),
    Field("lead_organization", Labels("Ministerio responsable", "Ministry responsible")),
    Field("initiative_type", Labels("Tipo de iniciativa", "Type of initiative")),
    Field(
        "programmatic_alignment", Labels("Alineación programática", "Programmatic alignment"), Kind.PROSE, 2
    ),
    Heading(
        Labels(
            "Equipo de trabajo: asesoría jurídica, coordinación interministerial, DIPRES y el sector",
            "Working team: legal counsel, interministerial coordination, DIPRES and the sector",
        )
    ),
    Records(
        "working_team",
        TeamMember,
        (
            Column(
                "subject", Labels("Nombre (identificador de la persona)", "Name (id of the person)"), 1, 1
            ),
            Column("position", Labels("Cargo", "Position"), 2, 3, required=True),
            Column("institution", Labels("Institución", "Institution"), 4, 5, required=True),
            Column("area", Labels("Área", "Area"), 6, 7),
        ),
        rows=5,
    ),
    Field("background", Labels("Antecedentes", "Antecedents"), Kind.PROSE, 5),
    Field("general_objective", Labels("Objetivo general", "General objective"), Kind.PROSE, 3),
    Texts("specific_objectives", Labels("Objetivo específico", "Specific objective"), 3, 2),
    Field("description", Labels("Descripción", "Description"), Kind.PROSE, 6),
    Heading(Labels("Estrategia de implementación", "Implementation strategy")),
    Field(
        "legislative_strategy",
        Labels("Legislativa, si procede", "Legislative, if applicable"),
        Kind.PROSE,
        3,
    ),
    Field("communications_strategy", Labels("Comunicacional", "Communications"), Kind.PROSE, 3),
    Heading(
        Labels(
            "Metas e hitos más importantes, uno por celda; si no es para fin de año, con su día delante: "
            "«2012-03-31 Ingresa el proyecto»",
            "Most important goals and milestones, one to a cell; unless it is for the end of the year, with its day "
            "first: “2012-03-31 The bill is sent”",
        )
    ),
    Steps("milestones", Labels("Año", "Year"), rows=2),
    Heading(Labels("Presupuesto estimado, en millones", "Estimated budget, in millions")),
    Amounts("budget", Labels("Moneda y año de sus precios", "Currency, and the year of its prices")),
    Heading(Labels("Análisis de riesgos: 1 es bajo y 4 es alto", "Risk analysis: 1 is low and 4 is high")),
    Grid(
        "risks",
        {
            "budgetary_requirements": Labels("Requerimientos presupuestarios", "Budgetary requirements"),
            "technical_design_complexity": Labels(
                "Complejidad técnica del diseño", "Technical design complexity"
            ),
            "stakeholder_conflict": Labels("Conflicto con actores relevantes", "Conflict with stakeholders"),
            "passage_through_congress": Labels(
                "Tramitación en el Congreso, si procede", "Passage through Congress, if applicable"
            ),
            "conflict_between_institutions": Labels(
                "Conflicto con otras instituciones del gobierno",
                "Conflict with other government institutions",
            ),
            "change_management": Labels(
                "Gestión del cambio, interno o externo", "Change management, internal or external"
            ),
        },
    ),
    Field("risk_description", Labels("Descripción de los riesgos", "Description of risks"), Kind.PROSE, 3),
    Heading(
        Labels(
            "Documentos de gestión: los vigentes y, si los hay, los de períodos anteriores",
            "Management documents: the current ones and, if there are any, those of previous periods",
        )
    ),
    Records(
        "documents",
        Document,
        (
            Column("title", Labels("Documento", "Document"), 1, 1, required=True),
            Column("url", Labels("Dirección (URL)", "Address (URL)"), 2, 4, Kind.URL),
            Column("dated_on", Labels("Fecha", "Date"), 5, 5, Kind.DAY),
            Column("superseded", Labels("De un período anterior", "Of a previous period"), 6, 7, Kind.MARK),
        ),
        rows=4,
    ),
)
RISKS: Final = next(tuple(block.risks) for block in FORM if isinstance(block, Grid))
"""The six risks of the form, as the record names them."""

_TITLE: Final = Labels("Ficha de iniciativas y compromisos", "Capture sheet of initiatives and commitments")
_BLOCKS: Final = {key: block for block in FORM for key in block.keys if key != _YEARS}


def _padded(items: Sequence[Any], rows: int) -> Iterator[Any]:
    yield from items
    yield from [None] * (rows - len(items))


def _unit(price_base: str | None) -> int:
    """By what a figure of the form is multiplied to be that of the record.

    Where the record itself says that an amount is in millions ("millions of CLP of 2010"), it is as it stands there.
    """
    return 1 if re.search(r"\bmill", price_base or "", re.IGNORECASE) else MILLION


def _amount_text(value: Decimal, unit: int) -> str:
    text = amount_text(value, unit)
    if Decimal(text) != value * unit:
        raise Unreadable("number-too-fine", "The record holds amounts with at most 6 decimals.")
    return text


_DAY_BEFORE: Final = len("2012-12-31 ")
_STEP: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:\s+(.*))?")


def _step_text(step: Step) -> str:
    """A milestone as its cell has it, its day first where it has one, or where its name could be taken for one."""
    named_like_a_day = _STEP.fullmatch(step.name) is not None
    return f"{step.due_on} {step.name}" if step.on or named_like_a_day else step.name


def _step_in(text: str, year: int) -> Step | str:
    """The milestone in a cell, or what is wrong with it."""
    found = _STEP.fullmatch(text)
    if found is None:
        return Step(text, year)
    try:
        day = date.fromisoformat(found[1])
    except ValueError:
        return f"There is no day {found[1]}."
    if not found[2]:
        return "It is a day without a milestone."
    if day.year != year:
        return f"The day is not in {year}, the year above it."
    return step_due(found[2], day)


# --- writing ---------------------------------------------------------------------------------------------------------


class Choices(NamedTuple):
    """What the lists of the form offer: pillars and organisations, each by its code with its name."""

    pillars: Sequence[tuple[str, str]] = ()
    organizations: Sequence[tuple[str, str]] = ()


_CREATED: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - the same for ever, so that the same sheet is the same file
_FIRST_DAY: Final = date(1900, 3, 1)
"""Before it a spreadsheet counts a day that there never was."""
_MOST_DIGITS: Final = 15
"""What a spreadsheet keeps of a number."""
_A4: Final = 9
_LINE_HEIGHT: Final = 15.0
_WIDTHS: Final = ((_FIRST, _FIRST, 34.0), (_VALUE, _LAST, 13.0))
_LONGEST: Final = {
    Kind.CODE: LONGEST_CODE,
    Kind.LINE: LONGEST_LINE,
    Kind.PROSE: LONGEST_TEXT,
    Kind.URL: 2_000,
}
_REFUSED: Final = {
    Kind.DAY: Labels("Un día, como 2012-05-21.", "A day, such as 2012-05-21."),
    Kind.AMOUNT: Labels("Un número, en millones.", "A number, in millions."),
    Kind.MARK: Labels("Una x, o nada.", "An x, or nothing."),
}
_LISTS: Final = Labels("Listas", "Lists")
_UNTITLED: Final = Labels("Iniciativa", "Initiative")


def write_capture_sheets(
    target: BinaryIO,
    sheets: Sequence[CaptureSheet] = (BLANK,),
    lang: Lang = "es",
    *,
    first_year: int = FIRST_YEAR,
    choices: Choices = Choices(),  # noqa: B008
) -> None:
    """Write a workbook with a sheet for each initiative, to be filled in or as it is filled.

    It has six years from `first_year` on, where it says nothing of any other; labels are protected, and what is to be
    filled in takes days, numbers and marks only where it is to.
    """
    workbook = xlsxwriter.Workbook(
        target,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
        },
    )
    workbook.set_properties({"title": _TITLE.of(lang), "created": _CREATED})
    styles = _Styles(workbook)
    taken = {"history", _LISTS.of(lang).casefold()}
    lists = _Lists(choices, lang)
    for number, says in enumerate(sheets, 1):
        name = _sheet_name(says.code or f"{_UNTITLED.of(lang)} {number}", taken)
        page = _Page(workbook.add_worksheet(name), styles, lang, _years_of(says, first_year), lists)
        page.first_row()
        for block in FORM:
            block.write(page, says)
        page.finish()
    lists.write(workbook, styles)
    workbook.close()


def _sheet_name(wanted: str, taken: set[str]) -> str:
    """A name that no other sheet has; spreadsheets allow 31 characters, and not all of them."""
    wanted = re.sub(r"[\[\]:*?/\\']", "-", wanted)
    name, number = wanted[:31], 1
    while name.casefold() in taken:
        number += 1
        name = f"{wanted[: 30 - len(str(number))]}~{number}"
    taken.add(name.casefold())
    return name


def _years_of(says: CaptureSheet, first_year: int) -> list[int]:
    told = {step.year for step in says.milestones}
    told |= {line.year for line in says.budget if line.year is not None}
    usual = {*range(first_year, first_year + YEARS)}
    return sorted(told | usual if told & usual or len(told) < YEARS else told)


class _Styles:
    """The formats of a workbook."""

    def __init__(self, workbook: Any) -> None:
        text = {"text_wrap": True, "valign": "top", "border": 1, "border_color": "#999999"}
        shaded = {**text, "bg_color": "#E8EDF3"}
        self.title = workbook.add_format({"bold": True, "font_size": 14})
        self.hidden = workbook.add_format({"font_color": "#999999"})
        self.label = workbook.add_format(shaded)
        self.heading = workbook.add_format({**shaded, "bold": True, "bg_color": "#CBD7E4"})
        open_cell = {**text, "locked": False}
        formats = {Kind.CODE: {"num_format": "@"}, Kind.DAY: {"num_format": "yyyy-mm-dd", "align": "left"}}
        formats[Kind.MARK] = {"align": "center"}
        self.of = {kind: workbook.add_format({**open_cell, **formats.get(kind, {})}) for kind in Kind}


class _Lists:
    """The sheet with what the lists of the form offer."""

    def __init__(self, choices: Choices, lang: Lang) -> None:
        self._lang = lang
        self._of = {"pillar": choices.pillars, "lead_organization": choices.organizations}

    def source(self, name: str) -> str | None:
        """Where the codes are that a field may have; None where nobody said which there are."""
        offered = self._of.get(name)
        if not offered:
            return None
        column = xl_col_to_name(2 * list(self._of).index(name))
        sheet = quote_sheetname(_LISTS.of(self._lang))
        return f"={sheet}!${column}$2:${column}${len(offered) + 1}"

    def write(self, workbook: Any, styles: _Styles) -> None:
        """Write the sheet, where there is anything to offer."""
        if not any(self._of.values()):
            return
        sheet = workbook.add_worksheet(_LISTS.of(self._lang))
        for place, (name, offered) in enumerate(self._of.items()):
            field = next(block for block in FORM if isinstance(block, Field) and block.name == name)
            sheet.write_string(0, 2 * place, field.labels.of(self._lang), styles.title)
            for row, (code, called) in enumerate(offered, 1):
                sheet.write_string(row, 2 * place, code)
                sheet.write_string(row, 2 * place + 1, called)
        sheet.set_column(0, 3, 24)
        sheet.protect()


class _Page:
    """One sheet, written from the first row to the last."""

    def __init__(
        self, sheet: Any, styles: _Styles, lang: Lang, of_years: Sequence[int], lists: _Lists
    ) -> None:
        self._sheet, self._styles, self._lang, self._lists = sheet, styles, lang, lists
        self._row = -1
        self._key = ""
        self.of_years = of_years
        self.last = max(_LAST, _VALUE + len(of_years) - 1)
        self.prices = USUAL_PRICES

    def first_row(self) -> None:
        """The row that says what it is."""
        self.begin(_MARKED)
        self._sheet.write_string(self._row, _FIRST, _TITLE.of(self._lang), self._styles.title)

    def begin(self, key: str, lines: int = 1) -> None:
        """Go on to the next row, which asks for what the key says."""
        self._row += 1
        self._key = key
        self._sheet.write_string(self._row, 0, key, self._styles.hidden)
        if lines > 1:
            self._sheet.set_row(self._row, _LINE_HEIGHT * lines)

    def label(self, labels: Labels, first: int, last: int | None = None, style: str = "label") -> None:
        """Words of the form, in a column or from one to another."""
        look = self._styles.heading if style == "heading" else self._styles.label
        text = labels.of(self._lang)
        if last is not None and last > first:
            self._sheet.merge_range(self._row, first, self._row, last, text, look)
        else:
            self._sheet.write_string(self._row, first, text, look)

    def years(self, labels: Labels) -> None:
        """A row with the years above what follows."""
        self.begin(_YEARS)
        self.label(labels, _FIRST)
        for place, year in enumerate(self.of_years, _VALUE):
            self._sheet.write_number(self._row, place, year, self._styles.heading)

    def value(self, value: Any, kind: Kind, first: int, last: int | None = None) -> None:
        """What is filled in, or is to be, in a column or from one to another."""
        style, at = self._styles.of[kind], (self._row, first)
        if last is not None and last > first:
            self._sheet.merge_range(self._row, first, self._row, last, "", style)
        if value is None:
            self._sheet.write_blank(*at, None, style)
        elif kind is Kind.MARK:
            self._sheet.write_string(*at, MARK, style)
        elif isinstance(value, date) and value >= _FIRST_DAY:
            self._sheet.write_datetime(*at, value, style)
        elif isinstance(value, Decimal) and len(value.normalize().as_tuple().digits) <= _MOST_DIGITS:
            self._sheet.write_number(*at, value, style)
        else:
            text = f"{value:f}" if isinstance(value, Decimal) else str(value)
            self._sheet.write_string(*at, text, style)
        self._validate(kind, *at)

    def _validate(self, kind: Kind, row: int, column: int) -> None:
        refused = _REFUSED.get(kind)
        rule: dict[str, Any]
        match kind:
            case Kind.DAY:
                rule = {"validate": "date", "criteria": ">=", "value": _FIRST_DAY}
            case Kind.AMOUNT:
                most = 10**12
                rule = {"validate": "decimal", "criteria": "between", "minimum": -most, "maximum": most}
            case Kind.MARK:
                rule = {"validate": "list", "source": [MARK]}
            case _:
                rule = {"validate": "length", "criteria": "<=", "value": _LONGEST[kind]}
                if (source := self._lists.source(self._key)) is not None:
                    # There may be others since: it warns, and does not refuse.
                    rule = {"validate": "list", "source": source, "error_type": "warning"}
        if refused is not None:
            rule["error_message"] = refused.of(self._lang)
        self._sheet.data_validation(row, column, row, column, rule)

    def finish(self) -> None:
        """Set what is of the whole sheet."""
        sheet = self._sheet
        sheet.set_column(0, 0, None, None, {"hidden": True})
        for first, last, width in _WIDTHS:
            sheet.set_column(first, last, width)
        if self.last > _LAST:
            sheet.set_column(_LAST + 1, self.last, _WIDTHS[-1][2])
        sheet.hide_gridlines(2)
        sheet.set_paper(_A4)
        sheet.set_portrait()
        sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
        sheet.fit_to_pages(1, 0)
        sheet.print_area(0, _FIRST, self._row, self.last)
        sheet.set_footer("&L&A&R&P/&N")
        sheet.protect("", {"format_rows": True, "format_columns": True, "insert_rows": True})


# --- reading ---------------------------------------------------------------------------------------------------------

_DAY: Final = DateReader(DateFormats(formats=("%d/%m/%Y", "%d-%m-%Y")), Clock())
_NUMBER: Final = NumberReader(Numbers(thousands=""))
_URL: Final = re.compile(r"https?://[^\s]+")


def read_capture_sheets(path: Path) -> Iterator[FilledSheet | None]:
    """The capture sheets of a workbook that are not hidden, in its order; None for one that is blank.

    InvalidInput("file-unreadable") when it is no workbook, or has no such sheet.
    """
    marked = [
        (name, rows)
        for name, rows in read_workbook(path, "all")
        if rows and rows[0] and text_of(rows[0][0]) == _MARKED
    ]
    if not marked:
        raise InvalidInput(
            "file-unreadable", f"{path.name} has no capture sheet: `bitacora sheet new` makes one."
        )
    for name, rows in marked:
        yield _read(name, rows)


def _read(name: str, rows: Sequence[Sequence[Cell]]) -> FilledSheet | None:
    sheet = _Sheet(name)
    found: dict[str, Any] = {}
    block: Block | None = None
    years: list[tuple[int, int | None]] = []
    for number, cells in enumerate(rows[1:], 2):
        key = text_of(cells[0]).strip() if cells else ""
        row = _Row(sheet, number, key, cells, years)
        if key == _LABEL:
            block = None
        elif key == _YEARS:
            block, years = None, row.years_in_it()
        elif key in _BLOCKS:
            block = _BLOCKS[key]
            block.read(row, found)
        elif not key and block is not None and block.grows:
            block.read(row, found)
        else:
            row.nothing_is_asked()
    if not found and not sheet.errors:
        return None
    filled = FilledSheet(name, CaptureSheet(**found), sheet.places, sheet.errors)
    for field, code, reason in _REQUIRED:
        if field not in found and not any(error.column == field for error in sheet.errors):
            filled.errors.append(filled.error(field, code, reason))
    return filled


_REQUIRED: Final = (
    ("code", "code-missing", "Every initiative has a code of its own, which it keeps."),
    ("on", "date-missing", "Say of which day the sheet tells."),
    ("title", "title-missing", "Say what it is called."),
    ("lead_organization", "lead-missing", "Say which ministry is responsible."),
)


class _Sheet:
    """What gathers while a sheet is read."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.places: dict[str, Place] = {}
        self.errors: list[RowError] = []


class _Row:
    """One row of a sheet, read cell by cell."""

    def __init__(
        self,
        sheet: _Sheet,
        number: int,
        key: str,
        cells: Sequence[Cell],
        years: list[tuple[int, int | None]],
    ) -> None:
        self._sheet, self._number, self._cells = sheet, number, cells
        self.key = key
        self.years = years
        """The columns of the block with the year above each, None where that is none."""
        self.faulty = False

    def years_in_it(self) -> list[tuple[int, int | None]]:
        """The columns of a row of years, with those years."""
        return [(place, self._year(place)) for place in range(_VALUE, len(self._cells))]

    def _year(self, place: int) -> int | None:
        number = _NUMBER(self._cells[place])
        return int(number) if number is not None and 1900 <= number <= 2200 and number % 1 == 0 else None

    def fault(self, place: int, code: str, reason: str) -> None:
        """Note that something is wrong with a cell."""
        self.faulty = True
        column = self.key or None
        cell = self._place(place)
        self._sheet.errors.append(
            RowError(self._number, column, cell.text, code, reason, self._sheet.name, cell.cell)
        )

    def _place(self, place: int) -> Place:
        text = text_of(self._cells[place]) if place < len(self._cells) else ""
        address = f"{xl_col_to_name(place)}{self._number}"
        quoted = self._sheet.name.replace("'", "''")
        return Place(self._number, f"'{quoted}'!{address}", text)

    def nothing_is_asked(self) -> None:
        """A row that is none of the form has nothing in it."""
        for place, cell in enumerate(self._cells):
            if place and text_of(cell).strip():
                self.fault(place, "cell-unexpected", "The form asks for nothing here.")
                return

    def value(self, place: int, kind: Kind, *pointers: str, longer_by: int = 0) -> Any:
        """What stands in a cell, which `pointers` are the names of; None when it is blank, or faulty."""
        where = self._place(place)
        for pointer in pointers:
            self._sheet.places.setdefault(pointer, where)
        if pointers and where.text.strip():
            self._sheet.places[pointers[0]] = where
        if place >= len(self._cells):
            return None
        cell = self._cells[place]
        text = composed(where.text.strip())
        if isinstance(cell, TypedCell) and cell.problem:
            self.fault(place, "cell-error", cell.problem)
        elif ERROR_VALUES.fullmatch(text):
            self.fault(place, "cell-error", "A formula failed here: mend it.")
        elif text:
            try:
                return _READERS[kind](cell, text, _LONGEST.get(kind, 0) + longer_by)
            except Unreadable as error:
                self.fault(place, error.code, error.reason)
        return None


def _line(_: Cell, text: str, longest: int) -> str:
    if (unseen := unseen_in(text)) is not None:
        reason = f"A text of one line takes no line break, and no character that nobody sees: {unseen}."
        raise Unreadable("unseen-character", reason)
    return _within(text, longest)


def _prose(_: Cell, text: str, longest: int) -> str:
    text = re.sub(r"\r+\n?", "\n", text)
    if (unseen := unseen_in(text, of_lines=True)) is not None:
        raise Unreadable("unseen-character", f"There is a character in it that nobody sees: {unseen}.")
    return _within(text, longest)


def _within(text: str, longest: int) -> str:
    if len(text) > longest:
        raise Unreadable("text-too-long", f"At most {longest} characters fit; here are {len(text)}.")
    return text


def _url(_: Cell, text: str, longest: int) -> str:
    if _URL.fullmatch(text) is None:
        raise Unreadable("url-malformed", "An address begins with http:// or https:// and has no spaces.")
    return _within(text, longest)


def _day(cell: Cell, _: str, __: int) -> date:
    day = None if isinstance(cell, TypedCell) and not isinstance(cell.value, datetime) else _DAY(cell)
    if day is None:
        raise Unreadable("date-unreadable", "A day is a date of the spreadsheet, or written as 2012-05-21.")
    return day


def _amount(cell: Cell, text: str, _: int) -> Decimal:
    number = _NUMBER(cell)
    # In a text nobody knows what a point or a comma is for: only what no cell holds as a number is written so.
    if number is None or (isinstance(cell, str) and sum(map(str.isdigit, text)) <= _MOST_DIGITS):
        raise Unreadable("number-unreadable", "It is no number to the spreadsheet: write it as one.")
    return number


def _mark(_: Cell, text: str, __: int) -> bool:
    if text.casefold() != MARK:
        raise Unreadable("value-unknown", "A cell of this block is marked with an x, or is blank.")
    return True


_READERS: Final[Mapping[Kind, Callable[[Cell, str, int], Any]]] = {
    Kind.CODE: _line,
    Kind.LINE: _line,
    Kind.PROSE: _prose,
    Kind.URL: _url,
    Kind.DAY: _day,
    Kind.AMOUNT: _amount,
    Kind.MARK: _mark,
}
