"""Who may read a thing: the one rule that every service applies before it shows, counts or even refuses anything.

public     anybody, credentials or not
internal   anybody inside government who has credentials
reserved   the unit, the advisory unit, the budget office, auditors and administrators, and the thing's readers: the
           organisations it concerns, or to which its minutes were sent, and whoever succeeded one of them that is no
           more (`Actor.organizations`)

The internal deadline of a commitment, and what follows from it, is for those who see everything and for the readers of
the commitment, however open that is. Who does not see everything is told the days on which something was recorded, not
the instants.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final

import msgspec

from shared.events.commitments import Corrected, DeadlineRevised, Registered
from shared.events.facts import Event
from shared.events.vocabulary import DeadlineKind, Visibility
from shared.identity.actor import Actor, Role

INTERNAL_DEADLINE: Final = "internal_deadline"

_OPENNESS = (Visibility.RESERVED, Visibility.INTERNAL, Visibility.PUBLIC)


def reads_everything(actor: Actor | None) -> bool:
    """Whether nothing is hidden from `actor`: all of government but the ministries."""
    return actor is not None and actor.role is not Role.MINISTRY


def can_read(actor: Actor | None, visibility: Visibility, readers: Container[str]) -> bool:
    """Whether `actor` (None: somebody without credentials) may read a thing with these readers."""
    match visibility:
        case Visibility.PUBLIC:
            return True
        case Visibility.INTERNAL:
            return actor is not None
        case Visibility.RESERVED:
            return actor is not None and (reads_everything(actor) or actor.is_of(readers))


def of_the_unit(event: Event) -> bool:
    """Whether an event tells of the internal deadline alone: to others it is as if it were not there."""
    match event:
        case DeadlineRevised():
            return event.deadline is DeadlineKind.INTERNAL
        case Corrected():
            return event.field == INTERNAL_DEADLINE
        case _:
            return False


def without_internal_deadline(event: Event) -> Event | None:
    """What an event is to those whom the internal deadline does not concern; None where it tells of nothing else."""
    if of_the_unit(event):
        return None
    if isinstance(event, Registered) and event.internal_deadline is not None:
        return msgspec.structs.replace(event, internal_deadline=None)
    return event


def narrower(one: Visibility, other: Visibility) -> bool:
    """Whether fewer may read what has the one visibility than what has the other."""
    return _OPENNESS.index(one) < _OPENNESS.index(other)
