"""From the events of indicators to what held of them on which days, what was told of their figures, and the signs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar, Final

import msgspec

from services.reporting.datasets import (
    MEASURES,
    indicator_commitments,
    indicator_facts,
    indicator_verdicts,
    indicators,
    warning_signs,
)
from services.reporting.projections.corrections import About, Answers, Said, Telling, answers_of
from services.reporting.projections.differ import ByDay, Key, Now, Values
from services.reporting.projections.projection import DayOf, json_text, readers_of, shown_by_day
from shared.aggregate.documents import document_of, members_of
from shared.aggregate.indicator_documents import (
    VerdictDocument,
    measurement_document,
    target_document,
    verdict_document,
)
from shared.eventlog.envelope import Recorded
from shared.events.facts import Event
from shared.events.indicators import (
    Baseline,
    CommitmentMeasured,
    IndicatorDefined,
    IndicatorDefinitionChanged,
    IndicatorPublished,
    MeasurementCorrected,
    MeasurementRecorded,
    TargetSet,
    TrajectorySet,
)
from shared.events.types import Kind
from shared.events.vocabulary import Visibility
from shared.rules.dated_facts import History, VisibilityByDay
from shared.rules.indicator_facts import IndicatorByDay, IndicatorFacts
from shared.rules.indicator_verdict import CURRENT_INDICATOR_RULE
from shared.rules.indicator_warnings import WINDOWS, WarningWindows, overdue_from
from shared.rules.indicator_warnings import warning_signs as signs_on
from shared.rules.registry import rule_named, versions_of

_NO_SIGN: Values = warning_signs.row(parameters=None, events="[]")
RULES = tuple(rule.name for rule in versions_of(rule_named(CURRENT_INDICATOR_RULE).family))
"""Every version of the rule by which values are judged."""


class IndicatorProjection(Telling):
    """One indicator; an event changes nothing before the day of which it speaks."""

    TYPES: ClassVar[frozenset[type[Event]]] = frozenset(
        (
            TargetSet,
            TrajectorySet,
            MeasurementRecorded,
            MeasurementCorrected,
            IndicatorDefinitionChanged,
            IndicatorPublished,
            CommitmentMeasured,
        )
    )
    CORRECTING: ClassVar[frozenset[type[Event]]] = frozenset((MeasurementCorrected,))

    __slots__ = (
        "_by_day",
        "_defined",
        "_facts",
        "_id",
        "_key",
        "_measured",
        "_signs",
        "_visibility",
        "_windows",
    )

    def __init__(self, recorded: Recorded, _day_of: DayOf, windows: WarningWindows = WINDOWS) -> None:
        event = recorded.data
        assert isinstance(event, IndicatorDefined)
        self._id = recorded.stream_id
        self._key = recorded.stream_id.hex
        self._defined = event
        self._windows = windows
        self._visibility = VisibilityByDay(event.visibility, recorded.position)
        self._by_day = IndicatorByDay(event, recorded.position)
        self._measured: dict[str, History[bool]] = {}
        if event.commitment is not None:
            self._measured[event.commitment] = History(True, recorded.position)
        self._facts: dict[Key, ByDay] = {}
        self._signs: set[Key] = set()
        """All that there ever were: where one stands no longer, a row says so."""

    def apply(self, recorded: Recorded) -> Iterable[Now]:
        """See `Projection.apply`."""
        event, position = recorded.data, recorded.position
        if isinstance(event, IndicatorPublished):
            self._visibility.take_in(event, position)
            yield shown_by_day(self._id, self._visibility)
            yield from self._figures(None)
            return
        if isinstance(event, CommitmentMeasured):
            history = self._measured.setdefault(event.commitment, History(False, position))
            history.add(event.effective_on, position, event.measured)
            yield self._commitments()
            return
        since = None if isinstance(event, IndicatorDefined) else self._by_day.apply(event, position)
        row = indicator_facts.row(type=event.TYPE, fact=json_text(event))
        self._facts[self._key, position] = [(since or self._defined.effective_on, row)]
        yield Now(indicator_facts, self._facts)
        yield from self._figures(since)
        source = self._by_day.on(date.max).definition.source
        yield readers_of(self._id, concerned=() if source is None else (source.organization,))
        if since is None and self._measured:
            yield self._commitments()

    def _commitments(self) -> Now:
        rows: dict[Key, ByDay] = {}
        first = self._defined.effective_on
        for commitment, history in self._measured.items():
            days = dict.fromkeys((first, *history.days_after(first)))
            found = rows[self._key, commitment] = ByDay()
            for day in days:
                _add(found, day, (history.on(day)[0],))
        return Now(indicator_commitments, rows)

    @property
    def about(self) -> About:
        """See `Telling.about`."""
        return About(Kind.INDICATOR, self._key, self._defined.code)

    def answers(self) -> Answers:
        """See `Telling.answers`: what was told, and what follows; on which decision may be hidden."""
        told = [Now(indicator_facts, self._facts), *self._figures(None), self._commitments()]
        return [(day, _told(said)) for day, said in answers_of(told, self._defined.effective_on)]

    def shown_on(self, day: date) -> Visibility:
        """See `Telling.shown_on`."""
        return self._visibility.shown_on(day)

    def days_shown(self) -> Iterable[date]:
        """See `Telling.days_shown`."""
        return self._visibility.days()

    def _figures(self, since: date | None) -> Iterable[Now]:
        """What held, what was concluded and what was a sign, from a day on."""
        first = self._defined.effective_on
        start = first if since is None else max(since, first)
        described, signs = ByDay(), list[tuple[date, dict[Key, Values]]]()
        judged: dict[Key, ByDay] = {(self._key, rule): [] for rule in RULES}
        days = self._by_day.days_from(start)
        for day, until in zip(days, (*days[1:], date.max), strict=True):
            facts = self._by_day.on(day)
            _add(described, day, self._row(facts))
            for (_, rule), found in judged.items():
                _add(found, day, _verdicts(facts, rule))
            overdue = overdue_from(facts, facts.latest(), self._windows.stale_days)
            for cut in (day, *((overdue,) if day < overdue < until else ())):
                signs.append((cut, self._signs_on(facts, cut)))
        self._signs.update(key for _, found in signs for key in found)
        yield Now(indicators, {(self._key,): described}, since)
        yield Now(indicator_verdicts, judged, since)
        standing: dict[Key, ByDay] = {key: [] for key in sorted(self._signs)}
        for day, of_day in signs:
            for key, rows in standing.items():
                _add(rows, day, of_day.get(key, _NO_SIGN))
        yield Now(warning_signs, standing, since)

    def _signs_on(self, facts: IndicatorFacts, day: date) -> dict[Key, Values]:
        found: dict[Key, Values] = {}
        for sign in signs_on(facts, day, self._windows):
            number = sum(key[1:3] == (sign.code.value, sign.because) for key in found)
            key = (self._key, sign.code.value, sign.because, number)
            found[key] = warning_signs.row(
                parameters=json_text(sign.parameters), events=json_text(sign.events)
            )
        return found

    def _row(self, facts: IndicatorFacts) -> Values:
        definition, latest, original = facts.definition, facts.latest(), facts.original
        source, baseline, target = definition.source, definition.baseline, facts.target
        return indicators.row(
            code=self._defined.code,
            defined_at=self._by_day.defined_at,
            visibility=self._visibility.now.value,
            name=definition.name,
            unit=definition.unit,
            direction=definition.direction.value,
            proxy=definition.proxy,
            frequency=definition.frequency.value,
            method=definition.method,
            commitment=self._defined.commitment,
            source_organization=source and source.organization,
            independent=source and source.independent,
            source_name=source and source.name,
            baseline=json_text(baseline and document_of(Baseline)(**members_of(baseline))),
            baseline_unit=baseline and facts.units[facts.unit_on(facts.baseline_since(date.max))],
            original_target=json_text(original and target_document(original.target, facts)),
            current_target=json_text(target and target_document(target, facts)),
            latest=json_text(latest and measurement_document(latest, facts)),
        )


_TIE: Final = indicator_commitments.name.removesuffix("s")


def _told(said: Said) -> Said:
    """What is said, with each commitment that is measured under a name of its own, as those refer that name one."""
    found = dict[str, Any]()
    for name, value in said.items():
        dataset, _, commitment = name.partition(" ")
        if dataset == _TIE:
            found[f"{MEASURES} {commitment}"] = commitment if value else None
        else:
            found[name] = _undecided(value)
    return found


def _undecided(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _undecided(one) for name, one in value.items() if name != "decision"}
    return [_undecided(one) for one in value] if isinstance(value, list) else value


def _add(found: ByDay, day: date, row: Values) -> None:
    """What held from a day on, if it is another than before."""
    if not found or found[-1][1] != row:
        found.append((day, row))


def _verdicts(facts: IndicatorFacts, rule: str) -> Values:
    """What the latest value says by a version of the rule."""
    latest = facts.latest()
    terms = facts.current, facts.original
    current, original = (
        None if latest is None else verdict_document(latest, facts, one, rule) for one in terms
    )
    return indicator_verdicts.row(
        verdict=_status(current),
        verdict_on_original=_status(original),
        current=json_text(current),
        original=json_text(original),
    )


def _status(verdict: VerdictDocument | None) -> Any:
    return None if verdict is None else msgspec.to_builtins(verdict.status)
