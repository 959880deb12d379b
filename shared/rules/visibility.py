"""Who may read a thing: the one rule that every service applies before it shows, counts or even refuses anything.

public     anybody, credentials or not
internal   anybody inside government who has credentials
reserved   the unit, the advisory unit, the budget office, auditors and administrators, and the ministries concerned
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor, Role

_OPENNESS = (Visibility.RESERVED, Visibility.INTERNAL, Visibility.PUBLIC)


def reads_everything(actor: Actor) -> bool:
    """Whether nothing is hidden from an actor: all of government but the ministries."""
    return actor.role is not Role.MINISTRY


def can_read(actor: Actor | None, visibility: Visibility, readers: Iterable[str]) -> bool:
    """Whether an actor (None: somebody without credentials) may read a thing.

    `readers` are the organisations that may while it is reserved.
    """
    if visibility is Visibility.PUBLIC:
        return True
    if actor is None:
        return False
    if visibility is Visibility.INTERNAL or reads_everything(actor):
        return True
    return actor.organization in readers


def narrower(one: Visibility, other: Visibility) -> bool:
    """Whether fewer may read what has the one visibility than what has the other."""
    return _OPENNESS.index(one) < _OPENNESS.index(other)
