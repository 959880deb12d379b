"""An import that was accepted is carried out, whatever process ends meanwhile: to the same events, and each once."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from services.commitments.importing.kinds import KINDS
from shared.clock import Clock
from shared.eventlog import codec
from shared.eventlog.imports import Asked, Imports, State, Upload
from shared.eventlog.open import open_store
from shared.identity.actor import Actor, Role
from shared.tabular.carrying_out import carry_out
from tests.services.commitments.importing.desk import MAPPING, as_csv, desk_at, many_rows
from tests.support.ledger import run_sql
from tests.support.service_process import PATIENCE, ServiceProcess, client, migrate

pytestmark = pytest.mark.anyio

PROJECTS = 1_500
Contents = Counter[tuple[str, int, str, str]]


@pytest.fixture(scope="module")
def table() -> bytes:
    return as_csv(many_rows(PROJECTS)).encode()


@pytest.fixture(scope="module")
def undisturbed(table: bytes, tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """What the log holds when the table is brought in without anything happening to it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with desk_at(folder, f"sqlite:///{folder / 'bitacora.db'}") as desk:
        desk.enter_text(table.decode())
        return desk.contents()


def contents(log_url: str, folder: Path) -> Contents:
    with desk_at(folder, log_url) as desk:
        return desk.contents()


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with client(tmp_path) as clients:
        yield clients.http


async def test_an_import_goes_on_when_its_service_is_stopped_or_killed(
    log_url: str, tmp_path: Path, http: httpx.AsyncClient, table: bytes, undisturbed: Contents
) -> None:
    migrate(log_url)
    service = ServiceProcess(log_url, tmp_path)
    await asyncio.to_thread(service.start)
    asked = await http.post(
        f"{service.url}/v1/imports", files={"file": ("table.csv", table)}, data={"mapping": MAPPING}
    )
    assert asked.status_code == 202, asked.text
    path = asked.headers["location"]

    async def told() -> dict[str, Any]:
        found: dict[str, Any] = (await http.get(service.url + path)).json()
        return found

    async def until(condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            while True:
                if condition(found := await told()):
                    return found
                await asyncio.sleep(0.005)

    async def in_the_middle() -> None:
        found = await until(lambda one: one["progress"]["done"] > 0)
        assert found["state"] == "running", "it was done too soon to be disturbed"

    try:
        await in_the_middle()
        await asyncio.to_thread(service.stop)
        assert run_sql(log_url, "SELECT state, attempts FROM imports") == [("waiting", 0)]
        await asyncio.to_thread(service.start)
        await in_the_middle()
        apart = psutil.Process(service.pid).children(recursive=True)
        assert any("services.commitments.importing" in process.cmdline() for process in apart)
        service.kill()
        assert psutil.wait_procs(apart, timeout=PATIENCE)[1] == [], "it ends with its service"
        assert run_sql(log_url, "SELECT state FROM imports") == [("running",)]
        # As it is after half a minute in which nobody has renewed it.
        run_sql(log_url, "UPDATE imports SET lease_until = asked_at")
        await asyncio.to_thread(service.start)
        found = await until(lambda one: one["ended_at"] is not None)
    finally:
        service.kill()
    assert (found["state"], found["report"]["rows"]["failed"]) == ("done", 0)
    rows = found["report"]["rows"]
    assert rows["unchanged"] > 0
    assert rows["imported"] + rows["unchanged"] == 2 * PROJECTS
    assert contents(log_url, tmp_path / "desk") == undisturbed
    with closing(open_store(log_url)) as store:
        recorded = [codec.decode(line, position) for position, line in store.read(0, 1_000_000)]
    assert {one.correlation_id for one in recorded} == {f"import-{found['id']}"}


def test_of_two_processes_each_carries_out_what_the_other_does_not(log_url: str, tmp_path: Path) -> None:
    migrate(log_url)
    actor, clock = Actor("ana", "DCI", Role.DCI), Clock(now=lambda: datetime(2014, 6, 1, tzinfo=UTC))
    tables = [as_csv(many_rows(size)).encode() for size in (5, 40, 80, 60, 20, 80)]
    with closing(open_store(log_url)) as store:
        for table in tables:
            upload = Upload("table.csv", {"table.csv": table}, MAPPING.encode())
            Imports(store).accept(Asked("commitments", "commitments", False, upload, actor), 100)
    carried: list[list[Any]] = [[], []]

    def work(mine: list[Any]) -> None:
        with closing(open_store(log_url)) as store:
            while (claim := Imports(store).claim("commitments")) is not None:
                mine.append(claim.id)
                carry_out(store, KINDS, "commitments", claim, clock=clock, may_record={}, seconds=PATIENCE)

    threads = [threading.Thread(target=work, args=(mine,)) for mine in carried]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with closing(open_store(log_url)) as store:
        ended = Imports(store).listed("commitments", limit=100)
    assert {one.state for one in ended} == {State.DONE}
    assert sorted(carried[0] + carried[1]) == sorted(one.id for one in ended)
    with desk_at(tmp_path / "alone", f"sqlite:///{tmp_path / 'alone.db'}") as desk:
        (tmp_path / "alone").mkdir(exist_ok=True)
        desk.enter(*many_rows(80))
        assert contents(log_url, tmp_path / "desk") == desk.contents()
