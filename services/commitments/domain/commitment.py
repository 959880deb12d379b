"""One commitment: what may happen to it, and what each thing that happened changes.

A command guards and returns the event; the handler right under it only assigns, so that replaying history never judges
it again. Facts carry the day they took effect, and that day decides: a commitment takes facts dated before it was
closed however late the log learns of them, and none dated on or after that day until it is reopened. What is about the
record rather than the world (comments, reviews, corrections, visibility, escalations) is taken at any time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from services.commitments.domain import guards, registration
from services.commitments.domain.delivery import Delivery
from services.commitments.domain.entries import Entry, Successor
from services.commitments.domain.registration import Known
from services.commitments.domain.state import changed_by
from shared.errors import InvalidInput, RuleBroken
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
    InternalDeadline,
    LeadReassigned,
    Merged,
    PublicDeadline,
    Reopened,
    RisksAssessed,
    VisibilityChanged,
)
from shared.events.vocabulary import DeadlineKind, DiscardReason, Judgement, Visibility
from shared.identity.actor import Actor


class Commitment(Delivery):
    """A promise of the government, from its registration to its end and, reopened, beyond."""

    __slots__ = ()

    def assess(
        self,
        *,
        today: date,
        judgement: Judgement | None,
        reason: str | None = None,
        effective_on: date | None = None,
        rating: str | None = None,
        scale: str | None = None,
    ) -> Assessed:
        """Someone judges how it is going; *at risk* says why, and no judgement at least gives a rating."""
        day = guards.not_after_today(effective_on, today)
        if judgement is None and rating is None:
            raise InvalidInput(
                "judgement-or-rating-required",
                "Say on_track or at_risk, or give the rating on the assessor's own scale.",
                pointer="/judgement",
            )
        if judgement is Judgement.AT_RISK:
            guards.reason_given(reason, "A judgement of at_risk")
        self.must_be_open_on(day)
        return Assessed(effective_on=day, judgement=judgement, reason=reason, rating=rating, scale=scale)

    @changed_by(Assessed)
    def _assessed(self, entry: Entry[Assessed]) -> None:
        self.assessments.add(entry.said.effective_on, entry.position, entry)

    def assess_risks(
        self,
        *,
        today: date,
        effective_on: date | None = None,
        budgetary_requirements: int | None = None,
        technical_design_complexity: int | None = None,
        stakeholder_conflict: int | None = None,
        passage_through_congress: int | None = None,
        conflict_between_institutions: int | None = None,
        change_management: int | None = None,
        description: str | None = None,
    ) -> RisksAssessed:
        """Someone rates the risks, 1 (low) to 4 (high); those that do not apply are left out."""
        day = guards.not_after_today(effective_on, today)
        rated = RisksAssessed(
            effective_on=day,
            budgetary_requirements=budgetary_requirements,
            technical_design_complexity=technical_design_complexity,
            stakeholder_conflict=stakeholder_conflict,
            passage_through_congress=passage_through_congress,
            conflict_between_institutions=conflict_between_institutions,
            change_management=change_management,
            description=description,
        )
        guards.risks_rated(rated)
        self.must_be_open_on(day)
        return rated

    @changed_by(RisksAssessed)
    def _risks_assessed(self, entry: Entry[RisksAssessed]) -> None:
        self.risks.add(entry.said.effective_on, entry.position, entry)

    def estimate_budget(
        self,
        *,
        today: date,
        lines: Sequence[BudgetLine],
        effective_on: date | None = None,
        source: str | None = None,
        remarks: str | None = None,
    ) -> BudgetEstimated:
        """Someone puts figures to what it costs."""
        day = guards.not_after_today(effective_on, today)
        figures = guards.budget_lines(lines)
        self.must_be_open_on(day)
        return BudgetEstimated(effective_on=day, lines=figures, source=source, remarks=remarks)

    @changed_by(BudgetEstimated)
    def _budget_estimated(self, entry: Entry[BudgetEstimated]) -> None:
        self.budgets.add(entry.said.effective_on, entry.position, entry)

    def comment(self, *, today: date, actor: Actor, text: str, effective_on: date | None = None) -> Commented:
        """Someone leaves a remark; that is possible at any time."""
        self.must_be_own_of(actor)
        day = guards.not_after_today(effective_on, today)
        return Commented(text=guards.text_given(text, "A comment", "/text"), effective_on=day)

    @changed_by(Commented)
    def _commented(self, entry: Entry[Commented]) -> None:
        self.comments = (*self.comments, entry)

    def revise_deadline(
        self,
        *,
        today: date,
        deadline: DeadlineKind,
        on: date,
        reason: str,
        effective_on: date | None = None,
        decision: str | None = None,
    ) -> DeadlineRevised:
        """A deadline is moved, or set for the first time; the old day is kept.

        The internal deadline is never moved beyond the public one. The public one may be brought forward past the
        internal one, for a promise is what it is, and the internal one is then the unit's to mend.
        """
        day = guards.not_after_today(effective_on, today)
        guards.reason_given(reason, "A revision of a deadline")
        public, internal = self.dated.public_deadlines.on(day)[0], self.dated.internal_deadlines.on(day)[0]
        previous = public if deadline is DeadlineKind.PUBLIC else internal
        if on == previous:
            raise RuleBroken("deadline-unchanged", f"On {day} the {deadline} deadline already was {on}.")
        if deadline is DeadlineKind.INTERNAL and public is not None:
            registration.in_order(InternalDeadline(on=on), PublicDeadline(on=public))
        self.must_be_open_on(day)
        return DeadlineRevised(
            deadline=deadline, on=on, effective_on=day, reason=reason, previous=previous, decision=decision
        )

    @changed_by(DeadlineRevised)
    def _deadline_revised(self, entry: Entry[DeadlineRevised]) -> None:
        self.revisions = (*self.revisions, entry)

    def reassign_lead(
        self,
        *,
        today: date,
        lead_organization: str,
        reason: str,
        known: Known,
        effective_on: date | None = None,
        decision: str | None = None,
    ) -> LeadReassigned:
        """Another organisation takes it over."""
        day = guards.not_after_today(effective_on, today)
        guards.reason_given(reason, "A change of lead")
        registration.known_organization(lead_organization, known.organizations, "/lead_organization")
        previous = self.lead_on(day)
        if lead_organization == previous:
            raise RuleBroken("lead-unchanged", f"On {day} {previous} already led it.")
        self.must_be_open_on(day)
        return LeadReassigned(
            lead_organization=lead_organization,
            previous=previous,
            effective_on=day,
            reason=reason,
            decision=decision,
        )

    @changed_by(LeadReassigned)
    def _lead_reassigned(self, entry: Entry[LeadReassigned]) -> None:
        self.reassignments = (*self.reassignments, entry)

    # --- ending ----------------------------------------------------------------------------------------------------

    def complete(
        self,
        *,
        today: date,
        evidence: Sequence[Evidence],
        completed_on: date | None = None,
        remarks: str | None = None,
    ) -> Completed:
        """It was kept as promised, on the evidence given."""
        day = guards.not_after_today(completed_on, today, "/completed_on")
        shown = guards.evidence_given(evidence)
        self.must_be_closable_on(day)
        return Completed(completed_on=day, evidence=shown, remarks=remarks)

    def discard(
        self,
        *,
        today: date,
        reason_type: DiscardReason,
        reason: str,
        effective_on: date | None = None,
        decision: str | None = None,
    ) -> Discarded:
        """It is given up, for one of the three reasons and with an explanation."""
        day = guards.not_after_today(effective_on, today)
        guards.reason_given(reason, "Giving a commitment up")
        self.must_be_closable_on(day)
        return Discarded(reason_type=reason_type, reason=reason, effective_on=day, decision=decision)

    def merge(
        self,
        *,
        today: date,
        into: Successor | None,
        reason: str,
        effective_on: date | None = None,
        decision: str | None = None,
    ) -> Merged:
        """It goes on inside another commitment, which must be open and not have come from this one."""
        day = guards.not_after_today(effective_on, today)
        guards.reason_given(reason, "A merger")
        if into is None:
            raise InvalidInput(
                "merger-into-unknown", "There is no such commitment to merge into.", pointer="/into"
            )
        if into.code == self.code:
            raise RuleBroken("merger-into-itself", "A commitment cannot be merged into itself.")
        if self.code in into.merged_into:
            raise RuleBroken("merger-in-a-circle", f"'{into.code}' was itself merged into '{self.code}'.")
        if not into.open:
            raise RuleBroken("merger-into-closed", f"'{into.code}' is closed: nothing can go on inside it.")
        self.must_be_closable_on(day)
        return Merged(into=into.code, reason=reason, effective_on=day, decision=decision)

    @changed_by(Completed, Discarded, Merged)
    def _closed(self, entry: Entry[Any]) -> None:
        self.closings = (*self.closings, entry)

    def reopen(self, *, today: date, reason: str, effective_on: date | None = None) -> Reopened:
        """A completion, a discard or a merger is undone from a day on; what was said before stands."""
        day = guards.not_after_today(effective_on, today)
        guards.reason_given(reason, "A reopening")
        if self.closing_on(day) is None:
            closed_later = self.closing_on(date.max) is not None
            if closed_later:
                raise RuleBroken(
                    "reopening-before-closure", f"On {day} it was still open: it was closed later."
                )
            raise RuleBroken("not-closed", "It is open: there is nothing to reopen.")
        return Reopened(reason=reason, effective_on=day)

    @changed_by(Reopened)
    def _reopened(self, entry: Entry[Reopened]) -> None:
        self.reopenings = (*self.reopenings, entry)

    # --- keeping the record ----------------------------------------------------------------------------------------

    def change_visibility(self, *, visibility: Visibility, reason: str) -> VisibilityChanged:
        """It is published, or its circle of readers is changed."""
        guards.reason_given(reason, "A change of visibility")
        if visibility is self.visibility:
            raise RuleBroken("visibility-unchanged", f"It is {visibility} already.")
        return VisibilityChanged(visibility=visibility, previous=self.visibility, reason=reason)

    @changed_by(VisibilityChanged)
    def _visibility_changed(self, entry: Entry[VisibilityChanged]) -> None:
        self.visibility = entry.said.visibility
        self.once_reserved = self.once_reserved or self.visibility is Visibility.RESERVED

    def correct(self, *, today: date, field: str, value: Any, reason: str, known: Known) -> Corrected:
        """A field of the registration is set right from the first day on; `value` is shaped as at registration."""
        guards.reason_given(reason, "A correction")
        right = registration.corrected(self.registration, field, value, today=today, known=known)
        return Corrected(
            field=field,
            value=registration.as_json(right, field),
            reason=reason,
            previous=registration.as_json(self.registration, field),
        )

    @changed_by(Corrected)
    def _corrected(self, entry: Entry[Corrected]) -> None:
        self.corrections = (*self.corrections, entry)
        if entry.said.field in registration.CORRECTABLE:
            self.registration = registration.with_field(self.registration, entry.said.field, entry.said.value)

    def note_escalation(
        self,
        *,
        today: date,
        decision: str,
        effective_on: date | None = None,
        to: str | None = None,
        remarks: str | None = None,
    ) -> Escalated:
        """A decision takes the matter to a higher level."""
        day = guards.not_after_today(effective_on, today)
        guards.text_given(decision, "The decision", "/decision")
        return Escalated(effective_on=day, decision=decision, to=to, remarks=remarks)

    @changed_by(Escalated)
    def _escalated(self, entry: Entry[Escalated]) -> None:
        self.escalations = (*self.escalations, entry)
