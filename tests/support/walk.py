"""Everything that may be asked of a service without knowing what there is, read off its own description.

A route that is new is among them without being named here, with each of its parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from shared.http.service import Service
from shared.identity.actor import Role

OF_A_PAGE = frozenset({"cursor"})
"""Parameters that nobody makes up."""
_WORDS = re.compile(r"[a-z][a-z_0-9]*")


def questions(
    app: Service,
    names: Sequence[str],
    things: Mapping[str, Sequence[str]],
    given: Mapping[str, Sequence[str]],
) -> Iterator[str]:
    """Every GET that a ministry or anybody may ask: by itself, and with each parameter.

    `names` are tried wherever words are asked for. `things` are the names to put into paths, by the part of the path
    before; `given` are the values of some parameters. What a route cannot do without is always given.
    """
    for path, operations in app.openapi()["paths"].items():
        row = app.access.get(("GET", path))
        if row is None or not (row.anonymous or row.admits(Role.MINISTRY)):
            continue
        asked = [one for one in operations["get"].get("parameters", ()) if one["in"] == "query"]
        values = {one["name"]: _values(one, names, given) for one in asked if one["name"] not in OF_A_PAGE}
        always = {one["name"]: values[one["name"]][0] for one in asked if one.get("required")}
        for concrete in _paths(path, names, things):
            tried = [always, *(always | {name: value} for name, some in values.items() for value in some)]
            for query in dict.fromkeys(
                "&".join(f"{name}={value}" for name, value in one.items()) for one in tried
            ):
                yield f"{concrete}?{query}"


def _paths(path: str, names: Sequence[str], things: Mapping[str, Sequence[str]]) -> Iterator[str]:
    begin, brace, rest = path.partition("{")
    if not brace:
        yield path
        return
    _, _, end = rest.partition("}")
    for name in things.get(begin.rstrip("/").rpartition("/")[2], names):
        yield from _paths(begin + quote(name) + end, names, things)


def _values(
    parameter: Mapping[str, Any], names: Sequence[str], given: Mapping[str, Sequence[str]]
) -> list[str]:
    if parameter["name"] in given:
        return list(given[parameter["name"]])
    found = [*_schema_values(parameter["schema"])]
    if not found:
        _, _, listed = parameter.get("description", "").rpartition(": ")
        words = [word.strip() for word in listed.rstrip(".").split(",")]
        closed = len(words) > 1 and all(_WORDS.fullmatch(word) for word in words)
        found = words if closed else list(names[:2])
    return found


def _schema_values(schema: Mapping[str, Any]) -> Iterator[str]:
    for one in (schema, *schema.get("anyOf", ())):
        if "enum" in one or "const" in one:
            yield from map(str, one.get("enum", [one.get("const")]))
        elif one.get("type") == "boolean":
            yield from ("true", "false")
        elif one.get("type") in ("integer", "number"):
            yield str(one.get("minimum", 1))
        elif one.get("format") == "date":
            yield "2013-03-12"
