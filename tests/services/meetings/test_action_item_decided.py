"""What may happen to an action item, and who may tell of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from services.meetings.action_item.model import ActionItem
from shared.errors import Forbidden, InvalidInput, RuleBroken
from shared.events.commitments import Evidence
from shared.events.facts import Event
from shared.events.meetings import (
    ActionItemCancelled,
    ActionItemCompleted,
    ActionItemExtended,
    ActionItemProgressed,
    ActionItemReassigned,
)
from shared.identity.actor import Actor, Heir, Role
from tests.services.meetings.gatherings import ADVISER, BUDGET, EDUCATION, HEALTH, ORGANIZATIONS, TODAY, by
from tests.services.meetings.obligations import (
    ASSIGNED_ON,
    DUE_ON,
    LIST,
    action_item,
    cancelled,
    completed,
    extended,
    given_item,
    handed_over,
)
from tests.support.scenario import ANA

SEPTEMBER = date(2012, 9, 1)
OCTOBER = date(2012, 10, 31)
TOMORROW = TODAY + timedelta(days=1)


def progress(it: ActionItem, actor: Actor = HEALTH, **more: Any) -> Event:
    fields: dict[str, Any] = {"text": "Half of it", "effective_on": TODAY}
    return it.report_progress(ActionItemProgressed(**fields | more), by(actor))


def complete(it: ActionItem, actor: Actor = HEALTH, **more: Any) -> Event:
    fields: dict[str, Any] = {"evidence": (LIST,), "completed_on": TODAY}
    return it.complete(ActionItemCompleted(**fields | more), by(actor))


def extend(it: ActionItem, **more: Any) -> Event:
    fields: dict[str, Any] = {"due_on": OCTOBER, "reason": "The strike", "effective_on": TODAY}
    return it.extend(ActionItemExtended(**fields | more), by())


def reassign(it: ActionItem, **more: Any) -> Event:
    fields: dict[str, Any] = {
        "owner_organization": "MINEDUC",
        "reason": "Theirs",
        "effective_on": TODAY,
    }
    return it.reassign(ActionItemReassigned(**fields | more), by(), ORGANIZATIONS)


def cancel(it: ActionItem, **more: Any) -> Event:
    fields: dict[str, Any] = {"reason": "Overtaken", "effective_on": TODAY}
    return it.cancel(ActionItemCancelled(**fields | more), by())


def test_its_owner_tells_how_far_it_is_and_when_it_is_done() -> None:
    given_item().when(lambda it: progress(it, effective_on=SEPTEMBER)).then(
        ActionItemProgressed(text="Half of it", effective_on=SEPTEMBER)
    )
    given_item().when(complete).then(ActionItemCompleted(completed_on=TODAY, evidence=(LIST,)))


@pytest.mark.parametrize("actor", [EDUCATION, BUDGET, ADVISER])
@pytest.mark.parametrize("tell", [progress, complete])
def test_nobody_else_tells_of_it_but_the_unit(actor: Actor, tell: Any) -> None:
    given_item().when(lambda it: tell(it, actor)).refused("not-your-action-item", Forbidden)
    tell(action_item(), ANA)


def test_a_new_owner_tells_of_it_from_then_on() -> None:
    history = handed_over("MINEDUC", SEPTEMBER)
    progress(action_item(history), EDUCATION)
    given_item(history).when(progress).refused("not-your-action-item", Forbidden)


@pytest.mark.parametrize("evidence", [(), (LIST, Evidence(description=" "))])
def test_it_is_done_only_on_evidence(evidence: tuple[Evidence, ...]) -> None:
    given_item().when(lambda it: complete(it, evidence=evidence)).refused(
        "evidence-required", InvalidInput, "/evidence"
    )


def test_more_time_is_later_than_the_day_before() -> None:
    given_item().when(extend).then(
        ActionItemExtended(due_on=OCTOBER, previous=DUE_ON, effective_on=TODAY, reason="The strike")
    )
    given_item().when(lambda it: extend(it, due_on=DUE_ON)).refused("extension-not-later", RuleBroken)
    given_item(extended(OCTOBER, SEPTEMBER)).when(extend).refused("extension-not-later", RuleBroken)


def test_no_change_is_dated_before_the_last_one_of_its_kind() -> None:
    """It would leave the last word with what was said before it."""
    later = date(2012, 12, 15)
    given_item(extended(OCTOBER, SEPTEMBER)).when(
        lambda it: extend(it, due_on=later, effective_on=SEPTEMBER - timedelta(days=1))
    ).refused("date-before-last-change", InvalidInput, "/effective_on")
    given_item(extended(OCTOBER, SEPTEMBER)).when(
        lambda it: extend(it, due_on=later, effective_on=SEPTEMBER)
    ).then(ActionItemExtended(due_on=later, previous=OCTOBER, effective_on=SEPTEMBER, reason="The strike"))
    given_item(handed_over("MINEDUC", SEPTEMBER)).when(
        lambda it: reassign(it, owner_organization="MINSAL", effective_on=SEPTEMBER - timedelta(days=1))
    ).refused("date-before-last-change", InvalidInput, "/effective_on")


def test_another_organisation_or_another_person_in_it_takes_it_over() -> None:
    given_item().when(reassign).then(
        ActionItemReassigned(
            owner_organization="MINEDUC", previous="MINSAL", effective_on=TODAY, reason="Theirs"
        )
    )
    given_item().when(lambda it: reassign(it, owner_organization="MINSAL", owner_subject="nurse")).then(
        ActionItemReassigned(
            owner_organization="MINSAL",
            previous="MINSAL",
            effective_on=TODAY,
            reason="Theirs",
            owner_subject="nurse",
        )
    )
    given_item().when(lambda it: reassign(it, owner_organization="MINSAL")).refused(
        "owner-unchanged", RuleBroken
    )
    given_item().when(lambda it: reassign(it, owner_organization="NOBODY")).refused(
        "unknown-organization", InvalidInput, "/owner_organization"
    )


def test_it_is_called_off_for_a_reason() -> None:
    given_item().when(cancel).then(ActionItemCancelled(effective_on=TODAY, reason="Overtaken"))


@pytest.mark.parametrize("ask", [extend, reassign, cancel])
def test_those_who_asked_for_it_say_why(ask: Any) -> None:
    given_item().when(lambda it: ask(it, reason=" ")).refused("reason-required", InvalidInput, "/reason")


@pytest.mark.parametrize("ending", [completed(), cancelled()])
@pytest.mark.parametrize("ask", [progress, complete, extend, reassign, cancel])
def test_nothing_more_happens_to_what_is_no_longer_owed(ending: Event, ask: Any) -> None:
    given_item(ending).when(ask).refused("action-item-closed", RuleBroken)


def test_what_happened_before_the_end_may_be_told_after_it() -> None:
    given_item(completed()).when(lambda it: progress(it, effective_on=SEPTEMBER)).then(
        ActionItemProgressed(text="Half of it", effective_on=SEPTEMBER)
    )
    given_item(completed()).when(lambda it: complete(it, completed_on=SEPTEMBER)).refused(
        "action-item-closed", RuleBroken
    )


@pytest.mark.parametrize("ask", [progress, extend, reassign, cancel])
def test_nothing_happens_to_it_tomorrow_or_before_it_was_assigned(ask: Any) -> None:
    given_item().when(lambda it: ask(it, effective_on=TOMORROW)).refused(
        "date-in-future", InvalidInput, "/effective_on"
    )
    eve = ASSIGNED_ON - timedelta(days=1)
    given_item().when(lambda it: ask(it, effective_on=eve)).refused(
        "date-before-assignment", InvalidInput, "/effective_on"
    )


def test_the_day_it_was_done_says_where_it_is_wrong() -> None:
    given_item().when(lambda it: complete(it, completed_on=TOMORROW)).refused(
        "date-in-future", InvalidInput, "/completed_on"
    )


def test_its_owner_knows_of_it_though_not_of_its_meeting() -> None:
    assert action_item(handed_over("MINEDUC", SEPTEMBER)).readers().include(EDUCATION)
    assert not action_item().readers().include(EDUCATION)
    assert not action_item(handed_over("MINEDUC", SEPTEMBER)).readers().include(HEALTH)


# --- by the day it speaks of ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("actor", "may"),
    [
        (HEALTH, True),
        (EDUCATION, True),
        (Actor("heir", "NEW", Role.MINISTRY), False),
        (Heir("heir", "NEW", Role.MINISTRY, inherited=("MINSAL",)), True),
    ],
)
def test_whoever_owed_it_on_a_day_tells_of_that_day_and_so_do_successors(actor: Actor, may: bool) -> None:
    history = handed_over("MINEDUC", SEPTEMBER)
    told = ActionItemProgressed(text="Half of it", effective_on=SEPTEMBER - timedelta(days=1))
    asked = given_item(history).when(lambda it: it.report_progress(told, by(actor)))
    if may:
        asked.then(told)
    else:
        asked.refused("not-your-action-item", Forbidden)


def test_it_is_not_handed_to_an_organisation_that_is_no_more_nor_done_on_evidence_to_come() -> None:
    proposed = ActionItemReassigned(owner_organization="MINEDUC", effective_on=SEPTEMBER, reason="Theirs")
    given_item().when(lambda it: it.reassign(proposed, by(), {"MINEDUC"}, lambda _, __: ("NEW",))).refused(
        "organization-dissolved", RuleBroken
    )
    to_come = Evidence(description="A list to come", dated_on=TOMORROW)
    given_item().when(lambda it: complete(it, evidence=(to_come,))).refused(
        "date-in-future", InvalidInput, "/evidence/0/dated_on"
    )
