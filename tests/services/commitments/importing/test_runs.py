"""Runs of an import: again, dry, with bad rows, killed half-way, and while others write."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest
import xlsxwriter

from services.commitments.importing.decisions import CommitmentImport
from shared.eventlog.envelope import NewEvent
from shared.eventlog.store import Changes
from shared.events.commitments import (
    Assessed,
    ChangeableField,
    Changed,
    Commented,
    Completed,
    Corrected,
    DeadlineRevised,
    Evidence,
    LeadReassigned,
    MilestoneSet,
    OrganizationRegistered,
    Registered,
    Split,
)
from shared.events.streams import stream_of
from shared.events.vocabulary import CommitmentKind, DeadlineKind, Judgement, Visibility
from tests.services.commitments.importing.desk import (
    COLUMNS,
    Desk,
    as_csv,
    comparable,
    desk_at,
    many_rows,
    row,
)

SECOND = "31/03/2014"
ROWS_PER_BATCH = CommitmentImport.ROWS_PER_BATCH
ROOT = Path(__file__).parents[4]


# --- again ----------------------------------------------------------------------------------------------------------


def test_a_second_run_adds_nothing_whoever_starts_it(desk_on_each_engine: Desk) -> None:
    desk = desk_on_each_engine
    rows = [
        row(start="01/05/2014", told="Begun", cost="1", due="To be confirmed"),
        row(day="31/12/2013", start="01/06/2014", due="31/12/2014", name="A viaduct", who="MoH"),
        row(day=SECOND, start="01/06/2014", due="Exempt", told="Going on", cost="2", rating="Red"),
    ]
    first = desk.enter(*rows)
    before = desk.contents()
    desk.actor = msgspec.structs.replace(desk.actor, subject="colleague")
    desk.now = datetime(2015, 1, 1, tzinfo=UTC)
    again = desk.enter(*rows)
    assert desk.contents() == before
    assert (first.rows.imported, again.rows.imported, again.rows.unchanged) == (3, 0, 3)
    assert again.events == {}
    assert again.last_position is None


def test_a_file_that_grew_adds_what_is_new(desk: Desk) -> None:
    desk.enter(row())
    report = desk.enter(row(), row(day=SECOND, rating="Red"))
    assert (report.rows.imported, report.rows.unchanged) == (1, 1)
    assert report.events == {"commitments.assessed": 1}


def test_a_rating_corrected_in_the_file_is_recorded_beside_the_old_one(desk: Desk) -> None:
    desk.enter(row(rating="Green"))
    desk.enter(row(rating="Red"))
    desk.enter(row(rating="Green"))
    desk.enter(row(rating="Green"))
    assert [said.rating for said in desk.facts(Assessed)] == ["Green", "Red", "Green"]


def test_what_a_person_said_since_is_not_undone(desk: Desk) -> None:
    day = date(2013, 9, 30)
    desk.enter(row(), row(day=SECOND, due="31/12/2016"))
    desk.record(Assessed(effective_on=day, judgement=Judgement.AT_RISK, reason="I was there."))
    desk.record(
        DeadlineRevised(
            deadline=DeadlineKind.PUBLIC,
            on=date(2020, 1, 1),
            effective_on=date(2014, 3, 31),
            reason="Agreed.",
        )
    )
    before = desk.contents()
    assert desk.enter(row(), row(day=SECOND, due="31/12/2016")).rows.unchanged == 2
    assert desk.contents() == before


def test_what_was_imported_before_a_completion_is_still_known_after_it(desk: Desk) -> None:
    rows = [row(), row(day=SECOND, rating="Red", due="31/12/2016", who="MoH", told="Going on", cost="1")]
    desk.enter(*rows)
    desk.record(Completed(completed_on=date(2013, 12, 1), evidence=(Evidence(description="It stands."),)))
    assert desk.enter(*rows).rows.unchanged == 2
    refused = desk.enter(*rows, row(day="30/04/2014"))
    assert [(error.line, error.code) for error in refused.errors] == [(4, "commitment-closed")]


def test_a_row_from_before_the_first_day_moves_it_and_changes_nothing_after_it(desk: Desk) -> None:
    desk.enter(row(day=SECOND, who="MoH", due="31/12/2016"))
    earlier = [row(day="31/12/2012", due="30/06/2014"), row(rating="Red", due="30/06/2014")]
    desk.enter(*earlier)
    assert [(c.field, c.value) for c in desk.facts(Corrected)] == [("effective_on", "2012-12-31")]
    bridge = desk.commitment()
    leads = [bridge.lead_on(day) for day in (date(2012, 12, 31), date(2014, 3, 30), date(2014, 3, 31))]
    assert leads == ["WORKS", "WORKS", "HEALTH"]
    deadlines = [bridge.dated.public_deadlines.on(day)[0] for day in (date(2014, 3, 30), date(2014, 3, 31))]
    assert deadlines == [date(2014, 6, 30), date(2016, 12, 31)]
    before = desk.contents()
    desk.enter(*earlier, row(day=SECOND, who="MoH", due="31/12/2016"))
    assert desk.contents() == before


def test_a_row_from_before_its_split_or_its_parent_was_there_does_not_move_the_first_day_of_a_part(
    desk: Desk,
) -> None:
    whole, above = (
        Registered(
            code=code,
            title=code,
            lead_organization="WORKS",
            effective_on=day,
            visibility=Visibility.PUBLIC,
            kind=kind,
        )
        for code, day, kind in (
            ("t-whole", date(2013, 1, 1), CommitmentKind.COMMITMENT),
            ("t-above", date(2013, 6, 1), CommitmentKind.STRATEGIC_OBJECTIVE),
        )
    )
    for registered in (whole, above):
        desk.record(registered, code=registered.code)
    part, other = (
        msgspec.structs.replace(whole, code=code, effective_on=date(2013, 9, 30), **more)
        for code, more in (("t-bridge", {"split_from": "t-whole"}), ("t-tunnel", {"parent": "t-above"}))
    )
    split = Split(parts=("t-bridge", "t-other"), reason="Two", effective_on=date(2013, 9, 30))
    desk.record(split, code="t-whole")
    for registered in (part, other):
        desk.record(registered, code=registered.code)
    before = desk.contents()
    early = row(day="31/12/2012")
    report = desk.enter(early, early | {"code": "tunnel"})
    assert [(error.code, error.column) for error in report.errors] == [
        ("part-before-split", "day"),
        ("parent-not-there-yet", "day"),
    ]
    # From the day of the parent on it goes in.
    assert desk.enter(row(code="tunnel", day="30/06/2013")).errors == []
    assert {(c.field, c.value) for c in desk.facts(Corrected, "t-tunnel")} == {("effective_on", "2013-06-30")}
    assert desk.facts(Corrected) == []
    assert before - desk.contents() == {}


def test_a_bad_first_row_that_was_mended_goes_in_before_the_others(desk: Desk) -> None:
    good = [row(day="31/12/2013", who="MoH"), row(day=SECOND, rating="Red")]
    assert desk.enter(row(rating="Greenish"), *good).rows.failed == 1
    desk.enter(row(rating="Green"), *good)
    with desk_at(desk.folder / "other", f"sqlite:///{desk.folder / 'other' / 'bitacora.db'}") as other:
        other.enter(row(rating="Green"), *good)
        for day in (date(2013, 9, 30), date(2013, 12, 31), date(2014, 3, 31)):
            one, same = desk.commitment(), other.commitment()
            assert (one.lead_on(day), desk.status(day)) == (same.lead_on(day), other.status(day))
            assert one.dated.public_deadlines.on(day)[0] == same.dated.public_deadlines.on(day)[0]


def test_an_older_row_does_not_undo_a_milestone_that_a_newer_one_planned(desk: Desk) -> None:
    desk.enter(row(day=SECOND, start="01/09/2014"))
    desk.enter(row(day="31/12/2013", start="01/05/2014"))
    assert desk.commitment().milestones[0].plan.event.due_on == date(2014, 9, 1)


# --- dry ------------------------------------------------------------------------------------------------------------


def test_a_dry_run_writes_nothing_and_reports_the_same(desk: Desk) -> None:
    rows = [
        row(),
        row(day=SECOND, rating="Red", due="soon"),
        row(code="", name=""),
        row(day=SECOND, who="MoH", start="01/01/2015"),
        row(day=SECOND, who="MoH"),
        row(code="road", day="01/01/2050"),
    ]
    dry = desk.enter(*rows, dry_run=True)
    assert desk.store.head() == 0
    wet = desk.enter(*rows)
    assert comparable(dry) == comparable(wet)
    assert (dry.rows.read, dry.rows.imported, dry.rows.failed) == (6, 2, 4)
    assert dry.first_position is None
    assert (wet.first_position, wet.last_position) == (1, desk.store.head())
    assert comparable(desk.enter(*rows, dry_run=True)) == comparable(desk.enter(*rows))


# --- bad rows -------------------------------------------------------------------------------------------------------


def test_a_bad_row_is_reported_with_line_column_value_and_reason_and_the_good_ones_go_in(desk: Desk) -> None:
    report = desk.enter(
        row(why="two\nlines"),
        row(code="road", rating="Greenish", due="soon", cost="much", start="32/01/2014"),
        row(code="rail"),
    )
    assert (report.rows.read, report.rows.imported, report.rows.failed) == (3, 2, 1)
    assert [(e.line, e.column, e.value, e.code) for e in report.errors] == [
        (4, "rating", "Greenish", "rating-unknown"),
        (4, "due", "soon", "date-unreadable"),
        (4, "cost", "much", "number-unreadable"),
        (4, "start", "32/01/2014", "date-unreadable"),
    ]
    assert all(error.reason.endswith(".") for error in report.errors)
    assert desk.events("t-road") == []
    assert desk.events("t-rail")


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"day": "some day"}, "day", "date-unreadable"),
        ({"day": "01/01/2050"}, "day", "date-in-future"),
        ({"code": "·"}, "code", "code-missing"),
        ({"name": "n/a"}, "name", "title-missing"),
        ({"name": "x" * 501}, "name", "text-too-long"),
        ({"who": ""}, "who", "lead-missing"),
        ({"who": "Somebody"}, "who", "unknown-organization"),
        ({"why": "y" * 20_001}, "why", "text-too-long"),
        ({"told": "a\0b"}, "told", "text-not-storable"),
        ({"cost": "1" * 19}, "cost", "number-too-large"),
    ],
)
def test_each_fault_of_a_row_is_found_where_it_is(
    desk: Desk, cells: dict[str, str], column: str, code: str
) -> None:
    report = desk.enter(row(**cells))
    assert [(error.line, error.column, error.code) for error in report.errors] == [(2, column, code)]
    assert report.rows.imported == 0
    assert desk.store.read(0, 10, types=[Registered.TYPE]) == []


def test_of_two_rows_for_one_commitment_and_day_that_differ_the_second_is_an_error(desk: Desk) -> None:
    report = desk.enter(row(rating="Green"), row(rating="Red"), row(rating="Green"))
    assert [(e.line, e.column, e.value, e.code) for e in report.errors] == [
        (3, "rating", "Red", "conflicting-row")
    ]
    assert "Line 2" in report.errors[0].reason
    assert (report.rows.imported, report.rows.duplicates, report.rows.failed) == (1, 1, 1)
    assert [said.rating for said in desk.facts(Assessed)] == ["Green"]


def test_rows_that_differ_only_in_how_they_are_written_are_the_same(desk: Desk) -> None:
    report = desk.enter(
        row(day="30/09/2013", due="31/12/2015", cost="1234.5", who="MoH", told="Begun"),
        row(day="2013-09-30T18:30", due="31.12.15", cost="£1,234.50", who="Min. of  Health", told="Begun "),
        row(day="2013-09-30 07:00", due="2015-12-31", cost="1 234.5", who="HEALTH", told="Begun"),
    )
    assert (report.rows.imported, report.rows.duplicates, report.errors) == (1, 2, [])


def test_the_last_of_two_rows_of_one_day_stands_where_the_mapping_says_so(desk: Desk) -> None:
    desk.mapping = desk.mapping.replace('column = "day"', 'column = "day"\ndiffering = "last"')
    report = desk.enter(
        row(rating="Red"),
        row(rating="Green"),
        row(code="road", day="2013-09-30T18:30", rating="Red"),
        row(code="road", day="2013-09-30T08:30", rating="Green"),
    )
    assert (report.rows.imported, report.rows.replaced, report.errors) == (2, 2, [])
    assert [said.rating for said in desk.facts(Assessed)] == ["Green"]
    assert [said.rating for said in desk.facts(Assessed, "t-road")] == ["Red"]
    assert "2 replaced" in report.summary()


def test_a_table_of_which_every_row_is_refused_leaves_nothing_behind(desk: Desk) -> None:
    desk.mapping = desk.mapping.replace('unknown = "error"', 'unknown = "register"')
    desk.mapping += '[fields]\npillar = { column = "more" }\n'
    report = desk.enter(*(row(code=f"c{n}", who=f"Ministry {n}", more="none") for n in range(3)))
    assert (report.rows.failed, report.organizations_registered, report.events) == (3, [], {})
    assert desk.store.head() == 0


@pytest.mark.parametrize("name", ["x" * 501, "A \u200bbridge"])
def test_a_row_that_could_not_register_its_commitment_is_refused_by_every_run(desk: Desk, name: str) -> None:
    rows = [row(name=name), row(day=SECOND)]
    first = desk.enter(*rows)
    before = desk.contents()
    again = desk.enter(*rows)
    assert first.errors == again.errors != []
    assert desk.contents() == before


def test_a_milestone_that_is_corrected_again_and_again_is_as_last_told(desk: Desk) -> None:
    days = ["01/05/2014", "01/06/2014", "01/05/2014", "01/06/2014"]
    for day in days:
        desk.enter(row(start=day))
    assert [one.due_on.month for one in desk.facts(MilestoneSet)] == [5, 6, 5, 6]
    assert desk.enter(row(start=days[-1])).rows.unchanged == 1


@pytest.mark.parametrize(("column", "values"), [
    ("due", ["31/12/2015", "31/12/2016"]), ("who", ["WORKS", "MoH"]), ("told", ["Begun", "Going on"]),
    ("cost", ["1", "2"]), ("rating", ["Green", "Red"]), ("more", ["roads", "rivers"]),
])  # fmt: skip
def test_whatever_is_corrected_again_and_again_is_as_last_told(
    desk: Desk, column: str, values: list[str]
) -> None:
    desk.mapping += '[fields]\nkey_words = { column = "more" }\n'
    facts = [desk.enter(row(**{column: value})).rows.imported for value in values * 2]
    assert facts == [1, 1, 1, 1]
    assert desk.enter(row(**{column: values[-1]})).rows.unchanged == 1


def test_what_a_person_said_of_the_first_day_since_is_not_undone(desk: Desk) -> None:
    day = date(2013, 9, 30)
    desk.mapping += '[fields]\nregion = { column = "more" }\n'
    desk.enter(row(more="Ñuble"), row(day=SECOND, more="Ñuble"))
    desk.record(LeadReassigned(lead_organization="HEALTH", effective_on=day, reason="Agreed."))
    desk.record(
        Changed(field=ChangeableField.REGION, value="Maule", effective_on=date(2013, 12, 1), reason="Moved.")
    )
    desk.record(
        DeadlineRevised(deadline=DeadlineKind.PUBLIC, on=date(2020, 1, 1), effective_on=day, reason="Agreed.")
    )
    before = desk.contents()
    assert desk.enter(row(more="Ñuble"), row(day=SECOND, more="Ñuble")).rows.unchanged == 2
    assert desk.contents() == before


def test_a_bad_row_does_not_stand_in_the_way_of_a_good_one_for_the_same_day(desk: Desk) -> None:
    report = desk.enter(row(rating="Greenish"), row(rating="Red"), row(rating="Reddish"), row(rating="Red"))
    assert [(error.line, error.code) for error in report.errors] == [
        (2, "rating-unknown"),
        (4, "rating-unknown"),
    ]
    assert (report.rows.imported, report.rows.duplicates, report.rows.failed) == (1, 1, 2)
    assert [said.rating for said in desk.facts(Assessed)] == ["Red"]


def test_a_row_that_is_refused_gives_nothing_to_the_registration(desk: Desk) -> None:
    desk.mapping += '[fields]\ndescription = { column = "more" }\n'
    desk.enter(row(rating="Greenish", more="Wrong"), row(day=SECOND, more="Right"))
    assert desk.facts(Registered)[0].description == "Right"


def test_rows_that_differ_only_in_columns_the_mapping_does_not_ask_for_are_the_same(desk: Desk) -> None:
    header, line = as_csv([row()]).splitlines()
    report = desk.enter_text(f"{header},extra\n{line},one\n{line},two\n")
    assert (report.rows.imported, report.rows.duplicates) == (1, 1)


def test_a_row_that_cannot_be_made_out_is_reported_and_the_others_go_in(desk: Desk) -> None:
    report = desk.enter_text(as_csv([row()]) + 'road,"never closed\n')
    assert [(error.line, error.column, error.code) for error in report.errors] == [
        (3, None, "row-unreadable")
    ]
    assert report.rows.imported == 1


def test_the_report_is_json_for_programs_and_some_lines_for_people(desk: Desk) -> None:
    report = desk.enter(row(), row(code="road", rating="Greenish " * 50))
    path = desk.folder / "report.json"
    report.write(path)
    told = msgspec.json.decode(path.read_bytes())
    assert told["rows"] == {
        "read": 2, "imported": 1, "unchanged": 0, "duplicates": 0, "replaced": 0, "passed_over": 0,
        "failed": 1,
    }  # fmt: skip
    assert told["events"]["commitments.registered"] == 1
    assert told["organizations_registered"] == ["WORKS"]
    assert len(told["errors"][0]["value"]) == 200
    assert "2 rows read, 1 imported" in report.summary()
    assert "line 3, rating “Greenish Greenish" in report.summary()


def test_whoever_watches_is_told_how_many_rows_are_done(desk: Desk) -> None:
    told: list[tuple[int, int]] = []
    desk.enter(*many_rows(ROWS_PER_BATCH), row(rating="Greenish"), progress=lambda *now: told.append(now))
    total = 2 * ROWS_PER_BATCH + 1
    assert [done for done, _ in told] == [1, 1 + ROWS_PER_BATCH, total]
    assert {of for _, of in told} == {total}


# --- workbooks ------------------------------------------------------------------------------------------------------


def test_a_workbook_gives_the_same_events_as_the_csv_file(desk: Desk) -> None:
    rows = [row(cost="1.25", told="Begun"), row(day=SECOND, rating="Red", due="2016-06-30", cost="2")]
    file = desk.folder / "table.xlsx"
    with xlsxwriter.Workbook(str(file)) as workbook:
        sheet, day = workbook.add_worksheet(), workbook.add_format({"num_format": "dd/mm/yyyy"})
        sheet.write_row(0, 0, COLUMNS)
        for number, cells in enumerate(rows, 1):
            sheet.write_row(number, 0, cells.values())
            sheet.write_number(number, COLUMNS.index("cost"), float(cells["cost"]))
        sheet.write_datetime(1, COLUMNS.index("day"), date(2013, 9, 30), day)
        sheet.write_datetime(1, COLUMNS.index("due"), date(2015, 12, 31), day)
    desk.enter_file(file)
    with desk_at(desk.folder / "other", f"sqlite:///{desk.folder / 'other' / 'bitacora.db'}") as other:
        other.enter(*rows)
        assert desk.contents() == other.contents()
        assert sum(desk.contents().values()) == 8


def test_several_sheets_are_one_table_whose_errors_name_sheet_and_row(desk: Desk) -> None:
    file = desk.folder / "table.xlsx"
    with xlsxwriter.Workbook(str(file)) as workbook:
        for name, day in (("2013", "30/09/2013"), ("2014", "31/03/2014")):
            sheet = workbook.add_worksheet(name)
            sheet.write_row(0, 0, COLUMNS)
            sheet.write_row(1, 0, row(day=day).values())
            sheet.write_row(2, 0, row(code="road", day=day, rating="Greenish").values())
            sheet.write_row(3, 0, row(code="Total", name="").values())
    desk.mapping += '[file]\nsheets = "all"\n[[rows.leave_out]]\ncolumn = "code"\nwords = ["total"]\n'
    report = desk.enter_file(file)
    assert (report.rows.read, report.rows.imported, report.rows.passed_over) == (6, 2, 2)
    assert [(error.sheet, error.line) for error in report.errors] == [("2013", 3), ("2014", 3)]
    assert "2013, line 3, rating" in report.summary()
    assert "2 passed over" in report.summary()


# --- killed, and while others write ---------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from pathlib import Path
from tests.services.commitments.importing.desk import Desk

def watch(done, total):
    if done >= int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

Desk(Path(sys.argv[1]), sys.argv[2]).enter_file(Path(sys.argv[1]) / "table.csv", progress=watch)
"""


def test_an_import_killed_at_any_moment_is_completed_by_running_it_again(desk_on_each_engine: Desk) -> None:
    desk, rows = desk_on_each_engine, many_rows(2 * ROWS_PER_BATCH)
    (desk.folder / "table.csv").write_text(as_csv(rows))
    heads = [0]
    for killed_at in (1, ROWS_PER_BATCH, 2 * ROWS_PER_BATCH, 3 * ROWS_PER_BATCH):
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, str(desk.folder), desk.url, str(killed_at)],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            check=False,
        )
        assert killed.returncode == -signal.SIGKILL
        heads.append(desk.store.head())
    assert heads == sorted(heads)
    assert heads[-1] > heads[1] > 0
    last = desk.enter(*rows)
    assert last.rows.imported + last.rows.unchanged == len(rows)
    with desk_at(desk.folder / "other", f"sqlite:///{desk.folder / 'other' / 'bitacora.db'}") as other:
        other.enter(*rows)
        assert desk.contents() == other.contents()


def test_what_others_write_meanwhile_is_neither_lost_nor_stands_in_the_way(desk_on_each_engine: Desk) -> None:
    desk, rows = desk_on_each_engine, many_rows(3 * ROWS_PER_BATCH)
    desk.enter(*rows[: len(rows) // 2])
    comment = Commented(text="Seen on the spot.", effective_on=date(2014, 1, 1))
    calls = 0

    def meddle(done: int, total: int) -> None:
        nonlocal calls
        calls += 1
        if done in {len(rows) // 2, len(rows) // 2 + ROWS_PER_BATCH}:
            for number in range(0, len(rows) // 2, 50):
                desk.record(comment, f"t-p{number}")

    report = desk.enter(*rows, progress=meddle)
    assert report.rows.imported == len(rows) // 2
    assert calls > 3
    for number in range(0, len(rows) // 2, 50):
        code = f"t-p{number}"
        assert desk.facts(Commented, code) == [comment, comment]
        assert [event.version for event in desk.events(code)] == list(range(1, len(desk.events(code)) + 1))
        assert len(desk.facts(LeadReassigned, code)) == 1
    assert desk.enter(*rows).rows.unchanged == len(rows)


def test_an_organisation_that_others_register_meanwhile_is_taken_as_it_is(desk: Desk) -> None:
    rows = many_rows(2 * ROWS_PER_BATCH)[: 2 * ROWS_PER_BATCH]
    rows.append(row(code="clinic", day=SECOND, who="MoH"))

    def meddle(done: int, total: int) -> None:
        if done == ROWS_PER_BATCH:
            new = NewEvent(
                stream_id=stream_of("organization", "HEALTH"),
                version=1,
                recorded_by=desk.actor,
                correlation_id="by hand",
                data=OrganizationRegistered(code="HEALTH", name="Health"),
            )
            desk.store.append([Changes([new])], desk.now)

    report = desk.enter(*rows, progress=meddle)
    assert report.rows.imported == len(rows)
    assert report.organizations_registered == ["WORKS"]
    assert [said.name for said in desk.facts(OrganizationRegistered, "HEALTH", "organization")] == ["Health"]


def test_a_name_that_others_give_away_meanwhile_is_not_taken_twice(desk_on_each_engine: Desk) -> None:
    desk, rows = desk_on_each_engine, many_rows(2 * ROWS_PER_BATCH)[: 2 * ROWS_PER_BATCH]
    rows.append(row(code="clinic", day=SECOND, who="MoH"))

    def meddle(done: int, total: int) -> None:
        if done == ROWS_PER_BATCH:
            new = NewEvent(
                stream_id=stream_of("organization", "CLINICS"),
                version=1,
                recorded_by=desk.actor,
                correlation_id="by hand",
                data=OrganizationRegistered(code="CLINICS", name="Clinics", aliases=("health",)),
            )
            desk.store.append([Changes([new])], desk.now)

    report = desk.enter(*rows, progress=meddle)
    assert [(error.code, error.value) for error in report.errors] == [("alias-taken", "MoH")]
    assert report.rows.imported == len(rows) - 1
    assert report.organizations_registered == ["WORKS"]
    assert desk.events("HEALTH", "organization") == []


def test_organisations_named_by_one_batch_after_another_are_all_registered(desk_on_each_engine: Desk) -> None:
    rows = [row(code=f"p{n}", who="WORKS") for n in range(ROWS_PER_BATCH)]
    rows += [row(code=f"q{n}", who="MoH") for n in range(ROWS_PER_BATCH)]
    report = desk_on_each_engine.enter(*rows)
    assert (report.rows.imported, report.errors) == (len(rows), [])
    assert report.organizations_registered == ["WORKS", "HEALTH"]
