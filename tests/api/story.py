"""What the record holds in the tests of the contract: one of everything, open and hidden."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from shared.identity.actor import Role
from shared.identity.caller import READ, WRITE
from tests.api.house import HOME, House, Parts

ORGANIZATIONS = ("DCI", "INTERIOR", "JUSTICE", "HEALTH", "DIPRES", "ADVISORY", "COMPTROLLER")
OUTSIDER: dict[str, Any] = {"role": Role.MINISTRY, "organization": "HEALTH"}
"""Somebody of a ministry that no reserved thing concerns."""
PLAIN = {"title": "Fewer burglaries", "lead_organization": "INTERIOR", "visibility": "internal"}
INDICATOR = {
    "name": "Households that were victims",
    "unit": "%",
    "direction": "decrease",
    "baseline": {"value": 33.6, "on": "2009-12-31"},
    "source": {"organization": "INTERIOR"},
}
COMMITTEE = {
    "name": "Security Committee",
    "kind": "committee",
    "presiding_organization": "INTERIOR",
    "protocol": {"expected_meetings": {"count": 1, "period": "month"}, "days_to_minutes": 7},
}
BILATERAL = {"name": "Bilateral with the Interior", "kind": "bilateral", "organizations": ["INTERIOR"]}
AGENDA = [{"title": "Burglaries"}, {"title": "Prisons"}]
SCHEDULED = "2013-03-12T14:00:00Z"
HELD = {
    "held_at": SCHEDULED,
    "attendance": [
        {"organization": organization, "position": "Head", "presence": "present"}
        for organization in ("INTERIOR", "DIPRES", "ADVISORY")
    ],
}


class Met(NamedTuple):
    """A meeting whose minutes were approved, and what came of it."""

    meeting: str
    decision: str
    action_item: str


class Story(NamedTuple):
    """Where the things of the story are, and the API keys that were handed out."""

    calendar: str
    """The secret in the address of the calendar of a body, which the unit asked for."""
    calendar_key: str
    """The id of another, which was taken back."""
    keys: dict[tuple[Role, str], str]
    """By role and what the key is: read, write, both, revoked or expired."""
    open: Met
    hidden: Met
    imports: dict[str, str]
    """By service, an import that the unit asked for."""
    outcome: str
    """What became of a decision, reserved like the hidden meeting, that could not be carried out."""


async def tell(house: House) -> Story:
    """Fills an empty house."""
    for code in ORGANIZATIONS:
        await house.tell("commitments", f"/v1/organizations/{code}", {"name": code.title()}, method="PUT")
    await house.tell("commitments", "/v1/pillars/SECURITY", {"name": "Citizen security"}, method="PUT")
    quarterly = {"name": "Quarterly reports", "frequency": "quarterly", "days_to_report": 20}
    await house.tell("reporting", "/v1/cycles/QUARTERLY", quarterly, method="PUT")
    await house.tell("reporting", "/v1/reports/MAY-21", SPEECH, method="PUT")
    await house.tell("reporting", "/v1/reports/CABINET", CABINET, method="PUT")
    await house.settled()
    await _commitments(house)
    for code, body in (("SECURITY", COMMITTEE), ("BIL-INTERIOR", BILATERAL)):
        await house.tell("meetings", f"/v1/bodies/{code}", body, method="PUT")
    hidden_met = await approved(house, "BIL-INTERIOR")
    open_met = await approved(house, "SECURITY", **_naming(hidden_met))
    outcome = await _stuck(house)
    await _acted(house)
    keys, calendar = await _keys(house), await _calendar(house)
    await house.settled()
    for report in ("MAY-21", "CABINET"):
        await house.tell("reporting", "/v1/editions", {"report": report, "on": "2013-04-30"})
    await house.settled()
    return Story(*calendar, keys, open_met, hidden_met, await _imports(house), outcome)


async def _imports(house: House) -> dict[str, str]:
    asked = {}
    for service, kind in (("commitments", "progress-reports"), ("meetings", "bodies")):
        answer = await house.ask(service, "POST", "/v1/imports", Parts(kind=kind, file="nothing"))
        assert answer.status_code == 202, answer.text
        asked[service] = answer.headers["location"]
    return asked


async def register(house: House, code: str, **more: Any) -> str:
    """A commitment led by the Interior; the path of it."""
    await house.tell("commitments", "/v1/commitments", PLAIN | {"code": code} | more)
    return f"/v1/commitments/{code}"


SPEECH = {
    "name": "Account of May 21",
    "kind": "annual_speech",
    "audience": "public",
    "days_of_year": ["05-21"],
}
CABINET = {
    "name": "To the Cabinet",
    "kind": "progress",
    "audience": "government",
    "every_months": 3,
    "days_after": 20,
}
REFERRED = {"text": "To be taken up again", "kind": "refer"}


async def circulated(
    house: House,
    body: str,
    owner: str = "INTERIOR",
    decision: Mapping[str, Any] = REFERRED,
    agenda: Sequence[Mapping[str, Any]] = AGENDA,
    task: Mapping[str, Any] = MappingProxyType({}),
) -> str:
    """The path of a meeting whose minutes were drafted and sent to all who may observe upon them."""
    asked = {"body": body, "scheduled_at": SCHEDULED, "agenda": list(agenda)}
    meeting = f"/v1/meetings/{(await house.tell('meetings', '/v1/meetings', asked)).json()['id']}"
    owed = {"text": "List the areas", "owner_organization": owner, "due_on": "2013-06-30", **task}
    minutes = {
        "agenda_item": 1,
        "summary": "The figures were gone through.",
        "decisions": [dict(decision)],
        "action_items": [owed],
    }
    recipients = [{"organization": name} for name in ("INTERIOR", "DIPRES", "ADVISORY")]
    await house.tell("meetings", f"{meeting}/attendance", HELD)
    await house.tell("meetings", f"{meeting}/minutes", {"items": [minutes]})
    await house.tell("meetings", f"{meeting}/circulations", {"recipients": recipients})
    await house.tell("meetings", f"{meeting}/observations", {"text": "Of which year?"}, role=Role.MINISTRY)
    return meeting


async def approved(
    house: House, body: str, owner: str = "INTERIOR", decision: Mapping[str, Any] = REFERRED, **more: Any
) -> Met:
    """A meeting with sealed minutes."""
    meeting = await circulated(house, body, owner, decision, **more)
    answer = {"accepted": False, "answer": "It is said above"}
    await house.tell("meetings", f"{meeting}/observations/1/answers", answer)
    sealed = (await house.tell("meetings", f"{meeting}/approvals", {}, subject="reader")).json()
    decision, action_item = sealed["decisions"][0], sealed["action_items"][0]
    return Met(meeting, f"/v1/decisions/{decision}", f"/v1/action-items/{action_item}")


def _naming(hidden: Met) -> dict[str, Any]:
    """What an open meeting says of hidden things, all in the members that name things."""
    agenda: dict[str, Any] = {
        "title": "Burglaries",
        "commitments": ["INSIDE-1", "HIDDEN-1"],
        "decisions": [hidden.decision.rpartition("/")[2]],
        "action_items": [hidden.action_item.rpartition("/")[2]],
    }
    to = {"referral": {"to": "BIL-INTERIOR", "remarks": "Soon"}}
    decision = REFERRED | {"commitments": ["INSIDE-1", "HIDDEN-1"], "effect": to}
    return {"agenda": [agenda, AGENDA[1]], "decision": decision, "task": {"commitment": "HIDDEN-1"}}


async def _commitments(house: House) -> None:
    """Three of which all is told, seen by all, inside government, by few; and some that have to do with the last."""
    await register(house, "OPEN-1", visibility="public", pillar="SECURITY")
    await register(house, "INSIDE-1", collaborating_organizations=["JUSTICE"])
    await register(house, "HIDDEN-1", visibility="reserved", kind="strategic_objective", pillar="SECURITY")
    await register(house, "PART-1", parent="HIDDEN-1")
    whole = await register(house, "WHOLE-1", visibility="reserved")
    mended = await register(house, "MENDED-1", visibility="public", parent="HIDDEN-1")
    merged = await register(house, "MERGED-1", visibility="public")
    for path, facts, body in (
        (mended, "corrections", {"field": "parent", "value": None, "reason": "Typed wrong"}),
        (merged, "mergers", {"into": "HIDDEN-1", "reason": "The same thing"}),
        (
            whole,
            "splits",
            {"parts": [{"code": f"SPLIT-{n}", "title": "A part"} for n in (1, 2)], "reason": "Too wide"},
        ),
        ("/v1/commitments/SPLIT-1", "publications", {"visibility": "internal", "reason": "Begun"}),
    ):
        await house.tell("commitments", f"{path}/{facts}", body)
    for code in ("OPEN-1", "INSIDE-1", "HIDDEN-1"):
        await house.tell(
            "commitments",
            f"/v1/commitments/{code}/assessments",
            {"judgement": "at_risk", "reason": "The figures are late"},
        )
        await house.tell(
            "commitments",
            f"/v1/commitments/{code}/progress-reports",
            {"period": "2013-Q1", "observed_progress": "Two of five"},
            role=Role.MINISTRY,
        )
        await house.tell(
            "commitments", f"/v1/commitments/{code}/milestones", {"name": "Bill", "due_on": "2013-12-31"}
        )
    rates = {
        "VICTIMS": {"commitment": "INSIDE-1"},
        "HIDDEN-RATE": {"commitment": "HIDDEN-1"},
        "OPEN-RATE": {"visibility": "public"},
    }
    for code, more in rates.items():
        about = {"code": code, **more}
        await house.tell("commitments", "/v1/indicators", INDICATOR | about)
        path = f"/v1/indicators/{code}"
        await house.tell("commitments", f"{path}/targets", {"value": 28.5, "on": "2013-12-31"})
        await house.tell("commitments", f"{path}/measurements", {"period": "2011", "value": 31.1})


async def _acted(house: House) -> None:
    """Hidden decisions that changed open things."""
    await register(house, "MOVED-1", public_deadline={"on": "2013-12-31"})
    await register(house, "GIVEN-1", visibility="public")
    discard = {"reason_type": "budgetary", "reason": "No funds"}
    deadline = {"deadline": "public", "on": "2014-06-30"}
    for kind, commitments, effect in (
        ("revise_deadline", ["MOVED-1"], {"deadline": deadline}),
        ("escalate", ["MOVED-1"], {"referral": {"to": "President"}}),
        ("discard", ["GIVEN-1"], {"discard": discard}),
        ("revise_target", [], {"target": {"indicator": "VICTIMS", "value": "27.5", "on": "2014-12-31"}}),
    ):
        decision = {"text": "So be it", "kind": kind, "commitments": commitments, "effect": effect}
        await outcome_of(house, await approved(house, "BIL-INTERIOR", decision=decision), "carried_out")


async def outcome_of(house: House, met: Met, state: str) -> str:
    """The path of what became of a meeting's decision, waited for until it was tried."""
    outcome = met.decision.replace("decisions", "decision-outcomes")
    for _ in range(1000):
        if (await house.ask("commitments", "GET", outcome)).status_code != 404:
            break
        await asyncio.sleep(0.01)
    assert (await house.read("commitments", outcome))["state"] == state
    return outcome


async def _stuck(house: House) -> str:
    """A decision to give up what was completed already."""
    done = await register(house, "DONE-1")
    await house.tell("commitments", f"{done}/completions", {"evidence": [{"description": "Law 20.595"}]})
    effect = {"discard": {"reason_type": "budgetary", "reason": "No funds"}}
    decision = {"text": "Give it up", "kind": "discard", "commitments": ["DONE-1"], "effect": effect}
    return await outcome_of(house, await approved(house, "BIL-INTERIOR", decision=decision), "unresolved")


async def _keys(house: House) -> dict[tuple[Role, str], str]:
    """A key of each kind for each role; the clock moves on past the end of those that expired."""
    keys: dict[tuple[Role, str], str] = {}
    for role, organization in HOME.items():
        for kind in (READ, WRITE, "both", "revoked", "expired"):
            lifetime = timedelta(minutes=1) if kind == "expired" else timedelta(days=300)
            body = {
                "role": role,
                "organization": organization,
                "scopes": [kind] if kind in (READ, WRITE) else [READ, WRITE],
                "expires_at": (house.now + lifetime).isoformat(),
            }
            issued = (await house.tell("commitments", "/v1/api-keys", body, role=Role.ADMIN)).json()
            keys[role, kind] = issued["secret"]
            if not issued["approved"]:
                path = f"/v1/api-keys/{issued['key_id']}/approvals"
                await house.tell("commitments", path, {}, role=Role.ADMIN, subject="another admin")
            if kind == "revoked":
                path = f"/v1/api-keys/{issued['key_id']}/revocations"
                await house.tell("commitments", path, {"reason": "Lost"}, role=Role.ADMIN)
    house.now += timedelta(hours=1)
    return keys


async def _calendar(house: House) -> tuple[str, str]:
    """The secret in the address of a calendar, and the id of a key that was taken back."""
    body = {"expires_at": (house.now + timedelta(days=300)).isoformat()}
    path = "/v1/bodies/BIL-INTERIOR/calendar-keys"
    made = [(await house.tell("meetings", path, body)).json() for _ in range(2)]
    revoked: str = made[1]["key_id"]
    await house.tell("meetings", f"/v1/calendar-keys/{revoked}/revocations", {"reason": "Lost"})
    address: str = made[0]["address"]
    return address.rpartition("/")[2].removesuffix(".ics"), revoked
