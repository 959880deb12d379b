"""Brings the bodies that a file describes into the record, and a bilateral for each ministry that is there.

A body that is there already is described anew; running the same file again adds nothing. A body that cannot go in is in
the report's `errors`, and the others go in.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple
from uuid import uuid4

import msgspec

from services.meetings.domain.body import (
    Body,
    BodyDescription,
    register_body,
    usual_visibility,
    usually_decides,
)
from shared.clock import Clock
from shared.errors import InvalidInput, RuleBroken, Unavailable
from shared.eventlog import codec
from shared.eventlog.envelope import NewEvent
from shared.eventlog.open import open_store
from shared.eventlog.store import Changes, Store, VersionConflict
from shared.events.commitments import OrganizationChanged, OrganizationRegistered
from shared.events.facts import Event
from shared.events.meeting_vocabulary import BodyKind, Cadence, ProtocolPeriod
from shared.events.meetings import BodyRegistered, Protocol, Seat
from shared.events.streams import stream_of
from shared.events.vocabulary import OrganizationKind, Visibility
from shared.identity.actor import Actor
from shared.importing.mapping_file import Section, Text, read_mapping
from shared.importing.report import ImportReport, Problem, RowError

ATTEMPTS: Final = 20
PAGE: Final = 5_000


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


class _Organization(NamedTuple):
    name: str
    kind: OrganizationKind
    gone: bool = False


def import_bodies(
    log: Store | str, file: Path, *, actor: Actor, clock: Clock, dry_run: bool = False
) -> ImportReport:
    """Describe the bodies of a file in the log, which is a store or the URL of one; a dry run writes nothing.

    Raises InvalidInput when the file cannot be understood, Unavailable when the log stops answering.
    """
    if isinstance(log, str):
        store = open_store(log)
        try:
            return import_bodies(store, file, actor=actor, clock=clock, dry_run=dry_run)
        finally:
            store.close()
    begun = time.monotonic()
    content = read_mapping(file, BodiesFile)
    organizations = _organizations(log)
    report = ImportReport(
        file=file.name, source=content.source, dry_run=dry_run, correlation_id=f"import-{uuid4()}"
    )
    types: Counter[str] = Counter()
    described: set[str] = set()
    codes = _codes(log)
    for number, section in enumerate(_sections(content, organizations), 1):
        report.rows.read += 1
        try:
            if section.code in described:
                raise InvalidInput(
                    "body-twice", "The file describes this body before; that description stands."
                )
            described.add(section.code)
            events = _describe(log, section, organizations.keys(), codes, report, actor=actor, clock=clock)
            codes.add(section.code)
        except (InvalidInput, RuleBroken) as error:
            report.rows.failed += 1
            report.errors.append(RowError.at(number, Problem(None, section.code, error.code, error.message)))
            continue
        types.update(event.TYPE for event in events)
        if events:
            report.rows.imported += 1
        else:
            report.rows.unchanged += 1
    report.events = dict(sorted(types.items()))
    report.seconds = round(time.monotonic() - begun, 3)
    return report


def _sections(content: BodiesFile, organizations: dict[str, _Organization]) -> Iterator[BodySection]:
    yield from content.bodies
    template = content.bilaterals
    if template is None:
        return
    ministries = template.organizations or tuple(
        code
        for code, organization in sorted(organizations.items())
        if organization.kind is OrganizationKind.MINISTRY and not organization.gone
    )
    for code in ministries:
        name = organizations[code].name if code in organizations else code
        yield BodySection(
            code=template.code.replace("{code}", code),
            name=template.name.replace("{code}", code).replace("{name}", name),
            kind=template.kind,
            organizations=(code,),
            presiding_organization=template.presiding_organization,
            secretariat=template.secretariat,
            cadence=template.cadence,
            mandatory_attendance=template.mandatory_attendance,
            protocol=template.protocol,
        )


def _describe(
    store: Store,
    section: BodySection,
    organizations: Container[str],
    codes: Iterable[str],
    report: ImportReport,
    *,
    actor: Actor,
    clock: Clock,
) -> list[Event]:
    """What was, or would be, recorded of one body; decided again when somebody else wrote of it meanwhile."""
    stream_id = stream_of("body", section.code)
    for _ in range(ATTEMPTS):
        lines = store.read_stream(stream_id)
        body = _folded(lines)
        description = section.as_domain()
        if body is None:
            events = register_body(section.code, description, organizations, codes)
        else:
            events = body.describe(description, organizations)
        if report.dry_run or not events:
            return events
        new = [
            NewEvent(
                stream_id=stream_id,
                version=len(lines) + offset,
                recorded_by=actor,
                correlation_id=report.correlation_id,
                data=event,
            )
            for offset, event in enumerate(events, 1)
        ]
        try:
            (appended,) = store.append([Changes(new)], clock.now())
        except VersionConflict:
            continue
        report.first_position = report.first_position or appended.first
        report.last_position = appended.last
        return events
    raise Unavailable("too-many-conflicts", "Others write to these bodies all the time; run it again.")


def _folded(lines: list[tuple[int, bytes]]) -> Body | None:
    if not lines:
        return None
    first, *rest = [codec.decode(line, position) for position, line in lines]
    body = Body.begin(first)
    assert body is not None
    for recorded in rest:
        body.apply(recorded)
    return body


def _codes(store: Store) -> set[str]:
    """The codes of the bodies on record."""
    found: set[str] = set()
    after = 0
    while lines := store.read(after, PAGE, types=(BodyRegistered.TYPE,)):
        for position, line in lines:
            registered = codec.decode(line, position).data
            assert isinstance(registered, BodyRegistered)
            found.add(registered.code)
        after = lines[-1][0]
    return found


def _organizations(store: Store) -> dict[str, _Organization]:
    """The organisations on record, by code."""
    codes: dict[object, str] = {}
    found: dict[str, _Organization] = {}
    after = 0
    types = (OrganizationRegistered.TYPE, OrganizationChanged.TYPE)
    while lines := store.read(after, PAGE, types=types):
        for position, line in lines:
            recorded = codec.decode(line, position)
            match recorded.data:
                case OrganizationRegistered(code=code, name=name, kind=kind):
                    codes[recorded.stream_id] = code
                    found[code] = _Organization(name, kind)
                case OrganizationChanged(name=name, kind=kind, successor=successor, dissolved_on=dissolved):
                    gone = successor is not None or dissolved is not None
                    found[codes[recorded.stream_id]] = _Organization(name, kind, gone)
        after = lines[-1][0]
    return found
