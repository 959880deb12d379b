"""Tells the demonstration set and shows what follows from it: the board, a history, the board of an earlier day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
from rich.console import Console
from rich.progress import track
from rich.table import Table

from services.demo.story import Story
from services.demo.telling import UNIT, Teller

LAST_DAY = date(2013, 5, 21)
EARLIER_DAY = date(2012, 5, 21)
TOLD = "SEG-1"
"""The commitment whose history is shown: the one that went well, then badly, then well."""

MEASURED = "ENUSC-VIC"
DECIDED = "SEG-1-PRI"
"""A commitment that a decision of a meeting called into being."""

LIGHTS = {
    "achieved": ("blue", "achieved"),
    "on_time": ("green", "on time"),
    "needs_attention_internal_deadline": ("yellow", "internal deadline passed"),
    "needs_attention": ("dark_orange", "needs attention"),
    "delayed": ("red", "delayed"),
    "discarded": ("bright_black", "discarded"),
}


def show(out: Console, url: Callable[[str], str], token_for: Callable[[str, str, str], str]) -> None:
    """Tell the set to the running services, then print what they answer, and how to go on with curl."""
    teller = Teller(url, token_for)
    try:
        for _name, tell in track(
            Story(teller).steps(), description="Telling the demonstration set", console=out, transient=True
        ):
            tell()
    finally:
        teller.close()
    reader = token_for(*UNIT)
    with httpx.Client(headers={"Authorization": f"Bearer {reader}"}, timeout=30) as client:
        board = f"{url('reporting')}/v1/board"
        client.get(board, params={"wait_for": teller.position, "limit": 1}).raise_for_status()
        _print_board(out, client, board, LAST_DAY, "The board")
        _print_history(out, client, f"{url('commitments')}/v1/commitments", TOLD)
        _print_bad_year(out, client, url)
        _print_board(out, client, board, EARLIER_DAY, "The same board a year earlier")
    _print_way_on(out, url, reader)


def _print_board(out: Console, client: httpx.Client, board: str, day: date, title: str) -> None:
    answer = client.get(board, params={"on": day.isoformat(), "group_by": "pillar,status", "limit": 200})
    answer.raise_for_status()
    document = answer.json()
    pillars: dict[str, dict[str | None, int]] = {}
    for group in document["items"]:
        pillars.setdefault(group["pillar"], {})[group["status"]] = group["count"]
    table = Table(
        title=f"{title}: {day:%d %B %Y}, as known at position {document['position']}", title_justify="left"
    )
    table.add_column("pillar")
    for colour, label in LIGHTS.values():
        table.add_column(f"[{colour}]●[/{colour}] {label}", justify="right", max_width=12)
    for pillar, counts in sorted(pillars.items(), key=lambda item: str(item[0])):
        table.add_row(str(pillar), *(str(counts.get(status, "")) for status in LIGHTS))
    totals = document["totals"]
    table.add_section()
    table.add_row("total", *(str(totals["by_status"][status]) for status in LIGHTS))
    out.print()
    out.print(table)


def _print_history(out: Console, client: httpx.Client, commitments: str, code: str) -> None:
    answer = client.get(f"{commitments}/{code}/history", params={"limit": 50})
    answer.raise_for_status()
    table = Table(title=f"What was said of {code}, by whom, and since when it holds", title_justify="left")
    for column in ("position", "took effect", "what", "who", "decision", "in which words"):
        table.add_column(column)
    for item in answer.json()["items"]:
        who = item["recorded_by"]
        table.add_row(
            str(item["position"]),
            str(item["effective_on"] or ""),
            item["type"].removeprefix("commitments."),
            f"{who['role']} of {who['organization']}",
            item["decision"] or "",
            _words(item["data"]),
        )
    out.print()
    out.print(table)


def _print_bad_year(out: Console, client: httpx.Client, url: Callable[[str], str]) -> None:
    """The figures, what was decided after the bad year, and what came of one of the decisions."""
    indicator = client.get(f"{url('commitments')}/v1/indicators/{MEASURED}")
    indicator.raise_for_status()
    figures = Table(title=f"{MEASURED}: {indicator.json()['name']}", title_justify="left")
    for column in ("period", "value", "published"):
        figures.add_column(column)
    for found in indicator.json()["measurements"]:
        figures.add_row(found["period"], str(found["value"]), found["published_on"])
    out.print()
    out.print(figures)
    answer = client.get(f"{url('meetings')}/v1/meetings", params={"from": "2012-05-01", "to": "2012-12-31"})
    answer.raise_for_status()
    meetings = Table(title="The meetings that followed", title_justify="left")
    for column in ("day", "body", "what for", "state", "decisions"):
        meetings.add_column(column)
    for listed in answer.json()["items"]:
        meeting = client.get(f"{url('meetings')}/v1/meetings/{listed['id']}").json()
        items = meeting["minutes"]["items"] if meeting["minutes"] else []
        decisions = ", ".join(made["number"] for item in items for made in item["decisions"])
        meetings.add_row(
            meeting["scheduled_at"][:10], meeting["body"], meeting["title"], meeting["state"], decisions
        )
    out.print()
    out.print(meetings)
    _print_history(out, client, f"{url('commitments')}/v1/commitments", DECIDED)


def _words(data: dict[str, Any]) -> str:
    """What an event says in a few words."""
    judgement = str(data["judgement"]).replace("_", " ") + ": " if data.get("judgement") else ""
    text = (
        data.get("reason") or data.get("observed_progress") or data.get("outcome") or data.get("title") or ""
    )
    return judgement + str(text)


def _print_way_on(out: Console, url: Callable[[str], str], token: str) -> None:
    def line(text: str) -> None:
        out.print(text, soft_wrap=True, highlight=False, markup=False)

    out.print()
    for name in ("commitments", "meetings", "reporting"):
        line(f"  {name:<12} {url(name)}   (documents at {url(name)}/docs)")
    line("\nA token of the delivery unit, and three requests to go on with:\n")
    line(f"  export TOKEN={token}")
    line(f"  curl '{url('reporting')}/v1/board?on={EARLIER_DAY}&group_by=status'")
    line(f'  curl -H "Authorization: Bearer $TOKEN" {url("commitments")}/v1/commitments/{TOLD}')
    line(
        f"  curl -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' -H 'If-Match: *' \\\n"
        f'       -d \'{{"judgement": "on_track", "reason": "The survey of 2012 is out."}}\' \\\n'
        f"       {url('commitments')}/v1/commitments/{TOLD}/assessments"
    )
