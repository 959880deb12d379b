"""What an answer names of other things, for readers who may not know of every one of them.

An open meeting may have a reserved commitment on its agenda, and behind an open deadline may stand a reserved decision.
Whatever is told of a thing, it names others by the members listed here, so one walk through an answer finds every name,
and another takes out those that are not for the reader.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec

from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor
from shared.rules.visibility import knows_of_everything, may_see


class Kind(StrEnum):
    """What is named: decisions by their number, action items by their id, everything else by its code."""

    COMMITMENT = "commitment"
    INDICATOR = "indicator"
    DECISION = "decision"
    ACTION_ITEM = "action_item"
    BODY = "body"


class Reference(NamedTuple):
    """One thing by its name."""

    kind: Kind
    name: str


class Disclosure(NamedTuple):
    """Who may know of a thing: everybody its visibility admits, and while it is reserved these organisations.

    `once_reserved` says whether it is or ever was: only then can an answer that names it change without a new version.
    """

    visibility: Visibility
    organizations: Collection[str]
    once_reserved: bool

    def open_to(self, actor: Actor) -> bool:
        """Whether an actor may know of it."""
        return may_see(actor, self.visibility, self.organizations)

    def settled_for(self, actor: Actor) -> bool:
        """Whether that has never been otherwise."""
        return knows_of_everything(actor) or not self.once_reserved


DisclosureOf = Callable[[Reference], Awaitable[Disclosure | None]]
"""Says who may know of a thing; None when the record holds nothing by that name, which is then nobody's secret."""


class Heard(NamedTuple):
    """What one reader is told, and whether the same version of the thing tells this reader the same at any time.

    `whole` says whether nothing was taken out of it.
    """

    body: bytes
    settled: bool = True
    whole: bool = True


class Told:
    """What is told of a thing, as JSON: everything, and what of it a reader may hear."""

    __slots__ = ("_references", "body")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self._references: frozenset[Reference] | None = None

    async def to(self, actor: Actor, disclosure_of: DisclosureOf) -> Heard:
        """What an actor may hear of it."""
        if knows_of_everything(actor):
            return Heard(self.body)
        if self._references is None:
            self._references = frozenset(references_in(_decode(self.body)))
        unseen, settled = set(), True
        for reference in self._references:
            disclosure = await disclosure_of(reference)
            if disclosure is None:
                continue
            settled = settled and disclosure.settled_for(actor)
            if not disclosure.open_to(actor):
                unseen.add(reference)
        if not unseen:
            return Heard(self.body, settled)
        told = without(_decode(self.body), frozenset(unseen))
        return Heard(_encode(told), settled, whole=False)


NAMING: Final = {
    "commitment": Kind.COMMITMENT,
    "commitments": Kind.COMMITMENT,
    "parent": Kind.COMMITMENT,
    "split_from": Kind.COMMITMENT,
    "merged_into": Kind.COMMITMENT,
    "into": Kind.COMMITMENT,
    "indicator": Kind.INDICATOR,
    "decision": Kind.DECISION,
    "decisions": Kind.DECISION,
    "action_items": Kind.ACTION_ITEM,
    "to": Kind.BODY,
}
"""The members that name things; one that holds objects instead tells of the things themselves. To whom a matter is
referred (`to`) may also be said in other words than the code of a body."""

# As decimals, so that a number goes out again just as it came in.
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode

_PLACES: Final = ("parent", "split_from")
"""The fields of a registration that name another commitment, and so the values of a correction of such a field."""


_OF_ITS_DECISION: Final = frozenset({"causation_id", "correlation_id", "remarks", "to"})
"""What is told beside a `decision` and comes from it."""


def references_in(told: Any) -> Iterator[Reference]:
    """Everything named in a piece of JSON, however deep; perhaps more than once."""
    if isinstance(told, dict):
        for member, value in told.items():
            kind = _kind(told, member)
            for name in value if isinstance(value, list) else (value,):
                if kind is not None and isinstance(name, str):
                    yield Reference(kind, name)
            if member == "commitment" and isinstance(value, dict) and isinstance(value.get("code"), str):
                # One that a decision calls into being.
                yield Reference(Kind.COMMITMENT, value["code"])
            yield from references_in(value)
    elif isinstance(told, list):
        for item in told:
            yield from references_in(item)


def without(told: Any, unseen: frozenset[Reference]) -> Any:
    """The same without the names `unseen`: null where there was one, shorter where there was a list of them.

    Of what a decision does nothing is said when that names anything unseen. With the number of an unseen decision goes
    what else leads to it, the event and the request that brought it about and its words; with an unseen body, what was
    said of the matter that went there.
    """
    if isinstance(told, dict):
        if _is_unseen(Kind.DECISION, told.get("decision"), unseen):
            told = told | dict.fromkeys(_OF_ITS_DECISION & told.keys())
        if _is_unseen(Kind.BODY, told.get("to"), unseen):
            told = told | {"remarks": None}
        return {member: _without(told, member, value, unseen) for member, value in told.items()}
    if isinstance(told, list):
        return [without(item, unseen) for item in told]
    return told


def _without(told: dict[str, Any], member: str, value: Any, unseen: frozenset[Reference]) -> Any:
    if member == "effect" and not unseen.isdisjoint(references_in(value)):
        return None
    if member == "digest" and unseen:
        # Whoever lacks but one name could try which one makes it up.
        return None
    kind = _kind(told, member)
    if kind is not None and isinstance(value, list):
        value = [name for name in value if not _is_unseen(kind, name, unseen)]
    elif kind is not None and _is_unseen(kind, value, unseen):
        return None
    return without(value, unseen)


def _kind(told: dict[str, Any], member: str) -> Kind | None:
    if member in {"value", "previous"} and told.get("field") in _PLACES:
        return Kind.COMMITMENT
    return NAMING.get(member)


def _is_unseen(kind: Kind, value: Any, unseen: frozenset[Reference]) -> bool:
    return isinstance(value, str) and Reference(kind, value) in unseen
