"""What every event of the published language is: a frozen, self-describing record of something that happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec

COMPUTED: Final[Any] = msgspec.UNSET
"""The default of a field that the service fills in: a proposed event leaves it out, a recorded one never does."""


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that happened, named in the past tense; `TYPE` is its public name and never changes.

    Fields left at their default are not written. A field may be added later if it is optional; a field is never
    renamed, dropped or given another meaning: that would be a new type. What the types of the fields say beyond their
    JSON form is in `shared/events/types.py`.
    """

    TYPE: ClassVar[str]
    LASTING: ClassVar[str] = ""
    """Why it is never retracted, and what is done instead; empty where it can be."""
    EXAMPLE: ClassVar[Mapping[str, Any]] = {}
    """A request that proposes it, as the documents show it; where there is none, it is put together from the fields."""


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A value inside an event."""


class Unknown(Event, frozen=True, kw_only=True):
    """An event of a type this version does not know; readers pass over it and move on."""

    TYPE: ClassVar[str] = "unknown"

    type_name: str
    raw: bytes
