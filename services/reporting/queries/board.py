"""The board: where every commitment stood on a day, as it was known at a position, counted and listed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import make_dataclass
from datetime import date
from decimal import Decimal
from functools import cache, partial
from typing import Annotated, Any, Final, Literal, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Text, and_, case, func, literal, or_, select, true

from services.reporting.datasets import (
    KEY_WORD,
    LABELS,
    PILLAR,
    Dataset,
    Field,
    Type,
    commitment_details,
    commitment_labels,
    commitment_progress,
    commitment_states,
    commitments,
)
from services.reporting.queries.access import Scope, read_by_among, readable, readable_rows, was_open
from services.reporting.queries.corrected import Corrected
from services.reporting.queries.corrections import Correction, corrections_above, corrections_on, deciding
from services.reporting.queries.moments import AsOf
from services.reporting.queries.names import Names, names_at
from services.reporting.queries.pillars import (
    any_parts,
    nearest_pillar,
    parent_without_pillar,
    parents_giving_pillars,
    passed_on_the_way,
    pillars_of,
    places_above,
)
from services.reporting.queries.pillars import described as beside_states
from services.reporting.queries.promises import CountBy, Standing, chains, in_chains, links
from services.reporting.queries.rules import verdict
from services.reporting.queries.search import Place, found_by
from services.reporting.queries.states import rows_there, states_told
from services.reporting.reading import Reading
from services.reporting.terms import Search
from shared.errors import InvalidInput
from shared.events.commitments import Evidence
from shared.events.texts import folded
from shared.rules.registry import Line, Rule
from shared.rules.traffic_light import TRAFFIC_LIGHT_1, Closure, Status

STATUS: Final = "status"
FILTERS: Final[dict[str, Field]] = commitment_states.filters | commitments.filters | LABELS
"""What commitments can be filtered by, besides status: on the board, in the list, wherever else."""
DIMENSIONS: Final = {name: field for name, field in FILTERS.items() if field.group}
"""What a board can be grouped by, besides status."""

_row: Final = commitment_states.c
COUNTED: Final = (*Status, Closure.MERGED, Closure.SPLIT)
"""As what a commitment is counted: in a state, or as what goes on in others and has none."""

_ORDER: Final = {word.value: number for number, word in enumerate(COUNTED)}

Filters = Mapping[str, Sequence[str]]
"""For each of `FILTERS` or `status`, the values admitted."""


class Because(msgspec.Struct, frozen=True):
    """The position of the event a status follows from, and which fact it is: a deadline, the judgement, …"""

    position: int
    fact: str


_NAMED: Final = {f"{field.name}_name": field for field in DIMENSIONS.values() if field.names}
_columns: Any = msgspec.defstruct(
    "Columns",
    [
        *(
            (field.name, bool | None if field.value is Type.FLAG else (field.words or str) | None, None)
            for field in DIMENSIONS.values()
        ),
        *((name, str | None, None) for name in _NAMED),
    ],
    kw_only=True,
    frozen=True,
)
"""All that a board can be grouped by, and what that is called."""


class Result(msgspec.Struct, frozen=True):
    """What came of it, to be read beside `goal`: of its completion, or of the last report that was accepted."""

    source: Annotated[Literal["completion", "report"], Meta(description="Where it was told.")]
    on: date
    text: str | None
    evidence: list[Evidence]
    report: Annotated[int | None, Meta(description="The number of the report.")] = None


class Item(_columns):  # type: ignore[misc]  # its columns are those of the dataset
    """One commitment on the board."""

    id: UUID | None = None
    code: str | None = None
    title: str | None = None
    status: Annotated[
        str | None,
        Meta(
            description="Null for what goes on in others.",
            extra_json_schema={"enum": [*Status, None]},
        ),
    ] = None
    status_because: Because | None = None
    public_deadline_on: date | None = None
    internal_deadline_on: date | None = None
    parent: str | None = None
    collaborating_organizations: list[str] = msgspec.field(default_factory=list)
    key_words: list[str] = msgspec.field(default_factory=list)
    merged_into: str | None = None
    split_from: str | None = None
    split_into: list[str] = msgspec.field(default_factory=list)
    continues_as: Annotated[
        str | None,
        Meta(
            description="How what has no state of its own goes on in others; in which, as far as the asker may know.",
            extra_json_schema={"enum": [Closure.MERGED, Closure.SPLIT, None]},
        ),
    ] = None
    partly_discarded: Annotated[
        bool,
        Meta(description="Of a promise: what was not given up of it was achieved, and some was given up."),
    ] = False
    late_days: Annotated[
        int | None,
        Meta(
            description="Of the achieved and the delayed: days after the public deadline in force on the day it was "
            "done, or on this day; 0 where it was done in time, null without a deadline."
        ),
    ] = None
    corrected: Annotated[
        Corrected | None,
        Meta(description="How this day is told otherwise than before, since a correction or a retraction."),
    ] = None
    public_deadline_corrected_after_due: Annotated[
        int,
        Meta(
            description="How often the public deadline was corrected, or a fact of it retracted, after it had passed."
        ),
    ] = 0
    first_public_deadline_on: Annotated[
        date | None, Meta(description="The first day that was promised in public, as known now.")
    ] = None
    public_deadline_revisions: Annotated[
        int, Meta(description="How often the public deadline had been moved to another day.")
    ] = 0
    internal_deadline_revisions: Annotated[
        int, Meta(description="How often the internal deadline had been moved to another day.")
    ] = 0
    public_deadline_reason: Annotated[
        str | None,
        Meta(description="Why the public deadline is the present one, if it was moved or set later."),
    ] = None
    internal_deadline_reason: Annotated[
        str | None,
        Meta(description="Why the internal deadline is the present one, if it was moved or set later."),
    ] = None
    discard_reason: str | None = None
    goal: Annotated[str | None, Meta(description="What was promised.")] = None
    result: Annotated[Result | None, Meta(description="What came of it so far.")] = None
    percent: Annotated[
        Decimal | None, Meta(description="How much is done, by the last accepted report that says so.")
    ] = None
    percent_unreviewed: Annotated[
        Decimal | None,
        Meta(description="The same by the last report that was not sent back, accepted or not."),
    ] = None


class Group(_columns, kw_only=True):  # type: ignore[call-arg, misc]  # see `Item`
    """So many commitments, or promises, that have the same keys: those by which they are grouped, and no others."""

    status: (
        Annotated[
            str,
            Meta(description="As what they are counted.", extra_json_schema={"enum": [*COUNTED]}),
        ]
        | None
    ) = None
    count: int
    by_status: Annotated[
        dict[str, int] | msgspec.UnsetType, Meta(description="Left out where they are grouped by status.")
    ] = msgspec.UNSET
    merged: int | msgspec.UnsetType = msgspec.UNSET
    split: int | msgspec.UnsetType = msgspec.UNSET
    late: Annotated[int, Meta(description="Delayed, or achieved after the public deadline.")]
    rescheduled: Annotated[int, Meta(description="Whose public deadline has been moved.")]
    corrected_after_due: Annotated[
        int, Meta(description="Whose public deadline was corrected when it had passed.")
    ]


class Totals(msgspec.Struct, frozen=True):
    """How many there are: `registered` is always the sum of the six states and of all other terms.

    The other counts overlap with the states, and with one another.
    """

    registered: int
    by_status: dict[str, int]
    merged: int
    split: int
    late: Annotated[int, Meta(description="Delayed, or achieved after the public deadline.")]
    rescheduled: Annotated[int, Meta(description="Whose public deadline has been moved.")]
    corrected_after_due: Annotated[
        int, Meta(description="Whose public deadline was corrected when it had passed.")
    ]
    without_deadline: Annotated[int, Meta(description="Without a public deadline, in whatever state.")]
    withdrawn: Annotated[
        int | msgspec.UnsetType,
        Meta(
            description="What was open to the asker at that position and is not now: only in the whole, without "
            "filters and groups."
        ),
    ] = msgspec.UNSET

    @property
    def shown(self) -> int:
        """How many of them can be listed."""
        return self.registered - (self.withdrawn or 0)


class Board(msgspec.Struct, frozen=True):
    """What a question about the board is answered with; `more` when the list goes on."""

    totals: Totals
    items: list[Any]
    more: bool = False


class Listed(NamedTuple):
    """A page of commitments, after which the list goes on, and how many the whole list has if that was asked for."""

    items: list[Item]
    last: Place | None
    total: int | None


def board_as_of(
    reading: Reading,
    at: AsOf,
    scope: Scope,
    filters: Filters,
    *,
    after: str | None = None,
    limit: int = 50,
    rule: Rule = TRAFFIC_LIGHT_1,
    count_by: CountBy = CountBy.COMMITMENT,
) -> Board:
    """The commitments or promises in order of code, from beyond `after`, and the totals of all that filters admit."""
    counting = _counting(reading, at, scope, filters, [], rule, count_by)
    totals = _totals(_counts(reading, counting))
    if not filters:
        then = _whole_then(reading, at, scope, rule, count_by)
        gone = 0 if then is None else then - totals.registered
        totals = msgspec.structs.replace(totals, registered=totals.registered + gone, withdrawn=gone)
    beyond = [] if after is None else [_row.code > after]
    told = states_told(reading, scope, at.position)
    page = select(*told).where(counting.listed, *beyond).order_by(_row.code).limit(limit + 1)
    rows = reading.connection.execute(page).all()
    items = _items(reading, at, scope, rows[:limit], rule, counting.promises)
    return Board(totals, items, len(rows) > limit)


def grouped_board_as_of(
    reading: Reading,
    at: AsOf,
    scope: Scope,
    filters: Filters,
    group_by: Sequence[str],
    rule: Rule = TRAFFIC_LIGHT_1,
    count_by: CountBy = CountBy.COMMITMENT,
) -> Board:
    """How many there are of each kind, and the totals; a group says how many of it are counted as what."""
    columns = [DIMENSIONS[name].name for name in group_by if name != STATUS]
    counts = _counts(reading, _counting(reading, at, scope, filters, columns, rule, count_by))
    names = names_at(reading, at.position, at.on)
    groups: defaultdict[tuple[Any, ...], list[_Count]] = defaultdict(list)
    for count in counts:
        given = iter(count.keys)
        groups[tuple(count.status if name == STATUS else next(given) for name in group_by)].append(count)
    ordered = sorted(
        groups, key=lambda key: [rank(name, value, names) for name, value in zip(group_by, key, strict=True)]
    )
    return Board(_totals(counts), [_group(group_by, key, groups[key], names) for key in ordered])


class _Count(NamedTuple):
    """How many there are that are counted as the same, and have the same keys."""

    status: str
    registered: int
    done_late: int
    rescheduled: int
    corrected_after_due: int
    without_deadline: int
    keys: tuple[Any, ...]


class _Counting(NamedTuple):
    """As what each row is counted, which rows are, and by what; the promises whose state was followed apart."""

    status: ColumnElement[Any]
    there: ColumnElement[bool]
    """The rows of the day that the asker may read, with what stands beside them."""
    wanted: ColumnElement[bool]
    """Those of them that are counted and stand by themselves."""
    keys: Sequence[ColumnElement[Any]]
    promises: Sequence[tuple[Any, Standing]] = ()
    """Rows with `keys`, and how the promises stand."""
    pillars_of: Callable[[Collection[str]], Mapping[str, str]] | None = None
    """Where the last key is the parent of what has no pillar: the pillars of such."""

    @property
    def chosen(self) -> ColumnElement[bool]:
        """The rows that are counted and stand by themselves."""
        return and_(self.there, self.wanted)

    @property
    def listed(self) -> ColumnElement[bool]:
        """All rows that are counted."""
        ids = [row.commitment_id for row, _ in self.promises]
        return and_(self.there, or_(self.wanted, _row.commitment_id.in_(ids))) if ids else self.chosen


def _counting(
    reading: Reading,
    at: AsOf,
    scope: Scope,
    filters: Filters,
    columns: Sequence[str],
    rule: Rule,
    count_by: CountBy,
) -> _Counting:
    _refuse_people({*filters, *columns}, scope)
    there, told = rows_there(reading, at, scope), states_told(reading, scope, at.position)
    status: ColumnElement[Any] = func.coalesce(verdict(rule, told, at.on), _row.closure)
    pillar: ColumnElement[Any] = _row.pillar
    beside = not commitments.filters.keys().isdisjoint({*filters, *columns})
    inherited = None
    if PILLAR in columns and not filters.get(PILLAR) and any_parts(reading):
        inherited = partial(pillars_of, reading, at, scope)
    if filters.get(PILLAR) and (above := parents_giving_pillars(reading, at, scope)):
        own = (_row.pillar.is_not(None), _row.pillar)
        pillar = case(own, *_words(commitments.c.parent, above))
        beside = True
    if beside:
        there = and_(there, beside_states(at))
    others = {name: values for name, values in filters.items() if name != PILLAR}
    of_pillar = [pillar.in_(filters[PILLAR])] if filters.get(PILLAR) else []
    in_state: list[ColumnElement[bool]] = [status.in_(filters[STATUS])] if filters.get(STATUS) else []
    admitted = (
        *commitment_states.admits(others),
        *commitments.admits(others),
        *admits_labels(others, commitment_labels.holds(at.on, at.position)),
    )
    # Under names of their own: in a GROUP BY the name of a column means that column, and not what is selected by it.
    keys = [_key(name, pillar).label(f"by_{name}") for name in columns]
    if inherited is not None:
        keys.append(parent_without_pillar(at).label("by_parent"))
    promises: Sequence[tuple[Any, Standing]] = ()
    if count_by is CountBy.PROMISE:
        wanted = and_(true(), *admitted, *of_pillar).label("wanted")
        counted = (_row.late_days, _row.public_revisions, _row.corrected_after_due, _row.without_deadline)
        found = chains(reading, there, (*links(told, at.on, rule), *counted, wanted, *keys))
        promises = [
            (row, standing)
            for row, standing in found.promises()
            if row.wanted and (not filters.get(STATUS) or standing.counted_as in filters[STATUS])
        ]
        others_split = found.split_without_saying()
        apart = [_row.commitment_id.not_in(others_split)] if others_split else []
        in_state += [~in_chains(), *apart]
    alone = and_(true(), *admitted, *of_pillar, *in_state)
    return _Counting(status.label(STATUS), there, alone, keys, promises, inherited)


def admitted(reading: Reading, at: AsOf, scope: Scope, filters: Filters) -> ColumnElement[bool]:
    """The rows of the board of a day that filters admit; what stands beside them is joined to them."""
    return _counting(reading, at, scope, filters, [], TRAFFIC_LIGHT_1, CountBy.COMMITMENT).chosen


def _key(name: str, pillar: ColumnElement[Any]) -> ColumnElement[Any]:
    """By what rows are grouped: a column of a dataset, or the pillar that may be that of something above."""
    column: ColumnElement[Any] = commitments.c[name] if name in commitments.filters else _row[name]
    return pillar if name == PILLAR else column


def admits_labels(filters: Filters, held: ColumnElement[bool]) -> list[ColumnElement[bool]]:
    """The conditions of filters by labels, of those that `held`."""
    columns, found = commitment_labels.c, list[ColumnElement[bool]]()
    for label in LABELS.keys() & filters.keys():
        wanted = filters[label] if label != KEY_WORD.filter else [folded(word) for word in filters[label]]
        filed = select(columns.commitment_id).where(
            columns.label == label, columns.value.in_(wanted), columns.applies, held
        )
        found.append(_row.commitment_id.in_(filed))
    return found


def _refuse_people(asked: Collection[str], scope: Scope) -> None:
    """Who advises is for the government alone, and so are the questions that would tell."""
    for name in asked:
        if scope.name == "public" and name in FILTERS and FILTERS[name].person:
            detail = f"Only somebody with a token may ask by '{name}': it names people."
            raise InvalidInput("people-not-public", detail, pointer=f"/query/{name}")


def _words(column: ColumnElement[Any], words: Mapping[Any, str]) -> list[Any]:
    """The cases of an expression in which each of some values of a column has a word."""
    by_word: defaultdict[str, list[Any]] = defaultdict(list)
    for value, word in words.items():
        by_word[word].append(value)
    return [(column.in_(values), literal(word, Text)) for word, values in by_word.items()]


def list_as_of(
    reading: Reading,
    at: AsOf,
    scope: Scope,
    filters: Filters,
    search: Search | None = None,
    code: str | None = None,
    *,
    after: Place | None = None,
    limit: int = 50,
    rule: Rule = TRAFFIC_LIGHT_1,
    count: bool = False,
) -> Listed:
    """The commitments that filters admit, and that a search finds, from beyond `after`.

    They are in order of code, or in that of the search (`Found.order`), which finds by `code`, too. Their
    number only where it is asked for.
    """
    counting = _counting(reading, at, scope, filters, [], rule, CountBy.COMMITMENT)
    rank: ColumnElement[int] = literal(0)
    chosen, order, beyond = counting.chosen, [_row.code], [] if after is None else [_row.code > after.code]
    if search is not None:
        found = found_by(reading, at, scope, search, code)
        rank, order = found.rank, list(found.order())
        chosen = and_(chosen, found.condition)
        beyond = [] if after is None else [found.beyond(after)]
    total = None
    if count:
        total = reading.connection.execute(select(func.count()).where(chosen)).scalar_one()
    told = states_told(reading, scope, at.position)
    page = select(*told, rank.label("rank")).where(chosen, *beyond).order_by(*order).limit(limit + 1)
    rows = reading.connection.execute(page).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return Listed(
        _items(reading, at, scope, rows[:limit], rule),
        None if last is None else Place(last.rank, last.registered_at, last.code),
        total,
    )


def item_as_of(
    reading: Reading, at: AsOf, scope: Scope, commitment_id: UUID, rule: Rule = TRAFFIC_LIGHT_1
) -> Item | None:
    """One commitment on the board of a day; None where there is none there that the asker may read."""
    told = states_told(reading, scope, at.position)
    there = _row_there(reading, at, scope, _row.commitment_id == commitment_id)
    rows = reading.connection.execute(select(*told).where(there)).all()
    return next(iter(_items(reading, at, scope, rows, rule)), None)


def titles_as_of(
    reading: Reading, at: AsOf, scope: Scope, conditions: Sequence[ColumnElement[bool]], *, limit: int
) -> Sequence[Any]:
    """Ids, codes and titles of the commitments on the board of a day for which some conditions hold, by code."""
    query = select(_row.commitment_id, _row.code, commitments.c.title).where(
        _row_there(reading, at, scope, beside_states(at), *conditions)
    )
    return reading.connection.execute(query.order_by(_row.code).limit(limit)).all()


def _row_there(
    reading: Reading, at: AsOf, scope: Scope, *conditions: ColumnElement[bool]
) -> ColumnElement[bool]:
    """The rows of the day that the asker may read, for those that are found by something else than the day."""
    known = readable(reading, scope, at.position, commitment_states, things=commitments)
    return and_(*conditions, commitment_states.holds(at.on, at.position), known)


def _counts(reading: Reading, counting: _Counting) -> list[_Count]:
    """How many there are by what they are counted as, and by the keys of the groups."""
    columns, keys = _count_columns(counting.status), [key.name for key in counting.keys]
    query = select(*columns, *counting.keys).where(counting.chosen).group_by(STATUS, *keys)
    found = [_Count._make((*row[:6], tuple(row[6:]))) for row in reading.connection.execute(query)]
    found += [
        _Count(
            str(standing.counted_as),
            1,
            (row.late_days or 0) > 0,
            row.public_revisions > 0,
            row.corrected_after_due > 0,
            row.without_deadline,
            tuple(getattr(row, key) for key in keys),
        )
        for row, standing in counting.promises
    ]
    if counting.pillars_of is None:
        return found
    pillars = counting.pillars_of({one.keys[-1] for one in found} - {None})
    place = keys.index(f"by_{PILLAR}")
    return [one._replace(keys=_under_pillar(one.keys, place, pillars)) for one in found]


def _under_pillar(keys: tuple[Any, ...], place: int, pillars: Mapping[str, str]) -> tuple[Any, ...]:
    """The keys with the pillar of the parent, the last of them, in the place of none."""
    *known, parent = keys
    known[place] = known[place] or pillars.get(parent)
    return tuple(known)


def _whole_then(reading: Reading, at: AsOf, scope: Scope, rule: Rule, count_by: CountBy) -> int | None:
    """How many there were for the asker when the position was the newest; None where nothing can be hidden since."""
    if scope.everything or at.position == reading.position:
        return None
    there = and_(
        commitment_states.valid_at(at.on, at.position, reading.position),
        was_open(scope, at.position, commitment_states),
    )
    count = reading.connection.execute(select(func.count()).where(there)).scalar_one()
    by_promise = count_by is CountBy.PROMISE
    return int(count) - (
        chains(reading, there, links(_row, at.on, rule)).within_others() if by_promise else 0
    )


def _count_columns(status: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """The columns of a count by state: the state, and how many, done late, rescheduled and without a deadline.

    The state is worked out but once for each row: for some askers that is the larger part of a question.
    """

    def of_those(condition: ColumnElement[bool]) -> ColumnElement[Any]:
        return func.sum(case((condition, 1), else_=0))

    return [
        status.label(STATUS),
        func.count().label("registered"),
        of_those(_row.late_days > 0).label("done_late"),
        of_those(_row.public_revisions > 0).label("rescheduled"),
        of_those(_row.corrected_after_due > 0).label("corrected_after_due"),
        of_those(_row.without_deadline).label("without_deadline"),
    ]


def _totals(counts: Sequence[_Count]) -> Totals:
    words = dict.fromkeys(_ORDER, 0)
    for row in counts:
        words[row.status] += row.registered
    merged, split = words.pop(Closure.MERGED), words.pop(Closure.SPLIT)
    return Totals(
        registered=sum(words.values()) + merged + split,
        by_status=words,
        merged=merged,
        split=split,
        late=sum(row.registered if row.status == Status.DELAYED else row.done_late for row in counts),
        rescheduled=sum(row.rescheduled for row in counts),
        corrected_after_due=sum(row.corrected_after_due for row in counts),
        without_deadline=sum(row.without_deadline for row in counts),
    )


def _group(
    group_by: Sequence[str], key: tuple[Any, ...], counts: Sequence[_Count], names: Names
) -> dict[str, Any]:
    item: dict[str, Any] = {}
    for name, value in zip(group_by, key, strict=True):
        item[name] = value
        if name != STATUS and DIMENSIONS[name].names:
            item[f"{name}_name"] = names.of(DIMENSIONS[name].names, value)
    counted = msgspec.structs.asdict(_totals(counts))
    item["count"] = counted.pop("registered")
    if STATUS in group_by:
        del counted["by_status"], counted["merged"], counted["split"]
    del (
        counted["without_deadline"],
        counted["withdrawn"],
    )  # one groups by the one, the other tells only of the whole
    return item | counted


def rank(name: str, value: str | None, names: Names) -> tuple[bool, int, str]:
    """Pillars by their rank, states in the order of the rule, all else by itself; what is unknown comes last."""
    if value is None:
        return True, 0, ""
    number = _ORDER[value] if name == STATUS else names.rank(DIMENSIONS[name].names, value)
    return False, number, value


_BESIDE: Final = (commitments, commitment_details, commitment_progress)
"""What else there is of a commitment on a day: of the first always, of the others perhaps."""


@cache
def _row_class(dataset: Dataset) -> Callable[[Sequence[Any]], Any]:
    """A row of a dataset, of its values in order."""
    made: Any = make_dataclass(dataset.name, dataset.table.columns.keys(), slots=True)
    return lambda values: made(*values)


def _rows_beside(reading: Reading, at: AsOf, rows: Sequence[Any]) -> list[dict[UUID, Any]]:
    """For each of these datasets what it has of the commitments of some rows, by their ids."""
    first, *others = _BESIDE
    source: Any = first.table
    for one in others:
        held = and_(one.c.commitment_id == first.c.commitment_id, one.holds(at.on, at.position))
        source = source.outerjoin(one.table, held)
    query = (
        select(*(column for one in _BESIDE for column in one.table.columns))
        .select_from(source)
        .where(
            first.c.commitment_id.in_([row.commitment_id for row in rows]), first.holds(at.on, at.position)
        )
    )
    found: list[dict[UUID, Any]] = [{} for _ in _BESIDE]
    for row in reading.connection.execute(query):
        begin = 0
        for one, by_id in zip(_BESIDE, found, strict=True):
            end = begin + len(one.table.columns)
            if row[begin] is not None:  # the first column is the key: without it there is no row
                by_id[row[begin]] = _row_class(one)(row[begin:end])
            begin = end
    return found


def _items(
    reading: Reading,
    at: AsOf,
    scope: Scope,
    rows: Sequence[Any],
    rule: Rule,
    promises: Sequence[tuple[Any, Standing]] = (),
) -> list[Item]:
    if not rows:
        return []
    names = names_at(reading, at.position, at.on)
    described, details, progress = _rows_beside(reading, at, rows)
    followed = {row.commitment_id: standing for row, standing in promises}
    states = {row.commitment_id: row for row in rows}
    deciding_ids = {followed[one].decided_by.commitment_id for one in states.keys() & followed.keys()}
    if others := deciding_ids - states.keys():
        told = states_told(reading, scope, at.position)
        there = and_(_row.commitment_id.in_(others), commitment_states.holds(at.on, at.position))
        states |= {row.commitment_id: row for row in reading.connection.execute(select(*told).where(there))}
    own = read_by_among(reading, scope, at.position, details)
    corrections = corrections_on(reading, at, scope, {row.commitment_id for row in rows})
    elsewhere = {code for row in rows for code in (row.merged_into, row.split_from)}
    elsewhere |= {row.parent for row in described.values()}
    known = readable_codes(reading, at.position, scope, elsewhere - {None})
    parts = _parts(reading, at, scope, [row.code for row in rows if row.closure == Closure.SPLIT])
    above = {described[row.commitment_id].parent for row in rows if row.pillar is None} - {None}
    places = places_above(reading, at, scope, above)
    passed = {code: passed_on_the_way(code, places) for code in above}
    corrections_there = corrections_above(
        reading, at, scope, {code for way in passed.values() for code in way}
    )

    def item(row: Any) -> Item:
        one, line = row.commitment_id, rule.line_for(row, at.on)
        standing = followed.get(one) or _own_standing(row, line)
        parent = described[one].parent
        beside = _Beside(
            described[one],
            details.get(one),
            progress.get(one),
            corrections.of(one),
            corrections.told_under(one, corrections_there, [] if row.pillar else passed.get(parent, [])),
            one in own,
            standing._replace(decided_by=states[standing.decided_by.commitment_id]),
            parts.get(row.code, []),
            row.pillar or (parent and nearest_pillar(parent, places.get)),
        )
        return _item(row, line, beside, at.on, names, known, scope, rule)

    return [item(row) for row in rows]


def _own_standing(row: Any, line: Line) -> Standing:
    return Standing(None if line.verdict is None else Status(line.verdict), row)


def _parts(reading: Reading, at: AsOf, scope: Scope, codes: Sequence[str]) -> dict[str, list[str]]:
    """The parts of commitments that were split, as far as the asker may read them."""
    found: dict[str, list[str]] = {}
    if codes:
        query = select(_row.split_from, _row.code).where(
            rows_there(reading, at, scope), _row.split_from.in_(codes)
        )
        for code, part in sorted(reading.connection.execute(query).all()):
            found.setdefault(code, []).append(part)
    return found


class _Beside(NamedTuple):
    """What else there is of a commitment on that day: in other datasets, and in other commitments."""

    described: Any
    details: Any
    progress: Any
    corrections: list[Correction]
    corrected: Corrected | None
    own: bool
    """Whether the asker may know what became of its internal deadline."""
    standing: Standing
    parts: list[str]
    pillar: str | None
    """Its own, or that of the nearest it is part of."""


def readable_codes(reading: Reading, position: int, scope: Scope, codes: set[str]) -> set[str]:
    """Those of the codes whose commitments the asker may read: a reference must not give a hidden one away."""
    return {row.code for row in readable_rows(reading, scope, position, commitments, "code", codes)}


def _item(
    row: Any,
    line: Line,
    beside: _Beside,
    on: date,
    names: Names,
    known: set[str],
    scope: Scope,
    rule: Rule,
) -> Item:
    described, details, progress, corrections, corrected, own, standing, parts, pillar = beside
    decider, late_days = standing.decided_by, row.late_days
    if line.verdict == Status.DELAYED:
        late_days = (on - row.public_deadline).days
    dimensions = {
        field.name: getattr(described if name in commitments.filters else row, field.name)
        for name, field in DIMENSIONS.items()
        if not field.person or scope.name != "public"
    } | {PILLAR: pillar}
    return Item(
        id=row.commitment_id,
        code=row.code,
        title=described.title,
        status=standing.status,
        status_because=_because(row, line, on, rule, corrections)
        if decider.commitment_id == row.commitment_id
        else _because(decider, rule.line_for(decider, on), on, rule),
        corrected=corrected,
        public_deadline_corrected_after_due=row.corrected_after_due,
        public_deadline_on=row.public_deadline,
        internal_deadline_on=row.internal_deadline,
        parent=described.parent if described.parent in known else None,
        merged_into=row.merged_into if row.merged_into in known else None,
        split_from=row.split_from if row.split_from in known else None,
        split_into=parts,
        continues_as=standing.continues_as,
        partly_discarded=standing.partly_discarded,
        late_days=late_days,
        first_public_deadline_on=details.first_public_deadline if details else row.public_deadline,
        public_deadline_revisions=row.public_revisions,
        internal_deadline_revisions=details.internal_revisions if details and own else 0,
        public_deadline_reason=details and details.public_reason,
        internal_deadline_reason=details.internal_reason if details and own else None,
        discard_reason=details and details.discard_reason,
        goal=described.goal,
        result=_result(row, details, progress),
        percent=_percent(progress and progress.percent),
        percent_unreviewed=_percent(progress and progress.percent_unreviewed),
        **dimensions,
        collaborating_organizations=commitments.value(described, "collaborating_organizations"),
        key_words=commitments.value(described, "key_words"),
        **{name: names.of(field.names, dimensions[field.name]) for name, field in _NAMED.items()},
    )


def _result(row: Any, details: Any, progress: Any) -> Result | None:
    if row.closure == Closure.ACHIEVED:
        evidence = commitment_details.value(details, "evidence")
        return Result(
            "completion", details.achieved_on, details.remarks, msgspec.convert(evidence, list[Evidence])
        )
    if progress is None or progress.report is None:
        return None
    evidence = commitment_progress.value(progress, "evidence")
    return Result(
        "report",
        progress.reported_on,
        progress.observed_progress,
        msgspec.convert(evidence, list[Evidence]),
        progress.report,
    )


def _percent(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _because(row: Any, line: Line, on: date, rule: Rule, corrections: Sequence[Correction] = ()) -> Because:
    if (correction := deciding(corrections, row, on, rule)) is not None:
        return Because(correction.position, "retraction" if correction.retraction else "correction")
    fact = "registration" if getattr(row, f"{line.because}_at") is None else line.because
    return Because(rule.position_of(line, row), fact)
