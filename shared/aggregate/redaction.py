"""What an answer names of other things, for readers who may not know of every one of them.

An open meeting may have a reserved commitment on its agenda, and behind an open deadline may stand a reserved decision.
Which fields name something is declared at the fields of events (`shared/events/types.py`), and answers are made of the
same fields: from the type of a document follow its references, and what is left of it without some of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Annotated, Any, Final, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec

from shared.events.commitments import Registered
from shared.events.types import (
    FieldValue,
    InstantOfRecording,
    Kind,
    Names,
    Seal,
    Whole,
    WithDecision,
    WithReferral,
)
from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor
from shared.rules.visibility import can_read, reads_everything


class Reference(NamedTuple):
    """One thing by its name."""

    kind: Kind
    name: str


class Readers(NamedTuple):
    """Who may read a thing: everybody its visibility admits, and while it is reserved these organisations."""

    visibility: Visibility
    organizations: Collection[str]

    def include(self, actor: Actor) -> bool:
        """Whether an actor is one of them."""
        return can_read(actor, self.visibility, self.organizations)

    def within(self, other: Readers | None) -> Readers:
        """Those of them who may also read the thing it belongs to, if any; whom it is reserved for always may."""
        if other is None:
            return self
        reserved = Visibility.RESERVED in (self.visibility, other.visibility)
        return Readers(
            Visibility.RESERVED if reserved else Visibility.INTERNAL,
            (*other.organizations, *self.organizations),
        )


EVERYBODY: Final = Readers(Visibility.PUBLIC, ())

ReadersOf = Callable[[Reference], Awaitable[Readers | None]]
"""Says who may read a thing; None when the record holds nothing by that name, which is then no secret."""


class Redacted(NamedTuple):
    """A document as one reader gets it; `whole` where nothing was taken out."""

    body: bytes
    whole: bool = True


class Document:
    """What is known of a thing, as JSON of a type, and what of it a reader may know."""

    __slots__ = ("_by_day", "_references", "_type", "body")

    def __init__(self, document_type: type[msgspec.Struct], body: bytes) -> None:
        self.body = body
        self._type = document_type
        self._references: frozenset[Reference] | None = None
        self._by_day: bytes | None = None

    def without(self, members: Collection[str]) -> Document:
        """The document with null for these members of it."""
        return self.with_members(dict.fromkeys(members))

    def with_members(self, members: Mapping[str, Any]) -> Document:
        """The document with other values for these members of it."""
        return Document(self._type, _encode(_decode(self.body) | members))

    def by_day(self, actor: Actor) -> bytes:
        """The whole document, without the instants of recording if they are not for the actor."""
        if reads_everything(actor):
            return self.body
        if self._by_day is None:
            self._by_day = _encode(redact(self._type, _decode(self.body), frozenset()))
        return self._by_day

    async def for_reader(self, actor: Actor, readers_of: ReadersOf) -> Redacted:
        """The document without the names of what the actor may not read."""
        if reads_everything(actor):
            return Redacted(self.body)
        if self._references is None:
            self._references = frozenset(references_in(self._type, _decode(self.body)))
        hidden = await hidden_from(actor, self._references, readers_of)
        if not hidden:
            return Redacted(self.by_day(actor))
        return Redacted(_encode(redact(self._type, _decode(self.body), hidden)), whole=False)


async def hidden_from(
    actor: Actor, references: Collection[Reference], readers_of: ReadersOf
) -> frozenset[Reference]:
    """Those of the references that an actor may not know of."""
    hidden = set()
    for reference in references:
        readers = await readers_of(reference)
        if readers is not None and not readers.include(actor):
            hidden.add(reference)
    return frozenset(hidden)


# As decimals, so that a number goes out again just as it came in.
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


# --- by type -------------------------------------------------------------------------------------------------------


class Field(NamedTuple):
    """What the type of a field says about the names in it."""

    names: Kind | None = None
    struct: type[msgspec.Struct] | None = None
    field_value: bool = False
    whole: bool = False
    seal: bool = False
    with_decision: bool = False
    with_referral: bool = False
    recorded: bool = False


def references_in(struct: type[msgspec.Struct], document: Mapping[str, Any]) -> Iterator[Reference]:
    """Everything that a document of a type names, however deep; perhaps more than once."""
    for name, field in REFERENCE_FIELDS(struct).items():
        value = document.get(name)
        if value is not None:
            yield from _references(field, value, document)


def redact(
    struct: type[msgspec.Struct], document: Mapping[str, Any], hidden: frozenset[Reference]
) -> dict[str, Any]:
    """A document for whoever does not see everything: without instants of recording and the names in `hidden`.

    Null is where there was one, and lists of names are shorter. What a field declares as going together goes together.
    """
    fields = REFERENCE_FIELDS(struct)
    lost_decision = lost_referral = False
    redacted = dict(document)
    for name, field in fields.items():
        value = redacted.get(name)
        if value is None:
            continue
        if (
            field.recorded
            or (field.seal and hidden)
            or (field.whole and not hidden.isdisjoint(_references(field, value, document)))
        ):
            redacted[name] = None
        else:
            redacted[name] = _redacted(field, value, document, hidden)
            lost = redacted[name] is None
            lost_decision = lost_decision or (lost and field.names is Kind.DECISION)
            lost_referral = lost_referral or (lost and field.names is Kind.BODY)
    for name, field in fields.items():
        if name in redacted and (
            (field.with_decision and lost_decision) or (field.with_referral and lost_referral)
        ):
            redacted[name] = None
    return redacted


def _references(field: Field, value: Any, document: Mapping[str, Any]) -> Iterator[Reference]:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _references(field, item, document)
    elif field.field_value:
        of = REFERENCE_FIELDS(Registered).get(str(document.get("field")))
        if of is not None:
            yield from _references(of, value, document)
    elif field.names is not None and isinstance(value, str):
        yield Reference(field.names, value)
    elif field.struct is not None and isinstance(value, dict):
        yield from references_in(field.struct, value)


def _redacted(field: Field, value: Any, document: Mapping[str, Any], hidden: frozenset[Reference]) -> Any:
    if isinstance(value, list):
        kept = [_redacted(field, item, document, hidden) for item in value]
        return [item for item in kept if item is not None] if field.names is not None else kept
    if field.field_value:
        of = REFERENCE_FIELDS(Registered).get(str(document.get("field")))
        return value if of is None else _redacted(of, value, document, hidden)
    if field.names is not None and isinstance(value, str):
        return None if Reference(field.names, value) in hidden else value
    if field.struct is not None and isinstance(value, dict):
        return redact(field.struct, value, hidden)
    return value


@cache
def REFERENCE_FIELDS(struct: type[msgspec.Struct]) -> Mapping[str, Field]:  # noqa: N802 - a table, made when asked for
    """The fields of a type that name other things, or hold something that does, or go with a name."""
    hints = get_type_hints(struct, include_extras=True)
    fields = {one.encode_name: _field(hints[one.name]) for one in msgspec.structs.fields(struct)}
    return {name: field for name, field in fields.items() if field != _NOTHING}


_NOTHING: Final = Field()


def _field(hint: Any) -> Field:
    marks, inner = _unwrapped(hint)
    named = next((mark.kind for mark in marks if isinstance(mark, Names) and not mark.always_shown), None)
    struct = inner if isinstance(inner, type) and issubclass(inner, msgspec.Struct) else None
    if struct is not None and not REFERENCE_FIELDS(struct):
        struct = None
    return Field(
        named,
        struct,
        field_value=FieldValue() in marks,
        whole=Whole() in marks,
        seal=Seal() in marks,
        with_decision=WithDecision() in marks,
        with_referral=WithReferral() in marks,
        recorded=InstantOfRecording() in marks,
    )


def _unwrapped(hint: Any) -> tuple[list[Any], Any]:
    """The marks on a type, through options and lists, and the plain type inside."""
    origin = get_origin(hint)
    if origin is Annotated:
        inner, *marks = get_args(hint)
        more, plain = _unwrapped(inner)
        return [*marks, *more], plain
    if origin in (Union, UnionType):
        inner = [one for one in get_args(hint) if one not in (type(None), msgspec.UnsetType)]
        return _unwrapped(inner[0]) if len(inner) == 1 else ([], Any)
    if origin in (tuple, list):
        return _unwrapped(get_args(hint)[0])
    return [], hint
