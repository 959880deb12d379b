"""Every route, for every role and for nobody: who gets through is what the access table says."""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from services.meetings.api.access import ACCESS
from services.meetings.api.errors import ERRORS
from shared.http.catalogue import CODES
from shared.http.problems import _STATUS
from shared.identity.actor import Role
from tests.services.meetings.installation import Installation, refused

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]
ROLES = [role for role in Role if role is not Role.SYSTEM]
WRITES = [(method, path) for method, path in ACCESS if method == "POST"]


@pytest.fixture
async def service(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Installation]:
    async with Installation(tmp_path, sqlite_url).running() as running:
        yield running


def concrete(path: str) -> str:
    return (
        path.replace("{id}", str(uuid4()))
        .replace("{number}", "SOCIAL-2012-001")
        .replace("{code}", "SOCIAL")
        .replace("{n}", "1")
    )


async def test_nobody_gets_in_without_a_token(service: Installation) -> None:
    for method, path in ACCESS:
        answer = await service.ask(method, concrete(path), credentials={})
        assert answer.status_code == 401, (method, path)
        assert "WWW-Authenticate" in answer.headers


async def test_each_role_gets_through_where_the_table_says_so_and_nowhere_else(service: Installation) -> None:
    await service.committee()
    for (method, path), row in ACCESS.items():
        for role in ROLES:
            answer = await service.ask(method, concrete(path), {}, role=role, If_Match="*")
            turned_away = answer.status_code == 403 and refused(answer)[1] == "role-not-allowed"
            assert turned_away == (role not in row.roles), (method, path, role)
            assert answer.status_code not in (401, 500)


async def test_every_change_to_something_that_exists_states_a_version(service: Installation) -> None:
    for method, path in WRITES:
        if path == "/v1/meetings":
            continue
        row = ACCESS[method, path]
        assert row.if_match == "required", path
        answer = await service.ask(method, concrete(path), {}, role=sorted(row.roles)[0])
        assert refused(answer) == (428, "if-match-required"), path


async def test_every_request_with_a_field_nobody_knows_is_refused(service: Installation) -> None:
    for method, path in WRITES:
        role = sorted(ACCESS[method, path].roles)[0]
        answer = await service.ask(method, concrete(path), {"colour": "red"}, role=role, If_Match="*")
        assert answer.status_code == 422, path
        assert "/colour" in [error["pointer"] for error in answer.json()["errors"]], path


async def test_the_document_describes_every_route_and_what_it_can_answer(service: Installation) -> None:
    document = (await service.ask("GET", "/openapi.json")).json()
    for method, path in ACCESS:
        operation = document["paths"][path][method.lower()]
        assert {"401", "403", "422", "500", "503"} <= operation["responses"].keys()
        assert operation.get("description"), path
    calendar = document["paths"]["/v1/meetings/{id}.ics"]["get"]["responses"]["200"]["content"]
    assert list(calendar) == ["text/calendar"]


async def test_the_service_is_ready_once_it_follows_the_log(service: Installation) -> None:
    assert (await service.ask("GET", "/health/ready", credentials={})).status_code == 200
    assert (await service.ask("GET", "/health/live", credentials={})).status_code == 200


def test_every_code_that_is_raised_is_explained_with_its_status() -> None:
    raised: dict[str, set[int]] = {}
    kinds = {kind.__name__: status for kind, status in _STATUS}
    asked = [path for path in (ROOT / "services" / "meetings").rglob("*.py") if "importing" not in path.parts]
    for file in asked:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
                code = node.args[0]
                assert isinstance(code, ast.Constant), f"{file.name}:{node.lineno}"
                raised.setdefault(str(code.value), set()).add(kinds[node.func.id])
    explained = {**CODES, **ERRORS}
    wrong = {
        code: statuses
        for code, statuses in raised.items()
        if code not in explained or statuses != {explained[code].status}
    }
    assert wrong == {}
    # `Records` makes these itself, from the name of the kind of thing.
    by_records = {"unknown-body", "unknown-meeting", "unknown-decision", "unknown-action-item"}
    assert ERRORS.keys() - raised.keys() == by_records
