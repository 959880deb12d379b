"""API keys: what may be issued, what their holders can do, and that the secret is told once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.commitments.key.model import ApiKey, issue_key
from shared.aggregate.command import Context
from shared.clock import Clock
from shared.errors import InvalidInput, RuleBroken
from shared.eventlog.open import open_store
from shared.events.identity import KeyApproved, KeyIssued, KeyRequested, KeyRevoked
from shared.identity.actor import Actor, Role
from shared.identity.keys import LONGEST_LIFE
from tests.services.commitments.installation import Installation, refused
from tests.services.commitments.stories import Story
from tests.support.scenario import on

NOW = datetime(2013, 4, 30, 15, tzinfo=UTC)
KEY: dict[str, Any] = {
    "role": "dipres",
    "organization": "DIPRES",
    "expires_at": "2013-12-31T00:00:00Z",
    "description": "budget tools",
}
ADMIN: dict[str, Any] = {"role": Role.ADMIN, "organization": "DCI"}
SECOND: dict[str, Any] = ADMIN | {"subject": "second"}
FIRST = Actor("first", "DCI", Role.ADMIN)


def issued(**more: Any) -> Story[ApiKey]:
    fields: dict[str, Any] = {
        "key_id": "abc",
        "secret_sha256": "0" * 64,
        "role": Role.DIPRES,
        "organization": "DIPRES",
        "scopes": ("read",),
        "expires_at": NOW + timedelta(days=30),
    }
    return Story(
        ApiKey.begin, [issue_key(KeyIssued(**fields | more), Context(FIRST, Clock(now=lambda: NOW)))]
    )


def revoking(reason: str) -> KeyRevoked:
    return KeyRevoked(key_id="abc", reason=reason)


@pytest.mark.parametrize(
    ("said", "code", "pointer"),
    [
        ({"role": Role.SYSTEM}, "key-role-reserved", "/role"),
        ({"scopes": ()}, "key-scopes-unknown", "/scopes"),
        ({"scopes": ("read", "everything")}, "key-scopes-unknown", "/scopes"),
        ({"holder": "key:abc"}, "key-holder-reserved", "/holder"),
        ({"expires_at": NOW}, "key-lifetime", "/expires_at"),
        ({"expires_at": NOW + LONGEST_LIFE + timedelta(seconds=1)}, "key-lifetime", "/expires_at"),
    ],
)
def test_a_key_has_a_role_of_people_known_scopes_and_an_end_within_a_year(
    said: dict[str, Any], code: str, pointer: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        issued(**said)
    assert (refusal.value.code, refusal.value.pointer) == (code, pointer)


def test_a_key_is_taken_back_once_and_with_a_reason() -> None:
    story = issued(expires_at=NOW + LONGEST_LIFE)
    now = on(NOW.date())
    with pytest.raises(InvalidInput):
        story.thing.revoke(revoking(" "), now)
    revoked = story.record(story.thing.revoke(revoking("Lost laptop"), now))
    with pytest.raises(RuleBroken) as refusal:
        story.thing.revoke(revoking("Again"), now)
    assert refusal.value.code == "key-already-revoked"
    replayed = story.replayed()
    assert replayed.revocation == story.thing.revocation
    assert replayed.revocation is not None
    assert replayed.revocation.event == revoked
    assert (replayed.version, replayed.revocation.recorded_at) == (2, story.events[1].recorded_at)


@pytest.fixture
async def service(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Installation]:
    async with Installation(tmp_path, sqlite_url).running() as running:
        for code in ("DCI", "DIPRES"):
            await running.told("PUT", f"/v1/organizations/{code}", {"name": code})
        yield running


async def issued_to(
    service: Installation, body: dict[str, Any], asking: dict[str, Any] = ADMIN
) -> dict[str, Any]:
    """A key that one administrator asked for and another approved, as it was told."""
    told: dict[str, Any] = (await service.told("POST", "/v1/api-keys", body, **asking)).json()
    approving = ADMIN if asking is SECOND else SECOND
    await service.told("POST", f"/v1/api-keys/{told['key_id']}/approvals", {}, If_Match="*", **approving)
    return told


def presenting(secret: str) -> dict[str, Any]:
    return {"credentials": {"Authorization": f"Bearer {secret}"}}


@pytest.mark.anyio
async def test_a_key_opens_what_its_role_and_scopes_allow_until_it_is_taken_back(
    service: Installation,
) -> None:
    answer = await service.told("POST", "/v1/api-keys", KEY, **ADMIN)
    secret, key_id = answer.json()["secret"], answer.json()["key_id"]
    assert secret.startswith(f"bk_{key_id}_")
    assert answer.headers["cache-control"] == "no-store"
    early = await service.ask("GET", "/v1/organizations/DIPRES", **presenting(secret))
    assert refused(early) == (401, "credentials-invalid")
    itself = await service.ask("POST", f"/v1/api-keys/{key_id}/approvals", {}, If_Match="*", **ADMIN)
    assert refused(itself) == (409, "key-approver-is-requester")
    await service.told("POST", f"/v1/api-keys/{key_id}/approvals", None, If_Match='"1"', **SECOND)
    twice = await service.ask("POST", f"/v1/api-keys/{key_id}/approvals", {}, If_Match="*", **SECOND)
    assert refused(twice) == (409, "key-already-approved")
    await service.read("/v1/organizations/DIPRES", **presenting(secret))
    write = await service.ask("POST", "/v1/commitments/X/budget-estimates", {}, **presenting(secret))
    assert refused(write) == (403, "scope-not-granted")
    await service.told("POST", f"/v1/api-keys/{key_id}/revocations", {"reason": "Lost"}, **ADMIN)
    late = await service.ask("GET", "/v1/organizations/DIPRES", **presenting(secret))
    assert refused(late) == (401, "credentials-invalid")
    again = await service.ask("POST", f"/v1/api-keys/{key_id}/revocations", {"reason": "Lost"}, **ADMIN)
    assert refused(again) == (409, "key-already-revoked")


@pytest.mark.anyio
async def test_a_key_opens_nothing_after_its_time(service: Installation) -> None:
    secret = (await issued_to(service, KEY))["secret"]
    service.now = datetime(2013, 12, 31, tzinfo=UTC)
    late = await service.ask("GET", "/v1/organizations/DIPRES", **presenting(secret))
    assert refused(late) == (401, "credentials-invalid")


@pytest.mark.anyio
async def test_the_answer_to_a_repeated_request_names_the_key_and_not_its_secret(
    service: Installation,
) -> None:
    first, second = [
        (await service.told("POST", "/v1/api-keys", KEY, Idempotency_Key="k", **ADMIN)) for _ in range(2)
    ]
    assert second.headers["idempotency-replayed"] == "true"
    told = first.json()
    del told["secret"]
    assert second.json() == told
    assert len((await service.read("/v1/api-keys", **ADMIN))["items"]) == 1


@pytest.mark.anyio
async def test_neither_the_list_nor_the_log_holds_a_secret(service: Installation) -> None:
    answer = await service.told("POST", "/v1/api-keys", KEY | {"scopes": ["write", "read"]}, **ADMIN)
    secret = answer.json()["secret"].rpartition("_")[2]
    listed = await service.ask("GET", "/v1/api-keys?include=total", **ADMIN)
    assert secret not in listed.text
    (item,) = listed.json()["items"]
    assert listed.json()["total"] == 1
    assert item == {
        "id": answer.json()["id"],
        "key_id": answer.json()["key_id"],
        "role": "dipres",
        "organization": "DIPRES",
        "scopes": ["read", "write"],
        "description": "budget tools",
        "holder": "development:admin",
        "approved": False,
        "approval": None,
        "recorded_by": {"subject": "development:admin", "organization": "DCI", "role": "admin"},
        "issued_at": "2013-04-30T15:00:00.000000Z",
        "expires_at": "2013-12-31T00:00:00.000000Z",
        "revocation": None,
        "version": 1,
        "position": 3,
    }
    store = open_store(service.settings.effective_log_url)
    try:
        stored = b"".join(line for _, line in store.read(0, 100))
    finally:
        store.close()
    assert b"identity.key_requested" in stored
    assert secret.encode() not in stored


@pytest.mark.anyio
async def test_the_answer_leads_to_the_key_which_either_of_its_ids_names(service: Installation) -> None:
    answer = await service.told("POST", "/v1/api-keys", KEY, **ADMIN)
    told = answer.json()
    assert answer.headers["location"].endswith(f"/v1/api-keys/{told['key_id']}")
    by_id = f"/v1/api-keys/{told['id']}"
    approved = await service.told("POST", f"{by_id}/approvals", {}, If_Match='"1"', **SECOND)
    revoked = await service.told("POST", f"{by_id}/revocations", {"reason": "Lost"}, If_Match='"2"', **ADMIN)
    for written in (approved, revoked):
        assert written.json()["key_id"] == told["key_id"]
        assert written.headers["location"] == answer.headers["location"]
    found = [await service.read(path, **ADMIN) for path in (answer.headers["location"], by_id)]
    (listed,) = (await service.read("/v1/api-keys", **ADMIN))["items"]
    assert found == [listed, listed]
    who = [item["recorded_by"]["subject"] for item in (listed, listed["approval"], listed["revocation"])]
    assert who == ["development:admin", "second", "development:admin"]
    for missing in ("abc", "0" * 8 + "-0000-4000-8000-" + "0" * 12):
        assert refused(await service.ask("GET", f"/v1/api-keys/{missing}", **ADMIN)) == (
            404,
            "unknown-api-key",
        )


@pytest.mark.anyio
async def test_keys_are_listed_in_the_order_of_issue_with_what_became_of_them(service: Installation) -> None:
    ids = [(await service.told("POST", "/v1/api-keys", KEY, **ADMIN)).json()["key_id"] for _ in range(3)]
    await service.told("POST", f"/v1/api-keys/{ids[0]}/revocations", {"reason": "Lost"}, **ADMIN)
    first = await service.read("/v1/api-keys?limit=2", **ADMIN)
    second = await service.read(first["next"], **ADMIN)
    assert [item["key_id"] for item in first["items"] + second["items"]] == ids
    assert first["items"][0]["revocation"]["reason"] == "Lost"
    assert second["next"] is None


@pytest.mark.anyio
async def test_only_administrators_deal_in_keys(service: Installation) -> None:
    for role in set(Role) - {Role.ADMIN, Role.SYSTEM}:
        for method, path, body in [
            ("POST", "/v1/api-keys", KEY),
            ("GET", "/v1/api-keys", None),
            ("POST", "/v1/api-keys/abc/revocations", {"reason": "r"}),
            ("POST", "/v1/api-keys/abc/approvals", {}),
        ]:
            assert refused(await service.ask(method, path, body, role=role)) == (403, "role-not-allowed")
    system = await service.ask("POST", "/v1/api-keys", KEY | {"role": "system"}, **ADMIN)
    assert refused(system) == (422, "key-role-reserved")
    nobody = await service.ask("POST", "/v1/api-keys", KEY | {"organization": "NOBODY"}, **ADMIN)
    assert refused(nobody) == (422, "unknown-organization")
    unknown = await service.ask("POST", "/v1/api-keys/abc/revocations", {"reason": "r"}, **ADMIN)
    assert refused(unknown) == (404, "unknown-api-key")


@pytest.mark.anyio
async def test_a_key_taken_back_by_one_process_opens_nothing_in_another(tmp_path: Path, log_url: str) -> None:
    async with (
        Installation(tmp_path, log_url).running() as one,
        Installation(tmp_path, log_url).running() as other,
    ):
        await one.told("PUT", "/v1/organizations/DIPRES", {"name": "DIPRES"})
        told = await issued_to(one, KEY)
        await other.read(f"/v1/api-keys?wait_for={told['position'] + 1}", **ADMIN)
        await other.read("/v1/organizations", **presenting(told["secret"]))
        path = f"/v1/api-keys/{told['key_id']}/revocations"
        revoked = (await one.told("POST", path, {"reason": "Lost"}, **ADMIN)).json()
        await other.read(f"/v1/api-keys?wait_for={revoked['position']}", **ADMIN)
        late = await other.ask("GET", "/v1/organizations", **presenting(told["secret"]))
        assert refused(late) == (401, "credentials-invalid")


def test_a_key_for_a_role_that_one_has_is_in_force_at_once_and_for_another_when_it_is_approved() -> None:
    own, other = issued(role=Role.ADMIN).thing, issued()
    assert isinstance(own.issued, KeyIssued)
    assert own.approved
    assert isinstance(other.thing.issued, KeyRequested)
    assert not other.thing.approved
    now = Context(Actor("key:e", "DCI", Role.ADMIN, "second"), Clock(now=lambda: NOW))
    other.record(other.thing.approve(KeyApproved(key_id="abc"), now))
    assert other.replayed().approved


@pytest.mark.anyio
async def test_what_takes_two_people_is_not_done_by_one_with_two_credentials(service: Installation) -> None:
    """Ana reports by a script's key and would review with her own token; and the other way round."""
    unit = {"role": "dci", "organization": "DCI", "expires_at": KEY["expires_at"]}
    scopes = ["read", "write"]
    keys = [
        presenting((await issued_to(service, unit | {"scopes": scopes, "holder": holder}, asking))["secret"])
        for holder, asking in [("ana", ADMIN), ("ana", ADMIN), ("leo", SECOND), ("eva", ADMIN)]
    ]
    ana = {"role": Role.DCI, "organization": "DCI", "subject": "ana"}
    body = {"code": "A-1", "title": "A promise", "lead_organization": "DCI", "no_deadline_reason": "a test"}
    await service.told("POST", "/v1/commitments", body | {"effective_on": "2013-01-01"}, **ana)
    path = "/v1/commitments/A-1/progress-reports"
    report = {"period": "2013-03", "observed_progress": "Under way", "percent": 10}
    for number, (author, reviewers) in enumerate(
        [(keys[0], [keys[0], keys[1], keys[3], ana]), (ana, [keys[0], ana])], 1
    ):
        await service.told("POST", path, report, If_Match="*", **author)
        review = {"outcome": "accepted"}
        for reviewer in reviewers:
            answer = await service.ask("POST", f"{path}/{number}/reviews", review, If_Match="*", **reviewer)
            assert refused(answer) == (409, "reviewer-is-author")
        await service.told("POST", f"{path}/{number}/reviews", review, If_Match="*", **keys[2])
    history = await service.read("/v1/commitments/A-1/history", **ana)
    by_key = history["items"][1]["recorded_by"]
    assert by_key["subject"].startswith("key:")
    assert by_key["holder"] == "ana"
    assert by_key["asked_by"] == ["development:admin"]


@pytest.mark.anyio
async def test_an_administrator_is_not_a_second_one_by_a_key_in_a_name_they_made_up(
    service: Installation,
) -> None:
    """Nor by a key that such a key asked for; nor does such a key approve what its holder asked for."""
    own = KEY | {"role": "admin", "organization": "DCI", "scopes": ["read", "write"]}

    async def asked(body: dict[str, Any], **asking: Any) -> dict[str, Any]:
        told: dict[str, Any] = (await service.told("POST", "/v1/api-keys", body, **asking)).json()
        return told

    first = presenting((await asked(own | {"holder": "nobody"}, **ADMIN))["secret"])
    second = presenting((await asked(own | {"holder": "no-one"}, **first))["secret"])
    held = presenting((await asked(own | {"holder": "development:admin"}, **SECOND))["secret"])
    wanted = [await asked(KEY, **who) for who in (ADMIN, first, second)]
    for key in wanted:
        path = f"/v1/api-keys/{key['key_id']}/approvals"
        for who in (ADMIN, first, second, held):
            answer = await service.ask("POST", path, {}, If_Match="*", **who)
            assert refused(answer) == (409, "key-approver-is-requester")
        await service.told("POST", path, {}, If_Match="*", **SECOND)
