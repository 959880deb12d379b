"""What the answers about meetings look like, for the document; the answers themselves are made from bytes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from services.reporting.api.answers import AnswerHeading
from services.reporting.queries.gaps import Gap
from shared.events.meeting_vocabulary import (
    Acknowledgement,
    BodyKind,
    BudgetRequest,
    DecisionKind,
    Financing,
)
from shared.events.vocabulary import Visibility
from shared.http.schemas import CivilDay, Instant
from shared.rules.action_item_state import CURRENT_ACTION_ITEM_RULE, ActionItemState

_HIDDEN = "Null for somebody who may not know of it."


class ImpactAnswer(BaseModel):
    """What a decision costs, and where that money comes from."""

    amount: str = Field(examples=["1200000000"])
    currency: str = Field(examples=["CLP"])
    fiscal_year: int = Field(examples=[2013])
    financing: Financing


class ToldAnswer(BaseModel):
    """Something said of a decision: the civil day, the instant and the position at which the log learned it."""

    told_on: CivilDay
    recorded_at: Instant
    position: int


class AcknowledgementAnswer(ToldAnswer):
    """What the budget office last said."""

    outcome: Acknowledgement
    remarks: str | None
    organization: str


class BudgetLineAnswer(ToldAnswer):
    """A budget line the decision ended in."""

    fiscal_year: int = Field(examples=[2013])
    code: str
    amount: str = Field(examples=["1200000000"])
    currency: str = Field(examples=["CLP"])
    request: BudgetRequest
    reason: str | None


class ErratumAnswer(ToldAnswer):
    """A mistake in the text, put right beside it."""

    number: int
    reads: str
    should_read: str
    reason: str


class OutcomeAnswer(ToldAnswer):
    """What became of the decision where commitments are kept."""

    state: str = Field(
        description="`carried_out`, `unresolved`, `resolved` or `waived`.", examples=["carried_out"]
    )
    did: list[dict[str, Any]] | None = Field(description=f"The events it led to. {_HIDDEN}")
    difficulty: dict[str, Any] | None = Field(description=f"Which rule stood against it. {_HIDDEN}")
    remarks: str | None


class DecisionItemAnswer(BaseModel):
    """A decision and what stands beside it."""

    number: str = Field(examples=["SEG-2012-014"])
    id: UUID
    position: int = Field(description="Where the log has its agreement: the feed goes by this.")
    agreed_on: CivilDay
    body: str
    body_name: str | None = Field(description=_HIDDEN)
    meeting: UUID | None = Field(description=_HIDDEN)
    agenda_item: int | None
    position_in_item: int | None
    kind: DecisionKind
    text: str = Field(description="As it was sealed; errata stand beside it.")
    commitments: list[str] = Field(description="Those that the asker may know of.")
    organizations: list[str] = Field(description="Those it concerns.")
    effect: dict[str, Any] | None = Field(
        description="What it does, as in the event `meetings.decision_agreed`. Null for somebody who may not know "
        "of all the commitments, indicators and bodies it is about."
    )
    budget_impact: ImpactAnswer | None
    visibility: Visibility
    acknowledgement: AcknowledgementAnswer | None
    budget_lines: list[BudgetLineAnswer]
    errata: list[ErratumAnswer]
    outcome: OutcomeAnswer | None


class DecisionsAnswer(AnswerHeading):
    """A page of the feed."""

    on: CivilDay
    items: list[DecisionItemAnswer]
    next: str | None


class GapAnswer(BaseModel):
    """Something that the record of a decision lacks."""

    gap: Gap
    since_on: CivilDay = Field(description="The first day on which it was a gap.")
    days: int = Field(description="For how many days it is one, that day and the day asked about among them.")
    because: int = Field(description="The position of the event that made it one.")


class DecisionWithGaps(DecisionItemAnswer):
    """A decision with what its record lacks."""

    gaps: list[GapAnswer]


class GapTotalsAnswer(BaseModel):
    """How many decisions have any gap, and how many each; `gap` does not narrow these counts."""

    decisions: int
    by_gap: dict[str, int]


class GapsAnswer(AnswerHeading):
    """A page of the decisions with gaps."""

    on: CivilDay
    days: int
    totals: GapTotalsAnswer
    items: list[DecisionWithGaps]
    next: str | None


class AbsenceAnswer(BaseModel):
    """A seat that nobody took."""

    organization: str | None
    position: str | None
    condition: str | None


class MeetingLineAnswer(BaseModel):
    """A meeting, against the protocol in force on its day; what that does not ask for is null."""

    id: UUID
    title: str | None
    state: str = Field(description="`convened`, `held` or `cancelled`, on the day asked about.")
    on: CivilDay = Field(description="The day it was held, or was to be.")
    scheduled_at: Instant
    held_at: Instant | None
    cancellation: str | None = Field(description="Why it was cancelled.")
    agenda_items: int
    agenda_size: int | None = Field(description="How many the protocol asks for.")
    agenda_exceeded: bool | None
    minutes_circulated_on: CivilDay | None
    days_to_minutes: int | None
    minutes_due_on: CivilDay | None
    minutes_late: bool | None = Field(
        description="Circulated after that day, or not yet and the day is past."
    )
    mandatory_absences: list[AbsenceAnswer] | None = Field(description="Null when nobody told who came.")


class CountsAnswer(BaseModel):
    """Counts of meetings; what follows from a protocol is null for those who may not know of the body."""

    expected: int | None = Field(description="As the protocol in force on each day asked.")
    due: int | None = Field(description="How many of those were due by the day asked about.")
    held: int
    cancelled: int
    ahead: int = Field(description="Convened, and neither held nor cancelled.")
    minutes_late: int | None
    mandatory_absences: int


class PeriodAnswer(BaseModel):
    """One period of one body."""

    period: str = Field(examples=["2012-08"])
    from_on: CivilDay
    to_on: CivilDay
    counts: CountsAnswer
    meetings: list[MeetingLineAnswer]


class BodyLineAnswer(BaseModel):
    """One body; of one that the asker knows by its published meetings only, these and nothing else."""

    body: str = Field(examples=["SEG"])
    name: str | None
    kind: BodyKind | None
    presiding_organization: str | None
    totals: CountsAnswer
    periods: list[PeriodAnswer]


class RegisterAnswer(AnswerHeading):
    """A page of the register."""

    on: CivilDay
    from_: CivilDay = Field(alias="from")
    to: CivilDay
    period: str
    items: list[BodyLineAnswer]
    next: str | None


class ActionItemAnswer(BaseModel):
    """An action item as it stood on a day."""

    id: UUID
    number: int | None = Field(description=f"Among those of its meeting. {_HIDDEN}")
    text: str
    owner_organization: str
    owner_organization_name: str | None
    due_on: CivilDay
    first_due_on: CivilDay = Field(description="When it was due at first: late and extended are two things.")
    state: ActionItemState
    state_because: int = Field(description="The position of the event the state follows from.")
    ended_on: CivilDay | None
    assigned_on: CivilDay
    body: str | None = Field(description=_HIDDEN)
    meeting: UUID | None = Field(description=_HIDDEN)
    agenda_item: int | None = Field(description=_HIDDEN)
    decision: str | None = Field(description=_HIDDEN)
    commitment: str | None = Field(description=_HIDDEN)
    visibility: Visibility


class ActionItemTotals(BaseModel):
    """How many there are of those that the filters admit."""

    action_items: int
    by_state: dict[str, int]


class ActionItemsAnswer(AnswerHeading):
    """A page of action items, by the day they are due."""

    on: CivilDay
    state_rule: str = Field(
        description="The version of the rule the states follow.", examples=[CURRENT_ACTION_ITEM_RULE]
    )
    totals: ActionItemTotals | None = Field(default=None, description="Only with `include=total`.")
    items: list[ActionItemAnswer]
    next: str | None
