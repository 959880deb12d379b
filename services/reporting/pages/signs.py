"""What a warning sign says, in the language of the page."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from shared.aggregate.indicator_documents import WarningDocument
from shared.languages import Language
from shared.rules.indicator_warnings import DETAILS
from shared.rules.sign_texts import STEP

_WORDS: Final = frozenset({"before", "after", "side"})
"""The places in which a code of the record may stand."""
_VALUES: Final = frozenset({"level", "previous", "value"})
"""The places in which a decimal stands."""


def sign_told(sign: WarningDocument, spoken: Language) -> str:
    """What was seen of an indicator."""
    return _told(DETAILS[sign.sign], sign.parameters, spoken)


def _told(text: str, parameters: dict[str, Any], spoken: Language) -> str:
    return spoken.text(text).format(
        **{name: _shown(name, value, spoken) for name, value in parameters.items()}
    )


def _shown(name: str, value: Any, spoken: Language) -> str:
    match name, value:
        case _, list(several):
            return ", ".join(
                _told(STEP, one, spoken) if isinstance(one, dict) else spoken.word(one) for one in several
            )
        case _ if name == "on" or name.endswith("_on"):
            return spoken.day(value)
        case _ if name in _VALUES:
            return spoken.number(Decimal(value))
        case _ if name in _WORDS:
            return spoken.word(value)
        case _:
            return str(value)
