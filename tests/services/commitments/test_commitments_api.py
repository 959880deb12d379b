"""Commitments over HTTP, on the running service: registered, read as they are and were, and their history."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from services.commitments.commitment.routes import COMMITMENT
from shared.events.streams import stream_of
from shared.http.resource import HistoryItem
from shared.identity.actor import Role
from shared.rules.dated_facts import FIELD_TYPES
from tests.services.commitments.documented import examples
from tests.services.commitments.installation import Installation, refused

pytestmark = pytest.mark.anyio

PLAIN = {"code": "SEG-14", "title": "Reduce household victimisation by 15 %", "lead_organization": "INTERIOR"}
FULL: dict[str, Any] = PLAIN | {
    "kind": "action",
    "parent": "SEG",
    "pillar": "SECURITY",
    "result_type": "outcome",
    "origin": {
        "kind": "may_21_speech",
        "source": "Speech of May 21",
        "source_on": "2012-05-21",
        "quote": "We will",
        "document_url": "https://www.example.org/speech",
    },
    "public_deadline": {"on": "2013-12-31", "origin": "the same speech"},
    "internal_deadline": {"on": "2013-10-31"},
    "collaborating_organizations": ["JUSTICE"],
    "responsible_service": "POLICE",
    "adviser": "adviser-7",
    "instrument": "law",
    "stage": "design",
    "priority": "1",
    "key_words": ["crime", "home"],
    "region": "Biobío",
    "nature": "legislative",
    "scope": "national",
    "initiative_type": "bill",
    "programmatic_alignment": "axis 3",
    "goal": "28.6 %",
    "background": "33.6 % in 2009",
    "general_objective": "Fewer victims",
    "specific_objectives": ["burglary", "robbery"],
    "description": "Three plans",
    "legislative_strategy": "urgency",
    "communications_strategy": "none",
    "working_team": [{"position": "legal counsel", "institution": "INTERIOR", "subject": "u-17"}],
    "documents": [{"title": "Plan 2010", "superseded": True, "dated_on": "2010-08-01"}],
    "no_deadline_reason": "none",
    "weight": 0.25,
    "visibility": "public",
    "effective_on": "2012-05-21",
}


@pytest.fixture
async def service(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Installation]:
    async with Installation(tmp_path, sqlite_url).running() as running:
        for code in ("INTERIOR", "JUSTICE", "POLICE", "HEALTH"):
            await running.told("PUT", f"/v1/organizations/{code}", {"name": code.title()})
        await running.told("PUT", "/v1/pillars/SECURITY", {"name": "Citizen security"})
        yield running


async def registered(service: Installation, **more: Any) -> str:
    """A plain commitment; the path of it."""
    answer = await service.told("POST", "/v1/commitments", PLAIN | more)
    return str(answer.headers["location"])


async def test_the_warning_signs_of_a_commitment_name_their_events(service: Installation) -> None:
    body = {"code": "SEG-1", "title": "Fewer", "lead_organization": "INTERIOR", "effective_on": "2011-05-21"}
    due = {"public_deadline": {"on": "2012-06-30"}}
    registered = (await service.told("POST", "/v1/commitments", body | due)).json()["position"]
    mended = {"field": "public_deadline", "value": {"on": "2013-12-31"}, "reason": "Typo"}
    path = "/v1/commitments/SEG-1"
    corrected = (await service.told("POST", f"{path}/corrections", mended, If_Match="*")).json()["position"]
    done = {"completed_on": "2013-04-25", "evidence": [{"description": "Law"}]}
    completed = (await service.told("POST", f"{path}/completions", done, If_Match="*")).json()["position"]
    signs = (await service.read(f"{path}/warning-signs?reporting_on=2013-05-01"))["items"]
    assert [(sign["code"], sign["events"]) for sign in signs] == [
        ("deadline_corrected_after_due", [registered, corrected]),
        ("achieved_before_report", [completed]),
    ]
    assert [sign["code"] for sign in (await service.read(f"{path}/warning-signs"))["items"]] == [
        "deadline_corrected_after_due"
    ]
    answer = await service.ask("GET", "/v1/commitments/SEG-2/warning-signs")
    assert refused(answer) == (404, "unknown-commitment")


async def test_a_deadline_that_a_retraction_puts_back_when_it_had_passed_is_a_sign_as_a_corrected_one(
    service: Installation,
) -> None:
    path = await registered(service, effective_on="2012-05-21", public_deadline={"on": "2014-06-30"})
    sooner = {"deadline": "public", "on": "2012-09-30", "reason": "Urgent", "effective_on": "2012-06-01"}
    revised = (await service.told("POST", f"{path}/deadline-revisions", sooner, If_Match="*")).json()
    assert (await service.read(f"{path}/warning-signs"))["items"] == []
    mistake = {"version": revised["version"], "reason": "Another one was meant"}
    retracted = (await service.told("POST", f"{path}/retractions", mistake, If_Match="*")).json()
    (sign,) = (await service.read(f"{path}/warning-signs"))["items"]
    assert (sign["code"], sign["events"]) == (
        "deadline_corrected_after_due",
        [revised["position"], retracted["position"]],
    )


async def test_a_commitment_is_registered_and_can_be_read_by_id_and_by_code(service: Installation) -> None:
    answer = await service.told("POST", "/v1/commitments", PLAIN)
    stream_id = str(stream_of("commitment", "SEG-14"))
    assert answer.status_code == 201
    assert answer.json() == {"id": stream_id, "code": "SEG-14", "version": 1, "position": 6}
    assert answer.headers["location"] == f"/v1/commitments/{stream_id}"
    assert (answer.headers["etag"], answer.headers["log-position"]) == ('"1"', "6")
    by_code = await service.ask("GET", "/v1/commitments/SEG-14")
    assert (by_code.headers["etag"], by_code.headers["log-position"]) == ('"1"', "6")
    assert by_code.content == (await service.ask("GET", f"/v1/commitments/{stream_id}")).content
    shown = by_code.json()
    assert shown["effective_on"] == "2013-04-30"
    assert (shown["visibility"], shown["status"], shown["status_because"]) == ("internal", "on_time", 6)
    assert shown["status_rule"] == "traffic_light_1"


async def test_every_field_of_the_registration_comes_back(service: Installation) -> None:
    await registered(service, code="SEG", kind="strategic_objective", effective_on="2010-03-11")
    await registered(service, **FULL)
    shown = await service.read("/v1/commitments/SEG-14")
    assert FULL.keys() == FIELD_TYPES.keys() - {"split_from"}
    for field, told in FULL.items():
        assert _without_nulls(shown[field]) == told, field


async def test_the_answer_is_what_the_document_describes(service: Installation) -> None:
    """With one of everything, so that no list is empty."""
    await registered(service, code="SEG", kind="strategic_objective", effective_on="2010-03-11")
    await registered(service, code="SEG-1")
    await tell_everything(service, await registered(service, **FULL))
    answer = await service.ask("GET", "/v1/commitments/SEG-14")
    msgspec.json.decode(answer.content, type=COMMITMENT)
    shown = answer.json()
    assert shown.keys() == set(COMMITMENT.__struct_fields__)
    assert all(shown[field] for field in shown if field not in EMPTY), [f for f in shown if not shown[f]]
    assert shown["closing"]["kind"] == "achieved"
    history = await service.read("/v1/commitments/SEG-14/history?limit=200")
    for item in history["items"]:
        msgspec.convert(item, HistoryItem)
        assert item.keys() == set(HistoryItem.__struct_fields__)


EMPTY = {"split_from", "split_into", "merged_into", "escalations", "indicators"}


async def tell_everything(service: Installation, path: str) -> None:
    """One fact of each kind, ending in a completion."""
    evidence = [
        {"description": "Law 20.595", "url": "https://www.example.org/20595", "dated_on": "2013-04-01"}
    ]
    dipres = {"role": Role.DIPRES, "organization": "DIPRES"}
    ministry = {"role": Role.MINISTRY, "organization": "INTERIOR"}
    facts: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("assessments", {"judgement": "at_risk", "reason": "Senate", "rating": "Amber", "scale": "RAG"}, {}),
        ("risk-assessments", {"passage_through_congress": 4, "description": "split vote"}, {}),
        ("budget-estimates", {"lines": [{"amount": "12.5", "currency": "CLP", "year": 2013}]}, dipres),
        ("comments", {"text": "See the minutes"}, dipres),
        (
            "progress-reports",
            {"period": "2013-Q1", "percent": 40, "stage": "House", "evidence": evidence},
            ministry,
        ),
        ("progress-reports/1/reviews", {"outcome": "accepted"}, {}),
        ("milestones", {"name": "Bill sent", "due_on": "2013-06-30", "description": "both chambers"}, {}),
        ("milestones/1/completions", {"evidence": evidence, "remarks": "early"}, ministry),
        ("deadline-revisions", {"deadline": "public", "on": "2014-06-30", "reason": "Senate"}, {}),
        (
            "reassignments",
            {"lead_organization": "HEALTH", "reason": "New ministry", "decision": "BIL-2013-1"},
            {},
        ),
        ("discards", {"reason_type": "budgetary", "reason": "No funds"}, {}),
        ("reopenings", {"reason": "Funds found"}, {}),
        ("corrections", {"field": "title", "value": "Fewer victims", "reason": "Typed wrong"}, {}),
        ("publications", {"visibility": "internal", "reason": "Under review"}, {}),
        ("completions", {"evidence": evidence, "remarks": "in time"}, {}),
        ("comments", {"text": "Of another one"}, {}),
        ("retractions", {"reason": "Typed into the wrong form"}, {}),
    ]
    told = {kind for kind, _, _ in facts} | {"mergers", "splits"}
    facts[:0] = [(kind, body, {}) for kind, body in examples().items() if kind not in told]
    for position, (kind, body, who) in enumerate(facts, start=2):
        if kind == "retractions":
            body["version"] = position - 1
        answer = await service.told("POST", f"{path}/{kind}", body, If_Match="*", **who)
        assert (answer.status_code, answer.json()["version"]) == (201, position), kind


async def test_a_bilateral_commitment_is_reserved_until_it_is_published(service: Installation) -> None:
    bilateral = {"kind": "bilateral_meeting", "decision": "BIL-2013-1"}
    refusal = await service.ask(
        "POST", "/v1/commitments", PLAIN | {"origin": bilateral, "visibility": "public"}
    )
    assert refused(refusal) == (422, "bilateral-not-public")
    path = await registered(service, origin=bilateral)
    assert (await service.read(path))["visibility"] == "reserved"
    await service.told(
        "POST", f"{path}/publications", {"visibility": "public", "reason": "Speech"}, If_Match='"1"'
    )
    assert (await service.read(path))["visibility"] == "public"


async def test_what_an_actor_may_not_know_of_is_not_there(service: Installation) -> None:
    path = await registered(service, visibility="reserved", collaborating_organizations=["JUSTICE"])
    nowhere = f"/v1/commitments/{uuid4()}"
    outsider: dict[str, Any] = {"role": Role.MINISTRY, "organization": "HEALTH"}
    asked: list[tuple[str, str, Any, dict[str, Any]]] = [
        ("GET", "", None, {}),
        ("GET", "?version=1", None, {}),
        ("GET", "?version=9", None, {}),
        ("GET", "/history", None, {}),
        ("POST", "/comments", {"text": "hello"}, {"If_Match": '"9"'}),
        ("POST", "/progress-reports", {"period": "2013-Q1", "no_change": True}, {"If_Match": '"1"'}),
    ]
    for method, tail, body, more in asked:
        hidden = await service.ask(method, path + tail, body, **outsider, **more)
        absent = await service.ask(method, nowhere + tail, body, **outsider, **more)
        assert refused(hidden) == refused(absent) == (404, "unknown-commitment"), tail
        ignored = {"instance", "request_id"}
        assert {k: v for k, v in hidden.json().items() if k not in ignored} == {
            k: v for k, v in absent.json().items() if k not in ignored
        }
    for role, organization in (
        (Role.MINISTRY, "INTERIOR"),
        (Role.MINISTRY, "JUSTICE"),
        (Role.DIPRES, "DIPRES"),
        (Role.ADVISORY, "PRESIDENCY"),
        (Role.AUDITOR, "COMPTROLLER"),
        (Role.ADMIN, "DCI"),
    ):
        await service.read(path, role=role, organization=organization)


async def test_a_code_is_taken_once(service: Installation) -> None:
    await registered(service)
    assert refused(await service.ask("POST", "/v1/commitments", PLAIN)) == (409, "code-taken")


@pytest.mark.parametrize(
    ("more", "status", "code", "pointer"),
    [
        ({"code": "a b"}, 422, "code-malformed", "/code"),
        ({"lead_organization": "NONE"}, 422, "unknown-organization", "/lead_organization"),
        ({"parent": "NONE"}, 422, "parent-unknown", "/parent"),
        ({"pillar": "NONE"}, 422, "unknown-pillar", "/pillar"),
        ({"effective_on": "2013-05-01"}, 422, "date-in-future", "/effective_on"),
        ({"effective_on": "2013-02-30"}, 422, "request-invalid", "/effective_on"),
        ({"kind": "promise"}, 422, "request-invalid", "/kind"),
        ({"colour": "green"}, 422, "request-invalid", "/colour"),
        ({"title": None}, 422, "request-invalid", "/title"),
        ({"public_deadline": {"on": "2013-12-31", "at": 1}}, 422, "request-invalid", "/public_deadline/at"),
        ({"goal": "a\u0000b"}, 422, "text-not-storable", "/goal"),
    ],
)
async def test_what_cannot_be_registered_says_where_it_is_wrong(
    service: Installation, more: dict[str, Any], status: int, code: str, pointer: str
) -> None:
    answer = await service.ask("POST", "/v1/commitments", PLAIN | more)
    assert refused(answer) == (status, code)
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_a_contradiction_is_a_conflict(service: Installation) -> None:
    late = {"public_deadline": {"on": "2013-06-30"}, "internal_deadline": {"on": "2013-07-31"}}
    answer = await service.ask("POST", "/v1/commitments", PLAIN | late)
    assert refused(answer) == (409, "internal-after-public")


# --- as it was -----------------------------------------------------------------------------------------------------


async def test_a_commitment_is_read_as_it_was_at_a_version_and_as_it_was_known(service: Installation) -> None:
    path = await registered(service, public_deadline={"on": "2013-06-30"})
    service.now = datetime(2013, 7, 15, 12, tzinfo=UTC)
    await service.told(
        "POST",
        f"{path}/assessments",
        {"judgement": "at_risk", "reason": "x", "effective_on": "2013-05-01"},
        If_Match="*",
    )
    service.now = datetime(2013, 8, 1, 12, tzinfo=UTC)
    await service.told(
        "POST",
        f"{path}/completions",
        {"evidence": [{"description": "done"}], "completed_on": "2013-07-31"},
        If_Match="*",
    )
    now = await service.read(path)
    first = await service.read(f"{path}?version=1")
    second = await service.read(f"{path}?version=2")
    assert [(x["version"], x["status"]) for x in (first, second, now)] == [
        (1, "on_time"),
        (2, "delayed"),
        (3, "achieved"),
    ]
    for moment, version, status in (
        ("2013-04-30T15:00:00Z", 1, "on_time"),
        ("2013-07-01T12:00:00Z", 1, "delayed"),
        ("2013-07-15T09:00:00-04:00", 2, "delayed"),
        ("2013-07-15T11:59:59.999999Z", 1, "delayed"),
        ("2013-08-01", 3, "achieved"),
    ):
        known = await service.read(f"{path}?known_at={moment}")
        assert (known["version"], known["status"]) == (version, status), moment
    answer = await service.ask("GET", f"{path}?version=2")
    assert (answer.headers["etag"], answer.headers["log-position"]) == ('"2"', "7")


async def test_an_answer_names_the_position_of_the_log_that_it_reflects(service: Installation) -> None:
    path = await registered(service)
    service.now += timedelta(hours=1)
    other = await registered(service, code="SEG-15")
    service.now += timedelta(hours=1)
    await service.told("POST", f"{other}/comments", {"text": "later"}, If_Match="*")
    for query, position in (("", "8"), ("?version=1", "6"), ("?known_at=2013-04-30T16:30:00Z", "7")):
        answer = await service.ask("GET", f"{path}{query}")
        assert (answer.headers["log-position"], answer.json()["position"]) == (position, 6), query


async def test_there_is_no_view_of_what_was_not_there(service: Installation) -> None:
    path = await registered(service)
    assert refused(await service.ask("GET", f"{path}?version=2")) == (404, "version-not-found")
    before = await service.ask("GET", f"{path}?known_at=2013-04-30T14:59:59Z")
    assert refused(before) == (404, "version-not-found")
    both = await service.ask("GET", f"{path}?version=1&known_at=2013-04-30T15:00:00Z")
    assert refused(both) == (422, "two-past-views")
    for to_come in ("known_at=9999-12-31", "known_at=2013-05-01", "known_at=2013-04-30T15:00:01Z"):
        answer = await service.ask("GET", f"{path}?{to_come}")
        assert refused(answer) == (422, "known-at-to-come"), to_come
    for query in ("version=0", "version=x", "known_at=2013-04", "known_at=2013-04-30T15:00:00"):
        assert refused(await service.ask("GET", f"{path}?{query}")) == (422, "request-invalid"), query
    assert refused(await service.ask("GET", f"{path}?at=now")) == (422, "query-unknown")


async def test_a_caller_who_holds_the_version_is_told_so(service: Installation) -> None:
    path = await registered(service)
    for held in ('"1"', 'W/"1"', '"7", "1"', "*"):
        answer = await service.ask("GET", path, If_None_Match=held)
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"1"'), held
    assert (await service.ask("GET", path, If_None_Match='"2"')).status_code == 200


async def test_a_deadline_that_passes_is_news_even_to_who_holds_the_version(service: Installation) -> None:
    path = await registered(service, public_deadline={"on": "2013-05-31"})
    service.now = datetime(2013, 6, 1, 3, tzinfo=UTC)
    assert (await service.ask("GET", path, If_None_Match='"1"')).status_code == 304, "still May in Santiago"
    service.now = datetime(2013, 6, 1, 5, tzinfo=UTC)
    answer = await service.ask("GET", path, If_None_Match='"1"')
    assert (answer.status_code, answer.json()["status"]) == (200, "delayed")


async def test_a_write_can_be_waited_for(service: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    path = await registered(service)
    assert (await service.read(f"{path}?wait_for=6"))["version"] == 1
    monkeypatch.setattr("shared.http.resource.LONGEST_WAIT", 0.05)
    for tail in ("", "/history"):
        answer = await service.ask("GET", f"{path}{tail}?wait_for=7")
        assert refused(answer)[0] == 503
        assert answer.headers["retry-after"]


async def test_head_answers_like_get_without_a_body(service: Installation) -> None:
    path = await registered(service)
    head, get = await service.ask("HEAD", path), await service.ask("GET", path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "log-position", "content-length", "content-type"):
        assert head.headers[name] == get.headers[name]


# --- history -------------------------------------------------------------------------------------------------------


async def test_the_history_tells_who_said_what_when_and_on_which_decision(service: Installation) -> None:
    path = await registered(service)
    service.now += timedelta(hours=1)
    revision = {"deadline": "public", "on": "2014-01-31", "reason": "Agreed", "decision": "BIL-2013-4"}
    await service.told(
        "POST", f"{path}/deadline-revisions", revision, If_Match='"1"', X_Request_Id="request-7"
    )
    first, second = (await service.read(f"{path}/history"))["items"]
    assert (first["version"], first["type"], first["decision"]) == (1, "commitments.registered", None)
    assert second == {
        "version": 2,
        "position": 7,
        "type": "commitments.deadline_revised",
        "recorded_on": "2013-04-30",
        "recorded_at": "2013-04-30T16:00:00.000000Z",
        "effective_on": "2013-04-30",
        "recorded_by": {"subject": "development:dci", "organization": "DCI", "role": "dci"},
        "retracted_by": None,
        "correlation_id": "request-7",
        "causation_id": None,
        "decision": "BIL-2013-4",
        "data": {
            "deadline": "public",
            "on": "2014-01-31",
            "effective_on": "2013-04-30",
            "reason": "Agreed",
            "decision": "BIL-2013-4",
        },
    }


async def test_the_history_comes_in_pages_that_lead_on(service: Installation) -> None:
    path = await registered(service)
    for number in range(1, 7):
        await service.told("POST", f"{path}/comments", {"text": f"remark {number}"}, If_Match="*")
    versions: list[int] = []
    url: str | None = f"{path}/history?limit=3"
    pages = 0
    while url is not None:
        page = await service.read(url)
        versions += [item["version"] for item in page["items"]]
        url, pages = page["next"], pages + 1
    assert (versions, pages) == ([1, 2, 3, 4, 5, 6, 7], 3)
    assert len((await service.read(f"{path}/history?limit=500"))["items"]) == 7
    assert refused(await service.ask("GET", f"{path}/history?cursor=made-up")) == (422, "cursor-invalid")
    assert refused(await service.ask("GET", f"{path}/history?limit=0")) == (422, "request-invalid")
    held = await service.ask("GET", f"{path}/history", If_None_Match='"7"')
    assert held.status_code == 304


async def test_parents_that_change_by_day_close_no_circle_on_any_day(service: Installation) -> None:
    async def part_of(code: str, parent: str | None, day: str) -> Any:
        return await service.ask(
            "POST",
            f"/v1/commitments/{code}/changes",
            {"field": "parent", "value": parent, "reason": "Decreed", "effective_on": day},
            If_Match="*",
        )

    await registered(service)
    for code in ("A-1", "B-1"):
        body = PLAIN | {"code": code, "effective_on": "2011-05-21"}
        await service.told("POST", "/v1/commitments", body)
    for parent, day in (("A-1", "2012-01-01"), (None, "2013-01-01")):
        assert (await part_of("B-1", parent, day)).status_code == 201
    assert refused(await part_of("A-1", "B-1", "2012-06-01")) == (409, "parent-is-descendant")
    assert (await part_of("A-1", "B-1", "2013-02-01")).status_code == 201


# --- who -----------------------------------------------------------------------------------------------------------


async def test_nobody_reads_or_registers_without_credentials(service: Installation) -> None:
    path = await registered(service)
    for method, where in (("GET", path), ("GET", f"{path}/history"), ("POST", "/v1/commitments")):
        answer = await service.ask(method, where, PLAIN if method == "POST" else None, credentials={})
        assert refused(answer) == (401, "credentials-required")
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.DCI, Role.SYSTEM)])
async def test_only_the_unit_registers(service: Installation, role: Role) -> None:
    answer = await service.ask("POST", "/v1/commitments", PLAIN, role=role, organization="INTERIOR")
    assert refused(answer) == (403, "role-not-allowed")


async def test_a_registration_under_a_key_is_carried_out_once(service: Installation) -> None:
    first = await service.told("POST", "/v1/commitments", PLAIN, Idempotency_Key="k-1")
    again = await service.told("POST", "/v1/commitments", PLAIN, Idempotency_Key="k-1")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    for name in ("etag", "location", "log-position"):
        assert again.headers[name] == first.headers[name]
    other = await service.ask("POST", "/v1/commitments", PLAIN | {"code": "SEG-15"}, Idempotency_Key="k-1")
    assert refused(other) == (422, "idempotency-key-reused")


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(member) for name, member in value.items() if member is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
