"""What the baseline takes and answers, as models of its own: nothing of the service can make it faster or slower."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints

from shared.events.vocabulary import (
    CommitmentKind,
    Judgement,
    Nature,
    OriginKind,
    ResultType,
    Scope,
    Visibility,
)
from shared.rules.traffic_light import Status

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NOT_BLANK = r"^[^\x00]*[^\s\x00][^\x00]*$"


def parse_day(value: object) -> object:
    """A day from `YYYY-MM-DD` and nothing else."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or _DAY.fullmatch(value) is None:
        raise ValueError("a day is written YYYY-MM-DD")
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ValueError("there is no such day in the calendar") from error


def format_instant(instant: datetime) -> str:
    """UTC with `Z`, microseconds always."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


Day = Annotated[date, BeforeValidator(parse_day)]
Moment = Annotated[datetime, PlainSerializer(format_instant, return_type=str)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=_NOT_BLANK)]
Prose = Annotated[str, StringConstraints(min_length=1, max_length=20_000, pattern=_NOT_BLANK)]
Explanation = Annotated[str, StringConstraints(max_length=20_000)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$", max_length=2000)]
DecisionNumber = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Items = Field(default=(), max_length=200)

# --- requests ------------------------------------------------------------------------------------------------------


class RequestModel(BaseModel):
    """The body of a request: an unknown field is refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class OriginBody(RequestModel):
    """Where the promise was made, and in whose words."""

    kind: OriginKind
    source: Line | None = None
    source_on: Day | None = None
    quote: Prose | None = None
    document_url: Url | None = None
    decision: DecisionNumber | None = None


class PublicDeadlineBody(RequestModel):
    """The day promised in public."""

    on: Day
    origin: Line | None = None


class InternalDeadlineBody(RequestModel):
    """The unit's own day."""

    on: Day


class TeamMemberBody(RequestModel):
    """One seat of the working team."""

    subject: Line | None = None
    position: Line
    institution: Line
    area: Line | None = None


class DocumentBody(RequestModel):
    """A document that backs the commitment."""

    title: Line
    url: Url | None = None
    dated_on: Day | None = None
    superseded: bool = False


class CommitmentBody(RequestModel):
    """A commitment, with all that is known of it on the first day."""

    code: Code
    title: Line
    lead_organization: Code
    effective_on: Day | None = None
    kind: CommitmentKind = CommitmentKind.COMMITMENT
    visibility: Visibility | None = None
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
    reason: Explanation | None = None
    effective_on: Day | None = None
    rating: Line | None = None
    scale: Line | None = None


# --- answers -------------------------------------------------------------------------------------------------------


class Written(BaseModel):
    """The answer to a write; `position` is the row of the audit table."""

    id: UUID
    code: str
    version: int
    position: int


class Part(BaseModel):
    """What a commitment is made of."""

    model_config = ConfigDict(extra="forbid")


class OriginNow(Part):
    """Where the promise was made, and in whose words."""

    kind: OriginKind
    source: str | None
    source_on: Day | None
    quote: str | None
    document_url: str | None
    decision: str | None


class PublicDeadlineNow(Part):
    """The day promised in public."""

    on: Day
    origin: str | None


class InternalDeadlineNow(Part):
    """The unit's own day."""

    on: Day


class TeamMemberNow(Part):
    """One seat of the working team."""

    subject: str | None
    position: str
    institution: str
    area: str | None


class DocumentNow(Part):
    """A document that backs the commitment."""

    title: str
    url: str | None
    dated_on: Day | None
    superseded: bool


class AssessmentNow(BaseModel):
    """The judgement that holds now."""

    model_config = ConfigDict(from_attributes=True)

    effective_on: date
    judgement: Judgement | None
    reason: str | None
    rating: str | None
    scale: str | None


class CommitmentNow(BaseModel):
    """A commitment as it stands now: every field of its registration, the latest judgement, and the status."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    code: str
    title: str
    kind: CommitmentKind
    visibility: Visibility
    status: Status | None
    status_rule: str
    judgement: Judgement | None
    lead_organization: str
    collaborating_organizations: list[str]
    responsible_service: str | None
    adviser: str | None
    parent: str | None
    split_from: str | None
    merged_into: str | None
    pillar: str | None
    result_type: ResultType | None
    origin: OriginNow | None
    public_deadline: PublicDeadlineNow | None
    internal_deadline: InternalDeadlineNow | None
    no_deadline_reason: str | None
    effective_on: Day
    instrument: str | None
    stage: str | None
    priority: str | None
    key_words: list[str]
    region: str | None
    nature: Nature | None
    scope: Scope | None
    initiative_type: str | None
    programmatic_alignment: str | None
    goal: str | None
    background: str | None
    general_objective: str | None
    specific_objectives: list[str]
    description: str | None
    legislative_strategy: str | None
    communications_strategy: str | None
    working_team: list[TeamMemberNow]
    documents: list[DocumentNow]
    assessment: AssessmentNow | None
    registered_at: Moment
    updated_at: Moment
    version: int
