"""The organisations that deliver, and the pillars of the plan under which commitments are counted."""

from __future__ import annotations

from datetime import date
from typing import Protocol

import msgspec

from shared.aggregate.description import Described
from shared.aggregate.organizations import Belonging, Organization, ending_of, successors_of
from shared.errors import InvalidInput, RuleBroken
from shared.events.commitments import (
    OrganizationChanged,
    PillarChanged,
    PillarRegistered,
)
from shared.rules import guards


class Pillar(Described[PillarChanged]):
    """A pillar of the government plan."""

    __slots__ = ()

    BEGINS_WITH = (PillarRegistered,)
    CHANGED = PillarChanged


class KnownOrganizations(Protocol):
    """The organisations on record, by the names they answer to."""

    def organization(self, code: str) -> Organization | None:
        """The organisation with that code."""

    def called_on(self, name: str, day: date) -> list[Organization]:
        """Those that go by a name on a day: the one whose code it is, and those there by that day that have it."""

    def described_after(self, day: date) -> list[date]:
        """The later days from which some organisation is described otherwise."""


def from_its_end(description: OrganizationChanged, today: date) -> OrganizationChanged:
    """What is said of an end holds from that day on, or from today; any other description as it is."""
    if description.effective_on is None and (description.dissolved_on or successors_of(description)):
        return msgspec.structs.replace(description, effective_on=description.dissolved_on or today)
    return description


def check_pillar(code: str, description: PillarChanged, today: date) -> None:
    """Hold the description of a pillar to the rules."""
    guards.well_formed_code(code)
    guards.not_after_today(description.effective_on or today, today)
    guards.text_given(description.name, "The name", "/name")


def check_organization(
    code: str, description: OrganizationChanged, known: KnownOrganizations, today: date
) -> None:
    """Hold the description of an organisation to the rules, on every day on which it will hold.

    A name leads to one organisation on a day, so that spellings in imported files can be told apart; an old name may be
    taken up again once nobody has it. Following whom it belongs to never leads back to it on any day; nor, within one
    day, does following whom it went on in: what it went on in may go on in it later.
    """
    guards.well_formed_code(code)
    guards.text_given(description.name, "The name", "/name")
    for field in ("dissolved_on", "effective_on"):
        guards.not_after_today(getattr(description, field) or today, today, f"/{field}")
    guards.all_different((alias.casefold() for alias in description.aliases), "/aliases")
    guards.all_different(description.successors, "/successors")
    since, until = _days_of(code, description, known)
    # Of two who had a name before either was on record, the first on record is meant.
    named = description.effective_on or today
    days = [named, *(day for day in known.described_after(named) if day < until)]
    for index, alias in enumerate(description.aliases):
        guards.text_given(alias, "An alias", f"/aliases/{index}")
    for name in (code, *description.aliases):
        for owner in (one for day in days for one in known.called_on(name, day)):
            if owner.code != code:
                raise RuleBroken(
                    "alias-taken", f"'{name}' already stands for the organisation '{owner.code}'."
                )
    _check_parents(code, Belonging(since, until, description.parent or ""), known)
    _check_successors(code, description, known)


def _days_of(code: str, description: OrganizationChanged, known: KnownOrganizations) -> tuple[date, date]:
    """The first day of a description, and the day from which another is on record."""
    since = description.effective_on or date.min
    present = known.organization(code)
    later = [] if present is None else present.descriptions.days_after(since)
    return since, min(later, default=date.max)


def _check_parents(code: str, first: Belonging, known: KnownOrganizations) -> None:
    asked = [first] if first.parent else []
    for since, until, parent in asked:
        if parent == code:
            raise RuleBroken("organization-cycle", f"From {since} on '{code}' would be part of itself.")
        for above in _named(parent, "/parent", known).belongings():
            both = Belonging(max(since, above.since), min(until, above.until), above.parent)
            if both.since < both.until and both not in asked:
                asked.append(both)


def _check_successors(code: str, description: OrganizationChanged, known: KnownOrganizations) -> None:
    ending = ending_of(description)
    asked = [] if ending is None else list(ending.successors)
    for successor in asked:
        pointer = "/successor" if successor == description.successor else "/successors"
        if ending is None or successor == code:
            raise RuleBroken("organization-cycle", f"'{code}' would go on in itself.")
        for further in _named(successor, pointer, known).endings():
            if further.since == ending.since:
                asked += [one for one in further.successors if one not in asked]


def _named(code: str, pointer: str, known: KnownOrganizations) -> Organization:
    found = known.organization(code)
    if found is None:
        raise InvalidInput(
            "unknown-organization", f"There is no organisation with the code '{code}'.", pointer=pointer
        )
    return found
