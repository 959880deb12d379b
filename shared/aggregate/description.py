"""What is described as a whole, again and again: an organisation, a pillar, a body.

Where descriptions have days, each holds from its own until that of the next.
"""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Generic, TypeVar, cast

import msgspec

from shared.aggregate.aggregate import Aggregate
from shared.eventlog.envelope import Recorded
from shared.events.facts import Event
from shared.rules.dated_facts import History

D = TypeVar("D", bound=Event)


class Described(Aggregate, Generic[D]):
    """Something known by a code; its description is the event by which it was last described.

    `CHANGED` is the type of the events that describe it anew, and so of every description. `BEGINS_WITH` is the event
    of its registration, which has the code as well and may leave out what is seldom said on the first day.
    """

    __slots__ = ("code", "descriptions")

    CHANGED: ClassVar[type[Event]]

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded)
        event: Any = recorded.data
        self.code: str = event.code
        first: Any = self.CHANGED(**_shared_members(event, self.CHANGED))
        self.descriptions: History[D] = described_by(None, first, recorded.position)

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event: see `described_by`."""
        super().apply(recorded)
        event = recorded.data
        if isinstance(event, self.CHANGED):
            self.descriptions = described_by(self.descriptions, cast("D", event), recorded.position)

    @property
    def description(self) -> D:
        """As it is described now."""
        return self.described_on(date.max)

    def described_on(self, day: date) -> D:
        """As it is described for a day."""
        return self.descriptions.on(day)[0]

    def all_descriptions(self) -> list[D]:
        """Each description that holds on some day, the first first."""
        days = dict.fromkeys((date.min, *self.descriptions.days()))
        return [self.described_on(day) for day in days]

    def reads(self, description: D) -> bool:
        """Whether it is described like this already, for the day that the description names."""
        return _undated(self.described_on(_day_of(description) or date.max)) == _undated(description)

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


def described_by(before: History[D] | None, description: D, position: int) -> History[D]:
    """The descriptions of one thing with one more, or the first.

    Each holds from the day it names until that of the next, and the earliest on all days before it as well. One that
    names no day holds on every day.
    """
    day = _day_of(description)
    if before is None or day is None:
        before = History(description, position)
    if day is not None:
        before.add(day, position, description)
        if _day_of(before.initial[0]) is not None:
            _, told_at, earliest = before.entries()[0]
            before.begin_with(earliest, told_at)
    return before


def _day_of(description: Event) -> date | None:
    day: date | None = getattr(description, "effective_on", None)
    return day


def _undated(description: D) -> D:
    """What a description says, whatever the day from which it does."""
    if _day_of(description) is None:
        return description
    return msgspec.structs.replace(description, effective_on=None)


def _shared_members(source: msgspec.Struct, target: type[msgspec.Struct]) -> dict[str, Any]:
    names = set(target.__struct_fields__) & set(source.__struct_fields__) - {"code"}
    return {name: getattr(source, name) for name in names}
