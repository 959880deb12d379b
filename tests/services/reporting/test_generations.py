"""Generations of the read model: migrated, followed by one worker or two, killed, rebuilt and swapped under readers."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest

from services.reporting.datasets import DATASETS, PROJECTIONS, Dataset, Schema
from services.reporting.follow import FIRST_ANALYSIS
from services.reporting.generations import open_read_model
from services.reporting.generations.interface import OvertakenError, RebuildUnderWayError
from services.reporting.projections.differ import RowChanges
from services.reporting.queries.board import board_as_of, grouped_board_as_of
from services.reporting.queries.moments import AsOf
from services.reporting.rebuild import build_missing, rebuild
from shared.clock import Clock
from shared.errors import BitacoraError, CorruptEvent, Unavailable
from shared.eventlog.envelope import BEGINNING, Bookmark, NewEvent
from shared.events.commitments import Assessed, Corrected, DeadlineRevised, OrganizationRegistered, Registered
from shared.events.facts import Event
from shared.events.streams import stream_of
from shared.events.vocabulary import DeadlineKind, Judgement
from tests.services.reporting.stage import ACTOR, EVERYTHING, SCHEMA, Stage, read_model_url, rows_of, staged
from tests.support.ledger import run_sql

DAY = date(2012, 5, 21)
ONE = Bookmark(1, "one")


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


def test_another_declaration_or_projection_or_time_zone_is_another_read_model() -> None:
    zone = "America/Santiago"
    found = {
        Schema(zone).fingerprint,
        Schema("Europe/Madrid").fingerprint,
        Schema(zone, projections=PROJECTIONS + 1).fingerprint,
        Schema(zone, DATASETS[:-1]).fingerprint,
        Schema(zone, (*DATASETS, Dataset("more", "id: id"))).fingerprint,
    }
    assert len(found) == 5
    assert Schema(zone).fingerprint == Schema(zone, DATASETS).fingerprint


def test_a_service_has_no_answer_before_a_generation_of_its_own_is_complete(log_url: str) -> None:
    read_model = open_read_model(read_model_url(log_url), SCHEMA)
    read_model.prepare()
    with pytest.raises(Unavailable, match="no read model yet"), read_model.reading():
        pass
    with staged(log_url) as stage:
        other = open_read_model(read_model_url(log_url), Schema("Europe/Madrid"))
        with pytest.raises(Unavailable, match="another version"), other.reading():
            pass
        with other.building():
            other.begin()
            with pytest.raises(Unavailable, match="another version"), other.reading():
                pass
        build_missing(stage.store, other, Clock("Europe/Madrid"))
        with other.reading() as reading:
            assert reading.position == stage.store.head()
        other.close()
    read_model.close()


def test_what_a_version_before_fingerprints_left_stays_until_a_third_version_comes(log_url: str) -> None:
    _make_legacy(log_url)
    assert _has_legacy(log_url)
    with staged(log_url) as stage:
        assert _has_legacy(log_url), "the services of that version still answer from it"
        stage.append(*story(14, 3, 5))
        third = open_read_model(read_model_url(log_url), Schema("Europe/Madrid"))
        build_missing(stage.store, third, Clock("Europe/Madrid"))
        assert not _has_legacy(log_url)
        assert stage.reached() == 0, "of the other versions the newest is kept"
        with third.reading() as reading:
            assert reading.position == stage.store.head()
        third.close()


def _make_legacy(log_url: str) -> None:
    """What the pointer and the generation of a version without fingerprints look like."""
    url = read_model_url(log_url)
    if url.startswith("sqlite:///"):
        folder = Path(url.removeprefix("sqlite:///"))
        folder.mkdir(parents=True)
        (folder / "live").write_text("generation-00c0ffee.db")
        sqlite3.connect(folder / "generation-00c0ffee.db").close()
        return
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA reporting")
        connection.execute(
            "CREATE TABLE reporting.live_generation (id smallint PRIMARY KEY, name text NOT NULL)"
        )
        connection.execute("INSERT INTO reporting.live_generation VALUES (1, 'reporting_00c0ffee')")
        connection.execute("CREATE SCHEMA reporting_00c0ffee")
        connection.execute("CREATE TABLE reporting_00c0ffee.projection_state (position bigint)")


def _has_legacy(log_url: str) -> bool:
    url = read_model_url(log_url)
    if url.startswith("sqlite:///"):
        folder = Path(url.removeprefix("sqlite:///"))
        there = {(folder / name).exists() for name in ("live", "generation-00c0ffee.db")}
    else:
        with psycopg.connect(url) as connection:
            names = ("reporting.live_generation", "reporting_00c0ffee.projection_state")
            rows = [connection.execute("SELECT to_regclass(%s)", (name,)).fetchone() for name in names]
            there = {row is not None and row[0] is not None for row in rows}
    assert len(there) == 1, "the pointer and the generation go together"
    return there.pop()


def test_several_may_build_what_is_missing_at_once(log_url: str) -> None:
    with staged(log_url) as stage:
        other = open_read_model(read_model_url(log_url), Schema("Europe/Madrid"))
        built: list[str | None] = []
        failures: list[BaseException] = []

        def migrate() -> None:
            try:
                build_missing(stage.store, other, Clock("Europe/Madrid"), wait=True)
                built.append(other.live())
            except BaseException as error:
                failures.append(error)
                raise

        threads = [threading.Thread(target=migrate) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        other.close()
        assert failures == []
        assert len(built) == 2
        assert len(set(built)) == 1


def test_rows_and_position_go_in_together_or_not_at_all(stage: Stage) -> None:
    generation = stage.read_model.live()
    assert generation is not None
    first, second = stage.read_model.writer(generation), stage.read_model.writer(generation)
    changes = RowChanges()
    changes.added["names"] = [("pillar", "p", date.min, date.max, "Pillar", 1, 1, 2**63 - 1)]
    try:
        assert first.progress().bookmark == second.progress().bookmark == BEGINNING
        first.write(changes, before=0, after=ONE)
        with pytest.raises(OvertakenError):
            second.write(changes, before=0, after=ONE)
        broken = RowChanges()
        broken.added["names"] = [
            ("pillar", "p", date.min, date.max, "Pillar", 1, 1, 2**63 - 1)
        ]  # the same key again
        with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
            second.write(broken, before=1, after=Bookmark(2, "two"))
        assert first.progress().bookmark == ONE
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
    with stage.read_model.building(), pytest.raises(RebuildUnderWayError):
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
        for event in story(5, 20, 3_000)[20:]:
            stage.append(event)
            if stop.wait(0.005):
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
            # There is always something to follow, and never more than a worker takes in while it starts.
            while stage.store.head() - stage.reached() > 400:
                if stop.wait(0.01):
                    return
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


def test_an_event_that_cannot_be_projected_stops_the_read_model_before_it_and_says_so(stage: Stage) -> None:
    stage.append(*story(12, 2, 5))
    bad = stage.append(("C-000", Corrected(field="effective_on", value="the day before", reason="r")))
    stage.append(("C-001", Assessed(effective_on=DAY, judgement=Judgement.AT_RISK)))
    stage.start_worker()
    try:
        while stage.reading().stopped_because is None:
            time.sleep(0.003)
    finally:
        stage.stop_workers()
    assert stage.failure is None
    assert stage.reading()[2:5] == (
        bad.first - 1,
        stage.store.identity_at(bad.first - 1),
        f"the event at position {bad.first} cannot be read",
    )
    assert len(stage.rows()["commitments"]) == 2
    with pytest.raises(CorruptEvent):
        stage.rebuild()
    assert stage.reached() == bad.first - 1


def test_one_answer_is_of_one_position_even_while_the_log_crosses_a_power_of_two(stage: Stage) -> None:
    codes = [f"C-{number}" for number in range(7)]
    stage.append(
        *(
            (code, Registered(code=code, title=code, lead_organization="MOP", effective_on=DAY))
            for code in codes
        )
    )
    stage.start_worker()
    stage.wait()
    at = AsOf(DAY, 7, None)
    with stage.read_model.reading() as reading:
        assert reading.position == 7
        stage.append(("C-1", Assessed(effective_on=DAY, judgement=Judgement.AT_RISK)))
        stage.append(("C-2", Assessed(effective_on=DAY, judgement=Judgement.AT_RISK)))
        stage.wait()
        board = board_as_of(reading, at, EVERYTHING, {})
    assert [item.code for item in board.items] == codes
    assert board.totals.registered == 7


def test_a_read_model_that_grows_is_analysed_as_it_grows(stage: Stage) -> None:
    stage.start_worker()
    stage.append(*story(13, 20, FIRST_ANALYSIS))
    stage.wait()
    generation = stage.read_model.live()
    assert generation is not None
    writer = stage.read_model.writer(generation)
    try:
        while not writer.progress().analyzed_at:
            time.sleep(0.003)
    finally:
        writer.close()


def test_a_rebuild_does_not_hang_on_a_reader_of_the_old_generation_but_names_it_and_leaves_that_for_later(
    postgres_url: str,
) -> None:
    notices: list[str] = []

    def rebuilt(stage: Stage) -> None:
        rebuild(
            stage.store,
            stage.read_model,
            Clock(),
            lambda progress: notices.append(progress.notice or ""),
            grace=0,
            patience=1.5,
        )

    with staged(postgres_url) as stage:
        with stage.read_model.reading() as reading:
            old = reading.generation
            pid = reading.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            rebuilt(stage)
            told = dict.fromkeys(notices)
            reader = f"{old}, which session {pid} (bitacora of 127.0.0.1) read."
            assert list(told) == ["", f"Waiting to remove {reader}", f"Left for the next rebuild: {reader}"]
            # It reads on in what was replaced, and others in the new one.
            assert stage.reading().generation != old
            assert reading.connection.exec_driver_sql("SELECT 1").scalar_one() == 1
        rebuilt(stage)
        assert old not in {name for (name,) in run_sql(postgres_url, "SELECT nspname FROM pg_namespace")}
