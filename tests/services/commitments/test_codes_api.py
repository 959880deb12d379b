"""Codes are one whatever their capitals: in paths, in what requests name, and in what they would register."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.services.commitments.installation import Installation, refused

pytestmark = pytest.mark.anyio

COMMITMENT = {"code": "EDU-1", "title": "More schools", "lead_organization": "MINEDUC"}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def service(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Installation]:
    async with Installation(tmp_path, sqlite_url).running() as running:
        await running.told("PUT", "/v1/organizations/MINEDUC", {"name": "Education", "kind": "ministry"})
        await running.told("PUT", "/v1/pillars/EDUCATION", {"name": "Education", "rank": 1})
        await running.told("POST", "/v1/commitments", COMMITMENT)
        yield running


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/commitments", COMMITMENT | {"code": "edu-1"}),
        ("/v1/commitments", COMMITMENT | {"code": "Edu-1"}),
    ],
)
async def test_a_code_in_other_capitals_is_taken(service: Installation, path: str, body: object) -> None:
    assert refused(await service.ask("POST", path, body)) == (409, "code-taken")


async def test_an_indicator_in_other_capitals_is_taken(service: Installation) -> None:
    body = {
        "code": "SCHOOLS",
        "name": "Schools",
        "unit": "schools",
        "direction": "increase",
        "frequency": "yearly",
    }
    await service.told("POST", "/v1/indicators", body)
    answer = await service.ask("POST", "/v1/indicators", body | {"code": "schools"})
    assert refused(answer) == (409, "code-taken")


async def test_one_is_found_by_its_code_in_any_capitals(service: Installation) -> None:
    shown = await service.read("/v1/commitments/EDU-1")
    assert await service.read("/v1/commitments/edu-1") == shown
    assert (await service.read("/v1/organizations/Mineduc"))["code"] == "MINEDUC"
    assert refused(await service.ask("GET", "/v1/commitments/edu-2")) == (404, "unknown-commitment")


async def test_a_put_in_other_capitals_is_about_the_one_on_record(service: Installation) -> None:
    answer = await service.told(
        "PUT", "/v1/organizations/mineduc", {"name": "Ministry of Education"}, If_Match='"1"'
    )
    assert (answer.json()["code"], answer.json()["version"]) == ("MINEDUC", 2)
    assert answer.headers["location"].endswith("/v1/organizations/MINEDUC")


async def test_what_a_request_names_is_recorded_in_the_spelling_on_record(service: Installation) -> None:
    await service.told(
        "POST",
        "/v1/commitments",
        COMMITMENT
        | {
            "code": "EDU-1-A",
            "lead_organization": "mineduc",
            "collaborating_organizations": ["Mineduc"],
            "pillar": "education",
            "parent": "edu-1",
        },
    )
    shown = await service.read("/v1/commitments/EDU-1-A")
    assert (shown["lead_organization"], shown["pillar"], shown["parent"]) == ("MINEDUC", "EDUCATION", "EDU-1")
    assert shown["collaborating_organizations"] == ["MINEDUC"]
    await service.told(
        "POST",
        "/v1/commitments/EDU-1-A/corrections",
        {"field": "collaborating_organizations", "value": [], "reason": "Nobody else"},
        If_Match="*",
    )
    await service.told(
        "POST",
        "/v1/commitments/EDU-1-A/changes",
        {"field": "responsible_service", "value": "mineduc", "reason": "From now on"},
        If_Match="*",
    )
    assert (await service.read("/v1/commitments/EDU-1-A"))["responsible_service"] == "MINEDUC"


async def test_a_repeated_request_is_the_same_whatever_the_capitals_of_the_codes_in_it(
    service: Installation,
) -> None:
    new = {"code": "EDU-9", "title": "Schools", "lead_organization": "mineduc", "parent": "edu-1"}
    into = {"into": "edu-1", "reason": "The same promise"}
    moved = {"field": "collaborating_organizations", "value": ["mineduc"], "reason": "Part of it"}
    parts = [{"code": "EDU-8-A", "title": "One"}, {"code": "EDU-8-B", "title": "Two", "parent": "EDU-1"}]
    asked: list[tuple[str, dict[str, Any]]] = [
        ("commitments", new | {"code": "EDU-8"}),
        ("commitments/EDU-8/changes", moved),
        ("commitments/EDU-8/splits", {"parts": parts, "reason": "Too wide"}),
        ("commitments", new),
        ("commitments/EDU-9/mergers", into),
    ]
    for number, (path, body) in enumerate(asked):
        conditions = {"Idempotency_Key": f"key-{number}"} | ({"If_Match": "*"} if "/" in path else {})
        first = await service.told("POST", f"/v1/{path}", body, **conditions)
        for other in (str.upper, str.lower):
            again = json.loads(json.dumps(body), object_hook=partial(_spelt, other))
            repeated = await service.told("POST", f"/v1/{path}", again, **conditions)
            assert repeated.headers["idempotency-replayed"] == "true"
            assert repeated.json() == first.json()
    answer = await service.ask(
        "POST", "/v1/commitments", new | {"parent": "EDU-8-A"}, Idempotency_Key="key-3"
    )
    assert refused(answer) == (422, "idempotency-key-reused")


def _spelt(as_written: Callable[[str], str], members: dict[str, Any]) -> dict[str, Any]:
    """The members, with the codes among them written otherwise."""
    codes = {"code", "lead_organization", "parent", "into"}
    return {
        name: as_written(value)
        if name in codes
        else [as_written(one) for one in value]
        if name == "value"
        else value
        for name, value in members.items()
    }


async def test_a_repeated_request_is_the_same_under_the_code_in_any_capitals_and_under_the_id(
    service: Installation,
) -> None:
    first = await service.told(
        "POST", "/v1/commitments/EDU-1/comments", {"text": "A remark"}, If_Match="*", Idempotency_Key="k"
    )
    for identifier in ("edu-1", first.json()["id"], first.json()["id"].upper()):
        again = await service.told(
            "POST",
            f"/v1/commitments/{identifier}/comments",
            b'{ "text" : "A remark" }',
            If_Match="*",
            Idempotency_Key='"k"',
        )
        assert again.headers["idempotency-replayed"] == "true"
        assert again.json()["version"] == first.json()["version"] == 2
