"""The status rule: which of six states a commitment is in on a day, from what the record says of that day.

A pure function of a `Standing` and a day; the first line that holds decides. Nobody presses a button for a deadline
to pass: two of the lines look at the calendar alone. A deadline day itself is not late. The rule has a version, which
every answer names and every edition pins, so that history can be judged again under another rule without touching what
was said under this one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from shared.events.vocabulary import Judgement


class Status(StrEnum):
    """The six published states."""

    DISCARDED = "discarded"
    ACHIEVED = "achieved"
    DELAYED = "delayed"
    NEEDS_ATTENTION = "needs_attention"
    NEEDS_ATTENTION_INTERNAL_DEADLINE = "needs_attention_internal_deadline"
    ON_TIME = "on_time"


class Closure(StrEnum):
    """How a commitment stopped being open; a merged one lives on inside another and has no status of its own."""

    ACHIEVED = "achieved"
    DISCARDED = "discarded"
    MERGED = "merged"


class Standing(NamedTuple):
    """What the record says of one commitment on one day; each `…_at` is the position of the event that said it."""

    registered_at: int
    lead_organization: str
    lead_at: int
    closure: Closure | None = None
    closure_at: int | None = None
    judgement: Judgement | None = None
    judgement_at: int | None = None
    public_deadline: date | None = None
    public_deadline_at: int | None = None
    internal_deadline: date | None = None
    internal_deadline_at: int | None = None


class Verdict(NamedTuple):
    """The state on a day, and the position of the event it follows from; `status` is None for a merged commitment."""

    status: Status | None
    because: int


def traffic_light_1(standing: Standing, day: date) -> Verdict:
    """Version 1 of the rule, as the delivery unit published it."""
    match standing.closure:
        case Closure.MERGED:
            return Verdict(None, standing.closure_at or standing.registered_at)
        case Closure.DISCARDED:
            return Verdict(Status.DISCARDED, standing.closure_at or standing.registered_at)
        case Closure.ACHIEVED:
            return Verdict(Status.ACHIEVED, standing.closure_at or standing.registered_at)
    if standing.public_deadline is not None and standing.public_deadline < day:
        return Verdict(Status.DELAYED, standing.public_deadline_at or standing.registered_at)
    if standing.judgement is Judgement.AT_RISK:
        return Verdict(Status.NEEDS_ATTENTION, standing.judgement_at or standing.registered_at)
    if standing.internal_deadline is not None and standing.internal_deadline < day:
        return Verdict(
            Status.NEEDS_ATTENTION_INTERNAL_DEADLINE, standing.internal_deadline_at or standing.registered_at
        )
    return Verdict(Status.ON_TIME, standing.judgement_at or standing.registered_at)


Rule = Callable[[Standing, date], Verdict]

RULES: dict[str, Rule] = {"traffic_light_1": traffic_light_1}
CURRENT_RULE = "traffic_light_1"


def verdict_on(standing: Standing, day: date, rule: str = CURRENT_RULE) -> Verdict:
    """The verdict on a day under a named rule; an unknown name is a `KeyError`."""
    return RULES[rule](standing, day)
