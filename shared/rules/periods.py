"""The periods that figures and reports are about, by their public names.

| name           | period                             |
|----------------|------------------------------------|
| 2011           | the year                           |
| 2011-H1 … H2   | a half-year                        |
| 2011-T1 … T3   | a third of a year: four months     |
| 2011-Q1 … Q4   | a quarter of a year: three months  |
| 2011-01 … 12   | a month                            |
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from typing import NamedTuple

from shared.errors import InvalidInput

_NAME = re.compile(
    r"(?P<year>[12][0-9]{3})(?:-(?:(?P<letter>[HQT])(?P<part>[1-4])|(?P<month>0[1-9]|1[0-2])))?"
)
_MONTHS = {"H": 6, "T": 4, "Q": 3}


class Period(NamedTuple):
    """A named stretch of civil days, its first and its last day included."""

    name: str
    begins_on: date
    ends_on: date


def period_named(name: str, pointer: str = "/period") -> Period:
    """The period a name stands for; any other text is an InvalidInput at `pointer`."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise _unknown(name, pointer)
    year = int(found["year"])
    if found["month"]:
        first = last = int(found["month"])
    elif found["letter"]:
        length = _MONTHS[found["letter"]]
        last = int(found["part"]) * length
        first = last - length + 1
        if last > 12:
            raise _unknown(name, pointer)
    else:
        first, last = 1, 12
    return Period(name, date(year, first, 1), date(year, last, monthrange(year, last)[1]))


def _unknown(name: str, pointer: str) -> InvalidInput:
    return InvalidInput(
        "period-malformed",
        f"'{name}' names no period: write 2011, 2011-H1, 2011-T2 (four months), 2011-Q3 or 2011-05.",
        pointer=pointer,
    )
