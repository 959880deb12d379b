"""Whatever answer tells a past day otherwise than before says so: by the thing, and for the whole of the answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.events.commitments import (
    Completed,
    Corrected,
    Evidence,
    OrganizationChanged,
    OrganizationRegistered,
    PillarChanged,
    PillarRegistered,
    Registered,
)
from shared.events.meeting_vocabulary import Acknowledgement, BodyKind, BudgetRequest, ProtocolPeriod
from shared.events.meetings import (
    ActionItemCompleted,
    ActionItemExtended,
    Appointment,
    AttendanceCorrected,
    BodyChanged,
    BudgetLineTied,
    DecisionAcknowledged,
    MeetingRescheduled,
)
from shared.events.retractions import (
    ActionItemFactRetracted,
    CommitmentFactRetracted,
    DecisionFactRetracted,
    MeetingFactRetracted,
)
from shared.events.vocabulary import Visibility
from shared.identity.actor import Role
from tests.services.reporting.gatherings import (
    Told,
    assigned,
    bilateral,
    committee,
    convened,
    cost,
    decided,
    held,
    noon,
    protocol,
    tell,
)
from tests.services.reporting.installation import Installation
from tests.services.reporting.stage import Stage, staged

pytestmark = pytest.mark.anyio

BEGUN, MENDED = datetime(2012, 6, 20, 12, tzinfo=UTC), datetime(2013, 1, 15, 12, tzinfo=UTC)
THAT_DAY = "2012-08-01"
DAY = date(2012, 5, 10)
OPEN: dict[str, Any] = {"visibility": Visibility.PUBLIC}
ANYBODY: dict[str, Any] = {"role": None}


def promise(code: str, **more: Any) -> Told:
    """A public commitment of the first day of 2012."""
    event = Registered(
        code=code,
        title=code,
        lead_organization=more.pop("lead", "MOP"),
        visibility=more.pop("visibility", Visibility.PUBLIC),
        effective_on=date(2012, 1, 1),
        **more,
    )
    return Told("commitment", code, event)


def told_first() -> Iterator[Told]:
    """What was recorded in 2012."""
    yield Told("organization", "MOP", OrganizationRegistered(code="MOP", name="Works"))
    yield Told("pillar", "roads", PillarRegistered(code="roads", name="Roads"))
    yield promise("WHOLE", pillar="roads")
    yield promise("PART", parent="WHOLE")
    yield promise("LATER")
    yield promise("HIDDEN", visibility=Visibility.RESERVED, lead="MININT")
    yield committee("SEG", **OPEN)
    yield bilateral("BIL", "MININT")
    yield convened("SEG", "M-1", DAY, **OPEN)
    yield held("M-1", DAY)
    yield convened("SEG", "M-2", DAY, **OPEN)
    yield convened("BIL", "M-3", DAY, visibility=Visibility.RESERVED, organizations=("MININT",))
    yield held("M-3", DAY)
    yield decided("SEG-2012-001", DAY, budget_impact=cost(2013), **OPEN)
    yield Told(
        "decision",
        "SEG-2012-001",
        DecisionAcknowledged(outcome=Acknowledgement.AGREED, effective_on=date(2012, 6, 1)),
    )
    yield Told(
        "decision",
        "SEG-2012-001",
        BudgetLineTied(
            fiscal_year=2013,
            code="24-01",
            amount="1200.5",
            currency="CLP",
            request=BudgetRequest.FIRST,
            effective_on=date(2012, 6, 1),
        ),
    )
    yield assigned("T-1", "MOP", DAY, date(2012, 6, 30), **OPEN)
    done = ActionItemCompleted(completed_on=date(2012, 6, 15), evidence=(Evidence(description="x"),))
    yield Told("action-item", "T-1", done)
    # What is done is judged by the day that was due then, so this changes nothing until that is taken back.
    longer = ActionItemExtended(
        due_on=date(2012, 7, 10),
        previous=date(2012, 6, 30),
        effective_on=date(2012, 6, 20),
        reason="r",
    )
    yield Told("action-item", "T-1", longer)


RIGHT_DAY = noon(date(2012, 5, 12))


def mended() -> Iterator[tuple[str, Told]]:
    """What was put right in 2013, by a name for each."""
    later = Corrected(field="effective_on", value="2012-09-01", reason="typo")
    yield "first day", Told("commitment", "LATER", later)
    parent = Corrected(field="pillar", value=None, reason="typo")
    yield "pillar", Told("commitment", "WHOLE", parent)
    yield "hidden", Told("commitment", "HIDDEN", Corrected(field="title", value="x", reason="typo"))
    yield "held", Told("meeting", "M-1", AttendanceCorrected(held_at=RIGHT_DAY, attendance=(), reason="typo"))
    moved = MeetingRescheduled(
        scheduled_at=noon(date(2012, 7, 1)), previous=Appointment(scheduled_at=noon(DAY)), reason="ill"
    )
    yield "moved", Told("meeting", "M-2", moved)
    for name, version, kind in (
        ("acknowledged", 2, "decision_acknowledged"),
        ("line", 3, "budget_line_tied"),
    ):
        mistake = DecisionFactRetracted(version=version, reason="typo", retracted=f"meetings.{kind}")
        yield name, Told("decision", "SEG-2012-001", mistake)
    undone = ActionItemFactRetracted(version=2, reason="typo", retracted="meetings.action_item_completed")
    yield "task", Told("action-item", "T-1", undone)
    body = BodyChanged(
        name="Security",
        kind=BodyKind.COMMITTEE,
        decides=False,
        visibility=Visibility.PUBLIC,
        protocol=protocol(2, ProtocolPeriod.MONTH),
    )
    yield "body", Told("body", "SEG", body)
    unheld = MeetingFactRetracted(version=2, reason="secret", retracted="meetings.held")
    yield "hidden meeting", Told("meeting", "M-3", unheld)
    yield "organization", Told("organization", "MOP", OrganizationChanged(name="Public Works"))
    yield "named later", Told("pillar", "roads", PillarChanged(name="Ways", effective_on=date(2013, 1, 1)))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def told(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Stage, dict[str, int]]]:
    """The record, and the positions of what was put right."""
    url = f"sqlite:///{tmp_path_factory.mktemp('answers') / 'log.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("module_postgres_url")
    with staged(url) as made:
        tell(made, *told_first(), now=BEGUN)
        positions = {name: tell(made, one, now=MENDED).first for name, one in mended()}
        made.start_worker()
        made.wait()
        yield made, positions


@pytest.fixture
def stage(told: tuple[Stage, dict[str, int]]) -> Stage:
    """The log."""
    return told[0]


@pytest.fixture
def at(told: tuple[Stage, dict[str, int]]) -> dict[str, int]:
    """The positions of what was put right."""
    return told[1]


@pytest.fixture
async def reporting(stage: Stage, tmp_path: Path) -> AsyncIterator[Installation]:
    """The service, running."""
    async with Installation(tmp_path, stage).running() as running:
        yield running


def brief(corrected: Any) -> tuple[Any, ...]:
    """What of it, from what to what, and by which event."""
    return corrected["what"], corrected["from"], corrected["to"], corrected["position"]


async def test_decisions_and_their_gaps_say_what_was_taken_back_of_them(
    reporting: Installation, at: dict[str, int]
) -> None:
    for path in ("/v1/decisions", "/v1/decisions/gaps"):
        found = await reporting.read(f"{path}?on={THAT_DAY}", **ANYBODY)
        (item,) = found["items"]
        assert (item["acknowledgement"], item["budget_lines"]) == (None, [])
        told = item["corrected"]
        assert (told["what"], told["from"]["code"], told["from"]["amount"], told["to"]) == (
            "budget_line",
            "24-01",
            "1200.5",
            None,
        )
        assert (told["position"], told["others"], told["retraction"]) == (
            at["line"],
            [at["acknowledged"]],
            True,
        )
        assert found["corrected"]["last_position"] == at["organization"]
        before = await reporting.read(f"{path}?on={THAT_DAY}&position={at['acknowledged'] - 1}", **ANYBODY)
        assert [item["corrected"] for item in before["items"]] == [None] * len(before["items"])
    gone = await reporting.read("/v1/decisions?on=2012-05-20")
    assert gone["items"][0]["corrected"] is None


async def test_an_action_item_says_that_it_was_not_done_after_all(
    reporting: Installation, at: dict[str, int]
) -> None:
    found = await reporting.read(f"/v1/action-items?on={THAT_DAY}", **ANYBODY)
    (item,) = found["items"]
    assert (item["state"], *brief(item["corrected"])) == (
        "overdue",
        "ending",
        "completed",
        None,
        at["task"],
    )
    # Whoever asks for what was done is told that something is not among it any more.
    done = await reporting.read(f"/v1/action-items?on={THAT_DAY}&state=done", **ANYBODY)
    assert (done["items"], done["corrected"]["things"]) == ([], 2)
    assert {brief(one)[0] for one in done["corrected"]["latest"]} == {"ending", "name"}
    early = await reporting.read("/v1/action-items?on=2012-06-01", **ANYBODY)
    assert early["items"][0]["corrected"] is None


async def test_the_register_says_which_meetings_and_bodies_are_told_otherwise(
    reporting: Installation, at: dict[str, int]
) -> None:
    found = await reporting.read(
        f"/v1/meeting-register?on={THAT_DAY}&from=2012-05-01&to=2012-05-31", **ANYBODY
    )
    (body,) = found["items"]
    assert brief(body["corrected"]) == ("name", "Committee SEG", "Security", at["body"])
    (meeting,) = body["periods"][0]["meetings"]
    assert (meeting["on"], *brief(meeting["corrected"])) == (
        "2012-05-12",
        "held_at",
        "2012-05-10T12:00:00.000000Z",
        "2012-05-12T12:00:00.000000Z",
        at["held"],
    )
    # The one that was put off is in another month now; the answer as a whole knows of it, and of no hidden one. And of
    # what organisations are called, and who stands for them.
    assert (found["corrected"]["things"], found["corrected"]["last_position"]) == (4, at["organization"])
    everything = await reporting.read(f"/v1/meeting-register?on={THAT_DAY}")
    assert (everything["corrected"]["things"], everything["corrected"]["last_position"]) == (
        5,
        at["organization"],
    )
    today = await reporting.read("/v1/meeting-register?on=2013-01-16")
    assert today["corrected"] == {"things": 0, "removed": 0, "last_position": None, "latest": []}


async def test_a_first_day_that_was_wrong_leaves_word_on_the_days_it_took_away(
    reporting: Installation, at: dict[str, int]
) -> None:
    for who in ({}, ANYBODY):
        found = await reporting.read(f"/v1/board?on={THAT_DAY}", **who)
        assert "LATER" not in [one["code"] for one in found["items"]]
        assert found["corrected"]["removed"] == 1
        (gone,) = [one for one in found["corrected"]["latest"] if one["removed"]]
        assert (gone["kind"], gone["code"], *brief(gone)) == (
            "commitment",
            "LATER",
            "effective_on",
            "2012-01-01",
            "2012-09-01",
            at["first day"],
        )
        timeline = await reporting.read("/v1/commitments/LATER/timeline", **who)
        (days,) = timeline["removed"]
        assert (days["from_on"], days["until_on"]) == ("2012-01-01", "2012-09-01")
        assert days["corrected"]["position"] == at["first day"]
    for path in ("/v1/tree", "/v1/plan-profile"):
        assert (await reporting.read(f"{path}?on={THAT_DAY}"))["corrected"]["removed"] == 1
    changes = await reporting.read("/v1/board/changes?from=2012-08-01&to=2013-02-01")
    assert (changes["from_corrected"]["removed"], changes["corrected"]["removed"]) == (1, 0)


async def test_what_a_commitment_has_from_others_says_so_where_that_was_corrected(
    reporting: Installation, at: dict[str, int]
) -> None:
    found = await reporting.read(f"/v1/board?on={THAT_DAY}", **ANYBODY)
    items = {one["code"]: one for one in found["items"]}
    assert [items[code]["pillar"] for code in ("PART", "WHOLE")] == [None, None]
    assert [items[code]["corrected"]["of"] for code in ("PART", "WHOLE")] == ["WHOLE", None]
    assert brief(items["PART"]["corrected"]) == ("pillar", "roads", None, at["pillar"])
    told = {(one["kind"], one["code"]): brief(one) for one in found["corrected"]["latest"]}
    assert told["commitment", "WHOLE"] == ("pillar", "roads", None, at["pillar"])
    assert told["organization", "MOP"] == ("name", "Works", "Public Works", at["organization"])
    # Of a hidden one nothing is told, nor of a name that is another one only from a later day on.
    assert told.keys() == {("commitment", "LATER"), ("commitment", "WHOLE"), ("organization", "MOP")}
    everything = await reporting.read(f"/v1/board?on={THAT_DAY}")
    assert everything["corrected"]["things"] == 4


async def test_a_part_that_never_was_leaves_word_too(stage: Stage, reporting: Installation) -> None:
    part = promise("PART-1")
    never = CommitmentFactRetracted(version=1, reason="typo", retracted="commitments.registered")
    tell(stage, part, now=BEGUN)
    last = tell(stage, Told("commitment", "PART-1", never), now=MENDED).last
    for who in ({}, ANYBODY):
        found = await reporting.read(f"/v1/board?on={THAT_DAY}&wait_for={last}", **who)
        assert "PART-1" not in [one["code"] for one in found["items"]]
        assert (found["corrected"]["removed"], found["corrected"]["last_position"]) == (2, last)


async def test_what_was_retracted_and_recorded_again_is_the_fact(
    stage: Stage, reporting: Installation
) -> None:
    done = Completed(completed_on=date(2012, 6, 1), evidence=(Evidence(description="x"),))
    mistake = CommitmentFactRetracted(version=2, reason="typo", retracted="commitments.completed")
    told = [Told("commitment", "AGAIN", one) for one in (done, mistake, done)]
    first = tell(stage, promise("AGAIN"), told[0], now=BEGUN).last
    last = tell(stage, *told[1:], now=MENDED).last

    async def item(position: int) -> Any:
        path = f"/v1/board?on={THAT_DAY}&position={position}&wait_for={last}"
        found = await reporting.read(path, role=Role.AUDITOR)
        (one,) = [one for one in found["items"] if one["code"] == "AGAIN"]
        return {name: value for name, value in one.items() if name != "status_because"}

    assert await item(first) == await item(last)
    assert (await item(last - 1))["corrected"]["what"] == "closure"
