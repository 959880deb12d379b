"""The news: day by day what became otherwise on the board, the latest first, each with the event behind it.

As between two days (`changes`), but every day is looked at by itself, so that a deadline moved twice is told twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import CompoundSelect, and_, false, func, or_, select, true, union, union_all

from services.reporting.datasets import Dataset, commitment_states, commitments
from services.reporting.queries.access import Scope, readable
from services.reporting.queries.board import Filters, admitted
from services.reporting.queries.changes import Change, Streams, changes_of
from services.reporting.queries.moments import AsOf
from services.reporting.queries.timeline import DayOf
from services.reporting.reading import Reading
from shared.eventlog.store import Store

_row: Final = commitment_states.c
_ONE_DAY: Final = timedelta(days=1)
_STRETCHES: Final = (8, 64, 512)
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
    read: Streams = {}
    last = at.on
    for eve in [date.min] if thing else _eves(at.on):
        if len(found) >= limit:
            break
        days = sorted(_changing(reading, at, scope, eve, last, among).items(), reverse=True)
        for day, ids in days:
            if len(found) < limit:
                found += _news_of(reading, store, day_of, at, scope, day, ids, limit, read)
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
    reading: Reading, at: AsOf, scope: Scope, eve: date, last: date, among: set[UUID] | None
) -> dict[date, set[UUID]]:
    """By day after one and up to another, the commitments of which something told may be otherwise than on its eve."""
    inside = scope.name != "public"
    states = _STATES + (("internal_deadline",) if inside else ())
    texts = _TEXTS + (("adviser",) if inside else ())
    found: defaultdict[date, set[UUID]] = defaultdict(set)
    for dataset, compared in ((commitment_states, states), (commitments, texts)):
        query = _turns(reading, at, scope, dataset, compared, eve, last, among)
        for one, turned_on, passed in reading.connection.execute(query):
            day = turned_on + _ONE_DAY if passed else turned_on
            if among is None or one in among:
                found[day].add(one)
    return {day: ids for day, ids in found.items() if eve < day <= last}


_STATES: Final = (
    *("lead_organization", "closure", "judgement", "public_deadline", "merged_into"),
    *("discard_reason_type", "visibility"),
)
_TEXTS: Final = ("title", "goal", "responsible_service", "collaborating_organizations")
"""The columns of which a change is told; who advises, and the internal deadline, only inside government."""


def _turns(
    reading: Reading,
    at: AsOf,
    scope: Scope,
    dataset: Dataset,
    compared: Sequence[str],
    eve: date,
    last: date,
    among: set[UUID] | None,
) -> CompoundSelect[Any]:
    """The days on which a row begins that is another than the one before it, ends with none after it, or a deadline of
    it has passed; for rows that hold on some day from one to another.
    """
    c = dataset.c
    mine = [readable(reading, scope, at.position, dataset, things=commitments)]
    begun = dataset.begins_between(eve, last, at.position, reading.position)
    if among is not None and len(among) == 1:
        held = and_(c.commitment_id.in_(among), dataset.known_at(at.position))
        begun = false()
    elif dataset.by_interval:
        held = dataset.valid_at(eve, at.position, reading.position)
    else:
        held = dataset.holds(eve, at.position)
    deadlines = [name for name in compared if name.endswith("_deadline")]
    columns = (c.commitment_id, c.valid_from, c.valid_to, *(c[name] for name in compared))
    rows = union(select(*columns).where(held, *mine), select(*columns).where(begun, *mine)).subquery()

    def beside(value: Any) -> Any:
        return value.over(partition_by=rows.c.commitment_id, order_by=rows.c.valid_from)

    walked = select(
        rows,
        beside(func.lag(rows.c.valid_to)).label("before"),
        beside(func.lead(rows.c.valid_from)).label("next"),
        *(beside(func.lag(rows.c[name])).label(f"was_{name}") for name in compared),
    ).subquery()
    w = walked.c
    otherwise = or_(
        w.before.is_distinct_from(w.valid_from),
        *(w[name].is_distinct_from(w[f"was_{name}"]) for name in compared),
    )
    turns = [
        select(w.commitment_id, w.valid_from.label("day"), false().label("passed")).where(
            w.valid_from > eve, otherwise
        ),
        select(w.commitment_id, w.valid_to, false()).where(
            w.valid_to > eve, w.valid_to <= last, w.next.is_distinct_from(w.valid_to)
        ),
        *(
            select(w.commitment_id, w[name], true()).where(
                w[name] >= eve, w[name] < last, w[name] >= w.valid_from, w[name] < w.valid_to
            )
            for name in deadlines
        ),
    ]
    return union_all(*turns)


def _news_of(
    reading: Reading,
    store: Store,
    day_of: DayOf,
    at: AsOf,
    scope: Scope,
    day: date,
    among: set[UUID],
    limit: int,
    read: Streams,
) -> Iterator[News]:
    """What is told of a day."""
    sides = at._replace(on=day - _ONE_DAY), at._replace(on=day)
    for change in changes_of(reading, store, day_of, *sides, scope, among, limit, read):
        learned = [one.because.recorded_on for one in change.changes if one.because is not None]
        yield News(day, max([day, *learned]), change)
