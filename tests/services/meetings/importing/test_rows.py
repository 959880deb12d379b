"""What a row becomes, and what is wrong with rows that become nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.events.meeting_vocabulary import BodyKind, MeetingState
from shared.events.meetings import (
    AgendaItem,
    BodyChanged,
    BodyRegistered,
    MeetingCancelled,
    MeetingConvened,
    MeetingHeld,
    MinutesDrafted,
)
from shared.events.vocabulary import Visibility
from tests.services.meetings.importing.clerk import Clerk, faults, item, left_out, meeting, verbatim

START = datetime(2024, 3, 5, 15, 30, tzinfo=UTC)
END = datetime(2024, 3, 5, 17, 30, tzinfo=UTC)


# --- what a row becomes ---------------------------------------------------------------------------------------------


def test_a_meeting_is_convened_held_and_its_results_are_drafted_as_minutes(clerk: Clerk) -> None:
    report = clerk.enter(meeting())
    convened, held, drafted = clerk.facts()
    assert convened == MeetingConvened(
        body="TC",
        scheduled_at=START,
        ends_at=END,
        visibility=Visibility.PUBLIC,
        place="Town Hall",
        title="Town Council, ordinary",
        agenda=tuple(
            AgendaItem(number=n, title=f"Issue {n}", label=f"{n}.", reference=f"i/{n}") for n in (1, 2, 3)
        ),
        reference="m/1",
    )
    assert held == MeetingHeld(held_at=START, attendance=())
    assert isinstance(drafted, MinutesDrafted)
    assert verbatim(drafted.items) == [(1, "agreed", "carried"), (3, None, "see annex")]
    assert report.rows.imported == 1


def test_nobody_is_said_to_have_approved_the_minutes_or_to_have_been_absent(clerk: Clerk) -> None:
    clerk.enter(meeting())
    found = clerk.meeting()
    assert found.state is MeetingState.MINUTES_DRAFTED
    assert (found.approval, found.circulations) == (None, ())
    assert found.held is not None
    assert found.held.event.mandatory_absences == ()


def test_the_body_of_a_meeting_is_registered_with_the_first_of_its_meetings(clerk: Clerk) -> None:
    report = clerk.enter(meeting(), meeting(id="m/2"), meeting(id="m/3", organization="o/2"))
    assert report.bodies_registered == ["TC", "Groesse-A"]
    assert len(clerk.events("TC", "body")) == 1
    assert clerk.body("TC").description == BodyChanged(
        name="Town Council", kind=BodyKind.COMMITTEE, decides=True, visibility=Visibility.PUBLIC
    )
    assert not clerk.body("Groesse-A").description.decides


def test_an_end_is_that_of_the_meeting_itself_where_the_mapping_says_so(clerk: Clerk) -> None:
    clerk.mapping += '[meetings]\nend_is = "actual"\n'
    clerk.enter(meeting())
    (convened,), (held,) = clerk.facts_of(MeetingConvened), clerk.facts_of(MeetingHeld)
    assert (convened.ends_at, held.ended_at) == (None, END)


def test_a_meeting_of_which_no_result_is_told_has_no_minutes_and_is_reported(clerk: Clerk) -> None:
    report = clerk.enter(meeting(id="m/0"), meeting(agendaItem=[item(1), item(2, result=" ")]))
    assert clerk.meeting().state is MeetingState.HELD
    assert report.held_without_results == [2]
    assert (report.items.read, report.items.without_result) == (5, 3)


def test_only_meetings_with_results_were_held_where_the_mapping_trusts_no_more(clerk: Clerk) -> None:
    clerk.mapping += '[meetings]\nheld = "with_results"\n'
    report = clerk.enter(meeting(), meeting(id="m/2", agendaItem=[item(1)]))
    assert report.states == {"convened": 1, "minutes_drafted": 1}


def test_a_meeting_to_come_is_convened_and_nothing_more(clerk: Clerk) -> None:
    report = clerk.enter(meeting(start="2024-06-01T12:00:01+00:00", end=None))
    assert clerk.meeting().state is MeetingState.CONVENED
    assert left_out(report) == [(1, "agendaItem[].result", "results-before-meeting")]


def test_a_cancelled_meeting_is_cancelled_according_to_the_source(clerk: Clerk) -> None:
    report = clerk.enter(meeting(cancelled=True))
    assert clerk.facts()[1:] == [MeetingCancelled(reason="According to The Council's Pages.")]
    assert left_out(report) == [(1, "agendaItem[].result", "results-of-cancelled-meeting")]


def test_items_stand_in_the_order_that_the_source_gives_them_under_numbers_of_ours(clerk: Clerk) -> None:
    clerk.enter(meeting(agendaItem=[item(7, result="noted"), item(2), item(5, number="")]))
    agenda = clerk.meeting().agenda
    assert [(one.number, one.label, one.reference) for one in agenda] == [
        (1, "2.", "i/2"),
        (2, None, "i/5"),
        (3, "7.", "i/7"),
    ]
    assert verbatim(clerk.facts_of(MinutesDrafted)[0].items) == [(3, "noted", "noted")]


def test_wordings_are_compared_without_capitals_and_kept_with_them(clerk: Clerk) -> None:
    clerk.enter(meeting(agendaItem=[item(1, result="  Carried  as amended")]))
    assert verbatim(clerk.facts_of(MinutesDrafted)[0].items) == [
        (1, "agreed_with_changes", "Carried as amended")
    ]


def test_a_wording_nobody_mapped_is_kept_word_for_word_where_the_mapping_lets_it(clerk: Clerk) -> None:
    clerk.mapping += 'unknown = "verbatim"\n'
    report = clerk.enter(meeting(agendaItem=[item(1, result="adjourned sine die"), item(2, result="noted")]))
    assert verbatim(clerk.facts_of(MinutesDrafted)[0].items)[0] == (1, None, "adjourned sine die")
    assert report.outcomes == {"(verbatim only)": 1, "noted": 1}
    assert report.wordings == {"adjourned sine die": 1, "noted": 1}
    assert (report.items.with_outcome, report.items.verbatim_only) == (1, 1)


def test_the_parts_of_a_place_are_put_together(clerk: Clerk) -> None:
    clerk.mapping += '[meetings]\nplace = ["location.room", "location.street", "location.town"]\n'
    clerk.enter(meeting(location={"room": "Hall 2", "street": "", "town": "Newtown"}))
    assert clerk.meeting().place == "Hall 2, Newtown"


def test_rules_of_the_mapping_describe_an_organisation_that_no_file_describes(clerk: Clerk) -> None:
    clerk.mapping += (
        '[[bodies.where]]\nmember = "id"\nvalues = ["o/9"]\ncode = "JURY"\nname = "The Jury"\nkind = "stocktake"\n'
        'visibility = "internal"\n'
    )
    clerk.enter(meeting(organization="o/9"))
    assert clerk.facts("JURY", "body") == [
        BodyRegistered(
            code="JURY",
            name="The Jury",
            kind=BodyKind.STOCKTAKE,
            decides=False,
            visibility=Visibility.INTERNAL,
        )
    ]
    assert clerk.meeting().visibility is Visibility.INTERNAL


def test_organisations_may_come_in_a_page_of_the_standard(clerk: Clerk) -> None:
    clerk.organizations = {"data": clerk.organizations}
    assert clerk.enter(meeting()).rows.imported == 1


# --- what is left out of a row --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("2024-03-05T00:00:00+01:00", "ends-before-start"),
        ("2024-03-05T16:30:00+01:00", "ends-at-start"),
        ("2024-03-05T15:30:00Z", "ends-at-start"),
        ("2024-03-05T18:30:00", "no-offset"),
        ("in the evening", "no-instant"),
    ],
)
def test_an_end_that_cannot_be_is_left_out_and_the_meeting_goes_in(clerk: Clerk, end: str, code: str) -> None:
    report = clerk.enter(meeting(end=end))
    assert clerk.meeting().ends_at is None
    assert left_out(report) == [(1, "end", code)]
    assert report.left_out[0].value == end
    assert (report.rows.imported, report.errors) == (1, [])


def test_an_item_that_is_not_public_is_left_out(clerk: Clerk) -> None:
    secret = item(2, public=False, name="A purchase", result="carried")
    report = clerk.enter(meeting(agendaItem=[item(1), secret, item(3, result="noted")]))
    assert [one.title for one in clerk.meeting().agenda] == ["Issue 1", "Issue 3"]
    assert verbatim(clerk.facts_of(MinutesDrafted)[0].items) == [(2, "noted", "noted")]
    assert left_out(report) == [(1, "agendaItem[1].public", "item-not-public")]
    assert b"A purchase" not in b"".join(line for _, line in clerk.store.read(0, 100))


# --- what is wrong with a row ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "column", "code"),
    [
        ({"id": None}, "id", "value-missing"),
        ({"start": None}, "start", "value-missing"),
        ({"start": "2024-03-05T16:30:00"}, "start", "no-offset"),
        ({"start": "2024-03-05"}, "start", "no-offset"),
        ({"start": "5 March"}, "start", "no-instant"),
        ({"start": "0001-01-01T00:00:00+01:00"}, "start", "no-instant"),
        ({"start": {"day": 5}}, "start", "no-text"),
        ({"name": "a\0b"}, "name", "text-not-storable"),
        ({"name": "a" * 501}, "name", "text-too-long"),
        ({"cancelled": "no"}, "cancelled", "no-flag"),
        ({"deleted": True}, "deleted", "row-deleted"),
        ({"organization": None}, "organization", "body-not-one"),
        ({"organization": ["o/1", "o/2"]}, "organization", "body-not-one"),
        ({"organization": "o/8"}, "organization", "unknown-organization"),
        ({"agendaItem": "three"}, "agendaItem", "no-list"),
        ({"agendaItem": [item(1), "two"]}, "agendaItem", "no-list"),
        ({"agendaItem": [item(1, order="first")]}, "agendaItem[0].order", "no-number"),
        ({"agendaItem": [item(1), item(2, name=" ")]}, "agendaItem[1].name", "value-missing"),
        ({"agendaItem": [item(1), item(1)]}, "agendaItem[1].id", "item-twice"),
        ({"agendaItem": [item(1, result="lost")]}, "agendaItem[0].result", "result-unknown"),
        ({"agendaItem": []}, "agendaItem", "meeting-without-agenda"),
        ({"agendaItem": None}, "agendaItem", "meeting-without-agenda"),
    ],
)
def test_a_row_that_cannot_go_in_is_reported_and_the_others_go_in(
    clerk: Clerk, members: dict[str, Any], column: str, code: str
) -> None:
    report = clerk.enter(meeting(id="m/0"), meeting(**members), meeting(id="m/2"))
    assert faults(report) == [(2, column, code)]
    assert (report.rows.imported, report.rows.failed) == (2, 1)
    assert clerk.events("m/1") == []
    assert len(clerk.events("m/2")) == 3


def test_everything_that_is_wrong_with_a_row_is_reported_at_once(clerk: Clerk) -> None:
    report = clerk.enter(meeting(start="soon", organization=[], agendaItem=[item(1, name=None)]))
    assert [code for _, _, code in faults(report)] == ["body-not-one", "no-instant", "value-missing"]
    assert report.rows.failed == 1


@pytest.mark.parametrize("line", ['{"id": ', "[1]", '"a meeting"', '{"id": "\udcff"}'])
def test_a_line_that_is_no_object_is_reported(clerk: Clerk, line: str) -> None:
    (clerk.folder / "odd.jsonl").write_bytes(b"\n" + line.encode("utf-8", "surrogateescape") + b"\n")
    report = clerk.enter_file(clerk.folder / "odd.jsonl")
    assert faults(report) == [(2, None, "row-unreadable")]


def test_two_organisations_cannot_share_a_code(clerk: Clerk) -> None:
    report = clerk.enter(meeting(), meeting(id="m/2", organization="o/3"))
    assert faults(report) == [(2, "organization", "body-code-shared")]


def test_a_body_on_record_is_taken_as_it_is_and_another_under_its_code_is_not(clerk: Clerk) -> None:
    by_hand = BodyRegistered(
        code="TC",
        name="Town Council",
        kind=BodyKind.COMMITTEE,
        decides=False,
        visibility=Visibility.INTERNAL,
    )
    other = BodyRegistered(
        code="Groesse-A",
        name="Group A",
        kind=BodyKind.COMMITTEE,
        decides=False,
        visibility=Visibility.INTERNAL,
    )
    clerk.record(by_hand, reference="TC", kind="body")
    clerk.record(other, reference="Groesse-A", kind="body")
    report = clerk.enter(meeting(), meeting(id="m/2", organization="o/2"))
    assert clerk.meeting().visibility is Visibility.INTERNAL
    assert clerk.facts("TC", "body") == [by_hand]
    assert faults(report) == [(2, "organization", "body-code-taken")]


def test_a_member_that_no_row_has_is_reported_because_it_may_be_misspelt(clerk: Clerk) -> None:
    clerk.mapping += '[agenda]\nlabel = "nubmer"\n'
    assert clerk.enter(meeting()).members_not_found == ["cancelled", "deleted", "agendaItem[].nubmer"]
