"""A record that was loaded late was public on its own days, and a past day shows no more than may be read now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from services.reporting.queries.access import Scope
from services.reporting.queries.action_items import ActionItemFilters, action_items_as_of
from services.reporting.queries.board import board_as_of
from services.reporting.queries.decision_items import Reader
from services.reporting.queries.decisions import DecisionFilters, decisions_as_of
from services.reporting.queries.moments import AsOf
from services.reporting.queries.register import Period, RegisterFilters, register_as_of
from services.reporting.queries.timeline import timeline_as_of
from shared.events.commitments import Registered, VisibilityChanged
from shared.events.meetings import ActionItemPublished, DecisionPublished, MeetingPublished
from shared.events.vocabulary import Visibility
from tests.services.reporting.gatherings import Told, assigned, committee, convened, decided, held, tell
from tests.services.reporting.stage import EVERYTHING, PUBLIC, Stage, ministry, staged

FIRST, SPEECH, LATER = date(2010, 5, 21), date(2012, 5, 21), date(2013, 5, 21)
DAYS = (FIRST, date(2012, 5, 20), SPEECH, LATER)


def seen(visibility: Visibility, day: date | None = None) -> VisibilityChanged:
    return VisibilityChanged(
        visibility=visibility, previous=Visibility.INTERNAL, reason="r", effective_on=day
    )


PROMISE = Registered(code="A", title="A", lead_organization="MOP", effective_on=FIRST)
PUBLISHED = seen(Visibility.PUBLIC, SPEECH)


@pytest.fixture
def stage(sqlite_url: str) -> Iterator[Stage]:
    with staged(sqlite_url) as made:
        yield made


def days_on_board(stage: Stage, scope: Scope, position: int | None = None) -> list[bool]:
    stage.follow()
    with stage.read_model.reading() as reading:
        at = position or stage.store.head()
        return [bool(board_as_of(reading, AsOf(day, at, None), scope, {}).items) for day in DAYS]


def test_what_was_published_as_of_a_day_is_on_the_public_board_from_that_day_on(stage: Stage) -> None:
    stage.append(("A", PROMISE), ("A", PUBLISHED))
    assert days_on_board(stage, PUBLIC) == [False, False, True, True]
    assert days_on_board(stage, ministry("MINSAL")) == [True] * 4
    assert days_on_board(stage, EVERYTHING) == [True] * 4
    assert days_on_board(stage, PUBLIC, position=1) == [False] * 4


def test_what_was_published_without_a_day_is_public_on_all_its_days(stage: Stage) -> None:
    stage.append(("A", PROMISE), ("A", PUBLISHED), ("A", seen(Visibility.PUBLIC)))
    assert days_on_board(stage, PUBLIC) == [True] * 4


@pytest.mark.parametrize("day", [None, LATER])
def test_what_may_not_be_read_now_is_on_no_board(stage: Stage, day: date | None) -> None:
    stage.append(("A", PROMISE), ("A", PUBLISHED), ("A", seen(Visibility.RESERVED, day)))
    assert days_on_board(stage, PUBLIC) == [False] * 4
    assert days_on_board(stage, ministry("MINSAL")) == [False] * 4
    assert days_on_board(stage, ministry("MOP")) == [True] * 4


# --- meetings and what they settle -----------------------------------------------------------------------------------

SETTLED = {"M-1": ("meeting", MeetingPublished), "SEG-2010-001": ("decision", DecisionPublished)} | {
    "T-1": ("action-item", ActionItemPublished)
}


def published(visibility: Visibility, day: date | None) -> list[Told]:
    """A meeting with its decision and its task is opened to others, or closed to them."""
    said: dict[str, Any] = {
        "visibility": visibility,
        "previous": Visibility.INTERNAL,
        "reason": "r",
        "effective_on": day,
    }
    return [Told(kind, code, event(**said)) for code, (kind, event) in SETTLED.items()]


def days_told(stage: Stage, scope: Scope, *more: Told) -> list[list[bool]]:
    """For each of the days, whether the decision, the task and the meeting are told."""
    story = [
        committee("SEG", visibility=Visibility.PUBLIC),
        convened("SEG", "M-1", FIRST),
        held("M-1", FIRST),
        decided("SEG-2010-001", FIRST),
        assigned("T-1", "MOP", FIRST, LATER),
    ]
    tell(stage, *story, *more)
    stage.follow()
    with stage.read_model.reading() as reading:
        head, month = stage.store.head(), [Period("2010-05", date(2010, 5, 1), date(2010, 5, 31))]
        found = []
        for day in DAYS:
            at = AsOf(day, head, None)
            decisions, _ = decisions_as_of(reading, at, Reader(scope, day), DecisionFilters())
            tasks = action_items_as_of(reading, at, scope, ActionItemFilters(), count=True)
            (line,), _ = register_as_of(reading, at, scope, month, RegisterFilters())
            assert sum((tasks.by_state or {}).values()) == len(tasks.items)
            found.append([bool(decisions), bool(tasks.items), line.totals.held > 0])
        return found


def test_a_meeting_and_what_it_settled_were_public_from_the_day_of_their_publication_on(stage: Stage) -> None:
    told = days_told(stage, PUBLIC, *published(Visibility.PUBLIC, SPEECH))
    assert told == [[False] * 3, [False] * 3, [True] * 3, [True] * 3]


@pytest.mark.parametrize(
    ("then", "shown"), [((Visibility.PUBLIC, None), True), ((Visibility.INTERNAL, LATER), False)]
)
def test_they_are_so_on_all_days_without_one_and_on_none_while_they_are_closed(
    stage: Stage, then: tuple[Visibility, date | None], shown: bool
) -> None:
    told = days_told(stage, PUBLIC, *published(Visibility.PUBLIC, SPEECH), *published(*then))
    assert told == [[shown] * 3] * 4


def test_whoever_could_read_them_before_reads_them_on_all_days(stage: Stage) -> None:
    assert days_told(stage, ministry("MOP"), *published(Visibility.PUBLIC, SPEECH)) == [[True] * 3] * 4


def test_the_public_timeline_leaves_out_days_on_which_it_was_not_public(stage: Stage) -> None:
    hidden_on, again_on = date(2013, 5, 21), date(2014, 1, 1)
    appended = stage.append(
        ("A", PROMISE),
        ("A", PUBLISHED),
        ("A", seen(Visibility.INTERNAL, hidden_on)),
        ("A", seen(Visibility.PUBLIC, again_on)),
    )
    stage.follow()
    with stage.read_model.reading() as reading:
        (row,) = board_as_of(reading, AsOf(again_on, appended.last, None), PUBLIC, {}).items
        told = timeline_as_of(
            reading,
            stage.store,
            AsOf(again_on, appended.last, None),
            PUBLIC,
            row.id,
            day_of=lambda moment: moment.date(),
        )
    assert [(span.from_on, span.until_on) for span in told.spans] == [(SPEECH, hidden_on), (again_on, None)]
