"""What rows say, once their cells are understood."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from shared.events.commitments import BudgetLine
from shared.events.vocabulary import Judgement


class Place(NamedTuple):
    """The commitment and the day that a row tells of."""

    code: str
    stream: UUID
    day: date


class RatingSaid(NamedTuple):
    """The rating word for word, the judgement it amounts to if to any, and the reason given."""

    rating: str
    judgement: Judgement | None
    reason: str | None


class DeadlineSaid(NamedTuple):
    """A day, or the prose that stands in its place."""

    on: date | None
    prose: str | None


class ProgressSaid(NamedTuple):
    """How far it is, in the words of the file."""

    observed_progress: str | None
    stage: str | None
    percent: Decimal | None


class Observation(NamedTuple):
    """One commitment as one row tells of it. `lead` is a spelling yet; `compared` is what makes two rows the same."""

    line: int
    code: str
    stream: UUID
    day: date
    title: str
    lead: str
    compared: tuple[str, ...]
    fields: dict[str, Any]
    rating: RatingSaid | None = None
    deadline: DeadlineSaid | None = None
    internal_deadline: DeadlineSaid | None = None
    progress: ProgressSaid | None = None
    budget: tuple[BudgetLine, ...] = ()
    milestones: tuple[tuple[str, str, date], ...] = ()
    """Column, name, due day."""
