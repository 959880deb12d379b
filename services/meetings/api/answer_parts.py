"""What answers are made of, as the service's document describes them; `rendering.py` makes the bytes."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.events.meeting_vocabulary import (
    Acknowledgement,
    BudgetRequest,
    DecisionKind,
    Financing,
    ItemOutcome,
    Presence,
    ProtocolPeriod,
    Rights,
)
from shared.events.vocabulary import CommitmentKind, DeadlineKind, DiscardReason, ResultType, Visibility
from shared.http.schemas import CivilDay, Instant
from shared.identity.actor import Role


class Answer(BaseModel):
    """Something answered; clients ignore members they do not know."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"additionalProperties": True})


class ActorAnswer(Answer):
    """Who said it: a subject id, never a name."""

    subject: str
    organization: str
    role: Role


class Said(Answer):
    """Something said, by whom, and at which position of the log."""

    recorded_by: ActorAnswer
    position: int


class SeatAnswer(Answer):
    """Somebody whose presence a body counts on."""

    organization: str | None
    position: str | None
    condition: str | None


class ExpectedMeetingsAnswer(Answer):
    """How many meetings are expected in each period."""

    count: int
    period: ProtocolPeriod


class ProtocolAnswer(Answer):
    """What a body holds itself to."""

    expected_meetings: ExpectedMeetingsAnswer | None
    days_to_minutes: int | None
    agenda_size: int | None
    duration_minutes: int | None
    four_eyes: bool


class AgendaItemAnswer(Answer):
    """One issue to be dealt with."""

    number: int
    title: str
    sponsor: str | None
    commitments: list[str]
    minutes: int | None
    decisions: list[str]
    action_items: list[UUID]
    label: str | None
    reference: str | None


class AppointmentAnswer(Answer):
    """When and where a meeting was to be."""

    scheduled_at: Instant
    ends_at: Instant | None
    place: str | None


class ReschedulingAnswer(Said, AppointmentAnswer):
    """The meeting was moved."""

    previous: AppointmentAnswer
    reason: str


class ReasonAnswer(Said):
    """Why."""

    reason: str


class AttendeeAnswer(Answer):
    """One line of the attendance list."""

    organization: str
    position: str
    presence: Presence
    rights: Rights
    subject: str | None
    represented_by: str | None
    agenda_items: list[int]


class HeldAnswer(Said):
    """When the meeting was held, who came, and which of the body's seats nobody took."""

    held_at: Instant
    ended_at: Instant | None
    attendance: list[AttendeeAnswer]
    mandatory_absences: list[SeatAnswer]
    corrections: list[str] = Field(description="The reasons for which this was told anew.")


class AgreedCommitmentAnswer(Answer):
    """A commitment that a decision calls into being."""

    code: str
    title: str
    lead_organization: str
    kind: CommitmentKind
    pillar: str | None
    parent: str | None
    result_type: ResultType | None
    collaborating_organizations: list[str]
    responsible_service: str | None
    instrument: str | None
    region: str | None
    goal: str | None
    description: str | None
    public_deadline_on: CivilDay | None
    internal_deadline_on: CivilDay | None


class AgreedDeadlineAnswer(Answer):
    """The new day of a deadline."""

    deadline: DeadlineKind
    on: CivilDay


class AgreedTargetAnswer(Answer):
    """The new target of an indicator."""

    indicator: str
    value: str
    on: CivilDay


class AgreedDiscardAnswer(Answer):
    """Why commitments are given up."""

    reason_type: DiscardReason
    reason: str


class ReferralAnswer(Answer):
    """To whom a matter goes."""

    to: str
    remarks: str | None


class EffectAnswer(Answer):
    """What a decision does: at most one of these."""

    commitment: AgreedCommitmentAnswer | None
    deadline: AgreedDeadlineAnswer | None
    target: AgreedTargetAnswer | None
    discard: AgreedDiscardAnswer | None
    referral: ReferralAnswer | None


class BudgetImpactAnswer(Answer):
    """What a decision costs, and where that money comes from."""

    amount: str
    currency: str
    fiscal_year: int
    financing: Financing


class DraftDecisionAnswer(Answer):
    """A decision as the minutes word it, with its number once they are approved."""

    number: str | None
    text: str
    kind: DecisionKind
    commitments: list[str]
    effect: EffectAnswer | None
    budget_impact: BudgetImpactAnswer | None
    organizations: list[str]


class DraftActionItemAnswer(Answer):
    """A task as the minutes word it, with its id once they are approved."""

    id: UUID | None
    text: str
    owner_organization: str
    due_on: CivilDay
    owner_subject: str | None
    decision: int | None
    commitment: str | None


class MinutesItemAnswer(Answer):
    """What was said and settled on one item."""

    agenda_item: int | None
    title: str | None
    summary: str | None
    outcome: ItemOutcome | None
    outcome_verbatim: str | None
    decisions: list[DraftDecisionAnswer]
    action_items: list[DraftActionItemAnswer]


class ErratumAnswer(Said):
    """A mistake in the sealed text, put right beside it."""

    number: int
    reads: str
    should_read: str
    reason: str
    agenda_item: int | None
    decision: str | None


class RecipientAnswer(Answer):
    """Somebody the minutes were sent to."""

    organization: str
    position: str | None
    subject: str | None


class CirculationAnswer(Said):
    """A draft was sent to those named."""

    draft: int
    recipients: list[RecipientAnswer]


class ObservationAnswerAnswer(Said):
    """What became of an observation."""

    number: int
    accepted: bool
    answer: str


class ObservationShown(Said):
    """What a recipient had to say of a draft, and the answer."""

    number: int
    draft: int
    text: str
    agenda_item: int | None
    answer: ObservationAnswerAnswer | None


class PublicationAnswer(Said):
    """The circle of readers was changed."""

    visibility: Visibility
    previous: Visibility
    reason: str


class AcknowledgementAnswer(Said):
    """What the budget office said."""

    outcome: Acknowledgement
    remarks: str | None


class AmendmentAnswer(Said):
    """An erratum of the minutes that concerns a decision."""

    erratum: int
    reads: str
    should_read: str
    reason: str


class BudgetLineAnswer(Said):
    """The budget line a decision ended in."""

    fiscal_year: int
    code: str
    amount: str
    currency: str
    request: BudgetRequest
    reason: str | None
