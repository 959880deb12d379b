"""The commitments service in a process of its own, to be asked over HTTP and killed, and stubborn clients."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx

from shared.eventlog.open import open_store
from shared.identity.actor import Role
from shared.identity.development import issue_development_token
from tests.support.forking import processes
from tests.support.ports import free_port

PATIENCE = 60.0
"""Seconds within which everything must have come right."""


class ServiceProcess:
    """One process that serves the commitments of a log, at the same address in each of its lives."""

    def __init__(self, log_url: str, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "BITACORA_LOG_URL": log_url,
            "BITACORA_DATA_DIR": str(folder),
            "BITACORA_PORT": str(self.port),
            "BITACORA_LOG_LEVEL": "error",
            "BITACORA_ACCESS_LOG": "false",
        }
        self._process: Any = None

    def start(self) -> Self:
        """Start it, and return when it is ready."""
        self._process = processes.Process(target=run, args=(self.environment,), daemon=True)
        self._process.start()
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self._process.is_alive(), "the service ended by itself"
            try:
                if httpx.get(f"{self.url}/health/ready").status_code == 200:
                    return self
            except httpx.TransportError:
                pass
            time.sleep(0.02)
        raise TimeoutError("the service did not become ready")

    @property
    def pid(self) -> int:
        """The id of the process that serves."""
        return int(self._process.pid)

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.join()
        self._process.close()

    def stop(self) -> None:
        """SIGTERM; it must finish what it is serving and end by itself."""
        os.kill(self._process.pid, signal.SIGTERM)
        self._process.join(PATIENCE)
        status = self._process.exitcode
        self._process.kill()
        self._process.join()
        self._process.close()
        # The server hands the signal on to itself once it has shut everything down.
        assert status in (0, -signal.SIGTERM), f"it ended with {status}"


def run(environment: dict[str, str]) -> None:
    """What `python -m services.commitments` does in such an environment."""
    from services.commitments.__main__ import main

    os.environ.update(environment)
    main()


def migrate(log_url: str) -> None:
    """What `bitacora migrate` does to the log."""
    store = open_store(log_url)
    try:
        store.migrate()
    finally:
        store.close()


@asynccontextmanager
async def client(folder: Path, *urls: str) -> AsyncIterator[Clients]:
    """Clients of the services at these addresses, acting for the delivery unit."""
    token = issue_development_token(
        folder / "development.key", role=Role.DCI, organization="DCI", now=datetime.now(UTC)
    )
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    async with httpx.AsyncClient(
        headers={"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"},
        timeout=PATIENCE,
        limits=limits,
    ) as http:
        yield Clients(http, urls)


class Clients:
    """Many clients of the same services; `statuses` counts what they were told."""

    def __init__(self, http: httpx.AsyncClient, urls: tuple[str, ...]) -> None:
        self.http = http
        self.urls = urls
        self.statuses: dict[int, int] = {}
        self.cut_off = 0
        """Requests that ended without an answer."""

    async def post(self, path: str, body: Any, *, at: int = 0, **headers: str) -> httpx.Response:
        """One request."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.http.post(self.urls[at % len(self.urls)] + path, json=body, headers=sent)
        self.statuses[answer.status_code] = self.statuses.get(answer.status_code, 0) + 1
        return answer

    async def post_until_answered(
        self, path: str, body: Any, *, at: int = 0, **headers: str
    ) -> httpx.Response:
        """The same request under one idempotency key, again and again until the service says what became of it."""
        key = uuid4().hex
        deadline = time.monotonic() + PATIENCE
        while True:
            assert time.monotonic() < deadline, "it was never answered"
            try:
                answer = await self.post(path, body, at=at, Idempotency_Key=key, **headers)
            except httpx.TransportError:
                self.cut_off += 1
            else:
                if answer.status_code != 503:
                    return answer
            await asyncio.sleep(0.05)

    async def begin(self, *codes: str) -> None:
        """An organisation, and commitments of these codes that it leads."""
        url = f"{self.urls[0]}/v1/organizations/INTERIOR"
        made = await self.http.put(url, json={"name": "Interior"})
        assert made.status_code == 201, made.text
        for code in codes:
            body = {
                "code": code,
                "title": "A promise",
                "lead_organization": "INTERIOR",
                "effective_on": "2012-05-21",
                "no_deadline_reason": "a test",
            }
            made = await self.post("/v1/commitments", body)
            assert made.status_code == 201, made.text
