"""The log goes back under the running services: they answer then as if they had been started on it."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from shared.eventlog.live import LiveLog
from shared.eventlog.open import open_store
from shared.eventlog.store import REVISION
from shared.eventlog.verification import verify
from shared.events.streams import stream_of
from shared.identity.actor import Role
from tests.api import story as stories
from tests.api.conformance import openapi
from tests.api.house import House, refused
from tests.api.routes import LISTS, SERVICES, reads
from tests.api.story import Story
from tests.support.ledger import run_sql, until

PATIENCE = 60.0
Answer = tuple[int, str | None, str | None, bytes]


async def answers(house: House, story: Story) -> dict[tuple[str, Role], Answer]:
    """What every GET comes to, for those who see everything and for a ministry."""
    found = {}
    for read in reads(story):
        for role in (Role.DCI, Role.MINISTRY, Role.AUDITOR):
            answer = await house.ask(read.service, "GET", read.path, role=role, X_Request_Id="r")
            headers = answer.headers
            found[str(read), role] = (
                answer.status_code,
                headers.get("etag"),
                headers.get("log-position"),
                answer.content.replace(f"http://{read.service}.test".encode(), b""),
            )
    return found


def beginning_of_open(url: str) -> int:
    """Where the first commitment of the story is registered."""
    with closing(open_store(url)) as store:
        position = store.position_of(stream_of("commitment", "OPEN-1"), 1)
        assert position is not None
        return position


async def next_pages(house: House, story: Story) -> list[str]:
    """Where the lists of reporting go on that tell of a day, and have more than one page.

    One that tells how things are described now goes on after a code, on whatever log.
    """
    found = []
    for read in reads(story):
        asked = openapi(read.service)["paths"][read.route]["get"].get("parameters", ())
        of_a_day = any(one["name"] in {"on", "after"} for one in asked)
        if (read.service, read.route) in LISTS and read.service == "reporting" and of_a_day:
            page = await house.read(read.service, read.asking("limit=1"))
            if page["next"]:
                found.append(page["next"].removeprefix("http://reporting.test"))
    return found


async def ready(house: House) -> None:
    """Wait until every service has noticed, and is whole again."""
    deadline = time.monotonic() + PATIENCE
    for service in SERVICES:
        while True:
            answer = await house.ask(service, "GET", "/health/ready", credentials={})
            if house.apps[service].state.live.restarts and answer.status_code == 200:
                break
            assert time.monotonic() < deadline, answer.text
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("far", [False, True], ids=["a little", "to its beginnings"])
async def test_after_a_restore_every_answer_is_that_of_services_started_on_the_log(
    tmp_path: Path, far: bool
) -> None:
    url = f"sqlite:///{tmp_path / 'bitacora.db'}"
    async with House(tmp_path).open() as house:
        story = await stories.tell(house)
        head = await house.settled()
        before = await answers(house, story)
        pages = await next_pages(house, story)
        assert {path.partition("?")[0] for path in pages} >= {
            "/v1/board",
            "/v1/decisions",
            "/v1/decisions/changes",
        }
        version = (await house.read("commitments", "/v1/commitments/OPEN-1"))["version"]
        cut = beginning_of_open(url) if far else head * 2 // 3
        run_sql(url, "DELETE FROM stored_events WHERE notification_id > %s", cut)
        late = await house.ask("reporting", "GET", f"/v1/board?wait_for={head}")
        assert refused(late)[0] == 503, "what is waited for is gone"
        await ready(house)
        if far:
            # What was known of these versions is of another history now.
            for number in range(2, version + 1):
                again = {"judgement": "at_risk", "reason": f"Told again as version {number}"}
                await house.tell("commitments", "/v1/commitments/OPEN-1/assessments", again)
        end = await house.settled()
        assert cut <= end < head
        for path in (f"/v1/events?after={head}", f"/v1/decisions/changes?after={head}"):
            gone = await house.ask("reporting", "GET", path, role=Role.AUDITOR)
            assert refused(gone) == (422, "position-to-come")
        for path in pages:
            refusal = refused(await house.ask("reporting", "GET", path))
            assert refusal == (422, "cursor-of-another-log"), path
        running = await answers(house, story)
        async with House(tmp_path).open(worker=False) as fresh:
            assert await answers(fresh, story) == running
        assert running != before
        await house.tell("commitments", "/v1/commitments/OPEN-1/comments", {"text": "We go on from here"})
        assert await house.settled() == end + 1
    with closing(open_store(url)) as store:
        assert verify(store).sound


async def test_while_the_log_is_taken_up_anew_nothing_is_answered_and_readiness_says_why(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'bitacora.db'}"
    async with House(tmp_path).open() as house:
        await stories.tell(house)
        head = await house.settled()
        # Without its revision the log cannot be taken up: what lasts a moment lasts until it is back.
        run_sql(url, "UPDATE log_version SET version_num = '0001'")
        run_sql(url, "DELETE FROM stored_events WHERE notification_id = %s", head)
        for service, path in (
            ("commitments", "/v1/commitments/OPEN-1"),
            ("meetings", "/v1/bodies"),
            ("reporting", "/v1/board"),
        ):
            live: LiveLog = house.apps[service].state.live
            await until(partial(getattr, live, "restarts"))
            answer = await house.ask(service, "GET", path)
            assert refused(answer) == (503, "log-went-back")
            assert int(answer.headers["retry-after"]) >= 1
            checks = (await house.ask(service, "GET", "/health/ready", credentials={})).json()["checks"]
            assert checks["log"]["status"] == "failed"
            assert f"read in it at position {head}" in checks["log"]["detail"]
        written = await house.ask(
            "commitments", "POST", "/v1/commitments/OPEN-1/comments", {"text": "No"}, If_Match="*"
        )
        assert refused(written) == (503, "log-went-back")
        run_sql(url, "UPDATE log_version SET version_num = %s", REVISION)
        await ready(house)
