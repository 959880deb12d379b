"""Fields of what is recorded, as a mapping gives them: which there are, their types and limits follow from the event.

A cell is read by the type of its field: a day, a number, a yes or no, a word of a closed list, a list, a text.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache, cached_property
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec
from pydantic import TypeAdapter, ValidationError

from shared.clock import Clock
from shared.errors import InvalidInput
from shared.events.texts import without_unseen
from shared.events.types import LONGEST_TEXT
from shared.tabular.cells import Cells, DateReader, NumberReader, Reader
from shared.tabular.mapping import Given, Numbers
from shared.tabular.text import by_word, folded

_YES_AND_NO: Final = {
    **dict.fromkeys(("true", "yes", "y", "sí", "si", "s", "x", "1", "verdadero"), True),
    **dict.fromkeys(("false", "no", "n", "0", "falso"), False),
}


@cache
def types_of(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """The types of the fields of an event, or of a part of one, with what is marked on them."""
    return get_type_hints(struct, include_extras=True)


def bare(hint: Any) -> Any:
    """What a type comes to without its marks, and where it may be left out."""
    if get_origin(hint) is Annotated:
        return bare(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        kinds = [one for one in get_args(hint) if one not in (NoneType, msgspec.UnsetType)]
        return bare(kinds[0]) if len(kinds) == 1 else hint
    return hint


class FieldReader:
    """Reads one field off the rows of a table: it is `given` from a column, or as a value that is the same for all."""

    def __init__(self, name: str, given: object, hint: Any, numbers: Numbers, clock: Clock) -> None:
        self.name = name
        self.given = given if isinstance(given, Given) else Given()
        self._same = self.given.value if isinstance(given, Given) else given
        kind = bare(hint)
        self._many = get_origin(kind) is tuple
        self._kind = bare(get_args(kind)[0]) if self._many else kind
        self._adapter = TypeAdapter[Any](hint)
        self._values = by_word(self.given.values)
        self._read: Reader[Any] | None = None
        if self._kind is date:
            self._read = DateReader(self.given, clock)
        elif self._kind in (Decimal, int):
            self._read = NumberReader(numbers)

        self._constant = self._same_for_all()

    def _same_for_all(self) -> Any:
        """The value that the mapping itself gives; None where a column does."""
        if self.given.column is not None:
            return None
        try:
            return self._adapter.validate_python(self._same)
        except ValidationError as error:
            problem = f"'{self._same}' is not a value that `{self.name}` can have"
            raise InvalidInput("mapping-invalid", f"The mapping cannot be used: {problem}.") from error

    def __call__(self, cells: Cells) -> Any:
        """What a row says of it; None when it says nothing, or something that is a fault of the cell."""
        column = self.given.column
        if column is None:
            return self._constant
        if self._read is not None and not self._many:
            value = cells.value(column, self._read)
            return None if value is None else self._checked(cells, column, self._whole(value))
        text = cells.prose(column, LONGEST_TEXT)
        if text is None:
            return None
        meant = self._meant(text)
        if meant is None or (isinstance(meant, tuple) and None in meant):
            cells.fault(column, "value-unknown", f"It is not among the values that give `{self.name}`.")
            return None
        return self._checked(cells, column, meant)

    def _whole(self, value: Any) -> Any:
        return int(value) if self._kind is int and value == int(value) else value

    def _meant(self, text: str) -> Any:
        """What the words of a cell stand for; None, or None in a list, for those that the mapping does not have."""
        if self._many:
            parts = (part.strip() for part in text.split(self.given.separator))
            return tuple(dict.fromkeys(self._word(part) for part in parts if part))
        word = self._word(text)
        return _YES_AND_NO.get(folded(text), word) if self._kind is bool and not self._values else word

    def _word(self, text: str) -> Any:
        return self._values.get(folded(text)) if self._values else text

    def _checked(self, cells: Cells, column: str, value: Any) -> Any:
        try:
            return self._valid(value)
        except ValidationError as error:
            first = error.errors()[0]
            if first["type"] == "string_too_long":
                limit = first["ctx"]["max_length"]
                length = len(first["input"])
                cells.fault(column, "text-too-long", f"At most {limit} characters fit; here are {length}.")
            else:
                cells.fault(column, "value-unknown", f"It is not a value that `{self.name}` can have.")
            return None

    def _valid(self, value: Any) -> Any:
        try:
            return self._adapter.validate_python(value)
        except ValidationError:
            if isinstance(value, tuple):
                return self._adapter.validate_python(
                    tuple(without_unseen(one) if isinstance(one, str) else one for one in value)
                )
            if not isinstance(value, str):
                raise
            # A name may have been broken into lines to fit its cell; and whoever publishes a table does not see what
            # nobody sees, such as the remains of another encoding. A text of lines is kept as it is published.
            checked = self._adapter.validate_python(without_unseen(value))
            return value if self._takes_lines else checked

    @cached_property
    def _takes_lines(self) -> bool:
        try:
            self._adapter.validate_python("one\nother")
        except ValidationError:
            return False
        return True


class FieldsReader:
    """Reads the fields that a mapping gives of one event, or of a part of one."""

    def __init__(
        self, given: Mapping[str, object], of: type[msgspec.Struct], numbers: Numbers, clock: Clock
    ) -> None:
        hints = types_of(of)
        self._readers = [
            FieldReader(name, one, hints[name], numbers, clock)
            for name, one in given.items()
            if one is not None
        ]

    def __call__(self, cells: Cells) -> dict[str, Any]:
        """What a row says of them, those left out of which it says nothing."""
        read = ((reader.name, reader(cells)) for reader in self._readers)
        return {name: value for name, value in read if value is not None}


def column_of(given: object) -> str | None:
    """The column that gives a field; None where it is the same for all, or not given."""
    return given.column if isinstance(given, Given) else None
