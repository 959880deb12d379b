"""Who is asking: a JWT in the Authorization header, verified once and remembered until it expires."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from typing import Annotated, NamedTuple

import jwt
from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shared.events.vocabulary import Visibility
from shared.identity.actor import Role

ALGORITHM = "HS256"
REMEMBERED = 10_000

bearer = HTTPBearer(auto_error=False)


class User(NamedTuple):
    """Who acts."""

    subject: str
    organization: str
    role: Role


class Tokens:
    """Verifies tokens, each once."""

    def __init__(self, secret: bytes, issuer: str, audience: str) -> None:
        self._secret = secret
        self._issuer = issuer
        self._audience = audience
        self._known: OrderedDict[bytes, tuple[User, float]] = OrderedDict()

    def user(self, token: str) -> User:
        """The user a token names, or a 401."""
        digest = hashlib.sha256(token.encode()).digest()
        known = self._known.get(digest)
        if known is not None and known[1] > time.time():
            self._known.move_to_end(digest)
            return known[0]
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                audience=self._audience,
                options={"require": ["exp", "sub"]},
            )
            user = User(claims["sub"], claims["organization"], Role(claims["role"]))
        except (jwt.PyJWTError, KeyError, ValueError) as error:
            raise unauthenticated() from error
        self._known[digest] = (user, float(claims["exp"]))
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return user


def unauthenticated() -> HTTPException:
    """The answer to nobody we know."""
    return HTTPException(401, "credentials are missing or not valid", {"WWW-Authenticate": "Bearer"})


async def current_user(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> User:
    """The user who asks, or a 401."""
    if credentials is None:
        raise unauthenticated()
    tokens: Tokens = request.app.state.tokens
    return tokens.user(credentials.credentials)


CurrentUser = Annotated[User, Depends(current_user)]


async def delivery_unit(user: CurrentUser) -> User:
    """The user who asks, if of the delivery unit; else a 403."""
    if user.role is not Role.DCI:
        raise HTTPException(403, "only the delivery unit may do this")
    return user


DeliveryUnit = Annotated[User, Depends(delivery_unit)]


def may_see(user: User, visibility: str, organizations: list[str]) -> bool:
    """Whether a commitment of this visibility, led or shared by these organisations, is the user's to see."""
    if visibility != Visibility.RESERVED or user.role is not Role.MINISTRY:
        return True
    return user.organization in organizations
