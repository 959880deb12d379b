"""No answer of any route about a past day changes by a retraction without the answer saying that it did.

Every route is walked, so that a new one is among them without being named here; the record is one in which there is
something of every kind, and everything of it that can be taken back is taken back, the last first.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from shared.events.meetings import MinutesApproved
from shared.events.retractions import (
    ActionItemFactRetracted,
    CommitmentFactRetracted,
    DecisionFactRetracted,
    IndicatorFactRetracted,
    MeetingFactRetracted,
    Retraction,
)
from shared.identity.actor import Role
from tests.services.reporting.gatherings import Told, noon, tell
from tests.services.reporting.installation import Installation
from tests.services.reporting.stage import staged
from tests.services.reporting.test_hidden_from_askers import DAY, GIVEN, NAMES, story
from tests.services.reporting.test_two_times import without_word_of_it
from tests.support import walk

TAKEN_BACK: dict[str, type[Retraction]] = {
    "commitment": CommitmentFactRetracted,
    "indicator": IndicatorFactRetracted,
    "meeting": MeetingFactRetracted,
    "decision": DecisionFactRetracted,
    "action-item": ActionItemFactRetracted,
}
LATER = DAY + timedelta(days=80)
DAYS = (DAY + timedelta(days=5), DAY + timedelta(days=55))
"""On the later of them the reports of the quarter are due."""
OF_THE_ANSWER = frozenset(
    {"position", "known_on", "known_at", "corrected", "next", "from_position", "from_corrected"}
)
"""What an answer says of itself, and not of the day."""
PAGES = {"commitments": ("OPEN-3", "HID-1"), "indicators": ("OPEN-RATE-2",)}
"""The things whose pages are asked for."""
NOT_OF_A_DAY = (
    "/v1/events",
    "/v1/decisions/changes",
    "/v1/exports",
    "/v1/open-data",
    "/v1/cycles",
    "/v1/reports",
)
"""Feeds tell what was learned, one event after the other; tables are lists that are walked themselves."""


class Mistake(msgspec.Struct, frozen=True):
    """A fact that was taken back: where the retraction stands, and of what it is."""

    position: int
    kind: str
    code: str
    what: str


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One event loop for the whole module."""
    return "asyncio"


@pytest.fixture(scope="module")
async def record(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[Installation, list[Mistake]]]:
    """The service over the record, and what was taken back in it."""
    folder = tmp_path_factory.mktemp("said")
    with staged(f"sqlite:///{folder / 'bitacora.db'}") as stage:
        versions: dict[tuple[str, str], int] = {}
        facts: list[tuple[Told, int]] = []
        for entry in story():
            told = entry.told
            if isinstance(told.event, Retraction):
                continue
            tell(stage, told, now=noon(entry.recorded_on))
            version = versions[told.kind, told.code] = versions.get((told.kind, told.code), 0) + 1
            if isinstance(told.event, MinutesApproved):
                # Sealed minutes are mended beside them.
                facts = [one for one in facts if (one[0].kind, one[0].code) != (told.kind, told.code)]
            elif told.kind in TAKEN_BACK and version > 1 and not told.event.LASTING:
                facts.append((told, version))
        mistakes = []
        for told, version in reversed(facts):
            kind = TAKEN_BACK[told.kind]
            retraction = kind(version=version, reason="It was not so", retracted=told.event.TYPE)
            tell(stage, Told(told.kind, told.code, retraction), now=noon(LATER))
            mistakes.append(Mistake(stage.store.head(), told.kind, told.code, told.event.TYPE))
        stage.on_record("organization", "MININT", "MINSAL")
        stage.on_record("pillar", "security")
        stage.follow()
        installation = Installation(folder, stage)
        installation.now = noon(LATER + timedelta(days=5))
        async with installation.running() as running:
            yield running, mistakes


def questions(record: Installation) -> list[str]:
    """Every route once, with what it cannot do without."""
    asked = walk.questions(record.app, NAMES, PAGES, GIVEN)
    by_route = dict.fromkeys(question.partition("?")[0] for question in asked)
    needed = {"/v1/board/changes": "from=2013-01-01&to={on}"}
    return [f"{path}?{needed.get(path, 'on={on}')}" for path in by_route if not path.startswith(NOT_OF_A_DAY)]


async def test_it_says_so_on_every_answer_that_a_retraction_changes(
    record: tuple[Installation, list[Mistake]],
) -> None:
    reporting, mistakes = record
    unsaid: dict[tuple[str, str], date] = {}
    changed = set[str]()
    kept: dict[tuple[str, int], Any] = {}

    async def answer(question: str, position: int) -> Any:
        if (question, position) not in kept:
            kept[question, position] = told_of(await reporting.get(f"{question}&position={position}"))
        return kept[question, position]

    # Of each type of fact the first two are looked at: what they are of differs.
    looked_at = [one for number, one in enumerate(mistakes) if of_type(mistakes[:number], one.what) < 2]
    for question in questions(reporting):
        for on in DAYS:
            asked = question.format(on=on)
            for mistake in looked_at:
                before = await answer(asked, mistake.position - 1)
                after = await answer(asked, mistake.position)
                if not before or not after or of_the_day(before) == of_the_day(after):
                    continue
                changed.add(question.partition("?")[0])
                if mistake.position not in said(after):
                    unsaid[question.partition("?")[0], mistake.what] = on
    assert unsaid == {}
    assert len(changed) > 15
    assert "/v1/timeliness" in changed


@pytest.mark.parametrize("role", [None, Role.MINISTRY], ids=["anybody", "a ministry"])
async def test_an_answer_that_any_fact_changes_is_told_up_to_that_fact_to_whoever_asks(
    record: tuple[Installation, list[Mistake]], role: Role | None
) -> None:
    reporting, mistakes = record
    unsaid: list[tuple[str, int]] = []
    changed = set[str]()
    facts = range(2, mistakes[0].position, 5)
    for question in questions(reporting):
        asked = question.format(on=DAYS[0])
        for fact in facts:
            before, after = [
                told_of(await reporting.get(f"{asked}&position={position}", role=role))
                for position in (fact - 1, fact)
            ]
            if of_the_day(before) == of_the_day(after):
                continue
            changed.add(question.partition("?")[0])
            if after and after["position"] != fact:
                unsaid.append((question, fact))
    assert unsaid == []
    assert len(changed) > 5


def told_of(answer: httpx.Response) -> dict[str, Any]:
    """What an answer in JSON tells; nothing where there is none, or it is a file."""
    in_json = answer.status_code == 200 and answer.headers["content-type"].startswith("application/json")
    return answer.json() if in_json else {}


def of_type(mistakes: list[Mistake], what: str) -> int:
    """How many of them are facts of a type."""
    return sum(one.what == what for one in mistakes)


def said(answer: Any) -> set[int]:
    """The positions of what an answer says was put right, as a whole or of what is in it."""
    if isinstance(answer, list):
        return {position for one in answer for position in said(one)}
    if not isinstance(answer, dict):
        return set()
    found = {position for one in answer.values() for position in said(one)}
    told = answer.get("corrected")
    if isinstance(told, dict):
        positions = (told.get("position"), told.get("last_position"), *told.get("others", ()))
        found |= {one for one in positions if one is not None}
    return found


def of_the_day(answer: dict[str, Any]) -> Any:
    """What an answer says of the day it is about."""
    return without_word_of_it({name: told for name, told in answer.items() if name not in OF_THE_ANSWER})
