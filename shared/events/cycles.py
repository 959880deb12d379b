"""The cycles in which organisations report: how often, until when after a period, and of which commitments."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from shared.events.facts import Event
from shared.events.types import CivilDay, CycleCode, Figure, Items, Line, OrganizationCode, PillarCode
from shared.events.vocabulary import CommitmentKind


class CycleFrequency(StrEnum):
    """How often is reported."""

    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    FOUR_MONTHLY = "four_monthly"
    HALF_YEARLY = "half_yearly"


class CycleChanged(Event, frozen=True, kw_only=True):
    """A reporting cycle is described anew; the fields give its whole description.

    It expects a report of every period that ends while it is in force, of each commitment that is open on the period's
    last day and to which it applies.
    """

    TYPE: ClassVar[str] = "reporting.cycle_changed"

    name: Annotated[Line, Field(examples=["Quarterly reports to the President"])]
    frequency: CycleFrequency
    days_to_report: Annotated[
        Figure, Field(description="Days from the end of a period until its report is due.", examples=[20])
    ]
    organizations: Annotated[
        Items[OrganizationCode],
        Field(description="To the commitments that these organisations lead; to those of all by default."),
    ] = ()
    pillars: Annotated[
        Items[PillarCode],
        Field(description="To the commitments of these pillars; to those of all by default."),
    ] = ()
    kinds: Annotated[
        Items[CommitmentKind],
        Field(
            description="To commitments of these kinds; to those of all by default.", examples=[["action"]]
        ),
    ] = ()
    in_force_from: Annotated[
        CivilDay | None,
        Field(
            description="The first day on which a period may end that is reported.", examples=["2010-03-11"]
        ),
    ] = None
    ended_on: Annotated[
        CivilDay | None,
        Field(description="The last day on which one may; none by default.", examples=["2014-03-10"]),
    ] = None


class CycleRegistered(CycleChanged, frozen=True, kw_only=True):
    """A reporting cycle was laid down."""

    TYPE: ClassVar[str] = "reporting.cycle_registered"

    code: Annotated[CycleCode, Field(examples=["QUARTERLY"])]


EVENTS: tuple[type[Event], ...] = (CycleRegistered, CycleChanged)
