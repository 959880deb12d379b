"""The timeline of one commitment."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.api.access import ACCESS
from services.reporting.api.answers import TimelineAnswer
from services.reporting.api.board import tagged_answer
from services.reporting.api.questions import Question, asker_of, heading, question, reporting_of
from services.reporting.queries.moments import AsOf
from services.reporting.queries.timeline import Timeline, timeline_as_of
from services.reporting.reading import Reading
from shared.events.streams import resolve
from shared.http.routing import service_router

router = service_router(ACCESS)

Identifier = Annotated[str, Path(alias="id", description="The UUID or the code.", examples=["SEG-014"])]


@router.get("/v1/commitments/{id}/timeline", tags=["commitments"], response_model=TimelineAnswer)
async def timeline(
    request: Request, identifier: Identifier, asked: Annotated[Question, Depends(question)]
) -> Response:
    """In which state a commitment was on which days, and which event made it so; `status` is that of the day `on`.

    A deadline that passes changes the state with nobody doing anything: such a run of days begins on the day after it.
    """
    reporting, scope = reporting_of(request), asker_of(request)
    commitment_id = resolve("commitment", identifier)

    def answer(reading: Reading, at: AsOf) -> Timeline:
        return timeline_as_of(reading, reporting.store, at, scope, commitment_id)

    at, found = await reporting.ask(asked, answer)
    body = heading(at, scope) | {
        "id": found.id,
        "code": found.code,
        "title": found.title,
        "registered": found.registered,
        "status": found.status,
        "items": found.spans,
        "next": None,
    }
    return tagged_answer(request, body, at.position)
