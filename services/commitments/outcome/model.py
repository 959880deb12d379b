"""What became of an agreed decision, and what one does: the facts that people record, under the same guards.

All of a decision is done or nothing. What it does is dated on the day it was agreed, or on the first day of the thing
it concerns where that is later. Its effect is written on the things it concerns; its text is not, because more people
may come to know of these than know of the decision: they get its number, in the member that is kept from those who may
not know of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

import msgspec

from services.commitments.commitment.model import (
    Commitment,
    Joined,
    Known,
    Revision,
    Successor,
    open_until,
    register,
    usual_visibility,
)
from services.commitments.commitment.splitting import Splitting, events_of, parts_of
from services.commitments.indicator.model import Indicator
from shared.aggregate.aggregate import Aggregate, Entry, evolves
from shared.aggregate.command import Context, OnStream
from shared.errors import BitacoraError, Forbidden, InvalidInput, NotFound, RuleBroken
from shared.eventlog.envelope import Recorded
from shared.events.commitments import (
    Completed,
    DeadlineRevised,
    DecisionCarriedOut,
    DecisionUnresolved,
    DecisionWaived,
    Discarded,
    Done,
    Escalated,
    InternalDeadline,
    LeadReassigned,
    Merged,
    Origin,
    PublicDeadline,
    Registered,
    Reopened,
    Split,
    VisibilityChanged,
)
from shared.events.facts import Event
from shared.events.indicators import IndicatorDefined, TargetSet
from shared.events.meeting_vocabulary import BodyKind, DecisionKind
from shared.events.meetings import (
    EFFECT_OF,
    AgreedCommitment,
    AgreedPart,
    AgreedSplit,
    DecisionAgreed,
    Effect,
)
from shared.events.streams import stream_of
from shared.events.vocabulary import Accumulation, DeadlineKind, Direction, OriginKind, Visibility
from shared.rules import guards


class OutcomeState(StrEnum):
    """Whether a decision was carried out, and whether that took somebody's help."""

    CARRIED_OUT = "carried_out"
    UNRESOLVED = "unresolved"
    RESOLVED = "resolved"
    WAIVED = "waived"


class DecisionOutcome(Aggregate):
    """The outcome of one decision: carried out at once, or unresolved and then resolved or waived."""

    __slots__ = ("carried_out", "decision", "difficulty", "waiver")

    BEGINS_WITH = (DecisionCarriedOut, DecisionUnresolved)

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded)
        event = recorded.data
        assert isinstance(event, DecisionCarriedOut | DecisionUnresolved)
        self.decision = event.decision
        self.difficulty: Entry[DecisionUnresolved] | None = None
        self.carried_out: Entry[DecisionCarriedOut] | None = None
        self.waiver: Entry[DecisionWaived] | None = None
        self.apply(recorded)

    @property
    def state(self) -> OutcomeState:
        """How it stands now."""
        if self.carried_out is not None:
            return OutcomeState.RESOLVED if self.difficulty is not None else OutcomeState.CARRIED_OUT
        return OutcomeState.WAIVED if self.waiver is not None else OutcomeState.UNRESOLVED

    @evolves(DecisionUnresolved)
    def _unresolved(self, entry: Entry[DecisionUnresolved]) -> None:
        self.difficulty = entry

    def resolve(self, did: Sequence[Done], remarks: str) -> DecisionCarriedOut:
        """Somebody has it carried out after all, or did it by hand."""
        self.must_be_unresolved()
        guards.reason_given(remarks, "A resolution", "/remarks")
        return DecisionCarriedOut(decision=self.decision, did=tuple(did), remarks=remarks)

    def resolve_by_hand(self, did: Sequence[Done], remarks: str) -> DecisionCarriedOut:
        """It was done by hand: `did` are the facts on record that name it."""
        self.must_be_unresolved()
        if not did:
            raise RuleBroken(
                "nothing-done-by-hand",
                "Nothing that this decision is about names it: record what was done with its number as `decision`.",
            )
        return self.resolve(did, remarks)

    @evolves(DecisionCarriedOut)
    def _carried_out(self, entry: Entry[DecisionCarriedOut]) -> None:
        self.carried_out = entry

    def waive(self, remarks: str) -> DecisionWaived:
        """Somebody settles that it will not be carried out: it was overtaken, say."""
        self.must_be_unresolved()
        guards.reason_given(remarks, "A waiver", "/remarks")
        return DecisionWaived(decision=self.decision, remarks=remarks)

    @evolves(DecisionWaived)
    def _waived(self, entry: Entry[DecisionWaived]) -> None:
        self.waiver = entry

    def must_be_unresolved(self) -> None:
        """Only what stands unresolved is resolved or waived, and that once."""
        if self.carried_out is not None:
            raise RuleBroken("decision-carried-out", "The decision was carried out: it acts once.")
        if self.waiver is not None:
            raise RuleBroken("decision-waived", "The decision was waived: there is nothing left to settle.")


# --- what a decision does ------------------------------------------------------------------------------------------

ORIGINS: Final[Mapping[BodyKind | None, OriginKind]] = {
    BodyKind.COMMITTEE: OriginKind.COMMITTEE,
    BodyKind.BILATERAL: OriginKind.BILATERAL_MEETING,
    BodyKind.REGIONAL_BILATERAL: OriginKind.BILATERAL_MEETING,
}
"""Where a commitment was made, by the kind of body that agreed it; any other kind is `other`."""

_ASKS_NOTHING: Final = frozenset(DecisionKind) - EFFECT_OF.keys() | {DecisionKind.REFER}
"""The kinds of decisions that ask nothing of this record."""

_HOLDS_ALREADY: Final = frozenset(
    {"deadline-unchanged", "target-unchanged", "lead-unchanged", "visibility-unchanged"}
)
"""With what the domain refuses a change that would change nothing."""


T = TypeVar("T")


class Found(NamedTuple):
    """What the record holds of the things a decision names, each by the name the decision gives it."""

    commitments: Mapping[str, Commitment] = {}
    indicator: Indicator | None = None
    known: Known = Known()
    """What a new commitment names, and the organisations there are."""
    successor: Successor | None = None
    """The commitment in which merged ones go on."""
    parts: Sequence[Known] = ()
    """What each part of a split names."""
    merged: Mapping[str, Sequence[Joined]] = {}
    """What was merged into each of the commitments, by the name the decision gives it."""


class Caused(NamedTuple):
    """One event that a decision causes, and how its outcome tells of it."""

    on_stream: OnStream
    done: Done


def _caused(stream_id: UUID, version: int, event: Event, **code: str) -> Caused:
    return Caused(OnStream(stream_id, version, event), Done(type=event.TYPE, version=version, **code))


class NotDone(Exception):
    """Why a decision cannot be carried out, and with which commitment or indicator it is that it cannot."""

    def __init__(
        self, error: BitacoraError, *, commitment: str | None = None, indicator: str | None = None
    ) -> None:
        super().__init__(error.message)
        self.code = error.code
        self.reason = error.message
        self.commitment = commitment
        self.indicator = indicator


def effects_of(
    decision: DecisionAgreed, found: Found, context: Context, *, body: BodyKind | None
) -> list[Caused]:
    """Everything a decision does: nothing for a kind that asks nothing of the record, or where that holds already.

    NotDone when any of it cannot be done, or when it names a commitment that is not there, whatever its kind.
    """
    if decision.kind in _ASKS_NOTHING:
        _must_all_be_there(decision, found)
        return []
    with _in_the_way():
        effect = _effect(decision, EFFECT_OF[decision.kind])
    match decision.kind:
        case DecisionKind.AGREE_COMMITMENT:
            assert effect.commitment is not None
            _must_all_be_there(decision, found, beside=effect.commitment.code)
            return [_agree(decision, effect, found, context, body=body)]
        case DecisionKind.REVISE_TARGET:
            _must_all_be_there(decision, found)
            return list(_revise_target(decision, effect, found, context))
        case DecisionKind.SPLIT:
            return list(_split(decision, effect, found, context))
        case _:
            return list(_on_each(decision, found, _ON_EACH[decision.kind](decision, effect, found, context)))


def done_by_hand(decision: DecisionAgreed, history: Iterable[Recorded]) -> Iterator[Done]:
    """What of the history of one thing people recorded on the strength of a decision, naming it."""
    code: dict[str, str] = {}
    for recorded in history:
        event = recorded.data
        match event:
            case Registered():
                code = {"commitment": event.code}
                cited = event.origin and event.origin.decision
            case IndicatorDefined():
                code, cited = {"indicator": event.code}, None
            case _:
                cited = getattr(event, "decision", None)
        if cited == decision.number:
            yield Done(type=recorded.type, version=recorded.version, **code)


def proposed_by(decision: DecisionAgreed, agreed: AgreedCommitment, body: BodyKind | None) -> Registered:
    """The commitment that a decision calls into being: never public from the start."""
    origin = ORIGINS.get(body, OriginKind.OTHER)
    narrow = Visibility.RESERVED in (decision.visibility, usual_visibility(origin))
    public, internal = agreed.public_deadline_on, agreed.internal_deadline_on
    return Registered(
        code=agreed.code,
        title=agreed.title,
        lead_organization=agreed.lead_organization,
        effective_on=decision.agreed_on,
        kind=agreed.kind,
        visibility=Visibility.RESERVED if narrow else Visibility.INTERNAL,
        parent=agreed.parent,
        pillar=agreed.pillar,
        result_type=agreed.result_type,
        origin=Origin(kind=origin, source_on=decision.agreed_on, decision=decision.number),
        public_deadline=None if public is None else PublicDeadline(on=public),
        internal_deadline=None if internal is None else InternalDeadline(on=internal),
        collaborating_organizations=agreed.collaborating_organizations,
        responsible_service=agreed.responsible_service,
        instrument=agreed.instrument,
        region=agreed.region,
        goal=agreed.goal,
        description=agreed.description,
    )


def _agree(
    decision: DecisionAgreed, effect: Effect, found: Found, context: Context, *, body: BodyKind | None
) -> Caused:
    assert effect.commitment is not None
    code = effect.commitment.code
    with _in_the_way(commitment=code):
        if code in found.commitments:
            raise RuleBroken("code-taken", "There is already a commitment with this code.")
        event = register(proposed_by(decision, effect.commitment, body), context, found.known)
    return _caused(stream_of("commitment", code), 1, event, commitment=code)


def _must_all_be_there(decision: DecisionAgreed, found: Found, beside: str | None = None) -> None:
    """Every commitment that it names is on record, but for one that it calls into being itself."""
    for name in decision.commitments:
        if name != beside and name not in found.commitments:
            with _in_the_way(commitment=name):
                raise _unknown(name)


def _unknown(name: str) -> NotFound:
    return NotFound("unknown-commitment", f"There is no commitment '{name}'.")


def split_by(decision: DecisionAgreed, agreed: AgreedSplit, original: Commitment) -> Splitting:
    """The split that a decision asks for, with what each part says of itself."""
    day = max(decision.agreed_on, original.registration.effective_on)
    split = Split(reason=_reason(decision), effective_on=day, decision=decision.number)
    return Splitting(split, [_part(one) for one in agreed.parts])


def _part(agreed: AgreedPart) -> dict[str, Any]:
    public, internal = agreed.public_deadline_on, agreed.internal_deadline_on
    said = {name: getattr(agreed, name) for name in agreed.__struct_fields__ if not name.endswith("_on")}
    said["public_deadline"] = None if public is None else PublicDeadline(on=public)
    said["internal_deadline"] = None if internal is None else InternalDeadline(on=internal)
    return {name: value for name, value in said.items() if value is not None}


def _split(decision: DecisionAgreed, effect: Effect, found: Found, context: Context) -> Iterator[Caused]:
    assert effect.split is not None
    with _in_the_way():
        if len(decision.commitments) != 1:
            raise InvalidInput(
                "split-of-one", "A decision splits one commitment: it names that, and no other."
            )
    (name,) = decision.commitments
    with _in_the_way(commitment=name):
        original = found.commitments.get(name)
        if original is None:
            raise _unknown(name)
        splitting = split_by(decision, effect.split, original)
        parts = parts_of(original, splitting)
        split = original.split(splitting.split, context, [part.code for part in parts])
        original.must_carry_on(found.merged.get(name, ()), open_until(split))
        for part in parts:
            with _in_the_way(commitment=part.code):
                if part.code in found.commitments:
                    raise RuleBroken("code-taken", "There is already a commitment with this code.")
        events = events_of(original, split, parts, found.parts, context)
    for event in events:
        if isinstance(event, OnStream):
            assert isinstance(event.event, Registered)
            yield Caused(event, Done(type=event.event.TYPE, version=1, commitment=event.event.code))
        else:
            yield _caused(original.id, original.version + 1, event, commitment=original.code)


def _revise_target(
    decision: DecisionAgreed, effect: Effect, found: Found, context: Context
) -> Iterator[Caused]:
    assert effect.target is not None
    indicator, agreed = found.indicator, effect.target
    with _in_the_way(indicator=agreed.indicator):
        if indicator is None:
            raise NotFound("unknown-indicator", f"There is no indicator '{agreed.indicator}'.")
        day = max(decision.agreed_on, indicator.effective_on)
        before = indicator.facts.targets_in_force.on(day)[0]
        proposed = TargetSet(
            value=guards.value_text(agreed.value),
            on=agreed.on,
            tolerance=_tolerance(indicator, day),
            # A decision gives a value and a day: whether that is a sum or a mean, and since when, stays as it was.
            accumulation=Accumulation.LAST if before is None else before.accumulation,
            from_on=None if before is None else before.from_on,
            relative_to=agreed.relative_to,
            effective_on=day,
            reason=_reason(decision),
            decision=decision.number,
        )
        event = _unless_it_holds(lambda: indicator.set_target(proposed, context))
    if event is not None:
        yield _caused(indicator.id, indicator.version + 1, event, indicator=indicator.code)


def _tolerance(indicator: Indicator, day: date) -> Decimal | None:
    """A decision gives a value and a day: how far a value to be maintained may stray stays as it was."""
    before = indicator.facts.targets_in_force.on(day)[0]
    maintained = indicator.facts.definition_on(day).direction is Direction.MAINTAIN
    return before.tolerance if before is not None and maintained else None


_Decide = Callable[[Commitment, date], Event | Sequence[Event]]
"""What a decision does to one commitment, as of a day."""


def _revising(decision: DecisionAgreed, effect: Effect, _: Found, context: Context) -> _Decide:
    assert effect.deadline is not None
    agreed = effect.deadline

    def revised(it: Commitment, day: date) -> Sequence[Event]:
        asked = DeadlineRevised(
            deadline=agreed.deadline,
            on=agreed.on,
            reason=_reason(decision),
            effective_on=day,
            decision=decision.number,
        )
        try:
            return it.revise_deadlines(Revision(asked, agreed.internal_on), context)
        except RuleBroken as error:
            if agreed.internal_on is None or error.code not in _HOLDS_ALREADY:
                raise
        # The public one is there already, and only the internal one moves.
        internal = msgspec.structs.replace(asked, deadline=DeadlineKind.INTERNAL, on=agreed.internal_on)
        return [it.revise_deadline(internal, context)]

    return revised


def _discarding(decision: DecisionAgreed, effect: Effect, _: Found, context: Context) -> _Decide:
    assert effect.discard is not None
    agreed = effect.discard
    return lambda it, day: it.discard(
        Discarded(
            reason_type=agreed.reason_type,
            reason=agreed.reason,
            effective_on=day,
            decision=decision.number,
        ),
        context,
    )


def _merging(decision: DecisionAgreed, effect: Effect, found: Found, context: Context) -> _Decide:
    assert effect.merger is not None
    into = effect.merger.into
    return lambda it, day: it.merge(
        Merged(into=into, reason=_reason(decision), effective_on=day, decision=decision.number),
        context,
        found.successor,
    )


def _reassigning(decision: DecisionAgreed, effect: Effect, found: Found, context: Context) -> _Decide:
    assert effect.reassignment is not None
    lead = effect.reassignment.lead_organization
    return lambda it, day: it.reassign_lead(
        LeadReassigned(
            lead_organization=lead, effective_on=day, reason=_reason(decision), decision=decision.number
        ),
        context,
        found.known,
    )


def _reopening(decision: DecisionAgreed, effect: Effect, _: Found, context: Context) -> _Decide:
    assert effect.reopening is not None
    reason = effect.reopening.reason
    return lambda it, day: it.reopen(
        Reopened(reason=reason, effective_on=day, decision=decision.number), context
    )


def _completing(decision: DecisionAgreed, effect: Effect, _: Found, context: Context) -> _Decide:
    assert effect.completion is not None
    agreed = effect.completion
    return lambda it, day: it.complete(
        Completed(
            completed_on=agreed.completed_on or day,
            evidence=agreed.evidence,
            remarks=agreed.remarks,
            decision=decision.number,
        ),
        context,
    )


def _publishing(decision: DecisionAgreed, effect: Effect, _: Found, context: Context) -> _Decide:
    assert effect.publication is not None
    visibility = effect.publication.visibility
    return lambda it, _: it.change_visibility(
        VisibilityChanged(visibility=visibility, reason=_reason(decision), decision=decision.number), context
    )


def _escalating(decision: DecisionAgreed, effect: Effect, _: Found, context: Context) -> _Decide:
    agreed = effect.referral
    to, remarks = (None, None) if agreed is None else (agreed.to, agreed.remarks)
    return lambda it, day: it.note_escalation(
        Escalated(decision=decision.number, effective_on=day, to=to, remarks=remarks), context
    )


_ON_EACH: Final[Mapping[DecisionKind, Callable[[DecisionAgreed, Effect, Found, Context], _Decide]]] = {
    DecisionKind.REVISE_DEADLINE: _revising,
    DecisionKind.DISCARD: _discarding,
    DecisionKind.MERGE: _merging,
    DecisionKind.REASSIGN: _reassigning,
    DecisionKind.REOPEN: _reopening,
    DecisionKind.COMPLETE: _completing,
    DecisionKind.PUBLISH: _publishing,
    DecisionKind.ESCALATE: _escalating,
}
"""What a decision of a kind does to each of the commitments it concerns."""


def _on_each(decision: DecisionAgreed, found: Found, decide: _Decide) -> Iterator[Caused]:
    with _in_the_way():
        if not decision.commitments:
            raise InvalidInput(
                "decision-without-commitments",
                f"A decision of the kind {decision.kind} names the commitments it concerns.",
            )
    reached: set[UUID] = set()
    for name in decision.commitments:
        with _in_the_way(commitment=name):
            commitment = found.commitments.get(name)
            if commitment is None:
                raise _unknown(name)
            if commitment.id in reached:
                continue  # named twice, perhaps once by its id
            reached.add(commitment.id)
            events = _decided(decide, commitment, decision.agreed_on)
            for event in events:
                if isinstance(event, Completed | Discarded | Merged):
                    commitment.must_carry_on(found.merged.get(name, ()), open_until(event))
        for version, event in enumerate(events, commitment.version + 1):
            yield _caused(commitment.id, version, event, commitment=commitment.code)


def _decided(decide: _Decide, commitment: Commitment, agreed_on: date) -> Sequence[Event]:
    day = max(agreed_on, commitment.registration.effective_on)
    decided = _unless_it_holds(lambda: decide(commitment, day))
    if decided is None:
        return ()
    return (decided,) if isinstance(decided, Event) else decided


def _unless_it_holds(change: Callable[[], T]) -> T | None:
    """What a change comes to, or None where it would change nothing: then there is nothing left to do."""
    try:
        return change()
    except RuleBroken as error:
        if error.code in _HOLDS_ALREADY:
            return None
        raise


def _effect(decision: DecisionAgreed, carried_by: str) -> Effect:
    """The effect, if it says what a decision of this kind does and nothing else; an escalation may go without."""
    effect = decision.effect or Effect()
    given = {name for name in effect.__struct_fields__ if getattr(effect, name) is not None}
    optional = decision.kind is DecisionKind.ESCALATE
    if given != {carried_by} and not (optional and not given):
        raise InvalidInput(
            "decision-effect-malformed",
            f"A decision of the kind {decision.kind} says what it does by '{carried_by}' and by nothing else.",
        )
    return effect


def _reason(decision: DecisionAgreed) -> str:
    return f"Decided on {decision.agreed_on}."


@contextmanager
def _in_the_way(*, commitment: str | None = None, indicator: str | None = None) -> Iterator[None]:
    """Whatever the domain refuses keeps the decision from being carried out; what the log cannot do does not."""
    try:
        yield
    except (InvalidInput, NotFound, RuleBroken, Forbidden) as error:
        raise NotDone(error, commitment=commitment, indicator=indicator) from error
