"""The meetings service as it runs, over a log that knows the organisations, with a clock that the test sets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec

from services.meetings.app import create_app
from shared.clock import Clock
from shared.eventlog.envelope import NewEvent
from shared.eventlog.open import open_store
from shared.eventlog.store import Changes
from shared.events.commitments import OrganizationRegistered
from shared.events.streams import stream_of
from shared.events.vocabulary import OrganizationKind
from shared.identity.actor import Actor, Role
from shared.identity.development import issue_development_token
from shared.settings import Settings

ORGANIZATIONS = {
    "DCI": OrganizationKind.COORDINATION,
    "PRESIDENCY": OrganizationKind.PRESIDENCY,
    "ADVISORY": OrganizationKind.PRESIDENCY,
    "SEGPRES": OrganizationKind.MINISTRY,
    "DIPRES": OrganizationKind.SERVICE,
    "MINSAL": OrganizationKind.MINISTRY,
    "MINEDUC": OrganizationKind.MINISTRY,
    "INTERIOR": OrganizationKind.MINISTRY,
}
SETUP = Actor(subject="setup", organization="DCI", role=Role.ADMIN)
COMMITTEE = {
    "name": "Social Development Committee",
    "kind": "committee",
    "presiding_organization": "MINSAL",
    "mandatory_attendance": [{"organization": "DIPRES"}, {"organization": "ADVISORY"}],
    "protocol": {"expected_meetings": {"count": 1, "period": "month"}, "days_to_minutes": 7},
}
BILATERAL = {"name": "Bilateral with Health", "kind": "bilateral", "organizations": ["MINSAL"]}
HELD = {
    "held_at": "2012-08-14T14:00:00Z",
    "attendance": [
        {"organization": "MINSAL", "position": "Minister", "presence": "present"},
        {
            "organization": "DIPRES",
            "position": "Director",
            "presence": "represented",
            "represented_by": "Deputy",
        },
    ],
}


class Installation:
    """One service and credentials for it; `now` moves only when the test moves it."""

    def __init__(self, folder: Path, log_url: str, **settings: Any) -> None:
        self.now = datetime(2012, 11, 21, 15, tzinfo=UTC)
        self.settings = Settings(data_dir=folder, log_url=log_url, access_log=False, **settings)
        self.app = create_app(self.settings, Clock(now=lambda: self.now))
        self.http: httpx.AsyncClient

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Installation]:
        """Started, until the test is done with it."""
        prepare(self.settings.effective_log_url)
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
        """One request; `headers` have underscores for dashes."""
        sent = self.credentials(role, organization, subject) if credentials is None else credentials
        sent = sent | {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.request(method, path, json=body, headers=sent)

    async def told(self, method: str, path: str, body: Any, **more: Any) -> httpx.Response:
        """A request that must be carried out."""
        answer = await self.ask(method, path, body, **more)
        assert answer.status_code in (200, 201), answer.text
        return answer

    async def post(self, path: str, body: Any, **more: Any) -> Any:
        """A change to something that exists, whatever its version; the body of the answer."""
        return (await self.told("POST", path, body, **{"If_Match": "*", **more})).json()

    async def read(self, path: str, **more: Any) -> Any:
        """The body of something that is there."""
        answer = await self.ask("GET", path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    # --- the usual story -------------------------------------------------------------------------------------------

    async def committee(self, code: str = "SOCIAL", **more: Any) -> str:
        """A sector committee, which refers."""
        await self.told("PUT", f"/v1/bodies/{code}", COMMITTEE | more)
        return code

    async def bilateral(self, code: str = "BIL-MINSAL", **more: Any) -> str:
        """The bilateral with Health, which decides."""
        await self.told("PUT", f"/v1/bodies/{code}", BILATERAL | more)
        return code

    async def convened(self, body: str, **more: Any) -> str:
        """The path of a meeting that was just convened."""
        asked = {
            "body": body,
            "scheduled_at": "2012-08-14T14:00:00Z",
            "place": "La Moneda",
            "agenda": [{"title": "Hospitals"}, {"title": "Waiting lists"}],
        }
        return f"/v1/meetings/{(await self.told('POST', '/v1/meetings', asked | more)).json()['id']}"

    async def circulated(self, body: str, *items: dict[str, Any], **more: Any) -> str:
        """The path of a meeting that was held, its minutes drafted and circulated to the budget office."""
        meeting = await self.convened(body, **more)
        await self.post(f"{meeting}/attendance", HELD)
        await self.post(f"{meeting}/minutes", {"items": list(items) or [item()]})
        await self.post(f"{meeting}/circulations", {"recipients": [{"organization": "DIPRES"}]})
        return meeting

    async def approved(self, body: str, *items: dict[str, Any], **more: Any) -> tuple[str, Any]:
        """The path of a meeting whose minutes were approved, and the answer to the approval."""
        meeting = await self.circulated(body, *items, **more)
        return meeting, await self.post(f"{meeting}/approvals", {}, subject="reader")


def item(*decisions: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What the minutes say of the first item of the agenda."""
    return {"agenda_item": 1, "summary": "The list was gone through.", "decisions": list(decisions), **more}


def referred(text: str = "To the bilateral", **more: Any) -> dict[str, Any]:
    """A decision that any body may take."""
    return {"text": text, "kind": "refer", **more}


def task(**more: Any) -> dict[str, Any]:
    """Something Health owes by the end of September."""
    return {"text": "List the hospitals", "owner_organization": "MINSAL", "due_on": "2012-09-30", **more}


def shaped(answer: Any, document: type[msgspec.Struct]) -> None:
    """An answer has just the members and the types of the document that describes it."""
    read = msgspec.json.decode(msgspec.json.encode(answer), type=document)
    assert msgspec.json.decode(msgspec.json.encode(read)) == answer


def refused(answer: httpx.Response) -> tuple[int, str]:
    """The status and the code of a refusal."""
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, problem["type"].rpartition("/")[2]


def prepare(log_url: str) -> None:
    """A log with the organisations of the story in it."""
    store = open_store(log_url)
    try:
        store.migrate()
        if store.head() == 0:
            registered = [
                NewEvent(
                    stream_id=stream_of("organization", code),
                    version=1,
                    recorded_by=SETUP,
                    correlation_id=str(uuid4()),
                    data=OrganizationRegistered(code=code, name=code.title(), kind=kind),
                )
                for code, kind in ORGANIZATIONS.items()
            ]
            store.append([Changes(registered)], datetime(2010, 3, 11, tzinfo=UTC))
    finally:
        store.close()
