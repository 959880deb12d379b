"""What projecting events does to the rows of the read model: beliefs begin, and beliefs end."""

from __future__ import annotations

from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from services.reporting.tables import BELIEVED, END_OF_LOG


class Ended(NamedTuple):
    """A row that is in the read model already stops being believed at `position`; `key` is its primary key."""

    key: tuple[Any, ...]
    believed_to: int


class Fact(Protocol):
    """What one row says, apart from the positions at which it was believed."""

    def row(self, believed_from: int, believed_to: int) -> tuple[Any, ...]:
        """The whole row, in the order of the table's columns."""

    def key(self, believed_from: int) -> tuple[Any, ...]:
        """The row's primary key, in the order of the table's columns."""


F = TypeVar("F", bound=Fact)


class Belief(Generic[F]):
    """A fact believed from a position on; `written` once its row is in the read model (or on its way)."""

    __slots__ = ("fact", "since", "table", "written")

    def __init__(self, table: str, fact: F, since: int) -> None:
        self.table = table
        self.fact = fact
        self.since = since
        self.written = False


class RowChanges:
    """Rows to add, and rows to end, by table; the rows to add go first, since one of them may be ended at once.

    A belief is turned into a row as late as possible: most are ended before anybody had to write them down, and then
    one row tells the whole story and nothing is ever updated.
    """

    def __init__(self) -> None:
        self.added: dict[str, list[tuple[Any, ...]]] = {table.name: [] for table in BELIEVED}
        self.ended: dict[str, list[Ended]] = {table.name: [] for table in BELIEVED}
        self.size = 0

    def end(self, belief: Belief[Any], position: int) -> None:
        """The belief held up to, but not at, this position."""
        if belief.written:
            self.ended[belief.table].append(Ended(belief.fact.key(belief.since), position))
        else:
            self.added[belief.table].append(belief.fact.row(belief.since, position))
        self.size += 1

    def write_down(self, belief: Belief[Any]) -> None:
        """The belief still holds, and its row has to be in the read model."""
        if not belief.written:
            self.added[belief.table].append(belief.fact.row(belief.since, END_OF_LOG))
            belief.written = True
            self.size += 1
