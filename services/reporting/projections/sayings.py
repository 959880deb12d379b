"""What is said of one decision, by the day from which it holds: every saying until the next of its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

from sqlalchemy import Table

from services.reporting.projections.beliefs import Beliefs, Row, microseconds, row_of
from services.reporting.projections.changes import RowChanges
from services.reporting.tables import END_OF_DAYS
from shared.eventlog.envelope import Recorded
from shared.rules.dated_facts import History

DayOf = Callable[[datetime], date]
"""The civil day of a moment."""


def day_told(recorded: Recorded, day_of: DayOf) -> date:
    """The day from which an event holds: the one it names, or, where it names none, the day it was recorded."""
    named: date | None = getattr(recorded.data, "effective_on", None)
    return named or day_of(recorded.recorded_at)


class Sayings:
    """The sayings of one table; of two of the same `key` the one of the later day speaks, then the one told later."""

    __slots__ = ("_decision", "_said", "_table")

    def __init__(self, table: Table, decision: str) -> None:
        self._table = table
        self._decision = decision
        self._said: dict[tuple[Any, ...], History[dict[str, Any]]] = {}

    def say(
        self,
        day: date,
        recorded: Recorded,
        beliefs: Beliefs,
        changes: RowChanges,
        *key: str,
        **values: Any,
    ) -> None:
        """From a day on it is so; the values of the columns named `key` tell it from others that hold beside it."""
        values |= {"told_at": recorded.position, "told_time": microseconds(recorded.recorded_at)}
        place = tuple(values[name] for name in key)
        history = self._said.setdefault(place, History({}, 0))
        history.add(day, recorded.position, values)
        rows = [row for one in self._said.values() for row in self._rows(one)]
        beliefs.restate(self._table, rows, recorded.position, changes)

    def _rows(self, history: History[dict[str, Any]]) -> Iterator[Row]:
        days = sorted(set(history.days()))
        for day, until in zip(days, [*days[1:], END_OF_DAYS], strict=True):
            values, _ = history.on(day)
            yield row_of(self._table, decision_id=self._decision, valid_from=day, valid_to=until, **values)
