"""Capture sheets that were filled in: what becomes of one, of one filled in again, and of one that cannot go in."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.commitments.importing.leads import NamingReport
from services.commitments.importing.sheets import CaptureSheetImport
from shared.clock import Clock
from shared.events.commitments import (
    BudgetEstimated,
    BudgetLine,
    Corrected,
    Document,
    LeadReassigned,
    MilestoneCompleted,
    MilestoneSet,
    OrganizationRegistered,
    PillarRegistered,
    Registered,
    RisksAssessed,
    TeamMember,
    VisibilityChanged,
)
from shared.events.vocabulary import BudgetFigure, OrganizationKind, Visibility
from shared.tabular.capture_sheet import BLANK, CaptureSheet, Step
from shared.tabular.engine import run_import
from tests.services.commitments.importing.desk import Desk
from tests.support.capture_sheets import saved

COST = BudgetLine(amount="1250500000", currency="CLP", year=2012, price_base="2010")
LAW = CaptureSheet(
    code="EDU-2",
    on=date(2012, 8, 1),
    pillar="EDUCATION",
    title="Preferential subsidy",
    lead_organization="Min. of Education",
    initiative_type="Bill",
    working_team=(TeamMember(subject="u-1", position="Adviser", institution="DCI"),),
    background="Since 2008 there is one.",
    specific_objectives=("One", "Two"),
    legislative_strategy="Urgency in both houses.",
    milestones=(Step("Bill", 2012, date(2012, 9, 30)), Step("Report", 2012), Step("Report", 2013)),
    budget=(COST,),
    risks={"passage_through_congress": 4, "change_management": 1},
    risk_description="The majority is narrow.",
    documents=(Document(title="Plan", url="https://example.org/plan"),),
)


def like(**other: Any) -> CaptureSheet:
    """The sheet with these things otherwise."""
    return msgspec.structs.replace(LAW, **other)


@pytest.fixture
def office(desk: Desk) -> Desk:
    """A desk with what sheets name on record."""
    return furnished(desk)


def furnished(desk: Desk) -> Desk:
    for organization, alias in (("MINEDUC", "Min. of Education"), ("MINSAL", "Min. of Health")):
        registered = OrganizationRegistered(
            code=organization, name=alias, kind=OrganizationKind.MINISTRY, aliases=(alias,)
        )
        desk.record(registered, organization, kind="organization")
    desk.record(PillarRegistered(code="EDUCATION", name="Education"), "EDUCATION", kind="pillar")
    return desk


def enter(desk: Desk, *sheets: CaptureSheet, file: Path | None = None, **more: Any) -> NamingReport:
    """Import a workbook of sheets."""
    path = file or saved(desk.folder, *sheets)
    return run_import(
        desk.store,
        lambda state: CaptureSheetImport(state, path),
        actor=desk.actor,
        clock=Clock(now=lambda: desk.now),
        **more,
    )


def faults(report: NamingReport) -> list[tuple[str | None, str]]:
    """The cells that a report complains of, and why."""
    return [(error.cell, error.code) for error in report.errors]


def left_out(report: NamingReport) -> list[tuple[str | None, str]]:
    """The cells of which something is not recorded, and why."""
    return [(error.cell, error.code) for error in report.left_out]


def test_a_sheet_becomes_a_commitment_with_all_that_it_says(office: Desk) -> None:
    report = enter(office, LAW, BLANK)
    assert (report.errors, report.rows.imported, report.rows.passed_over) == ([], 1, 1)
    (registered,) = office.facts(Registered, "EDU-2")
    assert registered == Registered(
        code="EDU-2",
        title=LAW.title or "",
        lead_organization="MINEDUC",
        effective_on=date(2012, 8, 1),
        pillar="EDUCATION",
        initiative_type="Bill",
        working_team=LAW.working_team,
        background=LAW.background,
        specific_objectives=LAW.specific_objectives,
        legislative_strategy=LAW.legislative_strategy,
        documents=LAW.documents,
    )
    assert registered.visibility is Visibility.INTERNAL
    (rated,) = office.facts(RisksAssessed, "EDU-2")
    assert (rated.passage_through_congress, rated.change_management, rated.stakeholder_conflict) == (
        4,
        1,
        None,
    )
    (estimated,) = office.facts(BudgetEstimated, "EDU-2")
    assert (estimated.lines, estimated.source) == ((COST,), "Capture sheet")
    planned = [(one.name, one.due_on) for one in office.facts(MilestoneSet, "EDU-2")]
    assert planned == [
        ("Bill", date(2012, 9, 30)),
        ("Report", date(2012, 12, 31)),
        ("Report", date(2013, 12, 31)),
    ]


def test_a_second_run_adds_nothing_and_a_dry_one_writes_nothing(desk_on_each_engine: Desk) -> None:
    office = furnished(desk_on_each_engine)
    before = office.contents()
    dry = enter(office, LAW, dry_run=True)
    assert (office.contents(), dry.rows.imported) == (before, 1)
    enter(office, LAW)
    before = office.contents()
    again = enter(office, LAW)
    assert (office.contents(), again.rows.unchanged, again.left_out, again.events) == (before, 1, [], {})


def test_a_sheet_of_a_later_day_says_what_has_changed_since(office: Desk) -> None:
    later = like(
        on=date(2013, 3, 1),
        title="Subsidy",
        lead_organization="MINSAL",
        working_team=(TeamMember(subject="u-2", position="Adviser", institution="DCI"),),
        milestones=(Step("Bill", 2013), Step("Report", 2012), Step("Report", 2013), Step("Law", 2014)),
        budget=(msgspec.structs.replace(COST, amount="3"),),
        risks={"passage_through_congress": 2, "change_management": 1},
    )
    enter(office, LAW)
    report = enter(office, later)
    assert report.errors == report.left_out == []
    assert {name.partition(".")[2]: count for name, count in report.events.items()} == {
        "budget_estimated": 1,
        "changed": 2,
        "lead_reassigned": 1,
        "milestone_set": 2,
        "risks_assessed": 1,
    }
    steps = [
        (one.plan.event.name, one.plan.event.due_on.year) for one in office.commitment("EDU-2").milestones
    ]
    assert steps == [("Bill", 2013), ("Report", 2012), ("Report", 2013), ("Law", 2014)]
    # The earlier one again undoes nothing of it.
    before = office.contents()
    assert enter(office, LAW).left_out == []
    assert enter(office, later).events == {}
    assert office.contents() == before


def test_a_blank_says_nothing_and_a_text_that_cannot_change_stays(office: Desk) -> None:
    enter(office, LAW)
    blank = CaptureSheet(
        code="edu-2",
        on=date(2013, 1, 1),
        title=LAW.title,
        lead_organization="MINEDUC",
        background="Otherwise",
    )
    report = enter(office, blank)
    assert report.events == {}
    codes = dict(left_out(report))
    assert [code for code in codes.values() if code != "value-cleared"] == ["field-settled"]
    assert codes["'edu-2'!C4"] == "value-cleared"
    assert office.facts(Corrected, "EDU-2") == []


def test_what_people_did_since_is_left_alone(office: Desk) -> None:
    enter(office, LAW)
    moved = MilestoneSet(number=1, name="Bill", due_on=date(2014, 1, 31), reason="The senate asked.")
    for event in (
        moved,
        LeadReassigned(
            lead_organization="MINSAL", previous="MINEDUC", effective_on=LAW.on or date.min, reason="x"
        ),
        BudgetEstimated(effective_on=LAW.on or date.min, lines=(msgspec.structs.replace(COST, amount="7"),)),
    ):
        office.record(event, "EDU-2")
    before = office.contents()
    assert enter(office, LAW).events == {}
    assert office.contents() == before


def test_a_milestone_that_was_reached_is_not_planned_anew_and_a_name_serves_again(office: Desk) -> None:
    enter(office, LAW)
    office.record(MilestoneCompleted(number=2, completed_on=date(2012, 12, 1)), "EDU-2")
    later = like(
        on=date(2013, 1, 1),
        milestones=(
            Step("Bill", 2012, date(2012, 9, 30)),
            Step("Report", 2012, date(2012, 11, 30)),
            Step("Report", 2014),
        ),
    )
    report = enter(office, later)
    assert [code for _, code in left_out(report)] == ["milestone-completed"]
    due = [
        one.plan.event.due_on
        for one in office.commitment("EDU-2").milestones
        if one.plan.event.name == "Report"
    ]
    assert due == [date(2012, 12, 31), date(2014, 12, 31)]


def test_figures_for_which_the_form_has_no_place_are_estimated_as_they_were(office: Desk) -> None:
    enter(office, LAW)
    whole = BudgetLine(amount="9", currency="CLP", figure=BudgetFigure.WHOLE_LIFE_COST)
    office.record(BudgetEstimated(effective_on=date(2012, 9, 1), lines=(COST, whole)), "EDU-2")
    assert enter(office, like(on=date(2012, 10, 1))).events == {}
    dearer = msgspec.structs.replace(COST, amount="2")
    enter(office, like(on=date(2012, 11, 1), budget=(dearer,)))
    assert office.facts(BudgetEstimated, "EDU-2")[-1].lines == (dearer, whole)


def test_a_team_without_names_keeps_those_who_have_the_seats(office: Desk) -> None:
    enter(office, LAW)
    seats = (
        TeamMember(position="Adviser", institution="DCI"),
        TeamMember(position="Budget analyst", institution="DIPRES"),
    )
    enter(office, like(on=date(2012, 9, 1), working_team=seats))
    (changed,) = office.commitment("EDU-2").changes
    assert [one.get("subject") for one in changed.event.value] == ["u-1", None]


def test_a_bad_sheet_harms_no_other_and_all_of_it_is_left_out(office: Desk) -> None:
    office.now = office.now.replace(year=2013)
    report = enter(
        office,
        LAW,
        like(code="EDU-3", pillar="HEALTH"),
        like(code="EDU-4", lead_organization="Nobody"),
        like(code="EDU-5", working_team=(TeamMember(subject="u", position="p", institution="i"),) * 3,
             documents=(Document(title="a"), Document(title="b", dated_on=date(2013, 12, 24)))),
        like(code="EDU 6"),
        like(code="EDU-7", on=date(2030, 1, 1)),
        like(code="EDU-8", risks={}),
        like(code="EDU-9", budget=(msgspec.structs.replace(COST, price_base=None, amount="1" * 18),)),
    )  # fmt: skip
    assert {cell and cell.partition("!")[0]: code for cell, code in faults(report)} == {
        "'EDU-3'": "unknown-pillar",
        "'EDU-4'": "unknown-organization",
        "'EDU-5'": "date-in-future",
        "'EDU 6'": "code-malformed",
        "'EDU-7'": "date-in-future",
        "'EDU-8'": "no-risk-rated",
    }
    cells = {cell for cell, _ in faults(report)}
    assert {"'EDU-3'!C4", "'EDU-4'!C6", "'EDU-7'!C3", "'EDU 6'!C2"} <= cells
    assert "'EDU-5'!F44" in cells
    assert [one.code for one in office.facts(Registered, "EDU-2") + office.facts(Registered, "EDU-9")] == [
        "EDU-2",
        "EDU-9",
    ]
    assert all(not office.events(code) for code in ("EDU-3", "EDU-4", "EDU-5", "EDU-7", "EDU-8"))


def test_a_ministry_goes_by_its_name_on_the_day_where_no_other_has_it(office: Desk) -> None:
    for code in ("MDS", "MIDEPLAN"):
        named = OrganizationRegistered(code=code, name="Ministry of Planning", kind=OrganizationKind.MINISTRY)
        office.record(named, code, kind="organization")
    works = OrganizationRegistered(code="MOP", name="Ministry of Works", kind=OrganizationKind.MINISTRY)
    office.record(works, "MOP", kind="organization")
    report = enter(
        office,
        like(lead_organization="ministry of  works"),
        like(code="EDU-3", lead_organization="Ministry of Planning"),
    )
    assert faults(report) == [("'EDU-3'!C6", "unknown-organization")]
    assert office.facts(Registered, "EDU-2")[0].lead_organization == "MOP"


def test_two_sheets_of_one_commitment_and_day_say_the_same_or_are_in_conflict(office: Desk) -> None:
    report = enter(office, LAW, LAW, like(title="Another"))
    assert (report.rows.duplicates, faults(report)) == (1, [("'EDU-2~3'!C5", "conflicting-row")])


def test_a_sheet_goes_on_record_of_a_commitment_that_is_there(office: Desk) -> None:
    published = VisibilityChanged(visibility=Visibility.PUBLIC, previous=Visibility.INTERNAL, reason="It is.")
    registered = Registered(
        code="EDU-2",
        title="Subsidy",
        lead_organization="MINEDUC",
        effective_on=date(2012, 9, 1),
        pillar="EDUCATION",
    )
    for event in (registered, published):
        office.record(event, "EDU-2")
    report = enter(office, LAW)
    assert report.errors == []
    corrected = {one.field for one in office.facts(Corrected, "EDU-2")}
    # It shows that the commitment was there a month earlier, and fills in what was never said.
    assert corrected == {"effective_on", "background", "specific_objectives", "legislative_strategy", "documents",
                         "initiative_type"}  # fmt: skip
    changed = {(one.event.field, str(one.event.effective_on)) for one in office.commitment("EDU-2").changes}
    assert changed == {("title", "2012-08-01"), ("title", "2012-09-01"), ("working_team", "2012-08-01"),
                       ("working_team", "2012-09-01")}  # fmt: skip
    assert office.commitment("EDU-2").visibility is Visibility.PUBLIC


def test_the_report_names_sheet_and_cell_to_people_and_to_programs(office: Desk) -> None:
    report = enter(office, like(pillar="HEALTH"))
    (error,) = msgspec.json.decode(report.as_json())["errors"]
    assert (error["sheet"], error["cell"], error["line"]) == ("EDU-2", "'EDU-2'!C4", 4)
    assert (error["column"], error["value"], error["code"]) == ("pillar", "HEALTH", "unknown-pillar")
    assert "'EDU-2'!C4, pillar “HEALTH”: There is no pillar" in report.summary()
