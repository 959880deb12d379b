"""What every request schema shares: nothing unknown, days and instants in one form, money as text."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Generic, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

Item = TypeVar("Item")

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_NO_NUL = r"^[^\x00]*[^\s\x00][^\x00]*$"


class RequestModel(BaseModel):
    """The body of a request: an unknown field is refused, and a number is a finite one."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


def parse_day(value: object) -> object:
    """A civil day from `YYYY-MM-DD` and nothing else."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or _DAY.fullmatch(value) is None:
        raise ValueError("a day is written YYYY-MM-DD")
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ValueError("there is no such day in the calendar") from error


def parse_instant(value: object) -> object:
    """An instant in UTC from RFC 3339, such as `2026-11-21T18:00:00Z`; the offset is not optional."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if not isinstance(value, str) or _INSTANT.fullmatch(value) is None:
        raise ValueError("an instant is written as in 2026-11-21T18:00:00Z")
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("there is no such instant") from error


def format_instant(instant: datetime) -> str:
    """An instant as we write it: UTC with `Z`, microseconds always."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


CivilDay = Annotated[
    date,
    BeforeValidator(parse_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2012-05-21"]}),
]
"""A day in the government's own calendar; fields of this type end in `_on`."""

Instant = Annotated[
    datetime,
    BeforeValidator(parse_instant),
    PlainSerializer(format_instant, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-21T18:00:00Z"]}),
]
"""A moment, in UTC; fields of this type end in `_at`."""

Line = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=_NO_NUL)]
"""A short text: a title, a name."""

Prose = Annotated[str, StringConstraints(min_length=1, max_length=20_000, pattern=_NO_NUL)]
"""A long text: a reason, a summary."""

DecimalText = Annotated[str, StringConstraints(pattern=r"^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,6})?$")]
"""A decimal number as text, so that no reader rounds it."""


class Money(RequestModel):
    """An amount in a currency; the amount is text, kept as it was written."""

    amount: DecimalText = Field(examples=["1234.5"])
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = Field(examples=["CLP"])

    @property
    def value(self) -> Decimal:
        """The amount as a number."""
        return Decimal(self.amount)


class Page(BaseModel, Generic[Item]):
    """A list, a page at a time."""

    items: list[Item]
    next: str | None = Field(description="The absolute URL of the next page; null on the last.")
