"""How texts are kept and compared: in Unicode's composed form (NFC), and codes without regard to capitals."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]"
)

_LINES = dict.fromkeys(map(ord, "\t\n\r"), " ")


def folded_code(code: str) -> str:
    """What two spellings of one code have in common."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", code).casefold())


def folded(text: str) -> str:
    """A text in which capitals, accents and other marks make no difference: `Educación` and `educacion` are one."""
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(one for one in decomposed if not unicodedata.combining(one))
    return unicodedata.normalize("NFKC", plain.casefold())


def composed(value: Any) -> Any:
    """A text in composed form, or JSON with all texts in it so, names of members included."""
    if isinstance(value, str):
        return value if value.isascii() else unicodedata.normalize("NFC", value)
    if isinstance(value, dict):
        return {composed(name): composed(member) for name, member in value.items()}
    if isinstance(value, list):
        return [composed(item) for item in value]
    return value


def unseen_in(text: str, *, of_lines: bool = False) -> str | None:
    """The first character of a text that nobody would see there, as `U+200B`; None when there is none.

    That is a control character, one that changes the direction of writing, one without width or, unless it is a text
    `of_lines`, one that ends a line.
    """
    found = _UNSEEN.search(text.translate(_LINES) if of_lines else text)
    return None if found is None else f"U+{ord(found[0]):04X}"


def without_unseen(text: str) -> str:
    """A text in one line without the characters that nobody would see there."""
    return " ".join(_UNSEEN.sub("", text.translate(_LINES)).split())
