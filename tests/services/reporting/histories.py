"""Random histories of commitments, and a plain replay of them: what should be on the board, worked out from scratch.

The replay shares nothing with the read model, not even the status rule, which it states in its own words: for each
attribute it looks through all events known at a position for the one that counts on a day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple, TypeVar

from hypothesis import strategies as st

from shared.events.commitments import (
    Assessed,
    ChangeableField,
    Changed,
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
    ProgressReported,
    ProgressReviewed,
    PublicDeadline,
    Registered,
    Reopened,
    Split,
    VisibilityChanged,
)
from shared.events.facts import Event
from shared.events.retractions import CommitmentFactRetracted, Retraction
from shared.events.vocabulary import (
    CommitmentKind,
    DeadlineKind,
    DiscardReason,
    Judgement,
    OriginKind,
    ResultType,
    ReviewOutcome,
    Visibility,
)

EPOCH = date(2012, 1, 1)
SPAN = 12
COMMITMENTS = 3
T = TypeVar("T")

PILLARS = ("health", "education", None)
MINISTRIES = ("a", "b", "c")

Story = list[tuple[str, Event]]


def changed_in(event: Event) -> tuple[str, Any, date] | None:
    """Which field an event says is another one, what it is, and from which day on."""
    return (event.field, event.value, event.effective_on) if isinstance(event, Changed) else None


class Teller:
    """Makes up a history: any event on any day, in any order, from one seed."""

    def __init__(self, seed: int, tag: str) -> None:
        self._random = Random(seed)
        self._tag = tag
        self._reports = Counter[str]()

    def story(self, length: int) -> Story:
        """A history of several commitments, each event with the code of its commitment."""
        told: Story = []
        for _ in range(length):
            code = self._code()
            own = [event for of, event in told if of == code]
            told.append((code, self._further(code, own) if own else self._registration(code)))
        return told

    def _further(self, code: str, own: Sequence[Event]) -> Event:
        """One more event of a commitment of which these are told, or that one of them was a mistake."""
        gone = {event.version for event in own if isinstance(event, Retraction)}
        left = [
            (version, event)
            for version, event in enumerate(own, 1)
            if version not in {1, *gone} and not event.LASTING
        ]
        if left and self._random.random() < 0.15:
            version, event = self._one_of(left)
            return CommitmentFactRetracted(version=version, reason="typed wrong", retracted=event.TYPE)
        return self._happening(code)

    def _happening(self, code: str) -> Event:
        day = self._day()
        match self._random.randrange(17):
            case 0 | 1:
                return Assessed(
                    effective_on=day, judgement=self._one_of([None, *Judgement, Judgement.AT_RISK])
                )
            case 2 | 3:
                kind = self._one_of(list(DeadlineKind))
                return DeadlineRevised(deadline=kind, on=self._day(), effective_on=day, reason=self._reason())
            case 4:
                return LeadReassigned(
                    lead_organization=self._ministry(), previous="x", effective_on=day, reason="r"
                )
            case 5:
                if self._random.random() < 0.5:
                    evidence = (Evidence(description=self._reason()),)
                    return Completed(
                        completed_on=day, evidence=evidence, remarks=self._one_of([None, "done"])
                    )
                reason_type = self._one_of(list(DiscardReason))
                return Discarded(reason_type=reason_type, reason=self._reason(), effective_on=day)
            case 6:
                return self._one_of(
                    [
                        Merged(into=self._code(), reason="r", effective_on=day),
                        Split(parts=(self._code(), self._code()), reason="r", effective_on=day),
                    ]
                )
            case 7 | 8:
                return Reopened(reason="r", effective_on=day)
            case 9:
                seen = self._one_of(list(Visibility))
                return VisibilityChanged(
                    visibility=seen,
                    previous=Visibility.INTERNAL,
                    reason="r",
                    effective_on=self._one_of([None, day]),
                )
            case 10:
                # A stream begins once, so a second beginning is to change nothing; nor is a comment.
                return self._one_of([self._registration("again"), Commented(text="t", effective_on=day)])
            case 11 | 12:
                return self._change(day)
            case 13 | 14:
                return self._report(code, day)
            case 15:
                return ProgressReviewed(
                    report=1 + self._random.randrange(self._reports[code] + 1),
                    outcome=self._one_of([ReviewOutcome.ACCEPTED, *ReviewOutcome]),
                )
            case _:
                return self._correction()

    def _report(self, code: str, day: date) -> ProgressReported:
        self._reports[code] += 1
        return ProgressReported(
            number=self._reports[code],
            period=self._one_of(["2011-Q3", "2011-Q4", "2011-12"]),
            effective_on=day,
            observed_progress=self._one_of([None, self._reason()]),
            percent=self._one_of([None, Decimal("12.5"), Decimal(60)]),
            evidence=self._one_of([(), (Evidence(description="seen"),)]),
        )

    def _reason(self) -> str:
        return self._one_of(["one reason", "another"])

    def _registration(self, code: str) -> Registered:
        return Registered(
            code=code,
            title=self._one_of(["First title", "Another\ttitle\\with\nsigns"]),
            lead_organization=self._ministry(),
            effective_on=self._first_day(),
            kind=self._one_of(list(CommitmentKind)),
            visibility=self._one_of(list(Visibility)),
            pillar=self._one_of(PILLARS),
            parent=self._one_of([None, self._code()]),
            result_type=self._one_of([None, *ResultType]),
            origin=self._one_of([None, Origin(kind=OriginKind.COMMITTEE), self._speech()]),
            split_from=self._one_of([None, self._code()]),
            public_deadline=self._one_of([None, PublicDeadline(on=self._day())]),
            internal_deadline=self._one_of([None, InternalDeadline(on=self._day())]),
            collaborating_organizations=tuple({self._ministry() for _ in range(self._random.randrange(2))}),
        )

    def _speech(self) -> Origin:
        kind = self._one_of([OriginKind.MAY_21_SPEECH, OriginKind.CAMPAIGN_PROGRAMME])
        return Origin(kind=kind, source_on=self._one_of([None, date(2010, 5, 21), date(2011, 5, 21)]))

    def _change(self, day: date) -> Changed:
        field, value = self._one_of(
            [
                (ChangeableField.TITLE, self._one_of(["Changed title", "First title"])),
                (ChangeableField.PILLAR, self._one_of(PILLARS)),
                (ChangeableField.PARENT, self._one_of([None, self._code()])),
                (ChangeableField.PRIORITY, self._one_of(["high", None])),
                (ChangeableField.COLLABORATING_ORGANIZATIONS, [self._ministry()]),
                (ChangeableField.GOAL, self._one_of(["a goal", "another goal", None])),
                (ChangeableField.REGION, "RM"),
                (ChangeableField.KEY_WORDS, ["not a matter of the board"]),
            ]
        )
        return changed(field, value, day)

    def _correction(self) -> Corrected:
        deadline = self._one_of([None, {"on": self._day().isoformat()}])
        field, value = self._one_of(
            [
                ("title", "Corrected title"),
                ("pillar", self._one_of(PILLARS)),
                ("parent", self._one_of([None, self._code()])),
                ("priority", self._one_of([None, "low"])),
                ("kind", "action"),
                ("result_type", self._one_of([None, "outcome"])),
                ("origin", self._one_of([None, {"kind": "other_speech", "source_on": "2012-05-21"}])),
                ("lead_organization", self._ministry()),
                ("split_from", self._one_of([None, self._code()])),
                ("public_deadline", deadline),
                ("internal_deadline", deadline),
                ("effective_on", self._first_day().isoformat()),
                ("collaborating_organizations", [self._ministry()]),
                ("goal", self._one_of(["a goal", None])),
                ("background", "not a matter of the board"),
            ]
        )
        return Corrected(field=field, value=value, reason="wrong")

    def _code(self) -> str:
        return f"{self._tag}-{self._random.randrange(COMMITMENTS)}"

    def _ministry(self) -> str:
        return f"{self._tag}-{self._one_of(MINISTRIES)}"

    def _day(self) -> date:
        return EPOCH + timedelta(days=self._random.randrange(SPAN + 1))

    def _first_day(self) -> date:
        return EPOCH + timedelta(days=self._random.randrange(4))

    def _one_of(self, choices: Sequence[T]) -> T:
        return self._random.choice(choices)


def histories(tag: str) -> st.SearchStrategy[Story]:
    """Histories of between one and thirty events."""
    lengths = st.integers(0, 29).map(lambda fewer: 30 - fewer)
    return st.builds(lambda seed, length: Teller(seed, tag).story(length), st.integers(0, 2**32), lengths)


def changed(field: ChangeableField, value: Any, day: date) -> Changed:
    """A field is another one in the world from a day on."""
    return Changed(field=field, value=value, effective_on=day, reason="r")


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
    """Its own."""
    parent: str | None
    kind: str
    origin: str | None
    result_type: str | None
    visibility: str
    merged_into: str | None
    priority: str | None
    region: str | None
    late_days: int | None
    first_public_deadline: date | None
    public_revisions: int
    internal_revisions: int
    public_reason: str | None
    internal_reason: str | None
    discarded: tuple[str | None, str | None]
    goal: str | None
    result: tuple[Any, ...] | None
    percent: Decimal | None
    percent_unreviewed: Decimal | None
    speech_year: str | None = None
    split_from: str | None = None
    goes_on: str | None = None
    """`merged` or `split`, where it has no state for that reason."""


Told = Sequence[tuple[int, Event]]

_OPENNESS = (Visibility.RESERVED, Visibility.INTERNAL, Visibility.PUBLIC)


def _open_on(told: Told, on: date) -> Visibility:
    """Who might read it on a day: the later day speaks, and what names none takes back all that was said before."""
    said: list[tuple[date, int, Visibility]] = []
    for position, event in told:
        if isinstance(event, Registered) and not said:
            said = [(date.min, position, event.visibility)]
        if isinstance(event, VisibilityChanged):
            if event.effective_on is None:
                said = []
            said.append((event.effective_on or date.min, position, event.visibility))
    return max(one for one in said if one[0] <= on)[2]


def _worked_out(told: Told, on: date, *, with_internal: bool = True) -> tuple[Expected, Standing] | None:
    told = without_mistakes(told)
    if not told:
        return None
    registered_at, first = told[0]
    assert isinstance(first, Registered)
    later = [(position, event) for position, event in told[1:] if not isinstance(event, Registered)]
    fields: dict[str, tuple[Any, int]] = {
        "effective_on": (first.effective_on, registered_at),
        "title": (first.title, registered_at),
        "pillar": (first.pillar, registered_at),
        "parent": (first.parent, registered_at),
        "priority": (first.priority, registered_at),
        "region": (first.region, registered_at),
        "goal": (first.goal, registered_at),
        "kind": (str(first.kind), registered_at),
        "result_type": (first.result_type and str(first.result_type), registered_at),
        "origin": (
            first.origin and {"kind": str(first.origin.kind), "source_on": first.origin.source_on},
            registered_at,
        ),
        "split_from": (first.split_from, registered_at),
        "lead_organization": (first.lead_organization, registered_at),
        "public_deadline": (first.public_deadline and first.public_deadline.on, registered_at),
        "internal_deadline": (first.internal_deadline and first.internal_deadline.on, registered_at),
    }
    for position, event in later:
        if isinstance(event, Corrected) and event.field in fields:
            fields[event.field] = (_plain(event.field, event.value), position)
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

    def due_on(day: date) -> date | None:
        return moves(later, DeadlineKind.PUBLIC, fields["public_deadline"][0], day).last

    closure, closure_at = speaks(_closure, (None, registered_at))
    judgement, judgement_at = speaks(
        lambda e: (e.effective_on, e.judgement) if isinstance(e, Assessed) else None, (None, registered_at)
    )
    public, public_at = speaks(_revised(DeadlineKind.PUBLIC), fields["public_deadline"])
    internal, internal_at = speaks(_revised(DeadlineKind.INTERNAL), fields["internal_deadline"])
    if not with_internal:
        internal, internal_at = None, registered_at
    lead, _lead_at = speaks(
        lambda e: (e.effective_on, e.lead_organization) if isinstance(e, LeadReassigned) else None,
        fields["lead_organization"],
    )
    if judgement is None:
        judgement_at = registered_at
    held = Standing(
        (closure, closure_at), (public, public_at), (judgement, judgement_at), (internal, internal_at)
    )
    status, because = judged(*held, on)
    title, pillar, parent, priority, region, goal = (
        speaks(_changed_to(name), fields[name])[0]
        for name in ("title", "pillar", "parent", "priority", "region", "goal")
    )
    origin = fields["origin"][0]
    end = dict(told)[closure_at] if closure else None
    accepted = reported(later, on, lambda outcomes: outcomes[-1:] == [ReviewOutcome.ACCEPTED])
    unreturned = reported(later, on, lambda outcomes: outcomes[-1:] != [ReviewOutcome.RETURNED])
    late_days = (on - public).days if status == "delayed" else None
    result = brief("report", accepted[0]) if accepted else None
    if isinstance(end, Completed):
        due = due_on(end.completed_on)
        late_days = due and max((end.completed_on - due).days, 0)
        result = brief("completion", end)
    public_moves = moves(later, DeadlineKind.PUBLIC, fields["public_deadline"][0], on)
    internal_moves = moves(later, DeadlineKind.INTERNAL, fields["internal_deadline"][0], on)
    expected = Expected(
        code=first.code,
        title=title,
        status=status,
        because=because,
        judgement=judgement and str(judgement),
        public_deadline=public,
        internal_deadline=internal,
        lead=lead,
        pillar=pillar,
        parent=parent,
        kind=fields["kind"][0],
        origin=origin and origin["kind"],
        result_type=fields["result_type"][0],
        visibility=str(min(_open_on(told, on), _open_on(told, date.max), key=_OPENNESS.index)),
        merged_into=end.into if isinstance(end, Merged) else None,
        priority=priority,
        region=region,
        late_days=late_days,
        first_public_deadline=public_moves.first,
        public_revisions=public_moves.moved,
        internal_revisions=internal_moves.moved,
        public_reason=public_moves.reason,
        internal_reason=internal_moves.reason,
        discarded=(str(end.reason_type), end.reason) if isinstance(end, Discarded) else (None, None),
        goal=goal,
        result=result,
        percent=next((one.percent for one in accepted if one.percent is not None), None),
        percent_unreviewed=next((one.percent for one in unreturned if one.percent is not None), None),
        speech_year=_year_of_speech(origin),
        split_from=fields["split_from"][0],
        goes_on=closure if closure in ("merged", "split") else None,
    )
    return expected, held


Dated = tuple[Any, int]
"""A value and the position of the event that said so."""


class Otherwise(NamedTuple):
    """What of a day was something else until a correction or a retraction, and what it was."""

    what: str
    before: Any
    position: int


def otherwise(told: Told, on: date) -> Otherwise | None:
    """The last event that took back what had been said of a day, of what states follow from, if that still counts."""
    mistakes = {event.version for _, event in told if isinstance(event, Retraction)}
    now, found = standing(told, on), None
    for place, (position, event) in enumerate(told, 1):
        if place in mistakes or not isinstance(event, Corrected | Retraction):
            continue
        was, then = standing(told[: place - 1], on), standing(told[:place], on)
        if was is None or then is None or now is None:
            continue
        changed = [name for name in Standing._fields if getattr(was, name)[0] != getattr(then, name)[0]]
        if changed and getattr(now, changed[0])[0] == getattr(then, changed[0])[0]:
            found = Otherwise(changed[0], getattr(was, changed[0])[0], position)
    return found


class Standing(NamedTuple):
    """From what the state on a day follows."""

    closure: Dated
    public_deadline: Dated
    judgement: Dated
    internal_deadline: Dated


def standing(told: Told, on: date) -> Standing | None:
    """What the board goes by on a day, worked out from these events alone."""
    found = _worked_out(told, on)
    return None if found is None else found[1]


def replayed(told: Told, on: date, *, with_internal: bool = True) -> Expected | None:
    """What should be on the board on a day of a commitment of which these events, with their positions, are known.

    Not everybody is told it `with_internal` deadline.
    """
    found = _worked_out(told, on, with_internal=with_internal)
    if found is None:
        return None
    expected, held = found
    taken_back = otherwise(told, on)
    if taken_back is not None:
        before = held._replace(**{taken_back.what: (taken_back.before, 0)})
        if judged(*before, on)[0] != expected.status:
            expected = expected._replace(because=taken_back.position)
    return expected


def without_mistakes(told: Told) -> Told:
    """What is left when everything that was called a mistake, by its place in the order, is struck out."""
    mistakes = [event.version for _, event in told if isinstance(event, Retraction)]
    return [one for place, one in enumerate(told, 1) if place not in mistakes]


class Moves(NamedTuple):
    """What became of a deadline by a day: the first and the last there was, how often it was moved, and why."""

    first: date | None
    last: date | None
    moved: int
    reason: str | None


def moves(later: Told, kind: DeadlineKind, registered: date | None, on: date) -> Moves:
    """One deadline, its revisions told in the order in which they took effect."""
    revisions = [
        (event.effective_on, at, event)
        for at, event in later
        if isinstance(event, DeadlineRevised) and event.deadline is kind
    ]
    first, present, moved, reason = registered, registered, 0, None
    for day, _position, revision in sorted(revisions, key=lambda one: one[:2]):
        if day <= on:
            moved += int(present is not None and revision.on != present)
            first, present, reason = first or revision.on, revision.on, revision.reason
    return Moves(first, present, moved, reason)


def reported(later: Told, on: date, heard: Callable[[list[ReviewOutcome]], bool]) -> list[ProgressReported]:
    """The reports up to a day of which the reviews say so, the last first."""
    found = []
    for position, event in later:
        if isinstance(event, ProgressReported) and event.effective_on <= on:
            # A review speaks of a report that was there.
            outcomes = [
                one.outcome
                for at, one in later
                if isinstance(one, ProgressReviewed) and one.report == event.number and at > position
            ]
            if heard(outcomes):
                found.append((event.effective_on, _PERIOD_ENDS[event.period], event.number, event))
    return [one[-1] for one in sorted(found, key=lambda one: one[:3], reverse=True)]


_PERIOD_ENDS = {"2011-Q3": date(2011, 9, 30), "2011-Q4": date(2011, 12, 31), "2011-12": date(2011, 12, 31)}


def brief(source: str, told: Completed | ProgressReported) -> tuple[Any, ...]:
    """A result, as an item of the board has it."""
    if isinstance(told, Completed):
        return source, told.completed_on, told.remarks, list(told.evidence), None
    return source, told.effective_on, told.observed_progress, list(told.evidence), told.number


def _year_of_speech(origin: Any) -> str | None:
    if not origin or "speech" not in origin["kind"] or not origin.get("source_on"):
        return None
    return str(origin["source_on"])[:4]


class Promised(NamedTuple):
    """What should be said of a promise: its state, or how its first commitment goes on where it has none."""

    counted_as: str | None
    partly_discarded: bool
    first: Expected


def promised(board: Sequence[Expected]) -> dict[str, Promised]:
    """The promises among the commitments that somebody may see on a day, by the code of the first of each."""
    there = {one.code: one for one in board}
    first = {code: _first_of(code, there) for code in there}
    ends = {code: {code} if one.status else set() for code, one in there.items()}
    for _ in there:
        for code, one in there.items():
            parts = {part for part in there if there[part].split_from == code and first[part] != part}
            for onward in parts | ({one.merged_into} if one.goes_on == "merged" else set()):
                ends[code] |= ends.get(onward or "", set())
    found = {}
    for code in {*first.values()}:
        states = {there[end].status for end in ends[code]}
        left = states - {"discarded"} or states
        worst = next((state for state in WORST_FIRST if state in left), there[code].goes_on)
        found[code] = Promised(worst, worst == "achieved" and "discarded" in states, there[code])
    return found


WORST_FIRST = (
    *("delayed", "needs_attention", "needs_attention_internal_deadline", "on_time"),
    *("achieved", "discarded"),
)


def _first_of(code: str, there: dict[str, Expected]) -> str:
    """Where a chain of splits begins; in a ring of them, which only a mistake makes, each begins one."""
    passed: list[str] = []
    while code not in passed:
        passed.append(code)
        origin = there[code].split_from
        if origin is None or origin not in there:
            return code
        code = origin
    ring = passed[passed.index(code) :]
    return passed[0] if passed[0] in ring else code


def pillars(board: Sequence[Expected]) -> dict[str, str | None]:
    """Under which pillar each of the commitments that somebody may see on a day stands: word goes down from above."""
    found = {one.code: one.pillar for one in board}
    for _ in board:
        found = {one.code: one.pillar or found.get(one.parent or "") for one in board}
    return found


def concerned(told: Told, on: date = date.max) -> set[str]:
    """The organisations that lead a commitment, or work on it, as far as these events tell."""
    expected = replayed(told, on)
    return set() if expected is None else {expected.lead, *collaborating(told, on)}


def collaborating(told: Told, on: date) -> tuple[str, ...]:
    """The organisations that work on a commitment on a day, as far as these events tell."""
    told = without_mistakes(told)
    first = told[0][1]
    assert isinstance(first, Registered)
    found = first.collaborating_organizations
    for _, event in told:
        if isinstance(event, Corrected) and event.field == "collaborating_organizations":
            found = event.value
    changes = [
        (event.effective_on, position, event.value)
        for position, event in told
        if isinstance(event, Changed)
        and event.field == "collaborating_organizations"
        and event.effective_on <= on
    ]
    return tuple(max(changes)[2] if changes else found)


def judged(
    closure: Dated, public: Dated, judgement: Dated, internal: Dated, day: date
) -> tuple[str | None, int]:
    """The state on a day, and what it follows from: closed, late, doubtful, late by its own deadline, or fine."""
    if closure[0] is not None:
        return (None if closure[0] in ("merged", "split") else closure[0]), closure[1]

    def overdue(deadline: Dated) -> bool:
        return deadline[0] is not None and (day - deadline[0]).days >= 1

    doubtful = judgement[0] == "at_risk"
    if overdue(public):
        return "delayed", public[1]
    if doubtful or not overdue(internal):
        return ("needs_attention" if doubtful else "on_time"), judgement[1]
    return "needs_attention_internal_deadline", internal[1]


def _closure(event: Event) -> tuple[date, str | None] | None:
    match event:
        case Completed():
            return event.completed_on, "achieved"
        case Discarded():
            return event.effective_on, "discarded"
        case Merged():
            return event.effective_on, "merged"
        case Split():
            return event.effective_on, "split"
        case Reopened():
            return event.effective_on, None
    return None


def _revised(kind: DeadlineKind) -> Callable[[Event], tuple[date, date] | None]:
    def of(event: Event) -> tuple[date, date] | None:
        if isinstance(event, DeadlineRevised) and event.deadline is kind:
            return event.effective_on, event.on
        return None

    return of


def _changed_to(field: str) -> Callable[[Event], tuple[date, Any] | None]:
    def of(event: Event) -> tuple[date, Any] | None:
        if isinstance(event, Changed) and event.field == field:
            return event.effective_on, event.value
        return None

    return of


def _plain(field: str, value: Any) -> Any:
    if value is None:
        return None
    if field == "effective_on":
        return date.fromisoformat(value)
    if field.endswith("deadline"):
        return date.fromisoformat(value["on"])
    return value
