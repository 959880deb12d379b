"""Reads JSON as it was published: one meeting to a line, and a document that describes organisations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from shared.errors import InvalidInput

_MARK = b"\xef\xbb\xbf"
"""The byte order mark that some programs put before UTF-8."""


class Line(NamedTuple):
    """One line that is not blank, counted from 1: the object on it, or why there is none."""

    line: int
    content: dict[str, Any]
    problem: str | None = None


def read_lines(path: Path) -> list[Line]:
    """The objects in a file of JSON Lines; InvalidInput("file-unreadable") when there is no reading the file."""
    try:
        lines = path.read_bytes().removeprefix(_MARK).split(b"\n")
    except OSError as error:
        raise _unreadable(path, str(error)) from error
    return [_line(number, text) for number, text in enumerate(lines, 1) if text.strip()]


def read_organizations(path: Path) -> list[dict[str, Any]]:
    """The organisations in a file: a JSON array of objects, or an object that holds one as `data`."""
    try:
        found = msgspec.json.decode(path.read_bytes().removeprefix(_MARK))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unreadable(path, str(error)) from error
    if isinstance(found, dict):
        found = found.get("data")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise _unreadable(path, "it is no array of objects")
    return found


def found_at(content: dict[str, Any], member: str) -> Any:
    """What stands at a member, stepping into an object at each dot; None when there is nothing."""
    value: Any = content
    for name in member.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def members_in(content: dict[str, Any], items: str) -> Iterator[str]:
    """Every member there is in a meeting, as a mapping names it; those of the items of its agenda with `[]`."""
    yield from _members(content, "")
    listed = found_at(content, items)
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, dict):
            yield from _members(item, f"{items}[].")


def _members(content: dict[str, Any], before: str) -> Iterator[str]:
    for name, value in content.items():
        yield before + name
        if isinstance(value, dict):
            yield from _members(value, f"{before}{name}.")


def _line(number: int, text: bytes) -> Line:
    try:
        content = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Line(number, {}, str(error))
    if not isinstance(content, dict):
        return Line(number, {}, "it is no object")
    return Line(number, content)


def _unreadable(path: Path, why: str) -> InvalidInput:
    return InvalidInput("file-unreadable", f"{path.name} cannot be read: {why}")
