"""No answer about a past day is another one since something was put right, without that answer saying so."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.reporting.queries.access import Scope
from services.reporting.queries.action_items import ActionItemFilters, action_items_as_of
from services.reporting.queries.corrections import corrected_since
from services.reporting.queries.decision_items import Reader
from services.reporting.queries.decisions import DecisionFilters, decisions_as_of
from services.reporting.queries.gaps import Gap, gaps_as_of
from services.reporting.queries.indicators import indicator_as_of, trajectory_as_of
from services.reporting.queries.moments import AsOf
from services.reporting.queries.register import (
    RegisterFilters,
    RegisterPeriod,
    periods_between,
    register_as_of,
    totals_as_of,
)
from services.reporting.reading import Reading
from shared.clock import Clock
from shared.errors import NotFound
from shared.events.indicators import MeasurementCorrected
from shared.events.meetings import (
    ActionItemCancelled,
    ActionItemCompleted,
    ActionItemExtended,
    ActionItemReassigned,
    AgendaAgreed,
    AgendaRevised,
    AttendanceCorrected,
    BodyChanged,
    MeetingRescheduled,
)
from shared.events.retractions import ActionItemFactRetracted, Retraction
from shared.events.streams import stream_of
from shared.events.types import Kind
from shared.rules.indicator_verdict import CURRENT_INDICATOR_RULE
from tests.services.reporting import decision_histories, meeting_histories
from tests.services.reporting.gatherings import Told, assigned
from tests.services.reporting.meeting_histories import Entry, Known, mistakes, written
from tests.services.reporting.stage import EVERYTHING, PUBLIC, Stage, staged
from tests.services.reporting.test_action_items_owed import happenings
from tests.services.reporting.test_indicators_rebuilt import Life, any_day
from tests.services.reporting.test_two_times import without_word_of_it

numbers = count(1)
EVERY_TIME = settings(
    max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
EPOCH = date(2012, 1, 1)
day_of = Clock().day_of
RIGHT_AWAY = (Retraction, AttendanceCorrected, MeasurementCorrected)
"""What puts right the day on which it is recorded, too."""
THEN = (MeetingRescheduled, AgendaAgreed, AgendaRevised, BodyChanged)
"""What is told of all days, and so puts right those before the one on which it is recorded.

The last says besides who may read a body, which is another thing than putting right.
"""
HAPPENING = (ActionItemExtended, ActionItemReassigned, ActionItemCompleted, ActionItemCancelled)
Ask = Callable[[Reading, AsOf, Scope], list[Any]]


@pytest.fixture
def stage(log_url: str) -> Iterator[Stage]:
    """One log for all the examples of a test."""
    with staged(log_url) as made:
        made.start_worker(capacity=2)
        yield made


def says_so(
    stage: Stage,
    data: st.DataObject,
    log: list[Known],
    kinds: tuple[Kind, ...],
    ask: Ask,
    days: Sequence[date] = (),
) -> None:
    """Asks of days before everything that puts something right, as known just before it and just after."""
    scope = data.draw(st.sampled_from([EVERYTHING, PUBLIC]))
    types = (*RIGHT_AWAY, *THEN) if scope.everything else (*RIGHT_AWAY, *THEN[:-1])
    putting_right = [one for one in log if isinstance(one.told.event, types)]
    for one in putting_right:
        eve = day_of(one.recorded_at) - timedelta(days=not isinstance(one.told.event, RIGHT_AWAY))
        for day in days or (eve, eve - timedelta(days=data.draw(st.integers(0, 8)))):
            told = []
            for position in (one.position - 1, one.position):
                at = AsOf(day, position, None)
                with stage.read_model.reading() as reading:
                    told.append(without_word_of_it(ask(reading, at, scope)))
                    since = corrected_since(reading, at, scope, kinds)
            if told[0] != told[1]:
                assert since.last_position == one.position


@EVERY_TIME
@given(data=st.data())
def test_of_decisions_and_their_gaps(stage: Stage, data: st.DataObject) -> None:
    body = f"D{next(numbers):05d}"
    log = written(stage, data.draw(decision_histories.histories(body, EPOCH)), EPOCH)
    filters = DecisionFilters(body=(body,))

    def ask(reading: Reading, at: AsOf, scope: Scope) -> list[Any]:
        reader = Reader(scope, at.on)
        agreed = DecisionFilters(body=(body,), acknowledged=("true",))
        return [
            decisions_as_of(reading, at, reader, filters),
            decisions_as_of(reading, at, reader, agreed),
            gaps_as_of(reading, at, reader, filters, list(Gap), 1),
        ]

    says_so(stage, data, log, (Kind.DECISION, Kind.BODY), ask)


@EVERY_TIME
@given(data=st.data())
def test_of_meetings_and_bodies(stage: Stage, data: st.DataObject) -> None:
    tag = f"M{next(numbers):05d}"
    log = written(stage, data.draw(meeting_histories.histories(tag, EPOCH)), EPOCH)
    periods = periods_between(date(2011, 12, 1), date(2012, 6, 30), RegisterPeriod.MONTH, 12) or []
    filters = RegisterFilters(body=(f"{tag}-0", f"{tag}-1"))

    def ask(reading: Reading, at: AsOf, scope: Scope) -> list[Any]:
        return [
            register_as_of(reading, at, scope, periods, filters),
            totals_as_of(reading, at, scope, periods, filters),
        ]

    says_so(stage, data, log, (Kind.MEETING, Kind.BODY), ask)


@EVERY_TIME
@given(data=st.data())
def test_of_action_items(stage: Stage, data: st.DataObject) -> None:
    tag = f"T{next(numbers):05d}"
    story = [Entry(assigned(tag, f"{tag}-a", EPOCH, EPOCH + timedelta(days=5), body=tag), 0)]
    for day, event in enumerate(data.draw(st.lists(happenings(tag), max_size=6)), start=1):
        story.append(Entry(Told("action-item", tag, event), day))
    for day in range(20, 20 + data.draw(st.integers(1, 3))):
        if mistaken := mistakes(story, "action-item", tag, *HAPPENING):
            version = data.draw(st.sampled_from(mistaken))
            mistake = ActionItemFactRetracted(version=version, reason="typo", retracted="action_items.x")
            story.append(Entry(Told("action-item", tag, mistake), day))
    log = written(stage, story, EPOCH)

    def ask(reading: Reading, at: AsOf, scope: Scope) -> list[Any]:
        filters = (ActionItemFilters(body=(tag,)), ActionItemFilters(owner_organization=(f"{tag}-a",)))
        return [action_items_as_of(reading, at, scope, one, count=True) for one in filters]

    says_so(stage, data, log, (Kind.ACTION_ITEM,), ask)


@settings(EVERY_TIME, max_examples=6)
@given(data=st.data())
def test_of_indicators_and_their_trajectories(stage: Stage, data: st.DataObject) -> None:
    draw = random.Random(data.draw(st.integers(0, 10**6)))
    code = f"I{next(numbers):05d}"
    life = Life(code, draw)
    events = [life.story.events[0].data, *(event for _ in range(14) if (event := life.next()) is not None)]
    appended = stage.append(*((code, event) for event in events), kind="indicator")
    stage.wait(appended.last)
    log = [
        Known(appended.first + n, appended.recorded_at, Told("indicator", code, event))
        for n, event in enumerate(events)
    ]
    indicator = stream_of("indicator", code)

    def ask(reading: Reading, at: AsOf, scope: Scope) -> list[Any]:
        asked = reading, at, scope
        try:
            page = indicator_as_of(*asked, indicator, CURRENT_INDICATOR_RULE)
        except NotFound:
            return []
        return [page, trajectory_as_of(*asked, indicator, CURRENT_INDICATOR_RULE)]

    days = [any_day(draw) for _ in range(6)]
    says_so(stage, data, log, (Kind.INDICATOR,), ask, days)
