"""What is kept of answers changes none of them, whoever writes and asks meanwhile."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import create_engine

from services.reporting.answers import Answers
from services.reporting.datasets import DATASETS
from services.reporting.reading import Reading
from shared.events.commitments import (
    Evidence,
    MilestoneSet,
    OrganizationRegistered,
    VisibilityChanged,
)
from shared.events.cycles import CycleFrequency, CycleRegistered
from shared.events.facts import Event
from shared.events.indicators import IndicatorDefined
from shared.events.meetings import ActionItemCompleted, DecisionPublished, MeetingPublished
from shared.events.vocabulary import Direction, Visibility
from shared.identity.actor import Role
from tests.api.conformance import openapi
from tests.services.reporting.gatherings import (
    Told,
    assigned,
    bilateral,
    circulated,
    committee,
    convened,
    cost,
    decided,
    held,
    tell,
)
from tests.services.reporting.histories import EPOCH, Teller
from tests.services.reporting.installation import Installation
from tests.services.reporting.stage import staged

MINISTRY: dict[str, Any] = {"role": Role.MINISTRY, "organization": "K-a"}
ASKERS: list[dict[str, Any]] = [{"role": Role.DCI}, MINISTRY, {"role": None}]
DAY = date(2012, 1, 9)
CODE = "K-0"
"""Of a commitment, and of an indicator."""


def questions() -> list[str]:
    """One of every read of reporting that tells how far the log has come, and some of other days and positions."""
    found = []
    for path, operations in openapi("reporting")["paths"].items():
        parameters = {one["name"]: one for one in operations.get("get", {}).get("parameters", ())}
        if "wait_for" in parameters and not re.search(r"(?<!/commitments/)(?<!/indicators/){", path):
            required = [name for name, one in parameters.items() if one["required"] and one["in"] == "query"]
            days = "&".join(f"{name}={day}" for name, day in zip(required, (EPOCH, DAY), strict=False))
            found.append(f"{path.replace('{id}', CODE)}{'?' * bool(days)}{days}")
    others = (
        "board?group_by=status,pillar&on=2012-01-05",
        "board?position=3",
        "commitments?q=r&include=total",
    )
    return [*found, *(f"/v1/{one}" for one in others)]


def steps() -> Iterator[list[Told]]:
    """What is written between one round of questions and the next."""
    commitments = [Told("commitment", code, event) for code, event in Teller(7, "K").story(30)]
    yield commitments[:15]
    yield [committee("SEG"), convened("SEG", "M-1", EPOCH), held("M-1", EPOCH), bilateral("BIL", "K-a")]
    yield [decided("SEG-2012-001", DAY, budget_impact=cost(2012)), circulated("M-1", "K-a", on=DAY)]
    indicator = IndicatorDefined(
        code=CODE, name="Rate", unit="%", direction=Direction.DECREASE, effective_on=EPOCH, commitment=CODE
    )
    yield [Told("indicator", CODE, indicator)]
    yield [assigned("T-1", "K-a", EPOCH, DAY, visibility=Visibility.PUBLIC)]
    # Of this the page of the commitment tells, and no row does.
    yield [Told("commitment", CODE, MilestoneSet(number=1, name="The bill", due_on=DAY))]
    for event in (_seen(Visibility.PUBLIC), _seen(Visibility.RESERVED)):
        yield [Told("commitment", CODE, event)]
    yield [
        Told("decision", "SEG-2012-001", DecisionPublished(**_openness(Visibility.PUBLIC))),
        Told("meeting", "M-1", MeetingPublished(**_openness(Visibility.PUBLIC))),
        Told(
            "action-item",
            "T-1",
            ActionItemCompleted(completed_on=DAY, evidence=(Evidence(description="Done"),)),
        ),
    ]
    yield [
        Told("organization", "K-a", OrganizationRegistered(code="K-a", name="A")),
        Told(
            "cycle",
            "Q",
            CycleRegistered(
                code="Q", name="Quarterly", frequency=CycleFrequency.QUARTERLY, days_to_report=20
            ),
        ),
    ]
    yield commitments[15:]


def _openness(visibility: Visibility) -> dict[str, Any]:
    return {"visibility": visibility, "previous": Visibility.INTERNAL, "reason": "r"}


def _seen(visibility: Visibility) -> Event:
    return VisibilityChanged(**_openness(visibility))


async def test_with_what_is_kept_every_answer_is_byte_for_byte_what_it_is_without(
    log_url: str, tmp_path: Path
) -> None:
    asked = questions()[:: -1 if log_url.startswith("sqlite") else -3]
    page = asked[0]
    with staged(log_url) as stage:
        stage.start_worker()
        keeping, plain = Installation(tmp_path, stage), Installation(tmp_path, stage, answers_megabytes=0)
        async with keeping.running(), plain.running():
            for round_, told in enumerate(steps()):
                await asyncio.to_thread(stage.wait, tell(stage, *told).last)
                for number, path in enumerate(asked):
                    # The same asker twice, so that what the round before left is asked for; in time, each.
                    await _same(keeping, plain, path, ASKERS[(number + round_ // 2) % 3])
                await _same(keeping, plain, page, ASKERS[0])
            for path in asked:
                assert (await keeping.get(path)).status_code == 200, path
            assert _hits((await keeping.get("/metrics")).text) > len(asked)
            assert _hits((await plain.get("/metrics")).text) == 0


async def _same(keeping: Installation, plain: Installation, path: str, asker: dict[str, Any]) -> None:
    found, wanted = await keeping.get(path, **asker), await plain.get(path, **asker)
    assert found.status_code == wanted.status_code, path
    if found.status_code == 200:
        assert found.content == wanted.content, path
        for header in ("ETag", "Log-Position", "Cache-Control", "Vary", "Quarantined-Events"):
            assert found.headers.get(header) == wanted.headers.get(header), (path, header)


def _hits(metrics: str) -> float:
    return next(
        float(line.split()[1])
        for line in metrics.splitlines()
        if line.startswith('kept_answers_total{found="hit"}')
    )


# --- the keeping by itself -----------------------------------------------------------------------------------------


@pytest.fixture
def answers() -> Answers:
    return Answers([one.name for one in DATASETS], 1_000_000)


def at(position: int, **changed: int) -> Reading:
    """A snapshot at a position, with the positions at which datasets changed last."""
    return Reading(cast(Any, create_engine("sqlite://").connect()), "g", position, "", changed=changed)


def asking(answers: Answers, reading: Reading, told: Any, *, by_position: bool = False) -> Any:
    """What a question comes to that reads commitments."""

    def answer() -> Any:
        reading.connection.exec_driver_sql("SELECT 1 AS commitments")
        return told

    return answers.of("question", reading, answer, by_position=lambda: by_position)


def test_an_answer_holds_until_a_dataset_that_it_read_has_other_rows(answers: Answers) -> None:
    assert asking(answers, at(5, commitments=3), "first") == "first"
    assert asking(answers, at(9, commitments=3, meetings=9), "second") == "first"
    assert asking(answers, at(10, commitments=10), "third") == "third"


def test_who_reads_an_older_snapshot_is_not_told_what_came_after_it(answers: Answers) -> None:
    assert asking(answers, at(5), "later") == "later"
    assert asking(answers, at(4), "earlier") == "earlier"
    assert asking(answers, at(5), "again") == "later"


def test_what_goes_by_the_log_as_well_holds_for_one_position(answers: Answers) -> None:
    assert asking(answers, at(5), "first", by_position=True) == "first"
    assert asking(answers, at(5), "second", by_position=True) == "first"
    assert asking(answers, at(6), "third", by_position=True) == "third"


def test_what_read_no_rows_holds_for_one_position(answers: Answers) -> None:
    assert answers.of("question", at(5), lambda: "first", by_position=lambda: False) == "first"
    assert answers.of("question", at(6), lambda: "second", by_position=lambda: False) == "second"


def test_what_is_kept_stays_within_its_bytes_and_the_last_asked_for_stays(answers: Answers) -> None:
    reading, text = at(1), "x" * 80_000
    for question in ("a", "b", "c", "a", "d", "e"):
        answers.of(question, reading, lambda: text)
    assert [answers.of(question, reading, lambda: "anew") == text for question in "abcde"] == [
        True,
        False,
        True,
        True,
        True,
    ]
    assert answers.of("large", reading, lambda: "x" * 1_000_000) != answers.of(
        "large", reading, lambda: "anew"
    )


def test_of_those_who_ask_the_same_at_once_one_does_the_work(answers: Answers) -> None:
    made, begun, go_on = [], threading.Event(), threading.Event()

    def slowly() -> str:
        made.append(1)
        begun.set()
        go_on.wait(10)
        return "answer"

    told = list[str]()
    asking_ = [
        threading.Thread(target=lambda: told.append(answers.of("question", at(1), slowly))) for _ in range(4)
    ]
    asking_[0].start()
    begun.wait(10)
    for one in asking_[1:]:
        one.start()
    go_on.set()
    for one in asking_:
        one.join(10)
    assert told == ["answer"] * 4
    assert len(made) == 1


def test_what_is_refused_is_not_kept_and_stands_in_nobodys_way(answers: Answers) -> None:
    def refuse() -> str:
        raise LookupError

    with pytest.raises(LookupError):
        answers.of("question", at(1), refuse)
    assert answers.of("question", at(1), lambda: "answer") == "answer"
