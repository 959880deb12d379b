"""Tables of what is described as a whole, again and again: organisations, pillars, bodies.

A row is how one of them reads, from a day on if the table has one. What a row does not say stays as it is on record,
and so does what people changed since: a row is compared with what tables said for that day.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar, Generic, TypeVar, cast

import msgspec

from shared.aggregate.aggregate import believed
from shared.aggregate.description import Described
from shared.eventlog.envelope import Recorded
from shared.events.facts import Event
from shared.rules.dated_facts import History
from shared.tabular.cells import Cells
from shared.tabular.engine import ImportState
from shared.tabular.fields import FieldsReader
from shared.tabular.mapping import Given, RowDay, TableMapping, WrittenCode
from shared.tabular.report import IMPORTED, ImportReport, RowError
from shared.tabular.tables import CodeReader, DayReader, RowParser, TableImport, TableRow


class DescribedMapping(TableMapping, frozen=True, kw_only=True):
    """A table of things that are described; `[fields]` gives the fields of the `DESCRIPTION`."""

    DESCRIPTION: ClassVar[type[Event]]

    code: WrittenCode
    date: RowDay | None = None
    fields: dict[str, Given]

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Fields that are none."""
        known = self.known_fields()
        for name in self.fields.keys() - {*known}:
            yield f"fields.{name}", f" is not one of {', '.join(known)}"

    @classmethod
    def known_fields(cls) -> tuple[str, ...]:
        """What `[fields]` can give: the day has a section of its own."""
        return tuple(name for name in cls.DESCRIPTION.__struct_fields__ if name != "effective_on")


M = TypeVar("M", bound=DescribedMapping)
P = TypeVar("P", bound=ImportReport)
A = TypeVar("A", bound=Described[Any])


class DescribedRow(TableRow, frozen=True, kw_only=True):
    """How one thing reads."""

    ALIKE = "the same thing on the same day"

    code: str
    day: date | None
    """From which it reads so; None where the table has no days."""
    given: dict[str, Any]
    """The fields that the row gives."""


class DescribedParser(RowParser[M, DescribedRow]):
    """Parses rows of things that are described."""

    def __init__(self, mapping: M, columns: Sequence[str], state: ImportState, kind: str) -> None:
        super().__init__(mapping, columns, state)
        self.code = CodeReader(mapping.code, kind, state)
        self._day = None if mapping.date is None else DayReader(mapping.date, state)
        clock = state.context.clock
        self._fields = FieldsReader(mapping.fields, mapping.DESCRIPTION, mapping.numbers, clock)

    def parsed(self, line: int, cells: Cells, /, **row: Any) -> DescribedRow:
        """What a row says."""
        code, stream = self.code(cells)
        moment = None if self._day is None else self._day(cells)
        day = None if moment is None else moment.date()
        return DescribedRow(
            line=line,
            key=(code, day),
            order=(0, day or date.min),
            stream=stream,
            code=code,
            day=day,
            given=self.given(cells),
            **row,
        )

    def given(self, cells: Cells) -> dict[str, Any]:
        """The fields that a row gives."""
        return self._fields(cells)


class DescribedImport(TableImport[M, DescribedRow, P], Generic[M, P, A]):
    """An import of a table of things that are described."""

    KIND: ClassVar[str]
    """What the log calls them."""
    AGGREGATE: ClassVar[type[Described[Any]]]

    def parser(self, columns: Sequence[str]) -> DescribedParser[M]:
        """See `TableImport.parser`."""
        return DescribedParser(self.mapping, columns, self.state, self.KIND)

    def parse(self) -> Iterator[DescribedRow | list[RowError] | None]:
        """The rows; those go in first that others name."""
        found = [*super().parse()]
        rows = [row for row in found if isinstance(row, DescribedRow)]
        depths = depths_of(self.references(rows))
        for row in found:
            if isinstance(row, DescribedRow):
                yield msgspec.structs.replace(row, order=(depths.get(row.code, 0), row.day or date.min))
            else:
                yield row

    def references(self, rows: Sequence[DescribedRow]) -> Mapping[str, set[str]]:  # noqa: ARG002
        """Which of the codes of a table name which others."""
        return {}

    def meant(self, given: dict[str, Any]) -> dict[str, Any]:
        """The fields of a row with the codes for what they name."""
        return given

    def complete(self, given: dict[str, Any]) -> Event:
        """The first description of a thing, of which a row gives these fields; InvalidInput where some are missing."""
        return self.mapping.DESCRIPTION(**given)

    def fit(self, present: A | None, description: Any) -> Any:
        """The description as it is meant for what is there now: from today on, where it has a day and names none."""
        if present is not None and getattr(description, "effective_on", "") is None:
            return msgspec.structs.replace(description, effective_on=self.state.context.today)
        return description

    @abstractmethod
    def check(self, code: str, description: Any, present: A | None) -> None:
        """Hold a description to the rules of the domain."""

    def decide(self, row: DescribedRow) -> None:
        """Record how it is described, where that is news."""
        self.column = self.mapping.code.columns[0]
        found = self.state.of(row.stream, self.AGGREGATE)
        thing, given = cast("A | None", found), self.meant(row.given)
        if thing is None:
            description = self.complete(given | ({} if row.day is None else {"effective_on": row.day}))
        else:
            present = thing.described_on(row.day or date.max)
            told = _told(believed(self.state.history(row.stream)), row.day or date.max)
            news = {
                name: value
                for name, value in given.items()
                if value not in (getattr(present, name), told.get(name))
            }
            if not news:
                return
            if hasattr(present, "effective_on"):
                news["effective_on"] = row.day
            description = msgspec.structs.replace(present, **news)
        description = self.fit(thing, description)
        self.check(row.code, description, thing)
        events = self.AGGREGATE.register(row.code, description) if thing is None else [description]
        for event in events:
            self.state.record(row.stream, event)

    def columns_by_field(self) -> dict[str, str | None]:
        """See `TableImport.columns_by_field`."""
        day = None if self.mapping.date is None else self.mapping.date.column
        return {name: given.column for name, given in self.mapping.fields.items()} | {
            "code": self.mapping.code.columns[0],
            "effective_on": day,
        }


def _told(history: Sequence[Recorded], day: date) -> dict[str, object]:
    """What tables said for a day of each field of a thing."""
    said: dict[str, History[object]] = {}
    for recorded in history:
        if recorded.correlation_id.startswith(IMPORTED):
            event = recorded.data
            since = getattr(event, "effective_on", None) or date.min
            for name in event.__struct_fields__:
                said.setdefault(name, History(None, 0)).add(since, recorded.position, getattr(event, name))
    return {name: history.on(day)[0] for name, history in said.items()}


def depths_of(references: Mapping[str, set[str]]) -> dict[str, int]:
    """How many things stand below each one, one on the other; those that name each other in a circle stand alike."""
    reached: dict[str, set[str]] = {}
    for code in references:
        below, asked = reached.setdefault(code, set()), [code]
        for one in asked:
            new = (references[one] & references.keys()) - below
            below |= new
            asked += new
    depths: dict[str, int] = {}
    # Who reaches fewest comes first, and circles before those that reach no more than them: what one names that does
    # not name it in turn is counted by then.
    for code in sorted(reached, key=lambda one: (len(reached[one]), one not in reached[one])):
        under = (one for one in reached[code] if code not in reached.get(one, set()))
        depths[code] = 1 + max((depths.get(one, 0) for one in under), default=-1)
    return depths
