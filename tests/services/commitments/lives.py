"""Lives that a commitment can have: whatever is asked of it, and whatever of that the domain lets happen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from services.commitments.commitment.model import Commitment, Successor
from shared.errors import BitacoraError
from shared.eventlog.envelope import Recorded
from shared.events.commitments import (
    Assessed,
    BudgetEstimated,
    BudgetLine,
    Commented,
    Completed,
    Corrected,
    DeadlineRevised,
    Discarded,
    Escalated,
    Evidence,
    LeadReassigned,
    Merged,
    MilestoneCompleted,
    MilestoneSet,
    ProgressReported,
    ProgressReviewed,
    Reopened,
    RisksAssessed,
    Split,
    VisibilityChanged,
)
from shared.events.facts import COMPUTED, Event
from shared.events.vocabulary import DeadlineKind, DiscardReason, Judgement, ReviewOutcome, Visibility
from tests.services.commitments.documented import decisions, proposed
from tests.services.commitments.promises import BRUNO, INTERIOR, KNOWN, TODAY, registered
from tests.support.scenario import ANA, STREAM, on

Ask = Callable[[Commitment], Event]
ACTORS = st.sampled_from([ANA, BRUNO, INTERIOR])
DAYS = st.dates(date(2012, 5, 1), TODAY)
ANY_DAY = st.dates(date(2012, 1, 1), date(2014, 12, 31))
WORDS = st.text(min_size=1, max_size=20).filter(str.strip)
NUMBERS = st.integers(1, 3)
PERCENTS = st.decimals(0, 100, places=2)
EVIDENCE = st.lists(st.builds(Evidence, description=WORDS, dated_on=st.none() | DAYS), max_size=2).map(tuple)
LINES = st.lists(
    st.builds(
        BudgetLine,
        amount=st.decimals(-1000, 1000, places=2).map(lambda amount: f"{amount:f}"),
        currency=st.just("CLP"),
        year=st.none() | st.integers(2010, 2015),
    ),
    max_size=3,
).map(tuple)
CORRECTIONS = st.one_of(
    st.tuples(st.just("title"), WORDS),
    st.tuples(st.just("effective_on"), DAYS.map(date.isoformat)),
    st.tuples(st.just("lead_organization"), st.sampled_from(["HEALTH", "INTERIOR"])),
    st.tuples(st.just("public_deadline"), st.none() | ANY_DAY.map(lambda day: {"on": day.isoformat()})),
    st.tuples(st.just("key_words"), st.lists(WORDS, max_size=3)),
    st.tuples(st.just("responsible_service"), st.none() | st.sampled_from(["HEALTH", "INTERIOR"])),
    st.tuples(
        st.just("collaborating_organizations"), st.lists(st.sampled_from(["HEALTH", "INTERIOR"]), max_size=2)
    ),
)


WITH_DRAWN_FIELDS: set[type[Event]] = {Corrected}


def asking(
    decide: Callable[..., Event], event: type[Event], *known: Any, **drawn: st.SearchStrategy[Any]
) -> st.SearchStrategy[Ask]:
    """An event proposed with drawn fields, by somebody, where `known` is known."""

    WITH_DRAWN_FIELDS.add(event)

    def ask(fields: dict[str, Any], actor: Any) -> Ask:
        return lambda it: decide(it, event(**fields), on(TODAY, actor), *known)

    return st.builds(ask, st.fixed_dictionaries(drawn), ACTORS)


def correcting(drawn: tuple[str, Any]) -> st.SearchStrategy[Ask]:
    """A correction of a field to a value."""
    field, value = drawn
    return asking(
        Commitment.correct, Corrected, KNOWN, field=st.just(field), value=st.just(value), reason=WORDS
    )


DRAWN = (
    asking(
        Commitment.assess,
        Assessed,
        judgement=st.sampled_from(Judgement),
        reason=WORDS,
        effective_on=DAYS,
        rating=st.none() | WORDS,
    ),
    asking(Commitment.assess_risks, RisksAssessed, effective_on=DAYS, change_management=st.integers(1, 4)),
    asking(Commitment.estimate_budget, BudgetEstimated, effective_on=DAYS, lines=LINES),
    asking(Commitment.comment, Commented, text=WORDS, effective_on=st.just(TODAY)),
    asking(
        Commitment.report_progress,
        ProgressReported,
        period=st.just("2012-Q2"),
        effective_on=DAYS,
        observed_progress=WORDS,
        stage=st.none() | WORDS,
        percent=st.none() | PERCENTS,
        evidence=EVIDENCE,
    ),
    asking(
        Commitment.review_progress,
        ProgressReviewed,
        report=NUMBERS,
        outcome=st.sampled_from(ReviewOutcome),
        reason=WORDS,
    ),
    asking(
        Commitment.set_milestone,
        MilestoneSet,
        name=WORDS,
        due_on=ANY_DAY,
        number=st.just(COMPUTED) | NUMBERS,
        reason=WORDS,
        effective_on=st.none() | DAYS,
    ),
    asking(
        Commitment.complete_milestone,
        MilestoneCompleted,
        number=NUMBERS,
        completed_on=DAYS,
        evidence=EVIDENCE,
    ),
    asking(
        Commitment.revise_deadline,
        DeadlineRevised,
        deadline=st.sampled_from(DeadlineKind),
        on=ANY_DAY,
        reason=WORDS,
        effective_on=DAYS,
    ),
    asking(
        Commitment.reassign_lead,
        LeadReassigned,
        KNOWN,
        lead_organization=st.sampled_from(["HEALTH", "INTERIOR"]),
        reason=WORDS,
        effective_on=DAYS,
    ),
    asking(Commitment.complete, Completed, evidence=EVIDENCE, completed_on=DAYS),
    asking(
        Commitment.discard,
        Discarded,
        reason_type=st.sampled_from(DiscardReason),
        reason=WORDS,
        effective_on=DAYS,
    ),
    asking(
        Commitment.merge,
        Merged,
        Successor("SEG-1", open=True),
        into=st.just("SEG-1"),
        reason=WORDS,
        effective_on=DAYS,
    ),
    asking(
        Commitment.split,
        Split,
        ("SEG-14-A", "SEG-14-B"),
        reason=WORDS,
        effective_on=DAYS,
    ),
    asking(Commitment.reopen, Reopened, reason=WORDS, effective_on=DAYS),
    asking(
        Commitment.change_visibility, VisibilityChanged, visibility=st.sampled_from(Visibility), reason=WORDS
    ),
    CORRECTIONS.flatmap(correcting),
    asking(Commitment.note_escalation, Escalated, decision=WORDS, effective_on=DAYS),
)


def asking_as_documented() -> list[st.SearchStrategy[Ask]]:
    """The decisions of which nothing is drawn above, asked for with the documented example on some day."""

    def asked(
        event: type[Event], method: Callable[..., Event], known: tuple[Any, ...]
    ) -> Callable[[date], Ask]:
        return lambda day: lambda it: method(it, proposed(event, day), on(TODAY), *known)

    return [
        DAYS.map(asked(event, method, (KNOWN,)[: arguments - 3]))
        for event, method, arguments in decisions()
        if event not in WITH_DRAWN_FIELDS
    ]


ASKS: st.SearchStrategy[Ask] = st.one_of(*DRAWN, *asking_as_documented())


def lived(event: Event, number: int) -> Recorded:
    """The event as the process that wrote it takes it in, without reading it back."""
    return Recorded(
        position=number,
        recorded_at=datetime(2012, 1, 1, 12, tzinfo=UTC) + timedelta(seconds=number),
        type=event.TYPE,
        stream_id=STREAM,
        version=number,
        recorded_by=ANA,
        correlation_id="test",
        data=event,
    )


def lives(asks: list[Ask]) -> tuple[Commitment, list[Recorded]]:
    """A commitment that lived through what the domain let happen, and the events of its life."""
    first = lived(registered(), 1)
    live = Commitment.begin(first)
    assert live is not None
    history = [first]
    for ask in asks:
        try:
            event = ask(live)
        except BitacoraError:
            continue
        history.append(lived(event, len(history) + 1))
        live.apply(history[-1])
    return live, history
