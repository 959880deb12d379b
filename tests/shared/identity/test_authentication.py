"""From headers to caller: which header counts, and for how long an answer is remembered."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from shared.errors import Unauthenticated
from shared.events.identity import KeyRevoked
from shared.identity.actor import Role
from tests.support.web import Installation


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


async def test_no_credentials_is_nobody(installation: Installation) -> None:
    assert await installation.authenticator.authenticate({}) is None


async def test_a_token_is_taken_with_its_scheme_in_any_case(installation: Installation) -> None:
    value = installation.token()["Authorization"]
    for given in (value, value.replace("Bearer", "bEARER")):
        caller = await installation.authenticator.authenticate({b"authorization": given.encode()})
        assert caller is not None
        assert caller.actor.role is Role.DCI


@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
async def test_a_key_is_taken_in_either_header(installation: Installation, header: str) -> None:
    presented = installation.key("read").presented
    value = f"Bearer {presented}" if header == "authorization" else presented
    caller = await installation.authenticator.authenticate({header.encode(): value.encode()})
    assert caller is not None
    assert caller.scopes == {"read"}


@pytest.mark.parametrize(
    "headers",
    [
        {b"authorization": b""},
        {b"authorization": b"Bearer"},
        {b"authorization": b"Bearer "},
        {b"authorization": b"Basic YTpi"},
        {b"authorization": b"Bearer \xff\xfe"},
        {b"x-api-key": b""},
        {b"x-api-key": b"bk_\xff_\xff"},
        {b"x-api-key": b"a.b.c"},
    ],
    ids=str,
)
async def test_what_cannot_be_credentials_is_refused_and_not_taken_for_nobody(
    installation: Installation, headers: dict[bytes, bytes]
) -> None:
    with pytest.raises(Unauthenticated):
        await installation.authenticator.authenticate(headers)


async def test_two_kinds_of_credentials_at_once_are_refused(installation: Installation) -> None:
    token = installation.token()["Authorization"].encode()
    key = installation.key("read").presented.encode()
    with pytest.raises(Unauthenticated):
        await installation.authenticator.authenticate({b"authorization": token, b"x-api-key": key})


async def test_a_remembered_token_still_expires(installation: Installation) -> None:
    headers = {b"authorization": installation.token(lifetime=timedelta(minutes=5))["Authorization"].encode()}
    await installation.authenticator.authenticate(headers)
    installation.now += timedelta(minutes=4)
    await installation.authenticator.authenticate(headers)
    installation.now += timedelta(minutes=2)
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            await installation.authenticator.authenticate(headers)


async def test_a_revoked_key_stops_at_once(installation: Installation) -> None:
    key = installation.key("read")
    headers = {b"x-api-key": key.presented.encode()}
    await installation.authenticator.authenticate(headers)
    installation.keys.apply(KeyRevoked(key_id=key.key_id, reason="lost"))
    with pytest.raises(Unauthenticated):
        await installation.authenticator.authenticate(headers)


async def test_only_so_many_tokens_are_remembered(installation: Installation) -> None:
    authenticator = installation.authenticator
    authenticator._most = 3
    for number in range(10):
        token = installation.token(subject=f"user-{number}")["Authorization"].encode()
        await authenticator.authenticate({b"authorization": token})
    assert len(authenticator._known) == 3
