"""The warning signs of an indicator: what makes a reader look twice at a good figure, or at none.

None of them proves anything, and none accuses anybody; each names the events it follows from. They are pure functions
of what is known and of the day on which it is asked, so that the signs of any position and any day can be had again.
What counts as near, as close and as long are settings (`WarningWindows`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Final, NamedTuple

from msgspec import UNSET

from shared.events.indicators import DataSource
from shared.events.vocabulary import Accumulation, Direction
from shared.rules.decimals import exactly
from shared.rules.indicator_facts import Finding, IndicatorFacts, Measurement, Target
from shared.rules.indicator_verdict import FAVOURABLE, UNDECIDED, IndicatorStatus
from shared.rules.periods import DAYS_OF
from shared.rules.sign_texts import Parameters, filled, parameters

NO_CHANGE_OF_FIGURES = frozenset({"name"})
"""Fields of the definition that may change without changing what a figure means."""


class WarningCode(StrEnum):
    """The kinds of warning sign."""

    DEFINITION_CHANGED_NEAR_DEADLINE = "definition_changed_near_deadline"
    UNIT_CHANGED = "unit_changed"
    TARGET_LOOSENED_BELOW_REACHED = "target_loosened_below_reached"
    TARGET_DAY_MOVED_AFTER_MISSED = "target_day_moved_after_missed"
    TARGET_MOVED_AFTER_BAD_FIGURE = "target_moved_after_bad_figure"
    TARGET_FROM_LAST_ACTUAL = "target_from_last_actual"
    VALUE_FROM_DELIVERER = "value_from_deliverer"
    TURNED_GREEN_LATE = "turned_green_late"
    MEASURED_BEFORE_PERIOD_ENDED = "measured_before_period_ended"
    NO_SOURCE = "no_source"
    NO_BASELINE = "no_baseline"
    NEVER_MEASURED = "never_measured"
    STALE = "stale"


DETAILS: Final[Mapping[WarningCode, str]] = {
    WarningCode.DEFINITION_CHANGED_NEAR_DEADLINE: "{fields} changed on {on}, {days} days {side} the target of "
    "{target_on}.",
    WarningCode.UNIT_CHANGED: "The unit changed from {before} to {after} on {on}: what was promised and found "
    "before is not comparable with what comes after.",
    WarningCode.NO_SOURCE: "Nobody is named as the source of its values.",
    WarningCode.NO_BASELINE: "It has no baseline: there is nothing to count progress from.",
    WarningCode.TARGET_LOOSENED_BELOW_REACHED: "Target {number} ({level} by {target_on}) replaced {previous} by "
    "{previous_on} on {on}, when {period} had reached {value}.",
    WarningCode.TARGET_DAY_MOVED_AFTER_MISSED: "Target {number} ({level} by {target_on}) replaced {previous} by "
    "{previous_on} on {on}, after that day had passed without its being met.",
    WarningCode.TARGET_MOVED_AFTER_BAD_FIGURE: "Target {number} ({level} by {target_on}) replaced {previous} by "
    "{previous_on} on {on}, {days} days after {value} for {period} was published.",
    WarningCode.TARGET_FROM_LAST_ACTUAL: "{count} targets in a row ask for the last value then published: {steps}.",
    WarningCode.VALUE_FROM_DELIVERER: "{count} of {all} values, the latest for {period}, came from {supplier}, "
    "which is not an independent source.",
    WarningCode.TURNED_GREEN_LATE: "The verdict went from {before} to {after} on {on}, {days} days before the target "
    "of {target_on}.",
    WarningCode.MEASURED_BEFORE_PERIOD_ENDED: "{value} for {period} was published on {on}, before {period_end_on}.",
    WarningCode.NEVER_MEASURED: "It was defined on {on}, and no value has been published since.",
    WarningCode.STALE: "Its last value is of {period}, which ended on {on}.",
}
"""What each says."""


class WarningSign(NamedTuple):
    """One sign, what stands in the places of its text, and the positions of the events it follows from, in order."""

    code: WarningCode
    parameters: Parameters
    events: tuple[int, ...]

    @property
    def detail(self) -> str:
        """What was seen, in words."""
        return filled(DETAILS[self.code], self.parameters)

    @property
    def because(self) -> int:
        """The position of the last of the events: with it the sign arose."""
        return self.events[-1]


class WarningWindows(NamedTuple):
    """What counts as near: days around a deadline, before it, after a bad figure and after a value was to be expected;
    and the share of the last actual value within which a target is that value.
    """

    definition_days: int = 90
    green_days: int = 30
    bad_figure_days: int = 90
    stale_days: int = 180
    ratchet_share: Decimal = Decimal("0.05")


WINDOWS = WarningWindows()


def warning_signs(facts: IndicatorFacts, today: date, windows: WarningWindows = WINDOWS) -> list[WarningSign]:
    """Every sign there is on a day, in the order in which the log learned what gives rise to it."""
    signs = [
        *_definition_changed_near_deadline(facts, windows.definition_days),
        *_unit_changed(facts),
        *_targets_moved(facts, windows.bad_figure_days),
        *_targets_from_last_actual(facts, windows.ratchet_share),
        *_value_from_deliverer(facts),
        *_turned_green_late(facts, windows.green_days),
        *_measured_before_period_ended(facts),
        *_nothing_to_go_by(facts),
        *_not_measured(facts, today, windows.stale_days),
    ]
    return sorted(signs, key=lambda sign: (sign.because, sign.code))


def _sign(code: WarningCode, *events: int, **told: object) -> WarningSign:
    return WarningSign(code, parameters(told), tuple(sorted(set(events))))


# --- what is measured ------------------------------------------------------------------------------------------------


def _definition_changed_near_deadline(facts: IndicatorFacts, window: int) -> Iterator[WarningSign]:
    """What the figures mean, or who supplies them, changed close to the day they were to be judged, before or after.

    That day is the target's in force then, or that of the first target, which a revision does not move.
    """
    for change in facts.changes:
        fields = [field for field in change.values if field not in NO_CHANGE_OF_FIGURES]
        now, original = facts.targets_in_force.on(change.effective_on)[0], facts.original
        if not fields or now is None or original is None:
            continue
        target = min(now, original.target, key=lambda one: abs((one.on - change.effective_on).days))
        days = (target.on - change.effective_on).days
        if abs(days) <= window:
            yield _sign(
                WarningCode.DEFINITION_CHANGED_NEAR_DEADLINE,
                *(target.position, change.position),
                fields=fields,
                on=change.effective_on,
                days=abs(days),
                side="before" if days >= 0 else "after",
                target_on=target.on,
            )


def _unit_changed(facts: IndicatorFacts) -> Iterator[WarningSign]:
    """The unit changed, and nobody said how the numbers before and after compare."""
    for before, change in zip(facts.units, facts.unit_changes, strict=False):
        if change.factor is None:
            yield _sign(
                WarningCode.UNIT_CHANGED,
                change.position,
                before=before,
                after=change.unit,
                on=change.effective_on,
            )


def _nothing_to_go_by(facts: IndicatorFacts) -> Iterator[WarningSign]:
    """Nobody is named who supplies the values, or there is nothing from which progress could be counted."""
    for code, field in ((WarningCode.NO_SOURCE, "source"), (WarningCode.NO_BASELINE, "baseline")):
        if getattr(facts.definition, field) is None:
            taken_away = [one.position for one in facts.changes if getattr(one.changes, field) is not UNSET]
            yield _sign(code, taken_away[-1] if taken_away else facts.defined_at)


# --- what was promised -----------------------------------------------------------------------------------------------


def _targets_moved(facts: IndicatorFacts, window: int) -> Iterator[WarningSign]:
    """A target became easier: below what had been reached, after its day was missed, or soon after a bad figure."""
    in_force = facts.targets_in_force.until(date.max)
    for before, after in pairwise(in_force):
        if before is None or after is None or not _is_easier(facts, before, after):
            continue
        events = before.position, after.position
        moved = {
            "number": after.number,
            "level": after.value,
            "target_on": after.on,
            "previous": before.value,
            "previous_on": before.on,
            "on": after.effective_on,
        }
        if _looser(facts, before, after) and (best := _best_before(facts, after)) is not None:
            measurement, found = best
            yield _sign(
                WarningCode.TARGET_LOOSENED_BELOW_REACHED,
                *(*events, found.position),
                period=measurement.period.name,
                value=found.value,
                **moved,
            )
        if after.on > before.on and before.on < after.effective_on and not _was_met(facts, before, after):
            yield _sign(WarningCode.TARGET_DAY_MOVED_AFTER_MISSED, *events, **moved)
        bad = _bad_figure_before(facts, after.effective_on, window)
        if bad is not None:
            measurement, found = bad
            yield _sign(
                WarningCode.TARGET_MOVED_AFTER_BAD_FIGURE,
                *(*events, found.position),
                days=(after.effective_on - found.published_on).days,
                period=measurement.period.name,
                value=found.value,
                **moved,
            )


def _is_easier(facts: IndicatorFacts, before: Target, after: Target) -> bool:
    """Whether a target leaves more time, asks for less, or is taken of other values than the one before it."""
    taken = (before.accumulation, before.from_on) != (after.accumulation, after.from_on)
    return after.on > before.on or taken or _looser(facts, before, after)


def _looser(facts: IndicatorFacts, before: Target, after: Target) -> bool:
    """Whether a target asks for less than the one before it, as far as the two can be compared."""
    unit = facts.unit_on(after.effective_on)
    level = facts.restated(before.level, facts.unit_on(before.effective_on), unit)
    if level is None or before.accumulation is not after.accumulation:
        return False
    match facts.definition_on(after.effective_on).direction:
        case Direction.INCREASE:
            return after.level < level
        case Direction.DECREASE:
            return after.level > level
        case Direction.MAINTAIN:
            return after.tolerance > before.tolerance


def _best_before(facts: IndicatorFacts, target: Target) -> tuple[Measurement, Finding] | None:
    """The best value published before a target was set, if it is as good as the target asks for."""
    direction = facts.definition_on(target.effective_on).direction
    if direction is Direction.MAINTAIN or target.accumulation is Accumulation.SUM:
        return None
    unit = facts.unit_on(target.effective_on)
    found = [
        (value, measurement, one)
        for measurement in facts.measurements.values()
        if (one := measurement.known_on(target.effective_on)) is not None
        and (value := facts.restated(one.value, facts.unit_on(one.published_on), unit)) is not None
    ]
    sign = 1 if direction is Direction.INCREASE else -1
    best = max(found, key=lambda one: sign * one[0], default=None)
    return best[1:] if best is not None and sign * best[0] >= sign * target.level else None


def _was_met(facts: IndicatorFacts, target: Target, by: Target) -> bool:
    """Whether a target had been met in time, from all that was published when another took its place."""
    terms = facts.in_force_on(target.effective_on)
    if terms is None:
        return False
    in_time = (m for m in facts.measurements.values() if m.period_end_on <= target.on)
    last = max(
        (m for m in in_time if m.known_on(by.effective_on) is not None),
        key=lambda m: m.period_end_on,
        default=None,
    )
    if last is None:
        return False
    verdict = facts.verdict(terms._replace(target=target), last, by.effective_on)
    return verdict is not None and verdict.status is IndicatorStatus.MET


def _bad_figure_before(facts: IndicatorFacts, day: date, window: int) -> tuple[Measurement, Finding] | None:
    """The last value published in the days before a day that was worse than planned, or than the one before it."""
    bad = [
        (measurement, found)
        for measurement in facts.measurements.values()
        for found in measurement.findings
        if 0 <= (day - found.published_on).days <= window and _is_bad(facts, measurement, found, day)
    ]
    return max(bad, key=lambda one: (one[1].published_on, one[1].position), default=None)


def _is_bad(facts: IndicatorFacts, measurement: Measurement, found: Finding, day: date) -> bool:
    """Whether a value, when it was published, was short of the promise then in force or a step the wrong way.

    A promise of the very day on which the target moved is not the one the figure was read against.
    """
    read = min(found.published_on, day - timedelta(days=1))
    terms = facts.in_force_on(read)
    verdict = None if terms is None else facts.verdict(terms, measurement, found.published_on)
    if verdict is not None and verdict.status not in FAVOURABLE | UNDECIDED:
        return True
    before = facts.before(measurement)
    earlier = None if before is None else before.known_on(found.published_on)
    if earlier is None:
        return False
    unit = facts.unit_on(found.published_on)
    value = facts.restated(earlier.value, facts.unit_on(earlier.published_on), unit)
    if value is None:
        return False
    match facts.definition_on(found.published_on).direction:
        case Direction.INCREASE:
            return found.value < value
        case Direction.DECREASE:
            return found.value > value
        case Direction.MAINTAIN:
            return False


def _targets_from_last_actual(facts: IndicatorFacts, share: Decimal) -> Iterator[WarningSign]:
    """Target after target asks for what had already been reached (the ratchet: last year's result made a goal)."""
    run: list[tuple[Target, Finding]] = []
    for target in facts.targets_in_force.until(date.max):
        found = None if target is None else _last_actual(facts, target, share)
        if target is not None and found is not None:
            run.append((target, found))
        else:
            yield from _ratchet(run)
            run = []
    yield from _ratchet(run)


def _ratchet(run: list[tuple[Target, Finding]]) -> Iterator[WarningSign]:
    if len(run) > 1:
        steps = [{"level": one.value, "on": one.on, "value": found.value} for one, found in run]
        events = [position for target, found in run for position in (target.position, found.position)]
        yield _sign(WarningCode.TARGET_FROM_LAST_ACTUAL, *events, count=len(run), steps=steps)


def _last_actual(facts: IndicatorFacts, target: Target, share: Decimal) -> Finding | None:
    """The last value published when a target was set, where the target is that value."""
    maintained = facts.definition_on(target.effective_on).direction is Direction.MAINTAIN
    last = facts.latest(published_by=target.effective_on)
    found = None if last is None else last.known_on(target.effective_on)
    if maintained or target.accumulation is Accumulation.SUM or found is None:
        return None
    unit = facts.unit_on(target.effective_on)
    value = facts.restated(found.value, facts.unit_on(found.published_on), unit)
    with exactly():
        close = value is not None and abs(target.level - value) <= abs(value) * share
    return found if close else None


# --- what was found --------------------------------------------------------------------------------------------------


def _value_from_deliverer(facts: IndicatorFacts) -> Iterator[WarningSign]:
    """Values came from whoever is judged by them; one sign for all, at the latest of them."""
    found: list[tuple[Measurement, str]] = []
    for measurement in facts.measurements.values():
        source = facts.definition_on(measurement.findings[0].published_on).source
        supplier = measurement.supplied_by or (source.organization if source else None)
        if supplier and source and not _independent(supplier, source):
            found.append((measurement, supplier))
    if found:
        measurement, supplier = found[-1]
        yield _sign(
            WarningCode.VALUE_FROM_DELIVERER,
            *(one.findings[0].position for one, _ in found),
            count=len(found),
            all=len(facts.measurements),
            period=measurement.period.name,
            supplier=supplier,
        )


def _independent(supplier: str, source: DataSource) -> bool:
    return source.independent and supplier == source.organization


def _turned_green_late(facts: IndicatorFacts, window: int) -> Iterator[WarningSign]:
    """The verdict turned good in the last days before the target's day, whatever turned it."""
    for day, positions in _days_of_news(facts):
        eve = day - timedelta(days=1)
        target = facts.targets_in_force.on(eve)[0]
        if target is None or not 0 <= (target.on - day).days <= window:
            continue
        before, after = _status_on(facts, eve), _status_on(facts, day)
        if before is not None and before not in FAVOURABLE and after in FAVOURABLE:
            yield _sign(
                WarningCode.TURNED_GREEN_LATE,
                *positions,
                before=before,
                after=after,
                on=day,
                days=(target.on - day).days,
                target_on=target.on,
            )


def _days_of_news(facts: IndicatorFacts) -> Iterable[tuple[date, list[int]]]:
    """The days on which something about the verdict may have changed, with the events of each."""
    days: dict[date, list[int]] = {}
    findings = (found for measurement in facts.measurements.values() for found in measurement.findings)
    news = [
        *((found.published_on, found.position) for found in findings),
        *((target.effective_on, target.position) for target in facts.targets),
        *((change.effective_on, change.position) for change in facts.changes),
        *((trajectory.effective_on, trajectory.position) for trajectory in facts.trajectories),
    ]
    for day, position in news:
        days.setdefault(day, []).append(position)
    return sorted(days.items())


def _status_on(facts: IndicatorFacts, day: date) -> IndicatorStatus | None:
    """What a reader of everything published by a day would have concluded from the latest value."""
    terms = facts.in_force_on(day)
    last = facts.latest(published_by=day)
    verdict = None if terms is None or last is None else facts.verdict(terms, last, day)
    return verdict.status if verdict is not None else None


def _measured_before_period_ended(facts: IndicatorFacts) -> Iterator[WarningSign]:
    """A value that stands was published before its period was over."""
    for measurement in facts.measurements.values():
        found = measurement.findings[-1]
        if found.published_on < measurement.period_end_on:
            yield _sign(
                WarningCode.MEASURED_BEFORE_PERIOD_ENDED,
                found.position,
                value=found.value,
                period=measurement.period.name,
                on=found.published_on,
                period_end_on=measurement.period_end_on,
            )


def _not_measured(facts: IndicatorFacts, today: date, window: int) -> Iterator[WarningSign]:
    """No value was published though a period and the days that values take have passed; once judged, none is due."""
    last = facts.latest(published_by=today)
    since = facts.defined_on if last is None else last.period_end_on
    target = facts.target
    if today < overdue_from(facts, last, window):
        return
    if last is None:
        yield _sign(WarningCode.NEVER_MEASURED, facts.defined_at, on=since)
    elif target is None or last.period_end_on < target.on:
        yield _sign(WarningCode.STALE, last.findings[-1].position, period=last.period.name, on=since)


def overdue_from(facts: IndicatorFacts, last: Measurement | None, window: int) -> date:
    """The first day on which a value is long due after the last one there is, or after the definition."""
    frequency = facts.definition.frequency
    length = DAYS_OF[frequency][1] if frequency in DAYS_OF else DAYS_OF[type(frequency).YEARLY][1]
    since = facts.defined_on if last is None else last.period_end_on
    return since + timedelta(days=min(length + window + 1, (date.max - since).days))
