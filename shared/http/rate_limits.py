"""How often somebody may ask: a bucket of tokens for each caller, and for each address that shows no credentials.

A bucket holds a minute's quota and is filled again evenly: a burst is answered, a stream is slowed down. It is kept in
this process; what a proxy limits, it limits for all of them.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from ipaddress import IPv6Address, ip_address
from typing import Final, NamedTuple

from starlette.types import Scope

from shared.http.problems import RequestProblemError
from shared.identity.actor import Actor

WINDOW: Final = 60.0
"""Seconds in which an empty bucket fills."""
MOST_BUCKETS: Final = 100_000
"""Buckets that are remembered, the last used of them; a forgotten one counts as full."""
NETWORK: Final = 64
"""Bits of an address of IPv6 that are one customer's network."""


class Taken(NamedTuple):
    """What came of asking for a token: how many are left, and the seconds until there is one, and until all are."""

    granted: bool
    left: int
    next_after: float
    full_after: float


class Buckets:
    """Buckets of `quota` tokens, by name.

    Of each is kept only the instant at which it will be full, which says the same as its tokens.
    """

    def __init__(
        self, quota: int, *, most: int = MOST_BUCKETS, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.quota = quota
        self._each = WINDOW / quota
        self._most = most
        self._now = monotonic
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, name: str) -> Taken:
        """Take a token out of a bucket, if there is one."""
        now = self._now()
        full_at = max(self._full_at.get(name, now), now)
        wanted = full_at + self._each
        missing = wanted - now - WINDOW
        if missing > 0:
            return Taken(False, 0, missing, full_at - now)
        self._full_at[name] = wanted
        self._full_at.move_to_end(name)
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)
        return Taken(True, int(-missing / self._each), 0, wanted - now)


class RateLimits:
    """The limits of a service; where a quota is none, nobody is limited by it."""

    def __init__(self, caller: int, address: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._buckets = {
            name: Buckets(quota, monotonic=monotonic)
            for name, quota in (("caller", caller), ("address", address))
            if quota
        }

    def take(self, actor: Actor | None, scope: Scope) -> Mapping[str, str]:
        """The headers that tell how things stand; refused when this caller has asked too often.

        Somebody without credentials, or with some that do not hold, is known by their address.
        """
        policy, who = ("caller", actor.subject) if actor is not None else ("address", address_of(scope))
        buckets = self._buckets.get(policy)
        if buckets is None:
            return {}
        taken = buckets.take(who)
        # As in the draft of the IETF's working group on HTTP APIs (ratelimit-headers-10).
        headers = {
            "RateLimit-Policy": f'"{policy}";q={buckets.quota};w={WINDOW:.0f}',
            "RateLimit": f'"{policy}";r={taken.left};t={math.ceil(taken.full_after)}',
        }
        if not taken.granted:
            wait = math.ceil(taken.next_after)
            raise RequestProblemError(
                "too-many-requests",
                f"More than {buckets.quota} requests a minute: the next one is taken in {wait} s.",
                headers={"Retry-After": str(wait), **headers},
            )
        return headers


def address_of(scope: Scope) -> str:
    """From where somebody asks, as the server or a trusted proxy says it; of IPv6, the network."""
    client = scope.get("client")
    text = client[0] if client else ""
    try:
        address = ip_address(text)
    except ValueError:
        return str(text)
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else str(int(address) >> (128 - NETWORK))
    return str(address)
