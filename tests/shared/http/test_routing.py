"""The guard before every route: in which order it looks, and what it lets through."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import APIRouter
from starlette.responses import Response

from shared.http.routing import service_router
from shared.http.service import build_app
from shared.identity.access import EVERYONE, Access, AccessTable
from shared.identity.actor import Role
from tests.shared.http.test_problems import problem
from tests.support.web import Installation

JSON = {"Content-Type": "application/json"}


async def test_nobody_gets_past_a_route_that_is_not_public(installation: Installation) -> None:
    async with installation.client() as client:
        problem(await client.get("/v1/things/1"), 401, "credentials-required")
        assert (await client.get("/v1/things")).status_code == 200


async def test_bad_credentials_are_refused_even_where_none_are_needed(installation: Installation) -> None:
    async with installation.client(Authorization="Bearer nonsense") as client:
        problem(await client.get("/v1/things"), 401, "credentials-invalid")


async def test_a_role_without_a_row_is_refused(installation: Installation) -> None:
    async with installation.client(**installation.token(Role.AUDITOR)) as client:
        problem(await client.post("/v1/things", json={"title": "a"}), 403, "role-not-allowed")


async def test_a_key_does_only_what_its_scopes_say(installation: Installation) -> None:
    reads, writes = installation.key("read"), installation.key("write")
    async with installation.client(X_Api_Key=reads.presented) as client:
        assert (await client.get("/v1/things/1")).status_code == 200
        problem(await client.post("/v1/things", json={"title": "a"}), 403, "scope-not-granted")
    async with installation.client(X_Api_Key=writes.presented) as client:
        problem(await client.get("/v1/things/1"), 403, "scope-not-granted")
        assert (await client.post("/v1/things", json={"title": "a"})).status_code == 201


async def test_who_is_asking_is_settled_before_anything_else_is_looked_at(installation: Installation) -> None:
    worse = {"Content-Type": "text/plain", "Idempotency-Key": "", "If-Match": "x"}
    async with installation.client(**worse) as client:
        problem(await client.post("/v1/things/1/notes?x=1", content=b"{"), 401, "credentials-required")
        headers = installation.token(Role.AUDITOR)
        answer = await client.post("/v1/things/1/notes?x=1", content=b"{", headers=headers)
        problem(answer, 403, "role-not-allowed")


async def test_a_caller_without_access_does_not_make_us_read_the_body(installation: Installation) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("the body was read")

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/things",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"9")],
    }
    await installation.app(scope, receive, send)
    assert sent[0]["status"] == 401


async def test_unknown_query_parameters_are_refused_each_by_name(installation: Installation) -> None:
    async with installation.client() as client:
        document = problem(await client.get("/v1/things?limit=1&a=1&b/c=2"), 422, "query-unknown")
        assert [item["pointer"] for item in document["errors"]] == ["/query/a", "/query/b~1c"]
    async with installation.client(**installation.token()) as client:
        problem(await client.post("/v1/things?a=1", json={"title": "a"}), 422, "query-unknown")


async def test_a_parameter_given_twice_is_refused_unless_it_is_a_list(installation: Installation) -> None:
    async with installation.client() as client:
        problem(await client.get("/v1/things?limit=1&limit=2"), 422, "query-repeated")
        assert (await client.get("/v1/things?kind=a&kind=b")).status_code == 200


async def test_characters_no_storage_keeps_are_refused_in_the_query_and_unknown_in_the_path(
    installation: Installation,
) -> None:
    async with installation.client(**installation.token()) as client:
        problem(await client.get("/v1/things?kind=%00"), 422, "text-not-storable")
        assert (await client.get("/v1/things/%00")).status_code == 404


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("application/json", 201),
        ("application/json; charset=utf-8", 201),
        ("Application/JSON;Charset=UTF-8", 201),
        ("application/merge-patch+json", 201),
        ("application/json; charset=latin-1", 415),
        ("text/plain", 415),
        ("text/x+json", 415),
        ("application/jsonx", 415),
        ("", 415),
        (None, 415),
    ],
)
async def test_only_json_in_utf_8_is_taken(
    installation: Installation, value: str | None, status: int
) -> None:
    headers = installation.token() | ({} if value is None else {"Content-Type": value})
    async with installation.client(**headers) as client:
        answer = await client.post("/v1/things", content=b'{"title": "a"}')
    assert answer.status_code == status, answer.text


async def test_a_compressed_body_is_not_taken(installation: Installation) -> None:
    headers = {**installation.token(), **JSON, "Content-Encoding": "gzip"}
    async with installation.client(**headers) as client:
        problem(await client.post("/v1/things", content=b"{}"), 415, "media-type-not-supported")


async def test_no_body_at_all_is_missing_and_not_of_the_wrong_type(installation: Installation) -> None:
    async with installation.client(**installation.token()) as client:
        problem(await client.post("/v1/things"), 422, "request-invalid")


async def test_a_header_that_decides_something_may_not_come_twice(installation: Installation) -> None:
    token = installation.token()["Authorization"]
    async with installation.client() as client:
        headers = [("Authorization", token), ("Authorization", token)]
        problem(await client.get("/v1/things/1", headers=headers), 400, "malformed-request")


async def test_a_change_to_a_thing_must_state_the_version_it_was_decided_on(
    installation: Installation,
) -> None:
    async with installation.client(**installation.token()) as client:
        note = {"title": "a"}
        problem(await client.post("/v1/things/1/notes", json=note), 428, "if-match-required")
        answer = await client.post("/v1/things/1/notes", json=note, headers={"If-Match": "7"})
        problem(answer, 400, "if-match-malformed")
        answer = await client.post("/v1/things/1/notes", json=note, headers={"If-Match": '"6"'})
        problem(answer, 412, "stale-version")
        assert answer.headers["etag"] == '"7"'
        for value, expected in (('"7"', [7]), ('W/"7"', [7]), ("*", None), ('"6", "7"', [6, 7])):
            answer = await client.post("/v1/things/1/notes", json=note, headers={"If-Match": value})
            assert answer.json()["expected"] == expected


async def test_where_a_version_is_optional_it_is_still_heeded(installation: Installation) -> None:
    async with installation.client(**installation.token(Role.ADMIN)) as client:
        answer = await client.put("/v1/things/1", json={"title": "a"})
        assert answer.json()["expected"] is None
        answer = await client.put("/v1/things/1", json={"title": "a"}, headers={"If-Match": '"3"'})
        assert answer.json()["expected"] == [3]


async def test_what_is_spelled_out_in_a_path_goes_before_a_parameter(installation: Installation) -> None:
    async with installation.client(**installation.token()) as client:
        assert (await client.get("/v1/things/1.txt")).text == "thing 1"
        assert (await client.get("/v1/things/1.csv")).json()["id"] == "1.csv"


async def test_an_endpoint_answers_the_same_by_the_short_way_and_by_the_frameworks(
    installation: Installation,
) -> None:
    # A query string sends a request the framework's way; without one this endpoint is entered directly.
    async with installation.client(**installation.token()) as client:
        short, long = await client.get("/v1/things/1"), await client.get("/v1/things/1?pad=0")
    assert short.json() == long.json()
    varying = {"x-request-id"}
    assert {k: v for k, v in short.headers.items() if k not in varying} == {
        k: v for k, v in long.headers.items() if k not in varying
    }


def made(installation: Installation, router: APIRouter, access: AccessTable) -> None:
    """Builds an app of one router, as a service would."""
    build_app(
        title="t",
        description="d",
        version="1",
        routers=[router],
        access=access,
        settings=installation.settings,
        authenticator=installation.authenticator,
    )


async def endpoint() -> Response:
    return Response()


def test_a_route_without_a_row_does_not_start(installation: Installation) -> None:
    table: AccessTable = {}
    router = service_router(table)
    router.add_api_route("/v1/a", endpoint, methods=["GET"])
    with pytest.raises(ValueError, match="GET /v1/a has no row"):
        made(installation, router, table)


def test_a_row_without_a_route_does_not_start(installation: Installation) -> None:
    table = {("GET", "/v1/a"): Access(EVERYONE)}
    with pytest.raises(ValueError, match="GET /v1/a"):
        made(installation, service_router(table), table)


def test_a_router_that_is_not_guarded_does_not_start(installation: Installation) -> None:
    router = APIRouter()
    router.add_api_route("/v1/a", endpoint, methods=["GET"])
    with pytest.raises(ValueError, match="not guarded"):
        made(installation, router, {("GET", "/v1/a"): Access(EVERYONE)})


def test_a_router_guarded_by_another_table_does_not_start(installation: Installation) -> None:
    router = service_router({("GET", "/v1/a"): Access(EVERYONE, anonymous=True)})
    router.add_api_route("/v1/a", endpoint, methods=["GET"])
    with pytest.raises(ValueError, match="no row"):
        made(installation, router, {("GET", "/v1/a"): Access(frozenset({Role.DCI}))})
