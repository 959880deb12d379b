"""Which rows of a table are meant, what stands for the cells below it, and columns that the table lacks."""

from __future__ import annotations

import pytest

from shared.errors import InvalidInput
from shared.tabular.arranging import Arrangement
from shared.tabular.mapping import Derived, NoValue, RowChoice, Which
from shared.tabular.reading import Row, Table

TABLE = Table(
    ("pillar", "name", "owner", "ministry"),
    [
        Row(2, ["Salud", "Clinics", "", "MINSAL"]),
        Row(3, ["", "Nurses", "n/a", "-"]),
        Row(4, ["Total Salud", "", "", ""]),
        Row(5, ["Educación", "Schools", "DIPRES", "MINEDUC"]),
        Row(6, (), "it has 1 cells and the header has 4"),
        Row(7, ["  ", "Source: the ministries", "", ""]),
    ],
)
NO_TOTALS = Which(column="pillar", phrases=("^total",))
NO_FOOTER = Which(column="name", words=("source:  the Ministries",))


def arranged(choice: RowChoice, **derived: Derived) -> list[tuple[int, list[object]] | None]:
    rows = Arrangement(TABLE, choice, derived, NoValue(words=("n/a", "-"))).rows()
    return [None if row is None else (row.line, [*row.cells]) for row in rows]


def test_totals_and_footers_are_passed_over_and_rows_that_cannot_be_made_out_are_not() -> None:
    rows = arranged(RowChoice(leave_out=(NO_TOTALS, NO_FOOTER)))
    assert [row and row[0] for row in rows] == [2, 3, None, 5, 6, None]


def test_of_what_has_to_be_so_all_has_to_be() -> None:
    wanted = (Which(column="pillar", phrases=("^[se]",)), Which(column="name", phrases=(".s$",)))
    assert [row and row[0] for row in arranged(RowChoice(only=wanted))] == [2, None, None, 5, 6, None]


def test_rows_may_be_known_by_a_blank() -> None:
    blank = Which(column="name", blank=True)
    assert [row and row[0] for row in arranged(RowChoice(leave_out=(blank,)))] == [2, 3, None, 5, 6, 7]


def test_a_blank_repeats_the_cell_above_it_and_not_that_of_a_total() -> None:
    rows = arranged(RowChoice(leave_out=(NO_TOTALS,), fill_down=("pillar",)))
    assert [row and row[1][:1] for row in rows] == [
        ["Salud"],
        ["Salud"],
        None,
        ["Educación"],
        [],
        ["Educación"],
    ]


def test_a_column_is_added_from_the_first_that_says_something_or_else_a_constant() -> None:
    rows = arranged(
        RowChoice(), who=Derived(first_of=("owner", "ministry"), value="DCI"), plan=Derived(value="P")
    )
    assert [row and row[1][4:] for row in rows] == [
        ["MINSAL", "P"], ["DCI", "P"], ["DCI", "P"], ["DIPRES", "P"], [], ["DCI", "P"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("choice", "derived", "told"),
    [
        (RowChoice(), {"name": Derived(value="x")}, "which the table has already"),
        (RowChoice(), {"a": Derived(first_of=("b",)), "b": Derived(value="x")}, "'b' is added"),
        (RowChoice(fill_down=("a",)), {"a": Derived(value="x")}, "'a' is added"),
    ],
)
def test_columns_that_cannot_be_added_are_refused(
    choice: RowChoice, derived: dict[str, Derived], told: str
) -> None:
    with pytest.raises(InvalidInput, match=told):
        Arrangement(TABLE, choice, derived, NoValue())
