"""Whether a fact may be taken back: whose it is, whether it is one that lasts, and what came later and rests on it.

What came later is put before the guards that judged it once more, on the day and by the person of then, twice: as it
was, and as it would be without the fact. Only where these two come out differently is it in the way. So a guard that
has become stricter since, or that looks at what other things have come to, refuses nothing here; nor do permissions.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from shared.aggregate.aggregate import Aggregate, retractions_in
from shared.aggregate.command import Context, Decided, OnStream
from shared.clock import Clock
from shared.errors import BitacoraError, Forbidden, InvalidInput, RuleBroken
from shared.eventlog.envelope import Recorded
from shared.events.facts import Event
from shared.events.retractions import Retraction
from shared.identity.actor import Actor, Role
from shared.rules import guards

A = TypeVar("A", bound=Aggregate)
R = TypeVar("R", bound=Retraction)

Judge = Callable[[Any, Any, Context], Decided | Awaitable[Decided]]
"""The guard of a fact: on an aggregate, the event as proposed, and who asks when."""

_REPLACED: Final = "previous"
"""The field in which an event keeps what it replaced: without an earlier fact that was something else."""


async def retracting(
    kind: type[A],
    history: Sequence[Recorded],
    proposed: R,
    context: Context,
    judges: Mapping[type[Event], Judge],
) -> tuple[R, A]:
    """The retraction as it is to be recorded after this history, and the thing as it is without the fact.

    Raises InvalidInput, Forbidden or RuleBroken where it may not be.
    """
    guards.reason_given(proposed.reason, "A retraction")
    version, retracted = proposed.version, retractions_in(history)
    if version > len(history):
        raise InvalidInput(
            "version-not-recorded", f"Its history ends with version {len(history)}.", pointer="/version"
        )
    named = history[version - 1]
    _must_be_own(named, context.actor)
    _must_be_retractable(named, retracted)
    told = kind.fold(history[:version], retracted)
    untold = kind.fold(history[:version], without := {**retracted, version: len(history) + 1})
    assert told is not None
    assert untold is not None
    for recorded in history[version:]:
        judge = judges.get(type(recorded.data))
        if judge is not None and recorded.version not in retracted:
            await _must_still_stand(recorded, judge, told, untold, context.clock)
        told.take_in(recorded, retracted)
        untold.take_in(recorded, without)
    return msgspec.structs.replace(proposed, retracted=named.type), untold


SUPERFLUOUS: Final = "correction-changes-nothing"
"""What a correction is refused with that says what is so already.

One that put another right says that once the other is taken back, and is no less true: were it in the way, and what was
recorded since rested on it, neither could ever be taken back.
"""


def _must_be_own(named: Recorded, actor: Actor) -> None:
    """The unit keeps the record; everybody else takes back what they said themselves."""
    if actor.role is not Role.DCI and not actor.is_of((named.recorded_by.organization,)):
        raise Forbidden(
            "not-your-fact", f"{actor.organization} did not record this, and cannot take it back."
        )


def _must_be_retractable(named: Recorded, retracted: Mapping[int, int]) -> None:
    version = named.version
    if version in retracted:
        raise RuleBroken("already-retracted", f"Version {retracted[version]} retracted it already.")
    if version == 1:
        raise RuleBroken("not-retractable", "Everything recorded of it since rests on what it began with.")
    if why := named.data.LASTING:
        raise RuleBroken("not-retractable", why)
    if named.causation_id is not None:
        raise RuleBroken(
            "caused-by-decision",
            "A decision did this, and its outcome says so: settle that, or record what has become of it since.",
        )


async def _must_still_stand(recorded: Recorded, judge: Judge, told: Any, untold: Any, clock: Clock) -> None:
    was = await _judged(recorded, judge, told, clock)
    if isinstance(was, BitacoraError):
        return
    would_be = await _judged(recorded, judge, untold, clock)
    if would_be == was or (isinstance(would_be, RuleBroken) and would_be.code == SUPERFLUOUS):
        return
    why = (
        f" {would_be.message}"
        if isinstance(would_be, BitacoraError)
        else " It would have been recorded otherwise."
    )
    raise RuleBroken(
        "retraction-in-the-way",
        f"Version {recorded.version} ({recorded.type}) rests on it; retract that one first.{why}",
    )


async def _judged(recorded: Recorded, judge: Judge, on: Any, clock: Clock) -> list[Any] | BitacoraError:
    """What a guard makes of an event at its own time: what is recorded, but for what it replaced; or the refusal."""
    then = clock.stopped_at(recorded.recorded_at)
    by = recorded.recorded_by
    refusal: BitacoraError | None = None
    for actor in (by, msgspec.structs.replace(by, role=Role.DCI)):
        try:
            decided = judge(on, recorded.data, Context(actor, then))
            if inspect.isawaitable(decided):
                decided = await decided
        except Forbidden as error:
            # They had the right when they said it; whether they would have it without the fact is not asked.
            refusal = error
        except BitacoraError as error:
            return error
        else:
            return [_kept(one) for one in ([decided] if isinstance(decided, Event) else decided)]
    assert refusal is not None
    return refusal


def _kept(item: Event | OnStream) -> Any:
    if isinstance(item, Event) and _REPLACED in item.__struct_fields__:
        return type(item), msgspec.structs.replace(item, **{_REPLACED: None})
    return type(item), item
