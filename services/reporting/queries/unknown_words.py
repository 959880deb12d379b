"""Words in filters that nothing on record has: refused, as codes are that nothing has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, or_, select

from services.reporting.datasets import (
    KEY_WORD,
    Type,
    commitment_labels,
    commitment_states,
    commitments,
    cycles,
    indicators,
)
from services.reporting.queries.access import Scope, readable, readable_things, shown_on, shown_within
from services.reporting.queries.moments import AsOf
from services.reporting.reading import Reading
from shared.errors import InvalidInput
from shared.events.texts import folded

_OWN_WORDS: Final = {
    name: (dataset, field)
    for dataset in (commitment_states, commitments, indicators)
    for name, field in dataset.filters.items()
    if field.value is Type.TEXT and field.words is None and not field.names
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
    _refuse_unknown_key_words(reading, at, scope, filters.get(KEY_WORD.filter, ()))
    # Who may not ask by people is told so by the question itself.
    people = {name for name, (_, field) in _OWN_WORDS.items() if field.person and scope.name == "public"}
    names = _OWN_WORDS.keys() & filters.keys() - people
    asked = [(name, word) for name in sorted(names) for word in filters[name]]
    if not asked:
        return
    positions = dict.fromkeys((reading.position, at.position))

    def known(name: str, position: int) -> ColumnElement[bool]:
        dataset, _ = _OWN_WORDS[name]
        if dataset is indicators:
            # Of a day before it was open, it is as if it were not there.
            return and_(
                dataset.known_at(position),
                readable(reading, scope, position, dataset),
                shown_on(scope, at.on, position, dataset.c.indicator_id),
                shown_within(scope, at.on, position, dataset),
            )
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


def _refuse_unknown_key_words(reading: Reading, at: AsOf, scope: Scope, words: Sequence[str]) -> None:
    """As of other words; key words are many and free, so that none are named."""
    label = commitment_labels.c
    for word in words:
        known = [
            and_(
                commitment_labels.known_at(position),
                label.commitment_id.in_(
                    readable_things(reading, scope, position, commitments, commitments.c.commitment_id)
                ),
            )
            for position in dict.fromkeys((reading.position, at.position))
        ]
        there = exists().where(label.label == KEY_WORD.filter, label.value == folded(word), or_(*known))
        if not reading.connection.execute(select(there)).scalar_one():
            raise InvalidInput(
                "filter-value-unknown",
                f"Nothing on record has '{word}' as its {KEY_WORD.filter}.",
                pointer=f"/query/{KEY_WORD.filter}",
            )


def cycles_named(reading: Reading, at: AsOf, codes: Sequence[str]) -> list[str]:
    """The codes of cycles as they are on record, whatever the capitals; InvalidInput for one that no cycle has."""
    if not codes:
        return []
    known = or_(*(cycles.known_at(position) for position in (reading.position, at.position)))
    found = reading.connection.execute(select(cycles.c.code).where(known)).scalars()
    on_record = {code.casefold(): code for code in found}
    for code in codes:
        if code.casefold() not in on_record:
            raise InvalidInput(
                "filter-value-unknown", f"There is no cycle by '{code}'.", pointer="/query/cycle"
            )
    return [on_record[code.casefold()] for code in codes]
