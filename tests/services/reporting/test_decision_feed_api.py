"""The budget office's feed of decisions, and the gaps in their record, as a client sees them, on both engines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shared.events.commitments import (
    DecisionCarriedOut,
    DecisionUnresolved,
    DecisionWaived,
    Done,
    Registered,
)
from shared.events.meeting_vocabulary import Acknowledgement, BudgetRequest, DecisionKind
from shared.events.meetings import (
    AgreedCommitment,
    AgreedDeadline,
    AgreedMerger,
    BudgetLineTied,
    DecisionAcknowledged,
    DecisionAmended,
    DecisionPublished,
    Effect,
)
from shared.events.vocabulary import DeadlineKind, Visibility
from shared.identity.actor import Role
from tests.services.reporting.gatherings import (
    Told,
    bilateral,
    committee,
    convened,
    cost,
    decided,
    noon,
    tell,
)
from tests.services.reporting.installation import Installation
from tests.services.reporting.stage import Stage, staged

DAY = date(2012, 8, 14)
DIPRES: dict[str, Any] = {"role": Role.DIPRES, "organization": "DIPRES"}
OUTSIDER: dict[str, Any] = {"role": Role.MINISTRY, "organization": "MOP"}
NOBODY: dict[str, Any] = {"role": None}
HEALTH: dict[str, Any] = {"role": Role.MINISTRY, "organization": "MINSAL"}
RESERVED: dict[str, Any] = {
    "visibility": Visibility.RESERVED,
    "organizations": ("MINSAL",),
    "meeting": "M-2",
}
FIRST, LATER = BudgetRequest.FIRST, BudgetRequest.LATER
PUBLISHED = DecisionPublished(
    visibility=Visibility.PUBLIC, previous=Visibility.RESERVED, reason="The law asks for it"
)


def said(number: str, outcome: Acknowledgement = Acknowledgement.AGREED, remarks: str | None = None) -> Told:
    """The budget office said something of a decision."""
    return Told("decision", number, DecisionAcknowledged(outcome=outcome, remarks=remarks))


def tied(number: str, request: BudgetRequest, *, code: str = "24-03", year: int = 2013) -> Told:
    """A decision was tied to a budget line."""
    return Told(
        "decision",
        number,
        BudgetLineTied(fiscal_year=year, code=code, amount="1200.5", currency="CLP", request=request),
    )


def amended(number: str, erratum: int = 1) -> Told:
    """An erratum concerns a decision."""
    return Told(
        "decision",
        number,
        DecisionAmended(erratum=erratum, reads="200", should_read="300", reason="Typed wrong"),
    )


COMMITMENT = Registered(
    code="HID-1",
    title="Hidden",
    lead_organization="MINSAL",
    visibility=Visibility.RESERVED,
    effective_on=DAY,
)
NEW = Effect(commitment=AgreedCommitment(code="HID-1", title="Hidden", lead_organization="MINSAL"))
LATER_DAY = Effect(deadline=AgreedDeadline(deadline=DeadlineKind.PUBLIC, on=date(2014, 3, 1)))
STORY: tuple[tuple[date, tuple[Told, ...]], ...] = (
    (
        DAY,
        (
            Told("commitment", "HID-1", COMMITMENT),
            committee("SEG"),
            bilateral("BIL-SAL", "MINSAL"),
            convened("SEG", "M-1", DAY),
            convened(
                "BIL-SAL", "M-2", DAY, visibility=Visibility.RESERVED, organizations=("MINSAL", "MINEDUC")
            ),
            decided("SEG-2012-001", DAY, organizations=("MINSAL", "MOP")),
            decided("BIL-SAL-2012-001", DAY, budget_impact=cost(), **RESERVED),
            decided("BIL-SAL-2012-002", DAY, kind=DecisionKind.AGREE_COMMITMENT, effect=NEW, **RESERVED),
            decided(
                "BIL-SAL-2012-003",
                DAY,
                kind=DecisionKind.REVISE_DEADLINE,
                commitments=("HID-1",),
                effect=LATER_DAY,
                budget_impact=cost(2014),
                **RESERVED,
            ),
        ),
    ),
    (date(2012, 8, 20), (said("SEG-2012-001"),)),
    (date(2012, 8, 22), (said("BIL-SAL-2012-001", Acknowledgement.DISPUTED, "Not that much"),)),
    (date(2012, 9, 1), (tied("BIL-SAL-2012-001", FIRST), tied("BIL-SAL-2012-003", FIRST))),
    (date(2012, 9, 15), (amended("SEG-2012-001"), amended("SEG-2012-001", 2))),
    (date(2012, 10, 1), (tied("BIL-SAL-2012-001", LATER), said("BIL-SAL-2012-001"))),
)


def tell_story(stage: Stage) -> None:
    """Tells it and brings the read model up to date."""
    for day, told in STORY:
        tell(stage, *told, now=noon(day))
    stage.follow()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def reporting(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    """The service over the story, running, on each engine in turn: to be read only."""
    folder = tmp_path_factory.mktemp("feed")
    url = f"sqlite:///{folder / 'bitacora.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("module_postgres_url")
    with staged(url) as stage:
        tell_story(stage)
        stage.on_record("organization", "MOP", "MINSAL", "MINEDUC", "DIPRES")
        async with Installation(folder, stage).running() as running:
            yield running


@pytest.fixture
async def growing(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Installation]:
    """The service over a story that goes on."""
    with staged(sqlite_url) as stage:
        tell_story(stage)
        stage.on_record("organization", "MOP", "MINSAL", "MINEDUC", "DIPRES")
        stage.start_worker()
        async with Installation(tmp_path, stage).running() as running:
            yield running


async def more(reporting: Installation, *told: Told) -> int:
    """Tell more, and wait until it is known."""
    appended = tell(reporting.stage, *told, now=reporting.now)
    await asyncio.to_thread(reporting.stage.wait, appended.last)
    return appended.last


def numbers(answer: Any) -> list[str]:
    """Which decisions an answer is of."""
    return [item["number"] for item in answer["items"]]


async def test_the_feed_tells_a_decision_with_everything_beside_it(reporting: Installation) -> None:
    answer = await reporting.read("/v1/decisions", **DIPRES)
    assert (answer["scope"], answer["next"]) == ("everything", None)
    assert numbers(answer) == [
        "SEG-2012-001",
        "BIL-SAL-2012-001",
        "BIL-SAL-2012-002",
        "BIL-SAL-2012-003",
    ]
    committees, money, _, deadline = answer["items"]
    assert [one["number"] for one in committees["errata"]] == [1, 2]
    assert committees["acknowledgement"]["told_on"] == "2012-08-20"
    assert committees["body_name"] == "Committee SEG"
    assert money["budget_impact"] == {
        "amount": "1200.5",
        "currency": "CLP",
        "fiscal_year": 2013,
        "financing": "reallocation",
        "reallocated_from": ["24-09"],
    }
    assert (money["acknowledgement"]["outcome"], money["acknowledgement"]["organization"]) == (
        "agreed",
        "DCI",
    )
    assert [(line["code"], line["request"]) for line in money["budget_lines"]] == [("24-03", "later")]
    assert deadline["commitments"] == ["HID-1"]
    assert deadline["effect"] == {"deadline": {"deadline": "public", "on": "2014-03-01"}}
    assert deadline["outcome"] is None


async def test_the_feed_tells_what_became_of_a_decision(growing: Installation) -> None:
    done = Done(type="commitments.registered", version=1, commitment="HID-1")
    await more(
        growing,
        Told(
            "decision-outcome",
            "BIL-SAL-2012-002",
            DecisionUnresolved(
                decision="BIL-SAL-2012-002", code="code-taken", reason="There is one", commitment="HID-1"
            ),
        ),
        Told(
            "decision-outcome",
            "BIL-SAL-2012-003",
            DecisionUnresolved(decision="BIL-SAL-2012-003", code="closed", reason="It is over"),
        ),
        Told("decision-outcome", "SEG-2012-001", DecisionCarriedOut(decision="SEG-2012-001", did=())),
        Told(
            "decision-outcome",
            "BIL-SAL-2012-002",
            DecisionCarriedOut(decision="BIL-SAL-2012-002", did=(done,), remarks="Renamed"),
        ),
        Told(
            "decision-outcome",
            "BIL-SAL-2012-003",
            DecisionWaived(decision="BIL-SAL-2012-003", remarks="Overtaken"),
        ),
        Told("decision", "BIL-SAL-2012-002", PUBLISHED),
    )
    answer = await growing.read("/v1/decisions", **DIPRES)
    states = {item["number"]: item["outcome"] and item["outcome"]["state"] for item in answer["items"]}
    assert states == {
        "SEG-2012-001": "carried_out",
        "BIL-SAL-2012-001": None,
        "BIL-SAL-2012-002": "resolved",
        "BIL-SAL-2012-003": "waived",
    }
    for word, tail in {"none": "001", "resolved": "002", "waived": "003", "unresolved": None}.items():
        path = f"/v1/decisions?body=BIL-SAL&outcome={word}"
        assert [number[-3:] for number in numbers(await growing.read(path, **DIPRES))] == (
            [tail] if tail else []
        )
    # What it did is of the day it was agreed; it was waived today.
    then = await growing.read("/v1/decisions?on=2012-08-14", **DIPRES)
    assert [item["outcome"] and item["outcome"]["state"] for item in then["items"]] == [
        "carried_out",
        None,
        "resolved",
        "unresolved",
    ]
    resolved = answer["items"][2]["outcome"]
    assert resolved["did"] == [{"type": "commitments.registered", "version": 1, "commitment": "HID-1"}]
    assert (resolved["difficulty"]["code"], resolved["remarks"]) == ("code-taken", "Renamed")
    # The decision is open to all now; that the commitment is there still is not.
    for who in (OUTSIDER, NOBODY):
        response = await growing.get("/v1/decisions?kind=agree_commitment", **who)
        assert b"HID-1" not in response.content
        (item,) = response.json()["items"]
        assert item["outcome"]["state"] == "resolved"
        assert [item["effect"], item["meeting"], item["body_name"], item["outcome"]["did"]] == [None] * 4


@pytest.mark.parametrize(
    ("query", "tails"),
    [
        ("organization=MOP", ["G-2012-001"]),
        ("organization=MINSAL&body=SEG", ["G-2012-001"]),
        ("organization=MINSAL,MOP", ["G-2012-001", "L-2012-001", "L-2012-002", "L-2012-003"]),
        ("organization=DIPRES", []),
        ("acknowledged=true", ["G-2012-001", "L-2012-001"]),
        ("acknowledged=false", ["L-2012-002", "L-2012-003"]),
        ("acknowledged=disputed", []),
        ("acknowledged=disputed&on=2012-08-31", ["L-2012-001"]),
        ("acknowledged=false&on=2012-08-21", ["L-2012-001", "L-2012-002", "L-2012-003"]),
        ("on=2012-08-13", []),
        ("commitment=HID-1", ["L-2012-002", "L-2012-003"]),
        ("commitment=HID-1&kind=agree_commitment", ["L-2012-002"]),
        ("outcome=none", ["G-2012-001", "L-2012-001", "L-2012-002", "L-2012-003"]),
        ("outcome=carried_out,unresolved,resolved,waived", []),
        ("has_budget_impact=true", ["L-2012-001", "L-2012-003"]),
        ("has_budget_impact=false", ["G-2012-001", "L-2012-002"]),
        ("fiscal_year=2014", ["L-2012-003"]),
        ("kind=agree_commitment,revise_deadline", ["L-2012-002", "L-2012-003"]),
        ("agreed_since=2012-08-14&body=SEG", ["G-2012-001"]),
        ("agreed_since=2012-08-15", []),
        ("known_at=2012-08-21T00:00:00Z&acknowledged=true", ["G-2012-001"]),
        ("position=6", ["G-2012-001"]),
        ("after=6&limit=2", ["L-2012-001", "L-2012-002"]),
    ],
)
async def test_the_feed_is_filtered_on_any_day_as_known_at_any_moment(
    reporting: Installation, query: str, tails: list[str]
) -> None:
    answer = await reporting.read(f"/v1/decisions?{query}", **DIPRES)
    assert [number[2:] if number[0] == "S" else number[6:] for number in numbers(answer)] == tails


async def test_gaps_say_which_and_since_when(reporting: Installation) -> None:
    answer = await reporting.read("/v1/decisions/gaps?on=2012-10-10", **DIPRES)
    totals = answer["totals"]
    assert (totals["decisions"], totals["by_gap"]) == (
        3,
        {
            "not_acknowledged": 1,
            "disputed": 0,
            "no_line_in_first_request": 2,
            "amended_after_acknowledgement": 1,
            "only_later": 1,
            "short": 0,
            "other_currency": 0,
            "over": 0,
            "source_not_named": 0,
        },
    )
    found = {
        item["number"]: [(gap["gap"], gap["since_on"], gap["days"]) for gap in item["gaps"]]
        for item in answer["items"]
    }
    assert found == {
        "SEG-2012-001": [("amended_after_acknowledgement", "2012-09-15", 25)],
        "BIL-SAL-2012-001": [("no_line_in_first_request", "2012-10-01", 9)],
        # A line in the first request of another year does not help.
        "BIL-SAL-2012-003": [
            ("not_acknowledged", "2012-09-14", 26),
            ("no_line_in_first_request", "2012-08-14", 57),
        ],
    }
    because = answer["items"][0]["gaps"][0]["because"]
    assert because == answer["items"][0]["errata"][0]["position"]


@pytest.mark.parametrize(
    ("query", "totals"),
    [
        ("on=2012-08-21", (0, 0, 2, 0)),
        ("on=2012-08-22", (0, 1, 2, 0)),
        ("on=2012-09-13", (0, 1, 1, 0)),
        ("on=2012-09-14", (1, 1, 1, 0)),
        ("on=2012-09-14&days=31", (0, 1, 1, 0)),
        ("on=2012-08-15&days=0", (2, 0, 2, 0)),
        ("on=2012-09-15", (1, 1, 1, 1)),
        ("on=2012-09-15&known_at=2012-09-10T00:00:00Z", (1, 1, 1, 0)),
        ("on=2012-10-01&organization=MOP", (0, 0, 0, 1)),
        ("on=2012-10-01&gap=disputed", (1, 0, 2, 1)),
    ],
)
async def test_gaps_are_those_of_the_day(
    reporting: Installation, query: str, totals: tuple[int, ...]
) -> None:
    answer = await reporting.read(f"/v1/decisions/gaps?{query}", **DIPRES)
    assert tuple(answer["totals"]["by_gap"].values())[:4] == totals
    if "gap=" in query:
        assert answer["items"] == []


async def test_what_is_entered_years_later_counts_from_the_day_it_names(growing: Installation) -> None:
    on = "on=2012-12-31"
    before = await growing.read(f"/v1/decisions/gaps?{on}", **DIPRES)
    known = growing.stage.store.head()
    letter = DecisionAcknowledged(
        outcome=Acknowledgement.DISPUTED, remarks="Less", effective_on=date(2012, 9, 3)
    )
    line = BudgetLineTied(
        fiscal_year=2014,
        code="24-03",
        amount="1200.5",
        currency="CLP",
        request=FIRST,
        effective_on=date(2012, 9, 10),
    )
    number = "BIL-SAL-2012-003"
    last = await more(growing, Told("decision", number, letter), Told("decision", number, line))
    answer = await growing.read(f"/v1/decisions/gaps?{on}&gap=disputed", **DIPRES)
    (item,) = answer["items"]
    assert [(gap["gap"], gap["since_on"], gap["because"]) for gap in item["gaps"]] == [
        ("disputed", "2012-09-03", last - 1)
    ]
    said, tied_line = item["acknowledgement"], item["budget_lines"][-1]
    assert (said["effective_on"], said["told_on"]) == ("2012-09-03", "2013-04-30")
    assert (tied_line["effective_on"], tied_line["told_on"]) == ("2012-09-10", "2013-04-30")
    # As was known before, it is as it was; and before those days nothing had been said.
    assert (await growing.read(f"/v1/decisions/gaps?{on}&position={known}", **DIPRES)) == before
    early = await growing.read("/v1/decisions?on=2012-09-02&fiscal_year=2014", **DIPRES)
    assert early["items"][0]["acknowledgement"] is None
    # What was said first of all, entered last of all, is not the last word.
    at_once = DecisionAcknowledged(outcome=Acknowledgement.DISPUTED, effective_on=DAY)
    await more(growing, Told("decision", "BIL-SAL-2012-001", at_once))
    answer = await growing.read("/v1/decisions?acknowledged=disputed", **DIPRES)
    assert numbers(answer) == [number]


async def test_the_same_words_after_an_erratum_close_the_gap_it_made(growing: Installation) -> None:
    await more(growing, amended("SEG-2012-001", 3))
    path = "/v1/decisions/gaps?gap=amended_after_acknowledgement"
    assert numbers(await growing.read(path, **DIPRES)) == ["SEG-2012-001"]
    await more(growing, said("SEG-2012-001"), amended("SEG-2012-001", 4), said("SEG-2012-001"))
    answer = await growing.read(path, **DIPRES)
    assert answer["totals"]["by_gap"]["amended_after_acknowledgement"] == 0


async def test_what_a_decision_merges_into_is_told_to_those_who_may_know_of_it(growing: Installation) -> None:
    merger = Effect(merger=AgreedMerger(into="HID-1"))
    await more(
        growing,
        decided("SEG-2012-002", DAY, kind=DecisionKind.MERGE, effect=merger, organizations=("MOP",)),
        decided("SEG-2012-003", DAY, kind=DecisionKind.MERGE, effect=merger, visibility=Visibility.PUBLIC),
    )
    for who, effects, found in (
        (DIPRES, [merger, merger], ["SEG-2012-002", "SEG-2012-003"]),
        (OUTSIDER, [merger, None], None),
        (NOBODY, [None], None),
    ):
        answer = await growing.read("/v1/decisions?kind=merge", **who)
        told = [item["effect"] and item["effect"]["merger"]["into"] for item in answer["items"]]
        assert told == [effect and "HID-1" for effect in effects]
        question = "/v1/decisions?kind=merge&commitment=HID-1"
        if found is None:
            assert await growing.refused(question, **who) == (422, "filter-value-unknown")
        else:
            assert numbers(await growing.read(question, **who)) == found


async def test_pages_of_gaps_are_about_one_day_and_position(growing: Installation) -> None:
    seen: list[str] = []
    path = "/v1/decisions/gaps?on=2012-10-10&limit=1"
    while path is not None:
        page = await growing.read(path, **DIPRES)
        seen += numbers(page)
        path = page["next"]
        await more(growing, said("BIL-SAL-2012-002"), said("BIL-SAL-2012-003"))
        assert page["totals"]["decisions"] == 3
    assert seen == ["SEG-2012-001", "BIL-SAL-2012-001", "BIL-SAL-2012-003"]


@pytest.mark.parametrize("path", ["/v1/decisions", "/v1/decisions/gaps?days=0&on=2012-12-31"])
async def test_decisions_come_in_the_order_in_which_the_log_learned_of_them_whatever_their_day_or_number(
    growing: Installation, path: str
) -> None:
    before = numbers(await growing.read(path, **DIPRES))
    for number, day in (
        ("ZZZ-2012-001", "2012-10-02"),
        ("AAA-2012-001", "2012-07-01"),
        ("AAA-2011-009", "2011-07-01"),
    ):
        await more(growing, decided(number, date.fromisoformat(day), budget_impact=cost()))
    # Whoever has read up to the newest one and comes back finds the older ones that were entered since.
    expected = [*before, "ZZZ-2012-001", "AAA-2012-001", "AAA-2011-009"]
    paged: list[str] = []
    page: str | None = f"{path}{'&' if '?' in path else '?'}limit=2"
    while page is not None:
        answer = await growing.read(page, **DIPRES)
        positions = [item["position"] for item in answer["items"]]
        assert positions == sorted(positions)
        paged += numbers(answer)
        page = answer["next"]
    assert paged == numbers(await growing.read(path, **DIPRES)) == expected


async def test_a_reserved_decision_is_for_those_it_concerns(reporting: Installation) -> None:
    for who, known, seen in ((HEALTH, 4, 3), (OUTSIDER, 1, 1), (NOBODY, 0, 0)):
        assert len(numbers(await reporting.read("/v1/decisions", **who))) == known
        gaps = await reporting.read("/v1/decisions/gaps?on=2012-10-10", **who)
        assert gaps["totals"]["decisions"] == len(gaps["items"]) == seen
        assert sum(len(item["gaps"]) for item in gaps["items"]) == {3: 4, 1: 1, 0: 0}[seen]
        concerned = [one["organization"] for one in gaps["totals"]["by_organization"]]
        assert concerned == (["MINSAL", "MOP"] if seen else [])
        if known != 4:
            refused = await reporting.refused("/v1/decisions?body=BIL-SAL", **who)
            assert refused == (422, "filter-value-unknown")
        for query in (
            *(["body=BIL-SAL"] if known == 4 else []),
            "organization=MINEDUC",
            "kind=agree_commitment",
            "fiscal_year=2014",
        ):
            assert (len(numbers(await reporting.read(f"/v1/decisions?{query}", **who))) > 0) == (
                known == 4 and "MINEDUC" not in query
            )


async def test_what_was_published_or_hidden_again_is_open_where_it_was_then_and_is_now(
    growing: Installation,
) -> None:
    before = growing.stage.store.head()
    await more(growing, Told("decision", "BIL-SAL-2012-001", PUBLISHED))
    assert numbers(await growing.read("/v1/decisions", **NOBODY)) == ["BIL-SAL-2012-001"]
    assert numbers(await growing.read(f"/v1/decisions?position={before}", **NOBODY)) == []
    hidden = DecisionPublished(visibility=Visibility.RESERVED, previous=Visibility.PUBLIC, reason="Too soon")
    after = await more(growing, Told("decision", "BIL-SAL-2012-001", hidden))
    for query in (f"?position={after - 1}", ""):
        assert numbers(await growing.read(f"/v1/decisions{query}", **NOBODY)) == []


async def test_what_was_recorded_while_a_decision_was_hidden_comes_with_its_publication(
    growing: Installation,
) -> None:
    passed = growing.stage.store.head()
    assert (await growing.read(f"/v1/decisions/changes?after={passed}", **OUTSIDER))["items"] == []
    last = await more(growing, said("BIL-SAL-2012-002"), Told("decision", "BIL-SAL-2012-002", PUBLISHED))
    answer = await growing.read(f"/v1/decisions/changes?after={passed}", **OUTSIDER)
    (item,) = answer["items"]
    assert (item["position"], item["number"], answer["next"]) == (last, "BIL-SAL-2012-002", None)
    assert [one["what"] for one in item["learned"]] == ["agreed", "acknowledged", "published"]
    assert item["decision"]["acknowledgement"]["outcome"] == "agreed"
    told = await growing.read(f"/v1/decisions/changes?after={passed}", **DIPRES)
    assert [[one["what"] for one in item["learned"]] for item in told["items"]] == [
        ["acknowledged"],
        ["published"],
    ]
    await more(growing, said("BIL-SAL-2012-003"))
    assert (await growing.read(f"/v1/decisions/changes?after={last}", **OUTSIDER))["items"] == []


async def test_the_feed_of_changes_is_read_in_pages_and_waits_for_ones_own_write(
    growing: Installation,
) -> None:
    whole = await growing.read("/v1/decisions/changes", **DIPRES)
    seen: list[Any] = []
    path = "/v1/decisions/changes?limit=3"
    while path is not None:
        page = await growing.read(path, **DIPRES)
        seen += page["items"]
        path = page["next"]
    assert [one["position"] for one in seen] == [one["position"] for one in whole["items"]]
    assert [one["what"] for item in seen for one in item["learned"]] == [
        *["agreed"] * 4,
        *["acknowledged"] * 2,
        *["line"] * 2,
        *["erratum"] * 2,
        *["line", "acknowledged"],
    ]
    appended = tell(growing.stage, amended("SEG-2012-001", 3), now=growing.now)
    path = f"/v1/decisions/changes?after={appended.last - 1}&wait_for={appended.last}"
    assert [one["position"] for one in (await growing.read(path, **DIPRES))["items"]] == [appended.last]


async def test_a_refusal_does_not_tell_where_the_log_ends_to_those_who_do_not_see_everything(
    growing: Installation,
) -> None:
    await more(growing, said("BIL-SAL-2012-002"))
    head = growing.stage.store.head()
    for path in ("/v1/decisions", "/v1/decisions/changes"):
        told = (await growing.read(path, **OUTSIDER))["position"]
        assert told < head
        for who, last in ((OUTSIDER, told + 100_000), (DIPRES, head)):
            assert (await growing.read(f"{path}?after={last}", **who))["items"] == []
            refused = await growing.get(f"{path}?after={last + 1}", **who)
            assert (refused.status_code, refused.json()["type"]) == (422, "/errors/position-to-come")


async def test_a_client_reads_its_own_write_and_is_not_sent_what_it_holds(growing: Installation) -> None:
    appended = tell(growing.stage, decided("SEG-2012-002", DAY), now=growing.now)
    answer = await growing.get(f"/v1/decisions?wait_for={appended.last}", **DIPRES)
    assert "SEG-2012-002" in numbers(answer.json())
    for path in (
        "/v1/decisions",
        "/v1/decisions/gaps?days=7",
        "/v1/meeting-register?from=2012-01-01&to=2012-12-31",
        "/v1/action-items?include=total",
    ):
        first = await growing.get(path)
        again = await growing.get(path, If_None_Match=first.headers["ETag"])
        assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
        assert again.headers["Log-Position"] == first.headers["Log-Position"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("decisions?acknowledged=yes", "filter-value-unknown"),
        ("decisions?kind=bet", "filter-value-unknown"),
        ("decisions?body=,", "filter-value-unknown"),
        ("decisions?outcome=done", "filter-value-unknown"),
        ("decisions?commitment=,", "filter-value-unknown"),
        ("decisions?days=3", "query-unknown"),
        ("decisions?agreed_since=yesterday", "request-invalid"),
        ("decisions?cursor=abc", "cursor-invalid"),
        ("decisions?after=999999", "position-to-come"),
        ("decisions/changes?after=999999", "position-to-come"),
        ("decisions/changes?acknowledged=true", "query-unknown"),
        ("decisions/gaps?gap=wide", "filter-value-unknown"),
        ("decisions/gaps?days=-1", "request-invalid"),
        ("decisions/gaps?known_at=2012-12-31T12:00:00Z&position=3", "two-positions"),
        ("meeting-register?from=2013-01-01&to=2012-01-01", "days-reversed"),
        ("meeting-register?from=1990-01-01&to=2012-01-01", "register-too-long"),
        ("meeting-register?period=week", "request-invalid"),
        ("meeting-register?kind=party", "filter-value-unknown"),
        ("action-items?state=late", "filter-value-unknown"),
        ("action-items?due=2012-01-01", "query-unknown"),
        ("action-items?position=999999", "position-to-come"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(
    reporting: Installation, path: str, code: str
) -> None:
    assert await reporting.refused(f"/v1/{path}") == (422, code)


@pytest.mark.parametrize("day", ["0001-01-01", "0001-01-02", "9999-12-31"])
async def test_the_first_and_the_last_days_of_the_calendar_are_days_like_others(
    reporting: Installation, day: str
) -> None:
    for path in ("decisions", "decisions/gaps", "action-items", "meeting-register"):
        await reporting.read(f"/v1/{path}?on={day}")
    await reporting.read(f"/v1/meeting-register?from={day}&to={day}")
    await reporting.read(f"/v1/decisions?agreed_since={day}")
