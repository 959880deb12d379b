"""What is hidden from an asker cannot be told from any answer: it is as if the log held something else in its place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest

from services.commitments.app import create_app as commitments
from services.meetings.app import create_app as meetings
from services.reporting.app import create_app as reporting
from shared.clock import Clock
from shared.events.commitments import (
    Assessed,
    Commented,
    Corrected,
    DeadlineRevised,
    DecisionCarriedOut,
    DecisionUnresolved,
    Done,
    InternalDeadline,
    Merged,
    ProgressReported,
    ProgressReviewed,
    PublicDeadline,
    Registered,
    Split,
    VisibilityChanged,
)
from shared.events.cycles import CycleFrequency, CycleRegistered
from shared.events.indicators import CommitmentMeasured, IndicatorDefined, TargetSet
from shared.events.meeting_vocabulary import (
    Acknowledgement,
    BodyKind,
    BudgetRequest,
    DecisionKind,
    ItemOutcome,
)
from shared.events.meetings import (
    ActionItemCompleted,
    ActionItemPublished,
    ActionItemReassigned,
    AgendaItem,
    AgreedCommitment,
    AgreedDeadline,
    AttendanceCorrected,
    BodyChanged,
    BudgetLineTied,
    DecisionAcknowledged,
    DecisionAmended,
    DecisionPublished,
    Effect,
    Ending,
    MeetingPublished,
    MinutesApproved,
    MinutesDrafted,
    MinutesItem,
    Referral,
)
from shared.events.retractions import (
    ActionItemFactRetracted,
    CommitmentFactRetracted,
    DecisionFactRetracted,
    IndicatorFactRetracted,
    MeetingFactRetracted,
    Retraction,
)
from shared.events.streams import stream_of
from shared.events.vocabulary import DeadlineKind, Direction, Judgement, ReviewOutcome, Visibility
from shared.http.service import Service
from shared.identity.actor import Role
from shared.settings import Settings
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
    noon,
    tell,
)
from tests.services.reporting.installation import Installation
from tests.services.reporting.stage import Stage, staged
from tests.support import walk
from tests.support.postgres import fresh_database

DAY = date(2013, 3, 12)
ANYBODY: dict[str, Any] = {"role": None}
OUTSIDER: dict[str, Any] = {"role": Role.MINISTRY, "organization": "MINSAL"}
CONCERNED: dict[str, Any] = {"role": Role.MINISTRY, "organization": "MININT"}
PUBLIC, INTERNAL, RESERVED = Visibility.PUBLIC, Visibility.INTERNAL, Visibility.RESERVED
MENDED = date(2013, 4, 20)
EVE = date(2013, 4, 14)
"""A public deadline that passes before an internal one is another one."""
SECRETS = (b"HID-", b"INS-", b"BIL-2013-001", b"SEG-2013-009", b"Bilateral", b'"secret"', b"2031-07-31")
"""What no answer may hold: names, texts and a day of hidden things; published numbers and the code in them are open."""


class Entry(NamedTuple):
    """An event of the story; `hidden` where nobody may know of it whom its thing does not concern.

    Where the thing is hidden its place is taken by `instead`: by default something that no answer tells of.
    """

    told: Told
    openness: Visibility = PUBLIC
    instead: Told = Told("commitment", "NONE", Commented(text="Nothing", effective_on=DAY))
    recorded_on: date = DAY


def promise(code: str, visibility: Visibility, **more: Any) -> Told:
    """A commitment of the Interior."""
    return Told(
        "commitment",
        code,
        Registered(
            code=code,
            title=f"Title of {code}",
            lead_organization="MININT",
            visibility=visibility,
            effective_on=DAY,
            **more,
        ),
    )


def postponed(code: str, decision: str | None) -> Told:
    """A commitment's deadline was moved, on a decision."""
    moved = DeadlineRevised(
        deadline=DeadlineKind.PUBLIC,
        on=date(2014, 3, 1),
        effective_on=DAY,
        reason="It was agreed",
        decision=decision,
    )
    return Told("commitment", code, moved)


def warned(on: date, effective_on: date = DAY) -> Told:
    """A commitment's internal deadline is another one, of which only the unit and those concerned know."""
    moved = DeadlineRevised(
        deadline=DeadlineKind.INTERNAL, on=on, effective_on=effective_on, reason="secret", previous=None
    )
    return Told("commitment", "OPEN-3", moved)


def withdrawn(kind: str, code: str, event: type[Any]) -> Told:
    """What everybody knew of is for few from now on."""
    return Told(kind, code, event(visibility=RESERVED, previous=PUBLIC, reason="The law"))


def _hidden(openness: Visibility, *told: Told) -> Iterator[Entry]:
    for one in told:
        yield Entry(one, openness)


SECRET_DAY = Effect(deadline=AgreedDeadline(deadline=DeadlineKind.PUBLIC, on=date(2031, 7, 31)))
BILATERAL: dict[str, Any] = {"meeting": "M-2", "visibility": RESERVED, "organizations": ("MININT",)}
TASK: dict[str, Any] = {"meeting": "M-2", "body": "BIL", "circle": ("MININT",), "visibility": RESERVED}


SECRET_ITEM = AgendaItem(number=1, title="secret", commitments=("OPEN-1",))


def story() -> Iterator[Entry]:
    """Open things that name hidden ones, between the hidden ones."""
    yield from _hidden(RESERVED, promise("HID-1", RESERVED, pillar="security", region="XV"))
    yield from _hidden(INTERNAL, promise("INS-1", INTERNAL, pillar="security"))
    yield from _hidden(
        RESERVED,
        Told("commitment", "HID-1", Assessed(effective_on=DAY, judgement=Judgement.AT_RISK, reason="secret")),
        bilateral("BIL", "MININT"),
        convened("BIL", "M-2", DAY, visibility=RESERVED, organizations=("MININT",), agenda=(SECRET_ITEM,)),
        convened("BIL", "M-3", DAY, visibility=RESERVED, organizations=("MININT",)),
        held("M-2", DAY),
        circulated("M-2", "MININT"),
        Told(
            "meeting", "M-2", MinutesDrafted(draft=1, items=(MinutesItem(agenda_item=1, summary="secret"),))
        ),
        Told("meeting", "M-2", MinutesApproved(draft=1, digest="0")),
        decided("BIL-2013-001", DAY, text="secret", budget_impact=cost(), **BILATERAL),
    )
    yield from _hidden(INTERNAL, committee("INS-B", name="INS-committee"), convened("INS-B", "M-9", DAY))
    yield Entry(committee("SEG", visibility=PUBLIC))
    yield Entry(convened("SEG", "M-1", DAY, visibility=PUBLIC))
    yield from _hidden(RESERVED, decided("SEG-2013-009", DAY, **BILATERAL | {"meeting": "M-1"}))
    # Open commitments that have to do with hidden ones, and with decisions that are hidden.
    yield Entry(promise("OPEN-1", PUBLIC, parent="HID-1"), RESERVED, promise("OPEN-1", PUBLIC))
    yield Entry(promise("OPEN-2", PUBLIC, parent="INS-1"), INTERNAL, promise("OPEN-2", PUBLIC))
    due = {"public_deadline": PublicDeadline(on=EVE)}
    warning = InternalDeadline(on=date(2013, 3, 13))
    yield Entry(
        promise("OPEN-3", PUBLIC, internal_deadline=warning, **due),
        RESERVED,
        promise("OPEN-3", PUBLIC, **due),
    )
    # From the day after the public deadline on there is another internal one: two reasons to end a run of days.
    yield from _hidden(
        RESERVED, warned(date(2013, 4, 20)), warned(date(2013, 4, 25), EVE + timedelta(days=1))
    )
    corrected = Corrected(
        field="internal_deadline", value={"on": "2013-03-14"}, previous=None, reason="secret"
    )
    mistaken = CommitmentFactRetracted(version=2, reason="secret", retracted="commitments.deadline_revised")
    yield from _hidden(RESERVED, *(Told("commitment", "OPEN-3", event) for event in (corrected, mistaken)))
    rate = IndicatorDefined(
        code="HID-RATE",
        name="secret",
        unit="%",
        direction=Direction.DECREASE,
        effective_on=DAY,
        commitment="OPEN-3",
        visibility=RESERVED,
    )
    yield from _hidden(RESERVED, Told("indicator", "HID-RATE", rate))
    yield from measured(rate)
    yield from reported()
    yield Entry(postponed("OPEN-1", "BIL-2013-001"), RESERVED, postponed("OPEN-1", None))
    yield Entry(postponed("OPEN-3", "SEG-2013-009"), RESERVED, postponed("OPEN-3", None))
    yield Entry(Told("commitment", "OPEN-2", Merged(into="HID-1", reason="The same", effective_on=DAY)))
    yield from splits_and_mergers()
    # Open decisions: of a hidden meeting, about hidden commitments, referring to a hidden body.
    open_decision: dict[str, Any] = {"visibility": PUBLIC, "organizations": ("MININT",)}
    yield Entry(decided("BIL-2013-002", DAY, "M-2", budget_impact=cost(), **open_decision))
    postponing: dict[str, Any] = {
        "kind": DecisionKind.REVISE_DEADLINE,
        "commitments": ("OPEN-3", "HID-1"),
        "effect": SECRET_DAY,
    }
    yield Entry(decided("SEG-2013-001", DAY, **postponing, **open_decision))
    agreed = AgreedCommitment(
        code="OPEN-4", title="secret", lead_organization="MININT", parent="HID-1", public_deadline_on=None
    )
    agreeing: dict[str, Any] = {"kind": DecisionKind.AGREE_COMMITMENT, "effect": Effect(commitment=agreed)}
    yield Entry(decided("SEG-2013-003", DAY, **agreeing, **open_decision))
    yield Entry(promise("OPEN-4", PUBLIC, parent="HID-1"), RESERVED, promise("OPEN-4", PUBLIC))
    escalated: dict[str, Any] = {"kind": DecisionKind.ESCALATE, **open_decision}
    referral = Effect(referral=Referral(to="HID-C", body="HID-C", remarks="To be settled there"))
    yield Entry(
        decided("SEG-2013-002", DAY, effect=referral, **escalated),
        RESERVED,
        decided("SEG-2013-002", DAY, **escalated),
    )
    # A hidden meeting of that body ends what was referred.
    ending = Ending(item=1, title="secret", outcome=ItemOutcome.AGREED, decisions=("SEG-2013-002",))
    yield from _hidden(
        RESERVED,
        convened("HID-C", "M-6", DAY, visibility=RESERVED),
        held("M-6", DAY),
        Told("meeting", "M-6", MinutesApproved(draft=1, digest="0", endings=(ending,))),
    )
    done = Done(type="commitments.deadline_revised", version=2, commitment="HID-1")
    yield Entry(
        Told("decision-outcome", "SEG-2013-001", DecisionCarriedOut(decision="SEG-2013-001", did=(done,)))
    )
    yield from _hidden(
        RESERVED,
        Told(
            "decision-outcome",
            "BIL-2013-001",
            DecisionUnresolved(decision="BIL-2013-001", code="c", reason="secret", commitment="HID-1"),
        ),
        Told("decision", "BIL-2013-001", DecisionAcknowledged(outcome=Acknowledgement.DISPUTED)),
        Told(
            "decision",
            "BIL-2013-001",
            BudgetLineTied(
                fiscal_year=2013, code="24", amount="1", currency="CLP", request=BudgetRequest.FIRST
            ),
        ),
        Told(
            "decision",
            "BIL-2013-001",
            DecisionAmended(erratum=1, reads="a", should_read="secret", reason="r"),
        ),
        assigned("T-1", "MININT", DAY, DAY, text="secret", **TASK),
    )
    # Tasks: an open one that serves hidden things, and one of the outsider's own from a hidden meeting.
    serving = {"commitment": "HID-1", "decision": "BIL-2013-001"}
    open_task = assigned("T-2", "MININT", DAY, DAY, visibility=PUBLIC)
    yield Entry(assigned("T-2", "MININT", DAY, DAY, visibility=PUBLIC, **serving), RESERVED, open_task)
    yield from _hidden(
        INTERNAL, assigned("T-3", "MINSAL", DAY, DAY, text="INS-task", decision="BIL-2013-001", **TASK)
    )
    # Meetings of the hidden body: one was published, and only that is known of the body.
    yield Entry(convened("BIL", "M-4", DAY, visibility=PUBLIC))
    yield from _hidden(RESERVED, *OPEN_ONCE, *HIDDEN_AGAIN)
    yield from (entry._replace(recorded_on=MENDED) for entry in put_right())


def put_right() -> Iterator[Entry]:
    """What was corrected and retracted weeks later, of what is open and of what is hidden."""
    right: dict[str, Any] = {"reason": "secret", "previous": None}
    yield from _hidden(
        RESERVED,
        Told("commitment", "HID-1", Corrected(field="title", value="secret", **right)),
        Told("commitment", "HID-1", Corrected(field="effective_on", value="2013-04-01", **right)),
        # Of an open commitment, but of its internal deadline.
        retracted("commitment", "OPEN-3", 3, CommitmentFactRetracted),
        retracted("decision", "BIL-2013-001", 2, DecisionFactRetracted),
        Told("meeting", "M-2", AttendanceCorrected(held_at=noon(DAY), attendance=(), reason="secret")),
        retracted("meeting", "M-2", 3, MeetingFactRetracted),
        Told("action-item", "T-1", ActionItemCompleted(completed_on=DAY, evidence=())),
        retracted("action-item", "T-1", 2, ActionItemFactRetracted),
        Told(
            "body",
            "BIL",
            BodyChanged(name="Bilateral", kind=BodyKind.BILATERAL, decides=True, visibility=RESERVED),
        ),
        Told(
            "indicator",
            "HID-RATE",
            TargetSet(number=1, value=Decimal(9), on=date(2013, 12, 31), effective_on=DAY),
        ),
        retracted("indicator", "HID-RATE", 2, IndicatorFactRetracted),
    )
    parent = Corrected(field="parent", value=None, previous="HID-1", reason="It is part of nothing")
    yield Entry(
        Told("commitment", "OPEN-1", parent),
        RESERVED,
        Told("commitment", "OPEN-1", msgspec.structs.replace(parent, previous=None)),
    )
    yield Entry(Told("commitment", "OPEN-6", Corrected(field="title", value="Right", reason="r")))
    changed = BodyChanged(name="Right", kind=BodyKind.COMMITTEE, decides=False, visibility=PUBLIC)
    yield Entry(Told("body", "SEG", changed))


def retracted(kind: str, code: str, version: int, of: type[Retraction]) -> Told:
    """What was recorded of a thing at a version is not believed any more."""
    return Told(kind, code, of(version=version, reason="secret", retracted="x"))


def reported() -> Iterator[Entry]:
    """Reports on what is open and on what is hidden, and the cycle that expects them."""
    quarterly = CycleRegistered(
        code="QUARTERLY", name="Quarterly", frequency=CycleFrequency.QUARTERLY, days_to_report=20
    )
    yield Entry(Told("cycle", "QUARTERLY", quarterly))
    for code, hidden in (("HID-1", True), ("OPEN-3", False)):
        text = "secret" if hidden else "Under way"
        report = ProgressReported(
            number=1, period="2013-Q1", effective_on=DAY, observed_progress=text, received_on=DAY
        )
        review = ProgressReviewed(report=1, outcome=ReviewOutcome.RETURNED, reason="It says nothing")
        for event in (report, review):
            told = Told("commitment", code, event)
            yield from _hidden(RESERVED, told) if hidden else [Entry(told)]


def measured(rate: IndicatorDefined) -> Iterator[Entry]:
    """Indicators that have to do with what is hidden: an open one of a hidden commitment, and an open promise that was
    made on a hidden decision.
    """
    inside = {"HID-1": (RESERVED, "HID-RATE-2"), "INS-1": (INTERNAL, "INS-RATE")}
    for commitment, (openness, code) in inside.items():
        name = "secret" if openness is RESERVED else "INS-rate"
        event = msgspec.structs.replace(rate, code=code, name=name, commitment=commitment, visibility=PUBLIC)
        yield from _hidden(openness, Told("indicator", code, event))
    open_rate = msgspec.structs.replace(rate, code="OPEN-RATE", name="Rate", visibility=PUBLIC)
    yield Entry(Told("indicator", "OPEN-RATE", open_rate))
    first = TargetSet(number=1, value=Decimal(9), on=date(2013, 12, 31), effective_on=DAY)
    yield Entry(Told("indicator", "OPEN-RATE", first))
    yield Entry(
        Told(
            "indicator",
            "OPEN-RATE-2",
            msgspec.structs.replace(open_rate, code="OPEN-RATE-2", commitment=None),
        )
    )
    for other in ("HID-1", "OPEN-3"):
        also = CommitmentMeasured(commitment=other, reason="So it is", effective_on=DAY)
        yield Entry(Told("indicator", "OPEN-RATE-2", also))
    moved = TargetSet(
        number=2,
        value=Decimal(12),
        on=date(2014, 12, 31),
        effective_on=DAY,
        reason="r",
        decision="BIL-2013-001",
    )
    yield Entry(
        Told("indicator", "OPEN-RATE", moved),
        RESERVED,
        Told("indicator", "OPEN-RATE", msgspec.structs.replace(moved, decision=None)),
    )


def splits_and_mergers() -> Iterator[Entry]:
    """Promises that go on, or come from, or stand below, what is hidden."""
    yield Entry(promise("OPEN-5", PUBLIC, pillar="security"))
    yield Entry(promise("OPEN-5-A", PUBLIC, split_from="OPEN-5", weight=Decimal(2)))
    yield from _hidden(RESERVED, promise("HID-5-B", RESERVED, split_from="OPEN-5", parent="OPEN-5-A"))
    yield Entry(
        Told("commitment", "OPEN-5", divided("OPEN-5-A", "HID-5-B")),
        RESERVED,
        Told("commitment", "OPEN-5", divided("OPEN-5-A")),
    )
    yield from _hidden(
        RESERVED,
        Told(
            "commitment", "HID-5-B", Assessed(effective_on=DAY, judgement=Judgement.AT_RISK, reason="secret")
        ),
        promise("HID-3", RESERVED, pillar="security"),
        promise("HID-3-A", RESERVED, split_from="HID-3"),
    )
    # Published by itself: to whoever may not read what it comes from it is a promise of its own.
    yield Entry(
        promise("OPEN-3-B", PUBLIC, split_from="HID-3", parent="HID-3"),
        RESERVED,
        promise("OPEN-3-B", PUBLIC),
    )
    yield from _hidden(RESERVED, Told("commitment", "HID-3", divided("HID-3-A", "OPEN-3-B")))
    yield Entry(promise("OPEN-6", PUBLIC, parent="OPEN-3-B"))
    yield Entry(Told("commitment", "OPEN-6", Merged(into="HID-3", reason="The same", effective_on=DAY)))


def divided(*parts: str) -> Split:
    """A split into these."""
    return Split(parts=parts, reason="Too wide", effective_on=DAY)


OPEN_ONCE = (
    assigned("T-4", "MINSAL", DAY, DAY, text="secret", **TASK),
    promise("HID-2", PUBLIC),
    decided("HID-2013-001", DAY, **BILATERAL | {"visibility": PUBLIC}),
    convened("HID-B", "M-5", DAY, visibility=PUBLIC),
    committee("HID-C", visibility=PUBLIC),
    assigned("T-5", "MININT", DAY, DAY, text="HID-task", visibility=PUBLIC),
    Told(
        "indicator",
        "HID-RATE-3",
        IndicatorDefined(
            code="HID-RATE-3",
            name="secret",
            unit="%",
            direction=Direction.DECREASE,
            effective_on=DAY,
            commitment="HID-2",
            visibility=PUBLIC,
        ),
    ),
)
"""What was open, or the outsider's own, until it was withdrawn."""
HIDDEN_AGAIN = (
    Told(
        "action-item",
        "T-4",
        ActionItemReassigned(owner_organization="MININT", previous="MINSAL", effective_on=DAY, reason="r"),
    ),
    Told("commitment", "HID-2", VisibilityChanged(visibility=RESERVED, previous=PUBLIC, reason="r")),
    withdrawn("decision", "HID-2013-001", DecisionPublished),
    withdrawn("meeting", "M-5", MeetingPublished),
    Told(
        "body",
        "HID-C",
        BodyChanged(name="secret", kind=BodyKind.COMMITTEE, decides=False, visibility=RESERVED),
    ),
    withdrawn("action-item", "T-5", ActionItemPublished),
)


def told_to(stage: Stage, seen: set[Visibility]) -> None:
    """Writes the story without what is not seen, in the same places of a log of the same length."""
    for entry in story():
        tell(stage, entry.told if entry.openness in seen else entry.instead, now=noon(entry.recorded_on))
    stage.on_record("organization", "MININT", "MINSAL")
    stage.on_record("pillar", "security")
    stage.follow()


Create = Callable[[Settings, Clock], Service]


class Twins(NamedTuple):
    """Two services: over the story as it is, and without what is hidden from somebody."""

    whole: Installation
    without: Installation


ASKERS = {
    "anybody": (ANYBODY, {PUBLIC}),
    "a ministry outside the circle": (OUTSIDER, {PUBLIC, INTERNAL}),
}


@contextmanager
def empty_logs(request: pytest.FixtureRequest, folder: Path) -> Iterator[list[str]]:
    """Two places for a log, on the engine that the test is for."""
    for name in ("whole", "without"):
        (folder / name).mkdir()
    if request.param == "sqlite":
        yield [f"sqlite:///{folder / name / 'bitacora.db'}" for name in ("whole", "without")]
        return
    server = request.getfixturevalue("postgres_server")
    with fresh_database(server) as whole, fresh_database(server) as without:
        yield [whole, without]


@asynccontextmanager
async def served(
    log: str, folder: Path, seen: set[Visibility], create: Create = reporting
) -> AsyncIterator[Installation]:
    """A service over the story without what is not seen, running."""
    with staged(log) as stage:
        told_to(stage, seen)
        async with Installation(folder, stage, create).running() as running:
            yield running


@asynccontextmanager
async def twins_of(
    logs: list[str], folder: Path, seen: set[Visibility], create: Create = reporting
) -> AsyncIterator[Twins]:
    """The two services, running."""
    whole, without = logs
    async with (
        served(whole, folder, set(Visibility), create) as one,
        served(without, folder, seen, create) as other,
    ):
        assert one.stage.store.head() == other.stage.store.head()
        yield Twins(one, other)


@pytest.fixture(params=["sqlite", "postgresql"])
def logs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[str]]:
    """See `empty_logs`."""
    with empty_logs(request, tmp_path) as found:
        yield found


@pytest.fixture
def sqlite_urls(tmp_path: Path) -> list[str]:
    """Two places for a log."""
    for name in ("whole", "without"):
        (tmp_path / name).mkdir()
    return [f"sqlite:///{tmp_path / name / 'bitacora.db'}" for name in ("whole", "without")]


LENGTH = len(list(story()))
PUT_RIGHT = len(list(put_right()))
MOMENTS = (LENGTH // 2, LENGTH - PUT_RIGHT - len(HIDDEN_AGAIN))
"""Positions of which questions are asked; up to the last one, what is withdrawn after it was open."""
NAMES = ("HID-1", "OPEN-1", "HID-B", "HID-C", "BIL", "INS-B", "BIL-2013-001", "SEG-2013-009")
RATES = ("HID-RATE", "HID-RATE-2", "HID-RATE-3", "INS-RATE", "OPEN-RATE", "OPEN-RATE-2", "NONE-RATE")
QUESTIONS: dict[str, tuple[str, ...]] = {
    "/v1/board": (
        "include=total",
        "limit=1",
        "group_by=pillar,status",
        "group_by=organization,visibility,kind",
        "group_by=region,judgement,status",
        "pillar=security",
        "region=XV",
        "visibility=reserved,internal",
        "judgement=at_risk",
        "organization=MININT",
        "status=discarded",
        "on=2013-03-20&group_by=status",
        "on=2013-03-20&status=needs_attention_internal_deadline",
        "on=2013-04-21",
        "on=2013-03-20&rule=traffic_light_1:grace_days=5&group_by=status",
        "on=2013-03-20&rule=bill_stage_1",
        "count_by=promise&include=total",
        "count_by=promise&group_by=pillar,status",
        "count_by=promise&pillar=security",
    ),
    "/v1/commitments": (
        "include=total",
        "limit=1",
        "participant=MININT&include=total",
        *(f"parent={code}" for code in ("HID-1", "INS-1", "OPEN-5-A", "NONE-1")),
        "deadline_from=2013-04-01",
        *(
            f"q={text}&include=total"
            for text in ("title", "secret", "title -secret", "hid*", '"title of open"')
        ),
        "on=2013-03-20&status=needs_attention_internal_deadline",
    ),
    "/v1/tree": ("", "on=2013-04-21"),
    "/v1/exports/board.csv": ("on=2013-04-21",),
    "/v1/plan-profile": ("", "on=2013-04-21"),
    "/v1/board/changes": (
        "from=2013-03-01&to=2013-03-31",
        "from=2013-03-12&to=2013-03-20",
        "from=2013-03-01&to=2013-03-31&limit=1",
    ),
    "/v1/reconciliation": (
        "from=2013-03-01&to=2013-04-30",
        "from=2013-03-01&to=2013-04-30&count_by=promise&limit=1",
        *(
            f"from=2013-03-10&to=2013-04-21&by={by}&count_by={count_by}"
            for by in ("pillar", "organization", "origin")
            for count_by in ("commitment", "promise")
        ),
        "from=2013-03-01&to=2013-04-30&by=organization&organization=MININT",
    ),
    "/v1/commitments/{id}/timeline": ("",),
    "/v1/timeliness": (
        "on=2013-04-30",
        "on=2013-04-30&group_by=organization,period",
        "from=2013-01-01&to=2013-03-31&organization=MININT",
    ),
    "/v1/staleness": ("limit=1", "on=2013-04-21"),
    "/v1/calibration": (
        "limit=1",
        "by=pillar&on=2013-04-30&days=1",
        "on=2013-04-21&organization=MININT&days=1",
        "on=2013-04-30&about=unfollowed,delay&days=1",
    ),
    "/v1/warning-signs": ("limit=1", "on=2013-04-21", "subject=decision", "organization=MININT"),
    "/v1/indicators": (
        "include=total",
        "limit=1",
        "organization=MININT&include=total",
        "pillar=security&include=total",
        "sign=no_source",
        "on=2013-04-21",
    ),
    **{f"/v1/indicators/{code}": ("",) for code in RATES},
    **{f"/v1/indicators/{code}/trajectory": ("",) for code in RATES},
    "/v1/decisions": (
        "limit=1",
        *(f"body={name}" for name in NAMES),
        "body=BIL",
        "organization=MININT",
        "kind=other",
        "kind=revise_deadline",
        "acknowledged=disputed",
        "acknowledged=true",
        *(f"commitment={code}" for code in ("HID-1", "HID-2", "INS-1", "OPEN-3", "OPEN-4", "NONE-1")),
        *(f"commitment={name}" for name in NAMES),
        "outcome=carried_out",
        "outcome=pending",
        "outcome=none",
        "outcome=unresolved",
        "outcome=none&limit=1",
        "has_budget_impact=true",
        "fiscal_year=2013",
        "agreed_since=2013-03-12",
        "after=9",
    ),
    "/v1/decisions/changes": (
        "limit=1",
        f"body={NAMES}",
        "organization=MININT",
        "has_budget_impact=true",
        "after=9",
    ),
    "/v1/decisions/gaps": (
        "days=0&on=2013-04-30",
        "limit=1&days=0",
        "gap=disputed&days=0",
        "body=BIL&days=0",
        "organization=MININT&days=0",
    ),
    "/v1/action-items": (
        "include=total",
        "limit=1",
        *(f"body={name}" for name in NAMES),
        *(f"commitment={name}" for name in NAMES),
        *(f"decision={name}" for name in NAMES),
        "owner_organization=MININT&include=total",
        "owner_organization=MINSAL&include=total",
        "state=overdue&include=total",
        "due_before=2031-01-01",
    ),
    "/v1/meeting-register": (
        "",
        "limit=1",
        *(f"body={name}" for name in NAMES),
        "kind=bilateral,committee",
        "organization=MININT",
        "period=year&from=2013-01-01&to=2014-12-31",
        "include=total",
        "include=total&kind=bilateral",
    ),
}
COMMITMENTS = (
    *("OPEN-1", "OPEN-2", "OPEN-3", "OPEN-5", "OPEN-5-A", "OPEN-3-B", "OPEN-6"),
    *("HID-1", "HID-2", "HID-3", "HID-5-B", "INS-1", "NONE-1"),
)


def questions() -> Iterator[str]:
    """Everything that may be asked without knowing what there is: of now, and each route of several moments."""
    for path, queries in QUESTIONS.items():
        for code in COMMITMENTS if "{id}" in path else ("",):
            concrete = path.format(id=code)
            yield from (f"{concrete}?{query}" for query in queries)
            yield from (f"{concrete}?{queries[0]}&position={position}" for position in MOMENTS)
            yield f"{concrete}?{queries[-1]}&position={MOMENTS[-1]}"


GIVEN = {
    "from": ("2013-03-01",),
    "to": ("2013-03-31",),
    "on": ("2013-03-20", "2013-04-21"),
    "known_at": (DAY.isoformat(), "2013-04-30"),
    "position": (),
    "wait_for": ("9",),
    "after": ("0", "9"),
    "limit": ("1",),
    "pillar": ("security",),
    "organization": ("MININT", "MINSAL"),
    "lead_organization": ("MININT",),
    "owner_organization": ("MININT", "MINSAL"),
    "region": ("XV",),
    "lang": ("es",),
    "bom": ("true",),
}


def met(*codes: str) -> list[str]:
    """The ids of meetings of the story."""
    return [str(stream_of("meeting", code)) for code in codes]


def owed(*codes: str) -> list[str]:
    """The ids of action items of the story."""
    return [str(stream_of("action-item", code)) for code in codes]


DECIDED = ("BIL-2013-001", "BIL-2013-002", "SEG-2013-001", "SEG-2013-002", "SEG-2013-009", "HID-2013-001")
CONSISTENT = {
    "indicators": tuple(code for code in RATES if code != "OPEN-RATE-2"),
    "commitments": (
        *("OPEN-1", "OPEN-3", "OPEN-4", "OPEN-5", "OPEN-5-A", "OPEN-3-B"),
        *("HID-1", "HID-2", "HID-3", "HID-5-B", "INS-1", "NONE-1"),
    ),
    "meetings": met("M-1", "M-2", "M-3", "M-5", "M-9"),
    "action-items": owed("T-1", "T-2", "T-4", "T-5"),
    "decisions": ("BIL-2013-001", "SEG-2013-002", "SEG-2013-009", "HID-2013-001"),
}
"""Without what makes no sense in a record without the hidden things: mergers into them, what their meetings agreed."""
THINGS = {
    "commitments": COMMITMENTS,
    "meetings": met("M-1", "M-2", "M-3", "M-4", "M-5", "M-9"),
    "action-items": owed("T-1", "T-2", "T-3", "T-4", "T-5"),
    "decisions": DECIDED,
    "decision-outcomes": DECIDED,
    "indicators": RATES,
    "bodies": ("SEG", "BIL", "INS-B", "HID-B", "HID-C"),
    "exports": ("board", "decisions", "meeting-register", "tree"),
    "board.": ("xlsx",),
    "decisions.": ("csv",),
    "meeting-register.": ("jsonl",),
    "tree.": ("csv",),
}
TABLES = ("text/csv", "application/jsonl")


async def everything_asked(path: str, twins: Twins, who: dict[str, Any], secrets: list[bytes]) -> None:
    """Asks both a question, page after page, and compares."""
    asked: str | None = path
    while asked is not None:
        whole, without = await asyncio.gather(
            *(twin.get(asked, X_Request_Id="the-same", **who) for twin in twins)
        )
        assert comparable(whole) == comparable(without), asked
        assert whole.status_code < 500, asked
        kind = whole.headers.get("content-type", "").partition(";")[0]
        if ("json" not in kind and kind != "text/csv") or whole.status_code == 422:
            # A refusal repeats what was asked for, and nothing else: it is the same for both.
            return
        told = whole.content if kind in TABLES else _without_the_question(whole.content)
        found = [secret for secret in secrets if secret in told]
        assert not found, f"{asked} tells {found}: {told!r}"
        asked = None if kind in TABLES else whole.json().get("next")


def comparable(answer: httpx.Response) -> tuple[Any, ...]:
    """All that an answer tells, but for how long it took and the name of the request."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("date", "server-timing")}
    return answer.status_code, answer.content, headers


@pytest.mark.parametrize("asker", list(ASKERS))
async def test_every_answer_is_what_it_would_be_if_nothing_were_hidden_because_nothing_was_there(
    logs: list[str], tmp_path: Path, asker: str
) -> None:
    who, seen = ASKERS[asker]
    secrets = [secret for secret in SECRETS if INTERNAL not in seen or secret != b"INS-"]
    async with twins_of(logs, tmp_path, seen) as twins:
        for question in questions():
            await everything_asked(question, twins, who, secrets)


@pytest.mark.parametrize("asker", list(ASKERS))
async def test_every_route_there_is_answers_so_whatever_is_asked(
    sqlite_urls: list[str], tmp_path: Path, asker: str
) -> None:
    """Walked, so that a new route and a new parameter are among them without being named here; tags, too."""
    who, seen = ASKERS[asker]
    secrets = [secret for secret in SECRETS if INTERNAL not in seen or secret != b"INS-"]
    async with twins_of(sqlite_urls, tmp_path, seen) as twins:
        for question in walk.questions(twins.whole.app, NAMES, THINGS, GIVEN):
            await everything_asked(question, twins, who, secrets)
            if question.endswith("?"):
                tag = (await twins.whole.get(question, **who)).headers.get("etag", '"none"')
                held = [
                    await twin.get(question, If_None_Match=tag, X_Request_Id="r", **who) for twin in twins
                ]
                assert comparable(held[0]) == comparable(held[1]), question


@pytest.mark.parametrize("create", [commitments, meetings], ids=["commitments", "meetings"])
async def test_what_the_services_that_write_answer_is_the_same(
    sqlite_urls: list[str], tmp_path: Path, create: Create
) -> None:
    who, seen = ASKERS["a ministry outside the circle"]
    secrets = [secret for secret in SECRETS if secret != b"INS-"]
    async with twins_of(sqlite_urls, tmp_path, seen, create) as twins:
        for question in walk.questions(twins.whole.app, NAMES, THINGS | CONSISTENT, GIVEN):
            await everything_asked(question, twins, who, secrets)


def _without_the_question(content: bytes) -> bytes:
    """An answer without the URL of the next page, and without the path that a refusal repeats."""
    body = msgspec.json.decode(content)
    body.pop("next", None)
    body.pop("instance", None)
    return msgspec.json.encode(body)


async def test_whoever_is_concerned_is_told(sqlite_url: str, tmp_path: Path) -> None:
    async with served(sqlite_url, tmp_path, set(Visibility)) as reporting:
        timeline = await reporting.read("/v1/commitments/OPEN-1/timeline", **CONCERNED)
        assert timeline["items"][-1]["because"]["decision"] == "BIL-2013-001"
        decision = (await reporting.read("/v1/decisions?kind=revise_deadline", **CONCERNED))["items"][0]
        assert decision["effect"]["deadline"]["on"] == "2031-07-31"
        assert decision["commitments"] == ["OPEN-3", "HID-1"]
        naming = {"HID-1": 2, "OPEN-3": 1, "OPEN-4": 1}
        for code, many in naming.items():
            found = await reporting.read(f"/v1/decisions?commitment={code}", **CONCERNED)
            assert len(found["items"]) == many
        # What a decision does is told whole or not at all, and so it is found by all that it does, or by nothing.
        for code, many in {"OPEN-3": 1, "OPEN-4": 0}.items():
            found = await reporting.read(f"/v1/decisions?commitment={code}", **OUTSIDER)
            assert len(found["items"]) == many
        # Nor is there a difference between what one may not know of and what is not there.
        for code in ("HID-1", "NONE-1"):
            refused = await reporting.refused(f"/v1/decisions?commitment={code}", **OUTSIDER)
            assert refused == (422, "filter-value-unknown")
        referral = (await reporting.read("/v1/decisions?kind=escalate", **CONCERNED))["items"][0]
        assert referral["effect"]["referral"]["to"] == "HID-C"


async def test_the_number_of_a_decision_behind_a_fact_is_for_those_who_may_know_of_the_decision(
    sqlite_url: str, tmp_path: Path
) -> None:
    with staged(sqlite_url) as stage:
        numbers = ("BIL-2013-001", "SEG-2013-001", "OLD-2013-001", "SEG-2013-002")
        tell(stage, *(promise(f"OPEN-{n}", PUBLIC) for n in range(4)), now=noon(DAY))
        tell(stage, decided(numbers[0], DAY, **BILATERAL), decided(numbers[1], DAY), now=noon(DAY))
        tell(stage, *(postponed(f"OPEN-{n}", number) for n, number in enumerate(numbers)), now=noon(DAY))
        before = stage.store.head()
        # The last one was typed by hand before its decision came on record; the one before is of none on record.
        tell(stage, decided(numbers[3], DAY, visibility=PUBLIC), now=noon(DAY))
        stage.follow()
        stage.start_worker()
        async with Installation(tmp_path, stage).running() as reporting:

            async def told(who: dict[str, Any], query: str = "") -> list[bool]:
                timelines = [
                    await reporting.read(f"/v1/commitments/OPEN-{n}/timeline{query}", **who) for n in range(4)
                ]
                found = [timeline["items"][-1]["because"].get("decision") for timeline in timelines]
                assert all(one in (None, number) for one, number in zip(found, numbers, strict=True))
                return [one is not None for one in found]

            for query in ("", f"?position={before}"):
                assert await told(ANYBODY, query) == [False, False, True, True]
                assert await told(OUTSIDER, query) == [False, True, True, True]
                assert await told(CONCERNED, query) == [True, True, True, True]
                assert await told({"role": Role.AUDITOR}, query) == [True, True, True, True]
            kept = withdrawn("decision", numbers[3], DecisionPublished)
            opened = DecisionPublished(visibility=PUBLIC, previous=RESERVED, reason="The law")
            await asyncio.to_thread(
                stage.wait, tell(stage, kept, Told("decision", numbers[0], opened), now=noon(DAY)).last
            )
            assert await told(ANYBODY) == [True, False, True, False]
            # What is hidden now was not known before, and what was hidden before was not known then.
            assert await told(ANYBODY, f"?position={before}") == [False, False, True, False]
