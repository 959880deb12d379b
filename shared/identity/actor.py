"""Who acts: the part of an identity that is written into every event."""

from __future__ import annotations

from collections.abc import Collection, Container
from enum import StrEnum

import msgspec


class Role(StrEnum):
    """What an actor is to the delivery unit; `docs/access.md` says what each may do."""

    DCI = "dci"
    MINISTRY = "ministry"
    DIPRES = "dipres"
    ADVISORY = "advisory"
    AUDITOR = "auditor"
    ADMIN = "admin"
    SYSTEM = "system"
    """A policy of our own acting on a recorded decision; no token carries it."""


class Actor(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person or a system that acts, by subject id only: names live elsewhere, where they can be erased.

    Of an API key, `holder` is the subject id of the person who answers for what it does, and `asked_by` are those of
    whoever else was told its secret, because they asked for it or for the key that did.
    """

    subject: str
    organization: str
    role: Role
    holder: str | None = None
    asked_by: tuple[str, ...] = ()

    @property
    def person(self) -> str:
        """Who answers for what is done, whatever credentials they use."""
        return self.holder or self.subject

    @property
    def people(self) -> frozenset[str]:
        """Everybody who may be behind it: where two people are needed, it takes two of these sets that do not meet."""
        return frozenset((self.person, *self.asked_by))

    def may_be(self, people: Collection[str]) -> bool:
        """Whether any of some people may be behind it."""
        return not self.people.isdisjoint(people)

    @property
    def organizations(self) -> tuple[str, ...]:
        """Their organisation, and those whose rights it has."""
        return (self.organization,)

    def is_of(self, organizations: Container[str]) -> bool:
        """Whether one of some organisations is theirs, or one whose rights theirs has."""
        return any(one in organizations for one in self.organizations)

    def as_recorded(self) -> Actor:
        """Who they are in an event."""
        return self


class Heir(Actor, frozen=True):
    """An actor whose organisation succeeded others that are no more: it may read and tell what they might."""

    inherited: tuple[str, ...] = ()

    @property
    def organizations(self) -> tuple[str, ...]:
        """See `Actor.organizations`."""
        return (self.organization, *self.inherited)

    def as_recorded(self) -> Actor:
        """See `Actor.as_recorded`: what was inherited follows from the organisations, and is no part of events."""
        return Actor(self.subject, self.organization, self.role, self.holder, self.asked_by)
