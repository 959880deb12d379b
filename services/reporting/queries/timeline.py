"""The timeline of one commitment: in which state it was on which days, and what made it so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import and_, select

from services.reporting.queries.board import visible_codes
from services.reporting.queries.moments import AsOf
from services.reporting.queries.names import names_at
from services.reporting.queries.scope import Scope, kept_back, visible_descriptions
from services.reporting.reading import Reading
from services.reporting.tables import END_OF_DAYS, ORGANIZATION, decisions, descriptions, standings
from shared.errors import NotFound
from shared.eventlog import codec
from shared.eventlog.envelope import Recorded
from shared.eventlog.store import Store
from shared.events.streams import resolve
from shared.events.vocabulary import Judgement
from shared.rules.traffic_light import Closure, Standing, Verdict, verdict_on

_DAY = timedelta(days=1)


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """The event a state follows from: where it is in the log, who recorded it, when, and why.

    Of a decision that the asker may not know of, it says no more than of none.
    """

    position: int
    type: str
    recorded_at: str
    organization: str
    role: str
    subject: str | None = None
    effective_on: date | None = None
    reason: str | None = None
    decision: str | None = None


class Days(msgspec.Struct, frozen=True):
    """A run of days in one state: from `from_on` until the eve of `until_on`, or until further notice.

    `passed_deadline_on` is the deadline whose passing made it so, without anybody doing anything.
    """

    from_on: date
    until_on: date | None
    status: str | None
    judgement: str | None
    lead_organization: str
    lead_organization_name: str | None
    public_deadline_on: date | None
    internal_deadline_on: date | None
    merged_into: str | None
    passed_deadline_on: date | None
    because: Said


class Timeline(msgspec.Struct, frozen=True):
    """The whole life of a commitment as it was known at a position, and its state on the day asked about."""

    id: UUID
    code: str
    title: str
    status: str | None
    registered: bool
    spans: list[Days]


def timeline_as_of(reading: Reading, store: Store, at: AsOf, scope: Scope, commitment_id: UUID) -> Timeline:
    """The timeline of a commitment; NotFound when there is none that the asker may know of."""
    described = reading.connection.execute(
        select(descriptions).where(
            descriptions.c.commitment_id == commitment_id,
            descriptions.c.believed_from <= at.position,
            descriptions.c.believed_to > at.position,
            visible_descriptions(scope, at.position),
        )
    ).one_or_none()
    if described is None:
        raise NotFound("unknown-commitment", "There is no such commitment.")
    rows = reading.connection.execute(
        select(standings)
        .where(
            and_(
                standings.c.commitment_id == commitment_id,
                standings.c.believed_from <= at.position,
                standings.c.believed_to > at.position,
            )
        )
        .order_by(standings.c.valid_from)
    ).all()
    names = names_at(reading, at.position)
    known = visible_codes(reading, at.position, scope, {row.merged_into for row in rows} - {None})
    because = _all_said(reading, store, at, scope, commitment_id)
    spans = [
        Days(
            from_on=first,
            until_on=None if last == END_OF_DAYS else last,
            status=verdict.status,
            judgement=row.judgement,
            lead_organization=row.lead_organization,
            lead_organization_name=names.of(ORGANIZATION, row.lead_organization),
            public_deadline_on=row.public_deadline,
            internal_deadline_on=row.internal_deadline,
            merged_into=row.merged_into if row.merged_into in known else None,
            passed_deadline_on=first - _DAY if first != row.valid_from else None,
            because=because[verdict.because],
        )
        for row in rows
        for first, last, verdict in _runs(row)
    ]
    now = [
        span for span in spans if span.from_on <= at.on and (span.until_on is None or at.on < span.until_on)
    ]
    return Timeline(
        id=commitment_id,
        code=described.code,
        title=described.title,
        status=now[0].status if now else None,
        registered=bool(now),
        spans=spans,
    )


def _runs(row: Any) -> Iterator[tuple[date, date, Verdict]]:
    """The days of one row, parted where a deadline passes and the verdict with it."""
    standing = Standing(
        row.registered_at,
        row.lead_organization,
        row.lead_at,
        None if row.closure is None else Closure(row.closure),
        row.closure_at,
        None if row.judgement is None else Judgement(row.judgement),
        row.judgement_at,
        row.public_deadline,
        row.public_deadline_at,
        row.internal_deadline,
        row.internal_deadline_at,
    )
    deadlines = sorted({row.public_deadline, row.internal_deadline} - {None})
    eves = [day for day in deadlines if row.valid_from <= day < row.valid_to - _DAY]
    start, verdict = row.valid_from, verdict_on(standing, row.valid_from)
    for day in (eve + _DAY for eve in eves):
        then = verdict_on(standing, day)
        if then != verdict:
            yield start, day, verdict
            start, verdict = day, then
    yield start, row.valid_to, verdict


def _all_said(reading: Reading, store: Store, at: AsOf, scope: Scope, commitment_id: UUID) -> dict[int, Said]:
    """By position: what was recorded of the commitment, as the asker may know it."""
    said = {
        position: _said(codec.decode(line, position), with_subject=scope.name != "public")
        for position, line in store.read_stream(commitment_id, 0, at.position)
    }
    hidden = _hidden_numbers(reading, at, scope, {one.decision for one in said.values() if one.decision})
    return {
        position: msgspec.structs.replace(one, decision=None) if one.decision in hidden else one
        for position, one in said.items()
    }


def _hidden_numbers(reading: Reading, at: AsOf, scope: Scope, numbers: set[str]) -> set[str]:
    """Those of the numbers whose decisions the asker may not know of.

    A number that no decision has was typed by hand, and gives nothing away.
    """
    if scope.name == "everything" or not numbers:
        return set()
    named = {number: resolve("decision", number) for number in numbers}
    query = select(decisions.c.decision_id).where(
        decisions.c.decision_id.in_(set(named.values())),
        kept_back(scope, at.position, decisions.c.decision_id),
    )
    hidden = set(reading.connection.execute(query).scalars())
    return {number for number, identity in named.items() if identity in hidden}


def _said(recorded: Recorded, *, with_subject: bool) -> Said:
    data = recorded.data
    return Said(
        position=recorded.position,
        type=recorded.type,
        recorded_at=codec.instant_text(recorded.recorded_at),
        organization=recorded.recorded_by.organization,
        role=recorded.recorded_by.role.value,
        subject=recorded.recorded_by.subject if with_subject else None,
        effective_on=getattr(data, "effective_on", getattr(data, "completed_on", None)),
        reason=getattr(data, "reason", None),
        decision=getattr(data, "decision", None),
    )
