"""Decisions act on the running service, and what could not be carried out is listed, resolved or waived."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.eventlog.envelope import FollowerPosition
from shared.eventlog.open import open_store
from shared.eventlog.store import Changes, Store
from shared.events.facts import Event
from shared.events.meeting_vocabulary import BodyKind, DecisionKind
from shared.events.meetings import BodyChanged, DecisionPublished
from shared.events.vocabulary import Visibility
from shared.identity.actor import Role
from tests.services.commitments.decisions import (
    AGREED_ON,
    agreeing,
    aiming,
    body,
    completing,
    decision,
    giving_up,
    handing_to,
    merging,
    publishing,
    recordable,
    reopening,
    splitting,
    taking_to,
    until,
)
from tests.services.commitments.installation import Installation, refused
from tests.support.ledger import run_sql

pytestmark = pytest.mark.anyio

OUTCOMES = "/v1/decision-outcomes"
PATIENCE = 5.0
ORGANIZATIONS = ("DCI", "INTERIOR", "JUSTICE", "HEALTH", "SECOND_FLOOR", "INE")
INTERIOR: dict[str, Any] = {"role": Role.MINISTRY, "organization": "INTERIOR"}
HEALTH: dict[str, Any] = {"role": Role.MINISTRY, "organization": "HEALTH"}
MINUTES: dict[str, Any] = {"role": Role.MINISTRY, "organization": "SECOND_FLOOR"}
GONE = decision(DecisionKind.DISCARD, commitments=("GONE",), effect=giving_up())


class Meetings:
    """The meetings service, as far as this one notices it: another process that writes into the log."""

    def __init__(self, store: Store, service: Installation) -> None:
        self.store = store
        self.service = service

    async def tell(self, *events: Event, **more: Any) -> int:
        """Write in one transaction; the position of the last event."""
        changes = Changes([recordable(event, **more) for event in events])
        (appended,) = await asyncio.to_thread(self.store.append, [changes], self.service.now)
        return appended.last

    async def agree(self, *decisions: Event) -> list[dict[str, Any]]:
        """Approve minutes that hold these decisions, and wait for what becomes of them."""
        await self.tell(*decisions)
        return [await outcome_of(self.service, getattr(one, "number", "")) for one in decisions]


async def outcome_of(service: Installation, number: str) -> dict[str, Any]:
    """What became of a decision, as soon as something did."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        answer = await service.ask("GET", f"{OUTCOMES}/{number}")
        if answer.status_code == 200:
            found: dict[str, Any] = answer.json()
            return found
        await asyncio.sleep(0.002)
    raise TimeoutError(number)


def told_by_day(outcome: dict[str, Any]) -> dict[str, Any]:
    """What became of a decision, for those who are told of days and not of instants."""
    return outcome | {"acted_at": None, "updated_at": None}


async def history(service: Installation, path: str) -> list[dict[str, Any]]:
    """Every event of a commitment or an indicator."""
    items: list[dict[str, Any]] = (await service.read(f"{path}/history"))["items"]
    return items


@pytest.fixture
async def service(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Installation]:
    async with Installation(tmp_path, sqlite_url).running() as running:
        await prepared(running)
        yield running


@pytest.fixture
def meetings(service: Installation) -> Iterator[Meetings]:
    with closing(open_store(service.settings.effective_log_url)) as store:
        yield Meetings(store, service)


async def prepared(service: Installation) -> None:
    for code in ORGANIZATIONS:
        await service.told("PUT", f"/v1/organizations/{code}", {"name": code})
    with closing(open_store(service.settings.effective_log_url)) as store:
        await Meetings(store, service).tell(body())


async def register(service: Installation, code: str = "SEG-14", **more: Any) -> dict[str, Any]:
    said = {
        "code": code,
        "title": code,
        "lead_organization": "INTERIOR",
        "effective_on": "2010-05-21",
        "public_deadline": {"on": "2013-12-31"},
    }
    told: dict[str, Any] = (await service.told("POST", "/v1/commitments", said | more)).json()
    return told


# --- decisions act -------------------------------------------------------------------------------------------------


async def test_a_new_commitment_comes_from_the_decision_and_is_not_public(
    service: Installation, meetings: Meetings
) -> None:
    (outcome,) = await meetings.agree(decision(DecisionKind.AGREE_COMMITMENT, effect=agreeing()))
    assert outcome["state"] == "carried_out"
    # By its number in whatever capitals, as everything that has a code.
    assert await service.read(f"{OUTCOMES}/{outcome['number'].lower()}") == outcome
    assert outcome["did"] == [
        {"type": "commitments.registered", "version": 1, "commitment": "SEG-77", "indicator": None}
    ]
    made = await service.read("/v1/commitments/SEG-77")
    assert (made["visibility"], made["origin"]["kind"]) == ("reserved", "bilateral_meeting")
    assert (made["origin"]["decision"], made["origin"]["source_on"]) == (
        outcome["number"],
        AGREED_ON.isoformat(),
    )
    assert refused(await service.ask("GET", "/v1/commitments/SEG-77", **HEALTH))[0] == 404
    (item,) = await history(service, "/v1/commitments/SEG-77")
    assert item["causation_id"] == outcome["decision_position"]
    assert item["correlation_id"].startswith("approval-")
    assert item["recorded_by"] == {
        "subject": "policy:decisions",
        "organization": "SECOND_FLOOR",
        "role": "system",
    }


async def test_what_a_committee_agrees_is_internal(service: Installation, meetings: Meetings) -> None:
    committee = body(BodyKind.COMMITTEE, "SEG", visibility=Visibility.INTERNAL, secretariat=None)
    await meetings.tell(committee)
    (outcome,) = await meetings.agree(
        decision(
            DecisionKind.AGREE_COMMITMENT,
            "SEG-2012-001",
            body="SEG",
            effect=agreeing(),
            visibility=Visibility.INTERNAL,
        )
    )
    made = await service.read("/v1/commitments/SEG-77", **HEALTH)
    assert (made["visibility"], made["origin"]["kind"]) == ("internal", "committee")
    (item,) = await history(service, "/v1/commitments/SEG-77")
    assert item["recorded_by"]["organization"] == "BITACORA"
    assert outcome["body"] == "SEG"


async def test_deadlines_targets_discards_and_escalations_reach_what_they_name_within_moments(
    service: Installation, meetings: Meetings
) -> None:
    for code in ("SEG-14", "SEG-15", "SEG-16"):
        await register(service, code)
    await service.told(
        "POST",
        "/v1/indicators",
        {
            "code": "VICTIMISATION",
            "name": "Victims",
            "unit": "%",
            "direction": "decrease",
            "effective_on": "2010-05-21",
        },
    )
    decisions = [
        decision(
            DecisionKind.REVISE_DEADLINE,
            "BIL-INT-2012-001",
            commitments=("SEG-14", "SEG-15"),
            effect=until(AGREED_ON.replace(year=2014)),
        ),
        decision(DecisionKind.REVISE_TARGET, "BIL-INT-2012-002", effect=aiming("28.56")),
        decision(DecisionKind.DISCARD, "BIL-INT-2012-003", commitments=("SEG-16",), effect=giving_up()),
        decision(DecisionKind.ESCALATE, "BIL-INT-2012-004", commitments=("SEG-14",), effect=taking_to()),
        decision(DecisionKind.BUDGET, "BIL-INT-2012-005", commitments=("SEG-14",)),
    ]
    before = time.perf_counter()
    outcomes = await meetings.agree(*decisions)
    elapsed = time.perf_counter() - before
    assert [outcome["state"] for outcome in outcomes] == ["carried_out"] * 5
    assert [len(outcome["did"]) for outcome in outcomes] == [2, 1, 1, 1, 0]
    assert elapsed < 2, f"the policy took {elapsed:.3f} s to notice and to carry out five decisions"
    first = await service.read("/v1/commitments/SEG-14")
    (revision,), (escalation,) = first["deadline_revisions"], first["escalations"]
    assert (revision["on"], revision["previous"]) == ("2014-11-07", "2013-12-31")
    assert revision["decision"] == "BIL-INT-2012-001"
    assert (escalation["decision"], escalation["to"]) == ("BIL-INT-2012-004", "The President")
    assert (await service.read("/v1/commitments/SEG-15"))["public_deadline"]["on"] == "2014-11-07"
    given_up = await service.read("/v1/commitments/SEG-16")
    assert (given_up["status"], given_up["closing"]["decision"]) == ("discarded", "BIL-INT-2012-003")
    target = (await service.read("/v1/indicators/VICTIMISATION"))["current_target"]
    assert (target["value"], target["decision"]) == (28.56, "BIL-INT-2012-002")
    for path in ("/v1/commitments/SEG-14", "/v1/indicators/VICTIMISATION"):
        caused = [item["causation_id"] for item in (await history(service, path))[1:]]
        assert set(caused) <= {outcome["decision_position"] for outcome in outcomes}


async def test_decisions_merge_split_reassign_complete_reopen_and_publish_under_the_guards_of_people(
    service: Installation, meetings: Meetings
) -> None:
    for code in ("SEG-1", "SEG-14", "SEG-15", "SEG-16"):
        await register(service, code)
    asked = [
        (DecisionKind.MERGE, ("SEG-14",), merging()),
        (DecisionKind.REASSIGN, ("SEG-15",), handing_to("HEALTH")),
        (DecisionKind.COMPLETE, ("SEG-16",), completing()),
        (DecisionKind.REOPEN, ("SEG-16",), reopening()),
        (DecisionKind.PUBLISH, ("SEG-16", "SEG-1"), publishing()),
        (DecisionKind.SPLIT, ("SEG-1",), splitting()),
        (DecisionKind.COMPLETE, ("SEG-14",), completing()),
        (DecisionKind.MERGE, ("SEG-15",), merging("SEG-14")),
    ]
    outcomes = await meetings.agree(
        *(
            decision(kind, f"BIL-INT-2012-{n:03}", commitments=commitments, effect=effect)
            for n, (kind, commitments, effect) in enumerate(asked, 1)
        )
    )
    assert [len(one["did"]) if one["did"] else one["difficulty"]["code"] for one in outcomes] == [
        *[1, 1, 1, 1, 2, 3],
        *["commitment-closed", "merger-into-closed"],
    ]
    merged = await service.read("/v1/commitments/SEG-14")
    assert (merged["merged_into"], merged["closing"]["decision"]) == ("SEG-1", "BIL-INT-2012-001")
    split = await service.read("/v1/commitments/SEG-1")
    assert (split["split_into"], split["closing"]["decision"]) == (["SEG-A", "SEG-B"], "BIL-INT-2012-006")
    part = await service.read("/v1/commitments/SEG-A")
    assert (part["split_from"], part["title"], part["effective_on"]) == (
        "SEG-1",
        "The part SEG-A",
        "2012-11-07",
    )
    lead = await service.read("/v1/commitments/SEG-15")
    assert (lead["lead_organization"], lead["reassignments"][0]["decision"]) == ("HEALTH", "BIL-INT-2012-002")
    kinds = [(item["type"], item["decision"]) for item in await history(service, "/v1/commitments/SEG-16")]
    assert kinds[1:] == [
        ("commitments.completed", "BIL-INT-2012-003"),
        ("commitments.reopened", "BIL-INT-2012-004"),
        ("commitments.visibility_changed", "BIL-INT-2012-005"),
    ]
    # What could not be done can be once somebody took away what stood in the way.
    again = {"reason": "Not the same promise after all", "effective_on": AGREED_ON.isoformat()}
    await service.told("POST", "/v1/commitments/SEG-14/reopenings", again, If_Match="*")
    resolved = await service.ask(
        "POST",
        "/v1/decision-outcomes/BIL-INT-2012-008/resolutions",
        {"remarks": "Reopened"},
        If_Match="*",
    )
    assert resolved.status_code == 201, resolved.text
    assert (await service.read("/v1/commitments/SEG-15"))["merged_into"] == "SEG-14"


async def test_a_decision_of_which_one_part_cannot_be_done_does_nothing(
    service: Installation, meetings: Meetings
) -> None:
    await register(service)
    (outcome,) = await meetings.agree(
        decision(DecisionKind.DISCARD, commitments=("SEG-14", "GONE"), effect=giving_up())
    )
    assert (outcome["state"], outcome["did"], outcome["settlement"]) == ("unresolved", None, None)
    assert outcome["difficulty"] == {
        "code": "unknown-commitment",
        "reason": "There is no commitment 'GONE'.",
        "commitment": "GONE",
        "indicator": None,
        "position": outcome["position"],
    }
    assert (await service.read("/v1/commitments/SEG-14"))["version"] == 1


# --- settling ------------------------------------------------------------------------------------------------------


async def test_a_decision_is_resolved_once_what_it_needs_is_there_and_never_acts_again(
    service: Installation, meetings: Meetings
) -> None:
    (outcome,) = await meetings.agree(GONE)
    path = f"{OUTCOMES}/{outcome['number']}"
    remarks = {"remarks": "Registered late"}
    early = await service.ask("POST", f"{path}/resolutions", remarks, If_Match='"1"')
    assert refused(early) == (409, "decision-still-unresolved")
    assert "GONE" in early.json()["detail"]
    assert (await service.read(path))["version"] == 1
    await register(service, "GONE")
    said = await service.told(
        "POST", f"{path}/resolutions", remarks, If_Match='"1"', Idempotency_Key="k", X_Request_Id="mended"
    )
    assert (said.headers["etag"], said.headers["location"]) == ('"2"', path)
    assert set(said.json()) == {"id", "number", "version", "position"}
    again = await service.told("POST", f"{path}/resolutions", remarks, If_Match='"1"', Idempotency_Key="k")
    assert (again.json(), again.headers["idempotency-replayed"]) == (said.json(), "true")
    shown = await service.read(path)
    assert (shown["state"], shown["did"][0]["commitment"]) == ("resolved", "GONE")
    assert shown["difficulty"]["code"] == "unknown-commitment"
    assert (shown["settlement"]["remarks"], shown["settlement"]["recorded_by"]["role"]) == (
        "Registered late",
        "dci",
    )
    for what in ("resolutions", "waivers"):
        late = await service.ask("POST", f"{path}/{what}", remarks, If_Match="*")
        assert refused(late) == (409, "decision-carried-out")
    _, discarded = await history(service, "/v1/commitments/GONE")
    assert (discarded["causation_id"], discarded["correlation_id"]) == (
        outcome["decision_position"],
        "mended",
    )
    assert (discarded["decision"], discarded["recorded_by"]["role"]) == (outcome["number"], "dci")


async def test_a_decision_that_was_done_by_hand_is_resolved_by_the_facts_that_name_it(
    service: Installation, meetings: Meetings
) -> None:
    await register(service)
    gone = ("SEG-14", "GONE")
    (outcome,) = await meetings.agree(
        decision(DecisionKind.DISCARD, commitments=gone, effect=giving_up(), organizations=("INTERIOR",))
    )
    path, remarks = f"{OUTCOMES}/{outcome['number']}", {"remarks": "As the minister asked", "by_hand": True}
    early = await service.ask("POST", f"{path}/resolutions", remarks, If_Match="*")
    assert refused(early) == (409, "nothing-done-by-hand")
    given_up = {"reason_type": "budgetary", "reason": "No funds", "decision": outcome["number"]}
    await service.told("POST", "/v1/commitments/SEG-14/discards", given_up, If_Match="*")
    await service.told("POST", f"{path}/resolutions", remarks, If_Match="*")
    shown = await service.read(path)
    assert (shown["state"], shown["settlement"]["remarks"]) == ("resolved", "As the minister asked")
    assert shown["did"] == [
        {"type": "commitments.discarded", "version": 2, "commitment": "SEG-14", "indicator": None}
    ]
    assert (await service.read("/v1/commitments/SEG-14"))["version"] == 2
    again = await service.ask("POST", f"{path}/resolutions", remarks, If_Match="*")
    assert refused(again) == (409, "decision-carried-out")


async def test_a_decision_that_is_waived_is_settled(service: Installation, meetings: Meetings) -> None:
    (outcome,) = await meetings.agree(GONE)
    path = f"{OUTCOMES}/{outcome['number']}"
    remarks = {"remarks": "Overtaken by the budget law"}
    assert refused(await service.ask("POST", f"{path}/waivers", {"remarks": " "}, If_Match="*")) == (
        422,
        "reason-required",
    )
    said, again = [
        await service.told("POST", f"{path}/waivers", remarks, If_Match='"1"', Idempotency_Key="w")
        for _ in range(2)
    ]
    assert again.json() == said.json()
    shown = await service.read(path)
    assert (shown["state"], shown["settlement"]["remarks"]) == ("waived", "Overtaken by the budget law")
    for what in ("resolutions", "waivers"):
        late = await service.ask("POST", f"{path}/{what}", remarks, If_Match='"2"')
        assert refused(late) == (409, "decision-waived")


async def test_settling_states_the_version_it_was_decided_on(
    service: Installation, meetings: Meetings
) -> None:
    (outcome,) = await meetings.agree(GONE)
    for what in ("resolutions", "waivers"):
        path = f"{OUTCOMES}/{outcome['id']}/{what}"
        assert refused(await service.ask("POST", path, {"remarks": "r"})) == (428, "if-match-required")
        stale = await service.ask("POST", path, {"remarks": "r"}, If_Match='"7"')
        assert refused(stale) == (412, "stale-version")
    held = await service.ask("GET", f"{OUTCOMES}/{outcome['number']}", If_None_Match='"1"')
    assert held.status_code == 304


async def test_only_the_unit_settles_decisions(service: Installation, meetings: Meetings) -> None:
    (outcome,) = await meetings.agree(GONE)
    for role in set(Role) - {Role.DCI, Role.SYSTEM}:
        for what in ("resolutions", "waivers"):
            answer = await service.ask(
                "POST", f"{OUTCOMES}/{outcome['number']}/{what}", {"remarks": "r"}, role=role, If_Match="*"
            )
            assert refused(answer) == (403, "role-not-allowed")
    assert refused(await service.ask("GET", OUTCOMES, credentials={}))[0] == 401


# --- who knows -----------------------------------------------------------------------------------------------------


async def test_the_outcome_of_a_reserved_decision_is_hidden_like_the_decision(
    service: Installation, meetings: Meetings
) -> None:
    (outcome,) = await meetings.agree(GONE)
    path = f"{OUTCOMES}/{outcome['number']}"
    unknown = await service.ask("GET", f"{OUTCOMES}/BIL-INT-2012-999", **HEALTH)
    hidden = await service.ask("GET", path, **HEALTH)
    assert refused(hidden) == refused(unknown) == (404, "unknown-decision-outcome")
    assert hidden.json()["detail"] == unknown.json()["detail"]
    listed = await service.read(f"{OUTCOMES}?include=total", **HEALTH)
    assert (listed["items"], listed["total"]) == ([], 0)
    for reader in (INTERIOR, MINUTES, {"role": Role.DIPRES}, {"role": Role.AUDITOR}, {"role": Role.ADVISORY}):
        shown = told_by_day(outcome) if reader in (INTERIOR, MINUTES) else outcome
        assert await service.read(path, **reader) == shown
        assert (await service.read(OUTCOMES, **reader))["items"] == [shown]


async def test_once_published_everybody_knows_of_it_and_those_concerned_of_what_it_did(
    service: Installation, meetings: Meetings
) -> None:
    (outcome,) = await meetings.agree(GONE)
    path = f"{OUTCOMES}/{outcome['number']}"
    published = DecisionPublished(
        visibility=Visibility.INTERNAL, previous=Visibility.RESERVED, reason="The minister told the press"
    )
    position = await meetings.tell(published, kind="decision", code=outcome["number"], version=2)
    told = await service.read(f"{path}?wait_for={position}", **HEALTH)
    assert (told["state"], told["did"], told["difficulty"]) == ("unresolved", None, None)
    assert await service.read(path, **INTERIOR) == told_by_day(outcome)


async def test_the_secretariat_that_keeps_the_minutes_now_sees_it(
    service: Installation, meetings: Meetings
) -> None:
    (outcome,) = await meetings.agree(GONE)
    other = body()
    changed = BodyChanged(
        name=other.name,
        kind=other.kind,
        decides=True,
        visibility=other.visibility,
        secretariat="HEALTH",
    )
    position = await meetings.tell(changed, kind="body", code="BIL-INT", version=2)
    path = f"{OUTCOMES}/{outcome['number']}"
    assert await service.read(f"{path}?wait_for={position}", **HEALTH) == told_by_day(outcome)
    assert refused(await service.ask("GET", path, **MINUTES))[0] == 404


async def test_outcomes_are_listed_in_order_by_state_body_and_organisation(
    service: Installation, meetings: Meetings
) -> None:
    await register(service)
    await meetings.tell(body(code="BIL-JUS"))
    outcomes = await meetings.agree(
        decision(DecisionKind.REFER, "BIL-INT-2012-001"),
        decision(DecisionKind.DISCARD, "BIL-INT-2012-002", commitments=("GONE",), effect=giving_up()),
        decision(DecisionKind.ESCALATE, "BIL-INT-2012-003", commitments=("SEG-14",)),
        decision(DecisionKind.DISCARD, "BIL-JUS-2012-001", body="BIL-JUS", organizations=("JUSTICE",)),
    )
    numbers = [outcome["number"] for outcome in outcomes]

    async def listed(query: str) -> list[str]:
        answer = await service.read(f"{OUTCOMES}?{query}")
        return [item["number"] for item in answer["items"]]

    assert await listed("") == numbers
    assert await listed("state=unresolved") == [numbers[1], numbers[3]]
    assert await listed("state=carried_out") == [numbers[0], numbers[2]]
    assert await listed("state=unresolved&body=BIL-INT") == [numbers[1]]
    assert await listed("organization=JUSTICE") == [numbers[3]]
    first = await service.read(f"{OUTCOMES}?state=unresolved&limit=1&include=total")
    second = await service.read(first["next"])
    assert first["total"] == 2
    assert [item["number"] for item in first["items"] + second["items"]] == [numbers[1], numbers[3]]
    assert second["next"] is None
    assert (await service.ask("GET", f"{OUTCOMES}?state=open")).status_code == 422


# --- the follower in its process -----------------------------------------------------------------------------------


async def test_decisions_agreed_while_nobody_followed_are_carried_out_at_the_next_start(
    tmp_path: Path, log_url: str
) -> None:
    async with Installation(tmp_path, log_url, follow_decisions=False).running() as idle:
        await prepared(idle)
        with closing(open_store(log_url)) as store:
            await Meetings(store, idle).tell(GONE)
        await idle.read(f"{OUTCOMES}?wait_for=8")
        assert (await idle.read(OUTCOMES))["items"] == []
        ready = (await idle.http.get("/health/ready")).json()
        assert ready["checks"]["decisions"]["detail"].startswith(
            "this process leaves decisions to others; 1 "
        )
        idle.now += timedelta(seconds=61)
        red = (await idle.http.get("/health/ready")).json()["checks"]["decisions"]
        assert (red["reason"], red["behind"]) == ("follower-behind", 1)
        async with Installation(tmp_path, log_url).running() as following:
            outcome = await outcome_of(following, GONE.number)
            position = outcome["position"]
            told = await idle.read(f"{OUTCOMES}/{GONE.number}?wait_for={position}")
            assert told == outcome


async def test_two_services_carry_each_decision_out_once_between_them(tmp_path: Path, log_url: str) -> None:
    async with (
        Installation(tmp_path, log_url).running() as one,
        Installation(tmp_path, log_url).running() as other,
    ):
        await prepared(one)
        await register(one)
        numbers = [f"BIL-INT-2012-{n:03}" for n in range(1, 31)]
        with closing(open_store(log_url)) as store:
            meetings = Meetings(store, one)
            for number in numbers:
                await meetings.tell(decision(DecisionKind.ESCALATE, number, commitments=("SEG-14",)))
            for number in numbers:
                first = await outcome_of(one, number)
                assert (first["state"], first["version"]) == ("carried_out", 1)
            head = await asyncio.to_thread(store.head)
        for service in (one, other):
            told = await service.read(f"/v1/commitments/SEG-14?wait_for={head}")
            assert [entry["decision"] for entry in told["escalations"]] == numbers
            assert (await service.http.get("/health/ready")).status_code == 200


async def test_a_decision_acts_while_people_write_on_the_same_commitment(
    service: Installation, meetings: Meetings
) -> None:
    await register(service)
    written = 0
    done = asyncio.Event()

    async def comment() -> None:
        nonlocal written
        while not done.is_set():
            await service.told("POST", "/v1/commitments/SEG-14/comments", {"text": "Busy"}, If_Match="*")
            written += 1

    async with asyncio.TaskGroup() as people:
        for _ in range(4):
            people.create_task(comment())
        try:
            for n in range(1, 21):
                (outcome,) = await meetings.agree(
                    decision(DecisionKind.ESCALATE, f"BIL-INT-2012-{n:03}", commitments=("SEG-14",))
                )
                assert outcome["state"] == "carried_out"
        finally:
            done.set()
    told = await service.read("/v1/commitments/SEG-14")
    assert (len(told["escalations"]), len(told["comments"])) == (20, written)


async def test_readiness_says_how_far_decisions_were_carried_out_and_when_they_no_longer_are(
    service: Installation, meetings: Meetings
) -> None:
    (outcome,) = await meetings.agree(GONE)
    deadline = time.monotonic() + PATIENCE
    while True:
        ready = (await service.http.get("/health/ready")).json()["checks"]["decisions"]
        assert ready["status"] == "ok"
        reached = re.fullmatch(r"acted up to position (\d+)", ready["detail"])
        assert reached is not None, ready
        if int(reached[1]) >= outcome["decision_position"]:
            break
        assert time.monotonic() < deadline, ready
        await asyncio.sleep(0.01)
    later = decision(DecisionKind.REFER, "BIL-INT-2012-004")
    head = await asyncio.to_thread(meetings.store.head)
    await asyncio.to_thread(
        run_sql,
        service.settings.effective_log_url,
        "INSERT INTO stored_events (rowid, originator_id, originator_version, topic, state, recorded_at) "
        "VALUES (%s, %s, %s, %s, %s, %s)",
        head + 1,
        recordable(later).stream_id,
        1,
        later.TYPE,
        b'{"torn',
        "2013-04-30T15:00:00.000000Z",
    )
    while (answer := await service.http.get("/health/ready")).status_code == 200:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    assert answer.json()["checks"]["log"]["reason"] == "log-corrupt"


async def test_a_follower_whose_position_was_moved_on_by_another_goes_on_from_there(
    service: Installation, meetings: Meetings
) -> None:
    head = await asyncio.to_thread(meetings.store.head)
    overtaken = Changes([recordable(GONE)], follower=FollowerPosition("commitments.decisions", head + 1))
    await asyncio.to_thread(meetings.store.append, [overtaken], service.now)
    (outcome,) = await meetings.agree(decision(DecisionKind.REFER, "BIL-INT-2012-004"))
    assert outcome["state"] == "carried_out"
    assert refused(await service.ask("GET", f"{OUTCOMES}/{GONE.number}"))[0] == 404
