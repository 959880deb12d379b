"""Tells the demonstration set, and shows the public board that follows from it; or, when asked to, the whole story."""

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
    "achieved": ("blue", "achieved", "kept as promised, with evidence"),
    "on_time": ("green", "on\ntime", "within its time limits"),
    "needs_attention_internal_deadline": (
        "yellow",
        "internal\ndeadline\npassed",
        "late by the unit's own date",
    ),
    "needs_attention": ("dark_orange", "needs\nattention", "somebody judged it to be at risk, with a reason"),
    "delayed": ("red", "delayed", "its public deadline has passed"),
    "discarded": ("bright_black", "discarded", "given up, with a reason"),
}
"""How the states are shown: colour, heading, and what each means."""


def show(
    out: Console,
    url: Callable[[str], str],
    token_for: Callable[[str, str, str], str],
    *,
    story: bool = False,
) -> None:
    """Tell the set to the running services, then print what they answer, and how to go on with curl."""
    teller = Teller(url, token_for)
    try:
        for _name, tell in track(
            Story(teller).steps(), description="Telling the demonstration set", console=out, transient=True
        ):
            tell()
    finally:
        teller.close()
    board = f"{url('reporting')}/v1/board"
    with httpx.Client(timeout=30) as anybody:
        anybody.get(board, params={"wait_for": teller.position, "limit": 1}).raise_for_status()
        _print_legend(out, _print_board(out, anybody, board, LAST_DAY, "The public board"))
    if story:
        reader = {"Authorization": f"Bearer {token_for(*UNIT)}"}
        with httpx.Client(headers=reader, timeout=30) as client:
            _print_story(out, client, url)
    _print_way_on(out, url)


def _print_story(out: Console, client: httpx.Client, url: Callable[[str], str]) -> None:
    """What the unit sees, and what was said, decided and mended on the way."""
    board, commitments = f"{url('reporting')}/v1/board", f"{url('commitments')}/v1/commitments"
    _print_board(out, client, board, LAST_DAY, "The board")
    _print_late(out, client, board, LAST_DAY)
    _print_history(out, client, commitments, "What was said of {}, and since when it holds", TOLD)
    BadYear(out, client, url).tell()
    _print_history(out, client, commitments, "What came of the decisions: {}", *DECIDED)
    _print_board(out, client, board, EARLIER_DAY, "The same board a year earlier")
    _print_corrected(out, client, board, LAST_DAY)


def _print_board(out: Console, client: httpx.Client, board: str, day: date, title: str) -> list[str]:
    """A board by pillar, and the states in which there is any; the others have no column."""
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
    totals = document["totals"]
    states = [status for status in LIGHTS if totals["by_status"][status]]
    for colour, label, _ in map(LIGHTS.__getitem__, states):
        shown.add_column(f"[{colour}]●[/{colour}]\n{label}", justify="right", no_wrap=True)
    for pillar, counts in sorted(pillars.items(), key=lambda item: str(item[0])):
        shown.add_row(pillar or "none", *(str(counts.get(status, "")) for status in states))
    shown.add_section()
    shown.add_row("total", *(str(totals["by_status"][status]) for status in states))
    out.print()
    out.print(shown)
    return states


def _print_legend(out: Console, states: list[str]) -> None:
    out.print()
    for colour, label, meaning in map(LIGHTS.__getitem__, states):
        out.print(f"  [{colour}]●[/{colour}] {' '.join(label.split())}: {meaning}", highlight=False)


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


def _print_way_on(out: Console, url: Callable[[str], str]) -> None:
    def line(text: str) -> None:
        out.print(text, soft_wrap=True, highlight=False, markup=False)

    out.print()
    for name in ("commitments", "meetings", "reporting"):
        line(f"  {name:<12} {url(name)}   (documents at {url(name)}/docs)")
    line(
        "\nTo go on: that board a year earlier, and, with a token, what is known of one commitment and a judgement:\n"
    )
    line(f"  curl '{url('reporting')}/v1/board?on={EARLIER_DAY}&group_by=pillar'")
    line("  export TOKEN=$(.venv/bin/bitacora token --role dci --organization DCI)")
    line(f'  curl -H "Authorization: Bearer $TOKEN" {url("commitments")}/v1/commitments/{TOLD}')
    line(
        f"  curl -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' -H 'If-Match: *' \\\n"
        f'       -d \'{{"judgement": "on_track", "reason": "The survey of 2012 is out."}}\' \\\n'
        f"       {url('commitments')}/v1/commitments/{TOLD}/assessments"
    )
