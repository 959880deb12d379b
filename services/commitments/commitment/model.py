"""One commitment: what may happen to it, and what each thing that happened changes.

Facts carry the day they took effect, and that day decides: a commitment takes facts dated from its first day on and
before it was closed, however late the log learns of them, and none dated on or after that day until it is reopened. Who
may tell of a day is who had the right on it. What is about the record rather than the world (comments, reviews,
corrections, visibility) is taken at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from shared.aggregate.aggregate import Aggregate, Entry, evolves, place_of
from shared.aggregate.command import Context
from shared.aggregate.redaction import Readers
from shared.errors import Forbidden, InvalidInput, NotFound, RuleBroken
from shared.eventlog.envelope import Recorded
from shared.events.commitments import (
    Assessed,
    BudgetEstimated,
    BudgetLine,
    Changed,
    Commented,
    Completed,
    Corrected,
    DeadlineRevised,
    Discarded,
    Escalated,
    InternalDeadline,
    LeadReassigned,
    Merged,
    MilestoneCompleted,
    MilestoneSet,
    ProgressReported,
    ProgressReviewed,
    PublicDeadline,
    Registered,
    Reopened,
    RisksAssessed,
    Split,
    VisibilityChanged,
)
from shared.events.facts import COMPUTED
from shared.events.retractions import CommitmentFactRetracted
from shared.events.types import LONGEST_LINE, LONGEST_TEXT, MOST_ITEMS
from shared.events.vocabulary import (
    BudgetFigure,
    CommitmentKind,
    DeadlineKind,
    Judgement,
    OriginKind,
    ReviewOutcome,
    Visibility,
)
from shared.identity.actor import Actor, Role
from shared.rules import guards
from shared.rules.dated_facts import (
    CORRECTABLE,
    FIELD_TYPES,
    DatedFacts,
    History,
    VisibilityByDay,
    with_field,
)
from shared.rules.periods import period_named
from shared.rules.progress import ReportsByDay
from shared.rules.traffic_light import Closure, Verdict, verdict_on
from shared.rules.visibility import of_the_unit

Closing = Entry[Completed] | Entry[Discarded] | Entry[Merged] | Entry[Split]
replace = msgspec.structs.replace


class Report(NamedTuple):
    """A progress report and, once somebody looked at it, its review."""

    entry: Entry[ProgressReported]
    review: Entry[ProgressReviewed] | None = None

    @property
    def number(self) -> int:
        """Reports of one commitment are counted from 1."""
        return self.entry.event.number


class Milestone(NamedTuple):
    """A step on the way as last planned and, once reached, how."""

    plan: Entry[MilestoneSet]
    completion: Entry[MilestoneCompleted] | None = None

    @property
    def number(self) -> int:
        """Milestones of one commitment are counted from 1."""
        return self.plan.event.number


class Successor(NamedTuple):
    """The commitment another one is to be merged into, as the record has it on the day of the merger."""

    code: str
    open: bool
    goes_on_in: tuple[str, ...] = ()
    """In what it goes on itself on that day or a later one, merged or split, and these in turn."""
    first_day: date = date.min


class Joined(NamedTuple):
    """What goes on in a commitment, merged into it or split into it, and from which day on."""

    code: str
    since: date


class Place(NamedTuple):
    """Where a commitment stands in the plan tree: its layer, what it is part of, the nearest first, and since when."""

    kind: CommitmentKind
    ancestors: tuple[str, ...] = ()
    first_day: date = date.min


class Known(NamedTuple):
    """What the record holds of the things that a fact names, all by code."""

    organizations: Container[str] = ()
    pillars: Container[str] = ()
    commitments: Mapping[str, Place] = {}
    parts: Mapping[str, CommitmentKind] = {}
    """What is or was part of the one that the fact is about; looked for only where that matters."""
    heirs_on: guards.HeirsOn = guards.itself
    """The organisations that stand for one on a day: itself, or whoever succeeded it if it was dissolved."""


NOTHING: Final = Known()


class _Anything(dict[str, Place]):
    """Holds whatever it is asked for: a place at the top of the plan, part of nothing."""

    def __contains__(self, _: object) -> bool:
        return True

    def get(self, _: str, __: Any = None) -> Place:
        """See the class."""
        return Place(next(iter(CommitmentKind)))


ANYTHING: Final = Known(_Anything(), _Anything(), _Anything())
"""What the record holds as far as a fact was already judged by it: everything that the fact named was there."""


class Commitment(Aggregate):
    """A promise of the government, from its registration to its end and, reopened, beyond."""

    __slots__ = (
        "assessments",
        "budgets",
        "changes",
        "closings",
        "comments",
        "corrections",
        "dated",
        "escalations",
        "milestones",
        "progress",
        "reassignments",
        "reopenings",
        "reports",
        "retractions",
        "revisions",
        "risks",
        "visibilities",
    )

    BEGINS_WITH = (Registered,)

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded)
        registered = recorded.data
        assert isinstance(registered, Registered)
        self.dated = DatedFacts(registered, recorded.position)
        self.visibilities = VisibilityByDay(registered.visibility, recorded.position)
        self.assessments: History[Entry[Assessed] | None] = History(None, recorded.position)
        self.risks: History[Entry[RisksAssessed] | None] = History(None, recorded.position)
        self.budgets: History[Entry[BudgetEstimated] | None] = History(None, recorded.position)
        # Tuples, because most commitments have none of these and an empty tuple costs nothing.
        self.reports: tuple[Report, ...] = ()
        self.progress = ReportsByDay()
        self.revisions: tuple[Entry[DeadlineRevised], ...] = ()
        self.reassignments: tuple[Entry[LeadReassigned], ...] = ()
        self.closings: tuple[Closing, ...] = ()
        self.reopenings: tuple[Entry[Reopened], ...] = ()
        self.milestones: tuple[Milestone, ...] = ()
        self.comments: tuple[Entry[Commented], ...] = ()
        self.corrections: tuple[Entry[Corrected], ...] = ()
        self.retractions: tuple[Entry[CommitmentFactRetracted], ...] = ()
        self.changes: tuple[Entry[Changed], ...] = ()
        self.escalations: tuple[Entry[Escalated], ...] = ()

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event; days and deadlines are kept apart, by the rule that reporting shares."""
        self.dated.apply(recorded.data, recorded.position)
        self.progress.apply(recorded.data, recorded.position)
        super().apply(recorded)

    # --- what holds ------------------------------------------------------------------------------------------------

    @property
    def registration(self) -> Registered:
        """What was recorded on the first day, as corrected since."""
        return self.dated.registration

    @property
    def code(self) -> str:
        """What people call it."""
        return self.registration.code

    @property
    def visibility(self) -> Visibility:
        """Who may read it."""
        return self.visibilities.now

    def verdict_on(self, day: date) -> Verdict | None:
        """The status on a day under the current rule; None before the first day it counts from."""
        state = self.dated.on_day(day)
        return None if state is None else verdict_on(state, day)

    def lead_on(self, day: date) -> str:
        """The organisation that answered for it on a day."""
        return self.dated.leads.on(day)[0]

    def parents(self) -> list[Stretch]:
        """What it was part of, from which day to which."""
        days = sorted({self.dated.first_day, *(one.event.effective_on for one in self._changes_of("parent"))})
        return _stretches(days, self._part_of)

    def _part_of(self, day: date) -> tuple[str, ...]:
        parent = self.dated.registration_on(day).parent
        return () if parent is None else (parent,)

    def _changes_of(self, field: str) -> list[Entry[Changed]]:
        return [one for one in self.changes if one.event.field == field]

    def closing_on(self, day: date) -> Closing | None:
        """What had closed it on a day, or None if it was open."""
        closure, position = self.dated.closures.on(day)
        if closure is None:
            return None
        return next(entry for entry in self.closings if entry.position == position)

    @property
    def merged_into(self) -> str | None:
        """The code of the commitment it now goes on in, if it was merged."""
        closing = self.closing_on(date.max)
        return closing.event.into if closing is not None and isinstance(closing.event, Merged) else None

    @property
    def split_into(self) -> tuple[str, ...]:
        """The codes of the parts it now goes on in, if it was split."""
        closing = self.closing_on(date.max)
        return closing.event.parts if closing is not None and isinstance(closing.event, Split) else ()

    def successors(self) -> list[Stretch]:
        """In what it went on, merged or split, from which day to which."""
        return _stretches(sorted(set(self.dated.closures.days())), self._goes_on_in)

    def _goes_on_in(self, day: date) -> tuple[str, ...]:
        closing = self.closing_on(day)
        match None if closing is None else closing.event:
            case Merged(into=code):
                return (code,)
            case Split(parts=codes):
                return codes
        return ()

    def stage_on(self, day: date) -> str | None:
        """How far it was on a day in its instrument's own stages, by the latest report or change that says so."""
        return self.progress.stage_on(day, self.dated)

    def internal_deadline_known(self) -> bool:
        """Whether it has an internal deadline, or ever had one."""
        not_believed = (entry for entry, _ in self.retracted.values())
        told = (one.event for one in (*self.revisions, *self.corrections, *not_believed))
        return self.registration.internal_deadline is not None or any(map(of_the_unit, told))

    def organizations(self) -> tuple[str, ...]:
        """The organisations it is their own for now."""
        return self.dated.organizations_on(date.max)

    def readers(self) -> Readers:
        """See `Aggregate.readers`: while it is reserved, those whose own it is."""
        return Readers(self.visibility, self.organizations())

    # --- how it is going -------------------------------------------------------------------------------------------

    def assess(self, assessed: Assessed, context: Context) -> Assessed:
        """Judges how the commitment is going on a day, or keeps the rating of an assessor who gives no judgement."""
        guards.not_after_today(assessed.effective_on, context.today)
        if assessed.judgement is None and assessed.rating is None:
            raise InvalidInput(
                "judgement-or-rating-required",
                "Say on_track or at_risk, or give the rating on the assessor's own scale.",
                pointer="/judgement",
            )
        if assessed.judgement is Judgement.AT_RISK:
            guards.reason_given(assessed.reason, "A judgement of at_risk")
        self.must_be_open_on(assessed.effective_on)
        return assessed

    @evolves(Assessed)
    def _assessed(self, entry: Entry[Assessed]) -> None:
        self.assessments.add(entry.event.effective_on, entry.position, entry)

    def assess_risks(self, assessed: RisksAssessed, context: Context) -> RisksAssessed:
        """Rates the risks, from 1 (low) to 4 (high); those that do not apply are left out."""
        guards.not_after_today(assessed.effective_on, context.today)
        ratings = [(name, value) for name in RISKS if (value := getattr(assessed, name)) is not None]
        if not ratings:
            raise InvalidInput("no-risk-rated", "Rate at least one risk, from 1 (low) to 4 (high).")
        for name, rating in ratings:
            if not 1 <= rating <= 4:
                raise InvalidInput(
                    "risk-out-of-range", "A risk is rated from 1 (low) to 4 (high).", pointer=f"/{name}"
                )
        self.must_be_open_on(assessed.effective_on)
        return assessed

    @evolves(RisksAssessed)
    def _risks_assessed(self, entry: Entry[RisksAssessed]) -> None:
        self.risks.add(entry.event.effective_on, entry.position, entry)

    def estimate_budget(self, estimated: BudgetEstimated, context: Context) -> BudgetEstimated:
        """Puts figures to what it costs; a new estimate replaces the one before."""
        guards.not_after_today(estimated.effective_on, context.today)
        _check_budget_lines(estimated.lines)
        self.must_be_open_on(estimated.effective_on)
        return estimated

    @evolves(BudgetEstimated)
    def _budget_estimated(self, entry: Entry[BudgetEstimated]) -> None:
        self.budgets.add(entry.event.effective_on, entry.position, entry)

    def comment(self, commented: Commented, context: Context) -> Commented:
        """Leaves a remark on the record; that is possible at any time."""
        self.must_be_own_of(context.actor, commented.effective_on)
        guards.not_after_today(commented.effective_on, context.today)
        guards.text_given(commented.text, "A comment", "/text")
        return commented

    @evolves(Commented)
    def _commented(self, entry: Entry[Commented]) -> None:
        self.comments = (*self.comments, entry)

    # --- progress and milestones -----------------------------------------------------------------------------------

    def report_progress(self, reported: ProgressReported, context: Context) -> ProgressReported:
        """Reports progress, or that nothing has changed: that is a report too, and then changes nothing.

        A report that names no day is of the last day of its period, as far as that has come: a late one does not
        overtake that of a later period.
        """
        period, day = period_named(reported.period), reported.effective_on
        if day is COMPUTED:
            day = max(min(period.ends_on, context.today), self.dated.first_day)
        self.must_be_own_of(context.actor, day)
        guards.not_after_today(day, context.today)
        if period.begins_on > day:
            raise InvalidInput(
                "period-to-come",
                f"{period.name} begins on {period.begins_on}: on {day} there was nothing to report of it yet.",
                pointer="/period",
            )
        guards.nothing_dated_later(reported, context.today)
        if reported.received_on is not None:
            guards.not_after_today(reported.received_on, context.today, "/received_on")
            if reported.received_on < period.begins_on:
                raise InvalidInput(
                    "period-to-come",
                    f"On {reported.received_on} {period.name} had not begun.",
                    pointer="/received_on",
                )
        percent = reported.percent
        if percent is not None and not (percent.is_finite() and 0 <= percent <= 100):
            raise InvalidInput(
                "percent-out-of-range", "A percentage lies between 0 and 100.", pointer="/percent"
            )
        stage, so_far = self.stage_on(day), self.progress.percent_unreviewed_on(day)
        if reported.no_change and ((reported.stage or stage) != stage or percent not in (None, so_far)):
            raise RuleBroken(
                "no-change-contradicted", "A report of no change cannot tell of another stage or percentage."
            )
        if not (reported.no_change or reported.observed_progress or reported.stage or percent is not None):
            raise InvalidInput(
                "nothing-reported", "Tell the progress observed, a stage or a percentage, or say no_change."
            )
        self.must_be_open_on(day)
        last = self.reports[-1].number if self.reports else 0
        return replace(reported, number=self.next_number(ProgressReported, last), effective_on=day)

    @evolves(ProgressReported)
    def _progress_reported(self, entry: Entry[ProgressReported]) -> None:
        self.reports = (*self.reports, Report(entry))

    def review_progress(self, reviewed: ProgressReviewed, context: Context) -> ProgressReviewed:
        """Accepts a progress report or sends it back, once; never its author.

        A colleague of the author may review: it takes two people, not two organisations. A report that was sent back
        stays on record, no longer speaks for the stage and the percentage, and is answered by a new one.
        """
        number = reviewed.report
        place = place_of(number, self.reports)
        if place is None:
            raise NotFound("report-not-found", f"There is no progress report {number}.")
        found = self.reports[place]
        if context.actor.may_be(found.entry.recorded_by.people):
            raise RuleBroken("reviewer-is-author", "Nobody reviews a report of their own.")
        if found.review is not None:
            raise RuleBroken(
                "report-already-reviewed",
                f"Report {number} was {found.review.event.outcome}: a new report follows it.",
            )
        if reviewed.outcome is ReviewOutcome.RETURNED:
            guards.reason_given(reviewed.reason, "Sending a report back")
        return reviewed

    @evolves(ProgressReviewed)
    def _progress_reviewed(self, entry: Entry[ProgressReviewed]) -> None:
        at = place_of(entry.event.report, self.reports)
        if at is None:
            return  # an old log may review a report that is not there
        reviewed = self.reports[at]._replace(review=entry)
        self.reports = (*self.reports[:at], reviewed, *self.reports[at + 1 :])

    def set_milestone(self, planned: MilestoneSet, context: Context) -> MilestoneSet:
        """Plans a step on the way or, with the number of one not yet reached and a reason, plans that one anew."""
        last = self.milestones[-1].number if self.milestones else 0
        following = self.next_number(MilestoneSet, last)
        number = following if planned.number is COMPUTED else planned.number
        place = place_of(number, self.milestones)
        if place is None and number != following:
            raise InvalidInput(
                "milestone-out-of-sequence",
                f"Milestones are numbered in order: the next one is {following}.",
                pointer="/number",
            )
        guards.text_given(planned.name, "The name of a milestone", "/name")
        if place is not None:
            current = self.milestones[place]
            if current.completion is not None:
                raise RuleBroken(
                    "milestone-completed", f"Milestone {number} was reached and is not planned anew."
                )
            guards.reason_given(planned.reason, "Planning a milestone anew")
            plan = current.plan.event
            if (planned.name, planned.due_on, planned.description) == (
                plan.name,
                plan.due_on,
                plan.description,
            ):
                raise RuleBroken("milestone-unchanged", f"Milestone {number} is already planned like this.")
        self.must_be_open_on(guards.not_after_today(planned.effective_on or context.today, context.today))
        return replace(planned, number=number)

    @evolves(MilestoneSet)
    def _milestone_set(self, entry: Entry[MilestoneSet]) -> None:
        at = place_of(entry.event.number, self.milestones)
        if at is None:
            at = len(self.milestones)
        self.milestones = (*self.milestones[:at], Milestone(entry), *self.milestones[at + 1 :])

    def complete_milestone(self, completed: MilestoneCompleted, context: Context) -> MilestoneCompleted:
        """Reaches a planned step; the day it was due stays as planned."""
        self.must_be_own_of(context.actor, completed.completed_on)
        number = completed.number
        place = place_of(number, self.milestones)
        if place is None:
            raise NotFound("milestone-not-found", f"There is no milestone {number}.")
        guards.not_after_today(completed.completed_on, context.today, "/completed_on")
        guards.nothing_dated_later(completed, context.today)
        if self.milestones[place].completion is not None:
            raise RuleBroken("milestone-completed", f"Milestone {number} was already reached.")
        self.must_be_open_on(completed.completed_on)
        return completed

    @evolves(MilestoneCompleted)
    def _milestone_completed(self, entry: Entry[MilestoneCompleted]) -> None:
        at = place_of(entry.event.number, self.milestones)
        if at is None:
            return  # an old log may reach a milestone that is not there
        reached = self.milestones[at]._replace(completion=entry)
        self.milestones = (*self.milestones[:at], reached, *self.milestones[at + 1 :])

    # --- deadlines and lead ----------------------------------------------------------------------------------------

    def revise_deadline(self, revised: DeadlineRevised, context: Context) -> DeadlineRevised:
        """Moves a deadline, or sets it for the first time; the old day is kept.

        The internal deadline never falls after the public one, on any day that is now told of.
        """
        return self._revised(revised, context)

    def revise_deadlines(self, asked: Revision, context: Context) -> Sequence[DeadlineRevised]:
        """Moves a deadline, or sets it for the first time; the old day is kept.

        The internal deadline never falls after the public one: where that is brought forward past it, `internal_on`
        moves both together.
        """
        revised, internal_on = asked
        if internal_on is None:
            return [self._revised(revised, context)]
        if revised.deadline is DeadlineKind.INTERNAL:
            raise InvalidInput(
                "internal-on-misplaced",
                "`internal_on` moves the internal deadline together with the public one: here `on` says it.",
                pointer="/internal_on",
            )
        public = self._revised(revised, context, internal_on)
        if internal_on == (before := self.dated.internal_deadlines.on(revised.effective_on)[0]):
            return [public]
        internal = replace(revised, deadline=DeadlineKind.INTERNAL, on=internal_on, previous=before)
        return [public, internal]

    def _revised(
        self, revised: DeadlineRevised, context: Context, internal_on: date | None = None
    ) -> DeadlineRevised:
        day = guards.not_after_today(revised.effective_on, context.today)
        guards.reason_given(revised.reason, "A revision of a deadline")
        own, other = self.dated.public_deadlines, self.dated.internal_deadlines
        if revised.deadline is DeadlineKind.INTERNAL:
            own, other = other, own
        previous = own.on(day)[0]
        if revised.on == previous:
            raise RuleBroken(
                "deadline-unchanged", f"On {day} the {revised.deadline} deadline already was {previous}."
            )
        until = next(iter(own.days_after(day)), date.max)
        beside = [other.on(later)[0] for later in other.days_after(day) if later < until]
        for on in (internal_on or other.on(day)[0], *beside):
            if revised.deadline is DeadlineKind.PUBLIC:
                _deadlines_in_order(on, revised.on, ": move both with `internal_on`")
            else:
                _deadlines_in_order(revised.on, on)
        self.must_be_open_on(day)
        return replace(revised, previous=previous)

    @evolves(DeadlineRevised)
    def _deadline_revised(self, entry: Entry[DeadlineRevised]) -> None:
        self.revisions = (*self.revisions, entry)

    def reassign_lead(self, reassigned: LeadReassigned, context: Context, known: Known) -> LeadReassigned:
        """Hands the commitment to another organisation."""
        day = guards.not_after_today(reassigned.effective_on, context.today)
        guards.reason_given(reassigned.reason, "A change of lead")
        guards.known_organization(reassigned.lead_organization, known.organizations, "/lead_organization")
        guards.still_there(reassigned.lead_organization, day, known.heirs_on)
        previous = self.lead_on(day)
        if reassigned.lead_organization == previous:
            raise RuleBroken("lead-unchanged", f"On {day} {previous} already led it.")
        self.must_be_open_on(day)
        return replace(reassigned, previous=previous)

    @evolves(LeadReassigned)
    def _lead_reassigned(self, entry: Entry[LeadReassigned]) -> None:
        self.reassignments = (*self.reassignments, entry)

    def change(self, changed: Changed, context: Context, known: Known) -> Changed:
        """Changes a field from a day on, because it is another in the world; what held before stays right until then.

        What was written wrongly is corrected instead.
        """
        day = guards.not_after_today(changed.effective_on, context.today)
        guards.reason_given(changed.reason, "A change")
        self.must_have_begun_by(day)
        # A stage may have been reported since: that is what it was until this day.
        before = replace(self.dated.registration_on(day), stage=self.stage_on(day))
        after = _replaced(
            before,
            changed.field,
            changed.value,
            day=day,
            today=context.today,
            known=known,
            invalid=lambda why: InvalidInput("change-value-invalid", why, pointer="/value"),
            unchanged=lambda why: RuleBroken("change-changes-nothing", why),
        )
        self.must_be_open_on(day)
        return replace(
            changed, value=_as_json(after, changed.field), previous=_as_json(before, changed.field)
        )

    @evolves(Changed)
    def _changed(self, entry: Entry[Changed]) -> None:
        in_order = [*self.changes, entry]
        self.changes = tuple(sorted(in_order, key=lambda one: (one.event.effective_on, one.position)))

    # --- ending ----------------------------------------------------------------------------------------------------

    def complete(self, completed: Completed, context: Context) -> Completed:
        """Completes the commitment as promised, on evidence."""
        day = guards.not_after_today(completed.completed_on, context.today, "/completed_on")
        guards.evidence_given(completed.evidence, "A commitment is completed as promised")
        guards.nothing_dated_later(completed, context.today)
        self.must_be_closable_on(day)
        return completed

    def discard(self, discarded: Discarded, context: Context) -> Discarded:
        """Gives the commitment up, for one of three reasons and with an explanation."""
        day = guards.not_after_today(discarded.effective_on, context.today)
        guards.reason_given(discarded.reason, "Giving a commitment up")
        self.must_be_closable_on(day)
        return discarded

    def merge(self, merged: Merged, context: Context, into: Successor | None) -> Merged:
        """Merges the commitment into another one, in which it goes on: one that is open and did not come from it."""
        day = guards.not_after_today(merged.effective_on, context.today)
        guards.reason_given(merged.reason, "A merger")
        if into is None:
            raise InvalidInput(
                "merger-into-unknown", "There is no such commitment to merge into.", pointer="/into"
            )
        if into.code == self.code:
            raise RuleBroken("merger-into-itself", "A commitment cannot be merged into itself.")
        if self.code in into.goes_on_in:
            raise RuleBroken("merger-in-a-circle", f"'{into.code}' itself goes on in '{self.code}'.")
        if day < into.first_day:
            raise RuleBroken(
                "successor-not-there-yet",
                f"'{into.code}' counts from {into.first_day} on: on {day} nobody would carry the promise.",
            )
        if not into.open:
            raise RuleBroken(
                "merger-into-closed", f"On {day} '{into.code}' was closed: nothing could go on inside it."
            )
        self.must_be_closable_on(day)
        return replace(merged, into=into.code)

    def split(self, split: Split, context: Context, parts: Sequence[str]) -> Split:
        """Splits the commitment into several that share its origin: only a retraction takes that back."""
        day = guards.not_after_today(split.effective_on, context.today)
        guards.reason_given(split.reason, "A split")
        if len(parts) < 2:
            raise InvalidInput("split-too-few", "A split makes at least two parts.", pointer="/parts")
        guards.all_different(parts, "/parts")
        self.must_be_closable_on(day)
        return replace(split, parts=tuple(parts))

    def must_carry_on(self, merged: Iterable[Joined], open_on: Callable[[date], bool]) -> None:
        """What was merged into it while it was open was not merged into something closed, now that it closes."""
        for code, day in merged:
            if self.closing_on(day) is None and not open_on(day):
                raise RuleBroken(
                    "merger-into-closed",
                    f"'{code}' was merged into it as of {day}: it cannot have been closed by then.",
                )

    @evolves(Completed, Discarded, Merged, Split)
    def _closed(self, entry: Entry[Any]) -> None:
        self.closings = (*self.closings, entry)

    def reopen(self, reopened: Reopened, context: Context) -> Reopened:
        """Undoes a completion, a discard or a merger from a day on; what was said before stands."""
        day = guards.not_after_today(reopened.effective_on, context.today)
        guards.reason_given(reopened.reason, "A reopening")
        closing = self.closing_on(day)
        if closing is not None and isinstance(closing.event, Split):
            raise RuleBroken(
                "split-not-reopened", "It goes on in its parts: a split that was a mistake is retracted."
            )
        if closing is None:
            if self.closing_on(date.max) is not None:
                raise RuleBroken(
                    "reopening-before-closure", f"On {day} it was still open: it was closed later."
                )
            raise RuleBroken("not-closed", "It is open: there is nothing to reopen.")
        self._must_be_the_last_word(day)
        return reopened

    @evolves(Reopened)
    def _reopened(self, entry: Entry[Reopened]) -> None:
        self.reopenings = (*self.reopenings, entry)

    # --- keeping the record ----------------------------------------------------------------------------------------

    def change_visibility(self, changed: VisibilityChanged, context: Context) -> VisibilityChanged:
        """Publishes the commitment, or changes who may read it: on all its days or, with a day, from that one on.

        What was entered late was public on its own days. Whoever may not read it now is told of none of them.
        """
        guards.reason_given(changed.reason, "A change of visibility")
        day = changed.effective_on
        if day is not None:
            self.must_have_begun_by(guards.not_after_today(day, context.today))
        return replace(changed, previous=self.visibilities.before(changed))

    @evolves(VisibilityChanged)
    def _visibility_changed(self, entry: Entry[VisibilityChanged]) -> None:
        self.visibilities.take_in(entry.event, entry.position)

    def correct(self, corrected: Corrected, context: Context, known: Known) -> Corrected:
        """Sets a field of the registration right, from the first day on; what was said before stays on record."""
        guards.reason_given(corrected.reason, "A correction")
        field = corrected.field
        if field not in CORRECTABLE:
            raise InvalidInput(
                "field-not-correctable",
                f"'{field}' is not a field of the registration that a correction may change.",
                pointer="/field",
            )
        right = _replaced(
            self.registration,
            field,
            corrected.value,
            day=None,
            today=context.today,
            known=known,
            invalid=lambda why: InvalidInput("correction-value-invalid", why, pointer="/value"),
            unchanged=lambda why: RuleBroken("correction-changes-nothing", why),
        )
        if field == "kind":
            _must_fit(right, (stretch.code for stretch in self.parents()), known)
        if field == "effective_on":
            self._must_hold_all_facts_from(right.effective_on)
        if field in ("public_deadline", "internal_deadline"):
            self._must_leave_in_order(field, getattr(right, field))
        self._must_show_somewhere(field)
        return replace(corrected, value=_as_json(right, field), previous=_as_json(self.registration, field))

    @evolves(Corrected)
    def _registration_corrected(self, entry: Entry[Corrected]) -> None:
        self.corrections = (*self.corrections, entry)

    @evolves(CommitmentFactRetracted)
    def _retracted(self, entry: Entry[CommitmentFactRetracted]) -> None:
        self.retractions = (*self.retractions, entry)

    def note_escalation(self, escalated: Escalated, context: Context) -> Escalated:
        """A decision takes the matter to a higher level."""
        self.must_have_begun_by(guards.not_after_today(escalated.effective_on, context.today))
        guards.text_given(escalated.decision, "The decision", "/decision")
        return escalated

    @evolves(Escalated)
    def _escalated(self, entry: Entry[Escalated]) -> None:
        self.escalations = (*self.escalations, entry)

    # --- guards that depend on it ----------------------------------------------------------------------------------

    def must_have_begun_by(self, day: date) -> None:
        """Nothing happens to a commitment before the first day it counts."""
        if day < self.dated.first_day:
            raise RuleBroken(
                "before-registration",
                f"It counts from {self.dated.first_day} on, and not on {day}: if it was there already, correct its "
                "`effective_on`.",
            )

    def must_be_open_on(self, day: date) -> None:
        """A commitment takes facts from its first day on, and none dated on or after the day it was closed."""
        self.must_have_begun_by(day)
        closure = self.dated.closures.on(day)[0]
        if closure is Closure.SPLIT:
            raise RuleBroken(
                "commitment-closed",
                f"On {day} it already went on in its parts: record it of {', '.join(self.split_into)}.",
            )
        if closure is not None:
            raise RuleBroken(
                "commitment-closed",
                f"On {day} it was already {closure}: reopen it first, or state the day before.",
            )

    def must_be_closable_on(self, day: date) -> None:
        """Only what is open on that day, and was neither closed nor reopened since, can be closed from that day on."""
        self.must_be_open_on(day)
        self._must_be_the_last_word(day)

    def deadlines_in_order(self) -> bool:
        """Whether the internal deadline falls after the public one on no day."""
        public, internal = self.dated.public_deadlines, self.dated.internal_deadlines
        days = (self.dated.first_day, *public.days(), *internal.days())
        return not any(
            one is not None and other is not None and one > other
            for one, other in ((internal.on(day)[0], public.on(day)[0]) for day in days)
        )

    def must_begin_under_its_parent(self, known: Known, pointer: str) -> None:
        """What it was part of on its first day was there by then."""
        _parent_there(self.registration, self.dated.first_day, known, pointer)

    def must_begin_with_its_split(self, first_day: date, splits: Iterable[Joined]) -> None:
        """Until the day of the split the promise was its original's: no part of it was there before."""
        for code, day in splits:
            if first_day < day:
                raise RuleBroken(
                    "part-before-split",
                    f"'{code}' was split as of {day}: on {first_day} '{self.code}' was not there yet. If the split was "
                    "earlier, retract it and record it as of that day.",
                )

    def must_fit(self, known: Known) -> None:
        """Its layer is below what it is part of, and above its parts."""
        _must_fit(self.registration, (stretch.code for stretch in self.parents()), known)

    def _must_be_the_last_word(self, day: date) -> None:
        """What ends or reopens it is dated no earlier than the last such fact, which would go on to hold after it."""
        closures = self.dated.closures
        for later in closures.days_after(day)[:1]:
            closure = closures.on(later)[0]
            instead = f"as of {later}, after {day}: date this on or after that day, or retract that fact."
            if closure is None:
                raise RuleBroken("reopened-later", f"It was reopened {instead}")
            raise RuleBroken("commitment-closed", f"It was {closure} {instead}")

    def must_be_own_of(self, actor: Actor, day: date) -> None:
        """A ministry speaks only for what is its own; the other roles speak for the whole of government.

        Of a day may tell whose own it was on that day, and whose own it is now. Who succeeded an organisation that was
        dissolved has its right.
        """
        if actor.role is not Role.MINISTRY:
            return
        own = {*self.organizations(), *self.dated.organizations_on(day)}
        if not actor.is_of(own):
            raise Forbidden(
                "not-your-commitment",
                f"{actor.organization} neither leads this commitment nor is responsible for it or collaborates on it, "
                f"nor did so on {day}.",
            )

    def _must_hold_all_facts_from(self, first_day: date) -> None:
        """No fact of the record would be left before the first day."""
        days = [day for history in self.dated.histories() for day in history.days()]
        days += self.progress.days()
        days += [one.completion.event.completed_on for one in self.milestones if one.completion is not None]
        days += [day for history in (self.risks, self.budgets) for day in history.days()]
        left = [day for day in days if self.dated.first_day <= day < first_day]
        if left:
            raise RuleBroken(
                "before-registration",
                f"Something is on record of {min(left)}: it cannot count from {first_day} on only.",
            )

    def _must_leave_in_order(self, field: str, deadline: PublicDeadline | InternalDeadline | None) -> None:
        """As long as no revision replaces the first deadline, revisions of the other one are in order with it too."""
        own, other = self.dated.public_deadlines, self.dated.internal_deadlines
        if field == "internal_deadline":
            own, other = other, own
        until = next(iter(own.days()), date.max)
        right = None if deadline is None else deadline.on
        for day in other.days():
            if day < until:
                pair = (other.on(day)[0], right)
                _deadlines_in_order(*(pair if field == "public_deadline" else pair[::-1]))

    def _must_show_somewhere(self, field: str) -> None:
        """A correction of what the registration said is seen on some day, or it would set nothing right."""
        first_day = self.dated.first_day
        hiding = {
            "lead_organization": self.dated.leads.days(),
            "public_deadline": self.dated.public_deadlines.days(),
            "internal_deadline": self.dated.internal_deadlines.days(),
        }.get(field, [one.event.effective_on for one in self._changes_of(field)])
        since = min(hiding, default=None)
        if field == "stage":
            # Only the present stage is shown, and of that the last report or change tells.
            told = [one.effective_on for one in self.progress.on(date.max) if one.event.stage is not None]
            since = max([*told, *hiding], default=None)
        elif since is not None and since > first_day:
            since = None
        if since is not None:
            raise RuleBroken(
                "correction-without-effect",
                f"Since {since} another fact says what `{field}` is, so that no day would read otherwise: record what "
                "it is from a day on, or retract that fact.",
            )


def open_until(closing: Completed | Discarded | Merged | Split) -> Callable[[date], bool]:
    """Whether what a fact closes is open on a day: on that of the closing others may still be merged into it."""
    closed_on = closing.completed_on if isinstance(closing, Completed) else closing.effective_on
    return lambda day: day <= closed_on


class Revision(NamedTuple):
    """What a request for a revision asks: the one deadline, and perhaps where the internal one goes with it."""

    revised: DeadlineRevised
    internal_on: date | None = None


class Stretch(NamedTuple):
    """Something names another from a day on and until another day, which is no longer in it."""

    since: date
    until: date
    code: str


def _stretches(days: Sequence[date], named_on: Callable[[date], tuple[str, ...]]) -> list[Stretch]:
    """What is named on which days, where it can only change on some of them."""
    return [
        Stretch(since, until, code)
        for since, until in zip(days, (*days[1:], date.max), strict=False)
        for code in named_on(since)
    ]


# --- registration: field by field; a correction is held to the same rules ------------------------------------------

RISKS: Final = tuple(
    name for name in RisksAssessed.__struct_fields__ if name not in {"effective_on", "description"}
)

HEAVIEST: Final = 1_000_000

_LAYERS = list(CommitmentKind)
_NAMES = {
    "title",
    "responsible_service",
    "adviser",
    "stage",
    "priority",
    "region",
    "initiative_type",
    "key_words",
}


def register(proposed: Registered, context: Context, known: Known) -> Registered:
    """A commitment as it may enter the record."""
    if proposed.split_from is not None:
        raise InvalidInput(
            "split-from-not-registered",
            "A part is registered by the split itself: POST /v1/commitments/{id}/splits on the commitment it comes "
            "from.",
            pointer="/split_from",
        )
    agreed_in_private = proposed.origin is not None and proposed.origin.kind is OriginKind.BILATERAL_MEETING
    if agreed_in_private and proposed.visibility is Visibility.PUBLIC:
        raise InvalidInput(
            "bilateral-not-public",
            "What was agreed in a bilateral meeting is not public from the start: publish it, with a reason.",
            pointer="/visibility",
        )
    return may_enter(proposed, context, known)


def may_enter(proposed: Registered, context: Context, known: Known) -> Registered:
    """Holds a new commitment, by itself or a part of a split one, to the rules of its fields."""
    guards.well_formed_code(proposed.code)
    _check(proposed, FIELD_TYPES, day=proposed.effective_on, today=context.today, known=known)
    return proposed


def usual_visibility(origin: OriginKind | None) -> Visibility:
    """Who may read a new commitment when nobody says otherwise."""
    return Visibility.RESERVED if origin is OriginKind.BILATERAL_MEETING else Visibility.INTERNAL


def _check(registered: Registered, fields: Collection[str], *, day: date, today: date, known: Known) -> None:
    """Holds these fields of a registration, as they read from a day on, to the rules; raises the first broken one."""
    for field in fields:
        _check_lengths(getattr(registered, field), field, f"/{field}")
    if "title" in fields:
        guards.text_given(registered.title, "The title", "/title")
    if "effective_on" in fields:
        guards.not_after_today(registered.effective_on, today)
    if "pillar" in fields and registered.pillar is not None and registered.pillar not in known.pillars:
        raise InvalidInput(
            "unknown-pillar", f"There is no pillar with the code '{registered.pillar}'.", pointer="/pillar"
        )
    for field, pointer, code in organizations_named(registered):
        if field in fields:
            guards.known_organization(code, known.organizations, pointer)
        if field in fields or "effective_on" in fields:
            guards.still_there(code, day, known.heirs_on)
    for field in ("origin", "documents"):
        if field in fields:
            guards.nothing_dated_later(getattr(registered, field), today, f"/{field}")
    if "collaborating_organizations" in fields:
        guards.all_different(registered.collaborating_organizations, "/collaborating_organizations")
    if "weight" in fields and registered.weight is not None:
        _check_weight(registered.weight)
    if "key_words" in fields:
        guards.all_different(registered.key_words, "/key_words")
    if registered.parent is not None and ("parent" in fields or "kind" in fields):
        place = _place_of(registered.parent, known)
        if "parent" in fields and registered.code in (registered.parent, *place.ancestors):
            raise RuleBroken(
                "parent-is-descendant",
                f"'{registered.parent}' is '{registered.code}' itself or part of it, and cannot contain it.",
            )
        _check_layers(registered.kind, place.kind)
    if "parent" in fields or "effective_on" in fields:
        _parent_there(registered, day, known, "/parent" if "parent" in fields else "/effective_on")
    if "public_deadline" in fields or "internal_deadline" in fields:
        internal, public = registered.internal_deadline, registered.public_deadline
        _deadlines_in_order(None if internal is None else internal.on, None if public is None else public.on)


def organizations_named(registered: Registered) -> Iterator[tuple[str, str, str]]:
    """The organisations a registration names: field, JSON pointer, code."""
    yield "lead_organization", "/lead_organization", registered.lead_organization
    if registered.responsible_service is not None:
        yield "responsible_service", "/responsible_service", registered.responsible_service
    for index, code in enumerate(registered.collaborating_organizations):
        yield "collaborating_organizations", f"/collaborating_organizations/{index}", code


def _deadlines_in_order(internal: date | None, public: date | None, advice: str = "") -> None:
    """The unit's own deadline is no later than the public one, or it would warn of nothing."""
    if internal is not None and public is not None and internal > public:
        raise RuleBroken(
            "internal-after-public",
            f"The internal deadline, {internal}, would fall after the public one, {public}{advice}.",
        )


def _must_fit(registered: Registered, parents: Iterable[str], known: Known) -> None:
    for parent in sorted(set(parents)):
        _check_layers(registered.kind, _place_of(parent, known).kind)
    for _, kind in sorted(known.parts.items()):
        _check_layers(kind, registered.kind)


def _place_of(parent: str, known: Known) -> Place:
    place = known.commitments.get(parent)
    if place is None:
        raise InvalidInput(
            "parent-unknown", f"There is no commitment with the code '{parent}'.", pointer="/parent"
        )
    return place


def _parent_there(registered: Registered, day: date, known: Known, pointer: str) -> None:
    """Nothing is part of what does not count yet."""
    parent = registered.parent
    if parent is not None and day < (first_day := _place_of(parent, known).first_day):
        raise InvalidInput(
            "parent-not-there-yet",
            f"'{parent}' counts from {first_day} on: on {day} nothing was part of it.",
            pointer=pointer,
        )


def _check_layers(part: CommitmentKind, whole: CommitmentKind) -> None:
    if _LAYERS.index(whole) > _LAYERS.index(part):
        raise RuleBroken("parent-below", f"A {part} is no part of a {whole}: the layers run the other way.")


def _check_weight(weight: Decimal) -> None:
    in_bounds = weight.is_finite() and 0 < weight <= HEAVIEST
    if not in_bounds or weight != round(weight, 6):
        raise InvalidInput(
            "weight-out-of-range",
            f"A weight is above 0, at most {HEAVIEST}, and has at most 6 decimals.",
            pointer="/weight",
        )


def _check_budget_lines(lines: Sequence[BudgetLine]) -> None:
    """At least one figure, in decimal text and a currency, and no two for the same figure and year."""
    if not lines:
        raise InvalidInput("budget-lines-missing", "An estimate has at least one figure.", pointer="/lines")
    seen: set[tuple[BudgetFigure, int | None]] = set()
    for index, line in enumerate(lines):
        at = f"/lines/{index}"
        guards.amount(line.amount, f"{at}/amount")
        guards.currency(line.currency, f"{at}/currency")
        if (line.figure, line.year) in seen:
            raise InvalidInput(
                "budget-line-repeated", "This figure and year is given twice in one estimate.", pointer=at
            )
        seen.add((line.figure, line.year))


def _check_lengths(value: Any, field: str, pointer: str) -> None:
    # The request's own limits hold for it; decisions and imports register without one.
    if isinstance(value, str):
        if not value.strip():
            raise InvalidInput("text-required", "An empty text tells nothing: leave it out.", pointer=pointer)
        if field in _NAMES:
            guards.one_line(value, pointer)
        limit = LONGEST_LINE if field in _NAMES else LONGEST_TEXT
        if len(value) > limit:
            raise InvalidInput("text-too-long", f"At most {limit} characters fit here.", pointer=pointer)
    elif isinstance(value, tuple):
        if len(value) > MOST_ITEMS:
            raise InvalidInput(
                "too-many-items", f"At most {MOST_ITEMS} items fit in one list.", pointer=pointer
            )
        for index, item in enumerate(value):
            _check_lengths(item, field, f"{pointer}/{index}")
    elif isinstance(value, msgspec.Struct):
        for member in value.__struct_fields__:
            _check_lengths(getattr(value, member), field, f"{pointer}/{member}")


# --- corrections and changes of the registration -------------------------------------------------------------------


def _replaced(
    registered: Registered,
    field: str,
    value: Any,
    *,
    day: date | None,
    today: date,
    known: Known,
    invalid: Callable[[str], InvalidInput],
    unchanged: Callable[[str], RuleBroken],
) -> Registered:
    """The registration as it would read with another value in one field; `value` is JSON, shaped as at registration.

    It reads so from a day on, by default from its first. `invalid` and `unchanged` are the refusals of a value that
    does not fit, or that changes nothing.
    """
    try:
        candidate = with_field(registered, field, value)
    except msgspec.ValidationError as error:
        raise invalid(f"The value does not have the shape that '{field}' has at registration.") from error
    if isinstance(value, str) and isinstance(getattr(candidate, field), Decimal):
        raise invalid(f"'{field}' is a number such as 2.5: without quotes or separators of thousands.")
    # Members a value may not have would be dropped in silence: what is asked is what must be recorded.
    if not _same_members(value, _as_json(candidate, field)):
        raise invalid(f"The value has members that '{field}' does not have at registration.")
    try:
        _check(candidate, (field,), day=day or candidate.effective_on, today=today, known=known)
    except InvalidInput as error:
        pointer = "/value" + error.pointer.removeprefix(f"/{field}")
        raise InvalidInput(error.code, error.message, pointer=pointer) from error
    if getattr(candidate, field) == getattr(registered, field):
        raise unchanged(f"'{field}' already has this value.")
    return candidate


def _as_json(registered: Registered, field: str) -> Any:
    """One field of the registration, in the shape it has in the event."""
    return _DECODE(_ENCODE(getattr(registered, field)))


_ENCODE: Final = msgspec.json.Encoder(decimal_format="number").encode
_DECODE: Final = msgspec.json.Decoder(float_hook=Decimal).decode


def _same_members(given: Any, kept: Any) -> bool:
    """Whether every member of the given JSON is there in what was kept; a default may be left out of it."""
    if isinstance(given, dict):
        named = {name for name, value in given.items() if value is not None and value is not False}
        return isinstance(kept, dict) and all(
            name in kept and _same_members(given[name], kept[name]) for name in named
        )
    if isinstance(given, list):
        return isinstance(kept, list) and all(map(_same_members, given, kept))
    return True
