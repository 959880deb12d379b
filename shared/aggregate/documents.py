"""From events to the documents that answers are: the same fields, every one of them always written.

Events leave out what is at its default; an answer has every member. The types made here are what is sent, and the
OpenAPI document describes these very types.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from shared.aggregate.aggregate import DayOf, Entry
from shared.events.types import Names, Seal, Whole, WithDecision, WithReferral
from shared.identity.actor import Actor

Struct = msgspec.Struct

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""An instant that a document tells of, with its offset."""


@cache
def document_of(event: type[Struct]) -> type[Struct]:
    """The type of a document with the members of an event or of a part of one."""
    return msgspec.defstruct(event.__name__, _members(event), namespace=_described(event), kw_only=True)


@cache
def entry_document(event: type[Struct], **more: Any) -> type[Struct]:
    """The type of a document that tells of one recorded event: its members, `more`, who recorded it and where."""
    kept = [member for member in _members(event) if member[0] not in more]
    return msgspec.defstruct(
        event.__name__,
        [*kept, *more.items(), ("recorded_by", Actor), ("position", int)],
        namespace=_described(event),
        kw_only=True,
    )


def extended(
    name: str, event: type[Struct], doc: str, *, without: tuple[str, ...] = (), **more: Any
) -> type[Struct]:
    """The type of a document with the members of an event but for those `without`, and `more`."""
    kept = [member for member in _members(event) if member[0] not in (*without, *more)]
    return msgspec.defstruct(name, [*kept, *more.items()], namespace={"__doc__": doc}, kw_only=True)


def members_of(event: Struct) -> dict[str, Any]:
    """The members of an event or of a part of one, those at their default included."""
    return {name: _whole(getattr(event, name)) for name in event.__struct_fields__}


def as_entry(document: type[Struct], entry: Entry[Any], **more: Any) -> Struct:
    """A recorded event as a document of its `entry_document`."""
    return document(**members_of(entry.event) | more, recorded_by=entry.recorded_by, position=entry.position)


def as_entries(document: type[Struct], entries: Iterable[Entry[Any]]) -> list[Struct]:
    """Recorded events of one type as documents."""
    return [as_entry(document, entry) for entry in entries]


def as_dated_entry(document: type[Struct], entry: Entry[Any], day_of: DayOf) -> Struct:
    """A recorded event as a document that always tells the day from which it holds."""
    return as_entry(document, entry, effective_on=entry.day(day_of))


def as_optional_entry(document: type[Struct], entry: Entry[Any] | None) -> Struct | None:
    """A recorded event as a document, if there is one."""
    return None if entry is None else as_entry(document, entry)


def _whole(value: Any) -> Any:
    if isinstance(value, Struct):
        return document_of(type(value))(**members_of(value))
    if isinstance(value, tuple):
        return [_whole(item) for item in value]
    return value


def _members(event: type[Struct]) -> list[Any]:
    hints = get_type_hints(event, include_extras=True)
    documented = ((field.name, _documented(hints[field.name])) for field in msgspec.structs.fields(event))
    members = [(name, hint | None if _can_be_withheld(hint) else hint) for name, hint in documented]
    # What may be absent says something by being so: it is the one member that is not always written.
    return [
        (name, hint, msgspec.UNSET) if msgspec.UnsetType in get_args(hint) else (name, hint)
        for name, hint in members
    ]


def _can_be_withheld(hint: Any) -> bool:
    """Whether a member that always has a value is null to some readers: a name, perhaps, or what goes with one."""
    if get_origin(hint) is not Annotated:
        return False
    inner, *marks = get_args(hint)
    return type(None) not in get_args(inner) and any(
        (isinstance(mark, Names) and not mark.always_shown)
        or isinstance(mark, Seal | Whole | WithDecision | WithReferral)
        for mark in marks
    )


def _described(event: type[Struct]) -> dict[str, Any]:
    return {"__doc__": event.__doc__}


def _documented(hint: Any) -> Any:
    """A type as it is in a document: the parts inside it are documents too."""
    origin = get_origin(hint)
    if origin is Annotated:
        inner, *marks = get_args(hint)
        return Annotated[(_documented(inner), *marks)]
    if origin in (Union, UnionType):
        return Union[tuple(_documented(one) for one in get_args(hint))]  # noqa: UP007 - made at run time
    if origin is tuple:
        return list[_documented(get_args(hint)[0])]  # type: ignore[misc]
    if isinstance(hint, type) and issubclass(hint, Struct):
        return document_of(hint)
    return Moment if hint is datetime else hint
