"""What is done with agreed decisions: carry them out, and settle those that cannot be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from services.commitments.commitment.model import Commitment, Known
from services.commitments.commitment.repository import ENDING, Commitments
from services.commitments.commitment.repository import KIND as COMMITMENT
from services.commitments.commitment.splitting import parts_of
from services.commitments.indicator.model import Indicator
from services.commitments.indicator.repository import KIND as INDICATOR
from services.commitments.indicator.repository import Indicators
from services.commitments.outcome.decisions import DecisionOnRecord, Decisions
from services.commitments.outcome.model import (
    Caused,
    DecisionOutcome,
    Found,
    NotDone,
    OutcomeState,
    done_by_hand,
    effects_of,
    proposed_by,
    split_by,
)
from shared.aggregate.aggregate import believed
from shared.aggregate.command import Command, Decided, Outcome
from shared.aggregate.repository import Repository
from shared.errors import RuleBroken
from shared.eventlog.envelope import FollowerPosition
from shared.eventlog.live import LiveLog
from shared.events.commitments import DecisionCarriedOut, DecisionUnresolved, Done, Merged
from shared.events.facts import Event
from shared.events.meeting_vocabulary import DecisionKind
from shared.events.meetings import AgreedMerger, AgreedReassignment, AgreedSplit, DecisionAgreed, Effect
from shared.events.streams import looks_like_uuid, resolve, stream_of
from shared.identity.actor import Actor, Role

KIND: Final = "decision-outcome"
DECISION: Final = "decision"
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


class DecisionOutcomes(Repository[DecisionOutcome]):
    """The outcomes of decisions, for whoever asks and within what they may read."""

    def __init__(
        self, live: LiveLog, decisions: Decisions, commitments: Commitments, indicators: Indicators
    ) -> None:
        super().__init__(live, DecisionOutcome, KIND)
        self._decisions = decisions
        self._commitments = commitments
        self._indicators = indicators

    # --- reading ---------------------------------------------------------------------------------------------------

    async def named(self, identifier: str) -> DecisionOutcome | None:
        """See `Repository.named`: it goes by the number of its decision."""
        found = await super().named(identifier)
        if found is None and not looks_like_uuid(identifier):
            number = await asyncio.to_thread(self.live.store.spelling, DECISION, identifier)
            found = None if number is None else await self.get(stream_of(KIND, number))
        return found

    async def may_read(self, actor: Actor, aggregate: DecisionOutcome) -> bool:
        """See `Repository.may_read`: whoever may read the decision."""
        decision = self._decisions.decision(aggregate.decision)
        return decision is not None and self._decisions.can_be_read_by(actor, decision)

    def settled(self, outcome: DecisionOutcome, actor: Actor) -> Settled:
        """An outcome with its decision, for a reader of it."""
        decision = self._decisions.decision(outcome.decision)
        assert decision is not None, "an outcome is found by those who may read its decision"
        return Settled(outcome, decision, self._decisions.can_be_read_in_full_by(actor, decision))

    def listed(self, actor: Actor, filters: Filters) -> Iterator[Settled]:
        """The outcomes an actor may read, in the order in which they were first recorded."""
        for outcome, decision in self._decisions.outcomes():
            agreed = decision.agreed
            if (
                (filters.state is None or outcome.state is filters.state)
                and (filters.body is None or agreed.body == filters.body)
                and (filters.organization is None or filters.organization in agreed.organizations)
                and self._decisions.can_be_read_by(actor, decision)
            ):
                yield Settled(outcome, decision, self._decisions.can_be_read_in_full_by(actor, decision))

    # --- by the policy ---------------------------------------------------------------------------------------------

    async def act(self, decision: DecisionOnRecord, at: FollowerPosition) -> Outcome:
        """Carry a decision out, or record why it cannot be; either commits with the position of the follower.

        A decision that has its outcome already only moves the position. FollowerOvertaken when another process acting
        for the same follower was faster; Unavailable when the log did not answer, and asking again is then safe.
        """
        number = decision.agreed.number

        def decide(present: DecisionOutcome | None, effects: Callable[[], list[Caused]]) -> Decided:
            if present is not None:
                return []
            try:
                caused = effects()
            except NotDone as why:
                return DecisionUnresolved(
                    decision=number,
                    code=why.code,
                    reason=why.reason,
                    commitment=why.commitment,
                    indicator=why.indicator,
                )
            carried_out = DecisionCarriedOut(decision=number, did=tuple(one.done for one in caused))
            return [*(one.on_stream for one in caused), carried_out]

        secretariat = None if decision.body is None else decision.body.secretariat
        command = Command(
            actor=Actor(subject=SUBJECT, organization=secretariat or NOBODY, role=Role.SYSTEM),
            correlation_id=decision.correlation_id,
            causation_id=decision.position,
            follower=at,
        )
        return await self._settle(decision, decide, command)

    # --- by people -------------------------------------------------------------------------------------------------

    async def resolve(self, settled: Settled, command: Command, remarks: str) -> Outcome:
        """Carry an unresolved decision out after all, now that what stood against it is mended."""

        def decide(present: DecisionOutcome | None, effects: Callable[[], list[Caused]]) -> Decided:
            if present is None:
                raise self.unknown()
            present.must_be_unresolved()
            try:
                caused = effects()
            except NotDone as why:
                concerned = why.commitment or why.indicator
                at = f" ({concerned})" if concerned else ""
                raise RuleBroken(
                    "decision-still-unresolved", f"It still cannot be carried out{at}: {why.reason}"
                ) from why
            return [
                *(one.on_stream for one in caused),
                present.resolve([one.done for one in caused], remarks),
            ]

        return await self._settle(settled.decision, decide, _caused_by(settled, command))

    async def resolve_by_hand(self, settled: Settled, command: Command, remarks: str) -> Outcome:
        """Settle that an unresolved decision was done by people: their facts on what it is about name it."""
        agreed = settled.decision.agreed

        async def decide(current: DecisionOutcome) -> Decided:
            did: list[Done] = []
            for stream_id in _concerned(agreed):
                did.extend(done_by_hand(agreed, believed(await self.history(stream_id))))
            return current.resolve_by_hand(did, remarks)

        return await self.change(settled.outcome.id, decide, _caused_by(settled, command))

    async def waive(self, settled: Settled, command: Command, remarks: str) -> Outcome:
        """Settle that a decision will not be carried out here."""
        return await self.change(
            settled.outcome.id, lambda current: current.waive(remarks), _caused_by(settled, command)
        )

    # --- how -------------------------------------------------------------------------------------------------------

    async def _settle(
        self,
        decision: DecisionOnRecord,
        decide: Callable[[DecisionOutcome | None, Callable[[], list[Caused]]], Decided],
        command: Command,
    ) -> Outcome:
        """Everything a decision does and its outcome, in one transaction, decided on what the record holds now."""
        agreed = decision.agreed

        async def decide_anew(present: DecisionOutcome | None) -> Decided:
            found = await self._found(decision)
            body = None if decision.body is None else decision.body.kind
            context = self.context(command)
            return decide(present, lambda: effects_of(agreed, found, context, body=body))

        considering = _CONSIDERED.get(agreed.kind, ())
        return await self.write(stream_of(KIND, agreed.number), decide_anew, command, considering=considering)

    async def _found(self, decision: DecisionOnRecord) -> Found:
        agreed, effect = decision.agreed, decision.agreed.effect
        commitments = await self._commitments_named(agreed.commitments)
        merged = {name: await self._commitments.merged_into(one) for name, one in commitments.items()}
        indicator: Indicator | None = None
        known = Known()
        if effect is not None and effect.target is not None:
            indicator = await self._indicators.get(resolve(INDICATOR, effect.target.indicator))
        if effect is not None and effect.commitment is not None:
            code = effect.commitment.code
            taken = await self._commitments.by_code(code)
            if taken is not None:
                commitments[code] = taken
            body = None if decision.body is None else decision.body.kind
            known = await self._commitments.known_to(proposed_by(agreed, effect.commitment, body))
        successor, parts = None, list[Known]()
        match effect:
            case Effect(reassignment=AgreedReassignment()):
                known = self._commitments.around()
            case Effect(merger=AgreedMerger(into=into)):
                successor = await self._commitments.successor(into, _day_of(agreed, commitments))
            case Effect(split=AgreedSplit() as split):
                for original in list(commitments.values())[:1]:
                    for part in parts_of(original, split_by(agreed, split, original)):
                        if (taken := await self._commitments.by_code(part.code)) is not None:
                            commitments[part.code] = taken
                        parts.append(await self._commitments.known_to(part))
        return Found(commitments, indicator, known, successor, parts, merged)

    async def _commitments_named(self, names: Iterable[str]) -> dict[str, Commitment]:
        found: dict[str, Commitment] = {}
        for name in names:
            commitment = await self._commitments.get(resolve(COMMITMENT, name))
            if commitment is not None:
                found[name] = commitment
        return found


_CONSIDERED: Final[Mapping[DecisionKind, Sequence[type[Event]]]] = {
    DecisionKind.MERGE: ENDING,
    DecisionKind.SPLIT: (Merged,),
    DecisionKind.COMPLETE: (Merged,),
    DecisionKind.DISCARD: (Merged,),
}
"""What a commitment goes on in must be open when it does, whoever closes that at the same moment."""


def _day_of(agreed: DecisionAgreed, commitments: Mapping[str, Commitment]) -> date:
    """The day on which a decision takes effect on all that it concerns."""
    return max([agreed.agreed_on, *(one.registration.effective_on for one in commitments.values())])


def _caused_by(settled: Settled, command: Command) -> Command:
    return msgspec.structs.replace(command, causation_id=settled.decision.position)


def _concerned(agreed: DecisionAgreed) -> Iterator[UUID]:
    """The streams of everything that a decision is about."""
    for name in agreed.commitments:
        yield resolve(COMMITMENT, name)
    if agreed.effect is not None and agreed.effect.commitment is not None:
        yield stream_of(COMMITMENT, agreed.effect.commitment.code)
    if agreed.effect is not None and agreed.effect.target is not None:
        yield resolve(INDICATOR, agreed.effect.target.indicator)
