"""The mapping file: what the columns of somebody else's table mean, and which of their words mean nothing.

TOML, read into the structs below; `docs/importing.md` explains every key. A key that is not known here is refused, and
so is a column that the file at hand does not have, before anything of it is taken in.
"""

from __future__ import annotations

import codecs
import difflib
import re
from collections.abc import Collection, Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from services.commitments.domain.registration import FIELD_TYPES
from shared.errors import InvalidInput
from shared.events.vocabulary import BudgetFigure, Judgement, OrganizationKind, OriginKind, Visibility
from shared.importing.mapping_file import Section, Text, invalid_mapping, read_mapping

FIELDS: Final = frozenset(FIELD_TYPES) & {
    "kind", "pillar", "result_type", "collaborating_organizations", "responsible_service", "adviser",
    "instrument", "stage", "priority", "key_words", "region", "nature", "scope", "initiative_type",
    "programmatic_alignment", "goal", "background", "general_objective", "specific_objectives", "description",
    "legislative_strategy", "communications_strategy",
}  # fmt: skip
"""The fields of a registration that `[fields]` can give."""

LISTS: Final = frozenset({"collaborating_organizations", "key_words", "specific_objectives"})


class FileLayout(Section, frozen=True):
    """How the file was saved."""

    format: Literal["csv", "xlsx"] | None = None
    encoding: str | None = None
    delimiter: Annotated[str, msgspec.Meta(min_length=1, max_length=1)] = ","
    quote: Annotated[str, msgspec.Meta(min_length=1, max_length=1)] = '"'
    sheet: str | None = None
    header_row: Annotated[int, msgspec.Meta(ge=1)] = 1
    transposed: bool = False


class NoValue(Section, frozen=True):
    """What stands in a cell that holds no value: `words` fill the cell, `phrases` (patterns) occur in it."""

    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()


class Numbers(Section, frozen=True):
    """How numbers are written: what groups thousands, what parts decimals, and what may stand around them."""

    thousands: str = ","
    decimal: Annotated[str, msgspec.Meta(min_length=1, max_length=1)] = "."
    around: tuple[str, ...] = ()


class Code(Section, frozen=True):
    """Which cells make the code that a commitment is known by."""

    columns: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    prefix: str = ""
    slug: bool = True


class Title(Section, frozen=True):
    """What it is called; `renamed` says what to do when a later row calls it something else."""

    column: str
    renamed: Literal["comment", "ignore"] = "comment"


class Dates(Section, frozen=True):
    """A column of days: the formats to try in order (`strptime`), and cells that stand for a day of their own."""

    column: str
    formats: tuple[str, ...] = ()
    century_from: Annotated[int, msgspec.Meta(ge=1900, le=2100)] = 1970
    """The first of the hundred years that two digits can mean."""
    table: dict[str, date] = msgspec.field(default_factory=dict)


class ObservedOn(Section, frozen=True):
    """The day a row tells of: from a column, or the same for the whole file."""

    column: str | None = None
    formats: tuple[str, ...] = ()
    century_from: Annotated[int, msgspec.Meta(ge=1900, le=2100)] = 1970
    table: dict[str, date] = msgspec.field(default_factory=dict)
    on: date | None = None


class Organization(Section, frozen=True):
    """An organisation to register when a row names it, and the spellings it goes by in the file."""

    code: Text
    name: Text
    kind: OrganizationKind = OrganizationKind.OTHER
    spellings: tuple[str, ...] = ()
    parent: str | None = None
    successor: str | None = None
    dissolved_on: date | None = None


class Lead(Section, frozen=True):
    """The organisation that leads: in a column, or one `code` for the whole file."""

    column: str | None = None
    code: str | None = None
    spellings: dict[str, str] = msgspec.field(default_factory=dict)
    unknown: Literal["register", "error"] = "error"


class Rating(Section, frozen=True):
    """The assessor's own rating, kept word for word, and the judgement it amounts to."""

    columns: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    values: dict[str, Judgement]
    none: NoValue = NoValue()
    blank: Literal["no_judgement", "nothing"] = "no_judgement"
    scale: str | None = None
    reason: str | None = None


class Deadline(Dates, frozen=True):
    """The day it is promised for, and where the promise is written."""

    origin: str | None = None


class Texts(Section, frozen=True):
    """A column that tells how far it is, under a heading of its own."""

    column: str
    label: str | None = None


class Progress(Section, frozen=True):
    """What makes a progress report, and which period a row's day reports on."""

    texts: tuple[Texts, ...] = ()
    stage: str | None = None
    percent: str | None = None
    period: Literal["year", "half_year", "four_months", "quarter", "month"] = "year"


class Figure(Section, frozen=True):
    """A column of money. `year`: for the fiscal year of the row's day, for a year given, or for the whole life."""

    column: str
    figure: BudgetFigure = BudgetFigure.ESTIMATE
    year: Literal["fiscal"] | int | None = None
    price_base: str | None = None


class Budget(Section, frozen=True):
    """What the money columns have in common; a fiscal year is named after the calendar year it begins in."""

    currency: Text
    figures: Annotated[tuple[Figure, ...], msgspec.Meta(min_length=1)]
    multiplier: Annotated[int, msgspec.Meta(ge=1)] = 1
    fiscal_year_begins: Annotated[int, msgspec.Meta(ge=1, le=12)] = 1


class Milestone(Dates, frozen=True, kw_only=True):
    """A step on the way whose due day is in a column."""

    name: Text


class MadeAt(Section, frozen=True):
    """Where the promises of the file were made, the same for all of them."""

    kind: OriginKind
    source: str | None = None
    source_on: date | None = None
    document_url: str | None = None


class Given(Section, frozen=True):
    """A field of the registration: from a column, by way of a value map if there is one, or the same for all."""

    column: str | None = None
    value: str | None = None
    values: dict[str, str] = msgspec.field(default_factory=dict)
    separator: str = ","


class Mapping(Section, frozen=True):
    """The whole file. `source` is how the table is named in what is recorded from it."""

    source: Text
    code: Code
    title: Title
    date: ObservedOn
    lead: Lead
    visibility: Visibility = Visibility.INTERNAL
    file: FileLayout = FileLayout()
    no_value: NoValue = NoValue()
    numbers: Numbers = Numbers()
    organizations: tuple[Organization, ...] = ()
    rating: Rating | None = None
    deadline: Deadline | None = None
    internal_deadline: Deadline | None = None
    progress: Progress | None = None
    budget: Budget | None = None
    milestones: tuple[Milestone, ...] = ()
    origin: MadeAt | None = None
    fields: dict[str, Given] = msgspec.field(default_factory=dict)

    def columns(self) -> Iterator[tuple[str, str]]:
        """Every column it asks for: the key that asks, and the name."""
        yield from (("code.columns", column) for column in self.code.columns)
        single: list[tuple[str, str | None]] = [
            ("title.column", self.title.column),
            ("date.column", self.date.column),
            ("lead.column", self.lead.column),
        ]
        if self.rating is not None:
            single += [("rating.columns", column) for column in self.rating.columns]
            single += [("rating.reason", self.rating.reason)]
        if self.deadline is not None:
            single += [("deadline.column", self.deadline.column)]
        if self.internal_deadline is not None:
            single += [("internal_deadline.column", self.internal_deadline.column)]
        if self.progress is not None:
            single += [("progress.texts", text.column) for text in self.progress.texts]
            single += [("progress.stage", self.progress.stage), ("progress.percent", self.progress.percent)]
        single += [(f"fields.{name}.column", given.column) for name, given in self.fields.items()]
        yield from ((key, column) for key, column in single if column is not None)
        if self.budget is not None:
            yield from (("budget.figures", figure.column) for figure in self.budget.figures)
        yield from (("milestones", milestone.column) for milestone in self.milestones)


def load_mapping(path: Path) -> Mapping:
    """The mapping in a file; InvalidInput("mapping-invalid") says where it cannot be understood."""
    mapping = read_mapping(path, Mapping)
    for problem in _contradictions(mapping):
        raise invalid_mapping(path.name, problem)
    return mapping


def check_columns(mapping: Mapping, columns: Collection[str], file_name: str) -> None:
    """Every column of the mapping is there; InvalidInput("mapping-column-missing") names those that are not."""
    missing = [(key, column) for key, column in mapping.columns() if " ".join(column.split()) not in columns]
    if missing:
        told = "; ".join(f"`{key}` asks for '{column}'{_meant(column, columns)}" for key, column in missing)
        raise InvalidInput("mapping-column-missing", f"{file_name} lacks columns of the mapping: {told}.")


def _meant(column: str, columns: Collection[str]) -> str:
    close = difflib.get_close_matches(column, columns, n=1)
    return f" (there is '{close[0]}')" if close else ""


def _contradictions(mapping: Mapping) -> Iterator[str]:
    """What no type can say; each in a sentence that names the key."""
    if (mapping.date.column is None) == (mapping.date.on is None):
        yield "`date` has either a `column` or one day, `on`"
    if (mapping.lead.column is None) == (mapping.lead.code is None):
        yield "`lead` has either a `column` or one `code`"
    for name, given in mapping.fields.items():
        if name not in FIELDS:
            yield f"`fields.{name}` is not one of {', '.join(sorted(FIELDS))}"
        if (given.column is None) == (given.value is None):
            yield f"`fields.{name}` has either a `column` or a `value`"
    if mapping.file.encoding is not None:
        try:
            codecs.lookup(mapping.file.encoding)
        except LookupError:
            yield f"`file.encoding`: '{mapping.file.encoding}' is no encoding known here"
    for key, no_value in (
        ("no_value", mapping.no_value),
        ("rating.none", mapping.rating and mapping.rating.none),
    ):
        for phrase in no_value.phrases if no_value else ():
            try:
                re.compile(phrase)
            except re.error as error:
                yield f"`{key}.phrases`: '{phrase}' is no pattern: {error}"
    codes = [organization.code for organization in mapping.organizations]
    for code in {code for code in codes if codes.count(code) > 1}:
        yield f"`organizations` has '{code}' twice"
    described = {organization.code: organization for organization in mapping.organizations}
    for code in described:
        for relation in ("parent", "successor"):
            if _leads_back(code, relation, described):
                yield f"`organizations`: the {relation} of '{code}' leads back to '{code}'"


def _leads_back(code: str, relation: str, described: dict[str, Organization]) -> bool:
    passed: set[str] = set()
    following: str | None = getattr(described[code], relation)
    while following is not None and following not in passed:
        if following == code:
            return True
        passed.add(following)
        following = getattr(described[following], relation) if following in described else None
    return False
