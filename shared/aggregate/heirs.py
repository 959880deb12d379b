"""The organisations of the state, and who stands for one on a day on which it is no more."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date

from shared.aggregate.index import EventSource, Index
from shared.aggregate.organizations import Organization
from shared.eventlog.envelope import Recorded
from shared.identity.actor import Actor, Heir


class OrganizationsByDay(Index[Organization]):
    """All of them, and who stands for whom on which day."""

    def __init__(self, source: EventSource, changed: Callable[[Organization], None] = lambda _: None) -> None:
        self._inherited: dict[str, list[str]] | None = None
        super().__init__(source, Organization, key=lambda one: one.code, changed=changed)

    def apply(self, recorded: Recorded) -> None:
        """See `Index.apply`."""
        super().apply(recorded)
        self._inherited = None

    def clear(self) -> None:
        """See `Index.clear`."""
        super().clear()
        self._inherited = None

    def with_heritage(self, actor: Actor) -> Actor:
        """The actor, with the rights of the organisations for which theirs stands now."""
        if self._inherited is None:
            self._inherited = {}
            for one in self.all():
                for heir in self.heirs_on(one.code, date.max):
                    if heir != one.code:
                        self._inherited.setdefault(heir, []).append(one.code)
        inherited = self._inherited.get(actor.organization)
        if inherited is None:
            return actor
        return Heir(
            actor.subject, actor.organization, actor.role, actor.holder, actor.asked_by, tuple(inherited)
        )

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
