"""Box 3 of the note through the API: the survey of victimisation, its figures, its moved target, and the signs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.services.commitments.installation import Installation

pytestmark = pytest.mark.anyio

PATH = "/v1/indicators/ENUSC-VIC"


@pytest.fixture
async def service(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Installation]:
    async with Installation(tmp_path, sqlite_url).running() as running:
        for code in ("INE", "INTERIOR"):
            await running.told("PUT", f"/v1/organizations/{code}", {"name": code})
        yield running


async def add(service: Installation, what: str, body: dict[str, Any]) -> int:
    """The position at which something was recorded of the indicator."""
    position: int = (await service.told("POST", f"{PATH}/{what}", body, If_Match="*")).json()["position"]
    return position


async def test_the_survey_of_victimisation_comes_out_as_the_note_tells_it(service: Installation) -> None:
    commitment = {"code": "SEG-1", "title": "Fewer victims of crime", "lead_organization": "INTERIOR"}
    await service.told("POST", "/v1/commitments", commitment)
    defined = {
        "code": "ENUSC-VIC",
        "name": "Households that were victims of crime in the last twelve months",
        "unit": "% of households",
        "direction": "decrease",
        "commitment": "SEG-1",
        "baseline": {"value": 33.6, "on": "2009-12-31", "source": "ENUSC 2009"},
        "source": {"organization": "INE", "independent": True, "name": "ENUSC"},
        "effective_on": "2010-08-09",
    }
    await service.told("POST", "/v1/indicators", defined)
    relative = {"value": -15, "relative_to": "baseline", "effective_on": "2010-08-09"}
    first = await add(service, "targets", relative | {"on": "2013-12-31"})
    published: dict[str, int] = {}
    for period, value, published_on in [("2010", 28.2, "2011-04-28"), ("2011", 31.1, "2012-04-26")]:
        found = {"period": period, "value": value, "published_on": published_on}
        published[period] = await add(service, "measurements", found)
    moved = relative | {"on": "2014-12-31", "effective_on": "2012-05-21", "reason": "By the end of the term"}
    second = await add(service, "targets", moved)
    await add(service, "measurements", {"period": "2012", "value": 26.3, "published_on": "2013-03-28"})

    shown = await service.read(PATH)
    assert (await service.read("/v1/commitments/SEG-1"))["indicators"] == ["ENUSC-VIC"]
    assert shown["commitment"] == "SEG-1"
    promised = [(target["value"], target["level"], target["on"]) for target in shown["targets"]]
    assert promised == [(-15, 28.56, "2013-12-31"), (-15, 28.56, "2014-12-31")]
    told = {
        one["period"]: (
            one["change"]["percent"],
            one["change_on_previous"] and one["change_on_previous"]["percent"],
            one["against_original"]["status"],
            one["against_current"]["status"],
        )
        for one in shown["measurements"]
    }
    assert told == {
        "2010": (-16.071429, None, "met", "met"),
        # The step up that made the crisis: 28.2 to 31.1.
        "2011": (-7.440476, 10.283688, "behind", "on_the_way"),
        "2012": (-21.72619, -15.434084, "met", "met"),
    }
    assert shown["measurements"][1]["change_on_previous"]["period"] == "2010"
    signs = [(sign["code"], sign["events"]) for sign in shown["warnings"]]
    assert signs == [("target_moved_after_bad_figure", [first, published["2011"], second])]
    assert "25 days after 31.1 for 2011" in shown["warnings"][0]["detail"]


def test_the_note_prints_15_9_per_cent_where_its_own_figures_give_16_07() -> None:
    """A documented disagreement of the source with itself; the record computes."""
    printed, computed = Decimal("15.9"), 100 * (Decimal("33.6") - Decimal("28.2")) / Decimal("33.6")
    assert round(computed, 2) == Decimal("16.07")
    assert round(computed, 1) != printed
