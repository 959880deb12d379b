"""The feed of what is new about decisions: whoever follows it learns in the end what one who asks once learns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import count
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.reporting.queries.access import Scope
from services.reporting.queries.decision_changes import ChangedDecision, changes_as_of
from services.reporting.queries.decision_items import DecisionItem, Reader
from services.reporting.queries.decisions import DecisionFilters
from services.reporting.queries.moments import AsOf
from shared.events.commitments import DecisionCarriedOut, DecisionUnresolved
from shared.events.facts import Event
from shared.events.meeting_vocabulary import Acknowledgement, BudgetRequest
from shared.events.meetings import (
    BudgetLineTied,
    DecisionAcknowledged,
    DecisionAgreed,
    DecisionAmended,
    DecisionPublished,
)
from shared.events.retractions import DecisionFactRetracted
from shared.events.vocabulary import Visibility
from tests.services.reporting.gatherings import Told, decided, tell
from tests.services.reporting.stage import EVERYTHING, PUBLIC, Stage, ministry, staged

DAY = date(2012, 8, 14)
UNTIL = date(2100, 1, 1)
bodies = count(1)
EVERY_TIME = settings(
    max_examples=5,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ASKERS: dict[str, tuple[Scope, set[Visibility], bool]] = {
    "nobody": (PUBLIC, {Visibility.PUBLIC}, False),
    "an outsider": (ministry("MOP"), {Visibility.PUBLIC, Visibility.INTERNAL}, False),
    "the ministry it is with": (ministry("MINSAL"), {Visibility.PUBLIC, Visibility.INTERNAL}, True),
    "the budget office": (EVERYTHING, set(Visibility), False),
}
"""Each with the visibilities they may read, and whether they are of the circle."""
WORDS = {
    "decision_agreed": "agreed",
    "decision_published": "published",
    "decision_acknowledged": "acknowledged",
    "budget_line_tied": "line",
    "decision_amended": "erratum",
    "decision_carried_out": "outcome",
    "decision_unresolved": "outcome",
    "retracted": "retracted",
}


@pytest.fixture
def stage(log_url: str) -> Iterator[Stage]:
    with staged(log_url) as made:
        made.start_worker()
        yield made


class At(NamedTuple):
    position: int
    number: str
    event: Event

    @property
    def of_decision(self) -> bool:
        return not isinstance(self.event, DecisionCarriedOut | DecisionUnresolved)


@st.composite
def stories(draw: st.DrawFn, body: str) -> list[Told]:
    """Two decisions, which are shown and hidden, and of which things are said meanwhile, all in any order."""
    numbers = [f"{body}-2012-{n:03}" for n in (1, 2)]
    visibility = {number: draw(st.sampled_from(Visibility)) for number in numbers}
    done, errata = dict.fromkeys(numbers, 0), count(1)
    versions, mistakes = dict.fromkeys(numbers, 1), list[tuple[str, int]]()
    story = [
        decided(number, DAY, visibility=visibility[number], organizations=("MINSAL",)) for number in numbers
    ]
    for _ in range(draw(st.integers(4, 14))):
        number = draw(st.sampled_from(numbers))
        event: Event
        kind = "decision"
        match draw(
            st.sampled_from(["published", "published", "said", "line", "erratum", "outcome", "mistake"])
        ):
            case "published":
                others = [one for one in Visibility if one is not visibility[number]]
                now = draw(st.sampled_from(others))
                event = DecisionPublished(visibility=now, previous=visibility[number], reason="r")
                visibility[number] = now
            case "said":
                event = DecisionAcknowledged(outcome=draw(st.sampled_from(Acknowledgement)))
            case "line":
                event = BudgetLineTied(
                    fiscal_year=2013, code="24", amount="1", currency="CLP", request=BudgetRequest.FIRST
                )
            case "erratum":
                event = DecisionAmended(erratum=next(errata), reads="a", should_read="b", reason="r")
            case "mistake":
                if not mistakes:
                    continue
                number, version = mistakes.pop(draw(st.integers(0, len(mistakes) - 1)))
                event = DecisionFactRetracted(version=version, reason="r", retracted="t")
            case _:
                if done[number] == 2:
                    continue
                done[number] += 1
                kind = "decision-outcome"
                event = (
                    DecisionUnresolved(decision=number, code="c", reason="r")
                    if done[number] == 1
                    else DecisionCarriedOut(decision=number, did=())
                )
        if kind == "decision":
            versions[number] += 1
            if isinstance(event, DecisionAcknowledged | BudgetLineTied):
                mistakes.append((number, versions[number]))
        story.append(Told(kind, number, event))
    return story


def asked(stage: Stage, scope: Scope, body: str, after: int, limit: int = 200) -> list[ChangedDecision]:
    """What the feed gives now."""
    with stage.read_model.reading() as reading:
        at, reader = AsOf(UNTIL, reading.position, None), Reader(scope, UNTIL)
        found, more = changes_as_of(
            reading, at, reader, DecisionFilters(body=(body,)), after=after, limit=limit
        )
    assert more == (len(found) == limit) or not more
    return found


def expected(
    log: list[At], sees: set[Visibility], *, within: bool
) -> dict[tuple[int, str], set[tuple[str, int]]]:
    """What is learned at which position of which decision, by whoever may read it in the end.

    What was retracted nobody learns any longer: only that something was.
    """
    now: dict[str, bool] = {}
    recorded: dict[str, set[tuple[str, int]]] = {}
    found: dict[tuple[int, str], set[tuple[str, int]]] = {}
    for position, number, event in log:
        before = now.get(number, False)
        if isinstance(event, DecisionAgreed | DecisionPublished):
            now[number] = within or event.visibility in sees
        one = (WORDS[event.TYPE.split(".")[1]], position)
        recorded.setdefault(number, set()).add(one)
        if now[number]:
            found[position, number] = {one} if before else set(recorded[number])
    mistaken = retracted(log)
    believed = {place: {one for one in learned if one[1] not in mistaken} for place, learned in found.items()}
    return {place: learned for place, learned in believed.items() if now[place[1]] and learned}


def retracted(log: list[At]) -> set[int]:
    """The positions of what was recorded by mistake."""
    found = set()
    for _, number, event in log:
        if isinstance(event, DecisionFactRetracted):
            stream = [one.position for one in log if one.number == number and one.of_decision]
            found.add(stream[event.version - 1])
    return found


def as_learned(items: list[ChangedDecision]) -> dict[tuple[int, str], set[tuple[str, int]]]:
    """What was given: at each position once, in their order."""
    positions = [item.position for item in items]
    assert positions == sorted(set(positions))
    return {
        (item.position, item.number): {(one.what.value, one.position) for one in item.learned}
        for item in items
    }


@EVERY_TIME
@given(data=st.data())
def test_who_asks_after_every_event_learns_in_the_end_what_one_who_asks_once_learns(
    stage: Stage, data: st.DataObject
) -> None:
    body = f"B{next(bodies):05d}"
    start, log = stage.reached(), list[At]()
    heard: dict[str, list[ChangedDecision]] = {who: [] for who in ASKERS}
    for one in data.draw(stories(body)):
        before = stage.reached()
        position = tell(stage, one).last
        log.append(At(position, one.code, one.event))
        stage.wait(position)
        for who, (scope, _, _) in ASKERS.items():
            heard[who] += asked(stage, scope, body, after=before)
    for who, (scope, sees, within) in ASKERS.items():
        at_once = asked(stage, scope, body, after=start)
        assert as_learned(at_once) == expected(log, sees, within=within), who
        as_learned(heard[who])  # at each position once
        readable = {item.number for item in at_once}
        facts, decisions = _known(heard[who], readable)
        believed = {fact for fact in facts if fact[2] not in retracted(log)}
        assert (believed, decisions) == _known(at_once, readable), who
        assert paged(stage, scope, body, start) == at_once


def _known(items: list[ChangedDecision], readable: set[str]) -> tuple[set[Any], dict[str, DecisionItem]]:
    """The facts that a reader of these items knows, and how each decision was when they heard of it last."""
    facts = {
        (item.number, one.what, one.position)
        for item in items
        if item.number in readable
        for one in item.learned
    }
    return facts, {item.number: item.decision for item in items if item.number in readable}


def paged(stage: Stage, scope: Scope, body: str, after: int) -> list[ChangedDecision]:
    """The feed, one item at a time."""
    found: list[ChangedDecision] = []
    while page := asked(stage, scope, body, after, limit=1):
        found += page
        after = page[-1].position
    return found
