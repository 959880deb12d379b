"""Every code that the source refuses with is in the catalogue, and every code in the catalogue is refused with."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po

from shared import errors
from shared.http.catalogue import BY_STATUS, CODES, Catalogue
from tests.api.house import House, catalogues

ROOT = Path(__file__).parents[2]
CATALOGUES: dict[str, Catalogue] = {
    name: {code: entry for code, entry in catalogue.items() if code not in CODES}
    for name, catalogue in catalogues().items()
}
KINDS = {name for name in dir(errors) if isinstance(getattr(errors, name), type)} | {"RequestProblemError"}
CODE = re.compile(r"[a-z]+(-[a-z0-9]+)*")
NOT_OVER_HTTP = {"importing", "demo", "backup.py", "quarantine.py"}
"""What only the command line calls."""


@cache
def made_in(folder: str) -> frozenset[str]:
    """The codes that errors are made with under a folder."""
    return frozenset(
        code
        for path in (ROOT / folder).rglob("*.py")
        if not NOT_OVER_HTTP & set(path.parts)
        for code in _made(ast.parse(path.read_text(encoding="utf-8")))
    )


def _made(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if called in KINDS and node.args:
                yield from _text(node.args[0])
            elif (
                called == "response" and len(node.args) > 2
            ):  # Problems.response(scope, status, code, detail)
                yield from _text(node.args[2])


def _text(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


@cache
def written_in(folder: str) -> frozenset[str]:
    """Every text under a folder that may be a code, outside the catalogues themselves."""
    return frozenset(
        node.value
        for path in (ROOT / folder).rglob("*.py")
        if path.stem != "catalogue"
        for statement in ast.parse(path.read_text(encoding="utf-8")).body
        if not _explains(statement)
        for node in ast.walk(statement)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value)
    )


def _explains(statement: ast.stmt) -> bool:
    """Whether a statement of a module is the catalogue of its refusals."""
    return isinstance(statement, ast.AnnAssign) and ast.unparse(statement.annotation) == "Catalogue"


@pytest.mark.parametrize("service", CATALOGUES)
def test_every_code_of_a_service_is_explained(service: str) -> None:
    explained = {**CODES, **CATALOGUES[service]}
    made = made_in(f"services/{service}")
    assert len(made) > 5
    assert made - explained.keys() == set()


@pytest.mark.parametrize("service", CATALOGUES)
def test_every_code_explained_by_a_service_is_one_it_uses(service: str) -> None:
    # What is not there is called by the name that a `Repository` was given for its kind.
    absent = {f"unknown-{kind}" for kind in written_in(f"services/{service}")}
    used = written_in(f"services/{service}") | written_in("shared") | absent
    assert CATALOGUES[service].keys() - used == set()


def test_every_code_that_all_services_share_is_explained_and_used() -> None:
    folders = ("shared/http", "shared/identity", "shared/eventlog", "shared/aggregate")
    made = frozenset[str]().union(*map(made_in, folders))
    assert made - CODES.keys() == set()
    assert CODES.keys() - written_in("shared") - set(BY_STATUS.values()) == set()
    assert {status for status, code in BY_STATUS.items() if CODES[code].status != status} == set()


def test_every_code_of_the_rules_is_explained_by_a_service_that_goes_by_them() -> None:
    explained = set(CODES).union(*CATALOGUES.values())
    assert made_in("shared/rules") - explained == set()


def test_every_code_has_its_title_and_its_explanation_in_spanish_and_none_is_kept_that_is_no_more() -> None:
    explained = [one for codes in (CODES, *CATALOGUES.values()) for one in codes.values()]
    wanted = {text for one in explained for text in (one.title, one.explanation)}
    with (ROOT / "shared/http/locale/es.po").open("rb") as source:
        spanish = {str(one.id): str(one.string) for one in read_po(source, locale="es") if one.id}
    assert wanted == spanish.keys()
    assert [text for text, told in spanish.items() if not told] == []
    for text, told in spanish.items():
        # What is sent and read by programs is called the same in every language.
        assert set(re.findall(r"`([a-z_]+)`", told)) <= set(re.findall(r"`([a-z_]+)`", text)), text


@pytest.mark.parametrize(
    ("wished", "title"),
    [
        (None, "Unknown commitment"),
        ("*", "Unknown commitment"),
        ("en, es;q=0.8", "Unknown commitment"),
        ("fr", "Unknown commitment"),
        ("es", "Compromiso desconocido"),
        ("es-CL,es;q=0.9,en;q=0.8", "Compromiso desconocido"),
    ],
)
async def test_a_refusal_is_told_in_spanish_to_whoever_wishes_it_and_its_code_and_fields_stay(
    house: House, wished: str | None, title: str
) -> None:
    headers: dict[str, Any] = {} if wished is None else {"Accept_Language": wished}
    answer = await house.ask("commitments", "GET", "/v1/commitments/NOBODY", **headers)
    told = answer.json()
    assert (answer.status_code, told["title"]) == (404, title)
    assert told["type"].endswith("/unknown-commitment")
    assert answer.headers.get("content-language") == ("es" if title.startswith("Compromiso") else None)


async def test_what_only_the_sentence_says_is_kept_beside_the_spanish_one(house: House) -> None:
    path = "/v1/board?colour=red"
    english = (await house.ask("reporting", "GET", path)).json()
    spanish = (await house.ask("reporting", "GET", path, Accept_Language="es")).json()
    assert spanish["title"] == "Parámetro desconocido"
    assert english["detail"] in spanish["detail"]
    assert spanish["errors"] == english["errors"]
    assert spanish.keys() == english.keys()


def test_a_code_means_the_same_in_every_service() -> None:
    for one, codes in CATALOGUES.items():
        assert codes.keys() & CODES.keys() == set(), one
        for other, others in CATALOGUES.items():
            for code in codes.keys() & others.keys():
                assert codes[code].status == others[code].status, (one, other, code)
