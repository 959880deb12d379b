"""What an action item is on any day, and how its days divide into spans."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events.facts import Event
from shared.rules.action_item_state import (
    CURRENT_ACTION_ITEM_RULE,
    ActionItemFacts,
    ActionItemState,
    action_item_verdict,
)
from shared.rules.registry import rule_named
from tests.services.meetings.obligations import (
    ASSIGNED_ON,
    DUE_ON,
    assigned,
    cancelled,
    completed,
    extended,
    handed_over,
)

DAY = timedelta(days=1)
OCTOBER_15 = date(2012, 10, 15)
OCTOBER_31 = date(2012, 10, 31)


def facts(*events: Event) -> ActionItemFacts:
    found = ActionItemFacts(assigned(), 1)
    for position, event in enumerate(events, 2):
        found.apply(event, position)
    return found


def state(day: date, *events: Event) -> tuple[ActionItemState, int]:
    standing = facts(*events).on_day(day)
    assert standing is not None
    return tuple(action_item_verdict(standing, day))  # type: ignore[return-value]


def test_it_is_not_there_before_it_was_assigned() -> None:
    assert facts().on_day(ASSIGNED_ON - DAY) is None
    assert facts().on_day(ASSIGNED_ON) is not None


def test_the_due_day_itself_is_not_late() -> None:
    assert state(DUE_ON) == (ActionItemState.OPEN, 1)
    assert state(DUE_ON + DAY) == (ActionItemState.OVERDUE, 1)


def test_what_is_done_by_the_due_day_is_done_and_later_done_late() -> None:
    assert state(OCTOBER_31, completed(DUE_ON)) == (ActionItemState.DONE, 2)
    assert state(OCTOBER_31, completed(DUE_ON + DAY)) == (ActionItemState.DONE_LATE, 2)
    assert state(DUE_ON, completed(DUE_ON + DAY)) == (ActionItemState.OPEN, 1)


def test_it_was_overdue_until_more_time_was_given() -> None:
    """The extension says nothing of the days before it."""
    more = extended(OCTOBER_31, OCTOBER_15)
    assert state(OCTOBER_15 - DAY, more) == (ActionItemState.OVERDUE, 1)
    assert state(OCTOBER_15, more) == (ActionItemState.OPEN, 2)
    assert state(OCTOBER_31 + DAY, more) == (ActionItemState.OVERDUE, 2)
    assert state(OCTOBER_31 + DAY, more, completed(OCTOBER_31)) == (ActionItemState.DONE, 3)


def test_what_was_done_late_stays_so_whatever_was_granted_later() -> None:
    """Due on 06-30, extended on 07-10, done on 07-05: judged by the day that was due on the day it was done."""
    done, more = completed(DUE_ON + DAY), extended(OCTOBER_31, OCTOBER_15)
    for told in ((done, more), (more, done)):
        late = 2 + told.index(done)
        assert state(OCTOBER_15, *told) == (ActionItemState.DONE_LATE, late)
        assert state(OCTOBER_31 + DAY, *told) == (ActionItemState.DONE_LATE, late)
    granted = extended(OCTOBER_31, DUE_ON)
    assert state(OCTOBER_31, granted, done) == (ActionItemState.DONE, 3)


def test_what_is_called_off_is_owed_until_then() -> None:
    off = cancelled(OCTOBER_15)
    assert state(OCTOBER_15 - DAY, off) == (ActionItemState.OVERDUE, 1)
    assert state(OCTOBER_15, off) == (ActionItemState.CANCELLED, 2)


def test_the_owner_is_whoever_held_it_on_the_day() -> None:
    moved = facts(handed_over("MINEDUC", OCTOBER_15))
    before, after = moved.on_day(OCTOBER_15 - DAY), moved.on_day(OCTOBER_15)
    assert before is not None
    assert after is not None
    assert (before.owner_organization, after.owner_organization) == ("MINSAL", "MINEDUC")


def test_the_rule_has_a_name_and_no_other_answers() -> None:
    assert rule_named(CURRENT_ACTION_ITEM_RULE).version == 1
    standing = facts().on_day(DUE_ON)
    assert standing is not None
    with pytest.raises(KeyError):
        action_item_verdict(standing, DUE_ON, "no_such_rule")


days = st.dates(ASSIGNED_ON, date(2013, 3, 31))
events = st.lists(
    st.one_of(
        st.builds(completed, days),
        st.builds(cancelled, days),
        st.builds(extended, days, days),
        st.builds(handed_over, st.sampled_from(["MINEDUC", "INTERIOR"]), days),
    ),
    max_size=6,
)


@given(events, days)
def test_the_spans_say_of_each_day_what_the_day_itself_says(told: list[Event], day: date) -> None:
    found = facts(*told)
    spans = found.spans()
    assert spans[0].valid_from == ASSIGNED_ON
    assert [one.valid_from for one in spans] == sorted({one.valid_from for one in spans})
    begun = [one for one in spans if one.valid_from <= day]
    assert (begun[-1].facts if begun else None) == found.on_day(day)


@given(events, days)
def test_the_day_an_event_names_is_the_first_whose_standing_it_may_change(
    told: list[Event], day: date
) -> None:
    before = facts(*told[:-1])
    after = facts(*told)
    changed_from = before.apply(told[-1], 99) if told else None
    if changed_from is not None and day < changed_from:
        assert facts(*told[:-1]).on_day(day) == after.on_day(day)
