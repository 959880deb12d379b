"""What is described as a whole, again and again: an organisation, a pillar, a body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, Self, TypeVar

import msgspec

from shared.aggregate.aggregate import Aggregate
from shared.aggregate.command import Command
from shared.errors import StaleVersion
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
        first = registered(code=code, **_shared_members(description, registered))  # type: ignore[call-arg]
        told = cls.CHANGED(**_shared_members(first, cls.CHANGED))
        return [first] if told == description else [first, description]

    @classmethod
    def decide(
        cls, present: Self | None, code: str, description: D, command: Command, *, only_new: bool
    ) -> Sequence[Event]:
        """What a description comes to: the same description again records nothing.

        StaleVersion when it is not at a version that the command expects, or there while it has to be new.
        """
        if present is None:
            if command.expected is not None:
                raise StaleVersion("stale-version", "There is nothing by this code yet, so no version of it.")
            return cls.register(code, description)
        if only_new:
            raise StaleVersion("stale-version", "There already is one by this code.", current=present.version)
        return [] if description == present.description else [description]


def _shared_members(source: msgspec.Struct, target: type[msgspec.Struct]) -> dict[str, Any]:
    names = set(target.__struct_fields__) & set(source.__struct_fields__) - {"code"}
    return {name: getattr(source, name) for name in names}
