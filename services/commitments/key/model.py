"""An API key on record: for whom it acts, until when, and whether it was taken back; never its secret."""

from __future__ import annotations

import msgspec

from shared.aggregate.aggregate import Aggregate, Entry, evolves
from shared.aggregate.command import Context
from shared.errors import InvalidInput, RuleBroken
from shared.eventlog.envelope import Recorded
from shared.events.identity import Key, KeyApproved, KeyIssued, KeyRequested, KeyRevoked
from shared.identity.actor import Role
from shared.identity.caller import SCOPES
from shared.identity.keys import RESERVED, must_expire
from shared.rules import guards


class ApiKey(Aggregate):
    """One key."""

    __slots__ = ("approval", "issued", "recorded_by", "revocation")

    BEGINS_WITH = (KeyIssued, KeyRequested)

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded)
        assert isinstance(recorded.data, Key)
        self.issued = recorded.data
        self.recorded_by = recorded.recorded_by
        self.approval: Entry[KeyApproved] | None = None
        self.revocation: Entry[KeyRevoked] | None = None

    @property
    def holder(self) -> str:
        """The person who answers for what it does."""
        return self.issued.holder or self.recorded_by.person

    @property
    def approved(self) -> bool:
        """Whether nobody has to approve it any more."""
        return self.approval is not None or isinstance(self.issued, KeyIssued)

    def approve(self, approved: KeyApproved, context: Context) -> KeyApproved:
        """Approves a key that another administrator asked for: from now on it opens what its role may see."""
        if self.revocation is not None:
            raise RuleBroken("key-already-revoked", "This key was taken back before.")
        if self.approved:
            raise RuleBroken("key-already-approved", "This key needs no approval any more.")
        if context.actor.may_be(self.recorded_by.people):
            raise RuleBroken(
                "key-approver-is-requester", "A second administrator approves what the first one asked for."
            )
        return approved

    @evolves(KeyApproved)
    def _approved(self, entry: Entry[KeyApproved]) -> None:
        self.approval = entry

    def revoke(self, revoked: KeyRevoked, context: Context) -> KeyRevoked:  # noqa: ARG002
        """Takes a key back: within moments it opens nothing any more."""
        guards.reason_given(revoked.reason, "A revocation")
        if self.revocation is not None:
            raise RuleBroken("key-already-revoked", "This key was taken back before.")
        return revoked

    @evolves(KeyRevoked)
    def _revoked(self, entry: Entry[KeyRevoked]) -> None:
        self.revocation = entry


def issue_key(proposed: KeyIssued, context: Context) -> Key:
    """Give out a key, or ask for one in a role that one does not have; only the hash of its secret is recorded."""
    now = context.clock.now()
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
    must_expire(proposed.expires_at, now)
    if proposed.holder is not None and proposed.holder.lower().startswith(RESERVED):
        raise InvalidInput(
            "key-holder-reserved",
            "A key is held by a person, and not by a key or a policy.",
            pointer="/holder",
        )
    held = msgspec.structs.replace(proposed, holder=proposed.holder or context.actor.person)
    return held if proposed.role is context.actor.role else KeyRequested(**msgspec.structs.asdict(held))
