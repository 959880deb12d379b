"""Every code with which the service can refuse is explained, and every explanation is of a code in use."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from shared import errors
from shared.errors import (
    Forbidden,
    InvalidInput,
    NotFound,
    PreconditionRequired,
    RuleBroken,
    StaleVersion,
    Unauthenticated,
    Unavailable,
)
from shared.http.catalogue import CODES, Catalogue

ROOT = Path(__file__).parents[3]
OURS = ("services/commitments", "shared/rules")
ROOMS = sorted(path.parent.name for path in (ROOT / "services/commitments").glob("*/routes.py"))
CATALOGUES: list[Catalogue] = [import_module(f"services.commitments.{room}.routes").ERRORS for room in ROOMS]
ERRORS = {code: entry for catalogue in CATALOGUES for code, entry in catalogue.items()}
NOT_OVER_HTTP = ("importing", "policies", "backup.py", "quarantine.py")
STATUS = {
    InvalidInput: 422,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    RuleBroken: 409,
    StaleVersion: 412,
    PreconditionRequired: 428,
    Unavailable: 503,
}
NAMED_BY_KIND = {f"unknown-{kind}" for kind in ("commitment", "indicator", "api-key", "decision-outcome")}
"""What a repository calls a stream that is not there, by the kind of its aggregates."""
OF_OTHERS = {"instant-in-future", "ends-before-start", "rule-unknown"}
"""What shared guards refuse of moments and of rules asked for, which no request to this service tells of."""


def raised(*folders: str) -> Iterator[tuple[str, int]]:
    """Each code that an error is made with under these folders, and the status of that kind of error."""
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            if not set(NOT_OVER_HTTP) & set(path.parts):
                yield from _made_in(ast.parse(path.read_text(encoding="utf-8")))


def _made_in(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            kind = getattr(errors, node.func.id, None)
            code = node.args[0]
            if kind in STATUS and isinstance(code, ast.Constant) and isinstance(code.value, str):
                yield code.value, STATUS[kind]


def passed_on(*folders: str) -> Iterator[str]:
    """Each text given to a call by name: a check that several facts share is told under which code it refuses."""
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant):
                    yield str(node.value.value)


def test_every_code_raised_is_explained_under_its_status() -> None:
    known = {code: entry.status for code, entry in {**CODES, **ERRORS}.items()}
    made = dict(raised(*OURS))
    assert len(made) > 50
    assert {code: status for code, status in made.items() if known.get(code) != status}.keys() <= OF_OTHERS


def test_every_code_explained_is_raised() -> None:
    used = {code for code, _ in raised(*OURS)} | set(passed_on(*OURS)) | NAMED_BY_KIND
    assert ERRORS.keys() - used == set()


def test_what_the_log_and_the_repositories_refuse_is_explained_too() -> None:
    made = dict(raised("shared/eventlog", "shared/aggregate"))
    unexplained = {code for code, status in made.items() if code not in CODES or CODES[code].status != status}
    assert unexplained == set()


def test_no_code_has_two_kinds_of_error() -> None:
    statuses: dict[str, set[int]] = {}
    for code, status in raised("services/commitments", "shared"):
        statuses.setdefault(code, set()).add(status)
    assert {code: found for code, found in statuses.items() if len(found) > 1} == {}


def test_no_code_is_explained_twice() -> None:
    times = Counter(code for catalogue in (CODES, *CATALOGUES) for code in catalogue)
    assert {code for code, count in times.items() if count > 1} == set()


@pytest.mark.parametrize("code", ERRORS)
def test_an_explanation_is_a_sentence_under_a_title(code: str) -> None:
    entry = ERRORS[code]
    assert entry.title[0].isupper()
    assert not entry.title.endswith(".")
    assert entry.explanation.endswith(".")
