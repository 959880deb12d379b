"""Rules as data: a name, a version, and a table of lines of which the first that holds decides.

A rule judges what held on one day (any object with the fields its lines name), on that day. Nobody presses a button for
a day to pass: a line may look at the calendar alone. Because lines are data, the same table is carried out here in
Python, and in SQL where many rows are judged at once; and every answer can name the version it was judged by.

A rule may have parameters. With other values than those it was published with it is another rule, whose name says so:
`traffic_light_1:grace_days=30`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from shared.errors import InvalidInput
from shared.events.types import Kind

Values = Mapping[str, int]
"""The values of the parameters of a rule."""


class Day(NamedTuple):
    """Instead of a field: the day on which is judged, or one so many days (a parameter) before or after it."""

    before: str = ""
    after: str = ""

    def moved(self, day: Any, values: Values) -> Any:
        """The day that is meant when it is judged on a day; never beyond the first or the last there is."""
        if not (self.before or self.after):
            return day
        days = (values[self.after] if self.after else 0) - (values[self.before] if self.before else 0)
        return date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal()))


DAY: Final = Day()
"""The day on which is judged."""

Operand = str | Day
"""The name of a field, or a day."""


class Is(NamedTuple):
    """The field has this value."""

    field: str
    value: StrEnum


class Known(NamedTuple):
    """The field has a value."""

    field: str


class Compared(NamedTuple):
    """`left` compared with `right`, two fields or a field and the `DAY`; does not hold while one has no value."""

    left: Operand
    sign: str
    right: Operand


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


def passed(deadline: str, grace: str = "") -> Condition:
    """A day has passed, and so many days of grace after it (a parameter): the deadline day itself is not late."""
    return Compared(deadline, "<", Day(before=grace))


def near(deadline: str, notice: str) -> Condition:
    """It is less than so many days (a parameter) until a day."""
    return Compared(deadline, "<", Day(after=notice))


class Parameter(NamedTuple):
    """What may be set in a rule: a whole number from `least` to `most`, and what it means."""

    name: str
    default: int
    least: int
    most: int
    meaning: str


class Line(NamedTuple):
    """What is concluded when a condition holds (the last line of a rule has none), and from which fact.

    `because` names a fact; the position of the event that said it is in the field of that name with `_at` behind it.
    """

    verdict: StrEnum | None
    because: str
    when: Condition | None = None


class Rule(NamedTuple):
    """The lines of one version of a rule, what it judges, and where it comes from.

    `origin` is the field with the position of what there was first of all; `given` are the parameters that have another
    value than the default, in the order of `parameters`.
    """

    family: str
    version: int
    judges: Kind
    source: str
    lines: tuple[Line, ...]
    origin: str = ""
    parameters: tuple[Parameter, ...] = ()
    given: tuple[tuple[str, int], ...] = ()

    @property
    def name(self) -> str:
        """By which answers name it: family and version, and with which values if these are not its own."""
        values = ",".join(f"{name}={value}" for name, value in self.given)
        return f"{self.family}_{self.version}{values and ':'}{values}"

    @property
    def values(self) -> Values:
        """The value of each parameter."""
        return {**{one.name: one.default for one in self.parameters}, **dict(self.given)}

    def with_values(self, values: Values) -> Rule:
        """The rule with other values of some parameters; ValueError, with what there is, for one it cannot have."""
        for name, value in values.items():
            one = next((one for one in self.parameters if one.name == name), None)
            if one is None or not one.least <= value <= one.most:
                admitted = ", ".join(f"{one.name} ({one.least} to {one.most})" for one in self.parameters)
                raise ValueError(f"The parameters of {self.family}_{self.version} are: {admitted or 'none'}.")
        chosen = {**self.values, **values}
        return self._replace(
            given=tuple(
                (one.name, chosen[one.name]) for one in self.parameters if chosen[one.name] != one.default
            )
        )

    def line_for(self, facts: Any, day: Any = None) -> Line:
        """The first line that holds."""
        values = self.values if self.parameters else {}
        return next(line for line in self.lines if line.when is None or holds(line.when, facts, day, values))

    def turning_days(self, facts: Any) -> list[date]:
        """The days on which another line may begin to hold of the same facts, in order: the morrows of deadlines."""
        found = set()
        for field, by in self.deadlines():
            if (deadline := getattr(facts, field)) is not None:
                # It is the other way about: the field is moved by what the day would be.
                eve = Day(before=by.after, after=by.before).moved(deadline, self.values)
                if eve < date.max:
                    found.add(eve + _ONE_DAY)
        return sorted(found)

    def deadlines(self) -> set[tuple[str, Day]]:
        """The fields that are compared with the day on which is judged, each with how that is moved."""
        return {
            (one.left, one.right)
            for line in self.lines
            for one in _comparisons(line.when)
            if isinstance(one.left, str) and isinstance(one.right, Day)
        }

    def position_of(self, line: Line, facts: Any) -> int:
        """The position of the event that a conclusion follows from."""
        found: int | None = getattr(facts, f"{line.because}_at")
        if found is None:
            found = getattr(facts, self.origin)
        assert found is not None
        return found


def holds(condition: Condition, facts: Any, day: Any, values: Values) -> bool:
    """Whether a condition holds of the facts, on a day, with these values of the parameters."""

    def value(operand: Operand) -> Any:
        return operand.moved(day, values) if isinstance(operand, Day) else getattr(facts, operand)

    match condition:
        case Is(field, word):
            return bool(value(field) == word)
        case Known(field):
            return value(field) is not None
        case Compared(left, sign, right):
            one, other = value(left), value(right)
            return one is not None and other is not None and bool(SIGNS[sign](one, other))
        case Within(left, right, tolerance):
            one, other = value(left), value(right)
            return one is not None and other is not None and bool(abs(one - other) <= value(tolerance))
        case AllOf(conditions):
            return all(holds(one, facts, day, values) for one in conditions)
        case AnyOf(conditions):
            return any(holds(one, facts, day, values) for one in conditions)


_ONE_DAY: Final = timedelta(days=1)


def _comparisons(condition: Condition | None) -> Iterator[Compared]:
    """The comparisons within a condition."""
    match condition:
        case Compared():
            yield condition
        case AllOf(conditions) | AnyOf(conditions):
            for one in conditions:
                yield from _comparisons(one)


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


def rules_for(kind: Kind) -> list[Rule]:
    """Every rule that judges things of a kind, in the order in which they were laid down."""
    return [rule for rule in _RULES.values() if rule.judges is kind]


def rule_asked_for(text: str, kind: Kind = Kind.COMMITMENT) -> Rule:
    """The rule for things of a kind that somebody asks for, `name` or `name:parameter=value,…`.

    InvalidInput, with what there is, for a name, a parameter or a value that there is not.
    """
    name, _, settings = text.partition(":")
    rule = next((one for one in rules_for(kind) if one.name == name), None)
    if rule is None:
        raise _unknown(f"The rules are {', '.join(one.name for one in rules_for(kind))}.")
    try:
        return rule.with_values(dict(_settings(settings.split(",") if settings else [])))
    except ValueError as error:
        raise _unknown(str(error)) from error


def _settings(texts: Iterable[str]) -> Iterator[tuple[str, int]]:
    named = set()
    for text in texts:
        name, _, value = text.partition("=")
        if name in named or not (value.isascii() and value.isdigit() and len(value) < 10):
            raise ValueError("Give each parameter once, with a whole number: name=30.")
        named.add(name)
        yield name, int(value)


def _unknown(message: str) -> InvalidInput:
    return InvalidInput("rule-unknown", message, pointer="/query/rule")


def versions_of(family: str) -> list[Rule]:
    """Every version of a rule, the oldest first."""
    return sorted((rule for rule in _RULES.values() if rule.family == family), key=lambda rule: rule.version)
