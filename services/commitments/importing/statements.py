"""What one row states of a commitment that is on record, and what of it is new.

A statement that was made before is passed over without asking the domain again: the commitment may have been closed
since, and then could not take what it took then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import TypeVar

from services.commitments.domain.commitment import Commitment
from services.commitments.domain.registration import Known
from services.commitments.importing.holdings import Holding, as_told
from services.commitments.importing.interpreting import period_of
from services.commitments.importing.mapping import Mapping
from services.commitments.importing.observation import Observation
from shared.events.commitments import (
    Assessed,
    BudgetEstimated,
    Commented,
    DeadlineRevised,
    LeadReassigned,
    ProgressReported,
)
from shared.events.facts import Event
from shared.events.vocabulary import DeadlineKind, Judgement
from shared.identity.actor import Actor

E = TypeVar("E", bound=Event)

Stated = Iterator[Event]


class Statements:
    """The statements of one row, in turn: each is decided when the one before it has been taken in."""

    def __init__(
        self,
        mapping: Mapping,
        observation: Observation,
        holding: Holding,
        *,
        actor: Actor,
        today: date,
        known: Known,
    ) -> None:
        assert holding.commitment is not None
        self._mapping = mapping
        self._row = observation
        self._day = observation.day
        self._holding = holding
        self._commitment: Commitment = holding.commitment
        self._actor = actor
        self._today = today
        self._known = known
        self._told = as_told(mapping.source, observation.day)
        self._first_day = self._commitment.dated.first_day
        self.column: str | None = None
        """The column that the statement now being decided is from."""

    def new(self, lead: str, title_before: str | None) -> Stated:
        """Everything the record does not know yet."""
        if self._day < self._first_day:
            self.column = self._mapping.date.column
            yield self._earlier_first_day()
        yield from self._lead(lead)
        yield from self._rating()
        yield from self._deadline(DeadlineKind.PUBLIC)
        yield from self._deadline(DeadlineKind.INTERNAL)
        yield from self._progress()
        yield from self._budget()
        yield from self._milestones()
        before = self._commitment.registration.title if title_before is None else title_before
        if self._mapping.title.renamed == "comment" and self._row.title != before:
            yield from self._comment(
                self._mapping.title.column, f"It is called “{self._row.title}”. {self._told}"
            )

    def _unless_known(self, column: str | None, said: E, decide: Callable[[E], Event]) -> Stated:
        if not self._holding.told.knows(said):
            self.column = column
            yield decide(said)

    def _earlier_first_day(self) -> Event:
        """A row from before the first day on record shows that the commitment was there earlier."""
        return self._commitment.correct(
            today=self._today,
            field="effective_on",
            value=self._day.isoformat(),
            reason=self._told,
            known=self._known,
        )

    def _lead(self, lead: str) -> Stated:
        later = self._commitment.lead_on(self._first_day)
        if self._commitment.lead_on(self._day) != lead:
            yield from self._reassigned(lead, self._day)
        # Who was named on the first day led from that day on, whoever is found to have led before.
        if self._day < self._first_day and self._commitment.lead_on(self._first_day) != later:
            yield from self._reassigned(later, self._first_day)

    def _reassigned(self, lead: str, day: date) -> Stated:
        return self._unless_known(
            self._mapping.lead.column,
            LeadReassigned(lead_organization=lead, previous="", effective_on=day, reason=self._told),
            lambda said: self._commitment.reassign_lead(
                today=self._today,
                lead_organization=said.lead_organization,
                reason=said.reason,
                effective_on=day,
                known=self._known,
            ),
        )

    def _rating(self) -> Stated:
        mapping, row = self._mapping.rating, self._row.rating
        if mapping is None or row is None:
            return
        reason = row.reason
        if reason is None and row.judgement is Judgement.AT_RISK:
            reason = f"“{row.rating}”, with no reason given. {self._told}"
        yield from self._unless_known(
            mapping.reason or mapping.columns[0],
            Assessed(
                effective_on=self._day,
                judgement=row.judgement,
                reason=reason,
                rating=row.rating,
                scale=mapping.scale,
            ),
            lambda said: self._commitment.assess(
                today=self._today,
                judgement=said.judgement,
                reason=said.reason,
                effective_on=self._day,
                rating=said.rating,
                scale=said.scale,
            ),
        )

    def _deadline(self, kind: DeadlineKind) -> Stated:
        public = kind is DeadlineKind.PUBLIC
        mapping = self._mapping.deadline if public else self._mapping.internal_deadline
        row = self._row.deadline if public else self._row.internal_deadline
        if mapping is None or row is None:
            return
        dated = self._commitment.dated
        history = dated.public_deadlines if public else dated.internal_deadlines
        present = history.on(self._day)[0]
        if row.on is None:
            registered = self._commitment.registration.no_deadline_reason if public else None
            if present is not None or row.prose != registered:
                text = f"No {kind} deadline is given: “{row.prose}”. {self._told}"
                yield from self._comment(mapping.column, text)
            return
        later = history.on(self._first_day)[0]
        if present != row.on:
            yield from self._revised(kind, mapping.column, row.on, self._day)
        # As with the lead: what was promised on the first day holds from that day on.
        if self._day < self._first_day and later is not None and history.on(self._first_day)[0] != later:
            yield from self._revised(kind, mapping.column, later, self._first_day)

    def _revised(self, kind: DeadlineKind, column: str, on: date, day: date) -> Stated:
        return self._unless_known(
            column,
            DeadlineRevised(deadline=kind, on=on, effective_on=day, reason=self._told),
            lambda said: self._commitment.revise_deadline(
                today=self._today, deadline=kind, on=on, reason=said.reason, effective_on=day
            ),
        )

    def _progress(self) -> Stated:
        mapping, row = self._mapping.progress, self._row.progress
        if mapping is None or row is None:
            return
        yield from self._unless_known(
            mapping.texts[0].column if mapping.texts else mapping.stage or mapping.percent,
            ProgressReported(
                number=0,
                period=period_of(self._day, mapping.period),
                effective_on=self._day,
                observed_progress=row.observed_progress,
                stage=row.stage,
                percent=row.percent,
                source=self._mapping.source,
            ),
            lambda said: self._commitment.report_progress(
                today=self._today,
                actor=self._actor,
                period=said.period,
                effective_on=self._day,
                observed_progress=said.observed_progress,
                stage=said.stage,
                percent=said.percent,
                source=said.source,
            ),
        )

    def _budget(self) -> Stated:
        mapping = self._mapping.budget
        if mapping is None or not self._row.budget:
            return
        yield from self._unless_known(
            mapping.figures[0].column,
            BudgetEstimated(effective_on=self._day, lines=self._row.budget, source=self._mapping.source),
            lambda said: self._commitment.estimate_budget(
                today=self._today, lines=said.lines, effective_on=self._day, source=said.source
            ),
        )

    def _milestones(self) -> Stated:
        """A milestone carries no day of its own, so an older row does not undo what a newer one said of it."""
        for column, name, due_on in self._row.milestones:
            planned, superseded = self._holding.told.planned(name, self._day)
            current = next(
                (m.plan.said for m in self._commitment.milestones if m.plan.said.name == name), None
            )
            before = planned or (None if current is None else current.due_on)
            if not superseded and due_on != before:
                self.column = column
                yield self._commitment.set_milestone(
                    today=self._today,
                    name=name,
                    due_on=due_on,
                    number=None if current is None else current.number,
                    reason=self._told,
                )

    def _comment(self, column: str, text: str) -> Stated:
        return self._unless_known(
            column,
            Commented(text=text, effective_on=self._day),
            lambda said: self._commitment.comment(
                today=self._today, actor=self._actor, text=said.text, effective_on=self._day
            ),
        )
