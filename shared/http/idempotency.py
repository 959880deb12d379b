"""`Idempotency-Key`: the two hashes by which the log recognises a request it has already carried out."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from starlette.requests import Request

from shared.errors import InvalidInput
from shared.events.texts import composed
from shared.http.body import ASIDE
from shared.http.context import actor_of, context_of, idempotency_key_of

_VISIBLE = re.compile(rb"[\x21-\x7e]{1,255}")


class IdempotentRequest(msgspec.Struct, frozen=True):
    """A request to be carried out once: who asked for what under which key, and what exactly was asked."""

    key_hash: bytes
    fingerprint: bytes


def parse_idempotency_key(value: bytes) -> str:
    """The key: 1 to 255 visible ASCII characters, bare or in quotes, which are no part of it."""
    if len(value) > 2 and value[:1] == value[-1:] == b'"':
        value = value[1:-1]
    if _VISIBLE.fullmatch(value) is None:
        raise InvalidInput(
            "idempotency-key-invalid",
            "Idempotency-Key takes 1 to 255 visible ASCII characters.",
            pointer="/header/idempotency-key",
        )
    return value.decode("ascii")


async def idempotency_of(request: Request, stream_id: UUID | None = None) -> IdempotentRequest | None:
    """The hashes of this request, or None when it carries no `Idempotency-Key`.

    `stream_id` is the id of what the first parameter of the path names, by its id, its code, or its code in capitals.
    """
    key = idempotency_key_of(request)
    if key is None:
        return None
    actor = actor_of(request)
    method, path = request.method, request.scope["path"]
    if stream_id is not None:
        (name, _), *others = request.path_params.items()
        path = request.scope["route"].path_format.format(**{name: stream_id}, **dict(others))
    # The key belongs to its actor: nobody meets the answer to another's request. `If-Match` is no part of the
    # fingerprint: a caller whose first answer was lost may read the thing again, find the version its own
    # request made, state that one, and must still get the first answer. The body is compared as JSON: a proxy
    # or a library that writes it anew for the second try asks for nothing else.
    canonical = context_of(request).digest_of_form or await _canonical_body(request)
    return IdempotentRequest(
        key_hash=_digest(actor.subject, actor.organization, method, path, key),
        fingerprint=_digest(method, path, request.scope["query_string"], canonical),
    )


async def _canonical_body(request: Request) -> bytes:
    body, respelled = await request.body(), context_of(request).respelled
    if len(body) < ASIDE:
        return _canonical(body, respelled)
    return await asyncio.to_thread(_canonical, body, respelled)


def _canonical(body: bytes, respelled: Callable[[Any], Any] | None) -> bytes:
    """One form for equal JSON: members in order, no blanks, texts composed, each number in one way of writing it.

    And each code as it is on record, where it is on record in another spelling.
    """
    try:
        document = composed(_decode(body))
        return _encode(document if respelled is None else respelled(document))
    except msgspec.DecodeError:
        # No body, or a number beyond what is compared exactly.
        return body


def _number(text: str) -> int | Decimal:
    number = Decimal(text)
    if abs(number.adjusted()) > _EXACT_DIGITS:
        return number
    return int(number) if number == number.to_integral_value() else number.normalize()


_EXACT_DIGITS = 400
_decode = msgspec.json.Decoder(float_hook=_number).decode
_encode = msgspec.json.Encoder(order="deterministic", decimal_format="number").encode


def _digest(*parts: str | bytes) -> bytes:
    # Each part is preceded by its length, so that no two lists of parts give the same bytes.
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.digest()
