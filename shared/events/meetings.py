"""The published language of the meetings service: bodies, meetings and minutes, decisions, action items.

Instants end in `_at`; days (`…_on`) are civil days of the government's time zone. Money amounts and target values are
decimal text. People appear by subject id and position. Bodies, organisations and commitments are named by their code,
decisions by their number, meetings and action items by their id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from shared.events.commitments import Evidence
from shared.events.facts import COMPUTED, Event, Part
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
from shared.events.types import (
    ActionItemId,
    Addressee,
    Amount,
    BodyCode,
    BudgetLineCode,
    CivilDay,
    CommitmentCode,
    Computed,
    Currency,
    DecisionNumber,
    FactDay,
    Figure,
    Filled,
    IndicatorCode,
    Instant,
    Items,
    Line,
    MeetingId,
    Minutes,
    Number,
    OrganizationCode,
    OtherBodyCode,
    OwnCode,
    PersonId,
    PillarCode,
    Prose,
    PublicationDay,
    Reason,
    Seal,
    ValueText,
    Whole,
    WithReferral,
    Word,
    Year,
)
from shared.events.vocabulary import (
    CommitmentKind,
    DeadlineKind,
    DiscardReason,
    RelativeTo,
    ResultType,
    Visibility,
)

# --- bodies --------------------------------------------------------------------------------------------------------


class Seat(Part, frozen=True, kw_only=True):
    """Somebody a body counts on, at its meetings or among those its minutes go to: an organisation, an office, or both.

    A seat with a `condition` ("where a bill is on the agenda") is missed only when it was noted as absent.
    """

    organization: OrganizationCode | None = None
    position: Line | None = None
    condition: Annotated[
        Line | None, Field(description="When it is asked for at all; only its noted absence then counts.")
    ] = None
    aliases: Annotated[
        Items[Line],
        Field(
            description="Other names of the position (Ministro, Ministra, Ministro (S)); capitals and blanks make no "
            "difference."
        ),
    ] = ()


class ExpectedMeetings(Part, frozen=True, kw_only=True):
    """How many meetings a protocol expects in each period."""

    count: Figure
    period: ProtocolPeriod


class Protocol(Part, frozen=True, kw_only=True):
    """What a body holds itself to, with its mandatory attendance; what is absent is not asked of it."""

    in_force_from: Annotated[
        CivilDay | None,
        Field(
            description="The first day of what is described here, whenever that is told; what was asked before that "
            "stays. By default the day on which it is told, and of the first description every earlier day, too."
        ),
    ] = None
    expected_meetings: ExpectedMeetings | None = None
    days_to_minutes: Annotated[
        Figure | None, Field(description="Days from a meeting to the circulation of its minutes.")
    ] = None
    agenda_size: Figure | None = None
    duration_minutes: Figure | None = None
    four_eyes: Annotated[
        bool,
        Field(
            description="Whether whoever wrote the minutes, or told who came, leaves their approval to somebody else."
        ),
    ] = False
    recipients: Annotated[
        Items[Seat],
        Field(
            description="Those the minutes are to be sent to. One with a `condition` (the heads of the divisions "
            "concerned) is told of as missing, and never stands against an approval."
        ),
    ] = ()
    recipients_required: Annotated[
        bool, Field(description="Whether minutes are approved only when they were sent to all of these.")
    ] = False


class BodyRegistered(Event, frozen=True, kw_only=True):
    """A body that holds meetings entered the record.

    `organizations` are those it is for: with a `reserved` body, they and the centre of government know of it.
    """

    TYPE: ClassVar[str] = "meetings.body_registered"

    code: OwnCode
    name: Line
    kind: BodyKind
    decides: bool
    visibility: Visibility
    presiding_organization: OrganizationCode | None = None
    secretariat: OrganizationCode | None = None
    cadence: Cadence | None = None
    mandatory_attendance: Items[Seat] = ()
    organizations: Items[OrganizationCode] = ()
    protocol: Protocol | None = None


class BodyChanged(Event, frozen=True, kw_only=True):
    """A body goes by other rules from now on; the fields give its whole new description."""

    TYPE: ClassVar[str] = "meetings.body_changed"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "name": "Social Development Committee",
        "kind": "committee",
        "presiding_organization": "MINDES",
        "cadence": "monthly",
        "mandatory_attendance": [{"organization": "DIPRES"}],
        "protocol": {"expected_meetings": {"count": 1, "period": "month"}, "days_to_minutes": 7},
    }

    name: Annotated[Line, Field(examples=["Social Development Committee"])]
    kind: BodyKind
    decides: bool
    visibility: Visibility
    presiding_organization: OrganizationCode | None = None
    secretariat: OrganizationCode | None = None
    cadence: Cadence | None = None
    mandatory_attendance: Items[Seat] = ()
    organizations: Annotated[Items[OrganizationCode], Field(description="The ministries it is with.")] = ()
    protocol: Protocol | None = None


class DecisionsNumbered(Event, frozen=True, kw_only=True):
    """A meeting's decisions were given the next numbers of the body's year: `first` to `last`."""

    TYPE: ClassVar[str] = "meetings.decisions_numbered"

    meeting: MeetingId
    year: int
    first: int
    last: int


# --- meetings ------------------------------------------------------------------------------------------------------


class PostponedItem(Part, frozen=True, kw_only=True):
    """An item of sealed minutes that ended *postponed*: `item` is its place in them, counted from 1."""

    meeting: MeetingId
    item: Number


class AgendaItem(Part, frozen=True, kw_only=True):
    """One issue to be dealt with; `number` counts from 1 and stays with it until the agenda is revised.

    `minutes` is the time set aside for it. `decisions`, `action_items` and what was `postponed` are earlier ones that
    it takes up again.
    `label` is its number in the source it was imported from, `reference` where it stands there.
    """

    number: Number = COMPUTED
    title: Annotated[Line, Field(examples=["Victimisation: further plans"])]
    sponsor: Annotated[OrganizationCode | None, Field(description="The organisation that brings it.")] = None
    commitments: Items[CommitmentCode] = ()
    minutes: Annotated[Minutes | None, Field(description="The time set aside for it.")] = None
    decisions: Annotated[
        Items[DecisionNumber], Field(description="Earlier decisions it takes up again.")
    ] = ()
    action_items: Annotated[
        Items[ActionItemId], Field(description="Earlier action items it takes up again.")
    ] = ()
    postponed: Annotated[
        PostponedItem | None,
        Field(description="The postponed item of earlier minutes that it takes up again."),
    ] = None
    label: Annotated[Word | None, Computed()] = None
    reference: Annotated[Word | None, Computed()] = None


class MeetingConvened(Event, frozen=True, kw_only=True):
    """A meeting of a body was called; who it concerns (`organizations`) is settled now."""

    TYPE: ClassVar[str] = "meetings.meeting_convened"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "body": "SOCIAL",
        "scheduled_at": "2012-11-07T13:00:00Z",
        "ends_at": "2012-11-07T15:00:00Z",
        "place": "La Moneda",
        "agenda": [{"title": "Victimisation: further plans", "sponsor": "MININT", "minutes": 45}],
    }

    body: Annotated[BodyCode, Field(examples=["SOCIAL"])]
    scheduled_at: Instant
    visibility: Visibility = COMPUTED
    ends_at: Instant | None = None
    place: Annotated[Line | None, Field(examples=["La Moneda"])] = None
    title: Line | None = None
    agenda: Items[AgendaItem] = ()
    organizations: Annotated[tuple[OrganizationCode, ...], Computed()] = ()
    reference: Annotated[Word | None, Computed()] = None


class AgendaAgreed(Event, frozen=True, kw_only=True):
    """The agenda was settled with those named, as it stands here."""

    TYPE: ClassVar[str] = "meetings.agenda_agreed"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "agenda": [
            {"title": "Victimisation: further plans", "sponsor": "MININT", "minutes": 45},
            {"title": "Prisons", "minutes": 30},
        ],
        "agreed_with": ["MINDES"],
    }

    agenda: Items[AgendaItem]
    agreed_with: Items[OrganizationCode]
    reason: Prose | None = None


class AgendaRevised(Event, frozen=True, kw_only=True):
    """The agenda was rewritten and is yet to be agreed, again if it was before."""

    TYPE: ClassVar[str] = "meetings.agenda_revised"

    agenda: Items[AgendaItem]
    reason: Prose | None = None


class Appointment(Part, frozen=True, kw_only=True):
    """When and where a meeting was to be."""

    scheduled_at: Instant
    ends_at: Instant | None = None
    place: Line | None = None


class MeetingRescheduled(Event, frozen=True, kw_only=True):
    """The meeting was moved to another time or place."""

    TYPE: ClassVar[str] = "meetings.meeting_rescheduled"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "scheduled_at": "2012-11-14T13:00:00Z",
        "ends_at": "2012-11-14T15:00:00Z",
        "reason": "The minister was abroad.",
    }

    scheduled_at: Instant
    previous: Appointment = COMPUTED
    reason: Reason
    ends_at: Instant | None = None
    place: Line | None = None


class MeetingCancelled(Event, frozen=True, kw_only=True):
    """The meeting was called off."""

    TYPE: ClassVar[str] = "meetings.meeting_cancelled"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"reason": "There was nothing to decide."}

    reason: Reason


class Attendee(Part, frozen=True, kw_only=True):
    """One line of the attendance list; `agenda_items` are the issues somebody was invited for."""

    organization: OrganizationCode
    position: Annotated[Line, Field(examples=["Minister"])]
    presence: Presence
    rights: Rights = Rights.FULL
    subject: PersonId | None = None
    represented_by: Annotated[Line | None, Field(description="The office of whoever stood in.")] = None
    agenda_items: Annotated[Items[Number], Field(description="The issues somebody was invited for.")] = ()


class MeetingHeld(Event, frozen=True, kw_only=True):
    """The meeting took place; `mandatory_absences` are the body's seats that nobody took.

    An `attendance` without a line, as from an import, means that nobody told who came: no absence follows from it.
    """

    TYPE: ClassVar[str] = "meetings.meeting_held"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "held_at": "2012-11-14T13:00:00Z",
        "ended_at": "2012-11-14T15:00:00Z",
        "attendance": [
            {"organization": "MINDES", "position": "Minister", "presence": "present"},
            {"organization": "DIPRES", "position": "Budget coordinator", "presence": "present"},
        ],
    }

    held_at: Instant
    attendance: Items[Attendee]
    ended_at: Instant | None = None
    mandatory_absences: Annotated[tuple[Seat, ...], Computed()] = ()


class AttendanceCorrected(Event, frozen=True, kw_only=True):
    """What was noted of when the meeting was held and who came was wrong; the fields give the whole of it anew."""

    TYPE: ClassVar[str] = "meetings.attendance_corrected"

    held_at: Instant
    attendance: Items[Attendee]
    reason: Prose
    ended_at: Instant | None = None
    mandatory_absences: Annotated[tuple[Seat, ...], Computed()] = ()


# --- minutes -------------------------------------------------------------------------------------------------------


class AgreedCommitment(Part, frozen=True, kw_only=True):
    """A commitment that a decision calls into being."""

    code: Annotated[CommitmentCode, Field(examples=["SEG-031"])]
    title: Line
    lead_organization: OrganizationCode
    kind: CommitmentKind = CommitmentKind.COMMITMENT
    pillar: PillarCode | None = None
    parent: CommitmentCode | None = None
    result_type: ResultType | None = None
    collaborating_organizations: Items[OrganizationCode] = ()
    responsible_service: OrganizationCode | None = None
    instrument: Prose | None = None
    region: Word | None = None
    goal: Prose | None = None
    description: Prose | None = None
    public_deadline_on: CivilDay | None = None
    internal_deadline_on: CivilDay | None = None


class AgreedDeadline(Part, frozen=True, kw_only=True):
    """The new day of a deadline of the commitments concerned."""

    deadline: DeadlineKind
    on: CivilDay
    internal_on: Annotated[
        CivilDay | None, Field(description="With the public deadline: the internal one moves to this day.")
    ] = None


class AgreedTarget(Part, frozen=True, kw_only=True):
    """The new target of an indicator; `value` is decimal text, in its unit or in percent of its baseline."""

    indicator: IndicatorCode
    value: ValueText
    on: CivilDay
    relative_to: Annotated[
        RelativeTo, Field(description="`baseline`: the value is a change in percent of it, such as -15.")
    ] = RelativeTo.ABSOLUTE


class AgreedDiscard(Part, frozen=True, kw_only=True):
    """Why the commitments concerned are given up."""

    reason_type: DiscardReason
    reason: Reason


class AgreedMerger(Part, frozen=True, kw_only=True):
    """The commitment in which the ones concerned go on."""

    into: CommitmentCode


class AgreedPart(Part, frozen=True, kw_only=True):
    """One part of the commitment concerned; what it leaves out is as it is with that one."""

    code: Annotated[CommitmentCode, Field(examples=["SEG-014-A"])]
    title: Line
    lead_organization: OrganizationCode | None = None
    responsible_service: OrganizationCode | None = None
    goal: Prose | None = None
    description: Prose | None = None
    public_deadline_on: CivilDay | None = None
    internal_deadline_on: CivilDay | None = None


class AgreedSplit(Part, frozen=True, kw_only=True):
    """The parts in which the one commitment concerned goes on: two or more."""

    parts: Items[AgreedPart]


class AgreedReassignment(Part, frozen=True, kw_only=True):
    """The organisation that leads the commitments concerned from now on."""

    lead_organization: OrganizationCode


class AgreedReopening(Part, frozen=True, kw_only=True):
    """Why the commitments concerned are open again."""

    reason: Reason


class AgreedCompletion(Part, frozen=True, kw_only=True):
    """The evidence on which the commitments concerned are kept, and since when: by default the day of the decision."""

    evidence: Items[Evidence]
    completed_on: CivilDay | None = None
    remarks: Prose | None = None


class AgreedPublication(Part, frozen=True, kw_only=True):
    """Who may know of the commitments concerned from now on."""

    visibility: Visibility


class Referral(Part, frozen=True, kw_only=True):
    """To whom a matter is referred or escalated: a body, an organisation, an office.

    It stands among the proposals of a `body` until an agenda of that body takes it up and ends it.
    """

    to: Addressee
    body: Annotated[
        OtherBodyCode | None,
        Field(
            description="The body on whose next agenda it is to stand; that of the code in `to`, if it is one."
        ),
    ] = None
    remarks: Annotated[Prose | None, WithReferral()] = None


class Effect(Part, frozen=True, kw_only=True):
    """What a decision does, by its kind: exactly the member that the kind asks for is there."""

    commitment: Annotated[AgreedCommitment | None, Field(description="For `agree_commitment`.")] = None
    deadline: Annotated[AgreedDeadline | None, Field(description="For `revise_deadline`.")] = None
    target: Annotated[AgreedTarget | None, Field(description="For `revise_target`.")] = None
    discard: Annotated[AgreedDiscard | None, Field(description="For `discard`.")] = None
    merger: Annotated[AgreedMerger | None, Field(description="For `merge`.")] = None
    split: Annotated[AgreedSplit | None, Field(description="For `split`.")] = None
    reassignment: Annotated[AgreedReassignment | None, Field(description="For `reassign`.")] = None
    reopening: Annotated[AgreedReopening | None, Field(description="For `reopen`.")] = None
    completion: Annotated[AgreedCompletion | None, Field(description="For `complete`.")] = None
    publication: Annotated[AgreedPublication | None, Field(description="For `publish`.")] = None
    referral: Annotated[Referral | None, Field(description="For `refer` and `escalate`, if known.")] = None

    def commitments(self) -> set[str]:
        """The codes of the commitments that it names, beside those that the decision concerns."""
        named = [] if self.split is None else [part.code for part in self.split.parts]
        if self.commitment is not None:
            named += [self.commitment.code, *filter(None, [self.commitment.parent])]
        if self.merger is not None:
            named.append(self.merger.into)
        return set(named)


EFFECT_OF: Final[Mapping[DecisionKind, str]] = {
    DecisionKind.AGREE_COMMITMENT: "commitment",
    DecisionKind.REVISE_DEADLINE: "deadline",
    DecisionKind.REVISE_TARGET: "target",
    DecisionKind.DISCARD: "discard",
    DecisionKind.MERGE: "merger",
    DecisionKind.SPLIT: "split",
    DecisionKind.REASSIGN: "reassignment",
    DecisionKind.REOPEN: "reopening",
    DecisionKind.COMPLETE: "completion",
    DecisionKind.PUBLISH: "publication",
    DecisionKind.ESCALATE: "referral",
    DecisionKind.REFER: "referral",
}
"""The member of its effect by which a decision of a kind says what it does; a referral may go without."""


class BudgetImpact(Part, frozen=True, kw_only=True):
    """What a decision costs, in which fiscal year, and whether that money is moved or added."""

    amount: Amount
    currency: Currency
    fiscal_year: Year
    financing: Financing
    reallocated_from: Annotated[
        Items[BudgetLineCode], Field(description="With a `reallocation`, the lines it is taken from.")
    ] = ()


class DraftDecision(Part, frozen=True, kw_only=True):
    """A decision as the minutes word it, not yet numbered."""

    text: Reason
    kind: DecisionKind
    commitments: Items[CommitmentCode] = ()
    effect: Annotated[Effect | None, Whole()] = None
    budget_impact: BudgetImpact | None = None
    organizations: Annotated[
        Items[OrganizationCode],
        Field(description="Those it concerns; without any, those the meeting is with."),
    ] = ()


class DraftActionItem(Part, frozen=True, kw_only=True):
    """A task as the minutes word it; `decision` counts the decisions of the same item from 1."""

    text: Reason
    owner_organization: OrganizationCode
    due_on: CivilDay
    owner_subject: PersonId | None = None
    decision: Annotated[
        Number | None, Field(description="The decision it serves, counted from 1 within the same item.")
    ] = None
    commitment: CommitmentCode | None = None


class MinutesItem(Part, frozen=True, kw_only=True):
    """What was said and settled on one item of the agenda, or, with a `title`, on something that was not on it.

    `outcome_verbatim` is the outcome in the words of the source it was imported from.
    """

    agenda_item: Number | None = None
    title: Annotated[Line | None, Field(description="For an item that was not on the agenda.")] = None
    summary: Prose | None = None
    outcome: ItemOutcome | None = None
    outcome_verbatim: Annotated[Prose | None, Field(description="In the words of the source.")] = None
    decisions: Items[DraftDecision] = ()
    action_items: Items[DraftActionItem] = ()


class MinutesDrafted(Event, frozen=True, kw_only=True):
    """The minutes were written, or rewritten as the next `draft`."""

    TYPE: ClassVar[str] = "meetings.minutes_drafted"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "items": [
            {
                "agenda_item": 1,
                "summary": "The figures of the survey were gone through.",
                "decisions": [
                    {
                        "text": "The plan for the regions goes to the President.",
                        "kind": "refer",
                        "effect": {"referral": {"to": "The President"}},
                        "budget_impact": {
                            "amount": "1250000000",
                            "currency": "CLP",
                            "fiscal_year": 2014,
                            "financing": "increase",
                        },
                    }
                ],
                "action_items": [
                    {
                        "text": "Send the figures by region.",
                        "owner_organization": "MININT",
                        "due_on": "2012-12-14",
                    }
                ],
            }
        ]
    }

    draft: Number = COMPUTED
    items: Filled[MinutesItem]


class Recipient(Part, frozen=True, kw_only=True):
    """Somebody the minutes are sent to."""

    organization: Annotated[OrganizationCode, Field(examples=["DIPRES"])]
    position: Line | None = None
    subject: PersonId | None = None


class MinutesCirculated(Event, frozen=True, kw_only=True):
    """A draft was sent to those named, for them to say whether this is what was agreed.

    Without `effective_on` it was sent on the civil day on which this was recorded.
    """

    TYPE: ClassVar[str] = "meetings.minutes_circulated"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "recipients": [{"organization": "DIPRES", "position": "Budget coordinator"}],
        "effective_on": "2012-11-16",
    }

    draft: Number = COMPUTED
    recipients: Filled[Recipient]
    effective_on: Annotated[
        CivilDay | None,
        Field(description="The day it was sent, from that of the meeting to today; by default today."),
    ] = None


class ObservationRaised(Event, frozen=True, kw_only=True):
    """A recipient objects to something in a draft, or asks for something. `number` counts from 1."""

    TYPE: ClassVar[str] = "meetings.observation_raised"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"text": "The figure is that of 2011.", "agenda_item": 1}

    number: Number = COMPUTED
    draft: Number = COMPUTED
    text: Reason
    agenda_item: Number | None = None


class ObservationAnswered(Event, frozen=True, kw_only=True):
    """The secretariat answered an observation; one that was accepted shows in the next draft."""

    TYPE: ClassVar[str] = "meetings.observation_answered"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "accepted": False,
        "answer": "It is that of 2012, as the table says.",
    }

    number: Number = COMPUTED
    accepted: bool
    answer: Reason


class Ending(Part, frozen=True, kw_only=True):
    """How an item of sealed minutes ended that took up something earlier, or was postponed.

    `item` is its place in the minutes, counted from 1; `decisions` and `postponed` are what its agenda took up;
    `times_postponed` counts this time, too.
    """

    item: Number
    title: Line
    outcome: ItemOutcome | None = None
    decisions: tuple[DecisionNumber, ...] = ()
    postponed: PostponedItem | None = None
    times_postponed: int = 0


class MinutesApproved(Event, frozen=True, kw_only=True):
    """The minutes were approved and sealed; `decisions` and `action_items` came into being with them.

    `digest` is the SHA-256, in hexadecimal, of the JSON object with the members that `covers` names, at every depth
    with names sorted and without spaces, in UTF-8: `meeting` is the id of the meeting, `agenda` the agenda as it was
    last set, `held` the data of the event that last told of the attendance, `minutes` that of the approved
    `minutes_drafted`. `recipients_missing` are those of the protocol that this text was not sent to; `endings`
    say what became of the earlier matters that the agenda took up, and what was postponed.
    """

    TYPE: ClassVar[str] = "meetings.minutes_approved"
    LASTING: ClassVar[str] = "Approved minutes are sealed: add an erratum beside them."

    draft: int
    digest: Annotated[Word, Seal()]
    decisions: tuple[DecisionNumber, ...] = ()
    action_items: tuple[ActionItemId, ...] = ()
    covers: tuple[Word, ...] = ("held", "minutes")
    recipients_missing: tuple[Seat, ...] = ()
    endings: tuple[Ending, ...] = ()


class ErratumAdded(Event, frozen=True, kw_only=True):
    """A mistake in sealed minutes was put right beside the text, which stands as it was. `number` counts from 1."""

    TYPE: ClassVar[str] = "meetings.erratum_added"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "reads": "figures of the survey",
        "should_read": "figures of the survey of 2011",
        "reason": "The year was left out.",
        "agenda_item": 1,
    }
    LASTING: ClassVar[str] = "An erratum stands beside sealed minutes: add another that says what is right."

    number: Number = COMPUTED
    reads: Reason
    should_read: Reason
    reason: Reason
    agenda_item: Number | None = None
    decision: Annotated[DecisionNumber | None, Field(description="The decision the mistake is in.")] = None


class MeetingPublished(Event, frozen=True, kw_only=True):
    """The circle of those who may know of the meeting and its minutes was changed."""

    TYPE: ClassVar[str] = "meetings.meeting_published"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "visibility": "public",
        "reason": "The minutes are asked for by the Chamber.",
    }
    LASTING: ClassVar[str] = (
        "A publication was read by others and cannot be unread: change the visibility again."
    )

    visibility: Visibility
    previous: Visibility = COMPUTED
    reason: Reason
    effective_on: PublicationDay = None


# --- decisions -----------------------------------------------------------------------------------------------------


class DecisionAgreed(Event, frozen=True, kw_only=True):
    """A decision stands: the minutes that hold it were approved.

    `circle` are the organisations that know of it while it is reserved; `organizations` those it concerns.
    """

    TYPE: ClassVar[str] = "meetings.decision_agreed"

    number: OwnCode
    body: BodyCode
    meeting: MeetingId
    agreed_on: CivilDay
    text: Reason
    kind: DecisionKind
    visibility: Visibility
    position_in_item: int
    agenda_item: int | None = None
    commitments: tuple[CommitmentCode, ...] = ()
    effect: Annotated[Effect | None, Whole()] = None
    budget_impact: BudgetImpact | None = None
    organizations: tuple[OrganizationCode, ...] = ()
    circle: tuple[OrganizationCode, ...] = ()


class DecisionAcknowledged(Event, frozen=True, kw_only=True):
    """The budget office said whether this is what was agreed.

    Without `effective_on` it said so on the civil day on which this was recorded.
    """

    TYPE: ClassVar[str] = "meetings.decision_acknowledged"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "outcome": "agreed",
        "remarks": "As it was said.",
        "effective_on": "2012-11-21",
    }

    outcome: Acknowledgement
    remarks: Prose | None = None
    effective_on: Annotated[
        CivilDay | None,
        Field(
            description="The day the budget office said so, from that of the decision to today; by default today."
        ),
    ] = None


class BudgetLineTied(Event, frozen=True, kw_only=True):
    """The budget line was named in which a decision ended; the same line again replaces what was said of it.

    Without `effective_on` it was tied on the civil day on which this was recorded.
    """

    TYPE: ClassVar[str] = "meetings.budget_line_tied"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "fiscal_year": 2014,
        "code": "05-01-01-24-03-021",
        "amount": "1250000000",
        "currency": "CLP",
        "request": "first",
        "effective_on": "2013-06-28",
    }

    fiscal_year: Year
    code: BudgetLineCode
    amount: Amount
    currency: Currency
    request: BudgetRequest
    reason: Prose | None = None
    reallocated_from: Annotated[
        Items[BudgetLineCode],
        Field(description="The lines it was taken from, where the minutes did not say."),
    ] = ()
    effective_on: Annotated[
        CivilDay | None,
        Field(description="The day it was tied, from that of the decision to today; by default today."),
    ] = None


class DecisionAmended(Event, frozen=True, kw_only=True):
    """An erratum of the minutes concerns the decision; its text stands as it was, with the erratum beside it."""

    TYPE: ClassVar[str] = "meetings.decision_amended"
    LASTING: ClassVar[str] = "An erratum stands beside sealed minutes: add another that says what is right."

    erratum: int
    reads: Reason
    should_read: Reason
    reason: Reason


class DecisionPublished(Event, frozen=True, kw_only=True):
    """The circle of those who may know of the decision was changed, alone or with its meeting."""

    TYPE: ClassVar[str] = "meetings.decision_published"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {"visibility": "public", "reason": "It was told to the press."}
    LASTING: ClassVar[str] = (
        "A publication was read by others and cannot be unread: change the visibility again."
    )

    visibility: Visibility
    previous: Visibility = COMPUTED
    reason: Reason
    effective_on: PublicationDay = None


# --- action items --------------------------------------------------------------------------------------------------


class ActionItemAssigned(Event, frozen=True, kw_only=True):
    """Somebody owes something by a day. `number` counts the action items of the meeting from 1.

    While it is reserved, its owner and the organisations of the `circle` know of it.
    """

    TYPE: ClassVar[str] = "meetings.action_item_assigned"

    number: int
    text: Reason
    owner_organization: OrganizationCode
    assigned_on: CivilDay
    due_on: CivilDay
    body: BodyCode
    meeting: MeetingId
    visibility: Visibility
    owner_subject: PersonId | None = None
    agenda_item: int | None = None
    decision: DecisionNumber | None = None
    commitment: CommitmentCode | None = None
    circle: tuple[OrganizationCode, ...] = ()


class ActionItemProgressed(Event, frozen=True, kw_only=True):
    """The owner told how far it is."""

    TYPE: ClassVar[str] = "meetings.action_item_progressed"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "text": "Eight of fifteen regions sent theirs.",
        "effective_on": "2012-12-03",
    }

    text: Reason
    effective_on: FactDay


class ActionItemCompleted(Event, frozen=True, kw_only=True):
    """It was done, on the evidence given."""

    TYPE: ClassVar[str] = "meetings.action_item_completed"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "completed_on": "2012-12-12",
        "evidence": [{"description": "Table by region", "dated_on": "2012-12-12"}],
    }

    completed_on: FactDay
    evidence: Filled[Evidence]
    remarks: Prose | None = None


class ActionItemExtended(Event, frozen=True, kw_only=True):
    """The owner was given until another day."""

    TYPE: ClassVar[str] = "meetings.action_item_extended"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "due_on": "2013-01-15",
        "reason": "Three regions are late.",
        "effective_on": "2012-12-10",
    }

    due_on: CivilDay
    previous: CivilDay = COMPUTED
    effective_on: FactDay
    reason: Reason


class ActionItemReassigned(Event, frozen=True, kw_only=True):
    """Another organisation, or another person in it, took it over."""

    TYPE: ClassVar[str] = "meetings.action_item_reassigned"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "owner_organization": "MOP",
        "reason": "The works are theirs.",
        "effective_on": "2012-12-11",
    }

    owner_organization: OrganizationCode
    previous: OrganizationCode = COMPUTED
    effective_on: FactDay
    reason: Reason
    owner_subject: PersonId | None = None


class ActionItemCancelled(Event, frozen=True, kw_only=True):
    """It is no longer owed."""

    TYPE: ClassVar[str] = "meetings.action_item_cancelled"
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "reason": "The figures were published meanwhile.",
        "effective_on": "2012-12-11",
    }

    effective_on: FactDay
    reason: Reason


class ActionItemPublished(Event, frozen=True, kw_only=True):
    """The circle of those who may know of the action item was changed, with its meeting."""

    TYPE: ClassVar[str] = "meetings.action_item_published"
    LASTING: ClassVar[str] = (
        "A publication was read by others and cannot be unread: change the visibility again."
    )

    visibility: Visibility
    previous: Visibility = COMPUTED
    reason: Reason
    effective_on: PublicationDay = None


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
