"""`Idempotency-Key`: the two hashes by which the log recognises a request it has already carried out."""

from __future__ import annotations

import hashlib
import re

import msgspec
from starlette.requests import Request

from shared.errors import InvalidInput
from shared.http.context import actor_of, idempotency_key_of

_VISIBLE = re.compile(rb"[\x21-\x7e]{1,255}")


class IdempotentRequest(msgspec.Struct, frozen=True):
    """A request to be carried out once: who asked for what under which key, and what exactly was asked."""

    key_hash: bytes
    fingerprint: bytes


def parse_idempotency_key(value: bytes) -> str:
    """The key as sent: 1 to 255 visible ASCII characters."""
    if _VISIBLE.fullmatch(value) is None:
        raise InvalidInput(
            "idempotency-key-invalid",
            "Idempotency-Key takes 1 to 255 visible ASCII characters.",
            pointer="/header/idempotency-key",
        )
    return value.decode("ascii")


async def idempotency_of(request: Request) -> IdempotentRequest | None:
    """The hashes of this request, or None when it carries no `Idempotency-Key`."""
    key = idempotency_key_of(request)
    if key is None:
        return None
    actor = actor_of(request)
    method, path = request.method, request.scope["path"]
    body = await request.body()
    # The key belongs to its actor: nobody meets the answer to another's request. `If-Match` is no part of the
    # fingerprint: a caller whose first answer was lost may read the thing again, find the version its own
    # request made, state that one, and must still get the first answer. The body is compared byte by byte: who
    # retries sends the same bytes, and a canonical form would be one more thing to agree on.
    return IdempotentRequest(
        key_hash=_digest(actor.subject, actor.organization, method, path, key),
        fingerprint=_digest(method, path, request.scope["query_string"], body),
    )


def _digest(*parts: str | bytes) -> bytes:
    # Each part is preceded by its length, so that no two lists of parts give the same bytes.
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.digest()
