"""Mapping files: TOML that says what a table of somebody else means, read into structs that know every key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from shared.errors import InvalidInput

Text = Annotated[str, msgspec.Meta(min_length=1)]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a mapping file; a key that is not known is refused."""


S = TypeVar("S", bound=Section)


def read_mapping(path: Path, kind: type[S]) -> S:
    """The mapping in a file; InvalidInput("mapping-invalid") says where it cannot be understood."""
    try:
        return msgspec.toml.decode(path.read_bytes(), type=kind)
    except (OSError, UnicodeError, msgspec.DecodeError) as error:
        raise invalid_mapping(path.name, _in_toml_words(str(error))) from error


def invalid_mapping(name: str, problem: str) -> InvalidInput:
    """The error for a mapping that cannot be used; `problem` is a sentence without its full stop."""
    return InvalidInput("mapping-invalid", f"The mapping {name} cannot be used: {problem}.")


def _in_toml_words(message: str) -> str:
    """A decoder's sentence with its path as keys are written in TOML."""
    return re.sub(r"`\$\.?([^`]*)`", lambda found: f"`{found[1] or 'the file'}`", message).rstrip(".")
