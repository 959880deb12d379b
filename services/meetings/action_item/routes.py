"""The routes of action items: read with their history; completed by their owners, extended, moved or cancelled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from pydantic import Field

from services.meetings.action_item.model import ActionItem
from shared.aggregate.aggregate import DayOf
from shared.aggregate.command import Context
from shared.aggregate.documents import as_entries, document_of, entry_document, extended, members_of
from shared.aggregate.heirs import OrganizationsByDay
from shared.aggregate.redaction import Readers, ReadersOf
from shared.aggregate.repository import Repository
from shared.events.commitments import Evidence
from shared.events.meetings import (
    ActionItemAssigned,
    ActionItemCancelled,
    ActionItemCompleted,
    ActionItemExtended,
    ActionItemProgressed,
    ActionItemReassigned,
)
from shared.events.retractions import ActionItemFactRetracted
from shared.events.types import BodyCode, MeetingId
from shared.http.catalogue import Catalogue, Explained
from shared.http.moments import RecordedAt, RecordedOn, recorded
from shared.http.resource import Private, Resource
from shared.http.routing import Router
from shared.identity.access import EVERYONE, Access
from shared.identity.actor import Actor, Role
from shared.rules.action_item_state import CURRENT_ACTION_ITEM_RULE, ActionItemState, Ending

OF_ITS_MEETING: Final = ("body", "meeting", "decision", "agenda_item", "circle", "number", "correlation_id")
"""What an action item tells of its meeting: not for an owner who may not know of that.

The request that approved the minutes is that of everything which came of them, here and on commitments.
"""

_OWNERS: Final = frozenset({Role.MINISTRY, Role.DIPRES, Role.ADVISORY})
_TELLS: Final = Access(
    _OWNERS | {Role.DCI}, own_organization=_OWNERS, if_match="required", note="owners tell of their own"
)
_DECIDES: Final = Access(frozenset({Role.DCI}), if_match="required", note="with a reason")


class ActionItemEnding(msgspec.Struct, kw_only=True):
    """How it stopped being owed; the members that its kind has not are absent."""

    kind: Ending
    completed_on: date | msgspec.UnsetType = msgspec.UNSET
    evidence: list[document_of(Evidence)] | msgspec.UnsetType = msgspec.UNSET  # type: ignore[valid-type]
    remarks: str | msgspec.UnsetType | None = msgspec.UNSET
    effective_on: date | msgspec.UnsetType = msgspec.UNSET
    reason: str | msgspec.UnsetType = msgspec.UNSET
    recorded_by: Actor
    position: int


ACTION_ITEM: Final = extended(
    "ActionItem",
    ActionItemAssigned,
    "An action item and its state today; what it says of its meeting only for those who may know of that.",
    without=("circle",),
    id=UUID,
    number=int | None,
    body=BodyCode | None,
    meeting=MeetingId | None,
    first_due_on=date,
    state=ActionItemState | None,
    state_rule=Annotated[str, Field(examples=[CURRENT_ACTION_ITEM_RULE])],
    state_because=Annotated[
        int | None, Field(description="The position of the event that the state follows from.")
    ],
    progress=list[entry_document(ActionItemProgressed)],  # type: ignore[misc]
    extensions=list[entry_document(ActionItemExtended)],  # type: ignore[misc]
    reassignments=list[entry_document(ActionItemReassigned)],  # type: ignore[misc]
    ending=ActionItemEnding | None,
    updated_on=RecordedOn,
    updated_at=RecordedAt,
    version=int,
    position=int,
)


def action_item_document(item: ActionItem, day: date, day_of: DayOf) -> msgspec.Struct:
    """An action item with everything that was recorded of it, and its state on a day."""
    assigned = members_of(item.assigned.event)
    del assigned["circle"]
    verdict = item.verdict_on(day)
    return ACTION_ITEM(
        **assigned
        | {
            "id": item.id,
            "owner_organization": item.owner,
            "owner_subject": item.owner_subject,
            "due_on": item.due_on,
            "first_due_on": item.assigned.event.due_on,
            "state": verdict and verdict.state,
            "state_rule": CURRENT_ACTION_ITEM_RULE,
            "state_because": verdict and verdict.because,
            "visibility": item.visibility,
            "progress": as_entries(entry_document(ActionItemProgressed), item.progress),
            "extensions": as_entries(entry_document(ActionItemExtended), item.extensions),
            "reassignments": as_entries(entry_document(ActionItemReassigned), item.reassignments),
            "ending": _ending(item),
            **recorded("updated", item.recorded_at, day_of),
            "version": item.version,
            "position": item.position,
        }
    )


def _ending(item: ActionItem) -> ActionItemEnding | None:
    entry, ended = item.ending, item.facts.endings.on(date.max)[0]
    if entry is None or ended is None:
        return None
    members: dict[str, Any] = members_of(entry.event)
    return ActionItemEnding(kind=ended[0], **members, recorded_by=entry.recorded_by, position=entry.position)


def action_item_routes(
    action_items: Repository[ActionItem],
    organizations: OrganizationsByDay,
    readers_of: ReadersOf,
    meeting_readers: Callable[[UUID], Awaitable[Readers]],
) -> Router:
    """Every route of action items; `meeting_readers` says who may know of the meeting that asked for one."""

    async def private(item: ActionItem, actor: Actor) -> Private:
        meeting = await meeting_readers(item.assigned.event.meeting)
        hidden = () if meeting.include(actor) else OF_ITS_MEETING
        return Private(hidden)

    def reassign(item: ActionItem, proposed: ActionItemReassigned, context: Context) -> ActionItemReassigned:
        """Hands it to another organisation, or to another person in it."""
        return item.reassign(proposed, context, organizations.keys, organizations.heirs_on)

    router = Router(
        "action-items",
        "What meetings gave somebody to do.",
        id=Annotated[str, Field(description="The UUID of the action item.")],
    )
    one: Resource[ActionItem] = Resource(
        router,
        "/v1/action-items/{id}",
        action_items,
        readers_of=readers_of,
        read=Access(
            EVERYONE,
            note="reserved ones: ministries only where they owe it or may know of its meeting",
            etag=True,
            log_position=True,
        ),
        identity=lambda _: {},
        identity_types={},
        versioned=False,
        private=private,
        whole=lambda it, actor: actor.is_of(it.readers().organizations),
    )
    one.document(
        ACTION_ITEM,
        lambda it, day: action_item_document(it, day, action_items.clock.day_of),
        doc="An action item and its state, which changes when its day passes, without any event.\n\n"
        "A past view gives the state as of the day the version was recorded, or of the moment.",
        same_on=lambda it, then, now: it.verdict_on(then) == it.verdict_on(now),
    )
    one.history(doc="Everything that was recorded of an action item, in order.")
    one.fact("progress", ActionItemProgressed, ActionItem.report_progress, access=_TELLS)
    one.fact("completions", ActionItemCompleted, ActionItem.complete, access=_TELLS)
    one.fact("extensions", ActionItemExtended, ActionItem.extend, access=_DECIDES)
    one.fact("reassignments", ActionItemReassigned, reassign, access=_DECIDES)
    one.fact("cancellations", ActionItemCancelled, ActionItem.cancel, access=_DECIDES)
    one.retractions(
        ActionItemFactRetracted,
        access=Access(
            frozenset({Role.DCI, Role.MINISTRY, Role.DIPRES}),
            own_organization=frozenset({Role.MINISTRY, Role.DIPRES}),
            if_match="required",
            note="others than the unit what they recorded themselves",
        ),
    )
    return router


ERRORS: Catalogue = {
    "not-your-action-item": Explained(
        403,
        "Not your action item",
        "Progress and completion are told by the organisation that owes it, or owed it on that day.",
    ),
    "unknown-action-item": Explained(
        404, "Unknown action item", "There is no action item by this id, or none you may know of."
    ),
    "action-item-closed": Explained(
        409, "Action item closed", "It was completed or cancelled; what is still to be done is a new one."
    ),
    "extension-not-later": Explained(
        409, "Extension not later", "An extension gives a day after the present one."
    ),
    "organization-dissolved": Explained(
        409,
        "Organisation dissolved",
        "On that day the organisation was no more: name one of its successors, which `detail` lists.",
    ),
    "owner-unchanged": Explained(409, "Owner unchanged", "It is theirs already."),
    "date-before-assignment": Explained(
        422,
        "Before it was assigned",
        "Nothing happens to an action item before the meeting that asked for it.",
    ),
    "date-before-last-change": Explained(
        422,
        "Before the last change",
        "It was extended, or reassigned, as of a later day: date the next one on or after that day.",
    ),
    "evidence-required": Explained(
        422, "Evidence required", "Give at least one piece of evidence, each with a description."
    ),
}
