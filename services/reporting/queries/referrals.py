"""What became of what was referred to a body: pending until sealed minutes of that body say how it ended.

Who may not know of the body is told nothing of it; who may not know of the meeting that dealt with it is told that it
is pending, as if that meeting had not been.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, and_, exists, or_, select

from services.reporting.datasets import bodies, decisions, meetings, referrals, taken_up
from services.reporting.queries.access import Scope, readable_among, readable_rows, readable_things
from services.reporting.queries.moments import AsOf
from services.reporting.reading import Reading
from shared.events.meeting_vocabulary import ItemOutcome
from shared.http.moments import RecordedAt, RecordedOn

PENDING: Final = "pending"
OVERRULED: Final = ("carried_out", "resolved")
"""What became of a decision where commitments are kept, of which that is not all while a referral is pending."""


class Referral(msgspec.Struct, frozen=True):
    """Where a matter was referred to, and what became of it there."""

    body: str
    state: Literal["pending", "ended"]
    days: Annotated[
        int, Meta(description="From the day it was agreed to that on which it ended, or to that asked about.")
    ]
    times_postponed: int
    ended_on: Annotated[date | None, Meta(description="The day of the meeting that ended it.")]
    outcome: Annotated[ItemOutcome | None, Meta(description="How it ended, if the minutes say.")]
    meeting: UUID | None
    recorded_on: RecordedOn
    recorded_at: RecordedAt
    position: int


def referrals_of(
    reading: Reading, at: AsOf, scope: Scope, until: date, agreed: dict[UUID, date]
) -> dict[UUID, Referral]:
    """Those of some decisions, by the day they were agreed, that refer to a body that the asker may know of."""
    asked = reading, scope, at.position
    found = list(_known(reading, at, agreed))
    shown = {row.code for row in readable_rows(*asked, bodies, "code", {row.body for row in found})}
    found = [row for row in found if row.body in shown]
    row = taken_up.c
    told = reading.connection.execute(
        select(taken_up.table)
        .where(row.decision_id.in_([one.decision_id for one in found]), taken_up.holds(until, at.position))
        .order_by(row.valid_from, row.known_from)
    ).all()
    known = readable_among(*asked, meetings, {one.meeting_id for one in told})
    by_decision = defaultdict(list)
    for one in told:
        if one.meeting_id in known:
            by_decision[one.decision_id].append(one)
    result = {}
    for one in found:
        dealt = [each for each in by_decision[one.decision_id] if each.body == one.body]
        ending = next((each for each in dealt if each.outcome != ItemOutcome.POSTPONED), None)
        last = until if ending is None else ending.valid_from
        result[one.decision_id] = Referral(
            body=one.body,
            state="pending" if ending is None else "ended",
            days=(last - agreed[one.decision_id]).days,
            times_postponed=sum(each.outcome == ItemOutcome.POSTPONED for each in dealt),
            ended_on=None if ending is None else ending.valid_from,
            outcome=None if ending is None or ending.outcome is None else ItemOutcome(ending.outcome),
            meeting=None if ending is None else ending.meeting_id,
            recorded_on=one.recorded_on,
            recorded_at=one.recorded_at if scope.everything else None,
            position=one.recorded_position,
        )
    return result


def _known(reading: Reading, at: AsOf, ids: Iterable[UUID]) -> Iterable[Any]:
    return reading.connection.execute(
        select(referrals.table).where(referrals.c.decision_id.in_(list(ids)), referrals.known_at(at.position))
    )


def pending(reading: Reading, at: AsOf, scope: Scope, until: date) -> ColumnElement[bool]:
    """Whether a row of `decisions` refers to a body that the asker may know of, where it has not been ended yet."""
    asked = reading, scope, at.position
    referred, taken = referrals.c, taken_up.c
    ended = exists().where(
        taken.decision_id == referred.decision_id,
        taken.body == referred.body,
        taken_up.holds(until, at.position),
        or_(taken.outcome.is_(None), taken.outcome != ItemOutcome.POSTPONED.value),
        taken.meeting_id.in_(readable_things(*asked, meetings)),
    )
    return exists().where(
        and_(
            referred.decision_id == decisions.c.decision_id,
            referrals.known_at(at.position),
            referred.body.in_(readable_things(*asked, bodies, bodies.c.code)),
            ~ended,
        )
    )
