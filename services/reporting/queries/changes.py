"""What changed on the board between two days, in the light of what is known at one position."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import and_, select

from services.reporting.queries.board import Because
from services.reporting.queries.moments import AsOf, holding
from services.reporting.queries.scope import Scope, visible_standings
from services.reporting.queries.verdict import because_on, status_on
from services.reporting.reading import Reading
from services.reporting.tables import descriptions, standings


class Change(msgspec.Struct, frozen=True):
    """A commitment that is not in the state it was in; `registered` is false where it did not exist yet."""

    id: UUID
    code: str
    title: str
    registered_before: bool
    status_before: str | None
    status_after: str | None
    status_because: Because | None


def changes_between(
    reading: Reading, at: AsOf, since: date, scope: Scope, *, after: str | None = None, limit: int = 50
) -> tuple[list[Change], bool]:
    """The commitments whose state on the day of `at` is not that of `since`, by code; and whether more follow."""
    before = {row.code: row.status for row in _states(reading, at._replace(on=since), scope, after)}
    found: list[Any] = []
    for row in _states(reading, at, scope, after):
        if row.code not in before or before[row.code] != row.status:
            found.append(row)
            if len(found) > limit:
                break
    described = reading.connection.execute(
        select(descriptions.c.code, descriptions.c.title).where(
            descriptions.c.commitment_id.in_([row.commitment_id for row in found[:limit]]),
            descriptions.c.believed_from <= at.position,
            descriptions.c.believed_to > at.position,
        )
    )
    titles = {row.code: row.title for row in described}
    return [
        Change(
            id=row.commitment_id,
            code=row.code,
            title=titles[row.code],
            registered_before=row.code in before,
            status_before=before.get(row.code),
            status_after=row.status,
            status_because=Because(row.because, "event"),
        )
        for row in found[:limit]
    ], len(found) > limit


def _states(reading: Reading, at: AsOf, scope: Scope, after: str | None) -> list[Any]:
    query = (
        select(
            standings.c.commitment_id,
            standings.c.code,
            status_on(at.on).label("status"),
            because_on(at.on).label("because"),
        )
        .where(
            and_(holding(at.on, at.position, reading.position), visible_standings(scope, at.position)),
            *([] if after is None else [standings.c.code > after]),
        )
        .order_by(standings.c.code)
    )
    return list(reading.connection.execute(query).all())
