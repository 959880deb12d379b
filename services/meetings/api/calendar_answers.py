"""A calendar as an answer: the bytes, the tag by which a caller knows them again, and the position they reflect."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from services.meetings.api.calendars import CalendarResponse, calendar_of
from services.meetings.api.parameters import bodies_of, meetings_of
from services.meetings.application.listing import ListedMeeting
from shared.http.preconditions import not_modified


def calendar_answer(request: Request, meetings: Sequence[ListedMeeting], *, title: str) -> Response:
    """These meetings as iCalendar, or 304 to a caller who holds just that."""
    directory = bodies_of(request).directory

    def name_of(meeting: ListedMeeting) -> tuple[str, int | None]:
        body = directory.body(meeting.body)
        assert body is not None, "a meeting is convened by a body"
        protocol = body.description.protocol
        return body.description.name, None if protocol is None else protocol.duration_minutes

    cases = meetings_of(request)
    content = calendar_of(meetings, cases.clock.zone, name_of, title)
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    held = not_modified(request, etag, position=cases.position)
    if held is not None:
        return held
    return CalendarResponse(content, headers={"ETag": etag, "Log-Position": str(cases.position)})
