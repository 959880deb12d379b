"""How far a commitment is by its progress reports: what was accepted, and beside it what nobody has looked at yet.

A report speaks from its effective day on; of several, the one of the latest effective day, then of the latest period,
then of the highest number. A report that was sent back says nothing. Only accepted reports make the percentage done.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from shared.events.commitments import ProgressReported, ProgressReviewed
from shared.events.facts import Event
from shared.events.vocabulary import ReviewOutcome
from shared.rules.dated_facts import DatedFacts
from shared.rules.periods import last_day


class Told(NamedTuple):
    """A report as it ranks among others, and the position of its event."""

    effective_on: date
    period_ends_on: date
    number: int
    position: int
    event: ProgressReported


class ReportsByDay:
    """The reports of one commitment and what their reviews said, as far as they are known."""

    __slots__ = ("_outcomes", "_ranked", "_reports")

    def __init__(self) -> None:
        self._reports: dict[int, tuple[int, ProgressReported]] = {}
        self._outcomes: dict[int, ReviewOutcome] = {}
        self._ranked: list[Told] = []

    def apply(self, event: Event, position: int) -> date | None:
        """Take in one more event; returns the first day of which something else may hold now, or None if none."""
        match event:
            case ProgressReported():
                self._reports[event.number] = position, event
                # A review says nothing of a report that was recorded after it.
                self._outcomes.pop(event.number, None)
                self._ranked = []
            case ProgressReviewed() if event.report in self._reports:
                self._outcomes[event.report] = event.outcome
                event = self._reports[event.report][1]
            case _:
                return None
        return event.effective_on

    def on(self, day: date, *, accepted: bool = False) -> Iterator[Told]:
        """The reports that nobody had sent back, or those that were accepted, up to a day: the latest first."""
        for one in reversed(self._in_order()):
            outcome = self._outcomes.get(one.number)
            heard = outcome is ReviewOutcome.ACCEPTED if accepted else outcome is not ReviewOutcome.RETURNED
            if heard and one.effective_on <= day:
                yield one

    def percent_on(self, day: date) -> Decimal | None:
        """How much was done by a day, 0 to 100, by the last accepted report that says so."""
        return _percent(self.on(day, accepted=True))

    def percent_unreviewed_on(self, day: date) -> Decimal | None:
        """How much was done by a day by the last report that says so and was not sent back, accepted or not."""
        return _percent(self.on(day))

    def accepted_on(self, day: date) -> Told | None:
        """The last accepted report up to a day."""
        return next(self.on(day, accepted=True), None)

    def stage_on(self, day: date, facts: DatedFacts) -> str | None:
        """How far it was in its instrument's own stages, by the last report or change up to a day that says so."""
        return self.stage_told_on(day, facts)[0]

    def stage_told_on(self, day: date, facts: DatedFacts) -> tuple[str | None, int]:
        """The same, and the position of the event that said so."""
        told = next((one for one in self.on(day) if one.event.stage is not None), None)
        changed = facts.change_of("stage", day)
        # Of a report and a change of one day the one recorded later speaks.
        if told is not None and (told.effective_on, told.position) > changed:
            return told.event.stage, told.position
        return facts.registration_on(day).stage, changed[1] or facts.stage_at

    def days_of_stages(self) -> set[date]:
        """The days on which a report that tells of a stage begins to speak."""
        return {
            report.effective_on for _position, report in self._reports.values() if report.stage is not None
        }

    def days(self) -> list[date]:
        """The days on which a report begins to speak, in order, each once."""
        return sorted({report.effective_on for _position, report in self._reports.values()})

    def _in_order(self) -> list[Told]:
        # Ranked when somebody asks: most reports are only stored, when a read model is built.
        if len(self._ranked) != len(self._reports):
            self._ranked = sorted(
                Told(report.effective_on, last_day(report.period), number, position, report)
                for number, (position, report) in self._reports.items()
            )
        return self._ranked


def _percent(reports: Iterator[Told]) -> Decimal | None:
    return next((one.event.percent for one in reports if one.event.percent is not None), None)
