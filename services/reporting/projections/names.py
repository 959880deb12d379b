"""From the events of organisations and pillars to the rows of `names`: what a code was called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from services.reporting.projections.changes import Belief, RowChanges
from services.reporting.tables import ORGANIZATION, PILLAR, names
from shared.eventlog.envelope import Recorded
from shared.events.commitments import (
    OrganizationChanged,
    OrganizationRegistered,
    PillarChanged,
    PillarRegistered,
)
from shared.events.facts import Event

CHANGING: tuple[type[Event], ...] = (OrganizationChanged, PillarChanged)


class Name(NamedTuple):
    """What a row of `names` says."""

    kind: str
    code: str
    name: str
    rank: int

    def row(self, believed_from: int, believed_to: int) -> tuple[Any, ...]:
        """See `Fact.row`."""
        return (*self, believed_from, believed_to)

    def key(self, believed_from: int) -> tuple[Any, ...]:
        """See `Fact.key`."""
        return (self.kind, self.code, believed_from)


class NameView:
    """What an organisation or a pillar is called now."""

    __slots__ = ("_belief", "_now", "touched")

    def __init__(self, recorded: Recorded, _changes: RowChanges) -> None:
        event, position = recorded.data, recorded.position
        assert isinstance(event, OrganizationRegistered | PillarRegistered)
        self.touched = False
        if isinstance(event, PillarRegistered):
            self._now = Name(PILLAR, event.code, event.name, event.rank)
        else:
            self._now = Name(ORGANIZATION, event.code, event.name, 0)
        self._belief = Belief(names.name, self._now, position)

    def apply(self, recorded: Recorded, changes: RowChanges) -> None:
        """Take in one more event of the stream."""
        event, position = recorded.data, recorded.position
        match event:
            case OrganizationChanged():
                now = self._now._replace(name=event.name)
            case PillarChanged():
                now = self._now._replace(name=event.name, rank=event.rank)
            case _:
                return
        if now != self._now:
            changes.end(self._belief, position)
            self._now = now
            self._belief = Belief(names.name, now, position)

    def beliefs(self) -> Iterator[Belief[Any]]:
        """Everything believed now."""
        yield self._belief
