"""Every route, for every role and for nobody: who gets through is what the access table says."""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from services.meetings.action_item import routes as action_item
from services.meetings.body import routes as body
from services.meetings.decision import routes as decision
from services.meetings.meeting import routes as meeting
from shared.http.catalogue import CODES
from shared.identity.access import Access
from shared.identity.actor import Role
from tests.services.meetings.installation import Installation, refused

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]
ROLES = [role for role in Role if role is not Role.SYSTEM]
STATUS = {"InvalidInput": 422, "NotFound": 404, "RuleBroken": 409, "Forbidden": 403, "StaleVersion": 412}
ROOMS = (body, meeting, decision, action_item)
ERRORS = {code: entry for room in ROOMS for code, entry in room.ERRORS.items()}


@pytest.fixture
async def service(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Installation]:
    async with Installation(tmp_path, sqlite_url).running() as running:
        yield running


def writes(service: Installation) -> Iterator[tuple[str, Access]]:
    """Every route by which a fact is recorded."""
    return ((path, row) for (method, path), row in service.app.access.items() if method == "POST")


def concrete(path: str) -> str:
    return (
        path.replace("{id}", str(uuid4()))
        .replace("{number}", "SOCIAL-2012-001")
        .replace("{code}", "SOCIAL")
        .replace("{n}", "1")
    )


NO_VERSION = {
    *("/v1/meetings", "/v1/bodies/{code}/calendar-keys", "/v1/batch"),
    "/v1/calendar-keys/{key_id}/revocations",
    *("/v1/imports", "/v1/imports/{id}/cancellations"),
}
"""Those that make something, those that are done in a hurry, and what has no versions."""


async def test_nobody_gets_in_without_a_token(service: Installation) -> None:
    for (method, path), row in service.app.access.items():
        answer = await service.ask(method, concrete(path), credentials={})
        if row.anonymous:
            # Reporting tells what is public; an address that is a secret is no address of this one's.
            assert answer.status_code == (404 if "{secret}" in path else 303), path
            continue
        assert answer.status_code == 401, (method, path)
        assert "WWW-Authenticate" in answer.headers


async def test_each_role_gets_through_where_the_table_says_so_and_nowhere_else(service: Installation) -> None:
    await service.committee()
    for (method, path), row in service.app.access.items():
        for role in ROLES:
            answer = await service.ask(method, concrete(path), {}, role=role, If_Match="*")
            turned_away = answer.status_code == 403 and refused(answer)[1] == "role-not-allowed"
            assert turned_away == (role not in row.roles), (method, path, role)
            assert answer.status_code not in (401, 500)


async def test_every_change_to_something_that_exists_states_a_version(service: Installation) -> None:
    for path, row in writes(service):
        if path in NO_VERSION:
            continue
        assert row.if_match == "required", path
        answer = await service.ask("POST", concrete(path), {}, role=sorted(row.roles)[0])
        assert refused(answer) == (428, "if-match-required"), path


async def test_every_request_with_a_field_nobody_knows_is_refused(service: Installation) -> None:
    for path, row in writes(service):
        if path == "/v1/imports":
            continue  # a form
        role = sorted(row.roles)[0]
        answer = await service.ask("POST", concrete(path), {"colour": "red"}, role=role, If_Match="*")
        assert answer.status_code == 422, path
        assert "/colour" in [error["pointer"] for error in answer.json()["errors"]], path


async def test_the_document_describes_every_route_and_what_it_can_answer(service: Installation) -> None:
    document = (await service.ask("GET", "/openapi.json")).json()
    for method, path in service.app.access:
        operation = document["paths"][path][method.lower()]
        assert {"401", "403", "422", "500", "503"} <= operation["responses"].keys()
        assert operation.get("description"), path
    calendar = document["paths"]["/v1/meetings/{id}.ics"]["get"]["responses"]["200"]["content"]
    assert list(calendar) == ["text/calendar"]


async def test_the_service_is_ready_once_it_follows_the_log(service: Installation) -> None:
    assert (await service.ask("GET", "/health/ready", credentials={})).status_code == 200
    assert (await service.ask("GET", "/health/live", credentials={})).status_code == 200


def raised(folder: Path) -> Iterator[tuple[str, int]]:
    """Every code that is raised there, with the status of its kind."""
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in STATUS:
                code = node.args[0]
                assert isinstance(code, ast.Constant), f"{file.name}:{node.lineno}"
                yield str(code.value), STATUS[node.func.id]


def test_every_code_that_is_raised_is_explained_with_its_status() -> None:
    rooms = [Path(room.__file__).parent for room in ROOMS if room.__file__ is not None]
    own = {pair for folder in rooms for pair in raised(folder)}
    explained = {code: entry.status for code, entry in {**CODES, **ERRORS}.items()}
    assert {(code, status) for code, status in own if explained.get(code) != status} == set()
    shared = {code for code, _ in raised(ROOT / "shared" / "rules")}
    # A repository makes these itself, from the name of the kind of thing.
    by_kind = {"unknown-body", "unknown-meeting", "unknown-decision", "unknown-action-item"}
    assert ERRORS.keys() - {code for code, _ in own} - shared == by_kind
    assert sum(len(room.ERRORS) for room in ROOMS) == len(ERRORS), "a code is explained twice"
