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
    before = await asyncio.to_thread(reporting.stage.store.head)
    await told(reporting, report("PORT", 2, "2012-Q1", None), on=date(2012, 10, 12))
    year = "cycle=QUARTERLY&group_by=period&from=2012-01-01&to=2012-12-31"
    # A review speaks of its report from the first day of that on; before it was told, nobody knew.
    assert await counts(reporting, f"{year}&on=2012-10-10&position={before - 2}", **ANYBODY) == [
        ["2012-Q1", 2, 2, 0, 0, 0, 0],
        ["2012-Q2", 2, 0, 1, 1, 0, 0],
        ["2012-Q3", 2, 1, 0, 0, 1, 0],
        [6, 3, 1, 1, 1, 0],
    ]
    assert await counts(reporting, f"{year}&on=2012-10-10", **ANYBODY) == [
        ["2012-Q1", 2, 1, 0, 1, 0, 1],
        ["2012-Q2", 2, 0, 1, 1, 0, 0],
        ["2012-Q3", 2, 0, 0, 0, 2, 1],
        [6, 1, 1, 2, 2, 2],
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
    # What was said of a report holds from its first day on, whenever that was said.
    await told(
        reporting, *(one for one in story if isinstance(one.event, ProgressReported)), on=date(2013, 4, 28)
    )
    reviews = [one for one in story if isinstance(one.event, ProgressReviewed)]
    await told(reporting, *reviews, on=date(2013, 4, 29))
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


async def test_on_any_day_every_answer_says_the_same_of_the_review_of_a_report(
    reporting: Installation,
) -> None:
    draw = random.Random(11)
    outcome: dict[tuple[str, int], str] = {}
    received: dict[tuple[str, int], date] = {}
    for code in ("ROAD", "PORT"):
        for number in range(1, 9):
            day = date(2012, 4, 5) + timedelta(days=draw.randrange(200))
            received[code, number] = day
            handed_in = report(code, number, "2012-Q1", day, stage=f"{code} {number}")
            await told(reporting, handed_in, on=date(2013, 1, 10))
            for _ in range(draw.randrange(3)):
                said = draw.choice(list(ReviewOutcome))
                outcome[code, number] = said.value
                await told(reporting, review(code, number, said, reason="r"), on=date(2013, 4, 20))
    assert {*outcome.values()} == {*ReviewOutcome}
    for on in (date(2012, 4, 4) + timedelta(days=step) for step in (0, 20, 60, 130, 210, 388)):
        there = {one for one, day in received.items() if day <= on}

        async def listed(what: str, on: date = on) -> list[Any]:
            items: list[Any] = (await reporting.read(f"/v1/{what}&limit=200&on={on}"))["items"]
            return items

        by_review = {
            (one["commitment"], one["number"]): one["review"] and one["review"]["outcome"]
            for one in await listed("progress-reports?period=2012-Q1")
        }
        assert by_review == {one: outcome.get(one) for one in there}
        for word in ("pending", *ReviewOutcome):
            admitted = {
                (one["commitment"], one["number"]) for one in await listed(f"progress-reports?review={word}")
            }
            assert admitted == {one for one in there if outcome.get(one, "pending") == word}
        awaited = {(one["what"], one["report"]) for one in await listed("due?kind=review")}
        assert awaited == {one for one in there if one not in outcome}
        stale = {one["commitment"]: one["reported_on"] for one in await listed("staleness?organization=MOP")}
        totals = (
            await reporting.read(f"/v1/timeliness?cycle=QUARTERLY&from=2012-03-01&to=2012-03-31&on={on}")
        )["totals"]
        returned = 0
        for code in ("ROAD", "PORT"):
            heard = {one for one in there if one[0] == code and outcome.get(one) != "returned"}
            sent_back = {one for one in there if one[0] == code} - heard
            assert stale[code] == (str(max(received[one] for one in heard)) if heard else None)
            returned += bool(sent_back and not heard)
            page = await reporting.read(f"/v1/commitments/{code}?on={on}")
            accepted = {(code, one["number"]) for one in page["accepted_reports"]}
            # A report speaks from its effective day, and is there to be reviewed once it was received.
            assert accepted & there == {
                one for one in there if one[0] == code and outcome.get(one) == "accepted"
            }
        assert totals["returned"] == returned


async def test_a_filter_by_what_nothing_has_is_refused_as_one_by_what_is_hidden(
    reporting: Installation,
) -> None:
    hidden = promise(
        "HIDDEN", "MINSAL", visibility=Visibility.RESERVED, adviser="zoe", key_words=("secreto",)
    )
    await told(reporting, hidden, promise("NOBODYS", adviser=None, key_words=("Niñez",)), on=date(2012, 1, 1))
    for path in ("/v1/timeliness?", "/v1/board?", "/v1/commitments?"):
        for asked in ("adviser=nobody", "adviser=ana,zoe"):
            assert await reporting.refused(f"{path}{asked}", **WORKS) == (422, "filter-value-unknown"), path
        assert (await reporting.get(f"{path}adviser=zoe")).status_code == 200
        assert await reporting.refused(f"{path}adviser=zoe", **ANYBODY) == (422, "people-not-public")
    for path in ("/v1/board?", "/v1/commitments?"):
        for word in ("nada", "secreto"):
            answer = await reporting.get(f"{path}key_word={word}", **ANYBODY)
            assert answer.json()["detail"] == f"Nothing on record has '{word}' as its key_word."
        assert (await reporting.read(f"{path}key_word=NINEZ", **ANYBODY))["items"]
        assert (await reporting.read(f"{path}key_word=secreto"))["items"]
    assert await reporting.refused("/v1/timeliness?cycle=HALF,nope") == (422, "filter-value-unknown")
    everything = (await reporting.read("/v1/timeliness?cycle=half&on=2013-04-30"))["totals"]
    assert everything["expected"] == 0
    assert (await reporting.read("/v1/timeliness?cycle=half&from=2012-01-01&on=2013-04-30"))["totals"][
        "expected"
    ]
    assert await reporting.refused("/v1/due?organization=MOP,MINSAL") == (422, "filter-value-unknown")
    assert (await reporting.refused("/v1/progress-reports?period=nope"))[0] == 422


async def test_days_the_wrong_way_round_are_refused_wherever_there_are_two(reporting: Installation) -> None:
    for path in (
        "timeliness?from=2013-01-01&to=2012-01-01",
        "timeliness?from=2013-05-01&on=2013-04-30",
        "board/changes?from=2013-01-01&to=2012-01-01",
        "meeting-register?from=2013-01-01&to=2012-01-01",
        "board?deadline_from=2013-01-01&deadline_to=2012-01-01",
        "commitments?deadline_from=2013-01-01&deadline_to=2012-01-01",
    ):
        assert await reporting.refused(f"/v1/{path}") == (422, "days-reversed"), path


async def test_a_group_of_what_nobody_is_named_for_says_null(reporting: Installation) -> None:
    await told(reporting, promise("NOBODYS", adviser=None), on=date(2012, 1, 1))
    load = await reporting.read("/v1/load?on=2012-06-30", **WORKS)
    assert [one["adviser"] for one in load["advisers"]] == [None, "ana", "eva"]
    assert all("organization" not in one for one in load["advisers"])
    assert all("adviser" not in one for one in load["organizations"])
    timely = await reporting.read("/v1/timeliness?group_by=adviser,organization&on=2012-06-30", **WORKS)
    assert {one["adviser"] for one in timely["items"]} == {None, "ana", "eva"}
    assert "adviser" not in timely["totals"]
