"""An example of any event type, made from its fields, every one of them filled: for the documents and the contracts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import inspect

from shared.events.facts import Event

_WORDS: dict[str, object] = {
    "code": "SEG-014",
    "name": "Citizen security",
    "title": "Build ten police stations",
    "unit": "% of households",
    "period": "2011-Q3",
    "amount": "1250000",
    "currency": "CLP",
    "year": 2012,
    "lead_organization": "MININT",
    "organization": "MININT",
    "previous": "MINDES",
    "commitment": "SEG-014",
    "indicator": "SEG-IND-02",
    "decision": "D-2011-007",
    "into": "SEG-015",
    "parts": "SEG-014-1",
    "subject": "u-17",
    "url": "https://example.org/document.pdf",
    "field": "title",
    "key_id": "k-3f9a",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "cause": "JSON is malformed: expected ':' (byte 335)",
    "secret_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}
"""Values that read better than the field's own name."""

_DAY = date(2011, 5, 21)


def example_of(event_type: type[Event]) -> Event:
    """One event of a type, with every field filled and none at its default, so that all of them are written."""
    example: Event = _struct(event_type)
    return example


def _struct(cls: type[Any]) -> Any:
    info = inspect.type_info(cls)
    assert isinstance(info, inspect.StructType)
    return cls(**{field.name: _value(field.type, field.name, field.default) for field in info.fields})


def _value(info: inspect.Type, name: str, default: object) -> Any:
    match info:
        case inspect.UnionType(types=types):
            return _value(next(t for t in types if not isinstance(t, inspect.NoneType)), name, default)
        case inspect.StructType(cls=cls):
            return _struct(cls)
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return (_value(item, name, None),)
        case inspect.DictType():
            return {"name": _text(name)}
        case inspect.EnumType(cls=cls):
            return next(member for member in cls if member != default)
        case _:
            return _scalar(info, name, default)


def _scalar(info: inspect.Type, name: str, default: object) -> Any:
    match info:
        case inspect.BoolType():
            return default is not True
        case inspect.IntType():
            known = _WORDS.get(name)
            return known if isinstance(known, int) else 2
        case inspect.DateType():
            return _DAY
        case inspect.DateTimeType():
            return datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
        case inspect.DecimalType():
            return Decimal("12.50")
        case inspect.UUIDType():
            return UUID("0b6ee5a4-52a7-5c1c-9f3c-6a54a3f0a1de")
        case inspect.FloatType():
            return 12.5
        case inspect.StrType() | inspect.AnyType():
            return _text(name)
        case _:
            raise TypeError(f"no example for {info} ({name}): say here what one looks like")


def _text(name: str) -> str:
    known = _WORDS.get(name)
    return known if isinstance(known, str) else name.replace("_", " ").capitalize()
