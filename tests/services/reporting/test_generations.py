"""Generations of the read model: migrated, followed by one worker or two, killed, rebuilt and swapped under readers."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from services.reporting.projections.changes import RowChanges
from services.reporting.queries.board import board_as_of, grouped_board_as_of
from services.reporting.queries.moments import AsOf
from services.reporting.queries.scope import EVERYTHING
from services.reporting.read_model import OvertakenError, RebuildUnderWayError
from services.reporting.tables import VERSION_TABLE, metadata
from shared.clock import Clock
from shared.errors import BitacoraError, CorruptEvent
from shared.eventlog.envelope import NewEvent
from shared.events.commitments import Assessed, Corrected, DeadlineRevised, OrganizationRegistered, Registered
from shared.events.facts import Event
from shared.events.streams import stream_of
from shared.events.vocabulary import DeadlineKind, Judgement
from tests.services.reporting.stage import ACTOR, Stage, read_model_url, rows_of, staged

DAY = date(2012, 5, 21)


@pytest.fixture
def stage(log_url: str) -> Iterator[Stage]:
    """An empty log and read model."""
    with staged(log_url) as made:
        yield made


def story(seed: int, commitments: int, events: int) -> list[tuple[str, Event]]:
    """Commitments that are registered, judged and postponed, now and then with a day in the past."""
    draw = random.Random(seed)
    told: list[tuple[str, Event]] = [
        (
            f"C-{n:03d}",
            Registered(code=f"C-{n:03d}", title=f"No. {n}", lead_organization="MOP", effective_on=DAY),
        )
        for n in range(commitments)
    ]
    for _ in range(events):
        code, day = f"C-{draw.randrange(commitments):03d}", DAY + timedelta(days=draw.randrange(400))
        if draw.random() < 0.6:
            told.append((code, Assessed(effective_on=day, judgement=draw.choice(list(Judgement)))))
        elif draw.random() < 0.8:
            later = day + timedelta(days=draw.randrange(1, 300))
            told.append(
                (
                    code,
                    DeadlineRevised(deadline=DeadlineKind.PUBLIC, on=later, effective_on=day, reason="late"),
                )
            )
        else:
            told.append(
                (code, Corrected(field="pillar", value=draw.choice(["health", "growth"]), reason="wrong"))
            )
    return told


def test_the_migrations_make_the_tables_of_the_code(stage: Stage) -> None:
    with stage.read_model.reading() as reading:
        found = compare_metadata(_context(reading.connection, reading.generation), metadata)
    assert found == []


def _context(connection: Connection, generation: str) -> MigrationContext:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET search_path TO {generation}")
    return MigrationContext.configure(
        connection,
        opts={
            "version_table": VERSION_TABLE,
            "compare_type": True,
            "include_name": lambda name, kind, _: kind != "table" or name in metadata.tables,
        },
    )


def test_a_service_is_not_ready_before_the_read_model_is_made_or_when_it_is_behind(stage: Stage) -> None:
    stage.read_model.check_ready()
    stage.read_model.migrate()
    generation = stage.read_model.live()
    assert generation is not None
    _execute(stage, generation, f"UPDATE {VERSION_TABLE} SET version_num = '0000'")  # noqa: S608 - our own name
    with pytest.raises(BitacoraError) as caught:
        stage.read_model.check_ready()
    assert caught.value.code == "read-model-out-of-date"


def _execute(stage: Stage, generation: str, statement: str) -> None:
    from sqlalchemy import create_engine

    url = read_model_url(stage.log_url)
    if url.startswith("sqlite:///"):
        engine = create_engine(f"{url}/{generation}")
    else:
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        statement = statement.replace(VERSION_TABLE, f"{generation}.{VERSION_TABLE}")
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def test_several_may_migrate_at_once(log_url: str) -> None:
    with staged(log_url) as stage:
        generation = stage.read_model.live()
        failures: list[BaseException] = []

        def migrate() -> None:
            try:
                stage.read_model.migrate()
            except BaseException as error:
                failures.append(error)
                raise

        threads = [threading.Thread(target=migrate) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert stage.read_model.live() == generation


def test_rows_and_position_go_in_together_or_not_at_all(stage: Stage) -> None:
    generation = stage.read_model.live()
    assert generation is not None
    first, second = stage.read_model.writer(generation), stage.read_model.writer(generation)
    changes = RowChanges()
    changes.added["names"].append(("pillar", "p", "Pillar", 1, 1, 2**63 - 1))
    try:
        assert first.position() == second.position() == 0
        first.write(changes, before=0, after=1)
        with pytest.raises(OvertakenError):
            second.write(changes, before=0, after=1)
        broken = RowChanges()
        broken.added["names"].append(("pillar", "p", "Pillar", 1, 1, 2**63 - 1))  # the same key again
        with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
            second.write(broken, before=1, after=2)
        assert first.position() == 1
        assert len(stage.rows()["names"]) == 1
    finally:
        first.close()
        second.close()


def test_two_workers_at_once_apply_every_event_once(stage: Stage) -> None:
    stage.start_worker(capacity=3)
    stage.start_worker()
    told = story(1, 6, 300)
    for start in range(0, len(told), 5):
        stage.append(*told[start : start + 5])
        time.sleep(0.002)
    stage.wait()
    stage.stop_workers()
    followed = stage.rows()
    stage.rebuild()
    assert stage.rows() == followed


def test_events_of_unknown_types_move_the_position_on(stage: Stage) -> None:
    class Landed(Event, frozen=True, kw_only=True):
        TYPE = "astronauts.landed"

    stage.append(("C-1", Registered(code="C-1", title="t", lead_organization="MOP", effective_on=DAY)))
    appended = stage.append(("moon", Landed()), kind="place")
    stage.follow()
    assert stage.reached() == appended.last


def test_a_rebuild_is_done_by_one_process_at_a_time(stage: Stage) -> None:
    with stage.read_model.rebuilding(), pytest.raises(RebuildUnderWayError):
        stage.rebuild()
    stage.rebuild()


def test_reads_go_on_while_the_read_model_is_rebuilt_and_swapped(stage: Stage) -> None:
    stage.append(*story(4, 20, 600))
    stage.start_worker()
    stage.wait()
    at = AsOf(DAY + timedelta(days=200), stage.store.head() - 150, None)
    with stage.read_model.reading() as reading:
        listed = board_as_of(reading, at, EVERYTHING, {}, limit=200)
        grouped = grouped_board_as_of(reading, at, EVERYTHING, {}, ["pillar", "status"])
    stop = threading.Event()
    failures: list[BaseException] = []
    generations: list[str] = []
    positions: list[int] = []

    def read() -> None:
        try:
            while not stop.is_set():
                with stage.read_model.reading() as reading:
                    assert board_as_of(reading, at, EVERYTHING, {}, limit=200) == listed
                    assert grouped_board_as_of(reading, at, EVERYTHING, {}, ["pillar", "status"]) == grouped
                    generations.append(reading.generation)
                    positions.append(reading.position)
        except BaseException as error:
            failures.append(error)
            raise

    def write() -> None:
        for event in story(5, 20, 100_000)[20:]:
            stage.append(event)
            if stop.wait(0.001):
                return

    threads = [threading.Thread(target=read), threading.Thread(target=write)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(4):
            stage.rebuild()
            stage.wait()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert positions == sorted(positions), "what was on the board vanished again"
    assert len(set(generations)) >= 3
    stage.append(*story(6, 20, 1)[20:])
    stage.wait()
    stage.stop_workers()
    followed = stage.rows()
    stage.rebuild()
    assert stage.rows() == followed


def test_a_worker_killed_at_any_moment_leaves_what_an_undisturbed_one_makes(stage: Stage) -> None:
    stop = threading.Event()

    def write() -> None:
        told = story(8, 60, 20_000)
        for start in range(0, len(told), 4):
            stage.append(*told[start : start + 4])
            if stop.wait(0.005):
                return

    writer = threading.Thread(target=write)
    writer.start()
    draw = random.Random(9)
    try:
        for _ in range(4):
            with worker_process(stage) as worker:
                before = stage.reached()
                deadline = time.monotonic() + 60
                while stage.reached() == before and worker.poll() is None:
                    assert time.monotonic() < deadline, "the worker does not get on"
                    time.sleep(0.002)
                time.sleep(draw.uniform(0, 0.15))
            assert worker.returncode == -signal.SIGKILL
    finally:
        stop.set()
        writer.join()
    stage.follow()
    followed = stage.rows()
    stage.rebuild()
    assert stage.rows() == followed


def test_a_worker_told_to_stop_stops_in_good_order(stage: Stage) -> None:
    stage.append(*story(10, 5, 50))
    with worker_process(stage) as worker:
        stage.wait()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0


def test_a_worker_survives_a_restart_of_the_database(private_postgres: object) -> None:
    from tests.support.postgres import PostgresServer

    assert isinstance(private_postgres, PostgresServer)
    with staged(private_postgres.url) as stage:
        stage.start_worker()
        stage.append(*story(11, 5, 50))
        stage.wait()
        private_postgres.stop()
        with pytest.raises(BitacoraError) as caught:
            stage.reached()
        assert caught.value.code == "read-model-unavailable"
        private_postgres.start()
        deadline = time.monotonic() + 20
        while True:
            try:
                stage.append_new(
                    [
                        NewEvent(
                            stream_id=stream_of("organization", "MOP"),
                            version=1,
                            recorded_by=ACTOR,
                            correlation_id="c",
                            data=OrganizationRegistered(code="MOP", name="Public Works"),
                        )
                    ]
                )
                break
            except (BitacoraError, psycopg.Error):
                assert time.monotonic() < deadline
                time.sleep(0.2)
        stage.wait()
        stage.stop_workers()
        followed = rows_of(stage.read_model)
        assert len(followed["names"]) == 1
        stage.rebuild()
        assert rows_of(stage.read_model) == followed


@contextmanager
def worker_process(stage: Stage) -> Iterator[subprocess.Popen[bytes]]:
    """The worker as it is run in earnest; killed when the test is done with it."""
    environment = {
        **os.environ,
        "BITACORA_LOG_URL": stage.log_url,
        "BITACORA_READ_MODEL_URL": read_model_url(stage.log_url),
        "BITACORA_LOG_LEVEL": "error",
    }
    worker = subprocess.Popen([sys.executable, "-m", "services.reporting.follow"], env=environment)
    try:
        yield worker
    finally:
        worker.kill()
        worker.wait()


def test_a_worker_that_meets_a_corrupt_event_has_written_what_precedes_it(stage: Stage) -> None:
    stage.append(*story(12, 2, 5))
    bad = stage.append(("C-000", Corrected(field="effective_on", value="the day before", reason="r")))
    stage.append(("C-001", Assessed(effective_on=DAY, judgement=Judgement.AT_RISK)))
    from services.reporting.follow import Worker

    with pytest.raises(CorruptEvent) as caught:
        Worker(stage.store, stage.read_model, Clock()).run()
    assert caught.value.position == bad.first
    assert stage.reached() == bad.first - 1
    assert len(stage.rows()["descriptions"]) == 2
    with pytest.raises(CorruptEvent):
        stage.rebuild()
    assert stage.reached() == bad.first - 1
