"""The rules by which the record is judged, in words of people: each line says when it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from shared.events.types import Kind
from shared.languages import N_, Language
from shared.rules.action_item_state import CURRENT_ACTION_ITEM_RULE
from shared.rules.indicator_verdict import CURRENT_INDICATOR_RULE
from shared.rules.registry import (
    AllOf,
    AnyOf,
    Compared,
    Condition,
    Day,
    Is,
    Known,
    Line,
    Operand,
    Parameter,
    Rule,
    Within,
    rules_for,
)
from shared.rules.traffic_light import CURRENT_RULE

JUDGED: Final[Mapping[Kind, str]] = {
    Kind.COMMITMENT: N_("Commitments"),
    Kind.INDICATOR: N_("Indicators"),
    Kind.ACTION_ITEM: N_("Tasks of meetings"),
}
"""What rules judge, and what these are called."""
_CURRENT: Final = (CURRENT_RULE, CURRENT_INDICATOR_RULE, CURRENT_ACTION_ITEM_RULE)
FACTS: Final[Mapping[str, str]] = {
    "closure": N_("its end"),
    "public_deadline": N_("the public deadline"),
    "internal_deadline": N_("the internal deadline"),
    "judgement": N_("the judgement"),
    "bill_stage": N_("the stage of its bill"),
    "value": N_("the value"),
    "target": N_("the target"),
    "planned": N_("the value planned for the day"),
    "tolerance": N_("the tolerance"),
    "due_on": N_("the day by which it is due"),
    "direction": N_("the direction"),
    "settled": N_("when it is settled"),
    "obstacle": N_("what stands in the way of judging"),
    "ending": N_("its end"),
    "ended_on": N_("the day on which it ended"),
}
"""What rules look at."""
_SIGNS: Final[Mapping[str, str]] = {
    "<": N_("%(left)s is less than %(right)s"),
    "<=": N_("%(left)s is %(right)s at most"),
    ">": N_("%(left)s is more than %(right)s"),
    ">=": N_("%(left)s is %(right)s at least"),
}
_DAYS: Final[Mapping[str, str]] = {
    "<": N_("the day is before %(right)s"),
    "<=": N_("the day is %(right)s at the latest"),
    ">": N_("the day is after %(right)s"),
    ">=": N_("the day is %(right)s or later"),
}


class RuleTold(NamedTuple):
    """One version of a rule, in words."""

    name: str
    version: int
    current: bool
    source: str
    lines: list[tuple[str | None, str]]
    """What each line concludes, None where that is no state; and when, empty in the last, for all other cases."""
    parameters: list[tuple[Parameter, str]]


def rules_told(spoken: Language) -> list[tuple[str, list[RuleTold]]]:
    """By what they judge every version of every rule, those in force first."""
    return [
        (
            spoken.text(called),
            sorted(
                (_rule_told(one, spoken) for one in rules_for(kind)),
                key=lambda one: (not one.current, one.name),
            ),
        )
        for kind, called in JUDGED.items()
    ]


def _rule_told(rule: Rule, spoken: Language) -> RuleTold:
    return RuleTold(
        rule.name,
        rule.version,
        rule.name in _CURRENT,
        spoken.text(rule.source),
        [_line_told(line, spoken) for line in rule.lines],
        [(one, spoken.text(one.meaning)) for one in rule.parameters],
    )


def _line_told(line: Line, spoken: Language) -> tuple[str | None, str]:
    verdict = None if line.verdict is None else str(line.verdict)
    return verdict, "" if line.when is None else _when(line.when, spoken)


def _when(condition: Condition, spoken: Language) -> str:
    def fact(operand: Operand) -> str:
        assert isinstance(operand, str)
        return spoken.text(FACTS[operand])

    match condition:
        case Is(field, word):
            told = N_("%(fact)s is “%(word)s”"), {"fact": fact(field), "word": spoken.word(word.value)}
        case Known(field):
            told = N_("%(fact)s is known"), {"fact": fact(field)}
        case Compared(str(field), "<", Day("", "")):
            told = N_("%(fact)s has passed"), {"fact": fact(field)}
        case Compared(str(field), "<", Day(before, "")):
            told = (
                N_("%(fact)s has passed by more than so many days: %(days)s"),
                {"fact": fact(field), "days": before},
            )
        case Compared(str(field), "<", Day("", after)):
            told = N_("%(fact)s is fewer days away than %(days)s"), {"fact": fact(field), "days": after}
        case Compared(Day(), sign, right):
            told = _DAYS[sign], {"right": fact(right)}
        case Compared(left, sign, right):
            told = _SIGNS[sign], {"left": fact(left), "right": fact(right)}
        case Within(left, right, tolerance):
            told = (
                N_("%(left)s differs from %(right)s by %(tolerance)s at most"),
                {"left": fact(left), "right": fact(right), "tolerance": fact(tolerance)},
            )
        case AllOf(conditions):
            return spoken.text(N_(" and ")).join(_among(one, spoken) for one in conditions)
        case AnyOf(conditions):
            return spoken.text(N_(" or ")).join(_among(one, spoken) for one in conditions)
    text, values = told
    return spoken.text(text) % values


def _among(condition: Condition, spoken: Language) -> str:
    """A condition among others."""
    told = _when(condition, spoken)
    return f"({told})" if isinstance(condition, AllOf | AnyOf) else told
