"""The verdict on what was measured: what it says of a promise, on the day its period ended.

A pure function of a `Promise`, a value and a day. The value is that of the period or, where the promise is one about a
window, what all values of the window up to that day make together. Whether it *reaches* the target depends on the
direction: at or above it (increase), at or below it (decrease), within the tolerance of it (maintain). A promise is
*settled at once* where a value that reaches it early cannot be outdone by later ones of the window (the last value, a
rising sum, a highest or lowest value to be reached), and otherwise at the end, with the target's day. Then the first
line that holds decides:

    | verdict          | holds when                                                                         |
    |------------------|------------------------------------------------------------------------------------|
    | `not_comparable` | value and target are in units of which nobody said how they compare                |
    | `incomplete`     | periods of the window up to that day have no value                                 |
    | `met`            | reaches the target, on the target's day, or before it if that settles it at once   |
    | `met_late`       | reaches the target, for a period that ended after the target's day                 |
    | `not_met`        | the period ended on the target's day or later, and the value does not reach it     |
    | `off_target`     | maintain: before the target's day, outside the tolerance                           |
    | `on_the_way`     | before the target's day, the value is at the planned value or better               |
    | `behind`         | before the target's day, the value is worse than the planned value                 |
    | `no_plan`        | before the target's day, and nothing says what was planned for that day            |

The planned value of a day is read off the line through the baseline, the points of the trajectory and the target: a
straight one between neighbours, civil days apart. A sum begins with nothing on the eve of its window; what is settled
at the end is planned to be where the target is all along. A value that reached its target early is `met` for its own
period; a later one can fall back.

`indicator_verdict_2` is the rule. `indicator_verdict_1`, which knew no windows and no units, stays for those who cite
it: of single values in one unit both say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple, cast

from shared.events.types import Kind
from shared.events.vocabulary import Accumulation, Direction
from shared.rules.decimals import exactly
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

    NOT_COMPARABLE = "not_comparable"
    INCOMPLETE = "incomplete"
    MET = "met"
    MET_LATE = "met_late"
    NOT_MET = "not_met"
    OFF_TARGET = "off_target"
    ON_THE_WAY = "on_the_way"
    BEHIND = "behind"
    NO_PLAN = "no_plan"


FAVOURABLE = frozenset({IndicatorStatus.MET, IndicatorStatus.MET_LATE, IndicatorStatus.ON_THE_WAY})
"""The verdicts a reader takes for good news ("green")."""

UNDECIDED = frozenset({IndicatorStatus.NOT_COMPARABLE, IndicatorStatus.INCOMPLETE, IndicatorStatus.NO_PLAN})
"""The verdicts that are no news, neither good nor bad."""


class Point(NamedTuple):
    """A value meant for a day."""

    on: date
    value: Decimal


class Obstacle(StrEnum):
    """Why nothing can be concluded."""

    UNITS = "units"
    GAPS = "gaps"


class Settled(StrEnum):
    """When a value that reaches the target has done so for good."""

    AT_ONCE = "at_once"
    AT_THE_END = "at_the_end"


_AT_ONCE: Final = frozenset(
    {
        *((Accumulation.LAST, direction) for direction in Direction),
        (Accumulation.SUM, Direction.INCREASE),
        (Accumulation.MAX, Direction.INCREASE),
        (Accumulation.MIN, Direction.DECREASE),
    }
)


class Promise(NamedTuple):
    """What was promised and how it was to be reached; `tolerance` is how far a maintained value may stray.

    All but `last` is about a window that begins on `from_on`.
    """

    direction: Direction
    target: Point
    baseline: Point | None = None
    trajectory: tuple[Point, ...] = ()
    tolerance: Decimal = Decimal(0)
    accumulation: Accumulation = Accumulation.LAST
    from_on: date = date.min

    @property
    def settled(self) -> Settled:
        """When it is settled."""
        at_once = (self.accumulation, self.direction) in _AT_ONCE
        return Settled.AT_ONCE if at_once else Settled.AT_THE_END

    @property
    def start(self) -> Point | None:
        """Where the planned line begins."""
        eve = date.fromordinal(max(self.from_on.toordinal() - 1, 1))
        if self.accumulation is Accumulation.SUM:
            return Point(eve, Decimal(0))
        if self.settled is Settled.AT_THE_END:
            return Point(eve, (*self.trajectory, self.target)[0].value)
        return self.baseline


class IndicatorVerdict(NamedTuple):
    """The verdict, what was judged, its distance from the target (`gap`: value − target), and what was planned."""

    status: IndicatorStatus
    value: Decimal | None
    gap: Decimal | None
    planned: Decimal | None


class IndicatorOnDay(NamedTuple):
    """A value whose period ended on a day, beside what was promised and what was planned for that day."""

    direction: Direction
    value: Decimal | None
    target: Decimal
    due_on: date
    tolerance: Decimal
    planned: Decimal | None
    settled: Settled = Settled.AT_ONCE
    obstacle: Obstacle | None = None


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
        Kind.INDICATOR,
        "The first version: every value is judged against the target at once.",
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

_MAINTAIN: Final = Is("direction", Direction.MAINTAIN)

INDICATOR_VERDICT_2: Final = registered(
    Rule(
        "indicator_verdict",
        2,
        Kind.INDICATOR,
        "What was settled after the first version had been used: values over a window, and what cannot be compared.",
        (
            Line(IndicatorStatus.NOT_COMPARABLE, "value", Is("obstacle", Obstacle.UNITS)),
            Line(IndicatorStatus.INCOMPLETE, "value", Is("obstacle", Obstacle.GAPS)),
            Line(
                IndicatorStatus.MET_LATE, "value", AllOf((_reaches("target"), Compared(DAY, ">", "due_on")))
            ),
            Line(
                IndicatorStatus.MET,
                "value",
                AllOf(
                    (
                        _reaches("target"),
                        AnyOf((Is("settled", Settled.AT_ONCE), Compared(DAY, ">=", "due_on"))),
                    )
                ),
            ),
            Line(IndicatorStatus.NOT_MET, "value", Compared(DAY, ">=", "due_on")),
            Line(IndicatorStatus.ON_THE_WAY, "value", AllOf((_MAINTAIN, _reaches("target")))),
            Line(IndicatorStatus.OFF_TARGET, "value", _MAINTAIN),
            Line(IndicatorStatus.ON_THE_WAY, "value", _reaches("planned")),
            Line(IndicatorStatus.BEHIND, "value", Known("planned")),
            Line(IndicatorStatus.NO_PLAN, "value"),
        ),
    )
)

CURRENT_INDICATOR_RULE: Final = INDICATOR_VERDICT_2.name


def indicator_verdict(
    promise: Promise,
    value: Decimal | None,
    day: date,
    rule: str = CURRENT_INDICATOR_RULE,
    obstacle: Obstacle | None = None,
) -> IndicatorVerdict:
    """The verdict on a value whose period ended on `day`, under a named rule; an unknown name is a `KeyError`.

    Where there is an obstacle, `value` is what there is nevertheless, if anything.
    """
    target = promise.target
    with exactly():
        planned = None if obstacle is Obstacle.UNITS else planned_on(promise, day)
        facts = IndicatorOnDay(
            promise.direction,
            value,
            target.value,
            target.on,
            promise.tolerance,
            planned,
            promise.settled,
            obstacle,
        )
        line = rule_named(rule).line_for(facts, day)
        gap = None if value is None or obstacle is not None else value - target.value
    return IndicatorVerdict(cast(IndicatorStatus, line.verdict), value, gap, planned)


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
    """Start, trajectory and target in order of days; nothing beyond the target's day plays a part."""
    points = [point for point in promise.trajectory if point.on < promise.target.on]
    if (start := promise.start) is not None:
        points = [start, *(point for point in points if point.on > start.on)]
    return [*(point for point in points if point.on < promise.target.on), promise.target]
