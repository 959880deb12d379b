"""The warning signs of a commitment: each raised by what gives rise to it, and silent without it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from shared.events.commitments import (
    Completed,
    DeadlineRevised,
    Evidence,
    PublicDeadline,
    Registered,
    Reopened,
)
from shared.events.facts import Event
from shared.events.vocabulary import DeadlineKind
from shared.rules.commitment_warnings import DeadlineCorrection, commitment_signs
from shared.rules.dated_facts import DatedFacts

BEGAN = date(2011, 5, 21)
DUE = date(2012, 6, 30)
REPORT = date(2012, 5, 21)


def facts(*events: Event, deadline: date | None = DUE) -> DatedFacts:
    promised = None if deadline is None else PublicDeadline(on=deadline)
    registered = Registered(
        code="SEG-1", title="t", lead_organization="INTERIOR", effective_on=BEGAN, public_deadline=promised
    )
    known = DatedFacts(registered, 1)
    for position, event in enumerate(events, 2):
        known.apply(event, position)
    return known


def achieved(day: date) -> Completed:
    return Completed(completed_on=day, evidence=(Evidence(description="Law"),))


@pytest.mark.parametrize(
    ("recorded_on", "corrected", "raised"),
    [
        (DUE + timedelta(days=1), date(2013, 12, 31), True),
        (DUE + timedelta(days=1), None, True),
        (DUE, date(2013, 12, 31), False),
        (DUE + timedelta(days=1), date(2012, 3, 31), False),
    ],
)
def test_a_deadline_that_had_passed_and_was_corrected_to_leave_more_time_is_a_sign(
    recorded_on: date, corrected: date | None, raised: bool
) -> None:
    correction = DeadlineCorrection(recorded_on, 1, 7, DUE, corrected)
    signs = commitment_signs(facts(), [correction], recorded_on)
    found = [(sign.code, sign.events) for sign in signs]
    assert found == ([("deadline_corrected_after_due", (1, 7))] if raised else [])


def test_an_open_commitment_without_a_deadline_is_a_sign_until_it_gets_one_or_is_closed() -> None:
    given = DeadlineRevised(
        deadline=DeadlineKind.PUBLIC, on=DUE, reason="r", effective_on=BEGAN + timedelta(days=30)
    )
    known = facts(given, deadline=None)
    told = [
        [sign.code for sign in commitment_signs(known, [], BEGAN + timedelta(days=days))]
        for days in (0, 29, 30)
    ]
    assert told == [["deadline_missing"], ["deadline_missing"], []]
    assert commitment_signs(facts(achieved(REPORT), deadline=None), [], REPORT) == []


@pytest.mark.parametrize(("days", "raised"), [(11, False), (10, True), (0, True), (-1, False)])
def test_what_was_achieved_in_the_ten_days_before_a_report_is_a_sign(days: int, raised: bool) -> None:
    known = facts(achieved(REPORT - timedelta(days=days)))
    signs = commitment_signs(known, [], date(2013, 1, 1), reporting_on=REPORT)
    assert [(sign.code, sign.events) for sign in signs] == (
        [("achieved_before_report", (2,))] if raised else []
    )
    assert commitment_signs(known, [], date(2013, 1, 1)) == []


def test_what_was_reopened_since_is_judged_by_the_day_of_the_report() -> None:
    reopened = Reopened(reason="r", effective_on=REPORT + timedelta(days=5))
    known = facts(achieved(REPORT - timedelta(days=3)), reopened)
    assert len(commitment_signs(known, [], date(2013, 1, 1), reporting_on=REPORT)) == 1
    assert commitment_signs(known, [], date(2013, 1, 1), reporting_on=REPORT + timedelta(days=5)) == []
