"""The internal deadline is the unit's, and of the organisations whose own the commitment is: to others it never was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from shared.identity.actor import Role
from tests.services.commitments.installation import Installation, refused

OTHER: dict[str, Any] = {"role": Role.MINISTRY, "organization": "HEALTH"}
LEADING: dict[str, Any] = {"role": Role.MINISTRY, "organization": "INTERIOR"}
UNIT: dict[str, Any] = {"role": Role.DCI}
ABOUT = {"code": "SEG-1", "title": "Fewer burglaries", "lead_organization": "INTERIOR"}
PATH = "/v1/commitments/SEG-1"
PUBLIC_DEADLINE = {"public_deadline": {"on": "2013-12-31"}}
INTERNAL = {"deadline": "internal", "reason": "To be told in time"}


async def story(service: Installation, *, internal: bool) -> None:
    """A commitment with a public deadline and two judgements, with or without what is said of an internal one."""
    for code in ("INTERIOR", "HEALTH"):
        path = f"/v1/organizations/{code}"
        assert (await service.ask("PUT", path, {"name": code})).status_code in (200, 201)
    more = {"internal_deadline": {"on": "2013-03-31"}} if internal else {}
    said: list[tuple[str, dict[str, Any]]] = [
        ("", ABOUT | PUBLIC_DEADLINE | more | {"effective_on": "2013-01-01"}),
        ("/assessments", {"judgement": "on_track", "reason": "So far"}),
        ("/deadline-revisions", INTERNAL | {"on": "2013-04-02"}),
        (
            "/corrections",
            {"field": "internal_deadline", "value": {"on": "2013-03-30"}, "reason": "Typed wrong"},
        ),
        ("/assessments", {"judgement": "on_track", "reason": "Still"}),
        ("/deadline-revisions", INTERNAL | {"on": "2013-04-05"}),
        ("/retractions", {"version": 6, "reason": "Of another commitment"}),
        ("/deadline-revisions", INTERNAL | {"on": "2013-04-03"}),
        ("/assessments", {"judgement": "on_track", "reason": "Once more"}),
        ("/retractions", {"version": 9 if internal else 4, "reason": "Said twice"}),
    ]
    for facts, body in said:
        if internal or not (
            body.get("deadline") == "internal" or body.get("field") or body.get("version") == 6
        ):
            target = f"{PATH}{facts}" if facts else "/v1/commitments"
            answer = await service.ask("POST", target, body, If_Match="*")
            assert answer.status_code == 201, answer.text


@asynccontextmanager
async def told(folder: Path, name: str, *, internal: bool) -> AsyncIterator[Installation]:
    """The service over the story."""
    async with Installation(folder, f"sqlite:///{folder / name}.db").running() as running:
        await story(running, internal=internal)
        yield running


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Installation]:
    """The service over a commitment with internal deadlines."""
    async with told(tmp_path, "with", internal=True) as running:
        yield running


def without_positions(value: Any) -> Any:
    """An answer without what says how much else was recorded."""
    if isinstance(value, dict):
        kept = {name: one for name, one in value.items() if name not in ("position", "status_because")}
        return {name: without_positions(one) for name, one in kept.items()}
    return [without_positions(one) for one in value] if isinstance(value, list) else value


ASKED = (
    "",
    "?version=1",
    "?version=2",
    "?version=3",
    "?version=5",
    "?version=6",
    "?known_at=2013-04-30",
    "?known_at=2013-04-29",
    "/history",
    "/history?limit=1",
    "/history?limit=2",
)


async def test_to_another_ministry_it_is_as_if_there_had_never_been_an_internal_deadline(
    service: Installation, tmp_path: Path
) -> None:
    """Versions, pages and refusals are those of a commitment without one."""
    async with told(tmp_path, "without", internal=False) as plain:
        for query in ASKED:
            path: str | None = f"{PATH}{query}"
            while path is not None:
                whole, without = [
                    await one.ask("GET", path, X_Request_Id="r", **OTHER) for one in (service, plain)
                ]
                assert whole.status_code == without.status_code, path
                assert without_positions(whole.json()) == without_positions(without.json()), path
                assert b"internal" not in whole.content.replace(b'"internal_deadline":null', b"").replace(
                    b'"visibility":"internal"', b""
                )
                path = whole.json().get("next")


async def test_its_status_is_what_it_would_be_without_one(service: Installation) -> None:
    for who, status, deadline, revisions, version in (
        (OTHER, "on_time", None, 0, 5),
        (LEADING, "needs_attention_internal_deadline", {"on": "2013-04-03"}, 2, 10),
        (UNIT, "needs_attention_internal_deadline", {"on": "2013-04-03"}, 2, 10),
        ({"role": Role.DIPRES}, "needs_attention_internal_deadline", {"on": "2013-04-03"}, 2, 10),
    ):
        found = await service.read(PATH, **who)
        assert (found["status"], found["internal_deadline"]) == (status, deadline)
        assert (len(found["deadline_revisions"]), found["version"]) == (revisions, version)


async def test_who_comes_to_lead_it_is_told(service: Installation) -> None:
    body = {"lead_organization": "HEALTH", "reason": "New portfolio"}
    await service.told("POST", f"{PATH}/reassignments", body, If_Match="*")
    found = await service.read(PATH, **OTHER)
    assert (found["internal_deadline"], found["version"]) == ({"on": "2013-04-03"}, 11)


async def test_ministries_are_told_days_and_ask_by_day(service: Installation) -> None:
    for who, instant in ((UNIT, "2013-04-30T15:00:00.000000Z"), (LEADING, None), (OTHER, None)):
        found = await service.read(PATH, **who)
        for name in ("registered", "updated"):
            assert (found[f"{name}_on"], found[f"{name}_at"]) == ("2013-04-30", instant)
        history = (await service.read(f"{PATH}/history", **who))["items"]
        assert {(item["recorded_on"], item["recorded_at"]) for item in history} == {("2013-04-30", instant)}
        answer = await service.ask("GET", f"{PATH}?known_at=2013-04-30T15:00:00Z", **who)
        assert answer.status_code == (200 if instant else 422)
    refusal = await service.ask("GET", f"{PATH}?known_at=2013-04-30T15:00:00Z", **OTHER)
    assert refused(refusal) == (422, "known-at-by-day")


async def test_positions_told_to_ministries_are_of_what_they_read(service: Installation) -> None:
    """And how far the log has got is not told by how long a position is waited for, nor by a refusal."""
    last = int((await service.ask("GET", PATH)).headers["Log-Position"])
    assert (await service.ask("GET", f"{PATH}?version=3", **OTHER)).headers["Log-Position"] == str(last - 5)
    assert (await service.ask("GET", PATH, **LEADING)).headers["Log-Position"] == str(last)
    assert (await service.ask("GET", PATH, **OTHER)).headers["Log-Position"] == str(last)
    await service.told("PUT", "/v1/pillars/P-1", {"name": "Security"})
    assert (await service.ask("GET", PATH, **LEADING)).headers["Log-Position"] == str(last)
    for query in ("", f"?wait_for={last + 1}", f"?wait_for={last + 9_000}"):
        answer = await service.ask("GET", f"{PATH}{query}", **OTHER)
        assert (answer.status_code, answer.headers["Log-Position"]) == (200, str(last))


async def test_the_tag_of_a_ministry_names_the_version_it_writes_on_and_what_it_is_shown(
    service: Installation,
) -> None:
    tag = (await service.ask("GET", PATH, **LEADING)).headers["ETag"]
    assert (await service.ask("GET", PATH, If_None_Match=tag, **LEADING)).status_code == 304
    comment = {"text": "Under way"}
    first = await service.ask("POST", f"{PATH}/comments", comment, If_Match=tag, **LEADING)
    assert first.status_code == 201
    assert int(first.headers["Log-Position"]) == first.json()["position"]
    assert (await service.ask("GET", PATH, If_None_Match=tag, **LEADING)).status_code == 200
    again = await service.ask("POST", f"{PATH}/comments", comment, If_Match=tag, **LEADING)
    assert refused(again) == (412, "stale-version")
