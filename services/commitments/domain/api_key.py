"""An API key on record: for whom it acts, until when, and whether it was taken back; never its secret."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.commitments.domain import guards
from shared.errors import InvalidInput, RuleBroken
from shared.eventlog.envelope import Recorded
from shared.events.facts import Event
from shared.events.identity import KeyIssued, KeyRevoked
from shared.identity.actor import Role
from shared.identity.caller import SCOPES

LONGEST_LIFE: Final = timedelta(days=366)
"""A key that nobody has asked for again in a year is a key that nobody watches."""


class ApiKey:
    """One key, folded from its events."""

    __slots__ = (
        "id",
        "issued",
        "issued_at",
        "issued_position",
        "key_id",
        "position",
        "revocation",
        "revoked_at",
        "version",
    )

    def __init__(self, event: KeyIssued, recorded: Recorded) -> None:
        self.id: UUID = recorded.stream_id
        self.version = recorded.version
        self.position = self.issued_position = recorded.position
        self.key_id = event.key_id
        self.issued = event
        self.issued_at = recorded.recorded_at
        self.revocation: KeyRevoked | None = None
        self.revoked_at: datetime | None = None

    @classmethod
    def begin(cls, recorded: Recorded) -> ApiKey | None:
        """The key that the first event of a stream tells of, if it tells of one."""
        event = recorded.data
        return cls(event, recorded) if isinstance(event, KeyIssued) else None

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event."""
        self.version = recorded.version
        self.position = recorded.position
        if isinstance(recorded.data, KeyRevoked):
            self.revocation = recorded.data
            self.revoked_at = recorded.recorded_at

    def revoke(self, reason: str) -> list[Event]:
        """Take the key back, once."""
        guards.reason_given(reason, "A revocation")
        if self.revocation is not None:
            raise RuleBroken("key-already-revoked", "This key was taken back before.")
        return [KeyRevoked(key_id=self.key_id, reason=reason)]


def issue_key(
    key_id: str,
    secret_sha256: str,
    *,
    role: Role,
    organization: str,
    scopes: Collection[str],
    expires_at: datetime,
    now: datetime,
    description: str | None = None,
) -> list[Event]:
    """Give out a key; only the hash of its secret is recorded."""
    if role is Role.SYSTEM:
        raise InvalidInput(
            "key-role-reserved", "Nobody holds a key to act as the system itself.", pointer="/role"
        )
    if not scopes or not SCOPES.issuperset(scopes):
        raise InvalidInput(
            "key-scopes-unknown",
            f"A key has at least one scope, of {', '.join(sorted(SCOPES))}.",
            pointer="/scopes",
        )
    if not now < expires_at <= now + LONGEST_LIFE:
        raise InvalidInput(
            "key-lifetime",
            f"A key expires after now and within {LONGEST_LIFE.days} days.",
            pointer="/expires_at",
        )
    return [
        KeyIssued(
            key_id=key_id,
            secret_sha256=secret_sha256,
            role=role,
            organization=organization,
            scopes=tuple(sorted(set(scopes))),
            expires_at=expires_at,
            description=description,
        )
    ]
