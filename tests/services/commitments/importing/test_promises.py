"""What rows tell of a promise besides its course: where it was made, who is at it, what it goes on in, who reviewed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from services.commitments.importing.mapping import Mapping
from shared.errors import InvalidInput
from shared.events.commitments import (
    Corrected,
    Document,
    Merged,
    Origin,
    ProgressReported,
    ProgressReviewed,
    Registered,
    Reopened,
    Split,
    TeamMember,
)
from shared.events.retractions import CommitmentFactRetracted
from shared.events.vocabulary import CommitmentKind, OriginKind, ReviewOutcome
from shared.rules.traffic_light import Status
from shared.tabular.mapping import read_mapping
from tests.services.commitments.importing.desk import Desk

MAPPING = """
source = "The Platform"
visibility = "public"
[code]
columns = ["code"]
[title]
column = "name"
[date]
column = "day"
[lead]
code = "MOP"
[[organizations]]
code = "MOP"
name = "Works"
[origin]
kind = { column = "where", values = { Speech = "may_21_speech", Committee = "committee" } }
source = { column = "source" }
source_on = { column = "said on", formats = ["%d/%m/%Y"] }
quote = { column = "words" }
document_url = { column = "link" }
[[team]]
position = "Legal counsel"
institution = "MINSEGPRES"
subject = { column = "counsel" }
[[team]]
position = { column = "other post" }
institution = { column = "other house" }
[[documents]]
title = "Decree"
url = { column = "decree" }
[[documents]]
title = { column = "paper" }
dated_on = { column = "paper day" }
[state]
column = "state"
values = { Open = "open", Merged = "merged", Split = "split", Kept = "achieved" }
into = "goes on in"
parts = "goes on in"
separator = ";"
reason = "why"
evidence_url = "proof"
[progress]
texts = [{ column = "told" }]
[review]
column = "seen"
values = { OK = "accepted", Back = "returned" }
reason = "remark"
[fields]
kind = { column = "layer", values = { Objective = "strategic_objective", Action = "action" } }
parent = { column = "part of" }
weight = { column = "weighs" }
"""

COLUMNS = (
    "code", "name", "day", "where", "source", "said on", "words", "link", "counsel", "other post", "other house",
    "decree", "paper", "paper day", "state", "goes on in", "why", "told", "seen", "remark", "layer", "part of",
    "weighs", "proof",
)  # fmt: skip
FIRST, SECOND = "2013-09-30", "2014-03-31"


@pytest.fixture
def platform(desk: Desk) -> Desk:
    desk.mapping = MAPPING
    return desk


def enter(desk: Desk, *rows: dict[str, str], **options: Any) -> Any:
    table = [COLUMNS, *(tuple(row.get(name, "") for name in COLUMNS) for row in rows)]
    return desk.enter_text("".join(",".join(line) + "\n" for line in table), **options)


def row(code: str = "a", day: str = FIRST, **cells: str) -> dict[str, str]:
    told = {"code": code, "name": f"Promise {code}", "day": day}
    told |= {name.replace("_", " "): value for name, value in cells.items()}
    assert set(told) <= set(COLUMNS)
    return told


def registered(desk: Desk, code: str = "a") -> Registered:
    (found,) = desk.facts(Registered, code)
    assert isinstance(found, Registered)
    return found


# --- where it was made, who works on it, what backs it -------------------------------------------------------------


def test_each_row_tells_where_its_promise_was_made(platform: Desk) -> None:
    said = row(
        where="Speech",
        source="Message to Congress",
        said_on="21/05/2012",
        words="We shall.",
        link="https://x.cl/1",
    )
    enter(platform, said, row("b", where="Committee"), row("c"))
    assert registered(platform).origin == Origin(
        kind=OriginKind.MAY_21_SPEECH,
        source="Message to Congress",
        source_on=date(2012, 5, 21),
        quote="We shall.",
        document_url="https://x.cl/1",
    )
    assert registered(platform, "b").origin == Origin(kind=OriginKind.COMMITTEE, source="The Platform")
    assert registered(platform, "c").origin is None
    assert enter(platform, said).events == {}


def test_an_origin_that_is_told_later_is_set_right_and_another_is_left_out(platform: Desk) -> None:
    enter(platform, row(), row("b", where="Committee"))
    report = enter(platform, row(where="Speech"), row("b", where="Speech"))
    (corrected,) = platform.facts(Corrected, "a")
    assert corrected.value == {"kind": "may_21_speech", "source": "The Platform"}
    assert [(one.line, one.column, one.code) for one in report.left_out] == [(3, "where", "field-settled")]


def test_what_a_later_row_leaves_blank_of_an_origin_is_no_difference(platform: Desk) -> None:
    enter(platform, row(where="Speech", source="Message to Congress", words="We shall."))
    report = enter(platform, row(day=SECOND, where="Speech"))
    assert (report.left_out, report.events) == ([], {})


def test_a_row_lists_the_team_and_the_documents(platform: Desk) -> None:
    counsel = TeamMember(position="Legal counsel", institution="MINSEGPRES", subject="u-7")
    other = TeamMember(position="Analyst", institution="DIPRES")
    enter(
        platform,
        row(counsel="u-7", other_post="Analyst", other_house="DIPRES", decree="https://x.cl/d", paper="Note",
            paper_day="2013-01-02"),
        row(day=SECOND, counsel="u-8", other_post="Analyst", other_house="DIPRES"),
    )  # fmt: skip
    assert registered(platform).working_team == (counsel, other)
    assert registered(platform).documents == (
        Document(title="Decree", url="https://x.cl/d"),
        Document(title="Note", dated_on=date(2013, 1, 2)),
    )
    dated = platform.commitment("a").dated
    assert dated.registration_on(date(2014, 3, 30)).working_team == (counsel, other)
    assert dated.registration_on(date(2014, 3, 31)).working_team == (
        msgspec.structs.replace(counsel, subject="u-8"),
        other,
    )


# --- what it is part of, and goes on in ----------------------------------------------------------------------------


def test_what_others_are_part_of_goes_in_first_wherever_it_stands(platform: Desk) -> None:
    rows = [row("part", layer="Action", part_of="whole", weighs="2.5"), row("whole", layer="Objective")]
    assert enter(platform, *rows).errors == []
    part = registered(platform, "part")
    assert (part.parent, part.kind, part.weight) == ("whole", CommitmentKind.ACTION, Decimal("2.5"))
    report = enter(platform, *rows, row("part", SECOND, layer="Action", part_of="whole", weighs="3"))
    assert sum(report.events.values()) == 1
    assert platform.commitment("part").dated.registration_on(date(2014, 3, 31)).weight == 3


def test_what_was_merged_goes_on_in_another_from_its_day_on(platform: Desk) -> None:
    rows = [row(), row("b"), row(day=SECOND, state="Merged", goes_on_in="b", why="The same promise")]
    assert enter(platform, *rows).errors == []
    (merged,) = platform.facts(Merged, "a")
    assert merged == Merged(into="b", reason="The same promise", effective_on=date(2014, 3, 31))
    assert platform.commitment("a").merged_into == "b"
    assert platform.status(date(2014, 3, 30), "a") is Status.ON_TIME
    again = enter(
        platform, *rows, row(day="2014-05-31", state="Merged", goes_on_in="b", why="The same promise")
    )
    assert again.events == {}
    enter(platform, row(day="2014-05-31", state="Open"))
    assert [reopened.effective_on for reopened in platform.facts(Reopened, "a")] == [date(2014, 5, 31)]


def test_what_others_went_on_in_was_not_closed_before_they_did(platform: Desk) -> None:
    enter(platform, row(), row("b"), row(day=SECOND, state="Merged", goes_on_in="b"))
    report = enter(platform, row("b", "2014-01-31", state="Kept"), row("c", state="Kept"))
    assert [(one.line, one.column, one.code) for one in report.errors] == [(2, "state", "merger-into-closed")]
    assert enter(platform, row("b", "2014-04-30", state="Kept")).errors == []


def test_what_was_split_goes_on_in_its_parts_which_are_told_by_rows_of_their_own(platform: Desk) -> None:
    rows = [
        row(where="Speech"),
        row("a-2", SECOND),
        row("a-1", SECOND, weighs="2"),
        row(day=SECOND, where="Speech", state="Split", goes_on_in="a-1; a-2", why="Two leads"),
    ]
    assert enter(platform, *rows).errors == []
    (split,) = platform.facts(Split, "a")
    assert split == Split(parts=("a-1", "a-2"), reason="Two leads", effective_on=date(2014, 3, 31))
    one = registered(platform, "a-1")
    assert (one.split_from, one.title, one.effective_on) == ("a", "Promise a-1", date(2014, 3, 31))
    assert one.origin == registered(platform).origin
    assert platform.commitment("a-1").dated.registration_on(date(2014, 3, 31)).weight == 2
    again = enter(platform, *rows)
    assert (again.rows.unchanged, again.events) == (4, {})


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"state": "Merged", "goes on in": "nowhere"}, "goes on in", "merger-into-unknown"),
        ({"state": "Merged"}, "goes on in", "value-missing"),
        ({"state": "Split", "goes on in": "b; a"}, "goes on in", "code-taken"),
        ({"state": "Split", "goes on in": "x; y"}, "goes on in", "part-undescribed"),
        ({"part of": "nowhere"}, "part of", "parent-unknown"),
        ({"weighs": "0"}, "weighs", "weight-out-of-range"),
        ({"source": "Somewhere"}, "where", "value-missing"),
        ({"where": "Speech", "said on": "21/05/2030"}, "where", "date-in-future"),
        ({"other post": "Analyst"}, "other post", "value-missing"),
        ({"link": "nowhere", "where": "Speech"}, "link", "value-unknown"),
        ({"proof": "javascript:alert(1)", "state": "Kept"}, "proof", "value-unknown"),
        ({"told": "Going on", "seen": "Perhaps"}, "seen", "value-unknown"),
    ],
)
def test_each_fault_of_a_row_is_found_where_it_is(
    platform: Desk, cells: dict[str, str], column: str, code: str
) -> None:
    report = enter(platform, row("b", "2013-09-29"), row() | cells)
    assert [(error.line, error.column, error.code) for error in report.errors] == [(3, column, code)]
    assert platform.events("a") == []


# --- who reviewed ---------------------------------------------------------------------------------------------------


def test_a_report_is_reviewed_by_somebody_else_than_told_of_it(platform: Desk) -> None:
    rows = [row(told="Begun", seen="OK"), row("b", told="Begun", seen="Back", remark="How far?")]
    first = enter(platform, *rows)
    assert [(one.column, one.code) for one in first.left_out] == [("seen", "reviewer-is-author")] * 2
    assert platform.facts(ProgressReviewed, "a") == []
    platform.actor = msgspec.structs.replace(platform.actor, subject="colleague")
    assert enter(platform, *rows).events == {"commitments.progress_reviewed": 2}
    (accepted,), (returned,) = (platform.facts(ProgressReviewed, code) for code in ("a", "b"))
    assert accepted == ProgressReviewed(report=1, outcome=ReviewOutcome.ACCEPTED)
    assert returned == ProgressReviewed(report=1, outcome=ReviewOutcome.RETURNED, reason="How far?")
    again = enter(platform, *rows)
    assert (again.events, again.left_out) == ({}, [])
    other = enter(platform, row(told="Begun", seen="Back"))
    assert [(one.column, one.code) for one in other.left_out] == [("seen", "report-already-reviewed")]


def test_what_somebody_took_back_is_not_told_again_by_the_same_table(platform: Desk) -> None:
    rows = [row(), row("b"), row(day=SECOND, state="Merged", goes_on_in="b", told="Going on")]
    enter(platform, *rows)
    facts = [recorded.data for recorded in platform.events("a")]
    for version, fact in enumerate(facts, 1):
        if isinstance(fact, Merged | ProgressReported):
            platform.record(
                CommitmentFactRetracted(version=version, reason="Not so.", retracted=fact.TYPE), "a"
            )
    before = platform.contents()
    assert enter(platform, *rows).rows.unchanged == 3
    assert platform.contents() == before


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ('into = "goes on in"\n', "", "has a word for merged: say in `into`"),
        ('parts = "goes on in"\n', "", "has a word for split: say in `parts`"),
        ('[progress]\ntexts = [{ column = "told" }]\n', "", "is of a progress report"),
    ],
)
def test_a_mapping_that_lacks_what_its_words_need_is_refused(
    platform: Desk, before: str, after: str, sentence: str
) -> None:
    path = platform.folder / "mapping.toml"
    path.write_text(MAPPING.replace(before, after), encoding="utf-8")
    with pytest.raises(InvalidInput, match=sentence):
        read_mapping(path, Mapping)
