"""The verdict on a measured value: what it says of a promise, on the day its period ended.

A pure function of a `Promise`, a value and a day. Whether the value *reaches* the target depends on the
direction: at or above it (increase), at or below it (decrease), within the tolerance of it (maintain). Then
the first line that holds decides:

    | verdict      | holds when                                                                      |
    |--------------|---------------------------------------------------------------------------------|
    | `met`        | the value reaches the target, and its period ended on or before the target's day |
    | `met_late`   | the value reaches the target, for a period that ended after the target's day     |
    | `not_met`    | the period ended on the target's day or later, and the value does not reach it   |
    | `off_target` | maintain: before the target's day, outside the tolerance                         |
    | `on_the_way` | before the target's day, the value is at the planned value or better             |
    | `behind`     | before the target's day, the value is worse than the planned value               |
    | `no_plan`    | before the target's day, and nothing says what was planned for that day          |

The planned value of a day is read off the line through the baseline, the points of the trajectory and the
target: a straight one between neighbours, civil days apart. A value that reached its target early is `met`
for its own period; a later one can fall back. The rule has a version, as the status rule has, so that
history can be judged again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple, cast

from shared.events.vocabulary import Direction
from shared.rules.registry import (
    DAY,
    AllOf,
    AnyOf,
    Compared,
    Is,
    Known,
    Line,
    Rule,
    Within,
    registered,
    rule_named,
)


class IndicatorStatus(StrEnum):
    """What one value says of one promise."""

    MET = "met"
    MET_LATE = "met_late"
    NOT_MET = "not_met"
    OFF_TARGET = "off_target"
    ON_THE_WAY = "on_the_way"
    BEHIND = "behind"
    NO_PLAN = "no_plan"


FAVOURABLE = frozenset({IndicatorStatus.MET, IndicatorStatus.MET_LATE, IndicatorStatus.ON_THE_WAY})
"""The verdicts a reader takes for good news ("green")."""


class Point(NamedTuple):
    """A value meant for a day."""

    on: date
    value: Decimal


class Promise(NamedTuple):
    """What was promised and how it was to be reached; `tolerance` is how far a maintained value may stray."""

    direction: Direction
    target: Point
    baseline: Point | None = None
    trajectory: tuple[Point, ...] = ()
    tolerance: Decimal = Decimal(0)


class IndicatorVerdict(NamedTuple):
    """The verdict, the distance from the target (`gap`: value − target), and what was planned for the day."""

    status: IndicatorStatus
    gap: Decimal
    planned: Decimal | None


class IndicatorOnDay(NamedTuple):
    """A value whose period ended on a day, beside what was promised and what was planned for that day."""

    direction: Direction
    value: Decimal
    target: Decimal
    due_on: date
    tolerance: Decimal
    planned: Decimal | None


def _reaches(wanted: str) -> AnyOf:
    """The value is at the wanted one or better, or, where it is to be maintained, not too far from it."""
    return AnyOf(
        (
            AllOf((Is("direction", Direction.INCREASE), Compared("value", ">=", wanted))),
            AllOf((Is("direction", Direction.DECREASE), Compared("value", "<=", wanted))),
            AllOf((Is("direction", Direction.MAINTAIN), Within("value", wanted, "tolerance"))),
        )
    )


INDICATOR_VERDICT_1: Final = registered(
    Rule(
        "indicator_verdict",
        1,
        (
            Line(IndicatorStatus.MET, "value", AllOf((_reaches("target"), Compared(DAY, "<=", "due_on")))),
            Line(IndicatorStatus.MET_LATE, "value", _reaches("target")),
            Line(IndicatorStatus.NOT_MET, "value", Compared(DAY, ">=", "due_on")),
            Line(IndicatorStatus.OFF_TARGET, "value", Is("direction", Direction.MAINTAIN)),
            Line(IndicatorStatus.ON_THE_WAY, "value", _reaches("planned")),
            Line(IndicatorStatus.BEHIND, "value", Known("planned")),
            Line(IndicatorStatus.NO_PLAN, "value"),
        ),
    )
)

CURRENT_INDICATOR_RULE: Final = INDICATOR_VERDICT_1.name


def indicator_verdict(
    promise: Promise, value: Decimal, day: date, rule: str = CURRENT_INDICATOR_RULE
) -> IndicatorVerdict:
    """The verdict on a value whose period ended on `day`, under a named rule; an unknown name is a `KeyError`."""
    planned = planned_on(promise, day)
    target = promise.target
    facts = IndicatorOnDay(promise.direction, value, target.value, target.on, promise.tolerance, planned)
    line = rule_named(rule).line_for(facts, day)
    return IndicatorVerdict(cast(IndicatorStatus, line.verdict), value - target.value, planned)


def planned_on(promise: Promise, day: date) -> Decimal | None:
    """The value planned for a day; None before the first planned day, or with nothing to draw a line from.

    From the target's day on, it is the target itself.
    """
    if day >= promise.target.on:
        return promise.target.value
    points = _line(promise)
    before = next((point for point in reversed(points) if point.on <= day), None)
    after = next(point for point in points if point.on > day)
    if before is None:
        return None
    passed, whole = (day - before.on).days, (after.on - before.on).days
    return before.value + (after.value - before.value) * passed / whole


def _line(promise: Promise) -> Sequence[Point]:
    """Baseline, trajectory and target in order of days; nothing beyond the target's day plays a part."""
    points = [point for point in promise.trajectory if point.on < promise.target.on]
    if promise.baseline is not None:
        points = [promise.baseline, *(point for point in points if point.on > promise.baseline.on)]
    return [*(point for point in points if point.on < promise.target.on), promise.target]
