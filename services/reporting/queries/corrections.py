"""By which corrections and retractions days are told otherwise than before, as an asker may know it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    not_,
    or_,
    select,
)

from services.reporting.datasets import (
    MEASURES,
    STATE_FACTS,
    Dataset,
    action_items,
    bodies,
    commitment_states,
    commitments,
    corrections,
    decisions,
    indicators,
    meetings,
)
from services.reporting.queries.access import (
    Scope,
    read_by,
    read_by_among,
    readable,
    readable_rows,
    shown_on,
    shown_within,
)
from services.reporting.queries.corrected import (
    NOTHING,
    Corrected,
    CorrectedSince,
    CorrectedThing,
    RecordedBy,
)
from services.reporting.queries.moments import AsOf
from services.reporting.queries.prepared import execute
from services.reporting.reading import Reading
from shared.events.types import Kind
from shared.identity.actor import Actor
from shared.rules.registry import Rule

_OF_THE_UNIT: Final = frozenset(
    {"internal_deadline", "internal_deadlines", "internal_revisions", "internal_reason"}
)
_REFERENCES: Final = frozenset({"parent", "merged_into", "split_from"})
_PEOPLE: Final = frozenset({"adviser"})
_INSIDE: Final = "progress_report"
"""What was reported is for the government until it is accepted: others are told that it is another, and no more."""
_LATEST: Final = 10

_THINGS: Final[dict[Kind, Dataset]] = {
    Kind.COMMITMENT: commitments,
    Kind.DECISION: decisions,
    Kind.ACTION_ITEM: action_items,
    Kind.MEETING: meetings,
    Kind.BODY: bodies,
}
"""Where it says who may read a thing now; of all other kinds everybody may."""

_row: Final = corrections.c
_WANTED: Final[Any] = bindparam("wanted", expanding=True)


class Correction(msgspec.Struct, frozen=True):
    """A row of `corrections`; `before` and `after` are as JSON has them."""

    kind: Kind
    thing: UUID
    code: str
    valid_from: date
    valid_to: date
    what: str
    before: Any
    after: Any
    removed: bool
    retraction: bool
    reason: str | None
    recorded_on: date
    recorded_at: str
    recorded_by: Actor
    position: int

    def weight(self) -> tuple[bool, int]:
        """The order in which those of a day are told: first what states follow from, then the latest.

        What reads as before, and only follows from another event, comes after what reads otherwise.
        """
        return self.what not in STATE_FACTS or self.before == self.after, -self.position


class Corrections:
    """Those of some things that an asker may know of."""

    def __init__(self, reading: Reading, at: AsOf, scope: Scope, rows: Sequence[Any]) -> None:
        self._scope = scope
        found = [_correction(row) for row in rows]
        if not scope.everything and found:
            private = {one.thing for one in found if one.what in _OF_THE_UNIT}
            own = read_by_among(reading, scope, at.position, private)
            found = [one for one in found if one.what not in _OF_THE_UNIT or one.thing in own]
            if scope.name == "public":
                found = [one for one in found if one.what not in _PEOPLE]
        named = {code for one in found for code in _named(one)}
        shown = {row.code for row in readable_rows(reading, scope, at.position, commitments, "code", named)}
        self._found: defaultdict[UUID, list[Correction]] = defaultdict(list)
        for one in found:
            # A reference of which they may read neither what it was nor what it is changed nothing for them.
            if not _refers(one.what) or shown & _named(one):
                before, after = (
                    None if _refers(one.what) and value not in shown else value
                    for value in (one.before, one.after)
                )
                self._found[one.thing].append(msgspec.structs.replace(one, before=before, after=after))

    def of(self, thing: UUID) -> list[Correction]:
        """Those of one thing."""
        return self._found.get(thing, [])

    def told_under(self, thing: UUID, above: Corrections, codes: Collection[str]) -> Corrected | None:
        """The same, or else what was corrected of those that it goes by, which have these codes."""
        others = [one for found in above._found.values() for one in found if one.code in codes]
        own = self.of(thing)
        told = self.of_day(own) or self.of_day(others)
        if told is None:
            return None
        positions = {one.position for one in (*own, *others)} - {told.position}
        of = None if own else min(others, key=Correction.weight).code
        return msgspec.structs.replace(told, others=sorted(positions), of=of)

    def told(self, thing: UUID) -> Corrected | None:
        """What an answer says of those of one thing, all of one day."""
        return self.of_day(self.of(thing))

    def each(self, thing: UUID) -> list[Corrected]:
        """What an answer says of each of one thing, all of one day: first what states follow from, then the latest."""
        found = sorted(self.of(thing), key=Correction.weight)
        return [Corrected(**self._members(one), others=[]) for one in found]

    def of_day(self, found: Sequence[Correction]) -> Corrected | None:
        """What an answer says of those that speak of one day."""
        if not found:
            return None
        one = min(found, key=Correction.weight)
        return Corrected(
            **self._members(one), others=sorted({each.position for each in found} - {one.position})
        )

    def things(self) -> list[CorrectedThing]:
        """Each by itself, the latest first."""
        found = sorted(
            (one for of_thing in self._found.values() for one in of_thing),
            key=lambda one: (-one.position, one.code),
        )
        return [
            CorrectedThing(**self._members(one), others=[], kind=one.kind, id=one.thing, code=one.code)
            for one in found
        ]

    def _members(self, one: Correction) -> dict[str, Any]:
        actor, what = one.recorded_by, one.what.partition(" ")[0]
        if what == _INSIDE and self._scope.name == "public":
            one = msgspec.structs.replace(one, before=None, after=None, reason=None)
        return {
            "what": what,
            "before": one.before,
            "after": one.after,
            "removed": one.removed,
            "retraction": one.retraction,
            "reason": one.reason,
            "recorded_on": one.recorded_on,
            "recorded_at": one.recorded_at if self._scope.everything else None,
            "recorded_by": RecordedBy(
                actor.organization, actor.role.value, None if self._scope.name == "public" else actor.subject
            ),
            "position": one.position,
        }


def corrections_on(reading: Reading, at: AsOf, scope: Scope, things: Collection[UUID]) -> Corrections:
    """Those of a day, of things that the asker may read on it."""
    rows = execute(_of_things, reading, at, scope, wanted=list(things)).all() if things else []
    return Corrections(reading, at, scope, rows)


def _of_things(_reading: Reading, at: AsOf, _scope: Scope) -> Select[Any]:
    of_day = corrections.holds(at.on, at.position)
    return select(corrections.table).where(_row.thing_id.in_(_WANTED), of_day)


def corrections_above(reading: Reading, at: AsOf, scope: Scope, codes: Collection[str]) -> Corrections:
    """Those of a day by which the pillar of what is part of commitments with these codes may be another one."""
    rows = execute(_above, reading, at, scope, wanted=list(codes)).all() if codes else []
    return Corrections(reading, at, scope, rows)


def _above(reading: Reading, at: AsOf, scope: Scope) -> Select[Any]:
    return select(corrections.table).where(
        _row.code.in_(_WANTED),
        _row.what.in_(("pillar", "parent", "effective_on")),
        _known(reading, at, scope, Kind.COMMITMENT),
        corrections.holds(at.on, at.position),
    )


def corrections_of(reading: Reading, at: AsOf, scope: Scope, thing: UUID) -> Corrections:
    """Those of all days of one thing that the asker may read, in the order of their days."""
    query = select(corrections.table).where(_row.thing_id == thing, corrections.known_at(at.position))
    rows = reading.connection.execute(query.order_by(_row.valid_from, _row.position)).all()
    if not scope.everything and rows:
        own = bool(read_by_among(reading, scope, at.position, [thing]))
        rows = [row for row in rows if own or row.visibility in scope.visibilities]
    return Corrections(reading, at, scope, rows)


def corrected_since(
    reading: Reading,
    at: AsOf,
    scope: Scope,
    kinds: Iterable[Kind],
    *,
    thing: UUID | None = None,
    every_day: bool = False,
) -> CorrectedSince:
    """What is told otherwise of the day, or of any day, of all things of some kinds that the asker may know of.

    With `thing`, of that one only.
    """
    kinds, one = tuple(sorted(kinds)), thing is not None
    if not kinds:
        return NOTHING
    texts = None if scope.everything else _named_texts(reading, at, scope, thing, every_day)
    shape = (kinds, one, every_day, texts is not None)
    counted: Any = execute(_counted, reading, at, scope, *shape, thing=thing, texts=texts).one()
    things, gone, last = counted
    if not things:
        return NOTHING
    rows = execute(_latest, reading, at, scope, *shape, thing=thing, texts=texts).all()
    return CorrectedSince(things, gone, last, Corrections(reading, at, scope, rows).things())


def _named_texts(
    reading: Reading, at: AsOf, scope: Scope, thing: UUID | None, every_day: bool
) -> list[str] | None:
    """What may be told of the commitments that corrections refer to, as JSON; None where none refers to any."""
    refers = execute(_referring, reading, at, scope, thing is not None, every_day, thing=thing)
    named = {msgspec.json.decode(text) for row in refers for text in row if text is not None}
    if not named:
        return None
    shown = readable_rows(reading, scope, at.position, commitments, "code", named)
    return [msgspec.json.encode(row.code).decode() for row in shown]


_REFERRING: Final = or_(_row.what.in_(_REFERENCES), _row.what.startswith(f"{MEASURES} "))


def _of_day(at: AsOf, one: bool, every_day: bool) -> ColumnElement[bool]:
    of_day = corrections.known_at(at.position) if every_day else corrections.holds(at.on, at.position)
    return and_(of_day, _row.thing_id == bindparam("thing")) if one else of_day


def _referring(_reading: Reading, at: AsOf, _scope: Scope, one: bool, every_day: bool) -> Select[Any]:
    return select(_row.before, _row.after).where(_REFERRING, _of_day(at, one, every_day)).distinct()


def _there(
    reading: Reading, at: AsOf, scope: Scope, kinds: Iterable[Kind], one: bool, every_day: bool, named: bool
) -> ColumnElement[bool]:
    """Those of which the asker may know: not of each, however open the thing is."""
    of_kinds = or_(*(_known(reading, at, scope, kind) for kind in kinds))
    there = and_(of_kinds, _of_day(at, one, every_day))
    if scope.everything:
        return there
    if scope.name == "public":
        there = and_(there, _row.what.not_in(_PEOPLE))
    own = read_by(reading, scope, at.position, _row.thing_id)
    there = and_(there, or_(_row.what.not_in(_OF_THE_UNIT), own))
    if named:
        texts: BindParameter[str] = bindparam("texts", expanding=True)
        there = and_(there, or_(not_(_REFERRING), _row.before.in_(texts), _row.after.in_(texts)))
    return there


def _counted(*shape: Any) -> Select[Any]:
    removed = case((_row.removed, _row.thing_id))
    return select(
        func.count(_row.thing_id.distinct()), func.count(removed.distinct()), func.max(_row.position)
    ).where(_there(*shape))


def _latest(*shape: Any) -> Select[Any]:
    newest_first = (_row.position.desc(), _row.code)
    return select(corrections.table).where(_there(*shape)).order_by(*newest_first).limit(_LATEST)


def _known(reading: Reading, at: AsOf, scope: Scope, kind: Kind) -> ColumnElement[bool]:
    of_kind: ColumnElement[bool] = _row.kind == kind.value
    if kind is Kind.INDICATOR and not scope.everything:
        # It may be hidden on a day together with the commitment that it measures.
        there = exists().where(
            indicators.c.indicator_id == _row.thing_id,
            indicators.holds(at.on, at.position),
            readable(reading, scope, at.position, indicators),
            shown_on(scope, at.on, at.position, indicators.c.indicator_id),
            shown_within(scope, at.on, at.position, indicators),
        )
        return and_(of_kind, there)
    things = _THINGS.get(kind)
    if things is None:
        return of_kind
    return and_(of_kind, readable(reading, scope, at.position, corrections, things=things))


def _correction(row: Any) -> Correction:
    return Correction(
        kind=Kind(row.kind),
        thing=row.thing_id,
        code=row.code,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        what=row.what,
        before=corrections.value(row, "before"),
        after=corrections.value(row, "after"),
        removed=row.removed,
        retraction=row.retraction,
        reason=row.reason,
        recorded_on=row.recorded_on,
        recorded_at=row.recorded_at,
        recorded_by=msgspec.json.decode(row.recorded_by, type=Actor),
        position=row.position,
    )


def _named(one: Correction) -> set[str]:
    """The codes of commitments that it names."""
    return {one.before, one.after} - {None} if _refers(one.what) else set()


def _refers(what: str) -> bool:
    return what in _REFERENCES or what.partition(" ")[0] == MEASURES


def deciding(found: Sequence[Correction], row: Any, on: date, rule: Rule) -> Correction | None:
    """The correction without which the state of a commitment on a day would be another one, if that is so."""
    one = min(found, key=Correction.weight, default=None)
    if one is None or one.what not in STATE_FACTS:
        return None
    facts = {field.name: getattr(row, field.name) for field in commitment_states.fields}
    before = SimpleNamespace(**facts | {one.what: _before(one)})
    return one if rule.line_for(before, on).verdict != rule.line_for(row, on).verdict else None


def turning_days(found: Iterable[Correction]) -> set[date]:
    """The days up to which a deadline that was corrected had not passed."""
    before = (_before(one) for one in found if one.what in STATE_FACTS)
    return {day for day in before if isinstance(day, date)}


def _before(one: Correction) -> Any:
    if one.before is not None and one.what in ("public_deadline", "internal_deadline"):
        return date.fromisoformat(one.before)
    return one.before
