"""The short way into an endpoint gives it just what the framework would give it, or leaves it to the framework."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, Query
from fastapi.routing import APIRoute
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from shared.http.direct import ABSENT, direct_way


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


Few = Annotated[int, Query(ge=1), AfterValidator(lambda number: min(number, 9))]
Names = Annotated[list[str], Query(alias="name")]


def moment(on: date | None = None, at: Annotated[int | None, Query(ge=0)] = None) -> tuple[Any, Any]:
    """What two parameters say together."""
    return on, at


async def endpoint(
    request: Request,
    asked: Annotated[tuple[Any, Any], Depends(moment)],
    few: Few = 5,
    names: Names = [],  # noqa: B006 (the framework copies defaults, and so must we)
    colour: Colour | None = None,
    word: Literal["a", "b"] = "a",
    text: Annotated[str | None, Query(alias="in", max_length=3)] = None,
    flags: Annotated[Sequence[bool] | None, Query()] = None,
    needed: Annotated[float | None, Query()] = None,
) -> Response:
    names.append("the end")
    told = [request.url.path, asked, few, names, colour, word, text, flags, needed]
    return JSONResponse([str(one) for one in told])


async def needing(day: date) -> Response:
    return JSONResponse(str(day))


ROUTER = APIRouter()
ROUTER.add_api_route("/a", endpoint)
ROUTER.add_api_route("/b", needing)
FRAMEWORKS = FastAPI()
FRAMEWORKS.include_router(ROUTER)
WORDS = st.sampled_from(
    ["", "0", "1", "12", "-3", "a", "b", "red", "long text", "2012-05-21", "true", "x", "1.5"]
)
LISTS = ("name", "flags")
QUERIES = st.tuples(
    st.dictionaries(st.sampled_from(["on", "at", "few", "colour", "word", "in", "needed", "day"]), WORDS),
    st.lists(st.tuples(st.sampled_from(LISTS), WORDS), max_size=3),
).map(lambda drawn: urlencode([*drawn[0].items(), *drawn[1]]))


def route(path: str) -> APIRoute:
    return next(one for one in ROUTER.routes if isinstance(one, APIRoute) and one.path == path)


async def shortly(path: str, query: str) -> Response | None:
    direct = direct_way(route(path))
    assert direct is not None
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query.encode(),
        "headers": [(b"host", b"testserver")],
        "path_params": {},
    }
    return await direct(Request(scope), ABSENT)


async def by_the_framework(path: str, query: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=FRAMEWORKS)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        return await client.get(f"{path}?{query}")


@pytest.mark.parametrize("path", ["/a", "/b"])
@given(query=QUERIES)
def test_both_ways_give_the_endpoint_the_same_values(path: str, query: str) -> None:
    short = asyncio.run(shortly(path, query))
    framework = asyncio.run(by_the_framework(path, query))
    if short is None:
        assert framework.status_code == 422
    else:
        assert (framework.status_code, framework.content) == (200, short.body)


class Model(BaseModel):
    a: int = 0


def nested(inner: Annotated[Any, Depends(moment)]) -> Any:
    return inner


async def waiting() -> int:
    return 1


async def with_model(model: Annotated[Model, Query()]) -> Response:
    return Response(str(model))


async def with_header(agent: Annotated[str | None, Header()] = None) -> Response:
    return Response(agent)


async def with_nested(inner: Annotated[Any, Depends(nested)]) -> Response:
    return Response(str(inner))


async def with_coroutine(inner: Annotated[int, Depends(waiting)]) -> Response:
    return Response(str(inner))


async def not_a_response() -> dict[str, int]:
    return {}


@pytest.mark.parametrize(
    "asked",
    [with_model, with_header, with_nested, with_coroutine, not_a_response],
    ids=lambda it: it.__name__,
)
def test_what_is_not_plain_is_left_to_the_framework(asked: Any) -> None:
    router = APIRouter()
    router.add_api_route("/c", asked, response_model=None)
    (found,) = router.routes
    assert isinstance(found, APIRoute)
    assert direct_way(found) is None
