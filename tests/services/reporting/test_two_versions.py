"""One version of the read model replaced by another in processes of their own, in any order, while boards are read.

Another time zone makes other days of instants, so processes with it are those of another version.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.reporting.datasets import Schema
from services.reporting.generations import open_read_model
from services.reporting.rebuild import rebuild
from shared.clock import Clock
from shared.events.commitments import Registered
from shared.events.vocabulary import Visibility
from tests.services.reporting.stage import Stage, read_model_url, rows_of, staged
from tests.support.ports import free_port

OLD, NEW = "America/Santiago", "America/Punta_Arenas"
BEFORE = 300
"""Commitments there are before anything is replaced: a board with fewer is not whole."""


class Version:
    """The processes of one version."""

    def __init__(self, stage: Stage, folder: Path, zone: str) -> None:
        self.port = free_port()
        self._service: subprocess.Popen[bytes] | None = None
        self._environment = {
            **os.environ,
            "BITACORA_LOG_URL": stage.log_url,
            "BITACORA_READ_MODEL_URL": read_model_url(stage.log_url),
            "BITACORA_DATA_DIR": str(folder),
            "BITACORA_TIMEZONE": zone,
            "BITACORA_PORT": str(self.port),
            "BITACORA_LOG_LEVEL": "error",
            "BITACORA_ACCESS_LOG": "false",
        }

    def migrate(self) -> None:
        """`bitacora migrate`."""
        command = [sys.executable, "-m", "services.cli", "migrate"]
        subprocess.run(command, env=self._environment, check=True, stdout=subprocess.DEVNULL)

    @contextmanager
    def running(self, module: str) -> Iterator[subprocess.Popen[bytes]]:
        """A process of it, for as long as the test wants."""
        process = subprocess.Popen([sys.executable, "-m", module], env=self._environment)
        self._service = process if module == "services.reporting" else self._service
        try:
            yield process
        finally:
            process.terminate()
            process.wait()

    def service(self) -> Any:
        """The service."""
        return self.running("services.reporting")

    def worker(self) -> Any:
        """The worker."""
        return self.running("services.reporting.follow")

    def get(self, path: str) -> httpx.Response | None:
        """An answer; None when nobody listens."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=60)
        except httpx.TransportError:
            return None

    def wait(self, status: int) -> httpx.Response:
        """Readiness, once it has this status."""
        while True:
            assert self._service is not None
            assert self._service.poll() is None, "the service ended by itself"
            found = self.get("/health/ready")
            if found is not None and found.status_code == status:
                return found
            time.sleep(0.01)

    def registered(self) -> int:
        """How many commitments are on its board, which it must have."""
        answer = self.get("/v1/board?limit=1")
        assert answer is not None
        assert answer.status_code == 200, answer.text
        return int(answer.json()["totals"]["registered"])


class Growing:
    """A record that goes on while the test does, and readers who watch every board."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self.failures: list[BaseException] = []
        self.boards = 0

    def watch(self, version: Version) -> None:
        """Nobody may see a board of that version that is less than whole, or shorter than one before."""
        last = BEFORE

        def look() -> None:
            nonlocal last
            found = version.registered()
            assert found >= last, f"{found} commitments after {last}"
            last = found
            self.boards += 1

        self._begin(look)

    def write(self, first: int) -> None:
        """One commitment after another is registered."""
        number = first

        def register() -> None:
            nonlocal number
            number += 1
            self._stage.append(registration(number))
            time.sleep(0.02)

        self._begin(register)

    def _begin(self, step: Any) -> None:
        def run() -> None:
            try:
                while not self._over.is_set():
                    step()
            except BaseException as error:
                self.failures.append(error)
                raise

        thread = threading.Thread(target=run)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        """Return when all is still."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        self._over.clear()
        assert self.failures == []


def registration(number: int) -> tuple[str, Registered]:
    """A commitment for everybody to see."""
    code = f"C-{number:05}"
    return code, Registered(
        code=code,
        title=code,
        lead_organization="MOP",
        effective_on=date(2012, 5, 21),
        visibility=Visibility.PUBLIC,
    )


@pytest.mark.parametrize(("engine", "worker_first"), [("sqlite", True), ("postgres", False)])
def test_a_version_is_replaced_by_another_while_boards_are_read(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str, *, worker_first: bool
) -> None:
    log_url = request.getfixturevalue(f"{engine}_url")
    with staged(log_url) as stage, ExitStack() as new_ones:
        stage.append(*(registration(number) for number in range(BEFORE)))
        old, new = Version(stage, tmp_path, OLD), Version(stage, tmp_path, NEW)
        growing = Growing(stage)
        with old.worker() as worker, old.service() as service:
            old.wait(200)
            while old.registered() < BEFORE:
                time.sleep(0.01)
            growing.watch(old)
            growing.write(BEFORE)
            try:
                # A service of the new version that comes too early has no board at all, rather than an empty one.
                new_ones.enter_context(new.service())
                assert new.wait(503).json()["checks"]["read_model"]["status"] == "failed"
                early = new.get("/v1/board")
                assert early is not None
                assert (early.status_code, early.json()["type"]) == (503, "/errors/read-model-out-of-date")
                if worker_first:
                    new_ones.enter_context(new.worker())
                    worker.terminate()
                    new.wait(200)
                new.migrate()
                new.wait(200)
                growing.watch(new)
                seen = growing.boards
                while growing.boards < seen + 20 and not growing.failures:
                    time.sleep(0.01)
                if not worker_first:
                    new_ones.enter_context(new.worker())
                    worker.terminate()
            finally:
                growing.stop()
            service.terminate()
        head = stage.store.head()
        while new.registered() < head:
            time.sleep(0.01)
        schema = Schema(NEW)
        read_model = open_read_model(read_model_url(log_url), schema)
        followed = rows_of(read_model)
        rebuild(stage.store, read_model, Clock(NEW), grace=0)
        assert rows_of(read_model) == followed
        read_model.close()
