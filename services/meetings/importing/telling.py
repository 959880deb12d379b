"""What a row says, once its members are understood: a meeting, its agenda, and what came of the items."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from services.meetings.domain.body import BodyDescription
from shared.events.meetings import AgendaItem, MinutesItem
from shared.importing.report import Problem


class BodyTold(NamedTuple):
    """A body as the source and the mapping describe it together."""

    code: str
    description: BodyDescription


class MeetingTold(NamedTuple):
    """One meeting as one row tells of it; `results` are the items that something came of.

    `left_out` is what of the row cannot be recorded, while the rest of it can.
    """

    line: int
    reference: str
    stream: UUID
    body: BodyTold
    start_at: datetime
    end_at: datetime | None
    title: str | None
    place: str | None
    cancelled: bool
    agenda: tuple[AgendaItem, ...]
    results: tuple[MinutesItem, ...]
    left_out: tuple[Problem, ...] = ()

    def difference(self, other: MeetingTold) -> str | None:
        """The name of the first thing on which two rows about one meeting disagree; None when they are the same."""
        pairs: list[tuple[str, Any, Any]] = list(zip(self._fields, self, other, strict=True))
        return next((name for name, one, two in pairs if name != "line" and one != two), None)

    @property
    def items_without_result(self) -> int:
        """How many items of the agenda nothing is said to have come of."""
        return len(self.agenda) - len(self.results)
