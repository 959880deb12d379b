"""Any day under another rule, or with other values of its parameters, without touching what was reported."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.events.commitments import (
    Assessed,
    Completed,
    Evidence,
    InternalDeadline,
    PublicDeadline,
    Registered,
    Split,
)
from shared.events.facts import Event
from shared.events.vocabulary import Judgement, Visibility
from shared.identity.actor import Role
from tests.services.reporting.installation import Installation
from tests.services.reporting.stage import Stage, staged

pytestmark = pytest.mark.anyio

BEGUN = date(2012, 5, 21)
DUE = date(2012, 12, 31)


def registered(code: str, due: date | None = DUE, **more: Any) -> tuple[str, Event]:
    """A public commitment with a deadline."""
    return code, Registered(
        code=code,
        title=f"Title of {code}",
        lead_organization="MOP",
        effective_on=BEGUN,
        visibility=Visibility.PUBLIC,
        public_deadline=None if due is None else PublicDeadline(on=due),
        **more,
    )


def tell(stage: Stage) -> None:
    """One that runs late, one done late, one split of which a part runs late, one without a deadline."""
    stage.append(
        registered("LATE", internal_deadline=InternalDeadline(on=date(2012, 10, 1)), adviser="A. Adviser"),
        registered("DONE"),
        registered("WHOLE"),
        registered("NEVER", None),
    )
    stage.append(
        ("LATE", Assessed(effective_on=date(2012, 8, 1), judgement=Judgement.AT_RISK, reason="r")),
        ("DONE", Completed(completed_on=date(2013, 1, 20), evidence=(Evidence(description="e"),))),
        ("WHOLE", Split(parts=("PART-1", "PART-2"), reason="r", effective_on=date(2012, 6, 1))),
    )
    parts: dict[str, Any] = {"split_from": "WHOLE"}
    stage.append(registered("PART-1", **parts), registered("PART-2", date(2013, 1, 10), **parts))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    url = f"sqlite:///{tmp_path_factory.mktemp('replay') / 'log.db'}"
    if request.param == "postgresql":
        url = str(request.getfixturevalue("module_postgres_url"))
    with staged(url) as made:
        tell(made)
        made.start_worker()
        made.wait()
        yield made


@pytest.fixture(scope="module")
async def reporting(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    async with Installation(Path(tmp_path_factory.mktemp("reporting")), stage).running() as running:
        yield running


def states(items: list[dict[str, Any]]) -> dict[str, str | None]:
    return {item["code"]: item["status"] for item in items}


async def test_days_of_grace_put_off_the_day_on_which_a_commitment_is_late(reporting: Installation) -> None:
    for days_late, late in ((0, False), (30, False), (31, True)):
        on = DUE + timedelta(days=days_late)
        board = await reporting.read(f"/v1/board?on={on}&rule=traffic_light_1:grace_days=30")
        assert board["status_rule"] == "traffic_light_1:grace_days=30"
        assert (states(board["items"])["LATE"] == "delayed") is late, on
        listed = await reporting.read(f"/v1/commitments?on={on}&rule=traffic_light_1:grace_days=30")
        assert states(listed["items"]) == states(board["items"])
        assert board["totals"]["by_status"]["delayed"] == (2 if late else 0)
    assert states((await reporting.read("/v1/board?on=2013-01-01"))["items"])["LATE"] == "delayed"


async def test_every_answer_that_tells_states_takes_a_rule_and_names_it(reporting: Installation) -> None:
    question, name = "on=2013-01-15&rule=traffic_light_1:grace_days=30", "traffic_light_1:grace_days=30"

    async def told(path: str) -> dict[str, Any]:
        answer: dict[str, Any] = await reporting.read(f"{path}?{question}")
        assert answer["status_rule"] == name, path
        return answer

    page = await told("/v1/commitments/LATE")
    assert (page["item"]["status"], page["item"]["status_because"]["fact"]) == (
        "needs_attention",
        "judgement",
    )
    assert (await told("/v1/commitments/LATE/timeline"))["status"] == "needs_attention"
    assert (await told("/v1/tree"))["totals"]["by_status"]["delayed"] == 0
    load = await told("/v1/load")
    assert [(one["adviser"], one["delayed"], one["needs_attention"]) for one in load["advisers"]] == [
        (None, 0, 0),
        ("A. Adviser", 0, 1),
    ]
    changes = await reporting.read(f"/v1/board/changes?from=2013-01-15&to=2013-02-15&rule={name}")
    assert changes["status_rule"] == name
    assert {item["code"]: (item["status_before"], item["status_after"]) for item in changes["items"]} == {
        "DONE": ("on_time", "achieved"),
        "LATE": ("needs_attention", "delayed"),
        "PART-1": ("on_time", "delayed"),
        "PART-2": ("on_time", "delayed"),
    }


async def test_a_timeline_turns_where_the_rule_does_and_names_the_deadline(reporting: Installation) -> None:
    timeline = await reporting.read("/v1/commitments/LATE/timeline?rule=traffic_light_1:grace_days=30")
    assert [(span["from_on"], span["status"], span["passed_deadline_on"]) for span in timeline["items"]] == [
        ("2012-05-21", "on_time", None),
        ("2012-08-01", "needs_attention", None),
        ("2013-01-31", "delayed", "2012-12-31"),
    ]


async def test_promises_are_counted_by_the_rule_that_is_asked_for(reporting: Installation) -> None:
    for rule, delayed in (("traffic_light_1", 3), ("traffic_light_1:grace_days=10", 0)):
        board = await reporting.read(f"/v1/board?on=2013-01-05&count_by=promise&rule={rule}")
        assert board["totals"]["by_status"]["delayed"] == delayed
        grouped = await reporting.read(f"/v1/board?on=2013-01-05&group_by=status&status=delayed&rule={rule}")
        assert [group["count"] for group in grouped["items"]] == [delayed] * bool(delayed)


async def test_the_rule_with_its_own_values_is_itself_and_another_has_another_tag(
    reporting: Installation,
) -> None:
    usual = await reporting.get("/v1/board?on=2013-01-15")
    for same in ("traffic_light_1", "traffic_light_1:grace_days=0"):
        again = await reporting.get(f"/v1/board?on=2013-01-15&rule={same}")
        assert (again.content, again.headers["ETag"]) == (usual.content, usual.headers["ETag"])
    other = await reporting.get("/v1/board?on=2013-01-15&rule=traffic_light_1:grace_days=1")
    assert other.headers["ETag"] != usual.headers["ETag"]
    page = await reporting.read("/v1/board?limit=1&rule=traffic_light_1:grace_days=1")
    assert "grace_days" in page["next"]
    onward = page["next"].replace("grace_days%3D1", "grace_days%3D2")
    assert await reporting.refused(onward) == (422, "cursor-mismatch")


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        ("traffic_light_2", "traffic_light_1"),
        ("indicator_verdict_2", "traffic_light_1"),
        ("", "traffic_light_1"),
        ("traffic_light_1:grace=1", "grace_days (0 to 3650)"),
        ("traffic_light_1:grace_days=3651", "grace_days (0 to 3650)"),
        ("traffic_light_1:grace_days=-1", "name=30"),
        ("traffic_light_1:grace_days=1,grace_days=2", "name=30"),
        ("traffic_light_1:grace_days", "name=30"),
        ("traffic_light_1:grace_days=%D9%A3", "name=30"),
    ],
)
async def test_what_is_no_rule_is_refused_with_what_there_is(
    reporting: Installation, rule: str, names: str
) -> None:
    for path in ("/v1/board", "/v1/tree", "/v1/commitments/LATE"):
        answer = await reporting.get(f"{path}?rule={rule}")
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/query/rule")
        assert answer.json()["type"].endswith("/rule-unknown")
        assert names in answer.json()["detail"]


async def test_the_first_and_the_last_day_are_judged_like_others(reporting: Installation) -> None:
    for on in ("0001-01-01", "9999-12-31"):
        for rule in ("traffic_light_1:grace_days=3650",):
            board = await reporting.read(f"/v1/board?on={on}&rule={rule}")
            assert states(board["items"]).get("LATE") == ("delayed" if on > "2000" else None)


async def test_the_rules_are_listed_with_their_lines_in_words(reporting: Installation) -> None:
    rules = {one["name"]: one for one in (await reporting.read("/v1/rules", role=None))["items"]}
    assert {name for name, one in rules.items() if one["current"]} == {
        "traffic_light_1",
        "indicator_verdict_2",
        "action_item_state_1",
    }
    light = rules["traffic_light_1"]
    assert light["parameters"][0] | {"meaning": ""} == {
        "name": "grace_days", "default": 0, "least": 0, "most": 3650, "meaning": "",
    }  # fmt: skip
    assert light["lines"][3] == {
        "verdict": "delayed",
        "when": "public_deadline < day - grace_days",
        "because": "public_deadline",
    }
    assert light["lines"][-1]["when"] is None


async def test_to_the_public_another_rule_tells_no_more_of_internal_deadlines(
    reporting: Installation,
) -> None:
    question = (
        "/v1/board?on=2012-10-15&rule=traffic_light_1:grace_days=30&status=needs_attention_internal_deadline"
    )
    for role in (None, Role.MINISTRY):
        assert (await reporting.read(question, role=role))["totals"]["registered"] == 0


async def test_the_count_of_one_day_becomes_that_of_another_by_the_rule_asked_for(
    reporting: Installation,
) -> None:
    rule = "rule=traffic_light_1:grace_days=30"
    answer = await reporting.read(f"/v1/reconciliation?from=2013-01-15&to=2013-02-15&{rule}")
    assert [(one["on"], one["code"], one["group_after"]) for one in answer["items"]] == [
        ("2013-01-20", "DONE", "achieved"),
        ("2013-01-31", "LATE", "delayed"),
        ("2013-01-31", "PART-1", "delayed"),
        ("2013-02-10", "PART-2", "delayed"),
    ]
    board = await reporting.read(f"/v1/board?on=2013-02-15&{rule}")
    closing = {one["group"]: one["closing"] for one in answer["groups"]}
    assert closing["delayed"] == board["totals"]["by_status"]["delayed"] == 3
