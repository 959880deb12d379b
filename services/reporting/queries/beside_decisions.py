"""Decisions as they are shown, with what stands beside each: acknowledgement, budget lines, errata, what became of it.

Who may know of a decision need not know of its meeting, or of the commitments it names: those concerned are told all
that it says, everybody else what does not name anything hidden from them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Table, select

from services.reporting.queries.board import visible_codes
from services.reporting.queries.moments import AsOf, believed, instant
from services.reporting.queries.scope import Scope, circled, kept_back, knows_of
from services.reporting.reading import Reading
from services.reporting.tables import (
    acknowledgements,
    bodies,
    budget_lines,
    circles,
    disclosures,
    errata,
    outcomes,
)
from shared.eventlog.codec import instant_text


class Reader(NamedTuple):
    """For whom decisions are shown: what they may see, up to which position facts count, and their civil day."""

    scope: Scope
    told_by: int
    day_of: Callable[[datetime], date]


class Impact(msgspec.Struct, frozen=True):
    """What a decision costs."""

    amount: str
    currency: str
    fiscal_year: int
    financing: str


class Said(msgspec.Struct, frozen=True):
    """Something said of a decision: on which day, when exactly, and at which position of the log."""

    told_on: date
    recorded_at: str
    position: int


class Acknowledged(Said, frozen=True):
    """What the budget office last said."""

    outcome: str
    remarks: str | None
    organization: str


class Line(Said, frozen=True):
    """A budget line it ended in."""

    fiscal_year: int
    code: str
    amount: str
    currency: str
    request: str
    reason: str | None


class Erratum(Said, frozen=True):
    """A mistake in its text, put right beside it."""

    number: int
    reads: str
    should_read: str
    reason: str


class Became(Said, frozen=True):
    """What became of it; what exactly was done, or stood against it, only for those it concerns."""

    state: str
    did: list[dict[str, Any]] | None
    difficulty: dict[str, Any] | None
    remarks: str | None


class DecisionItem(msgspec.Struct, frozen=True):
    """One decision; `position` is that of its agreement in the log, by which the feed goes."""

    number: str
    id: UUID
    position: int
    agreed_on: date
    body: str
    body_name: str | None
    meeting: UUID | None
    agenda_item: int | None
    position_in_item: int | None
    kind: str
    text: str
    commitments: list[str]
    organizations: list[str]
    effect: dict[str, Any] | None
    budget_impact: Impact | None
    visibility: str
    acknowledgement: Acknowledged | None
    budget_lines: list[Line]
    errata: list[Erratum]
    outcome: Became | None


def items_of(reading: Reading, at: AsOf, reader: Reader, rows: Sequence[Any]) -> list[DecisionItem]:
    """Rows of `decisions` as they are shown to a reader."""
    if not rows:
        return []
    beside = _Beside(reading, at, reader, rows)
    return [beside.item(row) for row in rows]


class _Beside:
    """Everything beside a page of decisions, each table asked once."""

    def __init__(self, reading: Reading, at: AsOf, reader: Reader, rows: Sequence[Any]) -> None:
        self._reading = reading
        self._at = at
        self._reader = reader
        ids = [row.decision_id for row in rows]
        scope = reader.scope
        self._disclosed = {
            row.thing_id: row.visibility
            for row in reading.connection.execute(
                select(disclosures).where(disclosures.c.thing_id.in_(ids), believed(disclosures, at.position))
            )
        }
        self._concerned = known_things(reading, at.position, scope, ids, circled_only=True)
        self._meetings = known_things(reading, at.position, scope, {row.meeting_id for row in rows})
        self._bodies = body_names(reading, at.position, scope, {row.body for row in rows})
        self._acknowledgements = self._told(acknowledgements, ids)
        self._lines = self._told(budget_lines, ids)
        self._errata = self._told(errata, ids)
        self._outcomes = self._told(outcomes, ids)
        self._codes = visible_codes(
            reading, at.position, scope, {code for row in rows for code in _named(row)}
        )
        self._hidden_bodies = hidden_bodies(reading, at.position, scope, {_referred_to(row) for row in rows})

    def item(self, row: Any) -> DecisionItem:
        in_full = row.decision_id in self._concerned
        meeting_known = row.meeting_id in self._meetings
        acknowledgement = next(iter(self._acknowledgements[row.decision_id]), None)
        outcome = next(iter(self._outcomes[row.decision_id]), None)
        commitments = msgspec.json.decode(row.commitments)
        return DecisionItem(
            number=row.number,
            id=row.decision_id,
            position=row.agreed_at,
            agreed_on=row.agreed_on,
            body=row.body,
            body_name=self._bodies.get(row.body),
            meeting=row.meeting_id if meeting_known else None,
            agenda_item=row.agenda_item if meeting_known else None,
            position_in_item=row.position_in_item if meeting_known else None,
            kind=row.kind,
            text=row.text,
            commitments=[code for code in commitments if in_full or code in self._codes],
            organizations=msgspec.json.decode(row.organizations),
            effect=self._effect(row, in_full=in_full),
            budget_impact=None
            if row.amount is None
            else Impact(row.amount, row.currency, row.fiscal_year, row.financing),
            visibility=self._disclosed[row.decision_id],
            acknowledgement=None
            if acknowledgement is None
            else Acknowledged(
                *self._when(acknowledgement),
                acknowledgement.outcome,
                acknowledgement.remarks,
                acknowledgement.organization,
            ),
            budget_lines=[
                Line(
                    *self._when(line),
                    line.fiscal_year,
                    line.code,
                    line.amount,
                    line.currency,
                    line.request,
                    line.reason,
                )
                for line in self._lines[row.decision_id]
            ],
            errata=[
                Erratum(*self._when(one), one.number, one.reads, one.should_read, one.reason)
                for one in self._errata[row.decision_id]
            ],
            outcome=None if outcome is None else self._became(outcome, in_full=in_full),
        )

    def _became(self, outcome: Any, *, in_full: bool) -> Became:
        difficulty = None if outcome.difficulty is None else msgspec.json.decode(outcome.difficulty)
        return Became(
            *self._when(outcome),
            outcome.state,
            msgspec.json.decode(outcome.did) if in_full else None,
            difficulty if in_full else None,
            outcome.remarks if in_full else None,
        )

    def _effect(self, row: Any, *, in_full: bool) -> dict[str, Any] | None:
        """What it does, as its event says it; nothing of a thing that the reader may not know of."""
        if row.effect is None:
            return None
        told = in_full or (_named(row) <= self._codes and _referred_to(row) not in self._hidden_bodies)
        return _effect_of(row) if told else None

    def _told(self, table: Table, ids: list[UUID]) -> dict[UUID, list[Any]]:
        found: dict[UUID, list[Any]] = defaultdict(list)
        for row in self._reading.connection.execute(
            select(table)
            .where(table.c.decision_id.in_(ids), believed(table, self._reader.told_by))
            .order_by(table.c.believed_from)
        ):
            found[row.decision_id].append(row)
        return found

    def _when(self, row: Any) -> tuple[date, str, int]:
        moment = instant(row.told_time)
        return self._reader.day_of(moment), instant_text(moment), row.believed_from


def known_things(
    reading: Reading, position: int, scope: Scope, things: Iterable[UUID], *, circled_only: bool = False
) -> set[UUID]:
    """Those of the bodies, meetings or decisions that the asker may know of, or, if so, has to do with."""
    wanted = list(things)
    if scope.name == "everything" or not wanted:
        return set(wanted)
    # Whoever has to do with a thing is in its circle; whoever may know of it sees its disclosure.
    table = circles if circled_only else disclosures
    rule = circled if circled_only else knows_of
    query = select(table.c.thing_id).where(
        table.c.thing_id.in_(wanted), believed(table, position), rule(scope, position, table.c.thing_id)
    )
    return set(reading.connection.execute(query).scalars())


def body_names(reading: Reading, position: int, scope: Scope, codes: Iterable[str]) -> dict[str, str]:
    """What bodies were called, of which the asker may know."""
    query = select(bodies.c.code, bodies.c.name).where(
        bodies.c.code.in_(sorted(codes)),
        believed(bodies, position),
        knows_of(scope, position, bodies.c.body_id),
    )
    return {row.code: row.name for row in reading.connection.execute(query)}


def hidden_bodies(reading: Reading, position: int, scope: Scope, codes: Iterable[str]) -> set[str]:
    """Those of the codes whose bodies the asker may not know of; what is no body's code hides nothing."""
    query = select(bodies.c.code).where(
        bodies.c.code.in_(sorted(codes)), kept_back(scope, position, bodies.c.body_id)
    )
    return set(reading.connection.execute(query).scalars())


def _named(row: Any) -> set[str]:
    """The commitments a decision concerns, and what its effect names: of an indicator the read model knows nothing."""
    effect = _effect_of(row)
    agreed = effect.get("commitment", {})
    names = {agreed.get("code"), agreed.get("parent"), effect.get("target", {}).get("indicator")}
    return {*msgspec.json.decode(row.commitments), *names} - {None}


def _referred_to(row: Any) -> str:
    """To whom a decision refers a matter: the code of a body, perhaps; empty where it does not."""
    return str(_effect_of(row).get("referral", {}).get("to", ""))


def _effect_of(row: Any) -> dict[str, Any]:
    return {} if row.effect is None else msgspec.json.decode(row.effect, type=dict[str, Any])
