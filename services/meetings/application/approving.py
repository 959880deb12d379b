"""What comes into being when minutes are approved, as one transaction over the streams it belongs to."""

from __future__ import annotations

from collections.abc import Iterator

from services.meetings.domain.body import Body
from services.meetings.domain.minutes import Approval
from shared.eventlog.commands import Beside
from shared.events.facts import Event
from shared.events.streams import stream_of


def everything(approval: Approval, body: Body) -> Iterator[Event | Beside]:
    """What an approval writes; the seal comes last, so that the command's position is that of the whole."""
    if approval.numbered is not None:
        yield Beside(body.id, body.version + 1, approval.numbered)
    for decision in approval.decisions:
        yield Beside(stream_of("decision", decision.number), 1, decision)
    for stream_id, item in approval.action_items:
        yield Beside(stream_id, 1, item)
    yield approval.approved
