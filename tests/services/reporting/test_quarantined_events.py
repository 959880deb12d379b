"""The read model, the commands and the API where one event cannot be read: stuck before it, and whole without it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import app, unreadable
from shared.clock import utc_now
from shared.errors import CorruptEvent
from shared.eventlog.open import open_store
from shared.eventlog.quarantine import quarantine
from shared.events.commitments import Assessed
from shared.events.vocabulary import Judgement
from shared.identity.actor import Role
from tests.services.commitments.installation import Installation, refused
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
