"""Words of a cell: days, numbers, amounts, and what stands for nothing."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import pytest

from shared.clock import Clock
from shared.tabular.cells import (
    DateReader,
    NoValueReader,
    NumberReader,
    PercentReader,
    Unreadable,
    amount_text,
)
from shared.tabular.mapping import DateFormats, NoValue, Numbers
from shared.tabular.workbook import TypedCell

CLOCK = Clock("America/Santiago")


def test_days_are_read_in_any_of_the_formats_and_always_as_in_iso() -> None:
    read = DateReader(DateFormats(formats=("%d/%m/%Y", "%d.%m.%Y", "%d %B %Y")), CLOCK)
    for text in ("31/12/2015", "31.12.2015", "31 December 2015", "2015-12-31", " 31/12/2015\n"):
        assert read(text) == date(2015, 12, 31)
    for text in ("31/02/2015", "1/012/2014 ", "soon", "", "20151231"):
        assert read(text) is None


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("%d-%b-%Y", "31-dic-2020"),
        ("%d-%b-%Y", "31-DIC.-2020"),
        ("%d de %B de %Y", "31 de diciembre de 2020"),
        ("%d.%b.%Y", "31.Dec.2020"),
        ("%d %B %Y", "31 dic. 2020"),
    ],
)
def test_months_have_their_names_in_spanish_and_in_english(form: str, text: str) -> None:
    assert DateReader(DateFormats(formats=(form,)), CLOCK)(text) == date(2020, 12, 31)


@pytest.mark.parametrize("month", ["septiembre", "setiembre", "sept.", "sep", "set.", "September", "SEPT"])
def test_a_month_is_known_however_it_is_shortened(month: str) -> None:
    assert DateReader(DateFormats(formats=("%d %b %Y",)), CLOCK)(f"7 {month} 2020") == date(2020, 9, 7)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("marzo 2021", date(2021, 3, 1), date(2021, 3, 31)),
        ("02/2020", date(2020, 2, 1), date(2020, 2, 29)),
        ("2021", date(2021, 1, 1), date(2021, 12, 31)),
        ("2021-Q3", date(2021, 7, 1), date(2021, 9, 30)),
        ("15/03/2021", date(2021, 3, 15), date(2021, 3, 15)),
        ("2021-T3", None, None),
    ],
)
def test_a_period_is_the_day_of_it_that_the_mapping_names(
    text: str, first: date | None, last: date | None
) -> None:
    forms = ("%B %Y", "%m/%Y", "%Y", "%d/%m/%Y")
    assert DateReader(DateFormats(formats=forms, period_day="first"), CLOCK)(text) == first
    assert DateReader(DateFormats(formats=forms, period_day="last"), CLOCK)(text) == last


def test_a_day_that_is_shown_as_a_month_is_a_period_too() -> None:
    cell = TypedCell("2020-02-01", datetime.fromisoformat("2020-02-01"), shows="month")
    assert DateReader(DateFormats(), CLOCK)(cell) is None
    assert DateReader(DateFormats(period_day="last"), CLOCK)(cell) == date(2020, 2, 29)


@pytest.mark.parametrize(
    ("century_from", "text", "year"),
    [(1970, "01.01.69", 2069), (1970, "01.01.70", 1970), (2000, "01.01.70", 2070), (1950, "01.01.49", 2049)],
)
def test_two_digits_mean_a_year_of_the_hundred_that_the_mapping_names(
    century_from: int, text: str, year: int
) -> None:
    assert DateReader(DateFormats(formats=("%d.%m.%y",), century_from=century_from), CLOCK)(text) == date(
        year, 1, 1
    )


def test_a_cell_may_stand_for_a_day_of_its_own() -> None:
    read = DateReader(DateFormats(table={"Snapshot 2014": date(2013, 9, 30)}), CLOCK)
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
        ("5 6", None),
        ("1 234 567.5", "1234567.5"),
        ("£ -1,000 m", "-1000"),
        ("5-", None),
        ("(5", None),
        ("--5", None),
        ("1m5", None),
        ("1.50", "1.5"),
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


def test_an_instant_is_of_the_day_on_which_it_falls_where_the_government_sits() -> None:
    read = DateReader(DateFormats(formats=("%d/%m/%Y %H:%M %z", "%d/%m/%Y %H:%M")), CLOCK)
    for text in ("01/05/2014 02:30 +0000", "2014-05-01T02:30:00Z", "2014-04-30T22:30:00-04:00"):
        assert read(text) == date(2014, 4, 30)
    for text in ("30/04/2014 23:30", "2014-04-30 23:30", "2014-04-30T23:30:00.5"):
        assert read(text) == date(2014, 4, 30)


def test_a_cell_of_a_workbook_is_what_it_is_and_no_text_to_be_read() -> None:
    numbers = Numbers(thousands=".", decimal=",")
    number, day = (
        TypedCell("3,125", Decimal("3.125")),
        TypedCell("2014-04-30", datetime.fromisoformat("2014-04-30")),
    )
    share = TypedCell("6,2%", Decimal("6.2"), percent=True)
    assert NumberReader(numbers)(number) == Decimal("3.125")
    assert NumberReader(numbers)("3.125") == Decimal(3125)
    assert (NumberReader(numbers)(share), NumberReader(numbers)("6,2%")) == (None, None)
    assert NumberReader(numbers)(day) is None
    assert DateReader(DateFormats(), CLOCK)(day) == date(2014, 4, 30)
    assert DateReader(DateFormats(formats=("%d.%m.%Y",)), CLOCK)(TypedCell("41758", Decimal(41758))) is None
    assert PercentReader(numbers, None)(share) == PercentReader(numbers, 1)(share) == Decimal("6.2")


@pytest.mark.parametrize(
    ("scale", "text", "percent"),
    [(1, "1.0", "100"), (1, "0.062", "6.2"), (1, "6.2 %", "6.2"), (100, "1.0", "1"), (None, "1.0", "1")],
)
def test_a_share_counts_to_what_means_finished(
    scale: Literal[1, 100] | None, text: str, percent: str
) -> None:
    assert str(PercentReader(Numbers(), scale)(text)) == percent


@pytest.mark.parametrize(
    ("scale", "texts", "doubtful"),
    [
        (None, ["0", "0.5", "1"], True),
        (None, ["0", "0.5", "2"], False),
        (None, ["0", "0"], False),
        (None, ["0.5 %", "0"], False),
        (1, ["0.5"], False),
        (100, ["0.5"], False),
    ],
)
def test_shares_that_never_leave_0_to_1_are_doubtful_as_long_as_nobody_says_what_means_finished(
    scale: Literal[1, 100] | None, texts: list[str], doubtful: bool
) -> None:
    read = PercentReader(Numbers(), scale)
    assert all(read(text) is not None for text in texts)
    assert read.doubtful is doubtful


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
