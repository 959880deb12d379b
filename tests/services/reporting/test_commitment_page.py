"""The page of one commitment: everything that is told of it, for a day, as known at a moment, and for whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shared.events.commitments import (
    Assessed,
    BudgetEstimated,
    BudgetLine,
    Corrected,
    DeadlineRevised,
    Discarded,
    Document,
    InternalDeadline,
    Merged,
    MilestoneCompleted,
    MilestoneSet,
    Origin,
    ProgressReported,
    ProgressReviewed,
    PublicDeadline,
    Registered,
    Reopened,
    RisksAssessed,
    TeamMember,
)
from shared.events.facts import Event
from shared.events.indicators import IndicatorDefined
from shared.events.meetings import AgendaItem, MinutesApproved, MinutesDrafted, MinutesItem
from shared.events.retractions import CommitmentFactRetracted
from shared.events.vocabulary import (
    DeadlineKind,
    Direction,
    DiscardReason,
    Judgement,
    OriginKind,
    ReviewOutcome,
    Visibility,
)
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
    meeting_id,
    tell,
)
from tests.services.reporting.installation import Installation
from tests.services.reporting.stage import staged

FIRST, MET = date(2012, 5, 21), date(2012, 9, 3)
ANYBODY: dict[str, Any] = {"role": None}
ELSEWHERE: dict[str, Any] = {"role": Role.MINISTRY, "organization": "MINSAL"}
PAGE = "/v1/commitments/BRIDGE"
RESERVED, PUBLIC = Visibility.RESERVED, Visibility.PUBLIC


def promise(code: str, visibility: Visibility = PUBLIC, **more: Any) -> Told:
    """A commitment of the speech."""
    named: dict[str, Any] = {"title": f"Title of {code}", "lead_organization": "MOP", "effective_on": FIRST}
    return Told("commitment", code, Registered(code=code, visibility=visibility, **named, **more))


def of_bridge(*events: Event) -> list[Told]:
    """What was recorded of the bridge."""
    return [Told("commitment", "BRIDGE", event) for event in events]


def moved(on: date, day: date, reason: str, kind: DeadlineKind = DeadlineKind.PUBLIC) -> DeadlineRevised:
    """A deadline is another day from a day on."""
    return DeadlineRevised(deadline=kind, on=on, effective_on=day, reason=reason, decision="BIL-2012-001")


def reported(number: int, period: str, day: date, text: str) -> ProgressReported:
    """A report."""
    told: dict[str, Any] = {"observed_progress": text, "percent": Decimal(10 * number)}
    return ProgressReported(number=number, period=period, effective_on=day, stage=f"Stage {number}", **told)


BRIDGE: dict[str, Any] = {
    "goal": "Cross the channel in ten minutes",
    "origin": Origin(kind=OriginKind.MAY_21_SPEECH, source="Speech", source_on=FIRST, quote="A bridge!"),
    "public_deadline": PublicDeadline(on=date(2012, 12, 31)),
    "internal_deadline": InternalDeadline(on=date(2012, 10, 31)),
    "adviser": "u-adviser",
    "working_team": (TeamMember(subject="u-counsel", position="Legal counsel", institution="MOP"),),
    "documents": (Document(title="Design", url="https://example.test/design", superseded=True),),
}
ITEM = AgendaItem(number=1, title="secret", commitments=("BRIDGE",))
STORY = [
    promise("PLAN"),
    promise("BRIDGE", parent="PLAN", **BRIDGE),
    promise("PIER", parent="BRIDGE"),
    promise("SECRET-PIER", RESERVED, parent="BRIDGE"),
    promise("FERRY"),
    Told("commitment", "FERRY", Merged(into="BRIDGE", reason="The same", effective_on=date(2012, 6, 1))),
    *of_bridge(
        Assessed(effective_on=date(2012, 7, 1), judgement=Judgement.AT_RISK, reason="No permits"),
        moved(date(2013, 3, 31), date(2012, 8, 1), "The tender failed"),
        moved(date(2012, 11, 30), date(2012, 8, 2), "Sooner", DeadlineKind.INTERNAL),
        reported(1, "2012-Q2", date(2012, 6, 30), "Piles driven"),
        reported(2, "2012-Q3", date(2012, 9, 30), "Never looked at"),
        ProgressReviewed(report=1, outcome=ReviewOutcome.ACCEPTED),
        MilestoneSet(number=1, name="Tender", due_on=date(2012, 7, 1)),
        MilestoneSet(number=1, name="Tender", due_on=date(2012, 8, 1), reason="Again"),
        MilestoneSet(number=2, name="Works", due_on=date(2012, 9, 1)),
        MilestoneCompleted(number=1, completed_on=date(2012, 8, 11)),
        RisksAssessed(effective_on=date(2012, 6, 1), stakeholder_conflict=2),
        RisksAssessed(effective_on=date(2012, 9, 1), stakeholder_conflict=4),
        BudgetEstimated(effective_on=FIRST, lines=(BudgetLine(amount="12", currency="CLP", year=2013),)),
        Discarded(reason_type=DiscardReason.TECHNICAL, reason="Rock", effective_on=date(2012, 9, 10)),
        Reopened(reason="Sand after all", effective_on=date(2012, 9, 20)),
        Corrected(field="goal", value="Cross in five minutes", reason="Typing error", previous=None),
    ),
    *(
        Told(
            "indicator",
            code,
            IndicatorDefined(
                code=code,
                name=code,
                unit="min",
                direction=Direction.DECREASE,
                effective_on=FIRST,
                commitment="BRIDGE",
                visibility=visibility,
            ),
        )
        for code, visibility in (("MINUTES", PUBLIC), ("SECRET-MINUTES", RESERVED))
    ),
    committee("SEG", visibility=PUBLIC),
    convened(
        "SEG",
        "M-1",
        MET,
        visibility=PUBLIC,
        agenda=(AgendaItem(number=1, title="Bridges", commitments=("BRIDGE", "SECRET-PIER")),),
    ),
    held("M-1", MET),
    Told("meeting", "M-1", MinutesDrafted(draft=1, items=(MinutesItem(agenda_item=1, summary="Draft"),))),
    Told("meeting", "M-1", MinutesDrafted(draft=2, items=(MinutesItem(agenda_item=1, summary="It floats"),))),
    Told("meeting", "M-1", MinutesApproved(draft=2, digest="0")),
    decided("SEG-2012-001", MET, commitments=("BRIDGE",), visibility=PUBLIC, budget_impact=cost()),
    assigned("T-1", "MOP", MET, date(2012, 10, 1), commitment="BRIDGE", visibility=PUBLIC),
    bilateral("BIL", "MOP"),
    convened("BIL", "M-2", MET, visibility=RESERVED, agenda=(ITEM,)),
    held("M-2", MET),
    Told("meeting", "M-2", MinutesDrafted(draft=1, items=(MinutesItem(agenda_item=1, summary="secret"),))),
    Told("meeting", "M-2", MinutesApproved(draft=1, digest="0")),
    decided("BIL-2012-001", MET, "M-2", commitments=("BRIDGE",), visibility=RESERVED, text="secret"),
    assigned("T-2", "DCI", MET, date(2012, 10, 1), "M-2", commitment="BRIDGE", text="secret", visibility=RESERVED),
]  # fmt: skip


@pytest.fixture
async def reporting(log_url: str, tmp_path: Path) -> AsyncIterator[Installation]:
    """The service over the story of a bridge."""
    with staged(log_url) as stage:
        tell(stage, *STORY, now=datetime(2012, 10, 20, 12, tzinfo=UTC))
        stage.follow()
        stage.start_worker()
        async with Installation(tmp_path, stage).running() as running:
            yield running


def told(page: dict[str, Any], member: str, *names: str) -> list[tuple[Any, ...]]:
    """Some members of each item of a list on the page."""
    return [tuple(one[name] for name in names) for one in page[member]]


async def test_everything_that_is_told_of_a_commitment_stands_on_one_page(reporting: Installation) -> None:
    page = await reporting.read(f"{PAGE}?on=2012-10-20")
    item, described = page["item"], page["described"]
    assert (item["status"], item["goal"], item["parent"]) == (
        "needs_attention",
        "Cross in five minutes",
        "PLAN",
    )
    assert (described["origin"]["quote"], described["documents"][0]["title"]) == ("A bridge!", "Design")
    assert [(one["on"], one["previous"], one["reason"]) for one in page["deadlines"]["public"]] == [
        ("2012-12-31", None, None),
        ("2013-03-31", "2012-12-31", "The tender failed"),
    ]
    assert [one["on"] for one in page["deadlines"]["internal"]] == ["2012-10-31", "2012-11-30"]
    assert page["deadlines"]["public"][1]["source"]["decision"] == "BIL-2012-001"
    assert told(page, "assessments", "judgement", "reason") == [("at_risk", "No permits")]
    assert told(page, "accepted_reports", "number", "observed_progress") == [(1, "Piles driven")]
    assert told(page, "milestones", "number", "due_on", "first_due_on", "late_days") == [
        (1, "2012-08-01", "2012-07-01", 10),
        (2, "2012-09-01", "2012-09-01", 49),
    ]
    assert told(page, "risks", "effective_on", "stakeholder_conflict") == [
        ("2012-06-01", 2),
        ("2012-09-01", 4),
    ]
    assert page["budgets"][0]["lines"] == [{"amount": "12", "currency": "CLP", "year": 2013}]
    assert told(page, "closings", "kind", "reason") == [("discarded", "Rock"), (None, "Sand after all")]
    assert told(page, "corrections", "what", "from", "reason") == [("goal", BRIDGE["goal"], "Typing error")]
    assert told(page, "parts", "code") == [("PIER",), ("SECRET-PIER",)]
    assert told(page, "predecessors", "code") == [("FERRY",)]
    assert told(page, "indicators", "code") == [("MINUTES",), ("SECRET-MINUTES",)]
    assert told(page, "decisions", "number") == [("SEG-2012-001",), ("BIL-2012-001",)]
    assert sorted(told(page, "minutes", "meeting", "summary")) == sorted(
        [(str(meeting_id("M-1")), "It floats"), (str(meeting_id("M-2")), "secret")]
    )
    assert sorted(told(page, "action_items", "text")) == [("Task T-1",), ("secret",)]


async def test_anybody_reads_of_it_what_is_public(reporting: Installation) -> None:
    for who in (ANYBODY, ELSEWHERE):
        page = await reporting.read(f"{PAGE}?on=2012-10-20", **who)
        assert page["deadlines"]["internal"] == []
        assert page["deadlines"]["public"][1]["source"].get("decision") is None
        assert told(page, "parts", "code") == [("PIER",)]
        assert told(page, "decisions", "number") == [("SEG-2012-001",)]
        assert told(page, "minutes", "summary") == [("It floats",)]
        assert told(page, "indicators", "code") == [("MINUTES",)]
        assert told(page, "action_items", "text") == [("Task T-1",)]
        whole = msgspec.json.encode(page)
        for secret in (b"secret", b"SECRET", b"BIL", b"2012-10-31", b"2012-11-30", b"Sooner"):
            assert secret not in whole
    public = msgspec.json.encode(await reporting.read(PAGE, **ANYBODY))
    assert b"u-adviser" not in public
    assert b"u-counsel" not in public
    assert b'"recorded_at":"' not in public


async def test_it_is_the_page_of_the_day_asked_for(reporting: Installation) -> None:
    page = await reporting.read(f"{PAGE}?on=2012-07-15")
    assert told(page, "milestones", "late_days") == []
    assert told(page, "risks", "stakeholder_conflict") == [(2,)]
    assert [one["on"] for one in page["deadlines"]["public"]] == ["2012-12-31"]
    for member in ("closings", "decisions", "minutes", "action_items"):
        assert page[member] == []
    assert await reporting.refused(f"{PAGE}?on=2012-05-20") == (404, "unknown-commitment")
    assert await reporting.refused("/v1/commitments/SECRET-PIER", **ANYBODY) == (404, "unknown-commitment")


async def test_what_was_retracted_since_stands_on_the_page_as_it_was_known_before(
    reporting: Installation,
) -> None:
    before = reporting.stage.store.head()
    mistake = CommitmentFactRetracted(
        version=3, reason="Another bridge", retracted="commitments.deadline_revised"
    )
    appended = await asyncio.to_thread(reporting.stage.append, ("BRIDGE", mistake))
    await asyncio.to_thread(reporting.stage.wait, appended.last)
    now = await reporting.read(f"{PAGE}?on=2012-10-20")
    then = await reporting.read(f"{PAGE}?on=2012-10-20&position={before}")
    assert [len(page["deadlines"]["public"]) for page in (now, then)] == [1, 2]
    assert "public_deadline" in [what for (what,) in told(now, "corrections", "what")]


async def test_the_page_says_of_it_what_the_board_says(reporting: Installation) -> None:
    for who in ({}, ANYBODY, ELSEWHERE):
        for on in ("2012-05-21", "2012-09-15", "2013-04-30"):
            board = await reporting.read(f"/v1/board?on={on}", **who)
            (item,) = [one for one in board["items"] if one["code"] == "BRIDGE"]
            assert (await reporting.read(f"{PAGE}?on={on}", **who))["item"] == item
