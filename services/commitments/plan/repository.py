"""The organisations and pillars on record: at most hundreds, so all are at hand for whatever names them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from services.commitments.plan.model import Organization, Pillar, check_organization, check_pillar
from shared.aggregate.command import Command
from shared.aggregate.index import EventSource, Index
from shared.aggregate.repository import DescribedRepository
from shared.errors import NotFound
from shared.eventlog.live import LiveLog
from shared.events.commitments import OrganizationChanged, OrganizationRegistered, PillarChanged


class Directory:
    """Follows a source of events; complete once that has started, and up to date with every acknowledged write."""

    def __init__(self, source: EventSource) -> None:
        self._names: dict[str, Organization] = {}
        self.organizations: Index[Organization] = Index(
            source, Organization, key=lambda one: one.code, changed=lambda _: self._name_anew()
        )
        self.pillars: Index[Pillar] = Index(source, Pillar, key=lambda one: one.code)

    def organization(self, code: str) -> Organization | None:
        """The organisation with that code."""
        return self.organizations.get(code)

    def organization_called(self, name: str) -> Organization | None:
        """The organisation with that code or alias, capitals aside."""
        return self.organizations.get(name) or self._names.get(name.casefold())

    def heirs_on(self, code: str, day: date) -> Collection[str]:  # noqa: ARG002
        """The organisations that stand for one on a day."""
        return (code,)

    def _name_anew(self) -> None:
        self._names = {
            name.casefold(): organization
            for organization in self.organizations.all()
            for name in (*organization.description.aliases, organization.code)
        }


class Organizations(DescribedRepository[Organization]):
    """The organisations of the state."""

    # Names and parents are compared across organisations.
    CONSIDERING = (OrganizationRegistered, OrganizationChanged)

    def __init__(self, live: LiveLog, directory: Directory) -> None:
        super().__init__(live, Organization, "organization")
        self._directory = directory

    def unknown(self) -> NotFound:
        """See `Repository.unknown`."""
        return NotFound("organization-not-found", "There is no such organisation.")

    def check(self, code: str, description: OrganizationChanged, command: Command) -> None:  # noqa: ARG002
        """See `DescribedRepository.check`."""
        check_organization(code, description, self._directory, self.clock.today())


class Pillars(DescribedRepository[Pillar]):
    """The pillars of the plan."""

    def __init__(self, live: LiveLog) -> None:
        super().__init__(live, Pillar, "pillar")

    def unknown(self) -> NotFound:
        """See `Repository.unknown`."""
        return NotFound("pillar-not-found", "There is no such pillar.")

    def check(self, code: str, description: PillarChanged, command: Command) -> None:  # noqa: ARG002
        """See `DescribedRepository.check`."""
        check_pillar(code, description)
