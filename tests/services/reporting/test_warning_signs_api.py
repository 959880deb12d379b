"""What makes a reader look twice, over everything: with its events, on any day, for whoever may know of them."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from services.commitments.commitment.model import Commitment
from services.reporting.queries.decision_items import Reader
from services.reporting.queries.moments import AsOf
from services.reporting.queries.signs import SignFilters, Subject, signs_as_of
from shared.aggregate.deadline_corrections import deadline_corrections
from shared.clock import Clock
from shared.eventlog import codec
from shared.events.commitments import (
    Completed,
    Corrected,
    DeadlineRevised,
    Evidence,
    PublicDeadline,
    Registered,
    VisibilityChanged,
)
from shared.events.meeting_vocabulary import BudgetRequest, DecisionKind
from shared.events.meetings import AgreedCommitment, BudgetLineTied, Effect
from shared.events.retractions import CommitmentFactRetracted
from shared.events.streams import stream_of
from shared.events.vocabulary import DeadlineKind, Visibility
from shared.identity.actor import Role
from shared.rules.commitment_warnings import commitment_signs
from tests.services.reporting.gatherings import Told, cost, decided, noon, tell
from tests.services.reporting.histories import Teller
from tests.services.reporting.installation import Installation
from tests.services.reporting.stage import EVERYTHING, Stage, staged
from tests.services.reporting.test_indicators_api import ANYBODY, RATE, STORY, commitment

END = len(STORY)
"""Events are counted from here: those of the indicator come before."""


@pytest.fixture
def stage(log_url: str) -> Iterator[Stage]:
    """A log of its own, on each engine."""
    with staged(log_url) as made:
        yield made


@pytest.fixture
async def reporting(stage: Stage, tmp_path: Any) -> AsyncIterator[Installation]:
    """The service over commitments, an indicator and a decision of which each has something to look at."""
    tell(stage, *STORY, now=noon(date(2013, 4, 1)))
    tell(stage, commitment("ROAD"), now=noon(date(2013, 4, 2)))
    none: dict[str, Any] = {
        "field": "public_deadline",
        "previous": {"on": "2013-12-31", "origin": None},
        "value": None,
    }
    tell(
        stage,
        Told("commitment", "ROAD", Corrected(**none, reason="None was given")),
        commitment("BRIDGE"),
        now=noon(date(2013, 4, 3)),
    )
    due = date(2013, 3, 31)
    moved = DeadlineRevised(
        deadline=DeadlineKind.PUBLIC, on=due, effective_on=date(2012, 5, 21), reason="Sooner"
    )
    retracted = CommitmentFactRetracted(version=2, reason="Never", retracted="commitments.deadline_revised")
    done = Completed(completed_on=date(2013, 4, 20), evidence=(Evidence(description="Opened"),))
    tell(
        stage,
        Told("commitment", "BRIDGE", moved),
        Told("commitment", "BRIDGE", retracted),
        Told("commitment", "SEG-1", done),
        now=noon(date(2013, 4, 4)),
    )
    impact: dict[str, Any] = {"visibility": Visibility.PUBLIC, "organizations": ("MININT",)}
    tell(
        stage,
        decided("SEG-2013-001", date(2013, 4, 2), budget_impact=cost(), commitments=("SEG-1",), **impact),
        now=noon(date(2013, 4, 5)),
    )
    stage.start_worker()
    stage.wait()
    async with Installation(tmp_path, stage).running() as running:
        yield running


async def signs(reporting: Installation, query: str = "", **who: Any) -> list[tuple[str, str, list[int]]]:
    """Of what which signs are told, with the events behind the story of the indicator counted from its end."""
    items = (await reporting.read(f"/v1/warning-signs?{query}", **ANYBODY | who))["items"]
    return [(one["code"], one["sign"], [event - END for event in one["events"]]) for one in items]


async def test_every_sign_is_told_with_its_events(reporting: Installation) -> None:
    expected = [
        ("BRIDGE", "deadline_corrected_after_due", [4, 5]),
        ("ROAD", "deadline_missing", [2]),
        ("SEG-2013-001", "no_line_in_first_request", [7]),
        (RATE, "target_moved_after_bad_figure", [-4, -2, -1]),
    ]
    found = await signs(reporting, "on=2013-04-30")
    assert [one[:2] for one in found] == [one[:2] for one in expected]
    assert found[:3] == expected[:3]
    items = (await reporting.read("/v1/warning-signs?on=2013-04-30", **ANYBODY))["items"]
    assert [one["organizations"] for one in items] == [["MININT"]] * 4
    assert [one["commitments"] for one in items] == [["BRIDGE"], ["ROAD"], ["SEG-1"], ["SEG-1"]]
    # A day before the deadline was set right, nothing of it was a sign; a line closes the gap from its own day on.
    assert [one[0] for one in await signs(reporting, "on=2013-04-01")] == ["ROAD", RATE]
    paged, asked = [], "/v1/warning-signs?on=2013-04-30&limit=1"
    while asked:
        page = await reporting.read(asked, **ANYBODY)
        assert len(page["items"]) == 1
        paged += page["items"]
        asked = page["next"]
    assert paged == items


async def test_pages_of_any_length_tell_the_same_signs(stage: Stage, reporting: Installation) -> None:
    codes = ("AVENUE", "BAY", "BEACH", "CANAL", "DAM")
    due = PublicDeadline(on=date(2012, 6, 30))
    later: dict[str, Any] = {"previous": {"on": "2012-06-30", "origin": None}, "value": {"on": "2013-12-31"}}
    corrected = Corrected(field="public_deadline", **later, reason="It was the year after")
    promised = (
        Told("commitment", code, replace(commitment(code).event, public_deadline=due)) for code in codes
    )
    tell(stage, *promised, now=noon(date(2013, 4, 6)))
    tell(stage, *(Told("commitment", code, corrected) for code in codes), now=noon(date(2013, 4, 7)))
    stage.wait()
    # On the first of these days the rows of corrected deadlines stand for no sign.
    for day in ("2013-04-01", "2013-04-30"):
        whole = (await reporting.read(f"/v1/warning-signs?on={day}&limit=200", **ANYBODY))["items"]
        assert whole
        for limit in (1, 2, 3, 5):
            paged, asked = [], f"/v1/warning-signs?on={day}&limit={limit}"
            while asked:
                page = await reporting.read(asked, **ANYBODY)
                paged += page["items"]
                asked = page["next"]
            assert paged == whole, (day, limit)


async def test_a_report_may_be_on_any_day_of_the_calendar(reporting: Installation) -> None:
    for day in ("0001-01-01", "0001-01-10", "9999-12-31"):
        assert await signs(reporting, f"on=2013-04-30&subject=indicator&reporting_on={day}")
        assert len(await signs(reporting, f"on=2013-04-30&reporting_on={day}")) == 4


async def test_signs_are_narrowed_by_what_they_are_of(reporting: Installation) -> None:
    on = "on=2013-04-30"
    for query, codes in {
        "subject=indicator": [RATE],
        "subject=commitment": ["BRIDGE", "ROAD"],
        "sign=deadline_missing,no_line_in_first_request": ["ROAD", "SEG-2013-001"],
        "commitment=SEG-1": ["SEG-2013-001", RATE],
        "commitment=ROAD": ["ROAD"],
        "organization=MININT": ["BRIDGE", "ROAD", "SEG-2013-001", RATE],
        "organization=INE": [],
        "reporting_on=2013-04-30&subject=commitment": ["BRIDGE", "ROAD", "SEG-1"],
        "reporting_on=2013-05-21&subject=commitment": ["BRIDGE", "ROAD"],
    }.items():
        assert [one[0] for one in await signs(reporting, f"{on}&{query}")] == codes, query
    assert await reporting.refused("/v1/warning-signs?sign=guilty") == (422, "filter-value-unknown")


async def test_a_sign_of_a_decision_names_what_it_is_found_by(reporting: Installation) -> None:
    day = date(2013, 4, 3)
    impact: dict[str, Any] = {"visibility": Visibility.PUBLIC, "budget_impact": cost()}

    def agreeing(number: str, code: str, **more: Any) -> Told:
        effect = Effect(commitment=AgreedCommitment(code=code, title=code, lead_organization="MININT"))
        return decided(number, day, kind=DecisionKind.AGREE_COMMITMENT, effect=effect, **impact | more)

    reserved = Registered(
        code="FEW",
        title="For few",
        lead_organization="MINSAL",
        visibility=Visibility.RESERVED,
        effective_on=date(2010, 5, 21),
    )
    told = tell(
        reporting.stage,
        Told("commitment", "FEW", reserved),
        agreeing("SEG-2013-002", "ROAD"),
        agreeing("SEG-2013-003", "ROAD", commitments=("FEW", "BRIDGE")),
        now=noon(date(2013, 4, 6)),
    )

    async def named(query: str, **who: Any) -> dict[str, list[str]]:
        asked = f"/v1/warning-signs?subject=decision&on=2013-04-30&wait_for={told.last}&{query}"
        return {
            one["code"]: one["commitments"] for one in (await reporting.read(asked, **ANYBODY | who))["items"]
        }

    dci = {"role": Role.DCI, "organization": "DCI"}
    assert await named("commitment=ROAD") == {"SEG-2013-002": ["ROAD"]}
    assert await named("commitment=BRIDGE") == {"SEG-2013-003": ["BRIDGE"]}
    both = {"SEG-2013-002": ["ROAD"], "SEG-2013-003": ["BRIDGE", "FEW", "ROAD"]}
    assert await named("commitment=ROAD", **dci) == both
    for who in (ANYBODY, dci):
        every = await named("", **who)
        for code in ("ROAD", "BRIDGE", "SEG-1"):
            assert {*await named(f"commitment={code}", **who)} == {
                one for one, of in every.items() if code in of
            }


async def test_a_sign_of_what_one_may_not_read_is_told_to_nobody_else(reporting: Installation) -> None:
    hidden = VisibilityChanged(
        visibility=Visibility.RESERVED, previous=Visibility.PUBLIC, reason="The law", effective_on=None
    )
    line = BudgetLineTied(
        fiscal_year=cost().fiscal_year,
        code="24",
        amount=cost().amount,
        currency=cost().currency,
        request=BudgetRequest.FIRST,
        effective_on=date(2013, 4, 20),
    )
    told = tell(
        reporting.stage,
        Told("commitment", "ROAD", hidden),
        Told("commitment", "SEG-1", hidden),
        Told("decision", "SEG-2013-001", line),
    )
    on = f"on=2013-04-30&wait_for={told.last}"
    assert [one[0] for one in await signs(reporting, on)] == ["BRIDGE"]
    concerned = await signs(reporting, on, role="ministry", organization="MININT")
    assert [one[0] for one in concerned] == ["BRIDGE", "ROAD", RATE]
    assert [one[0] for one in await signs(reporting, "on=2013-04-19")] == ["BRIDGE", "SEG-2013-001"]


@pytest.mark.parametrize("seed", range(2))
def test_any_commitment_has_the_signs_that_the_service_which_keeps_it_tells(stage: Stage, seed: int) -> None:
    draw = random.Random(seed)
    told = Teller(seed, "C").story(120)
    for start in range(0, len(told), 10):
        now = noon(date(2012, 1, 1) + timedelta(days=7 * start))
        stage.append(*told[start : start + 10], now=now)
    stage.follow()
    clock = Clock()
    with stage.read_model.reading() as reading:
        for position in (reading.position, *(draw.randint(1, reading.position) for _ in range(4))):
            at = AsOf(date(2031, 1, 1), position, None)
            filters = SignFilters(subject=[Subject.COMMITMENT])
            found, _ = signs_as_of(
                reading, stage.store, at, Reader(EVERYTHING, at.on), filters, day_of=clock.day_of, limit=200
            )
            expected = []
            for code in sorted({code for code, _ in told}):
                lines = stage.store.read_stream(stream_of("commitment", code), 0, position)
                kept = Commitment.fold([codec.decode(line, at) for at, line in lines])
                if kept is not None:
                    taken = [
                        (
                            one,
                            kept.retracted[one.event.version].entry.event,
                            kept.retracted[one.event.version].entry.position,
                        )
                        for one in kept.retractions
                    ]
                    corrections = deadline_corrections(
                        kept.dated, kept.began_position, kept.corrections, taken, clock.day_of
                    )
                    signs = commitment_signs(kept.dated, corrections, at.on)
                    expected += [(code, one.code.value, sorted(set(one.events))) for one in signs]
            assert sorted((one.code, one.sign, one.events) for one in found) == sorted(expected)
