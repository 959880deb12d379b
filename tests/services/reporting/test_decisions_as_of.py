"""What stands beside decisions, and what their record lacks, on any day as known at any position: against a replay."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.reporting.queries.access import Scope
from services.reporting.queries.decision_changes import changes_as_of
from services.reporting.queries.decision_items import DecisionItem, Reader
from services.reporting.queries.decisions import ACKNOWLEDGED, OUTCOMES, DecisionFilters, decisions_as_of
from services.reporting.queries.gaps import Gap, GapFound, gaps_as_of
from services.reporting.queries.moments import AsOf
from shared.events.meeting_vocabulary import DecisionKind, ItemOutcome
from shared.events.meetings import Effect, Ending, MinutesApproved, Referral
from shared.events.vocabulary import Visibility
from tests.services.reporting.decision_histories import SPAN, Asked, histories, replayed
from tests.services.reporting.gatherings import (
    Told,
    bilateral,
    committee,
    convened,
    decided,
    held,
    meeting_id,
    noon,
    tell,
)
from tests.services.reporting.meeting_histories import written
from tests.services.reporting.stage import EVERYTHING, Stage, ministry, staged

numbers = count(1)
REFINING = ("only_later", "short", "other_currency")
BEGINNING = date(1975, 1, 1)
EVERY_TIME = settings(
    max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def stage(log_url: str) -> Iterator[Stage]:
    """One log for all the examples of a test, each of a body of its own; the worker keeps two views in memory."""
    with staged(log_url) as made:
        made.start_worker(capacity=2)
        yield made


def as_replayed(item: DecisionItem, gaps: Any) -> dict[str, Any]:
    """A decision in the terms of the replay."""
    said = item.acknowledgement
    return {
        "position": item.position,
        "acknowledged": said and ((said.effective_on, said.position), said.outcome),
        "lines": {
            (line.fiscal_year, line.code): ((line.effective_on, line.position), line.request)
            for line in item.budget_lines
        },
        "errata": sorted(erratum.position for erratum in item.errata),
        "outcome": item.outcome and item.outcome.state,
        "gaps": {gap.gap.value: (gap.since_on, gap.because, _amount(gap)) for gap in gaps},
        "refined": {word.value for gap in gaps for word in gap.refined_by},
    }


def _amount(gap: GapFound) -> Fraction | None:
    money = gap.short_by or gap.over_by
    if money is None:
        return None
    assert money.currency == "CLP"
    return Fraction(money.amount)


def as_shown(one: dict[str, Any]) -> dict[str, Any]:
    """What the replay says of a decision, with the closer words for a shortfall apart, and amounts where shown."""
    gaps = {word: found for word, found in one["gaps"].items() if word not in REFINING}
    if "source_not_named" in gaps:
        gaps["source_not_named"] = (*gaps["source_not_named"][:2], None)
    return one | {"gaps": gaps, "refined": {word for word in one["gaps"] if word in REFINING}}


@EVERY_TIME
@given(data=st.data())
def test_decisions_and_their_gaps_are_what_a_replay_of_the_log_says(
    stage: Stage, data: st.DataObject
) -> None:
    number = next(numbers)
    body, epoch = f"B{number:05d}", BEGINNING + timedelta(days=number * (SPAN + 1))
    log = written(stage, data.draw(histories(body, epoch)), epoch)
    filters = DecisionFilters(body=(body,))
    even = data.draw(st.integers(0, 1))
    for place in (1.0, data.draw(st.floats(0, 1))):
        position = log[0].position - 1 + round(place * len(log))
        for day in range(even - 1, SPAN + 4, 2):
            asked = Asked(position, epoch + timedelta(days=day), days=data.draw(st.integers(0, 3)))
            answered_as_replayed(stage, asked, filters, replayed(log, asked))


def answered_as_replayed(
    stage: Stage, asked: Asked, filters: DecisionFilters, expected: dict[str, dict[str, Any]]
) -> None:
    """The feed and the gaps say what is expected, and so do the totals and a filter by what was said."""
    at, reader = AsOf(asked.on, asked.position, None), Reader(EVERYTHING, asked.on)
    word, chosen = CHOICES[asked.on.toordinal() % len(CHOICES)]
    with stage.read_model.reading() as reading:
        items, _ = decisions_as_of(reading, at, reader, filters)
        gaps = gaps_as_of(reading, at, reader, filters, list(Gap), asked.days)
        filtered, _ = decisions_as_of(reading, at, reader, filters._replace(**chosen))
    lacking = {item.number: item.gaps for item in gaps.items}
    assert {item.number: as_replayed(item, lacking.get(item.number, ())) for item in items} == {
        number: as_shown(one) for number, one in expected.items()
    }
    assert gaps.totals.decisions == len(lacking) == sum(bool(one["gaps"]) for one in expected.values())
    for gap in Gap:
        assert gaps.totals.by_gap[gap] == sum(gap in one["gaps"] for one in expected.values())
    assert [item.number for item in filtered] == [n for n, one in expected.items() if _is(word, one)]


CHOICES: list[tuple[str, dict[str, Any]]] = [
    *((word, {"acknowledged": (word,)}) for word in ACKNOWLEDGED),
    *((word, {"outcome": (word,)}) for word in OUTCOMES),
]


def _is(word: str, one: dict[str, Any]) -> bool:
    if word in ACKNOWLEDGED:
        said = one["acknowledged"] and one["acknowledged"][1]
        return bool(said == {"true": "agreed", "disputed": "disputed", "false": None}[word])
    return bool((one["outcome"] or "none") == word)


def test_a_referral_is_pending_until_the_body_it_went_to_ends_it_for_those_who_may_know_of_that(
    stage: Stage,
) -> None:
    may_31, day = date(2012, 5, 31), date(2012, 6, 14)
    effect = Effect(referral=Referral(to="The minister", body="BIL"))
    tell(
        stage,
        bilateral("BIL", "a"),
        committee("SOCIAL"),
        decided("SEG-2012-001", may_31, kind=DecisionKind.REFER, effect=effect),
        now=noon(may_31),
    )
    reserved: dict[str, Any] = {"visibility": Visibility.RESERVED, "organizations": ("a",)}
    before = stage.store.head()

    def took_up(code: str, body: str, on: date, outcome: ItemOutcome | None, **more: Any) -> None:
        endings = (Ending(item=1, title="Again", outcome=outcome, decisions=("SEG-2012-001",)),)
        approved = Told("meeting", code, MinutesApproved(draft=1, digest="0", endings=endings))
        tell(stage, convened(body, code, on, **more), held(code, on), approved, now=noon(date(2012, 7, 1)))

    # Another body does not end it, nor does a postponement.
    took_up("M-1", "SOCIAL", date(2012, 6, 1), ItemOutcome.SETTLED)
    took_up("M-2", "BIL", date(2012, 6, 5), ItemOutcome.POSTPONED, **reserved)
    took_up("M-3", "BIL", day, None, **reserved)
    stage.wait()
    head = stage.store.head()

    def asked(scope: Scope, on: date, position: int = head, *words: str) -> DecisionItem | None:
        with stage.read_model.reading() as reading:
            at, reader = AsOf(on, position, None), Reader(scope, on)
            items, _ = decisions_as_of(reading, at, reader, DecisionFilters(outcome=words))
        return items[0] if items else None

    for scope in (EVERYTHING, ministry("a")):
        then, now = asked(scope, date(2012, 6, 10)), asked(scope, date(2012, 6, 30))
        assert then is not None
        assert then.referral is not None
        assert then.outcome is not None
        assert (then.outcome.state, then.outcome.pending_days) == ("pending", 10)
        assert (then.referral.state, then.referral.days, then.referral.times_postponed) == ("pending", 10, 1)
        assert now is not None
        assert now.referral is not None
        assert (now.outcome, now.referral.state, now.referral.days) == (None, "ended", 14)
        assert (now.referral.ended_on, now.referral.meeting) == (day, meeting_id("M-3"))
        assert asked(scope, date(2012, 6, 30), head, "pending") is None
        # As the log knew it before, it waits still.
        assert asked(scope, date(2012, 6, 30), before, "pending") is not None
    # Of what is pending with a body that they may not know of, others are told nothing.
    for on in (date(2012, 6, 10), date(2012, 6, 30)):
        other = asked(ministry("b"), on)
        assert other is not None
        assert (other.referral, other.outcome, other.effect) == (None, None, None)
        assert asked(ministry("b"), on, head, "pending") is None
        assert asked(ministry("b"), on, head, "none") is not None
    # The feed of changes has it for those who see everything: what was postponed, and what was ended.
    with stage.read_model.reading() as reading:
        at = AsOf(date(2012, 7, 1), head, None)
        told = {
            scope.name: [
                one.what.value
                for change in changes_as_of(reading, at, Reader(scope, at.on), DecisionFilters())[0]
                for one in change.learned
            ]
            for scope in (EVERYTHING, ministry("a"))
        }
    assert told == {"everything": ["agreed", "referral", "referral"], "government": ["agreed"]}
