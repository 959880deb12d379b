"""The commands of the domain, as an import calls them: with the event that is proposed."""

from __future__ import annotations

from datetime import date

from services.commitments.domain.commitment import Commitment
from services.commitments.domain.registration import Known
from shared.events.commitments import (
    Assessed,
    BudgetEstimated,
    Commented,
    Corrected,
    DeadlineRevised,
    LeadReassigned,
    MilestoneSet,
    ProgressReported,
)
from shared.events.facts import Event
from shared.identity.actor import Actor


def decide(commitment: Commitment, proposed: Event, *, today: date, actor: Actor, known: Known) -> Event:
    """The event as the domain lets it enter the record."""
    match proposed:
        case Assessed():
            return commitment.assess(
                today=today,
                judgement=proposed.judgement,
                reason=proposed.reason,
                effective_on=proposed.effective_on,
                rating=proposed.rating,
                scale=proposed.scale,
            )
        case BudgetEstimated():
            return commitment.estimate_budget(
                today=today, lines=proposed.lines, effective_on=proposed.effective_on, source=proposed.source
            )
        case Commented():
            return commitment.comment(
                today=today, actor=actor, text=proposed.text, effective_on=proposed.effective_on
            )
        case Corrected():
            return commitment.correct(
                today=today, field=proposed.field, value=proposed.value, reason=proposed.reason, known=known
            )
        case DeadlineRevised():
            return commitment.revise_deadline(
                today=today,
                deadline=proposed.deadline,
                on=proposed.on,
                reason=proposed.reason,
                effective_on=proposed.effective_on,
            )
        case LeadReassigned():
            return commitment.reassign_lead(
                today=today,
                lead_organization=proposed.lead_organization,
                reason=proposed.reason,
                known=known,
                effective_on=proposed.effective_on,
            )
        case MilestoneSet():
            return commitment.set_milestone(
                today=today,
                name=proposed.name,
                due_on=proposed.due_on,
                number=proposed.number,
                reason=proposed.reason,
            )
        case ProgressReported():
            return commitment.report_progress(
                today=today,
                actor=actor,
                period=proposed.period,
                effective_on=proposed.effective_on,
                observed_progress=proposed.observed_progress,
                stage=proposed.stage,
                percent=proposed.percent,
                source=proposed.source,
            )
        case _:
            raise TypeError(f"no import proposes a {proposed.TYPE}")
