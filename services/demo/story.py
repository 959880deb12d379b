"""Tells the demonstration set to the running services, as any client would: over HTTP, one request a fact.

Every request carries an `Idempotency-Key` of its own, so that a story cut short is taken up where it stopped, and one
told before adds nothing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

import httpx

PORTFOLIO = Path(__file__).with_name("portfolio.toml")
TERM_BEGAN = date(2010, 3, 11)
Step = tuple[str, Callable[[], None]]


class StoryFailed(Exception):
    """A service answered the demonstration with an error."""


class Story:
    """The demonstration set, and the clients that tell it: one for each role that has something to say."""

    def __init__(self, base_url: str, token_for: Callable[[str, str], str]) -> None:
        self._portfolio: dict[str, Any] = tomllib.loads(PORTFOLIO.read_text(encoding="utf-8"))
        self._base_url = base_url
        self._token_for = token_for
        self._clients: dict[tuple[str, str], httpx.Client] = {}
        self.position = 0
        """The position of the last event the story caused, or met."""

    def steps(self) -> list[Step]:
        """What is to be told, in order: a name for the progress bar, and the telling."""
        portfolio = self._portfolio
        told: list[Step] = []
        for kind, items in (("organizations", portfolio["organizations"]), ("pillars", portfolio["pillars"])):
            told += [(item["code"], lambda kind=kind, item=item: self._declare(kind, item)) for item in items]  # type: ignore[misc]
        for item in (*portfolio["objectives"], *portfolio["actions"]):
            told.append((item["code"], lambda item=item: self._commitment(item)))  # type: ignore[misc]
        told.append((portfolio["indicator"]["code"], lambda: self._indicator(portfolio["indicator"])))
        return told

    def close(self) -> None:
        """Give back the connections."""
        for client in self._clients.values():
            client.close()

    # --- the parts of the story ------------------------------------------------------------------------------------

    def _declare(self, kind: str, item: dict[str, Any]) -> None:
        body = {name: value for name, value in item.items() if name != "code"}
        self._send("PUT", f"/v1/{kind}/{item['code']}", body)

    def _commitment(self, item: dict[str, Any]) -> None:
        code = item["code"]
        objective = "parent" not in item
        self._post(
            "/v1/commitments",
            _given(
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
                    "source": "Government plan 2010-14" if objective else None,
                },
                visibility=item.get("visibility", "public"),
                public_deadline={"on": item["deadline"], "origin": "Government plan 2010-14"},
                internal_deadline={"on": item["internal_deadline"]} if "internal_deadline" in item else None,
                effective_on=item.get("effective_on", TERM_BEGAN),
            ),
            key=f"demo-{code}",
        )
        for day, tell in sorted(self._facts(item), key=lambda fact: fact[0]):
            tell(day)

    def _facts(self, item: dict[str, Any]) -> Iterable[tuple[date, Callable[[date], None]]]:
        """What was said of a commitment: each fact with its day."""
        code = item["code"]

        def say(what: str, body: dict[str, Any]) -> Callable[[date], None]:
            return lambda day: self._post(
                f"/v1/commitments/{code}/{what}", body, key=f"demo-{code}-{what}-{day}"
            )

        for day, judgement, reason in item.get("assess", ()):
            yield day, say("assessments", {"judgement": judgement, "reason": reason, "effective_on": day})
        for number, report in enumerate(item.get("report", ()), 1):
            yield report["on"], self._reported(item, number, report)
        if "revise" in item:
            yield item["revise"]["effective_on"], say("deadline-revisions", item["revise"])
        if "complete" in item:
            done = item["complete"]
            yield (
                done["on"],
                say(
                    "completions",
                    {"completed_on": done["on"], "evidence": [{"description": done["evidence"]}]},
                ),
            )
        if "discard" in item:
            given_up = {name: value for name, value in item["discard"].items() if name != "on"}
            yield item["discard"]["on"], say("discards", given_up | {"effective_on": item["discard"]["on"]})

    def _reported(self, item: dict[str, Any], number: int, report: dict[str, Any]) -> Callable[[date], None]:
        """The ministry reports, the delivery unit reviews: two people, two organisations."""
        path = f"/v1/commitments/{item['code']}/progress-reports"
        key = f"demo-{item['code']}-report-{number}"

        def tell(day: date) -> None:
            body = {"period": report["period"], "observed_progress": report["text"], "effective_on": day}
            self._post(path, body, key=key, role=("ministry", item["lead"]))
            review = _given(outcome=report["review"], reason=report.get("review_reason"))
            self._post(f"{path}/{number}/reviews", review, key=f"{key}-review")

        return tell

    def _indicator(self, item: dict[str, Any]) -> None:
        code = item["code"]
        parts = ("targets", "measurements")
        definition = {name: value for name, value in item.items() if name not in parts} | {
            "visibility": "public"
        }
        self._post("/v1/indicators", definition, key=f"demo-{code}")
        for part in parts:
            for number, body in enumerate(item[part], 1):
                self._post(f"/v1/indicators/{code}/{part}", body, key=f"demo-{code}-{part}-{number}")

    # --- speaking HTTP ---------------------------------------------------------------------------------------------

    def _post(
        self, path: str, body: dict[str, Any], *, key: str, role: tuple[str, str] = ("dci", "DCI")
    ) -> None:
        self._send("POST", path, body, {"Idempotency-Key": key, "If-Match": "*"}, role)

    def _send(
        self,
        method: str,
        path: str,
        body: dict[str, Any],
        headers: dict[str, str] | None = None,
        role: tuple[str, str] = ("dci", "DCI"),
    ) -> None:
        answer = self._client(role).request(method, path, json=_plain(body), headers=headers)
        if answer.is_error and not _told_before(answer):
            raise StoryFailed(f"{method} {path} was answered with {answer.status_code}: {answer.text}")
        self.position = max(self.position, int(answer.headers.get("Log-Position", 0)))

    def _client(self, role: tuple[str, str]) -> httpx.Client:
        if role not in self._clients:
            token = self._token_for(*role)
            self._clients[role] = httpx.Client(
                base_url=self._base_url, headers={"Authorization": f"Bearer {token}"}, timeout=30
            )
        return self._clients[role]


def _told_before(answer: httpx.Response) -> bool:
    """An import or an older story may have registered the same code; the record then stands as it is."""
    return answer.status_code == 409 and str(answer.json().get("type", "")).endswith("/code-taken")


def _given(**fields: Any) -> dict[str, Any]:
    """Only the fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def _plain(value: Any) -> Any:
    """Days as text, whatever they are nested in."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value
