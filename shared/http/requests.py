"""Requests made of events: the same fields and limits, without what the service fills in.

The body of a POST that records a fact is the fact itself as the caller knows it, so its model is made from the event.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date
from functools import cache
from types import UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Generic,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec
from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.fields import FieldInfo

from shared.events.facts import COMPUTED
from shared.events.types import Computed, TodayByDefault

S = TypeVar("S", bound=msgspec.Struct)


class RequestModel(BaseModel):
    """The body of a request: an unknown field is refused, and a number is a finite one."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class StructRequest(RequestModel, Generic[S]):
    """A request with the fields of an event, or of a part of one; made by `request_of`."""

    STRUCT: ClassVar[Callable[..., Any]]
    """What makes the event of its members: its type."""
    TODAY: ClassVar[tuple[str, ...]] = ()
    """The days that are today's when the request leaves them out."""
    MAY_BE_ABSENT: ClassVar[frozenset[str]] = frozenset()
    """The members that say nothing when the request leaves them out, where null would say something."""

    def struct(self, today: date | None = None, **more: Any) -> S:
        """The proposed event; `more` are members that do not come from the body."""
        members = {
            name: _value(getattr(self, name))
            for name, field in type(self).model_fields.items()
            if (
                name in self.model_fields_set
                if name in self.MAY_BE_ABSENT
                else field.is_required() or getattr(self, name) is not None
            )
        }
        for name in self.TODAY:
            members.setdefault(name, today)
        return cast("S", type(self).STRUCT(**members | more))


def request_of(
    struct: type[S],
    *,
    without: Collection[str] = (),
    optional: Collection[str] = (),
    name: str | None = None,
    doc: str | None = None,
    made_by: Callable[..., Any] | None = None,
    example: Mapping[str, Any] | None = None,
    **fields: Any,
) -> type[StructRequest[S]]:
    """The model of a request that proposes an event.

    Left out are the fields that the service fills in and those `without`; `optional` may be left out by the caller,
    even where the event always has them. `fields` have another type in the request, or are no fields of the event: what
    then makes the event of all of them is `made_by`. `example` says of these how they look in that of the event.
    """
    if fields or made_by or example:
        return _made(struct, without, optional, name, doc, made_by, example, fields)
    return cast("type[StructRequest[S]]", _as_it_is(struct, tuple(without), tuple(optional), name, doc))


@cache
def _as_it_is(
    struct: type[S], without: tuple[str, ...], optional: tuple[str, ...], name: str | None, doc: str | None
) -> type[StructRequest[S]]:
    # Kept, because to make a model takes longer than all else at the start of a service.
    return _made(struct, without, optional, name, doc, None, None, {})


def _made(
    struct: type[S],
    without: Collection[str],
    optional: Collection[str],
    name: str | None,
    doc: str | None,
    made_by: Callable[..., Any] | None,
    example: Mapping[str, Any] | None,
    fields: Mapping[str, Any],
) -> type[StructRequest[S]]:
    hints = get_type_hints(struct, include_extras=True)
    made: dict[str, Any] = {}
    today, absent = [], set()
    for field in msgspec.structs.fields(struct):
        hint = hints[field.name]
        marks = _marks(hint)
        if field.name in fields or field.name in without:
            continue
        if _may_be_absent(hint):
            absent.add(field.name)
            made[field.name] = (_requested(hint), Field(default=None, json_schema_extra=_without_default))
            continue
        if field.name not in optional and (field.default is COMPUTED or Computed() in marks):
            continue
        annotation = _requested(hint)
        if TodayByDefault() in marks:
            today.append(field.name)
        if field.name in optional or TodayByDefault() in marks:
            # Of a type that may be null the library shows no description but that of the member itself.
            made[field.name] = (annotation | None, Field(default=None, description=_description(marks)))
        else:
            made[field.name] = (annotation, ... if field.required else field.default)
    model = create_model(
        name or f"{struct.__name__}Request",
        __base__=StructRequest,
        __doc__=doc or struct.__doc__,
        **made | {key: value if isinstance(value, tuple) else (value, ...) for key, value in fields.items()},
    )
    shown = {**getattr(struct, "EXAMPLE", {}), **(example or {})}
    if shown := {member: value for member, value in shown.items() if member in model.model_fields}:
        model.model_config["json_schema_extra"] = {"examples": [shown]}
    model.STRUCT = made_by or struct
    model.MAY_BE_ABSENT = frozenset(absent)
    model.TODAY = tuple(today)
    return cast("type[StructRequest[S]]", model)


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


def _requested(hint: Any) -> Any:
    """A type as it is in a request: parts are models."""
    origin = get_origin(hint)
    if origin is Annotated:
        inner, *marks = get_args(hint)
        return Annotated[(_requested(inner), *marks)]
    if origin in (Union, UnionType):
        given = (one for one in get_args(hint) if one is not msgspec.UnsetType)
        return Union[tuple(_requested(one) for one in given)]  # noqa: UP007 - made at run time
    if origin is tuple:
        return tuple[_requested(get_args(hint)[0]), ...]  # type: ignore[misc]
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return request_of(hint, name=f"{hint.__name__}Part")
    return hint


def _may_be_absent(hint: Any) -> bool:
    return get_origin(hint) in (Union, UnionType) and msgspec.UnsetType in get_args(hint)


def _marks(hint: Any) -> list[Any]:
    if get_origin(hint) is Annotated:
        inner, *marks = get_args(hint)
        return [*marks, *_marks(inner)]
    return []


def _description(marks: list[Any]) -> str | None:
    said = (mark.description for mark in marks if isinstance(mark, FieldInfo))
    return next((description for description in said if description), None)


def _value(value: Any) -> Any:
    if isinstance(value, StructRequest):
        return value.struct()
    if isinstance(value, tuple):
        return tuple(_value(item) for item in value)
    return value
