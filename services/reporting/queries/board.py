"""The board: where every commitment stood on a day, as it was known at a position, counted and listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, and_, case, func, or_, select

from services.reporting.datasets import (
    Correction,
    Dataset,
    Type,
    commitment_corrections,
    commitment_details,
    commitment_progress,
    commitment_states,
    commitments,
)
from services.reporting.queries.access import Scope, read_by_among, readable, readable_rows
from services.reporting.queries.corrections import (
    Corrected,
    codes_in,
    corrected,
    corrections_in,
    deciding,
    known_to,
)
from services.reporting.queries.moments import AsOf
from services.reporting.queries.names import Names, names_at
from services.reporting.queries.rules import verdict
from services.reporting.queries.states import states_told
from services.reporting.reading import Reading
from shared.events.commitments import Evidence
from shared.rules.registry import Rule
from shared.rules.traffic_light import TRAFFIC_LIGHT_1, Closure, Status

STATUS: Final = "status"
DIMENSIONS: Final = {name: field for name, field in commitment_states.filters.items() if field.group}
"""What a board can be filtered and grouped by, besides status."""

_row: Final = commitment_states.c
_STATUS_ORDER: Final = {status.value: number for number, status in enumerate(Status)}

Filters = Mapping[str, Sequence[str]]
"""For each of `DIMENSIONS` or `status`, the values admitted."""


class Because(msgspec.Struct, frozen=True):
    """The position of the event a status follows from, and which fact it is: a deadline, the judgement, …"""

    position: int
    fact: str


_NAMED: Final = {f"{field.name}_name": field for field in DIMENSIONS.values() if field.names}
_columns: Any = msgspec.defstruct(
    "Columns",
    [
        *(
            (field.name, bool | None if field.value is Type.FLAG else str | None, None)
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
    """One commitment on the board; where it is counted by groups, a group has its keys and `count` instead."""

    id: UUID | None = None
    code: str | None = None
    title: str | None = None
    status: Annotated[Status | None, Meta(description="Null for a commitment merged into another.")] = None
    status_because: Because | None = None
    public_deadline_on: date | None = None
    internal_deadline_on: date | None = None
    parent: str | None = None
    merged_into: str | None = None
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


class Totals(msgspec.Struct, frozen=True):
    """How many there are: `registered` is always the sum of the six states and of those merged into others.

    The other counts overlap with the states, and with one another.
    """

    registered: int
    by_status: dict[str, int]
    merged: int
    late: Annotated[int, Meta(description="Delayed, or achieved after the public deadline.")]
    rescheduled: Annotated[int, Meta(description="Whose public deadline has been moved.")]
    corrected_after_due: Annotated[
        int, Meta(description="Whose public deadline was corrected when it had passed.")
    ]
    without_deadline: Annotated[int, Meta(description="Without a public deadline, in whatever state.")]


class Board(msgspec.Struct, frozen=True):
    """What a question about the board is answered with; `more` when the list goes on."""

    totals: Totals
    items: list[Any]
    more: bool = False


def board_as_of(
    reading: Reading,
    at: AsOf,
    scope: Scope,
    filters: Filters,
    *,
    after: str | None = None,
    limit: int = 50,
    rule: Rule = TRAFFIC_LIGHT_1,
) -> Board:
    """The commitments in order of code, from beyond `after`, and the totals of all that the filters admit."""
    chosen = _chosen(reading, at, scope, filters, rule)
    told = states_told(reading, scope, at.position)
    status = verdict(rule, told, at.on).label(STATUS)
    counts = reading.connection.execute(select(*_counts(status)).where(chosen).group_by(STATUS)).all()
    beyond = [] if after is None else [_row.code > after]
    page = select(*told).where(chosen, *beyond).order_by(_row.code).limit(limit + 1)
    rows = reading.connection.execute(page).all()
    items = _items(reading, at, scope, rows[:limit], rule)
    return Board(_totals(counts), items, len(rows) > limit)


def grouped_board_as_of(
    reading: Reading,
    at: AsOf,
    scope: Scope,
    filters: Filters,
    group_by: Sequence[str],
    rule: Rule = TRAFFIC_LIGHT_1,
) -> Board:
    """How many commitments there are of each kind, and the totals; a group says how many of it are in each state."""
    status = verdict(rule, states_told(reading, scope, at.position), at.on).label(STATUS)
    keys = [_row[DIMENSIONS[name].name] for name in group_by if name != STATUS]
    chosen = _chosen(reading, at, scope, filters, rule)
    rows = reading.connection.execute(
        select(*_counts(status), *keys).where(chosen).group_by(STATUS, *keys)
    ).all()
    names = names_at(reading, at.position, at.on)
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for row in rows:
        given = iter(row[6:])
        key = tuple(row[0] if name == STATUS else next(given) for name in group_by)
        groups.setdefault(key, []).append(row)
    ordered = sorted(
        groups, key=lambda key: [_rank(name, value, names) for name, value in zip(group_by, key, strict=True)]
    )
    items = [_group(group_by, key, groups[key], names) for key in ordered]
    return Board(_totals(rows), items)


def _chosen(reading: Reading, at: AsOf, scope: Scope, filters: Filters, rule: Rule) -> ColumnElement[bool]:
    status = verdict(rule, states_told(reading, scope, at.position), at.on)
    return and_(
        commitment_states.valid_at(at.on, at.position, reading.position),
        readable(reading, scope, at.position, commitment_states, things=commitments),
        *commitment_states.admits(filters),
        *([status.in_(filters[STATUS])] if filters.get(STATUS) else []),
    )


def _counts(status: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """The columns of a count by state: the state, and how many, late, rescheduled and without a deadline."""

    def of_those(condition: ColumnElement[bool]) -> ColumnElement[Any]:
        return func.sum(case((condition, 1), else_=0))

    late = or_(status == Status.DELAYED.value, _row.late_days > 0)
    return [
        status.label(STATUS),
        func.count().label("registered"),
        of_those(late).label("late"),
        of_those(_row.public_revisions > 0).label("rescheduled"),
        of_those(_row.corrected_after_due > 0).label("corrected_after_due"),
        of_those(_row.without_deadline).label("without_deadline"),
    ]


def _totals(counts: Sequence[Any]) -> Totals:
    by_status = dict.fromkeys(_STATUS_ORDER, 0)
    merged = 0
    for row in counts:
        if row.status is None:
            merged += row.registered
        else:
            by_status[row.status] += row.registered
    return Totals(
        registered=sum(by_status.values()) + merged,
        by_status=by_status,
        merged=merged,
        late=sum(row.late for row in counts),
        rescheduled=sum(row.rescheduled for row in counts),
        corrected_after_due=sum(row.corrected_after_due for row in counts),
        without_deadline=sum(row.without_deadline for row in counts),
    )


def _group(group_by: Sequence[str], key: tuple[Any, ...], counts: list[Any], names: Names) -> dict[str, Any]:
    item: dict[str, Any] = {}
    for name, value in zip(group_by, key, strict=True):
        item[name] = value
        if name != STATUS and DIMENSIONS[name].names:
            item[f"{name}_name"] = names.of(DIMENSIONS[name].names, value)
    counted = msgspec.structs.asdict(_totals(counts))
    item["count"] = counted.pop("registered")
    if STATUS in group_by:
        del counted["by_status"], counted["merged"]
    del counted["without_deadline"]  # one groups by it
    return item | counted


def _rank(name: str, value: str | None, names: Names) -> tuple[bool, int, str]:
    """Pillars by their rank, states in the order of the rule, all else by itself; what is unknown comes last."""
    if value is None:
        return True, 0, ""
    number = _STATUS_ORDER[value] if name == STATUS else names.rank(DIMENSIONS[name].names, value)
    return False, number, value


def _rows_of(reading: Reading, at: AsOf, dataset: Dataset, rows: Sequence[Any]) -> dict[UUID, Any]:
    """What a dataset has of the commitments of some rows, by their ids."""
    wanted = [row.commitment_id for row in rows]
    query = select(dataset.table).where(
        dataset.c.commitment_id.in_(wanted), dataset.holds(at.on, at.position)
    )
    return {row.commitment_id: row for row in reading.connection.execute(query)}


def _items(reading: Reading, at: AsOf, scope: Scope, rows: Sequence[Any], rule: Rule) -> list[Item]:
    if not rows:
        return []
    names = names_at(reading, at.position, at.on)
    described, details, progress, told_otherwise = (
        _rows_of(reading, at, one, rows)
        for one in (commitments, commitment_details, commitment_progress, commitment_corrections)
    )
    own = read_by_among(reading, scope, at.position, {*details, *told_otherwise})
    corrections = {
        one: known_to(corrections_in(row.corrections), scope, own=one in own)
        for one, row in told_otherwise.items()
    }
    elsewhere = {row.merged_into for row in rows} | {row.parent for row in described.values()}
    elsewhere |= codes_in(one for found in corrections.values() for one in found)
    known = readable_codes(reading, at.position, scope, elsewhere - {None})

    def item(row: Any) -> Item:
        one = row.commitment_id
        beside = _Beside(
            described[one], details.get(one), progress.get(one), corrections.get(one, []), one in own
        )
        return _item(row, beside, at.on, names, known, scope, rule)

    return [item(row) for row in rows]


class _Beside(NamedTuple):
    """What the other datasets have of a commitment on that day."""

    described: Any
    details: Any
    progress: Any
    corrections: list[Correction]
    own: bool
    """Whether the asker may know what became of its internal deadline."""


def readable_codes(reading: Reading, position: int, scope: Scope, codes: set[str]) -> set[str]:
    """Those of the codes whose commitments the asker may read: a reference must not give a hidden one away."""
    return {row.code for row in readable_rows(reading, scope, position, commitments, "code", codes)}


def _item(
    row: Any, beside: _Beside, on: date, names: Names, known: set[str], scope: Scope, rule: Rule
) -> Item:
    described, details, progress, corrections, own = beside
    verdict_ = rule.line_for(row, on).verdict
    late_days = row.late_days
    if verdict_ == Status.DELAYED:
        late_days = (on - row.public_deadline).days
    return Item(
        id=row.commitment_id,
        code=row.code,
        title=described.title,
        status=None if verdict_ is None else Status(verdict_),
        status_because=_because(row, on, rule, corrections=corrections),
        corrected=corrected(corrections, scope, known),
        public_deadline_corrected_after_due=row.corrected_after_due,
        public_deadline_on=row.public_deadline,
        internal_deadline_on=row.internal_deadline,
        parent=described.parent if described.parent in known else None,
        merged_into=row.merged_into if row.merged_into in known else None,
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
        **{field.name: getattr(row, field.name) for field in DIMENSIONS.values()},
        **{name: names.of(field.names, getattr(row, field.name)) for name, field in _NAMED.items()},
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


def _because(row: Any, on: date, rule: Rule, corrections: Sequence[Correction] = ()) -> Because:
    if (correction := deciding(corrections, row, on, rule)) is not None:
        return Because(correction.position, "retraction" if correction.retraction else "correction")
    line = rule.line_for(row, on)
    fact = "registration" if getattr(row, f"{line.because}_at") is None else line.because
    return Because(rule.position_of(line, row), fact)
