"""From the events of commitments to what held of them on which days, and to the names of what they are filed under."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from operator import attrgetter
from typing import Any, ClassVar, Final

from services.reporting.datasets import ORGANIZATION, PILLAR, commitment_states, commitments, names
from services.reporting.projections.differ import ByDay, Now
from services.reporting.projections.projection import DayOf, readers_of
from shared.eventlog.envelope import Recorded
from shared.events.commitments import (
    LeadReassigned,
    Merged,
    OrganizationChanged,
    OrganizationRegistered,
    PillarChanged,
    PillarRegistered,
    Registered,
    VisibilityChanged,
)
from shared.events.facts import Event
from shared.rules.dated_facts import RESTATING, DatedFacts, History, Span
from shared.rules.traffic_light import Closure, CommitmentOnDay

_registered: Final = attrgetter(*(field.name for field in commitment_states.fields if field.registered))


class CommitmentProjection:
    """One commitment; every event changes only what it must."""

    TYPES: ClassVar[frozenset[type[Event]]] = DatedFacts.TYPES | {VisibilityChanged}

    __slots__ = ("_facts", "_id", "_key", "_merged_into", "_visibility")

    def __init__(self, recorded: Recorded, _day_of: DayOf) -> None:
        event = recorded.data
        assert isinstance(event, Registered)
        self._id = recorded.stream_id
        self._key = (recorded.stream_id.hex,)
        self._visibility = event.visibility.value
        self._facts = DatedFacts(event, recorded.position)
        self._merged_into: dict[int, str] = {}

    def apply(self, recorded: Recorded) -> Iterable[Now]:
        """See `Projection.apply`."""
        event, position = recorded.data, recorded.position
        since = self._facts.apply(event, position)
        if isinstance(event, (Registered, *RESTATING)):
            return (self._states(since), self._descriptions(since), self._readers())
        match event:
            case VisibilityChanged():
                self._visibility = event.visibility.value
                return (self._states(None), self._descriptions(None))
            case LeadReassigned():
                return (self._states(since), self._readers())
            case Merged():
                self._merged_into[position] = event.into
        return (self._states(since),)

    def _states(self, since: date | None) -> Now:
        found: ByDay = []
        for span in self._facts.spans(since):
            day, row = self._state(span)
            # What only a registration tells and no column holds ends no row.
            if not found or found[-1][1] != row:
                found.append((day, row))
        return Now(commitment_states, {self._key: found}, since)

    def _state(self, span: Span[CommitmentOnDay]) -> tuple[date, tuple[Any, ...]]:
        # By place and not by name, in the order of the dataset: a rebuild passes here millions of times.
        day, facts = span
        into = self._merged_into[facts.closure_at or 0] if facts.closure is Closure.MERGED else None
        reads = facts.registration
        origin = None if reads.origin is None else reads.origin.kind
        return day, (reads.code, *facts[:-1], into, self._visibility, origin, *_registered(reads))

    def _descriptions(self, since: date | None) -> Now:
        found: ByDay = []
        for day, facts in self._facts.spans(since):
            row = (
                facts.registration.code,
                self._visibility,
                facts.registration.title,
                facts.registration.parent,
            )
            if not found or found[-1][1] != row:
                found.append((day, row))
        return Now(commitments, {self._key: found}, since)

    def _readers(self) -> Now:
        """Who leads it, answers for it or works on it."""
        return readers_of(self._id, concerned=self._facts.organizations_on(date.max))


class NameProjection:
    """What an organisation or a pillar is called, from which day on."""

    TYPES: ClassVar[frozenset[type[Event]]] = frozenset((OrganizationChanged, PillarChanged))

    __slots__ = ("_key", "_names")

    def __init__(self, recorded: Recorded, _day_of: DayOf) -> None:
        event = recorded.data
        assert isinstance(event, OrganizationRegistered | PillarRegistered)
        self._key = (PILLAR if isinstance(event, PillarRegistered) else ORGANIZATION, event.code)

    def apply(self, recorded: Recorded) -> Iterable[Now]:
        """See `Projection.apply`; what names no day holds on every day."""
        event = recorded.data
        assert isinstance(
            event, OrganizationRegistered | PillarRegistered | OrganizationChanged | PillarChanged
        )
        row = names.row(name=event.name, rank=getattr(event, "rank", 0))
        day = getattr(event, "effective_on", None)
        if day is None:
            self._names = History(row, recorded.position)
        else:
            self._names.add(day, recorded.position, row)
        days = dict.fromkeys((date.min, *self._names.days()))
        return (Now(names, {self._key: [(day, self._names.on(day)[0]) for day in days]}),)
