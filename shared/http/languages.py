"""The languages that answers speak: which of them a caller wishes, and the texts of each.

Texts are English where they are written; a catalogue, read when it is first needed, has them in another language.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Collection
from functools import cache
from importlib.resources import files

from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

MOST = 20
"""Languages of a header that are looked at."""


def wished(accept_language: str, known: Collection[str]) -> str | None:
    """The language of some that a header asks for, by weight and then by place; None where it asks for none."""
    wanted: list[tuple[float, str]] = []
    for part in accept_language.split(",")[:MOST]:
        tag, _, weight = part.replace(" ", "").partition(";q=")
        try:
            code = Locale.parse(tag, sep="-").language
            wanted.append((float(weight or 1), code))
        except (ValueError, UnknownLocaleError, TypeError):
            continue
    ordered = sorted(wanted, key=lambda one: -one[0])
    return next((code for welcome, code in ordered if code in known and welcome > 0), None)


@cache
def texts_of(package: str, code: str) -> gettext.GNUTranslations:
    """The catalogue of a package in a language, from the text that people write: there is no step between."""
    compiled = io.BytesIO()
    with (files(package) / "locale" / f"{code}.po").open("rb") as source:
        write_mo(compiled, read_po(source, locale=code))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
