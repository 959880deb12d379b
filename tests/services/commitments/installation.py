"""The commitments service as it runs, over a log of its own, with a clock that the test sets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from services.commitments.app import create_app
from shared.clock import Clock
from shared.eventlog.open import open_store
from shared.identity.actor import Role
from shared.identity.development import issue_development_token
from shared.settings import Settings


class Installation:
    """One service and credentials for it; `now` moves only when the test moves it."""

    def __init__(self, folder: Path, log_url: str, **settings: Any) -> None:
        self.now = datetime(2013, 4, 30, 15, tzinfo=UTC)
        self.settings = Settings(data_dir=folder, log_url=log_url, access_log=False, **settings)
        self.app = create_app(self.settings, Clock(now=lambda: self.now))
        self.http: httpx.AsyncClient

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Installation]:
        """Started, until the test is done with it."""
        store = open_store(self.settings.effective_log_url)
        try:
            store.migrate()
        finally:
            store.close()
        transport = httpx.ASGITransport(app=self.app)
        async with (
            self.app.router.lifespan_context(self.app),
            httpx.AsyncClient(
                transport=transport, base_url="http://bitacora.test", headers={"Accept-Encoding": "identity"}
            ) as self.http,
        ):
            yield self

    def credentials(
        self, role: Role = Role.DCI, organization: str = "DCI", subject: str | None = None
    ) -> dict[str, str]:
        """The header that presents a token."""
        token = issue_development_token(
            self.settings.effective_development_key_file,
            role=role,
            organization=organization,
            subject=subject,
            now=self.now,
            lifetime=timedelta(days=4000),
        )
        return {"Authorization": f"Bearer {token}"}

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        role: Role = Role.DCI,
        organization: str = "DCI",
        subject: str | None = None,
        credentials: dict[str, str] | None = None,
        **headers: str,
    ) -> httpx.Response:
        """One request; `headers` have underscores for dashes, and a body of bytes is JSON as it is to be sent."""
        sent = self.credentials(role, organization, subject) if credentials is None else credentials
        sent = sent | {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, bytes):
            sent["Content-Type"] = "application/json"
            return await self.http.request(method, path, content=body, headers=sent)
        return await self.http.request(method, path, json=body, headers=sent)

    async def told(self, method: str, path: str, body: Any, **more: Any) -> httpx.Response:
        """A request that must be carried out."""
        answer = await self.ask(method, path, body, **more)
        assert answer.status_code in (200, 201), answer.text
        return answer

    async def read(self, path: str, **more: Any) -> Any:
        """The body of something that is there."""
        answer = await self.ask("GET", path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()


def refused(answer: httpx.Response) -> tuple[int, str]:
    """The status and the code of a refusal."""
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, problem["type"].rpartition("/")[2]
