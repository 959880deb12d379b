"""The commitment most tests are about, and the words in which they tell of it."""

from __future__ import annotations

from datetime import date
from typing import Any

from services.commitments.commitment.model import Commitment, Known, Place
from shared.events.commitments import (
    Assessed,
    Completed,
    Discarded,
    Evidence,
    InternalDeadline,
    Merged,
    PublicDeadline,
    Registered,
    Reopened,
)
from shared.events.vocabulary import CommitmentKind, DiscardReason, Judgement
from shared.identity.actor import Actor, Role
from tests.support.scenario import Scenario, Told

TODAY = date(2012, 11, 21)
MAY = date(2012, 5, 21)
JUNE = date(2012, 6, 30)
JULY = date(2012, 7, 1)
TOMORROW = date(2012, 11, 22)

INTERIOR = Actor(subject="clerk", organization="INTERIOR", role=Role.MINISTRY)
HEALTH = Actor(subject="doctor", organization="HEALTH", role=Role.MINISTRY)
BRUNO = Actor(subject="bruno", organization="DCI", role=Role.DCI)
DIPRES = Actor(subject="purse", organization="DIPRES", role=Role.DIPRES)

LAW = Evidence(description="Law 20.595", url="https://www.example.org/20595", dated_on=MAY)
KNOWN = Known(
    organizations={"INTERIOR", "HEALTH", "POLICE", "JUSTICE"},
    pillars={"SECURITY"},
    commitments={
        "OBJECTIVE": Place(CommitmentKind.STRATEGIC_OBJECTIVE),
        "ACTION": Place(CommitmentKind.ACTION, ("OBJECTIVE",)),
        "UNDER-SEG-14": Place(CommitmentKind.COMMITMENT, ("SEG-14", "ACTION", "OBJECTIVE")),
    },
)


def registered(**more: Any) -> Registered:
    """A promise of May 21 with both deadlines, led by the Interior with the police and Justice."""
    fields: dict[str, Any] = {
        "code": "SEG-14",
        "title": "Reduce household victimisation by 15 %",
        "lead_organization": "INTERIOR",
        "effective_on": MAY,
        "public_deadline": PublicDeadline(on=date(2013, 12, 31), origin="May 21 speech"),
        "internal_deadline": InternalDeadline(on=date(2013, 10, 31)),
        "responsible_service": "POLICE",
        "collaborating_organizations": ("JUSTICE",),
        "stage": "design",
    }
    return Registered(**fields | more)


def given(*history: Told) -> Scenario[Commitment]:
    """A commitment of which this was told; the promise of `registered()` where nothing is."""
    return Scenario(Commitment.begin, history or (registered(),))


def completed(day: date = JUNE) -> Completed:
    """It was kept."""
    return Completed(completed_on=day, evidence=(LAW,))


def discarded(day: date = JUNE) -> Discarded:
    """It was given up."""
    return Discarded(reason_type=DiscardReason.BUDGETARY, reason="No funds in 2013", effective_on=day)


def merged(day: date = JUNE) -> Merged:
    """It went on inside another."""
    return Merged(into="SEG-1", reason="The same promise", effective_on=day)


def reopened(day: date = JULY) -> Reopened:
    """It was taken up again."""
    return Reopened(reason="The law was struck down", effective_on=day)


def at_risk(day: date = JUNE) -> Assessed:
    """It was judged to be at risk."""
    return Assessed(effective_on=day, judgement=Judgement.AT_RISK, reason="Bill stuck in the Senate")
