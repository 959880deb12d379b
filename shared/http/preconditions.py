"""`If-Match` and `If-None-Match`: the version of a thing, as the caller last saw it."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response

from shared.errors import version_unstated
from shared.http.context import context_of
from shared.http.problems import RequestProblemError

_TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_LIST = re.compile(rf"{_TAG.pattern}(?:[ \t]*,[ \t]*{_TAG.pattern})*")
_VERSION = re.compile(r"([1-9][0-9]{0,17})(?:-[0-9a-f]{1,64})?")
_ONE = re.compile(rf'(?:W/)?"{_VERSION.pattern}"')
LONGEST = 4096


def etag_of(version: int) -> str:
    """The entity tag of a version."""
    return f'"{version}"'


def parse_if_match(value: str) -> frozenset[int] | None:
    """The versions that `If-Match` admits; None for `*`, any version.

    What stands behind the version, in the tags of those who do not see everything, counts for nothing here. Weak tags
    count as strong ones: ours are weak only because the answer was compressed on its way. A tag that is none of ours
    admits nothing; what is not a list of tags is malformed.
    """
    only = _ONE.fullmatch(value)
    if only is not None:
        return frozenset((int(only[1]),))
    value = value.strip()
    if value == "*":
        return None
    if len(value) > LONGEST or _LIST.fullmatch(value) is None:
        raise RequestProblemError("if-match-malformed", 'If-Match takes entity tags such as "7", or *.')
    found = map(_VERSION.fullmatch, _TAG.findall(value))
    return frozenset(int(version[1]) for version in found if version)


def required_if_match(value: str | None) -> frozenset[int] | None:
    """Like `parse_if_match`, where a change must state the version it was decided on."""
    if value is None:
        raise version_unstated()
    return parse_if_match(value)


def not_modified(request: Request, etag: str, *, position: int | None = None) -> Response | None:
    """The 304 to answer when the caller already holds the representation of that tag, else None."""
    raw = context_of(request).headers.get(b"if-none-match")
    if raw is None:
        return None
    value = raw.decode("latin-1").strip()
    if value != "*" and etag.removeprefix("W/").strip('"') not in _TAG.findall(value[:LONGEST]):
        return None
    headers = {"ETag": etag}
    if position is not None:
        headers["Log-Position"] = str(position)
    return Response(status_code=304, headers=headers)
