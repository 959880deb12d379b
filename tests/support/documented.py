"""The commands that our documents tell a reader to type, as things to be tried: no shell, and no curl, is needed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import httpx

_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_WITH_VALUE = {"-H", "-d", "-X", "-F"}


class Curl(NamedTuple):
    """A request as a curl command asks for it."""

    method: str
    url: str
    headers: dict[str, str]
    body: str | None
    parts: Mapping[str, str] = MappingProxyType({})
    """Those of a form; a value that begins with `@` is the path of a file."""

    def send(self, client: httpx.Client, **headers: str | None) -> httpx.Response:
        """Asks it, with other headers (underscores for dashes), or without those that are None."""
        return client.request(**self.asked(**headers))

    def asked(self, **headers: str | None) -> dict[str, Any]:
        """The same request as an argument for any client of httpx."""
        given = {name.lower(): value for name, value in self.headers.items()}
        for name, value in headers.items():
            given.pop(name.replace("_", "-").lower(), None)
            if value is not None:
                given[name.replace("_", "-").lower()] = value
        files = {
            name: (value[1:], Path(value[1:]).read_bytes()) if value.startswith("@") else (None, value)
            for name, value in self.parts.items()
        }
        more = {"files": files} if files else {"content": self.body}
        return {"method": self.method, "url": self.url, "headers": given, **more}


def commands(document: str) -> list[list[str]]:
    """What a Markdown document has its reader type, word by word; lines that go on are one command."""
    typed = []
    for block in _BLOCK.findall(document):
        joined = re.sub(r"\\\n\s*", " ", block)
        typed += [
            shlex.split(one, comments=True) for one in re.split(r"^\$ ", joined, flags=re.MULTILINE)[1:]
        ]
    return typed


def commands_in(path: Path) -> list[list[str]]:
    """What the document at a path has its reader type."""
    return commands(path.read_text(encoding="utf-8"))


class Given(NamedTuple):
    """A variable that a command puts the output of another into, and what that is piped through, if anything."""

    name: str
    command: list[str]
    through: list[str]


def given(words: list[str]) -> Given | None:
    """What `NAME=$(command | filter)` does; None for a command that gives nothing a name."""
    found = re.fullmatch(r"([A-Z]+)=\$\((.+)", words[0])
    if found is None:
        return None
    inner = [found[2], *words[1:-1], words[-1].removesuffix(")")]
    if "|" not in inner:
        return Given(found[1], inner, [])
    pipe = inner.index("|")
    return Given(found[1], inner[:pipe], inner[pipe + 1 :])


def curl(words: list[str], variables: Mapping[str, str]) -> Curl:
    """The request of a curl command, with the values of variables in it; ValueError for an option we do not know."""
    if words[0] != "curl":
        raise ValueError(f"{words[0]} is not curl")
    headers: dict[str, str] = {}
    parts: dict[str, str] = {}
    url = method = body = None
    rest = [_filled(word, variables) for word in words[1:]]
    while rest:
        word = rest.pop(0)
        if word in _WITH_VALUE:
            value = rest.pop(0)
            if word == "-H":
                name, _, text = value.partition(":")
                headers[name] = text.strip()
            elif word == "-d":
                body = value
            elif word == "-F":
                name, _, parts[name] = value.partition("=")
            else:
                method = value
        elif word.startswith("-"):
            if not set(word[1:]) <= set("si"):
                raise ValueError(f"we do not know what curl does with {word}")
        else:
            url = word
    if url is None:
        raise ValueError("a curl command without an address")
    sends = body is not None or parts
    return Curl(method or ("POST" if sends else "GET"), url, headers, body, parts)


def _filled(word: str, variables: Mapping[str, str]) -> str:
    for name, value in variables.items():
        word = word.replace(f"${name}", value)
    if "$" in word:
        raise ValueError(f"nobody has said what to put for the variable in {word}")
    return word
