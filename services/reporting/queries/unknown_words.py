"""Words in filters of commitments that nothing on record has: refused, as codes are that nothing has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, or_, select

from services.reporting.datasets import Type, commitment_states, commitments
from services.reporting.queries.access import Scope, readable
from services.reporting.queries.moments import AsOf
from services.reporting.reading import Reading
from shared.errors import InvalidInput

_OWN_WORDS: Final = {
    name: (dataset, field)
    for dataset in (commitment_states, commitments)
    for name, field in dataset.filters.items()
    if field.value is Type.TEXT and field.words is None and not field.names and not field.person
}
"""Filters by words from lists that are not ours: the values there are, are those on record."""

MOST_NAMED: Final = 50
"""Values in a refusal."""


def refuse_unknown_words(
    reading: Reading, at: AsOf, scope: Scope, filters: Mapping[str, Sequence[str]]
) -> None:
    """A word that nothing on record has, nor had as known then, is a mistyped one: an empty answer would hide that.

    On record is what the asker may read.
    """
    asked = [(name, word) for name in _OWN_WORDS.keys() & filters.keys() for word in filters[name]]
    if not asked:
        return
    positions = dict.fromkeys((reading.position, at.position))

    def known(name: str, position: int) -> ColumnElement[bool]:
        dataset, _ = _OWN_WORDS[name]
        return and_(
            dataset.known_at(position), readable(reading, scope, position, dataset, things=commitments)
        )

    def on_record(name: str, word: str) -> ColumnElement[bool]:
        dataset, field = _OWN_WORDS[name]
        column = dataset.c[field.name]
        return or_(*(exists().where(column == word, known(name, position)) for position in positions))

    found = reading.connection.execute(select(*(on_record(*one) for one in asked))).one()
    for (name, word), there in zip(asked, found, strict=True):
        if not there:
            dataset, field = _OWN_WORDS[name]
            column = dataset.c[field.name]
            words = (
                select(column)
                .distinct()
                .where(column.is_not(None), known(name, reading.position))
                .order_by(column)
                .limit(MOST_NAMED)
            )
            values = ", ".join(reading.connection.execute(words).scalars()) or "none so far"
            raise InvalidInput(
                "filter-value-unknown",
                f"Nothing on record has '{word}' as its {name}. The values are: {values}.",
                pointer=f"/query/{name}",
            )
