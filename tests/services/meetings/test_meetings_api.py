"""Bodies and meetings over HTTP, on the running service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.meetings.meeting.proposals import Proposal
from services.meetings.meeting.routes import MEETING, MeetingListed
from shared.aggregate.documents import extended
from shared.events.meetings import BodyChanged
from shared.http.resource import HistoryItem
from shared.identity.actor import Role
from tests.services.meetings.installation import (
    BILATERAL,
    COMMITTEE,
    HELD,
    Installation,
    item,
    referred,
    refused,
    shaped,
    task,
)

BODY = extended("Body", BodyChanged, "", id=UUID, code=str, version=int, position=int)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def service(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Installation]:
    async with Installation(tmp_path, sqlite_url).running() as running:
        yield running


# --- bodies --------------------------------------------------------------------------------------------------------


async def test_a_body_is_put_read_listed_and_put_again(service: Installation) -> None:
    first = await service.told("PUT", "/v1/bodies/SOCIAL", COMMITTEE)
    assert (first.status_code, first.headers["etag"]) == (201, '"1"')
    assert first.headers["log-position"] == str(first.json()["position"])
    again = await service.told("PUT", "/v1/bodies/SOCIAL", COMMITTEE)
    assert (again.status_code, again.json()["version"]) == (200, 1)
    shown = await service.read(first.headers["location"])
    shaped(shown, BODY)
    assert (shown["decides"], shown["visibility"], shown["cadence"]) == (False, "internal", None)
    assert shown["protocol"]["days_to_minutes"] == 7
    assert await service.read(f"/v1/bodies/{shown['id']}") == shown
    await service.bilateral()
    page = await service.read("/v1/bodies?include=total&limit=1")
    assert ([one["code"] for one in page["items"]], page["total"]) == (["BIL-MINSAL"], 2)
    rest = await service.read(page["next"])
    assert ([one["code"] for one in rest["items"]], rest["next"]) == (["SOCIAL"], None)
    held = await service.ask("GET", "/v1/bodies/SOCIAL", If_None_Match='"1"')
    assert held.status_code == 304


async def test_a_put_may_state_the_version_it_was_decided_on_or_that_there_is_none(
    service: Installation,
) -> None:
    assert refused(await service.ask("PUT", "/v1/bodies/SOCIAL", COMMITTEE, If_Match='"1"')) == (
        412,
        "stale-version",
    )
    await service.told("PUT", "/v1/bodies/SOCIAL", COMMITTEE, If_None_Match="*")
    taken = await service.ask("PUT", "/v1/bodies/SOCIAL", COMMITTEE, If_None_Match="*")
    assert refused(taken) == (412, "stale-version")
    another = COMMITTEE | {"name": "Another name"}
    blind = await service.ask("PUT", "/v1/bodies/SOCIAL", another)
    assert refused(blind) == (428, "if-match-required")
    assert (await service.ask("PUT", "/v1/bodies/SOCIAL", another, If_Match='"1"')).status_code == 201


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"presiding_organization": "NOBODY"}, "unknown-organization", "/presiding_organization"),
        ({"kind": "club"}, "request-invalid", "/kind"),
        ({"colour": "red"}, "request-invalid", "/colour"),
        ({"kind": "bilateral"}, "bilateral-without-organizations", "/organizations"),
        ({"protocol": {"days_to_minutes": 0}}, "protocol-figure-impossible", "/protocol/days_to_minutes"),
    ],
)
async def test_a_body_that_makes_no_sense_is_refused_where_it_does_not(
    service: Installation, change: dict[str, Any], code: str, pointer: str
) -> None:
    answer = await service.ask("PUT", "/v1/bodies/SOCIAL", COMMITTEE | change)
    assert refused(answer) == (422, code)
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


# --- convening -----------------------------------------------------------------------------------------------------


async def test_a_meeting_is_convened_and_read(service: Installation) -> None:
    body = await service.committee()
    answer = await service.told(
        "POST",
        "/v1/meetings",
        {
            "body": body,
            "scheduled_at": "2012-08-14T10:00:00-04:00",
            "place": "La Moneda",
            "agenda": [{"title": "Hospitals", "sponsor": "MINSAL", "commitments": ["SAL-1"], "minutes": 30}],
        },
    )
    shown = await service.read(answer.headers["location"])
    shaped(shown, MEETING)
    assert (shown["state"], shown["visibility"], shown["scheduled_at"]) == (
        "convened",
        "internal",
        "2012-08-14T14:00:00Z",
    )
    assert shown["agenda"][0]["minutes"] == 30
    assert (shown["minutes"], shown["held"], shown["proposals"]) == (None, None, [])


async def test_a_meeting_is_convened_once_however_often_it_is_asked_for(service: Installation) -> None:
    body = await service.committee()
    asked = {"body": body, "scheduled_at": "2012-08-14T14:00:00Z"}
    first = await service.told("POST", "/v1/meetings", asked, Idempotency_Key="k1")
    again = await service.told("POST", "/v1/meetings", asked, Idempotency_Key="k1")
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    other = await service.ask("POST", "/v1/meetings", asked | {"place": "x"}, Idempotency_Key="k1")
    assert refused(other) == (422, "idempotency-key-reused")


async def test_an_approval_is_answered_the_same_when_it_is_repeated(service: Installation) -> None:
    meeting = await service.circulated(await service.committee(), item(referred(), action_items=[task()]))
    first = await service.told(
        "POST", f"{meeting}/approvals", {}, subject="reader", If_Match="*", Idempotency_Key="k1"
    )
    again = await service.told(
        "POST", f"{meeting}/approvals", {}, subject="reader", If_Match="*", Idempotency_Key="k1"
    )
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.json(), again.headers["log-position"]) == (first.json(), first.headers["log-position"])
    assert len(first.json()["action_items"]) == 1


async def test_the_advisory_unit_convenes_bilaterals_and_no_committees(service: Installation) -> None:
    asked = {"body": await service.bilateral(), "scheduled_at": "2012-08-14T14:00:00Z"}
    who: dict[str, Any] = {"role": Role.ADVISORY, "organization": "ADVISORY"}
    made = await service.told("POST", "/v1/meetings", asked, **who)
    await service.post(f"/v1/meetings/{made.json()['id']}/cancellations", {"reason": "x"}, **who)
    committee = await service.ask("POST", "/v1/meetings", asked | {"body": await service.committee()}, **who)
    assert refused(committee) == (403, "not-a-bilateral")
    meeting = await service.convened("SOCIAL")
    cancelled = await service.ask("POST", f"{meeting}/cancellations", {"reason": "x"}, If_Match="*", **who)
    assert refused(cancelled) == (403, "not-a-bilateral")


async def test_a_meeting_of_no_body_is_not_convened(service: Installation) -> None:
    answer = await service.ask(
        "POST", "/v1/meetings", {"body": "NONE", "scheduled_at": "2012-08-14T14:00:00Z"}
    )
    assert refused(answer) == (422, "no-such-body")


# --- what happens to it --------------------------------------------------------------------------------------------


async def test_a_meeting_goes_through_its_life(service: Installation) -> None:
    meeting = await service.convened(await service.committee())
    agenda = [{"title": "Hospitals"}, {"title": "Nurses"}]
    await service.post(f"{meeting}/agenda-revisions", {"agenda": agenda, "agreed_with": ["MINSAL"]})
    await service.post(
        f"{meeting}/reschedulings", {"scheduled_at": "2012-08-21T14:00:00Z", "reason": "A trip"}
    )
    shown = await service.read(meeting)
    assert (shown["state"], shown["agreed_with"], shown["place"]) == (
        "agenda_agreed",
        ["MINSAL"],
        "La Moneda",
    )
    assert shown["reschedulings"][0]["previous"]["scheduled_at"] == "2012-08-14T14:00:00Z"
    await service.post(f"{meeting}/attendance", HELD)
    shown = await service.read(meeting)
    shaped(shown, MEETING)
    assert shown["held"]["mandatory_absences"] == [
        {"organization": "ADVISORY", "position": None, "condition": None, "aliases": []}
    ]
    assert shown["proposals"] is None
    again = await service.ask("POST", f"{meeting}/attendance", HELD, If_Match="*")
    assert refused(again) == (409, "meeting-already-held")
    same = await service.ask("POST", f"{meeting}/attendance", HELD | {"reason": "So it was"}, If_Match="*")
    assert refused(same) == (409, "attendance-unchanged")
    await service.post(
        f"{meeting}/attendance", HELD | {"held_at": "2012-08-14T14:10:00Z", "reason": "It began late"}
    )
    assert (await service.read(meeting))["held"]["corrections"] == ["It began late"]


async def test_an_agenda_takes_up_what_is_on_record(service: Installation) -> None:
    body = await service.committee()
    _, done = await service.approved(body, item(referred(), action_items=[task()]))
    good = {"title": "Again", "decisions": done["decisions"], "action_items": done["action_items"]}
    meeting = await service.convened(body, agenda=[good])
    assert (await service.read(meeting))["agenda"][0]["decisions"] == done["decisions"]
    for wrong, code, at in (
        ({"decisions": ["SOCIAL-2012-999"]}, "unknown-decision-taken-up", "/agenda/0/decisions/0"),
        ({"action_items": [str(uuid4())]}, "unknown-action-item-taken-up", "/agenda/0/action_items/0"),
    ):
        agenda = {"agenda": [good | wrong]}
        asked = {"body": body, "scheduled_at": "2012-09-14T14:00:00Z", **agenda}
        for answer in (
            await service.ask("POST", "/v1/meetings", asked),
            await service.ask("POST", f"{meeting}/agenda-revisions", agenda, If_Match="*"),
        ):
            assert refused(answer) == (422, code)
            assert answer.json()["errors"][0]["pointer"] == at


async def test_a_meeting_can_be_asked_for_as_it_was(service: Installation) -> None:
    body = await service.committee()
    convened_at = service.now
    meeting, done = await _life(service, body)
    versions = (await service.read(f"{meeting}/history"))["items"]
    states = [(await service.read(f"{meeting}?version={n}"))["state"] for n in range(1, len(versions) + 1)]
    assert states == ["convened", "agenda_agreed", "held", "minutes_drafted", "circulated", "approved"]
    for item_, state in zip(versions, states, strict=True):
        known = await service.ask("GET", f"{meeting}?known_at={item_['recorded_at']}")
        assert known.json()["state"] == state
        assert known.headers["log-position"] == str(item_["position"])
    early = (convened_at - timedelta(days=1)).isoformat().replace("+00:00", "Z")
    for query, status, code in (
        ("?version=99", 404, "version-not-found"),
        (f"?known_at={early}", 404, "version-not-found"),
        (f"?version=1&known_at={early}", 422, "two-past-views"),
    ):
        assert refused(await service.ask("GET", meeting + query)) == (status, code)
    # Before they were approved, drafts were for few; they still are in a view of that time.
    minister: dict[str, Any] = {"role": Role.MINISTRY, "organization": "MINSAL"}
    assert (await service.read(meeting, **minister))["minutes"]["sealed"]
    assert (await service.read(f"{meeting}?version=5", **minister))["minutes"] is None
    assert (await service.read(f"{meeting}?version=5"))["minutes"]["sealed"] is False
    # A decision before it was acknowledged, and a task before it was late and after.
    decision, task_path = (
        f"/v1/decisions/{done['decisions'][0]}",
        f"/v1/action-items/{done['action_items'][0]}",
    )
    budget: dict[str, Any] = {"role": Role.DIPRES, "organization": "DIPRES"}
    await service.post(f"{decision}/acknowledgements", {"outcome": "agreed"}, **budget)
    assert (await service.read(f"{decision}?version=1"))["acknowledgement"] is None
    assert (await service.read(decision))["acknowledgement"]["outcome"] == "agreed"
    sealed_at = versions[-1]["recorded_at"]
    assert (await service.read(f"{task_path}?known_at={sealed_at}"))["state"] == "open"
    service.now += timedelta(days=3650)
    assert (await service.read(task_path))["state"] == "overdue"
    assert (await service.read(f"{task_path}?known_at={sealed_at}"))["state"] == "open"
    assert (await service.read(f"{task_path}?version=1"))["state"] == "open"


async def _life(service: Installation, body: str) -> tuple[str, Any]:
    """A meeting that went through its life, a minute for each step."""
    meeting = await service.convened(body)
    agenda = {"agenda": [{"title": "Hospitals"}], "agreed_with": ["MINSAL"]}
    minutes = {"items": [item(referred(), action_items=[task(due_on="2013-09-30")])]}
    for step, said in (
        ("agenda-revisions", agenda),
        ("attendance", HELD),
        ("minutes", minutes),
        ("circulations", {"recipients": [{"organization": "DIPRES"}]}),
    ):
        service.now += timedelta(minutes=1)
        await service.post(f"{meeting}/{step}", said)
    service.now += timedelta(minutes=1)
    return meeting, await service.post(f"{meeting}/approvals", {}, subject="reader")


async def test_a_list_of_days_that_run_backwards_is_refused(service: Installation) -> None:
    answer = await service.ask("GET", "/v1/meetings?from=2013-01-01&to=2012-01-01")
    assert refused(answer) == (422, "days-reversed")


async def test_a_cancelled_meeting_stays_and_says_why(service: Installation) -> None:
    meeting = await service.convened(await service.committee())
    await service.post(f"{meeting}/cancellations", {"reason": "The minister is ill"})
    shown = await service.read(meeting)
    shaped(shown, MEETING)
    assert (shown["state"], shown["cancellation"]["reason"]) == ("cancelled", "The minister is ill")
    more = await service.ask("POST", f"{meeting}/attendance", HELD, If_Match="*")
    assert refused(more) == (409, "meeting-cancelled")


async def test_a_change_states_the_version_it_was_decided_on(service: Installation) -> None:
    meeting = await service.convened(await service.committee())
    asked = {"reason": "x"}
    assert refused(await service.ask("POST", f"{meeting}/cancellations", asked)) == (428, "if-match-required")
    stale = await service.ask("POST", f"{meeting}/cancellations", asked, If_Match='"9"')
    assert refused(stale) == (412, "stale-version")
    assert stale.headers["etag"] == '"1"'
    done = await service.told("POST", f"{meeting}/cancellations", asked, If_Match='"1"')
    assert done.headers["etag"] == '"2"'


@pytest.mark.parametrize("path", ["", "/history", ".ics"])
@pytest.mark.parametrize("identifier", ["0095f0ad-6af8-42c3-a59a-8344db851131", "SOCIAL", "x%00y"])
async def test_what_is_not_there_is_not_found(service: Installation, identifier: str, path: str) -> None:
    answer = await service.ask("GET", f"/v1/meetings/{identifier}{path}")
    assert answer.status_code == 404


async def test_reads_wait_for_a_position_and_honour_what_the_caller_holds(service: Installation) -> None:
    meeting = await service.convened(await service.committee())
    done = await service.post(f"{meeting}/attendance", HELD)
    answer = await service.ask("GET", f"{meeting}?wait_for={done['position']}", If_None_Match='"2"')
    assert answer.status_code == 304
    other = await service.ask("GET", f"{meeting}?colour=red")
    assert refused(other) == (422, "query-unknown")
    head = await service.ask("HEAD", meeting)
    assert (head.status_code, head.headers["etag"]) == (200, '"2"')


async def test_the_history_tells_everything_in_order(service: Installation) -> None:
    meeting, _ = await service.approved(await service.committee())
    items = (await service.read(f"{meeting}/history"))["items"]
    for one in items:
        shaped(one, HistoryItem)
    assert [one["type"].removeprefix("meetings.") for one in items] == [
        "meeting_convened",
        "meeting_held",
        "minutes_drafted",
        "minutes_circulated",
        "minutes_approved",
    ]
    first = await service.read(f"{meeting}/history?limit=3")
    second = await service.read(first["next"])
    assert [one["version"] for one in (*first["items"], *second["items"])] == [1, 2, 3, 4, 5]


async def test_a_history_ends_with_the_version_that_its_etag_names(service: Installation) -> None:
    meeting = await service.circulated(await service.committee())

    async def keeps_its_word() -> None:
        answer = await service.ask("GET", f"{meeting}/history")
        assert answer.headers["etag"] == f'"{answer.json()["items"][-1]["version"]}"'

    for n in range(20):
        observed = service.post(f"{meeting}/observations", {"text": f"{n}"})
        await asyncio.gather(observed, *(keeps_its_word() for _ in range(5)))


# --- lists ---------------------------------------------------------------------------------------------------------


async def test_meetings_are_listed_by_time_and_filtered_by_body_days_and_state(service: Installation) -> None:
    social, bilateral = await service.committee(), await service.bilateral()
    late = await service.convened(social, scheduled_at="2012-10-01T02:30:00Z")
    early = await service.convened(social, scheduled_at="2012-09-30T14:00:00Z")
    other = await service.convened(bilateral, scheduled_at="2012-10-02T14:00:00Z")
    await service.post(f"{other}/cancellations", {"reason": "x"})

    async def listed(query: str = "") -> list[str]:
        page = await service.read(f"/v1/meetings{query}")
        for one in page["items"]:
            shaped(one, MeetingListed)
        return [f"/v1/meetings/{one['id']}" for one in page["items"]]

    assert await listed() == [early, late, other]
    assert await listed("?body=SOCIAL") == [early, late]
    # Half past two in the morning of October 1, in UTC, is still September 30 in Santiago.
    assert await listed("?from=2012-09-30&to=2012-09-30") == [early, late]
    assert await listed("?from=2012-10-01") == [other]
    assert await listed("?state=cancelled") == [other]
    assert refused(await service.ask("GET", "/v1/meetings?body=NONE")) == (422, "filter-value-unknown")
    first = await service.read("/v1/meetings?limit=2")
    rest = await service.read(first["next"])
    assert [f"/v1/meetings/{one['id']}" for one in (*first["items"], *rest["items"])] == [early, late, other]
    await service.post(f"{early}/reschedulings", {"scheduled_at": "2012-11-01T14:00:00Z", "reason": "later"})
    assert await listed() == [late, other, early]
    assert await listed("?body=SOCIAL") == [late, early]
    assert await listed("?body=SOCIAL&from=2012-11-01&to=2012-11-01") == [early]


COST = {"budget_impact": {"amount": "12000", "currency": "CLP", "fiscal_year": 2013, "financing": "increase"}}


async def test_what_a_body_left_open_is_proposed_for_its_next_agenda(service: Installation) -> None:
    body = await service.committee()
    _, done = await service.approved(
        body,
        item(
            referred("To the bilateral") | COST,
            referred("Nothing to pay, so nothing to wait for"),
            action_items=[task(due_on="2012-12-31"), task(text="Call them", due_on="2012-09-30", decision=1)],
        ),
    )
    proposals = (await service.read(f"/v1/bodies/{body}/agenda-proposals"))["items"]
    for one in proposals:
        shaped(one, Proposal)
    assert [(one["kind"], one["text"], one["state"]) for one in proposals] == [
        ("action_item", "Call them", "overdue"),
        ("action_item", "List the hospitals", "open"),
        ("decision", "To the bilateral", None),
    ]
    assert proposals[0]["decision"] == "SOCIAL-2012-001"
    following = await service.convened(body)
    assert (await service.read(following))["proposals"] == proposals

    number = done["decisions"][0]
    dipres: dict[str, Any] = {"role": Role.DIPRES, "organization": "DIPRES"}
    await service.post(
        f"/v1/decisions/{number}/acknowledgements", {"outcome": "disputed", "remarks": "No"}, **dipres
    )
    held = await service.ask("GET", following, If_None_Match='"1"')
    assert held.status_code == 200, "the meeting is the same, what is proposed is not"
    assert held.json()["proposals"][2]["acknowledgement"] == "disputed"
    await service.post(f"/v1/decisions/{number}/acknowledgements", {"outcome": "agreed"}, **dipres)
    await service.post(
        f"/v1/action-items/{done['action_items'][0]}/completions", {"evidence": [{"description": "It"}]}
    )
    left = (await service.read(f"/v1/bodies/{body}/agenda-proposals?limit=1"))["items"]
    assert [one["text"] for one in left] == ["Call them"]
    assert (await service.read(f"/v1/bodies/{body}/agenda-proposals"))["next"] is None


async def test_a_decision_that_costs_nothing_comes_back_only_while_the_budget_office_disputes_it(
    service: Installation,
) -> None:
    body = await service.committee()
    _, done = await service.approved(body, item(referred("To the bilateral")))
    path, dipres = f"/v1/bodies/{body}/agenda-proposals", {"role": Role.DIPRES, "organization": "DIPRES"}
    found = [(await service.read(path))["items"]]
    said = f"/v1/decisions/{done['decisions'][0]}/acknowledgements"
    for outcome in ("disputed", "agreed"):
        await service.post(said, {"outcome": outcome, "remarks": "Said so"}, **dipres)
        found.append((await service.read(path))["items"])
    assert [[one["acknowledgement"] for one in items] for items in found] == [[], ["disputed"], []]


async def test_what_is_due_on_one_day_is_proposed_page_by_page_each_once(service: Installation) -> None:
    body, tasks = await service.committee(), [task(text=f"Task {n}") for n in range(6)]
    await service.approved(body, item(action_items=tasks))
    found, url = [], f"/v1/bodies/{body}/agenda-proposals?limit=1"
    while url:
        page = await service.read(url)
        found += [one["text"] for one in page["items"]]
        url = page["next"]
    assert found == [one["text"] for one in tasks]


async def test_an_agenda_takes_up_what_was_left_open(service: Installation) -> None:
    body = await service.committee()
    _, done = await service.approved(body, item(referred(), action_items=[task()]))
    taken_up = {
        "title": "The list",
        "decisions": done["decisions"],
        "action_items": done["action_items"],
    }
    meeting = await service.convened(body, agenda=[taken_up])
    shown = (await service.read(meeting))["agenda"][0]
    assert (shown["decisions"], shown["action_items"]) == (done["decisions"], done["action_items"])


async def test_an_organisation_that_another_process_has_just_registered_is_known(
    service: Installation,
) -> None:
    """The commitments service registers organisations; a client may tell us of one the moment it was answered."""
    from shared.eventlog.envelope import NewEvent
    from shared.eventlog.open import open_store
    from shared.eventlog.store import Changes
    from shared.events.commitments import OrganizationRegistered
    from shared.events.streams import stream_of
    from tests.services.meetings.installation import SETUP

    store = open_store(service.settings.effective_log_url)
    event = NewEvent(
        stream_id=stream_of("organization", "MOP"),
        version=1,
        recorded_by=SETUP,
        correlation_id="c",
        data=OrganizationRegistered(code="MOP", name="Public Works"),
    )
    store.append([Changes([event])], service.now)
    store.close()
    await service.told("PUT", "/v1/bodies/BIL-MOP", BILATERAL | {"name": "Works", "organizations": ["MOP"]})


async def settled(service: Installation, body: str, agenda: dict[str, Any], **said: Any) -> str:
    """The path of a meeting of a body that dealt with one item, of which its sealed minutes say this."""
    meeting, _ = await service.approved(body, item(**said), agenda=[agenda])
    return meeting


async def proposed(service: Installation, body: str, *kinds: str, **who: Any) -> list[dict[str, Any]]:
    proposals = (await service.read(f"/v1/bodies/{body}/agenda-proposals", **who))["items"]
    return [one for one in proposals if one["kind"] in kinds]


async def test_a_referral_arrives_and_stays_until_the_body_it_went_to_has_dealt_with_it(
    service: Installation,
) -> None:
    origin, social = await service.committee("ECONOMIC"), await service.committee()
    named = referred("To the social committee", effect={"referral": {"to": "The other one", "body": social}})
    by_code = referred("By its code", effect={"referral": {"to": social}})
    elsewhere = referred("To the mayors", effect={"referral": {"to": "The mayors"}})
    _, done = await service.approved(origin, item(named, by_code, elsewhere))
    first, second, _ = done["decisions"]
    arrived = await proposed(service, social, "referral")
    for one in arrived:
        shaped(one, Proposal)
    assert [(one["decision"], one["referred_by"]) for one in arrived] == [(first, origin), (second, origin)]
    assert (arrived[0]["days_waiting"], arrived[0]["times_postponed"]) == (99, 0)
    assert await proposed(service, origin, "referral") == []
    assert (await service.read(await service.convened(social)))["proposals"] == arrived
    # On an agenda it is taken up, in minutes it is ended: neither where it came from, nor by a draft.
    again = {"title": "Once more", "decisions": [first]}
    await settled(service, origin, again, outcome="settled")
    await service.circulated(social, item(outcome="settled"), agenda=[again])
    assert await proposed(service, social, "referral") == arrived
    # Postponed, it comes back, and as itself: once, and counted.
    await settled(service, social, again, outcome="postponed")
    back, other = await proposed(service, social, "referral", "postponed_item")
    assert (back["decision"], back["times_postponed"], other["times_postponed"]) == (first, 1, 0)
    await settled(service, social, again, outcome="agreed")
    assert [one["decision"] for one in await proposed(service, social, "referral", "postponed_item")] == [
        second
    ]


async def test_a_postponed_item_comes_back_to_its_own_body_and_is_counted(service: Installation) -> None:
    social, other = await service.committee(), await service.committee("ECONOMIC")
    first = await settled(service, social, {"title": "Hospitals"}, outcome="postponed")
    (back,) = await proposed(service, social, "postponed_item")
    shaped(back, Proposal)
    assert (back["text"], back["times_postponed"], back["agreed_on"]) == ("Hospitals", 1, "2012-08-14")
    assert back["postponed"] == {"meeting": first.rpartition("/")[2], "item": 1}
    assert await proposed(service, other, "postponed_item") == []
    again = {"title": "Hospitals, again", "postponed": back["postponed"]}
    await settled(service, social, again, outcome="postponed")
    (once_more,) = await proposed(service, social, "postponed_item")
    assert (once_more["text"], once_more["times_postponed"]) == ("Hospitals, again", 2)
    await settled(service, social, {"title": "Now", "postponed": once_more["postponed"]}, outcome="agreed")
    assert await proposed(service, social, "postponed_item") == []
    for elsewhere, of in ((other, back["postponed"]), (social, back["postponed"] | {"item": 2})):
        agenda = [{"title": "x", "postponed": of}]
        answer = await service.ask(
            "POST",
            "/v1/meetings",
            {"body": elsewhere, "scheduled_at": "2012-11-14T14:00:00Z", "agenda": agenda},
        )
        assert refused(answer) == (422, "unknown-postponed-item")


async def test_what_was_referred_from_a_reserved_meeting_arrives_only_for_those_who_may_know_of_it(
    service: Installation,
) -> None:
    social, bilateral = await service.committee(), await service.bilateral()
    await service.approved(bilateral, item(referred(effect={"referral": {"to": social}})))
    education: dict[str, Any] = {"role": Role.MINISTRY, "organization": "MINEDUC"}
    health: dict[str, Any] = {"role": Role.MINISTRY, "organization": "MINSAL"}
    assert await proposed(service, social, "referral", **education) == []
    assert len(await proposed(service, social, "referral", **health)) == 1
    # And where it went is told to those who may know of that body.
    reserved = await service.bilateral("BIL-MINEDUC", organizations=["MINEDUC"])
    meeting, done = await service.approved(
        social, item(referred("Elsewhere", effect={"referral": {"to": "The President", "body": reserved}}))
    )
    assert (await service.read(f"/v1/decisions/{done['decisions'][0]}", **health))["effect"] is None
    assert (await service.read(f"/v1/decisions/{done['decisions'][0]}", **education))["effect"] is not None
    minutes = (await service.read(meeting, **health))["minutes"]
    assert minutes["items"][0]["decisions"][0]["effect"] is None


async def test_nothing_is_referred_to_a_body_that_is_not_there(service: Installation) -> None:
    meeting = await service.convened(await service.committee())
    await service.post(f"{meeting}/attendance", HELD)
    minutes = {"items": [item(referred(effect={"referral": {"to": "x", "body": "NOBODY"}}))]}
    answer = await service.ask("POST", f"{meeting}/minutes", minutes, If_Match="*")
    assert refused(answer) == (422, "unknown-body-referred-to")
