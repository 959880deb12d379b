"""The identity provider's public keys, fetched without ever holding up the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import msgspec
import structlog

from shared.errors import Unavailable

ASYMMETRIC = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
LARGEST_ANSWER = 256 * 1024
"""Bytes of a key set; what is more is not read."""
MOST_KEYS = 100

_log = structlog.get_logger(__name__)


class PublishedKeys:
    """The keys at a JWKS URL: kept for `lifetime` seconds, asked for again on an unknown key id.

    The provider is asked at most once every `patience` seconds, however many unknown ids arrive, and has `timeout`
    seconds for the whole of its answer. When it does not answer, keys already known go on being used; a token with any
    other key id is answered `Unavailable`. A key that is no longer published verifies nothing more.
    """

    algorithms = ASYMMETRIC

    def __init__(
        self,
        url: str,
        *,
        lifetime: float = 600,
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
        self._published: dict[str | None, dict[str, Any]] = {}
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

    def in_force(self, key: jwt.PyJWK) -> bool:
        """Whether it is published still, as far as is known; False once the provider is due to be asked again."""
        if self._keys.get(key.key_id) is not key:
            return False
        now = self._now()
        return now - self._fetched_at < self._lifetime or now - self._asked_at < self._patience

    def _find(self, kid: str | None) -> jwt.PyJWK | None:
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid)

    async def _fetch(self) -> None:
        self._asked_at = self._now()
        self._answered = False
        try:
            async with asyncio.timeout(self._timeout):
                published = _key_set(await self._read())
        except (httpx.HTTPError, msgspec.DecodeError, ValueError, TimeoutError, RecursionError) as error:
            _log.warning("jwks_not_fetched", url=self._url, error=type(error).__name__)
            return
        # A key that is as it was stays the same object, by which the tokens that it verified know it.
        self._keys = {
            kid: self._keys[kid] if self._published.get(kid) == jwk else key
            for kid, (jwk, key) in published.items()
        }
        self._published = {kid: jwk for kid, (jwk, _) in published.items()}
        self._fetched_at = self._now()
        self._answered = True

    async def _read(self) -> bytes:
        # Not compressed: a small answer could become a large one.
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        async with (
            httpx.AsyncClient(timeout=self._timeout, follow_redirects=False) as client,
            client.stream("GET", self._url, headers=headers) as answer,
        ):
            answer.raise_for_status()
            body = bytearray()
            async for part in answer.aiter_raw():
                body += part
                if len(body) > LARGEST_ANSWER:
                    raise ValueError("the answer is too large to be a key set")
        return bytes(body)


class _KeySet(msgspec.Struct):
    keys: list[dict[str, Any]]


def _key_set(body: bytes) -> dict[str | None, tuple[dict[str, Any], jwt.PyJWK]]:
    """The keys of a set that verify signatures, by their ids, each beside what was published of it."""
    found = msgspec.json.decode(body, type=_KeySet).keys
    if not 0 < len(found) <= MOST_KEYS:
        raise ValueError("a key set has some keys, and not very many")
    keys: dict[str | None, tuple[dict[str, Any], jwt.PyJWK]] = {}
    for jwk in found:
        try:
            key = jwt.PyJWK(jwk)
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
            # Of a kind that we do not know; the others hold.
            continue
        # A symmetric key in a public document would let anyone sign.
        usable = key.algorithm_name in ASYMMETRIC and key.public_key_use in {None, "sig"}
        if usable and isinstance(key.key_id, str | None):
            keys[key.key_id] = (jwk, key)
    return keys
