"""What a commitment says of other commitments, for readers who may not know of every one of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import msgspec

from services.commitments.domain.commitment import Commitment
from shared.events.commitments import Corrected, Merged, Registered

FIELDS = frozenset({"parent", "split_from"})
"""The fields of a registration that hold the code of another commitment."""


def named_by(commitment: Commitment, day: date) -> set[str]:
    """The codes of all other commitments that an answer about this one would name."""
    registration, closing = commitment.registration, commitment.closing_on(day)
    named: set[Any] = {registration.parent, registration.split_from, commitment.merged_into}
    if closing is not None and isinstance(closing.said, Merged):
        named.add(closing.said.into)
    for correction in commitment.corrections:
        if correction.said.field in FIELDS:
            named |= {correction.said.value, correction.said.previous}
    return named - {None}


def without(document: dict[str, Any], unseen: Iterable[str]) -> None:
    """Takes the codes `unseen` out of what is about to be told of a commitment."""
    unseen = frozenset(unseen)
    _clear(document, ("parent", "split_from", "merged_into"), unseen)
    if document["closing"] is not None:
        _clear(document["closing"], ("into",), unseen)
    for correction in document["corrections"]:
        if correction["field"] in FIELDS:
            _clear(correction, ("value", "previous"), unseen)


def named_in(items: Iterable[dict[str, Any]]) -> set[str]:
    """The codes of all other commitments that these items of a history name."""
    return {value for item in items for value in _relations(item).values() if value is not None}


def history_without(items: Iterable[dict[str, Any]], unseen: Iterable[str]) -> None:
    """Takes the codes `unseen` out of these items of a history."""
    unseen = frozenset(unseen)
    for item in items:
        hidden = {name: None for name, value in _relations(item).items() if value in unseen}
        if hidden:
            item["data"] = msgspec.json.decode(item["data"]) | hidden


def _relations(item: dict[str, Any]) -> dict[str, Any]:
    """The members of an event's data that name another commitment."""
    if item["type"] not in {Registered.TYPE, Merged.TYPE, Corrected.TYPE}:
        return {}
    data = msgspec.json.decode(item["data"])
    names = {"parent", "split_from", "into"}
    if item["type"] == Corrected.TYPE:
        names = {"value", "previous"} if data["field"] in FIELDS else set()
    return {name: data[name] for name in names if data.get(name) is not None}


def _clear(members: dict[str, Any], names: Iterable[str], unseen: frozenset[str]) -> None:
    for name in names:
        if members.get(name) in unseen:
            members[name] = None
