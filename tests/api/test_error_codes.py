"""Every code that the source refuses with is in the catalogue, and every code in the catalogue is refused with."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from pydantic import ValidationError

from shared import errors, typesetting
from shared.errors import InvalidInput
from shared.http.catalogue import BY_STATUS, CODES, Catalogue
from shared.http.problems import Problems, RequestProblemError
from shared.http.routing import NO_BODY, NO_PARAMETERS
from shared.http.validation import BLANK, NO_OBJECT, TEXTS, UNKNOWN_FIELD, invalid_request
from tests.api.house import DECLARATIONS, House, catalogues

ROOT = Path(__file__).parents[2]
CATALOGUES: dict[str, Catalogue] = {
    name: {code: entry for code, entry in catalogue.items() if code not in CODES}
    for name, catalogue in catalogues().items()
}
KINDS = {name for name in dir(errors) if isinstance(getattr(errors, name), type)} | {"RequestProblemError"}
KINDS -= {"InvalidValue"}  # the code of what is said of values is that of the whole request
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


def sentences() -> set[str]:
    """What refusals say of their own where that is always the same."""
    found = {typesetting.EXTRA}
    for folder in ("shared", "services"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in KINDS:
                    found |= {text for one in node.args[1:2] for text in _text(one)}
    return found


def said_of_values() -> set[str]:
    """Every text that is said of a single value, beside those of the codes."""
    found = {*TEXTS.values(), UNKNOWN_FIELD, NO_OBJECT, BLANK}
    for path in (ROOT / "shared").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = {
            ast.unparse(one.targets[0] if isinstance(one, ast.Assign) else one.target): one.value
            for one in ast.walk(tree)
            if isinstance(one, ast.Assign | ast.AnnAssign)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
                "InvalidValue",
                "_not_written",
            ):
                given = [constants.get(ast.unparse(one), one) for one in node.args[:2]]
                found |= {text for one in given if one is not None for text in _text(one)}
    return {one for one in found if one != "."}


def test_every_text_of_a_refusal_is_there_in_spanish_and_none_is_kept_that_is_no_more() -> None:
    explained = [one for codes in (CODES, *CATALOGUES.values()) for one in codes.values()]
    wanted = {text for one in explained for text in (one.title, one.explanation)}
    wanted |= said_of_values() | {*NO_PARAMETERS, NO_BODY}
    with (ROOT / "shared/http/locale/es.po").open("rb") as source:
        spanish = {str(one.id): str(one.string) for one in read_po(source, locale="es") if one.id}
    # Sentences may be told in Spanish, too; one that is not stands in English beside what its code means.
    assert wanted <= spanish.keys() <= wanted | sentences()
    assert [text for text, told in spanish.items() if not told] == []
    for text, told in spanish.items():
        # What is sent and read by programs is called the same in every language.
        assert set(re.findall(r"`([a-z_]+)`", told)) <= set(re.findall(r"`([a-z_]+)`", text)), text
        assert sorted(re.findall(r"\{[a-z_]+\}", told)) == sorted(re.findall(r"\{[a-z_]+\}", text)), text


WRONG: tuple[Any, ...] = (
    *(
        None,
        True,
        "",
        " ",
        "x",
        "1.234,5",
        "12.345",
        "x" * 40_000,
        "a\u200bb",
        "2012-02-30",
        "2012-13-45T99:00:00Z",
    ),
    *(-1, 1.5, 10**30, 1e300, [], ["x"] * 1_001, [None], [{}], {}, {"x": 1}),
)
"""Values that most fields do not take."""
WRITTEN = [one for one in WRONG if isinstance(one, str)]


def refusals_of_values() -> Iterator[RequestProblemError]:
    """What is said of wrong values, in the place of every field and parameter of every route."""
    for _, one in DECLARATIONS:
        for model, where, values in ((one.body, (), WRONG), (one.query, ("query",), WRITTEN)):
            if model is None:
                continue
            for name in (*(field.alias or name for name, field in model.model_fields.items()), "colour"):
                for value in values:
                    try:
                        model.model_validate({name: value})
                    except ValidationError as error:
                        yield invalid_request(error, where)
                    except InvalidInput:
                        continue  # a refusal with a code of its own


def test_whatever_is_said_of_a_value_is_said_in_spanish_to_whoever_wishes_it() -> None:
    problems = Problems({})
    scope = {"path": "/", "headers": [(b"accept-language", b"es")]}
    english: dict[str, str] = {}
    for refusal in refusals_of_values():
        answer = problems.response(scope, 422, refusal.code, refusal.detail, errors=refusal.errors)
        for fault, told in zip(refusal.errors, json.loads(bytes(answer.body))["errors"], strict=True):
            english[fault.detail] = told["detail"]
    assert len(english) > 50
    assert [said for said, told in english.items() if said == told] == []


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
    assert spanish["detail"] == "La consulta nombra parámetros que aquí no existen."
    (said,), (told,) = english["errors"], spanish["errors"]
    assert said["pointer"] == told["pointer"] == "/query/colour"
    assert (said["detail"][:27], told["detail"][:24]) == (
        "There is no such parameter:",
        "No existe ese parámetro;",
    )
    assert spanish.keys() == english.keys()
    # What it says of this very request is told beside what the code means.
    path = "/v1/board?status=red"
    english = (await house.ask("reporting", "GET", path)).json()
    spanish = (await house.ask("reporting", "GET", path, Accept_Language="es")).json()
    assert f"(En inglés: {english['detail']})" in spanish["detail"]
    assert spanish["errors"][0]["detail"] == spanish["detail"]


def test_a_code_means_the_same_in_every_service() -> None:
    for one, codes in CATALOGUES.items():
        assert codes.keys() & CODES.keys() == set(), one
        for other, others in CATALOGUES.items():
            for code in codes.keys() & others.keys():
                assert codes[code].status == others[code].status, (one, other, code)
