"""What a warning sign says, in the language of the page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from shared.http.languages import Language
from shared.rules.indicator_warnings import DETAILS, STEP, WarningCode

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_WORDS: Final = frozenset({"before", "after", "side"})
"""The places in which a code of the record may stand."""


def sign_told(code: str, detail: str, spoken: Language) -> str:
    """The detail of a sign of an indicator; as it was written where it is not of the text that the sign has now."""
    if code not in set(WarningCode):
        return detail
    return _told(DETAILS[WarningCode(code)], detail, spoken)


def _told(text: str, detail: str, spoken: Language) -> str:
    found = _pattern(text).fullmatch(detail)
    if found is None:
        return detail
    return spoken.text(text).format(**_shown(found.groupdict(), spoken))


def _shown(values: Mapping[str, str], spoken: Language) -> dict[str, str]:
    return {name: _value(name, value, spoken) for name, value in values.items()}


def _value(name: str, value: str, spoken: Language) -> str:
    if name in ("steps", "fields"):
        return ", ".join(
            _told(STEP, one, spoken) if name == "steps" else spoken.word(one) for one in value.split(", ")
        )
    if _DAY.fullmatch(value):
        return spoken.day(value)
    return spoken.word(value) if name in _WORDS else value


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """What a text looks like once its places are filled."""
    places = re.split(r"\{(\w+)\}", text)
    return re.compile(
        "".join(f"(?P<{one}>.+?)" if at % 2 else re.escape(one) for at, one in enumerate(places))
    )
