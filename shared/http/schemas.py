"""JSON schemas of what is asked and answered, made from the very types that parse it and that it is sent as."""

from __future__ import annotations

from enum import StrEnum
from inspect import cleandoc
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from shared.http.meanings import MEANINGS

TEMPLATE = "#/components/schemas/{%s}"
_DECIMAL = {"type": "string", "format": "decimal"}


class Schemas:
    """The schemas of one OpenAPI document; what a type refers to is put beside it."""

    def __init__(self, components: dict[str, Any]) -> None:
        self._components = components

    def reference(self, type_: type[Any]) -> dict[str, Any]:
        """A schema that refers to that of a model or of a document."""
        if issubclass(type_, BaseModel):
            schema = type_.model_json_schema(ref_template=TEMPLATE % "model")
            self._put(schema.pop("$defs", {}))
            self._put({type_.__name__: schema})
            return {"$ref": f"#/components/schemas/{type_.__name__}"}
        (reference,), found = msgspec.json.schema_components([type_], ref_template=TEMPLATE % "name")
        self._put({name: _as_sent(schema) for name, schema in found.items()})
        self._describe(type_, set())
        return reference

    def path_parameter(self, name: str, annotation: Any) -> dict[str, Any]:
        """A parameter of a path."""
        schema = TypeAdapter(annotation).json_schema(ref_template=TEMPLATE % "model")
        self._components.update(schema.pop("$defs", {}))
        return _parameter(name, "path", schema, required=True)

    def query_parameters(self, query: type[BaseModel]) -> list[dict[str, Any]]:
        """The parameters of a query string."""
        schema = query.model_json_schema(ref_template=TEMPLATE % "model")
        self._components.update(schema.pop("$defs", {}))
        required = schema.get("required", ())
        return [
            _parameter(name, "query", member, required=name in required)
            for name, member in schema.get("properties", {}).items()
        ]

    def _put(self, schemas: dict[str, Any]) -> None:
        """Keep schemas under their names; ValueError where one would take the place of another."""
        for name, schema in schemas.items():
            known = self._components.get(name, schema)
            if known.get("properties", {}).keys() != schema.get("properties", {}).keys():
                raise ValueError(f"Two types with different members are called {name}.")
            self._components[name] = schema

    def _describe(self, struct: type[msgspec.Struct], done: set[type]) -> None:
        """Descriptions and examples that the fields of documents carry, and that the library does not read."""
        if struct in done:
            return
        done.add(struct)
        schema = self._components.get(struct.__name__, {})
        if "description" in schema:
            schema["description"] = cleandoc(schema["description"])
        for name, hint in get_type_hints(struct, include_extras=True).items():
            member = schema.get("properties", {}).get(name)
            for info in _field_infos(hint):
                if member is not None and info.description:
                    member.setdefault("description", info.description)
                if member is not None and info.examples:
                    member.setdefault("examples", info.examples)
            for inner in _structs(hint):
                self._describe(inner, done)


def one_of(words: type[StrEnum]) -> Meta:
    """Marks a text of an answer as one of the words of a closed list."""
    return Meta(extra_json_schema={"enum": [word.value for word in words]})


def describe_members(schema: Any) -> None:
    """Says what each member of the schemas of a document means that does not say so itself; see `MEANINGS`."""
    if isinstance(schema, dict):
        properties = schema.get("properties")
        for name, member in properties.items() if isinstance(properties, dict) else ():
            if isinstance(member, dict) and "description" not in member and name in MEANINGS:
                member["description"] = MEANINGS[name]
        for inner in schema.values():
            describe_members(inner)
    elif isinstance(schema, list):
        for inner in schema:
            describe_members(inner)


def _parameter(name: str, where: str, schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    parameter = {"name": name, "in": where, "required": required, "schema": schema}
    if "description" in schema:
        parameter["description"] = schema["description"]
    elif name in MEANINGS:
        parameter["description"] = MEANINGS[name]
    if "examples" in schema:
        parameter["example"] = schema["examples"][0]
    return parameter


def _as_sent(schema: Any) -> Any:
    """A schema as the bytes are: decimal numbers are sent as numbers, and clients pass over unknown members."""
    if schema == _DECIMAL:
        return {"type": "number"}
    if isinstance(schema, dict):
        return {name: _as_sent(value) for name, value in schema.items()}
    if isinstance(schema, list):
        return [_as_sent(value) for value in schema]
    return schema


def _field_infos(hint: Any) -> list[FieldInfo]:
    if get_origin(hint) is Annotated:
        inner, *marks = get_args(hint)
        return [*(one for one in reversed(marks) if isinstance(one, FieldInfo)), *_field_infos(inner)]
    if get_origin(hint) in (Union, UnionType):
        # What may be left out, or kept from somebody, means the same.
        return [found for one in get_args(hint) for found in _field_infos(one)]
    return []


def _structs(hint: Any) -> list[type[msgspec.Struct]]:
    if isinstance(hint, type) and get_origin(hint) is None:
        return [hint] if issubclass(hint, msgspec.Struct) else []
    if get_origin(hint) in (Annotated, Union, UnionType, list, tuple, dict):
        return [found for one in get_args(hint) for found in _structs(one)]
    return []
