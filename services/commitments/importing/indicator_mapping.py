"""The mapping of a table of indicators: where what is measured, what was promised and what was found stand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final, Literal

import msgspec

from services.commitments.importing.mapping import NamingOrganizations
from shared.errors import InvalidInput
from shared.events.vocabulary import Accumulation, RelativeTo, Visibility
from shared.rules.periods import Length, period_named
from shared.tabular.mapping import (
    Code,
    Column,
    DateFormats,
    Given,
    Named,
    RowDay,
    Section,
    Text,
    contradicting,
)

FIELDS: Final = ("name", "unit", "direction", "proxy", "method", "frequency")
"""The fields of a definition that `[fields]` can give; its other parts have sections of their own."""

NEEDED: Final = ("name", "unit", "direction")
"""Those without which nothing is defined."""


class Serving(Code, frozen=True, kw_only=True):
    """The commitments it measures: their codes are made as those of their own table, several are parted."""

    separator: Text | None = None


class Baseline(Section, frozen=True, kw_only=True):
    """The value from which progress is counted."""

    value: Given
    on: date | Given
    source: str | Given | None = None


class Supplier(Named, frozen=True, kw_only=True):
    """The organisation that supplies the values, whether it is another than who delivers, and of which statistic."""

    independent: bool | Given | None = None
    name: str | Given | None = None


class Target(Section, frozen=True, kw_only=True):
    """A value promised for the day `on`, in force from the day `set_on`: by default the row's."""

    value: Given
    on: date | Given
    set_on: date | Given | None = None
    accumulation: Accumulation | Given | None = None
    from_on: date | Given | None = None
    relative_to: RelativeTo | Given | None = None
    tolerance: int | float | Given | None = None
    reason: str | Given | None = None


class PeriodColumn(Section, frozen=True, kw_only=True):
    """A column of the values of one period."""

    column: Column
    period: Text
    published_on: date | None = None

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """A period that is none."""
        try:
            period_named(self.period)
        except InvalidInput as error:
            yield "period", f": {error.message.rstrip('.')}"


class Plan(Section, frozen=True, kw_only=True):
    """The planned values; where they `add_up`, each is what its period adds to those before it."""

    values: tuple[PeriodColumn, ...] = ()
    add_up: bool = False


class Measurements(Section, frozen=True, kw_only=True):
    """The values found, and what is known of all of them: when they were published, where, by whom supplied."""

    values: tuple[PeriodColumn, ...] = ()
    published_on: date | Given | None = None
    source: str | Given | None = None
    supplied_by: str | Given | None = None
    reason: str | Given | None = None


class RowPeriod(DateFormats, frozen=True, kw_only=True):
    """The period of the value of a row: its name, one of the words in `values`, or a day of it and its `length`."""

    column: Column
    values: dict[str, str] = msgspec.field(default_factory=dict)
    length: Length | None = None
    t_means: Literal["quarter", "four_months"] | None = None
    """What the letter T is short for: it is a quarter to some, and a third of a year to others."""

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Words for two periods, and periods that are none."""
        yield from super().contradictions()
        yield from contradicting("values", self.values)
        for name in self.values.values():
            yield from PeriodColumn(column=self.column, period=name).contradictions()


class RowValue(Section, frozen=True, kw_only=True):
    """The one value of a row, where each has a row of its own: which period it is of, and whether it was planned."""

    column: Column
    period: RowPeriod
    planned: bool | Given = False


class IndicatorMapping(NamingOrganizations, frozen=True, kw_only=True):
    """The whole file."""

    kind: Literal["indicators"]
    code: Code
    date: RowDay | None = None
    visibility: Visibility = Visibility.INTERNAL
    fields: dict[str, Given] = msgspec.field(default_factory=dict)
    commitment: Serving | None = None
    baseline: Baseline | None = None
    supplier: Supplier | None = None
    targets: tuple[Target, ...] = ()
    plan: Plan = Plan()
    measurements: Measurements = Measurements()
    value: RowValue | None = None

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Fields that are none, parts of a definition without it, and what would hold from no day on."""
        yield from super().contradictions()
        for name in self.fields.keys() - {*FIELDS}:
            yield f"fields.{name}", f" is not one of {', '.join(FIELDS)}"
        defined = self.fields.keys() & {*NEEDED}
        if defined and len(defined) < len(NEEDED):
            yield "fields", f" gives a part of a definition: it takes {', '.join(NEEDED)}"
        planned = bool(self.plan.values) or (self.value is not None and self.value.planned is not False)
        dated = (self.fields, self.commitment, self.baseline, self.supplier, self.targets, planned)
        if self.date is None and any(dated):
            yield "date", " is missing: definitions, targets and plans hold from a day on"
        if not (any(dated) or self.value or self.measurements.values):
            yield (
                "kind",
                " is all that it asks for: give `fields`, `targets`, `plan`, `measurements` or `value`",
            )
