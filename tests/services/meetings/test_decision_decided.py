"""What the budget office says of a decision, and the line it ends in."""

from __future__ import annotations

from typing import Any

import pytest

from services.meetings.domain.decision import Decision
from shared.errors import InvalidInput, RuleBroken
from shared.events.facts import Event
from shared.events.meeting_vocabulary import Acknowledgement, BudgetRequest
from shared.events.meetings import (
    BudgetLineTied,
    DecisionAcknowledged,
    DecisionAmended,
    DecisionPublished,
)
from shared.events.vocabulary import Visibility
from tests.services.meetings.gatherings import BUDGET, EDUCATION, HEALTH
from tests.services.meetings.obligations import agreed, decision, given_decision
from tests.support.scenario import ANA, Scenario

AGREED = DecisionAcknowledged(outcome=Acknowledgement.AGREED)
DISPUTED = DecisionAcknowledged(outcome=Acknowledgement.DISPUTED, remarks="Not the figure agreed")
AMENDED = DecisionAmended(erratum=1, reads="Ten", should_read="Twelve", reason="A typo")
LINE = BudgetLineTied(
    fiscal_year=2013, code="05-01", amount="1200", currency="CLP", request=BudgetRequest.FIRST
)


def tie(it: Decision, **more: Any) -> Event:
    fields: dict[str, Any] = {
        "fiscal_year": 2013,
        "code": "05-01",
        "amount": "1200",
        "currency": "CLP",
        "request": BudgetRequest.FIRST,
    }
    return it.tie_budget_line(**fields | more)


def acknowledge(outcome: Acknowledgement, remarks: str | None = None) -> Any:
    return lambda it: it.acknowledge(outcome=outcome, remarks=remarks)


def test_the_budget_office_agrees_or_disputes_with_remarks() -> None:
    given_decision().when(acknowledge(Acknowledgement.AGREED)).then(AGREED)
    given_decision().when(acknowledge(Acknowledgement.DISPUTED, "Not the figure agreed")).then(DISPUTED)
    given_decision().when(acknowledge(Acknowledgement.DISPUTED)).refused(
        "reason-required", InvalidInput, "/remarks"
    )


def test_it_may_change_its_mind_but_not_repeat_itself() -> None:
    given_decision((BUDGET, AGREED)).when(acknowledge(Acknowledgement.AGREED)).refused(
        "already-acknowledged", RuleBroken
    )
    given_decision((BUDGET, DISPUTED)).when(acknowledge(Acknowledgement.AGREED)).then(AGREED)
    it = decision((BUDGET, DISPUTED), (BUDGET, AGREED))
    assert it.acknowledgement is not None
    assert it.acknowledgement.said is not DISPUTED
    assert len(it.acknowledgements) == 2


def test_after_an_erratum_it_may_say_the_same_again() -> None:
    amended = decision((BUDGET, AGREED), AMENDED)
    assert amended.amended_since_acknowledged
    assert amended.agreed.said == agreed()
    given_decision((BUDGET, AGREED), AMENDED).when(acknowledge(Acknowledgement.AGREED)).then(AGREED)
    assert not decision(AMENDED, (BUDGET, AGREED)).amended_since_acknowledged


def test_a_decision_ends_in_budget_lines() -> None:
    given_decision().when(tie).then(LINE)
    given_decision(LINE).when(lambda it: tie(it, code="05-02")).then(
        BudgetLineTied(
            fiscal_year=2013, code="05-02", amount="1200", currency="CLP", request=BudgetRequest.FIRST
        )
    )


def test_what_was_said_of_a_line_is_changed_for_a_reason() -> None:
    given_decision(LINE).when(tie).refused("budget-line-already-tied", RuleBroken)
    given_decision(LINE).when(lambda it: tie(it, amount="900")).refused(
        "reason-required", InvalidInput, "/reason"
    )
    changed = tie(decision(LINE), amount="900", reason="Cut in Congress")
    it = decision(LINE, changed)
    assert [entry.said for entry in it.budget_lines.values()] == [changed]


@pytest.mark.parametrize(
    ("more", "code", "pointer"),
    [
        ({"fiscal_year": 12}, "fiscal-year-impossible", "/fiscal_year"),
        ({"code": " "}, "text-required", "/code"),
        ({"amount": "1,5"}, "amount-malformed", "/amount"),
        ({"amount": "-5"}, "amount-negative", "/amount"),
        ({"currency": "$"}, "currency-malformed", "/currency"),
    ],
)
def test_a_budget_line_that_makes_no_sense_is_refused(more: dict[str, Any], code: str, pointer: str) -> None:
    given_decision().when(lambda it: tie(it, **more)).refused(code, InvalidInput, pointer)


def test_a_reserved_decision_is_known_to_its_circle_and_the_centre_until_it_is_published() -> None:
    it = decision()
    assert [it.may_be_known_to(actor) for actor in (ANA, BUDGET, HEALTH, EDUCATION)] == [
        True,
        True,
        True,
        False,
    ]
    published = DecisionPublished(
        visibility=Visibility.INTERNAL, previous=Visibility.RESERVED, reason="Announced"
    )
    given_decision().when(
        lambda one: one.publish(
            visibility=Visibility.INTERNAL, reason="Announced", meeting=Visibility.RESERVED
        )
    ).then(published)
    assert decision(published).may_be_known_to(EDUCATION)


def test_a_decision_is_never_known_to_fewer_than_its_minutes() -> None:
    open_from_the_start = Scenario(Decision.begin, (agreed(visibility=Visibility.PUBLIC),))
    open_from_the_start.when(
        lambda it: it.publish(visibility=Visibility.RESERVED, reason="x", meeting=Visibility.INTERNAL)
    ).refused("narrower-than-meeting", RuleBroken)
    given_decision().when(
        lambda it: it.publish(visibility=Visibility.RESERVED, reason="x", meeting=Visibility.RESERVED)
    ).refused("visibility-unchanged", RuleBroken)
