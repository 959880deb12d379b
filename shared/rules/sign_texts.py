"""What warning signs say: a text with places, and what stands in them, so that it can be said in any language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

Parameters = Mapping[str, Any]
"""What stands in the places of a text: days and decimals as text, counts, words, and lists of these or of steps."""
PARAMETERS_ABOUT: Final = (
    "The days, values and words in `detail`, by name, so that it can be said in another language."
)
STEP: Final = "{level} by {on} after {value}"
"""One of the steps in a list of targets that follow what was reached."""


def parameters(values: Mapping[str, object]) -> dict[str, Any]:
    """What stands in the places of a text, as it is kept and sent."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return parameters(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(one) for one in value]
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal | str) else value


def filled(text: str, places: Parameters) -> str:
    """A text in English, with what stands in its places."""
    return text.format(**{name: _shown(value) for name, value in places.items()})


def _shown(value: Any) -> Any:
    if isinstance(value, list):
        return ", ".join(filled(STEP, one) if isinstance(one, dict) else str(one) for one in value)
    return value
