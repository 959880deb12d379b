"""The board: where every commitment stood on a day, as it was known at a position, counted and listed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Column, ColumnElement, Select, and_, func, select, tuple_

from services.reporting.queries.moments import AsOf, holding
from services.reporting.queries.names import Names, names_at
from services.reporting.queries.scope import Scope, visible_descriptions, visible_standings
from services.reporting.queries.verdict import because_on, status_on
from services.reporting.reading import Reading
from services.reporting.tables import ORGANIZATION, PILLAR, descriptions, standings
from shared.rules.traffic_light import Closure, Status

_row = standings.c

DIMENSIONS: Final[dict[str, Column[Any]]] = {
    "pillar": _row.pillar,
    "organization": _row.lead_organization,
    "region": _row.region,
    "judgement": _row.judgement,
    "kind": _row.kind,
    "result_type": _row.result_type,
    "origin": _row.origin,
    "visibility": _row.visibility,
}
"""What a board can be filtered and grouped by, besides status."""

STATUS: Final = "status"
_KEY: Final = (_row.commitment_id, _row.valid_from, _row.believed_from)
_NAMED: Final = {"pillar": PILLAR, "organization": ORGANIZATION}
_STATUS_ORDER: Final = {status.value: number for number, status in enumerate(Status)}

Filters = Mapping[str, Sequence[str]]
"""For each of `DIMENSIONS` or `status`, the values admitted."""


class Because(msgspec.Struct, frozen=True):
    """The position of the event a status follows from, and which fact it is: a deadline, the judgement, …"""

    position: int
    fact: str


class Item(msgspec.Struct, frozen=True):
    """One commitment on the board."""

    id: UUID
    code: str
    title: str
    kind: str
    status: str | None
    status_because: Because
    judgement: str | None
    public_deadline_on: date | None
    internal_deadline_on: date | None
    lead_organization: str
    lead_organization_name: str | None
    pillar: str | None
    pillar_name: str | None
    region: str | None
    origin: str | None
    result_type: str | None
    visibility: str
    parent: str | None
    merged_into: str | None


class Totals(msgspec.Struct, frozen=True):
    """How many there are: `registered` is always the sum of the six states and of those merged into others."""

    registered: int
    by_status: dict[str, int]
    merged: int


class Board(msgspec.Struct, frozen=True):
    """What a question about the board is answered with; `more` when the list goes on."""

    totals: Totals
    items: list[Any]
    more: bool = False


def board_as_of(
    reading: Reading, at: AsOf, scope: Scope, filters: Filters, *, after: str | None = None, limit: int = 50
) -> Board:
    """The commitments in order of code, from beyond `after`, and the totals of all that the filters admit."""
    chosen = _chosen(reading, at, scope, filters)
    counts = reading.connection.execute(
        select(status_on(at.on).label(STATUS), func.count()).where(chosen).group_by(STATUS)
    )
    rows = reading.connection.execute(
        select(standings, status_on(at.on).label(STATUS), because_on(at.on).label("because"))
        .where(tuple_(*_KEY).in_(_page_keys(reading, chosen, after, limit + 1)))
        .order_by(_row.code)
    ).all()
    return Board(
        _totals((row[0], row[1]) for row in counts),
        _items(reading, at, scope, rows[:limit]),
        len(rows) > limit,
    )


def grouped_board_as_of(
    reading: Reading, at: AsOf, scope: Scope, filters: Filters, group_by: Sequence[str]
) -> Board:
    """How many commitments there are of each kind, and the totals; a group says how many of it are in each state."""
    status = status_on(at.on).label(STATUS)
    keys = [DIMENSIONS[name] for name in group_by if name != STATUS]
    rows = reading.connection.execute(
        select(status, func.count(), *keys)
        .where(_chosen(reading, at, scope, filters))
        .group_by(STATUS, *keys)
    ).all()
    names = names_at(reading, at.position)
    groups: dict[tuple[Any, ...], list[tuple[str | None, int]]] = {}
    for row in rows:
        given = iter(row[2:])
        key = tuple(row[0] if name == STATUS else next(given) for name in group_by)
        groups.setdefault(key, []).append((row[0], row[1]))
    ordered = sorted(
        groups, key=lambda key: [_rank(name, value, names) for name, value in zip(group_by, key, strict=True)]
    )
    items = [_group(group_by, key, groups[key], names) for key in ordered]
    return Board(_totals((row[0], row[1]) for row in rows), items)


def _page_keys(reading: Reading, chosen: ColumnElement[bool], after: str | None, limit: int) -> list[Any]:
    """The keys of one page, looked up by themselves: whole rows of everything chosen would be much to sort."""
    beyond = [] if after is None else [_row.code > after]
    query = select(*_KEY).where(chosen, *beyond).order_by(_row.code).limit(limit)
    return [tuple(row) for row in reading.connection.execute(query)]


def _chosen(reading: Reading, at: AsOf, scope: Scope, filters: Filters) -> ColumnElement[bool]:
    return and_(
        holding(at.on, at.position, reading.position),
        visible_standings(scope, at.position),
        *(
            (status_on(at.on) if name == STATUS else DIMENSIONS[name]).in_(values)
            for name, values in filters.items()
        ),
    )


def _totals(counts: Iterable[tuple[str | None, int]]) -> Totals:
    by_status = dict.fromkeys(_STATUS_ORDER, 0)
    merged = 0
    for status, count in counts:
        if status is None:
            merged += count
        else:
            by_status[status] += count
    return Totals(sum(by_status.values()) + merged, by_status, merged)


def _group(
    group_by: Sequence[str], key: tuple[Any, ...], counts: list[tuple[str | None, int]], names: Names
) -> dict[str, Any]:
    item: dict[str, Any] = {}
    for name, value in zip(group_by, key, strict=True):
        item[name] = value
        if name in _NAMED:
            item[f"{name}_name"] = names.of(_NAMED[name], value)
    totals = _totals(counts)
    item["count"] = totals.registered
    if STATUS not in group_by:
        item["by_status"] = totals.by_status
        item["merged"] = totals.merged
    return item


def _rank(name: str, value: str | None, names: Names) -> tuple[bool, int, str]:
    """Pillars by their rank, states in the order of the rule, all else by itself; what is unknown comes last."""
    if value is None:
        return True, 0, ""
    number = _STATUS_ORDER[value] if name == STATUS else names.rank(_NAMED.get(name), value)
    return False, number, value


def _items(reading: Reading, at: AsOf, scope: Scope, rows: Sequence[Any]) -> list[Item]:
    if not rows:
        return []
    names = names_at(reading, at.position)
    described = {
        row.commitment_id: row
        for row in reading.connection.execute(
            select(descriptions).where(
                descriptions.c.commitment_id.in_([row.commitment_id for row in rows]), _believed(at.position)
            )
        )
    }
    elsewhere = {row.merged_into for row in rows} | {row.parent for row in described.values()}
    known = visible_codes(reading, at.position, scope, elsewhere - {None})
    return [_item(row, described[row.commitment_id], names, known) for row in rows]


def visible_codes(reading: Reading, position: int, scope: Scope, codes: set[str]) -> set[str]:
    """Those of the codes whose commitments the asker may know of: a reference must not give a hidden one away."""
    if not codes:
        return set()
    query = visible_code_query(scope, position).where(descriptions.c.code.in_(sorted(codes)))
    return set(reading.connection.execute(query).scalars())


def visible_code_query(scope: Scope, position: int) -> Select[Any]:
    """The codes of the commitments that the asker may know of."""
    return select(descriptions.c.code).where(_believed(position), visible_descriptions(scope, position))


def _believed(position: int) -> ColumnElement[bool]:
    return and_(descriptions.c.believed_from <= position, descriptions.c.believed_to > position)


def _item(row: Any, description: Any, names: Names, known: set[str]) -> Item:
    return Item(
        id=row.commitment_id,
        code=row.code,
        title=description.title,
        kind=row.kind,
        status=row.status,
        status_because=Because(row.because, _fact(row)),
        judgement=row.judgement,
        public_deadline_on=row.public_deadline,
        internal_deadline_on=row.internal_deadline,
        lead_organization=row.lead_organization,
        lead_organization_name=names.of(ORGANIZATION, row.lead_organization),
        pillar=row.pillar,
        pillar_name=names.of(PILLAR, row.pillar),
        region=row.region,
        origin=row.origin,
        result_type=row.result_type,
        visibility=row.visibility,
        parent=description.parent if description.parent in known else None,
        merged_into=row.merged_into if row.merged_into in known else None,
    )


def _fact(row: Any) -> str:
    if row.closure in {Closure.DISCARDED, Closure.ACHIEVED, Closure.MERGED}:
        return "closure"
    if row.status == Status.DELAYED:
        return "public_deadline"
    if row.status == Status.NEEDS_ATTENTION_INTERNAL_DEADLINE:
        return "internal_deadline"
    return "judgement" if row.judgement_at is not None else "registration"
