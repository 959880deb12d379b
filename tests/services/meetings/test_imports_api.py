"""Files of meetings and bodies over HTTP: by the unit alone, with the files that a mapping asks for beside them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.identity.actor import Role
from tests.services.meetings.importing.clerk import MAPPING, ORGANIZATIONS, meeting
from tests.services.meetings.installation import Installation, refused

pytestmark = pytest.mark.anyio

PATIENCE = 60.0
OPARL = f'kind = "oparl"\n{MAPPING}'
BODIES = """
source = "The note"
[[bodies]]
code = "SOCIAL"
name = "Social Development Committee"
presiding_organization = "MINSAL"
"""


@pytest.fixture
async def at(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Installation]:
    async with Installation(tmp_path, sqlite_url).running() as running:
        running.now = running.now.replace(year=2024)
        yield running


async def brought_in(at: Installation, *files: tuple[str, str, str], **parts: str) -> dict[str, Any]:
    """An import of the unit, once it has ended; files by the part that they are, their name and their content."""
    sent = [(part, (name, content.encode())) for part, name, content in files]
    answer = await at.http.post("/v1/imports", files=sent, data=parts, headers=at.credentials())
    assert answer.status_code == 202, answer.text
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found: dict[str, Any] = (await at.ask("GET", answer.headers["location"])).json()
        if found["ended_at"] is not None:
            return found
        await asyncio.sleep(0.02)
    raise TimeoutError(found)


async def test_the_unit_brings_in_bodies_and_meetings_with_the_file_that_stands_beside_them(
    at: Installation,
) -> None:
    bodies = await brought_in(at, ("file", "bodies.toml", BODIES), kind="bodies")
    assert (bodies["state"], bodies["report"]["events"]) == ("done", {"meetings.body_registered": 1})
    told = await brought_in(
        at,
        ("file", "meetings.jsonl", json.dumps(meeting())),
        ("beside", "organizations.json", json.dumps(ORGANIZATIONS)),
        mapping=OPARL,
    )
    assert (told["state"], told["kind"], told["report"]["errors"]) == ("done", "oparl", [])
    position = told["report"]["last_position"]
    listed = await at.ask("GET", f"/v1/bodies?wait_for={position}")
    assert [one["code"] for one in listed.json()["items"]] == ["SOCIAL", "TC"]


async def test_a_mapping_reads_no_file_but_those_that_came_with_it(at: Installation) -> None:
    for named in ("/etc/hostname", "../mapping.toml", "..\\mapping.toml"):
        mapping = OPARL.replace('"organizations.json"', json.dumps(named))
        told = await brought_in(at, ("file", "meetings.jsonl", json.dumps(meeting())), mapping=mapping)
        assert (told["state"], told["failure"]["code"]) == ("failed", "mapping-invalid"), named
    missing = await brought_in(at, ("file", "meetings.jsonl", json.dumps(meeting())), mapping=OPARL)
    said = "organizations.json cannot be read: No such file or directory"
    assert missing["failure"] == {"code": "file-unreadable", "detail": said}


async def test_nobody_but_the_unit_brings_in_meetings(at: Installation) -> None:
    for role in (Role.MINISTRY, Role.ADVISORY, Role.DIPRES):
        answer = await at.http.post(
            "/v1/imports",
            files={"file": ("bodies.toml", BODIES)},
            data={"kind": "bodies"},
            headers=at.credentials(role, "MINSAL"),
        )
        assert refused(answer) == (403, "role-not-allowed")
