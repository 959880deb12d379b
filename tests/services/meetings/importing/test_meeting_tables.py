"""Registers of meetings and of agreements in tables: what their rows become, together and one by one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.meetings.body.model import Body
from services.meetings.importing.body_table import BodyTableImport
from services.meetings.importing.table import MeetingTableImport
from shared.events.commitments import OrganizationRegistered
from shared.events.meeting_vocabulary import (
    BodyKind,
    Cadence,
    DecisionKind,
    Financing,
    ItemOutcome,
    MeetingState,
    Presence,
    ProtocolPeriod,
)
from shared.events.meetings import (
    AgendaItem,
    Attendee,
    BodyRegistered,
    BudgetImpact,
    DraftActionItem,
    DraftDecision,
    ExpectedMeetings,
    MeetingConvened,
    MeetingHeld,
    MinutesDrafted,
    MinutesItem,
    Protocol,
    Seat,
)
from shared.events.retractions import MeetingFactRetracted
from shared.events.vocabulary import Visibility
from tests.services.meetings.importing.clerk import Clerk, faults

MEETINGS = """
kind = "meetings"
source = "The Register"
[meeting]
body = { column = "body", values = { Social = "SOCIAL", Health = "BIL-HEALTH" } }
title = { column = "called" }
place = "La Moneda"
cancelled = { column = "state", values = { Cancelled = true, Held = false } }
[start]
column = "day"
formats = ["%d/%m/%Y"]
time = "at"
[end]
column = "to"
end_is = "actual"
[item]
title = "item"
label = "no"
sponsor = { column = "brought by" }
summary = "said"
outcome = { column = "came of it", values = { Agreed = "agreed", Postponed = "postponed" }, unknown = "verbatim" }
[decision]
text = "agreement"
kind = { column = "sort" , values = { Refers = "refer", Money = "budget" } }
amount = "millions"
multiplier = 1000000
currency = "CLP"
fiscal_year = { column = "year" }
financing = "increase"
[action_item]
text = "task"
owner = { column = "who", values = { Works = "MOP", Health = "MINSAL" } }
due_on = { column = "by", formats = ["%d/%m/%Y"] }
[attendees]
column = "came"
"""

HEADER = (
    "body,called,state,day,at,to,no,item,brought by,said,"
    "came of it,agreement,sort,millions,year,task,who,by,came\n"
)

BODIES = """
kind = "bodies"
source = "The Note"
[code]
columns = ["code"]
[fields]
name = { column = "name" }
kind = { column = "sort", values = { Committee = "committee", Bilateral = "bilateral" } }
cadence = { column = "meets", values = { "each month" = "monthly", "when called" = "on_demand" } }
organizations = { column = "with", separator = ";" }
presiding_organization = { column = "head" }
[mandatory_attendance]
column = "must come"
[protocol]
expected = { column = "times" }
period = "month"
days_to_minutes = { column = "days" }
"""


def row(**cells: str) -> str:
    names = HEADER.strip().split(",")
    told = {"body": "Social", "day": "07/11/2012", "at": "10:00"} | {
        name.replace("_", " "): value for name, value in cells.items()
    }
    assert set(told) <= set(names)
    return ",".join(told.get(name, "") for name in names) + "\n"


@pytest.fixture
def secretary(clerk: Clerk) -> Clerk:
    ready(clerk)
    return clerk


def ready(clerk: Clerk) -> None:
    """Two organisations, a committee that refers and a bilateral that decides."""
    clerk.mapping, clerk.importer = MEETINGS, MeetingTableImport
    for code in ("MOP", "MINSAL", "DCI"):
        clerk.record(OrganizationRegistered(code=code, name=code), reference=code, kind="organization")
    social = BodyRegistered(
        code="SOCIAL", name="Social", kind=BodyKind.COMMITTEE, decides=False, visibility=Visibility.INTERNAL
    )
    health = BodyRegistered(
        code="BIL-HEALTH", name="Health", kind=BodyKind.BILATERAL, decides=True, visibility=Visibility.RESERVED,
        organizations=("MINSAL",),
    )  # fmt: skip
    for body in (social, health):
        clerk.record(body, reference=body.code, kind="body")


def enter(clerk: Clerk, *rows: str, **options: Any) -> Any:
    return clerk.enter_table(HEADER + "".join(rows), **options)


SOCIAL_MEETING = "SOCIAL/2012-11-07"


def test_the_rows_of_a_register_of_agreements_are_one_meeting_with_its_minutes(secretary: Clerk) -> None:
    report = enter(
        secretary,
        row(no="1", item="Prisons", brought_by="MOP", said="Figures", came_of_it="Agreed", agreement="To the President",
            sort="Refers", task="Send the plan", who="Works", by="14/12/2012", came="DCI / Chief; MOP / Minister",
            to="12:00", called="Second"),
        row(no="1", item="Prisons", task="Cost it", who="Health", by="21/12/2012"),
        row(no="2", item="Victims", came_of_it="Talked about"),
        row(no="3", item="Any other business"),
    )  # fmt: skip
    assert report.errors == report.left_out == []
    assert (report.rows.read, report.rows.imported) == (4, 4)
    convened, held, drafted = secretary.facts(SOCIAL_MEETING)
    assert convened == MeetingConvened(
        body="SOCIAL",
        scheduled_at=datetime(2012, 11, 7, 13, tzinfo=UTC),
        visibility=Visibility.INTERNAL,
        place="La Moneda",
        title="Second",
        agenda=(
            AgendaItem(number=1, title="Prisons", sponsor="MOP", label="1"),
            AgendaItem(number=2, title="Victims", label="2"),
            AgendaItem(number=3, title="Any other business", label="3"),
        ),
        reference=SOCIAL_MEETING,
    )
    assert held == MeetingHeld(
        held_at=datetime(2012, 11, 7, 13, tzinfo=UTC),
        ended_at=datetime(2012, 11, 7, 15, tzinfo=UTC),
        attendance=(
            Attendee(organization="DCI", position="Chief", presence=Presence.PRESENT),
            Attendee(organization="MOP", position="Minister", presence=Presence.PRESENT),
        ),
    )
    assert isinstance(drafted, MinutesDrafted)
    assert drafted.items == (
        MinutesItem(
            agenda_item=1,
            summary="Figures",
            outcome=ItemOutcome.AGREED,
            outcome_verbatim="Agreed",
            decisions=(DraftDecision(text="To the President", kind=DecisionKind.REFER),),
            action_items=(
                DraftActionItem(text="Send the plan", owner_organization="MOP", due_on=date(2012, 12, 14)),
                DraftActionItem(text="Cost it", owner_organization="MINSAL", due_on=date(2012, 12, 21)),
            ),
        ),
        MinutesItem(agenda_item=2, outcome_verbatim="Talked about"),
    )


def test_a_second_run_adds_nothing_and_a_later_edition_what_is_new(clerk_on_each_engine: Clerk) -> None:
    clerk = clerk_on_each_engine
    ready(clerk)
    rows = [row(no="1", item="Prisons", came="DCI / Chief"), row(no="2", item="Victims", came_of_it="Agreed")]
    enter(clerk, *rows)
    before = clerk.contents()
    assert enter(clerk, *rows).rows.unchanged == 2
    assert clerk.contents() == before
    report = enter(
        clerk, rows[0], row(no="2", item="Victims", came_of_it="Postponed"), row(day="08/11/2012", item="X")
    )
    assert report.events == {
        "meetings.meeting_convened": 1,
        "meetings.meeting_held": 1,
        "meetings.minutes_drafted": 1,
    }


def test_what_was_agreed_and_nothing_else_is_what_came_of_an_item(secretary: Clerk) -> None:
    enter(secretary, row(item="Prisons", agreement="To the President", sort="Refers"))
    (drafted,) = secretary.facts_of(MinutesDrafted, SOCIAL_MEETING)
    assert drafted.items[0].outcome_verbatim == "To the President"
    assert drafted.items[0].outcome is None


def test_the_title_of_an_item_has_no_character_that_nobody_sees(secretary: Clerk) -> None:
    assert enter(secretary, row(item="Pri\u202esons", no="1\u200b")).errors == []
    (convened,) = secretary.facts_of(MeetingConvened, SOCIAL_MEETING)
    assert [(one.title, one.label) for one in convened.agenda] == [("Prisons", "1")]


def test_a_row_that_stands_there_twice_tells_of_nothing_more(secretary: Clerk) -> None:
    agreed = row(item="Prisons", agreement="To the President", sort="Refers")
    assert enter(secretary, agreed, agreed).errors == []
    (drafted,) = secretary.facts_of(MinutesDrafted, SOCIAL_MEETING)
    assert len(drafted.items[0].decisions) == 1


def test_money_agreed_in_a_bilateral_is_a_budget_decision(secretary: Clerk) -> None:
    agreed = row(
        body="Health", item="Hospitals", agreement="Build two", sort="Money", millions="1250.5", year="2014"
    )
    assert enter(secretary, agreed).errors == []
    (drafted,) = secretary.facts_of(MinutesDrafted, "BIL-HEALTH/2012-11-07")
    (decision,) = drafted.items[0].decisions
    assert decision.budget_impact == BudgetImpact(
        amount="1250500000", currency="CLP", fiscal_year=2014, financing=Financing.INCREASE
    )


def test_a_meeting_that_was_called_off_or_is_to_come_was_not_held(secretary: Clerk) -> None:
    report = enter(
        secretary,
        row(item="Prisons", state="Cancelled"),
        row(item="Prisons", day="07/11/2030", state="Held"),
    )
    assert report.states == {MeetingState.CANCELLED: 1, MeetingState.CONVENED: 1}


def test_a_bad_row_keeps_the_whole_of_its_meeting_out_and_no_other(secretary: Clerk) -> None:
    report = enter(
        secretary,
        row(item="Prisons"),
        row(item="Victims", task="Send it", who="Works", by="soon"),
        row(item="Roads", day="08/11/2012"),
    )
    assert faults(report) == [(2, None, "meeting-incomplete"), (3, "by", "date-unreadable")]
    assert secretary.facts(SOCIAL_MEETING) == []
    assert secretary.facts("SOCIAL/2012-11-08") != []


@pytest.mark.parametrize(
    ("second", "column", "code"),
    [
        ({"item": "Victims", "at": "11:00"}, "day", "conflicting-row"),
        ({"item": "Victims", "called": "Other", "day": "09/11/2012", "at": "noon"}, "at", "no-instant"),
        ({"item": "", "agreement": "Build", "sort": "Refers", "day": "09/11/2012"}, "item", "value-missing"),
        ({"item": "X", "agreement": "Build", "sort": "Odd", "day": "09/11/2012"}, "sort", "value-unknown"),
        ({"item": "X", "body": "Nobody", "day": "09/11/2012"}, "body", "value-unknown"),
        ({"item": "X", "task": "Do", "who": "Works", "day": "09/11/2012"}, "task", "value-missing"),
        ({"item": "X", "came": "DCI", "day": "09/11/2012"}, "came", "value-unknown"),
        ({"item": "X" * 501, "day": "09/11/2012"}, "item", "text-too-long"),
        ({"item": "X", "agreement": "B", "sort": "Money", "millions": "2", "day": "09/11/2012"},
         "millions", "value-missing"),
        ({"item": "X", "agreement": "B", "sort": "Money", "millions": "2", "year": "2014", "day": "09/11/2012"},
         "came of it", "body-only-refers"),
        ({"item": "X", "brought by": "NOBODY", "day": "09/11/2012"}, "day", "unknown-organization"),
    ],
)  # fmt: skip
def test_each_fault_is_found_where_it_is(
    secretary: Clerk, second: dict[str, str], column: str, code: str
) -> None:
    report = enter(secretary, row(item="Prisons"), row(**second))
    told = [
        (error.line, error.column, error.code)
        for error in report.errors
        if error.code != "meeting-incomplete"
    ]
    assert told == [(3, column, code)]


def test_rows_of_a_meeting_stay_out_with_the_one_that_contradicts_them(secretary: Clerk) -> None:
    report = enter(secretary, row(item="Prisons"), row(item="Victims", at="11:00"))
    assert [(error.line, error.code) for error in report.errors] == [
        (2, "meeting-incomplete"),
        (3, "conflicting-row"),
    ]
    assert report.rows.failed == report.rows.read == 2


def test_a_meeting_that_somebody_convened_is_left_to_people(secretary: Clerk) -> None:
    by_hand = MeetingConvened(
        body="SOCIAL", scheduled_at=datetime(2012, 11, 7, 14, tzinfo=UTC), visibility=Visibility.INTERNAL
    )
    secretary.record(by_hand, reference="by hand")
    report = enter(secretary, row(item="Prisons"), row(item="Roads", day="08/11/2012"))
    assert faults(report) == [(2, "day", "meeting-on-record")]


def test_what_somebody_took_back_is_not_told_again_by_the_same_table(secretary: Clerk) -> None:
    held = row(item="Prisons", came_of_it="Agreed", came="DCI / Chief")
    enter(secretary, held)
    for version, kind in ((3, MinutesDrafted), (2, MeetingHeld)):
        taken_back = MeetingFactRetracted(version=version, reason="Not so.", retracted=kind.TYPE)
        secretary.record(taken_back, reference=SOCIAL_MEETING)
    assert enter(secretary, held).events == {}


def test_a_body_that_is_not_on_record_is_refused(secretary: Clerk) -> None:
    secretary.mapping = MEETINGS.replace('"SOCIAL"', '"ELSEWHERE"')
    assert faults(enter(secretary, row(item="Prisons"))) == [(2, "body", "no-such-body")]


# --- bodies ---------------------------------------------------------------------------------------------------------


def bodies(clerk: Clerk, *rows: str) -> Any:
    clerk.mapping, clerk.importer = BODIES, BodyTableImport
    return clerk.enter_table(
        "code,name,sort,meets,with,head,must come,times,days\n" + "".join(f"{one}\n" for one in rows)
    )


def body(clerk: Clerk, code: str) -> Body:
    found = Body.fold(clerk.events(code, "body"))
    assert found is not None
    return found


def test_rows_are_bodies_with_their_protocol(secretary: Clerk) -> None:
    rows = [
        "ECON,Economic Committee,Committee,each month,,MOP,DCI; MOP / Minister; / President,1,7",
        "BIL-MOP,Bilateral with MOP,Bilateral,when called,MOP,,,,5",
    ]
    report = bodies(secretary, *rows)
    assert (report.errors, report.rows.imported) == ([], 2)
    economic = body(secretary, "ECON").description
    assert (economic.kind, economic.cadence, economic.decides) == (BodyKind.COMMITTEE, Cadence.MONTHLY, False)
    assert economic.mandatory_attendance == (
        Seat(organization="DCI"),
        Seat(organization="MOP", position="Minister"),
        Seat(position="President"),
    )
    expected = ExpectedMeetings(count=1, period=ProtocolPeriod.MONTH)
    assert economic.protocol == Protocol(expected_meetings=expected, days_to_minutes=7)
    bilateral = body(secretary, "BIL-MOP").description
    assert (bilateral.decides, bilateral.visibility, bilateral.organizations) == (
        True,
        Visibility.RESERVED,
        ("MOP",),
    )
    assert bodies(secretary, *rows).rows.unchanged == 2
    assert bodies(secretary, rows[0].replace(",7", ",10")).events == {"meetings.body_changed": 1}


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ("ECON,,Committee,each month,,,,,", "name", "text-required"),
        ("ECON,Economic,Club,each month,,,,,", "sort", "value-unknown"),
        ("ECON,Economic,Committee,each month,,NOBODY,,,", "head", "unknown-organization"),
        ("BIL,Bilateral,Bilateral,,,,,,", "with", "bilateral-without-organizations"),
        ("social,Economic,Committee,,,,,0,", "code", "protocol-figure-impossible"),
    ],
)
def test_each_fault_of_a_body_is_found_where_it_is(
    secretary: Clerk, cells: str, column: str, code: str
) -> None:
    assert faults(bodies(secretary, cells)) == [(2, column, code)]
