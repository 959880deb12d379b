"""The reports on record, and what a description of one depends on."""

from __future__ import annotations

from services.reporting.report.model import Report, check_report
from shared.aggregate.command import Command
from shared.aggregate.few import FewDescribed, PillarCodes
from shared.aggregate.heirs import OrganizationsByDay
from shared.errors import NotFound
from shared.eventlog.live import LiveLog
from shared.events.editions import ReportChanged, ReportRegistered


class Reports(FewDescribed[Report]):
    """The reports that are owed."""

    CONSIDERING = (ReportRegistered,)

    def __init__(self, live: LiveLog, organizations: OrganizationsByDay, pillars: PillarCodes) -> None:
        super().__init__(live, Report, "report")
        self._organizations = organizations
        self._pillars = pillars

    def unknown(self) -> NotFound:
        """See `Repository.unknown`."""
        return NotFound("report-not-found", "There is no such report.")

    def check(self, code: str, description: ReportChanged, command: Command) -> None:
        """See `DescribedRepository.check`."""
        super().check(code, description, command)
        check_report(code, description, self._organizations.keys, self._pillars)
