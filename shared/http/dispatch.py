"""Finds the route of a path without trying them all, and answers 405 with every method the path knows."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from shared.http.problems import RequestProblemError

_PARAMETER = re.compile(r"\{[^}]*\}")
_ALLOWED = "bitacora.allowed"


class _Node:
    __slots__ = ("any", "literal", "routes")

    def __init__(self) -> None:
        self.literal: dict[str, _Node] = {}
        self.any: _Node | None = None
        self.routes: list[APIRoute] = []


class RouteIndex(BaseRoute):
    """A tree of path segments; a leaf holds the routes that may match, and their own patterns decide.

    What is spelled out goes before what is a parameter: `/bodies/{code}.ics` before `/bodies/{code}`. Routes
    with a parameter that spans segments stay outside, to be tried one by one when the index knows nothing.
    """

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self.path_format: str | None = None
        self._root = _Node()
        for route in routes:
            if isinstance(route, APIRoute) and ":path}" not in route.path:
                self._add(route)

    def _add(self, route: APIRoute) -> None:
        node = self._root
        for segment in route.path_format.split("/")[1:]:
            if "{" in segment:
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.literal.setdefault(segment, _Node())
        node.routes.append(route)
        node.routes.sort(key=lambda one: -len(_PARAMETER.sub("", one.path_format)))

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """The first route that serves this path with this method, else the methods that would be served."""
        if scope["type"] != "http":
            return Match.NONE, {}
        allowed: set[str] = set()
        for route in _candidates(self._root, path_within(scope).split("/"), 1):
            match, child_scope = route.matches(scope)
            if match is Match.FULL:
                # Tracing reads the template off the route that matched, at once, and that is this index.
                self.path_format = route.path_format
                return match, child_scope
            if match is Match.PARTIAL:
                allowed |= route.methods or set()
        if allowed:
            return Match.FULL, {_ALLOWED: allowed}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves the request by the route found."""
        allowed = scope.get(_ALLOWED)
        if allowed is not None:
            if "GET" in allowed:
                allowed.add("HEAD")
            methods = ", ".join(sorted(allowed))
            raise RequestProblemError(
                "method-not-allowed", f"This path takes {methods}.", headers={"Allow": methods}
            )
        await scope["route"].handle(scope, receive, send)


def _candidates(node: _Node, segments: list[str], depth: int) -> Iterable[APIRoute]:
    if depth == len(segments):
        return node.routes
    literal = node.literal.get(segments[depth])
    if literal is None:
        return () if node.any is None else _candidates(node.any, segments, depth + 1)
    found = _candidates(literal, segments, depth + 1)
    return found if node.any is None else [*found, *_candidates(node.any, segments, depth + 1)]


def path_within(scope: Scope) -> str:
    """The path below the one a proxy serves us under, if it left that on."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(root + "/") else path
