"""The news: day by day what became otherwise on the board, the latest first, each with the event behind it.

As between two days (`changes`), but every day is looked at by itself, so that a deadline moved twice is told twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import and_, false, select

from services.reporting.datasets import commitment_states, commitments
from services.reporting.queries.access import Scope
from services.reporting.queries.board import Filters, admitted
from services.reporting.queries.changes import Change, changes_of
from services.reporting.queries.moments import AsOf
from services.reporting.queries.rules import turns_between
from services.reporting.queries.timeline import DayOf
from services.reporting.reading import Reading
from shared.eventlog.store import Store
from shared.rules.traffic_light import TRAFFIC_LIGHT_1

_row: Final = commitment_states.c
_ONE_DAY: Final = timedelta(days=1)
_STRETCHES: Final = (8, 32, 128, 512)
"""How many days back are looked at, one after the other, until there is enough to tell; nothing older is news."""


class News(NamedTuple):
    """A commitment that is not as it was on the eve."""

    on: date
    """The day on which it became so."""
    told_on: date
    """That day, or the later one on which it was learned."""
    change: Change


def news_as_of(
    reading: Reading,
    store: Store,
    day_of: DayOf,
    at: AsOf,
    scope: Scope,
    *,
    filters: Filters | None = None,
    thing: UUID | None = None,
    limit: int,
) -> list[News]:
    """The news up to a day, as known at a position, the latest first.

    Of everything, of what filters admit on that day, or of one thing in its whole life.
    """
    among = {thing} if thing else _admitted(reading, at, scope, filters) if filters else None
    found: list[News] = []
    last = at.on
    for eve in [date.min] if thing else _eves(at.on):
        days = sorted(_changing(reading, at, eve, last, among).items(), reverse=True)
        for day, ids in days:
            if len(found) < limit:
                found += _news_of(reading, store, day_of, at, scope, day, ids, limit)
        last = eve
    return sorted(found, key=_newest_first)[:limit]


def _newest_first(one: News) -> tuple[int, int, str]:
    return -one.told_on.toordinal(), -one.on.toordinal(), one.change.code


def _eves(on: date) -> list[date]:
    return [date.fromordinal(max(on.toordinal() - days, 1)) for days in _STRETCHES]


def _admitted(reading: Reading, at: AsOf, scope: Scope, filters: Filters) -> set[UUID]:
    chosen = admitted(reading, at, scope, filters)
    return set(reading.connection.execute(select(_row.commitment_id).where(chosen)).scalars())


def _changing(
    reading: Reading, at: AsOf, eve: date, last: date, among: set[UUID] | None
) -> dict[date, set[UUID]]:
    """By day after one and up to another, the commitments of which something may be otherwise than on its eve."""
    rule, execute = TRAFFIC_LIGHT_1, reading.connection.execute
    deadlines = [_row[field] for field, _ in sorted(rule.deadlines())]
    columns = [_row.commitment_id, _row.valid_from, _row.valid_to, *deadlines]
    begin, described = (
        one.begins_between(eve, last, at.position, reading.position)
        for one in (commitment_states, commitments)
    )
    held = and_(
        commitment_states.valid_at(eve, at.position, reading.position), turns_between(rule, _row, eve, last)
    )
    if among is not None and len(among) == 1:
        own = and_(_row.commitment_id.in_(among), commitment_states.known_at(at.position))
        begin, held = own, false()
        described = and_(commitments.c.commitment_id.in_(among), commitments.known_at(at.position))
    rows = [*execute(select(*columns).where(begin)), *execute(select(*columns).where(held))]
    texts = execute(select(commitments.c.commitment_id, commitments.c.valid_from).where(described))
    days = [(one, day) for one, day in texts]
    for row in rows:
        days.append((row.commitment_id, row.valid_from))
        turning = (day for day in rule.turning_days(row) if row.valid_from < day < row.valid_to)
        days += [(row.commitment_id, day) for day in turning]
    found: defaultdict[date, set[UUID]] = defaultdict(set)
    for one, day in days:
        if eve < day <= last and (among is None or one in among):
            found[day].add(one)
    return found


def _news_of(
    reading: Reading,
    store: Store,
    day_of: DayOf,
    at: AsOf,
    scope: Scope,
    day: date,
    among: set[UUID],
    limit: int,
) -> Iterator[News]:
    """What is told of a day."""
    sides = at._replace(on=day - _ONE_DAY), at._replace(on=day)
    for change in changes_of(reading, store, day_of, *sides, scope, among, limit):
        learned = [one.because.recorded_on for one in change.changes if one.because is not None]
        yield News(day, max([day, *learned]), change)
