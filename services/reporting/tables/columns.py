"""The columns of a table, read off the documents that its list answers with.

A member is a column; one that is a document itself gives a column for each of its members, under both names
(`budget_impact_amount`). Words in a list stand in one cell, one after the other; a list of documents is one cell of
JSON, unless the table has a row for each of them (`spread`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NamedTuple, Protocol, Union, get_args, get_origin
from uuid import UUID

import msgspec

from shared.events.vocabulary import ResultType
from shared.http.meanings import MEANINGS
from shared.rules.traffic_light import Status

BETWEEN: Final = "; "
"""What stands between the words of a list in one cell."""

Lang = Literal["es", "en"]
Cell = str | int | Decimal | bool | None
"""What stands in a cell; days and instants are texts in ISO 8601, as in answers."""


class Output(Protocol):
    """What a table is written to."""

    def write(self, content: bytes, /) -> int:
        """Write on."""


class Kind(StrEnum):
    """What is in a column."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    FLAG = "flag"
    DAY = "day"
    INSTANT = "instant"


class Column(NamedTuple):
    """A column: its name, where in an item its cells are, what they are, and what that means."""

    name: str
    path: tuple[str, ...]
    kind: Kind
    about: str = ""

    def label(self, lang: Lang | None) -> str:
        """What stands above it; without a language its name, which scripts can rely on."""
        if lang is None:
            return self.name
        return ": ".join(word(part, lang) for part in self.path)

    def cell(self, item: Mapping[str, Any]) -> Cell:
        """Its cell in the row of an item."""
        value: Any = item
        for part in self.path:
            if value is None:
                return None
            value = value.get(part)
        if value is None or value == []:
            return None
        if isinstance(value, list) and not any(isinstance(one, dict | list) for one in value):
            return BETWEEN.join(map(str, value))
        if isinstance(value, dict | list):
            return _json(value).decode()
        if self.kind is Kind.NUMBER and isinstance(value, str):
            return Decimal(value)
        return str(value) if self.kind is Kind.TEXT else value


_json = msgspec.json.Encoder(decimal_format="number").encode

_WORDS: Final[Mapping[str, Iterable[str]]] = {"by_status": Status, "by_result_type": ResultType}
"""Members that count by words, and the words."""
_NUMBERS: Final = frozenset({"amount", "percent"})
"""Numbers that answers write as texts, so that nobody rounds them."""
_KINDS: Final[Mapping[type, Kind]] = {
    bool: Kind.FLAG,
    int: Kind.INTEGER,
    Decimal: Kind.NUMBER,
    float: Kind.NUMBER,
    date: Kind.DAY,
    datetime: Kind.INSTANT,
    UUID: Kind.TEXT,
}


class Shape(NamedTuple):
    """What is a row: an item, where nothing else is said."""

    spread: str | None = None
    """Each member of this list of an item, with what else the item says."""
    nested: str | None = None
    """Each item, and each member of this list of it, of theirs, and so on; with its `level` and its `parent`."""


def columns_of(document: type[msgspec.Struct], shape: Shape = Shape()) -> list[Column]:  # noqa: B008
    """The columns of a table of such documents."""
    if shape.nested is None:
        return list(_columns(document, (), shape.spread))
    inner = next(field.type for field in msgspec.structs.fields(document) if field.name == shape.nested)
    found = {
        column.name: column
        for one in (document, get_args(plain(inner))[0])
        for column in _columns(one, ())
        if column.name != shape.nested
    }
    return [
        Column("level", ("level",), Kind.INTEGER, "How far below the top of the tree it stands."),
        Column("parent", ("parent",), Kind.TEXT, "The code of what it is directly part of."),
        *found.values(),
    ]


def rows_of(item: Mapping[str, Any], shape: Shape) -> Iterator[Mapping[str, Any]]:
    """The rows of one item."""
    if shape.spread is not None:
        for one in item[shape.spread]:
            yield {**item, shape.spread: one}
    elif shape.nested is not None:
        yield from _branch(item, shape.nested, 0, None)
    else:
        yield item


def cells_of(columns: Sequence[Column], item: Mapping[str, Any]) -> list[Cell]:
    """The row of an item."""
    return [column.cell(item) for column in columns]


def _branch(
    item: Mapping[str, Any], nested: str, level: int, parent: str | None
) -> Iterator[Mapping[str, Any]]:
    yield {**item, "level": level, "parent": parent}
    for one in item[nested]:
        yield from _branch(one, nested, level + 1, item.get("code"))


def _columns(
    document: type[msgspec.Struct], path: tuple[str, ...], spread: str | None = None
) -> Iterator[Column]:
    for field in msgspec.structs.fields(document):
        name, here = field.encode_name, (*path, field.encode_name)
        inner = plain(field.type)
        if name == spread and get_origin(inner) is list:
            inner = plain(get_args(inner)[0])
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            yield from _columns(inner, here)
        elif get_origin(inner) is dict and name in _WORDS:
            for one in map(str, _WORDS[name]):
                yield Column("_".join((*here, one)), (*here, one), Kind.INTEGER, f"How many are `{one}`.")
        else:
            yield Column(
                "_".join(here), here, _kind(name, inner), _about(field.type) or MEANINGS.get(name, "")
            )


def plain(hint: Any) -> Any:
    """A type without what is said of it, and without that it may be missing."""
    if get_origin(hint) is Annotated:
        return plain(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        others = [one for one in get_args(hint) if one not in (NoneType, msgspec.UnsetType)]
        return plain(others[0]) if len(others) == 1 else hint
    return hint


def _kind(name: str, plain: Any) -> Kind:
    if name in _NUMBERS:
        return Kind.NUMBER
    if plain is str and name.endswith("_at"):
        return Kind.INSTANT
    if isinstance(plain, type) and issubclass(plain, Enum):
        return Kind.TEXT
    return _KINDS.get(plain, Kind.TEXT)


def _about(hint: Any) -> str:
    """What the document says of a member."""
    if get_origin(hint) in (Union, UnionType):
        return next(filter(None, map(_about, get_args(hint))), "")
    if get_origin(hint) is not Annotated:
        return ""
    inner, *marks = get_args(hint)
    told = (getattr(mark, "description", None) for mark in reversed(marks))
    return next(filter(None, told), "") or _about(inner)


def word(name: str, lang: Lang | None) -> str:
    """What a member of a document is called; by its name where there is no language, or no word."""
    return name if lang is None else labels().get(name, {}).get(lang, name)


@cache
def labels() -> Mapping[str, Mapping[str, str]]:
    """What the members of documents are called above a column, by their names, in each language."""
    found = tomllib.loads(Path(__file__).with_name("labels.toml").read_text("utf-8"))
    return {name: dict(zip(get_args(Lang), texts, strict=True)) for name, texts in found.items()}
