"""The published language of identity: who was given a key, and whose key was taken away.

Only the SHA-256 of a key's 256-bit random secret is recorded, so the log can be read by auditors and every process can
verify a key by following the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from shared.events.facts import Event
from shared.events.types import (
    Instant,
    Line,
    OrganizationCode,
    Reason,
    Word,
)
from shared.identity.actor import Role


class KeyIssued(Event, frozen=True, kw_only=True):
    """An API key was given to a script or a system, acting as `role` for `organization`, within `scopes`."""

    TYPE: ClassVar[str] = "identity.key_issued"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "role": "dipres",
        "organization": "DIPRES",
        "scopes": ["read"],
        "expires_at": "2027-06-30T12:00:00Z",
        "description": "Nightly reading of decisions",
    }

    key_id: Word
    secret_sha256: Word
    role: Role
    organization: Annotated[OrganizationCode, Field(examples=["DIPRES"])]
    scopes: tuple[Word, ...]
    expires_at: Annotated[Instant, Field(description="After now, and within a year.")]
    description: Annotated[
        Line | None, Field(description="What it is for; no secrets, no people's names.")
    ] = None


class KeyRevoked(Event, frozen=True, kw_only=True):
    """An API key stopped being valid before its time."""

    TYPE: ClassVar[str] = "identity.key_revoked"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"reason": "The script is no longer run."}

    key_id: Word
    reason: Reason


EVENTS: tuple[type[Event], ...] = (KeyIssued, KeyRevoked)
