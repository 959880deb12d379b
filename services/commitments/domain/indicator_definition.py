"""What is measured and how: laid down before the first value, and held to the same rules when it changes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from services.commitments.domain import guards
from shared.events.facts import Event
from shared.events.indicators import IndicatorDefined
from shared.events.vocabulary import Visibility
from shared.rules.indicator_facts import Definition


def define_indicator(
    code: str,
    definition: Definition,
    *,
    today: date,
    effective_on: date | None = None,
    commitment: str | None = None,
    visibility: Visibility = Visibility.INTERNAL,
) -> list[Event]:
    """Define an indicator, before it is measured."""
    guards.well_formed_code(code)
    check_definition(definition, today)
    return [
        IndicatorDefined(
            code=code,
            effective_on=guards.not_after_today(effective_on, today),
            commitment=commitment,
            visibility=visibility,
            **{name: getattr(definition, name) for name in Definition.__struct_fields__},
        )
    ]


def check_definition(definition: Definition, today: date) -> None:
    """Hold a definition, new or changed, to the rules."""
    guards.text_given(definition.name, "The name", "/name")
    guards.text_given(definition.unit, "The unit", "/unit")
    if definition.baseline is not None:
        guards.not_after_today(definition.baseline.on, today, "/baseline/on")


def as_json(value: Any) -> Any:
    """A field of the definition as it lies in an event; numbers stay exact."""
    return msgspec.to_builtins(value, builtin_types=(Decimal,))
