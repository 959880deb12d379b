"""Runs of an import: again, later, dry, with repetitions, killed half-way, and while others write."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from services.cli import app
from services.meetings.importing.decisions import MeetingImport
from services.meetings.importing.report import MeetingsReport
from shared.events.meeting_vocabulary import BodyKind, MeetingState, Presence
from shared.events.meetings import (
    AgendaRevised,
    AttendanceCorrected,
    Attendee,
    BodyRegistered,
    MeetingCancelled,
    MeetingHeld,
    MeetingRescheduled,
    MinutesApproved,
    MinutesDrafted,
    MinutesItem,
)
from shared.events.vocabulary import Visibility
from tests.services.meetings.importing.clerk import (
    Clerk,
    clerk_at,
    comparable,
    faults,
    item,
    left_out,
    many_meetings,
    meeting,
    verbatim,
)

ROOT = Path(__file__).parents[4]
ROWS_PER_BATCH = MeetingImport.ROWS_PER_BATCH
BEFORE = datetime(2024, 3, 1, tzinfo=UTC)
AFTER = datetime(2024, 6, 1, 12, tzinfo=UTC)


# --- again and later ------------------------------------------------------------------------------------------------


def test_a_second_run_adds_nothing_whoever_starts_it(clerk_on_each_engine: Clerk) -> None:
    clerk = clerk_on_each_engine
    rows = [meeting(), meeting(id="m/2", cancelled=True), meeting(id="m/3", start="2024-12-01T09:00:00Z")]
    first = clerk.enter(*rows)
    contents = clerk.contents()
    clerk.actor = msgspec.structs.replace(clerk.actor, subject="colleague")
    again = clerk.enter(*rows)
    assert clerk.contents() == contents
    assert (first.rows.imported, again.rows.imported, again.rows.unchanged) == (3, 0, 3)
    assert (again.events, again.bodies_registered, again.last_position) == ({}, [], None)
    assert (again.states, again.items, again.left_out) == (first.states, first.items, first.left_out)


def test_what_the_source_says_differently_before_a_meeting_is_taken_over(clerk: Clerk) -> None:
    clerk.now = BEFORE
    bare = [item(1), item(2)]
    clerk.enter(meeting(agendaItem=bare))
    clerk.enter(
        meeting(start="2024-03-06T16:30:00+01:00", end="2024-03-06T18:30:00+01:00", agendaItem=[item(1)])
    )
    assert [type(said) for said in clerk.facts()[1:]] == [MeetingRescheduled, AgendaRevised]
    clerk.now = AFTER
    clerk.enter(
        meeting(
            start="2024-03-06T16:30:00+01:00",
            end="2024-03-06T18:30:00+01:00",
            agendaItem=[item(1, result="noted")],
        )
    )
    assert [type(said) for said in clerk.facts()[3:]] == [MeetingHeld, MinutesDrafted]


def test_what_is_taken_back_and_said_again_is_recorded_each_time(clerk: Clerk) -> None:
    carried, noted = item(1, result="carried"), item(1, result="noted")
    for one in (carried, noted, carried, carried):
        clerk.enter(meeting(agendaItem=[one]))
    drafts = clerk.facts_of(MinutesDrafted)
    assert [verbatim(draft.items)[0][1] for draft in drafts] == ["agreed", "noted", "agreed"]
    assert [draft.draft for draft in drafts] == [1, 2, 3]


def test_a_cancellation_after_the_convocation_is_taken_over_and_not_taken_back(clerk: Clerk) -> None:
    clerk.now = BEFORE
    clerk.enter(meeting(agendaItem=[item(1)]))
    clerk.enter(meeting(agendaItem=[item(1)], cancelled=True))
    assert len(clerk.facts_of(MeetingCancelled)) == 1
    report = clerk.enter(meeting(agendaItem=[item(1)]))
    assert faults(report) == [(1, "cancelled", "meeting-cancelled")]


def test_the_time_at_which_it_was_held_is_corrected_and_who_was_noted_stays_noted(clerk: Clerk) -> None:
    clerk.enter(meeting())
    (held,) = clerk.facts_of(MeetingHeld)
    somebody = Attendee(organization="DCI", position="chief", presence=Presence.PRESENT)
    clerk.record(
        AttendanceCorrected(held_at=held.held_at, attendance=(somebody,), reason="The list was found.")
    )
    clerk.enter(meeting(start="2024-03-05T17:00:00+01:00"))
    corrected = clerk.facts_of(AttendanceCorrected)[-1]
    assert corrected.held_at == datetime(2024, 3, 5, 16, tzinfo=UTC)
    assert corrected.attendance == (somebody,)
    assert corrected.reason == "According to The Council's Pages."
    assert clerk.enter(meeting(start="2024-03-05T17:00:00+01:00")).rows.unchanged == 1


def test_what_can_no_longer_change_is_left_out_and_the_results_go_in(clerk: Clerk) -> None:
    clerk.enter(meeting(agendaItem=[item(1)], end=None))
    report = clerk.enter(meeting(agendaItem=[item(1, result="noted")], name="Town Council, solemn"))
    assert clerk.meeting().state is MeetingState.MINUTES_DRAFTED
    assert left_out(report) == [(1, "name", "title-settled"), (1, "end", "meeting-already-held")]


def test_another_agenda_after_the_meeting_is_an_error(clerk: Clerk) -> None:
    clerk.enter(meeting())
    report = clerk.enter(meeting(agendaItem=[item(1, result="carried")]))
    assert faults(report) == [(1, "agendaItem", "meeting-already-held")]


def test_another_body_is_an_error(clerk: Clerk) -> None:
    clerk.enter(meeting())
    report = clerk.enter(meeting(organization="o/2"))
    assert faults(report) == [(1, "organization", "meeting-of-another-body")]
    assert clerk.events("Groesse-A", "body") == []
    assert report.bodies_registered == []


def test_minutes_that_somebody_wrote_since_stay(clerk: Clerk) -> None:
    clerk.enter(meeting())
    by_hand = MinutesDrafted(draft=2, items=(MinutesItem(agenda_item=1, summary="A long debate."),))
    clerk.record(by_hand)
    assert clerk.enter(meeting()).rows.unchanged == 1
    report = clerk.enter(meeting(agendaItem=[item(1, result="noted"), item(2), item(3, result="see annex")]))
    assert faults(report) == [(1, "agendaItem[].result", "minutes-rewritten")]
    assert clerk.facts_of(MinutesDrafted)[-1] == by_hand


def test_sealed_minutes_stay_sealed(clerk: Clerk) -> None:
    clerk.enter(meeting())
    clerk.record(MinutesApproved(draft=1, digest="0" * 64))
    assert clerk.enter(meeting()).rows.unchanged == 1
    report = clerk.enter(meeting(agendaItem=[item(1, result="noted"), item(2), item(3, result="see annex")]))
    assert faults(report) == [(1, "agendaItem[].result", "minutes-approved")]


def test_a_meeting_that_somebody_cancelled_is_not_held_over_their_head(clerk: Clerk) -> None:
    clerk.now = BEFORE
    clerk.enter(meeting(agendaItem=[item(1)]))
    clerk.record(MeetingCancelled(reason="Nobody could come."))
    clerk.now = AFTER
    report = clerk.enter(meeting(agendaItem=[item(1)]))
    assert faults(report) == [(1, "start", "meeting-cancelled")]


# --- repetitions ----------------------------------------------------------------------------------------------------


def test_the_same_meeting_twice_in_a_file_counts_once(clerk: Clerk) -> None:
    report = clerk.enter(meeting(), meeting(), meeting(modified="yesterday"))
    assert (report.rows.imported, report.rows.duplicates, report.rows.failed) == (1, 2, 0)
    assert len(clerk.events()) == 3


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (meeting(start="2024-03-05T16:31:00+01:00"), "start"),
        (meeting(end=None), "end"),
        (meeting(organization="o/2"), "organization"),
        (meeting(location={"description": "Elsewhere"}), "location.description"),
        (meeting(agendaItem=[item(1, result="noted"), item(2), item(3)]), "agendaItem[].result"),
    ],
)
def test_two_rows_of_one_meeting_that_differ_are_an_error_of_the_second(
    clerk: Clerk, row: dict[str, object], column: str
) -> None:
    report = clerk.enter(meeting(), row)
    assert faults(report) == [(2, column, "conflicting-row")]
    assert "Line 1" in report.errors[0].reason


# --- dry ------------------------------------------------------------------------------------------------------------


def test_a_dry_run_writes_nothing_and_reports_the_same(clerk_on_each_engine: Clerk) -> None:
    clerk = clerk_on_each_engine
    clerk.enter(meeting())
    rows = [
        meeting(agendaItem=[item(1, result="noted"), item(2), item(3, result="see annex")]),
        meeting(id="m/2", organization="o/2", end="2024-03-05T00:00:00+01:00"),
        meeting(id="m/2", organization="o/2", end=None),
        meeting(id="m/3", agendaItem=[]),
        meeting(id="m/4", start="soon"),
    ]
    contents = clerk.contents()
    dry = clerk.enter(*rows, dry_run=True)
    assert clerk.contents() == contents
    assert (dry.first_position, dry.last_position) == (None, None)
    assert comparable(dry) == comparable(clerk.enter(*rows))
    assert dry.rows.imported == 2


# --- killed, and while others write ---------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from pathlib import Path
from tests.services.meetings.importing.clerk import Clerk

def watch(done, total):
    if done >= int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

Clerk(Path(sys.argv[1]), sys.argv[2]).enter_file(Path(sys.argv[1]) / "meetings.jsonl", progress=watch)
"""


def test_an_import_killed_at_any_moment_is_completed_by_running_it_again(clerk_on_each_engine: Clerk) -> None:
    clerk, rows = clerk_on_each_engine, many_meetings(4 * ROWS_PER_BATCH)
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (clerk.folder / "meetings.jsonl").write_text(text)
    heads = [0]
    for killed_at in (1, 2 * ROWS_PER_BATCH, 3 * ROWS_PER_BATCH):
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, str(clerk.folder), clerk.url, str(killed_at)],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            check=False,
        )
        assert killed.returncode == -signal.SIGKILL
        heads.append(clerk.store.head())
    assert heads == sorted(set(heads))
    last = clerk.enter_text(text)
    assert last.rows.imported > 0
    assert last.rows.imported + last.rows.unchanged == len(rows)
    with clerk_at(clerk.folder / "other", f"sqlite:///{clerk.folder / 'other' / 'bitacora.db'}") as other:
        other.enter_text(text)
        assert clerk.contents() == other.contents()


def test_two_imports_of_one_file_at_once_record_it_once(clerk_on_each_engine: Clerk) -> None:
    clerk, rows = clerk_on_each_engine, many_meetings(3 * ROWS_PER_BATCH)
    reports: list[MeetingsReport] = []

    def meddle(done: int, total: int) -> None:
        if done == ROWS_PER_BATCH and not reports:
            reports.append(clerk.enter(*rows))

    first = clerk.enter(*rows, progress=meddle)
    (second,) = reports
    assert (first.rows.imported, first.rows.unchanged) == (ROWS_PER_BATCH, 2 * ROWS_PER_BATCH)
    assert (second.rows.imported, second.rows.unchanged) == (2 * ROWS_PER_BATCH, ROWS_PER_BATCH)
    assert clerk.store.head() == 2 + 3 * len(rows)


def test_a_body_that_others_register_meanwhile_is_taken_as_it_is(clerk: Clerk) -> None:
    rows = [*many_meetings(2 * ROWS_PER_BATCH)]
    for row in rows[:ROWS_PER_BATCH]:
        row["organization"] = "o/1"
    by_hand = BodyRegistered(
        code="Groesse-A",
        name="Ausschuss für Größe",
        kind=BodyKind.COMMITTEE,
        decides=True,
        visibility=Visibility.INTERNAL,
    )

    def meddle(done: int, total: int) -> None:
        if done == ROWS_PER_BATCH:
            clerk.record(by_hand, reference="Groesse-A", kind="body")

    report = clerk.enter(*rows, progress=meddle)
    assert report.rows.imported == len(rows)
    assert report.bodies_registered == ["TC"]
    assert clerk.facts("Groesse-A", "body") == [by_hand]


def test_progress_ends_where_the_rows_end(clerk: Clerk) -> None:
    seen: list[tuple[int, int]] = []
    rows = [*many_meetings(ROWS_PER_BATCH + 1), meeting(id=None), meeting(id="m/0", start=None)]
    clerk.enter(*rows, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(2, len(rows)), (ROWS_PER_BATCH + 2, len(rows)), (len(rows), len(rows))]


# --- from the command line ------------------------------------------------------------------------------------------


def test_the_command_tells_what_happened_and_ends_with_1_when_a_row_was_refused(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk.enter(dry_run=True)  # leaves the mapping and the organisations
    monkeypatch.setenv("BITACORA_LOG_URL", clerk.url)
    file, report = clerk.folder / "meetings.jsonl", clerk.folder / "report.json"
    command = ["import-meetings", str(file), "--mapping", str(clerk.folder / "mapping.toml")]
    file.write_text(json.dumps(meeting(end="2024-03-05T00:00:00+01:00")) + "\n")
    done = CliRunner().invoke(app, [*command, "--report", str(report)])
    assert done.exit_code == 0, done.output
    assert "1 ends-before-start" in done.output
    told = json.loads(report.read_text())
    assert told["left_out"][0]["column"] == "end"
    assert list(told)[-1] == "errors"
    file.write_text("{}\n")
    assert CliRunner().invoke(app, [*command, "--dry-run"]).exit_code == 1
