"""What the API makes of imported meetings: drafts until people take them through their ordinary life."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.meetings.importing.decisions import MeetingImport
from shared.clock import Clock
from shared.eventlog.open import open_store
from shared.events.streams import stream_of
from shared.identity.actor import Actor, Role
from shared.tabular.engine import run_import
from tests.services.meetings.importing.clerk import MAPPING, ORGANIZATIONS, meeting
from tests.services.meetings.installation import Installation

PATH = f"/v1/meetings/{stream_of('meeting', 'm/1')}"
A_MINISTRY: dict[str, Any] = {"role": Role.MINISTRY, "organization": "MINSAL"}


@asynccontextmanager
async def served(folder: Path, log_url: str) -> AsyncIterator[Installation]:
    """The service over a log into which one meeting was imported."""
    (folder / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    (folder / "organizations.json").write_text(json.dumps(ORGANIZATIONS), encoding="utf-8")
    (folder / "meetings.jsonl").write_text(json.dumps(meeting()), encoding="utf-8")
    installation = Installation(folder, log_url)
    installation.now = datetime(2024, 6, 1, tzinfo=UTC)
    async with installation.running():
        store = open_store(log_url)
        report = run_import(
            store,
            lambda state: MeetingImport(state, folder / "meetings.jsonl", folder / "mapping.toml"),
            actor=Actor("import", "DCI", Role.DCI),
            clock=Clock(now=lambda: installation.now),
        )
        store.close()
        await installation.read(f"/v1/bodies?wait_for={report.last_position}")
        yield installation


async def test_outcomes_are_read_by_the_centre_of_government_as_a_draft(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with served(tmp_path, sqlite_url) as service:
        found = await service.read(PATH, role=Role.DIPRES, organization="DIPRES")
        assert (found["state"], found["reference"]) == ("minutes_drafted", "m/1")
        assert found["held"]["attendance"] == found["held"]["mandatory_absences"] == []
        assert not found["minutes"]["sealed"]
        assert [
            (item["agenda_item"], item["outcome"], item["outcome_verbatim"])
            for item in found["minutes"]["items"]
        ] == [(1, "agreed", "carried"), (3, None, "see annex")]
        assert (await service.read(PATH, **A_MINISTRY))["minutes"] is None


async def test_once_somebody_has_approved_them_all_who_know_of_the_meeting_read_them(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with served(tmp_path, sqlite_url) as service:
        await service.post(f"{PATH}/circulations", {"recipients": [{"organization": "DIPRES"}]})
        await service.post(f"{PATH}/approvals", {}, subject="reader")
        minutes = (await service.read(PATH, **A_MINISTRY))["minutes"]
        assert minutes["sealed"]
        assert minutes["items"][0]["outcome_verbatim"] == "carried"
