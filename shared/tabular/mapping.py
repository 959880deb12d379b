"""Mapping files: TOML that says what a table of somebody else means, read into structs that know every key.

An importer declares its own sections beside those that every table needs, which are here. Everything that can be wrong
with a mapping is found when it is read, before any row is.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, TypeVar, get_args

import msgspec

from shared.errors import InvalidInput
from shared.events.types import LONGEST_CODE
from shared.tabular.text import folded, plain

Text = Annotated[str, msgspec.Meta(min_length=1)]
Character = Annotated[str, msgspec.Meta(min_length=1, max_length=1)]
Column = Annotated[str, msgspec.Meta(extra={"names": "column"})]
"""The name of a column: a key of this type asks for one that the table has to have."""


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A table of a mapping file; a key that is not known is refused, here and in parts of events that stand in one."""

    either: ClassVar[tuple[str, ...]] = ()
    """Keys of which exactly one is given."""

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """What no type can say: the key that is wrong, and the rest of a sentence that begins with it."""
        yield from ()


class FileLayout(Section, frozen=True, kw_only=True):
    """How the file was saved."""

    format: Literal["csv", "xlsx", "json"] | None = None
    encoding: str | None = None
    delimiter: Character = ","
    quote: Character = '"'
    sheet: str | None = None
    sheets: Literal["all"] | tuple[Text, ...] | None = None
    """Several sheets of a workbook, one below the other; all are those that are not hidden."""
    header_row: Annotated[int, msgspec.Meta(ge=1)] = 1
    transposed: bool = False

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """An encoding that is none, and signs that would be taken for one another."""
        try:
            "".encode(self.encoding or "utf-8")
        except LookupError:
            yield "encoding", f": '{self.encoding}' is no encoding of texts known here"
        if self.delimiter in {self.quote, "\r", "\n"}:
            yield "delimiter", " cannot part cells: it is the quote, or ends a line"
        if self.sheet is not None and self.sheets is not None:
            yield "sheets", " is for several, and `sheet` for one"
        for key in ("sheet", "sheets"):
            if self.format in {"csv", "json"} and getattr(self, key) is not None:
                yield key, f" is of a workbook, and `format` is {self.format}"


class NoValue(Section, frozen=True, kw_only=True):
    """What stands in a cell that holds no value: `words` fill the cell, `phrases` (patterns) occur in it."""

    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Patterns that are none, or are found in whatever stands there, so that nothing would be unreadable."""
        for phrase in self.phrases:
            try:
                if re.search(phrase, _NOBODYS):
                    yield "phrases", f": '{phrase}' is found in every text"
            except re.error as error:
                yield "phrases", f": '{phrase}' is no pattern: {error}"


class Numbers(Section, frozen=True, kw_only=True):
    """How numbers are written: what groups thousands, what parts decimals, and what may stand around them."""

    thousands: str = ","
    decimal: Character = "."
    around: tuple[str, ...] = ()

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Signs that would be taken for one another, or for a part of the number."""
        if self.decimal == self.thousands:
            both = f" and `thousands`, a comma unless it says otherwise, are both '{self.decimal}'"
            yield "decimal", f'{both}: say what groups the thousands, or thousands = "" for nothing'
        for key, sign in (("decimal", self.decimal), ("thousands", self.thousands)):
            if re.search(r"[0-9()−-]", sign) or (key == "decimal" and sign.isspace()):
                yield key, f" is '{sign}', which is a part of numbers"
        for word in self.around:
            if not word.strip() or re.search(r"[0-9()−-]", word) or word in {self.decimal, self.thousands}:
                yield "around", f" has '{word}', which is a part of numbers"


class Which(Section, frozen=True, kw_only=True):
    """Rows of one kind, by what stands in a column: one of the words, a text with a pattern in it, or nothing."""

    column: Column
    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    blank: bool = False

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """No rows at all, and patterns that are none."""
        if not (self.words or self.phrases or self.blank):
            yield "", " is no kind of rows: give `words`, `phrases` or `blank`"
        yield from NoValue(phrases=self.phrases).contradictions()


class RowChoice(Section, frozen=True, kw_only=True):
    """Which rows of a table are meant, before anything is made of them, and which cells stand for those below, too.

    Those to `leave_out` are of one of the kinds; those that are meant are of each kind of `only`. In the columns to
    `fill_down` a blank repeats the cell above it, as in what were merged cells.
    """

    leave_out: tuple[Which, ...] = ()
    only: tuple[Which, ...] = ()
    fill_down: tuple[Column, ...] = ()


class Derived(Section, frozen=True, kw_only=True):
    """A column that the table lacks: the first of some columns that says something, or else the same in every row."""

    first_of: tuple[Column, ...] = ()
    value: Text | None = None

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """A column of nothing."""
        if not self.first_of and self.value is None:
            yield "", " has nothing in it: give `first_of`, `value` or both"


class DateFormats(Section, frozen=True, kw_only=True):
    """How days are written: the formats to try in order (`strptime`), and cells that stand for a day of their own."""

    formats: tuple[str, ...] = ()
    century_from: Annotated[int, msgspec.Meta(ge=1900, le=2100)] = 1970
    """The first of the hundred years that two digits can mean."""
    table: dict[str, date] = msgspec.field(default_factory=dict)
    period_day: Literal["first", "last"] | None = None
    """The day that is meant by a month, a quarter or a year; without it they are no days."""

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Formats that give no whole day, and cells that would stand for two."""
        for form in self.formats:
            if "%Z" in form:
                yield "formats", f": '{form}' asks for a zone by name, which is no instant: an offset is, %z"
            elif (given := given_by(form)) is None or (given != "day" and self.period_day is None):
                yield "formats", f": '{form}' gives no day with its month and its year"
        yield from contradicting("table", self.table)


class Dates(DateFormats, frozen=True, kw_only=True):
    """A column of days."""

    column: Column


class Code(Section, frozen=True, kw_only=True):
    """Which cells make the code that a thing is known by; a cell of digits alone gets zeros up to `width`."""

    columns: Annotated[tuple[Column, ...], msgspec.Meta(min_length=1)]
    prefix: str = ""
    width: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_CODE)] = 1
    slug: bool = True


class WrittenCode(Code, frozen=True, kw_only=True):
    """The same, where a code is meant as it stands."""

    slug: bool = False


class RowDay(DateFormats, frozen=True, kw_only=True):
    """The day that a row tells of: from a column, or the same for the whole file."""

    either = ("column", "on")

    column: Column | None = None
    on: date | None = None


class Given(DateFormats, frozen=True, kw_only=True):
    """A field of what is recorded: from a column, by way of a value map if there is one, or the same for all."""

    either = ("column", "value")

    column: Column | None = None
    value: str | bool | int | float | None = None
    values: dict[str, str | bool] = msgspec.field(default_factory=dict)
    separator: Text = ","

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """A word that stands for two values."""
        yield from super().contradictions()
        yield from contradicting("values", self.values)


def columns_in(section: Section) -> Iterator[str]:
    """The columns that give members of a section, where they are not the same for all."""
    for name in section.__struct_fields__:
        given = getattr(section, name)
        if isinstance(given, Given) and given.column is not None:
            yield given.column


class Named(Section, frozen=True, kw_only=True):
    """An organisation: in a column, or one `code` for the whole file."""

    either = ("column", "code")

    column: Column | None = None
    code: Text | None = None
    spellings: dict[str, str] = msgspec.field(default_factory=dict)
    unknown: Literal["register", "error"] = "error"

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """A spelling of two organisations."""
        yield from contradicting("spellings", self.spellings)


class TableMapping(Section, frozen=True, kw_only=True):
    """What every mapping of a table says. `source` is how the table is named in what is recorded from it."""

    source: Text
    file: FileLayout = FileLayout()
    no_value: NoValue = NoValue()
    numbers: Numbers = Numbers()
    rows: RowChoice = RowChoice()
    columns: dict[str, Derived] = msgspec.field(default_factory=dict)


LARGEST_MAPPING: Final = 1 << 20
"""Bytes of a mapping: to parse one takes a hundred times as many."""
_MANY_PARTS: Final = re.compile(rb"""(?:\.[ \t]*(?:[\w-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')[ \t]*){20}""")
"""A key of so many parts as no mapping has. What it takes to parse one grows with their square."""
_NOBODYS: Final = "\ue000\ue001"
"""A text that is in no table, of characters that mean nothing."""


def contradicting(key: str, values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Words that are one when capitals and white space do not count, and would stand for two things."""
    kept: dict[str, tuple[str, object]] = {}
    for word, value in values.items():
        other, given = kept.setdefault(folded(word), (word, value))
        if given != value:
            yield key, f" has '{other}' and '{word}', which are one word and cannot stand for two things"


def given_by(form: str) -> Literal["day", "month", "year"] | None:
    """What a date format gives: a day, a month or a year; None when it does not even give the year."""
    moment = datetime(2009, 11, 23, 12, tzinfo=UTC)
    try:
        read = datetime.strptime(moment.strftime(form), form)  # noqa: DTZ007
    except (ValueError, OverflowError):
        return None
    if read.date() == moment.date():
        return "day"
    if read.year != moment.year or read.day != 1:
        return None
    return "month" if read.month == moment.month else "year"


S = TypeVar("S", bound=Section)


def kind_in(path: Path) -> str | None:
    """The `kind` that a mapping names; None where it names none. InvalidInput("mapping-invalid") when it is no TOML."""
    named = _decoded(path).get("kind")
    return named if isinstance(named, str) else None


def read_mapping(path: Path, kind: type[S]) -> S:
    """The mapping in a file; InvalidInput("mapping-invalid") says where it cannot be understood."""
    given = _decoded(path)
    try:
        mapping = msgspec.convert(given, kind, builtin_types=(date,), str_keys=True)
    except msgspec.ValidationError as error:
        raise _invalid(path, _in_toml_words(str(error))) from error
    for key, section, keys in _sections("", mapping, given):
        for name in keys.keys() - {*section.__struct_fields__}:
            raise _invalid(path, f"unknown field `{name}` - at `{key or 'the file'}`")
        if not isinstance(section, Section):
            if "" in keys.values():
                raise _invalid(path, f"`{key}` has an empty text")
            continue
        if section.either and sum(getattr(section, name) is not None for name in section.either) != 1:
            raise _invalid(path, f"`{key}` has either `{'` or `'.join(section.either)}`")
        for name, problem in section.contradictions():
            raise _invalid(path, f"`{_under(key, name)}`{problem}")
    return mapping


def _decoded(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()
        if len(content) > LARGEST_MAPPING:
            raise _invalid(path, f"it has more than {LARGEST_MAPPING >> 20} MB")
        if _MANY_PARTS.search(content) is not None:
            raise _invalid(path, "it has a key of too many parts")
        given: dict[str, Any] = msgspec.toml.decode(content)
    except RecursionError as error:
        raise _invalid(path, "it is nested too deeply") from error
    except (OSError, UnicodeError, msgspec.DecodeError) as error:
        raise _invalid(path, _in_toml_words(str(error))) from error
    except ValueError as error:  # an integer with more digits than Python reads
        raise _invalid(path, "it has a number with too many digits") from error
    return given


def columns_of(mapping: Section) -> Iterator[tuple[str, str]]:
    """Every column a mapping asks for: the key that asks, and the name."""
    for key, section, _ in _sections("", mapping):
        for field in msgspec.structs.fields(section):
            if _names_columns(field.type):
                named = getattr(section, field.name)
                names = named if isinstance(named, tuple) else () if named is None else (named,)
                yield from ((_under(key, field.name), name) for name in names)


def check_columns(mapping: Section, columns: Collection[str], file_name: str) -> None:
    """Every column of the mapping is there; InvalidInput("mapping-column-missing") names those that are not."""
    missing = [(key, column) for key, column in columns_of(mapping) if plain(column) not in columns]
    if missing:
        named = "; ".join(f"`{key}` asks for '{column}'{_meant(column, columns)}" for key, column in missing)
        raise InvalidInput("mapping-column-missing", f"{file_name} lacks columns of the mapping: {named}.")


def _sections(
    key: str, value: Any, given: Any = None
) -> Iterator[tuple[str, msgspec.Struct, dict[str, Any]]]:
    """Every section there is in a mapping: its key as TOML writes it, what became of it, and what was given."""
    match value:
        case msgspec.Struct():
            yield key, value, given or {}
            for name in value.__struct_fields__:
                yield from _sections(_under(key, name), getattr(value, name), given and given.get(name))
        case dict():
            for name, one in value.items():
                yield from _sections(f"{key}.{name}", one, given and given[name])
        case tuple():
            for number, one in enumerate(value):
                yield from _sections(f"{key}[{number}]", one, given and given[number])


def _under(key: str, name: str) -> str:
    return f"{key}.{name}" if key and name else key or name


def _names_columns(annotation: Any) -> bool:
    return annotation == Column or any(map(_names_columns, get_args(annotation)))


def _meant(column: str, columns: Collection[str]) -> str:
    close = difflib.get_close_matches(column, columns, n=1)
    return f" (there is '{close[0]}')" if close else ""


def _invalid(path: Path, problem: str) -> InvalidInput:
    return InvalidInput("mapping-invalid", f"The mapping {path.name} cannot be used: {problem}.")


def _in_toml_words(message: str) -> str:
    """A decoder's sentence with its path as keys are written in TOML."""
    return re.sub(r"`\$\.?([^`]*)`", lambda found: f"`{found[1] or 'the file'}`", message).rstrip(".")
