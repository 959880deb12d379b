"""What every fact about a meeting must satisfy by itself, whatever the state of the record.

Each guard raises one documented error; those about a value say where in the request the value stands.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from datetime import date, datetime

from shared.errors import InvalidInput
from shared.events.commitments import Evidence
from shared.events.streams import looks_like_uuid
from shared.events.vocabulary import Visibility

LONGEST_BODY_CODE = 40
LONGEST_TEXT = 20_000
"""Characters of a text that explains."""
MOST_ITEMS = 200
"""Items in one list of a request."""

_CODE = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_BODY_CODE - 1}}}")
_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,6})?")
_OPENNESS = [Visibility.RESERVED, Visibility.INTERNAL, Visibility.PUBLIC]
_CURRENCY = re.compile(r"[A-Z]{3}")


def well_formed_body_code(code: str) -> str:
    """A code that begins the numbers of the body's decisions, and that paths can carry."""
    if _CODE.fullmatch(code) is None or looks_like_uuid(code):
        raise InvalidInput(
            "body-code-malformed",
            f"A body's code has 1 to {LONGEST_BODY_CODE} letters, digits, dots, hyphens or underscores, begins with "
            "a letter or digit, and does not look like a UUID.",
            pointer="/code",
        )
    return code


def not_after_today(day: date | None, today: date, pointer: str = "/effective_on") -> date:
    """The day a fact took effect: any day up to today, and today when none is given."""
    if day is None:
        return today
    if day > today:
        raise InvalidInput("date-in-future", f"{day} is after today, {today}.", pointer=pointer)
    return day


def not_in_future(instant: datetime, now: datetime, pointer: str) -> datetime:
    """A moment that has passed."""
    if instant > now:
        raise InvalidInput("instant-in-future", "This moment has not come yet.", pointer=pointer)
    return instant


def in_order(begins_at: datetime, ends_at: datetime | None, pointer: str) -> None:
    """What ends, ends after it began."""
    if ends_at is not None and ends_at <= begins_at:
        raise InvalidInput("ends-before-start", "It would end before it began.", pointer=pointer)


def reason_given(reason: str | None, why: str, pointer: str = "/reason") -> str:
    """A reason somebody will be able to read years later; blanks are none."""
    if reason is None or not reason.strip():
        raise InvalidInput("reason-required", f"{why} needs a reason.", pointer=pointer)
    return reason


def text_given(text: str | None, what: str, pointer: str) -> str:
    """A text that says something; blanks do not."""
    if text is None or not text.strip():
        raise InvalidInput("text-required", f"{what} cannot be blank.", pointer=pointer)
    return text


def evidence_given(evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """At least one piece of evidence, each saying what it is."""
    if not evidence or not all(item.description.strip() for item in evidence):
        raise InvalidInput(
            "evidence-required",
            "An action item is done only on evidence: give at least one piece, described.",
            pointer="/evidence",
        )
    return tuple(evidence)


def amount(text: str, pointer: str) -> str:
    """A decimal number as text."""
    if _DECIMAL.fullmatch(text) is None:
        raise InvalidInput(
            "amount-malformed",
            'An amount is decimal text such as "1234.5", with at most 18 digits before the point and 6 after.',
            pointer=pointer,
        )
    return text


def positive_amount(text: str, pointer: str) -> str:
    """A decimal number above zero as text."""
    if amount(text, pointer).startswith("-") or not any(digit in text for digit in "123456789"):
        raise InvalidInput(
            "amount-not-positive", "What a decision costs, or a line holds, is above zero.", pointer=pointer
        )
    return text


def currency(text: str, pointer: str) -> str:
    """The three letters of a currency."""
    if _CURRENCY.fullmatch(text) is None:
        raise InvalidInput(
            "currency-malformed", "A currency is its three letters, as in CLP, CLF or USD.", pointer=pointer
        )
    return text


def fiscal_year(year: int, pointer: str = "/fiscal_year") -> int:
    """A year that a budget can be for."""
    if not 1900 <= year <= 2200:
        raise InvalidInput("fiscal-year-impossible", "A fiscal year is a calendar year.", pointer=pointer)
    return year


def narrower(one: Visibility, other: Visibility) -> bool:
    """Whether fewer may know of what has the one visibility than of what has the other."""
    return _OPENNESS.index(one) < _OPENNESS.index(other)


def known_organization(code: str, organizations: Container[str], pointer: str) -> str:
    """An organisation that is on the record."""
    if code not in organizations:
        raise InvalidInput(
            "unknown-organization", f"There is no organisation with the code '{code}'.", pointer=pointer
        )
    return code


def known_organizations(codes: Iterable[str], organizations: Container[str], pointer: str) -> None:
    """Organisations that are on the record, none of them named twice."""
    seen: set[str] = set()
    for index, code in enumerate(codes):
        known_organization(code, organizations, f"{pointer}/{index}")
        if code in seen:
            raise InvalidInput("named-twice", f"'{code}' is named twice.", pointer=f"{pointer}/{index}")
        seen.add(code)
