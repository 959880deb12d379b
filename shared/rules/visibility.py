"""Who may know of a thing: the one rule that every service applies before it shows, counts or even refuses anything.

public     anybody, credentials or not
internal   anybody inside government who has credentials
reserved   the unit, the advisory unit, the budget office, auditors and administrators, and the ministries concerned
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor, Role


def knows_of_everything(actor: Actor) -> bool:
    """Whether nothing is hidden from `actor`: all of government but the ministries."""
    return actor.role is not Role.MINISTRY


def may_see(actor: Actor | None, visibility: Visibility, organizations: Iterable[str]) -> bool:
    """Whether `actor` (None: somebody without credentials) may know of a thing that concerns `organizations`."""
    if visibility is Visibility.PUBLIC:
        return True
    if actor is None:
        return False
    if visibility is Visibility.INTERNAL or knows_of_everything(actor):
        return True
    return actor.organization in organizations
