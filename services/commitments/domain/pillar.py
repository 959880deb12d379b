"""A pillar of the government plan: the heading under which commitments are counted."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from services.commitments.domain import guards
from shared.eventlog.envelope import Recorded
from shared.events.commitments import PillarChanged, PillarRegistered
from shared.events.facts import Event


class PillarDescription(NamedTuple):
    """Everything a pillar is described by; `rank` orders the pillars in lists."""

    name: str
    rank: int = 0
    description: str | None = None


class Pillar:
    """One pillar, folded from its events."""

    __slots__ = ("code", "description", "id", "position", "version")

    def __init__(self, event: PillarRegistered, recorded: Recorded) -> None:
        self.id: UUID = recorded.stream_id
        self.version = recorded.version
        self.position = recorded.position
        self.code = event.code
        self.description = PillarDescription(event.name, event.rank, event.description)

    @classmethod
    def begin(cls, recorded: Recorded) -> Pillar | None:
        """The pillar that the first event of a stream tells of, if it tells of one."""
        event = recorded.data
        return cls(event, recorded) if isinstance(event, PillarRegistered) else None

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event."""
        self.version = recorded.version
        self.position = recorded.position
        event = recorded.data
        if isinstance(event, PillarChanged):
            self.description = PillarDescription(event.name, event.rank, event.description)

    def describe(self, description: PillarDescription) -> list[Event]:
        """Describe it anew; the same description again records nothing."""
        if description == self.description:
            return []
        _check(description)
        return [PillarChanged(**description._asdict())]


def register_pillar(code: str, description: PillarDescription) -> list[Event]:
    """Declare a pillar."""
    guards.well_formed_code(code)
    _check(description)
    return [PillarRegistered(code=code, **description._asdict())]


def _check(description: PillarDescription) -> None:
    guards.text_given(description.name, "The name", "/name")
