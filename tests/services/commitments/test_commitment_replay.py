"""A commitment replayed from the log is the commitment that lived through it, whatever happened to it."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.commitments.commitment.model import Commitment
from services.commitments.commitment.routes import commitment_document
from shared.clock import Clock
from shared.eventlog.envelope import Recorded
from shared.events.commitments import EVENTS, ProgressReported
from shared.events.facts import Unknown
from shared.events.retractions import CommitmentFactRetracted
from shared.http.responses import encoded
from shared.rules.dated_facts import DatedFacts, History, VisibilityByDay
from shared.rules.progress import ReportsByDay
from tests.services.commitments.lives import ASKS, Ask, lived, lives
from tests.services.commitments.promises import TODAY, registered
from tests.support.scenario import on, recorded


def rendered(thing: Commitment, day: date) -> bytes:
    """What is answered to a question about it on a day."""
    return encoded(commitment_document(thing, day, Clock().day_of))


def state(thing: Any) -> Any:
    """Everything a commitment holds, comparable."""
    if isinstance(thing, Commitment | DatedFacts | History | ReportsByDay | VisibilityByDay):
        slots = {slot for cls in type(thing).__mro__ for slot in getattr(cls, "__slots__", ())}
        # Their order is worked out when it is asked for.
        return {slot: state(getattr(thing, slot)) for slot in slots - {"_ranked"}}
    return thing


@given(st.lists(ASKS, max_size=25))
def test_replaying_the_bytes_gives_what_living_through_it_gave(asks: list[Ask]) -> None:
    live, history = lives(asks)
    replayed = Commitment.fold([recorded(item.data, item.version) for item in history])
    assert replayed is not None
    assert state(replayed) == state(live)
    for day in (date(2012, 6, 1), TODAY):
        assert rendered(replayed, day) == rendered(live, day)


def test_the_property_reaches_every_kind_of_event() -> None:
    """Were a command always refused, the property above would say nothing of its event."""
    seen: set[str] = set()

    @settings(derandomize=True, max_examples=60, suppress_health_check=list(HealthCheck))
    @given(st.lists(ASKS, min_size=60, max_size=80))
    def live_through(asks: list[Ask]) -> None:
        seen.update(item.type for item in lives(asks)[1][1:])

    live_through()
    elsewhere = ("organization", "pillar", "commitments.registered", "commitments.decision_")
    assert seen >= {event.TYPE for event in EVENTS if not any(word in event.TYPE for word in elsewhere)}


def test_an_event_of_an_unknown_type_moves_the_version_and_nothing_else() -> None:
    it = Commitment.begin(lived(registered(), 1))
    other = Commitment.begin(lived(registered(), 1))
    assert it is not None
    assert other is not None
    it.apply(lived(Unknown(type_name="commitments.sung_about", raw=b"{}"), 2))
    assert it.version == 2
    assert it.position == 2
    it.version, it.position, it.recorded_at = other.version, other.position, other.recorded_at
    assert state(it) == state(other)


def test_a_stream_of_another_kind_is_no_commitment() -> None:
    assert Commitment.begin(lived(Unknown(type_name="x", raw=b"{}"), 1)) is None


@pytest.mark.parametrize("percent", ["12.50", "0", "100", "33.333"])
def test_a_percentage_is_shown_as_it_was_reported(percent: str) -> None:
    it = Commitment.begin(recorded(registered(), 1))
    assert it is not None
    proposed = ProgressReported(period="2012", effective_on=TODAY, percent=Decimal(percent))
    it.apply(recorded(it.report_progress(proposed, on(TODAY)), 2))
    assert f'"percent":{percent}'.encode() in rendered(it, TODAY)


def plainly(value: Any) -> Any:
    """A document without where in the log anything stands."""
    if isinstance(value, dict):
        dropped = {"position", "version", "updated_at", "status_because"}
        return {name: plainly(inner) for name, inner in value.items() if name not in dropped}
    return [plainly(inner) for inner in value] if isinstance(value, list) else value


def mistaken(version: int, number: int) -> Recorded:
    """The retraction of a version, as the next event of a life."""
    return lived(CommitmentFactRetracted(version=version, reason="x", retracted="x"), number)


@given(st.lists(ASKS, min_size=1, max_size=12), st.data())
def test_what_is_retracted_leaves_no_trace_but_its_number_and_told_again_it_is_the_fact(
    asks: list[Ask], data: st.DataObject
) -> None:
    live, history = lives(asks)
    told = [one for one in history[1:] if not one.data.LASTING]
    if not told:
        return
    mistake = data.draw(st.sampled_from(told))
    end = len(history)
    without = Commitment.fold([*history, mistaken(mistake.version, end + 1)])
    spared = Commitment.fold([one for one in history if one is not mistake])
    assert without is not None
    assert spared is not None
    for day in (date(2012, 6, 1), TODAY):
        assert plainly(json.loads(rendered(without, day))) == plainly(json.loads(rendered(spared, day)))
    if mistake is history[-1]:
        again = Commitment.fold([*history, mistaken(mistake.version, end + 1), lived(mistake.data, end + 2)])
        assert again is not None
        assert plainly(json.loads(rendered(again, TODAY))) == plainly(json.loads(rendered(live, TODAY)))
