"""What became of an organisation decides who gets commitments and who speaks for them, day by day."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.identity.actor import Role
from tests.services.commitments.installation import Installation, refused

pytestmark = pytest.mark.anyio

HERE = "/v1/commitments/VIV-1"


@pytest.fixture
async def service(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Installation]:
    """A ministry was split into two in 2011; a reserved commitment was its own."""
    async with Installation(tmp_path, sqlite_url).running() as running:
        for code in ("OLD", "HOUSES", "ROADS", "HEALTH"):
            await running.told("PUT", f"/v1/organizations/{code}", {"name": code.title()})
        await running.told("POST", "/v1/commitments", commitment("VIV-1", "2010-05-21", "reserved"))
        ended = {"name": "Old", "successors": ["HOUSES", "ROADS"], "dissolved_on": "2011-10-13"}
        await running.told("PUT", "/v1/organizations/OLD", ended, If_Match='"1"')
        yield running


def commitment(code: str, day: str, visibility: str = "internal") -> dict[str, Any]:
    return {
        "code": code,
        "title": code,
        "lead_organization": "OLD",
        "effective_on": day,
        "visibility": visibility,
    }


async def test_an_organisation_that_was_dissolved_gets_no_commitment_of_a_later_day(
    service: Installation,
) -> None:
    answer = await service.ask("POST", "/v1/commitments", commitment("VIV-2", "2013-01-01"))
    assert refused(answer) == (409, "organization-dissolved")
    assert "HOUSES, ROADS" in answer.json()["detail"]
    await service.told("POST", "/v1/commitments", commitment("VIV-2", "2011-10-12"))


async def test_an_organisation_that_was_dissolved_is_no_source_of_later_figures(
    service: Installation,
) -> None:
    body: dict[str, Any] = {"code": "RATE", "name": "Rate", "unit": "%", "direction": "decrease"}
    body["source"] = {"organization": "OLD", "name": "Survey"}
    late = await service.ask("POST", "/v1/indicators", body | {"effective_on": "2011-10-13"})
    assert refused(late) == (409, "organization-dissolved")
    await service.told("POST", "/v1/indicators", body | {"effective_on": "2011-10-12"})


async def test_a_split_ministry_is_shown_with_all_its_successors_from_its_day_on(
    service: Installation,
) -> None:
    shown = await service.read("/v1/organizations/OLD")
    assert (shown["successors"], shown["successor"]) == (["HOUSES", "ROADS"], None)
    assert shown["effective_on"] == shown["dissolved_on"] == "2011-10-13"


@pytest.mark.parametrize(("who", "status"), [("HOUSES", 201), ("ROADS", 201), ("HEALTH", 404)])
async def test_successors_read_and_tell_of_what_they_inherited(
    service: Installation, who: str, status: int
) -> None:
    asker: dict[str, Any] = {"role": Role.MINISTRY, "organization": who}
    report = {"period": "2011-Q3", "observed_progress": "As we found it"}
    answer = await service.ask("POST", f"{HERE}/progress-reports", report, If_Match="*", **asker)
    assert answer.status_code == status, answer.text
    shown = await service.ask("GET", HERE, **asker)
    assert shown.status_code == (200 if status == 201 else 404)
    if status == 201:
        told = shown.json()["progress_reports"][0]
        assert told["effective_on"] == "2011-09-30"


async def test_a_former_lead_that_may_no_longer_read_it_is_told_that_there_is_none(
    service: Installation,
) -> None:
    """While it may read it, it tells of the days on which it led."""
    led: dict[str, Any] = {"role": Role.MINISTRY, "organization": "HEALTH"}
    body = commitment("SAL-1", "2011-01-01") | {"lead_organization": "HEALTH"}
    await service.told("POST", "/v1/commitments", body)
    moved = {"lead_organization": "ROADS", "effective_on": "2012-07-01", "reason": "New ministry"}
    await service.told("POST", "/v1/commitments/SAL-1/reassignments", moved, If_Match="*")
    path = "/v1/commitments/SAL-1/progress-reports"
    late = {"period": "2012-Q2", "effective_on": "2012-06-30", "no_change": True}
    await service.told("POST", path, late, If_Match="*", **led)
    newer = late | {"period": "2012-Q3", "effective_on": "2012-09-30"}
    refusal = await service.ask("POST", path, newer, If_Match="*", **led)
    assert refused(refusal) == (403, "not-your-commitment")
    hidden = {"visibility": "reserved", "reason": "Negotiations"}
    await service.told("POST", "/v1/commitments/SAL-1/publications", hidden, If_Match="*")
    gone = await service.ask("POST", path, late, If_Match="*", **led)
    assert refused(gone) == (404, "unknown-commitment")


async def test_a_merger_is_judged_by_its_day_and_both_deadlines_move_in_one_transaction(
    service: Installation,
) -> None:
    deadlines: dict[str, Any] = {
        "public_deadline": {"on": "2012-12-31"},
        "internal_deadline": {"on": "2012-10-31"},
    }
    for code, day in [("A", "2010-01-01"), ("B", "2010-01-01"), ("LATE", "2013-01-01")]:
        body = commitment(code, day) | {"lead_organization": "ROADS"} | deadlines
        await service.told("POST", "/v1/commitments", body)
    sooner: dict[str, Any] = {"deadline": "public", "on": "2012-06-30", "reason": "Sooner"}
    path = "/v1/commitments/A/deadline-revisions"
    sooner["effective_on"] = "2011-01-01"
    alone = await service.ask("POST", path, sooner, If_Match="*")
    assert refused(alone) == (409, "internal-after-public")
    both = await service.told("POST", path, sooner | {"internal_on": "2012-04-30"}, If_Match="*")
    assert both.json()["version"] == 3
    items = (await service.read("/v1/commitments/A/history"))["items"][1:]
    assert [(one["data"]["deadline"], one["correlation_id"]) for one in items] == [
        ("public", items[0]["correlation_id"]),
        ("internal", items[0]["correlation_id"]),
    ]
    assert items[0]["recorded_at"] == items[1]["recorded_at"]
    done = {"completed_on": "2012-12-01", "evidence": [{"description": "Opened"}]}
    await service.told("POST", "/v1/commitments/B/completions", done, If_Match="*")
    into: dict[str, Any] = {"reason": "The same promise", "effective_on": "2011-06-01"}
    later = await service.ask("POST", "/v1/commitments/A/mergers", into | {"into": "LATE"}, If_Match="*")
    assert refused(later) == (409, "successor-not-there-yet")
    closed = into | {"into": "B", "effective_on": "2012-12-01"}
    assert refused(await service.ask("POST", "/v1/commitments/A/mergers", closed, If_Match="*")) == (
        409,
        "merger-into-closed",
    )
    await service.told("POST", "/v1/commitments/A/mergers", into | {"into": "B"}, If_Match="*")


async def test_circles_of_parents_are_judged_by_their_days_and_kinds_by_the_parts(
    service: Installation,
) -> None:
    for code, parent in [("WHOLE", None), ("PART", "WHOLE")]:
        body = commitment(code, "2010-01-01") | {
            "kind": "action",
            "parent": parent,
            "lead_organization": "ROADS",
        }
        await service.told("POST", "/v1/commitments", body)

    async def moved(code: str, value: str | None, day: str) -> Any:
        body = {"field": "parent", "value": value, "reason": "Moved", "effective_on": day}
        return await service.ask("POST", f"/v1/commitments/{code}/changes", body, If_Match="*")

    assert refused(await moved("WHOLE", "PART", "2012-01-01")) == (409, "parent-is-descendant")
    assert (await moved("PART", None, "2012-01-01")).status_code == 201
    assert refused(await moved("WHOLE", "PART", "2011-12-31")) == (409, "parent-is-descendant")
    assert (await moved("WHOLE", "PART", "2012-01-01")).status_code == 201
    # Told out of order: it was taken apart before the day on which it would close again.
    assert (await moved("WHOLE", None, "2013-01-01")).status_code == 201
    assert (await moved("PART", "WHOLE", "2013-01-01")).status_code == 201
    assert (await moved("PART", "WHOLE", "2011-01-01")).status_code == 409
    lower = {"field": "kind", "value": "commitment", "reason": "Misread"}
    refusal = await service.ask("POST", "/v1/commitments/WHOLE/corrections", lower, If_Match="*")
    assert refused(refusal) == (409, "parent-below")


async def test_the_day_of_the_first_description_is_kept(service: Installation) -> None:
    first = {"name": "Sea", "effective_on": "2011-01-01"}
    await service.told("PUT", "/v1/organizations/SEA", first)
    assert (await service.read("/v1/organizations/SEA"))["effective_on"] == "2011-01-01"
    # An earlier day told later leaves it as it is.
    await service.told(
        "PUT", "/v1/organizations/SEA", {"name": "Waters", "effective_on": "2010-01-01"}, If_Match='"1"'
    )
    assert (await service.read("/v1/organizations/SEA"))["name"] == "Sea"
    await service.told("PUT", "/v1/organizations/SEA", first)
