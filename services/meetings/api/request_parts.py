"""What requests are made of: the shape only; whether it may be said is for the domain to say."""

from __future__ import annotations

from typing import Annotated, TypeVar
from uuid import UUID

import msgspec
from pydantic import BaseModel, Field, StringConstraints, WithJsonSchema

from services.meetings.domain import guards
from shared.events.meeting_vocabulary import (
    DecisionKind,
    Financing,
    ItemOutcome,
    Presence,
    ProtocolPeriod,
    Rights,
)
from shared.events.vocabulary import CommitmentKind, DeadlineKind, DiscardReason, ResultType
from shared.http.schemas import CivilDay, DecimalText, Line, Money, Prose, RequestModel

Explanation = Annotated[
    str,
    StringConstraints(max_length=guards.LONGEST_TEXT),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": guards.LONGEST_TEXT, "pattern": r"\S"}),
]
"""A text that the domain requires, and refuses with an error of its own when it is blank."""
Code = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Number = Annotated[int, Field(ge=1, le=100_000, strict=True)]
Year = Annotated[int, Field(ge=1900, le=2200, strict=True)]
Figure = Annotated[
    int, Field(strict=True), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 1000})
]
DecisionNumber = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$", max_length=2000)]
Items = Field(default=(), max_length=guards.MOST_ITEMS)
P = TypeVar("P")


def part_from(body: BaseModel, part: type[P]) -> P:
    """A part of an event from the part of a request that has the same members."""
    return msgspec.convert(body, part, from_attributes=True)


class SeatBody(RequestModel):
    """Somebody whose presence the body counts on: an organisation, an office, or an office of an organisation."""

    organization: Code | None = None
    position: Line | None = None
    condition: Line | None = Field(
        default=None, description="When it is asked for at all; only its noted absence then counts."
    )


class ExpectedMeetingsBody(RequestModel):
    """How many meetings are expected in each period."""

    count: Figure
    period: ProtocolPeriod


class ProtocolBody(RequestModel):
    """What the body holds itself to; leave out what is not asked of it."""

    expected_meetings: ExpectedMeetingsBody | None = None
    days_to_minutes: Figure | None = Field(
        default=None, description="Days from a meeting to the circulation of its minutes."
    )
    agenda_size: Figure | None = None
    duration_minutes: Figure | None = None
    four_eyes: bool = Field(
        False,
        description="Whether whoever wrote the minutes, or told who came, leaves their approval to somebody else.",
    )


class AgendaItemBody(RequestModel):
    """One issue to be dealt with; items are numbered in the order given."""

    title: Line = Field(examples=["Victimisation: further plans"])
    sponsor: Code | None = Field(default=None, description="The organisation that brings it.")
    commitments: tuple[Code, ...] = Items
    minutes: Annotated[int, Field(strict=True)] | None = Field(
        default=None,
        description="The time set aside for it.",
        json_schema_extra={"minimum": 1, "maximum": 1440},
    )
    decisions: tuple[DecisionNumber, ...] = Field(
        default=(), max_length=guards.MOST_ITEMS, description="Earlier decisions it takes up again."
    )
    action_items: tuple[UUID, ...] = Field(
        default=(), max_length=guards.MOST_ITEMS, description="Earlier action items it takes up again."
    )


class AttendeeBody(RequestModel):
    """One line of the attendance list; `subject` is an id, never a name."""

    organization: Code
    position: Line = Field(examples=["Minister"])
    presence: Presence
    rights: Rights = Rights.FULL
    subject: Line | None = None
    represented_by: Line | None = Field(default=None, description="The office of whoever stood in.")
    agenda_items: tuple[Number, ...] = Field(
        default=(), max_length=guards.MOST_ITEMS, description="The issues somebody was invited for."
    )


class AgreedCommitmentBody(RequestModel):
    """A commitment that the decision calls into being."""

    code: Code = Field(examples=["SEG-031"])
    title: Line
    lead_organization: Code
    kind: CommitmentKind = CommitmentKind.COMMITMENT
    pillar: Code | None = None
    parent: Code | None = None
    result_type: ResultType | None = None
    collaborating_organizations: tuple[Code, ...] = Items
    responsible_service: Code | None = None
    instrument: Prose | None = None
    region: Line | None = None
    goal: Prose | None = None
    description: Prose | None = None
    public_deadline_on: CivilDay | None = None
    internal_deadline_on: CivilDay | None = None


class AgreedDeadlineBody(RequestModel):
    """The new day of a deadline of the commitments concerned."""

    deadline: DeadlineKind
    on: CivilDay


class AgreedTargetBody(RequestModel):
    """The new target of an indicator."""

    indicator: Code
    value: DecimalText = Field(examples=["28.5"])
    on: CivilDay


class AgreedDiscardBody(RequestModel):
    """Why the commitments concerned are given up."""

    reason_type: DiscardReason
    reason: Explanation


class ReferralBody(RequestModel):
    """To whom a matter is referred or escalated: a body, an organisation, an office."""

    to: Line
    remarks: Prose | None = None


class EffectBody(RequestModel):
    """What the decision does: the member that its kind asks for, and no other."""

    commitment: AgreedCommitmentBody | None = Field(default=None, description="For `agree_commitment`.")
    deadline: AgreedDeadlineBody | None = Field(default=None, description="For `revise_deadline`.")
    target: AgreedTargetBody | None = Field(default=None, description="For `revise_target`.")
    discard: AgreedDiscardBody | None = Field(default=None, description="For `discard`.")
    referral: ReferralBody | None = Field(default=None, description="For `refer` and `escalate`, if known.")


class BudgetImpactBody(Money):
    """What the decision costs, in which fiscal year, and whether that money is moved or added."""

    fiscal_year: Year
    financing: Financing


class DraftDecisionBody(RequestModel):
    """A decision as the minutes word it; it is numbered when they are approved."""

    text: Explanation
    kind: DecisionKind
    commitments: tuple[Code, ...] = Items
    effect: EffectBody | None = None
    budget_impact: BudgetImpactBody | None = None
    organizations: tuple[Code, ...] = Field(
        default=(),
        max_length=guards.MOST_ITEMS,
        description="Those it concerns; without any, those the meeting is with.",
    )


class DraftActionItemBody(RequestModel):
    """A task as the minutes word it; it is assigned when they are approved."""

    text: Explanation
    owner_organization: Code
    due_on: CivilDay
    owner_subject: Line | None = None
    decision: Number | None = Field(
        default=None, description="The decision it serves, counted from 1 within the same item."
    )
    commitment: Code | None = None


class MinutesItemBody(RequestModel):
    """What was said and settled on one item of the agenda, or on something that was not on it."""

    agenda_item: Number | None = None
    title: Line | None = Field(default=None, description="For an item that was not on the agenda.")
    summary: Prose | None = None
    outcome: ItemOutcome | None = None
    outcome_verbatim: Prose | None = Field(default=None, description="In the words of the source.")
    decisions: tuple[DraftDecisionBody, ...] = Items
    action_items: tuple[DraftActionItemBody, ...] = Items


class RecipientBody(RequestModel):
    """Somebody the minutes are sent to."""

    organization: Code = Field(examples=["DIPRES"])
    position: Line | None = None
    subject: Line | None = None


class EvidenceBody(RequestModel):
    """What a statement rests on."""

    description: Explanation
    url: Url | None = None
    dated_on: CivilDay | None = None
