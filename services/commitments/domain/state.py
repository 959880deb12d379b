"""What holds of one commitment: everything that was recorded of it, by the day it took effect, and what follows.

`Commitment` (in `commitment.py`) is this, with what may happen to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Self

from services.commitments.domain.entries import Entry, Milestone, Report
from shared.errors import Forbidden, RuleBroken
from shared.eventlog.envelope import Recorded
from shared.events.commitments import (
    Assessed,
    BudgetEstimated,
    Commented,
    Completed,
    Corrected,
    DeadlineRevised,
    Discarded,
    Escalated,
    LeadReassigned,
    Merged,
    ProgressReported,
    Registered,
    Reopened,
    RisksAssessed,
)
from shared.events.facts import Event
from shared.events.vocabulary import ReviewOutcome, Visibility
from shared.identity.actor import Actor, Role
from shared.rules.dated_facts import DatedFacts, History
from shared.rules.traffic_light import Verdict, verdict_on

Closing = Entry[Completed] | Entry[Discarded] | Entry[Merged]


Handler = Callable[[Any, Entry[Any]], None]
_HANDLERS: dict[type[Event], Handler] = {}


def changed_by(*types: type[Event]) -> Callable[[Handler], Handler]:
    """Marks the method that assigns what an event of these types changes."""

    def mark(handler: Handler) -> Handler:
        _HANDLERS.update(dict.fromkeys(types, handler))
        return handler

    return mark


@lru_cache(maxsize=4096)
def _the_same(actor: Actor) -> Actor:
    """One object for equal actors: a few people say most of what tens of thousands of commitments remember."""
    return actor


class CommitmentState:
    """A promise of the government as the record tells of it."""

    __slots__ = (
        "assessments",
        "budgets",
        "closings",
        "comments",
        "corrections",
        "dated",
        "escalations",
        "id",
        "milestones",
        "once_reserved",
        "position",
        "reassignments",
        "recorded_at",
        "registered_at",
        "registration",
        "reopenings",
        "reports",
        "revisions",
        "risks",
        "version",
        "visibility",
    )

    def __init__(self, registered: Registered, recorded: Recorded) -> None:
        self.id = recorded.stream_id
        self.version = recorded.version
        self.position = recorded.position
        self.recorded_at = self.registered_at = recorded.recorded_at
        self.registration = registered
        """What was said on the first day, as corrected since."""
        self.dated = DatedFacts(registered, recorded.position)
        self.visibility = registered.visibility
        self.once_reserved = registered.visibility is Visibility.RESERVED
        """Whether it is reserved, or ever was."""
        self.assessments: History[Entry[Assessed] | None] = History(None, recorded.position)
        self.risks: History[Entry[RisksAssessed] | None] = History(None, recorded.position)
        self.budgets: History[Entry[BudgetEstimated] | None] = History(None, recorded.position)
        # Tuples, because most commitments have none of these and an empty tuple costs nothing.
        self.reports: tuple[Report, ...] = ()
        self.revisions: tuple[Entry[DeadlineRevised], ...] = ()
        self.reassignments: tuple[Entry[LeadReassigned], ...] = ()
        self.closings: tuple[Closing, ...] = ()
        self.reopenings: tuple[Entry[Reopened], ...] = ()
        self.milestones: tuple[Milestone, ...] = ()
        self.comments: tuple[Entry[Commented], ...] = ()
        self.corrections: tuple[Entry[Corrected], ...] = ()
        self.escalations: tuple[Entry[Escalated], ...] = ()

    @classmethod
    def begin(cls, recorded: Recorded) -> Self | None:
        """The commitment as it entered the record; None when the stream tells of something else."""
        return cls(recorded.data, recorded) if isinstance(recorded.data, Registered) else None

    def apply(self, recorded: Recorded) -> None:
        """Takes in one more event of its stream; a type it does not know changes its version and nothing else."""
        event = recorded.data
        self.version = recorded.version
        self.position = recorded.position
        self.recorded_at = recorded.recorded_at
        self.dated.apply(event, recorded.position)
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            handler(self, Entry(event, _the_same(recorded.recorded_by), recorded.position))

    @property
    def code(self) -> str:
        """What people call it."""
        return self.registration.code

    def verdict_on(self, day: date) -> Verdict | None:
        """The status on a day under the current rule; None before the first day it counts from."""
        standing = self.dated.on_day(day)
        return None if standing is None else verdict_on(standing, day)

    def lead_on(self, day: date) -> str:
        """The organisation that answered for it on a day."""
        return self.dated.leads.on(day)[0]

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
        return closing.said.into if closing is not None and isinstance(closing.said, Merged) else None

    @property
    def stage(self) -> str | None:
        """How far it is in its instrument's own stages, by the latest report that says so."""
        told = (report.stage for report in self._in_force() if report.stage is not None)
        return next(told, self.registration.stage)

    @property
    def percent(self) -> Decimal | None:
        """How much of it is done, 0 to 100, by the latest report that says so."""
        return next((report.percent for report in self._in_force() if report.percent is not None), None)

    def concerned(self) -> tuple[str, ...]:
        """The organisations it is their own for: the lead, the responsible service and those that collaborate."""
        told = self.registration
        service = () if told.responsible_service is None else (told.responsible_service,)
        return (self.lead_on(date.max), *service, *told.collaborating_organizations)

    # --- guards that depend on it ----------------------------------------------------------------------------------

    def must_be_open_on(self, day: date) -> None:
        """A closed commitment takes no fact dated on or after the day it was closed."""
        closure = self.dated.closures.on(day)[0]
        if closure is not None:
            raise RuleBroken(
                "commitment-closed",
                f"On {day} it was already {closure}: reopen it first, or state the day before.",
            )

    def must_be_closable_on(self, day: date) -> None:
        """Only what is open on that day, and has not been closed since, can be closed from that day on."""
        self.must_be_open_on(day)
        closure = self.dated.closures.on(date.max)[0]
        if closure is not None:
            raise RuleBroken("commitment-closed", f"It was {closure} after {day}: reopen it first.")

    def must_be_own_of(self, actor: Actor) -> None:
        """A ministry speaks only for what is its own; the other roles speak for the whole of government."""
        if actor.role is Role.MINISTRY and actor.organization not in self.concerned():
            raise Forbidden(
                "not-your-commitment",
                f"{actor.organization} neither leads this commitment nor is responsible for it or collaborates on it.",
            )

    def _in_force(self) -> Iterator[ProgressReported]:
        """The reports nobody sent back, the latest to take effect first."""
        kept = [
            report.entry.said
            for report in self.reports
            if report.review is None or report.review.said.outcome is not ReviewOutcome.RETURNED
        ]
        return iter(sorted(kept, key=lambda said: (said.effective_on, said.number), reverse=True))
