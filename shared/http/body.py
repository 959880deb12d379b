"""Reading the body of a request as JSON: strictly, and without text that no storage could keep."""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

from starlette.requests import Request

from shared.errors import InvalidInput
from shared.events.texts import composed
from shared.http.problems import RequestProblemError

ABSENT: Final = object()
"""No body was sent."""

_GROUPED = re.compile(r"[0-9]+(?:[.,'][0-9]+)+|[0-9]{1,3}(?: [0-9]{3})+")
_AS_NUMBER = (
    "a number has no separators of thousands and a point before its decimals, as 650000000 and 28.56."
)
_ESCAPES = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


async def read_json(request: Request) -> Any:
    """The body as JSON by RFC 8259 (no NaN, no Infinity), its texts in NFC, or `ABSENT`; raises when it is not that."""
    body = await request.body()
    if not body:
        return ABSENT
    try:
        document = _DECODER.decode(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise RequestProblemError("malformed-request", _what_is_wrong(body, error)) from error
    # Such escapes are rare, and one pass over the bytes tells that there are none to look for.
    if _ESCAPES.search(body) is not None:
        _refuse_unstorable(document, "")
    return document if body.isascii() and b"\\u" not in body else composed(document)


def _what_is_wrong(body: bytes, error: Exception) -> str:
    if body.startswith(BOM_UTF8):
        return "The body begins with a byte order mark (BOM): send UTF-8 without one."
    if isinstance(error, UnicodeDecodeError):
        return "The body is not UTF-8, in which JSON is sent."
    if isinstance(error, json.JSONDecodeError):
        place = f"The body is not JSON, at line {error.lineno}, column {error.colno}"
        grouped = any(found.start() < error.pos <= found.end() for found in _GROUPED.finditer(error.doc))
        return f"{place}: {_AS_NUMBER}" if grouped else f"{place}."
    if isinstance(error, _RefusedError):
        return str(error)
    return "The body cannot be read: a number in it is too long, or it is nested without end."


class _RefusedError(ValueError):
    """Something that the parser would take and we do not, in words of ours."""


def _refuse_constant(name: str) -> NoReturn:
    raise _RefusedError(f"{name} is no JSON number; leave out what is not known.")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _RefusedError(
            f"An object of the body has the member '{twice[:100]}' twice: which one is meant?"
        )
    return members


def _exact(digits: str) -> Decimal:
    """A number with a point or an exponent as it was written, where a float would be only near it."""
    try:
        return Decimal(digits)
    except InvalidOperation as error:
        raise _RefusedError("A number of the body has an exponent that cannot be read.") from error


_DECODER = json.JSONDecoder(parse_float=_exact, parse_constant=_refuse_constant, object_pairs_hook=_members)


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
