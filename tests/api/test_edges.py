"""What holds whichever route is asked: how refusals look, what is too much, and what a service says of itself."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest
from starlette.requests import Request

from shared.events.streams import stream_of
from shared.http.body import ROOMY
from shared.http.pagination import encode_cursor
from tests.api import story as stories
from tests.api.conformance import openapi
from tests.api.house import TABLES, House, refused
from tests.api.routes import LISTS, OF_ITS_OWN, SERVICES, reader_of, reads
from tests.api.story import Story
from tests.support.ledger import run_sql

OF_JSON: dict[str, Any] = {"Content_Type": "application/json"}
WRITES = {"commitments": "/v1/commitments", "meetings": "/v1/meetings"}


def problem(answer: httpx.Response, status: int, code: str, path: str) -> dict[str, Any]:
    """The problem document of a refusal: all its members, and nothing that it should not tell."""
    assert refused(answer) == (status, code), answer.text
    document: dict[str, Any] = answer.json()
    assert document.keys() - {"errors"} == {"type", "title", "status", "detail", "instance", "request_id"}
    assert document["type"] == f"/errors/{code}"
    assert document["status"] == status
    assert document["instance"] == path
    assert document["request_id"] == answer.headers["x-request-id"]
    assert document["detail"].endswith(".")
    assert all(error.keys() == {"pointer", "detail"} for error in document.get("errors", ()))
    assert not {"Traceback", "Error(", "sqlite", "/services/"} & set(answer.text.split())
    assert answer.headers["x-content-type-options"] == "nosniff"
    return document


# --- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
async def test_a_path_that_is_not_there_is_a_problem(house: House, service: str) -> None:
    for path in (
        "/nothing",
        "/v1",
        "/v1/",
        "/v1/nothing",
        "/v1/commitments/x/y/z/w",
        "/v2/commitments",
        "/favicon.ico",
    ):
        for method in ("GET", "POST", "DELETE"):
            answer = await house.ask(service, method, path, credentials={})
            problem(answer, 404, "not-found", path)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_method_that_a_path_does_not_take_is_answered_with_those_it_takes(
    house: House, service: str
) -> None:
    paths: dict[str, set[str]] = {path: {"GET", "HEAD"} for path in ("/health/live", "/metrics")}
    for method, template in TABLES[service]:
        path = template.replace("{", "").replace("}", "")
        paths.setdefault(path, set()).update({"GET", "HEAD"} if method == "GET" else {method})
    for path, allowed in paths.items():
        for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - allowed:
            answer = await house.ask(service, method, path, credentials={})
            assert answer.status_code == 405, (method, path)
            assert set(answer.headers["allow"].split(", ")) == allowed, (method, path)
            if method != "HEAD":
                problem(answer, 405, "method-not-allowed", path)


@pytest.mark.parametrize("service", WRITES)
async def test_what_is_not_json_is_malformed_and_what_is_of_another_type_unsupported(
    house: House, service: str
) -> None:
    path = WRITES[service]
    for body in (b"{", b"\xff", b'{"title": NaN}', b"[" * 100_000, b'{"a": 1} x'):
        answer = await house.ask(service, "POST", path, content=body, **OF_JSON)
        problem(answer, 400, "malformed-request", path)
    for headers in ({"Content_Type": "text/plain"}, {**OF_JSON, "Content_Encoding": "gzip"}, {}):
        answer = await house.ask(service, "POST", path, content=b"{}", **headers)
        problem(answer, 415, "media-type-not-supported", path)
        assert answer.headers["accept"] == "application/json"


@pytest.mark.parametrize("service", WRITES)
async def test_a_body_as_large_as_its_route_takes_is_read_and_a_byte_more_is_not(
    house: House, service: str
) -> None:
    path = WRITES[service]
    largest = b'{"title": "' + b"x" * (ROOMY - 13) + b'"}'
    problem(await house.ask(service, "POST", path, content=largest, **OF_JSON), 422, "request-invalid", path)
    answer = await house.ask(service, "POST", path, content=largest + b" ", **OF_JSON)
    assert "1 MB" in problem(answer, 413, "body-too-large", path)["detail"]
    assert answer.headers["connection"] == "close"

    async def parts() -> AsyncIterator[bytes]:
        yield largest
        yield b" "

    streamed = await house.ask(service, "POST", path, content=parts(), **OF_JSON)
    problem(streamed, 413, "body-too-large", path)


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("EDU-1/progress-reports", b'{"evidence": [' + b"0," * 5_000_000 + b"0]}", 413, "body-too-large"),
        ("EDU-1/progress-reports", b'{"evidence": [' + b"0," * 30_000 + b"0]}", 422, "body-too-complex"),
        ("", b'{"milestones": [' + b"{}," * 340_000 + b"{}]}", 422, "body-too-complex"),
        ("", b'{"x": ' + b"[" * 500_000, 400, "malformed-request"),
        ("", b"{" + b",".join(b'"m%d": 0' % n for n in range(60_000)) + b"}", 422, "body-too-complex"),
        ("", b"{" + b",".join(b'"m%d": 0' % n for n in range(1_000)) + b"}", 422, "request-invalid"),
    ],
    ids=["ten megabytes", "many items", "many parts", "nested", "many members", "as many as is taken"],
)
async def test_one_body_made_to_be_costly_is_refused_before_anything_is_made_of_it(
    house: House, story: Story, path: str, body: bytes, status: int, code: str
) -> None:
    whole = f"/v1/commitments/{path}".rstrip("/")
    answer = await house.ask("commitments", "POST", whole, content=body, If_Match="*", **OF_JSON)
    told = problem(answer, status, code, whole)
    assert len(told.get("errors", ())) <= 20
    assert len(answer.content) < 5_000


async def test_every_value_at_fault_is_pointed_at(house: House, story: Story) -> None:
    body = {
        "code": "X-1",
        "lead_organization": "INTERIOR",
        "public_deadline": {"on": "2013-02-30"},
        "origin": {"kind": "rumour", "colour": "red"},
        "working_team": [{"position": "Head", "institution": "DCI", "name": "N. N."}],
    }
    answer = await house.ask("commitments", "POST", "/v1/commitments", body)
    errors = problem(answer, 422, "request-invalid", "/v1/commitments")["errors"]
    assert sorted(error["pointer"] for error in errors) == [
        "/origin/colour",
        "/origin/kind",
        "/public_deadline/on",
        "/title",
        "/working_team/0/name",
    ]


async def test_every_route_refuses_query_parameters_it_does_not_know(house: House, story: Story) -> None:
    for read in reads(story):
        answer = await house.ask(read.service, "GET", read.asking("colour=red"), role=reader_of(read))
        errors = problem(answer, 422, "query-unknown", read.path.partition("?")[0])["errors"]
        assert [error["pointer"] for error in errors] == ["/query/colour"], read


async def test_days_and_instants_are_taken_in_one_form_only(house: House, story: Story) -> None:
    for query in ("on=2013-4-30", "on=30.04.2013", "on=2013-04-30T00:00:00Z", "on=2013-02-29", "on="):
        answer = await house.ask("reporting", "GET", f"/v1/board?{query}")
        problem(answer, 422, "request-invalid", "/v1/board")
    for query in (
        "2013-4-30",
        "2013-04-30T15:00:00",
        "2013-04-30 15:00:00Z",
        "1367334000",
        "2013-04-30T25:00:00Z",
    ):
        for service, path in (("reporting", "/v1/board"), ("commitments", "/v1/commitments/OPEN-1")):
            answer = await house.ask(service, "GET", f"{path}?known_at={query}")
            problem(answer, 422, "request-invalid", path)
    local = await house.ask("reporting", "GET", "/v1/board?known_at=2013-04-30T11:00:00-04:00")
    assert local.status_code == 200
    for amount in (12, 12.5, "12,5", "1e3", " 1", "NaN", ""):
        body = {"lines": [{"amount": amount, "currency": "CLP"}]}
        path = "/v1/commitments/OPEN-1/budget-estimates"
        problem(
            await house.ask("commitments", "POST", path, body, If_Match="*"), 422, "request-invalid", path
        )


async def test_a_damaged_event_is_a_problem_that_tells_nothing(tmp_path: Path) -> None:
    """Somebody has damaged an event in the file of the log."""
    async with House(tmp_path).open() as house:
        await stories.tell(house)
        run_sql(
            f"sqlite:///{tmp_path / 'bitacora.db'}",
            "UPDATE stored_events SET state = %s WHERE originator_id = %s AND originator_version = 1",
            b"{",
            stream_of("commitment", "OPEN-1"),
        )
        path = "/v1/commitments/OPEN-1"
        answer = await house.ask("commitments", "GET", f"{path}?version=1")
        problem(answer, 503, "event-unreadable", path)
        assert "position" not in answer.text, "which event it is stands in our log"
        assert (
            await house.ask("commitments", "GET", "/v1/commitments/INSIDE-1?version=1")
        ).status_code == 200


# --- names of requests ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
async def test_a_request_keeps_the_id_it_came_with_or_is_given_one(house: House, service: str) -> None:
    for path in ("/v1/nothing", "/health/live", "/v1/board"):
        answer = await house.ask(service, "GET", path, X_Request_Id="batch-7/12")
        assert answer.headers["x-request-id"] == "batch-7/12"
        given = (await house.ask(service, "GET", path)).headers["x-request-id"]
        assert UUID(given).version == 4
        trace = await house.ask(service, "GET", path, traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
        assert trace.status_code == answer.status_code


# --- from other pages ----------------------------------------------------------------------------------------------


def cors(answer: httpx.Response) -> set[str]:
    """The headers that tell a browser what other pages may do."""
    return {name for name in answer.headers if name.startswith("access-control-")}


@pytest.mark.parametrize("service", SERVICES)
async def test_other_pages_may_not_call_unless_they_are_listed(
    house: House, tmp_path: Path, service: str
) -> None:
    path = {"reporting": "/v1/board"}.get(service, "/v1/nothing")
    page: dict[str, Any] = {"Origin": "https://tablero.example"}
    asking = page | {"Access_Control_Request_Method": "GET"}
    assert cors(await house.ask(service, "GET", path, **page)) == set()
    assert cors(await house.ask(service, "OPTIONS", path, **asking)) == set()
    async with House(tmp_path, cors_origins="https://tablero.example").open() as listed:
        answer = await listed.ask(service, "GET", path, **page)
        assert answer.headers["access-control-allow-origin"] == "https://tablero.example"
        assert "Log-Position" in answer.headers["access-control-expose-headers"]
        preflight = await listed.ask(service, "OPTIONS", path, **asking)
        assert preflight.status_code == 200
        other = await listed.ask(service, "GET", path, Origin="https://elsewhere.example")
        assert "access-control-allow-origin" not in other.headers


# --- what a service says of itself ---------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_says_whether_it_lives_and_is_ready(house: House, story: Story, service: str) -> None:
    live = await house.read(service, "/health/live", credentials={})
    assert live == {"status": "ok", "checks": {}}
    end = await house.settled()
    ready = await house.read(service, "/health/ready", credentials={})
    assert ready["status"] == "ok"
    assert ready["checks"]["log"] == {"status": "ok", "detail": f"followed up to position {end}"}
    if service == "reporting":
        assert ready["checks"]["read_model"]["detail"] == f"at position {end}"
    for path in OF_ITS_OWN[:2]:
        assert (await house.ask(service, "GET", path)).headers["cache-control"] == "no-store"


async def test_a_service_without_its_read_model_is_alive_and_not_ready(tmp_path: Path) -> None:
    async with House(tmp_path).open(worker=False) as house:
        for path in sorted((tmp_path / "reporting").rglob("*")):
            path.unlink()
        answer = await house.ask("reporting", "GET", "/health/ready", credentials={})
        assert answer.status_code == 503
        document = answer.json()
        assert (document["status"], document["checks"]["read_model"]["status"]) == ("failed", "failed")
        assert str(tmp_path) not in answer.text
        assert (await house.ask("reporting", "GET", "/health/live", credentials={})).status_code == 200
        refusal = await house.ask("reporting", "GET", "/v1/board", credentials={})
        assert refusal.status_code == 503
        assert refused(refusal)[1].startswith("read-model-")
        assert int(refusal.headers["retry-after"]) >= 1


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_counts_its_requests_by_route_and_not_by_path(
    house: House, story: Story, service: str
) -> None:
    route = {
        "commitments": "/v1/commitments/{id}",
        "meetings": "/v1/bodies/{code}",
        "reporting": "/v1/commitments/{id}/timeline",
    }[service]
    await house.ask(service, "GET", route.replace("{id}", "OPEN-1").replace("{code}", "SECURITY"))
    answer = await house.ask(service, "GET", "/metrics", credentials={})
    assert answer.headers["content-type"].startswith("text/plain")
    wanted = f'http_requests_total{{method="GET",route="{route}",status="200"}}'
    assert any(line.startswith(wanted) for line in answer.text.splitlines())
    assert "http_request_duration_seconds_bucket" in answer.text
    assert "OPEN-1" not in answer.text


@pytest.mark.parametrize("service", SERVICES)
async def test_the_type_of_every_problem_can_be_looked_up(house: House, service: str) -> None:
    for code, entry in house.apps[service].problems.catalogue.items():
        told = await house.read(service, f"/errors/{code}", credentials={})
        assert told == {"code": code, **entry._asdict()}
    answer = await house.ask(service, "GET", "/errors/none-such", credentials={})
    problem(answer, 404, "not-found", "/errors/none-such")


ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    2**62,
    2**63,
    1.5,
    "",
    "a\x00b",
    "\U0001f600" * 200,
    "0001-01-01",
    "9999-12-31",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999-12:00",
    "2013-04-30T15:00:00",
    {},
    [],
    [[]],
)
"""Values that a sort key of another list might have, or none at all."""


async def test_a_cursor_forged_with_any_key_is_answered_or_refused(house: House, story: Story) -> None:
    forged, failed = 0, list[Any]()
    for read in reads(story):
        if (read.service, read.route) not in LISTS:
            continue
        path, _, query = read.path.partition("?")
        request = Request({"type": "http", "path": path, "query_string": query.encode(), "headers": []})
        first = await house.ask(read.service, "GET", read.asking("limit=1"), role=reader_of(read))
        following = first.json()["next"]
        key = [1] if following is None else key_of(following)
        keys = [[], key[:-1], [*key, 1], *([odd] for odd in ODD)]
        keys += [[*key[:at], odd, *key[at + 1 :]] for at in range(len(key)) for odd in ODD]
        for made_up in keys:
            cursor = encode_cursor(request, made_up)
            answer = await house.ask(
                read.service, "GET", read.asking(f"cursor={cursor}"), role=reader_of(read)
            )
            assert answer.status_code in (200, 422), (read, made_up, answer.text)
            forged += 1
            if answer.status_code not in (200, 422):
                failed.append((read.route, made_up, answer.status_code))
    assert not failed
    assert forged > 300


def key_of(following: str) -> list[Any]:
    """The sort key in the cursor of a `next` URL."""
    cursor = parse_qs(urlsplit(following).query)["cursor"][0]
    key: list[Any] = json.loads(base64.urlsafe_b64decode(cursor + "==")[16:])
    return key


SLIPS = {
    "integer": ("1_0", "%2B1", "%201", "1.0", "1e1", "%EF%BC%91", "0x1", "one"),
    "boolean": ("yes", "on", "1", "True"),
}
"""What Python would read as a number or a flag, and nobody means."""


async def test_numbers_and_flags_are_taken_in_one_form_only(house: House, story: Story) -> None:
    tried = 0
    for read in reads(story):
        for parameter in openapi(read.service)["paths"][read.route]["get"].get("parameters", ()):
            schema = parameter["schema"]
            kinds = {one.get("type") for one in (schema, *schema.get("anyOf", ()))}
            if parameter["in"] != "query" or "string" in kinds:
                continue
            for value in (slip for kind in kinds for slip in SLIPS.get(kind or "", ())):
                asked = read.asking(f"{parameter['name']}={value}")
                answer = await house.ask(read.service, "GET", asked, role=reader_of(read))
                status, _ = refused(answer)
                assert status == 422, asked
                pointers = [one["pointer"] for one in answer.json()["errors"]]
                assert pointers == [f"/query/{parameter['name']}"], asked
                tried += 1
    assert tried > 100


async def test_a_number_in_a_path_is_written_in_digits(house: House, story: Story) -> None:
    for number in SLIPS["integer"]:
        path = f"/v1/commitments/OPEN-1/milestones/{number}/completions"
        answer = await house.ask("commitments", "POST", path, {"completed_on": "2012-01-01"}, If_Match="*")
        assert refused(answer)[0] in (404, 422), path


FIRST, LAST = "0001-01-01", "9999-12-31"


async def test_every_answer_can_be_asked_of_the_first_and_of_the_last_day_there_is(
    house: House, story: Story
) -> None:
    """And as known at the ends of the record; an empty answer, a refusal of what is to come, but nothing worse."""
    for read in reads(story):
        known = {
            one["name"] for one in openapi(read.service)["paths"][read.route]["get"].get("parameters", ())
        }
        days = {"on", "from", "to", "since", "due_before", "agreed_since", "known_at"} & known
        asked = [f"{name}={day}" for name in sorted(days) for day in (FIRST, LAST)]
        asked += [f"{one}=0" for one in ("position", "after") if one in known]
        if {"on", "known_at"} <= known:
            asked += [f"on={on}&known_at={FIRST}" for on in (FIRST, LAST)]
        for query in asked:
            if query.partition("=")[0] in read.path:
                continue
            answer = await house.ask(read.service, "GET", read.asking(query), role=reader_of(read))
            assert answer.status_code in (200, 404, 422), (read, query, answer.text)
            if answer.status_code == 422 and "known_at=9999" not in query:
                # Of days: in order, and not too many at once.
                assert refused(answer)[1] in {"days-reversed", "register-too-long"}, (
                    read,
                    query,
                    answer.text,
                )


FREE = {"q"}
"""What is looked for may be anywhere, or nowhere."""


async def test_a_word_that_nothing_on_record_has_is_refused_and_not_an_empty_list(
    house: House, story: Story
) -> None:
    tried = 0
    for read in reads(story):
        for parameter in openapi(read.service)["paths"][read.route]["get"].get("parameters", ()):
            if parameter["in"] != "query" or parameter["name"] in FREE:
                continue
            for word in ("nobody-has-it", "%C3%B1and%C3%BA"):
                asked = read.asking(f"{parameter['name']}={word}")
                answer = await house.ask(read.service, "GET", asked, role=reader_of(read))
                assert refused(answer)[0] == 422, asked
                tried += 1
    assert tried > 200


async def test_a_filter_that_takes_one_code_refuses_several_and_none(house: House, story: Story) -> None:
    """An empty list would say that there is nothing, where both are on record."""
    asked = {
        ("meetings", "/v1/meetings"): ("body", "SECURITY", "BIL-INTERIOR"),
        ("commitments", "/v1/decision-outcomes"): ("organization", "INTERIOR", "JUSTICE"),
    }
    for (service, path), (name, one, other) in asked.items():
        await house.read(service, f"{path}?{name}={one.lower()}")
        for value in (f"{one},{other}", f"{one},", ",", "%20"):
            answer = await house.ask(service, "GET", f"{path}?{name}={value}")
            problem(answer, 422, "filter-value-unknown", path)
