"""The bodies on record, and the organisations that they and everything here name: few, so all are at hand."""

from __future__ import annotations

from collections.abc import Collection

from services.meetings.body.model import Body, check_body
from shared.aggregate.command import Command
from shared.aggregate.heirs import OrganizationsByDay
from shared.aggregate.index import Index
from shared.aggregate.repository import DescribedRepository
from shared.eventlog.live import LiveLog
from shared.events.meetings import BodyChanged, BodyRegistered


class Directory:
    """Follows the log; complete once `live` has started, and up to date with every write that was acknowledged."""

    def __init__(self, live: LiveLog) -> None:
        self.organizations_by_day = OrganizationsByDay(live)
        self.bodies: Index[Body] = Index(live, Body, key=lambda one: one.code)

    @property
    def organizations(self) -> Collection[str]:
        """The codes of all organisations."""
        return self.organizations_by_day.keys


class Bodies(DescribedRepository[Body]):
    """The bodies that hold meetings."""

    # Their codes are compared.
    CONSIDERING = (BodyRegistered,)

    def __init__(self, live: LiveLog, directory: Directory) -> None:
        super().__init__(live, Body, "body")
        self._directory = directory

    def fit(self, present: Body | None, description: BodyChanged) -> BodyChanged:
        """See `DescribedRepository.fit`."""
        if present is not None:
            present.must_keep_its_readers(description)
        return description

    def check(self, code: str, description: BodyChanged, command: Command) -> None:  # noqa: ARG002
        """See `DescribedRepository.check`."""
        known = self._directory
        check_body(
            code,
            description,
            known.organizations,
            known.bodies.keys,
            known.organizations_by_day.heirs_on,
        )
