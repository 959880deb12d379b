"""A commitment ends, by being kept, given up or merged; and it may be taken up again."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from services.commitments.commitment.model import Successor
from shared.errors import InvalidInput, RuleBroken
from shared.events.commitments import Completed, Discarded, Evidence, Merged, Reopened
from shared.events.facts import Event
from shared.events.vocabulary import DiscardReason
from shared.rules.traffic_light import Status
from tests.services.commitments.promises import (
    JULY,
    JUNE,
    LAW,
    MAY,
    TODAY,
    TOMORROW,
    completed,
    discarded,
    given,
    merged,
    registered,
    reopened,
)
from tests.support.scenario import on

CLOSINGS = [completed(), discarded(), merged()]
OPEN = Successor("SEG-1", open=True)


def complete(day: date = TODAY, **more: Any) -> Any:
    fields: dict[str, Any] = {"completed_on": day, "evidence": (LAW,)} | more
    proposed = Completed(**fields)
    return lambda it: it.complete(proposed, on(TODAY))


def discard(reason: str = "Cannot be measured", **more: Any) -> Any:
    proposed = Discarded(reason_type=DiscardReason.TECHNICAL, reason=reason, effective_on=TODAY, **more)
    return lambda it: it.discard(proposed, on(TODAY))


def merge(into: Successor | None = OPEN, day: date = TODAY, named: str = "SEG-1") -> Any:
    proposed = Merged(into=named, reason="The same promise", effective_on=day)
    return lambda it: it.merge(proposed, on(TODAY), into)


def reopen(day: date = TODAY, reason: str = "Struck down") -> Any:
    return lambda it: it.reopen(Reopened(reason=reason, effective_on=day), on(TODAY))


# --- completion ----------------------------------------------------------------------------------------------------


def test_a_commitment_is_completed_on_evidence() -> None:
    given().when(complete(JUNE, remarks="Published")).then(
        Completed(completed_on=JUNE, evidence=(LAW,), remarks="Published")
    )


@pytest.mark.parametrize("evidence", [(), (Evidence(description="  "),)])
def test_a_completion_without_evidence_is_refused(evidence: tuple[Evidence, ...]) -> None:
    given().when(complete(evidence=evidence)).refused("evidence-required", InvalidInput, "/evidence")


def test_nothing_is_completed_tomorrow() -> None:
    given().when(complete(TOMORROW)).refused("date-in-future", InvalidInput, "/completed_on")


# --- discard -------------------------------------------------------------------------------------------------------


def test_a_commitment_is_given_up_for_a_typed_reason_with_an_explanation() -> None:
    given().when(discard(decision="BIL-2012-7")).then(
        Discarded(
            reason_type=DiscardReason.TECHNICAL,
            reason="Cannot be measured",
            effective_on=TODAY,
            decision="BIL-2012-7",
        )
    )


def test_a_discard_without_an_explanation_is_refused() -> None:
    given().when(discard(reason="")).refused("reason-required", InvalidInput, "/reason")


# --- what is closed ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("closing", CLOSINGS)
@pytest.mark.parametrize("ask", [complete(), discard(), merge()])
def test_what_is_closed_is_not_closed_again(closing: Event, ask: Any) -> None:
    given(registered(), closing).when(ask).refused("commitment-closed", RuleBroken)


@pytest.mark.parametrize("closing", CLOSINGS)
def test_what_was_closed_later_is_not_closed_earlier_on_the_side(closing: Event) -> None:
    """Two closings at once would leave it open to doubt which one a reopening undoes."""
    given(registered(), closing).when(complete(MAY)).refused("commitment-closed", RuleBroken)


@pytest.mark.parametrize("ask", [complete(MAY), merge(day=MAY)])
def test_what_was_closed_or_reopened_later_is_not_closed_before_that(ask: Any) -> None:
    """The later one would go on to hold: completed in 2011, and late today. It is retracted instead."""
    given(registered(), completed(JUNE), reopened(JUNE)).when(ask).refused("reopened-later", RuleBroken)
    given(registered(), completed(JUNE), reopened(JULY)).when(ask).refused("commitment-closed", RuleBroken)
    given(registered(), completed(JUNE), reopened(JULY)).when(reopen(JUNE)).refused(
        "reopened-later", RuleBroken
    )


def test_the_refusal_names_what_came_later() -> None:
    with pytest.raises(RuleBroken, match="reopened as of 2012-07-01"):
        complete(MAY)(given(registered(), completed(JULY), reopened(JULY)).thing)
    with pytest.raises(RuleBroken, match="achieved as of 2012-06-30"):
        complete(MAY)(given(registered(), completed(JUNE), reopened(JULY)).thing)


def test_an_old_log_that_breaks_the_order_still_folds() -> None:
    it = given(registered(), completed(JULY), reopened(JULY), completed(JUNE), completed(JULY)).thing
    statuses = [verdict and verdict.status for verdict in map(it.verdict_on, (MAY, JUNE, JULY, TODAY))]
    assert statuses == [Status.ON_TIME, Status.ACHIEVED, Status.ACHIEVED, Status.ACHIEVED]


# --- reopening -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("closing", CLOSINGS)
@pytest.mark.parametrize("day", [JUNE, JULY, TODAY])
def test_whatever_closed_it_is_undone_from_a_day_on(closing: Event, day: date) -> None:
    given(registered(), closing).when(reopen(day)).then(Reopened(reason="Struck down", effective_on=day))


def test_there_must_be_something_to_reopen() -> None:
    given().when(reopen()).refused("not-closed", RuleBroken)
    given(registered(), completed(), reopened()).when(reopen()).refused("not-closed", RuleBroken)


def test_a_reopening_does_not_precede_the_closing() -> None:
    given(registered(), completed(JULY)).when(reopen(JUNE)).refused("reopening-before-closure", RuleBroken)


def test_a_reopening_needs_a_reason() -> None:
    given(registered(), completed()).when(reopen(reason=" ")).refused("reason-required", InvalidInput)


def test_what_the_board_said_before_a_reopening_stands() -> None:
    it = given(registered(), completed(JUNE), reopened(JULY)).thing
    before, after = it.verdict_on(JUNE), it.verdict_on(JULY)
    assert before is not None
    assert after is not None
    assert (before, after.status) == ((Status.ACHIEVED, 2), Status.ON_TIME)
    assert it.closing_on(TODAY) is None


# --- merger --------------------------------------------------------------------------------------------------------


def test_a_merged_commitment_points_to_its_successor_and_has_no_status_of_its_own() -> None:
    given().when(merge(day=JUNE, named=str(UUID(int=7)))).then(
        Merged(into="SEG-1", reason="The same promise", effective_on=JUNE)
    )
    it = given(registered(), merged()).thing
    verdict = it.verdict_on(TODAY)
    assert verdict is not None
    assert (it.merged_into, verdict.status, verdict.because) == ("SEG-1", None, 2)


def test_a_reopened_merger_leaves_it_to_count_by_itself_again() -> None:
    it = given(registered(), merged(), reopened()).thing
    verdict = it.verdict_on(TODAY)
    assert verdict is not None
    assert (it.merged_into, verdict.status) == (None, Status.ON_TIME)


@pytest.mark.parametrize(
    ("into", "code"),
    [
        (Successor("SEG-14", open=True), "merger-into-itself"),
        (Successor("SEG-1", open=False), "merger-into-closed"),
        (Successor("SEG-1", open=False, goes_on_in=("SEG-2", "SEG-14")), "merger-in-a-circle"),
    ],
)
def test_it_is_merged_into_another_that_is_open_and_did_not_come_from_it(into: Successor, code: str) -> None:
    given().when(merge(into)).refused(code, RuleBroken)


def test_it_is_not_merged_into_something_unknown() -> None:
    given().when(merge(None)).refused("merger-into-unknown", InvalidInput, "/into")
