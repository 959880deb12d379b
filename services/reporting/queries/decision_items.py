"""Decisions as they are shown, with what stands beside each: acknowledgement, budget lines, errata, what became of it.

Who may know of a decision need not know of its meeting, or of the commitments it names: those concerned are told all
that it says, everybody else what does not name anything hidden from them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import select

from services.reporting.datasets import (
    Dataset,
    acknowledgements,
    bodies,
    budget_lines,
    errata,
    indicators,
    meetings,
    outcomes,
)
from services.reporting.queries.access import (
    Scope,
    hidden_among,
    read_by_among,
    readable_among,
    readable_rows,
)
from services.reporting.queries.board import readable_codes
from services.reporting.queries.corrected import Corrected
from services.reporting.queries.corrections import corrections_on
from services.reporting.queries.moments import AsOf
from services.reporting.queries.referrals import OVERRULED, PENDING, Referral, referrals_of
from services.reporting.reading import Reading
from shared.events.meeting_vocabulary import Acknowledgement, BudgetRequest, DecisionKind, Financing
from shared.events.meetings import Effect
from shared.events.streams import stream_of
from shared.events.vocabulary import Visibility
from shared.http.moments import RecordedAt, RecordedOn

E = TypeVar("E", bound="Entry")


class Reader(NamedTuple):
    """For whom decisions are shown: what they may read, and up to which day what stands beside a decision counts."""

    scope: Scope
    until: date


_HIDDEN: Final = Meta(description="Null for somebody who may not know of it.")


class Impact(msgspec.Struct, frozen=True):
    """What a decision costs, and where that money comes from."""

    amount: Annotated[str, Meta(examples=["1200000000"])]
    currency: Annotated[str, Meta(examples=["CLP"])]
    fiscal_year: Annotated[int, Meta(examples=[2013])]
    financing: Financing
    reallocated_from: Annotated[list[str], Meta(description="The budget lines it is taken from, if it says.")]


class Entry(msgspec.Struct, frozen=True):
    """Something on record beside a decision: the civil day, the instant and the position at which it came there."""

    told_on: date
    recorded_on: RecordedOn
    recorded_at: RecordedAt
    position: int


class Acknowledged(Entry, frozen=True):
    """What the budget office last said, and the day it said so."""

    effective_on: date
    outcome: Acknowledgement
    remarks: str | None
    organization: str


class Line(Entry, frozen=True):
    """A budget line the decision ended in, and the day it was tied."""

    effective_on: date
    fiscal_year: Annotated[int, Meta(examples=[2013])]
    code: str
    amount: Annotated[str, Meta(examples=["1200000000"])]
    currency: Annotated[str, Meta(examples=["CLP"])]
    request: BudgetRequest
    reason: str | None
    reallocated_from: list[str]


class Erratum(Entry, frozen=True):
    """A mistake in the text, put right beside it."""

    number: int
    reads: str
    should_read: str
    reason: str


class Outcome(Entry, frozen=True):
    """What became of the decision where commitments are kept."""

    state: Annotated[
        Literal["carried_out", "unresolved", "resolved", "waived", "pending"],
        Meta(
            description="`carried_out`, `unresolved`, `resolved` or `waived`; `pending` while a body that it was "
            "referred to has not dealt with it.",
            examples=["carried_out"],
        ),
    ]
    did: Annotated[
        list[dict[str, Any]] | None,
        Meta(description="The events it led to. Null for somebody who may not know of them."),
    ]
    difficulty: Annotated[
        dict[str, Any] | None,
        Meta(description="Which rule stood against it. Null for somebody who may not know of it."),
    ]
    remarks: str | None
    pending_days: Annotated[int | None, Meta(description="While it is pending: since the decision.")] = None


class DecisionItem(msgspec.Struct, frozen=True):
    """A decision and what stands beside it."""

    number: Annotated[str, Meta(examples=["SEG-2012-014"])]
    id: UUID
    position: Annotated[int, Meta(description="Where the log has its agreement: the feed goes by this.")]
    agreed_on: date
    body: str
    body_name: Annotated[str | None, _HIDDEN]
    meeting: Annotated[UUID | None, _HIDDEN]
    agenda_item: int | None
    position_in_item: int | None
    kind: DecisionKind
    text: Annotated[str, Meta(description="As it was sealed; errata stand beside it.")]
    commitments: Annotated[list[str], Meta(description="Those that the asker may know of.")]
    organizations: Annotated[list[str], Meta(description="Those it concerns.")]
    effect: Annotated[
        dict[str, Any] | None,
        Meta(
            description="What it does, as in the event `meetings.decision_agreed`. Null for somebody who may not know "
            "of all the commitments, indicators and bodies it is about."
        ),
    ]
    budget_impact: Impact | None
    visibility: Visibility
    acknowledgement: Acknowledged | None
    budget_lines: list[Line]
    errata: list[Erratum]
    outcome: Outcome | None
    referral: Annotated[
        Referral | None,
        Meta(description="Where it refers to a body. Null for somebody who may not know of that."),
    ]
    corrected: Annotated[
        Corrected | None,
        Meta(description="How what stands beside it is told otherwise of this day than before."),
    ]


def items_of(reading: Reading, at: AsOf, reader: Reader, rows: Sequence[Any]) -> list[DecisionItem]:
    """Rows of `decisions` as they are shown to a reader."""
    if not rows:
        return []
    beside = _Beside(reading, at, reader, rows)
    return [beside.item(row) for row in rows]


class _Beside:
    """Everything beside a page of decisions, each dataset asked once."""

    def __init__(self, reading: Reading, at: AsOf, reader: Reader, rows: Sequence[Any]) -> None:
        self._reading, self._at, self._reader = reading, at, reader
        asked = reading, reader.scope, at.position
        ids = [row.decision_id for row in rows]
        self._in_full = read_by_among(*asked, ids)
        self._meetings = readable_among(*asked, meetings, {row.meeting_id for row in rows})
        shown = readable_rows(*asked, bodies, "code", {row.body for row in rows})
        self._bodies = {row.code: row.name for row in shown}
        self._acknowledgements = self._entries(acknowledgements, Acknowledged, ids)
        self._lines = self._entries(budget_lines, Line, ids)
        self._errata = self._entries(errata, Erratum, ids)
        self._outcomes = self._entries(outcomes, Outcome, ids)
        agreed = {row.decision_id: row.agreed_on for row in rows}
        self._referrals = referrals_of(reading, at, reader.scope, reader.until, agreed)
        self._corrections = corrections_on(reading, at._replace(on=reader.until), reader.scope, ids)
        self._codes = readable_codes(
            reading, at.position, reader.scope, {code for row in rows for code in _named(row)}
        )
        measured = {code for row in rows for code in _measured(row)}
        self._indicators = {row.code for row in readable_rows(*asked, indicators, "code", measured)}
        # To whom a matter is referred may also be said in other words than the code of a body: these hide nothing.
        referred = {stream_of("body", code): code for row in rows for code in _referred_to(row)}
        self._hidden_bodies = {referred[one] for one in hidden_among(*asked, bodies, referred)}

    def item(self, row: Any) -> DecisionItem:
        in_full = row.decision_id in self._in_full
        meeting_known = row.meeting_id in self._meetings
        commitments = msgspec.json.decode(row.commitments)
        impact = None
        if row.amount is not None:
            source = msgspec.json.decode(row.reallocated_from)
            impact = Impact(row.amount, row.currency, row.fiscal_year, row.financing, source)
        referral = self._referrals.get(row.decision_id)
        outcome = next(iter(self._outcomes[row.decision_id]), None)
        if outcome is not None and not in_full:
            outcome = msgspec.structs.replace(outcome, did=None, difficulty=None, remarks=None)
        if referral is not None and referral.state == PENDING:
            outcome = _pending(outcome, referral)
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
            budget_impact=impact,
            visibility=row.visibility,
            acknowledgement=next(iter(self._acknowledgements[row.decision_id]), None),
            budget_lines=self._lines[row.decision_id],
            errata=self._errata[row.decision_id],
            outcome=outcome,
            referral=referral,
            corrected=self._corrections.told(row.decision_id),
        )

    def _effect(self, row: Any, *, in_full: bool) -> dict[str, Any] | None:
        """What it does, as its event says it; nothing of a thing that the reader may not read."""
        if row.effect is None:
            return None
        told = in_full or (
            _named(row) <= self._codes
            and _measured(row) <= self._indicators
            and _referred_to(row).isdisjoint(self._hidden_bodies)
        )
        return _effect_of(row) if told else None

    def _entries(self, dataset: Dataset, shown: type[E], ids: list[UUID]) -> dict[UUID, list[E]]:
        """What a dataset has beside each decision, in order of days and then of positions."""
        fields = (field.name for field in msgspec.structs.fields(shown) if field.required)
        columns = {name: _COLUMNS.get(name, name) for name in fields}
        found: dict[UUID, list[E]] = defaultdict(list)
        for row in self._reading.connection.execute(
            select(dataset.table)
            .where(dataset.c.decision_id.in_(ids), dataset.holds(self._reader.until, self._at.position))
            .order_by(dataset.c.valid_from, dataset.c.recorded_position)
        ):
            values = {name: dataset.value(row, column) for name, column in columns.items()}
            if not self._reader.scope.everything:
                values["recorded_at"] = None
            found[row.decision_id].append(shown(**values))
        return found


def _pending(outcome: Outcome | None, referral: Referral) -> Outcome:
    """What was carried out is not over while the body that it was referred to has not dealt with it."""
    if outcome is None:
        return Outcome(
            told_on=referral.recorded_on,
            recorded_on=referral.recorded_on,
            recorded_at=referral.recorded_at,
            position=referral.position,
            state=PENDING,
            did=None,
            difficulty=None,
            remarks=None,
            pending_days=referral.days,
        )
    if outcome.state not in OVERRULED:
        return outcome
    return msgspec.structs.replace(outcome, state=PENDING, pending_days=referral.days)


_COLUMNS: Final = {"told_on": "recorded_on", "position": "recorded_position", "effective_on": "valid_from"}
"""The columns of what is published under other names."""


def _named(row: Any) -> set[str]:
    """The commitments a decision concerns, and those that its effect names."""
    return {*msgspec.json.decode(row.commitments), *_as_effect(row).commitments()}


def _measured(row: Any) -> set[str]:
    """The indicator of which a decision sets the target."""
    target = _as_effect(row).target
    return set() if target is None else {target.indicator}


def _as_effect(row: Any) -> Effect:
    return Effect() if row.effect is None else msgspec.json.decode(row.effect, type=Effect)


def _referred_to(row: Any) -> set[str]:
    """To whom a decision refers a matter: the codes of bodies, perhaps; none where it does not."""
    referral = _effect_of(row).get("referral", {})
    return {referral[name] for name in ("to", "body") if name in referral}


def _effect_of(row: Any) -> dict[str, Any]:
    return {} if row.effect is None else msgspec.json.decode(row.effect, type=dict[str, Any])
