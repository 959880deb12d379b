"""The board, its changes and the timeline as a client sees them, on both engines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.events.commitments import (
    Assessed,
    ChangeableField,
    Changed,
    Completed,
    Corrected,
    DeadlineRevised,
    Discarded,
    Evidence,
    InternalDeadline,
    Merged,
    OrganizationRegistered,
    PillarRegistered,
    PublicDeadline,
    Registered,
    VisibilityChanged,
)
from shared.events.vocabulary import DeadlineKind, DiscardReason, Judgement, Visibility
from shared.identity.actor import Role
from shared.rules.traffic_light import Status
from tests.services.reporting.installation import Installation
from tests.services.reporting.stage import Stage, staged

SPEECH = date(2012, 5, 21)
PAST_BOARD = "/v1/board?on=2012-12-31"


def at(year: int, month: int, day: int) -> datetime:
    """Noon in UTC."""
    return datetime(year, month, day, 12, tzinfo=UTC)


def registered(
    code: str, lead: str, pillar: str, visibility: Visibility, **more: Any
) -> tuple[str, Registered]:
    """A commitment of the speech."""
    return code, Registered(
        code=code,
        title=f"Title of {code}",
        lead_organization=lead,
        pillar=pillar,
        visibility=visibility,
        effective_on=SPEECH,
        **more,
    )


MINISTRY = ("MOP", OrganizationRegistered(code="MOP", name="Public Works"))
PILLARS = (
    ("health", PillarRegistered(code="health", name="Health", rank=2)),
    ("growth", PillarRegistered(code="growth", name="Growth", rank=1)),
)
DEADLINES = {
    "public_deadline": PublicDeadline(on=date(2013, 3, 1)),
    "internal_deadline": InternalDeadline(on=date(2012, 10, 1)),
}
AT_RISK = Assessed(effective_on=date(2012, 8, 1), judgement=Judgement.AT_RISK, reason="no permits")
DISCARDED = Discarded(reason_type=DiscardReason.BUDGETARY, reason="no money", effective_on=date(2012, 9, 1))
MERGED = Merged(into="C-1", reason="the same thing", effective_on=date(2012, 9, 1))
POSTPONED = DeadlineRevised(
    deadline=DeadlineKind.PUBLIC, on=date(2014, 3, 1), effective_on=date(2013, 2, 1), reason="late permits"
)
COMPLETED = Completed(completed_on=date(2012, 11, 30), evidence=(Evidence(description="opened"),))


def tell(stage: Stage) -> None:
    """Six commitments and what became of them; what was told last is about earlier days."""
    stage.append(MINISTRY, kind="organization", now=at(2012, 5, 1))
    stage.append(*PILLARS, kind="pillar", now=at(2012, 5, 1))
    stage.append(
        registered("A-1", "MOP", "health", Visibility.PUBLIC, **DEADLINES),
        registered("A-2", "MOP", "growth", Visibility.PUBLIC),
        registered("B-1", "MINSAL", "health", Visibility.INTERNAL),
        registered("C-1", "MINSAL", "health", Visibility.RESERVED, collaborating_organizations=("MOP",)),
        registered("D-1", "MINEDUC", "growth", Visibility.PUBLIC),
        registered("E-1", "MINEDUC", "growth", Visibility.PUBLIC, parent="B-1"),
        now=at(2012, 5, 21),
    )
    stage.append(("A-2", AT_RISK), now=at(2012, 8, 2))
    stage.append(("D-1", DISCARDED), ("E-1", MERGED), now=at(2012, 9, 3))
    stage.append(("A-1", POSTPONED), ("A-2", COMPLETED), now=at(2013, 3, 10))


@contextmanager
def told(log_url: str) -> Iterator[Stage]:
    """A log with its read model up to date."""
    with staged(log_url) as made:
        tell(made)
        made.start_worker()
        made.wait()
        yield made


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def standing_stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """One for all tests that only read it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('log') / 'bitacora.db'}"
    else:
        url = str(request.getfixturevalue("module_postgres_url"))
    with told(url) as made:
        yield made


@pytest.fixture(scope="module")
async def standing(
    standing_stage: Stage, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    """The service over a record that only is read."""
    async with Installation(tmp_path_factory.mktemp("service"), standing_stage).running() as running:
        yield running


@pytest.fixture
def stage(log_url: str) -> Iterator[Stage]:
    """One of its own for a test that goes on writing."""
    with told(log_url) as made:
        yield made


@pytest.fixture
async def reporting(stage: Stage, tmp_path: Path) -> AsyncIterator[Installation]:
    """The service over that."""
    async with Installation(tmp_path, stage).running() as running:
        yield running


async def test_the_board_lists_commitments_with_their_status_and_what_it_follows_from(
    standing: Installation,
) -> None:
    board = await standing.read(PAST_BOARD)
    assert board["on"] == "2012-12-31"
    assert board["position"] == standing.stage.store.head()
    assert board["status_rule"] == "traffic_light_1"
    assert board["scope"] == "everything"
    assert {item["code"]: item["status"] for item in board["items"]} == {
        "A-1": "needs_attention_internal_deadline",
        "A-2": "achieved",
        "B-1": "on_time",
        "C-1": "on_time",
        "D-1": "discarded",
        "E-1": None,
    }
    first, second = board["items"][:2]
    assert (first["pillar_name"], first["lead_organization_name"]) == ("Health", "Public Works")
    assert first["status_because"]["fact"] == "internal_deadline"
    assert second["status_because"] == {"position": standing.stage.store.head(), "fact": "closure"}
    assert board["items"][5]["merged_into"] == "C-1"
    assert board["totals"]["registered"] == 6
    assert board["totals"]["merged"] == 1
    assert set(board["totals"]["by_status"]) == set(Status)


async def test_what_was_told_later_is_not_on_the_board_of_an_earlier_position(
    reporting: Installation,
) -> None:
    then = await reporting.read(f"{PAST_BOARD}&known_at=2012-12-31T12:00:00Z")
    assert {item["code"]: item["status"] for item in then["items"]}["A-2"] == "needs_attention"
    again = await reporting.get(f"{PAST_BOARD}&position={then['position']}")
    assert again.json() == then
    assert again.headers["Log-Position"] == str(then["position"])
    await reporting.told(("A-1", Assessed(effective_on=SPEECH, judgement=Judgement.AT_RISK)))
    once_more = await reporting.get(f"{PAST_BOARD}&position={then['position']}")
    assert once_more.content == again.content
    assert once_more.headers["ETag"] == again.headers["ETag"]


async def test_without_a_day_the_board_is_that_of_the_day_the_position_was_current(
    standing: Installation,
) -> None:
    assert (await standing.read("/v1/board"))["on"] == "2013-04-30"
    assert (await standing.read("/v1/board?known_at=2012-08-15T02:00:00Z"))["on"] == "2012-08-14"
    position = (await standing.read("/v1/board?known_at=2012-08-15T02:00:00Z"))["position"]
    assert (await standing.read(f"/v1/board?position={position}"))["on"] == "2012-08-02"
    empty = await standing.read("/v1/board?position=0")
    assert (empty["totals"]["registered"], empty["items"], empty["known_at"]) == (0, [], None)


async def test_groups_are_ordered_by_rank_and_add_up_to_the_totals(standing: Installation) -> None:
    board = await standing.read(f"{PAST_BOARD}&group_by=pillar,status&include=total")
    assert [(group["pillar"], group["status"], group["count"]) for group in board["items"]] == [
        ("growth", "discarded", 1),
        ("growth", "achieved", 1),
        ("growth", "merged", 1),
        ("health", "needs_attention_internal_deadline", 1),
        ("health", "on_time", 2),
    ]
    assert sum(group["count"] for group in board["items"]) == board["totals"]["registered"] == 6
    assert board["total"] == 5
    by_lead = await standing.read(f"{PAST_BOARD}&group_by=organization")
    assert [
        (group["organization"], group["organization_name"], group["count"]) for group in by_lead["items"]
    ] == [
        ("MINEDUC", None, 2),
        ("MINSAL", None, 2),
        ("MOP", "Public Works", 2),
    ]
    assert by_lead["items"][0]["merged"] == 1


@pytest.mark.parametrize(
    ("filters", "codes"),
    [
        ("pillar=health", ["A-1", "B-1", "C-1"]),
        ("pillar=health,growth&status=on_time,discarded", ["B-1", "C-1", "D-1"]),
        ("organization=MOP", ["A-1", "A-2"]),
        ("judgement=at_risk", ["A-2"]),
        ("visibility=reserved", ["C-1"]),
        ("kind=action", []),
        ("origin=committee", []),
        ("result_type=outcome", []),
    ],
)
async def test_filters_leave_what_they_say_in_list_totals_and_groups(
    standing: Installation, filters: str, codes: list[str]
) -> None:
    board = await standing.read(f"{PAST_BOARD}&{filters}")
    grouped = await standing.read(f"{PAST_BOARD}&{filters}&group_by=kind")
    assert [item["code"] for item in board["items"]] == codes
    assert board["totals"]["registered"] == len(codes) == sum(group["count"] for group in grouped["items"])


async def test_pages_stay_on_one_position_and_day_while_the_log_grows(reporting: Installation) -> None:
    page = await reporting.read("/v1/board?limit=2")
    codes = [item["code"] for item in page["items"]]
    while page["next"]:
        await reporting.told(("A-1", Corrected(field="pillar", value="growth", reason="r")))
        following = await reporting.read(page["next"])
        assert following["position"] == page["position"]
        page = following
        codes += [item["code"] for item in page["items"]]
    assert codes == ["A-1", "A-2", "B-1", "C-1", "D-1", "E-1"]


async def test_without_a_token_only_what_is_public_then_and_now_is_there(reporting: Installation) -> None:
    board = await reporting.read(PAST_BOARD, role=None)
    assert board["scope"] == "public"
    assert [item["code"] for item in board["items"]] == ["A-1", "A-2", "D-1", "E-1"]
    assert board["totals"]["registered"] == 4
    # Neither the successor nor the parent of E-1 is public, and nothing gives them away.
    assert (board["items"][3]["merged_into"], board["items"][3]["parent"]) == (None, None)
    position = board["position"]
    await reporting.told(
        ("A-1", VisibilityChanged(visibility=Visibility.INTERNAL, previous=Visibility.PUBLIC, reason="r")),
        ("B-1", VisibilityChanged(visibility=Visibility.PUBLIC, previous=Visibility.INTERNAL, reason="r")),
    )
    then = await reporting.read(f"{PAST_BOARD}&position={position}", role=None)
    assert [item["code"] for item in then["items"]] == ["A-2", "D-1", "E-1"]
    now = await reporting.read(PAST_BOARD, role=None)
    assert [item["code"] for item in now["items"]] == ["A-2", "B-1", "D-1", "E-1"]
    assert await reporting.refused("/v1/commitments/A-1/timeline", role=None) == (404, "unknown-commitment")
    assert await reporting.refused("/v1/commitments/Z-9/timeline", role=None) == (404, "unknown-commitment")


@pytest.mark.parametrize(
    ("role", "organization", "codes"),
    [
        (Role.MINISTRY, "MINEDUC", ["A-1", "A-2", "B-1", "D-1", "E-1"]),
        (Role.MINISTRY, "MOP", ["A-1", "A-2", "B-1", "C-1", "D-1", "E-1"]),
        (Role.MINISTRY, "MINSAL", ["A-1", "A-2", "B-1", "C-1", "D-1", "E-1"]),
        (Role.DIPRES, "DIPRES", ["A-1", "A-2", "B-1", "C-1", "D-1", "E-1"]),
        (Role.AUDITOR, "CGR", ["A-1", "A-2", "B-1", "C-1", "D-1", "E-1"]),
    ],
)
async def test_reserved_commitments_are_for_those_concerned_and_those_who_watch_over_all(
    standing: Installation, role: Role, organization: str, codes: list[str]
) -> None:
    board = await standing.read(PAST_BOARD, role=role, organization=organization)
    assert [item["code"] for item in board["items"]] == codes


async def test_the_timeline_tells_each_state_and_the_event_that_made_it_so(standing: Installation) -> None:
    timeline = await standing.read("/v1/commitments/A-1/timeline?on=2012-12-31")
    assert timeline["status"] == "needs_attention_internal_deadline"
    assert [
        (span["from_on"], span["until_on"], span["status"], span["passed_deadline_on"])
        for span in timeline["items"]
    ] == [
        ("2012-05-21", "2012-10-02", "on_time", None),
        ("2012-10-02", "2013-02-01", "needs_attention_internal_deadline", "2012-10-01"),
        ("2013-02-01", "2014-03-02", "needs_attention_internal_deadline", None),
        ("2014-03-02", None, "delayed", "2014-03-01"),
    ]
    because = timeline["items"][3]["because"]
    assert because["type"] == "commitments.deadline_revised"
    assert because["recorded_at"] == "2013-03-10T12:00:00.000000Z"
    assert (because["organization"], because["subject"], because["reason"]) == ("DCI", "u-9", "late permits")
    public = await standing.read("/v1/commitments/A-1/timeline?on=2012-12-31", role=None)
    assert "subject" not in public["items"][-1]["because"]


async def test_a_late_fact_leaves_the_timeline_told_before_it_alone(standing: Installation) -> None:
    before = await standing.read("/v1/commitments/A-1/timeline?known_at=2013-03-01T00:00:00Z")
    assert [span["status"] for span in before["items"]] == [
        "on_time",
        "needs_attention_internal_deadline",
        "delayed",
    ]
    identifier = before["id"]
    assert (
        await standing.read(f"/v1/commitments/{identifier}/timeline?known_at=2013-03-01T00:00:00Z") == before
    )
    assert (await standing.refused("/v1/commitments/A-1/timeline?position=1"))[0] == 404


async def test_a_change_of_the_world_is_on_the_board_from_its_day_and_makes_no_days_of_its_own(
    reporting: Installation,
) -> None:
    before = (await reporting.read("/v1/commitments/A-1/timeline"))["items"]

    def change(field: ChangeableField, value: str) -> tuple[str, Changed]:
        return "A-1", Changed(field=field, value=value, effective_on=date(2012, 8, 1), reason="decreed")

    await reporting.told(
        change(ChangeableField.TITLE, "Less crime"),
        change(ChangeableField.PILLAR, "growth"),
        change(ChangeableField.PRIORITY, "high"),
    )
    told = []
    for day in ("2012-07-31", "2012-08-01"):
        (item,) = (await reporting.read(f"/v1/board?on={day}&organization=MOP&limit=1"))["items"]
        told.append((item["title"], item["pillar_name"], item["priority"]))
    assert told == [("Title of A-1", "Health", None), ("Less crime", "Growth", "high")]
    assert (await reporting.read("/v1/board?on=2012-08-01&priority=high"))["totals"]["registered"] == 1
    # A word that is on record, though not on that day, is no mistake.
    assert (await reporting.read("/v1/board?on=2012-07-31&priority=high"))["totals"]["registered"] == 0
    for question in (
        "board?priority=hi",
        "board?priority=high,hi&group_by=status",
        "commitments?priority=hi",
    ):
        refusal = (await reporting.get(f"/v1/{question}")).json()
        assert (refusal["status"], refusal["type"]) == (422, "/errors/filter-value-unknown")
        assert refusal["errors"][0]["pointer"] == "/query/priority"
        assert "The values are: high." in refusal["detail"]
    assert (await reporting.read("/v1/commitments/A-1/timeline"))["items"] == before


async def test_changes_are_the_commitments_in_another_state_than_before(standing: Installation) -> None:
    found = await standing.read("/v1/board/changes?from=2012-08-31&to=2012-12-31")
    assert [(item["code"], item["status_before"], item["status_after"]) for item in found["items"]] == [
        ("A-1", "on_time", "needs_attention_internal_deadline"),
        ("A-2", "needs_attention", "achieved"),
        ("D-1", "on_time", "discarded"),
        ("E-1", "on_time", None),
    ]
    new = await standing.read("/v1/board/changes?from=2012-05-20&to=2012-05-21&limit=4", role=None)
    assert [item["registered_before"] for item in new["items"]] == [False] * 4
    assert await standing.refused("/v1/board/changes?from=2013-01-01&to=2012-01-01") == (
        422,
        "days-reversed",
    )


async def test_an_answer_already_held_is_not_sent_again(standing: Installation) -> None:
    for path in (PAST_BOARD, f"{PAST_BOARD}&group_by=status", "/v1/commitments/A-1/timeline?on=2012-12-31"):
        first = await standing.get(path)
        again = await standing.get(path, If_None_Match=first.headers["ETag"])
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["Log-Position"] == first.headers["Log-Position"]


async def test_a_client_reads_its_own_write(reporting: Installation) -> None:
    appended = reporting.stage.append(
        ("A-1", Assessed(effective_on=date(2012, 6, 1), judgement=Judgement.AT_RISK))
    )
    answer = await reporting.get(f"{PAST_BOARD}&wait_for={appended.last}")
    assert answer.json()["items"][0]["status"] == "needs_attention"
    assert int(answer.headers["Log-Position"]) >= appended.last


async def test_a_position_that_is_not_reached_in_time_is_unavailable(
    reporting: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    beyond = reporting.stage.store.head() + 1
    # How long it really is, is seen in tests/api, for every route at once.
    monkeypatch.setattr("services.reporting.routes.asking.LONGEST_WAIT", 0.1)
    assert await reporting.refused(f"{PAST_BOARD}&wait_for={beyond}") == (503, "position-not-reached")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("known_at=2012-12-31T12:00:00Z&position=3", 422, "two-positions"),
        ("known_at=2033-12-31T12:00:00Z", 422, "known-at-to-come"),
        ("position=999999", 422, "position-to-come"),
        ("position=-1", 422, "request-invalid"),
        ("on=2012-02-31", 422, "request-invalid"),
        ("status=green", 422, "filter-value-unknown"),
        ("pillar=,", 422, "filter-value-unknown"),
        ("pillar=NO-SUCH-PILLAR", 422, "filter-value-unknown"),
        ("organization=NO-SUCH-ORGANIZATION", 422, "filter-value-unknown"),
        ("speech_year=NOPE", 422, "filter-value-unknown"),
        ("region=NOPE&group_by=status", 422, "filter-value-unknown"),
        ("priority=NOPE", 422, "filter-value-unknown"),
        ("group_by=colour", 422, "group-by-unknown"),
        ("group_by=status,status", 422, "group-by-unknown"),
        ("colour=green", 422, "query-unknown"),
        ("cursor=abc", 422, "cursor-invalid"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(
    standing: Installation, query: str, status: int, code: str
) -> None:
    assert await standing.refused(f"/v1/board?{query}") == (status, code)


async def test_readiness_says_how_far_the_read_model_is_behind(standing: Installation) -> None:
    health = await standing.read("/health/ready")
    assert health["checks"]["read_model"]["detail"] == f"at position {standing.stage.store.head()}"
