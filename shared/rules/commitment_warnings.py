"""The warning signs of a commitment: what makes a reader look twice at it, on a day and before a report.

As with those of indicators (`indicator_warnings.py`), none proves anything, none accuses anybody, and each names its
events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from shared.rules.dated_facts import DatedFacts
from shared.rules.sign_texts import Parameters, filled, parameters
from shared.rules.traffic_light import Closure

REPORT_DAYS = 10
"""The days before a report in which what is achieved makes a reader look twice."""


class CommitmentWarning(StrEnum):
    """The kinds of warning sign."""

    DEADLINE_CORRECTED_AFTER_DUE = "deadline_corrected_after_due"
    DEADLINE_MISSING = "deadline_missing"
    ACHIEVED_BEFORE_REPORT = "achieved_before_report"


COMMITMENT_DETAILS: Final[Mapping[CommitmentWarning, str]] = {
    CommitmentWarning.DEADLINE_CORRECTED_AFTER_DUE: "The public deadline {previous_on} was corrected to {corrected_on} "
    "on {on}.",
    CommitmentWarning.DEADLINE_MISSING: "It is open and has no public deadline.",
    CommitmentWarning.ACHIEVED_BEFORE_REPORT: "It was achieved on {on}, {days} days before the report of "
    "{reporting_on}.",
}
"""What each says."""


class CommitmentSign(NamedTuple):
    """One sign, what stands in the places of its text, and the positions of the events it follows from, in order."""

    code: CommitmentWarning
    parameters: Parameters
    events: tuple[int, ...]

    @property
    def detail(self) -> str:
        """What was seen, in words."""
        return filled(COMMITMENT_DETAILS[self.code], self.parameters)


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
            told = {
                "previous_on": one.previous,
                "corrected_on": one.corrected or "none",
                "on": one.recorded_on,
            }
            yield CommitmentSign(
                CommitmentWarning.DEADLINE_CORRECTED_AFTER_DUE,
                parameters(told),
                (one.mistaken, one.position),
            )


def without_deadline(facts: DatedFacts, on: date) -> Iterator[CommitmentSign]:
    """An open promise without a public deadline is on time for ever."""
    deadline, position = facts.public_deadlines.on(on)
    if deadline is None and facts.closures.on(on)[0] is None:
        yield CommitmentSign(CommitmentWarning.DEADLINE_MISSING, {}, (position,))


def _achieved_before(facts: DatedFacts, reporting_on: date, report_days: int) -> Iterator[CommitmentSign]:
    """It was achieved in the last days before a report."""
    closure, position = facts.closures.on(reporting_on)
    if closure is not Closure.ACHIEVED:
        return
    achieved_on = max(day for day in facts.closures.days() if day <= reporting_on)
    days = (reporting_on - achieved_on).days
    if days <= report_days:
        told = {"on": achieved_on, "days": days, "reporting_on": reporting_on}
        yield CommitmentSign(CommitmentWarning.ACHIEVED_BEFORE_REPORT, parameters(told), (position,))
