"""The rules as they are told to people: each with its source and an example, and the examples come out."""

from __future__ import annotations

import re
from calendar import month_name, monthrange
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from shared.events.cycles import CycleFrequency
from shared.events.meeting_vocabulary import BudgetRequest, Financing, ProtocolPeriod
from shared.events.meetings import BudgetImpact, BudgetLineTied
from shared.rules.bill_stage import BillStage, bill_stage_in
from shared.rules.budget_gaps import BudgetGap, budget_gaps
from shared.rules.periods import stored_period
from shared.rules.protocols import InForce, Terms, Told, counts_on, expected_between
from shared.rules.registry import rule_asked_for
from shared.rules.report_calendar import Schedule, publication
from shared.rules.timeliness import Cycle, timeliness
from tests.api.house import TABLES

TEXT = (Path(__file__).parents[2] / "docs/rules.md").read_text(encoding="utf-8")
FLAT = " ".join(TEXT.split())
DAY = r"(\d{4}-\d\d-\d\d)"


def told(pattern: str) -> tuple[str, ...]:
    """What an example says in the places of a pattern; the document has it, line breaks aside."""
    found = re.search(pattern.replace("DAY", DAY), FLAT)
    assert found is not None, f"the example is gone, or told in other words: {pattern}"
    return found.groups()


def days(pattern: str) -> tuple[date, ...]:
    """The days of an example."""
    return tuple(map(date.fromisoformat, told(pattern)))


class Facts(NamedTuple):
    """What rules for the state of a commitment look at."""

    public_deadline: date | None = None
    bill_stage: BillStage | None = None
    internal_deadline: date | None = None
    closure: None = None
    judgement: None = None


def state(facts: Facts, day: date, rule: str) -> str | None:
    """In which state a rule says it is."""
    found = rule_asked_for(rule).line_for(facts, day).verdict
    return None if found is None else str(found)


def test_every_section_names_its_source_and_gives_an_example() -> None:
    sections = re.split(r"\n(?=##+ )", TEXT)[1:]
    for section in sections:
        heading, _, text = section.partition("\n")
        if text.strip():
            assert re.search(r"RULES|DOMAIN|the note|ADR|[Ss]ource", text), f"no source: {heading}"
            assert re.search(r"[Ee]xample", text), f"no example: {heading}"
    assert len(sections) > 25


def test_what_it_calls_by_a_name_in_code_is_there() -> None:
    """Versions of rules exist, and so do the addresses."""
    for name in re.findall(r"`((?:traffic_light|bill_stage)_\d+)`", TEXT):
        assert rule_asked_for(name).name == name
    paths = {re.sub(r"\{[^}]*\}", "{}", path) for table in TABLES.values() for _, path in table}
    for path in re.findall(r"`(?:GET |POST |PUT )?(/v1/[^`?\s]*)", TEXT):
        assert re.sub(r"\{[^}]*\}", "{}", path) in paths, path


def test_with_days_of_grace_a_delay_begins_so_much_later() -> None:
    due, delayed, later = days(
        r"Due on DAY, not done: `delayed` from DAY on, under `traffic_light_1:grace_days=30` from DAY on"
    )
    facts = Facts(due)
    for rule, first in (("traffic_light_1", delayed), ("traffic_light_1:grace_days=30", later)):
        assert state(facts, first - timedelta(days=1), rule) == "on_time"
        assert state(facts, first, rule) == "delayed"


def test_a_bill_that_is_slow_needs_attention_from_the_days_told() -> None:
    due, first, second, on_time, attention, again, attention_again = days(
        r"A law promised for DAY, whose bill is in the \*primer trámite constitucional\* since DAY and in the "
        r"\*segundo trámite\* since DAY: on time on DAY, needs attention from DAY, on time again from DAY, "
        r"needs attention from DAY unless"
    )
    assert again == second
    stages = {words: bill_stage_in(words) for words in ("Primer Trámite Constitucional", "segundo trámite")}
    assert list(stages.values()) == [BillStage.FIRST_CHAMBER, BillStage.SECOND_CHAMBER]
    eve = timedelta(days=1)
    for day, expected in (
        (on_time, "on_time"),
        (attention - eve, "on_time"),
        (attention, "needs_attention"),
        (second - eve, "needs_attention"),
        (second, "on_time"),
        (attention_again - eve, "on_time"),
        (attention_again, "needs_attention"),
    ):
        stage = BillStage.FIRST_CHAMBER if first <= day < second else BillStage.SECOND_CHAMBER
        assert state(Facts(due, stage), day, "bill_stage_1") == expected, day


def test_so_many_reports_are_expected_and_one_is_in_time_or_late() -> None:
    told_of = told(r"a half-yearly, a quarterly and a four-monthly cycle expect (\d), (\d) and (\d) reports")
    frequencies = (CycleFrequency.HALF_YEARLY, CycleFrequency.QUARTERLY, CycleFrequency.FOUR_MONTHLY)
    expected = [len([*Cycle(one, 20).expected(date(2012, 1, 1), date(2012, 12, 31))]) for one in frequencies]
    assert list(map(int, told_of)) == expected
    in_time, late = days(r"one of 2012-Q1 with twenty days to report is on time on DAY and late on DAY")
    due = Cycle(CycleFrequency.QUARTERLY, 20).due_on(stored_period("2012-Q1"))
    assert [timeliness(day, due, date(2012, 12, 31)) for day in (in_time, late)] == ["on_time", "late"]


def test_an_edition_of_the_day_published_a_day_later_is_late() -> None:
    of, published = told(
        r"of a report due on 05-21, an edition of (\d{4})-05-21 that is published on (\d\d-\d\d) is late"
    )
    (due,) = Schedule(["05-21"]).between(date(int(of), 1, 1), date(int(of), 12, 31))
    assert publication(date.fromisoformat(f"{of}-{published}"), due, date(int(of), 12, 31)) == "late"
    assert publication(None, due, due) == "due"


def test_a_peso_or_dollars_in_the_first_request_close_no_gap() -> None:
    impact = BudgetImpact(amount="100000000", currency="CLP", fiscal_year=2013, financing=Financing.INCREASE)
    (missing,) = told(r"One peso in the first request of 2013: .*? `short_by` ([\d,]+)\.")

    def gaps(amount: str, currency: str) -> dict[BudgetGap, Decimal]:
        line = BudgetLineTied(
            fiscal_year=2013, code="24", amount=amount, currency=currency, request=BudgetRequest.FIRST
        )
        return budget_gaps(impact, [line])

    assert gaps("1", "CLP")[BudgetGap.SHORT] == Decimal(missing.replace(",", ""))
    assert BudgetGap.OTHER_CURRENCY in gaps("100000000", "USD")


def test_the_weeks_of_a_body_that_meets_every_monday_add_up() -> None:
    weekly = Terms(expected_meetings=1, expected_period=ProtocolPeriod.WEEK)
    in_force = InForce([Told(date(2010, 3, 11), date(2026, 1, 5), weekly)])
    held_in, held_on, month, many = told(
        r"that of (\w+) (\d+) counts in (\w+), whose Thursdays are five, and (\w+) has five of five"
    )
    assert month == many
    monday = date(2012, [*month_name].index(held_in), int(held_on))
    counted = counts_on(in_force, monday)
    assert (monday.isoweekday(), f"{counted:%B}") == (1, month)
    last = counted.replace(day=monthrange(counted.year, counted.month)[1])
    assert len(expected_between(in_force, counted.replace(day=1), last)) == 5
    since, monday = days(r"A protocol in force from Thursday DAY asks from Monday DAY on")
    assert since == date(2010, 3, 11)
    first = expected_between(in_force, since, date(2010, 4, 30))[0]
    assert first.counts_on - timedelta(days=3) == monday


def test_the_figures_of_indicators_and_of_the_plan_are_what_they_come_to() -> None:
    yearly = [Decimal(one) for one in ("5.8", "6.9", "5.6", "5.7")]
    averages = told(
        r"with 5\.8, 6\.9, 5\.6 and 5\.7: .*? \(([\d.]+)\) and 2012 \(([\d.]+)\), met in 2013 \(([\d.]+)\)"
    )
    assert [sum(yearly[:n]) / n for n in (2, 3, 4)] == [Decimal(one) for one in averages]
    whole, level = told(r"−15 % of ([\d.]+) is ([\d.]+), also")
    assert Decimal(whole) * Decimal("0.85") == Decimal(level)
    target, value = told(r"A target of ([\d.]+) %, then ‰ from 2012 on: (\d+) for 2012")
    factor, below, restated = told(r"with `restated_by: (\d+)` it is ([\d.]+) below ([\d.]+)\.")
    assert Decimal(target) * int(factor) == Decimal(restated)
    assert Decimal(restated) - int(value) == Decimal(below)
    shares = [
        int(one)
        for one in told(r"5, 9, 6 and 20 of 40 are (\d+), (\d+), (\d+) and (\d+), which add up to 101")
    ]
    assert shares == [(200 * one + 40) // 80 for one in (5, 9, 6, 20)]
    assert sum(shares) == 101
    (mean,) = told(r"parts of weight 1 at 44 % and of weight 3 at 10 % make ([\d.]+) %")
    assert Decimal(mean) == Decimal(44 + 3 * 10) / 4
    down, up = told(r"that is still ([\d.]+) % down; on the previous value it is ([\d.]+) % up")
    assert [round((Decimal("31.1") / one - 1) * 100, 1) for one in (Decimal("33.6"), Decimal("28.2"))] == [
        -Decimal(down),
        Decimal(up),
    ]


def test_late_days_are_counted_from_the_deadline_in_force() -> None:
    due, done, late = told(r"due on DAY, done on DAY: (\d+) days late")
    assert (date.fromisoformat(done) - date.fromisoformat(due)).days == int(late)
