"""Random histories of decisions and of what is said of them, and a plain replay of them.

The replay shares nothing with the read model: it goes through the events known at a position one by one, and, for how
long a gap has been one, back through the calendar day by day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

from hypothesis import strategies as st

from shared.clock import Clock
from shared.events.commitments import DecisionCarriedOut, DecisionUnresolved, DecisionWaived
from shared.events.facts import Event
from shared.events.meeting_vocabulary import Acknowledgement, BudgetRequest, DecisionKind, ItemOutcome
from shared.events.meetings import (
    BudgetLineTied,
    DecisionAcknowledged,
    DecisionAgreed,
    DecisionAmended,
    Effect,
    Ending,
    MeetingConvened,
    MeetingHeld,
    MinutesApproved,
    Referral,
)
from shared.events.retractions import DecisionFactRetracted
from tests.services.reporting.gatherings import Told, committee, convened, cost, decided, held
from tests.services.reporting.meeting_histories import Entry, Known, mistakes, without_mistakes

SPAN = 12
"""Days over which a history happens: few, so that much falls on one day, and much is entered late."""
OUTCOMES: dict[str, tuple[type[Event], ...]] = {
    "none": (),
    "carried_out": (DecisionCarriedOut,),
    "unresolved": (DecisionUnresolved,),
    "resolved": (DecisionUnresolved, DecisionCarriedOut),
    "waived": (DecisionUnresolved, DecisionWaived),
}
day_of = Clock().day_of


def _said(number: str, day: st.SearchStrategy[date | None]) -> st.SearchStrategy[Told]:
    acknowledged = st.builds(DecisionAcknowledged, outcome=st.sampled_from(Acknowledgement), effective_on=day)
    tied = st.builds(
        BudgetLineTied,
        fiscal_year=st.sampled_from([2013, 2013, 2013, 2014]),
        code=st.sampled_from(["24-01", "24-01", "24-02"]),
        amount=st.sampled_from(["0.000001", "600.25", "1200.499999", "1200.5"]),
        currency=st.sampled_from(["CLP", "CLP", "CLP", "USD"]),
        request=st.sampled_from(BudgetRequest),
        reallocated_from=st.sampled_from([(), (), ("24-09",)]),
        effective_on=day,
    )
    return st.one_of(acknowledged, tied, tied).map(lambda event: Told("decision", number, event))


@st.composite
def histories(draw: st.DrawFn, body: str, epoch: date) -> list[Entry]:
    """What is said of two decisions, one of which costs something, in the order in which the log learns it."""
    numbers = [f"{body}-2012-{n + 1:03}" for n in range(2)]
    costs = [cost(2013, taken_from=draw(st.sampled_from([(), ("24-09",)]))), None]
    # The second is referred to a body, which may take it up again.
    addressee = f"{body}-R"
    referral = Effect(referral=Referral(to="The other body", body=addressee))
    story = [
        Entry(committee(addressee), 0),
        Entry(decided(numbers[0], epoch, budget_impact=costs[0]), 0),
        Entry(decided(numbers[1], epoch, kind=DecisionKind.REFER, effect=referral), 0),
    ]
    becoming = {number: list(OUTCOMES[draw(st.sampled_from(sorted(OUTCOMES)))]) for number in numbers}
    days = st.none() | st.integers(0, SPAN).map(lambda n: epoch + timedelta(days=n))
    errata, day = dict.fromkeys(numbers, 0), 0
    for _ in range(draw(st.integers(0, 30))):
        day = min(SPAN, day + draw(st.sampled_from([0, 1, 2])))
        number = draw(st.sampled_from(numbers))
        match draw(st.sampled_from(["said", "said", "said", "erratum", "outcome", "meeting", "mistake"])):
            case "meeting":
                by = draw(st.sampled_from([addressee, addressee, body]))
                told = _took_up(by, f"{body}-{len(story)}", numbers[1], draw(days), draw(_outcomes), epoch)
                story += [Entry(one, day) for one in told]
            case "said":
                story.append(Entry(draw(_said(number, days)), day))
            case "mistake":
                mistaken = mistakes(story, "decision", number, DecisionAcknowledged, BudgetLineTied)
                if mistaken:
                    version = draw(st.sampled_from(mistaken))
                    taken_back = DecisionFactRetracted(
                        version=version, reason="typo", retracted="decisions.x"
                    )
                    story.append(Entry(Told("decision", number, taken_back), day))
                    if draw(st.booleans()):  # and what was taken back is recorded again
                        of_it = [one.told for one in story if one.told[:2] == ("decision", number)]
                        story.append(Entry(of_it[version - 1], day))
            case "erratum":
                errata[number] += 1
                event = DecisionAmended(erratum=errata[number], reads="a", should_read="b", reason="r")
                story.append(Entry(Told("decision", number, event), day))
            case "outcome" if becoming[number]:
                event_type = becoming[number].pop(0)
                story.append(Entry(Told("decision-outcome", number, _became(event_type, number)), day))
    return story


_outcomes = st.sampled_from([ItemOutcome.POSTPONED, ItemOutcome.POSTPONED, ItemOutcome.AGREED, None])


def _took_up(
    body: str, code: str, number: str, day: date | None, outcome: ItemOutcome | None, epoch: date
) -> list[Told]:
    """A body took a decision up again, in a meeting the minutes of which were approved."""
    ending = Ending(item=1, title="Again", outcome=outcome, decisions=(number,))
    approved = MinutesApproved(draft=1, digest="0", endings=(ending,))
    return [
        convened(body, code, day or epoch),
        held(code, day or epoch),
        Told("meeting", code, approved),
    ]


def _became(event_type: type[Event], number: str) -> Event:
    if event_type is DecisionCarriedOut:
        return DecisionCarriedOut(decision=number, did=())
    if event_type is DecisionUnresolved:
        return DecisionUnresolved(decision=number, code="c", reason="r")
    return DecisionWaived(decision=number, remarks="r")


# --- the replay ----------------------------------------------------------------------------------------------------


class Asked(NamedTuple):
    """A question: up to which position, on which day, and how many days the budget office has to say something."""

    position: int
    on: date
    days: int


def replayed(log: Sequence[Known], asked: Asked) -> dict[str, dict[str, Any]]:
    """By number: what stands beside each decision agreed by then, and what its record lacks."""
    found = {}
    log = without_mistakes([known for known in log if known.position <= asked.position])
    for known in log:
        event = known.told.event
        if not isinstance(event, DecisionAgreed) or known.position > asked.position:
            continue
        if event.agreed_on <= asked.on:
            found[event.number] = _decision(event, known.position, log, asked)
    return found


def _decision(agreed: DecisionAgreed, position: int, log: Sequence[Known], asked: Asked) -> dict[str, Any]:
    told = [one for one in log if one.told.code == agreed.number and one.position <= asked.position]
    said = _last_said(told, asked.on)
    return {
        "position": position,
        "acknowledged": said and (_place(said), said.told.event.outcome),  # type: ignore[attr-defined]
        "lines": {
            key: (_place(one), one.told.event.request)  # type: ignore[attr-defined]
            for key, one in _lines(told, asked.on).items()
        },
        "errata": sorted(one.position for one in _errata(told, asked.on)),
        "outcome": _outcome(agreed, told, log, asked),
        "gaps": dict(_gaps(agreed, position, told, asked)),
    }


def _gaps(agreed: DecisionAgreed, position: int, told: Sequence[Known], asked: Asked) -> Any:
    said = _last_said(told, asked.on)
    if (
        said is None
        and agreed.budget_impact is not None
        and asked.on > agreed.agreed_on + timedelta(days=asked.days)
    ):
        yield "not_acknowledged", (agreed.agreed_on + timedelta(days=asked.days + 1), position, None)
    if said is not None and said.told.event.outcome is Acknowledgement.DISPUTED:  # type: ignore[attr-defined]
        yield "disputed", (*_place(said), None)
    if agreed.budget_impact is not None:
        for word, amount in _of_money(agreed, _lines(told, asked.on)).items():
            since = asked.on
            while since > agreed.agreed_on and word in _of_money(agreed, _lines(told, since - timedelta(1))):
                since -= timedelta(days=1)
            yield word, (since, _opened_it(word, agreed, position, told, since), amount)
    if said is not None:
        later = [_place(one) for one in _errata(told, asked.on) if _place(one) > _place(said)]
        if later:
            yield "amended_after_acknowledgement", (*min(later), None)


def _opened_it(word: str, agreed: DecisionAgreed, position: int, told: Sequence[Known], since: date) -> int:
    """The last event of its first day before which it did not stand, and after which it did.

    What is told of an earlier day was there before, even if it was recorded later.
    """
    stood, opened = since == agreed.agreed_on and word in _of_money(agreed, {}), position
    of_the_day = sorted(one.position for one in _of(told, since, BudgetLineTied) if _place(one)[0] == since)
    for place in of_the_day:
        stands = word in _of_money(
            agreed, _lines([one for one in told if _place(one) <= (since, place)], since)
        )
        if stands and not stood:
            opened = place
        stood = stands
    return opened


def _of_money(agreed: DecisionAgreed, lines: dict[Any, Known]) -> dict[str, Fraction]:
    """Which words hold of the money of a decision, and of how much, when these are its lines."""
    impact = agreed.budget_impact
    assert impact is not None
    events = [one.told.event for one in lines.values()]
    of_year = [one for one in events if isinstance(one, BudgetLineTied) and one.fiscal_year == 2013]
    pesos = [one for one in of_year if one.currency == "CLP"]
    first = sum((Fraction(one.amount) for one in pesos if one.request is BudgetRequest.FIRST), Fraction())
    missing = Fraction(impact.amount) - first
    found = {}
    if missing > 0:
        found["no_line_in_first_request"] = missing
        if first > 0:
            found["short"] = missing
        if first == 0 and pesos:
            found["only_later"] = missing
        if len(of_year) > len(pesos):
            found["other_currency"] = missing
    if missing < 0:
        found["over"] = -missing
    if not impact.reallocated_from and not any(one.reallocated_from for one in of_year):
        found["source_not_named"] = Fraction(impact.amount)
    return found


def _place(one: Known) -> tuple[date, int]:
    named = getattr(one.told.event, "effective_on", None)
    return named or day_of(one.recorded_at), one.position


def _of(told: Sequence[Known], on: date, event_type: type[Event]) -> list[Known]:
    by_then = [one for one in told if isinstance(one.told.event, event_type) and _place(one)[0] <= on]
    return sorted(by_then, key=_place)


def _last_said(told: Sequence[Known], on: date) -> Known | None:
    said = _of(told, on, DecisionAcknowledged)
    return said[-1] if said else None


def _lines(told: Sequence[Known], on: date) -> dict[tuple[int, str], Known]:
    return {
        (one.told.event.fiscal_year, one.told.event.code): one  # type: ignore[attr-defined]
        for one in _of(told, on, BudgetLineTied)
    }


def _errata(told: Sequence[Known], on: date) -> list[Known]:
    return _of(told, on, DecisionAmended)


def _outcome(agreed: DecisionAgreed, told: Sequence[Known], log: Sequence[Known], asked: Asked) -> str | None:
    """What was referred is pending until the body it was referred to ends it, unless there was a difficulty."""
    became = _carried_out(told, asked.on)
    if agreed.effect is None or became in ("unresolved", "waived"):
        return became
    assert agreed.effect.referral is not None
    by_then = [one.told for one in log if one.position <= asked.position]
    convened_by = {one.code: one.event.body for one in by_then if isinstance(one.event, MeetingConvened)}
    held_on = {one.code: day_of(one.event.held_at) for one in by_then if isinstance(one.event, MeetingHeld)}
    for one in by_then:
        if isinstance(one.event, MinutesApproved) and convened_by[one.code] == agreed.effect.referral.body:
            (ending,) = one.event.endings
            if held_on[one.code] <= asked.on and ending.outcome is not ItemOutcome.POSTPONED:
                return became
    return "pending"


def _carried_out(told: Sequence[Known], on: date) -> str | None:
    """What a decision does, or cannot, is of the day it was agreed; somebody waives it on another day."""
    types = [type(one.told.event) for one in told if one.told.kind == "decision-outcome"]
    if DecisionWaived in types and not _of(told, on, DecisionWaived):
        types.remove(DecisionWaived)
    return next((word for word, events in OUTCOMES.items() if types and list(events) == types), None)
