"""The warning signs of a commitment: what makes a reader look twice at it, on a day and before a report.

As with those of indicators (`indicator_warnings.py`), none proves anything, none accuses anybody, and each names its
events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from shared.rules.dated_facts import DatedFacts
from shared.rules.traffic_light import Closure

REPORT_DAYS = 10
"""The days before a report in which what is achieved makes a reader look twice."""


class CommitmentWarning(StrEnum):
    """The kinds of warning sign."""

    DEADLINE_CORRECTED_AFTER_DUE = "deadline_corrected_after_due"
    DEADLINE_MISSING = "deadline_missing"
    ACHIEVED_BEFORE_REPORT = "achieved_before_report"


class CommitmentSign(NamedTuple):
    """One sign, in words, and the positions of the events it follows from, in order."""

    code: CommitmentWarning
    detail: str
    events: tuple[int, ...]


class DeadlineCorrection(NamedTuple):
    """The public deadline was set right: on which day, what and by which event, from which day to which."""

    recorded_on: date
    mistaken: int
    position: int
    previous: date | None
    corrected: date | None


def commitment_signs(
    facts: DatedFacts,
    corrections: Iterable[DeadlineCorrection],
    on: date,
    reporting_on: date | None = None,
    report_days: int = REPORT_DAYS,
) -> list[CommitmentSign]:
    """Every sign there is on a day, in the order of their events; of a report only where its day is given."""
    signs = [
        *deadline_corrected_after_due(corrections),
        *without_deadline(facts, on),
        *([] if reporting_on is None else _achieved_before(facts, reporting_on, report_days)),
    ]
    return sorted(signs, key=lambda sign: (sign.events[-1], sign.code))


def deadline_corrected_after_due(corrections: Iterable[DeadlineCorrection]) -> Iterator[CommitmentSign]:
    """The deadline was called a mistake when it had passed, and what took its place left more time."""
    for one in corrections:
        if one.previous is None or one.previous >= one.recorded_on:
            continue
        if one.corrected is None or one.corrected > one.previous:
            to = one.corrected or "none"
            detail = f"The public deadline {one.previous} was corrected to {to} on {one.recorded_on}."
            yield CommitmentSign(
                CommitmentWarning.DEADLINE_CORRECTED_AFTER_DUE, detail, (one.mistaken, one.position)
            )


def without_deadline(facts: DatedFacts, on: date) -> Iterator[CommitmentSign]:
    """An open promise without a public deadline is on time for ever."""
    deadline, position = facts.public_deadlines.on(on)
    if deadline is None and facts.closures.on(on)[0] is None:
        yield CommitmentSign(
            CommitmentWarning.DEADLINE_MISSING, "It is open and has no public deadline.", (position,)
        )


def _achieved_before(facts: DatedFacts, reporting_on: date, report_days: int) -> Iterator[CommitmentSign]:
    """It was achieved in the last days before a report."""
    closure, position = facts.closures.on(reporting_on)
    if closure is not Closure.ACHIEVED:
        return
    achieved_on = max(day for day in facts.closures.days() if day <= reporting_on)
    days = (reporting_on - achieved_on).days
    if days <= report_days:
        detail = f"It was achieved on {achieved_on}, {days} days before the report of {reporting_on}."
        yield CommitmentSign(CommitmentWarning.ACHIEVED_BEFORE_REPORT, detail, (position,))
