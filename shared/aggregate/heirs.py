"""The organisations of the state, and who stands for one on a day on which it is no more."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date

from shared.aggregate.index import EventSource, Index
from shared.aggregate.organizations import Organization


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
