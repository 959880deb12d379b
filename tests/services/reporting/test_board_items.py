"""What an item of the board tells beside its state: how late, how often moved and why, the goal and the result."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.reporting.queries.access import Scope
from services.reporting.queries.board import Board, Item, board_as_of
from services.reporting.queries.moments import AsOf
from shared.events.commitments import (
    Completed,
    DeadlineRevised,
    Discarded,
    Evidence,
    ProgressReported,
    ProgressReviewed,
    PublicDeadline,
    Registered,
)
from shared.events.vocabulary import DeadlineKind, DiscardReason, ReviewOutcome, Visibility
from tests.services.reporting.stage import EVERYTHING, PUBLIC, Stage, ministry, staged

SPEECH = date(2011, 5, 21)
END = date(2012, 12, 31)


def promised(code: str, deadline: date | None = None, **more: Any) -> tuple[str, Registered]:
    """A commitment of the speech."""
    due = None if deadline is None else PublicDeadline(on=deadline)
    named: dict[str, Any] = {"title": f"Title of {code}", "lead_organization": "MOP", "effective_on": SPEECH}
    return code, Registered(code=code, public_deadline=due, visibility=Visibility.PUBLIC, **named, **more)


def moved(on: date, day: date, reason: str, kind: DeadlineKind = DeadlineKind.PUBLIC) -> DeadlineRevised:
    """A deadline is another day from a day on."""
    return DeadlineRevised(deadline=kind, on=on, effective_on=day, reason=reason)


def reported(number: int, period: str, day: date, percent: str, text: str) -> ProgressReported:
    """A report with a percentage."""
    return ProgressReported(
        number=number, period=period, effective_on=day, percent=Decimal(percent), observed_progress=text
    )


OPENED = Evidence(description="The act of opening", dated_on=date(2012, 8, 14))
GIVEN_UP = Discarded(reason_type=DiscardReason.BUDGETARY, reason="No money", effective_on=date(2012, 2, 1))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One record for all questions of this module, which only read it."""
    with staged(f"sqlite:///{tmp_path_factory.mktemp('items') / 'bitacora.db'}") as made:
        made.append(
            promised("LATE", date(2012, 6, 30), goal="Ten hospitals"),
            promised("MOVED", date(2012, 3, 31), goal="A law"),
            promised("GONE", date(2012, 3, 31)),
            promised("NEVER"),
            ("MOVED", moved(date(2012, 6, 30), date(2012, 3, 1), "Congress sat late")),
            ("MOVED", moved(date(2012, 9, 30), date(2012, 6, 1), "An election")),
            ("MOVED", moved(date(2012, 5, 1), date(2012, 2, 1), "The first one", DeadlineKind.INTERNAL)),
            ("MOVED", moved(date(2012, 7, 1), date(2012, 5, 1), "Within the unit", DeadlineKind.INTERNAL)),
            ("MOVED", reported(1, "2012-Q1", date(2012, 3, 31), "40", "A bill was sent")),
            ("MOVED", ProgressReviewed(report=1, outcome=ReviewOutcome.ACCEPTED)),
            ("MOVED", reported(2, "2012-Q2", date(2012, 6, 30), "75", "Nearly through")),
            ("GONE", GIVEN_UP),
            ("LATE", Completed(completed_on=date(2012, 8, 15), evidence=(OPENED,), remarks="Nine of ten")),
        )
        made.follow()
        yield made


def board(stage: Stage, on: date = END, scope: Scope = PUBLIC, **filters: list[str]) -> Board:
    """The board, by default as the public sees it."""
    with stage.read_model.reading() as reading:
        return board_as_of(reading, AsOf(on, reading.position, None), scope, filters)


def item(stage: Stage, code: str, on: date = END, scope: Scope = PUBLIC) -> Item:
    """One commitment on it."""
    found: Item = next(one for one in board(stage, on, scope).items if one.code == code)
    return found


def test_what_was_achieved_46_days_late_shows_the_46_days(stage: Stage) -> None:
    assert item(stage, "LATE").late_days == 46
    assert item(stage, "LATE", date(2012, 7, 10)).late_days == 10
    assert item(stage, "LATE", date(2012, 6, 30)).late_days is None


def test_the_goal_stands_beside_the_result(stage: Stage) -> None:
    late, moved_ = item(stage, "LATE"), item(stage, "MOVED")
    assert late.result is not None
    assert moved_.result is not None
    assert (late.goal, late.result.source, late.result.text) == ("Ten hospitals", "completion", "Nine of ten")
    assert late.result.evidence == [OPENED]
    assert (moved_.goal, moved_.result.source, moved_.result.text) == ("A law", "report", "A bill was sent")
    assert item(stage, "LATE", date(2012, 8, 14)).result is None


def test_the_percentage_is_that_of_accepted_reports_and_the_rest_stands_beside_it(stage: Stage) -> None:
    told = item(stage, "MOVED")
    assert (told.percent, told.percent_unreviewed) == (Decimal(40), Decimal(75))
    before = item(stage, "MOVED", date(2012, 3, 30))
    assert (before.percent, before.percent_unreviewed) == (None, None)


def test_a_deadline_tells_the_first_day_promised_how_often_it_moved_and_why(stage: Stage) -> None:
    told = [
        (one.first_public_deadline_on, one.public_deadline_revisions, one.public_deadline_reason)
        for one in (
            item(stage, "MOVED", date(2012, 2, 29)),
            item(stage, "MOVED", date(2012, 3, 1)),
            item(stage, "MOVED"),
        )
    ]
    assert told == [
        (date(2012, 3, 31), 0, None),
        (date(2012, 3, 31), 1, "Congress sat late"),
        (date(2012, 3, 31), 2, "An election"),
    ]


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        (EVERYTHING, (1, "Within the unit")),
        (ministry("MOP"), (1, "Within the unit")),
        (ministry("MINSAL"), (0, None)),
        (PUBLIC, (0, None)),
    ],
)
def test_what_became_of_the_internal_deadline_is_for_the_unit_and_those_concerned(
    stage: Stage, scope: Scope, told: tuple[int, str | None]
) -> None:
    moved_ = item(stage, "MOVED", scope=scope)
    assert (moved_.internal_deadline_revisions, moved_.internal_deadline_reason) == told


def test_what_was_discarded_tells_the_kind_of_reason_and_the_reason(stage: Stage) -> None:
    gone = item(stage, "GONE")
    assert (gone.discard_reason_type, gone.discard_reason) == ("budgetary", "No money")
    assert item(stage, "GONE", date(2012, 1, 31)).discard_reason_type is None
    assert [one.code for one in board(stage, discard_reason_type=["budgetary"]).items] == ["GONE"]


def test_what_has_no_deadline_is_counted_and_found_because_it_is_on_time_for_ever(stage: Stage) -> None:
    never = item(stage, "NEVER")
    assert (never.status, never.without_deadline, never.late_days) == ("on_time", True, None)
    assert board(stage).totals.without_deadline == 1
    assert [one.code for one in board(stage, without_deadline=["true"]).items] == ["NEVER"]
    assert [one.code for one in board(stage, without_deadline=["false"]).items] == ["GONE", "LATE", "MOVED"]


def test_late_and_rescheduled_are_counted_apart(stage: Stage) -> None:
    totals = board(stage, date(2012, 9, 30)).totals
    assert (totals.late, totals.rescheduled) == (1, 1)
    totals = board(stage, date(2012, 10, 1)).totals
    assert (totals.late, totals.rescheduled) == (2, 1)
