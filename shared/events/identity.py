"""The published language of identity: who was given a key, or asked for one, and whose key was taken away.

A calendar key is one that stands in the address of a calendar, and opens that calendar alone.

Only the SHA-256 of a key's 256-bit random secret is recorded, so the log can be read by auditors and every process can
verify a key by following the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from shared.events.facts import Event
from shared.events.types import (
    BodyCode,
    Instant,
    Line,
    OrganizationCode,
    PersonId,
    Reason,
    Word,
)
from shared.identity.actor import Role


class Key(Event, frozen=True, kw_only=True):
    """What is known of an API key: for whom it acts, within which scopes, until when, and who answers for it."""

    key_id: Word
    secret_sha256: Word
    role: Role
    organization: Annotated[OrganizationCode, Field(examples=["DIPRES"])]
    scopes: tuple[Word, ...]
    expires_at: Annotated[Instant, Field(description="After now, and within a year.")]
    description: Annotated[
        Line | None, Field(description="What it is for; no secrets, no people's names.")
    ] = None
    holder: Annotated[
        PersonId | None,
        Field(
            description="The subject id of the person who answers for what it does: the key counts as that person, "
            "and as whoever asked for it, wherever two people are needed. Whoever asks for it, where nobody is named.",
            examples=["u-2041"],
        ),
    ] = None


class KeyIssued(Key, frozen=True, kw_only=True):
    """An API key was given to a script or a system, acting as `role` for `organization`, within `scopes`."""

    TYPE: ClassVar[str] = "identity.key_issued"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "role": "dipres",
        "organization": "DIPRES",
        "scopes": ["read"],
        "expires_at": "2027-06-30T12:00:00Z",
        "description": "Nightly reading of decisions",
        "holder": "u-2041",
    }


class KeyRequested(Key, frozen=True, kw_only=True):
    """An API key was made for a role that whoever asked does not have: it opens nothing until it is approved."""

    TYPE: ClassVar[str] = "identity.key_requested"


class KeyApproved(Event, frozen=True, kw_only=True):
    """A second administrator approved a key that was requested: from now on it is in force."""

    TYPE: ClassVar[str] = "identity.key_approved"

    key_id: Word


class KeyRevoked(Event, frozen=True, kw_only=True):
    """An API key stopped being valid before its time."""

    TYPE: ClassVar[str] = "identity.key_revoked"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"reason": "The script is no longer run."}

    key_id: Word
    reason: Reason


class CalendarKeyIssued(Event, frozen=True, kw_only=True):
    """The calendar of a body was given an address that opens it, as far as whoever asked for it may know of it."""

    TYPE: ClassVar[str] = "identity.calendar_key_issued"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "expires_at": "2027-06-30T12:00:00Z",
        "description": "The calendar of the office",
    }

    key_id: Word
    secret_sha256: Word
    body: Annotated[BodyCode, Field(examples=["SOCIAL"])]
    expires_at: Annotated[Instant, Field(description="After now, and within a year.")]
    description: Annotated[
        Line | None, Field(description="What it is for; no secrets, no people's names.")
    ] = None


class CalendarKeyRevoked(Event, frozen=True, kw_only=True):
    """An address opens its calendar no more."""

    TYPE: ClassVar[str] = "identity.calendar_key_revoked"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"reason": "The telephone was lost."}

    key_id: Word
    reason: Reason


EVENTS: tuple[type[Event], ...] = (
    KeyIssued,
    KeyRequested,
    KeyApproved,
    KeyRevoked,
    CalendarKeyIssued,
    CalendarKeyRevoked,
)
