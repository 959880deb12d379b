"""The reporting service as it runs, over a stage, with a clock that the test sets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from services.reporting.app import create_app
from shared.clock import Clock
from shared.events.facts import Event
from shared.http.service import Service
from shared.identity.actor import Role
from shared.identity.development import issue_development_token
from shared.settings import Settings
from tests.services.reporting.stage import Stage, read_model_url


def credentials(
    settings: Settings, now: datetime, role: Role | None, organization: str = "DCI"
) -> dict[str, str]:
    """The header that presents a token; none for somebody without one."""
    if role is None:
        return {}
    token = issue_development_token(
        settings.effective_development_key_file,
        role=role,
        organization=organization,
        now=now,
        lifetime=timedelta(days=4000),
    )
    return {"Authorization": f"Bearer {token}"}


class Installation:
    """One service and credentials for it; `now` moves only when the test moves it."""

    def __init__(
        self,
        folder: Path,
        stage: Stage,
        create: Callable[[Settings, Clock], Service] = create_app,
        **settings: Any,
    ) -> None:
        self.now = datetime(2013, 4, 30, 15, tzinfo=UTC)
        self.stage = stage
        self.settings = Settings(
            data_dir=folder,
            log_url=stage.log_url,
            read_model_url=read_model_url(stage.log_url),
            access_log=False,
            follow_decisions=False,
            **{"ready_lag_seconds": 3_600, **settings},
        )
        self.app = create(self.settings, Clock(now=lambda: self.now))
        self.http: httpx.AsyncClient

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Installation]:
        """Started, until the test is done with it."""
        transport = httpx.ASGITransport(app=self.app)
        async with (
            self.app.router.lifespan_context(self.app),
            httpx.AsyncClient(
                transport=transport, base_url="http://bitacora.test", headers={"Accept-Encoding": "identity"}
            ) as self.http,
        ):
            yield self

    async def get(
        self, path: str, *, role: Role | None = Role.DCI, organization: str = "DCI", **headers: str
    ) -> httpx.Response:
        """One request; `headers` have underscores for dashes."""
        sent = credentials(self.settings, self.now, role, organization)
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.get(path, headers=sent)

    async def read(self, path: str, **more: Any) -> Any:
        """What a request that must be answered is answered with."""
        answer = await self.get(path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def told(self, *events: tuple[str, Event]) -> None:
        """Write events into the log, and wait until they are on the board."""
        appended = self.stage.append(*events)
        await asyncio.to_thread(self.stage.wait, appended.last)

    async def refused(self, path: str, **more: Any) -> tuple[int, str]:
        """The status and code of a request that must be refused."""
        answer = await self.get(path, **more)
        return answer.status_code, answer.json()["type"].rsplit("/", 1)[-1]
