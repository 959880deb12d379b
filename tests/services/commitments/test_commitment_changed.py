"""What changes in the world has a day: before it the old value holds, from it on the new one."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from shared.errors import InvalidInput, RuleBroken
from shared.events.commitments import ChangeableField, Changed, Corrected
from tests.services.commitments.promises import JULY, JUNE, KNOWN, MAY, TODAY, given, merged, registered
from tests.support.scenario import on

EVE = date(2012, 6, 29)


def changed(field: str = "adviser", value: Any = "u-23", day: date = JUNE, **more: Any) -> Changed:
    return Changed(
        field=ChangeableField(field), value=value, effective_on=day, reason="A new coordinator", **more
    )


def test_a_change_is_recorded_with_what_held_before() -> None:
    given(registered(adviser="u-17")).when(lambda it: it.change(changed(), on(TODAY), KNOWN)).then(
        changed(previous="u-17")
    )


def test_the_adviser_of_the_eve_is_the_old_one() -> None:
    it = given(registered(adviser="u-17"), changed()).thing
    assert [it.registration_on(day).adviser for day in (EVE, JUNE, TODAY)] == ["u-17", "u-23", "u-23"]


def test_a_change_learned_later_of_an_earlier_day_holds_until_the_later_one() -> None:
    it = given(registered(adviser="u-17"), changed(day=JULY, value="u-40"), changed(day=JUNE)).thing
    assert [it.registration_on(day).adviser for day in (MAY, JUNE, JULY)] == ["u-17", "u-23", "u-40"]


def test_of_two_changes_of_one_day_the_one_recorded_later_holds() -> None:
    it = given(registered(), changed(value="u-40"), changed(value="u-23")).thing
    assert it.registration_on(JUNE).adviser == "u-23"


def test_a_correction_mends_what_held_before_the_change_and_nothing_after() -> None:
    correction = Corrected(field="adviser", value="u-1", reason="Typed wrong", previous="u-17")
    it = given(registered(adviser="u-17"), changed(), correction).thing
    assert [it.registration_on(day).adviser for day in (EVE, JUNE)] == ["u-1", "u-23"]


def test_who_may_read_a_reserved_one_goes_by_who_works_on_it_now() -> None:
    new = changed("collaborating_organizations", ["HEALTH"])
    it = given(registered(), new).thing
    assert set(it.organizations()) == {"INTERIOR", "POLICE", "HEALTH"}


@pytest.mark.parametrize(
    ("proposal", "code", "kind", "pointer"),
    [
        (changed(value=""), "change-changes-nothing", RuleBroken, None),
        (changed(value=7), "change-value-invalid", InvalidInput, "/value"),
        (changed("working_team", [{"name": "x"}]), "change-value-invalid", InvalidInput, "/value"),
        (changed("responsible_service", "NONE"), "unknown-organization", InvalidInput, "/value"),
        (changed("parent", "UNDER-SEG-14"), "parent-is-descendant", RuleBroken, None),
        (changed(day=date(2012, 5, 20)), "before-registration", RuleBroken, None),
        (changed(day=date(2012, 11, 22)), "date-in-future", InvalidInput, "/effective_on"),
    ],
)
def test_a_change_is_held_to_the_rules_of_a_registration(
    proposal: Changed, code: str, kind: Any, pointer: str | None
) -> None:
    given(registered(adviser="")).when(lambda it: it.change(proposal, on(TODAY), KNOWN)).refused(
        code, kind, pointer
    )


def test_a_merged_commitment_changes_no_more() -> None:
    given(registered(), merged(MAY)).when(lambda it: it.change(changed(), on(TODAY), KNOWN)).refused(
        "commitment-closed", RuleBroken
    )
