"""What goes along when a meeting is published, as one transaction over the streams it belongs to."""

from __future__ import annotations

from collections.abc import AsyncIterator

from services.meetings.application.action_items import ActionItems
from services.meetings.application.decisions import Decisions
from services.meetings.domain import guards
from services.meetings.domain.meeting import Meeting
from shared.eventlog.commands import Beside
from shared.events.facts import Event
from shared.events.streams import stream_of
from shared.events.vocabulary import Visibility


async def published_with(
    meeting: Meeting, decisions: Decisions, action_items: ActionItems, *, visibility: Visibility, reason: str
) -> AsyncIterator[Beside]:
    """All of a meeting that was known to the same circle, or to fewer than now may read of it.

    What had been shown to more before stays so.
    """
    if meeting.approval is None:
        return

    def goes_along(one: Visibility) -> bool:
        return one is not visibility and (one is meeting.visibility or guards.narrower(one, visibility))

    for number in meeting.approval.said.decisions:
        decision = await decisions.records.get(stream_of("decision", number))
        if decision is not None and goes_along(decision.visibility):
            event: Event = decision.publish_with_meeting(visibility=visibility, reason=reason)
            yield Beside(decision.id, decision.version + 1, event)
    for stream_id in meeting.approval.said.action_items:
        item = await action_items.records.get(stream_id)
        if item is not None and goes_along(item.visibility):
            event = item.publish_with_meeting(visibility=visibility, reason=reason)
            yield Beside(item.id, item.version + 1, event)
