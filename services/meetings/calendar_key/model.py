"""A calendar key on record: of which body's calendar, for whose eyes, until when, and whether it was taken back."""

from __future__ import annotations

from shared.aggregate.aggregate import Aggregate, Entry, evolves
from shared.aggregate.command import Context
from shared.errors import RuleBroken
from shared.eventlog.envelope import Recorded
from shared.events.identity import CalendarKeyIssued, CalendarKeyRevoked
from shared.identity.actor import Actor, Role
from shared.rules import guards


class CalendarKey(Aggregate):
    """One address that opens a calendar."""

    __slots__ = ("issued", "reader", "revocation")

    BEGINS_WITH = (CalendarKeyIssued,)

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded)
        assert isinstance(recorded.data, CalendarKeyIssued)
        self.issued = recorded.data
        self.reader = recorded.recorded_by
        """Who asked for it: it shows what they may know of."""
        self.revocation: Entry[CalendarKeyRevoked] | None = None

    def is_of(self, actor: Actor) -> bool:
        """Whether an actor may see and take back the key: whoever asked for it, or an administrator."""
        return actor.role is Role.ADMIN or actor.may_be(self.reader.people)

    def revoke(self, revoked: CalendarKeyRevoked, context: Context) -> CalendarKeyRevoked:  # noqa: ARG002
        """Takes the key back: within moments its address is that of nothing."""
        guards.reason_given(revoked.reason, "A revocation")
        if self.revocation is not None:
            raise RuleBroken("key-already-revoked", "This key was taken back before.")
        return revoked

    @evolves(CalendarKeyRevoked)
    def _revoked(self, entry: Entry[CalendarKeyRevoked]) -> None:
        self.revocation = entry
