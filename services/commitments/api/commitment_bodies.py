"""What may be told of a commitment, as requests: the shape only; whether it may be told is for the domain to say."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import msgspec
from pydantic import Field, StringConstraints, WithJsonSchema

from services.commitments.domain import guards
from shared.events import commitments as events
from shared.events.vocabulary import (
    BudgetFigure,
    CommitmentKind,
    DeadlineKind,
    DiscardReason,
    Judgement,
    Nature,
    OriginKind,
    ResultType,
    ReviewOutcome,
    Scope,
    Visibility,
)
from shared.http.schemas import CivilDay, Line, Money, Prose, RequestModel

Explanation = Annotated[
    str,
    StringConstraints(max_length=guards.LONGEST_TEXT),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": guards.LONGEST_TEXT, "pattern": r"\S"}),
]
"""A reason or remark that the domain requires, and refuses with an error of its own when it is blank."""
Percent = Annotated[
    Decimal, WithJsonSchema({"type": "number", "minimum": 0, "maximum": 100, "examples": [62.5]})
]
Risk = Annotated[int, Field(strict=True), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 4})]
Number = Annotated[int, Field(ge=1, le=100_000, strict=True)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=guards.LONGEST_CODE)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$", max_length=2000)]
DecisionNumber = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class EvidenceBody(RequestModel):
    """What a statement rests on."""

    description: Explanation
    url: Url | None = None
    dated_on: CivilDay | None = None


class OriginBody(RequestModel):
    """Where the promise was made, in whose words, and where the words can be read."""

    kind: OriginKind
    source: Line | None = None
    source_on: CivilDay | None = None
    quote: Prose | None = None
    document_url: Url | None = None
    decision: DecisionNumber | None = None


class PublicDeadlineBody(RequestModel):
    """The day promised in public, and where it was promised."""

    on: CivilDay
    origin: Line | None = None


class InternalDeadlineBody(RequestModel):
    """The unit's own day, no later than the public one."""

    on: CivilDay


class TeamMemberBody(RequestModel):
    """One seat of the working team; `subject` is an id, never a name."""

    subject: Line | None = None
    position: Line
    institution: Line
    area: Line | None = None


class DocumentBody(RequestModel):
    """A document that backs the commitment."""

    title: Line
    url: Url | None = None
    dated_on: CivilDay | None = None
    superseded: bool = False


Items = Field(default=(), max_length=guards.MOST_ITEMS)


class CommitmentBody(RequestModel):
    """A commitment, with all that is known of it on the first day."""

    code: Code = Field(
        examples=["SEG-014"], json_schema_extra={"pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"}
    )
    title: Line = Field(examples=["Reduce household victimisation by 15 %"])
    lead_organization: Code = Field(examples=["INTERIOR"])
    effective_on: CivilDay | None = Field(
        default=None, description="The first day it counts; today by default."
    )
    kind: CommitmentKind = CommitmentKind.COMMITMENT
    visibility: Visibility | None = Field(
        default=None, description="`internal` by default, `reserved` when agreed in a bilateral meeting."
    )
    parent: Code | None = None
    split_from: Code | None = None
    pillar: Code | None = None
    result_type: ResultType | None = None
    origin: OriginBody | None = None
    public_deadline: PublicDeadlineBody | None = None
    internal_deadline: InternalDeadlineBody | None = None
    no_deadline_reason: Prose | None = None
    collaborating_organizations: tuple[Code, ...] = Items
    responsible_service: Code | None = None
    adviser: Line | None = None
    instrument: Prose | None = None
    stage: Line | None = None
    priority: Line | None = None
    key_words: tuple[Line, ...] = Items
    region: Line | None = None
    nature: Nature | None = None
    scope: Scope | None = None
    initiative_type: Line | None = None
    programmatic_alignment: Prose | None = None
    goal: Prose | None = None
    background: Prose | None = None
    general_objective: Prose | None = None
    specific_objectives: tuple[Prose, ...] = Items
    description: Prose | None = None
    legislative_strategy: Prose | None = None
    communications_strategy: Prose | None = None
    working_team: tuple[TeamMemberBody, ...] = Items
    documents: tuple[DocumentBody, ...] = Items


class AssessmentBody(RequestModel):
    """A judgement of how it is going, or the rating of an assessor who gives none."""

    judgement: Judgement | None = None
    reason: Explanation | None = Field(default=None, description="Required when the judgement is `at_risk`.")
    effective_on: CivilDay | None = None
    rating: Line | None = Field(
        default=None, description="The value on the assessor's own scale, kept verbatim."
    )
    scale: Line | None = None


class ProgressReportBody(RequestModel):
    """How far it is, or that nothing has changed."""

    period: Line = Field(
        examples=["2012-Q3"], description="2012, 2012-H1, 2012-T2 (four months), 2012-Q3, 2012-05."
    )
    effective_on: CivilDay | None = None
    observed_progress: Prose | None = None
    stage: Line | None = None
    percent: Percent | None = None
    evidence: tuple[EvidenceBody, ...] = Items
    source: Line | None = None
    source_on: CivilDay | None = None
    no_change: bool = False


class ReviewBody(RequestModel):
    """What the reviewer of a report makes of it."""

    outcome: ReviewOutcome
    reason: Explanation | None = Field(default=None, description="Required when the report is returned.")


class DeadlineRevisionBody(RequestModel):
    """A deadline moved, or set for the first time."""

    deadline: DeadlineKind
    on: CivilDay
    reason: Explanation
    effective_on: CivilDay | None = None
    decision: DecisionNumber | None = None


class ReassignmentBody(RequestModel):
    """Another organisation takes it over."""

    lead_organization: Code
    reason: Explanation
    effective_on: CivilDay | None = None
    decision: DecisionNumber | None = None


class CompletionBody(RequestModel):
    """It was kept as promised."""

    completed_on: CivilDay | None = None
    evidence: tuple[EvidenceBody, ...] = Field(
        max_length=guards.MOST_ITEMS,
        json_schema_extra={"minItems": 1},
        examples=[[{"description": "Law 20.595"}]],
    )
    remarks: Prose | None = None


class DiscardBody(RequestModel):
    """It is given up."""

    reason_type: DiscardReason
    reason: Explanation
    effective_on: CivilDay | None = None
    decision: DecisionNumber | None = None


class ReopeningBody(RequestModel):
    """A completion, a discard or a merger is undone from a day on."""

    reason: Explanation
    effective_on: CivilDay | None = None


class MergerBody(RequestModel):
    """It goes on inside another commitment: `into` is that one's code or id."""

    into: Code
    reason: Explanation
    effective_on: CivilDay | None = None
    decision: DecisionNumber | None = None


class MilestoneBody(RequestModel):
    """A step on the way; with the `number` of an earlier one, that one planned anew."""

    name: Line
    due_on: CivilDay
    number: Number | None = None
    description: Prose | None = None
    reason: Explanation | None = Field(default=None, description="Required to plan a milestone anew.")


class MilestoneCompletionBody(RequestModel):
    """A planned step was reached."""

    completed_on: CivilDay | None = None
    evidence: tuple[EvidenceBody, ...] = Items
    remarks: Prose | None = None


class RiskAssessmentBody(RequestModel):
    """The risks, each from 1 (low) to 4 (high); one that does not apply is left out."""

    effective_on: CivilDay | None = None
    budgetary_requirements: Risk | None = None
    technical_design_complexity: Risk | None = None
    stakeholder_conflict: Risk | None = None
    passage_through_congress: Risk | None = None
    conflict_between_institutions: Risk | None = None
    change_management: Risk | None = None
    description: Prose | None = None


class BudgetLineBody(Money):
    """One figure, for a year, or for the whole life when there is no year."""

    year: Annotated[int, Field(ge=1900, le=2200, strict=True)] | None = None
    figure: BudgetFigure = BudgetFigure.ESTIMATE
    price_base: Line | None = Field(default=None, examples=["millions of CLP of 2010"])


class BudgetEstimateBody(RequestModel):
    """What it is thought to cost; it replaces the estimate before."""

    effective_on: CivilDay | None = None
    lines: tuple[BudgetLineBody, ...] = Field(max_length=guards.MOST_ITEMS, json_schema_extra={"minItems": 1})
    source: Line | None = None
    remarks: Prose | None = None


class CommentBody(RequestModel):
    """A remark on the record."""

    text: Explanation
    effective_on: CivilDay | None = None


class PublicationBody(RequestModel):
    """Who may know of it from now on."""

    visibility: Visibility
    reason: Explanation


class CorrectionBody(RequestModel):
    """A field of the registration set right; `value` has the shape the field has there."""

    field: Line = Field(examples=["title"])
    value: Any = Field(examples=["Reduce household victimisation by 15 % by 2013"])
    reason: Explanation


def registered_from(body: CommitmentBody, **decided: Any) -> events.Registered:
    """The event that a registration asks for; `decided` fills in what the request may leave open."""
    said = body.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return msgspec.convert(said | msgspec.to_builtins(decided), events.Registered)


def evidence_from(bodies: tuple[EvidenceBody, ...]) -> tuple[events.Evidence, ...]:
    """Evidence as events hold it."""
    return tuple(events.Evidence(**vars(body)) for body in bodies)


def budget_lines_from(bodies: tuple[BudgetLineBody, ...]) -> tuple[events.BudgetLine, ...]:
    """Budget figures as events hold them."""
    return tuple(events.BudgetLine(**vars(body)) for body in bodies)
