"""One commitment: what may happen to it, and what each thing that happened changes.

A command guards and returns the event; the handler right under it only assigns, so that replaying history never judges
it again. Facts carry the day they took effect, and that day decides: a commitment takes facts dated before it was
closed however late the log learns of them, and none dated on or after that day until it is reopened. What is about the
record rather than the world (comments, reviews, corrections, visibility, escalations) is taken at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec

from services.commitments.domain import guards, registration
from services.commitments.domain.registration import Known
from shared.errors import Forbidden, InvalidInput, NotFound, RuleBroken
from shared.eventlog.envelope import Recorded
from shared.events import commitments as facts
from shared.events.facts import Event
from shared.events.vocabulary import DeadlineKind, DiscardReason, Judgement, ReviewOutcome, Visibility
from shared.identity.actor import Actor, Role
from shared.rules.dated_facts import DatedFacts, History
from shared.rules.periods import period_named
from shared.rules.traffic_light import Closure, Verdict, verdict_on

E = TypeVar("E")


class Entry(NamedTuple, Generic[E]):
    """Something said of the commitment: what, by whom, and where in the log."""

    said: E
    by: Actor
    position: int


class Report(NamedTuple):
    """A progress report and, once somebody looked at it, its review."""

    entry: Entry[facts.ProgressReported]
    review: Entry[facts.ProgressReviewed] | None = None


class Milestone(NamedTuple):
    """A step on the way as last planned, and how it was reached."""

    plan: Entry[facts.MilestoneSet]
    completion: Entry[facts.MilestoneCompleted] | None = None


class Target(NamedTuple):
    """The commitment another one is to be merged into, as the record has it."""

    code: str
    open: bool
    merged_into: tuple[str, ...] = ()
    """Where it went itself, if it was merged: its successor, that one's successor, and so on."""


class Commitment:
    """A promise of the government, folded from everything that was recorded of it."""
