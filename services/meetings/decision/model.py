"""One decision: what the budget office says of it, the budget line it ends in, and who may know of it.

Its text is that of the sealed minutes and never changes; errata stand beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TypeVar

import msgspec

from shared.aggregate.aggregate import Aggregate, DayOf, Entry, entry_of, evolves
from shared.aggregate.command import Context
from shared.aggregate.redaction import Readers
from shared.errors import InvalidInput, RuleBroken
from shared.eventlog.envelope import Recorded
from shared.events.facts import Event
from shared.events.meeting_vocabulary import Acknowledgement, Financing
from shared.events.meetings import (
    BudgetLineTied,
    DecisionAcknowledged,
    DecisionAgreed,
    DecisionAmended,
    DecisionPublished,
    MeetingPublished,
)
from shared.events.texts import folded_code
from shared.events.vocabulary import Visibility
from shared.rules import guards
from shared.rules.dated_facts import VisibilityByDay
from shared.rules.visibility import narrower

E = TypeVar("E", bound=Event)
replace = msgspec.structs.replace


class Decision(Aggregate):
    """One decision, from the approval of the minutes that hold it."""

    __slots__ = ("acknowledgements", "agreed", "amendments", "budget_lines", "publications", "visibilities")

    BEGINS_WITH = (DecisionAgreed,)

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded)
        self.agreed: Entry[DecisionAgreed] = entry_of(recorded)
        self.visibilities = VisibilityByDay(self.agreed.event.visibility, recorded.position)
        self.acknowledgements: tuple[Entry[DecisionAcknowledged], ...] = ()
        self.budget_lines: tuple[Entry[BudgetLineTied], ...] = ()
        self.amendments: tuple[Entry[DecisionAmended], ...] = ()
        self.publications: tuple[Entry[DecisionPublished], ...] = ()

    # --- what holds ------------------------------------------------------------------------------------------------

    @property
    def number(self) -> str:
        """What it is called."""
        return self.agreed.event.number

    @property
    def visibility(self) -> Visibility:
        """Who may know of it."""
        return self.visibilities.now

    def readers(self) -> Readers:
        """Who may know of it."""
        agreed = self.agreed.event
        return Readers(self.visibility, (*agreed.circle, *agreed.organizations))

    def acknowledgement(self, day_of: DayOf, day: date = date.max) -> Entry[DecisionAcknowledged] | None:
        """What the budget office had last said by a day."""
        return _last(self.acknowledgements, day_of, day)

    def is_pending(self, day_of: DayOf) -> bool:
        """Whether the budget office has yet to agree: it disputes it, or has said nothing of what it costs.

        A decision without a budget impact does not wait for it.
        """
        last = self.acknowledgement(day_of)
        if last is None:
            return self.agreed.event.budget_impact is not None
        return last.event.outcome is not Acknowledgement.AGREED

    def amended_since_acknowledged(self, day_of: DayOf, day: date = date.max) -> bool:
        """Whether by a day an erratum had come after what the budget office had last said."""
        last, amended = self.acknowledgement(day_of, day), _last(self.amendments, day_of, day)
        return bool(last and amended and amended.order(day_of) > last.order(day_of))

    def lines(self, day_of: DayOf, day: date = date.max) -> dict[tuple[int, str], Entry[BudgetLineTied]]:
        """What had last been said of each line by a day, by fiscal year and code."""
        tied = sorted(_by(self.budget_lines, day_of, day), key=lambda one: one.order(day_of))
        return {(one.event.fiscal_year, one.event.code): one for one in tied}

    # --- what may happen to it -------------------------------------------------------------------------------------

    def acknowledge(self, proposed: DecisionAcknowledged, context: Context) -> DecisionAcknowledged:
        """The budget office says whether this is what was agreed, or on which earlier day it said so.

        It may change its mind, or speak to an erratum.
        """
        day, day_of = self._day(proposed.effective_on, context), context.clock.day_of
        if proposed.outcome is Acknowledgement.DISPUTED:
            guards.reason_given(proposed.remarks, "Disputing a decision", "/remarks")
        last = self.acknowledgement(day_of, day)
        amended = self.amended_since_acknowledged(day_of, day)
        if last is not None and last.event.outcome is proposed.outcome and not amended:
            raise RuleBroken(
                "already-acknowledged", f"The budget office had already said: {proposed.outcome}."
            )
        return replace(proposed, effective_on=day)

    @evolves(DecisionAcknowledged)
    def _acknowledged(self, entry: Entry[DecisionAcknowledged]) -> None:
        self.acknowledgements = (*self.acknowledgements, entry)

    def tie_budget_line(self, proposed: BudgetLineTied, context: Context) -> BudgetLineTied:
        """Names the budget line in which the decision ended, and whether it was in the first request of the year.

        Naming the same line again replaces what was said, and needs a reason.
        """
        day = self._day(proposed.effective_on, context)
        fiscal_year(proposed.fiscal_year, "/fiscal_year")
        guards.text_given(proposed.code, "The code of a budget line", "/code")
        positive_amount(proposed.amount, "/amount")
        guards.currency(proposed.currency, "/currency")
        impact = self.agreed.event.budget_impact
        financing = None if impact is None else impact.financing
        taken_from(proposed.reallocated_from, financing, "/reallocated_from")
        day_of = context.clock.day_of
        proposed = replace(proposed, code=self._code_on_record(proposed.fiscal_year, proposed.code, day_of))
        tied = self.lines(day_of, day).get((proposed.fiscal_year, proposed.code))
        if tied is not None:
            before = tied.event
            if replace(before, reason=proposed.reason, effective_on=proposed.effective_on) == proposed:
                raise RuleBroken("budget-line-already-tied", "This line is tied to it already, just so.")
            guards.reason_given(proposed.reason, "Changing what was said of a budget line")
        return replace(proposed, effective_on=day)

    def _code_on_record(self, year: int, code: str, day_of: DayOf) -> str:
        """The code as a line of that year has it already: one line, however it is written."""
        codes = [known for of, known in self.lines(day_of) if of == year]
        same = (known for known in codes if folded_code(known) == folded_code(code))
        return code if code in codes else next(same, code)

    @evolves(BudgetLineTied)
    def _budget_line_tied(self, entry: Entry[BudgetLineTied]) -> None:
        self.budget_lines = (*self.budget_lines, entry)

    @evolves(DecisionAmended)
    def _amended(self, entry: Entry[DecisionAmended]) -> None:
        self.amendments = (*self.amendments, entry)

    def publish(
        self, proposed: DecisionPublished, meeting: Visibility, context: Context
    ) -> DecisionPublished:
        """Changes who may know of the decision: at least those who may know of its meeting, whose minutes hold it."""
        guards.reason_given(proposed.reason, "A publication")
        if proposed.effective_on is not None:
            self._day(proposed.effective_on, context)
        previous = self.visibilities.before(proposed)
        if narrower(proposed.visibility, meeting):
            raise RuleBroken("narrower-than-meeting", f"Its meeting is {meeting}, and the minutes hold it.")
        return replace(proposed, previous=previous)

    def publish_with_meeting(self, meeting: MeetingPublished, previous: Visibility) -> DecisionPublished:
        """Whoever may know of its meeting from now on may know of it, too."""
        return DecisionPublished(
            visibility=meeting.visibility,
            previous=previous,
            reason=meeting.reason,
            effective_on=meeting.effective_on,
        )

    @evolves(DecisionPublished)
    def _published(self, entry: Entry[DecisionPublished]) -> None:
        self.visibilities.take_in(entry.event, entry.position)
        self.publications = (*self.publications, entry)

    def _day(self, day: date | None, context: Context) -> date:
        """The day from which something said of it holds: today where none is named."""
        day = guards.not_after_today(day or context.today, context.today)
        agreed_on = self.agreed.event.agreed_on
        if day < agreed_on:
            raise InvalidInput(
                "date-before-decision", f"It was agreed on {agreed_on}.", pointer="/effective_on"
            )
        return day


def fiscal_year(year: int, pointer: str) -> int:
    """A year that a budget can be for."""
    if not 1900 <= year <= 2200:
        raise InvalidInput("fiscal-year-impossible", "A fiscal year is a calendar year.", pointer=pointer)
    return year


def positive_amount(text: str, pointer: str) -> str:
    """A decimal number above zero as text."""
    if guards.amount(text, pointer).startswith("-") or not any(digit in text for digit in "123456789"):
        raise InvalidInput(
            "amount-not-positive", "What a decision costs, or a line holds, is above zero.", pointer=pointer
        )
    return text


def taken_from(lines: Sequence[str], financing: Financing | None, pointer: str) -> None:
    """Only money that is moved within the budget is taken from other lines."""
    if lines and financing is not Financing.REALLOCATION:
        raise InvalidInput(
            "not-a-reallocation",
            "Only a decision financed by reallocation takes its money from other lines.",
            pointer=pointer,
        )


def _by(entries: Sequence[Entry[E]], day_of: DayOf, day: date) -> list[Entry[E]]:
    return [one for one in entries if one.day(day_of) <= day]


def _last(entries: Sequence[Entry[E]], day_of: DayOf, day: date) -> Entry[E] | None:
    return max(_by(entries, day_of, day), key=lambda one: one.order(day_of), default=None)
