"""The warning signs of an indicator: what makes a reader look twice at a good figure.

None of them proves anything; each names the event it follows from. They are pure functions of what is
known, the calendar of the reader plays no part, so the signs as of any position can be had again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from shared.events.indicators import DataSource
from shared.events.vocabulary import Direction
from shared.rules.indicator_facts import IndicatorFacts, Measurement
from shared.rules.indicator_verdict import FAVOURABLE, IndicatorStatus, indicator_verdict

NO_CHANGE_OF_FIGURES = frozenset({"name"})
"""Fields of the definition that may change without changing what a figure means."""


class WarningCode(StrEnum):
    """The kinds of warning sign."""

    DEFINITION_CHANGED_NEAR_DEADLINE = "definition_changed_near_deadline"
    TARGET_FROM_LAST_ACTUAL = "target_from_last_actual"
    VALUE_FROM_DELIVERER = "value_from_deliverer"
    TURNED_GREEN_LATE = "turned_green_late"


class WarningSign(NamedTuple):
    """One sign, in words, and the position of the event it follows from."""

    code: WarningCode
    detail: str
    because: int


class WarningWindows(NamedTuple):
    """What counts as near: days around a deadline, days before it, and a share of the last actual value."""

    definition_days: int = 90
    green_days: int = 30
    ratchet_share: Decimal = Decimal("0.01")


WINDOWS = WarningWindows()


def warning_signs(facts: IndicatorFacts, windows: WarningWindows = WINDOWS) -> list[WarningSign]:
    """Every sign, in the order in which the log learned what gives rise to it."""
    signs = [
        *_definition_changed_near_deadline(facts, windows.definition_days),
        *_target_from_last_actual(facts, windows.ratchet_share),
        *_value_from_deliverer(facts),
        *_turned_green_late(facts, windows.green_days),
    ]
    return sorted(signs, key=lambda sign: (sign.because, sign.code))


def _definition_changed_near_deadline(facts: IndicatorFacts, window: int) -> Iterator[WarningSign]:
    """What the figures mean changed close to the day they were to be judged, before it or after it."""
    for change in facts.changes:
        fields = [field for field in change.values if field not in NO_CHANGE_OF_FIGURES]
        target = facts.targets_in_force.on(change.effective_on)[0]
        if not fields or target is None:
            continue
        days = (target.on - change.effective_on).days
        if abs(days) <= window:
            when = f"{abs(days)} days {'before' if days >= 0 else 'after'}"
            what = ", ".join(fields)
            detail = f"{what} changed on {change.effective_on}, {when} the target of {target.on}."
            yield WarningSign(WarningCode.DEFINITION_CHANGED_NEAR_DEADLINE, detail, change.position)


def _target_from_last_actual(facts: IndicatorFacts, share: Decimal) -> Iterator[WarningSign]:
    """A target asks for what had already been reached (the ratchet: last year's result made a goal)."""
    for target in facts.targets:
        if facts.definition_on(target.effective_on).direction is Direction.MAINTAIN:
            continue
        last = facts.latest(published_by=target.effective_on)
        found = last.known_on(target.effective_on) if last else None
        if last and found and abs(target.value - found.value) <= abs(found.value) * share:
            detail = (
                f"Target {target.number} ({target.value} by {target.on}) is the last value then published: "
                f"{found.value} for {last.period.name}."
            )
            yield WarningSign(WarningCode.TARGET_FROM_LAST_ACTUAL, detail, target.position)


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
        detail = (
            f"{len(found)} of {len(facts.measurements)} values, the latest for {measurement.period.name}, "
            f"came from {supplier}, which is not an independent source."
        )
        yield WarningSign(WarningCode.VALUE_FROM_DELIVERER, detail, measurement.findings[0].position)


def _independent(supplier: str, source: DataSource) -> bool:
    return source.independent and supplier == source.organization


def _turned_green_late(facts: IndicatorFacts, window: int) -> Iterator[WarningSign]:
    """The verdict turned good in the last days before the target's day, whatever turned it."""
    for day, position in _days_of_news(facts):
        eve = day - timedelta(days=1)
        target = facts.targets_in_force.on(eve)[0]
        if target is None or not 0 <= (target.on - day).days <= window:
            continue
        before, after = _status_on(facts, eve), _status_on(facts, day)
        if before is not None and before not in FAVOURABLE and after in FAVOURABLE:
            detail = (
                f"The verdict went from {before} to {after} on {day}, "
                f"{(target.on - day).days} days before the target of {target.on}."
            )
            yield WarningSign(WarningCode.TURNED_GREEN_LATE, detail, position)


def _days_of_news(facts: IndicatorFacts) -> list[tuple[date, int]]:
    """The days on which something about the verdict may have changed, with the last event of each."""
    days: dict[date, int] = {}
    findings = (found for measurement in facts.measurements.values() for found in measurement.findings)
    news = [
        *((found.published_on, found.position) for found in findings),
        *((target.effective_on, target.position) for target in facts.targets),
        *((change.effective_on, change.position) for change in facts.changes),
        *((trajectory.effective_on, trajectory.position) for trajectory in facts.trajectories),
    ]
    for day, position in news:
        days[day] = max(position, days.get(day, 0))
    return sorted(days.items())


def _status_on(facts: IndicatorFacts, day: date) -> IndicatorStatus | None:
    """What a reader of everything published by a day would have concluded from the latest value."""
    promise = facts.promise_on(day)
    last = facts.latest(published_by=day)
    found = last.known_on(day) if last else None
    if promise is None or last is None or found is None:
        return None
    return indicator_verdict(promise, found.value, last.period_end_on).status
