"""What every fact about a commitment must satisfy by itself, whatever the commitment's own state.

Each guard raises one documented error; those about a value say where in the request the value stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from shared.errors import InvalidInput
from shared.events.commitments import BudgetLine, Evidence, RisksAssessed
from shared.events.streams import looks_like_uuid
from shared.events.vocabulary import BudgetFigure

LONGEST_CODE = 64
LONGEST_NAME = 500
"""Characters of a title, a name or a label."""
LONGEST_TEXT = 20_000
"""Characters of a text that explains."""
MOST_ITEMS = 200
"""Items in one list of a request."""

RISKS = (
    "budgetary_requirements",
    "technical_design_complexity",
    "stakeholder_conflict",
    "passage_through_congress",
    "conflict_between_institutions",
    "change_management",
)

_CODE = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_CODE - 1}}}")
_AMOUNT = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,6})?")
_CURRENCY = re.compile(r"[A-Z]{3}")


def well_formed_code(code: str, pointer: str = "/code") -> str:
    """A code people can quote and paths can carry; it must not be mistakable for a UUID."""
    if _CODE.fullmatch(code) is None or looks_like_uuid(code):
        raise InvalidInput(
            "code-malformed",
            "A code has 1 to 64 letters, digits, dots, hyphens or underscores, begins with a letter or digit, and "
            "does not look like a UUID.",
            pointer=pointer,
        )
    return code


def not_after_today(day: date | None, today: date, pointer: str = "/effective_on") -> date:
    """The day a fact took effect: any day up to today, and today when none is given."""
    if day is None:
        return today
    if day > today:
        raise InvalidInput(
            "date-in-future",
            f"{day} is after today, {today}: only deadlines and targets lie in the future.",
            pointer=pointer,
        )
    return day


def reason_given(reason: str | None, why: str, pointer: str = "/reason") -> str:
    """A reason somebody will be able to read years later; blanks are none."""
    if reason is None or not reason.strip():
        raise InvalidInput("reason-required", f"{why} needs a reason.", pointer=pointer)
    return reason


def text_given(text: str, what: str, pointer: str) -> str:
    """A text that says something; blanks do not."""
    if not text.strip():
        raise InvalidInput("text-required", f"{what} cannot be blank.", pointer=pointer)
    return text


def short_enough(text: str, limit: int, pointer: str) -> str:
    """A text within its limit."""
    if len(text) > limit:
        raise InvalidInput("text-too-long", f"At most {limit} characters fit here.", pointer=pointer)
    return text


def evidence_given(evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """At least one piece of evidence, each saying what it is."""
    if not any(item.description.strip() for item in evidence):
        raise InvalidInput(
            "evidence-required",
            "A commitment is completed as promised only on evidence: give at least one piece, described.",
            pointer="/evidence",
        )
    return tuple(evidence)


def percentage(percent: Decimal | None) -> Decimal | None:
    """A share of the work done, from 0 to 100."""
    if percent is not None and not (percent.is_finite() and 0 <= percent <= 100):
        raise InvalidInput("percent-out-of-range", "A percentage lies between 0 and 100.", pointer="/percent")
    return percent


def risks_rated(rated: RisksAssessed) -> None:
    """At least one risk is rated, each from 1 (low) to 4 (high)."""
    ratings = [(name, value) for name in RISKS if (value := getattr(rated, name)) is not None]
    if not ratings:
        raise InvalidInput("no-risk-rated", "Rate at least one risk, from 1 (low) to 4 (high).")
    for name, rating in ratings:
        if not 1 <= rating <= 4:
            raise InvalidInput(
                "risk-out-of-range", "A risk is rated from 1 (low) to 4 (high).", pointer=f"/{name}"
            )


def budget_lines(lines: Sequence[BudgetLine]) -> tuple[BudgetLine, ...]:
    """At least one figure, in decimal text and a currency, and no two for the same figure and year."""
    if not lines:
        raise InvalidInput("budget-lines-missing", "An estimate has at least one figure.", pointer="/lines")
    seen: set[tuple[BudgetFigure, int | None]] = set()
    for index, line in enumerate(lines):
        at = f"/lines/{index}"
        if _AMOUNT.fullmatch(line.amount) is None:
            raise InvalidInput(
                "amount-malformed",
                'An amount is decimal text such as "1234.5", with at most 18 digits before the point and 6 after.',
                pointer=f"{at}/amount",
            )
        if _CURRENCY.fullmatch(line.currency) is None:
            raise InvalidInput(
                "currency-malformed",
                "A currency is its three letters, as in CLP, CLF or USD.",
                pointer=f"{at}/currency",
            )
        if (line.figure, line.year) in seen:
            raise InvalidInput(
                "budget-line-repeated", "This figure and year is given twice in one estimate.", pointer=at
            )
        seen.add((line.figure, line.year))
    return tuple(lines)


def all_different(items: Iterable[str], pointer: str) -> None:
    """A list that names nothing twice."""
    seen: set[str] = set()
    for index, item in enumerate(items):
        if item in seen:
            raise InvalidInput("named-twice", f"'{item}' is named twice.", pointer=f"{pointer}/{index}")
        seen.add(item)
