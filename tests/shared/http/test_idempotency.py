"""The two hashes of a request that is to be carried out once."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from shared.identity.actor import Role
from tests.shared.http.test_problems import problem
from tests.support.web import Installation


async def hashes(
    installation: Installation,
    body: bytes = b'{"title":"a"}',
    key: str = "k",
    who: Mapping[str, str] | None = None,
    **headers: str,
) -> tuple[str, str]:
    """The key hash and the fingerprint of one POST."""
    given = {
        **(who or installation.token()),
        "Content_Type": "application/json",
        "Idempotency_Key": key,
        **headers,
    }
    async with installation.client(**given) as client:
        answer = (await client.post("/v1/things", content=body)).json()
    return answer["key"], answer["fingerprint"]


async def test_the_same_request_has_the_same_hashes(installation: Installation) -> None:
    assert await hashes(installation) == await hashes(installation)


@pytest.mark.parametrize(
    ("body", "again"),
    [
        (b'{"title":"a","added_on":"2012-05-21"}', b'{ "added_on" : "2012-05-21",\n"title": "a" }'),
        (b'{"title":"a","share":1}', b'{"title":"a","share":1.0}'),
        (b'{"title":"a","share":0.10}', b'{"title":"a","share":1e-1}'),
        ('{"title":"año"}'.encode(), rb'{"title":"a\u00f1o"}'),
        ('{"title":"a\u00f1o"}'.encode(), '{"title":"an\u0303o"}'.encode()),
    ],
)
async def test_the_same_json_written_otherwise_is_the_same_request(
    installation: Installation, body: bytes, again: bytes
) -> None:
    assert await hashes(installation, body) == await hashes(installation, again)


@pytest.mark.parametrize(
    ("body", "other"),
    [
        (b'{"title":"1"}', b'{"title":"2"}'),
        (b'{"title":"a","extra":1}', b'{"title":"a","extra":"1"}'),
        (b'{"title":"a","extra":1}', b'{"title":"a","extra":true}'),
        (b'{"title":"a","extra":[1,2]}', b'{"title":"a","extra":[2,1]}'),
        (b'{"title":"a","extra":0.12345678901234567}', b'{"title":"a","extra":0.12345678901234568}'),
        (b'{"title":"a","extra":12345678901234567890}', b'{"title":"a","extra":12345678901234567891}'),
    ],
)
async def test_other_json_is_another_request_however_close(
    installation: Installation, body: bytes, other: bytes
) -> None:
    assert (await hashes(installation, body))[1] != (await hashes(installation, other))[1]


async def test_a_key_in_quotes_is_the_key_between_them(installation: Installation) -> None:
    assert await hashes(installation, key='"k-1"') == await hashes(installation, key="k-1")


async def test_another_body_under_the_same_key_is_another_request(installation: Installation) -> None:
    first, second = await hashes(installation), await hashes(installation, b'{"title":"b"}')
    assert first[0] == second[0]
    assert first[1] != second[1]


async def test_a_key_belongs_to_who_used_it(installation: Installation) -> None:
    mine = await hashes(installation)
    another = await hashes(installation, who=installation.token(subject="another"))
    elsewhere = await hashes(installation, who=installation.token(organization="MINSAL"))
    assert len({mine[0], another[0], elsewhere[0]}) == 3
    assert mine[1] == another[1] == elsewhere[1]


async def test_a_version_read_again_after_a_lost_answer_does_not_make_it_another_request(
    installation: Installation,
) -> None:
    assert await hashes(installation, If_Match='"1"') == await hashes(installation, If_Match='"2"')


async def test_without_a_key_nothing_is_remembered(installation: Installation) -> None:
    async with installation.client(**installation.token()) as client:
        assert (await client.post("/v1/things", json={"title": "a"})).json()["key"] is None


@pytest.mark.parametrize("key", ["", " ", "a b", "a" * 256, "é", "a\tb"])
async def test_a_key_that_cannot_be_told_apart_safely_is_refused(
    installation: Installation, key: str
) -> None:
    async with installation.client(**installation.token()) as client:
        headers = {b"Idempotency-Key": key.encode()}
        answer = await client.post("/v1/things", json={"title": "a"}, headers=headers)
    document = problem(answer, 422, "idempotency-key-invalid")
    assert document["errors"][0]["pointer"] == "/header/idempotency-key"


async def test_a_key_of_255_visible_characters_is_taken(installation: Installation) -> None:
    assert await hashes(installation, key="~" * 255)


async def test_a_key_on_a_route_that_only_admins_use_is_not_looked_at(installation: Installation) -> None:
    async with installation.client(**installation.token(Role.ADMIN), Idempotency_Key="") as client:
        assert (await client.put("/v1/things/1", json={"title": "a"})).status_code == 201
