"""Reading the feed of decisions to the end while decisions arrive: each of them once, none left out."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.reporting.queries.decision_items import Reader
from services.reporting.queries.decisions import DecisionFilters, decisions_as_of
from services.reporting.queries.moments import AsOf
from shared.events.commitments import DecisionCarriedOut
from shared.events.meeting_vocabulary import Acknowledgement
from shared.events.meetings import DecisionAcknowledged
from tests.services.reporting.gatherings import Told, decided, tell
from tests.services.reporting.stage import EVERYTHING, Stage, staged

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

    def __init__(self, stage: Stage, body: str, seed: int, asked: DecisionFilters) -> None:
        self._stage = stage
        self._body = body
        self._draw = random.Random(seed)
        self._asked = asked
        self.agreed: list[str] = []
        self.asked_for: list[str] = []
        """Those that the filters admit."""

    def decide(self, how_many: int) -> None:
        """So many decisions more, some in one batch, what became of some, and something said of one of them."""
        told: list[Told] = []
        for _ in range(how_many):
            number = f"{self._body}-2012-{len(self.agreed) + 1:03}"
            self.agreed.append(number)
            named, done = (self._draw.choice([(), ("C-1",)]) for _ in range(2))
            day = TODAY - timedelta(days=self._draw.randrange(300))
            told.append(decided(number, day, commitments=named))
            if done:
                told.append(Told("decision-outcome", number, DecisionCarriedOut(decision=number, did=())))
            if (not self._asked.commitment or named) and (not self._asked.outcome or not done):
                self.asked_for.append(number)
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
    asked=st.sampled_from(
        [
            DecisionFilters(),
            DecisionFilters(commitment=("C-1",)),
            DecisionFilters(outcome=("none", "waived")),
            DecisionFilters(commitment=("C-1", "C-2"), outcome=("none",)),
        ]
    ),
)
def test_every_decision_comes_once_however_many_arrive_while_pages_are_read(
    stage: Stage, seed: int, arrivals: list[int], limit: int, wait: bool, asked: DecisionFilters
) -> None:
    ministry = Ministry(stage, f"B{next(numbers):05d}", seed, asked)
    ministry.decide(3)
    filters = asked._replace(body=(ministry.agreed[0].rsplit("-", 2)[0],))
    seen: list[str] = []
    after, arriving = 0, iter(arrivals)
    while True:
        done = len(ministry.asked_for)
        if wait:
            stage.wait()
        with stage.read_model.reading() as reading:
            at = AsOf(TODAY, reading.position, None)
            reader = Reader(EVERYTHING, TODAY)
            items, more = decisions_as_of(reading, at, reader, filters, after=after, limit=limit)
        seen += [item.number for item in items]
        assert len(seen) <= len(ministry.asked_for)
        after = items[-1].position if items else after
        coming = next(arriving, None)
        if coming is not None:
            ministry.decide(coming)
        elif not more and len(seen) == done:
            break
        else:
            stage.wait()
    assert seen == ministry.asked_for
