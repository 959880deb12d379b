"""Examples for the OpenAPI document, put together from what each schema says of its own parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ID = "7e2cf1b2-3f3c-4c2e-9d27-0d9a1f7f3a55"
DEEPEST = 8
"""Levels of a schema that refers to itself which an example follows."""

_FORMATS = {
    "date": "2012-05-21",
    "date-time": "2012-11-21T18:00:00.000000Z",
    "uuid": ID,
    "uri": "https://www.example.org/20595",
    "uri-reference": "/errors/not-found",
}
_NUMBERS = {"integer": 1, "number": 1.5}


class Examples:
    """Makes examples of schemas that may refer to those in `components`."""

    def __init__(self, components: Mapping[str, Any]) -> None:
        self._components = components

    def answer(self, schema: Mapping[str, Any]) -> Any:
        """An example of an answer: every member, and one item in each list."""
        return self._make(schema, "value", whole=True, depth=0)

    def request(self, schema: Mapping[str, Any]) -> Any:
        """An example of a request: what must be said, and what the schema itself gives an example of."""
        return self._make(schema, "value", whole=False, depth=0)

    def _make(self, schema: Mapping[str, Any], name: str, *, whole: bool, depth: int) -> Any:
        if "examples" in schema:
            return schema["examples"][0]
        for keyword in ("example", "const"):
            if keyword in schema:
                return schema[keyword]
        if "enum" in schema:
            return schema["enum"][0]
        if "$ref" in schema:
            return self._make(self._resolved(schema["$ref"]), name, whole=whole, depth=depth)
        for keyword in ("anyOf", "oneOf", "allOf"):
            if keyword in schema:
                return self._make(schema[keyword][0], name, whole=whole, depth=depth)
        kind = schema.get("type")
        if kind == "object":
            return self._object(schema, whole=whole, depth=depth)
        if kind == "array":
            if depth >= DEEPEST or not (whole or schema.get("minItems")):
                return []
            return [self._make(schema.get("items", {}), name, whole=whole, depth=depth + 1)]
        return _plain(schema, kind, name)

    def _object(self, schema: Mapping[str, Any], *, whole: bool, depth: int) -> dict[str, Any]:
        members = schema.get("properties", {})
        required = schema.get("required", ())
        return {
            name: self._make(member, name, whole=whole, depth=depth + 1)
            for name, member in members.items()
            if name in required or (depth < DEEPEST and (whole or _speaks(member)))
        }

    def _resolved(self, reference: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._components["schemas"][reference.rpartition("/")[2]]
        return found


def _speaks(member: Mapping[str, Any]) -> bool:
    """Whether a member that may be left out comes with an example of its own."""
    return "examples" in member or any("examples" in one for one in member.get("anyOf", ()))


def _plain(schema: Mapping[str, Any], kind: Any, name: str) -> Any:
    if kind in _NUMBERS:
        return schema.get("default", schema.get("minimum", _NUMBERS[kind]))
    if kind == "boolean":
        return schema.get("default", True)
    if kind == "null":
        return None
    return _FORMATS.get(schema.get("format", ""), name.replace("_", " "))
