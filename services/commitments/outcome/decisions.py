"""The decisions that bodies agreed, and what became of each, in memory: both by following the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from prometheus_client import CollectorRegistry, Gauge

from services.commitments.outcome.model import DecisionOutcome, OutcomeState
from shared.aggregate.index import Index
from shared.aggregate.redaction import Readers
from shared.eventlog.envelope import Recorded
from shared.eventlog.live import LiveLog
from shared.events.meeting_vocabulary import BodyKind
from shared.events.meetings import BodyChanged, BodyRegistered, DecisionAgreed, DecisionPublished
from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor
from shared.rules.dated_facts import VisibilityByDay
from shared.rules.visibility import can_read, reads_everything

FOLLOWED = (
    BodyRegistered,
    BodyChanged,
    DecisionAgreed,
    DecisionPublished,
)


class BodyOnRecord(NamedTuple):
    """What matters here of a body, and who may read it."""

    code: str
    kind: BodyKind
    secretariat: str | None
    readers: Readers


class DecisionOnRecord:
    """A decision as its meeting agreed it, with the body as it was then, and who may know of it now."""

    __slots__ = ("agreed", "body", "correlation_id", "position", "visibilities")

    def __init__(self, event: DecisionAgreed, recorded: Recorded, body: BodyOnRecord | None) -> None:
        self.agreed = event
        self.body = body
        self.position = recorded.position
        self.correlation_id = recorded.correlation_id
        self.visibilities = VisibilityByDay(event.visibility, recorded.position)

    @property
    def visibility(self) -> Visibility:
        """Who may know of it."""
        return self.visibilities.now

    def publish(self, event: DecisionPublished, position: int) -> None:
        """Others may know of it from now on, or no longer so."""
        self.visibilities.take_in(event, position)

    def organizations(self) -> tuple[str, ...]:
        """The organisations that may read it while it is reserved."""
        return (*self.agreed.circle, *self.agreed.organizations)


class Decisions:
    """Every decision and its outcome, as far as the process has followed the log."""

    def __init__(self, live: LiveLog) -> None:
        self._codes: dict[UUID, str] = {}
        self._bodies: dict[str, BodyOnRecord] = {}
        self._by_stream: dict[UUID, DecisionOnRecord] = {}
        self._by_number: dict[str, DecisionOnRecord] = {}
        live.subscribe(FOLLOWED, self.apply, forget=self._forget)
        self._outcomes: Index[DecisionOutcome] = Index(live, DecisionOutcome, key=lambda one: one.decision)

    def _forget(self) -> None:
        for held in (self._codes, self._bodies, self._by_stream, self._by_number):
            held.clear()

    def measure(self, registry: CollectorRegistry) -> None:
        """Show in the metrics of a service how many decisions somebody has to settle by hand."""
        gauge = Gauge("decisions_unresolved", "Decisions that could not be carried out.", registry=registry)
        gauge.set_function(lambda: sum(one.state is OutcomeState.UNRESOLVED for one in self._outcomes.all()))

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event."""
        match recorded.data:
            case BodyRegistered() as event:
                self._codes[recorded.stream_id] = event.code
                self._keep_body(event.code, event)
            case BodyChanged() as event if recorded.stream_id in self._codes:
                self._keep_body(self._codes[recorded.stream_id], event)
            case DecisionAgreed() as event:
                decision = DecisionOnRecord(event, recorded, self._bodies.get(event.body))
                self._by_stream[recorded.stream_id] = self._by_number[event.number] = decision
            case DecisionPublished() as event if recorded.stream_id in self._by_stream:
                self._by_stream[recorded.stream_id].publish(event, recorded.position)
            case _:
                pass

    def _keep_body(self, code: str, event: BodyRegistered | BodyChanged) -> None:
        readers = Readers(event.visibility, event.organizations)
        self._bodies[code] = BodyOnRecord(code, event.kind, event.secretariat, readers)

    def decision(self, number: str) -> DecisionOnRecord | None:
        """The decision with that number."""
        return self._by_number.get(number)

    def outcomes(self) -> Iterator[tuple[DecisionOutcome, DecisionOnRecord]]:
        """Every outcome with its decision, in the order in which they were first recorded."""
        for outcome in self._outcomes.all():
            decision = self._by_number.get(outcome.decision)
            if decision is not None:
                yield outcome, decision

    def readers_of(self, number: str) -> Readers | None:
        """Who may read the decision with that number; None when there is none."""
        found = self._by_number.get(number)
        if found is None:
            return None
        return Readers(found.visibility, self._organizations(found))

    def readers_of_body(self, code: str) -> Readers | None:
        """Who may read the body with that code; None when there is none."""
        body = self._bodies.get(code)
        return None if body is None else body.readers

    def can_be_read_by(self, actor: Actor, decision: DecisionOnRecord) -> bool:
        """Whether an actor may read a decision; whoever keeps the minutes of its body may."""
        return can_read(actor, decision.visibility, self._organizations(decision))

    def can_be_read_in_full_by(self, actor: Actor, decision: DecisionOnRecord) -> bool:
        """Whether an actor may also know what stood against a decision or what exactly it did.

        That tells of commitments, perhaps reserved ones: a ministry hears of it only where the decision is its own.
        """
        return reads_everything(actor) or actor.is_of(self._organizations(decision))

    def _organizations(self, decision: DecisionOnRecord) -> tuple[str, ...]:
        body = self._bodies.get(decision.agreed.body)
        if body is None or body.secretariat is None:
            return decision.organizations()
        return (*decision.organizations(), body.secretariat)
