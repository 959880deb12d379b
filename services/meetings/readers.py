"""Who may read what this service names: what it keeps itself, and the commitments and indicators of another.

Commitments and indicators are another service's to change; who may read them follows from their events, which are read
here only as far as they say that.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from shared.aggregate.aggregate import Aggregate, Entry, evolves
from shared.aggregate.redaction import Readers, ReadersOf, Reference
from shared.aggregate.repository import Repository
from shared.eventlog.envelope import Recorded
from shared.eventlog.live import LiveLog
from shared.events.commitments import Registered, VisibilityChanged
from shared.events.indicators import IndicatorDefined, IndicatorDefinitionChanged, IndicatorPublished
from shared.events.streams import resolve
from shared.events.types import Kind
from shared.rules.dated_facts import DatedFacts, VisibilityByDay
from shared.rules.indicator_facts import IndicatorFacts


class CommitmentReaders(Aggregate):
    """Who may read a commitment."""

    __slots__ = ("_dated", "_visibility")

    BEGINS_WITH = (Registered,)

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded)
        event = recorded.data
        assert isinstance(event, Registered)
        self._visibility = VisibilityByDay(event.visibility, recorded.position)
        self._dated = DatedFacts(event, recorded.position)

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event; whose own it is follows from what is dated."""
        self._dated.apply(recorded.data, recorded.position)
        super().apply(recorded)

    def readers(self) -> Readers:
        """Those it is their own for, while it is reserved."""
        return Readers(self._visibility.now, self._dated.organizations_on(date.max))

    @evolves(VisibilityChanged)
    def _visibility_changed(self, entry: Entry[VisibilityChanged]) -> None:
        self._visibility.take_in(entry.event, entry.position)


class IndicatorReaders(Aggregate):
    """Who may read an indicator: of those who may read its commitment, and whoever supplies its values."""

    __slots__ = ("_facts", "_visibility", "commitment")

    BEGINS_WITH = (IndicatorDefined,)

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded)
        event = recorded.data
        assert isinstance(event, IndicatorDefined)
        self.commitment = event.commitment
        self._visibility = VisibilityByDay(event.visibility, recorded.position)
        self._facts = IndicatorFacts(event, recorded.position)

    def readers(self, commitment: Readers | None = None) -> Readers:
        """Whoever supplies its values, while it is reserved, and those who may read its commitment, if it has one."""
        source = self._facts.definition.source
        suppliers = () if source is None else (source.organization,)
        return Readers(self._visibility.now, suppliers).within(commitment)

    @evolves(IndicatorPublished)
    def _published(self, entry: Entry[IndicatorPublished]) -> None:
        self._visibility.take_in(entry.event, entry.position)

    @evolves(IndicatorDefinitionChanged)
    def _definition_changed(self, entry: Entry[Any]) -> None:
        self._facts.apply(entry.event, entry.position)


def all_readers(live: LiveLog, own: Mapping[Kind, Repository[Any]]) -> ReadersOf:
    """What says who may read a thing that is named; `own` are the kinds of things that this service keeps."""
    commitments: Repository[CommitmentReaders] = Repository(live, CommitmentReaders, "commitment")
    indicators: Repository[IndicatorReaders] = Repository(live, IndicatorReaders, "indicator")

    async def readers_of(reference: Reference) -> Readers | None:
        if reference.kind is Kind.COMMITMENT:
            return await commitments.readers_of(reference.name)
        if reference.kind is Kind.INDICATOR:
            found = await indicators.get(resolve("indicator", reference.name))
            if found is None:
                return None
            of = found.commitment
            return found.readers(None if of is None else await commitments.readers_of(of))
        return await own[reference.kind].readers_of(reference.name) if reference.kind in own else None

    return readers_of
