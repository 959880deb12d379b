"""From the events of decisions, and of what became of them, to the rows that the budget office's feed is made of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final
from uuid import UUID

from services.reporting.projections.beliefs import Beliefs, Row, row_of
from services.reporting.projections.changes import Belief, RowChanges
from services.reporting.projections.circles import disclose, encircle
from services.reporting.projections.meetings import json_text
from services.reporting.projections.sayings import DayOf, Sayings, day_told
from services.reporting.tables import acknowledgements, budget_lines, decisions, errata, mentions, outcomes
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

_FROM_THE_FIRST: Final = date.min
"""What a decision does is dated on the day it was agreed, whenever it is done; before that there is no decision."""


class DecisionView:
    """A decision, and what stands beside it now."""

    __slots__ = ("_acknowledgements", "_beliefs", "_day_of", "_errata", "_lines", "touched")

    def __init__(self, recorded: Recorded, changes: RowChanges, *, day_of: DayOf) -> None:
        event = recorded.data
        assert isinstance(event, DecisionAgreed)
        self.touched = False
        self._day_of = day_of
        self._beliefs = Beliefs()
        stream, position = recorded.stream_id, recorded.position
        self._acknowledgements = Sayings(acknowledgements, stream.hex)
        self._lines = Sayings(budget_lines, stream.hex)
        self._errata = Sayings(errata, stream.hex)
        self._beliefs.say(_row_of(event, stream, position), position, changes)
        for row in _mentions(event, stream):
            self._beliefs.say(row, position, changes)
        disclose(self._beliefs, stream, event.visibility, position, changes)
        encircle(
            self._beliefs, stream, position, changes, concerned=event.organizations, knowing=event.circle
        )

    def apply(self, recorded: Recorded, changes: RowChanges) -> None:
        """See `View.apply`."""
        when = day_told(recorded, self._day_of), recorded, self._beliefs, changes
        match recorded.data:
            case DecisionPublished() as event:
                stream, position = recorded.stream_id, recorded.position
                disclose(self._beliefs, stream, event.visibility, position, changes)
            case DecisionAcknowledged() as event:
                self._acknowledgements.say(
                    *when,
                    outcome=event.outcome.value,
                    remarks=event.remarks,
                    organization=recorded.recorded_by.organization,
                )
            case BudgetLineTied() as event:
                self._lines.say(
                    *when,
                    "fiscal_year",
                    "code",
                    fiscal_year=event.fiscal_year,
                    code=event.code,
                    amount=event.amount,
                    currency=event.currency,
                    request=event.request.value,
                    reason=event.reason,
                )
            case DecisionAmended() as event:
                self._errata.say(
                    *when,
                    "number",
                    number=event.erratum,
                    reads=event.reads,
                    should_read=event.should_read,
                    reason=event.reason,
                )

    def beliefs(self) -> Iterator[Belief[Any]]:
        """See `View.beliefs`."""
        return iter(self._beliefs)


def _row_of(event: DecisionAgreed, stream: UUID, position: int) -> Row:
    impact = event.budget_impact
    return row_of(
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


def _mentions(event: DecisionAgreed, stream: UUID) -> Iterator[Row]:
    agreed = None if event.effect is None else event.effect.commitment
    named = dict.fromkeys(() if agreed is None else filter(None, (agreed.code, agreed.parent)), True)
    for code, whether in (named | dict.fromkeys(event.commitments, False)).items():
        yield row_of(mentions, decision_id=stream.hex, commitment=code, in_effect_only=whether)


class OutcomeView:
    """What became of a decision where commitments are kept, now."""

    __slots__ = ("_beliefs", "_day_of", "_difficulty", "_outcomes", "touched")

    def __init__(self, recorded: Recorded, changes: RowChanges, *, day_of: DayOf) -> None:
        event = recorded.data
        assert isinstance(event, DecisionCarriedOut | DecisionUnresolved)
        self.touched = False
        self._day_of = day_of
        self._beliefs = Beliefs()
        self._outcomes = Sayings(outcomes, stream_of("decision", event.decision).hex)
        self._difficulty: DecisionUnresolved | None = None
        self.apply(recorded, changes)

    def apply(self, recorded: Recorded, changes: RowChanges) -> None:
        """See `View.apply`."""
        match recorded.data:
            case DecisionUnresolved() as event:
                self._difficulty = event
                self._say(_FROM_THE_FIRST, recorded, changes, UNRESOLVED)
            case DecisionCarriedOut() as event:
                state = CARRIED_OUT if self._difficulty is None else RESOLVED
                self._say(_FROM_THE_FIRST, recorded, changes, state, event.did, event.remarks)
            case DecisionWaived() as event:
                day = day_told(recorded, self._day_of)
                self._say(day, recorded, changes, WAIVED, (), event.remarks)

    def beliefs(self) -> Iterator[Belief[Any]]:
        """See `View.beliefs`."""
        return iter(self._beliefs)

    def _say(
        self,
        day: date,
        recorded: Recorded,
        changes: RowChanges,
        state: str,
        did: tuple[Any, ...] = (),
        remarks: str | None = None,
    ) -> None:
        self._outcomes.say(
            day,
            recorded,
            self._beliefs,
            changes,
            state=state,
            did=json_text(did),
            difficulty=None if self._difficulty is None else json_text(self._difficulty),
            remarks=remarks,
        )
