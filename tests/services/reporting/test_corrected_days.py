"""A correction or a retraction that changes what a past day says is shown where that day is shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.events.commitments import (
    Assessed,
    Completed,
    Corrected,
    DeadlineRevised,
    Evidence,
    InternalDeadline,
    LeadReassigned,
    PublicDeadline,
    Registered,
)
from shared.events.facts import Event
from shared.events.retractions import CommitmentFactRetracted
from shared.events.vocabulary import DeadlineKind, Judgement, Visibility
from shared.identity.actor import Role
from tests.services.reporting.installation import Installation
from tests.services.reporting.stage import Stage, staged

pytestmark = pytest.mark.anyio

BEGUN = datetime(2012, 1, 10, 12, tzinfo=UTC)
MENDED = datetime(2013, 1, 15, 12, tzinfo=UTC)
DUE, RIGHT, THAT_DAY = "2012-06-30", "2013-12-31", "2012-08-01"


def registered(code: str, **more: Any) -> Registered:
    """A promise of the middle of 2012."""
    return Registered(
        code=code,
        title=f"Title of {code}",
        lead_organization="MOP",
        visibility=more.pop("visibility", Visibility.PUBLIC),
        effective_on=date(2012, 1, 1),
        public_deadline=PublicDeadline(on=date(2012, 6, 30)),
        **more,
    )


def mistake(version: int) -> CommitmentFactRetracted:
    """What was recorded at that version was typed wrong."""
    return CommitmentFactRetracted(version=version, reason="typo", retracted="commitments.completed")


def corrected(field: str, value: Any) -> Corrected:
    """A field of the registration was typed wrong."""
    return Corrected(field=field, value=value, reason="typo")


FACTS: dict[str, tuple[Event, Event]] = {
    "deadline": (
        Assessed(effective_on=date(2012, 2, 1), judgement=Judgement.ON_TRACK),
        corrected("public_deadline", {"on": RIGHT}),
    ),
    "completion": (
        Completed(completed_on=date(2012, 6, 1), evidence=(Evidence(description="x"),)),
        mistake(2),
    ),
    "judgement": (
        Assessed(effective_on=date(2012, 2, 1), judgement=Judgement.AT_RISK, reason="x"),
        mistake(2),
    ),
    "lead": (
        LeadReassigned(lead_organization="MINVU", previous="MOP", effective_on=date(2012, 3, 1), reason="x"),
        mistake(2),
    ),
    "revision": (
        DeadlineRevised(
            deadline=DeadlineKind.PUBLIC, on=date(2013, 12, 31), effective_on=date(2012, 6, 1), reason="x"
        ),
        mistake(2),
    ),
    "internal": (
        Assessed(effective_on=date(2012, 2, 1), judgement=Judgement.ON_TRACK),
        corrected("internal_deadline", None),
    ),
    "title": (
        Assessed(effective_on=date(2012, 2, 1), judgement=Judgement.ON_TRACK),
        corrected("title", "Right"),
    ),
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Of each commitment one thing told in time, and one that mends it in 2013."""
    url = f"sqlite:///{tmp_path_factory.mktemp('corrected') / 'log.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("module_postgres_url")
    with staged(url) as made:
        for name, (told, _) in FACTS.items():
            more = {"internal_deadline": InternalDeadline(on=date(2012, 5, 1))} if name == "internal" else {}
            made.append((name, registered(name, **more)), (name, told), now=BEGUN)
        for name, (_, mends) in FACTS.items():
            made.append((name, mends), now=MENDED)
        made.start_worker()
        made.wait()
        yield made


@pytest.fixture
async def reporting(stage: Stage, tmp_path: Path) -> AsyncIterator[Installation]:
    """The service, running."""
    async with Installation(tmp_path, stage).running() as running:
        yield running


BEFORE = 2 * len(FACTS)
"""The last position before anything was mended."""


async def item(reporting: Installation, code: str, query: str, **by: Any) -> Any:
    """One commitment on the board."""
    board = await reporting.read(f"/v1/board?{query}", **by)
    return next(one for one in board["items"] if one["code"] == code)


async def days(reporting: Installation, code: str, on: str, query: str = "", **by: Any) -> Any:
    """The run of days in which a day is, of the timeline of a commitment."""
    found = await reporting.read(f"/v1/commitments/{code}/timeline{query}", **by)
    return next(one for one in found["items"] if one["from_on"] <= on and (one["until_on"] or "9") > on)


async def test_a_deadline_corrected_after_it_was_missed_is_shown_on_the_day_that_said_delayed(
    reporting: Installation,
) -> None:
    position = BEFORE + 1
    for found in (
        await item(reporting, "deadline", f"on={THAT_DAY}"),
        await days(reporting, "deadline", THAT_DAY),
    ):
        assert (found["status"], found["public_deadline_on"]) == ("on_time", RIGHT)
        assert found["corrected"] == {
            "what": "public_deadline",
            "from": DUE,
            "to": RIGHT,
            "removed": False,
            "retraction": False,
            "reason": "typo",
            "recorded_on": "2013-01-15",
            "recorded_at": "2013-01-15T12:00:00.000000Z",
            "recorded_by": {"organization": "DCI", "role": "dci", "subject": "u-9"},
            "position": position,
            "others": [],
            "of": None,
        }
    now = await item(reporting, "deadline", f"on={THAT_DAY}")
    assert now["status_because"] == {"position": position, "fact": "correction"}
    assert (await days(reporting, "deadline", THAT_DAY))["because"]["type"] == "commitments.corrected"
    assert now["public_deadline_corrected_after_due"] == 1


async def test_as_known_before_nothing_of_it_is_shown(reporting: Installation) -> None:
    for found in (
        await item(reporting, "deadline", f"on={THAT_DAY}&position={BEFORE}"),
        await item(reporting, "deadline", f"on={THAT_DAY}&known_at=2013-01-14"),
        await days(reporting, "deadline", THAT_DAY, f"?position={BEFORE}"),
    ):
        assert (found["status"], found["public_deadline_on"], found["corrected"]) == ("delayed", DUE, None)


async def test_a_day_that_nobody_was_told_of_otherwise_shows_nothing(reporting: Installation) -> None:
    assert (await item(reporting, "deadline", "on=2013-01-15"))["corrected"] is not None
    assert (await item(reporting, "deadline", "on=2013-01-16"))["corrected"] is None
    # Before the deadline the state was the same: the day says another deadline, and its state rests on what it did.
    early = await item(reporting, "deadline", "on=2012-05-01")
    assert (early["corrected"]["what"], early["status_because"]["fact"]) == ("public_deadline", "judgement")


@pytest.mark.parametrize(
    ("code", "status", "what", "before", "after", "cited"),
    [
        ("completion", "delayed", "closure", "achieved", None, True),
        ("judgement", "delayed", "judgement", "at_risk", None, False),
        ("lead", "delayed", "lead_organization", "MINVU", "MOP", False),
        ("revision", "delayed", "public_deadline", RIGHT, DUE, True),
        ("title", "delayed", "title", "Title of title", "Right", False),
    ],
)
async def test_whatever_is_retracted_or_corrected_is_shown_on_its_days(
    reporting: Installation, code: str, status: str, what: str, before: Any, after: Any, cited: bool
) -> None:
    found = await item(reporting, code, f"on={THAT_DAY}")
    told = found["corrected"]
    assert (found["status"], told["what"], told["from"], told["to"]) == (status, what, before, after)
    assert told["retraction"] == (code != "title")
    assert (found["status_because"]["position"] == told["position"]) == cited
    assert (await days(reporting, code, THAT_DAY))["corrected"] == told
    assert (await item(reporting, code, "on=2012-01-15"))["corrected"] is None or code == "title"


async def test_a_deadline_that_had_not_passed_was_not_corrected_after_due(reporting: Installation) -> None:
    totals = (await reporting.read(f"/v1/board?on={THAT_DAY}"))["totals"]
    assert totals["corrected_after_due"] == 1
    # The revision that was retracted had moved the deadline to a day that was still to come.
    assert (await item(reporting, "revision", f"on={THAT_DAY}"))["public_deadline_corrected_after_due"] == 0


async def test_outside_the_government_days_organisations_and_roles_are_told(reporting: Installation) -> None:
    found = (await item(reporting, "deadline", f"on={THAT_DAY}", role=None))["corrected"]
    assert (found["recorded_on"], found["recorded_at"]) == ("2013-01-15", None)
    assert found["recorded_by"] == {"organization": "DCI", "role": "dci", "subject": None}


async def test_a_correction_of_the_internal_deadline_is_the_units(reporting: Installation) -> None:
    assert (await item(reporting, "internal", f"on={THAT_DAY}"))["corrected"]["what"] == "internal_deadline"
    for by in ({"role": None}, {"role": Role.MINISTRY, "organization": "MINSAL"}):
        assert (await item(reporting, "internal", f"on={THAT_DAY}", **by))["corrected"] is None
        assert (await days(reporting, "internal", THAT_DAY, **by))["corrected"] is None
    own = await item(reporting, "internal", f"on={THAT_DAY}", role=Role.MINISTRY, organization="MOP")
    assert own["corrected"]["what"] == "internal_deadline"


async def test_who_may_read_no_end_of_a_corrected_reference_is_not_told_that_there_is_one(
    stage: Stage, reporting: Installation
) -> None:
    stage.append(
        ("hidden", registered("hidden", visibility=Visibility.RESERVED)),
        ("part", registered("part")),
        now=BEGUN,
    )
    stage.append(("part", corrected("parent", "hidden")), now=MENDED)
    stage.wait()
    assert (await item(reporting, "part", f"on={THAT_DAY}"))["corrected"]["to"] == "hidden"
    assert (await item(reporting, "part", f"on={THAT_DAY}", role=None))["corrected"] is None
    assert (await days(reporting, "part", THAT_DAY, role=None))["corrected"] is None


async def test_what_is_told_anew_of_a_day_speaks_for_itself(stage: Stage, reporting: Installation) -> None:
    again = Completed(completed_on=date(2012, 7, 1), evidence=(Evidence(description="x"),))
    appended = stage.append(("completion", again), now=MENDED)
    await asyncio.to_thread(stage.wait, appended.last)
    found = await item(reporting, "completion", f"on={THAT_DAY}")
    assert (found["status"], found["corrected"], found["status_because"]["position"]) == (
        "achieved",
        None,
        appended.last,
    )
    assert (await item(reporting, "completion", "on=2012-06-15"))["corrected"]["what"] == "closure"
