"""From the observations on drafts of minutes to those that wait for an answer."""

from __future__ import annotations

from datetime import date

from services.reporting.datasets import observations
from services.reporting.projections.differ import ByDay, Key, Now
from services.reporting.projections.projection import DayOf
from shared.eventlog.envelope import Recorded
from shared.events.meetings import ObservationAnswered, ObservationRaised


class Observations:
    """Those on the minutes of one meeting."""

    TYPES = (ObservationRaised, ObservationAnswered)

    __slots__ = ("_day_of", "_raised", "_rows")

    def __init__(self, day_of: DayOf) -> None:
        self._day_of = day_of
        self._raised: dict[int, tuple[date, int, str]] = {}
        self._rows: dict[Key, ByDay] = {}

    def take_in(self, recorded: Recorded) -> Now:
        """Take in an observation, or the answer to one."""
        event, day = recorded.data, self._day_of(recorded.recorded_at)
        assert isinstance(event, self.TYPES)
        answered_on = None
        if isinstance(event, ObservationRaised):
            self._raised[event.number] = day, recorded.position, recorded.recorded_by.organization
        else:
            answered_on = day
        if event.number in self._raised:
            row = (*self._raised[event.number], answered_on)
            self._rows[recorded.stream_id.hex, event.number] = [(None, row)]
        return Now(observations, self._rows)
