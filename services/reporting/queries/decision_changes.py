"""What became known of decisions, by the positions at which it became visible to the asker.

What is recorded of a decision while the asker may know of it becomes visible where it is recorded. What was recorded
before becomes visible at the publication that opens the decision to them, and all of it again where it is opened anew:
somebody who passed these positions in between had found nothing there.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, and_, case, exists, literal, or_, select

from services.reporting.datasets import (
    DecisionChange,
    decision_changes,
    decisions,
    referrals,
    taken_up,
)
from services.reporting.queries.access import was_open
from services.reporting.queries.decision_items import DecisionItem, Reader, items_of
from services.reporting.queries.decisions import DecisionFilters, admitted
from services.reporting.queries.moments import AsOf
from services.reporting.reading import Reading


class Learned(msgspec.Struct, frozen=True):
    """One thing recorded of a decision, or of what became of it, and the position at which that was."""

    what: DecisionChange
    position: int


class ChangedDecision(msgspec.Struct, frozen=True):
    """A decision of which the asker learns something new at a position, as it is now."""

    position: Annotated[
        int, Meta(description="Where it became visible to the asker: the feed goes by this.", examples=[1204])
    ]
    number: Annotated[str, Meta(examples=["SEG-2012-014"])]
    learned: Annotated[
        list[Learned],
        Meta(
            description="What is new, with the positions at which it was recorded; earlier ones where it was hidden."
        ),
    ]
    decision: DecisionItem


def changes_as_of(
    reading: Reading, at: AsOf, reader: Reader, filters: DecisionFilters, *, after: int = 0, limit: int = 50
) -> tuple[list[ChangedDecision], bool]:
    """The decisions of which something became visible beyond a position, in that order; and whether more follow."""
    change, same = decision_changes.c, decision_changes.c.decision_id == decisions.c.decision_id
    then, before = decisions.table.alias("then"), decisions.table.alias("before")
    source = decision_changes.table.join(decisions.table, same)
    opened: Any = literal(0)
    told = _is_told(reader.scope.everything)
    visible = [decision_changes.known_at(at.position), change.position > after, told]
    if not reader.scope.everything:
        # The decision as it was where the change was recorded, and as it was just before that.
        source = source.join(
            then,
            and_(
                then.c.decision_id == change.decision_id,
                then.c.known_from <= change.position,
                then.c.known_to > change.position,
            ),
        ).outerjoin(
            before, and_(before.c.decision_id == change.decision_id, before.c.known_to == change.position)
        )
        visible.append(was_open(reader.scope, at.position, decisions, then))
        opened = case(
            (before.c.decision_id.is_(None), 0),
            (was_open(reader.scope, at.position, decisions, before), 0),
            else_=1,
        )
    found = reading.connection.execute(
        select(change.decision_id, change.position, change.what, opened.label("opened"))
        .select_from(source)
        .where(*visible, admitted(reading, at._replace(on=reader.until), reader, filters))
        .order_by(change.position)
        .limit(limit + 1)
    ).all()
    page = found[:limit]
    ids = {row.decision_id for row in page}
    recorded = defaultdict[Any, list[Learned]](list)
    for row in reading.connection.execute(
        select(decision_changes.table)
        .where(
            change.decision_id.in_({row.decision_id for row in page if row.opened}),
            decision_changes.known_at(at.position),
            told,
        )
        .order_by(change.position)
    ):
        recorded[row.decision_id].append(Learned(DecisionChange(row.what), row.position))
    rows = reading.connection.execute(
        select(decisions.table).where(decisions.c.decision_id.in_(ids), decisions.known_at(at.position))
    ).all()
    shown = {item.id: item for item in items_of(reading, at, reader, rows)}
    changed = [
        ChangedDecision(
            position=row.position,
            number=shown[row.decision_id].number,
            learned=[one for one in recorded[row.decision_id] if one.position <= row.position]
            if row.opened
            else [Learned(DecisionChange(row.what), row.position)],
            decision=shown[row.decision_id],
        )
        for row in page
    ]
    return changed, len(found) > limit


def _is_told(everything: bool) -> ColumnElement[bool]:
    """Of the meetings that took a decision up, those count to which it was referred.

    Only those who see everything are told of them here: to others such a meeting may be hidden, and open later.
    """
    change, meeting = decision_changes.c, taken_up.c
    other: ColumnElement[bool] = change.what != DecisionChange.REFERRAL.value
    if not everything:
        return other
    addressed = exists().where(
        meeting.decision_id == change.decision_id,
        meeting.known_from == change.position,
        referrals.c.decision_id == change.decision_id,
        referrals.c.body == meeting.body,
    )
    return or_(other, addressed)
