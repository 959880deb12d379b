"""Indicators and their trajectories."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta
from pydantic import Field, create_model
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.datasets import PILLAR, indicator_verdicts, indicators
from services.reporting.queries.access import Scope
from services.reporting.queries.indicators import (
    IndicatorFilters,
    IndicatorItem,
    IndicatorPage,
    Indicators,
    IndicatorTargets,
    IndicatorValues,
    Trajectory,
    indicator_as_of,
    indicators_as_of,
    targets_as_of,
    trajectory_as_of,
    values_as_of,
)
from services.reporting.queries.moments import AsOf
from services.reporting.reading import Reading
from services.reporting.routes.asking import (
    SHOWN,
    Answer,
    NextPage,
    Paged,
    Question,
    Reporting,
    filter_parameters,
    filters_in,
    going_on,
    heading,
    listed,
    next_page,
    tagged,
    values_in,
)
from shared.errors import InvalidInput
from shared.events.streams import resolve
from shared.events.types import Kind, Names
from shared.http.names import Spelling
from shared.http.routing import Router
from shared.rules.indicator_verdict import CURRENT_INDICATOR_RULE
from shared.rules.indicator_warnings import WarningCode
from shared.rules.registry import rule_named, versions_of

_RULES: Final = [rule.name for rule in versions_of(rule_named(CURRENT_INDICATOR_RULE).family)]
_Rule = Annotated[
    str | None,
    Field(
        max_length=100,
        description=f"The version of the rule to judge by, the newest by default: {', '.join(_RULES)}.",
    ),
]
_VerdictRule = Annotated[
    str, Meta(description="The rule that judged the values.", examples=[CURRENT_INDICATOR_RULE])
]


class _FiguresQuery(Paged):
    commitment: Annotated[
        str | None, listed("The code of a commitment they measure"), Names(Kind.COMMITMENT)
    ] = None
    organization: Annotated[
        str | None,
        listed("The code of an organisation that leads a commitment they measure"),
        Names(Kind.ORGANIZATION),
    ] = None
    pillar: Annotated[
        str | None, listed("The code of a pillar under which they measure"), Names(Kind.PILLAR)
    ] = None
    sign: Annotated[str | None, listed("A kind of warning sign that there is", WarningCode)] = None
    rule: _Rule = None


class _IndicatorsQuery(_FiguresQuery):
    include: Annotated[
        Literal["total"] | None, Field(description="Adds how many items the whole list has.")
    ] = None


_TOLD: Final = (Kind.INDICATOR, Kind.COMMITMENT, Kind.ORGANIZATION)
_FILTERS: Final = indicators.filters | indicator_verdicts.filters
IndicatorsQuery: Final = create_model(
    "IndicatorsQuery",
    __base__=_IndicatorsQuery,
    **filter_parameters(_FILTERS),
)
FiguresQuery: Final = create_model(
    "IndicatorFiguresQuery",
    __base__=_FiguresQuery,
    **filter_parameters(_FILTERS),
)


class IndicatorQuery(Question):
    """A question about an indicator on a day."""

    rule: _Rule = None


class IndicatorsAnswer(Answer, kw_only=True):
    """A page of the indicators of a day."""

    verdict_rule: _VerdictRule
    total: int | msgspec.UnsetType = msgspec.UNSET
    items: list[IndicatorItem]
    next: NextPage


class IndicatorValuesAnswer(Answer, kw_only=True):
    """The values of a page of indicators."""

    verdict_rule: _VerdictRule
    items: list[IndicatorValues]
    next: NextPage


class IndicatorTargetsAnswer(Answer, kw_only=True):
    """The targets of a page of indicators."""

    items: list[IndicatorTargets]
    next: NextPage


class IndicatorAnswer(Answer, kw_only=True):
    """An indicator on a day."""

    verdict_rule: _VerdictRule
    indicator: Annotated[IndicatorPage, Meta(description="The indicator, with everything told of it.")]


class TrajectoryAnswer(Answer, kw_only=True):
    """The trajectory of an indicator on a day."""

    verdict_rule: _VerdictRule
    trajectory: Trajectory


def indicator_routes(reporting: Reporting) -> Router:
    """The routes of indicators."""
    router = Router(
        "indicators",
        "What is measured, on a day: targets, values, verdicts.",
        id=Annotated[str, Field(description="The UUID or the code.", examples=["VICTIMISATION"])],
    )

    async def id_of(request: Request, identifier: str) -> UUID:
        spelling: Spelling = request.app.state.spelling
        return resolve("indicator", await spelling("indicator", identifier) or identifier)

    @router.get("/v1/indicators", access=SHOWN, answers=IndicatorsAnswer, query=IndicatorsQuery)
    async def list_indicators(request: Request, query: _IndicatorsQuery) -> Response:
        """The indicators there were on a day, by code: definition, promises, the latest value and what it says of them.

        All of it by what had taken effect, or was published, by that day. `verdict` is judged against the target then
        in force, `verdict_on_original` against the first target as it was first promised; `rule` judges by another
        version of the rule.
        """
        after, pinned = going_on(request, query.cursor, str)
        rule = _rule(query.rule)
        filters = _filters(query)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> Indicators:
            code = None if after is None else after[0]
            count = query.include == "total"
            return indicators_as_of(
                reading, at, scope, filters, rule, after=code, limit=query.limit, count=count
            )

        at, scope, found = await reporting.ask(request, query, answer, tells=_TOLD, pinned=pinned)
        body = IndicatorsAnswer(
            **heading(at, scope),
            verdict_rule=rule,
            items=found.items,
            next=next_page(request, at, [found.items[-1].code] if found.more else None),
        )
        if found.total is not None:
            body.total = found.total
        return tagged(request, body, at)

    @router.get("/v1/indicator-values", access=SHOWN, answers=IndicatorValuesAnswer, query=FiguresQuery)
    async def list_indicator_values(request: Request, query: _FiguresQuery) -> Response:
        """Every value of every indicator that was published by a day, each as last corrected and as it was judged.

        Indicators are in order of code, and those without a value among them.
        """
        after, pinned = going_on(request, query.cursor, str)
        filters, rule = _filters(query), _rule(query.rule)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[list[IndicatorValues], bool]:
            code = None if after is None else after[0]
            return values_as_of(reading, at, scope, filters, rule, after=code, limit=query.limit)

        at, scope, (items, more) = await reporting.ask(request, query, answer, tells=_TOLD, pinned=pinned)
        following = next_page(request, at, [items[-1].code] if more else None)
        body = IndicatorValuesAnswer(**heading(at, scope), verdict_rule=rule, items=items, next=following)
        return tagged(request, body, at)

    @router.get("/v1/indicator-targets", access=SHOWN, answers=IndicatorTargetsAnswer, query=FiguresQuery)
    async def list_indicator_targets(request: Request, query: _FiguresQuery) -> Response:
        """Every target of every indicator by a day: the first, and each that replaced it with its reason.

        Indicators are in order of code, and those without a target among them.
        """
        after, pinned = going_on(request, query.cursor, str)
        filters, rule = _filters(query), _rule(query.rule)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[list[IndicatorTargets], bool]:
            code = None if after is None else after[0]
            return targets_as_of(reading, at, scope, filters, rule, after=code, limit=query.limit)

        at, scope, (items, more) = await reporting.ask(request, query, answer, tells=_TOLD, pinned=pinned)
        following = next_page(request, at, [items[-1].code] if more else None)
        return tagged(request, IndicatorTargetsAnswer(**heading(at, scope), items=items, next=following), at)

    @router.get("/v1/indicators/{id}", access=SHOWN, answers=IndicatorAnswer, query=IndicatorQuery)
    async def get_indicator(request: Request, identifier: str, query: IndicatorQuery) -> Response:
        """An indicator on a day: its definition with its changes, every target, plan and value, verdicts and signs."""
        indicator, rule = await id_of(request, identifier), _rule(query.rule)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> IndicatorPage:
            return indicator_as_of(reading, at, scope, indicator, rule)

        at, scope, found = await reporting.ask(
            request, query, answer, tells=(Kind.INDICATOR,), thing=indicator
        )
        return tagged(request, IndicatorAnswer(**heading(at, scope), verdict_rule=rule, indicator=found), at)

    @router.get(
        "/v1/indicators/{id}/trajectory", access=SHOWN, answers=TrajectoryAnswer, query=IndicatorQuery
    )
    async def get_trajectory(request: Request, identifier: str, query: IndicatorQuery) -> Response:
        """What was planned of an indicator and what was found, day by day, by the first promise and by that in force.

        Numbers are in the unit in force on the day asked about; planned values lie on the line through baseline, plan
        and target. `revisions` are the targets after the first.
        """
        indicator, rule = await id_of(request, identifier), _rule(query.rule)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> Trajectory:
            return trajectory_as_of(reading, at, scope, indicator, rule)

        at, scope, found = await reporting.ask(
            request, query, answer, tells=(Kind.INDICATOR,), thing=indicator
        )
        body = TrajectoryAnswer(**heading(at, scope), verdict_rule=rule, trajectory=found)
        return tagged(request, body, at)

    return router


def _filters(query: _FiguresQuery) -> IndicatorFilters:
    return IndicatorFilters(
        filters_in(query, _FILTERS),
        commitment=values_in(query, "commitment"),
        organization=values_in(query, "organization"),
        pillar=values_in(query, PILLAR),
        sign=values_in(query, "sign", WarningCode),
    )


def _rule(name: str | None) -> str:
    """The rule to judge by; InvalidInput for one that there is none of."""
    if name is not None and name not in _RULES:
        raise InvalidInput(
            "rule-unknown", f"The versions of the rule are {', '.join(_RULES)}.", pointer="/query/rule"
        )
    return name or CURRENT_INDICATOR_RULE
