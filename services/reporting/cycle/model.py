"""A reporting cycle: how often is reported of what, and how many days that may take."""

from __future__ import annotations

from collections.abc import Container

from shared.aggregate.description import Described
from shared.errors import InvalidInput
from shared.events.cycles import CycleChanged, CycleRegistered
from shared.rules import guards


class Cycle(Described[CycleChanged]):
    """A cycle in which organisations report."""

    __slots__ = ()

    BEGINS_WITH = (CycleRegistered,)
    CHANGED = CycleChanged


def check_cycle(
    code: str, description: CycleChanged, organizations: Container[str], pillars: Container[str]
) -> None:
    """Hold the description of a cycle to the rules: what it applies to is on record, and its days are in order."""
    guards.well_formed_code(code)
    guards.text_given(description.name, "The name", "/name")
    if not 1 <= description.days_to_report <= 366:
        raise InvalidInput(
            "days-out-of-range", "Between 1 and 366 days are given to report.", pointer="/days_to_report"
        )
    for index, organization in enumerate(description.organizations):
        guards.known_organization(organization, organizations, f"/organizations/{index}")
    for index, pillar in enumerate(description.pillars):
        if pillar not in pillars:
            raise InvalidInput(
                "unknown-pillar", f"There is no pillar '{pillar}'.", pointer=f"/pillars/{index}"
            )
    first, last = description.in_force_from, description.ended_on
    if first is not None and last is not None and last < first:
        raise InvalidInput("days-reversed", f"It would end on {last}, before {first}.", pointer="/ended_on")
