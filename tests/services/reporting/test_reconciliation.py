"""That opening + what arrived - what left = closing, against a plain walk over the days of a replay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count, pairwise, product
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.reporting.queries.access import Scope
from services.reporting.queries.moments import AsOf
from services.reporting.queries.promises import CountBy
from services.reporting.queries.reconciliation import (
    Account,
    By,
    Counted,
    Reconciliation,
    reconciliation_between,
)
from shared.clock import Clock
from tests.services.reporting.histories import (
    EPOCH,
    SPAN,
    Expected,
    Teller,
    concerned,
    pillars,
    promised,
    replayed,
)
from tests.services.reporting.stage import EVERYTHING, PUBLIC, Stage, ministry, staged
from tests.services.reporting.test_two_times import EVERY_TIME, Story

DAY = timedelta(days=1)
OPEN = {"on_time", "delayed", "needs_attention", "needs_attention_internal_deadline"}
numbers = count(1)


def between(
    stage: Stage, before: AsOf, after: AsOf, asked: Counted, scope: Scope = EVERYTHING, **more: Any
) -> Reconciliation:
    """The reconciliation of two sides."""
    with stage.read_model.reading() as reading:
        return reconciliation_between(
            reading, stage.store, Clock().day_of, before, after, scope, asked, **more
        )


def adds_up(one: Account) -> bool:
    """Whether it does."""
    return one.opening + sum(one.arrived.values()) - sum(one.left.values()) == one.closing


# --- for random histories, days and positions -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def telling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One log for all the examples, each in streams of its own."""
    with staged(f"sqlite:///{tmp_path_factory.mktemp('reconciled') / 'bitacora.db'}") as made:
        made.start_worker(capacity=2)
        yield made


class Plainly:
    """The board of each day, as one asker may read it, from a replay of everything."""

    def __init__(self, story: Story, scope: Scope) -> None:
        self._story, self._scope = story, scope
        self._open = (
            {"public", "internal", "reserved"}
            if scope.everything
            else {one.value for one in scope.visibilities}
        )

    def _own(self, code: str, position: int) -> bool:
        return any(one in concerned(self._story.known(code, position)) for one in self._scope.organizations)

    def board(self, on: date, position: int) -> list[Expected]:
        """What is on it."""
        found = []
        for code in self._story.codes():
            known = self._story.known(code, position)
            own = self._own(code, position) and self._own(code, self._story.last)
            expected = replayed(known, on, with_internal=self._scope.everything or own) if known else None
            now = replayed(self._story.known(code, self._story.last), date.max)
            if (
                expected is not None
                and now is not None
                and (self._own(code, position) or expected.visibility in self._open)
                and (self._own(code, self._story.last) or now.visibility in self._open)
            ):
                found.append(expected)
        return found

    def groups(self, on: date, position: int, by: By, count_by: CountBy) -> dict[str, Any]:
        """In which group each commitment or promise is counted, by code."""
        board = self.board(on, position)
        under = pillars(board)
        counted = {one.code: one.status or one.goes_on for one in board}
        if count_by is CountBy.PROMISE:
            counted = {code: one.counted_as for code, one in promised(board).items()}
        return {
            one.code: {
                By.STATE: counted[one.code],
                By.ORIGIN: one.origin,
                By.SPEECH_YEAR: one.speech_year,
                By.ORGANIZATION: one.lead,
                By.PILLAR: under[one.code],
            }[by]
            for one in board
            if one.code in counted and (by is By.STATE or counted[one.code] in OPEN)
        }


_NOWHERE = object()


@settings(EVERY_TIME, max_examples=8)
@given(seed=st.integers(0, 2**32))
def test_every_group_is_what_a_plain_walk_over_the_days_counts_and_adds_up(telling: Stage, seed: int) -> None:
    tag, chance = f"r{next(numbers):05d}", Random(seed)
    story = Story(telling, tag, Teller(seed, tag).story(chance.randint(10, 40)), [])
    mine = story.leads()["organization"]
    askers = [EVERYTHING, PUBLIC, ministry(mine[0])]
    for scope, by, count_by in product(askers, By, CountBy):
        first, last = sorted(EPOCH + chance.randint(-1, SPAN + 2) * DAY for _ in range(2))
        then, now = sorted(
            chance.choice((story.last, chance.randint(story.first, story.last))) for _ in range(2)
        )
        plainly = Plainly(story, scope)
        boards = [(first, plainly.groups(first, then, by, count_by))]
        boards += [
            (first + n * DAY, plainly.groups(first + n * DAY, now, by, count_by))
            for n in range((last - first).days + 1)
        ]
        expected = [
            (day, code, was.get(code, _NOWHERE), is_.get(code, _NOWHERE))
            for (_, was), (day, is_) in pairwise(boards)
            for code in sorted(was.keys() | is_.keys())
            if was.get(code, _NOWHERE) != is_.get(code, _NOWHERE)
        ]
        sides = AsOf(first, then, None), AsOf(last, now, None)
        found = between(telling, *sides, Counted(by, story.leads(), count_by), scope, limit=10_000)
        told = [
            (
                one.on,
                one.code,
                one.group_before if one.leaves else _NOWHERE,
                one.group_after if one.arrives else _NOWHERE,
            )
            for one in found.items
        ]
        assert told == expected
        assert adds_up(found.totals)
        assert all(adds_up(group) for group in found.groups)
        assert [one.learned for one in found.items] == [one.on == first for one in found.items]
        opening, closing = Counter(boards[0][1].values()), Counter(boards[-1][1].values())
        assert {one.group: (one.opening, one.closing) for one in found.groups} == {
            group: (opening[group], closing[group])
            for group in {one for _, board in boards for one in board.values()}
        }
