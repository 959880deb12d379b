"""Exact arithmetic: differences and products keep every digit of what they are made from, quotients eighty of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal, localcontext

from shared.events.types import MOST_PLACES

_DIGITS = 80
"""More than the product of any two values has."""


@contextmanager
def exactly() -> Iterator[None]:
    """Within, nothing is rounded to the digits that Python keeps by default."""
    with localcontext(prec=_DIGITS):
        yield


def plain(number: Decimal, places: int = MOST_PLACES) -> Decimal:
    """A number with at most so many digits after the point, and none of them needless."""
    with exactly():
        if -number.as_tuple().exponent > places:  # type: ignore[operator]
            number = number.quantize(Decimal(1).scaleb(-places))
        number = number.normalize()
        return number.quantize(Decimal(1)) if number == number.to_integral_value() else number
