"""What a field of an event means beyond its JSON type: its limits, what it names, whether people wrote it freely.

It is declared once, at the field, and read off it by whoever needs it: requests and their documents take the limits,
answers leave out the names that a reader may not know (`shared/aggregate/redaction.py`), search takes the free texts.
Decoding a stored event looks at none of it: what was recorded once can be read for ever.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from shared.errors import InvalidValue
from shared.events.texts import unseen_in

LONGEST_CODE: Final = 64
LONGEST_LINE: Final = 500
"""Characters of a title, a name or a label."""
LONGEST_TEXT: Final = 20_000
"""Characters of a text that explains."""
MOST_ITEMS: Final = 200
"""Items in one list."""
LARGEST_VALUE: Final = 10**15
"""Values of indicators lie between minus and plus this."""
MOST_PLACES: Final = 20
"""Digits after the point of an exact number."""


# --- marks ---------------------------------------------------------------------------------------------------------


class Kind(StrEnum):
    """What a field can name: decisions by their number, meetings and action items by their id, all else by its code."""

    COMMITMENT = "commitment"
    INDICATOR = "indicator"
    DECISION = "decision"
    ACTION_ITEM = "action_item"
    BODY = "body"
    MEETING = "meeting"
    ORGANIZATION = "organization"
    PILLAR = "pillar"


@dataclass(frozen=True)
class Names:
    """The field names another thing of this kind.

    A name that is `always_shown` is told to whoever is told of the thing that it stands in: nobody hides organisations,
    and whoever may know of a decision knows which body took it.
    """

    kind: Kind
    always_shown: bool = False


@dataclass(frozen=True)
class Known:
    """The field is the code under which a thing of this kind is itself known."""

    kind: Kind


@dataclass(frozen=True)
class FreeText:
    """The field holds what people wrote in their own words."""


@dataclass(frozen=True)
class Person:
    """The field holds the id of a person."""


@dataclass(frozen=True)
class Plain:
    """The field holds a value that names nothing and that nobody wrote freely: a code of its own, an amount, a URL."""


@dataclass(frozen=True)
class FieldValue:
    """The field holds a value of that field of the registration which its sibling `field` names."""


@dataclass(frozen=True)
class WithDecision:
    """The field comes from the decision named beside it, and is told to those who may know of that one."""


@dataclass(frozen=True)
class WithReferral:
    """The field tells of what was referred to the body named beside it as `to`, and goes where that goes."""


@dataclass(frozen=True)
class InstantOfRecording:
    """The field, of an answer, tells when something was recorded: for those who see everything."""


@dataclass(frozen=True)
class Whole:
    """The field is told whole or not at all: not when it names anything that the reader may not know."""


@dataclass(frozen=True)
class Seal:
    """Guesses about whatever an answer leaves out could be tested with the field, so it goes with the first name."""


@dataclass(frozen=True)
class Computed:
    """The service fills the field in, so no request has it. (One that is always there has the default `COMPUTED`.)"""


@dataclass(frozen=True)
class TodayByDefault:
    """A request may leave the day out: then it is the day on which the request is made."""


MARKS: Final = (Names, FreeText, Person, Plain)
"""Every text of an event carries one of these."""


# --- days, instants, numbers ---------------------------------------------------------------------------------------

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
AMOUNT: Final = r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,6})?"
VALUE: Final = rf"-?(0|[1-9][0-9]{{0,17}})(\.[0-9]{{1,{MOST_PLACES}}})?"
_AMOUNT = re.compile(AMOUNT)
_VALUE = re.compile(VALUE)
_GROUPED = re.compile(r"-?[0-9]{1,3}([.,' \u00a0\u202f][0-9]{3})+")
_WITH_COMMA = re.compile(r"-?[0-9]+,[0-9]+")
_MEANT: Final = "; {given} may be meant as {number}"
NOT_BLANK: Final = r"^[^\x00]*[^\s\x00][^\x00]*$"
"""What a text matches that says something."""


def parse_day(value: object) -> object:
    """A civil day from `YYYY-MM-DD` and nothing else."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or _DAY.fullmatch(value) is None:
        raise InvalidValue("a day is written YYYY-MM-DD")
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise InvalidValue("there is no such day in the calendar") from error


def parse_instant(value: object) -> object:
    """An instant in UTC from RFC 3339, such as `2026-11-21T18:00:00Z`; the offset is not optional."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if not isinstance(value, str) or _INSTANT.fullmatch(value) is None:
        raise InvalidValue("an instant is written as in 2026-11-21T18:00:00Z")
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidValue("there is no such instant") from error


def format_instant(instant: datetime) -> str:
    """An instant as we write it: RFC 3339, UTC with `Z`, always six decimals, so that text order is time order."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _number(value: object) -> object:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return value
    raise _not_written(
        "a value is a number such as 28.56: without quotes, and without separators of thousands", value
    )


def _value_text(value: object) -> object:
    if isinstance(value, str) and _VALUE.fullmatch(value) is not None:
        return value
    raise _not_written(
        'a value is decimal text such as "28.5": in quotes, and without separators of thousands', value
    )


def _not_written(text: str, value: object) -> InvalidValue:
    """What is wrong, with the number that a text may be meant as; nothing of it where that would be a guess."""
    given = value if isinstance(value, str) else ""
    if _AMOUNT.fullmatch(given) is not None:
        return InvalidValue(text, "; write {number}", number=given)
    if _GROUPED.fullmatch(given) is not None:
        return InvalidValue(text, _MEANT, given=given, number=re.sub("[^0-9-]", "", given))
    if _WITH_COMMA.fullmatch(given) is not None:
        return InvalidValue(text, _MEANT, given=given, number=given.replace(",", "."))
    return InvalidValue(text)


def _few_places(value: Decimal) -> Decimal:
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or not -MOST_PLACES <= exponent <= MOST_PLACES:
        raise InvalidValue(
            "a number is finite and has at most {most} digits after the point", most=MOST_PLACES
        )
    return value


def _within_bounds(value: Decimal) -> Decimal:
    if abs(value) > LARGEST_VALUE:
        raise InvalidValue("a value lies between -{largest} and {largest}", largest=LARGEST_VALUE)
    return value


def _all_seen(line: str) -> str:
    if (unseen := unseen_in(line)) is not None:
        raise InvalidValue("a text of one line takes no characters that nobody sees: {unseen}", unseen=unseen)
    return line


def _lines_seen(text: str) -> str:
    if (unseen := unseen_in(text, of_lines=True)) is not None:
        raise InvalidValue(
            "a text takes line breaks, and no other characters that nobody sees: {unseen}", unseen=unseen
        )
    return text


def amount_fault(text: str) -> InvalidValue | None:
    """What is wrong with an amount as it is written; None when nothing is."""
    if _AMOUNT.fullmatch(text) is not None:
        return None
    fault = 'An amount is decimal text such as "1234.5", with at most 18 digits before the point and 6 after'
    if _GROUPED.fullmatch(text) is not None:
        without = ', without separators of thousands: {given} may be meant as "{number}".'
        return InvalidValue(fault, without, given=text, number=re.sub("[^0-9-]", "", text))
    return InvalidValue(fault, ".")


def _amount(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidValue('An amount is decimal text such as "1234.5", in quotes, so nobody rounds it.')
    if (fault := amount_fault(value)) is not None:
        raise fault
    return value


CivilDay = Annotated[
    date,
    BeforeValidator(parse_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2012-05-21"]}),
]
"""A day in the government's own calendar; fields of this type end in `_on`."""

FactDay = Annotated[CivilDay, TodayByDefault()]
PublicationDay = Annotated[
    CivilDay | None,
    Field(
        description="The day from which it was so, for boards of past days; without one it is so on all its days."
    ),
]
"""The day on which something took effect, happened or was published."""

Instant = Annotated[
    datetime,
    BeforeValidator(parse_instant),
    PlainSerializer(format_instant, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-21T18:00:00Z"]}),
]
"""A moment, in UTC; fields of this type end in `_at`."""

Value = Annotated[
    Decimal,
    BeforeValidator(_number),
    AfterValidator(_few_places),
    AfterValidator(_within_bounds),
    WithJsonSchema(
        {"type": "number", "minimum": -LARGEST_VALUE, "maximum": LARGEST_VALUE, "examples": [28.2]}
    ),
]
"""A value in an indicator's own unit, exact to the last of its digits."""

ValueText = Annotated[
    str,
    Plain(),
    BeforeValidator(_value_text),
    StringConstraints(pattern=f"^{VALUE}$"),
    Field(examples=["28.5"]),
]
"""The same as decimal text."""

Percent = Annotated[
    Decimal,
    BeforeValidator(_number),
    AfterValidator(_few_places),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 100, "examples": [62.5]}),
]
"""A share of the work done; the domain refuses what lies outside 0 to 100."""

Weight = Annotated[
    Decimal,
    BeforeValidator(_number),
    AfterValidator(_few_places),
    WithJsonSchema(
        {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 1_000_000,
            "description": "How much it counts in the progress of what it is part of; 1 where nobody says.",
        }
    ),
]
"""How much one part counts beside the others; the domain refuses what is not above 0, or finer than a millionth."""

Risk = Annotated[int, Field(strict=True), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 4})]
"""From 1 (low) to 4 (high); the domain refuses anything else."""

Number = Annotated[int, Field(ge=1, le=100_000, strict=True)]
"""What counts things within one other: reports, milestones, targets."""

Rank = Annotated[
    int,
    Field(ge=0, le=10_000, strict=True, description="Lists go by rank, then by code."),
]

Figure = Annotated[
    int, Field(strict=True), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 1000})
]
"""A number of meetings, days or issues that a protocol asks for."""

Minutes = Annotated[
    int, Field(strict=True), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 1440})
]
"""A stretch of time."""

Year = Annotated[int, Field(ge=1900, le=2200, strict=True)]

# --- texts ---------------------------------------------------------------------------------------------------------

Line = Annotated[
    str,
    FreeText(),
    StringConstraints(min_length=1, max_length=LONGEST_LINE, pattern=NOT_BLANK),
    AfterValidator(_all_seen),
]
"""A short text: a title, a name."""

Prose = Annotated[
    str,
    FreeText(),
    StringConstraints(min_length=1, max_length=LONGEST_TEXT, pattern=NOT_BLANK),
    AfterValidator(_lines_seen),
]
"""A long text: a background, a summary."""

Reason = Annotated[
    str,
    FreeText(),
    StringConstraints(max_length=LONGEST_TEXT),
    AfterValidator(_lines_seen),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT, "pattern": r"\S"}),
]
"""A reason or remark that the domain requires, and refuses with an error of its own when it is blank."""

PersonId = Annotated[
    str,
    Person(),
    StringConstraints(min_length=1, max_length=LONGEST_LINE, pattern=NOT_BLANK),
    AfterValidator(_all_seen),
]
"""Somebody by subject id, never by name."""

PersonOrOffice = PersonId
"""Somebody by subject id, or whoever holds an office."""

Url = Annotated[str, Plain(), StringConstraints(pattern=r"^https?://[^\s]+$", max_length=2000)]

Word = Annotated[
    str,
    Plain(),
    StringConstraints(min_length=1, max_length=LONGEST_LINE, pattern=NOT_BLANK),
    AfterValidator(_all_seen),
]
"""A value from a list that is not ours, kept as it was written: a unit, a region, a stage."""

Amount = Annotated[
    str,
    Plain(),
    BeforeValidator(_amount),
    WithJsonSchema({"type": "string", "pattern": f"^{AMOUNT}$", "examples": ["1234.5"]}),
]
"""A decimal number as text, so that no reader rounds it."""

Currency = Annotated[str, Plain(), StringConstraints(pattern=r"^[A-Z]{3}$"), Field(examples=["CLP"])]

BudgetLineCode = Annotated[
    Word, Field(description="The code of the line in the budget.", examples=["05-01-01-24-03-021"])
]

PeriodName = Annotated[
    str,
    Plain(),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^[12][0-9]{3}(-(H[12]|C[1-3]|Q[1-4]|W[0-5][0-9]|0[1-9]|1[0-2])"
            "|-[0-9]{2}-[0-9]{2}--[12][0-9]{3}-[0-9]{2}-[0-9]{2})?$",
            "examples": [
                "2011",
                "2011-H1",
                "2011-C2",
                "2011-Q3",
                "2011-05",
                "2011-W07",
                "2011-03-01--2012-02-29",
            ],
        }
    ),
]
"""2011, 2011-H1 (half-year), 2011-C2 (four months), 2011-Q3 (quarter), 2011-05 (month), 2011-W07 (ISO week), or by its
first and its last day. What was stored as 2011-T2 is 2011-C2.
"""

# --- names ---------------------------------------------------------------------------------------------------------

_CODE = StringConstraints(min_length=1, max_length=LONGEST_CODE)

OwnCode = Annotated[
    str, Plain(), _CODE, Field(json_schema_extra={"pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"})
]
"""The code under which a thing itself is known, for ever."""

OwnCommitmentCode = Annotated[OwnCode, Known(Kind.COMMITMENT)]
OwnIndicatorCode = Annotated[OwnCode, Known(Kind.INDICATOR)]

CycleCode = Annotated[str, Plain(), _CODE]
"""The code of a reporting cycle: there are few of them, and whoever lays one down compares it with all."""

ReportCode = Annotated[str, Plain(), _CODE]
"""The code of a report that is owed; as that of a cycle."""

CommitmentCode = Annotated[str, Names(Kind.COMMITMENT), _CODE]
IndicatorCode = Annotated[str, Names(Kind.INDICATOR), _CODE]
DecisionNumber = Annotated[str, Names(Kind.DECISION), StringConstraints(min_length=1, max_length=100)]
ActionItemId = Annotated[UUID, Names(Kind.ACTION_ITEM)]
Addressee = Annotated[
    str,
    Field(description="To whom: a body, by its code, an organisation or an office."),
    Names(Kind.BODY),
    StringConstraints(min_length=1, max_length=LONGEST_LINE, pattern=NOT_BLANK),
    AfterValidator(_all_seen),
]
"""To whom a matter goes: a body by its code, or an organisation or an office in other words."""

BodyCode = Annotated[str, Names(Kind.BODY, always_shown=True), _CODE]
OtherBodyCode = Annotated[str, Names(Kind.BODY), _CODE]
"""A body other than the one that speaks: told to those who may know of it."""
MeetingId = Annotated[UUID, Names(Kind.MEETING, always_shown=True)]
OrganizationCode = Annotated[str, Names(Kind.ORGANIZATION, always_shown=True), _CODE]
PillarCode = Annotated[str, Names(Kind.PILLAR, always_shown=True), _CODE]

# --- lists ---------------------------------------------------------------------------------------------------------

T = TypeVar("T")
Items = Annotated[tuple[T, ...], Field(max_length=MOST_ITEMS)]
"""A list of at most `MOST_ITEMS`."""

Filled = Annotated[tuple[T, ...], Field(max_length=MOST_ITEMS, json_schema_extra={"minItems": 1})]
"""A list in which the domain wants at least one."""

Aliases = Annotated[
    tuple[Line, ...],
    Field(
        max_length=50,
        description="Other names that documents and imported files give it; each leads to one organisation only.",
    ),
]
