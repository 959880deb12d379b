"""Brings the bodies that a file describes into the record, and a bilateral for each ministry that is there.

A body that is there already is described anew; running the same file again adds nothing. A body that cannot go in is in
the report's `errors`, and the others go in.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import msgspec

from services.meetings.domain.body import (
    Body,
    BodyDescription,
    register_body,
    usual_visibility,
    usually_decides,
)
from shared.errors import BitacoraError
from shared.eventlog.envelope import Recorded
from shared.events.commitments import OrganizationChanged, OrganizationRegistered
from shared.events.meeting_vocabulary import BodyKind, Cadence, ProtocolPeriod
from shared.events.meetings import BodyRegistered, Protocol, Seat
from shared.events.streams import stream_of
from shared.events.vocabulary import OrganizationKind, Visibility
from shared.tabular.engine import Importer, ImportRow, ImportState
from shared.tabular.mapping import Section, Text, read_mapping
from shared.tabular.report import ImportReport, Problem


class SeatSection(Section, frozen=True, kw_only=True):
    """Somebody whose presence a body counts on."""

    organization: Text | None = None
    position: Text | None = None
    condition: Text | None = None


class ExpectedSection(Section, frozen=True, kw_only=True):
    """How many meetings are expected in each period."""

    count: int
    period: ProtocolPeriod


class ProtocolSection(Section, frozen=True, kw_only=True):
    """What a body holds itself to."""

    expected_meetings: ExpectedSection | None = None
    days_to_minutes: int | None = None
    agenda_size: int | None = None
    duration_minutes: int | None = None
    four_eyes: bool = False


class BodySection(Section, frozen=True, kw_only=True):
    """One body; `decides` and `visibility` follow from its kind where they are not given."""

    code: Text
    name: Text
    kind: BodyKind = BodyKind.COMMITTEE
    decides: bool | None = None
    visibility: Visibility | None = None
    presiding_organization: str | None = None
    secretariat: str | None = None
    cadence: Cadence | None = None
    mandatory_attendance: tuple[SeatSection, ...] = ()
    organizations: tuple[str, ...] = ()
    protocol: ProtocolSection | None = None

    def as_domain(self) -> BodyDescription:
        """The description as the domain takes it."""
        given = {name: getattr(self, name) for name in BodyDescription._fields}
        given["decides"] = usually_decides(self.kind) if self.decides is None else self.decides
        given["visibility"] = self.visibility or usual_visibility(self.kind)
        # The sections refuse what the parts of an event would pass over.
        given["mandatory_attendance"] = msgspec.convert(
            self.mandatory_attendance, tuple[Seat, ...], from_attributes=True
        )
        given["protocol"] = msgspec.convert(self.protocol, Protocol | None, from_attributes=True)
        return BodyDescription(**given)


class BilateralSection(Section, frozen=True, kw_only=True):
    """What holds for every bilateral: one for each of these organisations, or for each ministry on record.

    `{code}` and `{name}` in the code and the name stand for those of the ministry.
    """

    code: Text = "BIL-{code}"
    name: Text = "Bilateral with {name}"
    kind: BodyKind = BodyKind.BILATERAL
    organizations: tuple[str, ...] = ()
    presiding_organization: str | None = None
    secretariat: str | None = None
    cadence: Cadence | None = None
    mandatory_attendance: tuple[SeatSection, ...] = ()
    protocol: ProtocolSection | None = None


class BodiesFile(Section, frozen=True, kw_only=True):
    """A file of bodies."""

    source: Text
    bodies: tuple[BodySection, ...] = ()
    bilaterals: BilateralSection | None = None


class BodyRow(ImportRow, frozen=True, kw_only=True):
    """One body of the file; its `line` is its number there."""

    section: BodySection

    def difference(self, earlier: BodyRow) -> Problem | None:  # noqa: ARG002  # the first stands, whatever it says
        """A file describes a body once."""
        reason = "The file describes this body before; that description stands."
        return Problem(None, self.section.code, "body-twice", reason)


class _Organization(NamedTuple):
    name: str
    kind: OrganizationKind
    gone: bool = False


class _Names:
    """The organisations and the codes of bodies on record."""

    def __init__(self) -> None:
        self.organizations: dict[str, _Organization] = {}
        self.bodies: set[str] = set()
        self._codes: dict[UUID, str] = {}

    def apply(self, recorded: Recorded) -> None:
        """Take in the next of them."""
        match recorded.data:
            case BodyRegistered(code=code):
                self.bodies.add(code)
            case OrganizationRegistered(code=code, name=name, kind=kind):
                self._codes[recorded.stream_id] = code
                self.organizations[code] = _Organization(name, kind)
            case OrganizationChanged(name=name, kind=kind, successor=successor, dissolved_on=dissolved):
                gone = successor is not None or dissolved is not None
                self.organizations[self._codes[recorded.stream_id]] = _Organization(name, kind, gone)


class BodyImport(Importer[BodyRow, ImportReport]):
    """An import of the bodies that one file describes."""

    BEGINS_WITH = BodyRegistered

    def __init__(self, state: ImportState, file: Path) -> None:
        self._state = state
        self._content = read_mapping(file, BodiesFile)
        self.report = ImportReport(file=file.name, source=self._content.source)
        types = (BodyRegistered, OrganizationRegistered, OrganizationChanged)
        self._names = state.lookup(types, _Names)

    def parse(self) -> Iterator[BodyRow]:
        """The bodies that the file names, and after them the bilaterals that follow from it."""
        for number, section in enumerate((*self._content.bodies, *self._bilaterals()), 1):
            yield BodyRow(
                line=number,
                key=section.code,
                order=number,
                stream=stream_of("body", section.code),
                section=section,
            )

    def decide(self, row: BodyRow) -> None:
        """Record how the body is described, if it is described otherwise or not at all."""
        section, names = row.section, self._names.found
        body, description = self._state.of(row.stream, Body), section.as_domain()
        if body is None:
            events = register_body(section.code, description, names.organizations, names.bodies)
        else:
            events = body.describe(description, names.organizations)
        for event in events:
            self._state.record(row.stream, event)

    def problem(self, row: BodyRow, error: BitacoraError) -> Problem:
        """What is wrong with a body, by its code."""
        return Problem(None, row.section.code, error.code, error.message)

    def _bilaterals(self) -> Iterator[BodySection]:
        template, organizations = self._content.bilaterals, self._names.found.organizations
        if template is None:
            return
        ministries = template.organizations or tuple(
            code
            for code, organization in sorted(organizations.items())
            if organization.kind is OrganizationKind.MINISTRY and not organization.gone
        )
        for code in ministries:
            name = organizations[code].name if code in organizations else code
            given = {field: getattr(template, field) for field in template.__struct_fields__} | {
                "code": template.code.replace("{code}", code),
                "name": template.name.replace("{code}", code).replace("{name}", name),
                "organizations": (code,),
            }
            yield BodySection(**given)
