"""What those who deliver tell of a commitment: progress reports, and the milestones they reach.

A report is reviewed once, by somebody else than its author. One that was sent back is answered by a new report; it
stays on record and no longer speaks for the stage and the percentage.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from services.commitments.domain import guards
from services.commitments.domain.entries import Entry, Milestone, Report
from services.commitments.domain.state import CommitmentState, changed_by
from shared.errors import InvalidInput, NotFound, RuleBroken
from shared.events.commitments import (
    Evidence,
    MilestoneCompleted,
    MilestoneSet,
    ProgressReported,
    ProgressReviewed,
)
from shared.events.vocabulary import ReviewOutcome
from shared.identity.actor import Actor
from shared.rules.periods import period_named


class Delivery(CommitmentState):
    """A commitment on its way: what happens between its registration and its end."""

    __slots__ = ()

    def report_progress(
        self,
        *,
        today: date,
        actor: Actor,
        period: str,
        effective_on: date | None = None,
        observed_progress: str | None = None,
        stage: str | None = None,
        percent: Decimal | None = None,
        evidence: Sequence[Evidence] = (),
        source: str | None = None,
        source_on: date | None = None,
        no_change: bool = False,
    ) -> ProgressReported:
        """An organisation concerned tells how far it is; "no change" is a report, and then changes nothing."""
        self.must_be_own_of(actor)
        period_named(period)
        day = guards.not_after_today(effective_on, today)
        if source_on is not None:
            guards.not_after_today(source_on, today, "/source_on")
        guards.percentage(percent)
        if no_change and ((stage or self.stage) != self.stage or percent not in (None, self.percent)):
            raise RuleBroken(
                "no-change-contradicted", "A report of no change cannot tell of another stage or percentage."
            )
        if not (no_change or observed_progress or stage or percent is not None):
            raise InvalidInput(
                "nothing-reported", "Tell the progress observed, a stage or a percentage, or say no_change."
            )
        self.must_be_open_on(day)
        return ProgressReported(
            number=len(self.reports) + 1,
            period=period,
            effective_on=day,
            observed_progress=observed_progress,
            stage=stage,
            percent=percent,
            evidence=tuple(evidence),
            source=source,
            source_on=source_on,
            no_change=no_change,
        )

    @changed_by(ProgressReported)
    def _progress_reported(self, entry: Entry[ProgressReported]) -> None:
        self.reports = (*self.reports, Report(entry))

    def review_progress(
        self, *, actor: Actor, report: int, outcome: ReviewOutcome, reason: str | None = None
    ) -> ProgressReviewed:
        """Someone else than its author accepts a report or sends it back, once; a new report answers the latter.

        A colleague of the author may review, the author may not: it takes two people, not two organisations.
        """
        if not 1 <= report <= len(self.reports):
            raise NotFound("report-not-found", f"There is no progress report {report}.")
        found = self.reports[report - 1]
        if found.entry.by.subject == actor.subject:
            raise RuleBroken("reviewer-is-author", "Nobody reviews a report of their own.")
        if found.review is not None:
            raise RuleBroken(
                "report-already-reviewed",
                f"Report {report} was {found.review.said.outcome}: a new report follows it.",
            )
        if outcome is ReviewOutcome.RETURNED:
            guards.reason_given(reason, "Sending a report back")
        return ProgressReviewed(report=report, outcome=outcome, reason=reason)

    @changed_by(ProgressReviewed)
    def _progress_reviewed(self, entry: Entry[ProgressReviewed]) -> None:
        at = entry.said.report - 1
        reviewed = self.reports[at]._replace(review=entry)
        self.reports = (*self.reports[:at], reviewed, *self.reports[at + 1 :])

    def set_milestone(
        self,
        *,
        today: date,
        name: str,
        due_on: date,
        number: int | None = None,
        description: str | None = None,
        reason: str | None = None,
    ) -> MilestoneSet:
        """A step is planned, or one not yet reached is planned anew, which needs a reason."""
        following = len(self.milestones) + 1
        if number is None:
            number = following
        if not 1 <= number <= following:
            raise InvalidInput(
                "milestone-out-of-sequence",
                f"Milestones are numbered in order: the next one is {following}.",
                pointer="/number",
            )
        guards.text_given(name, "The name of a milestone", "/name")
        if number < following:
            current = self.milestones[number - 1]
            if current.completion is not None:
                raise RuleBroken(
                    "milestone-completed", f"Milestone {number} was reached and is not planned anew."
                )
            guards.reason_given(reason, "Planning a milestone anew")
            plan = current.plan.said
            if (name, due_on, description) == (plan.name, plan.due_on, plan.description):
                raise RuleBroken("milestone-unchanged", f"Milestone {number} is already planned like this.")
        self.must_be_open_on(today)
        return MilestoneSet(number=number, name=name, due_on=due_on, description=description, reason=reason)

    @changed_by(MilestoneSet)
    def _milestone_set(self, entry: Entry[MilestoneSet]) -> None:
        at = entry.said.number - 1
        self.milestones = (*self.milestones[:at], Milestone(entry), *self.milestones[at + 1 :])

    def complete_milestone(
        self,
        *,
        today: date,
        actor: Actor,
        number: int,
        completed_on: date | None = None,
        evidence: Sequence[Evidence] = (),
        remarks: str | None = None,
    ) -> MilestoneCompleted:
        """An organisation concerned reaches a planned step; the day it was due stays as planned."""
        self.must_be_own_of(actor)
        if not 1 <= number <= len(self.milestones):
            raise NotFound("milestone-not-found", f"There is no milestone {number}.")
        day = guards.not_after_today(completed_on, today, "/completed_on")
        if self.milestones[number - 1].completion is not None:
            raise RuleBroken("milestone-completed", f"Milestone {number} was already reached.")
        self.must_be_open_on(day)
        return MilestoneCompleted(number=number, completed_on=day, evidence=tuple(evidence), remarks=remarks)

    @changed_by(MilestoneCompleted)
    def _milestone_completed(self, entry: Entry[MilestoneCompleted]) -> None:
        at = entry.said.number - 1
        reached = self.milestones[at]._replace(completion=entry)
        self.milestones = (*self.milestones[:at], reached, *self.milestones[at + 1 :])
