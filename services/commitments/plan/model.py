"""The organisations that deliver, and the pillars of the plan under which commitments are counted."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from shared.aggregate.description import Described
from shared.errors import InvalidInput, RuleBroken
from shared.events.commitments import (
    OrganizationChanged,
    OrganizationRegistered,
    PillarChanged,
    PillarRegistered,
)
from shared.rules import guards


class Pillar(Described[PillarChanged]):
    """A pillar of the government plan."""

    __slots__ = ()

    BEGINS_WITH = (PillarRegistered,)
    CHANGED = PillarChanged


class Organization(Described[OrganizationChanged]):
    """An organisation of the state: what it is called, where it belongs, and who took over from it."""

    __slots__ = ()

    BEGINS_WITH = (OrganizationRegistered,)
    CHANGED = OrganizationChanged


class KnownOrganizations(Protocol):
    """The organisations on record, by the names they answer to."""

    def organization(self, code: str) -> Organization | None:
        """The organisation with that code."""

    def organization_called(self, name: str) -> Organization | None:
        """The organisation with that code or alias, capitals aside."""


def check_pillar(code: str, description: PillarChanged) -> None:
    """Hold the description of a pillar to the rules."""
    guards.well_formed_code(code)
    guards.text_given(description.name, "The name", "/name")


def check_organization(
    code: str, description: OrganizationChanged, known: KnownOrganizations, today: date
) -> None:
    """Hold the description of an organisation to the rules.

    A name leads to one organisation only, so that spellings in imported files can be told apart; and following whom it
    belongs to, or went on in, never leads back to it.
    """
    guards.well_formed_code(code)
    guards.text_given(description.name, "The name", "/name")
    if description.dissolved_on is not None:
        guards.not_after_today(description.dissolved_on, today, "/dissolved_on")
    guards.all_different((alias.casefold() for alias in description.aliases), "/aliases")
    owner = known.organization_called(code)
    if owner is not None and owner.code != code:
        raise RuleBroken("alias-taken", f"'{code}' is another name of the organisation '{owner.code}'.")
    for index, alias in enumerate(description.aliases):
        guards.text_given(alias, "An alias", f"/aliases/{index}")
        owner = known.organization_called(alias)
        if owner is not None and owner.code != code:
            raise RuleBroken("alias-taken", f"'{alias}' already stands for the organisation '{owner.code}'.")
    for relation in ("parent", "successor"):
        _check_chain(code, relation, description, known)


def _check_chain(
    code: str, relation: str, description: OrganizationChanged, known: KnownOrganizations
) -> None:
    passed = {code}
    following: str | None = getattr(description, relation)
    while following is not None:
        if following in passed:
            raise RuleBroken(
                "organization-cycle", f"By way of '{following}', '{code}' would be its own {relation}."
            )
        passed.add(following)
        organization = known.organization(following)
        if organization is None:
            raise InvalidInput(
                "unknown-organization",
                f"There is no organisation with the code '{following}'.",
                pointer=f"/{relation}",
            )
        following = getattr(organization.description, relation)
