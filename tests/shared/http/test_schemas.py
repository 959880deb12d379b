"""Days, instants, money and text, as requests write them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.http.schemas import CivilDay, Instant, Line, Money, RequestModel

DAY: TypeAdapter[date] = TypeAdapter(CivilDay)
INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
LINE: TypeAdapter[str] = TypeAdapter(Line)


def test_a_day_is_written_in_one_way() -> None:
    assert DAY.validate_python("2012-05-21") == date(2012, 5, 21)
    for wrong in (
        "2012-5-21",
        "20120521",
        "2012-W21-1",
        "2012-05-21T00:00:00",
        1337558400,
        "2012-02-30",
        "",
        None,
    ):
        with pytest.raises(ValidationError):
            DAY.validate_python(wrong)


def test_an_instant_states_its_offset_and_becomes_utc() -> None:
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert INSTANT.validate_python("2026-11-21T12:00:00Z") == noon
    assert INSTANT.validate_python("2026-11-21T09:00:00.000000-03:00") == noon
    assert INSTANT.dump_json(noon) == b'"2026-11-21T12:00:00.000000Z"'
    for wrong in (
        "2026-11-21T12:00:00",
        "2026-11-21",
        0,
        "2026-13-21T12:00:00Z",
        "0001-01-01T00:00:00+14:00",
    ):
        with pytest.raises(ValidationError):
            INSTANT.validate_python(wrong)


@pytest.mark.parametrize("amount", ["0", "1234.5", "-3.000001", "1" * 18])
def test_money_keeps_its_amount_as_it_was_written(amount: str) -> None:
    money = Money(amount=amount, currency="CLP")
    assert money.amount == amount
    assert money.value == Decimal(amount)


@pytest.mark.parametrize(
    "amount", [1, 1.5, "", "1,5", "01", "1.", ".5", "+1", "1e3", "NaN", "1" * 19, "٣", "1\n"]
)
def test_what_is_no_plain_decimal_is_no_amount(amount: Any) -> None:
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": amount, "currency": "CLP"})


def test_a_text_says_something() -> None:
    assert LINE.validate_python("Más ñandúes") == "Más ñandúes"
    for wrong in ("", "  ", "a\x00b", "x" * 501):
        with pytest.raises(ValidationError):
            LINE.validate_python(wrong)


def test_a_request_refuses_what_it_does_not_know() -> None:
    class Body(RequestModel):
        a: float = 0

    for wrong in ({"b": 1}, {"a": float("inf")}):
        with pytest.raises(ValidationError):
            Body.model_validate(wrong)
