"""The mapping file: what the columns of a table mean for a commitment; `docs/importing.md` explains every key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Final, Literal

import msgspec

from shared.events.vocabulary import BudgetFigure, Judgement, OrganizationKind, OriginKind, Visibility
from shared.rules.dated_facts import FIELD_TYPES
from shared.tabular.mapping import (
    Column,
    DateFormats,
    Dates,
    FileLayout,
    NoValue,
    Numbers,
    Section,
    Text,
)

FIELDS: Final = frozenset(FIELD_TYPES) & {
    "kind", "pillar", "result_type", "collaborating_organizations", "responsible_service", "adviser",
    "instrument", "stage", "priority", "key_words", "region", "nature", "scope", "initiative_type",
    "programmatic_alignment", "goal", "background", "general_objective", "specific_objectives", "description",
    "legislative_strategy", "communications_strategy",
}  # fmt: skip
"""The fields of a registration that `[fields]` can give."""

LISTS: Final = frozenset({"collaborating_organizations", "key_words", "specific_objectives"})


class Code(Section, frozen=True, kw_only=True):
    """Which cells make the code that a commitment is known by."""

    columns: Annotated[tuple[Column, ...], msgspec.Meta(min_length=1)]
    prefix: str = ""
    slug: bool = True


class Title(Section, frozen=True, kw_only=True):
    """What it is called; `renamed` says what to do when a later row calls it something else."""

    column: Column
    renamed: Literal["comment", "ignore"] = "comment"


class ObservedOn(DateFormats, frozen=True, kw_only=True):
    """The day a row tells of: from a column, or the same for the whole file."""

    either = ("column", "on")

    column: Column | None = None
    on: date | None = None


class DescribedOrganization(Section, frozen=True, kw_only=True):
    """An organisation to register when a row names it, and the spellings it goes by in the file."""

    code: Text
    name: Text
    kind: OrganizationKind = OrganizationKind.OTHER
    spellings: tuple[str, ...] = ()
    parent: str | None = None
    successor: str | None = None
    dissolved_on: date | None = None


class Lead(Section, frozen=True, kw_only=True):
    """The organisation that leads: in a column, or one `code` for the whole file."""

    either = ("column", "code")

    column: Column | None = None
    code: Text | None = None
    spellings: dict[str, str] = msgspec.field(default_factory=dict)
    unknown: Literal["register", "error"] = "error"


class Rating(Section, frozen=True, kw_only=True):
    """The assessor's own rating, kept word for word, and the judgement it amounts to."""

    columns: Annotated[tuple[Column, ...], msgspec.Meta(min_length=1)]
    values: dict[str, Judgement]
    none: NoValue = NoValue()
    blank: Literal["no_judgement", "nothing"] = "no_judgement"
    scale: str | None = None
    reason: Column | None = None


class Deadline(Dates, frozen=True, kw_only=True):
    """The day it is promised for, and where the promise is written."""

    origin: str | None = None


class Texts(Section, frozen=True, kw_only=True):
    """A column that tells how far it is, under a heading of its own."""

    column: Column
    label: str | None = None


class Progress(Section, frozen=True, kw_only=True):
    """What makes a progress report, and which period a row's day reports on."""

    texts: tuple[Texts, ...] = ()
    stage: Column | None = None
    percent: Column | None = None
    period: Literal["year", "half_year", "four_months", "quarter", "month"] = "year"


class Figure(Section, frozen=True, kw_only=True):
    """A column of money. `year`: for the fiscal year of the row's day, for a year given, or for the whole life."""

    column: Column
    figure: BudgetFigure = BudgetFigure.ESTIMATE
    year: Literal["fiscal"] | int | None = None
    price_base: str | None = None


class Budget(Section, frozen=True, kw_only=True):
    """What the money columns have in common; a fiscal year is named after the calendar year it begins in."""

    currency: Text
    figures: Annotated[tuple[Figure, ...], msgspec.Meta(min_length=1)]
    multiplier: Annotated[int, msgspec.Meta(ge=1)] = 1
    fiscal_year_begins: Annotated[int, msgspec.Meta(ge=1, le=12)] = 1


class Milestone(Dates, frozen=True, kw_only=True):
    """A step on the way whose due day is in a column."""

    name: Text


class MadeAt(Section, frozen=True, kw_only=True):
    """Where the promises of the file were made, the same for all of them."""

    kind: OriginKind
    source: str | None = None
    source_on: date | None = None
    document_url: str | None = None


class Given(Section, frozen=True, kw_only=True):
    """A field of the registration: from a column, by way of a value map if there is one, or the same for all."""

    either = ("column", "value")

    column: Column | None = None
    value: str | None = None
    values: dict[str, str] = msgspec.field(default_factory=dict)
    separator: str = ","


class Mapping(Section, frozen=True, kw_only=True):
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
    organizations: tuple[DescribedOrganization, ...] = ()
    rating: Rating | None = None
    deadline: Deadline | None = None
    internal_deadline: Deadline | None = None
    progress: Progress | None = None
    budget: Budget | None = None
    milestones: tuple[Milestone, ...] = ()
    origin: MadeAt | None = None
    fields: dict[str, Given] = msgspec.field(default_factory=dict)

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Fields that are none, and organisations that are described twice or come after themselves."""
        for name in self.fields.keys() - FIELDS:
            yield f"fields.{name}", f" is not one of {', '.join(sorted(FIELDS))}"
        codes = Counter(organization.code for organization in self.organizations)
        yield from (("organizations", f" has '{code}' twice") for code, count in codes.items() if count > 1)
        related = {one.code: {one.parent, one.successor} - {None} for one in self.organizations}
        try:
            TopologicalSorter(related).prepare()
        except CycleError as error:
            code = error.args[1][0]
            yield "organizations", f": the parent or the successor of '{code}' leads back to '{code}'"
