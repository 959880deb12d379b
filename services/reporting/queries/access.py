"""Who may read what: that which was open to the asker at the position asked for, and is open to them now.

The rule itself is `shared.rules.visibility.can_read`; here it becomes conditions on rows, of which each carries its
visibility, and on `readers`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, or_, select, true

from services.reporting.datasets import Dataset, readers
from services.reporting.reading import Reading
from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor
from shared.rules.visibility import can_read, reads_everything


class Scope(NamedTuple):
    """What an asker may read: things of these visibilities, and those that name the asker's organisation as reader."""

    name: Literal["public", "government", "everything"]
    visibilities: tuple[Visibility, ...]
    organization: str | None = None

    @property
    def everything(self) -> bool:
        """Whether nothing is hidden."""
        return Visibility.RESERVED in self.visibilities


def scope_of(actor: Actor | None) -> Scope:
    """What an actor may read; None is somebody without credentials."""
    visibilities = tuple(one for one in Visibility if can_read(actor, one, ()))
    if actor is None:
        return Scope("public", visibilities)
    return Scope("everything" if reads_everything(actor) else "government", visibilities, actor.organization)


def readable(
    reading: Reading, scope: Scope, position: int, dataset: Dataset, *, things: Dataset | None = None
) -> ColumnElement[bool]:
    """Whether the asker may read a row of a dataset that is known at a position.

    `things` has a row for each thing, where the dataset has many.
    """
    if scope.everything:
        return true()
    then = _open(scope, position, dataset)
    if position == reading.position:
        return then
    things = things or dataset
    now = select(things.c[things.readable]).where(things.known_at(None), _open(scope, None, things))
    return and_(then, dataset.c[dataset.readable].in_(now))


def readable_things(
    reading: Reading, scope: Scope, position: int, dataset: Dataset, *columns: Any
) -> Select[Any]:
    """The rows of a dataset known at a position that the asker may read: their ids, or other columns."""
    wanted = columns or (dataset.c[dataset.readable],)
    return select(*wanted).where(dataset.known_at(position), readable(reading, scope, position, dataset))


def readable_among(
    reading: Reading, scope: Scope, position: int, dataset: Dataset, ids: Iterable[UUID]
) -> set[UUID]:
    """Those of some things that the asker may read."""
    wanted = set(ids)
    if scope.everything or not wanted:
        return wanted
    query = readable_things(reading, scope, position, dataset).where(dataset.c[dataset.readable].in_(wanted))
    return set(reading.connection.execute(query).scalars())


def hidden_among(
    reading: Reading, scope: Scope, position: int, dataset: Dataset, ids: Iterable[UUID]
) -> set[UUID]:
    """Those of some things, named elsewhere, that are on record and that the asker may not read.

    What came on record after the position is hidden where it is hidden now: its name may have been there before it.
    """
    wanted = set(ids)
    if scope.everything or not wanted:
        return set()
    thing = dataset.c[dataset.readable]

    def found(position: int | None, *conditions: ColumnElement[bool]) -> set[UUID]:
        query = select(thing).where(thing.in_(wanted), dataset.known_at(position), *conditions)
        return set(reading.connection.execute(query).scalars())

    now, then = found(None), found(position)
    open_now, open_then = (found(when, _open(scope, when, dataset)) for when in (None, position))
    return (now - open_now) | (then - open_then)


def read_by(reading: Reading, scope: Scope, position: int, thing: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the asker was and is one of a thing's readers, or reads everything."""
    if scope.everything:
        return true()
    then = _among_readers(scope, position, thing)
    return then if position == reading.position else and_(then, _among_readers(scope, None, thing))


def read_by_among(reading: Reading, scope: Scope, position: int, ids: Iterable[UUID]) -> set[UUID]:
    """Those of some things of which the asker was and is a reader."""
    wanted = set(ids)
    if scope.everything or not wanted:
        return wanted
    query = select(readers.c.thing_id).where(
        readers.c.thing_id.in_(wanted),
        readers.known_at(position),
        read_by(reading, scope, position, readers.c.thing_id),
    )
    return set(reading.connection.execute(query).scalars())


def _open(scope: Scope, position: int | None, dataset: Dataset) -> ColumnElement[bool]:
    return or_(
        dataset.c.visibility.in_(scope.visibilities),
        _among_readers(scope, position, dataset.c[dataset.readable]),
    )


def _among_readers(scope: Scope, position: int | None, thing: ColumnElement[Any]) -> ColumnElement[bool]:
    if scope.organization is None:
        return false()
    known = readers.table.alias()
    return thing.in_(
        select(known.c.thing_id).where(
            known.c.organization == scope.organization, readers.known_at(position, known)
        )
    )
