"""What may be told of a commitment over HTTP: each kind of fact, by whom, on which version, and once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.identity.actor import Role
from tests.services.commitments.documented import examples
from tests.services.commitments.installation import Installation, refused

pytestmark = pytest.mark.anyio

HERE = "/v1/commitments/SEG-14"
EVIDENCE = [{"description": "Law 20.595"}]
INTERIOR: dict[str, Any] = {"role": Role.MINISTRY, "organization": "INTERIOR"}
HEALTH: dict[str, Any] = {"role": Role.MINISTRY, "organization": "HEALTH"}

# What each route takes, and what it refuses with a code of its own: status, code, pointer.
Refusals = list[tuple[dict[str, Any], int, str, str | None]]
FACTS: dict[str, tuple[dict[str, Any], Refusals]] = {
    "assessments": (
        {"judgement": "at_risk", "reason": "Senate"},
        [
            ({"judgement": "at_risk"}, 422, "reason-required", "/reason"),
            ({"reason": "x"}, 422, "judgement-or-rating-required", "/judgement"),
            ({"judgement": "on_track", "effective_on": "2013-05-01"}, 422, "date-in-future", "/effective_on"),
            ({"judgement": "fine"}, 422, "request-invalid", "/judgement"),
        ],
    ),
    "progress-reports": (
        {"period": "2013-Q1", "observed_progress": "Passed", "percent": 12.5, "evidence": EVIDENCE},
        [
            ({"period": "2013-Q1"}, 422, "nothing-reported", None),
            ({"period": "spring", "no_change": True}, 422, "period-malformed", "/period"),
            ({"period": "2013-Q1", "percent": 101}, 422, "percent-out-of-range", "/percent"),
            ({"period": "2013-Q1", "no_change": True, "stage": "x"}, 409, "no-change-contradicted", None),
        ],
    ),
    "progress-reports/1/reviews": (
        {"outcome": "accepted"},
        [
            ({"outcome": "returned"}, 422, "reason-required", "/reason"),
            ({"outcome": "liked"}, 422, "request-invalid", "/outcome"),
        ],
    ),
    "deadline-revisions": (
        {"deadline": "public", "on": "2014-06-30", "reason": "Senate"},
        [
            ({"deadline": "public", "on": "2013-12-31", "reason": "x"}, 409, "deadline-unchanged", None),
            ({"deadline": "internal", "on": "2014-01-01", "reason": "x"}, 409, "internal-after-public", None),
            ({"deadline": "public", "on": "2014-06-30", "reason": " "}, 422, "reason-required", "/reason"),
            ({"deadline": "public", "on": "2014-06-30"}, 422, "request-invalid", "/reason"),
        ],
    ),
    "reassignments": (
        {"lead_organization": "HEALTH", "reason": "New ministry"},
        [
            ({"lead_organization": "INTERIOR", "reason": "x"}, 409, "lead-unchanged", None),
            ({"lead_organization": "NONE", "reason": "x"}, 422, "unknown-organization", "/lead_organization"),
        ],
    ),
    "completions": (
        {"evidence": EVIDENCE, "completed_on": "2013-04-01"},
        [
            ({"evidence": []}, 422, "evidence-required", "/evidence"),
            ({}, 422, "request-invalid", "/evidence"),
            ({"evidence": EVIDENCE, "completed_on": "2013-05-01"}, 422, "date-in-future", "/completed_on"),
        ],
    ),
    "discards": (
        {"reason_type": "change_of_priorities", "reason": "Earthquake"},
        [
            ({"reason_type": "budgetary", "reason": ""}, 422, "reason-required", "/reason"),
            ({"reason": "x"}, 422, "request-invalid", "/reason_type"),
            ({"reason_type": "boredom", "reason": "x"}, 422, "request-invalid", "/reason_type"),
        ],
    ),
    "reopenings": ({"reason": "Struck down"}, [({"reason": "x"}, 409, "not-closed", None)]),
    "mergers": (
        {"into": "SEG-1", "reason": "The same promise"},
        [
            ({"into": "SEG-14", "reason": "x"}, 409, "merger-into-itself", None),
            ({"into": "SEG-0", "reason": "x"}, 422, "merger-into-unknown", "/into"),
            ({"into": "SEG-X", "reason": "x"}, 409, "merger-into-closed", None),
        ],
    ),
    "splits": (
        {
            "parts": [{"code": "SEG-14-A", "title": "A"}, {"code": "SEG-14-B", "title": "B"}],
            "reason": "Too wide",
        },
        [
            ({"parts": [{"code": "SEG-14-A", "title": "A"}], "reason": "x"}, 422, "split-too-few", "/parts"),
            (
                {"parts": [{"code": "A"}, {"code": "B", "title": "B"}], "reason": "x"},
                422,
                "request-invalid",
                "/parts/0/title",
            ),
            (
                {"parts": [{"code": "A", "title": "A"}, {"code": "A", "title": "B"}], "reason": "x"},
                422,
                "named-twice",
                "/parts/1",
            ),
            (
                {"parts": [{"code": "A", "title": "A"}, {"code": "SEG-1", "title": "B"}], "reason": "x"},
                409,
                "code-taken",
                None,
            ),
            (
                {
                    "parts": [{"code": "A", "title": "A"}, {"code": "B", "title": "B", "pillar": "NONE"}],
                    "reason": "x",
                },
                422,
                "unknown-pillar",
                "/parts/1/pillar",
            ),
            (
                {
                    "parts": [
                        {"code": "A", "title": "A"},
                        {"code": "B", "title": "B", "visibility": "public"},
                    ],
                    "reason": "x",
                },
                422,
                "part-wider-than-original",
                "/parts/1/visibility",
            ),
            (
                {
                    "parts": [{"code": "A", "title": "A"}, {"code": "B", "title": "B", "split_from": "X"}],
                    "reason": "x",
                },
                422,
                "request-invalid",
                "/parts/1/split_from",
            ),
        ],
    ),
    "milestones": (
        {"name": "Bill sent", "due_on": "2013-12-01"},
        [
            ({"name": "x", "due_on": "2013-12-01", "number": 7}, 422, "milestone-out-of-sequence", "/number"),
            ({"name": "x", "due_on": "soon"}, 422, "request-invalid", "/due_on"),
        ],
    ),
    "milestones/1/completions": (
        {"completed_on": "2013-04-01"},
        [({"completed_on": "2013-05-01"}, 422, "date-in-future", "/completed_on")],
    ),
    "risk-assessments": (
        {"budgetary_requirements": 1, "change_management": 4},
        [
            ({"description": "x"}, 422, "no-risk-rated", None),
            ({"change_management": 5}, 422, "risk-out-of-range", "/change_management"),
            ({"change_management": 2.5}, 422, "request-invalid", "/change_management"),
        ],
    ),
    "budget-estimates": (
        {"lines": [{"amount": "1234.5", "currency": "CLP", "year": 2013}]},
        [
            ({"lines": []}, 422, "budget-lines-missing", "/lines"),
            ({"lines": [{"amount": 1234.5, "currency": "CLP"}]}, 422, "request-invalid", "/lines/0/amount"),
            ({"lines": [{"amount": "1", "currency": "CLP"}] * 2}, 422, "budget-line-repeated", "/lines/1"),
        ],
    ),
    "comments": ({"text": "See the minutes"}, [({"text": " "}, 422, "text-required", "/text")]),
    "publications": (
        {"visibility": "public", "reason": "Speech"},
        [
            ({"visibility": "internal", "reason": "x"}, 409, "visibility-unchanged", None),
            ({"visibility": "public", "reason": ""}, 422, "reason-required", "/reason"),
        ],
    ),
    "corrections": (
        {"field": "title", "value": "Fewer victims", "reason": "Typed wrong"},
        [
            ({"field": "code", "value": "X", "reason": "x"}, 422, "field-not-correctable", "/field"),
            ({"field": "title", "value": 1, "reason": "x"}, 422, "correction-value-invalid", "/value"),
            ({"field": "pillar", "value": "NONE", "reason": "x"}, 422, "unknown-pillar", "/value"),
            ({"field": "parent", "value": "SEG-14", "reason": "x"}, 409, "parent-is-descendant", None),
            ({"field": "title", "value": "Burglary", "reason": "x"}, 409, "correction-changes-nothing", None),
        ],
    ),
    "retractions": (
        {"version": 2, "reason": "Typed wrong"},
        [
            ({"version": 1, "reason": "x"}, 409, "not-retractable", None),
            ({"version": 9, "reason": "x"}, 422, "version-not-recorded", "/version"),
            ({"version": 0, "reason": "x"}, 422, "request-invalid", "/version"),
        ],
    ),
}
FACTS |= {kind: (body, []) for kind, body in examples().items() if kind not in FACTS}
TAKEN_WHEN_CLOSED = {
    "comments",
    "publications",
    "corrections",
    "reopenings",
    "retractions",
    "progress-reports/1/reviews",
}
# What a route needs to have happened before.
BEFORE: dict[str, list[tuple[str, dict[str, Any], dict[str, Any]]]] = {
    "progress-reports/1/reviews": [("progress-reports", {"period": "2013-Q1", "no_change": True}, INTERIOR)],
    "milestones/1/completions": [("milestones", {"name": "Bill sent", "due_on": "2013-12-01"}, {})],
    "retractions": [("comments", {"text": "See the minutes"}, {})],
}


@pytest.fixture
async def service(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Installation]:
    """With one commitment led by the Interior, another open one, and one that was given up."""
    async with Installation(tmp_path, sqlite_url).running() as running:
        for code in ("INTERIOR", "HEALTH"):
            await running.told("PUT", f"/v1/organizations/{code}", {"name": code.title()})
        for code in ("SEG-14", "SEG-1", "SEG-X"):
            deadlines = {"public_deadline": {"on": "2013-12-31"}, "internal_deadline": {"on": "2013-10-31"}}
            body = {"code": code, "title": "Burglary", "lead_organization": "INTERIOR", **deadlines}
            body["effective_on"] = "2012-05-21"
            await running.told("POST", "/v1/commitments", body)
        discard = {"reason_type": "technical", "reason": "Unmeasurable"}
        await running.told("POST", "/v1/commitments/SEG-X/discards", discard, If_Match="*")
        yield running


async def prepared(service: Installation, kind: str) -> int:
    """Whatever must have happened before has; the version that is now current."""
    for earlier, body, who in BEFORE.get(kind, []):
        await service.told("POST", f"{HERE}/{earlier}", body, If_Match="*", **who)
    if kind == "reopenings":
        await service.told("POST", f"{HERE}/completions", {"evidence": EVIDENCE}, If_Match="*")
    return int((await service.read(HERE))["version"])


async def test_every_route_is_tried(service: Installation) -> None:
    below = "/v1/commitments/{id}/"
    paths = {
        path.removeprefix(below).replace("{n}", "1")
        for method, path in service.app.access
        if method == "POST" and path.startswith(below)
    }
    assert paths == FACTS.keys()


@pytest.mark.parametrize("kind", FACTS)
async def test_a_fact_is_told_once_on_the_version_it_was_decided_on(service: Installation, kind: str) -> None:
    version, body = await prepared(service, kind), FACTS[kind][0]
    stale = await service.ask("POST", f"{HERE}/{kind}", body, If_Match=f'"{version + 1}"')
    assert refused(stale) == (412, "stale-version")
    assert stale.headers["etag"] == f'"{version}"'
    path, current = f"{HERE}/{kind}", f'"{version}"'
    first = await service.ask("POST", path, body, If_Match=current, Idempotency_Key="k")
    shown = await service.read(HERE)
    assert first.status_code == 201, first.text
    told = first.json()
    assert {name: told[name] for name in ("id", "code", "version", "position")} == {
        "id": shown["id"],
        "code": "SEG-14",
        "version": version + 1,
        "position": shown["position"],
    }
    assert first.headers["etag"] == f'"{version + 1}"'
    assert first.headers["log-position"] == str(told["position"])
    seen = await service.read(first.headers["location"])
    assert seen["version"] == version + 1
    # Retried with the version it knew, with the one its own request made, with any: always the first answer.
    for expected in (current, f'"{version + 1}"', "*"):
        again = await service.ask("POST", path, body, If_Match=expected, Idempotency_Key="k")
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["idempotency-replayed"] == "true"
        assert again.headers["location"] == first.headers["location"]
    assert (await service.read(HERE))["version"] == version + 1
    item = (await service.read(f"{HERE}/history?limit=200"))["items"][-1]
    assert (item["version"], item["position"]) == (version + 1, told["position"])


@pytest.mark.parametrize("kind", FACTS)
async def test_a_request_that_cannot_be_taken_is_refused_before_anything_is_looked_up(
    service: Installation, kind: str
) -> None:
    path, body = f"{HERE}/{kind}", FACTS[kind][0]
    assert refused(await service.ask("POST", path, body)) == (428, "if-match-required")
    assert refused(await service.ask("POST", path, body, If_Match="7")) == (400, "if-match-malformed")
    nobody = await service.ask("POST", path, body, credentials={}, If_Match="*")
    assert refused(nobody) == (401, "credentials-required")
    auditor = await service.ask("POST", path, body, role=Role.AUDITOR, organization="DCI", If_Match="*")
    assert refused(auditor) == (403, "role-not-allowed")
    as_text = await service.ask("POST", path, body, If_Match="*", Content_Type="text/plain")
    assert refused(as_text) == (415, "media-type-not-supported")
    unknown = await service.ask("POST", path, {**body, "colour": "green"}, If_Match="*")
    assert refused(unknown) == (422, "request-invalid")
    assert unknown.json()["errors"][0]["pointer"] == "/colour"
    not_there = await service.ask("POST", f"/v1/commitments/NONE/{kind}", body, If_Match="*")
    assert refused(not_there) == (404, "unknown-commitment")
    assert refused(await service.ask("GET", path)) == (405, "method-not-allowed")


@pytest.mark.parametrize("kind", FACTS)
async def test_a_fact_that_breaks_a_rule_is_refused_under_its_own_code(
    service: Installation, kind: str
) -> None:
    if kind != "reopenings":
        await prepared(service, kind)
    before = await service.read(HERE)
    for body, status, code, pointer in FACTS[kind][1]:
        answer = await service.ask("POST", f"{HERE}/{kind}", body, If_Match="*")
        assert refused(answer) == (status, code), body
        assert [error["pointer"] for error in answer.json().get("errors", [])] == (
            [pointer] if pointer else []
        )
    assert await service.read(HERE) == before


@pytest.mark.parametrize("kind", sorted(FACTS.keys() - TAKEN_WHEN_CLOSED))
async def test_a_closed_commitment_takes_nothing_until_it_is_reopened(
    service: Installation, kind: str
) -> None:
    for earlier, body, who in BEFORE.get(kind, []):
        await service.told("POST", f"{HERE}/{earlier}", body, If_Match="*", **who)
    discard = {"reason_type": "technical", "reason": "x", "effective_on": "2013-03-01"}
    await service.told("POST", f"{HERE}/discards", discard, If_Match="*")
    answer = await service.ask("POST", f"{HERE}/{kind}", FACTS[kind][0], If_Match="*")
    assert refused(answer) == (409, "commitment-closed")
    await service.told(
        "POST", f"{HERE}/reopenings", {"reason": "x", "effective_on": "2013-03-02"}, If_Match="*"
    )
    await service.told("POST", f"{HERE}/{kind}", FACTS[kind][0], If_Match="*")


@pytest.mark.parametrize("kind", ["progress-reports", "milestones/1/completions", "comments"])
async def test_a_ministry_speaks_of_its_own_and_of_nothing_else(service: Installation, kind: str) -> None:
    await prepared(service, kind)
    other = await service.ask("POST", f"{HERE}/{kind}", FACTS[kind][0], If_Match="*", **HEALTH)
    assert refused(other) == (403, "not-your-commitment")
    await service.told("POST", f"{HERE}/{kind}", FACTS[kind][0], If_Match="*", **INTERIOR)


async def test_nobody_reviews_a_report_of_their_own(service: Installation) -> None:
    report = {"period": "2013-Q1", "no_change": True}
    await service.told("POST", f"{HERE}/progress-reports", report, If_Match="*")
    review = {"outcome": "accepted"}
    own = await service.ask("POST", f"{HERE}/progress-reports/1/reviews", review, If_Match="*")
    assert refused(own) == (409, "reviewer-is-author")
    none = await service.ask("POST", f"{HERE}/progress-reports/2/reviews", review, If_Match="*")
    assert refused(none) == (404, "report-not-found")
    word = await service.ask("POST", f"{HERE}/progress-reports/first/reviews", review, If_Match="*")
    assert refused(word) == (422, "request-invalid")
    await service.told("POST", f"{HERE}/progress-reports", report, If_Match="*", **INTERIOR)
    await service.told("POST", f"{HERE}/progress-reports/2/reviews", review, If_Match="*")
    twice = await service.ask("POST", f"{HERE}/progress-reports/2/reviews", review, If_Match="*")
    assert refused(twice) == (409, "report-already-reviewed")


async def test_reports_and_milestones_are_answered_with_their_number_however_often_asked(
    service: Installation,
) -> None:
    for kind in ("progress-reports", "milestones"):
        for number in (1, 2):
            key = f"{kind}-{number}"
            for _ in range(2):
                answer = await service.told(
                    "POST", f"{HERE}/{kind}", FACTS[kind][0], If_Match="*", Idempotency_Key=key
                )
                assert answer.json()["number"] == number


async def test_a_milestone_is_reached_once(service: Installation) -> None:
    await prepared(service, "milestones/1/completions")
    path = f"{HERE}/milestones/1/completions"
    await service.told("POST", path, {}, If_Match="*")
    assert refused(await service.ask("POST", path, {}, If_Match="*")) == (409, "milestone-completed")
    missing = await service.ask("POST", f"{HERE}/milestones/2/completions", {}, If_Match="*")
    assert refused(missing) == (404, "milestone-not-found")


async def test_two_that_would_be_merged_into_each_other_at_once_are_not(service: Installation) -> None:
    reason = {"reason": "The same promise"}
    answers = await asyncio.gather(
        service.ask("POST", f"{HERE}/mergers", {"into": "SEG-1", **reason}, If_Match="*"),
        service.ask("POST", "/v1/commitments/SEG-1/mergers", {"into": "SEG-14", **reason}, If_Match="*"),
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    lost = next(answer for answer in answers if answer.status_code == 409)
    assert refused(lost) == (409, "merger-in-a-circle")


async def test_what_two_tell_at_once_on_one_version_is_told_by_one(service: Installation) -> None:
    answers = await asyncio.gather(
        *(service.ask("POST", f"{HERE}/comments", {"text": f"remark {n}"}, If_Match='"1"') for n in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [412] * 7
    answers = await asyncio.gather(
        *(service.ask("POST", f"{HERE}/comments", {"text": f"remark {n}"}, If_Match="*") for n in range(8))
    )
    assert sorted(answer.json()["version"] for answer in answers) == list(range(3, 11))


async def test_the_budget_office_says_what_it_costs(service: Installation) -> None:
    dipres: dict[str, Any] = {"role": Role.DIPRES, "organization": "DIPRES"}
    for kind in ("budget-estimates", "comments"):
        await service.told("POST", f"{HERE}/{kind}", FACTS[kind][0], If_Match="*", **dipres)
    budget = (await service.read(HERE))["budget"]
    assert budget["lines"] == [
        {"amount": "1234.5", "currency": "CLP", "year": 2013, "figure": "estimate", "price_base": None}
    ]
    assert budget["recorded_by"]["organization"] == "DIPRES"


async def test_a_correction_may_not_close_the_plan_in_a_circle(service: Installation) -> None:
    under = {"field": "parent", "value": "SEG-14", "reason": "Part of it"}
    await service.told("POST", "/v1/commitments/SEG-1/corrections", under, If_Match="*")
    above = {"field": "parent", "value": "SEG-1", "reason": "Part of it"}
    answer = await service.ask("POST", f"{HERE}/corrections", above, If_Match="*")
    assert refused(answer) == (409, "parent-is-descendant")
