"""By which corrections and retractions a day of a commitment is told otherwise than before, as an asker may know it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from types import SimpleNamespace
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from services.reporting.datasets import STATE_FACTS, Correction, commitment_states
from services.reporting.queries.access import Scope
from shared.http.moments import RecordedAt, RecordedOn
from shared.rules.registry import Rule

_OF_THE_UNIT: Final = frozenset({"internal_deadline", "internal_revisions", "internal_reason"})
_REFERENCES: Final = frozenset({"parent", "merged_into"})
_PEOPLE: Final = frozenset({"adviser"})


class RecordedBy(msgspec.Struct, frozen=True):
    """Who recorded something; `subject` only for those inside government."""

    organization: str
    role: str
    subject: str | None = None


class Corrected(msgspec.Struct, frozen=True, rename={"before": "from", "after": "to"}):
    """That a day is told otherwise than it was: `what` of it, and what was said before.

    The latest from which the state follows is told, and else the latest of all.
    """

    what: Annotated[str, Meta(description="Such as `public_deadline`, `closure` or `title`.")]
    before: Any
    after: Any
    retraction: Annotated[
        bool, Meta(description="Whether a fact was retracted; else the registration was corrected.")
    ]
    reason: str
    recorded_on: RecordedOn
    recorded_at: RecordedAt
    recorded_by: RecordedBy
    position: int
    others: Annotated[list[int], Meta(description="The positions of further ones.")]


def corrections_in(text: str | None) -> list[Correction]:
    """What a row of `commitment_corrections` holds."""
    return [] if text is None else msgspec.json.decode(text, type=list[Correction])


def known_to(found: Sequence[Correction], scope: Scope, *, own: bool) -> list[Correction]:
    """Those of some corrections that the asker may know of; `own`, of the internal deadline as well."""
    return [
        one
        for one in found
        if (own or one.what not in _OF_THE_UNIT) and (scope.name != "public" or one.what not in _PEOPLE)
    ]


def codes_in(found: Iterable[Correction]) -> set[str]:
    """The codes of commitments that they name."""
    named = (value for one in found if one.what in _REFERENCES for value in (one.before, one.after))
    return {value for value in named if value is not None}


def corrected(found: Sequence[Correction], scope: Scope, codes: set[str]) -> Corrected | None:
    """The first of some corrections, for an asker who may read the commitments with these codes.

    A reference of which they may read neither what it was nor what it is changed nothing for them.
    """

    def shown(value: Any, of: Correction) -> Any:
        return None if of.what in _REFERENCES and value not in codes else value

    found = [
        one for one in found if one.what not in _REFERENCES or shown(one.before, one) != shown(one.after, one)
    ]
    if not found:
        return None
    one, actor = found[0], found[0].recorded_by
    return Corrected(
        what=one.what,
        before=shown(one.before, one),
        after=shown(one.after, one),
        retraction=one.retraction,
        reason=one.reason,
        recorded_on=one.recorded_on,
        recorded_at=one.recorded_at if scope.everything else None,
        recorded_by=RecordedBy(
            actor.organization, actor.role.value, None if scope.name == "public" else actor.subject
        ),
        position=one.position,
        others=sorted({other.position for other in found} - {one.position}),
    )


def deciding(found: Sequence[Correction], row: Any, on: date, rule: Rule) -> Correction | None:
    """The correction without which the state on a day would be another one, if that is so."""
    if not found or found[0].what not in STATE_FACTS:
        return None
    facts = {field.name: getattr(row, field.name) for field in commitment_states.fields}
    before = SimpleNamespace(**facts | {found[0].what: _before(found[0])})
    return found[0] if rule.line_for(before, on).verdict != rule.line_for(row, on).verdict else None


def turning_days(found: Iterable[Correction]) -> set[date]:
    """The days up to which a deadline that was corrected had not passed."""
    before = (_before(one) for one in found if one.what in STATE_FACTS)
    return {day for day in before if isinstance(day, date)}


def _before(one: Correction) -> Any:
    if one.before is not None and one.what in ("public_deadline", "internal_deadline"):
        return date.fromisoformat(one.before)
    return one.before
