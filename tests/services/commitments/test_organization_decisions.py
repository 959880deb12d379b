"""What organisations and pillars may be described as."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import closing
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from services.commitments.commitment.model import replace
from services.commitments.plan.repository import Directory, Organizations, Pillars
from shared.aggregate.command import Command, Outcome
from shared.clock import Clock
from shared.errors import BitacoraError, InvalidInput, RuleBroken, StaleVersion
from shared.eventlog.envelope import Recorded
from shared.eventlog.live import LiveLog
from shared.eventlog.open import open_store
from shared.events.commitments import (
    OrganizationChanged,
    OrganizationRegistered,
    PillarChanged,
    PillarRegistered,
)
from shared.events.streams import stream_of
from shared.events.vocabulary import OrganizationKind
from tests.support.scenario import ANA

MINISTRY = OrganizationKind.MINISTRY
NOON = datetime(2013, 4, 30, 12, tzinfo=UTC)
TODAY = date(2013, 4, 30)
TOMORROW = date(2013, 5, 1)


class Plan:
    """Organisations and pillars, and a log for them."""

    def __init__(self, live: LiveLog) -> None:
        self.live = live
        self.directory = Directory(live)
        self.organizations = Organizations(live, self.directory)
        self.pillars = Pillars(live)

    async def put(self, code: str, name: str = "Name", **more: Any) -> int:
        """Describe an organisation; the number of events that took."""
        description = OrganizationChanged(name=name, **more)
        outcome = await self.organizations.describe(code, description, Command(ANA, "test"))
        return len(outcome.events)

    async def declare(
        self, code: str, description: PillarChanged, *expected: int, only_new: bool = False
    ) -> Outcome:
        """Describe a pillar."""
        command = Command(ANA, "test", expected=frozenset(expected) or None)
        return await self.pillars.describe(code, description, command, only_new=only_new)


@pytest.fixture
async def plan(sqlite_url: str) -> AsyncIterator[Plan]:
    with closing(open_store(sqlite_url)) as store:
        store.migrate()
        plan = Plan(LiveLog(store, Clock(now=lambda: NOON)))
        await plan.live.start()
        try:
            yield plan
        finally:
            await plan.live.stop()


async def refusal(kind: type[BitacoraError], asked: Awaitable[object]) -> tuple[str, str]:
    with pytest.raises(kind) as refused:
        await asked
    return refused.value.code, getattr(refused.value, "pointer", "")


async def test_describing_an_organisation_the_same_way_again_records_nothing(plan: Plan) -> None:
    assert await plan.put("MOP", "Public Works", kind=MINISTRY) == 1
    assert await plan.put("MOP", "Public Works", kind=MINISTRY) == 0
    assert await plan.put("MOP", "Public Works and Telecommunications", kind=MINISTRY) == 1
    known = plan.directory.organization("MOP")
    assert known is not None
    first, second = (recorded.data for recorded in await plan.organizations.history(known.id))
    assert isinstance(first, OrganizationRegistered)
    assert isinstance(second, OrganizationChanged)
    assert second.name == "Public Works and Telecommunications"


async def test_an_organisation_that_is_already_gone_is_registered_and_then_described_as_gone(
    plan: Plan,
) -> None:
    await plan.put("DESARROLLO")
    assert await plan.put("MIDEPLAN", successor="DESARROLLO", dissolved_on=date(2011, 10, 13)) == 2
    known = plan.directory.organization("MIDEPLAN")
    assert known is not None
    assert known.version == 2
    assert known.description.successor == "DESARROLLO"


@pytest.mark.parametrize("relation", ["parent", "successor"])
async def test_an_organisation_belongs_to_one_that_is_on_record_and_never_to_itself(
    plan: Plan, relation: str
) -> None:
    assert await refusal(InvalidInput, plan.put("A", **{relation: "B"})) == (
        "unknown-organization",
        f"/{relation}",
    )
    cycle = ("organization-cycle", "")
    assert await refusal(RuleBroken, plan.put("A", **{relation: "A"})) == cycle
    await plan.put("A")
    await plan.put("B", **{relation: "A"})
    await plan.put("C", **{relation: "B"})
    assert await refusal(RuleBroken, plan.put("A", **{relation: "C"})) == cycle


async def test_a_name_leads_to_one_organisation_only(plan: Plan) -> None:
    await plan.put("MOP", aliases=("Obras Públicas",))
    taken = ("alias-taken", "")
    assert await refusal(RuleBroken, plan.put("MINVU", aliases=("OBRAS PÚBLICAS",))) == taken
    assert await refusal(RuleBroken, plan.put("MINVU", aliases=("mop",))) == taken
    assert await refusal(RuleBroken, plan.put("mop")) == taken
    named_twice = await refusal(InvalidInput, plan.put("MINVU", aliases=("V", "v")))
    assert named_twice == ("named-twice", "/aliases/1")
    found = plan.directory.organization_called("obras públicas")
    assert found is not None
    assert found.code == "MOP"
    await plan.put("MOP", aliases=())
    assert await plan.put("MINVU", aliases=("Obras Públicas",)) == 1


async def test_an_organisation_is_not_dissolved_tomorrow(plan: Plan) -> None:
    assert await refusal(InvalidInput, plan.put("MOP", dissolved_on=TOMORROW)) == (
        "date-in-future",
        "/dissolved_on",
    )


@pytest.mark.parametrize("code", ["", "a/b", "ñ", "-a", str(UUID(int=7)), "x" * 65])
async def test_a_code_is_one_that_paths_can_carry(plan: Plan, code: str) -> None:
    malformed = ("code-malformed", "/code")
    assert await refusal(InvalidInput, plan.declare(code, PillarChanged(name="n"))) == malformed
    assert await refusal(InvalidInput, plan.put(code)) == malformed


async def test_a_pillar_is_declared_once_and_then_described_anew(plan: Plan) -> None:
    first = await plan.declare("HEALTH", PillarChanged(name="Health", rank=5))
    assert list(first.events) == [PillarRegistered(code="HEALTH", name="Health", rank=5)]
    assert not (await plan.declare("HEALTH", PillarChanged(name="Health", rank=5))).changed
    anew = PillarChanged(name="Health", rank=4, description="Waiting lists")
    anew = replace(anew, effective_on=TODAY)
    assert list((await plan.declare("HEALTH", anew)).events) == [anew]
    known = plan.directory.pillars.get("HEALTH")
    assert known is not None
    assert known.description == anew
    replayed = await plan.pillars.as_it_was(known.id, version=2)
    assert replayed.state.description == anew


async def test_a_description_is_decided_on_the_version_that_was_read(plan: Plan) -> None:
    stale = ("stale-version", "")
    health = PillarChanged(name="Health")
    assert await refusal(StaleVersion, plan.declare("HEALTH", health, 1)) == stale
    await plan.declare("HEALTH", health, only_new=True)
    assert await refusal(StaleVersion, plan.declare("HEALTH", health, only_new=True)) == stale
    assert await refusal(StaleVersion, plan.declare("HEALTH", PillarChanged(name="H"), 2)) == stale
    assert (await plan.declare("HEALTH", PillarChanged(name="H"), 1)).version == 2


async def test_what_is_described_is_at_hand_by_code_as_soon_as_it_is_acknowledged(plan: Plan) -> None:
    for code, rank in (("HEALTH", 5), ("GROWTH", 1), ("EDUCATION", 5)):
        await plan.declare(code, PillarChanged(name=code, rank=rank))
        assert code in plan.directory.pillars.keys
    assert [pillar.code for pillar in plan.directory.pillars.all()] == ["HEALTH", "GROWTH", "EDUCATION"]


# --- what they were on which day -----------------------------------------------------------------------------------

RENAMED, CAME_BACK = date(2011, 9, 18), date(2012, 7, 9)


async def test_what_an_organisation_is_called_has_days(plan: Plan) -> None:
    await plan.put("MHCLG", "Housing, Communities and Local Government")
    await plan.put("MHCLG", "Levelling Up", effective_on=RENAMED)
    await plan.put("MHCLG", "Housing, Communities and Local Government", effective_on=CAME_BACK)
    known = plan.directory.organization("MHCLG")
    assert known is not None
    names = [known.described_on(day).name for day in (date(2010, 3, 11), RENAMED, CAME_BACK, TOMORROW)]
    assert names == ["Housing, Communities and Local Government", "Levelling Up", *[names[0]] * 2]
    assert await plan.put("MHCLG", names[0]) == 0
    assert await plan.put("MHCLG", "Levelling Up", effective_on=date(2012, 1, 1)) == 0
    assert await refusal(InvalidInput, plan.put("MHCLG", "Housing", effective_on=TOMORROW)) == (
        "date-in-future",
        "/effective_on",
    )


async def test_a_description_on_record_without_a_day_holds_on_every_day(plan: Plan) -> None:
    await plan.put("MOP", "Works")
    old = Recorded(
        position=2,
        version=2,
        type=OrganizationChanged.TYPE,
        stream_id=stream_of("organization", "MOP"),
        recorded_at=NOON,
        recorded_by=ANA,
        correlation_id="old",
        causation_id=None,
        data=OrganizationChanged(name="Public Works"),
    )
    plan.directory.organizations.apply(old)
    known = plan.directory.organization("MOP")
    assert known is not None
    assert known.described_on(date.min).name == "Public Works"


async def test_a_ministry_is_split_into_several_and_each_stands_for_it(plan: Plan) -> None:
    for code in ("A", "B"):
        await plan.put(code)
    await plan.put("OLD")
    unknown = plan.put("OLD", successors=("A", "Z"))
    assert await refusal(InvalidInput, unknown) == ("unknown-organization", "/successors")
    await plan.put("OLD", successors=("A", "B"), dissolved_on=RENAMED)
    heirs_on = plan.directory.organizations.heirs_on
    assert set(heirs_on("OLD", date(2011, 9, 17))) == {"OLD"}
    assert set(heirs_on("OLD", RENAMED)) == {"A", "B"}
    await plan.put("B", dissolved_on=CAME_BACK)
    assert set(heirs_on("OLD", CAME_BACK)) == {"A"}
    assert set(heirs_on("B", CAME_BACK)) == set()


async def test_a_ministry_comes_back_by_being_what_another_went_on_in(plan: Plan) -> None:
    """Its days make it no circle."""
    await plan.put("MHCLG")
    await plan.put("DLUHC")
    await plan.put("MHCLG", successor="DLUHC", dissolved_on=RENAMED)
    assert await refusal(RuleBroken, plan.put("DLUHC", successor="MHCLG", dissolved_on=RENAMED)) == (
        "organization-cycle",
        "",
    )
    await plan.put("DLUHC", successor="MHCLG", dissolved_on=CAME_BACK)
    heirs_on = plan.directory.organizations.heirs_on
    days = (date(2011, 9, 17), RENAMED, CAME_BACK)
    assert [list(heirs_on("MHCLG", day)) for day in days] == [["MHCLG"], ["DLUHC"], ["MHCLG"]]
    assert [list(heirs_on("DLUHC", day)) for day in days] == [["DLUHC"], ["DLUHC"], ["MHCLG"]]


async def test_an_old_name_is_taken_up_again_once_nobody_has_it(plan: Plan) -> None:
    await plan.put("MIDEPLAN", aliases=("Planificación",))
    await plan.put("MDS")
    taken = plan.put("MDS", aliases=("Planificación",), effective_on=date(2010, 1, 1))
    assert await refusal(RuleBroken, taken) == ("alias-taken", "")
    await plan.put("MIDEPLAN", aliases=("Planificación",), dissolved_on=RENAMED, successor="MDS")
    assert await plan.put("MDS", aliases=("planificación", "MIDEPLAN"), effective_on=CAME_BACK) == 1
    for day, code in [(date(2010, 1, 1), "MIDEPLAN"), (RENAMED, "MIDEPLAN"), (CAME_BACK, "MDS")]:
        found = plan.directory.organization_called("PLANIFICACIÓN", day)
        assert found is not None
        assert found.code == code


async def test_what_an_organisation_belongs_to_has_days_and_is_no_circle_on_any(plan: Plan) -> None:
    await plan.put("A")
    await plan.put("B", parent="A")
    circle = ("organization-cycle", "")
    assert await refusal(RuleBroken, plan.put("A", parent="B", effective_on=RENAMED)) == circle
    await plan.put("B", effective_on=RENAMED)
    assert await plan.put("A", parent="B", effective_on=RENAMED) == 1
    assert await refusal(RuleBroken, plan.put("A", parent="B", effective_on=date(2011, 1, 1))) == circle
    # Until A belongs to B, B may belong to A again.
    await plan.put("A", effective_on=CAME_BACK)
    assert await plan.put("B", parent="A", effective_on=CAME_BACK) == 1
