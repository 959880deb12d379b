"""What the service answers about action items, as its document describes it; `rendering.py` makes the bytes."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from services.meetings.api.answer_parts import Answer, Said
from shared.events.vocabulary import Visibility
from shared.http.schemas import CivilDay, Instant
from shared.rules.action_item_state import ActionItemState


class EvidenceAnswer(Answer):
    """What a statement rests on."""

    description: str
    url: str | None
    dated_on: CivilDay | None


class ProgressAnswer(Said):
    """How far it was on a day."""

    text: str
    effective_on: CivilDay


class ExtensionAnswer(Said):
    """More time was given."""

    due_on: CivilDay
    previous: CivilDay
    effective_on: CivilDay
    reason: str


class ReassignmentAnswer(Said):
    """Another owner took it over."""

    owner_organization: str
    owner_subject: str | None
    previous: str
    effective_on: CivilDay
    reason: str


class EndingAnswer(Said):
    """How it stopped being owed."""

    kind: str = Field(examples=["completed", "cancelled"])
    completed_on: CivilDay | None = None
    evidence: list[EvidenceAnswer] = Field(default_factory=list)
    remarks: str | None = None
    effective_on: CivilDay | None = None
    reason: str | None = None


class ActionItemAnswer(Answer):
    """An action item and its state today; what it says of its meeting only for those who may know of that."""

    id: UUID
    number: int | None
    text: str
    owner_organization: str
    owner_subject: str | None
    assigned_on: CivilDay
    due_on: CivilDay
    first_due_on: CivilDay
    state: ActionItemState | None
    state_rule: str
    state_because: int | None
    body: str | None
    meeting: UUID | None
    visibility: Visibility
    agenda_item: int | None
    decision: str | None
    commitment: str | None
    progress: list[ProgressAnswer]
    extensions: list[ExtensionAnswer]
    reassignments: list[ReassignmentAnswer]
    ending: EndingAnswer | None
    updated_at: Instant
    version: int
    position: int
