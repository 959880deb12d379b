"""What is said of an event, that it cannot change what answers say by some name, is true of every name and event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from hypothesis import given, settings

from services.reporting.projections.commitments import CommitmentProjection
from services.reporting.projections.corrections import Answers
from shared.clock import Clock
from shared.eventlog.envelope import Recorded
from shared.events.facts import Event
from shared.events.retractions import Retraction
from tests.services.reporting.histories import COMMITMENTS, Story, histories
from tests.support.scenario import ANA

DAY_OF = Clock().day_of
RECORDED_AT = datetime(2013, 1, 1, tzinfo=UTC)


@settings(max_examples=60)
@given(story=histories("M"))
def test_an_event_that_is_said_not_to_change_a_name_changes_it_on_no_day(story: Story) -> None:
    for number in range(COMMITMENTS):
        own = [event for code, event in story if code == f"M-{number}" and not isinstance(event, Retraction)]
        if own:
            _changes_only_what_it_may(own)


def _changes_only_what_it_may(events: Sequence[Event]) -> None:
    first, *later = (_recorded(version, event) for version, event in enumerate(events, 1))
    projection = CommitmentProjection(first, DAY_OF)
    list(projection.apply(first))
    before = projection.answers()
    for recorded in later:
        if type(recorded.data) not in projection.TYPES:
            continue
        list(projection.apply(recorded))
        after = projection.answers()
        for name in _names_of_another(before, after):
            assert projection.may_change(recorded.data, name), f"{recorded.type} changes {name}"
        before = after


def _names_of_another(before: Answers, after: Answers) -> set[str]:
    """By which names answers say something else on some day."""
    days = sorted({day for day, _ in (*before, *after)})
    return {
        name
        for day in days
        for old, new in [(_on(before, day), _on(after, day))]
        for name in old.keys() | new.keys()
        if old.get(name) != new.get(name)
    }


def _on(answers: Answers, day: date) -> dict[str, Any]:
    said = [told for since, told in answers if since <= day]
    return dict(said[-1]) if said else {}


def _recorded(version: int, event: Event) -> Recorded:
    return Recorded(
        position=version,
        recorded_at=RECORDED_AT,
        type=event.TYPE,
        stream_id=UUID(int=1),
        version=version,
        recorded_by=ANA,
        correlation_id="r",
        data=event,
    )
