"""Which commitments a search finds: by what is told of each to the asker, for a day, as known at a position.

Everything looked for must be told of a commitment somewhere: in its title, its goal, the words of the promise, its key
words, a report that was accepted, or sealed minutes that the asker may read. What is hidden from them neither finds nor
excludes anything, and does not change the order, which goes by the commitments found and by nothing else. A code
that is all that is looked for finds its commitment, before whatever else is found by its words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    and_,
    case,
    cast,
    column,
    exists,
    literal,
    literal_column,
    or_,
    select,
    table,
    union_all,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from services.reporting.datasets import (
    FILED,
    TITLE,
    Dataset,
    commitment_states,
    commitment_texts,
    meetings,
    minutes_texts,
)
from services.reporting.queries.access import Scope, readable, shown_on
from services.reporting.queries.moments import AsOf
from services.reporting.reading import Reading
from services.reporting.terms import Clause, Search

_row: Final = commitment_states.c


class Place(NamedTuple):
    """Where a commitment stands among those found: found by its code, in its title, or elsewhere; the newest first."""

    rank: int
    registered_at: int
    code: str


class Found(NamedTuple):
    """The condition of being found, and in which order."""

    condition: ColumnElement[bool]
    rank: ColumnElement[int]

    def order(self) -> Sequence[ColumnElement[Any]]:
        """What to order by."""
        return self.rank, _row.registered_at.desc(), _row.code

    def beyond(self, place: Place) -> ColumnElement[bool]:
        """The commitments after a place."""
        same_rank = self.rank == place.rank
        return or_(
            self.rank > place.rank,
            and_(same_rank, _row.registered_at < place.registered_at),
            and_(same_rank, _row.registered_at == place.registered_at, _row.code > place.code),
        )


def found_by(reading: Reading, at: AsOf, scope: Scope, search: Search, code: str | None = None) -> Found:
    """Which rows of `commitment_states` a search finds, or have the code that the whole of it spells."""

    def told(number: int, clause: Clause) -> Any:
        """The ids of the commitments of which it is told, and whether in the title."""
        found = union_all(_texts(reading, at, clause), _minutes(reading, at, scope, clause))
        # Named, so that the engine looks but once for what is asked twice of it.
        return found.cte(f"told_{number}")

    wanted = [told(number, clause).c for number, clause in enumerate(search.wanted)]
    others = [told(number, clause).c for number, clause in enumerate(search.excluded, len(wanted))]
    one = _row.commitment_id
    told_all = and_(
        *(one.in_(select(those.commitment_id)) for those in wanted),
        *(one.not_in(select(those.commitment_id)) for those in others),
    )
    titled = and_(*(one.in_(select(those.commitment_id).where(those.titled == 1)) for those in wanted))
    # As one expression, so that the engine goes through the rows of the day, which is quick however many are found,
    # and does not look for each that is found among all its days.
    coded = [] if code is None else [(_row.code == code, 0)]
    rank = case(*coded, (and_(told_all, titled), 1), (told_all, 2))
    return Found(rank.is_not(None), rank)


def _texts(reading: Reading, at: AsOf, clause: Clause) -> Any:
    """The commitments of which a clause is told, and whether that is in the title."""
    titled = case((commitment_texts.c.part == TITLE, 1), else_=0).label("titled")
    return select(commitment_texts.c.commitment_id, titled).where(
        _matches(reading, commitment_texts, clause), commitment_texts.holds(at.on, at.position)
    )


def _minutes(reading: Reading, at: AsOf, scope: Scope, clause: Clause) -> Any:
    """The commitments of which sealed minutes tell it that the asker may read."""
    meeting = minutes_texts.c.meeting_id
    open_to_asker = exists().where(
        meetings.c.meeting_id == meeting,
        meetings.known_at(at.position),
        readable(reading, scope, at.position, meetings),
    )
    return select(minutes_texts.c.commitment_id, literal(0).label("titled")).where(
        _matches(reading, minutes_texts, clause),
        minutes_texts.holds(at.on, at.position),
        open_to_asker,
        shown_on(scope, at.on, at.position, meeting),
    )


def _matches(reading: Reading, dataset: Dataset, clause: Clause) -> ColumnElement[bool]:
    """The rows of a dataset that an engine finds by the terms filed in them."""
    if reading.connection.dialect.name == "postgresql":
        terms: ColumnElement[Any] = dataset.c.terms
        return terms.bool_op("@@")(cast(literal(clause.tsquery()), TSQUERY))
    index = f"{dataset.name}_{FILED}"
    matching = select(table(index, column("rowid", BigInteger)).c.rowid).where(
        literal_column(index).bool_op("MATCH")(clause.fts5())
    )
    return literal_column(f"{dataset.name}.rowid", BigInteger).in_(matching)
