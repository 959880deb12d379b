"""The story of the bad year, as the services tell it: figures, meetings, decisions, action items, and the plans."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
from rich.console import Console

from services.demo.layout import add_whole, add_wrapped, table

MEASURED = "ENUSC-VIC"
FIRST_DAY, LAST_DAY = date(2012, 5, 1), date(2013, 5, 21)
"""The days the meetings are from, and the day on which it is asked what is still owed."""


class BadYear:
    """The answers, each printed as a table."""

    def __init__(self, out: Console, client: httpx.Client, url: Callable[[str], str]) -> None:
        self._out = out
        self._client = client
        self._url = url

    def tell(self) -> None:
        """Everything, in the order in which one thing led to the next."""
        self._figures()
        numbers = self._meetings()
        self._decisions(numbers)
        self._action_items()
        self._reports()
        self._signs()

    def _figures(self) -> None:
        indicator = self._ask("commitments", f"indicators/{MEASURED}")
        shown = table(f"{MEASURED}: {indicator['name']}")
        add_whole(shown, "year", "value")
        add_wrapped(shown, "from")
        baseline = indicator["baseline"]
        shown.add_row(baseline["on"][:4], str(baseline["value"]), f"{baseline['source']}, the baseline")
        for found in indicator["measurements"]:
            shown.add_row(
                found["period"], str(found["value"]), f"{found['source']}, out on {found['published_on']}"
            )
        shown.add_section()
        for target in indicator["targets"]:
            promised = f"the target, as promised on {target['effective_on']}"
            shown.add_row(target["on"][:4], str(target["level"]), promised)
        shown.add_section()
        for sign in indicator["warnings"]:
            shown.add_row("sign", "", sign["detail"])
        self._print(shown)

    def _meetings(self) -> list[str]:
        """The meetings, and the numbers of what was decided there."""
        days = {"from": FIRST_DAY.isoformat(), "to": LAST_DAY.isoformat()}
        numbers: list[str] = []
        shown = table("The meetings that followed")
        add_whole(shown, "day", "body")
        add_wrapped(shown, "what for")
        add_whole(shown, "state", "action items")
        for listed in self._ask("meetings", "meetings", **days)["items"]:
            meeting = self._ask("meetings", f"meetings/{listed['id']}")
            items = meeting["minutes"]["items"] if meeting["minutes"] else []
            decided = [made["number"] for item in items for made in item["decisions"]]
            owed = sum(len(item["action_items"]) for item in items)
            numbers += decided
            shown.add_row(
                meeting["scheduled_at"][:10],
                meeting["body"],
                meeting["title"],
                meeting["state"],
                str(owed) if owed else "",
            )
        self._print(shown)
        return numbers

    def _decisions(self, numbers: list[str]) -> None:
        gaps = {
            item["number"]: [found["gap"] for found in item["gaps"]]
            for item in self._ask("reporting", "decisions/gaps")["items"]
        }
        referrals = {
            item["number"]: item["referral"] for item in self._ask("reporting", "decisions")["items"]
        }
        shown = table("What they decided, and what the budget office says of it")
        add_whole(shown, "decision")
        add_wrapped(shown, "in which words")
        for number in numbers:
            decision = self._ask("meetings", f"decisions/{number}")
            shown.add_row(number, "\n".join(_of(decision, referrals.get(number), gaps.get(number, []))))
        self._print(shown)

    def _action_items(self) -> None:
        day = LAST_DAY.isoformat()
        shown = table(f"What was owed, as it stood on {LAST_DAY:%d %B %Y}")
        add_whole(shown, "due", "state", "ended", "owner")
        add_wrapped(shown, "action item")
        for item in self._ask("reporting", "action-items", on=day)["items"]:
            extended = item["first_due_on"] != item["due_on"]
            shown.add_row(
                item["due_on"],
                item["state"].replace("_", " "),
                item["ended_on"] or "",
                item["owner_organization"],
                item["text"] + (f"\n(extended, first due {item['first_due_on']})" if extended else ""),
            )
        self._print(shown)

    def _reports(self) -> None:
        """Which reports were expected, and which came."""
        days = {"from": "2012-01-01", "to": "2012-12-31", "on": LAST_DAY.isoformat()}
        shown = table("The quarterly reports expected of 2012")
        add_whole(shown, "organization", "expected", "on time", "late", "missing")
        for one in self._ask("reporting", "timeliness", group_by="organization", **days)["items"]:
            counted = (str(one[name]) for name in ("expected", "on_time", "late", "missing"))
            shown.add_row(one["organization"], *counted)
        self._print(shown)

    def _signs(self) -> None:
        """What makes a reader look twice, over everything."""
        shown = table("What makes a reader look twice, and proves nothing")
        add_whole(shown, "of")
        add_wrapped(shown, "sign")
        for sign in self._ask("reporting", "warning-signs", on=LAST_DAY.isoformat())["items"]:
            shown.add_row(sign["code"], sign["detail"])
        self._print(shown)

    def _ask(self, service: str, path: str, **query: str) -> Any:
        answer = self._client.get(f"{self._url(service)}/v1/{path}", params=query)
        answer.raise_for_status()
        return answer.json()

    def _print(self, shown: Any) -> None:
        self._out.print()
        self._out.print(shown)


def _of(decision: dict[str, Any], referral: dict[str, Any] | None, gaps: list[str]) -> Iterator[str]:
    """A decision, line by line."""
    yield decision["text"]
    if referral:
        became = f"{referral['outcome']} there after" if referral["outcome"] else "pending for"
        yield f"referred to {referral['body']}, {became} {referral['days']} days"
    called = (decision["effect"] or {}).get("commitment")
    if called:
        yield f"calls {called['code']} into being"
    if impact := decision["budget_impact"]:
        yield f"costs {_money(impact)} in {impact['fiscal_year']}: {impact['financing']}"
    for said in decision["acknowledgements"]:
        remarks = f": {said['remarks']}" if said["remarks"] else ""
        yield f"acknowledgement of {said['recorded_by']['organization']}: {said['outcome']}{remarks}"
    for line in decision["budget_lines"]:
        yield (
            f"budget line {line['code']} of {line['fiscal_year']}, {_money(line)}, {line['request']} request"
        )
    yield from (f"gap: {gap.replace('_', ' ')}" for gap in gaps)


def _money(said: dict[str, Any]) -> str:
    return f"{said['currency']} {Decimal(said['amount']):,f}"
