"""How a body may be described, and how it numbers decisions."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from msgspec import structs

from services.meetings.body.model import Body, check_body, decision_number
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
from tests.services.meetings.gatherings import ORGANIZATIONS, TODAY, body, committee, convened, day_of
from tests.support.scenario import STREAM, told

NUMBERED = DecisionsNumbered(meeting=STREAM, year=2012, first=1, last=2)


def description(**more: Any) -> BodyChanged:
    fields: dict[str, Any] = {
        "name": "Social Development Committee",
        "kind": BodyKind.COMMITTEE,
        "decides": False,
        "visibility": Visibility.INTERNAL,
    }
    return BodyChanged(**fields | more)


def test_codes_that_differ_by_capitals_only_are_one_code() -> None:
    with pytest.raises(RuleBroken, match="SOCIAL"):
        check_body("Social", description(), ORGANIZATIONS, ["POLITICAL", "SOCIAL"])
    check_body("SOCIAL-2", description(), ORGANIZATIONS, ["SOCIAL"])
    check_body("SOCIAL", description(), ORGANIZATIONS, ["SOCIAL"])


@pytest.mark.parametrize("office", ["presiding_organization", "secretariat"])
def test_nobody_presides_or_serves_a_body_as_of_a_day_on_which_it_was_no_more(office: str) -> None:
    def heirs_on(code: str, day: date) -> tuple[str, ...]:
        return ("DCI",) if code == "DIPRES" and day >= date(2012, 6, 1) else (code,)

    def since(day: date) -> BodyChanged:
        return description(protocol=Protocol(in_force_from=day), **{office: "DIPRES"})

    with pytest.raises(RuleBroken, match="successors: DCI"):
        check_body("SOCIAL", since(date(2012, 6, 1)), ORGANIZATIONS, heirs_on=heirs_on)
    check_body("SOCIAL", since(date(2012, 5, 31)), ORGANIZATIONS, heirs_on=heirs_on)


def test_a_body_is_registered_with_all_it_holds_itself_to() -> None:
    protocol = Protocol(
        expected_meetings=ExpectedMeetings(count=1, period=ProtocolPeriod.MONTH), days_to_minutes=7
    )
    described = description(protocol=protocol, mandatory_attendance=(Seat(organization="DIPRES"),))
    check_body("SOCIAL", described, ORGANIZATIONS)
    (event,) = Body.register("SOCIAL", described)
    assert event == BodyRegistered(code="SOCIAL", **structs.asdict(described))
    assert told(Body.begin, [event]).description == described


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
        (
            "A",
            {"mandatory_attendance": (Seat(position="P"), Seat(position="Q", aliases=(" p",)))},
            "named-twice",
            "/mandatory_attendance/1",
        ),
        (
            "A",
            {"mandatory_attendance": (Seat(organization="DCI", aliases=("Chief",)),)},
            "alias-of-no-position",
            "/mandatory_attendance/0/aliases",
        ),
        (
            "A",
            {"protocol": Protocol(recipients=(Seat(organization="X"),))},
            "unknown-organization",
            "/protocol/recipients/0/organization",
        ),
        (
            "A",
            {"protocol": Protocol(recipients_required=True)},
            "recipients-unnamed",
            "/protocol/recipients",
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
        check_body(code, description(**more), ORGANIZATIONS)
    assert (refused.value.code, refused.value.pointer) == (refusal, pointer)


def test_a_body_goes_on_each_day_by_what_was_in_force_then() -> None:
    def since(day: date | None, size: int) -> BodyChanged:
        protocol = Protocol(agenda_size=size, in_force_from=day)
        return description(protocol=protocol, mandatory_attendance=(Seat(position=f"Seat {size}"),))

    first, second = since(date(2010, 3, 11), 1), since(date(2011, 1, 1), 2)
    registered = BodyRegistered(code="SOCIAL", **structs.asdict(first))
    it = told(Body.begin, [registered, second])
    assert it.description_on(date(2010, 3, 10), day_of) is None
    assert it.description_on(date(2010, 3, 11), day_of) == first
    assert it.description_on(date(2011, 1, 1), day_of) == second
    assert it.protocol_on(date(2010, 3, 10), day_of) == Protocol()
    # Described anew from an earlier day, it goes by that from then on; what names no day begins when it is told.
    third, fourth = since(date(2010, 6, 1), 3), since(None, 4)
    it = told(Body.begin, [registered, second, third, fourth])
    sizes = [it.protocol_on(day, day_of).agenda_size for day in (date(2010, 5, 31), date(2011, 6, 1), TODAY)]
    assert sizes == [1, 3, 4]


def test_the_circle_of_a_reserved_body_is_settled_once_it_has_numbered_decisions() -> None:
    """Somebody who joined later could count the decisions that are hidden by the gaps in the numbers."""
    wider = structs.replace(body().description, organizations=("MINSAL", "MINEDUC"))
    body().must_keep_its_readers(wider)
    with pytest.raises(RuleBroken) as refused:
        body(NUMBERED).must_keep_its_readers(wider)
    assert refused.value.code == "body-circle-settled"
    renamed = structs.replace(body().description, name="Bilateral with the Ministry of Health")
    body(NUMBERED).must_keep_its_readers(renamed)


def test_nor_is_a_committee_opened_to_the_public_or_closed_once_it_has_numbered_decisions() -> None:
    for seen in (Visibility.PUBLIC, Visibility.RESERVED):
        described = structs.replace(committee().description, visibility=seen, organizations=("MINSAL",))
        with pytest.raises(RuleBroken) as refused:
            committee(NUMBERED).must_keep_its_readers(described)
        assert refused.value.code == "body-circle-settled"
    # With whom an open body is makes no difference to who knows of it.
    joined = structs.replace(committee().description, organizations=("MINSAL",))
    committee(NUMBERED).must_keep_its_readers(joined)


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
