"""Reading the body of a request as JSON: strictly, and without text that no storage could keep."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

from starlette.requests import Request

from shared.errors import InvalidInput
from shared.http.problems import RequestProblemError

ABSENT: Final = object()
"""No body was sent."""

_ESCAPES = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


async def read_json(request: Request) -> Any:
    """The body as JSON by RFC 8259 (no NaN, no Infinity), or `ABSENT`; raises when it is not that."""
    body = await request.body()
    if not body:
        return ABSENT
    try:
        document = _DECODER.decode(body.decode("utf-8"))
    except json.JSONDecodeError as error:
        detail = f"The body is not JSON, at line {error.lineno}, column {error.colno}."
        raise RequestProblemError("malformed-request", detail) from error
    except (ValueError, RecursionError) as error:
        # Bytes that are not UTF-8, a number too long or too large to be read, or nesting without end.
        raise RequestProblemError("malformed-request", "The body cannot be read as JSON.") from error
    # Such escapes are rare, and one pass over the bytes tells that there are none to look for.
    if _ESCAPES.search(body) is not None:
        _refuse_unstorable(document, "")
    return document


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _exact(digits: str) -> Decimal:
    """A number with a point or an exponent as it was written, where a float would be only near it."""
    try:
        return Decimal(digits)
    except InvalidOperation as error:
        raise ValueError("a number with such an exponent is not read") from error


_DECODER = json.JSONDecoder(parse_float=_exact, parse_constant=_refuse_constant)


def _refuse_unstorable(value: Any, pointer: str) -> None:
    if isinstance(value, str):
        if _UNSTORABLE.search(value) is not None:
            raise InvalidInput(
                "text-not-storable", "Text holds a NUL or half of a surrogate pair.", pointer=pointer
            )
    elif isinstance(value, dict):
        for name, member in value.items():
            _refuse_unstorable(name, pointer)
            _refuse_unstorable(member, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            _refuse_unstorable(member, f"{pointer}/{index}")
