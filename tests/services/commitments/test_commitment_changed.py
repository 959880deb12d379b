"""What is another in the world from a day on: what held before was right until then."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from services.commitments.commitment.model import replace
from shared.errors import BitacoraError, InvalidInput, RuleBroken
from shared.events.commitments import (
    ChangeableField,
    Changed,
    Corrected,
    ProgressReported,
    ProgressReviewed,
)
from shared.events.facts import Event
from shared.events.vocabulary import ReviewOutcome
from shared.http.requests import request_of
from tests.services.commitments.promises import (
    INTERIOR,
    JULY,
    JUNE,
    KNOWN,
    MAY,
    TODAY,
    TOMORROW,
    completed,
    given,
    merged,
    registered,
    reopened,
)
from tests.support.scenario import on

TITLE = "Reduce household victimisation by 15 %"


def change(field: str, value: Any, day: date = JULY, reason: str = "So it was decreed") -> Any:
    proposed = Changed(field=ChangeableField(field), value=value, effective_on=day, reason=reason)
    return lambda it: it.change(proposed, on(TODAY), KNOWN)


def changed(field: str, value: Any, day: date = JULY, previous: Any = None) -> Changed:
    return Changed(
        field=ChangeableField(field),
        value=value,
        effective_on=day,
        reason="So it was decreed",
        previous=previous,
    )


@pytest.mark.parametrize(
    ("field", "value", "previous"),
    [
        ("title", "Less crime", TITLE),
        ("parent", "ACTION", None),
        ("pillar", "SECURITY", None),
        ("responsible_service", None, "POLICE"),
        ("collaborating_organizations", ["HEALTH"], ["JUSTICE"]),
        ("key_words", ["crime", "home"], []),
        ("stage", "Senate", "design"),
        ("working_team", [{"position": "counsel", "institution": "INTERIOR"}], []),
    ],
)
def test_a_field_is_another_from_a_day_on_and_its_former_value_is_kept(
    field: str, value: Any, previous: Any
) -> None:
    given().when(change(field, value)).then(changed(field, value, previous=previous))


def test_what_held_before_is_right_until_then() -> None:
    it = given(registered(), changed("title", "Less crime")).thing
    assert [it.dated.registration_on(day).title for day in (MAY, JUNE, JULY, TODAY)] == [
        TITLE,
        TITLE,
        "Less crime",
        "Less crime",
    ]
    assert it.registration.title == TITLE


def test_a_change_recorded_late_does_not_replace_a_newer_one() -> None:
    it = given(registered(), changed("title", "Newer", JULY), changed("title", "Older", JUNE)).thing
    assert [it.dated.registration_on(day).title for day in (MAY, JUNE, JULY)] == [TITLE, "Older", "Newer"]
    given(registered(), changed("title", "Newer", JULY)).when(change("title", "Older", JUNE)).then(
        changed("title", "Older", JUNE, previous=TITLE)
    )


def test_of_two_changes_on_one_day_the_later_one_recorded_counts() -> None:
    it = given(registered(), changed("title", "First"), changed("title", "Second")).thing
    assert it.dated.registration_on(JULY).title == "Second"


def test_what_was_wrong_from_the_start_is_corrected_below_a_change() -> None:
    wrong = Corrected(field="title", value="Reduce victimisation", reason="Misread")
    it = given(registered(), changed("title", "Less crime"), wrong).thing
    assert [it.dated.registration_on(day).title for day in (JUNE, JULY)] == [
        "Reduce victimisation",
        "Less crime",
    ]


def test_who_may_read_it_and_speak_for_it_is_who_it_is_with_now() -> None:
    it = given(registered(), changed("collaborating_organizations", ["HEALTH"])).thing
    assert it.organizations() == ("INTERIOR", "POLICE", "HEALTH")
    it = given(registered(), changed("responsible_service", None)).thing
    assert it.organizations() == ("INTERIOR", "JUSTICE")


@pytest.mark.parametrize(
    ("day", "stage"), [(MAY, "House"), (JUNE, "Senate"), (JULY, "Senate"), (TODAY, "Senate")]
)
def test_the_stage_is_that_of_the_latest_report_or_change(day: date, stage: str) -> None:
    report = ProgressReported(number=1, period="2012-Q3", effective_on=JUNE, stage="House")
    past = (registered(), (INTERIOR, report), changed("stage", "Senate", day))
    assert given(*past).thing.stage_on(TODAY) == stage
    sent_back = ProgressReviewed(report=1, outcome=ReviewOutcome.RETURNED, reason="Not yet")
    assert given(*past, sent_back).thing.stage_on(TODAY) == "Senate"


def test_what_a_stage_was_is_what_had_been_reported_by_then() -> None:
    report = ProgressReported(number=1, period="2012-Q3", effective_on=JUNE, stage="House")
    past = (registered(), (INTERIOR, report))
    given(*past).when(change("stage", "House")).refused("change-changes-nothing", RuleBroken)
    given(*past).when(change("stage", "Senate")).then(changed("stage", "Senate", previous="House"))
    given(*past).when(change("stage", "House", MAY)).then(changed("stage", "House", MAY, previous="design"))


def test_of_a_report_and_a_change_of_stage_on_one_day_the_later_one_recorded_counts() -> None:
    report = ProgressReported(number=1, period="2012-Q3", effective_on=JUNE, stage="House")
    assert (
        given(registered(), (INTERIOR, report), changed("stage", "Senate", JUNE)).thing.stage_on(JUNE)
        == "Senate"
    )
    assert (
        given(registered(), changed("stage", "Senate", JUNE), (INTERIOR, report)).thing.stage_on(JUNE)
        == "House"
    )


def test_a_corrected_kind_fits_every_parent_it_has_had() -> None:
    corrected = Corrected(field="kind", value="strategic_objective", reason="Misread")
    given(registered(), changed("parent", "ACTION")).when(
        lambda it: it.correct(corrected, on(TODAY), KNOWN)
    ).refused("parent-below", RuleBroken)


@pytest.mark.parametrize(
    ("asked", "code", "kind", "pointer"),
    [
        (change("title", "x", TOMORROW), "date-in-future", InvalidInput, "/effective_on"),
        (change("title", "x", reason=" "), "reason-required", InvalidInput, "/reason"),
        (change("title", 7), "change-value-invalid", InvalidInput, "/value"),
        (change("title", None), "change-value-invalid", InvalidInput, "/value"),
        (change("weight", "650.000"), "change-value-invalid", InvalidInput, "/value"),
        (change("weight", "NaN"), "change-value-invalid", InvalidInput, "/value"),
        (
            change("working_team", [{"position": "x", "institution": "y", "name": "z"}]),
            "change-value-invalid",
            InvalidInput,
            "/value",
        ),
        (change("title", " "), "text-required", InvalidInput, "/value"),
        (change("adviser", ""), "text-required", InvalidInput, "/value"),
        (change("stage", "  "), "text-required", InvalidInput, "/value"),
        (change("key_words", ["crime", ""]), "text-required", InvalidInput, "/value/1"),
        (change("pillar", "NONE"), "unknown-pillar", InvalidInput, "/value"),
        (
            change("collaborating_organizations", ["HEALTH", "NONE"]),
            "unknown-organization",
            InvalidInput,
            "/value/1",
        ),
        (change("parent", "UNDER-SEG-14"), "parent-is-descendant", RuleBroken, None),
        (change("title", TITLE), "change-changes-nothing", RuleBroken, None),
        (change("title", "x", date(2012, 5, 20)), "before-registration", RuleBroken, None),
    ],
)
def test_a_change_is_held_to_the_rules_of_registration_and_has_its_day_and_reason(
    asked: Any, code: str, kind: type[BitacoraError], pointer: str | None
) -> None:
    given().when(asked).refused(code, kind, pointer)


def test_whether_anything_changes_is_asked_of_its_own_day() -> None:
    past = (registered(), changed("title", "Less crime", JULY))
    given(*past).when(change("title", "Less crime", JULY)).refused("change-changes-nothing", RuleBroken)
    given(*past).when(change("title", "Less crime", JUNE)).then(
        changed("title", "Less crime", JUNE, previous=TITLE)
    )


@pytest.mark.parametrize("closing", [completed(), merged()])
def test_a_closed_commitment_changes_no_more_from_the_day_it_was_closed(closing: Event) -> None:
    given(registered(), closing).when(change("title", "x", JUNE)).refused("commitment-closed", RuleBroken)
    given(registered(), closing).when(change("title", "x", date(2012, 6, 29))).then(
        changed("title", "x", date(2012, 6, 29), previous=TITLE)
    )
    given(registered(), closing, reopened(JULY)).when(change("title", "x", JULY)).then(
        changed("title", "x", JULY, previous=TITLE)
    )


@pytest.mark.parametrize("field", ["code", "visibility", "lead_organization", "public_deadline", "status"])
def test_what_has_facts_of_its_own_is_no_field_that_a_change_may_name(field: str) -> None:
    with pytest.raises(ValueError, match="field"):
        request_of(Changed).model_validate({"field": field, "value": "x", "reason": "x"})


def test_a_field_is_not_handed_to_an_organisation_that_is_no_more() -> None:
    gone = KNOWN._replace(heirs_on=lambda code, day: ("POLICE",) if day >= JULY else (code,))
    proposed = Changed(
        field=ChangeableField.RESPONSIBLE_SERVICE, value="HEALTH", effective_on=JULY, reason="Reform"
    )
    given().when(lambda it: it.change(proposed, on(TODAY), gone)).refused(
        "organization-dissolved", RuleBroken
    )
    before = replace(proposed, effective_on=JUNE)
    assert given().thing.change(before, on(TODAY), gone).value == "HEALTH"


@pytest.mark.parametrize(
    ("field", "day", "shown"), [("title", MAY, False), ("title", JUNE, True), ("stage", JUNE, False)]
)
def test_a_correction_below_a_change_is_taken_if_it_shows_on_some_day(
    field: str, day: date, shown: bool
) -> None:
    """Of the stage only the present one is shown, and that is what the change says."""
    proposed = Corrected(field=field, value="Draft", reason="Misread")
    asked = given(registered(), changed(field, "House", day)).when(
        lambda it: it.correct(proposed, on(TODAY), KNOWN)
    )
    if shown:
        asked.then(replace(proposed, previous=TITLE))
    else:
        asked.refused("correction-without-effect", RuleBroken)
