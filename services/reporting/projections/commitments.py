"""From the events of one commitment to the rectangles of `standings` and the rows beside them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

from services.reporting.intervals import fork
from services.reporting.projections.changes import Belief, RowChanges
from services.reporting.tables import END_OF_DAYS, descriptions, participants, standings
from shared.eventlog.envelope import Recorded
from shared.events.commitments import (
    Assessed,
    Completed,
    Corrected,
    DeadlineRevised,
    Discarded,
    LeadReassigned,
    Merged,
    Registered,
    Reopened,
    VisibilityChanged,
)
from shared.events.facts import Event
from shared.events.vocabulary import CommitmentKind, OriginKind, ResultType, Visibility
from shared.rules.dated_facts import DatedFacts, Span
from shared.rules.traffic_light import Closure, Standing

CHANGING: tuple[type[Event], ...] = (
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
"""The events of a commitment that can change a row; the others are not even given to a view."""

_DAY = timedelta(days=1)


class Classification(NamedTuple):
    """What filters and groups ask for, in the order of the columns; it has no days: a correction holds for all."""

    kind: str
    visibility: str
    pillar: str | None
    region: str | None
    origin: str | None
    result_type: str | None


class Rectangle(NamedTuple):
    """What a row of `standings` says."""

    commitment_id: str
    code: str
    valid_from: date
    valid_to: date
    standing: Standing
    merged_into: str | None
    classification: Classification

    def row(self, believed_from: int, believed_to: int) -> tuple[Any, ...]:
        """See `Fact.row`."""
        first, last = self.valid_from, self.valid_to
        return (
            self.commitment_id,
            self.code,
            first,
            last,
            believed_from,
            believed_to,
            fork(first.toordinal(), last.toordinal()),
            fork(believed_from, believed_to),
            *self.standing,
            self.merged_into,
            *self.classification,
        )

    def key(self, believed_from: int) -> tuple[Any, ...]:
        """See `Fact.key`."""
        return (self.commitment_id, self.valid_from, believed_from)


class Description(NamedTuple):
    """What a row of `descriptions` says."""

    commitment_id: str
    code: str
    title: str
    parent: str | None
    visibility: str

    def row(self, believed_from: int, believed_to: int) -> tuple[Any, ...]:
        """See `Fact.row`."""
        return (*self, believed_from, believed_to)

    def key(self, believed_from: int) -> tuple[Any, ...]:
        """See `Fact.key`."""
        return (self.commitment_id, believed_from)


class Participant(NamedTuple):
    """What a row of `participants` says: the organisation leads the commitment, answers for it or works on it."""

    organization: str
    commitment_id: str

    def row(self, believed_from: int, believed_to: int) -> tuple[Any, ...]:
        """See `Fact.row`."""
        return (*self, believed_from, believed_to)

    def key(self, believed_from: int) -> tuple[Any, ...]:
        """See `Fact.key`."""
        return (*self, believed_from)


class CommitmentView:
    """What is believed of one commitment now, as rows; every event changes only what it must."""

    __slots__ = (
        "_classification",
        "_code",
        "_collaborating",
        "_described",
        "_facts",
        "_id",
        "_merged_into",
        "_parent",
        "_participating",
        "_rectangles",
        "_service",
        "_title",
        "touched",
    )

    def __init__(self, recorded: Recorded, changes: RowChanges) -> None:
        event, position = recorded.data, recorded.position
        assert isinstance(event, Registered)
        self.touched = False
        self._id = recorded.stream_id.hex
        self._code = event.code
        self._title = event.title
        self._parent = event.parent
        self._collaborating = event.collaborating_organizations
        self._service = event.responsible_service
        self._classification = Classification(
            event.kind.value,
            event.visibility.value,
            event.pillar,
            event.region,
            event.origin.kind.value if event.origin else None,
            event.result_type.value if event.result_type else None,
        )
        self._facts = DatedFacts(event, position)
        self._merged_into: dict[int, str] = {}
        self._rectangles: list[Belief[Rectangle]] = []
        self._described: Belief[Description] | None = None
        self._participating: dict[str, Belief[Participant]] = {}
        self._restate(None, position, changes)
        self._describe(position, changes)
        self._share(position, changes)

    def apply(self, recorded: Recorded, changes: RowChanges) -> None:
        """Take in one more event of the stream."""
        event, position = recorded.data, recorded.position
        before = self._classification
        match event:
            case Merged():
                self._merged_into[position] = event.into
            case VisibilityChanged():
                self._classification = before._replace(visibility=event.visibility.value)
                self._describe(position, changes)
            case Corrected():
                self._correct(event, position, changes)
        since = self._facts.apply(event, position)
        if self._classification != before:
            self._restate(None, position, changes)
        elif since is not None:
            self._restate(since, position, changes)
        if isinstance(event, (LeadReassigned, Corrected)):
            self._share(position, changes)

    def beliefs(self) -> Iterator[Belief[Any]]:
        """Everything believed now."""
        yield from self._rectangles
        if self._described is not None:
            yield self._described
        yield from self._participating.values()

    def _correct(self, event: Corrected, position: int, changes: RowChanges) -> None:
        value = event.value
        match event.field:
            case "title":
                self._title = str(value)
            case "parent":
                self._parent = _text(value)
            case "collaborating_organizations":
                self._collaborating = tuple(str(code) for code in value)
            case "pillar":
                self._classification = self._classification._replace(pillar=_text(value))
            case "responsible_service":
                self._service = _text(value)
            case "region":
                self._classification = self._classification._replace(region=_text(value))
            case "kind":
                self._classification = self._classification._replace(kind=CommitmentKind(value).value)
            case "visibility":
                self._classification = self._classification._replace(visibility=Visibility(value).value)
            case "result_type":
                found = None if value is None else ResultType(value).value
                self._classification = self._classification._replace(result_type=found)
            case "origin":
                found = None if value is None else OriginKind(value["kind"]).value
                self._classification = self._classification._replace(origin=found)
        self._describe(position, changes)

    def _restate(self, since: date | None, position: int, changes: RowChanges) -> None:
        """Bring the rectangles into line with the facts, from `since` on (None: from the first day on)."""
        rectangles = self._rectangles
        if since is None or not rectangles or since <= rectangles[0].fact.valid_from:
            self._replace(0, self._facts.spans(), position, changes)
            return
        spans = self._facts.spans(since)
        # Nearly always something new is said of the last days, and only the last rectangle is concerned.
        index = len(rectangles) - 1
        if since <= rectangles[index].fact.valid_from:
            index = bisect_right(rectangles, since - _DAY, key=_first_day) - 1
        # Whatever held on the eve still holds there; it goes on if the first day brought nothing else.
        eve = rectangles[index].fact
        if spans[0].standing == eve.standing:
            spans[0] = Span(eve.valid_from, spans[0].valid_to, eve.standing)
        else:
            spans.insert(0, Span(eve.valid_from, since, eve.standing))
        self._replace(index, spans, position, changes)

    def _replace(self, index: int, spans: list[Span], position: int, changes: RowChanges) -> None:
        """Let these spans follow the first `index` rectangles; what is the same as before goes on being believed."""
        rectangles = self._rectangles
        before = {belief.fact.valid_from: belief for belief in rectangles[index:]}
        after: list[Belief[Rectangle]] = []
        for span in spans:
            if span.valid_from >= END_OF_DAYS:
                continue
            rectangle = self._rectangle(span)
            known = before.get(span.valid_from)
            if known is not None and known.fact == rectangle:
                del before[span.valid_from]
                after.append(known)
            else:
                after.append(Belief(standings.name, rectangle, position))
        for belief in before.values():
            changes.end(belief, position)
        rectangles[index:] = after

    def _rectangle(self, span: Span) -> Rectangle:
        first, last, standing = span
        into = self._merged_into[standing.closure_at or 0] if standing.closure is Closure.MERGED else None
        return Rectangle(
            self._id, self._code, first, last or END_OF_DAYS, standing, into, self._classification
        )

    def _describe(self, position: int, changes: RowChanges) -> None:
        now = Description(self._id, self._code, self._title, self._parent, self._classification.visibility)
        if self._described is not None:
            if self._described.fact == now:
                return
            changes.end(self._described, position)
        self._described = Belief(descriptions.name, now, position)

    def _share(self, position: int, changes: RowChanges) -> None:
        lead, _position = self._facts.leads.on(date.max)
        service = () if self._service is None else (self._service,)
        now = dict.fromkeys((lead, *service, *self._collaborating))
        for organization in [known for known in self._participating if known not in now]:
            changes.end(self._participating.pop(organization), position)
        for organization in now:
            if organization not in self._participating:
                fact = Participant(organization, self._id)
                self._participating[organization] = Belief(participants.name, fact, position)


def _first_day(belief: Belief[Rectangle]) -> date:
    return belief.fact.valid_from


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
