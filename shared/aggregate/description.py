"""What is described as a whole, again and again: an organisation, a pillar, a body."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar

import msgspec

from shared.aggregate.aggregate import Aggregate
from shared.eventlog.envelope import Recorded
from shared.events.facts import Event

D = TypeVar("D", bound=Event)


class Described(Aggregate, Generic[D]):
    """Something known by a code; its description is the event by which it was last described.

    `CHANGED` is the type of the events that describe it anew, and so of every description. `BEGINS_WITH` is the event
    of its registration, which has the code as well and may leave out what is seldom said on the first day.
    """

    __slots__ = ("code", "description")

    CHANGED: ClassVar[type[Event]]

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded)
        event: Any = recorded.data
        self.code: str = event.code
        self.description: D = self.CHANGED(**_shared_members(event, self.CHANGED))  # type: ignore[assignment]

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event."""
        super().apply(recorded)
        if isinstance(recorded.data, self.CHANGED):
            self.description = recorded.data  # type: ignore[assignment]

    @classmethod
    def event_types(cls) -> tuple[type[Event], ...]:
        """The types of events that it begins with or that change it."""
        return tuple(dict.fromkeys((*super().event_types(), cls.CHANGED)))

    @classmethod
    def register(cls, code: str, description: D) -> list[Event]:
        """Enter one into the record: what its registration has no room for is described right after."""
        (registered,) = cls.BEGINS_WITH
        first = registered(code=code, **_shared_members(description, registered))
        told = cls.CHANGED(**_shared_members(first, cls.CHANGED))
        return [first] if told == description else [first, description]


def _shared_members(source: msgspec.Struct, target: type[msgspec.Struct]) -> dict[str, Any]:
    names = set(target.__struct_fields__) & set(source.__struct_fields__) - {"code"}
    return {name: getattr(source, name) for name in names}
