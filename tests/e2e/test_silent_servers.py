"""A server that says nothing any more, or takes no writes: everybody is told so in time, and goes on by themselves."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError

from shared.errors import Unavailable
from shared.eventlog.migrations import LOCK
from shared.eventlog.open import open_store
from shared.eventlog.store import Limits
from tests.services.reporting.installation import Installation as Reporting
from tests.services.reporting.stage import staged
from tests.services.reporting.test_generations import story
from tests.support.ledger import NOON, changes, process, until
from tests.support.postgres import PostgresServer
from tests.support.proxy import network_to

SHORT = Limits(lock=0.2, statement=0.3, connect=2)


async def test_a_server_that_falls_silent_keeps_nobody_waiting_and_a_write_is_told_that_its_fate_is_unknown(
    postgres_url: str,
) -> None:
    with network_to(postgres_url) as (network, url):
        async with process(url, limits=SHORT) as one:
            await one.live.append(changes())
            network.freeze()
            appends = [one.live.append(changes(key=b"%d" % number)) for number in range(3)]
            reads = [asyncio.to_thread(one.store.head) for _ in range(40)]
            answers = await asyncio.gather(*appends, *reads, one.live.readiness(), return_exceptions=True)
            assert {type(answer) for answer in answers} == {Unavailable}
            assert "is not known" in str(answers[0])
            with pytest.raises(Unavailable):
                one.store.append([changes()], NOON)
            network.thaw()
            # Whether the server carried out what it was sent or not: the same key makes it once.
            for number in range(3):
                while True:
                    with suppress(IntegrityError):
                        try:
                            await one.live.append(changes(key=b"%d" % number))
                        except Unavailable:
                            continue
                    break
            await one.live.catch_up()
            with closing(open_store(postgres_url)) as store:
                assert sum(store.find_key(b"%d" % number) is not None for number in range(3)) == 3
                assert one.live.position == store.head()


async def test_a_board_is_refused_in_time_while_the_read_model_is_silent_and_shown_again_afterwards(
    postgres_url: str, tmp_path: Path
) -> None:
    with staged(postgres_url) as stage, network_to(postgres_url) as (network, url):
        stage.log_url = url
        service = Reporting(tmp_path, stage, log_statement_seconds=1, read_model_statement_seconds=1)
        async with service.running() as reporting:
            await reporting.read("/v1/board")
            network.freeze()
            asked = [reporting.get("/v1/board") for _ in range(30)]
            answers = await asyncio.gather(*asked, reporting.get("/health/ready"))
            assert {answer.status_code for answer in answers} == {503}
            assert {answer.headers.get("Retry-After") for answer in answers[:-1]} == {"1"}
            network.thaw()
            await again(reporting, "/v1/board")
            await again(reporting, "/health/ready")


async def again(reporting: Reporting, path: str) -> None:
    """Ask until it is answered."""
    for _ in range(200):
        if (await reporting.get(path)).status_code == 200:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{path} is not answered again")


def test_migrating_waits_for_another_and_ends_with_a_sentence_when_the_server_freezes(
    postgres_url: str, tmp_path: Path
) -> None:
    ends_when_frozen(
        postgres_url, tmp_path, "migrate", f"SELECT pg_advisory_lock({LOCK})", "advisory_xact_lock"
    )


def test_building_waits_for_a_lock_and_ends_with_a_sentence_when_the_server_freezes(
    postgres_url: str, tmp_path: Path
) -> None:
    with staged(postgres_url) as stage:
        stage.append(*story(3, 1, 1))
        stage.follow()
    ends_when_frozen(
        postgres_url, tmp_path, "rebuild", "LOCK TABLE reporting.live_generations", "live_generations"
    )


def ends_when_frozen(url: str, folder: Path, command: str, held: str, asks_for: str) -> None:
    """Let a command wait for what somebody holds, longer than a server may be silent, and then freeze the server."""
    settings = {"LOG_NETWORK_SECONDS": "1", "LOG_CONNECT_SECONDS": "2", "LOG_STATEMENT_SECONDS": "1"}
    with network_to(url) as (network, through), psycopg.connect(url) as holder:
        holder.execute(held.encode())
        settings |= {"LOG_URL": through, "DATA_DIR": str(folder)}
        running = subprocess.Popen(
            [sys.executable, "-m", "services.cli", command],
            env=os.environ | {f"BITACORA_{name}": value for name, value in settings.items()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with psycopg.connect(url, autocommit=True) as watcher:
            others = [watcher.info.backend_pid, holder.info.backend_pid]
            while not watcher.execute(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE %s"
                " AND pid <> ALL (%s)",
                [f"%{asks_for}%", others],
            ).fetchone():
                assert running.poll() is None, running.communicate()[0]
                time.sleep(0.05)
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(2.5)
        network.freeze()
        said, _ = running.communicate(timeout=30)
    assert (running.returncode, "Traceback" in said) == (1, False), said
    assert " not answer" in said


@pytest.mark.xdist_group("postgres-outages")
async def test_while_a_server_is_in_recovery_writes_are_refused_and_reads_answered_and_then_all_goes_on(
    private_postgres: PostgresServer, tmp_path: Path
) -> None:
    with staged(private_postgres.url) as stage:
        stage.start_worker()
        async with process(private_postgres.url, limits=SHORT) as one:
            await one.live.append(changes())
            await asyncio.to_thread(stage.wait)
            become_standby(private_postgres)
            for _ in range(3):
                with pytest.raises(Unavailable):
                    await one.live.append(changes())
                with pytest.raises(Unavailable):
                    await one.live.readiness()
                with pytest.raises(Unavailable):
                    one.store.append([changes()], NOON)
            assert (one.store.head(), stage.reached()) == (1, 1)
            promote(private_postgres)
            assert (await one.live.append(changes())).first == 2
            await one.live.readiness()
            await asyncio.to_thread(stage.wait, 2)
            assert stage.failure is None
            # The tail, too: it hears what another process writes.
            with closing(open_store(private_postgres.url)) as other:
                other.append([changes()], NOON)
            await until(lambda: one.live.position == 3)


async def test_of_several_hosts_the_one_that_takes_writes_is_found_for_every_connection(
    postgres_url: str, private_postgres: PostgresServer, tmp_path: Path
) -> None:
    become_standby(private_postgres)
    url = postgres_url.replace("@", f"@127.0.0.1:{private_postgres.port},", 1)
    with staged(f"{url}?target_session_attrs=read-write") as stage:
        stage.start_worker()
        async with process(stage.log_url) as one, Reporting(tmp_path, stage).running() as reporting:
            await one.live.append(changes())
            await asyncio.to_thread(stage.wait)
            await reporting.read("/v1/board")
            await reporting.read("/health/ready")


def become_standby(server: PostgresServer) -> None:
    """Let a server come back as a standby that nobody feeds."""
    server.stop()
    signal = server.data / "standby.signal"
    signal.touch()
    owner = server.data.stat()
    os.chown(signal, owner.st_uid, owner.st_gid)
    server.start()


def promote(server: PostgresServer) -> None:
    """Let a standby be the primary."""
    with psycopg.connect(server.url, autocommit=True) as session:
        assert session.execute("SELECT pg_promote()").fetchone() == (True,)
