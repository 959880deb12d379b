"""Which organisation a spelling in the table means; one that is new is registered, if the mapping lets it be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec

from services.commitments.commitment.model import Known
from services.commitments.importing.mapping import DescribedOrganization, NamingOrganizations
from services.commitments.plan.model import check_organization
from services.commitments.plan.repository import Directory
from shared.aggregate.organizations import Organization
from shared.errors import InvalidInput
from shared.events.commitments import OrganizationChanged, OrganizationRegistered
from shared.events.facts import Event
from shared.events.streams import stream_of
from shared.events.types import LONGEST_CODE
from shared.tabular.engine import ImportState, Lookup
from shared.tabular.mapping import Named
from shared.tabular.report import ImportReport
from shared.tabular.text import folded, slug_of, within_a_code


class NamingReport(ImportReport, kw_only=True):
    """What an import did whose rows name organisations, beyond what every import tells."""

    organizations_registered: list[str] = msgspec.field(default_factory=list)

    def record(self, event: Event) -> None:
        """Count an event, and name the organisation that is new with it."""
        super().record(event)
        if isinstance(event, OrganizationRegistered):
            self.organizations_registered.append(event.code)

    def details(self) -> Iterator[str]:
        """The organisations that are new to the record."""
        if self.organizations_registered:
            yield f"  new organisations: {', '.join(self.organizations_registered)}"


class Leads:
    """The organisations on record and those that the mapping describes; `named` are the rows' own spellings."""

    def __init__(
        self,
        state: ImportState,
        mapping: NamingOrganizations,
        named: Named | None,
        lookup: Lookup[Any] | None = None,
    ) -> None:
        self._state = state
        self._lookup: Lookup[Any] = lookup or state.lookup(Directory)
        self._register_unknown = named is not None and named.unknown == "register"
        self._described = {organization.code: organization for organization in mapping.organizations}
        self._spellings = mapping.codes_by_spelling(named)

    @property
    def _directory(self) -> Directory:
        found: Directory = self._lookup.found
        return found

    @property
    def known(self) -> Known:
        """What else the record holds that a commitment may name."""
        directory = self._directory
        organizations = directory.organizations
        return Known(organizations.keys, directory.pillars.keys, heirs_on=organizations.heirs_on)

    def code_of(self, spelling: str, day: date) -> str:
        """The code of the organisation meant on a day, which is registered with the row if it is new."""
        code = self._spellings.get(folded(spelling))
        if code is not None:
            code = self._state.spelling("organization", code)
        if code is None:
            known = self._directory.organization_called(spelling, day) or self._named(spelling, day)
            if known is not None:
                return known.code
            if not self._register_unknown:
                raise _unknown(f"There is no organisation that goes by '{spelling}'.")
            code = self._state.spelling("organization", self._code_for(spelling))
        self._register(code, spelling)
        return code

    def _named(self, name: str, day: date) -> Organization | None:
        """The one organisation that has this name on a day; None where several have it, or none."""
        organizations = self._directory.organizations.all()
        found = [one for one in organizations if folded(one.described_on(day).name) == folded(name)]
        return found[0] if len(found) == 1 else None

    def _code_for(self, spelling: str) -> str:
        slug = slug_of(spelling)
        # Before there were digits at the end, a long name was only cut: whoever was registered so keeps that code.
        cut = self._directory.organization(slug[:LONGEST_CODE].rstrip("-"))
        return cut.code if cut is not None and cut.description.name == spelling else within_a_code(slug)

    def _register(self, code: str, spelling: str) -> None:
        directory = self._directory
        if directory.organization(code) is not None:
            return
        described = self._described.get(code)
        if described is None and not self._register_unknown:
            raise _unknown(
                f"'{spelling}' stands for '{code}', which is neither on record nor described in the mapping."
            )
        described = described or DescribedOrganization(code=code, name=spelling)
        for other in (described.parent, described.successor):
            if other is not None:
                self._register(other, other)
        # The spellings that differ from the code and from each other in more than their capitals.
        aliases = {spelling.casefold(): spelling for spelling in described.spellings}
        aliases.pop(code.casefold(), None)
        description = OrganizationChanged(
            name=described.name,
            kind=described.kind,
            parent=described.parent,
            aliases=tuple(aliases.values()),
            successor=described.successor,
            dissolved_on=described.dissolved_on,
        )
        check_organization(code, description, directory, self._state.context.today)
        for event in Organization.register(code, description):
            self._state.record(stream_of("organization", code), event)


def _unknown(message: str) -> InvalidInput:
    return InvalidInput("unknown-organization", message, pointer="/lead_organization")
