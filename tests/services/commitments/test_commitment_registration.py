"""What may enter the record as a commitment, and how its record is set right: corrections, visibility, escalations."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.commitments.commitment.model import register, usual_visibility
from shared.errors import BitacoraError, InvalidInput, RuleBroken
from shared.events.commitments import (
    Corrected,
    Document,
    Escalated,
    InternalDeadline,
    Origin,
    PublicDeadline,
    TeamMember,
    VisibilityChanged,
)
from shared.events.vocabulary import CommitmentKind, OriginKind, ResultType, Visibility
from tests.services.commitments.promises import (
    JUNE,
    KNOWN,
    TODAY,
    TOMORROW,
    completed,
    given,
    registered,
)
from tests.support.scenario import on

UUID_TEXT = "98bc97a8-cfbb-48b4-8786-ce06320ea9f1"
BILATERAL = Origin(kind=OriginKind.BILATERAL_MEETING)


def refusal(**more: Any) -> tuple[type[BitacoraError], str, str]:
    with pytest.raises(BitacoraError) as caught:
        register(registered(**more), on(TODAY), KNOWN)
    pointer = caught.value.pointer if isinstance(caught.value, InvalidInput) else ""
    return type(caught.value), caught.value.code, pointer


# --- registration --------------------------------------------------------------------------------------------------


def test_a_commitment_enters_the_record_as_it_was_told() -> None:
    full = registered(
        kind=CommitmentKind.ACTION,
        parent="OBJECTIVE",
        pillar="SECURITY",
        result_type=ResultType.OUTCOME,
        origin=Origin(kind=OriginKind.MAY_21_SPEECH, quote="We will"),
        key_words=("crime", "home"),
        visibility=Visibility.PUBLIC,
        working_team=(TeamMember(position="legal counsel", institution="INTERIOR"),),
    )
    assert register(full, on(TODAY), KNOWN) == full


@pytest.mark.parametrize(
    "code", ["", "-a", ".a", "a b", "a/b", "ñandú", "a" * 65, "a\n", UUID_TEXT, UUID_TEXT.upper()]
)
def test_a_code_can_be_quoted_and_is_no_uuid(code: str) -> None:
    assert refusal(code=code) == (InvalidInput, "code-malformed", "/code")


@pytest.mark.parametrize("code", ["a", "0", "SEG-014", "2012.PMO_3", "a" * 64, UUID_TEXT.replace("-", "")])
def test_a_code_has_letters_digits_dots_hyphens_and_underscores(code: str) -> None:
    register(registered(code=code), on(TODAY), KNOWN)


@pytest.mark.parametrize(
    ("more", "code", "pointer"),
    [
        ({"title": "  "}, "text-required", "/title"),
        ({"title": "x" * 501}, "text-too-long", "/title"),
        ({"goal": "x" * 20_001}, "text-too-long", "/goal"),
        ({"key_words": ("a", "x" * 501)}, "text-too-long", "/key_words/1"),
        ({"documents": (Document(title="x" * 20_001),)}, "text-too-long", "/documents/0/title"),
        ({"key_words": tuple(map(str, range(201)))}, "too-many-items", "/key_words"),
        ({"key_words": ("a", "b", "a")}, "named-twice", "/key_words/2"),
        ({"effective_on": TOMORROW}, "date-in-future", "/effective_on"),
        ({"pillar": "NONE"}, "unknown-pillar", "/pillar"),
        ({"lead_organization": "NONE"}, "unknown-organization", "/lead_organization"),
        ({"responsible_service": "NONE"}, "unknown-organization", "/responsible_service"),
        (
            {"collaborating_organizations": ("HEALTH", "NONE")},
            "unknown-organization",
            "/collaborating_organizations/1",
        ),
        (
            {"collaborating_organizations": ("HEALTH", "HEALTH")},
            "named-twice",
            "/collaborating_organizations/1",
        ),
        ({"parent": "NONE"}, "parent-unknown", "/parent"),
        ({"split_from": "SEG-1"}, "split-from-not-registered", "/split_from"),
        ({"weight": Decimal(0)}, "weight-out-of-range", "/weight"),
        ({"weight": Decimal("NaN")}, "weight-out-of-range", "/weight"),
        ({"weight": Decimal("0.0000001")}, "weight-out-of-range", "/weight"),
        ({"weight": Decimal(1_000_001)}, "weight-out-of-range", "/weight"),
        ({"origin": BILATERAL, "visibility": Visibility.PUBLIC}, "bilateral-not-public", "/visibility"),
    ],
)
def test_what_cannot_be_is_not_registered(more: dict[str, Any], code: str, pointer: str) -> None:
    assert refusal(**more) == (InvalidInput, code, pointer)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"internal_deadline": InternalDeadline(on=date(2014, 1, 1))}, "internal-after-public"),
        ({"kind": CommitmentKind.STRATEGIC_OBJECTIVE, "parent": "ACTION"}, "parent-below"),
        ({"parent": "UNDER-SEG-14"}, "parent-is-descendant"),
    ],
)
def test_what_contradicts_itself_or_the_plan_is_not_registered(more: dict[str, Any], code: str) -> None:
    assert refusal(**more) == (RuleBroken, code, "")


def test_what_was_agreed_in_a_bilateral_is_reserved_unless_somebody_says_internal() -> None:
    assert usual_visibility(OriginKind.BILATERAL_MEETING) is Visibility.RESERVED
    assert usual_visibility(OriginKind.MAY_21_SPEECH) is Visibility.INTERNAL
    assert usual_visibility(None) is Visibility.INTERNAL
    register(registered(origin=BILATERAL, visibility=Visibility.INTERNAL), on(TODAY), KNOWN)


# --- corrections ---------------------------------------------------------------------------------------------------


def correct(field: str, value: Any, reason: str = "Misread") -> Any:
    proposed = Corrected(field=field, value=value, reason=reason)
    return lambda it: it.correct(proposed, on(TODAY), KNOWN)


@pytest.mark.parametrize(
    ("field", "value", "previous"),
    [
        ("title", "Reduce victimisation", "Reduce household victimisation by 15 %"),
        ("lead_organization", "HEALTH", "INTERIOR"),
        ("public_deadline", {"on": "2014-06-30"}, {"on": "2013-12-31", "origin": "May 21 speech"}),
        ("public_deadline", None, {"on": "2013-12-31", "origin": "May 21 speech"}),
        ("effective_on", "2012-06-30", "2012-05-21"),
        ("collaborating_organizations", [], ["JUSTICE"]),
        ("kind", "action", "commitment"),
        ("parent", "ACTION", None),
        ("origin", {"kind": "other_speech", "source_on": "2012-05-22"}, None),
        ("working_team", [{"position": "DIPRES", "institution": "DIPRES"}], []),
    ],
)
def test_a_field_is_set_right_in_the_shape_it_has_at_registration(
    field: str, value: Any, previous: Any
) -> None:
    given().when(correct(field, value)).then(
        Corrected(field=field, value=value, reason="Misread", previous=previous)
    )


@pytest.mark.parametrize("field", ["code", "visibility", "version", "status", "", "TYPE", "__class__"])
def test_only_a_field_of_the_registration_is_corrected_and_never_the_code(field: str) -> None:
    given().when(correct(field, "x")).refused("field-not-correctable", InvalidInput, "/field")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", None),
        ("title", 7),
        ("kind", "promise"),
        ("public_deadline", "2014-06-30"),
        ("public_deadline", {"on": "June"}),
        ("public_deadline", {"on": "2014-06-30", "until": "2014-07-01"}),
        ("working_team", [{"position": "x", "institution": "y", "name": "Somebody"}]),
        ("key_words", "crime"),
        ("weight", "650.000"),
        ("weight", "NaN"),
        ("effective_on", "2012-13-01"),
    ],
)
def test_a_value_of_another_shape_is_refused(field: str, value: Any) -> None:
    given().when(correct(field, value)).refused("correction-value-invalid", InvalidInput, "/value")


@pytest.mark.parametrize(
    ("field", "value", "code", "pointer"),
    [
        ("title", " ", "text-required", "/value"),
        ("title", "x" * 501, "text-too-long", "/value"),
        ("effective_on", "2012-11-22", "date-in-future", "/value"),
        ("lead_organization", "NONE", "unknown-organization", "/value"),
        ("collaborating_organizations", ["HEALTH", "NONE"], "unknown-organization", "/value/1"),
        ("pillar", "NONE", "unknown-pillar", "/value"),
        ("parent", "NONE", "parent-unknown", "/value"),
        ("key_words", ["a", "a"], "named-twice", "/value/1"),
    ],
)
def test_a_corrected_value_is_held_to_the_rules_of_registration(
    field: str, value: Any, code: str, pointer: str
) -> None:
    given().when(correct(field, value)).refused(code, InvalidInput, pointer)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("title", "Reduce household victimisation by 15 %", "correction-changes-nothing"),
        ("no_deadline_reason", None, "correction-changes-nothing"),
        ("parent", "UNDER-SEG-14", "parent-is-descendant"),
        ("internal_deadline", {"on": "2014-01-01"}, "internal-after-public"),
    ],
)
def test_a_correction_changes_something_and_breaks_nothing(field: str, value: Any, code: str) -> None:
    given().when(correct(field, value)).refused(code, RuleBroken)


def test_a_correction_needs_a_reason() -> None:
    given().when(correct("title", "x", reason="")).refused("reason-required", InvalidInput, "/reason")


def test_a_correction_holds_from_the_first_day_and_a_later_revision_stands() -> None:
    wrong_year = Corrected(field="public_deadline", value={"on": "2012-06-30"}, reason="Misread")
    it = given(registered(internal_deadline=None), wrong_year).thing
    verdict = it.verdict_on(date(2012, 7, 1))
    assert verdict is not None
    assert verdict == ("delayed", 2)
    assert it.registration.public_deadline == PublicDeadline(on=JUNE)


def test_a_closed_commitment_can_still_be_set_right() -> None:
    given(registered(), completed()).when(correct("region", "Biobío")).then(
        Corrected(field="region", value="Biobío", reason="Misread")
    )


# --- visibility and escalations ------------------------------------------------------------------------------------


def publish(reason: str) -> Any:
    proposed = VisibilityChanged(visibility=Visibility.PUBLIC, reason=reason)
    return lambda it: it.change_visibility(proposed, on(TODAY))


def test_a_reserved_commitment_is_published_with_a_reason() -> None:
    given(registered(visibility=Visibility.RESERVED)).when(publish("Speech of May 21")).then(
        VisibilityChanged(
            visibility=Visibility.PUBLIC, previous=Visibility.RESERVED, reason="Speech of May 21"
        )
    )


def test_a_publication_changes_who_may_know() -> None:
    given(registered(visibility=Visibility.PUBLIC)).when(publish("Again")).refused(
        "visibility-unchanged", RuleBroken
    )


def test_a_publication_needs_a_reason() -> None:
    given().when(publish("")).refused("reason-required", InvalidInput, "/reason")


def test_an_escalation_names_its_decision() -> None:
    named = Escalated(effective_on=TODAY, decision="POL-2012-3", remarks="To the President")
    given().when(lambda it: it.note_escalation(named, on(TODAY))).then(named)
    unnamed = Escalated(effective_on=TODAY, decision=" ")
    given().when(lambda it: it.note_escalation(unnamed, on(TODAY))).refused(
        "text-required", InvalidInput, "/decision"
    )
