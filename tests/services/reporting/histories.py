"""Random histories of commitments, and a plain replay of them: what should be on the board, worked out from scratch.

The replay shares nothing with the read model but the status rule: for each attribute it looks through all events known
at a position for the one that speaks on a day.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from hypothesis import strategies as st

from shared.events.commitments import (
    Assessed,
    Commented,
    Completed,
    Corrected,
    DeadlineRevised,
    Discarded,
    Evidence,
    InternalDeadline,
    LeadReassigned,
    Merged,
    Origin,
    PublicDeadline,
    Registered,
    Reopened,
    VisibilityChanged,
)
from shared.events.facts import Event
from shared.events.vocabulary import (
    CommitmentKind,
    DeadlineKind,
    DiscardReason,
    Judgement,
    OriginKind,
    ResultType,
    Visibility,
)
from shared.rules.traffic_light import Closure, Standing, verdict_on

EPOCH = date(2012, 1, 1)
SPAN = 12
COMMITMENTS = 3
PILLARS = ("health", "education", None)
MINISTRIES = ("a", "b", "c")

days = st.integers(0, SPAN).map(lambda n: EPOCH + timedelta(days=n))
first_days = st.integers(0, 3).map(lambda n: EPOCH + timedelta(days=n))
maybe_days = st.none() | days


def _deadline(kind: Callable[..., Any]) -> st.SearchStrategy[Any]:
    return maybe_days.map(lambda day: None if day is None else kind(on=day))


def registrations(code: str, tag: str) -> st.SearchStrategy[Event]:
    """A commitment as it enters the record."""
    return st.builds(
        Registered,
        code=st.just(code),
        title=st.sampled_from(["First title", "Another\ttitle\\with\nsigns"]),
        lead_organization=st.sampled_from(MINISTRIES).map(lambda name: f"{tag}-{name}"),
        effective_on=first_days,
        kind=st.sampled_from(CommitmentKind),
        visibility=st.sampled_from(Visibility),
        pillar=st.sampled_from(PILLARS),
        result_type=st.none() | st.sampled_from(ResultType),
        origin=st.none() | st.sampled_from(OriginKind).map(lambda kind: Origin(kind=kind)),
        public_deadline=_deadline(PublicDeadline),
        internal_deadline=_deadline(InternalDeadline),
        collaborating_organizations=st.lists(
            st.sampled_from(MINISTRIES).map(lambda name: f"{tag}-{name}"), max_size=2, unique=True
        ).map(tuple),
    )


def corrections(tag: str) -> st.SearchStrategy[Event]:
    """A field of the registration that was wrong from the start."""

    def deadline_value(day: date | None) -> Any:
        return None if day is None else {"on": day.isoformat()}

    values: dict[str, st.SearchStrategy[Any]] = {
        "title": st.just("Corrected title"),
        "pillar": st.sampled_from(PILLARS),
        "kind": st.sampled_from(CommitmentKind).map(str),
        "result_type": st.none() | st.sampled_from(ResultType).map(str),
        "origin": st.none() | st.sampled_from(OriginKind).map(lambda kind: {"kind": str(kind)}),
        "lead_organization": st.sampled_from(MINISTRIES).map(lambda name: f"{tag}-{name}"),
        "public_deadline": maybe_days.map(deadline_value),
        "internal_deadline": maybe_days.map(deadline_value),
        "effective_on": first_days.map(date.isoformat),
        "collaborating_organizations": st.just([f"{tag}-c"]),
        "goal": st.just("not a matter of the board"),
    }
    return st.sampled_from(sorted(values)).flatmap(
        lambda field: values[field].map(lambda value: Corrected(field=field, value=value, reason="wrong"))
    )


def happenings(tag: str) -> st.SearchStrategy[Event]:
    """Anything that can happen to a commitment, on any day, in any order."""
    return st.one_of(
        st.builds(Assessed, effective_on=days, judgement=st.none() | st.sampled_from(Judgement)),
        st.builds(
            DeadlineRevised,
            deadline=st.sampled_from(DeadlineKind),
            on=days,
            effective_on=days,
            reason=st.just("r"),
        ),
        st.builds(
            LeadReassigned,
            lead_organization=st.sampled_from(MINISTRIES).map(lambda name: f"{tag}-{name}"),
            previous=st.just("x"),
            effective_on=days,
            reason=st.just("r"),
        ),
        st.builds(Completed, completed_on=days, evidence=st.just((Evidence(description="e"),))),
        st.builds(
            Discarded, reason_type=st.sampled_from(DiscardReason), reason=st.just("r"), effective_on=days
        ),
        st.builds(Reopened, reason=st.just("r"), effective_on=days),
        st.builds(
            Merged,
            into=st.integers(0, COMMITMENTS - 1).map(lambda n: f"{tag}-{n}"),
            reason=st.just("r"),
            effective_on=days,
        ),
        st.builds(
            VisibilityChanged,
            visibility=st.sampled_from(Visibility),
            previous=st.just(Visibility.INTERNAL),
            reason=st.just("r"),
        ),
        corrections(tag),
        st.builds(Commented, text=st.just("t"), effective_on=days),
        # A stream begins once; a second beginning is to change nothing.
        registrations("again", tag),
    )


@st.composite
def histories(draw: st.DrawFn, tag: str) -> list[tuple[str, Event]]:
    """A history of several commitments, each event with the code of its commitment."""
    story: list[tuple[str, Event]] = []
    begun: set[str] = set()
    for number in draw(st.lists(st.integers(0, COMMITMENTS - 1), min_size=10, max_size=30)):
        code = f"{tag}-{number}"
        story.append((code, draw(happenings(tag) if code in begun else registrations(code, tag))))
        begun.add(code)
    return story


class Expected(NamedTuple):
    """What the board should say of a commitment."""

    code: str
    title: str
    status: str | None
    because: int
    judgement: str | None
    public_deadline: date | None
    internal_deadline: date | None
    lead: str
    pillar: str | None
    kind: str
    origin: str | None
    result_type: str | None
    visibility: str
    merged_into: str | None


Told = Sequence[tuple[int, Event]]


def replayed(told: Told, on: date) -> Expected | None:
    """What should be on the board on a day of a commitment of which these events, with their positions, are known."""
    if not told:
        return None
    registered_at, first = told[0]
    assert isinstance(first, Registered)
    later = [(position, event) for position, event in told[1:] if not isinstance(event, Registered)]
    fields: dict[str, tuple[Any, int]] = {
        "effective_on": (first.effective_on, registered_at),
        "title": (first.title, registered_at),
        "pillar": (first.pillar, registered_at),
        "kind": (str(first.kind), registered_at),
        "result_type": (first.result_type and str(first.result_type), registered_at),
        "origin": (first.origin and str(first.origin.kind), registered_at),
        "visibility": (str(first.visibility), registered_at),
        "lead_organization": (first.lead_organization, registered_at),
        "public_deadline": (first.public_deadline and first.public_deadline.on, registered_at),
        "internal_deadline": (first.internal_deadline and first.internal_deadline.on, registered_at),
    }
    for position, event in later:
        if isinstance(event, Corrected) and event.field in fields:
            fields[event.field] = (_plain(event.field, event.value), position)
        if isinstance(event, VisibilityChanged):
            fields["visibility"] = (str(event.visibility), position)
    if on < fields["effective_on"][0]:
        return None

    def speaks(of: Callable[[Event], tuple[date, Any] | None], otherwise: tuple[Any, int]) -> tuple[Any, int]:
        said = [
            (*found, position)
            for position, event in later
            if (found := of(event)) is not None and found[0] <= on
        ]
        if not said:
            return otherwise
        _day, value, position = max(said, key=lambda entry: (entry[0], entry[2]))
        return value, position

    closure, closure_at = speaks(_closure, (None, registered_at))
    judgement, judgement_at = speaks(
        lambda e: (e.effective_on, e.judgement) if isinstance(e, Assessed) else None, (None, registered_at)
    )
    public, public_at = speaks(_revised(DeadlineKind.PUBLIC), fields["public_deadline"])
    internal, internal_at = speaks(_revised(DeadlineKind.INTERNAL), fields["internal_deadline"])
    lead, lead_at = speaks(
        lambda e: (e.effective_on, e.lead_organization) if isinstance(e, LeadReassigned) else None,
        fields["lead_organization"],
    )
    verdict = verdict_on(
        Standing(
            registered_at=registered_at,
            lead_organization=lead,
            lead_at=lead_at,
            closure=closure,
            closure_at=closure_at,
            judgement=judgement,
            judgement_at=judgement_at if judgement else None,
            public_deadline=public,
            public_deadline_at=public_at,
            internal_deadline=internal,
            internal_deadline_at=internal_at,
        ),
        on,
    )
    into = dict(told)[closure_at] if closure is Closure.MERGED else None
    return Expected(
        code=first.code,
        title=fields["title"][0],
        status=verdict.status and str(verdict.status),
        because=verdict.because,
        judgement=judgement and str(judgement),
        public_deadline=public,
        internal_deadline=internal,
        lead=lead,
        pillar=fields["pillar"][0],
        kind=fields["kind"][0],
        origin=fields["origin"][0],
        result_type=fields["result_type"][0],
        visibility=fields["visibility"][0],
        merged_into=into.into if isinstance(into, Merged) else None,
    )


def concerned(told: Told, on: date = date.max) -> set[str]:
    """The organisations that lead a commitment, or work on it, as far as these events tell."""
    expected = replayed(told, on)
    if expected is None:
        return set()
    collaborating: set[str] = set()
    for _, event in told:
        if isinstance(event, Registered) and not collaborating and event is told[0][1]:
            collaborating = set(event.collaborating_organizations)
        if isinstance(event, Corrected) and event.field == "collaborating_organizations":
            collaborating = set(event.value)
    return collaborating | {expected.lead}


def _closure(event: Event) -> tuple[date, Closure | None] | None:
    match event:
        case Completed():
            return event.completed_on, Closure.ACHIEVED
        case Discarded():
            return event.effective_on, Closure.DISCARDED
        case Merged():
            return event.effective_on, Closure.MERGED
        case Reopened():
            return event.effective_on, None
    return None


def _revised(kind: DeadlineKind) -> Callable[[Event], tuple[date, date] | None]:
    def of(event: Event) -> tuple[date, date] | None:
        if isinstance(event, DeadlineRevised) and event.deadline is kind:
            return event.effective_on, event.on
        return None

    return of


def _plain(field: str, value: Any) -> Any:
    if value is None:
        return None
    if field == "effective_on":
        return date.fromisoformat(value)
    if field.endswith("deadline"):
        return date.fromisoformat(value["on"])
    return value["kind"] if field == "origin" else value
