"""A short way into plain endpoints, for requests the framework would have nothing to object to.

The framework's own way costs more than the rest of a request together. Whatever is not plain (nested dependencies,
headers as parameters, constrained or converted path parameters, models in the query string) takes that way, and so
does a request with a value that is missing or does not validate, so that the framework alone decides what is refused
and how.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

from fastapi._compat import ModelField, field_annotation_is_sequence
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

ABSENT = object()
"""No body was sent."""

Direct = Callable[[Request, Any], Awaitable[Response | None]]
"""Takes the request and its parsed body; None: let the framework do it."""


class _Query(NamedTuple):
    """A parameter of the query string: which argument it becomes, and how it is read."""

    argument: str
    name: str
    field: ModelField
    repeats: bool
    required: bool


class _Dependency(NamedTuple):
    """A plain function of the query string, whose result is an argument."""

    argument: str
    call: Callable[..., Any]
    queries: tuple[_Query, ...]


class _ObjectionError(Exception):
    """The framework has something to say about this request."""


def direct_way(route: APIRoute) -> Direct | None:
    """The short way into the endpoint of `route`, or None when it is not a plain one.

    A dependency that is a plain function is called on the event loop: it only puts values together.
    """
    dependant = route.dependant
    endpoint = route.endpoint
    returned = inspect.signature(endpoint, eval_str=True).return_annotation
    if (
        not inspect.iscoroutinefunction(endpoint)
        or not (isinstance(returned, type) and issubclass(returned, Response))
        or not _asks_only_what_we_give(dependant)
        or not all(map(_is_plain, dependant.dependencies))
        or len(dependant.body_params) > 1
        or (dependant.body_params and dependant.body_params[0] is not route.body_field)
        or any(
            one.field_info.annotation is not str or one.field_info.metadata for one in dependant.path_params
        )
    ):
        return None
    request_name = dependant.request_param_name
    path_names = tuple((one.name, one.alias) for one in dependant.path_params)
    queries = _queries(dependant)
    dependencies = [
        _Dependency(one.name, one.call, _queries(one))
        for one in dependant.dependencies
        if one.name is not None and one.call is not None
    ]
    body = route.body_field

    async def direct(request: Request, document: Any) -> Response | None:
        scope = request.scope
        asked = request.query_params if scope["query_string"] else _NOTHING_ASKED
        try:
            values = _read(queries, asked)
            for argument, call, needed in dependencies:
                values[argument] = call(**_read(needed, asked))
        except _ObjectionError:
            return None
        if request_name is not None:
            values[request_name] = request
        if path_names:
            given = scope["path_params"]
            for name, alias in path_names:
                values[name] = given[alias]
        if body is not None:
            if document is ABSENT or document is None:
                return None
            value, errors = body.validate(document, {}, loc=("body",))
            if errors:
                return None
            values[body.name] = value
        answer: Response = await endpoint(**values)
        return answer

    return direct


_NOTHING_ASKED = QueryParams()


def _read(queries: Sequence[_Query], asked: QueryParams) -> dict[str, Any]:
    """The arguments that a query string gives. _ObjectionError when one is missing, or does not validate."""
    values: dict[str, Any] = {}
    for argument, name, field, repeats, required in queries:
        if name in asked:
            given = asked.getlist(name) if repeats else asked[name]
            values[argument], errors = field.validate(given, values, loc=("query", name))
            if errors:
                raise _ObjectionError
        elif required:
            raise _ObjectionError
        else:
            values[argument] = deepcopy(field.default)
    return values


def _queries(dependant: Dependant) -> tuple[_Query, ...]:
    return tuple(
        _Query(
            one.name,
            one.alias,
            one,
            field_annotation_is_sequence(one.field_info.annotation),
            one.field_info.is_required(),
        )
        for one in dependant.query_params
    )


def _is_plain(dependant: Dependant) -> bool:
    call = dependant.call
    return (
        inspect.isfunction(call)
        and not inspect.iscoroutinefunction(call)
        and not inspect.isgeneratorfunction(call)
        and not inspect.isasyncgenfunction(call)
        and not dependant.dependencies
        and not dependant.path_params
        and not dependant.body_params
        and dependant.request_param_name is None
        and _asks_only_what_we_give(dependant)
    )


def _asks_only_what_we_give(dependant: Dependant) -> bool:
    return not (
        dependant.header_params
        or dependant.cookie_params
        or dependant.response_param_name
        or dependant.background_tasks_param_name
        or dependant.security_scopes_param_name
        or dependant.http_connection_param_name
        or dependant.websocket_param_name
        or any(_is_more_than_a_value(one) for one in dependant.query_params)
    )


def _is_more_than_a_value(field: ModelField) -> bool:
    """Models, and whatever the framework may give another name, default or reading: all that is its own business."""
    info = field.field_info
    annotation = info.annotation
    return (
        (isinstance(annotation, type) and issubclass(annotation, BaseModel))
        or bool(info.validate_default)
        or field.validation_alias not in (None, field.alias)
        or not isinstance(field.alias, str)
    )
