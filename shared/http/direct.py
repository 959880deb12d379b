"""A short way into plain endpoints, for requests the framework would have nothing to convert or to object to.

The framework's own way costs more than the rest of a request together. Whatever is not plain (dependencies,
constrained or converted path parameters, a query string, a value that does not validate) takes that way, so it
alone decides what is refused and how.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

ABSENT = object()
"""No body was sent."""

Direct = Callable[[Request, Any], Awaitable[Response | None]]
"""Takes the request and its parsed body; None: let the framework do it."""


def direct_way(route: APIRoute) -> Direct | None:
    """The short way into the endpoint of `route`, or None when it is not a plain one."""
    dependant = route.dependant
    endpoint = route.endpoint
    returned = inspect.signature(endpoint, eval_str=True).return_annotation
    if (
        not inspect.iscoroutinefunction(endpoint)
        or not (isinstance(returned, type) and issubclass(returned, Response))
        or dependant.dependencies
        or dependant.header_params
        or dependant.cookie_params
        or dependant.response_param_name
        or dependant.background_tasks_param_name
        or dependant.security_scopes_param_name
        or dependant.http_connection_param_name
        or len(dependant.body_params) > 1
        or (dependant.body_params and dependant.body_params[0] is not route.body_field)
        or any(
            one.field_info.annotation is not str or one.field_info.metadata for one in dependant.path_params
        )
        or any(one.field_info.is_required() for one in dependant.query_params)
    ):
        return None
    request_name = dependant.request_param_name
    path_names = tuple((one.name, one.alias) for one in dependant.path_params)
    queries = tuple(dependant.query_params)
    body = route.body_field

    async def direct(request: Request, document: Any) -> Response | None:
        scope = request.scope
        if scope["query_string"]:
            return None
        values: dict[str, Any] = {} if request_name is None else {request_name: request}
        if path_names:
            given = scope["path_params"]
            for name, alias in path_names:
                values[name] = given[alias]
        for query in queries:
            values[query.name] = query.get_default()
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
