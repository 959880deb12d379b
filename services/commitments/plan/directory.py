"""The organisations and pillars on record, in memory: there are at most hundreds, and everything refers to them."""

from __future__ import annotations

from services.commitments.plan.model import Organization, Pillar
from shared.aggregate.index import Index
from shared.eventlog.live import LiveLog


class Directory:
    """Follows the log; complete once `live` has started, and up to date with every write that was acknowledged."""

    def __init__(self, live: LiveLog) -> None:
        self._names: dict[str, Organization] = {}
        self.organizations: Index[Organization] = Index(
            live, Organization, key=lambda one: one.code, changed=lambda _: self._name_anew()
        )
        self.pillars: Index[Pillar] = Index(live, Pillar, key=lambda one: one.code)

    def organization(self, code: str) -> Organization | None:
        """The organisation with that code."""
        return self.organizations.get(code)

    def organization_called(self, name: str) -> Organization | None:
        """The organisation with that code or alias, capitals aside."""
        return self.organizations.get(name) or self._names.get(name.casefold())

    def _name_anew(self) -> None:
        self._names = {
            name.casefold(): organization
            for organization in self.organizations.all()
            for name in (*organization.description.aliases, organization.code)
        }
