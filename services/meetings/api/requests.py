"""What may be told of bodies, meetings, decisions and action items, as requests."""

from __future__ import annotations

from pydantic import Field

from services.meetings.api.request_parts import (
    AgendaItemBody,
    AttendeeBody,
    Code,
    DecisionNumber,
    EvidenceBody,
    Explanation,
    Items,
    MinutesItemBody,
    Number,
    ProtocolBody,
    RecipientBody,
    SeatBody,
    Year,
    part_from,
)
from services.meetings.domain import guards
from services.meetings.domain.body import BodyDescription, usual_visibility, usually_decides
from shared.events.meeting_vocabulary import Acknowledgement, BodyKind, BudgetRequest, Cadence
from shared.events.meetings import Protocol, Seat
from shared.events.vocabulary import Visibility
from shared.http.schemas import CivilDay, Instant, Line, Money, Prose, RequestModel


class BodyBody(RequestModel):
    """Everything a body is described by; what is left out is taken back."""

    name: Line = Field(examples=["Social Development Committee"])
    kind: BodyKind
    decides: bool | None = Field(
        default=None,
        description="Whether it takes binding decisions, or only refers; by default bilaterals do and others do not.",
    )
    visibility: Visibility | None = Field(
        default=None, description="`reserved` for bilaterals, `internal` for others by default."
    )
    presiding_organization: Code | None = None
    secretariat: Code | None = None
    cadence: Cadence | None = None
    mandatory_attendance: tuple[SeatBody, ...] = Items
    organizations: tuple[Code, ...] = Field(
        default=(), max_length=guards.MOST_ITEMS, description="The ministries it is with."
    )
    protocol: ProtocolBody | None = None

    def as_domain(self) -> BodyDescription:
        """The description as the domain takes it."""
        return BodyDescription(
            name=self.name,
            kind=self.kind,
            decides=usually_decides(self.kind) if self.decides is None else self.decides,
            visibility=self.visibility or usual_visibility(self.kind),
            presiding_organization=self.presiding_organization,
            secretariat=self.secretariat,
            cadence=self.cadence,
            mandatory_attendance=tuple(part_from(seat, Seat) for seat in self.mandatory_attendance),
            organizations=self.organizations,
            protocol=None if self.protocol is None else part_from(self.protocol, Protocol),
        )


class MeetingBody(RequestModel):
    """A meeting to come, or one that is entered after it was held."""

    body: Code = Field(examples=["SOCIAL"])
    scheduled_at: Instant
    ends_at: Instant | None = None
    place: Line | None = Field(default=None, examples=["La Moneda"])
    title: Line | None = None
    agenda: tuple[AgendaItemBody, ...] = Items


class AgendaRevisionBody(RequestModel):
    """The whole agenda as it is to be; named with whom it was agreed, it is settled."""

    agenda: tuple[AgendaItemBody, ...] = Field(max_length=guards.MOST_ITEMS)
    agreed_with: tuple[Code, ...] = Items
    reason: Prose | None = Field(
        default=None, description="Required once an agenda was agreed and is left again."
    )


class ReschedulingBody(RequestModel):
    """Another time, or another place; without a place it stays where it was to be."""

    scheduled_at: Instant
    ends_at: Instant | None = None
    place: Line | None = None
    reason: Explanation


class ReasonBody(RequestModel):
    """Why."""

    reason: Explanation


class AttendanceBody(RequestModel):
    """When the meeting was held and who came; with a reason, it corrects what was noted before."""

    held_at: Instant
    ended_at: Instant | None = None
    attendance: tuple[AttendeeBody, ...] = Field(max_length=guards.MOST_ITEMS)
    reason: Prose | None = None


class MinutesBody(RequestModel):
    """The minutes, item by item; they replace the draft before."""

    items: tuple[MinutesItemBody, ...] = Field(
        max_length=guards.MOST_ITEMS, json_schema_extra={"minItems": 1}
    )


class CirculationBody(RequestModel):
    """Whom the draft is sent to."""

    recipients: tuple[RecipientBody, ...] = Field(
        max_length=guards.MOST_ITEMS, json_schema_extra={"minItems": 1}
    )
    effective_on: CivilDay | None = Field(
        default=None,
        description="The day it was sent, from that of the meeting to today; by default today.",
    )


class ObservationBody(RequestModel):
    """What a recipient has to say of the draft."""

    text: Explanation
    agenda_item: Number | None = None


class ObservationAnswerBody(RequestModel):
    """What became of an observation; one that is accepted shows in the next draft."""

    accepted: bool
    answer: Explanation


class ApprovalBody(RequestModel):
    """Nothing more: `If-Match` says which draft is approved."""


class ErratumBody(RequestModel):
    """A mistake in sealed minutes, put right beside the text."""

    reads: Explanation
    should_read: Explanation
    reason: Explanation
    agenda_item: Number | None = None
    decision: DecisionNumber | None = Field(default=None, description="The decision the mistake is in.")


class PublicationBody(RequestModel):
    """Who may know of it from now on."""

    visibility: Visibility
    reason: Explanation


class AcknowledgementBody(RequestModel):
    """Whether this is what was agreed; a dispute needs remarks."""

    outcome: Acknowledgement
    remarks: Prose | None = None
    effective_on: CivilDay | None = Field(
        default=None,
        description="The day the budget office said so, from that of the decision to today; by default today.",
    )


class TiedBudgetLineBody(Money):
    """The budget line a decision ended in; the same line again replaces what was said, with a reason."""

    fiscal_year: Year
    code: Line = Field(examples=["05-01-01-24-03-021"])
    request: BudgetRequest
    reason: Prose | None = None
    effective_on: CivilDay | None = Field(
        default=None,
        description="The day it was tied, from that of the decision to today; by default today.",
    )


class ProgressBody(RequestModel):
    """How far it is."""

    text: Explanation
    effective_on: CivilDay | None = None


class CompletionBody(RequestModel):
    """It is done, on the evidence given."""

    completed_on: CivilDay | None = None
    evidence: tuple[EvidenceBody, ...] = Field(
        max_length=guards.MOST_ITEMS, json_schema_extra={"minItems": 1}
    )
    remarks: Prose | None = None


class ExtensionBody(RequestModel):
    """More time."""

    due_on: CivilDay
    reason: Explanation
    effective_on: CivilDay | None = None


class ReassignmentBody(RequestModel):
    """Another owner."""

    owner_organization: Code
    owner_subject: Line | None = None
    reason: Explanation
    effective_on: CivilDay | None = None


class CancellationBody(RequestModel):
    """It is no longer owed."""

    reason: Explanation
    effective_on: CivilDay | None = None
