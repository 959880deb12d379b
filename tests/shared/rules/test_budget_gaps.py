"""The lines of a decision against its budget impact, by amount."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from shared.events.meeting_vocabulary import BudgetRequest, Financing
from shared.events.meetings import BudgetImpact, BudgetLineTied
from shared.rules.budget_gaps import BudgetGap, amount_text, budget_gaps

MILLIONTHS = 10**6
amounts = st.one_of(st.integers(1, 5), st.integers(1, 10**24 - 1))
"""In millionths: small ones, which often add up to the same, and all that can be written."""


def written(millionths: int) -> str:
    whole, rest = divmod(millionths, MILLIONTHS)
    return f"{whole}.{rest:06}"


@st.composite
def lines(draw: st.DrawFn) -> tuple[BudgetLineTied, int]:
    """A line, and what of it counts for an impact in pesos of 2013."""
    amount = draw(amounts)
    line = BudgetLineTied(
        fiscal_year=draw(st.sampled_from([2012, 2013])),
        code="24-01",
        amount=written(amount),
        currency=draw(st.sampled_from(["CLP", "USD"])),
        request=draw(st.sampled_from(BudgetRequest)),
    )
    counts = (line.fiscal_year, line.currency, line.request) == (2013, "CLP", BudgetRequest.FIRST)
    return line, amount if counts else 0


@given(due=amounts, tied=st.lists(lines(), max_size=6), financing=st.sampled_from(Financing))
def test_the_first_request_of_the_year_and_currency_reaches_the_impact_exactly_when_no_amount_gap_stands(
    due: int, tied: list[tuple[BudgetLineTied, int]], financing: Financing
) -> None:
    impact = BudgetImpact(amount=written(due), currency="CLP", fiscal_year=2013, financing=financing)
    found = budget_gaps(impact, [line for line, _ in tied])
    asked = sum(counts for _, counts in tied)
    assert (asked >= due) == (BudgetGap.NO_LINE_IN_FIRST_REQUEST not in found)
    assert (asked > due) == (BudgetGap.OVER in found)
    differing = found.get(BudgetGap.NO_LINE_IN_FIRST_REQUEST) or found.get(BudgetGap.OVER) or Decimal()
    assert int(differing * MILLIONTHS) == abs(asked - due)


def test_an_amount_is_written_without_what_says_nothing() -> None:
    texts = {"1000": "1000", "0.100000": "0.1", "1200.50": "1200.5", "5.000000": "5", "1E+3": "1000"}
    assert {text: amount_text(Decimal(text)) for text in texts} == texts
