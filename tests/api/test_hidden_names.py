"""What one thing says of another it says to those who may know of that: names, and whatever leads to them."""

from __future__ import annotations

from typing import Any

from shared.identity.actor import Role
from tests.api.house import House
from tests.api.story import COMMITTEE, OUTSIDER, Story, approved, outcome_of, register


async def test_an_open_meeting_names_hidden_things_only_to_those_who_may_know_of_them(
    house: House, story: Story
) -> None:
    hidden = [path.rpartition("/")[2] for path in (story.hidden.decision, story.hidden.action_item)]
    insiders: list[dict[str, Any]] = [
        {"role": role} for role in (Role.DCI, Role.MINISTRY, Role.DIPRES, Role.AUDITOR)
    ]
    for who, commitments, decisions, items, serves in (
        *((one, ["INSIDE-1", "HIDDEN-1"], hidden[:1], hidden[1:], "HIDDEN-1") for one in insiders),
        (OUTSIDER, ["INSIDE-1"], [], [], None),
    ):
        meeting = await house.read("meetings", story.open.meeting, **who)
        convened = (await house.read("meetings", f"{story.open.meeting}/history", **who))["items"][0]
        for agenda in (meeting["agenda"], convened["data"]["agenda"]):
            assert agenda[0]["commitments"] == commitments
            assert (agenda[0].get("decisions", []), agenda[0].get("action_items", [])) == (decisions, items)
        (said,) = meeting["minutes"]["items"]
        assert said["decisions"][0]["commitments"] == commitments
        assert (said["decisions"][0]["effect"] is None) == (who is OUTSIDER)
        sealed = (await house.read("meetings", f"{story.open.meeting}/history?limit=200", **who))["items"][-1]
        assert sealed["type"] == "meetings.minutes_approved"
        for seal in (meeting["minutes"]["digest"], sealed["data"].get("digest")):
            assert (seal is None) == (who is OUTSIDER)
        assert said["action_items"][0]["commitment"] == serves
        for path, member, told in (
            (story.open.decision, "commitments", commitments),
            (story.open.action_item, "commitment", serves),
        ):
            assert (await house.read("meetings", path, **who))[member] == told
            history = await house.read("meetings", f"{path}/history", **who)
            assert history["items"][0]["data"].get(member) == told


async def test_a_hidden_decision_shows_what_it_did_to_open_things_and_not_that_it_is_there(
    house: House, story: Story
) -> None:
    paths = ("/v1/commitments/MOVED-1", "/v1/commitments/GIVEN-1", "/v1/indicators/VICTIMS")
    for who, known in (({"role": Role.MINISTRY}, True), ({}, True), (OUTSIDER, False)):
        moved, given, victims = [await house.read("commitments", path, **who) for path in paths]
        for fact in (
            moved["deadline_revisions"][0],
            moved["escalations"][0],
            given["closing"],
            victims["current_target"],
        ):
            assert (fact["decision"] is not None) == known, fact
            assert "BIL-INTERIOR" not in (fact.get("reason") or "")
        assert (moved["escalations"][0]["to"] is not None) == known
        assert moved["public_deadline"]["on"] == "2014-06-30"
        for path in paths:
            items = (await house.read("commitments", f"{path}/history", **who))["items"]
            (caused,) = [item for item in items if item["recorded_by"]["role"] == "system"][:1]
            tied = caused["causation_id"], caused["correlation_id"]
            for told in (caused["decision"], caused["data"].get("decision"), *tied):
                assert (told is not None) == known, caused


async def test_an_open_decision_that_goes_to_a_hidden_body_does_not_name_it_where_it_acts(
    house: House, story: Story
) -> None:
    await house.tell("meetings", "/v1/bodies/STOCK", COMMITTEE | {"decides": True}, method="PUT")
    await register(house, "RAISED-1")
    to = {"referral": {"to": "BIL-INTERIOR", "remarks": "Before March"}}
    decision = {"text": "Higher up", "kind": "escalate", "commitments": ["RAISED-1"], "effect": to}
    await outcome_of(house, await approved(house, "STOCK", decision=decision), "carried_out")
    path = "/v1/commitments/RAISED-1"
    for who, words in ((OUTSIDER, (None, None)), ({"role": Role.MINISTRY}, ("BIL-INTERIOR", "Before March"))):
        (told,) = (await house.read("commitments", path, **who))["escalations"]
        assert told["decision"] == "STOCK-2013-001"
        assert (told["to"], told["remarks"]) == words
        data = (await house.read("commitments", f"{path}/history", **who))["items"][-1]["data"]
        assert (data.get("to"), data.get("remarks")) == words


async def test_a_decision_that_is_published_alone_leads_nobody_to_its_meeting(
    house: House, story: Story
) -> None:
    met = await approved(house, "BIL-INTERIOR")
    body = {"visibility": "public", "reason": "Announced"}
    await house.tell("meetings", f"{met.decision}/publications", body)
    outcome = await outcome_of(house, met, "carried_out")
    meeting = met.meeting.rpartition("/")[2]
    await house.settled()
    asked = [
        ("meetings", met.decision),
        ("meetings", f"{met.decision}/history"),
        ("commitments", outcome),
        ("commitments", "/v1/decision-outcomes"),
        ("reporting", "/v1/decisions"),
    ]
    for service, path in asked:
        assert meeting not in (await house.ask(service, "GET", path, **OUTSIDER)).text, path
        assert meeting in (await house.ask(service, "GET", path)).text, path


async def test_who_holds_a_version_is_told_anew_what_came_into_the_open_since(
    house: House, story: Story
) -> None:
    await house.tell(
        "commitments",
        "/v1/commitments",
        {"code": "SOON-1", "title": "Soon", "lead_organization": "INTERIOR", "visibility": "reserved"},
    )
    await house.settled()
    named = {"title": "Burglaries", "commitments": ["SOON-1"]}
    met = await approved(house, "SECURITY", agenda=[named])
    await house.tell(
        "commitments",
        "/v1/commitments",
        {"code": "SOON-2", "title": "Part", "lead_organization": "INTERIOR", "parent": "SOON-1"},
    )
    asked = (
        ("meetings", met.meeting),
        ("meetings", f"{met.meeting}/history"),
        ("commitments", "/v1/commitments/SOON-2"),
        ("commitments", "/v1/commitments/SOON-2/history"),
    )
    held = {}
    for service, path in asked:
        answer = await house.ask(service, "GET", path, **OUTSIDER)
        assert "SOON-1" not in answer.text
        held[path] = answer.headers["ETag"]
    await house.tell(
        "commitments",
        "/v1/commitments/SOON-1/publications",
        {"visibility": "public", "reason": "Announced"},
    )
    await house.settled()
    for service, path in asked:
        again = await house.ask(service, "GET", path, If_None_Match=held[path], **OUTSIDER)
        assert (again.status_code, "SOON-1" in again.text) == (200, True), path
    # Where nothing was ever hidden, the version is enough, for everybody.
    for who in (OUTSIDER, {}):
        path = "/v1/commitments/INSIDE-1/history"
        first = await house.ask("commitments", "GET", path, **who)
        again = await house.ask("commitments", "GET", path, If_None_Match=first.headers["ETag"], **who)
        assert again.status_code == 304
