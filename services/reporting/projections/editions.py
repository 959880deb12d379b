"""From the reports that are owed, and their editions, to rows; what an edition says stays in its event."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from services.reporting.datasets import editions, reports
from services.reporting.projections.differ import Now
from services.reporting.projections.projection import DayOf, json_text, only
from shared.eventlog.envelope import Recorded
from shared.events.editions import (
    Audience,
    EditionPublished,
    EditionWithdrawn,
    ReportChanged,
    ReportRegistered,
)
from shared.events.facts import Event
from shared.events.vocabulary import Visibility

_VISIBLE_TO = {Audience.PUBLIC: Visibility.PUBLIC, Audience.GOVERNMENT: Visibility.INTERNAL}


class ReportProjection:
    """A report, as it was described last."""

    TYPES: ClassVar[frozenset[type[Event]]] = frozenset((ReportChanged,))

    __slots__ = ("_code",)

    def __init__(self, recorded: Recorded, _day_of: DayOf) -> None:
        assert isinstance(recorded.data, ReportRegistered)
        self._code = recorded.data.code

    def apply(self, recorded: Recorded) -> Iterable[Now]:
        """See `Projection.apply`."""
        event = recorded.data
        assert isinstance(event, ReportChanged)
        return (
            only(
                reports,
                (recorded.stream_id.hex,),
                code=self._code,
                name=event.name,
                addressed_to=event.addressed_to,
                kind=event.kind.value,
                days_of_year=json_text(event.days_of_year),
                every_months=event.every_months,
                days_after=event.days_after,
                in_force_from=event.in_force_from,
                ended_on=event.ended_on,
                visibility=_VISIBLE_TO[event.audience].value,
            ),
        )


class EditionProjection:
    """An edition as it was published, and whether it was withdrawn."""

    TYPES: ClassVar[frozenset[type[Event]]] = frozenset((EditionWithdrawn,))

    __slots__ = ("_day_of", "_values")

    def __init__(self, recorded: Recorded, day_of: DayOf) -> None:
        event = recorded.data
        assert isinstance(event, EditionPublished)
        self._day_of = day_of
        # Not the event: its content may be large, and projections stay in memory.
        self._values: dict[str, Any] = {
            "code": event.code,
            "report": event.report,
            "tells_of": event.on,
            "due_on": event.due_on,
            "published_on": event.published_on or day_of(recorded.recorded_at),
            "position": event.position,
            "status_rule": event.status_rule,
            "template": event.template,
            "sha256": event.sha256,
            "recorded_on": day_of(recorded.recorded_at),
            "recorded_position": recorded.position,
            "withdrawn_on": None,
            "withdrawn_reason": None,
            "visibility": _VISIBLE_TO[event.audience].value,
        }

    def apply(self, recorded: Recorded) -> Iterable[Now]:
        """See `Projection.apply`."""
        event = recorded.data
        if isinstance(event, EditionWithdrawn):
            self._values["withdrawn_on"] = self._day_of(recorded.recorded_at)
            self._values["withdrawn_reason"] = event.reason
        return (only(editions, (recorded.stream_id.hex,), **self._values),)
