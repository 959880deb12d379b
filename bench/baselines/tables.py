"""The tables of the baseline: one row per commitment, updated in place, and one audit row per change."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, ClassVar, NamedTuple
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import ARRAY, BigInteger, DateTime, ForeignKey, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

from shared.events.vocabulary import Judgement
from shared.rules.traffic_light import Status

SANTIAGO = ZoneInfo("America/Santiago")


def now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


def today() -> date:
    """The civil day it is where the government sits."""
    return datetime.now(SANTIAGO).date()


class Base(DeclarativeBase):
    """The tables of one database."""

    type_annotation_map: ClassVar[Any] = {
        str: Text,
        list[str]: ARRAY(Text),
        dict[str, Any]: JSONB,
        list[dict[str, Any]]: JSONB,
        datetime: DateTime(timezone=True),
    }


class OrganizationRow(Base):
    """An organisation of the state."""

    __tablename__ = "organizations"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class PillarRow(Base):
    """A pillar of the government plan."""

    __tablename__ = "pillars"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class Assessment(NamedTuple):
    """The judgement that holds now."""

    effective_on: date
    judgement: str | None
    reason: str | None
    rating: str | None
    scale: str | None


class CommitmentRow(Base):
    """A commitment as it stands now; `version` counts its changes and guards against lost updates."""

    __tablename__ = "commitments"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    code: Mapped[str] = mapped_column(unique=True)
    version: Mapped[int] = mapped_column()
    title: Mapped[str]
    lead_organization: Mapped[str] = mapped_column(ForeignKey("organizations.code"), index=True)
    effective_on: Mapped[date]
    kind: Mapped[str]
    visibility: Mapped[str]
    parent: Mapped[str | None]
    split_from: Mapped[str | None]
    pillar: Mapped[str | None] = mapped_column(ForeignKey("pillars.code"), index=True)
    result_type: Mapped[str | None]
    origin: Mapped[dict[str, Any] | None]
    public_deadline: Mapped[dict[str, Any] | None]
    internal_deadline: Mapped[dict[str, Any] | None]
    no_deadline_reason: Mapped[str | None]
    collaborating_organizations: Mapped[list[str]]
    responsible_service: Mapped[str | None] = mapped_column(ForeignKey("organizations.code"))
    adviser: Mapped[str | None]
    instrument: Mapped[str | None]
    stage: Mapped[str | None]
    priority: Mapped[str | None]
    key_words: Mapped[list[str]]
    region: Mapped[str | None]
    nature: Mapped[str | None]
    scope: Mapped[str | None]
    initiative_type: Mapped[str | None]
    programmatic_alignment: Mapped[str | None]
    goal: Mapped[str | None]
    background: Mapped[str | None]
    general_objective: Mapped[str | None]
    specific_objectives: Mapped[list[str]]
    description: Mapped[str | None]
    legislative_strategy: Mapped[str | None]
    communications_strategy: Mapped[str | None]
    working_team: Mapped[list[dict[str, Any]]]
    documents: Mapped[list[dict[str, Any]]]
    judgement: Mapped[str | None]
    judgement_reason: Mapped[str | None]
    judged_on: Mapped[date | None]
    rating: Mapped[str | None]
    scale: Mapped[str | None]
    completed_on: Mapped[date | None]
    discarded_on: Mapped[date | None]
    merged_on: Mapped[date | None]
    merged_into: Mapped[str | None]
    registered_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version, "version_id_generator": False}

    @property
    def assessment(self) -> Assessment | None:
        """The judgement that holds now."""
        if self.judged_on is None:
            return None
        return Assessment(self.judged_on, self.judgement, self.judgement_reason, self.rating, self.scale)

    def closed_on(self, day: date) -> bool:
        """Whether it was completed, discarded or merged by that day."""
        ends = (self.completed_on, self.discarded_on, self.merged_on)
        return any(end is not None and end <= day for end in ends)

    @property
    def status(self) -> Status | None:
        """The published state today; None for a merged commitment."""
        day = today()
        if self.merged_on is not None and self.merged_on <= day:
            return None
        if self.discarded_on is not None and self.discarded_on <= day:
            return Status.DISCARDED
        if self.completed_on is not None and self.completed_on <= day:
            return Status.ACHIEVED
        if self.public_deadline is not None and date.fromisoformat(self.public_deadline["on"]) < day:
            return Status.DELAYED
        if self.judgement == Judgement.AT_RISK:
            return Status.NEEDS_ATTENTION
        if self.internal_deadline is not None and date.fromisoformat(self.internal_deadline["on"]) < day:
            return Status.NEEDS_ATTENTION_INTERNAL_DEADLINE
        return Status.ON_TIME

    @property
    def status_rule(self) -> str:
        """The version of the rule above."""
        return "traffic_light_1"


class AuditRow(Base):
    """Who changed which commitment, when, and to what."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    commitment_id: Mapped[UUID] = mapped_column(ForeignKey("commitments.id"), index=True)
    version: Mapped[int]
    action: Mapped[str]
    recorded_at: Mapped[datetime]
    subject: Mapped[str]
    organization: Mapped[str]
    role: Mapped[str]
    correlation_id: Mapped[str]
    data: Mapped[dict[str, Any]]
