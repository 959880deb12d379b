"""An API key on record: for whom it acts, until when, and whether it was taken back; never its secret."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from shared.aggregate.aggregate import Aggregate, Entry, evolves
from shared.aggregate.command import Context
from shared.errors import InvalidInput, RuleBroken
from shared.eventlog.envelope import Recorded
from shared.events.identity import KeyIssued, KeyRevoked
from shared.identity.actor import Role
from shared.identity.caller import SCOPES
from shared.rules import guards

LONGEST_LIFE: Final = timedelta(days=366)
"""A key that nobody has asked for again in a year is a key that nobody watches."""


class ApiKey(Aggregate):
    """One key."""

    __slots__ = ("issued", "revocation")

    BEGINS_WITH = (KeyIssued,)

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded)
        assert isinstance(recorded.data, KeyIssued)
        self.issued = recorded.data
        self.revocation: Entry[KeyRevoked] | None = None

    def revoke(self, revoked: KeyRevoked, context: Context) -> KeyRevoked:  # noqa: ARG002
        """Takes a key back: within moments it opens nothing any more."""
        guards.reason_given(revoked.reason, "A revocation")
        if self.revocation is not None:
            raise RuleBroken("key-already-revoked", "This key was taken back before.")
        return revoked

    @evolves(KeyRevoked)
    def _revoked(self, entry: Entry[KeyRevoked]) -> None:
        self.revocation = entry


def issue_key(proposed: KeyIssued, now: datetime) -> KeyIssued:
    """Give out a key; only the hash of its secret is recorded."""
    if proposed.role is Role.SYSTEM:
        raise InvalidInput(
            "key-role-reserved", "Nobody holds a key to act as the system itself.", pointer="/role"
        )
    if not proposed.scopes or not SCOPES.issuperset(proposed.scopes):
        raise InvalidInput(
            "key-scopes-unknown",
            f"A key has at least one scope, of {', '.join(sorted(SCOPES))}.",
            pointer="/scopes",
        )
    if not now < proposed.expires_at <= now + LONGEST_LIFE:
        raise InvalidInput(
            "key-lifetime",
            f"A key expires after now and within {LONGEST_LIFE.days} days.",
            pointer="/expires_at",
        )
    return proposed
