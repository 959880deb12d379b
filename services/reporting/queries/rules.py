"""Rules in SQL: the very lines of a rule of `shared.rules.registry`, carried out on the rows of a dataset."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, Text, and_, case, false, func, literal, or_

from shared.rules.registry import (
    SIGNS,
    AllOf,
    AnyOf,
    Compared,
    Condition,
    Day,
    Is,
    Known,
    Operand,
    Rule,
    Values,
    Within,
)


def verdict(rule: Rule, columns: Any, day: date) -> ColumnElement[Any]:
    """What a rule concludes of each row on a day; NULL where that is no state."""
    *lines, last = [(line.when, _word(line.verdict)) for line in rule.lines]
    values = rule.values
    return case(
        *((_condition(when, columns, day, values), word) for when, word in lines if when is not None),
        else_=last[1],
    )


def turns_between(rule: Rule, columns: Any, first: date, last: date) -> ColumnElement[bool]:
    """Whether time alone may change what a rule concludes of a row after a day, up to another."""
    passing = (
        and_(columns[field] >= by.moved(first, rule.values), columns[field] < by.moved(last, rule.values))
        for field, by in sorted(rule.deadlines())
    )
    return or_(false(), *passing)


def _condition(condition: Condition, columns: Any, day: date, values: Values) -> ColumnElement[bool]:
    def value(operand: Operand) -> ColumnElement[Any]:
        return literal(operand.moved(day, values), Date) if isinstance(operand, Day) else columns[operand]

    match condition:
        case Is(field, word):
            return value(field) == word.value
        case Known(field):
            return value(field).is_not(None)
        case Compared(left, sign, right):
            holds: ColumnElement[bool] = SIGNS[sign](value(left), value(right))
            return holds
        case Within(left, right, tolerance):
            return func.abs(value(left) - value(right)) <= value(tolerance)
        case AllOf(conditions):
            return and_(*(_condition(one, columns, day, values) for one in conditions))
        case AnyOf(conditions):
            return or_(*(_condition(one, columns, day, values) for one in conditions))


def _word(verdict: str | None) -> ColumnElement[Any]:
    return literal(None if verdict is None else str(verdict), Text)
