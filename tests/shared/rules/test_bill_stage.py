"""Promises to legislate, judged by the stage of their bill on the days that matter."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

import pytest

from shared.events.vocabulary import Judgement
from shared.rules.bill_stage import BILL_STAGE_1, SPELLINGS, BillStage, bill_stage_in
from shared.rules.registry import rule_asked_for
from shared.rules.traffic_light import TRAFFIC_LIGHT_1, Closure
from tests.shared.rules.status_table import CASES, DAYS

DUE = date(2013, 12, 31)


class Bill(NamedTuple):
    """What the rule looks at."""

    bill_stage: BillStage | None
    closure: Closure | None = None
    judgement: Judgement | None = None
    public_deadline: date | None = DUE
    internal_deadline: date | None = None
    registered_at: int = 1
    closure_at: int | None = None
    judgement_at: int | None = None
    public_deadline_at: int | None = 2
    bill_stage_at: int | None = 3


def state(bill: Bill, days_left: int, rule: str = "bill_stage_1") -> str | None:
    found = rule_asked_for(rule).line_for(bill, DUE - timedelta(days=days_left)).verdict
    return None if found is None else found.value


@pytest.mark.parametrize(
    ("stage", "notice"),
    [
        (BillStage.NOT_IN_CONGRESS, 365),
        (BillStage.FIRST_CHAMBER, 180),
        (BillStage.SECOND_CHAMBER, 60),
        (BillStage.LAST_STEPS, 0),
    ],
)
def test_a_bill_needs_attention_when_it_has_less_time_than_its_stage_takes(
    stage: BillStage, notice: int
) -> None:
    assert state(Bill(stage), notice) == "on_time"
    assert state(Bill(stage), notice - 1) == ("needs_attention" if notice else "delayed")
    assert (state(Bill(stage), 0), state(Bill(stage), -1)) == (
        "needs_attention" if notice else "on_time",
        "delayed",
    )


def test_a_law_is_the_promise_kept_whoever_declared_it_and_whenever_it_came() -> None:
    assert [state(Bill(BillStage.LAW), days) for days in (400, 0, -400)] == ["achieved"] * 3
    assert state(Bill(BillStage.LAW, closure=Closure.DISCARDED), 0) == "discarded"
    assert state(Bill(BillStage.LAW, closure=Closure.SPLIT), 0) is None
    assert state(Bill(BillStage.FIRST_CHAMBER, closure=Closure.ACHIEVED), -1) == "achieved"


def test_a_bill_whose_stage_is_known_is_judged_by_nothing_else() -> None:
    bill = Bill(BillStage.FIRST_CHAMBER, judgement=Judgement.AT_RISK, internal_deadline=date(2012, 1, 1))
    assert state(bill, 200) == "on_time"
    assert state(bill._replace(bill_stage=None), 200) == "needs_attention"
    assert state(bill._replace(public_deadline=None), 200) == "on_time"


def test_the_days_are_parameters() -> None:
    rule = "bill_stage_1:days_before_second=90,grace_days=10"
    bill = Bill(BillStage.FIRST_CHAMBER)
    assert [state(bill, days, rule) for days in (90, 89, -10, -11)] == [
        "on_time",
        "needs_attention",
        "needs_attention",
        "delayed",
    ]
    assert rule_asked_for(rule).name == "bill_stage_1:grace_days=10,days_before_second=90"


def test_what_needs_no_law_is_judged_as_by_the_traffic_light() -> None:
    for case in CASES:
        facts = Bill(None)._asdict() | case.facts._asdict() | {"bill_stage": None}
        row = type("Row", (), facts)
        for day in DAYS:
            other, usual = BILL_STAGE_1.line_for(row, day), TRAFFIC_LIGHT_1.line_for(row, day)
            assert (other.verdict, other.because) == (usual.verdict, usual.because), case.name


def test_the_state_follows_from_the_event_that_told_the_stage() -> None:
    bill = Bill(BillStage.FIRST_CHAMBER)
    for days, position in ((200, 3), (100, 3), (-1, 2)):
        line = BILL_STAGE_1.line_for(bill, DUE - timedelta(days=days))
        assert BILL_STAGE_1.position_of(line, bill) == position


@pytest.mark.parametrize(
    ("words", "stage"),
    [
        ("Primer trámite constitucional", BillStage.FIRST_CHAMBER),
        ("PRIMER  TRAMITE CONSTITUCIONAL ", BillStage.FIRST_CHAMBER),
        ("second chamber", BillStage.SECOND_CHAMBER),
        ("Comisión Mixta", BillStage.LAST_STEPS),
        ("90%", BillStage.LAST_STEPS),
        ("100 %", BillStage.LAW),
        ("not in Congress yet", BillStage.NOT_IN_CONGRESS),
        ("primer", None),
        ("en obra", None),
        ("", None),
    ],
)
def test_the_words_of_a_stage_are_matched_without_accents_and_capitals(
    words: str, stage: BillStage | None
) -> None:
    assert bill_stage_in(words) is stage


def test_no_words_mean_two_stages() -> None:
    meant = [(words, stage) for stage, spellings in SPELLINGS.items() for words in spellings]
    assert all(bill_stage_in(words) is stage for words, stage in meant)
