"""From the minutes of a bilateral to the commitments, through both services and nothing but the log between them."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from shared.identity.actor import Role
from tests.services.commitments.installation import Installation as Commitments
from tests.services.meetings.installation import Installation as Meetings
from tests.services.meetings.installation import item

pytestmark = pytest.mark.anyio

HOSPITALS: dict[str, Any] = {
    "text": "Ten hospitals more than were promised",
    "kind": "agree_commitment",
    "effect": {
        "commitment": {
            "code": "SAL-07",
            "title": "Build ten more hospitals",
            "lead_organization": "MINSAL",
            "public_deadline_on": "2014-03-10",
        }
    },
}
LATER: dict[str, Any] = {
    "text": "What was promised for 2013 comes a year later",
    "kind": "revise_deadline",
    "commitments": ["SAL-01", "SAL-07"],
    "effect": {"deadline": {"deadline": "public", "on": "2014-12-31"}},
}
GIVEN_UP: dict[str, Any] = {
    "text": "The helicopters are given up",
    "kind": "discard",
    "commitments": ["SAL-02"],
    "effect": {"discard": {"reason_type": "budgetary", "reason": "No funds in 2013"}},
}


async def test_approved_minutes_change_the_commitments_within_moments(tmp_path: Path, log_url: str) -> None:
    async with (
        Meetings(tmp_path, log_url).running() as meetings,
        Commitments(tmp_path, log_url).running() as commitments,
    ):
        promise = {
            "code": "SAL-01",
            "title": "Waiting lists",
            "lead_organization": "MINSAL",
            "effective_on": "2010-05-21",
            "public_deadline": {"on": "2013-12-31"},
        }
        promised = (await commitments.told("POST", "/v1/commitments", promise)).json()
        body = await meetings.bilateral()
        await meetings.read(f"/v1/bodies/{body}?wait_for={promised['position']}")
        meeting = await meetings.circulated(body, item(HOSPITALS, LATER, GIVEN_UP))
        begun = time.perf_counter()
        approved = await meetings.post(f"{meeting}/approvals", {}, subject="reader", X_Request_Id="sealed")
        last = "BIL-MINSAL-2012-003"
        while (answer := await commitments.ask("GET", f"/v1/decision-outcomes/{last}")).status_code == 404:
            assert time.perf_counter() - begun < 5, (
                f"approved at {approved['position']}, and nothing followed"
            )
            await asyncio.sleep(0.005)
        position = answer.headers["log-position"]
        outcomes = (await commitments.read(f"/v1/decision-outcomes?wait_for={position}"))["items"]
        assert [outcome["state"] for outcome in outcomes] == ["carried_out", "carried_out", "unresolved"]
        assert outcomes[2]["difficulty"]["code"] == "unknown-commitment"
        made = await commitments.read(f"/v1/commitments/SAL-07?wait_for={position}")
        assert (made["visibility"], made["public_deadline"]["on"]) == ("reserved", "2014-12-31")
        assert (made["origin"]["kind"], made["origin"]["decision"]) == (
            "bilateral_meeting",
            "BIL-MINSAL-2012-001",
        )
        moved = await commitments.read("/v1/commitments/SAL-01")
        assert moved["deadline_revisions"][0]["decision"] == "BIL-MINSAL-2012-002"
        assert HOSPITALS["text"] not in str(made)
        assert LATER["text"] not in str(moved)
        told = await meetings.read("/v1/decisions/BIL-MINSAL-2012-001")
        (first, _) = (await commitments.read("/v1/commitments/SAL-07/history"))["items"]
        assert first["correlation_id"] == "sealed"
        assert told["number"] == made["origin"]["decision"]
        for organization, sees in (("MINSAL", True), ("MINEDUC", False)):
            ministry: dict[str, Any] = {"role": Role.MINISTRY, "organization": organization}
            for path in ("/v1/commitments/SAL-07", f"/v1/decision-outcomes/{last}"):
                seen = await commitments.ask("GET", path, **ministry)
                assert (seen.status_code == 200) is sees
