"""The identity provider's public keys, fetched without ever holding up the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import httpx
import jwt
import structlog

from shared.errors import Unavailable

ASYMMETRIC = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
LARGEST_ANSWER = 1_000_000

_log = structlog.get_logger(__name__)


class PublishedKeys:
    """The keys at a JWKS URL: kept for `lifetime` seconds, asked for again on an unknown key id.

    The provider is asked at most once every `patience` seconds, however many unknown ids arrive. When it does
    not answer, keys already known go on being used; a token with any other key id is answered `Unavailable`.
    """

    algorithms = ASYMMETRIC

    def __init__(
        self,
        url: str,
        *,
        lifetime: float = 3600,
        patience: float = 30,
        timeout: float = 5,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._lifetime = lifetime
        self._patience = patience
        self._timeout = timeout
        self._now = monotonic
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._fetched_at = -float("inf")
        self._asked_at = -float("inf")
        self._answered = False
        self._asking = asyncio.Lock()

    async def key_for(self, kid: str | None) -> jwt.PyJWK | None:
        """The key of that id; without an id, the only key there is."""
        key = self._find(kid)
        if key is not None and self._now() - self._fetched_at < self._lifetime:
            return key
        async with self._asking:
            # Whoever held the lock before us may have brought the key.
            if self._now() - self._asked_at >= self._patience:
                await self._fetch()
        key = self._find(kid)
        if key is None and not self._answered:
            raise Unavailable(
                "identity-provider-unavailable",
                "The identity provider does not answer, so the token cannot be verified now.",
                retry_after=max(1, int(self._patience)),
            )
        return key

    def _find(self, kid: str | None) -> jwt.PyJWK | None:
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid)

    async def _fetch(self) -> None:
        self._asked_at = self._now()
        self._answered = False
        try:
            async with httpx.AsyncClient(timeout=self._timeout, follow_redirects=False) as client:
                answer = await client.get(self._url, headers={"Accept": "application/json"})
            answer.raise_for_status()
            if len(answer.content) > LARGEST_ANSWER:
                raise ValueError("the answer is too large to be a key set")
            keys = jwt.PyJWKSet.from_dict(answer.json())
        except (httpx.HTTPError, jwt.PyJWTError, ValueError, TypeError, AttributeError) as error:
            _log.warning("jwks_not_fetched", url=self._url, error=type(error).__name__)
            return
        # A symmetric key in a public document would let anyone sign.
        self._keys = {
            key.key_id: key
            for key in keys
            if key.algorithm_name in ASYMMETRIC and key.public_key_use in {None, "sig"}
        }
        self._fetched_at = self._now()
        self._answered = True
