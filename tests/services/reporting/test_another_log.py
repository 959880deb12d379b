"""The read model knows which log it was made of: of another one it is built anew, and never told as if it were true."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date

import pytest

from services.reporting.rebuild import build_missing
from shared.clock import Clock
from shared.eventlog.envelope import Bookmark
from shared.events.commitments import Assessed, Registered
from shared.events.facts import Event
from shared.events.vocabulary import Judgement
from tests.services.reporting.stage import Stage, rows_of, staged
from tests.support.ledger import run_sql

DAY = date(2012, 5, 21)


@pytest.fixture
def stage(log_url: str) -> Iterator[Stage]:
    """A log that was followed for a while."""
    with staged(log_url) as made:
        for n in range(6):
            made.append(*told(n, "before"))
        made.follow()
        yield made


def told(n: int, title: str) -> list[tuple[str, Event]]:
    """Two events of one commitment."""
    code = f"C-{n}"
    return [
        (code, Registered(code=code, title=title, lead_organization="MOP", effective_on=DAY)),
        (code, Assessed(effective_on=DAY, judgement=Judgement.AT_RISK)),
    ]


def shorter(stage: Stage) -> None:
    """The newest events are gone."""
    run_sql(stage.log_url, "DELETE FROM stored_events WHERE notification_id > 5")


def as_long(stage: Stage) -> None:
    """Another history of equal length."""
    run_sql(stage.log_url, "DELETE FROM stored_events WHERE notification_id > 4")
    run_sql(stage.log_url, "DELETE FROM codes")
    for n in range(4):
        stage.append(*told(n + 20, "after"))
    assert stage.store.head() == 12


def longer(stage: Stage) -> None:
    """Another history, which has gone on since."""
    as_long(stage)
    stage.append(*told(30, "after"))


def is_true(stage: Stage) -> bool:
    """Whether what is read follows this log up to its end."""
    reading = stage.reading()
    return Bookmark(reading.position, reading.identity) == stage.store.bookmark()


@pytest.mark.parametrize("running", [True, False], ids=["under the worker", "while it was away"])
@pytest.mark.parametrize("restored", [shorter, as_long, longer])
def test_the_worker_builds_it_anew(stage: Stage, restored: Callable[[Stage], None], running: bool) -> None:
    before = stage.reading().generation
    if running:
        stage.start_worker()
    restored(stage)
    if not running:
        assert not is_true(stage)
        stage.start_worker()
    try:
        deadline = time.monotonic() + 60
        while not is_true(stage):
            assert time.monotonic() < deadline, stage.failure
            time.sleep(0.01)
        stage.append(*told(40, "since"))
        stage.wait()
    finally:
        stage.stop_workers()
    followed = stage.rows()
    assert stage.reading().generation != before
    stage.rebuild()
    assert rows_of(stage.read_model) == followed


def test_migrating_after_a_restore_builds_it_anew(stage: Stage) -> None:
    longer(stage)
    build_missing(stage.store, stage.read_model, Clock())
    assert is_true(stage)
    generation = stage.reading().generation
    build_missing(stage.store, stage.read_model, Clock())
    assert stage.reading().generation == generation
