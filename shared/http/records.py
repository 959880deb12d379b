"""From a request to a command on the record, and from what it led to back to an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from shared.eventlog.commands import Command, KeyUse, Outcome
from shared.http.answers import JSON, encoded, read_answer, written_answer
from shared.http.context import actor_of, context_of
from shared.http.idempotency import idempotency_of
from shared.http.pagination import page
from shared.http.preconditions import etag_of
from shared.references import DisclosureOf, Heard, Told

LONGEST_WAIT = 5.0
"""Seconds a read waits at most for the position it was asked to reflect (`wait_for`)."""


async def command_of(request: Request) -> Command:
    """Who asks for a change, in which request, on which version, and under which idempotency key."""
    context = context_of(request)
    key = None
    if context.idempotency_key is not None and (once := await idempotency_of(request)) is not None:
        key = KeyUse(once.key_hash, once.fingerprint)
    return Command(
        actor=actor_of(request), correlation_id=context.correlation_id, expected=context.expected, key=key
    )


def written(outcome: Outcome, location: str, **more: Any) -> Response:
    """The answer to a write on a stream: its id, new version and position, and what else follows from the request.

    201 when something was recorded, now or under the same key before; 200 when there was nothing to record.
    """
    body = {"id": outcome.stream_id, **more, "version": outcome.version, "position": outcome.position}
    return written_answer(
        body,
        position=outcome.position,
        version=outcome.version,
        location=location,
        replayed=outcome.replayed,
        status=201 if outcome.changed else 200,
    )


def shown(
    request: Request,
    body: bytes,
    *,
    version: int,
    position: int,
    same_for_version: Callable[[], bool] | None = None,
) -> Response:
    """The answer to a read of a stream.

    `same_for_version`, asked when the caller already holds this version, says whether the answer to it is still the
    same; one that has changed with the calendar alone is sent whole.
    """
    if same_for_version is None or b"if-none-match" not in context_of(request).headers or same_for_version():
        return read_answer(request, body, version=version, position=position)
    return Response(body, 200, {"ETag": etag_of(version), "Log-Position": str(position)}, JSON)


async def disclosed(
    request: Request,
    told: Told,
    disclosure_of: DisclosureOf,
    *,
    version: int,
    position: int,
    whole: bool = False,
    same_for_version: Callable[[], bool] = lambda: True,
) -> Response:
    """The answer to a read of a stream, without the names in it that the reader may not know.

    `whole` is for those of its own circle, who were told of everything that it names. An answer that names what is
    reserved, or was, is sent anew even to a caller who holds the version: what others may know may have changed
    without it.
    """
    heard = Heard(told.body) if whole else await told.to(actor_of(request), disclosure_of)
    return shown(
        request,
        heard.body,
        version=version,
        position=position,
        same_for_version=lambda: heard.settled and same_for_version(),
    )


async def disclosed_history(
    request: Request, items: list[dict[str, Any]], disclosure_of: DisclosureOf, *, more: bool, **told: Any
) -> Response:
    """The answer to a read of a history, one item for each event: see `disclosed`."""
    body = page(items, [items[-1]["version"]] if more else None, request)
    return await disclosed(request, Told(encoded(body)), disclosure_of, **told)
