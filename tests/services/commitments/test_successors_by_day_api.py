"""What was merged or split goes on in something that is there and open, in whatever order that is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.services.commitments.installation import Installation, refused

pytestmark = pytest.mark.anyio

MERGED_ON = "2011-06-01"


@pytest.fixture
async def service(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Installation]:
    """A was merged into B as of 2011-06-01; C stands beside them."""
    async with Installation(tmp_path, sqlite_url).running() as running:
        await running.told("PUT", "/v1/organizations/INTERIOR", {"name": "Interior"})
        for code in ("A", "B", "C"):
            body = {
                "code": code,
                "title": code,
                "lead_organization": "INTERIOR",
                "effective_on": "2010-05-21",
            }
            await running.told("POST", "/v1/commitments", body)
        merger = {"into": "B", "reason": "The same promise", "effective_on": MERGED_ON}
        await running.told("POST", "/v1/commitments/A/mergers", merger, If_Match='"1"')
        yield running


def closed_as_of(day: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("completions", {"completed_on": day, "evidence": [{"description": "Law"}]}),
        ("discards", {"reason_type": "technical", "reason": "r", "effective_on": day}),
        ("mergers", {"into": "C", "reason": "r", "effective_on": day}),
        (
            "splits",
            {"parts": [{"code": c, "title": c} for c in ("P", "Q")], "reason": "r", "effective_on": day},
        ),
    ]


@pytest.mark.parametrize(("what", "body"), closed_as_of("2011-05-31"))
async def test_nothing_was_closed_before_something_was_merged_into_it(
    service: Installation, what: str, body: dict[str, Any]
) -> None:
    answer = await service.ask("POST", f"/v1/commitments/B/{what}", body, If_Match="*")
    assert refused(answer) == (409, "merger-into-closed")
    assert f"'A' was merged into it as of {MERGED_ON}" in answer.json()["detail"]


@pytest.mark.parametrize(("what", "body"), closed_as_of(MERGED_ON))
async def test_it_is_closed_from_the_day_of_the_merger_on(
    service: Installation, what: str, body: dict[str, Any]
) -> None:
    await service.told("POST", f"/v1/commitments/B/{what}", body, If_Match="*")


async def test_a_merger_that_was_retracted_is_in_nobodys_way(service: Installation) -> None:
    await service.told("POST", "/v1/commitments/A/retractions", {"version": 2, "reason": "r"}, If_Match="*")
    what, body = closed_as_of("2011-05-31")[0]
    await service.told("POST", f"/v1/commitments/B/{what}", body, If_Match="*")


async def test_the_reopening_that_a_merger_rests_on_is_not_retracted(service: Installation) -> None:
    done = {"completed_on": "2010-12-01", "evidence": [{"description": "Law"}]}
    await service.told("POST", "/v1/commitments/C/completions", done, If_Match="*")
    again = {"reason": "Not all of it", "effective_on": MERGED_ON}
    await service.told("POST", "/v1/commitments/C/reopenings", again, If_Match="*")
    merger = {"into": "C", "reason": "The same promise", "effective_on": MERGED_ON}
    await service.told("POST", "/v1/commitments/B/mergers", merger, If_Match="*")
    mistaken = {"version": 3, "reason": "r"}
    answer = await service.ask("POST", "/v1/commitments/C/retractions", mistaken, If_Match="*")
    assert refused(answer) == (409, "merger-into-closed")
    assert "'B'" in answer.json()["detail"]


async def test_a_successor_does_not_count_from_a_later_day_on(service: Installation) -> None:
    later = {"field": "effective_on", "value": "2012-01-01", "reason": "Misread"}
    answer = await service.ask("POST", "/v1/commitments/B/corrections", later, If_Match="*")
    assert refused(answer) == (409, "successor-not-there-yet")
    assert "'A' goes on in it from 2011-06-01 on" in answer.json()["detail"]
    later["value"] = MERGED_ON
    await service.told("POST", "/v1/commitments/B/corrections", later, If_Match="*")


async def test_a_part_counts_from_the_day_of_its_split_on(service: Installation) -> None:
    _, body = closed_as_of("2012-03-01")[3]
    await service.told("POST", "/v1/commitments/C/splits", body, If_Match="*")
    later = {"field": "effective_on", "value": "2012-04-01", "reason": "Misread"}
    answer = await service.ask("POST", "/v1/commitments/P/corrections", later, If_Match="*")
    assert refused(answer) == (409, "successor-not-there-yet")
