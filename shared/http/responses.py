"""Answers made straight from bytes, with the headers that the house rules ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Annotated, Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from shared.aggregate.command import Outcome
from shared.http.context import context_of, visitor_of
from shared.http.pagination import Key, next_url
from shared.http.preconditions import etag_of, not_modified
from shared.rules.visibility import reads_everything

JSON = "application/json"

InstantText = Annotated[
    str,
    msgspec.Meta(extra_json_schema={"format": "date-time", "examples": ["2012-11-21T18:00:00.000000Z"]}),
]
"""An instant as answers write it: RFC 3339 in UTC with six decimals."""

QUARANTINED: Final = "Quarantined-Events"
"""The header by which an answer says how many events it is without: they cannot be read, and were put aside."""

_encode = msgspec.json.Encoder(decimal_format="number").encode


def encoded(body: Any) -> bytes:
    """The bytes of a body that is JSON; bytes are taken to be that already."""
    return body if isinstance(body, bytes) else _encode(body)


def page_of(item: type[msgspec.Struct], name: str | None = None) -> type[msgspec.Struct]:
    """The type of a list of documents, a page at a time; `total` only where it was asked for."""
    return msgspec.defstruct(
        name or f"{item.__name__}Page",
        [
            ("items", list[item]),  # type: ignore[valid-type]
            (
                "next",
                Annotated[
                    str | None,
                    msgspec.Meta(description="The absolute URL of the next page; null on the last."),
                ],
            ),
            ("total", int | msgspec.UnsetType, msgspec.UNSET),
        ],
        namespace={"__doc__": "A list, a page at a time; `total` only where it was asked for."},
        kw_only=True,
    )


def page(
    items: Iterable[Any], next_key: Key | None, request: Request, *, total: int | None = None
) -> dict[str, Any]:
    """The body of a list: the items, and where the next page is."""
    body = {"items": list(items), "next": next_url(request, next_key)}
    return body if total is None else {**body, "total": total}


def read_answer(
    request: Request,
    body: Any,
    *,
    version: int | None = None,
    etag: str | None = None,
    position: int | None = None,
    told: int = 0,
    quarantined: int = 0,
    unchanged: Callable[[], bool] = lambda: True,
) -> Response:
    """The answer to a GET: 304 when the caller holds it already, else `body`.

    `position` is what the answer reflects; who does not see everything is told `told` instead, the position of the last
    event of what is answered. Their tag names, besides the version, what of it they are shown: that may change without
    it, and whether it can must not tell them of anything hidden.

    `version` gives the ETag of a stream, `etag` any other. `unchanged`, asked when the caller already holds this tag,
    says whether the answer to it is still the same; one that has changed with the calendar alone is sent whole.

    `quarantined` is how many events the answer is without, because they cannot be read and were put aside: it says so,
    and its tag names what it came to without them.
    """
    tag = etag_of(version) if version is not None else etag
    limited = not reads_everything(visitor_of(request))
    if limited:
        position = told if etag is None else position
    if version is not None and (limited or quarantined):
        body = encoded(body)
        tag = f'"{version}-{blake2b(body, digest_size=6).hexdigest()}"'
        unchanged = lambda: True  # noqa: E731 - the tag says it
    headers: dict[str, str] = {QUARANTINED: str(quarantined)} if quarantined else {}
    if tag is not None:
        if b"if-none-match" in context_of(request).headers and unchanged():
            held = not_modified(request, tag, position=position)
            if held is not None:
                return held
        headers["ETag"] = tag
    if position is not None:
        headers["Log-Position"] = str(position)
    return Response(encoded(body), 200, headers, JSON)


def written_answer(request: Request, outcome: Outcome, location: str, **members: Any) -> Response:
    """The answer to a write on a stream: its id, new version and position, and what else follows from the request.

    201 when something was recorded, now or under the same key before; 200 when there was nothing to record.
    """
    body = {"id": outcome.stream_id, **members, "version": outcome.version, "position": outcome.position}
    headers = {
        "Log-Position": str(outcome.position),
        "ETag": etag_of(outcome.version),
        "Location": location_of(request, location),
    }
    if outcome.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(encoded(body), 201 if outcome.changed else 200, headers, JSON)


def location_of(request: Request, path: str) -> str:
    """The path of a thing as the caller must ask for it, below the one a proxy serves us under."""
    root: str = request.scope.get("root_path", "")
    return root + path
