"""Pages made of templates: nothing in them is believed to be safe, and nothing is left out in silence."""

from __future__ import annotations

from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request

from shared.languages import LANGUAGES, Language, preferred

SELF_CONTAINED: Final = "default-src 'none'; style-src 'unsafe-inline'"
"""The policy of a page that brings its own style, so that it can be filed, and takes nothing from anywhere."""


def templates_of(package: str, spoken: Language) -> Environment:
    """The templates of a package, which speak one language: its texts, its days, numbers and words."""
    environment = Environment(
        loader=PackageLoader(package),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(spoken.texts, newstyle=True)  # type: ignore[attr-defined]
    environment.filters |= {
        "day": spoken.day,
        "number": spoken.number,
        "word": spoken.word,
        "word_or_day": spoken.word_or_day,
    }
    return environment


def spoken_in(request: Request) -> str:
    """The language of a page: that of `lang`, or what the browser asks for."""
    code = request.query_params.get("lang", "")
    return code if code in LANGUAGES else preferred(request.headers.get("accept-language", ""))
