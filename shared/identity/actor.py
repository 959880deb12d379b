"""Who acts: the part of an identity that is written into every event."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Role(StrEnum):
    """What an actor is to the delivery unit; `docs/access.md` says what each may do."""

    DCI = "dci"
    MINISTRY = "ministry"
    DIPRES = "dipres"
    ADVISORY = "advisory"
    AUDITOR = "auditor"
    ADMIN = "admin"
    SYSTEM = "system"
    """A policy of our own acting on a recorded decision; no token carries it."""


class Actor(msgspec.Struct, frozen=True):
    """A person or a system that acts, by subject id only: names live elsewhere, where they can be erased."""

    subject: str
    organization: str
    role: Role
