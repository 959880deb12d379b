"""How names and words are compared and shortened, whatever file they come from."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from typing import Final, TypeVar

from shared.events.types import LONGEST_CODE

V = TypeVar("V")

_DIGEST: Final = 8


def plain(text: str) -> str:
    """A text in one line, its white space single: how names are compared."""
    return " ".join(text.split())


def folded(word: str) -> str:
    """A word as it is compared where capitals do not matter either."""
    return plain(word).casefold()


def by_word(values: Mapping[str, V]) -> dict[str, V]:
    """What words stand for, to be looked up by `folded` words."""
    return {folded(word): value for word, value in values.items()}


def ascii_of(text: str) -> str:
    """The text with its accents, and all that is not ASCII without them, taken away."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def slug_of(text: str) -> str:
    """The text in small letters without accents, digits, and single hyphens for all the rest."""
    return re.sub(r"[^a-z0-9]+", "-", ascii_of(text).lower()).strip("-")


def within_a_code(slug: str) -> str:
    """The slug where it fits a code; where it would be too long, cut, with eight digits that tell it from its like."""
    if len(slug) <= LONGEST_CODE:
        return slug
    digest = hashlib.sha256(slug.encode()).hexdigest()[:_DIGEST]
    return f"{slug[: LONGEST_CODE - _DIGEST - 1].rstrip('-')}-{digest}"
