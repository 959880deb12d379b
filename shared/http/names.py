"""What a request names, in the spelling that is on record: `edu-1` means `EDU-1`, and is recorded as that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final, TypeVar, get_args, get_type_hints

from pydantic import BaseModel

from shared.aggregate.redaction import ReadersOf, Reference
from shared.errors import InvalidInput
from shared.eventlog.store import Store
from shared.events.commitments import Registered
from shared.events.types import FieldValue, Kind, Known, Names
from shared.identity.actor import Actor
from shared.rules.visibility import reads_everything

M = TypeVar("M", bound=BaseModel)

MOST_REMEMBERED: Final = 100_000
"""Spellings kept in memory; then it begins anew."""

Spelling = Callable[[str, str], Awaitable[str | None]]
"""From a kind of thing and a code in any spelling to the code on record; None when nothing is meant."""


Readable = Callable[[str, Collection[str], Actor | None], Awaitable[Collection[str] | None]]
"""Those of some codes, of a kind of things, that an asker may know of; None: of all that are on record."""


class Spellings:
    """The codes on record, in the spelling in which they are; what was found once is remembered, for it stays."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[tuple[str, str], str] = {}

    def clear(self) -> None:
        """Forget what was found: the log is another one."""
        self._known.clear()

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


def readable_by(readers_of: ReadersOf) -> Readable:
    """What an asker may know of, from who may read it; nobody hides what has no readers of its own."""

    async def readable(kind: str, codes: Collection[str], actor: Actor | None) -> Collection[str] | None:
        if actor is not None and reads_everything(actor):
            return None
        found = {code: await readers_of(Reference(Kind(kind), code)) for code in codes}
        if not any(found.values()):
            return None
        return {
            code
            for code, readers in found.items()
            if readers is not None and actor is not None and readers.include(actor)
        }

    return readable


Codes = Mapping[tuple[str, str], str]
"""By the kind of thing and the code as it was written: the code on record or, where nothing has it, the same again."""


async def codes_in(model: BaseModel, spelling: Spelling, *, own: bool = False) -> Codes:
    """The codes that a request names and, if asked for, those under which it lets things be known."""
    named = dict.fromkeys(_named_in(model, own))
    return {(kind, code): await spelling(kind, code) or code for kind, code in named}


def respelled(model: M, codes: Codes) -> M:
    """A request with the codes that it names as they are on record."""
    if all(code == on_record for (_, code), on_record in codes.items()):
        return model
    respelt: M = _with(model, codes)
    return respelt


def respelled_json(document: Any, model: BaseModel, codes: Codes) -> Any:
    """The JSON of a request with all codes in it as they are on record, its own included."""
    return _json_with(document, model, codes)


def has_names(model: type[BaseModel]) -> bool:
    """Whether some field of a model names things."""
    return bool(_naming_fields(model))


async def known_codes(query: M, spelling: Spelling, readable: Readable, actor: Actor | None) -> M:
    """A query with the codes in its filters as they are on record.

    InvalidInput for a code that nothing has, or only what the asker may not know of: an empty answer would tell that
    there is nothing, where the question was mistyped.
    """
    found: dict[str, str] = {}
    for name, kind in _naming_fields(type(query)).items():
        text = getattr(query, name)
        if text is None or kind is None:
            continue
        asked = split_words(text) if _takes_several(type(query), name) else [text]
        codes = [await spelling(kind, code) for code in asked]
        # What is not on record is looked for as well: the time it takes must not tell it from what is hidden.
        known = await readable(kind, [code or given for code, given in zip(codes, asked, strict=True)], actor)
        for given, code in zip(asked, codes, strict=True):
            if (code is None) if known is None else ((code or given) not in known):
                raise InvalidInput(
                    "filter-value-unknown",
                    f"There is no {kind} by '{given}'.",
                    pointer=f"/query/{type(query).model_fields[name].alias or name}",
                )
        if asked:  # of none at all the list itself says that it wants some
            found[name] = ",".join(code or given for code, given in zip(codes, asked, strict=True))
    return query.model_copy(update=found) if found else query


def _takes_several(query: type[BaseModel], name: str) -> bool:
    """Whether a parameter is a text of several codes, and not of a type that is one code itself."""
    return not any(isinstance(mark, Names) for mark in _marks(query.model_fields[name].annotation))


def split_words(text: str) -> list[str]:
    """Words separated by commas."""
    return [word for word in (part.strip() for part in text.split(",")) if word]


def _named_in(model: BaseModel, own: bool) -> Iterator[tuple[str, str]]:
    """Each code in a request, with the kind of thing that it names."""
    for field, kind in _naming_fields(type(model), own).items():
        yield from _codes_in(getattr(model, field), _kind(model, kind), own)


def _codes_in(value: Any, kind: str | None, own: bool) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if kind is not None:
            yield kind, value
    elif isinstance(value, BaseModel):
        yield from _named_in(value, own)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _codes_in(item, kind, own)


def _json_with(document: Any, value: Any, codes: Codes, kind: str | None = None) -> Any:
    """A document with these codes; `value` is what was made of it, and says what of it is a code."""
    if isinstance(document, str):
        return document if kind is None else codes.get((kind, document), document)
    if isinstance(document, dict) and isinstance(value, BaseModel):
        fields = _naming_fields(type(value), own=True)
        return {
            name: _json_with(member, getattr(value, name), codes, _kind(value, fields[name]))
            if name in fields
            else member
            for name, member in document.items()
        }
    if isinstance(document, list) and isinstance(value, tuple | list):
        return [_json_with(*item, codes, kind) for item in zip(document, value, strict=True)]
    return document


def _with(value: Any, found: Codes, kind: str | None = None) -> Any:
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
    field = get_type_hints(Registered, include_extras=True).get(getattr(model, "field", ""))
    return _kind_named(_marks(field))


@cache
def _naming_fields(model: type[BaseModel], own: bool = False) -> dict[str, str | None]:
    """The fields of a model that name things, with the kind of these; None for those with parts that do.

    With `own` those as well under which a thing is itself known from now on.
    """
    naming = (Names, Known) if own else Names
    found: dict[str, str | None] = {}
    for name, field in model.model_fields.items():
        marks = [*field.metadata, *_marks(field.annotation)]
        if any(isinstance(mark, naming) for mark in marks):
            found[name] = _kind_named(marks)
        elif any(isinstance(mark, FieldValue) for mark in marks):
            found[name] = _OF_FIELD
        elif any(_naming_fields(part, own) for part in _parts(field.annotation)):
            found[name] = None
    return found


def _kind_named(marks: Iterable[Any]) -> str | None:
    """The kind of things that a field with these marks names, as their streams are called."""
    kinds = (mark.kind.value for mark in marks if isinstance(mark, Names | Known))
    return next((kind.replace("_", "-") for kind in kinds), None)


def _marks(annotation: Any) -> Iterator[Any]:
    yield from getattr(annotation, "__metadata__", ())
    for inner in get_args(annotation):
        yield from _marks(inner)


def _parts(annotation: Any) -> Collection[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [part for inner in get_args(annotation) for part in _parts(inner)]
