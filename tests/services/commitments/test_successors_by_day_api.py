"""What was merged or split goes on in something that is there and open, in whatever order that is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shared.eventlog.open import open_store
from shared.eventlog.store import Changes
from shared.events.commitments import Corrected
from shared.events.streams import stream_of
from tests.services.commitments.installation import Installation, refused
from tests.support.ledger import event

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


async def test_a_part_was_not_there_before_its_split(service: Installation) -> None:
    _, body = closed_as_of("2012-03-01")[3]
    await service.told("POST", "/v1/commitments/C/splits", body, If_Match="*")
    for day in ("2011-01-01", "2012-02-29"):
        earlier = {"field": "effective_on", "value": day, "reason": "Misread"}
        answer = await service.ask("POST", "/v1/commitments/P/corrections", earlier, If_Match="*")
        assert refused(answer) == (409, "part-before-split")
        assert f"'C' was split as of 2012-03-01: on {day}" in answer.json()["detail"]
        done = {"completed_on": day, "evidence": [{"description": "Law"}]}
        answer = await service.ask("POST", "/v1/commitments/P/completions", done, If_Match="*")
        assert refused(answer) == (409, "before-registration")
    part = await service.read("/v1/commitments/P")
    assert (part["effective_on"], part["version"]) == ("2012-03-01", 1)


async def test_a_part_that_an_old_log_has_before_its_split_is_set_right_and_stays_so(
    service: Installation, sqlite_url: str
) -> None:
    _, body = closed_as_of("2012-03-01")[3]
    await service.told("POST", "/v1/commitments/C/splits", body, If_Match="*")
    wrong = Corrected(field="effective_on", value="2011-01-01", previous="2012-03-01", reason="r")
    with closing(open_store(sqlite_url)) as log:
        log.append([Changes([event(wrong, 2, stream_id=stream_of("commitment", "P"))])], service.now)
    await service.told("POST", "/v1/commitments/P/comments", {"text": "Begun"}, If_Match="*")
    right = {"field": "effective_on", "value": "2012-03-01", "reason": "Its original was split then"}
    await service.told("POST", "/v1/commitments/P/corrections", right, If_Match='"3"')
    mistaken = {"version": 4, "reason": "r"}
    answer = await service.ask("POST", "/v1/commitments/P/retractions", mistaken, If_Match="*")
    assert refused(answer) == (409, "part-before-split")
    assert (await service.read("/v1/commitments/P"))["effective_on"] == "2012-03-01"


# --- parents ---------------------------------------------------------------------------------------------------------


@pytest.fixture
async def objective(service: Installation) -> Installation:
    """OBJ counts from 2013-01-01 on, after A, B and C."""
    body = {"code": "OBJ", "title": "OBJ", "lead_organization": "INTERIOR", "effective_on": "2013-01-01"}
    await service.told("POST", "/v1/commitments", body | {"kind": "strategic_objective"})
    return service


def placed(day: str) -> list[tuple[str, dict[str, Any]]]:
    part = {"code": "P", "title": "P", "lead_organization": "INTERIOR", "parent": "OBJ"}
    under = {"field": "parent", "value": "OBJ", "reason": "Part of it"}
    parts = [{"code": "P", "title": "P", "parent": "OBJ"}, {"code": "Q", "title": "Q"}]
    return [
        ("", part | {"effective_on": day}),
        ("/C/changes", under | {"effective_on": day}),
        ("/C/splits", {"parts": parts, "reason": "r", "effective_on": day}),
    ]


@pytest.mark.parametrize(("path", "body"), [*placed("2012-06-01"), ("/C/corrections", placed("")[1][1])])
async def test_nothing_is_part_of_what_does_not_count_yet(
    objective: Installation, path: str, body: dict[str, Any]
) -> None:
    body = {name: value for name, value in body.items() if value}
    answer = await objective.ask("POST", f"/v1/commitments{path}", body, If_Match="*")
    assert refused(answer) == (422, "parent-not-there-yet")
    day = body.get("effective_on", "2010-05-21")
    assert f"'OBJ' counts from 2013-01-01 on: on {day} nothing was part of it." in answer.text


@pytest.mark.parametrize(("path", "body"), placed("2013-01-01"))
async def test_it_has_parts_from_its_first_day_on(
    objective: Installation, path: str, body: dict[str, Any]
) -> None:
    more = {"If_Match": "*"} if path else {}
    await objective.told("POST", f"/v1/commitments{path}", body, **more)


async def test_neither_a_part_nor_its_parent_is_corrected_to_leave_the_part_without_it(
    objective: Installation,
) -> None:
    path, body = placed("2013-02-01")[0]
    await objective.told("POST", f"/v1/commitments{path}", body)

    async def moved(code: str, day: str) -> Any:
        correction = {"field": "effective_on", "value": day, "reason": "Misread"}
        return await objective.ask("POST", f"/v1/commitments/{code}/corrections", correction, If_Match="*")

    assert refused(await moved("P", "2012-12-31")) == (422, "parent-not-there-yet")
    assert refused(await moved("OBJ", "2013-02-02")) == (409, "part-there-before")
    for code, day in (("OBJ", "2013-02-01"), ("OBJ", "2012-01-01"), ("P", "2012-01-01")):
        assert (await moved(code, day)).status_code == 201
    # Nor is that taken back where it left the part without: the correction of the parent, version 3.
    mistaken = {"version": 3, "reason": "r"}
    answer = await objective.ask("POST", "/v1/commitments/OBJ/retractions", mistaken, If_Match="*")
    assert refused(answer) == (409, "part-there-before")
