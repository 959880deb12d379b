"""Closed lists of words in answers that are text to the code that fills them."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Meta


def one_of(words: type[StrEnum], description: str | None = None) -> Meta:
    """Marks a text of an answer as one of the words of a list, for the OpenAPI document."""
    return Meta(description=description, extra_json_schema={"enum": [word.value for word in words]})
