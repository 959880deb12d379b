"""Who may know of a body, a meeting, a decision or an action item: the rows of `disclosures` and `circles`."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from services.reporting.projections.beliefs import Beliefs, row_of
from services.reporting.projections.changes import RowChanges
from services.reporting.tables import circles, disclosures
from shared.events.vocabulary import Visibility


def disclose(
    beliefs: Beliefs, thing: UUID, visibility: Visibility, position: int, changes: RowChanges
) -> None:
    """It is as open as this from now on."""
    row = row_of(disclosures, thing_id=thing.hex, visibility=visibility.value)
    beliefs.say(row, position, changes)


def encircle(
    beliefs: Beliefs,
    thing: UUID,
    position: int,
    changes: RowChanges,
    *,
    concerned: Iterable[str],
    knowing: Iterable[str] = (),
) -> None:
    """These organisations know of it while it is reserved, and no others: those it concerns, and the rest."""
    circle = dict.fromkeys(knowing, False) | dict.fromkeys(concerned, True)
    rows = [
        row_of(circles, organization=organization, thing_id=thing.hex, concerned=whether)
        for organization, whether in circle.items()
    ]
    beliefs.restate(circles, rows, position, changes)
