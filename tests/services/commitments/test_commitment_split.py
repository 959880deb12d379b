"""A promise that becomes several: the parts are there at once or not at all, and each knows where it comes from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.commitments.commitment.model import Commitment
from services.commitments.commitment.splitting import Splitting, events_of, parts_of
from shared.aggregate.command import OnStream
from shared.errors import InvalidInput, RuleBroken
from shared.events.commitments import (
    Corrected,
    DeadlineRevised,
    LeadReassigned,
    Merged,
    Origin,
    PublicDeadline,
    Registered,
    Reopened,
    Split,
    VisibilityChanged,
)
from shared.events.facts import Event
from shared.events.streams import stream_of
from shared.events.vocabulary import DeadlineKind, OriginKind, Visibility
from shared.identity.actor import Role
from shared.rules.traffic_light import Closure
from tests.services.commitments.installation import Installation, refused
from tests.services.commitments.promises import (
    JULY,
    JUNE,
    KNOWN,
    MAY,
    TODAY,
    TOMORROW,
    completed,
    discarded,
    given,
    merged,
    registered,
)
from tests.support.scenario import on

PARTS: tuple[dict[str, Any], ...] = (
    {"code": "SEG-14-A", "title": "Burglary"},
    {"code": "SEG-14-B", "title": "Robbery"},
)
SPEECH = Origin(kind=OriginKind.MAY_21_SPEECH, source_on=MAY, quote="We will")


def asked(day: date = JULY, parts: tuple[dict[str, Any], ...] = PARTS, reason: str = "Too wide") -> Splitting:
    return Splitting(Split(reason=reason, effective_on=day, decision="BIL-2012-3"), parts)


def splitting(proposed: Splitting) -> Any:
    """The decision of the original alone."""
    return lambda it: it.split(proposed.split, on(TODAY), [part["code"] for part in proposed.parts])


def into_parts(it: Commitment, proposed: Splitting) -> list[Registered]:
    """The parts as they are registered."""
    context = on(TODAY)
    parts = parts_of(it, proposed)
    split = it.split(proposed.split, context, [part.code for part in parts])
    *others, last = events_of(it, split, parts, [KNOWN] * len(parts), context)
    assert last == split
    found = []
    for code, one in zip(split.parts, others, strict=True):
        assert isinstance(one, OnStream)
        assert (one.stream_id, one.version) == (stream_of("commitment", code), 1)
        assert isinstance(one.event, Registered)
        found.append(one.event)
    return found


def split(day: date = JULY) -> Split:
    return Split(parts=("SEG-14-A", "SEG-14-B"), reason="Too wide", effective_on=day, decision="BIL-2012-3")


def test_a_split_commitment_knows_its_parts_and_has_no_status_of_its_own() -> None:
    given().when(splitting(asked())).then(split())
    it = given(registered(), split()).thing
    verdict = it.verdict_on(JULY)
    assert verdict is not None
    assert (verdict.status, verdict.because) == (None, 2)
    assert it.dated.closures.on(JULY)[0] is Closure.SPLIT
    assert it.split_into == ("SEG-14-A", "SEG-14-B")
    before = it.verdict_on(JUNE)
    assert before is not None
    assert before.status == "on_time"


def test_a_part_has_what_its_original_has_on_that_day_unless_it_says_otherwise() -> None:
    it = given(
        registered(
            origin=SPEECH, visibility=Visibility.PUBLIC, weight=Decimal(3), goal="28.6 %", pillar="SECURITY"
        ),
        DeadlineRevised(deadline=DeadlineKind.PUBLIC, on=date(2014, 6, 30), effective_on=JUNE, reason="r"),
        LeadReassigned(lead_organization="HEALTH", previous="INTERIOR", effective_on=JUNE, reason="r"),
        VisibilityChanged(visibility=Visibility.INTERNAL, previous=Visibility.PUBLIC, reason="r"),
    ).thing
    own = {"lead_organization": "POLICE", "public_deadline": None, "visibility": Visibility.RESERVED}
    first, second = into_parts(it, asked(parts=(PARTS[0], PARTS[1] | own | {"weight": Decimal("0.5")})))
    assert first == Registered(
        code="SEG-14-A",
        title="Burglary",
        lead_organization="HEALTH",
        effective_on=JULY,
        split_from="SEG-14",
        visibility=Visibility.INTERNAL,
        origin=SPEECH,
        pillar="SECURITY",
        public_deadline=PublicDeadline(on=date(2014, 6, 30), origin="May 21 speech"),
        internal_deadline=it.registration.internal_deadline,
        responsible_service="POLICE",
        collaborating_organizations=("JUSTICE",),
    )
    assert (second.lead_organization, second.public_deadline) == ("POLICE", None)
    assert (second.visibility, second.weight) == (Visibility.RESERVED, Decimal("0.5"))


def test_the_parts_of_a_published_bilateral_promise_are_public_as_it_is() -> None:
    it = given(
        registered(origin=Origin(kind=OriginKind.BILATERAL_MEETING), visibility=Visibility.RESERVED),
        VisibilityChanged(visibility=Visibility.PUBLIC, previous=Visibility.RESERVED, reason="r"),
    ).thing
    assert {part.visibility for part in into_parts(it, asked())} == {Visibility.PUBLIC}


def test_no_part_is_more_public_than_the_original() -> None:
    it = given().thing
    with pytest.raises(InvalidInput) as refusal:
        into_parts(it, asked(parts=(PARTS[0], PARTS[1] | {"visibility": Visibility.PUBLIC})))
    assert (refusal.value.code, refusal.value.pointer) == ("part-wider-than-original", "/parts/1/visibility")


@pytest.mark.parametrize(
    ("proposed", "code", "pointer"),
    [
        (asked(parts=PARTS[:1]), "split-too-few", "/parts"),
        (asked(parts=(PARTS[0], PARTS[0])), "named-twice", "/parts/1"),
        (asked(reason=" "), "reason-required", "/reason"),
        (asked(TOMORROW), "date-in-future", "/effective_on"),
    ],
)
def test_what_is_no_split_is_refused(proposed: Splitting, code: str, pointer: str) -> None:
    given().when(splitting(proposed)).refused(code, InvalidInput, pointer)


@pytest.mark.parametrize(
    ("earlier", "day", "code"),
    [
        ((), date(2012, 5, 20), "before-registration"),
        ((completed(),), JULY, "commitment-closed"),
        ((discarded(),), JUNE, "commitment-closed"),
        ((merged(),), JULY, "commitment-closed"),
        ((split(JUNE),), JULY, "commitment-closed"),
        ((completed(JULY),), JUNE, "commitment-closed"),
    ],
)
def test_only_what_is_open_from_that_day_on_is_split(
    earlier: tuple[Event, ...], day: date, code: str
) -> None:
    given(registered(), *earlier).when(splitting(asked(day))).refused(code, RuleBroken)


def test_what_was_split_is_not_reopened() -> None:
    reopening = Reopened(reason="A mistake", effective_on=TODAY)
    given(registered(), split()).when(lambda it: it.reopen(reopening, on(TODAY))).refused(
        "split-not-reopened", RuleBroken
    )


def test_facts_after_a_split_are_told_of_its_parts() -> None:
    it = given(registered(), split()).thing
    with pytest.raises(RuleBroken, match="SEG-14-A, SEG-14-B"):
        it.complete(completed(TODAY), on(TODAY))


def test_where_a_part_comes_from_is_not_corrected() -> None:
    part = registered(split_from="SEG-1")
    moved = Corrected(field="split_from", value="SEG-2", reason="Misread")
    given(part).when(lambda it: it.correct(moved, on(TODAY), KNOWN)).refused(
        "field-not-correctable", InvalidInput, "/field"
    )
    # An old log may say so.
    assert given(part, moved).thing.registration.split_from == "SEG-2"


# --- over HTTP -----------------------------------------------------------------------------------------------------


@dataclass
class Told:
    service: Installation
    split: Any


@pytest.fixture
async def told(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Told]:
    """SEG-14, split on the first of April; OTHER beside it."""
    async with Installation(tmp_path, sqlite_url).running() as service:
        await service.told("PUT", "/v1/organizations/INTERIOR", {"name": "Interior"})
        for code in ("SEG-14", "OTHER"):
            body = {
                "code": code,
                "title": code,
                "lead_organization": "INTERIOR",
                "effective_on": "2012-05-21",
            }
            await service.told("POST", "/v1/commitments", body)
        asked = {"parts": PARTS, "reason": "Too wide", "effective_on": "2013-04-01"}
        answer = await service.told("POST", "/v1/commitments/SEG-14/splits", asked, If_Match='"1"')
        yield Told(service, answer.json())


async def test_original_and_parts_name_each_other(told: Told) -> None:
    original = await told.service.read("/v1/commitments/SEG-14")
    assert (original["status"], original["split_into"]) == (None, ["SEG-14-A", "SEG-14-B"])
    assert original["closing"]["kind"] == "split"
    assert original["closing"]["parts"] == ["SEG-14-A", "SEG-14-B"]
    assert told.split == {name: original[name] for name in ("id", "code", "version")} | {"position": 6}
    for code in original["split_into"]:
        part = await told.service.read(f"/v1/commitments/{code}")
        assert (part["split_from"], part["effective_on"], part["version"]) == ("SEG-14", "2013-04-01", 1)


async def test_a_reader_of_the_original_does_not_learn_of_a_part_that_is_hidden(told: Told) -> None:
    hide = {"visibility": "reserved", "reason": "A trial"}
    await told.service.told("POST", "/v1/commitments/SEG-14-B/publications", hide, If_Match="*")
    elsewhere = {"role": Role.MINISTRY, "organization": "HEALTH"}
    original = await told.service.read("/v1/commitments/SEG-14", **elsewhere)
    assert original["split_into"] == original["closing"]["parts"] == ["SEG-14-A"]
    history = await told.service.read("/v1/commitments/SEG-14/history", **elsewhere)
    assert history["items"][-1]["data"]["parts"] == ["SEG-14-A"]
    hide = {"visibility": "reserved", "reason": "A trial"}
    await told.service.told("POST", "/v1/commitments/SEG-14/publications", hide, If_Match="*")
    assert (await told.service.read("/v1/commitments/SEG-14-A", **elsewhere))["split_from"] is None


async def test_nothing_of_a_split_is_recorded_when_one_part_cannot_be(told: Told) -> None:
    head = (await told.service.read("/v1/commitments/OTHER"))["version"]
    for second, code in (
        ({"code": "SEG-14", "title": "Taken"}, "code-taken"),
        ({"code": "NEW-2", "title": "Two", "pillar": "NONE"}, "unknown-pillar"),
    ):
        body = {"parts": [{"code": "NEW-1", "title": "One"}, second], "reason": "Too wide"}
        answer = await told.service.ask("POST", "/v1/commitments/OTHER/splits", body, If_Match="*")
        assert refused(answer)[1] == code
    assert (await told.service.read("/v1/commitments/OTHER"))["version"] == head
    assert refused(await told.service.ask("GET", "/v1/commitments/NEW-1")) == (404, "unknown-commitment")


async def test_a_part_is_split_again_and_nothing_goes_on_in_a_circle(told: Told) -> None:
    again = {"parts": [{"code": "A-1", "title": "One"}, {"code": "A-2", "title": "Two"}], "reason": "r"}
    await told.service.told("POST", "/v1/commitments/SEG-14-A/splits", again, If_Match="*")
    await told.service.told(
        "POST", "/v1/commitments/A-1/mergers", {"into": "OTHER", "reason": "r"}, If_Match="*"
    )
    for into in ("SEG-14", "SEG-14-A"):
        circle = await told.service.ask(
            "POST", "/v1/commitments/OTHER/mergers", {"into": into, "reason": "r"}, If_Match="*"
        )
        assert refused(circle) == (409, "merger-in-a-circle")
    onward = {"into": "A-2", "reason": "The other part is another matter"}
    await told.service.told("POST", "/v1/commitments/OTHER/mergers", onward, If_Match="*")


async def test_a_split_that_was_a_mistake_is_retracted_with_its_parts(told: Told) -> None:
    service, mistaken = told.service, {"version": 2, "reason": "The wrong promise"}
    await service.told("POST", "/v1/commitments/SEG-14/retractions", mistaken, If_Match="*")
    original = await service.read("/v1/commitments/SEG-14")
    assert (original["status"], original["split_into"], original["closing"]) == ("on_time", [], None)
    for code in ("SEG-14-A", "SEG-14-B"):
        assert refused(await service.ask("GET", f"/v1/commitments/{code}")) == (404, "unknown-commitment")
        again = {"code": code, "title": code, "lead_organization": "INTERIOR"}
        assert refused(await service.ask("POST", "/v1/commitments", again)) == (409, "code-taken")
    same = {"parts": PARTS, "reason": "Too wide"}
    answer = await service.ask("POST", "/v1/commitments/OTHER/splits", same, If_Match="*")
    assert refused(answer) == (409, "code-taken")
    renamed = [part | {"code": f"{part['code']}2"} for part in PARTS]
    await service.told("POST", "/v1/commitments/SEG-14/splits", same | {"parts": renamed}, If_Match="*")
    assert (await service.read("/v1/commitments/SEG-14"))["split_into"] == ["SEG-14-A2", "SEG-14-B2"]
    then = await service.read("/v1/commitments/SEG-14?version=2")
    assert then["split_into"] == ["SEG-14-A", "SEG-14-B"]


async def test_every_view_of_before_still_shows_the_parts_of_a_split_that_was_retracted(told: Told) -> None:
    service, mistaken = told.service, {"version": 2, "reason": "The wrong promise"}
    part = await service.read("/v1/commitments/SEG-14-A")
    service.now += timedelta(days=1)
    await service.told("POST", "/v1/commitments/SEG-14-B/comments", {"text": "Begun"}, If_Match="*")
    await service.told("POST", "/v1/commitments/SEG-14-B/retractions", mistaken, If_Match="*")
    await service.told("POST", "/v1/commitments/SEG-14/retractions", mistaken, If_Match="*")
    for code, retracted in (("seg-14-b", [4, 3, None, None]), ("seg-14-a", [2, None])):
        history = (await service.read(f"/v1/commitments/{code}/history"))["items"]
        assert [item["retracted_by"] for item in history] == retracted
    assert (await service.read("/v1/commitments/SEG-14-B?version=2"))["comments"][0]["text"] == "Begun"
    known_at = history[0]["recorded_at"]
    for view in ("SEG-14-A?version=1", f"SEG-14-A?known_at={known_at}", f"{part['id']}?version=1"):
        assert await service.read(f"/v1/commitments/{view}") == part
    for view in ("SEG-14-A?version=2", "SEG-14-A?version=3"):
        answer = await service.ask("GET", f"/v1/commitments/{view}")
        assert refused(answer) == (404, "version-not-found")
    assert refused(await service.ask("GET", "/v1/commitments/SEG-14-A")) == (404, "unknown-commitment")


async def test_who_could_not_read_a_part_does_not_learn_of_it_when_it_is_retracted(told: Told) -> None:
    service = told.service
    elsewhere: dict[str, Any] = {"role": Role.MINISTRY, "organization": "HEALTH"}
    parts = [
        {"code": "OPEN-1", "title": "One"},
        {"code": "HID-1", "title": "Two", "visibility": "reserved"},
    ]
    asked = {"parts": parts, "reason": "r"}
    await service.told("POST", "/v1/commitments/OTHER/splits", asked, If_Match="*")
    mistaken = {"version": 2, "reason": "The wrong promise"}
    await service.told("POST", "/v1/commitments/OTHER/retractions", mistaken, If_Match="*")
    for view in ("?version=1", "/history", ""):
        answer = await service.ask("GET", f"/v1/commitments/HID-1{view}", **elsewhere)
        assert refused(answer) == (404, "unknown-commitment")
    assert (await service.read("/v1/commitments/OPEN-1?version=1", **elsewhere))["split_from"] == "OTHER"
    then = await service.read("/v1/commitments/OTHER?version=2", **elsewhere)
    assert then["split_into"] == ["OPEN-1"]


async def test_what_was_said_of_a_part_and_taken_back_does_not_stand_in_the_way(told: Told) -> None:
    service, mistaken = told.service, {"version": 2, "reason": "Said of the wrong one"}
    await service.told("POST", "/v1/commitments/SEG-14-A/comments", {"text": "Begun"}, If_Match="*")
    await service.told("POST", "/v1/commitments/SEG-14-A/retractions", mistaken, If_Match="*")
    await service.told("POST", "/v1/commitments/SEG-14/retractions", mistaken, If_Match="*")
    assert (await service.read("/v1/commitments/SEG-14"))["split_into"] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("SEG-14-A/comments", {"text": "Begun"}),
        ("OTHER/mergers", {"into": "SEG-14-A", "reason": "The same promise"}),
        ("OTHER/changes", {"field": "parent", "value": "SEG-14-A", "reason": "Part of it"}),
        ("LATER/corrections", {"field": "parent", "value": "SEG-14-A", "reason": "Part of it"}),
    ],
)
async def test_a_split_stays_when_something_was_said_of_its_parts(told: Told, path: str, body: Any) -> None:
    later = {"code": "LATER", "title": "Of the day of the split", "lead_organization": "INTERIOR"}
    await told.service.told("POST", "/v1/commitments", later | {"effective_on": "2013-04-01"})
    await told.service.told("POST", f"/v1/commitments/{path}", body, If_Match="*")
    mistaken = {"version": 2, "reason": "The wrong promise"}
    answer = await told.service.ask("POST", "/v1/commitments/SEG-14/retractions", mistaken, If_Match="*")
    assert refused(answer) == (409, "retraction-in-the-way")
    assert "SEG-14-A" in answer.json()["detail"]
    assert (await told.service.read("/v1/commitments/SEG-14-A"))["split_from"] == "SEG-14"
    # Once that is taken back as well, nothing is in the way any more.
    where = f"/v1/commitments/{path.split('/', maxsplit=1)[0]}/retractions"
    await told.service.told("POST", where, mistaken, If_Match="*")
    await told.service.told("POST", "/v1/commitments/SEG-14/retractions", mistaken, If_Match="*")
    assert (await told.service.read("/v1/commitments/SEG-14"))["split_into"] == []
    assert refused(await told.service.ask("GET", "/v1/commitments/SEG-14-A")) == (404, "unknown-commitment")


async def test_only_what_names_a_part_and_is_believed_is_in_the_way_of_taking_a_split_back(
    told: Told,
) -> None:
    service = told.service
    for field, value in (("title", "SEG-14-A"), ("priority", "SEG-14-B")):
        said = {"field": field, "value": value, "reason": "SEG-14-A"}
        await service.told("POST", "/v1/commitments/OTHER/corrections", said, If_Match="*")
    into = {"into": "SEG-14-A", "reason": "The same promise"}
    await service.told("POST", "/v1/commitments/OTHER/mergers", into, If_Match="*")
    mistaken: dict[str, Any] = {"version": 4, "reason": "The wrong one"}
    await service.told("POST", "/v1/commitments/OTHER/retractions", mistaken, If_Match="*")
    mistaken = {"version": 2, "reason": "The wrong promise"}
    await service.told("POST", "/v1/commitments/SEG-14/retractions", mistaken, If_Match="*")
    assert (await service.read("/v1/commitments/SEG-14"))["split_into"] == []


async def test_what_an_indicator_measures_is_not_taken_back(told: Told) -> None:
    rate = {
        "code": "RATE",
        "name": "Burglaries",
        "unit": "%",
        "direction": "decrease",
        "commitment": "SEG-14-A",
    }
    await told.service.told("POST", "/v1/indicators", rate)
    mistaken = {"version": 2, "reason": "The wrong promise"}
    answer = await told.service.ask("POST", "/v1/commitments/SEG-14/retractions", mistaken, If_Match="*")
    assert refused(answer) == (409, "retraction-in-the-way")
    assert "RATE" in answer.json()["detail"]


def test_old_logs_that_only_registered_parts_still_fold() -> None:
    it = given(registered(split_from="SEG-1"), Merged(into="SEG-2", reason="r", effective_on=JUNE)).thing
    assert (it.registration.split_from, it.merged_into, it.split_into) == ("SEG-1", "SEG-2", ())
