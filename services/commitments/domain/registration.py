"""What may enter the record as a commitment, field by field; a correction of a field is held to the same rules.

The functions are pure: what else the record holds (organisations, pillars, other commitments) comes in as `Known`.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping
from datetime import date
from typing import Any, Final, NamedTuple

import msgspec

from services.commitments.domain import guards
from shared.errors import InvalidInput, RuleBroken
from shared.events.commitments import InternalDeadline, PublicDeadline, Registered
from shared.events.vocabulary import CommitmentKind, OriginKind, Visibility

FIELD_TYPES: Final[dict[str, Any]] = {field.name: field.type for field in msgspec.structs.fields(Registered)}
CORRECTABLE: Final = frozenset(FIELD_TYPES) - {"code", "visibility"}
"""A code is what everything else refers to; the visibility is changed by a publication, never by a correction."""

_LAYERS = list(CommitmentKind)
_NAMES = {
    "title",
    "responsible_service",
    "adviser",
    "stage",
    "priority",
    "region",
    "initiative_type",
    "key_words",
}


class Place(NamedTuple):
    """Where a commitment stands in the plan tree: its layer, and what it is part of, the nearest first."""

    kind: CommitmentKind
    ancestors: tuple[str, ...] = ()


class Known(NamedTuple):
    """What the record holds of the things that a registration names, all by code."""

    organizations: Container[str] = ()
    pillars: Container[str] = ()
    commitments: Mapping[str, Place] = {}


def register(proposed: Registered, *, today: date, known: Known) -> Registered:
    """A commitment as it may enter the record."""
    guards.well_formed_code(proposed.code)
    agreed_in_private = proposed.origin is not None and proposed.origin.kind is OriginKind.BILATERAL_MEETING
    if agreed_in_private and proposed.visibility is Visibility.PUBLIC:
        raise InvalidInput(
            "bilateral-not-public",
            "What was agreed in a bilateral meeting is not public from the start: publish it, with a reason.",
            pointer="/visibility",
        )
    check(proposed, FIELD_TYPES, today=today, known=known)
    return proposed


def usual_visibility(origin: OriginKind | None) -> Visibility:
    """Who may know of a new commitment when nobody says otherwise."""
    return Visibility.RESERVED if origin is OriginKind.BILATERAL_MEETING else Visibility.INTERNAL


def check(registered: Registered, fields: Collection[str], *, today: date, known: Known) -> None:
    """Holds these fields of a registration to the rules; raises the first that is broken."""
    for field in fields:
        _check_lengths(getattr(registered, field), field, f"/{field}")
    if "title" in fields:
        guards.text_given(registered.title, "The title", "/title")
    if "effective_on" in fields:
        guards.not_after_today(registered.effective_on, today)
    if "pillar" in fields and registered.pillar is not None and registered.pillar not in known.pillars:
        raise InvalidInput(
            "unknown-pillar", f"There is no pillar with the code '{registered.pillar}'.", pointer="/pillar"
        )
    for field, pointer, code in organizations_named(registered):
        if field in fields:
            known_organization(code, known.organizations, pointer)
    if "collaborating_organizations" in fields:
        guards.all_different(registered.collaborating_organizations, "/collaborating_organizations")
    if "key_words" in fields:
        guards.all_different(registered.key_words, "/key_words")
    if "parent" in fields or "kind" in fields:
        _check_parent(registered, known)
    source = registered.split_from
    if "split_from" in fields and source is not None:
        _check_source(source, registered.code, known)
    if "public_deadline" in fields or "internal_deadline" in fields:
        in_order(registered.internal_deadline, registered.public_deadline)


def organizations_named(registered: Registered) -> Iterator[tuple[str, str, str]]:
    """The organisations a registration names: field, JSON pointer, code."""
    yield "lead_organization", "/lead_organization", registered.lead_organization
    if registered.responsible_service is not None:
        yield "responsible_service", "/responsible_service", registered.responsible_service
    for index, code in enumerate(registered.collaborating_organizations):
        yield "collaborating_organizations", f"/collaborating_organizations/{index}", code


def known_organization(code: str, organizations: Container[str], pointer: str) -> str:
    """An organisation that is on the record."""
    if code not in organizations:
        raise InvalidInput(
            "unknown-organization", f"There is no organisation with the code '{code}'.", pointer=pointer
        )
    return code


def in_order(internal: InternalDeadline | None, public: PublicDeadline | None) -> None:
    """The unit's own deadline is no later than the public one, or it would warn of nothing."""
    if internal is not None and public is not None and internal.on > public.on:
        raise RuleBroken(
            "internal-after-public",
            f"The internal deadline, {internal.on}, would fall after the public one, {public.on}.",
        )


def corrected(registered: Registered, field: str, value: Any, *, today: date, known: Known) -> Registered:
    """The registration as it would read with one field set right; `value` is JSON, shaped as at registration."""
    if field not in CORRECTABLE:
        raise InvalidInput(
            "field-not-correctable",
            f"'{field}' is not a field of the registration that a correction may change.",
            pointer="/field",
        )
    try:
        candidate = with_field(registered, field, value)
    except msgspec.ValidationError as error:
        raise InvalidInput(
            "correction-value-invalid",
            f"The value does not have the shape that '{field}' has at registration.",
            pointer="/value",
        ) from error
    # Members a value may not have would be dropped in silence: what is asked is what must be recorded.
    if not _same_members(value, as_json(candidate, field)):
        raise InvalidInput(
            "correction-value-invalid",
            f"The value has members that '{field}' does not have at registration.",
            pointer="/value",
        )
    try:
        check(candidate, (field,), today=today, known=known)
    except InvalidInput as error:
        pointer = "/value" + error.pointer.removeprefix(f"/{field}")
        raise InvalidInput(error.code, error.message, pointer=pointer) from error
    if getattr(candidate, field) == getattr(registered, field):
        raise RuleBroken("correction-changes-nothing", f"'{field}' already has this value.")
    return candidate


def with_field(registered: Registered, field: str, value: Any) -> Registered:
    """The registration with one field replaced by a JSON value."""
    return msgspec.structs.replace(registered, **{field: msgspec.convert(value, FIELD_TYPES[field])})


def as_json(registered: Registered, field: str) -> Any:
    """One field of the registration, in the shape it has in the event."""
    return msgspec.json.decode(msgspec.json.encode(getattr(registered, field)))


def _check_parent(registered: Registered, known: Known) -> None:
    code = registered.parent
    if code is None:
        return
    place = known.commitments.get(code)
    if place is None:
        raise InvalidInput(
            "parent-unknown", f"There is no commitment with the code '{code}'.", pointer="/parent"
        )
    if registered.code in (code, *place.ancestors):
        raise RuleBroken(
            "parent-is-descendant",
            f"'{code}' is '{registered.code}' itself or part of it, and cannot contain it.",
        )
    if _LAYERS.index(place.kind) > _LAYERS.index(registered.kind):
        raise RuleBroken(
            "parent-below", f"A {registered.kind} is no part of a {place.kind}: the layers run the other way."
        )


def _check_source(source: str, code: str, known: Known) -> None:
    if source == code or source not in known.commitments:
        raise InvalidInput(
            "split-from-unknown",
            f"There is no other commitment with the code '{source}' to split from.",
            pointer="/split_from",
        )


def _check_lengths(value: Any, field: str, pointer: str) -> None:
    if isinstance(value, str):
        guards.short_enough(value, guards.LONGEST_NAME if field in _NAMES else guards.LONGEST_TEXT, pointer)
    elif isinstance(value, tuple):
        if len(value) > guards.MOST_ITEMS:
            raise InvalidInput(
                "too-many-items", f"At most {guards.MOST_ITEMS} items fit in one list.", pointer=pointer
            )
        for index, item in enumerate(value):
            _check_lengths(item, field, f"{pointer}/{index}")
    elif isinstance(value, msgspec.Struct):
        for member in value.__struct_fields__:
            _check_lengths(getattr(value, member), field, f"{pointer}/{member}")


def _same_members(given: Any, kept: Any) -> bool:
    """Whether every member of the given JSON is there in what was kept; a default may be left out of it."""
    if isinstance(given, dict):
        named = {name for name, value in given.items() if value is not None and value is not False}
        return isinstance(kept, dict) and all(
            name in kept and _same_members(given[name], kept[name]) for name in named
        )
    if isinstance(given, list):
        return isinstance(kept, list) and all(map(_same_members, given, kept))
    return True
