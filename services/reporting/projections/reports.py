"""From progress reports and reviews to when each was received and what was said of it; and the cycles of reports."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import ClassVar

from services.reporting.datasets import cycles, progress_reports
from services.reporting.projections.differ import ByDay, Key, Now
from services.reporting.projections.projection import DayOf, json_text, only
from shared.eventlog.envelope import Recorded
from shared.events.commitments import ProgressReported, ProgressReviewed
from shared.events.cycles import CycleChanged, CycleRegistered
from shared.events.facts import Event
from shared.rules.periods import stored_period


class Reports:
    """The reports on one commitment, in the order in which they came."""

    __slots__ = ("_commitment", "_day_of", "_rows")

    def __init__(self, commitment: str, day_of: DayOf) -> None:
        self._commitment = commitment
        self._day_of = day_of
        self._rows: dict[Key, ByDay] = {}

    def take_in(self, recorded: Recorded) -> Now:
        """Take in a report or a review, which has no day of its own: it speaks of the report from its first day on."""
        event = recorded.data
        if isinstance(event, ProgressReported):
            received = event.received_on or self._day_of(recorded.recorded_at)
            self._rows[self._commitment, event.number] = [(received, self._row(event, received, recorded))]
        elif isinstance(event, ProgressReviewed):
            rows = self._rows.get((self._commitment, event.report))
            if rows:
                reviewed_on = self._day_of(recorded.recorded_at)
                ((first, row),) = rows
                reviewed = (*row[: -len(_UNREVIEWED)], event.outcome.value, reviewed_on, event.reason)
                rows[:] = [(first, reviewed)]
        return self.received()

    def received(self) -> Now:
        """Every report, from the day on which it was received."""
        return Now(progress_reports, self._rows)

    @staticmethod
    def _row(event: ProgressReported, received: date, recorded: Recorded) -> tuple[object, ...]:
        period = stored_period(event.period)
        return (
            period.name,
            period.ends_on,
            event.effective_on,
            received,
            event.no_change,
            event.observed_progress,
            event.stage,
            None if event.percent is None else str(event.percent),
            recorded.recorded_by.organization,
            recorded.position,
            *_UNREVIEWED,
        )


_UNREVIEWED = (None, None, None)


class CycleProjection:
    """A reporting cycle, as it was described last."""

    TYPES: ClassVar[frozenset[type[Event]]] = frozenset((CycleChanged,))

    __slots__ = ("_code",)

    def __init__(self, recorded: Recorded, _day_of: DayOf) -> None:
        assert isinstance(recorded.data, CycleRegistered)
        self._code = recorded.data.code

    def apply(self, recorded: Recorded) -> Iterable[Now]:
        """See `Projection.apply`."""
        event = recorded.data
        assert isinstance(event, CycleChanged)
        return (
            only(
                cycles,
                (self._code,),
                name=event.name,
                frequency=event.frequency.value,
                days_to_report=event.days_to_report,
                organizations=json_text(event.organizations),
                pillars=json_text(event.pillars),
                kinds=json_text(event.kinds),
                in_force_from=event.in_force_from,
                ended_on=event.ended_on,
            ),
        )
