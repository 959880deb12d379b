"""The organisations and pillars on record, in memory: there are at most hundreds, and everything refers to them."""

from __future__ import annotations

from collections.abc import Container
from uuid import UUID

from services.commitments.domain.organization import Organization
from services.commitments.domain.pillar import Pillar
from shared.eventlog.envelope import Recorded
from shared.eventlog.live import LiveLog
from shared.events.commitments import (
    OrganizationChanged,
    OrganizationRegistered,
    PillarChanged,
    PillarRegistered,
)

FOLLOWED = (OrganizationRegistered, OrganizationChanged, PillarRegistered, PillarChanged)


class Directory:
    """Follows the log; what a write recorded is here by the time its answer is given."""

    def __init__(self) -> None:
        self._by_stream: dict[UUID, Organization | Pillar] = {}
        self._organizations: dict[str, Organization] = {}
        self._pillars: dict[str, Pillar] = {}
        self._names: dict[str, Organization] = {}

    @classmethod
    def following(cls, live: LiveLog) -> Directory:
        """A directory that is complete once `live` has started."""
        directory = cls()
        live.subscribe(FOLLOWED, directory.apply)
        return directory

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event of an organisation or a pillar."""
        known = self._by_stream.get(recorded.stream_id)
        if known is not None:
            known.apply(recorded)
        elif (organization := Organization.begin(recorded)) is not None:
            self._by_stream[organization.id] = self._organizations[organization.code] = organization
        elif (pillar := Pillar.begin(recorded)) is not None:
            self._by_stream[pillar.id] = self._pillars[pillar.code] = pillar
        self._names = {
            name.casefold(): organization
            for organization in self._organizations.values()
            for name in (*organization.description.aliases, organization.code)
        }

    @property
    def organization_codes(self) -> Container[str]:
        """The codes of all organisations."""
        return self._organizations.keys()

    @property
    def pillar_codes(self) -> Container[str]:
        """The codes of all pillars."""
        return self._pillars.keys()

    def organization(self, code: str) -> Organization | None:
        """The organisation with that code."""
        return self._organizations.get(code)

    def organization_called(self, name: str) -> Organization | None:
        """The organisation with that code or alias, capitals aside."""
        return self._organizations.get(name) or self._names.get(name.casefold())

    def pillar(self, code: str) -> Pillar | None:
        """The pillar with that code."""
        return self._pillars.get(code)

    def organizations(self) -> list[Organization]:
        """All organisations, by code."""
        return sorted(self._organizations.values(), key=lambda one: one.code)

    def pillars(self) -> list[Pillar]:
        """All pillars, by rank and then by code."""
        return sorted(self._pillars.values(), key=lambda one: (one.description.rank, one.code))
