"""Described things of which there are so few that all are in memory, and what their descriptions name."""

from __future__ import annotations

from typing import Any, TypeVar

from shared.aggregate.command import Command
from shared.aggregate.description import Described
from shared.aggregate.index import Index
from shared.aggregate.repository import DescribedRepository
from shared.errors import RuleBroken
from shared.eventlog.envelope import Recorded
from shared.eventlog.live import LiveLog
from shared.events.commitments import PillarRegistered
from shared.identity.actor import Actor

D = TypeVar("D", bound=Described[Any])


class FewDescribed(DescribedRepository[D]):
    """A kind of which all are at hand; capitals make no difference between their codes.

    Its `CONSIDERING` has the event with which one begins: codes are compared with those of all others.
    """

    def __init__(self, live: LiveLog, described: type[D], kind: str) -> None:
        super().__init__(live, described, kind)
        self.all: Index[D] = Index(live, described, key=lambda one: one.code)

    def spelled(self, code: str) -> str:
        """See `DescribedRepository.spelled`."""
        return next((one for one in self.all.keys if one.casefold() == code.casefold()), code)

    async def find(self, identifier: str, actor: Actor, *, ever: bool = False) -> D:
        """See `Repository.find`."""
        return await super().find(self.spelled(identifier), actor, ever=ever)

    def check(self, code: str, description: Any, command: Command) -> None:  # noqa: ARG002
        """See `DescribedRepository.check`."""
        if (taken := self.spelled(code)) != code:
            raise RuleBroken("code-taken", f"There is a {self.kind} '{taken}' already.")


class PillarCodes:
    """The codes of all pillars on record."""

    def __init__(self, live: LiveLog) -> None:
        self._codes: set[str] = set()
        live.subscribe((PillarRegistered,), self._note, forget=self._codes.clear)

    def __contains__(self, code: object) -> bool:
        return code in self._codes

    def _note(self, recorded: Recorded) -> None:
        assert isinstance(recorded.data, PillarRegistered)
        self._codes.add(recorded.data.code)
