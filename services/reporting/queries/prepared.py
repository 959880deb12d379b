"""Statements that are put together once, and executed with what differs between askers, days and positions.

To put a long condition together takes longer than most answers of the engine: so a statement is kept by its shape, and
the day, the positions and the organisations are bound when it is executed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Final

from sqlalchemy import CursorResult, Select, bindparam

from services.reporting.datasets import ON, POSITION, bound
from services.reporting.queries.access import SOME, Scope
from services.reporting.queries.moments import AsOf
from services.reporting.reading import Reading

Build = Callable[..., Select[Any]]
"""Puts a statement together from a reading, a day and a scope, of which it may not know more than their shape."""

_NOW: Final[Any] = bindparam("now")

_statements: Final[dict[Hashable, Select[Any]]] = {}


def execute(
    build: Build, reading: Reading, at: AsOf, scope: Scope, *shape: Hashable, **values: Any
) -> CursorResult[Any]:
    """The rows of the statement that `build` makes of symbols for `reading`, `at` and `scope`, and of `shape`.

    `values` are bound to the parameters by which the statement calls them (`bindparam`). There are few shapes: nothing
    that an asker may choose freely belongs into one.
    """
    is_now = scope.is_now(reading.position, at.position)
    asker = scope._replace(
        organizations=SOME if scope.belongs else (),
        now=None if scope.now is None else POSITION if is_now else _NOW,
    )
    key = (build, shape, asker.name, asker.visibilities, scope.belongs, scope.now is None, is_now)
    statement = _statements.get(key)
    if statement is None:
        nobody: Any = None  # what is put together here executes nothing
        reached = POSITION if is_now else _NOW
        asking = (Reading(nobody, "", reached, ""), AsOf(ON, POSITION, None), asker)
        statement = _statements[key] = build(*asking, *shape)
    now = reading.position if scope.now is None else scope.now
    given = bound(at.on, at.position, reading.position) | {"now": now, "organizations": scope.organizations}
    return reading.connection.execute(statement, given | values)
