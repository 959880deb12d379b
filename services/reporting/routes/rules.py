"""The rules by which the record is judged: every version, what may be set in it, and its lines in words."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.routes.asking import SHOWN, Answer, NextPage, Question, Reporting, heading, tagged
from shared.events.types import Kind
from shared.http.routing import Router
from shared.rules.action_item_state import CURRENT_ACTION_ITEM_RULE
from shared.rules.indicator_verdict import CURRENT_INDICATOR_RULE
from shared.rules.registry import (
    AllOf,
    AnyOf,
    Compared,
    Condition,
    Is,
    Known,
    Operand,
    Parameter,
    Rule,
    Within,
    rules_for,
)
from shared.rules.traffic_light import CURRENT_RULE

_CURRENT: Final = {CURRENT_RULE, CURRENT_INDICATOR_RULE, CURRENT_ACTION_ITEM_RULE}


class RuleParameter(msgspec.Struct, frozen=True):
    """What may be set in a rule: a whole number."""

    name: str
    default: Annotated[int, Meta(description="Its value where none is given.")]
    least: Annotated[int, Meta(description="The smallest value it may have.")]
    most: Annotated[int, Meta(description="The largest value it may have.")]
    meaning: Annotated[str, Meta(description="What it says.")]


class RuleLine(msgspec.Struct, frozen=True):
    """What is concluded where a condition holds and none before it did."""

    verdict: Annotated[str | None, Meta(description="Null for what goes on in others and has no state.")]
    when: Annotated[
        str | None,
        Meta(
            description="The condition in words; `day` is the day on which is judged. Null: in every other case."
        ),
    ]
    because: Annotated[str, Meta(description="The fact from which it follows.")]


class RuleItem(msgspec.Struct, frozen=True):
    """One version of a rule. It never changes: what judges otherwise is another version."""

    name: Annotated[str, Meta(description="By which `rule` asks for it, and answers name it.")]
    family: Annotated[str, Meta(description="The name that all its versions share.")]
    version: Annotated[int, Meta(description="Which of them it is.")]
    judges: Annotated[Kind, Meta(description="The things that it judges.")]
    current: Annotated[bool, Meta(description="Whether these are judged by it where nothing else is asked.")]
    source: Annotated[str, Meta(description="Where it comes from.")]
    parameters: Annotated[list[RuleParameter], Meta(description="What may be set in it.")]
    lines: Annotated[list[RuleLine], Meta(description="Its lines, of which the first that holds decides.")]


class RulesAnswer(Answer, kw_only=True):
    """All rules."""

    items: list[RuleItem]
    next: NextPage


def rule_routes(reporting: Reporting) -> Router:
    """The routes of rules."""
    router = Router("rules", "The rules by which the record is judged.")
    rules = [_described(rule) for kind in Kind for rule in rules_for(kind)]

    @router.get("/v1/rules", access=SHOWN, answers=RulesAnswer, query=Question)
    async def list_rules(request: Request, query: Question) -> Response:
        """Every version of every rule for commitments, indicators and action items, with its lines in words.

        `rule` takes those for commitments on the board and its changes, the list, the page and the timeline of
        commitments, the tree and the load, and those for indicators on their lists and pages.
        """
        at, scope, _ = await reporting.ask(request, query, lambda *_: None, tells=())
        return tagged(request, RulesAnswer(**heading(at, scope), items=rules, next=None), at)

    return router


def _described(rule: Rule) -> RuleItem:
    return RuleItem(
        name=rule.name,
        family=rule.family,
        version=rule.version,
        judges=rule.judges,
        current=rule.name in _CURRENT,
        source=rule.source,
        parameters=[_parameter(one) for one in rule.parameters],
        lines=[
            RuleLine(
                None if line.verdict is None else str(line.verdict),
                None if line.when is None else _in_words(line.when),
                line.because,
            )
            for line in rule.lines
        ],
    )


def _parameter(one: Parameter) -> RuleParameter:
    return RuleParameter(**one._asdict())


def _in_words(condition: Condition) -> str:
    match condition:
        case Is(field, word):
            return f"{field} is {word}"
        case Known(field):
            return f"{field} is known"
        case Compared(left, sign, right):
            return f"{_operand(left)} {sign} {_operand(right)}"
        case Within(left, right, tolerance):
            return f"{left} differs from {right} by {tolerance} or less"
        case AllOf(conditions):
            return " and ".join(map(_within, conditions))
        case AnyOf(conditions):
            return " or ".join(map(_within, conditions))


def _within(condition: Condition) -> str:
    """A condition among others."""
    words = _in_words(condition)
    return f"({words})" if isinstance(condition, AllOf | AnyOf) else words


def _operand(operand: Operand) -> str:
    if isinstance(operand, str):
        return operand
    return (
        "day"
        + (f" - {operand.before}" if operand.before else "")
        + (f" + {operand.after}" if operand.after else "")
    )
