"""Decisions as the meetings service writes them, and the record they are about."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid5

from shared.eventlog.envelope import NewEvent
from shared.events.commitments import Evidence
from shared.events.facts import Event
from shared.events.meeting_vocabulary import BodyKind, DecisionKind
from shared.events.meetings import (
    AgreedCommitment,
    AgreedCompletion,
    AgreedDeadline,
    AgreedDiscard,
    AgreedMerger,
    AgreedPart,
    AgreedPublication,
    AgreedReassignment,
    AgreedReopening,
    AgreedSplit,
    AgreedTarget,
    BodyRegistered,
    DecisionAgreed,
    Effect,
    Referral,
)
from shared.events.streams import stream_of
from shared.events.vocabulary import DeadlineKind, DiscardReason, RelativeTo, Visibility
from shared.identity.actor import Actor, Role

LAW = Evidence(description="Law 20.595")
MEETING = UUID("5a7f3c52-9d3b-4f0e-8c35-2f6f5a8c1b77")
AGREED_ON = date(2012, 11, 7)
ADVISER = Actor(subject="adviser", organization="SECOND_FLOOR", role=Role.ADVISORY)


def decision(kind: DecisionKind, number: str = "BIL-INT-2012-003", **more: Any) -> DecisionAgreed:
    """A decision of the bilateral with the Interior, reserved to that ministry."""
    fields: dict[str, Any] = {
        "number": number,
        "body": "BIL-INT",
        "meeting": MEETING,
        "agreed_on": AGREED_ON,
        "text": "What only those who were there may read",
        "kind": kind,
        "visibility": Visibility.RESERVED,
        "position_in_item": 1,
        "organizations": ("INTERIOR",),
        "circle": ("INTERIOR",),
    }
    return DecisionAgreed(**fields | more)


def agreeing(code: str = "SEG-77", **more: Any) -> Effect:
    """To promise a new commitment of the Interior."""
    fields: dict[str, Any] = {
        "code": code,
        "title": "Twenty more police stations",
        "lead_organization": "INTERIOR",
    }
    return Effect(commitment=AgreedCommitment(**fields | more))


def until(day: date, deadline: DeadlineKind = DeadlineKind.PUBLIC, internal_on: date | None = None) -> Effect:
    """To move a deadline, or both."""
    return Effect(deadline=AgreedDeadline(deadline=deadline, on=day, internal_on=internal_on))


def aiming(
    value: str,
    on: date = date(2014, 12, 31),
    indicator: str = "VICTIMISATION",
    relative_to: RelativeTo = RelativeTo.ABSOLUTE,
) -> Effect:
    """To promise another value."""
    return Effect(target=AgreedTarget(indicator=indicator, value=value, on=on, relative_to=relative_to))


def giving_up(reason: str = "No funds in 2013") -> Effect:
    """To give commitments up."""
    return Effect(discard=AgreedDiscard(reason_type=DiscardReason.BUDGETARY, reason=reason))


def merging(into: str = "SEG-1") -> Effect:
    """To let commitments go on in another."""
    return Effect(merger=AgreedMerger(into=into))


def handing_to(lead: str = "HEALTH") -> Effect:
    """To give commitments another lead."""
    return Effect(reassignment=AgreedReassignment(lead_organization=lead))


def splitting(*codes: str, **more: Any) -> Effect:
    """To let a commitment go on in parts."""
    parts = tuple(
        AgreedPart(code=code, title=f"The part {code}", **more) for code in codes or ("SEG-A", "SEG-B")
    )
    return Effect(split=AgreedSplit(parts=parts))


def reopening() -> Effect:
    """To take commitments up again."""
    return Effect(reopening=AgreedReopening(reason="The law was struck down"))


def completing(on: date | None = None) -> Effect:
    """To hold commitments for kept."""
    return Effect(completion=AgreedCompletion(evidence=(LAW,), completed_on=on, remarks="As promised"))


def publishing(visibility: Visibility = Visibility.PUBLIC) -> Effect:
    """To show commitments to everybody."""
    return Effect(publication=AgreedPublication(visibility=visibility))


def taking_to(to: str = "The President", remarks: str | None = None) -> Effect:
    """To take a matter higher."""
    return Effect(referral=Referral(to=to, remarks=remarks))


def body(kind: BodyKind = BodyKind.BILATERAL, code: str = "BIL-INT", **more: Any) -> BodyRegistered:
    """The bilateral with the Interior; the Second Floor keeps its minutes."""
    fields: dict[str, Any] = {
        "code": code,
        "name": "The President and the Minister of the Interior",
        "kind": kind,
        "decides": True,
        "visibility": Visibility.RESERVED,
        "secretariat": "SECOND_FLOOR",
        "organizations": ("INTERIOR",),
    }
    return BodyRegistered(**fields | more)


def recordable(event: Event, *, kind: str = "", code: str = "", version: int = 1) -> NewEvent:
    """An event on its way into the log as another service would write it."""
    if isinstance(event, DecisionAgreed):
        kind, code = "decision", event.number
    elif isinstance(event, BodyRegistered):
        kind, code = "body", event.code
    return NewEvent(
        stream_id=stream_of(kind, code),
        version=version,
        recorded_by=ADVISER,
        correlation_id=f"approval-{uuid5(MEETING, code)}",
        data=event,
    )
