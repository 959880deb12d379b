"""From the events of decisions, and of what became of them, to the rows that the budget office's feed is made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from services.reporting.projections.beliefs import Beliefs, microseconds, row_of
from services.reporting.projections.changes import Belief, RowChanges
from services.reporting.projections.circles import disclose, encircle
from services.reporting.projections.meetings import json_text
from services.reporting.tables import acknowledgements, budget_lines, decisions, errata, outcomes
from shared.eventlog.envelope import Recorded
from shared.events.commitments import DecisionCarriedOut, DecisionUnresolved, DecisionWaived
from shared.events.facts import Event
from shared.events.meetings import (
    BudgetLineTied,
    DecisionAcknowledged,
    DecisionAgreed,
    DecisionAmended,
    DecisionPublished,
)
from shared.events.streams import stream_of

CHANGING: tuple[type[Event], ...] = (
    DecisionAcknowledged,
    BudgetLineTied,
    DecisionAmended,
    DecisionPublished,
    DecisionCarriedOut,
    DecisionWaived,
)

CARRIED_OUT: Final = "carried_out"
UNRESOLVED: Final = "unresolved"
RESOLVED: Final = "resolved"
WAIVED: Final = "waived"


class DecisionView:
    """A decision, and what stands beside it now."""

    __slots__ = ("_beliefs", "touched")

    def __init__(self, recorded: Recorded, changes: RowChanges) -> None:
        event = recorded.data
        assert isinstance(event, DecisionAgreed)
        self.touched = False
        self._beliefs = Beliefs()
        stream, position, impact = recorded.stream_id, recorded.position, event.budget_impact
        row = row_of(
            decisions,
            decision_id=stream.hex,
            number=event.number,
            agreed_at=position,
            agreed_on=event.agreed_on,
            body=event.body,
            meeting_id=event.meeting.hex,
            agenda_item=event.agenda_item,
            position_in_item=event.position_in_item,
            kind=event.kind.value,
            text=event.text,
            commitments=json_text(event.commitments),
            organizations=json_text(event.organizations),
            effect=None if event.effect is None else json_text(event.effect),
            amount=None if impact is None else impact.amount,
            currency=None if impact is None else impact.currency,
            fiscal_year=None if impact is None else impact.fiscal_year,
            financing=None if impact is None else impact.financing.value,
        )
        self._beliefs.say(row, position, changes)
        disclose(self._beliefs, stream, event.visibility, position, changes)
        encircle(
            self._beliefs, stream, position, changes, concerned=event.organizations, knowing=event.circle
        )

    def apply(self, recorded: Recorded, changes: RowChanges) -> None:
        """See `View.apply`."""
        stream, position, time = recorded.stream_id, recorded.position, microseconds(recorded.recorded_at)
        match recorded.data:
            case DecisionPublished() as event:
                disclose(self._beliefs, stream, event.visibility, position, changes)
                return
            case DecisionAcknowledged() as event:
                row = row_of(
                    acknowledgements,
                    decision_id=stream.hex,
                    outcome=event.outcome.value,
                    remarks=event.remarks,
                    organization=recorded.recorded_by.organization,
                    told_time=time,
                )
            case BudgetLineTied() as event:
                row = row_of(
                    budget_lines,
                    decision_id=stream.hex,
                    fiscal_year=event.fiscal_year,
                    code=event.code,
                    amount=event.amount,
                    currency=event.currency,
                    request=event.request.value,
                    reason=event.reason,
                    told_time=time,
                )
            case DecisionAmended() as event:
                row = row_of(
                    errata,
                    decision_id=stream.hex,
                    number=event.erratum,
                    reads=event.reads,
                    should_read=event.should_read,
                    reason=event.reason,
                    told_time=time,
                )
            case _:
                return
        # What is said again, in the same words, was said again all the same: an erratum may lie between.
        self._beliefs.say(row, position, changes, anew=True)

    def beliefs(self) -> Iterator[Belief[Any]]:
        """See `View.beliefs`."""
        return iter(self._beliefs)


class OutcomeView:
    """What became of a decision where commitments are kept, now."""

    __slots__ = ("_beliefs", "_difficulty", "touched")

    def __init__(self, recorded: Recorded, changes: RowChanges) -> None:
        self.touched = False
        self._beliefs = Beliefs()
        self._difficulty: DecisionUnresolved | None = None
        self.apply(recorded, changes)

    def apply(self, recorded: Recorded, changes: RowChanges) -> None:
        """See `View.apply`."""
        match recorded.data:
            case DecisionUnresolved() as event:
                self._difficulty = event
                self._say(recorded, changes, event.decision, UNRESOLVED)
            case DecisionCarriedOut() as event:
                state = CARRIED_OUT if self._difficulty is None else RESOLVED
                self._say(recorded, changes, event.decision, state, event.did, event.remarks)
            case DecisionWaived() as event:
                self._say(recorded, changes, event.decision, WAIVED, (), event.remarks)

    def beliefs(self) -> Iterator[Belief[Any]]:
        """See `View.beliefs`."""
        return iter(self._beliefs)

    def _say(
        self,
        recorded: Recorded,
        changes: RowChanges,
        decision: str,
        state: str,
        did: tuple[Any, ...] = (),
        remarks: str | None = None,
    ) -> None:
        row = row_of(
            outcomes,
            decision_id=stream_of("decision", decision).hex,
            state=state,
            did=json_text(did),
            difficulty=None if self._difficulty is None else json_text(self._difficulty),
            remarks=remarks,
            told_time=microseconds(recorded.recorded_at),
        )
        self._beliefs.say(row, recorded.position, changes)
