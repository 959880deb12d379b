"""Who may read what: that which was open to the asker at the position asked for, and is open to them now.

What an edition tells is the one exception: it stays as it was published, whatever is hidden later (`Scope.now`).

The rule itself is `shared.rules.visibility.can_read`; here it becomes conditions on rows, of which each carries its
visibility, and on `readers`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from functools import cache
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    bindparam,
    exists,
    false,
    not_,
    or_,
    select,
    true,
    union_all,
)

from services.reporting.datasets import (
    DATASETS,
    POSITION,
    Dataset,
    commitment_states,
    commitments,
    corrections,
    publications,
    readers,
)
from services.reporting.reading import Reading
from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor
from shared.rules.visibility import can_read, reads_everything

SOME: Final[Any] = bindparam("organizations", expanding=True)
"""The organisations of an asker, where a statement is put together before they are known."""


_WANTED: Final[Any] = bindparam("wanted", expanding=True)


class Scope(NamedTuple):
    """What an asker may read: things of these visibilities, and those with one of its organisations as reader."""

    name: Literal["public", "government", "everything"]
    visibilities: tuple[Visibility, ...]
    organizations: tuple[str, ...] = ()
    now: int | None = None
    """The position up to which is known what was hidden; None for the newest. Set only to tell what an edition told."""

    @property
    def everything(self) -> bool:
        """Whether nothing is hidden."""
        return Visibility.RESERVED in self.visibilities

    @property
    def belongs(self) -> bool:
        """Whether the asker is of any organisation."""
        return self.organizations is SOME or bool(self.organizations)

    def is_now(self, reached: int, position: int) -> bool:
        """Whether what is open at a position is what is open now.

        Positions that a prepared statement does not know are equal when they are one parameter.
        """
        return bool(position == (reached if self.now is None else self.now))


def _is_now(reading: Reading, scope: Scope, position: int) -> bool:
    return scope.is_now(reading.position, position)


def scope_of(actor: Actor | None) -> Scope:
    """What an actor may read; None is somebody without credentials."""
    visibilities = tuple(one for one in Visibility if can_read(actor, one, ()))
    if actor is None:
        return Scope("public", visibilities)
    return Scope("everything" if reads_everything(actor) else "government", visibilities, actor.organizations)


@cache
def beside(dataset: Dataset, name: str) -> Any:
    """A dataset's table once more, in a condition on rows of it or of others; made once, for making one takes long."""
    return dataset.table.alias(name)


def readable(
    reading: Reading, scope: Scope, position: int, dataset: Dataset, *, things: Dataset | None = None
) -> ColumnElement[bool]:
    """Whether the asker may read a row of a dataset that is known at a position.

    `things` has a row for each thing, where the dataset has many. What it was a mistake to record at all has no row any
    more, and is hidden from nobody who could read it then.
    """
    if scope.everything:
        return true()
    then = was_open(scope, position, dataset)
    if _is_now(reading, scope, position):
        return then
    # Asked of each row, and not as a list of ids: SQLite would go through the dataset by such a list.
    things = things or dataset
    now = beside(things, "now")
    known = and_(now.c[things.readable] == dataset.c[dataset.readable], things.known_at(scope.now, now))
    return and_(
        then, or_(exists().where(known, was_open(scope, scope.now, things, now)), ~exists().where(known))
    )


def readable_things(
    reading: Reading, scope: Scope, position: int, dataset: Dataset, *columns: Any
) -> Select[Any]:
    """The rows of a dataset known at a position that the asker may read: their ids, or other columns."""
    wanted = columns or (dataset.c[dataset.readable],)
    return select(*wanted).where(dataset.known_at(position), readable(reading, scope, position, dataset))


def readable_rows(
    reading: Reading, scope: Scope, position: int, dataset: Dataset, column: str, values: Iterable[Any]
) -> list[Any]:
    """The rows of a dataset known at a position, with one of these values in a column, that the asker may read."""
    rows = _rows(reading, position, dataset, column, values)
    if scope.everything or not rows:
        return rows
    ids = _open_among(reading, scope, position, dataset, rows)
    if not _is_now(reading, scope, position):
        now = _rows(reading, scope.now, dataset, dataset.readable, ids)
        gone = ids - {getattr(row, dataset.readable) for row in now}
        ids = gone | _open_among(reading, scope, scope.now, dataset, now)
    return [row for row in rows if getattr(row, dataset.readable) in ids]


def readable_among(
    reading: Reading, scope: Scope, position: int, dataset: Dataset, ids: Iterable[UUID]
) -> set[UUID]:
    """Those of some things that the asker may read."""
    if scope.everything:
        return set(ids)
    rows = readable_rows(reading, scope, position, dataset, dataset.readable, ids)
    return {getattr(row, dataset.readable) for row in rows}


def hidden_among(
    reading: Reading, scope: Scope, position: int, dataset: Dataset, ids: Iterable[UUID]
) -> set[UUID]:
    """Those of some things, named elsewhere, that are on record and that the asker may not read.

    What came on record after the position is hidden where it is hidden now: its name may have been there before it.
    """
    if scope.everything:
        return set()
    hidden = set[UUID]()
    for when in (scope.now, position):
        rows = _rows(reading, when, dataset, dataset.readable, ids)
        on_record = {getattr(row, dataset.readable) for row in rows}
        hidden |= on_record - _open_among(reading, scope, when, dataset, rows)
    return hidden


def read_by(reading: Reading, scope: Scope, position: int, thing: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the asker was and is one of a thing's readers, or reads everything."""
    if scope.everything:
        return true()
    then = _among_readers(scope, position, thing)
    return then if _is_now(reading, scope, position) else and_(then, _among_readers(scope, scope.now, thing))


def read_by_among(reading: Reading, scope: Scope, position: int, ids: Iterable[UUID]) -> set[UUID]:
    """Those of some things of which the asker was and is a reader."""
    if scope.everything:
        return set(ids)
    then = _read_by_asker(reading, scope, position, ids)
    return (
        then if _is_now(reading, scope, position) else then & _read_by_asker(reading, scope, scope.now, then)
    )


KINDS: Final = {one.readable: one for one in DATASETS if one.readable}
"""A dataset for each kind of things that not everybody may read, by its key."""


def open_now(reading: Reading, scope: Scope, ids: Iterable[UUID], among: Collection[Dataset]) -> set[UUID]:
    """Those of some things that the asker may read as far as is known now, or could while it was.

    `among` are the datasets of such kinds as they may be of.
    """
    wanted = set(ids)
    kinds = frozenset(key for key, one in KINDS.items() if one in among or key == corrections.readable)
    asker = scope._replace(organizations=SOME if scope.belongs else (), now=None)
    given = {"wanted": list(wanted), "organizations": scope.organizations}
    found = reading.connection.execute(_open_now(asker, kinds), given).scalars()
    return set(found) | read_by_now(reading, scope, wanted)


@cache
def _open_now(asker: Scope, kinds: frozenset[str]) -> CompoundSelect[Any]:
    found = (
        select(one.c[one.readable]).where(
            one.c[one.readable].in_(_WANTED),
            one.known_at(None),
            was_open(asker, None, one) if one.within else one.c.visibility.in_(asker.visibilities),
        )
        for one in (KINDS[key] for key in sorted(kinds))
    )
    now = beside(commitments, "now")
    gone = select(commitments.c.commitment_id).where(
        commitments.c.commitment_id.in_(_WANTED),
        commitments.c.visibility.in_(asker.visibilities),
        ~exists().where(now.c.commitment_id == commitments.c.commitment_id, commitments.known_at(None, now)),
    )
    return union_all(*found, gone)


def read_by_now(reading: Reading, scope: Scope, ids: Iterable[UUID]) -> set[UUID]:
    """Those of some things of which the asker is a reader as far as is known now."""
    return set(ids) if scope.everything else _read_by_asker(reading, scope, None, ids)


def _rows(
    reading: Reading, position: int | None, dataset: Dataset, column: str, values: Iterable[Any]
) -> list[Any]:
    wanted = list(set(values))
    if not wanted:
        return []
    query = _rows_with(dataset, column, position is None)
    return list(reading.connection.execute(query, {"wanted": wanted, "position": position}))


@cache
def _rows_with(dataset: Dataset, column: str, known_now: bool) -> Select[Any]:
    known = dataset.known_at(None if known_now else POSITION)
    return select(dataset.table).where(dataset.c[column].in_(_WANTED), known)


def _open_among(
    reading: Reading, scope: Scope, position: int | None, dataset: Dataset, rows: Iterable[Any]
) -> set[UUID]:
    """The ids of those of some rows, known at a position, that were open to the asker."""
    if dataset.within:
        ids = {getattr(row, dataset.readable) for row in rows}
        query = select(dataset.c[dataset.readable]).where(
            dataset.c[dataset.readable].in_(ids),
            dataset.known_at(position),
            was_open(scope, position, dataset),
        )
        return set(reading.connection.execute(query).scalars()) if ids else set()
    found = {getattr(row, dataset.readable): row.visibility in scope.visibilities for row in rows}
    closed = [one for one, is_open in found.items() if not is_open]
    return (found.keys() - closed) | _read_by_asker(reading, scope, position, closed)


def _read_by_asker(reading: Reading, scope: Scope, position: int | None, ids: Iterable[UUID]) -> set[UUID]:
    wanted = list(set(ids))
    if not scope.organizations or not wanted:
        return set()
    given = {"wanted": wanted, "organizations": scope.organizations, "position": position}
    return set(reading.connection.execute(_read_by(position is None), given).scalars())


@cache
def _read_by(known_now: bool) -> Select[Any]:
    of_asker = and_(readers.c.organization.in_(SOME), readers.c.thing_id.in_(_WANTED))
    return select(readers.c.thing_id).where(of_asker, readers.known_at(None if known_now else POSITION))


def was_open(scope: Scope, position: int | None, dataset: Dataset, table: Any = None) -> ColumnElement[bool]:
    """Whether a row is of a visibility that the asker may read, or of a thing whose reader they were at a position.

    Where it stands within a commitment, that has to be open as well, and its readers read it too.
    """
    columns = (dataset.table if table is None else table).c
    visible = columns.visibility.in_(scope.visibilities)
    among = _among_readers(scope, position, columns[dataset.readable])
    if not dataset.within:
        return or_(visible, among)
    above = beside(commitments, "above")
    belongs = and_(above.c.code == columns[dataset.within], commitments.known_at(position, above))
    closed = exists().where(belongs, above.c.visibility.not_in(scope.visibilities))
    own = exists().where(belongs, _among_readers(scope, position, above.c.commitment_id))
    return or_(and_(visible, not_(closed)), among, own)


def shown_on(scope: Scope, on: date, position: int, thing: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether what is told of a thing for a day may be told to the asker: it may be open as of a later day only."""
    if scope.everything:
        return true()
    row = beside(publications, "told")
    closed = exists().where(
        row.c.thing_id == thing,
        publications.holds(on, position, row),
        row.c.visibility.not_in(scope.visibilities),
    )
    return or_(not_(closed), _among_readers(scope, position, thing))


def shown_within(scope: Scope, on: date, position: int, dataset: Dataset) -> ColumnElement[bool]:
    """Whether what is told for a day of a thing within a commitment may be told: that was open on that day, or has the
    asker among its readers, or the thing itself has.
    """
    if scope.everything:
        return true()
    row = beside(commitment_states, "above")
    belongs = and_(row.c.code == dataset.c[dataset.within], commitment_states.holds(on, position, row))
    closed = exists().where(belongs, row.c.visibility.not_in(scope.visibilities))
    own = exists().where(belongs, _among_readers(scope, position, row.c.commitment_id))
    return or_(not_(closed), _among_readers(scope, position, dataset.c[dataset.readable]), own)


def _among_readers(scope: Scope, position: int | None, thing: ColumnElement[Any]) -> ColumnElement[bool]:
    if not scope.belongs:
        return false()
    known = beside(readers, "asker")
    return exists().where(
        known.c.organization.in_(scope.organizations),
        known.c.thing_id == thing,
        readers.known_at(position, known),
    )
