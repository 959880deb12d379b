"""What is done with agreed decisions: carry them out, and settle those that cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from services.commitments.application.commitments import KIND as COMMITMENT
from services.commitments.application.commitments import Commitments
from services.commitments.application.decisions import DecisionOnRecord, Decisions
from services.commitments.application.indicators import KIND as INDICATOR
from services.commitments.application.indicators import Indicators
from services.commitments.domain.commitment import Commitment
from services.commitments.domain.decision_deeds import (
    Deed,
    Found,
    NotDone,
    deeds_of,
    done_by_hand,
    proposed_by,
)
from services.commitments.domain.decision_outcome import DecisionOutcome, OutcomeState, carried_out
from services.commitments.domain.indicator import Indicator
from services.commitments.domain.registration import Known
from shared.errors import RuleBroken
from shared.eventlog.commands import Beside, Command, Decided, Outcome
from shared.eventlog.live import LiveLog
from shared.eventlog.records import Records
from shared.eventlog.store import FollowerPosition
from shared.events.commitments import DecisionUnresolved, Done
from shared.events.meetings import DecisionAgreed
from shared.events.streams import resolve, stream_of
from shared.identity.actor import Actor, Role

KIND: Final = "decision-outcome"
SUBJECT: Final = "policy:decisions"
NOBODY: Final = "BITACORA"
"""For whom the policy acts where the body names no secretariat."""


class Settled(NamedTuple):
    """An outcome and the decision it is of; `in_full` where the reader may know what exactly was or was not done."""

    outcome: DecisionOutcome
    decision: DecisionOnRecord
    in_full: bool


class Filters(NamedTuple):
    """Which outcomes a list is of."""

    state: OutcomeState | None = None
    body: str | None = None
    organization: str | None = None


class DecisionOutcomes:
    """The outcomes of decisions, for whoever asks and within what they may know."""

    def __init__(
        self, live: LiveLog, decisions: Decisions, commitments: Commitments, indicators: Indicators
    ) -> None:
        self._live = live
        self._decisions = decisions
        self._commitments = commitments
        self._indicators = indicators
        self._records: Records[DecisionOutcome] = Records(
            live, DecisionOutcome.begin, name=KIND, capacity=5_000
        )

    # --- reading ---------------------------------------------------------------------------------------------------

    @property
    def position(self) -> int:
        """The position of the log that lists reflect."""
        return self._live.position

    async def wait_for(self, position: int, timeout: float) -> None:
        """Returns once everything up to a position of the log is reflected; Unavailable after `timeout` seconds."""
        await self._live.wait_for(position, timeout)

    async def visible(self, identifier: str, actor: Actor) -> Settled:
        """The outcome of a decision. NotFound when there is none, or the actor may not know of the decision."""
        outcome = await self._records.get(resolve(KIND, identifier))
        decision = None if outcome is None else self._decisions.decision(outcome.decision)
        if outcome is None or decision is None or not self._decisions.may_be_known_to(actor, decision):
            raise self._records.unknown()
        return self._settled(outcome, decision, actor)

    def listed(self, actor: Actor, filters: Filters) -> Iterator[Settled]:
        """The outcomes an actor may know of, in the order in which they were first recorded."""
        for outcome, decision in self._decisions.outcomes():
            agreed = decision.agreed
            if (
                (filters.state is None or outcome.state is filters.state)
                and (filters.body is None or agreed.body == filters.body)
                and (filters.organization is None or filters.organization in agreed.organizations)
                and self._decisions.may_be_known_to(actor, decision)
            ):
                yield self._settled(outcome, decision, actor)

    def _settled(self, outcome: DecisionOutcome, decision: DecisionOnRecord, actor: Actor) -> Settled:
        return Settled(outcome, decision, self._decisions.may_be_told_all(actor, decision))

    # --- by the policy ---------------------------------------------------------------------------------------------

    async def act(self, decision: DecisionOnRecord, follower: str) -> Outcome:
        """Carry a decision out, or record why it cannot be; either commits with the position of the follower.

        A decision that has its outcome already only moves the position. FollowerOvertaken when another process acting
        for the same follower was faster; Unavailable when the log did not answer, and asking again is then safe.
        """
        agreed = decision.agreed

        def decide(present: DecisionOutcome | None, deeds: Callable[[], list[Deed]]) -> Decided:
            if present is not None:
                return []
            try:
                done = deeds()
            except NotDone as why:
                return [
                    DecisionUnresolved(
                        decision=agreed.number,
                        code=why.code,
                        reason=why.reason,
                        commitment=why.commitment,
                        indicator=why.indicator,
                    )
                ]
            return [*_beside(done), carried_out(agreed.number, [deed.done for deed in done])]

        secretariat = None if decision.body is None else decision.body.secretariat
        command = Command(
            actor=Actor(subject=SUBJECT, organization=secretariat or NOBODY, role=Role.SYSTEM),
            correlation_id=decision.correlation_id,
            causation_id=decision.position,
            follower=FollowerPosition(follower, decision.position),
        )
        return await self._write(decision, decide, command)

    # --- by people -------------------------------------------------------------------------------------------------

    async def resolve(self, settled: Settled, command: Command, *, remarks: str) -> Outcome:
        """Carry an unresolved decision out after all, now that what stood against it is mended."""

        def decide(present: DecisionOutcome | None, deeds: Callable[[], list[Deed]]) -> Decided:
            if present is None:
                raise self._records.unknown()
            present.must_be_unresolved()
            try:
                done = deeds()
            except NotDone as why:
                concerned = why.commitment or why.indicator
                at = f" ({concerned})" if concerned else ""
                raise RuleBroken(
                    "decision-still-unresolved", f"It still cannot be carried out{at}: {why.reason}"
                ) from why
            return [*_beside(done), present.resolve([deed.done for deed in done], remarks=remarks)]

        command = msgspec.structs.replace(command, causation_id=settled.decision.position)
        return await self._write(settled.decision, decide, command)

    async def resolve_by_hand(self, settled: Settled, command: Command, *, remarks: str) -> Outcome:
        """Settle that an unresolved decision was done by people: their facts on what it is about name it."""
        agreed = settled.decision.agreed
        did: list[Done] = []

        async def look() -> None:
            did.clear()
            for stream_id in _concerned(agreed):
                did.extend(done_by_hand(agreed, await self._records.history(stream_id)))

        command = msgspec.structs.replace(command, causation_id=settled.decision.position)
        return await self._records.change(
            settled.outcome.id,
            lambda current: [current.resolve_by_hand(did, remarks=remarks)],
            command,
            prepare=look,
        )

    async def waive(self, settled: Settled, command: Command, *, remarks: str) -> Outcome:
        """Settle that a decision will not be carried out here."""
        command = msgspec.structs.replace(command, causation_id=settled.decision.position)
        return await self._records.change(
            settled.outcome.id, lambda current: [current.waive(remarks=remarks)], command
        )

    # --- how -------------------------------------------------------------------------------------------------------

    async def _write(
        self,
        decision: DecisionOnRecord,
        decide: Callable[[DecisionOutcome | None, Callable[[], list[Deed]]], Decided],
        command: Command,
    ) -> Outcome:
        """Everything a decision does and its outcome, in one transaction, decided on what the record holds now.

        Whoever else was faster on one of the streams makes it decide again, on what it finds then.
        """
        agreed = decision.agreed
        found = Found()

        async def prepare() -> None:
            nonlocal found
            found = await self._found(decision)

        def deeds() -> list[Deed]:
            body = None if decision.body is None else decision.body.kind
            return deeds_of(agreed, found, body=body, today=self._commitments.clock.today())

        return await self._records.write(
            stream_of(KIND, agreed.number),
            lambda present: decide(present, deeds),
            command,
            prepare=prepare,
        )

    async def _found(self, decision: DecisionOnRecord) -> Found:
        agreed, effect = decision.agreed, decision.agreed.effect
        commitments = await self._commitments_named(agreed.commitments)
        indicator: Indicator | None = None
        known = Known()
        if effect is not None and effect.target is not None:
            indicator = await self._indicators.records.get(resolve(INDICATOR, effect.target.indicator))
        if effect is not None and effect.commitment is not None:
            code = effect.commitment.code
            taken = await self._commitments.records.get(stream_of(COMMITMENT, code))
            if taken is not None:
                commitments[code] = taken
            body = None if decision.body is None else decision.body.kind
            known = await self._commitments.known_to(proposed_by(agreed, effect.commitment, body))
        return Found(commitments, indicator, known)

    async def _commitments_named(self, names: Iterable[str]) -> dict[str, Commitment]:
        found: dict[str, Commitment] = {}
        for name in names:
            commitment = await self._commitments.records.get(resolve(COMMITMENT, name))
            if commitment is not None:
                found[name] = commitment
        return found


def _concerned(agreed: DecisionAgreed) -> Iterator[UUID]:
    """The streams of everything that a decision is about."""
    for name in agreed.commitments:
        yield resolve(COMMITMENT, name)
    if agreed.effect is not None and agreed.effect.commitment is not None:
        yield stream_of(COMMITMENT, agreed.effect.commitment.code)
    if agreed.effect is not None and agreed.effect.target is not None:
        yield resolve(INDICATOR, agreed.effect.target.indicator)


def _beside(deeds: Iterable[Deed]) -> list[Beside]:
    return [Beside(deed.stream_id, deed.version, deed.event) for deed in deeds]
