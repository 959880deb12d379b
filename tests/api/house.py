"""All of Bitácora in one process: three services over one log, and the worker behind reporting."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from services.commitments.app import create_app as commitments
from services.meetings.app import create_app as meetings
from services.reporting.app import create_app as reporting
from services.reporting.datasets import Schema
from services.reporting.follow import Worker
from services.reporting.generations import open_installed
from services.reporting.rebuild import build_missing
from shared.clock import Clock
from shared.eventlog.open import open_log
from shared.http.catalogue import Catalogue
from shared.http.routing import DeclaredRoute
from shared.http.service import Service
from shared.identity.access import AccessTable
from shared.identity.actor import Role
from shared.identity.development import issue_development_token
from shared.settings import Settings
from tests.api import conformance

CREATE = {"commitments": commitments, "meetings": meetings, "reporting": reporting}


def _services() -> dict[str, Service]:
    """The services as they are put together, over nothing."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), access_log=False)
        return {name: create(settings) for name, create in CREATE.items()}


_SERVICES = _services()
TABLES: Mapping[str, AccessTable] = {name: service.access for name, service in _SERVICES.items()}

DECLARATIONS = [
    (route.path, route.declaration)
    for service in _SERVICES.values()
    for route in service.routes
    if isinstance(route, DeclaredRoute)
]
"""Every route, as it was declared."""


def catalogues() -> dict[str, Catalogue]:
    """The codes with which each service refuses, its own and those of all."""
    return {name: service.problems.catalogue for name, service in _SERVICES.items()}


HOME = {
    Role.DCI: "DCI",
    Role.MINISTRY: "INTERIOR",
    Role.DIPRES: "DIPRES",
    Role.ADVISORY: "ADVISORY",
    Role.AUDITOR: "COMPTROLLER",
    Role.ADMIN: "DCI",
}
"""Where somebody in a role works unless a test says otherwise: a ministry that the story concerns."""


class Parts(dict[str, Any]):
    """The parts of a form, of which `file` is a file; a truth is a word in it."""


class House:
    """The services under their names, credentials for them, and the clock that all go by."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.now = datetime(2013, 4, 30, 15, tzinfo=UTC)
        # Nobody waits here for an import, and each would take a process.
        settings = {"carry_out_imports": False, "imports_of_caller": 100_000} | settings
        self.settings = Settings(data_dir=folder, access_log=False, ready_lag_seconds=3_600, **settings)
        self.apps: dict[str, Service] = {}
        self._clients: dict[str, httpx.AsyncClient] = {}

    @asynccontextmanager
    async def open(self, *, worker: bool = True) -> AsyncIterator[House]:
        """Everything started, until the test is done with it."""
        clock = Clock(now=lambda: self.now)
        store = open_log(self.settings)
        read_model = open_installed(self.settings, Schema(clock.zone.key))
        async with AsyncExitStack() as stack:
            stack.callback(store.close)
            stack.callback(read_model.close)
            store.migrate()
            build_missing(store, read_model, clock)
            if worker:
                follower = Worker(store, read_model, clock, capacity=1000)
                thread = threading.Thread(target=follower.run)
                thread.start()
                stack.callback(thread.join, 20)
                stack.callback(follower.stop)
            for name, create in CREATE.items():
                app = self.apps[name] = create(self.settings, clock)
                await stack.enter_async_context(app.router.lifespan_context(app))
                self._clients[name] = await stack.enter_async_context(
                    httpx.AsyncClient(
                        transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
                        base_url=f"http://{name}.test",
                        headers={"Accept-Encoding": "identity"},
                    )
                )
            yield self

    def client(self, service: str) -> httpx.AsyncClient:
        """What a service is asked through."""
        return self._clients[service]

    def token(
        self,
        role: Role = Role.DCI,
        organization: str | None = None,
        *,
        subject: str | None = None,
        age: timedelta = timedelta(),
        lifetime: timedelta = timedelta(days=4000),
        **claims: str,
    ) -> dict[str, str]:
        """The header that presents a token, signed `age` ago; `claims` are another issuer or audience."""
        token = issue_development_token(
            self.settings.effective_development_key_file,
            role=role,
            organization=organization or HOME[role],
            subject=subject,
            now=self.now - age,
            lifetime=lifetime,
            **claims,
        )
        return {"Authorization": f"Bearer {token}"}

    async def ask(
        self,
        service: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        role: Role = Role.DCI,
        organization: str | None = None,
        subject: str | None = None,
        credentials: Mapping[str, str] | None = None,
        content: bytes | AsyncIterator[bytes] | None = None,
        **headers: str,
    ) -> httpx.Response:
        """One request, answered as the document of the service says; `headers` have underscores for dashes."""
        given = self.token(role, organization, subject=subject) if credentials is None else dict(credentials)
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        sent: dict[str, Any] = {"json": body, "content": content}
        if isinstance(body, Parts):
            parts = {name: str(value).lower() if value is True else value for name, value in body.items()}
            sent = {"files": {"file": ("table.csv", parts.pop("file"))}, "data": parts}
        answer = await self._clients[service].request(method, path, headers=given, **sent)
        conformance.check(service, method, path, answer)
        return answer

    async def tell(
        self, service: str, path: str, body: Any, *, method: str = "POST", **more: Any
    ) -> httpx.Response:
        """A write that must be carried out, whatever the version of what it changes."""
        answer = await self.ask(service, method, path, body, **{"If_Match": "*", **more})
        assert answer.status_code in (200, 201), f"{method} {path}: {answer.text}"
        return answer

    async def read(self, service: str, path: str, **more: Any) -> Any:
        """The body of something that is there."""
        answer = await self.ask(service, "GET", path, **more)
        assert answer.status_code == 200, f"GET {path}: {answer.text}"
        return answer.json()

    async def settled(self) -> int:
        """Waits until every service reflects the whole log; the position of its last event."""
        store = open_log(self.settings)
        try:
            head = store.head()
        finally:
            store.close()
        for service, path in (
            ("commitments", "/v1/pillars"),
            ("meetings", "/v1/bodies"),
            ("reporting", "/v1/board"),
        ):
            await self.read(service, f"{path}?wait_for={head}")
        return head


def refused(answer: httpx.Response) -> tuple[int, str]:
    """The status and the code of a refusal."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["type"].rpartition("/")[2]
