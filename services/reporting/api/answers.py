"""What the answers of this service look like, for the document; the answers themselves are made from bytes."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.http.schemas import CivilDay, Instant


class AnswerHeading(BaseModel):
    """What an answer says of itself."""

    position: int = Field(description="How much of the log is taken into account.", examples=[1204])
    known_at: Instant | None = Field(description="When the log reached that position; null for an empty log.")
    scope: str = Field(description="Whose eyes it is for: `public`, `government` or `everything`.")


class Heading(AnswerHeading):
    """What an answer says of itself in which commitments have states."""

    status_rule: str = Field(
        description="The version of the rule the states follow.", examples=["traffic_light_1"]
    )


class TotalsAnswer(BaseModel):
    """Counts of everything the filters admit and the asker may see."""

    registered: int = Field(description="The sum of the six states and of the merged ones.")
    by_status: dict[str, int]
    merged: int


class BecauseAnswer(BaseModel):
    """What a state follows from."""

    position: int
    fact: str


class BoardItem(BaseModel):
    """A commitment; or, with `group_by`, a group: its keys and `count`, besides `by_status` and `merged`."""

    model_config = ConfigDict(extra="allow")

    id: UUID | None = None
    code: str | None = None
    title: str | None = None
    kind: str | None = None
    status: str | None = Field(default=None, description="Null for a commitment merged into another.")
    status_because: BecauseAnswer | None = None
    judgement: str | None = None
    public_deadline_on: CivilDay | None = None
    internal_deadline_on: CivilDay | None = None
    lead_organization: str | None = None
    lead_organization_name: str | None = None
    pillar: str | None = None
    pillar_name: str | None = None
    region: str | None = None
    origin: str | None = None
    result_type: str | None = None
    visibility: str | None = None
    parent: str | None = None
    merged_into: str | None = None
    count: int | None = None


class BoardAnswer(Heading):
    """The board on a day."""

    on: CivilDay
    totals: TotalsAnswer
    group_by: list[str] | None = None
    total: int | None = None
    items: list[BoardItem]
    next: str | None


class ChangeItem(BaseModel):
    """A commitment in another state than before."""

    id: UUID
    code: str
    title: str
    registered_before: bool
    status_before: str | None
    status_after: str | None
    status_because: BecauseAnswer


class ChangesAnswer(Heading):
    """What is different between two days."""

    from_: CivilDay = Field(alias="from")
    to: CivilDay
    items: list[ChangeItem]
    next: str | None


class SaidAnswer(BaseModel):
    """The event a state follows from; `subject` only for those inside government."""

    position: int
    type: str
    recorded_at: Instant
    organization: str
    role: str
    subject: str | None = None
    effective_on: CivilDay | None = None
    reason: str | None = None
    decision: str | None = Field(
        default=None, description="Only where the asker may know of the decision behind it."
    )


class SpanItem(BaseModel):
    """A run of days in one state, from `from_on` until the eve of `until_on`, or until further notice."""

    from_on: CivilDay
    until_on: CivilDay | None
    status: str | None
    judgement: str | None
    lead_organization: str
    lead_organization_name: str | None
    public_deadline_on: CivilDay | None
    internal_deadline_on: CivilDay | None
    merged_into: str | None
    passed_deadline_on: CivilDay | None = Field(description="The deadline that had just passed, by itself.")
    because: SaidAnswer


class TimelineAnswer(Heading):
    """The life of a commitment in runs of days."""

    on: CivilDay
    id: UUID
    code: str
    title: str
    registered: bool = Field(description="Whether it existed on that day.")
    status: str | None
    items: list[SpanItem]
    next: str | None
