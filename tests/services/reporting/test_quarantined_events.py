"""The read model, the commands and the API where one event cannot be read: stuck before it, and whole without it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import app, unreadable
from shared.clock import utc_now
from shared.errors import CorruptEvent
from shared.eventlog.open import open_store
from shared.eventlog.quarantine import quarantine
from shared.events.commitments import Assessed, ProgressReported, ProgressReviewed
from shared.events.vocabulary import Judgement, ReviewOutcome
from shared.identity.actor import Role
from tests.services.commitments.installation import Installation, refused
from tests.services.reporting.installation import Installation as Asking
from tests.services.reporting.stage import ACTOR, Stage, read_model_url, staged
from tests.services.reporting.test_generations import DAY, story
from tests.support.damage import damage, spoil


@pytest.fixture
def stage(log_url: str) -> Iterator[Stage]:
    with staged(log_url) as made:
        yield made


def until(condition: Callable[[], object]) -> None:
    """Wait for a worker, as long as it takes within reason."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.005)


def put_aside(stage: Stage, position: int) -> int:
    """As the command does; where the log says so."""
    return quarantine(stage.store, position, reason="a bad disk", actor=ACTOR, now=utc_now).at


def test_the_worker_stands_before_it_and_goes_on_once_it_is_put_aside(stage: Stage) -> None:
    stage.append(*story(12, 3, 6))
    bad = stage.append(("C-001", Assessed(effective_on=DAY, judgement=Judgement.AT_RISK))).last
    stage.append(("C-001", Assessed(effective_on=DAY, judgement=Judgement.ON_TRACK)))
    damage(stage.log_url, bad, spoil)
    stage.start_worker()
    try:
        until(lambda: stage.reading().stopped_because)
        assert str(bad) in (stage.reading().stopped_because or "")
        with pytest.raises(CorruptEvent) as met:
            stage.rebuild()
        assert f"position {bad} cannot be read" in unreadable(met.value)
        put_aside(stage, bad)
        stage.wait()
    finally:
        stage.stop_workers()
    followed = stage.rows()
    stage.rebuild()
    assert stage.rows() == followed


def test_what_was_projected_before_the_damage_is_built_anew_without_it(stage: Stage) -> None:
    stage.append(*story(12, 3, 6))
    bad = stage.append(("C-001", Assessed(effective_on=DAY, judgement=Judgement.AT_RISK))).last
    stage.append(("C-002", Assessed(effective_on=DAY, judgement=Judgement.AT_RISK)))
    stage.follow()
    before, generation = stage.rows(), stage.read_model.live()
    damage(stage.log_url, bad, spoil)
    stage.start_worker()
    try:
        put_aside(stage, bad)
        stage.wait()
        assert stage.read_model.live() != generation
    finally:
        stage.stop_workers()
    followed = stage.rows()
    assert followed != before
    stage.rebuild()
    assert stage.rows() == followed


def test_the_commands_say_what_is_wrong_in_sentences_and_put_it_aside(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BITACORA_LOG_URL", stage.log_url)
    monkeypatch.setenv("BITACORA_READ_MODEL_URL", read_model_url(stage.log_url))
    monkeypatch.setenv("BITACORA_DATA_DIR", str(tmp_path))
    run = CliRunner().invoke
    assert run(app, ["verify"]).exit_code == 1, "what holds nothing is not called sound"
    stage.append(*story(12, 3, 6))
    assert "The log is sound." in run(app, ["verify"]).output
    damage(stage.log_url, 4, spoil)
    found = run(app, ["verify"])
    assert found.exit_code == 1
    stream = stage.store.read_as_it_lies(3, 1)[0].stream_id
    assert f"position 4, stream {stream}: JSON is malformed" in " ".join(found.output.split())
    assert isinstance(run(app, ["rebuild"]).exception, CorruptEvent), "which ends the program with a sentence"
    assert run(app, ["quarantine", "4", "--reason", "a bad disk"]).exit_code == 0
    assert run(app, ["rebuild"]).exit_code == 0
    found = run(app, ["verify"])
    assert found.exit_code == 0
    assert "a bad disk" in found.output
    assert "sound, but for what is put aside" in found.output


async def test_only_what_rests_on_it_is_not_answered_and_then_says_what_it_is_without(
    log_url: str, tmp_path: Path
) -> None:
    installation = Installation(tmp_path, log_url)
    async with installation.running() as here:
        await here.told("PUT", "/v1/organizations/DCI", {"name": "DCI"})
        for code in ("A", "B"):
            body = {"code": code, "title": code, "lead_organization": "DCI", "effective_on": "2012-01-01"}
            await here.told("POST", "/v1/commitments", body)
            for remark in ("one", "two"):
                await here.told("POST", f"/v1/commitments/{code}/comments", {"text": remark}, if_match="*")
    damage(log_url, 4, spoil)
    async with Installation(tmp_path, log_url).running() as here:
        assert refused(await here.ask("GET", "/v1/commitments/A")) == (503, "event-unreadable")
        assert (await here.ask("GET", "/v1/commitments/B")).status_code == 200
        ready = (await here.ask("GET", "/health/ready")).json()
        assert "the event at position 4" in ready["checks"]["log"]["detail"]
        with closing(open_store(log_url)) as store:
            quarantine(store, 4, reason="a bad disk", actor=ACTOR, now=utc_now)
        answer = await here.ask("GET", "/v1/commitments/A?wait_for=8")
        assert (answer.status_code, answer.headers["quarantined-events"]) == (200, "1")
        tag = answer.headers["etag"]
        assert tag.startswith('"3-')
        assert (await here.ask("GET", "/v1/commitments/A", if_none_match=tag)).status_code == 304
        assert (await here.ask("GET", "/v1/commitments/A", if_none_match='"3"')).status_code == 200
        assert "quarantined-events" not in (await here.ask("GET", "/v1/commitments/B")).headers
        written = await here.told("POST", "/v1/commitments/A/comments", {"text": "on"}, if_match=tag)
        assert written.headers["etag"] == '"4"'
        history = await here.read("/v1/commitments/A/history", role=Role.AUDITOR)
        assert [item["type"] for item in history["items"]][2] == "log.event_unreadable"


async def test_a_line_damaged_under_running_services_is_refused_wherever_it_would_be_shown(
    log_url: str, tmp_path: Path
) -> None:
    installation = Installation(tmp_path, log_url)
    async with installation.running() as here:
        await here.told("PUT", "/v1/organizations/DCI", {"name": "DCI"})
        body = {"code": "A", "title": "A", "lead_organization": "DCI", "effective_on": "2012-01-01"}
        await here.told("POST", "/v1/commitments", body)
        for remark in ("one", "two", "three"):
            await here.told("POST", "/v1/commitments/A/comments", {"text": remark}, if_match="*")
        head = int((await here.ask("GET", "/v1/commitments/A")).headers["log-position"])
        damage(log_url, head - 1, lambda line: line.replace(b'"text":"two"', b'"text":2'))
        for role in (Role.AUDITOR, Role.MINISTRY):
            answer = await here.ask("GET", "/v1/commitments/A/history?limit=3", role=role)
            assert refused(answer) == (503, "event-unreadable"), role
        assert (await here.ask("GET", "/v1/commitments/A/history?limit=1")).status_code == 200
        assert (
            f"position {head - 1}"
            in (await here.ask("GET", "/health/ready")).json()["checks"]["log"]["detail"]
        )


async def test_the_feed_hands_out_what_comes_before_it_and_then_says_that_it_cannot_be_read(
    log_url: str, tmp_path: Path
) -> None:
    with staged(log_url) as stage:
        stage.append(*story(12, 3, 6))
        head = stage.store.head()
        stage.follow()
        damage(log_url, head - 1, spoil)
        before = [line for _, line in stage.store.read(head - 4, 2)]
        async with Asking(tmp_path, stage).running() as here:
            answer = await here.get(f"/v1/events?after={head - 4}", role=Role.AUDITOR)
            assert (answer.status_code, answer.content.splitlines()) == (200, before)
            stream = await here.get(
                f"/v1/events?after={head - 4}", role=Role.AUDITOR, Accept="text/event-stream"
            )
            assert [line for line in stream.content.splitlines() if line.startswith(b"data: ")] == [
                b"data: " + line for line in before
            ]
            assert stream.text.endswith(
                f"\n\n: event-unreadable: the event at position {head - 1} cannot be read\n\n"
            )
            for accept in ("application/jsonl", "text/event-stream"):
                answer = await here.get(f"/v1/events?after={head - 2}", role=Role.AUDITOR, Accept=accept)
                assert refused(answer) == (503, "event-unreadable")
            put_aside(stage, head - 1)
            deadline = time.monotonic() + 60
            while len(answer.content.splitlines()) < 5:
                assert time.monotonic() < deadline, "it never went on"
                await asyncio.sleep(0.01)
                answer = await here.get(f"/v1/events?after={head - 4}", role=Role.AUDITOR)


WITHOUT_IT = (
    "/v1/board",
    "/v1/board/changes?from=2012-01-01&to=2013-01-01",
    "/v1/commitments",
    "/v1/exports/board.csv",
    "/v1/plan-profile",
    "/v1/tree",
    "/v1/commitments/C-001",
    "/",
    "/commitments",
    "/commitments/C-001",
)
"""Answers that may rest on what was put aside of C-001."""


async def test_boards_lists_tables_and_pages_say_to_who_may_know_how_much_they_are_without(
    log_url: str, tmp_path: Path
) -> None:
    with staged(log_url) as stage:
        bad = stage.append(
            *story(12, 3, 6), ("C-001", Assessed(effective_on=DAY, judgement=Judgement.AT_RISK))
        ).last
        stage.follow()
        async with Asking(tmp_path, stage).running() as here:

            async def without(path: str) -> str | None:
                page = path.startswith(("/commitments", "/?")) or path == "/"
                answer = await here.get(path, Accept="text/html" if page else "*/*")
                assert answer.status_code == 200, (path, answer.text)
                said: str | None = answer.headers.get("quarantined-events")
                return said

            assert {await without(path) for path in WITHOUT_IT} == {None}
            tag = (await here.get("/v1/board")).headers["etag"]
            damage(log_url, bad, spoil)
            put_aside(stage, bad)
            stage.follow()
            stage.rebuild()
            assert {path: await without(path) for path in WITHOUT_IT} == dict.fromkeys(WITHOUT_IT, "1")
            held = await here.get("/v1/board", If_None_Match=tag)
            assert held.status_code == 200, "it says more than what they hold, if only of itself"
            assert "cannot be read" in (await here.get("/?lang=en", Accept="text/html")).text
            assert await without(f"/v1/board?position={bad - 1}") is None, (
                "as known before, it rests on nothing else"
            )
            assert await without("/v1/commitments/C-002") is None
            for path in WITHOUT_IT:
                other = await here.get(path, role=Role.MINISTRY, organization="MOF", Accept="*/*")
                assert "quarantined-events" not in other.headers, "it may have been no event for them"


async def test_a_review_counts_for_no_report_that_was_recorded_after_it(log_url: str, tmp_path: Path) -> None:
    def report(percent: int) -> tuple[str, ProgressReported]:
        return "C-000", ProgressReported(
            number=1, period="2012-Q3", effective_on=DAY, percent=Decimal(percent), received_on=DAY
        )

    with staged(log_url) as stage:
        bad = stage.append(*story(12, 1, 0), report(40)).last
        stage.append(("C-000", ProgressReviewed(report=1, outcome=ReviewOutcome.ACCEPTED)))
        damage(log_url, bad, spoil)
        put_aside(stage, bad)
        stage.append(report(90))
        stage.follow()
        async with Asking(tmp_path, stage).running() as here:
            answer = await here.get("/v1/commitments/C-000")
            assert answer.json()["accepted_reports"] == []
            assert answer.headers["quarantined-events"] == "1"
            assert (await here.get("/v1/commitments/C-000/timeline")).headers["quarantined-events"] == "1"
            for path in ("/v1/commitments/C-000", "/v1/commitments/C-000/timeline"):
                other = await here.get(path, role=Role.MINISTRY, organization="MOF")
                assert other.status_code == 200
                assert "quarantined-events" not in other.headers, "it may have been no event for them"
            (told,) = (await here.read("/v1/progress-reports"))["items"]
            assert (told["number"], told["review"]) == (1, None)
            stage.append(("C-000", ProgressReviewed(report=1, outcome=ReviewOutcome.ACCEPTED)))
            stage.follow()
            (accepted,) = (await here.read("/v1/commitments/C-000"))["accepted_reports"]
            assert accepted["percent"] == 90
        async with Installation(tmp_path, log_url).running() as recording:
            (told,) = (await recording.read("/v1/commitments/C-000"))["progress_reports"]
            assert told["review"]["outcome"] == "accepted"
            (told,) = (await recording.read("/v1/commitments/C-000?version=4"))["progress_reports"]
            assert told["review"] is None
