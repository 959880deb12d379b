"""What became of a decision: carried out at once, unresolved, and then resolved or waived by somebody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.commitments.domain import guards
from services.commitments.domain.entries import Entry
from shared.errors import RuleBroken
from shared.eventlog.envelope import Recorded
from shared.events.commitments import DecisionCarriedOut, DecisionUnresolved, DecisionWaived, Done


class OutcomeState(StrEnum):
    """Whether a decision was carried out, and whether that took somebody's help."""

    CARRIED_OUT = "carried_out"
    UNRESOLVED = "unresolved"
    RESOLVED = "resolved"
    WAIVED = "waived"


class DecisionOutcome:
    """The outcome of one decision, folded from its events."""

    __slots__ = (
        "carried_out",
        "decision",
        "difficulty",
        "first_position",
        "first_recorded_at",
        "id",
        "position",
        "recorded_at",
        "version",
        "waiver",
    )

    def __init__(self, event: DecisionCarriedOut | DecisionUnresolved, recorded: Recorded) -> None:
        self.id: UUID = recorded.stream_id
        self.decision = event.decision
        self.first_position = recorded.position
        self.first_recorded_at: datetime = recorded.recorded_at
        self.difficulty: Entry[DecisionUnresolved] | None = None
        self.carried_out: Entry[DecisionCarriedOut] | None = None
        self.waiver: Entry[DecisionWaived] | None = None
        self.apply(recorded)

    @classmethod
    def begin(cls, recorded: Recorded) -> DecisionOutcome | None:
        """The outcome that the first event of a stream tells of, if it tells of one."""
        event = recorded.data
        return cls(event, recorded) if isinstance(event, DecisionCarriedOut | DecisionUnresolved) else None

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event."""
        self.version = recorded.version
        self.position = recorded.position
        self.recorded_at = recorded.recorded_at
        match recorded.data:
            case DecisionUnresolved() as said:
                self.difficulty = Entry(said, recorded.recorded_by, recorded.position)
            case DecisionCarriedOut() as said:
                self.carried_out = Entry(said, recorded.recorded_by, recorded.position)
            case DecisionWaived() as said:
                self.waiver = Entry(said, recorded.recorded_by, recorded.position)
            case _:
                pass

    @property
    def state(self) -> OutcomeState:
        """How it stands now."""
        if self.carried_out is not None:
            return OutcomeState.RESOLVED if self.difficulty is not None else OutcomeState.CARRIED_OUT
        return OutcomeState.WAIVED if self.waiver is not None else OutcomeState.UNRESOLVED

    def resolve(self, did: Sequence[Done], *, remarks: str) -> DecisionCarriedOut:
        """Somebody has it carried out after all, or did it by hand."""
        self.must_be_unresolved()
        guards.reason_given(remarks, "A resolution", "/remarks")
        return carried_out(self.decision, did, remarks=remarks)

    def resolve_by_hand(self, did: Sequence[Done], *, remarks: str) -> DecisionCarriedOut:
        """It was done by hand: `did` are the facts on record that name it."""
        self.must_be_unresolved()
        if not did:
            raise RuleBroken(
                "nothing-done-by-hand",
                "Nothing that this decision is about names it: record what was done with its number as `decision`.",
            )
        return self.resolve(did, remarks=remarks)

    def waive(self, *, remarks: str) -> DecisionWaived:
        """Somebody settles that it will not be carried out: it was overtaken, say."""
        self.must_be_unresolved()
        guards.reason_given(remarks, "A waiver", "/remarks")
        return DecisionWaived(decision=self.decision, remarks=remarks)

    def must_be_unresolved(self) -> None:
        """Only what stands unresolved is resolved or waived, and that once."""
        if self.carried_out is not None:
            raise RuleBroken("decision-carried-out", "The decision was carried out: it acts once.")
        if self.waiver is not None:
            raise RuleBroken("decision-waived", "The decision was waived: there is nothing left to settle.")


def carried_out(decision: str, did: Sequence[Done], *, remarks: str | None = None) -> DecisionCarriedOut:
    """That a decision was carried out, and by what."""
    return DecisionCarriedOut(decision=decision, did=tuple(did), remarks=remarks)
