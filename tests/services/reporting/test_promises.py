"""The promises of three speeches add up on every day, whatever becomes of each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.reporting.queries.access import Scope
from services.reporting.queries.board import Totals, board_as_of, grouped_board_as_of
from services.reporting.queries.moments import AsOf
from services.reporting.queries.promises import CountBy
from shared.events.commitments import (
    Assessed,
    Completed,
    Discarded,
    Evidence,
    Merged,
    Origin,
    Registered,
    Reopened,
    Split,
    VisibilityChanged,
)
from shared.events.facts import Event
from shared.events.retractions import CommitmentFactRetracted
from shared.events.vocabulary import DiscardReason, Judgement, OriginKind, Visibility
from tests.services.reporting.stage import EVERYTHING, PUBLIC, Stage, ministry, staged

SPEECHES = {"2010": 317, "2011": 173, "2012": 131}
LAST_SPEECH = date(2012, 5, 21)
MOP = ministry("MOP")


class Life(NamedTuple):
    """The record as it is told: when each commitment begins, and what is closed from which day on."""

    stage: Stage
    begun: dict[str, date]
    closed: dict[str, date]
    versions: Counter[str]
    splits: dict[str, tuple[int, tuple[str, ...]]]
    """The splits that may be taken back, with their version and their parts, of which nothing more was told."""
    told_until: list[int]
    said: list[tuple[AsOf, Scope, CountBy, int]]
    """What somebody was told once, of the whole."""

    def tell(self, *events: tuple[str, Event]) -> None:
        for code, event in events:
            named = {code, event.into} if isinstance(event, Merged) else {code}
            for split in [split for split, (_, parts) in self.splits.items() if named & {*parts}]:
                del self.splits[split]
            self.versions[code] += 1
        self.told_until.append(self.stage.append(*events).last)

    def live(self) -> list[str]:
        return sorted(self.begun.keys() - self.closed.keys())


@pytest.fixture
def life(log_url: str) -> Iterator[Life]:
    """317, 173 and 131 promises, all public; every example adds to what became of them."""
    with staged(log_url) as stage:
        life = Life(stage, {}, {}, Counter(), {}, [], [])
        for year, count in SPEECHES.items():
            day = date(int(year), 5, 21)
            codes = [f"{year}-{number:03d}" for number in range(1, count + 1)]
            life.tell(*((code, promise(code, day, day)) for code in codes))
            life.begun.update(dict.fromkeys(codes, day))
        stage.start_worker()
        yield life


def promise(code: str, day: date, spoken: date, **more: Any) -> Registered:
    speech = Origin(kind=OriginKind.MAY_21_SPEECH, source_on=spoken)
    return Registered(
        code=code,
        title=code,
        lead_organization="MOP",
        effective_on=day,
        visibility=Visibility.PUBLIC,
        origin=speech,
        **more,
    )


def happen(life: Life, chance: Random) -> None:
    """One thing more happens to something that is still open, on some day since it is there."""
    code = chance.choice(life.live())
    day = max(some_day(chance), life.begun[code])
    spoken = date(int(code[:4]), 5, 21)
    match chance.choice(
        ["split", "split", "take back", "merge", "end", "give up", "doubt", "hide", "reopen"]
    ):
        case "split":
            first = len(life.versions)
            parts = [f"{code}.{number}" for number in range(first, first + chance.randint(2, 3))]
            life.tell(
                *((part, promise(part, day, spoken, split_from=code)) for part in parts),
                (code, Split(parts=tuple(parts), reason="r", effective_on=day)),
            )
            life.begun.update(dict.fromkeys(parts, day))
            life.closed[code] = day
            life.splits[code] = life.versions[code], tuple(parts)
        case "take back" if life.splits:
            code = chance.choice(sorted(life.splits))
            version, gone = life.splits.pop(code)
            life.tell(*((part, mistaken(1, Registered)) for part in gone), (code, mistaken(version, Split)))
            for part in gone:
                del life.begun[part]
            del life.closed[code]
        case "merge":
            life.tell((code, Merged(into=chance.choice(life.live()), reason="r", effective_on=day)))
            life.closed[code] = day
        case "end":
            life.tell((code, Completed(completed_on=day, evidence=(Evidence(description="e"),))))
        case "give up":
            life.tell((code, Discarded(reason_type=DiscardReason.TECHNICAL, reason="r", effective_on=day)))
        case "doubt":
            life.tell((code, Assessed(effective_on=day, judgement=Judgement.AT_RISK, reason="r")))
        case "hide":
            seen = chance.choice([*Visibility, Visibility.RESERVED])
            anything = chance.choice(sorted(life.begun))
            life.tell((anything, VisibilityChanged(visibility=seen, previous=Visibility.PUBLIC, reason="r")))
        case _:
            life.tell((code, Reopened(reason="r", effective_on=day)))


def mistaken(version: int, fact: type[Event]) -> CommitmentFactRetracted:
    return CommitmentFactRetracted(version=version, reason="r", retracted=fact.TYPE)


def some_day(chance: Random) -> date:
    return LAST_SPEECH + timedelta(days=chance.randint(0, 400))


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32))
def test_621_promises_of_three_speeches_stay_621_and_no_total_changes_once_it_was_told(
    life: Life, seed: int
) -> None:
    chance = Random(seed)
    for _ in range(chance.randint(5, 20)):
        happen(life, chance)
    life.stage.wait(life.told_until[-1])
    for _ in range(3):
        at = AsOf(some_day(chance), chance.choice(life.told_until[2:]), None)
        board = whole(life.stage, at, EVERYTHING, CountBy.PROMISE)
        assert (board.registered, board.withdrawn) == (621, 0)
        with life.stage.read_model.reading() as reading:
            groups = grouped_board_as_of(
                reading, at, EVERYTHING, {}, ["speech_year"], count_by=CountBy.PROMISE
            ).items
        assert {group["speech_year"]: group["count"] for group in groups} == SPEECHES
    now = AsOf(some_day(chance), life.told_until[-1], None)
    for scope in (PUBLIC, MOP):
        for count_by in CountBy:
            life.said.append((now, scope, count_by, whole(life.stage, now, scope, count_by).registered))
    for at, scope, count_by, registered in chance.choices(life.said, k=4):
        assert whole(life.stage, at, scope, count_by).registered == registered


def whole(stage: Stage, at: AsOf, scope: Scope, count_by: CountBy) -> Totals:
    with stage.read_model.reading() as reading:
        totals = board_as_of(reading, at, scope, {}, count_by=count_by).totals
    assert isinstance(totals.withdrawn, int)
    named = (*totals.by_status.values(), totals.merged, totals.split, totals.withdrawn)
    assert totals.registered == sum(named)
    return totals


def test_parts_of_a_split_that_was_taken_back_are_still_there_as_of_before_for_all_who_could_read_them(
    log_url: str,
) -> None:
    day = date(2012, 6, 1)
    with staged(log_url) as stage:
        stage.append(("A", promise("A", LAST_SPEECH, LAST_SPEECH)))
        parts = [(code, promise(code, day, LAST_SPEECH, split_from="A")) for code in ("A.1", "A.2")]
        split = stage.append(*parts, ("A", Split(parts=("A.1", "A.2"), reason="r", effective_on=day))).last
        before = {scope: codes(stage, split, scope) for scope in (PUBLIC, MOP, EVERYTHING)}
        gone = stage.append(
            *((code, mistaken(1, Registered)) for code, _ in parts), ("A", mistaken(2, Split))
        )
        stage.follow()
        for scope, seen in before.items():
            assert codes(stage, split, scope) == seen == ["A", "A.1", "A.2"]
            assert codes(stage, gone.last, scope) == ["A"]
            assert not whole(stage, AsOf(day, split, None), scope, CountBy.COMMITMENT).withdrawn


def codes(stage: Stage, position: int, scope: Scope) -> list[Any]:
    stage.follow()
    with stage.read_model.reading() as reading:
        return [
            item.code
            for item in board_as_of(reading, AsOf(date(2012, 6, 1), position, None), scope, {}).items
        ]
