"""Nobody learns that a hidden thing exists: not from an answer, a refusal, a list, a count or a cursor."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from shared.eventlog.sqlite import SQLiteStore
from shared.events.streams import stream_of
from shared.identity.actor import Role
from tests.api.house import TABLES, House, refused
from tests.api.requests import BODIES
from tests.api.story import OUTSIDER, Story

NOBODY: dict[str, Any] = {"credentials": {}}
HIDDEN = {
    "/v1/commitments/{id}": "HIDDEN-1",
    "/v1/indicators/{id}": "HIDDEN-RATE",
    "/v1/bodies/{code}": "BIL-INTERIOR",
}
GETS: tuple[dict[str, str], ...] = (
    {},
    {"If_None_Match": "*"},
    {"If_None_Match": '"1"'},
    {"Accept_Encoding": "gzip"},
)
CONDITIONS: tuple[dict[str, str], ...] = (
    {},
    {"If_Match": "*"},
    {"If_Match": '"1"'},
    {"If_Match": '"99"'},
    {"If_Match": "nonsense"},
)
QUERIES = (
    "",
    "?version=1",
    "?version=99",
    "?known_at=2013-04-30T15:00:00Z",
    "?wait_for=1",
    "?limit=1",
    "?x=1",
)


def hidden_names(story: Story) -> dict[str, list[tuple[str, str]]]:
    """By template: what hidden things are called, each with a name of the same length that nothing has."""
    named = {template: [(code, absent(code))] for template, code in HIDDEN.items()}
    for template, code in HIDDEN.items():
        kind = template.split("/")[2].removesuffix("s").replace("bodie", "body")
        named[template].append((str(stream_of(kind, code)), str(uuid4())))
    named["/v1/calendar-keys/{key_id}"] = [(story.calendar_key, absent(story.calendar_key))]
    nobodys = "bc_000000000000" + story.calendar[15:]
    named["/v1/calendars/{secret}"] = [(absent(story.calendar), nobodys)]
    met = story.hidden
    for template, path in (
        ("/v1/meetings/{id}", met.meeting),
        ("/v1/decisions/{number}", met.decision),
        ("/v1/action-items/{id}", met.action_item),
        ("/v1/decision-outcomes/{number}", story.outcome),
        ("/v1/imports/{id}", story.imports["commitments"]),
    ):
        name = path.rpartition("/")[2]
        named[template] = [(name, str(uuid4()) if "{id}" in template else absent(name))]
    return named


def absent(name: str) -> str:
    """A name as long as this one that nothing has."""
    return name[:-3] + "ZZZ"


def secrets(story: Story) -> set[bytes]:
    """Whatever must not occur in an answer to somebody who may not know of the hidden things."""
    names = {name.encode() for pairs in hidden_names(story).values() for name, _ in pairs}
    # The commitment that a reserved decision concerned is open; the decision about it is not.
    return (names | {b"WHOLE-1", b"SPLIT-2"}) - {b"DONE-1"}


def routes() -> Iterator[tuple[str, str, str]]:
    """Every route that leads to one thing."""
    for service, table in TABLES.items():
        for (method, path), row in table.items():
            if "{" in path and row.admits(Role.MINISTRY):
                yield service, method, path


NOT_HIDDEN = (
    *("/v1/organizations", "/v1/pillars", "/v1/cycles", "/v1/exports"),
    # Nobody in government is kept from a report or an edition; who is outside, is in test_editions_api.
    *("/v1/reports", "/v1/editions"),
)
ROUTES = [route for route in routes() if not route[2].startswith(NOT_HIDDEN)]


@pytest.mark.parametrize("route", ROUTES, ids=[" ".join(route) for route in ROUTES])
async def test_a_hidden_thing_is_answered_like_one_that_is_not_there(
    house: House, story: Story, route: tuple[str, str, str]
) -> None:
    service, method, path = route
    (template, pairs) = next(
        (template, pairs)
        for template, pairs in hidden_names(story).items()
        if path.startswith(template.removesuffix("}"))
    )
    for hidden, missing in pairs:
        for tail, body, more in asked(method, path):
            answers = []
            for name in (hidden, missing):
                concrete = path.replace(template, template[: template.index("{")] + name)
                concrete = concrete.replace("{n}", "1").replace("{period}", "2011") + tail
                answer = await house.ask(
                    service, more.get("method", method), concrete, content=body,
                    X_Request_Id="the-same", **OUTSIDER, **more.get("headers", {}),
                )  # fmt: skip
                told = answer.content.replace(name.encode(), missing.encode())
                answers.append((answer.status_code, told, sorted(answer.headers.items())))
            assert answers[0] == answers[1], (hidden, tail, more)
            assert answers[0][0] in {404, 400, 412, 422, 428}, answers[0]
            if more.get("carried_out", False):
                assert answers[0][0] == 404


def asked(method: str, path: str) -> Iterator[tuple[str, bytes | None, dict[str, Any]]]:
    """What somebody might try who has a name: the end of the URL, the body, and what else."""
    if method == "GET":
        for query in QUERIES:
            yield query, None, {"carried_out": query == ""}
        for headers in GETS:
            yield "", None, {"headers": headers, "carried_out": True}
        yield "", None, {"method": "HEAD"}
        return
    good = _encoded(BODIES[method, path])
    of_json = {"Content_Type": "application/json"}
    for condition in CONDITIONS:
        for number, body in enumerate((good, b'{"unknown": 1}', b"{", None)):
            # With everything right it is 404 and nothing else: no version, no rule is looked at before.
            right = number == 0 and condition.get("If_Match", "nonsense") != "nonsense"
            yield "", body, {"headers": condition | of_json, "carried_out": right}
    yield (
        "",
        good,
        {"headers": {"If_Match": "*", "Idempotency_Key": str(uuid4())} | of_json, "carried_out": True},
    )


def _encoded(body: Any) -> bytes:
    return json.dumps(body).encode()


async def test_no_answer_to_an_outsider_names_a_hidden_thing(house: House, story: Story) -> None:
    """Not as a parent, not as what something was split from or merged into, not in what was corrected."""
    open_things = {
        "/v1/commitments/{id}": [
            "OPEN-1",
            "INSIDE-1",
            "PART-1",
            "SPLIT-1",
            "MENDED-1",
            "MERGED-1",
            "DONE-1",
            "MOVED-1",
            "GIVEN-1",
        ],
        "/v1/indicators/{id}": ["VICTIMS"],
        "/v1/meetings/{id}": [story.open.meeting.rpartition("/")[2]],
        "/v1/decisions/{number}": [story.open.decision.rpartition("/")[2]],
        "/v1/decision-outcomes/{number}": [story.open.decision.rpartition("/")[2]],
        "/v1/action-items/{id}": [story.open.action_item.rpartition("/")[2]],
        "/v1/bodies/{code}": ["SECURITY"],
        "/v1/organizations/{code}": ["INTERIOR"],
        "/v1/pillars/{code}": ["SECURITY"],
        "/v1/cycles/{code}": ["QUARTERLY"],
        "/v1/reports/{code}": ["MAY-21"],
        "/v1/editions/{id}": ["MAY-21-2013-04-30"],
        "/v1/imports/{id}": [],
        "/v1/exports/{dataset}.{format}": ["board.csv", "commitments.jsonl", "decisions.csv", "tree.csv"],
    }
    looked_at = 0
    for service, table in TABLES.items():
        for (method, path), row in table.items():
            if method != "GET" or not row.admits(Role.MINISTRY):
                continue
            begin = next((one for one in open_things if path.startswith(one.removesuffix("}"))), None)
            for name in [""] if begin is None else open_things[begin]:
                concrete = path if begin is None else begin[: begin.index("{")] + name + path[len(begin) :]
                concrete = concrete.replace("{later}", "MAY-21-2013-04-30")
                for query in everything_asked(service, path):
                    who: list[dict[str, Any]] = [OUTSIDER] + [NOBODY] * row.anonymous
                    for one in who:
                        answer = await house.ask(service, "GET", concrete + query, **one)
                        assert answer.status_code in {200, 303, 404}, answer.text
                        found = {secret for secret in secrets(story) if secret in answer.content}
                        assert not found, f"{concrete}{query} tells {one} of {found}: {answer.text}"
                        looked_at += 1
    assert looked_at > 50


def everything_asked(service: str, path: str) -> tuple[str, ...]:
    """The ways to ask a route for more than it tells by itself."""
    if path == "/v1/board":
        return (
            "",
            "?group_by=pillar,status",
            "?limit=200&include=total",
            "?group_by=organization,visibility",
        )
    if path == "/v1/board/changes":
        return ("?from=2013-01-01&to=2013-04-30",)
    if path == "/v1/reconciliation":
        return tuple(f"?from=2012-01-01&to=2013-04-30&by={by}" for by in ("state", "pillar", "organization"))
    if path in (
        "/v1/commitments/{id}",
        "/v1/indicators/{id}",
        "/v1/meetings/{id}",
        "/v1/decisions/{number}",
        "/v1/action-items/{id}",
    ):
        past = "?on=2013-04-30" if service == "reporting" else "?version=1"
        return ("", past, "?known_at=2013-04-30")
    return ("",)


async def test_who_may_know_of_it_sees_the_relation_that_others_do_not(house: House, story: Story) -> None:
    def relations(answer: Any) -> list[Any]:
        return [answer["parent"], answer["split_from"], answer["merged_into"]]

    for code, whole in (
        ("PART-1", ["HIDDEN-1", None, None]),
        ("SPLIT-1", [None, "WHOLE-1", None]),
        ("MERGED-1", [None, None, "HIDDEN-1"]),
    ):
        path = f"/v1/commitments/{code}"
        assert relations(await house.read("commitments", path, **OUTSIDER)) == [None, None, None]
        for who in (Role.DCI, Role.MINISTRY, Role.DIPRES, Role.AUDITOR):
            assert relations(await house.read("commitments", path, role=who)) == whole
    mended = await house.read("commitments", "/v1/commitments/MENDED-1", **OUTSIDER)
    (correction,) = mended["corrections"]
    assert (correction["field"], correction["previous"], correction["value"]) == ("parent", None, None)
    # The unit's answer was made first and kept; the outsider's is another one, whatever the caller holds.
    held = await house.ask("commitments", "GET", "/v1/commitments/PART-1", If_None_Match='"1"', **OUTSIDER)
    assert (held.status_code, held.json()["parent"]) == (200, None)


async def board(house: House, query: str = "", **who: Any) -> Any:
    """The board for somebody."""
    return await house.read("reporting", f"/v1/board{query}", **who)


async def test_the_board_counts_and_pages_as_if_hidden_things_were_not_there(
    house: House, story: Story
) -> None:
    everything = await board(house, "?limit=200")
    for who, seen in ((OUTSIDER, {"public", "internal"}), (NOBODY, {"public"})):
        wanted = [item["code"] for item in everything["items"] if item["visibility"] in seen]
        whole = await board(house, "?limit=200&include=total", **who)
        assert [item["code"] for item in whole["items"]] == wanted
        assert (whole["total"], whole["totals"]["registered"]) == (len(wanted), len(wanted))
        assert sum(whole["totals"]["by_status"].values()) + whole["totals"]["merged"] == len(wanted)
        for names in ("pillar", "status", "visibility", "pillar,organization,kind"):
            groups = (await board(house, f"?group_by={names}", **who))["items"]
            assert sum(group["count"] for group in groups) == len(wanted), names
        # HIDDEN-1 stands between others in the order of codes: no page is short, and none is empty, because of it.
        paged, query = [], "?limit=1"
        while query:
            page = await board(house, query, **who)
            assert len(page["items"]) == 1
            paged.append(page["items"][0]["code"])
            query = "" if page["next"] is None else "?" + page["next"].partition("?")[2]
            assert b"HIDDEN" not in base64.urlsafe_b64decode(query.rpartition("cursor=")[2] + "==")
        assert paged == wanted
        filtered = await board(house, "?kind=strategic_objective", **who)
        assert (filtered["items"], filtered["totals"]["registered"]) == ([], 0)


async def test_what_was_open_once_and_is_hidden_now_is_hidden_at_every_position(
    house: House, story: Story
) -> None:
    body = {"title": "Once open", "lead_organization": "INTERIOR", "visibility": "public", "code": "ONCE-1"}
    await house.tell("commitments", "/v1/commitments", body)
    open_at = await house.settled()
    path = "/v1/commitments/ONCE-1/timeline"
    assert (await house.ask("reporting", "GET", path, credentials={})).status_code == 200
    hiding = {"visibility": "reserved", "reason": "Under negotiation"}
    await house.tell("commitments", "/v1/commitments/ONCE-1/publications", hiding)
    await house.settled()
    for query in ("", f"?position={open_at}", "?on=2013-04-30"):
        for who in (OUTSIDER, NOBODY):
            hidden = await house.ask("reporting", "GET", path + query, X_Request_Id="r", **who)
            missing = await house.ask(
                "reporting", "GET", path.replace("ONCE", "NONE") + query, X_Request_Id="r", **who
            )
            assert hidden.status_code == 404
            assert hidden.content.replace(b"ONCE", b"NONE") == missing.content
            codes = [
                item["code"]
                for item in (await board(house, query + "&limit=200" * bool(query), **who))["items"]
            ]
            assert "ONCE-1" not in codes
    assert "ONCE-1" in [item["code"] for item in (await board(house, "?limit=200"))["items"]]
    for tail in ("", "/history", "?version=1"):
        answer = await house.ask("commitments", "GET", f"/v1/commitments/ONCE-1{tail}", **OUTSIDER)
        assert answer.status_code == 404


async def test_a_key_used_before_a_thing_was_hidden_does_not_bring_it_back(
    house: House, story: Story
) -> None:
    about = {"title": "Shared", "lead_organization": "HEALTH", "visibility": "internal", "code": "SHARED-1"}
    await house.tell("commitments", "/v1/commitments", about)
    path, key = "/v1/commitments/SHARED-1/comments", dict[str, Any](If_Match="*", Idempotency_Key="mine")
    first = await house.ask("commitments", "POST", path, {"text": "Ours"}, **OUTSIDER, **key)
    assert first.status_code == 201
    for facts, body in (
        ("reassignments", {"lead_organization": "INTERIOR", "reason": "New portfolio"}),
        ("publications", {"visibility": "reserved", "reason": "Under negotiation"}),
    ):
        await house.tell("commitments", f"/v1/commitments/SHARED-1/{facts}", body)
    again = await house.ask("commitments", "POST", path, {"text": "Ours"}, **OUTSIDER, **key)
    assert refused(again) == (404, "unknown-commitment")


async def test_the_public_is_answered_alike_about_internal_reserved_and_absent_things(
    house: House, story: Story
) -> None:
    path = "/v1/commitments/{}/timeline"
    for query in ("", "?on=2013-04-30", "?position=1", "?known_at=2013-04-30"):
        answers = set()
        for code in ("INSIDE-1", "HIDDEN-1", "ABSENT-1"):
            asked = path.format(code) + query
            answer = await house.ask("reporting", "GET", asked, credentials={}, X_Request_Id="r")
            answers.add((answer.status_code, answer.content.replace(code.encode(), b"")))
        assert len(answers) == 1
        assert answers.pop()[0] == 404


async def test_the_log_is_asked_as_much_for_a_hidden_thing_as_for_none(
    house: House, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it takes as long: the hidden one is at hand already, the other is not."""
    asked: list[str] = []
    read_stream = SQLiteStore.read_stream

    def counted(store: SQLiteStore, *args: Any, **more: Any) -> Any:
        asked.append(str(args[0]))
        return read_stream(store, *args, **more)

    monkeypatch.setattr(SQLiteStore, "read_stream", counted)
    for template, pairs in hidden_names(story).items():
        if template.startswith(("/v1/decision-outcomes", "/v1/calendars", "/v1/imports")):
            continue  # two from memory, and one by an id that nobody can guess
        service = "commitments" if template.split("/")[2] in ("commitments", "indicators") else "meetings"
        for hidden, missing in pairs:
            counts = []
            for name in (hidden, hidden, missing):
                asked.clear()
                await house.ask(service, "GET", template[: template.index("{")] + name, **OUTSIDER)
                counts.append(len(asked))
            assert counts[1] == counts[2] == 1, (template, hidden, counts)
