"""The OpenAPI document says what the service does."""

from __future__ import annotations

import re
from typing import Any

import pytest
from openapi_spec_validator import validate

from tests.support.web import TABLE, Installation


@pytest.fixture
def document(installation: Installation) -> dict[str, Any]:
    return installation.app.openapi()


def refusal(document: dict[str, Any], status: str | int) -> dict[str, Any]:
    """What the document says of a refusal with that status, once for all routes."""
    described: dict[str, Any] = document["components"]["responses"][f"Problem{status}"]
    return described


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_every_row_of_the_access_table_is_described_with_its_refusals(document: dict[str, Any]) -> None:
    for (method, path), row in TABLE.items():
        operation = document["paths"][path][method.lower()]
        assert {"400", "401", "403", "404", "422", "500", "503"} <= operation["responses"].keys()
        assert ({} in operation["security"]) == row.anonymous
        assert ("428" in operation["responses"]) == (row.if_match == "required")
        assert ("304" in operation["responses"]) == row.etag
        names = {parameter["name"] for parameter in operation["parameters"]}
        assert ("If-Match" in names) == (row.if_match != "none")
        assert ("Idempotency-Key" in names) == (method == "POST")


def test_every_error_is_a_problem_with_an_example_of_itself(document: dict[str, Any]) -> None:
    schema = document["components"]["schemas"]["Problem"]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status < "400" or path == "/health/ready":
                    continue
                assert response == {"$ref": f"#/components/responses/Problem{status}"}
                content = refusal(document, status)["content"]["application/problem+json"]
                assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
                assert set(schema["required"]) <= content["example"].keys() <= schema["properties"].keys()
                assert content["example"]["status"] == int(status)
    assert "HTTPValidationError" not in document["components"]["schemas"]


async def test_answers_carry_the_headers_the_document_promises(
    installation: Installation, document: dict[str, Any]
) -> None:
    async with installation.client(**installation.token()) as client:
        read = await client.get("/v1/things/1")
        written = await client.post("/v1/things", json={"title": "a"})
        refused = await client.get("/v1/things/1", headers={"Authorization": "Bearer x"})
    for answer, path, method in ((read, "/v1/things/{id}", "get"), (refused, "/v1/things/{id}", "get")):
        response = document["paths"][path][method]["responses"][str(answer.status_code)]
        promised = (response if "headers" in response else refusal(document, answer.status_code))["headers"]
        # The last of these is told where some events cannot be read.
        assert {name.lower() for name in promised} - {"quarantined-events"} <= set(answer.headers)
    promised = document["paths"]["/v1/things"]["post"]["responses"]["201"]["headers"]
    assert {name.lower() for name in promised} - {"idempotency-replayed"} <= set(written.headers)


async def test_the_document_is_served(installation: Installation, document: dict[str, Any]) -> None:
    async with installation.client() as client:
        assert (await client.get("/openapi.json")).json() == document
        assert (await client.get("/docs")).status_code == 200


async def test_the_document_for_people_is_made_of_our_own_files_and_its_policy_allows_no_others(
    installation: Installation,
) -> None:
    async with installation.client() as client:
        page = await client.get("/docs")
        assert "https:" not in page.text
        assert "<script>" not in page.text
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'" in policy
        parts = re.findall(r'(?:src|href)="(docs/[^"]+)"', page.text)
        assert len(parts) == 4
        for part in parts:
            answer = await client.get(f"/{part}")
            assert answer.status_code == 200, part
            again = await client.get(f"/{part}", headers={"If-None-Match": answer.headers["etag"]})
            assert again.status_code == 304
        assert "SwaggerUIBundle" in (await client.get("/docs/start.js")).text
        assert b"SwaggerUIBundle" in (await client.get("/docs/swagger-ui-bundle.js")).content
        assert (await client.get("/docs/main.py")).status_code == 404
