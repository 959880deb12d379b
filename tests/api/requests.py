"""A request for each route that writes: one that the services would carry out on the things of the story.

A route without one here is asked with its documented example. None of them takes a thing away from those who may act on
it, so that the order of the tests does not matter.
"""

from __future__ import annotations

from typing import Any

from shared.http.form import MEDIA_TYPE as FORM
from tests.api.conformance import openapi
from tests.api.house import Parts
from tests.api.story import AGENDA, BILATERAL, HELD, INDICATOR, PLAIN, SCHEDULED

REASON = {"reason": "The law asks for it"}
EVIDENCE = [{"description": "Law 20.595"}]
ITEM = {"agenda_item": 1, "summary": "The figures were gone through."}

BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/v1/commitments"): PLAIN | {"code": "NEW-1"},
    ("PUT", "/v1/organizations/{code}"): {"name": "Justice"},
    ("PUT", "/v1/pillars/{code}"): {"name": "Citizen security"},
    ("PUT", "/v1/cycles/{code}"): {"name": "Yearly halves", "frequency": "half_yearly", "days_to_report": 30},
    ("PUT", "/v1/reports/{code}"): {
        "name": "Account of the year",
        "kind": "ministerial_account",
        "audience": "public",
        "days_of_year": ["12-31"],
    },
    ("POST", "/v1/editions"): {"report": "MAY-21", "on": "2013-04-30"},
    ("POST", "/v1/editions/{id}/withdrawals"): REASON,
    ("POST", "/v1/api-keys"): {
        "role": "auditor",
        "organization": "COMPTROLLER",
        "expires_at": "2013-12-31T12:00:00Z",
    },
    ("POST", "/v1/api-keys/{key_id}/approvals"): {},
    ("POST", "/v1/api-keys/{key_id}/revocations"): REASON,
    ("POST", "/v1/bodies/{code}/calendar-keys"): {
        "expires_at": "2013-12-31T12:00:00Z",
        "description": "The calendar of the office",
    },
    ("POST", "/v1/calendar-keys/{key_id}/revocations"): REASON,
    ("POST", "/v1/indicators"): INDICATOR | {"code": "NEW-RATE"},
} | {
    ("POST", f"/v1/{path}"): body
    for path, body in {
        "commitments/{id}/assessments": {"judgement": "on_track"},
        "commitments/{id}/progress-reports": {"period": "2013-Q1", "percent": 40},
        "commitments/{id}/progress-reports/{n}/reviews": {"outcome": "accepted"},
        "commitments/{id}/deadline-revisions": {"deadline": "public", "on": "2014-06-30", **REASON},
        "commitments/{id}/reassignments": {"lead_organization": "INTERIOR", **REASON},
        "commitments/{id}/completions": {"evidence": EVIDENCE},
        "commitments/{id}/discards": {"reason_type": "budgetary", **REASON},
        "commitments/{id}/reopenings": REASON,
        "commitments/{id}/mergers": {"into": "OPEN-1", **REASON},
        "commitments/{id}/milestones": {"name": "Vote", "due_on": "2013-12-31"},
        "commitments/{id}/milestones/{n}/completions": {"evidence": EVIDENCE},
        "commitments/{id}/risk-assessments": {"change_management": 3},
        "commitments/{id}/budget-estimates": {"lines": [{"amount": "12.50", "currency": "CLP"}]},
        "commitments/{id}/comments": {"text": "See the minutes"},
        "commitments/{id}/publications": {"visibility": "public", **REASON},
        "commitments/{id}/corrections": {"field": "title", "value": "Fewer robberies", **REASON},
        # Of what all began with, which is nobody's but the unit's, and stands.
        **{
            f"{thing}/retractions": {"version": 1, **REASON}
            for thing in (
                "commitments/{id}",
                "indicators/{id}",
                "meetings/{id}",
                "decisions/{number}",
                "action-items/{id}",
            )
        },
        "decision-outcomes/{number}/resolutions": {"remarks": "Now it can be done"},
        "decision-outcomes/{number}/waivers": {"remarks": "It was done by hand"},
        "indicators/{id}/targets": {"value": 28.1, "on": "2013-12-31", **REASON},
        "indicators/{id}/trajectory": {"points": [{"on": "2012-12-31", "value": 30.2}]},
        "indicators/{id}/commitments": {"commitment": "OPEN-1", "effective_on": "2013-03-01", **REASON},
        "indicators/{id}/measurements": {"period": "2011", "value": 31.1},
        "indicators/{id}/measurements/{period}/corrections": {"value": 31.0, **REASON},
        "indicators/{id}/definition-changes": {"changes": {"unit": "per cent"}, **REASON},
        "indicators/{id}/publications": {"visibility": "public", **REASON},
        "meetings": {"body": "BIL-INTERIOR", "scheduled_at": SCHEDULED, "agenda": AGENDA},
        "meetings/{id}/agenda-revisions": {"agenda": AGENDA, **REASON},
        "meetings/{id}/reschedulings": {"scheduled_at": "2013-06-12T14:00:00Z", **REASON},
        "meetings/{id}/cancellations": REASON,
        "meetings/{id}/attendance": HELD | REASON,
        "meetings/{id}/publications": {"visibility": "public", **REASON},
        "meetings/{id}/minutes": {"items": [ITEM]},
        "meetings/{id}/circulations": {"recipients": [{"organization": "DIPRES"}]},
        "meetings/{id}/observations": {"text": "The figure is of 2011"},
        "meetings/{id}/observations/{n}/answers": {"accepted": True, "answer": "So it is"},
        "meetings/{id}/approvals": {},
        "meetings/{id}/errata": {"reads": "one through", "should_read": "one into", **REASON},
        "decisions/{number}/acknowledgements": {"outcome": "agreed"},
        "decisions/{number}/budget-lines": {
            "fiscal_year": 2014,
            "code": "05-01",
            "amount": "3",
            "currency": "CLP",
            "request": "first",
        },
        "decisions/{number}/publications": {"visibility": "public", **REASON},
        "action-items/{id}/progress": {"text": "Half of it"},
        "action-items/{id}/completions": {"evidence": EVIDENCE},
        "action-items/{id}/extensions": {"due_on": "2013-09-30", **REASON},
        "action-items/{id}/reassignments": {"owner_organization": "INTERIOR", **REASON},
        "action-items/{id}/cancellations": REASON,
    }.items()
}
BODIES["PUT", "/v1/bodies/{code}"] = BILATERAL | {"name": "Security Committee", "kind": "committee"}


for _service in ("commitments", "meetings", "reporting"):
    for _path, _operations in openapi(_service)["paths"].items():
        for _method, _operation in _operations.items():
            if "requestBody" in _operation:
                ((_media_type, _content),) = _operation["requestBody"]["content"].items()
                _example = _content["example"]
                if _media_type == FORM:
                    _example = Parts(_example)
                # The day of an example is not one of this story: today's is.
                _body = type(_example)(
                    {
                        name: value
                        for name, value in _example.items()
                        if name not in {"effective_on", "decision"}
                    }
                )
                BODIES.setdefault((_method.upper(), _path), _body)
