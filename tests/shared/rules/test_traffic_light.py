"""The status rule on the days that matter: the eve, the day and the morrow of each deadline."""

from __future__ import annotations

import pytest

from shared.events.types import Kind
from shared.rules.registry import Line, Rule, registered, rule_named, versions_of
from shared.rules.traffic_light import CURRENT_RULE, FAMILY, Status, verdict_on
from tests.shared.rules.status_table import CASES, DAYS, Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_commitment_is_in_the_published_state_on_every_day_that_matters(case: Case) -> None:
    assert tuple(tuple(verdict_on(case.facts, day)) for day in DAYS) == case.expected


def test_the_table_shows_every_state() -> None:
    shown = {status for case in CASES for status, _because in case.expected}
    assert shown == {None, *(status.value for status in Status)}


def test_a_rule_is_had_by_its_name_and_a_version_is_never_made_anew() -> None:
    assert [rule.name for rule in versions_of(FAMILY)] == [CURRENT_RULE] == ["traffic_light_1"]
    with pytest.raises(ValueError, match="already"):
        registered(
            Rule(
                FAMILY,
                1,
                Kind.COMMITMENT,
                "Here.",
                (Line(Status.ON_TIME, "judgement"),),
                origin="registered_at",
            )
        )
    with pytest.raises(KeyError):
        rule_named("traffic_light_99")
