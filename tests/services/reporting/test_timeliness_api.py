"""Reporting cycles: what was expected of whom, what came in time, what is waited for, how old what is known is."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from shared.events.commitments import (
    LeadReassigned,
    OrganizationRegistered,
    PillarRegistered,
    ProgressReported,
    ProgressReviewed,
    Registered,
)
from shared.events.cycles import CycleFrequency, CycleRegistered
from shared.events.meetings import ObservationAnswered, ObservationRaised
from shared.events.vocabulary import CommitmentKind, ReviewOutcome, Visibility
from shared.identity.actor import Role
from tests.services.reporting.gatherings import (
    Told,
    assigned,
    committee,
    convened,
    cost,
    decided,
    meeting_id,
    noon,
    tell,
)
from tests.services.reporting.installation import Installation, credentials
from tests.services.reporting.stage import Stage, staged

ANYBODY: dict[str, Any] = {"role": None}
FIRST = date(2011, 6, 1)
CYCLES = {
    "HALF": CycleFrequency.HALF_YEARLY,
    "QUARTERLY": CycleFrequency.QUARTERLY,
    "FOURS": CycleFrequency.FOUR_MONTHLY,
}
WORKS = {"role": Role.MINISTRY, "organization": "MOP"}


def promise(code: str, lead: str = "MOP", **more: Any) -> Told:
    """A commitment of June 2011."""
    fields: dict[str, Any] = {
        "code": code,
        "title": f"Title of {code}",
        "lead_organization": lead,
        "visibility": Visibility.PUBLIC,
        "effective_on": FIRST,
        "adviser": "ana",
    }
    return Told("commitment", code, Registered(**fields | more))


def report(code: str, number: int, period: str, received_on: date | None, **more: Any) -> Told:
    """A report for a period, handed in on a day."""
    event = ProgressReported(
        number=number,
        period=period,
        effective_on=FIRST,
        received_on=received_on,
        **{"observed_progress": "Under way"} | more,
    )
    return Told("commitment", code, event)


def review(code: str, number: int, outcome: ReviewOutcome, **more: Any) -> Told:
    """What was said of a report."""
    return Told("commitment", code, ProgressReviewed(report=number, outcome=outcome, **more))


def cycle(code: str, frequency: CycleFrequency, **more: Any) -> Told:
    """A cycle that gives twenty days."""
    event = CycleRegistered(code=code, name=code, frequency=frequency, days_to_report=20, **more)
    return Told("cycle", code, event)


@pytest.fixture
def stage(log_url: str) -> Iterator[Stage]:
    """A log of its own, on each engine."""
    with staged(log_url) as made:
        yield made


@pytest.fixture
async def reporting(stage: Stage, tmp_path: Any) -> AsyncIterator[Installation]:
    """The service over two commitments of 2012 and three cycles."""
    tell(
        stage,
        *(
            Told("organization", code, OrganizationRegistered(code=code, name=f"Name of {code}"))
            for code in ("MOP", "MINSAL")
        ),
        Told("pillar", "ROADS", PillarRegistered(code="ROADS", name="Roads")),
        *(cycle(code, frequency) for code, frequency in CYCLES.items()),
        promise("ROAD", pillar="ROADS"),
        promise("PORT", kind=CommitmentKind.ACTION, adviser="eva"),
        promise("SECRET", "MINSAL", visibility=Visibility.RESERVED),
        now=noon(date(2011, 6, 1)),
    )
    stage.start_worker()
    stage.wait()
    async with Installation(tmp_path, stage).running() as running:
        yield running


async def counts(reporting: Installation, query: str, **who: Any) -> list[list[Any]]:
    """Each group with the numbers of it: expected, on time, late, missing, awaited, returned."""
    answer = await reporting.read(f"/v1/timeliness?{query}", **who)
    names = ("expected", "on_time", "late", "missing", "awaited", "returned")
    keys = ("cycle", "period", "organization", "adviser")
    return [
        [*(one[key] for key in keys if key in one), *(one[name] for name in names)]
        for one in [*answer["items"], answer["totals"]]
    ]


async def told(reporting: Installation, *events: Told, on: date) -> None:
    position = await asyncio.to_thread(lambda: tell(reporting.stage, *events, now=noon(on)).last)
    await asyncio.to_thread(reporting.stage.wait, position)


async def test_the_cycles_expect_two_four_and_three_reports_of_a_year(reporting: Installation) -> None:
    found = await counts(reporting, "group_by=cycle&from=2012-01-01&to=2012-12-31&on=2013-04-30", **ANYBODY)
    assert found == [
        ["FOURS", 6, 0, 0, 6, 0, 0],
        ["HALF", 4, 0, 0, 4, 0, 0],
        ["QUARTERLY", 8, 0, 0, 8, 0, 0],
        [18, 0, 0, 18, 0, 0],
    ]
    everything = await counts(reporting, "cycle=HALF&from=2012-01-01&to=2012-12-31&on=2013-04-30")
    assert everything == [[6, 0, 0, 6, 0, 0]]


async def test_the_first_report_that_was_not_sent_back_counts_by_the_day_it_was_received(
    reporting: Installation,
) -> None:
    await told(
        reporting,
        report("ROAD", 1, "2012-Q1", date(2012, 4, 20)),
        report("ROAD", 2, "2012-Q2", date(2012, 7, 21), no_change=True, observed_progress=None),
        report("ROAD", 3, "2012-Q3", date(2012, 10, 5)),
        report("PORT", 1, "2012-Q1", date(2012, 4, 1)),
        on=date(2012, 10, 10),
    )
    await told(
        reporting,
        review("ROAD", 3, ReviewOutcome.RETURNED, reason="Too short"),
        review("PORT", 1, ReviewOutcome.RETURNED, reason="Too short"),
        on=date(2012, 10, 11),
    )
    # Whoever names no day handed it in when it was recorded.
    await told(reporting, report("PORT", 2, "2012-Q1", None), on=date(2012, 10, 12))
    year = "cycle=QUARTERLY&group_by=period&from=2012-01-01&to=2012-12-31"
    assert await counts(reporting, f"{year}&on=2012-10-10", **ANYBODY) == [
        ["2012-Q1", 2, 2, 0, 0, 0, 0],
        ["2012-Q2", 2, 0, 1, 1, 0, 0],
        ["2012-Q3", 2, 1, 0, 0, 1, 0],
        [6, 3, 1, 1, 1, 0],
    ]
    assert await counts(reporting, f"{year}&on=2012-10-20", **ANYBODY) == [
        ["2012-Q1", 2, 1, 1, 0, 0, 0],
        ["2012-Q2", 2, 0, 1, 1, 0, 0],
        ["2012-Q3", 2, 0, 0, 0, 2, 1],
        [6, 1, 2, 1, 2, 1],
    ]
    (last,) = [one for one in await counts(reporting, f"{year}&on=2012-10-21") if one[0] == "2012-Q3"]
    assert last == ["2012-Q3", 2 + 1, 0, 0, 3, 0, 1]


async def test_a_report_is_expected_of_who_leads_on_the_last_day_of_the_period_and_advises_then(
    reporting: Installation,
) -> None:
    moved = LeadReassigned(
        lead_organization="MINSAL", previous="MOP", effective_on=date(2012, 6, 30), reason="So it is"
    )
    await told(reporting, Told("commitment", "ROAD", moved), on=date(2012, 7, 1))
    half = "cycle=HALF&from=2011-06-30&to=2012-12-31&on=2013-04-30"
    assert await counts(reporting, f"{half}&group_by=organization", **ANYBODY) == [
        ["MINSAL", 2, 0, 0, 2, 0, 0],
        ["MOP", 6, 0, 0, 6, 0, 0],
        [8, 0, 0, 8, 0, 0],
    ]
    assert (await counts(reporting, f"{half}&organization=MINSAL", **ANYBODY))[-1][0] == 2
    assert (await counts(reporting, f"{half}&adviser=eva", **WORKS))[-1][0] == 4
    assert [one[0] for one in await counts(reporting, f"{half}&group_by=adviser", **WORKS)] == [
        *("ana", "eva"),
        8,
    ]
    for query in ("adviser=eva", "group_by=adviser"):
        assert await reporting.refused(f"/v1/timeliness?{query}", **ANYBODY) == (422, "people-not-public")


async def test_a_cycle_is_laid_down_described_anew_and_applies_to_what_it_names(
    reporting: Installation,
) -> None:
    async def put(code: str, body: dict[str, Any], role: Role = Role.DCI, **headers: str) -> Any:
        sent = credentials(reporting.settings, reporting.now, role) | headers
        return await reporting.http.put(f"/v1/cycles/{code}", json=body, headers=sent)

    body: dict[str, Any] = {
        "name": "Monthly",
        "frequency": "monthly",
        "days_to_report": 5,
        "pillars": ["ROADS"],
        "in_force_from": "2012-02-01",
        "ended_on": "2012-12-30",
    }
    laid_down = await put("MONTHLY", body)
    assert laid_down.status_code == 201, laid_down.text
    path = "/v1/timeliness?cycle=MONTHLY&from=2012-01-01&to=2012-12-31&on=2013-04-30"
    waiting = f"{path}&wait_for={laid_down.headers['log-position']}"
    assert (await reporting.read(waiting, **ANYBODY))["totals"]["expected"] == 10
    same = await put("monthly", body)
    assert (same.status_code, same.json()["code"]) == (200, "MONTHLY")
    other = body | {"pillars": [], "organizations": ["MOP"], "kinds": ["action"], "in_force_from": None}
    assert (await put("MONTHLY", other)).status_code == 428
    changed = await put("Monthly", other, **{"If-Match": laid_down.headers["etag"]})
    assert changed.status_code == 201, changed.text
    waiting = f"{path}&wait_for={changed.headers['log-position']}"
    assert (await reporting.read(waiting, **ANYBODY))["totals"]["expected"] == 11
    listed = (await reporting.read("/v1/cycles"))["items"]
    assert [one["code"] for one in listed] == ["FOURS", "HALF", "MONTHLY", "QUARTERLY"]
    assert (await reporting.read("/v1/cycles/monthly"))["kinds"] == ["action"]
    assert (await put("OTHER", body, Role.MINISTRY)).status_code == 403
    for wrong, code in (
        ({"pillars": ["NONE"]}, "unknown-pillar"),
        ({"organizations": ["NONE"]}, "unknown-organization"),
        ({"ended_on": "2011-01-01"}, "days-reversed"),
        ({"days_to_report": 0}, "days-out-of-range"),
    ):
        refused = await put("OTHER", body | wrong)
        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (422, code)


async def test_what_is_waited_for_is_told_in_one_list(reporting: Installation) -> None:
    impact: dict[str, Any] = {"visibility": Visibility.INTERNAL, "organizations": ("MOP",)}
    await told(
        reporting,
        report("ROAD", 1, "2012-H2", date(2013, 1, 10)),
        report("PORT", 1, "2012-H1", date(2012, 7, 10)),
        review("PORT", 1, ReviewOutcome.RETURNED, reason="Too short"),
        decided("SEG-2013-001", date(2013, 1, 9), budget_impact=cost(), **impact),
        assigned("T-1", "MOP", date(2013, 1, 9), date(2013, 1, 31), visibility=Visibility.INTERNAL),
        on=date(2013, 1, 11),
    )
    on = "on=2013-02-10"

    async def due(query: str, **who: Any) -> list[tuple[Any, ...]]:
        found, asked = [], f"/v1/due?limit=2&{query}"
        while asked:
            page = await reporting.read(asked, **who)
            assert len(page["items"]) <= 2
            found += page["items"]
            asked = page["next"]
        return [(one["kind"], one["what"], one.get("period"), one["overdue_days"]) for one in found]

    own = await due(f"{on}&kind=report,action_item", **WORKS)
    halves = [one for one in own if (one[2] or "").startswith("2012-H")]
    assert halves == [
        ("report", "ROAD", "2012-H1", (date(2013, 2, 10) - date(2012, 7, 20)).days),
        ("report", "PORT", "2012-H1", (date(2013, 2, 10) - date(2012, 7, 20)).days),
        ("report", "PORT", "2012-H2", (date(2013, 2, 10) - date(2013, 1, 20)).days),
    ]
    (task,) = [one for one in own if one[0] == "action_item"]
    assert task[3] == 10
    assert await due(f"{on}&kind=review,acknowledgement", **WORKS) == []
    assert await due(f"{on}&kind=review,acknowledgement") == [("review", "ROAD", "2012-H2", 0)]
    minutes = Told("meeting", "M-9", ObservationRaised(number=1, draft=1, text="It was said otherwise"))
    await told(
        reporting, committee("SEG"), convened("SEG", "M-9", date(2013, 1, 9)), minutes, on=date(2013, 1, 12)
    )
    answer = Told("meeting", "M-9", ObservationAnswered(number=1, accepted=True, answer="So it was"))
    await told(reporting, answer, on=date(2013, 2, 11))
    assert await due(f"{on}&kind=answer") == [("answer", str(meeting_id("M-9")), None, 0)]
    assert await due("on=2013-02-11&kind=answer") == await due(f"{on}&kind=answer", **WORKS) == []
    office: dict[str, Any] = {"role": Role.DIPRES, "organization": "DIPRES"}
    assert await due(on, **office) == [("acknowledgement", "SEG-2013-001", None, 0)]
    assert await due(f"{on}&organization=MOP") == own
    pending = (await reporting.read(f"/v1/progress-reports?review=pending&{on}", **WORKS))["items"]
    assert [(one["commitment"], one["number"], one["days"]) for one in pending] == [("ROAD", 1, 31)]
    returned = (await reporting.read(f"/v1/progress-reports?review=returned&{on}", **WORKS))["items"]
    assert [(one["commitment"], one["review"]["reason"]) for one in returned] == [("PORT", "Too short")]
    assert (await reporting.get("/v1/progress-reports", **ANYBODY)).status_code == 401
    stale = (await reporting.read(f"/v1/staleness?{on}", **ANYBODY))["items"]
    assert [(one["commitment"], one["days"]) for one in stale] == [("PORT", None), ("ROAD", 31)]
    load = await reporting.read(f"/v1/load?{on}", **WORKS)
    assert [(one["adviser"], one["open"]) for one in load["advisers"]] == [("ana", 1), ("eva", 1)]
    assert [(one["organization"], one["open"], one["over"]) for one in load["organizations"]] == [
        ("MOP", 2, 0)
    ]


def plainly(told: list[Told], cycle: str, on: date, last: date) -> Counter[str]:
    """What came of the reports for 2012 by a day, found one commitment and period at a time."""
    ends = {
        "HALF": {"2012-H1": date(2012, 6, 30), "2012-H2": date(2012, 12, 31)},
        "QUARTERLY": {
            "2012-Q1": date(2012, 3, 31),
            "2012-Q2": date(2012, 6, 30),
            "2012-Q3": date(2012, 9, 30),
            "2012-Q4": date(2012, 12, 31),
        },
    }
    found: Counter[str] = Counter()
    for code in ("ROAD", "PORT"):
        for period, end in ends[cycle].items():
            if end > min(on, last):
                continue
            found["expected"] += 1
            sent_back = {
                one.event.report
                for one in told
                if one.code == code
                and isinstance(one.event, ProgressReviewed)
                and one.event.outcome is ReviewOutcome.RETURNED
            }
            days = [
                one.event.received_on
                for one in told
                if one.code == code
                and isinstance(one.event, ProgressReported)
                and one.event.period == period
                and one.event.number not in sent_back
                and one.event.received_on is not None
                and one.event.received_on <= on
            ]
            due = end + timedelta(days=20)
            if days:
                found["on_time" if min(days) <= due else "late"] += 1
            else:
                found["missing" if on > due else "awaited"] += 1
    return found


async def test_any_reports_are_counted_as_a_plain_count_would(reporting: Installation) -> None:
    draw = random.Random(7)
    story: list[Told] = []
    numbers: Counter[str] = Counter()
    for _ in range(40):
        code = draw.choice(("ROAD", "PORT"))
        numbers[code] += 1
        period = draw.choice(("2012-H1", "2012-H2", "2012-Q1", "2012-Q2", "2012-Q3", "2012-Q4"))
        day = date(2012, 1, 5) + timedelta(days=draw.randrange(400))
        story.append(report(code, numbers[code], period, day))
        if draw.random() < 0.6:
            outcome = draw.choice(list(ReviewOutcome))
            story.append(review(code, numbers[code], outcome, reason="r"))
    # All are reviewed on the day they came or before, so that on every day a review is known that there is.
    await told(reporting, *story, on=date(2012, 1, 4))
    for _ in range(12):
        on = date(2012, 3, 1) + timedelta(days=draw.randrange(420))
        for cycle_code in ("HALF", "QUARTERLY"):
            query = f"cycle={cycle_code}&from=2012-01-01&to=2012-12-31&on={on}"
            (found,) = await counts(reporting, query, **ANYBODY)
            expected = plainly(story, cycle_code, on, date(2012, 12, 31))
            names = ("expected", "on_time", "late", "missing", "awaited")
            assert found[:5] == [expected[name] for name in names], (cycle_code, on)
    followed = reporting.stage.rows()
    await asyncio.to_thread(reporting.stage.stop_workers)
    await asyncio.to_thread(reporting.stage.rebuild)
    assert reporting.stage.rows() == followed
