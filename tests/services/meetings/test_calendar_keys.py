"""Addresses that open one calendar: told once, for the eyes of who asked, until taken back, and never logged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.meetings.calendar_key.routes import MOST_A_MINUTE
from shared.eventlog.open import open_store
from shared.identity.actor import Role
from shared.logging import HIDDEN, access_log
from tests.services.meetings.installation import Installation

pytestmark = pytest.mark.anyio

MINISTRY: dict[str, Any] = {"role": Role.MINISTRY, "organization": "MINSAL"}


@pytest.fixture
async def service(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Installation]:
    async with Installation(tmp_path, sqlite_url).running() as running:
        yield running


async def made(service: Installation, body: str, **more: Any) -> dict[str, Any]:
    """What is told of a new calendar key."""
    expires_at = (service.now + timedelta(days=30)).isoformat()
    path = f"/v1/bodies/{body}/calendar-keys"
    answer = await service.told("POST", path, {"expires_at": expires_at}, **more)
    told: dict[str, Any] = answer.json()
    return told


async def opened(service: Installation, key: dict[str, Any], **headers: Any) -> httpx.Response:
    """What a calendar program gets, which shows no credentials."""
    path = "/v1/calendars/" + key["address"].rpartition("/")[2]
    return await service.ask("GET", path, credentials={}, **headers)


async def test_an_address_opens_the_calendar_of_its_body_to_whoever_knows_it(service: Installation) -> None:
    body = await service.committee()
    await service.convened(body)
    key = await made(service, body)
    answer = await opened(service, key)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    assert answer.text.count("BEGIN:VEVENT") == 1
    assert answer.headers["cache-control"] == "private, no-cache"
    held = await opened(service, key, If_None_Match=answer.headers["etag"])
    assert held.status_code == 304


async def test_who_may_not_know_of_a_body_gets_no_address_of_its_calendar(service: Installation) -> None:
    body = await service.bilateral()
    await service.convened(body)
    assert (await opened(service, await made(service, body, **MINISTRY))).text.count("BEGIN:VEVENT") == 1
    asked = {"expires_at": (service.now + timedelta(days=30)).isoformat()}
    other: dict[str, Any] = MINISTRY | {"organization": "INTERIOR"}
    answer = await service.ask("POST", f"/v1/bodies/{body}/calendar-keys", asked, **other)
    assert answer.status_code == 404
    assert answer.json()["type"].endswith("unknown-body")


async def test_an_address_that_was_taken_back_has_expired_or_never_was_is_that_of_nothing(
    service: Installation,
) -> None:
    body = await service.committee()
    revoked, expired = await made(service, body), await made(service, body)
    await service.post(
        f"/v1/calendar-keys/{revoked['key_id']}/revocations", {"reason": "The telephone was lost"}
    )
    wrong = {"address": expired["address"][:-8] + "0000.ics"}
    answers = [await opened(service, one, X_Request_Id="r") for one in (revoked, wrong)]
    service.now += timedelta(days=31)
    answers.append(await opened(service, expired, X_Request_Id="r"))
    for answer, one in zip(answers, (revoked, wrong, expired), strict=True):
        assert answer.status_code == 404
        assert answer.json()["type"].endswith("unknown-calendar")
        assert answer.json() | {"instance": ""} == answers[0].json() | {"instance": ""}, one


async def test_the_log_has_the_hash_of_the_secret_and_not_the_secret(service: Installation) -> None:
    key = await made(service, await service.committee())
    secret = key["address"].rpartition("_")[2].removesuffix(".ics")
    assert len(secret) == 64
    store = open_store(service.settings.effective_log_url)
    try:
        lines = [line for _, line in store.read(0, 1_000)]
    finally:
        store.close()
    assert any(b"calendar_key_issued" in line for line in lines)
    assert not [line for line in lines if secret.encode() in line]


async def test_a_repeated_request_is_answered_with_the_same_key_and_without_its_address(
    service: Installation,
) -> None:
    body = await service.committee()
    first = await made(service, body, Idempotency_Key="mine")
    again = await made(service, body, Idempotency_Key="mine")
    assert again == {name: value for name, value in first.items() if name != "address"}


async def test_a_key_is_seen_and_taken_back_by_whoever_asked_for_it_and_by_administrators(
    service: Installation,
) -> None:
    key = await made(service, await service.committee(), **MINISTRY)
    path = f"/v1/calendar-keys/{key['key_id']}"
    for who, status in ((MINISTRY, 200), ({"role": Role.ADMIN}, 200), ({"role": Role.DCI}, 404)):
        assert (await service.ask("GET", path, **who)).status_code == status, who
        listed = (await service.ask("GET", "/v1/calendar-keys", **who)).json()["items"]
        assert [one["key_id"] for one in listed] == [key["key_id"]] * (status == 200), who
    refused = await service.ask("POST", f"{path}/revocations", {"reason": "x"}, role=Role.DCI)
    assert refused.status_code == 404


async def test_one_address_is_not_answered_without_end(service: Installation) -> None:
    key = await made(service, await service.committee())
    answers = [(await opened(service, key)).status_code for _ in range(MOST_A_MINUTE)]
    assert set(answers) == {200}
    answer = await opened(service, key)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


def test_the_secret_in_an_address_is_never_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    note = access_log("info", "json")
    assert note is not None
    digits = "0123456789abcdef" * 4
    note("GET", f"/v1/calendars/bc_3f9c21a07b44_{digits}.ics", 200, 0.01, None)
    line = capsys.readouterr().err
    assert digits not in line
    assert f"bc_3f9c21a07b44_{HIDDEN}" in line
