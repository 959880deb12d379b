"""Whether the money of a decision was asked for in time: its budget impact held against the lines tied to it.

What counts is the sum of the lines in the first request of the impact's fiscal year, in its currency. A reallocation
needs its line as any other: the money has to stand somewhere. Amounts in another currency or for another year close
nothing; no rate turns one into the other here.

    no_line_in_first_request   that sum is below the impact; the next three say more of such a shortfall
    only_later                 nothing of it was in the first request, something in a later one
    short                      some of it was in the first request
    other_currency             some line of that year is in another currency
    over                       that sum is above the impact
    source_not_named           it is moved within the budget, and neither the minutes nor a line say where from
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from typing import Final, NamedTuple

from shared.events.meeting_vocabulary import BudgetRequest, Financing
from shared.events.meetings import BudgetImpact, BudgetLineTied

RULE: Final = "budget_gaps_1"


class BudgetGap(StrEnum):
    """What the lines of a decision lack of its budget impact, or have beyond it."""

    NO_LINE_IN_FIRST_REQUEST = "no_line_in_first_request"
    ONLY_LATER = "only_later"
    SHORT = "short"
    OTHER_CURRENCY = "other_currency"
    OVER = "over"
    SOURCE_NOT_NAMED = "source_not_named"


SHORTFALLS: Final = (BudgetGap.ONLY_LATER, BudgetGap.SHORT, BudgetGap.OTHER_CURRENCY)
"""What a shortfall is, more closely; more than one may be."""


class Tied(NamedTuple):
    """What was said of a line: the day from which it holds, and the position of its event."""

    day: date
    position: int
    line: BudgetLineTied


class Standing(NamedTuple):
    """A gap that stands: the first day of it, the event that opened it, and how much it is of."""

    since_on: date
    because: int
    amount: str


def budget_gaps(impact: BudgetImpact, lines: Iterable[BudgetLineTied]) -> dict[BudgetGap, Decimal]:
    """The gaps between an impact and the lines that hold, each with its amount in the currency of the impact."""
    due, of_year = Decimal(impact.amount), [one for one in lines if one.fiscal_year == impact.fiscal_year]
    asked = dict.fromkeys(BudgetRequest, Decimal())
    for line in of_year:
        if line.currency == impact.currency:
            asked[line.request] += Decimal(line.amount)
    first, found = asked[BudgetRequest.FIRST], dict[BudgetGap, Decimal]()
    if first < due:
        found[BudgetGap.NO_LINE_IN_FIRST_REQUEST] = due - first
        if first:
            found[BudgetGap.SHORT] = due - first
        elif asked[BudgetRequest.LATER]:
            found[BudgetGap.ONLY_LATER] = due - first
        if any(line.currency != impact.currency for line in of_year):
            found[BudgetGap.OTHER_CURRENCY] = due - first
    if first > due:
        found[BudgetGap.OVER] = first - due
    named = impact.reallocated_from or any(line.reallocated_from for line in of_year)
    if impact.financing is Financing.REALLOCATION and not named:
        found[BudgetGap.SOURCE_NOT_NAMED] = due
    return found


def budget_gaps_by_day(
    impact: BudgetImpact, agreed_on: date, position: int, tied: Sequence[Tied]
) -> dict[BudgetGap, list[tuple[date, Standing | None]]]:
    """For each gap that ever stands, how it stands from which day on, from the agreement at a position of the log.

    A line counts from its day until it is said anew. A gap is as old as the days on which it stood without a break; of
    several events of its first day, the one that opened it for good is its reason.
    """
    lines: dict[tuple[int, str], BudgetLineTied] = {}
    open_since: dict[BudgetGap, tuple[date, int]] = dict.fromkeys(
        budget_gaps(impact, ()), (agreed_on, position)
    )
    found: dict[BudgetGap, list[tuple[date, Standing | None]]] = {
        gap: [(agreed_on, Standing(agreed_on, position, amount_text(amount)))]
        for gap, amount in budget_gaps(impact, ()).items()
    }
    in_order = sorted(tied, key=lambda one: one[:2])
    for day, told in groupby(in_order, key=lambda one: max(one.day, agreed_on)):
        on_the_eve = {} if day == agreed_on else dict(open_since)
        standing: dict[BudgetGap, Decimal] = {}
        for one in told:
            lines[one.line.fiscal_year, one.line.code] = one.line
            standing = budget_gaps(impact, lines.values())
            open_since = {gap: open_since.get(gap, (day, one.position)) for gap in standing}
        open_since = {gap: on_the_eve.get(gap, since) for gap, since in open_since.items()}
        for gap in {*found, *standing}:
            now = Standing(*open_since[gap], amount_text(standing[gap])) if gap in standing else None
            found.setdefault(gap, []).append((day, now))
    for days in found.values():
        if len(days) > 1 and days[0][0] == days[1][0]:
            del days[0]  # of the first day counts what holds at its end
    return found


def amount_text(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
