"""The periods that figures and reports are about, by their public names.

| name                     | period                                           |
|--------------------------|--------------------------------------------------|
| 2011                     | the year                                         |
| 2011-H1 … H2             | a half-year                                      |
| 2011-C1 … C3             | a third of a year: four months (*cuatrimestre*)  |
| 2011-Q1 … Q4             | a quarter of a year: three months                |
| 2011-01 … 12             | a month                                          |
| 2011-W01 … W53           | an ISO week, of the year that has its Thursday   |
| 2011-03-01--2012-02-29   | the days from one to the other: a school year    |

The letter `T` is a quarter (*trimestre*) in Chile and a third of a year (*tertial*) elsewhere. The record took it for
four months once: what was stored so reads as `C`, and a new request has to say which it means.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import date
from typing import Final, Literal, NamedTuple

from shared.errors import InvalidInput
from shared.events.vocabulary import Frequency

_NAME = re.compile(
    r"(?P<year>[12][0-9]{3})"
    r"(?:-(?:(?P<letter>[HQCT])(?P<part>[1-4])|W(?P<week>[0-5][0-9])|(?P<month>0[1-9]|1[0-2])))?"
)
_DAYS = re.compile(r"([12][0-9]{3}-[0-9]{2}-[0-9]{2})--([12][0-9]{3}-[0-9]{2}-[0-9]{2})")
_MONTHS = {"H": 6, "C": 4, "T": 4, "Q": 3}

DAYS_OF: Final[dict[Frequency, tuple[int, int]]] = {
    Frequency.WEEKLY: (7, 7),
    Frequency.MONTHLY: (28, 31),
    Frequency.QUARTERLY: (90, 92),
    Frequency.FOUR_MONTHLY: (120, 123),
    Frequency.HALF_YEARLY: (181, 184),
    Frequency.YEARLY: (364, 371),
    Frequency.SCHOOL_YEARLY: (185, 371),
}
"""How many days a period of a frequency has, at least and at most; a year may be one of whole weeks."""


Length = Literal["year", "half_year", "four_months", "quarter", "month"]
"""How long the periods of a calendar year are that have a name of their own."""

_PERIOD_OF: Final[dict[Length, Callable[[date], str]]] = {
    "year": lambda day: f"{day.year}",
    "half_year": lambda day: f"{day.year}-H{(day.month + 5) // 6}",
    "four_months": lambda day: f"{day.year}-C{(day.month + 3) // 4}",
    "quarter": lambda day: f"{day.year}-Q{(day.month + 2) // 3}",
    "month": lambda day: f"{day.year}-{day.month:02}",
}


class Period(NamedTuple):
    """A named stretch of civil days, its first and its last day included."""

    name: str
    begins_on: date
    ends_on: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.ends_on - self.begins_on).days + 1

    def is_of(self, frequency: Frequency) -> bool:
        """Whether it is as long as what is measured this often; of an `other` frequency any length is."""
        if frequency is Frequency.OTHER:
            return True
        least, most = DAYS_OF[frequency]
        return least <= self.days <= most

    def overlaps(self, other: Period) -> bool:
        """Whether they have a day in common."""
        return self.begins_on <= other.ends_on and other.begins_on <= self.ends_on


def period_named(name: str, pointer: str = "/period") -> Period:
    """The period that a new request names; InvalidInput at `pointer` for any other text, and for the letter `T`."""
    period = _read(name)
    if period is None:
        raise InvalidInput(
            "period-malformed",
            f"'{name}' names no period: write 2011, 2011-H1, 2011-C2 (four months), 2011-Q3, 2011-05, 2011-W07 or "
            "2011-03-01--2012-02-29.",
            pointer=pointer,
        )
    if period.name != name:
        part = name[-1]
        raise InvalidInput(
            "period-ambiguous",
            f"'{name}' is a quarter to some and a third of a year to others: write {name[:4]}-Q{part} for three months "
            f"or {period.name} for four.",
            pointer=pointer,
        )
    return period


def period_with(day: date, length: Length) -> str:
    """The name of the period of a length in which a day falls."""
    return _PERIOD_OF[length](day)


def stored_period(name: str) -> Period:
    """The period that a name on record stands for, by the name it has today; ValueError for what names none."""
    period = _read(name)
    if period is None:
        raise ValueError(f"'{name}' names no period")
    return period


def first_day(name: str) -> date:
    """The first day of a period on record."""
    return stored_period(name).begins_on


def last_day(name: str) -> date:
    """The last day of a period on record."""
    return stored_period(name).ends_on


def _read(name: str) -> Period | None:
    """The period by its name of today; None for what names none."""
    if (days := _DAYS.fullmatch(name)) is not None:
        try:
            begins_on, ends_on = (date.fromisoformat(day) for day in days.groups())
        except ValueError:
            return None
        return Period(name, begins_on, ends_on) if begins_on <= ends_on else None
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    year = int(found["year"])
    if found["week"]:
        try:
            monday, sunday = (date.fromisocalendar(year, int(found["week"]), day) for day in (1, 7))
        except ValueError:
            return None
        return Period(name, monday, sunday)
    if found["month"]:
        first = last = int(found["month"])
    elif found["letter"]:
        length = _MONTHS[found["letter"]]
        last = int(found["part"]) * length
        first = last - length + 1
        if last > 12:
            return None
    else:
        first, last = 1, 12
    return Period(name.replace("T", "C"), date(year, first, 1), date(year, last, monthrange(year, last)[1]))
