"""Promises to legislate by the stage of their bill, as reports and corrections told it, on any day."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shared.events.commitments import (
    Corrected,
    ProgressReported,
    ProgressReviewed,
    PublicDeadline,
    Registered,
    Split,
)
from shared.events.facts import Event
from shared.events.retractions import CommitmentFactRetracted
from shared.events.vocabulary import Nature, ReviewOutcome, Visibility
from tests.services.reporting.installation import Installation
from tests.services.reporting.stage import Stage, staged

pytestmark = pytest.mark.anyio

BEGUN = date(2012, 5, 21)
DUE = date(2013, 3, 1)
RULE = "rule=bill_stage_1"


def registered(code: str, **more: Any) -> tuple[str, Event]:
    """A public promise of a law."""
    return code, Registered(
        code=code,
        title=f"Title of {code}",
        lead_organization="MINSEGPRES",
        effective_on=BEGUN,
        visibility=Visibility.PUBLIC,
        public_deadline=PublicDeadline(on=DUE),
        **{"nature": Nature.LEGISLATIVE, **more},
    )


def reported(code: str, number: int, day: date, stage: str) -> tuple[str, Event]:
    return code, ProgressReported(number=number, period="2012", effective_on=day, stage=stage)


def tell(stage: Stage) -> None:
    """A bill up to the law, one told otherwise since, one sent back, one split, and one that is none."""
    stage.append(
        registered("LAW", stage="Anteproyecto"),
        registered("MENDED", stage="en obra"),
        registered("RETURNED"),
        registered("ROAD", nature=Nature.MANAGERIAL, stage="segundo trámite"),
        registered("WHOLE"),
    )
    stage.append(
        reported("LAW", 1, date(2012, 8, 1), "primer trámite constitucional"),
        reported("LAW", 2, date(2012, 10, 1), "SEGUNDO TRAMITE"),
        reported("LAW", 3, date(2012, 12, 1), "Comisión mixta"),
        reported("LAW", 4, date(2013, 2, 1), "Ley"),
        ("MENDED", Corrected(field="stage", value="second chamber", reason="was of another")),
        reported("RETURNED", 1, date(2012, 6, 1), "first chamber"),
        reported("RETURNED", 2, date(2012, 7, 1), "law"),
        ("RETURNED", ProgressReviewed(report=2, outcome=ReviewOutcome.RETURNED, reason="no such law")),
        ("WHOLE", Split(parts=("PART-1", "PART-2"), reason="r", effective_on=date(2012, 6, 1))),
    )
    stage.append(
        registered("PART-1", split_from="WHOLE", stage="law"),
        registered("PART-2", split_from="WHOLE", stage="first chamber"),
    )


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    url = f"sqlite:///{tmp_path_factory.mktemp('bills') / 'log.db'}"
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


def states(answer: dict[str, Any]) -> dict[str, str | None]:
    return {item["code"]: item["status"] for item in answer["items"]}


BOARDS = {
    "2012-05-30": {"LAW": "needs_attention", "MENDED": "on_time", "RETURNED": "on_time"},
    "2012-08-15": {"LAW": "on_time", "MENDED": "on_time", "RETURNED": "on_time"},
    "2012-09-03": {"LAW": "needs_attention", "MENDED": "on_time", "RETURNED": "needs_attention"},
    "2012-11-30": {"LAW": "on_time", "MENDED": "on_time", "RETURNED": "needs_attention"},
    "2013-01-15": {"LAW": "on_time", "MENDED": "needs_attention", "RETURNED": "needs_attention"},
    "2013-03-15": {"LAW": "achieved", "MENDED": "delayed", "RETURNED": "delayed"},
}
"""What the rule says of each day; first chamber wants 180 days before 2013-03-01, second chamber 60."""


async def test_a_board_judges_bills_by_the_stage_of_the_day(reporting: Installation) -> None:
    for on, expected in BOARDS.items():
        board = await reporting.read(f"/v1/board?on={on}&{RULE}")
        assert states(board) | expected == states(board), on
        assert board["status_rule"] == "bill_stage_1"
        listed = await reporting.read(f"/v1/commitments?on={on}&{RULE}", role=None)
        assert states(listed) == states(board)
        assert sum(board["totals"]["by_status"].values()) + board["totals"]["split"] == 5 + 2
        usual = await reporting.read(f"/v1/board?on={on}")
        assert set(states(usual).values()) <= {"on_time", "delayed", None}
        assert states(usual)["ROAD"] == states(board)["ROAD"], "what needs no law has no bill"


async def test_the_state_names_the_event_that_told_the_stage(reporting: Installation, stage: Stage) -> None:
    found = (await reporting.read(f"/v1/board?on=2012-05-30&{RULE}"))["items"]
    told = {item["code"]: item["status_because"] for item in found}
    assert told["LAW"] == {"position": 1, "fact": "bill_stage"}
    assert told["MENDED"] == {"position": 10, "fact": "bill_stage"}
    timeline = await reporting.read(f"/v1/commitments/LAW/timeline?{RULE}")
    assert [
        (one["from_on"], one["status"], one["because"]["type"].partition(".")[2], one["passed_deadline_on"])
        for one in timeline["items"]
    ] == [
        ("2012-05-21", "needs_attention", "registered", None),
        ("2012-08-01", "on_time", "progress_reported", None),
        ("2012-09-03", "needs_attention", "progress_reported", None),
        ("2012-10-01", "on_time", "progress_reported", None),
        ("2012-12-01", "on_time", "progress_reported", None),
        ("2013-02-01", "achieved", "progress_reported", None),
    ]
    usual = await reporting.read("/v1/commitments/LAW/timeline")
    assert [one["status"] for one in usual["items"]] == ["on_time", "delayed"]


async def test_changes_and_accounts_between_two_days_name_it_too(reporting: Installation) -> None:
    days = f"from=2013-01-15&to=2013-02-15&{RULE}"
    changes = (await reporting.read(f"/v1/board/changes?{days}"))["items"]
    law = next(item for item in changes if item["code"] == "LAW")
    assert (law["status_before"], law["status_after"]) == ("on_time", "achieved")
    assert [(one["what"], one["because"]["type"]) for one in law["changes"]] == [
        ("state", "commitments.progress_reported")
    ]
    for by in ("state", "organization"):
        entries = (await reporting.read(f"/v1/reconciliation?{days}&by={by}"))["items"]
        told = [(one["code"], one["term"], one["on"], one["because"]["position"]) for one in entries]
        assert told == [("LAW", "achieved", "2013-02-01", law["status_because"]["position"])]


async def test_a_promise_is_as_far_as_the_worst_of_the_bills_it_was_split_into(
    reporting: Installation,
) -> None:
    for on, state in (
        ("2012-08-15", "on_time"),
        ("2012-09-03", "needs_attention"),
        ("2013-03-15", "delayed"),
    ):
        board = await reporting.read(f"/v1/board?on={on}&count_by=promise&{RULE}")
        assert states(board)["WHOLE"] == state
    assert states(await reporting.read(f"/v1/board?on=2013-03-15&{RULE}"))["PART-1"] == "achieved"


async def test_a_board_known_earlier_does_not_know_the_stage_told_since(reporting: Installation) -> None:
    before = await reporting.read(f"/v1/board?on=2013-03-15&position=8&{RULE}")
    assert states(before)["LAW"] == "delayed"


async def test_a_report_that_is_retracted_told_no_stage(tmp_path: Path) -> None:
    with staged(f"sqlite:///{tmp_path / 'log.db'}") as made:
        tell(made)
        made.append(("LAW", CommitmentFactRetracted(version=5, reason="another bill")))
        made.start_worker()
        made.wait()
        async with Installation(tmp_path / "service", made).running() as running:
            board = await running.read(f"/v1/board?on=2013-03-15&{RULE}")
            assert states(board)["LAW"] == "delayed"
            assert board["items"][0]["corrected"]["what"] == "stage"
