"""The plan as a client sees it: what lies below each part of it, how far that is, and the profile of its objectives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from shared.events.commitments import (
    Completed,
    Discarded,
    Evidence,
    PillarRegistered,
    ProgressReported,
    ProgressReviewed,
    Registered,
    Split,
    VisibilityChanged,
)
from shared.events.facts import Event
from shared.events.vocabulary import CommitmentKind, DiscardReason, ResultType, ReviewOutcome, Visibility
from tests.services.reporting.installation import Installation
from tests.services.reporting.stage import Stage, staged

pytestmark = pytest.mark.anyio

BEGUN = date(2010, 3, 11)
TABLE_2 = {
    "GROWTH": (0, 1, 0, 5),
    "EMPLOYMENT": (0, 0, 1, 3),
    "SECURITY": (1, 1, 0, 4),
    "EDUCATION": (3, 1, 2, 3),
    "HEALTH": (1, 3, 1, 0),
    "POVERTY": (0, 3, 0, 1),
    "DEMOCRACY": (0, 0, 1, 4),
    "RECONSTRUCTION": (0, 0, 1, 0),
}
"""The objectives of the note's Table 2 by pillar: input, process, output, outcome."""
KINDS = {"O": CommitmentKind.STRATEGIC_OBJECTIVE, "A": CommitmentKind.ACTION}


def registered(code: str, **more: Any) -> tuple[str, Event]:
    """An objective, an action or a commitment, by the first letter of its code."""
    return code, Registered(
        code=code,
        title=f"Title of {code}",
        lead_organization="MOP",
        effective_on=more.pop("effective_on", BEGUN),
        visibility=Visibility.PUBLIC,
        kind=KINDS.get(code[0], CommitmentKind.COMMITMENT),
        **more,
    )


def objectives() -> Iterator[tuple[str, Event]]:
    """The forty of Table 2."""
    for pillar, counts in TABLE_2.items():
        for kind, count in zip(ResultType, counts, strict=True):
            for number in range(count):
                yield registered(f"O-{pillar}-{kind}-{number}", pillar=pillar, result_type=kind)


def reported(code: str, number: int, percent: str, *, accepted: bool = True) -> list[tuple[str, Event]]:
    """A report on the first quarter of 2011, and its review."""
    outcome = ReviewOutcome.ACCEPTED if accepted else ReviewOutcome.RETURNED
    told = ProgressReported(
        number=number, period="2011-Q1", effective_on=date(2011, 3, 31), percent=Decimal(percent)
    )
    return [(code, told), (code, ProgressReviewed(report=number, outcome=outcome, reason="r"))]


def tell(stage: Stage) -> None:
    """The forty objectives, and a small plan below one that is in no pillar of theirs."""
    pillars = [
        (code, PillarRegistered(code=code, name=code.title(), rank=rank))
        for rank, code in enumerate((*TABLE_2, "OWN"), 1)
    ]
    stage.append(*pillars, kind="pillar")
    stage.append(*objectives())
    stage.append(
        registered("O-OWN", pillar="OWN"),
        registered("A-1", parent="O-OWN", weight=Decimal(1)),
        registered("A-2", parent="O-OWN", weight=Decimal(3)),
        registered("C-1", parent="A-1"),
        registered("C-2", parent="A-1", weight=Decimal("0.5")),
        registered("C-3", parent="A-1", pillar="HEALTH"),
        registered("C-4", parent="A-1"),
    )
    stage.append(*reported("A-2", 1, "10"), *reported("A-2", 2, "90", accepted=False))
    stage.append(*reported("C-1", 1, "50"), *reported("C-2", 1, "80"), *reported("C-4", 1, "20"))
    stage.append(
        ("C-4", Discarded(reason_type=DiscardReason.TECHNICAL, reason="r", effective_on=date(2011, 6, 1))),
        ("O-OWN", Completed(completed_on=date(2011, 9, 1), evidence=(Evidence(description="e"),))),
        ("A-2", Split(parts=("A-2.1", "A-2.2"), reason="r", effective_on=date(2012, 1, 1))),
    )
    parts: dict[str, Any] = {"parent": "O-OWN", "split_from": "A-2", "effective_on": date(2012, 1, 1)}
    stage.append(registered("A-2.1", **parts), registered("A-2.2", **parts))
    stage.append(*reported("A-2.1", 1, "30"))
    stage.append(registered("C-5", effective_on=date(2013, 1, 1)))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(f"sqlite:///{tmp_path_factory.mktemp('plan') / 'log.db'}") as made:
        tell(made)
        made.start_worker()
        made.wait()
        yield made


@pytest.fixture(scope="module")
async def reporting(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    async with Installation(Path(tmp_path_factory.mktemp("reporting")), stage).running() as running:
        yield running


async def test_the_forty_objectives_come_out_as_printed_with_shares_that_add_up_to_101(
    reporting: Installation,
) -> None:
    profile = await reporting.read("/v1/plan-profile?on=2013-03-11")
    rows = {row["pillar"]: row for row in profile["items"]}
    assert list(rows) == [*TABLE_2, "OWN"]
    for pillar, counts in TABLE_2.items():
        assert tuple(rows[pillar]["by_result_type"].values()) == counts
        assert rows[pillar]["total"] == sum(counts)
        assert rows[pillar]["pillar_name"] == pillar.title()
    assert rows["OWN"]["without_result_type"] == 1
    totals = profile["totals"]
    assert (totals["total"], totals["without_result_type"], totals["goes_on_in_others"]) == (41, 1, 0)
    assert totals["by_result_type"] == {"input": 5, "process": 9, "output": 6, "outcome": 20}
    before = await reporting.read("/v1/plan-profile?on=2013-03-11&position=49")
    assert before["totals"]["total"] == 40
    assert before["totals"]["shares"] == {"input": 13, "process": 23, "output": 15, "outcome": 50}
    empty = await reporting.read("/v1/plan-profile?on=2010-03-10")
    assert (empty["items"], empty["totals"]["total"]) == ([], 0)


def found(items: list[Any], code: str) -> Any:
    """The node with this code, however deep."""
    for item in items:
        below = item if item.get("code") == code else found(item["items"], code)
        if below is not None:
            return below
    return None


def own(tree: Any) -> Any:
    return next(item for item in tree["items"] if item["pillar"] == "OWN")


async def test_what_lies_below_is_counted_and_weighed_by_accepted_reports(reporting: Installation) -> None:
    tree = await reporting.read("/v1/tree?on=2011-05-01")
    objective = found(tree["items"], "O-OWN")
    assert [node["code"] for node in objective["items"]] == ["A-1", "A-2"]
    # A-1 is (50 + 0.5 × 80 + 20) / 2.5 by those of its parts that reported, and A-2 stands at what was accepted.
    assert objective["items"][0]["below"]["percent"] == 44
    assert (objective["items"][0]["below"]["weight"], objective["items"][0]["below"]["weight_reported"]) == (
        3.5,
        2.5,
    )
    assert (objective["items"][1]["percent"], objective["items"][1]["below"]) == (10, None)
    assert objective["below"]["percent"] == 18.5
    assert objective["below"]["by_status"]["on_time"] == objective["below"]["registered"] == 6
    assert objective["closed_over_open_parts"] is False


async def test_what_was_given_up_leaves_the_progress_and_what_was_split_weighs_as_before(
    reporting: Installation,
) -> None:
    given_up = found((await reporting.read("/v1/tree?on=2011-06-01"))["items"], "A-1")["below"]
    assert (given_up["percent"], given_up["by_status"]["discarded"]) == (60, 1)
    below = found((await reporting.read("/v1/tree?on=2012-01-01"))["items"], "O-OWN")["below"]
    assert (below["split"], below["registered"]) == (1, 8)
    # Half of the weight of 3 has reported, at 30 %; the other part of it not yet.
    assert (below["weight"], below["weight_reported"], below["percent"]) == (4, 2.5, 42)


async def test_the_pillar_of_a_part_is_its_own_or_that_of_the_nearest_it_is_part_of(
    reporting: Installation,
) -> None:
    tree = await reporting.read("/v1/tree?on=2012-12-31")
    assert found(tree["items"], "C-1")["pillar"] == "OWN"
    assert found(tree["items"], "C-3")["pillar"] == "HEALTH"
    counts = {item["pillar"]: item["below"]["registered"] for item in tree["items"]}
    assert (counts["OWN"], counts["HEALTH"]) == (8, 6)
    assert sum(counts.values()) == tree["totals"]["registered"] == 49
    assert list(counts) == [*TABLE_2, "OWN"]
    later = await reporting.read("/v1/tree?on=2013-01-01")
    assert later["items"][-1]["pillar"] is None
    assert [node["code"] for node in later["items"][-1]["items"]] == ["C-5"]


async def test_an_objective_closed_over_open_parts_says_so(reporting: Installation) -> None:
    for on, closed_over in (("2011-08-31", False), ("2011-09-01", True)):
        tree = await reporting.read(f"/v1/tree?on={on}")
        assert found(tree["items"], "O-OWN")["closed_over_open_parts"] is closed_over
    assert found(tree["items"], "A-1")["closed_over_open_parts"] is False
    assert found(tree["items"], "C-4")["closed_over_open_parts"] is False


async def test_what_is_hidden_is_not_there_and_its_parts_stand_where_they_would_without_it(
    reporting: Installation,
) -> None:
    await reporting.told(
        ("A-1", VisibilityChanged(visibility=Visibility.RESERVED, previous=Visibility.PUBLIC, reason="r"))
    )
    tree = await reporting.read("/v1/tree?on=2012-12-31", role=None)
    assert found(tree["items"], "A-1") is None
    assert [node["code"] for node in tree["items"][-1]["items"]] == ["C-1", "C-2", "C-4"]
    assert tree["items"][-1]["pillar"] is None
    assert found(tree["items"], "C-3")["pillar"] == "HEALTH"
    assert found(tree["items"], "O-OWN")["below"]["registered"] == 3
    assert found((await reporting.read("/v1/tree?on=2012-12-31"))["items"], "A-1") is not None


async def test_the_tree_is_that_of_a_position(reporting: Installation, stage: Stage) -> None:
    assert (await reporting.read("/v1/tree?position=0"))["items"] == []
    head = stage.store.head()
    tree = await reporting.get(f"/v1/tree?on=2012-12-31&position={head}")
    again = await reporting.get(f"/v1/tree?on=2012-12-31&wait_for={head}")
    assert tree.content == again.content
