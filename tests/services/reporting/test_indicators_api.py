"""Indicators as anybody may ask for them: victimisation, whose target was moved after a bad figure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from shared.events.commitments import (
    OrganizationRegistered,
    PillarRegistered,
    PublicDeadline,
    Registered,
)
from shared.events.indicators import (
    Baseline,
    CommitmentMeasured,
    DataSource,
    IndicatorDefined,
    IndicatorPublished,
    MeasurementCorrected,
    MeasurementRecorded,
    TargetSet,
)
from shared.events.vocabulary import Direction, RelativeTo, Visibility
from shared.identity.actor import Role
from tests.services.reporting.gatherings import Told, tell
from tests.services.reporting.installation import Installation
from tests.services.reporting.stage import Stage, staged

ANYBODY: dict[str, Any] = {"role": None}
RATE = "VICTIMISATION"


def promised(number: int, on: date, since: date) -> Told:
    """15 % less than in 2009."""
    event = TargetSet(
        number=number,
        value=Decimal(-15),
        level=Decimal("28.56"),
        relative_to=RelativeTo.BASELINE,
        on=on,
        effective_on=since,
        reason="As in the plan" if number > 1 else None,
    )
    return Told("indicator", RATE, event)


def found(period: str, value: str, published_on: date) -> Told:
    """The share of households that were victims."""
    event = MeasurementRecorded(
        period=period,
        period_end_on=date(int(period), 12, 31),
        value=Decimal(value),
        published_on=published_on,
        source=f"ENUSC {period}",
    )
    return Told("indicator", RATE, event)


def commitment(code: str, **more: Any) -> Told:
    """A promise of the Interior."""
    event = Registered(
        code=code,
        title=code,
        lead_organization="MININT",
        visibility=Visibility.PUBLIC,
        effective_on=date(2010, 5, 21),
        public_deadline=PublicDeadline(on=date(2013, 12, 31)),
        **more,
    )
    return Told("commitment", code, event)


STORY = (
    Told("organization", "MININT", OrganizationRegistered(code="MININT", name="Interior")),
    Told("organization", "INE", OrganizationRegistered(code="INE", name="Statistics")),
    Told("pillar", "SECURITY", PillarRegistered(code="SECURITY", name="Security")),
    commitment("SEG", pillar="SECURITY"),
    commitment("SEG-1", parent="SEG"),
    Told(
        "indicator",
        RATE,
        IndicatorDefined(
            code=RATE,
            name="Households that were victims",
            unit="%",
            direction=Direction.DECREASE,
            effective_on=date(2010, 5, 21),
            commitment="SEG-1",
            baseline=Baseline(value=Decimal("33.6"), on=date(2009, 12, 31), source="ENUSC 2009"),
            source=DataSource(organization="INE", independent=True, name="ENUSC"),
            visibility=Visibility.PUBLIC,
        ),
    ),
    promised(1, date(2013, 12, 31), date(2010, 8, 9)),
    found("2010", "28.2", date(2011, 4, 28)),
    found("2011", "31.1", date(2012, 4, 26)),
    promised(2, date(2014, 12, 31), date(2012, 5, 21)),
    found("2012", "26.3", date(2013, 3, 28)),
)


@pytest.fixture
def stage(log_url: str) -> Iterator[Stage]:
    """A log of its own, on each engine."""
    with staged(log_url) as made:
        yield made


@pytest.fixture
async def reporting(stage: Stage, tmp_path: Any) -> AsyncIterator[Installation]:
    """The service over the story of Box 3."""
    tell(stage, *STORY, now=datetime(2013, 4, 1, 12, tzinfo=UTC))
    stage.start_worker()
    stage.wait()
    async with Installation(tmp_path, stage).running() as running:
        yield running


async def test_an_indicator_is_told_of_any_day_by_what_was_published_by_then(reporting: Installation) -> None:
    expected = [
        ("2010-05-20", None),
        ("2010-05-21", (None, None, None, None)),
        ("2011-04-28", ("2010", "met", "met", "2013-12-31")),
        ("2012-04-25", ("2010", "met", "met", "2013-12-31")),
        ("2012-04-26", ("2011", "behind", "behind", "2013-12-31")),
        ("2012-05-21", ("2011", "on_the_way", "behind", "2014-12-31")),
        ("2013-03-28", ("2012", "met", "met", "2014-12-31")),
    ]
    for day, told in expected:
        items = (await reporting.read(f"/v1/indicators?on={day}", **ANYBODY))["items"]
        page = await reporting.get(f"/v1/indicators/{RATE}?on={day}", **ANYBODY)
        if told is None:
            assert (items, page.status_code) == ([], 404)
            continue
        (item,) = items
        period, verdict, on_original, due = told
        assert (item["latest"] and item["latest"]["period"]) == period
        assert (item["verdict"] and item["verdict"]["status"]) == verdict
        assert (item["verdict_on_original"] and item["verdict_on_original"]["status"]) == on_original
        assert (item["current_target"] and item["current_target"]["on"]) == due
        indicator = page.json()["indicator"]
        # What the list and the page call alike is one thing.
        assert {name: indicator[name] for name in item} == item
        assert item["signs"] == sorted({sign["sign"] for sign in indicator["warnings"]})
    (last,) = (await reporting.read("/v1/indicators?on=2012-05-21", **ANYBODY))["items"]
    assert last["latest"]["change_on_previous"]["percent"] == pytest.approx(10.283688)
    assert last["signs"] == ["target_moved_after_bad_figure"]
    assert last["commitments"] == ["SEG-1"]
    assert (last["source"]["organization_name"], last["source"]["independent"]) == ("Statistics", True)


async def test_the_trajectory_stands_what_was_found_beside_what_was_planned(reporting: Installation) -> None:
    asked = await reporting.get(f"/v1/indicators/{RATE.lower()}/trajectory?on=2013-04-01", **ANYBODY)
    told = msgspec.json.Decoder(float_hook=Decimal).decode(asked.content)["trajectory"]
    points = {point["on"]: point for point in told["items"]}
    assert list(points) == [
        *("2009-12-31", "2010-12-31", "2011-12-31", "2012-12-31", "2013-12-31", "2014-12-31"),
    ]
    # The straight line from 33.6 at the end of 2009 to 28.56: 1,461 days at first, 1,826 by the second target.
    bad = points["2011-12-31"]
    assert bad["measured"] == Decimal("31.1")
    assert bad["planned_originally"] == round(Decimal("33.6") - Decimal("5.04") * 730 / 1461, 6)
    assert bad["planned"] == round(Decimal("33.6") - Decimal("5.04") * 730 / 1826, 6)
    assert bad["distance"] == Decimal("31.1") - bad["planned"]
    assert (bad["verdict"]["status"], points["2012-12-31"]["verdict"]["status"]) == ("on_the_way", "met")
    assert points["2013-12-31"]["planned_originally"] == Decimal("28.56")
    assert [one["on"] for one in told["revisions"]] == ["2014-12-31"]
    assert [sign["sign"] for sign in told["warnings"]] == ["target_moved_after_bad_figure"]


async def test_lists_are_narrowed_by_what_they_measure_and_by_what_was_found(
    reporting: Installation,
) -> None:
    for query, many in {
        "commitment=SEG-1": 1,
        "commitment=SEG": 0,
        "organization=MININT": 1,
        "organization=INE": 0,
        "source_organization=INE": 1,
        "pillar=SECURITY": 1,
        "unit=%25&direction=decrease&frequency=yearly&proxy=false&independent=true": 1,
        "proxy=true": 0,
        "verdict=met": 1,
        "verdict=behind&on=2012-05-01": 1,
        "verdict_on_original=behind,not_met": 0,
        "verdict=met&rule=indicator_verdict_1": 1,
        "sign=target_moved_after_bad_figure": 1,
        "sign=stale": 0,
        "sign=stale&on=2020-01-01": 1,
    }.items():
        answer = await reporting.read(f"/v1/indicators?include=total&{query}", **ANYBODY)
        assert (answer["total"], len(answer["items"])) == (many, many), query
    assert await reporting.refused("/v1/indicators?rule=traffic_light_1") == (422, "rule-unknown")
    assert await reporting.refused("/v1/indicators?verdict=good") == (422, "filter-value-unknown")
    assert await reporting.refused(f"/v1/indicators/{RATE}-2") == (404, "unknown-indicator")


async def test_an_indicator_may_measure_several_commitments_each_on_its_days(
    reporting: Installation,
) -> None:
    measures = [
        CommitmentMeasured(commitment="SEG", reason="It is", effective_on=date(2011, 1, 1)),
        CommitmentMeasured(commitment="SEG", measured=False, reason="No more", effective_on=date(2012, 1, 1)),
    ]
    position = tell(reporting.stage, *(Told("indicator", RATE, one) for one in measures)).last
    for day, codes in (
        ("2010-12-31", ["SEG-1"]),
        ("2011-01-01", ["SEG", "SEG-1"]),
        ("2012-01-01", ["SEG-1"]),
    ):
        on = f"on={day}&wait_for={position}"
        (item,) = (await reporting.read(f"/v1/indicators?{on}", **ANYBODY))["items"]
        assert item["commitments"] == codes
        found = (await reporting.read(f"/v1/indicators?commitment=SEG&{on}", **ANYBODY))["items"]
        assert len(found) == ("SEG" in codes)


async def test_what_is_corrected_later_is_known_from_then_on_and_what_was_known_stays(
    reporting: Installation,
) -> None:
    before = await reporting.get(f"/v1/indicators/{RATE}?on=2013-04-01&position={len(STORY)}", **ANYBODY)
    wrong = MeasurementCorrected(
        period="2012",
        value=Decimal("29.3"),
        previous=Decimal("26.3"),
        reason="A typing error",
        published_on=date(2013, 4, 2),
    )
    position = tell(reporting.stage, Told("indicator", RATE, wrong)).last
    path = f"/v1/indicators/{RATE}?on=2013-04-02"
    after = (await reporting.read(f"{path}&wait_for={position}", **ANYBODY))["indicator"]
    assert (after["latest"]["value"], after["latest"]["against_current"]["status"]) == (29.3, "on_the_way")
    assert [one["previous"] for one in after["latest"]["corrections"]] == [26.3]
    again = await reporting.get(f"/v1/indicators/{RATE}?on=2013-04-01&position={len(STORY)}", **ANYBODY)
    assert again.content == before.content
    held = await reporting.get(path, If_None_Match=(await reporting.get(path)).headers["etag"])
    assert held.status_code == 304


async def test_an_indicator_is_for_those_who_may_read_it_and_its_commitment(
    reporting: Installation,
) -> None:
    supplier = {"role": Role.MINISTRY, "organization": "INE"}
    leader = {"role": Role.MINISTRY, "organization": "MININT"}
    elsewhere = {"role": Role.MINISTRY, "organization": "MINSAL"}
    hidden = IndicatorPublished(
        visibility=Visibility.RESERVED, previous=Visibility.PUBLIC, reason="The law", effective_on=None
    )
    position = tell(reporting.stage, Told("indicator", RATE, hidden)).last
    path = f"/v1/indicators/{RATE}?wait_for={position}"
    for who, status in ((ANYBODY, 404), (elsewhere, 404), (leader, 200), (supplier, 200), ({}, 200)):
        assert (await reporting.get(path, **who)).status_code == status, who
        listed = (await reporting.read("/v1/indicators", **who))["items"]
        assert len(listed) == (status == 200)
    # What was open then is hidden now, also when it is asked for as it was.
    assert (await reporting.get(f"{path}&position={len(STORY)}", **ANYBODY)).status_code == 404
