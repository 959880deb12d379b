"""Organisations and pillars as requests and as answers."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from services.commitments.api.commitment_bodies import Code
from services.commitments.api.fact_answers import Answer
from services.commitments.domain.organization import OrganizationDescription
from services.commitments.domain.pillar import PillarDescription
from shared.events.vocabulary import OrganizationKind
from shared.http.schemas import CivilDay, Line, Page, Prose, RequestModel

MOST_ALIASES = 50


class OrganizationBody(RequestModel):
    """Everything an organisation is described by; what is left out is taken back."""

    name: Line = Field(examples=["Ministry of Public Works"])
    kind: OrganizationKind = OrganizationKind.OTHER
    parent: Code | None = Field(default=None, description="The code of the organisation it belongs to.")
    aliases: tuple[Line, ...] = Field(
        default=(),
        max_length=MOST_ALIASES,
        description="Other names that documents and imported files give it; each leads to one organisation only.",
    )
    successor: Code | None = Field(default=None, description="The code of the organisation it went on in.")
    dissolved_on: CivilDay | None = None

    def as_domain(self) -> OrganizationDescription:
        """The description as the domain takes it."""
        return OrganizationDescription(
            **{name: getattr(self, name) for name in OrganizationDescription._fields}
        )


class OrganizationAnswer(Answer):
    """An organisation of the state."""

    id: UUID
    code: str = Field(examples=["MOP"])
    name: str
    kind: OrganizationKind
    parent: str | None
    aliases: list[str]
    successor: str | None
    dissolved_on: CivilDay | None
    version: int
    position: int


class PillarBody(RequestModel):
    """Everything a pillar is described by; what is left out is taken back."""

    name: Line = Field(examples=["Citizen security"])
    rank: Annotated[int, Field(ge=0, le=10_000, strict=True)] = Field(
        default=0, description="Pillars are listed by rank, then by code."
    )
    description: Prose | None = None

    def as_domain(self) -> PillarDescription:
        """The description as the domain takes it."""
        return PillarDescription(self.name, self.rank, self.description)


class PillarAnswer(Answer):
    """A pillar of the government plan."""

    id: UUID
    code: str = Field(examples=["SECURITY"])
    name: str
    rank: int
    description: str | None
    version: int
    position: int


class OrganizationPage(Page[OrganizationAnswer]):
    """Organisations by code; `total` only when asked for."""

    total: int | None = None


class PillarPage(Page[PillarAnswer]):
    """Pillars by rank and code; `total` only when asked for."""

    total: int | None = None
