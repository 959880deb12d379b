"""Whatever the document allows, and what it does not: each service answers as its document says, and never with a 5xx.

Schemathesis makes the requests from the document of a service, systematically, the same ones on every run: each
parameter and member at its limits, left out, of another type. Here they are sent to the running service, over a record
that has what the paths name.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice, zip_longest
from typing import Any

import httpx
import pytest
import requests
from schemathesis import openapi
from schemathesis.checks import (
    CheckFunction,
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from shared.identity.actor import Role
from tests.api.conformance import openapi as document_of
from tests.api.house import TABLES, House
from tests.api.routes import SERVICES, places
from tests.api.story import Story

SEED = 21_05_2012
EACH = 16
"""Requests of each kind, good and bad, for each operation."""
LEAST = 3
"""So many of each kind are sent even when time has run out."""
SECONDS = 6.0
"""For one service; on a slow machine the last requests of each operation are left out, evenly."""
SENSIBLE: dict[str, Any] = {
    "position": 40,
    "known_at": None,
    "version": 1,
    "cursor": None,
    "group_by": None,
    "types": "commitments.assessed",
    "on": "2013-04-30",
    "from": "2013-01-01",
    "to": "2013-04-30",
    "status": "on_time,delayed",
    "judgement": "at_risk",
    "origin": None,
    "kind": "action",
    "result_type": None,
    "visibility": "public",
}
REQUEST = {"method", "url", "headers", "params", "json", "data", "cookies"}
CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def cases(service: str, story: Story) -> Iterator[tuple[int, Any]]:
    """The requests, operation by operation in turn, with what the record has in their paths."""
    schema = openapi.from_dict(_with_short_texts(document_of(service)), config=SchemathesisConfig(seed=SEED))
    schema.config.phases.coverage.unexpected_methods = set()
    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
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


def _generated(schema: Any, operation: Any, mode: GenerationMode) -> Iterator[Any]:
    generation = schema.config.generation_for(operation=operation)
    yield from schema.iter_coverage_cases(operation, generation_modes=[mode], generation_config=generation)


def _aim(case: Any, number: int, story: Story) -> None:
    """Mostly for something that is there, and on whichever version it has; sometimes as it was made up."""
    if str(case.query.get("wait_for", "")).isdigit():
        # A position that never comes is answered with 503, after five seconds: so it is meant.
        case.query["wait_for"] = 1
    if "If-Match" in case.headers and number % 3 != 2:
        case.headers["If-Match"] = "*"
    if number % 2 == 0:
        # Each of these excludes another, or takes only values that the schema cannot list.
        for name, value in SENSIBLE.items():
            if name in case.query:
                case.query[name] = value
        case.query = {name: value for name, value in case.query.items() if value is not None}
    if number % 4 != 3:
        for template, there in places(story).items():
            if case.path == template or case.path.startswith(f"{template}/"):
                case.path_parameters[template[template.index("{") + 1 : -1]] = there.rpartition("/")[2]
        for name, value in {"n": 1, "period": "2011"}.items():
            if name in case.path_parameters:
                case.path_parameters[name] = value


async def send(house: House, service: str, case: Any, role: Role) -> httpx.Response:
    """The request of a case, made exactly as Schemathesis would make it, by somebody in a role."""
    kwargs = case.as_transport_kwargs(base_url=f"http://{service}.test")
    made = requests.Request(**{k: v for k, v in kwargs.items() if k in REQUEST}).prepare()
    headers = [(k.encode("latin-1", "replace"), _bytes(v)) for k, v in made.headers.items()]
    headers = [(k, v) for k, v in headers if k.lower() not in {b"authorization", b"x-api-key"}]
    headers += [(k.encode(), v.encode()) for k, v in house.token(role).items()]
    assert made.method is not None
    assert made.url is not None
    body = b"" if made.body is None else _bytes(made.body)
    return await house.client(service).send(
        httpx.Request(made.method, made.url, headers=headers, content=body)
    )


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_answers_as_its_document_says(house: House, story: Story, service: str) -> None:
    began = time.monotonic()
    answered: Counter[int] = Counter()
    faults: set[str] = set()
    for number, case in cases(service, story):
        if number >= LEAST and time.monotonic() - began > SECONDS:
            break
        row = TABLES[service].get((case.method, case.operation.path))
        roles = sorted(row.roles) if row else [Role.DCI]
        answer = await send(house, service, case, Role.DCI if Role.DCI in roles else roles[0])
        answered[answer.status_code] += 1
        try:
            case.validate_response(answer, checks=CHECKS)
        except (Failure, FailureGroup) as failure:  # groups of them are no ordinary exceptions
            wrong = failure.exceptions if isinstance(failure, FailureGroup) else [failure]
            faults |= {f"{case.as_curl_command()}: {one}" for one in wrong}
    assert faults == set()
    assert answered.total() > LEAST * len(TABLES[service])
    assert {200, 422} <= answered.keys(), answered
