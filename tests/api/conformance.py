"""Whether an answer is one that the service's own document describes: its status, its type, its form, its headers."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator

from services.documents import documents

_refusals: set[tuple[str, str, str | None]] = set()
UNDESCRIBED = {405}
"""What no operation answers: it is the answer to a method that is none of the operations of its path."""


@cache
def made() -> dict[Path, str]:
    """Every document, as the code makes it now."""
    return documents()


@cache
def openapi(service: str) -> dict[str, Any]:
    """The document of a service."""
    document: dict[str, Any] = json.loads(made()[Path(f"docs/openapi/{service}.json")])
    return document


def check(service: str, method: str, path: str, answer: httpx.Response) -> None:
    """Raises when a service answers to what it describes in a way that it does not describe."""
    operation = _operation(service, method, path)
    if operation is None or answer.status_code in UNDESCRIBED:
        return
    asked = f"{method} {path}: {answer.status_code}"
    response = operation["responses"].get(str(answer.status_code))
    assert response is not None, f"{asked} is not described"
    if "$ref" in response:
        response = openapi(service)["components"]["responses"][response["$ref"].rpartition("/")[2]]
    missing = {name for name in response.get("headers", {}) if name.lower() not in answer.headers}
    # Only who sends a key again is told that the answer was given before, and of events only that were put aside.
    assert missing <= {"Idempotency-Replayed", "Quarantined-Events"}, f"{asked} comes without {missing}"
    content = response.get("content", {})
    if not answer.content:
        return
    given = answer.headers["content-type"].partition(";")[0]
    assert given in content, f"{asked} is {given}"
    if given.endswith("json") and _is_new(service, asked, answer):
        schema = content[given]["schema"]
        faults = [
            error.message for error in _validator(service, json.dumps(schema)).iter_errors(answer.json())
        ]
        assert not faults, f"{asked}: {faults[:3]}"


def _is_new(service: str, asked: str, answer: httpx.Response) -> bool:
    """Whether this is worth a look: the same refusal of the same request was looked at the first time."""
    if answer.is_success:
        return True
    seen = (service, asked, answer.json().get("type"))
    if seen in _refusals:
        return False
    _refusals.add(seen)
    return True


@cache
def _templates(service: str) -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    paths = openapi(service)["paths"]
    # What is spelled out goes before what is a parameter, as it does when the service looks for its route.
    ordered = sorted(paths, key=lambda path: -len(re.sub(r"\{[^}]*\}", "", path)))
    return [(re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path))), paths[path]) for path in ordered]


def _operation(service: str, method: str, path: str) -> dict[str, Any] | None:
    for pattern, operations in _templates(service):
        if pattern.fullmatch(path.partition("?")[0]) and method.lower() in operations:
            found: dict[str, Any] = operations[method.lower()]
            return found
    return None


@cache
def _validator(service: str, schema: str) -> Validator:
    whole = {**json.loads(schema), "components": openapi(service)["components"]}
    made: Validator = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return made
