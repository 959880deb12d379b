"""The published language of the commitments service: organisations, pillars and the life of a commitment.

Days (`…_on`) are civil days of the government's time zone; `effective_on` is the day a fact took effect in the world,
whenever the log learned it. Money amounts are decimal strings with their currency. People appear by subject id.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field

from shared.events.facts import COMPUTED, Event, Part
from shared.events.types import (
    Addressee,
    Aliases,
    Amount,
    CivilDay,
    CommitmentCode,
    Computed,
    Currency,
    DecisionNumber,
    FactDay,
    FieldValue,
    Filled,
    IndicatorCode,
    Items,
    Line,
    Number,
    OrganizationCode,
    OwnCode,
    OwnCommitmentCode,
    Percent,
    PeriodName,
    PersonId,
    PersonOrOffice,
    PillarCode,
    Prose,
    PublicationDay,
    Rank,
    Reason,
    Risk,
    Url,
    Weight,
    WithDecision,
    WithReferral,
    Word,
    Year,
)
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

    code: OwnCode
    name: Line
    kind: OrganizationKind = OrganizationKind.OTHER
    parent: OrganizationCode | None = None
    aliases: Aliases = ()
    effective_on: Annotated[
        CivilDay | None,
        Field(
            description="The day of which this description was told; it stands for every earlier one as well."
        ),
    ] = None


class OrganizationChanged(Event, frozen=True, kw_only=True):
    """An organisation was renamed, moved, split or absorbed; the fields give its whole description from a day on."""

    TYPE: ClassVar[str] = "commitments.organization_changed"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "name": "Ministry of Public Works",
        "kind": "ministry",
        "aliases": ["Public Works"],
    }

    name: Annotated[Line, Field(examples=["Ministry of Public Works"])]
    kind: OrganizationKind = OrganizationKind.OTHER
    parent: Annotated[
        OrganizationCode | None, Field(description="The code of the organisation it belongs to.")
    ] = None
    aliases: Aliases = ()
    successor: Annotated[
        OrganizationCode | None, Field(description="The code of the organisation it went on in.")
    ] = None
    dissolved_on: CivilDay | None = None
    successors: Annotated[
        Items[OrganizationCode],
        Field(description="Where it was split into several: the codes of the organisations it went on in."),
    ] = ()
    effective_on: Annotated[
        CivilDay | None,
        Field(
            description="The day from which this description holds: by default the day it was dissolved, or today. "
            "One on record without a day holds on every day."
        ),
    ] = None


class PillarRegistered(Event, frozen=True, kw_only=True):
    """A pillar of the government plan was declared; `rank` orders the pillars in lists."""

    TYPE: ClassVar[str] = "commitments.pillar_registered"

    code: OwnCode
    name: Line
    rank: Rank = 0
    description: Prose | None = None
    effective_on: Annotated[
        CivilDay | None,
        Field(
            description="The day of which this description was told; it stands for every earlier one as well."
        ),
    ] = None


class PillarChanged(Event, frozen=True, kw_only=True):
    """A pillar was renamed or described anew."""

    TYPE: ClassVar[str] = "commitments.pillar_changed"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "name": "Citizen security",
        "rank": 3,
        "description": "Fewer victims, and fewer who fear to become one.",
    }

    name: Annotated[Line, Field(examples=["Citizen security"])]
    rank: Rank = 0
    description: Prose | None = None
    effective_on: Annotated[
        CivilDay | None,
        Field(
            description="The day from which this description holds, by default today. One on record without a day "
            "holds on every day."
        ),
    ] = None


# --- parts of a commitment -----------------------------------------------------------------------------------------


class Origin(Part, frozen=True, kw_only=True):
    """Where the promise was made, in whose words, and where the words can be read."""

    kind: OriginKind
    source: Line | None = None
    source_on: CivilDay | None = None
    quote: Prose | None = None
    document_url: Url | None = None
    decision: DecisionNumber | None = None


class PublicDeadline(Part, frozen=True, kw_only=True):
    """The day promised in public, and where it was promised."""

    on: CivilDay
    origin: Line | None = None


class InternalDeadline(Part, frozen=True, kw_only=True):
    """The unit's own day, usually ahead of the public one."""

    on: CivilDay


class TeamMember(Part, frozen=True, kw_only=True):
    """One seat of the working team: who holds it (subject id), as what, and for which institution."""

    subject: PersonId | None = None
    position: Line
    institution: Line
    area: Line | None = None


class Document(Part, frozen=True, kw_only=True):
    """A document that backs the commitment; superseded ones stay listed."""

    title: Line
    url: Url | None = None
    dated_on: CivilDay | None = None
    superseded: bool = False


class Evidence(Part, frozen=True, kw_only=True):
    """What a statement rests on."""

    description: Reason
    url: Url | None = None
    dated_on: CivilDay | None = None


class BudgetLine(Part, frozen=True, kw_only=True):
    """One figure of a budget estimate: for a year, or for the whole life when `year` is absent."""

    amount: Amount
    currency: Currency
    year: Year | None = None
    figure: BudgetFigure = BudgetFigure.ESTIMATE
    price_base: Annotated[Word | None, Field(examples=["millions of CLP of 2010"])] = None


# --- the life of a commitment --------------------------------------------------------------------------------------


class Registered(Event, frozen=True, kw_only=True):
    """A commitment entered the record, with all that was known of it on the first day."""

    TYPE: ClassVar[str] = "commitments.registered"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "code": "SEG-014",
        "title": "Reduce household victimisation by 15 %",
        "lead_organization": "MININT",
        "kind": "strategic_objective",
        "origin": {"kind": "may_21_speech", "source_on": "2012-05-21"},
        "public_deadline": {"on": "2013-12-31", "origin": "May 21 speech"},
        "internal_deadline": {"on": "2013-10-31"},
        "visibility": "public",
        "effective_on": "2012-05-21",
    }

    code: Annotated[OwnCommitmentCode, Field(examples=["SEG-014"])]
    title: Annotated[Line, Field(examples=["Reduce household victimisation by 15 %"])]
    lead_organization: Annotated[OrganizationCode, Field(examples=["INTERIOR"])]
    effective_on: Annotated[FactDay, Field(description="The first day it counts; today by default.")]
    kind: CommitmentKind = CommitmentKind.COMMITMENT
    visibility: Visibility = Visibility.INTERNAL
    parent: CommitmentCode | None = None
    split_from: CommitmentCode | None = None
    pillar: PillarCode | None = None
    result_type: ResultType | None = None
    origin: Origin | None = None
    public_deadline: PublicDeadline | None = None
    internal_deadline: InternalDeadline | None = None
    no_deadline_reason: Prose | None = None
    collaborating_organizations: Items[OrganizationCode] = ()
    responsible_service: OrganizationCode | None = None
    adviser: PersonOrOffice | None = None
    instrument: Prose | None = None
    stage: Word | None = None
    priority: Word | None = None
    key_words: Items[Line] = ()
    region: Word | None = None
    nature: Nature | None = None
    scope: Scope | None = None
    initiative_type: Word | None = None
    programmatic_alignment: Prose | None = None
    goal: Prose | None = None
    background: Prose | None = None
    general_objective: Prose | None = None
    specific_objectives: Items[Prose] = ()
    description: Prose | None = None
    legislative_strategy: Prose | None = None
    communications_strategy: Prose | None = None
    working_team: Items[TeamMember] = ()
    documents: Items[Document] = ()
    weight: Weight | None = None


class Assessed(Event, frozen=True, kw_only=True):
    """Someone judged how the commitment is going.

    `rating` is the value on the assessor's own `scale`, word for word. No `judgement` means that the assessor
    declared none for that day (an exempt or reset project, say): the earlier one no longer speaks for it.
    """

    TYPE: ClassVar[str] = "commitments.assessed"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "judgement": "at_risk",
        "reason": "The bill is held up in the Senate.",
        "effective_on": "2012-08-01",
    }

    effective_on: FactDay
    judgement: Judgement | None = None
    reason: Annotated[Reason | None, Field(description="Required when the judgement is `at_risk`.")] = None
    rating: Annotated[
        Line | None, Field(description="The value on the assessor's own scale, kept verbatim.")
    ] = None
    scale: Line | None = None


class ProgressReported(Event, frozen=True, kw_only=True):
    """The responsible organisation told how far it is; "no change" is a report too. `number` counts from 1."""

    TYPE: ClassVar[str] = "commitments.progress_reported"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "period": "2012-Q3",
        "observed_progress": "Five of eight police stations are open.",
        "percent": 62.5,
        "source": "Quarterly report of the police",
        "source_on": "2012-10-05",
    }

    number: Number = COMPUTED
    period: Annotated[PeriodName, Field(examples=["2012-Q3"])]
    effective_on: Annotated[
        CivilDay,
        Field(
            description="By default the last day of the period or today, whichever comes first, but no day before "
            "the first of the commitment."
        ),
    ] = COMPUTED
    observed_progress: Prose | None = None
    stage: Word | None = None
    percent: Percent | None = None
    evidence: Items[Evidence] = ()
    source: Line | None = None
    source_on: CivilDay | None = None
    no_change: bool = False
    received_on: Annotated[
        CivilDay | None,
        Field(
            description="The day on which it was handed in, where it is only recorded later; by that day it is on time "
            "or late. Without it, that is the day it was recorded."
        ),
    ] = None


class ProgressReviewed(Event, frozen=True, kw_only=True):
    """Someone other than its author accepted a progress report or sent it back."""

    TYPE: ClassVar[str] = "commitments.progress_reviewed"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "outcome": "returned",
        "reason": "Two of the five are not staffed yet.",
    }

    report: Number = COMPUTED
    outcome: ReviewOutcome
    reason: Annotated[Reason | None, Field(description="Required when the report is returned.")] = None


class DeadlineRevised(Event, frozen=True, kw_only=True):
    """A deadline was moved (or first set); the old day stays on record as `previous`."""

    TYPE: ClassVar[str] = "commitments.deadline_revised"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "deadline": "public",
        "on": "2014-03-31",
        "reason": "The law came into force late.",
        "effective_on": "2012-11-21",
    }

    deadline: DeadlineKind
    on: CivilDay
    effective_on: FactDay
    reason: Reason
    previous: Annotated[CivilDay | None, Computed()] = None
    decision: DecisionNumber | None = None


class LeadReassigned(Event, frozen=True, kw_only=True):
    """Another organisation took over the commitment."""

    TYPE: ClassVar[str] = "commitments.lead_reassigned"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "lead_organization": "MOP",
        "reason": "The works are theirs now.",
        "effective_on": "2012-12-01",
    }

    lead_organization: OrganizationCode
    previous: OrganizationCode = COMPUTED
    effective_on: FactDay
    reason: Reason
    decision: DecisionNumber | None = None


class Completed(Event, frozen=True, kw_only=True):
    """The commitment was kept as promised, on the evidence given."""

    TYPE: ClassVar[str] = "commitments.completed"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "completed_on": "2013-11-30",
        "evidence": [
            {"description": "Law 20.595", "url": "https://www.example.org/20595", "dated_on": "2013-11-30"}
        ],
    }

    completed_on: FactDay
    evidence: Annotated[Filled[Evidence], Field(examples=[[{"description": "Law 20.595"}]])]
    remarks: Prose | None = None
    decision: DecisionNumber | None = None


class Discarded(Event, frozen=True, kw_only=True):
    """The commitment was given up, for one of three reasons and with an explanation; it stays in every total."""

    TYPE: ClassVar[str] = "commitments.discarded"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "reason_type": "budgetary",
        "reason": "There are no funds for it in 2013.",
        "effective_on": "2012-12-20",
    }

    reason_type: DiscardReason
    reason: Reason
    effective_on: FactDay
    decision: DecisionNumber | None = None


class Reopened(Event, frozen=True, kw_only=True):
    """A completion or a discard was undone from this day on."""

    TYPE: ClassVar[str] = "commitments.reopened"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "reason": "Two stations were closed again.",
        "effective_on": "2013-12-15",
    }

    reason: Reason
    effective_on: FactDay
    decision: DecisionNumber | None = None


class Merged(Event, frozen=True, kw_only=True):
    """The commitment goes on inside another one, `into` (a code), and no longer counts by itself."""

    TYPE: ClassVar[str] = "commitments.merged"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "into": "SEG-015",
        "reason": "It is the same promise.",
        "effective_on": "2012-10-01",
    }

    into: CommitmentCode
    reason: Reason
    effective_on: FactDay
    decision: DecisionNumber | None = None


class Split(Event, frozen=True, kw_only=True):
    """The commitment goes on in several others, its `parts` (codes), and no longer counts by itself.

    The same transaction registers each of them, `split_from` this one.
    """

    TYPE: ClassVar[str] = "commitments.split"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "reason": "Each of the two has a lead of its own.",
        "effective_on": "2012-10-01",
    }

    parts: Filled[CommitmentCode] = COMPUTED
    reason: Reason
    effective_on: FactDay
    decision: DecisionNumber | None = None


class MilestoneSet(Event, frozen=True, kw_only=True):
    """A step on the way was planned, or planned anew under the same number. `number` counts from 1."""

    TYPE: ClassVar[str] = "commitments.milestone_set"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"name": "The bill is voted upon", "due_on": "2012-12-31"}

    number: Number = COMPUTED
    name: Line
    due_on: CivilDay
    description: Prose | None = None
    reason: Annotated[Reason | None, Field(description="Required to plan a milestone anew.")] = None
    effective_on: Annotated[
        CivilDay | None,
        Field(
            description="The day from which it is planned so, where it is only recorded later. Without it, that is the "
            "day it was recorded."
        ),
    ] = None


class MilestoneCompleted(Event, frozen=True, kw_only=True):
    """A planned step was reached; its due day stays as planned."""

    TYPE: ClassVar[str] = "commitments.milestone_completed"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "completed_on": "2012-12-19",
        "evidence": [{"description": "Record of the sitting"}],
    }

    number: Number = COMPUTED
    completed_on: FactDay
    evidence: Items[Evidence] = ()
    remarks: Prose | None = None


class RisksAssessed(Event, frozen=True, kw_only=True):
    """Someone rated the risks, each from 1 (low) to 4 (high); a risk that does not apply is absent."""

    TYPE: ClassVar[str] = "commitments.risks_assessed"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "passage_through_congress": 4,
        "budgetary_requirements": 2,
        "description": "The majority is narrow.",
        "effective_on": "2012-08-01",
    }

    effective_on: FactDay
    budgetary_requirements: Risk | None = None
    technical_design_complexity: Risk | None = None
    stakeholder_conflict: Risk | None = None
    passage_through_congress: Risk | None = None
    conflict_between_institutions: Risk | None = None
    change_management: Risk | None = None
    description: Prose | None = None


class BudgetEstimated(Event, frozen=True, kw_only=True):
    """Someone put figures to what it costs; a new estimate replaces the earlier one from its day on."""

    TYPE: ClassVar[str] = "commitments.budget_estimated"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "lines": [
            {
                "figure": "estimate",
                "year": 2013,
                "amount": "1250.5",
                "currency": "CLP",
                "price_base": "millions of CLP of 2010",
            }
        ],
        "source": "Capture sheet",
        "effective_on": "2012-08-01",
    }

    effective_on: FactDay
    lines: Filled[BudgetLine]
    source: Line | None = None
    remarks: Prose | None = None


class Commented(Event, frozen=True, kw_only=True):
    """Someone left a remark on the record."""

    TYPE: ClassVar[str] = "commitments.commented"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "text": "The minister asked for the figures by region.",
        "effective_on": "2012-08-01",
    }

    text: Reason
    effective_on: FactDay


class VisibilityChanged(Event, frozen=True, kw_only=True):
    """The commitment was published, or its circle of readers was changed."""

    TYPE: ClassVar[str] = "commitments.visibility_changed"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"visibility": "internal", "reason": "A trial depends on it."}
    LASTING: ClassVar[str] = (
        "A publication was read by others and cannot be unread: change the visibility again."
    )

    visibility: Visibility
    previous: Visibility = COMPUTED
    reason: Reason
    decision: DecisionNumber | None = None
    effective_on: PublicationDay = None


class Corrected(Event, frozen=True, kw_only=True):
    """A field of the registration was wrong from the start; what was said before stays on record.

    `value` and `previous` have the shape the field has in `commitments.registered`.
    """

    TYPE: ClassVar[str] = "commitments.corrected"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "field": "title",
        "value": "Reduce household victimisation by 15 % by 2013",
        "reason": "The year was left out.",
    }

    field: Annotated[Word, Field(examples=["title"])]
    value: Annotated[Any, FieldValue(), Field(examples=["Reduce household victimisation by 15 % by 2013"])]
    reason: Reason
    previous: Annotated[Any, FieldValue(), Computed()] = None


class ChangeableField(StrEnum):
    """What of a commitment can become another in the world, apart from its lead, its deadlines and its visibility."""

    TITLE = "title"
    PARENT = "parent"
    PILLAR = "pillar"
    COLLABORATING_ORGANIZATIONS = "collaborating_organizations"
    RESPONSIBLE_SERVICE = "responsible_service"
    ADVISER = "adviser"
    INSTRUMENT = "instrument"
    STAGE = "stage"
    PRIORITY = "priority"
    KEY_WORDS = "key_words"
    REGION = "region"
    GOAL = "goal"
    WORKING_TEAM = "working_team"
    WEIGHT = "weight"


class Changed(Event, frozen=True, kw_only=True):
    """A field of the commitment is another one in the world from a day on: what held before was right until then.

    `value` and `previous` have the shape the field has in `commitments.registered`.
    """

    TYPE: ClassVar[str] = "commitments.changed"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "field": "adviser",
        "value": "u-23",
        "reason": "The adviser left.",
        "effective_on": "2012-09-01",
    }

    field: Annotated[ChangeableField, Field(examples=["adviser"])]
    value: Annotated[Any, FieldValue(), Field(examples=["u-23"])]
    effective_on: FactDay
    reason: Reason
    previous: Annotated[Any, FieldValue(), Computed()] = None
    decision: DecisionNumber | None = None


class Escalated(Event, frozen=True, kw_only=True):
    """A decision took the matter to a higher level: `to` a body, by its code, an organisation or an office."""

    TYPE: ClassVar[str] = "commitments.escalated"
    LASTING: ClassVar[str] = "A decision did this: it is settled where its outcome is."

    effective_on: FactDay
    decision: DecisionNumber
    remarks: Annotated[Prose | None, WithDecision(), WithReferral()] = None
    to: Annotated[Addressee | None, WithDecision()] = None


# --- what became of decisions ----------------------------------------------------------------------------------------


class Done(Part, frozen=True, kw_only=True):
    """One thing a decision did: the `type` of the event, on which commitment or indicator (its code).

    `version` is the version it brought that one to.
    """

    type: Word
    version: int
    commitment: CommitmentCode | None = None
    indicator: IndicatorCode | None = None


class DecisionCarriedOut(Event, frozen=True, kw_only=True):
    """What a decision asked of the record was done, all of it; `did` is empty where it asked for nothing.

    With `remarks`, somebody had it carried out after all: it could not be at first.
    """

    TYPE: ClassVar[str] = "commitments.decision_carried_out"

    decision: DecisionNumber
    did: tuple[Done, ...]
    remarks: Annotated[Prose | None, WithDecision()] = None


class DecisionUnresolved(Event, frozen=True, kw_only=True):
    """A decision could not be carried out, and nothing of it was: `code` and `reason` say which rule stood against it.

    `commitment` or `indicator` is the one it stood with, as the decision names it.
    """

    TYPE: ClassVar[str] = "commitments.decision_unresolved"

    decision: DecisionNumber
    code: Word
    reason: Prose
    commitment: CommitmentCode | None = None
    indicator: IndicatorCode | None = None


class DecisionWaived(Event, frozen=True, kw_only=True):
    """Somebody settled that an unresolved decision will not be carried out here."""

    TYPE: ClassVar[str] = "commitments.decision_waived"

    decision: DecisionNumber
    remarks: Annotated[Prose, WithDecision()]


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
    Split,
    MilestoneSet,
    MilestoneCompleted,
    RisksAssessed,
    BudgetEstimated,
    Commented,
    VisibilityChanged,
    Corrected,
    Changed,
    Escalated,
    DecisionCarriedOut,
    DecisionUnresolved,
    DecisionWaived,
)
