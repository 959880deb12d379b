"""Behind PgBouncer in transaction mode: all of it works with the setting, and nothing starts without."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from services.reporting.datasets import Schema
from services.reporting.follow import Worker
from services.reporting.generations import open_read_model
from services.reporting.rebuild import build_missing, rebuild
from shared.clock import Clock
from shared.errors import NotReady, Unavailable
from shared.eventlog.live import LiveLog
from shared.eventlog.open import open_store
from shared.eventlog.postgres import PostgresStore
from shared.eventlog.store import Limits
from shared.identity.actor import Role
from tests.api.house import House
from tests.support.ledger import NOON, append_lock_held, changes, event, opened, until, wrote
from tests.support.ports import free_port
from tests.support.postgres import new_home

PGBOUNCER = shutil.which("pgbouncer")
pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="needs pgbouncer, a package of Debian")
SHORT = Limits(lock=0.2, statement=2, connect=2)


@contextmanager
def pooled(url: str, *more: str) -> Iterator[str]:
    """A pooler before the server of a URL, with few sessions for all who come, and the URL that leads through it."""
    parts = urlsplit(url)
    port, home = free_port(), new_home()
    settings = (
        "[databases]",
        f"* = host={parts.hostname} port={parts.port} user={parts.username}",
        "[pgbouncer]",
        "pool_mode = transaction",
        "auth_type = any",
        "listen_addr = 127.0.0.1",
        f"listen_port = {port}",
        "unix_socket_dir =",
        "default_pool_size = 6",
        "max_client_conn = 200",
        *more,
    )
    home.mkdir(mode=0o755)
    try:
        (home / "pgbouncer.ini").write_text("\n".join(settings))
        user = "nobody" if os.geteuid() == 0 else None
        process = subprocess.Popen([str(PGBOUNCER), "-q", home / "pgbouncer.ini"], user=user)
        try:
            for _ in range(500):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                assert process.poll() is None, "the pooler did not start"
                time.sleep(0.01)
            yield f"postgresql://{parts.username}@127.0.0.1:{port}{parts.path}"
        finally:
            process.terminate()
            process.wait(20)
    finally:
        shutil.rmtree(home)


@pytest.mark.parametrize("more", [(), ("ignore_startup_parameters = options",)])
def test_without_the_setting_a_start_through_a_pooler_is_refused_with_a_sentence(
    postgres_url: str, more: tuple[str, ...]
) -> None:
    with closing(open_store(postgres_url)) as store:
        store.migrate()
        store.check_ready()
    read_model = open_read_model(postgres_url, Schema("America/Santiago"))
    read_model.prepare()
    read_model.close()
    with pooled(postgres_url, *more) as url:
        with closing(open_store(url)) as store, pytest.raises(NotReady, match="BITACORA_POSTGRES_POOLER"):
            store.check_ready()
        read_model = open_read_model(url, Schema("America/Santiago"))
        with closing(read_model), pytest.raises(NotReady, match="pooler, such as PgBouncer"):
            read_model.prepare()


async def test_behind_a_pooler_two_processes_write_hear_each_other_and_keep_their_limits(
    postgres_url: str,
) -> None:
    with pooled(postgres_url) as url:
        one, other = (PostgresStore(url, SHORT, pooled=True) for _ in range(2))
        with closing(one), closing(other):
            one.migrate()
            lives = [LiveLog(store, Clock()) for store in (one, other)]
            for live in lives:
                await live.start()
            try:
                for number in range(30):
                    # One alone, several, and one with a key: the three ways of an append.
                    stream = event(opened())
                    await lives[number % 2].append(
                        changes(stream, event(wrote("x"), 2, stream.stream_id), key=b"%d" % number)
                    )
                    await asyncio.gather(*(live.append(changes()) for live in lives))
                await until(lambda: all(live.position == 120 for live in lives))
                with append_lock_held(postgres_url):
                    for live in lives:
                        with pytest.raises(Unavailable):
                            await live.append(changes())
                    with pytest.raises(Unavailable):
                        one.append([changes()], NOON)
                    with pytest.raises(Unavailable):
                        await lives[0].readiness()
                assert (await lives[0].append(changes())).first == 121
                await lives[1].readiness()
            finally:
                for live in lives:
                    await live.stop()


async def test_behind_a_pooler_the_services_the_worker_and_a_rebuild_work(
    postgres_url: str, tmp_path: Path
) -> None:
    with pooled(postgres_url) as url:
        house = House(tmp_path, log_url=url, read_model_url=url, postgres_pooler="transaction")
        clock = Clock(house.settings.timezone)
        store = PostgresStore(url, pooled=True)
        read_model = open_read_model(url, Schema(house.settings.timezone), pooled=True)
        with closing(store), closing(read_model):
            store.migrate()
            build_missing(store, read_model, clock, wait=True)
            for number in range(20):
                store.append([changes(event(opened(f"L-{number}")))], NOON)
            worker = Worker(store, read_model, clock, idle=0.05)
            following = asyncio.create_task(asyncio.to_thread(worker.run))
            watch = read_model.watch()
            try:
                assert await asyncio.to_thread(watch.wait, 19, 30) == 20
                old = read_model.live()
                assert await asyncio.to_thread(rebuild, store, read_model, clock, grace=0) == 20
                assert read_model.live() != old
                store.append([changes(event(opened()))], NOON)
                assert await asyncio.to_thread(watch.wait, 20, 30) == 21
                with read_model.reading() as reading:
                    shown = reading.connection.exec_driver_sql("SHOW enable_seqscan").scalar_one()
                    assert (reading.position, shown) == (21, "off")
            finally:
                watch.close()
                worker.stop()
                await following
        async with house.open():
            await house.tell(
                "commitments", "/v1/organizations/A", {"name": "A"}, method="PUT", role=Role.ADMIN
            )
            end = 22
            for service in ("commitments", "meetings", "reporting"):
                ready = await house.ask(service, "GET", "/health/ready")
                assert ready.status_code == 200, ready.text
            board = await house.client("reporting").get(f"/v1/board?wait_for={end}")
            assert board.status_code == 200
