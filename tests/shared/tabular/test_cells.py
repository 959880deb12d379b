"""Words of a cell: days, numbers, amounts, and what stands for nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from shared.tabular.cells import DateReader, NoValueReader, NumberReader, Unreadable, amount_text
from shared.tabular.mapping import DateFormats, NoValue, Numbers


def test_days_are_read_in_any_of_the_formats_and_always_as_in_iso() -> None:
    read = DateReader(DateFormats(formats=("%d/%m/%Y", "%d.%m.%Y", "%d %B %Y")))
    for text in ("31/12/2015", "31.12.2015", "31 December 2015", "2015-12-31", " 31/12/2015\n"):
        assert read(text) == date(2015, 12, 31)
    for text in ("31/02/2015", "1/012/2014 ", "soon", "", "20151231"):
        assert read(text) is None


@pytest.mark.parametrize(
    ("century_from", "text", "year"),
    [(1970, "01.01.69", 2069), (1970, "01.01.70", 1970), (2000, "01.01.70", 2070), (1950, "01.01.49", 2049)],
)
def test_two_digits_mean_a_year_of_the_hundred_that_the_mapping_names(
    century_from: int, text: str, year: int
) -> None:
    assert DateReader(DateFormats(formats=("%d.%m.%y",), century_from=century_from))(text) == date(year, 1, 1)


def test_a_cell_may_stand_for_a_day_of_its_own() -> None:
    read = DateReader(DateFormats(table={"Snapshot 2014": date(2013, 9, 30)}))
    assert read("snapshot  2014") == date(2013, 9, 30)
    assert read("snapshot 2015") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,234.5", "1234.5"),
        ("1234567", "1234567"),
        ("£0.90m", "0.90"),
        ("-£2.60m", "-2.60"),
        ("(3)", "-3"),
        ("− 7", "-7"),
        ("1.5E-05", "0.000015"),
        ("1,5", None),
        ("12,34,567", None),
        ("1.2.3", None),
        ("£", None),
        ("", None),
        ("5 or 6", None),
    ],
)
def test_numbers_are_read_as_the_mapping_says_they_are_written(text: str, value: str | None) -> None:
    read = NumberReader(Numbers(around=("£", "m")))
    assert read(text) == (None if value is None else Decimal(value))


def test_a_comma_may_part_the_decimals_and_a_point_group_the_thousands() -> None:
    read = NumberReader(Numbers(thousands=".", decimal=","))
    assert read("1.234.567,89") == Decimal("1234567.89")
    assert read("1 234 567,89") == Decimal("1234567.89")
    assert read("1234,5") == Decimal("1234.5")


@pytest.mark.parametrize(
    ("value", "multiplier", "text"),
    [
        ("450.37", 1_000_000, "450370000"),
        ("0", 1_000_000, "0"),
        ("-0.0", 1, "0"),
        ("9.999999999", 1, "10"),
        ("1.50", 1, "1.5"),
        ("100", 1, "100"),
    ],
)
def test_amounts_are_written_in_plain_decimal_text(value: str, multiplier: int, text: str) -> None:
    assert amount_text(Decimal(value), multiplier) == text


def test_an_amount_beyond_what_the_record_holds_is_refused() -> None:
    assert amount_text(Decimal("999999999999.999999"), 1_000_000) == "999999999999999999"
    for value in (Decimal(10) ** 12, -(Decimal(10) ** 40)):
        with pytest.raises(Unreadable):
            amount_text(value, 1_000_000)


def test_nothing_is_said_by_words_that_fill_the_cell_and_no_value_by_phrases_in_it() -> None:
    no_value = NoValueReader(NoValue(words=("N/A", "no end date"), phrases=("exempt", "^TBC$")))
    assert all(map(no_value.is_blank, ("", "  \n", "n/a", " No  end date ")))
    assert not any(map(no_value.is_blank, ("N/A yet", "exempt", "x" * 500)))
    assert all(map(no_value.is_prose, ("Exempt under Section 43", "Data\nexempt", "tbc")))
    assert not any(map(no_value.is_prose, ("N/A", "TBC soon", "")))
