"""What a request names, in the spelling that is on record: `edu-1` means `EDU-1`, and is recorded as that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator
from functools import cache
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel

from shared.aggregate.redaction import REFERENCE_FIELDS
from shared.eventlog.store import Store
from shared.events.commitments import Registered
from shared.events.types import FieldValue, Names

M = TypeVar("M", bound=BaseModel)

MOST_REMEMBERED: Final = 100_000
"""Spellings kept in memory; then it begins anew."""

Spelling = Callable[[str, str], Awaitable[str | None]]
"""From a kind of thing and a code in any spelling to the code on record; None when nothing is meant."""


class Spellings:
    """The codes on record, in the spelling in which they are; what was found once is remembered, for it stays."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[tuple[str, str], str] = {}

    async def __call__(self, kind: str, code: str) -> str | None:
        """See `Spelling`."""
        found = self._known.get((kind, code))
        if found is None:
            found = await asyncio.to_thread(self._store.spelling, kind, code)
            if found is not None:
                if len(self._known) >= MOST_REMEMBERED:
                    self._known.clear()
                self._known[kind, code] = found
        return found


async def respelled(model: M, spelling: Spelling) -> M:
    """A request with the codes in it as they are on record; those that are not stay as they are."""
    named = dict.fromkeys(_named_in(model))
    if not named:
        return model
    found = {(kind, code): await spelling(kind, code) or code for kind, code in named}
    if all(code == found[kind, code] for kind, code in found):
        return model
    respelt: M = _with(model, found)
    return respelt


def _named_in(model: BaseModel) -> Iterator[tuple[str, str]]:
    """Each code in a request, with the kind of thing that it names."""
    for field, kind in _naming_fields(type(model)).items():
        yield from _codes_in(getattr(model, field), _kind(model, kind))


def _codes_in(value: Any, kind: str | None) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if kind is not None:
            yield kind, value
    elif isinstance(value, BaseModel):
        yield from _named_in(value)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _codes_in(item, kind)


def _with(value: Any, found: dict[tuple[str, str], str], kind: str | None = None) -> Any:
    if isinstance(value, str):
        return value if kind is None else found[kind, value]
    if isinstance(value, BaseModel):
        fields = _naming_fields(type(value)).items()
        return value.model_copy(
            update={
                name: _with(getattr(value, name), found, _kind(value, kind))
                for name, kind in fields
                if name in value.model_fields_set
            }
        )
    if isinstance(value, tuple | list):
        return type(value)(_with(item, found, kind) for item in value)
    return value


_OF_FIELD: Final = "of its field"
"""In place of a kind: that of the field of a registration which the request names beside it."""


def _kind(model: BaseModel, kind: str | None) -> str | None:
    if kind is not _OF_FIELD:
        return kind
    named = REFERENCE_FIELDS(Registered).get(getattr(model, "field", ""))
    return None if named is None or named.names is None else named.names.value


@cache
def _naming_fields(model: type[BaseModel]) -> dict[str, str | None]:
    """The fields of a model that name things, with the kind of these; None for those with parts that do."""
    found: dict[str, str | None] = {}
    for name, field in model.model_fields.items():
        marks = [*field.metadata, *_marks(field.annotation)]
        kinds = [mark.kind.value for mark in marks if isinstance(mark, Names)]
        if kinds:
            found[name] = kinds[0].replace("_", "-")
        elif any(isinstance(mark, FieldValue) for mark in marks):
            found[name] = _OF_FIELD
        elif any(_naming_fields(part) for part in _parts(field.annotation)):
            found[name] = None
    return found


def _marks(annotation: Any) -> Iterator[Any]:
    yield from getattr(annotation, "__metadata__", ())
    for inner in get_args(annotation):
        yield from _marks(inner)


def _parts(annotation: Any) -> Collection[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [part for inner in get_args(annotation) for part in _parts(inner)]
