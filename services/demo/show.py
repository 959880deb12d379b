"""Tells the demonstration set and shows what follows from it: the board, a history, the board of an earlier day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
from rich.console import Console
from rich.progress import track

from services.demo.bad_year import LAST_DAY, BadYear
from services.demo.layout import add_whole, add_wrapped, table
from services.demo.story import Story
from services.demo.telling import UNIT, Teller

EARLIER_DAY = date(2012, 5, 21)
TOLD = "SEG-1"
"""The commitment whose history is shown: the one that went well, then badly, then well."""

DECIDED = ("SEG-1-PRI", "SEG-1-FNO", "SEG-1-EST")
"""The commitments that decisions of a meeting called into being."""

LIGHTS = {
    "achieved": ("blue", "achieved"),
    "on_time": ("green", "on\ntime"),
    "needs_attention_internal_deadline": ("yellow", "internal\ndeadline\npassed"),
    "needs_attention": ("dark_orange", "needs\nattention"),
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
        _print_late(out, client, board, LAST_DAY)
        commitments = f"{url('commitments')}/v1/commitments"
        _print_history(out, client, commitments, "What was said of {}, and since when it holds", TOLD)
        BadYear(out, client, url).tell()
        _print_history(out, client, commitments, "What came of the decisions: {}", *DECIDED)
        _print_board(out, client, board, EARLIER_DAY, "The same board a year earlier")
        _print_corrected(out, client, board, LAST_DAY)
    _print_way_on(out, url, reader)


def _print_board(out: Console, client: httpx.Client, board: str, day: date, title: str) -> None:
    answer = client.get(
        board, params={"on": day.isoformat(), "count_by": "promise", "group_by": "pillar,status"}
    )
    answer.raise_for_status()
    document = answer.json()
    pillars: dict[str, dict[str | None, int]] = {}
    for group in document["items"]:
        pillars.setdefault(group["pillar"], {})[group["status"]] = group["count"]
    shown = table(f"{title}: {day:%d %B %Y}, as known at position {document['position']}")
    add_whole(shown, "pillar")
    for colour, label in LIGHTS.values():
        shown.add_column(f"[{colour}]●[/{colour}]\n{label}", justify="right", no_wrap=True)
    for pillar, counts in sorted(pillars.items(), key=lambda item: str(item[0])):
        shown.add_row(pillar or "none", *(str(counts.get(status, "")) for status in LIGHTS))
    totals = document["totals"]
    shown.add_section()
    shown.add_row("total", *(str(totals["by_status"][status]) for status in LIGHTS))
    out.print()
    out.print(shown)


def _print_late(out: Console, client: httpx.Client, board: str, day: date) -> None:
    """What was achieved, but not when it was promised, and what was promised anew: the two are different things."""
    answer = client.get(board, params={"on": day.isoformat(), "limit": 200})
    answer.raise_for_status()
    shown = table(f"Achieved late, or promised for another day than at first: {day:%d %B %Y}")
    add_whole(shown, "code", "state", "promised for", "now for", "days late")
    add_wrapped(shown, "in which words")
    for item in answer.json()["items"]:
        late = item["status"] == "achieved" and item["late_days"]
        if late or item["public_deadline_revisions"]:
            days = (
                item["first_public_deadline_on"],
                item["public_deadline_on"],
                str(item["late_days"] or ""),
            )
            words = item["public_deadline_reason"] or (item["result"] and item["result"]["text"])
            state = item["status"] or ("merged" if item["merged_into"] else "split")
            shown.add_row(item["code"], state, *days, words)
    out.print()
    out.print(shown)


def _print_corrected(out: Console, client: httpx.Client, board: str, day: date) -> None:
    """What a past day is told otherwise than before, because something was corrected or retracted since."""
    answer = client.get(board, params={"on": day.isoformat(), "limit": 200})
    answer.raise_for_status()
    shown = table(f"Told otherwise since: {day:%d %B %Y}")
    add_whole(shown, "commitment")
    add_wrapped(shown, "what", 15)
    add_whole(shown, "from", "to")
    add_wrapped(shown, "why")
    for item in answer.json()["items"]:
        if told := item["corrected"]:
            what = told["what"].replace("_", " ")
            shown.add_row(item["code"], what, str(told["from"]), str(told["to"]), told["reason"])
    out.print()
    out.print(shown)


def _print_history(out: Console, client: httpx.Client, commitments: str, title: str, *codes: str) -> None:
    """What was said of commitments; a decision that something follows from stands under it, by its number."""
    shown = table(title.format(", ".join(codes)))
    add_whole(shown, "position", "since")
    add_wrapped(shown, "what", 10)
    add_wrapped(shown, "who", 11)
    add_wrapped(shown, "in which words")
    for code in codes:
        answer = client.get(f"{commitments}/{code}/history", params={"limit": 50})
        answer.raise_for_status()
        for item in answer.json()["items"]:
            who = item["recorded_by"]
            shown.add_row(
                str(item["position"]),
                str(item["effective_on"] or ""),
                item["type"].removeprefix("commitments.").replace("_", " "),
                f"{who['role']} of {who['organization']}",
                "\n".join(filter(None, (_words(item["data"]), item["decision"]))),
            )
        shown.add_section()
    out.print()
    out.print(shown)


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
