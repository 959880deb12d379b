"""Whatever the document allows, and what it does not: each service answers as its document says, and never with a 5xx.

Schemathesis makes the requests from the document of a service, systematically, the same ones on every run: each
parameter and member at its limits, left out, of another type. Here they are sent to the running service, over a record
that has what the paths name.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice, zip_longest
from typing import Any

import httpx
import pytest
import requests
from schemathesis import Case, openapi
from schemathesis.checks import (
    CheckFunction,
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation

from shared.identity.actor import Role
from tests.api.house import TABLES, House
from tests.api.routes import SERVICES
from tests.api.story import Story
from tests.api.test_documents import openapi as document_of

EACH = 12
"""Requests of each kind, good and bad, for each operation."""
SECONDS = 6.0
"""For one service; on a slow machine the last requests of each operation are left out, evenly."""
CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def cases(service: str, story: Story) -> Iterator[tuple[int, Case]]:
    """The requests, operation by operation in turn, with what the record has in their paths."""
    schema = openapi.from_dict(_with_short_texts(document_of(service)))
    schema.config.phases.coverage.unexpected_methods = set()
    operations = [result.ok() for result in schema.get_all_operations()]
    sequences = [
        islice(_generated(schema, operation, mode), EACH)
        for operation in operations
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    ]
    for number, row in enumerate(zip_longest(*sequences)):
        for case in row:
            if case is not None:
                _aim(case, number, story)
                yield number, case


def _with_short_texts(node: Any) -> Any:
    """The same document with texts of twenty thousand characters left to other tests: they take long to make up."""
    if isinstance(node, list):
        return [_with_short_texts(one) for one in node]
    if not isinstance(node, dict):
        return node
    copy = {key: _with_short_texts(value) for key, value in node.items()}
    if copy.get("type") == "string" and isinstance(copy.get("maxLength"), int) and copy["maxLength"] > 64:
        copy.pop("pattern", None)
        copy["maxLength"] = 64
    return copy


def _generated(schema: Any, operation: APIOperation, mode: GenerationMode) -> Iterator[Case]:
    generation = schema.config.generation_for(operation=operation)
    yield from schema.iter_coverage_cases(
        operation, generation_modes=[mode], generation_config=generation
    )


def _aim(case: Case, number: int, story: Story) -> None:
    """Mostly for something that is there, and on whichever version it has; sometimes as it was made up."""
    if str(case.query.get("wait_for", "")).isdigit():
        # A position that never comes is answered with 503, after five seconds: so it is meant.
        case.query["wait_for"] = 1
    if "If-Match" in case.headers and number % 3 != 2:
        case.headers["If-Match"] = "*"
    if number % 4 != 3:
        path = case.operation.path
        known = {
            "/v1/commitments/": {"id": "OPEN-1", "n": 1},
            "/v1/indicators/": {"id": "VICTIMS", "period": "2011"},
            "/v1/meetings/": {"id": story.open.meeting.rpartition("/")[2], "n": 1},
            "/v1/decisions/": {"number": story.open.decision.rpartition("/")[2]},
            "/v1/decision-outcomes/": {"number": story.outcome.rpartition("/")[2]},
            "/v1/action-items/": {"id": story.open.action_item.rpartition("/")[2]},
            "/v1/bodies/": {"code": "SECURITY"},
            "/v1/organizations/": {"code": "JUSTICE"},
            "/v1/pillars/": {"code": "SECURITY"},
            "/errors/": {"code": "not-found"},
        }
        for begin, names in known.items():
            if path.startswith(begin):
                case.path_parameters.update({k: v for k, v in names.items() if f"{{{k}}}" in path})


async def send(house: House, service: str, case: Case, role: Role) -> httpx.Response:
    """The request of a case, made exactly as Schemathesis would make it, by somebody in a role."""
    kwargs = case.as_transport_kwargs(base_url=f"http://{service}.test")
    made = requests.Request(**{k: v for k, v in kwargs.items() if k in REQUEST}).prepare()
    headers = [(k.encode("latin-1", "replace"), _bytes(v)) for k, v in made.headers.items()]
    headers = [(k, v) for k, v in headers if k.lower() not in {b"authorization", b"x-api-key"}]
    headers += [(k.encode(), v.encode()) for k, v in house.token(role).items()]
    return await house.client(service).send(
        httpx.Request(made.method or "GET", made.url or "", headers=headers, content=made.body or b"")
    )


REQUEST = {"method", "url", "headers", "params", "json", "data", "cookies"}


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("latin-1", "replace")


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_answers_as_its_document_says(house: House, story: Story, service: str) -> None:
    began = time.monotonic()
    sent: dict[str, int] = {}
    faults: set[str] = set()
    statuses: dict[int,int] = {}
    for number, case in cases(service, story):
        if number >= 4 and time.monotonic() - began > SECONDS:
            break
        row = TABLES[service].get((case.method, case.operation.path))
        roles = sorted(row.roles) if row else [Role.DCI]
        answer = await send(house, service, case, Role.DCI if Role.DCI in roles else roles[0])
        statuses[answer.status_code]=statuses.get(answer.status_code,0)+1
        sent[case.operation.label] = sent.get(case.operation.label, 0) + 1
        try:
            case.validate_response(answer, checks=CHECKS)
        except (Failure, FailureGroup) as failure:  # groups of them are no ordinary exceptions
            wrong = failure.exceptions if isinstance(failure, FailureGroup) else [failure]
            faults |= {f"{case.operation.label}: {one} {case.query} {answer.text[:200]}" for one in wrong}
    print("COUNT", service, sum(sent.values()), len(sent), number)
    print("STATUS", sorted(statuses.items()))
    assert faults == set()
    assert sum(sent.values()) > 3 * len(TABLES[service]), sent
