"""Every text in an event says what it is: the name of something, a person, free text, or a plain value."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
import pytest

from shared.events.facts import Event, Part
from shared.events.indicators import DefinitionFields, IndicatorDefined
from shared.events.registry import EVENT_TYPES
from shared.events.types import MARKS, CommitmentCode, FieldValue, Items, Kind, Line, Names, Word
from shared.rules.indicator_facts import Definition

Path = tuple[str, ...]


def unmarked(struct: type[msgspec.Struct], path: Path = ()) -> Iterator[Path]:
    """The fields, down to those of parts, that hold text and do not say what it is."""
    for name, hint in get_type_hints(struct, include_extras=True).items():
        if get_origin(hint) is not ClassVar:
            yield from _unmarked(hint, [], (*path, name))


def _unmarked(hint: Any, marks: list[Any], path: Path) -> Iterator[Path]:
    origin = get_origin(hint)
    if origin is Annotated:
        inner, *more = get_args(hint)
        yield from _unmarked(inner, [*marks, *more], path)
    elif origin in (Union, UnionType, tuple, list):
        # A mark on the whole of a list or of an option is one on each value in it.
        for inner in get_args(hint):
            yield from _unmarked(inner, marks, path)
    elif hint in (str, UUID):
        if not any(isinstance(mark, MARKS) for mark in marks):
            yield path
    elif hint is Any or origin is dict:
        if FieldValue() not in marks:
            yield path
    elif isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield from unmarked(hint, path)


@pytest.mark.parametrize("event_type", EVENT_TYPES.values(), ids=EVENT_TYPES)
def test_every_text_of_every_event_is_marked(event_type: type[Event]) -> None:
    assert list(unmarked(event_type, (event_type.TYPE,))) == []


def test_a_change_of_a_definition_has_the_fields_of_one_marked_as_they_are_there() -> None:
    defined = get_type_hints(IndicatorDefined, include_extras=True)
    changed = get_type_hints(DefinitionFields, include_extras=True)
    assert list(changed) == list(Definition.__struct_fields__)
    for name, hint in changed.items():
        assert set(marks(hint)) == set(marks(defined[name])), name


def marks(hint: Any) -> Iterator[Any]:
    """What a type says of a text in it, through options."""
    if get_origin(hint) is Annotated:
        yield from (mark for mark in get_args(hint) if isinstance(mark, MARKS))
    for inner in get_args(hint):
        yield from marks(inner)


class Inner(Part, frozen=True, kw_only=True):
    """A part with one text that says what it is and one that does not."""

    word: Word
    loose: str | None = None


class Planted(Event, frozen=True, kw_only=True):
    """What somebody adds who does not know of the marks."""

    TYPE: ClassVar[str] = "tests.planted"

    number: int
    line: Line
    code: CommitmentCode | None = None
    codes: Items[CommitmentCode] = ()
    several: Annotated[Items[Line] | None, "described"] = None
    bare: str
    optional: Annotated[str | None, "described"] = None
    many: tuple[str, ...] = ()
    either: int | str = 0
    id: UUID
    whatever: Any = None
    members: dict[str, str] = {}  # noqa: RUF012 - a struct copies its defaults
    part: Inner
    parts: Items[Inner] = ()
    set_right: Annotated[Any, FieldValue()] = None


def test_a_text_without_a_mark_is_found_wherever_it_stands() -> None:
    assert {".".join(path) for path in unmarked(Planted)} == {
        "bare",
        "optional",
        "many",
        "either",
        "id",
        "whatever",
        "members",
        "part.loose",
        "parts.loose",
    }


NAMES = {
    "commitment": Kind.COMMITMENT,
    "commitments": Kind.COMMITMENT,
    "split_from": Kind.COMMITMENT,
    "into": Kind.COMMITMENT,
    "parts": Kind.COMMITMENT,
    "indicator": Kind.INDICATOR,
    "decision": Kind.DECISION,
    "decisions": Kind.DECISION,
    "action_items": Kind.ACTION_ITEM,
    "to": Kind.BODY,
}


def kinds(struct: type[msgspec.Struct]) -> Iterator[tuple[str, Kind | None]]:
    """Each field with a text or an id, however deep, with the kind of what it names."""
    for name, hint in get_type_hints(struct, include_extras=True).items():
        if get_origin(hint) is not ClassVar:
            yield from _kinds(name, hint, None)


def _kinds(name: str, hint: Any, kind: Kind | None) -> Iterator[tuple[str, Kind | None]]:
    if get_origin(hint) is Annotated:
        inner, *marks = get_args(hint)
        yield from _kinds(name, inner, next((one.kind for one in marks if isinstance(one, Names)), kind))
    elif get_args(hint):
        for inner in get_args(hint):
            yield from _kinds(name, inner, kind)
    elif hint in (str, UUID):
        yield name, kind
    elif isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield from kinds(hint)


@pytest.mark.parametrize("event_type", EVENT_TYPES.values(), ids=EVENT_TYPES)
def test_a_field_called_after_a_kind_of_thing_names_one(event_type: type[Event]) -> None:
    wrong = [(name, kind) for name, kind in kinds(event_type) if NAMES.get(name, kind) is not kind]
    assert wrong == []
