"""Minutes, decisions and action items over HTTP, on the running service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.meetings.action_item.routes import ACTION_ITEM
from services.meetings.decision.routes import DECISION
from services.meetings.meeting.routes import MEETING
from shared.http.resource import HistoryItem
from shared.identity.actor import Role
from tests.services.meetings.installation import HELD, Installation, item, referred, refused, shaped, task

pytestmark = pytest.mark.anyio

DIPRES: dict[str, Any] = {"role": Role.DIPRES, "organization": "DIPRES"}
HEALTH: dict[str, Any] = {"role": Role.MINISTRY, "organization": "MINSAL"}
EDUCATION: dict[str, Any] = {"role": Role.MINISTRY, "organization": "MINEDUC"}
BUDGET = {
    "text": "Twelve thousand million more",
    "kind": "budget",
    "commitments": ["SAL-1"],
    "budget_impact": {"amount": "12000", "currency": "CLP", "fiscal_year": 2013, "financing": "increase"},
}


@pytest.fixture
async def service(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Installation]:
    async with Installation(tmp_path, sqlite_url).running() as running:
        yield running


async def test_minutes_are_observed_upon_rewritten_and_sealed(service: Installation) -> None:
    meeting = await service.circulated(await service.bilateral(), item(BUDGET, action_items=[task()]))
    await service.post(f"{meeting}/observations", {"text": "It was eleven", "agenda_item": 1}, **DIPRES)
    early = await service.ask("POST", f"{meeting}/approvals", {}, subject="reader", If_Match="*")
    assert refused(early) == (409, "observation-open")
    await service.post(f"{meeting}/observations/1/answers", {"accepted": True, "answer": "Right"})
    pending = await service.ask("POST", f"{meeting}/approvals", {}, subject="reader", If_Match="*")
    assert refused(pending) == (409, "accepted-observation-pending")
    eleven = BUDGET | {"budget_impact": BUDGET["budget_impact"] | {"amount": "11000"}}  # type: ignore[operator]
    second = await service.post(
        f"{meeting}/minutes", {"items": [item(eleven, action_items=[task(decision=1)])]}
    )
    assert second["number"] == 2
    await service.post(f"{meeting}/circulations", {"recipients": [{"organization": "DIPRES"}]})
    done = await service.post(f"{meeting}/approvals", None, subject="reader")
    assert done["decisions"] == ["BIL-MINSAL-2012-001"]

    shown = await service.read(meeting)
    shaped(shown, MEETING)
    assert shown["state"] == "approved"
    minutes = shown["minutes"]
    assert (minutes["draft"], minutes["sealed"], minutes["digest"]) == (2, True, done["digest"])
    assert minutes["items"][0]["decisions"][0]["number"] == "BIL-MINSAL-2012-001"
    assert minutes["items"][0]["action_items"][0]["id"] == done["action_items"][0]
    assert (minutes["drafted_by"]["subject"], minutes["approved_by"]["subject"]) == (
        "development:dci",
        "reader",
    )
    assert shown["observations"][0]["answer"]["accepted"] is True
    rewritten = await service.ask("POST", f"{meeting}/minutes", {"items": [item()]}, If_Match="*")
    assert refused(rewritten) == (409, "minutes-approved")


async def test_an_approval_takes_no_fields(service: Installation) -> None:
    meeting = await service.circulated(await service.committee())
    answer = await service.ask("POST", f"{meeting}/approvals", {"draft": 1}, subject="r", If_Match="*")
    assert refused(answer) == (422, "request-invalid")


async def test_an_erratum_stands_beside_the_text_and_beside_the_decision(service: Installation) -> None:
    meeting, done = await service.approved(await service.bilateral(), item(BUDGET))
    number = done["decisions"][0]
    await service.post(f"/v1/decisions/{number}/acknowledgements", {"outcome": "agreed"}, **DIPRES)
    first = await service.post(
        f"{meeting}/errata", {"reads": "list", "should_read": "lists", "reason": "A typo", "agenda_item": 1}
    )
    second = await service.post(
        f"{meeting}/errata",
        {"reads": "Twelve", "should_read": "Eleven", "reason": "Misheard", "decision": number},
    )
    assert (first["number"], second["number"]) == (1, 2)
    shown = await service.read(meeting)
    shaped(shown, MEETING)
    assert shown["minutes"]["items"][0]["summary"] == "The list was gone through."
    assert [one["should_read"] for one in shown["minutes"]["errata"]] == ["lists", "Eleven"]
    decision = await service.read(f"/v1/decisions/{number}")
    shaped(decision, DECISION)
    assert decision["text"] == "Twelve thousand million more"
    assert decision["amendments"][0]["should_read"] == "Eleven"
    assert decision["amended_since_acknowledged"] is True
    for named in ("BIL-MINSAL-2012-002", "NONE"):
        answer = await service.ask(
            "POST",
            f"{meeting}/errata",
            {"reads": "a", "should_read": "b", "reason": "c", "decision": named},
            If_Match="*",
        )
        assert refused(answer) == (422, "decision-of-another-meeting")


async def test_the_budget_office_acknowledges_and_ties_a_decision(service: Installation) -> None:
    _, done = await service.approved(await service.bilateral(), item(BUDGET))
    decision = f"/v1/decisions/{done['decisions'][0]}"
    asked = {"outcome": "disputed", "remarks": "Eleven"}
    written = await service.post(f"{decision}/acknowledgements", asked, If_Match='"1"', **DIPRES)
    assert written["number"] == "BIL-MINSAL-2012-001"
    await service.post(f"{decision}/acknowledgements", {"outcome": "agreed"}, **DIPRES)
    line = {"fiscal_year": 2013, "code": "05-01", "amount": "11000", "currency": "CLP", "request": "later"}
    await service.post(f"{decision}/budget-lines", line, **DIPRES)
    again = await service.ask("POST", f"{decision}/budget-lines", line, If_Match="*", **DIPRES)
    assert refused(again) == (409, "budget-line-already-tied")
    shown = await service.read(decision)
    shaped(shown, DECISION)
    assert shown["acknowledgement"]["outcome"] == "agreed"
    assert len(shown["acknowledgements"]) == 2
    assert shown["budget_lines"][0] | {"request": "later", "amount": "11000"} == shown["budget_lines"][0]
    assert await service.read(f"/v1/decisions/{shown['id']}") == shown
    history = (await service.read(f"{decision}/history"))["items"]
    for one in history:
        shaped(one, HistoryItem)
    assert [one["type"].removeprefix("meetings.") for one in history] == [
        "decision_agreed",
        "decision_acknowledged",
        "decision_acknowledged",
        "budget_line_tied",
    ]


async def test_what_is_entered_late_has_the_day_it_happened(service: Installation) -> None:
    meeting = await service.convened(await service.bilateral())
    await service.post(f"{meeting}/attendance", HELD)
    await service.post(f"{meeting}/minutes", {"items": [item(BUDGET)]})
    sent = {"recipients": [{"organization": "DIPRES"}]}
    for day, code in (("2012-08-13", "date-before-meeting"), ("2012-11-22", "date-in-future")):
        answer = await service.ask(
            "POST", f"{meeting}/circulations", sent | {"effective_on": day}, If_Match="*"
        )
        assert refused(answer) == (422, code)
    await service.post(f"{meeting}/circulations", sent | {"effective_on": "2012-08-20"})
    await service.post(f"{meeting}/circulations", {"recipients": [{"organization": "SEGPRES"}]})
    done = await service.post(f"{meeting}/approvals", {}, subject="reader")
    decision = f"/v1/decisions/{done['decisions'][0]}"
    line = {"fiscal_year": 2013, "code": "05-01", "amount": "11000", "currency": "CLP", "request": "first"}
    disputed, agreed = {"outcome": "disputed", "remarks": "Eleven"}, {"outcome": "agreed"}
    for what, body in (("acknowledgements", agreed), ("budget-lines", line)):
        answer = await service.ask(
            "POST", f"{decision}/{what}", body | {"effective_on": "2012-08-13"}, If_Match="*", **DIPRES
        )
        assert refused(answer) == (422, "date-before-decision")
    await service.post(f"{decision}/acknowledgements", agreed | {"effective_on": "2012-10-01"}, **DIPRES)
    await service.post(f"{decision}/acknowledgements", disputed | {"effective_on": "2012-09-03"}, **DIPRES)
    await service.post(f"{decision}/budget-lines", line | {"effective_on": "2012-09-10"}, **DIPRES)

    shown = await service.read(meeting)
    shaped(shown, MEETING)
    assert [one["effective_on"] for one in shown["circulations"]] == ["2012-08-20", "2012-11-21"]
    shown = await service.read(decision)
    shaped(shown, DECISION)
    assert (shown["acknowledgement"]["outcome"], shown["acknowledgement"]["effective_on"]) == (
        "agreed",
        "2012-10-01",
    )
    assert shown["budget_lines"][0]["effective_on"] == "2012-09-10"
    history = (await service.read(f"{decision}/history"))["items"]
    assert [one["effective_on"] for one in history] == [None, "2012-10-01", "2012-09-03", "2012-09-10"]
    # The last word is of October: nothing is left to acknowledge.
    assert (await service.read("/v1/bodies/BIL-MINSAL/agenda-proposals"))["items"] == []


async def test_an_action_item_is_carried_out_by_its_owner(service: Installation) -> None:
    _, done = await service.approved(
        await service.committee(), item(referred(), action_items=[task(decision=1, commitment="SAL-1")])
    )
    path = f"/v1/action-items/{done['action_items'][0]}"
    other = await service.ask("POST", f"{path}/progress", {"text": "x"}, If_Match="*", **EDUCATION)
    assert refused(other) == (403, "not-your-action-item")
    await service.post(f"{path}/progress", {"text": "Half", "effective_on": "2012-09-01"}, **HEALTH)
    await service.post(
        f"{path}/extensions",
        {"due_on": "2012-11-30", "reason": "The strike", "effective_on": "2012-10-15"},
    )
    shown = await service.read(path)
    shaped(shown, ACTION_ITEM)
    assert (shown["state"], shown["due_on"], shown["first_due_on"]) == ("open", "2012-11-30", "2012-09-30")
    assert (shown["decision"], shown["commitment"]) == ("SOCIAL-2012-001", "SAL-1")
    handed = {"owner_organization": "MINEDUC", "reason": "Theirs"}
    await service.post(f"{path}/reassignments", handed)
    not_now = await service.ask("POST", f"{path}/completions", {"evidence": []}, If_Match="*", **EDUCATION)
    assert refused(not_now) == (422, "evidence-required")
    await service.post(f"{path}/completions", {"evidence": [{"description": "The list"}]}, **EDUCATION)
    shown = await service.read(path)
    shaped(shown, ACTION_ITEM)
    assert (shown["state"], shown["owner_organization"], shown["ending"]["kind"]) == (
        "done",
        "MINEDUC",
        "completed",
    )
    after = await service.ask("POST", f"{path}/cancellations", {"reason": "x"}, If_Match="*")
    assert refused(after) == (409, "action-item-closed")
    history = (await service.read(f"{path}/history"))["items"]
    assert [one["version"] for one in history] == [1, 2, 3, 4, 5]
    assert history[1]["effective_on"] == "2012-09-01"


async def test_an_action_item_is_cancelled_with_a_reason(service: Installation) -> None:
    _, done = await service.approved(await service.committee(), item(action_items=[task()]))
    path = f"/v1/action-items/{done['action_items'][0]}"
    await service.post(f"{path}/cancellations", {"reason": "Overtaken"})
    shown = await service.read(path)
    shaped(shown, ACTION_ITEM)
    assert (shown["state"], shown["ending"]["reason"]) == ("cancelled", "Overtaken")


async def test_an_action_item_becomes_overdue_without_any_event(service: Installation) -> None:
    _, done = await service.approved(
        await service.committee(), item(action_items=[task(due_on="2012-11-22")])
    )
    path = f"/v1/action-items/{done['action_items'][0]}"
    assert (await service.ask("GET", path, If_None_Match='"1"')).status_code == 304
    service.now = service.now.replace(day=24)
    answer = await service.ask("GET", path, If_None_Match='"1"')
    assert (answer.status_code, answer.json()["state"]) == (200, "overdue")


async def test_a_body_that_does_not_decide_can_only_refer(service: Installation) -> None:
    meeting = await service.convened(await service.committee())
    await service.post(
        f"{meeting}/attendance",
        {
            "held_at": "2012-08-14T14:00:00Z",
            "attendance": [{"organization": "MINSAL", "position": "Minister", "presence": "present"}],
        },
    )
    answer = await service.ask("POST", f"{meeting}/minutes", {"items": [item(BUDGET)]}, If_Match="*")
    assert refused(answer) == (409, "body-only-refers")
