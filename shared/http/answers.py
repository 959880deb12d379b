"""Answers made straight from bytes: what the record says goes out as it is, with the headers the house rules ask."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from shared.http.preconditions import etag_of, not_modified

JSON = "application/json"
_encode = msgspec.json.Encoder().encode


def read_answer(
    request: Request,
    body: Any,
    *,
    version: int | None = None,
    etag: str | None = None,
    position: int | None = None,
) -> Response:
    """The answer to a GET: 304 when the caller holds it already, else `body`.

    `body` is JSON bytes, or anything msgspec encodes. `version` gives the ETag of a stream; `etag` any other.
    """
    tag = etag_of(version) if version is not None else etag
    headers: dict[str, str] = {}
    if tag is not None:
        held = not_modified(request, tag, position=position)
        if held is not None:
            return held
        headers["ETag"] = tag
    if position is not None:
        headers["Log-Position"] = str(position)
    return Response(encoded(body), 200, headers, JSON)


def written_answer(
    body: Any,
    *,
    position: int,
    version: int | None = None,
    location: str | None = None,
    replayed: bool = False,
    status: int = 201,
) -> Response:
    """The answer to a write: where the thing is, its new version, and the position at which the log has it."""
    headers = {"Log-Position": str(position)}
    if version is not None:
        headers["ETag"] = etag_of(version)
    if location is not None:
        headers["Location"] = location
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(encoded(body), status, headers, JSON)


def location_of(request: Request, path: str) -> str:
    """The path of a thing as the caller must ask for it, below the one a proxy serves us under."""
    root: str = request.scope.get("root_path", "")
    return root + path


def encoded(body: Any) -> bytes:
    """The bytes of a body that is told as JSON; bytes are taken to be that already."""
    return body if isinstance(body, bytes) else _encode(body)
