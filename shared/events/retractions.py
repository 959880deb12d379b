"""Retractions: an event was recorded by mistake, stays where it stands, and is not believed from now on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from shared.events.facts import COMPUTED, Event
from shared.events.types import Number, Reason, Word


class Retraction(Event, frozen=True, kw_only=True):
    """What was recorded at that `version` of the same thing was recorded by mistake.

    It is not believed from here on, and stays in every view of before; `retracted` is the type of that event.
    """

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"version": 2, "reason": "It was meant for another one."}

    LASTING: ClassVar[str] = "What was retracted in error is recorded again."

    version: Annotated[
        Number, Field(description="The version that the event mistaken brought it to.", examples=[2])
    ]
    reason: Reason
    retracted: Annotated[Word, Field(examples=["commitments.completed"])] = COMPUTED


class CommitmentFactRetracted(Retraction, frozen=True, kw_only=True):
    """A fact of a commitment was recorded by mistake: the event at that `version` of the same stream.

    It is not believed from here on, and stays in every view of before; `retracted` is its type.
    """

    TYPE: ClassVar[str] = "commitments.retracted"


class IndicatorFactRetracted(Retraction, frozen=True, kw_only=True):
    """A fact of an indicator was recorded by mistake: the event at that `version` of the same stream.

    It is not believed from here on, and stays in every view of before; `retracted` is its type.
    """

    TYPE: ClassVar[str] = "indicators.retracted"


class MeetingFactRetracted(Retraction, frozen=True, kw_only=True):
    """A fact of a meeting was recorded by mistake, before its minutes were sealed: the event at that `version`.

    It is not believed from here on, and stays in every view of before; `retracted` is its type.
    """

    TYPE: ClassVar[str] = "meetings.retracted"


class DecisionFactRetracted(Retraction, frozen=True, kw_only=True):
    """What the budget office was said to have told of a decision was recorded by mistake: the event at that `version`.

    It is not believed from here on, and stays in every view of before; `retracted` is its type.
    """

    TYPE: ClassVar[str] = "decisions.retracted"


class ActionItemFactRetracted(Retraction, frozen=True, kw_only=True):
    """A fact of an action item was recorded by mistake: the event at that `version` of the same stream.

    It is not believed from here on, and stays in every view of before; `retracted` is its type.
    """

    TYPE: ClassVar[str] = "action_items.retracted"


EVENTS: tuple[type[Event], ...] = (
    CommitmentFactRetracted,
    IndicatorFactRetracted,
    MeetingFactRetracted,
    DecisionFactRetracted,
    ActionItemFactRetracted,
)
