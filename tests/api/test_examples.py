"""Every request that the documents show is one that the services carry out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.http.batch import PATH as BATCH
from shared.http.form import MEDIA_TYPE as FORM
from shared.http.imports import PATH as IMPORTS
from shared.identity.actor import Role
from tests.api.conformance import openapi
from tests.api.house import House, Parts
from tests.api.story import approved, outcome_of, register

ORGANIZATIONS = ("DCI", "MININT", "MOP", "MINDES", "INE", "DIPRES", "INTERIOR", "ADVISORY")
BILATERAL = {"name": "Bilateral with the Interior", "kind": "bilateral", "organizations": ["INTERIOR"]}
EXAMPLES: dict[tuple[str, str], Any] = {
    (method.upper(), path): next(iter(operation["requestBody"]["content"].values()))["example"]
    for service in ("commitments", "meetings", "reporting")
    for path, operations in openapi(service)["paths"].items()
    for method, operation in operations.items()
    if "requestBody" in operation
}


class Shown:
    """A house in which the examples are sent, and those that were."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.sent: set[tuple[str, str]] = set()

    async def send(self, path: str, route: str = "", *, method: str = "POST", **more: Any) -> Any:
        """Sends the example of a route, its parameters as in the path; the answer to it."""
        route = f"/v1/{route or path}"
        service = SERVICE_OF.get(path.partition("/")[0], "commitments")
        self.sent.add((method, route))
        body = EXAMPLES[method, route]
        return (await self.house.tell(service, f"/v1/{path}", body, method=method, **more)).json()

    async def send_all(self, thing: str, of: str, *facts: str, **more: Any) -> None:
        """Sends the examples of facts of one thing, in order."""
        for fact in facts:
            # What is counted within the thing is the first of its kind.
            route = f"{of}/{fact}"
            await self.send(f"{thing}/{fact.replace('{n}', '1').replace('{period}', '2011')}", route, **more)


SERVICE_OF = dict.fromkeys(
    ("bodies", "calendar-keys", "meetings", "decisions", "action-items"), "meetings"
) | dict.fromkeys(("cycles", "reports", "editions"), "reporting")
"""The service that keeps a kind of things, where that is not commitments."""


@pytest.fixture
async def shown(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shown]:
    house = House(tmp_path_factory.mktemp("house"))
    house.now = datetime(2026, 11, 26, 12, tzinfo=UTC)
    async with house.open() as running:
        for code in ORGANIZATIONS:
            path = f"/v1/organizations/{code}"
            await running.tell("commitments", path, {"name": code.title()}, method="PUT")
        yield Shown(running)


async def test_every_example_of_a_request_is_carried_out(shown: Shown) -> None:
    for path, route in (
        ("organizations/WORKS", "organizations/{code}"),
        ("pillars/SECURITY", "pillars/{code}"),
        ("bodies/SOCIAL", "bodies/{code}"),
        ("cycles/QUARTERLY", "cycles/{code}"),
        ("reports/MAY-21", "reports/{code}"),
    ):
        await shown.send(path, route, method="PUT")
    await _commitments(shown)
    await _indicators(shown)
    key = f"api-keys/{(await shown.send('api-keys', role=Role.ADMIN))['key_id']}"
    for fact, who in (("approvals", "another"), ("revocations", None)):
        await shown.send_all(key, "api-keys/{key_id}", fact, role=Role.ADMIN, subject=who)
    await _meetings(shown)
    made = await shown.send("bodies/SOCIAL/calendar-keys", "bodies/{code}/calendar-keys")
    await shown.send_all(f"calendar-keys/{made['key_id']}", "calendar-keys/{key_id}", "revocations")
    await _outcomes(shown)
    edition = (await shown.send("editions"))["code"]
    await shown.send_all(f"editions/{edition}", "editions/{id}", "withdrawals")
    for service in ("commitments", "meetings"):
        await _batch(shown, service)
        await _import(shown, service)
    assert shown.sent == EXAMPLES.keys()


async def _batch(shown: Shown, service: str) -> None:
    operation = openapi(service)["paths"][BATCH]["post"]
    body = operation["requestBody"]["content"]["application/json"]["example"]
    answer = await shown.house.ask(service, "POST", BATCH, body)
    assert [one["status"] for one in answer.json()["results"]] == [201], answer.text
    shown.sent.add(("POST", BATCH))


async def _import(shown: Shown, service: str) -> None:
    operation = openapi(service)["paths"][IMPORTS]["post"]
    parts = Parts(operation["requestBody"]["content"][FORM]["example"])
    answer = await shown.house.ask(service, "POST", IMPORTS, parts)
    assert answer.status_code == 202, answer.text
    route = f"{IMPORTS}/{{id}}/cancellations"
    called_off = await shown.house.ask(
        service, "POST", f"{answer.headers['location']}/cancellations", EXAMPLES["POST", route]
    )
    assert called_off.status_code == 202, called_off.text
    shown.sent.update({("POST", IMPORTS), ("POST", route)})


async def _commitments(shown: Shown) -> None:
    example = EXAMPLES["POST", "/v1/commitments"]
    for code in ("SEG-015", "SEG-016", "SEG-017", "SEG-018"):
        await shown.house.tell("commitments", "/v1/commitments", example | {"code": code})
    await shown.send("commitments")
    of = "commitments/{id}"
    await shown.send_all(
        "commitments/SEG-014",
        of,
        "assessments",
        "retractions",
        "progress-reports",
    )
    await shown.send_all("commitments/SEG-014", of, "progress-reports/{n}/reviews", subject="reader")
    await shown.send_all(
        "commitments/SEG-014",
        of,
        "deadline-revisions",
        "risk-assessments",
        "budget-estimates",
        "comments",
        "changes",
        "corrections",
        "milestones",
        "milestones/{n}/completions",
        "reassignments",
        "completions",
        "reopenings",
        "publications",
    )
    for code, fact in (("SEG-016", "discards"), ("SEG-017", "mergers"), ("SEG-018", "splits")):
        await shown.send_all(f"commitments/{code}", of, fact)


async def _indicators(shown: Shown) -> None:
    await shown.send("indicators")
    await shown.send_all(
        "indicators/VICTIMISATION",
        "indicators/{id}",
        "targets",
        "retractions",
        "trajectory",
        "measurements",
        "measurements/{period}/corrections",
        "definition-changes",
        "commitments",
        "publications",
    )


async def _meetings(shown: Shown) -> None:
    of = "meetings/{id}"
    called_off = await shown.send("meetings")
    await shown.send_all(f"meetings/{called_off['id']}", of, "cancellations", "retractions")
    meeting = f"meetings/{(await shown.send('meetings'))['id']}"
    await shown.send_all(meeting, of, "agenda-revisions", "reschedulings", "attendance", "minutes")
    await shown.send_all(meeting, of, "circulations", "observations", "observations/{n}/answers")
    sealed = await shown.send(f"{meeting}/approvals", f"{of}/approvals", subject="reader")
    await shown.send_all(meeting, of, "errata")
    decision = f"decisions/{sealed['decisions'][0]}"
    of_decision = "decisions/{number}"
    await shown.send_all(decision, of_decision, "acknowledgements", "retractions", role=Role.DIPRES)
    await shown.send_all(decision, of_decision, "budget-lines", role=Role.DIPRES)
    await shown.send_all(decision, of_decision, "publications")
    task = f"action-items/{sealed['action_items'][0]}"
    facts = ("progress", "retractions", "extensions", "reassignments", "completions")
    await shown.send_all(task, "action-items/{id}", *facts)
    # What was done is not called off: that is taken back first.
    done = {"version": (await shown.house.read("meetings", f"/v1/{task}"))["version"], "reason": "Not yet"}
    await shown.house.tell("meetings", f"/v1/{task}/retractions", done)
    await shown.send_all(task, "action-items/{id}", "cancellations")
    await shown.send_all(meeting, of, "publications")


async def _outcomes(shown: Shown) -> None:
    """Two decisions to show what is not there yet: one is waived, and one carried out once that is."""
    await shown.house.tell("meetings", "/v1/bodies/BIL", BILATERAL, method="PUT")
    decision = {
        "text": "It is shown.",
        "kind": "publish",
        "commitments": ["LATE-1"],
        "effect": {"publication": {"visibility": "public"}},
    }
    for fact in ("waivers", "resolutions"):
        outcome = await outcome_of(
            shown.house, await approved(shown.house, "BIL", decision=decision), "unresolved"
        )
        if fact == "resolutions":
            await register(shown.house, "LATE-1")
        await shown.send_all(outcome.removeprefix("/v1/"), "decision-outcomes/{number}", fact)
