"""What a model found wrong with a request, in sentences that can be said in any language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from shared.errors import InvalidValue
from shared.events.types import NOT_BLANK
from shared.http.problems import Fault, RequestProblemError

MOST_ERRORS: Final = 20
"""Errors that one answer names at most."""
LONGEST_NAME: Final = 100
"""Characters of a member's name that a pointer repeats."""
UNKNOWN_FIELD: Final = "There is no such field here: look for its name in /docs, or leave it out."
NO_OBJECT: Final = 'Input should be an object: {"name": value, ...}'
BLANK: Final = "The text is blank."
TEXTS: Final[Mapping[str, str]] = {
    "missing": "Field required",
    "none_required": "Input should be None",
    "string_type": "Input should be a valid string",
    "string_too_short": "String should have at least {min_length} characters",
    "string_too_long": "String should have at most {max_length} characters",
    "string_pattern_mismatch": "String should match pattern '{pattern}'",
    "int_type": "Input should be a valid integer",
    "int_parsing": "Input should be a valid integer, unable to parse string as an integer",
    "int_parsing_size": "Unable to parse input string as an integer, exceeded maximum size",
    "int_from_float": "Input should be a valid integer, got a number with a fractional part",
    "float_type": "Input should be a valid number",
    "float_parsing": "Input should be a valid number, unable to parse string as a number",
    "finite_number": "Input should be a finite number",
    "bool_type": "Input should be a valid boolean",
    "bool_parsing": "Input should be a valid boolean, unable to interpret input",
    "decimal_type": "Decimal input should be an integer, float, string or Decimal object",
    "decimal_parsing": "Input should be a valid decimal",
    "decimal_max_digits": "Decimal input should have no more than {max_digits} digits in total",
    "decimal_max_places": "Decimal input should have no more than {decimal_places} decimal places",
    "greater_than": "Input should be greater than {gt}",
    "greater_than_equal": "Input should be greater than or equal to {ge}",
    "less_than": "Input should be less than {lt}",
    "less_than_equal": "Input should be less than or equal to {le}",
    "list_type": "Input should be a valid list",
    "tuple_type": "Input should be a valid tuple",
    "too_short": "Input should have at least {min_length} items, not {actual_length}",
    "too_long": "Input should have at most {max_length} items, not {actual_length}",
    "enum": "Input should be {expected}",
    "literal_error": "Input should be {expected}",
    "date_type": "Input should be a valid date",
    "datetime_type": "Input should be a valid datetime",
    "timezone_aware": "Input should have timezone info",
    "uuid_type": "UUID input should be a string, bytes or UUID object",
    "uuid_parsing": "Input should be a valid UUID, {error}",
}
"""What is said of values by kind of error: the sentences of the library that judges them, as they are found by."""


def invalid_request(error: ValidationError, where: Sequence[str]) -> RequestProblemError:
    """What a model found wrong with a part of a request: the first `MOST_ERRORS` of it, each with its place."""
    found = error.errors(include_url=False, include_input=False)[:MOST_ERRORS]
    faults = [_fault(_pointer((*where, *item["loc"])), item) for item in found]
    return RequestProblemError(
        "request-invalid", "Some values of the request are not acceptable.", errors=faults
    )


def _fault(pointer: str, item: Mapping[str, Any]) -> Fault:
    kind, context = item["type"], item.get("ctx", {})
    raised = context.get("error")
    if isinstance(raised, InvalidValue):
        return Fault(pointer, str(raised), raised.texts, raised.values)
    if kind == "extra_forbidden":
        return Fault(pointer, UNKNOWN_FIELD)
    if kind in {"model_type", "model_attributes_type", "dataclass_type", "dict_type"}:
        return Fault(pointer, NO_OBJECT)
    if kind == "string_pattern_mismatch" and context["pattern"] == NOT_BLANK:
        return Fault(pointer, BLANK)
    said = str(item["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if kind not in TEXTS:
        return Fault(pointer, said)
    # What is expected is a list of words of ours, with one of English among them.
    return Fault(
        pointer,
        said,
        (TEXTS[kind],),
        {**context, "expected": str(context.get("expected")).replace(" or ", " / ")},
    )


def _pointer(location: Sequence[int | str]) -> str:
    parts = [str(part)[:LONGEST_NAME].replace("~", "~0").replace("/", "~1") for part in location]
    return "".join(f"/{part}" for part in parts)
