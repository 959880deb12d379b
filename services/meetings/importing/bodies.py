"""Brings the bodies that a file describes into the record, and a bilateral for each ministry that is there.

A body that is there already is described anew; running the same file again adds nothing. A body that cannot go in is in
the report's `errors`, and the others go in.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec

from services.meetings.body.model import Body, check_body, usual_visibility, usually_decides
from shared.aggregate.heirs import OrganizationsByDay
from shared.aggregate.index import EventSource, Index
from shared.errors import BitacoraError
from shared.events.meeting_vocabulary import BodyKind, Cadence
from shared.events.meetings import BodyChanged, BodyRegistered, Protocol, Seat
from shared.events.streams import stream_of
from shared.events.vocabulary import OrganizationKind, Visibility
from shared.tabular.engine import Importer, ImportRow, ImportState
from shared.tabular.mapping import Section, Text, read_mapping
from shared.tabular.report import ImportReport, RowError


class Described(Section, frozen=True, kw_only=True):
    """What a body and a bilateral are both described by."""

    organizations: tuple[str, ...] = ()
    presiding_organization: str | None = None
    secretariat: str | None = None
    cadence: Cadence | None = None
    mandatory_attendance: tuple[Seat, ...] = ()
    protocol: Protocol | None = None


class BodySection(Described, frozen=True, kw_only=True):
    """One body; `decides` and `visibility` follow from its kind where they are not given."""

    code: Text
    name: Text
    kind: BodyKind = BodyKind.COMMITTEE
    decides: bool | None = None
    visibility: Visibility | None = None

    def description(self) -> BodyChanged:
        """The description as the record keeps it."""
        complete = msgspec.structs.replace(
            self,
            decides=usually_decides(self.kind) if self.decides is None else self.decides,
            visibility=self.visibility or usual_visibility(self.kind),
        )
        return msgspec.convert(complete, BodyChanged, from_attributes=True)


class BilateralSection(Described, frozen=True, kw_only=True):
    """What holds for every bilateral: one for each of these organisations, or for each ministry on record.

    `{code}` and `{name}` in the code and the name stand for those of the ministry.
    """

    code: Text = "BIL-{code}"
    name: Text = "Bilateral with {name}"
    kind: BodyKind = BodyKind.BILATERAL

    def of(self, code: str, name: str) -> BodySection:
        """The bilateral with one ministry."""
        given = {field: getattr(self, field) for field in self.__struct_fields__} | {
            "code": self.code.replace("{code}", code),
            "name": self.name.replace("{code}", code).replace("{name}", name),
            "organizations": (code,),
        }
        return BodySection(**given)


class BodiesFile(Section, frozen=True, kw_only=True):
    """A file of bodies."""

    source: Text
    bodies: tuple[BodySection, ...] = ()
    bilaterals: BilateralSection | None = None


class BodyRow(ImportRow, frozen=True, kw_only=True):
    """One body of the file; its `line` is its number there."""

    section: BodySection

    def difference(self, earlier: BodyRow) -> RowError | None:  # noqa: ARG002  # the first stands, whatever it says
        """A file describes a body once."""
        reason = "The file describes this body before; that description stands."
        return RowError(self.line, None, self.section.code, "body-twice", reason)


class OnRecord:
    """The bodies and the organisations on record, by code."""

    def __init__(self, source: EventSource) -> None:
        self.bodies = Index(source, Body, key=lambda one: one.code)
        self.organizations = OrganizationsByDay(source)


class BodyImport(Importer[BodyRow, ImportReport]):
    """An import of the bodies that one file describes."""

    BEGINS_WITH = BodyRegistered

    def __init__(self, state: ImportState, file: Path) -> None:
        self._state = state
        self._content = read_mapping(file, BodiesFile)
        self.report = ImportReport(file=file.name, source=self._content.source)
        self._lookup = state.lookup(OnRecord)

    def parse(self) -> Iterator[BodyRow]:
        """The bodies that the file names, and after them the bilaterals that follow from it."""
        for number, section in enumerate((*self._content.bodies, *self._bilaterals()), 1):
            code = self._state.spelling("body", section.code)
            yield BodyRow(
                line=number, key=code, order=number, stream=stream_of("body", code), section=section
            )

    def decide(self, row: BodyRow) -> None:
        """Record how the body is described, if it is described otherwise or not at all."""
        code, description, on_record = str(row.key), row.section.description(), self._lookup.found
        body = self._state.of(row.stream, Body)
        if body is not None:
            if body.description == description:
                return
            body.must_keep_its_readers(description)
        check_body(
            code,
            description,
            on_record.organizations.keys,
            on_record.bodies.keys,
            on_record.organizations.heirs_on,
        )
        events = Body.register(code, description) if body is None else [description]
        for event in events:
            self._state.record(row.stream, event)

    def refused(self, row: BodyRow, error: BitacoraError) -> RowError:
        """What is wrong with a body, by its code."""
        return RowError(row.line, None, row.section.code, error.code, error.message)

    def _bilaterals(self) -> Iterator[BodySection]:
        template, organizations = self._content.bilaterals, self._lookup.found.organizations
        if template is None:
            return
        ministries = template.organizations or sorted(
            one.code
            for one in organizations.all()
            if one.description.kind is OrganizationKind.MINISTRY
            and one.code in organizations.heirs_on(one.code, date.max)
        )
        for code in ministries:
            ministry = organizations.get(code)
            yield template.of(code, code if ministry is None else ministry.description.name)
