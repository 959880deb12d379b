"""Looks at a table and proposes a mapping for it: what its columns seem to mean, and what is unsure as comments.

Names of columns say what they may be, in Spanish or English, and cells whether they are. The proposal is always a
mapping that is understood and fits the table; whether it is right is for somebody who knows the table to say.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple

from shared.clock import Clock
from shared.errors import InvalidInput
from shared.events.texts import folded as without_accents
from shared.rules.periods import period_named
from shared.tabular.cells import ERROR_VALUES, DateReader, NumberReader
from shared.tabular.mapping import DateFormats, FileLayout, Numbers
from shared.tabular.reading import Table, read_beginning, read_table
from shared.tabular.text import folded, plain
from shared.tabular.workbook import OTHER_WORKBOOKS, Cell, TypedCell, text_of

_LOOKED_AT: Final = 5_000
"""Rows that are looked at: enough to know a column by."""
_MOST_RATINGS: Final = 12
_HEADER_WITHIN: Final = 20

_TOTAL: Final = re.compile(r"^(sub)?total(es)?\b", re.IGNORECASE)

_NO_VALUE: Final = (
    "n/a",
    "na",
    "-",
    "--",
    "s/i",
    "s/d",
    "sin información",
    "sin dato",
    "no aplica",
    "tbd",
    "tbc",
)
_FORMATS: Final = (
    "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y", "%d-%m-%y", "%d.%m.%y", "%d-%b-%Y", "%d-%b-%y", "%d %B %Y",
    "%d de %B de %Y", "%m/%d/%Y", "%B %Y", "%b-%y", "%b %Y", "%m/%Y",
)  # fmt: skip
_PERIODS: Final = frozenset({"%B %Y", "%b-%y", "%b %Y", "%m/%Y"})

_NAMES: Final = {
    "code": r"\b(codigo|code|cod|id|key|clave|numero|number)\b",
    "title": r"\b(nombre|name|titulo|title)\b",
    "promise": r"\b(compromiso|commitment|iniciativa|initiative|proyecto|project|medida|meta)\b",
    "lead": r"ministerio|ministry|department|departamento|organismo|responsable|owner|lead|entidad|secretaria",
    "date": r"snapshot|corte|fecha (de )?(reporte|informe)|report(ing)? date|as at|^(fecha|date)$|\b(ano|year)$",
    "deadline": r"plazo|deadline|due|fecha (de )?(fin|termino|entrega|compromet)|(end|finish|completion) date|vence",
    "rating": r"rating|semaforo|rag\b|traffic|confidence|confianza|\bdca\b|colou?r|riesgo|calificacion",
    "state": r"estado|\bstatus\b|situacion|\bstate\b",
    "percent": r"avance|percent|porcentaje|%|progress|completion",
    "money": r"presupuesto|budget|costo?\b|monto|gasto|forecast|inversion|comprometid|ejecutad|devengad|pagad|benefits",
    "indicator": r"indicador|indicator",
    "unit": r"\bunidad|\bunit",
    "direction": r"tendencia|sentido|orientacion|direction",
    "baseline": r"linea (de )?base|baseline|\bl b\b",
    "target": r"\bmeta\b|target|valor esperado",
    "supplier": r"fuente|source|responsable|ministerio|ministry|entidad|departamento",
    "value": r"\bvalor\b|\bvalue\b|\bdato\b|figure",
    "period": r"periodo|period|trimestre|quarter|\b(ano|year|mes|month)\b",
    "planned": r"\btipo\b|\btype\b|\bkind\b|\bclase\b",
    "text": r"narrativ|narrative|observacion|comentario|comment|descripcion del avance|progress|detalle",
}  # fmt: skip
"""By what a column may be: a pattern in its name, accents and capitals aside."""

_FIGURES: Final = (
    ("paid", r"pagad|paid"), ("executed", r"ejecutad|devengad|executed|spent"), ("committed", r"comprometid|committed"),
    ("benefits", r"benefi"), ("whole_life_cost", r"whole.?life|total"), ("forecast", r"forecast|proyectad|estimad"),
    ("budget", r"presupuesto|budget"),
)  # fmt: skip

_JUDGEMENTS: Final = {
    "on_track": r"^(green|amber ?/ ?green|verde|on track|en plazo|al dia|normal)\b",
    "at_risk": r"amber|amarill|red\b|rojo|risk|riesgo|atrasad|delayed|critic",
}
_STATES: Final = {
    "achieved": r"cumplid|achieved|complet|terminad|finaliz|done|logrado",
    "discarded": r"descartad|discarded|cancel|desistid",
    "open": r"curso|ejecucion|proceso|progress|open|pendiente|vigente|plazo|tiempo|track|iniciad",
}


_DIRECTIONS: Final = {
    "increase": r"^(i|a|inc|aum|crec|asc|up\b|sub)|increase|aument",
    "decrease": r"^(d|r)$|decre|reduc|dismin|desc|down",
    "maintain": r"^m$|mant|maint|estab|constan",
}
_PLANNED: Final = r"planea|planif|program|planned|esperad|proyect|previst"
_OTHER_FIGURES: Final = r"%|\btotal|avance|apropiac|compromis|pago|financ|presup|budget|costo?\b|gasto"
"""Columns of shares, sums and money, which are no values of an indicator."""
_PERIOD_IN_NAME: Final = re.compile(
    r"(?:\b(?P<first>[qthsc]) ?(?P<one>[1-4])\b.*)?\b(?P<year>(?:19|20)\d\d)\b"
    r"(?: ?(?P<last>[qthsc]) ?(?P<other>[1-4])\b)?"
)


class _Column(NamedTuple):
    """A column with what stands in it where something does."""

    name: str
    cells: Sequence[Cell]
    filled: Sequence[Cell]

    def share(self, fits: Callable[[Cell], object]) -> float:
        """How many of the cells with something in them fit, from 0 to 1."""
        return sum(fits(cell) is not None for cell in self.filled) / len(self.filled) if self.filled else 0.0

    def words(self) -> Counter[str]:
        """What stands there, by how often."""
        return Counter(plain(text_of(cell)) for cell in self.filled)


Proposable = Literal["commitments", "indicators"]
"""The kinds of table for which a mapping is proposed."""


def propose(file: Path, sheet: str | None = None, kind: Proposable = "commitments") -> str:
    """A mapping in TOML for the table in a file; InvalidInput("file-unreadable") when there is no table in it."""
    layout = _layout(file, sheet)
    proposal = _IndicatorProposal if kind == "indicators" else _Proposal
    return "\n".join(proposal(file, layout, read_table(file, layout)).lines()) + "\n"


# --- how it was saved -----------------------------------------------------------------------------------------------


def _layout(file: Path, sheet: str | None) -> FileLayout:
    ending = file.suffix.lower()
    if ending in {".json", ".jsonl", ".ndjson"}:
        return FileLayout()
    if ending in {".xlsx", ".xlsm", *OTHER_WORKBOOKS}:
        rows = read_beginning(file, FileLayout(sheet=sheet), _HEADER_WITHIN)
        return FileLayout(sheet=sheet, header_row=_header_row(rows))
    beginnings = {sign: read_beginning(file, FileLayout(delimiter=sign), _HEADER_WITHIN) for sign in ",;\t|"}
    delimiter = max(beginnings, key=lambda sign: _regularity(beginnings[sign]))
    return FileLayout(delimiter=delimiter, header_row=_header_row(beginnings[delimiter]))


def _regularity(rows: Sequence[Sequence[str]]) -> tuple[int, int]:
    """How many rows have the most frequent number of cells, where that is more than one; then that number."""
    widths = Counter(len(row) for row in rows if len(row) > 1)
    if not widths:
        return 0, 0
    width, count = widths.most_common(1)[0]
    return count, width


def _header_row(rows: Sequence[Sequence[str]]) -> int:
    """The first row with as many names as any has, counted from 1."""
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    widest = max(filled, default=0)
    return next((number for number, count in enumerate(filled, 1) if count >= 0.8 * widest and count), 1)


# --- what it says ---------------------------------------------------------------------------------------------------


class _Proposal:
    """What a table seems to say, put into the keys of a mapping one after the other."""

    def __init__(self, file: Path, layout: FileLayout, table: Table) -> None:
        self._file = file
        self._layout = layout
        rows = [row for row in table.rows[:_LOOKED_AT] if row.problem is None]
        self._no_value = {*map(folded, _NO_VALUE)}
        self._columns = []
        for place, name in enumerate(table.columns):
            cells = [row.cells[place] for row in rows]
            filled = [cell for cell in cells if not self._says_nothing(cell)]
            self._columns.append(_Column(name, cells, filled))
        self._numbers = self._how_numbers_are_written()
        self._number = NumberReader(self._numbers, "%")
        self._taken: set[str] = set()

    def _says_nothing(self, cell: Cell) -> bool:
        text = text_of(cell)
        failed = ERROR_VALUES.fullmatch(text.strip()) is not None
        return not text.strip() or folded(text) in self._no_value or failed

    def lines(self) -> Iterator[str]:
        """The mapping, line by line."""
        yield f"# Proposed for {_in_comment(self._file.name)} by its names and cells. Lines marked unsure are guesses:"
        yield "# look at each, and try it with --dry-run. docs/importing.md explains every key."
        yield f"source = {_quoted(self._file.stem)}  # unsure: how the table is to be named in reasons"
        yield ""
        yield from self._saved()
        yield from self._nothing()
        yield from self._rows()
        code = self._take_code()
        title = self._take("title", self._is_text) or self._take("promise", self._is_text)
        title = title or self._longest_names()
        if code is None:
            yield "# unsure: no column looks like a code, so the title makes one"
        yield from ("[code]", f"columns = [{_quoted((code or title).name)}]", "")
        yield from ("[title]", f"column = {_quoted(title.name)}", "")
        yield from self._date()
        yield from self._lead()
        yield from self._rating()
        yield from self._state()
        yield from self._deadline()
        yield from self._progress()
        yield from self._budget()
        rest = [one.name for one in self._columns if one.name not in self._taken]
        if rest:
            yield f"# Not asked for: {', '.join(map(_in_comment, rest))}"

    def _take_code(self) -> _Column | None:
        """The column that tells most things apart, of those that by their name may hold codes."""
        codes = [*self._fitting("code", lambda one: len(one.words()) > len(one.filled) / 20)]
        code = max(codes, key=lambda one: len(one.words()), default=None)
        self._taken |= set() if code is None else {code.name}
        return code

    def _take(self, kind: str, fits: Callable[[_Column], bool]) -> _Column | None:
        """The first column that by its name may be of a kind, and by its cells is."""
        found = next(self._fitting(kind, fits), None)
        if found is not None:
            self._taken.add(found.name)
        return found

    def _fitting(self, kind: str, fits: Callable[[_Column], bool]) -> Iterator[_Column]:
        named = re.compile(_NAMES[kind])
        for column in self._columns:
            if column.name not in self._taken and named.search(_bare(column.name)) and fits(column):
                yield column

    def _is_text(self, column: _Column) -> bool:
        return bool(column.filled) and column.share(self._number) < 0.5

    def _longest_names(self) -> _Column:
        free = [
            column for column in self._columns if column.name not in self._taken and self._is_text(column)
        ]
        found = max(free or self._columns, key=lambda one: len(one.words()))
        self._taken.add(found.name)
        return found

    # --- cells ---------------------------------------------------------------------------------------------------

    def _how_numbers_are_written(self) -> Numbers:
        comma, point = Numbers(thousands=".", decimal=","), Numbers()
        texts = [cell for one in self._columns for cell in one.filled if isinstance(cell, str)]
        only_comma = sum(NumberReader(comma)(text) is not None for text in texts)
        only_point = sum(NumberReader(point)(text) is not None for text in texts)
        return comma if only_comma > only_point else point

    def _formats(self, column: _Column) -> list[str]:
        """The formats that between them read the days of a column, those that read most first."""
        left = [cell for cell in column.filled if not isinstance(cell, TypedCell) and _iso(cell) is None]
        found: list[str] = []
        for form in sorted(_FORMATS, key=lambda form: -sum(_reads(form, cell) for cell in left)):
            rest = [cell for cell in left if not _reads(form, cell)]
            if len(rest) < len(left):
                found.append(form)
                left = rest
        return found

    def _are_days(self, column: _Column) -> bool:
        if not column.filled:
            return False
        formats = self._formats(column)
        read = DateReader(DateFormats(formats=tuple(formats), period_day="last"), Clock())
        return column.share(lambda cell: None if _is_number(cell) else read(cell)) >= 0.5

    def _day_keys(self, column: _Column) -> Iterator[str]:
        yield f"column = {_quoted(column.name)}"
        formats = self._formats(column)
        if formats:
            yield f"formats = [{', '.join(map(_quoted, formats))}]"
        if any(form in {"%d/%m/%Y", "%m/%d/%Y"} for form in formats) and all(
            _reads("%d/%m/%Y", cell) and _reads("%m/%d/%Y", cell) for cell in column.filled
        ):
            yield "# unsure: every day there reads as day/month and as month/day alike"
        shown = any(isinstance(cell, TypedCell) and cell.shows != "day" for cell in column.filled)
        if shown or _PERIODS & {*formats}:
            yield 'period_day = "last"  # unsure: of a month, its last day is taken'

    # --- keys ----------------------------------------------------------------------------------------------------

    def _saved(self) -> Iterator[str]:
        layout = self._layout
        given = {"delimiter": layout.delimiter, "sheet": layout.sheet, "header_row": layout.header_row}
        usual = {"delimiter": ",", "sheet": None, "header_row": 1}
        lines = [
            f"{key} = {json.dumps(value, ensure_ascii=False)}"
            for key, value in given.items()
            if value != usual[key]
        ]
        if lines:
            yield from ("[file]", *lines, "")
        if self._numbers.decimal == ",":
            yield from ("[numbers]", 'thousands = "."', 'decimal = ","', "")

    def _nothing(self) -> Iterator[str]:
        texts = Counter(
            plain(text_of(cell)) for one in self._columns for cell in one.cells if self._says_nothing(cell)
        )
        words = [word for word, _ in texts.most_common() if word]
        if words:
            yield from ("[no_value]", f"words = [{', '.join(map(_quoted, words))}]", "")

    def _rows(self) -> Iterator[str]:
        for column in self._columns[:3]:
            totals = [word for word in column.words() if len(word) < 40 and _TOTAL.match(word)]
            if totals and len(totals) < len(column.words()):
                yield f"[rows]  # unsure: {_in_comment(totals[0])} is no item of its own"
                yield f"leave_out = [{{ column = {_quoted(column.name)}, phrases = [{_quoted(_TOTAL.pattern)}] }}]"
                yield ""
                break
        for column in self._columns[:3]:
            blank = [self._says_nothing(cell) for cell in column.cells]
            if blank and not blank[0] and 0.3 < sum(blank) / len(blank) < 1 and self._is_text(column):
                yield f"# unsure: {_in_comment(column.name)} may hold merged cells: `fill_down` under [rows]"
                yield ""
                break

    def _date(self) -> Iterator[str]:
        column = self._take("date", self._are_days)
        years = None if column else self._take("date", self._are_years)
        if column is not None:
            yield from ("[date]", *self._day_keys(column), "")
        elif years is not None:
            yield from (
                "[date]  # unsure: of a year, its last day is taken",
                f"column = {_quoted(years.name)}",
            )
            yield from ('formats = ["%Y"]', 'period_day = "last"', "")
        else:
            today = Clock().today()
            yield from ("[date]", f"on = {today}  # unsure: no column gives the day that rows tell of", "")

    def _are_years(self, column: _Column) -> bool:
        return column.share(lambda cell: re.fullmatch(r"(19|20)\d\d", text_of(cell).strip())) == 1

    def _lead(self) -> Iterator[str]:
        column = self._take("lead", self._is_text)
        if column is None:
            yield from ("[lead]", 'code = "DCI"  # unsure: no column names who leads', "")
            return
        yield from ("[lead]", f"column = {_quoted(column.name)}")
        yield f'unknown = "register"  # unsure: {len(column.words())} names, each an organisation of its own'
        yield ""

    def _rating(self) -> Iterator[str]:
        column = self._take(
            "rating", lambda one: 0 < len(one.words()) <= _MOST_RATINGS and self._is_text(one)
        )
        if column is None:
            return
        yield from ("[rating]", f"columns = [{_quoted(column.name)}]")
        yield from self._table_of(column, "values", _JUDGEMENTS, otherwise="none = { words")

    def _state(self) -> Iterator[str]:
        meant = {kind: pattern for kind, pattern in _STATES.items() if kind != "discarded"}
        column = self._take(
            "state",
            lambda one: (
                len(one.words()) <= _MOST_RATINGS and any(_meant(word, meant) for word in one.words())
            ),
        )
        if column is None:
            return
        yield from ("[state]", f"column = {_quoted(column.name)}")
        given_up = [word for word in column.words() if re.search(_STATES["discarded"], without_accents(word))]
        if given_up:
            yield f"# unsure: {_in_comment(given_up[0])} may be discarded, which needs `reason_type` and `reason_types`"
        yield from self._table_of(column, "values", meant, otherwise=None)

    def _table_of(
        self, column: _Column, key: str, meant: dict[str, str], otherwise: str | None
    ) -> Iterator[str]:
        """What the words of a column stand for, one to a line; those that are not guessed are told apart."""
        known: dict[str, tuple[str, str]] = {}
        for word in column.words():
            kind = _meant(word, meant)
            if kind is not None:
                known.setdefault(folded(word), (word, kind))
        left = {folded(word): word for word in column.words() if folded(word) not in known}
        if left and otherwise is not None:
            words = ", ".join(map(_quoted, left.values()))
            yield f"none = {{ words = [{words}] }}  # unsure: no judgement that could be guessed"
        listed = ", ".join(f"{_quoted(word)} = {_quoted(kind)}" for word, kind in known.values())
        yield f"{key} = {{ {listed} }}  # unsure" if listed else f"{key} = {{}}"
        if left and otherwise is None:
            named = ", ".join(map(_in_comment, left.values()))
            yield f"# unsure: what these mean is to be said before rows that have them go in: {named}"
        yield ""

    def _deadline(self) -> Iterator[str]:
        column = self._take("deadline", self._are_days)
        if column is not None:
            yield from ("[deadline]", *self._day_keys(column), "")

    def _progress(self) -> Iterator[str]:
        percent = self._take("percent", self._are_shares)
        text = self._take("text", lambda one: self._is_text(one) and not self._are_days(one))
        if percent is None and text is None:
            return
        yield "[progress]"
        if text is not None:
            yield f"texts = [{{ column = {_quoted(text.name)} }}]"
        if percent is not None:
            bare = [self._number(cell) or 0 for cell in percent.filled if "%" not in text_of(cell)]
            yield f"percent = {_quoted(percent.name)}"
            if bare:
                yield f"scale = {1 if max(bare) <= 1 else 100}  # unsure: the largest number there is {max(bare)}"
        yield ""

    def _are_shares(self, column: _Column) -> bool:
        values = [value for cell in column.filled if (value := self._number(cell)) is not None]
        return (
            bool(values)
            and len(values) >= len(column.filled) / 2
            and all(0 <= value <= 100 for value in values)
        )

    def _budget(self) -> Iterator[str]:
        figures: dict[str, str] = {}
        for column in [*self._fitting("money", lambda one: one.share(self._number) >= 0.5)]:
            name = _bare(column.name)
            figure = next((kind for kind, pattern in _FIGURES if re.search(pattern, name)), "estimate")
            if figure not in figures and "%" not in name:
                figures[figure] = column.name
                self._taken.add(column.name)
        if figures:
            yield from (
                "[budget]",
                'currency = "CLP"  # unsure',
                "multiplier = 1  # unsure: 1000000 where it is in millions",
            )
            listed = (
                f"    {{ column = {_quoted(name)}, figure = {_quoted(figure)} }},  # unsure"
                for figure, name in figures.items()
            )
            yield from ("figures = [", *listed, "]", "")


class _IndicatorProposal(_Proposal):
    """What a table of indicators seems to say: each in a row, or each value of one."""

    def lines(self) -> Iterator[str]:
        """The mapping, line by line."""
        yield f"# Proposed for {_in_comment(self._file.name)} by its names and cells. Lines marked unsure are guesses:"
        yield "# look at each, and try it with --dry-run. docs/importing.md explains every key."
        yield 'kind = "indicators"'
        yield f"source = {_quoted(self._file.stem)}  # unsure: how the table is to be named in reasons"
        yield ""
        yield from self._saved()
        yield from self._nothing()
        yield from self._rows()
        code = self._take_code()
        value = self._take("value", lambda one: one.share(self._number) >= 0.5)
        period = self._take("period", lambda one: bool(one.filled)) if value is not None else None
        name = self._take("indicator", self._is_text) or self._take("title", self._is_text)
        if name is None and (value is None or period is None):
            name = self._longest_names()
        if code is None:
            yield "# unsure: no column looks like a code, so the name makes one"
        yield from ("[code]", f"columns = [{_quoted((code or name or self._columns[0]).name)}]", "")
        yield f"[date]\non = {Clock().today()}  # unsure: the day from which definitions, targets and plans hold"
        yield ""
        yield from self._definition(name)
        if value is not None and period is not None:
            yield from self._value(value, period)
        else:
            yield from self._figures()
        rest = [one.name for one in self._columns if one.name not in self._taken]
        if rest:
            yield f"# Not asked for: {', '.join(map(_in_comment, rest))}"

    def _definition(self, name: _Column | None) -> Iterator[str]:
        unit = self._take("unit", self._is_text)
        direction = self._take("direction", lambda one: 0 < len(one.words()) <= _MOST_RATINGS)
        if name is None:
            return
        yield from ("[fields]", f"name = {{ column = {_quoted(name.name)} }}")
        unit_given = 'value = "%"' if unit is None else f"column = {_quoted(unit.name)}"
        yield f"unit = {{ {unit_given} }}" + ("  # unsure: no column gives it" if unit is None else "")
        if direction is None:
            yield 'direction = { value = "increase" }  # unsure: no column gives it'
        else:
            words = {word: _meant(word, _DIRECTIONS) or "increase" for word in direction.words()}
            listed = ", ".join(f"{_quoted(word)} = {_quoted(kind)}" for word, kind in words.items())
            yield f"direction = {{ column = {_quoted(direction.name)}, values = {{ {listed} }} }}  # unsure"
        yield ""
        supplier = self._take("supplier", self._is_text)
        if supplier is not None:
            yield from ("[supplier]", f"column = {_quoted(supplier.name)}")
            yield f'unknown = "register"  # unsure: {len(supplier.words())} names, each an organisation of its own'
            yield ""

    def _value(self, value: _Column, period: _Column) -> Iterator[str]:
        """A table in which each row is one value."""
        planned = self._take("planned", lambda one: 1 < len(one.words()) <= _MOST_RATINGS)
        yield from ("[value]", f"column = {_quoted(value.name)}")
        if planned is not None:
            words = ", ".join(
                f"{_quoted(word)} = {'true' if re.search(_PLANNED, without_accents(word)) else 'false'}"
                for word in planned.words()
            )
            yield f"planned = {{ column = {_quoted(planned.name)}, values = {{ {words} }} }}  # unsure"
        has_t = any(re.search(r"\bT[1-4]\b", text_of(cell), re.IGNORECASE) for cell in period.filled)
        t_means = ', t_means = "quarter"' if has_t else ""
        yield f"period = {{ column = {_quoted(period.name)}{t_means} }}" + ("  # unsure" if has_t else "")
        yield ""

    def _figures(self) -> Iterator[str]:
        """A table in which each row is one indicator: its figures stand in columns."""
        baseline = self._take("baseline", lambda one: one.share(self._number) >= 0.3)
        if baseline is not None:
            yield from ("[baseline]", f"value = {{ column = {_quoted(baseline.name)} }}")
            yield f"on = {Clock().today().year - 1}-12-31  # unsure: the day it is of"
            yield ""
        of_periods = {
            column.name: period
            for column in self._columns
            if column.name not in self._taken
            and column.share(self._number) >= 0.5
            and (period := _period_in(column.name)) is not None
            and not re.search(_OTHER_FIGURES, _bare(column.name))
        }
        for name in [name for name in of_periods if re.search(_NAMES["target"], _bare(name))]:
            self._taken.add(name)
            yield from ("[[targets]]", f"value = {{ column = {_quoted(name)} }}")
            yield f"on = {period_named(of_periods.pop(name)).ends_on}"
            yield 'accumulation = "last"  # unsure: or sum, mean, max, min of the values since `from_on`'
            yield ""
        # Where there are parts of years, a column of a year adds them up.
        parts = {name: period for name, period in of_periods.items() if not period.isdecimal()} or of_periods
        columns: dict[str, dict[str, str]] = {"plan": {}, "measurements": {}}
        for name, period in parts.items():
            section = "plan" if re.search(_PLANNED, _bare(name)) else "measurements"
            if columns[section].setdefault(period, name) == name:
                self._taken.add(name)
        for section, listed in columns.items():
            if listed:
                yield from (f"[{section}]", "values = [  # unsure")
                for period, name in listed.items():
                    yield f"    {{ column = {_quoted(name)}, period = {_quoted(period)} }},"
                yield from ("]", "")


def _period_in(name: str) -> str | None:
    """The period that the name of a column seems to be of; None where there is none in it."""
    found = _PERIOD_IN_NAME.search(_bare(name))
    if found is None:
        return None
    letter, part = found["first"] or found["last"], found["one"] or found["other"]
    if letter is None:
        return str(found["year"])
    period = f"{found['year']}-{ {'t': 'Q', 's': 'H'}.get(letter, letter.upper()) }{part}".replace(" ", "")
    try:
        return period_named(period).name
    except InvalidInput:
        return None


def _bare(name: str) -> str:
    """The name of a column in words without accents and capitals."""
    return " ".join(re.findall(r"[a-z0-9]+|%", without_accents(name)))


def _meant(word: str, meant: dict[str, str]) -> str | None:
    """What a word seems to mean, of several things with a pattern each."""
    bare = without_accents(word)
    return next((kind for kind, pattern in meant.items() if re.search(pattern, bare)), None)


def _reads(form: str, cell: Cell) -> bool:
    return _READERS[form](cell) is not None


_READERS: Final = {
    form: DateReader(DateFormats(formats=(form,), period_day="last"), Clock()) for form in _FORMATS
}
_ISO: Final = DateReader(DateFormats(), Clock())


def _iso(cell: Cell) -> object:
    return _ISO(cell)


def _is_number(cell: Cell) -> bool:
    return text_of(cell).strip().isdecimal()


def _quoted(text: str) -> str:
    """A text as TOML writes it."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _in_comment(text: str) -> str:
    """A text in a comment: one line of it, without what ends or hides a line."""
    return "".join(one if one.isprintable() else " " for one in plain(text))[:60]
