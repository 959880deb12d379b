"""The parts of an answer about a commitment: what it is made of, and each thing that was said of it, by whom."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from shared.events.vocabulary import (
    BudgetFigure,
    DeadlineKind,
    DiscardReason,
    Judgement,
    OriginKind,
    ReviewOutcome,
)
from shared.http.schemas import CivilDay
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


class EvidenceAnswer(Answer):
    """What a statement rests on."""

    description: str
    url: str | None
    dated_on: CivilDay | None


class OriginAnswer(Answer):
    """Where the promise was made, and in whose words."""

    kind: OriginKind
    source: str | None
    source_on: CivilDay | None
    quote: str | None
    document_url: str | None
    decision: str | None


class PublicDeadlineAnswer(Answer):
    """The day promised in public as it stands now, and where it was promised."""

    on: CivilDay
    origin: str | None


class InternalDeadlineAnswer(Answer):
    """The unit's own day as it stands now."""

    on: CivilDay


class TeamMemberAnswer(Answer):
    """One seat of the working team."""

    subject: str | None
    position: str
    institution: str
    area: str | None


class DocumentAnswer(Answer):
    """A document that backs the commitment."""

    title: str
    url: str | None
    dated_on: CivilDay | None
    superseded: bool


class AssessmentAnswer(Said):
    """The judgement that holds today."""

    effective_on: CivilDay
    judgement: Judgement | None
    reason: str | None
    rating: str | None
    scale: str | None


class ReviewAnswer(Said):
    """What a reviewer made of a report."""

    report: int
    outcome: ReviewOutcome
    reason: str | None


class ProgressReportAnswer(Said):
    """A progress report and, once it was looked at, its review."""

    number: int
    period: str
    effective_on: CivilDay
    observed_progress: str | None
    stage: str | None
    percent: float | None
    evidence: list[EvidenceAnswer]
    source: str | None
    source_on: CivilDay | None
    no_change: bool
    review: ReviewAnswer | None


class DeadlineRevisionAnswer(Said):
    """A deadline moved, with the day it had before."""

    deadline: DeadlineKind
    on: CivilDay
    previous: CivilDay | None
    effective_on: CivilDay
    reason: str
    decision: str | None


class ReassignmentAnswer(Said):
    """Another organisation took over."""

    lead_organization: str
    previous: str
    effective_on: CivilDay
    reason: str
    decision: str | None


class ClosingAnswer(Said):
    """How it was closed; the members that its kind has not are absent."""

    kind: Literal["achieved", "discarded", "merged"]
    effective_on: CivilDay | None = None
    completed_on: CivilDay | None = None
    evidence: list[EvidenceAnswer] | None = None
    remarks: str | None = None
    reason_type: DiscardReason | None = None
    reason: str | None = None
    into: str | None = None
    decision: str | None = None


class ReopeningAnswer(Said):
    """A closing undone."""

    reason: str
    effective_on: CivilDay


class MilestoneCompletionAnswer(Said):
    """How a step was reached."""

    number: int
    completed_on: CivilDay
    evidence: list[EvidenceAnswer]
    remarks: str | None


class MilestoneAnswer(Said):
    """A step as last planned."""

    number: int
    name: str
    due_on: CivilDay
    description: str | None
    reason: str | None
    completion: MilestoneCompletionAnswer | None


class RisksAnswer(Said):
    """The risks as last rated, 1 (low) to 4 (high)."""

    effective_on: CivilDay
    budgetary_requirements: int | None
    technical_design_complexity: int | None
    stakeholder_conflict: int | None
    passage_through_congress: int | None
    conflict_between_institutions: int | None
    change_management: int | None
    description: str | None


class BudgetLineAnswer(Answer):
    """One figure of an estimate."""

    amount: str
    currency: str
    year: int | None
    figure: BudgetFigure
    price_base: str | None


class BudgetAnswer(Said):
    """What it is thought to cost, as last estimated."""

    effective_on: CivilDay
    lines: list[BudgetLineAnswer]
    source: str | None
    remarks: str | None


class CommentAnswer(Said):
    """A remark."""

    text: str
    effective_on: CivilDay


class CorrectionAnswer(Said):
    """A field of the registration set right."""

    field: str
    value: Any
    previous: Any
    reason: str


class EscalationAnswer(Said):
    """A decision took the matter to a higher level; null is what of it is not for you to know."""

    effective_on: CivilDay
    decision: str | None
    to: str | None
    remarks: str | None
