"""How names and words are compared and shortened, whatever file they come from."""

from __future__ import annotations

import re
import unicodedata


def plain(text: str) -> str:
    """A text in one line, its white space single: how names are compared."""
    return " ".join(text.split())


def slug_of(text: str) -> str:
    """The text in small letters without accents, digits, and single hyphens for all the rest."""
    bare = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", bare).strip("-")
