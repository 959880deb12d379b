"""What is told of a commitment on a day, as it was known at a position: all on one page, and in the unit's two forms.

Where it stands and what others have to do with it comes from the datasets. What was recorded of the commitment itself
is folded from its own events up to that position: these never change, so the two agree in any snapshot.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, NamedTuple, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, select

from services.reporting.datasets import (
    commitment_states,
    commitments,
    decisions,
    meetings,
    minutes,
)
from services.reporting.queries.access import (
    Scope,
    hidden_among,
    read_by_among,
    readable,
    shown_on,
)
from services.reporting.queries.action_items import ActionItem, ActionItemFilters, action_items_as_of
from services.reporting.queries.board import Item, item_as_of, titles_as_of
from services.reporting.queries.corrected import Corrected
from services.reporting.queries.corrections import corrections_on
from services.reporting.queries.decision_items import DecisionItem, Reader
from services.reporting.queries.decisions import DecisionFilters, decisions_as_of
from services.reporting.queries.indicators import IndicatorFilters, IndicatorItem, indicators_as_of
from services.reporting.queries.moments import AsOf
from services.reporting.queries.timeline import DayOf, Source, sources_of
from services.reporting.reading import Reading
from shared.aggregate.aggregate import believed
from shared.aggregate.telling import as_told
from shared.errors import NotFound
from shared.eventlog import codec
from shared.eventlog.envelope import Recorded
from shared.eventlog.store import Store
from shared.events.commitments import (
    Assessed,
    BudgetEstimated,
    BudgetLine,
    Commented,
    Completed,
    DeadlineRevised,
    Discarded,
    Document,
    Evidence,
    Merged,
    MilestoneCompleted,
    MilestoneSet,
    Origin,
    ProgressReported,
    ProgressReviewed,
    Registered,
    Reopened,
    RisksAssessed,
    Split,
    TeamMember,
)
from shared.events.facts import Event
from shared.events.streams import resolve
from shared.events.vocabulary import DeadlineKind, DiscardReason, Judgement, OriginKind, ReviewOutcome
from shared.rules.dated_facts import DatedFacts
from shared.rules.indicator_verdict import CURRENT_INDICATOR_RULE
from shared.rules.periods import stored_period
from shared.rules.registry import Rule
from shared.rules.traffic_light import TRAFFIC_LIGHT_1, Closure, Status
from shared.rules.visibility import without_internal_deadline
from shared.tabular.capture_sheet import RISKS, CaptureSheet, fits_the_form, step_due

E = TypeVar("E", bound=Event)

MOST: Final = 200
"""Decisions, action items, minutes, parts: of each as many as a page of their own list may have."""


class OriginTold(msgspec.Struct, frozen=True):
    """Where the promise was made, and in whose words."""

    kind: OriginKind
    source: str | None
    source_on: date | None
    quote: str | None
    document_url: str | None
    decision: Annotated[str | None, Meta(description="Only where the asker may know of it.")]


class Described(msgspec.Struct, frozen=True):
    """What else the registration says, as it reads on the day."""

    origin: OriginTold | None
    instrument: str | None
    no_deadline_reason: str | None
    programmatic_alignment: str | None
    background: str | None
    general_objective: str | None
    specific_objectives: list[str]
    description: str | None
    legislative_strategy: str | None
    communications_strategy: str | None
    working_team: Annotated[
        list[TeamMember], Meta(description="Outside government without the persons who hold the seats.")
    ]
    documents: list[Document]


class DeadlineStep(msgspec.Struct, frozen=True):
    """A day by which it was to be done, from `effective_on` on."""

    effective_on: date
    on: date | None
    previous: Annotated[date | None, Meta(description="Null for the first one.")]
    reason: str | None
    source: Source


class Deadlines(msgspec.Struct, frozen=True):
    """Each deadline from the first day promised to the one that holds."""

    public: list[DeadlineStep]
    internal: Annotated[list[DeadlineStep], Meta(description="For the unit and those concerned.")]


class Closed(msgspec.Struct, frozen=True):
    """How it ended, or that it was opened again (`kind` is null)."""

    kind: Closure | None
    effective_on: date
    reason_type: DiscardReason | None
    reason: str | None
    evidence: list[Evidence]
    remarks: str | None
    source: Source


class JudgementTold(msgspec.Struct, frozen=True):
    """What somebody said of the way it was going."""

    effective_on: date
    judgement: Judgement | None
    reason: str | None
    rating: str | None
    scale: str | None
    source: Source


class AcceptedReport(msgspec.Struct, frozen=True):
    """A progress report that was accepted."""

    number: int
    period: str
    effective_on: date
    observed_progress: str | None
    stage: str | None
    percent: Decimal | None
    no_change: bool
    evidence: list[Evidence]
    reported_by: Source
    accepted_by: Source


class Milestone(msgspec.Struct, frozen=True):
    """A step on the way."""

    number: int
    name: str
    description: str | None
    due_on: date
    first_due_on: date
    completed_on: date | None
    late_days: Annotated[
        int | None,
        Meta(
            description="Days after the day it was due, when it was reached or on this day; 0 where it was in time, "
            "null while it is not due."
        ),
    ]
    evidence: list[Evidence]
    source: Source


class Risks(msgspec.Struct, frozen=True):
    """The risks as they were rated, each from 1 (low) to 4 (high); null is one that does not apply."""

    effective_on: date
    budgetary_requirements: int | None
    technical_design_complexity: int | None
    stakeholder_conflict: int | None
    passage_through_congress: int | None
    conflict_between_institutions: int | None
    change_management: int | None
    description: str | None
    source: Source


class Budget(msgspec.Struct, frozen=True):
    """What it was said to cost."""

    effective_on: date
    lines: list[BudgetLine]
    remarks: str | None
    source: Source


class Related(msgspec.Struct, frozen=True):
    """Another commitment that it has to do with."""

    id: UUID
    code: str
    title: str


class Minuted(msgspec.Struct, frozen=True):
    """An item of sealed minutes that dealt with it."""

    meeting: UUID
    body: str
    held_on: date
    item: int
    title: str | None
    summary: str | None


class Page(msgspec.Struct, kw_only=True):
    """Everything that is told of a commitment."""

    item: Item
    described: Described
    deadlines: Deadlines
    closings: list[Closed]
    assessments: list[JudgementTold]
    accepted_reports: list[AcceptedReport]
    milestones: list[Milestone]
    risks: list[Risks]
    budgets: list[Budget]
    corrections: list[Corrected]
    parts: list[Related]
    successors: list[Related]
    predecessors: list[Related]
    indicators: list[IndicatorItem]
    decisions: list[DecisionItem]
    minutes: list[Minuted]
    action_items: list[ActionItem]


def page_as_of(
    reading: Reading,
    store: Store,
    at: AsOf,
    scope: Scope,
    commitment_id: UUID,
    rule: Rule = TRAFFIC_LIGHT_1,
    *,
    day_of: DayOf,
) -> Page:
    """The page of a commitment; NotFound when on that day there is none that the asker may read."""
    item = item_as_of(reading, at, scope, commitment_id, rule)
    if item is None or item.code is None:
        raise NotFound("unknown-commitment", "There is no such commitment, or it was not there on that day.")
    own = commitment_id in read_by_among(reading, scope, at.position, [commitment_id])
    told = _Told.of(reading, store, at, scope, commitment_id, day_of, own=own)
    return Page(
        item=item,
        described=_described(reading, told, at, scope),
        deadlines=Deadlines(_deadlines(told, DeadlineKind.PUBLIC), _deadlines(told, DeadlineKind.INTERNAL)),
        closings=[closed for entry in told.all for closed in _closed(entry, told)],
        assessments=[told.as_told(JudgementTold, entry, event) for entry, event in told.of_type(Assessed)],
        accepted_reports=_accepted(told),
        milestones=_milestones(told, at.on),
        risks=[told.as_told(Risks, entry, event) for entry, event in told.of_type(RisksAssessed)],
        budgets=[told.as_told(Budget, entry, event) for entry, event in told.of_type(BudgetEstimated)],
        corrections=corrections_on(reading, at, scope, [commitment_id]).each(commitment_id),
        parts=_related(reading, at, scope, commitments.c.parent == item.code),
        successors=_successors(reading, at, scope, item),
        predecessors=_predecessors(reading, at, scope, item),
        indicators=_indicators(reading, at, scope, item.code),
        decisions=_decisions(reading, at, scope, item.code),
        minutes=_minutes(reading, at, scope, item.code),
        action_items=_action_items(reading, at, scope, item.code),
    )


class Promised(NamedTuple):
    """What was promised of a commitment: where and in whose words, and how the public deadline became what it is."""

    origin: Origin | None
    moves: Sequence[DeadlineStep]


def promised_as_of(
    reading: Reading, store: Store, at: AsOf, scope: Scope, commitment_id: UUID, *, day_of: DayOf
) -> Promised:
    """What was promised of a commitment that the asker may read, as it reads on the day."""
    told = _Told.of(reading, store, at, scope, commitment_id, day_of, own=False)
    first, _ = told.facts.public_deadlines.initial
    steps = _deadlines(told, DeadlineKind.PUBLIC)
    return Promised(told.facts.registration_on(told.on).origin, steps if first is None else steps[1:])


def capture_sheet_as_of(
    reading: Reading, store: Store, at: AsOf, scope: Scope, commitment_id: UUID, *, day_of: DayOf
) -> CaptureSheet:
    """A commitment as the capture sheet has it on a day; NotFound when there is none that the asker may read."""
    item = item_as_of(reading, at, scope, commitment_id)
    if item is None or item.code is None:
        raise NotFound("unknown-commitment", "There is no such commitment, or it was not there on that day.")
    told = _Told.of(reading, store, at, scope, commitment_id, day_of, own=False)
    reads, described = told.facts.registration_on(at.on), _described(reading, told, at, scope)
    risks = next((event for _, event in reversed(told.of_type(RisksAssessed))), None)
    estimated = next((event for _, event in reversed(told.of_type(BudgetEstimated))), None)
    return CaptureSheet(
        code=item.code,
        on=at.on,
        pillar=reads.pillar,
        title=reads.title,
        lead_organization=told.facts.leads.on(at.on)[0],
        initiative_type=reads.initiative_type,
        programmatic_alignment=described.programmatic_alignment,
        working_team=tuple(described.working_team),
        background=described.background,
        general_objective=described.general_objective,
        specific_objectives=tuple(described.specific_objectives),
        description=described.description,
        legislative_strategy=described.legislative_strategy,
        communications_strategy=described.communications_strategy,
        milestones=tuple(step_due(one.name, one.due_on) for one in _milestones(told, at.on)),
        budget=() if estimated is None else tuple(filter(fits_the_form, estimated.lines)),
        risks={name: rating for name in RISKS if (rating := getattr(risks, name, None)) is not None},
        risk_description=None if risks is None else risks.description,
        documents=tuple(described.documents),
    )


class PlatformRow(msgspec.Struct, frozen=True, kw_only=True):
    """A commitment by the fields of the unit's web platform."""

    code: str
    on: Annotated[date, Meta(description="The day it is told of.")]
    title: str | None
    adviser: Annotated[str | None, Meta(description="Inside government.")]
    lead_organization: str | None
    collaborating_organizations: list[str]
    responsible_service: str | None
    goal: str | None
    internal_deadline_on: Annotated[date | None, Meta(description="For the unit and those concerned.")]
    instrument: str | None
    public_deadline_on: date | None
    public_deadline_origin: Annotated[str | None, Meta(description="Where it was promised first.")]
    origin: Annotated[OriginKind | None, Meta(description="On which kind of occasion it was promised.")]
    source: Annotated[str | None, Meta(description="Where the promise is written.")]
    source_on: date | None
    document_url: Annotated[str | None, Meta(description="The document that backs it.")]
    observed_progress: Annotated[
        str | None,
        Meta(
            description="By the last report that says so: outside government, of those that were accepted, and inside "
            "of those that were not returned."
        ),
    ]
    stage: str | None
    priority: str | None
    quote: Annotated[str | None, Meta(description="The words of the promise.")]
    key_words: list[str]
    status: str | None
    discard_reason_type: DiscardReason | None
    discard_reason: str | None
    comments: Annotated[str | None, Meta(description="The last remark; inside government.")]


def platform_rows_of(
    reading: Reading, store: Store, at: AsOf, scope: Scope, items: Sequence[Item], *, day_of: DayOf
) -> list[PlatformRow]:
    """Commitments of the board of a day by the fields of the platform."""
    return [
        _platform_row(_Told.of(reading, store, at, scope, item.id, day_of, own=False), item, scope)
        for item in items
        if item.id is not None
    ]


def _platform_row(told: _Told, item: Any, scope: Scope) -> PlatformRow:
    reads, public = told.facts.registration_on(told.on), scope.name == "public"
    origin = reads.origin
    remarks = [] if public else told.of_type(Commented)
    discards = [event for _, event in told.of_type(Discarded)] if item.status == Status.DISCARDED else []
    return PlatformRow(
        code=item.code,
        on=told.on,
        title=item.title,
        adviser=item.adviser,
        lead_organization=told.facts.leads.on(told.on)[0],
        collaborating_organizations=item.collaborating_organizations,
        responsible_service=reads.responsible_service,
        goal=item.goal,
        internal_deadline_on=item.internal_deadline_on,
        instrument=reads.instrument,
        public_deadline_on=item.public_deadline_on,
        public_deadline_origin=None if reads.public_deadline is None else reads.public_deadline.origin,
        origin=None if origin is None else origin.kind,
        **{name: getattr(origin, name, None) for name in ("source", "source_on", "document_url", "quote")},
        observed_progress=_observed(told, accepted=public),
        stage=item.stage,
        priority=reads.priority,
        key_words=item.key_words,
        status=item.status,
        discard_reason_type=discards[-1].reason_type if discards else None,
        discard_reason=discards[-1].reason if discards else None,
        comments=remarks[-1][1].text if remarks else None,
    )


def _observed(told: _Told, *, accepted: bool) -> str | None:
    """What the last report says that was accepted, or else that was not returned."""
    if accepted:
        said = [one.observed_progress for one in _accepted(told)]
    else:
        outcomes = _reviews(told)
        said = [
            event.observed_progress
            for entry, event in told.of_type(ProgressReported)
            if outcomes.get(event.number, (entry, None))[1] is not ReviewOutcome.RETURNED
        ]
    return next((text for text in reversed(said) if text is not None), None)


# --- what was recorded of it -----------------------------------------------------------------------------------------


class _Told(NamedTuple):
    """What is believed of a commitment, as the asker may know it; `all` that had taken effect by a day, in that order.

    What has no day of its own took effect on the day it was recorded.
    """

    all: Sequence[Recorded]
    reviews: Sequence[Recorded]
    """Of whatever day: a report that was accepted speaks from its own."""
    facts: DatedFacts
    on: date
    sources: dict[int, Source]

    @classmethod
    def of(
        cls,
        reading: Reading,
        store: Store,
        at: AsOf,
        scope: Scope,
        commitment_id: UUID,
        day_of: DayOf,
        *,
        own: bool,
    ) -> _Told:
        """Folds its events up to the position."""
        stream = store.read_stream(commitment_id, 0, at.position)
        history = [codec.decode(line, position) for position, line in stream]
        if not own:
            history = as_told(history, without_internal_deadline)
        known = believed(history)
        first = known[0]
        assert isinstance(first.data, Registered)
        facts = DatedFacts(first.data, first.position)
        for one in known[1:]:
            facts.apply(one.data, one.position)

        def day(one: Recorded) -> date:
            return _day_of_fact(one.data) or day_of(one.recorded_at)

        dated = sorted((one for one in known if day(one) <= at.on), key=lambda one: (day(one), one.position))
        reviews = [one for one in known if isinstance(one.data, ProgressReviewed)]
        return cls(dated, reviews, facts, at.on, sources_of(reading, day_of, at, scope, known))

    def of_type(self, event_type: type[E]) -> list[tuple[Recorded, E]]:
        """Those events of a type."""
        return [(one, one.data) for one in self.all if isinstance(one.data, event_type)]

    def as_told(self, struct: type[msgspec.Struct], entry: Recorded, event: Event) -> Any:
        """An event as a struct with members of the same names, and its source."""
        names = {field.name for field in msgspec.structs.fields(struct)} - {"source"}
        values = {name: getattr(event, name) for name in names}
        return struct(**values, source=self.sources[entry.position])


def _day_of_fact(event: Event) -> date | None:
    found: date | None = getattr(event, "effective_on", getattr(event, "completed_on", None))
    return found


def _described(reading: Reading, told: _Told, at: AsOf, scope: Scope) -> Described:
    reads = told.facts.registration_on(told.on)
    origin = reads.origin
    public = scope.name == "public"
    seats = [msgspec.structs.replace(one, subject=None) if public else one for one in reads.working_team]
    return Described(
        origin=None
        if origin is None
        else OriginTold(
            origin.kind,
            origin.source,
            origin.source_on,
            origin.quote,
            origin.document_url,
            _known_decision(reading, at, scope, origin.decision),
        ),
        instrument=reads.instrument,
        no_deadline_reason=reads.no_deadline_reason,
        programmatic_alignment=reads.programmatic_alignment,
        background=reads.background,
        general_objective=reads.general_objective,
        specific_objectives=list(reads.specific_objectives),
        description=reads.description,
        legislative_strategy=reads.legislative_strategy,
        communications_strategy=reads.communications_strategy,
        working_team=seats,
        documents=list(reads.documents),
    )


def _known_decision(reading: Reading, at: AsOf, scope: Scope, number: str | None) -> str | None:
    if number is None:
        return None
    one = resolve("decision", number)
    return None if hidden_among(reading, scope, at.position, decisions, [one]) else number


def _deadlines(told: _Told, kind: DeadlineKind) -> list[DeadlineStep]:
    facts = told.facts
    history = facts.public_deadlines if kind is DeadlineKind.PUBLIC else facts.internal_deadlines
    first, since = history.initial
    found = []
    if first is not None:
        found.append(DeadlineStep(facts.first_day, first, None, None, told.sources[since]))
    before = first
    for entry, event in told.of_type(DeadlineRevised):
        if event.deadline is kind:
            step = DeadlineStep(
                event.effective_on, event.on, before, event.reason, told.sources[entry.position]
            )
            found.append(step)
            before = event.on
    return found


def _closed(entry: Recorded, told: _Told) -> Iterable[Closed]:
    source, event = told.sources[entry.position], entry.data
    match event:
        case Completed():
            yield Closed(
                Closure.ACHIEVED,
                event.completed_on,
                None,
                None,
                list(event.evidence),
                event.remarks,
                source,
            )
        case Discarded():
            yield Closed(
                Closure.DISCARDED, event.effective_on, event.reason_type, event.reason, [], None, source
            )
        case Merged():
            yield Closed(Closure.MERGED, event.effective_on, None, event.reason, [], None, source)
        case Split():
            yield Closed(Closure.SPLIT, event.effective_on, None, event.reason, [], None, source)
        case Reopened():
            yield Closed(None, event.effective_on, None, event.reason, [], None, source)


def _accepted(told: _Told) -> list[AcceptedReport]:
    """Those that the last review since they were recorded accepted, in order of their days."""
    reviews = _reviews(told)
    return [
        AcceptedReport(
            number=event.number,
            period=stored_period(event.period).name,
            effective_on=event.effective_on,
            observed_progress=event.observed_progress,
            stage=event.stage,
            percent=event.percent,
            no_change=event.no_change,
            evidence=list(event.evidence),
            reported_by=told.sources[entry.position],
            accepted_by=told.sources[review.position],
        )
        for entry, event in told.of_type(ProgressReported)
        for review, outcome in [reviews.get(event.number, (entry, None))]
        # A report that was recorded anew in place of one put aside has the same number, and was not reviewed.
        if outcome is ReviewOutcome.ACCEPTED and review.position > entry.position
    ]


def _reviews(told: _Told) -> dict[int, tuple[Recorded, ReviewOutcome]]:
    """The last review of each report, by the number of the report."""
    return {
        entry.data.report: (entry, entry.data.outcome)
        for entry in told.reviews
        if isinstance(entry.data, ProgressReviewed)
    }


def _milestones(told: _Told, on: date) -> list[Milestone]:
    plans: dict[int, list[tuple[Recorded, MilestoneSet]]] = {}
    for entry, event in sorted(told.of_type(MilestoneSet), key=lambda one: one[0].position):
        plans.setdefault(event.number, []).append((entry, event))
    reached = {event.number: event for _, event in told.of_type(MilestoneCompleted)}
    return [
        Milestone(
            number=number,
            name=plan.name,
            description=plan.description,
            due_on=plan.due_on,
            first_due_on=planned[0][1].due_on,
            completed_on=done.completed_on if done else None,
            late_days=_late_days(plan.due_on, done.completed_on if done else None, on),
            evidence=list(done.evidence) if done else [],
            source=told.sources[entry.position],
        )
        for number, planned in sorted(plans.items())
        for entry, plan in planned[-1:]
        for done in [reached.get(number)]
    ]


def _late_days(due_on: date, completed_on: date | None, on: date) -> int | None:
    if completed_on is not None:
        return max(0, (completed_on - due_on).days)
    return (on - due_on).days if on > due_on else None


# --- what others have to do with it ----------------------------------------------------------------------------------


def _related(reading: Reading, at: AsOf, scope: Scope, *conditions: ColumnElement[bool]) -> list[Related]:
    return [Related(*row) for row in titles_as_of(reading, at, scope, conditions, limit=MOST)]


def _successors(reading: Reading, at: AsOf, scope: Scope, item: Item) -> list[Related]:
    codes = [*item.split_into, *([item.merged_into] if item.merged_into else [])]
    return _related(reading, at, scope, commitment_states.c.code.in_(codes)) if codes else []


def _predecessors(reading: Reading, at: AsOf, scope: Scope, item: Item) -> list[Related]:
    merged = _related(reading, at, scope, commitment_states.c.merged_into == item.code)
    if item.split_from is None:
        return merged
    return [*_related(reading, at, scope, commitment_states.c.code == item.split_from), *merged]


def _indicators(reading: Reading, at: AsOf, scope: Scope, code: str) -> list[IndicatorItem]:
    measuring = IndicatorFilters({}, commitment=[code])
    return indicators_as_of(reading, at, scope, measuring, CURRENT_INDICATOR_RULE, limit=MOST).items


def _decisions(reading: Reading, at: AsOf, scope: Scope, code: str) -> list[DecisionItem]:
    naming = DecisionFilters(commitment=[code])
    return decisions_as_of(reading, at, Reader(scope, at.on), naming, limit=MOST)[0]


def _minutes(reading: Reading, at: AsOf, scope: Scope, code: str) -> list[Minuted]:
    columns = minutes.c
    query = (
        select(
            columns.meeting_id,
            meetings.c.body,
            columns.valid_from,
            columns.item,
            columns.title,
            columns.summary,
        )
        .join(meetings.table, meetings.c.meeting_id == columns.meeting_id)
        .where(
            columns.commitment == code,
            minutes.holds(at.on, at.position),
            meetings.known_at(at.position),
            readable(reading, scope, at.position, meetings),
            shown_on(scope, at.on, at.position, columns.meeting_id),
        )
        .order_by(columns.valid_from, columns.meeting_id, columns.item)
        .limit(MOST)
    )
    return [Minuted(*row) for row in reading.connection.execute(query)]


def _action_items(reading: Reading, at: AsOf, scope: Scope, code: str) -> list[ActionItem]:
    serving = ActionItemFilters(commitment=[code])
    return action_items_as_of(reading, at, scope, serving, limit=MOST).items
