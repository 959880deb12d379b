"""Reading the feed of decisions to the end while decisions arrive: each of them once, none left out."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.reporting.queries.beside_decisions import Reader
from services.reporting.queries.decisions import DecisionFilters, decisions_as_of
from services.reporting.queries.moments import AsOf
from services.reporting.queries.scope import EVERYTHING
from shared.clock import Clock
from shared.events.meeting_vocabulary import Acknowledgement
from shared.events.meetings import DecisionAcknowledged
from tests.services.reporting.gatherings import Told, decided, tell
from tests.services.reporting.stage import Stage, staged

numbers = count(1)
TODAY = date(2012, 12, 31)
EVERY_TIME = settings(
    max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def stage(log_url: str) -> Iterator[Stage]:
    """One log for all the examples, each of a body of its own, and a worker that follows as fast as it can."""
    with staged(log_url) as made:
        made.start_worker()
        yield made


class Ministry:
    """Agrees decisions, on any days, and lets some of them be acknowledged, whenever the test lets it."""

    def __init__(self, stage: Stage, body: str, seed: int) -> None:
        self._stage = stage
        self._body = body
        self._draw = random.Random(seed)
        self.agreed: list[str] = []

    def decide(self, how_many: int) -> None:
        """So many decisions more, some in one batch, and something said of one of them."""
        told: list[Told] = []
        for _ in range(how_many):
            number = f"{self._body}-2012-{len(self.agreed) + 1:03}"
            self.agreed.append(number)
            told.append(decided(number, TODAY - timedelta(days=self._draw.randrange(300))))
        if self.agreed:
            said = DecisionAcknowledged(outcome=Acknowledgement.AGREED)
            told.append(Told("decision", self._draw.choice(self.agreed), said))
        if told:
            tell(self._stage, *told)


@EVERY_TIME
@given(
    seed=st.integers(0, 2**16),
    arrivals=st.lists(st.integers(0, 3), max_size=12),
    limit=st.integers(1, 4),
    wait=st.booleans(),
)
def test_every_decision_comes_once_however_many_arrive_while_pages_are_read(
    stage: Stage, seed: int, arrivals: list[int], limit: int, wait: bool
) -> None:
    ministry = Ministry(stage, f"B{next(numbers):05d}", seed)
    ministry.decide(3)
    filters = DecisionFilters(body=(ministry.agreed[0].rsplit("-", 2)[0],))
    seen: list[str] = []
    after, arriving = 0, iter(arrivals)
    while True:
        done = len(ministry.agreed)
        if wait:
            stage.wait()
        with stage.read_model.reading() as reading:
            at = AsOf(TODAY, reading.position, None)
            reader = Reader(EVERYTHING, reading.position, Clock().day_of)
            items, more = decisions_as_of(reading, at, reader, filters, after=after, limit=limit)
        seen += [item.number for item in items]
        assert len(seen) <= len(ministry.agreed)
        after = items[-1].position if items else after
        coming = next(arriving, None)
        if coming is not None:
            ministry.decide(coming)
        elif not more and len(seen) == done:
            break
        else:
            stage.wait()
    assert seen == ministry.agreed
