"""The reporting cycles on record, and what a description of one depends on."""

from __future__ import annotations

from services.reporting.cycle.model import Cycle, check_cycle
from shared.aggregate.command import Command
from shared.aggregate.few import FewDescribed, PillarCodes
from shared.aggregate.heirs import OrganizationsByDay
from shared.errors import NotFound
from shared.eventlog.live import LiveLog
from shared.events.cycles import CycleChanged, CycleRegistered


class Cycles(FewDescribed[Cycle]):
    """The cycles in which is reported."""

    CONSIDERING = (CycleRegistered,)

    def __init__(self, live: LiveLog, organizations: OrganizationsByDay, pillars: PillarCodes) -> None:
        super().__init__(live, Cycle, "cycle")
        self._organizations = organizations
        self._pillars = pillars

    def unknown(self) -> NotFound:
        """See `Repository.unknown`."""
        return NotFound("cycle-not-found", "There is no such cycle.")

    def check(self, code: str, description: CycleChanged, command: Command) -> None:
        """See `DescribedRepository.check`."""
        super().check(code, description, command)
        check_cycle(code, description, self._organizations.keys, self._pillars)
