"""`docs/events.md`: the published language as its readers see it, made from the event classes."""

from __future__ import annotations

import inspect as python
from collections.abc import Iterator

import msgspec
from msgspec import inspect

from shared.events.examples import example_of
from shared.events.facts import COMPUTED, Event
from shared.events.registry import EVENT_TYPES

_HEAD = """\
# Events

<!-- Made by `make docs` from the code; do not edit. -->

The log is a sequence of events, each one line of JSON; `GET /v1/events` hands out the stored bytes. Type names and
field names are a public format: they are never renamed and never used again for something else. New optional fields
and new types may appear at any time; pass over what you do not know.

Around its `data` every event has the same envelope:

| field | type | meaning |
|---|---|---|
| `position` | integer | Where it stands in the log: 1, 2, 3, … without a gap. |
| `recorded_at` | instant (RFC 3339, UTC, six decimals) | When the log learned it; never falls as positions rise. |
| `type` | string | One of the names below. |
| `stream_id` | UUID | The thing whose story it continues. |
| `version` | integer | Which event of that thing it is: 1, 2, 3, … |
| `recorded_by` | object | `subject`, `organization`, `role`; of an API key `holder` and `asked_by`: who asked for it. |
| `correlation_id` | string | The request it was part of. |
| `causation_id` | integer, optional | The position of the event that triggered it, where a policy acted. |
| `nonce` | string, optional | 128 random bits, in hexadecimal; old events go by the SHA-256 of their line instead. |
| `traceparent` | string, optional | The trace in which it was recorded (W3C Trace Context), where traces are kept. |
| `data` | object | What happened: the fields below. |

A field that is optional is left out when it has its default, which is none unless the table says otherwise. Days are
civil days of the government's time zone; `effective_on` is the day a fact took effect in the world.
"""


def render() -> str:
    """The whole document, in Markdown."""
    parts: dict[str, type[msgspec.Struct]] = {}
    lines = [_HEAD, "## Types", ""]
    lines += [f"- [`{name}`](#{_anchor(name)})" for name in EVENT_TYPES]
    for name, cls in EVENT_TYPES.items():
        lines += ["", f"## `{name}`", "", _meaning(cls), "", *_fields(cls, parts)]
        lines += ["", "```json", _pretty(cls), "```"]
    lines += ["", "## Parts", "", "Objects inside the data of events."]
    described: set[str] = set()
    while waiting := sorted(parts.keys() - described):
        for name in waiting:
            described.add(name)
            lines += ["", f"### {name}", "", _meaning(parts[name]), "", *_fields(parts[name], parts)]
    return "\n".join(lines) + "\n"


def _meaning(cls: type[msgspec.Struct]) -> str:
    return python.getdoc(cls) or ""


def _fields(cls: type[msgspec.Struct], parts: dict[str, type[msgspec.Struct]]) -> Iterator[str]:
    info = inspect.type_info(cls)
    assert isinstance(info, inspect.StructType)
    yield "| field | type | |"
    yield "|---|---|---|"
    for field in info.fields:
        yield f"| `{field.encode_name}` | {_type(field.type, parts)} | {_need(field)} |"


def _need(field: inspect.Field) -> str:
    if field.required or field.default is COMPUTED:
        return "required"
    if field.default in (None, (), msgspec.NODEFAULT):
        return "optional"
    return f"optional; `{msgspec.json.encode(field.default).decode().strip(chr(34))}` when absent"


def _type(info: inspect.Type, parts: dict[str, type[msgspec.Struct]]) -> str:
    match info:
        case inspect.UnionType(types=types):
            return " or ".join(_type(t, parts) for t in types if not isinstance(t, inspect.NoneType))
        case inspect.StructType(cls=cls):
            parts[cls.__name__] = cls
            return f"[{cls.__name__}](#{cls.__name__.lower()})"
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return f"list of {_type(item, parts)}"
        case inspect.DictType():
            return "object"
        case inspect.EnumType(cls=cls):
            return " · ".join(f"`{member.value}`" for member in cls)
        case _:
            return _SCALARS[type(info)]


_SCALARS: dict[type[inspect.Type], str] = {
    inspect.AnyType: "any JSON value",
    inspect.BoolType: "boolean",
    inspect.DateTimeType: "instant",
    inspect.DateType: "day",
    inspect.DecimalType: "decimal number",
    inspect.FloatType: "number",
    inspect.IntType: "integer",
    inspect.StrType: "string",
    inspect.UUIDType: "UUID",
}


def _anchor(name: str) -> str:
    return name.replace(".", "")


def _pretty(cls: type[Event]) -> str:
    encoded = msgspec.json.Encoder(decimal_format="number").encode(example_of(cls))
    return msgspec.json.format(encoded, indent=2).decode()
