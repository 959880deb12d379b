"""The gaps between what decisions cost and the budget lines they ended in, by amount, as the budget office asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shared.events.meeting_vocabulary import BudgetRequest, Financing
from shared.events.meetings import BudgetImpact, BudgetLineTied
from shared.events.retractions import DecisionFactRetracted
from shared.identity.actor import Role
from tests.services.reporting.gatherings import Told, committee, decided, noon, tell
from tests.services.reporting.installation import Installation
from tests.services.reporting.stage import staged

AGREED, TIED = date(2012, 8, 14), date(2012, 9, 1)
DIPRES: dict[str, Any] = {"role": Role.DIPRES, "organization": "DIPRES"}
FIRST, LATER = BudgetRequest.FIRST, BudgetRequest.LATER
MOVED = Financing.REALLOCATION


def costing(tail: str, amount: str = "100", *whom: str, **more: Any) -> Told:
    impact: dict[str, Any] = {
        "amount": amount,
        "currency": "CLP",
        "fiscal_year": 2013,
        "financing": Financing.INCREASE,
    }
    return decided(
        f"SEG-2012-{tail}",
        AGREED,
        budget_impact=BudgetImpact(**impact | more),
        organizations=whom or ("MINSAL",),
    )


def tied(tail: str, amount: str, request: BudgetRequest = FIRST, **more: Any) -> Told:
    fields: dict[str, Any] = {"fiscal_year": 2013, "code": "24-01", "currency": "CLP", "effective_on": TIED}
    line = BudgetLineTied(**fields | {"amount": amount, "request": request} | more)
    return Told("decision", f"SEG-2012-{tail}", line)


STORY = (
    committee("SEG"),
    costing("one-peso"),
    tied("one-peso", "1"),
    costing("dollars"),
    tied("dollars", "100", currency="USD"),
    costing("two-lines"),
    tied("two-lines", "60.000001"),
    tied("two-lines", "39.999999", code="24-02"),
    costing("in-part-later"),
    tied("in-part-later", "40"),
    tied("in-part-later", "60", LATER, code="24-02"),
    costing("later", "100", "MINSAL", "MOP"),
    tied("later", "100", LATER),
    costing("other-year"),
    tied("other-year", "100", fiscal_year=2014),
    costing("over"),
    tied("over", "100.1"),
    costing("moved", financing=MOVED, reallocated_from=("11-07",)),
    costing("from-nowhere", financing=MOVED),
    tied("from-nowhere", "100"),
    costing("named-since", financing=MOVED),
    tied("named-since", "100", reallocated_from=("11-07",)),
    costing("large", "999999999999999999.999999"),
    tied("large", "999999999999999999.999998"),
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def reporting(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    folder: Path = tmp_path_factory.mktemp("gaps")
    url = f"sqlite:///{folder / 'bitacora.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("module_postgres_url")
    with staged(url) as stage:
        tell(stage, *STORY, now=noon(TIED))
        stage.follow()
        async with Installation(folder, stage).running() as running:
            yield running


async def gaps(reporting: Installation, query: str = "", **who: Any) -> dict[str, Any]:
    path = f"/v1/decisions/gaps?on=2012-10-01&days=1000{query}"
    answer: dict[str, Any] = await reporting.read(path, **who or DIPRES)
    return answer


@pytest.mark.parametrize(
    ("tail", "gap", "refined_by", "amount"),
    [
        ("one-peso", "no_line_in_first_request", ["short"], "99"),
        ("dollars", "no_line_in_first_request", ["other_currency"], "100"),
        ("in-part-later", "no_line_in_first_request", ["short"], "60"),
        ("later", "no_line_in_first_request", ["only_later"], "100"),
        ("other-year", "no_line_in_first_request", [], "100"),
        ("moved", "no_line_in_first_request", [], "100"),
        ("over", "over", [], "0.1"),
        ("from-nowhere", "source_not_named", [], None),
        ("large", "no_line_in_first_request", ["short"], "0.000001"),
    ],
)
async def test_a_budget_gap_goes_by_amount_year_and_currency(
    reporting: Installation, tail: str, gap: str, refined_by: list[str], amount: str | None
) -> None:
    items = (await gaps(reporting))["items"]
    ((found,),) = [item["gaps"] for item in items if item["number"] == f"SEG-2012-{tail}"]
    money = found["short_by"] or found["over_by"]
    assert (found["gap"], found["refined_by"]) == (gap, refined_by)
    assert money == (amount and {"amount": amount, "currency": "CLP"})
    assert (found["over_by"] is not None) == (gap == "over")


async def test_a_decision_whose_lines_add_up_has_no_gap(reporting: Installation) -> None:
    lacking = {item["number"] for item in (await gaps(reporting))["items"]}
    told = {one.code for one in STORY if one.kind == "decision"}
    assert told - lacking == {"SEG-2012-two-lines", "SEG-2012-named-since"}


@pytest.mark.parametrize(
    ("query", "tails"),
    [
        ("short", ["one-peso", "in-part-later", "large"]),
        ("only_later", ["later"]),
        ("other_currency,over", ["dollars", "over"]),
        ("source_not_named", ["from-nowhere"]),
        (
            "no_line_in_first_request",
            ["one-peso", "dollars", "in-part-later", "later", "other-year", "moved", "large"],
        ),
    ],
)
async def test_the_words_for_a_shortfall_are_filters_as_the_general_one_is(
    reporting: Installation, query: str, tails: list[str]
) -> None:
    answer = await gaps(reporting, f"&gap={query}")
    assert [item["number"].removeprefix("SEG-2012-") for item in answer["items"]] == tails


async def test_totals_go_by_organisation_and_what_is_lacking_by_year_and_currency(
    reporting: Installation,
) -> None:
    answer = await gaps(reporting)
    assert answer["rule"] == "budget_gaps_1"
    health, works = answer["totals"]["by_organization"]
    assert (health["organization"], works["organization"]) == ("MINSAL", "MOP")
    assert (health["decisions"], works["decisions"]) == (9, 1)
    assert health["by_gap"] == answer["totals"]["by_gap"]
    assert works["by_gap"]["no_line_in_first_request"] == works["by_gap"]["only_later"] == 1
    assert works["short_by"] == {"2013": [{"amount": "100", "currency": "CLP"}]}
    assert health["short_by"] == {"2013": [{"amount": "559.000001", "currency": "CLP"}]}


async def test_what_concerns_no_organisation_is_in_the_totals_as_none(
    sqlite_url: str, tmp_path: Path
) -> None:
    cost = BudgetImpact(amount="7", currency="CLP", fiscal_year=2013, financing=Financing.INCREASE)
    with staged(sqlite_url) as stage:
        tell(stage, committee("SEG"), costing("one"), now=noon(TIED))
        tell(stage, decided("SEG-2012-nobody", AGREED, budget_impact=cost, organizations=()), now=noon(TIED))
        stage.follow()
        async with Installation(tmp_path, stage).running() as reporting:
            totals = (await gaps(reporting))["totals"]["by_organization"]
    assert [(one["organization"], one["decisions"], one["short_by"]["2013"]) for one in totals] == [
        ("MINSAL", 1, [{"amount": "100", "currency": "CLP"}]),
        ("none", 1, [{"amount": "7", "currency": "CLP"}]),
    ]


async def test_before_the_lines_were_tied_the_gap_was_as_wide_as_the_impact(reporting: Installation) -> None:
    answer = await reporting.read("/v1/decisions/gaps?on=2012-08-31&gap=no_line_in_first_request", **DIPRES)
    assert len(answer["items"]) == sum(one.event.TYPE == "meetings.decision_agreed" for one in STORY)
    assert {gap["since_on"] for item in answer["items"] for gap in item["gaps"]} == {"2012-08-14"}


async def test_a_line_that_was_retracted_closes_no_gap_and_the_feed_tells_of_the_retraction(
    sqlite_url: str, tmp_path: Path
) -> None:
    number = "SEG-2012-one"
    with staged(sqlite_url) as stage:
        head = tell(stage, committee("SEG"), costing("one"), tied("one", "100"), now=noon(TIED)).last
        mistaken = DecisionFactRetracted(
            version=2, reason="Another decision's", retracted=BudgetLineTied.TYPE
        )
        last = tell(stage, Told("decision", number, mistaken), now=noon(date(2012, 9, 5))).last
        stage.follow()
        async with Installation(tmp_path, stage).running() as reporting:
            (item,) = (await gaps(reporting))["items"]
            ((gap, since),) = [(one["gap"], one["since_on"]) for one in item["gaps"]]
            assert (gap, since) == ("no_line_in_first_request", "2012-08-14")
            assert (await gaps(reporting, f"&position={head}"))["items"] == []
            (new,) = (await reporting.read(f"/v1/decisions/changes?after={head}", **DIPRES))["items"]
            assert new["learned"] == [{"what": "retracted", "position": last}]
            assert new["decision"]["budget_lines"] == []


async def test_who_may_not_know_of_a_decision_has_no_totals_of_it(reporting: Installation) -> None:
    answer = await reporting.read("/v1/decisions/gaps?on=2012-10-01", role=None)
    assert answer["totals"]["by_organization"] == []
