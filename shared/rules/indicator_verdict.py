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

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from shared.events.vocabulary import Direction


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


def indicator_verdict_1(promise: Promise, value: Decimal, day: date) -> IndicatorVerdict:
    """Version 1 of the rule, for a value whose period ended on `day`."""
    planned = planned_on(promise, day)
    return IndicatorVerdict(_status_1(promise, value, day, planned), value - promise.target.value, planned)


def _status_1(promise: Promise, value: Decimal, day: date, planned: Decimal | None) -> IndicatorStatus:
    due = promise.target.on
    if _reaches(promise, value, promise.target.value):
        return IndicatorStatus.MET if day <= due else IndicatorStatus.MET_LATE
    if day >= due:
        return IndicatorStatus.NOT_MET
    if promise.direction is Direction.MAINTAIN:
        return IndicatorStatus.OFF_TARGET
    if planned is None:
        return IndicatorStatus.NO_PLAN
    return IndicatorStatus.ON_THE_WAY if _reaches(promise, value, planned) else IndicatorStatus.BEHIND


def _reaches(promise: Promise, value: Decimal, wanted: Decimal) -> bool:
    match promise.direction:
        case Direction.INCREASE:
            return value >= wanted
        case Direction.DECREASE:
            return value <= wanted
        case Direction.MAINTAIN:
            return abs(value - wanted) <= promise.tolerance


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


IndicatorRule = Callable[[Promise, Decimal, date], IndicatorVerdict]

INDICATOR_RULES: dict[str, IndicatorRule] = {"indicator_verdict_1": indicator_verdict_1}
CURRENT_INDICATOR_RULE = "indicator_verdict_1"


def indicator_verdict(
    promise: Promise, value: Decimal, day: date, rule: str = CURRENT_INDICATOR_RULE
) -> IndicatorVerdict:
    """The verdict under a named rule; an unknown name is a `KeyError`."""
    return INDICATOR_RULES[rule](promise, value, day)
