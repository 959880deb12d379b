"""Who does not see everything is told days, and as position that of the last event they may read."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from services.reporting.queries.access import Scope
from services.reporting.queries.told import Told
from shared.events.commitments import (
    Assessed,
    Commented,
    DeadlineRevised,
    LeadReassigned,
    OrganizationRegistered,
    PublicDeadline,
    Registered,
    VisibilityChanged,
)
from shared.events.facts import Event
from shared.events.vocabulary import DeadlineKind, Judgement, Visibility
from shared.identity.actor import Role
from tests.services.reporting.gatherings import bilateral, convened, decided, tell
from tests.services.reporting.installation import Installation
from tests.services.reporting.stage import EVERYTHING, PUBLIC, Stage, ministry, staged

DAY = date(2013, 3, 12)
ANYBODY: dict[str, Any] = {"role": None}
LEADING: dict[str, Any] = {"role": Role.MINISTRY, "organization": "MOP"}
ELSEWHERE: dict[str, Any] = {"role": Role.MINISTRY, "organization": "MINSAL"}
LIMITED = (ANYBODY, LEADING, ELSEWHERE)


def promise(
    code: str, visibility: Visibility = Visibility.PUBLIC, lead: str = "MOP", **more: Any
) -> Registered:
    """A commitment."""
    return Registered(
        code=code, title=code, lead_organization=lead, visibility=visibility, effective_on=DAY, **more
    )


def warned(on: date) -> DeadlineRevised:
    """Another internal deadline."""
    return DeadlineRevised(
        deadline=DeadlineKind.INTERNAL, on=on, effective_on=DAY, reason="Sooner", previous=None
    )


def at(hour: int, day: int = 12) -> datetime:
    """An hour of a day of March, in UTC."""
    return datetime(2013, 3, day, hour, 30, tzinfo=UTC)


OPEN, DECIDED, OPEN_AGAIN, LATER = 4, 8, 9, 11
"""Positions of the story: the bridge and what is open of it, a bilateral and its decisions, a comment, the next day."""


@pytest.fixture
async def reporting(stage: Stage, tmp_path: Any) -> AsyncIterator[Installation]:
    """The service over a bridge with two deadlines, and a bilateral of which only those concerned know."""
    stage.append(
        ("BRIDGE", promise("BRIDGE", public_deadline=PublicDeadline(on=date(2014, 3, 1)))),
        ("SECRET", promise("SECRET", Visibility.RESERVED, "MININT")),
        now=at(14),
    )
    stage.append(
        ("BRIDGE", warned(date(2013, 3, 20))),
        ("BRIDGE", Commented(text="Under way", effective_on=DAY)),
        now=at(15),
    )
    known: dict[str, Any] = {"visibility": Visibility.RESERVED, "organizations": ("MININT",)}
    tell(stage, bilateral("BIL", "MININT"), convened("BIL", "M-1", DAY, **known), now=at(16))
    tell(stage, *(decided(f"BIL-2013-00{n}", DAY, **known) for n in (1, 2)), now=at(17))
    stage.append(("BRIDGE", Assessed(effective_on=DAY, judgement=Judgement.ON_TRACK, reason="r")), now=at(18))
    stage.append(("SECRET", Commented(text="Not yet", effective_on=DAY)), now=at(19))
    stage.append(("BRIDGE", Commented(text="Still", effective_on=DAY)), now=at(14, 13))
    stage.start_worker()
    stage.wait()
    async with Installation(tmp_path, stage).running() as running:
        yield running


@pytest.fixture
def stage(sqlite_url: str) -> Iterator[Stage]:
    """A log of its own."""
    with staged(sqlite_url) as made:
        yield made


def members(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every member of an answer, however deep."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from members(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from members(inner, name)
    else:
        yield name, value


ROUTES = ("/v1/board", "/v1/commitments/BRIDGE/timeline", "/v1/decisions", "/v1/meeting-register")


async def test_only_those_who_see_everything_are_told_instants_of_recording(reporting: Installation) -> None:
    for path in ROUTES:
        whole = await reporting.read(path)
        assert whole["known_at"] == "2013-03-13T14:30:00.000000Z"
        assert (whole["known_on"], whole["position"]) == ("2013-03-13", LATER)
        for who in LIMITED:
            found = await reporting.read(path, **who)
            assert (found["known_on"], found["known_at"]) == ("2013-03-13", None)
            instants = {name for name, value in members(found) if "recorded_at" in name and value is not None}
            assert not instants
    because = (await reporting.read("/v1/commitments/BRIDGE/timeline", **ANYBODY))["items"][-1]["because"]
    assert (because["recorded_on"], because["recorded_at"]) == ("2013-03-12", None)


async def test_the_position_told_is_that_of_the_last_event_the_asker_may_read(
    reporting: Installation,
) -> None:
    """So that nobody counts the decisions of a bilateral by it, nor sees that an internal deadline was revised."""
    expected = {
        "public": [1, 1, 1, 4, 4, 4, 4, 4, 9, 9, 11],
        "leading": [1, 1, 3, 4, 4, 4, 4, 4, 9, 9, 11],
    }
    for eyes, who in (("public", ANYBODY), ("public", ELSEWHERE), ("leading", LEADING)):
        for path in ("/v1/board", "/v1/decisions"):
            answers = [await reporting.get(f"{path}?position={n}", **who) for n in range(1, LATER + 1)]
            assert [answer.json()["position"] for answer in answers] == expected[eyes]
            for answer, told in zip(answers, expected[eyes], strict=True):
                assert answer.headers["log-position"] == str(told)
                # The same bytes, and the same tag, as of the position told.
                same = answers[told - 1]
                assert (answer.content, answer.headers["etag"]) == (same.content, same.headers["etag"])
    everything = await reporting.get("/v1/board?position=8")
    assert (everything.json()["position"], everything.headers["log-position"]) == (8, "8")


async def test_how_far_the_log_has_got_is_not_told_by_what_is_refused(reporting: Installation) -> None:
    assert await reporting.refused(f"/v1/board?position={LATER + 1}") == (422, "position-to-come")
    assert await reporting.refused(f"/v1/board?wait_for={LATER + 9_000}") == (503, "position-not-reached")
    for who in LIMITED:
        newest = await reporting.get(f"/v1/board?position={LATER}", **who)
        for query in (
            f"position={LATER + 1}",
            f"position={2**50}",
            f"position={LATER}&wait_for={LATER + 9_000}",
        ):
            assert (await reporting.get(f"/v1/board?{query}", **who)).content == newest.content


async def test_who_does_not_see_everything_asks_by_day(reporting: Installation) -> None:
    for query in ("known_at=2013-03-12T15:00:00Z", "known_at=2013-03-12T15:00:00.000001-03:00"):
        for who in LIMITED:
            assert await reporting.refused(f"/v1/board?{query}", **who) == (422, "known-at-by-day")
    for day, told in (("2013-03-11", 0), ("2013-03-12", 9), ("2013-03-13", 11), ("2013-04-30", 11)):
        for who in LIMITED:
            assert (await reporting.read(f"/v1/board?known_at={day}", **who))["position"] == told
    assert (await reporting.read("/v1/board?known_at=2013-03-12"))["position"] == 10
    for day in ("2013-05-01", "9999-12-31"):
        for one in (*LIMITED, {}):
            assert await reporting.refused(f"/v1/board?known_at={day}", **one) == (422, "known-at-to-come")
    about = await reporting.read("/v1/board?known_at=2013-03-12", **ANYBODY)
    assert about["on"] == "2013-03-12"


async def test_pages_go_on_from_the_position_told(reporting: Installation) -> None:
    await reporting.told(("ROAD", promise("ROAD")), ("SECRET", Commented(text="Never", effective_on=DAY)))
    first = await reporting.read("/v1/board?limit=1", **ANYBODY)
    second = await reporting.read(first["next"], **ANYBODY)
    assert [page["position"] for page in (first, second)] == [LATER + 1] * 2
    assert [page["items"][0]["code"] for page in (first, second)] == ["BRIDGE", "ROAD"]


async def test_who_wrote_waits_for_it_and_is_told_of_it(reporting: Installation) -> None:
    written = await asyncio.to_thread(
        reporting.stage.append, ("BRIDGE", Commented(text="Ours", effective_on=DAY))
    )
    found = await reporting.get(f"/v1/board?wait_for={written.last}", **LEADING)
    assert found.headers["log-position"] == str(written.last)


async def test_the_internal_deadline_is_for_the_unit_and_those_concerned(reporting: Installation) -> None:
    on = "on=2013-03-25"
    for who in (ANYBODY, ELSEWHERE):
        (item,) = (await reporting.read(f"/v1/board?{on}", **who))["items"]
        assert (item["status"], item["internal_deadline_on"]) == ("on_time", None)
        filtered = await reporting.read(f"/v1/board?{on}&status=needs_attention_internal_deadline", **who)
        assert (filtered["items"], filtered["totals"]["registered"]) == ([], 0)
        (group,) = (await reporting.read(f"/v1/board?{on}&group_by=status", **who))["items"]
        assert group["status"] == "on_time"
        assert (await reporting.read("/v1/board/changes?from=2013-03-20&to=2013-03-25", **who))["items"] == []
        timeline = await reporting.read(f"/v1/commitments/BRIDGE/timeline?{on}", **who)
        assert [(days["status"], days["from_on"]) for days in timeline["items"]] == [
            ("on_time", "2013-03-12"),
            ("delayed", "2014-03-02"),
        ]
        assert b"2013-03-20" not in msgspec.json.encode(timeline)
    for who in (LEADING, {}, {"role": Role.DIPRES}):
        board = await reporting.read(f"/v1/board?{on}&status=needs_attention_internal_deadline", **who)
        assert [(one["code"], one["internal_deadline_on"]) for one in board["items"]] == [
            ("BRIDGE", "2013-03-20")
        ]
        changes = await reporting.read("/v1/board/changes?from=2013-03-20&to=2013-03-25", **who)
        assert [one["code"] for one in changes["items"]] == ["BRIDGE"]
        timeline = await reporting.read(f"/v1/commitments/BRIDGE/timeline?{on}", **who)
        assert timeline["status"] == "needs_attention_internal_deadline"


# --- against a plain look at every event --------------------------------------------------------------------------


class Ledger:
    """Random commitments and what each asker may read of them, kept by hand."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage = stage
        self.draw = random.Random(seed)
        self.open: dict[str, Visibility] = {}
        self.leads: dict[str, str] = {}
        self.events: list[tuple[str, bool]] = []
        """Of which commitment, and whether of its internal deadline alone; by position."""

    def grow(self, batches: int) -> None:
        for _ in range(batches):
            told = [self._event() for _ in range(self.draw.randint(1, 30))]
            self.stage.append(*told)

    def _event(self) -> tuple[str, Event]:
        draw = self.draw
        code = draw.choice([*self.open, ""])
        if not code or draw.random() < 0.1:
            code = f"C-{len(self.events)}"
            self.open[code] = draw.choice(list(Visibility))
            self.leads[code] = draw.choice(("MOP", "MINSAL"))
            self.events.append((code, False))
            return code, promise(code, self.open[code], self.leads[code])
        kind = draw.choice(["comment"] * 20 + ["internal"] * 5 + ["visibility", "lead", "name"])
        self.events.append((code if kind != "name" else "", kind == "internal"))
        if kind == "visibility":
            self.open[code] = draw.choice(list(Visibility))
            return code, VisibilityChanged(
                visibility=self.open[code], previous=Visibility.INTERNAL, reason="It is so"
            )
        if kind == "lead":
            self.leads[code] = draw.choice(("MOP", "MINSAL"))
            return code, LeadReassigned(
                lead_organization=self.leads[code], previous="X", effective_on=DAY, reason="It is so"
            )
        if kind == "internal":
            return code, warned(DAY + timedelta(days=draw.randrange(90)))
        if kind == "name":
            self.stage_names = getattr(self, "stage_names", 0) + 1
            return f"O-{self.stage_names}", OrganizationRegistered(
                code=f"O-{self.stage_names}", name="Office"
            )
        return code, Commented(text="So it is", effective_on=DAY)

    def last_told(self, upto: int, organization: str | None) -> int:
        """What an asker is to be told, found by looking at every event."""
        for position in range(upto, 0, -1):
            code, internal = self.events[position - 1]
            own = organization is not None and self.leads.get(code) == organization
            seen = code == "" or own or self.open[code] is Visibility.PUBLIC
            if organization is not None and code and self.open[code] is Visibility.INTERNAL:
                seen = True
            if seen and (own or not internal):
                return position
        return 0


@pytest.mark.parametrize("seed", range(4))
def test_what_is_told_is_found_by_looking_at_every_event(log_url: str, seed: int) -> None:
    with staged(log_url) as stage:
        ledger, told = Ledger(stage, seed), Told(stage.store)
        stage.start_worker()
        askers: list[tuple[str | None, Scope]] = [
            (None, PUBLIC),
            *((one, ministry(one)) for one in ("MOP", "X")),
        ]
        for _ in range(6):
            ledger.grow(8)
            stage.wait()
            with stage.read_model.reading() as reading:
                asked = [reading.position, *(ledger.draw.randint(0, reading.position) for _ in range(12))]
                for upto in asked:
                    for organization, scope in askers:
                        expected = ledger.last_told(upto, organization)
                        assert told.position(reading, scope, upto) == expected
                    assert told.position(reading, EVERYTHING, upto) == upto
