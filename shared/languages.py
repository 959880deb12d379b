"""The languages that answers speak: which of them a caller wishes, their texts, and how each writes days and numbers.

Texts are English where they are written; a catalogue, read when it is first needed, has them in another language.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

DEFAULT: Final = "es"
"""What pages speak to whoever asks for nothing else."""
LANGUAGES: Final[Mapping[str, str]] = {"es": "Español", "en": "English"}
"""The languages there are, each by its own name."""
MOST = 20
"""Languages of a header that are looked at."""
_LOCALES: Final = {"es": "es_CL", "en": "en_GB"}


def N_(text: str) -> str:  # noqa: N802 - the name by which texts are found that are translated elsewhere
    """Marks a text as one that is translated where it is shown."""
    return text


@dataclass(frozen=True)
class Language:
    """One language: what texts, days and numbers read like in it, and by which words codes of the record are called."""

    code: str
    texts: gettext.NullTranslations
    words: Mapping[str, str]

    @property
    def locale(self) -> str:
        """By which days and numbers are written."""
        return _LOCALES[self.code]

    def text(self, english: str) -> str:
        """A text in this language."""
        return self.texts.gettext(english)

    def word(self, code: Any) -> str:
        """What a code of the record is called; itself where it has no word."""
        return self.text(self.words[code]) if code in self.words else str(code)

    def day(self, day: date | str | None) -> str:
        """A civil day: 21 de mayo de 2012."""
        if day is None:
            return "–"
        return format_date(date.fromisoformat(day) if isinstance(day, str) else day, "long", self.locale)

    def word_or_day(self, value: str) -> str:
        """What a value that differs reads like: a day as such, a code of the record by its word."""
        try:
            return self.day(date.fromisoformat(value))
        except ValueError:
            return self.word(value)

    def number(self, value: Decimal | float | None) -> str:
        """A number with its separators and all its digits: 1.234,5."""
        if value is None:
            return "–"
        return format_decimal(value, locale=self.locale, decimal_quantization=False)


def speaking(package: str, words: Mapping[str, str]) -> Mapping[str, Language]:
    """Every language there is, with the texts of a package and the words by which it calls codes of the record."""
    return {
        code: Language(code, gettext.NullTranslations() if code == "en" else texts_of(package, code), words)
        for code in LANGUAGES
    }


def preferred(accept_language: str) -> str:
    """The language that a browser asks for, by weight and then by place; Spanish where it asks for none there is."""
    return wished(accept_language, LANGUAGES) or DEFAULT


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
