"""Every error is a problem document that says what to do and gives nothing away."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from shared.http.catalogue import CODES, markdown_catalogue
from tests.support.web import Installation


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The document of an answer that must be that problem."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["type"] == f"/errors/{code}"
    assert document["status"] == status
    assert document["request_id"] == answer.headers["x-request-id"]
    assert document["title"]
    assert document["detail"]
    assert document["instance"] == answer.request.url.path
    return document


async def test_an_error_of_the_domain_is_answered_with_its_code_and_its_sentence(
    installation: Installation,
) -> None:
    async with installation.client() as client:
        document = problem(await client.get("/v1/faults/rule"), 409, "thing-closed")
        assert document["title"] == "Thing closed"
        assert document["detail"] == "The thing is closed."
        problem(await client.get("/v1/faults/missing"), 404, "thing-not-found")
        problem(await client.get("/v1/faults/reused"), 422, "key-reused")
        answer = await client.get("/v1/faults/unavailable")
        problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"] == "3"


async def test_a_fault_of_ours_is_logged_whole_and_told_to_nobody(installation: Installation) -> None:
    async with installation.client() as client:
        with capture_logs() as logs:
            answer = await client.get("/v1/faults/other")
    problem(answer, 500, "internal-error")
    assert "secret" not in answer.text
    (line,) = [line for line in logs if line["event"] == "unexpected_error"]
    assert "a secret in the exception's text" in str(line["exc_info"])
    assert line["exc_info"].__traceback__ is not None


async def test_paths_that_do_not_exist_and_methods_they_do_not_take_are_problems_too(
    installation: Installation,
) -> None:
    async with installation.client() as client:
        problem(await client.get("/v1/nothing"), 404, "not-found")
        problem(await client.get("/nothing"), 404, "not-found")
        problem(await client.get("/v1/things/"), 404, "not-found")
        answer = await client.delete("/v1/things/1")
        problem(answer, 405, "method-not-allowed")
        assert answer.headers["allow"] == "GET, HEAD, PUT"
        answer = await client.request("OPTIONS", "/v1/things")
        assert answer.headers["allow"] == "GET, HEAD, POST"
        for method in ("GET", "HEAD", "PUT"):
            answer = await client.request(method, "/v1/things/1/notes")
            assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_refusal_says_how_to_authenticate(installation: Installation) -> None:
    async with installation.client() as client:
        answer = await client.get("/v1/things/1")
        problem(answer, 401, "credentials-required")
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b"{}", "/title"),
        (b'{"title": "a", "cost": {"amount": 12, "currency": "CLP"}}', "/cost/amount"),
        (b'{"title": "a", "a/b~c": 1}', "/a~1b~0c"),
        (b'{"title": "a", "due_on": "21-05-2012"}', "/due_on"),
        (b'{"title": "a", "share": 1e999}', "/share"),
        (b'{"title": "a\\u0000b"}', "/title"),
        (b'{"title": "a", "extra": [{"b": "\\ud800"}]}', "/extra/0/b"),
        (b'{"title": "a", "\\udfff": 1}', ""),
        (b"[]", ""),
        (b"null", ""),
        (b"", ""),
    ],
)
async def test_a_value_at_fault_is_pointed_at(installation: Installation, body: bytes, pointer: str) -> None:
    headers = {**installation.token(), "Content-Type": "application/json"}
    async with installation.client(**headers) as client:
        answer = await client.post("/v1/things", content=body)
    assert answer.status_code == 422
    assert [item["pointer"] for item in answer.json().get("errors", [{"pointer": ""}])] == [pointer]
    assert all(item["detail"] for item in answer.json().get("errors", []))


async def test_an_answer_names_at_most_twenty_errors(installation: Installation) -> None:
    many = {f"n{number}": 1 for number in range(30)}
    async with installation.client(**installation.token()) as client:
        for answer in (
            await client.post("/v1/things", json={"title": "a", **many}),
            await client.get("/v1/things", params=many),
        ):
            assert (answer.status_code, len(answer.json()["errors"])) == (422, 20)


async def test_parameters_at_fault_are_pointed_at_by_where_they_are(installation: Installation) -> None:
    async with installation.client() as client:
        document = problem(await client.get("/v1/things?limit=0"), 422, "request-invalid")
        assert [item["pointer"] for item in document["errors"]] == ["/query/limit"]
        document = problem(await client.get("/v1/things?on=2012-02-30"), 422, "request-invalid")
        assert document["errors"] == [
            {"pointer": "/query/on", "detail": "there is no such day in the calendar"}
        ]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"title": NaN}',
        b'{"title": "\xff"}',
        b"[" * 60_000,
        b'{"share": ' + b"1" * 5000 + b"}",
        b"'a'",
    ],
    ids=["cut", "NaN", "not UTF-8", "deep", "long number", "quotes"],
)
async def test_what_is_not_json_is_malformed_and_not_invalid(installation: Installation, body: bytes) -> None:
    headers = {**installation.token(), "Content-Type": "application/json"}
    async with installation.client(**headers) as client:
        problem(await client.post("/v1/things", content=body), 400, "malformed-request")


def test_the_catalogue_explains_every_code_under_its_own_heading() -> None:
    text = markdown_catalogue(CODES)
    assert text.count("### ") == len(CODES)
    assert all(f"### {code}\n" in text for code in CODES)


async def test_the_type_of_a_problem_leads_to_its_explanation(installation: Installation) -> None:
    async with installation.client() as client:
        kind = (await client.get("/v1/faults/rule")).json()["type"]
        assert (await client.get(kind)).json()["explanation"] == "Open it first."
        assert (await client.get("/errors/unheard-of")).status_code == 404


async def test_an_installation_can_document_its_errors_elsewhere(tmp_path: Any) -> None:
    elsewhere = Installation(tmp_path, errors_base_url="https://docs.test/errors#")
    async with elsewhere.client() as client:
        assert (await client.get("/v1/nothing")).json()["type"] == "https://docs.test/errors#not-found"
