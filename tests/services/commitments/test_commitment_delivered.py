"""Those who deliver tell of a commitment: progress reports, their reviews, and milestones."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from shared.errors import Forbidden, InvalidInput, NotFound, RuleBroken
from shared.events.commitments import (
    Commented,
    LeadReassigned,
    MilestoneCompleted,
    MilestoneSet,
    ProgressReported,
    ProgressReviewed,
)
from shared.events.vocabulary import ReviewOutcome
from shared.identity.actor import Actor, Role
from tests.services.commitments.promises import (
    BRUNO,
    DIPRES,
    HEALTH,
    INTERIOR,
    JULY,
    JUNE,
    LAW,
    TODAY,
    TOMORROW,
    completed,
    given,
    registered,
)
from tests.support.scenario import ANA, Told, on

POLICE = Actor(subject="officer", organization="POLICE", role=Role.MINISTRY)
JUSTICE = Actor(subject="judge", organization="JUSTICE", role=Role.MINISTRY)


def report(actor: Actor = INTERIOR, **more: Any) -> Any:
    fields: dict[str, Any] = {
        "period": "2012-Q3",
        "effective_on": TODAY,
        "observed_progress": "The bill passed the House",
    } | more
    return lambda it: it.report_progress(ProgressReported(**fields), on(TODAY, actor))


def reported(number: int = 1, **more: Any) -> ProgressReported:
    fields: dict[str, Any] = {
        "period": "2012-Q3",
        "effective_on": JULY,
        "observed_progress": "The bill passed",
    } | more
    return ProgressReported(number=number, **fields)


def returned(number: int = 1) -> ProgressReviewed:
    return ProgressReviewed(report=number, outcome=ReviewOutcome.RETURNED, reason="No evidence")


def accepted(number: int = 1) -> ProgressReviewed:
    return ProgressReviewed(report=number, outcome=ReviewOutcome.ACCEPTED)


# --- reports -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("actor", [INTERIOR, POLICE, JUSTICE, ANA])
def test_lead_service_and_collaborators_report_and_so_does_the_unit(actor: Actor) -> None:
    given().when(report(actor, percent=Decimal("62.5"), stage="Senate", evidence=(LAW,))).then(
        ProgressReported(
            number=1,
            period="2012-Q3",
            effective_on=TODAY,
            observed_progress="The bill passed the House",
            percent=Decimal("62.5"),
            stage="Senate",
            evidence=(LAW,),
        )
    )


def test_a_ministry_reports_only_on_its_own() -> None:
    given().when(report(HEALTH)).refused("not-your-commitment", Forbidden)


def test_who_handed_the_commitment_over_no_longer_reports_on_it() -> None:
    handed_over = LeadReassigned(
        lead_organization="HEALTH", previous="INTERIOR", effective_on=JULY, reason="x"
    )
    given(registered(), handed_over).when(report(INTERIOR)).refused("not-your-commitment", Forbidden)
    given(registered(), handed_over).when(report(HEALTH)).then(
        ProgressReported(
            number=1, period="2012-Q3", effective_on=TODAY, observed_progress="The bill passed the House"
        )
    )


def test_reports_are_numbered_from_one() -> None:
    given(registered(), (INTERIOR, reported(1))).when(report(no_change=True, observed_progress=None)).then(
        ProgressReported(number=2, period="2012-Q3", effective_on=TODAY, no_change=True)
    )


@pytest.mark.parametrize("percent", ["-0.1", "100.01", "NaN", "Infinity"])
def test_a_percentage_lies_between_nought_and_a_hundred(percent: str) -> None:
    given().when(report(percent=Decimal(percent))).refused("percent-out-of-range", InvalidInput, "/percent")


def test_a_report_tells_something() -> None:
    given().when(report(observed_progress=None)).refused("nothing-reported", InvalidInput)


@pytest.mark.parametrize("period", ["third quarter", "2012-Q5", "12-Q1"])
def test_a_report_is_about_a_period(period: str) -> None:
    given().when(report(period=period)).refused("period-malformed", InvalidInput, "/period")


def test_the_letter_of_two_meanings_names_no_period_of_a_report() -> None:
    given().when(report(period="2012-T2")).refused("period-ambiguous", InvalidInput, "/period")


def test_a_report_of_no_change_changes_nothing() -> None:
    past: tuple[Told, ...] = (registered(), (INTERIOR, reported(stage="Senate", percent=Decimal(40))))
    same = report(no_change=True, observed_progress=None, stage="Senate", percent=Decimal(40))
    given(*past).when(same).then(
        ProgressReported(
            number=2,
            period="2012-Q3",
            effective_on=TODAY,
            no_change=True,
            stage="Senate",
            percent=Decimal(40),
        )
    )
    for other in ({"stage": "House"}, {"percent": Decimal(41)}):
        given(*past).when(report(no_change=True, **other)).refused("no-change-contradicted", RuleBroken)


def test_nothing_is_reported_from_the_future() -> None:
    given().when(report(effective_on=TOMORROW)).refused("date-in-future", InvalidInput, "/effective_on")
    given().when(report(source_on=TOMORROW)).refused("date-in-future", InvalidInput, "/source_on")


def test_a_closed_commitment_takes_no_report_on_what_came_after() -> None:
    given(registered(), completed()).when(report()).refused("commitment-closed", RuleBroken)


def test_the_latest_report_that_was_not_sent_back_gives_stage_and_percentage() -> None:
    it = given(
        registered(),
        (INTERIOR, reported(1, effective_on=JULY, percent=Decimal(40), stage="House")),
        (INTERIOR, reported(2, effective_on=JUNE, percent=Decimal(10), stage="draft")),
        (INTERIOR, reported(3, effective_on=TODAY, percent=Decimal(90), stage="Senate")),
        returned(3),
    ).thing
    assert (it.progress.percent_unreviewed_on(TODAY), it.stage_on(TODAY)) == (Decimal(40), "House")
    assert it.progress.percent_on(TODAY) is None
    nothing = given().thing
    assert (nothing.progress.percent_unreviewed_on(TODAY), nothing.stage_on(TODAY)) == (None, "design")


# --- reviews -------------------------------------------------------------------------------------------------------


def review(
    actor: Actor = ANA, outcome: ReviewOutcome = ReviewOutcome.ACCEPTED, number: int = 1, **more: Any
) -> Any:
    proposed = ProgressReviewed(report=number, outcome=outcome, **more)
    return lambda it: it.review_progress(proposed, on(TODAY, actor))


def test_somebody_else_accepts_a_report() -> None:
    given(registered(), (INTERIOR, reported())).when(review()).then(accepted())


def test_a_reviewer_is_never_the_author() -> None:
    given(registered(), (ANA, reported())).when(review(ANA)).refused("reviewer-is-author", RuleBroken)


def test_a_colleague_of_the_author_may_review() -> None:
    given(registered(), (ANA, reported())).when(review(BRUNO)).then(accepted())


def test_sending_a_report_back_needs_a_reason() -> None:
    past: tuple[Told, ...] = (registered(), (INTERIOR, reported()))
    given(*past).when(review(outcome=ReviewOutcome.RETURNED)).refused(
        "reason-required", InvalidInput, "/reason"
    )
    given(*past).when(review(outcome=ReviewOutcome.RETURNED, reason="No evidence")).then(returned())


@pytest.mark.parametrize("first", [accepted(), returned()])
def test_a_report_is_reviewed_once(first: ProgressReviewed) -> None:
    given(registered(), (INTERIOR, reported()), first).when(review(BRUNO)).refused(
        "report-already-reviewed", RuleBroken
    )


def test_a_returned_report_is_answered_by_a_new_one() -> None:
    past: tuple[Told, ...] = (registered(), (INTERIOR, reported()), returned(), (INTERIOR, reported(2)))
    given(*past).when(review(number=2)).then(accepted(2))


@pytest.mark.parametrize("number", [0, 2, -1])
def test_only_a_report_that_is_there_is_reviewed(number: int) -> None:
    given(registered(), (INTERIOR, reported())).when(review(number=number)).refused(
        "report-not-found", NotFound
    )


def test_a_report_from_before_the_closing_is_still_reviewed_after_it() -> None:
    given(registered(), (INTERIOR, reported()), completed(TODAY)).when(review()).then(accepted())


# --- milestones ----------------------------------------------------------------------------------------------------

DUE = date(2013, 3, 31)


def milestone(**more: Any) -> Any:
    fields: dict[str, Any] = {"name": "Bill sent", "due_on": DUE} | more
    return lambda it: it.set_milestone(MilestoneSet(**fields), on(TODAY))


def planned(number: int = 1, **more: Any) -> MilestoneSet:
    fields: dict[str, Any] = {"name": "Bill sent", "due_on": DUE} | more
    return MilestoneSet(number=number, **fields)


def reach(actor: Actor = INTERIOR, number: int = 1, day: date = TODAY, **more: Any) -> Any:
    proposed = MilestoneCompleted(number=number, completed_on=day, **more)
    return lambda it: it.complete_milestone(proposed, on(TODAY, actor))


def test_milestones_are_numbered_in_order() -> None:
    given().when(milestone()).then(planned(1))
    given(registered(), planned(1)).when(milestone()).then(planned(2))
    given(registered(), planned(1)).when(milestone(number=2)).then(planned(2))


@pytest.mark.parametrize("number", [0, 3])
def test_a_number_is_neither_left_out_nor_made_up(number: int) -> None:
    given(registered(), planned(1)).when(milestone(number=number)).refused(
        "milestone-out-of-sequence", InvalidInput, "/number"
    )


def test_a_milestone_is_planned_anew_with_a_reason() -> None:
    later = date(2013, 6, 30)
    past = (registered(), planned(1))
    given(*past).when(milestone(number=1, due_on=later, reason="Election")).then(
        planned(1, due_on=later, reason="Election")
    )
    given(*past).when(milestone(number=1, due_on=later)).refused("reason-required", InvalidInput, "/reason")
    given(*past).when(milestone(number=1, reason="Again")).refused("milestone-unchanged", RuleBroken)


def test_a_milestone_has_a_name() -> None:
    given().when(milestone(name=" ")).refused("text-required", InvalidInput, "/name")


def test_a_milestone_is_reached_by_those_concerned() -> None:
    given(registered(), planned()).when(reach(day=JULY, evidence=(LAW,))).then(
        MilestoneCompleted(number=1, completed_on=JULY, evidence=(LAW,))
    )
    given(registered(), planned()).when(reach(HEALTH)).refused("not-your-commitment", Forbidden)


def test_a_milestone_is_reached_once_and_then_stays_as_planned() -> None:
    past = (registered(), planned(), MilestoneCompleted(number=1, completed_on=JULY))
    given(*past).when(reach()).refused("milestone-completed", RuleBroken)
    given(*past).when(milestone(number=1, name="Bill passed", reason="x")).refused(
        "milestone-completed", RuleBroken
    )


def test_only_a_planned_milestone_is_reached() -> None:
    given().when(reach()).refused("milestone-not-found", NotFound)


def test_no_milestone_is_reached_tomorrow() -> None:
    given(registered(), planned()).when(reach(day=TOMORROW)).refused(
        "date-in-future", InvalidInput, "/completed_on"
    )


def test_a_closed_commitment_is_planned_no_further() -> None:
    past = (registered(), planned(), completed())
    given(*past).when(milestone()).refused("commitment-closed", RuleBroken)
    given(*past).when(reach()).refused("commitment-closed", RuleBroken)
    given(*past).when(reach(day=date(2012, 6, 1))).then(
        MilestoneCompleted(number=1, completed_on=date(2012, 6, 1))
    )


# --- comments ------------------------------------------------------------------------------------------------------


def comment(actor: Actor, text: str = "See the minutes") -> Any:
    return lambda it: it.comment(Commented(text=text, effective_on=TODAY), on(TODAY, actor))


@pytest.mark.parametrize("actor", [ANA, INTERIOR, DIPRES])
def test_a_remark_is_left_at_any_time(actor: Actor) -> None:
    given(registered(), completed()).when(comment(actor)).then(
        Commented(text="See the minutes", effective_on=TODAY)
    )


def test_a_ministry_remarks_only_on_its_own() -> None:
    given().when(comment(HEALTH)).refused("not-your-commitment", Forbidden)


def test_a_remark_says_something() -> None:
    given().when(comment(ANA, " \t")).refused("text-required", InvalidInput, "/text")
