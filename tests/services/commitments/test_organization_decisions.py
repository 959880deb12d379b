"""What organisations and pillars may be described as."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.commitments.plan.directory import Directory
from services.commitments.plan.model import Organization, Pillar, check_organization, check_pillar
from shared.aggregate.command import Command
from shared.clock import Clock
from shared.errors import BitacoraError, InvalidInput, RuleBroken, StaleVersion
from shared.eventlog.live import LiveLog
from shared.eventlog.store import open_store
from shared.events.commitments import (
    OrganizationChanged,
    OrganizationRegistered,
    PillarChanged,
    PillarRegistered,
)
from shared.events.facts import Event
from shared.events.vocabulary import OrganizationKind
from tests.services.commitments.stories import DCI, TODAY, Story

MINISTRY = OrganizationKind.MINISTRY
ON_ANY_VERSION = Command(DCI, "test")


class Plan:
    """Organisations as the log has them, one story each."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.stories: dict[str, Story[Organization]] = {}

    def put(self, code: str, name: str = "Name", **more: Any) -> int:
        """Describe an organisation; the number of events that took."""
        description = OrganizationChanged(name=name, **more)
        story = self.stories.get(code)
        present = None if story is None else story.thing
        events = Organization.decide(present, code, description, ON_ANY_VERSION, only_new=False)
        if events:
            check_organization(code, description, self.directory, TODAY)
        if story is None:
            self.stories[code] = story = Story(Organization.begin, events, start=100 * len(self.stories))
            new = story.events
        else:
            before = len(story.events)
            story.tell(events)
            new = story.events[before:]
        for recorded in new:
            self.directory.organizations.apply(recorded)
        return len(new)


@pytest.fixture
def plan(sqlite_url: str) -> Iterator[Plan]:
    with closing(open_store(sqlite_url)) as store:
        yield Plan(Directory(LiveLog(store, Clock())))


def refusal(kind: type[BitacoraError], decide: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(kind) as refused:
        decide()
    return refused.value.code, getattr(refused.value, "pointer", "")


def test_describing_an_organisation_the_same_way_again_records_nothing(plan: Plan) -> None:
    assert plan.put("MOP", "Public Works", kind=MINISTRY) == 1
    assert plan.put("MOP", "Public Works", kind=MINISTRY) == 0
    assert plan.put("MOP", "Public Works and Telecommunications", kind=MINISTRY) == 1
    first, second = (recorded.data for recorded in plan.stories["MOP"].events)
    assert isinstance(first, OrganizationRegistered)
    assert isinstance(second, OrganizationChanged)
    assert second.name == "Public Works and Telecommunications"


def test_an_organisation_that_is_already_gone_is_registered_and_then_described_as_gone(plan: Plan) -> None:
    plan.put("DESARROLLO")
    assert plan.put("MIDEPLAN", successor="DESARROLLO", dissolved_on=date(2011, 10, 13)) == 2
    known = plan.directory.organization("MIDEPLAN")
    assert known is not None
    assert known.version == 2
    assert known.description.successor == "DESARROLLO"


@pytest.mark.parametrize("relation", ["parent", "successor"])
def test_an_organisation_belongs_to_one_that_is_on_record_and_never_to_itself(
    plan: Plan, relation: str
) -> None:
    assert refusal(InvalidInput, lambda: plan.put("A", **{relation: "B"})) == (
        "unknown-organization",
        f"/{relation}",
    )
    assert refusal(RuleBroken, lambda: plan.put("A", **{relation: "A"}))[0] == "organization-cycle"
    plan.put("A")
    plan.put("B", **{relation: "A"})
    plan.put("C", **{relation: "B"})
    assert refusal(RuleBroken, lambda: plan.put("A", **{relation: "C"}))[0] == "organization-cycle"


def test_a_name_leads_to_one_organisation_only(plan: Plan) -> None:
    plan.put("MOP", aliases=("Obras Públicas",))
    assert refusal(RuleBroken, lambda: plan.put("MINVU", aliases=("OBRAS PÚBLICAS",)))[0] == "alias-taken"
    assert refusal(RuleBroken, lambda: plan.put("MINVU", aliases=("mop",)))[0] == "alias-taken"
    assert refusal(RuleBroken, lambda: plan.put("mop"))[0] == "alias-taken"
    assert refusal(InvalidInput, lambda: plan.put("MINVU", aliases=("V", "v")))[0] == "named-twice"
    found = plan.directory.organization_called("obras públicas")
    assert found is not None
    assert found.code == "MOP"
    plan.put("MOP", aliases=())
    assert plan.put("MINVU", aliases=("Obras Públicas",)) == 1


def test_an_organisation_is_not_dissolved_tomorrow(plan: Plan) -> None:
    tomorrow = TODAY + timedelta(days=1)
    assert refusal(InvalidInput, lambda: plan.put("MOP", dissolved_on=tomorrow)) == (
        "date-in-future",
        "/dissolved_on",
    )


@pytest.mark.parametrize("code", ["", "a/b", "ñ", "-a", str(UUID(int=7)), "x" * 65])
def test_a_code_is_one_that_paths_can_carry(plan: Plan, code: str) -> None:
    assert refusal(InvalidInput, lambda: check_pillar(code, PillarChanged(name="n")))[0] == "code-malformed"
    assert refusal(InvalidInput, lambda: plan.put(code))[0] == "code-malformed"


def described(pillar: Pillar | None, description: PillarChanged, **more: Any) -> Sequence[Event]:
    return Pillar.decide(pillar, "HEALTH", description, ON_ANY_VERSION, **{"only_new": False} | more)


def test_a_pillar_is_declared_once_and_then_described_anew() -> None:
    story = Story(Pillar.begin, described(None, PillarChanged(name="Health", rank=5)))
    assert [recorded.data for recorded in story.events] == [
        PillarRegistered(code="HEALTH", name="Health", rank=5)
    ]
    assert described(story.thing, PillarChanged(name="Health", rank=5)) == []
    anew = PillarChanged(name="Health", rank=4, description="Waiting lists")
    assert story.tell(described(story.thing, anew)) == [anew]
    assert story.thing.description == anew
    assert story.replayed().description == story.thing.description


def test_whoever_registers_only_what_is_new_does_not_describe_what_is_there() -> None:
    description = PillarChanged(name="Health")
    story = Story(Pillar.begin, described(None, description, only_new=True))
    assert refusal(StaleVersion, lambda: described(story.thing, description, only_new=True))[0] == (
        "stale-version"
    )
