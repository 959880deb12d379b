"""What facts must satisfy by themselves, whatever they are about and whatever the record holds.

Each guard raises one documented error; those about a value say where in the request the value stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Container, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

import msgspec

from shared.errors import InvalidInput, RuleBroken
from shared.events.commitments import Evidence
from shared.events.streams import looks_like_uuid
from shared.events.texts import unseen_in
from shared.events.types import LARGEST_VALUE, LONGEST_CODE, MOST_PLACES, amount_fault

_CODE = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_CODE - 1}}}")
_VALUE = re.compile(rf"-?[0-9]{{1,18}}(\.[0-9]{{1,{MOST_PLACES}}})?")
_CURRENCY = re.compile(r"[A-Z]{3}")


def well_formed_code(code: str, pointer: str = "/code") -> str:
    """A code people can quote and paths can carry; it must not be mistakable for a UUID."""
    if _CODE.fullmatch(code) is None or looks_like_uuid(code):
        raise InvalidInput(
            "code-malformed",
            f"A code has 1 to {LONGEST_CODE} letters, digits, dots, hyphens or underscores, begins with a letter or "
            "digit, and does not look like a UUID.",
            pointer=pointer,
        )
    return code


def not_after_today(day: date, today: date, pointer: str = "/effective_on") -> date:
    """The day a fact took effect: any day up to today."""
    if day > today:
        raise InvalidInput(
            "date-in-future",
            f"{day} is after today, {today}: only deadlines and targets lie in the future.",
            pointer=pointer,
        )
    return day


def nothing_dated_later(fact: object, today: date, pointer: str = "") -> None:
    """Evidence, documents and sources are there when they are recorded: nothing in a fact is dated after that day."""
    if isinstance(fact, tuple):
        for index, item in enumerate(fact):
            nothing_dated_later(item, today, f"{pointer}/{index}")
    elif isinstance(fact, msgspec.Struct):
        for name in fact.__struct_fields__:
            value = getattr(fact, name)
            if name in {"dated_on", "source_on"} and value is not None:
                not_after_today(value, today, f"{pointer}/{name}")
            elif value:
                nothing_dated_later(value, today, f"{pointer}/{name}")


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
    """A reason that can be read years later; blanks are none."""
    if reason is None or not reason.strip():
        raise InvalidInput("reason-required", f"{why} needs a reason.", pointer=pointer)
    return reason


def text_given(text: str | None, what: str, pointer: str) -> str:
    """A text that says something; blanks do not."""
    if text is None or not text.strip():
        raise InvalidInput("text-required", f"{what} cannot be blank.", pointer=pointer)
    return text


def one_line(text: str, pointer: str) -> str:
    """A text of one line, with nothing in it that nobody would see."""
    if (unseen := unseen_in(text)) is not None:
        raise InvalidInput(
            "unseen-character",
            f"A text of one line takes no line break, and no character that nobody sees: {unseen}.",
            pointer=pointer,
        )
    return text


def evidence_given(evidence: Sequence[Evidence], what: str, pointer: str = "/evidence") -> Sequence[Evidence]:
    """At least one piece of evidence that says what it is."""
    if not any(item.description.strip() for item in evidence):
        raise InvalidInput(
            "evidence-required",
            f"{what} only on evidence: give at least one piece, described.",
            pointer=pointer,
        )
    return evidence


def amount(text: str, pointer: str) -> str:
    """A decimal number as text."""
    if (fault := amount_fault(text)) is not None:
        raise InvalidInput("amount-malformed", str(fault), pointer=pointer)
    return text


def value_text(text: str, pointer: str = "") -> Decimal:
    """The value of an indicator from decimal text."""
    found = _VALUE.fullmatch(text)
    value = Decimal(text) if found else None
    if value is None or abs(value) > LARGEST_VALUE:
        raise InvalidInput(
            "target-value-malformed",
            f'A target is decimal text such as "28.56", between -{LARGEST_VALUE} and {LARGEST_VALUE}, with at most '
            f"{MOST_PLACES} digits after the point.",
            pointer=pointer,
        )
    return value


def currency(text: str, pointer: str) -> str:
    """The three letters of a currency."""
    if _CURRENCY.fullmatch(text) is None:
        raise InvalidInput(
            "currency-malformed", "A currency is its three letters, as in CLP, CLF or USD.", pointer=pointer
        )
    return text


def all_different(items: Iterable[str], pointer: str) -> None:
    """A list that names nothing twice."""
    seen: set[str] = set()
    for index, item in enumerate(items):
        if item in seen:
            raise InvalidInput("named-twice", f"'{item}' is named twice.", pointer=f"{pointer}/{index}")
        seen.add(item)


HeirsOn = Callable[[str, date], Collection[str]]
"""The organisations that stand for one on a day: itself while it is there, and then its successors."""


def itself(code: str, _day: date) -> Collection[str]:
    """An organisation that nothing is known to have become of."""
    return (code,)


def still_there(code: str, day: date, heirs_on: HeirsOn) -> str:
    """An organisation takes part in what happens as long as it is there; then its successors do."""
    heirs = heirs_on(code, day)
    if code not in heirs:
        named = (
            f"name its successors: {', '.join(sorted(heirs))}" if heirs else "it has no successor on record"
        )
        raise RuleBroken("organization-dissolved", f"On {day} '{code}' had been dissolved; {named}.")
    return code


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
