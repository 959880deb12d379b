"""Who may read what: bodies, meetings, decisions and action items, and the commitments and indicators they name.

Commitments and indicators are another service's to change; who may read them follows from their events, which are read
here only as far as they say that.
"""

from __future__ import annotations

from datetime import date
from typing import Any, TypeVar

from services.meetings.action_item.model import ActionItem
from services.meetings.body.model import Body
from services.meetings.decision.model import Decision
from services.meetings.meeting.model import Meeting
from shared.aggregate.aggregate import Aggregate, Entry, evolves
from shared.aggregate.redaction import Readers, ReadersOf, Reference
from shared.aggregate.repository import Repository
from shared.eventlog.envelope import Recorded
from shared.eventlog.live import LiveLog
from shared.events.commitments import Corrected, LeadReassigned, Registered, VisibilityChanged
from shared.events.indicators import IndicatorDefined, IndicatorDefinitionChanged, IndicatorPublished
from shared.events.streams import resolve
from shared.events.types import Kind
from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor
from shared.rules.dated_facts import DatedFacts
from shared.rules.indicator_facts import IndicatorFacts


class CommitmentReaders(Aggregate):
    """Who may read a commitment."""

    __slots__ = ("_collaborating", "_dated", "_once_reserved", "_service", "_visibility")

    BEGINS_WITH = (Registered,)

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded)
        event = recorded.data
        assert isinstance(event, Registered)
        self._visibility = event.visibility
        self._once_reserved = event.visibility is Visibility.RESERVED
        self._dated = DatedFacts(event, recorded.position)
        self._service = event.responsible_service
        self._collaborating: tuple[str, ...] = event.collaborating_organizations

    def readers(self) -> Readers:
        """Those it is their own for, while it is reserved."""
        service = () if self._service is None else (self._service,)
        organizations = (self._dated.leads.on(date.max)[0], *service, *self._collaborating)
        return Readers(self._visibility, organizations, self._once_reserved)

    @evolves(VisibilityChanged)
    def _visibility_changed(self, entry: Entry[VisibilityChanged]) -> None:
        self._visibility = entry.event.visibility
        self._once_reserved = self._once_reserved or self._visibility is Visibility.RESERVED

    @evolves(LeadReassigned)
    def _lead_reassigned(self, entry: Entry[LeadReassigned]) -> None:
        self._dated.apply(entry.event, entry.position)

    @evolves(Corrected)
    def _corrected(self, entry: Entry[Corrected]) -> None:
        match entry.event.field:
            case "responsible_service":
                self._service = entry.event.value
            case "collaborating_organizations":
                self._collaborating = tuple(entry.event.value)
            case _:
                self._dated.apply(entry.event, entry.position)


class IndicatorReaders(Aggregate):
    """Who may read an indicator: of those who may read its commitment, and whoever supplies its values."""

    __slots__ = ("_facts", "_once_reserved", "_visibility", "commitment")

    BEGINS_WITH = (IndicatorDefined,)

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded)
        event = recorded.data
        assert isinstance(event, IndicatorDefined)
        self.commitment = event.commitment
        self._visibility = event.visibility
        self._once_reserved = event.visibility is Visibility.RESERVED
        self._facts = IndicatorFacts(event, recorded.position)

    def readers(self, commitment: Readers | None) -> Readers:
        """Who may read it, given who may read its commitment."""
        source = self._facts.definition.source
        suppliers = () if source is None else (source.organization,)
        if commitment is None:
            return Readers(self._visibility, suppliers, self._once_reserved)
        reserved = Visibility.RESERVED in (self._visibility, commitment.visibility)
        return Readers(
            Visibility.RESERVED if reserved else Visibility.INTERNAL,
            (*commitment.organizations, *suppliers),
            self._once_reserved or commitment.once_reserved,
        )

    @evolves(IndicatorPublished)
    def _published(self, entry: Entry[IndicatorPublished]) -> None:
        self._visibility = entry.event.visibility
        self._once_reserved = self._once_reserved or self._visibility is Visibility.RESERVED

    @evolves(IndicatorDefinitionChanged)
    def _definition_changed(self, entry: Entry[Any]) -> None:
        self._facts.apply(entry.event, entry.position)


R = TypeVar("R", Body, Meeting, Decision, ActionItem, CommitmentReaders)


class ForReaders(Repository[R]):
    """The things of one kind, each for those who may read it."""

    async def may_read(self, actor: Actor, aggregate: R) -> bool:
        """See `Repository.may_read`."""
        return aggregate.readers().include(actor)

    async def readers_of(self, identifier: str) -> Readers | None:
        """Who may read the one with this id, code or number; None when there is none."""
        found = await self.get(resolve(self.kind, identifier))
        return None if found is None else found.readers()


def all_readers(
    live: LiveLog,
    bodies: ForReaders[Body],
    decisions: ForReaders[Decision],
    action_items: ForReaders[ActionItem],
) -> ReadersOf:
    """What says who may read a thing that is named; None when the record holds nothing by that name."""
    commitments: ForReaders[CommitmentReaders] = ForReaders(live, CommitmentReaders, "commitment")
    indicators: Repository[IndicatorReaders] = Repository(live, IndicatorReaders, "indicator")

    async def of_indicator(identifier: str) -> Readers | None:
        found = await indicators.get(resolve("indicator", identifier))
        if found is None:
            return None
        commitment = None if found.commitment is None else await commitments.readers_of(found.commitment)
        return found.readers(commitment)

    async def readers_of(reference: Reference) -> Readers | None:
        match reference.kind:
            case Kind.COMMITMENT:
                return await commitments.readers_of(reference.name)
            case Kind.INDICATOR:
                return await of_indicator(reference.name)
            case Kind.DECISION:
                return await decisions.readers_of(reference.name)
            case Kind.ACTION_ITEM:
                return await action_items.readers_of(reference.name)
            case Kind.BODY:
                return await bodies.readers_of(reference.name)
            case _:
                return None

    return readers_of
