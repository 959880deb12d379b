"""What the service answers, as its document describes it; `rendering.py` makes the bytes."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from services.meetings.api.answer_parts import (
    AcknowledgementAnswer,
    ActorAnswer,
    AgendaItemAnswer,
    AmendmentAnswer,
    Answer,
    BudgetImpactAnswer,
    BudgetLineAnswer,
    CirculationAnswer,
    EffectAnswer,
    ErratumAnswer,
    HeldAnswer,
    MinutesItemAnswer,
    ObservationShown,
    ProtocolAnswer,
    PublicationAnswer,
    ReasonAnswer,
    ReschedulingAnswer,
    SeatAnswer,
)
from shared.events.meeting_vocabulary import (
    Acknowledgement,
    BodyKind,
    Cadence,
    DecisionKind,
    MeetingState,
)
from shared.events.vocabulary import Visibility
from shared.http.schemas import CivilDay, Instant, Page
from shared.rules.action_item_state import ActionItemState


class Written(Answer):
    """A fact was recorded: the version it brought the thing to, and its position in the log."""

    id: UUID
    version: int = Field(examples=[7])
    position: int = Field(examples=[1204])


class BodyWritten(Written):
    """A body was described."""

    code: str = Field(examples=["SOCIAL"])


class DecisionWritten(Written):
    """A fact about a decision was recorded."""

    number: str = Field(examples=["SOCIAL-2012-014"])


class NumberedWritten(Written):
    """A draft, observation or erratum was recorded, under this number."""

    number: int = Field(examples=[1])


class Approved(Written):
    """The minutes were sealed, and with them their decisions and action items came into being."""

    digest: str
    decisions: list[str] = Field(examples=[["SOCIAL-2012-014"]])
    action_items: list[UUID]


class BodyAnswer(Answer):
    """A body that holds meetings."""

    id: UUID
    code: str = Field(examples=["SOCIAL"])
    name: str
    kind: BodyKind
    decides: bool
    visibility: Visibility
    presiding_organization: str | None
    secretariat: str | None
    cadence: Cadence | None
    mandatory_attendance: list[SeatAnswer]
    organizations: list[str]
    protocol: ProtocolAnswer | None
    version: int
    position: int


class BodyPage(Page[BodyAnswer]):
    """Bodies by code; `total` only when asked for."""

    total: int | None = None


class ProposalAnswer(Answer):
    """Something left open: an action item that is still owed, or a decision not yet acknowledged."""

    kind: Literal["action_item", "decision"]
    action_item: UUID | None
    decision: str | None
    text: str
    agreed_on: CivilDay
    owner_organization: str | None
    due_on: CivilDay | None
    state: ActionItemState | None
    acknowledgement: Acknowledgement | None


class ListedMeetingAnswer(Answer):
    """A meeting as lists show it."""

    id: UUID
    body: str
    title: str | None
    state: MeetingState
    scheduled_at: Instant
    ends_at: Instant | None
    place: str | None
    held_at: Instant | None
    agenda_size: int
    visibility: Visibility
    version: int
    position: int


class MinutesAnswer(Answer):
    """The minutes as last written, or as sealed, with the errata beside them."""

    draft: int
    sealed: bool
    digest: str | None
    items: list[MinutesItemAnswer]
    errata: list[ErratumAnswer]
    drafted_by: ActorAnswer
    approved_by: ActorAnswer | None
    approved_position: int | None


class MeetingAnswer(Answer):
    """A meeting; `minutes` are null until they are sealed, except for those who may read drafts."""

    id: UUID
    body: str
    title: str | None
    state: MeetingState
    scheduled_at: Instant
    ends_at: Instant | None
    place: str | None
    agenda: list[AgendaItemAnswer]
    agreed_with: list[str]
    organizations: list[str]
    visibility: Visibility
    reference: str | None
    reschedulings: list[ReschedulingAnswer]
    cancellation: ReasonAnswer | None
    held: HeldAnswer | None
    minutes: MinutesAnswer | None
    circulations: list[CirculationAnswer]
    observations: list[ObservationShown]
    publications: list[PublicationAnswer]
    proposals: list[ProposalAnswer] | None = Field(
        description="For a meeting still to be held: what its body left open."
    )
    convened_by: ActorAnswer
    updated_at: Instant
    version: int
    position: int


class DecisionAnswer(Answer):
    """A decision: its text as sealed, what the budget office says of it, and the line it ended in.

    What it says of its meeting is for those who may know of that; what it names, for those who may know of it.
    """

    id: UUID
    number: str = Field(examples=["SOCIAL-2012-014"])
    body: str
    meeting: UUID | None
    agreed_on: CivilDay
    text: str
    kind: DecisionKind
    visibility: Visibility
    position_in_item: int | None
    agenda_item: int | None
    commitments: list[str]
    effect: EffectAnswer | None
    budget_impact: BudgetImpactAnswer | None
    organizations: list[str]
    acknowledgement: AcknowledgementAnswer | None
    acknowledgements: list[AcknowledgementAnswer]
    amendments: list[AmendmentAnswer]
    amended_since_acknowledged: bool
    budget_lines: list[BudgetLineAnswer]
    publications: list[PublicationAnswer]
    updated_at: Instant
    version: int
    position: int


class HistoryItem(Answer):
    """One event; `data` is what it says, as the log holds it, or null where that is kept from the reader."""

    version: int
    position: int
    type: str = Field(examples=["meetings.meeting_convened"])
    recorded_at: Instant
    effective_on: CivilDay | None
    recorded_by: ActorAnswer
    correlation_id: str | None = Field(
        description="The request; null where it would lead to something hidden."
    )
    causation_id: int | None
    decision: str | None
    data: dict[str, Any] | None
