"""Bodies, meetings, decisions, action items and their histories as the bytes of an answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from services.meetings.application.directory import Proposals
from services.meetings.application.listing import ListedDecision, ListedMeeting
from services.meetings.domain.action_item import ActionItem
from services.meetings.domain.body import Body
from services.meetings.domain.decision import Decision
from services.meetings.domain.folding import DayOf, Entry
from services.meetings.domain.meeting import Meeting
from shared.clock import Clock
from shared.eventlog import codec
from shared.events.meetings import AgendaItem, MinutesItem
from shared.rules.action_item_state import CURRENT_ACTION_ITEM_RULE

MEETING_TELLS = ("body", "meeting", "decision", "agenda_item", "circle", "number")
"""What an action item says of its meeting: not for an owner who may not know of that."""
DECISION_TELLS = ("meeting", "agenda_item", "position_in_item", "circle")
"""What a decision says of its meeting: not for those to whom the decision alone was published."""
TIES = ("correlation_id",)
"""The request that approved the minutes is that of everything which came of them, here and on commitments."""

_encode = msgspec.json.Encoder(decimal_format="number").encode


def body_members(body: Body) -> dict[str, Any]:
    """Every member of a body."""
    described = {name: _whole(value) for name, value in body.description._asdict().items()}
    return {
        "id": body.id,
        "code": body.code,
        **described,
        "version": body.version,
        "position": body.position,
    }


def body_document(body: Body) -> bytes:
    """A body as it is described now."""
    return _encode(body_members(body))


def listed_meeting(meeting: ListedMeeting) -> dict[str, Any]:
    """A meeting as lists show it."""
    return {
        "id": meeting.id,
        "body": meeting.body,
        "title": meeting.title,
        "state": meeting.state,
        "scheduled_at": meeting.scheduled_at,
        "ends_at": meeting.ends_at,
        "place": meeting.place,
        "held_at": meeting.held_at,
        "agenda_size": len(meeting.agenda),
        "visibility": meeting.visibility,
        "version": meeting.version,
        "position": meeting.position,
    }


def meeting_document(
    meeting: Meeting, day_of: DayOf, *, drafts_open: bool, proposals: Iterable[dict[str, Any]] | None
) -> bytes:
    """Every member of a meeting, its minutes as far as the reader may read them, with their errata beside them."""
    sealed = meeting.approval is not None
    held = meeting.held and {
        **_said(meeting.held),
        "corrections": [entry.said.reason for entry in meeting.attendance_corrections],
    }
    if held:
        held.pop("reason", None)
    return _encode(
        {
            "id": meeting.id,
            "body": meeting.body,
            "title": meeting.title,
            "state": meeting.state,
            "scheduled_at": meeting.scheduled_at,
            "ends_at": meeting.ends_at,
            "place": meeting.place,
            "agenda": [agenda_item(item) for item in meeting.agenda],
            "agreed_with": list(meeting.agreed_with),
            "organizations": list(meeting.organizations),
            "visibility": meeting.visibility,
            "reference": meeting.convocation.said.reference,
            "reschedulings": _entries(meeting.reschedulings),
            "cancellation": _entry(meeting.cancellation),
            "held": held,
            "minutes": _minutes(meeting) if drafts_open or sealed else None,
            "circulations": [_dated_entry(entry, day_of) for entry in meeting.circulations],
            "observations": [
                {**_said(observation.entry), "answer": _entry(observation.answer)}
                for observation in meeting.observations
                if drafts_open
            ],
            "publications": _entries(meeting.publications),
            "proposals": None if proposals is None else list(proposals),
            "convened_by": meeting.convocation.by,
            "updated_at": codec.instant_text(meeting.recorded_at),
            "version": meeting.version,
            "position": meeting.position,
        }
    )


def _minutes(meeting: Meeting) -> dict[str, Any] | None:
    draft = meeting.latest_draft
    if draft is None:
        return None
    approval = meeting.approval
    numbers = iter(approval.said.decisions if approval else ())
    tasks = iter(approval.said.action_items if approval else ())
    return {
        "draft": draft.said.draft,
        "sealed": approval is not None,
        "digest": approval and approval.said.digest,
        "items": [_minutes_item(item, numbers, tasks) for item in draft.said.items],
        "errata": _entries(meeting.errata),
        "drafted_by": draft.by,
        "approved_by": approval and approval.by,
        "approved_position": approval and approval.position,
    }


def _minutes_item(item: MinutesItem, numbers: Iterable[str], tasks: Iterable[Any]) -> dict[str, Any]:
    """One item; what was approved goes by the number or id it got then."""
    told = _members(item)
    for decision, number in zip(told["decisions"], _as_many(numbers, told["decisions"]), strict=True):
        decision["number"] = number
    for task, stream_id in zip(told["action_items"], _as_many(tasks, told["action_items"]), strict=True):
        task["id"] = stream_id
    return told


def _as_many(items: Iterable[Any], wanted: Collection[Any]) -> list[Any]:
    iterator = iter(items)
    return [next(iterator, None) for _ in wanted]


def agenda_item(item: AgendaItem) -> dict[str, Any]:
    """One item of an agenda."""
    return _members(item)


def decision_document(decision: Decision, day_of: DayOf, *, meeting_known: bool) -> bytes:
    """Every member of a decision, its errata beside its text."""
    agreed = _members(decision.agreed.said)
    if not meeting_known:
        agreed |= dict.fromkeys(DECISION_TELLS)
    agreed.pop("circle")
    acknowledgement = decision.acknowledgement(day_of)
    return _encode(
        {
            "id": decision.id,
            **agreed,
            "visibility": decision.visibility,
            "acknowledgement": acknowledgement and _dated_entry(acknowledgement, day_of),
            "acknowledgements": [_dated_entry(entry, day_of) for entry in decision.acknowledgements],
            "amendments": _entries(decision.amendments),
            "amended_since_acknowledged": decision.amended_since_acknowledged(day_of),
            "budget_lines": [_dated_entry(entry, day_of) for entry in decision.lines(day_of).values()],
            "publications": _entries(decision.publications),
            "updated_at": codec.instant_text(decision.recorded_at),
            "version": decision.version,
            "position": decision.position,
        }
    )


def action_item_document(item: ActionItem, day: date, *, meeting_known: bool) -> bytes:
    """Every member of an action item, and its state on a day."""
    assigned = _members(item.assigned.said)
    if not meeting_known:
        assigned |= dict.fromkeys(MEETING_TELLS)
    assigned.pop("circle")
    verdict = item.verdict_on(day)
    ending = item.ending
    return _encode(
        {
            "id": item.id,
            **assigned,
            "owner_organization": item.owner,
            "owner_subject": item.owner_subject,
            "due_on": item.due_on,
            "first_due_on": item.assigned.said.due_on,
            "state": verdict and verdict.state,
            "state_rule": CURRENT_ACTION_ITEM_RULE,
            "state_because": verdict and verdict.because,
            "visibility": item.visibility,
            "progress": _entries(item.progress),
            "extensions": _entries(item.extensions),
            "reassignments": _entries(item.reassignments),
            "ending": ending and {"kind": item.facts.endings.on(date.max)[0][0], **_said(ending)},  # type: ignore[index]
            "updated_at": codec.instant_text(item.recorded_at),
            "version": item.version,
            "position": item.position,
        }
    )


def proposals_of(proposals: Proposals, clock: Clock, known: Callable[[UUID], bool]) -> list[dict[str, Any]]:
    """What a body left open, tasks before decisions; `known` says of a meeting whether the reader may know of it."""
    day = clock.today()
    return [
        *(_proposed_item(item, day, known(item.assigned.said.meeting)) for item in proposals.action_items),
        *(_proposed_decision(decision, clock.day_of) for decision in proposals.decisions),
    ]


def _proposed_item(item: ActionItem, day: date, meeting_known: bool) -> dict[str, Any]:
    said = item.assigned.said
    verdict = item.verdict_on(day)
    return {
        "kind": "action_item",
        "action_item": item.id,
        "decision": said.decision if meeting_known else None,
        "text": said.text,
        "owner_organization": item.owner,
        "due_on": item.due_on,
        "state": verdict and verdict.state,
        "agreed_on": said.assigned_on,
        "acknowledgement": None,
    }


def _proposed_decision(decision: ListedDecision, day_of: DayOf) -> dict[str, Any]:
    said = decision.agreed
    return {
        "kind": "decision",
        "action_item": None,
        "decision": said.number,
        "text": said.text,
        "owner_organization": None,
        "due_on": None,
        "state": None,
        "agreed_on": said.agreed_on,
        "acknowledgement": decision.outcome(day_of),
    }


# --- histories -----------------------------------------------------------------------------------------------------


class _Stored(msgspec.Struct):
    version: int
    position: int
    type: str
    recorded_at: str
    recorded_by: msgspec.Raw
    correlation_id: str
    data: msgspec.Raw
    causation_id: int | None = None


class _Dated(msgspec.Struct):
    effective_on: str | None = None
    completed_on: str | None = None
    decision: str | None = None


_stored = msgspec.json.Decoder(_Stored).decode
_dated = msgspec.json.Decoder(_Dated).decode


def history_item(line: bytes, *, withheld: bool = False, hidden: Collection[str] = ()) -> dict[str, Any]:
    """One event for a history, its data as the log holds it.

    `withheld` data is left out whole; of the members in `hidden`, of the event or its data, nothing is said.
    """
    event = _stored(line)
    data: Any = event.data
    if hidden:
        data = {name: v for name, v in msgspec.json.decode(event.data).items() if name not in hidden}
    dated = _dated(event.data)
    return {
        "version": event.version,
        "position": event.position,
        "type": event.type,
        "recorded_at": event.recorded_at,
        "effective_on": dated.effective_on or dated.completed_on,
        "recorded_by": event.recorded_by,
        "correlation_id": None if "correlation_id" in hidden else event.correlation_id,
        "causation_id": event.causation_id,
        "decision": None if withheld or "decision" in hidden else dated.decision,
        "data": None if withheld else data,
    }


def _entries(entries: Iterable[Entry[Any]]) -> list[dict[str, Any]]:
    return [_said(entry) for entry in entries]


def _entry(entry: Entry[Any] | None) -> dict[str, Any] | None:
    return None if entry is None else _said(entry)


def _dated_entry(entry: Entry[Any], day_of: DayOf) -> dict[str, Any]:
    return _said(entry) | {"effective_on": entry.day(day_of)}


def _said(entry: Entry[Any]) -> dict[str, Any]:
    return {**_members(entry.said), "recorded_by": entry.by, "position": entry.position}


def _members(struct: msgspec.Struct) -> dict[str, Any]:
    """Every member of a struct, those at their default included, which events leave out."""
    return {name: _whole(getattr(struct, name)) for name in struct.__struct_fields__}


def _whole(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return _members(value)
    if isinstance(value, tuple):
        return [_whole(item) for item in value]
    return value
