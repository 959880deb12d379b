"""The mapping file: what the columns of a table mean for a commitment; `docs/importing.md` explains every key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Final, Literal

import msgspec

from services.commitments.commitment.model import RISKS
from shared.events.commitments import ChangeableField
from shared.events.vocabulary import (
    BudgetFigure,
    DiscardReason,
    Judgement,
    OrganizationKind,
    OriginKind,
    ReviewOutcome,
    Visibility,
)
from shared.rules.dated_facts import FIELD_TYPES
from shared.rules.periods import Length
from shared.tabular.mapping import (
    Code,
    Column,
    Dates,
    Given,
    Named,
    NoValue,
    RowDay,
    Section,
    TableMapping,
    Text,
    columns_in,
    contradicting,
)
from shared.tabular.text import by_word, folded

FIELDS: Final = frozenset(FIELD_TYPES) & {
    "kind", "parent", "weight", "pillar", "result_type",
    "collaborating_organizations", "responsible_service", "adviser",
    "instrument", "stage", "priority", "key_words", "region", "nature", "scope", "initiative_type",
    "programmatic_alignment", "goal", "background", "general_objective", "specific_objectives", "description",
    "legislative_strategy", "communications_strategy",
}  # fmt: skip
"""The fields of a registration that `[fields]` can give."""

TOLD: Final = FIELDS | {"origin", "working_team", "documents"}
"""The fields that a file can give: those of `[fields]`, and those that have parts."""

CHANGEABLE: Final = TOLD & {*ChangeableField}
"""Those of them that may be another in the world from a day on."""

LISTS: Final = frozenset({"collaborating_organizations", "key_words", "specific_objectives"})


class Title(Section, frozen=True, kw_only=True):
    """What it is called; `renamed` says what to do when a later row calls it something else."""

    column: Column
    renamed: Literal["comment", "change", "ignore"] = "comment"


class ObservedOn(RowDay, frozen=True, kw_only=True):
    """The day a row tells of.

    `differing` is what becomes of two rows of one commitment and day that say different things: both an error, or the
    last of them stands.
    """

    differing: Literal["error", "last"] = "error"


class DescribedOrganization(Section, frozen=True, kw_only=True):
    """An organisation to register when a row names it, and the spellings it goes by in the file."""

    code: Text
    name: Text
    kind: OrganizationKind = OrganizationKind.OTHER
    spellings: tuple[str, ...] = ()
    parent: str | None = None
    successor: str | None = None
    dissolved_on: date | None = None

    @property
    def called(self) -> tuple[str, ...]:
        """What it goes by in the file."""
        return (self.code, self.name, *self.spellings)


class Rating(Section, frozen=True, kw_only=True):
    """The assessor's own rating, kept word for word, and the judgement it amounts to."""

    columns: Annotated[tuple[Column, ...], msgspec.Meta(min_length=1)]
    values: dict[str, Judgement]
    none: NoValue = NoValue()
    blank: Literal["no_judgement", "nothing"] = "no_judgement"
    scale: str | None = None
    reason: Column | None = None

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """A rating that amounts to two judgements."""
        yield from contradicting("values", self.values)


class State(Section, frozen=True, kw_only=True):
    """What has come of it: kept as promised, given up, or open still.

    Whatever is not in `values` and not blank is an error. `on` is the day it came to that, by default the row's. What
    was merged goes on `into` another, what was split in its `parts`: codes, made as those of the rows.
    """

    column: Column
    values: dict[str, Literal["achieved", "discarded", "open", "merged", "split"]]
    on: Dates | None = None
    evidence: Column | None = None
    evidence_url: Column | None = None
    reason: Column | None = None
    reason_type: Column | None = None
    reason_types: dict[str, DiscardReason] = msgspec.field(default_factory=dict)
    into: Column | None = None
    parts: Column | None = None
    separator: Text = ","

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """A word for two states or two reasons, and giving up for no reason."""
        yield from contradicting("values", self.values)
        yield from contradicting("reason_types", self.reason_types)
        if "discarded" in self.values.values() and not (self.reason_type and self.reason_types):
            yield (
                "values",
                " has a word for discarded: say in `reason_type` and `reason_types` why, for it is one of "
                + ", ".join(DiscardReason),
            )
        for word, needed in (("merged", "into"), ("split", "parts")):
            if word in self.values.values() and getattr(self, needed) is None:
                yield (
                    "values",
                    f" has a word for {word}: say in `{needed}` which column names what it goes on in",
                )


class Deadline(Dates, frozen=True, kw_only=True):
    """The day it is promised for, and where the promise is written."""

    origin: str | Given | None = None


class Texts(Section, frozen=True, kw_only=True):
    """A column that tells how far it is, under a heading of its own."""

    column: Column
    label: str | None = None


class Progress(Section, frozen=True, kw_only=True):
    """What makes a progress report, and which period a row's day reports on.

    `scale` is the number that means finished in the column of `percent`: 1, or 100.
    """

    texts: tuple[Texts, ...] = ()
    stage: Column | None = None
    percent: Column | None = None
    evidence: Column | None = None
    scale: Literal[1, 100] | None = None
    period: Length = "year"

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """A report without anything to report."""
        if not (self.texts or self.stage or self.percent):
            yield "", " names no column: give `texts`, `stage` or `percent`"


class Figure(Section, frozen=True, kw_only=True):
    """A column of money. `year`: for the fiscal year of the row's day, for a year given, or for the whole life."""

    column: Column
    figure: BudgetFigure = BudgetFigure.ESTIMATE
    year: Literal["fiscal"] | int | None = None
    price_base: str | None = None


class Risks(Section, frozen=True, kw_only=True):
    """The columns of the risks, each from 1 (low) to 4 (high), as numbers or in words that stand for them."""

    budgetary_requirements: Column | None = None
    technical_design_complexity: Column | None = None
    stakeholder_conflict: Column | None = None
    passage_through_congress: Column | None = None
    conflict_between_institutions: Column | None = None
    change_management: Column | None = None
    description: Column | None = None
    values: dict[str, Annotated[int, msgspec.Meta(ge=1, le=4)]] = msgspec.field(default_factory=dict)

    @property
    def columns(self) -> dict[str, str]:
        """The column of each risk that the table rates, by the name of the risk."""
        given = {name: getattr(self, name) for name in RISKS}
        return {name: column for name, column in given.items() if column is not None}

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """No risk at all, and a word for two ratings."""
        if not self.columns:
            yield "", " names no risk: " + ", ".join(RISKS)
        yield from contradicting("values", self.values)


class Budget(Section, frozen=True, kw_only=True):
    """What the money columns have in common; a fiscal year is named after the calendar year it begins in."""

    currency: Text
    figures: Annotated[tuple[Figure, ...], msgspec.Meta(min_length=1)]
    multiplier: Annotated[int, msgspec.Meta(ge=1)] = 1
    fiscal_year_begins: Annotated[int, msgspec.Meta(ge=1, le=12)] = 1

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Two columns for one figure of one year."""
        for (figure, year), count in Counter((one.figure, one.year) for one in self.figures).items():
            if count > 1:
                yield "figures", f" has two columns for `{figure}`" + (f" of {year}" if year else "")


class Milestone(Dates, frozen=True, kw_only=True):
    """A step on the way whose due day is in a column, and maybe the day it was reached in another."""

    name: Text
    completed: Dates | None = None


class OwnMilestone(Dates, frozen=True, kw_only=True):
    """The milestone that a row is about, where each has a row of its own: its name, when it is due and was reached."""

    name: Column
    completed: Dates | None = None


class MadeAt(Section, frozen=True, kw_only=True):
    """Where the promises were made: the same for all of them, or in columns."""

    kind: OriginKind | Given
    source: str | Given | None = None
    source_on: date | Given | None = None
    quote: str | Given | None = None
    document_url: str | Given | None = None


class Member(Section, frozen=True, kw_only=True):
    """A seat of the working team; it is one where its row has something in one of its columns."""

    position: str | Given
    institution: str | Given
    subject: Given | None = None
    area: str | Given | None = None


class BackUp(Section, frozen=True, kw_only=True):
    """A document that backs the commitment; it is one where its row has something in one of its columns."""

    title: str | Given
    url: Given | None = None
    dated_on: date | Given | None = None
    superseded: bool | Given | None = None


class Review(Section, frozen=True, kw_only=True):
    """What the reviewer made of the row's report; whoever runs the import is the reviewer, and not its author."""

    column: Column
    values: dict[str, ReviewOutcome]
    reason: Column | None = None

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """A word for two outcomes."""
        yield from contradicting("values", self.values)


class NamingOrganizations(TableMapping, frozen=True, kw_only=True):
    """A table whose rows name organisations; those `organizations` are registered when a row names them."""

    organizations: tuple[DescribedOrganization, ...] = ()

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """What is described twice: organisations, and their spellings."""
        codes = Counter(organization.code for organization in self.organizations)
        yield from (("organizations", f" has '{code}' twice") for code, count in codes.items() if count > 1)
        claimed: dict[str, str] = {}
        for organization in self.organizations:
            for spelling in {*map(folded, organization.called)}:
                other = claimed.setdefault(spelling, organization.code)
                if other != organization.code:
                    yield (
                        "organizations",
                        f": '{spelling}' stands for '{other}' and for '{organization.code}'",
                    )
        related = {one.code: {one.parent, one.successor} - {None} for one in self.organizations}
        try:
            TopologicalSorter(related).prepare()
        except CycleError as error:
            code = error.args[1][0]
            yield "organizations", f": the parent or the successor of '{code}' leads back to '{code}'"

    def codes_by_spelling(self, named: Named | None) -> dict[str, str]:
        """The code that each spelling stands for, folded; `named` has some of its own."""
        described = {
            folded(spelling): organization.code
            for organization in self.organizations
            for spelling in organization.called
        }
        return described | by_word({} if named is None else named.spellings)


class Mapping(NamingOrganizations, frozen=True, kw_only=True):
    """The whole file."""

    kind: Literal["commitments"] = "commitments"
    code: Code
    title: Title
    date: ObservedOn
    lead: Named
    visibility: Visibility = Visibility.INTERNAL
    rating: Rating | None = None
    state: State | None = None
    deadline: Deadline | None = None
    internal_deadline: Deadline | None = None
    progress: Progress | None = None
    risks: Risks | None = None
    budget: Budget | None = None
    milestones: tuple[Milestone, ...] = ()
    milestone: OwnMilestone | None = None
    origin: MadeAt | None = None
    comments: tuple[Column, ...] = ()
    team: tuple[Member, ...] = ()
    documents: tuple[BackUp, ...] = ()
    review: Review | None = None
    fields: dict[str, Given] = msgspec.field(default_factory=dict)

    @property
    def field_columns(self) -> dict[str, str]:
        """The column, or the first of several, that gives each field of which rows say something of their own."""
        parts = {"origin": (self.origin,), "working_team": self.team, "documents": self.documents}
        columns = {
            name: next((column for one in given if one is not None for column in columns_in(one)), None)
            for name, given in parts.items()
        } | {name: given.column for name, given in self.fields.items()}
        return {name: column for name, column in columns.items() if column is not None}

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Fields that are none, milestones that are described twice, and the review of no report."""
        yield from super().contradictions()
        if self.review is not None and self.progress is None:
            yield "review", " is of a progress report: say in `progress` what makes one"
        for name in self.fields.keys() - FIELDS:
            yield f"fields.{name}", f" is not one of {', '.join(sorted(FIELDS))}"
        for name, count in Counter(milestone.name for milestone in self.milestones).items():
            if count > 1:
                yield "milestones", f" has '{name}' twice"
