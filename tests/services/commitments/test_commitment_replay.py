"""A commitment replayed from the log is the commitment that lived through it, whatever happened to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.commitments.api.rendering import rendered
from services.commitments.domain.commitment import Commitment
from services.commitments.domain.entries import Successor
from services.meetings.application.disclosures import CommitmentCircle
from shared.errors import BitacoraError
from shared.eventlog.envelope import Recorded
from shared.events.commitments import EVENTS, BudgetLine, Evidence
from shared.events.facts import Event, Unknown
from shared.events.vocabulary import DeadlineKind, DiscardReason, Judgement, ReviewOutcome, Visibility
from shared.rules.dated_facts import DatedFacts, History
from tests.services.commitments.promises import BRUNO, INTERIOR, KNOWN, TODAY, registered
from tests.support.scenario import ANA, STREAM, recorded

Ask = Callable[[Commitment], Event]
ACTORS = st.sampled_from([ANA, BRUNO, INTERIOR])
DAYS = st.dates(date(2012, 1, 1), TODAY)
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


def asking(method: str, **drawn: st.SearchStrategy[Any]) -> st.SearchStrategy[Ask]:
    """A command with drawn arguments."""
    return st.fixed_dictionaries(drawn).map(lambda given: lambda it: getattr(it, method)(**given))


def dated(method: str, **drawn: st.SearchStrategy[Any]) -> st.SearchStrategy[Ask]:
    return asking(method, today=st.just(TODAY), **drawn)


ASKS: st.SearchStrategy[Ask] = st.one_of(
    dated(
        "assess",
        judgement=st.sampled_from(Judgement),
        reason=WORDS,
        effective_on=DAYS,
        rating=st.none() | WORDS,
    ),
    dated("assess_risks", effective_on=DAYS, change_management=st.integers(1, 4)),
    dated("estimate_budget", effective_on=DAYS, lines=LINES),
    dated("comment", actor=ACTORS, text=WORDS),
    dated(
        "report_progress",
        actor=ACTORS,
        period=st.just("2012-Q2"),
        effective_on=DAYS,
        observed_progress=WORDS,
        stage=st.none() | WORDS,
        percent=st.none() | PERCENTS,
        evidence=EVIDENCE,
    ),
    asking(
        "review_progress", actor=ACTORS, report=NUMBERS, outcome=st.sampled_from(ReviewOutcome), reason=WORDS
    ),
    dated("set_milestone", name=WORDS, due_on=ANY_DAY, number=st.none() | NUMBERS, reason=WORDS),
    dated("complete_milestone", actor=ACTORS, number=NUMBERS, completed_on=DAYS, evidence=EVIDENCE),
    dated(
        "revise_deadline", deadline=st.sampled_from(DeadlineKind), on=ANY_DAY, reason=WORDS, effective_on=DAYS
    ),
    dated(
        "reassign_lead",
        known=st.just(KNOWN),
        lead_organization=st.sampled_from(["HEALTH", "INTERIOR"]),
        reason=WORDS,
        effective_on=DAYS,
    ),
    dated("complete", evidence=EVIDENCE, completed_on=DAYS),
    dated("discard", reason_type=st.sampled_from(DiscardReason), reason=WORDS, effective_on=DAYS),
    dated("merge", into=st.just(Successor("SEG-1", open=True)), reason=WORDS, effective_on=DAYS),
    dated("reopen", reason=WORDS, effective_on=DAYS),
    asking("change_visibility", visibility=st.sampled_from(Visibility), reason=WORDS),
    CORRECTIONS.flatmap(
        lambda drawn: dated(
            "correct", known=st.just(KNOWN), field=st.just(drawn[0]), value=st.just(drawn[1]), reason=WORDS
        )
    ),
    dated("note_escalation", decision=WORDS, effective_on=DAYS),
)


def state(thing: Any) -> Any:
    """Everything a commitment holds, comparable."""
    if isinstance(thing, Commitment | DatedFacts | History):
        slots = {slot for cls in type(thing).__mro__ for slot in getattr(cls, "__slots__", ())}
        return {slot: state(getattr(thing, slot)) for slot in slots}
    return thing


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
    told = [first]
    for ask in asks:
        try:
            event = ask(live)
        except BitacoraError:
            continue
        told.append(lived(event, len(told) + 1))
        live.apply(told[-1])
    return live, told


@given(st.lists(ASKS, max_size=25))
def test_replaying_the_bytes_gives_what_living_through_it_gave(asks: list[Ask]) -> None:
    live, told = lives(asks)
    replayed = Commitment.begin(recorded(told[0].data, 1))
    assert replayed is not None
    for item in told[1:]:
        replayed.apply(recorded(item.data, item.version))
    assert state(replayed) == state(live)
    for day in (date(2012, 6, 1), TODAY):
        assert rendered(replayed, day) == rendered(live, day)


@given(st.lists(ASKS, max_size=25))
def test_where_meetings_are_kept_it_is_known_to_the_same_circle(asks: list[Ask]) -> None:
    live, told = lives(asks)
    circle = CommitmentCircle.begin(told[0])
    assert circle is not None
    for item in told[1:]:
        circle.apply(item)
    assert (circle.visibility, circle.once_reserved) == (live.visibility, live.once_reserved)
    assert circle.organizations() == live.concerned()
    assert live.once_reserved == any(
        getattr(item.data, "visibility", None) is Visibility.RESERVED for item in told
    )


def test_the_property_reaches_every_kind_of_event() -> None:
    """Were a command always refused, the property above would say nothing of its event."""
    seen: set[str] = set()

    @settings(derandomize=True, max_examples=60, suppress_health_check=list(HealthCheck))
    @given(st.lists(ASKS, min_size=60, max_size=80))
    def live_through(asks: list[Ask]) -> None:
        it = Commitment.begin(lived(registered(), 1))
        assert it is not None
        for ask in asks:
            try:
                event = ask(it)
            except BitacoraError:
                continue
            seen.add(event.TYPE)
            it.apply(lived(event, it.version + 1))

    live_through()
    elsewhere = ("organization", "pillar", "commitments.registered", "commitments.decision_")
    assert seen >= {event.TYPE for event in EVENTS if not any(word in event.TYPE for word in elsewhere)}


def test_an_event_of_an_unknown_type_moves_the_version_and_nothing_else() -> None:
    it = Commitment.begin(lived(registered(), 1))
    other = Commitment.begin(lived(registered(), 1))
    assert it is not None
    assert other is not None
    it.apply(lived(Unknown(type_name="commitments.sung_about", raw=b"{}"), 2))
    assert it.version == 2
    assert it.position == 2
    it.version, it.position, it.recorded_at = other.version, other.position, other.recorded_at
    assert state(it) == state(other)


def test_a_stream_of_another_kind_is_no_commitment() -> None:
    assert Commitment.begin(lived(Unknown(type_name="x", raw=b"{}"), 1)) is None


@pytest.mark.parametrize("percent", ["12.50", "0", "100", "33.333"])
def test_a_percentage_is_shown_as_it_was_told(percent: str) -> None:
    it = Commitment.begin(recorded(registered(), 1))
    assert it is not None
    told = it.report_progress(today=TODAY, actor=ANA, period="2012", percent=Decimal(percent))
    it.apply(recorded(told, 2))
    assert f'"percent":{percent}'.encode() in rendered(it, TODAY)
