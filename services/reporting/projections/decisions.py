"""From the events of decisions, and of what became of them, to the rows that the budget office's feed is made of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar, Final

from services.reporting.datasets import (
    DecisionChange,
    acknowledgements,
    budget_gaps,
    budget_lines,
    decision_changes,
    decision_commitments,
    decisions,
    errata,
    outcomes,
    referrals,
)
from services.reporting.projections.corrections import About, Answers, Telling, answers_of
from services.reporting.projections.differ import ByDay, Key, Now
from services.reporting.projections.projection import (
    DayOf,
    Entries,
    effective_day,
    json_text,
    only,
    readers_of,
    shown_by_day,
)
from shared.eventlog.codec import instant_text
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
from shared.events.retractions import DecisionFactRetracted
from shared.events.streams import stream_of
from shared.events.types import Kind
from shared.events.vocabulary import Visibility
from shared.rules.budget_gaps import Tied, budget_gaps_by_day
from shared.rules.dated_facts import VisibilityByDay

CARRIED_OUT: Final = "carried_out"
UNRESOLVED: Final = "unresolved"
RESOLVED: Final = "resolved"
WAIVED: Final = "waived"

_FROM_THE_FIRST: Final = date.min
"""What a decision does is dated on the day it was agreed, whenever it is done; before that there is no decision."""


_CHANGES: Final[dict[type[Event], DecisionChange]] = {
    DecisionAgreed: DecisionChange.AGREED,
    DecisionPublished: DecisionChange.PUBLISHED,
    DecisionAcknowledged: DecisionChange.ACKNOWLEDGED,
    BudgetLineTied: DecisionChange.LINE,
    DecisionAmended: DecisionChange.ERRATUM,
    DecisionUnresolved: DecisionChange.OUTCOME,
    DecisionCarriedOut: DecisionChange.OUTCOME,
    DecisionWaived: DecisionChange.OUTCOME,
    DecisionFactRetracted: DecisionChange.RETRACTED,
}


class _Changes:
    """What was recorded of a decision in one stream, event by event."""

    __slots__ = ("_decision", "_rows")

    def __init__(self, decision: str) -> None:
        self._decision = decision
        self._rows: dict[Key, ByDay] = {}

    def add(self, recorded: Recorded) -> Now:
        self._rows[self._decision, recorded.position] = [(None, (_CHANGES[type(recorded.data)].value,))]
        return Now(decision_changes, self._rows)


class DecisionProjection(Telling):
    """A decision, and what stands beside it."""

    TYPES: ClassVar[frozenset[type[Event]]] = frozenset(
        (DecisionAcknowledged, BudgetLineTied, DecisionAmended, DecisionPublished, DecisionFactRetracted)
    )
    CORRECTING: ClassVar[frozenset[type[Event]]] = frozenset()

    __slots__ = (
        "_acknowledgements",
        "_agreed",
        "_changes",
        "_day_of",
        "_errata",
        "_key",
        "_lines",
        "_position",
        "_tied",
        "_visibility",
    )

    def __init__(self, recorded: Recorded, day_of: DayOf) -> None:
        event = recorded.data
        assert isinstance(event, DecisionAgreed)
        self._day_of = day_of
        self._agreed = event
        self._visibility = VisibilityByDay(event.visibility, recorded.position)
        self._position = recorded.position
        self._key = recorded.stream_id.hex
        self._changes = _Changes(self._key)
        self._acknowledgements = Entries(acknowledgements)
        self._lines = Entries(budget_lines)
        self._tied: list[Tied] = []
        self._errata = Entries(errata)

    def apply(self, recorded: Recorded) -> Iterable[Now]:
        """See `Projection.apply`."""
        when = effective_day(recorded, self._day_of), recorded, self._day_of
        yield self._changes.add(recorded)
        match recorded.data:
            case DecisionAgreed() as event:
                yield self._decision()
                yield Now(decision_commitments, _commitments_named(event, self._key))
                yield readers_of(recorded.stream_id, concerned=event.organizations, others=event.circle)
                if event.effect is not None and event.effect.referral is not None:
                    yield from self._referral(event.effect.referral.body, recorded)
                yield from self._budget_gaps()
            case DecisionPublished() as event:
                self._visibility.take_in(event, recorded.position)
                yield self._decision()
                yield shown_by_day(recorded.stream_id, self._visibility)
            case DecisionAcknowledged() as event:
                yield self._acknowledgements.add(
                    (self._key,),
                    *when,
                    outcome=event.outcome.value,
                    remarks=event.remarks,
                    organization=recorded.recorded_by.organization,
                )
            case BudgetLineTied() as event:
                yield self._lines.add(
                    (self._key, event.fiscal_year, event.code),
                    *when,
                    amount=event.amount,
                    currency=event.currency,
                    request=event.request.value,
                    reason=event.reason,
                    reallocated_from=json_text(event.reallocated_from),
                )
                self._tied.append(Tied(when[0], recorded.position, event))
                yield from self._budget_gaps()
            case DecisionAmended() as event:
                yield self._errata.add(
                    (self._key, event.erratum),
                    *when,
                    reads=event.reads,
                    should_read=event.should_read,
                    reason=event.reason,
                )

    @property
    def about(self) -> About:
        """See `Telling.about`."""
        return About(Kind.DECISION, self._key, self._agreed.number)

    def answers(self) -> Answers:
        """See `Telling.answers`: what was agreed stays, and what is said of it is told by day."""
        return answers_of(
            [self._acknowledgements.now(), self._lines.now(), *self._budget_gaps()], self._agreed.agreed_on
        )

    def shown_on(self, day: date) -> Visibility:
        """See `Telling.shown_on`."""
        return self._visibility.shown_on(day)

    def days_shown(self) -> Iterable[date]:
        """See `Telling.days_shown`."""
        return self._visibility.days()

    def _referral(self, body: str | None, recorded: Recorded) -> Iterable[Now]:
        if body is not None:
            yield only(
                referrals,
                (self._key,),
                recorded_on=self._day_of(recorded.recorded_at),
                recorded_at=instant_text(recorded.recorded_at),
                recorded_position=recorded.position,
                body=body,
            )

    def _decision(self) -> Now:
        event, impact = self._agreed, self._agreed.budget_impact
        return only(
            decisions,
            (self._key,),
            number=event.number,
            agreed_at=self._position,
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
            reallocated_from=json_text(() if impact is None else impact.reallocated_from),
            visibility=self._visibility.now.value,
        )

    def _budget_gaps(self) -> Iterable[Now]:
        impact = self._agreed.budget_impact
        if impact is None:
            return
        found = budget_gaps_by_day(impact, self._agreed.agreed_on, self._position, self._tied)
        yield Now(
            budget_gaps,
            {
                (self._key, gap.value): [
                    (day, tuple(standing or (None, None, None))) for day, standing in days
                ]
                for gap, days in found.items()
            },
        )


def _commitments_named(event: DecisionAgreed, decision: str) -> dict[Key, ByDay]:
    """The commitments a decision names, and whether only in what it does."""
    in_effect = () if event.effect is None else event.effect.commitments()
    named = dict.fromkeys(in_effect, True) | dict.fromkeys(event.commitments, False)
    return {(decision, code): [(None, (in_effect_only,))] for code, in_effect_only in named.items()}


class OutcomeProjection:
    """What became of a decision where commitments are kept."""

    TYPES: ClassVar[frozenset[type[Event]]] = frozenset((DecisionCarriedOut, DecisionWaived))

    __slots__ = ("_changes", "_day_of", "_difficulty", "_key", "_outcomes")

    def __init__(self, recorded: Recorded, day_of: DayOf) -> None:
        event = recorded.data
        assert isinstance(event, DecisionCarriedOut | DecisionUnresolved)
        self._day_of = day_of
        self._key = (stream_of("decision", event.decision).hex,)
        self._changes = _Changes(*self._key)
        self._outcomes = Entries(outcomes)
        self._difficulty: DecisionUnresolved | None = None

    def apply(self, recorded: Recorded) -> Iterable[Now]:
        """See `Projection.apply`."""
        yield self._changes.add(recorded)
        day, did, remarks = _FROM_THE_FIRST, tuple[Any, ...](), None
        match recorded.data:
            case DecisionUnresolved() as event:
                self._difficulty = event
                state = UNRESOLVED
            case DecisionCarriedOut() as event:
                state = CARRIED_OUT if self._difficulty is None else RESOLVED
                did, remarks = event.did, event.remarks
            case DecisionWaived() as event:
                day, state, remarks = effective_day(recorded, self._day_of), WAIVED, event.remarks
            case _:
                return
        yield self._outcomes.add(
            self._key,
            day,
            recorded,
            self._day_of,
            state=state,
            did=json_text(did),
            difficulty=None if self._difficulty is None else json_text(self._difficulty),
            remarks=remarks,
        )
