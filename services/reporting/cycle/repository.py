"""The reporting cycles on record, and what a description of one depends on."""

from __future__ import annotations

from services.reporting.cycle.model import Cycle, check_cycle
from shared.aggregate.command import Command
from shared.aggregate.heirs import OrganizationsByDay
from shared.aggregate.index import Index
from shared.aggregate.repository import DescribedRepository
from shared.errors import NotFound, RuleBroken
from shared.eventlog.envelope import Recorded
from shared.eventlog.live import LiveLog
from shared.events.commitments import PillarRegistered
from shared.events.cycles import CycleChanged, CycleRegistered
from shared.identity.actor import Actor


class Cycles(DescribedRepository[Cycle]):
    """The cycles in which is reported: few, so that all are at hand."""

    # Codes are compared across cycles.
    CONSIDERING = (CycleRegistered,)

    def __init__(self, live: LiveLog, organizations: OrganizationsByDay) -> None:
        super().__init__(live, Cycle, "cycle")
        self._organizations = organizations
        self._pillars: set[str] = set()
        self.all: Index[Cycle] = Index(live, Cycle, key=lambda one: one.code)
        live.subscribe((PillarRegistered,), self._note, forget=self._pillars.clear)

    def _note(self, recorded: Recorded) -> None:
        assert isinstance(recorded.data, PillarRegistered)
        self._pillars.add(recorded.data.code)

    def spelled(self, code: str) -> str:
        """See `DescribedRepository.spelled`; capitals make no difference."""
        return next((one for one in self.all.keys if one.casefold() == code.casefold()), code)

    async def find(self, identifier: str, actor: Actor, *, ever: bool = False) -> Cycle:
        """See `Repository.find`; capitals make no difference."""
        return await super().find(self.spelled(identifier), actor, ever=ever)

    def unknown(self) -> NotFound:
        """See `Repository.unknown`."""
        return NotFound("cycle-not-found", "There is no such cycle.")

    def check(self, code: str, description: CycleChanged, command: Command) -> None:  # noqa: ARG002
        """See `DescribedRepository.check`."""
        if (taken := self.spelled(code)) != code:
            raise RuleBroken("code-taken", f"There is a cycle '{taken}' already.")
        check_cycle(code, description, self._organizations.keys, self._pillars)
