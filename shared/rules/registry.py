"""Rules as data: a name, a version, and a table of lines of which the first that holds decides.

A rule judges what held on one day (any object with the fields its lines name), on that day. Nobody presses a button for
a day to pass: a line may look at the calendar alone. Because lines are data, the same table is carried out here in
Python, and in SQL where many rows are judged at once; and every answer can name the version it was judged by.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final, NamedTuple

DAY: Final = "day"
"""Instead of a field: the day on which is judged."""


class Is(NamedTuple):
    """The field has this value."""

    field: str
    value: StrEnum


class Known(NamedTuple):
    """The field has a value."""

    field: str


class Compared(NamedTuple):
    """`left` compared with `right`, two fields or a field and the `DAY`; does not hold while one has no value."""

    left: str
    sign: str
    right: str


class Within(NamedTuple):
    """Two fields differ by no more than a third."""

    left: str
    right: str
    tolerance: str


class AllOf(NamedTuple):
    """Every one of the conditions."""

    conditions: tuple[Condition, ...]


class AnyOf(NamedTuple):
    """At least one of the conditions."""

    conditions: tuple[Condition, ...]


Condition = Is | Known | Compared | Within | AllOf | AnyOf

SIGNS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def passed(deadline: str) -> Condition:
    """A day has passed: the deadline day itself is not late."""
    return Compared(deadline, "<", DAY)


class Line(NamedTuple):
    """What is concluded when a condition holds (the last line of a rule has none), and from which fact.

    `because` names a fact; the position of the event that said it is in the field of that name with `_at` behind it.
    """

    verdict: StrEnum | None
    because: str
    when: Condition | None = None


class Rule(NamedTuple):
    """The lines of one version of a rule; `origin` is the field with the position of what there was first of all."""

    family: str
    version: int
    lines: tuple[Line, ...]
    origin: str = ""

    @property
    def name(self) -> str:
        """By which answers name it."""
        return f"{self.family}_{self.version}"

    def line_for(self, facts: Any, day: Any = None) -> Line:
        """The first line that holds."""
        return next(line for line in self.lines if line.when is None or holds(line.when, facts, day))

    def position_of(self, line: Line, facts: Any) -> int:
        """The position of the event that a conclusion follows from."""
        found: int | None = getattr(facts, f"{line.because}_at")
        if found is None:
            found = getattr(facts, self.origin)
        assert found is not None
        return found


def holds(condition: Condition, facts: Any, day: Any) -> bool:
    """Whether a condition holds of the facts, on a day."""
    match condition:
        case Is(field, value):
            return bool(_value(facts, field, day) == value)
        case Known(field):
            return _value(facts, field, day) is not None
        case Compared(left, sign, right):
            one, other = _value(facts, left, day), _value(facts, right, day)
            return one is not None and other is not None and bool(SIGNS[sign](one, other))
        case Within(left, right, tolerance):
            one, other = _value(facts, left, day), _value(facts, right, day)
            return (
                one is not None
                and other is not None
                and bool(abs(one - other) <= _value(facts, tolerance, day))
            )
        case AllOf(conditions):
            return all(holds(one, facts, day) for one in conditions)
        case AnyOf(conditions):
            return any(holds(one, facts, day) for one in conditions)


def _value(facts: Any, field: str, day: Any) -> Any:
    return day if field == DAY else getattr(facts, field)


_RULES: Final[dict[str, Rule]] = {}


def registered(rule: Rule) -> Rule:
    """The rule, from now on to be had by its name; ValueError when that is taken: a version never changes."""
    if rule.name in _RULES:
        raise ValueError(f"there is a rule {rule.name} already")
    _RULES[rule.name] = rule
    return rule


def rule_named(name: str) -> Rule:
    """A rule by its name; KeyError when there is none."""
    return _RULES[name]


def versions_of(family: str) -> list[Rule]:
    """Every version of a rule, the oldest first."""
    return sorted((rule for rule in _RULES.values() if rule.family == family), key=lambda rule: rule.version)
