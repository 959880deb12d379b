"""An organisation of the state: what it is called, where it belongs, and who took over from it."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple, Protocol
from uuid import UUID

from services.commitments.domain import guards
from shared.errors import InvalidInput, RuleBroken
from shared.eventlog.envelope import Recorded
from shared.events.commitments import OrganizationChanged, OrganizationRegistered
from shared.events.facts import Event
from shared.events.vocabulary import OrganizationKind


class OrganizationDescription(NamedTuple):
    """Everything an organisation is described by; a new description replaces the whole of the old one."""

    name: str
    kind: OrganizationKind = OrganizationKind.OTHER
    parent: str | None = None
    aliases: tuple[str, ...] = ()
    successor: str | None = None
    dissolved_on: date | None = None


class KnownOrganizations(Protocol):
    """The organisations on record, by the names they answer to."""

    def organization(self, code: str) -> Organization | None:
        """The organisation with that code."""

    def organization_called(self, name: str) -> Organization | None:
        """The organisation with that code or alias, capitals aside."""


class Organization:
    """One organisation, folded from its events."""

    __slots__ = ("code", "description", "id", "position", "version")

    def __init__(self, event: OrganizationRegistered, recorded: Recorded) -> None:
        self.id: UUID = recorded.stream_id
        self.version = recorded.version
        self.position = recorded.position
        self.code = event.code
        self.description = OrganizationDescription(event.name, event.kind, event.parent, event.aliases)

    @classmethod
    def begin(cls, recorded: Recorded) -> Organization | None:
        """The organisation that the first event of a stream tells of, if it tells of one."""
        event = recorded.data
        return cls(event, recorded) if isinstance(event, OrganizationRegistered) else None

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event."""
        self.version = recorded.version
        self.position = recorded.position
        event = recorded.data
        if isinstance(event, OrganizationChanged):
            self.description = OrganizationDescription(
                event.name, event.kind, event.parent, event.aliases, event.successor, event.dissolved_on
            )

    def describe(
        self, description: OrganizationDescription, known: KnownOrganizations, today: date
    ) -> list[Event]:
        """Describe it anew; the same description again records nothing."""
        if description == self.description:
            return []
        _check(self.code, description, known, today)
        return [_changed(description)]


def register_organization(
    code: str, description: OrganizationDescription, known: KnownOrganizations, today: date
) -> list[Event]:
    """Enter an organisation into the record; one that is already gone is registered, then described as gone."""
    guards.well_formed_code(code)
    _check(code, description, known, today)
    registered = OrganizationRegistered(
        code=code,
        name=description.name,
        kind=description.kind,
        parent=description.parent,
        aliases=description.aliases,
    )
    if description.successor is None and description.dissolved_on is None:
        return [registered]
    return [registered, _changed(description)]


def _changed(description: OrganizationDescription) -> OrganizationChanged:
    return OrganizationChanged(**description._asdict())


def _check(code: str, description: OrganizationDescription, known: KnownOrganizations, today: date) -> None:
    guards.text_given(description.name, "The name", "/name")
    if description.dissolved_on is not None:
        guards.not_after_today(description.dissolved_on, today, "/dissolved_on")
    _check_aliases(code, description.aliases, known)
    if description.parent is not None:
        _check_chain(code, description.parent, "parent", known)
    if description.successor is not None:
        _check_chain(code, description.successor, "successor", known)


def _check_aliases(code: str, aliases: tuple[str, ...], known: KnownOrganizations) -> None:
    """A name leads to one organisation only, so that spellings in imported files can be told apart."""
    guards.all_different((alias.casefold() for alias in aliases), "/aliases")
    owner = known.organization_called(code)
    if owner is not None and owner.code != code:
        raise RuleBroken("alias-taken", f"'{code}' is another name of the organisation '{owner.code}'.")
    for index, alias in enumerate(aliases):
        guards.text_given(alias, "An alias", f"/aliases/{index}")
        owner = known.organization_called(alias)
        if owner is not None and owner.code != code:
            raise RuleBroken("alias-taken", f"'{alias}' already stands for the organisation '{owner.code}'.")


def _check_chain(code: str, first: str, relation: str, known: KnownOrganizations) -> None:
    """Whoever it belongs to, or went on in, is on record, and following that relation never leads back here."""
    passed = {code}
    next_code: str | None = first
    while next_code is not None:
        if next_code in passed:
            raise RuleBroken(
                "organization-cycle", f"By way of '{next_code}', '{code}' would be its own {relation}."
            )
        passed.add(next_code)
        organization = known.organization(next_code)
        if organization is None:
            raise InvalidInput(
                "unknown-organization",
                f"There is no organisation with the code '{next_code}'.",
                pointer=f"/{relation}",
            )
        description = organization.description
        next_code = description.parent if relation == "parent" else description.successor
