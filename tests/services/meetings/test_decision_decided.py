"""What the budget office says of a decision, and the line it ends in."""

from __future__ import annotations

from datetime import date
from typing import Any, TypeVar

import pytest
from msgspec import structs

from services.meetings.decision.model import Decision
from shared.errors import InvalidInput, RuleBroken
from shared.events.facts import Event
from shared.events.meeting_vocabulary import Acknowledgement, BudgetRequest, Financing
from shared.events.meetings import (
    BudgetImpact,
    BudgetLineTied,
    DecisionAcknowledged,
    DecisionAmended,
    DecisionPublished,
)
from shared.events.vocabulary import Visibility
from tests.services.meetings.gatherings import BUDGET, EDUCATION, HEALTH, TODAY, by, day_of
from tests.services.meetings.obligations import agreed, decision, given_decision
from tests.support.scenario import ANA, Scenario

E = TypeVar("E", bound=Event)
AGREED = DecisionAcknowledged(outcome=Acknowledgement.AGREED, effective_on=TODAY)
DISPUTED = DecisionAcknowledged(
    outcome=Acknowledgement.DISPUTED, remarks="Not the figure agreed", effective_on=TODAY
)
AUGUST_14, SEPTEMBER_3, OCTOBER_1 = date(2012, 8, 14), date(2012, 9, 3), date(2012, 10, 1)
AMENDED = DecisionAmended(erratum=1, reads="Ten", should_read="Twelve", reason="A typo")
LINE = BudgetLineTied(
    fiscal_year=2013,
    code="05-01",
    amount="1200",
    currency="CLP",
    request=BudgetRequest.FIRST,
    effective_on=TODAY,
)


def tie(it: Decision, **more: Any) -> Event:
    fields: dict[str, Any] = {
        "fiscal_year": 2013,
        "code": "05-01",
        "amount": "1200",
        "currency": "CLP",
        "request": BudgetRequest.FIRST,
    }
    return it.tie_budget_line(BudgetLineTied(**fields | more), by(BUDGET))


def acknowledge(outcome: Acknowledgement, remarks: str | None = None, on: date | None = None) -> Any:
    proposed = DecisionAcknowledged(outcome=outcome, remarks=remarks, effective_on=on)
    return lambda it: it.acknowledge(proposed, by(BUDGET))


def publish(
    it: Decision, visibility: Visibility, reason: str, meeting: Visibility = Visibility.RESERVED
) -> Event:
    return it.publish(DecisionPublished(visibility=visibility, reason=reason), meeting, by())


def told_on(event: E, day: date | None) -> E:
    return structs.replace(event, effective_on=day)


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
    last = it.acknowledgement(day_of)
    assert last is not None
    assert last.event == AGREED
    assert len(it.acknowledgements) == 2


def test_after_an_erratum_it_may_say_the_same_again() -> None:
    earlier = told_on(AGREED, None)  # on the day it is recorded, which is that of the erratum
    amended = decision((BUDGET, earlier), AMENDED)
    assert amended.amended_since_acknowledged(day_of)
    assert amended.agreed.event == agreed()
    given_decision((BUDGET, earlier), AMENDED).when(acknowledge(Acknowledgement.AGREED)).then(AGREED)
    assert not decision(AMENDED, (BUDGET, earlier)).amended_since_acknowledged(day_of)


@pytest.mark.parametrize(
    ("day", "code"), [(date(2012, 8, 13), "date-before-decision"), (date(2012, 11, 22), "date-in-future")]
)
def test_nothing_is_said_of_a_decision_before_it_was_agreed_or_on_a_day_to_come(day: date, code: str) -> None:
    for ask in (acknowledge(Acknowledgement.AGREED, on=day), lambda it: tie(it, effective_on=day)):
        given_decision().when(ask).refused(code, InvalidInput, "/effective_on")


@pytest.mark.parametrize("day", [AUGUST_14, TODAY])
def test_what_is_said_of_a_decision_holds_from_its_day(day: date) -> None:
    given_decision().when(acknowledge(Acknowledgement.AGREED, on=day)).then(told_on(AGREED, day))
    given_decision().when(lambda it: tie(it, effective_on=day)).then(told_on(LINE, day))


def test_the_later_day_speaks_whatever_is_entered_last() -> None:
    late = (
        (BUDGET, told_on(AGREED, OCTOBER_1)),
        (BUDGET, told_on(DISPUTED, SEPTEMBER_3)),
    )
    it = decision(*late)
    by_then = [it.acknowledgement(day_of, day) for day in (AUGUST_14, SEPTEMBER_3, OCTOBER_1)]
    assert [one and one.event.outcome for one in by_then] == [
        None,
        Acknowledgement.DISPUTED,
        Acknowledgement.AGREED,
    ]
    # It is repeating itself only where it had said so by that day.
    given_decision(*late).when(acknowledge(Acknowledgement.AGREED, on=SEPTEMBER_3)).then(
        told_on(AGREED, SEPTEMBER_3)
    )
    given_decision(*late).when(acknowledge(Acknowledgement.AGREED)).refused(
        "already-acknowledged", RuleBroken
    )


def test_an_erratum_of_a_later_day_comes_after_what_was_said_even_if_that_is_entered_last() -> None:
    before = told_on(AGREED, date(2011, 10, 1))
    assert decision(AMENDED, (BUDGET, before)).amended_since_acknowledged(day_of)


def test_what_is_entered_late_of_a_line_does_not_replace_what_holds_from_a_later_day() -> None:
    cut = told_on(structs.replace(LINE, amount="900"), OCTOBER_1)
    it = decision(cut, told_on(LINE, SEPTEMBER_3))
    (line,) = it.lines(day_of).values()
    assert line.event == cut
    (line,) = it.lines(day_of, SEPTEMBER_3).values()
    assert line.event == told_on(LINE, SEPTEMBER_3)
    # Before a line was tied there is nothing to give a reason for.
    given_decision(cut).when(lambda it: tie(it, effective_on=SEPTEMBER_3)).then(told_on(LINE, SEPTEMBER_3))
    given_decision(cut).when(lambda it: tie(it, amount="900", effective_on=OCTOBER_1)).refused(
        "budget-line-already-tied", RuleBroken
    )


def test_a_decision_ends_in_budget_lines() -> None:
    given_decision().when(tie).then(LINE)
    given_decision(LINE).when(lambda it: tie(it, code="05-02")).then(structs.replace(LINE, code="05-02"))


def test_a_line_is_one_however_its_code_is_written_and_twins_on_record_stay_two() -> None:
    line = structs.replace(LINE, code="Prog-A")
    given_decision(line).when(lambda it: tie(it, code="prog-a")).refused(
        "budget-line-already-tied", RuleBroken
    )
    again = tie(decision(line), code="PROG-A", amount="900", reason="Cut in Congress")
    assert isinstance(again, BudgetLineTied)
    assert again.code == "Prog-A"
    given_decision(line).when(lambda it: tie(it, code="prog-a", fiscal_year=2014)).then(
        structs.replace(line, code="prog-a", fiscal_year=2014)
    )
    twins = decision(line, structs.replace(line, code="prog-a"))
    changed = tie(twins, code="prog-a", amount="900", reason="Cut in Congress")
    assert isinstance(changed, BudgetLineTied)
    assert changed.code == "prog-a"


def test_what_was_said_of_a_line_is_changed_for_a_reason() -> None:
    given_decision(LINE).when(tie).refused("budget-line-already-tied", RuleBroken)
    given_decision(LINE).when(lambda it: tie(it, amount="900")).refused(
        "reason-required", InvalidInput, "/reason"
    )
    changed = tie(decision(LINE), amount="900", reason="Cut in Congress")
    it = decision(LINE, changed)
    assert [entry.event for entry in it.lines(day_of).values()] == [changed]


@pytest.mark.parametrize(
    ("more", "code", "pointer"),
    [
        ({"fiscal_year": 12}, "fiscal-year-impossible", "/fiscal_year"),
        ({"code": " "}, "text-required", "/code"),
        ({"amount": "1,5"}, "amount-malformed", "/amount"),
        ({"amount": "-5"}, "amount-not-positive", "/amount"),
        ({"amount": "0"}, "amount-not-positive", "/amount"),
        ({"currency": "$"}, "currency-malformed", "/currency"),
    ],
)
def test_a_budget_line_that_makes_no_sense_is_refused(more: dict[str, Any], code: str, pointer: str) -> None:
    given_decision().when(lambda it: tie(it, **more)).refused(code, InvalidInput, pointer)


def test_a_reserved_decision_is_known_to_its_circle_and_the_centre_until_it_is_published() -> None:
    it = decision()
    assert [it.readers().include(actor) for actor in (ANA, BUDGET, HEALTH, EDUCATION)] == [
        True,
        True,
        True,
        False,
    ]
    published = DecisionPublished(
        visibility=Visibility.INTERNAL, previous=Visibility.RESERVED, reason="Announced"
    )
    given_decision().when(lambda it: publish(it, Visibility.INTERNAL, "Announced")).then(published)
    assert decision(published).readers().include(EDUCATION)


def test_a_decision_is_never_known_to_fewer_than_its_minutes() -> None:
    open_from_the_start = Scenario(Decision.begin, (agreed(visibility=Visibility.PUBLIC),))
    open_from_the_start.when(
        lambda it: publish(it, Visibility.RESERVED, "x", meeting=Visibility.INTERNAL)
    ).refused("narrower-than-meeting", RuleBroken)
    given_decision().when(lambda it: publish(it, Visibility.RESERVED, "x")).refused(
        "visibility-unchanged", RuleBroken
    )


def test_only_what_is_moved_within_the_budget_is_taken_from_other_lines() -> None:
    moved = BudgetImpact(amount="1200", currency="CLP", fiscal_year=2013, financing=Financing.REALLOCATION)
    named = structs.replace(LINE, reallocated_from=("11-07",))
    scenario = Scenario(Decision.begin, (agreed(budget_impact=moved),))
    scenario.when(lambda it: tie(it, reallocated_from=("11-07",))).then(named)
    for impact in (None, structs.replace(moved, financing=Financing.INCREASE)):
        scenario = Scenario(Decision.begin, (agreed(budget_impact=impact),))
        scenario.when(lambda it: tie(it, reallocated_from=("11-07",))).refused(
            "not-a-reallocation", InvalidInput, "/reallocated_from"
        )
