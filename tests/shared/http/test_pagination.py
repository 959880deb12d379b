"""Lists in pages: every item once, and cursors that cannot be made up."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from shared.errors import InvalidInput
from shared.http.pagination import Key, KeyPosition, decode_cursor, encode_cursor, next_url, page_after
from tests.shared.http.test_problems import problem
from tests.support.web import Installation


def asked(path: str, query: str = "", **scope: object) -> Request:
    """A request as the server would hand it to us."""
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": query.encode(),
            "headers": [(b"host", b"records.gob.test")],
            "scheme": "https",
            **scope,
        }
    )


async def test_following_next_meets_every_item_once_and_ends(installation: Installation) -> None:
    seen: list[str] = []
    url: str | None = "/v1/things?limit=120&kind=a"
    async with installation.client() as client:
        while url:
            page = (await client.get(url)).json()
            seen += [item["id"] for item in page["items"]]
            url = page["next"]
    assert seen == [str(number) for number in range(1, 501)]


async def test_the_limit_is_fifty_unless_said_and_never_more_than_two_hundred(
    installation: Installation,
) -> None:
    async with installation.client() as client:
        for query, count in (("", 50), ("?limit=7", 7), ("?limit=200", 200), ("?limit=9999999999999", 200)):
            assert len((await client.get(f"/v1/things{query}")).json()["items"]) == count
        for wrong in ("0", "-1", "x", "1.5", "", "1" * 5000):
            problem(await client.get(f"/v1/things?limit={wrong}"), 422, "request-invalid")


async def test_a_cursor_goes_on_only_in_the_list_it_was_given_for(installation: Installation) -> None:
    async with installation.client() as client:
        url = (await client.get("/v1/things?limit=2&kind=a&kind=b")).json()["next"]
        cursor = parse_qs(urlsplit(url).query)["cursor"][0]
        assert (await client.get(f"/v1/things?kind=b&limit=9&kind=a&cursor={cursor}")).status_code == 200
        problem(await client.get(f"/v1/things?kind=c&cursor={cursor}"), 422, "cursor-mismatch")
        problem(await client.get(f"/v1/things?cursor={cursor}"), 422, "cursor-mismatch")


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "é", "=" * 8, "A" * 3000, "%00"])
async def test_what_is_no_cursor_of_ours_is_refused(installation: Installation, cursor: str) -> None:
    async with installation.client() as client:
        assert (await client.get(f"/v1/things?cursor={cursor}")).status_code == 422


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)


@given(key=st.lists(st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS, max_size=4))
def test_a_cursor_carries_any_sort_key(key: Key) -> None:
    request = asked("/v1/things", "a=1")
    assert decode_cursor(request, encode_cursor(request, key)) == key


@given(position=st.integers(0, 500), flip=st.integers(1, 255))
@settings(suppress_health_check=[HealthCheck.filter_too_much])
def test_a_cursor_changed_in_any_byte_is_refused(position: int, flip: int) -> None:
    request = asked("/v1/things")
    raw = bytearray(base64.urlsafe_b64decode(encode_cursor(request, ["a", 12]) + "=="))
    raw[position % len(raw)] ^= flip
    with pytest.raises(InvalidInput):
        decode_cursor(request, base64.urlsafe_b64encode(bytes(raw)).decode())


def test_next_is_absolute_and_keeps_what_was_asked() -> None:
    request = asked("/api/v1/things", "kind=a%26b&cursor=old&on=2012-05-21", root_path="/api")
    url = urlsplit(next_url(request, ["k"]) or "")
    assert (url.scheme, url.netloc, url.path) == ("https", "records.gob.test", "/api/v1/things")
    query = parse_qs(url.query)
    assert query["kind"] == ["a&b"]
    assert query["on"] == ["2012-05-21"]
    assert query["cursor"] != ["old"]
    assert next_url(request, None) is None


@pytest.mark.parametrize("key", [[], [None], [{}], ["a"], ["a", 1, 2], [1, "a"], ["a", -1], ["a", 10**23]])
def test_a_key_of_another_shape_is_no_cursor_of_ours(key: Any) -> None:
    request = asked("/v1/things")
    cursor = encode_cursor(request, key)
    with pytest.raises(InvalidInput) as refused:
        decode_cursor(request, cursor, str, KeyPosition)
    assert refused.value.code == "cursor-invalid"


@pytest.mark.parametrize("key", [[], [None], [{}], [1], ["a", "b"], ["a\x00"]])
def test_a_list_in_memory_knows_a_key_that_is_not_one_of_its_own(key: Any) -> None:
    request = asked("/v1/things")
    with pytest.raises(InvalidInput):
        page_after(request, ["a", "b"], lambda one: [one], str, cursor=encode_cursor(request, key), limit=1)
