"""What is different on the board between two of its sides: another day, another position of the log, or both.

Nothing is remembered for it: the two sides are read like any board, and compared. So the sum always reconciles: what
was there, and what entered, less what left, is what is there, in total and in each state.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Final, Literal, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    func,
    null,
    or_,
    select,
    union,
    union_all,
)

from services.reporting.datasets import commitment_states, commitments
from services.reporting.queries.access import Scope
from services.reporting.queries.board import COUNTED, STATUS, Because, Filters, admitted, readable_codes
from services.reporting.queries.moments import AsOf
from services.reporting.queries.promises import GOES_ON
from services.reporting.queries.rules import verdict
from services.reporting.queries.states import rows_readable, rows_there, states_told
from services.reporting.queries.timeline import DayOf, Source, sources_of
from services.reporting.reading import Reading
from shared.aggregate.aggregate import believed, retractions_in
from shared.eventlog import codec
from shared.eventlog.envelope import Recorded
from shared.eventlog.store import Store
from shared.events.commitments import LeadReassigned, Registered, VisibilityChanged
from shared.events.retractions import Retraction
from shared.rules.bill_stage import BILL_STAGE
from shared.rules.dated_facts import RESTATING, DatedFacts, VisibilityByDay
from shared.rules.progress import ReportsByDay
from shared.rules.registry import Rule
from shared.rules.traffic_light import TRAFFIC_LIGHT_1, Closure
from shared.rules.visibility import of_the_unit

_row: Final = commitment_states.c

What = Literal[
    "entered",
    "left",
    "state",
    "public_deadline_on",
    "internal_deadline_on",
    "lead_organization",
    "responsible_service",
    "collaborating_organizations",
    "adviser",
    "title",
    "goal",
    "merged_into",
    "split_into",
    "discard_reason_type",
    "visibility",
]


class Difference(msgspec.Struct, frozen=True):
    """One thing that is not as it was, and the event that made it so."""

    what: What
    before: Annotated[str | list[str] | None, Meta(description="What the earlier side said.")]
    after: Annotated[str | list[str] | None, Meta(description="What the later side says.")]
    because: Annotated[
        Source | None,
        Meta(
            description="The event that made it so, or whose deadline passed; null where it was no event of its own."
        ),
    ]


class Change(msgspec.Struct, frozen=True):
    """A commitment that is not as it was; `registered_before` is false where it was not on the board."""

    id: UUID
    code: str
    title: str
    registered_before: bool
    registered_after: bool
    status_before: str | None
    status_after: str | None
    status_because: Annotated[Because | None, Meta(description="Null where it is no more on the board.")]
    changes: list[Difference]


class Sum(msgspec.Struct, frozen=True):
    """`opening` + `entered` - `left` = `closing`."""

    opening: int
    entered: int
    left: int
    closing: int


class Reconciled(msgspec.Struct, frozen=True):
    """How the one board becomes the other; in a state, what comes from another state enters it, and leaves that one."""

    registered: Sum
    by_status: Annotated[
        dict[str, Sum], Meta(description="For each of the six states, and for what goes on in others.")
    ]


class Changes(msgspec.Struct, frozen=True):
    """The commitments that differ, by code, and the sums of all."""

    items: list[Change]
    sums: Reconciled
    more: bool


class Side(NamedTuple):
    """One board: when, and rows of it by their ids."""

    at: AsOf
    rows: Mapping[UUID, Any]


Wanted = Callable[[str | None, str | None], bool]
"""Whether something is to be told of a commitment, by its states on the two sides."""
Streams = dict[UUID, tuple[list[Recorded], Mapping[int, Source]]]
"""By commitment its events up to a position, and what may be known of each."""
AT_ONCE: Final = 200
"""How many of those that may differ are looked at in one step."""


_COMPARED: Final = (
    "closure",
    "public_deadline",
    "internal_deadline",
    "lead_organization",
    "discard_reason_type",
    "visibility",
    "merged_into",
)
"""The columns of a state that differences are of, besides that."""


class _Pair(NamedTuple):
    """What some commitments are counted as on each side, None where they are not there.

    Each that may differ is by itself; the others are together, and without a code.
    """

    code: str | None
    before: str | None
    after: str | None
    commitments: int


def changes_between(
    reading: Reading,
    store: Store,
    day_of: DayOf,
    before: AsOf,
    after: AsOf,
    scope: Scope,
    *,
    beyond: str | None = None,
    limit: int = 50,
    rule: Rule = TRAFFIC_LIGHT_1,
    filters: Filters | None = None,
    wanted: Wanted | None = None,
) -> Changes:
    """The commitments that are not on the side `after` as they were on the side `before`, beyond a code.

    Of those only that filters admit on one side at least, and that are `wanted` by their states on both, where that is
    asked; the sums are of all that is admitted.
    """
    pairs = _pairs(reading, before, after, scope, rule, filters)
    codes = sorted(
        one.code
        for one in pairs
        if one.code is not None
        and (beyond is None or one.code > beyond)
        and (wanted is None or wanted(_status(one.before), _status(one.after)))
    )
    items: list[Change] = []
    while codes and len(items) <= limit:
        batch = codes[: limit + 1 if not items else AT_ONCE]
        del codes[: len(batch)]
        here = commitments.c.code.in_(batch)
        sides = [Side(at, rows_of_side(reading, at, scope, rule, here)) for at in (before, after)]
        items += _compared(reading, store, day_of, sides, scope, limit + 1 - len(items), rule)
    return Changes(items[:limit], _reconciled(pairs), len(items) > limit)


def changes_of(
    reading: Reading,
    store: Store,
    day_of: DayOf,
    before: AsOf,
    after: AsOf,
    scope: Scope,
    among: Collection[UUID],
    limit: int,
    read: Streams,
    rule: Rule = TRAFFIC_LIGHT_1,
) -> list[Change]:
    """The same, of some commitments alone: the first of them by code. Of which the streams were `read`, they are not
    again: for several pairs of days at one position.
    """
    here = commitment_states.c.commitment_id.in_(among)
    sides = [Side(at, rows_of_side(reading, at, scope, rule, here)) for at in (before, after)]
    return _compared(reading, store, day_of, sides, scope, limit, rule, read)


def _compared(
    reading: Reading,
    store: Store,
    day_of: DayOf,
    sides: Sequence[Side],
    scope: Scope,
    limit: int,
    rule: Rule,
    read: Streams | None = None,
) -> list[Change]:
    """Those that differ, by code, up to a number."""
    then, now = (side.rows for side in sides)
    after = sides[1].at
    merged = {row.merged_into for rows in (then, now) for row in rows.values()} - {None}
    known = readable_codes(reading, after.position, scope, merged)
    split = {
        one: row.code
        for one, row in now.items()
        if row.closure == Closure.SPLIT and one in then and then[one].closure != Closure.SPLIT
    }
    parts = _parts(reading, after, scope, split.values())
    found: list[tuple[str, UUID, list[tuple[What, Any, Any]]]] = []
    for one in then.keys() | now.keys():
        differing = list(_differences(then.get(one), now.get(one), scope, known))
        if one in split:
            differing.append(("split_into", None, sorted(parts[split[one]])))
        if differing:
            found.append(((now.get(one) or then[one]).code, one, differing))
    return [
        _change(ToldBetween.of(reading, store, day_of, sides, one, scope, rule, read), differing)
        for _code, one, differing in sorted(found, key=lambda one: one[:2])[:limit]
    ]


def _parts(reading: Reading, at: AsOf, scope: Scope, codes: Collection[str]) -> defaultdict[str, list[str]]:
    """By the code of what was split, those of its parts that are on the board of a side."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    if codes:
        parts = select(_row.split_from, _row.code).where(
            _row.split_from.in_(codes), rows_there(reading, at, scope)
        )
        for whole, part in reading.connection.execute(parts):
            found[whole].append(part)
    return found


def _pairs(
    reading: Reading, before: AsOf, after: AsOf, scope: Scope, rule: Rule, filters: Filters | None
) -> list[_Pair]:
    """What every commitment of the one side or the other is counted as, put beside each other by the engine.

    Texts are not compared there, but whether they are of one row: that it is another one does not mean that they are.
    """
    among = None
    if filters:
        sides = (select(_row.code).where(admitted(reading, at, scope, filters)) for at in (before, after))
        among = select(union(*sides).subquery().c.code)
    # Told to be made once: SQLite would make a side anew for each row of the other.
    then, now = (
        _counted_side(reading, at, scope, rule, among).cte(name).prefix_with("MATERIALIZED")
        for name, at in (("before", before), ("after", after))
    )
    compared = set(then.c.keys()) - {"code", "counted"}
    differs = or_(
        now.c.code.is_(None), *(then.c[name].is_distinct_from(now.c[name]) for name in sorted(compared))
    )
    # Not all that stands on either side joined at once: SQLite can do that only since its version 3.39.
    arrived = select(now.c.code, null(), now.c.counted).where(now.c.code.not_in(select(then.c.code)))
    code = case((differs, then.c.code)).label("code")
    both = select(code, then.c.counted.label("before"), now.c.counted.label("after")).outerjoin(
        now, now.c.code == then.c.code
    )
    pair = union_all(both, arrived).subquery().c
    query = select(*pair, func.count()).group_by(*pair)
    return [_Pair._make(row) for row in reading.connection.execute(query)]


def _counted_side(
    reading: Reading, at: AsOf, scope: Scope, rule: Rule, among: Select[Any] | None
) -> Select[Any]:
    told, names = states_told(reading, scope, at.position), commitments.c
    state = verdict(rule, told, at.on)
    rows = (
        select(
            _row.code,
            func.coalesce(state, _row.closure).label("counted"),
            state.label(STATUS),
            *(told[name] for name in _COMPARED),
            names.valid_from.label("described_from"),
            names.known_from.label("described_at"),
        )
        .join(commitments.table, _described(at))
        .where(rows_there(reading, at, scope))
    )
    return rows if among is None else rows.where(_row.code.in_(among))


def _described(at: AsOf) -> ColumnElement[bool]:
    return and_(commitments.c.commitment_id == _row.commitment_id, commitments.holds(at.on, at.position))


def rows_of_side(
    reading: Reading, at: AsOf, scope: Scope, rule: Rule, here: ColumnElement[bool] | None = None
) -> dict[UUID, Any]:
    """What a board of one side has of each commitment, or of each of those `here`."""
    told, names = states_told(reading, scope, at.position), commitments.c
    there = rows_there(reading, at, scope)
    if here is not None:
        there = and_(here, commitment_states.holds(at.on, at.position), rows_readable(reading, at, scope))
    query = (
        select(
            *told,
            verdict(rule, told, at.on).label(STATUS),
            names.title,
            names.goal,
            names.adviser,
            names.responsible_service,
            names.collaborating_organizations,
        )
        .join(commitments.table, _described(at))
        .where(there)
    )
    return {row.commitment_id: row for row in reading.connection.execute(query)}


def _counted_as(row: Any) -> str:
    """Its state; what goes on in others has none, and is counted as that."""
    counted: str = row.status or row.closure
    return counted


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


_SHOWN: Final[Mapping[What, Callable[[Any], Any]]] = {
    "state": _counted_as,
    "public_deadline_on": lambda row: _day(row.public_deadline),
    "internal_deadline_on": lambda row: _day(row.internal_deadline),
    "lead_organization": lambda row: row.lead_organization,
    "responsible_service": lambda row: row.responsible_service,
    "collaborating_organizations": lambda row: commitments.value(row, "collaborating_organizations"),
    "adviser": lambda row: row.adviser,
    "title": lambda row: row.title,
    "goal": lambda row: row.goal,
    "discard_reason_type": lambda row: row.discard_reason_type,
    "visibility": lambda row: row.visibility,
}


def _differences(before: Any, after: Any, scope: Scope, known: set[str]) -> Iterable[tuple[What, Any, Any]]:
    """What differs between two rows of one commitment, of which one may be missing."""
    if before is None:
        yield "entered", None, _counted_as(after)
    elif after is None:
        yield "left", _counted_as(before), None
    else:
        for what, shown in _SHOWN.items():
            # Who advises is for the government alone.
            if (what != "adviser" or scope.name != "public") and shown(before) != shown(after):
                yield what, shown(before), shown(after)
        if before.merged_into != after.merged_into:
            # Where it went is only told to those who may read that.
            then, now = (row.merged_into if row.merged_into in known else None for row in (before, after))
            if then != now:
                yield "merged_into", then, now


def _status(counted: str | None) -> str | None:
    """The state of what is counted as that; None of what goes on in others, as of what is not there."""
    return None if counted in GOES_ON else counted


def _reconciled(pairs: Sequence[_Pair]) -> Reconciled:
    opening, closing, entered, left = (Counter[str | None]() for _ in range(4))
    for one in pairs:
        opening[one.before] += one.commitments
        closing[one.after] += one.commitments
        if one.before != one.after:
            entered[one.after] += one.commitments
            left[one.before] += one.commitments
    arrived, gone = opening.pop(None, 0), closing.pop(None, 0)
    return Reconciled(
        Sum(opening.total(), arrived, gone, closing.total()),
        {word: Sum(opening[word], entered[word], left[word], closing[word]) for word in COUNTED},
    )


def _change(told: ToldBetween, differing: Sequence[tuple[What, Any, Any]]) -> Change:
    before, after = told.rows
    line = None if after is None else told.rule.line_for(after, told.after.on)
    return Change(
        id=(after or before).commitment_id,
        code=(after or before).code,
        title=(after or before).title,
        registered_before=before is not None,
        registered_after=after is not None,
        status_before=None if before is None else before.status,
        status_after=None if after is None else after.status,
        status_because=None if line is None else Because(told.rule.position_of(line, after), "event"),
        changes=[
            Difference(what, earlier, later, told.sources.get(told.because(what)))
            for what, earlier, later in differing
        ],
    )


class Known(NamedTuple):
    """What one side knows of one commitment: what it believes of what the log had told, for its day."""

    at: AsOf
    events: Sequence[Recorded]
    facts: DatedFacts
    visibility: VisibilityByDay

    @classmethod
    def of(cls, told: Sequence[Recorded], at: AsOf) -> Known | None:
        """None where there was nothing yet, or nothing any more."""
        events = believed([one for one in told if one.position <= at.position])
        first = events[0].data if events else None
        if not isinstance(first, Registered):
            return None
        facts = DatedFacts(first, events[0].position)
        visibility = VisibilityByDay(first.visibility, events[0].position)
        for one in events[1:]:
            facts.apply(one.data, one.position)
            if isinstance(one.data, VisibilityChanged):
                visibility.take_in(one.data, one.position)
        return cls(at, events, facts, visibility)

    def said(self, fact: str) -> int:
        """The position of the event that said last what a fact is on that day, if only that it is none any more."""
        facts = self.facts
        histories: dict[str, Any] = {
            "lead_organization": facts.leads,
            "closure": facts.closures,
            "judgement": facts.judgements,
            "public_deadline": facts.public_deadlines,
            "internal_deadline": facts.internal_deadlines,
        }
        if fact == BILL_STAGE:
            reports = ReportsByDay()
            for one in self.events:
                reports.apply(one.data, one.position)
            return reports.stage_told_on(self.at.on, facts)[1]
        if fact in histories:
            position: int = histories[fact].on(self.at.on)[1]
            return position
        told = [
            (getattr(one.data, "effective_on", None) or date.min, one.position)
            for one in self.events
            if isinstance(one.data, RESTATING) and one.data.field == fact
        ]
        told = [one for one in told if one[0] <= self.at.on]
        return max(told, default=(None, self.events[0].position))[1]


_FACTS: Final[Mapping[str, str]] = {
    "public_deadline_on": "public_deadline",
    "internal_deadline_on": "internal_deadline",
    "merged_into": "closure",
    "split_into": "closure",
    "discard_reason_type": "closure",
}
"""The facts that differences are of, where those are called otherwise."""


class ToldBetween(NamedTuple):
    """What the log tells of one commitment that differs: to find the events behind the differences."""

    rule: Rule
    before: AsOf
    after: AsOf
    rows: tuple[Any, Any]
    events: list[Recorded]
    known: tuple[Known | None, Known | None]
    sources: Mapping[int, Source]

    @classmethod
    def of(
        cls,
        reading: Reading,
        store: Store,
        day_of: DayOf,
        sides: Sequence[Side],
        commitment_id: UUID,
        scope: Scope,
        rule: Rule,
        read: Streams | None = None,
    ) -> ToldBetween:
        """What is told of it up to the later side."""
        before, after = sides
        read = {} if read is None else read
        if commitment_id not in read:
            stream = store.read_stream(commitment_id, 0, after.at.position)
            events = [codec.decode(line, position) for position, line in stream]
            read[commitment_id] = events, sources_of(reading, day_of, after.at, scope, events)
        events, sources = read[commitment_id]
        return cls(
            rule,
            before.at,
            after.at,
            (before.rows.get(commitment_id), after.rows.get(commitment_id)),
            events,
            (Known.of(events, before.at), Known.of(events, after.at)),
            sources,
        )

    def because(self, what: str) -> int:
        """The position of the event that a difference follows from: what is said now, or why it is no longer said."""
        before, after = self.known
        if what in ("entered", "left") or before is None or after is None:
            return self.appearance()
        if what == "visibility":
            earlier, later = (side.visibility.said_on(side.at.on) for side in (before, after))
            withdrawn = (self._retraction_of(one) for one in sorted(earlier - later))
            return max(later - earlier, default=None) or next(filter(None, withdrawn), min(later))
        fact = (
            deciding_fact(self.rule, self.rows, (self.before.on, self.after.on))
            if what == "state"
            else _FACTS.get(what, what)
        )
        said, now = before.said(fact), after.said(fact)
        return now if said == now else self._retraction_of(said) or now

    def _retraction_of(self, position: int) -> int | None:
        """The event by which the one at a position is no longer believed."""
        version = next(one.version for one in self.events if one.position == position)
        retraction = retractions_in(self.events).get(version)
        return next((one.position for one in self.events if one.version == retraction), None)

    def appearance(self) -> int:
        """Why it is on one side alone: it had not begun, or it was hidden, or its first day was another."""
        registered, after = self.events[0].position, self.known[1]
        if after and (registered > self.before.position or after.facts.first_day > self.before.on):
            return registered
        moving = (VisibilityChanged, LeadReassigned, Retraction, *RESTATING)
        between = [
            one.position
            for one in self.events
            if isinstance(one.data, moving)
            and not of_the_unit(one.data)
            and (one.position > self.before.position or self._began_to_hold(one.data))
        ]
        return between[-1] if between else registered

    def _began_to_hold(self, event: Any) -> bool:
        """Whether it holds from a day between the two."""
        day = getattr(event, "effective_on", None)
        return day is not None and self.before.on < day <= self.after.on


def deciding_fact(rule: Rule, rows: tuple[Any, Any], days: tuple[date, date]) -> str:
    """Of two states the fact of the line that begins to decide; where one before it no longer holds, of that one."""
    then, now = (rule.line_for(row, day) for row, day in zip(rows, days, strict=True))
    return (now if rule.lines.index(now) <= rule.lines.index(then) else then).because
