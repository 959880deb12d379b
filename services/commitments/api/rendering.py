"""A commitment and its history as the bytes of an answer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from services.commitments.domain.commitment import Commitment
from services.commitments.domain.entries import Entry
from shared.eventlog import codec
from shared.references import Told
from shared.rules.traffic_light import CURRENT_RULE

_encode = msgspec.json.Encoder(decimal_format="number").encode


class Renderings:
    """The answers last given, so that asking for the same commitment again costs nothing; bounded."""

    def __init__(self, capacity: int = 20_000) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[UUID, tuple[int, date, Told]] = OrderedDict()

    def of(self, commitment: Commitment, day: date) -> Told:
        """The commitment as it is now, its status as of `day`."""
        kept = self._kept.get(commitment.id)
        if kept is not None and kept[0] == commitment.version and kept[1] == day:
            return kept[2]
        told = Told(rendered(commitment, day))
        self._kept[commitment.id] = (commitment.version, day, told)
        self._kept.move_to_end(commitment.id)
        if len(self._kept) > self._capacity:
            self._kept.popitem(last=False)
        return told


def rendered(commitment: Commitment, day: date) -> bytes:
    """Every field of a commitment, and what follows from them on a day."""
    verdict = commitment.verdict_on(day)
    document = {"id": commitment.id, **_members(commitment.registration)}
    public, internal = (
        commitment.dated.public_deadlines.on(day)[0],
        commitment.dated.internal_deadlines.on(day)[0],
    )
    promised = commitment.registration.public_deadline
    document |= {
        "visibility": commitment.visibility,
        "status": verdict and verdict.status,
        "status_rule": CURRENT_RULE,
        "status_because": verdict and verdict.because,
        "judgement": commitment.dated.judgements.on(day)[0],
        "lead_organization": commitment.lead_on(day),
        "public_deadline": public and {"on": public, "origin": promised and promised.origin},
        "internal_deadline": internal and {"on": internal},
        "merged_into": commitment.merged_into,
        "stage": commitment.stage,
        "percent": commitment.percent,
        "assessment": _entry(commitment.assessments.on(day)[0]),
        "risks": _entry(commitment.risks.on(day)[0]),
        "budget": _entry(commitment.budgets.on(day)[0]),
        "closing": _closing(commitment, day),
        "progress_reports": [
            {**_said(report.entry), "review": _entry(report.review)} for report in commitment.reports
        ],
        "milestones": [
            {**_said(milestone.plan), "completion": _entry(milestone.completion)}
            for milestone in commitment.milestones
        ],
        "deadline_revisions": _entries(commitment.revisions),
        "reassignments": _entries(commitment.reassignments),
        "reopenings": _entries(commitment.reopenings),
        "comments": _entries(commitment.comments),
        "corrections": _entries(commitment.corrections),
        "escalations": _entries(commitment.escalations),
        "registered_at": codec.instant_text(commitment.registered_at),
        "updated_at": codec.instant_text(commitment.recorded_at),
        "version": commitment.version,
        "position": commitment.position,
    }
    return _encode(document)


def same_since_recorded(commitment: Commitment, day: date, recorded_on: date) -> bool:
    """Whether the calendar has left the status of this version alone since it was recorded.

    A deadline that passes changes the status without any event, and so without a new version.
    """
    return commitment.verdict_on(day) == commitment.verdict_on(recorded_on)


class _Stored(msgspec.Struct):
    version: int
    position: int
    type: str
    recorded_at: str
    recorded_by: msgspec.Raw
    correlation_id: str
    data: msgspec.Raw
    causation_id: int | None = None


class _Decided(msgspec.Struct):
    decision: Any = None


class _Dated(msgspec.Struct):
    effective_on: Any = None
    completed_on: Any = None
    decision: Any = None
    origin: _Decided | None = None


_stored = msgspec.json.Decoder(_Stored).decode
_dated = msgspec.json.Decoder(_Dated).decode


def history_item(line: bytes) -> dict[str, Any]:
    """One event for the history of its commitment, its data as the log holds it, of whatever type it is."""
    event = _stored(line)
    dated = _dated(event.data)
    return {
        "version": event.version,
        "position": event.position,
        "type": event.type,
        "recorded_at": event.recorded_at,
        "effective_on": dated.effective_on or dated.completed_on,
        "recorded_by": event.recorded_by,
        "correlation_id": event.correlation_id,
        "causation_id": event.causation_id,
        # What a decision called into being names it as its origin.
        "decision": dated.decision or (dated.origin and dated.origin.decision),
        "data": event.data,
    }


def _closing(commitment: Commitment, day: date) -> dict[str, Any] | None:
    entry = commitment.closing_on(day)
    return entry and {"kind": commitment.dated.closures.on(day)[0], **_said(entry)}


def _entries(entries: Iterable[Entry[Any]]) -> list[dict[str, Any]]:
    return [_said(entry) for entry in entries]


def _entry(entry: Entry[Any] | None) -> dict[str, Any] | None:
    return None if entry is None else _said(entry)


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
