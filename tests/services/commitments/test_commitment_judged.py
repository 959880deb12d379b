"""A commitment is judged: assessments, risks, budget, deadlines, lead."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from services.commitments.commitment.model import Revision, replace
from shared.errors import BitacoraError, InvalidInput, RuleBroken
from shared.events.commitments import (
    Assessed,
    BudgetEstimated,
    BudgetLine,
    DeadlineRevised,
    LeadReassigned,
    RisksAssessed,
)
from shared.events.facts import Event
from shared.events.vocabulary import BudgetFigure, DeadlineKind, Judgement
from shared.http.requests import request_of
from shared.rules.traffic_light import Status
from tests.services.commitments.promises import (
    JULY,
    JUNE,
    KNOWN,
    MAY,
    TODAY,
    TOMORROW,
    at_risk,
    completed,
    discarded,
    given,
    merged,
    registered,
    reopened,
)
from tests.support.scenario import on

# --- assessments ---------------------------------------------------------------------------------------------------


def assess(day: date, **more: Any) -> Any:
    fields: dict[str, Any] = {"judgement": Judgement.ON_TRACK} | more
    return lambda it: it.assess(Assessed(effective_on=day, **fields), on(TODAY))


def test_a_judgement_is_recorded_with_its_reason_on_the_day_it_took_effect() -> None:
    given().when(assess(JUNE, judgement=Judgement.AT_RISK, reason="Bill stuck")).then(
        Assessed(effective_on=JUNE, judgement=Judgement.AT_RISK, reason="Bill stuck")
    )


def test_a_judgement_without_a_day_takes_effect_today() -> None:
    asked = request_of(Assessed).model_validate({"judgement": "on_track"})
    given().when(lambda it: it.assess(asked.struct(TODAY), on(TODAY))).then(
        Assessed(effective_on=TODAY, judgement=Judgement.ON_TRACK)
    )


def test_a_rating_without_a_judgement_is_kept_word_for_word() -> None:
    given().when(assess(TODAY, judgement=None, rating=" Amber/Red ", scale="Gateway")).then(
        Assessed(effective_on=TODAY, rating=" Amber/Red ", scale="Gateway")
    )


def test_an_assessment_says_at_least_a_judgement_or_a_rating() -> None:
    given().when(assess(TODAY, judgement=None, reason="none")).refused(
        "judgement-or-rating-required", InvalidInput, "/judgement"
    )


@pytest.mark.parametrize("reason", [None, "", "  \n"])
def test_a_judgement_of_at_risk_needs_a_reason(reason: str | None) -> None:
    given().when(assess(TODAY, judgement=Judgement.AT_RISK, reason=reason)).refused(
        "reason-required", InvalidInput, "/reason"
    )


def test_no_judgement_takes_effect_tomorrow() -> None:
    given().when(assess(TOMORROW)).refused("date-in-future", InvalidInput, "/effective_on")


def test_a_fact_may_be_older_than_the_entry_of_the_commitment_and_not_than_its_first_day() -> None:
    """A promise is often entered after it was made and judged."""
    given().when(assess(MAY)).then(Assessed(effective_on=MAY, judgement=Judgement.ON_TRACK))
    given().when(assess(MAY - timedelta(days=1))).refused("before-registration", RuleBroken)


@pytest.mark.parametrize("closing", [completed(), discarded(), merged()])
@pytest.mark.parametrize("day", [JUNE, JULY, TODAY])
def test_a_closed_commitment_takes_no_assessment_from_the_day_it_was_closed(
    closing: Event, day: date
) -> None:
    given(registered(), closing).when(assess(day)).refused("commitment-closed", RuleBroken)


@pytest.mark.parametrize("closing", [completed(), discarded(), merged()])
def test_an_assessment_from_before_the_closing_may_be_recorded_late(closing: Event) -> None:
    given(registered(), closing).when(assess(date(2012, 6, 29))).then(
        Assessed(effective_on=date(2012, 6, 29), judgement=Judgement.ON_TRACK)
    )


@pytest.mark.parametrize("closing", [completed(), discarded(), merged()])
def test_a_reopened_commitment_is_judged_again_but_not_for_the_time_it_was_closed(closing: Event) -> None:
    past = (registered(), closing, reopened(JULY))
    given(*past).when(assess(JULY)).then(Assessed(effective_on=JULY, judgement=Judgement.ON_TRACK))
    given(*past).when(assess(JUNE)).refused("commitment-closed", RuleBroken)


def test_a_judgement_recorded_late_does_not_replace_a_newer_one() -> None:
    it = given(
        registered(),
        at_risk(JULY),
        Assessed(effective_on=JUNE, judgement=Judgement.ON_TRACK),
    ).thing
    assert it.dated.judgements.on(TODAY) == (Judgement.AT_RISK, 2)
    latest = it.assessments.on(TODAY)[0]
    assert latest is not None
    assert latest.position == 2
    verdict = it.verdict_on(TODAY)
    assert verdict is not None
    assert verdict == (Status.NEEDS_ATTENTION, 2)


# --- risks and budget ----------------------------------------------------------------------------------------------


def assess_risks(**rated: Any) -> Any:
    return lambda it: it.assess_risks(RisksAssessed(effective_on=TODAY, **rated), on(TODAY))


def test_risks_are_rated_one_to_four_and_those_that_do_not_apply_left_out() -> None:
    given().when(assess_risks(budgetary_requirements=1, passage_through_congress=4)).then(
        RisksAssessed(effective_on=TODAY, budgetary_requirements=1, passage_through_congress=4)
    )


@pytest.mark.parametrize("rating", [0, 5, -1])
def test_a_risk_outside_the_scale_is_refused(rating: int) -> None:
    given().when(assess_risks(change_management=rating)).refused(
        "risk-out-of-range", InvalidInput, "/change_management"
    )


def test_a_risk_assessment_rates_at_least_one_risk() -> None:
    given().when(assess_risks(description="fine")).refused("no-risk-rated", InvalidInput)


ESTIMATE = BudgetLine(amount="1234.5", currency="CLP", year=2013)


def estimate(lines: tuple[BudgetLine, ...]) -> Any:
    return lambda it: it.estimate_budget(BudgetEstimated(effective_on=TODAY, lines=lines), on(TODAY))


def test_a_budget_is_estimated_per_year_and_for_the_whole_life() -> None:
    lines = (ESTIMATE, BudgetLine(amount="-20", currency="CLF", figure=BudgetFigure.WHOLE_LIFE_COST))
    given().when(estimate(lines)).then(BudgetEstimated(effective_on=TODAY, lines=lines))


@pytest.mark.parametrize(
    ("lines", "code", "pointer"),
    [
        ((), "budget-lines-missing", "/lines"),
        ((ESTIMATE, ESTIMATE), "budget-line-repeated", "/lines/1"),
        ((BudgetLine(amount="1,5", currency="CLP"),), "amount-malformed", "/lines/0/amount"),
        ((BudgetLine(amount="1e3", currency="CLP"),), "amount-malformed", "/lines/0/amount"),
        ((BudgetLine(amount="007", currency="CLP"),), "amount-malformed", "/lines/0/amount"),
        ((BudgetLine(amount="7", currency="pesos"),), "currency-malformed", "/lines/0/currency"),
    ],
)
def test_a_budget_that_cannot_be_read_is_refused(
    lines: tuple[BudgetLine, ...], code: str, pointer: str
) -> None:
    given().when(estimate(lines)).refused(code, InvalidInput, pointer)


# --- deadlines -----------------------------------------------------------------------------------------------------

LATER = date(2014, 12, 31)


def revise(deadline: DeadlineKind, day: date, **more: Any) -> Any:
    fields: dict[str, Any] = {"effective_on": TODAY, "reason": "Senate"} | more
    return lambda it: it.revise_deadline(DeadlineRevised(deadline=deadline, on=day, **fields), on(TODAY))


def test_a_revised_deadline_keeps_the_old_day_and_the_decision() -> None:
    given().when(revise(DeadlineKind.PUBLIC, LATER, decision="BIL-2012-7")).then(
        DeadlineRevised(
            deadline=DeadlineKind.PUBLIC,
            on=LATER,
            effective_on=TODAY,
            reason="Senate",
            previous=date(2013, 12, 31),
            decision="BIL-2012-7",
        )
    )


def test_a_deadline_may_be_set_for_the_first_time_by_a_revision() -> None:
    given(registered(public_deadline=None)).when(revise(DeadlineKind.PUBLIC, LATER)).then(
        DeadlineRevised(deadline=DeadlineKind.PUBLIC, on=LATER, effective_on=TODAY, reason="Senate")
    )


def test_a_deadline_may_lie_in_the_past() -> None:
    past = date(2012, 8, 1)
    given(registered(internal_deadline=None)).when(revise(DeadlineKind.PUBLIC, past)).then(
        DeadlineRevised(
            deadline=DeadlineKind.PUBLIC,
            on=past,
            effective_on=TODAY,
            reason="Senate",
            previous=date(2013, 12, 31),
        )
    )


def test_a_revision_changes_the_day() -> None:
    given().when(revise(DeadlineKind.PUBLIC, date(2013, 12, 31))).refused("deadline-unchanged", RuleBroken)


def test_a_revision_is_compared_with_the_deadline_of_its_own_day() -> None:
    """Recorded late, it changes what held then, even to the day that holds now."""
    now = DeadlineRevised(deadline=DeadlineKind.PUBLIC, on=LATER, effective_on=JULY, reason="Senate")
    given(registered(), now).when(revise(DeadlineKind.PUBLIC, LATER, effective_on=JUNE)).then(
        DeadlineRevised(
            deadline=DeadlineKind.PUBLIC,
            on=LATER,
            effective_on=JUNE,
            reason="Senate",
            previous=date(2013, 12, 31),
        )
    )
    given(registered(), now).when(revise(DeadlineKind.PUBLIC, LATER, effective_on=JULY)).refused(
        "deadline-unchanged", RuleBroken
    )


def test_a_revision_needs_a_reason() -> None:
    given().when(revise(DeadlineKind.PUBLIC, LATER, reason=" ")).refused(
        "reason-required", InvalidInput, "/reason"
    )


def test_the_internal_deadline_is_not_moved_beyond_the_public_one() -> None:
    given().when(revise(DeadlineKind.INTERNAL, LATER)).refused("internal-after-public", RuleBroken)
    given().when(revise(DeadlineKind.INTERNAL, date(2013, 12, 31))).then(
        DeadlineRevised(
            deadline=DeadlineKind.INTERNAL,
            on=date(2013, 12, 31),
            effective_on=TODAY,
            reason="Senate",
            previous=date(2013, 10, 31),
        )
    )


NEW_YEAR = date(2013, 1, 1)


def test_the_public_deadline_is_brought_forward_past_the_internal_one_only_together_with_it() -> None:
    given().when(revise(DeadlineKind.PUBLIC, NEW_YEAR)).refused("internal-after-public", RuleBroken)
    moved = DeadlineRevised(deadline=DeadlineKind.PUBLIC, on=NEW_YEAR, effective_on=TODAY, reason="Senate")
    both = given().thing.revise_deadlines(Revision(moved, MAY), on(TODAY))
    assert [(one.deadline, one.previous, one.on) for one in both] == [
        (DeadlineKind.PUBLIC, date(2013, 12, 31), NEW_YEAR),
        (DeadlineKind.INTERNAL, date(2013, 10, 31), MAY),
    ]
    for deadline, internal_on, code in [
        (DeadlineKind.PUBLIC, date(2013, 6, 1), "internal-after-public"),
        (DeadlineKind.INTERNAL, MAY, "internal-on-misplaced"),
    ]:
        with pytest.raises(BitacoraError) as refused:
            given().thing.revise_deadlines(
                Revision(replace(moved, deadline=deadline), internal_on), on(TODAY)
            )
        assert refused.value.code == code


def test_the_deadlines_are_in_order_on_every_day_that_a_revision_tells_of() -> None:
    """A public deadline told of late meets an internal one that had been moved since."""
    later = DeadlineRevised(
        deadline=DeadlineKind.INTERNAL, on=date(2013, 12, 1), effective_on=JULY, reason="Senate"
    )
    early = revise(DeadlineKind.PUBLIC, date(2013, 11, 15), effective_on=JUNE)
    given().when(early).then(
        DeadlineRevised(
            deadline=DeadlineKind.PUBLIC,
            on=date(2013, 11, 15),
            effective_on=JUNE,
            reason="Senate",
            previous=date(2013, 12, 31),
        )
    )
    given(registered(), later).when(early).refused("internal-after-public", RuleBroken)


def test_a_closed_commitment_takes_no_revision() -> None:
    given(registered(), discarded()).when(revise(DeadlineKind.PUBLIC, LATER)).refused(
        "commitment-closed", RuleBroken
    )


# --- lead ----------------------------------------------------------------------------------------------------------


def reassign(lead: str, day: date = TODAY) -> Any:
    proposed = LeadReassigned(lead_organization=lead, effective_on=day, reason="New ministry")
    return lambda it: it.reassign_lead(proposed, on(TODAY), KNOWN)


def test_another_organisation_takes_over() -> None:
    given().when(reassign("HEALTH", JULY)).then(
        LeadReassigned(
            lead_organization="HEALTH", previous="INTERIOR", effective_on=JULY, reason="New ministry"
        )
    )


def test_whoever_takes_over_did_not_lead_already() -> None:
    given().when(reassign("INTERIOR")).refused("lead-unchanged", RuleBroken)


def test_whoever_takes_over_is_on_record() -> None:
    given().when(reassign("NOBODY")).refused("unknown-organization", InvalidInput, "/lead_organization")


def test_the_former_lead_answers_for_the_days_before() -> None:
    handed_over = LeadReassigned(
        lead_organization="HEALTH", previous="INTERIOR", effective_on=JULY, reason="x"
    )
    it = given(registered(), handed_over).thing
    assert (it.lead_on(MAY), it.lead_on(JUNE), it.lead_on(JULY)) == ("INTERIOR", "INTERIOR", "HEALTH")
    assert it.organizations() == ("HEALTH", "POLICE", "JUSTICE")
