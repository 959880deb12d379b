"""One decision: what the budget office says of it, the budget line it ends in, and who may know of it.

Its text is that of the sealed minutes and never changes; errata stand beside it.
"""

from __future__ import annotations

from typing import Self

from services.meetings.domain import guards
from services.meetings.domain.folding import Entry, Folded, changed_by
from shared.errors import InvalidInput, RuleBroken
from shared.eventlog.envelope import Recorded
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


class Decision(Folded):
    """One decision, folded from its events."""

    __slots__ = ("acknowledgements", "agreed", "amendments", "budget_lines", "publications", "visibility")

    def __init__(self, event: DecisionAgreed, recorded: Recorded) -> None:
        super().__init__(recorded)
        self.agreed: Entry[DecisionAgreed] = Entry(event, recorded.recorded_by, recorded.position)
        self.visibility = event.visibility
        self.acknowledgements: tuple[Entry[DecisionAcknowledged], ...] = ()
        self.budget_lines: dict[tuple[int, str], Entry[BudgetLineTied]] = {}
        """What was last said of each line, by fiscal year and code."""
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

    @property
    def acknowledgement(self) -> Entry[DecisionAcknowledged] | None:
        """What the budget office last said."""
        return self.acknowledgements[-1] if self.acknowledgements else None

    @property
    def amended_since_acknowledged(self) -> bool:
        """Whether an erratum came after the budget office last said something."""
        last = self.acknowledgement
        return bool(last and self.amendments and self.amendments[-1].position > last.position)

    def acknowledge(self, *, outcome: Acknowledgement, remarks: str | None = None) -> DecisionAcknowledged:
        """The budget office says whether this is what was agreed; it may change its mind, or speak to an erratum."""
        if outcome is Acknowledgement.DISPUTED:
            guards.reason_given(remarks, "Disputing a decision", "/remarks")
        last = self.acknowledgement
        if last is not None and last.said.outcome is outcome and not self.amended_since_acknowledged:
            raise RuleBroken("already-acknowledged", f"The budget office already said: {outcome}.")
        return DecisionAcknowledged(outcome=outcome, remarks=remarks)

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
        reason: str | None = None,
    ) -> BudgetLineTied:
        """The line it ended in is named; naming the same line again replaces what was said, and needs a reason."""
        guards.fiscal_year(fiscal_year)
        guards.text_given(code, "The code of a budget line", "/code")
        guards.amount(amount, "/amount")
        guards.currency(currency, "/currency")
        if amount.startswith("-"):
            raise InvalidInput(
                "amount-negative", "A budget line holds an amount of money.", pointer="/amount"
            )
        tied = self.budget_lines.get((fiscal_year, code))
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
        )

    @changed_by(BudgetLineTied)
    def _budget_line_tied(self, entry: Entry[BudgetLineTied]) -> None:
        self.budget_lines = {**self.budget_lines, (entry.said.fiscal_year, entry.said.code): entry}

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
