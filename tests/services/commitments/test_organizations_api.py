"""Organisations and pillars over HTTP, on the running service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.identity.actor import Role
from tests.services.commitments.installation import Installation, refused

pytestmark = pytest.mark.anyio


@pytest.fixture
async def service(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Installation]:
    async with Installation(tmp_path, sqlite_url).running() as running:
        yield running


async def test_an_organisation_is_put_read_and_put_again(service: Installation) -> None:
    first = await service.told("PUT", "/v1/organizations/MOP", {"name": "Public Works", "kind": "ministry"})
    assert (first.status_code, first.headers["etag"], first.headers["log-position"]) == (201, '"1"', "1")
    again = await service.told("PUT", "/v1/organizations/MOP", {"name": "Public Works", "kind": "ministry"})
    assert (again.status_code, again.headers["etag"], again.json()["version"]) == (200, '"1"', 1)
    second = await service.told(
        "PUT", "/v1/organizations/MOP", {"name": "Works", "aliases": ["Obras Públicas"]}, If_Match="*"
    )
    assert (second.status_code, second.json()["version"]) == (201, 2)
    shown = await service.read(first.headers["location"])
    assert shown == {
        "id": first.json()["id"],
        "code": "MOP",
        "name": "Works",
        "kind": "other",
        "parent": None,
        "aliases": ["Obras Públicas"],
        "successor": None,
        "dissolved_on": None,
        "successors": [],
        "effective_on": "2013-04-30",
        "version": 2,
        "position": 2,
    }
    assert await service.read(f"/v1/organizations/{shown['id']}") == shown
    held = await service.ask("GET", "/v1/organizations/MOP", If_None_Match='"2"')
    assert held.status_code == 304


async def test_a_put_may_state_the_version_it_was_decided_on_or_that_there_is_none(
    service: Installation,
) -> None:
    body = {"name": "Public Works"}
    assert refused(await service.ask("PUT", "/v1/organizations/MOP", body, If_Match='"1"')) == (
        412,
        "stale-version",
    )
    await service.told("PUT", "/v1/organizations/MOP", body, If_None_Match="*")
    taken = await service.ask("PUT", "/v1/organizations/MOP", {"name": "Other"}, If_None_Match="*")
    assert refused(taken) == (412, "stale-version")
    assert taken.headers["etag"] == '"1"'
    await service.told("PUT", "/v1/organizations/MOP", {"name": "Works"}, If_Match='"1"')
    stale = await service.ask("PUT", "/v1/organizations/MOP", {"name": "Other"}, If_Match='"1"')
    assert refused(stale) == (412, "stale-version")


@pytest.mark.parametrize("path", ["/v1/organizations/MOP", "/v1/pillars/MOP"])
async def test_a_put_that_would_change_something_says_on_which_version_it_was_decided(
    service: Installation, path: str
) -> None:
    """Or the last to write would take back what others wrote before."""
    assert (await service.ask("PUT", path, {"name": "Public Works"})).status_code == 201
    assert (await service.ask("PUT", path, {"name": "Public Works"})).status_code == 200
    blind = await service.ask("PUT", path, {"name": "Works"})
    assert refused(blind) == (428, "if-match-required")
    assert (await service.read(path))["name"] == "Public Works"
    assert (await service.ask("PUT", path, {"name": "Works"}, If_Match="*")).status_code == 201
    assert (await service.ask("PUT", path, {"name": "Roads"}, If_Match='"2"')).status_code == 201
    assert refused(await service.ask("PUT", path, {"name": "Works"}, If_Match='"2"')) == (
        412,
        "stale-version",
    )


async def test_organisations_that_refer_to_each_other_are_checked_against_what_was_put_before(
    service: Installation,
) -> None:
    assert refused(
        await service.ask("PUT", "/v1/organizations/VIAL", {"name": "Roads", "parent": "MOP"})
    ) == (
        422,
        "unknown-organization",
    )
    await service.told("PUT", "/v1/organizations/MOP", {"name": "Works", "aliases": ["Obras"]})
    await service.told("PUT", "/v1/organizations/VIAL", {"name": "Roads", "parent": "MOP"})
    circle = await service.ask(
        "PUT", "/v1/organizations/MOP", {"name": "Works", "parent": "VIAL"}, If_Match="*"
    )
    assert refused(circle) == (409, "organization-cycle")
    taken = await service.ask("PUT", "/v1/organizations/MINVU", {"name": "Housing", "aliases": ["OBRAS"]})
    assert refused(taken) == (409, "alias-taken")


async def test_lists_go_page_by_page_and_count_only_when_asked(service: Installation) -> None:
    for code in ("C", "A", "B"):
        await service.told("PUT", f"/v1/organizations/{code}", {"name": code})
    first = await service.read("/v1/organizations?limit=2&include=total")
    assert ([item["code"] for item in first["items"]], first["total"]) == (["A", "B"], 3)
    second = await service.read(first["next"])
    assert [item["code"] for item in second["items"]] == ["C"]
    assert second["next"] is None
    assert "total" not in await service.read("/v1/organizations")
    answer = await service.ask("GET", "/v1/organizations?limit=1000")
    assert answer.headers["log-position"] == "3"
    assert refused(await service.ask("GET", "/v1/organizations?include=everything")) == (
        422,
        "request-invalid",
    )


async def test_pillars_are_listed_by_rank(service: Installation) -> None:
    for code, rank in [("HEALTH", 5), ("GROWTH", 1), ("EDUCATION", 5)]:
        await service.told("PUT", f"/v1/pillars/{code}", {"name": code.title(), "rank": rank})
    first = await service.read("/v1/pillars?limit=2")
    assert [item["code"] for item in first["items"]] == ["GROWTH", "EDUCATION"]
    assert [item["code"] for item in (await service.read(first["next"]))["items"]] == ["HEALTH"]
    one = await service.read("/v1/pillars/GROWTH")
    assert (one["name"], one["rank"], one["description"]) == ("Growth", 1, None)


async def test_only_the_unit_and_administrators_put_and_everybody_with_credentials_reads(
    service: Installation,
) -> None:
    for role in (Role.MINISTRY, Role.DIPRES, Role.ADVISORY, Role.AUDITOR):
        for path in ("/v1/organizations/A", "/v1/pillars/A"):
            assert refused(await service.ask("PUT", path, {"name": "A"}, role=role)) == (
                403,
                "role-not-allowed",
            )
    await service.told("PUT", "/v1/organizations/A", {"name": "A"}, role=Role.ADMIN)
    await service.read("/v1/organizations/A", role=Role.MINISTRY)
    assert refused(await service.ask("GET", "/v1/organizations", credentials={})) == (
        401,
        "credentials-required",
    )
    for path, code in [("organizations", "organization-not-found"), ("pillars", "pillar-not-found")]:
        assert refused(await service.ask("GET", f"/v1/{path}/NOBODY")) == (404, code)


async def test_what_a_code_or_a_description_cannot_be_is_said_where_it_stands(service: Installation) -> None:
    bad_code = await service.ask("PUT", "/v1/organizations/a%20b", {"name": "A"})
    assert refused(bad_code) == (422, "code-malformed")
    blank = await service.ask("PUT", "/v1/organizations/A", {"name": " "})
    assert blank.json()["errors"][0]["pointer"] == "/name"
    unknown = await service.ask("PUT", "/v1/organizations/A", {"name": "A", "nickname": "a"})
    assert unknown.json()["errors"][0]["pointer"] == "/nickname"
    tomorrow = await service.ask("PUT", "/v1/organizations/A", {"name": "A", "dissolved_on": "2013-05-01"})
    assert refused(tomorrow) == (422, "date-in-future")


async def test_what_one_process_records_the_others_know_and_build_on(tmp_path: Path, log_url: str) -> None:
    async with (
        Installation(tmp_path, log_url).running() as one,
        Installation(tmp_path, log_url).running() as other,
    ):
        first = await one.told("PUT", "/v1/organizations/MOP", {"name": "Works"})
        listed = await other.read(f"/v1/organizations?wait_for={first.headers['log-position']}")
        assert [item["code"] for item in listed["items"]] == ["MOP"]
        second = await other.told("PUT", "/v1/organizations/VIAL", {"name": "Roads", "parent": "MOP"})
        position = second.headers["log-position"]
        assert (await one.read(f"/v1/organizations/VIAL?wait_for={position}"))["parent"] == "MOP"
        third = await other.told("PUT", "/v1/organizations/MOP", {"name": "Public works"}, If_Match='"1"')
        assert third.headers["etag"] == '"2"'
        stale = await one.ask("PUT", "/v1/organizations/MOP", {"name": "Obras"}, If_Match='"1"')
        assert refused(stale) == (412, "stale-version")


async def test_a_service_that_starts_again_knows_what_it_knew(tmp_path: Path, sqlite_url: str) -> None:
    async with Installation(tmp_path, sqlite_url).running() as service:
        await service.told("PUT", "/v1/organizations/MOP", {"name": "Works", "aliases": ["Obras"]})
        await service.told("PUT", "/v1/pillars/GROWTH", {"name": "Growth"})
        before = (await service.read("/v1/organizations"), await service.read("/v1/pillars"))
    async with Installation(tmp_path, sqlite_url).running() as service:
        assert (await service.read("/v1/organizations"), await service.read("/v1/pillars")) == before
        taken = await service.ask("PUT", "/v1/organizations/MINVU", {"name": "H", "aliases": ["obras"]})
        assert refused(taken) == (409, "alias-taken")
