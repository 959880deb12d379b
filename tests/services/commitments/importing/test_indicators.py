"""What rows of a table of indicators become: definitions, targets, plans, values found and their revisions."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from services.commitments.importing.indicator_mapping import IndicatorMapping
from services.commitments.importing.indicators import IndicatorImport
from shared.errors import InvalidInput
from shared.events.commitments import Registered
from shared.events.facts import Event
from shared.events.indicators import (
    Baseline,
    CommitmentMeasured,
    DataSource,
    IndicatorDefined,
    IndicatorDefinitionChanged,
    MeasurementCorrected,
    MeasurementRecorded,
    PlannedValue,
    TargetSet,
    TrajectorySet,
)
from shared.events.retractions import IndicatorFactRetracted
from shared.events.vocabulary import Direction, Frequency, RelativeTo, Visibility
from shared.tabular.mapping import read_mapping
from tests.services.commitments.importing.desk import Desk

IN_COLUMNS = """
kind = "indicators"
source = "The Monitor"
visibility = "public"

[no_value]
words = ["n/a"]
phrases = ["not measured"]

[code]
columns = ["code"]

[date]
on = 2010-05-21

[fields]
name = { column = "name" }
unit = { column = "unit" }
direction = { column = "way", values = { up = "increase", down = "decrease" } }
frequency = { value = "yearly" }

[commitment]
columns = ["serves"]
separator = ";"

[baseline]
value = { column = "begin" }
on = { column = "begin day", formats = ["%d/%m/%Y"] }
source = "ENUSC"

[supplier]
column = "by"
independent = { column = "free" }
unknown = "register"

[[targets]]
value = { column = "goal" }
on = { column = "goal day" }
relative_to = "baseline"

[[targets]]
value = { column = "new goal" }
on = { column = "new goal day" }
set_on = { column = "moved" }
reason = { column = "why" }

[plan]
values = [{ column = "plan 2011", period = "2011" }, { column = "plan 2012", period = "2012" }]

[measurements]
values = [
    { column = "2010", period = "2010", published_on = 2011-03-31 },
    { column = "2011", period = "2011" },
]
"""

COLUMNS = (
    "code", "name", "unit", "way", "serves", "begin", "begin day", "by", "free", "goal", "goal day", "new goal",
    "new goal day", "moved", "why", "plan 2011", "plan 2012", "2010", "2011",
)  # fmt: skip

A_ROW = {
    "code": "crime", "name": "Victims of crime", "unit": "%", "way": "down", "begin": "33.6",
    "begin day": "31/12/2009", "by": "Statistics", "free": "yes", "goal": "-15", "goal day": "2013-12-31",
    "plan 2011": "31.5", "plan 2012": "30", "2010": "28.2", "2011": "31.1",
}  # fmt: skip

IN_ROWS = """
kind = "indicators"
source = "The Figures"
[code]
columns = ["code"]
[date]
on = 2010-05-21
[plan]
add_up = true
[value]
column = "value"
planned = { column = "what", values = { planned = true, found = false } }
period = { column = "period", t_means = "quarter", length = "quarter", formats = ["%d/%m/%Y"] }
[measurements]
published_on = { column = "out" }
source = { column = "where" }
"""


def table(columns: tuple[str, ...], *rows: dict[str, str]) -> str:
    lines = [columns, *(tuple(row.get(name, "") for name in columns) for row in rows)]
    return "".join(",".join(line) + "\n" for line in lines)


@pytest.fixture
def monitor(desk: Desk) -> Desk:
    desk.mapping, desk.importer, desk.now = IN_COLUMNS, IndicatorImport, datetime(2014, 6, 1, 12, tzinfo=UTC)
    return desk


def enter(desk: Desk, *rows: dict[str, str], **options: Any) -> Any:
    return desk.enter_text(table(COLUMNS, *rows), **options)


def values_of(desk: Desk, *rows: str) -> Any:
    """Import a table in which each row is one value."""
    desk.mapping = IN_ROWS
    return desk.enter_text("code,period,what,value,out,where\n" + "".join(f"{row}\n" for row in rows))


def facts(desk: Desk, of: type[Any], code: str = "crime") -> list[Any]:
    return desk.facts(of, code, "indicator")


def by_hand(desk: Desk, event: Any, code: str = "crime") -> None:
    desk.record(event, code, kind="indicator")


def test_a_row_is_an_indicator_with_all_that_was_promised_and_found(monitor: Desk) -> None:
    report = enter(monitor, A_ROW)
    assert report.errors == report.left_out == []
    assert report.organizations_registered == ["statistics"]
    first, target, plan, one, other = facts(monitor, Event)
    day = date(2010, 5, 21)
    assert first == IndicatorDefined(
        code="crime",
        name="Victims of crime",
        unit="%",
        direction=Direction.DECREASE,
        effective_on=day,
        baseline=Baseline(value=Decimal("33.6"), on=date(2009, 12, 31), source="ENUSC"),
        source=DataSource(organization="statistics", independent=True),
        frequency=Frequency.YEARLY,
        visibility=Visibility.PUBLIC,
    )
    assert target == TargetSet(
        number=1,
        value=Decimal(-15),
        on=date(2013, 12, 31),
        effective_on=day,
        relative_to=RelativeTo.BASELINE,
        level=Decimal("28.56"),
    )
    points = (
        PlannedValue(on=date(2011, 12, 31), value=Decimal("31.5")),
        PlannedValue(on=date(2012, 12, 31), value=Decimal(30)),
    )
    assert plan == TrajectorySet(points=points, effective_on=day)
    assert (one.period, one.value, one.published_on) == ("2010", Decimal("28.2"), date(2011, 3, 31))
    assert (other.period, other.published_on, other.source) == ("2011", date(2011, 12, 31), "The Monitor")


def test_a_target_that_was_moved_is_a_second_one_with_its_day_and_reason(monitor: Desk) -> None:
    moved = {"new goal": "29", "new goal day": "2014-12-31", "moved": "2012-05-21", "why": "The crisis"}
    enter(monitor, A_ROW | moved)
    targets = facts(monitor, TargetSet)
    assert [(one.on, one.effective_on, one.reason) for one in targets] == [
        (date(2013, 12, 31), date(2010, 5, 21), None),
        (date(2014, 12, 31), date(2012, 5, 21), "The crisis"),
    ]


def test_a_second_run_adds_nothing_and_what_changed_in_the_table_is_told(desk_on_each_engine: Desk) -> None:
    desk = desk_on_each_engine
    desk.mapping, desk.importer = IN_COLUMNS, IndicatorImport
    enter(desk, A_ROW)
    before = desk.contents()
    assert enter(desk, A_ROW).rows.unchanged == 1
    assert desk.contents() == before
    report = enter(desk, A_ROW | {"2011": "31.2", "plan 2012": "29.5", "name": "Victims"})
    assert report.events == {
        "commitments.indicator_definition_changed": 1,
        "commitments.measurement_corrected": 1,
        "commitments.trajectory_set": 1,
    }
    (corrected,) = facts(desk, MeasurementCorrected)
    assert (corrected.previous, corrected.value, corrected.published_on) == (
        Decimal("31.1"), Decimal("31.2"), date(2014, 6, 1),
    )  # fmt: skip
    assert corrected.reason == "According to The Monitor, as at 2010-05-21."


def test_what_a_person_set_right_since_is_left_alone(monitor: Desk) -> None:
    enter(monitor, A_ROW)
    by_hand(
        monitor,
        MeasurementCorrected(
            period="2011",
            value=Decimal(32),
            previous=Decimal("31.1"),
            reason="I asked.",
            published_on=date(2012, 1, 1),
        ),
    )
    by_hand(
        monitor,
        TargetSet(
            number=2, value=Decimal(20), on=date(2015, 1, 1), effective_on=date(2013, 1, 1), reason="Agreed."
        ),
    )
    before = monitor.contents()
    assert enter(monitor, A_ROW).rows.unchanged == 1
    assert monitor.contents() == before


def test_what_somebody_took_back_is_not_told_again_by_the_same_table(monitor: Desk) -> None:
    enter(monitor, A_ROW)
    for version, fact in enumerate(facts(monitor, Event), 1):
        if isinstance(fact, TargetSet | TrajectorySet | MeasurementRecorded):
            by_hand(monitor, IndicatorFactRetracted(version=version, reason="Not so.", retracted=fact.TYPE))
    before = monitor.contents()
    assert enter(monitor, A_ROW).rows.unchanged == 1
    assert monitor.contents() == before
    assert enter(monitor, A_ROW | {"2011": "32"}).events == {"commitments.measurement_recorded": 1}


def test_a_bad_cell_keeps_the_whole_indicator_out_and_no_other(monitor: Desk) -> None:
    report = enter(monitor, A_ROW | {"2011": "many"}, A_ROW | {"code": "fires", "name": "Fires"})
    assert [(error.line, error.column, error.code) for error in report.errors] == [
        (2, "2011", "number-unreadable")
    ]
    assert monitor.events("crime", "indicator") == []
    assert len(monitor.events("fires", "indicator")) == 5


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"way": "sideways"}, "way", "value-unknown"),
        ({"unit": ""}, "unit", "value-missing"),
        ({"goal day": ""}, "goal day", "value-missing"),
        ({"begin day": "yesterday"}, "begin day", "date-unreadable"),
        ({"goal day": "2009-01-01"}, "goal", "target-before-baseline"),
        ({"serves": "nowhere"}, "serves", "indicator-commitment-unknown"),
        ({"free": "perhaps"}, "free", "value-unknown"),
    ],
)
def test_each_fault_of_a_row_is_found_where_it_is(
    monitor: Desk, cells: dict[str, str], column: str, code: str
) -> None:
    report = enter(monitor, A_ROW | cells)
    assert [(error.column, error.code) for error in report.errors] == [(column, code)]
    assert monitor.contents() == {}


def test_prose_in_place_of_a_figure_is_left_out_and_a_blank_that_was_a_value(monitor: Desk) -> None:
    enter(monitor, A_ROW)
    report = enter(monitor, A_ROW | {"2011": "not measured"})
    assert [(left.column, left.code) for left in report.left_out] == [
        ("2011", "prose-for-a-figure"),
        ("2011", "value-cleared"),
    ]
    assert report.rows.unchanged == 1


def test_it_measures_the_commitments_that_the_table_lists(monitor: Desk) -> None:
    for code in ("a-1", "a-2"):
        monitor.record(
            Registered(code=code, title="Safe", lead_organization="WORKS", effective_on=date(2010, 1, 1)),
            code,
        )
    enter(monitor, A_ROW | {"serves": "a-1; a-2"})
    (defined,) = facts(monitor, IndicatorDefined)
    (measured,) = facts(monitor, CommitmentMeasured)
    assert (defined.commitment, measured.commitment, measured.measured) == ("a-1", "a-2", True)
    assert enter(monitor, A_ROW | {"serves": "a-1;a-2"}).events == {}
    enter(monitor, A_ROW | {"serves": "a-1"})
    assert [one.measured for one in facts(monitor, CommitmentMeasured)] == [True, False]


def test_a_definition_of_another_day_is_a_change_from_that_day_on(monitor: Desk) -> None:
    enter(monitor, A_ROW)
    monitor.mapping = IN_COLUMNS.replace("on = 2010-05-21", "on = 2012-01-01")
    enter(monitor, A_ROW | {"by": "Another"})
    (changed,) = facts(monitor, IndicatorDefinitionChanged)
    assert changed.effective_on == date(2012, 1, 1)
    assert changed.changes.source == DataSource(organization="another", independent=True)


def test_a_baseline_alone_defines_nothing(monitor: Desk) -> None:
    rest = IN_COLUMNS.partition("[fields]")[0] + "[baseline]" + IN_COLUMNS.partition("[baseline]")[2]
    monitor.mapping = rest
    assert [error.code for error in enter(monitor, A_ROW).errors] == ["unknown-indicator"]
    monitor.mapping = IN_COLUMNS
    enter(monitor, A_ROW)
    monitor.mapping = rest
    assert enter(monitor, A_ROW | {"begin": "34"}).events == {"commitments.indicator_definition_changed": 1}


# --- rows of their own ----------------------------------------------------------------------------------------------


def defined(desk: Desk, frequency: str = "quarterly") -> None:
    desk.mapping = IN_COLUMNS.replace('"yearly"', f'"{frequency}"')
    enter(desk, A_ROW | {"2010": "", "2011": "", "plan 2011": "", "plan 2012": "", "goal": ""})


def test_each_row_is_one_value_and_the_planned_ones_together_are_one_plan(monitor: Desk) -> None:
    defined(monitor)
    rows = [
        "crime,2011-T2,planned,0.3,,",
        "crime,2011-T1,planned,0.7,,",
        "crime,2011-T1,found,0.5,2011-04-30,ENUSC",
        "crime,15/05/2011,found,0.25,2011-07-31,",
    ]
    report = values_of(monitor, *rows)
    assert (report.rows.imported, report.errors) == (4, [])
    (plan,) = facts(monitor, TrajectorySet)
    assert plan.points == (
        PlannedValue(on=date(2011, 3, 31), value=Decimal("0.7")),
        PlannedValue(on=date(2011, 6, 30), value=Decimal("1.0")),
    )
    found = facts(monitor, MeasurementRecorded)
    assert [(one.period, one.value, one.published_on, one.source) for one in found] == [
        ("2011-Q1", Decimal("0.5"), date(2011, 4, 30), "ENUSC"),
        ("2011-Q2", Decimal("0.25"), date(2011, 7, 31), "The Figures"),
    ]
    again = values_of(monitor, *rows)
    assert (again.rows.unchanged, again.events) == (4, {})


def test_a_plan_goes_in_as_a_whole_or_not_at_all(monitor: Desk) -> None:
    defined(monitor)
    rows = ["crime,2011-T1,planned,much,,", "crime,2011-T2,planned,0.3,,", "crime,2011-T1,found,0.5,,"]
    report = values_of(monitor, *rows)
    assert [(error.line, error.code) for error in report.errors] == [
        (2, "number-unreadable"),
        (3, "plan-incomplete"),
    ]
    assert facts(monitor, TrajectorySet) == []
    assert report.events == {"commitments.measurement_recorded": 1}


def test_the_editions_of_a_figure_are_its_value_and_its_revisions_each_on_its_day(monitor: Desk) -> None:
    defined(monitor)
    rows = ["crime,2011-Q1,found,0.6,2011-09-30,", "crime,2011-Q1,found,0.5,2011-04-30,"]
    values_of(monitor, *rows)
    (recorded,), (corrected,) = facts(monitor, MeasurementRecorded), facts(monitor, MeasurementCorrected)
    assert (recorded.value, corrected.value) == (Decimal("0.5"), Decimal("0.6"))
    assert (recorded.published_on, corrected.published_on) == (date(2011, 4, 30), date(2011, 9, 30))
    assert values_of(monitor, *rows).events == {}


def test_two_values_for_one_period_and_day_are_in_conflict(monitor: Desk) -> None:
    defined(monitor)
    report = values_of(
        monitor, "crime,2011-Q1,found,0.6,,", "crime,2011-Q1,found,0.5,,", "crime,2011-Q1,found,0.60,,"
    )
    assert [(error.line, error.column, error.code) for error in report.errors] == [
        (3, "value", "conflicting-row")
    ]
    assert report.rows.duplicates == 1


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        ("crime,2011-X1,found,0.5,,", "period", "period-unreadable"),
        ("crime,2011,found,0.5,,", "value", "period-not-of-frequency"),
        ("fires,2011-Q1,found,0.5,,", "code", "unknown-indicator"),
        ("crime,2011-Q1,guessed,0.5,,", "what", "value-unknown"),
        ("crime,2011-Q1,found,0.5,2010-12-31,", "value", "period-not-begun"),
    ],
)
def test_each_fault_of_a_value_is_found_where_it_is(monitor: Desk, row: str, column: str, code: str) -> None:
    defined(monitor)
    report = values_of(monitor, row)
    assert [(error.column, error.code) for error in report.errors] == [(column, code)]


# --- mappings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ('unit = { column = "unit" }\n', "", "gives a part of a definition"),
        ('period = "2011" },\n]', 'period = "2011-13" },\n]', "names no period"),
        ("[date]\non = 2010-05-21\n", "", "hold from a day on"),
        ('frequency = { value = "yearly" }', 'colour = { value = "red" }', "is not one of name, unit"),
    ],
)
def test_what_is_wrong_with_a_mapping_is_found_before_any_row_is_read(
    monitor: Desk, before: str, after: str, sentence: str
) -> None:
    assert before in IN_COLUMNS
    path = monitor.folder / "mapping.toml"
    path.write_text(IN_COLUMNS.replace(before, after), encoding="utf-8")
    with pytest.raises(InvalidInput, match=sentence) as refused:
        read_mapping(path, IndicatorMapping)
    assert refused.value.code == "mapping-invalid"
