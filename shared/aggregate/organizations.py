"""The organisations of the state, by day: where they belonged, and who stands for them once they are no more."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from shared.aggregate.description import Described
from shared.aggregate.index import EventSource, Index
from shared.events.commitments import OrganizationChanged, OrganizationRegistered


class Ending(NamedTuple):
    """An organisation was no more from a day on, and went on in others, or in none."""

    since: date
    successors: tuple[str, ...]


class Belonging(NamedTuple):
    """An organisation was part of another from a day on and until another day, which is no longer in it."""

    since: date
    until: date
    parent: str


def successors_of(description: OrganizationChanged) -> tuple[str, ...]:
    """The codes of the organisations it went on in, by one description."""
    named = (description.successor, *description.successors)
    return tuple(dict.fromkeys(code for code in named if code is not None))


def ending_of(description: OrganizationChanged) -> Ending | None:
    """How it ended, by one description; an old one that gives successors and no day of any kind tells of no end."""
    successors = successors_of(description)
    since = description.dissolved_on or (description.effective_on if successors else None)
    return None if since is None else Ending(since, successors)


class Organization(Described[OrganizationChanged]):
    """An organisation of the state: what it is called, where it belongs, and who took over from it."""

    __slots__ = ()

    BEGINS_WITH = (OrganizationRegistered,)
    CHANGED = OrganizationChanged

    def ending_on(self, day: date) -> Ending | None:
        """How it had ended by a day, as it was described for that day."""
        ending = ending_of(self.described_on(day))
        return ending if ending is not None and ending.since <= day else None

    def endings(self) -> Iterator[Ending]:
        """Each end it had: it may have come back in between."""
        for description in self.all_descriptions():
            if (ending := ending_of(description)) is not None:
                yield ending

    def belongings(self) -> Iterator[Belonging]:
        """What it was part of, from which day to which."""
        days = [date.min, *self.descriptions.days(), date.max]
        for since, until in pairwise(days):
            parent = self.described_on(since).parent
            if parent is not None and since < until:
                yield Belonging(since, until, parent)

    def goes_by(self, name: str, day: date) -> bool:
        """Whether it was known by a name on a day, capitals aside."""
        names = (self.code, *self.described_on(day).aliases)
        return name.casefold() in {one.casefold() for one in names}


class OrganizationsByDay(Index[Organization]):
    """All of them, and who stands for whom on which day."""

    def __init__(self, source: EventSource, changed: Callable[[Organization], None] = lambda _: None) -> None:
        super().__init__(source, Organization, key=lambda one: one.code, changed=changed)

    def heirs_on(self, code: str, day: date) -> Collection[str]:
        """The organisations that stand for one on a day: itself while it is there, and then its successors.

        One in which another went on later than its own end has come back by that.
        """
        heirs: dict[str, None] = {}
        asked = [code]
        for one in asked:
            organization = self.get(one)
            ending = None if organization is None else organization.ending_on(day)
            if ending is None or self._came_back(one, ending.since, day):
                heirs[one] = None
            else:
                asked += [successor for successor in ending.successors if successor not in asked]
        return heirs.keys()

    def _came_back(self, code: str, since: date, day: date) -> bool:
        endings = (one.ending_on(day) for one in self.all())
        return any(one is not None and one.since > since and code in one.successors for one in endings)
