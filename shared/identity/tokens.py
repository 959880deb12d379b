"""Bearer tokens: what a JWT must carry to name an actor, whoever holds the keys it is verified with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

import jwt
import msgspec

from shared.clock import Clock
from shared.identity.actor import Actor, Role
from shared.identity.keys import RESERVED, credentials_refused

LEEWAY = 10.0
"""Seconds by which the clock of whoever issued a token may run ahead of ours or behind it."""
LONGEST_TOKEN = 16_384
LONGEST_NAME = 255
OUR_ROLES: Final[Mapping[str, Role]] = MappingProxyType(
    {str(role): role for role in Role if role is not Role.SYSTEM}
)
MOST_ROLES = 200
"""Names that are looked at in a list of roles: a provider may give every group somebody is in."""
_SIGNATURE_ONLY: jwt.types.Options = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "require": ["exp"],
    "enforce_minimum_key_length": True,
}


class Claims(msgspec.Struct, frozen=True):
    """Where in a token the identity provider says who somebody is, each as the path to a claim.

    A path is the name of a claim, or names with dots between them where one lies inside another. What is found there is
    a text, or a list of texts of which one counts. `roles` says which role is meant by which of the provider's names;
    without it ours are meant by their own.
    """

    subject: str = "sub"
    role: str = "role"
    organization: str = "organization"
    roles: Mapping[str, Role] = OUR_ROLES

    def read(self, claims: Mapping[str, object]) -> Actor:
        """The actor that a token names; `Unauthenticated` where it names none, or more than one."""
        found = {self.roles[name] for name in _texts(_at(claims, self.role)) if name in self.roles}
        if len(found) != 1:
            raise credentials_refused()
        return Actor(
            subject=_subject(_only(_at(claims, self.subject))),
            organization=_name(_only(_at(claims, self.organization))),
            role=found.pop(),
        )


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
    """Verifies JWTs: signature, issuer, audience, time, and the claims that make an actor.

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
        claims: Claims | None = None,
    ) -> None:
        self._keys = keys
        self._claims = claims or Claims()
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
        return VerifiedToken(self._claims.read(claims), expires_at, key)


def _at(claims: Mapping[str, object], path: str) -> object:
    """What is at the end of a path; a claim whose own name has dots in it is found as well."""
    if path in claims:
        return claims[path]
    found: object = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _texts(claim: object) -> list[str]:
    """The texts of a claim that is one or a list of them."""
    given = claim if isinstance(claim, list) else [claim]
    return [one for one in given[:MOST_ROLES] if isinstance(one, str)]


def _only(claim: object) -> object:
    """The one there is, of a claim that may be a list."""
    return claim[0] if isinstance(claim, list) and len(claim) == 1 else claim


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
