"""The organisations and pillars on record: at most hundreds, so all are at hand for whatever names them."""

from __future__ import annotations

from datetime import date

from services.commitments.plan.model import Pillar, check_organization, check_pillar, from_its_end
from shared.aggregate.command import Command
from shared.aggregate.heirs import OrganizationsByDay
from shared.aggregate.index import EventSource, Index
from shared.aggregate.organizations import Organization
from shared.aggregate.repository import DescribedRepository
from shared.errors import NotFound
from shared.eventlog.live import LiveLog
from shared.events.commitments import OrganizationChanged, OrganizationRegistered, PillarChanged


class Directory:
    """Follows a source of events; complete once that has started, and up to date with every acknowledged write."""

    def __init__(self, source: EventSource) -> None:
        self._names: dict[str, list[Organization]] = {}
        self.organizations = OrganizationsByDay(source, changed=lambda _: self._name_anew())
        self.pillars: Index[Pillar] = Index(source, Pillar, key=lambda one: one.code)
        source.on_restart(self._name_anew)

    def organization(self, code: str) -> Organization | None:
        """The organisation with that code."""
        return self.organizations.get(code)

    def organization_called(self, name: str, day: date = date.max) -> Organization | None:
        """The organisation that goes by that code or alias on a day, capitals aside; else that did once."""
        called = self.called_on(name, day)
        there = [one for one in called if one.code in self.organizations.heirs_on(one.code, day)]
        return next(iter((*there, *called, *self._names.get(name.casefold(), ()))), None)

    def called_on(self, name: str, day: date) -> list[Organization]:
        """Those that go by a name on a day: the one whose code it is, and those there by that day that have it."""
        return [
            one
            for one in self._names.get(name.casefold(), ())
            if one.goes_by(name, day) and one.code in self.organizations.heirs_on(one.code, day)
        ]

    def described_after(self, day: date) -> list[date]:
        """The later days from which some organisation is described otherwise."""
        return sorted(
            {later for one in self.organizations.all() for later in one.descriptions.days_after(day)}
        )

    def _name_anew(self) -> None:
        self._names = {}
        for organization in self.organizations.all():
            names = [alias for one in organization.all_descriptions() for alias in one.aliases]
            for name in {name.casefold() for name in (organization.code, *names)}:
                self._names.setdefault(name, []).append(organization)


class Organizations(DescribedRepository[Organization]):
    """The organisations of the state."""

    # Names and parents are compared across organisations.
    CONSIDERING = (OrganizationRegistered, OrganizationChanged)

    def __init__(self, live: LiveLog, directory: Directory) -> None:
        super().__init__(live, Organization, "organization")
        self._directory = directory

    def fit(self, present: Organization | None, description: OrganizationChanged) -> OrganizationChanged:
        """See `DescribedRepository.fit`; what is said of an end holds from that day on."""
        fitted: OrganizationChanged = super().fit(present, from_its_end(description, self.clock.today()))
        return fitted

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
        check_pillar(code, description, self.clock.today())
