"""Tables of bodies: a row is how one reads, its protocol and its mandatory attendance included."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

from services.meetings.body.model import Body, check_body, usual_visibility, usually_decides
from services.meetings.importing.bodies import OnRecord
from shared.errors import InvalidInput
from shared.events.meeting_vocabulary import BodyKind
from shared.events.meetings import BodyChanged, BodyRegistered, ExpectedMeetings, Protocol, Seat
from shared.events.types import LONGEST_LINE, LONGEST_TEXT
from shared.tabular.cells import Cells
from shared.tabular.described import DescribedImport, DescribedMapping, DescribedParser
from shared.tabular.engine import ImportState
from shared.tabular.fields import FieldsReader, column_of
from shared.tabular.mapping import Column, Given, Section, Text
from shared.tabular.report import ImportReport
from shared.tabular.text import plain

_FIGURES: Final = ("in_force_from", "days_to_minutes", "agenda_size", "duration_minutes", "four_eyes")


class Seats(Section, frozen=True, kw_only=True):
    """A column that lists seats: each is an organisation, or an organisation and an office."""

    column: Column
    separator: Text = ";"
    parted_by: Text = "/"


class ProtocolColumns(Section, frozen=True, kw_only=True):
    """What a body holds itself to; `expected` meetings in each `period`."""

    in_force_from: str | Given | None = None
    expected: int | Given | None = None
    period: str | Given | None = None
    days_to_minutes: int | Given | None = None
    agenda_size: int | Given | None = None
    duration_minutes: int | Given | None = None
    four_eyes: bool | Given | None = None


class BodyTableMapping(DescribedMapping, frozen=True, kw_only=True):
    """A table of bodies."""

    DESCRIPTION = BodyChanged

    kind: Literal["bodies"]
    mandatory_attendance: Seats | None = None
    protocol: ProtocolColumns | None = None

    @classmethod
    def known_fields(cls) -> tuple[str, ...]:
        """See `DescribedMapping.known_fields`; what has parts has a section of its own."""
        return tuple(
            name for name in super().known_fields() if name not in {"mandatory_attendance", "protocol"}
        )


class BodyParser(DescribedParser[BodyTableMapping]):
    """Parses rows of bodies."""

    def __init__(self, mapping: BodyTableMapping, columns: Sequence[str], state: ImportState) -> None:
        super().__init__(mapping, columns, state, "body")
        given, numbers, clock = mapping.protocol or ProtocolColumns(), mapping.numbers, state.context.clock
        self._figures = FieldsReader(
            {name: getattr(given, name) for name in _FIGURES}, Protocol, numbers, clock
        )
        expected = {"count": given.expected, "period": given.period}
        self._expected = FieldsReader(expected, ExpectedMeetings, numbers, clock)

    def given(self, cells: Cells) -> dict[str, Any]:
        """See `DescribedParser.given`."""
        given = super().given(cells)
        seats = self._seats(cells)
        if seats:
            given["mandatory_attendance"] = seats
        figures, expected = self._figures(cells), self._expected(cells)
        if expected.keys() == {"count", "period"}:
            figures["expected_meetings"] = ExpectedMeetings(**expected)
        elif "count" in expected and self.mapping.protocol is not None:
            column = column_of(self.mapping.protocol.expected)
            cells.fault(
                column, "value-missing", "Meetings are expected in each week, month, quarter or year."
            )
        if figures:
            given["protocol"] = Protocol(**figures)
        return given

    def _seats(self, cells: Cells) -> tuple[Seat, ...]:
        listed = self.mapping.mandatory_attendance
        text = None if listed is None else cells.prose(listed.column, LONGEST_TEXT)
        if listed is None or text is None:
            return ()
        seats = []
        for entry in filter(None, map(plain, text.split(listed.separator))):
            organization, _, position = map(str.strip, entry.partition(listed.parted_by))
            cells.within(listed.column, position, LONGEST_LINE)
            seats.append(Seat(organization=organization or None, position=position or None))
        return tuple(seats)


class BodyTableImport(DescribedImport[BodyTableMapping, ImportReport, Body]):
    """An import of a table of bodies."""

    BEGINS_WITH = BodyRegistered
    MAPPING = BodyTableMapping
    KIND = "body"
    AGGREGATE = Body

    def __init__(self, state: ImportState, file: Path, mapping: Path) -> None:
        super().__init__(state, file, mapping)
        self._lookup = state.lookup(OnRecord)

    def reported(self, file: str, source: str) -> ImportReport:
        """See `TableImport.reported`."""
        return ImportReport(file=file, source=source)

    def parser(self, columns: Sequence[str]) -> BodyParser:
        """See `TableImport.parser`."""
        return BodyParser(self.mapping, columns, self.state)

    def complete(self, given: dict[str, Any]) -> BodyChanged:
        """See `DescribedImport.complete`; whether it decides and who knows of it follows from its kind, as always."""
        if "name" not in given:
            raise InvalidInput("text-required", "What is new to the record needs a name.", pointer="/name")
        kind = given.get("kind", BodyKind.COMMITTEE)
        usual = {"kind": kind, "decides": usually_decides(kind), "visibility": usual_visibility(kind)}
        return BodyChanged(**usual | given)

    def check(self, code: str, description: BodyChanged, present: Body | None) -> None:
        """See `DescribedImport.check`."""
        if present is not None:
            present.must_keep_its_readers(description)
        organizations = self._lookup.found.organizations
        bodies = self._lookup.found.bodies.keys
        check_body(code, description, organizations.keys, bodies, organizations.heirs_on)
