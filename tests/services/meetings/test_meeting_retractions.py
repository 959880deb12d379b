"""What was recorded of meetings, decisions and action items by mistake is retracted, and nothing sealed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.identity.actor import Role
from tests.services.meetings.installation import HELD, Installation, item, referred, refused, task

pytestmark = pytest.mark.anyio

MONEY = {"amount": "100", "currency": "CLP", "fiscal_year": 2013, "financing": "increase"}
WRONG = {"reason": "Typed wrong"}
EVIDENCE = {"evidence": [{"description": "The list"}]}
DIPRES: dict[str, Any] = {"role": Role.DIPRES, "organization": "DIPRES"}
MINSAL: dict[str, Any] = {"role": Role.MINISTRY, "organization": "MINSAL"}
LINE = {"fiscal_year": 2013, "code": "05-01", "amount": "100", "currency": "CLP", "request": "first"}


@pytest.fixture(scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """With the sector committee."""
    folder: Path = tmp_path_factory.mktemp("retractions")
    async with Installation(folder, f"sqlite:///{folder / 'log.db'}").running() as running:
        await running.committee()
        yield running


async def tell(service: Installation, path: str, body: Any, **by: Any) -> int:
    """Record a fact; the version it brought the thing to."""
    return int((await service.post(path, body, **by))["version"])


async def retract(service: Installation, path: str, version: int, **by: Any) -> Any:
    """Ask for the fact of a version to be retracted."""
    return await service.ask("POST", f"{path}/retractions", {"version": version, **WRONG}, If_Match="*", **by)


async def gone(service: Installation, path: str, version: int, **by: Any) -> None:
    """Retract the fact of a version."""
    answer = await retract(service, path, version, **by)
    assert answer.status_code == 201, answer.text


async def settled(service: Installation) -> tuple[str, str]:
    """The paths of a decision and of an action item, fresh from sealed minutes."""
    _, answer = await service.approved("SOCIAL", item(referred(budget_impact=MONEY), action_items=[task()]))
    return f"/v1/decisions/{answer['decisions'][0]}", f"/v1/action-items/{answer['action_items'][0]}"


async def left_open(service: Installation) -> list[Any]:
    """What the committee left open, by id or number."""
    found = await service.read("/v1/bodies/SOCIAL/agenda-proposals?limit=200")
    return [one["action_item"] or one["decision"] for one in found["items"]]


async def test_an_action_item_closed_by_mistake_is_owed_again_and_comes_back_on_the_agenda(
    service: Installation,
) -> None:
    _, owed = await settled(service)
    name = owed.rpartition("/")[2]
    done = await tell(service, f"{owed}/completions", {"completed_on": "2012-09-15", **EVIDENCE}, **MINSAL)
    assert name not in await left_open(service)
    await gone(service, owed, done, **MINSAL)
    now = await service.read(owed)
    assert (now["state"], now["ending"]) == ("overdue", None)
    assert name in await left_open(service)
    await tell(service, f"{owed}/completions", {"completed_on": "2012-09-20", **EVIDENCE}, **MINSAL)
    assert (await service.read(owed))["ending"]["completed_on"] == "2012-09-20"
    assert name not in await left_open(service)


async def test_an_extension_that_a_later_one_builds_on_stays_until_that_is_gone(
    service: Installation,
) -> None:
    _, owed = await settled(service)
    first = await tell(
        service, f"{owed}/extensions", {"due_on": "2012-12-31", "effective_on": "2012-09-01", **WRONG}
    )
    second = await tell(
        service, f"{owed}/extensions", {"due_on": "2013-03-31", "effective_on": "2012-10-01", **WRONG}
    )
    await gone(service, owed, first)
    assert (await service.read(owed))["due_on"] == "2013-03-31"
    await gone(service, owed, second)
    assert ((await service.read(owed))["due_on"], (await service.read(owed))["state"]) == (
        "2012-09-30",
        "overdue",
    )


async def test_the_budget_office_takes_back_what_it_said_and_the_line_it_tied(service: Installation) -> None:
    decision, _ = await settled(service)
    said = await tell(service, f"{decision}/acknowledgements", {"outcome": "agreed"}, **DIPRES)
    tied = await tell(service, f"{decision}/budget-lines", LINE, **DIPRES)
    number = decision.rpartition("/")[2]
    assert number not in await left_open(service)
    await gone(service, decision, said, **DIPRES)
    await gone(service, decision, tied)
    now = await service.read(decision)
    assert (now["acknowledgement"], now["acknowledgements"], now["budget_lines"]) == (None, [], [])
    assert number in await left_open(service)
    await tell(service, f"{decision}/budget-lines", LINE, **DIPRES)
    assert [line["amount"] for line in (await service.read(decision))["budget_lines"]] == ["100"]


async def test_what_was_published_or_sealed_stands(service: Installation) -> None:
    decision, owed = await settled(service)
    for path in (decision, owed):
        assert refused(await retract(service, path, 1)) == (409, "not-retractable")
    narrowed = await service.ask(
        "POST", f"{decision}/retractions", {"version": 1, **WRONG}, If_Match="*", **MINSAL
    )
    assert refused(narrowed) == (403, "role-not-allowed")
    meeting, _ = await service.approved("SOCIAL", item())
    for version in (1, 2, 3, 4, 5):
        assert refused(await retract(service, meeting, version)) == (409, "minutes-approved")


async def test_before_the_seal_every_step_is_taken_back_from_the_last(service: Installation) -> None:
    meeting = await service.convened("SOCIAL")
    moved = await tell(service, f"{meeting}/reschedulings", {"scheduled_at": "2012-08-21T14:00:00Z", **WRONG})
    held = await tell(service, f"{meeting}/attendance", HELD)
    drafted = await tell(service, f"{meeting}/minutes", {"items": [item()]})
    again = await tell(service, f"{meeting}/minutes", {"items": [item(summary="Another")]})
    sent = await tell(service, f"{meeting}/circulations", {"recipients": [{"organization": "DIPRES"}]})
    observed = await tell(service, f"{meeting}/observations", {"text": "Of which year?"}, **DIPRES)
    for version, rests in ((held, drafted), (again, sent), (sent, observed)):
        answer = await retract(service, meeting, version)
        assert refused(answer) == (409, "retraction-in-the-way")
        assert f"Version {rests} " in answer.json()["detail"]
    await gone(service, meeting, observed, **DIPRES)
    await gone(service, meeting, sent)
    await gone(service, meeting, again)
    now = await service.read(meeting)
    assert (now["state"], now["scheduled_at"]) == ("minutes_drafted", "2012-08-21T14:00:00Z")
    assert (await service.post(f"{meeting}/minutes", {"items": [item(summary="A third")]}))["number"] == 3
    await gone(service, meeting, moved)
    assert (await service.read(meeting))["scheduled_at"] == "2012-08-14T14:00:00Z"


async def test_a_cancellation_by_mistake_is_undone_in_lists_and_calendars_which_count_on(
    service: Installation,
) -> None:
    meeting = await service.convened("SOCIAL", scheduled_at="2013-01-15T14:00:00Z")
    off = await tell(service, f"{meeting}/cancellations", WRONG)
    assert "STATUS:CANCELLED" in (await service.ask("GET", f"{meeting}.ics")).text
    await gone(service, meeting, off)
    calendar = (await service.ask("GET", f"{meeting}.ics")).text
    assert "STATUS:CANCELLED" not in calendar
    assert "SEQUENCE:2" in calendar
    listed = (await service.read("/v1/meetings?from=2013-01-15&to=2013-01-15"))["items"]
    assert [(one["state"], one["version"]) for one in listed] == [("convened", 3)]
    moved = await tell(service, f"{meeting}/reschedulings", {"scheduled_at": "2013-01-22T14:00:00Z", **WRONG})
    assert (await service.read("/v1/meetings?from=2013-01-15&to=2013-01-15"))["items"] == []
    await gone(service, meeting, moved)
    assert [
        one["version"] for one in (await service.read("/v1/meetings?from=2013-01-15&to=2013-01-22"))["items"]
    ] == [5]


async def test_an_agenda_that_was_agreed_or_rewritten_by_mistake_is_as_it_was(service: Installation) -> None:
    meeting = await service.convened("SOCIAL")
    agreed = await tell(
        service, f"{meeting}/agenda-revisions", {"agenda": [{"title": "A"}], "agreed_with": ["MINSAL"]}
    )
    revised = await tell(
        service, f"{meeting}/agenda-revisions", {"agenda": [{"title": "B"}], "agreed_with": [], **WRONG}
    )
    await gone(service, meeting, revised)
    now = await service.read(meeting)
    assert (now["state"], [one["title"] for one in now["agenda"]]) == ("agenda_agreed", ["A"])
    await gone(service, meeting, agreed)
    assert (await service.read(meeting))["state"] == "convened"
