"""How a body may be described, and how it numbers decisions."""

from __future__ import annotations

from typing import Any

import pytest

from services.meetings.domain.body import BodyDescription, decision_number, register_body
from shared.errors import InvalidInput, RuleBroken
from shared.events.meeting_vocabulary import BodyKind, ProtocolPeriod
from shared.events.meetings import (
    BodyChanged,
    BodyRegistered,
    DecisionsNumbered,
    ExpectedMeetings,
    Protocol,
    Seat,
)
from shared.events.vocabulary import Visibility
from tests.services.meetings.gatherings import ORGANIZATIONS, body, committee, convened
from tests.support.scenario import STREAM

NUMBERED = DecisionsNumbered(meeting=STREAM, year=2012, first=1, last=2)


def description(**more: Any) -> BodyDescription:
    fields: dict[str, Any] = {
        "name": "Social Development Committee",
        "kind": BodyKind.COMMITTEE,
        "decides": False,
        "visibility": Visibility.INTERNAL,
    }
    return BodyDescription(**fields | more)


def test_codes_that_differ_by_capitals_only_are_one_code() -> None:
    with pytest.raises(RuleBroken, match="SOCIAL"):
        register_body("Social", description(), ORGANIZATIONS, ["POLITICAL", "SOCIAL"])
    assert register_body("SOCIAL-2", description(), ORGANIZATIONS, ["SOCIAL"])


def test_a_body_is_registered_with_all_it_holds_itself_to() -> None:
    protocol = Protocol(
        expected_meetings=ExpectedMeetings(count=1, period=ProtocolPeriod.MONTH), days_to_minutes=7
    )
    described = description(protocol=protocol, mandatory_attendance=(Seat(organization="DIPRES"),))
    (event,) = register_body("SOCIAL", described, ORGANIZATIONS)
    assert event == BodyRegistered(code="SOCIAL", **described._asdict())


@pytest.mark.parametrize(
    ("code", "more", "refusal", "pointer"),
    [
        ("", {}, "body-code-malformed", "/code"),
        ("a b", {}, "body-code-malformed", "/code"),
        ("x" * 41, {}, "body-code-malformed", "/code"),
        ("A", {"name": " "}, "text-required", "/name"),
        ("A", {"presiding_organization": "X"}, "unknown-organization", "/presiding_organization"),
        ("A", {"secretariat": "X"}, "unknown-organization", "/secretariat"),
        ("A", {"organizations": ("DCI", "DCI")}, "named-twice", "/organizations/1"),
        ("A", {"mandatory_attendance": (Seat(),)}, "seat-empty", "/mandatory_attendance/0"),
        (
            "A",
            {"mandatory_attendance": (Seat(organization="X"),)},
            "unknown-organization",
            "/mandatory_attendance/0/organization",
        ),
        (
            "A",
            {"mandatory_attendance": (Seat(position="P"), Seat(position="P"))},
            "named-twice",
            "/mandatory_attendance/1",
        ),
        ("A", {"protocol": Protocol(agenda_size=0)}, "protocol-figure-impossible", "/protocol/agenda_size"),
        (
            "A",
            {"kind": BodyKind.BILATERAL, "organizations": ("MINSAL",)},
            "bilateral-not-reserved",
            "/visibility",
        ),
        (
            "A",
            {"kind": BodyKind.REGIONAL_BILATERAL, "visibility": Visibility.RESERVED},
            "bilateral-without-organizations",
            "/organizations",
        ),
    ],
)
def test_a_body_that_makes_no_sense_is_refused(
    code: str, more: dict[str, Any], refusal: str, pointer: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        register_body(code, description(**more), ORGANIZATIONS)
    assert (refused.value.code, refused.value.pointer) == (refusal, pointer)


def test_describing_a_body_the_same_way_again_records_nothing() -> None:
    assert committee().describe(committee().description, ORGANIZATIONS) == []
    other = committee().description._replace(decides=True)
    assert committee().describe(other, ORGANIZATIONS) == [BodyChanged(**other._asdict())]


def test_the_circle_of_a_reserved_body_is_settled_once_it_has_numbered_decisions() -> None:
    """Somebody who joined later could count the decisions that are hidden by the gaps in the numbers."""
    wider = body().description._replace(organizations=("MINSAL", "MINEDUC"))
    assert len(body().describe(wider, ORGANIZATIONS)) == 1
    with pytest.raises(RuleBroken) as refused:
        body(NUMBERED).describe(wider, ORGANIZATIONS)
    assert refused.value.code == "body-circle-settled"
    renamed = body().description._replace(name="Bilateral with the Ministry of Health")
    assert len(body(NUMBERED).describe(renamed, ORGANIZATIONS)) == 1


def test_nor_is_a_committee_opened_to_the_public_or_closed_once_it_has_numbered_decisions() -> None:
    for seen in (Visibility.PUBLIC, Visibility.RESERVED):
        described = committee().description._replace(visibility=seen, organizations=("MINSAL",))
        with pytest.raises(RuleBroken) as refused:
            committee(NUMBERED).describe(described, ORGANIZATIONS)
        assert refused.value.code == "body-circle-settled"
    # With whom an open body is makes no difference to who knows of it.
    joined = committee().description._replace(organizations=("MINSAL",))
    assert len(committee(NUMBERED).describe(joined, ORGANIZATIONS)) == 1


def test_a_meeting_that_was_convened_for_another_circle_gets_no_numbers() -> None:
    joined = body(organizations=("MINSAL", "MINEDUC"))
    with pytest.raises(RuleBroken) as refused:
        joined.number_decisions(meeting=STREAM, year=2012, count=1, convened=convened())
    assert refused.value.code == "meeting-of-another-circle"
    opened = committee()
    with pytest.raises(RuleBroken):
        opened.number_decisions(meeting=STREAM, year=2012, count=1, convened=convened())
    assert joined.number_decisions(meeting=STREAM, year=2012, count=0, convened=convened()).last == 0


def test_decisions_are_numbered_from_one_in_each_year() -> None:
    it = body(NUMBERED)
    assert it.number_decisions(meeting=STREAM, year=2012, count=3, convened=convened()) == DecisionsNumbered(
        meeting=STREAM, year=2012, first=3, last=5
    )
    assert it.number_decisions(meeting=STREAM, year=2013, count=1, convened=convened()) == DecisionsNumbered(
        meeting=STREAM, year=2013, first=1, last=1
    )
    assert decision_number("SEG", 2012, 14) == "SEG-2012-014"
    assert decision_number("SEG", 2012, 1014) == "SEG-2012-1014"
