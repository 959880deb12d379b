"""The status rule: which of six states a commitment is in on a day, from what the record says of that day.

Two of its lines look at the calendar alone, and a deadline day itself is not late. The rule has a version, which every
answer names and every edition pins, so that history can be judged again under another rule without touching what was
concluded under this one.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple, cast

from shared.events.commitments import Registered
from shared.events.types import Kind
from shared.events.vocabulary import Judgement
from shared.rules.registry import AnyOf, Is, Line, Parameter, Rule, passed, registered, rule_named


class Status(StrEnum):
    """The six published states."""

    DISCARDED = "discarded"
    ACHIEVED = "achieved"
    DELAYED = "delayed"
    NEEDS_ATTENTION = "needs_attention"
    NEEDS_ATTENTION_INTERNAL_DEADLINE = "needs_attention_internal_deadline"
    ON_TIME = "on_time"


class Closure(StrEnum):
    """How a commitment stopped being open; what goes on in others, merged or split, has no status of its own."""

    ACHIEVED = "achieved"
    DISCARDED = "discarded"
    MERGED = "merged"
    SPLIT = "split"


class CommitmentOnDay(NamedTuple):
    """What held of a commitment on one day; each `…_at` is the position of the event that said so."""

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
    registration: Registered = cast(Registered, None)
    """What was registered, as it reads on that day; no rule looks at it."""


class Verdict(NamedTuple):
    """The state on a day, None for what goes on in others, and the position of the event it follows from."""

    status: Status | None
    because: int


FAMILY: Final = "traffic_light"

GRACE: Final = Parameter(
    "grace_days", 0, 0, 3650, "For how many days after its public deadline a commitment is not delayed yet."
)

TRAFFIC_LIGHT_1: Final = registered(
    Rule(
        FAMILY,
        1,
        Kind.COMMITMENT,
        "The six states that the delivery unit published: Figure 4 and Annex 5 of the note.",
        (
            Line(None, "closure", AnyOf((Is("closure", Closure.MERGED), Is("closure", Closure.SPLIT)))),
            Line(Status.DISCARDED, "closure", Is("closure", Closure.DISCARDED)),
            Line(Status.ACHIEVED, "closure", Is("closure", Closure.ACHIEVED)),
            Line(Status.DELAYED, "public_deadline", passed("public_deadline", GRACE.name)),
            Line(Status.NEEDS_ATTENTION, "judgement", Is("judgement", Judgement.AT_RISK)),
            Line(Status.NEEDS_ATTENTION_INTERNAL_DEADLINE, "internal_deadline", passed("internal_deadline")),
            Line(Status.ON_TIME, "judgement"),
        ),
        origin="registered_at",
        parameters=(GRACE,),
    )
)
"""Version 1 of the rule, as the delivery unit published it."""

CURRENT_RULE: Final = TRAFFIC_LIGHT_1.name


def verdict_on(facts: CommitmentOnDay, day: date, rule: str = CURRENT_RULE) -> Verdict:
    """The verdict on a day under a named rule; an unknown name is a `KeyError`."""
    named = rule_named(rule)
    line = named.line_for(facts, day)
    return Verdict(cast(Status | None, line.verdict), named.position_of(line, facts))
