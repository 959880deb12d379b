"""Lists in pages: `limit`, an opaque keyset `cursor`, and the `next` URL that carries it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl, urlencode

import msgspec
from pydantic import AfterValidator, Field
from starlette.requests import Request

from shared.errors import InvalidInput
from shared.http.context import address_within

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 200
LONGEST_CURSOR = 2048
_DIGEST = 8
_SCOPELESS = frozenset({"limit", "cursor", "wait_for"})

Limit = Annotated[
    int,
    Field(ge=1, description=f"How many items; more than {LARGEST_LIMIT} is taken as {LARGEST_LIMIT}."),
    AfterValidator(lambda limit: min(limit, LARGEST_LIMIT)),
]
"""Declare as `limit: Limit = DEFAULT_LIMIT`."""

Cursor = Annotated[str | None, Field(description="Where to go on: taken from `next`, not made by hand.")]
"""Declare as `cursor: Cursor = None`."""

T = TypeVar("T")

Key = Sequence[str | int | float | bool | None]
"""The values of the sort columns in the last item of a page."""


KeyPosition = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
"""A position or a version in the key of a cursor."""


def decode_cursor(request: Request, cursor: str | None, *shape: Any) -> list[Any] | None:
    """The sort key after which to go on; None at the beginning. With `shape`, the types of its values.

    Raises `InvalidInput`: `cursor-invalid` when we never gave that cursor, `cursor-mismatch` when we gave it for
    other filters.
    """
    if cursor is None:
        return None
    if len(cursor) > LONGEST_CURSOR:
        raise _invalid()
    try:
        padding = "=" * (-len(cursor) % 4)
        raw = base64.b64decode((cursor + padding).encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise _invalid() from error
    checksum, scope, body = raw[:_DIGEST], raw[_DIGEST : 2 * _DIGEST], raw[2 * _DIGEST :]
    if not body or not hmac.compare_digest(checksum, _checksum(scope + body)):
        raise _invalid()
    if not hmac.compare_digest(scope, _scope(request)):
        raise InvalidInput(
            "cursor-mismatch", "This cursor was given for a list with other filters.", pointer="/query/cursor"
        )
    try:
        key = list(msgspec.json.decode(body, type=tuple[shape] if shape else list))  # type: ignore[valid-type]
    except (msgspec.DecodeError, RecursionError) as error:
        raise _invalid() from error
    if any(isinstance(value, str) and "\x00" in value for value in key):
        # No sort column holds it, and PostgreSQL would not even compare it.
        raise _invalid()
    return key


def encode_cursor(request: Request, key: Key) -> str:
    """The cursor that goes on after the item with that sort key, in this very list."""
    payload = _scope(request) + msgspec.json.encode(key)
    return base64.urlsafe_b64encode(_checksum(payload) + payload).rstrip(b"=").decode("ascii")


def next_url(request: Request, key: Key | None) -> str | None:
    """The absolute URL of the page after the item with that sort key; None when there is no such page."""
    if key is None:
        return None
    query = [(name, value) for name, value in _query(request) if name != "cursor"]
    query.append(("cursor", encode_cursor(request, key)))
    return str(address_within(request).replace(query=urlencode(query)))


def page_after(
    request: Request,
    things: Sequence[T],
    key_of: Callable[[T], Key],
    document: Callable[[T], Any],
    *,
    cursor: str | None,
    limit: int,
    total: bool = False,
) -> dict[str, Any]:
    """One page of a list that is all in memory, in the order of `key_of`."""
    after = decode_cursor(request, cursor)
    if after is not None and things and len(after) != len(key_of(things[0])):
        raise _invalid()
    try:
        begin = 0 if after is None else bisect_right(things, after, key=lambda one: list(key_of(one)))
    except TypeError as error:
        # A key of another shape: its values cannot be told from these by order.
        raise _invalid() from error
    shown = things[begin : begin + limit]
    more = begin + limit < len(things)
    body = {
        "items": [document(one) for one in shown],
        "next": next_url(request, key_of(shown[-1]) if more else None),
    }
    return {**body, "total": len(things)} if total else body


def _query(request: Request) -> list[tuple[str, str]]:
    return parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _scope(request: Request) -> bytes:
    # How many items, how long to wait and where to go on do not change which list it is.
    filters = sorted(pair for pair in _query(request) if pair[0] not in _SCOPELESS)
    text = f"{request.scope['path']}?{urlencode(filters, errors='replace')}"
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=_DIGEST).digest()


def _checksum(payload: bytes) -> bytes:
    # Not a secret: it catches damage and guesswork. A cursor gives no access that its filters do not.
    return hashlib.blake2b(payload, digest_size=_DIGEST, person=b"bitacora cursor").digest()


def _invalid() -> InvalidInput:
    return InvalidInput("cursor-invalid", "This is not a cursor we gave.", pointer="/query/cursor")
