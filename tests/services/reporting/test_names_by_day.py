"""A board of 2010 shows the names of 2010."""

from __future__ import annotations

from datetime import date

import pytest

from services.reporting.datasets import ORGANIZATION, PILLAR
from services.reporting.queries.moments import AsOf
from services.reporting.queries.names import names_at
from services.reporting.queries.timeline import timeline_as_of
from shared.clock import Clock
from shared.events.commitments import (
    OrganizationChanged,
    OrganizationRegistered,
    PillarChanged,
    PillarRegistered,
    Registered,
)
from shared.events.streams import stream_of
from tests.services.reporting.stage import EVERYTHING, staged

RENAMED, CAME_BACK = date(2021, 9, 18), date(2024, 7, 9)
DAYS = (date(2010, 3, 11), date(2021, 9, 17), RENAMED, date(2024, 7, 8), CAME_BACK)
HOUSING, LEVELLING = "Housing, Communities and Local Government", "Levelling Up"


@pytest.mark.parametrize("rebuilt", [False, True])
def test_names_hold_from_their_days_on_as_known_at_a_position(log_url: str, rebuilt: bool) -> None:
    with staged(log_url) as stage:
        if not rebuilt:
            stage.start_worker()
        stage.append(("MHCLG", OrganizationRegistered(code="MHCLG", name=HOUSING)), kind="organization")
        # Told out of order, and one of an old log, which names no day.
        back = OrganizationChanged(name=HOUSING, effective_on=CAME_BACK)
        stage.append(("MHCLG", back), kind="organization")
        told = stage.append(
            ("MHCLG", OrganizationChanged(name=LEVELLING, effective_on=RENAMED)), kind="organization"
        )
        stage.append(
            ("growth", PillarRegistered(code="growth", name="Growth", rank=2)),
            ("growth", PillarChanged(name="Growth and jobs", rank=1, effective_on=RENAMED)),
            kind="pillar",
        )
        old = stage.append(("MHCLG", OrganizationChanged(name="Whatever")), kind="organization")
        if rebuilt:
            stage.rebuild()
        else:
            stage.wait()
        with stage.read_model.reading() as reading:
            for position, expected in [
                (told.last - 1, [HOUSING] * 5),
                (told.last, [HOUSING, HOUSING, LEVELLING, LEVELLING, HOUSING]),
                (old.last, ["Whatever"] * 5),
            ]:
                called = [names_at(reading, position, day).of(ORGANIZATION, "MHCLG") for day in DAYS]
                assert called == expected
            names = names_at(reading, old.last)
            ranks = [names.on(day).rank(PILLAR, "growth") for day in DAYS[1:3]]
            assert ([names.on(day).of(PILLAR, "growth") for day in DAYS[1:3]], ranks) == (
                ["Growth", "Growth and jobs"],
                [2, 1],
            )


def test_what_was_described_first_is_of_its_own_day_when_earlier_days_are_told_later(log_url: str) -> None:
    with staged(log_url) as stage:
        stage.start_worker()
        first = OrganizationRegistered(code="MHCLG", name=LEVELLING, effective_on=RENAMED)
        told = stage.append(("MHCLG", first), kind="organization")
        earlier = OrganizationChanged(name=HOUSING, effective_on=DAYS[0])
        later = stage.append(("MHCLG", earlier), kind="organization")
        stage.wait()
        with stage.read_model.reading() as reading:
            for position, expected in [
                (told.last, [LEVELLING] * 3),
                (later.last, [HOUSING, HOUSING, LEVELLING]),
            ]:
                # On the days before any that is told it was called as on the earliest of these.
                days = (date.min, *DAYS[:3])
                called = [names_at(reading, position, day).of(ORGANIZATION, "MHCLG") for day in days]
                expected = [expected[0], *expected]
                assert called == expected


def test_a_timeline_is_parted_where_the_lead_is_called_otherwise(log_url: str) -> None:
    with staged(log_url) as stage:
        stage.start_worker()
        stage.append(
            ("MHCLG", OrganizationRegistered(code="MHCLG", name=HOUSING)),
            ("MHCLG", OrganizationChanged(name=LEVELLING, effective_on=RENAMED)),
            ("MHCLG", OrganizationChanged(name=HOUSING, effective_on=CAME_BACK)),
            kind="organization",
        )
        begun = Registered(code="A", title="A", lead_organization="MHCLG", effective_on=DAYS[0])
        told = stage.append(("A", begun))
        stage.wait()
        at, which = AsOf(RENAMED, told.last, None), stream_of("commitment", "A")
        with stage.read_model.reading() as reading:
            found = timeline_as_of(reading, stage.store, at, EVERYTHING, which, day_of=Clock().day_of).spans
    assert [(one.from_on, one.until_on, one.lead_organization_name) for one in found] == [
        (DAYS[0], RENAMED, HOUSING),
        (RENAMED, CAME_BACK, LEVELLING),
        (CAME_BACK, None, HOUSING),
    ]
