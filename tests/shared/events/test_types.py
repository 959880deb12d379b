"""Days, instants, money and text, as requests write them and events limit them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.events import types


def accepts(kind: Any, value: Any) -> bool:
    """Whether a value is one of a type of field."""
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


DAY: TypeAdapter[date] = TypeAdapter(types.CivilDay)
INSTANT: TypeAdapter[datetime] = TypeAdapter(types.Instant)


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
        assert not accepts(types.CivilDay, wrong)


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
        assert not accepts(types.Instant, wrong)


@pytest.mark.parametrize("amount", ["0", "1234.5", "-3.000001", "1" * 18])
def test_money_keeps_its_amount_as_it_was_written(amount: str) -> None:
    assert TypeAdapter(types.Amount).validate_python(amount) == amount


@pytest.mark.parametrize(
    "amount", [1, 1.5, "", "1,5", "01", "1.", ".5", "+1", "1e3", "NaN", "1" * 19, "٣", "1\n"]
)
def test_what_is_no_plain_decimal_is_no_amount(amount: Any) -> None:
    assert not accepts(types.Amount, amount)


def test_a_currency_has_three_letters() -> None:
    assert accepts(types.Currency, "CLP")
    for wrong in ("pesos", "clp", "CL", "CLP\n", ""):
        assert not accepts(types.Currency, wrong)


def test_a_text_says_something() -> None:
    assert TypeAdapter(types.Line).validate_python("Más ñandúes") == "Más ñandúes"
    for kind, limit in ((types.Line, 500), (types.Word, 500), (types.Prose, 20_000)):
        assert accepts(kind, "x" * limit)
        for wrong in ("", "  ", "a\x00b", "x" * (limit + 1), 7, None):
            assert not accepts(kind, wrong)


def test_a_reason_may_be_blank_here_because_the_domain_says_why_it_may_not() -> None:
    assert accepts(types.Reason, " ")
    assert accepts(types.Reason, "x" * 20_000)
    assert not accepts(types.Reason, "x" * 20_001)


def test_a_value_is_a_finite_number_within_bounds() -> None:
    assert TypeAdapter(types.Value).validate_python(28.5) == Decimal("28.5")
    assert accepts(types.Value, -(10**15))
    for wrong in (10**15 + 1, "28.5", True, float("nan"), float("inf"), Decimal("1E-21"), Decimal("0E+21")):
        assert not accepts(types.Value, wrong)
    assert TypeAdapter(types.Value).validate_python(Decimal("1E-20")) == Decimal("1E-20")
    for wrong in ("12", True, Decimal("NaN"), Decimal("1E-21")):
        assert not accepts(types.Percent, wrong)


def test_what_counts_is_a_whole_number_from_one_on() -> None:
    for right in (1, 100_000):
        assert accepts(types.Number, right)
    for wrong in (0, -1, 100_001, "1", 1.0, True):
        assert not accepts(types.Number, wrong)


def test_a_list_has_at_most_two_hundred_items() -> None:
    assert accepts(types.Items[types.Line], ["a"] * 200)
    assert not accepts(types.Items[types.Line], ["a"] * 201)
    assert accepts(types.Filled[types.Line], [])
    assert not accepts(types.Filled[types.Line], ["a"] * 201)
    assert accepts(types.Aliases, ["a"] * 50)
    assert not accepts(types.Aliases, ["a"] * 51)


def test_a_url_leads_to_the_web() -> None:
    assert accepts(types.Url, "https://www.example.org/20595")
    for wrong in ("javascript:alert(1)", "www.example.org", "https://a b", "https://" + "x" * 2000):
        assert not accepts(types.Url, wrong)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("650.000.000", "650.000.000 may be meant as 650000000"),
        ("28,56", "28,56 may be meant as 28.56"),
        ("28.56", "write 28.56"),
        ("12 %", "a value is a number such as 28.56"),
        (True, "a value is a number such as 28.56"),
    ],
)
def test_a_value_that_is_no_number_is_told_how_it_is_written(written: object, said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(types.Value).validate_python(written)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("650.000.000", "650.000.000 may be meant as 650000000"),
        ("28,5", "28,5 may be meant as 28.5"),
        (28.5, 'decimal text such as "28.5": in quotes'),
        ("1e3", "without separators"),
    ],
)
def test_a_value_as_text_that_is_none_is_told_how_it_is_written(written: object, said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(types.ValueText).validate_python(written)
    assert said in str(refused.value)
    assert TypeAdapter(types.ValueText).validate_python("-28.50") == "-28.50"
