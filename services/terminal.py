"""What is said at a terminal, in the language of whoever sits there."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping


def _texts(environ: Mapping[str, str]) -> Callable[[str], str]:
    """Spanish where the terminal says so (`LC_ALL`, `LC_MESSAGES`, `LANG`), or else the English of the source."""
    told = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "")
    if told.partition("_")[0].partition(".")[0] != "es":
        return str
    from shared.languages import texts_of

    return texts_of(__package__, "es").gettext


_gettext = _texts(os.environ)


def _(english: str) -> str:
    """A text in that language."""
    return _gettext(english)


def say(english: str, /, **values: object) -> str:
    """A text in that language, with values in its places."""
    return _gettext(english).format(**values)
