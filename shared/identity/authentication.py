"""From the headers of a request to the caller they name."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping

from shared.clock import Clock
from shared.errors import Unauthenticated
from shared.identity.actor import Actor
from shared.identity.caller import Caller
from shared.identity.keys import PREFIX, KeyDirectory, credentials_refused
from shared.identity.tokens import TokenVerifier, VerifiedToken

LONGEST_REMEMBERED = 4096
"""Bytes of a header that is remembered; a longer one is verified each time."""


class Authenticator:
    """Knows a caller by a bearer token or by an API key, and remembers the tokens it has verified.

    A remembered token costs one look-up; its expiry is checked each time, and whether the key that signed it is in
    force. API keys are not remembered here, so that a revocation holds from the moment the directory learns of it; nor
    is what a caller's organisation inherited (`heritage`).
    """

    def __init__(
        self,
        verifier: TokenVerifier,
        keys: KeyDirectory,
        clock: Clock,
        *,
        heritage: Callable[[Actor], Actor] = lambda actor: actor,
        remembered: int = 10_000,
    ) -> None:
        self._verifier = verifier
        self._keys = keys
        self._clock = clock
        self._heritage = heritage
        self._most = remembered
        self._known: OrderedDict[bytes, tuple[Caller, VerifiedToken]] = OrderedDict()

    async def authenticate(self, headers: Mapping[bytes, bytes]) -> Caller | None:
        """The caller, or None when no credentials are presented; `Unauthenticated` when they do not hold."""
        caller = await self._caller(headers)
        if caller is None or (actor := self._heritage(caller.actor)) is caller.actor:
            return caller
        return Caller(actor, caller.scopes)

    async def _caller(self, headers: Mapping[bytes, bytes]) -> Caller | None:
        authorization = headers.get(b"authorization")
        api_key = headers.get(b"x-api-key")
        if authorization is None:
            return None if api_key is None else self._by_key(api_key)
        if api_key is not None:
            raise credentials_refused()
        known = self._known.get(authorization)
        if known is not None:
            if self._verifier.still_holds(known[1]):
                self._known.move_to_end(authorization)
                return known[0]
            del self._known[authorization]
        scheme, _, credentials = authorization.partition(b" ")
        credentials = credentials.strip()
        if scheme.lower() != b"bearer" or not credentials:
            raise Unauthenticated(
                "credentials-invalid", "Write the header as 'Authorization: Bearer <token>', Bearer included."
            )
        if credentials.startswith(PREFIX.encode()):
            return self._by_key(credentials)
        token = await self._verifier.verify(credentials.decode("latin-1"))
        caller = Caller(token.actor)
        if len(authorization) <= LONGEST_REMEMBERED:
            self._known[authorization] = (caller, token)
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        return caller

    def _by_key(self, presented: bytes) -> Caller:
        if not presented.startswith(PREFIX.encode()):
            raise credentials_refused()
        return self._keys.authenticate(presented.decode("latin-1"), self._clock.now())
