"""Decisions are numbered per body and year without gaps or doubles, whatever is approved at once, wherever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from msgspec import structs

from services.meetings.action_item.model import ActionItem
from services.meetings.body.model import usual_visibility, usually_decides
from services.meetings.body.repository import Bodies, Directory
from services.meetings.decision.model import Decision
from services.meetings.meeting.model import Meeting
from services.meetings.meeting.repository import Meetings
from shared.aggregate.command import Command
from shared.aggregate.repository import Repository
from shared.clock import Clock
from shared.errors import NotFound, RuleBroken
from shared.eventlog import codec
from shared.eventlog.live import LiveLog
from shared.eventlog.open import open_store
from shared.eventlog.store import Store
from shared.events.meeting_vocabulary import BodyKind
from shared.events.meetings import (
    ActionItemAssigned,
    AgendaItem,
    BodyChanged,
    DecisionAgreed,
    DecisionsNumbered,
    MeetingConvened,
    MeetingHeld,
    MinutesApproved,
    MinutesCirculated,
    MinutesDrafted,
    Recipient,
)
from shared.events.streams import stream_of
from tests.services.meetings.gatherings import (
    BRUNO,
    DIRECTOR,
    MINISTER,
    NOW,
    committee,
    referral,
    said,
    task,
)
from tests.services.meetings.installation import prepare
from tests.support.scenario import ANA

pytestmark = pytest.mark.anyio

IN_2011 = datetime(2011, 12, 14, 14, tzinfo=UTC)
IN_2012 = datetime(2012, 8, 14, 14, tzinfo=UTC)


class Process:
    """What one process of the service holds of the log, without HTTP."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.live = LiveLog(store, Clock(now=lambda: NOW))
        self.directory = Directory(self.live)
        self.bodies = Bodies(self.live, self.directory)
        self.decisions: Repository[Decision] = Repository(self.live, Decision, "decision")
        self.action_items: Repository[ActionItem] = Repository(self.live, ActionItem, "action-item")
        self.meetings = Meetings(self.live, self.directory, self.bodies, self.decisions, self.action_items)

    async def describe(self, code: str, kind: BodyKind = BodyKind.COMMITTEE) -> None:
        """Register a body."""
        described = BodyChanged(
            name=code, kind=kind, decides=usually_decides(kind), visibility=usual_visibility(kind)
        )
        await self.bodies.describe(code, described, command())

    async def ready(self, body: str, decisions: int, at: datetime = IN_2012) -> UUID:
        """A meeting of a body whose minutes, with so many decisions, are ready to be approved."""
        asked = MeetingConvened(body=body, scheduled_at=at, agenda=(AgendaItem(title="Hospitals"),))
        meeting = (await self.meetings.convene(asked, command())).stream_id
        held = MeetingHeld(held_at=at, attendance=(MINISTER, DIRECTOR))
        drafted = [referral(f"Number {n}") for n in range(decisions)]
        minutes = MinutesDrafted(items=(said(*drafted, action_items=(task(),)),))
        sent = MinutesCirculated(recipients=(Recipient(organization="DIPRES"),))
        await self.record(meeting, held, Meeting.hold)
        await self.record(meeting, minutes, Meeting.draft_minutes)
        await self.record(meeting, sent, Meeting.circulate)
        return meeting

    async def record(self, meeting: UUID, proposed: Any, decide: Any) -> None:
        """Something happens to a meeting."""
        asked, informed = command(), self.meetings.informed(decide)
        context = self.meetings.context(asked)
        await self.meetings.change(meeting, lambda it: informed(it, proposed, context), asked)

    async def approve(self, stream_id: UUID) -> int:
        """Approve its minutes; the position of the seal."""
        asked = command(BRUNO)
        context = self.meetings.context(asked)
        outcome = await self.meetings.change(stream_id, lambda it: self.meetings.approve(it, context), asked)
        return outcome.position


def command(actor: Any = ANA) -> Command:
    return Command(actor=actor, correlation_id="test")


@asynccontextmanager
async def process(url: str) -> AsyncIterator[Process]:
    store = open_store(url)
    here = Process(store)
    try:
        await here.live.start()
        yield here
        await here.live.stop()
    finally:
        store.close()


def everything(store: Store) -> list[Any]:
    """The whole log, decoded."""
    return [codec.decode(line, position) for position, line in store.read(0, 100_000)]


@asynccontextmanager
async def two_processes(url: str) -> AsyncIterator[tuple[Process, Process]]:
    prepare(url)
    async with process(url) as one, process(url) as other:
        yield one, other


async def test_of_two_bodies_whose_codes_differ_by_capitals_one_is_refused_wherever_they_are_registered(
    log_url: str,
) -> None:
    """Their decisions would have numbers that look alike."""
    async with two_processes(log_url) as (one, other):
        for number in range(20):
            told = await asyncio.gather(
                one.describe(f"SOCIAL-{number}"), other.describe(f"social-{number}"), return_exceptions=True
            )
            (refused,) = [error for error in told if error is not None]
            assert isinstance(refused, RuleBroken)
            assert refused.code == "body-code-taken"


async def test_approvals_at_once_in_two_processes_leave_no_gap_and_give_no_number_twice(log_url: str) -> None:
    async with two_processes(log_url) as (one, other):
        for body in ("SOCIAL", "ECONOMIC"):
            await one.describe(body)
        await other.live.wait_for(one.live.position, 5)
        ready: list[tuple[str, int, int, UUID]] = []
        for n in range(20):
            body, at = ("SOCIAL", "ECONOMIC")[n % 2], (IN_2011, IN_2012)[n % 4 // 2]
            count = n % 5
            ready.append((body, at.year, count, await one.ready(body, count, at)))
        await other.live.wait_for(one.live.position, 5)
        await asyncio.gather(
            *((one, other)[n % 3 % 2].approve(meeting) for n, (*_, meeting) in enumerate(ready))
        )
        log = everything(one.store)

    numbers = [event.data.number for event in log if isinstance(event.data, DecisionAgreed)]
    expected = [
        f"{body}-{year}-{number:03}"
        for body in ("SOCIAL", "ECONOMIC")
        for year in (2011, 2012)
        for number in range(1, 1 + sum(count for b, y, count, _ in ready if (b, y) == (body, year)))
    ]
    assert sorted(numbers) == sorted(expected)
    # Each approval is one transaction: what it numbered, agreed and assigned lies together before its seal.
    for seal in (event for event in log if isinstance(event.data, MinutesApproved)):
        own = [event for event in log if getattr(event.data, "meeting", None) == seal.stream_id]
        agreed = [event.data.number for event in own if isinstance(event.data, DecisionAgreed)]
        assigned = [event.stream_id for event in own if isinstance(event.data, ActionItemAssigned)]
        assert seal.data.decisions == tuple(agreed)
        assert seal.data.action_items == tuple(assigned)
        size = len(agreed) + len(assigned) + bool(agreed)
        together = log[seal.position - 1 - size : seal.position]
        assert len({event.recorded_at for event in together}) == 1
    given_out = [event.data for event in log if isinstance(event.data, DecisionsNumbered)]
    assert all(one.last - one.first + 1 > 0 for one in given_out)


async def test_one_meeting_approved_in_two_processes_at_once_is_approved_once(log_url: str) -> None:
    async with two_processes(log_url) as (one, other):
        await one.describe("SOCIAL")
        meeting = await one.ready("SOCIAL", 3)
        await other.live.wait_for(one.live.position, 5)
        results = await asyncio.gather(
            *(where.approve(meeting) for where in (one, other, one, other)), return_exceptions=True
        )
        log = everything(one.store)
    assert sum(isinstance(result, int) for result in results) == 1
    refusals = {getattr(result, "code", None) for result in results if not isinstance(result, int)}
    assert refusals == {"minutes-approved"}
    assert [event.data.number for event in log if isinstance(event.data, DecisionAgreed)] == [
        "SOCIAL-2012-001",
        "SOCIAL-2012-002",
        "SOCIAL-2012-003",
    ]


async def test_a_body_described_anew_in_between_does_not_break_the_numbers(log_url: str) -> None:
    async with two_processes(log_url) as (one, other):
        await one.describe("SOCIAL")
        meetings = [await one.ready("SOCIAL", 1) for _ in range(6)]
        await other.live.wait_for(one.live.position, 5)
        renamed = [
            other.bodies.describe(
                "SOCIAL", structs.replace(committee().description, name=f"Name {n}"), command()
            )
            for n in range(6)
        ]
        await asyncio.gather(*(one.approve(meeting) for meeting in meetings), *renamed)
        log = everything(one.store)
    numbers = [event.data.number for event in log if isinstance(event.data, DecisionAgreed)]
    assert sorted(numbers) == [f"SOCIAL-2012-{n:03}" for n in range(1, 7)]


async def test_what_lived_through_the_commands_is_what_a_replay_tells(sqlite_url: str) -> None:
    async with two_processes(sqlite_url) as (one, other):
        await one.describe("SOCIAL")
        meetings = [await one.ready("SOCIAL", n % 3) for n in range(4)]
        await other.live.wait_for(one.live.position, 5)
        await asyncio.gather(*((one, other)[n % 2].approve(m) for n, m in enumerate(meetings)))
        for where in (one, other):
            await where.live.wait_for(where.store.head(), 5)
            await compare(where)


async def compare(here: Process) -> None:
    """Everything in memory is the fold of what is stored."""
    repositories: list[Repository[Any]] = [
        here.bodies,
        here.meetings,
        here.decisions,
        here.action_items,
    ]
    streams = {event.stream_id for event in everything(here.store)}
    compared = 0
    for repository in repositories:
        for stream in streams:
            live, replayed = await repository.get(stream), await replay(repository, stream)
            assert (live is None) == (replayed is None)
            if live is not None:
                compared += 1
                assert members(live) == members(replayed)
    assert compared >= 4 + 1
    assert members(here.directory.bodies.get("SOCIAL")) == members(
        await replay(here.bodies, stream_of("body", "SOCIAL"))
    )


async def replay(repository: Repository[Any], stream: UUID) -> Any:
    """The fold of a stream as it is stored, if it is of that kind."""
    history = await repository.history(stream)
    try:
        return (await repository.as_it_was(stream, version=len(history))).state
    except NotFound:
        return None


def members(thing: Any) -> dict[str, Any]:
    """All that a thing holds, comparable."""
    names = {name for cls in type(thing).__mro__ for name in getattr(cls, "__slots__", ())}
    return {name: comparable(getattr(thing, name)) for name in names}


def comparable(value: Any) -> Any:
    slots = getattr(type(value), "__slots__", None)
    if slots and not isinstance(value, tuple) and type(value).__module__.startswith("shared.rules"):
        return {name: comparable(getattr(value, name)) for name in slots}
    return value
