"""Who may know of what meetings, decisions and action items name: each other, bodies, commitments, indicators.

Commitments and indicators are another service's to change; who may know of them follows from their events, which are
read here only as far as they say that.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from services.meetings.application.action_items import ActionItems
from services.meetings.application.bodies import Bodies
from services.meetings.application.decisions import Decisions
from services.meetings.domain.folding import Entry, Folded, changed_by
from shared.eventlog.envelope import Recorded
from shared.eventlog.live import LiveLog
from shared.eventlog.states import States
from shared.events.commitments import Corrected, LeadReassigned, Registered, VisibilityChanged
from shared.events.indicators import IndicatorDefined, IndicatorDefinitionChanged, IndicatorPublished
from shared.events.streams import resolve
from shared.events.vocabulary import Visibility
from shared.references import Disclosure, Kind, Reference
from shared.rules.dated_facts import DatedFacts
from shared.rules.indicator_facts import IndicatorFacts


class CommitmentCircle(Folded):
    """Who may know of a commitment."""

    __slots__ = ("_collaborating", "_dated", "_service", "once_reserved", "visibility")

    def __init__(self, event: Registered, recorded: Recorded) -> None:
        super().__init__(recorded)
        self.visibility = event.visibility
        self.once_reserved = event.visibility is Visibility.RESERVED
        self._dated = DatedFacts(event, recorded.position)
        self._service = event.responsible_service
        self._collaborating: tuple[str, ...] = event.collaborating_organizations

    @classmethod
    def begin(cls, recorded: Recorded) -> Self | None:
        """The circle of a commitment as it entered the record; None when the stream tells of something else."""
        return cls(recorded.data, recorded) if isinstance(recorded.data, Registered) else None

    def organizations(self) -> tuple[str, ...]:
        """Those it is their own for."""
        service = () if self._service is None else (self._service,)
        return (self._dated.leads.on(date.max)[0], *service, *self._collaborating)

    @changed_by(VisibilityChanged)
    def _published(self, entry: Entry[VisibilityChanged]) -> None:
        self.visibility = entry.said.visibility
        self.once_reserved = self.once_reserved or self.visibility is Visibility.RESERVED

    @changed_by(LeadReassigned)
    def _lead_reassigned(self, entry: Entry[LeadReassigned]) -> None:
        self._dated.apply(entry.said, entry.position)

    @changed_by(Corrected)
    def _corrected(self, entry: Entry[Corrected]) -> None:
        said = entry.said
        match said.field:
            case "responsible_service":
                self._service = said.value
            case "collaborating_organizations":
                self._collaborating = tuple(said.value)
            case _:
                self._dated.apply(said, entry.position)


class IndicatorCircle(Folded):
    """Who may know of an indicator: within the circle of its commitment, and whoever supplies its values."""

    __slots__ = ("_facts", "commitment", "once_reserved", "visibility")

    def __init__(self, event: IndicatorDefined, recorded: Recorded) -> None:
        super().__init__(recorded)
        self.commitment = event.commitment
        self.visibility = event.visibility
        self.once_reserved = event.visibility is Visibility.RESERVED
        self._facts = IndicatorFacts(event, recorded.position)

    @classmethod
    def begin(cls, recorded: Recorded) -> Self | None:
        """The circle of an indicator as it was defined; None when the stream tells of something else."""
        return cls(recorded.data, recorded) if isinstance(recorded.data, IndicatorDefined) else None

    def suppliers(self) -> tuple[str, ...]:
        """The organisation its values come from."""
        source = self._facts.definition.source
        return () if source is None else (source.organization,)

    @changed_by(IndicatorPublished)
    def _published(self, entry: Entry[IndicatorPublished]) -> None:
        self.visibility = entry.said.visibility
        self.once_reserved = self.once_reserved or self.visibility is Visibility.RESERVED

    @changed_by(IndicatorDefinitionChanged)
    def _definition_changed(self, entry: Entry[Any]) -> None:
        self._facts.apply(entry.said, entry.position)


class Disclosures:
    """Asked before anything is told to somebody from whom something may be hidden."""

    def __init__(
        self,
        live: LiveLog,
        bodies: Bodies,
        decisions: Decisions,
        action_items: ActionItems,
        *,
        capacity: int = 20_000,
    ) -> None:
        self._commitments: States[CommitmentCircle] = States(
            live, CommitmentCircle.begin, name="commitment", capacity=capacity
        )
        self._indicators: States[IndicatorCircle] = States(
            live, IndicatorCircle.begin, name="indicator", capacity=capacity
        )
        self._bodies = bodies
        self._decisions = decisions
        self._action_items = action_items

    async def of(self, reference: Reference) -> Disclosure | None:
        """Who may know of a thing; None when the record holds nothing by that name."""
        match reference.kind:
            case Kind.COMMITMENT:
                return await self._commitment(reference.name)
            case Kind.INDICATOR:
                return await self._indicator(reference.name)
            case Kind.DECISION:
                return await self._decisions.disclosure_of(reference.name)
            case Kind.ACTION_ITEM:
                return await self._action_items.disclosure_of(reference.name)
            case Kind.BODY:
                return await self._bodies.disclosure_of(reference.name)

    async def _commitment(self, name: str) -> Disclosure | None:
        found = await self._commitments.get(resolve("commitment", name))
        if found is None:
            return None
        return Disclosure(found.visibility, found.organizations(), found.once_reserved)

    async def _indicator(self, name: str) -> Disclosure | None:
        found = await self._indicators.get(resolve("indicator", name))
        if found is None:
            return None
        part_of = None if found.commitment is None else await self._commitment(found.commitment)
        if part_of is None:
            return Disclosure(found.visibility, found.suppliers(), found.once_reserved)
        reserved = Visibility.RESERVED in (found.visibility, part_of.visibility)
        return Disclosure(
            Visibility.RESERVED if reserved else Visibility.INTERNAL,
            (*part_of.organizations, *found.suppliers()),
            found.once_reserved or part_of.once_reserved,
        )
