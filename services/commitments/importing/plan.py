"""From what a row says to events: whatever of it the record does not know yet, decided by the rules of the domain."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple
from uuid import UUID

from services.commitments.domain import registration
from services.commitments.domain.guards import LONGEST_CODE
from services.commitments.domain.organization import OrganizationDescription, register_organization
from services.commitments.domain.registration import Known
from services.commitments.importing.holdings import Holding, Holdings
from services.commitments.importing.mapping import Mapping, Organization
from services.commitments.importing.observation import Observation
from services.commitments.importing.order import Story
from services.commitments.importing.statements import Statements
from shared.errors import BitacoraError, InvalidInput
from shared.eventlog.envelope import NewEvent
from shared.events.commitments import InternalDeadline, Origin, PublicDeadline, Registered
from shared.events.facts import Event
from shared.events.streams import stream_of
from shared.identity.actor import Actor
from shared.importing.report import Problem
from shared.importing.text import plain, slug_of


class NewOrganization(NamedTuple):
    """An organisation that a row is the first to name, to be written before that row."""

    code: str
    events: list[NewEvent]


class Refused(Exception):
    """The rules of the domain do not let the row in."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.reason)
        self.problem = problem


class Planner:
    """Decides row after row, each on the record as the rows before it have left it."""

    def __init__(
        self, mapping: Mapping, holdings: Holdings, *, actor: Actor, correlation_id: str, today: date
    ) -> None:
        self._mapping = mapping
        self._holdings = holdings
        self._actor = actor
        self._correlation_id = correlation_id
        self._today = today
        self._described = {organization.code: organization for organization in mapping.organizations}
        self._spellings = {
            plain(spelling).casefold(): organization.code
            for organization in mapping.organizations
            for spelling in (organization.code, organization.name, *organization.spellings)
        } | {plain(spelling).casefold(): code for spelling, code in mapping.lead.spellings.items()}
        self._newly_named: list[NewOrganization] = []

    def decide(self, observation: Observation, story: Story) -> list[NewEvent]:
        """What the row adds; nothing of a row that raises Refused is kept."""
        stream = observation.stream
        holding = self._holdings.of(stream)
        kept = len(holding.events)
        events: list[NewEvent] = []
        statements: Statements | None = None
        try:
            lead = self._lead(observation.lead)
            if holding.commitment is None:
                events.append(self._take_in(holding, stream, self._registered(observation, story, lead)))
            statements = Statements(
                self._mapping, observation, holding, actor=self._actor, today=self._today, known=self._known()
            )
            new = statements.new(lead, story.titles_before.get(observation.line))
            events.extend(self._take_in(holding, stream, event) for event in new)
        except BitacoraError as error:
            self._holdings.undo(stream, kept)
            column = self._mapping.lead.column if statements is None else statements.column
            raise Refused(self._problem(error, column)) from error
        return events

    def take_organizations(self) -> list[NewOrganization]:
        """The organisations first named since this was last asked."""
        taken, self._newly_named = self._newly_named, []
        return taken

    def _take_in(self, holding: Holding, stream: UUID, event: Event) -> NewEvent:
        version = holding.events[-1].version + 1 if holding.events else 1
        new = self._new(stream, version, event)
        holding.take_in(self._holdings.provisional(new))
        return new

    def _new(self, stream: UUID, version: int, event: Event) -> NewEvent:
        return NewEvent(
            stream_id=stream,
            version=version,
            recorded_by=self._actor,
            correlation_id=self._correlation_id,
            data=event,
        )

    def _known(self) -> Known:
        directory = self._holdings.directory
        return Known(organizations=directory.organization_codes, pillars=directory.pillar_codes)

    def _registered(self, observation: Observation, story: Story, lead: str) -> Registered:
        mapping, public, internal = self._mapping, observation.deadline, observation.internal_deadline
        deadline = None
        if mapping.deadline is not None and public is not None and public.on is not None:
            deadline = PublicDeadline(on=public.on, origin=mapping.deadline.origin or mapping.source)
        proposed = Registered(
            code=observation.code,
            title=observation.title,
            lead_organization=lead,
            effective_on=observation.day,
            visibility=mapping.visibility,
            public_deadline=deadline,
            internal_deadline=InternalDeadline(on=internal.on) if internal and internal.on else None,
            no_deadline_reason=public.prose if public else None,
            origin=None
            if mapping.origin is None
            else Origin(
                kind=mapping.origin.kind,
                source=mapping.origin.source or mapping.source,
                source_on=mapping.origin.source_on,
                document_url=mapping.origin.document_url,
            ),
            **story.fields,
        )
        return registration.register(proposed, today=self._today, known=self._known())

    def _problem(self, error: BitacoraError, column: str | None) -> Problem:
        """An error of the domain, pointed at the column that gave what it complains of."""
        pointer = error.pointer if isinstance(error, InvalidInput) else ""
        mapping, field = self._mapping, pointer.split("/")[1] if pointer else ""
        by_field: dict[str, str | None] = {
            "code": mapping.code.columns[0],
            "title": mapping.title.column,
            "effective_on": mapping.date.column,
            "lead_organization": mapping.lead.column,
            "public_deadline": mapping.deadline.column if mapping.deadline else None,
            "internal_deadline": mapping.internal_deadline.column if mapping.internal_deadline else None,
        }
        by_field |= {name: given.column for name, given in mapping.fields.items()}
        return Problem(by_field.get(field, column), None, error.code, error.message)

    # --- organisations ---------------------------------------------------------------------------------------------

    def _lead(self, spelling: str) -> str:
        """The code of the organisation meant, registered if the mapping lets it be."""
        directory = self._holdings.directory
        code = self._spellings.get(spelling.casefold())
        if code is None:
            known = directory.organization_called(spelling)
            if known is not None:
                return known.code
            if self._mapping.lead.unknown == "error":
                raise InvalidInput(
                    "unknown-organization",
                    f"There is no organisation that goes by '{spelling}'.",
                    pointer="/lead_organization",
                )
            code = slug_of(spelling)[:LONGEST_CODE].rstrip("-")
        self._register(code, spelling)
        return code

    def _register(self, code: str, spelling: str) -> None:
        directory = self._holdings.directory
        if directory.organization(code) is not None:
            return
        described = self._described.get(code)
        if described is None and self._mapping.lead.unknown == "error":
            raise InvalidInput(
                "unknown-organization",
                f"'{spelling}' stands for '{code}', which is neither on record nor described in the mapping.",
                pointer="/lead_organization",
            )
        described = described or Organization(code=code, name=spelling)
        for other in (described.parent, described.successor):
            if other is not None:
                self._register(other, other)
        description = OrganizationDescription(
            name=described.name,
            kind=described.kind,
            parent=described.parent,
            aliases=_aliases(described),
            successor=described.successor,
            dissolved_on=described.dissolved_on,
        )
        stream = stream_of("organization", code)
        events = register_organization(code, description, directory, self._today)
        new = [self._new(stream, version, event) for version, event in enumerate(events, 1)]
        for event in new:
            directory.apply(self._holdings.provisional(event))
        self._newly_named.append(NewOrganization(code, new))


def _aliases(organization: Organization) -> tuple[str, ...]:
    """The spellings that differ from the code and from each other in more than their capitals."""
    kept = {spelling.casefold(): spelling for spelling in organization.spellings}
    kept.pop(organization.code.casefold(), None)
    return tuple(kept.values())
