"""What an orchestrator, a monitor and a person with an error code ask a service about itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import structlog
from fastapi import APIRouter, Path
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from shared.errors import BitacoraError, FellBehind, NotFound
from shared.http.catalogue import Catalogue

Check = Callable[[], Awaitable[str]]
"""Returns a sentence about how things stand, fit for anyone to read; raises when they do not."""

Look = Callable[[], Awaitable[None]]
"""Renews figures that have to be asked for, before they are shown."""

PATIENCE = 5.0
"""Seconds a check may take before it counts as failed."""

_log = structlog.get_logger(__name__)


SERVICE_TAG: Final = {"service": "What the service says of itself."}


class CheckResult(BaseModel):
    """How one thing the service stands on is."""

    status: Annotated[Literal["ok", "failed"], Field(description="Whether it can be relied on.")]
    detail: str
    reason: Annotated[
        str | None, Field(description="Why it failed, by a name that stays.", examples=["read-model-behind"])
    ] = None
    behind: Annotated[int | None, Field(description="How many events it has not followed yet.")] = None
    behind_since_at: Annotated[
        datetime | None, Field(description="When the log learned the first of them.")
    ] = None


class Health(BaseModel):
    """Whether the service can serve, and on what that rests."""

    status: Annotated[Literal["ok", "failed"], Field(description="`ok` when every check is.")]
    checks: dict[str, CheckResult]


class Welcome(BaseModel):
    """What a service is, and where it says the rest about itself; paths are below its own."""

    service: str
    description: Annotated[str, Field(description="What it is for.")]
    documents: Annotated[str, Field(description="Where people read of its routes.")] = "/docs"
    openapi: str = "/openapi.json"
    live: str = "/health/live"
    ready: str = "/health/ready"
    metrics: str = "/metrics"


class ErrorExplained(BaseModel):
    """What a problem's `type` means."""

    code: Annotated[str, Field(description="What the `type` of the error ends with.")]
    status: Annotated[int, Field(description="The HTTP status of the answer.")]
    title: Annotated[str, Field(description="The error in a few words.")]
    explanation: str


def health_router(
    welcome: Welcome,
    checks: Mapping[str, Check],
    registry: CollectorRegistry,
    catalogue: Catalogue,
    looks: Sequence[Look] = (),
    front: Callable[[Request], Awaitable[Response]] | None = None,
) -> APIRouter:
    """`/`, `/health/live`, `/health/ready`, `/metrics` and `/errors/{code}`; open to whoever reaches the service."""
    router = APIRouter(tags=list(SERVICE_TAG), generate_unique_id_function=lambda route: route.name)

    browser: dict[int | str, dict[str, Any]] = {307: {"description": "To the documents, for a browser."}}

    @router.get("/", response_model=Welcome, responses=browser if front is None else {})
    async def get_welcome(request: Request) -> Response:
        """What this service is, and where to go on; a browser is shown the pages, or led to the documents."""
        if "text/html" in request.headers.get("accept", ""):
            if front is not None:
                return await front(request)
            documents = request.scope.get("root_path", "") + welcome.documents
            return RedirectResponse(documents, headers={"Vary": "Accept"})
        return Response(welcome.model_dump_json(), media_type="application/json", headers={"Vary": "Accept"})

    @router.get("/health/live", response_model=Health)
    async def get_liveness() -> Response:
        """The process answers."""
        return JSONResponse({"status": "ok", "checks": {}}, headers={"Cache-Control": "no-store"})

    @router.get("/health/ready", response_model=Health, responses={503: {"model": Health}})
    async def get_readiness() -> Response:
        """The service can do its work: each check says what it rests on."""
        answers = await asyncio.gather(*(_ask(check) for check in checks.values()), return_exceptions=True)
        results = [_result(name, answer) for name, answer in zip(checks, answers, strict=True)]
        found = dict(zip(checks, results, strict=True))
        healthy = all(result.status == "ok" for result in results)
        health = Health(status="ok" if healthy else "failed", checks=found)
        return Response(
            health.model_dump_json(exclude_none=True),
            status_code=200 if healthy else 503,
            headers={"Cache-Control": "no-store"},
            media_type="application/json",
        )

    @router.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}, "example": "# HELP …"}}}},
    )
    async def get_metrics(request: Request) -> Response:
        """Figures for Prometheus."""
        # What does not answer leaves its figures as they were; readiness tells of that.
        await asyncio.gather(*(_looked(look) for look in looks))
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"Content-Type": content_type})

    @router.get("/errors/{code}", response_model=ErrorExplained)
    async def explain_error(
        code: Annotated[str, Path(description="The code of the error.", examples=["not-found"])],
    ) -> Response:
        """What the error of that code means, and what to do about it."""
        entry = catalogue.get(code)
        if entry is None:
            raise NotFound("not-found", "There is no such error.")
        return JSONResponse({"code": code, **entry._asdict()})

    return router


async def _looked(look: Look) -> None:
    with contextlib.suppress(BitacoraError, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await look()


async def _ask(check: Check) -> str:
    async with asyncio.timeout(PATIENCE):
        return await check()


def _result(name: str, answer: str | BaseException) -> CheckResult:
    if isinstance(answer, str):
        return CheckResult(status="ok", detail=answer)
    if isinstance(answer, BitacoraError):
        # Written for people, unlike the text of any other exception.
        _log.error("check_failed", check=name, reason=answer.code, detail=answer.message)
        result = CheckResult(status="failed", detail=answer.message, reason=answer.code)
        if isinstance(answer, FellBehind):
            result.behind, result.behind_since_at = answer.behind, answer.since
        return result
    reason = "no-answer" if isinstance(answer, TimeoutError) else "unexpected-error"
    # The text of an exception may hold an address or a password: it goes to the log, not to the caller. Where nothing
    # answered in time, it would only tell that we no longer wait.
    told = {} if isinstance(answer, TimeoutError) else {"exc_info": answer}
    _log.error("check_failed", check=name, reason=reason, **told)
    return CheckResult(status="failed", detail=f"{name} does not answer as it should", reason=reason)
