"""Every GET there is: which version and position it tells of, and in which forms it can be had."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import httpx

from tests.api.house import TABLES, House, refused
from tests.api.routes import ELSEWHERE, LISTS, OF_ITS_OWN, SERVICES, Read, reader_of, reads
from tests.api.story import Story

DAY = re.compile(r"\d{4}-\d\d-\d\d")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
AMOUNT = re.compile(r"-?\d+(\.\d+)?")
JSON = "application/json"


async def ask(house: House, read: Read, method: str = "GET", query: str = "", **more: Any) -> httpx.Response:
    """A request to a route by somebody who may."""
    path = read.asking(query) if query else read.path
    return await house.ask(read.service, method, path, role=reader_of(read), **more)


async def test_every_route_reads_with_the_position_it_reflects(house: House, story: Story) -> None:
    end = await house.settled()
    for read in reads(story):
        answer = await ask(house, read)
        assert answer.status_code == 200, read
        row = TABLES[read.service]["GET", read.route]
        assert row.log_position, read
        assert 0 < int(answer.headers["log-position"]) <= end, read
        if answer.headers["content-type"] == JSON:
            assert isinstance(answer.json(), dict), read


async def test_a_list_that_reporting_has_leads_there_with_all_that_is_asked(house: House) -> None:
    base = house.settings.reporting_url
    assert {("commitments", "/v1/commitments"), ("meetings", "/v1/decisions")} <= ELSEWHERE
    for service, path in ELSEWHERE:
        for credentials in (house.token(), dict[str, str]()):
            for query in ("", "?participant=MOP&q=educaci%C3%B3n&wait_for=9"):
                answer = await house.ask(service, "GET", path + query, credentials=credentials)
                assert (answer.status_code, answer.headers["location"]) == (303, f"{base}{path}{query}")
        assert (await house.ask("reporting", "GET", path)).status_code == 200, path


async def test_what_one_wrote_can_be_waited_for_everywhere(house: House, story: Story) -> None:
    for read in reads(story):
        if read.route == "/v1/events":
            continue  # the log itself: who wants its end asks with `after`
        written = await house.tell(
            "commitments", "/v1/commitments/OPEN-1/comments", {"text": f"Before reading {read}"}
        )
        answer = await ask(house, read, query=f"wait_for={written.headers['log-position']}")
        assert answer.status_code == 200, (read, answer.text)
        if read.service == "reporting" or read.route in ("/v1/organizations", "/v1/meetings"):
            assert int(answer.headers["log-position"]) >= int(written.headers["log-position"]), read


async def test_a_position_that_does_not_come_is_503_within_seconds(house: House, story: Story) -> None:
    # Open data are told as to anybody, and where the log ends is not for anybody to know.
    waiting = [read for read in reads(story) if not read.route.startswith(("/v1/events", "/v1/open-data"))]
    answers = await asyncio.gather(*(ask(house, read, query="wait_for=900000") for read in waiting))
    for read, answer in zip(waiting, answers, strict=True):
        assert refused(answer) == (503, "position-not-reached"), read
        assert int(answer.headers["retry-after"]) >= 1, read


async def test_one_thing_always_carries_its_tag_and_is_not_sent_twice(house: House, story: Story) -> None:
    for read in reads(story):
        row = TABLES[read.service]["GET", read.route]
        one_thing = "{" in read.route and not read.route.endswith("/agenda-proposals")
        assert row.etag or not one_thing, read
        answer = await ask(house, read)
        assert ("etag" in answer.headers) == row.etag, read
        if not row.etag:
            continue
        tag = answer.headers["etag"]
        for held in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = await ask(house, read, If_None_Match=held)
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag), (read, held)
        assert (await ask(house, read, If_None_Match='"other"')).status_code == 200, read


async def test_the_tag_of_a_thing_is_its_version(house: House, story: Story) -> None:
    for read in reads(story):
        answer = await ask(house, read)
        if answer.headers["content-type"] == JSON and "version" in answer.json():
            assert answer.headers["etag"] == f'"{answer.json()["version"]}"', read


async def test_head_answers_like_get_without_the_body(house: House, story: Story) -> None:
    own = [Read(service, path, path) for service in SERVICES for path in OF_ITS_OWN]
    for read in [*reads(story), *own]:
        for encoding in ("identity", "gzip"):
            who: dict[str, Any] = {"credentials": {}} if read in own else {"role": reader_of(read)}
            more: dict[str, Any] = {**who, "Accept_Encoding": encoding, "X_Request_Id": "r"}
            get = await house.ask(read.service, "GET", read.path, **more)
            head = await house.ask(read.service, "HEAD", read.path, **more)
            assert (get.status_code, head.status_code, head.content) == (200, 200, b""), read
            # What is measured changes with every request.
            varying = {"content-length"} if read.path == "/metrics" or "health" in read.path else set()
            wanted = {k: v for k, v in get.headers.items() if k not in varying}
            assert wanted.items() <= dict(head.headers).items(), (read, encoding)


async def test_long_answers_are_compressed_for_who_asks_under_a_weak_tag(house: House, story: Story) -> None:
    long = short = 0
    for read in reads(story):
        plain = await ask(house, read)
        packed = await ask(house, read, Accept_Encoding="gzip")
        assert packed.content == plain.content, read
        # Of a stream nobody knows the length beforehand, and a calendar is for programs that may not unpack it.
        known = "content-length" in plain.headers and plain.headers["content-type"] == JSON
        if known and len(plain.content) >= 1024:
            assert packed.headers["content-encoding"] == "gzip", read
            assert int(packed.headers["content-length"]) < len(plain.content), read
            if "etag" in plain.headers:
                assert packed.headers["etag"] == f"W/{plain.headers['etag']}", read
            long += 1
        elif known:
            assert "content-encoding" not in packed.headers, read
            assert packed.headers.get("etag") == plain.headers.get("etag"), read
            short += 1
        assert "Accept-Encoding" in packed.headers["vary"], read
        assert "Authorization" in packed.headers["vary"], read
    assert long > 3
    assert short > 3


async def test_the_tag_of_a_compressed_answer_is_good_for_a_change(house: House, story: Story) -> None:
    path = "/v1/commitments/INSIDE-1"
    tag = (await house.ask("commitments", "GET", path, Accept_Encoding="gzip")).headers["etag"]
    assert tag.startswith('W/"')
    answer = await house.ask("commitments", "POST", f"{path}/comments", {"text": "Read"}, If_Match=tag)
    assert answer.status_code == 201


# --- forms ---------------------------------------------------------------------------------------------------------


def members(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every member of an answer, whatever it is nested in, except what people wrote into it as they liked."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            yield from members(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from members(inner, name)


async def test_days_instants_and_amounts_have_one_form(house: House, story: Story) -> None:
    found = {"_at": 0, "_on": 0, "amount": 0}
    await house.tell(
        "commitments",
        "/v1/commitments/OPEN-1/budget-estimates",
        {"lines": [{"amount": "1234.50", "currency": "CLP"}]},
    )
    for read in reads(story):
        answer = await ask(house, read)
        if answer.headers["content-type"] != JSON:
            continue
        for name, value in members(answer.json()):
            if value is None:
                continue
            if name.endswith("_at"):
                assert INSTANT.fullmatch(value), (read, name, value)
            elif name.endswith("_on") or name == "on":
                assert DAY.fullmatch(value), (read, name, value)
            elif name == "amount":
                assert isinstance(value, str), (read, value)
                assert AMOUNT.fullmatch(value), (read, value)
            else:
                continue
            found[name[-3:] if name[-3:] in found else "amount" if name == "amount" else "_on"] += 1
    assert all(count > 0 for count in found.values()), found
    lines = (await house.read("commitments", "/v1/commitments/OPEN-1"))["budget"]["lines"]
    assert lines[0]["amount"] == "1234.50"


# --- lists ---------------------------------------------------------------------------------------------------------


async def test_what_takes_a_limit_is_a_list_and_every_list_takes_one(house: House, story: Story) -> None:
    for read in reads(story):
        answer = await ask(house, read)
        is_list = answer.headers["content-type"] == JSON and "next" in answer.json()
        paged = (read.service, read.route) in LISTS
        # These are given whole; their `next` is there because it is a list, and always null.
        assert is_list == (
            paged
            or read.route.endswith(
                ("/timeline", "/tree", "/plan-profile", "/timeliness", "/report-calendar", "/rules")
            )
        ), read
        if is_list:
            assert isinstance(answer.json()["items"], list), read
            assert "total" not in answer.json(), read


async def test_a_list_goes_on_where_the_page_ended_until_it_has_ended(house: House, story: Story) -> None:
    for read in reads(story):
        if (read.service, read.route) not in LISTS:
            continue
        whole = (await ask(house, read, query="limit=200")).json()
        assert whole["next"] is None, read
        got, query = [], "limit=1"
        while query:
            page = (await ask(house, read, query=query)).json()
            assert len(page["items"]) == min(1, len(whole["items"])), read
            got += page["items"]
            query = ""
            if page["next"] is not None:
                assert page["next"].startswith(f"http://{read.service}.test{read.path.partition('?')[0]}?"), (
                    read
                )
                query = "limit=1&cursor=" + page["next"].partition("cursor=")[2]
        assert got == whole["items"], read


async def test_the_address_of_the_next_page_is_good_as_it_stands(house: House, story: Story) -> None:
    first = await house.read("commitments", "/v1/organizations?limit=3")
    second = await house.read("commitments", first["next"].removeprefix("http://commitments.test"))
    codes = [item["code"] for item in first["items"] + second["items"]]
    assert codes == sorted(set(codes))
    assert len(codes) == 6


async def test_a_page_has_fifty_items_unless_asked_and_two_hundred_at_most(
    house: House, story: Story
) -> None:
    for number in range(205):
        path = f"/v1/organizations/MANY-{number:03}"
        await house.tell("commitments", path, {"name": f"Number {number}"}, method="PUT")
    for query, count in (("", 50), ("?limit=200", 200), ("?limit=201", 200), (f"?limit={10**12}", 200)):
        page = await house.read("commitments", f"/v1/organizations{query}")
        assert (len(page["items"]), page["next"] is None) == (count, False), query
    total = (await house.read("commitments", "/v1/organizations?limit=1&include=total"))["total"]
    assert total >= 205


async def test_what_is_no_limit_or_no_cursor_is_refused(house: House, story: Story) -> None:
    cursors: dict[str, str] = {}
    for read in reads(story):
        if (read.service, read.route) not in LISTS:
            continue
        for query in ("limit=0", "limit=-1", "limit=x", "limit=1.5", "limit="):
            assert refused(await ask(house, read, query=query)) == (422, "request-invalid"), (read, query)
        for cursor in ("x", "MQ", "A" * 3000):
            answer = await ask(house, read, query=f"cursor={cursor}")
            assert refused(answer) == (422, "cursor-invalid"), (read, cursor)
        page = (await ask(house, read, query="limit=1")).json()
        if page["next"] is not None:
            cursors[str(read)] = page["next"].partition("cursor=")[2]
    assert len(cursors) > 5
    for read in reads(story):
        if (read.service, read.route) in LISTS:
            for owner, cursor in cursors.items():
                if owner != str(read):
                    answer = await ask(house, read, query=f"cursor={cursor}")
                    assert refused(answer) == (422, "cursor-mismatch"), (read, owner)


async def test_the_last_day_of_the_calendar_is_a_day_like_its_eve(house: House, story: Story) -> None:
    await house.settled()
    asked = 0
    for read in reads(story):
        eve, last = [await ask(house, read, query=f"on=9999-12-{day}") for day in (30, 31)]
        if last.status_code == 422 and refused(last) == (422, "query-unknown"):
            continue
        asked += 1
        assert (eve.status_code, last.status_code) == (200, 200), (read, last.text)
        if last.headers["content-type"] != JSON:
            assert read.route.endswith((".zip", ".xlsx")) or len(last.text.splitlines()) == len(
                eve.text.splitlines()
            )
            continue
        there = [[one.get(name) for name in ("id", "code", "number")] for one in eve.json().get("items", [])]
        assert [
            [one.get(name) for name in ("id", "code", "number")] for one in last.json().get("items", [])
        ] == there
        assert last.json()["on"] == "9999-12-31", read
    assert asked >= 5
