"""An organisation of the state, by day: what it was called, where it belonged, and what it went on in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from shared.aggregate.description import Described
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
