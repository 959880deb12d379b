"""Reading the body of a request as JSON: strictly, within bounds, and without text that no storage could keep.

What a body costs is bounded before anything is built of it: its bytes, its values, the length of each list and object,
and how deep they are nested. What is still large is parsed and judged aside, so that other requests need not wait.
"""

from __future__ import annotations

import asyncio
import json
import re
from codecs import BOM_UTF8
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn, TypeVar

from starlette.requests import Request

from shared.errors import InvalidInput
from shared.events.texts import composed
from shared.http.context import context_of
from shared.http.problems import RequestProblemError, body_too_large

ABSENT: Final = object()
"""No body was sent."""

USUAL: Final = 64 * 1024
"""Bytes of a body, where its route declares no other limit."""
ROOMY: Final = 1024 * 1024
"""Bytes of a body with many long texts, or with lists of things that have some."""
LARGEST: Final = 10 * 1024 * 1024
"""Bytes of a body that no route may exceed."""
MOST_VALUES: Final = 10_000
"""Values of a body, where an empty list or object counts as two; one for each `BYTES_PER_VALUE` where it is larger."""
BYTES_PER_VALUE: Final = 64
LONGEST_LIST: Final = 1_000
"""Items of a list, and members of an object."""
DEEPEST: Final = 32
"""Lists and objects within each other."""
ASIDE: Final = 16 * 1024
"""From so many bytes on, a body is parsed and judged in a thread."""

T = TypeVar("T")

_GROUPED = re.compile(r"[0-9]+(?:[.,'][0-9]+)+|[0-9]{1,3}(?: [0-9]{3})+")
_AS_NUMBER = (
    "a number has no separators of thousands and a point before its decimals, as 650000000 and 28.56."
)
_ESCAPES = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""A text of JSON, whole or cut off; it takes no step back, so a search is done in one pass."""
_BUILDING = b"[]{},"
_REST = bytes(set(range(256)) - set(_BUILDING))
_DIGITS = 18
_NEAR = 60
"""Characters around an error in which its cause is looked for."""


async def read_body(request: Request, read: Callable[[Any], T]) -> T:
    """What `read` makes of the body, which it is given as `parsed` gives it.

    The route has said in the request's context how large a body it takes.
    """
    limit = await must_fit(request)
    body = await request.body()
    if len(body) < ASIDE:
        return read(parsed(body, limit))
    return await asyncio.to_thread(lambda: read(parsed(body, limit)))


async def must_fit(request: Request) -> int:
    """How many bytes of a body the route takes; refused where it says of itself that it has more."""
    limit = context_of(request).largest_body
    declared = context_of(request).headers.get(b"content-length")
    if declared is not None and (not declared.isdigit() or len(declared) > _DIGITS or int(declared) > limit):
        # Read to its end all the same, and kept nowhere: whoever is still sending would not see the refusal.
        async for _ in request.stream():
            pass
        raise body_too_large(limit)
    return limit


def parsed(body: bytes, limit: int = USUAL) -> Any:
    """The body as JSON by RFC 8259 (no NaN, no Infinity), its texts in NFC, or `ABSENT`; raises when it is not that."""
    if not body:
        return ABSENT
    _check_extent(body, max(MOST_VALUES, limit // BYTES_PER_VALUE))
    try:
        document = _DECODER.decode(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise RequestProblemError("malformed-request", _what_is_wrong(body, error)) from error
    # Such escapes are rare, and one pass over the bytes tells that there are none to look for.
    if _ESCAPES.search(body) is not None:
        _refuse_unstorable(document, "")
    return document if body.isascii() and b"\\u" not in body else composed(document)


def _check_extent(body: bytes, most_values: int) -> None:
    """Raises when the body has too many values, or too many in one place, or nests them too deep.

    It looks at what separates values; a body that is no JSON may pass, and is refused when it is parsed.
    """
    opened = body.count(b"[") + body.count(b"{")
    if opened <= DEEPEST and opened + body.count(b",") < LONGEST_LIST:
        return
    commas, values = [0], 1
    for sign in _STRINGS.sub(b"", body).translate(None, _REST):
        if sign in b"]}":
            if len(commas) > 1:
                commas.pop()
            continue
        values += 1
        if values > most_values:
            raise _too_much(f"The body has more than {most_values:,} values.")
        if sign == ord(","):
            commas[-1] += 1
            if commas[-1] >= LONGEST_LIST:
                raise _too_much(f"A list or an object of the body has more than {LONGEST_LIST:,} entries.")
        else:
            commas.append(0)
            if len(commas) - 1 > DEEPEST:
                detail = f"The body nests lists and objects deeper than {DEEPEST}."
                raise RequestProblemError("malformed-request", detail)


def _too_much(detail: str) -> RequestProblemError:
    return RequestProblemError("body-too-complex", detail)


def _what_is_wrong(body: bytes, error: Exception) -> str:
    if body.startswith(BOM_UTF8):
        return "The body begins with a byte order mark (BOM): send UTF-8 without one."
    if isinstance(error, UnicodeDecodeError):
        return "The body is not UTF-8, in which JSON is sent."
    if isinstance(error, json.JSONDecodeError):
        place = f"The body is not JSON, at line {error.lineno}, column {error.colno}"
        begin = max(0, error.pos - _NEAR)
        near = _GROUPED.finditer(error.doc, begin, error.pos + _NEAR)
        grouped = any(found.start() < error.pos <= found.end() for found in near)
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
