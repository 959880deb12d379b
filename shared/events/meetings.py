"""The published language of the meetings service: bodies, meetings and minutes, decisions, action items.

Instants end in `_at`; days (`…_on`) are civil days of the government's time zone. Money amounts and target values are
decimal text. People appear by subject id and position. Bodies, organisations and commitments are named by their code,
decisions by their number, meetings and action items by their id.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from shared.events.commitments import Evidence
from shared.events.facts import Event, Part
from shared.events.meeting_vocabulary import (
    Acknowledgement,
    BodyKind,
    BudgetRequest,
    Cadence,
    DecisionKind,
    Financing,
    ItemOutcome,
    Presence,
    ProtocolPeriod,
    Rights,
)
from shared.events.vocabulary import CommitmentKind, DeadlineKind, DiscardReason, ResultType, Visibility

# --- bodies --------------------------------------------------------------------------------------------------------


class Seat(Part, frozen=True, kw_only=True):
    """Somebody whose presence a body counts on: an organisation, an office, or an office of an organisation.

    A seat with a `condition` ("where a bill is on the agenda") is missed only when it was noted as absent.
    """

    organization: str | None = None
    position: str | None = None
    condition: str | None = None


class ExpectedMeetings(Part, frozen=True, kw_only=True):
    """How many meetings a protocol expects in each period."""

    count: int
    period: ProtocolPeriod


class Protocol(Part, frozen=True, kw_only=True):
    """What a body holds itself to; what is absent is not asked of it."""

    expected_meetings: ExpectedMeetings | None = None
    days_to_minutes: int | None = None
    """Days from the meeting to the circulation of its minutes, at most."""
    agenda_size: int | None = None
    duration_minutes: int | None = None
    four_eyes: bool = False
    """Whether whoever wrote the minutes, or told who came, leaves their approval to somebody else."""


class BodyRegistered(Event, frozen=True, kw_only=True):
    """A body that holds meetings entered the record.

    `organizations` are those it is for: with a `reserved` body, they and the centre of government know of it.
    """

    TYPE: ClassVar[str] = "meetings.body_registered"

    code: str
    name: str
    kind: BodyKind
    decides: bool
    visibility: Visibility
    presiding_organization: str | None = None
    secretariat: str | None = None
    cadence: Cadence | None = None
    mandatory_attendance: tuple[Seat, ...] = ()
    organizations: tuple[str, ...] = ()
    protocol: Protocol | None = None


class BodyChanged(Event, frozen=True, kw_only=True):
    """A body goes by other rules from now on; the fields give its whole new description."""

    TYPE: ClassVar[str] = "meetings.body_changed"

    name: str
    kind: BodyKind
    decides: bool
    visibility: Visibility
    presiding_organization: str | None = None
    secretariat: str | None = None
    cadence: Cadence | None = None
    mandatory_attendance: tuple[Seat, ...] = ()
    organizations: tuple[str, ...] = ()
    protocol: Protocol | None = None


class DecisionsNumbered(Event, frozen=True, kw_only=True):
    """A meeting's decisions were given the next numbers of the body's year: `first` to `last`."""

    TYPE: ClassVar[str] = "meetings.decisions_numbered"

    meeting: UUID
    year: int
    first: int
    last: int


# --- meetings ------------------------------------------------------------------------------------------------------


class AgendaItem(Part, frozen=True, kw_only=True):
    """One issue to be dealt with; `number` counts from 1 and stays with it until the agenda is revised.

    `minutes` is the time set aside for it. `decisions` and `action_items` are earlier ones that it takes up again.
    `label` is its number in the source it was imported from, `reference` where it stands there.
    """

    number: int
    title: str
    sponsor: str | None = None
    commitments: tuple[str, ...] = ()
    minutes: int | None = None
    decisions: tuple[str, ...] = ()
    action_items: tuple[UUID, ...] = ()
    label: str | None = None
    reference: str | None = None


class MeetingConvened(Event, frozen=True, kw_only=True):
    """A meeting of a body was called; who it concerns (`organizations`) is settled now."""

    TYPE: ClassVar[str] = "meetings.meeting_convened"

    body: str
    scheduled_at: datetime
    visibility: Visibility
    ends_at: datetime | None = None
    place: str | None = None
    title: str | None = None
    agenda: tuple[AgendaItem, ...] = ()
    organizations: tuple[str, ...] = ()
    reference: str | None = None


class AgendaAgreed(Event, frozen=True, kw_only=True):
    """The agenda was settled with those named, as it stands here."""

    TYPE: ClassVar[str] = "meetings.agenda_agreed"

    agenda: tuple[AgendaItem, ...]
    agreed_with: tuple[str, ...]
    reason: str | None = None


class AgendaRevised(Event, frozen=True, kw_only=True):
    """The agenda was rewritten and is yet to be agreed, again if it was before."""

    TYPE: ClassVar[str] = "meetings.agenda_revised"

    agenda: tuple[AgendaItem, ...]
    reason: str | None = None


class Appointment(Part, frozen=True, kw_only=True):
    """When and where a meeting was to be."""

    scheduled_at: datetime
    ends_at: datetime | None = None
    place: str | None = None


class MeetingRescheduled(Event, frozen=True, kw_only=True):
    """The meeting was moved to another time or place."""

    TYPE: ClassVar[str] = "meetings.meeting_rescheduled"

    scheduled_at: datetime
    previous: Appointment
    reason: str
    ends_at: datetime | None = None
    place: str | None = None


class MeetingCancelled(Event, frozen=True, kw_only=True):
    """The meeting was called off."""

    TYPE: ClassVar[str] = "meetings.meeting_cancelled"

    reason: str


class Attendee(Part, frozen=True, kw_only=True):
    """One line of the attendance list; `agenda_items` are the issues somebody was invited for."""

    organization: str
    position: str
    presence: Presence
    rights: Rights = Rights.FULL
    subject: str | None = None
    represented_by: str | None = None
    agenda_items: tuple[int, ...] = ()


class MeetingHeld(Event, frozen=True, kw_only=True):
    """The meeting took place; `mandatory_absences` are the body's seats that nobody took.

    An `attendance` without a line, as from an import, means that nobody told who came: no absence follows from it.
    """

    TYPE: ClassVar[str] = "meetings.meeting_held"

    held_at: datetime
    attendance: tuple[Attendee, ...]
    ended_at: datetime | None = None
    mandatory_absences: tuple[Seat, ...] = ()


class AttendanceCorrected(Event, frozen=True, kw_only=True):
    """What was noted of when the meeting was held and who came was wrong; the fields give the whole of it anew."""

    TYPE: ClassVar[str] = "meetings.attendance_corrected"

    held_at: datetime
    attendance: tuple[Attendee, ...]
    reason: str
    ended_at: datetime | None = None
    mandatory_absences: tuple[Seat, ...] = ()


# --- minutes -------------------------------------------------------------------------------------------------------


class AgreedCommitment(Part, frozen=True, kw_only=True):
    """A commitment that a decision calls into being."""

    code: str
    title: str
    lead_organization: str
    kind: CommitmentKind = CommitmentKind.COMMITMENT
    pillar: str | None = None
    parent: str | None = None
    result_type: ResultType | None = None
    collaborating_organizations: tuple[str, ...] = ()
    responsible_service: str | None = None
    instrument: str | None = None
    region: str | None = None
    goal: str | None = None
    description: str | None = None
    public_deadline_on: date | None = None
    internal_deadline_on: date | None = None


class AgreedDeadline(Part, frozen=True, kw_only=True):
    """The new day of a deadline of the commitments concerned."""

    deadline: DeadlineKind
    on: date


class AgreedTarget(Part, frozen=True, kw_only=True):
    """The new target of an indicator; `value` is decimal text in its unit."""

    indicator: str
    value: str
    on: date


class AgreedDiscard(Part, frozen=True, kw_only=True):
    """Why the commitments concerned are given up."""

    reason_type: DiscardReason
    reason: str


class Referral(Part, frozen=True, kw_only=True):
    """To whom a matter is referred or escalated: a body, an organisation, an office."""

    to: str
    remarks: str | None = None


class Effect(Part, frozen=True, kw_only=True):
    """What a decision does, by its kind: exactly the member that the kind asks for is there."""

    commitment: AgreedCommitment | None = None
    deadline: AgreedDeadline | None = None
    target: AgreedTarget | None = None
    discard: AgreedDiscard | None = None
    referral: Referral | None = None


class BudgetImpact(Part, frozen=True, kw_only=True):
    """What a decision costs, in which fiscal year, and whether that money is moved or added."""

    amount: str
    currency: str
    fiscal_year: int
    financing: Financing


class DraftDecision(Part, frozen=True, kw_only=True):
    """A decision as the minutes word it, not yet numbered."""

    text: str
    kind: DecisionKind
    commitments: tuple[str, ...] = ()
    effect: Effect | None = None
    budget_impact: BudgetImpact | None = None
    organizations: tuple[str, ...] = ()
    """Those it concerns; without any, those the meeting concerns."""


class DraftActionItem(Part, frozen=True, kw_only=True):
    """A task as the minutes word it; `decision` counts the decisions of the same item from 1."""

    text: str
    owner_organization: str
    due_on: date
    owner_subject: str | None = None
    decision: int | None = None
    commitment: str | None = None


class MinutesItem(Part, frozen=True, kw_only=True):
    """What was said and settled on one item of the agenda, or, with a `title`, on something that was not on it.

    `outcome_verbatim` is the outcome in the words of the source it was imported from.
    """

    agenda_item: int | None = None
    title: str | None = None
    summary: str | None = None
    outcome: ItemOutcome | None = None
    outcome_verbatim: str | None = None
    decisions: tuple[DraftDecision, ...] = ()
    action_items: tuple[DraftActionItem, ...] = ()


class MinutesDrafted(Event, frozen=True, kw_only=True):
    """The minutes were written, or rewritten as the next `draft`."""

    TYPE: ClassVar[str] = "meetings.minutes_drafted"

    draft: int
    items: tuple[MinutesItem, ...]


class Recipient(Part, frozen=True, kw_only=True):
    """Somebody the minutes are sent to."""

    organization: str
    position: str | None = None
    subject: str | None = None


class MinutesCirculated(Event, frozen=True, kw_only=True):
    """A draft was sent to those named, for them to say whether this is what was agreed."""

    TYPE: ClassVar[str] = "meetings.minutes_circulated"

    draft: int
    recipients: tuple[Recipient, ...]


class ObservationRaised(Event, frozen=True, kw_only=True):
    """A recipient objects to something in a draft, or asks for something. `number` counts from 1."""

    TYPE: ClassVar[str] = "meetings.observation_raised"

    number: int
    draft: int
    text: str
    agenda_item: int | None = None


class ObservationAnswered(Event, frozen=True, kw_only=True):
    """The secretariat answered an observation; one that was accepted shows in the next draft."""

    TYPE: ClassVar[str] = "meetings.observation_answered"

    number: int
    accepted: bool
    answer: str


class MinutesApproved(Event, frozen=True, kw_only=True):
    """The minutes were approved and sealed; `decisions` and `action_items` came into being with them.

    `digest` is the SHA-256, in hexadecimal, of the JSON object with the members that `covers` names, at every depth
    with names sorted and without spaces, in UTF-8: `meeting` is the id of the meeting, `agenda` the agenda as it was
    last set, `held` the data of the event that last told of the attendance, `minutes` that of the approved
    `minutes_drafted`.
    """

    TYPE: ClassVar[str] = "meetings.minutes_approved"

    draft: int
    digest: str
    decisions: tuple[str, ...] = ()
    action_items: tuple[UUID, ...] = ()
    covers: tuple[str, ...] = ("held", "minutes")


class ErratumAdded(Event, frozen=True, kw_only=True):
    """A mistake in sealed minutes was put right beside the text, which stands as it was. `number` counts from 1."""

    TYPE: ClassVar[str] = "meetings.erratum_added"

    number: int
    reads: str
    should_read: str
    reason: str
    agenda_item: int | None = None
    decision: str | None = None


class MeetingPublished(Event, frozen=True, kw_only=True):
    """The circle of those who may know of the meeting and its minutes was changed."""

    TYPE: ClassVar[str] = "meetings.meeting_published"

    visibility: Visibility
    previous: Visibility
    reason: str


# --- decisions -----------------------------------------------------------------------------------------------------


class DecisionAgreed(Event, frozen=True, kw_only=True):
    """A decision stands: the minutes that hold it were approved.

    `circle` are the organisations that know of it while it is reserved; `organizations` those it concerns.
    """

    TYPE: ClassVar[str] = "meetings.decision_agreed"

    number: str
    body: str
    meeting: UUID
    agreed_on: date
    text: str
    kind: DecisionKind
    visibility: Visibility
    position_in_item: int
    agenda_item: int | None = None
    commitments: tuple[str, ...] = ()
    effect: Effect | None = None
    budget_impact: BudgetImpact | None = None
    organizations: tuple[str, ...] = ()
    circle: tuple[str, ...] = ()


class DecisionAcknowledged(Event, frozen=True, kw_only=True):
    """The budget office said whether this is what was agreed."""

    TYPE: ClassVar[str] = "meetings.decision_acknowledged"

    outcome: Acknowledgement
    remarks: str | None = None


class BudgetLineTied(Event, frozen=True, kw_only=True):
    """The budget line was named in which a decision ended; the same line again replaces what was said of it."""

    TYPE: ClassVar[str] = "meetings.budget_line_tied"

    fiscal_year: int
    code: str
    amount: str
    currency: str
    request: BudgetRequest
    reason: str | None = None


class DecisionAmended(Event, frozen=True, kw_only=True):
    """An erratum of the minutes concerns the decision; its text stands as it was, with the erratum beside it."""

    TYPE: ClassVar[str] = "meetings.decision_amended"

    erratum: int
    reads: str
    should_read: str
    reason: str


class DecisionPublished(Event, frozen=True, kw_only=True):
    """The circle of those who may know of the decision was changed, alone or with its meeting."""

    TYPE: ClassVar[str] = "meetings.decision_published"

    visibility: Visibility
    previous: Visibility
    reason: str


# --- action items --------------------------------------------------------------------------------------------------


class ActionItemAssigned(Event, frozen=True, kw_only=True):
    """Somebody owes something by a day. `number` counts the action items of the meeting from 1.

    While it is reserved, its owner and the organisations of the `circle` know of it.
    """

    TYPE: ClassVar[str] = "meetings.action_item_assigned"

    number: int
    text: str
    owner_organization: str
    assigned_on: date
    due_on: date
    body: str
    meeting: UUID
    visibility: Visibility
    owner_subject: str | None = None
    agenda_item: int | None = None
    decision: str | None = None
    commitment: str | None = None
    circle: tuple[str, ...] = ()


class ActionItemProgressed(Event, frozen=True, kw_only=True):
    """The owner told how far it is."""

    TYPE: ClassVar[str] = "meetings.action_item_progressed"

    text: str
    effective_on: date


class ActionItemCompleted(Event, frozen=True, kw_only=True):
    """It was done, on the evidence given."""

    TYPE: ClassVar[str] = "meetings.action_item_completed"

    completed_on: date
    evidence: tuple[Evidence, ...]
    remarks: str | None = None


class ActionItemExtended(Event, frozen=True, kw_only=True):
    """The owner was given until another day."""

    TYPE: ClassVar[str] = "meetings.action_item_extended"

    due_on: date
    previous: date
    effective_on: date
    reason: str


class ActionItemReassigned(Event, frozen=True, kw_only=True):
    """Another organisation, or another person in it, took it over."""

    TYPE: ClassVar[str] = "meetings.action_item_reassigned"

    owner_organization: str
    previous: str
    effective_on: date
    reason: str
    owner_subject: str | None = None


class ActionItemCancelled(Event, frozen=True, kw_only=True):
    """It is no longer owed."""

    TYPE: ClassVar[str] = "meetings.action_item_cancelled"

    effective_on: date
    reason: str


class ActionItemPublished(Event, frozen=True, kw_only=True):
    """The circle of those who may know of the action item was changed, with its meeting."""

    TYPE: ClassVar[str] = "meetings.action_item_published"

    visibility: Visibility
    previous: Visibility
    reason: str


EVENTS: tuple[type[Event], ...] = (
    BodyRegistered,
    BodyChanged,
    DecisionsNumbered,
    MeetingConvened,
    AgendaAgreed,
    AgendaRevised,
    MeetingRescheduled,
    MeetingCancelled,
    MeetingHeld,
    AttendanceCorrected,
    MinutesDrafted,
    MinutesCirculated,
    ObservationRaised,
    ObservationAnswered,
    MinutesApproved,
    ErratumAdded,
    MeetingPublished,
    DecisionAgreed,
    DecisionAcknowledged,
    BudgetLineTied,
    DecisionAmended,
    DecisionPublished,
    ActionItemAssigned,
    ActionItemProgressed,
    ActionItemCompleted,
    ActionItemExtended,
    ActionItemReassigned,
    ActionItemCancelled,
    ActionItemPublished,
)
