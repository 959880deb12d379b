"""Stream ids: anything known by a code has its id derived from that code, so that codes are unique by construction."""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID, uuid5

NAMESPACE = UUID("6c0b9a5e-31f4-5d0e-9a46-0d7c2b1f8e11")


def stream_of(kind: str, code: str) -> UUID:
    """The id of the stream that tells the story of the `kind` (commitment, indicator, organization, …) named `code`."""
    return uuid5(NAMESPACE, f"{kind}:{code}")


@lru_cache(maxsize=65_536)
def resolve(kind: str, id_or_code: str) -> UUID:
    """The stream id meant by a path parameter that holds either a UUID in its canonical form or a code."""
    if looks_like_uuid(id_or_code):
        return UUID(id_or_code)
    return stream_of(kind, id_or_code)


def looks_like_uuid(text: str) -> bool:
    """Whether the text is a UUID in its canonical 36 characters; no code may look like that."""
    if len(text) != 36:
        return False
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
