"""What was entered late and published as of a day of its own cannot be told, on its days, from what was open all along.

Nor, on the days before, from what was never there: for everything that may be asked of such a day.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shared.events.commitments import Assessed, Commented, Registered, VisibilityChanged
from shared.events.indicators import IndicatorDefined, IndicatorPublished, MeasurementRecorded
from shared.events.meeting_vocabulary import Acknowledgement
from shared.events.meetings import (
    ActionItemPublished,
    DecisionAcknowledged,
    DecisionPublished,
    MeetingPublished,
)
from shared.events.vocabulary import Direction, Judgement, Visibility
from tests.services.reporting.gatherings import (
    Told,
    assigned,
    committee,
    convened,
    cost,
    decided,
    held,
    noon,
    tell,
)
from tests.services.reporting.installation import Installation
from tests.services.reporting.stage import staged
from tests.services.reporting.test_hidden_from_askers import Twins, everything_asked
from tests.support import walk

pytestmark = pytest.mark.anyio

BEGUN, OPENED, ENTERED = date(2013, 3, 1), date(2013, 3, 15), date(2013, 4, 20)
ANYBODY: dict[str, Any] = {"role": None}
NOTHING = Told("commitment", "NONE", Commented(text="Nothing", effective_on=BEGUN))
CLOSED, OPEN = Visibility.INTERNAL, Visibility.PUBLIC


def things(visibility: Visibility) -> Iterator[Told]:
    """One of each kind of thing that can be published, with what is told of it."""
    open_to: dict[str, Any] = {"visibility": visibility}
    first = OPENED if visibility is OPEN else BEGUN  # its own days are told, and these begin when it is open
    promise = Registered(code="C-1", title="C-1", lead_organization="MOP", effective_on=first, **open_to)
    yield Told("commitment", "C-1", promise)
    judged = Assessed(effective_on=OPENED, judgement=Judgement.AT_RISK, reason="r")
    yield Told("commitment", "C-1", judged)
    yield convened("SEG", "M-1", BEGUN, **open_to)
    yield held("M-1", BEGUN)
    yield decided("SEG-2013-001", BEGUN, commitments=("C-1",), budget_impact=cost(), **open_to)
    said = DecisionAcknowledged(outcome=Acknowledgement.DISPUTED, effective_on=OPENED)
    yield Told("decision", "SEG-2013-001", said)
    yield assigned("T-1", "MOP", BEGUN, BEGUN, **open_to)
    rate = IndicatorDefined(
        code="RATE",
        name="Rate",
        unit="%",
        direction=Direction.DECREASE,
        effective_on=BEGUN,
        **open_to,
    )
    yield Told("indicator", "RATE", rate)
    yield Told("indicator", "RATE", MeasurementRecorded(period="2012", value=9, published_on=BEGUN))  # type: ignore[arg-type]


PUBLISHED = {
    ("commitment", "C-1"): VisibilityChanged,
    ("meeting", "M-1"): MeetingPublished,
    ("decision", "SEG-2013-001"): DecisionPublished,
    ("action-item", "T-1"): ActionItemPublished,
    ("indicator", "RATE"): IndicatorPublished,
}


def publications(visibility: Visibility, day: date | None) -> Iterator[Told]:
    """All of them are opened, or closed again, as of a day."""
    for (kind, code), event in PUBLISHED.items():
        yield Told(kind, code, event(visibility=visibility, previous=CLOSED, reason="r", effective_on=day))


def late(*more: Told) -> list[Told]:
    """Entered inside government, and published with the days from which it was public."""
    return [*things(CLOSED), *publications(OPEN, OPENED), *more]


def always_open() -> list[Told]:
    """The same as if it had been open when it began."""
    return [*things(OPEN), *(NOTHING for _ in PUBLISHED)]


def never_there() -> list[Told]:
    """Nothing of it."""
    return [NOTHING for _ in late()]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """For two services."""
    found = tmp_path / "whole", tmp_path / "other"
    for one in found:
        one.mkdir()
    return found


@asynccontextmanager
async def served(folder: Path, told: list[Told]) -> AsyncIterator[Installation]:
    """A service over a committee that everybody knows and something open, with more between them."""
    with staged(f"sqlite:///{folder / 'bitacora.db'}") as stage:
        plain = Registered(
            code="C-0", title="C-0", lead_organization="MOP", effective_on=BEGUN, visibility=OPEN
        )
        tell(stage, committee("SEG", visibility=OPEN), now=noon(BEGUN))
        for one in (*told, Told("commitment", "C-0", plain)):
            tell(stage, one, now=noon(ENTERED))
        stage.on_record("organization", "MOP")
        stage.follow()
        async with Installation(folder, stage).running() as running:
            yield running


NAMES = ("C-1", "SEG", "SEG-2013-001", "RATE")
THINGS = {"commitments": ("C-0", "C-1"), "indicators": ("RATE",)}
GIVEN = {
    "from": ("2013-03-10",),
    "position": (),
    "from_position": (),
    "from_known_at": (),
    "known_at": (),
    "wait_for": (),
    "after": ("0",),
    "limit": ("1",),
    "organization": ("MOP",),
    "lead_organization": ("MOP",),
    "participant": ("MOP",),
    "owner_organization": ("MOP",),
}


async def compared(twins: Twins, on: date, *but: str) -> None:
    """Everything there is to ask of a day, but for some paths."""
    given = GIVEN | {"on": (on.isoformat(),), "to": (on.isoformat(),), "reporting_on": (on.isoformat(),)}
    asked = 0
    for question in walk.questions(twins.whole.app, NAMES, THINGS, given):
        if not any(path in question for path in but):
            dated = re.search(r"[?&]on=|/changes\?|/reconciliation\?", question)
            day = "" if dated else f"&on={on.isoformat()}"
            await everything_asked(question + day, twins, ANYBODY, [])
            asked += 1
    assert asked > 100


SINCE = ("/v1/decisions/changes", "/v1/board/changes", "/v1/reconciliation")
"""They say by which event it became visible: that it was opened."""
BEFORE = ("/v1/decisions/changes", "/timeline", "=C-1", "=SEG-2013-001")
"""The timeline has all days; and what may be read now may be named, whatever day is asked about."""


async def test_on_the_days_since_it_is_as_if_it_had_been_open_all_along(folders: tuple[Path, Path]) -> None:
    async with (
        served(folders[0], late()) as whole,
        served(folders[1], always_open()) as other,
    ):
        await compared(Twins(whole, other), OPENED, *SINCE)


async def test_on_the_days_before_it_is_as_if_it_were_not_there(folders: tuple[Path, Path]) -> None:
    async with (
        served(folders[0], late()) as whole,
        served(folders[1], never_there()) as other,
    ):
        await compared(Twins(whole, other), date(2013, 3, 14), *BEFORE)


async def test_what_is_closed_as_of_a_later_day_is_open_on_no_day(folders: tuple[Path, Path]) -> None:
    closed = list(publications(CLOSED, date(2013, 4, 1)))
    gone = [*never_there(), *(NOTHING for _ in closed)]
    async with served(folders[0], late(*closed)) as whole, served(folders[1], gone) as other:
        await compared(Twins(whole, other), date(2013, 3, 20))
