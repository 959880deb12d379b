"""Reading the body of a request as JSON: strictly, and without text that no storage could keep."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from starlette.requests import Request

from shared.errors import InvalidInput

_ESCAPES = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class JsonRequest(Request):
    """A request whose JSON is what RFC 8259 allows: no NaN, no Infinity."""

    async def json(self) -> Any:
        """The body; raises `json.JSONDecodeError` when it is not JSON."""
        body = await self.body()
        document = _DECODER.decode(body.decode("utf-8"))
        # Rare, and one pass over the bytes tells that there is nothing to look for.
        if _ESCAPES.search(body) is not None:
            _refuse_unstorable(document, "")
        return document


def _refuse_constant(name: str) -> NoReturn:
    raise json.JSONDecodeError(f"{name} is not JSON", name, 0)


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


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
