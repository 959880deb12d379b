"""The published language of the commitments service: organisations, pillars and the life of a commitment.

Days (`…_on`) are civil days of the government's time zone; `effective_on` is the day a fact took effect in the world,
whenever the log learned it. Money amounts are decimal strings with their currency. People appear by subject id.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from shared.events.facts import Event, Part
from shared.events.vocabulary import (
    BudgetFigure,
    CommitmentKind,
    DeadlineKind,
    DiscardReason,
    Judgement,
    Nature,
    OrganizationKind,
    OriginKind,
    ResultType,
    ReviewOutcome,
    Scope,
    Visibility,
)

# --- organisations and pillars -------------------------------------------------------------------------------------


class OrganizationRegistered(Event, frozen=True, kw_only=True):
    """An organisation of the state entered the record."""

    TYPE: ClassVar[str] = "commitments.organization_registered"

    code: str
    name: str
    kind: OrganizationKind = OrganizationKind.OTHER
    parent: str | None = None
    aliases: tuple[str, ...] = ()


class OrganizationChanged(Event, frozen=True, kw_only=True):
    """An organisation was renamed, moved, or absorbed by another; the fields give its whole new description."""

    TYPE: ClassVar[str] = "commitments.organization_changed"

    name: str
    kind: OrganizationKind = OrganizationKind.OTHER
    parent: str | None = None
    aliases: tuple[str, ...] = ()
    successor: str | None = None
    dissolved_on: date | None = None


class PillarRegistered(Event, frozen=True, kw_only=True):
    """A pillar of the government plan was declared; `rank` orders the pillars in lists."""

    TYPE: ClassVar[str] = "commitments.pillar_registered"

    code: str
    name: str
    rank: int = 0
    description: str | None = None


class PillarChanged(Event, frozen=True, kw_only=True):
    """A pillar was renamed or described anew."""

    TYPE: ClassVar[str] = "commitments.pillar_changed"

    name: str
    rank: int = 0
    description: str | None = None


# --- parts of a commitment -----------------------------------------------------------------------------------------


class Origin(Part, frozen=True, kw_only=True):
    """Where the promise was made, in whose words, and where the words can be read."""

    kind: OriginKind
    source: str | None = None
    source_on: date | None = None
    quote: str | None = None
    document_url: str | None = None
    decision: str | None = None


class PublicDeadline(Part, frozen=True, kw_only=True):
    """The day promised in public, and where it was promised."""

    on: date
    origin: str | None = None


class InternalDeadline(Part, frozen=True, kw_only=True):
    """The unit's own day, usually ahead of the public one."""

    on: date


class TeamMember(Part, frozen=True, kw_only=True):
    """One seat of the working team: who holds it (subject id), as what, and for which institution."""

    subject: str | None = None
    position: str
    institution: str
    area: str | None = None


class Document(Part, frozen=True, kw_only=True):
    """A document that backs the commitment; superseded ones stay listed."""

    title: str
    url: str | None = None
    dated_on: date | None = None
    superseded: bool = False


class Evidence(Part, frozen=True, kw_only=True):
    """What a statement rests on."""

    description: str
    url: str | None = None
    dated_on: date | None = None


class BudgetLine(Part, frozen=True, kw_only=True):
    """One figure of a budget estimate: for a year, or for the whole life when `year` is absent."""

    amount: str
    currency: str
    year: int | None = None
    figure: BudgetFigure = BudgetFigure.ESTIMATE
    price_base: str | None = None


# --- the life of a commitment --------------------------------------------------------------------------------------


class Registered(Event, frozen=True, kw_only=True):
    """A commitment entered the record, with all that was known of it on the first day."""

    TYPE: ClassVar[str] = "commitments.registered"

    code: str
    title: str
    lead_organization: str
    effective_on: date
    kind: CommitmentKind = CommitmentKind.COMMITMENT
    visibility: Visibility = Visibility.INTERNAL
    parent: str | None = None
    split_from: str | None = None
    pillar: str | None = None
    result_type: ResultType | None = None
    origin: Origin | None = None
    public_deadline: PublicDeadline | None = None
    internal_deadline: InternalDeadline | None = None
    no_deadline_reason: str | None = None
    collaborating_organizations: tuple[str, ...] = ()
    responsible_service: str | None = None
    adviser: str | None = None
    instrument: str | None = None
    stage: str | None = None
    priority: str | None = None
    key_words: tuple[str, ...] = ()
    region: str | None = None
    nature: Nature | None = None
    scope: Scope | None = None
    initiative_type: str | None = None
    programmatic_alignment: str | None = None
    goal: str | None = None
    background: str | None = None
    general_objective: str | None = None
    specific_objectives: tuple[str, ...] = ()
    description: str | None = None
    legislative_strategy: str | None = None
    communications_strategy: str | None = None
    working_team: tuple[TeamMember, ...] = ()
    documents: tuple[Document, ...] = ()


class Assessed(Event, frozen=True, kw_only=True):
    """Someone judged how the commitment is going.

    `rating` is the value on the assessor's own `scale`, word for word. No `judgement` means that the assessor
    declared none for that day (an exempt or reset project, say): the earlier one no longer speaks for it.
    """

    TYPE: ClassVar[str] = "commitments.assessed"

    effective_on: date
    judgement: Judgement | None = None
    reason: str | None = None
    rating: str | None = None
    scale: str | None = None


class ProgressReported(Event, frozen=True, kw_only=True):
    """The responsible organisation told how far it is; "no change" is a report too. `number` counts from 1."""

    TYPE: ClassVar[str] = "commitments.progress_reported"

    number: int
    period: str
    effective_on: date
    observed_progress: str | None = None
    stage: str | None = None
    percent: Decimal | None = None
    evidence: tuple[Evidence, ...] = ()
    source: str | None = None
    source_on: date | None = None
    no_change: bool = False


class ProgressReviewed(Event, frozen=True, kw_only=True):
    """Someone other than its author accepted a progress report or sent it back."""

    TYPE: ClassVar[str] = "commitments.progress_reviewed"

    report: int
    outcome: ReviewOutcome
    reason: str | None = None


class DeadlineRevised(Event, frozen=True, kw_only=True):
    """A deadline was moved (or first set); the old day stays on record as `previous`."""

    TYPE: ClassVar[str] = "commitments.deadline_revised"

    deadline: DeadlineKind
    on: date
    effective_on: date
    reason: str
    previous: date | None = None
    decision: str | None = None


class LeadReassigned(Event, frozen=True, kw_only=True):
    """Another organisation took over the commitment."""

    TYPE: ClassVar[str] = "commitments.lead_reassigned"

    lead_organization: str
    previous: str
    effective_on: date
    reason: str
    decision: str | None = None


class Completed(Event, frozen=True, kw_only=True):
    """The commitment was kept as promised, on the evidence given."""

    TYPE: ClassVar[str] = "commitments.completed"

    completed_on: date
    evidence: tuple[Evidence, ...]
    remarks: str | None = None


class Discarded(Event, frozen=True, kw_only=True):
    """The commitment was given up, for one of three reasons and with an explanation; it stays in every total."""

    TYPE: ClassVar[str] = "commitments.discarded"

    reason_type: DiscardReason
    reason: str
    effective_on: date
    decision: str | None = None


class Reopened(Event, frozen=True, kw_only=True):
    """A completion or a discard was undone from this day on."""

    TYPE: ClassVar[str] = "commitments.reopened"

    reason: str
    effective_on: date


class Merged(Event, frozen=True, kw_only=True):
    """The commitment goes on inside another one, `into` (a code), and no longer counts by itself."""

    TYPE: ClassVar[str] = "commitments.merged"

    into: str
    reason: str
    effective_on: date
    decision: str | None = None


class MilestoneSet(Event, frozen=True, kw_only=True):
    """A step on the way was planned, or planned anew under the same number. `number` counts from 1."""

    TYPE: ClassVar[str] = "commitments.milestone_set"

    number: int
    name: str
    due_on: date
    description: str | None = None
    reason: str | None = None


class MilestoneCompleted(Event, frozen=True, kw_only=True):
    """A planned step was reached; its due day stays as planned."""

    TYPE: ClassVar[str] = "commitments.milestone_completed"

    number: int
    completed_on: date
    evidence: tuple[Evidence, ...] = ()
    remarks: str | None = None


class RisksAssessed(Event, frozen=True, kw_only=True):
    """Someone rated the risks, each from 1 (low) to 4 (high); a risk that does not apply is absent."""

    TYPE: ClassVar[str] = "commitments.risks_assessed"

    effective_on: date
    budgetary_requirements: int | None = None
    technical_design_complexity: int | None = None
    stakeholder_conflict: int | None = None
    passage_through_congress: int | None = None
    conflict_between_institutions: int | None = None
    change_management: int | None = None
    description: str | None = None


class BudgetEstimated(Event, frozen=True, kw_only=True):
    """Someone put figures to what it costs; a new estimate replaces the earlier one from its day on."""

    TYPE: ClassVar[str] = "commitments.budget_estimated"

    effective_on: date
    lines: tuple[BudgetLine, ...]
    source: str | None = None
    remarks: str | None = None


class Commented(Event, frozen=True, kw_only=True):
    """Someone left a remark on the record."""

    TYPE: ClassVar[str] = "commitments.commented"

    text: str
    effective_on: date


class VisibilityChanged(Event, frozen=True, kw_only=True):
    """The commitment was published, or its circle of readers was changed."""

    TYPE: ClassVar[str] = "commitments.visibility_changed"

    visibility: Visibility
    previous: Visibility
    reason: str


class Corrected(Event, frozen=True, kw_only=True):
    """A field of the registration was wrong from the start; what was said before stays on record.

    `value` and `previous` have the shape the field has in `commitments.registered`.
    """

    TYPE: ClassVar[str] = "commitments.corrected"

    field: str
    value: Any
    reason: str
    previous: Any = None


class Escalated(Event, frozen=True, kw_only=True):
    """A decision took the matter to a higher level: `to` a body, by its code, an organisation or an office."""

    TYPE: ClassVar[str] = "commitments.escalated"

    effective_on: date
    decision: str
    remarks: str | None = None
    to: str | None = None


# --- what became of decisions ----------------------------------------------------------------------------------------


class Done(Part, frozen=True, kw_only=True):
    """One thing a decision did: the `type` of the event, on which commitment or indicator (its code).

    `version` is the version it brought that one to.
    """

    type: str
    version: int
    commitment: str | None = None
    indicator: str | None = None


class DecisionCarriedOut(Event, frozen=True, kw_only=True):
    """What a decision asked of the record was done, all of it; `did` is empty where it asked for nothing.

    With `remarks`, somebody had it carried out after all: it could not be at first.
    """

    TYPE: ClassVar[str] = "commitments.decision_carried_out"

    decision: str
    did: tuple[Done, ...]
    remarks: str | None = None


class DecisionUnresolved(Event, frozen=True, kw_only=True):
    """A decision could not be carried out, and nothing of it was: `code` and `reason` say which rule stood against it.

    `commitment` or `indicator` is the one it stood with, as the decision names it.
    """

    TYPE: ClassVar[str] = "commitments.decision_unresolved"

    decision: str
    code: str
    reason: str
    commitment: str | None = None
    indicator: str | None = None


class DecisionWaived(Event, frozen=True, kw_only=True):
    """Somebody settled that an unresolved decision will not be carried out here."""

    TYPE: ClassVar[str] = "commitments.decision_waived"

    decision: str
    remarks: str


EVENTS: tuple[type[Event], ...] = (
    OrganizationRegistered,
    OrganizationChanged,
    PillarRegistered,
    PillarChanged,
    Registered,
    Assessed,
    ProgressReported,
    ProgressReviewed,
    DeadlineRevised,
    LeadReassigned,
    Completed,
    Discarded,
    Reopened,
    Merged,
    MilestoneSet,
    MilestoneCompleted,
    RisksAssessed,
    BudgetEstimated,
    Commented,
    VisibilityChanged,
    Corrected,
    Escalated,
    DecisionCarriedOut,
    DecisionUnresolved,
    DecisionWaived,
)
