"""The plan as a tree with what lies below each part of it, and its profile by type of result."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from services.reporting.queries.access import Scope
from services.reporting.queries.moments import AsOf
from services.reporting.queries.plan import (
    Branch,
    PillarProfile,
    PlanCounts,
    Whole,
    profile_as_of,
    tree_as_of,
)
from services.reporting.reading import Reading
from services.reporting.routes.asking import (
    SHOWN,
    TOLD,
    Answer,
    Judged,
    NextPage,
    Question,
    Reporting,
    RuleName,
    heading,
    tagged,
)
from shared.http.routing import Router


class TreeAnswer(Answer, kw_only=True):
    """The plan on a day."""

    status_rule: RuleName
    totals: PlanCounts
    items: list[Branch]
    next: NextPage


class PlanProfileAnswer(Answer, kw_only=True):
    """The objectives of the plan by pillar and type of result."""

    totals: Whole
    items: list[PillarProfile]
    next: NextPage


def plan_routes(reporting: Reporting) -> Router:
    """The routes of the plan."""
    router = Router("plan", "The plan as a tree, and what kinds of results it promises.")

    @router.get("/v1/tree", access=SHOWN, answers=TreeAnswer, query=Judged)
    async def get_tree(request: Request, query: Judged) -> Response:
        """The plan: pillars, their objectives, the actions of these and what is part of them, in one answer.

        For each: how much lies below it in which state, and how far that is by accepted reports, weighted. A pillar
        counts all that is its own, or is part of what is and names no other. `totals` counts everything once.
        """

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[PlanCounts, list[Branch]]:
            return tree_as_of(reading, at, scope, query.rule)

        at, scope, (totals, branches) = await reporting.ask(request, query, answer, tells=TOLD)
        body = TreeAnswer(
            status_rule=query.rule.name, **heading(at, scope), totals=totals, items=branches, next=None
        )
        return tagged(request, body, at)

    @router.get("/v1/plan-profile", access=SHOWN, answers=PlanProfileAnswer, query=Question)
    async def get_plan_profile(request: Request, query: Question) -> Response:
        """How many strategic objectives of each pillar promise an input, a process, an output or an outcome."""

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[Whole, list[PillarProfile]]:
            return profile_as_of(reading, at, scope)

        at, scope, (whole, pillars) = await reporting.ask(request, query, answer, tells=TOLD)
        body = PlanProfileAnswer(**heading(at, scope), totals=whole, items=pillars, next=None)
        return tagged(request, body, at)

    return router
