"""What is described as a whole, again and again: an organisation, a pillar, a body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

import msgspec

from shared.aggregate.aggregate import Aggregate
from shared.aggregate.command import Command, Outcome
from shared.aggregate.repository import Repository
from shared.errors import StaleVersion
from shared.eventlog.envelope import Recorded
from shared.events.facts import Event
from shared.events.streams import stream_of

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
        return (*cls.BEGINS_WITH, cls.CHANGED)

    @classmethod
    def register(cls, code: str, description: D) -> list[Event]:
        """Enter one into the record: what its registration has no room for is described right after."""
        (registered,) = cls.BEGINS_WITH
        first = registered(code=code, **_shared_members(description, registered))
        told = cls.CHANGED(**_shared_members(first, cls.CHANGED))
        return [first] if told == description else [first, description]


A = TypeVar("A", bound=Described[Any])


class DescribedRepository(Repository[A]):
    """The described things of one kind, by their codes."""

    CONSIDERING: ClassVar[Sequence[type[Event]]] = ()
    """What of others may not be recorded while one is described."""

    def fit(self, present: A | None, description: Any) -> Any:  # noqa: ARG002 - for those that depend on it
        """The description as it is meant for what is there now."""
        return description

    def check(self, code: str, description: Any, command: Command) -> None:
        """Hold a description that is to be recorded to the rules."""

    async def describe(
        self, code: str, description: Event, command: Command, *, only_new: bool = False
    ) -> Outcome:
        """Register one, or describe a known one anew; the same description again records nothing.

        StaleVersion when it is not at a version that the command expects, or there while it has to be new.
        """

        def decide(present: A | None) -> Sequence[Event]:
            if present is None and command.expected is not None:
                raise StaleVersion("stale-version", "There is nothing by this code yet, so no version of it.")
            if present is not None and only_new:
                raise StaleVersion(
                    "stale-version", "There already is one by this code.", current=present.version
                )
            wanted = self.fit(present, description)
            if present is not None and wanted == present.description:
                return []
            self.check(code, wanted, command)
            return self._aggregate.register(code, wanted) if present is None else [wanted]

        return await self.write(stream_of(self.kind, code), decide, command, considering=self.CONSIDERING)


def _shared_members(source: msgspec.Struct, target: type[msgspec.Struct]) -> dict[str, Any]:
    names = set(target.__struct_fields__) & set(source.__struct_fields__) - {"code"}
    return {name: getattr(source, name) for name in names}
