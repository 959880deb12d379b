"""API keys for scripts: `bk_<key id>_<secret>`, known to us only by the SHA-256 of a 256-bit secret."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime

import msgspec

from shared.errors import Unauthenticated
from shared.events.facts import Event
from shared.events.identity import Key, KeyApproved, KeyIssued, KeyRevoked
from shared.identity.actor import Actor
from shared.identity.caller import Caller

PREFIX = "bk_"
KEY_SUBJECT = "key"
RESERVED = (f"{KEY_SUBJECT}:", "policy:", "application:")
"""Beginnings of the names under which keys and our own policies are on record: no person is called so."""
LONGEST_KEY = 200
_NO_SECRET = "0" * 64


class NewKey(msgspec.Struct, frozen=True):
    """A key as its holder sees it, once, and what the log keeps of it."""

    presented: str
    key_id: str
    secret_sha256: str


def generate_key() -> NewKey:
    """A fresh key; `presented` is shown to its holder and never stored."""
    key_id = secrets.token_hex(6)
    secret = secrets.token_hex(32)
    return NewKey(f"{PREFIX}{key_id}_{secret}", key_id, _hashed(secret))


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
        key_id, _, secret = presented.removeprefix(PREFIX)[:LONGEST_KEY].partition("_")
        known = self._keys.get(key_id)
        expected = known[0] if known else _NO_SECRET
        matches = hmac.compare_digest(_hashed(secret), expected)
        if known is None or not matches or now >= known[2]:
            raise credentials_refused()
        return known[1]


def credentials_refused() -> Unauthenticated:
    """The one answer to credentials that do not hold, whatever is wrong with them."""
    return Unauthenticated("credentials-invalid", "The credentials presented are not valid, or no longer so.")


def _hashed(secret: str) -> str:
    # A plain hash is enough for a secret of 256 random bits: there is no dictionary to try.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
