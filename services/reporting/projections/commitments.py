"""From the events of commitments to what held of them on which days, and to the names of what they are filed under."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar

from services.reporting.datasets import ORGANIZATION, PILLAR, commitment_states, commitments, names
from services.reporting.projections.differ import Now
from services.reporting.projections.projection import DayOf, only, readers_of
from shared.eventlog.envelope import Recorded
from shared.events.commitments import (
    Assessed,
    Completed,
    Corrected,
    DeadlineRevised,
    Discarded,
    LeadReassigned,
    Merged,
    OrganizationChanged,
    OrganizationRegistered,
    PillarChanged,
    PillarRegistered,
    Registered,
    Reopened,
    VisibilityChanged,
)
from shared.events.facts import Event
from shared.events.vocabulary import CommitmentKind, OriginKind, ResultType, Visibility
from shared.rules.dated_facts import DatedFacts, Span
from shared.rules.traffic_light import Closure, CommitmentOnDay


class CommitmentProjection:
    """One commitment; every event changes only what it must."""

    TYPES: ClassVar[frozenset[type[Event]]] = frozenset(
        (
            Assessed,
            DeadlineRevised,
            LeadReassigned,
            Completed,
            Discarded,
            Reopened,
            Merged,
            Corrected,
            VisibilityChanged,
        )
    )

    __slots__ = (
        "_classification",
        "_code",
        "_collaborating",
        "_facts",
        "_id",
        "_key",
        "_merged_into",
        "_parent",
        "_service",
        "_title",
        "_visibility",
    )

    def __init__(self, recorded: Recorded, _day_of: DayOf) -> None:
        event = recorded.data
        assert isinstance(event, Registered)
        self._id = recorded.stream_id
        self._key = (recorded.stream_id.hex,)
        self._code = event.code
        self._title = event.title
        self._parent = event.parent
        self._collaborating = event.collaborating_organizations
        self._service = event.responsible_service
        self._visibility = event.visibility.value
        self._classification: tuple[str | None, ...] = ()
        self._classify(
            kind=event.kind.value,
            pillar=event.pillar,
            region=event.region,
            origin=event.origin.kind.value if event.origin else None,
            result_type=event.result_type.value if event.result_type else None,
        )
        self._facts = DatedFacts(event, recorded.position)
        self._merged_into: dict[int, str] = {}

    def apply(self, recorded: Recorded) -> Iterable[Now]:
        """See `Projection.apply`."""
        event, position = recorded.data, recorded.position
        match event:
            case Registered():
                return (self._states(None), self._description(), self._readers())
            case Merged():
                self._merged_into[position] = event.into
            case VisibilityChanged():
                self._visibility = event.visibility.value
                return (self._states(None), self._description())
            case Corrected():
                self._correct(event)
                self._facts.apply(event, position)
                return (self._states(None), self._description(), self._readers())
        since = self._facts.apply(event, position)
        if isinstance(event, LeadReassigned):
            return (self._states(since), self._readers())
        return (self._states(since),)

    def _classify(self, **values: str | None) -> None:
        """What filters and groups ask for; it has no days: a correction holds for all."""
        names_ = ("kind", "pillar", "region", "origin", "result_type")
        known = dict(zip(names_, self._classification or (None,) * len(names_), strict=True))
        self._classification = tuple((known | values).values())

    def _correct(self, event: Corrected) -> None:
        value = event.value
        match event.field:
            case "title":
                self._title = str(value)
            case "parent":
                self._parent = _text(value)
            case "collaborating_organizations":
                self._collaborating = tuple(str(code) for code in value)
            case "responsible_service":
                self._service = _text(value)
            case "visibility":
                self._visibility = Visibility(value).value
            case "pillar":
                self._classify(pillar=_text(value))
            case "region":
                self._classify(region=_text(value))
            case "kind":
                self._classify(kind=CommitmentKind(value).value)
            case "result_type":
                self._classify(result_type=None if value is None else ResultType(value).value)
            case "origin":
                self._classify(origin=None if value is None else OriginKind(value["kind"]).value)

    def _states(self, since: date | None) -> Now:
        return Now(
            commitment_states, {self._key: [self._state(span) for span in self._facts.spans(since)]}, since
        )

    def _state(self, span: Span[CommitmentOnDay]) -> tuple[date, tuple[Any, ...]]:
        day, facts = span
        into = self._merged_into[facts.closure_at or 0] if facts.closure is Closure.MERGED else None
        # By place and not by name, in the order of the dataset: a rebuild passes here millions of times.
        kind, *rest = self._classification
        return day, (self._code, *facts, into, kind, self._visibility, *rest)

    def _description(self) -> Now:
        return only(
            commitments,
            self._key,
            code=self._code,
            title=self._title,
            parent=self._parent,
            visibility=self._visibility,
        )

    def _readers(self) -> Now:
        """Who leads it, answers for it or works on it."""
        lead, _position = self._facts.leads.on(date.max)
        service = () if self._service is None else (self._service,)
        return readers_of(self._id, concerned=(lead, *service, *self._collaborating))


class NameProjection:
    """What an organisation or a pillar is called."""

    TYPES: ClassVar[frozenset[type[Event]]] = frozenset((OrganizationChanged, PillarChanged))

    __slots__ = ("_key",)

    def __init__(self, recorded: Recorded, _day_of: DayOf) -> None:
        event = recorded.data
        assert isinstance(event, OrganizationRegistered | PillarRegistered)
        self._key = (PILLAR if isinstance(event, PillarRegistered) else ORGANIZATION, event.code)

    def apply(self, recorded: Recorded) -> Iterable[Now]:
        """See `Projection.apply`."""
        event = recorded.data
        assert isinstance(
            event, OrganizationRegistered | PillarRegistered | OrganizationChanged | PillarChanged
        )
        return (only(names, self._key, name=event.name, rank=getattr(event, "rank", 0)),)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
