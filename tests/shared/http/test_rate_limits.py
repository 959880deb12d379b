"""How often somebody may ask: a bucket for each, the same for whoever keeps to it, and told with every answer."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http.rate_limits import WINDOW, Buckets, address_of
from tests.shared.http.test_problems import problem
from tests.support.web import Installation


class Seconds:
    """A clock that is moved on by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@given(
    quota=st.sampled_from([1, 15, 30, 60]),
    pauses=st.lists(st.sampled_from([0, 0, 0, 0.25, 1, 2, 7.5, 60, 600]), max_size=120),
)
def test_a_bucket_gives_what_has_dropped_into_it_and_never_more_than_it_holds(
    quota: int, pauses: list[float]
) -> None:
    seconds = Seconds()
    buckets = Buckets(quota, monotonic=seconds)
    tokens = Fraction(quota)
    for pause in pauses:
        seconds.now += pause
        tokens = min(Fraction(quota), tokens + Fraction(pause) * quota / int(WINDOW))
        taken = buckets.take("a")
        assert taken.granted == (tokens >= 1)
        if taken.granted:
            tokens -= 1
            assert taken.left == int(tokens)
        else:
            assert taken.next_after == (1 - tokens) * int(WINDOW) / quota
        assert taken.full_after == (quota - tokens) * int(WINDOW) / quota


def test_buckets_that_nobody_used_for_longest_are_forgotten() -> None:
    buckets = Buckets(1, most=2, monotonic=Seconds())
    assert [buckets.take(name).granted for name in ("a", "b", "a", "c", "c", "b")] == [
        True,
        True,
        False,
        True,
        False,
        False,
    ]
    assert buckets.take("a").granted, "it was forgotten, and counts as full"


async def test_each_caller_and_each_address_has_its_own_quota_and_is_told_of_it(tmp_path: Path) -> None:
    installation = Installation(tmp_path, requests_per_minute_of_caller=3, requests_per_minute_of_address=2)
    async with installation.client() as client:

        async def ask(path: str = "/v1/things?limit=1", **headers: str) -> httpx.Response:
            return await client.get(path, headers=headers)

        ana, leo = (installation.token(subject=name) for name in ("ana", "leo"))
        first = await ask(**ana)
        assert first.headers["ratelimit-policy"] == '"caller";q=3;w=60'
        assert first.headers["ratelimit"] == '"caller";r=2;t=20'
        assert [(await ask(**ana)).status_code for _ in range(3)] == [200, 200, 429]
        refused = await ask("/v1/things/7", **ana)
        problem(refused, 429, "too-many-requests")
        assert 1 <= int(refused.headers["retry-after"]) <= 20
        assert refused.headers.get_list("ratelimit")[0].startswith('"caller";r=0;t=')
        assert len(refused.headers.get_list("ratelimit")) == 1
        assert (await ask(**leo)).status_code == 200
        # Without credentials it goes by the address, and whoever guesses is without.
        assert (await ask()).headers["ratelimit-policy"] == '"address";q=2;w=60'
        assert (await ask(Authorization="Bearer a.b.c")).status_code == 401
        assert [(await ask()).status_code, (await ask(X_Api_Key="bk_a_b")).status_code] == [429, 429]
        assert (await ask(**leo)).status_code == 200
        assert (await ask("/health/live")).status_code == 200


async def test_who_tries_paths_and_methods_that_there_are_not_is_limited_as_well(tmp_path: Path) -> None:
    async with Installation(tmp_path, requests_per_minute_of_address=4).client() as client:
        tried = [
            await client.request(method, path)
            for method, path in (
                ("GET", "/wp-login.php"),
                ("POST", "/v1/nothing"),
                ("DELETE", "/v1/things"),
                ("GET", "/v1/things?limit=1"),
            )
        ]
        assert [answer.status_code for answer in tried] == [404, 404, 405, 200]
        assert tried[0].headers["ratelimit"] == '"address";r=3;t=15'
        for path in ("/wp-login.php", "/v1/nothing", "/v1/things?limit=1"):
            problem(await client.get(path), 429, "too-many-requests")
        assert (await client.get("/health/ready")).status_code == 200


async def test_in_development_nobody_is_limited_and_in_production_everybody(tmp_path: Path) -> None:
    async with Installation(tmp_path).client() as client:
        assert "ratelimit" not in (await client.get("/v1/things?limit=1")).headers
    provider: dict[str, Any] = {"oidc_issuer": "https://id.test", "oidc_jwks_url": "https://id.test/jwks"}
    async with Installation(tmp_path, environment="production", **provider).client() as client:
        answer = await client.get("/v1/things?limit=1")
    assert answer.headers["ratelimit-policy"] == '"address";q=600;w=60'


@pytest.mark.parametrize(
    ("client", "one"),
    [
        (("203.0.113.7", 1), ("203.0.113.7", 2)),
        (("2001:db8:1:2::7", 1), ("2001:db8:1:2:ffff::1", 1)),
        (("::ffff:203.0.113.7", 1), ("203.0.113.7", 1)),
        (None, ("", 0)),
    ],
)
def test_a_network_of_one_customer_is_one_address(
    client: tuple[str, int] | None, one: tuple[str, int]
) -> None:
    assert address_of({"client": client}) == address_of({"client": one})
    assert address_of({"client": one}) != address_of({"client": ("2001:db8:1:3::7", 1)})
