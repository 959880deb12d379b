"""What rows become: registrations, assessments, deadlines and their revisions, leads, reports, budgets."""

from __future__ import annotations

from datetime import date

import pytest

from shared.events.commitments import (
    Assessed,
    BudgetEstimated,
    BudgetLine,
    Changed,
    Commented,
    Completed,
    Corrected,
    DeadlineRevised,
    Discarded,
    Evidence,
    LeadReassigned,
    MilestoneCompleted,
    MilestoneSet,
    OrganizationChanged,
    OrganizationRegistered,
    ProgressReported,
    PublicDeadline,
    Registered,
    Reopened,
    RisksAssessed,
)
from shared.events.vocabulary import (
    BudgetFigure,
    DeadlineKind,
    DiscardReason,
    Judgement,
    OrganizationKind,
    Visibility,
)
from shared.rules.traffic_light import Status
from tests.services.commitments.importing.desk import Desk, row

FIRST, SECOND = "30/09/2013", "31/03/2014"
TOLD_FIRST = "According to The Annual Table, as at 2013-09-30."
TOLD_SECOND = "According to The Annual Table, as at 2014-03-31."


def test_the_first_row_registers_the_commitment_on_its_day(desk: Desk) -> None:
    desk.enter(row())
    (registered,) = desk.facts(Registered)
    assert registered == Registered(
        code="t-bridge",
        title="A bridge",
        lead_organization="WORKS",
        effective_on=date(2013, 9, 30),
        visibility=Visibility.PUBLIC,
        public_deadline=PublicDeadline(on=date(2015, 12, 31), origin="The Annual Table"),
    )
    recorded = desk.events()[0]
    assert recorded.recorded_by == desk.actor
    assert recorded.correlation_id.startswith("import-")


def test_the_board_of_a_day_in_the_past_is_that_of_its_rows(desk: Desk) -> None:
    desk.enter(row(), row(day=SECOND, rating="Red", due="01/01/2014"))
    assert desk.status(date(2013, 9, 29)) is None
    assert desk.status(date(2013, 9, 30)) is Status.ON_TIME
    assert desk.status(date(2014, 3, 31)) is Status.DELAYED


def test_rows_go_in_by_their_days_whatever_their_order_in_the_file(desk: Desk) -> None:
    desk.enter(row(day=SECOND, rating="Red"), row(rating="Green"))
    assert [assessed.judgement for assessed in desk.facts(Assessed)] == [
        Judgement.ON_TRACK,
        Judgement.AT_RISK,
    ]
    assert desk.facts(Registered)[0].effective_on == date(2013, 9, 30)


def test_the_day_may_come_from_a_table_of_labels(desk: Desk) -> None:
    desk.enter(row(day="First year"))
    assert desk.facts(Assessed)[0].effective_on == date(2014, 3, 31)


# --- ratings --------------------------------------------------------------------------------------------------------


def test_the_rating_is_kept_word_for_word_beside_the_judgement_it_amounts_to(desk: Desk) -> None:
    desk.enter(row(rating=" AMBER ", why="Late\r\r\nand dear."))
    assert desk.facts(Assessed) == [
        Assessed(
            effective_on=date(2013, 9, 30),
            judgement=Judgement.AT_RISK,
            reason="Late\nand dear.",
            rating="AMBER",
            scale="three colours",
        )
    ]


@pytest.mark.parametrize("rating", ["Not rated", "Exempt under Section 43", ""])
def test_a_rating_that_is_none_ends_the_judgement_before_it(desk: Desk, rating: str) -> None:
    desk.enter(row(rating="Red"), row(day=SECOND, rating=rating))
    last = desk.facts(Assessed)[-1]
    assert (last.judgement, last.rating) == (None, rating)
    assert desk.status(date(2014, 3, 31)) is Status.ON_TIME


def test_a_blank_rating_can_be_made_to_mean_that_nothing_was_said(desk: Desk) -> None:
    desk.mapping = desk.mapping.replace('reason = "why"', 'reason = "why"\nblank = "nothing"')
    desk.enter(row(rating="Red"), row(day=SECOND, rating=""))
    assert len(desk.facts(Assessed)) == 1


def test_a_risk_for_which_the_table_gives_no_reason_says_so(desk: Desk) -> None:
    desk.enter(row(rating="Red", why="n/a"))
    assert desk.facts(Assessed)[0].reason == f"“Red”, with no reason given. {TOLD_FIRST}"


# --- deadlines ------------------------------------------------------------------------------------------------------


def test_another_day_is_a_revision_of_the_deadline_that_names_its_source(desk: Desk) -> None:
    desk.enter(row(), row(day=SECOND, due="30.06.16"))
    assert desk.facts(DeadlineRevised) == [
        DeadlineRevised(
            deadline=DeadlineKind.PUBLIC,
            on=date(2016, 6, 30),
            effective_on=date(2014, 3, 31),
            reason=TOLD_SECOND,
            previous=date(2015, 12, 31),
        )
    ]


def test_the_same_day_written_otherwise_is_no_revision(desk: Desk) -> None:
    desk.enter(row(), row(day=SECOND, due="2015-12-31"))
    assert desk.facts(DeadlineRevised) == []


def test_prose_in_place_of_the_first_deadline_is_kept_as_the_reason_for_having_none(desk: Desk) -> None:
    desk.enter(row(due="Exempt under\nSection 22"))
    assert desk.facts(Registered)[0].no_deadline_reason == "Exempt under Section 22"
    assert desk.facts(Registered)[0].public_deadline is None


def test_a_day_after_prose_sets_the_deadline_for_the_first_time(desk: Desk) -> None:
    desk.enter(row(due="To be confirmed"), row(day=SECOND))
    (revised,) = desk.facts(DeadlineRevised)
    assert (revised.previous, revised.on) == (None, date(2015, 12, 31))


def test_prose_after_a_day_leaves_the_deadline_and_is_kept_as_a_comment(desk: Desk) -> None:
    desk.enter(row(), row(day=SECOND, due="Exempt (Section 22)"))
    assert desk.facts(DeadlineRevised) == []
    assert desk.facts(Commented) == [
        Commented(
            text=f"No public deadline is given: “Exempt (Section 22)”. {TOLD_SECOND}",
            effective_on=date(2014, 3, 31),
        )
    ]


def test_the_same_prose_again_says_nothing_new(desk: Desk) -> None:
    desk.enter(row(due="To be confirmed"), row(day=SECOND, due="To be confirmed"))
    assert desk.facts(Commented) == []


def test_a_blank_deadline_says_nothing(desk: Desk) -> None:
    desk.enter(row(), row(day=SECOND, due="n/a"))
    assert desk.facts(Commented) == desk.facts(DeadlineRevised) == []


def test_an_internal_deadline_has_a_column_of_its_own(desk: Desk) -> None:
    desk.mapping += '[internal_deadline]\ncolumn = "more"\n'
    desk.enter(row(more="2015-06-30"), row(day=SECOND, more="2015-09-30"))
    assert desk.facts(Registered)[0].internal_deadline.on == date(2015, 6, 30)
    assert [(r.deadline, r.on) for r in desk.facts(DeadlineRevised)] == [
        (DeadlineKind.INTERNAL, date(2015, 9, 30))
    ]


# --- organisations --------------------------------------------------------------------------------------------------


def test_an_organisation_is_registered_when_a_row_names_it_with_the_spellings_it_goes_by(desk: Desk) -> None:
    report = desk.enter(row(who="Min. of Health"))
    assert report.organizations_registered == ["HEALTH"]
    (registered,) = desk.facts(OrganizationRegistered, "HEALTH", "organization")
    assert (registered.name, registered.kind) == ("Ministry of Health", OrganizationKind.MINISTRY)
    assert registered.aliases == ("Min. of Health", "MoH")
    assert desk.events("WORKS", "organization") == []


def test_another_organisation_is_a_change_of_lead_and_another_spelling_is_not(desk: Desk) -> None:
    desk.enter(row(who="MoH"), row(day="31/10/2013", who="ministry of health"), row(day=SECOND, who="WORKS"))
    assert desk.facts(LeadReassigned) == [
        LeadReassigned(
            lead_organization="WORKS",
            previous="HEALTH",
            effective_on=date(2014, 3, 31),
            reason=TOLD_SECOND,
        )
    ]


def test_an_organisation_on_record_is_known_by_its_aliases(desk: Desk) -> None:
    desk.enter(row(who="MoH"))
    desk.mapping = desk.mapping.replace('spellings = ["Min. of Health", "MoH"]', "")
    desk.enter(row(code="clinic", who="MIN. OF HEALTH"))
    assert desk.facts(Registered, "t-clinic")[0].lead_organization == "HEALTH"


def test_an_unknown_organisation_is_an_error_of_the_row_or_registered_under_a_slug(desk: Desk) -> None:
    report = desk.enter(row(who="Dirección de Obras"))
    assert [(e.column, e.value, e.code) for e in report.errors] == [
        ("who", "Dirección de Obras", "unknown-organization")
    ]
    desk.mapping = desk.mapping.replace('unknown = "error"', 'unknown = "register"')
    assert desk.enter(row(who="Dirección de Obras")).organizations_registered == ["direccion-de-obras"]
    (registered,) = desk.facts(OrganizationRegistered, "direccion-de-obras", "organization")
    assert registered.name == "Dirección de Obras"


def test_what_came_after_an_organisation_is_registered_before_it(desk: Desk) -> None:
    desk.mapping = desk.mapping.replace(
        'name = "Ministry of Works"',
        'name = "Ministry of Works"\nsuccessor = "HEALTH"\ndissolved_on = 2014-01-01',
    )
    assert desk.enter(row()).organizations_registered == ["HEALTH", "WORKS"]
    (changed,) = desk.facts(OrganizationChanged, "WORKS", "organization")
    assert (changed.successor, changed.dissolved_on) == ("HEALTH", date(2014, 1, 1))


def test_one_organisation_may_lead_the_whole_file(desk: Desk) -> None:
    desk.mapping = desk.mapping.replace('column = "who"', 'code = "HEALTH"')
    desk.enter(row())
    assert desk.facts(Registered)[0].lead_organization == "HEALTH"


# --- reports, figures, milestones, fields ---------------------------------------------------------------------------


def test_texts_of_several_columns_make_one_progress_report(desk: Desk) -> None:
    desk.enter(row(told="Piles driven.", more="Within budget."), row(day=SECOND, told="n/a"))
    assert desk.facts(ProgressReported) == [
        ProgressReported(
            number=1,
            period="2013",
            effective_on=date(2013, 9, 30),
            observed_progress="Works: Piles driven.\n\nMoney: Within budget.",
            source="The Annual Table",
        )
    ]


@pytest.mark.parametrize(
    ("period", "name"),
    [("half_year", "2013-H2"), ("four_months", "2013-C3"), ("quarter", "2013-Q3"), ("month", "2013-09")],
)
def test_a_report_is_for_the_period_in_which_its_day_falls(desk: Desk, period: str, name: str) -> None:
    desk.mapping = desk.mapping.replace("[progress]", f'[progress]\nperiod = "{period}"\npercent = "more"')
    desk.mapping = desk.mapping.replace(', { column = "more", label = "Money" }', "")
    desk.enter(row(more="12.5 %"))
    (report,) = desk.facts(ProgressReported)
    assert (report.period, str(report.percent)) == (name, "12.5")


def test_figures_are_scaled_and_those_of_a_fiscal_year_carry_it(desk: Desk) -> None:
    desk.enter(row(cost="£1,234.5"), row(day=SECOND, cost="Exempt"))
    assert desk.facts(BudgetEstimated) == [
        BudgetEstimated(
            effective_on=date(2013, 9, 30),
            lines=(BudgetLine(amount="1234500000", currency="GBP", year=2013, figure=BudgetFigure.FORECAST),),
            source="The Annual Table",
        )
    ]
    desk.enter(row(code="road", day=SECOND, cost="1"))
    assert desk.facts(BudgetEstimated, "t-road")[0].lines[0].year == 2013


def test_a_milestone_is_planned_and_planned_anew(desk: Desk) -> None:
    desk.enter(row(start="01/05/2014"), row(day=SECOND, start="01/09/2014"))
    assert desk.facts(MilestoneSet) == [
        MilestoneSet(number=1, name="Start", due_on=due_on, reason=reason, effective_on=day)
        for due_on, reason, day in (
            (date(2014, 5, 1), TOLD_FIRST, date(2013, 9, 30)),
            (date(2014, 9, 1), TOLD_SECOND, date(2014, 3, 31)),
        )
    ]


def test_another_name_is_kept_as_a_comment_the_day_it_first_appears(desk: Desk) -> None:
    desk.enter(row(), row(day="31/12/2013", name="A viaduct"), row(day=SECOND, name="A  viaduct"))
    assert [(c.text, c.effective_on) for c in desk.facts(Commented)] == [
        (
            "It is called “A viaduct”. According to The Annual Table, as at 2013-12-31.",
            date(2013, 12, 31),
        )
    ]
    assert desk.commitment().registration.title == "A bridge"


FIELDS = """
[origin]
kind = "regional_plan"
[fields]
kind = { value = "action" }
key_words = { column = "more", separator = ";" }
nature = { column = "told", values = { law = "legislative", deed = "managerial" } }
region = { value = "Ñuble" }
"""


def test_fields_come_from_columns_value_maps_and_constants(desk: Desk) -> None:
    desk.mapping += FIELDS
    desk.enter(row(more="roads; rivers;roads", told="Law"))
    (registered,) = desk.facts(Registered)
    assert (registered.kind, registered.nature, registered.region) == ("action", "legislative", "Ñuble")
    assert registered.key_words == ("roads", "rivers")
    assert (registered.origin.kind, registered.origin.source) == ("regional_plan", "The Annual Table")


def test_a_field_that_a_later_row_gives_otherwise_is_another_from_its_day_on(desk: Desk) -> None:
    desk.mapping += FIELDS
    rows = [row(), row(day="31/12/2013", more="roads"), row(day=SECOND, more="rivers")]
    desk.enter(*rows)
    changed = [(one.value, one.previous, one.effective_on, one.reason) for one in desk.facts(Changed)]
    assert changed == [
        (["roads"], [], date(2013, 12, 31), "According to The Annual Table, as at 2013-12-31."),
        (["rivers"], ["roads"], date(2014, 3, 31), TOLD_SECOND),
    ]
    assert desk.enter(*rows).rows.unchanged == 3


def test_a_field_that_never_changes_in_the_world_is_told_once_and_then_left_as_it_is(desk: Desk) -> None:
    desk.mapping += FIELDS
    report = desk.enter(row(), row(day="31/12/2013", told="Law"), row(day=SECOND, told="Deed"))
    assert [(one.field, one.value) for one in desk.facts(Corrected)] == [("nature", "legislative")]
    assert [(one.line, one.column, one.value, one.code) for one in report.left_out] == [
        (4, "told", "Deed", "field-settled")
    ]
    assert report.rows.imported == 3


def test_a_bad_value_of_a_field_is_a_fault_of_its_own_row_alone(desk: Desk) -> None:
    desk.mapping += '[fields]\npillar = { column = "more" }\n'
    report = desk.enter(row(), row(day=SECOND, more="no-such-pillar"))
    assert [(error.line, error.column, error.code) for error in report.errors] == [
        (3, "more", "unknown-pillar")
    ]
    assert report.rows.imported == 1


def test_a_title_may_be_another_one_from_a_day_on(desk: Desk) -> None:
    desk.mapping = desk.mapping.replace('column = "name"', 'column = "name"\nrenamed = "change"')
    desk.enter(row(), row(day=SECOND, name="A viaduct"))
    assert [(one.field, one.value, one.effective_on) for one in desk.facts(Changed)] == [
        ("title", "A viaduct", date(2014, 3, 31))
    ]


@pytest.mark.parametrize("column", ["due", "start", "told", "cost"])
def test_what_a_table_no_longer_says_stays_and_is_listed(desk: Desk, column: str) -> None:
    full = {"due": "31/12/2015", "start": "01/05/2014", "told": "Begun", "cost": "1"}
    desk.enter(row(**full))
    before = desk.contents()
    for _ in range(2):
        report = desk.enter(row(**full | {column: ""}))
        assert [(one.line, one.column, one.code) for one in report.left_out] == [(2, column, "value-cleared")]
        assert (report.rows.unchanged, desk.contents()) == (1, before)


def test_prose_for_a_figure_is_listed(desk: Desk) -> None:
    report = desk.enter(row(cost="Exempt"))
    assert [(one.column, one.value, one.code) for one in report.left_out] == [
        ("cost", "Exempt", "prose-for-a-figure")
    ]


def test_both_deadlines_may_be_brought_forward_by_one_row(desk: Desk) -> None:
    desk.mapping += '[internal_deadline]\ncolumn = "more"\n'
    report = desk.enter(
        row(due="2015-12-31", more="2015-10-31"),
        row(day="31/12/2013", due="2015-06-30", more="2015-05-31"),
        row(day=SECOND, due="2016-12-31", more="2016-10-31"),
    )
    assert report.errors == []


# --- codes and names ------------------------------------------------------------------------------------------------


def test_a_code_on_record_is_meant_as_it_is_written_there(desk: Desk) -> None:
    desk.mapping = desk.mapping.replace('prefix = "t-"', "")
    for code in ("EDU-2", "EDU_3"):
        new = Registered(
            code=code, title="Schools", lead_organization="MINEDUC", effective_on=date(2013, 1, 1)
        )
        desk.record(new, code)
    report = desk.enter(row(code="EDU-2"), row(code="EDU_3"), row(code="EDU-4"))
    assert report.events["commitments.registered"] == 1
    assert [desk.commitment(code).code for code in ("EDU-2", "EDU_3", "edu-4")] == ["EDU-2", "EDU_3", "edu-4"]


def test_digits_are_one_code_with_zeros_in_front_or_without(desk: Desk) -> None:
    desk.mapping = desk.mapping.replace('prefix = "t-"', 'prefix = "t-"\nwidth = 3')
    desk.enter(row(code="7"), row(code="007", day=SECOND), row(code="1234"))
    assert [desk.commitment(code).code for code in ("t-007", "t-1234")] == ["t-007", "t-1234"]
    assert len(desk.facts(Assessed, "t-007")) == 2


def test_two_long_names_that_begin_alike_are_two_organisations(desk: Desk) -> None:
    desk.mapping = desk.mapping.replace('unknown = "error"', 'unknown = "register"')
    names = [f"Subsecretaría de {'Desarrollo ' * 7}{end}" for end in ("Regional", "Rural")]
    report = desk.enter(*(row(code=f"c{n}", who=name) for n, name in enumerate(names)))
    assert len(set(report.organizations_registered)) == 2
    again = desk.enter(*(row(code=f"c{n}", who=name) for n, name in enumerate(names)))
    assert (again.rows.unchanged, again.organizations_registered) == (2, [])


# --- cells that failed ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["name", "rating", "due", "cost", "told"])
@pytest.mark.parametrize("value", ["#DIV/0!", " #REF!", "#¡VALOR!"])
def test_a_formula_that_failed_is_an_error_of_its_row(desk: Desk, column: str, value: str) -> None:
    report = desk.enter(row(**{column: value}))
    assert [(e.column, e.value, e.code) for e in report.errors] == [(column, value, "cell-error")]
    desk.mapping = desk.mapping.replace('words = ["n/a"]', f'words = ["n/a", "{value}"]', 1)
    desk.mapping = desk.mapping.replace('words = ["not rated"]', f'words = ["{value}"]', 1)
    assert column == "name" or desk.enter(row(**{column: value})).errors == []


def test_a_column_of_shares_is_doubted_aloud(desk: Desk) -> None:
    desk.mapping = desk.mapping.replace("[progress]", '[progress]\npercent = "more"')
    desk.mapping = desk.mapping.replace(', { column = "more", label = "Money" }', "")
    doubted = desk.enter(row(more="0.5"), row(day=SECOND, more="1.0"), dry_run=True)
    assert "'more'" in doubted.warnings[0]
    assert "warning: " in doubted.summary()
    desk.mapping = desk.mapping.replace('percent = "more"', 'percent = "more"\nscale = 1')
    assert desk.enter(row(more="0.5"), row(day=SECOND, more="1.0")).warnings == []
    assert [report.percent for report in desk.facts(ProgressReported)] == [50, 100]


# --- how it came to an end ------------------------------------------------------------------------------------------

STATE = """
[state]
column = "more"
values = { Cumplida = "achieved", Descartada = "discarded", "En curso" = "open" }
on = { column = "told", formats = ["%d/%m/%Y"] }
evidence = "why"
reason = "why"
reason_type = "start"
reason_types = { dinero = "budgetary" }
"""


@pytest.fixture
def with_states(desk: Desk) -> Desk:
    """A desk whose table says what has come of each."""
    begin, end = desk.mapping.index("[[milestones]]"), desk.mapping.index("[budget]")
    desk.mapping = (desk.mapping[:begin] + desk.mapping[end:]).replace('reason = "why"\n', "") + STATE
    return desk


def test_what_is_kept_as_promised_is_achieved_on_its_day_with_its_evidence(with_states: Desk) -> None:
    desk = with_states
    rows = [row(), row(day=SECOND, more="Cumplida", told="15/12/2013", why="Ley 20.595", rating="Red")]
    report = desk.enter(*rows)
    assert desk.facts(Completed) == [
        Completed(completed_on=date(2013, 12, 15), evidence=(Evidence(description="Ley 20.595"),))
    ]
    assert desk.status(date(2013, 12, 14)) is Status.ON_TIME
    assert desk.status(date(2031, 1, 1)) is Status.ACHIEVED
    # The table goes on to rate what it says has come to its end.
    assert [(one.line, one.column, one.code) for one in report.left_out] == [
        (3, "rating", "commitment-closed")
    ]
    again = desk.enter(*rows)
    assert (again.rows.unchanged, again.left_out, again.events) == (2, report.left_out, {})


def test_where_no_evidence_is_given_the_table_itself_is_all_there_is(with_states: Desk) -> None:
    with_states.enter(row(more="cumplida", why=""))
    (completed,) = with_states.facts(Completed)
    assert completed.completed_on == date(2013, 9, 30)
    assert completed.evidence[0].description == f"“cumplida”, with no evidence given. {TOLD_FIRST}"
    assert len(with_states.facts(Assessed)) == 1


def test_what_ended_before_its_first_row_counts_from_the_day_it_ended(with_states: Desk) -> None:
    with_states.enter(row(more="Cumplida", told="01/02/2012"))
    assert with_states.status(date(2012, 1, 31)) is None
    assert with_states.status(date(2012, 2, 1)) is Status.ACHIEVED


def test_what_is_given_up_is_discarded_for_its_reason(with_states: Desk) -> None:
    with_states.enter(row(), row(day=SECOND, more="Descartada", start="Dinero", why="No hay fondos."))
    assert with_states.facts(Discarded) == [
        Discarded(
            reason_type=DiscardReason.BUDGETARY, reason="No hay fondos.", effective_on=date(2014, 3, 31)
        )
    ]
    report = with_states.enter(row(code="road", more="Descartada"))
    assert [(error.column, error.code) for error in report.errors] == [("start", "value-unknown")]


def test_what_a_table_calls_open_again_is_reopened_and_takes_what_is_told_of_it(with_states: Desk) -> None:
    desk = with_states
    rows = [row(more="Cumplida"), row(day=SECOND, more="En curso", rating="Red")]
    desk.enter(*rows)
    assert [one.effective_on for one in desk.facts(Reopened)] == [date(2014, 3, 31)]
    assert desk.status(date(2014, 4, 1)) is Status.NEEDS_ATTENTION
    assert desk.enter(*rows).rows.unchanged == 2


def test_what_a_person_closed_or_reopened_since_stays(with_states: Desk) -> None:
    desk = with_states
    rows = [row(more="Cumplida", why="Ley"), row(code="road", more="En curso")]
    desk.enter(*rows)
    desk.record(Reopened(reason="It fell down.", effective_on=date(2014, 1, 1)))
    desk.record(Completed(completed_on=date(2014, 1, 1), evidence=(Evidence(description="Seen."),)), "t-road")
    before = desk.contents()
    assert desk.enter(*rows).rows.unchanged == 2
    assert desk.contents() == before


def test_another_day_or_evidence_of_an_end_on_record_is_listed(with_states: Desk) -> None:
    with_states.enter(row(more="Cumplida", why="Ley"))
    report = with_states.enter(row(more="Cumplida", why="Otra ley"))
    assert [(one.column, one.code) for one in report.left_out] == [("more", "state-settled")]
    assert with_states.enter(row(code="road", more="Quién sabe")).errors[0].code == "value-unknown"


def test_a_step_is_reached_on_the_day_that_another_column_gives(desk: Desk) -> None:
    completed = 'completed = { column = "more", formats = ["%d/%m/%Y"] }'
    desk.mapping = desk.mapping.replace('name = "Start"', f'name = "Start"\n{completed}')
    desk.mapping = desk.mapping.replace(', { column = "more", label = "Money" }', "")
    rows = [
        row(start="01/05/2013"),
        row(day="31/12/2013", start="01/05/2013", more="15/06/2013"),
        row(day=SECOND, start="01/09/2014", more="16/06/2013"),
        row(code="road", more="15/06/2013", day=SECOND),
    ]
    report = desk.enter(*rows)
    assert [(one.number, one.completed_on) for one in desk.facts(MilestoneCompleted)] == [
        (1, date(2013, 6, 15))
    ]
    assert [(one.line, one.column, one.code) for one in report.left_out] == [
        (4, "start", "milestone-completed"),
        (4, "more", "milestone-completed"),
    ]
    # What was reached before the first row shows that the commitment was there by then.
    assert desk.facts(Registered, "t-road")[0].effective_on == date(2013, 6, 15)
    assert [(one.due_on, one.name) for one in desk.facts(MilestoneSet, "t-road")] == [
        (date(2013, 6, 15), "Start")
    ]
    assert desk.enter(*rows).events == {}


def test_milestones_may_have_rows_of_their_own(desk: Desk) -> None:
    begin, end = desk.mapping.index("[[milestones]]"), desk.mapping.index("[budget]")
    desk.mapping = (
        desk.mapping[:begin]
        + desk.mapping[end:]
        + """
[milestone]
name = "told"
column = "start"
formats = ["%d/%m/%Y"]
completed = { column = "more", formats = ["%d/%m/%Y"] }
"""
    )
    rows = [
        row(told="Bill sent", start="01/05/2013", more="15/06/2013"),
        row(told="Bill  voted", start="01/12/2013"),
        row(told="Bill sent", start="01/05/2013", more="2013-06-15"),
        row(told=""),
        row(told="", start="01/12/2013"),
        row(day=SECOND, told="Bill voted", start="01/06/2014"),
    ]
    report = desk.enter(*rows)
    assert [(one.number, one.name, one.due_on) for one in desk.facts(MilestoneSet)] == [
        (1, "Bill sent", date(2013, 5, 1)),
        (2, "Bill voted", date(2013, 12, 1)),
        (2, "Bill voted", date(2014, 6, 1)),
    ]
    assert [(one.number, one.completed_on) for one in desk.facts(MilestoneCompleted)] == [
        (1, date(2013, 6, 15))
    ]
    assert (report.rows.imported, report.rows.unchanged, report.rows.duplicates) == (3, 1, 1)
    assert [(error.line, error.column, error.code) for error in report.errors] == [
        (6, "start", "value-missing")
    ]
    assert desk.enter(*rows).events == {}


def test_a_report_rests_on_the_evidence_that_another_column_gives(desk: Desk) -> None:
    desk.mapping = desk.mapping.replace("[progress]", '[progress]\nevidence = "more"')
    desk.mapping = desk.mapping.replace(', { column = "more", label = "Money" }', "")
    report = desk.enter(row(told="Piles driven", more="Photographs"), row(code="road", more="Photographs"))
    assert desk.facts(ProgressReported)[0].evidence == (Evidence(description="Photographs"),)
    assert [(error.column, error.code) for error in report.errors] == [("more", "value-missing")]
    desk.enter(row(told="Piles driven", more="Certificate"))
    assert [one.evidence[0].description for one in desk.facts(ProgressReported)] == [
        "Photographs",
        "Certificate",
    ]


def test_risks_are_rated_from_1_to_4_as_numbers_or_in_words(desk: Desk) -> None:
    begin, end = desk.mapping.index("[[milestones]]"), desk.mapping.index("[budget]")
    desk.mapping = (
        desk.mapping[:begin]
        + desk.mapping[end:]
        + """
[risks]
budgetary_requirements = "told"
passage_through_congress = "more"
description = "start"
values = { Alto = 4, Bajo = 1 }
"""
    )
    rows = [
        row(told="Alto", more="2", start="Narrow."),
        row(day="31/12/2013", told="alto", more="2.0", start="Narrow."),
    ]
    desk.enter(*rows)
    assert desk.facts(RisksAssessed) == [
        RisksAssessed(
            effective_on=date(2013, 9, 30),
            budgetary_requirements=4,
            passage_through_congress=2,
            description="Narrow.",
        )
    ]
    desk.record(RisksAssessed(effective_on=date(2013, 9, 30), budgetary_requirements=1))
    assert desk.enter(*rows).rows.unchanged == 2
    for value in ("Alto", "Bajo", "Alto"):
        assert desk.enter(row(told=value)).rows.imported == 1
    report = desk.enter(row(told=""), row(code="road", told="5"), row(code="rail", told="Medio"))
    assert [one.code for one in report.left_out] == ["value-cleared"]
    assert [error.code for error in report.errors] == ["risk-out-of-range", "number-unreadable"]


def test_figures_of_execution_are_kept_beside_those_of_the_budget(desk: Desk) -> None:
    figures = ", ".join(
        f'{{ column = "{column}", figure = "{figure}", year = 2013 }}'
        for column, figure in {
            "cost": "budget",
            "start": "committed",
            "told": "executed",
            "more": "paid",
        }.items()
    )
    begin, end = desk.mapping.index("[[milestones]]"), desk.mapping.index("figures = ")
    budget = desk.mapping[desk.mapping.index("[budget]") : end]
    desk.mapping = desk.mapping[:begin] + budget + f"figures = [{figures}]\n"
    desk.enter(row(cost="4", start="3", told="2", more="1"))
    (estimated,) = desk.facts(BudgetEstimated)
    assert [(line.figure, line.amount) for line in estimated.lines] == [
        ("budget", "4000000"), ("committed", "3000000"), ("executed", "2000000"), ("paid", "1000000"),
    ]  # fmt: skip


PROMISES = """
source = "List of promises"
comments = ["remark"]
code = { columns = ["code"], slug = false }
title = { column = "title" }
date = { column = "day" }
lead = { code = "WORKS" }
deadline = { column = "due", origin = { column = "page" } }
organizations = [{ code = "WORKS", name = "Ministry of Works" }]
"""


def test_each_row_says_where_its_deadline_was_promised_and_a_remark_is_made_once(desk: Desk) -> None:
    desk.mapping = PROMISES
    report = desk.enter_text(
        "code,title,day,due,page,remark\n"
        "BRIDGE,A bridge,2012-06-01,2015-12-31,Page 7,Seen.\n"
        "TUNNEL,A tunnel,2012-06-01,2015-12-31,,\n"
        "BRIDGE,A bridge,2013-06-01,2015-12-31,,Seen.\n"
    )
    assert report.errors == report.left_out == []
    promised = [desk.facts(Registered, code)[0].public_deadline.origin for code in ("BRIDGE", "TUNNEL")]
    assert promised == ["Page 7", None]
    assert [one.text for one in desk.facts(Commented, "BRIDGE")] == ["Seen."]
