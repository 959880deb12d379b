"""A body is bounded before anything is built of it, whatever it is made of."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http.body import DEEPEST, LONGEST_LIST, MOST_VALUES, parsed
from shared.http.problems import RequestProblemError
from tests.shared.http.test_problems import problem
from tests.support.web import Installation

TEXTS = st.text(st.sampled_from('ab"\\\\,[]{}:ñ \n'), max_size=6)
DOCUMENTS = st.recursive(
    st.none() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def nested(depth: int, innermost: Any) -> Any:
    for _ in range(depth):
        innermost = [innermost]
    return innermost


def refused(body: bytes, code: str = "body-too-complex") -> str:
    with pytest.raises(RequestProblemError) as refusal:
        parsed(body)
    assert refusal.value.code == code
    return refusal.value.detail


@given(inner=DOCUMENTS, depth=st.integers(0, DEEPEST + 3), ascii_only=st.booleans())
def test_how_deep_a_body_is_does_not_depend_on_what_its_texts_hold(
    inner: Any, depth: int, ascii_only: bool
) -> None:
    def deep(value: Any) -> int:
        if isinstance(value, dict):
            value = list(value.values())
        return 1 + max(map(deep, value), default=0) if isinstance(value, list) else 0

    body = json.dumps(nested(depth, inner), ensure_ascii=ascii_only).encode()
    if depth + deep(inner) > DEEPEST:
        assert "deeper" in refused(body, "malformed-request")
    else:
        assert parsed(body) == nested(depth, inner)


@given(st.lists(DOCUMENTS, max_size=8), st.sampled_from([0, LONGEST_LIST - 4, LONGEST_LIST]))
def test_a_list_is_as_long_as_its_items_and_not_as_the_commas_in_them(items: list[Any], more: int) -> None:
    whole = [*items, *range(more)]
    body = json.dumps({"list": whole, "after": [1, 2]}, ensure_ascii=False).encode()
    if len(whole) > LONGEST_LIST:
        assert "more than 1,000 entries" in refused(body)
    else:
        assert parsed(body) == {"list": whole, "after": [1, 2]}


def test_a_body_has_so_many_values_in_all() -> None:
    lists = [list(range(999))] * (MOST_VALUES // 1000)
    # The list of lists is a value too, and so is each of them.
    assert parsed(json.dumps(lists[:-1]).encode()) == lists[:-1]
    assert "more than 10,000 values" in refused(json.dumps(lists).encode())


@pytest.mark.parametrize(
    "body",
    [
        b'"' + b'\\"' * 32_000,
        b'{"a": "' + b"1" * 60_000 + b'" 1',
        b'{"a": "' + b"1 111" * 12_000 + b'", 650.000.000}',
    ],
    ids=["quotes that end nothing", "digits", "groups of digits"],
)
async def test_a_body_that_cannot_be_read_is_refused_in_one_pass(
    installation: Installation, body: bytes
) -> None:
    headers = {**installation.token(), "Content_Type": "application/json"}
    async with installation.client(**headers) as client:
        problem(await client.post("/v1/things", content=body), 400, "malformed-request")


async def test_unknown_members_with_endless_names_are_not_repeated_whole(installation: Installation) -> None:
    async with installation.client(**installation.token()) as client:
        answer = await client.post("/v1/things", json={f"{n:030}" * 60: 1 for n in range(30)})
    errors = problem(answer, 422, "request-invalid")["errors"]
    assert len(errors) == 20
    assert len(answer.content) < 5_000
