"""Who is asking and with what reach: an actor, and the scopes of the credentials it presented."""

from __future__ import annotations

import msgspec

from shared.identity.actor import Actor

READ = "read"
WRITE = "write"
SCOPES = frozenset({READ, WRITE})


class Caller(msgspec.Struct, frozen=True):
    """An authenticated actor; a token carries every scope, an API key the scopes it was issued with."""

    actor: Actor
    scopes: frozenset[str] = SCOPES
