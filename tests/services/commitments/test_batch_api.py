"""Many commands in one request: each is answered, guarded and recorded as if it had been sent by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.http import batch
from shared.identity.actor import Role
from tests.services.commitments.installation import Installation, refused

pytestmark = pytest.mark.anyio

REGISTERED = {"title": "Fewer victims", "lead_organization": "INTERIOR", "effective_on": "2012-05-21"}
HERE = "/v1/commitments/SEG-1"


def register(code: str, **more: Any) -> dict[str, Any]:
    """A command that registers a commitment."""
    return {"method": "POST", "path": "/v1/commitments", "body": REGISTERED | {"code": code} | more}


def assess(if_match: str | None, judgement: str = "on_track", **more: Any) -> dict[str, Any]:
    """A command that judges the first commitment."""
    body = {"judgement": judgement}
    return {"method": "POST", "path": f"{HERE}/assessments", "if_match": if_match, "body": body} | more


@pytest.fixture
async def at(tmp_path: Path, log_url: str) -> AsyncIterator[Installation]:
    async with Installation(tmp_path, log_url).running() as running:
        for code in ("DCI", "INTERIOR", "HEALTH"):
            await running.told("PUT", f"/v1/organizations/{code}", {"name": code.title()})
        yield running


async def sent(at: Installation, *commands: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What came of a batch."""
    answer = await at.ask("POST", "/v1/batch", {"commands": list(commands)}, **more)
    assert answer.status_code == 207, answer.text
    found: dict[str, Any] = answer.json()
    assert found["accepted"] + found["refused"] + found["untried"] == len(commands)
    return found


async def test_commands_are_carried_out_in_their_order_and_each_is_answered(at: Installation) -> None:
    told = await sent(at, register("SEG-1"), assess('"1"'), assess('"2"', "on_track"))
    first, second, third = told["results"]
    assert [one["status"] for one in told["results"]] == [201, 201, 201]
    assert (first["location"], first["etag"]) == (f"/v1/commitments/{first['answer']['id']}", '"1"')
    assert [one["answer"]["version"] for one in (first, second, third)] == [1, 2, 3]
    assert (await at.read(HERE))["version"] == 3


async def test_one_that_is_refused_keeps_no_other_from_being_carried_out(at: Installation) -> None:
    told = await sent(
        at,
        register("SEG-1"),
        register("SEG-1"),
        assess('"7"'),
        assess(None),
        register("SEG-2", nature="odd"),
        assess('"1"'),
    )
    codes = [one["answer"].get("type", "").rpartition("/")[2] for one in told["results"]]
    assert codes == ["", "code-taken", "stale-version", "if-match-required", "request-invalid", ""]
    assert (told["accepted"], told["refused"], told["untried"]) == (2, 4, 0)
    assert told["results"][2]["status"] == 412


async def test_a_batch_sent_again_under_its_key_does_nothing_twice(at: Installation) -> None:
    commands = [register("SEG-1"), assess('"1"'), assess('"2"')]
    first = await sent(at, *commands[:2], idempotency_key="night-1")
    again = await sent(at, *commands, idempotency_key="night-1")
    assert again["results"][:2] == first["results"]
    assert again["results"][2]["answer"]["version"] == 3


async def test_a_command_may_have_a_key_of_its_own(at: Installation) -> None:
    one = register("SEG-1") | {"idempotency_key": "mine"}
    first, again = (await sent(at, one, one))["results"]
    assert again["answer"] == first["answer"]


async def test_each_is_for_those_who_may_send_it_by_itself(at: Installation) -> None:
    ministry = {"role": Role.MINISTRY, "organization": "HEALTH"}
    report = {
        "method": "POST",
        "path": f"{HERE}/progress-reports",
        "if_match": "*",
        "body": {"period": "2012-Q4", "no_change": True},
    }
    await sent(at, register("SEG-1"), register("SEG-2", lead_organization="HEALTH"))
    own = report | {"path": "/v1/commitments/SEG-2/progress-reports"}
    told = await sent(at, register("SEG-3"), report, own, **ministry)
    assert [one["status"] for one in told["results"]] == [403, 403, 201]
    assert refused(await at.ask("POST", "/v1/batch", {"commands": [own]}, credentials={})) == (
        401,
        "credentials-required",
    )


async def test_each_is_found_under_the_request_id_of_the_batch_and_its_number(at: Installation) -> None:
    await sent(at, register("SEG-1"), assess('"1"'), x_request_id="night")
    history = (await at.read(f"{HERE}/history"))["items"]
    assert [one["correlation_id"] for one in history] == ["night.0", "night.1"]


async def test_each_is_refused_in_the_language_of_the_batch(at: Installation) -> None:
    told = await sent(at, assess('"1"'), Accept_Language="es")
    by_itself = await at.ask(
        "POST", f"{HERE}/assessments", {"judgement": "on_track"}, If_Match='"1"', Accept_Language="es"
    )
    assert told["results"][0]["answer"]["title"] == by_itself.json()["title"]
    assert by_itself.headers["content-language"] == "es"


@pytest.mark.parametrize(
    "command",
    [
        {"method": "GET", "path": HERE},
        {"method": "POST", "path": "/v1/batch", "body": {"commands": []}},
        {"method": "POST", "path": "/v1/%62atch/", "body": {"commands": []}},
        {"method": "POST", "path": "/metrics"},
        {"method": "POST", "path": "/v1/commitments?on=2012-01-01"},
        {"method": "POST", "path": "/v1/commitments", "if_match": "é"},
        {"method": "POST", "path": "/v1/commitments", "idempotency_key": "a b"},
        {"method": "PUT", "path": "/v1/pillars/SEG", "idempotency_key": "a", "body": {"name": "Security"}},
        {"method": "POST", "path": "/v1/commitments", "headers": {}},
        {"method": "POST", "path": "/v1/commitments", "body": [1]},
    ],
)
async def test_what_is_no_command_is_refused_before_anything_is_done(
    at: Installation, command: dict[str, Any]
) -> None:
    answer = await at.ask("POST", "/v1/batch", {"commands": [register("SEG-1"), command]})
    assert refused(answer) == (422, "request-invalid")
    assert all(one["pointer"].startswith("/commands/1") for one in answer.json()["errors"])
    assert (await at.ask("GET", HERE)).status_code == 404


async def test_what_is_nowhere_is_not_found_by_itself(at: Installation) -> None:
    told = await sent(
        at, {"method": "POST", "path": "/v1/nothing", "body": {}}, {"method": "PUT", "path": "/v1/a%00"}
    )
    assert [one["status"] for one in told["results"]] == [404, 404]


async def test_there_are_at_most_500_and_at_least_one(tmp_path: Path, sqlite_url: str) -> None:
    async with Installation(tmp_path, sqlite_url).running() as at:
        pillar = {"method": "PUT", "path": "/v1/pillars/P1", "body": {"name": "Pillar"}}
        for many in (0, 501):
            answer = await at.ask("POST", "/v1/batch", {"commands": [pillar] * many})
            assert refused(answer) == (422, "request-invalid")
        told = await sent(at, *[pillar] * 500)
        assert [one["status"] for one in told["results"]] == [201] + [200] * 499


async def test_a_service_that_says_later_is_not_asked_for_the_rest(tmp_path: Path, sqlite_url: str) -> None:
    async with Installation(tmp_path, sqlite_url, requests_per_minute_of_caller=5).running() as at:
        commands = [
            {"method": "PUT", "path": f"/v1/pillars/P{n}", "body": {"name": f"Pillar {n}"}} for n in range(9)
        ]
        told = await sent(at, *commands)
        # The batch itself is one of the five requests.
        assert [one["status"] for one in told["results"]] == [201, 201, 201, 201, 429]
        assert told["untried"] == 4


async def test_a_service_without_time_begins_no_more(
    at: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "SECONDS", 0.0)
    told = await sent(at, register("SEG-1"))
    assert (told["results"], told["untried"]) == ([], 1)
    assert (await at.ask("GET", HERE)).status_code == 404
