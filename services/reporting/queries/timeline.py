"""The timeline of one commitment: in which state it was on which days, and what made it so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import select

from services.reporting.datasets import (
    END_OF_DAYS,
    ORGANIZATION,
    commitment_states,
    commitments,
    decisions,
)
from services.reporting.queries.access import Scope, hidden_among, readable, readable_things
from services.reporting.queries.board import readable_codes
from services.reporting.queries.corrected import Corrected
from services.reporting.queries.corrections import Correction, corrections_of, deciding, turning_days
from services.reporting.queries.moments import AsOf
from services.reporting.queries.names import names_at
from services.reporting.queries.states import joined, states_told
from services.reporting.reading import Reading
from shared.errors import NotFound
from shared.eventlog import codec
from shared.eventlog.envelope import Recorded
from shared.eventlog.store import Store
from shared.events.streams import resolve
from shared.events.vocabulary import Judgement
from shared.http.moments import RecordedAt, RecordedOn
from shared.http.schemas import one_of
from shared.identity.actor import Role
from shared.rules.registry import Line, Rule
from shared.rules.traffic_light import TRAFFIC_LIGHT_1, Closure, Status

_DAY = timedelta(days=1)
DayOf = Callable[[datetime], date]


class Source(msgspec.Struct, frozen=True, omit_defaults=True):
    """The event a state follows from; `subject` only for those inside government."""

    position: int
    type: str
    recorded_on: RecordedOn
    recorded_at: RecordedAt
    organization: str
    role: Annotated[str, one_of(Role)]
    subject: str | None = None
    effective_on: date | None = None
    reason: str | None = None
    decision: Annotated[
        str | None, Meta(description="Only where the asker may know of the decision behind it.")
    ] = None


class Days(msgspec.Struct, frozen=True):
    """A run of days in one state, from `from_on` until the eve of `until_on`, or until further notice."""

    from_on: date
    until_on: date | None
    status: Annotated[str, one_of(Status)] | None
    continues_as: Annotated[
        str | None,
        Meta(
            description="How it goes on in others, on days on which it has no state of its own.",
            extra_json_schema={"enum": [Closure.MERGED, Closure.SPLIT, None]},
        ),
    ]
    judgement: Annotated[str, one_of(Judgement)] | None
    lead_organization: str
    lead_organization_name: str | None
    public_deadline_on: date | None
    internal_deadline_on: date | None
    merged_into: str | None
    passed_deadline_on: Annotated[
        date | None, Meta(description="The deadline that had just passed, by itself.")
    ]
    because: Source
    corrected: Annotated[
        Corrected | None,
        Meta(
            description="How these days are told otherwise than before, since a correction or a retraction."
        ),
    ] = None


class DaysRemoved(msgspec.Struct, frozen=True):
    """Days on which it was there before, and is not since its first day was corrected."""

    from_on: date
    until_on: date
    corrected: Corrected | None


class Timeline(msgspec.Struct, frozen=True):
    """The whole life of a commitment as it was known at a position, and its state on the day asked about."""

    id: UUID
    code: str
    title: str
    status: Annotated[str, one_of(Status)] | None
    registered: bool
    spans: list[Days]
    removed: list[DaysRemoved]


def timeline_as_of(
    reading: Reading,
    store: Store,
    at: AsOf,
    scope: Scope,
    commitment_id: UUID,
    rule: Rule = TRAFFIC_LIGHT_1,
    *,
    day_of: DayOf,
) -> Timeline:
    """The timeline of a commitment; NotFound when there is none that the asker may read."""
    described = reading.connection.execute(
        readable_things(reading, scope, at.position, commitments, commitments.table)
        .where(commitments.c.commitment_id == commitment_id)
        .order_by(commitments.c.valid_from)
    ).all()
    if not described:
        raise NotFound("unknown-commitment", "There is no such commitment.")
    # On a day before the first it has the name that it will have.
    called = next((row for row in reversed(described) if row.valid_from <= at.on), described[0])
    states = states_told(reading, scope, at.position)
    rows = joined(
        reading.connection.execute(
            select(*states)
            .where(
                states.commitment_id == commitment_id,
                commitment_states.known_at(at.position),
                # It is told of the days on which the asker might know of it.
                readable(reading, scope, at.position, commitment_states, things=commitments),
            )
            .order_by(states.valid_from)
        )
    )
    names = names_at(reading, at.position)
    corrections = corrections_of(reading, at, scope, commitment_id)
    told_otherwise = corrections.of(commitment_id)
    known = readable_codes(reading, at.position, scope, {row.merged_into for row in rows} - {None})
    stream = store.read_stream(commitment_id, 0, at.position)
    events = (codec.decode(line, position) for position, line in stream)
    sources = sources_of(reading, day_of, at, scope, events)
    spans = [
        Days(
            from_on=first,
            until_on=None if last == END_OF_DAYS else last,
            status=line.verdict,
            continues_as=row.closure if line.verdict is None else None,
            judgement=row.judgement,
            lead_organization=row.lead_organization,
            lead_organization_name=names.on(first).of(ORGANIZATION, row.lead_organization),
            public_deadline_on=row.public_deadline,
            internal_deadline_on=row.internal_deadline,
            merged_into=row.merged_into if row.merged_into in known else None,
            passed_deadline_on=passed,
            because=sources[rule.position_of(line, row) if by is None else by.position],
            corrected=corrections.of_day(found),
        )
        for row in rows
        for begins, ends, line in runs(row, row.valid_from, row.valid_to, rule)
        for first, last, found in _parted(
            begins, ends, told_otherwise, names.days_of(ORGANIZATION, row.lead_organization)
        )
        for passed in [_passed(row, line, first) if first == begins != row.valid_from else None]
        for by in [deciding(found, row, first, rule)]
    ]
    spans = _joined(spans)
    now = [
        span for span in spans if span.from_on <= at.on and (span.until_on is None or at.on < span.until_on)
    ]
    return Timeline(
        id=commitment_id,
        code=called.code,
        title=called.title,
        status=now[0].status if now else None,
        registered=bool(now),
        spans=spans,
        removed=[
            DaysRemoved(one.valid_from, one.valid_to, corrections.of_day([one]))
            for one in told_otherwise
            if one.removed
        ],
    )


def _joined(spans: list[Days]) -> list[Days]:
    """Without the ends of days on which only something changed that a timeline does not tell, as the title."""
    found: list[Days] = []
    for span in spans:
        before = found[-1] if found else None
        # Days that the asker may not know of lie between two that do not meet.
        meet = before is not None and before.until_on == span.from_on
        same = (
            before is not None
            and meet
            and span
            == msgspec.structs.replace(
                before, from_on=span.from_on, until_on=span.until_on, passed_deadline_on=None
            )
        )
        if before is not None and same:
            found[-1] = msgspec.structs.replace(before, until_on=span.until_on)
        else:
            found.append(span)
    return found


def _parted(
    begins: date, ends: date, corrections: Sequence[Correction], renamed: Iterable[date]
) -> Iterator[tuple[date, date, list[Correction]]]:
    """A run of days, parted where the lead is called otherwise, other corrections speak of them, or a deadline of
    before would have passed.
    """
    cuts = {begins, *renamed, *(day for one in corrections for day in (one.valid_from, one.valid_to))}
    cuts |= {day + _DAY for day in turning_days(corrections)}
    days = sorted(day for day in cuts if begins <= day < ends)
    for first, last in pairwise((*days, ends)):
        yield first, last, [one for one in corrections if one.valid_from <= first < one.valid_to]


def _passed(row: Any, line: Line, day: date) -> date | None:
    """The deadline for which a line begins to hold on a day, if it has passed."""
    deadline = getattr(row, line.because)
    return deadline if isinstance(deadline, date) and deadline < day else None


def runs(row: Any, first: date, until: date, rule: Rule) -> Iterator[tuple[date, date, Line]]:
    """Some days on which one row holds, parted where a deadline passes and the verdict with it."""
    start, line = first, rule.line_for(row, first)
    for day in (one for one in rule.turning_days(row) if first < one < until):
        then = rule.line_for(row, day)
        if then != line:
            yield start, day, line
            start, line = day, then
    yield start, until, line


def sources_of(
    reading: Reading, day_of: DayOf, at: AsOf, scope: Scope, events: Iterable[Recorded]
) -> dict[int, Source]:
    """By position: what was recorded of a commitment, as the asker may know it."""
    found = {one.position: _source(one, scope, day_of) for one in events}
    # A number that no decision has was typed by hand, and gives nothing away.
    numbers = {resolve("decision", one.decision): one.decision for one in found.values() if one.decision}
    hidden = {numbers[one] for one in hidden_among(reading, scope, at.position, decisions, numbers)}
    return {
        position: msgspec.structs.replace(one, decision=None) if one.decision in hidden else one
        for position, one in found.items()
    }


def _source(recorded: Recorded, scope: Scope, day_of: DayOf) -> Source:
    data = recorded.data
    return Source(
        position=recorded.position,
        type=recorded.type,
        recorded_on=day_of(recorded.recorded_at),
        recorded_at=codec.instant_text(recorded.recorded_at) if scope.everything else None,
        organization=recorded.recorded_by.organization,
        role=recorded.recorded_by.role.value,
        subject=None if scope.name == "public" else recorded.recorded_by.subject,
        effective_on=getattr(data, "effective_on", getattr(data, "completed_on", None)),
        reason=getattr(data, "reason", None),
        decision=getattr(data, "decision", None),
    )
