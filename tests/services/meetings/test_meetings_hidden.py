"""What an actor may not know of is not there: not in lists, counts, numbers, errors, or in what they may see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from services.meetings.action_item.routes import ACTION_ITEM
from shared.identity.actor import Role
from tests.services.meetings.installation import HELD, Installation, item, referred, refused, shaped, task

pytestmark = pytest.mark.anyio

HEALTH: dict[str, Any] = {"role": Role.MINISTRY, "organization": "MINSAL"}
EDUCATION: dict[str, Any] = {"role": Role.MINISTRY, "organization": "MINEDUC"}
CENTRE = [
    (Role.DCI, "DCI"),
    (Role.ADVISORY, "ADVISORY"),
    (Role.DIPRES, "DIPRES"),
    (Role.AUDITOR, "DCI"),
    (Role.ADMIN, "DCI"),
]


@pytest.fixture
async def service(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Installation]:
    async with Installation(tmp_path, sqlite_url).running() as running:
        yield running


class Secret:
    """A bilateral with Health: its meeting, its decision, and an action item that Health owes."""

    def __init__(self, meeting: str, done: Any) -> None:
        self.meeting = meeting
        self.decision = f"/v1/decisions/{done['decisions'][0]}"
        self.item = f"/v1/action-items/{done['action_items'][0]}"
        self.body = "/v1/bodies/BIL-MINSAL"

    @property
    def reads(self) -> list[str]:
        return [
            self.body,
            f"{self.body}/agenda-proposals",
            f"{self.body}/calendar.ics",
            self.meeting,
            f"{self.meeting}.ics",
            f"{self.meeting}/minutes.html",
            f"{self.meeting}/minutes.pdf",
            f"{self.meeting}/history",
            self.decision,
            f"{self.decision}/history",
            self.item,
            f"{self.item}/history",
        ]


@pytest.fixture
async def secret(service: Installation) -> Secret:
    meeting, done = await service.approved(
        await service.bilateral(), item(referred(), action_items=[task(decision=1)])
    )
    return Secret(meeting, done)


def absent(path: str) -> str:
    """The like of a path, of something that was never there."""
    return "/".join(
        str(uuid4()) if len(part.removesuffix(".ics")) == 36 else part for part in path.split("/")
    ).replace("BIL-MINSAL", "BIL-NOBODY") + (".ics" if path.endswith(".ics") and "bodies" not in path else "")


async def test_to_another_ministry_it_is_as_if_it_never_was(service: Installation, secret: Secret) -> None:
    for path in secret.reads:
        hidden = await service.ask("GET", path, **EDUCATION)
        never = await service.ask("GET", absent(path), **EDUCATION)
        assert hidden.status_code == 404, path
        told = [
            {name: value for name, value in answer.json().items() if name not in ("instance", "request_id")}
            for answer in (hidden, never)
        ]
        assert told[0] == told[1], path


async def test_to_its_own_ministry_and_to_the_centre_it_is_there(
    service: Installation, secret: Secret
) -> None:
    for path in secret.reads:
        assert (await service.ask("GET", path, **HEALTH)).status_code == 200, path
        for role, organization in CENTRE:
            answer = await service.ask("GET", path, role=role, organization=organization)
            assert answer.status_code == 200, (path, role)


@pytest.mark.parametrize("number", ["BIL-MINSAL-2012-001", "BIL-MINSAL-2012-002", "BIL-MINSAL-2011-001"])
async def test_a_hidden_number_and_one_never_given_are_told_of_alike(
    service: Installation, secret: Secret, number: str
) -> None:
    answer = await service.ask("GET", f"/v1/decisions/{number}", **EDUCATION)
    assert refused(answer) == (404, "unknown-decision")


async def test_lists_and_counts_are_what_they_would_be_without_it(service: Installation) -> None:
    await service.committee()
    await service.convened("SOCIAL")
    lists = ["/v1/bodies?include=total", "/v1/meetings", "/v1/bodies/SOCIAL/agenda-proposals"]
    before = [await service.read(path, **EDUCATION) for path in lists]
    await service.approved(await service.bilateral(), item(referred(), action_items=[task()]))
    assert [await service.read(path, **EDUCATION) for path in lists] == before
    for body in ("BIL-MINSAL", "BIL-NOBODY"):
        answer = await service.ask("GET", f"/v1/meetings?body={body}", **EDUCATION)
        assert refused(answer) == (422, "filter-value-unknown")
    assert (await service.read("/v1/bodies?include=total"))["total"] == 2
    assert len((await service.read("/v1/meetings", **HEALTH))["items"]) == 2


async def test_the_numbers_of_an_open_body_have_no_gaps_where_a_reserved_one_decided(
    service: Installation, secret: Secret
) -> None:
    _, first = await service.approved(await service.committee(), item(referred()))
    await service.approved("BIL-MINSAL", item(referred()))
    _, second = await service.approved("SOCIAL", item(referred()))
    assert [*first["decisions"], *second["decisions"]] == ["SOCIAL-2012-001", "SOCIAL-2012-002"]


async def test_to_write_to_what_is_hidden_is_to_write_to_what_is_not_there(
    service: Installation, secret: Secret
) -> None:
    asked = [
        (f"{secret.meeting}/observations", {"text": "x"}),
        (f"{secret.item}/progress", {"text": "x"}),
        (f"{secret.item}/completions", {"evidence": []}),
    ]
    for path, body in asked:
        for version in ("*", '"1"', '"99"'):
            hidden = await service.ask("POST", path, body, If_Match=version, **EDUCATION)
            never = await service.ask("POST", absent(path), body, If_Match=version, **EDUCATION)
            assert refused(hidden) == refused(never)
            assert hidden.status_code == 404


async def test_an_owner_knows_of_the_task_and_not_of_the_meeting_that_asked_for_it(
    service: Installation,
) -> None:
    meeting, done = await service.approved(
        await service.bilateral(),
        item(referred(), action_items=[task(decision=1, owner_organization="MINEDUC")]),
    )
    path = f"/v1/action-items/{done['action_items'][0]}"
    shown = await service.read(path, **EDUCATION)
    shaped(shown, ACTION_ITEM)
    told = await service.ask("GET", f"{path}/history", **EDUCATION)
    for text in (str(shown), told.text):
        for word in ("BIL-MINSAL", meeting.rpartition("/")[2], "MINSAL"):
            assert word not in text
    assert (shown["body"], shown["meeting"], shown["decision"]) == (None, None, None)
    # The request that approved the minutes is also that of what the decision did elsewhere.
    assert told.json()["items"][0]["correlation_id"] is None
    assert (await service.read(f"{path}/history"))["items"][0]["correlation_id"]
    await service.post(f"{path}/completions", {"evidence": [{"description": "It"}]}, **EDUCATION)
    whole = await service.read(path)
    assert (whole["body"], whole["decision"]) == ("BIL-MINSAL", "BIL-MINSAL-2012-001")


async def test_a_reserved_meeting_decides_nothing_about_those_who_may_not_know(service: Installation) -> None:
    meeting = await service.convened(await service.bilateral())
    await service.post(f"{meeting}/attendance", HELD)
    concerned = item(referred(organizations=["MINEDUC"]))
    answer = await service.ask("POST", f"{meeting}/minutes", {"items": [concerned]}, If_Match="*")
    assert refused(answer) == (422, "organization-outside-circle")


async def test_whoever_is_sent_the_minutes_of_a_reserved_meeting_knows_of_it(service: Installation) -> None:
    meeting = await service.convened(await service.bilateral())
    segpres: dict[str, Any] = {"role": Role.MINISTRY, "organization": "SEGPRES"}
    assert (await service.ask("GET", meeting, **segpres)).status_code == 404
    await service.post(f"{meeting}/attendance", HELD)
    await service.post(f"{meeting}/minutes", {"items": [item(referred())]})
    await service.post(f"{meeting}/circulations", {"recipients": [{"organization": "SEGPRES"}]})
    assert (await service.read(meeting, **segpres))["minutes"]["draft"] == 1
    await service.post(f"{meeting}/observations", {"text": "Not so"}, **segpres)
    assert (await service.read("/v1/meetings", **segpres))["items"][0]["state"] == "circulated"
    await service.post(f"{meeting}/observations/1/answers", {"accepted": False, "answer": "It was"})
    done = await service.post(f"{meeting}/approvals", {}, subject="reader")
    assert (await service.ask("GET", f"/v1/decisions/{done['decisions'][0]}", **segpres)).status_code == 200


async def test_drafts_are_for_the_centre_and_for_those_they_were_sent_to(service: Installation) -> None:
    body = await service.committee()
    meeting = await service.circulated(body, item(referred("Secret for now")))
    await service.post(f"{meeting}/observations", {"text": "Secret, too"})
    drafts = ["minutes_drafted", "observation_raised"]
    for path in (meeting, f"{meeting}/history"):
        assert "Secret" not in (await service.ask("GET", path, **HEALTH)).text
        for role, organization in CENTRE:
            answer = await service.ask("GET", path, role=role, organization=organization)
            assert "Secret for now" in answer.text
    assert (await service.read(meeting, **HEALTH))["minutes"] is None
    history = (await service.read(f"{meeting}/history", **HEALTH))["items"]
    assert [one["data"] is None for one in history] == [
        one["type"].removeprefix("meetings.") in drafts for one in history
    ]
    no_say = await service.ask("POST", f"{meeting}/observations", {"text": "x"}, If_Match="*", **HEALTH)
    assert refused(no_say) == (403, "not-a-recipient")
    await service.post(f"{meeting}/observations/1/answers", {"accepted": False, "answer": "No"})
    await service.post(f"{meeting}/approvals", {}, subject="reader")
    sealed = await service.read(meeting, **HEALTH)
    assert sealed["minutes"]["items"][0]["decisions"][0]["text"] == "Secret for now"
    assert sealed["observations"] == []
    history = (await service.read(f"{meeting}/history", **HEALTH))["items"]
    assert "Secret for now" in str(history)
    assert "Secret, too" not in str(history)


async def test_a_published_meeting_is_known_with_what_it_decided(
    service: Installation, secret: Secret
) -> None:
    await service.post(f"{secret.meeting}/publications", {"visibility": "internal", "reason": "Announced"})
    for path in (secret.meeting, secret.decision, secret.item, f"{secret.meeting}.ics"):
        assert (await service.ask("GET", path, **EDUCATION)).status_code == 200
    assert (await service.ask("GET", secret.body, **EDUCATION)).status_code == 404
    shown = await service.read(secret.item, **EDUCATION)
    assert shown["decision"] == "BIL-MINSAL-2012-001"
    await service.post(f"{secret.meeting}/publications", {"visibility": "reserved", "reason": "Too soon"})
    for path in (secret.meeting, secret.decision, secret.item):
        assert (await service.ask("GET", path, **EDUCATION)).status_code == 404


async def test_a_decision_is_published_alone_and_goes_its_own_way(
    service: Installation, secret: Secret
) -> None:
    asked = {"visibility": "public", "reason": "Announced"}
    await service.post(f"{secret.decision}/publications", asked)
    assert (await service.ask("GET", secret.decision, **EDUCATION)).status_code == 200
    assert (await service.ask("GET", secret.meeting, **EDUCATION)).status_code == 404
    history = await service.read(f"{secret.decision}/history", **EDUCATION)
    assert "circle" not in history["items"][0]["data"]
    await service.post(f"{secret.meeting}/publications", {"visibility": "internal", "reason": "Now"})
    assert (await service.read(secret.decision))["visibility"] == "public"
    assert (await service.read(secret.item))["visibility"] == "internal"


async def test_what_was_open_from_the_start_is_not_hidden(service: Installation) -> None:
    meeting, done = await service.approved(await service.committee(), item(referred()))
    asked = {"visibility": "reserved", "reason": "x"}
    for path, code in (
        (meeting, "narrower-than-convened"),
        (f"/v1/decisions/{done['decisions'][0]}", "narrower-than-meeting"),
    ):
        answer = await service.ask("POST", f"{path}/publications", asked, If_Match="*")
        assert refused(answer) == (409, code)


async def test_whoever_may_read_the_minutes_may_know_of_each_decision_in_them(
    service: Installation, secret: Secret
) -> None:
    await service.post(f"{secret.decision}/publications", {"visibility": "internal", "reason": "x"})
    await service.post(f"{secret.meeting}/publications", {"visibility": "public", "reason": "x"})
    for path in (secret.decision, secret.item):
        assert (await service.read(path))["visibility"] == "public"


async def test_calendars_hold_only_what_the_reader_may_know(service: Installation, secret: Secret) -> None:
    other = await service.convened("BIL-MINSAL", title="Other")
    await service.post(f"{secret.meeting}/publications", {"visibility": "internal", "reason": "x"})
    own = await service.ask("GET", f"{secret.body}/calendar.ics", **HEALTH)
    assert own.text.count("BEGIN:VEVENT") == 2
    assert (await service.ask("GET", f"{other}.ics", **EDUCATION)).status_code == 404
