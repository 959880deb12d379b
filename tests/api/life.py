"""One POST after another, every route of the contract among them, each of which is carried out."""

from __future__ import annotations

from typing import Any, NamedTuple

from shared.identity.actor import Role
from tests.api.requests import BODIES, EVIDENCE, REASON
from tests.api.story import AGENDA, BILATERAL, COMMITTEE, HELD, INDICATOR, PLAIN, SPEECH


class Step(NamedTuple):
    """A POST: the route, what stands for its parameters, what is said, and by whom."""

    service: str
    route: str
    names: dict[str, str]
    """Parameters of the path, by a word that an earlier step left behind, or as they are."""
    body: Any
    who: dict[str, Any]
    leaves: str = ""
    """The word under which the id of what was made is known from now on."""

    def path(self, known: dict[str, str]) -> str:
        """The path of the request."""
        return self.route.format(**{name: known.get(word, word) for name, word in self.names.items()})


MINISTRY = {"role": Role.MINISTRY, "organization": "INTERIOR"}
ORDER_OF_PLANS = (
    ("PUT", "meetings", "/v1/bodies/COMMITTEE", COMMITTEE),
    ("PUT", "meetings", "/v1/bodies/BILATERAL", BILATERAL),
    ("PUT", "reporting", "/v1/reports/MAY-21", SPEECH),
)
DISCARD = {"discard": {"reason_type": "budgetary", "reason": "No funds"}}


def life() -> list[Step]:
    """The steps in their order."""
    return [
        *_commitments(),
        *_indicators(),
        *_keys(),
        *_meetings(),
        *_decisions(),
        *_outcomes(),
        *_editions(),
    ]


def _said(
    service: str,
    route: str,
    body: Any = None,
    *,
    leaves: str = "",
    who: dict[str, Any] | None = None,
    **names: str,
) -> Step:
    route = f"/v1/{route}"
    return Step(service, route, names, BODIES["POST", route] if body is None else body, who or {}, leaves)


def _commitments() -> list[Step]:
    def told(what: str, body: Any = None, id: str = "LIFE-1", **more: Any) -> Step:
        return _said("commitments", f"commitments/{{id}}/{what}", body, id=id, **more)

    registered = [
        _said("commitments", "commitments", PLAIN | {"code": code})
        for code in ("LIFE-1", "LIFE-2", "LIFE-3", "LIFE-4")
    ]
    open_ = [
        *registered,
        told("assessments"),
        told("retractions", {"version": 2, **REASON}),
        told("progress-reports", who=MINISTRY),
        told("progress-reports/{n}/reviews", n="1"),
        told("deadline-revisions"),
        told("milestones"),
        told("milestones/{n}/completions", n="1", who=MINISTRY),
        told("risk-assessments"),
        told("budget-estimates", who={"role": Role.DIPRES}),
        told("comments", who=MINISTRY),
        told("publications"),
        told("corrections"),
    ]
    ended = [
        told("reassignments", {"lead_organization": "JUSTICE", **REASON}),
        told("completions"),
        told("reopenings"),
        told("discards"),
        told("reopenings"),
        told("mergers", {"into": "LIFE-2", **REASON}),
        told("completions", id="LIFE-3"),
        told("completions", id="LIFE-4"),
        told("splits", id="LIFE-2"),
    ]
    named = {step.route for step in (*open_, *ended)}
    others = [
        Step("commitments", route, {"id": "LIFE-1"}, body, {})
        for (method, route), body in BODIES.items()
        if method == "POST" and route.startswith("/v1/commitments/{id}/") and route not in named
    ]
    return [*open_, *others, *ended]


def _indicators() -> list[Step]:
    def told(what: str, body: Any = None, **more: Any) -> Step:
        return _said("commitments", f"indicators/{{id}}/{what}", body, id="LIFE-RATE", **more)

    return [
        _said("commitments", "indicators", INDICATOR | {"code": "LIFE-RATE"}),
        told("targets"),
        told("trajectory"),
        told("commitments", {"commitment": "LIFE-1", "effective_on": "2013-04-30", **REASON}),
        told("measurements", who=MINISTRY),
        told("measurements/{period}/corrections", period="2011", who=MINISTRY),
        told("definition-changes"),
        told("retractions", {"version": 3, **REASON}),
        told("publications"),
    ]


def _keys() -> list[Step]:
    admin = {"role": Role.ADMIN}
    return [
        _said("commitments", "api-keys", who=admin, leaves="key"),
        _said(
            "commitments",
            "api-keys/{key_id}/approvals",
            key_id="key",
            who=admin | {"subject": "another admin"},
        ),
        _said("commitments", "api-keys/{key_id}/revocations", key_id="key", who=admin),
        _said("meetings", "bodies/{code}/calendar-keys", code="COMMITTEE", leaves="calendar key"),
        _said("meetings", "calendar-keys/{key_id}/revocations", key_id="calendar key"),
    ]


def _minutes(*decisions: Any, tasks: int = 0) -> Any:
    owed = {"text": "List the areas", "owner_organization": "INTERIOR", "due_on": "2013-06-30"}
    item = {
        "agenda_item": 1,
        "summary": "Gone through.",
        "decisions": decisions,
        "action_items": [owed] * tasks,
    }
    return {"items": [item]}


def _meetings() -> list[Step]:
    def told(what: str, body: Any = None, meeting: str = "meeting", **more: Any) -> Step:
        return _said("meetings", f"meetings/{{id}}/{what}", body, id=meeting, **more)

    def convened(body: str, word: str) -> Step:
        asked = BODIES["POST", "/v1/meetings"] | {"body": body}
        return _said("meetings", "meetings", asked, leaves=word)

    sent = {"recipients": [{"organization": "INTERIOR"}]}
    stuck = [
        {"text": "Give it up", "kind": "discard", "commitments": [code], "effect": DISCARD}
        for code in ("LIFE-3", "LIFE-4")
    ]
    return [
        convened("COMMITTEE", "meeting"),
        told("agenda-revisions", {"agenda": AGENDA[:1]}),
        told("reschedulings", {"scheduled_at": "2013-03-13T14:00:00Z", **REASON}),
        told("retractions", {"version": 3, **REASON}),
        told("attendance", HELD),
        told("minutes", _minutes({"text": "To be taken up", "kind": "refer"}, tasks=2)),
        told("circulations", sent),
        told("observations", who=MINISTRY),
        told("observations/{n}/answers", {"accepted": False, "answer": "It is said"}, n="1"),
        told("approvals", who={"subject": "reader"}, leaves="sealed"),
        told("errata"),
        told("publications"),
        convened("BILATERAL", "bilateral"),
        told("attendance", HELD, "bilateral"),
        told("minutes", _minutes(*stuck), "bilateral"),
        told("circulations", sent, "bilateral"),
        told("approvals", {}, "bilateral", who={"subject": "reader"}, leaves="stuck"),
        convened("COMMITTEE", "called off"),
        told("cancellations", meeting="called off"),
    ]


def _decisions() -> list[Step]:
    budget_office = {"role": Role.DIPRES}

    def told(what: str, body: Any = None, **more: Any) -> Step:
        return _said(
            "meetings", f"decisions/{{number}}/{what}", body, **{"number": "sealed decision 1", **more}
        )

    def done(what: str, body: Any = None, task: int = 1, **more: Any) -> Step:
        return _said("meetings", f"action-items/{{id}}/{what}", body, id=f"sealed task {task}", **more)

    return [
        told("acknowledgements", who=budget_office),
        told("budget-lines", who=budget_office),
        told("retractions", {"version": 4, **REASON}, who=budget_office),
        told("publications", number="stuck decision 1"),
        done("progress", who=MINISTRY),
        done("retractions", {"version": 3, **REASON}, who=MINISTRY),
        done("extensions"),
        done("reassignments", {"owner_organization": "JUSTICE", **REASON}),
        done("completions", {"evidence": EVIDENCE}),
        done("cancellations", task=2),
    ]


def _outcomes() -> list[Step]:
    route = "decision-outcomes/{number}/"
    return [
        _said("commitments", "commitments/{id}/reopenings", id="LIFE-3"),
        _said("commitments", f"{route}resolutions", number="stuck decision 1"),
        _said("commitments", f"{route}waivers", number="stuck decision 2"),
    ]


def _editions() -> list[Step]:
    return [
        _said("reporting", "editions", leaves="edition"),
        _said("reporting", "editions/{id}/withdrawals", id="edition"),
    ]
