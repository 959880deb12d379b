"""The documents made from the code: kept up, valid, and telling of every answer with an example that fits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from shared.events.registry import EVENT_TYPES
from shared.http.batch import PATH as BATCH
from shared.http.documents import possible_statuses
from shared.http.imports import PATH as IMPORTS
from shared.http.meanings import MEANINGS
from shared.http.routing import DeclaredRoute
from shared.identity.actor import Role
from tests.api.conformance import made, openapi
from tests.api.house import TABLES, House

ROOT = Path(__file__).parents[2]
SERVICES = tuple(TABLES)
SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
DAYS = {"on", "from", "to", "previous", "in_force_from"}
"""What else a day is called: `on` in a part that is about a day, `previous` for the one that was there before it."""
KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def operations(service: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each operation of a service: its method, its path, and what is said of it."""
    for path, methods in openapi(service)["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def schemas(service: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema in the document of a service, whatever it is nested in, with a name to find it by."""

    def within(name: str, node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        if isinstance(node, dict):
            yield name, node
            for key, value in node.items():
                yield from within(f"{name}/{key}", value)
        elif isinstance(node, list):
            for value in node:
                yield from within(name, value)

    for name, schema in openapi(service)["components"]["schemas"].items():
        yield from within(name, schema)


def resolved(service: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A schema itself, where it only refers to it."""
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = openapi(service)["components"]["schemas"][name] if name else schema
    return found


@pytest.mark.parametrize("path", made(), ids=str)
def test_the_committed_document_is_what_the_code_makes(path: Path) -> None:
    """After a change of the code: `make docs`, and commit what it writes."""
    assert (ROOT / path).exists(), "run `make docs`"
    assert (ROOT / path).read_text(encoding="utf-8") == made()[path], "run `make docs`"


def test_no_document_is_left_of_what_is_no_longer_made() -> None:
    assert {path.relative_to(ROOT) for path in (ROOT / "docs/openapi").iterdir()} <= made().keys()


async def test_every_route_every_role_every_error_and_every_event_is_documented(house: House) -> None:
    access, errors, events = (made()[Path(f"docs/{name}.md")] for name in ("access", "errors", "events"))
    for service, table in TABLES.items():
        section = access.partition(f"## {service}\n")[2].partition("\n## ")[0]
        for method, path in table:
            assert f"| `{method} {path}` |" in section
        for code, explained in house.apps[service].problems.catalogue.items():
            lines = [line for line in errors.splitlines() if line.startswith(f"| `{code}` |")]
            told = explained.explanation.replace("|", "\\|")
            assert any(told in line and (service in line or line.endswith("all |")) for line in lines), code
    assert all(str(role) in access for role in Role if role is not Role.SYSTEM)
    assert all(name in events for name in EVENT_TYPES)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_serves_the_document_that_is_committed(house: House, service: str) -> None:
    answer = await house.ask(service, "GET", "/openapi.json", credentials={})
    assert answer.json() == openapi(service)
    assert answer.json()["openapi"].startswith("3.1.")
    page = await house.ask(service, "GET", "/docs", credentials={})
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")


@pytest.mark.parametrize("service", SERVICES)
def test_the_document_is_valid_and_tells_of_every_row_of_the_access_table(service: str) -> None:
    validate(openapi(service))
    told = {(method, path) for method, path, _ in operations(service) if path.startswith("/v1")}
    assert told == TABLES[service].keys()
    for method, path, operation in operations(service):
        assert operation["summary"], (method, path)
        assert operation["description"].strip().endswith("."), (method, path)
        assert operation["tags"], (method, path)


@pytest.mark.parametrize("service", SERVICES)
async def test_every_operation_declares_every_status_it_can_answer_with(house: House, service: str) -> None:
    for route in house.apps[service].routes:
        if isinstance(route, DeclaredRoute) and route.include_in_schema:
            method, access = route.declaration.method, route.declaration.access
            operation = openapi(service)["paths"][route.path_format][method.lower()]
            refusals = {str(status) for status in possible_statuses(route.declaration)}
            assert refusals <= operation["responses"].keys()
            success = {status for status in operation["responses"] if status < "300"}
            if "303" in operation["responses"]:
                assert not success, (method, route.path)
                continue
            expected = "200" if method == "GET" else "207" if route.path == BATCH else "201"
            if method == "POST" and route.path.startswith(IMPORTS):
                expected = "202"
            assert expected in success, (method, route.path)
            assert method != "GET" or len(success) == 1, (method, route.path)
            assert ("304" in operation["responses"]) == (access.etag and method == "GET")


@pytest.mark.parametrize("service", SERVICES)
def test_every_request_and_every_answer_has_an_example_that_fits_its_schema(service: str) -> None:
    document = openapi(service)
    looked_at = 0
    for method, path, operation in operations(service):
        parts = [("request", operation.get("requestBody", {}))]
        for status, response in operation["responses"].items():
            name = response.get("$ref", "").rpartition("/")[2]
            parts.append((status, document["components"]["responses"][name] if name else response))
        for what, part in parts:
            for media_type, content in part.get("content", {}).items():
                assert "example" in content, (method, path, what, media_type)
                schema = {**content.get("schema", {}), "components": document["components"]}
                validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
                faults = [error.message for error in validator.iter_errors(content["example"])]
                assert not faults, (method, path, what, media_type)
                looked_at += 1
    assert looked_at > 3 * len(TABLES[service])


@pytest.mark.parametrize("service", SERVICES)
def test_every_parameter_and_every_member_says_what_it_means(service: str) -> None:
    """Where it is declared, or by its name in `shared/http/meanings.py`."""
    for method, path, operation in operations(service):
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), (method, path, parameter["name"])
    for name, schema in schemas(service):
        for member, told in schema.get("properties", {}).items() if schema.get("type") == "object" else ():
            assert told.get("description"), (name, member)


def test_no_meaning_is_kept_that_is_told_of_no_member() -> None:
    told = {
        member
        for service in SERVICES
        for _, schema in schemas(service)
        for member, one in (schema.get("properties", {}) if schema.get("type") == "object" else {}).items()
        if one.get("description") == MEANINGS.get(member)
    }
    assert MEANINGS.keys() == told


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_open_to_everybody_says_that_it_asks_for_no_credentials(service: str) -> None:
    for method, path, operation in operations(service):
        if not path.startswith("/v1"):
            assert operation["security"] == [], path
        else:
            assert ({} in operation["security"]) == TABLES[service][method, path].anonymous, path


@pytest.mark.parametrize("service", SERVICES)
def test_a_schema_is_one_thing_and_not_either_of_two_kinds_of_objects(service: str) -> None:
    for name, schema in openapi(service)["components"]["schemas"].items():
        for member, told in schema.get("properties", {}).items():
            for one in (told, told.get("items", {})):
                kinds = one.get("anyOf", one.get("oneOf", []))
                assert sum("properties" in resolved(service, kind) for kind in kinds) < 2, (name, member)


def test_the_clients_that_the_documents_show_call_operations_that_there_are() -> None:
    shown = ROOT / "docs/examples/clients"
    python = re.findall(r"(\w+)\.sync\(", (shown / "ask.py").read_text(encoding="utf-8"))
    typescript = re.findall(r"await (\w+)\(", (shown / "ask.ts").read_text(encoding="utf-8"))
    names = {operation["operationId"] for _, _, operation in operations("reporting")}
    assert python
    assert set(python) <= names
    assert {re.sub("([A-Z])", r"_\1", name).lower() for name in typescript} == set(python)


# --- how things are called -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
def test_operations_are_called_as_functions_are_and_each_of_their_tags_is_explained(service: str) -> None:
    names = [operation["operationId"] for _, _, operation in operations(service)]
    assert len(names) == len(set(names))
    for method, path, operation in operations(service):
        name = operation["operationId"]
        assert SNAKE.fullmatch(name), name
        assert "_" in name, name
        assert "v1" not in name, name
        if method == "GET" and path.startswith("/v1"):
            assert name.startswith(("get_", "list_")), name
    told = {tag["name"]: tag["description"] for tag in openapi(service)["tags"]}
    used = {tag for _, _, operation in operations(service) for tag in operation["tags"]}
    assert told.keys() == used
    assert all(KEBAB.fullmatch(name) and text.endswith(".") for name, text in told.items())
    assert openapi(service)["servers"][0]["url"] == "/"


@pytest.mark.parametrize("service", SERVICES)
def test_names_are_in_snake_case_and_paths_in_kebab_case(service: str) -> None:
    for _, path, operation in operations(service):
        for segment in (
            re.sub(r"\.?\{[^}]*\}|\.(ics|json|zip|csv|html|xlsx|pdf)", "", path).strip("/").split("/")
        ):
            assert not segment or KEBAB.fullmatch(segment), path
        for parameter in operation.get("parameters", []):
            if parameter["in"] != "header":
                assert SNAKE.fullmatch(parameter["name"]), (path, parameter["name"])
    for name, schema in schemas(service):
        for member in schema.get("properties", {}) if schema.get("type") == "object" else ():
            assert SNAKE.fullmatch(member), (name, member)
        for value in schema.get("enum", ()) if name != "Command/properties/method" else ():
            assert value is None or not isinstance(value, str) or SNAKE.fullmatch(value), (name, value)


@pytest.mark.parametrize("service", SERVICES)
def test_days_and_instants_are_called_by_what_they_are_and_money_is_text(service: str) -> None:
    for name, schema in schemas(service):
        members = schema.get("properties", {}) if schema.get("type") == "object" else {}
        for member, told in members.items():
            formats = {one.get("format") for one in (told, *told.get("anyOf", ()))}
            assert ("date-time" in formats) == member.endswith("_at"), (name, member)
            if "date" in formats:
                assert member.endswith("_on") or member in DAYS, (name, member)
            elif member.endswith("_on"):
                raise AssertionError(f"{name}: {member} is no day")
        if "currency" in members:
            assert members["amount"]["type"] == "string", name
