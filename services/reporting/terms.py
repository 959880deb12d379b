"""Words as they are filed and looked for: without capitals, accents or other marks."""

from __future__ import annotations

from unicodedata import combining, normalize


def folded(text: str) -> str:
    """A text in which capitals, accents and other marks make no difference: `Educación` and `educacion` are one."""
    plain = "".join(one for one in normalize("NFKD", text) if not combining(one))
    return normalize("NFKC", plain.casefold())
