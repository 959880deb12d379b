"""Under which pillar a commitment stands: its own, or that of the nearest commitment it is part of, on a day.

What an asker may not read gives no pillar, and nothing is looked for beyond it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, and_, case, exists, select

from services.reporting.datasets import commitment_states, commitments
from services.reporting.queries.access import Scope, readable
from services.reporting.queries.moments import AsOf
from services.reporting.queries.states import rows_there
from services.reporting.reading import Reading

_row: Final = commitment_states.c


class Place(NamedTuple):
    """What a commitment says of its place in the plan."""

    pillar: str | None
    parent: str | None


def nearest_pillar(code: str, place_of: Callable[[str], Place | None]) -> str | None:
    """Its own pillar or the nearest above it; None where there is none, or `place_of` knows no further."""
    passed: set[str] = set()
    up: str | None = code
    while up is not None and up not in passed and (place := place_of(up)) is not None:
        if place.pillar is not None:
            return place.pillar
        passed.add(up)
        up = place.parent
    return None


def parents_giving_pillars(reading: Reading, at: AsOf, scope: Scope) -> dict[str, str]:
    """The pillars of all that something without a pillar of its own is part of, by code."""
    if not any_parts(reading):
        return {}  # a record without parts is spared a second walk over the day
    without = select(commitments.c.parent).distinct().where(rows_there(reading, at, scope), described(at))
    parents = reading.connection.execute(without.where(_row.pillar.is_(None))).scalars()
    return pillars_of(reading, at, scope, {parent for parent in parents if parent is not None})


def any_parts(reading: Reading) -> bool:
    """Whether something is, or ever was, part of something else."""
    return bool(
        reading.connection.execute(select(exists().where(commitments.c.parent.is_not(None)))).scalar()
    )


def parent_without_pillar(at: AsOf) -> ColumnElement[Any]:
    """Of what a row of `commitment_states` is part, if it has no pillar of its own."""
    row = commitments.table.alias()
    named = select(row.c.parent).where(
        row.c.commitment_id == _row.commitment_id, commitments.holds(at.on, at.position, row)
    )
    return case((_row.pillar.is_(None), named.scalar_subquery()))


def pillars_of(reading: Reading, at: AsOf, scope: Scope, codes: Collection[str]) -> dict[str, str]:
    """The pillars of some commitments that have one, by code."""
    places = places_above(reading, at, scope, codes)
    found_for = ((code, nearest_pillar(code, places.get)) for code in codes)
    return {code: pillar for code, pillar in found_for if pillar is not None}


def places_above(reading: Reading, at: AsOf, scope: Scope, codes: Collection[str]) -> dict[str, Place]:
    """The places of some commitments and of those above them: followed up level by level, as far as need be."""
    places: dict[str, Place] = {}
    level = set(codes)
    while level:
        query = select(_row.code, _row.pillar, commitments.c.parent).where(
            described(at),
            commitments.c.code.in_(level),
            commitment_states.holds(at.on, at.position),
            readable(reading, scope, at.position, commitment_states, things=commitments),
        )
        found = reading.connection.execute(query).all()
        places |= {row.code: Place(row.pillar, row.parent) for row in found}
        level = {row.parent for row in found if row.pillar is None} - places.keys() - {None}
    return places


def passed_on_the_way(code: str, places: Mapping[str, Place]) -> list[str]:
    """The codes by which the pillar of a commitment is looked for, up to that which has one or cannot be found."""
    passed = [code]
    while (place := places.get(passed[-1])) is not None and place.pillar is None:
        if place.parent is None or place.parent in passed:
            break
        passed.append(place.parent)
    return passed


def described(at: AsOf) -> ColumnElement[bool]:
    """Whether a row of `commitments` is the one beside that of `commitment_states`."""
    return and_(commitments.c.commitment_id == _row.commitment_id, commitments.holds(at.on, at.position))
