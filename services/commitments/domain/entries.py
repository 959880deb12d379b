"""What a commitment remembers of the things said about it: each with its author and its place in the log."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

from shared.events.commitments import (
    MilestoneCompleted,
    MilestoneSet,
    ProgressReported,
    ProgressReviewed,
)
from shared.identity.actor import Actor

E_co = TypeVar("E_co", covariant=True)


class Entry(NamedTuple, Generic[E_co]):
    """Something said of the commitment: what, by whom, and where in the log."""

    said: E_co
    by: Actor
    position: int


class Report(NamedTuple):
    """A progress report and, once somebody looked at it, its review."""

    entry: Entry[ProgressReported]
    review: Entry[ProgressReviewed] | None = None


class Milestone(NamedTuple):
    """A step on the way as last planned and, once reached, how."""

    plan: Entry[MilestoneSet]
    completion: Entry[MilestoneCompleted] | None = None


class Successor(NamedTuple):
    """The commitment another one is to be merged into, as the record has it."""

    code: str
    open: bool
    merged_into: tuple[str, ...] = ()
    """Where it went itself, if it was merged: its own successor, then that one's, and so on."""
