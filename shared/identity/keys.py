"""API keys for scripts: `bk_<key id>_<secret>`, known to us only by the SHA-256 of a 256-bit secret."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared.errors import InvalidInput, Unauthenticated
from shared.events.facts import Event
from shared.events.identity import Key, KeyApproved, KeyIssued, KeyRevoked
from shared.identity.actor import Actor
from shared.identity.caller import Caller

PREFIX = "bk_"
CALENDAR_PREFIX = "bc_"
"""How the secret begins that stands in the address of a calendar."""
KEY_SUBJECT = "key"
RESERVED = (f"{KEY_SUBJECT}:", "policy:", "application:")
"""Beginnings of the names under which keys and our own policies are on record: no person is called so."""
LONGEST_KEY = 200
_NO_SECRET = "0" * 64


LONGEST_LIFE: Final = timedelta(days=366)
"""A key that nobody has asked for again in a year is a key that nobody watches."""


def must_expire(expires_at: datetime, now: datetime) -> None:
    """InvalidInput for the end of a key that has passed, or is too far away."""
    if not now < expires_at <= now + LONGEST_LIFE:
        raise InvalidInput(
            "key-lifetime",
            f"A key expires after now and within {LONGEST_LIFE.days} days.",
            pointer="/expires_at",
        )


class NewKey(msgspec.Struct, frozen=True):
    """A key as its holder sees it, once, and what the log keeps of it."""

    presented: str
    key_id: str
    secret_sha256: str


def generate_key(prefix: str = PREFIX) -> NewKey:
    """A fresh key; `presented` is shown to its holder and never stored."""
    key_id = secrets.token_hex(6)
    secret = secrets.token_hex(32)
    return NewKey(f"{prefix}{key_id}_{secret}", key_id, _hashed(secret))


def parts_of(presented: str, prefix: str) -> tuple[str, str]:
    """The id of a key and its secret, as far as what was presented has them."""
    key_id, _, secret = presented.removeprefix(prefix)[:LONGEST_KEY].partition("_")
    return key_id, secret


def is_secret(presented: str, sha256: str | None) -> bool:
    """Whether it is the secret with that hash; None takes as long, and is of no secret."""
    return hmac.compare_digest(_hashed(presented), sha256 or _NO_SECRET)


_Known = tuple[str, Caller, datetime]
"""The hash of a key's secret, who calls with it, and until when."""


class KeyDirectory:
    """The keys in force, as the log tells it: feed it every event of identity with `apply`, in order."""

    def __init__(self) -> None:
        self._keys: dict[str, _Known] = {}
        self._requested: dict[str, _Known] = {}
        self._actors: dict[str, Actor] = {}

    def apply(self, event: Event, recorded_by: Actor | None = None) -> None:
        """Takes note of what happened to a key; any other event changes nothing.

        A key of which no holder was recorded is held by whoever issued it. Of a key that another key asked for, those
        who were told the secret of the first know the second.
        """
        if isinstance(event, Key):
            # What old keys did names their holder only: what they are known by is looked up.
            asker = None if recorded_by is None else self._actors.get(recorded_by.subject, recorded_by)
            holder = event.holder or (None if asker is None else asker.person)
            others = () if asker is None else tuple(sorted(asker.people - {holder}))
            actor = Actor(f"{KEY_SUBJECT}:{event.key_id}", event.organization, event.role, holder, others)
            self._actors[actor.subject] = actor
            known = (event.secret_sha256, Caller(actor, frozenset(event.scopes)), event.expires_at)
            (self._keys if isinstance(event, KeyIssued) else self._requested)[event.key_id] = known
        elif isinstance(event, KeyApproved) and event.key_id in self._requested:
            self._keys[event.key_id] = self._requested.pop(event.key_id)
        elif isinstance(event, KeyRevoked):
            self._keys.pop(event.key_id, None)
            self._requested.pop(event.key_id, None)

    def clear(self) -> None:
        """Forgets all of them, to be told anew."""
        self._keys.clear()
        self._requested.clear()
        self._actors.clear()

    def authenticate(self, presented: str, now: datetime) -> Caller:
        """The holder of a key in force.

        An unknown, wrong, expired or revoked key raises the same `Unauthenticated`, after the same work.
        """
        key_id, secret = parts_of(presented, PREFIX)
        known = self._keys.get(key_id)
        matches = is_secret(secret, known[0] if known else None)
        if known is None or not matches or now >= known[2]:
            raise credentials_refused()
        return known[1]


def credentials_refused() -> Unauthenticated:
    """The one answer to credentials that do not hold, whatever is wrong with them."""
    return Unauthenticated("credentials-invalid", "The credentials presented are not valid, or no longer so.")


def _hashed(secret: str) -> str:
    # A plain hash is enough for a secret of 256 random bits: there is no dictionary to try.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
