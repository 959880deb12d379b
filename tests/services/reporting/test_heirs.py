"""Who succeeded an organisation that is no more reads what was reserved for it, whichever service is asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.commitments.app import create_app as commitments
from services.meetings.app import create_app as meetings
from services.reporting.app import create_app as reporting
from shared.events.commitments import OrganizationChanged, OrganizationRegistered, Registered
from shared.events.streams import stream_of
from shared.events.vocabulary import OrganizationKind, Visibility
from shared.identity.actor import Role
from tests.services.reporting.gatherings import (
    Told,
    assigned,
    bilateral,
    circulated,
    convened,
    decided,
    held,
    noon,
    tell,
)
from tests.services.reporting.installation import Installation, credentials
from tests.services.reporting.stage import Stage, staged

pytestmark = pytest.mark.anyio

DAY, SPLIT, JOINED, BACK = date(2012, 3, 12), date(2012, 6, 1), date(2012, 9, 1), date(2012, 12, 1)
RESERVED: dict[str, Any] = {"visibility": Visibility.RESERVED, "organizations": ("OLD",)}
TASK, MEETING = stream_of("action-item", "T-1"), stream_of("meeting", "M-1")


def went_on_in(code: str, day: date, *successors: str) -> Told:
    ended = OrganizationChanged(
        name=code, kind=OrganizationKind.MINISTRY, successors=successors, effective_on=day
    )
    return Told("organization", code, ended)


def told_to(stage: Stage, endings: Sequence[Told]) -> None:
    """Everything reserved for OLD alone, and what became of it; recorded early in 2013."""
    on_record = [
        Told(
            "organization",
            code,
            OrganizationRegistered(code=code, name=code, kind=OrganizationKind.MINISTRY),
        )
        for code in ("OLD", "HOUSES", "ROADS", "WORKS", "MINSAL", "DIPRES")
    ]
    promise = Registered(
        code="A",
        title="A",
        lead_organization="OLD",
        visibility=Visibility.RESERVED,
        effective_on=DAY,
    )
    task: dict[str, Any] = {"body": "BIL", "circle": ("OLD",), "visibility": Visibility.RESERVED}
    story = [
        Told("commitment", "A", promise),
        bilateral("BIL", "OLD"),
        convened("BIL", "M-1", DAY, **RESERVED),
        held("M-1", DAY),
        circulated("M-1", "DIPRES"),
        decided("BIL-2012-001", DAY, **RESERVED),
        assigned("T-1", "OLD", DAY, date(2013, 12, 1), **task),
    ]
    tell(stage, *on_record, *story, *endings, now=noon(date(2013, 1, 7)))
    stage.follow()


ONES = {
    commitments: ["/v1/commitments/A", "/v1/commitments/A/history"],
    meetings: [
        "/v1/bodies/BIL",
        f"/v1/meetings/{MEETING}",
        "/v1/decisions/BIL-2012-001",
        f"/v1/action-items/{TASK}",
        f"/v1/action-items/{TASK}/history",
    ],
    reporting: [f"/v1/commitments/{stream_of('commitment', 'A')}/timeline"],
}
LISTS = {
    meetings: ["/v1/bodies", "/v1/meetings"],
    reporting: [
        "/v1/board",
        "/v1/board?on=2012-04-01",
        "/v1/board?position=13",
        "/v1/decisions",
        "/v1/action-items",
        "/v1/meeting-register?from=2012-03-01&to=2012-03-31",
    ],
}

HALVES = went_on_in("OLD", SPLIT, "HOUSES", "ROADS")
CHAIN = went_on_in("ROADS", JOINED, "WORKS")
ENDINGS: dict[str, tuple[list[Told], set[str]]] = {
    "while it is there": ([], {"OLD"}),
    "split into two": ([HALVES], {"OLD", "HOUSES", "ROADS"}),
    "one of which went on in a third": ([HALVES, CHAIN], {"OLD", "HOUSES", "WORKS"}),
    "and came back": ([HALVES, went_on_in("HOUSES", BACK, "OLD")], {"OLD"}),
}
"""What became of it, and who may read then: itself, whose credentials go on to hold, and whoever stands for it now."""


@pytest.mark.parametrize("became", ENDINGS)
async def test_what_was_reserved_for_an_organisation_is_there_for_whoever_stands_for_it_now(
    became: str, tmp_path: Path, sqlite_url: str
) -> None:
    endings, readers = ENDINGS[became]
    with staged(sqlite_url) as stage:
        told_to(stage, endings)
        for create in (commitments, meetings, reporting):
            async with Installation(tmp_path, stage, create).running() as service:
                for who in ("OLD", "HOUSES", "ROADS", "WORKS", "MINSAL"):
                    await shown(service, who, create, reads=who in readers)


async def shown(service: Installation, who: str, create: Any, *, reads: bool) -> None:
    asker: dict[str, Any] = {"role": Role.MINISTRY, "organization": who}
    for path in ONES[create]:
        answer: httpx.Response = await service.get(path, **asker)
        assert answer.status_code == (200 if reads else 404), (who, path, answer.text)
    for path in LISTS.get(create, []):
        found = (await service.read(path, **asker))["items"]
        assert bool(found) is reads, (who, path)


async def test_whoever_succeeded_its_owner_says_that_a_task_is_done(tmp_path: Path, sqlite_url: str) -> None:
    with staged(sqlite_url) as stage:
        told_to(stage, [HALVES])
        async with Installation(tmp_path, stage, meetings).running() as service:
            done = {"completed_on": "2013-02-01", "evidence": [{"description": "The list"}]}
            for who, status in [("MINSAL", 404), ("ROADS", 201)]:
                sent = credentials(service.settings, service.now, Role.MINISTRY, who) | {"If-Match": "*"}
                answer = await service.http.post(
                    f"/v1/action-items/{TASK}/completions", json=done, headers=sent
                )
                assert answer.status_code == status, answer.text
            _, recorded = next(iter(stage.store.read(stage.store.head() - 1, 1)))
            assert b'"organization":"ROADS"' in recorded
            assert b"inherited" not in recorded


async def test_every_list_of_a_past_day_says_so_when_it_is_told_later_who_stood_for_it_by_then(
    tmp_path: Path, sqlite_url: str
) -> None:
    asker: dict[str, Any] = {"role": Role.MINISTRY, "organization": "ROADS"}
    with staged(sqlite_url) as stage:
        told_to(stage, [])
        tell(stage, HALVES, now=noon(date(2013, 2, 1)))
        stage.follow()
        async with Installation(tmp_path, stage).running() as service:
            for path in (
                "/v1/board",
                "/v1/commitments",
                "/v1/decisions",
                "/v1/action-items",
                "/v1/meeting-register",
            ):
                # On the eve of its end it was there, and nobody stood for it.
                for on, said in ((SPLIT, True), (date(2012, 5, 31), False)):
                    answer = await service.read(f"{path}?on={on}", **asker)
                    assert answer["items"], path
                    found = {(one["code"], one["what"]): one["to"] for one in answer["corrected"]["latest"]}
                    assert found == ({("OLD", "successors"): ["HOUSES", "ROADS"]} if said else {}), path
