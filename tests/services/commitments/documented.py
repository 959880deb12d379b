"""The example that the API document gives of each fact of a commitment: what a test says for want of better words."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from services.commitments.commitment.model import Commitment
from shared.events.facts import Event
from shared.http.requests import request_of

BELOW = "/v1/commitments/{id}/"
DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi" / "commitments.json"


def examples() -> dict[str, dict[str, Any]]:
    """The documented body of each fact but for its day, by the last part of its path."""
    paths = json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"]
    return {
        path.removeprefix(BELOW).replace("{n}", "1"): _without_day(operations["post"])
        for path, operations in paths.items()
        if path.startswith(BELOW) and "post" in operations
    }


def _without_day(operation: dict[str, Any]) -> dict[str, Any]:
    """The example of an operation, which then takes effect on whatever day it is for the test."""
    example = operation["requestBody"]["content"]["application/json"]["example"]
    return {name: value for name, value in example.items() if name not in {"effective_on", "completed_on"}}


def decisions() -> Iterator[tuple[type[Event], Callable[..., Event], int]]:
    """Each decision of a commitment: the event it is asked for, the method, and how many arguments it takes."""
    for _, method in inspect.getmembers(Commitment, inspect.isfunction):
        signature = inspect.signature(method, eval_str=True)
        asked = [one.annotation for one in signature.parameters.values()][1:2]
        if asked and isinstance(asked[0], type) and issubclass(asked[0], Event):
            yield asked[0], method, len(signature.parameters)


def proposed(event: type[Event], day: date) -> Event:
    """The documented example of a fact as an event proposed on a day."""
    model = request_of(event)
    example = next(
        body
        for body in examples().values()
        if model.model_fields.keys() >= body.keys() and _fits(model, body)
    )
    return model.model_validate(example).struct(day)


def _fits(model: Any, body: dict[str, Any]) -> bool:
    try:
        model.model_validate(body)
    except ValueError:
        return False
    return True
