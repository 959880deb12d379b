"""One table, saved in many ways, is one table; and entered twice it is entered once, whatever was refused."""

from __future__ import annotations

import csv
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.services.commitments.importing.desk import MAPPING, Desk, row

COLUMNS = ("code", "name", "day", "who", "rating", "due", "cost", "done", "told")


class Numbers(NamedTuple):
    """A way to write numbers."""

    thousands: str
    decimal: str

    def written(self, value: Decimal, *, grouped: bool) -> str:
        text = f"{value:,f}" if grouped and self.thousands else f"{value:f}"
        return text.translate({ord(","): self.thousands, ord("."): self.decimal})


class Style(NamedTuple):
    """A way to save a table: what a mapping has to say of it, and which of several ways each cell takes."""

    encoding: str
    delimiter: str
    numbers: Numbers
    scale: int
    ways: list[int]


STYLES = st.builds(
    Style,
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    numbers=st.sampled_from([Numbers(",", "."), Numbers(".", ","), Numbers(" ", ","), Numbers("", ".")]),
    scale=st.sampled_from([1, 100]),
    ways=st.lists(st.integers(0, 11), min_size=40, max_size=40),
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "code": st.sampled_from([7, 42, 100]),
            "name": st.sampled_from(["Puente Ñuble", "A “bridge”; or, two", "=SUMA(1)", "100"]),
            "day": st.dates(date(2013, 1, 1), date(2014, 5, 1)),
            "who": st.sampled_from(["WORKS", "MoH"]),
            "rating": st.sampled_from(["Green", "Red"]),
            "due": st.none() | st.dates(date(2014, 1, 1), date(2031, 12, 31)),
            "cost": st.none() | st.decimals(0, 99_999, places=3),
            "done": st.none() | st.decimals(0, 100, places=1),
            "told": st.sampled_from(["", "Two\nlines", "3.125"]),
        }
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda cells: (cells["code"], cells["day"]),
)
DATE_FORMATS = ["%d/%m/%Y", "%d.%m.%y", "%d-%b-%Y", "%d/%m/%Y %H:%M"]


def mapping_for(style: Style) -> str:
    text = MAPPING.replace(
        'around = ["£"]',
        f"""around = ["£"]
thousands = "{style.numbers.thousands}"
decimal = "{style.numbers.decimal}\"""",
    )
    text = text.replace('prefix = "t-"', 'prefix = "t-"\nwidth = 3').replace('reason = "why"\n', "")
    begin, end = text.index("[[milestones]]"), text.index("[budget]")
    text = (
        text[:begin]
        + f"""[progress]
texts = [{{ column = "told" }}]
percent = "done"
scale = {style.scale}

"""
        + text[end:]
    )
    formats = ", ".join(f'"{form}"' for form in DATE_FORMATS)
    text = text.replace('formats = ["%d/%m/%Y"]', f"formats = [{formats}]", 1)
    text = text.replace('formats = ["%d/%m/%Y", "%d.%m.%y"]', f"formats = [{formats}]")
    return text + f'[file]\ndelimiter = "{style.delimiter}"\n'.replace("\t", "\\t")


def as_text(column: str, value: Any, style: Style, way: int) -> str:
    """A value as it is typed by somebody, in one way of several."""
    match column, value:
        case _, None:
            return ["", "n/a", "N/A "][way % 3]
        case "code", number:
            return ["{}", "{:03}"][way % 2].format(number)
        case "day" | "due", day:
            moment = datetime.combine(day, time(18, 30))
            return moment.strftime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", *DATE_FORMATS][way % 6])
        case "cost", amount:
            written = style.numbers.written(amount, grouped=way % 2 == 0)
            return ["{}", "£{}", "£ {} "][way % 3].format(written)
        case "done", percent if way % 3 == 0:
            return style.numbers.written(percent, grouped=False) + ["%", " %"][way % 2]
        case "done", percent:
            return style.numbers.written(percent * style.scale / 100, grouped=False)
        case _:
            return str(value)


def save_csv(file: Path, rows: list[dict[str, Any]], style: Style) -> None:
    ways = iter(style.ways)
    with file.open("w", encoding=style.encoding, newline="") as text:
        writer = csv.writer(text, delimiter=style.delimiter)
        writer.writerow(COLUMNS)
        writer.writerows(
            [as_text(name, cells[name], style, next(ways)) for name in COLUMNS] for cells in rows
        )


def save_xlsx(file: Path, rows: list[dict[str, Any]], style: Style) -> None:
    ways = iter(style.ways)
    with xlsxwriter.Workbook(str(file), {"strings_to_formulas": False}) as workbook:
        sheet = workbook.add_worksheet()
        formats: dict[str, Any] = {}

        def shown(form: str) -> Any:
            return formats.setdefault(form, workbook.add_format({"num_format": form}))

        sheet.write_row(0, 0, COLUMNS)
        for line, cells in enumerate(rows, 1):
            for place, name in enumerate(COLUMNS):
                value, way = cells[name], next(ways)
                at = line, place
                if value is None or way % 4 == 3:
                    sheet.write_string(*at, as_text(name, value, style, way))
                elif name == "code":
                    sheet.write_number(*at, value, shown(["General", "000", "0"][way % 3]))
                elif name in {"day", "due"}:
                    hours = timedelta(hours=[0, 0, 13][way % 3])
                    moment = datetime.combine(value, time()) + hours
                    sheet.write_datetime(
                        *at, moment, shown(["dd/mm/yyyy", "d mmm yy", "yyyy-mm-dd hh:mm"][way % 3])
                    )
                elif name == "cost" and way % 3 == 0:
                    sheet.write_number(*at, float(value * 1000), shown("#,##0.0,"))
                elif name == "cost":
                    sheet.write_number(*at, float(value), shown(["0", '"£"#,##0.00', "#,##0"][way % 3]))
                elif name == "done" and way % 2 == 0:
                    sheet.write_number(*at, float(value / 100), shown(["0%", "0.0%"][way // 2 % 2]))
                elif name == "done":
                    sheet.write_number(*at, float(value * style.scale / 100), shown("0.000"))
                elif name == "name" and value == "100":
                    sheet.write_number(*at, 100)
                else:
                    sheet.write_string(*at, str(value))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, first=STYLES, other=STYLES)
def test_one_table_gives_the_same_events_whatever_it_is_saved_as(
    desk: Desk, rows: list[dict[str, Any]], first: Style, other: Style
) -> None:
    told = []
    for style in (first, other):
        for name, save in (("table.csv", save_csv), ("table.xlsx", save_xlsx)):
            desk.mapping = mapping_for(style)
            save(desk.folder / name, rows, style)
            told.append(desk.told_by(desk.folder / name))
    assert told[0]
    assert all(events == told[0] for events in told)


SOME_ROWS = st.lists(
    st.builds(
        row,
        code=st.just("one"),
        day=st.sampled_from(["30/09/2013", "31/12/2013", "31/03/2014", "2013-12-31T12:00", "01/01/2050"]),
        name=st.sampled_from(["A bridge", "A viaduct", "A \u200bbridge"]),
        who=st.sampled_from(["WORKS", "MoH", "Old Works"]),
        rating=st.sampled_from(["Green", "Red", ""]),
        due=st.sampled_from(["", "31/12/2015", "30/06/2014", "exempt"]),
        why=st.sampled_from(["", "Done", "Open"]),
        start=st.sampled_from(["", "01/12/2013", "01/05/2014", "01/06/2014"]),
        told=st.sampled_from(["", "2014-10-31", "2016-01-31", "31/12/2014"]),
        more=st.sampled_from(["", "roads", "rivers", "riv\u200bers"]),
        cost=st.sampled_from(["", "1", "exempt"]),
    ),
    max_size=6,
)
WITH_MORE = """
[[organizations]]
code = "OLD"
name = "Old Works"
successor = "WORKS"
dissolved_on = 2013-12-01

[internal_deadline]
column = "told"

[fields]
region = { column = "more" }

[state]
column = "why"
values = { Done = "achieved", Open = "open" }
on = { column = "start", formats = ["%d/%m/%Y"] }
"""


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=SOME_ROWS, differing=st.sampled_from(["error", "last"]))
def test_twice_is_once_whatever_was_refused(desk: Desk, rows: list[dict[str, str]], differing: str) -> None:
    # Each example has commitments of its own, in one log for all of them.
    text = MAPPING.replace('prefix = "t-"', f'prefix = "t{desk.store.head()}-"')
    text = text.replace(
        'texts = [{ column = "told", label = "Works" }, { column = "more", label = "Money" }]',
        'stage = "more"',
    )
    desk.mapping = text.replace('column = "day"', f'column = "day"\ndiffering = "{differing}"') + WITH_MORE
    first = desk.enter(*rows)
    before = desk.contents()
    again = desk.enter(*rows)
    assert desk.contents() == before
    assert [*map(repr, again.errors)] == [*map(repr, first.errors)]
    assert (again.rows.imported, again.rows.failed) == (0, first.rows.failed)
