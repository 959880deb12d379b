"""What the tree and the promises say of random plans, against a plain fold of the plans as they were made up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import count
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.reporting.queries.board import board_as_of
from services.reporting.queries.moments import AsOf
from services.reporting.queries.plan import Below, Node, tree_as_of
from services.reporting.queries.promises import CountBy
from shared.events.commitments import (
    Completed,
    Discarded,
    Evidence,
    Merged,
    ProgressReported,
    ProgressReviewed,
    Registered,
    Split,
)
from shared.events.facts import Event
from shared.events.vocabulary import DiscardReason, ReviewOutcome
from tests.services.reporting.stage import EVERYTHING, Stage, staged

BEGUN, ENDED, ASKED = date(2012, 1, 1), date(2012, 6, 1), date(2012, 12, 31)
examples = count(1)


class Made(NamedTuple):
    """A commitment that was made up: where it stands, what was told of it, and what became of it."""

    code: str
    parent: str | None
    weight: Decimal | None
    percent: int | None
    fate: str
    """`on_time`, `achieved`, `discarded`, `merged` or `split`."""
    into: str | None = None
    came_from: str | None = None


Plan = dict[str, Made]


def made_up(chance: Random, tag: str) -> Plan:
    """A plan of some commitments, of which some were split again and again."""
    plan: Plan = {}

    def add(parent: str | None, came_from: str | None) -> None:
        code = f"{tag}-{len(plan):02d}"
        fate = chance.choice(["on_time", "on_time", "achieved", "discarded", "merged", "split"])
        into = chance.choice([*plan]) if plan and fate == "merged" else None
        if fate == "merged" and into is None:
            fate = "on_time"
        weight = chance.choice([None, Decimal(3), Decimal("0.5")])
        percent = chance.choice([None, chance.randint(0, 100)])
        plan[code] = Made(code, parent, weight, percent, fate, into, came_from)
        if fate == "split":
            for _ in range(2):
                add(parent, code) if len(plan) < 30 else leaf(parent, code)

    def leaf(parent: str | None, came_from: str) -> None:
        code = f"{tag}-{len(plan):02d}"
        plan[code] = Made(code, parent, None, None, "achieved", None, came_from)

    for _ in range(chance.randint(1, 10)):
        add(chance.choice([None, *plan]) if plan else None, None)
    return plan


def told(plan: Plan, tag: str) -> Iterator[tuple[str, Event]]:
    """How the log tells of it."""
    for code, one in plan.items():
        yield (
            code,
            Registered(
                code=code,
                title=code,
                lead_organization=tag,
                effective_on=BEGUN,
                parent=one.parent,
                weight=one.weight,
                split_from=one.came_from,
            ),
        )
        if one.percent is not None:
            report = ProgressReported(
                number=1, period="2012-Q1", effective_on=date(2012, 3, 31), percent=Decimal(one.percent)
            )
            yield code, report
            yield code, ProgressReviewed(report=1, outcome=ReviewOutcome.ACCEPTED)
        match one.fate:
            case "achieved":
                yield code, Completed(completed_on=ENDED, evidence=(Evidence(description="e"),))
            case "discarded":
                yield (
                    code,
                    Discarded(reason_type=DiscardReason.TECHNICAL, reason="r", effective_on=ENDED),
                )
            case "merged":
                yield code, Merged(into=one.into or "", reason="r", effective_on=ENDED)
            case "split":
                parts = tuple(part for part in plan if plan[part].came_from == code)
                yield code, Split(parts=parts, reason="r", effective_on=ENDED)


def below(plan: Plan, code: str) -> list[Made]:
    """All that is part of it, however deep."""
    parts = [one for one in plan.values() if one.parent == code]
    return [*parts, *(deeper for part in parts for deeper in below(plan, part.code))]


def shares(plan: Plan, code: str, weight: Fraction, under: str) -> dict[str, Fraction]:
    """What the parts of something weigh into which this one came: what it weighs is shared among those that go on."""
    leaves = [
        one for one in goes_on(plan, code) if one.fate in ("on_time", "achieved") and one.parent == under
    ]
    whole = sum((Fraction(one.weight or 1) for one in leaves), Fraction())
    return {one.code: weight * Fraction(one.weight or 1) / whole for one in leaves}


def goes_on(plan: Plan, code: str) -> list[Made]:
    """It and all that it was split into."""
    parts = [part for part in plan.values() if part.came_from == code]
    return [plan[code], *(one for part in parts for one in goes_on(plan, part.code))]


def progress(plan: Plan, code: str) -> tuple[Fraction, Fraction, Fraction | None]:
    """The weight of what it is made of, of that the weight that has reported, and how far that is."""
    weights: dict[str, Fraction] = {}
    for one in plan.values():
        if one.parent == code and one.came_from is None:
            weights |= shares(plan, one.code, Fraction(one.weight or 1), code)
    far = {part: how_far(plan, part) for part in weights}
    reported = sum((weights[part] for part, told in far.items() if told is not None), Fraction())
    done = sum((weights[part] * told for part, told in far.items() if told is not None), Fraction())
    return sum(weights.values(), Fraction()), reported, done / reported if reported else None


def how_far(plan: Plan, code: str) -> Fraction | None:
    """By what it is made of, where something of that has reported; or else by its own report."""
    own = plan[code].percent
    by_parts = progress(plan, code)[2]
    return by_parts if by_parts is not None else None if own is None else Fraction(own)


def ends(plan: Plan, code: str, passed: frozenset[str] = frozenset()) -> set[str]:
    """The fates in which a promise comes to an end, by whichever way it went on."""
    if code in passed:
        return set()
    one, passed = plan[code], passed | {code}
    found = set() if one.fate in ("merged", "split") else {one.fate}
    onward = [part.code for part in plan.values() if part.came_from == code] + (
        [one.into] if one.into else []
    )
    return found.union(*(ends(plan, other, passed) for other in onward))


@pytest.fixture
def stage(log_url: str) -> Iterator[Stage]:
    """One log for all examples."""
    with staged(log_url) as made:
        made.start_worker()
        yield made


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32))
def test_tree_and_promises_of_any_plan_are_a_plain_fold_of_it(stage: Stage, seed: int) -> None:
    tag = f"p{next(examples):04d}"
    plan = made_up(Random(seed), tag)
    position = stage.append(*told(plan, tag)).last
    stage.wait(position)
    at = AsOf(ASKED, position, None)
    with stage.read_model.reading() as reading:
        _totals, branches = tree_as_of(reading, at, EVERYTHING)
        promises = board_as_of(
            reading, at, EVERYTHING, {"organization": [tag]}, limit=200, count_by=CountBy.PROMISE
        ).items
    nodes = {node.code: node for branch in branches for node in nodes_in(branch.items)}
    for code, one in plan.items():
        deeper = below(plan, code)
        node = nodes[code]
        assert node.percent == one.percent
        assert node.weight == (one.weight or 1)
        closed, over_open = one.fate != "on_time", any(part.fate == "on_time" for part in deeper)
        assert node.closed_over_open_parts == (closed and over_open)
        assert (node.below is None) == (not deeper)
        if node.below is not None:
            assert counted(node.below) == Counter(part.fate for part in deeper)
            weight, reported, percent = progress(plan, code)
            assert near(node.below.weight, weight)
            assert near(node.below.weight_reported, reported)
            assert (node.below.percent is None) == (percent is None)
            assert percent is None or near(node.below.percent, percent)
    firsts = {code for code, one in plan.items() if one.came_from is None}
    assert {item.code: item.partly_discarded for item in promises} == {
        code: ends(plan, code) == {"achieved", "discarded"} for code in firsts
    }


def nodes_in(items: list[Node]) -> Iterator[Node]:
    """All the nodes of a part of the tree."""
    for node in items:
        yield node
        yield from nodes_in(node.items)


def counted(found: Below) -> Counter[str]:
    """What lies below, by fate."""
    return +Counter({**found.by_status, "merged": found.merged, "split": found.split})


def near(told: Decimal | None, value: Fraction) -> bool:
    """Whether it is this value, rounded to two places."""
    return told is not None and abs(Fraction(told) - value) <= Fraction(1, 200)
