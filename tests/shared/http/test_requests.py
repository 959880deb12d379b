"""A request is the event that it proposes, without what the service fills in."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
import pytest
from pydantic import Field, ValidationError

from shared.events.commitments import (
    Assessed,
    Commented,
    Corrected,
    DeadlineRevised,
    LeadReassigned,
    MilestoneSet,
    ProgressReported,
    ProgressReviewed,
    Registered,
    RisksAssessed,
    TeamMember,
)
from shared.events.examples import example_of
from shared.events.facts import COMPUTED, Event
from shared.events.identity import KeyIssued
from shared.events.meetings import AgendaAgreed, MinutesCirculated
from shared.events.registry import EVENT_TYPES
from shared.events.vocabulary import CommitmentKind, Judgement, Visibility
from shared.http.requests import RequestModel, request_of

TODAY = date(2012, 11, 21)
OF_EDITIONS = {"code", "audience", "position", "status_rule", "template", "sha256", "content"}
OF_MEETINGS = ("visibility", "organizations", "reference", "mandatory_absences")
JUNE = date(2012, 6, 30)
REGISTRATION = {"code": "SEG-14", "title": "Less crime", "lead_organization": "INTERIOR"}


def faults(event: type[Event], body: Any, **more: Any) -> dict[str, str]:
    """What is wrong with a body, by where it is."""
    with pytest.raises(ValidationError) as refused:
        request_of(event, **more).model_validate(body)
    return {"/".join(map(str, error["loc"])): error["type"] for error in refused.value.errors()}


def requested(value: Any, name: str = "") -> Any:
    """An example of an event as somebody could ask for it, its limits kept."""
    if isinstance(value, dict):
        computed = {"number", "label", "reference"} if name == "agenda" else set()
        return {key: requested(inner, key) for key, inner in value.items() if key not in computed}
    if isinstance(value, list):
        return [requested(inner, name) for inner in value]
    within = {"document_url": "https://www.example.org", "fiscal_year": 2012, "Value": "28.5"}
    within |= {"speech_years": 2012, "days_of_year": "05-21"}
    return within.get(name, within.get(str(value), value))


@pytest.mark.parametrize("event_type", EVENT_TYPES.values(), ids=EVENT_TYPES)
def test_any_event_can_be_proposed_as_it_lies_in_the_log_but_for_what_is_computed(
    event_type: type[Event],
) -> None:
    numbers = msgspec.json.Encoder(decimal_format="number")
    example = requested(json.loads(numbers.encode(example_of(event_type))))
    request = request_of(event_type)
    body = {name: value for name, value in example.items() if name in request.model_fields}
    assert request.model_validate(body).struct() == msgspec.convert(body, event_type)
    assert example.keys() - body.keys() <= {
        "number",
        "level",
        "report",
        "draft",
        "previous",
        "period",
        "period_end_on",
        "effective_on",
        "retracted",
        "parts",
        *OF_EDITIONS,
        *OF_MEETINGS,
    }
    assert faults(event_type, {**body, "unheard_of": 1}) == {"unheard_of": "extra_forbidden"}


@pytest.mark.parametrize(
    ("event_type", "body", "computed"),
    [
        (ProgressReported, {"period": "2012-Q3"}, {"number": 7}),
        (LeadReassigned, {"lead_organization": "HEALTH", "reason": "x"}, {"previous": "INTERIOR"}),
        (
            DeadlineRevised,
            {"deadline": "public", "on": "2014-12-31", "reason": "x"},
            {"previous": "2013-12-31"},
        ),
    ],
)
def test_what_the_service_fills_in_is_no_member_of_a_request(
    event_type: type[Event], body: dict[str, Any], computed: dict[str, Any]
) -> None:
    request_of(event_type).model_validate(body)
    assert faults(event_type, body | computed) == dict.fromkeys(computed, "extra_forbidden")


def test_a_part_of_an_event_has_no_computed_members_in_a_request_either() -> None:
    agenda = [{"title": "Victimisation"}, {"number": 2, "title": "Prisons"}]
    assert faults(AgendaAgreed, {"agenda": agenda, "agreed_with": ["DIPRES"]}) == {
        "agenda/1/number": "extra_forbidden"
    }


def test_what_is_computed_may_be_asked_for_where_the_request_says_so() -> None:
    request = request_of(MilestoneSet, optional=("number",))
    body = {"name": "Bill sent", "due_on": "2013-03-31"}
    assert request.model_validate(body).struct().number is COMPUTED
    assert request.model_validate({**body, "number": 3}).struct().number == 3
    assert faults(MilestoneSet, {**body, "number": 0}, optional=("number",)) == {
        "number": "greater_than_equal"
    }


def test_a_member_that_the_event_always_has_may_be_left_to_the_service() -> None:
    request = request_of(Registered, optional=("visibility",))
    asked = request.model_validate(REGISTRATION)
    assert asked.visibility is None  # type: ignore[attr-defined]
    assert asked.struct(TODAY, visibility=Visibility.RESERVED).visibility is Visibility.RESERVED


def test_what_comes_from_elsewhere_is_no_member_and_is_given_to_the_event() -> None:
    request = request_of(ProgressReviewed, without=("report",))
    assert request.model_validate({"outcome": "accepted"}).struct(TODAY, report=3).report == 3
    comment = request_of(Commented, without=("text",))
    assert comment.model_validate({}).struct(TODAY, text="x") == Commented(text="x", effective_on=TODAY)
    assert faults(Commented, {"text": "x"}, without=("text",)) == {"text": "extra_forbidden"}


def test_a_day_may_be_left_out_and_is_then_today_and_no_other() -> None:
    request = request_of(Assessed)
    on_track = {"judgement": "on_track"}
    assert request.model_validate(on_track).struct(TODAY) == Assessed(
        judgement=Judgement.ON_TRACK, effective_on=TODAY
    )
    assert request.model_validate({**on_track, "effective_on": None}).struct(TODAY).effective_on == TODAY
    assert (
        request.model_validate({**on_track, "effective_on": "2012-06-30"}).struct(TODAY).effective_on == JUNE
    )
    for wrong in ("30-06-2012", "", 20120630, "2012-06-31"):
        assert faults(Assessed, {**on_track, "effective_on": wrong}) == {"effective_on": "value_error"}


def test_a_day_that_may_be_left_out_is_described_all_the_same() -> None:
    member = request_of(Registered).model_json_schema()["properties"]["effective_on"]
    assert member["description"] == "The first day it counts; today by default."


def test_a_day_that_has_another_meaning_is_never_today_by_itself() -> None:
    assert faults(MilestoneSet, {"name": "x"}) == {"due_on": "missing"}
    asked = request_of(MinutesCirculated).model_validate({"recipients": []})
    assert asked.struct(TODAY).effective_on is None


def test_parts_are_proposed_as_parts_however_deep() -> None:
    seat = {"position": "legal counsel", "institution": "INTERIOR"}
    body = {**REGISTRATION, "working_team": [seat], "origin": {"kind": "other"}, "kind": "action"}
    proposed = request_of(Registered).model_validate(body).struct(TODAY)
    assert proposed.working_team == (TeamMember(**seat),)
    assert proposed.origin is not None
    assert proposed.origin.kind == "other"
    assert proposed.kind is CommitmentKind.ACTION
    assert faults(Registered, {**body, "working_team": [seat, {**seat, "name": "Somebody"}]}) == {
        "working_team/1/name": "extra_forbidden"
    }
    assert faults(Registered, {**body, "origin": {}}) == {"origin/kind": "missing"}
    assert faults(Registered, {**body, "origin": "other"}).keys() == {"origin"}


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"title": "x" * 501}, {"title": "string_too_long"}),
        ({"title": " "}, {"title": "string_pattern_mismatch"}),
        ({"title": None}, {"title": "string_type"}),
        ({"code": "x" * 65}, {"code": "string_too_long"}),
        ({"goal": "x" * 20_001}, {"goal": "string_too_long"}),
        ({"key_words": ["a"] * 201}, {"key_words": "too_long"}),
        ({"key_words": ["a", ""]}, {"key_words/1": "string_too_short"}),
        ({"kind": "promise"}, {"kind": "enum"}),
        (
            {"origin": {"kind": "other", "document_url": "ftp://x"}},
            {"origin/document_url": "string_pattern_mismatch"},
        ),
        ({"public_deadline": {"on": "2012-02-30"}}, {"public_deadline/on": "value_error"}),
    ],
)
def test_a_request_keeps_to_the_limits_of_the_event(more: dict[str, Any], fault: dict[str, str]) -> None:
    assert faults(Registered, REGISTRATION | more) == fault


def test_what_the_domain_refuses_with_an_error_of_its_own_passes_here() -> None:
    request_of(Commented).model_validate({"text": " "})
    request_of(RisksAssessed).model_validate({"change_management": 7})
    assert faults(RisksAssessed, {"change_management": "high"}) == {"change_management": "int_type"}


def test_null_is_as_good_as_left_out_where_something_may_be_left_out() -> None:
    request = request_of(Registered)
    body = REGISTRATION | dict.fromkeys(("goal", "pillar", "origin", "stage"))
    assert request.model_validate(body).struct(TODAY) == request.model_validate(REGISTRATION).struct(TODAY)


def test_a_value_that_may_be_null_but_not_left_out_is_proposed_as_null() -> None:
    body: dict[str, Any] = {"field": "public_deadline", "value": None, "reason": "There never was one"}
    assert request_of(Corrected).model_validate(body).struct() == Corrected(**body)
    assert faults(Corrected, {"field": "title", "reason": "x"}) == {"value": "missing"}


def test_a_request_may_have_fields_of_other_types_than_the_event() -> None:
    request = request_of(
        KeyIssued,
        without=("key_id", "secret_sha256"),
        name="KeyRequest",
        doc="For whom a key acts.",
        scopes=(Annotated[tuple[Literal["read", "write"], ...], Field(min_length=1)], ("read",)),
        organization=Literal["DCI"],
    )
    body = {"role": "dci", "organization": "DCI", "expires_at": "2012-12-31T00:00:00Z"}
    assert request.model_validate(body).struct(key_id="k", secret_sha256="5e").scopes == ("read",)
    with pytest.raises(ValidationError):
        request.model_validate({**body, "organization": "MOP"})
    with pytest.raises(ValidationError):
        request.model_validate({**body, "scopes": []})
    assert (request.__name__, request.__doc__) == ("KeyRequest", "For whom a key acts.")


def test_a_request_refuses_what_it_does_not_know_and_what_is_no_finite_number() -> None:
    class Body(RequestModel):
        a: float = 0

    for wrong in ({"b": 1}, {"a": float("inf")}):
        with pytest.raises(ValidationError):
            Body.model_validate(wrong)
