"""One decision: what the budget office says of it, the budget line it ends in, and who may know of it.

Its text is that of the sealed minutes and never changes; errata stand beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Self, TypeVar

from services.meetings.domain import guards
from services.meetings.domain.folding import DayOf, Entry, Folded, changed_by, entry_of
from shared.errors import InvalidInput, RuleBroken
from shared.eventlog.envelope import Recorded
from shared.events.facts import Event
from shared.events.meeting_vocabulary import Acknowledgement, BudgetRequest
from shared.events.meetings import (
    BudgetLineTied,
    DecisionAcknowledged,
    DecisionAgreed,
    DecisionAmended,
    DecisionPublished,
)
from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor
from shared.rules.visibility import may_see

E = TypeVar("E", bound=Event)


class Decision(Folded):
    """One decision, folded from its events."""

    __slots__ = ("acknowledgements", "agreed", "amendments", "budget_lines", "publications", "visibility")

    def __init__(self, event: DecisionAgreed, recorded: Recorded) -> None:
        super().__init__(recorded)
        self.agreed: Entry[DecisionAgreed] = entry_of(recorded)
        self.visibility = event.visibility
        self.acknowledgements: tuple[Entry[DecisionAcknowledged], ...] = ()
        self.budget_lines: tuple[Entry[BudgetLineTied], ...] = ()
        self.amendments: tuple[Entry[DecisionAmended], ...] = ()
        self.publications: tuple[Entry[DecisionPublished], ...] = ()

    @classmethod
    def begin(cls, recorded: Recorded) -> Self | None:
        """The decision that the first event of a stream tells of, if it tells of one."""
        return cls(recorded.data, recorded) if isinstance(recorded.data, DecisionAgreed) else None

    @property
    def number(self) -> str:
        """What it is called."""
        return self.agreed.said.number

    @property
    def once_reserved(self) -> bool:
        """Whether it is reserved, or ever was."""
        told = (self.agreed.said.visibility, *(one.said.visibility for one in self.publications))
        return Visibility.RESERVED in told

    def circle(self) -> tuple[str, ...]:
        """The organisations that know of it while it is reserved."""
        return (*self.agreed.said.circle, *self.agreed.said.organizations)

    def may_be_known_to(self, actor: Actor) -> bool:
        """Whether an actor may know of it."""
        return may_see(actor, self.visibility, self.circle())

    def acknowledgement(self, day_of: DayOf, day: date = date.max) -> Entry[DecisionAcknowledged] | None:
        """What the budget office had last said by a day."""
        return _last(self.acknowledgements, day_of, day)

    def amended_since_acknowledged(self, day_of: DayOf, day: date = date.max) -> bool:
        """Whether by a day an erratum had come after what the budget office had last said."""
        said, amended = self.acknowledgement(day_of, day), _last(self.amendments, day_of, day)
        return bool(said and amended and amended.order(day_of) > said.order(day_of))

    def acknowledge(
        self,
        *,
        outcome: Acknowledgement,
        today: date,
        day_of: DayOf,
        remarks: str | None = None,
        effective_on: date | None = None,
    ) -> DecisionAcknowledged:
        """The budget office says whether this is what was agreed; it may change its mind, or speak to an erratum."""
        day = self._day(effective_on, today)
        if outcome is Acknowledgement.DISPUTED:
            guards.reason_given(remarks, "Disputing a decision", "/remarks")
        last = self.acknowledgement(day_of, day)
        amended = self.amended_since_acknowledged(day_of, day)
        if last is not None and last.said.outcome is outcome and not amended:
            raise RuleBroken("already-acknowledged", f"The budget office had already said: {outcome}.")
        return DecisionAcknowledged(outcome=outcome, remarks=remarks, effective_on=day)

    @changed_by(DecisionAcknowledged)
    def _acknowledged(self, entry: Entry[DecisionAcknowledged]) -> None:
        self.acknowledgements = (*self.acknowledgements, entry)

    def tie_budget_line(
        self,
        *,
        fiscal_year: int,
        code: str,
        amount: str,
        currency: str,
        request: BudgetRequest,
        today: date,
        day_of: DayOf,
        reason: str | None = None,
        effective_on: date | None = None,
    ) -> BudgetLineTied:
        """The line it ended in is named; naming the same line again replaces what was said, and needs a reason."""
        day = self._day(effective_on, today)
        guards.fiscal_year(fiscal_year)
        guards.text_given(code, "The code of a budget line", "/code")
        guards.positive_amount(amount, "/amount")
        guards.currency(currency, "/currency")
        tied = self.lines(day_of, day).get((fiscal_year, code))
        if tied is not None:
            said = tied.said
            if (said.amount, said.currency, said.request) == (amount, currency, request):
                raise RuleBroken("budget-line-already-tied", "This line is tied to it already, just so.")
            guards.reason_given(reason, "Changing what was said of a budget line")
        return BudgetLineTied(
            fiscal_year=fiscal_year,
            code=code,
            amount=amount,
            currency=currency,
            request=request,
            reason=reason,
            effective_on=day,
        )

    @changed_by(BudgetLineTied)
    def _budget_line_tied(self, entry: Entry[BudgetLineTied]) -> None:
        self.budget_lines = (*self.budget_lines, entry)

    def lines(self, day_of: DayOf, day: date = date.max) -> dict[tuple[int, str], Entry[BudgetLineTied]]:
        """What had last been said of each line by a day, by fiscal year and code."""
        told = sorted(_by(self.budget_lines, day_of, day), key=lambda one: one.order(day_of))
        return {(one.said.fiscal_year, one.said.code): one for one in told}

    @changed_by(DecisionAmended)
    def _amended(self, entry: Entry[DecisionAmended]) -> None:
        self.amendments = (*self.amendments, entry)

    def publish(self, *, visibility: Visibility, reason: str, meeting: Visibility) -> DecisionPublished:
        """Others may know of it, or no longer so: never fewer than may know of its meeting, whose minutes hold it."""
        guards.reason_given(reason, "A publication")
        if visibility is self.visibility:
            raise RuleBroken("visibility-unchanged", f"It is {visibility} already.")
        if guards.narrower(visibility, meeting):
            raise RuleBroken("narrower-than-meeting", f"Its meeting is {meeting}, and the minutes hold it.")
        return DecisionPublished(visibility=visibility, previous=self.visibility, reason=reason)

    def publish_with_meeting(self, *, visibility: Visibility, reason: str) -> DecisionPublished:
        """Whoever may know of its meeting from now on may know of it, too."""
        return DecisionPublished(visibility=visibility, previous=self.visibility, reason=reason)

    @changed_by(DecisionPublished)
    def _published(self, entry: Entry[DecisionPublished]) -> None:
        self.visibility = entry.said.visibility
        self.publications = (*self.publications, entry)

    def _day(self, day: date | None, today: date) -> date:
        """The day from which something said of it holds."""
        agreed_on, day = self.agreed.said.agreed_on, guards.not_after_today(day, today)
        if day < agreed_on:
            why = f"It was agreed on {agreed_on}."
            raise InvalidInput("date-before-decision", why, pointer="/effective_on")
        return day


def _by(told: Sequence[Entry[E]], day_of: DayOf, day: date) -> list[Entry[E]]:
    return [one for one in told if one.day(day_of) <= day]


def _last(told: Sequence[Entry[E]], day_of: DayOf, day: date) -> Entry[E] | None:
    return max(_by(told, day_of, day), key=lambda one: one.order(day_of), default=None)
