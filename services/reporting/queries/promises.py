"""Promises: chains of splits counted once, each in the state of whatever it goes on in.

A promise is the commitment with which a chain of splits begins. What was merged goes on in its successor, what was
split in its parts, and these in turn; at the end of all that stand commitments with a state of their own, which decide.
Splits and mergers are few beside the commitments of a record, so they are read and followed here, and all others are
counted where they lie. Everything is as one asker may read it: what is hidden leads nowhere, and begins nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from enum import StrEnum
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select

from services.reporting.datasets import commitment_states
from services.reporting.queries.rules import verdict
from services.reporting.reading import Reading
from shared.rules.registry import Rule
from shared.rules.traffic_light import Closure, Status


class CountBy(StrEnum):
    """Two ways to count: everything registered, or what was promised, however it was split since."""

    COMMITMENT = "commitment"
    PROMISE = "promise"


GOES_ON: Final = (Closure.MERGED, Closure.SPLIT)
"""How a commitment is closed that has no state of its own."""

WORST_FIRST: Final = (
    Status.DELAYED,
    Status.NEEDS_ATTENTION,
    Status.NEEDS_ATTENTION_INTERNAL_DEADLINE,
    Status.ON_TIME,
    Status.ACHIEVED,
    Status.DISCARDED,
)

_row: Final = commitment_states.c


class Standing(NamedTuple):
    """How a promise stands: a state, or none; by the link of the commitment that decides it, or its own.

    `partly_discarded`: all of it that was not given up was achieved, and some was given up.
    """

    status: Status | None
    decided_by: Any
    partly_discarded: bool = False

    @property
    def counted_as(self) -> str:
        """The state; of what has none, whether it was merged or split."""
        return self.status or str(self.decided_by.closure)

    @property
    def continues_as(self) -> str | None:
        """How it goes on in others, where it does and has no state."""
        return None if self.status else str(self.decided_by.closure)


class Chains:
    """The commitments that go on in others or come from others, and those they lead to, on one day, by code."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._rows: dict[str, Any] = {row.code: row for row in rows}
        self._roots = {
            code: code if row.split_from is None else beginning(code, self._origin)
            for code, row in self._rows.items()
        }
        self._parts: defaultdict[str, list[str]] = defaultdict(list)
        for code, row in self._rows.items():
            if row.split_from in self._rows and self._roots[code] != code:
                self._parts[row.split_from].append(code)

    def _origin(self, code: str) -> str | None:
        origin: str | None = self._rows[code].split_from
        return origin if origin in self._rows else None

    def root(self, code: str) -> str:
        """With which commitment a chain of splits begins."""
        return self._roots[code]

    def promises(self) -> list[tuple[Any, Standing]]:
        """The promises of which the state has to be followed, with it; all others stand by themselves."""
        return [
            (row, self.standing(code))
            for code, row in self._rows.items()
            if (_goes_on_or_comes_from(row) or code in self._parts) and self._roots[code] == code
        ]

    def split_without_saying(self) -> list[UUID]:
        """Those of the promises that only their parts say to be split, as in old logs."""
        return [
            row.commitment_id
            for code, row in self._rows.items()
            if code in self._parts and not _goes_on_or_comes_from(row)
        ]

    def within_others(self) -> int:
        """How many commitments count inside another one."""
        return sum(root != code for code, root in self._roots.items())

    def standing(self, code: str) -> Standing:
        """The state of a commitment: the worst of all that it goes on in. Given up only if all of that is."""
        own = self._rows[code]
        leaves = [(Status(row.verdict), row) for row in self._reached(code) if row.verdict is not None]
        if not leaves:
            return Standing(None, own)
        status, decider = min(leaves, key=lambda leaf: (WORST_FIRST.index(leaf[0]), leaf[1].code))
        partly = status is Status.ACHIEVED and any(each is Status.DISCARDED for each, _ in leaves)
        return Standing(status, decider, partly)

    def _reached(self, code: str) -> Iterator[Any]:
        """The commitment and all that it goes on in, each once, though they may go round in a circle."""
        reached = [code]
        for one in reached:
            row = self._rows[one]
            yield row
            into = (row.merged_into,) if row.closure == Closure.MERGED else ()
            onward = dict.fromkeys((*into, *self._parts.get(one, ())))
            reached += [other for other in onward if other in self._rows and other not in reached]


def beginning(code: str, up: Callable[[str], str | None]) -> str:
    """Where a relation leads in the end; of what it leads round in a circle each is the end of its own."""
    passed = [code]
    while (next_ := up(passed[-1])) is not None:
        if next_ in passed:
            return code if next_ == code else next_
        passed.append(next_)
    return passed[-1]


def _goes_on_or_comes_from(row: Any) -> bool:
    """What `in_chains` says of a row, of one at hand."""
    return row.closure in GOES_ON or row.split_from is not None


def links(told: Any, on: date, rule: Rule) -> tuple[ColumnElement[Any], ...]:
    """What has to be known of a commitment to follow it; `told` are the columns of its state, as told."""
    named = (_row.commitment_id, _row.code, _row.closure, _row.merged_into, _row.split_from)
    return (*named, verdict(rule, told, on).label("verdict"))


def chains(reading: Reading, admitted: ColumnElement[bool], columns: Sequence[ColumnElement[Any]]) -> Chains:
    """The chains of splits and mergers among the rows of a day that are `admitted`: those that the asker may read.

    `columns` are the `links`, and what else is asked of each row.
    """
    rows = reading.connection.execute(select(*columns).where(admitted, in_chains())).all()
    known = {row.code for row in rows}
    named = {code for row in rows for code in (row.split_from, row.merged_into)} - known - {None}
    if named:
        others = select(*columns).where(admitted, ~in_chains(), _row.code.in_(named))
        rows = [*rows, *reading.connection.execute(others)]
    return Chains(rows)


def in_chains() -> ColumnElement[bool]:
    """The rows that come from another commitment or go on in one: never unknown, so that it can be negated."""
    closed = and_(_row.closure.is_not(None), _row.closure.in_([one.value for one in GOES_ON]))
    return or_(_row.split_from.is_not(None), closed)
