"""Indicators on a day: what is measured, what was promised, what was found by then, and what follows from it.

An answer about a day is made of what had taken effect, or was published, by that day. The verdicts in lists lie in the
read model; a page and a trajectory are worked out from the facts in it, by the same rules.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from services.reporting.datasets import (
    ORGANIZATION,
    commitment_states,
    commitments,
    decisions,
    indicator_commitments,
    indicator_facts,
    indicator_verdicts,
    indicators,
    warning_signs,
)
from services.reporting.queries.access import (
    Scope,
    hidden_among,
    readable,
    shown_on,
    shown_within,
)
from services.reporting.queries.board import readable_codes
from services.reporting.queries.corrected import Corrected
from services.reporting.queries.corrections import corrections_on
from services.reporting.queries.moments import AsOf
from services.reporting.queries.names import Names, names_at
from services.reporting.queries.pillars import described, parents_giving_pillars
from services.reporting.queries.states import rows_there
from services.reporting.queries.unknown_words import refuse_unknown_words
from services.reporting.reading import Reading
from shared.aggregate.documents import document_of
from shared.aggregate.indicator_documents import (
    PLACES,
    DefinitionChangeDocument,
    MeasurementDocument,
    TargetDocument,
    TrajectoryDocument,
    VerdictDocument,
    WarningDocument,
    figures_of,
    shown,
    sign_document,
    verdict_document,
)
from shared.errors import NotFound
from shared.events.indicators import EVENTS, Baseline
from shared.events.streams import stream_of
from shared.events.vocabulary import Direction, Frequency, Visibility
from shared.rules.decimals import exactly
from shared.rules.indicator_facts import IndicatorFacts, Measurement, Terms, facts_of
from shared.rules.indicator_verdict import Promise, planned_on
from shared.rules.indicator_warnings import WarningCode, WarningSign

_row: Final = indicators.c
_TYPES: Final = {one.TYPE: one for one in EVENTS}


class IndicatorFilters(NamedTuple):
    """Which indicators a list is of; an empty sequence admits all."""

    columns: Mapping[str, Sequence[str]]
    """By the columns of the datasets `indicators` and `indicator_verdicts`."""
    commitment: Sequence[str] = ()
    organization: Sequence[str] = ()
    pillar: Sequence[str] = ()
    sign: Sequence[str] = ()


class Supplier(msgspec.Struct, frozen=True):
    """Who supplies the values."""

    organization: str
    organization_name: str | None
    independent: Annotated[bool, Meta(description="Whether it is another than who delivers.")]
    name: str | None


class Described(msgspec.Struct, kw_only=True):
    """What an indicator was on a day."""

    id: UUID
    code: Annotated[str, Meta(examples=["VICTIMISATION"])]
    name: str
    unit: Annotated[str, Meta(description="The unit in force.", examples=["%"])]
    direction: Direction
    proxy: Annotated[bool, Meta(description="It stands for what cannot be measured directly.")]
    frequency: Frequency
    method: str | None
    source: Supplier | None
    commitments: Annotated[
        list[str],
        Meta(description="The codes of the commitments it measures, as far as the asker may know of them."),
    ]
    baseline: document_of(Baseline) | None  # type: ignore[valid-type]
    baseline_unit: str | None
    original_target: Annotated[TargetDocument | None, Meta(description="The first one, as it was promised.")]
    current_target: Annotated[TargetDocument | None, Meta(description="The one in force.")]
    latest: Annotated[MeasurementDocument | None, Meta(description="The value of the latest period.")]
    visibility: Visibility
    corrected: Annotated[
        Corrected | None, Meta(description="How it is told otherwise of this day than before.")
    ]


class IndicatorItem(Described, kw_only=True):
    """An indicator in a list."""

    verdict: Annotated[
        VerdictDocument | None, Meta(description="What the latest value says of the target in force.")
    ]
    verdict_on_original: Annotated[
        VerdictDocument | None,
        Meta(description="What it says of the target as it was first promised."),
    ]
    signs: Annotated[list[WarningCode], Meta(description="The kinds of warning sign there are.")]


class IndicatorPage(IndicatorItem, kw_only=True):
    """An indicator with everything that was told of it by the day."""

    targets: list[TargetDocument]
    trajectory: TrajectoryDocument | None
    measurements: Annotated[list[MeasurementDocument], Meta(description="In the order of their periods.")]
    definition_changes: list[DefinitionChangeDocument]
    warnings: Annotated[list[WarningDocument], Meta(description="The warning signs, none of them a proof.")]


class _OfOne(msgspec.Struct, kw_only=True):
    """Of which indicator something is told."""

    id: UUID
    code: Annotated[str, Meta(examples=["VICTIMISATION"])]
    name: str
    unit: Annotated[str, Meta(description="The unit in force.", examples=["%"])]
    corrected: Annotated[
        Corrected | None, Meta(description="How it is told otherwise of this day than before.")
    ]


class IndicatorValues(_OfOne, kw_only=True):
    """Every value of an indicator that was published by the day."""

    values: Annotated[list[MeasurementDocument], Meta(description="In the order of their periods.")]


class IndicatorTargets(_OfOne, kw_only=True):
    """Every target that an indicator had by the day."""

    targets: Annotated[list[TargetDocument], Meta(description="The first, and each that replaced it.")]


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A day for which something was measured or planned, in the unit now in force."""

    on: date
    period: Annotated[str | None, Meta(description="The period that ended on it, if that was measured.")] = (
        None
    )
    measured: Annotated[
        Decimal | None, Meta(description="Null as well where the unit of the day does not compare.")
    ] = None
    planned: Annotated[Decimal | None, Meta(description="For this day, by the promise in force.")]
    planned_originally: Annotated[Decimal | None, Meta(description="By the promise as it was first made.")]
    distance: Annotated[Decimal | None, Meta(description="Measured minus planned.")]
    distance_from_original: Annotated[Decimal | None, Meta(description="Measured minus planned originally.")]
    verdict: VerdictDocument | None = None
    verdict_on_original: VerdictDocument | None = None
    position: Annotated[int | None, Meta(description="Of the event that told the value.")] = None


class Trajectory(msgspec.Struct, frozen=True, kw_only=True):
    """The way of an indicator, planned and gone."""

    id: UUID
    code: str
    name: str
    unit: str
    original_target: TargetDocument | None
    current_target: TargetDocument | None
    revisions: Annotated[
        list[TargetDocument],
        Meta(description="The targets after the first, each with its reason and decision."),
    ]
    warnings: list[WarningDocument]
    items: list[Point]


class Indicators(NamedTuple):
    """A page of indicators; `more` when the list goes on, and how many there are, where that was asked for."""

    items: list[IndicatorItem]
    more: bool
    total: int | None


def indicators_as_of(
    reading: Reading,
    at: AsOf,
    scope: Scope,
    filters: IndicatorFilters,
    rule: str,
    *,
    after: str | None = None,
    limit: int = 50,
    count: bool = False,
) -> Indicators:
    """The indicators that there were on the day of `at`, in order of code."""
    page, more = _page_of(reading, at, scope, filters, rule, after, limit)
    total = None
    if count:
        chosen = _chosen(reading, at, scope, filters, rule)
        total = reading.connection.execute(select(func.count()).where(chosen)).scalar_one()
    ids = [row.indicator_id for row in page]
    signs = _signs(reading, at, ids)
    items = [
        IndicatorItem(
            **one,
            verdict=_decoded(row.current, VerdictDocument),
            verdict_on_original=_decoded(row.original, VerdictDocument),
            signs=sorted({sign.sign for sign in signs[row.indicator_id]}),
        )
        for row, one in zip(page, _described(reading, at, scope, page), strict=True)
    ]
    return Indicators(items, more, total)


def values_as_of(
    reading: Reading,
    at: AsOf,
    scope: Scope,
    filters: IndicatorFilters,
    rule: str,
    *,
    after: str | None = None,
    limit: int = 50,
) -> tuple[list[IndicatorValues], bool]:
    """The values of the indicators of a page, in order of code; and whether there are more."""
    rows, more = _page_of(reading, at, scope, filters, rule, after, limit)
    figures = {one: figures_of(facts, rule) for one, facts in _facts(reading, at, rows).items()}
    return [
        IndicatorValues(**one, values=figures[one["id"]]["measurements"])
        for one in _named(reading, at, scope, rows)
    ], more


def targets_as_of(
    reading: Reading,
    at: AsOf,
    scope: Scope,
    filters: IndicatorFilters,
    rule: str,
    *,
    after: str | None = None,
    limit: int = 50,
) -> tuple[list[IndicatorTargets], bool]:
    """The targets of the indicators of a page, in order of code; and whether there are more."""
    rows, more = _page_of(reading, at, scope, filters, rule, after, limit)
    targets = {one: figures_of(facts, rule)["targets"] for one, facts in _facts(reading, at, rows).items()}
    hidden = _hidden_decisions(reading, at, scope, [one for found in targets.values() for one in found])
    return [
        IndicatorTargets(**one, targets=_told_all(targets[one["id"]], hidden))
        for one in _named(reading, at, scope, rows)
    ], more


def indicator_as_of(reading: Reading, at: AsOf, scope: Scope, indicator: UUID, rule: str) -> IndicatorPage:
    """All that was told of an indicator by a day; NotFound when there is none that the asker may read."""
    row, facts = _found(reading, at, scope, indicator)
    (one,) = _described(reading, at, scope, [row])
    figures = figures_of(facts, rule)
    hidden = _hidden_decisions(reading, at, scope, figures["targets"])
    figures |= {name: _told(figures[name], hidden) for name in ("original_target", "current_target")}
    figures["targets"] = _told_all(figures["targets"], hidden)
    del figures["verdict_rule"]
    verdicts = indicator_verdicts.c
    judged = reading.connection.execute(
        select(verdicts.current, verdicts.original).where(
            _row.indicator_id == row.indicator_id, indicators.holds(at.on, at.position), _judged(at, rule)
        )
    ).one()
    warnings = _signs(reading, at, [row.indicator_id])[row.indicator_id]
    return IndicatorPage(
        **one | figures,
        verdict=_decoded(judged.current, VerdictDocument),
        verdict_on_original=_decoded(judged.original, VerdictDocument),
        signs=sorted({sign.sign for sign in warnings}),
        warnings=warnings,
    )


def trajectory_as_of(reading: Reading, at: AsOf, scope: Scope, indicator: UUID, rule: str) -> Trajectory:
    """What was planned of an indicator, what was found by a day, and how far the one is from the other."""
    row, facts = _found(reading, at, scope, indicator)
    (one,) = _described(reading, at, scope, [row])
    figures = figures_of(facts, rule)
    targets = _told_all(figures["targets"], _hidden_decisions(reading, at, scope, figures["targets"]))
    first = facts.original and facts.original.target.position
    return Trajectory(
        id=row.indicator_id,
        code=row.code,
        name=row.name,
        unit=row.unit,
        original_target=one["original_target"],
        current_target=one["current_target"],
        revisions=[one for one in targets if one.position != first],
        warnings=_signs(reading, at, [row.indicator_id])[row.indicator_id],
        items=list(_points(facts, rule)),
    )


# --- which there are -------------------------------------------------------------------------------------------------


def _there(reading: Reading, at: AsOf, scope: Scope) -> ColumnElement[bool]:
    """The indicators of the day that the asker may read."""
    return and_(
        indicators.holds(at.on, at.position),
        readable(reading, scope, at.position, indicators),
        shown_on(scope, at.on, at.position, _row.indicator_id),
        shown_within(scope, at.on, at.position, indicators),
    )


def indicators_there(
    reading: Reading, at: AsOf, scope: Scope, filters: IndicatorFilters
) -> ColumnElement[bool]:
    """The rows of `indicators` of the day that filters by what they measure admit and the asker may read."""
    return and_(_there(reading, at, scope), *_admitted(reading, at, scope, filters))


def _judged(at: AsOf, rule: str) -> ColumnElement[bool]:
    """Whether a row of `indicator_verdicts` is the one beside that of `indicators`, by a version of the rule."""
    verdicts = indicator_verdicts.c
    return and_(
        verdicts.indicator_id == _row.indicator_id,
        verdicts.rule == rule,
        indicator_verdicts.holds(at.on, at.position),
    )


def _admitted(
    reading: Reading, at: AsOf, scope: Scope, filters: IndicatorFilters
) -> Iterable[ColumnElement[bool]]:
    refuse_unknown_words(reading, at, scope, filters.columns)
    yield from indicators.admits(filters.columns)
    yield from indicator_verdicts.admits(filters.columns)
    if filters.commitment:
        yield _measuring(at, indicator_commitments.c.commitment.in_(filters.commitment))
    # What an asker may not read leads nobody's indicator to them.
    state = commitment_states.c
    if filters.organization:
        led = select(state.code).where(
            rows_there(reading, at, scope), state.lead_organization.in_(filters.organization)
        )
        yield _measuring(at, indicator_commitments.c.commitment.in_(led))
    if filters.pillar:
        above = parents_giving_pillars(reading, at, scope)
        parents = [code for code, pillar in above.items() if pillar in filters.pillar]
        under = or_(
            state.pillar.in_(filters.pillar),
            and_(state.pillar.is_(None), commitments.c.parent.in_(parents)),
        )
        codes = select(state.code).where(rows_there(reading, at, scope), described(at), under)
        yield _measuring(at, indicator_commitments.c.commitment.in_(codes))
    if filters.sign:
        yield exists().where(
            warning_signs.c.thing_id == _row.indicator_id,
            warning_signs.c.parameters.is_not(None),
            warning_signs.c.sign.in_(filters.sign),
            warning_signs.holds(at.on, at.position),
        )


def _measuring(at: AsOf, which: ColumnElement[bool]) -> ColumnElement[bool]:
    measured = indicator_commitments.c
    return exists().where(
        measured.indicator_id == _row.indicator_id,
        measured.measured,
        indicator_commitments.holds(at.on, at.position),
        which,
    )


def _found(reading: Reading, at: AsOf, scope: Scope, indicator: UUID) -> tuple[Any, IndicatorFacts]:
    """An indicator on a day, and the facts told of it by then."""
    row = reading.connection.execute(
        select(indicators.table).where(_there(reading, at, scope), _row.indicator_id == indicator)
    ).one_or_none()
    if row is None:
        raise NotFound("unknown-indicator", "There is no such indicator on that day.")
    return row, _facts(reading, at, [row])[row.indicator_id]


def _chosen(
    reading: Reading, at: AsOf, scope: Scope, filters: IndicatorFilters, rule: str
) -> ColumnElement[bool]:
    """The indicators of a day that the asker may read and the filters admit, each beside how a rule judges it."""
    return and_(_there(reading, at, scope), _judged(at, rule), *_admitted(reading, at, scope, filters))


def _page_of(
    reading: Reading,
    at: AsOf,
    scope: Scope,
    filters: IndicatorFilters,
    rule: str,
    after: str | None,
    limit: int,
) -> tuple[Sequence[Any], bool]:
    """Some indicators of a day with the verdicts on them, in order of code; and whether there are more."""
    beyond = [] if after is None else [_row.code > after]
    rows = reading.connection.execute(
        select(indicators.table, indicator_verdicts.c.current, indicator_verdicts.c.original)
        .where(_chosen(reading, at, scope, filters, rule), *beyond)
        .order_by(_row.code)
        .limit(limit + 1)
    ).all()
    return rows[:limit], len(rows) > limit


def _facts(reading: Reading, at: AsOf, rows: Sequence[Any]) -> dict[UUID, IndicatorFacts]:
    """What was told of some indicators by a day."""
    told = indicator_facts.c
    found = reading.connection.execute(
        select(told.indicator_id, told.position, told.type, told.fact)
        .where(
            told.indicator_id.in_([row.indicator_id for row in rows]),
            indicator_facts.holds(at.on, at.position),
        )
        .order_by(told.position)
    )
    facts: dict[UUID, list[tuple[int, Any]]] = {row.indicator_id: [] for row in rows}
    for one in found:
        facts[one.indicator_id].append((one.position, msgspec.json.decode(one.fact, type=_TYPES[one.type])))
    return {indicator: facts_of(of_it) for indicator, of_it in facts.items()}


def _named(reading: Reading, at: AsOf, scope: Scope, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """The members of `_OfOne` for some indicators."""
    corrections = corrections_on(reading, at, scope, {row.indicator_id for row in rows})
    return [
        {
            "id": row.indicator_id,
            **{name: getattr(row, name) for name in ("code", "name", "unit")},
            "corrected": corrections.told(row.indicator_id),
        }
        for row in rows
    ]


# --- what is told of them --------------------------------------------------------------------------------------------


def _described(reading: Reading, at: AsOf, scope: Scope, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """What rows of `indicators` tell an asker."""
    if not rows:
        return []
    of = measured_by(reading, at, scope, [row.indicator_id for row in rows])
    targets = {
        row.indicator_id: [
            _decoded(text, TargetDocument) for text in (row.original_target, row.current_target)
        ]
        for row in rows
    }
    hidden = _hidden_decisions(reading, at, scope, [one for found in targets.values() for one in found])
    names = names_at(reading, at.position, at.on)
    corrections = corrections_on(reading, at, scope, {row.indicator_id for row in rows})
    return [
        {
            "id": row.indicator_id,
            **{
                name: getattr(row, name)
                for name in ("code", "name", "unit", "proxy", "method", "baseline_unit")
            },
            "direction": Direction(row.direction),
            "frequency": Frequency(row.frequency),
            "source": _supplier(row, names),
            "commitments": of.get(row.indicator_id, []),
            "baseline": _decoded(row.baseline, document_of(Baseline)),
            "original_target": _told(targets[row.indicator_id][0], hidden),
            "current_target": _told(targets[row.indicator_id][1], hidden),
            "latest": _decoded(row.latest, MeasurementDocument),
            "visibility": Visibility(row.visibility),
            "corrected": corrections.told(row.indicator_id),
        }
        for row in rows
    ]


def measured_by(reading: Reading, at: AsOf, scope: Scope, ids: Iterable[UUID]) -> dict[UUID, list[str]]:
    """The codes of the commitments that some indicators measure, as far as the asker may know of them."""
    measured = indicator_commitments.c
    of: dict[UUID, list[str]] = defaultdict(list)
    for one in reading.connection.execute(
        select(measured.indicator_id, measured.commitment)
        .where(
            measured.indicator_id.in_(sorted(ids)),
            measured.measured,
            indicator_commitments.holds(at.on, at.position),
        )
        .order_by(measured.commitment)
    ):
        of[one.indicator_id].append(one.commitment)
    codes = readable_codes(reading, at.position, scope, {code for found in of.values() for code in found})
    return {one: [code for code in found if code in codes] for one, found in of.items()}


def _supplier(row: Any, names: Names) -> Supplier | None:
    if row.source_organization is None:
        return None
    called = names.of(ORGANIZATION, row.source_organization)
    return Supplier(row.source_organization, called, row.independent, row.source_name)


def _decoded(text: str, document: type[Any]) -> Any:
    return msgspec.json.decode(text, type=document | None)


def _hidden_decisions(
    reading: Reading, at: AsOf, scope: Scope, targets: Iterable[TargetDocument | None]
) -> Collection[str]:
    """The decisions behind targets that are not for the asker to know of; a number that none has hides nothing."""
    numbers = {stream_of("decision", one.decision): one.decision for one in targets if one and one.decision}
    return {numbers[one] for one in hidden_among(reading, scope, at.position, decisions, numbers)}


def _told(target: TargetDocument | None, hidden: Collection[str]) -> TargetDocument | None:
    if target is None or target.decision not in hidden:
        return target
    return msgspec.structs.replace(target, decision=None)


def _told_all(targets: Iterable[TargetDocument], hidden: Collection[str]) -> list[TargetDocument]:
    return [one for target in targets if (one := _told(target, hidden)) is not None]


def _signs(reading: Reading, at: AsOf, ids: Sequence[UUID]) -> dict[UUID, list[WarningDocument]]:
    """The warning signs of some indicators on a day, in the order in which they arose."""
    found: dict[UUID, list[WarningDocument]] = defaultdict(list)
    sign = warning_signs.c
    for row in reading.connection.execute(
        select(warning_signs.table)
        .where(sign.thing_id.in_(ids), sign.parameters.is_not(None), warning_signs.holds(at.on, at.position))
        .order_by(sign.because, sign.sign, sign.number)
    ):
        found[row.thing_id].append(
            sign_document(
                WarningSign(
                    WarningCode(row.sign),
                    msgspec.json.decode(row.parameters),
                    tuple(msgspec.json.decode(row.events)),
                )
            )
        )
    return found


# --- trajectories ----------------------------------------------------------------------------------------------------


def _points(facts: IndicatorFacts, rule: str) -> Iterable[Point]:
    """The days for which something was measured or planned, in order; of one day, in the order of the log."""
    unit = len(facts.units) - 1
    plans = [
        None if terms is None else facts.promise(terms, unit) for terms in (facts.current, facts.original)
    ]
    measured: dict[date, list[Measurement]] = defaultdict(list)
    for one in sorted(facts.measurements.values(), key=lambda one: one.findings[0].position):
        measured[one.period_end_on].append(one)
    days = {day for terms in (facts.current, facts.original) for day in _planned_days(terms)}
    for day in sorted(days | measured.keys()):
        planned, originally = (None if plan is None else _planned(plan, day) for plan in plans)
        told = [_measured(one, facts, rule, unit) for one in measured.get(day, ())]
        for values in told or [{}]:
            value = values.get("measured")
            yield Point(
                on=day,
                planned=shown(planned, PLACES),
                planned_originally=shown(originally, PLACES),
                distance=_distance(value, planned),
                distance_from_original=_distance(value, originally),
                **values,
            )


def _measured(found: Measurement, facts: IndicatorFacts, rule: str, unit: int) -> dict[str, Any]:
    """What a point tells of a measurement."""
    last = found.findings[-1]
    return {
        "period": found.period.name,
        "measured": shown(facts.restated(last.value, facts.unit_on(last.published_on), unit)),
        "verdict": verdict_document(found, facts, facts.current, rule),
        "verdict_on_original": verdict_document(found, facts, facts.original, rule),
        "position": last.position,
    }


def _planned_days(terms: Terms | None) -> Iterable[date]:
    """The days for which a promise names a value itself."""
    if terms is None:
        return
    yield terms.target.on
    if terms.definition.baseline is not None:
        yield terms.definition.baseline.on
    if terms.trajectory is not None:
        yield from (point.on for point in terms.trajectory.points)


def _planned(promise: Promise, day: date) -> Decimal | None:
    with exactly():
        return planned_on(promise, day)


def _distance(value: Decimal | None, planned: Decimal | None) -> Decimal | None:
    if value is None or planned is None:
        return None
    with exactly():
        return shown(value - planned, PLACES)
