"""The demonstration set as a list of things to tell: the plan, what was said of it, and the meetings in between."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from services.demo.telling import Teller, Who, given

FOLDER = Path(__file__).parent
TERM_BEGAN = date(2010, 3, 11)

Step = tuple[str, Callable[[], None]]
"""A name for the progress bar, and the telling."""

Fact = tuple[date, Callable[[date], None]]

_SECRETARY: Who = ("dci", "DCI", "secretary")
_CHIEF: Who = ("dci", "DCI", "chief")
_ADVISER: Who = ("advisory", "ADVISORY", "adviser")
_BUDGET_OFFICE: Who = ("dipres", "DIPRES", "bilaterals")


class Story:
    """Everything there is to tell, in an order in which each part finds what it refers to."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._portfolio = _read("portfolio.toml")
        self._minuted = _read("meetings.toml")
        self._assigned: dict[str, list[str]] = {}
        """The action items of each meeting that was told of."""

    def steps(self) -> list[Step]:
        """The plan, then the meetings, then what these called into being; at last what was published of it all."""
        plan, minuted = self._portfolio, self._minuted
        told: list[Step] = []
        for kind in ("organizations", "pillars"):
            told += [(item["code"], partial(self._declare, "commitments", kind, item)) for item in plan[kind]]
        told += [
            (item["code"], partial(self._declare, "reporting", "cycles", item)) for item in plan["cycles"]
        ]
        stated = [item for item in (*plan["objectives"], *plan["actions"]) if "agreed_in_meeting" not in item]
        told += [(item["code"], partial(self._commitment, item)) for item in stated]
        told.append((plan["indicator"]["code"], partial(self._indicator, plan["indicator"])))
        told += [
            (item["code"], partial(self._declare, "meetings", "bodies", item)) for item in minuted["bodies"]
        ]
        told += [(item["key"], partial(self._meeting, item)) for item in minuted["meetings"]]
        told += [(item["decision"], partial(self._budget_office, item)) for item in minuted["budget_office"]]
        told += [(item["meeting"], partial(self._action_item, item)) for item in minuted["action_items"]]
        agreed = [item for item in plan["actions"] if "agreed_in_meeting" in item]
        told += [(item["code"], partial(self._agreed, item)) for item in agreed]
        told += [
            (item["code"], partial(self._declare, "reporting", "reports", item)) for item in plan["reports"]
        ]
        told += [(item["report"], partial(self._edition, item)) for item in plan["editions"]]
        return told

    # --- the plan --------------------------------------------------------------------------------------------------

    def _declare(self, service: str, kind: str, item: dict[str, Any]) -> None:
        body = {name: value for name, value in item.items() if name != "code"}
        self._teller.put(service, f"/v1/{kind}/{item['code']}", body)

    def _edition(self, item: dict[str, Any]) -> None:
        key = f"demo-{item['report']}-{item['on']}"
        self._teller.post("reporting", "/v1/editions", item, key=key)

    def _commitment(self, item: dict[str, Any]) -> None:
        code = item["code"]
        objective = "parent" not in item
        plan = "Government plan 2010-14"
        self._teller.post(
            "commitments",
            "/v1/commitments",
            given(
                code=code,
                title=item["title"],
                lead_organization=item["lead"],
                kind="strategic_objective" if objective else "action",
                pillar=item["pillar"],
                parent=item.get("parent"),
                result_type=item.get("result_type"),
                collaborating_organizations=item.get("collaborating"),
                origin={
                    "kind": item.get("origin", "campaign_programme" if objective else "other"),
                    "source": plan if objective else None,
                },
                visibility=item.get("visibility", "public"),
                public_deadline={"on": item["deadline"], "origin": plan},
                internal_deadline={"on": item["internal_deadline"]} if "internal_deadline" in item else None,
                effective_on=item.get("effective_on", TERM_BEGAN),
            ),
            key=f"demo-{code}",
        )
        self._tell_facts(item)

    def _agreed(self, item: dict[str, Any]) -> None:
        """A decision called it into being, unseen by the public; it is published when the plan is launched."""
        code = item["code"]
        self._teller.wait_until_there("commitments", f"/v1/commitments/{code}")
        launched = {"visibility": "public", "reason": "The plan was launched."}
        self._teller.post(
            "commitments", f"/v1/commitments/{code}/publications", launched, key=f"demo-{code}-launch"
        )
        self._tell_facts(item)

    def _tell_facts(self, item: dict[str, Any]) -> None:
        for day, tell in sorted(self._facts(item), key=lambda fact: fact[0]):
            tell(day)

    def _facts(self, item: dict[str, Any]) -> Iterable[Fact]:
        """What was said of a commitment: each fact with its day."""
        code = item["code"]

        def say(what: str, body: dict[str, Any]) -> Callable[[date], None]:
            def tell(day: date) -> None:
                path = f"/v1/commitments/{code}/{what}"
                self._teller.post("commitments", path, body, key=f"demo-{code}-{what}-{day}")

            return tell

        for day, judgement, reason in item.get("assess", ()):
            yield day, say("assessments", {"judgement": judgement, "reason": reason, "effective_on": day})
        for number, report in enumerate(item.get("report", ()), 1):
            yield report["on"], partial(self._report, item, number, report)
        if "revise" in item:
            yield item["revise"]["effective_on"], say("deadline-revisions", item["revise"])
        if "correct" in item:
            # Nobody noticed before the record was gone through: it comes last.
            yield date.max, say("corrections", item["correct"])
        if "split" in item:
            split = {name: value for name, value in item["split"].items() if name != "on"}
            yield item["split"]["on"], say("splits", split | {"effective_on": item["split"]["on"]})
        if "complete" in item:
            done = item["complete"]
            body = {"completed_on": done["on"], "evidence": [{"description": done["evidence"]}]}
            body |= given(remarks=done.get("remarks"))
            yield done["on"], say("completions", body)
        if "discard" in item:
            given_up = {name: value for name, value in item["discard"].items() if name != "on"}
            yield item["discard"]["on"], say("discards", given_up | {"effective_on": item["discard"]["on"]})

    def _report(self, item: dict[str, Any], number: int, report: dict[str, Any], day: date) -> None:
        """The ministry reports, the delivery unit reviews: two people, two organisations."""
        path = f"/v1/commitments/{item['code']}/progress-reports"
        key = f"demo-{item['code']}-report-{number}"
        body = {"period": report["period"], "observed_progress": report["text"], "effective_on": day}
        body["received_on"] = day
        self._teller.post("commitments", path, body, key=key, who=_ministry(item["lead"]))
        review = given(outcome=report["review"], reason=report.get("review_reason"))
        self._teller.post("commitments", f"{path}/{number}/reviews", review, key=f"{key}-review")

    def _indicator(self, item: dict[str, Any]) -> None:
        code = item["code"]
        parts = ("targets", "measurements")
        definition = {name: value for name, value in item.items() if name not in parts} | {
            "visibility": "public"
        }
        self._teller.post("commitments", "/v1/indicators", definition, key=f"demo-{code}")
        for part in parts:
            for number, body in enumerate(item[part], 1):
                path = f"/v1/indicators/{code}/{part}"
                self._teller.post("commitments", path, body, key=f"demo-{code}-{part}-{number}")

    # --- the meetings ----------------------------------------------------------------------------------------------

    def _meeting(self, item: dict[str, Any]) -> None:
        """Convened, held, minuted by one, observed upon, approved by another."""
        key = f"demo-meeting-{item['key']}"
        convened = self._teller.post(
            "meetings",
            "/v1/meetings",
            {
                "body": item["body"],
                "scheduled_at": item["at"],
                "ends_at": item["until"],
                "place": "La Moneda",
                "title": item["title"],
                "agenda": item["agenda"],
            },
            key=key,
            who=_ADVISER if item.get("convened_by") == "ADVISORY" else _SECRETARY,
        )
        path = f"/v1/meetings/{convened['id']}"

        def tell(what: str, body: dict[str, Any], who: Who = _SECRETARY) -> dict[str, Any]:
            return self._tell(f"{path}/{what}", body, key=f"{key}-{what}", who=who)

        held = {"held_at": item["at"], "ended_at": item["until"], "attendance": item["attendance"]}
        tell("attendance", held)
        tell("minutes", {"items": item["minutes"]})
        tell("circulations", item["circulation"])
        if "observation" in item:
            said = item["observation"]
            tell("observations", {"text": said["text"]}, _ministry(said["by"]))
            tell("observations/1/answers", {"accepted": False, "answer": said["answer"]})
        self._assigned[item["key"]] = tell("approvals", {}, _CHIEF)["action_items"]

    def _budget_office(self, item: dict[str, Any]) -> None:
        """Whether this is what was agreed, and the line in which it ended."""
        path, key = f"/v1/decisions/{item['decision']}", f"demo-{item['decision']}"
        said = item["acknowledgement"]
        self._tell(f"{path}/acknowledgements", said, key=f"{key}-{said['effective_on']}", who=_BUDGET_OFFICE)
        if "line" in item:
            self._tell(f"{path}/budget-lines", item["line"], key=f"{key}-line", who=_BUDGET_OFFICE)

    def _action_item(self, item: dict[str, Any]) -> None:
        """What its owner told of it, and how much more time the unit gave."""
        owed = self._assigned[item["meeting"]][item["number"] - 1]
        path, key = f"/v1/action-items/{owed}", f"demo-action-item-{item['meeting']}-{item['number']}"
        owner = _SECRETARY if item["owner"] == "DCI" else _ministry(item["owner"])
        facts = [("progress", body, owner) for body in item.get("progress", ())]
        facts += [("extensions", body, _SECRETARY) for body in item.get("extensions", ())]
        facts += [("completions", body, owner) for body in item.get("completions", ())]
        for number, (what, body, who) in enumerate(facts, 1):
            self._tell(f"{path}/{what}", body, key=f"{key}-{number}", who=who)

    def _tell(self, path: str, body: dict[str, Any], *, key: str, who: Who = _SECRETARY) -> dict[str, Any]:
        """Tell the meetings service."""
        return self._teller.post("meetings", path, body, key=key, who=who)


def _ministry(code: str) -> Who:
    return ("ministry", code, "cabinet")


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / name).read_text(encoding="utf-8"))
