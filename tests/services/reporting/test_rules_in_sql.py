"""The lines of a rule say the same in SQL as in Python, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Date, Integer, Text, create_engine, literal, select

from services.reporting.queries.rules import verdict
from shared.events.vocabulary import Direction, Judgement
from shared.rules.action_item_state import ACTION_ITEM_STATE_1, ActionItemOnDay, Ending
from shared.rules.bill_stage import BILL_STAGE_1, BillStage
from shared.rules.indicator_verdict import (
    INDICATOR_VERDICT_1,
    INDICATOR_VERDICT_2,
    IndicatorOnDay,
    Obstacle,
    Settled,
)
from shared.rules.registry import Rule
from shared.rules.traffic_light import TRAFFIC_LIGHT_1, Closure
from tests.shared.rules.status_table import CASES, DAYS

EVERY_TIME = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def connection(log_url: str) -> Iterator[Connection]:
    """A connection to an engine that need not hold anything."""
    engine = create_engine(log_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connected:
        yield connected
    engine.dispose()


def in_sql(connection: Connection, rule: Rule, facts: Any, day: date, types: dict[str, Any]) -> str | None:
    """What a rule concludes in SQL of one row with these facts."""
    values = {name: getattr(facts, name) for name in types}
    row = select(*(literal(value, types[name]).label(name) for name, value in values.items())).subquery()
    found: str | None = connection.execute(select(verdict(rule, row.c, day))).scalar_one()
    return found


COMMITMENT = {"closure": Text, "judgement": Text, "public_deadline": Date, "internal_deadline": Date}
ACTION_ITEM = {"ending": Text, "due_on": Date, "ended_on": Date}
INDICATOR = {
    "direction": Text,
    "value": Integer,
    "target": Integer,
    "due_on": Date,
    "tolerance": Integer,
    "planned": Integer,
    "settled": Text,
    "obstacle": Text,
}


def test_the_status_rule_says_in_sql_what_was_published(connection: Connection) -> None:
    for case in CASES:
        found = [in_sql(connection, TRAFFIC_LIGHT_1, case.facts, day, COMMITMENT) for day in DAYS]
        assert found == [status for status, _because in case.expected], case.name


@settings(EVERY_TIME, max_examples=60)
@given(
    stage=st.none() | st.sampled_from(BillStage),
    closure=st.none() | st.sampled_from(Closure),
    judgement=st.none() | st.sampled_from(Judgement),
    public=st.none() | st.integers(-4, 4),
    internal=st.none() | st.integers(-4, 4),
    values=st.tuples(*[st.integers(0, 4)] * 4),
)
def test_a_rule_with_parameters_says_the_same_in_sql(
    connection: Connection,
    stage: BillStage | None,
    closure: Closure | None,
    judgement: Judgement | None,
    public: int | None,
    internal: int | None,
    values: tuple[int, ...],
) -> None:
    day = date(2012, 6, 15)
    facts = SimpleNamespace(
        bill_stage=stage,
        closure=closure,
        judgement=judgement,
        public_deadline=None if public is None else day + timedelta(days=public),
        internal_deadline=None if internal is None else day + timedelta(days=internal),
    )
    names = [one.name for one in BILL_STAGE_1.parameters]
    rule = BILL_STAGE_1.with_values(dict(zip(names, values, strict=True)))
    expected = rule.line_for(facts, day).verdict
    assert in_sql(connection, rule, facts, day, COMMITMENT | {"bill_stage": Text}) == expected


days = st.integers(0, 4).map(lambda number: date(2012, 1, 1) + timedelta(days=number))


@EVERY_TIME
@given(due_on=days, ended=st.none() | st.tuples(st.sampled_from(Ending), days), day=days)
def test_the_rule_of_action_items_says_the_same_in_sql(
    connection: Connection, due_on: date, ended: tuple[Ending, date] | None, day: date
) -> None:
    ending, ended_on = ended or (None, None)
    facts = ActionItemOnDay(1, "MOP", 1, due_on, 1, ending, ended_on, 2)
    expected = ACTION_ITEM_STATE_1.line_for(facts, day).verdict
    assert in_sql(connection, ACTION_ITEM_STATE_1, facts, day, ACTION_ITEM) == expected


figures = st.integers(-2, 2)


@EVERY_TIME
@given(
    direction=st.sampled_from(Direction),
    value=figures,
    target=figures,
    tolerance=st.integers(0, 2),
    planned=st.none() | figures,
    due_on=days,
    day=days,
    settled=st.sampled_from(Settled),
    obstacle=st.none() | st.sampled_from(Obstacle),
)
def test_the_rule_of_indicators_says_the_same_in_sql(
    connection: Connection,
    direction: Direction,
    value: int,
    target: int,
    tolerance: int,
    planned: int | None,
    due_on: date,
    day: date,
    settled: Settled,
    obstacle: Obstacle | None,
) -> None:
    facts = IndicatorOnDay(
        direction,
        Decimal(value),
        Decimal(target),
        due_on,
        Decimal(tolerance),
        None if planned is None else Decimal(planned),
        settled,
        obstacle,
    )
    whole = facts._replace(value=value, target=target, tolerance=tolerance, planned=planned)  # type: ignore[arg-type]
    for rule in (INDICATOR_VERDICT_1, INDICATOR_VERDICT_2):
        expected = rule.line_for(facts, day).verdict
        assert in_sql(connection, rule, whole, day, INDICATOR) == expected
