"""What may be said of organisations and pillars."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.commitments.application.directory import Directory
from services.commitments.domain.organization import (
    Organization,
    OrganizationDescription,
    register_organization,
)
from services.commitments.domain.pillar import Pillar, PillarDescription, register_pillar
from shared.errors import BitacoraError, InvalidInput, RuleBroken
from shared.events.commitments import OrganizationChanged, OrganizationRegistered, PillarChanged
from shared.events.vocabulary import OrganizationKind
from tests.services.commitments.stories import TODAY, Story

MINISTRY = OrganizationKind.MINISTRY


class State:
    """Organisations as the log tells of them, one story each."""

    def __init__(self) -> None:
        self.directory = Directory()
        self.stories: dict[str, Story[Organization]] = {}

    def put(self, code: str, name: str = "Name", **more: Any) -> int:
        """Describe an organisation; the number of events that took."""
        description = OrganizationDescription(name, **more)
        story = self.stories.get(code)
        if story is None:
            events = register_organization(code, description, self.directory, TODAY)
            self.stories[code] = story = Story(Organization.begin, events, start=100 * len(self.stories))
            new = story.events
        else:
            before = len(story.events)
            story.tell(story.thing.describe(description, self.directory, TODAY))
            new = story.events[before:]
        for recorded in new:
            self.directory.apply(recorded)
        return len(new)


def refusal(kind: type[BitacoraError], decide: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(kind) as refused:
        decide()
    return refused.value.code, getattr(refused.value, "pointer", "")


def test_describing_an_organisation_the_same_way_again_records_nothing() -> None:
    state = State()
    assert state.put("MOP", "Public Works", kind=MINISTRY) == 1
    assert state.put("MOP", "Public Works", kind=MINISTRY) == 0
    assert state.put("MOP", "Public Works and Telecommunications", kind=MINISTRY) == 1
    first, second = (recorded.data for recorded in state.stories["MOP"].events)
    assert isinstance(first, OrganizationRegistered)
    assert isinstance(second, OrganizationChanged)
    assert second.name == "Public Works and Telecommunications"


def test_an_organisation_that_is_already_gone_is_registered_and_then_described_as_gone() -> None:
    state = State()
    state.put("DESARROLLO")
    assert state.put("MIDEPLAN", successor="DESARROLLO", dissolved_on=date(2011, 10, 13)) == 2
    known = state.directory.organization("MIDEPLAN")
    assert known is not None
    assert known.version == 2
    assert known.description.successor == "DESARROLLO"


@pytest.mark.parametrize("relation", ["parent", "successor"])
def test_an_organisation_belongs_to_one_that_is_on_record_and_never_to_itself(relation: str) -> None:
    state = State()
    assert refusal(InvalidInput, lambda: state.put("A", **{relation: "B"})) == (
        "unknown-organization",
        f"/{relation}",
    )
    assert refusal(RuleBroken, lambda: state.put("A", **{relation: "A"}))[0] == "organization-cycle"
    state.put("A")
    state.put("B", **{relation: "A"})
    state.put("C", **{relation: "B"})
    assert refusal(RuleBroken, lambda: state.put("A", **{relation: "C"}))[0] == "organization-cycle"


def test_a_name_leads_to_one_organisation_only() -> None:
    state = State()
    state.put("MOP", aliases=("Obras Públicas",))
    assert refusal(RuleBroken, lambda: state.put("MINVU", aliases=("OBRAS PÚBLICAS",)))[0] == "alias-taken"
    assert refusal(RuleBroken, lambda: state.put("MINVU", aliases=("mop",)))[0] == "alias-taken"
    assert refusal(RuleBroken, lambda: state.put("mop"))[0] == "alias-taken"
    assert refusal(InvalidInput, lambda: state.put("MINVU", aliases=("V", "v")))[0] == "named-twice"
    found = state.directory.organization_called("obras públicas")
    assert found is not None
    assert found.code == "MOP"
    state.put("MOP", aliases=())
    assert state.put("MINVU", aliases=("Obras Públicas",)) == 1


def test_an_organisation_is_not_dissolved_tomorrow() -> None:
    tomorrow = TODAY + timedelta(days=1)
    assert refusal(InvalidInput, lambda: State().put("MOP", dissolved_on=tomorrow)) == (
        "date-in-future",
        "/dissolved_on",
    )


def test_a_code_is_one_that_paths_can_carry() -> None:
    def declare(code: str) -> Callable[[], object]:
        return lambda: register_pillar(code, PillarDescription("n"))

    for code in ("", "a/b", "ñ", "-a", str(UUID(int=7)), "x" * 65):
        assert refusal(InvalidInput, declare(code))[0] == "code-malformed"


def test_a_pillar_is_declared_once_and_then_described_anew() -> None:
    story = Story(Pillar.begin, register_pillar("HEALTH", PillarDescription("Health", 5)))
    assert story.thing.describe(PillarDescription("Health", 5)) == []
    (event,) = story.tell(story.thing.describe(PillarDescription("Health", 4, "Waiting lists")))
    assert event == PillarChanged(name="Health", rank=4, description="Waiting lists")
    assert story.replayed().description == story.thing.description


def test_pillars_are_listed_by_rank_and_organisations_by_code() -> None:
    directory = Directory()
    for start, (code, rank) in enumerate([("HEALTH", 5), ("GROWTH", 1), ("EDUCATION", 5)]):
        story = Story(Pillar.begin, register_pillar(code, PillarDescription(code, rank)), start)
        directory.apply(story.events[0])
    assert [pillar.code for pillar in directory.pillars()] == ["GROWTH", "EDUCATION", "HEALTH"]
    state = State()
    for code in ("B", "A"):
        state.put(code)
    assert [organization.code for organization in state.directory.organizations()] == ["A", "B"]
