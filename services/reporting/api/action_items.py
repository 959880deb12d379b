"""What is owed from meetings, by whom and by when."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.api.access import ACCESS
from services.reporting.api.board import tagged_answer
from services.reporting.api.filters import listed, values_in
from services.reporting.api.meeting_answers import ActionItemsAnswer
from services.reporting.api.questions import (
    Question,
    asker_of,
    heading_without_rule,
    question,
    reporting_of,
)
from services.reporting.queries.action_items import (
    ActionItemFilters,
    ActionItems,
    Key,
    action_items_as_of,
)
from services.reporting.queries.moments import AsOf
from services.reporting.reading import Reading
from shared.http.pagination import DEFAULT_LIMIT, Cursor, Limit, decode_cursor, next_url
from shared.http.routing import service_router
from shared.http.schemas import CivilDay
from shared.rules.action_item_state import CURRENT_ACTION_ITEM_RULE, ActionItemState

router = service_router(ACCESS)

AskedQuestion = Annotated[Question, Depends(question)]
OwnerFilter = Annotated[str | None, listed("The code of an organisation that owes them on that day")]
StateFilter = Annotated[str | None, listed("A state on that day", list(ActionItemState))]
BodyFilter = Annotated[str | None, listed("The code of a body")]
CommitmentFilter = Annotated[str | None, listed("The code of a commitment they serve")]
DecisionFilter = Annotated[str | None, listed("The number of a decision they serve")]
DueBefore = Annotated[CivilDay | None, Query(description="Only those due before this day.")]
DueAfter = Annotated[CivilDay | None, Query(description="Only those due after this day.")]
Include = Annotated[Literal["total"] | None, Query(description="Adds how many there are in each state.")]


def action_item_filters(
    owner_organization: OwnerFilter = None,
    state: StateFilter = None,
    body: BodyFilter = None,
    commitment: CommitmentFilter = None,
    decision: DecisionFilter = None,
    due_before: DueBefore = None,
    due_after: DueAfter = None,
) -> ActionItemFilters:
    """The dependency that reads the filters of action items; InvalidInput for a value that cannot be one."""
    return ActionItemFilters(
        owner_organization=values_in("owner_organization", owner_organization),
        state=values_in("state", state, list(ActionItemState)),
        body=values_in("body", body),
        commitment=values_in("commitment", commitment),
        decision=values_in("decision", decision),
        due_before=due_before,
        due_after=due_after,
    )


@router.get("/v1/action-items", tags=["action items"], response_model=ActionItemsAnswer)
async def action_items(
    request: Request,
    asked: AskedQuestion,
    chosen: Annotated[ActionItemFilters, Depends(action_item_filters)],
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    include: Include = None,
) -> Response:
    """Who owed what on a day, in the order in which it was due then, and what had become of it.

    All pages of one list are about the same day and position as its first.
    """
    reporting, scope = reporting_of(request), asker_of(request)
    key = decode_cursor(request, cursor)
    after: Key | None = None
    if key is not None:
        due_on, assigned_at, on, position = key
        after = Key(date.fromisoformat(due_on), assigned_at)
        asked = asked._replace(on=date.fromisoformat(on), known_at=None, position=position)

    def answer(reading: Reading, at: AsOf) -> ActionItems:
        return action_items_as_of(
            reading, at, scope, chosen, after=after, limit=limit, count=include == "total"
        )

    at, found = await reporting.ask(asked, answer)
    body: dict[str, Any] = heading_without_rule(at, scope) | {"state_rule": CURRENT_ACTION_ITEM_RULE}
    if found.by_state is not None:
        body["totals"] = {"action_items": sum(found.by_state.values()), "by_state": found.by_state}
    body["items"] = found.items
    body["next"] = None
    if found.next is not None:
        last = found.next
        body["next"] = next_url(
            request, [last.due_on.isoformat(), last.assigned_at, at.on.isoformat(), at.position]
        )
    return tagged_answer(request, body, at.position)
