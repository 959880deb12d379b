"""Bearer tokens: what a JWT must carry to name an actor, whoever holds the keys it is verified with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

import jwt
import msgspec

from shared.clock import Clock
from shared.identity.actor import Actor, Role
from shared.identity.keys import RESERVED, credentials_refused

LEEWAY = 10.0
"""Seconds by which the clock of whoever issued a token may run ahead of ours or behind it."""
LONGEST_TOKEN = 16_384
LONGEST_NAME = 255
_ROLES = frozenset(str(role) for role in Role if role is not Role.SYSTEM)
_SIGNATURE_ONLY: jwt.types.Options = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "require": ["exp", "sub"],
    "enforce_minimum_key_length": True,
}


class SigningKeys(Protocol):
    """Where the keys that sign tokens are found."""

    @property
    def algorithms(self) -> frozenset[str]:
        """The signature algorithms accepted; a token asking for another is refused."""

    async def key_for(self, kid: str | None) -> jwt.PyJWK | None:
        """The key of that id, or None; `Unavailable` when the keys cannot be had now."""

    def in_force(self, key: jwt.PyJWK) -> bool:
        """Whether a key that was given out before still holds; False as well when that has to be asked anew."""


class VerifiedToken(msgspec.Struct, frozen=True):
    """The actor a token names, until `expires_at` (seconds since the epoch), as long as its key is in force."""

    actor: Actor
    expires_at: float
    key: jwt.PyJWK


class TokenVerifier:
    """Verifies JWTs: signature, issuer, audience, time, and the three claims that make an actor.

    A token that is valid for more than `longest` seconds from now is refused: nobody can take it back.
    """

    def __init__(
        self,
        keys: SigningKeys,
        *,
        issuer: str,
        audience: str,
        clock: Clock,
        longest: float = math.inf,
    ) -> None:
        self._keys = keys
        self._longest = longest
        self._issuer = issuer
        self._audience = audience
        self._clock = clock

    async def verify(self, token: str) -> VerifiedToken:
        """The actor named by a token; raises `Unauthenticated`, or `Unavailable` when no keys can be had."""
        if len(token) > LONGEST_TOKEN:
            raise credentials_refused()
        algorithm, kid = _header(token)
        if algorithm not in self._keys.algorithms:
            raise credentials_refused()
        key = await self._keys.key_for(kid)
        if key is None:
            raise credentials_refused()
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer,
                options=_SIGNATURE_ONLY,
            )
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise credentials_refused() from error
        return self._read(claims, key)

    def still_holds(self, token: VerifiedToken) -> bool:
        """Whether a token verified before needs no second look; it has not expired, and its key is in force."""
        return self._clock.now().timestamp() < token.expires_at and self._keys.in_force(token.key)

    def _read(self, claims: Mapping[str, object], key: jwt.PyJWK) -> VerifiedToken:
        # The instants are checked here and not by the library, so that there is one clock.
        now = self._clock.now().timestamp()
        expires_at = _instant(claims.get("exp")) + LEEWAY
        if (
            not now < expires_at <= now + self._longest + 2 * LEEWAY
            or _instant(claims.get("nbf", 0)) > now + LEEWAY
        ):
            raise credentials_refused()
        role = claims.get("role")
        if not isinstance(role, str) or role not in _ROLES:
            raise credentials_refused()
        actor = Actor(
            subject=_subject(claims.get("sub")),
            organization=_name(claims.get("organization")),
            role=Role(role),
        )
        return VerifiedToken(actor, expires_at, key)


def _header(token: str) -> tuple[str, str | None]:
    """The algorithm and the key id that a token claims: texts, whatever else its header holds."""
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.InvalidTokenError, RecursionError) as error:
        raise credentials_refused() from error
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or not isinstance(kid, str | None):
        raise credentials_refused()
    return algorithm, kid


def _subject(claim: object) -> str:
    subject = _name(claim)
    if subject.lower().startswith(RESERVED):
        raise credentials_refused()
    return subject


def _instant(claim: object) -> float:
    if isinstance(claim, bool) or not isinstance(claim, int | float) or not math.isfinite(claim):
        raise credentials_refused()
    return float(claim)


def _name(claim: object) -> str:
    if not isinstance(claim, str) or not claim.isprintable() or not 0 < len(claim) <= LONGEST_NAME:
        raise credentials_refused()
    return claim
